"""Channels of teams that let in others than the team: private ones, and those shared with other tenants.

Sources: channel, conversationMember and sharedWithChannelTeamInfo resources. A shared channel is told as a word of the
future unless words of the future are asked for. Its members from elsewhere are no guests: the directory does not have
them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cloudscan.connector import Gap
from cloudscan.errors import AccessDenied, ProviderError, Vanished
from cloudscan.facts import Access, Affiliation, AnyFact, Audience, Grant, Membership, Principal, Resource, Via
from cloudscan_m365.api.batch import Asked
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.endpoints import Question
from cloudscan_m365.api.models import Answer, Text
from cloudscan_m365.api.wire import Page
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import People
from cloudscan_m365.permissions import CHANNEL_MEMBERS, CHANNELS, POLICIES, TENANT_NAMES
from cloudscan_m365.scopes.gaps import gap
from cloudscan_m365.scopes.groups import Group, Groups

_CHANNELS = Question(path="teams/{}/channels", needs=CHANNELS, prefer="include-unknown-enum-members")
_PRIVATE_MEMBERS = Question(path="teams/{}/channels/{}/members", needs=CHANNEL_MEMBERS)
_SHARED_MEMBERS = Question(path="teams/{}/channels/{}/allMembers", needs=CHANNEL_MEMBERS)
_SHARED_WITH = Question(path="teams/{}/channels/{}/sharedWithTeams", needs=CHANNELS)
_PARTNERS = Question(path="policies/crossTenantAccessPolicy/partners", needs=POLICIES)
_TENANT = Question(
    path="tenantRelationships/findTenantInformationByTenantId(tenantId='{}')", needs=TENANT_NAMES
)  # fmt: skip
_FIELDS = "id,displayName,membershipType,createdDateTime,webUrl"


class _Channel(Answer, frozen=True, kw_only=True):
    id: str
    display_name: Text = ""
    membership_type: Text = ""
    created_date_time: datetime | None = None
    web_url: Text = ""


class _Member(Answer, frozen=True, kw_only=True):
    user_id: Text = ""
    email: Text = ""
    tenant_id: Text = ""
    roles: Sequence[str] = ()


class _SharedWith(Answer, frozen=True, kw_only=True):
    tenant_id: Text = ""


class _Tenant(Answer, frozen=True, kw_only=True):
    display_name: Text = ""
    default_domain_name: Text = ""


class _Policy(Answer, frozen=True, kw_only=True):
    access_type: Text = ""


class _Targets(Answer, frozen=True, kw_only=True):
    users_and_groups: _Policy | None = None


class _Partner(Answer, frozen=True, kw_only=True):
    tenant_id: str
    b2b_direct_connect_inbound: _Targets | None = None

    @property
    def may_connect(self) -> bool:
        """Whether an administrator lets people of this tenant into shared channels."""
        inbound = self.b2b_direct_connect_inbound
        users = inbound.users_and_groups if inbound else None
        return users is not None and users.access_type == "allowed"


@dataclass(frozen=True, kw_only=True)
class Tenants:
    """Other tenants, by id in lower case."""

    listed: frozenset[str] = frozenset()  # an administrator lets them into shared channels
    names: Mapping[str, _Tenant] = field(default_factory=dict)

    def is_partner(self, tenant: str, people: People) -> bool:
        known = self.names.get(tenant)
        domain = (known and known.default_domain_name) or tenant
        return tenant in self.listed or people.estate.partner_of(domain) is not None or people.is_ours(domain)

    def name(self, tenant: str) -> str:
        known = self.names.get(tenant)
        return (known and (known.display_name or known.default_domain_name)) or tenant


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """A channel with what could be read of it; None: it could not."""

    team: Group
    channel: _Channel
    members: Sequence[_Member] | None
    shared_with: Sequence[_SharedWith] | None

    def tenants(self, ours: str) -> set[str] | None:
        """Other tenants whose people are in it."""
        if self.members is None or self.shared_with is None:
            return None
        told = {(each.tenant_id or "").lower() for each in self.members}
        told |= {(each.tenant_id or "").lower() for each in self.shared_with}
        return told - {ours.lower(), ""}


def facts_of_channels(graph: Graph, groups: Groups, people: People, gaps: list[Gap]) -> Iterator[AnyFact]:
    """Private and shared channels, who is in them, and which tenants they are shared with."""
    seen = list(_channels(graph, [each for each in groups.groups if each.is_team], gaps))
    foreign = {one for each in seen for one in each.tenants(people.tenant) or ()}
    tenants = _tenants(graph, foreign, gaps)
    for each in seen:
        yield from _facts(each, people, tenants)


def _channels(graph: Graph, teams: Sequence[Group], gaps: list[Gap]) -> Iterator[_Seen]:
    what = "private and shared channels, and who is in them, are not known"
    asked = [Asked(question=_CHANNELS, ids=(each.id,), options={"select": _FIELDS}) for each in teams]
    told = list(zip(teams, graph.pages_together(_Channel, asked), strict=True))
    _note([channels for _, channels in told], gaps, what)
    own = [
        (team, channel)
        for team, channels in told
        if not isinstance(channels, ProviderError)
        for channel in channels.value
        if channel.membership_type not in ("standard", "")
    ]
    members = graph.pages_together(
        _Member,
        [
            Asked(
                question=_PRIVATE_MEMBERS if channel.membership_type == "private" else _SHARED_MEMBERS,
                ids=(team.id, channel.id),
            )
            for team, channel in own
        ],
    )
    shared = [each for each in own if each[1].membership_type != "private"]
    teams_in = graph.pages_together(
        _SharedWith, [Asked(question=_SHARED_WITH, ids=(team.id, channel.id)) for team, channel in shared]
    )
    _note(members, gaps, "who is in private and shared channels is not known")
    with_whom = {channel.id: found for (_, channel), found in zip(shared, teams_in, strict=True)}
    for (team, channel), inside in zip(own, members, strict=True):
        others = with_whom.get(channel.id, Page[_SharedWith]())
        yield _Seen(
            team=team,
            channel=channel,
            members=None if isinstance(inside, ProviderError) else inside.value,
            shared_with=None if isinstance(others, ProviderError) else others.value,
        )


def _facts(seen: _Seen, people: People, tenants: Tenants) -> Iterator[AnyFact]:
    uid = uids.channel(seen.channel.id)
    name = f"{seen.team.display_name or seen.team.id}: {seen.channel.display_name or seen.channel.id}"
    members = [(_principal(each, people, tenants), each) for each in seen.members or ()]
    outside = [one for one, _ in members if one.affiliation in (Affiliation.EXTERNAL, Affiliation.PARTNER)]
    foreign = seen.tenants(people.tenant)
    owners = [one for one, member in members if "owner" in member.roles and one.status == "active"]
    kind = seen.channel.membership_type or ""
    detail = {"type": "shared" if kind == "unknownFutureValue" else kind}
    if foreign is not None:
        unlisted = sorted(tenants.name(each) for each in foreign if not tenants.is_partner(each, people))
        detail |= {"foreign_tenants": ", ".join(unlisted), "owners": str(len(owners))}
    yield Resource(
        uid=uid,
        platform=uids.PLATFORM,
        account=people.primary,
        kind="channel",
        name=name,
        parent_uid=seen.team.uid,
        container_uid=seen.team.uid,
        owner_uid=next((each.uid for each in owners), None),
        created_on=seen.channel.created_date_time,
        url=(seen.channel.web_url or "").partition("?")[0],
        detail=detail,
    )
    yield Principal(
        uid=uid,
        platform=uids.PLATFORM,
        account=people.primary,
        kind="group",
        name=name,
        affiliation=Affiliation.INTERNAL,
        status="active",
        detail={} if seen.members is None else {"outsiders": str(len(outside))},
    )
    for one, member in members:
        if not people.are_told(one):
            yield one
        yield Membership(group_uid=uid, member_uid=one.uid, role="owner" if "owner" in member.roles else "member")
    reached = Audience.NAMED_EXTERNAL if outside or foreign else Audience.NAMED
    yield Grant(
        uid=f"{uid}#members",
        resource_uid=uid,
        principal_uid=uid,
        audience=None if seen.members is None else reached,
        access=Access.WRITE,
        via=Via.MEMBERSHIP,
    )


def _principal(member: _Member, people: People, tenants: Tenants) -> Principal:
    """A member of a channel: one of the directory, or somebody out of another tenant."""
    if known := people.find(member.user_id or "") or (people.find(member.email) if member.email else None):
        return known.principal
    return people.outsider(member.email or f"{member.user_id}@{tenants.name((member.tenant_id or '').lower())}")


def _tenants(graph: Graph, foreign: set[str], gaps: list[Gap]) -> Tenants:
    if not foreign:
        return Tenants()
    try:
        partners = list(graph.things(_Partner, _PARTNERS))
    except AccessDenied as refused:
        gaps.append(gap("settings", refused, "which tenants are let into shared channels is not known"))
        partners = []
    ordered = sorted(foreign)
    told = graph.together(_Tenant, [Asked(question=_TENANT, ids=(each,)) for each in ordered])
    refusal = next((each for each in told if isinstance(each, AccessDenied)), None)
    if refusal is not None:
        gaps.append(gap("principals", refusal, "other tenants have no names, and partners are not recognised"))
    return Tenants(
        listed=frozenset(each.tenant_id.lower() for each in partners if each.may_connect),
        names={one: each for one, each in zip(ordered, told, strict=True) if isinstance(each, _Tenant)},
    )


def _note(told: Sequence[object], gaps: list[Gap], what: str) -> None:
    """One gap, however many were refused."""
    refused = next((each for each in told if isinstance(each, ProviderError) and not isinstance(each, Vanished)), None)
    if refused is not None:
        gaps.append(gap("resources", refused, what))
