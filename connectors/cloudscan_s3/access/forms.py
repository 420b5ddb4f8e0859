"""The form that real values have, and one example of each class of values that a set of tests tells apart.

Some keys of a request are several names of one thing. The ARN of a caller contains the account, which is a key of its
own; the last part of a user's ARN is aws:username. So the thing is spelled once, in segments, and each key is a reading
of some of them:

    segments             account: 12 digits, path: "" or …/, name: letters and the like
    aws:PrincipalArn     "arn:aws:iam::" account ":user/" path name
    aws:PrincipalAccount account
    aws:username         name

A test says that a reading is in a set of texts (`texts.TextSet`). `classes` reads all spellings at once, character by
character: what has been read up to a point is remembered only as the states of the tests' automata, of which there are
few. It returns one spelling for each combination of answers that some spelling gives, a short one. A combination that
is not returned is given by no spelling: that is the proof that nobody has such values.

For the tests "aws:PrincipalArn is like *backup*" and "aws:PrincipalArn is like arn:aws:iam::*:role/n*", a spelling of
a role for which both are true is account 900000000001, name "nbackup". None for which both are true is a root user's:
its readings have no position for "backup".
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import heappop, heappush
from itertools import chain, count
from string import ascii_lowercase, digits
from typing import Final, NamedTuple

from cloudscan_s3.access.texts import LOST, Characters, TextSet, Words, after, words

Part = str | int
"""A part of a reading: a constant text, or the number of a segment."""

Reading = tuple[Part, ...]
"""The text of a key. The segments occur in the order in which they are spelled."""

MOST_CLASSES: Final = 64
"""Classes of one form. Twenty patterns that do not exclude each other have a million; nobody writes that."""
MOST_STATES: Final = 20_000
"""States of automata that are visited for one form: some hundredths of a second."""
_FIRST: Final = f"x{ascii_lowercase}9{digits}"  # characters that read well in an example


@dataclass(frozen=True)
class Segment:
    """A part of a spelling."""

    texts: TextSet
    example: str = ""  # in the set; taken where no test insists on something else
    rare: bool = False  # mostly left empty: examples that need nothing here are preferred

    @property
    def has_example(self) -> bool:
        """Is its example one of its texts? An empty one may stand for none."""
        return self.example != "" or "" in self.texts

    @property
    def is_fixed(self) -> bool:
        """Is it always its example?"""
        return isinstance(self.texts, Words) and self.texts.words == {self.example}


_EMPTY: Final = Segment(words(frozenset(("",))))


@dataclass(frozen=True)
class Form:
    """A kind of thing that several keys name, with the keys' readings in lower case."""

    segments: tuple[Segment, ...]
    readings: tuple[tuple[str, Reading], ...]

    def reading(self, key: str) -> Reading | None:
        """How a key is read; None where this kind of thing has no such key."""
        return next((reading for name, reading in self.readings if name == key), None)

    def context(self, spelling: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """The keys' values for one spelling."""
        return {key: (read(reading, spelling),) for key, reading in self.readings}


@dataclass(frozen=True)
class Comparison:
    """Is one of some readings in a set? `wanted` is the answer that counts; None: both are told apart."""

    alternatives: tuple[tuple[Reading, TextSet], ...]
    wanted: bool | None = None

    def is_met_by(self, spelling: Sequence[str]) -> bool:
        """The answer for one spelling."""
        return any(read(reading, spelling) in texts for reading, texts in self.alternatives)


@dataclass(frozen=True)
class Classes:
    """One spelling of each class. Not `complete` where there are more than the bounds allow."""

    spellings: Sequence[tuple[str, ...]]
    complete: bool = True


def read(reading: Reading, spelling: Sequence[str]) -> str:
    """The text of a reading."""
    return "".join(part if isinstance(part, str) else spelling[part] for part in reading)


def classes(form: Form, tests: Sequence[Comparison]) -> Classes:
    """One spelling of each class of spellings that the tests tell apart, with the answers that they want."""
    open_tests: dict[Comparison, None] = {}
    for test in tests:
        simplified = _simplified(test, form.segments)
        if isinstance(simplified, Comparison):
            open_tests[simplified] = None
        elif test.wanted not in (None, simplified):
            return Classes(())
    narrowed = [_narrowed(test, open_tests) for test in open_tests]
    if any(test.wanted and not test.alternatives for test in narrowed):
        return Classes(())
    return _classes(form.segments, tuple(narrowed))


def _narrowed(test: Comparison, others: Iterable[Comparison]) -> Comparison:
    """A test that must come out true, without the listed texts that another test rules out."""
    lists = [(reading, texts) for reading, texts in test.alternatives if isinstance(texts, Words)]
    if not test.wanted or not any(len(texts.words) > 1 for _, texts in lists):
        return test
    ruling_out = [
        (reading, texts) for other in others if other.wanted is False for reading, texts in other.alternatives
    ]
    alternatives: list[tuple[Reading, TextSet]] = []
    for reading, texts in test.alternatives:
        if not isinstance(texts, Words) or texts.ignore_case:
            alternatives.append((reading, texts))
            continue
        against = [excluded for place, excluded in ruling_out if place == reading]
        left = frozenset(word for word in texts.words if not any(word in excluded for excluded in against))
        if left:
            alternatives.append((reading, words(left)))
    return Comparison(tuple(alternatives), test.wanted)


def _simplified(test: Comparison, segments: Sequence[Segment]) -> Comparison | bool:
    """A test without what cannot match because of how all spellings begin; the answer, if that decides it."""
    alternatives: list[tuple[Reading, TextSet]] = []
    for reading, texts in test.alternatives:
        beginning, whole = _beginning(reading, segments)
        if whole:
            if beginning in texts:
                return True
            continue
        if isinstance(texts, Words) and not texts.ignore_case:
            fitting = frozenset(word for word in texts.words if word.startswith(beginning))
            if fitting:
                alternatives.append((reading, texts if len(fitting) == len(texts.words) else words(fitting)))
        elif after(texts, texts.start, beginning) != LOST:
            alternatives.append((reading, texts))
    return Comparison(tuple(alternatives), test.wanted) if alternatives else False


def _beginning(reading: Reading, segments: Sequence[Segment]) -> tuple[str, bool]:
    """What all spellings are read as up to the first segment that is not always the same, and whether that is all."""
    beginning = ""
    for part in reading:
        if isinstance(part, str):
            beginning += part
        elif segments[part].is_fixed:
            beginning += segments[part].example
        else:
            return beginning, False
    return beginning, True


@lru_cache(maxsize=4096)
def _classes(segments: tuple[Segment, ...], tests: tuple[Comparison, ...]) -> Classes:
    examples = tuple(segment.example for segment in segments)
    by_answers: dict[tuple[bool, ...], tuple[str, ...]] = {}
    if all(segment.has_example for segment in segments):
        answers = tuple(test.is_met_by(examples) for test in tests)
        if _are_wanted(tests, answers):
            by_answers[answers] = examples
    open_questions = sum(test.wanted is None for test in tests)
    if len(by_answers) == 1 << open_questions:
        return Classes((examples,))
    complete = True
    for kind_of_spelling in dict.fromkeys((tuple(map(_without_the_rare, segments)), segments)):
        walk = _Walk(kind_of_spelling, tests)
        for answers, spelling in walk:
            by_answers.setdefault(answers, spelling)
            if len(by_answers) == 1 << open_questions:
                return Classes(tuple(by_answers.values()))
            if len(by_answers) > MOST_CLASSES:
                return Classes(tuple(by_answers.values()), complete=False)
        complete = walk.complete
    return Classes(tuple(by_answers.values()), complete)


def _without_the_rare(segment: Segment) -> Segment:
    return _EMPTY if segment.rare else segment


def _are_wanted(tests: Sequence[Comparison], answers: Sequence[bool]) -> bool:
    return all(test.wanted in (None, answer) for test, answer in zip(tests, answers, strict=True))


_States = tuple[int, ...]
_Step = tuple["_Step | None", str]
"""How a position was reached first: from where, and by which text; empty where a segment ended."""


class _Position(NamedTuple):
    """How far a spelling has been read: in which segment, in which state of it, and the tests' states."""

    segment: int
    within: int
    states: _States


class _Walk:
    """Reads all spellings at once: those first that lack the fewest wanted answers, and the shortest of these."""

    def __init__(self, segments: tuple[Segment, ...], tests: tuple[Comparison, ...]) -> None:
        self.complete = True
        self._segments = segments
        self._tests = tests
        self._runs = [
            (number, reading, texts) for number, test in enumerate(tests) for reading, texts in test.alternatives
        ]
        self._bound_runs = [
            (run, number, texts)
            for run, (number, _, texts) in enumerate(self._runs)
            if tests[number].wanted is not None
        ]
        self._must_hold = sum(test.wanted is True for test in tests)
        self._readers = [
            [run for run, (_, reading, _) in enumerate(self._runs) if index in reading]
            for index in range(len(segments))
        ]
        self._alphabets: dict[int, Sequence[str]] = {}
        self._moves: dict[tuple[int, int], Sequence[tuple[str, int]]] = {}
        self._seen: set[_Position] = set()
        # A heap: first what lacks the fewest answers, then what has been read furthest, then what is oldest.
        self._positions: list[tuple[int, int, int, _Position, _Step | None]] = []

    def __iter__(self) -> Iterator[tuple[tuple[bool, ...], tuple[str, ...]]]:
        self._enter(0, tuple(texts.start for _, _, texts in self._runs), None)
        while self._positions:
            _, _, _, position, step = heappop(self._positions)
            if position.segment == len(self._segments):
                answers = self._answers(position.states)
                if _are_wanted(self._tests, answers):
                    yield answers, _spelling(step, len(self._segments))
                continue
            if len(self._seen) * (len(self._runs) + 1) > MOST_STATES:
                self.complete = False
                return
            for character, within in self._moves_from(position.segment, position.within):
                states = self._after(position.segment, position.states, character)
                if states is not None:
                    self._arrive(_Position(position.segment, within, states), (step, character))

    def _enter(self, segment: int, states: _States, step: _Step | None) -> None:
        """Begin a segment, or come to the end, after the constants that stand there."""
        read_on = self._after_constants(segment, states)
        if self._lacking(read_on) is None:
            return
        if segment < len(self._segments) and not self._readers[segment] and self._segments[segment].has_example:
            example = self._segments[segment].example  # nobody asks about it
            self._enter(segment + 1, read_on, ((step, example) if example else step, ""))
        else:
            start = self._segments[segment].texts.start if segment < len(self._segments) else 0
            self._arrive(_Position(segment, start, read_on), step)

    def _arrive(self, position: _Position, step: _Step | None) -> None:
        """Note a position that was not known; where the segment may end, begin the next one as well."""
        if position in self._seen:
            return
        self._seen.add(position)
        lacking = self._lacking(position.states) or 0
        heappush(self._positions, (lacking, -position.segment, len(self._seen), position, step))
        if position.segment < len(self._segments) and self._segments[position.segment].texts.accepts(position.within):
            self._enter(position.segment + 1, position.states, (step, ""))

    def _after_constants(self, segment: int, states: _States) -> _States:
        read_on = list(states)
        for run, (_, reading, texts) in enumerate(self._runs):
            constant = _constant_before(reading, segment) if segment < len(self._segments) else _tail(reading)
            read_on[run] = after(texts, states[run], constant)
        return tuple(read_on)

    def _after(self, segment: int, states: _States, character: str) -> _States | None:
        """The tests' states after a character of a segment; None if what comes of it cannot be wanted."""
        read_on = list(states)
        for run in self._readers[segment]:
            read_on[run] = self._runs[run][2].step(states[run], character) if states[run] != LOST else LOST
        return tuple(read_on) if self._lacking(read_on) is not None else None

    def _lacking(self, states: Sequence[int]) -> int | None:
        """How many of the tests that must hold do not hold so far; None if one can no longer come out as wanted."""
        hopes: dict[int, bool] = {}
        for run, number, texts in self._bound_runs:
            if not self._tests[number].wanted:
                if texts.is_certain(states[run]):
                    return None
            elif states[run] != LOST:
                hopes[number] = hopes.get(number, False) or texts.accepts(states[run])
        return sum(not met for met in hopes.values()) if len(hopes) == self._must_hold else None

    def _answers(self, states: _States) -> tuple[bool, ...]:
        answers = [False] * len(self._tests)
        for (number, _, texts), state in zip(self._runs, states, strict=True):
            answers[number] = answers[number] or texts.accepts(state)
        return tuple(answers)

    def _moves_from(self, segment: int, within: int) -> Sequence[tuple[str, int]]:
        """The characters that a segment may continue with, one of each kind, and its states after them."""
        known = self._moves.get((segment, within))
        if known is None:
            texts = self._segments[segment].texts
            stepped = [(character, texts.step(within, character)) for character in self._alphabet(segment)]
            known = self._moves[segment, within] = [(one, state) for one, state in stepped if state != LOST]
        return known

    def _alphabet(self, segment: int) -> Sequence[str]:
        """Of all characters, one of each kind that is told apart in a segment."""
        known = self._alphabets.get(segment)
        if known is None:
            sets = list(self._segments[segment].texts.characters)
            for run in self._readers[segment]:
                sets += self._runs[run][2].characters
            known = self._alphabets[segment] = _one_of_each_kind(sets)
        return known


def _constant_before(reading: Reading, segment: int) -> str:
    if segment not in reading:
        return ""
    before = reading[reading.index(segment) - 1] if reading.index(segment) else ""
    return before if isinstance(before, str) else ""


def _tail(reading: Reading) -> str:
    last = reading[-1] if reading else ""
    return last if isinstance(last, str) else ""


def _one_of_each_kind(sets: Iterable[Characters]) -> Sequence[str]:
    """Of all characters, one of each kind that the sets tell apart."""
    listing: dict[str, list[int]] = {}  # each character that is listed, with the sets that list it
    for number, characters in enumerate(dict.fromkeys(sets)):
        for character in characters.listed:
            listing.setdefault(character, []).append(number)
    unlisted = next(one for one in chain(_FIRST, map(chr, count(0x100))) if one not in listing)
    kinds: dict[tuple[int, ...], str] = {(): unlisted}
    for character in (*(one for one in _FIRST if one in listing), *sorted(listing)):
        kinds.setdefault(tuple(listing[character]), character)
    return list(kinds.values())


def _spelling(step: _Step | None, segments: int) -> tuple[str, ...]:
    spelled: list[list[str]] = [[]]
    while step is not None:
        step, character = step
        if character:
            spelled[-1].append(character)
        else:
            spelled.append([])
    written = ["".join(reversed(letters)) for letters in reversed(spelled)]
    return tuple(written[:segments])
