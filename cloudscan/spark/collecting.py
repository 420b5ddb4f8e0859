"""Collecting on many machines: every budget's scopes are read on one, and the driver puts together what counts.

The driver lists the first scopes, hands them out by the owner of the limit on requests, and does so again for scopes
that these lead to in other budgets, until there are none. What each machine has read comes through the shared store,
never through Spark. A scan that is started again finds there what was read before.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from cloudscan.connector import Connector, Scope
from cloudscan.errors import SnapshotError
from cloudscan.files import open_private
from cloudscan.sentence import say
from cloudscan.snapshot import spool
from cloudscan.snapshot.collect import CollectOptions, Event, Finished, Found, Read, first_scopes, given_up
from cloudscan.snapshot.collect import platform_scope as whole_platform
from cloudscan.snapshot.spool import ScopeReport
from cloudscan.spark import runs
from cloudscan.spark.reading import Errand, budget_of, watched_key
from cloudscan.spark.runs import Done, Partition, ReportLine, Run, RunManifest
from cloudscan.store import Store

CarryOut = Callable[[Errand, Sequence[str]], None]
"""Has partitions read, by id, each on some machine. Raises `SnapshotError` if not all of them were."""

OnEvent = Callable[[Event], None]
_line = msgspec.json.Decoder(ReportLine)


@dataclass(frozen=True, kw_only=True)
class ReadOnMachines:
    """Reads all scopes on many machines; a `cloudscan.snapshot.collect.Reader`."""

    carry_out: CarryOut
    open_store: Callable[[], Store]  # on any machine; what it is made of is sent there
    open_connector: Callable[[str], Connector]  # by platform, likewise
    full: bool = False  # ignore what earlier runs kept

    def __call__(
        self, connectors: Sequence[Connector], lines: Path, options: CollectOptions, on_event: OnEvent, /
    ) -> Read:
        """Raises `ScanRunning` if another scan uses the store, `SnapshotError` if it refuses or not all was read."""
        store = self.open_store()
        record = spool.record_of(lines)
        run = runs.begin(store, record, options.clock())
        errand = self._errand(run, options)
        for platform, uids in options.watch.items():
            store.write(watched_key(run, platform), msgspec.json.encode(sorted(uids)))
        gathered = _Gathered(run, lines, on_event)
        gathered.begin(connectors)
        for done in run.settled():
            gathered.take(done, resumed=True)
        while waiting := gathered.waiting():
            partitions = gathered.partitions_of(waiting)
            for partition in partitions:
                run.plan(partition)
            self.carry_out(errand, [partition.id for partition in partitions])
            by_id = {done.partition: done for done in run.settled()}
            for partition in partitions:
                gathered.take(by_id[partition.id])

        def keep(suspect: AbstractSet[str]) -> None:
            manifest = RunManifest(
                scan=record.id,
                started_on=record.started_on,
                connectors=record.connectors,
                partitions=sorted(gathered.partitions),
                suspect=sorted(suspect),
                settings=record.settings,
                translations=record.translations,
            )
            run.finish(manifest)

        return Read(scopes=len(gathered.known), seen=frozenset(gathered.seen), keep=keep)

    def _errand(self, run: Run, options: CollectOptions) -> Errand:
        before = None if self.full else runs.last_whole(run.store)
        outdated: frozenset[str] = frozenset()
        if before:
            was, now = before[1].translations, options.translations
            changed = {platform for platform in was.keys() | now.keys() if was.get(platform) != now.get(platform)}
            outdated = frozenset({*changed, *before[1].suspect})
        return Errand(
            open_store=self.open_store,
            open_connector=self.open_connector,
            run=run.number,
            earlier=before[0].number if before else 0,
            outdated=outdated,
            concurrency=options.concurrency,
            patience=options.patience,
            ends=None if options.max_seconds is None else time.time() + options.max_seconds,
        )


@dataclass
class _Gathered:
    """What a run has come to so far. Scopes are known by their uid."""

    run: Run
    lines: Path
    on_event: OnEvent
    known: dict[str, Scope] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    partitions: set[str] = field(default_factory=set)  # that count
    left_aside: set[str] = field(default_factory=set)  # those that do not
    seen: set[str] = field(default_factory=set)

    def begin(self, connectors: Sequence[Connector]) -> None:
        """List the first scopes."""
        for platform in (connector.name for connector in connectors):
            (self.lines / spool.file_name(whole_platform(platform).uid)).unlink(missing_ok=True)
        for connector, first in first_scopes(connectors):
            if isinstance(first, Scope):
                self._know((first,))
            else:
                scope = whole_platform(connector.name)
                self._know((scope,))
                report, path = given_up(self.lines, scope, first)
                self._finish(report, path)

    def waiting(self) -> Sequence[Scope]:
        """The scopes that nobody has read."""
        return [scope for uid, scope in self.known.items() if uid not in self.finished]

    def partitions_of(self, scopes: Sequence[Scope]) -> Sequence[Partition]:
        """One for each budget. The same scopes have the same id, by which a machine finds what was read already."""
        waiting, finished = _by_budget(scopes), _by_budget(self.known[uid] for uid in self.finished)
        return [
            Partition(
                id=_digest([platform, budget, *sorted(scope.uid for scope in some), str(len(self.left_aside))]),
                platform=platform,
                budget=budget,
                scopes=some,
                finished=[scope.uid for scope in finished.get((platform, budget), ())],
            )
            for (platform, budget), some in sorted(waiting.items())
        ]

    def take(self, done: Done, *, resumed: bool = False) -> None:
        """Take over what a partition has read, unless it has a scope that another one has read, too.

        That happens where machines of a run that was broken off went on by themselves.
        """
        if done.partition in self.partitions | self.left_aside:
            return
        read = list(self._lines_of(done))
        reports = [line for line in read if isinstance(line, ScopeReport)]
        if any(report.scope.uid in self.finished for report in reports):
            self.left_aside.add(done.partition)
            return
        target = self.lines / f"{done.partition}.parquet"
        if not self.run.store.download(done.lines, target):
            raise SnapshotError(
                say(
                    "{key} is missing from the store {url}. Remove {marker} there, too, and run the same scan again.",
                    key=done.lines,
                    url=self.run.store.url,
                    marker=self.run.marker(done.partition),
                )
            )
        self.partitions.add(done.partition)
        self.seen.update(done.seen)
        self._know([report.scope for report in reports])
        self._know([line for line in read if isinstance(line, Scope)])
        for report in reports:
            path = self.lines / spool.file_name(report.scope.uid)
            with open_private(path) as file:
                file.write(msgspec.json.encode(report) + b"\n")
            self._finish(report, path, resumed=resumed)

    def _lines_of(self, done: Done) -> Iterator[ReportLine]:
        content = self.run.store.read(done.reports) or b""
        return (_line.decode(line) for line in content.splitlines())

    def _know(self, scopes: Sequence[Scope]) -> None:
        fresh = {scope.uid: scope for scope in scopes if scope.uid not in self.known}
        self.known.update(fresh)
        if fresh:
            self.on_event(Found(total=len(self.known)))

    def _finish(self, report: ScopeReport, path: Path, *, resumed: bool = False) -> None:
        self.finished.add(report.scope.uid)
        self.on_event(
            Finished(
                scope=report.scope,
                report=report,
                path=path,
                done=len(self.finished),
                total=len(self.known),
                resumed=resumed,
            )
        )


def _by_budget(scopes: Iterable[Scope]) -> Mapping[tuple[str, str], list[Scope]]:
    by_budget: dict[tuple[str, str], list[Scope]] = {}
    for scope in scopes:
        by_budget.setdefault(budget_of(scope), []).append(scope)
    return by_budget


def _digest(words: Sequence[str]) -> str:
    return hashlib.sha256(msgspec.json.encode(words)).hexdigest()[:24]
