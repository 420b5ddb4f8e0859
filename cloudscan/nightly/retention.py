"""What is removed when it is old: snapshots, what is left of scans that broke off, pages of the report.

Kept whatever its age is the newest snapshot, from which the next scan goes on, the newest one that could read
everything, one that is still to be entered into the ledger, and one that somebody reads. A folder is renamed before it
is emptied, so that whoever is killed while removing leaves no half snapshot that looks whole. The ledger is never
shortened.
"""

import contextlib
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cloudscan.config import RetentionTable
from cloudscan.errors import ConfigurationError, ScanRunning
from cloudscan.snapshot import lock, store
from cloudscan.snapshot.incremental import FOLDER as CURSORS
from cloudscan.snapshot.seal import WORK

_TRASH: Final = "trash"
_PAGE: Final = re.compile(r"\d{8}T\d{6}Z\.html")


@dataclass(frozen=True, kw_only=True)
class Removal:
    """Something that goes, and why."""

    path: Path
    why: str


def due(home: Path, policy: RetentionTable, now: datetime) -> list[Removal]:
    """What may be removed from the folder of scans. Nothing is touched."""
    snapshots = list(_snapshots(home / "snapshots", policy, now))
    going = {removal.path for removal in snapshots}
    leftovers = [each for each in _leftovers(home / "snapshots", now) if each.path.parent not in going]
    return [*snapshots, *leftovers, *_pages(home, policy, now)]


def remove(home: Path, removals: Sequence[Removal]) -> list[Removal]:
    """Remove things; gives those that were. One that is being read stays for the next time.

    Raises `ConfigurationError` where the disk does not let go of something.
    """
    trash = home / _TRASH
    gone = []
    try:
        _empty(trash)
        for place, removal in enumerate(removals):
            with contextlib.suppress(ScanRunning):
                if removal.path.is_dir() and (removal.path / ".lock").exists():
                    with lock.exclusive(removal.path):
                        _to_trash(removal.path, trash / str(place))
                else:
                    _to_trash(removal.path, trash / str(place))
                gone.append(removal)
        _empty(trash)
    except OSError as error:
        raise ConfigurationError(
            f"What is old cannot be removed from {home} ({error.strerror}); check the rights, then `cloudscan prune`."
        ) from error
    return gone


def _to_trash(path: Path, place: Path) -> None:
    place.parent.mkdir(mode=0o700, exist_ok=True)
    path.rename(place)


def _empty(trash: Path) -> None:
    if trash.exists():
        shutil.rmtree(trash)


def _snapshots(snapshots: Path, policy: RetentionTable, now: datetime) -> Iterator[Removal]:
    manifests = [(folder, store.manifest_of(folder)) for folder in store.finished(snapshots)]
    finished = [(folder, manifest) for folder, manifest in manifests if manifest]
    finished.sort(key=lambda each: each[1].scan.started_on)
    kept = {folder for folder, _ in finished[-max(1, policy.keep_snapshots) :]} | set(store.due(snapshots))
    kept |= {folder for folder, _ in [each for each in finished if each[1].scan.complete][-1:]}
    oldest = now - timedelta(days=policy.snapshots_days)
    for folder, manifest in finished:
        if folder not in kept and manifest.scan.finished_on < oldest and not lock.is_locked(folder):
            yield Removal(path=folder, why=f"a snapshot older than {policy.snapshots_days} days")


def _leftovers(snapshots: Path, now: datetime) -> Iterator[Removal]:
    """What killed runs left: spools of sealed snapshots, old cursors, scans nobody goes on with."""
    newest = store.latest_snapshot(snapshots)
    for folder in sorted(each for each in snapshots.glob("*") if each.is_dir() and not lock.is_locked(each)):
        if (folder / "manifest.json").exists():
            of_no_use = ["spool", WORK, *([] if folder == newest else [CURSORS])]
            for path in (folder / name for name in of_no_use):
                if path.exists():
                    yield Removal(path=path, why="left of a scan that was interrupted")
        else:
            begun = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
            record = store.record_of(folder)
            if now - (record.started_on if record else begun) >= store.STALE:
                yield Removal(path=folder, why="a scan that was interrupted, too old to go on with")


def _pages(home: Path, policy: RetentionTable, now: datetime) -> Iterator[Removal]:
    pages = sorted(path for path in (home / "reports").glob("*.html") if _PAGE.fullmatch(path.name))
    oldest = now - timedelta(days=policy.reports_days)
    for page in pages[:-1]:
        if datetime.strptime(page.stem, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) < oldest:
            yield Removal(path=page, why=f"a report older than {policy.reports_days} days")
