"""A sealed snapshot, opened to read: tables as SQL views on a locked connection.

    <folder>/manifest.json        versions, times, counts, settings of the scan
    <folder>/tables/*.parquet     one file a table, see `cloudscan.snapshot.tables`

Whatever runs on the connection may read this folder and nothing else, and may change nothing: rules and queries are
other people's text.
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import duckdb
import msgspec

from cloudscan.coverage import Coverage, ScanSummary
from cloudscan.errors import ConfigurationError, SnapshotError
from cloudscan.facts import Outcome
from cloudscan.snapshot import lock
from cloudscan.snapshot.database import MEMORY, literal, set_up, typed
from cloudscan.snapshot.manifest import FORMAT, Manifest
from cloudscan.snapshot.tables import BASE, LADDERS, TABLES, is_uid
from cloudscan.text import first_line


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The answer to a query; ids are text."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


class Snapshot:
    """What was seen in one scan. A context manager; not to be shared between threads."""

    def __init__(
        self, path: Path, manifest: Manifest, db: duckdb.DuckDBPyConnection, held: BinaryIO | None = None
    ) -> None:
        self.path = path
        self.manifest = manifest
        self.db = db
        self._held = held  # as long as it is read, it is not removed

    @classmethod
    def open(cls, path: Path, *, memory: str = MEMORY, threads: int = 2, spill: int | None = None) -> Self:
        """Open a sealed snapshot. It stays until it is closed, whatever `[retention]` says.

        `spill` is how many bytes queries may put on disk; None: what the disk has.

        Raises `SnapshotError` where there is none, or one of another version, `ScanRunning` where it is worked on.
        """
        folder = Path(path).resolve()
        held = lock.shared(folder)
        try:
            manifest = _manifest(folder)
        except SnapshotError:
            if held:
                held.close()
            raise
        db = duckdb.connect(":memory:")
        set_up(db, folder / ".spill", memory=memory, threads=threads)
        if spill is not None:
            db.execute(f"SET max_temp_directory_size = '{spill} bytes'")
        db.execute(f"SET allowed_directories = [{literal(folder)}]")
        db.execute("SET enable_external_access = false")
        db.execute("SET lock_configuration = true")
        try:
            _create_views(db, folder / "tables")
        except duckdb.Error as error:
            db.close()
            if held:
                held.close()
            raise SnapshotError(f"The snapshot {folder} is damaged ({first_line(error)}); scan again.") from error
        return cls(folder, manifest, db, held)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files. What was spilled is gone."""
        self.db.close()
        if self._held:
            self._held.close()
        with contextlib.suppress(OSError):
            (self.path / ".spill").rmdir()

    @property
    def scan(self) -> ScanSummary:
        """When the scan ran and what it covered."""
        return self.manifest.scan

    def coverage(self) -> list[Coverage]:
        """What could be read and what could not, one row per scope and table."""
        cursor = self.db.execute("""
            SELECT scope_text AS scope_uid, scope_name, platform, account, table_name, outcome, reason, needs,
                   resource_text AS resource_uid, seen, total, facts, requests
            FROM sealed_coverage ORDER BY platform, account, scope_text, table_name, reason
        """)
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return [Coverage(table=row.pop("table_name"), outcome=Outcome(row.pop("outcome")), **row) for row in rows]

    def query(self, sql: str, params: Mapping[str, object] | None = None) -> Rows:
        """Answer one SELECT; columns named `uid` or `*_uid` come back as text.

        Raises `ConfigurationError` with what is wrong with the SQL.
        """
        try:
            statements = duckdb.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise ConfigurationError("A query is exactly one SELECT; a snapshot is never changed.")
            if any(ladder in sql.lower() for ladder in LADDERS):
                from cloudscan.snapshot.sql import by_rung  # sqlglot takes 0.2 s to import

                sql = by_rung(sql)
            cursor = self.db.execute(sql, dict(params) if params else None)
            columns = [column[0] for column in cursor.description]
            rows = cursor.fetchall()
        except duckdb.Error as error:
            tables = ", ".join(TABLES)
            raise ConfigurationError(f"The query cannot run: {first_line(error)} (tables: {tables})") from error
        places = [place for place, name in enumerate(columns) if is_uid(name)]
        texts = self.texts({row[place] for row in rows for place in places if isinstance(row[place], int)})
        return Rows(
            columns=columns,
            rows=[
                [texts.get(value, value) if place in places else value for place, value in enumerate(row)]
                for row in rows
            ],
        )

    def texts(self, keys: Iterable[int]) -> dict[int, str]:
        """The ids behind keys. A key that is nobody's is left out."""
        return texts(self.db, keys)


def texts(db: duckdb.DuckDBPyConnection, keys: Iterable[int]) -> dict[int, str]:
    """The ids behind keys, on a connection that has the view `ids`."""
    wanted = list(keys)
    if not wanted:
        return {}
    rows = db.execute(
        "SELECT i.key, i.uid FROM ids AS i WHERE i.key IN (SELECT unnest($keys::BIGINT[]))", {"keys": wanted}
    ).fetchall()
    return dict(rows)


def _manifest(folder: Path) -> Manifest:
    try:
        content = (folder / "manifest.json").read_bytes()
    except FileNotFoundError as error:
        unfinished = (folder / "spool" / "scan.json").exists()
        advice = "its scan was interrupted; run the same scan again to finish it" if unfinished else "check the path"
        raise SnapshotError(f"There is no finished snapshot in {folder}: {advice}.") from error
    except OSError as error:
        raise SnapshotError(f"The snapshot {folder} cannot be read: {error.strerror}.") from error
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.MsgspecError as error:
        raise SnapshotError(f"{folder}/manifest.json is damaged ({error}); scan again.") from error
    if manifest.format != FORMAT:
        raise SnapshotError(
            f"The snapshot {folder} has format {manifest.format}, written by {manifest.tool}; this version reads "
            f"format {FORMAT}. Scan again, or use that version."
        )
    return manifest


def _create_views(db: duckdb.DuckDBPyConnection, tables: Path) -> None:
    for table in (*TABLES, "ids"):
        source = f"read_parquet({literal(tables / f'{table}.parquet')})"
        if table == "coverage":
            db.execute(f"CREATE VIEW sealed_coverage AS SELECT * FROM {source}")
            db.execute(f"CREATE VIEW coverage AS SELECT {', '.join(TABLES[table])} FROM sealed_coverage")
        elif table == "ids":
            db.execute(f"CREATE VIEW mentioned_ids AS SELECT * FROM {source}")
        elif "uid" in BASE.get(table, ()):
            db.execute(f"CREATE VIEW told_{table} AS SELECT {typed(table)} FROM {source}")
            db.execute(f"CREATE VIEW {table} AS SELECT * EXCLUDE (id) FROM told_{table}")
        else:
            db.execute(f"CREATE VIEW {table} AS SELECT {typed(table)} FROM {source}")
    told = " UNION ALL ".join(
        f"SELECT uid AS key, id AS uid FROM told_{table}" for table in ("resources", "principals", "grants")
    )
    db.execute(f"CREATE VIEW ids AS {told} UNION ALL SELECT key, uid FROM mentioned_ids")
