"""Catalogues of messages: gettext's own files, so that translators can use their own tools.

`messages.pot` is the English source, ``<language>.po`` its translation. The context of a message is its key in code:
``group.key``.
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
    """A language's messages by key, group by group. A key with plural forms has a table of them."""
    file = "messages.pot" if lang == SOURCE else f"{lang}.po"
    with folder.joinpath(file).open("rb") as source:
        catalogue = read_po(source, locale=lang)
    messages: dict[str, Any] = {}
    for message in catalogue:
        if not message.context:
            continue
        *groups, key = message.context.split(".")
        group = messages
        for name in groups:
            group = group.setdefault(name, {})
        group[key] = _forms(message, lang)
    return messages


def at(messages: Mapping[str, Any], key: str) -> str:
    """The message at ``group.key``. Raises `KeyError` if there is none."""
    entry: Any = messages
    for part in key.split("."):
        entry = entry[part]
    return str(entry)


def fill(text: str, **values: object) -> str:
    """The text with its ``{fields}`` filled in one pass: a value is never read as a field."""
    return _FIELD.sub(lambda field: str(values[field[1]]), text) if "{" in text else text


def _forms(message: Message, lang: str) -> str | dict[str, str]:
    text = message.id if lang == SOURCE else message.string
    if not message.pluralizable:
        return str(text)
    return {"one": str(text[0]), "other": str(text[-1])}
