"""What every DuckDB connection of ours agrees on, and our SQL by name."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import duckdb
import msgspec

from cloudscan.snapshot.tables import enum_statements

MEMORY: Final = "1GiB"
_PART: Final = re.compile(r"\{([a-z_]+)\}")


def set_up(db: duckdb.DuckDBPyConnection, spill: Path, *, memory: str = MEMORY, threads: int = 2) -> None:
    """Prepare a connection: UTC, the ladders, a memory limit and a folder to spill to."""
    db.execute("SET TimeZone = 'UTC'")
    db.execute("SET memory_limit = $limit", {"limit": memory})
    db.execute(f"SET threads = {int(threads)}")
    db.execute("SET preserve_insertion_order = false")
    db.execute("SET temp_directory = $folder", {"folder": str(spill)})
    db.execute("SET enable_progress_bar = false")
    for sql in enum_statements():
        db.execute(sql)


def literal(value: object) -> str:
    """A text as an SQL literal, for statements that take no parameters (COPY, SET, CREATE VIEW)."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as an SQL identifier, whatever it contains."""
    return '"' + name.replace('"', '""') + '"'


def column_types(columns: Mapping[str, str]) -> str:
    """Names and types as `read_json` wants them: ``{"uid": 'VARCHAR'}``."""
    return "{" + ", ".join(f"{identifier(name)}: {literal(kind)}" for name, kind in columns.items()) + "}"


def column_spec(columns: Mapping[str, str]) -> str:
    """Names and types as CREATE TABLE wants them."""
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


def insert_rows(
    db: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, object]]
) -> None:
    """Put rows into a table with these columns, as one JSON text: many times as fast as a parameter for each value."""
    shape = {name: "VARCHAR" if kind.endswith("_ladder") else kind for name, kind in columns.items()}
    db.execute(
        f"INSERT INTO {table} SELECT row.* FROM (SELECT unnest(from_json($rows, $shape)) AS row)",
        {"rows": msgspec.json.encode(rows).decode(), "shape": msgspec.json.encode([shape]).decode()},
    )


def statement(name: str, **parts: str) -> str:
    """The SQL in ``statements/<name>.sql`` with its ``{parts}`` filled in.

    Parts are SQL: names and texts go through `identifier` and `literal`.
    """
    return _PART.sub(lambda part: parts[part[1]], _read(f"statements/{name}.sql"))


def views_sql() -> str:
    """The statements that derive `members` and `exposures` from the facts."""
    return _read("views.sql")


_LIMITS: Final = ("partners", "partner_accounts")


def typed(table: str) -> str:
    """The select list that gives a table read from Parquet its ladders back."""
    if table in ("grants", "exposures"):
        return "* REPLACE (audience::audience_ladder AS audience, access::access_ladder AS access)"
    return "* REPLACE (most_access::access_ladder AS most_access)" if table in _LIMITS else "*"


@cache
def _read(path: str) -> str:
    return files("cloudscan.snapshot").joinpath(path).read_text(encoding="utf-8")
