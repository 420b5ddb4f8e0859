"""What a scan over several machines leaves in the shared store, and which of it counts.

    claims/<run>.json                 whose run it is: created once, so that two scans never share a number
    runs/<run>/partitions/<id>.json   what one partition has to read
    runs/<run>/read/<id>-<attempt>.*  what an attempt at it has read: lines in columns (Parquet), the scopes' reports
    runs/<run>/done/<id>.json         the attempt that counts: created once, at the end; all else is debris
    runs/<run>/kept/<scope>.*         a scope's facts with its cursor, for the next run (see `snapshot.incremental`)
    manifests/<run>.json              the run is whole, and consists of these partitions: created once

Runs are numbered; the newest manifest is the last whole run.
"""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

import msgspec

from cloudscan.connector import Scope
from cloudscan.errors import ScanRunning, SnapshotError
from cloudscan.sentence import say
from cloudscan.snapshot.spool import ScanRecord, ScopeReport
from cloudscan.snapshot.store import STALE
from cloudscan.snapshot.translation import Translation
from cloudscan.store import Store

Decoded = TypeVar("Decoded")

_CLAIMS: Final = "claims"
_MANIFESTS: Final = "manifests"
_DIGITS: Final = 8


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Whose run a number is."""

    scan: str  # id
    begun_on: datetime
    machine: str  # for people


class Partition(msgspec.Struct, frozen=True, kw_only=True):
    """Scopes that one machine reads: they use up the same limit on requests."""

    id: str
    platform: str
    budget: str
    scopes: Sequence[Scope]
    finished: Sequence[str] = ()  # of the same budget, read before, by uid: not read again where scopes lead to them


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The attempt at a partition that counts. What it has read is at its keys."""

    partition: str
    lines: str  # Parquet, as `cloudscan.snapshot.staging` makes it
    reports: str  # JSON lines: a report for each scope, and scopes that others have to read
    seen: Sequence[str] = ()  # of the watched things, those that were read


class RunManifest(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run."""

    scan: str
    started_on: datetime
    connectors: Sequence[str]
    partitions: Sequence[str]
    suspect: Sequence[str] = ()  # platforms whose lists lacked things: what was kept of them is not continued
    settings: Mapping[str, object] = {}
    translations: Mapping[str, Translation] = {}


ReportLine = ScopeReport | Scope
"""A line of `Done.reports`."""

_claim = msgspec.json.Decoder(Claim)
_done = msgspec.json.Decoder(Done)
_partition = msgspec.json.Decoder(Partition)
_manifest = msgspec.json.Decoder(RunManifest)


@dataclass(frozen=True)
class Run:
    """One run in its store."""

    store: Store
    number: int

    @property
    def folder(self) -> str:
        """The key that all of its own begin with."""
        return f"runs/{_name(self.number)}"

    def kept(self, scope_file: str) -> str:
        """The key, without the suffix, of what is kept of a scope, by the name of its spool file."""
        return f"{self.folder}/kept/{scope_file.removesuffix('.jsonl')}"

    def plan(self, partition: Partition) -> None:
        """Store what a partition has to read."""
        self.store.write(f"{self.folder}/partitions/{partition.id}.json", msgspec.json.encode(partition))

    def planned(self, partition_id: str) -> Partition:
        """What a partition has to read."""
        return self._decoded(_partition, f"{self.folder}/partitions/{partition_id}.json")

    def output(self, partition_id: str, attempt: str, suffix: str) -> str:
        """The key of something that an attempt has read."""
        return f"{self.folder}/read/{partition_id}-{attempt}{suffix}"

    def marker(self, partition_id: str) -> str:
        """The key that says which attempt at a partition counts."""
        return f"{self.folder}/done/{partition_id}.json"

    def settle(self, done: Done) -> bool:
        """Let an attempt be the one that counts; False if another one is."""
        return self.store.create(self.marker(done.partition), msgspec.json.encode(done))

    def is_settled(self, partition_id: str) -> bool:
        """Whether a partition has been read."""
        return self.store.read(self.marker(partition_id)) is not None

    def settled(self) -> Sequence[Done]:
        """The partitions that have been read."""
        return [self._decoded(_done, key) for key in self.store.keys(f"{self.folder}/done")]

    def finish(self, manifest: RunManifest) -> None:
        """Declare the run whole. Raises `ScanRunning` if another scan has declared it."""
        key = f"{_MANIFESTS}/{_name(self.number)}.json"
        if not self.store.create(key, msgspec.json.encode(manifest)):
            other = self._decoded(_manifest, key)
            if other.scan != manifest.scan:
                raise _taken(self.store, key, other.started_on, "")

    def _decoded(self, decoder: msgspec.json.Decoder[Decoded], key: str) -> Decoded:
        return _read(self.store, decoder, key)


def begin(store: Store, record: ScanRecord, now: datetime) -> Run:
    """The run of a scan: its own, where it was interrupted, or the next one.

    Raises `ScanRunning` if another scan has begun one less than three days ago and not finished it.
    """
    newest = _newest(store, _CLAIMS)
    if newest:
        claim = _claim_of(store, newest)
        if claim.scan == record.id:
            return Run(store, newest)
        is_whole = store.read(f"{_MANIFESTS}/{_name(newest)}.json") is not None
        if not is_whole and now - claim.begun_on < STALE:
            raise _taken(store, f"{_CLAIMS}/{_name(newest)}.json", claim.begun_on, claim.machine)
    run = Run(store, newest + 1)
    key = f"{_CLAIMS}/{_name(run.number)}.json"
    mine = Claim(scan=record.id, begun_on=now, machine=platform.node())
    if not store.create(key, msgspec.json.encode(mine)):
        other = _claim_of(store, run.number)
        raise _taken(store, key, other.begun_on, other.machine)
    return run


def last_whole(store: Store) -> tuple[Run, RunManifest] | None:
    """The last whole run; None if there is none."""
    newest = _newest(store, _MANIFESTS)
    return (Run(store, newest), _read(store, _manifest, f"{_MANIFESTS}/{_name(newest)}.json")) if newest else None


def _newest(store: Store, folder: str) -> int:
    numbers = (key.rpartition("/")[2].removesuffix(".json") for key in store.keys(folder))
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def _claim_of(store: Store, number: int) -> Claim:
    return _read(store, _claim, f"{_CLAIMS}/{_name(number)}.json")


def _read(store: Store, decoder: msgspec.json.Decoder[Decoded], key: str) -> Decoded:
    content = store.read(key)
    try:
        return decoder.decode(content or b"")
    except msgspec.MsgspecError as error:
        raise SnapshotError(
            say(
                "{key} in the store {url} is missing or damaged ({error}); remove what is in the store and scan again.",
                key=key,
                url=store.url,
                error=error,
            )
        ) from error


def _taken(store: Store, key: str, begun_on: datetime, machine: str) -> ScanRunning:
    return ScanRunning(
        say(
            "Another scan uses the store {url} (begun {begun}, on {machine}); wait for it. If it was given up, remove "
            "{key} from the store.",
            url=store.url,
            begun=begun_on.isoformat(timespec="seconds"),
            machine=machine or "?",
            key=key,
        )
    )


def _name(number: int) -> str:
    return f"{number:0{_DIGITS}}"
