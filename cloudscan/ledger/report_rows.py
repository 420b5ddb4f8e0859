"""The report of a scan: stored with it, and completed with what the ledger knows about the time before and since."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloudscan.coverage import Coverage
from cloudscan.days import Calendar, clock_time
from cloudscan.errors import LedgerError
from cloudscan.finding import Finding, Severity, State, Verdict, Waiver
from cloudscan.ledger import finding_rows, gap_rows, history, history_rows, ticket_rows
from cloudscan.ledger.basis import Basis, PastScan, changes
from cloudscan.ledger.clock import Correction
from cloudscan.ledger.database import aware, naive
from cloudscan.ledger.gaps import gaps_in
from cloudscan.ledger.lifecycle import UNRESOLVED
from cloudscan.ledger.schema import EVENTS, FINDINGS, SCANS
from cloudscan.ledger.waivers import statuses
from cloudscan.report import ChangedBy, Report, figures_of
from cloudscan.sentence import say
from cloudscan.ticketing import plan
from cloudscan.ticketing.policy import Grouping

if TYPE_CHECKING:
    from cloudscan.snapshot.snapshot import Snapshot

Stored = TypeVar("Stored")
_PACKED: Final = 1_000  # findings at a time
_MOST_SCANS: Final = 400  # of the trend in a report


class _StoredFinding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A finding of the last report, without its verdict: that is in the finding's own row."""

    fingerprint: str
    severity: Severity
    score: float
    likelihood: int
    impact: float
    state: State
    verified: bool
    first_seen_on: datetime
    last_seen_on: datetime
    message: Mapping[str, str]
    waiver: Waiver | None = None

    def with_verdict(self, verdict: Verdict) -> Finding:
        return Finding(
            fingerprint=self.fingerprint,
            verdict=verdict,
            severity=self.severity,
            score=self.score,
            likelihood=self.likelihood,
            impact=self.impact,
            state=self.state,
            verified=self.verified,
            first_seen_on=self.first_seen_on,
            last_seen_on=self.last_seen_on,
            message=self.message,
            waiver=self.waiver,
        )


def scan_row(
    report: Report, snapshot: "Snapshot", basis: Basis, past: Sequence[PastScan], changed_by: Iterable[ChangedBy]
) -> dict[str, object]:
    """A scan's row, ready to be written.

    `basis` is what it was judged by, `past` the scans before, the newest first, `changed_by` what made findings change.
    """
    scan = snapshot.scan
    figures = msgspec.structs.replace(
        figures_of(report),
        version=basis.version,
        basis_changes=changes(past[0].basis, basis) if past else (),
        rejudged=sum(one.is_judgement for one in changed_by),
    )
    return {
        "id": scan.id,
        "started_on": naive(scan.started_on),
        "finished_on": naive(scan.finished_on),
        "complete": report.complete,
        "snapshot": str(snapshot.path),
        "report": _packed(msgspec.structs.replace(report, findings=())),
        "findings": _packed_findings(report.findings),
        "figures": msgspec.json.encode(figures).decode(),
        "basis": msgspec.json.encode(basis).decode(),
    }


def write_scan(db: Connection, row: Mapping[str, object]) -> None:
    """Store a scan and its report, which replaces the report of the scan before."""
    db.execute(sa.update(SCANS).where(SCANS.c.report.is_not(None)).values(report=None, findings=None))
    db.execute(sa.insert(SCANS).values(row))


def correct_report(db: Connection, correction: Correction) -> None:
    """Correct the moments in the last report that are ahead of the clock."""
    columns = (SCANS.c.id, SCANS.c.report, SCANS.c.findings)
    for row in db.execute(sa.select(*columns).where(SCANS.c.report.is_not(None))).all():
        report, of = _decoded(row.report, Report), correction.of
        scan = report.scan
        corrected = msgspec.structs.replace(
            report,
            generated_on=of(report.generated_on),
            scan=msgspec.structs.replace(scan, started_on=of(scan.started_on), finished_on=of(scan.finished_on)),
        )
        findings = [
            msgspec.structs.replace(
                finding, first_seen_on=of(finding.first_seen_on), last_seen_on=of(finding.last_seen_on)
            )
            for finding in _decoded(row.findings, list[_StoredFinding])
        ]
        content = {"report": _packed(corrected), "findings": _packed(findings)}
        db.execute(sa.update(SCANS).where(SCANS.c.id == row.id).values(content))


def last_report(db: Connection, today: datetime, calendar: Calendar) -> Report | None:
    """The report of the last scan, its findings and gaps as they are decided today; None if there was no scan."""
    row = db.execute(sa.select(SCANS.c.report, SCANS.c.findings).order_by(SCANS.c.started_on.desc()).limit(1)).first()
    if row is None or row.report is None:
        return None
    stored = _decoded(row.findings, list[_StoredFinding])
    verdicts = finding_rows.unresolved_verdicts(db, {finding.fingerprint for finding in stored})
    findings = [finding.with_verdict(verdicts[finding.fingerprint]) for finding in stored]
    report = msgspec.structs.replace(_decoded(row.report, Report), findings=findings)
    return _with_decisions(db, report, today, calendar)


class _WithCoverage(msgspec.Struct, frozen=True):
    """The part of a stored report that says what was read."""

    coverage: Sequence[Coverage]


def last_coverage(db: Connection) -> Sequence[Coverage]:
    """The coverage of the last scan, without its findings, which may be many; empty if there was no scan."""
    content = db.execute(sa.select(SCANS.c.report).order_by(SCANS.c.started_on.desc()).limit(1)).scalar()
    return () if content is None else _decoded(content, _WithCoverage).coverage


def report_if_recorded(db: Connection, scan_id: str, started_on: datetime, calendar: Calendar) -> Report | None:
    """The report of this scan if it is the last one. Raises `LedgerError` if there is a later one."""
    last = db.execute(sa.select(SCANS.c.id, SCANS.c.started_on).order_by(SCANS.c.started_on.desc()).limit(1)).first()
    if last is None:
        return None
    if last.id == scan_id:
        return last_report(db, started_on, calendar)
    if aware(last.started_on) >= started_on:
        raise LedgerError(
            say(
                "The ledger already contains a later scan (of {started_on}), and history is not "
                "rewritten. To look at an older snapshot, use `cloudscan judge`. If a clock was ahead "
                "when that scan ran, run `cloudscan ledger repair`.",
                started_on=clock_time(aware(last.started_on), calendar.timezone),
            )
        )
    return None


def with_history(db: Connection, report: Report, tolerance: float, grouping: Grouping) -> Report:
    """The report with the trend, the changes, the events of each finding, the waivers and the tickets."""
    scans = history_rows.scans(db)
    baseline = history.baseline(scans)
    register = finding_rows.waiver_register(db, report.timezone)
    verdicts = {finding.fingerprint: finding.verdict for finding in report.findings}
    extents = history_rows.extents_of_unresolved(db)
    of_unresolved = sa.select(EVENTS).where(EVENTS.c.fingerprint.in_(finding_rows.unresolved_fingerprints()))
    versions = history.new_versions(scans)
    events = finding_rows.events(db, of_unresolved, versions)
    unresolved = finding_rows.covered_subjects(db) if register.waivers else []
    listed = statuses(register, unresolved, datetime.now(UTC), gaps=gaps_in(report.coverage))
    return msgspec.structs.replace(
        report,
        trend=scans[-_MOST_SCANS:],
        comparisons=history_rows.comparisons(db, scans),
        changes=history_rows.diff_between(db, baseline, scans[-1], tolerance, versions) if baseline else None,
        events=[event for event in events if event.fingerprint in verdicts],
        time_open={
            fingerprint: history.time_open_of(verdict, extents.pop(fingerprint, ()), report.scan.started_on)
            for fingerprint, verdict in verdicts.items()
        },
        waivers=[status for status in listed if status.current],
        tickets=plan.links(report.findings, ticket_rows.tickets(db), grouping),
    )


def _with_decisions(db: Connection, report: Report, today: datetime, calendar: Calendar) -> Report:
    """The report with what was decided about its findings and gaps since it was made, and today's calendar."""
    from cloudscan.engine import framework_coverage  # reads YAML

    rows = db.execute(
        sa.select(FINDINGS.c.fingerprint, FINDINGS.c.state, FINDINGS.c.waiver_id).where(
            FINDINGS.c.state.in_(UNRESOLVED)
        )
    )
    decided = {row.fingerprint: (State(row.state), row.waiver_id) for row in rows}
    register = finding_rows.waiver_register(db, calendar.timezone)

    def as_decided(finding: Finding) -> Finding:
        state, waiver_id = decided.get(finding.fingerprint, (finding.state, None))
        waiver = register.waivers.get(waiver_id) if waiver_id is not None else None
        return msgspec.structs.replace(finding, state=State.WAIVED if waiver else state, waiver=waiver)

    findings = [as_decided(finding) for finding in report.findings]
    return msgspec.structs.replace(
        report,
        findings=findings,
        frameworks=framework_coverage.with_waived(report.frameworks, findings),
        gaps=gap_rows.statuses(db, report, register, today),
        timezone=calendar.timezone,
        deadlines=calendar.deadlines,
        rank_deadlines=calendar.rank_deadlines,
    )


def _packed_findings(findings: Sequence[Finding]) -> bytes:
    """The findings without their verdicts, a part at a time: text of all of them would need much memory."""
    packer = zlib.compressobj()
    parts = [packer.compress(b"[")]
    for start in range(0, len(findings), _PACKED):
        some = msgspec.convert(findings[start : start + _PACKED], list[_StoredFinding], from_attributes=True)
        parts.append(packer.compress((b"," if start else b"") + msgspec.json.encode(some)[1:-1]))
    return b"".join((*parts, packer.compress(b"]"), packer.flush()))


def _packed(value: object) -> bytes:
    return zlib.compress(msgspec.json.encode(value))


def _decoded(content: bytes, kind: type[Stored]) -> Stored:
    try:
        return msgspec.json.decode(zlib.decompress(content), type=kind)
    except (zlib.error, msgspec.MsgspecError, TypeError) as error:
        raise LedgerError(
            say("The last report in the ledger was written by another cloudscan version; scan again.")
        ) from error
