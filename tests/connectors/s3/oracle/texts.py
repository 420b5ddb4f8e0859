"""Patterns of the policy language as sets of strings.

A pattern is a sequence of tokens: letters, `?` and `*`. What a wildcard may stand for depends on where the pattern
applies (a star never leaves its part of an ARN, an account has digits only), so each wildcard carries its letters.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from tests.connectors.s3.oracle.languages import ANY, EVERYTHING, NOTHING, Language, Letters, concat, letters, one, star

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
def language(pattern: Pattern, within: Letters = ANY) -> Language:
    """What matches a pattern, of texts that consist of the letters `within`."""
    if pattern == (Wildcard(),) and within is ANY:
        return EVERYTHING
    if any(isinstance(token, Letter) and not any(each in within for each in _cases(token)) for token in pattern):
        return NOTHING
    return concat(*(_one_token(token, within) for token in pattern))


def _one_token(token: Token, within: Letters) -> Language:
    if isinstance(token, Letter):
        return one(letters(*_cases(token)))
    single = one(token.letters if within is ANY else within)
    return single if token.one else star(single)


def _cases(token: Letter) -> list[str]:
    return sorted({token.text.lower(), token.text.upper()}) if token.any_case else [token.text]


def matches(pattern: Pattern, text: str) -> bool:
    """Does a text that is known match?"""
    return re.fullmatch("".join(_python(token) for token in pattern), text, re.DOTALL) is not None


def _python(token: Token) -> str:
    if isinstance(token, Letter):
        return f"(?i:{re.escape(token.text)})" if token.any_case else re.escape(token.text)
    inside = "." if token.letters is ANY else "[^:]"
    return inside if token.one else f"{inside}*"
