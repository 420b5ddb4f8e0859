"""`cloudscan schedule`."""

import shutil
import sys
from collections.abc import Iterable
from datetime import time
from pathlib import Path

import click

from cloudscan.cli.language import spoken
from cloudscan.cli.opening import load_config
from cloudscan.sentence import say


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
@click.option("--image", help="kubernetes: a container image that contains cloudscan.")
@click.option("--metrics", type=click.Path(dir_okay=False), help="systemd and cron: write metrics to this file.")
@click.pass_obj
def schedule(config_path: str | None, kind: str, at: time, user: str, image: str | None, metrics: str | None) -> None:
    """Print a unit, crontab line or workflow that runs `cloudscan scan` every night. Nothing is written.

    \b
    systemd      a hardened service and its timer
    cron         a line for a crontab
    kubernetes   a CronJob with its ConfigMap and volume
    github       a GitHub Actions workflow
    """
    from cloudscan.config import FILE_NAME
    from cloudscan.errors import ConfigurationError
    from cloudscan.nightly import schedule as scheduling

    config = load_config(config_path)
    here = Path.cwd()
    file = here / (config_path or FILE_NAME)
    if not file.exists():
        raise ConfigurationError(
            say("There is no {file_name} here to scan by; `cloudscan init` writes one.", file_name=FILE_NAME)
        )
    if metrics and kind not in ("systemd", "cron"):
        raise click.UsageError(spoken(say("--metrics is for systemd and cron; leave it out for {kind}.", kind=kind)))
    if not user.replace("-", "").replace("_", "").isalnum():
        raise click.UsageError(
            spoken(say("{user} is not a valid user name; use letters, digits, - and _.", user=repr(user)))
        )
    plan = scheduling.Plan(
        program=_program(),
        config=file,
        config_text=file.read_text(encoding="utf-8"),
        here=here,
        folder=config.folder,
        hour=at.hour,
        minute=at.minute,
        keeps_ledger=config.ledger_url.startswith("sqlite"),
        extras=_extras(config.connectors),
        user=user,
        **({"image": image} if image else {}),
        metrics=here / metrics if metrics else None,
    )
    click.echo(scheduling.KINDS[kind](plan), nl=False)


def _program() -> Path:
    beside = Path(sys.executable).with_name("cloudscan")
    return beside if beside.exists() else Path(shutil.which("cloudscan") or "/usr/local/bin/cloudscan")


def _extras(connectors: Iterable[str]) -> list[str]:
    """The package's extras that are named like a connector."""
    from importlib.metadata import metadata

    known = metadata("cloudscan").get_all("Provides-Extra") or []
    return [name for name in connectors if name in known]
