"""What a permission means: who gets in by it, and how far. Pure functions.

Sources: permission, sharingLink, sharingInvitation and sharePointIdentitySet resources of Graph v1.0; recordings in
pnp/pnpcore and pnp/cli-microsoft365 for what they leave out.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cloudscan.facts import NEVER, Access, Affiliation, Audience, Detail, Grant, Principal, Via, unread_grants
from cloudscan_m365.api.models import Identity, IdentitySet, Permission, SharingLink
from cloudscan_m365.api.moments import moment
from cloudscan_m365.meaning.explanations import (
    chain,
    notes_on_block,
    notes_on_invitation,
    notes_on_link,
    notes_on_role,
    subject_of_link,
    subject_of_role,
)
from cloudscan_m365.meaning.grant_detail import GrantDetail, inherited
from cloudscan_m365.meaning.people import NO_CLAIM, Grantee, People, SiteGroups

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
    "blocksdownload": Access.READ,
    "edit": Access.WRITE,
    "createonly": Access.WRITE,
}
_NOBODY_NEW = "existingaccess"
_SHARES_EXTERNALLY = ("existing", "new_and_existing", "anyone")
_PEOPLE_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """How far external sharing is allowed: disabled, existing, new_and_existing, anyone; None: unknown."""

    tenant: str | None = None
    site: str | None = None
    unread: bool = False  # the site's own setting gave no answer, though the application may ask for it


@dataclass(frozen=True, kw_only=True)
class TenantContext:
    """What must be known beside a permission to translate it."""

    people: People
    groups: SiteGroups
    sharing: Sharing
    owner_uid: str | None  # of a OneDrive: its owner needs no grant
    now: datetime
    block: str = ""  # what keeps everybody out of the site, such as its being archived


@dataclass(frozen=True, kw_only=True)
class TranslatedPermission:
    """A permission as a grant; the same for each item that has it."""

    principals: Sequence[Principal]  # those that it names
    grant: Grant  # without uid and resource, which the item fills in
    from_site: bool = False  # the same is granted at the top of the site, and comes from there

    @functools.cached_property
    def inherited_detail(self) -> Detail:
        """The detail of the grant wherever it is inherited. The reasoning is given at the origin only."""
        return inherited(self.grant.detail)


UNREAD: Final = Permission(id="unread", roles=("cloudscan.unread",))
"""Stands for permissions that could not be read: there may be any, to anyone."""


def translate(permission: Permission, tenant: TenantContext) -> TranslatedPermission | None:
    """A permission as a grant; None where it lets in nobody, or only the owner."""
    if permission.roles == UNREAD.roles:
        return TranslatedPermission(principals=(), grant=unread_grants(""))
    if permission.link is not None:
        return _link(permission, permission.link, tenant)
    identity = next(iter(_named(permission)), None)
    invited = (permission.invitation and permission.invitation.email) or ""
    if identity is None and invited:
        return _invitation(permission, invited, tenant)
    grantee = tenant.people.grantee(identity, tenant.groups, invited) if identity else None
    if grantee is not None and grantee.principal.uid == tenant.owner_uid:
        return None
    return _direct(permission, grantee, tenant)


def without_identity(permission: Permission) -> Permission:
    """The part of a permission that decides its meaning: links of the same kind mean the same, whatever their ids."""
    return Permission(
        roles=permission.roles,
        link=permission.link,
        invitation=permission.invitation,
        granted_to_v2=permission.granted_to_v2,
        granted_to_identities_v2=permission.granted_to_identities_v2,
        granted_to=permission.granted_to if _is_blank(permission.granted_to_v2) else None,
        granted_to_identities=permission.granted_to_identities
        if any(map(_is_blank, permission.granted_to_identities_v2 or (None,)))
        else None,
        expiration_date_time=permission.expiration_date_time,
        has_password=permission.has_password,
    )


def _link(permission: Permission, link: SharingLink, tenant: TenantContext) -> TranslatedPermission | None:
    listed = _grantees(permission, tenant)
    # Legacy links have no scope. They open to anyone who has them, unless people are named.
    scope = (link.scope or ("users" if listed else "anonymous")).lower()
    if scope == _NOBODY_NEW:
        return None
    grantees = [] if scope in ("anonymous", "organization") else listed
    known = [grantee for grantee in grantees if grantee is not None]
    audience = _audience_of_link(scope, grantees)
    access = _access_of_link(permission, link)
    expires = _expiry(permission.expiration_date_time)
    blocked_by = _blocked_by(audience, expires, tenant, "graph-link-expired")
    if not blocked_by and len(grantees) == len(known) == 1:
        blocked_by = known[0].blocked_by
    subject, notes = subject_of_link(audience, scope, known), notes_on_link(permission, link, blocked_by)
    detail = _detail_of_link(permission, link, scope, grantees, [one for one in listed if one is not None])
    return TranslatedPermission(
        principals=[grantee.principal for grantee in known],
        grant=Grant(
            uid="",
            resource_uid="",
            principal_uid=known[0].principal.uid if len(grantees) == len(known) == 1 else None,
            audience=audience,
            access=access,
            via=Via.LINK,
            expires_on=expires,
            password=bool(permission.has_password),
            effective=_is_effective(audience, expires, blocked_by, tenant),
            blocked_by=blocked_by,
            detail=detail.written(chain(subject, access, expires, notes)),
        ),
    )


def _audience_of_link(scope: str, grantees: Sequence[Grantee | None]) -> Audience | None:
    match scope:
        case "anonymous":
            return Audience.ANYONE_WITH_LINK
        case "organization":
            return Audience.ORGANISATION
        case "users":
            return _widest([None if grantee is None else grantee.audience for grantee in grantees])
        case _:
            return None  # a scope that did not exist when this was written: it may admit anyone


def _widest(audiences: Sequence[Audience | None]) -> Audience | None:
    """The widest of some audiences; None where one is unknown, which may be wider than all the others."""
    widest = max((audience for audience in audiences if audience is not None), default=Audience.NAMED)
    return widest if None not in audiences or widest >= Audience.ORGANISATION else None


def _access_of_link(permission: Permission, link: SharingLink) -> Access | None:
    allowed = [_access(permission.roles), _LINKS.get((link.type or "").lower())]
    return max((access for access in allowed if access is not None), default=None)


def _detail_of_link(
    permission: Permission,
    link: SharingLink,
    scope: str,
    grantees: Sequence[Grantee | None],
    listed: Sequence[Grantee],
) -> GrantDetail:
    """`listed` are all people whom Microsoft lists and we know, `grantees` those to whom the link is restricted."""
    externals = [grantee for grantee in listed if grantee.audience is not None and grantee.audience > Audience.NAMED]
    for_people, kind = scope == "users", (link.type or "").lower()
    known = [grantee for grantee in grantees if grantee is not None]
    all_known = len(known) == len(grantees) and all(grantee.audience is not None for grantee in known)
    unlisted = sum(_belongs_to_no_partner(grantee) for grantee in known)
    consumer = any(grantee.principal.detail.get("consumer") == "true" for grantee in known)
    decides = for_people and bool(externals) and all_known
    return GrantDetail(
        link_type=link.type or "",
        link_scope=link.scope or "",
        blocks_download=bool(link.prevents_download) or kind == "blocksdownload" or None,
        upload_only=kind == "createonly" if scope == "anonymous" else None,
        role=", ".join(permission.roles),
        holders=len(grantees) if for_people else None,
        externals=(len(externals) or None) if for_people else None,
        unlisted=unlisted if decides or unlisted else None,
        consumer=consumer if decides or consumer else None,
        people=_names(known),
        external_people=_names(externals),
    )


def _direct(permission: Permission, grantee: Grantee | None, tenant: TenantContext) -> TranslatedPermission:
    access, expires = _access(permission.roles), _expiry(permission.expiration_date_time)
    audience = grantee.audience if grantee else None
    blocked_by = _blocked_by(audience, expires, tenant, "graph-access-expired")
    if not blocked_by and grantee:
        blocked_by = grantee.blocked_by
    is_site_group = grantee is not None and grantee.is_site_group
    group_number = grantee.principal.uid.rpartition("/")[2] if grantee and is_site_group else ""
    contents = grantee.contents if grantee else None
    detail = GrantDetail(
        role=", ".join(permission.roles),
        claim=(grantee.claim or NO_CLAIM) if grantee and audience is Audience.ORGANISATION else "",
        members_unread=(is_site_group and (contents is None or not contents.known)) or None,
        externals=(contents.externals or None) if contents else None,
    )
    notes = notes_on_role(permission, grantee, blocked_by)
    return TranslatedPermission(
        principals=[grantee.principal] if grantee else [],
        from_site=(group_number, access) in tenant.groups.at_site,
        grant=Grant(
            uid="",
            resource_uid="",
            principal_uid=grantee.principal.uid if grantee else None,
            audience=audience,
            access=access,
            via=Via.MEMBERSHIP if is_site_group else Via.DIRECT,
            discoverable=bool(grantee and grantee.claim),
            expires_on=expires,
            effective=_is_effective(audience, expires, blocked_by, tenant),
            blocked_by=blocked_by,
            detail=detail.written(chain(subject_of_role(grantee), access, expires, notes)),
        ),
    )


def _invitation(permission: Permission, email: str, tenant: TenantContext) -> TranslatedPermission:
    grantee = tenant.people.by_email(email)
    access, expires = _access(permission.roles), _expiry(permission.expiration_date_time)
    blocked_by = _blocked_by(grantee.audience, expires, tenant, "graph-invitation-expired") or grantee.blocked_by
    without_sign_in = permission.invitation is not None and permission.invitation.sign_in_required is False
    notes = [*notes_on_invitation(without_sign_in=without_sign_in), *notes_on_block(blocked_by)]
    detail = GrantDetail(
        role=", ".join(permission.roles),
        invitation=True,
        without_sign_in=without_sign_in or None,
        upload_only=False if without_sign_in else None,
    )
    return TranslatedPermission(
        principals=[grantee.principal],
        grant=Grant(
            uid="",
            resource_uid="",
            principal_uid=grantee.principal.uid,
            audience=Audience.ANYONE_WITH_LINK if without_sign_in else grantee.audience,
            access=access,
            via=Via.LINK if without_sign_in else Via.DIRECT,
            expires_on=expires,
            effective=_is_effective(grantee.audience, expires, blocked_by, tenant),
            blocked_by=blocked_by,
            detail=detail.written(chain(subject_of_role(grantee), access, expires, notes)),
        ),
    )


def _names(grantees: Sequence[Grantee]) -> list[str]:
    return [grantee.principal.email or grantee.principal.name for grantee in grantees[:_PEOPLE_SHOWN]]


def _belongs_to_no_partner(grantee: Grantee) -> bool:
    """Whether someone is external and of no partner."""
    return grantee.principal.affiliation is Affiliation.EXTERNAL


_BLANK: Final = IdentitySet()


def _is_blank(identity: IdentitySet | None) -> bool:
    """Whether an identity names nobody: it is empty, or its forms are."""
    if identity is None or identity == _BLANK:
        return True
    forms: Sequence[Identity | None] = (
        identity.user,
        identity.group,
        identity.application,
        identity.site_user,
        identity.site_group,
        identity.share_point_group,
    )
    return all(form is None or form == Identity() for form in forms)


def _named(permission: Permission) -> Sequence[IdentitySet]:
    """Whom a permission names that is no link: the newer member, unless it is empty."""
    single = [one for one in (permission.granted_to_v2, permission.granted_to) if one and not _is_blank(one)]
    return single or [one for one in _identities(permission) if not _is_blank(one)]


def _identities(permission: Permission) -> Sequence[IdentitySet]:
    """Whom a permission lists: the newer member, unless it is empty; where some of it is, the older one as well."""
    newer, older = permission.granted_to_identities_v2 or (), permission.granted_to_identities or ()
    named = [one for one in newer if not _is_blank(one)]
    if named and len(named) == len(newer):
        return named
    legacy = [one for one in older if not _is_blank(one)]
    return [*named, *legacy] if legacy else newer


def _grantees(permission: Permission, tenant: TenantContext) -> list[Grantee | None]:
    """The people that a link lists, each once: Microsoft may list one person up to three times.

    None stands for those who cannot be identified.
    """
    grantees: dict[str, Grantee | None] = {}
    for identity in _identities(permission):
        grantee = tenant.people.grantee(identity, tenant.groups)
        grantees.setdefault(grantee.principal.uid if grantee else "", grantee)
    return list(grantees.values())


def _access(roles: Sequence[str]) -> Access | None:
    """The most that roles allow; None: unknown. A role that did not exist when this was written may change things."""
    return max((_ROLES.get(role.lower(), Access.WRITE) for role in roles), default=None)


def _expiry(text: str | None) -> datetime | None:
    """When access ends; None: unknown. Microsoft writes *never* as the year 1, or as nothing at all."""
    if not text or text.startswith("0001"):
        return NEVER
    ends = moment(text)
    return NEVER if ends is not None and ends.year >= NEVER.year else ends


def _is_effective(
    audience: Audience | None, expires: datetime | None, blocked_by: str, tenant: TenantContext
) -> bool | None:
    """Whether a grant can be used; None where it may have expired, or the site may forbid it."""
    if blocked_by:
        return False
    if expires is None or (tenant.sharing.unread and _needs_sharing(audience)):
        return None
    return True


def _needs_sharing(audience: Audience | None) -> bool:
    """Whether a grant only takes effect where external sharing is allowed."""
    return audience is not None and audience > Audience.NAMED and audience is not Audience.ORGANISATION


def _blocked_by(audience: Audience | None, expires: datetime | None, tenant: TenantContext, expired: str) -> str:
    """The block above a grant that keeps it from being effective; empty where there is none."""
    if tenant.block:
        return tenant.block
    if expires is not None and expires <= tenant.now:
        return expired
    if audience is None or not _needs_sharing(audience):
        return ""
    needed = ("anyone",) if audience >= Audience.ANYONE_WITH_LINK else _SHARES_EXTERNALLY
    if tenant.sharing.site is not None and tenant.sharing.site not in needed:
        return "graph-site-sharing-off"
    if tenant.sharing.tenant is not None and tenant.sharing.tenant not in needed:
        return "graph-tenant-sharing-off"
    return ""
