"""One rule to read: what it says, what it asks, what can be set."""

import io
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import click

from cloudscan.cli import terminal
from cloudscan.engine.described import DescribedRule
from cloudscan.sentence import Sentence, say
from cloudscan.text import plain

if TYPE_CHECKING:
    from rich.console import RenderableType

_FIELD: Final = re.compile(r"\{([a-z_]+)\}")
_INDENT: Final = re.compile(r"\s*(?:[-*]|\d+\.)?\s*")


def show_rule(rule: DescribedRule, language: str) -> None:
    """Print a rule to stdout: fitted to a terminal's width, its SQL in colour; whole lines in a pipe."""
    columns, in_colour = terminal.columns(), terminal.colour()
    if columns is None:
        for head, lines in _sections(rule, language):
            click.echo("\n".join([*([f"{head}:"] if head else []), *map(plain, lines), ""]))
        return
    stream = io.StringIO()
    console = terminal.console(stream, columns, in_colour=in_colour)
    for head, lines in _sections(rule, language):
        for part in _printed(head, lines, in_colour=in_colour):
            console.print(part)
    click.echo("\n".join(line.rstrip() for line in stream.getvalue().split("\n")), nl=False, color=in_colour)


def _sections(rule: DescribedRule, language: str) -> Iterator[tuple[str, Sequence[str]]]:
    text = rule.text[language]
    yield "", [f"{rule.id} ({rule.severity}, confidence {rule.confidence}, likelihood {rule.likelihood}/5)", text.title]
    yield _head(say("Why"), language), text.why.rstrip().split("\n")
    yield _head(say("What to do"), language), text.fix.rstrip().split("\n")
    if fields := list(dict.fromkeys(_FIELD.findall(f"{text.message} {text.why} {text.fix}"))):
        words = say(
            "{fields}: filled in for each finding, from its row of the query or from what it is about.",
            fields=", ".join(f"{{{field}}}" for field in fields),
        )
        yield _head(say("In braces"), language), [words.in_language(language)]
    yield _head(say("Query"), language), rule.query.rstrip().split("\n")
    if rule.params:
        parameters = [f"${name} = {param.default}: {param.meaning}" for name, param in rule.params.items()]
        yield _head(say("Parameters"), language), parameters
    if rule.frameworks:
        yield _head(say("Controls"), language), rule.frameworks
    yield _head(say("File"), language), [rule.source]


def _head(name: Sentence, language: str) -> str:
    return name.in_language(language)


def _printed(head: str, lines: Sequence[str], *, in_colour: bool) -> "Iterator[RenderableType]":
    from rich.padding import Padding
    from rich.syntax import Syntax
    from rich.text import Text

    if head:
        yield Text(head, style="bold")
    if lines and re.match(r"\s*(SELECT|WITH)\b", lines[0]):
        query = "\n".join(map(plain, lines))
        # Of the dialects that the library knows, MySQL's has parameters that begin with a dollar.
        sql = Syntax(query, "mysql", theme="ansi_dark", background_color="default", word_wrap=True)
        yield sql if in_colour else Text(query, overflow="fold")
    else:
        for line in lines:
            indent = len(_INDENT.match(line)[0]) if line else 0  # type: ignore[index]  # it matches anything
            safe = Text(plain(line[indent:]), style="" if head else "bold", overflow="fold")
            yield Padding(safe, (0, 0, 0, indent)) if not line[:indent].strip() else _item(line[:indent], safe)
    yield Text()


def _item(mark: str, text: "RenderableType") -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    line = Table.grid()
    line.add_column(no_wrap=True)
    line.add_column(overflow="fold")
    line.add_row(Text(mark), text)
    return line
