"""What a scan changes in the ledger: read, worked out while nobody has to wait, and then written at once.

The database is locked for the writing alone. If somebody else has written since the reading, what was worked out is
thrown away and done again: a decision of a person, or a scan, comes between two of our steps now and then, not often.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy.engine import Connection

from cloudscan.checklist import Checklist, Seen, changed, items_of
from cloudscan.coverage import Coverage
from cloudscan.days import Calendar
from cloudscan.engine.framework_file import Framework
from cloudscan.engine.judge import Verdicts
from cloudscan.finding import Severity, Verdict
from cloudscan.ledger import (
    attribution,
    closing_rows,
    departures,
    estate,
    finding_rows,
    gap_rows,
    gaps,
    history_rows,
    lifecycle,
    report_rows,
    scan_report,
)
from cloudscan.ledger.basis import PastScan, basis_of
from cloudscan.ledger.database import Database
from cloudscan.ledger.finding_rows import DecisionRows, Standing, StoredVerdict
from cloudscan.ledger.gaps import GapRecord
from cloudscan.ledger.history_rows import PeriodMark, PeriodRows
from cloudscan.ledger.lifecycle import UNRESOLVED, Change, Entry
from cloudscan.ledger.mark import Mark, mark
from cloudscan.ledger.waivers import WaiverRegister, decide
from cloudscan.report import Report
from cloudscan.snapshot.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """A scan that is to be recorded, and how the organisation looks at it."""

    snapshot: Snapshot
    verdicts: Verdicts
    organisation: str
    frameworks: Sequence[Framework]
    calendar: Calendar
    tolerance: float


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What the ledger knows before a scan, as far as that bears on it."""

    mark: Mark
    standing: Mapping[str, Standing]  # of the unresolved findings, and of those that are flagged again
    before: Sequence[Entry]  # the same; the verdict of one that is flagged is the new one
    register: WaiverRegister
    periods: Mapping[str, PeriodMark]
    past: Sequence[PastScan]
    gaps: Mapping[str, GapRecord]
    closings: Mapping[str, Seen]


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What a scan makes of that, ready to be written."""

    decision: DecisionRows
    periods: PeriodRows
    gaps: Sequence[GapRecord]
    closings: Mapping[str, Seen]
    scan: Mapping[str, object]
    report: Report


def record(database: Database, occasion: Occasion) -> Report:
    """Record a scan; gives its report by itself, or the one that is recorded if it is the last scan already.

    Raises `LedgerError` if a later scan is recorded.
    """
    snapshot, verdicts = occasion.snapshot, occasion.verdicts
    coverage = snapshot.coverage()
    flagged = {sys.intern(verdict.fingerprint): verdict for verdict in verdicts.flagged}
    people = departures.leaving(snapshot, occasion.calendar.timezone)
    while True:
        with database.reading() as db:
            started_on = snapshot.scan.started_on
            recorded = report_rows.report_if_recorded(db, snapshot.scan.id, started_on, occasion.calendar)
            if recorded is not None:
                return recorded
            known = _known(db, occasion, coverage, flagged, people)
        outcome = _worked_out(database, occasion, coverage, flagged, people, known)
        with database.transaction() as db:
            if mark(db) == known.mark:
                _write(db, known, outcome)
                return outcome.report


def _known(
    db: Connection,
    occasion: Occasion,
    coverage: Iterable[Coverage],
    flagged: Mapping[str, Verdict],
    people: Sequence[Checklist],
) -> _Known:
    standing = finding_rows.standing(db)
    standing |= finding_rows.standing_of(db, [fingerprint for fingerprint in flagged if fingerprint not in standing])
    past = history_rows.past_scans(db)
    stored = finding_rows.unresolved_verdicts(db, standing.keys() - flagged.keys())
    return _Known(
        mark=mark(db),
        standing=standing,
        before=[
            one.with_verdict(flagged.get(fingerprint) or stored[fingerprint], fingerprint, past[0].started_on)
            for fingerprint, one in standing.items()
        ],
        register=finding_rows.waiver_register(db, occasion.calendar.timezone),
        periods=history_rows.period_marks(db),
        past=past,
        gaps=gap_rows.records(db, gaps.gaps_in(coverage)),
        closings=closing_rows.seen(db, items_of(people)),
    )


def _worked_out(
    database: Database,
    occasion: Occasion,
    coverage: list[Coverage],
    flagged: Mapping[str, Verdict],
    people: Sequence[Checklist],
    known: _Known,
) -> _Outcome:
    snapshot, verdicts, calendar = occasion.snapshot, occasion.verdicts, occasion.calendar
    scan = snapshot.scan

    def stored() -> list[Verdict]:
        with database.reading() as db:
            return [entry.verdict for entry in finding_rows.entries_with(db, list(known.standing))]

    changes = lifecycle.after(
        known.before,
        flagged,
        verdicts.judgements_of,
        look=estate.look_at(snapshot, coverage, verdicts.rules, stored),
        moment=scan.started_on,
    )
    decision = decide(changes, known.register, scan.started_on, occasion.tolerance)
    told = _new_verdicts(decision.changes, flagged, known.standing)
    severities = {rule.id: rule.severity for rule in verdicts.rules}
    stirred = _stirred(decision.changes, told, known.periods, severities)
    with database.reading() as db:
        periods = history_rows.current_periods(db, stirred)
    basis = basis_of(snapshot.manifest, verdicts)
    turned = attribution.turned(decision.changes, periods)
    changed_by = attribution.attribute(turned, snapshot, verdicts, basis, known.past)
    entries = [change.entry for change in decision.changes]
    seen = gaps.seen(known.gaps, gaps.gaps_in(coverage), scan.started_on)
    closings = changed(people, known.closings, scan.started_on, calendar.timezone)
    report = scan_report.report_of(
        snapshot,
        verdicts,
        entries,
        known.register.waivers,
        coverage=coverage,
        organisation=occasion.organisation,
        frameworks=occasion.frameworks,
        calendar=calendar,
    )
    report = msgspec.structs.replace(
        report,
        gaps=gaps.statuses(seen, scan.started_on, known.register, scan.started_on),
        departures=departures.figures_of(snapshot, people, {**known.closings, **closings}, calendar.timezone, verdicts),
    )
    return _Outcome(
        decision=finding_rows.decision_rows(decision, known.standing, told, scan.id, scan.started_on, changed_by),
        periods=history_rows.period_rows(
            (entry for entry in entries if entry.fingerprint in stirred),
            severities,
            scan.started_on,
            periods,
            changed_by,
        ),
        gaps=seen,
        closings=closings,
        scan=report_rows.scan_row(report, snapshot, basis, known.past, changed_by.values()),
        report=report,
    )


def _new_verdicts(
    changes: Iterable[Change], flagged: Mapping[str, Verdict], standing: Mapping[str, Standing]
) -> dict[str, StoredVerdict]:
    """The verdicts that are not stored yet, by fingerprint."""
    told = {}
    for change in changes:
        fingerprint = change.entry.fingerprint
        if fingerprint in flagged:
            stored = StoredVerdict.of(change.entry.verdict)
            if fingerprint not in standing or standing[fingerprint].digest != stored.digest:
                told[fingerprint] = stored
    return told


def _stirred(
    changes: Iterable[Change],
    told: Mapping[str, StoredVerdict],
    periods: Mapping[str, PeriodMark],
    severities: Mapping[str, Severity],
) -> set[str]:
    """The findings whose exposure period may end or begin with a scan.

    Where the verdict is the one that is stored, the period reaches as far as it.
    """
    stirred = set(periods)
    for change in changes:
        entry = change.entry
        period, severity = periods.get(entry.fingerprint), severities.get(entry.verdict.rule_id)
        if (
            period is not None
            and entry.state in UNRESOLVED
            and entry.fingerprint not in told
            and period.waived is (entry.waiver is not None)
            and severity in (period.severity, None)
        ):
            stirred.discard(entry.fingerprint)
        else:
            stirred.add(entry.fingerprint)
    return stirred


def _write(db: Connection, known: _Known, outcome: _Outcome) -> None:
    finding_rows.write_decision(db, outcome.decision)
    history_rows.write_periods(db, outcome.periods)
    gap_rows.write(db, known.gaps, outcome.gaps)
    closing_rows.write(db, known.closings, outcome.closings)
    report_rows.write_scan(db, outcome.scan)
