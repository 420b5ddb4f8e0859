"""What a permission means: who gets in by it, and how far. Pure functions.

Sources: permission, sharingLink, sharingInvitation and sharePointIdentitySet resources of Graph v1.0; recordings in
pnp/pnpcore and pnp/cli-microsoft365 for what they leave out.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from cloudscan.facts import NEVER, Access, Affiliation, Audience, Detail, Grant, Principal, Via, unread_grants
from cloudscan_m365.api.models import Identity, Permission, SharingLink
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
from cloudscan_m365.meaning.grantees import grantee_of, width
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
_NO_TIME = ("0000", "0001")
_FIRST_YEAR = 2001  # in which SharePoint appeared


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
    unresolved: bool = False  # whom it names could not be determined, and nothing else says so

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
    named = grantees_of(permission, tenant)
    if permission.link is not None:
        return _link(permission, permission.link, named, tenant)
    if len(named) == 1 and named[0] is not None and named[0].principal.uid == tenant.owner_uid:
        return None
    if not _is_named(permission) and _invited(permission):
        return _invitation(permission, named, tenant)
    return _direct(permission, named, tenant)


def without_identity(permission: Permission) -> Permission:
    """The part of a permission that decides its meaning: links of the same kind mean the same, whatever their ids."""
    return Permission(
        roles=permission.roles,
        link=permission.link,
        invitation=permission.invitation,
        granted_to_v2=permission.granted_to_v2,
        granted_to_identities_v2=permission.granted_to_identities_v2,
        granted_to=permission.granted_to,
        granted_to_identities=permission.granted_to_identities,
        expiration_date_time=permission.expiration_date_time,
        has_password=permission.has_password,
    )


def _link(
    permission: Permission, link: SharingLink, listed: Sequence[Grantee | None], tenant: TenantContext
) -> TranslatedPermission | None:
    # Legacy links have no scope. They open to anyone who has them, unless people are named.
    scope = (link.scope or ("users" if listed and _is_named(permission) else "anonymous")).strip().lower()
    if scope == _NOBODY_NEW:
        if not listed:
            return None
        scope = "users"  # that names people all the same
    if scope == "users" and _is_open(permission):
        scope = "anonymous"
    grantees = [] if scope in ("anonymous", "organization") else listed
    if scope == "users" and not grantees and not _is_listed(permission):
        grantees = [None]
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
        unresolved=_any_unresolved(grantees, tenant) or (audience is None and scope != "users"),
        grant=Grant(
            uid="",
            resource_uid="",
            principal_uid=known[0].principal.uid if len(grantees) == len(known) == 1 else None,
            audience=audience,
            access=access,
            via=Via.LINK,
            expires_on=expires,
            password=permission.has_password,
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
    allowed = [_access(permission.roles), _LINKS.get((link.type or "").strip().lower())]
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
    kind = (link.type or "").strip().lower()
    detail = GrantDetail(
        link_type=link.type or "",
        link_scope=link.scope or "",
        blocks_download=bool(link.prevents_download) or kind == "blocksdownload" or None,
        upload_only=kind == "createonly" if scope == "anonymous" else None,
        role=", ".join(role for role in permission.roles or () if role),
        external_people=_names(externals),
    )
    return _of_people(detail, grantees, externals) if scope == "users" else detail


def _of_people(detail: GrantDetail, grantees: Sequence[Grantee | None], externals: Sequence[Grantee]) -> GrantDetail:
    """What is told of a grant for people. Rules read it where there are several."""
    known = [grantee for grantee in grantees if grantee is not None]
    all_known = len(known) == len(grantees) and all(grantee.audience is not None for grantee in known)
    unlisted = sum(_belongs_to_no_partner(grantee) for grantee in known)
    consumer = any(grantee.principal.detail.get("consumer") == "true" for grantee in known)
    decides = bool(externals) and all_known
    return replace(
        detail,
        holders=len(grantees),
        externals=len(externals) or None,
        unlisted=unlisted if decides or unlisted else None,
        consumer=consumer if decides or consumer else None,
        people=_names(known),
        external_people=_names(externals),
    )


def _direct(permission: Permission, grantees: Sequence[Grantee | None], tenant: TenantContext) -> TranslatedPermission:
    known = [grantee for grantee in grantees if grantee is not None]
    grantee = known[0] if len(known) == len(grantees) == 1 else None
    access, expires = _access(permission.roles), _expiry(permission.expiration_date_time)
    audience = _widest([one.audience if one is not None else None for one in grantees] or [None])
    if _is_open(permission):
        audience = Audience.ANYONE_WITH_LINK
    open_to_anyone = audience is not None and audience >= Audience.ANYONE_WITH_LINK
    blocked_by = _blocked_by(audience, expires, tenant, "graph-access-expired")
    if not blocked_by and grantee and not open_to_anyone:
        blocked_by = grantee.blocked_by
    is_site_group = grantee is not None and grantee.is_site_group
    group_number = grantee.principal.uid.rpartition("/")[2] if grantee and is_site_group else ""
    notes = notes_on_role(permission, grantee, blocked_by)
    via = Via.LINK if open_to_anyone else Via.MEMBERSHIP if is_site_group else Via.DIRECT
    return TranslatedPermission(
        principals=[one.principal for one in known],
        from_site=(group_number, access) in tenant.groups.at_site,
        unresolved=_any_unresolved(grantees or [None], tenant),
        grant=Grant(
            uid="",
            resource_uid="",
            principal_uid=grantee.principal.uid if grantee else None,
            audience=audience,
            access=access,
            via=via,
            discoverable=bool(grantee and grantee.claim),
            expires_on=expires,
            password=permission.has_password,
            effective=_is_effective(audience, expires, blocked_by, tenant),
            blocked_by=blocked_by,
            detail=_detail_of_role(permission, grantees, audience).written(
                chain(subject_of_role(grantee, audience, known), access, expires, notes)
            ),
        ),
    )


def _detail_of_role(
    permission: Permission, grantees: Sequence[Grantee | None], audience: Audience | None
) -> GrantDetail:
    known = [grantee for grantee in grantees if grantee is not None]
    role = ", ".join(role for role in permission.roles or () if role)
    if len(grantees) > 1:
        externals = [one for one in known if one.audience is not None and one.audience > Audience.NAMED]
        return _of_people(GrantDetail(role=role), grantees, externals)
    grantee = known[0] if known else None
    contents = grantee.contents if grantee else None
    unread = grantee is not None and grantee.is_site_group and (contents is None or not contents.known)
    claim = next((one.claim for one in known if one.claim), NO_CLAIM) if audience is Audience.ORGANISATION else ""
    return GrantDetail(
        role=role,
        claim=claim,
        members_unread=(unread and (audience is None or audience < Audience.ORGANISATION)) or None,
        externals=(contents.externals or None) if contents else None,
        upload_only=False if audience is not None and audience >= Audience.ANYONE_WITH_LINK else None,
    )


def _invitation(
    permission: Permission, grantees: Sequence[Grantee | None], tenant: TenantContext
) -> TranslatedPermission:
    known = [grantee for grantee in grantees if grantee is not None]
    grantee = known[0] if len(known) == 1 else None
    access, expires = _access(permission.roles), _expiry(permission.expiration_date_time)
    without_sign_in = _is_open(permission)
    widest = _widest([one.audience for one in known])
    audience = Audience.ANYONE_WITH_LINK if without_sign_in else widest
    blocked_by = _blocked_by(audience, expires, tenant, "graph-invitation-expired")
    if not blocked_by and grantee and not without_sign_in:
        blocked_by = grantee.blocked_by
    notes = [*notes_on_invitation(without_sign_in=without_sign_in), *notes_on_block(blocked_by)]
    detail = GrantDetail(
        role=", ".join(role for role in permission.roles or () if role),
        invitation=True,
        without_sign_in=without_sign_in or None,
        upload_only=False if without_sign_in else None,
    )
    return TranslatedPermission(
        principals=[one.principal for one in known],
        unresolved=_any_unresolved(grantees, tenant) and not without_sign_in,
        grant=Grant(
            uid="",
            resource_uid="",
            principal_uid=grantee.principal.uid if grantee else None,
            audience=audience,
            access=access,
            via=Via.LINK if without_sign_in else Via.DIRECT,
            expires_on=expires,
            password=permission.has_password,
            effective=_is_effective(audience, expires, blocked_by, tenant),
            blocked_by=blocked_by,
            detail=detail.written(chain(subject_of_role(grantee, widest, known), access, expires, notes)),
        ),
    )


def _names(grantees: Sequence[Grantee]) -> list[str]:
    return [grantee.principal.email or grantee.principal.name for grantee in grantees[:_PEOPLE_SHOWN]]


def _belongs_to_no_partner(grantee: Grantee) -> bool:
    """Whether someone is external and of no partner."""
    return grantee.principal.affiliation is Affiliation.EXTERNAL


def _access(roles: Sequence[str | None] | None) -> Access | None:
    """The most that roles allow; None: unknown. A role that did not exist when this was written may change things."""
    named = [role.strip().lower() for role in roles or () if role]
    return max((_ROLES.get(role, Access.WRITE) for role in named), default=None)


def _expiry(text: str | None) -> datetime | None:
    """When access ends; None: unknown. Microsoft writes *never* as the year 1, or as nothing at all."""
    if not text or text.startswith(_NO_TIME):
        return NEVER
    ends = moment(text)
    if ends is not None and ends.year < _FIRST_YEAR:
        return None  # another way to write that there is no end, or a wrong one
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


def grantees_of(permission: Permission, tenant: TenantContext) -> list[Grantee | None]:
    """The principals that a permission names, each once: Microsoft may list one up to three times.

    None stands for those who cannot be identified.
    """
    found: dict[str, Grantee | None] = {}

    def add(grantee: Grantee | None) -> None:
        uid = grantee.principal.uid if grantee else ""
        known = found.setdefault(uid, grantee)
        if known is not None and grantee is not None:
            found[uid] = max(known, grantee, key=width)  # all of a group is more than its owners

    one = [form for form in (permission.granted_to_v2, permission.granted_to) if form is not None and form.forms]
    invited = _invited(permission)
    if one:
        add(grantee_of(tenant.people, one, tenant.groups, invited))
    for address in invited if not one else ():
        add(tenant.people.by_email(address))
    for grantee in _listed(permission, tenant):
        add(grantee)
    return list(found.values())


def _listed(permission: Permission, tenant: TenantContext) -> Iterator[Grantee | None]:
    """Whom the lists of a permission name: the newer one, and of the older one those who are not among them.

    The older list often says less of the same people. Whom it does not name is somebody else only if the newer one
    does not account for them.
    """
    newer, older = permission.granted_to_identities_v2 or (), permission.granted_to_identities or ()
    named, legacy = [one for one in newer if one.forms], [one for one in older if one.forms]
    for one in named:
        yield grantee_of(tenant.people, one, tenant.groups)
    names = {name.lower() for one in named for form in one.forms for name in _names_of(form)}
    accounted = len(named) >= max(len(newer), len(legacy))
    for one in legacy:
        grantee = grantee_of(tenant.people, one, tenant.groups)
        if grantee is None or grantee.audience is None:
            same = any(name.lower() in names for form in one.forms for name in _names_of(form))
            nameless = not any(form.id or form.email or form.login_name for form in one.forms)
            if same or (accounted and nameless):
                continue
        yield grantee
    if len(named) < len(newer) and len(legacy) < len(newer):
        yield None


def _names_of(form: Identity) -> Iterator[str]:
    yield from filter(None, (form.display_name, form.title, form.email, str(form.id or "")))


def _is_named(permission: Permission) -> bool:
    """Whether a permission names anybody, beside whom it invites."""
    one = (permission.granted_to_v2, permission.granted_to)
    lists = (*(permission.granted_to_identities_v2 or ()), *(permission.granted_to_identities or ()))
    return any(form is not None and form.forms for form in (*one, *lists)) or bool(lists)


def _is_listed(permission: Permission) -> bool:
    """Whether a permission says whom it names, if it is only that this is nobody."""
    return permission.granted_to_identities_v2 is not None or permission.granted_to_identities is not None


def _invited(permission: Permission) -> Sequence[str]:
    """The addresses in a permission's invitation: where it was sent, and who accepted it."""
    invitation = permission.invitation
    return [text for text in (invitation.email, invitation.redeemed_by) if text] if invitation is not None else []


def _is_open(permission: Permission) -> bool:
    """Whether an invitation's mail is enough to get in."""
    return permission.invitation is not None and permission.invitation.sign_in_required is False


def _any_unresolved(grantees: Sequence[Grantee | None], tenant: TenantContext) -> bool:
    return any(is_unresolved(grantee, tenant) for grantee in grantees)


def is_unresolved(grantee: Grantee | None, tenant: TenantContext) -> bool:
    """Whether somebody cannot be identified, for no reason that a question without an answer is reported for."""
    if grantee is None:
        return True
    if grantee.audience is not None or grantee.contents is not None:
        return False
    if grantee.is_site_group:
        return tenant.groups.contents is not None and tenant.groups.origins_known
    return tenant.people.complete and not tenant.people.includes(grantee.principal)
