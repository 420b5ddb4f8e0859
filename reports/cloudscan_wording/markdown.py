"""Text of third parties in Markdown: as prose without formatting, and as code."""

import re

from cloudscan_wording.visible import shortened, visible

_MOST_CHARACTERS = 120


# What has a meaning inside a line to some reader of Markdown. Quotes, semicolons and question marks have none.
_PUNCTUATION = re.compile(r"[!#$&*+<=>@\[-`{-~]|:(?=/)|(?<=www)\.", re.IGNORECASE)


_TICKS = re.compile(r"`+")


def prose(text: str) -> str:
    """A sentence as it is written, which reads well as text: only what could be Markdown is escaped."""
    return _PUNCTUATION.sub(lambda match: f"&#{ord(match[0])};", visible(text))


def code(text: str, most: int = _MOST_CHARACTERS) -> str:
    """A name in a code span, cut at `most` characters.

    A bar in it becomes a wide one: how a table's code span escapes a bar, readers of Markdown do not agree on.
    """
    text = shortened(visible(text), most).replace("|", "\uff5c")
    fence = "`" * (1 + max((len(run) for run in _TICKS.findall(text)), default=0))
    if not text.strip(" "):
        return "–"
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"
