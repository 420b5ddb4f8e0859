"""Is it getting better: today against 30 and 90 days ago. Pure functions; `history_rows` reads what they need.

Only like is compared with like: scans that read enough, the platforms that both read, and changes that the estate
made. A platform that was added since is told and not counted, as is what is only judged differently.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from cloudscan.facts import Outcome
from cloudscan.report import ChangedBy, Comparison, EventKind, PlatformFigures, Scan, WhyIncomparable

DAYS_AGO: Final = (30, 90)
ENOUGH_READ: Final = 0.8
"""Share of a scan's scopes that must have been read completely for its figures to be compared."""
_NOT_WANTED: Final = (Outcome.SKIPPED, Outcome.NOT_OFFERED, Outcome.NOT_JUDGED)


class Turns(NamedTuple):
    """How often findings of a platform changed in one way between two scans, and what changed them."""

    kind: EventKind
    platform: str
    changed_by: ChangedBy
    number: int


def chosen(scans: Sequence[Scan]) -> list[Comparison]:
    """The earlier scans to compare the last one with, their changes not yet counted.

    For each number of days the nearest scan that can be compared and is not half as long ago again, or sooner by half.
    A ledger that is too young for that is compared with its first scan that can be. `scans` are in order.
    """
    if len(scans) < 2:
        return []
    *earlier, last = scans
    found = [comparison for days in DAYS_AGO if (comparison := _nearest(earlier, last, days))]
    if found:
        return found
    first = next((scan for scan in earlier if _why_not(scan, last) is None), earlier[0])
    return [_compared(first, last, 0)]


def with_turns(comparison: Comparison, turns: Iterable[Turns]) -> Comparison:
    """A comparison with what changed since."""
    counted = [turn for turn in turns if turn.platform in comparison.platforms]
    by_estate = [turn for turn in counted if turn.changed_by is ChangedBy.ESTATE]
    return msgspec.structs.replace(
        comparison,
        new=_sum(by_estate, EventKind.OPENED),
        reopened=_sum(by_estate, EventKind.REOPENED),
        resolved=_sum(by_estate, EventKind.RESOLVED),
        rejudged=sum(turn.number for turn in counted if turn.changed_by is not ChangedBy.ESTATE),
    )


def _sum(turns: Iterable[Turns], kind: EventKind) -> int:
    return sum(turn.number for turn in turns if turn.kind is kind)


def _nearest(earlier: Sequence[Scan], last: Scan, days: int) -> Comparison | None:
    wanted = last.started_on - timedelta(days=days)
    near = [scan for scan in earlier if abs(scan.started_on - wanted) <= timedelta(days=days / 2)]
    ordered = sorted(near, key=lambda scan: _distance(scan.started_on, wanted))
    best = next((scan for scan in ordered if _why_not(scan, last) is None), next(iter(ordered), None))
    return _compared(best, last, days) if best else None


def _distance(moment: datetime, wanted: datetime) -> timedelta:
    return abs(moment - wanted)


def _compared(old: Scan, last: Scan, days: int) -> Comparison:
    apart = round((last.started_on - old.started_on) / timedelta(days=1), 2)
    comparison = Comparison(old=old, days=apart, asked_days=days, why_not=_why_not(old, last))
    if comparison.why_not:
        return comparison
    before, now = _platforms(old), _platforms(last)
    both = sorted(before.keys() & now.keys())
    return msgspec.structs.replace(
        comparison,
        platforms=both,
        added=sorted(now.keys() - before.keys()),
        removed=sorted(before.keys() - now.keys()),
        score_before=round(sum(before[platform].score for platform in both), 1),
        score_now=round(sum(now[platform].score for platform in both), 1),
    )


def _why_not(scan: Scan, last: Scan) -> WhyIncomparable | None:
    figures = scan.figures
    if figures is not None and figures.resources == 0:
        return WhyIncomparable.NOTHING_READ
    if figures is None or figures.by_platform is None:
        return WhyIncomparable.NOT_COUNTED
    wanted = {outcome: n for outcome, n in (figures.scopes or {}).items() if outcome not in _NOT_WANTED}
    if not scan.complete and wanted.get(Outcome.COMPLETE, 0) < ENOUGH_READ * sum(wanted.values()):
        return WhyIncomparable.PARTLY_READ
    return None if figures.by_platform.keys() & _platforms(last).keys() else WhyIncomparable.OTHER_PLATFORMS


def _platforms(scan: Scan) -> Mapping[str, PlatformFigures]:
    return (scan.figures.by_platform if scan.figures else None) or {}
