"""Rows of gaps, and what they mean for the last scan, within a transaction of the caller's."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloudscan.ledger import gaps
from cloudscan.ledger.database import aware, naive
from cloudscan.ledger.gaps import GapRecord
from cloudscan.ledger.schema import GAPS, SCANS
from cloudscan.ledger.waivers import WaiverRegister
from cloudscan.report import GapStatus, Report, ScanFigures, gap_counts

_MOST_VALUES: Final = 500  # in one IN (…)


def records(db: Connection, names: Collection[str]) -> dict[str, GapRecord]:
    """What is remembered of these gaps, by name."""
    wanted = sorted(names)
    found = {}
    for start in range(0, len(wanted), _MOST_VALUES):
        for row in db.execute(sa.select(GAPS).where(GAPS.c.gap.in_(wanted[start : start + _MOST_VALUES]))):
            found[row.gap] = GapRecord(
                gap=row.gap, first_seen_on=aware(row.first_seen_on), last_seen_on=aware(row.last_seen_on)
            )
    return found


def write(db: Connection, before: Collection[str], seen: Iterable[GapRecord]) -> None:
    """Remember the gaps that a scan had; `before` are the names of those that are remembered."""
    rows = [
        {"key": record.gap, "first_seen_on": naive(record.first_seen_on), "last_seen_on": naive(record.last_seen_on)}
        for record in seen
    ]
    known = [row for row in rows if row["key"] in before]
    fresh = [{"gap": row.pop("key"), **row} for row in rows if row["key"] not in before]
    if known:
        db.execute(sa.update(GAPS).where(GAPS.c.gap == sa.bindparam("key")), known)
    if fresh:
        db.execute(sa.insert(GAPS), fresh)


def statuses(db: Connection, report: Report, register: WaiverRegister, today: datetime) -> dict[str, GapStatus]:
    """The status of each gap of a report."""
    remembered = records(db, gaps.gaps_in(report.coverage))
    return gaps.statuses(remembered.values(), report.scan.started_on, register, today)


def rejudge_scan(db: Connection, report: Report) -> None:
    """Store whether the scan of this report is complete, and its counts of gaps, after a decision about a gap."""
    stored = db.execute(sa.select(SCANS.c.figures).where(SCANS.c.id == report.scan.id)).scalar()
    figures = stored
    if stored:
        counted = msgspec.structs.replace(msgspec.json.decode(stored, type=ScanFigures), gaps=gap_counts(report))
        figures = msgspec.json.encode(counted).decode()
    change = sa.update(SCANS).where(SCANS.c.id == report.scan.id)
    db.execute(change.values(complete=report.complete, figures=figures))
