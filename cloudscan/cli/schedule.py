"""`cloudscan schedule`."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloudscan.cli.language import spoken
from cloudscan.cli.opening import load_config
from cloudscan.sentence import say

if TYPE_CHECKING:
    from cloudscan.config import Config
    from cloudscan.nightly.schedule.requirements import Requirements

_ELSEWHERE = ("kubernetes", "github")  # they do not run on this machine


def _time(_context: click.Context, _option: click.Parameter, value: str) -> time:
    hour, colon, minute = value.partition(":")
    if not colon or not (hour + minute).isdecimal() or int(hour) > 23 or int(minute or 60) > 59:
        raise click.BadParameter(spoken(say("{value} is not a time of day; write it as 03:30.", value=repr(value))))
    return time(int(hour), int(minute))


@click.command()
@click.argument("kind", type=click.Choice(["systemd", "cron", "kubernetes", "github"]))
@click.option(
    "--at",
    metavar="HH:MM",
    callback=_time,
    default="03:00",
    show_default=True,
    help="When, every night: the machine's time for systemd and cron, UTC for kubernetes and github.",
)
@click.option("--user", default="cloudscan", show_default=True, help="systemd: the user that scans.")
@click.option("--image", help="kubernetes: the image of deploy/container/Containerfile, in a registry of yours.")
@click.option("--metrics", type=click.Path(dir_okay=False), help="systemd and cron: write metrics to this file.")
@click.pass_obj
def schedule(config_path: str | None, kind: str, at: time, user: str, image: str | None, metrics: str | None) -> None:
    """Print a unit, crontab line or workflow that runs `cloudscan nightly`. Nothing is written.

    \b
    systemd      hardened services and their timers
    cron         lines for a crontab
    kubernetes   a CronJob with its ConfigMaps, volume and network policy
    github       a GitHub Actions workflow

    What the configuration needs (variables, files, folders of rules, a step that signs in) is listed and mounted.
    Beside the scan, `cloudscan health` is scheduled.
    """
    from cloudscan.config import FILE_NAME
    from cloudscan.errors import ConfigurationError
    from cloudscan.nightly import schedule as scheduling
    from cloudscan.nightly.schedule.plan import Plan
    from cloudscan.nightly.schedule.requirements import local_paths, rewritten

    config = load_config(config_path)
    here = Path.cwd()
    file = here / (config_path or FILE_NAME)
    if not file.exists():
        raise ConfigurationError(
            say("There is no {file} here to scan by; `cloudscan init` writes one.", file=FILE_NAME)
        )
    if metrics and kind in _ELSEWHERE:
        raise click.UsageError(spoken(say("--metrics is for systemd and cron; leave it out for {kind}.", kind=kind)))
    if not user.replace("-", "").replace("_", "").isalnum():
        raise click.UsageError(
            spoken(say("{user} is not a valid user name; use letters, digits, - and _.", user=repr(user)))
        )
    needs = _requirements(config, Path(config_path) if config_path else None)
    text = file.read_text(encoding="utf-8-sig")
    plan = Plan(
        program=_program(),
        config=file,
        config_text=rewritten(text, local_paths(config, needs)) if kind == "kubernetes" else text,
        here=here,
        folder=config.folder,
        hour=at.hour,
        minute=at.minute,
        keeps_ledger=config.ledger_url.startswith("sqlite"),
        needs=needs,
        rule_files={folder: _rule_texts(Path(folder)) for folder in needs.rule_folders},
        user=user,
        **({"image": image} if image else {}),
        metrics=here / metrics if metrics else None,
    )
    click.echo(scheduling.KINDS[kind](plan), nl=False)


def _requirements(config: "Config", path: Path | None) -> "Requirements":
    """What the configuration needs, as the installed connectors and trackers say."""
    from cloudscan import config as configuration
    from cloudscan import plugins
    from cloudscan.nightly.schedule.requirements import requirements

    needs = {}
    for name in config.connectors:
        plugin = plugins.connector(name)
        if plugin.needs is not None:
            needs[name] = plugin.needs(configuration.options(config, name, plugin.options, path))
    secrets = {name: plugins.tracker(str(table.get("kind", name))).secrets for name, table in config.trackers.items()}
    return requirements(config, needs=needs, secrets=secrets, known_extras=_extras(), telemetry=_telemetry(os.environ))


def _telemetry(environment: Mapping[str, str]) -> Sequence[str]:
    from cloudscan.nightly import telemetry

    names = [name for name in environment if name.startswith("OTEL_")]
    return sorted(names) if telemetry.wanted(environment) else ()


def _rule_texts(folder: Path) -> Mapping[str, str]:
    """The rule files below a folder, by their path in it. Raises `ConfigurationError`."""
    from cloudscan.errors import ConfigurationError

    files = sorted(folder.rglob("*.y*ml"))
    if not files:
        raise ConfigurationError(
            say("[scan] rules: there are no rule files in {folder}; check the path.", folder=folder)
        )
    try:
        return {file.relative_to(folder).as_posix(): file.read_text("utf-8") for file in files}
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            say("[scan] rules: a file in {folder} is not UTF-8 text; save it as UTF-8.", folder=folder)
        ) from error


def _program() -> Path:
    beside = Path(sys.executable).with_name("cloudscan")
    return beside if beside.exists() else Path(shutil.which("cloudscan") or "/usr/local/bin/cloudscan")


def _extras() -> Sequence[str]:
    from importlib.metadata import metadata

    return metadata("cloudscan").get_all("Provides-Extra") or []
