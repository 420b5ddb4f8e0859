"""`cloudscan report`."""

from collections.abc import Sequence
from pathlib import Path

import click

from cloudscan.cli import completing
from cloudscan.cli.language import spoken
from cloudscan.cli.only import narrowed_report, only_option
from cloudscan.cli.opening import load_config, open_format, open_ledger, redactor
from cloudscan.cli.options import lang_option, redact_option
from cloudscan.config import Config
from cloudscan.report import Report, ReportFormat
from cloudscan.sentence import say


@click.command()
@click.option(
    "--format",
    "format_name",
    shell_complete=completing.formats,
    default="html",
    show_default=True,
    help="asff, csv, html, json, junit, markdown, ndjson, ocsf, pdf, pptx, sarif, text, xlsx or another installed one.",
)
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False), help="The file; - is stdout.  [default: beside the scans]"
)
@click.option("--by", type=click.Choice(["owner"]), help="Write one page per owner instead (html, markdown or pdf).")
@click.option("--into", type=click.Path(file_okay=False), help="The hand-outs' folder.  [default: beside the scans]")
@only_option
@redact_option
@lang_option
@click.pass_obj
def report(
    config_path: str | None,
    format_name: str,
    output: str | None,
    by: str | None,
    into: str | None,
    only: Sequence[str],
    redacting: bool,
    lang: str | None,
) -> None:
    """Write the report of the last scan again, in another format or language. Prints the file's path.

    With --by owner it writes a printable page for everyone who has something to fix, an index, and a page of findings
    without a known owner. Prints the folder's path.
    """
    from cloudscan.errors import ConfigurationError

    if by and output:
        raise click.UsageError(
            spoken(say("Hand-outs are many files: name their folder with --into instead of --output."))
        )
    if into and not by:
        raise click.UsageError(spoken(say("--into is for hand-outs (--by owner); name a report's file with --output.")))
    config = load_config(config_path)
    last = open_ledger(config).latest()
    if last is None:
        raise ConfigurationError(say("There is no scan to report on yet; run `cloudscan scan` first."))
    last = narrowed_report(config, last, only)
    if redacting:
        last = redactor(config).report(last)
    language = lang or config.organisation.language
    name = f"{last.scan.started_on:%Y%m%dT%H%M%SZ}"
    if by:
        folder = Path(into) if into else config.folder / "handouts" / name
        _write_handouts(last, format_name, config, language, folder)
        click.echo(folder)
    else:
        format_ = open_format(config, format_name, config_path)
        _write_report(last, format_, language, output, config.folder / "reports" / name)


def _write_report(last: Report, format_: ReportFormat, language: str, output: str | None, default: Path) -> None:
    from cloudscan.cli.output import report_to_file, report_to_stdout

    if output == "-":
        report_to_stdout(format_, last, language)
        return
    path = Path(output) if output else default.with_suffix(format_.suffix)
    report_to_file(path, format_, last, language)
    click.echo(path)


def _write_handouts(last: Report, format_name: str, config: Config, language: str, folder: Path) -> None:
    """One file after the other. Earlier files are kept; the index only lists owners who still have something to fix."""
    from cloudscan import plugins
    from cloudscan.cli.output import write_private

    format_ = plugins.handout_format(format_name)
    with plugins.its_packages(say("The format {name}", name=format_.name), format_.name):
        for name, content in format_.write(last, language, config.terms):
            write_private(folder / name, content)
