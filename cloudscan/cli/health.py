"""`cloudscan health`."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloudscan.cli.language import echo, spoken
from cloudscan.cli.opening import load_config, open_ledger
from cloudscan.sentence import joined, say

if TYPE_CHECKING:
    from cloudscan.nightly.health import Left

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _span(_context: click.Context, _option: click.Parameter, value: str) -> timedelta:
    written = re.fullmatch(r"(\d{1,6})([mhd])", value)
    if not written:
        raise click.BadParameter(
            spoken(say("{value} is not a duration; write it as 26h, 90m or 2d.", value=repr(value)))
        )
    return timedelta(**{_UNITS[written[2]]: int(written[1])})


@click.command()
@click.option("--max-age", callback=_span, default="26h", show_default=True, help="Maximum age of the last scan.")
@click.option("--max-drop", type=click.FloatRange(0, 100), default=20, show_default=True,
              help="Largest tolerated drop in scopes or resources since the previous scan, in percent.")  # fmt: skip
@click.option("--max-throttled", type=click.FloatRange(0, 100), default=10, show_default=True,
              help="Largest tolerated share of throttled requests, in percent.")  # fmt: skip
@click.option("--format", "format_name", type=click.Choice(["text", "json", "prometheus"]), default="text",
              show_default=True, help="One line, JSON, or Prometheus metrics.")  # fmt: skip
@click.option("--metrics", type=click.Path(dir_okay=False), help="Also write Prometheus metrics to this file.")
@click.pass_obj
def health(
    config_path: str | None,
    max_age: timedelta,
    max_drop: float,
    max_throttled: float,
    format_name: str,
    metrics: str | None,
) -> int:
    """Report the health of the nightly scans. Nothing is scanned; the exit codes are those of monitoring plugins.

    \b
    0 OK        the last scan is recent and read everything, but for gaps that are waived
    1 WARNING   something could not be read, somebody was not told, or the platforms throttled a lot
    2 CRITICAL  no scan for too long, one died or was not recorded, or it covered less than the one before
    3 UNKNOWN   the ledger cannot be read, or the options are wrong
    """
    import msgspec

    from cloudscan.errors import CloudscanError
    from cloudscan.nightly import health as judging
    from cloudscan.nightly import metrics as measuring

    try:
        config = load_config(config_path)
        ledger = open_ledger(config)
        health = judging.verdict(
            ledger.trend(),
            _leftovers(config.folder),
            datetime.now(UTC),
            judging.Limits(max_age=max_age, drop_percent=max_drop, throttle_percent=max_throttled),
            judging.Informed(
                channels=ledger.channels(),
                notified=config.notify.wanted and config.notify.after_scan,
                trackers=list(config.trackers),
            ),
        )
    except CloudscanError as error:
        health = judging.unknown(joined((error,)))
    numbers = judging.metrics(health)
    if metrics:
        measuring.write(numbers, Path(metrics))
    if format_name == "json":
        checks = [{"name": check.name, "status": check.level.name, "message": check.message} for check in health.checks]
        content = {
            "status": health.level.name,
            "code": int(health.level),
            "checks": checks,
            "age_seconds": health.age_seconds,
        }
        click.echo(msgspec.json.encode(content, enc_hook=str))
    elif format_name == "prometheus":
        click.echo(measuring.text(numbers), nl=False)
    else:
        echo(health.line)
    return int(health.level)


def _leftovers(home: Path) -> "Left":
    """What earlier scans left in the folder of scans."""
    from cloudscan.nightly.health import Left
    from cloudscan.snapshot import lock, store

    snapshots = home / "snapshots"
    if not _can_be_listed(snapshots):
        return Left(hidden=True)
    latest = store.latest_snapshot(snapshots)
    records = [
        record
        for folder in snapshots.glob("*")
        if (latest is None or folder > latest) and (record := store.record_of(folder)) is not None
    ]
    return Left(
        running=lock.is_locked(home),
        interrupted_on=max((record.started_on for record in records), default=None),
        unrecorded=len(store.due(snapshots)),
    )


def _can_be_listed(folder: Path) -> bool:
    """Whether this user can see what is in a folder; one that is not there is seen to be empty."""
    try:
        return not folder.exists() or os.access(folder, os.R_OK | os.X_OK)
    except PermissionError:
        return False
