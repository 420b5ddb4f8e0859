"""The groups of a site, their members and their access, which Graph lacks: SharePoint's own API has them.

Source: "Users, groups, and roles REST API reference". Role definitions are told apart by kind, as their
names are in the site's language. A Microsoft 365 group may be a member with its owners only (a claim that ends in
``_o``).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import msgspec

from cloudscan.connector import Gap
from cloudscan.facts import (
    Access,
    Affiliation,
    AnyFact,
    Audience,
    Grant,
    Membership,
    Principal,
    Setting,
    Via,
    unread_grants,
)
from cloudscan.reason import Reason
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.inquiry import Inquiry, Listing, about_all
from cloudscan_m365.api.models import Identity, IdentitySet, Permission
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.grantees import grantee_of
from cloudscan_m365.meaning.people import Grantee, GroupContents, SiteGroups
from cloudscan_m365.meaning.translate import TenantContext, is_unresolved, translate
from cloudscan_m365.permissions import FULL_CONTROL
from cloudscan_m365.questions import SITE_ADMINISTRATORS, SITE_GROUPS, SITE_INHERITANCE, SITE_ROLES
from cloudscan_m365.scopes.unresolved import grantees_unresolved, members_unresolved

_LINK = "SharingLinks."
_SITE_GROUP = 8  # SP.PrincipalType
_ROLE_KINDS: Final = {
    1: "sp.limited access",
    2: "sp.read",
    3: "sp.contribute",
    4: "sp.design",
    5: "sp.full control",
    6: "sp.edit",
    7: "sp.contribute",
    8: "sp.restricted read",
    9: "sp.limited access",
}
"""Role names as Graph writes them, by SP.RoleType."""

_FULL_CONTROL = 5
_UNKNOWN_ROLE = "sp.edit"
OWNERS = "owners"
"""The setting of a site that counts its active owners."""


class _SitePrincipal(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    id: int
    login_name: str | None = ""
    title: str | None = ""
    email: str | None = ""
    principal_type: int = 0
    is_site_admin: bool | None = False


class _Group(_SitePrincipal, frozen=True, kw_only=True, rename="pascal"):
    users: Sequence[_SitePrincipal] | None = None  # None: shown to members only


class _Role(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    role_type_kind: int


class _Assignment(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    member: _SitePrincipal
    role_definition_bindings: Sequence[_Role]


class _Web(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    has_unique_role_assignments: bool


@dataclass(frozen=True, kw_only=True)
class SiteFacts:
    """A site's groups: what its libraries need to know of them, the facts, and what could not be read."""

    groups: SiteGroups
    facts: Sequence[AnyFact] = ()  # the groups, their members, and the grants at the top of the site
    gaps: Sequence[Gap] = ()


@dataclass(frozen=True, kw_only=True)
class _Member:
    """A member of a site's group: a principal, or the owners of a Microsoft 365 group."""

    grantee: Grantee
    owners: tuple[str, ...] | None = None  # uids; None: the principal itself is the member

    @property
    def uids(self) -> tuple[str, ...]:
        return self.owners if self.owners is not None else (self.grantee.principal.uid,)


@dataclass(frozen=True, kw_only=True)
class _Members:
    """The members of a site's group as far as they can be identified."""

    members: Sequence[_Member] = ()
    known: bool = False  # these are all
    unresolved: bool = False  # one cannot be identified, though the directory was read


class _RootGrant(NamedTuple):
    """A grant at the top of a site, with the principals that it names."""

    principals: Sequence[Principal]
    grant: Grant
    unresolved: bool  # whom it names could not be determined


def read_site(graph: Graph, tenant: TenantContext, uid: str, url: str) -> SiteFacts:
    """The groups of a site collection, and the grants at the top of one of its sites.

    `tenant.groups` has the collection's guid; `uid` and `url` are the site's. Raises only as `Inquiry` does.
    """
    inquiry = Inquiry(graph=graph)
    site = tenant.groups.site
    top = uids.site(site)
    listed = inquiry.sharepoint_list(_Group, SITE_GROUPS, url, uid)
    roles = inquiry.sharepoint_list(_Assignment, SITE_ROLES, url, uid)
    if roles.whole and not roles.entries:
        inquiry.lacking(SITE_ROLES, "graph-list-empty", uid)
        roles = Listing(answered=True)
    unique = uid == top or _has_unique_permissions(inquiry, url, uid)
    if unique is None:
        roles = Listing()  # where these were granted is not known
    origin = uid if unique is not False else top
    groups = [group for group in listed.entries if not (group.title or "").startswith(_LINK)]
    members = {str(group.id): _members(group.users, tenant) for group in groups}
    contents = {number: _contents(inside, tenant) for number, inside in members.items()}
    numbers = {(group.title or "").strip().lower(): str(group.id) for group in groups if group.title}
    found = SiteGroups(site=site, contents=contents if listed.answered else None, numbers=numbers, origin=origin)
    if _lacks_groups(roles.entries, members) and listed.whole:
        inquiry.lacking(SITE_GROUPS, "graph-list-without-grantees", uid)
    inquiry.gaps.extend(_hidden(site, groups))
    tenant = replace(tenant, groups=found)
    root_grants = list(_root_grants(roles.entries, uid, origin, tenant))
    facts: list[AnyFact] = [
        *_principals(groups, members, contents, root_grants, tenant),
        *(granted.grant for granted in root_grants),
    ]
    if any(granted.unresolved for granted in root_grants):
        inquiry.gaps.append(grantees_unresolved(SITE_ROLES, [uid], uid))
    if unresolved := [uids.site_group(site, number) for number, inside in members.items() if inside.unresolved]:
        inquiry.gaps.append(members_unresolved(SITE_GROUPS, unresolved, top))
    if not roles.whole:
        facts.append(unread_grants(uid))
    if uid == top:
        facts += _memberships(site, members)
        facts += _owner_count(uid, _all_owners(inquiry, url, uid, roles, members, tenant))
    known = replace(found, at_site=_group_access(root_grants), origins_known=roles.whole)
    return SiteFacts(groups=known, facts=facts, gaps=inquiry.gaps)


def _has_unique_permissions(inquiry: Inquiry, url: str, uid: str) -> bool | None:
    """Whether a subsite does not inherit its permissions; None: unknown."""
    web = inquiry.sharepoint(_Web, SITE_INHERITANCE, url, about=uid)
    return web.has_unique_role_assignments if web is not None else None


def _lacks_groups(roles: Iterable[_Assignment], members: Mapping[str, object]) -> bool:
    """Whether something was granted to a group of the site that its list of groups does not have."""
    return any(
        role.member.principal_type == _SITE_GROUP
        and str(role.member.id) not in members
        and not (role.member.title or "").startswith(_LINK)
        for role in roles
    )


def _all_owners(
    inquiry: Inquiry,
    url: str,
    uid: str,
    roles: Listing[_Assignment],
    members: Mapping[str, _Members],
    tenant: TenantContext,
) -> _Members:
    """Who has full control of a site; where nobody active has, its administrators."""
    owners = _owners(roles.entries, members, tenant)
    if not roles.whole or not owners.known or _active(owners.members):
        return replace(owners, known=owners.known and roles.whole)
    users = inquiry.sharepoint_list(_SitePrincipal, SITE_ADMINISTRATORS, url, uid)
    administrators = _members([user for user in users.entries if user.is_site_admin], tenant)
    return _Members(members=[*owners.members, *administrators.members], known=users.whole and administrators.known)


def _hidden(site: str, groups: Sequence[_Group]) -> Iterator[Gap]:
    if hidden := [group for group in groups if group.users is None]:
        reason = Reason(code="graph-members-for-members", values={"count": len(hidden)})
        gap = SITE_GROUPS.lacking(reason, needs=FULL_CONTROL, seen=len(groups) - len(hidden), total=len(groups))
        gap = about_all(SITE_GROUPS, gap, [uids.site_group(site, str(group.id)) for group in hidden])
        yield msgspec.structs.replace(gap, resource_uid=uids.site(site), total=len(groups))


def unread(site_uid: str, blocked_by: str = "") -> Iterator[AnyFact]:
    """The facts of a site whose groups cannot be read: grants to an unknown audience, and unknown owners.

    `blocked_by` is the code of the block that keeps everyone out for the time being.
    """
    grant = unread_grants(site_uid)
    yield msgspec.structs.replace(grant, effective=False, blocked_by=blocked_by) if blocked_by else grant
    yield Setting(scope_uid=site_uid, name=OWNERS, value=None)


def _members(users: Sequence[_SitePrincipal] | None, tenant: TenantContext) -> _Members:
    """The members that SharePoint lists for a group; None: it shows them to members only."""
    known, unresolved, members = users is not None, False, []
    for user in users or ():
        login = user.login_name or ""
        if login.endswith("_o") and (group := tenant.people.find(login[:-2].rpartition("|")[2])):
            grantee = Grantee(principal=group.principal, audience=Audience.NAMED)
            members.append(_Member(grantee=grantee, owners=group.owners or ()))
            known = known and group.owners is not None
            continue
        listed = grantee_of(tenant.people, _identity(user), tenant.groups)
        if listed is not None:
            members.append(_Member(grantee=listed))
        known = known and listed is not None and listed.audience is not None
        unresolved = unresolved or is_unresolved(listed, tenant)
    return _Members(members=members, known=known, unresolved=unresolved)


def _identity(principal: _SitePrincipal) -> IdentitySet:
    if principal.principal_type == _SITE_GROUP:
        return IdentitySet(site_group=Identity(id=str(principal.id), title=principal.title))
    return IdentitySet(site_user=Identity(login_name=principal.login_name, email=principal.email))


def _contents(inside: _Members, tenant: TenantContext) -> GroupContents:
    """Who is in a site's group beside colleagues."""
    whole = [member.grantee for member in inside.members if member.owners is None]
    owners = [tenant.people.find(uid.rpartition("/")[2]) for member in inside.members for uid in member.owners or ()]
    return GroupContents(
        externals=sum(_externals(grantee) for grantee in whole)
        + sum(owner is not None and _is_external(owner.principal) for owner in owners),
        whole_organisation=any(grantee.contents.whole_organisation for grantee in whole if grantee.contents),
        claim=min((grantee.claim for grantee in whole if grantee.claim), default=""),
        known=inside.known and all(owner is not None and owner.principal.affiliation for owner in owners),
    )


def _is_external(principal: Principal) -> bool:
    return principal.affiliation in (Affiliation.EXTERNAL, Affiliation.PARTNER)


def _externals(grantee: Grantee) -> int:
    if grantee.contents:
        return grantee.contents.externals
    return int(not grantee.claim and grantee.audience is not None and grantee.audience > Audience.NAMED)


def _root_grants(
    roles: Iterable[_Assignment], site_uid: str, origin: str, tenant: TenantContext
) -> Iterator[_RootGrant]:
    """The grants at the top of a site; `origin` is the site that it inherits from, or itself."""
    for role in roles:
        names = tuple(
            _ROLE_KINDS.get(binding.role_type_kind, _UNKNOWN_ROLE) for binding in role.role_definition_bindings
        )
        translated = translate(Permission(roles=names, granted_to_v2=_identity(role.member)), tenant)
        if translated is None:
            continue
        grant = msgspec.structs.replace(
            translated.grant,
            uid=f"{site_uid}#{role.member.id}",
            resource_uid=site_uid,
            origin_uid=origin,
            inherited=origin != site_uid,
        )
        yield _RootGrant(translated.principals, grant, translated.unresolved)


def _group_access(root_grants: Iterable[_RootGrant]) -> frozenset[tuple[str, Access]]:
    """The numbers of the site's groups, with the access of each at the top of the site."""
    return frozenset(
        (grant.principal_uid.rpartition("/")[2], grant.access)
        for _, grant, _ in root_grants
        if grant.via is Via.MEMBERSHIP and grant.principal_uid and grant.access
    )


def _owners(roles: Iterable[_Assignment], members: Mapping[str, _Members], tenant: TenantContext) -> _Members:
    """The principals with full control of a site."""
    owners: list[_Member] = []
    known = True
    for role in filter(_is_owner, roles):
        if role.member.principal_type == _SITE_GROUP:
            inside = members.get(str(role.member.id), _Members())
        else:
            inside = _members([role.member], tenant)
        owners += inside.members
        known = known and inside.known
    return _Members(members=owners, known=known)


def _is_owner(role: _Assignment) -> bool:
    return any(binding.role_type_kind == _FULL_CONTROL for binding in role.role_definition_bindings)


def _principals(
    groups: Sequence[_Group],
    members: Mapping[str, _Members],
    contents: Mapping[str, GroupContents],
    root_grants: Sequence[_RootGrant],
    tenant: TenantContext,
) -> Iterator[Principal]:
    """The site's groups, and those of their members and of the site's grantees that the directory lacks."""
    site = tenant.groups.site
    site_groups = [
        tenant.people.site_group(site, str(group.id), group.title or "", contents[str(group.id)]) for group in groups
    ]
    principals = (
        *site_groups,
        *(member.grantee.principal for inside in members.values() for member in inside.members),
        *(principal for granted in root_grants for principal in granted.principals),
    )
    for principal in {principal.uid: principal for principal in principals}.values():
        if not tenant.people.includes(principal):
            yield principal


def _memberships(site: str, members: Mapping[str, _Members]) -> Iterator[Membership]:
    for number, inside in members.items():
        group = uids.site_group(site, number)
        for uid in dict.fromkeys(uid for member in inside.members for uid in member.uids):
            yield Membership(group_uid=group, member_uid=uid)
        if not inside.known:
            yield Membership(group_uid=group, member_uid=None)


def _owner_count(site_uid: str, owners: _Members) -> Iterator[Setting]:
    """How many owners are active; a group counts as one. A site of a Microsoft 365 group has the group's owners."""
    if not any(owner.owners is not None for owner in owners.members):
        count = str(len(_active(owners.members))) if owners.known else None
        yield Setting(scope_uid=site_uid, name=OWNERS, value=count)


def _active(owners: Sequence[_Member]) -> set[str]:
    """The uids of active owners; those of a Microsoft 365 group stand for it."""
    named = [owner.grantee.principal for owner in owners if owner.owners is None]
    active = {principal.uid for principal in named if principal.status == "active"}
    return active.union(*(owner.owners or () for owner in owners))
