"""The reasons for a verdict on a permission, in English and Japanese."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from cloudscan.facts import NEVER, Access, Affiliation, Audience
from cloudscan_m365.api.models import Permission, SharingLink
from cloudscan_m365.meaning.people import EVERYONE, Grantee

_CAN = {
    Access.LIST: ("see that it exists", "存在の確認"),
    Access.READ: ("read", "閲覧"),
    Access.WRITE: ("read and change", "閲覧と編集"),
    Access.MANAGE: ("manage", "管理"),
}
_NAMED_MOST = 3  # people whom a sentence names
Bilingual = tuple[str, str]
"""A sentence in English and in Japanese."""


def chain(subject: Bilingual, access: Access, expires: datetime, notes: Iterable[Bilingual]) -> Mapping[str, list[str]]:
    """The sentences by language, from what is true to what it rests on."""
    can, dekiru = _CAN[access]
    english, japanese = [f"{subject[0]} can {can}."], [f"{subject[1]}が{dekiru}できます。"]
    for in_english, in_japanese in notes:
        english.append(in_english)
        japanese.append(in_japanese)
    if expires != NEVER:
        day = expires.date().isoformat()
        english.append(f"It expires on {day}.")
        japanese.append(f"有効期限は{day}です。")
    return {"en": english, "ja": japanese}


def subject_of_link(audience: Audience | None, link: SharingLink, grantees: Sequence[Grantee]) -> Bilingual:
    """Who gets in by a link, as the beginning of a sentence."""
    match audience:
        case Audience.ANYONE_WITH_LINK:
            return "Anyone who has the link, without signing in,", "リンクを知っている人なら誰でも（サインイン不要）"
        case Audience.ORGANISATION if link.scope == "organization":
            return "Everyone in the organisation who has the link", "リンクを知っている社内の全員"
        case None:
            return "Someone whom this version cannot identify", "判別できない相手"
        case _ if not grantees:
            return "No one so far (the link lists no people)", "リンクの宛先（現在は0人）"
        case _:
            names = ", ".join(grantee.principal.email or grantee.principal.name for grantee in grantees[:_NAMED_MOST])
            more = len(grantees) - _NAMED_MOST
            return (
                f"{names}{f' and {more} more' if more > 0 else ''}",
                f"{names}{f' ほか{more}人' if more > 0 else ''}",
            )


def subject_of_role(grantee: Grantee | None) -> Bilingual:
    """Who was granted a role, as the beginning of a sentence."""
    if grantee is None:
        return "Someone whom this version cannot identify", "判別できない相手"
    if grantee.claim and grantee.principal.kind == "claim":
        if grantee.claim == EVERYONE:
            return "Everyone in the directory, including guests,", "ディレクトリ内の全員（ゲストを含む）"
        return "Everyone in the organisation", "社内の全員"
    name = grantee.principal.email or grantee.principal.name
    if grantee.principal.affiliation in (Affiliation.EXTERNAL, Affiliation.PARTNER):
        return f"{name} (external)", f"社外の {name} "
    return name, f"{name} "


def notes_on_link(permission: Permission, link: SharingLink, blocked_by: str) -> Iterator[Bilingual]:
    """What the verdict on a link rests on."""
    kind = link.type or "?"
    yield f"SharePoint lists a sharing link of type {kind}.", f"SharePointに種別 {kind} の共有リンクがあります。"
    if permission.has_password:
        yield "It requires a password.", "パスワードが必要です。"
    if link.prevents_download:
        yield "Downloads are blocked.", "ダウンロードはできません。"
    yield from notes_on_block(blocked_by)


def notes_on_role(permission: Permission, grantee: Grantee | None, blocked_by: str) -> Iterator[Bilingual]:
    """What the verdict on a role rests on."""
    role = ", ".join(permission.roles)
    yield f"SharePoint lists the role {role}.", f"SharePointでのロールは {role} です。"
    if grantee and grantee.principal.kind in ("group", "site_group"):
        if grantee.claim:
            yield "The group contains everyone.", "このグループには全員が含まれます。"
        if grantee.contents and grantee.contents.externals:
            count = grantee.contents.externals
            yield f"The group contains {count} external people.", f"このグループには社外の人が{count}人います。"
    yield from notes_on_block(blocked_by)


_BLOCKS = {
    "sharing is off on the site": "このサイトでは外部共有が無効です。",
    "sharing is off in the tenant": "テナントで外部共有が無効です。",
    "the link has expired": "リンクの期限が切れています。",
    "the access has expired": "アクセスの期限が切れています。",
    "the invitation has expired": "招待の期限が切れています。",
    "the account is disabled": "アカウントは無効です。",
    "the account is deleted": "アカウントは削除済みです。",
}


def notes_on_block(blocked_by: str) -> Iterator[Bilingual]:
    """What keeps a grant from being effective; nothing where `blocked_by` is empty.

    A block without a Japanese sentence is named in English rather than left out.
    """
    if blocked_by:
        japanese = _BLOCKS.get(blocked_by, f"（{blocked_by}）")
        yield f"It is not effective: {blocked_by}.", f"現在は使えません。{japanese}"
