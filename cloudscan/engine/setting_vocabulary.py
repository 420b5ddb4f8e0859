"""Which settings there are: what connectors declared, checked against what a rule compares with.

A rule is checked against the platforms that its query is confined to (``r.platform = 's3'``), else against all. It is
not checked where one of those platforms is not installed or declares no settings: then its vocabulary is not known.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from cloudscan.connector import SettingSpec, SettingType, specs_for
from cloudscan.sentence import say
from cloudscan.text import suggestion

if TYPE_CHECKING:
    from cloudscan.snapshot.sql import Query

DeclaredSettings = Mapping[str, Sequence[SettingSpec]]
"""Settings by platform, as the installed connectors declare them."""


@dataclass(frozen=True)
class SettingVocabulary:
    """The settings that one rule may speak of."""

    specs: Sequence[SettingSpec]

    @classmethod
    def of(cls, declared: DeclaredSettings, platforms: Sequence[str]) -> Self | None:
        """The vocabulary of some platforms, of all if none is named; None if it is not known."""
        wanted = platforms or list(declared)
        if not wanted or not all(declared.get(platform) for platform in wanted):
            return None
        return cls([spec for platform in wanted for spec in declared[platform]])

    def name_fault(self, name: str) -> str:
        """Why there is no setting of this name; empty if there is one."""
        if self._specs_of([name]):
            return ""
        return say(
            "there is no setting {name}; {hint}",
            name=repr(name),
            hint=suggestion(name, [spec.name for spec in self.specs]),
        )

    def value_fault(self, names: Sequence[str], value: str) -> str:
        """Why none of these settings, or no setting at all if none is named, has this value; empty if one has."""
        specs = self._specs_of(names) if names else list(self.specs)
        if not specs or any(spec.fits(value) for spec in specs):
            return ""
        subject = f"the setting {names[0]!r}" if len(names) == 1 else "a setting here"
        values = list(dict.fromkeys(known for spec in specs for known in spec.values))
        if any(spec.type is SettingType.NUMBER for spec in specs):
            return say("{subject} is a number, never {value}; write it in digits", subject=subject, value=repr(value))
        return say(
            "{subject} is never {value}; {hint}", subject=subject, value=repr(value), hint=suggestion(value, values)
        )

    def _specs_of(self, names: Sequence[str]) -> list[SettingSpec]:
        return [spec for name in names for spec in specs_for(name, self.specs)]


def query_faults(query: "Query", declared: DeclaredSettings) -> Iterator[tuple[int, str]]:
    """What a query says of settings that no connector does: line within the query, message."""
    vocabulary = SettingVocabulary.of(declared, platforms_of(query))
    if vocabulary is None:
        return
    for use in query.settings:
        for line, name in use.names:
            if fault := vocabulary.name_fault(name):
                yield line, fault
        for line, value in use.values:
            if fault := vocabulary.value_fault([name for _, name in use.names], value):
                yield line, fault


def example_faults(rows: Sequence[Mapping[str, Any]], query: "Query", declared: DeclaredSettings) -> Iterator[str]:
    """What an example gives as settings that no connector would yield."""
    vocabulary = SettingVocabulary.of(declared, platforms_of(query))
    if vocabulary is None:
        return
    for row in rows:
        name, value = str(row.get("name")), row.get("value")
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if (fault := vocabulary.name_fault(name)) or (
            value is not None and (fault := vocabulary.value_fault([name], text))
        ):
            yield fault


def platforms_of(query: "Query") -> tuple[str, ...]:
    """The platforms that a query is confined to; empty if it is for all."""
    return tuple(sorted({platform for confinement in query.confined for platform in confinement.platforms}))
