"""Rows of tickets and of who is told of scans, within a transaction of the caller's."""

from collections.abc import Collection

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloudscan.channel import Channel, ChannelKind
from cloudscan.ledger.database import aware, naive
from cloudscan.ledger.schema import CHANNELS, PENDING_COMMENTS, RENAMED_FINGERPRINTS, TICKET_TROUBLES, TICKETS
from cloudscan.ticketing.memory import KnownTrouble, PendingComment
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


def pending_comments(db: Connection) -> list[PendingComment]:
    """The comments that are due and not written yet, the oldest first."""
    rows = db.execute(sa.select(PENDING_COMMENTS).order_by(PENDING_COMMENTS.c.planned_on))
    return [PendingComment(**{**row._mapping, "planned_on": aware(row.planned_on)}) for row in rows]


def write_pending_comment(db: Connection, comment: PendingComment) -> None:
    """Store a comment that is due, replacing the same one."""
    delete_pending_comment(db, comment.tracker, comment.key, comment.comment_id)
    values = msgspec.structs.asdict(comment) | {"planned_on": naive(comment.planned_on)}
    db.execute(sa.insert(PENDING_COMMENTS).values(values))


def delete_pending_comment(db: Connection, tracker: str, key: str, comment_id: str) -> None:
    """Forget a comment."""
    table = PENDING_COMMENTS.c
    same = (table.tracker == tracker) & (table.key == key) & (table.comment_id == comment_id)
    db.execute(sa.delete(PENDING_COMMENTS).where(same))


def troubles(db: Connection) -> list[KnownTrouble]:
    """What failed in the last run of each tracker."""
    rows = db.execute(sa.select(TICKET_TROUBLES))
    return [KnownTrouble(**{**row._mapping, "since": aware(row.since)}) for row in rows]


def keep_troubles(db: Connection, tracker: str, kept: Collection[KnownTrouble]) -> None:
    """Replace what failed in a tracker."""
    db.execute(sa.delete(TICKET_TROUBLES).where(TICKET_TROUBLES.c.tracker == tracker))
    rows = [msgspec.structs.asdict(trouble) | {"since": naive(trouble.since)} for trouble in kept]
    if rows:
        db.execute(sa.insert(TICKET_TROUBLES), rows)


def channels(db: Connection) -> list[Channel]:
    """Everyone who is told of scans."""
    return [
        Channel(
            kind=ChannelKind(row.kind),
            id=row.id,
            scan_id=row.scan_id,
            before_id=row.before_id,
            informed_on=row.informed_on and aware(row.informed_on),
            failing_since=row.failing_since and aware(row.failing_since),
        )
        for row in db.execute(sa.select(CHANNELS).order_by(CHANNELS.c.kind, CHANNELS.c.id))
    ]


def write_channel(db: Connection, channel: Channel) -> None:
    """Store what a channel was told, replacing what was known about it."""
    values = msgspec.structs.asdict(channel) | {
        "kind": channel.kind.value,
        "informed_on": channel.informed_on and naive(channel.informed_on),
        "failing_since": channel.failing_since and naive(channel.failing_since),
    }
    db.execute(sa.delete(CHANNELS).where(CHANNELS.c.kind == channel.kind.value, CHANNELS.c.id == channel.id))
    db.execute(sa.insert(CHANNELS).values(values))


def keep_channels(db: Connection, kind: ChannelKind, ids: Collection[str]) -> None:
    """Forget the channels of a kind that are not among the given ones."""
    db.execute(sa.delete(CHANNELS).where(CHANNELS.c.kind == kind.value, CHANNELS.c.id.not_in(list(ids))))
