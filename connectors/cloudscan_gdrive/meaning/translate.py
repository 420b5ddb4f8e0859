"""What a Drive permission means: whom it lets in, and how far. Pure functions.

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
_LONG = 15
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
    """A permission in our words; the same for each file that carries it."""

    key: str  # which permission with which role: what a parent must have for a child to have inherited it
    principal: Principal | None
    grant: Grant  # of a resource that is filled in


def meaning(permission: Permission, people: People, now: datetime) -> Meaning | None:
    """Whom a permission lets in at the moment `now`; None for the owner, who needs no letting in."""
    if permission.role == "owner" and not permission.pending_owner:
        return None
    principal, audience = _who(permission, people)
    access = Access.LIST if permission.view == "metadata" else _ACCESS.get(permission.role, Access.WRITE)
    chain = _chain(permission, people, audience)
    shut = "deleted account" if permission.deleted else "expired" if _is_over(permission, now) else ""
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
            discoverable=_is_found(permission),
            expires_on=permission.expiration_time or NEVER,
            effective=not shut,
            blocked_by=shut,
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
    """Equal for a parent's permission and a child's that was inherited unchanged."""
    return f"{_name(permission)}/{permission.role}/{permission.view}"


def _name(permission: Permission) -> str:
    """Google's ids are long and one person's alone; what is put in their place in copies of answers may not be."""
    if len(permission.id) >= _LONG:
        return permission.id
    return f"{permission.id or permission.type}{permission.email_address or permission.domain}"


def is_inherited(permission: Permission) -> bool | None:
    """Whether a permission comes from above, where Drive says it: lists of My Drive leave the details out."""
    if not permission.permission_details:
        return None
    return all(detail.inherited for detail in permission.permission_details)


def _who(permission: Permission, people: People) -> tuple[Principal | None, Audience | None]:
    match permission.type:
        case "anyone":
            return None, Audience.ANYONE_DISCOVERABLE if _is_found(permission) else Audience.ANYONE_WITH_LINK
        case "domain" if permission.domain:
            principal = people.domain_principal(permission.domain.lower())
            ours = principal.affiliation is Affiliation.INTERNAL
            return principal, Audience.ORGANISATION if ours else Audience.EXTERNAL_DOMAIN
        case "user" | "group" if permission.deleted:
            return _deleted(permission, people)
        case "user" | "group" | "domain" if not permission.email_address:
            return None, None  # somebody, and Drive does not say who
        case "group":
            return _group(permission, people)
        case "user":
            principal = people.principal("user", permission.email_address)
            ours = principal.affiliation is Affiliation.INTERNAL
            return principal, Audience.NAMED if ours else Audience.NAMED_EXTERNAL
        case _:
            return None, None  # a type that did not exist when this was written: it may admit anybody


def _is_found(permission: Permission) -> bool:
    """Whether searching is enough. Where Drive does not say it, the id does: ``anyone``, beside ``anyoneWithLink``."""
    found = permission.allow_file_discovery
    return permission.type == "anyone" and permission.id == "anyone" if found is None else found


def _is_over(permission: Permission, now: datetime) -> bool:
    """Drive goes on listing for a while what has expired; only users' and groups' permissions can."""
    ends = permission.expiration_time
    return ends is not None and permission.type in ("user", "group") and ends <= now


def _group(permission: Permission, people: People) -> tuple[Principal, Audience | None]:
    principal = people.principal("group", permission.email_address)
    known = people.groups.get(principal.email)
    if known and known.outsiders:
        return principal, Audience.NAMED_EXTERNAL
    if known and known.everybody:
        return principal, Audience.ORGANISATION
    if principal.affiliation is not Affiliation.INTERNAL:
        return principal, Audience.NAMED_EXTERNAL
    return principal, Audience.NAMED if known and not known.unread else None  # who is in it nobody tells


def _deleted(permission: Permission, people: People) -> tuple[Principal, Audience]:
    domain = permission.email_address.lower().rpartition("@")[2]
    ours = not domain or people.affiliation(domain) is Affiliation.INTERNAL
    gone = Principal(
        uid=uids.deleted(permission.id),
        platform=uids.PLATFORM,
        account=people.primary,
        kind=permission.type,
        name=f"deleted {permission.type}",
        affiliation=None,
        status="deleted",
    )
    return gone, Audience.NAMED if ours else Audience.NAMED_EXTERNAL


def _chain(permission: Permission, people: People, audience: Audience | None) -> Mapping[str, list[str]]:
    """The reasons, from what is true to what it rests on."""
    can, dekiru = _ROLE_WORDS.get(permission.role, (permission.role, permission.role))
    if permission.view == "metadata":
        can, dekiru = "see that it exists", "存在の確認"
    who, dare = _words(permission, people, audience)
    english = [
        f"{who} can {can}.",
        f"Drive lists the permission {permission.id}: type {permission.type}, role {permission.role}.",
    ]
    japanese = [
        f"{dare}が{dekiru}できます。",
        f"Driveの権限 {permission.id}: 種別 {permission.type}、ロール {permission.role}。",
    ]
    for en, ja in _notes(permission, people, audience):
        english.append(en)
        japanese.append(ja)
    return {"en": english, "ja": japanese}


def _words(permission: Permission, people: People, audience: Audience | None) -> tuple[str, str]:
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
            return f"Everybody at {name}, which is not ours,", f"他社ドメイン {name} の全員"
        case Audience.ORGANISATION:
            found = " by searching" if permission.allow_file_discovery else ""
            return f"Everybody at {name or people.primary}{found}", f"{name or people.primary} の全員"
        case Audience.NAMED_EXTERNAL:
            return f"{name}, from outside,", f"社外の {name}"
        case None:
            return "Somebody whom this version cannot name", "判別できない相手"
        case _:
            return name or "A deleted account", name or "削除済みのアカウント"


def _notes(permission: Permission, people: People, audience: Audience | None) -> list[tuple[str, str]]:
    notes: list[tuple[str, str]] = []
    address = permission.email_address.lower()
    if permission.domain.lower().endswith(AUDIENCE):
        notes.append(
            (
                "It is a target audience: a set of our own people.",
                "対象グループ（ターゲットオーディエンス）で、社内の利用者です。",
            )
        )
    group = people.groups.get(people.address_of(address)) if permission.type == "group" else None
    if group and group.outsiders:
        notes.append(
            (
                f"The group holds {group.outsiders} people from outside.",
                f"このグループには社外の人が{group.outsiders}人います。",
            )
        )
    if person := people.private.get(address):
        notes.append((f"It is the private account of {person}.", f"{person} の個人アカウントです。"))
    if permission.deleted:
        notes.append(
            (
                "The account was deleted, so nobody gets in by it.",
                "アカウントは削除済みのため、これで入れる人はいません。",
            )
        )
    if permission.pending_owner:
        notes.append(("The owner wants to hand the file over to them.", "オーナー権限の譲渡を待っている状態です。"))
    if permission.expiration_time:
        day = permission.expiration_time.date().isoformat()
        notes.append((f"It ends on {day}.", f"有効期限は{day}です。"))
    if permission.type == "group" and audience is None and address:
        notes.append(
            ("Who is in the group could not be read.", "このグループのメンバーは読み取れませんでした。"),
        )
    if permission.view == "published":
        notes.append(("It is the copy published to the web.", "「ウェブに公開」された版です。"))
    return notes
