"""Suggestions for error messages: what to write instead of a word that is not known."""

import difflib
import re
from collections.abc import Iterable

from cloudscan.sentence import Sentence, say


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that looks most like `word`, its parts in another order first; empty if none does."""
    words = list(known)
    reordered = [name for name in words if _parts(name) == _parts(word)]
    matches = reordered or difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return matches[0] if matches else ""


def suggestion(word: str, known: Iterable[str], most: int = 40) -> Sentence:
    """A phrase that says what to write instead: the nearest known word, or else the first `most` of all."""
    words = list(known)
    if match := nearest(word, words):
        return say("write {word}", word=match)
    if not words:
        return say("drop it; none is known here")
    shown = ", ".join(words[:most])
    if len(words) > most:
        return say("write one of {words} … ({count} in all)", words=shown, count=len(words))
    return say("write one of {words}", words=shown)


def _parts(word: str) -> list[str]:
    return sorted(re.split("[_-]", word.lower()))
