"""Rows of scans and exposure periods, and the differences that they show, within a transaction of the caller's."""

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloudscan.days import day_of
from cloudscan.errors import LedgerError
from cloudscan.facts import Access, Audience
from cloudscan.finding import Severity
from cloudscan.ledger import comparison, finding_rows, history
from cloudscan.ledger.basis import Basis, PastScan
from cloudscan.ledger.comparison import Turns
from cloudscan.ledger.database import MANY, Moments, aware, naive
from cloudscan.ledger.finding_rows import entries_with, unresolved_fingerprints
from cloudscan.ledger.history import ExposurePeriod, PeriodExtent, SeenTurn
from cloudscan.ledger.lifecycle import UNRESOLVED, Entry
from cloudscan.ledger.schema import EVENTS, EXPOSURE_PERIODS, FINDINGS, SCANS
from cloudscan.reach import Reach
from cloudscan.report import DIFFERENCE_KINDS, ChangedBy, Comparison, Diff, EventKind, Scan, ScanFigures
from cloudscan.sentence import say

_REACH: Final = Reach.__struct_fields__
_MOST_VALUES: Final = 500  # in one IN (…)
_LOOKS_BACK: Final = 14  # scans, for one that could see what has changed today


def scans(db: Connection) -> list[Scan]:
    """Every recorded scan, the oldest first."""
    query = sa.select(SCANS.c.id, SCANS.c.started_on, SCANS.c.finished_on, SCANS.c.complete, SCANS.c.figures)
    return [
        Scan(
            id=row.id,
            started_on=aware(row.started_on),
            complete=row.complete,
            finished_on=aware(row.finished_on),
            figures=msgspec.json.decode(row.figures, type=ScanFigures) if row.figures else None,
        )
        for row in db.execute(query.order_by(SCANS.c.started_on))
    ]


def scan_named(scans: Sequence[Scan], name: str, timezone: str) -> Scan:
    """The scan whose id begins with `name`, or the last one of the organisation's day `name`. Raises `LedgerError`."""
    matches = [scan for scan in scans if scan.id.startswith(name)]
    if len(matches) == 1:
        return matches[0]
    if on_day := [scan for scan in scans if day_of(scan.started_on, timezone).isoformat() == name]:
        return on_day[-1]
    if matches:
        raise LedgerError(
            say(
                "{name} matches {count} scans; write more of the id. `cloudscan trend` lists the ids.",
                name=repr(name),
                count=len(matches),
            )
        )
    raise LedgerError(
        say("There is no scan {name}; write an id or a day that `cloudscan trend` lists.", name=repr(name))
    )


class PeriodMark(NamedTuple):
    """What a scan may change of a current exposure period although the verdict is the same."""

    severity: str | None
    waived: bool


def period_marks(db: Connection) -> dict[str, PeriodMark]:
    """The marks of the exposure periods that have not ended, by fingerprint."""
    columns = (EXPOSURE_PERIODS.c[name] for name in ("fingerprint", *PeriodMark._fields))
    rows = db.execute(sa.select(*columns).where(EXPOSURE_PERIODS.c.to_on.is_(None)), execution_options=MANY)
    marks: dict[PeriodMark, PeriodMark] = {}  # there are few that differ
    return {
        sys.intern(fingerprint): marks.setdefault(PeriodMark(severity, waived), PeriodMark(severity, waived))
        for fingerprint, severity, waived in rows
    }


def current_periods(db: Connection, fingerprints: Collection[str]) -> dict[str, ExposurePeriod]:
    """The exposure periods of these findings that have not ended, by fingerprint."""
    current = sa.select(EXPOSURE_PERIODS).where(EXPOSURE_PERIODS.c.to_on.is_(None))
    return {row.fingerprint: _period(row) for row in _of(db, current, EXPOSURE_PERIODS.c.fingerprint, fingerprints)}


def past_scans(db: Connection) -> list[PastScan]:
    """The last scans, the newest first, and what each was judged by."""
    query = sa.select(SCANS.c.id, SCANS.c.started_on, SCANS.c.basis, SCANS.c.snapshot)
    return [
        PastScan(
            id=row.id,
            started_on=aware(row.started_on),
            basis=msgspec.json.decode(row.basis, type=Basis) if row.basis else None,
            folder=Path(row.snapshot),
        )
        for row in db.execute(query.order_by(SCANS.c.started_on.desc()).limit(_LOOKS_BACK))
    ]


class PeriodRows(NamedTuple):
    """The exposure periods that a scan ends and starts, ready to be written."""

    moment: datetime
    ended: Sequence[Mapping[str, object]]
    started: Sequence[Mapping[str, object]]


def period_rows(
    entries: Iterable[Entry],
    severities: Mapping[str, Severity],
    moment: datetime,
    before: Mapping[str, ExposurePeriod],
    changed_by: Mapping[str, ChangedBy],
) -> PeriodRows:
    """What ends and starts where the scan at `moment` saw a change in these entries.

    `severities` are by rule id, `before` their current periods and `changed_by` what made them change by fingerprint.
    """
    now = [
        ExposurePeriod(
            fingerprint=entry.fingerprint,
            severity=severities.get(entry.verdict.rule_id),
            waived=entry.waiver is not None,
            reach=Reach.of(entry.verdict),
        )
        for entry in entries
        if entry.state in UNRESOLVED
    ]
    ended, started = history.period_changes(before, now)
    return PeriodRows(
        moment=moment,
        ended=[{"key": fingerprint} for fingerprint in ended],
        started=[
            {
                "fingerprint": period.fingerprint,
                "from_on": naive(moment),
                "severity": period.severity,
                "waived": period.waived,
                "changed_by": changed_by.get(period.fingerprint, ""),
                **{name: getattr(period.reach, name) for name in _REACH},
            }
            for period in started
        ],
    )


def write_periods(db: Connection, rows: PeriodRows) -> None:
    """End and start exposure periods."""
    if rows.ended:
        current = EXPOSURE_PERIODS.c.to_on.is_(None)
        change = sa.update(EXPOSURE_PERIODS).where(current, EXPOSURE_PERIODS.c.fingerprint == sa.bindparam("key"))
        db.execute(change.values(to_on=naive(rows.moment)), rows.ended)
    if rows.started:
        db.execute(sa.insert(EXPOSURE_PERIODS), rows.started)


def extents_of_unresolved(db: Connection) -> dict[str, list[PeriodExtent]]:
    """The extents of all periods of unresolved findings, by fingerprint."""
    extents: dict[str, list[PeriodExtent]] = {}
    moments = Moments()
    columns = (EXPOSURE_PERIODS.c[name] for name in ("fingerprint", "from_on", "to_on", "resources", "people"))
    query = sa.select(*columns).where(EXPOSURE_PERIODS.c.fingerprint.in_(unresolved_fingerprints()))
    for fingerprint, from_on, to_on, resources, people in db.execute(query, execution_options=MANY):
        extent = PeriodExtent(
            started_on=moments[from_on],
            ended_on=moments[to_on] if to_on else None,
            resources=resources,
            people=people,
        )
        extents.setdefault(sys.intern(fingerprint), []).append(extent)
    return extents


def diff_between(db: Connection, earlier: Scan, later: Scan, tolerance: float, versions: Mapping[str, str]) -> Diff:
    """What differs between two scans; `tolerance` is the relative growth of an amount that does not count.

    `versions` are those that were new with a scan, by its id.
    """
    touched = _touched(db, earlier.started_on, later.started_on)
    before, after = (_periods_at(db, moment, touched) for moment in (earlier.started_on, later.started_on))
    changed = {fingerprint for fingerprint in before.keys() & after.keys() if before[fingerprint] != after[fingerprint]}
    different = (before.keys() ^ after.keys()) | changed
    started_before = EXPOSURE_PERIODS.c.from_on < naive(earlier.started_on)
    known = sa.select(EXPOSURE_PERIODS.c.fingerprint).where(started_before)
    differences = history.differences(
        before,
        after,
        {entry.fingerprint: entry.verdict for entry in entries_with(db, sorted(different))},
        earlier={row.fingerprint for row in _of(db, known, EXPOSURE_PERIODS.c.fingerprint, different)},
        turns=_turns(db, earlier.started_on, later.started_on, versions) if different else {},
        tolerance=tolerance,
    )
    counts: dict[str, int] = {
        kind: sum(difference.kind is kind for difference in differences) for kind in DIFFERENCE_KINDS
    }
    return Diff(old=earlier, new=later, counts=counts, differences=differences)


def comparisons(db: Connection, scans: Sequence[Scan]) -> list[Comparison]:
    """The last of the scans against earlier ones, with what the estate changed since."""
    return [
        comparison.with_turns(one, _turns_by_platform(db, one.old.started_on, scans[-1].started_on))
        for one in comparison.chosen(scans)
    ]


def _turns_by_platform(db: Connection, after: datetime, until: datetime) -> list[Turns]:
    """How often findings changed between two scans, by platform. Decisions about waivers are no changes."""
    grouped = (EVENTS.c.kind, FINDINGS.c.platform, EVENTS.c.changed_by)
    query = (
        sa.select(*grouped, sa.func.count().label("number"))
        .join(FINDINGS, FINDINGS.c.fingerprint == EVENTS.c.fingerprint)
        .where(
            EVENTS.c.happened_on > naive(after),
            EVENTS.c.happened_on <= naive(until),
            EVENTS.c.kind != EventKind.WAIVED,
            EVENTS.c.reason.not_in(("expired", "revoked", "widened")),
        )
        .group_by(*grouped)
    )
    return [
        Turns(EventKind(row.kind), row.platform, ChangedBy(row.changed_by or ChangedBy.ESTATE), row.number)
        for row in db.execute(query)
    ]


def _touched(db: Connection, earlier: datetime, later: datetime) -> set[str]:
    """The findings of which a period began or ended between two scans: all others are as they were."""
    between = (
        sa.and_(column > naive(earlier), column <= naive(later))
        for column in (EXPOSURE_PERIODS.c.from_on, EXPOSURE_PERIODS.c.to_on)
    )
    return set(db.execute(sa.select(EXPOSURE_PERIODS.c.fingerprint).where(sa.or_(*between))).scalars())


def _periods_at(db: Connection, moment: datetime, fingerprints: Collection[str]) -> dict[str, ExposurePeriod]:
    """The exposure periods of these findings that contain the start of a scan, by fingerprint."""
    at = naive(moment)
    query = sa.select(EXPOSURE_PERIODS).where(
        EXPOSURE_PERIODS.c.from_on <= at, sa.or_(EXPOSURE_PERIODS.c.to_on.is_(None), EXPOSURE_PERIODS.c.to_on > at)
    )
    return {row.fingerprint: _period(row) for row in _of(db, query, EXPOSURE_PERIODS.c.fingerprint, fingerprints)}


def _of(db: Connection, query: sa.Select[Any], column: sa.Column[str], wanted: Collection[str]) -> Iterator[Any]:
    """The rows of a query whose column is among the wanted values: few are asked for, of many all rows are read."""
    if len(wanted) > _MOST_VALUES:
        yield from (row for row in db.execute(query.add_columns(column.label("wanted"))) if row.wanted in wanted)
    elif wanted:
        yield from db.execute(query.where(column.in_(list(wanted))))


def _period(row: Any) -> ExposurePeriod:
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


def _turns(db: Connection, after: datetime, until: datetime, versions: Mapping[str, str]) -> dict[str, list[SeenTurn]]:
    """How findings changed between two moments, in order, by fingerprint."""
    turns: dict[str, list[SeenTurn]] = {}
    seen = (
        EVENTS.c.happened_on > naive(after),
        EVENTS.c.happened_on <= naive(until),
        EVENTS.c.kind != EventKind.WAIVED,
        EVENTS.c.reason.not_in(("expired", "revoked")),
    )
    for row in db.execute(sa.select(EVENTS).where(*seen).order_by(EVENTS.c.id)):
        rejudged = finding_rows.rejudged(row.changed_by, aware(row.happened_on), versions.get(row.scan_id, ""))
        turn = SeenTurn(kind=EventKind(row.kind), reason=row.reason, rejudged=rejudged)
        turns.setdefault(row.fingerprint, []).append(turn)
    moments = {scan.started_on: versions.get(scan.id, "") for scan in scans(db)}
    started = (
        EXPOSURE_PERIODS.c.from_on > naive(after),
        EXPOSURE_PERIODS.c.from_on <= naive(until),
        EXPOSURE_PERIODS.c.changed_by != "",
    )
    for row in db.execute(sa.select(EXPOSURE_PERIODS).where(*started).order_by(EXPOSURE_PERIODS.c.from_on)):
        on = aware(row.from_on)
        rejudged = finding_rows.rejudged(row.changed_by, on, moments.get(on, ""))
        turns.setdefault(row.fingerprint, []).append(SeenTurn(kind=None, rejudged=rejudged))
    return turns
