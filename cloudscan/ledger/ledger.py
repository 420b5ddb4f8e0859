"""The ledger: what became of the judgements, night after night.

A finding is *open* when it is first flagged, *resolved* when the thing was looked at again and passed, or is gone and
nothing unread could hide it, and *reopened* when it comes back. What could not be looked at stays open, unverified:
an outage closes nothing. What people decided about it, waivers, are facts beside that. Every change is an event, and
events are only ever added.

What happens to a finding is decided in `cloudscan.ledger.lifecycle` and `cloudscan.ledger.waivers`, what is remembered
of each scan in `cloudscan.ledger.history`; here it is written down, in one transaction a scan or a decision.
"""

import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url

from cloudscan import __version__
from cloudscan.coverage import Coverage
from cloudscan.engine.judge import Verdicts
from cloudscan.errors import LedgerError, LedgerUnreachable
from cloudscan.facts import Access, Audience
from cloudscan.finding import Finding, Severity, State, Verdict, Waiver
from cloudscan.ledger import history, lifecycle
from cloudscan.ledger.history import ExposurePeriod, PeriodExtent
from cloudscan.ledger.lifecycle import Entry
from cloudscan.ledger.schema import (
    ACCEPTED,
    EVENTS,
    FINDINGS,
    HEAD,
    NOTICES,
    OUTGROWN,
    REVOCATIONS,
    SCANS,
    STRETCHES,
    TICKETS,
    WAIVERS,
)
from cloudscan.ledger.waivers import (
    DUE_DAYS,
    MAX_DAYS,
    Decision,
    WaiverRegister,
    WaiverRequest,
    covered,
    decide,
    granted,
    revocable,
    statuses,
)
from cloudscan.reach import TOLERANCE, Reach
from cloudscan.report import DIFFERENCE_KINDS, Diff, Event, Report, Scan, ScanFigures, WaiverStatus, figures_of
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.ticketing import plan
from cloudscan.ticketing.plan import Policy
from cloudscan.tracker import TicketPhase, TicketRecord

_NIGHTS: Final = 400  # of the trend that a report carries
_AT_ONCE: Final = 500  # values in one IN (…)
_ONE_WRITER: Final = 0x636C6F7564  # of PostgreSQL's advisory locks
_PAUSE: Final = 2.0  # seconds between two attempts to reach the database
_LONGEST_LOCK: Final = 60  # seconds to wait for another writer
_ALIVE: Final[Mapping[str, int]] = {
    # libpq would wait for hours for a server that the network has swallowed.
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
Answer = TypeVar("Answer")
_REACH: Final = Reach.__struct_fields__


@dataclass(frozen=True, kw_only=True)
class WaiverResult:
    """A waiver and the findings that it covers now."""

    waiver: Waiver
    covered: Sequence[Entry]


class Ledger:
    """The ledger behind a database URL: a SQLite file, or PostgreSQL. Its tables are made on first use.

    `tolerance` is the part by which an amount may rise before a finding counts as grown; `policy` says which ticket a
    finding belongs to. For `wait_seconds` seconds `record` tries again where the database gives no answer.
    """

    def __init__(
        self, url: str, *, tolerance: float = TOLERANCE, policy: Policy | None = None, wait_seconds: float = 0.0
    ) -> None:
        self._tolerance = tolerance
        self._policy = policy or Policy()
        self._wait_seconds = wait_seconds
        try:
            self._url = make_url(url)
            self._engine = _engine(self._url)
        except (sa.exc.ArgumentError, ImportError, OSError) as error:
            raise LedgerError(
                f"The ledger's URL cannot be used ({_first_line(error)}); write sqlite:///FILE or "
                "postgresql+psycopg://HOST/DATABASE (needs cloudscan[postgres]) under [ledger] in cloudscan.toml."
            ) from error

    def record(self, snapshot: Snapshot, verdicts: Verdicts, *, organisation: str = "") -> Report:
        """Enter what the rules said about a snapshot, and give the report. Entering it again changes nothing.

        Raises `LedgerError` where the database cannot be used or belongs to a newer cloudscan, and where a later
        scan has been entered already: history is not rewritten.
        """
        # Whether an attempt got through or not: entering a scan again changes nothing.
        return self._patiently(lambda: self._record(snapshot, verdicts, organisation))

    def awaits(self, started_on: datetime) -> bool:
        """Whether a scan that began then can be entered, or has been as the last one; else there is a later one."""
        last = self._patiently(self._last_began)
        return last is None or last <= started_on

    def _patiently(self, question: Callable[[], Answer]) -> Answer:
        until = time.monotonic() + self._wait_seconds
        while True:
            try:
                return question()
            except LedgerUnreachable:
                if time.monotonic() + _PAUSE > until:
                    raise
                time.sleep(_PAUSE)

    def _last_began(self) -> datetime | None:
        with self._transaction() as db:
            last = db.execute(sa.select(sa.func.max(SCANS.c.started_on))).scalar()
            return None if last is None else _aware(last)

    def _record(self, snapshot: Snapshot, verdicts: Verdicts, organisation: str) -> Report:
        scan = snapshot.scan
        with self._transaction() as db:
            if report := self._recorded(db, scan.id, scan.started_on):
                return _with_past(db, report, self._tolerance, self._policy)
            coverage = snapshot.coverage()
            before = _entries(db, [verdict.fingerprint for verdict in verdicts.flagged])
            seen = lifecycle.after(
                before,
                verdicts.flagged,
                verdicts.judgements_of,
                applied={rule.id for rule in verdicts.rules},
                seen=lifecycle.visibility_of(coverage, _containers(snapshot)),
                moment=scan.started_on,
            )
            book = _book(db)
            decision = decide(seen, book, scan.started_on, self._tolerance)
            entries = [change.entry for change in decision.changes]
            _write(db, {entry.fingerprint for entry in before}, decision, scan.id, scan.started_on)
            _remember(db, entries, {rule.id: rule.severity for rule in verdicts.rules}, scan.started_on)
            report = Report(
                tool=f"cloudscan {__version__}",
                generated_on=datetime.now(UTC),
                organisation=organisation or _accounts(coverage),
                scan=scan,
                rules=verdicts.summaries(),
                findings=lifecycle.findings(entries, verdicts, scan.started_on, book.waivers),
                unknowns=verdicts.unknown,
                coverage=lifecycle.condensed(coverage),
            )
            db.execute(sa.update(SCANS).values(report=None))
            db.execute(
                sa.insert(SCANS).values(
                    id=scan.id,
                    started_on=_naive(scan.started_on),
                    finished_on=_naive(scan.finished_on),
                    complete=scan.complete,
                    snapshot=str(snapshot.path),
                    report=zlib.compress(msgspec.json.encode(report)),
                    night=msgspec.json.encode(figures_of(report)).decode(),
                )
            )
            return _with_past(db, report, self._tolerance, self._policy)

    def latest(self) -> Report | None:
        """The report of the last scan that was entered, with what was decided since; None where there was none."""
        with self._transaction() as db:
            kept = db.execute(sa.select(SCANS.c.report).order_by(SCANS.c.started_on.desc()).limit(1)).scalar()
            if kept is None:
                return None
            return _with_past(db, _decided_since(db, _report(kept)), self._tolerance, self._policy)

    def events(self, fingerprint: str | None = None) -> list[Event]:
        """What happened, in order: to one finding, or to all."""
        query = sa.select(EVENTS).order_by(EVENTS.c.id)
        if fingerprint is not None:
            query = query.where(EVENTS.c.fingerprint == fingerprint)
        with self._transaction() as db:
            return [_event(row) for row in db.execute(query)]

    def waive(
        self, wish: WaiverRequest, *, now: datetime | None = None, max_days: int = MAX_DAYS, dry_run: bool = False
    ) -> WaiverResult:
        """Give a waiver; it holds at once. With `dry_run` it is only checked.

        Raises `WaiverError` for one that cannot be given, with what to write instead.
        """
        moment = now or datetime.now(UTC)
        with self._transaction() as db:
            standing = _entries(db, ())
            waiver = granted(
                wish,
                alike=_alike(db, wish.finding.lower()) if wish.finding else (),
                standing=standing,
                accounts=set(db.execute(sa.select(FINDINGS.c.account).distinct()).scalars()) - {""},
                book=_book(db),
                now=moment,
                max_days=max_days,
            )
            found = covered(waiver, standing)
            if not dry_run:
                values = msgspec.structs.asdict(waiver) | {"given_on": _naive(waiver.given_on), "place": waiver.target}
                del values["id"], values["target"]
                (number,) = db.execute(sa.insert(WAIVERS).values(values)).inserted_primary_key or (0,)
                waiver = msgspec.structs.replace(waiver, id=number)
                self._decide(db, found, f"waiver-{number}", moment)
            return WaiverResult(waiver=waiver, covered=found)

    def revoke(self, waiver_id: int, *, now: datetime | None = None, dry_run: bool = False) -> WaiverResult:
        """End a waiver before its day; what stood under it alone is reopened at once. With `dry_run` only checked.

        Raises `WaiverError` for one that is not there or not in force.
        """
        moment = now or datetime.now(UTC)
        with self._transaction() as db:
            waiver = revocable(waiver_id, _book(db), moment)
            under = [entry for entry in _entries(db, ()) if entry.waiver == waiver_id]
            if not dry_run:
                db.execute(sa.insert(REVOCATIONS).values(waiver_id=waiver_id, on_time=_naive(moment)))
                self._decide(db, under, f"waiver-{waiver_id}", moment)
            return WaiverResult(waiver=waiver, covered=under)

    def waivers(self, *, now: datetime | None = None, due_days: int = DUE_DAYS) -> list[WaiverStatus]:
        """Every waiver that was ever given and how it stands, the first to end first."""
        with self._transaction() as db:
            return statuses(_book(db), _entries(db, ()), now or datetime.now(UTC), due_days)

    def trend(self) -> list[Scan]:
        """Every scan that was entered and what it came to, the oldest first."""
        with self._transaction() as db:
            return [_scan(row) for row in db.execute(_scans().order_by(SCANS.c.started_on))]

    def named(self, name: str) -> Scan:
        """The scan whose id begins so, or the last of a day. Raises `LedgerError`."""
        return _named(self.trend(), name)

    def diff(self, old: str = "", new: str = "") -> Diff:
        """What differs between two scans; without names, between the last two, or `old` and the last.

        A scan is named by the beginning of its id, or by a day, 2026-11-23: its last scan. Raises `LedgerError` where
        there is no such scan, or `new` is not the later one.
        """
        with self._transaction() as db:
            scans = [_scan(row) for row in db.execute(_scans().order_by(SCANS.c.started_on))]
            later = _named(scans, new) if new else _last(scans, 1)
            earlier = (
                _named(scans, old) if old else _last([each for each in scans if each.started_on < later.started_on], 1)
            )
            if earlier.started_on >= later.started_on:
                raise LedgerError(
                    f"The scan of {earlier.started_on:%Y-%m-%d %H:%M} is not before the one of "
                    f"{later.started_on:%Y-%m-%d %H:%M}; name the older one first."
                )
            return _diff(db, earlier, later, self._tolerance)

    def tickets(self) -> list[TicketRecord]:
        """The tickets that stand for findings, as far as this ledger wrote them."""
        with self._transaction() as db:
            return _tickets(db)

    def keep_ticket(self, kept: TicketRecord) -> None:
        """Remember what was done about a ticket, in place of what was known of it."""
        values = msgspec.structs.asdict(kept) | {"acted_on": _naive(kept.acted_on), "phase": kept.phase.value}
        with self._transaction() as db:
            db.execute(sa.delete(TICKETS).where(TICKETS.c.tracker == kept.tracker, TICKETS.c.marker == kept.marker))
            db.execute(sa.insert(TICKETS).values(values))

    def was_told(self, scan_id: str) -> bool:
        """Whether people were notified of this scan already."""
        with self._transaction() as db:
            return db.execute(sa.select(NOTICES).where(NOTICES.c.scan_id == scan_id)).first() is not None

    def keep_told(self, scan_id: str, *, now: datetime | None = None) -> None:
        """Remember that people were notified of a scan."""
        with self._transaction() as db:
            db.execute(sa.delete(NOTICES).where(NOTICES.c.scan_id == scan_id))
            db.execute(sa.insert(NOTICES).values(scan_id=scan_id, sent_on=_naive(now or datetime.now(UTC))))

    def _decide(self, db: Connection, entries: Sequence[Entry], cause: str, moment: datetime) -> None:
        unchanged = [lifecycle.Change(entry=entry) for entry in entries]
        decision = decide(unchanged, _book(db), moment, self._tolerance)
        _write(db, {entry.fingerprint for entry in entries}, decision, cause, moment)

    def _recorded(self, db: Connection, scan_id: str, started_on: datetime) -> Report | None:
        last = db.execute(sa.select(SCANS).order_by(SCANS.c.started_on.desc()).limit(1)).first()
        if last is None:
            return None
        if last.id == scan_id:
            return _decided_since(db, _report(last.report))
        if _aware(last.started_on) >= started_on:
            raise LedgerError(
                f"The ledger has a later scan already (of {_aware(last.started_on):%Y-%m-%d %H:%M} UTC), and "
                "history is not rewritten. To look at an older snapshot, use `cloudscan judge` without --record."
            )
        return None

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as db:
                if db.dialect.name == "postgresql":
                    db.execute(sa.text(f"SET LOCAL lock_timeout = '{_LONGEST_LOCK}s'"))
                    db.execute(sa.select(sa.func.pg_advisory_xact_lock(_ONE_WRITER)))
                _migrate(db)
                yield db
        except sa.exc.SQLAlchemyError as error:
            shown = self._url.render_as_string(hide_password=True)
            kind = LedgerUnreachable if _passes(error) else LedgerError
            raise kind(
                f"The ledger {shown} cannot be used: {_first_line(getattr(error, 'orig', None) or error)}. "
                "Check the URL, the server and the rights."
            ) from error


def _engine(url: sa.URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        return sa.create_engine(url, connect_args={k: v for k, v in _ALIVE.items() if k not in url.query})
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url)
    if url.database:
        file = Path(url.database)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
    engine = sa.create_engine(url)

    # Python's driver begins a transaction only before the first write, which would let two writers read the same state.
    @sa.event.listens_for(engine, "connect")
    def _by_hand(connection: Any, _record: object) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def _at_once(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _passes(error: sa.exc.SQLAlchemyError) -> bool:
    """Whether it is worth asking again: no connection, a server that stops or starts, a lock that somebody holds."""
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    cause = error.orig
    if error.connection_invalidated or getattr(cause, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
        return True
    if not isinstance(error, sa.exc.OperationalError) or not hasattr(cause, "sqlstate"):
        return False
    # psycopg gives no state where no connection was made. 08: connection, 53: resources, 57: operator, 55P03: lock.
    state = getattr(cause, "sqlstate", None)
    return state is None or state[:2] in ("08", "53", "57") or state == "55P03"


def _accounts(coverage: Iterable[Coverage]) -> str:
    """What an estate is called that nobody named: its accounts."""
    accounts = sorted({row.account for row in coverage if row.account})
    return ", ".join(accounts[:3]) + (" …" if len(accounts) > 3 else "")


def _entries(db: Connection, fingerprints: Sequence[str]) -> list[Entry]:
    """All entries that stand, and those with one of the fingerprints."""
    standing = [_entry(row) for row in db.execute(sa.select(FINDINGS).where(FINDINGS.c.state.in_(lifecycle.STANDING)))]
    known = {entry.fingerprint for entry in standing}
    return [*standing, *_some(db, [each for each in fingerprints if each not in known])]


def _some(db: Connection, fingerprints: Sequence[str]) -> list[Entry]:
    """The entries with one of the fingerprints."""
    found: list[Entry] = []
    for start in range(0, len(fingerprints), _AT_ONCE):
        some = fingerprints[start : start + _AT_ONCE]
        found += [_entry(row) for row in db.execute(sa.select(FINDINGS).where(FINDINGS.c.fingerprint.in_(some)))]
    return found


def _alike(db: Connection, beginning: str) -> list[Entry]:
    """The entries whose fingerprint begins so."""
    query = sa.select(FINDINGS).where(FINDINGS.c.fingerprint.startswith(beginning, autoescape=True))
    return [_entry(row) for row in db.execute(query)]


def _entry(row: Any) -> Entry:
    return Entry(
        fingerprint=row.fingerprint,
        state=State(row.state),
        verified=row.verified,
        first_seen_on=_aware(row.first_seen_on),
        last_seen_on=_aware(row.last_seen_on),
        verdict=msgspec.json.decode(row.verdict, type=Verdict),
        waiver=row.waiver_id,
    )


def _book(db: Connection) -> WaiverRegister:
    """The waivers and what is known about them."""
    return WaiverRegister(
        waivers={
            row.id: Waiver(**{**row._mapping, "given_on": _aware(row.given_on)})
            for row in db.execute(sa.select(*(c.label("target") if c.name == "place" else c for c in WAIVERS.c)))
        },
        revoked={row.waiver_id: _aware(row.on_time) for row in db.execute(sa.select(REVOCATIONS))},
        accepted={
            (row.waiver_id, row.fingerprint): msgspec.json.decode(row.reach, type=Reach)
            for row in db.execute(sa.select(ACCEPTED))
        },
        outgrown={
            (row.waiver_id, row.fingerprint): msgspec.json.decode(row.grown, type=list[str])
            for row in db.execute(sa.select(OUTGROWN))
        },
    )


def _write(db: Connection, known: set[str], decision: Decision, cause: str, moment: datetime) -> None:
    """Write entries, events and what is new about waivers; `cause` is a scan's id, or a waiver."""
    on_time = _naive(moment)
    fresh = [_values(change.entry) for change in decision.changes if change.entry.fingerprint not in known]
    changed = [
        _values(change.entry) | {"key": change.entry.fingerprint}
        for change in decision.changes
        if change.entry.fingerprint in known
    ]
    events = [
        {
            "fingerprint": change.entry.fingerprint,
            "scan_id": cause,
            "on_time": on_time,
            "kind": event.kind,
            "waiver_id": event.waiver,
            "reason": event.reason,
        }
        for change in decision.changes
        for event in change.events
    ]
    accepted = [
        {
            "waiver_id": waiver_id,
            "fingerprint": fingerprint,
            "on_time": on_time,
            "reach": msgspec.json.encode(reach).decode(),
        }
        for (waiver_id, fingerprint), reach in decision.accepted.items()
    ]
    outgrown = [
        {
            "waiver_id": waiver_id,
            "fingerprint": fingerprint,
            "on_time": on_time,
            "grown": msgspec.json.encode(grown).decode(),
        }
        for (waiver_id, fingerprint), grown in decision.outgrown.items()
    ]
    if changed:
        db.execute(sa.update(FINDINGS).where(FINDINGS.c.fingerprint == sa.bindparam("key")), changed)
    for table, rows in ((FINDINGS, fresh), (EVENTS, events), (ACCEPTED, accepted), (OUTGROWN, outgrown)):
        if rows:
            db.execute(sa.insert(table), rows)


def _remember(db: Connection, entries: Iterable[Entry], severities: Mapping[str, Severity], moment: datetime) -> None:
    """Keep how the findings stand from this scan on, where that is news."""
    on_time = _naive(moment)
    goes_on = STRETCHES.c.to_on.is_(None)
    standing = [
        ExposurePeriod(
            fingerprint=entry.fingerprint,
            severity=severities.get(entry.verdict.rule_id),
            waived=entry.waiver is not None,
            reach=Reach.of(entry.verdict),
        )
        for entry in entries
        if entry.state in lifecycle.STANDING
    ]
    before = {row.fingerprint: _stretch(row) for row in db.execute(sa.select(STRETCHES).where(goes_on))}
    over, begun = history.moved(before, standing)
    if over:
        ended = sa.update(STRETCHES).where(goes_on, STRETCHES.c.fingerprint == sa.bindparam("key"))
        db.execute(ended.values(to_on=on_time), [{"key": fingerprint} for fingerprint in over])
    if begun:
        rows = [
            {
                "fingerprint": stretch.fingerprint,
                "from_on": on_time,
                "severity": stretch.severity,
                "waived": stretch.waived,
                **{name: getattr(stretch.reach, name) for name in _REACH},
            }
            for stretch in begun
        ]
        db.execute(sa.insert(STRETCHES), rows)


def _standing_at(db: Connection, moment: datetime) -> dict[str, ExposurePeriod]:
    """How everything stood that stood in the scan that began then."""
    at = _naive(moment)
    query = sa.select(STRETCHES).where(
        STRETCHES.c.from_on <= at, sa.or_(STRETCHES.c.to_on.is_(None), STRETCHES.c.to_on > at)
    )
    return {row.fingerprint: _stretch(row) for row in db.execute(query)}


def _stretch(row: Any) -> ExposurePeriod:
    return ExposurePeriod(
        fingerprint=row.fingerprint,
        severity=Severity(row.severity) if row.severity else None,
        waived=row.waived,
        reach=Reach(
            audience=Audience(row.audience) if row.audience else None,
            access=Access(row.access) if row.access else None,
            resources=row.resources,
            bytes=row.bytes,
            people=row.people,
        ),
    )


def _scans() -> sa.Select[Any]:
    return sa.select(SCANS.c.id, SCANS.c.started_on, SCANS.c.finished_on, SCANS.c.complete, SCANS.c.night)


def _scan(row: Any) -> Scan:
    return Scan(
        id=row.id,
        started_on=_aware(row.started_on),
        complete=row.complete,
        finished_on=_aware(row.finished_on),
        figures=msgspec.json.decode(row.night, type=ScanFigures) if row.night else None,
    )


def _last(scans: Sequence[Scan], back: int) -> Scan:
    if len(scans) < back:
        raise LedgerError("There are fewer than two scans to compare; run `cloudscan scan` again.")
    return scans[-back]


def _named(scans: Sequence[Scan], name: str) -> Scan:
    found = [scan for scan in scans if scan.id.startswith(name)]
    if len(found) == 1:
        return found[0]
    if on_day := [scan for scan in scans if f"{scan.started_on:%Y-%m-%d}" == name]:
        return on_day[-1]
    if found:
        raise LedgerError(f"{name!r} may mean {len(found)} scans; write more of the id. `cloudscan trend` lists them.")
    raise LedgerError(f"There is no scan {name!r}; write an id or a day out of `cloudscan trend`.")


def _diff(db: Connection, earlier: Scan, later: Scan, tolerance: float) -> Diff:
    before, after = _standing_at(db, earlier.started_on), _standing_at(db, later.started_on)
    both = before.keys() & after.keys()
    touched = sorted((before.keys() ^ after.keys()) | {each for each in both if before[each] != after[each]})
    verdicts = {entry.fingerprint: entry.verdict for entry in _some(db, touched)}
    started = sa.select(STRETCHES.c.fingerprint).where(STRETCHES.c.from_on < _naive(earlier.started_on)).distinct()
    differences = history.differences(
        before,
        after,
        verdicts,
        earlier=set(db.execute(started).scalars()),
        reasons=_resolved(db, earlier.started_on, later.started_on),
        tolerance=tolerance,
    )
    counts = {kind: sum(each.kind == kind for each in differences) for kind in DIFFERENCE_KINDS}
    return Diff(old=earlier, new=later, counts=counts, differences=differences)


def _resolved(db: Connection, after: datetime, until: datetime) -> dict[str, str]:
    """Why findings were resolved between two moments, by fingerprint: the last time counts."""
    query = sa.select(EVENTS.c.fingerprint, EVENTS.c.reason).where(
        EVENTS.c.kind == "resolved", EVENTS.c.on_time > _naive(after), EVENTS.c.on_time <= _naive(until)
    )
    return {row.fingerprint: row.reason for row in db.execute(query.order_by(EVENTS.c.id))}


def _with_past(db: Connection, report: Report, tolerance: float, policy: Policy) -> Report:
    """The report with what led to it: the nights, what changed, what befell each finding, waivers and tickets."""
    scans = [_scan(row) for row in db.execute(_scans().order_by(SCANS.c.started_on))]
    before = history.baseline(scans)
    book = _book(db)
    shown = {finding.fingerprint: finding.verdict for finding in report.findings}
    lasting: dict[str, list[PeriodExtent]] = {}
    for row in db.execute(sa.select(STRETCHES).where(STRETCHES.c.fingerprint.in_(_standing_fingerprints()))):
        stretch = PeriodExtent(
            begun_on=_aware(row.from_on),
            over_on=_aware(row.to_on) if row.to_on else None,
            resources=row.resources,
            people=row.people,
        )
        lasting.setdefault(row.fingerprint, []).append(stretch)
    events = sa.select(EVENTS).where(EVENTS.c.fingerprint.in_(_standing_fingerprints())).order_by(EVENTS.c.id)
    return msgspec.structs.replace(
        report,
        trend=scans[-_NIGHTS:],
        changes=_diff(db, before, scans[-1], tolerance) if before else None,
        events=[_event(row) for row in db.execute(events) if row.fingerprint in shown],
        time_open={
            fingerprint: history.time_open_of(verdict, lasting.get(fingerprint, ()), report.scan.started_on)
            for fingerprint, verdict in shown.items()
        },
        waivers=_current(book, _entries(db, ())) if book.waivers else (),
        tickets=plan.links(report.findings, _tickets(db), policy),
    )


def _tickets(db: Connection) -> list[TicketRecord]:
    return [
        TicketRecord(**{**row._mapping, "acted_on": _aware(row.acted_on), "phase": TicketPhase(row.phase)})
        for row in db.execute(sa.select(TICKETS))
    ]


def _current(book: WaiverRegister, standing: Sequence[Entry]) -> list[WaiverStatus]:
    """The waivers that count today."""
    return [each for each in statuses(book, standing, datetime.now(UTC)) if each.current]


def _standing_fingerprints() -> sa.Select[Any]:
    return sa.select(FINDINGS.c.fingerprint).where(FINDINGS.c.state.in_(lifecycle.STANDING))


def _event(row: Any) -> Event:
    return Event(
        fingerprint=row.fingerprint,
        scan_id=row.scan_id,
        on=_aware(row.on_time),
        kind=row.kind,
        waiver=row.waiver_id,
        reason=row.reason,
    )


def _decided_since(db: Connection, report: Report) -> Report:
    """The report, with what was decided about its findings after it was made."""
    rows = db.execute(
        sa.select(FINDINGS.c.fingerprint, FINDINGS.c.state, FINDINGS.c.waiver_id).where(
            FINDINGS.c.state.in_(lifecycle.STANDING)
        )
    )
    now = {row.fingerprint: (State(row.state), row.waiver_id) for row in rows}
    book = _book(db).waivers

    def decided(finding: Finding) -> Finding:
        state, number = now.get(finding.fingerprint, (finding.state, None))
        waiver = book.get(number) if number is not None else None
        return msgspec.structs.replace(finding, state=State.WAIVED if waiver else state, waiver=waiver)

    return msgspec.structs.replace(report, findings=[decided(finding) for finding in report.findings])


def _containers(snapshot: Snapshot) -> set[str]:
    """Resources that hold others, among those about which an answer is missing."""
    rows = snapshot.query("""
        SELECT DISTINCT c.resource_uid FROM coverage AS c
        JOIN resources AS r ON c.resource_uid = r.parent_uid OR c.resource_uid = r.container_uid
        WHERE c.outcome <> 'complete'
    """).rows
    return {str(row[0]) for row in rows}


def _values(entry: Entry) -> dict[str, object]:
    return {
        "fingerprint": entry.fingerprint,
        "rule_id": entry.verdict.rule_id,
        "platform": entry.verdict.subject.platform,
        "account": entry.verdict.subject.account,
        "state": entry.state.value,
        "verified": entry.verified,
        "first_seen_on": _naive(entry.first_seen_on),
        "last_seen_on": _naive(entry.last_seen_on),
        "verdict": msgspec.json.encode(entry.verdict).decode(),
        "waiver_id": entry.waiver,
    }


def _migrate(db: Connection) -> None:
    """Bring the schema up to date. Alembic takes half a second to import: only where there is something to do."""
    if sa.inspect(db).has_table("alembic_version"):
        at = db.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        if at == HEAD:
            return
        if at is not None and at > HEAD:
            raise LedgerError(f"The ledger was written by a newer cloudscan (schema {at}); update this one.")
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = db
    command.upgrade(config, "head")


def _report(kept: bytes) -> Report:
    try:
        return msgspec.json.decode(zlib.decompress(kept), type=Report)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise LedgerError(
            "The last report in the ledger was written by another cloudscan version; scan again."
        ) from error


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
