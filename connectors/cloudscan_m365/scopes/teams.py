"""Channels with members of their own: private channels, and those shared with other tenants.

Sources: channel, conversationMember and sharedWithChannelTeamInfo resources. Graph writes the type of a shared channel
as unknownFutureValue unless a Prefer header asks for later values. Its external members are not guests: the directory
does not have them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cloudscan.errors import NotOffered, ProviderError, Vanished
from cloudscan.facts import Access, Affiliation, AnyFact, Audience, Grant, Membership, Principal, Resource, Via
from cloudscan_m365.api.batch import BatchPart
from cloudscan_m365.api.inquiry import Inquiry, Listing
from cloudscan_m365.api.models import Answer, Text
from cloudscan_m365.api.moments import moment
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import People
from cloudscan_m365.questions import CHANNELS, PARTNERS, PRIVATE_MEMBERS, SHARED_MEMBERS, SHARED_WITH, TENANT
from cloudscan_m365.scopes.groups import Group, Groups

_FIELDS = "id,displayName,membershipType,createdDateTime,webUrl"


class _Channel(Answer, frozen=True, kw_only=True):
    id: str
    display_name: Text = ""
    membership_type: Text = ""
    created_date_time: Text = ""
    web_url: Text = ""

    @property
    def kind(self) -> str:
        """Its membership type in lower case: standard, private, shared. A channel without one is standard."""
        return (self.membership_type or "standard").lower()


class _Member(Answer, frozen=True, kw_only=True):
    user_id: Text = ""
    email: Text = ""
    tenant_id: Text = ""
    roles: Sequence[str] | None = ()

    @property
    def is_owner(self) -> bool:
        """Whether one of the roles is that of an owner."""
        return any(role.lower() == "owner" for role in self.roles or ())


class _SharedWith(Answer, frozen=True, kw_only=True):
    tenant_id: str


class TenantInformation(Answer, frozen=True, kw_only=True):
    """What Microsoft tells of any tenant."""

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
        return users is not None and (users.access_type or "").lower() == "allowed"


@dataclass(frozen=True, kw_only=True)
class Tenants:
    """Other tenants, by id in lower case."""

    listed: frozenset[str] | None = frozenset()  # allowed in shared channels by an administrator; None: unknown
    names: Mapping[str, TenantInformation] = field(default_factory=dict)
    nameless: frozenset[str] = frozenset()  # those that Microsoft does not know

    def is_partner(self, tenant: str, people: People) -> bool | None:
        """Whether a tenant is a partner: allowed by an administrator, configured as one, or ours; None: unknown."""
        known = self.names.get(tenant)
        domain = (known and known.default_domain_name) or tenant
        configured = people.estate.partner_of(tenant, domain) is not None or people.is_ours(domain)
        if configured or tenant in (self.listed or ()):
            return True
        told = known is not None or tenant in self.nameless
        return False if self.listed is not None and told else None

    def name(self, tenant: str) -> str:
        """The name of a tenant; its id where the name is unknown."""
        known = self.names.get(tenant)
        return (known and (known.display_name or known.default_domain_name)) or tenant


@dataclass(frozen=True, kw_only=True)
class _ChannelContents:
    """A channel with its members and tenants, as far as they could be read."""

    team: Group
    channel: _Channel
    members: Listing[_Member]
    shared_with: Listing[_SharedWith]

    def tenants(self, ours: str) -> set[str] | None:
        """Other tenants whose people are in it, by id; None: unknown. `ours` is our tenant's id."""
        if not self.members.whole or not self.shared_with.whole:
            return None
        tenants = {(member.tenant_id or "").lower() for member in self.members.entries}
        tenants |= {team.tenant_id.lower() for team in self.shared_with.entries}
        return tenants - {ours.lower(), ""}


def facts_of_channels(inquiry: Inquiry, groups: Groups, people: People) -> Iterator[AnyFact]:
    """Private and shared channels, their members, and the tenants they are shared with."""
    channels = list(_channels(inquiry, [group for group in groups.groups if group.is_team]))
    external = {tenant for contents in channels for tenant in contents.tenants(people.tenant_id) or ()}
    tenants = _tenants(inquiry, external)
    for contents in channels:
        yield from _facts(contents, people, tenants)


def _channels(inquiry: Inquiry, teams: Sequence[Group]) -> Iterator[_ChannelContents]:
    parts = [BatchPart(question=CHANNELS, ids=(team.id,), options={"select": _FIELDS}) for team in teams]
    lists = inquiry.lists(_Channel, parts, [team.uid for team in teams])
    for team, listed in zip(teams, lists, strict=True):
        if listed.whole and not listed.entries:
            inquiry.lacking(CHANNELS, "graph-list-empty", team.uid)  # a team has a General channel
    own = [
        (team, channel)
        for team, channels in zip(teams, lists, strict=True)
        for channel in channels.entries
        if channel.kind != "standard"
    ]
    uids_of_own = [uids.channel(channel.id) for _, channel in own]
    members = inquiry.lists(_Member, [_members_of(team, channel) for team, channel in own], uids_of_own)
    shared = [(team, channel) for team, channel in own if channel.kind != "private"]
    tenants = inquiry.lists(
        _SharedWith,
        [BatchPart(question=SHARED_WITH, ids=(team.id, channel.id)) for team, channel in shared],
        [uids.channel(channel.id) for _, channel in shared],
    )
    shared_with = {channel.id: answer for (_, channel), answer in zip(shared, tenants, strict=True)}
    for (team, channel), inside in zip(own, members, strict=True):
        others = shared_with.get(channel.id, Listing[_SharedWith](whole=True, answered=True))
        yield _ChannelContents(team=team, channel=channel, members=inside, shared_with=others)


def _members_of(team: Group, channel: _Channel) -> BatchPart:
    question = PRIVATE_MEMBERS if channel.kind == "private" else SHARED_MEMBERS
    return BatchPart(question=question, ids=(team.id, channel.id))


def _facts(contents: _ChannelContents, people: People, tenants: Tenants) -> Iterator[AnyFact]:
    channel, team = contents.channel, contents.team
    uid = uids.channel(channel.id)
    name = f"{team.display_name or team.id}: {channel.display_name or channel.id}"
    named = [(_principal(member, people), member) for member in contents.members.entries]
    members = [(principal, member) for principal, member in named if principal is not None]
    known = contents.members.whole and all(who is not None and who.affiliation for who, _ in named)
    externals = [who for who, _ in members if who.affiliation in (Affiliation.EXTERNAL, Affiliation.PARTNER)]
    external_tenants = contents.tenants(people.tenant_id)
    owners = [who for who, member in members if member.is_owner and who.status == "active"]
    detail = {"type": "shared" if channel.kind == "unknownfuturevalue" else channel.kind}
    if external_tenants is not None:
        partners = {tenant: tenants.is_partner(tenant, people) for tenant in external_tenants}
        if None not in partners.values():
            detail["unlisted_tenants"] = ", ".join(sorted(tenants.name(one) for one in partners if not partners[one]))
    if known:
        detail["owners"] = str(len(owners))
    yield Resource(
        uid=uid,
        platform=uids.PLATFORM,
        account=people.primary,
        kind="channel",
        name=name,
        parent_uid=team.uid,
        container_uid=team.uid,
        owner_uid=next((owner.uid for owner in owners), None),
        created_on=moment(channel.created_date_time),
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
        detail={"externals": str(len(externals))} if known else {},
    )
    for principal, member in members:
        if not people.includes(principal):
            yield principal
        role = "owner" if member.is_owner else "member"
        yield Membership(group_uid=uid, member_uid=principal.uid, role=role)
    if not known:
        yield Membership(group_uid=uid, member_uid=None)
    audience = Audience.NAMED_EXTERNAL if externals or external_tenants else Audience.NAMED
    yield Grant(
        uid=f"{uid}#members",
        resource_uid=uid,
        principal_uid=uid,
        audience=audience if known and external_tenants is not None else None,
        access=Access.WRITE,
        via=Via.MEMBERSHIP,
    )


def _principal(member: _Member, people: People) -> Principal | None:
    """A member of a channel: an entry of the directory, or an external person of another tenant; None: unknown."""
    tenant = (member.tenant_id or "").lower()
    if entry := people.find(member.user_id or ""):
        return entry.principal
    if tenant in ("", people.tenant_id.lower()):
        if member.email and (entry := people.find(member.email)):
            return entry.principal
        return people.by_email(member.email).principal if people.complete and member.email else None
    address = member.email or (f"{member.user_id}@{tenant}" if member.user_id else "")
    return people.outside(address).principal if address else None


def _tenants(inquiry: Inquiry, external: set[str]) -> Tenants:
    if not external:
        return Tenants()
    partners = inquiry.all(_Partner, PARTNERS)
    ordered = sorted(external)
    parts = [BatchPart(question=TENANT, ids=(tenant,)) for tenant in ordered]
    told = inquiry.graph.together(TenantInformation, parts)
    answers = {one: _named(answer) for one, answer in zip(ordered, told, strict=True)}
    inquiry.failed((TENANT, "", answer) for answer in answers.values() if isinstance(answer, ProviderError))
    allowed = frozenset(partner.tenant_id.lower() for partner in partners.entries if partner.may_connect)
    return Tenants(
        listed=allowed if partners.whole else None,
        names={one: answer for one, answer in answers.items() if isinstance(answer, TenantInformation)},
        nameless=frozenset(one for one, answer in answers.items() if isinstance(answer, NotOffered)),
    )


def _named(answer: TenantInformation | ProviderError) -> TenantInformation | ProviderError:
    """An answer; that Microsoft knows no such tenant is one."""
    return NotOffered("graph-no-such-tenant") if isinstance(answer, Vanished) else answer
