"""The score: one number that sorts findings by urgency. `docs/score.md` explains it on one page."""

import math
from typing import Final

from cloudscan.facts import Access, Audience
from cloudscan.finding import Severity

SEVERITY: Final = {
    Severity.INFO: 0.5,
    Severity.LOW: 2.0,
    Severity.MEDIUM: 4.0,
    Severity.HIGH: 6.5,
    Severity.CRITICAL: 9.0,
}
AUDIENCE: Final = {
    Audience.NOBODY: 0.0,
    Audience.OWNER: 0.0,
    Audience.NAMED: 0.3,
    Audience.NAMED_EXTERNAL: 1.0,
    Audience.EXTERNAL_DOMAIN: 1.5,
    Audience.ORGANISATION: 1.8,
    Audience.ANY_ACCOUNT: 2.8,
    Audience.ANYONE_WITH_LINK: 3.0,
    Audience.ANYONE_DISCOVERABLE: 3.5,
}
ACCESS: Final = {
    Access.LIST: 0.3,
    Access.READ: 1.0,
    Access.COMMENT: 1.1,
    Access.WRITE: 1.6,
    Access.MANAGE: 2.0,
    Access.OWN: 2.0,
}
RANK: Final = {1: 0.0, 2: 0.5, 3: 1.0, 4: 1.8, 5: 2.5}
_YEAR: Final = 365.0


def impact(
    severity: Severity,
    *,
    audience: Audience | None = None,
    access: Access | None = None,
    resources: int = 1,
    size_bytes: int | None = None,
    people: int | None = None,
    rank: int | None = None,
    days_open: float = 0.0,
) -> float:
    """The impact, 0 to 20: severity, audience and access, blast radius, and how long it has been open.

    It never falls when an argument rises. Amounts count by their order of magnitude: ten times as many files weigh
    one step more. An unknown argument (None) weighs nothing, except `rank`, which then is the middle.
    """
    total = SEVERITY[severity]
    total += AUDIENCE[audience] if audience is not None else 0.0
    total += ACCESS[access] if access is not None else 0.0
    total += _steps(resources, start=1, step=0.2, most=1.2)
    total += _steps((size_bytes or 0) / 1e6, start=1, step=0.1, most=0.6)
    total += _steps(people or 0, start=1, step=0.15, most=0.7)
    total += RANK[min(5, max(1, rank if rank is not None else 3))]
    total += 0.5 * min(1.0, max(0.0, days_open) / _YEAR)
    return round(min(20.0, total), 2)


def score(likelihood: int, impact: float) -> float:
    """Likelihood × impact: 1 to 5 times 0 to 20, so that 100 is the worst."""
    return round(min(5, max(1, likelihood)) * impact, 1)


def _steps(amount: float, *, start: float, step: float, most: float) -> float:
    """`step` for every tenfold above `start`, and never more than `most`."""
    return min(most, step * math.log10(max(amount, start) / start))
