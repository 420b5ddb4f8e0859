"""Configuration snapshots that AWS Config delivered: files in a bucket, or copies of them in a folder.

The key is ``[prefix/]AWSLogs/<account>/Config/<region>/<year>/<month>/<day>/ConfigSnapshot/<account>_Config_<region>_
ConfigSnapshot_<time>_<id>.json.gz``, month and day without a leading zero, so that days are compared as numbers. Of
each account and region the newest file counts. Source: AWS Config Developer Guide, "Delivering Configuration Snapshot
to an Amazon S3 bucket" and "Viewing AWS Config Compliance Information and Configuration Snapshots".
"""

import io
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from gzip import GzipFile
from pathlib import Path
from typing import Final

import msgspec

from cloudscan.connector import Gap
from cloudscan.errors import ConfigurationError, Malformed, ProviderError
from cloudscan.reason import Reason
from cloudscan.sentence import say
from cloudscan_s3.api.asking import Asker
from cloudscan_s3.bulk.items import KINDS, Item, decoded
from cloudscan_s3.questions import CONFIG_FILE, CONFIG_FILES, CONFIG_FOLDERS

_NAME: Final = re.compile(r"(?P<account>\d{12})_Config_(?P<region>[a-z0-9-]+)_ConfigSnapshot_(?P<time>\d{8}T\d{6}Z)_")
_OLD: Final = timedelta(days=2)  # twice the longest period of delivery
_MOST_BYTES: Final = 4_000_000_000  # of one snapshot, unpacked
_NUMBER: Final = re.compile(r"\d{1,4}")
_ACCOUNT: Final = re.compile(r"\d{12}")
_REGION: Final = re.compile(r"[a-z]{2}[a-z-]*-\d{1,2}")
_WORDS: Final = tuple(kind.encode() for kind in KINDS)


@dataclass(frozen=True, kw_only=True)
class SnapshotFile:
    """One delivered snapshot: where it is, and what its name says."""

    where: str  # a path, or a key in the bucket
    account: str  # empty: its name does not say
    region: str
    written_on: datetime | None


class _Snapshot(msgspec.Struct, frozen=True):
    items: list[msgspec.Raw] = msgspec.field(name="configurationItems")


@dataclass(frozen=True, kw_only=True)
class Snapshots:
    """The newest snapshot of each account and region, of those that were found."""

    files: Sequence[SnapshotFile]
    now: datetime
    asker: Asker | None = None  # for those in a bucket
    bucket: str = ""

    def accounts(self) -> tuple[Sequence[str], Sequence[Gap]]:
        """The accounts that there are snapshots of."""
        return sorted({file.account for file in self.files if file.account}), ()

    def stale(self) -> tuple[Mapping[str, Mapping[str, datetime | None]], Sequence[Gap]]:
        """By account: the regions whose snapshot is older than two periods of a day, and of when it is."""
        found: dict[str, dict[str, datetime | None]] = {}
        for file in self.files:
            if file.written_on is not None and file.written_on < self.now - _OLD:
                found.setdefault(file.account, {})[file.region] = file.written_on
        return found, ()

    def items(self, account: str) -> tuple[Sequence[Item], Sequence[Gap]]:
        """Every item of an account, and gaps for files and entries that could not be read."""
        items: list[Item] = []
        gaps: list[Gap] = []
        for file in self.files:
            if file.account not in ("", account):
                continue
            try:
                found, broken = read(self._content(file))
            except ProviderError as error:
                gaps.append(CONFIG_FILE.gap(error))
                continue
            items += (item for item in found if item.account == account)
            if broken:
                gaps.append(CONFIG_FILE.lacking(Reason(code="s3-entries-malformed", values={"count": broken})))
        return items, gaps

    def _content(self, file: SnapshotFile) -> bytes:
        if self.asker is None:
            return Path(file.where).read_bytes()
        answer = self.asker.require(CONFIG_FILE, Bucket=self.bucket, Key=file.where) or {}
        return self.asker.content(CONFIG_FILE, answer["Body"], "")


def read(content: bytes) -> tuple[Sequence[Item], int]:
    """The items about S3 of a snapshot, packed or not, and how many make no sense. Raises `Malformed`."""
    try:
        text = _unpacked(content) if content[:2] == b"\x1f\x8b" else content
        snapshot = msgspec.json.decode(text, type=_Snapshot)
    except (msgspec.MsgspecError, OSError, EOFError, zlib.error, ValueError) as error:
        raise Malformed("s3-config-file-malformed", quote=str(error).splitlines()[0]) from error
    items: list[Item] = []
    broken = 0
    for raw in snapshot.items:
        if not any(word in bytes(raw) for word in _WORDS):
            continue  # a snapshot has every recorded resource of its region
        try:
            item = decoded(msgspec.json.decode(raw))
        except (msgspec.MsgspecError, ValueError, TypeError, AttributeError, RecursionError):
            broken += 1
            continue
        if item.kind in KINDS:
            items.append(item)
    return items, broken


def in_folder(path: str, now: datetime) -> Snapshots:
    """The snapshots in a folder and its subfolders. Raises `ConfigurationError` where there are none."""
    folder = Path(path)
    found = [file for file in sorted(folder.rglob("*")) if file.name.endswith((".json", ".json.gz"))]
    if not found:
        raise ConfigurationError(
            say(
                "config_snapshots in [connectors.s3] names {path}, which contains no snapshot (*.json.gz). Name the "
                "folder that contains AWSLogs, or s3://bucket/prefix.",
                path=path,
            )
        )
    files = [file_of(str(file)) for file in found if file.is_file()]
    return Snapshots(files=newest(map(_with_account, files)), now=now)


def in_bucket(asker: Asker, bucket: str, prefix: str, now: datetime) -> tuple[Snapshots, Sequence[Gap]]:
    """The newest snapshots below a prefix, and gaps. One request for each level of the newest day of each region."""
    walk = _Walk(asker, bucket)
    base = f"{prefix.strip('/')}/AWSLogs/".lstrip("/")
    files = [file for account in walk.below(base, _ACCOUNT) for file in walk.of_account(account)]
    return Snapshots(files=newest(files), now=now, asker=asker, bucket=bucket), walk.gaps


def file_of(where: str) -> SnapshotFile:
    """A snapshot with what its name says; the name may have been changed."""
    match = _NAME.search(where)
    if match is None:
        return SnapshotFile(where=where, account="", region="", written_on=None)
    written_on = datetime.strptime(match["time"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return SnapshotFile(where=where, account=match["account"], region=match["region"], written_on=written_on)


def newest(files: Iterable[SnapshotFile]) -> Sequence[SnapshotFile]:
    """Of each account and region the newest file; those whose names say nothing, all."""
    found: dict[tuple[str, str], SnapshotFile] = {}
    for file in files:
        key = (file.account, file.region) if file.written_on is not None else ("", file.where)
        known = found.get(key)
        if known is None or (file.written_on and known.written_on and file.written_on > known.written_on):
            found[key] = file
    return list(found.values())


def _with_account(file: SnapshotFile) -> SnapshotFile:
    """A file that was renamed is opened: its items say which account it is of, if it is one."""
    if file.account:
        return file
    try:
        items, _ = read(Path(file.where).read_bytes())
    except Malformed:
        return file  # reading it says so
    accounts = {item.account for item in items}
    return replace(file, account=accounts.pop()) if len(accounts) == 1 else file


def _unpacked(content: bytes) -> bytes:
    with GzipFile(fileobj=io.BytesIO(content)) as packed:
        text = packed.read(_MOST_BYTES + 1)
    if len(text) > _MOST_BYTES:
        raise Malformed("s3-answer-too-large", bytes=_MOST_BYTES)
    return text


@dataclass
class _Walk:
    """Goes down from a prefix to the newest day."""

    asker: Asker
    bucket: str

    def __post_init__(self) -> None:
        self.gaps: list[Gap] = []

    def below(self, prefix: str, wanted: re.Pattern[str]) -> Sequence[str]:
        """The folders below a prefix whose names are as wanted, each with the prefix."""

        def folder(entry: Mapping[str, object]) -> str | None:
            found = str(entry["Prefix"])
            return found if wanted.fullmatch(found[len(prefix) :].rstrip("/")) else None

        folders, gaps = self.asker.list(
            CONFIG_FOLDERS, folder, "NextContinuationToken", Bucket=self.bucket, Prefix=prefix, Delimiter="/"
        )
        self.gaps += gaps
        return folders

    def of_account(self, prefix: str) -> Iterator[SnapshotFile]:
        """The snapshots of the newest day that has some, of each region."""
        for region in self.below(f"{prefix}Config/", _REGION):
            yield from next((files for day in self._days(region) if (files := self._files(day))), ())

    def _days(self, region: str) -> Iterator[str]:
        for year in self._numbers(region):
            for month in self._numbers(year):
                yield from self._numbers(month)

    def _numbers(self, prefix: str) -> Sequence[str]:
        """The largest number first: 10 is after 9."""
        folders = self.below(prefix, _NUMBER)
        return sorted(folders, key=lambda folder: int(folder[len(prefix) :].rstrip("/")), reverse=True)

    def _files(self, day: str) -> Sequence[SnapshotFile]:
        def listed(entry: Mapping[str, object]) -> SnapshotFile | None:
            file = file_of(str(entry["Key"]))
            return file if file.account else None

        files, gaps = self.asker.list(
            CONFIG_FILES, listed, "NextContinuationToken", Bucket=self.bucket, Prefix=f"{day}ConfigSnapshot/"
        )
        self.gaps += gaps
        return files
