"""Catalogues of messages: gettext's own files, for translators' own tools.

`messages.pot` is the English source, ``<language>.po`` its translation, and the context of a message is the key by
which it is asked for: ``group.key``.
"""

import re
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from typing import Any, Final

from babel.messages.catalog import Message
from babel.messages.pofile import read_po

SOURCE: Final = "en"
_FIELD: Final = re.compile(r"\{([a-z_]+)\}")


def table(folder: Traversable, lang: str) -> dict[str, Any]:
    """A language's messages by key, group by group. A key with several forms has a table of them."""
    file = "messages.pot" if lang == SOURCE else f"{lang}.po"
    with folder.joinpath(file).open("rb") as written:
        catalogue = read_po(written, locale=lang)
    found: dict[str, Any] = {}
    for message in catalogue:
        if not message.context:
            continue
        *groups, key = message.context.split(".")
        group = found
        for name in groups:
            group = group.setdefault(name, {})
        group[key] = _said(message, lang)
    return found


def at(found: Mapping[str, Any], key: str) -> str:
    """The message at ``group.key``. Raises KeyError where there is none."""
    entry: Any = found
    for part in key.split("."):
        entry = entry[part]
    return str(entry)


def fill(text: str, **values: object) -> str:
    """The text with its ``{fields}`` filled in one pass: a value is never read as a field."""
    return _FIELD.sub(lambda field: str(values[field[1]]), text)


def _said(message: Message, lang: str) -> str | dict[str, str]:
    told = message.id if lang == SOURCE else message.string
    if not message.pluralizable:
        return str(told)
    return {"one": str(told[0]), "other": str(told[-1])}
