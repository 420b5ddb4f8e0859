"""What is wrong in `cloudscan.toml`, in words: file and line, which key, and what to write instead."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import msgspec

from cloudscan.errors import ConfigurationError
from cloudscan.sentence import Sentence, say
from cloudscan.text import first_line, suggestion

Step = str | int
"""A step on the way to a value: a key, or a number in a list."""

_HEADER: Final = re.compile(r"\s*(\[\[?)\s*([^\]]*?)\s*\]")
_KEY: Final = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))\s*[=.]""")
_PART: Final = re.compile(r""""([^"]*)"|'([^']*)'|([\w-]+)""")
_EXPECTED: Final = re.compile(r"Expected `([^`]*)`(?:, got `(\w+)`)?")
_PLACE: Final = re.compile(r"\[(?:(\d+)|\.\.\.)\]|\.?([^.\[\]`$]+)")


def not_toml(path: Path, text: str, error: Exception) -> ConfigurationError:
    """What is wrong with a text that is not TOML, with its line."""
    message = first_line(error)
    numbered = re.search(r"\(at line (\d+), column", message)
    lines = text.splitlines()
    last = max((number for number, line in enumerate(lines, 1) if line.strip()), default=1)
    number = int(numbered[1]) if numbered else last
    where = f"{path}:{number}"
    line = lines[number - 1] if 0 < number <= len(lines) else ""
    if message.startswith(("Cannot overwrite", "Cannot declare", "Cannot mutate")):
        if header := _HEADER.match(line):
            twice = say("{where}: [{table}] appears twice; put its keys together.", where=where, table=header[2])
        else:
            key = _KEY.match(line)
            named = next(filter(None, key.groups()), "") if key else line.strip()
            twice = say("{where}: the key `{key}` appears twice; keep one of them.", where=where, key=named)
        return ConfigurationError(twice)
    if message.startswith("Invalid value"):
        return ConfigurationError(say("{where}: is not TOML: a text has to be in quotes.", where=where))
    what = re.sub(r" \(at (line|end) .*\)$", "", message)
    return ConfigurationError(say("{where}: is not TOML: {what}.", where=where, what=what))


def location(path: Path, text: str, *steps: Step) -> str:
    """``file:line`` of a key, or the file alone if the text does not show the line.

    For a value in a list, or in a table that is written in one line, the line of the key that contains it.
    """
    wanted = [str(step) for step in steps]
    lines = list(_lines(text))
    exact = (number for number, way in lines if way == wanted)
    named = (number for number, way in lines if wanted and way[-1:] == wanted[-1:])
    above = (number for depth in range(len(wanted) - 1, 0, -1) for number, way in lines if way == wanted[:depth])
    number = next(exact, 0) or (0 if wanted and wanted[-1].isdigit() else next(named, 0)) or next(above, 0)
    return f"{path}:{number}" if number else str(path)


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each line that begins a table or a key, with the way to it: ``partners, 0, name``."""
    table: list[str] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _parts(header[2])
            if header[1] == "[[":
                yield number, table
                name = ".".join(table)
                table = [*table, str(seen.get(name, 0))]
                seen[name] = seen.get(name, 0) + 1
            yield number, table
        elif _KEY.match(line):
            yield number, [*table, *_parts(line.partition("=")[0])]


def _parts(dotted: str) -> list[str]:
    return [next(filter(None, part), "") for part in _PART.findall(dotted)]


def explained(
    path: Path,
    text: str,
    error: msgspec.ValidationError,
    record: type[msgspec.Struct],
    data: Mapping[str, Any],
    prefix: str = "",
) -> ConfigurationError:
    """A value of the wrong type, an unknown key or a missing one, in our own words.

    `record` is what `data` was read into, `prefix` the table in which `data` is: ``connectors.s3``.
    """
    what, _, place = str(error).partition(" - at `$")
    steps = _steps(place.rstrip("`"), record, data)
    outside = prefix.split(".") if prefix else []
    names = [*outside, *(step for step in steps if isinstance(step, str) and step)]
    table = ".".join(names)
    kind = _type_at(record, steps)
    where = location(path, text, *outside, *steps)
    if unknown := re.search(r"unknown field `(.*)`", what):
        key, hint = unknown[1], suggestion(unknown[1], getattr(kind, "__struct_fields__", ()))
        where = location(path, text, *outside, *steps, key)
        words = (
            say(
                "{where}: the key `{key}` in [{table}] is not known; {hint}.",
                where=where,
                key=key,
                table=table,
                hint=hint,
            )
            if table
            else say("{where}: the key `{key}` is not known; {hint}.", where=where, key=key, hint=hint)
        )
        return ConfigurationError(words)
    if missing := re.search(r"missing required field `(.*)`", what):
        key = missing[1]
        return ConfigurationError(say("{where}: `{key}` is missing in [{table}].", where=where, key=key, table=table))
    value = _value_at(data, steps)
    if allowed := _allowed_values(kind):
        hint = suggestion(str(value), allowed)
        return ConfigurationError(
            say("{where}: {key} cannot be {value}; {hint}.", where=where, key=table, value=repr(value), hint=hint)
        )
    expected = _EXPECTED.search(what)
    instead = _instead(expected[1] if expected else "", kind, value, names)
    if instead is None:
        return ConfigurationError(
            say("{where}: {key} does not fit; docs/configuration.md says what is meant.", where=where, key=table)
        )
    return ConfigurationError(say("{where}: {key} {hint}.", where=where, key=table, hint=instead))


def _steps(place: str, record: Any, data: Any) -> list[Step]:
    """The way to a value, from ``.partners[0].name``. msgspec writes ``[...]`` for any key of a mapping."""
    steps: list[Step] = []
    for number, name in _PLACE.findall(place):
        step: Step = int(number) if number else name or _misfit(_value_at(data, steps), _type_at(record, steps))
        steps.append(step)
    return steps


def _misfit(table: Any, kind: Any) -> str:
    """The key of the first value of a mapping that does not fit; empty where it is not to be found."""
    for key, value in table.items() if isinstance(table, Mapping) and get_args(kind) else ():
        try:
            msgspec.convert(value, get_args(kind)[-1])
        except msgspec.ValidationError:
            return str(key)
    return ""


def _instead(expected: str, kind: Any, value: Any, names: Sequence[str]) -> Sentence | None:
    """What to write in place of a value of the wrong type."""
    wanted = set(re.split(r"\s*\|\s*", expected))
    is_table = isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    if "array" in wanted and isinstance(value, Mapping):
        return say("is a list of tables; write [[{table}]]", table=".".join(names))
    if "array" in wanted:
        return say("is a list; write [{value}]", value=_toml(value))
    if "object" in wanted and isinstance(value, list):
        return say("is a single table; write [{table}] once", table=".".join(names))
    if isinstance(value, list) and len(wanted) > 2:
        return say("is a single value; write it without the brackets")
    if "str" not in wanted and ("object" in wanted or is_table):
        return say("is a table; write [{table}] and its keys below", table=".".join(names))
    if "str" in wanted:
        return say("is a text; write {value} in quotes", value=_toml(str(value)) if _is_plain(value) else '"…"')
    if "bool" in wanted:
        return say("is a switch; write true or false, without quotes")
    if "int" in wanted:
        return say("is a whole number; write digits without quotes, such as 10")
    if "float" in wanted:
        return say("is a number; write digits without quotes, such as 0.5")
    if "date" in wanted or kind is date or date in get_args(kind):
        return say("is a date; write year, month and day as 2030-03-31")
    return None


def _is_plain(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _value_at(data: Any, steps: Sequence[Step]) -> Any:
    """The value at the end of a way, or as far as it leads."""
    for step in steps:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return data
    return data


def _type_at(record: Any, steps: Sequence[Step]) -> Any:
    """The type at a path of keys; for a number in a list, the type of its items."""
    kind = record
    for step in steps:
        if hasattr(kind, "__struct_fields__") and isinstance(step, str):
            kind = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}.get(step, object)
        elif get_args(kind):
            kind = next((one for one in get_args(kind) if hasattr(one, "__struct_fields__")), get_args(kind)[-1])
    return kind


def _allowed_values(kind: Any) -> list[str]:
    """The values that an enumeration or a literal type allows; none for other types."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(member.value) for member in kind]
    return [str(word) for word in get_args(kind)] if get_origin(kind) is Literal else []
