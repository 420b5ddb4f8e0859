"""The folder of snapshots: which one to resume, which still has to be recorded in the ledger.

    snapshots/<time>/             a snapshot, or a scan that was interrupted
    snapshots/<time>/due          it still has to be recorded in the ledger and reported

A snapshot that `cloudscan collect` took is never due. One that a scan takes is *due* from its beginning until its
report is written, so that a scan that is killed anywhere in between is neither lost nor read again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from cloudscan.errors import SnapshotError
from cloudscan.files import write_private
from cloudscan.snapshot import spool
from cloudscan.snapshot.manifest import Manifest
from cloudscan.snapshot.translation import Translation

FRESH: Final = timedelta(hours=12)
"""A due snapshot is taken for tonight's scan up to this long after its reading ended."""

STALE: Final = timedelta(days=3)
"""An interrupted scan that began longer ago is not resumed: what it read is out of date."""

_DUE: Final = "due"


@dataclass(frozen=True, kw_only=True)
class Scanned:
    """What a scan reads: only a scan of the same can be resumed or reused."""

    connectors: Sequence[str]
    settings: Mapping[str, str] = field(default_factory=dict)
    translations: Mapping[str, Translation] = field(default_factory=dict)

    def is_of(self, other: Manifest | spool.ScanRecord) -> bool:
        """Whether another scan reads the same, and translates it the same way."""
        return (
            dict(other.settings) == dict(self.settings)
            and sorted(other.connectors) == sorted(self.connectors)
            and dict(other.translations) == dict(self.translations)
        )

    def differing_from(self, other: Manifest) -> frozenset[str]:
        """The platforms that are translated in another way than in another scan: what was kept of them is outdated."""
        platforms = self.translations.keys() | other.translations.keys()
        return frozenset(
            platform for platform in platforms if self.translations.get(platform) != other.translations.get(platform)
        )


def new_folder(snapshots: Path, now: datetime, scanned: Scanned) -> Path:
    """The folder of the next snapshot: an interrupted one that can be resumed, or else a new one.

    One that is older than a finished snapshot is not resumed.
    """
    latest = latest_snapshot(snapshots)
    for folder in sorted((path for path in snapshots.glob("*") if latest is None or path > latest), reverse=True):
        record = record_of(folder)
        if record and now - record.started_on < STALE and scanned.is_of(record):
            return folder
        if not (folder / "spool" / "scan.json").exists():  # killed before it began
            return folder
    return snapshots / _name(now)


def latest_snapshot(snapshots: Path) -> Path | None:
    """The newest finished snapshot."""
    return max(finished(snapshots), default=None)


def snapshot_of(snapshots: Path, scan_id: str) -> Path | None:
    """The snapshot of a scan; None if it is no longer kept."""
    for folder in reversed(finished(snapshots)):
        manifest = manifest_of(folder)
        if manifest and manifest.scan.id == scan_id:
            return folder
    return None


def finished(snapshots: Path) -> list[Path]:
    """The finished snapshots, the oldest first."""
    return sorted(path.parent for path in snapshots.glob("*/manifest.json"))


def folders(snapshots: Path) -> list[Path]:
    """The snapshots and the interrupted scans, the oldest first."""
    return sorted(path for path in snapshots.glob("*") if path.is_dir())


def start_of(folder: Path) -> datetime | None:
    """When the scan in this folder began; None if the folder does not say."""
    manifest = manifest_of(folder)
    if manifest is not None:
        return manifest.scan.started_on
    record = record_of(folder)
    return record.started_on if record else None


def id_of(folder: Path) -> str:
    """The id of the scan in this folder; empty if the folder does not say."""
    manifest = manifest_of(folder)
    if manifest is not None:
        return manifest.scan.id
    record = record_of(folder)
    return record.id if record else ""


def redate(folder: Path, start: datetime) -> Path:
    """Let the scan in this folder have begun at `start`; gives the folder's new path. Raises `OSError`."""
    manifest, record = manifest_of(folder), record_of(folder)
    if manifest is not None:
        length = manifest.scan.finished_on - manifest.scan.started_on
        scan = msgspec.structs.replace(manifest.scan, started_on=start, finished_on=start + length)
        content = msgspec.json.encode(msgspec.structs.replace(manifest, scan=scan))
        write_private(folder / "manifest.json", msgspec.json.format(content, indent=2) + b"\n")
    elif record is not None:
        content = msgspec.json.encode(msgspec.structs.replace(record, started_on=start))
        write_private(folder / "spool" / "scan.json", content)
    return folder.rename(folder.with_name(_name(start)))


def due(snapshots: Path) -> list[Path]:
    """The finished snapshots that still have to be recorded, the oldest first."""
    return [folder for folder in finished(snapshots) if (folder / _DUE).exists()]


def is_fresh(folder: Path, now: datetime, scanned: Scanned) -> bool:
    """Whether a finished snapshot can stand in for a scan that begins now."""
    manifest = manifest_of(folder)
    return manifest is not None and now - manifest.scan.finished_on < FRESH and scanned.is_of(manifest)


def owe(folder: Path) -> None:
    """Note that the snapshot in this folder will have to be recorded."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / _DUE).touch(mode=0o600)


def done(folder: Path) -> None:
    """Note that the snapshot is recorded, or never will be."""
    (folder / _DUE).unlink(missing_ok=True)


def record_of(folder: Path) -> spool.ScanRecord | None:
    """What an interrupted scan was started with; None if it is finished or cannot be resumed."""
    if (folder / "manifest.json").exists():
        return None
    try:
        return spool.record_of(folder / "spool")
    except SnapshotError:
        return None


def _name(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def manifest_of(folder: Path) -> Manifest | None:
    """The manifest of a finished snapshot; None if it is damaged."""
    try:
        return msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError):
        return None
