"""`cloudscan health`."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloudscan.cli.opening import load_config, open_ledger

if TYPE_CHECKING:
    from cloudscan.nightly.health import Left

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _span(_context: click.Context, _option: click.Parameter, value: str) -> timedelta:
    written = re.fullmatch(r"(\d{1,6})([mhd])", value)
    if not written:
        raise click.BadParameter(f"{value!r} is no span of time; write it like 26h, 90m or 2d.")
    return timedelta(**{_UNITS[written[2]]: int(written[1])})


@click.command()
@click.option("--max-age", callback=_span, default="26h", show_default=True, help="So old may the last scan be.")
@click.option("--max-drop", type=click.FloatRange(0, 100), default=20, show_default=True,
              help="So many per cent fewer scopes or resources than the scan before.")  # fmt: skip
@click.option("--max-throttled", type=click.FloatRange(0, 100), default=10, show_default=True,
              help="So many per cent of the requests may be throttled.")  # fmt: skip
@click.option("--format", "format_name", type=click.Choice(["text", "json", "prometheus"]), default="text",
              show_default=True, help="One line, JSON, or Prometheus metrics.")  # fmt: skip
@click.option("--metrics", type=click.Path(dir_okay=False), help="Write Prometheus metrics there too.")
@click.pass_obj
def health(
    config_path: str | None,
    max_age: timedelta,
    max_drop: float,
    max_throttled: float,
    format_name: str,
    metrics: str | None,
) -> int:
    """Tell whether the nights go well. Nothing is scanned; the exit codes are those of monitoring plugins.

    \b
    0 OK        the last scan is young enough and read everything
    1 WARNING   something could not be read, or the platforms throttled a lot
    2 CRITICAL  no scan for too long, one died or was not entered, or it covered less than the one before
    3 UNKNOWN   the ledger cannot be read
    """
    import msgspec

    from cloudscan.errors import CloudscanError
    from cloudscan.nightly import health as judging
    from cloudscan.nightly import metrics as measuring

    try:
        config = load_config(config_path)
        found = judging.verdict(
            open_ledger(config).trend(),
            _left(config.folder),
            datetime.now(UTC),
            judging.Limits(max_age=max_age, drop_percent=max_drop, throttle_percent=max_throttled),
        )
    except CloudscanError as error:
        found = judging.unknown(str(error))
    numbers = judging.metrics(found)
    if metrics:
        measuring.write(numbers, Path(metrics))
    if format_name == "json":
        checks = [{"name": each.name, "status": each.level.name, "words": each.words} for each in found.checks]
        told = {
            "status": found.level.name,
            "code": int(found.level),
            "checks": checks,
            "age_seconds": found.age_seconds,
        }
        click.echo(msgspec.json.encode(told))
    elif format_name == "prometheus":
        click.echo(measuring.text(numbers), nl=False)
    else:
        from cloudscan.text import plain

        click.echo(plain(found.line))
    return int(found.level)


def _left(home: Path) -> "Left":
    from cloudscan.nightly.health import Left
    from cloudscan.snapshot import lock, store

    snapshots = home / "snapshots"
    latest = store.latest_snapshot(snapshots)
    records = [
        record
        for folder in snapshots.glob("*")
        if (latest is None or folder > latest) and (record := store.record_of(folder)) is not None
    ]
    return Left(
        running=lock.is_locked(home),
        interrupted_on=max((record.started_on for record in records), default=None),
        unentered=len(store.due(snapshots)),
    )
