"""Groups of the directory, who is in them, and what that means for whatever is shared with them.

Source: group resource. Members of all groups are asked for, batch by batch: whether a group in a group holds a guest is
then known without asking. A group whose membership is hidden is told as empty to whoever may not see it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cloudscan.connector import Gap
from cloudscan.errors import AccessDenied, ProviderError, Vanished
from cloudscan.facts import Affiliation, Membership, Outcome, Principal, Resource
from cloudscan_m365.api.batch import Asked
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.endpoints import Question
from cloudscan_m365.api.models import Answer, Text
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import GroupContents, People
from cloudscan_m365.permissions import GROUPS, HIDDEN_MEMBERS
from cloudscan_m365.scopes.accounts import Thing
from cloudscan_m365.scopes.gaps import gap

_GROUPS = Question(path="groups", needs=GROUPS)
_MEMBERS = Question(path="groups/{}/members", needs=GROUPS)
_OWNERS = Question(path="groups/{}/owners", needs=GROUPS)
_FIELDS = (
    "id,displayName,mail,groupTypes,visibility,membershipRule,createdDateTime,resourceProvisioningOptions,"
    "assignedLabels"
)
_PAGE = 999
_EVERYBODY_FROM = 10  # members: in a smaller company a group of all is no sign of anything
_ALL_OF_US = {
    'user.usertype -eq "member"',
    "user.accountenabled -eq true",
    "user.objectid -ne null",
    'user.usertype -ne "guest"',
}
"""Conditions of a dynamic group that leave nobody of ours out."""


class Label(Answer, frozen=True, kw_only=True):
    display_name: Text = ""


class Group(Answer, frozen=True, kw_only=True):
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
        return "Team" in self.resource_provisioning_options

    @property
    def uid(self) -> str:
        """What the group is as a place."""
        return uids.team(self.id) if self.is_team else uids.group(self.id)


@dataclass(frozen=True, kw_only=True)
class Groups:
    """The groups of a tenant, and who is in them. Whose members or owners could not be read is not among the keys."""

    groups: Sequence[Group] = ()
    complete: bool = True
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)
    owners: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def inside(self, group: str) -> set[str]:
        """Everybody in a group, by id, those of groups in it too."""
        found: set[str] = set()
        left = [group]
        while left:
            new = set(self.members.get(left.pop(), ())) - found
            found |= new
            left += (each for each in new if each in self.members)
        return found


def read_groups(graph: Graph, gaps: list[Gap]) -> Groups:
    """All groups with their members and owners."""
    try:
        groups = list(graph.things(Group, _GROUPS, select=_FIELDS, top=_PAGE))
    except AccessDenied as refused:
        gaps.append(gap("memberships", refused, "who is in which group is not known"))
        return Groups(complete=False)
    members = _seats(graph, _MEMBERS, groups, gaps, "who is in which group is not known")
    hidden = [each for each in groups if each.visibility == "HiddenMembership" and not members.get(each.id)]
    if hidden:
        reason = "members of groups that hide them could not be read"
        gaps.append(
            Gap(table="memberships", outcome=Outcome.DENIED, reason=reason, needs=HIDDEN_MEMBERS, total=len(hidden))
        )
    owners = _seats(graph, _OWNERS, groups, gaps, "who owns which group is not known")
    return Groups(
        groups=groups,
        members={one: seats for one, seats in members.items() if one not in {each.id for each in hidden}},
        owners=owners,
    )


def holds_of(groups: Groups, accounts: Mapping[str, Principal]) -> dict[str, GroupContents]:
    """What each group lets in beside colleagues. `accounts` are users and guests by id."""
    ours = {
        one
        for one, principal in accounts.items()
        if principal.affiliation is Affiliation.INTERNAL and principal.kind == "user" and principal.status == "active"
    }
    found = {}
    for group in groups.groups:
        inside = groups.inside(group.id)
        outsiders = sum(_is_outside(accounts[one]) for one in inside if one in accounts)
        everybody = _is_for_all(group.membership_rule) or (len(ours) >= _EVERYBODY_FROM and ours <= inside)
        found[group.id] = GroupContents(outsiders=outsiders, everybody=everybody)
    return found


def principal_of(group: Group, holds: GroupContents, people: People) -> Principal:
    """The group as somebody whom things are shared with."""
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
        detail={"outsiders": str(holds.outsiders), **({"dynamic": "true"} if group.membership_rule else {})},
    )


def facts_of_groups(groups: Groups, known: Mapping[str, Principal], people: People) -> Iterator[Resource | Membership]:
    """Who is in which group, and the places that Microsoft 365 groups and teams are."""
    for group in groups.groups:
        owners = groups.owners.get(group.id, ()) if group.is_unified else ()
        roles = {**dict.fromkeys(groups.members.get(group.id, ()), "member"), **dict.fromkeys(owners, "owner")}
        for one, role in roles.items():
            if one in known:
                yield Membership(group_uid=uids.group(group.id), member_uid=known[one].uid, role=role)
        if group.is_unified:
            yield _place(group, groups, known, people)


def _place(group: Group, groups: Groups, known: Mapping[str, Principal], people: People) -> Resource:
    owners = [known[one] for one in groups.owners.get(group.id, ()) if one in known]
    active = [each for each in owners if each.status == "active"]
    detail = {
        "visibility": _VISIBILITY.get(group.visibility or "", ""),
        "dynamic": "true" if group.membership_rule else "",
    }
    if group.id in groups.owners:
        detail["owners"] = str(len(active))
        detail["owners_guest"] = str(sum(_is_outside(each) for each in owners))
    if group.id in groups.members:
        inside = [known[one] for one in groups.inside(group.id) if one in known and known[one].kind != "group"]
        detail["members"] = str(len(inside))
        detail["guests"] = str(sum(_is_outside(each) for each in inside))
    return Resource(
        uid=group.uid,
        platform=uids.PLATFORM,
        account=people.primary,
        kind="team" if group.is_team else "group",
        name=group.display_name or group.id,
        path=(group.mail or "").lower(),
        parent_uid=uids.tenant(people.tenant),
        container_uid=uids.tenant(people.tenant),
        owner_uid=next((each.uid for each in active), None),
        created_on=group.created_date_time,
        label=next((each.display_name or "" for each in group.assigned_labels), ""),
        detail={name: value for name, value in detail.items() if value},
    )


_VISIBILITY = {"Public": "public", "Private": "private", "HiddenMembership": "hidden"}


def _seats(
    graph: Graph, question: Question, groups: Sequence[Group], gaps: list[Gap], what: str
) -> dict[str, list[str]]:
    asked = [Asked(question=question, ids=(each.id,), options={"select": "id", "top": _PAGE}) for each in groups]
    found: dict[str, list[str]] = {}
    refused: ProviderError | None = None
    for group, seats in zip(groups, graph.pages_together(Thing, asked), strict=True):
        if isinstance(seats, ProviderError):
            refused = refused if isinstance(seats, Vanished) else seats
        else:
            found[group.id] = [each.id for each in seats.value]
    if refused is not None:
        gaps.append(gap("memberships", refused, what))
    return found


def _is_outside(principal: Principal) -> bool:
    return principal.affiliation in (Affiliation.EXTERNAL, Affiliation.PARTNER)


def _is_for_all(rule: str | None) -> bool:
    """Whether a dynamic group's rule takes in everybody of ours."""
    if not rule:
        return False
    parts = [" ".join(part.strip(" ()").split()) for part in rule.lower().split(" -and ")]
    return all(part in _ALL_OF_US for part in parts)
