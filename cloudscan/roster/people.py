"""Everyone whom a roster has ever listed, as far as it is remembered: who is gone from it, and who moved.

A former employee is somebody whose last day has passed, or who is on an earlier roster and not on the newest one:
exports of current staff do not name those who left. A row that cannot be understood proves neither.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import chain

import msgspec

from cloudscan.roster.career import Career, MoveSource, career, same_department
from cloudscan.roster.collecting import no_collecting
from cloudscan.roster.entry import RosterEntry
from cloudscan.roster.history import History, Reorganisation, key_of
from cloudscan.roster.presence import Presence, presences
from cloudscan.roster.reorganisation import Followed, Limits, departments_of, names_now, reorganisations


class Move(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A department that somebody was in and no longer is, the end of a second post included."""

    from_department: str
    to_department: str  # empty if none is known
    on: date  # the first day elsewhere; the latest it can be, where nothing but a column without a day tells
    by: MoveSource
    reorganised: bool = False  # the department moved, not the person


class KnownPerson(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A person as the newest roster says that lists them."""

    entry: RosterEntry  # with earlier addresses, private ones included, behind those of today
    first_seen: date  # days of reading
    last_seen: date
    is_listed: bool
    dropped_on: date | None = None  # the day of the first roster without them
    moves: Sequence[Move] = ()  # by day
    departments_left: Sequence[Move] = ()  # the last one out of each department that they are not in today


class People(msgspec.Struct, frozen=True, kw_only=True):
    """What all rosters say together."""

    persons: Sequence[KnownPerson] = ()  # each with a number, or an address that is nobody else's
    read_on: date | None = None  # the day of the newest roster; None if there is none
    reorganisations: Sequence[Reorganisation] = ()  # by day
    renamed: Mapping[str, str] = {}  # what departments that are gone are called now, by folded old name

    def called_now(self, department: str) -> str:
        """What a department is called today, through all its names; a split one keeps its own."""
        return _called_now(department, self.renamed)


@no_collecting()
def people_of(history: History, limits: Limits | None = None) -> People:
    """Everyone, with moves and reorganisations as they follow from all rosters."""
    if not history.readings:
        return People()
    limits = limits or Limits()
    first, newest = history.readings[0].day, history.readings[-1].day
    persons = list(presences(history))
    careers = [career(one.spells, first, one.dropped_on) for one in persons]
    forgotten = history.forgotten_before or date.min
    reorganised = [
        *history.reorganisations,
        *(one for one in reorganisations(careers, limits, first) if one.on >= forgotten),
    ]
    followed = Followed.of(reorganised, limits)
    owners, renamed = _owners(persons), names_now(reorganised, departments_of(careers, newest))
    known = []
    for place, (one, its) in enumerate(zip(persons, careers, strict=True)):
        entry = _with_earlier_addresses(place, one, owners)
        moves = _moves(its, followed) if its.losses else ()
        if key_of(entry):
            known.append(
                KnownPerson(
                    entry=entry,
                    first_seen=one.spells[0].since,
                    last_seen=one.spells[-1].until,
                    is_listed=one.is_listed,
                    dropped_on=one.dropped_on,
                    moves=moves,
                    departments_left=_left(entry, moves, renamed) if moves else (),
                )
            )
    return People(persons=known, read_on=newest, reorganisations=reorganised, renamed=renamed)


def _moves(career: Career, followed: Followed) -> list[Move]:
    moves = []
    for loss in career.losses:
        name = followed.to(loss)
        to = name or next(iter([*(one for one in loss.now if one in loss.gained), *loss.now]), "")
        moves.append(
            Move(from_department=loss.department, to_department=to, on=loss.on, by=loss.by, reorganised=bool(name))
        )
    return moves


def _left(entry: RosterEntry, moves: Sequence[Move], renamed: Mapping[str, str]) -> list[Move]:
    """The last move out of each department that somebody is not in today, under all its names."""
    now = {same_department(_called_now(post.department, renamed)) for post in entry.posts}
    last = {same_department(_called_now(move.from_department, renamed)): move for move in moves if not move.reorganised}
    return [move for name, move in last.items() if name not in now]


def _called_now(department: str, renamed: Mapping[str, str]) -> str:
    return renamed.get(same_department(department), department)


def _owners(persons: Sequence[Presence]) -> Mapping[str, int]:
    """Whose an address is: of the last one whom a roster named with it."""
    owners: dict[str, int] = {}
    for place, one in enumerate(persons):
        last = one.spells[-1].until
        for address in one.newest.addresses:
            if persons[owners.setdefault(address, place)].spells[-1].until < last:
                owners[address] = place
    return owners


def _with_earlier_addresses(place: int, person: Presence, owners: Mapping[str, int]) -> RosterEntry:
    """What a roster once said of a person's addresses stays known; one that somebody else has had since is theirs."""
    if len(person.spells) == 1 and all(owners[address] == place for address in person.newest.addresses):
        return person.newest
    entries = [spell.entry for spell in reversed(person.spells)]
    addresses = dict.fromkeys(chain.from_iterable(entry.addresses for entry in entries))
    private = dict.fromkeys(chain.from_iterable(entry.private_addresses for entry in entries))
    return msgspec.structs.replace(
        entries[0],
        addresses=[address for address in addresses if owners.get(address, place) == place] or (),
        private_addresses=list(private) or (),
    )
