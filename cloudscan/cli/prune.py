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
    whatever their age. People who are on no roster any more are forgotten.
    """
    from cloudscan.days import day_of
    from cloudscan.nightly import retention
    from cloudscan.snapshot import lock

    config = load_config(config_path)
    now = datetime.now(UTC)
    today = day_of(now, config.organisation.timezone)
    removals = retention.due(config.folder, config.retention, now)
    if dry_run:
        people = retention.people_due(config.folder, config.retention, today)
    else:
        with lock.exclusive(config.folder):
            removals = retention.remove(config.folder, removals)
            people = retention.forget_people(config.folder, config.retention, today)
    for removal in removals:
        echo(f"{removal.path}: {spoken(removal.why)}")
    number = len(removals)
    echo(say("To be removed: {number}.", number=number) if dry_run else say("Removed: {number}.", number=number))
    if people and dry_run:
        echo(say("People to be forgotten: {number}.", number=people))
    elif people:
        echo(say("People forgotten: {number}.", number=people))
