"""Kumo Logistics in Google Workspace: everything that ordinary working days leave behind, at any size.

The first files are scenarios, each one that a rule speaks of or the near miss beside it; `Company.scenarios` says
which file is which. The rest is bulk: folders and files as offices have them, nearly all of them harmless. The same
number of files always gives the same company.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from cloudscan.connector import Estate, Partner
from cloudscan_emulators.google.people import SPRING
from cloudscan_emulators.google.records import (
    ANYONE,
    DOCUMENT,
    FOLDER,
    MY_DRIVE,
    NOBODY,
    SHEET,
    SLIDES,
    TOP,
    Extra,
    Grant,
    Item,
    Label,
    Policy,
    Restrictions,
)
from cloudscan_emulators.google.tenant_state import TenantState, folder
from cloudscan_emulators.kit.company import FAMILY_NAMES, without_garbage_collection
from cloudscan_emulators.kit.staff import clerk, member_of_staff

DOMAIN, ALIAS, SECONDARY = "kumo.example", "kumo-group.example", "kumo-air.example"
PARTNER, EXTERNAL = "partner.example", "rival.example"
ADMIN, DELEGATED = "aoki@kumo.example", "helpdesk@kumo.example"
LABEL = "tQxYhVnM4r0GZVsC9RZbUw"  # "confidentiality"
_UNITS = ("/Office", "/Warehouse", "/Drivers", "/Office/Sales", "/Office/Finance")
_KINDS = (
    ("見積書_{}.pdf", "application/pdf"),
    ("配送計画 {}", SHEET),
    ("Minutes {}", DOCUMENT),
    ("議事録 {}", DOCUMENT),
    ("invoice-{}.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("Proposal {}", SLIDES),
    ("photo_{}.jpg", "image/jpeg"),
    ("route-{}.csv", "text/csv"),
)
_DAY = 86_400
_HISTORY = 600 * _DAY  # the scenarios came about over this time


@dataclass(frozen=True, kw_only=True)
class Company:
    """The company, with where to find what in it."""

    state: TenantState
    admin: str
    scenarios: Mapping[str, str] = field(default_factory=dict)  # name: the id of the file, folder or drive


def build(files: int = 1000, *, now: datetime = SPRING, seed: int = 7) -> Company:
    """The company with this many files and folders. All dates are relative to `now`."""
    with without_garbage_collection(files):
        state = TenantState(DOMAIN, now=now)
        users = _people(state, files)
        _rules(state)
        scenarios: dict[str, str] = {}
        state.now -= _HISTORY
        for name, identity in _scenarios(state, now):
            scenarios[name] = identity
            state.now += _HISTORY // 100
            if len(state.items) >= files:
                break
        state.now = int(now.timestamp())
        _fill(state, users, files, Random(seed))  # noqa: S311 - a company, not a secret
        state.events.clear()
    return Company(state=state, admin=ADMIN, scenarios=scenarios)


def estate() -> Estate:
    """Who the company is to the scanner: its name and its partner, with the domains left to be found."""
    partner = Partner(name="Tanuki Haulage", domains=frozenset({PARTNER}), owner="logistics@kumo.example")
    return Estate(name="Kumo Logistics", partners=(partner,))


def _people(state: TenantState, files: int) -> list[str]:
    """The directory; gives the addresses of those who have ordinary files."""
    state.add_domain(SECONDARY)
    state.add_domain(ALIAS, alias_of=DOMAIN)
    for unit in _UNITS:
        state.add_unit(unit)
    day = state.now
    _add(state, ADMIN, admin="super", unit="/Office")
    state.add_user(DELEGATED, "相談 窓口", admin="delegated", unit="/Office", department="情報システム部")
    _add(state, "mori@kumo.example", unit="/Office/Sales")
    _add(state, "hayashi@kumo.example", unit="/Office/Finance", aliases=("keiri@kumo.example",))
    _add(state, "left@kumo.example", suspended=True, last_login=day - 200 * _DAY)
    _add(state, "dormant@kumo.example", last_login=day - 400 * _DAY)
    _add(state, "never@kumo.example", last_login=0, created=day - 300 * _DAY)
    _add(state, "archived@kumo.example", archived=True, last_login=day - 500 * _DAY)
    _add(state, "gone@kumo.example", last_login=day - 90 * _DAY)
    _add(state, f"pilot@{SECONDARY}", unit="/Drivers")
    _add(state, "weak@kumo.example", two_step=False, unit="/Warehouse")
    users = ["mori@kumo.example", "hayashi@kumo.example", "dormant@kumo.example", f"pilot@{SECONDARY}", ADMIN]
    for index in range(min(5000, files // 500)):
        local, employee = clerk(index, len(FAMILY_NAMES))
        email = f"{local}@{DOMAIN}"
        unit = _UNITS[index % len(_UNITS)]
        state.add_user(email, unit=unit, employee=employee, last_login=day - index % 60 * _DAY)
        users.append(email)
    for external_user, name in (
        ("tanuki@partner.example", "Tanuki Haulage"),
        ("spy@rival.example", "Rival Freight"),
        ("kumo.taro1985@gmail.com", "Taro"),
        ("hanako-home@yahoo.example", "Hanako"),
    ):
        state.add_external_user(external_user, name)
    state.add_external_user("gate@nogoogle.example", "Gatehouse", google=False)
    state.add_group("sales@kumo.example", "営業部", users[:2], owners=["mori@kumo.example"])
    state.add_group(
        "projects@kumo.example",
        "Projects",
        ["hayashi@kumo.example", "tanuki@partner.example", "kumo.taro1985@gmail.com", "gate@nogoogle.example"],
        externals_allowed=True,
    )
    state.add_group("everyone@kumo.example", "全社", everyone=True)
    state.add_group(
        "open-house@kumo.example", "Open house", users[:1], who_can_join="ANYONE_CAN_JOIN", externals_allowed=True
    )
    state.add_group("cycling@kumo.example", "自転車部", users[:1], who_can_join="ALL_IN_DOMAIN_CAN_JOIN")
    state.add_group("nested@kumo.example", "Nested", ["projects@kumo.example", "dormant@kumo.example"])
    state.add_group("empty@kumo.example", "Empty")
    state.add_group("crew@partner.example", "Partner's crew", ours=False)
    return users


def _add(state: TenantState, email: str, **more: Any) -> None:
    """A user who is a member of staff."""
    state.add_user(email, employee=member_of_staff(email), **more)


def _rules(state: TenantState) -> None:
    """The settings as administrators made them. Field names: GAM-team/GAM and cisagov/ScubaGoggles."""
    sharing = {
        "externalSharingMode": "ALLOWED",
        "allowReceivingExternalFiles": True,
        "warnForExternalSharing": True,
        "allowNonGoogleInvites": True,
        "allowPublishingFiles": True,
        "accessCheckerSuggestions": "RECIPIENTS_OR_AUDIENCE_OR_PUBLIC",
        "allowedPartiesForDistributingContent": "ALL_ELIGIBLE_USERS",
    }
    strict = {
        "externalSharingMode": "ALLOWLISTED_DOMAINS",
        "allowReceivingExternalFiles": False,
        "allowReceivingFilesOutsideAllowlistedDomains": False,
        "warnForSharingOutsideAllowlistedDomains": True,
        "allowNonGoogleInvitesInAllowlistedDomains": False,
        "allowPublishingFiles": False,
        "accessCheckerSuggestions": "RECIPIENTS_ONLY",
        "allowedPartiesForDistributingContent": "ELIGIBLE_INTERNAL_USERS",
    }
    creation = {
        "allowSharedDriveCreation": True,
        "orgUnitForNewSharedDrives": "CREATORS_ORG_UNIT",
        "allowManagersToOverrideSettings": True,
        "allowExternalUserAccess": True,
        "allowNonMemberAccess": True,
        "allowedPartiesForDownloadPrintCopy": "ALL",
        "allowContentManagersToShareFolders": True,
    }
    desktop = {"allowDriveForDesktop": True, "restrictToAuthorizedDevices": False, "showDownloadLink": True}
    update = {"securityUpdate": "APPLY_TO_IMPACTED_FILES", "allowUsersToManageUpdate": True}
    groups = {
        "collaborationCapability": "ANYONE_CAN_ACCESS",
        "ownersCanAllowExternalMembers": True,
        "createGroupsAccessLevel": "ADMIN_ONLY",
    }
    for policy in (
        Policy(type="drive_and_docs.service_status", unit="/", value={"serviceState": "ENABLED"}, by_admin=False),
        Policy(type="groups_for_business.groups_sharing", unit="/", value=groups),
        Policy(type="drive_and_docs.drive_for_desktop", unit="/", value=desktop),
        Policy(type="drive_and_docs.file_security_update", unit="/", value=update),
        Policy(type="drive_and_docs.external_sharing", unit="/", value=sharing, order=2.0),
        Policy(type="drive_and_docs.external_sharing", unit="/", value={"allowPublishingFiles": False}, by_admin=False),
        Policy(type="drive_and_docs.external_sharing", unit="/Office/Finance", value=strict, order=3.0),
        Policy(type="drive_and_docs.general_access_default", unit="/", value={"defaultFileAccess": "PRIVATE_TO_OWNER"}),
        Policy(
            type="drive_and_docs.general_access_default",
            unit="/Office/Sales",
            value={"defaultFileAccess": "PRIMARY_AUDIENCE_WITH_LINK"},
            order=2.0,
        ),
        Policy(type="drive_and_docs.shared_drive_creation", unit="/", value=creation),
        Policy(
            type="drive_and_docs.file_security_update",
            unit="/",
            value={"securityUpdate": "APPLY_TO_IMPACTED_FILES", "allowUsersToManageUpdate": True},
        ),
        Policy(type="drive_and_docs.service_status", unit="/", value={"serviceState": "ENABLED"}),
        Policy(type="drive_and_docs.drive_for_desktop", unit="/", value={"allowDriveForDesktop": True}),
        Policy(type="gmail.auto_forwarding", unit="/", value={"enableAutoForwarding": True}),
    ):
        state.add_policy(policy)


def _scenarios(state: TenantState, now: datetime) -> Iterator[tuple[str, str]]:
    """One after the other, until the wished number of files is there."""
    yield from _by_link(state)
    yield from _by_name(state, now)
    yield from _by_owner(state)
    yield from _shared_drives(state)
    yield from _oddities(state)
    yield from _logged(state, now)


def _by_link(state: TenantState) -> Iterator[tuple[str, str]]:
    mori = "mori@kumo.example"

    def file(name: str, **more: str) -> Item:
        return state.create(name, owner=mori, mime=more.get("mime", DOCUMENT), size=20_000)

    for name, label, to, role, discoverable in (
        ("anyone can find", "会社案内 2026", "anyone", "reader", True),
        ("link reader", "料金表", "anyone", "reader", False),
        ("link commenter", "Draft contract", "anyone", "commenter", False),
        ("link writer", "顧客一覧", "anyone", "writer", False),
        ("domain link", "就業規則", DOMAIN, "reader", False),
        ("domain searchable", "社内報", DOMAIN, "reader", True),
        ("secondary domain link", "整備手順", SECONDARY, "reader", False),
        ("alias domain link", "Brand guide", ALIAS, "reader", False),
        ("external domain", "Joint schedule", EXTERNAL, "writer", False),
        ("partner domain", "共同配送", PARTNER, "reader", False),
    ):
        item = file(label)
        state.share(item, to, role, discoverable=discoverable)
        yield name, item.id
    item = file("Private notes")
    yield "private", item.id
    public = folder(state, "展示会資料", owner=mori)
    state.share(public, "anyone", "reader")
    yield "public folder", public.id
    for index in range(5):
        inside = state.create(f"panel-{index}.png", parent=public, mime="image/png", size=90_000)
    yield "in public folder", inside.id
    below = folder(state, "2025", parent=public)
    deep = state.create("旧価格表.pdf", parent=below, size=5000)
    state.share(deep, "anyone", "writer")
    yield "link writer below public folder", deep.id
    audience = state.add_audience("01kumoemployees", [mori, "hayashi@kumo.example"])
    item = file("Audience handbook")
    state.share(item, audience, "reader")
    yield "target audience", item.id
    item = file("Trashed but public")
    state.share(item, "anyone", "reader")
    state.trash(item)
    yield "trashed public", item.id
    report = state.create("来客アンケート結果", owner=mori, mime=DOCUMENT)
    state.share(report, "anyone", "reader", view="published")
    yield "published view", report.id
    item = file("Site plan")
    item.extra = Extra(resource_key="0-kumokumokumo", writers_can_share=False)
    state.share(item, "anyone", "reader")
    yield "resource key", item.id


def _by_name(state: TenantState, now: datetime) -> Iterator[tuple[str, str]]:
    soon, hayashi = now + timedelta(days=20), "hayashi@kumo.example"
    for name, label, to, role, expires in (
        ("external reader", "Bid 2026", "spy@rival.example", "reader", None),
        ("external editor", "賃金台帳", "spy@rival.example", "writer", None),
        ("external until soon", "Audit papers", "spy@rival.example", "reader", soon),
        ("partner named", "Pallet pool", "tanuki@partner.example", "writer", None),
        ("consumer account", "自宅作業", "kumo.taro1985@gmail.com", "writer", None),
        ("no google account", "Gate list", "gate@nogoogle.example", "reader", None),
        ("group with external members", "Project plan", "projects@kumo.example", "writer", None),
        ("nested group", "Nested plan", "nested@kumo.example", "reader", None),
        ("whole company group", "全社連絡", "everyone@kumo.example", "reader", None),
        ("external group", "Crew roster", "crew@partner.example", "reader", None),
        ("group that anyone may join", "Open house programme", "open-house@kumo.example", "writer", None),
        ("group that we may join", "ツーリング計画", "cycling@kumo.example", "reader", None),
        ("colleague", "Budget", "mori@kumo.example", "writer", None),
        ("alias address", "Expenses", "mori@kumo-group.example", "reader", None),
    ):
        item = state.create(label, owner=hayashi, mime=SHEET, size=9000)
        state.share(item, to, role, expires=expires)
        yield name, item.id
    item = state.create("Hand-over", owner=hayashi, mime=DOCUMENT)
    state.share(item, "mori@kumo.example", "writer", pending_owner=True)
    yield "pending owner", item.id
    item = state.create("Old roster", owner=hayashi, mime=SHEET)
    state.add_external_user("ghost@rival.example", "Ghost")
    state.share(item, "ghost@rival.example", "writer")
    state.delete_user("ghost@rival.example")
    yield "deleted principal", item.id
    item = state.create("Many readers", owner=hayashi, mime=DOCUMENT)
    for index in range(120):
        state.share(item, f"reader{index:03}@{PARTNER}", "reader")
    yield "many permissions", item.id


def _by_owner(state: TenantState) -> Iterator[tuple[str, str]]:
    item = state.create("退職者の資料", owner="left@kumo.example", mime=DOCUMENT)
    state.share(item, "anyone", "writer")
    state.share(item, "mori@kumo.example", "writer")
    yield "owner suspended", item.id
    item = state.create("Consultant's findings", owner="spy@rival.example", mime=DOCUMENT)
    state.share(item, "mori@kumo.example", "reader")
    yield "owner external", item.id
    item = state.create("Dormant but public", owner="dormant@kumo.example", mime=SHEET)
    state.share(item, "anyone", "reader")
    yield "owner dormant", item.id
    item = state.create("Nobody's draft", owner="hayashi@kumo.example", orphan=True)
    yield "orphan", item.id
    shared = folder(state, "共有フォルダ", owner="hayashi@kumo.example")
    state.share(shared, "mori@kumo.example", "writer")
    item = state.create("Guest in a folder", owner="mori@kumo.example", parent=shared, mime=DOCUMENT)
    yield "another's folder", item.id
    item = state.create("削除者の共有", owner="gone@kumo.example", mime=DOCUMENT)
    state.share(item, "mori@kumo.example", "reader")
    state.delete_user("gone@kumo.example")
    yield "owner deleted", item.id


def _shared_drives(state: TenantState) -> Iterator[tuple[str, str]]:
    mori, hayashi = "mori@kumo.example", "hayashi@kumo.example"
    managed = state.add_drive("営業", {mori: "organizer", "sales@kumo.example": "writer"}, unit="/Office/Sales")
    yield "drive", managed.id
    for name, label, to, role in (
        ("drive file inherited only", "Pipeline", "", ""),
        ("drive file link", "Public price list", "anyone", "reader"),
        ("drive file external", "Joint bid", "spy@rival.example", "writer"),
        ("drive file domain", "Sales news", DOMAIN, "reader"),
    ):
        item = state.create(label, drive=managed, mime=SHEET, size=7000)
        if to:
            state.share(item, to, role)
        yield name, item.id
    campaign = folder(state, "Campaign", drive=managed)
    state.share(campaign, "tanuki@partner.example", "reader")
    item = state.create("Poster.pdf", parent=campaign, size=300_000)
    yield "drive file inherits folder", item.id
    state.share(item, "tanuki@partner.example", "writer")
    closed = folder(state, "Closed bids", parent=campaign)
    state.limit(closed)
    state.share(closed, hayashi, "reader")
    yield "limited folder", closed.id
    item = state.create("Sealed bid.pdf", parent=closed)
    yield "in limited folder", item.id
    strict = state.add_drive(
        "人事",
        {hayashi: "organizer", ADMIN: "fileOrganizer"},
        restrictions=Restrictions(domain_users_only=True, drive_members_only=True, copy_requires_writer=True),
    )
    yield "drive restricted", strict.id
    item = state.create("評価 2026", drive=strict, mime=SHEET)
    yield "in restricted drive", item.id
    joint = state.add_drive(
        "Joint venture", {mori: "organizer", "tanuki@partner.example": "writer", "spy@rival.example": "fileOrganizer"}
    )
    yield "drive with external members", joint.id
    item = state.create("Venture plan", drive=joint, mime=SLIDES)
    yield "in drive with external members", item.id
    lost = state.add_drive("Forgotten", {"sales@kumo.example": "writer"})
    yield "drive without manager", lost.id
    item = state.create("Forgotten list", drive=lost, mime=SHEET)
    state.share(item, "anyone", "reader")
    yield "in drive without manager", item.id
    left = state.add_drive("Left behind", {"left@kumo.example": "organizer"})
    state.create("Left file", drive=left)
    yield "drive of the suspended", left.id
    hidden = state.add_drive("Hidden", {mori: "organizer"}, hidden=True)
    item = state.create("Trashed in drive", drive=hidden)
    state.share(item, "anyone", "reader")
    state.trash(item, by=mori)
    yield "trashed in drive", item.id


def _oddities(state: TenantState) -> Iterator[tuple[str, str]]:
    mori = "mori@kumo.example"
    for name, label in (
        ("markup in name", "<script>alert('kumo')</script>"),
        ("right-to-left name", "invoice\u202efdp.exe"),
        ("formula in name", "=1+1"),
        ("newline in name", "two\nlines\tand a tab"),
        ("long name", "長" * 200),
        ("emoji name", "🚚 配送 🗾"),
        ("path in name", "../../etc/passwd"),
        ("empty name", ""),
    ):
        item = state.create(label, owner=mori, mime="text/plain", size=10)
        state.share(item, "anyone", "reader")
        yield name, item.id
    secret = state.create("機密 契約書.pdf", owner=mori, size=80_000)
    secret.extra = Extra(labels=(Label(id=LABEL, fields=(("level", "selection", ("confidential",)),)),))
    state.share(secret, "anyone", "reader")
    yield "labelled", secret.id
    shortcut = state.shortcut(secret, owner="hayashi@kumo.example", name="Shortcut to it")
    state.share(shortcut, DOMAIN, "reader")
    yield "shortcut", shortcut.id
    item = state.create("Locked.pdf", owner=mori, size=1)
    item.extra = Extra(locked="final", copy_requires_writer=True, encrypted=True)
    yield "locked", item.id
    item = state.create("Opened by link", owner="hayashi@kumo.example", mime=DOCUMENT)
    state.share(item, "anyone", "reader")
    state.open(item, mori)
    yield "opened by link", item.id
    limited = folder(state, "Board", owner=mori)
    above = folder(state, "Board and staff", owner=mori)
    state.share(above, "hayashi@kumo.example", "writer")
    state.move(limited, parent=above)
    state.limit(limited)
    yield "limited folder in my drive", limited.id
    item = state.create("Board minutes", parent=limited, mime=DOCUMENT)
    yield "in limited folder in my drive", item.id


def _logged(state: TenantState, now: datetime) -> Iterator[tuple[str, str]]:
    """Who opened what, and who came to look, at moments that the Drive log still knows, or knows no more."""
    mori, hayashi = "mori@kumo.example", "hayashi@kumo.example"

    def days_ago(days: int) -> None:
        state.now = int(now.timestamp()) - days * _DAY

    for name, who, shared, seen in (
        ("external dormant", "sleepy@rival.example", 170, 150),
        ("external awake", "awake@rival.example", 170, 5),
        ("external just let in", "newcomer@rival.example", 10, None),
        ("external who never came", "silent@rival.example", 160, None),
        ("external from before the log", "ancient@rival.example", 400, None),
    ):
        days_ago(shared)
        item = state.create(f"For {who}", owner=hayashi, mime=SHEET)
        state.share(item, who, "reader")
        if seen is not None:
            days_ago(seen)
            state.use(item, who)
        yield name, item.id
    for name, to, by in (
        ("opened by an editor", "anyone", "dormant@kumo.example"),
        ("opened by the owner", "anyone", ""),
        ("handed on by an external user", "friend@rival.example", "spy@rival.example"),
        ("shared within by an editor", mori, "dormant@kumo.example"),
    ):
        days_ago(40)
        item = state.create(name.capitalize(), owner=hayashi, mime=DOCUMENT)
        if by:
            state.share(item, by, "writer")
        state.share(item, to, "reader", by=by)
        yield name, item.id
    days_ago(300)
    item = state.create("Opened before the log", owner=hayashi, mime=DOCUMENT)
    state.share(item, "dormant@kumo.example", "writer")
    state.share(item, "anyone", "reader", by="dormant@kumo.example")
    yield "opened before the log", item.id
    days_ago(31)
    for crowd in [item for item in state.items if item is not None and item.name == "Many readers"]:
        for grant in crowd.grants:
            state.use(crowd, state.principals[grant.principal].email)
    days_ago(30)
    item = state.create("Opened and closed", owner=hayashi, mime=DOCUMENT)
    state.share(item, "dormant@kumo.example", "writer")
    state.share(item, "anyone", "reader", by="dormant@kumo.example")
    state.unshare(item, "anyone")
    yield "opened and closed", item.id
    item = state.create("Joint forecast", owner="spy@rival.example", mime=SHEET)
    state.share(item, mori, "writer")
    state.share(item, hayashi, "reader")
    yield "owner external, we edit", item.id
    item = state.create("Partner's pallet count", owner="tanuki@partner.example", mime=SHEET)
    state.share(item, mori, "writer")
    yield "owner partner, we edit", item.id
    item = state.create("引き継ぎ資料", owner=hayashi, mime=DOCUMENT)
    state.share(item, "hanako-home@yahoo.example", "reader")
    yield "private account of a former employee", item.id


def _fill(state: TenantState, users: list[str], files: int, dice: Random) -> None:
    """Bulk: nine of ten in My Drives, one in shared drives; of a hundred some three are shared with others."""
    if len(state.items) >= files:
        return
    numbers = [state.account(email).number for email in users]
    team = [
        state.add_drive(f"Team {index:03}", {users[index % len(users)]: "organizer", "sales@kumo.example": "writer"})
        for index in range(1 + files // 20_000)
    ]
    grants = _grants(state, dice, numbers)
    tops: dict[tuple[int, int], list[int]] = {}
    day, random, load = state.now, dice.random, state.load
    while len(state.items) < files:
        if random() < 0.9:
            owner, drive = numbers[int(random() * len(numbers))], MY_DRIVE
        else:
            owner, drive = NOBODY, team[int(random() * len(team))].number
        folders = tops.setdefault((owner, drive), [])
        chance = random()
        parent = folders[int(chance * len(folders))] if folders and chance < 0.95 else TOP
        index = len(state.items)
        created = day - int(random() * 1000 * _DAY)
        modified = created + int((day - created) * random())
        if index % 12 == 0:
            given = grants(random()) if index % 5 == 0 else ()
            item = load(f"フォルダ {index}", FOLDER, parent, owner, drive, given, created, modified, 0)
            folders.append(item.number)
            continue
        name, mime = _KINDS[index % len(_KINDS)]
        given = grants(random()) if random() < 0.03 else ()
        load(name.format(index), mime, parent, owner, drive, given, created, modified, int(chance * 1_000_000))


def _grants(state: TenantState, dice: Random, numbers: list[int]) -> Callable[[float], tuple[Grant, ...]]:
    """Ready-made shares, for many files to have in common."""
    domain = state.named(DOMAIN).number
    made = [
        (Grant(ANYONE, "reader"),),
        (Grant(ANYONE, "writer"),),
        (Grant(domain, "reader"),),
        (Grant(domain, "reader", True),),
        (Grant(state.named("tanuki@partner.example").number, "writer"),),
        (Grant(state.named("spy@rival.example").number, "reader"),),
        (Grant(state.named("sales@kumo.example").number, "writer"),),
        *((Grant(dice.choice(numbers), dice.choice(("reader", "writer"))),) for _ in range(20)),
    ]
    return lambda chance: made[int(chance * len(made))]
