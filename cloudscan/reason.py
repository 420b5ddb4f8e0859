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

A code that no catalogue has is shown as it is: it comes from an older cloudscan, or from a plugin without catalogues.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import msgspec

from cloudscan.facts import Word

_FIELD: Final = re.compile(r"\{([a-z_]+)\}")
_QUOTED: Final = {"en": " (“{quote}”)", "ja": "（「{quote}」）"}
_LONGEST_QUOTE: Final = 300  # characters


class Reason(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A code, what fills its words, and what the platform itself said. `values` and `quote` may contain names."""

    code: Word
    values: Mapping[str, str | int] = {}
    quote: str = ""


def sentence(reason: Reason | str, language: str) -> str:
    """What happened, with the platform's own words behind it. A reason in prose, of an older cloudscan, as it is."""
    if isinstance(reason, str):
        return reason
    words = _filled(language, "reason", reason)
    if not reason.quote:
        return words
    frame = _QUOTED.get(language, _QUOTED["en"])
    return words + frame.format_map({"quote": " ".join(reason.quote.split())[:_LONGEST_QUOTE]})


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
    """Whether a catalogue has an entry for a code, for tests and linters."""
    return isinstance(_catalogues(language).get(group, {}).get(code), str)


def _filled(language: str, group: str, reason: Reason, otherwise: str | None = None) -> str:
    template = _catalogues(language).get(group, {}).get(reason.code)
    if not isinstance(template, str):
        return reason.code if otherwise is None else otherwise
    return _FIELD.sub(lambda field: str(reason.values.get(field[1], "?")), template)


@cache
def _catalogues(language: str) -> Mapping[str, Mapping[str, Any]]:
    """The catalogues of all installed packages, in one table. English where a language is not there."""
    from importlib import resources
    from importlib.metadata import entry_points

    from cloudscan.text import catalogue  # Babel takes a tenth of a second to import; most commands say nothing

    merged: dict[str, dict[str, Any]] = {}
    for entry in entry_points(group="cloudscan.words"):
        folder = resources.files(entry.value)
        lang = language if folder.joinpath(f"{language}.po").is_file() else catalogue.SOURCE
        for group, messages in catalogue.table(folder, lang).items():
            merged.setdefault(group, {}).update(messages)
    return merged
