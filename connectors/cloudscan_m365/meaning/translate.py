"""What a permission means: whom it lets in, and how far. Pure functions.

Sources: permission, sharingLink, sharingInvitation and sharePointIdentitySet resources of Graph v1.0; recordings in
pnp/pnpcore and pnp/cli-microsoft365 for what they leave out.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cloudscan.facts import NEVER, Access, Affiliation, Audience, Detail, Grant, Principal, Via
from cloudscan_m365.api.models import IdentitySet, Permission, SharingLink
from cloudscan_m365.meaning.explanations import (
    chain,
    notes_on_block,
    notes_on_link,
    notes_on_role,
    who_by_link,
    who_directly,
)
from cloudscan_m365.meaning.people import People, Recipient, SiteGroups

_ROLES = {
    "read": Access.READ,
    "reader": Access.READ,
    "sp.view only": Access.READ,
    "sp.read": Access.READ,
    "sp.restricted read": Access.READ,
    "sp.restricted view": Access.READ,
    "write": Access.WRITE,
    "writer": Access.WRITE,
    "member": Access.WRITE,
    "sp.contribute": Access.WRITE,
    "sp.edit": Access.WRITE,
    "sp.design": Access.MANAGE,
    "manager": Access.MANAGE,
    "owner": Access.MANAGE,
    "fullcontrol": Access.MANAGE,
    "sp.full control": Access.MANAGE,
    "sp.limited access": Access.LIST,
}
_LINKS = {
    "view": Access.READ,
    "embed": Access.READ,
    "review": Access.READ,
    "blocksDownload": Access.READ,
    "edit": Access.WRITE,
    "createOnly": Access.WRITE,
}
_NOBODY_NEW = "existingAccess"
_WIDE = ("existing", "new_and_existing", "anyone")
_PEOPLE_SHOWN = 20
_INHERITED = ("claim", "upload_only", "strangers", "consumer", "outside")


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """How far sharing with outsiders is allowed: disabled, existing, new_and_existing, anyone; None: not known."""

    tenant: str | None = None
    site: str | None = None


@dataclass(frozen=True, kw_only=True)
class TenantContext:
    """What has to be known beside a permission to say what it means."""

    people: People
    groups: SiteGroups
    sharing: Sharing
    owner_uid: str | None  # of a OneDrive: its owner needs no letting in
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """A permission in our words; the same for each item that carries it."""

    principals: Sequence[Principal]  # whom it names
    grant: Grant  # of a resource that is filled in
    at_site: bool = False  # it stands at the top of the site too, and comes from there

    @functools.cached_property
    def brief(self) -> Detail:
        """What has to be said of the grant wherever it is inherited. The reasons stand where it was given."""
        return {name: self.grant.detail[name] for name in _INHERITED if name in self.grant.detail}


def meaning(permission: Permission, around: TenantContext) -> Meaning | None:
    """Whom a permission lets in; None where that is nobody, or the owner."""
    if permission.link is not None:
        return _link(permission, permission.link, around)
    named = permission.granted_to_v2 or permission.granted_to or next(iter(_holders(permission)), None)
    if named is None and permission.invitation and permission.invitation.email:
        return _invitation(permission, permission.invitation.email, around)
    who = around.people.who(named, around.groups) if named else None
    if who is not None and who.principal.uid == around.owner_uid:
        return None
    return _direct(permission, who, around)


def without_identity(permission: Permission) -> Permission:
    """What of a permission tells what it means: links of the same kind mean the same, whatever their ids."""
    return Permission(
        roles=permission.roles,
        link=permission.link,
        invitation=permission.invitation,
        granted_to_v2=permission.granted_to_v2,
        granted_to_identities_v2=permission.granted_to_identities_v2,
        granted_to=permission.granted_to if permission.granted_to_v2 is None else None,
        granted_to_identities=permission.granted_to_identities if permission.granted_to_identities_v2 is None else None,
        expiration_date_time=permission.expiration_date_time,
        has_password=permission.has_password,
    )


def _link(permission: Permission, link: SharingLink, around: TenantContext) -> Meaning | None:
    scope = link.scope or "anonymous"  # links of old have no scope, and open to whoever has them
    if scope == _NOBODY_NEW:
        return None
    holders = _people_of(permission, around)
    outsiders = [who for who in holders if who.audience is not None and who.audience > Audience.NAMED]
    audience: Audience | None
    match scope:
        case "anonymous":
            audience, holders = Audience.ANYONE_WITH_LINK, []
        case "organization":
            audience, holders = Audience.ORGANISATION, []
        case "users":
            audience = max((who.audience or Audience.NAMED for who in holders), default=Audience.NAMED)
        case _:
            audience = None  # a scope that did not exist when this was written: it may admit anybody
    kind = link.type or ""
    known = _LINKS.get(kind)
    access = max(known, _access(permission.roles)) if known else _access(permission.roles)
    expires = _moment(permission.expiration_date_time)
    blocks = link.prevents_download or kind == "blocksDownload"
    detail = {
        "link_type": kind,
        "link_scope": link.scope or "",
        "blocks_download": "true" if blocks else "",
        "upload_only": "true" if kind == "createOnly" else "",
        "role": ", ".join(permission.roles),
        "holders": str(len(holders)) if scope == "users" else "",
        "outsiders": str(len(outsiders)) if scope == "users" and outsiders else "",
        "strangers": str(sum(_is_stranger(who) for who in holders) or ""),
        "consumer": "true" if any(who.principal.detail.get("consumer") for who in holders) else "",
        "people": _names(holders),
        "outside": _names(outsiders),
    }
    blocked = _blocked(audience, expires, around, "the link has expired")
    if not blocked and len(holders) == 1:
        blocked = holders[0].blocked_by
    reasons = chain(who_by_link(audience, link, holders), access, expires, notes_on_link(permission, link, blocked))
    return Meaning(
        principals=[who.principal for who in holders],
        grant=Grant(
            uid="",
            resource_uid="",
            principal_uid=holders[0].principal.uid if len(holders) == 1 else None,
            audience=audience,
            access=access,
            via=Via.LINK,
            expires_on=expires,
            password=bool(permission.has_password),
            effective=not blocked,
            blocked_by=blocked,
            detail={**{name: value for name, value in detail.items() if value}, "chain": reasons},
        ),
    )


def _direct(permission: Permission, who: Recipient | None, around: TenantContext) -> Meaning:
    access = _access(permission.roles)
    expires = _moment(permission.expiration_date_time)
    audience = who.audience if who else None
    blocked = _blocked(audience, expires, around, "the access has expired") or (who.blocked_by if who else "")
    number = who.principal.uid.rpartition("/")[2] if who and who.is_site_group else ""
    detail = {
        "role": ", ".join(permission.roles),
        "claim": who.claim if who else "",
        "members": "unread" if who and who.is_site_group and who.holds is None else "",
        "outsiders": str(who.holds.outsiders) if who and who.holds and who.holds.outsiders else "",
    }
    reasons = chain(who_directly(who), access, expires, notes_on_role(permission, who, blocked))
    return Meaning(
        principals=[who.principal] if who else [],
        at_site=(number, access) in around.groups.at_site,
        grant=Grant(
            uid="",
            resource_uid="",
            principal_uid=who.principal.uid if who else None,
            audience=audience,
            access=access,
            via=Via.MEMBERSHIP if who and who.is_site_group else Via.DIRECT,
            discoverable=bool(who and who.claim),
            expires_on=expires,
            effective=not blocked,
            blocked_by=blocked,
            detail={**{name: value for name, value in detail.items() if value}, "chain": reasons},
        ),
    )


def _invitation(permission: Permission, mail: str, around: TenantContext) -> Meaning:
    who = around.people.by_mail(mail)
    access, expires = _access(permission.roles), _moment(permission.expiration_date_time)
    blocked = _blocked(who.audience, expires, around, "the invitation has expired") or who.blocked_by
    free = permission.invitation is not None and permission.invitation.sign_in_required is False
    notes = [("The invitation has not been accepted yet.", "招待はまだ承諾されていません。")]
    if free:
        notes.append(
            ("Whoever has the mail gets in without signing in.", "メールを持っていればサインインなしで入れます。")
        )
    detail = {
        "role": ", ".join(permission.roles),
        "invitation": "true",
        "sign_in": "not required" if free else "",
    }
    return Meaning(
        principals=[who.principal],
        grant=Grant(
            uid="",
            resource_uid="",
            principal_uid=who.principal.uid,
            audience=Audience.ANYONE_WITH_LINK if free else who.audience,
            access=access,
            via=Via.LINK if free else Via.DIRECT,
            expires_on=expires,
            effective=not blocked,
            blocked_by=blocked,
            detail={
                **{name: value for name, value in detail.items() if value},
                "chain": chain(who_directly(who), access, expires, [*notes, *notes_on_block(blocked)]),
            },
        ),
    )


def _names(people: Sequence[Recipient]) -> str:
    return ", ".join(who.principal.email or who.principal.name for who in people[:_PEOPLE_SHOWN])


def _is_stranger(who: Recipient) -> bool:
    """Somebody from outside who belongs to no partner."""
    return who.principal.affiliation is Affiliation.EXTERNAL


def _holders(permission: Permission) -> Sequence[IdentitySet]:
    told = permission.granted_to_identities_v2
    return (told if told is not None else permission.granted_to_identities) or ()


def _people_of(permission: Permission, around: TenantContext) -> list[Recipient]:
    """Whom a link names; one and the same person may come up to three times."""
    found: dict[str, Recipient] = {}
    for named in _holders(permission):
        who = around.people.who(named, around.groups)
        if who is not None:
            found.setdefault(who.principal.uid, who)
    return list(found.values())


def _access(roles: Sequence[str]) -> Access:
    """The most that roles allow. A role that did not exist when this was written may change things."""
    return max((_ROLES.get(role.lower(), Access.WRITE) for role in roles), default=Access.READ)


def _moment(text: str | None) -> datetime:
    """When it ends. The year 1 is Microsoft's word for never, and nothing at all is another."""
    if not text or text.startswith("0001"):
        return NEVER
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return NEVER
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC) if read.year < NEVER.year else NEVER


def _blocked(audience: Audience | None, expires: datetime, around: TenantContext, ended: str) -> str:
    """What stands above a grant and keeps it from being of use; empty where nothing does."""
    if expires <= around.now:
        return ended
    if audience is None or audience <= Audience.NAMED or audience is Audience.ORGANISATION:
        return ""
    needed = ("anyone",) if audience >= Audience.ANYONE_WITH_LINK else _WIDE
    if around.sharing.site is not None and around.sharing.site not in needed:
        return "sharing is off on the site"
    if around.sharing.tenant is not None and around.sharing.tenant not in needed:
        return "sharing is off in the tenant"
    return ""
