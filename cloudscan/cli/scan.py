"""`cloudscan scan` and `cloudscan collect`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloudscan.cli.main import EXIT_FINDINGS, EXIT_INCOMPLETE
from cloudscan.cli.session import (
    SEVERITIES,
    all_rule_folders,
    chosen_plugins,
    configured,
    format_of,
    lang_option,
    ledger_of,
    opened,
    redact_option,
    redactor,
    rules_option,
)
from cloudscan.config import Config
from cloudscan.connector import Connector
from cloudscan.finding import Severity, State
from cloudscan.report import Report, ReportFormat

if TYPE_CHECKING:
    from cloudscan.earlier import Earlier


def _what_to_read(command: click.decorators.FC) -> click.decorators.FC:
    for option in (
        click.option(
            "--concurrency", type=click.IntRange(1, 512), help="Requests in flight.  [default: as configured, 16]"
        ),
        click.option("--skip-scope", "skip", multiple=True, help="Leave out scopes (pattern). Repeatable."),
        click.option(
            "--scope", "only", multiple=True, help="Begin only with these scopes, e.g. an account. Repeatable."
        ),
        click.option("--connector", "names", multiple=True, help="Read only this platform. Repeatable."),
    ):
        command = option(command)
    return command


@click.command()
@_what_to_read
@click.option("--full", is_flag=True, help="Read everything, also where only changes would have to be asked for.")
@rules_option
@click.option("--fail-on", type=SEVERITIES, help="Exit 1 from this severity up.  [default: as configured, high]")
@click.option(
    "--format", "format_name", help="Print the report to stdout in this format (json, html), and nothing else."
)
@click.option("--output", "-o", type=click.Path(dir_okay=False), help="Where the HTML report goes.")
@click.option(
    "--metrics", type=click.Path(dir_okay=False), help="Write Prometheus metrics there too, for the textfile collector."
)
@lang_option
@click.pass_obj
def scan(
    config_path: str | None,
    names: Sequence[str],
    only: Sequence[str],
    skip: Sequence[str],
    concurrency: int | None,
    full: bool,
    rule_folders: Sequence[str],
    fail_on: str | None,
    format_name: str | None,
    output: str | None,
    metrics: str | None,
    lang: str | None,
) -> int:
    """Read the clouds, judge what was seen, enter it into the ledger, write the report.

    An interrupted scan is gone on with. What could not be read is said in the report and makes the exit code 3, so that
    a machine can tell a safe night from a blind one.
    """
    config = configured(config_path)
    connectors = _connectors(config, config_path, names, only, skip)
    return run(
        config,
        connectors,
        rules=rule_folders,
        concurrency=concurrency or config.scan.concurrency,
        full=full,
        fail_on=Severity(fail_on) if fail_on else config.scan.fail_on,
        format_=format_of(config, format_name, config_path) if format_name else None,
        output=Path(output) if output else None,
        metrics=Path(metrics) if metrics else None,
        language=lang or config.organisation.language,
    )


@click.command()
@_what_to_read
@click.option("--into", type=click.Path(file_okay=False), help="The snapshot's folder.  [default: a new one]")
@redact_option
@click.pass_obj
def collect(
    config_path: str | None,
    names: Sequence[str],
    only: Sequence[str],
    skip: Sequence[str],
    concurrency: int | None,
    into: str | None,
    redacting: bool,
) -> int:
    """Read the clouds into a snapshot, without judging. Prints the snapshot's folder."""
    from cloudscan import scan as scanning
    from cloudscan.cli.progress import listener
    from cloudscan.collect import CollectOptions
    from cloudscan.collect import collect as collecting

    config = configured(config_path)
    connectors = _connectors(config, config_path, names, only, skip)
    folder = Path(into) if into else scanning.new_folder(config.folder / "snapshots", datetime.now(UTC))
    progress = listener((), {}, "en")
    try:
        snapshot = collecting(
            connectors,
            folder,
            options=CollectOptions(concurrency=concurrency or config.scan.concurrency),
            **({"on_event": progress} if progress else {}),
        )
    finally:
        if progress:
            progress.close()
    with snapshot:
        complete = snapshot.scan.complete
        if redacting:
            from cloudscan import redacted

            redacted.replace(snapshot, redactor(config))
        click.echo(snapshot.path)
    return 0 if complete else EXIT_INCOMPLETE


def run(
    config: Config,
    connectors: Sequence[Connector],
    *,
    rules: Sequence[str],
    concurrency: int,
    full: bool,
    fail_on: Severity,
    format_: ReportFormat | None,
    output: Path | None,
    language: str,
    metrics: Path | None = None,
) -> int:
    """Scan and say what came of it; gives the exit code."""
    from cloudscan import lock, rule
    from cloudscan import scan as scanning
    from cloudscan.cli import output as writing
    from cloudscan.cli.progress import listener
    from cloudscan.collect import CollectOptions

    loaded = rule.load(all_rule_folders(config, rules))
    ledger = ledger_of(config)
    progress = listener(loaded, config.rules, language)
    try:
        with lock.hold(config.folder):
            report = scanning.scan(
                connectors,
                loaded,
                into=scanning.new_folder(config.folder / "snapshots", datetime.now(UTC)),
                ledger=ledger,
                organisation=config.organisation.name,
                params=config.rules,
                options=CollectOptions(
                    concurrency=concurrency, earlier=None if full else _earlier(config.folder / "snapshots")
                ),
                **({"on_event": progress} if progress else {}),
            )
    finally:
        if progress:
            progress.close()
    page = writing.write_page(report, config.folder / "reports", output, language)
    if format_:
        writing.to_stdout(writing.written(format_, report, language))
        writing.unread(report)
    else:
        writing.summary(report, language)
        click.echo(f"\n{page}")
    if metrics:
        from cloudscan import metrics as measuring

        measuring.write(report, metrics)
    return exit_code(report, fail_on)


def _earlier(snapshots: Path) -> "Earlier | None":
    from cloudscan import scan as scanning
    from cloudscan.earlier import Earlier

    folder = scanning.latest_snapshot(snapshots)
    return Earlier(folder=folder) if folder else None


def exit_code(report: Report, fail_on: Severity) -> int:
    """3 for a scan with gaps outranks 1 for findings: who cannot see cannot say "only these".

    What is waived does not count.
    """
    if not report.scan.complete:
        return EXIT_INCOMPLETE
    work = (finding for finding in report.findings if finding.state is not State.WAIVED)
    return EXIT_FINDINGS if any(finding.severity >= fail_on for finding in work) else 0


def _connectors(
    config: Config, path: str | None, names: Sequence[str], only: Sequence[str], skip: Sequence[str]
) -> list[Connector]:
    from cloudscan.scan import restricted

    found: list[Connector] = [opened(config, plugin, path) for plugin in chosen_plugins(config, names)]
    return [restricted(each, only, skip) for each in found] if only or skip else found
