"""Sets of strings, and whether several have a string in common.

A language is built of letters, one after the other, either or, again and again. Whether a string is in some languages
and not in others is found by walking all of them at once, letter by letter, each as the set of places in it where one
can be (Glushkov's automaton); letters that no language tells apart are tried once. `as_z3` says the same to z3, whose
answer is slower and independent.
"""

from collections import deque
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, reduce
from itertools import count

import z3

_LAST = chr(0x2FFFF)  # the last letter that z3 knows
_serial = count()
MOST = 100_000  # combinations of places that are looked at


class TooLarge(Exception):
    """The languages are too entangled to walk."""


@dataclass(frozen=True)
class Letters:
    """A set of characters, as ranges; `others` turns it into its complement."""

    ranges: tuple[tuple[str, str], ...]
    others: bool = False

    def __contains__(self, letter: str) -> bool:
        return any(low <= letter <= high for low, high in self.ranges) != self.others

    @cached_property
    def is_single(self) -> bool:
        """Is it one character?"""
        return not self.others and len(self.ranges) == 1 and self.ranges[0][0] == self.ranges[0][1]


@lru_cache(maxsize=1024)
def letters(*ranges: str) -> Letters:
    """Letters by ranges of one or two characters: `letters("az", "-")`."""
    return Letters(tuple((each[0], each[-1]) for each in ranges))


ANY = Letters((), others=True)


@dataclass(frozen=True, eq=False)
class Language:
    """A set of strings. `made_of` and `of` say how: "letter", "then", "or", "star"."""

    made_of: str
    of: tuple["Language", ...] = ()
    letter: Letters = ANY
    serial: int = field(default_factory=lambda: next(_serial))

    @cached_property
    def automaton(self) -> "Automaton":
        """The places of the language, and which can follow which."""
        return Automaton(self)

    @cached_property
    def as_z3(self) -> z3.ReRef:
        """The language as z3 writes it."""
        inner = [each.as_z3 for each in self.of]
        text = z3.ReSort(z3.StringSort())
        if self.made_of == "letter":
            return _as_z3(self.letter)
        if self.made_of == "star":
            return z3.Star(inner[0])
        if not inner:
            return z3.Re(z3.StringVal("")) if self.made_of == "then" else z3.Empty(text)
        if len(inner) == 1:
            return inner[0]
        return z3.Concat(*inner) if self.made_of == "then" else z3.Union(*inner)


def _as_z3(wanted: Letters) -> z3.ReRef:
    anything = z3.AllChar(z3.ReSort(z3.StringSort()))
    ranges = [z3.Range(low, high) for low, high in wanted.ranges]
    if not ranges:
        return anything
    together = z3.Union(*ranges) if len(ranges) > 1 else ranges[0]
    return z3.Intersect(anything, z3.Complement(together)) if wanted.others else together


@lru_cache(maxsize=1024)
def one(wanted: Letters) -> Language:
    """One such letter."""
    return Language("letter", letter=wanted)


@lru_cache(maxsize=16384)
def concat(*parts: Language | str) -> Language:
    """Parts one after the other; a text stands for itself."""
    made: list[Language] = []
    for part in parts:
        made += [one(letters(each)) for each in part] if isinstance(part, str) else [part]
    return Language("then", tuple(made))


@lru_cache(maxsize=16384)
def union(*parts: Language) -> Language:
    """Any of the parts."""
    return Language("or", parts)


@lru_cache(maxsize=1024)
def star(of: Language) -> Language:
    """Any number of them, one after the other."""
    return Language("star", (of,))


def optional(of: Language) -> Language:
    """One of them, or nothing."""
    return union(of, concat())


def repeat(of: Letters, least: int, most: int | None = None) -> Language:
    """So many letters; without `most` as many as one likes."""
    if most is None:
        return concat(*[one(of)] * least, star(one(of)))
    return concat(*[one(of)] * least, *[optional(one(of))] * (most - least))


EVERYTHING = star(one(ANY))
NOTHING = union()


class Automaton:
    """Places in a language as bits of a number. A walk begins at place 0, where no letter has been read."""

    def __init__(self, language: Language) -> None:
        self.letters: list[Letters] = [Letters(())]  # of each place: what was read to get there; none leads to 0
        self.follow = [0]
        nullable, first, last = self._add(language)
        self.follow[0] = first
        self.accepting = last | (1 if nullable else 0)
        # Where one may stay whatever follows: the rest of the string does not matter.
        self.settled = _all(
            1 << place
            for place, each in enumerate(self.letters)
            if each is ANY and self.follow[place] & self.accepting & 1 << place
        )
        self.singles = frozenset(each.ranges[0][0] for each in self.letters if each.is_single)
        self.sets = frozenset(each for each in self.letters if not each.is_single)
        self._after: dict[int, int] = {}
        self._reading: dict[str, int] = {}

    def _add(self, language: Language) -> tuple[bool, int, int]:
        """Add the places of a part: can it be empty, where does it begin, where can it end?"""
        if language.made_of == "letter":
            self.letters.append(language.letter)
            self.follow.append(0)
            place = 1 << (len(self.letters) - 1)
            return False, place, place
        if language.made_of == "or":
            parts = [self._add(each) for each in language.of]
            return any(part[0] for part in parts), _all(part[1] for part in parts), _all(part[2] for part in parts)
        if language.made_of == "star":
            _, first, last = self._add(language.of[0])
            self._connect(last, first)
            return True, first, last
        nullable, first, last = True, 0, 0
        for each in language.of:
            empty, begin, end = self._add(each)
            self._connect(last, begin)
            first |= begin if nullable else 0
            last = end | (last if empty else 0)
            nullable &= empty
        return nullable, first, last

    def _connect(self, before: int, after: int) -> None:
        for place in _places(before):
            self.follow[place] |= after

    def after(self, places: int) -> int:
        """Where one can be after one more letter, whatever it is."""
        known = self._after.get(places)
        if known is None:
            known = self._after[places] = _all(self.follow[place] for place in _places(places))
        return known

    def reading(self, letter: str) -> int:
        """The places that a letter leads to."""
        known = self._reading.get(letter)
        if known is None:
            known = self._reading[letter] = _all(
                1 << place for place, each in enumerate(self.letters) if letter in each
            )
        return known


def _all(masks: Iterable[int]) -> int:
    return reduce(int.__or__, masks, 0)


def _places(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def common(within: Sequence[Language], outside: Sequence[Language] = ()) -> str | None:
    """A shortest string that is in each of the languages and in none of the others; None: there is none.

    Raises `TooLarge` where that would take too long.
    """
    automata = [each.automaton for each in (*within, *outside)]
    wanted = len(within)
    choices = [(letter, [each.reading(letter) for each in automata]) for letter in _told_apart(automata)]
    settled = tuple(each.settled for each in automata)
    start = (1,) * len(automata)
    came_from: dict[tuple[int, ...], tuple[tuple[int, ...], str] | None] = {start: None}
    waiting = deque([start])
    while waiting:
        places = waiting.popleft()
        if all(
            (each.accepting & at != 0) == (n < wanted)
            for n, (each, at) in enumerate(zip(automata, places, strict=True))
        ):
            return _read(came_from, places)
        after = [each.after(at) for each, at in zip(automata, places, strict=True)]
        for letter, reading in choices:
            reached = tuple(map(int.__and__, after, reading))
            if 0 in reached[:wanted] or reached in came_from:
                continue
            if any(map(int.__and__, reached, settled)):
                if any(map(int.__and__, reached[wanted:], settled[wanted:])):
                    continue
                reached = tuple(at & once or at for at, once in zip(reached, settled, strict=True))
                if reached in came_from:
                    continue
            came_from[reached] = (places, letter)
            waiting.append(reached)
    return None


def _read(came_from: dict[tuple[int, ...], tuple[tuple[int, ...], str] | None], places: tuple[int, ...]) -> str:
    read = []
    while step := came_from[places]:
        places, letter = step
        read.append(letter)
    return "".join(reversed(read))


def _told_apart(automata: Sequence[Automaton]) -> Sequence[str]:
    """One letter of each set of letters that none of the languages tells apart."""
    singles = {each for automaton in automata for each in automaton.singles}
    sets = tuple({each for automaton in automata for each in automaton.sets})
    kinds: dict[tuple[bool, ...], str] = {}
    for bound in sorted({each for wanted in sets for each in _bounds(wanted)} | {"a", "0"}):
        letter = _next(bound, singles)
        kinds.setdefault(tuple(letter in each for each in sets), letter)
    return (*sorted(singles), *kinds.values())


def _next(letter: str, singles: Container[str]) -> str:
    """A letter, or the first after it that is not tried anyway."""
    while letter in singles:
        letter = chr(ord(letter) + 1)
    return letter


@lru_cache(maxsize=1024)
def _bounds(wanted: Letters) -> frozenset[str]:
    """Where a set begins, and where it has ended."""
    return frozenset(each for low, high in wanted.ranges for each in (low, chr(ord(high) + 1))) | {"\0"}


def common_by_z3(within: Sequence[Language], outside: Sequence[Language], milliseconds: int) -> bool | None:
    """The same question to z3; None: it did not decide in time."""
    text, solver = z3.String("text"), z3.Solver()
    solver.set("timeout", milliseconds)
    parts = [*(each.as_z3 for each in within), *(z3.Complement(each.as_z3) for each in outside)]
    solver.add(z3.InRe(text, z3.Intersect(*parts) if len(parts) > 1 else parts[0]))
    said = solver.check()
    return None if said == z3.unknown else bool(said == z3.sat)
