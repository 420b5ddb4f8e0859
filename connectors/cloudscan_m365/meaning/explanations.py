"""The reasons for a verdict on a permission, in English and Japanese."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from cloudscan.facts import NEVER, Access, Affiliation, Audience
from cloudscan_m365.api.models import Permission, SharingLink
from cloudscan_m365.meaning.people import EVERYONE, Recipient

_CAN = {
    Access.LIST: ("see that it exists", "存在の確認"),
    Access.READ: ("read", "閲覧"),
    Access.WRITE: ("read and change", "閲覧と編集"),
    Access.MANAGE: ("manage", "管理"),
}
Words = tuple[str, str]


def chain(who: Words, access: Access, expires: datetime, notes: Iterable[Words]) -> Mapping[str, list[str]]:
    """The reasons, from what is true to what it rests on."""
    can, dekiru = _CAN[access]
    english, japanese = [f"{who[0]} can {can}."], [f"{who[1]}が{dekiru}できます。"]
    for en, ja in notes:
        english.append(en)
        japanese.append(ja)
    if expires != NEVER:
        day = expires.date().isoformat()
        english.append(f"It ends on {day}.")
        japanese.append(f"有効期限は{day}です。")
    return {"en": english, "ja": japanese}


def who_by_link(audience: Audience | None, link: SharingLink, holders: Sequence[Recipient]) -> Words:
    """Whom a link lets in, at the beginning of a sentence."""
    match audience:
        case Audience.ANYONE_WITH_LINK:
            return "Anyone who has the link, without signing in,", "リンクを知っている人なら誰でも（サインイン不要）"
        case Audience.ORGANISATION if link.scope == "organization":
            return "Everybody in the organisation who has the link", "リンクを知っている社内の全員"
        case None:
            return "Somebody whom this version cannot name", "判別できない相手"
        case _ if not holders:
            return "Nobody so far who has the link", "リンクの宛先（現在は0人）"
        case _:
            names = ", ".join(who.principal.email or who.principal.name for who in holders[:3])
            more = len(holders) - 3
            return (
                f"{names}{f' and {more} more' if more > 0 else ''}",
                f"{names}{f' ほか{more}人' if more > 0 else ''}",
            )


def who_directly(who: Recipient | None) -> Words:
    """Whom a role was given to, at the beginning of a sentence."""
    if who is None:
        return "Somebody whom this version cannot name", "判別できない相手"
    if who.claim and who.principal.kind == "claim":
        if who.claim == EVERYONE:
            return "Everyone in the directory, guests too,", "ディレクトリ内の全員（ゲストを含む）"
        return "Everybody in the organisation", "社内の全員"
    name = who.principal.email or who.principal.name
    if who.principal.affiliation in (Affiliation.EXTERNAL, Affiliation.PARTNER):
        return f"{name}, from outside,", f"社外の {name} "
    return name, f"{name} "


def notes_on_link(permission: Permission, link: SharingLink, blocked: str) -> Iterator[Words]:
    """What else there is to a link."""
    kind = link.type or "?"
    yield f"SharePoint lists a sharing link of type {kind}.", f"SharePointに種別 {kind} の共有リンクがあります。"
    if permission.has_password:
        yield "It asks for a password.", "パスワードが必要です。"
    if link.prevents_download:
        yield "It does not let anybody download.", "ダウンロードはできません。"
    yield from notes_on_block(blocked)


def notes_on_role(permission: Permission, who: Recipient | None, blocked: str) -> Iterator[Words]:
    """What else there is to a role."""
    role = ", ".join(permission.roles)
    yield f"SharePoint lists the role {role}.", f"SharePointでのロールは {role} です。"
    if who and who.principal.kind in ("group", "site_group"):
        if who.claim:
            yield "The group holds everybody.", "このグループには全員が含まれます。"
        if who.holds and who.holds.outsiders:
            count = who.holds.outsiders
            yield f"The group holds {count} people from outside.", f"このグループには社外の人が{count}人います。"
    yield from notes_on_block(blocked)


_BLOCKS = {
    "sharing is off on the site": "このサイトでは外部共有が無効です。",
    "sharing is off in the tenant": "テナントで外部共有が無効です。",
    "the link has expired": "リンクの期限が切れています。",
    "the access has expired": "アクセスの期限が切れています。",
    "the invitation has expired": "招待の期限が切れています。",
    "the account is disabled": "アカウントは無効です。",
    "the account is deleted": "アカウントは削除済みです。",
}


def notes_on_block(blocked: str) -> Iterator[Words]:
    """What keeps a grant from being of use."""
    if blocked:
        yield f"It is not effective: {blocked}.", f"現在は使えません。{_BLOCKS[blocked]}"
