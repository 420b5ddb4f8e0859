"""What another program says of who gets in, beside what cloudscan found: counted where they agree, named where not."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

AGREES: Final = "agrees"
"""How two opinions compare that are the same."""


class OpinionOutcome(StrEnum):
    """How two opinions that are not the same compare, in the order of attention."""

    ONLY_THERE = "only_there"  # the other says that external callers get in, we say that none does
    ONLY_HERE = "only_here"  # we say so, the other is silent
    FILLS_IN = "fills_in"  # the other says so, and we could not read it
    EXPLAINED = "explained"  # they differ, for a reason that is known to be harmless
    TOO_YOUNG = "too_young"  # the other may not have seen the latest change
    SILENT = "silent"  # the other says nothing, and we could not read it
    NOT_ANALYSED = "not_analysed"  # the other failed


class OpinionDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A resource of which the two opinions are not the same. The codes of the reasons are those of the setting."""

    uid: str
    name: str
    platform: str
    account: str
    outcome: OpinionOutcome
    reasons: Sequence[str] = ()


class SecondOpinions(msgspec.Struct, frozen=True, kw_only=True):
    """All opinions that were had in a scan."""

    agreements: int  # resources of which both say the same
    differences: Sequence[OpinionDifference] = ()  # in the order of attention, then by account and name

    @property
    def contradictions(self) -> int:
        """Differences that no known cause explains."""
        return sum(one.outcome in (OpinionOutcome.ONLY_THERE, OpinionOutcome.ONLY_HERE) for one in self.differences)
