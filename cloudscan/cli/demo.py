"""`cloudscan demo`: a small company in emulators, scanned for real."""

import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloudscan.cli.language import current, echo, spoken
from cloudscan.cli.options import lang_option
from cloudscan.sentence import say

if TYPE_CHECKING:
    from cloudscan.connector import Demo


@click.command()
@click.option(
    "--into", type=click.Path(file_okay=False), default="cloudscan-demo", show_default=True, help="The folder."
)
@click.option("--open", "show", is_flag=True, help="Open the report in the browser.")
@click.option(
    "--serve", is_flag=True, help="Keep the emulators running afterwards, to be scanned from another terminal."
)
@lang_option
def demo(into: str, show: bool, serve: bool, lang: str | None) -> int:
    """Start the emulators, build a small company in them, scan it, and print the report's path.

    Nothing leaves this machine. The scan is real: the connectors talk HTTP to the emulators. The folder then has a
    cloudscan.toml, with which all other commands can be tried. A folder with anything else in it is refused.
    """
    from cloudscan import plugins
    from cloudscan.cli import demo_folder
    from cloudscan.errors import ConfigurationError
    from cloudscan.installation import install_hint

    names = _usable()
    if not names:
        raise ConfigurationError(say("No demo is installed; {how}.", how=install_hint("demo")))
    folder, language = Path(into), lang or current()
    demo_folder.prepare(folder)
    with ExitStack() as running:
        echo(say("Starting the emulators and building a small company …"), err=True)
        with plugins.its_packages(say("The demo"), "demo"):
            demos = {name: running.enter_context(plugins.demo(name).start()) for name in names}
            papers = running.enter_context(_papers())
        comment = say("The demo's company, while the emulators run.")
        file = _configured(folder, demos, {}, papers, language, spoken(comment))
        demo_folder.write_files(folder, papers.files)
        _remember(file, papers)
        page = _scan(file, demos, language)
        if show:
            click.launch(str(page))
        if serve:
            trackers = _trackers(running)
            _configured(folder, demos, trackers, papers, language, spoken(comment))
            _serve(folder, {**demos, **trackers})
    stopped = say("The demo's company. The emulators have stopped; `cloudscan demo --serve` keeps them running.")
    _configured(folder, demos, {}, papers, language, spoken(stopped), running=False)
    if not serve:
        _next_steps(folder)
    return 0


def _configured(
    folder: Path,
    demos: "Mapping[str, Demo]",
    trackers: "Mapping[str, Demo]",
    papers: "Demo",
    language: str,
    comment: str,
    *,
    running: bool = True,
) -> Path:
    """Write the configuration; the emulators' options are in it while they run."""
    from cloudscan.cli import demo_folder

    text = demo_folder.configuration_text(
        folder,
        demo_folder.merged(demo.estate for demo in demos.values()),
        language,
        {name: demo.options for name, demo in demos.items()} if running else {},
        {name: demo.options for name, demo in trackers.items()} if running else {},
        demo_folder.with_paths(papers.tables, papers.files, folder),
        comment,
    )
    return demo_folder.write_configuration(folder, text)


def _papers() -> "AbstractContextManager[Demo]":
    """What the company's administration hands over; nothing where it is not installed."""
    from cloudscan import plugins
    from cloudscan.connector import Demo
    from cloudscan.snapshot.organisation import ORGANISATION

    return plugins.demo(ORGANISATION).start() if ORGANISATION in plugins.demo_names() else nullcontext(Demo(options={}))


def _remember(file: Path, papers: "Demo") -> None:
    """Remember the earlier exports of the company's roster, as `cloudscan roster keep` does."""
    from cloudscan.cli.opening import load_config
    from cloudscan.cli.roster import remember

    for name, day in papers.rosters.items():
        remember(load_config(str(file)), str(file.with_name(name)), day)


def _scan(file: Path, demos: "Mapping[str, Demo]", language: str) -> Path:
    """Scan the company as its configuration says; returns the report's path."""
    from cloudscan import plugins
    from cloudscan.cli.opening import load_config, open_connectors, translations_of
    from cloudscan.cli.scan import ScanRequest, run

    config, chosen = load_config(str(file)), [plugins.connector(name) for name in demos]
    page = file.with_name("report.html")
    request = ScanRequest(
        config=config,
        connectors=open_connectors(config, chosen, str(file)),
        translations=translations_of(config, chosen, str(file)),
        concurrency=config.scan.concurrency,
        fail_on=config.scan.fail_on,
        language=language,
        full=True,
        page=page,
    )
    run(request)
    return page


def _serve(folder: Path, emulators: "Mapping[str, Demo]") -> None:
    """Say how to reach the emulators, and wait for Ctrl-C."""
    from cloudscan.cli.demo_folder import CONFIGURATION

    click.echo(f"\n{(folder / CONFIGURATION).read_text(encoding='utf-8')}")
    echo(say("The emulators are running on 127.0.0.1, with the options above. In another terminal:"), err=True)
    echo(err=True)
    environment = {name: value for emulator in emulators.values() for name, value in emulator.environment.items()}
    for name, value in environment.items():
        setting = f"$env:{name} = '{value}'" if os.name == "nt" else f"export {name}={value}"
        echo(f"    {setting}", err=True)
    _steps(folder, ["doctor", "scan", "gaps", "tickets"])
    echo(err=True)
    echo(say("Ctrl-C stops them."), err=True)
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


def _next_steps(folder: Path) -> None:
    """What can be tried now."""
    echo(err=True)
    echo(say("Try it on this company:"), err=True)
    echo(err=True)
    _steps(
        folder,
        [
            "findings",
            "gaps",
            "who 00105",
            "partners list",
            "templates check",
            "report --lang ja",
            "tickets --dry-run",
            "health",
        ],
    )


def _steps(folder: Path, commands: Sequence[str]) -> None:
    echo(f"    cd {folder}", err=True)
    for command in commands:
        echo(f"    cloudscan {command}", err=True)


def _trackers(running: ExitStack) -> "dict[str, Demo]":
    """The emulated trackers, started; each by the name of its kind."""
    from cloudscan import plugins

    return {name: running.enter_context(plugins.demo_tracker(name).start()) for name in plugins.demo_tracker_names()}


def _usable() -> Sequence[str]:
    """The installed connectors that have a demo and can be loaded; broken ones are reported and skipped."""
    from cloudscan import plugins

    return [name for name in sorted({*plugins.connector_names()} & {*plugins.demo_names()}) if _loads(name)]


def _loads(name: str) -> bool:
    from cloudscan import plugins
    from cloudscan.errors import ConfigurationError

    try:
        plugins.connector(name)
    except ConfigurationError as error:
        echo(say("cloudscan: skipped: {error}", error=error), err=True)
        return False
    return True
