"""Collecting: ask connectors scope by scope, keep what they yield, seal it into a snapshot.

Everything that a connector's author could forget is done here: threads, retries, pauses, resuming, coverage. Workers
run connectors and write spool files; the caller's thread hands out scopes and reports events, so that `on_event` never
runs concurrently and Ctrl-C arrives where it is understood.

A scan has an end. Until then a platform that throttles is asked again, and what failed early, on the way to an answer,
is read once more after everything else. Before the snapshot is sealed, things that the ledger still has open findings
about and that no list named are asked for singly (`cloudscan.snapshot.recheck`).
"""

import itertools
import math
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

import duckdb

from cloudscan.connector import Connector, Cursor, Scope, Spent
from cloudscan.errors import (
    CloudscanError,
    ConfigurationError,
    Malformed,
    ProviderError,
    QuotaSpent,
    SnapshotError,
    StaleCursor,
    Throttled,
    Unreachable,
)
from cloudscan.facts import AnyFact, Fact, Gone, Outcome
from cloudscan.http.patience import Patience
from cloudscan.reason import Reason
from cloudscan.sentence import say
from cloudscan.snapshot import emptied, lock, recheck, spool
from cloudscan.snapshot.incremental import Earlier, EarlierScope, Replaced
from cloudscan.snapshot.retries import Pauses, Retry, Try, refusal_of, retry_after
from cloudscan.snapshot.seal import SealOptions, seal
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.snapshot.spool import ScanRecord, ScopeReport, SpoolWriter
from cloudscan.snapshot.translation import Translation
from cloudscan.text import first_line

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class CollectOptions:
    """How to ask, and what to record about it."""

    concurrency: int = 16  # scopes that are read at the same time
    patience: Patience = field(default_factory=lambda: Patience(longest=60.0, span=1800.0))  # for each scope
    earlier: Earlier | None = None  # a snapshot whose cursors are used: of scopes that it kept, only changes are read
    max_seconds: float | None = None  # the scan's length: what has not been read by then fails
    watch: Mapping[str, frozenset[str]] = field(default_factory=dict)  # by platform: uids that must not vanish unasked
    seal: SealOptions = field(default_factory=SealOptions)
    settings: Mapping[str, str] = field(default_factory=dict)  # for the manifest; no secrets
    translations: Mapping[str, Translation] = field(default_factory=dict)  # by platform, for the manifest
    clock: Callable[[], datetime] = spool.now


@dataclass(frozen=True, kw_only=True)
class Found:
    """There are further scopes to collect."""

    total: int  # known so far, including finished ones


@dataclass(frozen=True, kw_only=True)
class Began:
    """A worker started on a scope."""

    scope: Scope


@dataclass(frozen=True, kw_only=True)
class Retrying:
    """A scope will be asked again."""

    scope: Scope
    cause: str  # throttled, unreachable, stale cursor
    reason: str  # in words, which may contain names
    seconds: float  # until then
    attempt: int  # the one that failed


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A scope was read, or given up: `report` says how it went, `spool.facts(path)` gives its facts."""

    scope: Scope
    report: ScopeReport
    path: Path
    done: int
    total: int
    resumed: bool = False  # it was finished before this run began


@dataclass(frozen=True, kw_only=True)
class Sealing:
    """All scopes are finished; the snapshot is being made."""

    scopes: int


Event = Found | Began | Retrying | Finished | Sealing


@dataclass(frozen=True, kw_only=True)
class Read:
    """All scopes have been read, or given up: the spool has their reports."""

    scopes: int
    seen: AbstractSet[str] = frozenset()  # of the watched things, those that were read
    keep: Callable[[AbstractSet[str]], None] = lambda _: None  # for the next scan, but nothing of these platforms


class Reader(Protocol):
    """Reads all scopes of some connectors into a spool."""

    def __call__(
        self,
        connectors: Sequence[Connector],
        lines: Path,
        options: CollectOptions,
        on_event: Callable[[Event], None],
        /,
    ) -> Read:
        """Read what is not finished in the spool `lines`. Raises as `collect` does."""
        ...


def read_here(
    connectors: Sequence[Connector], lines: Path, options: CollectOptions, on_event: Callable[[Event], None]
) -> Read:
    """Read all scopes in threads of this process."""
    collecting = _Collecting(connectors, lines, options, on_event)
    return Read(scopes=collecting.run(), seen=collecting.seen)


def collect(
    connectors: Sequence[Connector],
    into: Path,
    *,
    options: CollectOptions | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
    read: Reader = read_here,
) -> Snapshot:
    """Read everything that the connectors reach into the folder `into` and open the snapshot. `read` says where.

    An interrupted scan in the folder is resumed: only scopes that are unfinished are read. Raises `ScanRunning` if
    another scan is running in the folder, `SnapshotError` if it contains a finished snapshot, and `ConfigurationError`
    as the connectors do. What a platform refuses becomes coverage and is never raised.
    """
    options = options or CollectOptions()
    with lock.exclusive(into):
        if (into / "manifest.json").exists():
            raise SnapshotError(
                say("{into} already contains a finished snapshot; choose another folder for a new scan.", into=into)
            )
        record = ScanRecord(
            id=uuid.uuid4().hex,
            started_on=options.clock(),
            connectors=[connector.name for connector in connectors],
            settings=options.settings,
            translations=options.translations,
        )
        begun = spool.begin(into / "spool", record)
        if sorted(begun.connectors) != sorted(record.connectors):
            before = ", ".join(begun.connectors)
            raise SnapshotError(
                say(
                    "{into} contains an interrupted scan of {before}; finish that one, or delete the folder.",
                    into=into,
                    before=before,
                )
            )
        try:
            done = read(connectors, into / "spool", options, on_event)
            suspect = recheck.vanished(connectors, options.watch, done.seen, into / "spool")
            lists = emptied.doubt(options.earlier.folder if options.earlier else None, into / "spool")
            on_event(Sealing(scopes=done.scopes))
            done.keep(suspect)
            unread = [
                report.scope.uid
                for report in spool.reports(into / "spool")
                if not report.is_whole or report.scope.platform in suspect
            ]

            def keep_more(snapshot: Path) -> None:
                if options.earlier:
                    options.earlier.pass_on(unread, snapshot)
                emptied.keep(lists, snapshot)

            seal(into, options.seal, clock=options.clock, suspect=suspect, keep_more=keep_more)
        except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
            raise SnapshotError(
                say(
                    "The snapshot {into} cannot be written ({error}). Free some space or repair the disk, "
                    "then run the same scan again: it will resume from here.",
                    into=into,
                    error=first_line(error),
                )
            ) from error
    return Snapshot.open(into)


class _Stopped(Exception):
    """The scan is being interrupted; the scope stays unfinished."""


@dataclass(frozen=True)
class _Task:
    connector: Connector
    scope: Scope


@dataclass(frozen=True)
class _Ended:
    """A scope's file is complete, whether the scope was read or given up."""

    task: _Task
    report: ScopeReport
    path: Path
    passing: bool = False  # it may well succeed later: it was throttled, or there was no answer


@dataclass(frozen=True)
class _Failure:
    """Something that no worker may swallow."""

    error: BaseException


class _Collecting:
    """One run over all scopes."""

    def __init__(
        self, connectors: Sequence[Connector], lines: Path, options: CollectOptions, on_event: Callable[[Event], None]
    ) -> None:
        self._connectors = connectors
        self._lines = lines
        self._options = options
        self._on_event = on_event
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._progress: queue.SimpleQueue[Began | Retrying | _Ended | _Failure] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._pauses = Pauses()
        self._begun = time.monotonic()
        self._ends = math.inf if options.max_seconds is None else self._begun + options.max_seconds
        self._seen: set[str] = set()
        self._late: dict[str, _Task] = {}  # what failed early and is read once more at the end, by uid
        self._again: set[str] = set()  # what is read once more
        self._done = 0
        self._watched = frozenset[str]().union(*options.watch.values())
        self.seen: set[str] = set()  # of the watched things, those that were read

    def run(self) -> int:
        workers = [
            threading.Thread(target=self._work, name=f"collect-{number}", daemon=True)
            for number in range(max(1, self._options.concurrency))
        ]
        for worker in workers:
            worker.start()
        try:
            self._begin()
            while self._done < len(self._seen):
                if self._done + len(self._late) == len(self._seen):
                    self._begin_again()
                self._advance(self._progress.get())
        finally:
            self._stop.set()
            for _ in workers:
                self._tasks.put(None)
            # A worker in the middle of a slow answer is not waited for: what it writes has no report and is dropped.
            deadline = time.monotonic() + 1.0
            for worker in workers:
                worker.join(timeout=max(0.0, deadline - time.monotonic()))
        return len(self._seen)

    def _begin(self) -> None:
        for connector in self._connectors:
            (self._lines / spool.file_name(platform_scope(connector.name).uid)).unlink(missing_ok=True)
        for connector, first in first_scopes(self._connectors):
            if isinstance(first, Scope):
                self._enqueue(connector, (first,))
            else:
                self._give_up(_Task(connector, platform_scope(connector.name)), first)

    def _give_up(self, task: _Task, error: ProviderError) -> None:
        self._seen.add(task.scope.uid)
        self._close(_Ended(task, *given_up(self._lines, task.scope, error)))

    def _begin_again(self) -> None:
        """Read once more what failed on the way to an answer, now that nothing else is left to do."""
        late, self._late = self._late, {}
        self._again.update(late)
        for task in late.values():
            self._tasks.put(task)

    def _enqueue(self, connector: Connector, scopes: Sequence[Scope]) -> None:
        """Queue scopes that were not named before; those finished in an earlier run count as done."""
        fresh = [scope for scope in {scope.uid: scope for scope in scopes}.values() if scope.uid not in self._seen]
        self._seen.update(scope.uid for scope in fresh)
        if fresh:
            self._on_event(Found(total=len(self._seen)))
        for scope in fresh:
            path = self._lines / spool.file_name(scope.uid)
            if (report := _finished_report(path)) is not None:
                self.seen.update(uid for uid in spool.uids(path) if uid in self._watched)
                self._close(_Ended(_Task(connector, scope), report, path), resumed=True)
            else:
                self._tasks.put(_Task(connector, scope))

    def _advance(self, progress: Began | Retrying | _Ended | _Failure) -> None:
        match progress:
            case _Failure():
                raise progress.error
            case _Ended() if progress.passing and self._is_worth_another_try(progress.task.scope):
                self._enqueue(progress.task.connector, progress.report.scopes)
                self._late[progress.task.scope.uid] = progress.task
            case _Ended():
                self._close(progress)
            case _:
                self._on_event(progress)

    def _is_worth_another_try(self, scope: Scope) -> bool:
        return scope.uid not in self._again and time.monotonic() < self._ends

    def _close(self, ended: _Ended, *, resumed: bool = False) -> None:
        self._enqueue(ended.task.connector, ended.report.scopes)
        self._done += 1
        self._on_event(
            Finished(
                scope=ended.task.scope,
                report=ended.report,
                path=ended.path,
                done=self._done,
                total=len(self._seen),
                resumed=resumed,
            )
        )

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None and not self._stop.is_set():
            try:
                self._progress.put(self._scope(task))
            except _Stopped:
                return
            except BaseException as error:  # noqa: BLE001 - a full disk, a bug of ours: raised in the caller's thread
                self._progress.put(_Failure(error))
                return

    def _scope(self, task: _Task) -> _Ended:
        """Read one scope to the end, with as many attempts as it is worth."""
        scope = task.scope
        if time.monotonic() > self._ends:
            with SpoolWriter(self._lines, scope) as writer:
                return _Ended(task, *writer.finish(Outcome.FAILED, self._out_of_time()))
        self._progress.put(Began(scope=scope))
        earlier, note = self._earlier(scope.uid)
        spent = Spent(requests=0)
        begun = time.monotonic()
        for attempt in itertools.count(1):
            self._rest(self._pauses.remaining(scope.platform))
            with SpoolWriter(self._lines, scope, spent, watched=self._watched) as writer:
                outcome = self._attempt(task, writer, Try(attempt, time.monotonic() - begun), earlier, note)
                self.seen.update(writer.watched_seen)
            if isinstance(outcome, _Ended):
                return outcome
            if outcome.cause == "stale cursor":
                earlier, note = None, outcome.why
            spent = writer.spent
            self._progress.put(
                Retrying(
                    scope=scope, cause=outcome.cause, reason=outcome.reason, seconds=outcome.seconds, attempt=attempt
                )
            )
            self._rest(outcome.seconds)
        raise AssertionError("attempts are counted without end")

    def _earlier(self, scope_uid: str) -> tuple[EarlierScope | None, Reason | None]:
        """The scope as it was read before, and why it is to be read in full although something was kept."""
        if self._options.earlier is None:
            return None, None
        try:
            return self._options.earlier.of(scope_uid), None
        except StaleCursor as damaged:
            return None, damaged.reason

    def _out_of_time(self) -> Reason:
        return Reason(code="out-of-time", values={"seconds": f"{self._options.max_seconds:g}"})

    def _attempt(
        self, task: _Task, writer: SpoolWriter, attempt: Try, earlier: EarlierScope | None, note: Reason | None
    ) -> _Ended | Retry:
        """Try once; `note` becomes the reason of a scope that was read. Whatever it costs is in the writer."""
        platform = task.scope.platform
        try:
            self._pauses.check(platform)
            self._read(task, writer, earlier)
        except CloudscanError as error:
            retry = retry_after(error, attempt, self._options.patience, incremental=earlier is not None)
            if isinstance(error, QuotaSpent):
                self._pauses.close(platform, error)
            if retry is None or time.monotonic() + retry.seconds > self._ends:
                passing = isinstance(error, Throttled | Unreachable)
                return _Ended(task, *writer.finish(*refusal_of(error)), passing=passing)
            if retry.cause == "throttled":
                self._pauses.pause(platform, retry.seconds)
            return retry
        except MemoryError:
            return _Ended(task, *writer.finish(Outcome.FAILED, Reason(code="out-of-memory")))
        report, path = writer.finish(reason=note)
        return _Ended(task, report, path, passing=any(gap.passing for gap in report.gaps))

    def _read(self, task: _Task, writer: SpoolWriter, earlier: EarlierScope | None) -> None:
        replaced = Replaced()
        named: set[str] = set()
        latest: Cursor | None = None  # without a new cursor nothing vouches for what was read before
        cursor = earlier.cursor if earlier else None
        for item in _guarded(task.connector, lambda: task.connector.collect(task.scope, cursor)):
            if self._stop.is_set():
                raise _Stopped
            if time.monotonic() > self._ends:
                raise Malformed("out-of-time", seconds=f"{self._options.max_seconds:g}")
            if isinstance(item, Fact):
                if earlier:
                    replaced.by(item)
                    named.update(_principals_named_in(item))
                if not isinstance(item, Gone):
                    writer.fact(item)
            else:
                writer.add(item)
                latest = item if isinstance(item, Cursor) else latest
        if earlier and latest and not latest.whole:
            writer.mark_incremental()
            for line in earlier.lines(replaced, named):
                writer.line(line)
            for gap in earlier.gaps(replaced):
                writer.add(gap)

    def _rest(self, seconds: float) -> None:
        if seconds > 0 and self._stop.wait(seconds):
            raise _Stopped


def platform_scope(platform: str) -> Scope:
    """The platform itself: the scope that failed where not even the first scopes can be listed."""
    return Scope(uid=f"{platform}:", platform=platform, kind="platform", name=platform)


def first_scopes(connectors: Sequence[Connector]) -> Iterator[tuple[Connector, Scope | ProviderError]]:
    """The scopes to begin with; an error for a platform that does not list its own.

    Raises `ConfigurationError`, at the end, if no platform can be used as it is configured.
    """
    unusable: list[ConfigurationError] = []
    for connector in connectors:
        try:
            for scope in _guarded(connector, connector.scopes):
                yield connector, scope
        except ConfigurationError as error:
            unusable.append(error)
            yield connector, Malformed("cannot-open", quote=str(error))
        except ProviderError as error:
            yield connector, error
    if unusable and len(unusable) == len(connectors):
        raise unusable[0]


def given_up(lines: Path, scope: Scope, error: ProviderError) -> tuple[ScopeReport, Path]:
    """Write that a scope could not be read; gives its report and its file."""
    with SpoolWriter(lines, scope) as writer:
        return writer.finish(*refusal_of(error))


def _finished_report(path: Path) -> ScopeReport | None:
    """The report of a scope that an interrupted run finished; None if there is none, or it was cut off."""
    try:
        return spool.report_of(path)
    except (FileNotFoundError, SnapshotError):
        return None


def _principals_named_in(fact: AnyFact) -> Iterator[str]:
    for column in ("principal_uid", "owner_uid", "group_uid", "member_uid"):
        if uid := getattr(fact, column, None):
            yield uid


def _guarded(connector: Connector, call: Callable[[], Iterable[Item]]) -> Iterator[Item]:
    """What the connector yields. Its own bugs become `Malformed`, so that they cost a scope and never the scan."""
    try:
        yield from call()
    except (CloudscanError, MemoryError):
        raise
    except Exception as error:  # a plugin's code: whatever it raises ends here
        raise Malformed(
            "connector-failed", connector=connector.name, error=type(error).__name__, quote=first_line(error)
        ) from error
