"""The manual pages cloudscan(1) and cloudscan.toml(5), in the macros of man(7), from what click and the records say."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version

import click

_EXIT_CODES: Mapping[str, str] = {
    "0": "clean",
    "1": "findings at or above --fail-on",
    "2": "wrong usage or configuration",
    "3": "the scan could not read everything",
    "4": "another scan is running",
    "5": "both 1 and 3",
    "70": "a bug in cloudscan",
    "130": "stopped; the same command resumes",
}


def command_page(cli: click.Group) -> Iterator[str]:
    """cloudscan(1): every command with its options."""
    yield from _head("CLOUDSCAN", 1)
    yield from (".SH NAME", r"cloudscan \- who outside the intended circle can reach which file, and what to do first")
    yield from (".SH SYNOPSIS", r"\fBcloudscan\fR [\fIOPTIONS\fR] \fICOMMAND\fR [\fIARGUMENTS\fR]", ".SH DESCRIPTION")
    yield from _prose(cli.help or "")
    yield from _options(cli)
    yield ".SH COMMANDS"
    for name in cli.list_commands(click.Context(cli)):
        yield from _command(cli, name, "cloudscan")
    yield ".SH EXIT STATUS"
    for code, meaning in _EXIT_CODES.items():
        yield from (".TP", rf"\fB{code}\fR", _escaped(meaning))
    yield from (".SH SEE ALSO", r"\fBcloudscan.toml\fR(5), \fBcloudscan docs\fR")


def configuration_page(tables: Iterable[tuple[str, Iterable[tuple[str, str, str]]]]) -> Iterator[str]:
    """cloudscan.toml(5): of each table, by its heading, the keys with default and meaning."""
    yield from _head("CLOUDSCAN.TOML", 5)
    yield from (".SH NAME", r"cloudscan.toml \- configuration of cloudscan", ".SH DESCRIPTION")
    yield "An unknown key is an error that names the nearest known one. Secrets do not belong into the file:"
    yield "credentials come from the provider's own chain, and a tracker's from the environment."
    for heading, keys in tables:
        yield f".SH {_escaped(heading)}"
        for key, default, note in keys:
            yield from (
                ".TP",
                rf"\fB{_escaped(key)}\fR = {_escaped(default)}",
                _escaped(note or "See the documentation."),
            )
    yield from (".SH SEE ALSO", r"\fBcloudscan\fR(1), \fBcloudscan docs configuration\fR")


def _head(title: str, section: int) -> Iterator[str]:
    yield f'.TH "{title}" "{section}" "" "cloudscan {version("cloudscan")}"'
    yield ".nh"
    yield ".ad l"


def _command(group: click.Group, name: str, path: str) -> Iterator[str]:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    whole = f"{path} {name}"
    usage = " ".join(command.collect_usage_pieces(click.Context(command, info_name=name)))
    yield from (f'.SS "{_escaped(whole)}"', rf"\fB{_escaped(whole)}\fR {_escaped(usage)}", ".PP")
    yield from _prose(command.help or "")
    yield from _options(command)
    if isinstance(command, click.Group):
        for nested in command.list_commands(click.Context(command)):
            yield from _command(command, nested, whole)


def _options(command: click.Command) -> Iterator[str]:
    context = click.Context(command)
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None:
            yield from (".TP", rf"\fB{_escaped(record[0])}\fR", _escaped(" ".join(record[1].split())))


def _prose(text: str) -> Iterator[str]:
    """Paragraphs. What follows a backspace keeps its lines."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        yield ".PP"
        if paragraph.lstrip().startswith("\b"):
            yield from (".nf", *map(_escaped, paragraph.replace("\b", "").strip("\n").splitlines()), ".fi")
        else:
            yield from map(_escaped, paragraph.splitlines())


def _escaped(text: str) -> str:
    """The text as man shows it: no escape, no request, and dashes that can be copied."""
    safe = text.replace("\\", r"\e").replace("-", r"\-").replace('"', r"\(dq").replace("…", "...")
    return rf"\&{safe}" if safe.startswith((".", "'")) else safe
