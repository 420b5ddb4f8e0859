"""Strings by number: each kept once, and what repeats a finding's own name kept as a pattern.

Most of what stands about a finding says its name once more: its address, its grants, the sentences of its chain. With
the name taken out these are the same for thousands of findings.
"""

import re
from collections.abc import Sequence
from typing import Any

Slots = Sequence[str]
"""What a pattern leaves out: a finding's name, and the last part of its uid."""

_NONE = -1
_NEXT = 0
_FIRST_PATTERN = -2
_LEAST = 4  # a shorter name stands in too many words by chance
_MARKS = "\x00\x01"  # one for each slot
_MARKED = re.compile(f"([{_MARKS}])")


class Strings:
    """Gives numbers for strings, to be looked up again in the same order.

    ``0`` is the next string of the pool, ``n > 0`` the pool's string at ``n - 1`` once more, ``-1`` None and ``n < -1``
    the pattern at ``-2 - n``, in whose parts a number stands for a slot.
    """

    def __init__(self) -> None:
        self._pool: dict[str, int] = {}
        self._patterns: dict[str, int] = {}

    def number(self, text: str | None) -> int:
        if text is None:
            return _NONE
        new = len(self._pool)
        place = self._pool.setdefault(text, new)
        return _NEXT if place == new else place + 1

    def around(self, text: str | None, slots: Slots) -> int:
        """The number of a text that may repeat what stands in the slots."""
        if text is None:
            return _NONE
        marked = text
        for value, mark in zip(slots, _MARKS, strict=True):
            if len(value) >= _LEAST:
                marked = marked.replace(value, mark)
        if marked == text or any(mark in text for mark in _MARKS):
            return self.number(text)
        return _FIRST_PATTERN - self._patterns.setdefault(marked, len(self._patterns))

    def tables(self) -> dict[str, Any]:
        """What the numbers mean, ready for JSON."""
        return {"pool": list(self._pool), "patterns": [_parts(each) for each in self._patterns]}


def _parts(marked: str) -> list[str | int]:
    return [_MARKS.index(part) if part in _MARKS else part for part in _MARKED.split(marked) if part]
