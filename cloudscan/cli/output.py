"""Writing results: the page to a file, the summary to the terminal."""

import sys
from pathlib import Path

import click

from cloudscan import files, plugins
from cloudscan.cli import terminal
from cloudscan.cli.log import warn
from cloudscan.errors import ConfigurationError
from cloudscan.reason import Worded, advice, question, sentence
from cloudscan.report import GapState, Report, ReportFormat
from cloudscan.sentence import joined, say

_REASONS = 5
_PIPED_WIDTH = 100  # columns of a summary that is piped


def write_page(report: Report, folder: Path, output: Path | None, language: str) -> Path:
    """Write the HTML report, readable by its owner only; gives its path.

    Without `output` the name is the scan's start and the beginning of its id: two scans in a second are two reports,
    and a scan that is resumed after its report was written replaces it.
    """
    page = output or folder / f"{report.scan.started_on:%Y%m%dT%H%M%SZ}-{report.scan.id[:8]}.html"
    write_private(page, written(plugins.report_format("html"), report, language))
    return page


def written(format_: ReportFormat, report: Report, language: str) -> str | bytes:
    """The report in a format; what the format has no place for is said on stderr.

    Raises `ConfigurationError` where a package that the format needs is not installed.
    """
    with plugins.its_packages(say("The format {name}", name=format_.name), format_.name):
        content = format_.write(report, language)
    if format_.omitted and (words := format_.omitted(report)):
        warn(words)
    return content


def to_stdout(content: str | bytes) -> None:
    """Print a written report and nothing else. Raises `ConfigurationError` for bytes that would go to a terminal."""
    if isinstance(content, bytes) and sys.stdout.isatty():
        raise ConfigurationError(say("This format is binary; write it to a file: --output FILE, or > FILE."))
    click.echo(content, nl=False)


def write_private(path: Path, content: str | bytes) -> None:
    """Write a file that only its owner can read, whole or not at all. Raises `ConfigurationError`."""
    data = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists() and not path.is_file():  # a pipe, a terminal
            path.write_bytes(data)
        else:
            files.write_private(path.resolve(), data)
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
