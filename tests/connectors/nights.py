"""One company scanned night after night through the whole engine, for tests of any connector against its emulator."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Generic, TypeVar

import duckdb

from cloudscan.connector import Connector
from cloudscan.facts import Grant, Resource
from cloudscan.http import Patience
from cloudscan.snapshot.collect import CollectOptions, Event, Finished, collect
from cloudscan.snapshot.incremental import Earlier
from tests.connectors.reading import Read

Server = TypeVar("Server")
Row = tuple[Any, ...]

TABLES = ("resources", "principals", "grants", "memberships", "settings")


@dataclass
class Nights(Generic[Server]):
    """A running emulator and a folder with one snapshot per scan of it."""

    server: Server
    folder: Path
    connect: Callable[..., Connector]  # called with the server, a folder for keys, and options as keywords
    scans: int = 0

    def scan(self, since: Path | None = None, **options: Any) -> tuple[Path, list[Event]]:
        """Scan everything, or what changed since the snapshot `since`; returns the new snapshot and the events."""
        self.scans += 1
        snapshot = self.folder / str(self.scans)
        events: list[Event] = []
        scan_into(snapshot, self.connect(self.server, self.folder, **options), since, events.append)
        return snapshot, events


@contextmanager
def nights_of(server: Server, connect: Callable[..., Connector]) -> Iterator[Nights[Server]]:
    """Nights of the company that an emulator serves, in a temporary folder."""
    with TemporaryDirectory() as folder:
        yield Nights(server, Path(folder), connect)


def scan_into(
    snapshot: Path, connector: Connector, since: Path | None = None, on_event: Callable[[Event], None] | None = None
) -> None:
    """One scan with the core's retries (three attempts, no waiting) into the folder `snapshot`."""
    options = CollectOptions(
        earlier=Earlier(folder=since) if since else None, patience=Patience(attempts=3, pause=0.001)
    )
    collect([connector], snapshot, options=options, on_event=on_event or (lambda _: None)).close()


def facts_of(snapshot: Path) -> dict[str, set[Row]]:
    """All facts of a snapshot, by table."""
    with duckdb.connect(":memory:") as db:
        return {
            table: set(db.execute(f"SELECT * FROM read_parquet('{snapshot}/tables/{table}.parquet')").fetchall())
            for table in TABLES
        }


def difference(one: Path, other: Path) -> dict[str, list[Row]]:
    """The first rows that are in one of two snapshots only, by table; empty if they say the same."""
    ours, theirs = facts_of(one), facts_of(other)
    return {table: sorted(ours[table] ^ theirs[table], key=str)[:6] for table in TABLES if ours[table] != theirs[table]}


def damage_saved_state(snapshot: Path, content: bytes) -> None:
    """Overwrite what a scan kept of each scope for the next one, such as its cursor."""
    kept = list((snapshot / "scopes").glob("*.json"))
    assert kept
    for path in kept:
        path.write_bytes(content)


def reports_with(events: list[Event], words: str) -> list[Finished]:
    """The scopes that ended with a reason that contains the words."""
    return [event for event in events if isinstance(event, Finished) and words in str(event.report.reason)]


def uids_of(read: Read) -> set[str]:
    """The resources and grants that a scan yielded: what trouble that passes must leave unchanged."""
    return {fact.uid for fact in read.facts if isinstance(fact, Resource | Grant)}


def fault_id(fault: Any) -> str:
    """A short name of an emulator's fault for a parametrized test."""
    effect = fault.html or fault.cut or fault.reset or fault.expire or fault.error
    return f"{fault.where[-12:]} {effect}"[:60]
