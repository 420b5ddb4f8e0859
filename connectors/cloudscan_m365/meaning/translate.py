"""What a permission means: who gets in by it, and how far. Pure functions.

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
    subject_of_link,
    subject_of_role,
)
from cloudscan_m365.meaning.grant_detail import GrantDetail, inherited
from cloudscan_m365.meaning.people import Grantee, People, SiteGroups

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
_SHARES_EXTERNALLY = ("existing", "new_and_existing", "anyone")
_PEOPLE_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """How far external sharing is allowed: disabled, existing, new_and_existing, anyone; None: unknown."""

    tenant: str | None = None
    site: str | None = None


@dataclass(frozen=True, kw_only=True)
class TenantContext:
    """What must be known beside a permission to translate it."""

    people: People
    groups: SiteGroups
    sharing: Sharing
    owner_uid: str | None  # of a OneDrive: its owner needs no grant
    now: datetime


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


def translate(permission: Permission, tenant: TenantContext) -> TranslatedPermission | None:
    """A permission as a grant; None where it lets in nobody, or only the owner."""
    if permission.link is not None:
        return _link(permission, permission.link, tenant)
    identity = permission.granted_to_v2 or permission.granted_to or next(iter(_identities(permission)), None)
    if identity is None and permission.invitation and permission.invitation.email:
        return _invitation(permission, permission.invitation.email, tenant)
    grantee = tenant.people.grantee(identity, tenant.groups) if identity else None
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
        granted_to=permission.granted_to if permission.granted_to_v2 is None else None,
        granted_to_identities=permission.granted_to_identities if permission.granted_to_identities_v2 is None else None,
        expiration_date_time=permission.expiration_date_time,
        has_password=permission.has_password,
    )


def _link(permission: Permission, link: SharingLink, tenant: TenantContext) -> TranslatedPermission | None:
    scope = link.scope or "anonymous"  # legacy links have no scope, and open to anyone who has them
    if scope == _NOBODY_NEW:
        return None
    listed = _grantees(permission, tenant)
    grantees = [] if scope in ("anonymous", "organization") else listed
    audience = _audience_of_link(scope, grantees)
    access = _access_of_link(permission, link)
    expires = _expiry(permission.expiration_date_time)
    blocked_by = _blocked_by(audience, expires, tenant, "the link has expired")
    if not blocked_by and len(grantees) == 1:
        blocked_by = grantees[0].blocked_by
    subject, notes = subject_of_link(audience, link, grantees), notes_on_link(permission, link, blocked_by)
    return TranslatedPermission(
        principals=[grantee.principal for grantee in grantees],
        grant=Grant(
            uid="",
            resource_uid="",
            principal_uid=grantees[0].principal.uid if len(grantees) == 1 else None,
            audience=audience,
            access=access,
            via=Via.LINK,
            expires_on=expires,
            password=bool(permission.has_password),
            effective=not blocked_by,
            blocked_by=blocked_by,
            detail=_detail_of_link(permission, link, grantees, listed).written(chain(subject, access, expires, notes)),
        ),
    )


def _audience_of_link(scope: str, grantees: Sequence[Grantee]) -> Audience | None:
    match scope:
        case "anonymous":
            return Audience.ANYONE_WITH_LINK
        case "organization":
            return Audience.ORGANISATION
        case "users":
            return max((grantee.audience or Audience.NAMED for grantee in grantees), default=Audience.NAMED)
        case _:
            return None  # a scope that did not exist when this was written: it may admit anyone


def _access_of_link(permission: Permission, link: SharingLink) -> Access:
    by_role = _access(permission.roles)
    by_type = _LINKS.get(link.type or "")
    return by_role if by_type is None else max(by_type, by_role)


def _detail_of_link(
    permission: Permission, link: SharingLink, grantees: Sequence[Grantee], listed: Sequence[Grantee]
) -> GrantDetail:
    """`listed` are all people whom Microsoft lists, `grantees` those to whom the link is restricted."""
    externals = [grantee for grantee in listed if grantee.audience is not None and grantee.audience > Audience.NAMED]
    for_people = link.scope == "users"
    return GrantDetail(
        link_type=link.type or "",
        link_scope=link.scope or "",
        blocks_download=bool(link.prevents_download) or link.type == "blocksDownload",
        upload_only=link.type == "createOnly",
        role=", ".join(permission.roles),
        holders=len(grantees) if for_people else None,
        externals=(len(externals) or None) if for_people else None,
        unlisted=sum(_belongs_to_no_partner(grantee) for grantee in grantees) or None,
        consumer=any(grantee.principal.detail.get("consumer") for grantee in grantees),
        people=_names(grantees),
        external_people=_names(externals),
    )


def _direct(permission: Permission, grantee: Grantee | None, tenant: TenantContext) -> TranslatedPermission:
    access, expires = _access(permission.roles), _expiry(permission.expiration_date_time)
    audience = grantee.audience if grantee else None
    blocked_by = _blocked_by(audience, expires, tenant, "the access has expired")
    if not blocked_by and grantee:
        blocked_by = grantee.blocked_by
    is_site_group = grantee is not None and grantee.is_site_group
    group_number = grantee.principal.uid.rpartition("/")[2] if grantee and is_site_group else ""
    contents = grantee.contents if grantee else None
    detail = GrantDetail(
        role=", ".join(permission.roles),
        claim=grantee.claim if grantee else "",
        members_unread=is_site_group and contents is None,
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
            effective=not blocked_by,
            blocked_by=blocked_by,
            detail=detail.written(chain(subject_of_role(grantee), access, expires, notes)),
        ),
    )


def _invitation(permission: Permission, email: str, tenant: TenantContext) -> TranslatedPermission:
    grantee = tenant.people.by_email(email)
    access, expires = _access(permission.roles), _expiry(permission.expiration_date_time)
    blocked_by = _blocked_by(grantee.audience, expires, tenant, "the invitation has expired") or grantee.blocked_by
    without_sign_in = permission.invitation is not None and permission.invitation.sign_in_required is False
    notes = [("The invitation has not been accepted yet.", "招待はまだ承諾されていません。")]
    if without_sign_in:
        notes.append(
            ("Anyone who has the mail gets in without signing in.", "メールを持っていればサインインなしで入れます。")
        )
    notes += notes_on_block(blocked_by)
    detail = GrantDetail(role=", ".join(permission.roles), invitation=True, without_sign_in=without_sign_in)
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
            effective=not blocked_by,
            blocked_by=blocked_by,
            detail=detail.written(chain(subject_of_role(grantee), access, expires, notes)),
        ),
    )


def _names(grantees: Sequence[Grantee]) -> list[str]:
    return [grantee.principal.email or grantee.principal.name for grantee in grantees[:_PEOPLE_SHOWN]]


def _belongs_to_no_partner(grantee: Grantee) -> bool:
    """Whether someone is external and of no partner."""
    return grantee.principal.affiliation is Affiliation.EXTERNAL


def _identities(permission: Permission) -> Sequence[IdentitySet]:
    newer = permission.granted_to_identities_v2
    return (newer if newer is not None else permission.granted_to_identities) or ()


def _grantees(permission: Permission, tenant: TenantContext) -> list[Grantee]:
    """The people that a link lists, each once: Microsoft may list one person up to three times."""
    grantees: dict[str, Grantee] = {}
    for identity in _identities(permission):
        grantee = tenant.people.grantee(identity, tenant.groups)
        if grantee is not None:
            grantees.setdefault(grantee.principal.uid, grantee)
    return list(grantees.values())


def _access(roles: Sequence[str]) -> Access:
    """The most that roles allow. A role that did not exist when this was written may change things."""
    return max((_ROLES.get(role.lower(), Access.WRITE) for role in roles), default=Access.READ)


def _expiry(text: str | None) -> datetime:
    """When access ends. Microsoft writes *never* as the year 1, or as nothing at all."""
    if not text or text.startswith("0001"):
        return NEVER
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return NEVER
    if moment.year >= NEVER.year:
        return NEVER
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _blocked_by(audience: Audience | None, expires: datetime, tenant: TenantContext, expired: str) -> str:
    """The block above a grant that keeps it from being effective; empty where there is none."""
    if expires <= tenant.now:
        return expired
    if audience is None or audience <= Audience.NAMED or audience is Audience.ORGANISATION:
        return ""
    needed = ("anyone",) if audience >= Audience.ANYONE_WITH_LINK else _SHARES_EXTERNALLY
    if tenant.sharing.site is not None and tenant.sharing.site not in needed:
        return "sharing is off on the site"
    if tenant.sharing.tenant is not None and tenant.sharing.tenant not in needed:
        return "sharing is off in the tenant"
    return ""
