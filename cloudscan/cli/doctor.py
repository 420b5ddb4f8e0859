"""`cloudscan doctor`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from cloudscan import config as configuration
from cloudscan import plugins
from cloudscan.cli.opening import chosen_plugins, load_config, load_rules, open_ledger
from cloudscan.config import Config
from cloudscan.connector import Check, ConnectorPlugin
from cloudscan.errors import CloudscanError


@click.command()
@click.option("--connector", "names", multiple=True, help="Check only this connector. Repeatable.")
@click.pass_obj
def doctor(config_path: str | None, names: Sequence[str]) -> int:
    """Check configuration, rules, ledger and permissions, and say how to fix what is wrong."""
    bad = 0
    for check in _checks(config_path, names):
        bad += not check.ok
        click.echo(f"{'ok ' if check.ok else 'BAD'}  {check.what}")
        if not check.ok and check.remedy:
            click.echo(f"     → {check.remedy}")
    return 2 if bad else 0


def _checks(path: str | None, names: Sequence[str]) -> Iterator[Check]:
    try:
        config = load_config(path)
    except CloudscanError as error:
        yield Check(ok=False, what="configuration", remedy=str(error))
        return
    exists = Path(path or configuration.FILE_NAME).exists()
    yield Check(ok=True, what="configuration" if exists else "configuration: no cloudscan.toml, defaults are used")
    try:
        yield Check(ok=True, what=f"rules: {len(load_rules(config, for_judging=True))}")
    except CloudscanError as error:
        yield Check(ok=False, what="rules", remedy=str(error))
    try:
        last = open_ledger(config).latest()
        yield Check(
            ok=True,
            what=f"ledger: last scan {last.scan.started_on:%Y-%m-%d %H:%M} UTC" if last else "ledger: no scan yet",
        )
    except CloudscanError as error:
        yield Check(ok=False, what="ledger", remedy=str(error))
    try:
        chosen = chosen_plugins(config, names)
    except CloudscanError as error:
        yield Check(ok=False, what="connectors", remedy=str(error))
        return
    for plugin in chosen:
        yield from _checks_of(config, plugin, Path(path) if path else None)


def _checks_of(config: Config, plugin: ConnectorPlugin, path: Path | None) -> Iterator[Check]:
    """The checks of one connector; whatever its plugin raises is one more that failed."""
    try:
        options = configuration.options(config, plugin.name, plugin.options, path)
        yield Check(ok=True, what=f"connector {plugin.name}: {plugin.title}")
        if plugin.doctor:
            with plugins.its_errors(plugin.name), plugins.its_packages(plugin.name, plugin.name):
                yield from plugin.doctor(options, config.estate)
    except CloudscanError as error:
        yield Check(ok=False, what=f"connector {plugin.name}", remedy=str(error))
