"""Rows that are dated ahead of the clock, within a transaction of the caller's."""

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloudscan.ledger import report_rows
from cloudscan.ledger.clock import Correction
from cloudscan.ledger.database import aware, naive
from cloudscan.ledger.schema import SCANS, SCHEMA, WAIVERS

_MOMENTS: Final = tuple(
    (table, column) for table in SCHEMA.sorted_tables for column in table.c if isinstance(column.type, sa.DateTime)
)
"""Every column of every table that says when something happened."""


def correct(db: Connection, correction: Correction) -> int:
    """Correct every moment that is ahead; gives how many rows were changed."""
    now = naive(correction.now)
    _correct_ends_of_waivers(db, correction)
    report_rows.correct_report(db, correction)
    changed = 0
    for table, column in _MOMENTS:
        ahead = db.execute(sa.select(column).where(column > now).distinct().order_by(column)).scalars().all()
        for moment in ahead:
            values = {column.name: naive(correction.of(aware(moment)))}
            changed += db.execute(sa.update(table).where(column == moment).values(values)).rowcount
    return changed


def write_snapshots(db: Connection, paths: Mapping[str, str]) -> None:
    """Where the snapshots of scans are now, by the scan's id."""
    for scan_id, path in paths.items():
        db.execute(sa.update(SCANS).where(SCANS.c.id == scan_id).values(snapshot=path))


def _correct_ends_of_waivers(db: Connection, correction: Correction) -> None:
    """A waiver that was given while the clock was ahead lasts as many days as it was given for."""
    given = sa.select(WAIVERS.c.id, WAIVERS.c.given_on, WAIVERS.c.until).where(
        WAIVERS.c.given_on > naive(correction.now)
    )
    for row in db.execute(given).all():
        moved = aware(row.given_on).date() - correction.of(aware(row.given_on)).date()
        db.execute(sa.update(WAIVERS).where(WAIVERS.c.id == row.id).values(until=row.until - moved))
