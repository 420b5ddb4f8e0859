"""Putting a history right that a wrong clock has dated ahead: the ledger, and the folders of snapshots."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cloudscan.errors import ConfigurationError, LedgerError
from cloudscan.ledger.clock import Correction, correction
from cloudscan.ledger.ledger import Ledger
from cloudscan.sentence import say
from cloudscan.snapshot import store

ADVICE = say("if a clock was ahead when it ran, run `cloudscan ledger repair`; if this clock is behind, correct it")


@dataclass(frozen=True, kw_only=True)
class Repair:
    """What has to be corrected."""

    correction: Correction
    scans: Sequence[tuple[datetime, datetime]]  # of the ledger: when each began, and what that becomes
    snapshots: Sequence[tuple[Path, datetime]]  # folders, and the start that each of them gets

    def __bool__(self) -> bool:
        return bool(self.scans or self.snapshots)


def due(ledger: Ledger, snapshots: Path, now: datetime) -> Repair:
    """What is dated ahead of the clock. Nothing is changed. Raises `LedgerError`."""
    trend = ledger.trend()
    started = {scan.id: scan.started_on for scan in trend}
    dated = [(folder, start) for folder in store.folders(snapshots) if (start := store.start_of(folder)) is not None]
    put_right = correction([*started.values(), *(start for _, start in dated)], now)
    ahead = [(folder, start) for folder, start in dated if start > now]
    return Repair(
        correction=put_right,
        scans=[(start, put_right.of(start)) for start in started.values() if start > now],
        snapshots=[
            # The ledger may be right already, after a repair that was interrupted.
            (folder, put_right.of(started.get(store.id_of(folder) or "", start)))
            for folder, start in ahead
        ],
    )


def apply(repair: Repair, ledger: Ledger) -> None:
    """Correct the ledger, then the snapshots; interrupted, it can be done again. Raises `LedgerError`."""
    ledger.correct(repair.correction)
    moved: dict[str, str] = {}
    for folder, start in repair.snapshots:
        try:
            path = store.redate(folder, start)
        except OSError as error:
            raise ConfigurationError(
                say(
                    "{folder} cannot be renamed ({why}); check the permissions, then run the command again.",
                    folder=folder,
                    why=error.strerror,
                )
            ) from error
        if scan_id := store.id_of(path):
            moved[scan_id] = str(path.resolve())
    ledger.move_snapshots(moved)


def refuse_wrong_clock(ledger: Ledger, snapshots: Path, now: datetime) -> bool:
    """Raises `ConfigurationError` where a scan is dated later than now: a scan of today could not be recorded.

    Gives whether the ledger could be asked. If not, that is said when the scan is to be recorded; reading can begin.
    """
    last, answered = None, True
    try:
        ledger.upgrade()
        last = ledger.last_started()
    except LedgerError:
        answered = False
    dated = [start for folder in store.folders(snapshots) if (start := store.start_of(folder)) is not None]
    latest = max([*dated, *([last] if last else [])], default=now)
    if latest > now:
        raise ConfigurationError(
            say(
                "The last scan is dated {latest} UTC, later than the clock of this machine ({now} UTC): {advice}.",
                latest=f"{latest:%Y-%m-%d %H:%M}",
                now=f"{now:%Y-%m-%d %H:%M}",
                advice=ADVICE,
            )
        )
    return answered
