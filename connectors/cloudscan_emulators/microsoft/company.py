"""Kumo Logistics in Microsoft 365: everything that ordinary working days leave behind, at any size.

The directory and the sites come first, then the items of the scenarios: each is a case that a rule flags, or the near
miss beside it; `Company.scenarios` maps their names to ids. The rest is bulk, nearly all of it harmless. The same
number of items always gives the same company.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random

from cloudscan.connector import Estate, Partner
from cloudscan_emulators.kit.company import FAMILY_NAMES, without_garbage_collection
from cloudscan_emulators.kit.staff import clerk, member_of_staff
from cloudscan_emulators.microsoft import ids, scenarios
from cloudscan_emulators.microsoft.people import INSIDERS, SPRING
from cloudscan_emulators.microsoft.records import Direct, Drive, Grant, Kind, Link
from cloudscan_emulators.microsoft.records import Partner as Tenant
from cloudscan_emulators.microsoft.tenant_state import TenantState

DOMAIN, SECONDARY = "kumo.example", "kumo-air.example"
PARTNER, FORMER, EXTERNAL = "partner.example", "ferry.example", "rival.example"
ADMIN = "aoki@kumo.example"
PARTNER_TENANT = ids.guid("tenant", 10_001)
CONFIDENTIAL = scenarios.CONFIDENTIAL  # the sensitivity label that bars external users
_OFFICE = "application/vnd.openxmlformats-officedocument"
_KINDS = (
    ("見積書_{}.pdf", "application/pdf"),
    ("配送計画 {}.xlsx", f"{_OFFICE}.spreadsheetml.sheet"),
    ("Minutes {}.docx", f"{_OFFICE}.wordprocessingml.document"),
    ("議事録 {}.docx", f"{_OFFICE}.wordprocessingml.document"),
    ("invoice-{}.xlsx", f"{_OFFICE}.spreadsheetml.sheet"),
    ("Proposal {}.pptx", f"{_OFFICE}.presentationml.presentation"),
    ("photo_{}.jpg", "image/jpeg"),
    ("route-{}.csv", "text/csv"),
)
_DAY = 86_400
_USERS_MOST = 5000


@dataclass(frozen=True, kw_only=True)
class Company:
    """The company, with the ids of its scenarios."""

    state: TenantState
    admin: str
    scenarios: Mapping[str, str] = field(default_factory=dict)  # name: the id of the item, site, group or user


def build(items: int = 1000, *, now: datetime = SPRING, seed: int = 7) -> Company:
    """The company with this many files and folders. All dates are relative to `now`."""
    with without_garbage_collection(items):
        state = TenantState(DOMAIN, now=now)
        users = _people(state, items)
        named = dict(scenarios.directory(state))
        named |= dict(scenarios.sites_and_teams(state))
        drives = _drives(state, users, items)
        for name, identity in scenarios.items(state, now):
            named[name] = identity
            if _count(state) >= items:
                break
        state.now = int(now.timestamp())
        _fill(state, drives, items, Random(seed))  # noqa: S311 - a company, not a secret
        for drive in state.drives:
            drive.log.clear()
    return Company(state=state, admin=ADMIN, scenarios=named)


def estate() -> Estate:
    """The company as a scanner is configured for it: its name and its partners, without its own domains."""
    return Estate(
        name="Kumo Logistics",
        partners=(
            Partner(name="Tanuki Haulage", domains=frozenset({PARTNER}), owner="mori@kumo.example"),
            Partner(
                name="Ferry Lines",
                domains=frozenset({FORMER}),
                owner="mori@kumo.example",
                contract_ends=date(2025, 9, 30),
            ),
        ),
    )


def _count(state: TenantState) -> int:
    """The number of files and folders, without the roots of libraries."""
    return len(state.items) - len(state.drives)


def _people(state: TenantState, items: int) -> list[str]:
    """Add the employees; returns the addresses of those with ordinary files."""
    state.add_domain(SECONDARY)
    state.add_partner(Tenant(tenant=PARTNER_TENANT, name="Tanuki Haulage", domain=PARTNER, direct_connect=True))
    users = [ADMIN, "mori@kumo.example", "hayashi@kumo.example", f"pilot@{SECONDARY}"]
    for upn in users:
        state.add_user(upn, employee=member_of_staff(upn))
    for index in range(min(_USERS_MOST, items // 500)):
        local, employee = clerk(index, len(FAMILY_NAMES))
        upn = f"{local}@{DOMAIN}"
        state.add_user(upn, employee=employee, signed_in=state.now - index % 60 * _DAY)
        users.append(upn)
    return users


def _drives(state: TenantState, users: list[str], items: int) -> list[Drive]:
    """The drives for the bulk: a team site for every few thousand items, and all OneDrives."""
    drives = []
    for index in range(1 + items // 5_000):
        group = state.add_group(
            f"Team {index:03}",
            kind="unified",
            mail=f"team{index:03}@{DOMAIN}",
            visibility="Private",
            owners=[users[index % len(users)], ADMIN],
            members=users[index % len(users) :][:20],
            team=index % 2 == 0,
        )
        site = state.add_site(f"sites/team{index:03}", f"Team {index:03}", group=group, sharing=2)
        drives.append(state.drives[site.drives[0]])
    return [*drives, *(_onedrive(state, upn) for upn in users)]


def _onedrive(state: TenantState, upn: str) -> Drive:
    number = state.person(upn).drive
    return state.drives[number] if number >= 0 else state.add_onedrive(upn)


def _fill(state: TenantState, drives: list[Drive], items: int, dice: Random) -> None:
    """Add the bulk: about three in a hundred have unique permissions; one in twelve is a folder."""
    grants = _grants(state, dice)
    folders: list[list[int]] = [[drive.root] for drive in drives]
    day, random, load = state.now, dice.random, state.load
    while _count(state) < items:
        which = int(random() * len(drives))
        drive, above = drives[which], folders[which]
        chance = random()
        parent = above[int(chance * len(above))]
        index = len(state.items)
        created = day - int(random() * 1000 * _DAY)
        modified = created + int((day - created) * random())
        author = state.sites[drive.site].owner
        if index % 12 == 0:
            given = grants(drive, index, random()) if index % 60 == 0 else None
            item = load(f"フォルダ {index}", Kind.FOLDER, "", parent, drive.number, given, created, modified, 0, author)
            above.append(item.number)
            continue
        name, mime = _KINDS[index % len(_KINDS)]
        given = grants(drive, index, random()) if random() < 0.03 else None
        size = int(chance * 1_000_000)
        load(name.format(index), Kind.FILE, mime, parent, drive.number, given, created, modified, size, author)


def _grants(state: TenantState, dice: Random) -> Callable[[Drive, int, float], tuple[Grant, ...]]:
    """Grants as people make them, in addition to the library's."""
    colleagues = [person.number for person in state.persons if not person.guest]
    partner = state.person("tanuki@partner.example").number
    insiders = state.named(INSIDERS).number
    kinds: tuple[tuple[str, str], ...] = (
        ("view", "anonymous"),
        ("edit", "anonymous"),
        ("view", "organization"),
        ("edit", "organization"),
        ("view", "users"),
        ("edit", "users"),
    )

    def make(drive: Drive, index: int, chance: float) -> tuple[Grant, ...]:
        base = state.root(drive).grants or ()
        if chance < 0.75:
            type_, scope = kinds[int(chance / 0.75 * len(kinds))]
            people = (dice.choice(colleagues), partner)[: 1 + index % 2] if scope == "users" else ()
            return (*base, Link(state.next_link(), index, type_, scope, people))
        if chance < 0.8:
            return (*base, Direct(insiders, "read"))
        if chance < 0.9:
            return base  # what remains after a share was revoked
        return (*base, Direct(dice.choice(colleagues), dice.choice(("read", "write"))))

    return make
