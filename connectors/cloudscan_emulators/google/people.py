"""The company's directory, and the external people it deals with."""

import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from cloudscan_emulators.google.access import Access
from cloudscan_emulators.google.records import (
    ANYONE,
    ANYONE_NAME,
    Account,
    Drive,
    Group,
    Item,
    OrgUnit,
    Policy,
    Principal,
)
from cloudscan_emulators.kit.staff import Employee

SPRING = datetime(2026, 4, 1, 9, tzinfo=UTC)


class People:
    """Who there is. Changing it writes no change logs, as with Google: files stay as they were."""

    def __init__(self, domain: str, *, now: datetime, name: str) -> None:
        self.name = name
        self.domain = domain
        self.customer = "C03kumo01"
        self.secondary_domains: list[str] = []
        self.alias_domains: dict[str, str] = {}  # by alias: the domain that it is an alias of
        self.now = int(now.timestamp())
        self.lock = threading.RLock()
        self.generation = 0  # counts changes: what is derived from an older one is stale
        self.principals: list[Principal] = [Principal(number=ANYONE, kind="anyone")]
        self.items: list[Item | None] = []
        self.drives: list[Drive | None] = []
        self.units: dict[str, OrgUnit] = {"/": OrgUnit(path="/", id=_unit_id(0), parent="")}
        self.policies: list[Policy] = []
        self._by_mail: dict[str, int] = {}
        self._by_domain: dict[str, int] = {}
        self._audiences: dict[str, frozenset[int]] = {}
        self._own_domains = {domain}
        self.access = Access(self.principals, self.items, self.drives, self._own_domains, self._audiences)

    def add_domain(self, domain: str, *, alias_of: str = "") -> None:
        """A further domain of the company, or another name of one."""
        with self.lock:
            if alias_of:
                self.alias_domains[domain] = alias_of
            else:
                self.secondary_domains.append(domain)
            self._own_domains.add(domain)
            self._changed()

    def add_unit(self, path: str) -> OrgUnit:
        parent = path.rsplit("/", 1)[0] or "/"
        unit = OrgUnit(path=path, id=_unit_id(len(self.units)), parent=parent)
        self.units[path] = unit
        return unit

    def add_policy(self, policy: Policy) -> None:
        self.policies.append(policy)

    def add_user(
        self,
        email: str,
        name: str = "",
        *,
        unit: str = "/",
        admin: str = "",
        suspended: bool = False,
        archived: bool = False,
        created: int | None = None,
        last_login: int | None = None,
        manager: str = "",
        department: str = "",
        title: str = "",
        aliases: tuple[str, ...] = (),
        two_step: bool = True,
        employee: Employee | None = None,
    ) -> Account:
        """A user of the company; `admin` is empty, ``super`` or ``delegated``; `last_login` 0 means never.

        Of an `employee` all is known that the directory has a place for, unless other arguments say otherwise.
        """
        local, domain = email.split("@")
        if employee:
            name, title = name or employee.name, title or employee.title
            manager = manager or (f"{employee.manager}@{self.domain}" if employee.manager else "")
        departments = (department,) if department else employee.departments if employee else ()
        family, _, given = name.partition(" ")
        with self.lock:
            account = Account(
                number=len(self.principals),
                kind="user",
                name=name or local,
                email=email,
                domain=domain,
                given=given or local,
                family=family or local,
                unit=unit,
                admin=admin,
                suspended=suspended,
                archived=archived,
                created=self.now - 3 * 31_536_000 if created is None else created,
                last_login=self.now - 86_400 if last_login is None else last_login,
                manager=manager,
                departments=departments,
                title=title,
                employment=employee.employment if employee else "",
                company=employee.company if employee else "",
                number_of_employee=employee.number if employee else "",
                private=employee.private if employee else "",
                suspended_on=self.now - 30 * 86_400 if suspended else 0,
                archived_on=self.now - 30 * 86_400 if archived else 0,
                aliases=aliases,
                two_step=two_step,
            )
            self._add(account)
            for alias in aliases:
                self._by_mail[alias] = account.number
            return account

    def add_external_user(self, email: str, name: str = "", *, google: bool = True) -> Principal:
        """An external user, such as a consumer account."""
        number = len(self.principals)
        domain = email.split("@")[1]
        external_user = Principal(
            number=number, kind="user", name=name or email, email=email, domain=domain, google=google
        )
        self._add(external_user)
        return external_user

    def add_group(
        self,
        email: str,
        name: str = "",
        members: Iterable[str] = (),
        *,
        owners: Iterable[str] = (),
        everyone: bool = False,
        description: str = "",
        ours: bool = True,
        who_can_join: str = "CAN_REQUEST_TO_JOIN",
        externals_allowed: bool = False,
    ) -> Group:
        with self.lock:
            group = Group(
                number=len(self.principals),
                kind="group",
                name=name or email,
                email=email,
                domain=email.split("@")[1],
                description=description,
                everyone=everyone,
                ours=ours,
                who_can_join=who_can_join,
                externals_allowed=externals_allowed,
            )
            self._add(group)
            for member in members:
                group.members[self.named(member).number] = "MEMBER"
            for owner in owners:
                group.members[self.named(owner).number] = "OWNER"
            return group

    def join(self, group: str, member: str, role: str = "MEMBER") -> None:
        """Add a member to a group. Files shared with the group write no change for it."""
        with self.lock:
            self._group(group).members[self.named(member).number] = role
            self._changed()

    def leave(self, group: str, member: str) -> None:
        with self.lock:
            del self._group(group).members[self.named(member).number]
            self._changed()

    def suspend(self, email: str) -> None:
        with self.lock:
            account = self.account(email)
            account.suspended, account.suspended_on = True, self.now

    def delete_user(self, email: str) -> None:
        """Delete an account of the company or elsewhere; its permissions stay behind, marked as deleted."""
        with self.lock:
            person = self.named(email)
            person.deleted = True
            if isinstance(person, Account):
                person.deleted_on = self._tick()
            self._changed()

    def add_audience(self, name: str, members: Iterable[str]) -> str:
        """A target audience; gives the invented domain that permissions name it by."""
        domain = f"{name}.audience.googledomains.com"
        with self.lock:
            self._audiences[domain] = frozenset(self.named(member).number for member in members)
            self._changed()
        return domain

    def account(self, email: str) -> Account:
        person = self.find(email)
        if not isinstance(person, Account):
            raise KeyError(email)
        return person

    def find(self, email: str) -> Principal | None:
        """The user or group with that address, an alias or an alias domain."""
        number = self._by_mail.get(email)
        if number is None and "@" in email:
            local, domain = email.split("@", 1)
            number = self._by_mail.get(f"{local}@{self.alias_domains.get(domain, domain)}")
        return None if number is None else self.principals[number]

    def named(self, to: str) -> Principal:
        """The principal named by ``anyone``, a mail address (an unknown one is external), or a domain."""
        if to == ANYONE_NAME:
            return self.principals[ANYONE]
        if "@" in to:
            return self.find(to) or self.add_external_user(to)
        if to not in self._by_domain:
            number = self._by_domain[to] = len(self.principals)
            self.principals.append(Principal(number=number, kind="domain", name=to, domain=to))
            self.access.forget()
        return self.principals[self._by_domain[to]]

    @property
    def accounts(self) -> Iterator[Account]:
        return (principal for principal in self.principals if isinstance(principal, Account))

    @property
    def groups(self) -> Iterator[Group]:
        return (principal for principal in self.principals if isinstance(principal, Group) and principal.ours)

    def _changed(self, *, structure: bool = True) -> None:
        self.generation += 1
        if structure:
            self.access.forget()

    def _tick(self) -> int:
        self.now += 1
        return self.now

    def _add(self, principal: Principal) -> None:
        if principal.email in self._by_mail:
            raise ValueError(f"{principal.email} is taken")
        self.principals.append(principal)
        self._by_mail[principal.email] = principal.number
        self._changed()

    def _group(self, email: str) -> Group:
        group = self.find(email)
        if not isinstance(group, Group):
            raise KeyError(email)
        return group


def _unit_id(number: int) -> str:
    return f"03ph8a2z{number * 7_919 + 12_345:07x}"
