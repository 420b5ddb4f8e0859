"""Where results go: the page into a file, the summary to the terminal."""

import os
import shutil
import sys
from pathlib import Path

import click

from cloudscan import plugins
from cloudscan.report import Report


def write_page(report: Report, folder: Path, output: Path | None, language: str) -> Path:
    """Write the HTML report, readable by its owner only; gives its path."""
    page = output or folder / f"{report.scan.started_on:%Y%m%dT%H%M%SZ}.html"
    write_private(page, plugins.report_format("html").write(report, language))
    return page


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else on the machine can read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def summary(report: Report, language: str) -> None:
    """The short answer for a person: what was found first, what could not be seen."""
    from cloudscan_reports import terminal

    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    click.echo(terminal.summary(report, language, colour=colour, width=shutil.get_terminal_size((100, 24)).columns))
