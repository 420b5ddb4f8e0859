"""Missing answers from scan to scan: which are new, which are known, which somebody accepted. Pure.

A gap is *new* if no scan of the week before lacked the same answer, else *known* since the first scan of that row. It
has a permanent name (`Coverage.gap`: question, place and cause), by which it can be waived like a finding.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cloudscan.coverage import Coverage
from cloudscan.errors import WaiverError
from cloudscan.finding import Waiver
from cloudscan.ledger.waivers import WaiverRegister
from cloudscan.report import GapStatus
from cloudscan.sentence import say
from cloudscan.text import suggestion

FORGOTTEN: Final = timedelta(days=7)
"""A gap that no scan had for this long is new when it comes back."""

_SHORTEST: Final = 4  # characters of a gap's id
_SHOWN: Final = 5


@dataclass(frozen=True, kw_only=True)
class GapRecord:
    """A missing answer as the ledger remembers it."""

    gap: str
    first_seen_on: datetime
    last_seen_on: datetime


def gaps_in(coverage: Iterable[Coverage]) -> set[str]:
    """The names of the gaps in coverage."""
    return {row.gap for row in coverage if row.outcome.is_gap and row.gap}


def seen(before: Mapping[str, GapRecord], gaps: Iterable[str], moment: datetime) -> list[GapRecord]:
    """The records of the gaps that a scan at `moment` has; `before` are the records of earlier scans."""

    def first_seen_on(gap: str) -> datetime:
        old = before.get(gap)
        return old.first_seen_on if old and moment - old.last_seen_on <= FORGOTTEN else moment

    return [GapRecord(gap=gap, first_seen_on=first_seen_on(gap), last_seen_on=moment) for gap in sorted(gaps)]


def statuses(
    records: Iterable[GapRecord], scanned_on: datetime, register: WaiverRegister, today: datetime
) -> dict[str, GapStatus]:
    """The status of each gap of a scan that began at `scanned_on`, with the waivers that are in force today."""
    waivers = waivers_in_force(register, today)
    return {
        record.gap: GapStatus(
            first_seen_on=record.first_seen_on,
            new=record.first_seen_on >= scanned_on,
            waiver=waivers.get(record.gap),
        )
        for record in records
    }


def waivers_in_force(register: WaiverRegister, moment: datetime) -> dict[str, Waiver]:
    """The waivers of gaps that are in force, by the gap's name; of several the one that ends last."""
    current = [waiver for waiver in register.waivers.values() if waiver.gap and register.in_force(waiver, moment)]
    return {waiver.gap: waiver for waiver in sorted(current, key=lambda waiver: (waiver.until, waiver.id))}


def named(beginning: str, gaps: Iterable[str]) -> str:
    """The gap whose name begins with the given characters. Raises `WaiverError`."""
    known = sorted(gaps)
    matches = [gap for gap in known if gap.startswith(beginning.lower())]
    if len(beginning) < _SHORTEST:
        raise WaiverError(
            say(
                "{beginning} is too short for a gap's id; write at least {shortest} characters of it.",
                beginning=repr(beginning),
                shortest=_SHORTEST,
            )
        )
    if not matches:
        hint = suggestion(beginning, known) if known else say("the last scan has none")
        raise WaiverError(
            say(
                "There is no gap {beginning}; {hint}. `cloudscan gaps` lists the ids.",
                beginning=repr(beginning),
                hint=hint,
            )
        )
    if len(matches) > 1:
        raise WaiverError(
            say(
                "{beginning} matches {count} gaps; write more of the id: {matches}.",
                beginning=repr(beginning),
                count=len(matches),
                matches=", ".join(matches[:_SHOWN]),
            )
        )
    return matches[0]
