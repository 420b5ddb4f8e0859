"""A person as a roster says, and what that means on a day.

`standing` decides who is one of us. The last day of work is a day of work: access is right on it, and a leaver is one
from the next day on, in the organisation's time zone. Somebody on leave comes back and is no leaver. A term that is
over without a leave date is to be confirmed: contracts are renewed late.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

import msgspec


class Employment(StrEnum):
    """What binds a person to the organisation."""

    EMPLOYEE = "employee"  # without a term
    TEMPORARY = "temporary"  # employed for a term, or by the hour
    CONTRACTOR = "contractor"  # employed by others, agencies included
    SECONDED_OUT = "seconded-out"  # ours, working elsewhere
    SECONDED_IN = "seconded-in"  # of another company, working here
    INTERN = "intern"
    DIRECTOR = "director"
    PARTNER = "partner"  # of a company that we have a contract with
    UNKNOWN = "unknown"


class Status(StrEnum):
    """What a roster itself says about a person; empty columns say nothing."""

    ACTIVE = "active"
    ON_LEAVE = "on-leave"
    LEFT = "left"
    UPCOMING = "upcoming"
    UNKNOWN = "unknown"


class Standing(StrEnum):
    """What a person is on a day."""

    UPCOMING = "upcoming"  # begins later
    ACTIVE = "active"
    ON_LEAVE = "on-leave"
    TERM_OVER = "term-over"  # the contract's end has passed, and no leave date says so
    LEFT = "left"
    UNKNOWN = "unknown"  # a date cannot be read, or rows contradict each other


# Without a collector (`gc=False`): 100,000 people stay in memory for a scan, and frozen records form no cycles.


class Post(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A place in the organisation, from the first to the last day of it."""

    department: str
    code: str = ""
    is_primary: bool = True
    since: date | None = None
    until: date | None = None  # the last day


class RosterEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One person. Personal data: it stays where it is needed."""

    number: str = ""  # as written, leading zeros kept
    name: str = ""  # for people; nothing is ever joined by it
    addresses: Sequence[str] = ()  # of ours, folded; the primary one first
    private_addresses: Sequence[str] = ()
    posts: Sequence[Post] = ()  # the current ones, the primary one first
    earlier_posts: Sequence[Post] = ()  # the latest first
    role: str = ""
    employment: Employment = Employment.UNKNOWN
    status: Status = Status.UNKNOWN
    starts_on: date | None = None
    last_day: date | None = None
    term_ends: date | None = None  # the last day of the contract
    manager: str = ""  # number or address
    is_certain: bool = True  # no date was unreadable, and no rows contradict each other
    lines: Sequence[int] = ()  # of the file

    @property
    def returns(self) -> bool:
        """Whether the end of the term is the day on which somebody of ours comes back from elsewhere."""
        return self.employment is Employment.SECONDED_OUT

    @property
    def department(self) -> str:
        """The primary one; empty if it is not known."""
        return self.posts[0].department if self.posts else ""


def standing(entry: RosterEntry, today: date) -> Standing:
    """What a person is on one of the organisation's days."""
    if not entry.is_certain:
        return Standing.UNKNOWN
    if entry.last_day and entry.last_day < today:
        return Standing.LEFT
    if entry.starts_on and entry.starts_on > today:
        return Standing.UPCOMING
    if entry.last_day is None and entry.status is Status.LEFT:
        return Standing.LEFT
    if entry.last_day is None and entry.term_ends and entry.term_ends < today and not entry.returns:
        return Standing.TERM_OVER
    return Standing.ON_LEAVE if entry.status is Status.ON_LEAVE else Standing.ACTIVE
