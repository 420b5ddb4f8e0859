"""Help in the reader's language: click's pages with the words of our catalogue, wrapped by columns of the terminal."""

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Final

import click

from cloudscan.cli.language import HELP, LANGUAGES, current
from cloudscan.sentence import translation
from cloudscan.text import width

_AS_IT_IS: Final = "\b"  # click's mark of a paragraph that is not wrapped again
_EXTRA: Final = re.compile(r"^(.*?)(  \[.*\])$", re.DOTALL)
_FIRST_SENTENCE: Final = re.compile(r".*?(?:\.(?=\s|$)|。)")
_NEVER_FIRST: Final = "、。，．）」』】：；？！ー・…%"  # of a line, in Japanese
_NEVER_LAST: Final = "（「『【"


class Formatter(click.HelpFormatter):
    """Writes texts and lists in the current language."""

    def write_text(self, text: str) -> None:
        """A command's text."""
        super().write_text(_translated(text, self.width - self.current_indent))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """A list of options or commands with their texts."""
        shown = list(rows)
        first = min(max((len(name) for name, _ in shown), default=0), col_max) + col_spacing
        texts = [(name, _wrapped(_of_option(text), max(self.width - first - 2, 10))) for name, text in shown]
        super().write_dl(texts, col_max, col_spacing)


class Context(click.Context):
    """Explains itself in the current language."""

    formatter_class = Formatter


class Group(click.Group):
    """A command with subcommands, listed by the first sentence of their texts."""

    context_class = Context

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand, able to speak the reader's language; None for an unknown name."""
        command = super().get_command(ctx, cmd_name)
        return command and localised(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        with formatter.section(translation("Commands", current())):
            formatter.write_dl(list(self.listed(ctx)))

    def listed(self, ctx: click.Context) -> Iterator[tuple[str, str]]:
        """Names of subcommands, and what each does in a sentence."""
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                words, _ = next(paragraphs(command.help or ""))
                yield name, first_sentence(translation(words, current()))


def localised(command: click.Command) -> click.Command:
    """The command itself, which now also takes ``--lang`` and explains itself in the reader's language."""
    command.context_class = Context
    if not any("--lang" in parameter.opts for parameter in command.params):
        command.params.append(click.Option(["--lang"], type=LANGUAGES, expose_value=False, help=HELP))
    return command


def first_sentence(text: str) -> str:
    """The text up to its first full stop."""
    found = _FIRST_SENTENCE.match(text)
    return found[0] if found else text


def wrap(text: str, columns: int) -> list[str]:
    """The text in lines of at most `columns` columns, broken at spaces and between Japanese letters."""
    lines = [""]
    for piece in _pieces(text):
        line = lines[-1]
        if line and width(line + piece.rstrip()) > columns:
            lines[-1] = line.rstrip()
            lines.append(piece.lstrip())
        else:
            lines[-1] = line + piece
    return [line.rstrip() for line in lines]


def _pieces(text: str) -> Iterator[str]:
    """What is never broken: words, single Japanese letters, and signs with the letter that they belong to."""
    piece = ""
    for letter in text:
        wide = width(letter) > 1
        joins = letter in _NEVER_FIRST or piece[-1:] in _NEVER_LAST
        if piece and not joins and (wide or width(piece[-1]) > 1 or piece[-1].isspace()):
            yield piece
            piece = ""
        piece += letter
    if piece:
        yield piece


def paragraphs(text: str) -> Iterator[tuple[str, bool]]:
    """A help text's paragraphs, as catalogues have them, and whether their lines are to be left as they are."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        as_it_is = paragraph.startswith(_AS_IT_IS)
        words = paragraph.removeprefix(_AS_IT_IS).strip("\n")
        yield (words if as_it_is else " ".join(words.split()), as_it_is)


def _translated(text: str, columns: int) -> str:
    """A help text in the current language, wrapped."""
    language = current()
    translations = ((translation(words, language), as_it_is) for words, as_it_is in paragraphs(text))
    return "\n\n".join(f"{_AS_IT_IS}\n{words}" if fixed else _wrapped(words, columns) for words, fixed in translations)


def _wrapped(text: str, columns: int) -> str:
    """A text with wide letters, which click would count as one column each, in lines that it leaves as they are."""
    return text if width(text) == len(text) else "\n".join((_AS_IT_IS, *wrap(text, columns)))


def _of_option(text: str) -> str:
    """An option's help, with what click adds to it in brackets."""
    language = current()
    if (whole := translation(text, language)) != text:
        return whole
    if extra := _EXTRA.match(text):
        return f"{translation(extra[1], language)}{extra[2]}"
    return text
