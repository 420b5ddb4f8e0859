"""Strangers' text in Markdown: as prose that formats nothing, and as code."""

import re

from cloudscan_wording.visible import shortened, visible

_MOST_CHARACTERS = 120


# ASCII punctuation but for what Markdown leaves alone inside a line.
_PUNCTUATION = re.compile(r"[!-&*+;-@\[-`{-~]|:(?=/)|(?<=www)\.", re.IGNORECASE)


_TICKS = re.compile(r"`+")


def prose(text: str) -> str:
    """A sentence that shows as it is written: what could mean something to Markdown is a character reference."""
    return _PUNCTUATION.sub(lambda mark: f"&#{ord(mark[0])};", visible(text))


def code(text: str, most: int = _MOST_CHARACTERS) -> str:
    """A name in a code span, cut at some length.

    A bar in it becomes a wide one: how a table's code span escapes a bar, readers of Markdown do not agree on.
    """
    text = shortened(visible(text), most).replace("|", "\uff5c")
    fence = "`" * (1 + max((len(run) for run in _TICKS.findall(text)), default=0))
    if not text.strip(" "):
        return "–"
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"
