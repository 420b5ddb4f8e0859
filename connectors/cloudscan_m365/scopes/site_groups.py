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
from cloudscan.errors import AccessDenied, Malformed, Vanished
from cloudscan.facts import Access, Affiliation, AnyFact, Audience, Grant, Membership, Outcome, Principal, Setting, Via
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.models import Identity, IdentitySet, Permission
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import Grantee, GroupContents, SiteGroups
from cloudscan_m365.meaning.translate import TenantContext, translate
from cloudscan_m365.permissions import FULL_CONTROL
from cloudscan_m365.scopes.gaps import gap

_GROUPS = "/_api/web/sitegroups?$expand=Users"
_ROLES = "/_api/web/roleassignments?$expand=Member,RoleDefinitionBindings"
_ADMINISTRATORS = "/_api/web/siteusers?$filter=IsSiteAdmin%20eq%20true"
_INHERITANCE = "/_api/web?$select=HasUniqueRoleAssignments"
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
    id: int = 0
    login_name: str | None = ""
    title: str | None = ""
    email: str | None = ""
    principal_type: int = 0
    is_site_admin: bool | None = False


class _Group(_SitePrincipal, frozen=True, kw_only=True, rename="pascal"):
    users: Sequence[_SitePrincipal] | None = None  # None: shown to members only


class _Role(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    role_type_kind: int = 0


class _Assignment(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    member: _SitePrincipal
    role_definition_bindings: Sequence[_Role] = ()


class _Web(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    has_unique_role_assignments: bool | None = None


class _Groups(msgspec.Struct, frozen=True, kw_only=True):
    value: Sequence[_Group] = ()


class _Assignments(msgspec.Struct, frozen=True, kw_only=True):
    value: Sequence[_Assignment] = ()


class _Users(msgspec.Struct, frozen=True, kw_only=True):
    value: Sequence[_SitePrincipal] = ()


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


class _RootGrant(NamedTuple):
    """A grant at the top of a site, with the principals that it names."""

    principals: Sequence[Principal]
    grant: Grant


def read_site(graph: Graph, tenant: TenantContext, uid: str, url: str) -> SiteFacts:
    """The groups of a site collection, and the grants at the top of one of its sites.

    `tenant.groups` has the collection's guid; `uid` and `url` are the site's.
    """
    try:
        return _read(graph, tenant, uid, url)
    except (AccessDenied, Malformed, Vanished) as refused:
        missing = gap("memberships", refused, "the members of the site's groups, and its owners, are unknown")
        return SiteFacts(
            groups=SiteGroups(site=tenant.groups.site),
            facts=list(unread(uid)),
            gaps=[msgspec.structs.replace(missing, resource_uid=uid)],
        )


def _read(graph: Graph, tenant: TenantContext, uid: str, url: str) -> SiteFacts:
    site = tenant.groups.site
    top = uids.site(site)
    listed = graph.sharepoint(_Groups, url + _GROUPS, needs=FULL_CONTROL).value
    roles = graph.sharepoint(_Assignments, url + _ROLES, needs=FULL_CONTROL).value
    origin = uid if uid == top or _has_unique_permissions(graph, url) else top
    groups = [group for group in listed if not (group.title or "").startswith(_LINK)]
    members = {str(group.id): list(_members(group.users or (), tenant)) for group in groups}
    contents = {number: _contents(inside, tenant) for number, inside in members.items()}
    tenant = replace(tenant, groups=SiteGroups(site=site, contents=contents, origin=origin))
    root_grants = list(_root_grants(roles, uid, origin, tenant))
    facts: list[AnyFact] = [
        *_principals(groups, members, contents, root_grants, tenant),
        *(granted.grant for granted in root_grants),
    ]
    if uid == top:
        owners = list(_owners(roles, members, tenant))
        if not _active(owners):
            owners += _administrators(graph, url, tenant)
        facts += _memberships(site, members)
        facts += _owner_count(uid, owners)
    known = replace(tenant.groups, at_site=_group_access(root_grants))
    return SiteFacts(groups=known, facts=facts, gaps=list(_hidden(uid, groups)))


def _has_unique_permissions(graph: Graph, url: str) -> bool:
    """Whether a subsite does not inherit its permissions."""
    web = graph.sharepoint(_Web, url + _INHERITANCE, needs=FULL_CONTROL)
    return bool(web.has_unique_role_assignments)


def _administrators(graph: Graph, url: str, tenant: TenantContext) -> Iterator[_Member]:
    users = graph.sharepoint(_Users, url + _ADMINISTRATORS, needs=FULL_CONTROL).value
    return _members((user for user in users if user.is_site_admin), tenant)


def _hidden(uid: str, groups: Sequence[_Group]) -> Iterator[Gap]:
    if hidden := [group for group in groups if group.users is None]:
        yield Gap(
            table="memberships",
            outcome=Outcome.PARTIAL,
            reason="groups of the site show their members to members only",
            needs=FULL_CONTROL,
            resource_uid=uid,
            seen=len(groups) - len(hidden),
            total=len(groups),
        )


def unread(site_uid: str, blocked_by: str = "") -> Iterator[AnyFact]:
    """The facts of a site whose groups cannot be read: a grant to an unknown audience, and unknown owners.

    `blocked_by` names the block that keeps everyone out for the time being.
    """
    yield Grant(
        uid=f"{site_uid}#unread",
        resource_uid=site_uid,
        audience=None,
        access=Access.MANAGE,
        via=Via.MEMBERSHIP,
        discoverable=None,
        effective=not blocked_by,
        blocked_by=blocked_by,
    )
    yield Setting(scope_uid=site_uid, name=OWNERS, value=None)


def _members(users: Iterable[_SitePrincipal], tenant: TenantContext) -> Iterator[_Member]:
    for user in users:
        login = user.login_name or ""
        if login.endswith("_o") and (group := tenant.people.find(login[:-2].rpartition("|")[2])):
            grantee = Grantee(principal=group.principal, audience=Audience.NAMED)
            yield _Member(grantee=grantee, owners=group.owners)
        elif listed := tenant.people.grantee(_identity(user), tenant.groups):
            yield _Member(grantee=listed)


def _identity(principal: _SitePrincipal) -> IdentitySet:
    if principal.principal_type == _SITE_GROUP:
        return IdentitySet(site_group=Identity(id=str(principal.id), title=principal.title))
    return IdentitySet(site_user=Identity(login_name=principal.login_name, email=principal.email))


def _contents(members: Sequence[_Member], tenant: TenantContext) -> GroupContents:
    """Who is in a site's group beside colleagues."""
    whole = [member.grantee for member in members if member.owners is None]
    owners = [tenant.people.find(uid.rpartition("/")[2]) for member in members for uid in member.owners or ()]
    return GroupContents(
        externals=sum(_externals(grantee) for grantee in whole)
        + sum(owner is not None and owner.principal.affiliation is not Affiliation.INTERNAL for owner in owners),
        whole_organisation=any(grantee.contents.whole_organisation for grantee in whole if grantee.contents),
        claim=min((grantee.claim for grantee in whole if grantee.claim), default=""),
    )


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
        yield _RootGrant(translated.principals, grant)


def _group_access(root_grants: Iterable[_RootGrant]) -> frozenset[tuple[str, Access]]:
    """The numbers of the site's groups, with the access of each at the top of the site."""
    return frozenset(
        (grant.principal_uid.rpartition("/")[2], grant.access)
        for _, grant in root_grants
        if grant.via is Via.MEMBERSHIP and grant.principal_uid and grant.access
    )


def _owners(
    roles: Iterable[_Assignment], members: Mapping[str, Sequence[_Member]], tenant: TenantContext
) -> Iterator[_Member]:
    """The principals with full control of a site."""
    for role in filter(_is_owner, roles):
        if role.member.principal_type == _SITE_GROUP:
            yield from members.get(str(role.member.id), ())
        else:
            yield from _members([role.member], tenant)


def _is_owner(role: _Assignment) -> bool:
    return any(binding.role_type_kind == _FULL_CONTROL for binding in role.role_definition_bindings)


def _principals(
    groups: Sequence[_Group],
    members: Mapping[str, Sequence[_Member]],
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
        *(member.grantee.principal for inside in members.values() for member in inside),
        *(principal for granted in root_grants for principal in granted.principals),
    )
    for principal in {principal.uid: principal for principal in principals}.values():
        if not tenant.people.includes(principal):
            yield principal


def _memberships(site: str, members: Mapping[str, Sequence[_Member]]) -> Iterator[Membership]:
    for number, inside in members.items():
        group = uids.site_group(site, number)
        for uid in dict.fromkeys(uid for member in inside for uid in member.uids):
            yield Membership(group_uid=group, member_uid=uid)


def _owner_count(site_uid: str, owners: Sequence[_Member]) -> Iterator[Setting]:
    """How many owners are active; a group counts as one. A site of a Microsoft 365 group has the group's owners."""
    if not any(owner.owners is not None for owner in owners):
        yield Setting(scope_uid=site_uid, name=OWNERS, value=str(len(_active(owners))))


def _active(owners: Sequence[_Member]) -> set[str]:
    """The uids of active owners; those of a Microsoft 365 group stand for it."""
    named = [owner.grantee.principal for owner in owners if owner.owners is None]
    active = {principal.uid for principal in named if principal.status == "active"}
    return active.union(*(owner.owners or () for owner in owners))
