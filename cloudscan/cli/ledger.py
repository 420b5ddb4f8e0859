"""`cloudscan ledger upgrade|repair`."""

from datetime import UTC, datetime

import click

from cloudscan.cli.help import Group
from cloudscan.cli.language import echo
from cloudscan.cli.opening import load_config, open_ledger
from cloudscan.sentence import say


@click.group(cls=Group)
def ledger() -> None:
    """Look after the history of findings."""


@ledger.command()
@click.pass_obj
def upgrade(config_path: str | None) -> None:
    """Bring the history of an older cloudscan up to date, as the next scan would.

    What only reads, such as `cloudscan findings`, leaves it as it is and asks for this.
    """
    open_ledger(load_config(config_path)).upgrade()
    echo(say("The ledger is up to date."))


@ledger.command()
@click.option("--dry-run", is_flag=True, help="Only list what would be corrected.")
@click.pass_obj
def repair(config_path: str | None, dry_run: bool) -> None:
    """Correct a history that a wrong clock has dated ahead, so that nightly scans can continue.

    Scans that are dated later than now move to just after the scan before them, with all that was recorded with them;
    the folders of their snapshots follow. Nothing is removed. Check the clock of this machine first.
    """
    from cloudscan.nightly import repair as repairing
    from cloudscan.snapshot import lock

    config = load_config(config_path)
    history, now = open_ledger(config), datetime.now(UTC)
    with lock.exclusive(config.folder):
        needed = repairing.due(history, config.folder / "snapshots", now)
        for was, becomes in needed.scans:
            echo(
                say(
                    "scan of {was} UTC: {becomes} UTC",
                    was=f"{was:%Y-%m-%d %H:%M:%S}",
                    becomes=f"{becomes:%Y-%m-%d %H:%M:%S}",
                )
            )
        for folder, start in needed.snapshots:
            echo(say("{folder}: {start} UTC", folder=folder, start=f"{start:%Y-%m-%d %H:%M:%S}"))
        if not needed:
            echo(say("Nothing is dated later than now ({now} UTC).", now=f"{now:%Y-%m-%d %H:%M}"))
            return
        if not dry_run:
            repairing.apply(needed, history)
    number = len(needed.scans)
    echo(
        say("Scans to correct: {number}.", number=number)
        if dry_run
        else say("Scans corrected: {number}.", number=number)
    )
