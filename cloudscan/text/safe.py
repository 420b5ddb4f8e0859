"""Strangers' text on its way to a terminal or a line: it may not move the cursor, change colours or turn round."""

import unicodedata
from typing import Any
from urllib.parse import urlsplit

_KEPT = "\n\t"


def plain(text: str) -> str:
    """The text with control, format and lone surrogate characters written out: ``\\x1b``, ``\\u202e``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        if character in _KEPT or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
        else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in text
    )


def openable(url: str) -> str:
    """The address if it is one of the web, else nothing: a click must not run what a stranger wrote."""
    try:
        return url if urlsplit(url).scheme == "https" and url.isprintable() else ""
    except ValueError:
        return ""


def width(text: str) -> int:
    """How many columns a text takes: ideographs take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def mended(value: Any) -> Any:
    """The same, with U+FFFD for each half; lists and dictionaries to their depths."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {mended(key): mended(item) for key, item in value.items()}
    if isinstance(value, list):
        return [mended(item) for item in value]
    return value
