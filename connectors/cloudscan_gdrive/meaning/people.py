"""Who is who: our own people, groups and domains, partners, external principals. Pure functions.

`People` is what is known while the permissions of files are translated; `facts_of_directory` yields the same as facts.

Sources: Directory API v1 (users, groups, members, domains); Admin help, "About target audiences".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cloudscan.connector import Estate
from cloudscan.facts import Affiliation, Membership, Principal
from cloudscan.text import CONSUMER
from cloudscan_gdrive.api.models import Group, Member, User
from cloudscan_gdrive.meaning import uids

AUDIENCE = ".audience.googledomains.com"
"""The end of a target audience's name: it looks like an external domain and is a set of our own people."""


@dataclass(frozen=True, kw_only=True)
class GroupInfo:
    """What a file's grants depend on in one of our groups."""

    name: str
    external_members: int = 0  # of nested groups too
    everyone: bool = False  # the whole company is a member
    unread: bool = False  # not all members could be read
    users: tuple[str, ...] = ()  # addresses of our users in it, through nested groups too


@dataclass(frozen=True, kw_only=True)
class People:
    """Our domains, users and groups. Addresses are in lower case."""

    estate: Estate
    primary: str = ""  # our primary domain
    domains: frozenset[str] = frozenset()  # all of ours, domain aliases too
    users: Mapping[str, User] = field(default_factory=dict)  # by address; aliases too
    all_users_read: bool = True  # then an unknown address in our domains belongs to a deleted account
    groups: Mapping[str, GroupInfo] = field(default_factory=dict)  # by primary address
    group_aliases: Mapping[str, str] = field(default_factory=dict)  # the primary address by alias
    private: Mapping[str, str] = field(default_factory=dict)  # a user's address with us by their private address

    def is_ours(self, domain: str) -> bool:
        """Whether a mail domain is one of our own."""
        return domain in self.domains or domain in self.estate.domains

    def affiliation(self, domain: str) -> Affiliation:
        """Whether a mail domain is our own, a partner's or external."""
        if self.is_ours(domain) or domain.endswith(AUDIENCE):
            return Affiliation.INTERNAL
        return Affiliation.PARTNER if self.estate.partner_of(domain) else Affiliation.EXTERNAL

    def address_of(self, email: str) -> str:
        """The primary address of a user or group, whichever of their addresses is given; in lower case."""
        address = email.lower()
        user = self.users.get(address)
        return user.primary_email.lower() if user else self.group_aliases.get(address, address)

    def in_directory_scope(self, principal: Principal) -> bool:
        """Whether the directory scope yields this principal, so that drives need not."""
        return principal.email in self.groups or principal.email in self.users

    def users_in(self, group: str) -> list[User]:
        """Our users in one of our groups, through nested groups too."""
        info = self.groups.get(self.address_of(group))
        return [self.users[address] for address in info.users] if info else []

    def principal(self, kind: str, email: str) -> Principal:
        """A user or group that a permission names by address.

        Display names of external accounts are not used: their owners choose them.
        """
        address = self.address_of(email)
        domain = address.rpartition("@")[2]
        affiliation = self.affiliation(domain)
        if kind == "group":
            return self._group(address, domain, affiliation)
        if user := self.users.get(address):
            return self._user(user)
        person = self.private.get(address)
        # An address in one of our domains that the directory does not know: the account was deleted.
        deleted = affiliation is Affiliation.INTERNAL and self.users and self.all_users_read
        return Principal(
            uid=uids.user(address),
            platform=uids.PLATFORM,
            account=self.primary,
            kind="user",
            email=address,
            domain=domain,
            name=address,
            affiliation=affiliation,
            status="deleted" if deleted else "active",
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
        info = self.groups.get(address)
        return Principal(
            uid=uids.group(address),
            platform=uids.PLATFORM,
            account=self.primary,
            kind="group",
            email=address,
            domain=domain,
            name=info.name if info else address,
            affiliation=affiliation,
            status="active",
            detail={"externals": str(info.external_members)} if info else self._contract(domain),
        )

    def _user(self, user: User) -> Principal:
        address = user.primary_email.lower()
        department = next((job.department for job in user.organizations if job.department), "")
        manager = next((person.value for person in user.relations if person.type == "manager" and person.value), "")
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


def people_of(
    estate: Estate,
    primary: str,
    domains: Sequence[str],
    users: Sequence[User],
    groups: Sequence[Group],
    members: Mapping[str, Sequence[Member]],
) -> People:
    """The directory, indexed by address. `members` is by the group's address in lower case."""
    ours = frozenset(domain.lower() for domain in domains)
    by_address = {address.lower(): user for user in users for address in _addresses(user)}
    group_aliases = {
        alias.lower(): group.email.lower()
        for group in groups
        for alias in (*group.aliases, *group.non_editable_aliases)
    }
    known = People(estate=estate, primary=primary, domains=ours, users=by_address, group_aliases=group_aliases)
    return People(
        estate=estate,
        primary=primary,
        domains=ours,
        users=by_address,
        groups={
            group.email.lower(): GroupInfo(
                name=group.name or group.email,
                external_members=len(members_of.external),
                everyone=members_of.everyone,
                unread=members_of.unread,
                users=tuple(sorted(members_of.users)),
            )
            for group in groups
            for members_of in (_all_members(group.email.lower(), members, known),)
        },
        group_aliases=known.group_aliases,
        private={
            address.lower(): user.primary_email.lower()
            for user in users
            for address in (*(email.address for email in user.emails), user.recovery_email)
            if address and not known.is_ours(address.lower().rpartition("@")[2])
        },
    )


def facts_of_directory(
    people: People, users: Sequence[User], groups: Sequence[Group], members: Mapping[str, Sequence[Member]]
) -> Iterator[Principal | Membership]:
    """Our users and groups, the external members of our groups, and who is in which group."""
    yielded: set[str] = set()
    for user in users:
        principal = people.principal("user", user.primary_email)
        yielded.add(principal.uid)
        yield principal
    managers = (relation.value for user in users for relation in user.relations if relation.type == "manager")
    for address in managers:
        principal = people.principal("user", address)
        if address and principal.uid not in yielded:
            yielded.add(principal.uid)
            yield principal
    for group in groups:
        principal = people.principal("group", group.email)
        yielded.add(principal.uid)
        yield principal
    everyone = uids.everyone(people.primary)
    for group in groups:
        for member in members.get(group.email.lower(), ()):
            uid = everyone
            if member.type != "CUSTOMER":
                principal = people.principal("group" if member.type == "GROUP" else "user", member.email or member.id)
                uid = principal.uid
                if uid not in yielded:
                    yielded.add(uid)
                    yield principal
            yield Membership(group_uid=uids.group(group.email), member_uid=uid, role=member.role.lower() or "member")
    yield Principal(
        uid=everyone,
        platform=uids.PLATFORM,
        account=people.primary,
        kind="group",
        name=f"everyone at {people.primary}",
        domain=people.primary,
        affiliation=Affiliation.INTERNAL,
        status="active",
    )


@dataclass
class _Members:
    """Who is in a group, through nested groups too."""

    external: set[str] = field(default_factory=set)  # addresses; an external group counts as one
    users: set[str] = field(default_factory=set)  # addresses of ours
    everyone: bool = False
    unread: bool = False


def _all_members(group: str, members: Mapping[str, Sequence[Member]], people: People) -> _Members:
    """Follow nested groups of ours. Google does not show the members of external groups."""
    result = _Members()
    seen: set[str] = set()
    waiting = [group]
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        if address not in members:
            result.unread = True
        for member in members.get(address, ()):
            inner = people.address_of(member.email)
            if member.type == "CUSTOMER":
                result.everyone = True
            elif member.type == "GROUP" and people.is_ours(inner.rpartition("@")[2]):
                waiting.append(inner)
            elif inner and not people.is_ours(inner.rpartition("@")[2]):
                result.external.add(inner)
            elif inner in people.users:
                result.users.add(inner)
    return result


def _addresses(user: User) -> Iterator[str]:
    yield user.primary_email
    yield from user.aliases
    yield from user.non_editable_aliases
