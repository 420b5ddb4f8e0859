"""A night of changes tells what a full scan of the same moment tells, and asks for little."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from cloudscan.facts import Audience
from cloudscan.http import Patience
from cloudscan.snapshot.collect import CollectOptions, Event, Finished, collect
from cloudscan.snapshot.incremental import Earlier
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan_emulators.microsoft import Quirks, Server, TenantState, company, errors, refusal
from cloudscan_emulators.microsoft.people import EVERYONE, INSIDERS
from cloudscan_emulators.microsoft.records import Drive, Item, Kind, Link
from tests.connectors.m365 import estate
from tests.properties import examples

PEOPLE = (
    "mori@kumo.example", "hayashi@kumo.example", "disabled@kumo.example", "tanuki@partner.example", "spy@rival.example",
    "Nested", "営業部", "app:Backup robot", "outside:gate@nomail.example", EVERYONE, INSIDERS,
)  # fmt: skip
TABLES = ("resources", "principals", "grants", "memberships", "settings")


@dataclass
class Nights:
    """One company, scanned again and again."""

    server: Server
    folder: Path
    number: int = 0

    @property
    def state(self) -> TenantState:
        return self.server.state

    def scan(self, since: Path | None = None, **options: Any) -> tuple[Path, list[Event]]:
        self.number += 1
        into = self.folder / str(self.number)
        events: list[Event] = []
        wanted = CollectOptions(
            earlier=Earlier(folder=since) if since else None, patience=Patience(attempts=3, pause=0.001)
        )
        reader = estate.connector(self.server, self.folder, **options)
        collect([reader], into, options=wanted, on_event=events.append).close()
        return into, events

    def library(self, path: str = "sites/office") -> Drive:
        site = self.state.site_at(self.state.host, path)
        assert site is not None
        return self.state.drives[site.drives[0]]


@contextmanager
def nights(items: int = 120, quirks: Quirks | None = None) -> Iterator[Nights]:
    built = company.build(items)
    # The emulator says of a shortcut where its target is today; that is no change of the shortcut's library.
    for item in [item for item in built.state.items if item is not None and item.kind is Kind.SHORTCUT]:
        built.state.trash(item)
    with estate.tenant(built.state, quirks=quirks) as server, tempfile.TemporaryDirectory() as place:
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


@dataclass(frozen=True)
class Step:
    """Something that somebody does in a day; the numbers choose what and whom."""

    what: str
    item: int
    other: int
    who: int
    role: int

    def apply(self, state: TenantState) -> None:
        items = [item for item in state.items if item is not None]
        item = items[self.item % len(items)]
        folders = [each for each in items if each.is_container]
        parent = folders[self.other % len(folders)]
        is_root = item.kind is Kind.ROOT
        whom = PEOPLE[self.who % len(PEOPLE)]
        match self.what:
            case "create":
                state.create(f"file {len(items)}", parent=parent)
            case "folder":
                state.folder(f"folder {len(items)}", parent=parent)
            case "move" if not is_root and parent.number not in {item.number, *_numbers_below(state, item)}:
                state.move(item, parent)
            case "rename" if not is_root:
                state.rename(item, f"renamed {self.other}")
            case "edit" if not is_root:
                state.edit(item, size=self.other)
            case "share":
                state.share(item, whom, ("read", "write", "sp.full control")[self.role % 3])
            case "unshare":
                state.unshare(item, whom)
            case "link":
                scope = ("anonymous", "organization", "users", "existingAccess")[self.role % 4]
                people = (whom,) if scope == "users" and whom not in (EVERYONE, INSIDERS) else ()
                ends = datetime.fromtimestamp(state.now, tz=UTC) + timedelta(days=5) if self.other % 3 == 0 else None
                state.link(item, ("view", "edit")[self.other % 2], scope, people=people, expires=ends)
            case "wait":
                state.now += self.role % 12 * 86_400
            case "unlink":
                _unlink(state, item)
            case "invite":
                state.invite(item, f"someone{self.other % 3}@rival.example")
            case "stop":
                state.stop_inheriting(item, keep=self.role % 2 == 0)
            case "inherit" if not is_root:
                state.inherit(item)
            case "trash" if not is_root:
                state.trash(item)
                if self.role % 3 == 0:
                    state.restore(item)
            case "disable":
                person = state.person(("hayashi@kumo.example", "tanuki@partner.example")[self.role % 2])
                person.enabled = not person.enabled
            case _:
                pass


def _numbers_below(state: TenantState, item: Item) -> set[int]:
    return {each.number for each in state.descendants(item)}


def _unlink(state: TenantState, item: Item) -> None:
    for grant in state.grants(item):
        if isinstance(grant, Link):
            state.unlink(grant)
            return


WHAT = (
    "create", "create", "folder", "folder", "move", "move", "move", "rename", "edit", "share", "share", "unshare",
    "link", "link", "unlink", "invite", "stop", "inherit", "trash", "trash", "disable", "wait",
)  # fmt: skip
NUMBER = st.integers(0, 10_000)
STEPS = st.lists(st.builds(Step, st.sampled_from(WHAT), NUMBER, NUMBER, NUMBER, NUMBER), min_size=1, max_size=10)
MANNERS = st.builds(
    Quirks,
    delta_most=st.sampled_from((7, 1000)),
    children_page=st.sampled_from((2, 200)),
    empty_delta_pages=st.booleans(),
    repeats_in_delta=st.booleans(),
    empty_deleted=st.booleans(),
    deleted_children=st.booleans(),
    resync_on_library_change=st.booleans(),
    inherited_from=st.sampled_from(("told", "empty", "never")),
    sharepoint_group=st.booleans(),
    split_identities=st.booleans(),
    claims_raise_shared=st.booleans(),
)


@examples(2, suppress_health_check=list(HealthCheck))
@given(st.lists(STEPS, min_size=1, max_size=3), MANNERS)
def test_whatever_happens_in_a_night_changes_tell_what_a_full_scan_tells(
    history: list[list[Step]], quirks: Quirks
) -> None:
    with nights(quirks=quirks) as company_:
        latest, _ = company_.scan()
        for day in history:
            for step in day:
                step.apply(company_.state)
            latest, _ = company_.scan(since=latest)
            full, _ = company_.scan()
            assert difference(latest, full) == {}


def asked_of_libraries(server: Server) -> list[str]:
    return [each.path for each in server.log if "/drives/" in each.path and each.path.startswith("/v1.0/drives/")]


def test_a_quiet_night_costs_one_request_a_library() -> None:
    """Beside the directory and the list of sites, which are read each night."""
    with nights() as company_:
        first, _ = company_.scan()
        company_.server.log.clear()

        second, _ = company_.scan(since=first)

        asked = asked_of_libraries(company_.server)
        with Snapshot.open(second) as snapshot:
            sql = "SELECT count(*) FROM resources WHERE kind IN ('library', 'onedrive')"
            assert len(asked) == snapshot.query(sql).rows[0][0]
        assert all("root/delta" in path for path in asked)
        assert difference(first, second) == {}


def test_a_folder_that_is_opened_opens_what_lies_in_it_though_microsoft_tells_no_change_of_that() -> None:
    with nights() as company_:
        state = company_.state
        above = state.folder("Plans", drive=company_.library())
        state.create("plan.pdf", parent=state.folder("2026", parent=above))
        first, _ = company_.scan()
        state.link(above, "view")

        second, _ = company_.scan(since=first)

        with Snapshot.open(second) as snapshot:
            sql = "SELECT audience, origin_uid FROM exposures WHERE resource_name = 'plan.pdf' AND via = 'link'"
            origin = estate.item(company_.server, state.id_of(above))
            assert snapshot.query(sql).rows == [[Audience.ANYONE_WITH_LINK, origin]]


def test_what_lay_in_a_folder_that_was_thrown_away_is_gone_too() -> None:
    with nights() as company_:
        state = company_.state
        above = state.folder("Old", drive=company_.library())
        state.link(state.create("old.pdf", parent=state.folder("2019", parent=above)))
        first, _ = company_.scan()
        state.trash(above)

        second, _ = company_.scan(since=first)

        full, _ = company_.scan()

        with Snapshot.open(second) as snapshot:
            assert snapshot.query("SELECT name FROM resources WHERE name IN ('Old', '2019', 'old.pdf')").rows == []
        assert difference(second, full) == {}


def test_a_token_that_microsoft_forgot_makes_that_library_be_read_in_full_and_that_is_said() -> None:
    with nights() as company_:
        first, _ = company_.scan()
        company_.state.link(company_.state.create("new", drive=company_.library()))
        company_.state.forget_changes(company_.library())

        second, events = company_.scan(since=first)
        full, _ = company_.scan()

        reports = [each.report for each in events if isinstance(each, Finished)]
        assert [each for each in reports if "read in full: Microsoft no longer accepts the change token" in each.reason]
        assert difference(second, full) == {}


def test_a_token_that_microsoft_does_not_take_makes_that_library_be_read_in_full() -> None:
    with nights() as company_:
        first, _ = company_.scan()
        company_.state.link(company_.state.create("new", drive=company_.library()))
        refused = errors.bad("Provided sync token is malformed", "invalidRequest")
        company_.server.faults.add(refusal(f"{company_.library().id}/root/delta\\(token", refused, times=1))

        second, events = company_.scan(since=first)
        full, _ = company_.scan()

        assert [
            each for each in events if isinstance(each, Finished) and "rejected the change token" in each.report.reason
        ]
        assert difference(second, full) == {}


def asks_anew(server: Server) -> list[str]:
    """Libraries that were read from the start."""
    return [each.path for each in server.log if each.path.endswith("/root/delta")]


def test_an_account_that_is_disabled_is_noticed_though_no_item_changed() -> None:
    """And only what it holds is read again, with what lies in folders that it holds."""
    with nights() as company_:
        state = company_.state
        state.share(state.create("Handover", drive=company_.library()), "hayashi@kumo.example")
        above = state.folder("Desk", drive=company_.library())
        state.share(above, "hayashi@kumo.example")
        state.create("Drawer", parent=above)
        first, _ = company_.scan()
        state.person("hayashi@kumo.example").enabled = False
        company_.server.log.clear()

        second, _ = company_.scan(since=first)
        anew = asks_anew(company_.server)
        full, _ = company_.scan()

        with Snapshot.open(second) as snapshot:
            sql = (
                "SELECT resource_name, effective, blocked_by FROM exposures WHERE via = 'direct' "
                "AND resource_name IN ('Handover', 'Drawer') ORDER BY 1"
            )
            blocked = "the account is disabled"
            assert snapshot.query(sql).rows == [["Drawer", False, blocked], ["Handover", False, blocked]]
        assert anew == []
        assert difference(second, full) == {}


def test_a_link_that_ends_overnight_is_noticed_though_no_item_changed() -> None:
    with nights() as company_:
        state = company_.state
        ends = datetime.fromtimestamp(state.now, tz=UTC) + timedelta(days=2)
        state.link(state.create("Offer", drive=company_.library()), expires=ends)
        first, _ = company_.scan()
        state.now += 3 * 86_400
        company_.server.log.clear()

        second, _ = company_.scan(since=first)

        with Snapshot.open(second) as snapshot:
            sql = "SELECT effective, blocked_by FROM exposures WHERE resource_name = 'Offer' AND via = 'link'"
            assert snapshot.query(sql).rows == [[False, "the link has expired"]]
        assert asks_anew(company_.server) == []


def test_a_library_that_is_locked_is_not_told_from_memory() -> None:
    with nights() as company_:
        first, _ = company_.scan()
        site = company_.state.sites[company_.library().site]
        company_.state.lock_site(site)

        second, _ = company_.scan(since=first)
        full, _ = company_.scan()

        assert difference(second, full) == {}


def test_other_options_make_everything_be_read() -> None:
    with nights() as company_:
        first, _ = company_.scan()

        second, _ = company_.scan(since=first, all_unique_permissions=True)
        full, _ = company_.scan(all_unique_permissions=True)

        assert difference(second, full) == {}


@pytest.mark.parametrize("damage", [b"", b"no gzip", b"\x1f\x8b\x08\x00"])
def test_what_was_kept_and_is_damaged_is_not_gone_on_from(damage: bytes) -> None:
    with nights() as company_:
        first, _ = company_.scan()
        for path in (first / "scopes").glob("*.json"):
            path.write_bytes(damage)

        second, _ = company_.scan(since=first)

        assert difference(first, second) == {}
