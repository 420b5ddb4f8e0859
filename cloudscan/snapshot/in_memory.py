"""A small estate in memory, with the same tables and views as a snapshot: for rule examples and the live preview."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import duckdb
import msgspec

from cloudscan.facts import AnyFact
from cloudscan.snapshot.database import column_spec, insert_rows, views_sql
from cloudscan.snapshot.tables import COVERAGE, FACTS, KNOWN, enum_statements, is_uid, key

_TABLES: Final[Mapping[str, Mapping[str, str]]] = {**KNOWN, "coverage": COVERAGE}
_TABLE_OF: Final = {fact: table for table, fact in FACTS.items()}

_IDS: Final = {"key": "BIGINT", "uid": "VARCHAR"}

Estate = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows by table; uids as text."""


def open_empty() -> duckdb.DuckDBPyConnection:
    """A connection with all tables, empty, that can read no files and no network."""
    db = duckdb.connect(":memory:")
    db.execute("SET TimeZone = 'UTC'; SET threads = 1; SET enable_external_access = false")
    for statement in enum_statements():
        db.execute(statement)
    for table, columns in _TABLES.items():
        db.execute(f"CREATE TABLE {table} ({column_spec(columns)})")
    db.execute(f"CREATE TABLE ids ({column_spec(_IDS)})")
    db.execute(views_sql())
    db.execute("SET lock_configuration = true")
    return db


def fill(db: duckdb.DuckDBPyConnection, estate: Estate) -> None:
    """Put rows into the tables."""
    ids: dict[int, str] = {}
    for table, rows in estate.items():
        if not rows:
            continue
        columns = _TABLES[table]
        written: list[dict[str, object]] = []
        for row in rows:
            values = {name: _value(row.get(name), name, kind) for name, kind in columns.items()}
            ids |= {values[name]: str(row[name]) for name in columns if is_uid(name) and values[name] is not None}
            written.append(values)
        insert_rows(db, table, columns, written)
    if ids:
        insert_rows(db, "ids", _IDS, [{"key": key, "uid": uid} for key, uid in ids.items()])


def estate_of(facts: Iterable[AnyFact]) -> dict[str, list[Mapping[str, Any]]]:
    """Facts as rows, each thing once. A grant that names no origin is its own: inheritance is not traced here."""
    estate: dict[str, dict[object, Mapping[str, Any]]] = {}
    for fact in facts:
        table = _TABLE_OF.get(type(fact))
        if table is None:
            continue
        row = dict(msgspec.structs.asdict(fact))
        if table == "grants" and row["origin_uid"] is None:
            row["origin_uid"] = row["resource_uid"]
        identity = row["uid"] if "uid" in row else msgspec.json.encode(fact)
        estate.setdefault(table, {})[identity] = row
    return {table: list(rows.values()) for table, rows in estate.items()}


def _value(value: Any, name: str, kind: str) -> Any:
    if value is None:
        return None
    if is_uid(name):
        return key(str(value))
    if kind == "TIMESTAMP":
        return value.replace(tzinfo=None)
    return str(value) if isinstance(value, str) else value
