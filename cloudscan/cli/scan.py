"""`cloudscan scan` and `cloudscan collect`."""

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloudscan.cli.main import EXIT_FINDINGS, EXIT_INCOMPLETE, exit_code_of
from cloudscan.cli.session import (
    SEVERITIES,
    all_rule_folders,
    asking_for_shared,
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
from cloudscan.errors import CloudscanError, ConfigurationError, LedgerError
from cloudscan.finding import Severity, State
from cloudscan.report import Report, ReportFormat

if TYPE_CHECKING:
    from cloudscan.nightly.json_log import JsonLog


def _what_to_read(command: click.decorators.FC) -> click.decorators.FC:
    for option in (
        click.option(
            "--concurrency", type=click.IntRange(1, 512), help="Requests in flight.  [default: as configured, 16]"
        ),
        click.option("--skip-scope", "skip", multiple=True, help="Leave out scopes (pattern). Repeatable."),
        click.option(
            "--scope", "only", multiple=True, help="Begin only with these scopes, e.g. an account. Repeatable."
        ),
        click.option(
            "--only-shared",
            is_flag=True,
            help="Ask only for what is open beyond named people, where a platform can be asked so; quicker, and blind "
            "to the rest.",
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
@click.option(
    "--log",
    type=click.Choice(["text", "json"]),
    help="json: one JSON object a line on stderr.  [default: as configured, text]",
)
@lang_option
@click.pass_obj
def scan(
    config_path: str | None,
    names: Sequence[str],
    only: Sequence[str],
    skip: Sequence[str],
    only_shared: bool,
    concurrency: int | None,
    full: bool,
    rule_folders: Sequence[str],
    fail_on: str | None,
    format_name: str | None,
    output: str | None,
    metrics: str | None,
    log: str | None,
    lang: str | None,
) -> int:
    """Read the clouds, judge what was seen, enter it into the ledger, write the report.

    An interrupted scan is gone on with. What could not be read is said in the report and makes the exit code 3, so that
    a machine can tell a safe night from a blind one.
    """
    config = configured(config_path)
    connectors = _connectors(config, config_path, names, only, skip, only_shared=only_shared)
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
        settings=_settings(only, skip, only_shared=only_shared),
        json_log=(log or config.scan.log) == "json",
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
    only_shared: bool,
    concurrency: int | None,
    into: str | None,
    redacting: bool,
) -> int:
    """Read the clouds into a snapshot, without judging. Prints the snapshot's folder."""
    from cloudscan.cli.progress import listener
    from cloudscan.snapshot import store
    from cloudscan.snapshot.collect import CollectOptions
    from cloudscan.snapshot.collect import collect as collecting

    config = configured(config_path)
    connectors = _connectors(config, config_path, names, only, skip, only_shared=only_shared)
    settings = _settings(only, skip, only_shared=only_shared)
    scanned = store.Scanned(connectors=[connector.name for connector in connectors], settings=settings)
    folder = Path(into) if into else store.new_folder(config.folder / "snapshots", datetime.now(UTC), scanned)
    progress = listener((), {}, "en")
    try:
        snapshot = collecting(
            connectors,
            folder,
            options=CollectOptions(concurrency=concurrency or config.scan.concurrency, settings=settings),
            **({"on_event": progress} if progress else {}),
        )
    finally:
        if progress:
            progress.close()
    with snapshot:
        complete = snapshot.scan.complete
        if redacting:
            from cloudscan.redaction.snapshot import replace

            replace(snapshot, redactor(config))
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
    settings: Mapping[str, str] | None = None,
    json_log: bool = False,
) -> int:
    """Scan and say what came of it; gives the exit code."""
    from cloudscan.cli import output as writing
    from cloudscan.cli.progress import listener
    from cloudscan.engine import loader
    from cloudscan.nightly import scan as scanning
    from cloudscan.nightly.json_log import JsonLog
    from cloudscan.plugins import declared_settings
    from cloudscan.snapshot import lock
    from cloudscan.snapshot.collect import CollectOptions

    loaded = loader.load(all_rule_folders(config, rules), declared_settings())
    ledger = ledger_of(config, patience=config.ledger.patience_seconds)
    log = JsonLog(sys.stderr) if json_log else None
    progress = None if log else listener(loaded, config.rules, language)
    hears = log or progress

    def publish(report: Report) -> None:
        if progress:
            progress.close()
        page = writing.write_page(report, config.folder / "reports", output, language)
        _measure(report, metrics, log)
        if format_:
            writing.to_stdout(writing.written(format_, report, language))
            if not log:
                writing.unread(report)
        else:
            writing.summary(report, language)
            click.echo(f"\n{page}")
        if log:
            log.entered(report)
        if config.notify.wanted and config.notify.after_scan:
            _tell(config, log)
        _prune(config, log)

    try:
        with lock.exclusive(config.folder):
            report = scanning.run_nightly(
                connectors,
                loaded,
                snapshots=config.folder / "snapshots",
                ledger=ledger,
                publish=publish,
                now=datetime.now(UTC),
                organisation=config.organisation.name,
                params=config.rules,
                options=CollectOptions(concurrency=concurrency, settings=settings or {}),
                full=full,
                **({"on_event": hears} if hears else {}),
            )
    except LedgerError as error:
        later = type(error)(f"{error} What was read is kept, and entered by the next `cloudscan scan`.")
        if not log:
            raise later from error
        return _failed(log, later)
    except CloudscanError as error:
        if not log:
            raise
        return _failed(log, error)
    finally:
        if progress:
            progress.close()
    code = exit_code(report, fail_on)
    if log:
        log.ended(code)
    return code


def _measure(report: Report, path: Path | None, log: "JsonLog | None") -> None:
    """Hand out the metrics. That nobody takes them is said, and does not spoil the scan."""
    from cloudscan.nightly import metrics, telemetry

    found = metrics.of(report)
    if path:
        metrics.write(found, path)
    if telemetry.wanted(os.environ):
        try:
            telemetry.send(found)
        except ConfigurationError as error:
            _warn(log, str(error))


def _prune(config: Config, log: "JsonLog | None") -> None:
    from cloudscan.nightly import retention

    try:
        gone = retention.remove(config.folder, retention.due(config.folder, config.retention, datetime.now(UTC)))
    except ConfigurationError as error:
        _warn(log, str(error))
    else:
        if log and gone:
            log.line("removed", {"count": len(gone)})


def _warn(log: "JsonLog | None", words: str) -> None:
    if log:
        log.line("warning", {"message": words})
    else:
        click.echo(f"cloudscan: {words}", err=True)


def _tell(config: Config, log: "JsonLog | None") -> None:
    """Notify; that nobody could be told does not spoil the scan."""
    from cloudscan.cli import notify

    try:
        notify.tell(config)
    except CloudscanError as error:
        _warn(log, f"not notified: {error}")


def _failed(log: "JsonLog", error: CloudscanError) -> int:
    code = exit_code_of(error)
    log.line("failed", {"error": type(error).__name__, "message": str(error), "exit_code": code})
    return code


def _settings(only: Sequence[str], skip: Sequence[str], *, only_shared: bool) -> dict[str, str]:
    """What was left out, for the snapshot's first page."""
    left_out = {"only": " ".join(only), "skip": " ".join(skip), "only_shared": "yes" if only_shared else ""}
    return {name: value for name, value in left_out.items() if value}


def exit_code(report: Report, fail_on: Severity) -> int:
    """3 for a scan with gaps outranks 1 for findings: who cannot see cannot say "only these".

    What is waived does not count.
    """
    if not report.scan.complete:
        return EXIT_INCOMPLETE
    work = (finding for finding in report.findings if finding.state is not State.WAIVED)
    return EXIT_FINDINGS if any(finding.severity >= fail_on for finding in work) else 0


def _connectors(
    config: Config,
    path: str | None,
    names: Sequence[str],
    only: Sequence[str],
    skip: Sequence[str],
    *,
    only_shared: bool,
) -> list[Connector]:
    from cloudscan.nightly.scan import restricted

    plugins = chosen_plugins(config, names)
    if only_shared:
        config = asking_for_shared(config, plugins)
    found: list[Connector] = [opened(config, plugin, path) for plugin in plugins]
    return [restricted(each, only, skip) for each in found] if only or skip else found
