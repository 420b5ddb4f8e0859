"""Sets of texts, as finite automata: what a pattern matches, what a name can look like.

An automaton reads a text character by character and is in one state, a number, after each. There are two kinds:
`Words` for lists of whole texts, which may be long, and `Expression` for patterns. An expression's state is the set of
positions in the pattern that may have been reached, as the bits of a number (Glushkov's construction).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

LOST = 0
"""The state from which nothing is accepted."""


@dataclass(frozen=True)
class Characters:
    """A set of characters: those listed, or all but those."""

    listed: frozenset[str]
    all_but: bool = False

    def __contains__(self, character: str) -> bool:
        return (character in self.listed) != self.all_but


ANY = Characters(frozenset(), all_but=True)


class TextSet(Protocol):
    """A set of texts, as a deterministic automaton."""

    @property
    def start(self) -> int:
        """The state before anything is read."""

    @property
    def characters(self) -> Sequence[Characters]:
        """The sets of characters that it tells apart."""

    def __contains__(self, text: str) -> bool:
        """Is a text in the set?"""

    def step(self, state: int, character: str) -> int:
        """The state after one more character; `LOST` if nothing that begins like this is in the set."""

    def accepts(self, state: int) -> bool:
        """Is what was read so far in the set?"""

    def is_certain(self, state: int) -> bool:
        """Is everything that begins like this in the set?"""


def after(texts: TextSet, state: int, text: str) -> int:
    """The state after a text."""
    for character in text:
        if state == LOST:
            break
        state = texts.step(state, character)
    return state


@dataclass(frozen=True, eq=False)
class Words:
    """A list of texts, as a tree of their beginnings."""

    words: frozenset[str]
    ignore_case: bool = False

    @property
    def start(self) -> int:
        """See `TextSet`. The root of the tree."""
        return 1 if self.words else LOST

    def __contains__(self, text: str) -> bool:
        return (text.casefold() in self._folded) if self.ignore_case else text in self.words

    @cached_property
    def characters(self) -> Sequence[Characters]:
        """See `TextSet`."""
        listed = {character for word in self.words for character in word}
        if self.ignore_case:
            return [Characters(frozenset((one.lower(), one.upper()))) for one in sorted(listed)]
        return [Characters(frozenset(one)) for one in sorted(listed)]

    def step(self, state: int, character: str) -> int:
        """See `TextSet`."""
        return self._tree.get((state, character.casefold() if self.ignore_case else character), LOST)

    def accepts(self, state: int) -> bool:
        """See `TextSet`."""
        return state in self._ends

    def is_certain(self, state: int) -> bool:  # noqa: ARG002
        """See `TextSet`. A list ends."""
        return False

    @cached_property
    def _folded(self) -> frozenset[str]:
        return frozenset(word.casefold() for word in self.words)

    @cached_property
    def _tree(self) -> Mapping[tuple[int, str], int]:
        return self._built[0]

    @cached_property
    def _ends(self) -> frozenset[int]:
        return self._built[1]

    @cached_property
    def _built(self) -> tuple[Mapping[tuple[int, str], int], frozenset[int]]:
        tree: dict[tuple[int, str], int] = {}
        ends = set()
        for word in self._folded if self.ignore_case else self.words:
            node = 1
            for character in word:
                node = tree.setdefault((node, character), len(tree) + 2)
            ends.add(node)
        return tree, frozenset(ends)


@dataclass(frozen=True)
class Piece:
    """A part of an expression, as it is written."""

    kind: str  # one, then, either, many
    characters: Characters = ANY  # of `one`
    parts: tuple["Piece", ...] = ()


def one(characters: Characters = ANY) -> Piece:
    """Exactly one character."""
    return Piece("one", characters)


def one_of(characters: str) -> Piece:
    """Exactly one of these characters."""
    return Piece("one", Characters(frozenset(characters)))


def text(written: str) -> Piece:
    """Exactly this text."""
    return then(*(one_of(character) for character in written))


def then(*parts: Piece) -> Piece:
    """One part after the other."""
    return Piece("then", parts=parts)


def either(*parts: Piece) -> Piece:
    """One of the parts."""
    return Piece("either", parts=parts)


def many(part: Piece) -> Piece:
    """A part any number of times, or not at all."""
    return Piece("many", parts=(part,))


def at_least(number: int, part: Piece) -> Piece:
    """A part so many times or more often."""
    return then(*[part] * number, many(part))


def times(number: int, part: Piece) -> Piece:
    """A part exactly so many times."""
    return then(*[part] * number)


@dataclass(frozen=True, eq=False)
class Expression:
    """What a piece matches. State: bit 0 for the start, bit n + 1 for having just read at the n-th position."""

    piece: Piece

    @property
    def start(self) -> int:
        """See `TextSet`."""
        return 1

    def __contains__(self, text: str) -> bool:
        return self.accepts(after(self, self.start, text))

    @property
    def characters(self) -> Sequence[Characters]:
        """See `TextSet`."""
        return list(dict.fromkeys(self._positions.characters))

    def step(self, state: int, character: str) -> int:
        """See `TextSet`."""
        key = (state, character)
        known = self._steps.get(key)
        if known is None:
            known = self._steps[key] = self._reachable(state) & self._matching(character)
        return known

    def accepts(self, state: int) -> bool:
        """See `TextSet`."""
        return state & self._positions.last != 0

    def is_certain(self, state: int) -> bool:
        """See `TextSet`. Recognised where the pattern ends in a wildcard that has been reached."""
        return self.accepts(state) and self._reachable(state) & self._positions.endless != 0

    @cached_property
    def _steps(self) -> dict[tuple[int, str], int]:
        return {}

    @cached_property
    def _masks(self) -> dict[str, int]:
        return {}

    @cached_property
    def _positions(self) -> "_Positions":
        return _Positions(self.piece)

    def _reachable(self, state: int) -> int:
        reachable = 0
        for position in _bits(state):
            reachable |= self._positions.following[position]
        return reachable

    def _matching(self, character: str) -> int:
        mask = self._masks.get(character)
        if mask is None:
            mask = sum(
                2 << position for position, wanted in enumerate(self._positions.characters) if character in wanted
            )
            self._masks[character] = mask
        return mask


class _Positions:
    """The positions of a piece at which a character is read, and which of them may follow each other."""

    def __init__(self, piece: Piece) -> None:
        self.characters: list[Characters] = []
        self.following: list[int] = [0]
        first, last, nullable = self._add(piece)
        self.following[0] = first
        self.last = last | (1 if nullable else 0)
        self.endless = sum(
            2 << position
            for position, characters in enumerate(self.characters)
            if characters == ANY and self.following[position + 1] & self.last & (2 << position)
        )

    def _add(self, piece: Piece) -> tuple[int, int, bool]:
        """The positions that may come first and last, and whether there may be none."""
        if piece.kind == "one":
            self.characters.append(piece.characters)
            self.following.append(0)
            bit = 1 << len(self.characters)
            return bit, bit, False
        if piece.kind == "then":
            return self._add_in_turn(piece.parts)
        added = [self._add(part) for part in piece.parts]
        first, last = 0, 0
        for starts, ends, _ in added:
            first, last = first | starts, last | ends
        if piece.kind == "many":
            self._connect(last, first)
        return first, last, piece.kind == "many" or any(nullable for _, _, nullable in added)

    def _add_in_turn(self, parts: Iterable[Piece]) -> tuple[int, int, bool]:
        first, last, nullable = 0, 0, True
        for part in parts:
            starts, ends, skippable = self._add(part)
            self._connect(last, starts)
            first |= starts if nullable else 0
            last = ends | (last if skippable else 0)
            nullable = nullable and skippable
        return first, last, nullable

    def _connect(self, ends: int, starts: int) -> None:
        for position in _bits(ends):
            self.following[position] |= starts


def _bits(number: int) -> Iterator[int]:
    """The positions of the ones."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


@lru_cache(maxsize=2048)
def words(listed: frozenset[str], ignore_case: bool = False) -> Words:
    """A list of texts; equal lists share what was worked out for them."""
    return Words(listed, ignore_case)


@lru_cache(maxsize=2048)
def expression(piece: Piece) -> Expression:
    """What a piece matches; equal pieces share what was worked out for them."""
    return Expression(piece)


EVERYTHING = expression(many(one()))
SOMETHING = expression(then(one(), many(one())))
