"""A nightly scan in one call: collect, judge, record, and finish what interrupted runs left."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cloudscan.connector import Connector
from cloudscan.engine import judging_record
from cloudscan.engine.judge import Params, judge
from cloudscan.engine.rule_file import Rule
from cloudscan.errors import ConfigurationError, LedgerError, SnapshotError
from cloudscan.ledger.ledger import Ledger
from cloudscan.nightly import selection
from cloudscan.nightly.repair import refuse_wrong_clock
from cloudscan.nightly.selection import ScopeSelection
from cloudscan.report import Report
from cloudscan.snapshot import collect as collecting
from cloudscan.snapshot import store
from cloudscan.snapshot.collect import CollectOptions, Event, Reader, read_here
from cloudscan.snapshot.incremental import Earlier
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.snapshot.store import Scanned


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
    verdicts = judge(snapshot, rules, timezone=ledger.timezone, params=params or {})
    frameworks = judging_record.frameworks_of(rules)
    report = ledger.record(snapshot, verdicts, organisation=organisation, frameworks=frameworks)
    judging_record.keep(snapshot.path, rules, params or {}, report)
    return report


def _watched(ledger: Ledger) -> Mapping[str, frozenset[str]]:
    """The uids that the ledger has open findings about, by platform. Without a ledger to ask, none: reading goes on."""
    try:
        subjects = ledger.open_subjects()
    except LedgerError:
        return {}
    return {platform: frozenset(subject.uid for subject in some) for platform, some in subjects.items()}


def _earlier(folder: Path, scanned: Scanned) -> Earlier:
    """What the last snapshot kept, but of platforms that are translated in another way now."""
    manifest = store.manifest_of(folder)
    return Earlier(folder=folder, outdated=scanned.differing_from(manifest) if manifest else frozenset())


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
    chosen: ScopeSelection | None = None,
    full: bool = False,
    on_event: Callable[[Event], None] = lambda _: None,
    read: Reader = read_here,
) -> Report:
    """Read everything into the folder `snapshots`, record it in the ledger, and pass the report to `publish`.

    What an earlier run left is finished first: an interrupted scan is resumed; one that was read but not recorded is
    recorded, and replaces this scan if it is fresh (`cloudscan.snapshot.store`). A scan is done when its report is
    published. Unless `full`, only changes are requested where the last snapshot has cursors. Raises as `scan` does.

    `chosen` restricts what is read. Where it matches nothing, nothing is recorded; a part of it that matches nothing is
    an error after the report of the others is published: both raise `ConfigurationError`. `read` says where it is read.
    """
    options, chosen = options or CollectOptions(), chosen or ScopeSelection()
    if chosen:
        connectors = [selection.restricted(connector, chosen) for connector in connectors]
    answered = refuse_wrong_clock(ledger, snapshots, now)
    scanned = Scanned(
        connectors=[connector.name for connector in connectors],
        settings=options.settings,
        translations=options.translations,
    )
    waiting = store.due(snapshots)
    with ExitStack() as opened:
        if not waiting or not store.is_fresh(waiting[-1], now, scanned):
            folder = store.new_folder(snapshots, now, scanned)
            store.owe(folder)
            last = None if full else store.latest_snapshot(snapshots)
            earlier = _earlier(last, scanned) if last else None
            # What is left out on request is not read on purpose, and must not be asked for.
            asked = replace(options, earlier=earlier, watch=_watched(ledger) if answered and not chosen else {})
            newest = opened.enter_context(
                collecting.collect(connectors, folder, options=asked, on_event=on_event, read=read)
            )
            if earlier:
                earlier.forget()
            unmatched = chosen.unmatched(newest.coverage())
            if chosen.only and set(chosen.only) <= set(unmatched):
                problem = selection.fault(unmatched, newest.coverage())
                opened.close()
                shutil.rmtree(folder)
                raise ConfigurationError(problem)
            waiting.append(folder)
        else:
            newest = opened.enter_context(Snapshot.open(waiting[-1]))
            unmatched = chosen.unmatched(newest.coverage())
        problem = selection.fault(unmatched, newest.coverage())
        for late in waiting[:-1]:
            with suppress(SnapshotError), Snapshot.open(late) as snapshot:
                if ledger.awaits(snapshot.scan.started_on):
                    record(snapshot, rules, ledger=ledger, organisation=organisation, params=params)
            store.done(late)
        report = record(newest, rules, ledger=ledger, organisation=organisation, params=params)
    publish(report)
    store.done(waiting[-1])
    if problem:
        raise ConfigurationError(problem)
    return report
