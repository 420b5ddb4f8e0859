"""`cloudscan prune`."""

from datetime import UTC, datetime

import click

from cloudscan.cli.language import echo, spoken
from cloudscan.cli.opening import load_config
from cloudscan.sentence import say


@click.command()
@click.option("--dry-run", is_flag=True, help="Only list what would be removed.")
@click.pass_obj
def prune(config_path: str | None, dry_run: bool) -> None:
    """Remove snapshots and reports that are older than [retention] allows. Every scan does so at its end.

    The newest snapshot, the newest complete one, one that is not recorded yet and one that is being read are kept,
    whatever their age.
    """
    from cloudscan.nightly import retention
    from cloudscan.snapshot import lock

    config = load_config(config_path)
    removals = retention.due(config.folder, config.retention, datetime.now(UTC))
    if not dry_run:
        with lock.exclusive(config.folder):
            removals = retention.remove(config.folder, removals)
    for removal in removals:
        echo(f"{removal.path}: {spoken(removal.why)}")
    number = len(removals)
    echo(say("To be removed: {number}.", number=number) if dry_run else say("Removed: {number}.", number=number))
