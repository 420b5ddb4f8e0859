"""How far the ledger has come: what was worked out from it is written only if nobody has written since."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloudscan.ledger.schema import EVENTS, REVOCATIONS, SCANS, WAIVER_REVIEWS, WAIVERS


class Mark(NamedTuple):
    """How far the ledger had come: another one means that somebody has written."""

    scan: str | None
    scans: int
    events: int | None
    waivers: int | None
    revocations: int
    reviews: int | None


def mark(db: Connection) -> Mark:
    """How far the ledger has come. Tickets and channels do not count: nothing is worked out from them."""
    last = sa.select(SCANS.c.id).order_by(SCANS.c.started_on.desc()).limit(1).scalar_subquery()
    counted = (sa.select(sa.func.count()).select_from(table).scalar_subquery() for table in (SCANS, REVOCATIONS))
    newest = (sa.select(sa.func.max(table.c.id)).scalar_subquery() for table in (EVENTS, WAIVERS, WAIVER_REVIEWS))
    (scans, revocations), (events, waivers, reviews) = counted, newest
    return Mark(*db.execute(sa.select(last, scans, events, waivers, revocations, reviews)).one())
