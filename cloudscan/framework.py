"""Frameworks control by control: what the rules that are mapped to a control say of it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec


class ControlStanding(StrEnum):
    """The result of a control, the gravest first: one bad answer outweighs any number of good ones."""

    FLAGGED = "flagged"
    UNKNOWN = "unknown"  # nothing was flagged, but something could not be decided
    PASSED = "passed"
    NOTHING = "nothing"  # nothing that its rules judge was seen: there is none, or it was not read
    NOT_COVERED = "not_covered"  # no rule is mapped to it


class ControlResult(msgspec.Struct, frozen=True, kw_only=True):
    """One control, and the counts of the rules mapped to it."""

    id: str
    title: str
    standing: ControlStanding
    rules: Sequence[str] = ()
    flagged: int = 0
    unknown: int = 0
    passed: int = 0
    waived: int = 0  # of the findings, how many are waived


class FrameworkResult(msgspec.Struct, frozen=True, kw_only=True):
    """One catalogue of controls, in its own order, whether or not a rule is mapped to a control."""

    id: str
    title: str
    controls: Sequence[ControlResult]
    url: str = ""  # of its publisher; https, or empty

    @property
    def counts(self) -> Mapping[ControlStanding, int]:
        """How many controls there are of each standing, zeros included."""
        return {standing: sum(one.standing is standing for one in self.controls) for standing in ControlStanding}
