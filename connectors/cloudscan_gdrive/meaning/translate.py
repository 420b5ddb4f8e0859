"""What a Drive permission means: whom it lets in, and with which access. Pure functions.

Sources: discovery document of Drive v3 (Permission); Drive guide, "Share files, folders and drives", "Limited and
expansive access".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cloudscan.facts import NEVER, Access, Affiliation, Audience, Grant, Principal, Via
from cloudscan_gdrive.api.models import Permission
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.people import AUDIENCE, People

_ACCESS = {
    "reader": Access.READ,
    "publishedReader": Access.READ,
    "commenter": Access.COMMENT,
    "writer": Access.WRITE,
    "fileOrganizer": Access.WRITE,
    "organizer": Access.MANAGE,
    "owner": Access.OWN,
}
_MIN_GOOGLE_ID = 15  # characters
_ROLE_WORDS = {
    "reader": ("read", "閲覧"),
    "publishedReader": ("read the published copy", "公開版の閲覧"),
    "commenter": ("read and comment", "閲覧とコメント"),
    "writer": ("read and change", "閲覧と編集"),
    "fileOrganizer": ("read, change and move", "閲覧・編集・移動"),
    "organizer": ("manage", "管理"),
    "owner": ("own", "所有"),
}


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """A permission translated into facts; the same for every file that has it."""

    key: str  # the permission with its role: what a parent must have for a child to have inherited it
    principal: Principal | None
    grant: Grant  # without uid and resource, which are filled in for each file


def meaning_of(permission: Permission, people: People, now: datetime) -> Meaning | None:
    """Whom a permission lets in at the time `now`; None for the owner's, which is no grant."""
    if permission.role == "owner" and not permission.pending_owner:
        return None
    principal, audience = _principal_and_audience(permission, people)
    access = Access.LIST if permission.view == "metadata" else _ACCESS.get(permission.role, Access.WRITE)
    chain = _chain(permission, people, audience)
    blocked_by = "deleted account" if permission.deleted else "expired" if _has_expired(permission, now) else ""
    return Meaning(
        key=key_of(permission),
        principal=principal,
        grant=Grant(
            uid="",
            resource_uid="",
            principal_uid=principal.uid if principal else None,
            audience=audience,
            access=access,
            via=Via.LINK if permission.type in ("anyone", "domain") else Via.DIRECT,
            discoverable=_is_discoverable(permission),
            expires_on=permission.expiration_time or NEVER,
            effective=not blocked_by,
            blocked_by=blocked_by,
            detail={
                "type": permission.type,
                "role": permission.role,
                **({"pending_owner": "true"} if permission.pending_owner else {}),
                **({"view": permission.view} if permission.view else {}),
                "chain": chain,
            },
        ),
    )


def key_of(permission: Permission) -> str:
    """The same for a parent's permission and a child's that was inherited unchanged."""
    return f"{_identity(permission)}/{permission.role}/{permission.view}"


def _identity(permission: Permission) -> str:
    """Google's ids are long and unique to a principal; short ones come from recorded answers and may not be."""
    if len(permission.id) >= _MIN_GOOGLE_ID:
        return permission.id
    return f"{permission.id or permission.type}{permission.email_address or permission.domain}"


def is_inherited(permission: Permission) -> bool | None:
    """Whether a permission is inherited; None where Drive does not say: lists of My Drive leave the details out."""
    if not permission.permission_details:
        return None
    return all(detail.inherited for detail in permission.permission_details)


def _principal_and_audience(permission: Permission, people: People) -> tuple[Principal | None, Audience | None]:
    match permission.type:
        case "anyone":
            return None, Audience.ANYONE_DISCOVERABLE if _is_discoverable(permission) else Audience.ANYONE_WITH_LINK
        case "domain" if permission.domain:
            principal = people.domain_principal(permission.domain.lower())
            ours = principal.affiliation is Affiliation.INTERNAL
            return principal, Audience.ORGANISATION if ours else Audience.EXTERNAL_DOMAIN
        case "user" | "group" if permission.deleted:
            return _deleted(permission, people)
        case "user" | "group" | "domain" if not permission.email_address:
            return None, None  # Drive does not say who
        case "group":
            return _group(permission, people)
        case "user":
            principal = people.principal("user", permission.email_address)
            ours = principal.affiliation is Affiliation.INTERNAL
            return principal, Audience.NAMED if ours else Audience.NAMED_EXTERNAL
        case _:
            return None, None  # a type that did not exist when this was written: it may admit anyone


def _is_discoverable(permission: Permission) -> bool:
    """Whether a search finds the file. Where Drive does not say, the id does: ``anyone``, not ``anyoneWithLink``."""
    discoverable = permission.allow_file_discovery
    return permission.type == "anyone" and permission.id == "anyone" if discoverable is None else discoverable


def _has_expired(permission: Permission, now: datetime) -> bool:
    """Drive keeps listing expired permissions for a while; only those of users and groups can expire."""
    ends = permission.expiration_time
    return ends is not None and permission.type in ("user", "group") and ends <= now


def _group(permission: Permission, people: People) -> tuple[Principal, Audience | None]:
    principal = people.principal("group", permission.email_address)
    info = people.groups.get(principal.email)
    if info and info.external_members:
        return principal, Audience.NAMED_EXTERNAL
    if info and info.everyone:
        return principal, Audience.ORGANISATION
    if principal.affiliation is not Affiliation.INTERNAL:
        return principal, Audience.NAMED_EXTERNAL
    return principal, Audience.NAMED if info and not info.unread else None  # its members are not known


def _deleted(permission: Permission, people: People) -> tuple[Principal, Audience]:
    domain = permission.email_address.lower().rpartition("@")[2]
    ours = not domain or people.affiliation(domain) is Affiliation.INTERNAL
    account = Principal(
        uid=uids.deleted(permission.id),
        platform=uids.PLATFORM,
        account=people.primary,
        kind=permission.type,
        name=f"deleted {permission.type}",
        affiliation=None,
        status="deleted",
    )
    return account, Audience.NAMED if ours else Audience.NAMED_EXTERNAL


def _chain(permission: Permission, people: People, audience: Audience | None) -> Mapping[str, list[str]]:
    """The explanation of a grant: first what it allows, then what that follows from. English and Japanese."""
    can, can_ja = _ROLE_WORDS.get(permission.role, (permission.role, permission.role))
    if permission.view == "metadata":
        can, can_ja = "see that it exists", "存在の確認"
    who, who_ja = _subject(permission, people, audience)
    english = [
        f"{who} can {can}.",
        f"Drive lists the permission {permission.id}: type {permission.type}, role {permission.role}.",
    ]
    japanese = [
        f"{who_ja}が{can_ja}できます。",
        f"Driveの権限 {permission.id}: 種別 {permission.type}、ロール {permission.role}。",
    ]
    for note, note_ja in _notes(permission, people, audience):
        english.append(note)
        japanese.append(note_ja)
    return {"en": english, "ja": japanese}


def _subject(permission: Permission, people: People, audience: Audience | None) -> tuple[str, str]:
    name = permission.email_address or permission.domain
    match audience:
        case Audience.ANYONE_DISCOVERABLE:
            return (
                "Anyone on the internet, who can find it by searching,",
                "インターネット上の誰でも（検索でも見つけられる状態）",
            )
        case Audience.ANYONE_WITH_LINK:
            return "Anyone who has the link, without signing in,", "リンクを知っている人なら誰でも（ログイン不要）"
        case Audience.EXTERNAL_DOMAIN:
            return f"Everyone at {name}, an external domain,", f"他社ドメイン {name} の全員"
        case Audience.ORGANISATION:
            how = " by searching" if permission.allow_file_discovery else ""
            return f"Everyone at {name or people.primary}{how}", f"{name or people.primary} の全員"
        case Audience.NAMED_EXTERNAL:
            return f"{name}, who is external,", f"社外の {name}"
        case None:
            return "A principal that this version does not know", "判別できない相手"
        case _:
            return name or "A deleted account", name or "削除済みのアカウント"


def _notes(permission: Permission, people: People, audience: Audience | None) -> list[tuple[str, str]]:
    notes: list[tuple[str, str]] = []
    address = permission.email_address.lower()
    if permission.domain.lower().endswith(AUDIENCE):
        notes.append(
            (
                "It is a target audience: a set of our own users.",
                "対象グループ（ターゲットオーディエンス）で、社内の利用者です。",
            )
        )
    group = people.groups.get(people.address_of(address)) if permission.type == "group" else None
    if group and group.external_members:
        notes.append(
            (
                f"The group has {group.external_members} external members.",
                f"このグループには社外の人が{group.external_members}人います。",
            )
        )
    if person := people.private.get(address):
        notes.append((f"It is the private account of {person}.", f"{person} の個人アカウントです。"))
    if permission.deleted:
        notes.append(
            (
                "The account was deleted, so nobody can use this permission.",
                "アカウントは削除済みのため、これで入れる人はいません。",
            )
        )
    if permission.pending_owner:
        notes.append(("The owner has asked them to take over the file.", "オーナー権限の譲渡を待っている状態です。"))
    if permission.expiration_time:
        day = permission.expiration_time.date().isoformat()
        notes.append((f"It ends on {day}.", f"有効期限は{day}です。"))
    if permission.type == "group" and audience is None and address:
        notes.append(
            ("The members of the group could not be read.", "このグループのメンバーは読み取れませんでした。"),
        )
    if permission.view == "published":
        notes.append(("It is the copy published to the web.", "「ウェブに公開」された版です。"))
    return notes
