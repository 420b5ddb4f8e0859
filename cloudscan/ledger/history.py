"""What changed in an estate between scans: differences and the trend. Pure functions; `Ledger` stores the rows.

The ledger does not store a list of findings per scan but, per finding, its *exposure periods*: spans of time with the
same audience, access, severity and waiver, and with amounts that stay within a few per cent. A night on which nothing
changes adds no row, and yet any two scans can be compared.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import msgspec

from cloudscan.facts import Audience
from cloudscan.finding import Severity, Verdict
from cloudscan.reach import TOLERANCE, Reach, differ, widened
from cloudscan.report import (
    DIFFERENCE_KINDS,
    ChangedBy,
    Difference,
    DifferenceKind,
    EventKind,
    Rejudged,
    Scan,
    TimeOpen,
)

PRECISION: Final = 0.05
"""Amounts are stored with this relative precision: one that changes by less continues the same period."""

LOOKS_BACK: Final = timedelta(days=7)
"""How far back a complete scan may be to serve as the baseline. Some estates are never read completely."""

OPEN_TO_ALL: Final = (Audience.ANYONE_WITH_LINK, Audience.ANYONE_DISCOVERABLE)


class PeriodExtent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The blast radius of a finding during one period; `ended_on` is None for the current one."""

    started_on: datetime
    ended_on: datetime | None
    resources: int
    people: int | None


class ExposurePeriod(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a finding was like, unchanged, from one scan to another."""

    fingerprint: str
    severity: Severity | None  # None: its rule was not applied
    waived: bool
    reach: Reach


class SeenTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A change that a scan saw in a finding, and whether only its judgement changed."""

    kind: EventKind | None  # None: its reach is another
    reason: str = ""
    rejudged: Rejudged | None = None  # None: the estate changed


def new_versions(scans: Sequence[Scan]) -> dict[str, str]:
    """The versions of cloudscan that were new with a scan, by its id. `scans` are in the order of their start."""
    versions = [(scan.id, scan.figures.version if scan.figures else "") for scan in scans]
    return {scan_id: version for (_, before), (scan_id, version) in pairwise(versions) if version and version != before}


def period_changes(
    before: Mapping[str, ExposurePeriod], now: Iterable[ExposurePeriod]
) -> tuple[list[str], list[ExposurePeriod]]:
    """The fingerprints whose current period ends, and the periods that start."""
    current = {period.fingerprint: period for period in now}
    started = [period for fingerprint, period in current.items() if not _continues(before.get(fingerprint), period)]
    ended = {period.fingerprint for period in started} | (before.keys() - current.keys())
    return sorted(ended & before.keys()), started


def baseline(scans: Sequence[Scan]) -> Scan | None:
    """The scan to compare the last one with: the last complete one within a week before it, else the one before it.

    `scans` are in the order of their start. None if there is only one.
    """
    if len(scans) < 2:
        return None
    *earlier, last = scans
    complete = [scan for scan in earlier if scan.complete and scan.started_on >= last.started_on - LOOKS_BACK]
    return complete[-1] if complete else earlier[-1]


def differences(
    old: Mapping[str, ExposurePeriod],
    new: Mapping[str, ExposurePeriod],
    verdicts: Mapping[str, Verdict],
    *,
    earlier: AbstractSet[str],
    turns: Mapping[str, Sequence[SeenTurn]],
    tolerance: float = TOLERANCE,
) -> list[Difference]:
    """What differs between two scans, by kind and then by severity.

    `old` and `new` are the periods at each scan by fingerprint, `earlier` the fingerprints of findings from before
    `old`, `turns` what scans saw since, in order; a fingerprint without a verdict is left out.
    """
    listed = []
    for fingerprint in old.keys() | new.keys():
        before, now = old.get(fingerprint), new.get(fingerprint)
        wider = widened(before.reach, now.reach, tolerance) if before and now else []
        kind = _kind(before, now, known=fingerprint in earlier, wider=bool(wider))
        verdict = verdicts.get(fingerprint)
        if kind is None or verdict is None:
            continue
        seen = turns.get(fingerprint, ())
        rejudged = _rejudged(kind, seen)
        by_decision = before is not None and now is not None and before.waived and not now.waived
        if rejudged and rejudged.changed_by.is_judgement and kind is not DifferenceKind.WAIVED and not by_decision:
            kind = DifferenceKind.REJUDGED
        severity = next((period.severity for period in (now, before) if period and period.severity), None)
        listed.append(
            Difference(
                kind=kind,
                fingerprint=fingerprint,
                rule_id=verdict.rule_id,
                platform=verdict.subject.platform,
                account=verdict.subject.account,
                uid=verdict.subject.uid,
                name=verdict.subject.name,
                severity=severity,
                before=before.reach if before else None,
                now=now.reach if now else None,
                widened=wider,
                reason="" if now else next((turn.reason for turn in reversed(seen) if turn.kind), ""),
                rejudged=rejudged,
            )
        )
    return sorted(listed, key=_order)


def time_open_of(verdict: Verdict, periods: Iterable[PeriodExtent], until: datetime) -> TimeOpen:
    """How long a finding has been open and with how much behind it, waived or not: a waiver closes no link.

    What the platform says about the time before the first scan counts with the blast radius of the first period.
    """
    days = resource_days = person_days = 0.0
    counted = False
    for order, period in enumerate(sorted(periods, key=lambda period: period.started_on)):
        since = verdict.since if order == 0 and verdict.since is not None else period.started_on
        lasted = _days(min(since, period.started_on), period.ended_on or until)
        days += lasted
        resource_days += lasted * period.resources
        if period.people is not None:
            person_days, counted = person_days + lasted * period.people, True
    return TimeOpen(
        days=round(days, 1),
        resource_days=round(resource_days, 1),
        person_days=round(person_days, 1) if counted else None,
    )


def _days(started_on: datetime, ended_on: datetime) -> float:
    return max(0.0, (ended_on - started_on).total_seconds() / 86400)


def _continues(before: ExposurePeriod | None, now: ExposurePeriod) -> bool:
    if before is None or before.waived is not now.waived:
        return False
    return now.severity in (before.severity, None) and not differ(before.reach, now.reach, PRECISION)


def _kind(
    before: ExposurePeriod | None, now: ExposurePeriod | None, *, known: bool, wider: bool
) -> DifferenceKind | None:
    if now is None:
        return DifferenceKind.RESOLVED
    if now.waived and (before is None or not before.waived):
        return DifferenceKind.WAIVED
    if before is None:
        return DifferenceKind.REOPENED if known else DifferenceKind.NEW
    if before.waived and not now.waived:
        return DifferenceKind.REOPENED
    return DifferenceKind.WIDENED if wider else None


def _rejudged(kind: DifferenceKind, turns: Sequence[SeenTurn]) -> Rejudged | None:
    """Whether only the judgement changed over all of a finding's turns. What the estate did and undid is left out."""
    if kind is DifferenceKind.WAIVED:
        return None
    if kind is DifferenceKind.WIDENED:
        counted = [turn.rejudged for turn in turns if turn.kind is None]
    else:
        step = -1 if kind is DifferenceKind.RESOLVED else 1
        net: dict[ChangedBy, int] = {}
        for turn in turns:
            if turn.kind is not None:
                changed_by = turn.rejudged.changed_by if turn.rejudged else ChangedBy.ESTATE
                net[changed_by] = net.get(changed_by, 0) + (-1 if turn.kind is EventKind.RESOLVED else 1)
        lasting = {changed_by for changed_by, sum_ in net.items() if sum_ * step > 0}
        counted = [
            turn.rejudged
            for turn in turns
            if turn.kind is not None and (turn.rejudged.changed_by if turn.rejudged else ChangedBy.ESTATE) in lasting
        ]
    if not counted or None in counted:
        return None
    unclear = [one for one in counted if one and one.changed_by is ChangedBy.UNCLEAR]
    return (unclear or counted)[-1]


def _order(difference: Difference) -> tuple[int, int, str, str]:
    rung = -difference.severity.rung if difference.severity else 1
    return DIFFERENCE_KINDS.index(difference.kind), rung, difference.rule_id, difference.fingerprint
