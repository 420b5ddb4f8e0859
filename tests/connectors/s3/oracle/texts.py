"""Patterns of the policy language as regular expressions over the solver's strings.

A pattern is a sequence of tokens: letters, `?` and `*`. What a wildcard may stand for depends on where the pattern
applies (a star never leaves its part of an ARN, an account has digits only), so each wildcard carries its letters.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby

import z3


@dataclass(frozen=True)
class Letters:
    """A set of characters, as ranges; `others` turns it into its complement."""

    ranges: tuple[tuple[str, str], ...]
    others: bool = False

    def __contains__(self, letter: str) -> bool:
        return any(low <= letter <= high for low, high in self.ranges) != self.others

    @property
    def regex(self) -> z3.ReRef:
        """One such character."""
        return _one_of(self)


def letters(*ranges: str) -> Letters:
    """Letters by ranges of one or two characters: `letters("az", "-")`."""
    return Letters(tuple((each[0], each[-1]) for each in ranges))


ANY = Letters((), others=True)
NO_COLON = Letters(((":", ":"),), others=True)
DIGITS = letters("09")
LOWER = letters("az", "09")
NAMES = letters("az", "AZ", "09", "_", "+", "=", ",", ".", "@", "-")  # of users and sessions: [\w+=,.@-]
IDS = letters("AZ", "09")


@dataclass(frozen=True)
class Wildcard:
    """A star, or with `one` a question mark."""

    letters: Letters = ANY
    one: bool = False


@dataclass(frozen=True)
class Letter:
    """A character of a pattern; `any_case` where case is ignored."""

    text: str
    any_case: bool = False


Token = Letter | Wildcard
Pattern = tuple[Token, ...]

EVERYTHING = z3.Full(z3.ReSort(z3.StringSort()))
NOTHING = z3.Empty(z3.ReSort(z3.StringSort()))


def literal(text: str, *, any_case: bool = False) -> Pattern:
    """A text that stands for itself."""
    return tuple(Letter(each, any_case) for each in text)


def arn_pattern(pattern: Pattern) -> Pattern | None:
    """The pattern as the Arn operators read it, part by part; None: it has no six parts, and no ARN matches it.

    IAM User Guide, "Amazon Resource Name (ARN) condition operators": "Each of the six colon-delimited components of the
    ARN is checked separately". The sixth may contain colons.
    """
    tokens: list[Token] = []
    colons = 0
    for token in pattern:
        if isinstance(token, Letter):
            colons += token.text == ":"
            tokens.append(token)
        else:
            tokens.append(replace(token, letters=NO_COLON) if colons < 5 else token)
    return tuple(tokens) if colons >= 5 else None


@lru_cache(maxsize=4096)
def regex(pattern: Pattern, within: Letters = ANY) -> z3.ReRef:
    """The regular expression of a pattern on a text that consists of the letters `within`."""
    parts: list[z3.ReRef] = []
    for kind, group in groupby(pattern, _kind):
        tokens = list(group)
        if kind == "text":
            text = "".join(token.text for token in tokens if isinstance(token, Letter))
            if any(each not in within for each in text):
                return NOTHING
            parts.append(z3.Re(z3.StringVal(text)))
        elif kind == "any case":
            parts.extend(_either_case(token.text) for token in tokens if isinstance(token, Letter))
        else:
            parts.extend(_wildcard(token, within) for token in tokens if isinstance(token, Wildcard))
    return concat(*parts)


def concat(*parts: z3.ReRef | str) -> z3.ReRef:
    """Parts one after the other; a text stands for itself."""
    made = [z3.Re(z3.StringVal(part)) if isinstance(part, str) else part for part in parts]
    if not made:
        return z3.Re(z3.StringVal(""))
    return z3.Concat(*made) if len(made) > 1 else made[0]


def union(parts: Sequence[z3.ReRef]) -> z3.ReRef:
    """Any of the parts."""
    if not parts:
        return NOTHING
    return z3.Union(*parts) if len(parts) > 1 else parts[0]


def repeat(one: Letters, least: int, most: int = 0) -> z3.ReRef:
    """So many letters; `most` 0: as many as one likes."""
    return z3.Loop(one.regex, least, most) if most else concat(z3.Loop(one.regex, least, least), z3.Star(one.regex))


def matches(pattern: Pattern, text: str) -> bool:
    """Does a text that is known match?"""
    return re.fullmatch("".join(_python(token) for token in pattern), text, re.DOTALL) is not None


def _kind(token: Token) -> str:
    if isinstance(token, Wildcard):
        return "wildcard"
    return "any case" if token.any_case else "text"


def _either_case(letter: str) -> z3.ReRef:
    return union([z3.Re(z3.StringVal(each)) for each in sorted({letter.lower(), letter.upper()})])


def _wildcard(token: Wildcard, within: Letters) -> z3.ReRef:
    narrower = token.letters if within is ANY else within
    if narrower is ANY:
        return z3.AllChar(z3.ReSort(z3.StringSort())) if token.one else EVERYTHING
    return narrower.regex if token.one else z3.Star(narrower.regex)


@lru_cache(maxsize=64)
def _one_of(wanted: Letters) -> z3.ReRef:
    ranges = [z3.Range(low, high) for low, high in wanted.ranges]
    anything = z3.AllChar(z3.ReSort(z3.StringSort()))
    if not ranges:
        return anything
    return z3.Intersect(anything, z3.Complement(union(ranges))) if wanted.others else union(ranges)


def _python(token: Token) -> str:
    if isinstance(token, Letter):
        return f"(?i:{re.escape(token.text)})" if token.any_case else re.escape(token.text)
    inside = "." if token.letters is ANY else "[^:]"
    return inside if token.one else f"{inside}*"
