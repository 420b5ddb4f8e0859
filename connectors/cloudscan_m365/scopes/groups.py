"""Groups of the directory, their members, and what that means for everything that is shared with them.

Source: group resource. Members of all groups are asked for, batch by batch, which also answers whether a nested group
contains a guest. A group with hidden membership appears empty to an application without the permission.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cloudscan.connector import Gap
from cloudscan.errors import AccessDenied, ProviderError, Vanished
from cloudscan.facts import Affiliation, Membership, Outcome, Principal, Resource
from cloudscan_m365.api.batch import BatchPart
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.endpoints import Question
from cloudscan_m365.api.models import Answer, Text
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import GroupContents, People
from cloudscan_m365.permissions import GROUPS, HIDDEN_MEMBERS
from cloudscan_m365.scopes.accounts import DirectoryObject
from cloudscan_m365.scopes.gaps import gap

_GROUPS = Question(path="groups", needs=GROUPS)
_MEMBERS = Question(path="groups/{}/members", needs=GROUPS)
_OWNERS = Question(path="groups/{}/owners", needs=GROUPS)
_FIELDS = (
    "id,displayName,mail,groupTypes,visibility,membershipRule,createdDateTime,resourceProvisioningOptions,"
    "assignedLabels"
)
_PAGE = 999
_WHOLE_FROM = 10  # members: in a smaller company a group of everyone means nothing
_LEAVES_NOBODY_OUT = {
    'user.usertype -eq "member"',
    "user.accountenabled -eq true",
    "user.objectid -ne null",
    'user.usertype -ne "guest"',
}
"""Conditions of a dynamic group that all our own people meet."""


class Label(Answer, frozen=True, kw_only=True):
    """A sensitivity label of a group."""

    display_name: Text = ""


class Group(Answer, frozen=True, kw_only=True):
    """A group of the directory, as Graph returns it."""

    id: str
    display_name: Text = ""
    mail: Text = ""
    group_types: Sequence[str] = ()
    visibility: Text = ""
    membership_rule: Text = ""
    created_date_time: datetime | None = None
    resource_provisioning_options: Sequence[str] = ()
    assigned_labels: Sequence[Label] = ()

    @property
    def is_unified(self) -> bool:
        """A Microsoft 365 group: with a site, a mailbox and perhaps a team."""
        return "Unified" in self.group_types

    @property
    def is_team(self) -> bool:
        """Whether the group has a team."""
        return "Team" in self.resource_provisioning_options

    @property
    def uid(self) -> str:
        """The uid of the group as a resource."""
        return uids.team(self.id) if self.is_team else uids.group(self.id)


@dataclass(frozen=True, kw_only=True)
class Groups:
    """The groups of a tenant with their members. A group whose members or owners could not be read is not a key."""

    groups: Sequence[Group] = ()
    complete: bool = True
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)
    owners: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def transitive_members(self, group: str) -> set[str]:
        """The ids of all members of a group, nested groups and their members included."""
        members: set[str] = set()
        waiting = [group]
        while waiting:
            new = set(self.members.get(waiting.pop(), ())) - members
            members |= new
            waiting += (member for member in new if member in self.members)
        return members


def read_groups(graph: Graph, gaps: list[Gap]) -> Groups:
    """All groups with their members and owners. Adds to `gaps` what could not be read."""
    try:
        groups = list(graph.entries(Group, _GROUPS, select=_FIELDS, top=_PAGE))
    except AccessDenied as refused:
        gaps.append(gap("memberships", refused, "the members of groups are unknown"))
        return Groups(complete=False)
    members = _related(graph, _MEMBERS, groups, gaps, "the members of groups are unknown")
    hidden = [group for group in groups if group.visibility == "HiddenMembership" and not members.get(group.id)]
    if hidden:
        reason = "members of groups that hide them could not be read"
        gaps.append(
            Gap(table="memberships", outcome=Outcome.DENIED, reason=reason, needs=HIDDEN_MEMBERS, total=len(hidden))
        )
    owners = _related(graph, _OWNERS, groups, gaps, "the owners of groups are unknown")
    unread = {group.id for group in hidden}
    return Groups(
        groups=groups,
        members={group: inside for group, inside in members.items() if group not in unread},
        owners=owners,
    )


def contents_of_groups(groups: Groups, accounts: Mapping[str, Principal]) -> dict[str, GroupContents]:
    """Who is in each group beside colleagues, by the group's id. `accounts` are users and guests by id."""
    ours = {
        identity
        for identity, principal in accounts.items()
        if principal.affiliation is Affiliation.INTERNAL and principal.kind == "user" and principal.status == "active"
    }
    contents = {}
    for group in groups.groups:
        members = groups.transitive_members(group.id)
        externals = sum(_is_external(accounts[member]) for member in members if member in accounts)
        whole = _is_for_everyone(group.membership_rule) or (len(ours) >= _WHOLE_FROM and ours <= members)
        contents[group.id] = GroupContents(externals=externals, whole_organisation=whole)
    return contents


def principal_of(group: Group, contents: GroupContents, people: People) -> Principal:
    """The group as a principal that things are shared with."""
    return Principal(
        uid=uids.group(group.id),
        platform=uids.PLATFORM,
        account=people.primary,
        kind="group",
        email=(group.mail or "").lower(),
        name=group.display_name or group.id,
        affiliation=Affiliation.INTERNAL,
        status="active",
        created_on=group.created_date_time,
        detail={"externals": str(contents.externals), **({"dynamic": "true"} if group.membership_rule else {})},
    )


def facts_of_groups(groups: Groups, known: Mapping[str, Principal], people: People) -> Iterator[Resource | Membership]:
    """Memberships, and the resources for Microsoft 365 groups and teams. `known` are all principals by id."""
    for group in groups.groups:
        owners = groups.owners.get(group.id, ()) if group.is_unified else ()
        roles = {**dict.fromkeys(groups.members.get(group.id, ()), "member"), **dict.fromkeys(owners, "owner")}
        for member, role in roles.items():
            if member in known:
                yield Membership(group_uid=uids.group(group.id), member_uid=known[member].uid, role=role)
        if group.is_unified:
            yield _resource(group, groups, known, people)


def _resource(group: Group, groups: Groups, known: Mapping[str, Principal], people: People) -> Resource:
    owners = [known[owner] for owner in groups.owners.get(group.id, ()) if owner in known]
    active = [owner for owner in owners if owner.status == "active"]
    detail = {
        "visibility": _VISIBILITY.get(group.visibility or "", ""),
        "dynamic": "true" if group.membership_rule else "",
    }
    if group.id in groups.owners:
        detail["owners"] = str(len(active))
        detail["owners_guest"] = str(sum(_is_external(owner) for owner in owners))
    if group.id in groups.members:
        members = [known[member] for member in groups.transitive_members(group.id) if member in known]
        people_inside = [member for member in members if member.kind != "group"]
        detail["members"] = str(len(people_inside))
        detail["guests"] = str(sum(_is_external(member) for member in people_inside))
    return Resource(
        uid=group.uid,
        platform=uids.PLATFORM,
        account=people.primary,
        kind="team" if group.is_team else "group",
        name=group.display_name or group.id,
        path=(group.mail or "").lower(),
        parent_uid=uids.tenant(people.tenant_id),
        container_uid=uids.tenant(people.tenant_id),
        owner_uid=next((owner.uid for owner in active), None),
        created_on=group.created_date_time,
        label=next((label.display_name or "" for label in group.assigned_labels), ""),
        detail={name: value for name, value in detail.items() if value},
    )


_VISIBILITY = {"Public": "public", "Private": "private", "HiddenMembership": "hidden"}


def _related(
    graph: Graph, question: Question, groups: Sequence[Group], gaps: list[Gap], what: str
) -> dict[str, list[str]]:
    """The ids of the objects that `question` lists for each group. Adds one gap, however many lists are refused."""
    parts = [BatchPart(question=question, ids=(group.id,), options={"select": "id", "top": _PAGE}) for group in groups]
    related: dict[str, list[str]] = {}
    error: ProviderError | None = None
    for group, answer in zip(groups, graph.pages_together(DirectoryObject, parts), strict=True):
        if isinstance(answer, ProviderError):
            error = error if isinstance(answer, Vanished) else answer
        else:
            related[group.id] = [member.id for member in answer.value]
    if error is not None:
        gaps.append(gap("memberships", error, what))
    return related


def _is_external(principal: Principal) -> bool:
    return principal.affiliation in (Affiliation.EXTERNAL, Affiliation.PARTNER)


def _is_for_everyone(rule: str | None) -> bool:
    """Whether a dynamic group's rule covers all our own people."""
    if not rule:
        return False
    parts = [" ".join(part.strip(" ()").split()) for part in rule.lower().split(" -and ")]
    return all(part in _LEAVES_NOBODY_OUT for part in parts)
