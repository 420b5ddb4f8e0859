"""A nightly scan in one call: collect, judge, record, and finish what interrupted runs left."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import ClassVar

from cloudscan.connector import Connector, Cursor, Gap, Hidden, Permission, Scope, Yielded
from cloudscan.engine import judging_record
from cloudscan.engine.judge import Params, judge
from cloudscan.engine.rule_file import Rule
from cloudscan.errors import SnapshotError
from cloudscan.facts import Outcome
from cloudscan.ledger.ledger import Ledger
from cloudscan.reason import Reason
from cloudscan.report import Report
from cloudscan.snapshot import collect as collecting
from cloudscan.snapshot import store
from cloudscan.snapshot.collect import CollectOptions, Event
from cloudscan.snapshot.incremental import Earlier
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.snapshot.spool import WHOLE
from cloudscan.snapshot.store import Scanned


def restricted(inner: Connector, only: Sequence[str] = (), skip: Sequence[str] = ()) -> Connector:
    """A connector that reads only some of its scopes.

    `only` and `skip` are shell patterns for a scope's uid, name or account. `only` chooses where to begin; `skip` also
    leaves out scopes that are discovered later, as gaps: their contents do not count as gone.
    """

    class Restricted:
        name: ClassVar[str] = inner.name
        permissions: ClassVar[Sequence[Permission]] = inner.permissions

        def scopes(self) -> Iterable[Scope]:
            chosen = (scope for scope in inner.scopes() if not only or _matches(scope, only))
            return (scope for scope in chosen if not _matches(scope, skip))

        def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
            for fact in inner.collect(scope, since):
                if isinstance(fact, Scope) and _matches(fact, skip):
                    yield Gap(
                        table=WHOLE,
                        outcome=Outcome.SKIPPED,
                        reason=Reason(code="left-out", values={"name": fact.name}),
                        resource_uid=fact.uid,
                        hides=fact.hides or (Hidden(table=WHOLE, below=fact.uid),),
                    )
                else:
                    yield fact

    return Restricted()


def _matches(scope: Scope, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in (scope.uid, scope.name, scope.account))


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
    """Read everything, judge it, record it in the ledger. `into` is the snapshot's folder.

    Raises what `collect`, `judge` and `Ledger.record` raise. What a platform refuses is in the report's coverage.
    """
    with collecting.collect(connectors, into, options=options, on_event=on_event) as snapshot:
        if options and options.earlier:
            options.earlier.forget()
        return record(snapshot, rules, ledger=ledger, organisation=organisation, params=params)


def record(
    snapshot: Snapshot,
    rules: Sequence[Rule],
    *,
    ledger: Ledger,
    organisation: str = "",
    params: Params | None = None,
) -> Report:
    """Judge a snapshot, record the verdicts in the ledger, and store beside the snapshot what it was judged by."""
    verdicts = judge(snapshot, rules, params=params or {})
    report = ledger.record(snapshot, verdicts, organisation=organisation)
    judging_record.keep(snapshot.path, rules, params or {}, report)
    return report


def run_nightly(
    connectors: Sequence[Connector],
    rules: Sequence[Rule],
    *,
    snapshots: Path,
    ledger: Ledger,
    publish: Callable[[Report], None],
    now: datetime,
    organisation: str = "",
    params: Params | None = None,
    options: CollectOptions | None = None,
    full: bool = False,
    on_event: Callable[[Event], None] = lambda _: None,
) -> Report:
    """Read everything into the folder `snapshots`, record it in the ledger, and pass the report to `publish`.

    What an earlier run left is finished first: an interrupted scan is resumed; one that was read but not recorded is
    recorded, and replaces this scan if it is fresh (`cloudscan.snapshot.store`). A scan is done when its report is
    published. Unless `full`, only changes are requested where the last snapshot has cursors. Raises as `scan` does.
    """
    options = options or CollectOptions()
    scanned = Scanned(connectors=[connector.name for connector in connectors], settings=options.settings)
    waiting = store.due(snapshots)
    with ExitStack() as opened:
        if not waiting or not store.is_fresh(waiting[-1], now, scanned):
            folder = store.new_folder(snapshots, now, scanned)
            store.owe(folder)
            last = None if full else store.latest_snapshot(snapshots)
            earlier = Earlier(folder=last) if last else None
            asked = replace(options, earlier=earlier)
            newest = opened.enter_context(collecting.collect(connectors, folder, options=asked, on_event=on_event))
            if earlier:
                earlier.forget()
            waiting.append(folder)
        else:
            newest = opened.enter_context(Snapshot.open(waiting[-1]))
        for late in waiting[:-1]:
            with suppress(SnapshotError), Snapshot.open(late) as snapshot:
                if ledger.awaits(snapshot.scan.started_on):
                    record(snapshot, rules, ledger=ledger, organisation=organisation, params=params)
            store.done(late)
        report = record(newest, rules, ledger=ledger, organisation=organisation, params=params)
    publish(report)
    store.done(waiting[-1])
    return report
