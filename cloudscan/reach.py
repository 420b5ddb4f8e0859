"""How far an exposure reaches, and when it has widened."""

from typing import Final, Self

import msgspec

from cloudscan.facts import Access, Audience
from cloudscan.finding import Verdict

TOLERANCE: Final = 0.2
"""The part by which an amount may rise before it counts as widened: folders fill without anyone deciding anything."""

_LADDERS: Final = ("audience", "access")
_AMOUNTS: Final = ("resources", "bytes", "people")


class Reach(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Who a finding admits, to do what, and its blast radius. None: not known."""

    audience: Audience | None = None
    access: Access | None = None
    resources: int = 1
    bytes: int | None = None
    people: int | None = None

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        """The reach of a verdict."""
        return cls(**{name: getattr(verdict, name) for name in cls.__struct_fields__})


def widened(before: Reach, now: Reach, tolerance: float = TOLERANCE) -> list[str]:
    """What has widened, by field name: a wider audience, a stronger access, an amount beyond the tolerance.

    An audience or access that is known only now counts: nobody can have agreed to it. An amount that is known only now
    does not: more often a permission to count was added than a folder filled. Where the bytes are known only now, so is
    the number of resources: a bucket whose objects nobody counts is one.
    """
    counted_now = before.bytes is None and now.bytes is not None
    amounts = [name for name in _AMOUNTS if not (counted_now and name == "resources")]
    higher = [name for name in _LADDERS if _higher(getattr(before, name), getattr(now, name))]
    larger = [name for name in amounts if _larger(getattr(before, name), getattr(now, name), tolerance)]
    return [*higher, *larger]


def differ(before: Reach, now: Reach, tolerance: float) -> bool:
    """Whether two reaches differ: another audience or access, or an amount beyond the tolerance either way."""
    if any(getattr(before, name) != getattr(now, name) for name in _LADDERS):
        return True
    pairs = [(getattr(before, name), getattr(now, name)) for name in _AMOUNTS]
    return any(
        (one is None) != (other is None) or _larger(one, other, tolerance) or _larger(other, one, tolerance)
        for one, other in pairs
    )


def _higher(before: Audience | Access | None, now: Audience | Access | None) -> bool:
    return now is not None and (before is None or now > before)


def _larger(before: int | None, now: int | None, tolerance: float) -> bool:
    return before is not None and now is not None and now > before * (1 + tolerance)
