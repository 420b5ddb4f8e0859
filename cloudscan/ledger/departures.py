"""Who leaves, and since when what they had is closed: a snapshot, and what the ledger remembers of earlier ones."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy.engine import Connection

from cloudscan.checklist import WINDOW, Checklist, DepartureFigures, changed, figures, items_of, settled
from cloudscan.days import day_of
from cloudscan.engine.judge import Verdicts
from cloudscan.ledger import closing_rows
from cloudscan.organisation import checklists
from cloudscan.snapshot.snapshot import Snapshot

_RULE: Final = "mover-keeps-old-access"
_GRACE: Final = "grace_days"


def record(db: Connection, snapshot: Snapshot, timezone: str, verdicts: Verdicts) -> DepartureFigures | None:
    """Remember what a scan saw closed of those who left and those who leave soon; gives the figures."""
    moment = snapshot.scan.started_on
    today = day_of(moment, timezone)
    people = checklists.leaving(snapshot, timezone, since=today - WINDOW - timedelta(days=1))
    before = closing_rows.seen(db, items_of(people))
    closing_rows.write(db, before, changed(people, before, moment, timezone))
    movers = checklists.moved(snapshot, timezone, grace_days=_grace_days(verdicts))
    return figures(recalled(db, people), movers, today, timezone)


def _grace_days(verdicts: Verdicts) -> int:
    """How long the old access may stay after a move, as the rule about it is set; its default where it does not run."""
    rule = next((rule for rule in verdicts.rules if rule.id == _RULE and _GRACE in rule.params), None)
    if rule is None:
        return checklists.GRACE_DAYS
    return int(verdicts.params.get(_RULE, {}).get(_GRACE, rule.params[_GRACE].default))


def recalled(db: Connection, people: Sequence[Checklist]) -> Sequence[Checklist]:
    """The checklists with the days that the ledger remembers."""
    return settled(people, closing_rows.seen(db, items_of(people)))
