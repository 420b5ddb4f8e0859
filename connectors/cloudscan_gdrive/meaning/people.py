"""Who is who: our own people, groups and domains, partners, strangers.

`People` is what is known when a file's permissions are read; `facts_of_directory` tells the same to the snapshot.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cloudscan.connector import Estate
from cloudscan.facts import Affiliation, Membership, Principal
from cloudscan.text import CONSUMER
from cloudscan_gdrive.api.models import Group, Member, User
from cloudscan_gdrive.meaning import uids

AUDIENCE = ".audience.googledomains.com"
"""How target audiences are named: they look like a foreign domain and are a set of our own people."""


@dataclass(frozen=True, kw_only=True)
class GroupInfo:
    """A group of ours, seen from outside."""

    name: str
    outsiders: int = 0  # members from elsewhere, members of members too
    everybody: bool = False  # the whole company is in it
    unread: bool = False  # who else is in it could not be read
    users: tuple[str, ...] = ()  # ours in it, by address


@dataclass(frozen=True, kw_only=True)
class People:
    """Our domains, users and groups. Addresses are lower case."""

    estate: Estate
    primary: str = ""  # our first domain
    domains: frozenset[str] = frozenset()  # all of ours, aliases too
    users: Mapping[str, User] = field(default_factory=dict)  # by address, other names too
    whole: bool = True  # these are all our users: whoever else has an address of ours is gone
    groups: Mapping[str, GroupInfo] = field(default_factory=dict)
    group_names: Mapping[str, str] = field(default_factory=dict)  # a group's other address: its first
    private: Mapping[str, str] = field(default_factory=dict)  # somebody's private address: his address with us

    def is_ours(self, domain: str) -> bool:
        return domain in self.domains or domain in self.estate.domains

    def affiliation(self, domain: str) -> Affiliation:
        """Where a mail domain belongs."""
        if self.is_ours(domain) or domain.endswith(AUDIENCE):
            return Affiliation.INTERNAL
        return Affiliation.PARTNER if self.estate.partner_of(domain) else Affiliation.EXTERNAL

    def address_of(self, email: str) -> str:
        """The address that somebody is known by here, whichever of his names is used."""
        address = email.lower()
        found = self.users.get(address)
        return found.primary_email.lower() if found else self.group_names.get(address, address)

    def are_told(self, principal: Principal) -> bool:
        """Whether the directory tells of somebody; drives then need not."""
        return principal.email in self.groups or principal.email in self.users

    def users_in(self, group: str) -> list[User]:
        """Our users in a group of ours."""
        known = self.groups.get(self.address_of(group))
        return [self.users[address] for address in known.users] if known else []

    def principal(self, kind: str, email: str) -> Principal:
        """A user or group that a permission names by its address. Strangers choose their display names: not used."""
        address = self.address_of(email)
        domain = address.rpartition("@")[2]
        affiliation = self.affiliation(domain)
        if kind == "group":
            return self._group(address, domain, affiliation)
        if known := self.users.get(address):
            return self._user(known)
        person = self.private.get(address)
        return Principal(
            uid=uids.user(address),
            platform=uids.PLATFORM,
            account=self.primary,
            kind="user",
            email=address,
            domain=domain,
            name=address,
            affiliation=affiliation,
            # Of a domain of ours, and unknown to the directory: an account that was deleted.
            status="deleted" if affiliation is Affiliation.INTERNAL and self.users and self.whole else "active",
            sponsor_uid=uids.user(person) if person else None,
            detail={
                **({"consumer": "true"} if domain in CONSUMER else {}),
                **({"person": uids.user(person)} if person else {}),
                **self._contract(domain),
            },
        )

    def domain_principal(self, domain: str) -> Principal:
        """A whole domain, or a target audience."""
        return Principal(
            uid=uids.domain(domain),
            platform=uids.PLATFORM,
            account=self.primary,
            kind="audience" if domain.endswith(AUDIENCE) else "domain",
            domain=domain,
            name=domain,
            affiliation=self.affiliation(domain),
            status="active",
            detail=self._contract(domain),
        )

    def _group(self, address: str, domain: str, affiliation: Affiliation) -> Principal:
        known = self.groups.get(address)
        return Principal(
            uid=uids.group(address),
            platform=uids.PLATFORM,
            account=self.primary,
            kind="group",
            email=address,
            domain=domain,
            name=known.name if known else address,
            affiliation=affiliation,
            status="active",
            detail={"outsiders": str(known.outsiders)} if known else self._contract(domain),
        )

    def _user(self, user: User) -> Principal:
        address = user.primary_email.lower()
        department = next((each.department for each in user.organizations if each.department), "")
        manager = next((each.value for each in user.relations if each.type == "manager" and each.value), "")
        return Principal(
            uid=uids.user(address),
            platform=uids.PLATFORM,
            account=self.primary,
            kind="user",
            email=address,
            domain=address.rpartition("@")[2],
            name=user.name.full_name or address,
            affiliation=Affiliation.INTERNAL,
            status="suspended" if user.suspended else "archived" if user.archived else "active",
            created_on=user.creation_time,
            last_seen_on=user.last_login_time,
            department=department,
            sponsor_uid=uids.user(self.address_of(manager)) if manager else None,
            detail={"org_unit": user.org_unit_path},
        )

    def _contract(self, domain: str) -> Mapping[str, str]:
        partner = self.estate.partner_of(domain)
        if partner is None:
            return {}
        ends = {"contract_ends": partner.contract_ends.isoformat()} if partner.contract_ends else {}
        return {"partner": partner.name, **ends}


def people(
    estate: Estate,
    primary: str,
    domains: Sequence[str],
    users: Sequence[User],
    groups: Sequence[Group],
    members: Mapping[str, Sequence[Member]],
) -> People:
    """What the directory says, made ready to be looked up. `members` is by the group's address."""
    ours = frozenset(domain.lower() for domain in domains)
    by_name = {name.lower(): user for user in users for name in _names(user)}
    names = {
        name.lower(): group.email.lower() for group in groups for name in (*group.aliases, *group.non_editable_aliases)
    }
    known = People(estate=estate, primary=primary, domains=ours, users=by_name, group_names=names)
    return People(
        estate=estate,
        primary=primary,
        domains=ours,
        users=by_name,
        groups={
            group.email.lower(): GroupInfo(
                name=group.name or group.email,
                outsiders=len(closure.outsiders),
                everybody=closure.everybody,
                unread=closure.unread,
                users=tuple(sorted(closure.users)),
            )
            for group in groups
            for closure in (_closure(group.email.lower(), members, known),)
        },
        group_names=known.group_names,
        private={
            address.lower(): user.primary_email.lower()
            for user in users
            for address in (*(each.address for each in user.emails), user.recovery_email)
            if address and not known.is_ours(address.lower().rpartition("@")[2])
        },
    )


def facts_of_directory(
    known: People, users: Sequence[User], groups: Sequence[Group], members: Mapping[str, Sequence[Member]]
) -> Iterator[Principal | Membership]:
    """Everybody in the directory, and whoever our groups let in from elsewhere."""
    told: set[str] = set()
    for user in users:
        fact = known.principal("user", user.primary_email)
        told.add(fact.uid)
        yield fact
    managers = (relation.value for user in users for relation in user.relations if relation.type == "manager")
    for address in managers:
        fact = known.principal("user", address)
        if address and fact.uid not in told:
            told.add(fact.uid)
            yield fact
    for group in groups:
        fact = known.principal("group", group.email)
        told.add(fact.uid)
        yield fact
    everybody = uids.everybody(known.primary)
    for group in groups:
        for member in members.get(group.email.lower(), ()):
            uid = everybody
            if member.type != "CUSTOMER":
                fact = known.principal("group" if member.type == "GROUP" else "user", member.email or member.id)
                uid = fact.uid
                if uid not in told:
                    told.add(uid)
                    yield fact
            yield Membership(group_uid=uids.group(group.email), member_uid=uid, role=member.role.lower() or "member")
    yield Principal(
        uid=everybody,
        platform=uids.PLATFORM,
        account=known.primary,
        kind="group",
        name=f"everybody at {known.primary}",
        domain=known.primary,
        affiliation=Affiliation.INTERNAL,
        status="active",
    )


@dataclass
class _Closure:
    outsiders: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    everybody: bool = False
    unread: bool = False


def _closure(group: str, members: Mapping[str, Sequence[Member]], known: People) -> _Closure:
    """Who is in a group by way of other groups. What a stranger's group holds nobody tells: it counts as one."""
    found = _Closure()
    seen: set[str] = set()
    waiting = [group]
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        if address not in members:
            found.unread = True
        for member in members.get(address, ()):
            inner = known.address_of(member.email)
            if member.type == "CUSTOMER":
                found.everybody = True
            elif member.type == "GROUP" and known.is_ours(inner.rpartition("@")[2]):
                waiting.append(inner)
            elif inner and not known.is_ours(inner.rpartition("@")[2]):
                found.outsiders.add(inner)
            elif inner in known.users:
                found.users.add(inner)
    return found


def _names(user: User) -> Iterator[str]:
    yield user.primary_email
    yield from user.aliases
    yield from user.non_editable_aliases
