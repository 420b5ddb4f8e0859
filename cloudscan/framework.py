"""Frameworks control by control: how far the rules can check a control, and what they say of it."""

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


class Extent(StrEnum):
    """How far a control can be checked by rules at all, whatever they found."""

    CHECKED = "checked"  # its catalogue says that the rules mapped to it check all of it
    PARTLY = "partly"  # what remains is said in `unseen`
    UNSEEN = "unseen"  # no rule is mapped to it


class ControlResult(msgspec.Struct, frozen=True, kw_only=True):
    """One control, and the counts of the rules mapped to it.

    Every rule counts by itself: a finding that is fixed together with a graver one of another rule stands against the
    controls of its own.
    """

    id: str
    title: str
    standing: ControlStanding
    extent: Extent | None = None  # None in a report of an earlier version
    rules: Sequence[str] = ()
    flagged: int = 0
    unknown: int = 0  # not evaluated, and open findings that could not be looked at again
    passed: int = 0
    waived: int = 0  # of the findings, how many are waived
    titles: Mapping[str, str] = {}  # by language
    unseen: Mapping[str, str] = {}  # what no rule can see of it, and why, by language; empty if its catalogue is silent

    def title_in(self, language: str) -> str:
        """Its title in a language, or as its catalogue has it."""
        return self.titles.get(language) or self.title

    def unseen_in(self, language: str) -> str:
        """What no rule can see of it, in a language; empty if nothing, or if its catalogue does not say."""
        return self.unseen.get(language) or self.unseen.get("en", "")


class FrameworkResult(msgspec.Struct, frozen=True, kw_only=True):
    """One catalogue of controls, in its own order, whether or not a rule is mapped to a control."""

    id: str
    title: str
    controls: Sequence[ControlResult]
    url: str = ""  # of its publisher; https, or empty
    titles: Mapping[str, str] = {}  # by language

    def title_in(self, language: str) -> str:
        """Its title in a language, or as its catalogue has it."""
        return self.titles.get(language) or self.title

    @property
    def counts(self) -> Mapping[ControlStanding, int]:
        """How many controls there are of each standing, zeros included."""
        return {standing: sum(one.standing is standing for one in self.controls) for standing in ControlStanding}

    @property
    def extents(self) -> Mapping[Extent, int]:
        """How many controls can be checked how far, zeros included."""
        return {extent: sum(one.extent is extent for one in self.controls) for extent in Extent}
