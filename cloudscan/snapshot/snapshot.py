"""A sealed snapshot, opened to read: tables as SQL views on a locked connection.

    <folder>/manifest.json        versions, times, counts, settings of the scan
    <folder>/tables/*.parquet     one file a table, see `cloudscan.snapshot.tables`

SQL on the connection can read this folder and nothing else, and cannot change anything: rules and queries may come from
anyone.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import duckdb
import msgspec

from cloudscan.coverage import Coverage, ScanSummary
from cloudscan.errors import ConfigurationError, SnapshotError
from cloudscan.facts import Hidden, Outcome
from cloudscan.reason import Reason
from cloudscan.sentence import Sentence, say
from cloudscan.snapshot import lock
from cloudscan.snapshot.database import MEMORY, literal, set_up, typed
from cloudscan.snapshot.manifest import FORMAT, Manifest
from cloudscan.snapshot.tables import BASE, LADDERS, ORGANISATION_TABLES, TABLES, is_uid
from cloudscan.text import first_line


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The answer to a query; ids are text."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


@contextlib.contextmanager
def reading(folder: Path) -> Iterator[None]:
    """A block that reads a snapshot's tables: whatever the database cannot read there becomes a `SnapshotError`.

    A table may be damaged in the middle, which shows only when that part of it is read.
    """
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise SnapshotError(
            say("There is too little memory to read {folder} ({error}).", folder=folder, error=first_line(error))
        ) from error
    except duckdb.Error as error:
        raise SnapshotError(
            say("The snapshot {folder} is damaged ({error}); scan again.", folder=folder, error=first_line(error))
        ) from error


class Snapshot:
    """What one scan saw. A context manager; not to be shared between threads."""

    def __init__(
        self, path: Path, manifest: Manifest, db: duckdb.DuckDBPyConnection, locked: BinaryIO | None = None
    ) -> None:
        self.path = path
        self.manifest = manifest
        self.db = db
        self._locked = locked  # keeps the folder from being removed

    @classmethod
    def open(cls, path: Path, *, memory: str = MEMORY, threads: int = 2, spill: int | None = None) -> Self:
        """Open a sealed snapshot. It is not removed until it is closed, whatever `[retention]` says.

        `spill` is how many bytes queries may put on disk; None: as many as fit. Raises `SnapshotError` if there is no
        snapshot, or one of another version, and `ScanRunning` if a scan is writing in the folder.
        """
        folder = Path(path).resolve()
        locked = lock.shared(folder)
        try:
            manifest = _manifest(folder)
        except SnapshotError:
            if locked:
                locked.close()
            raise
        db = duckdb.connect(":memory:")
        set_up(db, folder / ".spill", memory=memory, threads=threads)
        if spill is not None:
            db.execute(f"SET max_temp_directory_size = '{spill} bytes'")
        db.execute(f"SET allowed_directories = [{literal(folder)}]")
        db.execute("SET enable_external_access = false")
        db.execute("SET lock_configuration = true")
        try:
            with reading(folder):
                _create_views(db, folder / "tables")
        except SnapshotError:
            db.close()
            if locked:
                locked.close()
            raise
        return cls(folder, manifest, db, locked)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files and delete what was spilled."""
        self.db.close()
        if self._locked:
            self._locked.close()
        with contextlib.suppress(OSError):
            (self.path / ".spill").rmdir()

    @property
    def scan(self) -> ScanSummary:
        """When the scan ran and what it covered."""
        return self.manifest.scan

    def coverage(self) -> list[Coverage]:
        """What could be read and what could not: one row per scope and table."""
        with reading(self.path):
            cursor = self.db.execute("""
                SELECT scope_text AS scope_uid, scope_name, platform, account, table_name, outcome, gap, question,
                       reason_record AS reason, hides, needs, resource_text AS resource_uid, seen, total, facts,
                       requests
                FROM sealed_coverage ORDER BY platform, account, scope_text, table_name, reason
            """)
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return [_coverage_row(row) for row in rows]

    def query(self, sql: str, params: Mapping[str, object] | None = None) -> Rows:
        """Answer one SELECT; columns named `uid` or `*_uid` are returned as text.

        Raises `ConfigurationError` that says what is wrong with the SQL.
        """
        try:
            statements = duckdb.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise ConfigurationError(say("A query is exactly one SELECT; a snapshot is never changed."))
            if any(ladder in sql.lower() for ladder in LADDERS):
                from cloudscan.snapshot.sql import by_rung  # sqlglot takes 0.2 s to import

                sql = by_rung(sql)
            cursor = self.db.execute(sql, dict(params) if params else None)
            columns = [column[0] for column in cursor.description]
            rows = cursor.fetchall()
        except duckdb.Error as error:
            raise ConfigurationError(_cannot_run(error)) from error
        keyed = {index for index, name in enumerate(columns) if is_uid(name)}
        with reading(self.path):
            texts = self.texts({row[index] for row in rows for index in keyed if isinstance(row[index], int)})
        return Rows(
            columns=columns,
            rows=[
                [texts.get(value, value) if index in keyed else value for index, value in enumerate(row)]
                for row in rows
            ],
        )

    def texts(self, keys: Iterable[int]) -> dict[int, str]:
        """The ids behind keys. A key that stands for nothing is left out."""
        return texts(self.db, keys)


def _cannot_run(error: duckdb.Error) -> Sentence:
    """What is wrong with a query, with what DuckDB suggests, or else with the tables that there are."""
    hints = [line for line in str(error).splitlines() if line.startswith(("Candidate bindings", "Did you mean"))]
    hint = hints[0].strip() if hints else f"Tables: {', '.join(TABLES)}"
    return say("The query cannot run: {problem} {hint}", problem=first_line(error), hint=hint)


def texts(db: duckdb.DuckDBPyConnection, keys: Iterable[int]) -> dict[int, str]:
    """The ids behind keys, on a connection that has the view `ids`."""
    wanted = list(keys)
    if not wanted:
        return {}
    rows = db.execute(
        "SELECT i.key, i.uid FROM ids AS i WHERE i.key IN (SELECT unnest($keys::BIGINT[]))", {"keys": wanted}
    ).fetchall()
    return dict(rows)


def _coverage_row(values: dict[str, Any]) -> Coverage:
    reason, hides = values.pop("reason"), values.pop("hides")
    return Coverage(
        table=values.pop("table_name"),
        outcome=Outcome(values.pop("outcome")),
        reason=msgspec.json.decode(reason, type=Reason | str) if reason else "",
        hides=msgspec.json.decode(hides, type=tuple[Hidden, ...]) if hides else (),
        **values,
    )


def _manifest(folder: Path) -> Manifest:
    try:
        content = (folder / "manifest.json").read_bytes()
    except FileNotFoundError as error:
        interrupted = (folder / "spool" / "scan.json").exists()
        resume = say("its scan was interrupted; run the same scan again to finish it")
        advice = resume if interrupted else say("check the path")
        raise SnapshotError(
            say("There is no finished snapshot in {folder}: {advice}.", folder=folder, advice=advice)
        ) from error
    except OSError as error:
        raise SnapshotError(
            say("The snapshot {folder} cannot be read: {why}.", folder=folder, why=error.strerror)
        ) from error
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.MsgspecError as error:
        raise SnapshotError(
            say("{folder}/manifest.json is damaged ({error}); scan again.", folder=folder, error=error)
        ) from error
    if manifest.format != FORMAT:
        raise SnapshotError(
            say(
                "The snapshot {folder} has format {format}, written by {tool}; this version reads format "
                "{readable}. Scan again, or use that version.",
                folder=folder,
                format=manifest.format,
                tool=manifest.tool,
                readable=FORMAT,
            )
        )
    return manifest


def _create_views(db: duckdb.DuckDBPyConnection, tables: Path) -> None:
    for table in (*TABLES, "ids"):
        file = tables / f"{table}.parquet"
        source = f"read_parquet({literal(file)})"
        if table in ORGANISATION_TABLES and not file.exists():  # an older cloudscan sealed it
            empty = ", ".join(f"NULL::{kind} AS {name}" for name, kind in ORGANISATION_TABLES[table].items())
            db.execute(f"CREATE VIEW {table} AS SELECT {empty} WHERE FALSE")
        elif table == "coverage":
            db.execute(f"CREATE VIEW sealed_coverage AS SELECT * FROM {source}")
            db.execute(f"CREATE VIEW coverage AS SELECT {', '.join(TABLES[table])} FROM sealed_coverage")
        elif table == "ids":
            db.execute(f"CREATE VIEW mentioned_ids AS SELECT * FROM {source}")
        elif "uid" in BASE.get(table, ()):
            db.execute(f"CREATE VIEW identified_{table} AS SELECT {typed(table)} FROM {source}")
            db.execute(f"CREATE VIEW {table} AS SELECT * EXCLUDE (id) FROM identified_{table}")
        else:
            db.execute(f"CREATE VIEW {table} AS SELECT {typed(table)} FROM {source}")
    described = " UNION ALL ".join(
        f"SELECT uid AS key, id AS uid FROM identified_{table}" for table in ("resources", "principals", "grants")
    )
    db.execute(f"CREATE VIEW ids AS {described} UNION ALL SELECT key, uid FROM mentioned_ids")
