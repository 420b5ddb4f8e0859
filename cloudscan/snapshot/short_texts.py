"""Columns with few different texts, as ENUM while exposures are written.

To Parquet a row's text costs eight times as much as a number, however short it is and however often it was there
before. What is written is the same text: an ENUM is read back as VARCHAR.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import duckdb

from cloudscan.snapshot.database import literal

_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "resources": ("platform", "account", "kind", "label"),
    "principals": ("kind", "domain", "affiliation", "status"),
    "grants": ("via",),
}
"""What exposures show of these tables, and seldom has many values."""

_MOST: Final = 256
"""Different texts that a column may have; each is written once for every part of the file."""


def enumerate_few(db: duckdb.DuckDBPyConnection) -> None:
    """Replace the views of facts by such with the same rows, in which columns with few different texts are ENUM."""
    for table, columns in _COLUMNS.items():
        short = [name for name in columns if _enumerate(db, table, name)]
        if short:
            replaced = ", ".join(f"{name}::{_type(table, name)} AS {name}" for name in short)
            db.execute(f"ALTER VIEW {table} RENAME TO spelled_{table}")
            db.execute(f"CREATE VIEW {table} AS SELECT * REPLACE ({replaced}) FROM spelled_{table}")


def _enumerate(db: duckdb.DuckDBPyConnection, table: str, column: str) -> bool:
    """Make the type of one column; gives whether it has few different texts."""
    rows = db.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL LIMIT {_MOST + 1}").fetchall()
    if not 0 < len(rows) <= _MOST:
        return False
    db.execute(f"CREATE TYPE {_type(table, column)} AS ENUM ({', '.join(sorted(literal(text) for (text,) in rows))})")
    return True


def _type(table: str, column: str) -> str:
    return f"{column}_of_{table}"
