"""Estimates in words: hours of work and shares of the risk, as ranges."""

from typing import Final

from cloudscan_reports.summary.ranking import Hours
from cloudscan_wording.texts import Texts, number

_HOURS_A_DAY: Final = 8
_DAYS_A_MONTH: Final = 20


def cost(texts: Texts, hours: Hours) -> str:
    """A range of work in words: in hours, days of eight hours, or months of twenty days; the larger one decides."""
    least, most = hours
    unit, name = 1, "hours"
    if most >= 2 * _DAYS_A_MONTH * _HOURS_A_DAY:
        unit, name = _DAYS_A_MONTH * _HOURS_A_DAY, "months"
    elif most >= 2 * _HOURS_A_DAY:
        unit, name = _HOURS_A_DAY, "days"
    low, high = _rough(least / unit), _rough(most / unit)
    return texts.say(f"ranking.{name}", low=low, high=high)


def _rough(amount: float) -> str:
    """An amount with as many digits as an estimate deserves."""
    return number(round(amount) if amount >= 3 else round(2 * amount) / 2 or 0.5)


def percent_range(parts: tuple[float, float]) -> str:
    """0.06 and 0.31 as 6–31%. Never nothing: a plan promises no such thing."""
    low, high = (max(1, round(100 * part)) for part in parts)
    return f"{low}%" if low == high else f"{low}–{high}%"
