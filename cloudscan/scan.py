"""A whole night's work in one call: collect, judge, record."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path

from cloudscan import collect as collecting
from cloudscan.collect import CollectOptions, Event
from cloudscan.connector import Connector, Cursor, Permission, Scope, Told
from cloudscan.judge import Params, judge
from cloudscan.ledger import Ledger
from cloudscan.report import Report
from cloudscan.rule import Rule
from cloudscan.snapshot import Snapshot


@dataclass(frozen=True)
class Restricted:
    """A connector that reads only some of its scopes.

    `only` and `skip` hold shell patterns on a scope's uid, name or account. `only` chooses where to begin; `skip` also
    leaves out scopes that turn up on the way.
    """

    inner: Connector
    only: Sequence[str] = ()
    skip: Sequence[str] = ()

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def permissions(self) -> Sequence[Permission]:
        return self.inner.permissions

    def scopes(self) -> Iterable[Scope]:
        chosen = (scope for scope in self.inner.scopes() if not self.only or _matches(scope, self.only))
        return (scope for scope in chosen if not _matches(scope, self.skip))

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Told]:
        for told in self.inner.collect(scope, since):
            if not (isinstance(told, Scope) and _matches(told, self.skip)):
                yield told


def _matches(scope: Scope, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in (scope.uid, scope.name, scope.account))


def tool() -> str:
    """Name and version, as reports carry it."""
    return f"cloudscan {version('cloudscan')}"


def new_folder(snapshots: Path, now: datetime) -> Path:
    """Where the next snapshot goes: an interrupted one that can be gone on with, or else a new folder."""
    unfinished = sorted(folder.parent for folder in snapshots.glob("*/spool") if not _finished(folder.parent))
    return unfinished[-1] if unfinished else snapshots / now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def latest_snapshot(snapshots: Path) -> Path | None:
    """The newest finished snapshot."""
    return max((folder.parent for folder in snapshots.glob("*/manifest.json")), default=None)


def _finished(folder: Path) -> bool:
    return (folder / "manifest.json").exists()


def scan(
    connectors: Sequence[Connector],
    rules: Sequence[Rule],
    *,
    into: Path,
    ledger: Ledger,
    organisation: str = "",
    params: Mapping[str, Mapping[str, bool | int | float | str]] | None = None,
    options: CollectOptions | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
) -> Report:
    """Read everything, judge it, enter it into the ledger. `into` is the snapshot's folder.

    Raises what `collect`, `judge` and `Ledger.record` raise. What a platform refuses is in the report's coverage.
    """
    with collecting.collect(connectors, into, options=options, on_event=on_event) as snapshot:
        return enter(snapshot, rules, ledger=ledger, organisation=organisation, params=params)


def enter(
    snapshot: Snapshot,
    rules: Sequence[Rule],
    *,
    ledger: Ledger,
    organisation: str = "",
    params: Params | None = None,
) -> Report:
    """Judge a snapshot and enter what came of it into the ledger."""
    verdicts = judge(snapshot, rules, params=params or {})
    return ledger.record(snapshot, verdicts, organisation=organisation, tool=tool())
