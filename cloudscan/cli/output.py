"""Writing results: the page to a file, the summary to the terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from cloudscan import files, plugins
from cloudscan.cli import terminal
from cloudscan.cli.log import warn
from cloudscan.errors import ConfigurationError
from cloudscan.reason import Worded, advice, question, sentence
from cloudscan.report import GapState, Report, ReportFormat, Written, pieces
from cloudscan.sentence import joined, say

_REASONS = 5
_PIPED_WIDTH = 100  # columns of a summary that is piped


def write_page(report: Report, folder: Path, output: Path | None, language: str) -> Path:
    """Write the HTML report, readable by its owner only; gives its path.

    Without `output` the name is the scan's start and the beginning of its id: two scans in a second are two reports,
    and a scan that is resumed after its report was written replaces it.
    """
    page = output or folder / f"{report.scan.started_on:%Y%m%dT%H%M%SZ}-{report.scan.id[:8]}.html"
    report_to_file(page, plugins.report_format("html"), report, language)
    return page


def report_to_file(path: Path, format_: ReportFormat, report: Report, language: str) -> None:
    """Write the report in a format, readable by its owner only; what the format has no place for is said on stderr.

    Raises `ConfigurationError`, also where a package that the format needs is not installed.
    """
    with _writing(format_, report):
        write_private(path, format_.write(report, language))


def report_to_stdout(format_: ReportFormat, report: Report, language: str) -> None:
    """Print the report in a format, as `report_to_file` writes it."""
    with _writing(format_, report):
        to_stdout(format_.write(report, language))


@contextmanager
def _writing(format_: ReportFormat, report: Report) -> Iterator[None]:
    with plugins.its_packages(say("The format {name}", name=format_.name), format_.name):
        yield
    if format_.omitted and (words := format_.omitted(report)):
        warn(words)


def to_stdout(content: Written) -> None:
    """Print what a format gives and nothing else, or as much of it as the other end of a pipe wants to read.

    Raises `ConfigurationError` for bytes that would go to a terminal.
    """
    if isinstance(content, bytes) and sys.stdout.isatty():
        raise ConfigurationError(say("This format is binary; write it to a file: --output FILE, or > FILE."))
    try:
        for piece in [content] if isinstance(content, str) else pieces(content):
            click.echo(piece, nl=False)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_private(path: Path, content: Written) -> None:
    """Write a file that only its owner can read, whole or not at all. Raises `ConfigurationError`."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_special = path.exists() and not path.is_file()  # a pipe, a terminal
        with path.open("wb") if is_special else files.private_file(path.resolve()) as file:
            for piece in pieces(content):
                file.write(piece)
    except OSError as error:
        raise ConfigurationError(
            say("{path} cannot be written ({why}); choose another location.", path=path, why=error.strerror)
        ) from error


def summary(report: Report, language: str) -> None:
    """Print the summary for a person: the first findings, and what could not be read."""
    text = plugins.report_format("text")
    if text.show is None:
        to_stdout(text.write(report, language))
        return
    colour, width = terminal.colour(), terminal.columns() or _PIPED_WIDTH
    click.echo(text.show(report, language, colour=colour, width=width), nl=False, color=colour)


def unread(report: Report) -> None:
    """Print what could not be read to stderr, for reports that are piped elsewhere: each reason once.

    What is waived, left out on purpose or not offered is in the report.
    """
    gaps = (row for row in report.coverage if row.outcome.is_gap and report.gap_state(row) is not GapState.WAIVED)
    rows = {sentence(row.reason, "en") or row.outcome: row for row in gaps}
    for row in list(rows.values())[:_REASONS]:
        parts = [Worded(question, row.question)] if row.question else []
        why = Worded(sentence, row.reason) if row.reason else row.outcome
        words = joined([*parts, why], ": ")
        if advice(row.reason, "en"):
            words = joined((say("{reason}.", reason=words), Worded(advice, row.reason)))
        warn(say("not read: {scope}: {words}", scope=row.scope_name, words=words))
    if len(rows) > _REASONS:
        warn(say("… and {n} more reasons; the report has them all.", n=len(rows) - _REASONS))
