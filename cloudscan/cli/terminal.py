"""What the terminal at hand can show: how wide it is, whether in colour.

The usual variables decide: ``COLUMNS`` asks for a width, ``NO_COLOR`` and ``FORCE_COLOR`` about colour, and with
``TERM=dumb`` a terminal shows text only. What is piped has neither width nor colour, unless one of them asks for it.
"""

import os
import shutil
import sys
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from rich.console import Console

_NARROWEST: Final = 20


def columns(stream: TextIO | None = None) -> int | None:
    """How many columns lines may have; None for a pipe or a file, in which a line stays a line."""
    stream = stream or sys.stdout
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked) > 0:
        return max(int(asked), _NARROWEST)
    return max(shutil.get_terminal_size().columns, _NARROWEST) if stream.isatty() else None


def colour(stream: TextIO | None = None) -> bool:
    """Whether to write in colour."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"


def is_live(stream: TextIO) -> bool:
    """Whether lines can be written over: at a terminal that is no mere printer."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def console(stream: TextIO, width: int, *, in_colour: bool, live: bool = False) -> "Console":
    """A console that writes what it is given and reads nothing into it: no markup, no emoji names, no highlighting.

    `live`: the stream is a terminal on which lines can be written over.
    """
    from rich.console import Console

    return Console(
        file=stream,
        width=width,
        force_terminal=in_colour or live,
        color_system="standard" if in_colour else None,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=False,
        _environ={},  # it would read the same variables in another way
    )
