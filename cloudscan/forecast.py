"""The door for forecasts: how large an estate is, and what each approach to reading it costs.

A connector says how many requests, how much of a quota, processor time and money one thing of a kind takes: a bucket, a
user, a file. The core multiplies by how many there are, before anything is read, and says which approach it advises.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from math import inf
from typing import Final

import msgspec

from cloudscan.sentence import Sentence

ONCE: Final = "scan"
"""The unit of what a scan takes whatever the size of the estate."""


class Role(StrEnum):
    """What an approach is good for."""

    WHOLE = "whole"  # a scan that reads everything
    CHANGES = "changes"  # a night after one, which asks only for what changed
    BULK = "bulk"  # files that the provider has written, instead of questions about each thing


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """How many things of one unit there are. `count` is None where it could not be counted, and nothing suggests it."""

    unit: str  # files, users, buckets …: a unit of the connector's approaches
    count: int | None
    certain: bool = True  # False: at least this, or derived from something else
    because: Sentence | str = ""  # how it is known, or why it is not


class Allowance(msgspec.Struct, frozen=True):
    """What a customer of a certain size may use up."""

    up_to: float  # of the quota's `sized_by`
    per_minute: float
    per_day: float = inf


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider allows to each owner of a budget; `allowed` by the customer's size, the smallest first."""

    allowed: Sequence[Allowance]
    used: Mapping[str, float]  # by unit of size, what one of it uses up; `ONCE` for the scan
    sized_by: str = ""  # the unit that the provider counts a customer by
    owners: str = ""  # the unit of those who have a budget each; empty: there is one for all
    source: str = ""  # the title of the document that says so
    certain: bool = True  # False: guessed

    def hours(self, sizes: Mapping[str, float]) -> float:
        """How long it takes at least to use up what an estate of these sizes needs."""
        size = sizes.get(self.sized_by, 0.0)
        allowance = next((one for one in self.allowed if size <= one.up_to), self.allowed[-1])
        used = sum(amount * sizes.get(unit, 0.0) for unit, amount in self.used.items())
        each = used / max(1.0, sizes.get(self.owners, 1.0))
        return each / allowance.per_minute / 60 if each <= allowance.per_day else each / allowance.per_day * 24


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider asks for."""

    what: Sentence | str
    dollars: float
    unit: str
    per: int = 1  # the number of things that it is for
    source: str = ""
    certain: bool = True  # False: second-hand or remembered


class Approach(msgspec.Struct, frozen=True, kw_only=True):
    """One approach to reading a platform, in terms of one thing of each unit."""

    name: str  # live, quiet-night, inventory-export …
    title: Sentence | str
    role: Role
    requests: Mapping[str, float]  # by unit of size
    microseconds: Mapping[str, float]  # of the processor, by unit of size
    quotas: Sequence[Quota] = ()
    charges: Sequence[Charge] = ()
    hours_old: float = 0.0  # how old the answers may be
    lacks: Sentence | str = ""  # what it does not say; a gap in the report
    needs: Sentence | str = ""  # what has to be set up


class Forecasting(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector knows of its own cost. `typical`: what an ordinary estate has of each unit for one file."""

    approaches: Sequence[Approach]
    typical: Mapping[str, float]
    resources: str = "files"  # the unit that there are about as many resources of
