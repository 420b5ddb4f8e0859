"""Collecting: ask connectors scope by scope, keep what they tell, seal it into a snapshot.

Everything that a connector's author could forget stands here: threads, retries, pauses, resume, coverage. Workers run
connectors and write spool files; the caller's thread hands out scopes and reports events, so that
`on_event` never runs twice at a time and Ctrl-C arrives where it is understood.
"""

import queue
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb

from cloudscan.connector import Connector, Cursor, Scope, Spent, Yielded
from cloudscan.errors import (
    AccessDenied,
    CloudscanError,
    Malformed,
    ProviderError,
    QuotaSpent,
    SnapshotError,
    StaleCursor,
    Throttled,
    Unreachable,
)
from cloudscan.facts import AnyFact, Fact, Gone, Outcome
from cloudscan.snapshot import lock, spool
from cloudscan.snapshot.incremental import Earlier, EarlierScope, Replaced
from cloudscan.snapshot.seal import SealOptions, seal
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.snapshot.spool import ScanRecord, ScopeReport, SpoolWriter


@dataclass(frozen=True, kw_only=True)
class CollectOptions:
    """How hard to ask."""

    concurrency: int = 16  # scopes in work at the same time
    attempts: int = 5  # for one scope, where the platform gave no answer or asked for a pause
    pause: float = 1.0  # seconds before the second attempt; doubles each time, with jitter
    longest_pause: float = 60.0
    earlier: Earlier | None = None  # a snapshot to go on from: of scopes that it kept, only changes are asked for
    max_seconds: float | None = None  # the budget: scopes not begun by then fail, and say so
    seal: SealOptions = field(default_factory=SealOptions)
    settings: Mapping[str, str] = field(default_factory=dict)  # for the manifest; no secrets
    clock: Callable[[], datetime] = spool.now


@dataclass(frozen=True, kw_only=True)
class Found:
    """There are further scopes to collect."""

    total: int  # known so far, finished ones too


@dataclass(frozen=True, kw_only=True)
class Began:
    """A worker took up a scope."""

    scope: Scope


@dataclass(frozen=True, kw_only=True)
class Retrying:
    """A scope will be asked again."""

    scope: Scope
    cause: str  # throttled, unreachable, stale cursor
    reason: str  # in words, which may hold names
    seconds: float  # until then
    attempt: int  # the one that failed


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A scope is told, or given up: `report` says how it went, `cloudscan.spool.facts(path)` what it told."""

    scope: Scope
    report: ScopeReport
    path: Path
    done: int
    total: int
    resumed: bool = False  # it had been told before this run began


@dataclass(frozen=True, kw_only=True)
class Sealing:
    """All scopes are told; the snapshot is being made."""

    scopes: int


Event = Found | Began | Retrying | Finished | Sealing


def collect(
    connectors: Sequence[Connector],
    into: Path,
    *,
    options: CollectOptions | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
) -> Snapshot:
    """Read everything that the connectors reach into the folder `into` and open the snapshot.

    A folder that holds an interrupted scan is gone on with: only scopes that are still open are asked for. Raises
    `ScanRunning` where another scan works in the folder, `SnapshotError` where it holds a finished snapshot, and
    `ConfigurationError` as the connectors do. What a platform refuses becomes coverage and is never raised.
    """
    options = options or CollectOptions()
    with lock.hold(into):
        if (into / "manifest.json").exists():
            raise SnapshotError(f"{into} holds a finished snapshot; choose another folder for a new scan.")
        record = ScanRecord(
            id=uuid.uuid4().hex,
            started_on=options.clock(),
            connectors=[connector.name for connector in connectors],
            settings=options.settings,
        )
        kept = spool.begin(into / "spool", record)
        if sorted(kept.connectors) != sorted(record.connectors):
            before = ", ".join(kept.connectors)
            raise SnapshotError(f"{into} holds an interrupted scan of {before}; finish that one, or delete the folder.")
        try:
            total = _Collecting(connectors, into / "spool", options, on_event).run()
            on_event(Sealing(scopes=total))
            unread = [each.scope.uid for each in spool.reports(into / "spool") if each.outcome is not Outcome.COMPLETE]
            seal(into, options.seal, clock=options.clock)
            if options.earlier:
                options.earlier.hand_on(unread, into)
        except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
            raise SnapshotError(
                f"The snapshot {into} cannot be written ({_words(error)}). Make room or mend the disk, then run the "
                "same scan again: it goes on from here."
            ) from error
    return Snapshot.open(into)


class _Stopped(Exception):
    """The scan is being interrupted; the scope stays open."""


@dataclass(frozen=True)
class _Task:
    connector: Connector
    scope: Scope


@dataclass(frozen=True)
class _Failure:
    """Something that no worker may swallow."""

    error: BaseException


class _Pauses:
    """Until when each platform wants to be left alone, and which ones for the rest of this run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}
        self._closed: dict[str, QuotaSpent] = {}

    def close(self, platform: str, why: QuotaSpent) -> None:
        with self._lock:
            self._closed[platform] = why

    def check(self, platform: str) -> None:
        """Raise `QuotaSpent` where nothing is to be asked any more."""
        if why := self._closed.get(platform):
            raise why

    def pause(self, platform: str, seconds: float) -> None:
        with self._lock:
            self._until[platform] = max(self._until.get(platform, 0.0), time.monotonic() + seconds)

    def left(self, platform: str) -> float:
        with self._lock:
            return self._until.get(platform, 0.0) - time.monotonic()


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
        self._news: queue.SimpleQueue[Began | Retrying | tuple[_Task, ScopeReport, Path] | _Failure] = (
            queue.SimpleQueue()
        )
        self._stop = threading.Event()
        self._pauses = _Pauses()
        self._begun = time.monotonic()
        self._seen: set[str] = set()
        self._done = 0

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
                self._hear(self._news.get())
        finally:
            self._stop.set()
            for _ in workers:
                self._tasks.put(None)
            # A worker in the middle of a slow answer is not waited for: what it writes has no report and is dropped.
            patience = time.monotonic() + 1.0
            for worker in workers:
                worker.join(timeout=max(0.0, patience - time.monotonic()))
        return len(self._seen)

    def _begin(self) -> None:
        for connector in self._connectors:
            # Where not even the beginning can be read, the platform itself is the scope that failed.
            whole = Scope(uid=f"{connector.name}:", platform=connector.name, kind="platform", name=connector.name)
            (self._lines / spool.file_name(whole.uid)).unlink(missing_ok=True)
            try:
                for scope in connector.scopes():
                    self._enqueue(connector, (scope,))
            except ProviderError as error:
                self._seen.add(whole.uid)
                with SpoolWriter(self._lines, whole) as pen:
                    report, path = pen.finish(*_refusal(error))
                self._close(_Task(connector, whole), report, path)

    def _enqueue(self, connector: Connector, scopes: Sequence[Scope]) -> None:
        """Queue scopes that nobody named before; ones told in an earlier run count as done."""
        fresh = [scope for scope in {scope.uid: scope for scope in scopes}.values() if scope.uid not in self._seen]
        self._seen.update(scope.uid for scope in fresh)
        if fresh:
            self._on_event(Found(total=len(self._seen)))
        for scope in fresh:
            path = self._lines / spool.file_name(scope.uid)
            if (report := _told_before(path)) is not None:
                self._close(_Task(connector, scope), report, path, resumed=True)
            else:
                self._tasks.put(_Task(connector, scope))

    def _hear(self, news: "Began | Retrying | tuple[_Task, ScopeReport, Path] | _Failure") -> None:
        if isinstance(news, _Failure):
            raise news.error
        if isinstance(news, tuple):
            self._close(*news)
        else:
            self._on_event(news)

    def _close(self, task: _Task, report: ScopeReport, path: Path, *, resumed: bool = False) -> None:
        self._enqueue(task.connector, report.scopes)
        self._done += 1
        self._on_event(
            Finished(
                scope=task.scope, report=report, path=path, done=self._done, total=len(self._seen), resumed=resumed
            )
        )

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None and not self._stop.is_set():
            try:
                self._news.put((task, *self._scope(task)))
            except _Stopped:
                return
            except BaseException as error:  # noqa: BLE001 - a full disk, a bug of ours: raised in the caller's thread
                self._news.put(_Failure(error))
                return

    def _scope(self, task: _Task) -> tuple[ScopeReport, Path]:
        """Tell one scope to the end, with as many attempts as it is worth."""
        options, scope = self._options, task.scope
        if options.max_seconds is not None and time.monotonic() - self._begun > options.max_seconds:
            with SpoolWriter(self._lines, scope) as pen:
                reason = f"not begun within the budget of {options.max_seconds:g} seconds"
                return pen.finish(Outcome.FAILED, reason)
        self._news.put(Began(scope=scope))
        earlier = options.earlier.of(scope.uid) if options.earlier else None
        note, spent = "", Spent(requests=0)
        for attempt in range(1, options.attempts + 2):  # one more: a cursor that is stale fails no attempt
            self._rest(self._pauses.left(scope.platform))
            with SpoolWriter(self._lines, scope, spent) as pen:
                try:
                    self._pauses.check(scope.platform)
                    self._tell(task, pen, earlier)
                    return pen.finish(reason=note)
                except QuotaSpent as error:
                    self._pauses.close(scope.platform, error)
                    return pen.finish(*_refusal(error))
                except StaleCursor as error:
                    if earlier is None and attempt >= options.attempts:
                        return pen.finish(*_refusal(error))
                    earlier, note = None, f"read in full: {_words(error)}"
                    seconds, cause, reason = 0.0, "stale cursor", note
                except (Throttled, Unreachable) as error:
                    if attempt >= options.attempts:
                        return pen.finish(*_refusal(error))
                    seconds, cause, reason = self._seconds(attempt, error), "unreachable", _words(error)
                    if isinstance(error, Throttled):
                        cause = "throttled"
                        self._pauses.pause(scope.platform, seconds)
                except CloudscanError as error:
                    return pen.finish(*_refusal(error))
            spent = pen.spent
            self._news.put(Retrying(scope=scope, cause=cause, reason=reason, seconds=seconds, attempt=attempt))
            self._rest(seconds)
        raise AssertionError("the last attempt returns")

    def _tell(self, task: _Task, pen: SpoolWriter, earlier: EarlierScope | None) -> None:
        replaced = Replaced()
        named: set[str] = set()
        gone_on = False  # without a new cursor nobody vouches that what was told before still stands
        for told in _guarded(task, earlier.cursor if earlier else None):
            if self._stop.is_set():
                raise _Stopped
            if isinstance(told, Fact):
                if earlier:
                    replaced.by(told)
                    named.update(_names(told))
                if not isinstance(told, Gone):
                    pen.fact(told)
            else:
                pen.note(told)
                gone_on = gone_on or isinstance(told, Cursor)
        if earlier and gone_on:
            pen.goes_on()
            for tag, line in earlier.lines(replaced, named):
                pen.line(tag, line)
            for gap in earlier.gaps(replaced):
                pen.note(gap)

    def _seconds(self, attempt: int, error: Throttled | Unreachable) -> float:
        """How long to wait: as long as the platform says, else twice as long each time; a little different for each."""
        if isinstance(error, Throttled) and error.retry_after is not None:
            return error.retry_after + random.uniform(0, self._options.pause)  # noqa: S311 - jitter is no secret
        longest = min(self._options.longest_pause, self._options.pause * 2 ** (attempt - 1))
        return random.uniform(longest / 2, longest)  # noqa: S311

    def _rest(self, seconds: float) -> None:
        if seconds > 0 and self._stop.wait(seconds):
            raise _Stopped


def _told_before(path: Path) -> ScopeReport | None:
    """The report of a scope that an interrupted run told; None where there is none, or it was cut off."""
    try:
        return spool.report_of(path)
    except (FileNotFoundError, SnapshotError):
        return None


def _names(fact: AnyFact) -> Iterator[str]:
    """The principals that a fact names."""
    for column in ("principal_uid", "owner_uid", "group_uid", "member_uid"):
        if uid := getattr(fact, column, None):
            yield uid


def _guarded(task: _Task, since: Cursor | None) -> Iterator[Yielded]:
    """What the connector tells. Its own bugs become `Malformed`, so that they cost a scope and never the scan."""
    name = task.connector.name
    try:
        yield from task.connector.collect(task.scope, since)
    except CloudscanError:
        raise
    except Exception as error:  # strangers' code: whatever it raises ends here
        raise Malformed(f"the connector {name} failed: {type(error).__name__}: {_words(error)}") from error


def _refusal(error: CloudscanError) -> tuple[Outcome, str, str]:
    """Outcome, reason and missing right of a scope that could not be told."""
    if isinstance(error, AccessDenied):
        return Outcome.DENIED, _words(error), error.needs
    return Outcome.FAILED, _words(error), ""


def _words(error: BaseException) -> str:
    """The first line of what an error says, short enough for a report."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:300]
