"""Items that Microsoft calls not shared, a few of which are looked at every night all the same.

Whether an item has permissions of its own, and whether they reach beyond a site's groups, its `shared` facet says.
Nothing else does, so a sample is checked: the first items of a scan, then ever fewer, in another order each day.
"""

import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

_ALL_OF_THE_FIRST = 100  # items; a small library is checked as a whole
_RARER_EVERY = 10  # items, after which the next one is further away


@dataclass
class Sample:
    """Which items are looked at in one scan. May be used from any thread."""

    day: str  # the order of the items changes with it
    most: int = 200
    _seen: int = 0
    _taken: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, items: Sequence[str]) -> list[str]:
        """Those of some items, by their ids, that are looked at. To be asked once for each item."""
        with self._lock:
            return [item for item in items if self._takes(item)] if self._taken < self.most else []

    def _takes(self, item: str) -> bool:
        self._seen += 1
        every = 1 + max(0, self._seen - _ALL_OF_THE_FIRST) // _RARER_EVERY
        if self._taken >= self.most or (every > 1 and zlib.crc32(f"{self.day} {item}".encode()) % every):
            return False
        self._taken += 1
        return True
