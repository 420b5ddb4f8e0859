"""A ledger that is ahead, because a clock once was: what its moments should have been. Pure functions.

Everything that is dated later than now moves to just after the last scan that is not, in the order in which it
happened: each scan to a moment of its own, and what came with it or after it to the same moment.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

_STEP: Final = timedelta(seconds=1)  # between two scans that are moved, where there is room
_LEAST_STEP: Final = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What moments that are ahead of the clock become. `were` and `are` are the starts of scans, in order."""

    now: datetime
    base: datetime  # the start of the last scan that is not ahead, or shortly before now
    were: Sequence[datetime] = ()
    are: Sequence[datetime] = ()

    def of(self, moment: datetime) -> datetime:
        """What a moment becomes; one that is not ahead stays."""
        if moment <= self.now:
            return moment
        index = bisect_right(self.were, moment) - 1
        return self.are[index] if index >= 0 else self.base


def correction(starts: Iterable[datetime], now: datetime) -> Correction:
    """How to correct a history whose scans began at `starts`, in any order."""
    ordered = sorted(set(starts))
    ahead = [start for start in ordered if start > now]
    past = [start for start in ordered if start <= now]
    base = past[-1] if past else now - (len(ahead) + 1) * _STEP
    step = max(min(_STEP, (now - base) / (len(ahead) + 1)), _LEAST_STEP)
    are = [base + (number + 1) * step for number in range(len(ahead))]
    assert all(earlier < later for earlier, later in pairwise(are))
    return Correction(now=now, base=base, were=ahead, are=are)
