"""`cloudscan report`."""

from pathlib import Path

import click

from cloudscan.cli.session import configured, lang_option, ledger_of, redact_option, redactor


@click.command()
@click.option(
    "--format",
    "format_name",
    default="html",
    show_default=True,
    help="asff, csv, html, json, junit, markdown, ndjson, ocsf, sarif, text, xlsx, or what is installed.",
)
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False), help="The file; - is stdout.  [default: beside the scans]"
)
@redact_option
@lang_option
@click.pass_obj
def report(config_path: str | None, format_name: str, output: str | None, redacting: bool, lang: str | None) -> None:
    """Write the report of the last scan again, in another format or language. Prints the file's path."""
    from cloudscan import plugins
    from cloudscan.cli.output import to_stdout, write_private, written
    from cloudscan.errors import ConfigurationError

    config = configured(config_path)
    format_ = plugins.report_format(format_name)
    last = ledger_of(config).latest()
    if last is None:
        raise ConfigurationError("There is no scan to report on yet; run `cloudscan scan` first.")
    if redacting:
        last = redactor(config).report(last)
    content = written(format_, last, lang or config.organisation.language)
    if output == "-":
        to_stdout(content)
        return
    name = f"{last.scan.started_on:%Y%m%dT%H%M%SZ}{format_.suffix}"
    path = Path(output) if output else config.folder / "reports" / name
    write_private(path, content)
    click.echo(path)
