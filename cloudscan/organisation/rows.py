"""Rows of what the organisation knows, put into a database as tables named ``joined_…`` with keys for uids.

Each step of `cloudscan.organisation.joining` makes some of these tables and may read those of the steps before it.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import duckdb
import msgspec

from cloudscan.snapshot.database import column_spec, insert_rows
from cloudscan.snapshot.organisation import ROWS, Row
from cloudscan.snapshot.tables import ORGANISATION_TABLES, is_uid, key

PREFIX: Final = "joined_"
_BATCH: Final = 50_000
_IDS: Final = {"key": "BIGINT", "uid": "VARCHAR"}


def create(db: duckdb.DuckDBPyConnection) -> None:
    """All tables, empty, and `joined_ids`: the texts of the uids in them."""
    create_over(db, ORGANISATION_TABLES)


def create_over(db: duckdb.DuckDBPyConnection, made: Collection[str]) -> None:
    """The same on a sealed snapshot: views of what was sealed, and empty tables for what is made again."""
    for table, columns in ORGANISATION_TABLES.items():
        if table in made:
            db.execute(f"CREATE OR REPLACE TEMP TABLE {PREFIX}{table} ({column_spec(columns)})")
        else:
            db.execute(f"CREATE OR REPLACE TEMP VIEW {PREFIX}{table} AS SELECT * FROM {table}")
    db.execute(f"CREATE OR REPLACE TEMP TABLE joined_ids ({column_spec(_IDS)})")


def insert(db: duckdb.DuckDBPyConnection, rows: Iterable[Row]) -> None:
    """Put rows of one kind into their table; uids are given as text and noted."""
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            _insert(db, batch)
            batch = []
    if batch:
        _insert(db, batch)


def fill(db: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str], rows: Sequence[dict[str, Any]]) -> None:
    """Make a temporary table of rows; `columns` are their types."""
    db.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({column_spec(columns)})")
    for start in range(0, len(rows), _BATCH):
        insert_rows(db, table, columns, rows[start : start + _BATCH])


def _insert(db: duckdb.DuckDBPyConnection, rows: Sequence[Row]) -> None:
    table = next(name for name, kind in ROWS.items() if kind is type(rows[0]))
    columns = ORGANISATION_TABLES[table]
    uids = [name for name in columns if is_uid(name)]
    ids: dict[str, int] = {}
    written: list[dict[str, Any]] = []
    for row in rows:
        values = msgspec.to_builtins(row)
        for name in uids:
            if (uid := values[name]) is not None:
                if uid not in ids:
                    ids[uid] = key(uid)
                values[name] = ids[uid]
            else:
                values[name] = None
        written.append({name: _plain(value) for name, value in values.items()})
    insert_rows(db, PREFIX + table, columns, written)
    pairs = [{"key": number, "uid": uid} for uid, number in ids.items()]
    insert_rows(db, "joined_ids", _IDS, pairs)


def _plain(value: Any) -> Any:
    """A moment as DuckDB reads it: all of ours are UTC."""
    return value.removesuffix("Z") if isinstance(value, str) and value[10:11] == "T" and value.endswith("Z") else value
