"""Rows of tickets and notifications, within a transaction of the caller's."""

from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloudscan.ledger.database import aware, naive
from cloudscan.ledger.schema import NOTIFICATIONS, RENAMED_FINGERPRINTS, TICKETS
from cloudscan.ticketing.renames import Renames
from cloudscan.tracker import TicketPhase, TicketRecord


def tickets(db: Connection) -> list[TicketRecord]:
    """Every ticket that the ledger remembers."""
    return [
        TicketRecord(**{**row._mapping, "acted_on": aware(row.acted_on), "phase": TicketPhase(row.phase)})
        for row in db.execute(sa.select(TICKETS))
    ]


def write_ticket(db: Connection, record: TicketRecord) -> None:
    """Store a ticket, replacing what was known about it, under another marker too."""
    values = msgspec.structs.asdict(record) | {"acted_on": naive(record.acted_on), "phase": record.phase.value}
    same = TICKETS.c.marker == record.marker
    if record.key:
        same |= TICKETS.c.key == record.key
    db.execute(sa.delete(TICKETS).where(TICKETS.c.tracker == record.tracker, same))
    db.execute(sa.insert(TICKETS).values(values))


def renames(db: Connection) -> Renames:
    """The fingerprints and rule ids that tickets may still show, and what they are today."""
    rows = db.execute(sa.select(RENAMED_FINGERPRINTS)).all()
    return Renames(
        markers={row.old_fingerprint: row.new_fingerprint for row in rows},
        rules={row.old_rule_id: row.new_rule_id for row in rows},
    )


def was_notified(db: Connection, scan_id: str) -> bool:
    """Whether a notification of this scan was sent."""
    return db.execute(sa.select(NOTIFICATIONS).where(NOTIFICATIONS.c.scan_id == scan_id)).first() is not None


def write_notification(db: Connection, scan_id: str, moment: datetime) -> None:
    """Store that a notification of a scan was sent."""
    db.execute(sa.delete(NOTIFICATIONS).where(NOTIFICATIONS.c.scan_id == scan_id))
    db.execute(sa.insert(NOTIFICATIONS).values(scan_id=scan_id, sent_on=naive(moment)))
