"""Who leaves, and since when what they had is closed: a snapshot, and what the ledger remembers of earlier ones."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from cloudscan.checklist import WINDOW, Checklist, DepartureFigures, Seen, figures, settled
from cloudscan.days import day_of
from cloudscan.engine.judge import Verdicts
from cloudscan.organisation import checklists
from cloudscan.snapshot.snapshot import Snapshot

_RULE: Final = "mover-keeps-old-access"
_GRACE: Final = "grace_days"


def leaving(snapshot: Snapshot, timezone: str) -> Sequence[Checklist]:
    """The checklists of those who left lately and of those who leave soon, as a snapshot shows them."""
    today = day_of(snapshot.scan.started_on, timezone)
    return checklists.leaving(snapshot, timezone, since=today - WINDOW - timedelta(days=1))


def figures_of(
    snapshot: Snapshot, people: Sequence[Checklist], seen: Mapping[str, Seen], timezone: str, verdicts: Verdicts
) -> DepartureFigures | None:
    """What leaving comes to in numbers; `seen` is what is remembered, this scan included, by item."""
    movers = checklists.moved(snapshot, timezone, grace_days=_grace_days(verdicts))
    return figures(settled(people, seen), movers, day_of(snapshot.scan.started_on, timezone), timezone)


def _grace_days(verdicts: Verdicts) -> int:
    """How long the old access may stay after a move, as the rule about it is set; its default where it does not run."""
    rule = next((rule for rule in verdicts.rules if rule.id == _RULE and _GRACE in rule.params), None)
    if rule is None:
        return checklists.GRACE_DAYS
    return int(verdicts.params.get(_RULE, {}).get(_GRACE, rule.params[_GRACE].default))
