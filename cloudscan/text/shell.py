"""Commands to paste: a rule's template filled with values that strangers wrote.

A command belongs to a shell, and its first word tells which: a cmdlet (``Set-SPOSite``) to PowerShell, a program
(``aws``) to the POSIX shell. ``{resource_name}`` stands for a value of the finding, ``{BUCKET}`` for one that only the
reader knows. The page's `commands.js` fills templates by the same rules; `tests/reports/commands.json` is the
specification of both.

Sources: POSIX.1-2024, Shell Command Language, 2.2 Quoting; PowerShell, about_Quoting_Rules and about_Parsing. That
PowerShell ends a string at U+2018 to U+201B as well is told by its own tokenizer (`CharExtensions.IsSingleQuote`). The
AWS CLI reads a file or an address in place of a value that begins like one (User Guide, "Load a parameter from a
file"), the Azure CLI a file after an @ (its documentation, "Use the Azure CLI successfully").
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cloudscan.text.safe import plain

_POSIX: Final = frozenset({"aws", "az", "cloudscan", "gam", "gcloud"})
_CMDLET: Final = re.compile(r"[A-Z][A-Za-z]+-[A-Z][A-Za-z0-9]+")
_FIELD: Final = re.compile(r"(--[a-z][a-z-]*[ =])?\{([a-z_][a-z0-9_]*|[A-Z][A-Z0-9_]*)\}")
_NEEDS_NO_QUOTES: Final = re.compile(r"[A-Za-z0-9_/.][A-Za-z0-9_@%+=:,./-]*")
_NEEDS_NO_QUOTES_ANYWHERE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_@./-]*")
_SINGLE_QUOTES: Final = re.compile("['\u2018-\u201b]")
_READ_FROM_ELSEWHERE: Final = {"aws": re.compile(r"(fileb?|https?)://", re.IGNORECASE), "az": re.compile("@")}
"""What a program takes for the address of a value, by its name."""
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
_VALUE: Final = re.compile(r"\{[a-z_][a-z0-9_]*\}")
_UNMARKED: Final = re.compile(r"(?<![\w:.{$-])[A-Z][A-Z0-9_-]{2,}(?![\w:}=.-])|[\w.-]+\.example\b")


class Shell(StrEnum):
    """What a command is typed into."""

    POSIX = "posix"
    POWERSHELL = "powershell"


@dataclass(frozen=True, kw_only=True)
class CommandLine:
    """A command with its values filled in, to be pasted as it is if nothing is `missing`."""

    text: str
    missing: tuple[str, ...] = ()  # words in it that the reader has to replace


def shell_of(template: str) -> Shell | None:
    """The shell that a command is written for, by its first word; None if it is not known."""
    first = template.partition(" ")[0]
    if _CMDLET.fullmatch(first):
        return Shell.POWERSHELL
    return Shell.POSIX if first in _POSIX else None


def filled(template: str, values: Mapping[str, str]) -> CommandLine | None:
    """The command with each value as one word of its shell.

    A value that is missing or empty becomes a word in upper case. None if a value cannot be typed as it is: it contains
    characters that are not seen, begins like an option where the two cannot be distinguished, or would be read as the
    address of something else; also for any value where the shell is not known.
    """
    shell = shell_of(template)
    missing: list[str] = []
    refused = False

    def put(found: re.Match[str]) -> str:
        nonlocal refused
        option, name = found[1] or "", found[2]
        value = values.get(name, "")
        if not value:
            missing.append(name.upper())
            return option + name.upper()
        quoted = None if shell is None else _word(shell, template, option, value)
        refused = refused or quoted is None
        return quoted or ""

    text = _FIELD.sub(put, template)
    return None if refused else CommandLine(text=text, missing=tuple(dict.fromkeys(missing)))


def word(value: str) -> str | None:
    """The value as one word that POSIX shells and PowerShell read alike; None if it cannot be typed in both.

    For commands of our own, which anyone may paste into either.
    """
    if _NEEDS_NO_QUOTES_ANYWHERE.fullmatch(value):
        return value
    typed = plain(value) == value and not set("\n\t").intersection(value) and not _SINGLE_QUOTES.search(value)
    return f"'{value}'" if typed and value and not value.startswith("-") else None


def faults(template: str) -> Iterator[str]:
    """What is wrong with the template of a command, for the author of a rule, and what to write instead."""
    if shell_of(template) is None:
        known = ", ".join(sorted(_POSIX))
        yield f"the shell of `{template.partition(' ')[0]}` is not known; begin with a cmdlet, or with one of: {known}"
    if "{{" in template:
        yield "`{{` would stay as it is in a command; write {"
    if any(_VALUE.search(quoted) for quoted in _QUOTED.findall(template)):
        yield "a value inside quotes could end them; write {column} as a word of its own, which gets its own quotes"
    for invented in _UNMARKED.findall(_FIELD.sub("", template)):
        yield f"`{invented}` could be taken for a value; write {{BUCKET}} for what the reader has to fill in"


def _word(shell: Shell, template: str, option: str, value: str) -> str | None:
    if plain(value) != value or "\n" in value or "\t" in value:
        return None
    if shell is Shell.POWERSHELL:  # a quoted word is never an option there (about_Parsing, argument mode)
        return f"{option}'{_SINGLE_QUOTES.sub(lambda quote: quote[0] * 2, value)}'"
    elsewhere = _READ_FROM_ELSEWHERE.get(template.partition(" ")[0])
    if elsewhere and elsewhere.match(value):
        return None
    quoted = value if _NEEDS_NO_QUOTES.fullmatch(value) else "'" + value.replace("'", "'\"'\"'") + "'"
    if not value.startswith("-"):
        return option + quoted
    return f"{option[:-1]}={quoted}" if option else None
