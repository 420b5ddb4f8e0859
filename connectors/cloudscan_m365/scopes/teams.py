"""Channels with members of their own: private channels, and those shared with other tenants.

Sources: channel, conversationMember and sharedWithChannelTeamInfo resources. Graph writes the type of a shared channel
as unknownFutureValue unless a Prefer header asks for later values. Its external members are not guests: the directory
does not have them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cloudscan.connector import Gap
from cloudscan.errors import AccessDenied, ProviderError, Vanished
from cloudscan.facts import Access, Affiliation, AnyFact, Audience, Grant, Membership, Principal, Resource, Via
from cloudscan_m365.api.batch import BatchPart
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
        """Whether an administrator allows people of this tenant in shared channels."""
        inbound = self.b2b_direct_connect_inbound
        users = inbound.users_and_groups if inbound else None
        return users is not None and users.access_type == "allowed"


@dataclass(frozen=True, kw_only=True)
class Tenants:
    """Other tenants, by id in lower case."""

    listed: frozenset[str] = frozenset()  # those that an administrator allows in shared channels
    names: Mapping[str, _Tenant] = field(default_factory=dict)

    def is_partner(self, tenant: str, people: People) -> bool:
        """Whether a tenant is a partner: allowed by an administrator, configured as one, or our own."""
        known = self.names.get(tenant)
        domain = (known and known.default_domain_name) or tenant
        return tenant in self.listed or people.estate.partner_of(domain) is not None or people.is_ours(domain)

    def name(self, tenant: str) -> str:
        """The name of a tenant; its id where the name is unknown."""
        known = self.names.get(tenant)
        return (known and (known.display_name or known.default_domain_name)) or tenant


@dataclass(frozen=True, kw_only=True)
class _ChannelContents:
    """A channel with its members and tenants. None: could not be read."""

    team: Group
    channel: _Channel
    members: Sequence[_Member] | None
    shared_with: Sequence[_SharedWith] | None

    def tenants(self, ours: str) -> set[str] | None:
        """Other tenants whose people are in it, by id; None: unknown. `ours` is our tenant's id."""
        if self.members is None or self.shared_with is None:
            return None
        tenants = {(member.tenant_id or "").lower() for member in self.members}
        tenants |= {(team.tenant_id or "").lower() for team in self.shared_with}
        return tenants - {ours.lower(), ""}


def facts_of_channels(graph: Graph, groups: Groups, people: People, gaps: list[Gap]) -> Iterator[AnyFact]:
    """Private and shared channels, their members, and the tenants they are shared with. Adds to `gaps`."""
    channels = list(_channels(graph, [group for group in groups.groups if group.is_team], gaps))
    external = {tenant for contents in channels for tenant in contents.tenants(people.tenant_id) or ()}
    tenants = _tenants(graph, external, gaps)
    for contents in channels:
        yield from _facts(contents, people, tenants)


def _channels(graph: Graph, teams: Sequence[Group], gaps: list[Gap]) -> Iterator[_ChannelContents]:
    parts = [BatchPart(question=_CHANNELS, ids=(team.id,), options={"select": _FIELDS}) for team in teams]
    answers = graph.pages_together(_Channel, parts)
    _gap(answers, gaps, "private and shared channels, and their members, are unknown")
    own = [
        (team, channel)
        for team, channels in zip(teams, answers, strict=True)
        if not isinstance(channels, ProviderError)
        for channel in channels.value
        if channel.membership_type not in ("standard", "")
    ]
    members = graph.pages_together(_Member, [_members_of(team, channel) for team, channel in own])
    shared = [(team, channel) for team, channel in own if channel.membership_type != "private"]
    tenants = graph.pages_together(
        _SharedWith, [BatchPart(question=_SHARED_WITH, ids=(team.id, channel.id)) for team, channel in shared]
    )
    _gap(members, gaps, "the members of private and shared channels are unknown")
    shared_with = {channel.id: answer for (_, channel), answer in zip(shared, tenants, strict=True)}
    for (team, channel), inside in zip(own, members, strict=True):
        others = shared_with.get(channel.id, Page[_SharedWith]())
        yield _ChannelContents(
            team=team,
            channel=channel,
            members=None if isinstance(inside, ProviderError) else inside.value,
            shared_with=None if isinstance(others, ProviderError) else others.value,
        )


def _members_of(team: Group, channel: _Channel) -> BatchPart:
    question = _PRIVATE_MEMBERS if channel.membership_type == "private" else _SHARED_MEMBERS
    return BatchPart(question=question, ids=(team.id, channel.id))


def _facts(contents: _ChannelContents, people: People, tenants: Tenants) -> Iterator[AnyFact]:
    channel, team = contents.channel, contents.team
    uid = uids.channel(channel.id)
    name = f"{team.display_name or team.id}: {channel.display_name or channel.id}"
    members = [(_principal(member, people, tenants), member) for member in contents.members or ()]
    externals = [who for who, _ in members if who.affiliation in (Affiliation.EXTERNAL, Affiliation.PARTNER)]
    external_tenants = contents.tenants(people.tenant_id)
    owners = [principal for principal, member in members if "owner" in member.roles and principal.status == "active"]
    kind = channel.membership_type or ""
    detail = {"type": "shared" if kind == "unknownFutureValue" else kind}
    if external_tenants is not None:
        unlisted = sorted(tenants.name(tenant) for tenant in external_tenants if not tenants.is_partner(tenant, people))
        detail |= {"unlisted_tenants": ", ".join(unlisted), "owners": str(len(owners))}
    yield Resource(
        uid=uid,
        platform=uids.PLATFORM,
        account=people.primary,
        kind="channel",
        name=name,
        parent_uid=team.uid,
        container_uid=team.uid,
        owner_uid=next((owner.uid for owner in owners), None),
        created_on=channel.created_date_time,
        url=(channel.web_url or "").partition("?")[0],
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
        detail={} if contents.members is None else {"externals": str(len(externals))},
    )
    for principal, member in members:
        if not people.includes(principal):
            yield principal
        role = "owner" if "owner" in member.roles else "member"
        yield Membership(group_uid=uid, member_uid=principal.uid, role=role)
    audience = Audience.NAMED_EXTERNAL if externals or external_tenants else Audience.NAMED
    yield Grant(
        uid=f"{uid}#members",
        resource_uid=uid,
        principal_uid=uid,
        audience=None if contents.members is None else audience,
        access=Access.WRITE,
        via=Via.MEMBERSHIP,
    )


def _principal(member: _Member, people: People, tenants: Tenants) -> Principal:
    """A member of a channel: an entry of the directory, or an external person of another tenant."""
    if entry := people.find(member.user_id or "") or (people.find(member.email) if member.email else None):
        return entry.principal
    return people.external_user(member.email or f"{member.user_id}@{tenants.name((member.tenant_id or '').lower())}")


def _tenants(graph: Graph, external: set[str], gaps: list[Gap]) -> Tenants:
    if not external:
        return Tenants()
    try:
        partners = list(graph.entries(_Partner, _PARTNERS))
    except AccessDenied as refused:
        gaps.append(gap("settings", refused, "which tenants are allowed in shared channels is unknown"))
        partners = []
    ordered = sorted(external)
    answers = graph.together(_Tenant, [BatchPart(question=_TENANT, ids=(tenant,)) for tenant in ordered])
    refusal = next((answer for answer in answers if isinstance(answer, AccessDenied)), None)
    if refusal is not None:
        gaps.append(gap("principals", refusal, "other tenants have no names, and partners are not recognised"))
    return Tenants(
        listed=frozenset(partner.tenant_id.lower() for partner in partners if partner.may_connect),
        names={tenant: answer for tenant, answer in zip(ordered, answers, strict=True) if isinstance(answer, _Tenant)},
    )


def _gap(answers: Sequence[object], gaps: list[Gap], what: str) -> None:
    """Add one gap, however many answers were refused."""
    errors = (answer for answer in answers if isinstance(answer, ProviderError) and not isinstance(answer, Vanished))
    error = next(errors, None)
    if error is not None:
        gaps.append(gap("resources", error, what))
