"""Which departments a person was in, from when to when, and which of them they no longer are in.

Two sources say so: the dated posts of an export (a history by day of effect, a column for the department before), and
the difference between two rosters. A second post that ends is lost like a first one; a new one alone loses nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from typing import Final, NamedTuple

from cloudscan.roster.entry import Post, RosterEntry, Standing, Status, standing
from cloudscan.roster.folding import folded
from cloudscan.roster.history import Spell

ALWAYS: Final = date.min  # since before the first roster
STILL: Final = date.max
_DAY: Final = timedelta(days=1)


class MoveSource(StrEnum):
    """How a move is known."""

    ROSTER = "roster"  # by the difference between two rosters
    DATED = "dated"  # by a history in the export
    COLUMN = "column"  # by a column for the department before


class Tenure(NamedTuple):
    """A time in a department."""

    department: str  # folded
    since: date
    until: date  # the last day


class Loss(NamedTuple):
    """A department that somebody no longer is in, and where they are instead."""

    department: str
    on: date  # the first day elsewhere
    now: Sequence[str]  # the departments of that day, the primary one first
    gained: Sequence[str]  # those of them that are new
    by: MoveSource


class Career(NamedTuple):
    """Everything known about a person's departments."""

    tenures: Sequence[Tenure]
    losses: Sequence[Loss]


@cache
def same_department(name: str) -> str:
    """A name by which spellings of a department are the same."""
    return folded(name)


def career(spells: Sequence[Spell], first_reading: date, dropped_on: date | None) -> Career:
    """The departments of a person in the order of days. `first_reading` is the day of the oldest roster there is."""
    only = spells[0]
    if len(spells) == 1 and not only.entry.earlier_posts and not _may_have_left(only.entry):  # most people
        until = dropped_on - _DAY if dropped_on else STILL
        start = ALWAYS if only.since == first_reading else only.since
        return Career(
            [Tenure(same_department(post.department), post.since or start, until) for post in only.entry.posts], ()
        )
    walk = _Walk(first_reading)
    for spell in spells:
        walk.go_on(spell)
    return walk.ended(spells[-1].entry, dropped_on)


class _Walk:
    """The way through a person's spells."""

    def __init__(self, first_reading: date) -> None:
        self.first_reading = first_reading
        self.posts: Mapping[str, Post] = {}  # the current ones, by folded name
        self.since: dict[str, date] = {}  # of those that go on
        self.before: RosterEntry | None = None
        self.ends: dict[tuple[str, date], date] = {}  # since when, by department and last day
        self.losses: dict[tuple[str, date], Loss] = {}

    def go_on(self, spell: Spell) -> None:
        """Take in what rosters said next."""
        entry = spell.entry
        if standing(entry, spell.since) is Standing.LEFT:  # what is written about them later is no move
            self._close_all(entry.last_day or spell.since - _DAY)
            return
        day = _day_of_change(self.before, spell)
        now = {same_department(post.department): post for post in entry.posts}
        if now:  # where no department is written, none is known to have changed
            self._change(now, day, spell.since)
        self._read_earlier(entry, spell.since)
        self.before = entry

    def ended(self, entry: RosterEntry, dropped_on: date | None) -> Career:
        """Everything, once all spells are taken in."""
        self._close_all(entry.last_day or (dropped_on - _DAY if dropped_on else STILL))
        tenures = [Tenure(department, since, until) for (department, until), since in self.ends.items()]
        return Career(tenures, sorted(self.losses.values(), key=lambda loss: (loss.on, loss.department)))

    def _change(self, now: Mapping[str, Post], day: date, read_on: date) -> None:
        gained = [post.department for name, post in now.items() if name not in self.posts]
        departments = [post.department for post in now.values()]
        for name in self.posts.keys() - now.keys():
            written = self.posts[name].department
            self._close(name, day - _DAY)
            self.losses.setdefault((name, day), Loss(written, day, departments, gained, MoveSource.ROSTER))
        for name, post in now.items():
            if name not in self.since:
                self.since[name] = self._start(post, day, read_on)
        self.posts = now

    def _start(self, post: Post, day: date, read_on: date) -> date:
        if self.before is not None:
            return day
        return post.since or (ALWAYS if read_on == self.first_reading else read_on)

    def _read_earlier(self, entry: RosterEntry, read_on: date) -> None:
        lost = {name for name, _ in self.losses}
        for post in entry.earlier_posts:
            name = same_department(post.department)
            by = MoveSource.COLUMN if _is_column(entry) else MoveSource.DATED
            if post.until:
                loss = Loss(post.department, post.until + _DAY, *_following(entry, post.until + _DAY), by)
                self.losses[name, loss.on] = loss
                self._add(name, post.since or ALWAYS, post.until)
            elif name not in lost and name not in self.posts:  # at some time until now
                now = [one.department for one in entry.posts]
                self.losses[name, read_on] = Loss(post.department, read_on, now, now, by)
                self._add(name, ALWAYS, read_on - _DAY)

    def _close_all(self, until: date) -> None:
        for name in tuple(self.since):
            self._close(name, until)

    def _close(self, name: str, until: date) -> None:
        if name in self.since:
            self._add(name, self.since.pop(name), until)

    def _add(self, name: str, since: date, until: date) -> None:
        if since <= until:
            self.ends[name, until] = min(since, self.ends.get((name, until), since))


def _may_have_left(entry: RosterEntry) -> bool:
    return entry.last_day is not None or entry.status is Status.LEFT


def _day_of_change(before: RosterEntry | None, spell: Spell) -> date:
    """The day that the roster gives for a change, else its own. A day that was there before tells of another change."""
    given = _given_day(spell.entry)
    if given and given <= spell.since and not (before and given == _given_day(before)):
        return given
    return spell.since


def _given_day(entry: RosterEntry) -> date | None:
    return entry.posts[0].since if entry.posts else None


def _is_column(entry: RosterEntry) -> bool:
    """Whether the earlier post comes from a column for it, which tells no beginning."""
    return len(entry.earlier_posts) == 1 and entry.earlier_posts[0].since is None


def _following(entry: RosterEntry, day: date) -> tuple[Sequence[str], Sequence[str]]:
    """The departments from a day on, and the new ones among them."""
    began = list(_beginning(entry, day)) or [post.department for post in entry.posts]
    return began, began


def _beginning(entry: RosterEntry, day: date) -> Iterator[str]:
    for post in (*entry.posts, *entry.earlier_posts):
        if post.since == day:
            yield post.department
