"""`cloudscan doctor`: everything that a scan, its report, tickets and notices will need, loaded and tried."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from cloudscan import config as configuration
from cloudscan import plugins
from cloudscan.cli import completing
from cloudscan.cli.language import echo, spoken
from cloudscan.cli.notify import open_notifier
from cloudscan.cli.opening import chosen_connectors, load_config, load_rules, open_format, open_ledger
from cloudscan.cli.trackers import open_tracker, projects_of
from cloudscan.config import Config
from cloudscan.connector import Check
from cloudscan.days import clock_time
from cloudscan.errors import CloudscanError, ConfigurationError
from cloudscan.sentence import joined, say
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.snapshot.store import latest_snapshot
from cloudscan.text import plain
from cloudscan.ticketing.asking import Asking
from cloudscan.tracker import Listing, Tracker

_MOST_SHOWN: Final = 10  # entries that reach nothing
_LEAST_FREE: Final = 1 << 30  # bytes: a snapshot of a million files, twice


@click.command()
@click.option(
    "--connector",
    "names",
    multiple=True,
    shell_complete=completing.connectors,
    help="Check only this connector. Repeatable.",
)
@click.pass_obj
def doctor(config_path: str | None, names: Sequence[str]) -> int:
    """Check all that a scan needs, and say how to fix what is wrong.

    Configuration, rules, folder, ledger, report formats, trackers, notifications, and each platform with its
    permissions. Nothing is sent or changed. A tracker is asked for its tickets, for which its token is needed.
    """
    bad = 0
    for check in _checks(config_path, names):
        bad += not check.ok
        echo(f"{'ok ' if check.ok else 'BAD'}  {spoken(check.what)}")
        if not check.ok and check.remedy:
            echo(f"     → {spoken(check.remedy)}")
    return 2 if bad else 0


def _checks(path: str | None, names: Sequence[str]) -> Iterator[Check]:
    try:
        config = load_config(path)
    except CloudscanError as error:
        yield _bad(say("configuration"), error)
        return
    exists = Path(path or configuration.FILE_NAME).exists()
    without = say("configuration: no cloudscan.toml, defaults are used")
    yield Check(ok=True, what=say("configuration") if exists else without)
    yield _tried(say("rules"), lambda: say("rules: {count}", count=len(load_rules(config, for_judging=True))))
    yield _tried(say("folder"), lambda: _folder(config))
    yield _tried(say("ledger"), lambda: _ledger(config))
    if config.ranks:
        yield _tried(say("ranks"), lambda: _ranks(config))
    if config.templates.files:
        yield _tried(say("templates"), lambda: _templates(config))
    for name in dict.fromkeys(["html", *config.reports]):
        yield _tried(say("format {name}", name=name), lambda name=name: _format(config, name, path))  # type: ignore[misc]
    for name in config.trackers:
        yield from _tracker(config, name, path)
    if config.notify.wanted:
        yield _tried(say("notifications"), lambda: _notifications(config))
    try:
        chosen = chosen_connectors(config, names)
    except CloudscanError as error:
        yield _bad(say("connectors"), error)
        return
    for name in chosen:
        yield from _platform(config, name, Path(path) if path else None)


def _tried(what: str, attempt: Callable[[], str]) -> Check:
    """One check: what `attempt` says, or the error that it raises."""
    try:
        return Check(ok=True, what=attempt())
    except CloudscanError as error:
        return _bad(what, error)


def _bad(what: str, error: CloudscanError) -> Check:
    return Check(ok=False, what=what, remedy=error.args[0] if error.args else str(error))


def _folder(config: Config) -> str:
    """Whether the folder can be written to, or made where it does not exist."""
    folder = config.folder
    there = next((one for one in (folder, *folder.absolute().parents) if one.exists()), folder)
    if not there.is_dir():
        raise ConfigurationError(say("{folder} is a file; choose another [scan] folder.", folder=there))
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigurationError(
            say(
                "{folder} may not be written to; change its permissions, or choose another [scan] folder.", folder=there
            )
        )
    free = shutil.disk_usage(there).free
    if free < _LEAST_FREE:
        raise ConfigurationError(
            say(
                "{folder} has {free} MB left, and a scan may need 1 GB; free some space.", folder=there, free=free >> 20
            )
        )
    return say("folder: {folder}, {free} GB free", folder=folder, free=free >> 30)


def _ledger(config: Config) -> str:
    last = open_ledger(config).latest()
    if last is None:
        return say("ledger: no scan yet")
    return say("ledger: last scan {moment}", moment=clock_time(last.scan.started_on, last.timezone))


def _ranks(config: Config) -> str:
    """How far the entries reach in the last snapshot. One that reaches nothing yet is no fault."""
    from cloudscan.nightly.knowledge import rank_lines
    from cloudscan.organisation import rank_lookup

    lines, folder = rank_lines(config.ranks), latest_snapshot(config.folder / "snapshots")
    if folder is None:
        return say("ranks: {count} entries, not tried: no scan yet", count=len(lines))
    with Snapshot.open(folder) as snapshot:
        rank_lookup.rank(snapshot, lines)
        idle = rank_lookup.counts(snapshot, lines).idle
    if not idle:
        return say("ranks: {count} entries, all reach something", count=len(lines))
    shown = ", ".join(repr(plain(line.value)) for line in idle[:_MOST_SHOWN])
    return say("ranks: {idle} of {count} entries reach nothing: {shown}", idle=len(idle), count=len(lines), shown=shown)


def _templates(config: Config) -> str:
    """Whether the permission templates can be read. Raises `ConfigurationError` with the first problem."""
    from cloudscan.nightly.template_files import read_templates

    read, problems = read_templates(config.templates.files, plugins.connector_names())
    if problems:
        raise ConfigurationError(say("{problem}.", problem=problems[0]))
    return say("templates: {count}", count=len(read))


def _format(config: Config, name: str, path: str | None) -> str:
    chosen = open_format(config, name, path) if name in config.reports else plugins.report_format(name)
    plugins.check_packages(f"The format {name}", name, chosen.packages)
    return say("format {name}", name=name)


def _tracker(config: Config, name: str, path: str | None) -> Iterator[Check]:
    """Open a tracker, ask for the first ticket of each project, and for what the project requires."""
    what = say("tracker {name}", name=name)
    try:
        asking = Asking(tracker=name)
        tracker = asking.once(lambda: open_tracker(config, name, Path(path) if path else None))
        if tracker.listing is Listing.NONE:
            for remedy in tracker.check(""):
                yield Check(ok=False, what=what, remedy=remedy)
            yield Check(ok=True, what=say("tracker {name}: it cannot be asked, only sent to", name=name))
            return
        for project in projects_of(config, name):
            with plugins.its_packages(what, "trackers"):
                yield from _project(asking, tracker, name, project)
    except CloudscanError as error:
        yield _bad(what, error)


def _project(asking: Asking, tracker: Tracker, name: str, project: str) -> Iterator[Check]:
    where = joined([say("tracker {name}", name=name), project]) if project else say("tracker {name}", name=name)
    try:
        asking.retrying(lambda: next(iter(tracker.existing(project)), None))
        lacking = asking.retrying(lambda: list(tracker.check(project)))
    except CloudscanError as error:
        yield _bad(where, error)
        return
    for remedy in lacking:
        yield Check(ok=False, what=where, remedy=remedy)
    if not lacking:
        yield Check(ok=True, what=say("{where}: its tickets can be read", where=where))


def _notifications(config: Config) -> str:
    addresses = open_notifier(config).addresses()
    return say("notifications: to {addresses}", addresses=", ".join(address.shown for address in addresses))


def _platform(config: Config, name: str, path: Path | None) -> Iterable[Check]:
    """The checks of one connector; whatever its plugin raises is one more that failed."""
    what = say("connector {name}", name=name)
    try:
        plugin = plugins.connector(name)
        configuration.check_ids(config, [plugin], path)
        options = configuration.options(config, name, plugin.options, path)
        plugins.check_packages(name, name, plugin.packages)
        yield Check(ok=True, what=say("connector {name}: {title}", name=name, title=plugin.title))
        if plugin.doctor:
            with plugins.its_errors(name), plugins.its_packages(name, name):
                yield from plugin.doctor(options, config.estate)
    except CloudscanError as error:
        yield _bad(what, error)
