"""What a roster changes against the one before it, for the people who maintain it."""

from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from cloudscan.roster.history import History, Reorganisation, before
from cloudscan.roster.people import KnownPerson, Move, People, people_of


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What is new on a day since the previous roster."""

    previous: date | None  # its day; None if there is none, and then nothing else is known
    joined: Sequence[KnownPerson] = ()
    dropped: Sequence[KnownPerson] = ()
    moves: Sequence[tuple[KnownPerson, Move]] = ()  # without those of reorganisations
    reorganisations: Sequence[Reorganisation] = ()


def changes_on(history: History, day: date) -> Changes:
    """What the roster of a day changed, whatever was read on later days."""
    earlier = before(history, day)
    if earlier.read_on is None:
        return Changes(previous=None)
    was, now = people_of(earlier), people_of(history)
    seen = {mark for one in was.persons for move in one.moves for mark in _marks(one, move)}
    settled = {(one.department, one.on) for one in was.reorganisations}
    return Changes(
        previous=earlier.read_on,
        joined=[one for one in now.persons if one.first_seen == day],
        dropped=[one for one in now.persons if one.dropped_on == day],
        moves=[(one, move) for one, move in _moves(now) if move.on <= day and seen.isdisjoint(_marks(one, move))],
        reorganisations=[
            one for one in now.reorganisations if one.on <= day and (one.department, one.on) not in settled
        ],
    )


def _moves(people: People) -> Iterator[tuple[KnownPerson, Move]]:
    for one in people.persons:
        yield from ((one, move) for move in one.moves if not move.reorganised)


def _marks(person: KnownPerson, move: Move) -> Iterator[tuple[str, str, date]]:
    """By what a move is known again, under any number or address of its person."""
    for name in (person.entry.number, *person.entry.addresses):
        if name:
            yield name, move.from_department, move.on
