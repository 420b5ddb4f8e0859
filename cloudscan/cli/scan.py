"""`cloudscan scan` and `cloudscan collect`."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloudscan.cli import completing, terminal
from cloudscan.cli.main import exit_code_for
from cloudscan.cli.opening import (
    chosen_plugins,
    load_config,
    load_rules,
    open_connectors,
    open_format,
    open_ledger,
    redactor,
    translations_of,
    with_only_shared,
)
from cloudscan.cli.options import SEVERITIES, Selection, lang_option, redact_option, rules_option, selection_options
from cloudscan.cli.spark import Engine, engine_options, reader
from cloudscan.config import Config
from cloudscan.connector import Connector
from cloudscan.errors import CloudscanError, ConfigurationError, LedgerError
from cloudscan.finding import Severity, State
from cloudscan.report import Report, ReportFormat
from cloudscan.sentence import joined, say

if TYPE_CHECKING:
    from cloudscan.cli.progress import Progress
    from cloudscan.engine.judge import Params
    from cloudscan.engine.rule_file import Rule
    from cloudscan.ledger.ledger import Ledger
    from cloudscan.nightly.scan_log import ScanLog
    from cloudscan.nightly.selection import ScopeSelection
    from cloudscan.snapshot.collect import Reader
    from cloudscan.snapshot.translation import Translation


_MOST_NAMES = 5


@dataclass(frozen=True, kw_only=True)
class ScanRequest:
    """What to scan, what to judge it by, and where the result goes."""

    config: Config
    connectors: Sequence[Connector]
    concurrency: int  # requests in flight
    fail_on: Severity  # exit code 1 from this severity up
    language: str
    settings: Mapping[str, str] = field(default_factory=dict)  # what was left out, for the snapshot's manifest
    translations: "Mapping[str, Translation]" = field(default_factory=dict)  # what answers are translated by
    rule_folders: Sequence[str] = ()  # beside the shipped and the configured ones
    chosen: "ScopeSelection | None" = None  # None: all scopes
    full: bool = False  # ignore saved cursors
    reader: "Callable[[], AbstractContextManager[Reader]] | None" = None  # what reads the scopes; None: this process
    format: ReportFormat | None = None  # print this instead of the summary
    page: Path | None = None  # of the HTML report; None: in the folder of reports
    metrics: Path | None = None
    json_log: bool = False


@click.command()
@selection_options
@engine_options
@click.option("--full", is_flag=True, help="Ignore saved cursors and read everything again.")
@rules_option
@click.option("--fail-on", type=SEVERITIES, help="Exit 1 from this severity up.  [default: as configured, high]")
@click.option(
    "--format",
    "format_name",
    shell_complete=completing.formats,
    help="Print the report to stdout in this format (json, html), and nothing else.",
)
@click.option("--output", "-o", type=click.Path(dir_okay=False), help="Where the HTML report goes.")
@click.option(
    "--metrics", type=click.Path(dir_okay=False), help="Also write Prometheus metrics, for the textfile collector."
)
@click.option(
    "--log",
    type=click.Choice(["text", "json"]),
    help="json: one JSON object per line on stderr.  [default: as configured, text]",
)
@lang_option
@click.pass_obj
def scan(
    config_path: str | None,
    selection: Selection,
    engine: Engine,
    full: bool,
    rule_folders: Sequence[str],
    fail_on: str | None,
    format_name: str | None,
    output: str | None,
    metrics: str | None,
    log: str | None,
    lang: str | None,
) -> int:
    """Read the clouds, judge what was read, record it in the ledger, write the report.

    An interrupted scan is resumed. What could not be read is listed in the report and makes the exit code 3, or 5 if
    there are findings too, so that a machine can tell a safe night from a blind one. `cloudscan gaps` lists what is
    missing, and `cloudscan waive add --gap` says that it may be.
    """
    config = load_config(config_path)
    chosen = selection.within(config.folder / "snapshots")
    connectors, translations = _open_connectors(config, config_path, selection)
    request = ScanRequest(
        config=config,
        connectors=connectors,
        translations=translations,
        chosen=chosen,
        concurrency=selection.concurrency or config.scan.concurrency,
        fail_on=Severity(fail_on) if fail_on else config.scan.fail_on,
        language=lang or config.organisation.language,
        settings=selection.settings,
        rule_folders=rule_folders,
        full=full,
        reader=partial(reader, engine, config, config_path, selection, chosen, full=full),
        format=open_format(config, format_name, config_path) if format_name else None,
        page=Path(output) if output else None,
        metrics=Path(metrics) if metrics else None,
        json_log=(log or config.scan.log) == "json",
    )
    return run(request)


@click.command()
@selection_options
@engine_options
@click.option("--into", type=click.Path(file_okay=False), help="The snapshot's folder.  [default: a new one]")
@redact_option
@click.pass_obj
def collect(config_path: str | None, selection: Selection, engine: Engine, into: str | None, redacting: bool) -> int:
    """Read the clouds into a snapshot, without judging. Prints the snapshot's folder."""
    from cloudscan.nightly.knowledge import known_on
    from cloudscan.nightly.selection import fault, restricted
    from cloudscan.organisation.joining import joiner
    from cloudscan.snapshot import store
    from cloudscan.snapshot.collect import CollectOptions
    from cloudscan.snapshot.collect import collect as collecting
    from cloudscan.snapshot.seal import SealOptions

    config = load_config(config_path)
    chosen, settings = selection.within(config.folder / "snapshots"), selection.settings
    opened, translations = _open_connectors(config, config_path, selection)
    connectors = [restricted(one, chosen) for one in opened]
    scanned = store.Scanned(
        connectors=[connector.name for connector in connectors], settings=settings, translations=translations
    )
    folder = Path(into) if into else store.new_folder(config.folder / "snapshots", datetime.now(UTC), scanned)
    progress = _progress((), {}, config.organisation.language)
    try:
        with reader(engine, config, config_path, selection, chosen, full=True) as read:
            snapshot = collecting(
                connectors,
                folder,
                options=CollectOptions(
                    concurrency=selection.concurrency or config.scan.concurrency,
                    max_seconds=config.seconds_to_read(datetime.now(UTC)),
                    seal=SealOptions(join=joiner(known_on(config, datetime.now(UTC)).knowledge)),
                    settings=settings,
                    translations=translations,
                ),
                read=read,
                **({"on_event": progress} if progress else {}),
            )
    finally:
        if progress:
            progress.close()
    _warn_undecided(chosen)
    with snapshot:
        complete = snapshot.scan.complete
        if problem := fault(chosen.unmatched(snapshot.coverage()), snapshot.coverage()):
            raise ConfigurationError(
                say("{problem} The snapshot {path} has the rest.", problem=problem, path=snapshot.path)
            )
        if redacting:
            from cloudscan.redaction.snapshot import replace

            replace(snapshot, redactor(config))
        click.echo(snapshot.path)
    return exit_code_for(findings=False, incomplete=not complete)


def run(request: ScanRequest) -> int:
    """Scan, publish the report, and give the exit code. Raises `CloudscanError`."""
    from cloudscan.cli.log import warn
    from cloudscan.nightly.lost_ledger import begins_anew
    from cloudscan.nightly.scan_log import LogEvent, ScanLog

    config = request.config
    rules = load_rules(config, request.rule_folders, for_judging=True)
    ledger = open_ledger(config, wait_seconds=config.ledger.wait_seconds)
    if notice := begins_anew(ledger.file, config.folder):
        warn(notice, LogEvent.LEDGER_NEW)
    log = ScanLog()
    progress = None if request.json_log else _progress(rules, config.rules, request.language)
    try:
        report = _scan(request, rules, ledger, log, progress)
    finally:
        if progress:
            progress.close()
    _warn_undecided(request.chosen)
    code = exit_code(report, request.fail_on)
    log.line(LogEvent.FINISHED, exit_code=code)
    return code


def _warn_undecided(chosen: "ScopeSelection | None") -> None:
    """Say what was read although it may have nothing that ``--only`` names."""
    from cloudscan.cli.log import warn

    part = chosen.part if chosen else None
    if part is None or not part.undecided:
        return
    names, more = sorted(part.undecided), len(part.undecided) - _MOST_NAMES
    shown = [*names[:_MOST_NAMES], *([say("and {count} more", count=more)] if more > 0 else [])]
    warn(
        say(
            "{only} could not be narrowed to scopes everywhere. Read all the same, since they lead to others or are "
            "new: {names}.",
            only=" ".join(f"--only {word}" for word in part.words),
            names=joined(shown, ", "),
        ),
        "scan.not_narrowed",
    )


def _progress(rules: "Sequence[Rule]", params: "Params", language: str) -> "Progress | None":
    """A display on stderr if that is a terminal, else None."""
    if not terminal.is_live(sys.stderr):
        return None
    from cloudscan.cli.progress import Progress

    return Progress(rules, params, language)


def exit_code(report: Report, fail_on: Severity) -> int:
    """1 for findings, 3 for gaps, 5 for both. What is waived does not count."""
    work = (finding for finding in report.findings if finding.state is not State.WAIVED)
    return exit_code_for(findings=any(finding.severity >= fail_on for finding in work), incomplete=not report.complete)


def _scan(
    request: ScanRequest,
    rules: "Sequence[Rule]",
    ledger: "Ledger",
    log: "ScanLog",
    progress: "Progress | None",
) -> Report:
    from cloudscan.nightly.knowledge import known_on
    from cloudscan.nightly.scan import run_nightly
    from cloudscan.organisation.joining import joiner
    from cloudscan.snapshot import lock
    from cloudscan.snapshot.collect import CollectOptions, read_here
    from cloudscan.snapshot.seal import SealOptions

    config, now = request.config, datetime.now(UTC)

    def publish(report: Report) -> None:
        if progress:
            progress.close()
        _publish(report, request, log)

    try:
        with (
            lock.exclusive(config.folder),
            request.reader() if request.reader else nullcontext(read_here) as read,
        ):
            _upgrade(ledger)
            known = known_on(config, now)
            known.remember(config)
            return run_nightly(
                request.connectors,
                rules,
                snapshots=config.folder / "snapshots",
                ledger=ledger,
                publish=publish,
                now=now,
                organisation=config.organisation.name,
                params=config.rules,
                options=CollectOptions(
                    concurrency=request.concurrency,
                    max_seconds=config.seconds_to_read(now),
                    seal=SealOptions(join=joiner(known.knowledge)),
                    settings=request.settings,
                    translations=request.translations,
                ),
                chosen=request.chosen,
                full=request.full,
                on_event=progress or log,
                read=read,
            )
    except LedgerError as error:
        raise type(error)(f"{error} The snapshot is kept; the next `cloudscan scan` will record it.") from error


def _upgrade(ledger: "Ledger") -> None:
    """Bring an older ledger up to date: what is known of its waivers is read before the scan is recorded."""
    if ledger.file is None or ledger.file.exists():
        with suppress(LedgerError):  # reading goes on without it; recording says what is wrong
            ledger.upgrade()


def _publish(report: Report, request: ScanRequest, log: "ScanLog") -> None:
    """Write the page, the metrics and the output; notify; remove what is too old."""
    from cloudscan.cli import output

    config, language = request.config, request.language
    page = output.write_page(report, config.folder / "reports", request.page, language)
    _export_metrics(report, request.metrics)
    if request.format:
        output.report_to_stdout(request.format, report, language)
        if not request.json_log:
            output.unread(report)
    else:
        output.summary(report, language)
        click.echo(f"\n{page}")
    log.recorded(report)
    if config.notify.wanted and config.notify.after_scan:
        _notify(config)
    _prune(config, log)


def _export_metrics(report: Report, path: Path | None) -> None:
    """Write or send the metrics. A collector that is down is reported and does not fail the scan."""
    from cloudscan.cli.log import warn
    from cloudscan.nightly import metrics, telemetry
    from cloudscan.nightly.scan_log import LogEvent

    measured = metrics.of(report)
    if path:
        metrics.write(measured, path)
    if telemetry.wanted(os.environ):
        try:
            telemetry.send(measured)
        except ConfigurationError as error:
            warn(error, LogEvent.EXPORT_FAILED)


def _prune(config: Config, log: "ScanLog") -> None:
    from cloudscan.cli.log import warn
    from cloudscan.days import day_of
    from cloudscan.nightly import retention
    from cloudscan.nightly.scan_log import LogEvent

    now = datetime.now(UTC)
    today = day_of(now, config.organisation.timezone)
    try:
        removed = retention.remove(config.folder, retention.due(config.folder, config.retention, now))
        people = retention.forget_people(config.folder, config.retention, today)
    except ConfigurationError as error:
        warn(error, LogEvent.REMOVAL_FAILED)
    else:
        if removed or people:
            log.line(LogEvent.REMOVED, count=len(removed), people=people)


def _notify(config: Config) -> None:
    """Notify. A notification that cannot be sent is reported and does not fail the scan."""
    from cloudscan.cli import notify
    from cloudscan.cli.log import warn
    from cloudscan.nightly.scan_log import LogEvent

    try:
        troubles = notify.deliver(config).troubles
    except CloudscanError as error:
        warn(say("could not notify: {error}", error=error), LogEvent.NOTIFICATION_FAILED)
    else:
        for trouble in troubles:
            warn(trouble, LogEvent.NOTIFICATION_FAILED)


def _open_connectors(
    config: Config, path: str | None, selection: Selection
) -> "tuple[list[Connector], dict[str, Translation]]":
    plugins = chosen_plugins(config, selection.connectors)
    if selection.only_shared:
        config = with_only_shared(config, plugins)
    return open_connectors(config, plugins, path), translations_of(config, plugins, path)
