"""The values that a condition names, as sets of texts.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators". `conditions.is_met` says the same of one value;
here it is said of all values at once.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from cloudscan_s3.access import conditions
from cloudscan_s3.access.texts import ANY, Characters, Piece, TextSet, either, expression, many, one, text, then, words

_NOT_A_COLON = Characters(frozenset(":"), all_but=True)
_WILDCARDS = re.compile(r"[*?]|[^*?]+")


@lru_cache(maxsize=4096)
def texts_named(operator: str, values: tuple[str, ...]) -> tuple[TextSet, ...] | None:
    """The texts that match one of a condition's values; None where the operator does not compare texts.

    `values` are those in which policy variables have been replaced. The result is the union of its parts. A negated
    operator names the same texts as its opposite: those for which it does not hold.
    """
    if operator in ("StringEquals", "StringNotEquals", "BinaryEquals"):
        return _listed(values, ignore_case=False)
    if operator in ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "Bool"):
        return _listed(values, ignore_case=True)
    if operator in ("StringLike", "StringNotLike"):
        return _patterns(values, like)
    if operator.startswith("Arn"):
        return _patterns(values, arn_like)
    return None


@lru_cache(maxsize=4096)
def like(pattern: str) -> Piece:
    """The texts that StringLike admits for one value."""
    return _wildcards(pattern, ANY)


@lru_cache(maxsize=4096)
def arn_like(pattern: str) -> Piece:
    """The texts that ArnLike admits for one value: a wildcard does not reach over the first five colons."""
    parts = pattern.split(":", 5)
    if pattern == "*" or len(parts) < 6:
        return like(pattern)
    heads = (then(_wildcards(part, _NOT_A_COLON), text(":")) for part in parts[:5])
    return then(*heads, like(parts[5]))


def _listed(values: Sequence[str], *, ignore_case: bool) -> tuple[TextSet, ...]:
    return (words(frozenset(map(conditions.unescaped, values)), ignore_case),) if values else ()


def _patterns(values: Sequence[str], pattern_of: Callable[[str], Piece]) -> tuple[TextSet, ...]:
    plain = [value for value in values if not conditions.is_wild(value)]
    wild = [pattern_of(value) for value in values if conditions.is_wild(value)]
    return (*_listed(plain, ignore_case=False), *((expression(either(*wild)),) if wild else ()))


def _wildcards(pattern: str, characters: Characters) -> Piece:
    return then(*(_piece(part, characters) for part in _WILDCARDS.findall(pattern)))


def _piece(part: str, characters: Characters) -> Piece:
    if part == "*":
        return many(one(characters))
    return one(characters) if part == "?" else text(conditions.unescaped(part))
