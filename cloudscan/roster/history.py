"""What rosters have said so far, each by the day it was read: what two of them differ by is a move, or somebody gone.

Kept is everything that was read, as spells: what rosters said of a person, from the first to the last day of reading
that said so. Nothing is lost by that, so an earlier export can be added later, and a day can be read again: the result
is the same as if it had been so from the beginning. What follows from it is `cloudscan.roster.people`.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Final, TypeVar

import msgspec

from cloudscan.roster.collecting import no_collecting
from cloudscan.roster.entry import RosterEntry
from cloudscan.roster.headers import Field
from cloudscan.roster.reading import Flaw, Roster

_ENOUGH_MISSING: Final = 5  # people; in a company of a few, half of them may well leave


class Doubt(StrEnum):
    """Why a roster is no roster to judge people by: an export broke off, or is another one."""

    EMPTY = "empty"
    HALVED = "halved"  # half of the people of the roster before, or more, are not in it
    LEAVE_DATES = "leave-dates"  # it had leave dates, and has none
    DEPARTMENTS = "departments"
    SECOND_POSTS = "second-posts"


class Spell(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What rosters said of a person, from the first to the last day of reading that said so."""

    since: date
    until: date
    entry: RosterEntry  # without its lines, which change with every export

    @property
    def key(self) -> str:
        """What the person is kept by: the number, else the primary address, else a private one."""
        return key_of(self.entry)


class Mention(msgspec.Struct, frozen=True, gc=False):
    """A name in rows that cannot be understood, from the first to the last day of reading with such a row."""

    since: date
    until: date
    key: str  # a number, an address, or a folded name


Span = TypeVar("Span", bound=Spell | Mention)


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A day on which a roster was read."""

    day: date
    fields: Sequence[Field] = ()  # what its columns told


class Reorganised(StrEnum):
    """What became of a department."""

    RENAMED = "renamed"
    MERGED = "merged"  # into one that was there, or together with others
    SPLIT = "split"


class Reorganisation(msgspec.Struct, frozen=True, kw_only=True):
    """A department that continues under another name: its people did not move."""

    on: date  # the first day of the new name
    kind: Reorganised
    department: str
    into: Sequence[str]
    people: int  # who went along


class History(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that rosters have said. Personal data: a private file."""

    readings: Sequence[Reading] = ()  # by day
    persons: Sequence[Sequence[Spell]] = ()  # by key; the spells of a key by day
    mentions: Sequence[Sequence[Mention]] = ()  # likewise
    reorganisations: Sequence[Reorganisation] = ()  # before `forgotten_before`, since they outlive who took part
    forgotten_before: date | None = None

    @property
    def read_on(self) -> date | None:
        """The day of the newest roster."""
        return self.readings[-1].day if self.readings else None


def key_of(entry: RosterEntry) -> str:
    """What a person is kept by; empty for an entry that identifies nobody, such as one of a shared address alone."""
    return entry.number or next(iter((*entry.addresses, *entry.private_addresses)), "")


@no_collecting()
def merge(history: History, roster: Roster, day: date) -> History:
    """The history with a roster as it was read on a day; what was read on that day before is replaced.

    The order in which days are merged does not matter, nor does the order of people.
    """
    days = [reading.day for reading in history.readings]
    at = bisect_left(days, day)
    is_again = days[at : at + 1] == [day]
    previous = days[at - 1] if at else None
    after = next(iter(days[at + is_again :]), None)
    around = (previous, day, after)
    entries = {key: Spell(day, day, _kept(entry)) for entry in roster.entries if (key := key_of(entry))}
    mentions = {name: Mention(day, day, name) for name in _unjudged(roster)}
    reading = Reading(day=day, fields=sorted(roster.fields) or ())
    return msgspec.structs.replace(
        history,
        readings=[*history.readings[:at], reading, *history.readings[at + is_again :]],
        persons=_merged(history.persons, entries, around),
        mentions=_merged(history.mentions, mentions, around),
    )


@no_collecting()
def doubt(history: History, roster: Roster, day: date) -> Doubt | None:
    """Why a roster must not be merged: compared with the one before it, it is a broken export. None if it is sound.

    A file that is suddenly half as long would make former employees of people who are there; one without its leave
    dates would do the reverse.
    """
    if not roster.entries:
        return Doubt.EMPTY
    previous = next((reading for reading in reversed(history.readings) if reading.day < day), None)
    if previous is None:
        return None
    earlier = list(listed_on(history, previous.day))
    known = {name: entry for entry in roster.entries for name in (*entry.addresses, entry.number) if name}
    unjudged = _unjudged(roster)
    pairs = [(entry, found) for entry in earlier if (found := _found(entry, known))]
    missing = len(earlier) - len(pairs) - sum(key_of(entry) in unjudged for entry in earlier)
    if missing >= _ENOUGH_MISSING and missing * 2 >= len(earlier):
        return Doubt.HALVED
    lost = set(previous.fields) - set(roster.fields)
    for reason, column, has, enough in _COLUMNS:
        had = [now for entry, now in pairs if has(entry)]
        if had and (column in lost or len(had) >= enough) and not any(map(has, had)):
            return reason
    return None


def before(history: History, day: date) -> History:
    """The history as it was before a day."""
    readings = [reading for reading in history.readings if reading.day < day]
    if len(readings) == len(history.readings):
        return history
    last = readings[-1].day if readings else date.min
    return msgspec.structs.replace(
        history,
        readings=readings,
        persons=list(_until(history.persons, last)),
        mentions=list(_until(history.mentions, last)),
    )


def listed_on(history: History, day: date) -> Iterator[RosterEntry]:
    """Everyone whom the roster of that day lists."""
    for spells in history.persons:
        for spell in reversed(spells):
            if spell.since <= day <= spell.until:
                yield spell.entry
                break


def _has_leave_date(entry: RosterEntry) -> bool:
    return entry.last_day is not None


def _has_department(entry: RosterEntry) -> bool:
    return bool(entry.posts)


def _has_second_post(entry: RosterEntry) -> bool:
    return len(entry.posts) > 1


_COLUMNS: Final = (
    (Doubt.LEAVE_DATES, Field.LAST_DAY, _has_leave_date, 3),
    (Doubt.DEPARTMENTS, Field.DEPARTMENT, _has_department, 3),
    (Doubt.SECOND_POSTS, Field.OTHER_DEPARTMENTS, _has_second_post, 20),  # a few second posts do end on one day
)
"""What must not get lost: the column, who had something in it, and how many people cannot have lost it by chance."""


def _found(entry: RosterEntry, known: Mapping[str, RosterEntry]) -> RosterEntry | None:
    names = (entry.number, *entry.addresses)
    return next((known[name] for name in names if name in known), None)


def _unjudged(roster: Roster) -> Collection[str]:
    """Whom the file names without telling who they are. An address of two people is no proof that one of them left."""
    shared = {dirt.value for dirt in roster.dirt if dirt.flaw is Flaw.SHARED}
    return {*roster.unjudged, *roster.unjudged_names, *shared}


def _kept(entry: RosterEntry) -> RosterEntry:
    """The entry as a file gives it back: sequences are lists, and empty ones are left out."""
    return msgspec.structs.replace(
        entry,
        addresses=[*entry.addresses] or (),
        private_addresses=[*entry.private_addresses] or (),
        posts=[*entry.posts] or (),
        earlier_posts=[*entry.earlier_posts] or (),
        lines=(),
    )


def _merged(
    spans: Sequence[Sequence[Span]], new: dict[str, Span], around: tuple[date | None, date, date | None]
) -> list[Sequence[Span]]:
    """All spans by key, with what is said on a day. `around` are the day of reading before it, itself, the next one."""
    previous, day, after = around
    merged: list[Sequence[Span]] = []
    for several in spans:
        last = several[-1]
        span = new.pop(last.key, None)
        if span and after is None and last.until == previous and _is_same(last, span):  # most, on most days
            merged.append([*several[:-1], _between(span, last.since, day)])
        elif kept := _with_day(several, span, around):
            merged.append(kept)
    merged += [[span] for span in new.values()]
    merged.sort(key=lambda several: several[0].key)
    return merged


def _with_day(spans: Sequence[Span], new: Span | None, around: tuple[date | None, date, date | None]) -> Sequence[Span]:
    kept = list(_without_day(spans, *around))
    if new is None:
        return kept
    kept.append(new)
    kept.sort(key=lambda span: span.since)
    joined = [kept[0]]
    for earlier, later in pairwise(kept):
        follows = new in (earlier, later) and {earlier.until, later.since} <= set(around)
        if follows and _is_same(earlier, later):
            joined[-1] = _between(later, joined[-1].since, later.until)
        else:
            joined.append(later)
    return joined


def _without_day(spans: Sequence[Span], previous: date | None, day: date, after: date | None) -> Iterator[Span]:
    for span in spans:
        if not span.since <= day <= span.until:
            yield span
            continue
        if previous and span.since <= previous:
            yield _between(span, span.since, previous)
        if after and span.until >= after:
            yield _between(span, after, span.until)


def _until(spans: Sequence[Sequence[Span]], last: date) -> Iterator[Sequence[Span]]:
    for several in spans:
        if clipped := [_between(one, one.since, min(one.until, last)) for one in several if one.since <= last]:
            yield clipped


def _between(span: Span, since: date, until: date) -> Span:
    return msgspec.structs.replace(span, since=since, until=until)


def _is_same(one: Span, other: Span) -> bool:
    """Whether two say the same of a person."""
    if isinstance(one, Spell) and isinstance(other, Spell):
        return one.entry == other.entry
    return one.key == other.key
