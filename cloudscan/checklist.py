"""What is closed of somebody who leaves or moved, what is not, and who closes it: one record a person.

`cloudscan.organisation.checklists` makes them of a snapshot, `settled` adds what the ledger remembers, `closing` and
`figures` say what follows. Formats only put them into words: `Item.says` is a `cloudscan.reason.Reason`, with advice.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Final

import msgspec

from cloudscan.days import day_of
from cloudscan.reason import Reason

NO_ACCOUNT: Final = "checklist-account-none"
"""The code for a platform on which somebody has no account that is known."""

WINDOW: Final = timedelta(days=90)
"""Of whom the figures tell how long it took: of those who left in these days."""


class Duty(StrEnum):
    """What has to be done on one day, in the order in which it is told."""

    SIGN_IN = "sign-in"  # devices and directories
    MAIL = "mail"  # with forwarding
    CLOUD_IDS = "cloud-ids"  # keys for programs, and private accounts that were let in
    ACCESS = "access"  # permissions on files and systems
    HANDOVER = "handover"  # what somebody else has to answer for now


class Task(StrEnum):
    """One thing to close."""

    ACCOUNT = "account"
    KEYS = "keys"
    PRIVATE = "private"
    GRANTS = "grants"
    GROUPS = "groups"
    OWNED = "owned"
    FILES = "files"
    GUESTS = "guests"
    PARTNERS = "partners"
    WAIVERS = "waivers"
    STAFF = "staff"


DUTIES: Final[Mapping[Task, Duty]] = {
    Task.ACCOUNT: Duty.SIGN_IN,
    Task.KEYS: Duty.CLOUD_IDS,
    Task.PRIVATE: Duty.CLOUD_IDS,
    Task.GRANTS: Duty.ACCESS,
    Task.GROUPS: Duty.ACCESS,
    Task.OWNED: Duty.HANDOVER,
    Task.FILES: Duty.HANDOVER,
    Task.GUESTS: Duty.HANDOVER,
    Task.PARTNERS: Duty.HANDOVER,
    Task.WAIVERS: Duty.HANDOVER,
    Task.STAFF: Duty.HANDOVER,
}

ENTRANCES: Final = (Task.ACCOUNT, Task.KEYS)
"""What lets somebody in. When all of it is closed, the day counts as the day of closing."""


class ItemState(StrEnum):
    """How far one thing is closed."""

    OPEN = "open"
    UNKNOWN = "unknown"
    DONE = "done"
    NONE = "none"  # no account is known there


class Closer(StrEnum):
    """Who closes it."""

    ADMINISTRATOR = "administrator"  # of the platform
    MANAGER = "manager"


CLOSERS: Final[Mapping[Task, Closer]] = {
    task: Closer.MANAGER if duty is Duty.HANDOVER else Closer.ADMINISTRATOR for task, duty in DUTIES.items()
}


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing on one platform."""

    task: Task
    platform: str  # `organisation` for what no platform has
    state: ItemState
    says: Reason
    examples: Sequence[str] = ()  # names of some of what is open
    closed_on: datetime | None = None  # at the latest; None: not closed, or not known since when
    by_directory: bool = False  # the platform itself names that moment, not the first scan after it
    last_used_on: datetime | None = None  # of accounts and keys
    used_after: bool | None = None  # after the last day; None: not known

    @property
    def duty(self) -> Duty:
        """What it belongs to."""
        return DUTIES[self.task]

    @property
    def closer(self) -> Closer:
        """Who closes it."""
        return CLOSERS[self.task]


class Checklist(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that is to be closed of one person. Personal data: private addresses are not in it."""

    person_uid: str
    number: str
    name: str
    email: str
    department: str  # of a mover: the new one
    manager: str = ""  # the name
    manager_email: str = ""
    manager_is_here: bool = False
    last_day: date | None = None  # None: of a mover, or it could not be read
    left: bool = False  # the last day is over
    from_department: str = ""  # of a mover
    moved_on: date | None = None
    grace_ends: date | None = None  # of a mover: the last day on which the old access may still be there
    items: Sequence[Item] = ()

    def count(self, state: ItemState) -> int:
        """How many things are in a state."""
        return sum(item.state is state for item in self.items)


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """What a page says beside the checklist."""

    organisation: str
    seen_on: datetime  # the scan
    timezone: str
    contact: str = ""  # whom to ask

    @property
    def today(self) -> date:
        """The organisation's day of the scan."""
        return day_of(self.seen_on, self.timezone)


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """How long after the last day nothing let somebody in any more."""

    state: ItemState  # of all entrances together; none: no account is known
    days: int | None = None  # from the last day, until today if it is open; None: not known


class DepartureFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How fast access ends when people leave. Counts only: nobody is named."""

    days: int  # that are looked back on
    left: int  # people who left in these days and have had an account
    closed: int  # of these: nothing lets them in any more, and it is known since when
    median_days: float | None = None  # from the last day until then
    most_days: int | None = None
    still_open: int = 0  # of all who ever left: something still lets them in
    longest_open: int | None = None  # days since their last day
    unknown: int = 0  # of these days: it is not known whether, or since when
    upcoming: int = 0  # leave soon
    moved: int = 0  # people with something of their old department after the grace


def closing(person: Checklist, today: date, timezone: str) -> Closing:
    """How long it took for one who left, by the organisation's days. Access is right on the last day itself."""
    entrances = [item for item in person.items if item.task in ENTRANCES and item.state is not ItemState.NONE]
    states = {item.state for item in entrances}
    if not entrances:
        return Closing(state=ItemState.NONE)
    if ItemState.OPEN in states:
        return Closing(
            state=ItemState.OPEN, days=(today - person.last_day).days if person.left and person.last_day else None
        )
    if ItemState.UNKNOWN in states:
        return Closing(state=ItemState.UNKNOWN)
    moments = [item.closed_on for item in entrances if item.closed_on]
    if len(moments) < len(entrances) or person.last_day is None:
        return Closing(state=ItemState.DONE)
    days = (day_of(max(moments), timezone) - person.last_day).days
    return Closing(state=ItemState.DONE, days=max(days, 0))


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """In which state the ledger remembers an item."""

    state: ItemState  # open or done
    since: datetime | None  # the first scan that saw it so; None: it was so when it was first looked at


def item_key(person_uid: str, platform: str, task: Task) -> str:
    """What the ledger remembers an item by: it names nobody."""
    return hashlib.sha256(f"{person_uid}\x1f{platform}\x1f{task}".encode()).hexdigest()


def items_of(people: Iterable[Checklist]) -> list[str]:
    """The keys of all their items."""
    return [item_key(person.person_uid, item.platform, item.task) for person in people for item in person.items]


def changed(
    people: Iterable[Checklist], before: Mapping[str, Seen], moment: datetime, timezone: str
) -> dict[str, Seen]:
    """What a scan at `moment` saw in another state than is remembered, or for the first time, by key.

    What is not known changes nothing. What is closed when it is first looked at was closed at some time before, and it
    is not known when; on the first day after the last day it is known well enough.
    """
    today, news = day_of(moment, timezone), {}
    for person in people:
        in_time = person.last_day is not None and today <= person.last_day + timedelta(days=1)
        for item in person.items:
            key = item_key(person.person_uid, item.platform, item.task)
            known = before.get(key)
            state = ItemState.DONE if item.state is ItemState.NONE and known else item.state
            if state not in (ItemState.OPEN, ItemState.DONE) or (known and known.state is state):
                continue
            first_seen_done = known is None and state is ItemState.DONE
            news[key] = Seen(state=state, since=None if first_seen_done and not in_time else moment)
    return news


def settled(people: Iterable[Checklist], remembered: Mapping[str, Seen]) -> list[Checklist]:
    """The checklists with the days that are remembered. What a directory says of itself comes first."""
    return [
        msgspec.structs.replace(
            person,
            items=[
                _settled(item, remembered.get(item_key(person.person_uid, item.platform, item.task)))
                for item in person.items
            ],
        )
        for person in people
    ]


def _settled(item: Item, seen: Seen | None) -> Item:
    if seen is None or seen.state is not ItemState.DONE or item.closed_on is not None:
        return item
    if item.state is ItemState.NONE:
        says = Reason(code=f"checklist-{item.task}-gone")
        return msgspec.structs.replace(item, state=ItemState.DONE, says=says, closed_on=seen.since)
    return msgspec.structs.replace(item, closed_on=seen.since) if item.state is ItemState.DONE else item


def figures(
    leaving: Iterable[Checklist], moved: Iterable[Checklist], today: date, timezone: str
) -> DepartureFigures | None:
    """How fast access ends when people leave; None where nobody left or moved and nobody is about to."""
    people, movers = list(leaving), list(moved)
    gone = [person for person in people if person.left]
    made = [(person, closing(person, today, timezone)) for person in gone]
    recent = [
        one
        for person, one in made
        if person.last_day is not None and today - person.last_day <= WINDOW and one.state is not ItemState.NONE
    ]
    took = [one.days for one in recent if one.state is ItemState.DONE and one.days is not None]
    still = [one for _, one in made if one.state is ItemState.OPEN]
    if not people and not movers:
        return None
    return DepartureFigures(
        days=WINDOW.days,
        left=len(recent),
        closed=len(took),
        median_days=float(median(took)) if took else None,
        most_days=max(took, default=None),
        still_open=len(still),
        longest_open=max((one.days for one in still if one.days is not None), default=None),
        unknown=sum(
            one.state is ItemState.UNKNOWN or (one.state is ItemState.DONE and one.days is None) for one in recent
        ),
        upcoming=len(people) - len(gone),
        moved=sum(
            person.count(ItemState.OPEN) > 0 and person.grace_ends is not None and person.grace_ends < today
            for person in movers
        ),
    )
