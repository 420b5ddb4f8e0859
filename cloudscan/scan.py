"""A whole night's work in one call: collect, judge, record."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import ClassVar

import msgspec

from cloudscan import collect as collecting
from cloudscan import judged
from cloudscan.collect import CollectOptions, Event
from cloudscan.connector import Connector, Cursor, Gap, Permission, Scope, Told
from cloudscan.facts import Outcome
from cloudscan.judge import Params, judge
from cloudscan.ledger import Ledger
from cloudscan.report import Report
from cloudscan.rule import Rule
from cloudscan.seal import Manifest
from cloudscan.snapshot import Snapshot
from cloudscan.spool import WHOLE


def restricted(inner: Connector, only: Sequence[str] = (), skip: Sequence[str] = ()) -> Connector:
    """A connector that reads only some of its scopes.

    `only` and `skip` hold shell patterns on a scope's uid, name or account. `only` chooses where to begin; `skip` also
    leaves out scopes that turn up on the way, and says so: what is in them is not gone.
    """

    class Restricted:
        name: ClassVar[str] = inner.name
        permissions: ClassVar[Sequence[Permission]] = inner.permissions

        def scopes(self) -> Iterable[Scope]:
            chosen = (scope for scope in inner.scopes() if not only or _matches(scope, only))
            return (scope for scope in chosen if not _matches(scope, skip))

        def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Told]:
            for told in inner.collect(scope, since):
                if isinstance(told, Scope) and _matches(told, skip):
                    yield Gap(table=WHOLE, outcome=Outcome.SKIPPED, reason=f"{told.name} is left out on request")
                else:
                    yield told

    return Restricted()


def _matches(scope: Scope, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in (scope.uid, scope.name, scope.account))


def new_folder(snapshots: Path, now: datetime) -> Path:
    """Where the next snapshot goes: an interrupted one that can be gone on with, or else a new folder."""
    unfinished = sorted(folder.parent for folder in snapshots.glob("*/spool") if not _finished(folder.parent))
    return unfinished[-1] if unfinished else snapshots / now.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def latest_snapshot(snapshots: Path) -> Path | None:
    """The newest finished snapshot."""
    return max((folder.parent for folder in snapshots.glob("*/manifest.json")), default=None)


def snapshot_of(snapshots: Path, scan_id: str) -> Path | None:
    """The snapshot of a scan, as long as it is kept."""
    for manifest in sorted(snapshots.glob("*/manifest.json"), reverse=True):
        if _scan_id(manifest) == scan_id:
            return manifest.parent
    return None


def _scan_id(manifest: Path) -> str:
    try:
        return msgspec.json.decode(manifest.read_bytes(), type=Manifest).scan.id
    except (OSError, msgspec.MsgspecError):
        return ""  # of another version; it belongs to none of our scans


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
        if options and options.earlier:
            options.earlier.forget()
        return enter(snapshot, rules, ledger=ledger, organisation=organisation, params=params)


def enter(
    snapshot: Snapshot,
    rules: Sequence[Rule],
    *,
    ledger: Ledger,
    organisation: str = "",
    params: Params | None = None,
) -> Report:
    """Judge a snapshot, enter what came of it into the ledger, and keep beside the snapshot what it was judged by."""
    verdicts = judge(snapshot, rules, params=params or {})
    report = ledger.record(snapshot, verdicts, organisation=organisation)
    judged.keep(snapshot.path, rules, params or {}, report)
    return report
