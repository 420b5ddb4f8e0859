"""Everyone whom a roster has ever listed, as far as it is remembered: who is gone from it, and who moved.

A former employee is somebody whose last day has passed, or who is on an earlier roster and not on the newest one:
exports of current staff do not name those who left. A row that cannot be understood proves neither.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, pairwise

import msgspec

from cloudscan.roster.career import Career, MoveSource, career, same_department
from cloudscan.roster.collecting import no_collecting
from cloudscan.roster.entry import RosterEntry
from cloudscan.roster.folding import folded_name
from cloudscan.roster.history import History, Reading, Reorganisation, Spell
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

    @property
    def departments_left(self) -> Sequence[Move]:
        """The last move out of each department that the person is not in today; reorganisations are none."""
        now = {same_department(post.department) for post in self.entry.posts}
        last = {same_department(move.from_department): move for move in self.moves if not move.reorganised}
        return [move for name, move in last.items() if name not in now]


class People(msgspec.Struct, frozen=True, kw_only=True):
    """What all rosters say together."""

    persons: Sequence[KnownPerson] = ()
    read_on: date | None = None  # the day of the newest roster; None if there is none
    reorganisations: Sequence[Reorganisation] = ()  # by day
    renamed: Mapping[str, str] = {}  # what departments that are gone are called now, by folded old name

    def called_now(self, department: str) -> str:
        """What a department is called today, through all its names; a split one keeps its own."""
        return self.renamed.get(same_department(department), department)


@dataclass(frozen=True)
class Presence:
    """One person's spells, under all numbers and addresses, and whether the newest roster lists them."""

    spells: Sequence[Spell]
    is_listed: bool
    dropped_on: date | None  # the day of the first roster without them

    @property
    def newest(self) -> RosterEntry:
        """What the last roster said that listed them."""
        return self.spells[-1].entry


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
    owners = {address: place for place, one in enumerate(persons) if one.is_listed for address in one.newest.addresses}
    return People(
        persons=[
            KnownPerson(
                entry=_with_earlier_addresses(place, one, owners),
                first_seen=one.spells[0].since,
                last_seen=one.spells[-1].until,
                is_listed=one.is_listed,
                dropped_on=one.dropped_on,
                moves=_moves(its, followed) if its.losses else (),
            )
            for place, (one, its) in enumerate(zip(persons, careers, strict=True))
        ],
        read_on=newest,
        reorganisations=reorganised,
        renamed=names_now(reorganised, departments_of(careers, newest)),
    )


def presences(history: History) -> Iterator[Presence]:
    """Everyone, one by one, in the order of numbers and addresses."""
    for spells in _chains(history):
        yield _presence(spells, history.readings)


def _moves(career: Career, followed: Followed) -> list[Move]:
    moves = []
    for loss in career.losses:
        name = followed.to(loss)
        to = name or next(iter([*(one for one in loss.now if one in loss.gained), *loss.now]), "")
        moves.append(
            Move(from_department=loss.department, to_department=to, on=loss.on, by=loss.by, reorganised=bool(name))
        )
    return moves


def _presence(spells: Sequence[Spell], readings: Sequence[Reading]) -> Presence:
    """Whether the newest roster lists somebody, and if not, since when none does."""
    newest = readings[-1]
    if spells[-1].until == newest.day or newest.names(spells[-1].entry):
        return Presence(spells, is_listed=True, dropped_on=None)
    return Presence(spells, is_listed=False, dropped_on=_first_without(spells[-1], newest.day, readings))


def _first_without(spell: Spell, until: date, readings: Iterable[Reading]) -> date | None:
    """The first day after a spell, up to another, on which a roster does not have the person."""
    later = (one for one in readings if spell.until < one.day <= until)
    return next((one.day for one in later if not one.names(spell.entry)), None)


def _with_earlier_addresses(place: int, person: Presence, owners: Mapping[str, int]) -> RosterEntry:
    """What a roster once said of a person's addresses stays known; one that another listed person has now is theirs."""
    if len(person.spells) == 1 and person.is_listed:
        return person.newest
    entries = [spell.entry for spell in reversed(person.spells)]
    addresses = dict.fromkeys(chain.from_iterable(entry.addresses for entry in entries))
    private = dict.fromkeys(chain.from_iterable(entry.private_addresses for entry in entries))
    return msgspec.structs.replace(
        entries[0],
        addresses=[address for address in addresses if owners.get(address, place) == place],
        private_addresses=list(private),
    )


def _chains(history: History) -> Iterator[Sequence[Spell]]:
    """The spells of each person: of one number, or of one address where numbers are missing or new."""
    groups = _sharing_addresses(history.persons)
    for place, spells in enumerate(history.persons):
        group = groups.get(place, ())
        if not group:
            if spells[0].entry.number or len(spells) == 1:
                yield spells
            else:
                yield from _one_each(spells, history.readings)
        elif place == group[0]:
            together = chain.from_iterable(history.persons[one] for one in group)
            yield from _one_each(sorted(together, key=lambda spell: (spell.since, spell.key)), history.readings)


def _sharing_addresses(persons: Sequence[Sequence[Spell]]) -> Mapping[int, Sequence[int]]:
    """The keys that have an address with others in common, sorted, by each of them."""
    first: dict[str, int] = {}
    groups: dict[int, list[int]] = {}
    for place, spells in enumerate(persons):
        for address in {address for spell in spells for address in spell.entry.addresses}:
            other = first.setdefault(address, place)
            if other != place and groups.get(place) is not (group := groups.setdefault(other, [other])):
                group += groups.get(place, [place])
                groups |= dict.fromkeys(group, group)
    return {place: sorted(group) for place, group in groups.items()}


def _one_each(spells: Sequence[Spell], readings: Sequence[Reading]) -> Iterator[Sequence[Spell]]:
    """People out of spells that share addresses, by day. Where two could be meant, none is: a new person begins."""
    people: list[list[Spell]] = []
    for spell in spells:
        candidates = [one for one in people if _continues(one, spell, readings)]
        same = [one for one in candidates if one[-1].key == spell.key]
        if len(same or candidates) == 1:
            (same or candidates)[0].append(spell)
        else:
            people.append([spell])
    yield from people


def _continues(known: Sequence[Spell], spell: Spell, readings: Sequence[Reading]) -> bool:
    """Whether a spell continues a person's earlier ones.

    A number is certain. An address stays with its owner, unless a roster in between has nobody with it and then
    somebody of another name: addresses are given to others in time.
    """
    before, after = known[-1].entry, spell.entry
    if known[-1].until >= spell.since:
        return False
    if before.number and before.number == after.number:
        return True
    if not set(after.addresses) & {address for one in known for address in one.entry.addresses}:
        return False
    names = {folded_name(before.name), folded_name(after.name)}
    if before.number and after.number:
        return len(names) == 1 and names != {""}
    return len(names - {""}) <= 1 or _first_without(known[-1], _day_before(spell, readings), readings) is None


def _day_before(spell: Spell, readings: Sequence[Reading]) -> date:
    """The last day of reading before a spell."""
    return next(earlier.day for earlier, later in pairwise(readings) if later.day == spell.since)
