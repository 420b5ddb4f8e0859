"""The tenant and its directory, and the external people it deals with."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cloudscan_emulators.kit.staff import Employee
from cloudscan_emulators.microsoft import ids
from cloudscan_emulators.microsoft.records import (
    NOBODY,
    Application,
    Channel,
    Claim,
    Drive,
    ExternalUser,
    Group,
    Item,
    Partner,
    Person,
    Principal,
    SensitivityLabel,
    Site,
    SiteGroup,
)

SPRING = datetime(2026, 4, 1, 9, tzinfo=UTC)
GRAPH_APP = "00000003-0000-0000-c000-000000000000"
SHAREPOINT_APP = "00000003-0000-0ff1-ce00-000000000000"
EVERYONE, INSIDERS, ALL_USERS = "everyone", "insiders", "all users"
_DAY = 86_400


def _of_employee(employee: Employee) -> dict[str, Any]:
    """What the directory knows of a person beside name, department, title and manager."""
    hired = datetime.fromisoformat(employee.hired).replace(tzinfo=UTC)
    return {
        "employee_id": employee.number,
        "employee_type": employee.employment,
        "hired": int(hired.timestamp()),
        "company": employee.company,
        "other_mails": (employee.private,) if employee.private else (),
    }


class People:
    """The principals of a tenant. Changing them writes to no drive's log: items do not change."""

    def __init__(self, domain: str, *, now: datetime, name: str) -> None:
        self.name = name
        self.domain = domain
        self.domains = [domain]
        short = domain.partition(".")[0]
        self.initial_domain = f"{short}.onmicrosoft.com"
        self.short = short
        self.host = f"{short}.sharepoint.com"
        self.admin_host = f"{short}-admin.sharepoint.com"
        self.my_host = f"{short}-my.sharepoint.com"
        self.geos: dict[str, dict[str, Any]] = {}  # further geographies: what differs in their _api/SPO.Tenant
        self.tenant_id = ids.guid("tenant", sum(domain.encode()))
        self.premium = True  # Entra ID P1: sign-in activity
        self.licences = 300
        self.now = int(now.timestamp())
        self.lock = threading.RLock()
        self.principals: list[Principal] = []
        self.items: list[Item | None] = []
        self.drives: list[Drive] = []
        self.sites: list[Site] = []
        self.partners: list[Partner] = []
        self.labels: list[SensitivityLabel] = []
        self.settings: dict[str, Any] = {}  # override the defaults of /admin/sharepoint/settings
        self.admin_settings: dict[
            str, Any
        ] = {}  # override the defaults of _api/SPO.Tenant, from which Graph's are derived
        self.authorization: dict[str, Any] = {}  # override the defaults of /policies/authorizationPolicy
        self._by_name: dict[str, int] = {}
        self._by_id: dict[str, int] = {}
        self._make_claims()

    # people and groups

    def add_user(
        self,
        upn: str,
        name: str = "",
        *,
        mail: str | None = None,
        enabled: bool = True,
        created: int | None = None,
        signed_in: int | None = None,
        leaves: int = 0,
        department: str = "",
        title: str = "",
        manager: str = "",
        user_type: str = "Member",
        employee: Employee | None = None,
    ) -> Person:
        """A user of the company. `signed_in` 0 means never.

        Of an `employee` all is known that the directory has a place for, unless other arguments say otherwise.
        """
        if employee:
            name, title = name or employee.name, title or employee.title
            department = department or employee.department
            manager = manager or (f"{employee.manager}@{self.domain}" if employee.manager else "")
        seen = self.now - _DAY if signed_in is None else signed_in
        with self.lock:
            number = len(self.principals)
            person = Person(
                number=number,
                name=name or upn.partition("@")[0],
                id=ids.guid("user", number),
                upn=upn,
                mail=upn if mail is None else mail,
                user_type=user_type,
                enabled=enabled,
                created=self.now - 1000 * _DAY if created is None else created,
                signed_in=seen,
                signed_in_by_itself=seen,
                succeeded=seen,
                leaves=leaves,
                department=department,
                title=title,
                manager=self.person(manager).number if manager else NOBODY,
                **(_of_employee(employee) if employee else {}),
            )
            self._add(person, upn, person.mail, person.id)
            return person

    def add_guest(
        self,
        mail: str,
        name: str = "",
        *,
        state: str = "Accepted",
        created: int | None = None,
        signed_in: int | None = None,
        sponsors: Iterable[str] = (),
        invited_by: str = "",
        user_type: str = "Guest",
        enabled: bool = True,
    ) -> Person:
        """An invited person; the inviter is the first sponsor by default, and `user_type` may be ``Member``."""
        upn = f"{mail.replace('@', '_')}#EXT#@{self.initial_domain}"
        made = self.now - 200 * _DAY if created is None else created
        waiting = state == "PendingAcceptance"
        seen = 0 if waiting else self.now - _DAY if signed_in is None else signed_in
        person = self.add_user(
            upn, name or mail, mail=mail, created=made, signed_in=seen, user_type=user_type, enabled=enabled
        )
        person.state = state
        person.state_changed = made if waiting else made + _DAY
        person.creation = "Invitation"
        person.sponsors = tuple(self.person(one).number for one in sponsors)
        person.invited_by = self.person(invited_by).number if invited_by else next(iter(person.sponsors), NOBODY)
        return person

    def add_external_user(self, mail: str, name: str = "", *, tenant: str = "") -> ExternalUser:
        """A person without a user object here: a passcode guest, or a user of another tenant."""
        with self.lock:
            number = len(self.principals)
            identity = ids.guid("external", number) if tenant else ""
            external_user = ExternalUser(number=number, name=name or mail, mail=mail, id=identity, tenant=tenant)
            self._add(external_user, f"external:{mail}", identity)
            return external_user

    def add_group(
        self,
        name: str,
        *,
        kind: str = "security",
        mail: str = "",
        visibility: str | None = None,
        owners: Iterable[str] = (),
        members: Iterable[str] = (),
        team: bool = False,
        label: str = "",
        rule: str = "",
        created: int | None = None,
    ) -> Group:
        """A security group or a Microsoft 365 group (`kind` unified), which may have a team."""
        if team and kind != "unified":
            raise ValueError("only a Microsoft 365 group has a team")
        with self.lock:
            number = len(self.principals)
            group = Group(
                number=number,
                name=name,
                id=ids.guid("group", number),
                mail=mail,
                kind=kind,
                visibility=visibility,
                owners=[self.named(one).number for one in owners],
                members=[self.named(one).number for one in members],
                team=team,
                label=label,
                rule=rule,
                created=self.now - 700 * _DAY if created is None else created,
            )
            self._add(group, mail or name, name, group.id)
            if team:
                group.channels.append(Channel(number=number * 100, name="General", created=group.created))
            return group

    def add_application(
        self,
        name: str,
        *,
        graph: Iterable[str] = (),
        sharepoint: Iterable[str] = (),
        secrets: Iterable[str] = (),
        certificates: Iterable[str] = (),
        federated: Iterable[str] = (),
        managed: bool = False,
        home_tenant: str = "",
    ) -> Application:
        """An application with the permissions that an administrator consented to."""
        with self.lock:
            number = len(self.principals)
            app = Application(
                number=number,
                name=name,
                id=ids.guid("service principal", number),
                app_id=ids.guid("application", number),
                home_tenant=home_tenant or self.tenant_id,
                graph_roles=frozenset(graph),
                sharepoint_roles=frozenset(sharepoint),
                secrets=frozenset(secrets),
                certificates=tuple(certificates),
                federated=frozenset(federated),
                managed=managed,
                created=self.now - 400 * _DAY,
            )
            self._add(app, f"app:{name}", app.id)
            return app

    def join(self, group: str, member: str, *, owner: bool = False) -> None:
        """Add a member or an owner. Items shared with the group are not logged as changed."""
        with self.lock:
            seats = self.group(group).owners if owner else self.group(group).members
            seats.append(self.named(member).number)

    def leave(self, group: str, member: str, *, owner: bool = False) -> None:
        """Remove a member or an owner from a group."""
        with self.lock:
            seats = self.group(group).owners if owner else self.group(group).members
            seats.remove(self.named(member).number)

    def disable(self, upn: str) -> None:
        """Block an account from signing in."""
        self.person(upn).enabled = False

    def enable(self, upn: str) -> None:
        """Allow an account to sign in again."""
        self.person(upn).enabled = True

    def delete_user(self, upn: str) -> None:
        """Delete a user object; sites keep its claim."""
        with self.lock:
            person = self.person(upn)
            person.deleted = True
            for group in self.groups:
                group.owners = [one for one in group.owners if one != person.number]
                group.members = [one for one in group.members if one != person.number]

    def pass_time(self, time: timedelta) -> None:
        """Advance the clock."""
        with self.lock:
            self.now += int(time.total_seconds())

    # tenant

    def add_domain(self, domain: str) -> None:
        """Add a verified domain of the tenant."""
        self.domains.append(domain)

    def add_partner(self, partner: Partner) -> None:
        """Configure cross-tenant access for another tenant."""
        self.partners.append(partner)

    def add_label(self, name: str) -> SensitivityLabel:
        """Publish a sensitivity label."""
        label = SensitivityLabel(id=ids.guid("label", len(self.labels)), name=name)
        self.labels.append(label)
        return label

    def set(self, **settings: Any) -> None:
        """Override properties of /admin/sharepoint/settings."""
        self.settings.update(settings)

    def set_admin(self, **settings: Any) -> None:
        """Override properties of _api/SPO.Tenant."""
        self.admin_settings.update(settings)

    def set_authorization(self, **settings: Any) -> None:
        """Override properties of /policies/authorizationPolicy."""
        self.authorization.update(settings)

    # lookups

    def named(self, to: str) -> Principal:
        """The principal with a name: an address, a group, ``everyone``, ``insiders``, or ``app:`` with a name."""
        number = self._by_name.get(to.lower())
        if number is None:
            raise KeyError(to)
        return self.principals[number]

    def find(self, text: str) -> Principal | None:
        """The principal with an id or user principal name, unless it was deleted."""
        number = self._by_id.get(text.lower(), self._by_name.get(text.lower()))
        if number is None or self.principals[number].deleted:
            return None
        return self.principals[number]

    def person(self, upn: str) -> Person:
        """The user or guest with a name. Raises `KeyError`."""
        principal = self.named(upn)
        if not isinstance(principal, Person):
            raise KeyError(upn)
        return principal

    def group(self, name: str) -> Group:
        """The group with a name. Raises `KeyError`."""
        principal = self.named(name)
        if not isinstance(principal, Group):
            raise KeyError(name)
        return principal

    @property
    def persons(self) -> Iterator[Person]:
        """All users and guests that were not deleted."""
        return (one for one in self.principals if isinstance(one, Person) and not one.deleted)

    @property
    def groups(self) -> Iterator[Group]:
        """All groups that were not deleted."""
        return (one for one in self.principals if isinstance(one, Group) and not one.deleted)

    @property
    def applications(self) -> Iterator[Application]:
        """All applications that were not deleted."""
        return (one for one in self.principals if isinstance(one, Application) and not one.deleted)

    def closure(self, group: Group) -> list[int]:
        """The numbers of all members of a group, nested groups and their members included."""
        members: dict[int, None] = {}
        waiting = list(group.members)
        while waiting:
            number = waiting.pop(0)
            if number in members:
                continue
            members[number] = None
            member = self.principals[number]
            if isinstance(member, Group):
                waiting += member.members
        return list(members)

    def site_group(self, number: int) -> SiteGroup:
        """The site group with a number."""
        principal = self.principals[number]
        if not isinstance(principal, SiteGroup):
            raise TypeError(number)
        return principal

    def _tick(self) -> int:
        self.now += 1
        return self.now

    def _add(self, principal: Principal, *names: str) -> None:
        self.principals.append(principal)
        for name in filter(None, names):
            self._by_name.setdefault(name.lower(), principal.number)
        identity = getattr(principal, "id", "")
        if identity:
            self._by_id[identity] = principal.number

    def _make_claims(self) -> None:
        claims: Mapping[str, tuple[str, str]] = {
            EVERYONE: ("全員", "c:0(.s|true"),
            INSIDERS: (
                "外部ユーザー以外のすべてのユーザー",
                f"c:0-.f|rolemanager|spo-grid-all-users/{self.tenant_id}",
            ),
            ALL_USERS: ("すべてのユーザー (windows)", "c:0!.s|windows"),
        }
        for word, (title, login) in claims.items():
            self._add(Claim(number=len(self.principals), name=title, login=login), word)
