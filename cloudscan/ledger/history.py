"""What became of an estate between scans: differences and the trend. Pure functions; `Ledger` keeps the rows.

Kept is not a list of findings per scan but, per finding, the *stretches* of time in which it stood the same way: same
audience, access, severity and decision, amounts within a few per cent. A night on which nothing changes adds no row,
and yet any two scans can be compared.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Final

import msgspec

from cloudscan.facts import Audience
from cloudscan.finding import Severity, Verdict
from cloudscan.reach import TOLERANCE, Reach, differ, widened
from cloudscan.report import DIFFERENCE_KINDS, Difference, Scan, TimeOpen

PRECISION: Final = 0.05
"""Amounts are kept to this part: one that moves less goes on in the same stretch."""

LOOKS_BACK: Final = timedelta(days=7)
"""As far back a complete scan is what a report is compared with. Some estates are never read completely."""

OPEN_TO_ALL: Final = (Audience.ANYONE_WITH_LINK, Audience.ANYONE_DISCOVERABLE)


class PeriodExtent(msgspec.Struct, frozen=True, kw_only=True):
    """What lay behind a finding from one moment up to another; None: until now."""

    begun_on: datetime
    over_on: datetime | None
    resources: int
    people: int | None


class ExposurePeriod(msgspec.Struct, frozen=True, kw_only=True):
    """How a finding stood, from one scan up to another."""

    fingerprint: str
    severity: Severity | None  # None: its rule was not there
    waived: bool
    reach: Reach


def moved(
    before: Mapping[str, ExposurePeriod], now: Iterable[ExposurePeriod]
) -> tuple[list[str], list[ExposurePeriod]]:
    """The fingerprints whose stretch is over, and the stretches that begin."""
    standing = {stretch.fingerprint: stretch for stretch in now}
    begun = [stretch for fingerprint, stretch in standing.items() if not _goes_on(before.get(fingerprint), stretch)]
    over = {stretch.fingerprint for stretch in begun} | (before.keys() - standing.keys())
    return sorted(over & before.keys()), begun


def baseline(scans: Sequence[Scan]) -> Scan | None:
    """What the last of the scans is compared with: the last complete one of the week before it, else the one before."""
    if len(scans) < 2:
        return None
    *earlier, last = scans
    complete = [each for each in earlier if each.complete and each.started_on >= last.started_on - LOOKS_BACK]
    return complete[-1] if complete else earlier[-1]


def differences(
    old: Mapping[str, ExposurePeriod],
    new: Mapping[str, ExposurePeriod],
    verdicts: Mapping[str, Verdict],
    *,
    earlier: Set[str],
    reasons: Mapping[str, str],
    tolerance: float = TOLERANCE,
) -> list[Difference]:
    """What differs between two scans, by kind and then by severity.

    `earlier` are findings that stood before `old`, `reasons` say why one was resolved since.
    """
    found = []
    for fingerprint in old.keys() | new.keys():
        before, now = old.get(fingerprint), new.get(fingerprint)
        more = widened(before.reach, now.reach, tolerance) if before and now else []
        kind = _kind(before, now, back=fingerprint in earlier, more=bool(more))
        verdict = verdicts.get(fingerprint)
        if not kind or verdict is None:
            continue
        severity = next((each.severity for each in (now, before) if each and each.severity), None)
        found.append(
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
                widened=more,
                reason=reasons.get(fingerprint, "") if kind == "resolved" else "",
            )
        )
    return sorted(found, key=_order)


def time_open_of(verdict: Verdict, stretches: Iterable[PeriodExtent], until: datetime) -> TimeOpen:
    """How long a finding has stood and how much with it, waived or not: a decision closes no door.

    What the platform says of the time before the first scan counts with what lay behind it in the first stretch.
    """
    told = sorted(stretches, key=lambda each: each.begun_on)
    if told and verdict.since is not None and verdict.since < told[0].begun_on:
        told[0] = msgspec.structs.replace(told[0], begun_on=verdict.since)
    spans = [(_days(each.begun_on, each.over_on or until), each) for each in told]
    counted = [days * each.people for days, each in spans if each.people is not None]
    return TimeOpen(
        days=round(sum(days for days, _ in spans), 1),
        resource_days=round(sum(days * each.resources for days, each in spans), 1),
        person_days=round(sum(counted), 1) if counted else None,
    )


def _days(begun_on: datetime, over_on: datetime) -> float:
    return max(0.0, (over_on - begun_on).total_seconds() / 86400)


def _goes_on(before: ExposurePeriod | None, now: ExposurePeriod) -> bool:
    if before is None or before.waived is not now.waived:
        return False
    return now.severity in (before.severity, None) and not differ(before.reach, now.reach, PRECISION)


def _kind(before: ExposurePeriod | None, now: ExposurePeriod | None, *, back: bool, more: bool) -> str:
    if now is None:
        return "resolved"
    if now.waived and (before is None or not before.waived):
        return "waived"
    if before is None:
        return "reopened" if back else "new"
    if before.waived and not now.waived:
        return "reopened"
    return "widened" if more else ""


def _order(difference: Difference) -> tuple[int, int, str, str]:
    rung = -difference.severity.rung if difference.severity else 1
    return DIFFERENCE_KINDS.index(difference.kind), rung, difference.rule_id, difference.fingerprint
