"""Rows of closings: in which state something of a person who leaves was seen, and since which scan.

A row is found by a digest of person, platform and task: no name is in the table.
"""

from collections.abc import Collection, Mapping
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloudscan.checklist import ItemState, Seen
from cloudscan.ledger.database import aware, naive
from cloudscan.ledger.schema import CLOSINGS

_MOST_VALUES: Final = 500  # in one IN (…)


def seen(db: Connection, items: Collection[str]) -> dict[str, Seen]:
    """What is remembered of these items."""
    wanted, found = sorted(set(items)), {}
    for start in range(0, len(wanted), _MOST_VALUES):
        for row in db.execute(sa.select(CLOSINGS).where(CLOSINGS.c.item.in_(wanted[start : start + _MOST_VALUES]))):
            since = None if row.since_on is None else aware(row.since_on)
            found[row.item] = Seen(state=ItemState(row.state), since=since)
    return found


def write(db: Connection, before: Collection[str], changed: Mapping[str, Seen]) -> None:
    """Remember the items that are in another state than before; `before` are those that are remembered."""
    rows = [
        {"key": item, "state": one.state.value, "since_on": one.since and naive(one.since)}
        for item, one in changed.items()
    ]
    known = [row for row in rows if row["key"] in before]
    fresh = [{"item": row.pop("key"), **row} for row in rows if row["key"] not in before]
    if known:
        db.execute(sa.update(CLOSINGS).where(CLOSINGS.c.item == sa.bindparam("key")), known)
    if fresh:
        db.execute(sa.insert(CLOSINGS), fresh)
