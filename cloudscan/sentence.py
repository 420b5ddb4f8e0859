"""Sentences for the person at the terminal: written in English where they are said, shown in the reader's language.

`say` keeps the English template and what fills it apart, so that the command line can look the template up in a
catalogue: gettext's own ``<language>.po``, whose message ids are the templates, in the folder that the entry point
group `cloudscan.sentences` names for each package. `tools/sentences.py` collects the templates from the code.

What platforms answer has codes of its own (`cloudscan.reason`).
"""

import re
import string
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import count, product
from typing import TYPE_CHECKING, Final, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_SOURCE: Final = "en"
_FIELD: Final = re.compile(r"\{([a-z_]+)\}")


@runtime_checkable
class Translatable(Protocol):
    """What can be put into a language: a sentence, an error."""

    def in_language(self, language: str) -> str:
        """The words in a language (`en`, `ja`); English where there is no translation."""
        ...


class Sentence(str):
    """An English sentence that remembers its template and values. As a string it is the English one."""

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, values: Mapping[str, object]) -> Self:
        """The sentence with its fields filled."""
        made = super().__new__(cls, _filled(template, values, _SOURCE))
        made.template, made.values = template, values
        return made

    def __reduce__(self) -> tuple[type[Self], tuple[str, Mapping[str, object]]]:
        return type(self), (self.template, self.values)

    def in_language(self, language: str) -> str:
        """The sentence in a language, values that are sentences or errors included."""
        return _filled(translation(self.template, language), self.values, language)


def say(template: str, /, **values: object) -> Sentence:
    """The sentence of a literal template, its ``{fields}`` filled in one pass: a value is never read as a field."""
    return Sentence(template, values)


def joined(parts: Iterable[object], separator: str = " ") -> Sentence:
    """Several sentences as one, each in the reader's language; what is no sentence stays as it is."""
    values = dict(zip(_names(), parts, strict=False))
    return Sentence(separator.join(f"{{{name}}}" for name in values), values)


def in_language(text: object, language: str) -> str:
    """A text in a language: sentences and errors are translated, anything else is shown as it is."""
    return text.in_language(language) if isinstance(text, Translatable) else str(text)


def translation(template: str, language: str) -> str:
    """A template in a language, or itself if no catalogue has it: for texts that a library shows."""
    return template if language == _SOURCE else _translations(language).get(template, template)


def _names() -> Iterable[str]:
    """Names of fields without end: a, b, … z, aa, ab, …"""
    for size in count(1):
        yield from map("".join, product(string.ascii_lowercase, repeat=size))


def _filled(template: str, values: Mapping[str, object], language: str) -> str:
    return _FIELD.sub(lambda field: in_language(values[field[1]], language), template)


@cache
def _translations(language: str) -> Mapping[str, str]:
    """The sentences of all installed packages in one language, by template."""
    from importlib.metadata import entry_points

    merged: dict[str, str] = {}
    for entry in entry_points(group="cloudscan.sentences"):
        merged.update(_read(entry, language))
    return merged


def _read(entry: "EntryPoint", language: str) -> Mapping[str, str]:
    """One package's sentences; none if its catalogue cannot be read, since an error may be waiting to be reported."""
    from importlib import resources

    from babel.messages.pofile import read_po

    try:
        with resources.files(entry.value).joinpath(f"{language}.po").open("rb") as file:
            catalogue = read_po(file, locale=language)
    except Exception:  # noqa: BLE001 - a plugin's catalogue must not hide the error that is being reported
        return {}
    return {str(message.id): str(message.string) for message in catalogue if message.id and message.string}
