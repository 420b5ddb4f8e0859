"""What one machine does: reads the scopes of one partition, and puts what it has read into the shared store.

Everything is written under keys of the attempt's own; the last step names them as what counts. A machine that is lost
before leaves debris and costs its partition's time, one that is lost later costs nothing.
"""

import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import duckdb
import msgspec

from cloudscan.connector import Connector, Cursor, Permission, Scope, Yielded
from cloudscan.errors import CloudscanError, Malformed, SnapshotError
from cloudscan.http.patience import Patience
from cloudscan.sentence import say
from cloudscan.snapshot import incremental, spool
from cloudscan.snapshot.collect import CollectOptions, read_here
from cloudscan.snapshot.database import MEMORY, set_up
from cloudscan.snapshot.incremental import Earlier
from cloudscan.snapshot.spool import ScopeReport
from cloudscan.snapshot.staging import Staging
from cloudscan.spark.runs import Done, Partition, Run
from cloudscan.store import Store

_watched = msgspec.json.Decoder(frozenset[str])


@dataclass(frozen=True, kw_only=True)
class Errand:
    """What every machine of a scan is given. It has no secrets: credentials are each machine's own."""

    open_store: Callable[[], Store]
    open_connector: Callable[[str], Connector]  # by platform; raises `CloudscanError`
    run: int
    earlier: int = 0  # the run whose cursors are used; 0: everything is read
    outdated: frozenset[str] = frozenset()  # platforms of which nothing that was kept is used
    concurrency: int = 16  # scopes that one machine reads at the same time
    patience: Patience
    ends: float | None = None  # seconds since 1970: what has not been read by then fails


def budget_of(scope: Scope) -> tuple[str, str]:
    """Whose limit on requests a scope uses up: the platform, and its budget there."""
    return scope.platform, scope.budget


def watched_key(run: Run, platform: str) -> str:
    """The key of the uids on a platform that must not vanish unasked."""
    return f"{run.folder}/watched/{platform}.json"


def read_partition(errand: Errand, partition_id: str, attempt: str) -> None:
    """Read a partition, unless it has been read. `attempt` is told apart from others of the same number.

    Raises `SnapshotError`, `OSError` and DuckDB's errors. What a platform refuses is in the scopes' reports.
    """
    store = errand.open_store()
    run = Run(store, errand.run)
    if run.is_settled(partition_id):
        return
    partition = run.planned(partition_id)
    attempt = f"{attempt}-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory(prefix="cloudscan-") as name:
        folder = Path(name)
        lines = folder / "spool"
        lines.mkdir(mode=0o700)
        part = _only(_opened(errand, partition.platform), partition)
        watched = _watched.decode(store.read(watched_key(run, partition.platform)) or b"[]")
        options = CollectOptions(
            concurrency=errand.concurrency,
            patience=errand.patience,
            earlier=_earlier(errand, store, folder / "earlier"),
            max_seconds=None if errand.ends is None else max(0.0, errand.ends - time.time()),
            watch={partition.platform: watched},
        )
        read = read_here([part], lines, options, lambda _: None)
        _put_kept(run, lines, folder / "kept")
        reports = run.output(partition_id, attempt, ".jsonl")
        store.upload(_reports(lines, part.elsewhere.values(), folder / "reports.jsonl"), reports)
        done = Done(
            partition=partition_id,
            lines=_put_lines(run, lines, folder / "stage", run.output(partition_id, attempt, ".parquet")),
            reports=reports,
            seen=sorted(read.seen),
        )
    run.settle(done)


class _Only:
    """The scopes of one partition, with what they lead to within the same budget. What is outside is remembered."""

    name: ClassVar[str] = ""
    permissions: ClassVar[Sequence[Permission]] = ()

    def __init__(self, inner: Connector, partition: Partition) -> None:
        self._inner = inner
        self._partition = partition
        self.elsewhere: dict[str, Scope] = {}  # by uid

    def scopes(self) -> Iterable[Scope]:
        """Those that were planned."""
        return self._partition.scopes

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        """What the connector yields, but no scopes of other budgets."""
        own, finished = (self._partition.platform, self._partition.budget), frozenset(self._partition.finished)
        for item in self._inner.collect(scope, since):
            if not isinstance(item, Scope):
                yield item
            elif budget_of(item) != own:
                self.elsewhere[item.uid] = item
            elif item.uid not in finished:
                yield item


def _only(inner: Connector, partition: Partition) -> _Only:
    class Named(_Only):
        name: ClassVar[str] = inner.name
        permissions: ClassVar[Sequence[Permission]] = inner.permissions

    return Named(inner, partition)


def _opened(errand: Errand, platform: str) -> Connector:
    try:
        return errand.open_connector(platform)
    except CloudscanError as error:
        return _refusing(platform, Malformed("cannot-open", quote=str(error)))


def _refusing(platform: str, error: CloudscanError) -> Connector:
    """Stands for a platform that cannot be opened on this machine."""

    class Refusing:
        name: ClassVar[str] = platform
        permissions: ClassVar[Sequence[Permission]] = ()

        def scopes(self) -> Iterable[Scope]:
            return ()

        def collect(self, _scope: Scope, _since: Cursor | None) -> Iterator[Yielded]:
            raise error

    return Refusing()


def _earlier(errand: Errand, store: Store, folder: Path) -> Earlier | None:
    """What an earlier run kept, brought here scope by scope."""
    if not errand.earlier:
        return None
    before = Run(store, errand.earlier)
    (folder / incremental.FOLDER).mkdir(mode=0o700, parents=True)

    def fetch(scope_uid: str) -> None:
        name = spool.file_name(scope_uid)
        for suffix in (".jsonl.gz", ".json"):
            store.download(before.kept(name) + suffix, (folder / incremental.FOLDER / name).with_suffix(suffix))

    return Earlier(folder=folder, outdated=errand.outdated, fetch=fetch)


def _put_kept(run: Run, lines: Path, folder: Path) -> None:
    """Put what is kept of each scope for the next run: its facts before what names their cursor and checksums."""
    for path in sorted(lines.glob("*.jsonl")):
        report = spool.report_of(path)
        if incremental.can_be_continued(report):
            incremental.keep(path, report, folder)
            for suffix in (".jsonl.gz", ".json"):
                kept = (folder / path.name).with_suffix(suffix)
                if kept.exists():  # a cursor that stands for all facts is kept without them
                    run.store.upload(kept, run.kept(path.name) + suffix)
                    kept.unlink()


def _reports(lines: Path, elsewhere: Iterable[Scope], file: Path) -> Path:
    """Write the reports, without cursors: these are with what is kept."""
    encode = msgspec.json.Encoder().encode
    with file.open("wb") as out:
        for report in spool.reports(lines):
            out.write(encode(_without_cursor(report)) + b"\n")
        for scope in elsewhere:
            out.write(encode(scope) + b"\n")
    return file


def _without_cursor(report: ScopeReport) -> ScopeReport:
    return msgspec.structs.replace(report, cursor=None, scopes=())


def _put_lines(run: Run, lines: Path, work: Path, key: str) -> str:
    """Put the lines in columns; gives the key."""
    work.mkdir(mode=0o700)
    with duckdb.connect(":memory:") as db:
        set_up(db, work / "spill", memory=MEMORY, threads=1)
        staging = Staging(db, lines, work, in_memory=-1)
        staging.read()
        if broken := staging.malformed_lines():
            raise SnapshotError(say("What was just written cannot be read again: {files}.", files=", ".join(broken)))
    run.store.upload(work / "stage.parquet", key)
    return key
