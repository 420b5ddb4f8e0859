"""Tables: fitted to the width of a terminal, or one line a row where they are piped.

Values may be anybody's text. Control characters are written out, and nothing in them is read as markup.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import click

from cloudscan.cli import terminal
from cloudscan.cli.language import current
from cloudscan.cli.words import word_of
from cloudscan.finding import Severity
from cloudscan.sentence import in_language
from cloudscan.text import plain, width

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

SEVERITY_STYLES: Final[Mapping[Severity, str]] = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "blue",
    Severity.INFO: "dim",
}
_GAP: Final = 2  # columns between two values
_LEAST: Final = 10  # columns for a value before it is broken into lines
_LEAST_OF_WIDEST: Final = 16  # the one that says most
_MOST_ALIGNED: Final = 60  # of a piped column; a longer value moves what stands after it


def show_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table to stdout.

    At a terminal, long values are broken into lines; where it is too narrow for that, each row becomes a list of its
    values. In a pipe every row is one line, with whole values, two spaces or more between them.
    """
    head = [_shown(name) for name in head]
    columns = terminal.columns()
    text = _piped(head, rows) if columns is None else _fitted(head, rows, columns, in_colour=terminal.colour())
    click.echo(text, color=terminal.colour())


def show_details(title: str, details: Mapping[str, object]) -> None:
    """Print a title, and below it each detail that has a value, with its name; an empty name for one without.

    At a terminal, long values are broken into lines below one another.
    """
    named = {_shown(name): _shown(value) for name, value in details.items() if _shown(value)}
    size = max((width(name) + 1 for name in named if name), default=0)
    columns, in_colour = terminal.columns(), terminal.colour()
    if columns is None:
        lines = [f"{name}:{' ' * (size - width(name))}{value}" if name else value for name, value in named.items()]
        click.echo("\n".join([_shown(title), *(f"  {line}" for line in lines)]))
        return
    stream = io.StringIO()
    console = terminal.console(stream, columns, in_colour=in_colour)
    for part in _detailed(_shown(title), named, size):
        console.print(part)
    click.echo(_trimmed(stream.getvalue()), color=in_colour)


def _detailed(title: str, named: Mapping[str, str], size: int) -> "Iterator[RenderableType]":
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    yield Text(title, style="bold", overflow="fold")
    for name, value in named.items():
        if not name:
            yield Padding(Text(value, overflow="fold"), (0, 0, 0, 2))
            continue
        line = Table.grid(padding=(0, 1, 0, 0))
        line.add_column(no_wrap=True, min_width=size, style="dim")
        line.add_column(overflow="fold")
        line.add_row(Text(f"{name}:"), Text(value))
        yield Padding(line, (0, 0, 0, 2))


def _piped(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    shown = [[_shown(value) for value in row] for row in rows]
    sizes = [min(max(map(width, column)), _MOST_ALIGNED) for column in zip(head, *shown, strict=True)]
    lines = [head, ["─" * size for size in sizes], *shown]
    return "\n".join(
        (" " * _GAP).join(value + " " * (size - width(value)) for value, size in zip(line, sizes, strict=True)).rstrip()
        for line in lines
    )


def _fitted(head: Sequence[str], rows: Sequence[Sequence[object]], columns: int, *, in_colour: bool) -> str:
    shown = [[_shown(value) for value in row] for row in rows]
    natural = [max(map(width, column)) for column in zip(head, *shown, strict=True)]
    least = [min(size, _LEAST_OF_WIDEST if size == max(natural) else _LEAST) for size in natural]
    needed = sum(least) + _GAP * (len(head) - 1)
    styled = [
        [_styled(text, value) for text, value in zip(*pair, strict=True)] for pair in zip(shown, rows, strict=True)
    ]
    stream = io.StringIO()
    console = terminal.console(stream, columns, in_colour=in_colour)
    for part in _side_by_side(head, styled, least) if needed <= columns else _one_by_one(head, styled):
        console.print(part)
    return _trimmed(stream.getvalue())


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.rstrip("\n").split("\n"))


def _side_by_side(
    head: Sequence[str], rows: "Sequence[Sequence[Text]]", least: Sequence[int]
) -> "Sequence[RenderableType]":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, _GAP - 1, 0, 0), header_style="bold")
    for name, size in zip(head, least, strict=True):
        table.add_column(name, min_width=size, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return [table]


def _one_by_one(head: Sequence[str], rows: "Sequence[Sequence[Text]]") -> "Sequence[RenderableType]":
    from rich.table import Table
    from rich.text import Text

    parts: list[RenderableType] = []
    for row in rows:
        record = Table.grid(padding=(0, _GAP, 0, 0))
        record.add_column(no_wrap=True, style="bold")
        record.add_column(overflow="fold")
        for name, value in zip(head, row, strict=True):
            if value.plain:
                record.add_row(Text(name), value)
        parts += [*([Text()] if parts else []), record]
    return parts


def _styled(text: str, value: object) -> "Text":
    from rich.text import Text

    return Text(text, style=SEVERITY_STYLES[value] if isinstance(value, Severity) else "")


def _shown(value: object) -> str:
    words = word_of(value) if isinstance(value, StrEnum) else value
    return "" if words is None else plain(in_language(words, current())).replace("\n", " ").replace("\t", " ")
