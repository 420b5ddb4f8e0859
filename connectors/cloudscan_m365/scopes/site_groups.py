"""Members of a site's groups and what they may do there, which Graph does not have: SharePoint's own API tells them.

Source: "Users, groups, and roles REST API reference". Role definitions go by their kind: their names are in the
site's language. A Microsoft 365 group may sit in a site's group with its owners only (a claim that ends in ``_o``).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from cloudscan.connector import Gap
from cloudscan.errors import AccessDenied, Malformed, Vanished
from cloudscan.facts import Access, Affiliation, AnyFact, Audience, Grant, Membership, Outcome, Principal, Setting, Via
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.models import Identity, IdentitySet, Permission
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import GroupContents, Recipient, SiteGroups
from cloudscan_m365.meaning.translate import TenantContext, meaning
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
"""Roles as Graph writes them, by SP.RoleType."""

_FULL_CONTROL = 5
_UNKNOWN_ROLE = "sp.edit"
OWNERS = "owners"
"""The setting of a site that says how many of those who own it are still there."""


class _Base(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    id: int = 0
    login_name: str | None = ""
    title: str | None = ""
    email: str | None = ""
    principal_type: int = 0
    is_site_admin: bool | None = False


class _Group(_Base, frozen=True, kw_only=True, rename="pascal"):
    users: Sequence[_Base] | None = None  # None: shown to members only


class _Role(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    role_type_kind: int = 0


class _Assignment(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    member: _Base
    role_definition_bindings: Sequence[_Role] = ()


class _Web(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    has_unique_role_assignments: bool | None = None


class _Groups(msgspec.Struct, frozen=True, kw_only=True):
    value: Sequence[_Group] = ()


class _Assignments(msgspec.Struct, frozen=True, kw_only=True):
    value: Sequence[_Assignment] = ()


class _Users(msgspec.Struct, frozen=True, kw_only=True):
    value: Sequence[_Base] = ()


@dataclass(frozen=True, kw_only=True)
class SiteRead:
    """A site collection's groups: what a library needs to know of them, what is told of them, what is missing."""

    groups: SiteGroups
    facts: Sequence[AnyFact] = ()  # the groups, their members, and what they may do at the top of the site
    gaps: Sequence[Gap] = ()


@dataclass(frozen=True, kw_only=True)
class _Seat:
    """A place in a group: somebody, or the owners of a Microsoft 365 group."""

    who: Recipient
    owners: tuple[str, ...] | None = None  # uids; None: it is for all of the group


def read_site(graph: Graph, around: TenantContext, uid: str, url: str) -> SiteRead:
    """The groups of the site collection whose guid is in `around.groups`, and who gets into one site of it."""
    try:
        return _read(graph, around, uid, url)
    except (AccessDenied, Malformed, Vanished) as refused:
        missing = gap("memberships", refused, "who is in the site's groups, and who owns it, is not known")
        return SiteRead(
            groups=SiteGroups(site=around.groups.site),
            facts=list(unread(uid)),
            gaps=[msgspec.structs.replace(missing, resource_uid=uid)],
        )


def _read(graph: Graph, around: TenantContext, uid: str, url: str) -> SiteRead:
    top = uids.site(around.groups.site)
    told = graph.sharepoint(_Groups, url + _GROUPS, needs=FULL_CONTROL).value
    roles = graph.sharepoint(_Assignments, url + _ROLES, needs=FULL_CONTROL).value
    origin = uid if uid == top or _stands_alone(graph, url) else top
    groups = [each for each in told if not (each.title or "").startswith(_LINK)]
    seats = {str(each.id): list(_seats(each.users or (), around)) for each in groups}
    holds = {number: _holds(inside, around) for number, inside in seats.items()}
    known = SiteGroups(site=around.groups.site, holds=holds, origin=origin)
    around = replace(around, groups=known)
    ways = [each for each in (_way(role, uid, origin, around) for role in roles) if each is not None]
    given = [grant for _, grant in ways if grant.via is Via.MEMBERSHIP and grant.principal_uid]
    at_site = frozenset(((grant.principal_uid or "").rpartition("/")[2], grant.access) for grant in given)
    known = replace(known, at_site=at_site)
    facts: list[AnyFact] = [*_principals(groups, seats, holds, ways, around), *(grant for _, grant in ways)]
    if uid == top:
        owners = list(_owners(roles, seats, around))
        if not _here(owners):
            owners += _administrators(graph, url, around)
        facts += _memberships(around.groups.site, seats)
        facts += _owned(uid, owners)
    return SiteRead(groups=known, facts=facts, gaps=list(_hidden(uid, groups)))


def _stands_alone(graph: Graph, url: str) -> bool:
    """Whether a site below another has rights of its own."""
    web = graph.sharepoint(_Web, url + _INHERITANCE, needs=FULL_CONTROL)
    return bool(web.has_unique_role_assignments)


def _administrators(graph: Graph, url: str, around: TenantContext) -> Iterator[_Seat]:
    users = graph.sharepoint(_Users, url + _ADMINISTRATORS, needs=FULL_CONTROL).value
    return _seats((each for each in users if each.is_site_admin), around)


def _hidden(uid: str, groups: Sequence[_Group]) -> Iterator[Gap]:
    if hidden := [each for each in groups if each.users is None]:
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
    """What is told of a site whose groups nobody shows us: somebody gets in, and who is not known.

    `blocked_by` names what keeps everybody out for the time being.
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


def _seats(users: Iterable[_Base], around: TenantContext) -> Iterator[_Seat]:
    for user in users:
        login = user.login_name or ""
        if login.endswith("_o") and (group := around.people.find(login[:-2].rpartition("|")[2])):
            yield _Seat(who=Recipient(principal=group.principal, audience=Audience.NAMED), owners=group.owners)
        elif who := around.people.who(_named(user), around.groups):
            yield _Seat(who=who)


def _named(user: _Base) -> IdentitySet:
    if user.principal_type == _SITE_GROUP:
        return IdentitySet(site_group=Identity(id=str(user.id), title=user.title))
    return IdentitySet(site_user=Identity(login_name=user.login_name, email=user.email))


def _holds(seats: Sequence[_Seat], around: TenantContext) -> GroupContents:
    """What a site's group lets in."""
    whole = [seat.who for seat in seats if seat.owners is None]
    owners = [around.people.find(uid.rpartition("/")[2]) for seat in seats for uid in seat.owners or ()]
    return GroupContents(
        outsiders=sum(_outsiders(who) for who in whole)
        + sum(each is not None and each.principal.affiliation is not Affiliation.INTERNAL for each in owners),
        everybody=any(who.holds.everybody for who in whole if who.holds),
        claim=min((who.claim for who in whole if who.claim), default=""),
    )


def _outsiders(who: Recipient) -> int:
    if who.holds:
        return who.holds.outsiders
    return int(not who.claim and who.audience is not None and who.audience > Audience.NAMED)


def _way(
    role: _Assignment, site_uid: str, origin: str, around: TenantContext
) -> tuple[Sequence[Principal], Grant] | None:
    """What somebody may do at the top of the site; `origin` is the site that it inherits from, or itself."""
    names = tuple(_ROLE_KINDS.get(each.role_type_kind, _UNKNOWN_ROLE) for each in role.role_definition_bindings)
    found = meaning(Permission(roles=names, granted_to_v2=_named(role.member)), around)
    if found is None:
        return None
    grant = msgspec.structs.replace(
        found.grant,
        uid=f"{site_uid}#{role.member.id}",
        resource_uid=site_uid,
        origin_uid=origin,
        inherited=origin != site_uid,
    )
    return found.principals, grant


def _owners(
    roles: Iterable[_Assignment], seats: Mapping[str, Sequence[_Seat]], around: TenantContext
) -> Iterator[_Seat]:
    """Whoever has full control of a site."""
    for role in filter(_is_owner, roles):
        if role.member.principal_type == _SITE_GROUP:
            yield from seats.get(str(role.member.id), ())
        else:
            yield from _seats([role.member], around)


def _is_owner(role: _Assignment) -> bool:
    return any(each.role_type_kind == _FULL_CONTROL for each in role.role_definition_bindings)


def _principals(
    groups: Sequence[_Group],
    seats: Mapping[str, Sequence[_Seat]],
    holds: Mapping[str, GroupContents],
    ways: Sequence[tuple[Sequence[Principal], Grant]],
    around: TenantContext,
) -> Iterator[Principal]:
    """The site's groups, and whoever is in them or at the top without the directory telling of him."""
    found = {
        each.uid: each
        for each in (
            *(
                around.people.site_group(around.groups.site, str(one.id), one.title or "", holds[str(one.id)])
                for one in groups
            ),
            *(seat.who.principal for inside in seats.values() for seat in inside),
            *(principal for principals, _ in ways for principal in principals),
        )
    }
    yield from (each for each in found.values() if not around.people.are_told(each))


def _memberships(site: str, seats: Mapping[str, Sequence[_Seat]]) -> Iterator[Membership]:
    for number, inside in seats.items():
        group = uids.site_group(site, number)
        members = [
            uid for seat in inside for uid in (seat.owners if seat.owners is not None else (seat.who.principal.uid,))
        ]
        for uid in dict.fromkeys(members):
            yield Membership(group_uid=group, member_uid=uid)


def _owned(site_uid: str, owners: Sequence[_Seat]) -> Iterator[Setting]:
    """How many owners can still act; a group counts as one. The site of a Microsoft 365 group is owned as that is."""
    if not any(seat.owners is not None for seat in owners):
        yield Setting(scope_uid=site_uid, name=OWNERS, value=str(len(_here(owners))))


def _here(owners: Sequence[_Seat]) -> set[str]:
    """Those who are still there; of a Microsoft 365 group, whoever owns it."""
    found = {seat.who.principal.uid for seat in owners if seat.owners is None and seat.who.principal.status == "active"}
    return found.union(*(seat.owners or () for seat in owners))
