"""Who is who among the spells of a history, and whether the newest roster lists them.

A person is a number. Where numbers are missing or new, a person is an address, as far as nothing speaks against it: two
of the same name stay two, and an address that is given to somebody else does not take its history along.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from typing import Final

from cloudscan.roster.entry import RosterEntry
from cloudscan.roster.folding import folded_name
from cloudscan.roster.history import History, Mention, Spell

_MANY: Final = 20  # new numbers on one day, if they are half of all


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


def presences(history: History) -> Iterator[Presence]:
    """Everyone, one by one, in the order of numbers and addresses."""
    if history.readings:
        readings = _Readings.of(history)
        for spells in _chains(history, readings):
            yield _presence(spells, readings)


@dataclass(frozen=True)
class _Readings:
    """The days on which rosters were read, and whom they named in rows that cannot be understood."""

    days: Sequence[date]
    mentions: Mapping[str, Sequence[Mention]]
    renumbered: Collection[date] = ()  # days on which everybody got a new number

    @classmethod
    def of(cls, history: History) -> "_Readings":
        mentions = {several[0].key: several for several in history.mentions}
        return cls([reading.day for reading in history.readings], mentions)

    def mention(self, entry: RosterEntry, day: date) -> bool:
        """Whether somebody is in a row that could not be understood."""
        names = (entry.number, *entry.addresses, *entry.private_addresses, folded_name(entry.name))
        spans = chain.from_iterable(self.mentions.get(name, ()) for name in names)
        return any(span.since <= day <= span.until for span in spans)

    def first_without(self, spell: Spell, until: date) -> date | None:
        """The first day after a spell, up to another, on which a roster does not have the person."""
        later = self.days[bisect_right(self.days, spell.until) : bisect_right(self.days, until)]
        return next((day for day in later if not self.mention(spell.entry, day)), None)

    def before(self, day: date) -> date:
        """The last day of reading before one that is not the first."""
        return self.days[bisect_left(self.days, day) - 1]


def _presence(spells: Sequence[Spell], readings: _Readings) -> Presence:
    """Whether the newest roster lists somebody, and if not, since when none does."""
    newest = readings.days[-1]
    if spells[-1].until == newest or readings.mention(spells[-1].entry, newest):
        return Presence(spells, is_listed=True, dropped_on=None)
    return Presence(spells, is_listed=False, dropped_on=readings.first_without(spells[-1], newest))


def _chains(history: History, readings: _Readings) -> Iterator[Sequence[Spell]]:
    """The spells of each person: of one number, or of one address where numbers are missing or new."""
    groups = _sharing_addresses(history.persons)
    readings = replace(readings, renumbered=_renumbered(history, groups.keys(), readings))
    for place, spells in enumerate(history.persons):
        group = groups.get(place, ())
        if not group:
            if spells[0].entry.number or len(spells) == 1:
                yield spells
            else:
                yield from _one_each(spells, readings)
        elif place == group[0]:
            together = chain.from_iterable(history.persons[one] for one in group)
            yield from _one_each(sorted(together, key=lambda spell: (spell.since, spell.key)), readings)


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


def _one_each(spells: Sequence[Spell], readings: _Readings) -> Iterator[Sequence[Spell]]:
    """People out of spells that share addresses, by day. Where two could be meant, none is: a new person begins."""
    people: list[list[Spell]] = []
    known = defaultdict[str, list[int]](list)  # places in it, by key and address
    for spell in spells:
        names = {spell.key, *spell.entry.addresses}
        alike = sorted({place for name in names for place in known[name]})
        candidates = [place for place in alike if _continues(people[place], spell, readings)]
        same = [place for place in candidates if people[place][-1].key == spell.key]
        if len(same or candidates) == 1:
            place = (same or candidates)[0]
            people[place].append(spell)
        else:
            place = len(people)
            people.append([spell])
        for name in names:
            known[name].append(place)
    yield from people


def _continues(known: Sequence[Spell], spell: Spell, readings: _Readings) -> bool:
    """Whether a spell continues a person's earlier ones.

    A number is certain. An address stays with its owner, unless a roster in between has nobody with it and then
    somebody of another name: addresses are given to others in time. A new number on the same night is another person
    too, if the name is another one, unless most people got one: then it is the HR system that is new, and may write
    names in another way.
    """
    before, after = known[-1].entry, spell.entry
    if known[-1].until >= spell.since:
        return False
    if before.number and before.number == after.number:
        return True
    if not set(after.addresses) & {address for one in known for address in one.entry.addresses}:
        return False
    names = {folded_name(before.name), folded_name(after.name)}
    if before.number and after.number and spell.since not in readings.renumbered:
        return len(names) == 1 and names != {""}
    return len(names - {""}) <= 1 or readings.first_without(known[-1], readings.before(spell.since)) is None


def _renumbered(history: History, places: Collection[int], readings: _Readings) -> Collection[date]:
    """The days on which at least half of the people have a new number and the address that they had the day before."""
    owners: dict[tuple[str, date], str] = {}
    for place in places:
        for spell in history.persons[place]:
            owners |= {(address, spell.until): spell.entry.number for address in spell.entry.addresses}
    begun = Counter(
        spells[0].since
        for spells in (history.persons[place] for place in places)
        if spells[0].entry.number and spells[0].since != readings.days[0] and _had_another(spells[0], owners, readings)
    )
    return {day for day, count in begun.items() if count >= _MANY and count * 2 >= _size(history, day)}


def _had_another(spell: Spell, owners: Mapping[tuple[str, date], str], readings: _Readings) -> bool:
    """Whether the address was another number's until the day before."""
    day = readings.before(spell.since)
    return any(owners.get((address, day), "") for address in spell.entry.addresses)


def _size(history: History, day: date) -> int:
    return sum(spell.since <= day <= spell.until for spells in history.persons for spell in spells)
