"""Suggestions for error messages: what to write instead of a word that is not known."""

import difflib
import re
from collections.abc import Iterable
from typing import Final

from cloudscan.sentence import Sentence, say

_SIMILAR: Final = 0.6
_AS_SIMILAR: Final = 0.12  # to the nearest: what else may have been meant


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that looks most like `word`, its parts in another order first; empty if none does."""
    matches = similar(word, known)
    return matches[0] if matches else ""


def similar(word: str, known: Iterable[str]) -> list[str]:
    """The known words that may have been meant, at most three, the most similar first; none if none looks like it."""
    words = list(known)
    if reordered := [name for name in words if _parts(name) == _parts(word)]:
        return reordered[:3]
    matches = difflib.get_close_matches(word.lower(), words, n=3, cutoff=_SIMILAR)
    alike = [difflib.SequenceMatcher(None, match, word.lower()).ratio() for match in matches]
    return [match for match, ratio in zip(matches, alike, strict=True) if ratio >= alike[0] - _AS_SIMILAR]


def suggestion(word: str, known: Iterable[str], most: int = 40) -> Sentence:
    """A phrase that says what to write instead: the nearest known words, or else the first `most` of all."""
    words = list(known)
    if matches := similar(word, words):
        if len(matches) > 1:
            return say("write {words} or {word}", words=", ".join(matches[:-1]), word=matches[-1])
        return say("write {word}", word=matches[0])
    if not words:
        return say("drop it; none is known here")
    shown = ", ".join(words[:most])
    if len(words) > most:
        return say("write one of {words} … ({count} in all)", words=shown, count=len(words))
    return say("write one of {words}", words=shown)


def _parts(word: str) -> list[str]:
    return sorted(re.split("[_-]", word.lower()))
