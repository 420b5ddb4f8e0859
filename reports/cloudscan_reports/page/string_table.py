"""Strings by number: each stored once, and a string that repeats a finding's own name stored as a pattern.

Most strings about a finding repeat its name: its address, its grants, the sentences of its chain. Without the name they
are the same for thousands of findings. `docs/page-format.md` specifies the numbers.
"""

import re
from collections.abc import Sequence
from typing import Any

Slots = Sequence[str]
"""What a pattern replaces: a finding's name, and the last part of its uid."""

_NONE = -1
_NEXT = 0
_FIRST_PATTERN = -2
_LEAST = 4  # characters; a shorter name is part of too many words by chance
_NAME, _KEY = _PLACEHOLDERS = "\x00\x01"  # one for each slot
_PLACEHOLDER = re.compile(f"([{_PLACEHOLDERS}])")


class Strings:
    """Assigns numbers to strings; a reader must resolve them in the same order.

    ``0`` is the next string of the pool, ``n > 0`` the string at index ``n - 1`` of the pool again, ``-1`` is None and
    ``n < -1`` is the pattern at index ``-2 - n``, in which a number is the index of a slot.
    """

    def __init__(self) -> None:
        self._pool: dict[str, int] = {}
        self._patterns: dict[str, int] = {}

    def number(self, text: str | None) -> int:
        """The number of a text: 0 at its first occurrence, then its index in the pool plus 1; -1 for None."""
        if text is None:
            return _NONE
        new = len(self._pool)
        index = self._pool.setdefault(text, new)
        return _NEXT if index == new else index + 1

    def around(self, text: str | None, slots: Slots) -> int:
        """The number of a text that may repeat the slots' values."""
        if text is None:
            return _NONE
        name, key = slots
        pattern = text.replace(name, _NAME) if len(name) >= _LEAST else text
        if len(key) >= _LEAST:
            pattern = pattern.replace(key, _KEY)
        if pattern == text or _NAME in text or _KEY in text:
            return self.number(text)
        return _FIRST_PATTERN - self._patterns.setdefault(pattern, len(self._patterns))

    def tables(self) -> dict[str, Any]:
        """The tables that the numbers refer to, ready for JSON."""
        return {"pool": list(self._pool), "patterns": [_parts(pattern) for pattern in self._patterns]}


def _parts(pattern: str) -> list[str | int]:
    return [
        _PLACEHOLDERS.index(part) if part in _PLACEHOLDERS else part for part in _PLACEHOLDER.split(pattern) if part
    ]
