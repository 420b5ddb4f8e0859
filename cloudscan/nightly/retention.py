"""Removes what is old: snapshots, leftovers of interrupted scans, HTML reports, people whom no roster lists.

Some snapshots are kept whatever their age: the newest, which the next scan continues from, the newest complete one,
one that is not recorded in the ledger yet, and one that is being read. A folder is renamed before it is emptied, so
that a kill while removing leaves no half snapshot that looks whole. The ledger is never shortened.
"""

import contextlib
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from cloudscan.config import RetentionTable
from cloudscan.errors import ConfigurationError, ScanRunning
from cloudscan.roster import memory
from cloudscan.sentence import Sentence, say
from cloudscan.snapshot import lock, store
from cloudscan.snapshot.incremental import FOLDER as CURSORS
from cloudscan.snapshot.seal import WORK

_TRASH: Final = "trash"
PAGE: Final = re.compile(r"\d{8}T\d{6}Z(-[0-9a-f]{8})?\.html")
"""The name of a report that a scan named itself."""


@dataclass(frozen=True, kw_only=True)
class Removal:
    """Something to remove, and why."""

    path: Path
    why: Sentence


def due(home: Path, policy: RetentionTable, now: datetime) -> list[Removal]:
    """What may be removed from the folder of scans. Nothing is changed."""
    snapshots = list(_snapshots(home / "snapshots", policy, now))
    removed = {removal.path for removal in snapshots}
    leftovers = [removal for removal in _leftovers(home / "snapshots", now) if removal.path.parent not in removed]
    return [*snapshots, *leftovers, *_pages(home, policy, now)]


def remove(home: Path, removals: Sequence[Removal]) -> list[Removal]:
    """Remove files and folders; returns what was removed. A snapshot that is being read stays for the next time.

    Raises `ConfigurationError` if something cannot be removed.
    """
    trash = home / _TRASH
    removed = []
    try:
        _empty(trash)
        for number, removal in enumerate(removals):
            with contextlib.suppress(ScanRunning):
                trash.mkdir(mode=0o700, exist_ok=True)
                if removal.path.is_dir() and (removal.path / ".lock").exists():
                    lock.move(removal.path, trash / str(number))
                else:
                    removal.path.rename(trash / str(number))
                removed.append(removal)
        _empty(trash)
    except OSError as error:
        raise ConfigurationError(
            say(
                "Old files in {home} cannot be removed ({why}); check the permissions, then run `cloudscan prune`.",
                home=home,
                why=error.strerror,
            )
        ) from error
    return removed


def people_due(home: Path, policy: RetentionTable, today: date) -> int:
    """How many people would be forgotten. Nothing is changed. Raises `ConfigurationError`."""
    _, number = memory.without_those_long_gone(memory.load(home), today - timedelta(days=policy.roster_days))
    return number


def forget_people(home: Path, policy: RetentionTable, today: date) -> int:
    """Forget people who left, or are on no roster any more, for longer than retention says; returns how many.

    Raises `ConfigurationError` if the file that remembers them cannot be read or written.
    """
    history = memory.load(home)
    shorter, number = memory.without_those_long_gone(history, today - timedelta(days=policy.roster_days))
    if shorter is not history:
        memory.save(home, shorter)
    return number


def _empty(trash: Path) -> None:
    if trash.exists():
        shutil.rmtree(trash)


def _snapshots(snapshots: Path, policy: RetentionTable, now: datetime) -> Iterator[Removal]:
    manifests = [(folder, store.manifest_of(folder)) for folder in store.finished(snapshots)]
    finished = [(folder, manifest) for folder, manifest in manifests if manifest]
    finished.sort(key=lambda snapshot: snapshot[1].scan.started_on)
    kept = {folder for folder, _ in finished[-max(1, policy.keep_snapshots) :]} | set(store.due(snapshots))
    kept |= {folder for folder, _ in [snapshot for snapshot in finished if snapshot[1].scan.complete][-1:]}
    oldest = now - timedelta(days=policy.snapshots_days)
    for folder, manifest in finished:
        if folder not in kept and manifest.scan.finished_on < oldest and not lock.is_locked(folder):
            yield Removal(path=folder, why=say("a snapshot older than {days} days", days=policy.snapshots_days))


def _leftovers(snapshots: Path, now: datetime) -> Iterator[Removal]:
    """What killed runs left: spools of sealed snapshots, old cursors, scans that are too old to resume."""
    newest = store.latest_snapshot(snapshots)
    folders = (path for path in snapshots.glob("*") if path.is_dir() and not lock.is_locked(path))
    for folder in sorted(folders):
        if (folder / "manifest.json").exists():
            obsolete = ["spool", WORK, *([] if folder == newest else [CURSORS])]
            for path in (folder / name for name in obsolete):
                if path.exists():
                    yield Removal(path=path, why=say("left over from an interrupted scan"))
        else:
            modified = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
            record = store.record_of(folder)
            if now - (record.started_on if record else modified) >= store.STALE:
                yield Removal(path=folder, why=say("an interrupted scan, too old to resume"))


def _pages(home: Path, policy: RetentionTable, now: datetime) -> Iterator[Removal]:
    pages = sorted(path for path in (home / "reports").glob("*.html") if PAGE.fullmatch(path.name))
    oldest = now - timedelta(days=policy.reports_days)
    for page in pages[:-1]:
        if datetime.strptime(page.stem.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) < oldest:
            yield Removal(path=page, why=say("a report older than {days} days", days=policy.reports_days))
