"""Suggestions for error messages: what to write instead of a word that is not known."""

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that looks most like `word`; empty if none does."""
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else ""


def suggestion(word: str, known: Iterable[str], most: int = 40) -> str:
    """A phrase that says what to write instead: the nearest known word, or else the first `most` of all."""
    words = list(known)
    if match := nearest(word, words):
        return f"write {match}"
    if not words:
        return "drop it; none is known here"
    more = f" … ({len(words)} in all)" if len(words) > most else ""
    return f"write one of {', '.join(words[:most])}{more}"
