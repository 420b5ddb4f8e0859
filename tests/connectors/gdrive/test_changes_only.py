"""A night of changes tells what a full scan of the same moment tells, and asks for little."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from cloudscan.facts import Audience
from cloudscan.snapshot.collect import CollectOptions, Event, Finished, collect
from cloudscan.snapshot.incremental import Earlier
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan_emulators.google import Server, TenantState, company, serve
from cloudscan_emulators.google.records import Item
from cloudscan_emulators.google.world import folder
from cloudscan_gdrive.meaning import uids
from tests.connectors.gdrive.estate import connector
from tests.properties import examples

PEOPLE = ("mori@kumo.example", "hayashi@kumo.example", "dormant@kumo.example")
STRANGERS = ("anyone", "spy@rival.example", "tanuki@partner.example", "projects@kumo.example", company.DOMAIN, *PEOPLE)
ROLES = ("reader", "commenter", "writer")
TABLES = ("resources", "principals", "grants", "memberships", "settings")


@dataclass
class Nights:
    """One company, scanned again and again."""

    server: Server
    folder: Path
    number: int = 0

    @property
    def world(self) -> TenantState:
        return self.server.world

    def scan(self, since: Path | None = None, **options: Any) -> tuple[Path, list[Event]]:
        self.number += 1
        into = self.folder / str(self.number)
        events: list[Event] = []
        wanted = CollectOptions(earlier=Earlier(folder=since) if since else None, attempts=2, pause=0.001)
        with connector(self.server, self.folder, **options) as reader:
            collect([reader], into, options=wanted, on_event=events.append).close()
        return into, events


@contextmanager
def nights(files: int = 90) -> Iterator[Nights]:
    with serve(company.build(files).world) as server, tempfile.TemporaryDirectory() as place:
        yield Nights(server, Path(place))


def told(snapshot: Path) -> dict[str, set[tuple[Any, ...]]]:
    """All facts of a snapshot."""
    with duckdb.connect(":memory:") as db:
        return {
            table: set(db.execute(f"SELECT * FROM read_parquet('{snapshot}/tables/{table}.parquet')").fetchall())
            for table in TABLES
        }


def difference(one: Path, other: Path) -> dict[str, list[tuple[Any, ...]]]:
    ours, theirs = told(one), told(other)
    return {table: sorted(ours[table] ^ theirs[table], key=str)[:6] for table in TABLES if ours[table] != theirs[table]}


def living(world: TenantState) -> list[Item]:
    return [item for item in world.items if item is not None]


def is_below(world: TenantState, item: Item, parent: Item | None) -> bool:
    while parent is not None:
        if parent is item:
            return True
        parent = world.items[parent.parent] if parent.parent >= 0 else None
    return False


@dataclass(frozen=True)
class Step:
    """Something that somebody does in a day; the numbers choose what and whom."""

    what: str
    item: int
    other: int
    who: int
    role: int

    def apply(self, world: TenantState) -> None:
        items = living(world)
        item = items[self.item % len(items)]
        folders = [each for each in items if each.is_folder]
        parent = folders[self.other % len(folders)] if folders and self.other % 3 else None
        person, stranger = PEOPLE[self.who % len(PEOPLE)], STRANGERS[self.who % len(STRANGERS)]
        drives = [drive for drive in world.drives if drive is not None]
        drive = drives[self.other % len(drives)]
        match self.what:
            case "create":
                where = {"parent": parent} if parent else {"owner": person} if self.other % 2 else {"drive": drive}
                world.create(f"file {len(items)}", **where)
            case "folder":
                folder(world, f"folder {len(items)}", **({"parent": parent} if parent else {"owner": person}))
            case "move" if not is_below(world, item, parent) and (parent or item.drive == -1 or self.role):
                if parent is None or (parent.drive == item.drive):
                    world.move(item, parent=parent) if item.drive == -1 or parent else world.move(item, drive=drive)
            case "rename":
                world.rename(item, f"renamed {self.other}")
            case "touch":
                world.touch(item)
            case "share":
                found = stranger == "anyone" and self.other % 2 == 0
                by = person if self.other % 3 else ""
                world.share(item, stranger, ROLES[self.role % 3], discoverable=found, by=by)
            case "unshare" if item.grants:
                principal = world.principals[item.grants[self.role % len(item.grants)].principal]
                world.unshare(item, "anyone" if principal.kind == "anyone" else principal.email or principal.domain)
            case "trash":
                world.trash(item, by=person)
            case "restore" if item.trashed:
                world.restore(item)
            case "delete":
                world.delete(item)
            case "own" if item.drive == -1 and not item.is_folder:
                world.change_owner(item, person)
            case "limit" if item.is_folder:
                world.limit(item, not item.limited)
            case "enter":
                world.add_member(drive, stranger if "@" in stranger else person, ("reader", "writer")[self.role % 2])
            case "restrict":
                world.rename_drive(drive, f"drive {self.other}")
            case "use":
                world.use(item, stranger if "@" in stranger else "", ("view", "edit", "download")[self.role % 3])
            case "wait":
                world.pass_time(timedelta(days=self.other % 90))
            case "join":
                world.join("sales@kumo.example", stranger if "@" in stranger else person)
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
        latest, _ = company_.scan(foreign_files=True)
        for day in history:
            for step in day:
                step.apply(company_.world)
            latest, _ = company_.scan(since=latest, foreign_files=True)
            full, _ = company_.scan(foreign_files=True)
            assert difference(latest, full) == {}


def test_a_quiet_night_costs_two_requests_a_drive() -> None:
    """Beside the directory, which is read each night."""
    with nights() as company_:
        first, _ = company_.scan()
        company_.server.log.clear()

        second, _ = company_.scan(since=first)

        drive = [
            each
            for each in company_.server.log
            if each.path.startswith("/drive/v3/") and each.path != "/drive/v3/drives"
        ]
        with Snapshot.open(second) as snapshot:
            drives = snapshot.query("SELECT count(*) FROM resources WHERE kind IN ('my_drive', 'shared_drive')").rows[
                0
            ][0]
        assert len(drive) <= 2 * drives
        assert difference(first, second) == {}


def test_an_open_folder_is_open_for_what_lies_in_it_though_google_tells_no_change_of_that() -> None:
    with nights() as company_:
        above = folder(company_.world, "Plans", owner="mori@kumo.example")
        inside = company_.world.create("plan.pdf", parent=folder(company_.world, "2026", parent=above))
        first, _ = company_.scan()
        company_.world.share(above, "anyone", "reader")

        second, _ = company_.scan(since=first)

        with Snapshot.open(second) as snapshot:
            sql = f"SELECT audience, origin_uid FROM exposures WHERE resource_name = '{inside.name}'"
            assert snapshot.query(sql).rows == [[Audience.ANYONE_WITH_LINK, uids.file(above.id)]]


def test_a_token_that_google_forgot_makes_that_drive_be_read_in_full_and_that_is_said() -> None:
    with nights() as company_:
        first, _ = company_.scan()
        company_.world.share(company_.world.create("new", owner="mori@kumo.example"), "anyone", "reader")
        company_.server.forget_changes()

        second, events = company_.scan(since=first)
        full, _ = company_.scan()

        reports = [each.report for each in events if isinstance(each, Finished)]
        assert [each for each in reports if "read in full: Google does not know the token" in each.reason]
        assert difference(second, full) == {}


def test_a_group_that_lets_an_outsider_in_is_noticed_though_no_file_changed() -> None:
    with nights() as company_:
        item = company_.world.create("Sales plan", owner="hayashi@kumo.example")
        company_.world.share(item, "sales@kumo.example", "reader")
        first, _ = company_.scan()
        company_.world.join("sales@kumo.example", "spy@rival.example")

        second, _ = company_.scan(since=first)

        with Snapshot.open(second) as snapshot:
            rows = snapshot.query("SELECT audience FROM exposures WHERE resource_name = 'Sales plan'").rows
        assert rows == [[Audience.NAMED_EXTERNAL]]


def test_what_nobody_can_look_into_any_more_is_not_told_from_memory() -> None:
    with nights() as company_:
        first, _ = company_.scan()
        company_.world.suspend("dormant@kumo.example")
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
        for path in (first / "scopes").glob("*.json"):
            path.write_bytes(damage)

        second, _ = company_.scan(since=first)

        assert difference(first, second) == {}
