"""What markers and rules in older tickets are called today."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import msgspec

from cloudscan.ticketing.marker_line import MarkerLine, beginning


@dataclass(frozen=True, kw_only=True)
class Renames:
    """Old names to new ones: a renamed rule gives its findings new fingerprints, which are the markers of tickets."""

    markers: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)

    def marker(self, name: str) -> str:
        """The marker as it is today."""
        return self.markers.get(name, name)

    def line(self, old: MarkerLine) -> MarkerLine:
        """The marker line with today's names. Its digest stays: the ticket still shows the old line."""
        rules = tuple(dict.fromkeys(self.rules.get(rule, rule) for rule in old.rules))
        of = tuple(self._beginnings.get(name, name) for name in old.of)
        return msgspec.structs.replace(old, marker=self.marker(old.marker), rules=rules, of=of)

    @cached_property
    def _beginnings(self) -> Mapping[str, str]:
        return {beginning(before): beginning(after) for before, after in self.markers.items()}
