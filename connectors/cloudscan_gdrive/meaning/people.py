"""Who is who: our own people, groups and domains, partners, external principals. Pure functions.

`People` is what is known while the permissions of files are translated; `facts_of_directory` yields the same as facts.
Nobody counts as one of ours without a proof: an entry in the directory that is not a guest's, or one of our verified
domains with the directory read.

Sources: Directory API v1 (users, groups, members, domains); Groups Settings API v1 (whoCanJoin,
allowExternalMembers); Admin help, "About target audiences".
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from cloudscan.connector import Estate
from cloudscan.facts import Affiliation, Audience, Membership, Principal
from cloudscan.text import CONSUMER
from cloudscan_gdrive.api.models import Group, GroupSettings, Member, User
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.accounts import (
    addresses_known,
    addresses_of,
    department_of,
    detail_of,
    is_guest,
    manager_of,
    outside_address,
    private_addresses,
    status_of,
)

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
    join: Audience | None = None  # who may become a member without being asked in; None: not known


@dataclass(frozen=True, kw_only=True)
class People:
    """Our domains, users and groups. Addresses are in lower case."""

    estate: Estate
    primary: str = ""  # our primary domain
    domains: frozenset[str] = frozenset()  # all of ours, domain aliases too
    all_domains_read: bool = True  # then any other domain is not ours
    users: Mapping[str, User] = field(default_factory=dict)  # by address; aliases too
    guests: Mapping[str, User] = field(
        default_factory=dict
    )  # external users in the directory, by each of their addresses
    all_users_read: bool = True  # then an unknown address in our domains has no account
    addresses_by_id: Mapping[str, str] = field(default_factory=dict)  # of users, guests and groups in the directory
    unverified: frozenset[str] = frozenset()  # domains that are listed as ours and not proven to be
    groups: Mapping[str, GroupInfo] = field(default_factory=dict)  # by primary address
    group_aliases: Mapping[str, str] = field(default_factory=dict)  # the primary address by alias
    private: Mapping[str, str] = field(default_factory=dict)  # a user's address with us by their private address
    all_private_read: bool = True  # then an address that is not among them is nobody's private one

    def is_ours(self, domain: str) -> bool:
        """Whether a mail domain is one of our own."""
        return domain in self.domains or domain in self.estate.domains

    def affiliation(self, domain: str, address: str = "") -> Affiliation | None:
        """Whether a domain, or one address in it, is ours, a partner's or external; None: it may be ours, unknown."""
        if self.is_ours(domain) or domain.endswith(AUDIENCE):
            return Affiliation.INTERNAL
        if self.estate.partner_of(address, domain):
            return Affiliation.PARTNER
        return Affiliation.EXTERNAL if self.all_domains_read or domain in CONSUMER else None

    def address_of(self, email: str) -> str:
        """The address that stands for a user or group, whichever of their addresses is given; in lower case."""
        address = email.strip().lower()
        if user := self.users.get(address):
            return user.primary_email.lower()
        if guest := self.guests.get(address):
            return outside_address(guest)
        return self.group_aliases.get(address, address)

    def in_directory_scope(self, principal: Principal) -> bool:
        """Whether the directory scope yields this principal, so that drives need not."""
        address = principal.email
        return address in self.groups or address in self.users or address in self.guests

    def users_in(self, group: str) -> list[User]:
        """Our users in one of our groups, through nested groups too."""
        info = self.groups.get(self.address_of(group))
        return [self.users[address] for address in info.users] if info else []

    def groups_of(self, user: str) -> AbstractSet[str]:
        """The addresses of our groups that one of our users is in, through nested groups too."""
        return self._groups_by_user.get(self.address_of(user), frozenset())

    @cached_property
    def _groups_by_user(self) -> Mapping[str, AbstractSet[str]]:
        groups: dict[str, set[str]] = {}
        for address, info in self.groups.items():
            for user in info.users:
                groups.setdefault(self.address_of(user), set()).add(address)
        return groups

    def principal(self, kind: str, email: str) -> Principal:
        """A user or group that a permission names by address.

        Display names of external accounts are not used: their owners choose them.
        """
        address = self.address_of(email)
        domain = address.rpartition("@")[2]
        affiliation = self.affiliation(domain, address)
        if kind == "group" or address in self.groups:
            return self._group(address, domain, affiliation)
        if guest := self.guests.get(address):
            return self._guest(guest)
        if user := self.users.get(address):
            return self._user(user)
        if affiliation is Affiliation.INTERNAL:
            # Somebody may open files with an address of ours without an account (a visitor), or a guest may have it.
            known = self.all_users_read
            status = "no_account" if domain in self.domains else "active"  # another directory of ours may have it
            return self._person(address, domain, affiliation if known else None, status if known else None)
        return self._person(address, domain, affiliation, "active" if affiliation else None)

    def surely_ours(self, user: User) -> bool:
        """Whether a user in the directory is one of us: no guest, and in a domain that is listed as ours."""
        domain = user.primary_email.lower().rpartition("@")[2]
        listed = not self.all_domains_read or self.is_ours(domain) or domain in self.unverified
        return user.is_guest_user is not None and listed

    def member(self, member: Member) -> str:
        """The address of a group's member, in lower case: by the id where the list has no address. Empty: unknown."""
        return self.address_of(member.email or self.addresses_by_id.get(member.id, ""))

    def nameless(self, identity: str) -> Principal:
        """A member of a group without an address: it may be anybody."""
        return Principal(
            uid=uids.user(identity), platform=uids.PLATFORM, account=self.primary, kind="user", name=identity
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
            detail=self.estate.partner_detail(domain),
        )

    def _person(self, address: str, domain: str, affiliation: Affiliation | None, status: str | None) -> Principal:
        """Somebody whom the directory does not list."""
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
            status=status,
            sponsor_uid=uids.user(person) if person else None,
            detail={**self._outside(address, domain), **self.estate.partner_detail(address, domain)},
        )

    def _outside(self, address: str, domain: str) -> Mapping[str, str]:
        """Whether an account is of a mail provider, and whose private one it is, as far as all users are known."""
        person = self.private.get(address)
        private = uids.user(person) if person else "false" if self.all_private_read else ""
        return {"consumer": "true" if domain in CONSUMER else "false", **({"person": private} if private else {})}

    def _guest(self, guest: User) -> Principal:
        """An external user whom the directory lists as a guest."""
        address = outside_address(guest)
        domain = address.rpartition("@")[2]
        partner = self.estate.partner_of(address, domain)
        return Principal(
            uid=uids.user(address),
            platform=uids.PLATFORM,
            account=self.primary,
            kind="user",
            email=address,
            domain=domain,
            name=address,
            affiliation=Affiliation.PARTNER if partner else Affiliation.EXTERNAL,
            status=status_of(guest),
            created_on=guest.creation_time,
            last_seen_on=guest.last_login_time,
            detail={
                "guest": "true",
                "directory_address": guest.primary_email.lower(),
                **detail_of(guest, address, self.is_ours),
                **self._outside(address, domain),
                **self.estate.partner_detail(address, domain),
            },
        )

    def _group(self, address: str, domain: str, affiliation: Affiliation | None) -> Principal:
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
            detail={**_externals(info), **_joining(info)} if info else self.estate.partner_detail(address, domain),
        )

    def _user(self, user: User) -> Principal:
        address = user.primary_email.lower()
        manager = manager_of(user)
        return Principal(
            uid=uids.user(address),
            platform=uids.PLATFORM,
            account=self.primary,
            kind="user",
            email=address,
            domain=address.rpartition("@")[2],
            name=user.name.full_name or address,
            affiliation=Affiliation.INTERNAL if self.surely_ours(user) else None,
            status=status_of(user),
            created_on=user.creation_time,
            last_seen_on=user.last_login_time,
            department=department_of(user),
            sponsor_uid=uids.user(self.address_of(manager)) if manager else None,
            detail={"org_unit": user.org_unit_path, **detail_of(user, address, self.is_ours)},
        )


@dataclass(frozen=True, kw_only=True)
class Lists:
    """The lists of the directory as far as they were read."""

    domains: Sequence[str] = ()  # all of ours, in any case
    unverified: Sequence[str] = ()  # listed as ours, without a proof
    all_domains_read: bool = True
    users: Sequence[User] = ()
    all_users_read: bool = True
    groups: Sequence[Group] = ()
    members: Mapping[str, Sequence[Member]] = field(default_factory=dict)  # by the group's address in lower case
    partly_read: frozenset[str] = frozenset()  # addresses of groups of whose members some could not be read
    settings: Mapping[str, GroupSettings] = field(default_factory=dict)  # by the group's address in lower case


def people_of(estate: Estate, primary: str, lists: Lists) -> People:
    """The directory, indexed by address."""
    ours = [user for user in lists.users if not is_guest(user)]
    known = People(
        estate=estate,
        primary=primary,
        domains=frozenset(domain.lower() for domain in lists.domains),
        all_domains_read=lists.all_domains_read,
        users={address.lower(): user for user in ours for address in addresses_of(user)},
        guests={
            address.lower(): user
            for user in lists.users
            if is_guest(user)
            for address in (*addresses_of(user), user.guest_account_info.primary_guest_email)
            if address
        },
        addresses_by_id={
            **{user.id: user.primary_email for user in lists.users},
            **{group.id: group.email for group in lists.groups},
        },
        unverified=frozenset(domain.lower() for domain in lists.unverified),
        all_users_read=lists.all_users_read and all(addresses_known(user) for user in lists.users),
        group_aliases={
            alias.lower(): group.email.lower()
            for group in lists.groups
            for alias in (*(group.aliases or ()), *(group.non_editable_aliases or ()))
        },
    )
    groups = frozenset(group.email.lower() for group in lists.groups)
    return replace(
        known,
        groups={
            group.email.lower(): _info(group, _all_members(group.email.lower(), lists, known, groups))
            for group in lists.groups
        },
        private={
            address: user.primary_email.lower()
            for user in ours
            for address in private_addresses(user, known.is_ours) or ()
        },
        all_private_read=lists.all_users_read and all(_private_known(user) for user in ours),
    )


def facts_of_directory(people: People, lists: Lists) -> Iterator[Principal | Membership]:
    """Our users and groups, the external members of our groups, and who is in which group."""
    yielded: set[str] = set()

    def first(principal: Principal) -> Iterator[Principal]:
        if principal.uid not in yielded:
            yielded.add(principal.uid)
            yield principal

    for user in lists.users:
        yield from first(people.principal("user", user.primary_email))
    for address in filter(None, map(manager_of, lists.users)):
        yield from first(people.principal("user", address))
    for group in lists.groups:
        yield from first(people.principal("group", group.email))
    everyone = uids.everyone(people.primary)
    for group in lists.groups:
        address = group.email.lower()
        for member in lists.members.get(address, ()):
            uid = everyone
            if member.type != "CUSTOMER":
                principal = _member(member, people)
                uid = principal.uid
                yield from first(principal)
            yield Membership(group_uid=uids.group(address), member_uid=uid, role=member.role.lower() or "member")
        if address not in lists.members or address in lists.partly_read:
            yield Membership(group_uid=uids.group(address), member_uid=None)
    yield Principal(
        uid=everyone,
        platform=uids.PLATFORM,
        account=people.primary,
        kind="group",
        name=f"*@{people.primary}",
        domain=people.primary,
        affiliation=Affiliation.INTERNAL,
        status="active",
    )


def _private_known(user: User) -> bool:
    return user.emails is not None and user.recovery_email is not None


def _externals(info: GroupInfo) -> Mapping[str, str]:
    """How many external members there are; what is not known is left out."""
    return {} if info.unread and not info.external_members else {"externals": str(info.external_members)}


_JOINING: Final = {Audience.ANY_ACCOUNT: "anyone", Audience.ORGANISATION: "organisation", Audience.NAMED: "invited"}


def _joining(info: GroupInfo) -> Mapping[str, str]:
    return {"join": _JOINING[info.join]} if info.join else {}


def who_may_join(settings: GroupSettings | None) -> Audience | None:
    """Who becomes a member without being asked in or let in by a member; None: it is not known.

    Where external members are not allowed, ``ANYONE_CAN_JOIN`` admits the organisation.
    """
    match settings.who_can_join if settings else None:
        case "ANYONE_CAN_JOIN":
            allowed = str(settings.allow_external_members).lower() if settings else ""
            return {"true": Audience.ANY_ACCOUNT, "false": Audience.ORGANISATION}.get(allowed)
        case "ALL_IN_DOMAIN_CAN_JOIN":
            return Audience.ORGANISATION
        case "INVITED_CAN_JOIN" | "CAN_REQUEST_TO_JOIN":
            return Audience.NAMED
        case _:
            return None


def _member(member: Member, people: People) -> Principal:
    address = people.member(member)
    if not address:
        return people.nameless(member.id or "?")
    return people.principal("group" if member.type == "GROUP" else "user", address)


@dataclass
class _Members:
    """Who is in a group, through nested groups too."""

    external: set[str] = field(default_factory=set)  # addresses; an external group counts as one
    users: set[str] = field(default_factory=set)  # addresses of ours
    everyone: bool = False
    unread: bool = False  # there may be others, or somebody who is not known
    joining: set[Audience | None] = field(default_factory=set)  # who may join the group and those in it


def _info(group: Group, members: _Members) -> GroupInfo:
    return GroupInfo(
        name=group.name or group.email,
        external_members=len(members.external),
        everyone=members.everyone,
        unread=members.unread,
        users=tuple(sorted(members.users)),
        join=_widest(members.joining),
    )


def _widest(joining: set[Audience | None]) -> Audience | None:
    if Audience.ANY_ACCOUNT in joining:
        return Audience.ANY_ACCOUNT
    known = [audience for audience in joining if audience is not None]
    return max(known, default=None) if len(known) == len(joining) else None


def _all_members(group: str, lists: Lists, people: People, groups: frozenset[str]) -> _Members:
    """Follow nested groups of ours. Google does not show the members of external groups."""
    result = _Members()
    seen: set[str] = set()
    waiting = [group]
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        result.joining.add(who_may_join(lists.settings.get(address)))
        if address not in lists.members or address in lists.partly_read:
            result.unread = True
        for member in lists.members.get(address, ()):
            inner = people.member(member)
            if member.type == "CUSTOMER":
                result.everyone = True
            elif member.type == "GROUP" or inner in groups:
                _group_in(inner, waiting, result, people)
            else:
                _person_in(member, inner, result, people)
    return result


def _group_in(inner: str, waiting: list[str], result: _Members, people: People) -> None:
    affiliation = people.affiliation(inner.rpartition("@")[2], inner) if inner else None
    if affiliation is None:
        result.unread = True
    elif affiliation is Affiliation.INTERNAL:
        waiting.append(inner)
    else:
        result.external.add(inner)


def _person_in(member: Member, inner: str, result: _Members, people: People) -> None:
    """A member that is no group, as far as the directory says. A type that is not documented may be anything."""
    affiliation = people.affiliation(inner.rpartition("@")[2], inner) if inner else None
    if inner in people.guests:
        result.external.add(inner)
    elif user := people.users.get(inner):
        result.users.add(inner)
        result.unread = result.unread or not people.surely_ours(user)
    elif affiliation is None:
        result.unread = True
    elif affiliation is not Affiliation.INTERNAL:
        result.external.add(inner)
    elif member.type != "USER" or not people.all_users_read:
        result.unread = True
