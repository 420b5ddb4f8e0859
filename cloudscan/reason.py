"""Why something is unread, blocked or open: a value that can be compared, counted and put into any language.

The words for a code stand once in each language, in the catalogues of the package that gives the code: `messages.pot`
and ``<language>.po`` in a folder that the entry point group `cloudscan.words` names. The context of a message is its
group and its code:

===================  ========================================================================
``reason.<code>``    what happened: half a sentence that begins in lower case and has no end
``advice.<code>``    what to do next: whole sentences; left out where nothing can be done
``question.<name>``  what a declared question asks for, in a few words
``step.<code>``      one step from a setting to a verdict: a whole sentence
``block.<code>``     a block that overrides a grant, in a few words
===================  ========================================================================

A message with plural forms takes the form for the value `count`. A number among the values is an amount and is written
with separators (12,000): what only looks like a number, such as a status or an account, is given as text.

A code that no catalogue has is shown as it is: it comes from an older cloudscan, or from a plugin without catalogues. A
code that is a sentence (`cloudscan.sentence`) is shown in its reader's language, a message that is not translated in
English. Nothing here raises because of what it is given: words are looked up while an error is being reported.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cloudscan.facts import Word
from cloudscan.sentence import in_language

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUPS: Final = ("reason", "advice", "question", "step", "block")
_SOURCE: Final = "en"
_FIELD: Final = re.compile(r"\{([a-z_]+)\}")
_QUOTED: Final = {"en": " (“{}”)", "ja": "：「{}」"}
_LONGEST_QUOTE: Final = 300  # characters
_UNKNOWN_VALUE: Final = "?"


class Reason(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A code, what fills its words, and what the platform itself said. `values` and `quote` may contain names."""

    code: Word
    values: Mapping[str, str | int] = {}
    quote: str = ""


@dataclass(frozen=True)
class Worded:
    """The words for something, to be filled into a sentence: ``Worded(question, "s3-acl")``."""

    words: Callable[[Any, str], str]  # one of the functions below
    of: Reason | str

    def in_language(self, language: str) -> str:
        """The words in a language (`en`, `ja`)."""
        return self.words(self.of, language)

    def __str__(self) -> str:
        return self.in_language(_SOURCE)


def sentence(reason: Reason | str, language: str) -> str:
    """What happened, with the platform's own words behind it. A reason in prose, of an older cloudscan, as it is."""
    if isinstance(reason, str):
        return reason
    return _filled(language, "reason", reason) + quoted(reason, language)


def quoted(reason: Reason, language: str) -> str:
    """The platform's own words in one line and in the language's quotation marks, or nothing."""
    words = " ".join(reason.quote.split())
    if not words:
        return ""
    cut = words if len(words) <= _LONGEST_QUOTE else words[: _LONGEST_QUOTE - 1] + "…"
    return _QUOTED.get(language, _QUOTED[_SOURCE]).replace("{}", cut)


def advice(reason: Reason | str, language: str) -> str:
    """What to do next; empty where nothing can be done, or nothing is known."""
    if isinstance(reason, str):
        return ""
    return _filled(language, "advice", reason, otherwise="")


def step(reason: Reason | str, language: str) -> str:
    """One step of a chain that leads from a setting to a verdict."""
    return reason if isinstance(reason, str) else _filled(language, "step", reason)


def block(code: str, language: str) -> str:
    """The words for the block that overrides a grant (`Grant.blocked_by`)."""
    return _filled(language, "block", Reason(code=code)) if code else ""


def question(name: str, language: str) -> str:
    """What a declared question asks for."""
    return _filled(language, "question", Reason(code=name)) if name else ""


def has_words(group: str, code: str, language: str) -> bool:
    """Whether a catalogue has an entry for a code in this very language, for tests and linters."""
    return code in _catalogues(language).get(group, {})


def _filled(language: str, group: str, reason: Reason, otherwise: str | None = None) -> str:
    template = _template(language, group, reason.code) or _template(_SOURCE, group, reason.code)
    if template is None:
        return in_language(reason.code, language) if otherwise is None else otherwise
    text = template if isinstance(template, str) else template["one" if reason.values.get("count") == 1 else "other"]
    return _FIELD.sub(lambda field: _written(reason.values.get(field[1], _UNKNOWN_VALUE)), text)


def _written(value: str | int) -> str:
    return f"{value:,}" if type(value) is int else str(value)


def _template(language: str, group: str, code: str) -> str | Mapping[str, str] | None:
    return _catalogues(language).get(group, {}).get(code)


@cache
def _catalogues(language: str) -> Mapping[str, Mapping[str, Any]]:
    """The messages of all installed packages in one language, in one table; empty for a language that none has.

    Where two packages define a code, the one whose entry point comes first in the alphabet wins.
    """
    from importlib.metadata import entry_points

    merged: dict[str, dict[str, Any]] = {}
    for entry in sorted(entry_points(group="cloudscan.words"), key=lambda entry: entry.name):
        for group, code, text in _messages(entry, language):
            merged.setdefault(group, {}).setdefault(code, text)
    return merged


def _messages(entry: "EntryPoint", language: str) -> Iterator[tuple[str, str, Any]]:
    """The translated messages of one package: group, code, text. A package whose catalogue cannot be read has none."""
    from importlib import resources

    from cloudscan.text import catalogue  # Babel takes a tenth of a second to import; most commands say nothing

    try:
        folder = resources.files(entry.value)
        if language != catalogue.SOURCE and not folder.joinpath(f"{language}.po").is_file():
            return
        table = catalogue.table(folder, language)
    except Exception:  # noqa: BLE001 - a plugin's catalogue must not hide the error that is being reported
        return
    for group, messages in table.items():
        for code, text in messages.items() if isinstance(messages, dict) else ():
            if text and group in GROUPS:
                yield group, code, text
