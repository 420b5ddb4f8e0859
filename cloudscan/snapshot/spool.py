"""Facts in flight: one file of JSON lines per scope, complete or absent.

    spool/scan.json              when the scan began, with which settings
    spool/<scope>.jsonl          facts, then one last line: the scope's `ScopeReport`
    spool/<scope>.jsonl.part     a scope that is being read; worthless after a crash

A scope's file appears by rename, so that it exists with its report or not at all. A resumed scan reads the reports and
collects only scopes that have none.
"""

import contextlib
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, NamedTuple, Self

import msgspec

from cloudscan.connector import Cursor, Gap, Scope, Spent
from cloudscan.coverage import Coverage, gap_id
from cloudscan.errors import Malformed, SnapshotError
from cloudscan.facts import (
    EVERYTHING,
    Activity,
    AnyFact,
    Fact,
    Gone,
    Grant,
    Hidden,
    Membership,
    Opening,
    Outcome,
    Principal,
    Resource,
    Setting,
    Sighting,
    unread_grants,
)
from cloudscan.files import open_private, write_private
from cloudscan.reason import Reason
from cloudscan.sentence import say
from cloudscan.snapshot.translation import Translation
from cloudscan.text import encodable

WHOLE: Final = EVERYTHING
"""The `Coverage.table` of a scope of which nothing could be read."""

LONGEST: Final = 8_000_000
"""Bytes of one fact; DuckDB's reader takes twice as much."""

_TABLES: Final[Mapping[type[Fact], str]] = {
    Resource: "resources",
    Principal: "principals",
    Grant: "grants",
    Membership: "memberships",
    Setting: "settings",
    Activity: "activity",
    Opening: "grants",
    Sighting: "principals",
    Gone: "gone",
}
_TABLE_OF: Final = {fact.__name__.lower(): table for fact, table in _TABLES.items()}
_LISTED: Final = (Principal, Membership)  # entries of a directory's lists
_BLOCK: Final = 256  # facts that are checked and written together
_encoder = msgspec.json.Encoder()
_check = msgspec.json.Decoder(AnyFact)


class ScopeReport(msgspec.Struct, frozen=True, kw_only=True, tag="report", tag_field="type"):
    """How reading one scope went; the last line of its file."""

    scope: Scope
    outcome: Outcome
    reason: Reason | None = None  # why not, or why it was read in full
    needs: str = ""
    facts: Mapping[str, int] = {}  # by table
    lists: Mapping[str, int] = {}  # principals by kind and memberships by role: principals/guest, memberships/owner
    requests: int = 0
    throttles: int = 0
    retries: int = 0
    incremental: bool = False  # only changes were asked for
    gaps: Sequence[Gap] = ()
    scopes: Sequence[Scope] = ()  # further scopes that it found
    cursor: Cursor | None = None

    @property
    def is_whole(self) -> bool:
        """Whether everything that this scope was asked for was read: it has no gap."""
        return self.outcome is Outcome.COMPLETE and not any(gap.outcome.is_gap for gap in self.gaps)


class KeptLine(NamedTuple):
    """A fact as an earlier scan wrote it."""

    type: str
    uid: str  # empty for facts that have none
    text: bytes


class ScanRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan was started with, stored so that a resumed scan is the same scan."""

    id: str
    started_on: datetime
    connectors: Sequence[str]
    settings: Mapping[str, Any] = {}
    translations: Mapping[str, Translation] = {}


_report = msgspec.json.Decoder(ScopeReport)


class SpoolWriter:
    """Writes one scope's facts. Nothing remains if the `with` block ends without `finish`.

    `spent` is what earlier attempts at the scope cost. Of the uids in `watched`, `watched_seen` has those written.
    """

    def __init__(
        self, spool: Path, scope: Scope, spent: Spent | None = None, *, watched: frozenset[str] = frozenset()
    ) -> None:
        self._scope = scope
        self._path = spool / file_name(scope.uid)
        self._part = self._path.with_suffix(".jsonl.part")
        self._file: BinaryIO | None = None
        self._pending: list[AnyFact] = []
        self._facts: dict[str, int] = {}
        self._lists: Counter[str] = Counter()
        self._gaps: list[Gap] = []
        self._scopes: list[Scope] = []
        self._cursor: Cursor | None = None
        self._spent = spent or Spent(requests=0)
        self._incremental = False
        self._watched = watched
        self.watched_seen: set[str] = set()
        self._safe: tuple[int, dict[str, int]] = (0, {})  # the position of the last cursor, and the counts there

    def __enter__(self) -> Self:
        self._file = open_private(self._part)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):  # a full disk has been reported already
                self._file.close()
            with contextlib.suppress(OSError):
                self._part.unlink()

    @property
    def scopes(self) -> Sequence[Scope]:
        """Further scopes found so far."""
        return tuple(self._scopes)

    def fact(self, fact: AnyFact) -> None:
        """Write a fact. One that does not fit its record's types is left out and becomes a gap.

        A malformed grant is replaced by one that could not be read: without it the resource would look closed.
        """
        self._pending.append(fact)
        if self._watched and isinstance(fact, Resource | Principal) and fact.uid in self._watched:
            self.watched_seen.add(fact.uid)
        if len(self._pending) >= _BLOCK:
            self._write()

    def line(self, line: KeptLine) -> None:
        """Take over a fact that an earlier scan wrote."""
        self._write()
        table = _TABLE_OF[line.type]
        self._out.write(line.text)
        if line.uid in self._watched and line.type in ("resource", "principal"):
            self.watched_seen.add(line.uid)
        self._facts[table] = self._facts.get(table, 0) + 1

    def add(self, item: Scope | Gap | Cursor | Spent) -> None:
        """Add what is not a fact to the scope's report. Raises `Malformed` for any other type."""
        match item:
            case Scope():
                self._scopes.append(item)
            case Gap():
                if item not in self._gaps:
                    self._gaps.append(item)
            case Cursor():
                self._write()
                self._cursor = item
                self._safe = self._out.tell(), dict(self._facts)
            case Spent():
                self._spent = self._spent.plus(item)
            case _:
                raise Malformed("yielded-no-fact", kind=type(item).__name__)

    def mark_incremental(self) -> None:
        """Record that only changes were asked for."""
        self._incremental = True

    @property
    def spent(self) -> Spent:
        """What this attempt and the earlier ones cost."""
        return self._spent

    def finish(
        self, outcome: Outcome = Outcome.COMPLETE, reason: Reason | None = None, needs: str = ""
    ) -> tuple[ScopeReport, Path]:
        """Close the scope and publish its file; gives the report and the file.

        Of a scope that was not read to its end only what precedes its last cursor is kept: a resource whose grants were
        still to come would look like one that nobody can reach.
        """
        self._write()
        if outcome is not Outcome.COMPLETE:
            position, self._facts = self._safe
            self._out.seek(position)
            self._out.truncate()
        report = ScopeReport(
            scope=self._scope,
            outcome=outcome,
            reason=reason,
            needs=needs,
            facts=self._facts,
            lists=self._lists,
            requests=self._spent.requests,
            throttles=self._spent.throttles,
            retries=self._spent.retries,
            incremental=self._incremental,
            gaps=self._gaps,
            scopes=self._scopes,
            cursor=self._cursor,
        )
        self._out.write(_line(report) + b"\n")
        self._out.close()
        self._part.rename(self._path)
        self._file = None
        return report, self._path

    def _write(self) -> None:
        """Write the pending facts, in one go if all are valid."""
        facts, self._pending = self._pending, []
        if not facts:
            return
        try:
            lines = _encoder.encode_lines(facts)
            _check.decode_lines(lines)
        except (msgspec.MsgspecError, TypeError, ValueError):
            lines = b""
        if 0 < len(lines) <= LONGEST:
            self._out.write(lines)
            kinds = Counter(map(type, facts))
            for kind, count in kinds.items():
                self._count(kind, count)
            if not kinds.keys().isdisjoint(_LISTED):  # most blocks are files and grants
                self._lists.update(filter(None, map(_list_of, facts)))
        else:
            for fact in facts:
                self._write_one(fact)

    def _write_one(self, fact: AnyFact) -> None:
        line, fault = _checked(fact)
        if fault:
            uid = getattr(fact, "uid", None) or getattr(fact, "resource_uid", None) or ""
            place = str(uid)[:200] or None
            reason = Reason(
                code="fact-malformed", values={"kind": type(fact).__name__.lower(), "uid": place or ""}, quote=fault
            )
            self._gaps.append(Gap(table=_TABLES[type(fact)], outcome=Outcome.FAILED, reason=reason, resource_uid=place))
            if not isinstance(fact, Grant) or not isinstance(fact.resource_uid, str):
                return
            line = _line(msgspec.structs.replace(unread_grants(fact.resource_uid), uid=str(fact.uid)))
        self._out.write(line + b"\n")
        self._count(type(fact), 1)
        self._lists.update(filter(None, (_list_of(fact),)))

    def _count(self, kind: type[AnyFact], facts: int) -> None:
        table = _TABLES[kind]
        self._facts[table] = self._facts.get(table, 0) + facts

    @property
    def _out(self) -> BinaryIO:
        if self._file is None:
            raise SnapshotError(
                say("The spool file of {uid} is not open; write inside a `with` block.", uid=self._scope.uid)
            )
        return self._file


def begin(spool: Path, record: ScanRecord) -> ScanRecord:
    """Open a spool; gives the record that it has. A new spool gets `record`, an existing one keeps its own."""
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = spool / "scan.json"
    if path.exists():
        for part in spool.glob("*.part"):
            part.unlink()
        return record_of(spool)
    write_private(path, _encoder.encode(record))
    return record


def record_of(spool: Path) -> ScanRecord:
    """What the scan was started with. Raises `SnapshotError` if this is not a spool."""
    try:
        return msgspec.json.decode((spool / "scan.json").read_bytes(), type=ScanRecord)
    except FileNotFoundError as error:
        raise SnapshotError(
            say("{spool} does not contain a scan; start one with `cloudscan collect`.", spool=spool)
        ) from error
    except msgspec.MsgspecError as error:
        raise SnapshotError(
            say("{spool}/scan.json is damaged ({error}); delete the folder and scan again.", spool=spool, error=error)
        ) from error


def reports(spool: Path) -> Iterator[ScopeReport]:
    """The reports of all finished scopes, in a stable order."""
    for path in sorted(spool.glob("*.jsonl")):
        yield report_of(path)


def report_of(path: Path) -> ScopeReport:
    """The report at the end of a scope's file. Raises `SnapshotError` if it is damaged."""
    try:
        return _report.decode(_last_line(path))
    except msgspec.MsgspecError as error:
        raise SnapshotError(
            say("{path} is damaged ({error}); delete it and scan again.", path=path, error=error)
        ) from error


def facts(path: Path) -> Iterator[AnyFact]:
    """The facts in a scope's file, for looking at a scope before the scan ends."""
    with path.open("rb") as file:
        for line in file:
            if not line.startswith(b'{"type":"report"'):
                yield _check.decode(line)


def uids(path: Path) -> Iterator[str]:
    """The uids of the resources and principals in a scope's file."""
    for fact in facts(path):
        if isinstance(fact, Resource | Principal):
            yield fact.uid


def broken_lines(path: Path) -> int:
    """How many lines of a scope's file are not records."""
    broken = 0
    with path.open("rb") as file:
        for line in file:
            try:
                broken += not isinstance(msgspec.json.decode(line), dict)
            except msgspec.DecodeError:
                broken += 1
    return broken


def file_name(scope_uid: str) -> str:
    """The name of a scope's file: a hash, since a uid may be any text, and longer than a file name can be."""
    return hashlib.sha256(scope_uid.encode("utf-8", "surrogatepass")).hexdigest()[:32] + ".jsonl"


def coverage_row(scope: Scope, table: str, outcome: Outcome, **more: Any) -> Coverage:
    """One row of coverage about a scope; `more` are further fields of the row."""
    row = Coverage(
        scope_uid=scope.uid,
        scope_name=scope.name,
        platform=scope.platform,
        account=scope.account,
        table=table,
        outcome=outcome,
        **more,
    )
    return msgspec.structs.replace(row, gap=gap_id(row)) if outcome.is_gap else row


def coverage_of(report: ScopeReport) -> Iterator[Coverage]:
    """The coverage rows of one scope: one per table that was read, one per gap, one for a scope that refused."""
    row = partial(coverage_row, report.scope)

    if report.outcome is not Outcome.COMPLETE:
        yield row(
            WHOLE,
            report.outcome,
            reason=report.reason or "",
            hides=report.scope.hides or (Hidden(table=EVERYTHING),),
            needs=report.needs,
            requests=report.requests,
            facts=sum(report.facts.values()),
        )
    facts = dict(report.facts)
    for gap in report.gaps:
        yield row(
            gap.table,
            gap.outcome,
            question=gap.question,
            reason=gap.reason,
            hides=gap.hidden if gap.outcome.can_hide else (),
            needs=gap.needs,
            resource_uid=gap.resource_uid,
            seen=gap.seen,
            total=gap.total,
            facts=facts.pop(gap.table, 0),
        )
    if report.outcome is Outcome.COMPLETE:
        tables = {table: count for table, count in facts.items() if table != "gone"}
        if not tables and not report.gaps:
            tables = {"resources": 0}
        for index, (table, count) in enumerate(tables.items()):
            first = {} if index else {"requests": report.requests, "reason": report.reason or ""}
            yield row(table, Outcome.COMPLETE, facts=count, **first)


def now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


def _list_of(fact: AnyFact) -> str:
    """The list of a directory that a fact is an entry of; empty for any other fact."""
    match fact:
        case Principal():
            return f"principals/{fact.kind}"
        case Membership(member_uid=str()):
            return f"memberships/{fact.role}"
        case _:
            return ""


def _checked(fact: AnyFact) -> tuple[bytes, str]:
    """A fact's line, and what is wrong with it; empty if nothing is."""
    try:
        line = _line(fact)
        _check.decode(line)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        return b"", str(error)
    return line, "" if len(line) <= LONGEST else f"it is {len(line)} bytes long"


def _line(record: Fact | ScopeReport) -> bytes:
    try:
        return _encoder.encode(record)
    except UnicodeEncodeError:
        # A fact with a repaired name is worth more than none.
        return _encoder.encode(encodable(msgspec.to_builtins(record)))


def _last_line(path: Path) -> bytes:
    size = path.stat().st_size
    length = 64 * 1024  # of the tail that is read; longer as long as the last line is
    with path.open("rb") as file:
        while True:
            file.seek(max(0, size - length))
            tail = file.read().rstrip(b"\n")
            _, newline, last = tail.rpartition(b"\n")
            if newline or length >= size:
                return last if newline else tail
            length *= 8
