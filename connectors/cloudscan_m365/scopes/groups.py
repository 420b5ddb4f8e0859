"""Groups of the directory, their members, and what that means for everything that is shared with them.

Source: group resource. Members of all groups are asked for, batch by batch, which also answers whether a nested group
contains a guest. A group with hidden membership appears empty to an application without the permission.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from cloudscan.errors import ProviderError
from cloudscan.facts import Affiliation, Membership, Outcome, Principal, Resource
from cloudscan.reason import Reason
from cloudscan_m365.api.batch import BatchPart
from cloudscan_m365.api.inquiry import Inquiry, about_all
from cloudscan_m365.api.models import Answer, Text
from cloudscan_m365.api.moments import moment
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.accounts import DirectoryObject
from cloudscan_m365.meaning.people import GroupContents, People
from cloudscan_m365.permissions import HIDDEN_MEMBERS
from cloudscan_m365.questions import GROUP_MEMBERS, GROUP_OWNERS, GROUPS, GraphQuestion

_FIELDS = (
    "id,displayName,mail,groupTypes,visibility,membershipRule,createdDateTime,resourceProvisioningOptions,"
    "assignedLabels"
)
_PAGE = 999
_SOME = 3  # groups: where these are all without members, or without owners, their lists are not believed
_WHOLE_FROM = 10  # members: in a smaller company a group of everyone means nothing
_HIDDEN = "hiddenmembership"
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
    group_types: Sequence[str] | None = ()
    visibility: Text = ""
    membership_rule: Text = ""
    created_date_time: Text = ""
    resource_provisioning_options: Sequence[str] | None = ()
    assigned_labels: Sequence[Label] | None = ()

    @property
    def is_unified(self) -> bool:
        """A Microsoft 365 group: with a site, a mailbox and perhaps a team."""
        return any(kind.lower() == "unified" for kind in self.group_types or ())

    @property
    def is_team(self) -> bool:
        """Whether the group has a team."""
        return any(option.lower() == "team" for option in self.resource_provisioning_options or ())

    @property
    def uid(self) -> str:
        """The uid of the group as a resource."""
        return uids.team(self.id) if self.is_team else uids.group(self.id)


@dataclass(frozen=True, kw_only=True)
class Groups:
    """The groups of a tenant with their members. A group whose members or owners could not be read is not a key."""

    groups: Sequence[Group] = ()
    complete: bool = False  # there are no others
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)
    owners: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def ids(self) -> frozenset[str]:
        """The ids of all groups."""
        return frozenset(group.id for group in self.groups)

    def is_known(self, group: str, accounts: Container[str], *, complete: bool) -> bool:
        """Whether all members of a group are known, nested groups included.

        `accounts` are the ids of users and guests; `complete`: of all of them. What is neither an account nor a group,
        such as a device, is nobody who reads files.
        """
        everything = complete and self.complete
        return group in self.members and all(
            member in self.members if member in self.ids else everything or member in accounts
            for member in self.transitive_members(group)
        )

    def transitive_members(self, group: str) -> set[str]:
        """The ids of all members of a group, nested groups and their members included."""
        members: set[str] = set()
        waiting = [group]
        while waiting:
            new = set(self.members.get(waiting.pop(), ())) - members
            members |= new
            waiting += (member for member in new if member in self.members)
        return members


def read_groups(inquiry: Inquiry) -> Groups:
    """All groups with their members and owners."""
    listed = inquiry.all(Group, GROUPS, select=_FIELDS, top=_PAGE)
    groups = listed.entries
    if listed.whole and not groups:
        # A tenant that uses Microsoft 365 has groups; where there are none, the gap can be waived.
        inquiry.lacking(GROUPS, "graph-list-empty")
    members = _related(inquiry, GROUP_MEMBERS, groups)
    hidden = _hidden(inquiry, groups, members)
    return Groups(
        groups=groups,
        complete=listed.whole and bool(groups),
        members={group: inside for group, inside in members.items() if group not in hidden},
        owners=_related(inquiry, GROUP_OWNERS, groups),
    )


def _hidden(inquiry: Inquiry, groups: Sequence[Group], members: Mapping[str, Sequence[str]]) -> set[str]:
    """The ids of groups that hide their members from an application without the permission: they appear empty."""
    hidden = [
        group.id for group in groups if (group.visibility or "").lower() == _HIDDEN and members.get(group.id) == []
    ]
    try:
        allowed = inquiry.graph.claims().has(HIDDEN_MEMBERS)
    except ProviderError:
        allowed = False
    if not hidden or allowed:
        return set()
    reason = Reason(code="graph-members-hidden", values={"count": len(hidden)})
    gap = GROUP_MEMBERS.lacking(reason, outcome=Outcome.DENIED, needs=HIDDEN_MEMBERS)
    inquiry.gaps.append(about_all(GROUP_MEMBERS, gap, [uids.group(group) for group in hidden]))
    return set(hidden)


def contents_of_groups(
    groups: Groups, accounts: Mapping[str, Principal], *, complete: bool
) -> dict[str, GroupContents]:
    """Who is in each group beside colleagues, by the group's id. `accounts` are users and guests; `complete`: all."""
    ours = {
        identity
        for identity, principal in accounts.items()
        if principal.affiliation is Affiliation.INTERNAL and principal.kind == "user" and principal.status == "active"
    }
    contents = {}
    for group in groups.groups:
        members = groups.transitive_members(group.id)
        inside = [accounts[member] for member in members if member in accounts]
        whole = _is_for_everyone(group.membership_rule) or (complete and len(ours) >= _WHOLE_FROM and ours <= members)
        contents[group.id] = GroupContents(
            externals=sum(_is_external(principal) for principal in inside),
            whole_organisation=whole,
            known=groups.is_known(group.id, accounts, complete=complete)
            and all(principal.affiliation is not None for principal in inside),
        )
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
        created_on=moment(group.created_date_time),
        detail={
            **({"externals": str(contents.externals)} if contents.known else {}),
            **({"dynamic": "true"} if group.membership_rule else {}),
        },
    )


def facts_of_groups(groups: Groups, known: Mapping[str, Principal], people: People) -> Iterator[Resource | Membership]:
    """Memberships, and the resources for Microsoft 365 groups and teams. `known` are all principals by id.

    What could not be read is a membership of an unknown member.
    """
    for group in groups.groups:
        uid = uids.group(group.id)
        owners = groups.owners.get(group.id, ()) if group.is_unified else ()
        roles = {**dict.fromkeys(groups.members.get(group.id, ()), "member"), **dict.fromkeys(owners, "owner")}
        for member, role in roles.items():
            if member in known:
                yield Membership(group_uid=uid, member_uid=known[member].uid, role=role)
        if group.id not in groups.members or (not people.complete and not known.keys() >= roles.keys()):
            yield Membership(group_uid=uid, member_uid=None)
        if group.is_unified and group.id not in groups.owners:
            yield Membership(group_uid=uid, member_uid=None, role="owner")
        if group.is_unified:
            yield _resource(group, groups, known, people)


def _resource(group: Group, groups: Groups, known: Mapping[str, Principal], people: People) -> Resource:
    asked = groups.owners.get(group.id)
    owners = [known[owner] for owner in asked or () if owner in known]
    active = [owner for owner in owners if owner.status == "active"]
    detail = {
        "visibility": _VISIBILITY.get((group.visibility or "").lower(), ""),
        "dynamic": "true" if group.membership_rule else "",
    }
    if asked is not None and (people.complete or len(owners) == len(asked)):
        detail["owners"] = str(len(active))
        detail["owners_guest"] = str(sum(_is_external(owner) for owner in owners))
    if groups.is_known(group.id, known, complete=people.complete):
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
        created_on=moment(group.created_date_time),
        label=next((label.display_name or "" for label in group.assigned_labels or ()), ""),
        detail={name: value for name, value in detail.items() if value},
    )


_VISIBILITY = {"public": "public", "private": "private", _HIDDEN: "hidden"}


def _related(inquiry: Inquiry, question: GraphQuestion, groups: Sequence[Group]) -> dict[str, list[str]]:
    """The ids of the objects that `question` lists for each group, where the list was answered as a whole."""
    parts = [BatchPart(question=question, ids=(group.id,), options={"select": "id", "top": _PAGE}) for group in groups]
    lists = inquiry.lists(DirectoryObject, parts, [uids.group(group.id) for group in groups])
    if len(groups) >= _SOME and all(listed.whole and not listed.entries for listed in lists):
        inquiry.lacking(question, "graph-lists-all-empty", count=len(groups))
        return {}
    return {
        group.id: [entry.id for entry in listed.entries]
        for group, listed in zip(groups, lists, strict=True)
        if listed.whole
    }


def _is_external(principal: Principal) -> bool:
    return principal.affiliation in (Affiliation.EXTERNAL, Affiliation.PARTNER)


def _is_for_everyone(rule: str | None) -> bool:
    """Whether a dynamic group's rule covers all our own people."""
    if not rule:
        return False
    parts = [" ".join(part.strip(" ()").split()) for part in rule.lower().split(" -and ")]
    return all(part in _LEAVES_NOBODY_OUT for part in parts)
