"""A scan of changes yields what a full scan at the same time yields, with few requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from cloudscan.facts import Audience
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan_emulators.google import Server, TenantState, company
from cloudscan_emulators.google.records import Item
from cloudscan_emulators.google.tenant_state import folder
from cloudscan_gdrive.meaning import uids
from tests.connectors.gdrive.estate import connector, serve
from tests.connectors.nights import Nights, damage_saved_state, difference, nights_of, reports_with
from tests.kit.properties import examples

PEOPLE = ("mori@kumo.example", "hayashi@kumo.example", "dormant@kumo.example")
GRANTEES = ("anyone", "spy@rival.example", "tanuki@partner.example", "projects@kumo.example", company.DOMAIN, *PEOPLE)
ROLES = ("reader", "commenter", "writer")


@contextmanager
def nights(files: int = 90) -> Iterator[Nights[Server]]:
    """Nights of the invented company with about this many files."""
    with serve(company.build(files).state) as server, nights_of(server, connector) as company_nights:
        yield company_nights


def living(state: TenantState) -> list[Item]:
    return [item for item in state.items if item is not None]


def is_below(state: TenantState, item: Item, parent: Item | None) -> bool:
    while parent is not None:
        if parent is item:
            return True
        parent = state.items[parent.parent] if parent.parent >= 0 else None
    return False


@dataclass(frozen=True)
class Step:
    """Something that happens in a day; the numbers choose the item and the people."""

    what: str
    item: int
    other: int
    who: int
    role: int

    def apply(self, state: TenantState) -> None:
        items = living(state)
        item = items[self.item % len(items)]
        folders = [item for item in items if item.is_folder]
        parent = folders[self.other % len(folders)] if folders and self.other % 3 else None
        person, grantee = PEOPLE[self.who % len(PEOPLE)], GRANTEES[self.who % len(GRANTEES)]
        drives = [drive for drive in state.drives if drive is not None]
        drive = drives[self.other % len(drives)]
        match self.what:
            case "create":
                where = {"parent": parent} if parent else {"owner": person} if self.other % 2 else {"drive": drive}
                state.create(f"file {len(items)}", **where)
            case "folder":
                folder(state, f"folder {len(items)}", **({"parent": parent} if parent else {"owner": person}))
            case "move" if not is_below(state, item, parent) and (parent or item.drive == -1 or self.role):
                if parent is None or (parent.drive == item.drive):
                    state.move(item, parent=parent) if item.drive == -1 or parent else state.move(item, drive=drive)
            case "rename":
                state.rename(item, f"renamed {self.other}")
            case "touch":
                state.touch(item)
            case "share":
                discoverable = grantee == "anyone" and self.other % 2 == 0
                by = person if self.other % 3 else ""
                state.share(item, grantee, ROLES[self.role % 3], discoverable=discoverable, by=by)
            case "unshare" if item.grants:
                principal = state.principals[item.grants[self.role % len(item.grants)].principal]
                state.unshare(item, "anyone" if principal.kind == "anyone" else principal.email or principal.domain)
            case "trash":
                state.trash(item, by=person)
            case "restore" if item.trashed:
                state.restore(item)
            case "delete":
                state.delete(item)
            case "own" if item.drive == -1 and not item.is_folder:
                state.change_owner(item, person)
            case "limit" if item.is_folder:
                state.limit(item, not item.limited)
            case "enter":
                state.add_member(drive, grantee if "@" in grantee else person, ("reader", "writer")[self.role % 2])
            case "restrict":
                state.rename_drive(drive, f"drive {self.other}")
            case "use":
                state.use(item, grantee if "@" in grantee else "", ("view", "edit", "download")[self.role % 3])
            case "wait":
                state.pass_time(timedelta(days=self.other % 90))
            case "join":
                state.join("sales@kumo.example", grantee if "@" in grantee else person)
            case _:
                pass


WHAT = (
    "create", "create", "folder", "folder", "move", "move", "move", "rename", "touch", "share", "share", "share",
    "unshare", "trash", "restore", "delete", "own", "limit", "enter", "restrict", "join",
    "use", "use", "wait",
)  # fmt: skip
NUMBER = st.integers(0, 10_000)
STEPS = st.lists(st.builds(Step, st.sampled_from(WHAT), NUMBER, NUMBER, NUMBER, NUMBER), min_size=1, max_size=8)


@examples(2, suppress_health_check=list(HealthCheck))
@given(st.lists(STEPS, min_size=1, max_size=3))
def test_whatever_happens_in_a_night_changes_tell_what_a_full_scan_tells(history: list[list[Step]]) -> None:
    with nights() as company_:
        latest, _ = company_.scan(external_files=True)
        for day in history:
            for step in day:
                step.apply(company_.server.state)
            latest, _ = company_.scan(since=latest, external_files=True)
            full, _ = company_.scan(external_files=True)
            assert difference(latest, full) == {}


def test_a_quiet_night_costs_two_requests_a_drive() -> None:
    """Beside the directory, which is read each night."""
    with nights() as company_:
        first, _ = company_.scan()
        company_.server.log.clear()

        second, _ = company_.scan(since=first)

        drive = [
            request
            for request in company_.server.log
            if request.path.startswith("/drive/v3/") and request.path != "/drive/v3/drives"
        ]
        with Snapshot.open(second) as snapshot:
            drives = snapshot.query("SELECT count(*) FROM resources WHERE kind IN ('my_drive', 'shared_drive')").rows[
                0
            ][0]
        assert len(drive) <= 2 * drives
        assert difference(first, second) == {}


def test_an_open_folder_is_open_for_what_lies_in_it_though_google_tells_no_change_of_that() -> None:
    with nights() as company_:
        above = folder(company_.server.state, "Plans", owner="mori@kumo.example")
        inside = company_.server.state.create("plan.pdf", parent=folder(company_.server.state, "2026", parent=above))
        first, _ = company_.scan()
        company_.server.state.share(above, "anyone", "reader")

        second, _ = company_.scan(since=first)

        with Snapshot.open(second) as snapshot:
            sql = f"SELECT audience, origin_uid FROM exposures WHERE resource_name = '{inside.name}'"
            assert snapshot.query(sql).rows == [[Audience.ANYONE_WITH_LINK, uids.file(above.id)]]


def test_a_token_that_google_forgot_makes_that_drive_be_read_in_full_and_that_is_said() -> None:
    with nights() as company_:
        first, _ = company_.scan()
        company_.server.state.share(company_.server.state.create("new", owner="mori@kumo.example"), "anyone", "reader")
        company_.server.forget_changes()

        second, events = company_.scan(since=first)
        full, _ = company_.scan()

        assert reports_with(events, "drive-cursor-refused")
        assert difference(second, full) == {}


def test_a_group_that_lets_an_external_user_in_is_noticed_though_no_file_changed() -> None:
    with nights() as company_:
        item = company_.server.state.create("Sales plan", owner="hayashi@kumo.example")
        company_.server.state.share(item, "sales@kumo.example", "reader")
        first, _ = company_.scan()
        company_.server.state.join("sales@kumo.example", "spy@rival.example")

        second, _ = company_.scan(since=first)

        with Snapshot.open(second) as snapshot:
            rows = snapshot.query("SELECT audience FROM exposures WHERE resource_name = 'Sales plan'").rows
        assert rows == [[Audience.NAMED_EXTERNAL]]


def test_what_nobody_can_look_into_any_more_is_not_told_from_memory() -> None:
    with nights() as company_:
        first, _ = company_.scan()
        company_.server.state.suspend("dormant@kumo.example")
        company_.server.expire_tokens("dormant@kumo.example")

        second, _ = company_.scan(since=first)
        full, _ = company_.scan()

        assert difference(second, full) == {}


def test_other_options_make_everything_be_read() -> None:
    with nights() as company_:
        first, _ = company_.scan()

        second, _ = company_.scan(since=first, labels={"x": "Secret"})
        full, _ = company_.scan(labels={"x": "Secret"})

        assert difference(second, full) == {}


@pytest.mark.parametrize("damage", [b"", b"no gzip", b"\x1f\x8b\x08\x00"])
def test_what_was_kept_and_is_damaged_is_not_gone_on_from(damage: bytes) -> None:
    with nights() as company_:
        first, _ = company_.scan()
        damage_saved_state(first, damage)

        second, _ = company_.scan(since=first)

        assert difference(first, second) == {}
