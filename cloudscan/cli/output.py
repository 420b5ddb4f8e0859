"""Where results go: the page into a file, the summary to the terminal."""

import os
import shutil
import sys
from pathlib import Path

import click

from cloudscan import plugins
from cloudscan.cli.plain import plain
from cloudscan.errors import ConfigurationError
from cloudscan.facts import Outcome
from cloudscan.report import Report

_REASONS = 5


def write_page(report: Report, folder: Path, output: Path | None, language: str) -> Path:
    """Write the HTML report, readable by its owner only; gives its path."""
    page = output or folder / f"{report.scan.started_on:%Y%m%dT%H%M%SZ}.html"
    write_private(page, plugins.report_format("html").write(report, language))
    return page


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else on the machine can read. Raises `ConfigurationError`."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({error.strerror}); choose another place.") from error


def summary(report: Report, language: str) -> None:
    """The short answer for a person: what was found first, what could not be seen."""
    text = plugins.report_format("text")
    if text.show is None:
        click.echo(text.write(report, language), nl=False)
        return
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    width = shutil.get_terminal_size((100, 24)).columns
    click.echo(text.show(report, language, colour=colour, width=width), nl=False)


def unread(report: Report) -> None:
    """What could not be read, on stderr, for who sends the report itself elsewhere: each reason once."""
    rows = {row.reason: row for row in report.coverage if row.outcome is not Outcome.COMPLETE}
    for row in list(rows.values())[:_REASONS]:
        click.echo(f"cloudscan: not read: {plain(row.scope_name)}: {plain(row.reason)}", err=True)
    if len(rows) > _REASONS:
        click.echo(f"cloudscan: … and {len(rows) - _REASONS} more reasons; the report has them all.", err=True)
