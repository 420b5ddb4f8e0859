"""What every DuckDB connection of ours agrees on, and the views that are derived from the facts."""

from importlib.resources import files
from pathlib import Path
from typing import Final

import duckdb

from cloudscan.snapshot.tables import enum_statements

MEMORY: Final = "1GiB"


def set_up(db: duckdb.DuckDBPyConnection, spill: Path, *, memory: str = MEMORY, threads: int = 2) -> None:
    """What every connection of ours agrees on: UTC, the ladders, a memory limit and where to spill."""
    db.execute("SET TimeZone = 'UTC'")
    db.execute("SET memory_limit = $limit", {"limit": memory})
    db.execute(f"SET threads = {int(threads)}")
    db.execute("SET preserve_insertion_order = false")
    db.execute("SET temp_directory = $folder", {"folder": str(spill)})
    db.execute("SET enable_progress_bar = false")
    for statement in enum_statements():
        db.execute(statement)


def literal(value: object) -> str:
    """A text as an SQL literal, for statements that take no parameters (COPY, SET, CREATE VIEW)."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as an SQL identifier, whatever it contains."""
    return '"' + name.replace('"', '""') + '"'


def views_sql() -> str:
    """The statements that derive `members` and `exposures` from the facts."""
    return files("cloudscan.snapshot").joinpath("views.sql").read_text(encoding="utf-8")


def typed(table: str) -> str:
    """The select list that gives a table read from Parquet its ladders back."""
    if table in ("grants", "exposures"):
        return "* REPLACE (audience::audience_ladder AS audience, access::access_ladder AS access)"
    return "*"
