"""A small estate in memory, with the same tables and views as a snapshot: for rule examples and the live preview."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import duckdb
import msgspec

from cloudscan.facts import AnyFact
from cloudscan.snapshot.database import views_sql
from cloudscan.snapshot.tables import BASE, COVERAGE, FACTS, enum_statements, is_uid, key

_TABLES: Final[Mapping[str, Mapping[str, str]]] = {**BASE, "coverage": COVERAGE}
_TABLE_OF: Final = {fact: table for table, fact in FACTS.items()}

Estate = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows by table; uids as text."""


def open_empty() -> duckdb.DuckDBPyConnection:
    """A connection with all tables, empty, that can read no files and no network."""
    db = duckdb.connect(":memory:")
    db.execute("SET TimeZone = 'UTC'; SET threads = 1; SET enable_external_access = false")
    for statement in enum_statements():
        db.execute(statement)
    for table, columns in _TABLES.items():
        db.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
    db.execute("CREATE TABLE ids (key BIGINT, uid VARCHAR)")
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
        values: list[object] = []
        for row in rows:
            for name, kind in columns.items():
                value = _value(row.get(name), name, kind)
                if is_uid(name) and value is not None:
                    ids[value] = str(row[name])
                values.append(value)
        placeholders = ", ".join("(" + ", ".join("?" * len(columns)) + ")" for _ in rows)
        db.execute(f"INSERT INTO {table} VALUES {placeholders}", values)
    if ids:
        placeholders = ", ".join("(?, ?)" for _ in ids)
        db.execute(f"INSERT INTO ids VALUES {placeholders}", [part for pair in ids.items() for part in pair])


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
    if kind == "JSON":
        return msgspec.json.encode(value).decode()
    if kind == "TIMESTAMP":
        return value.replace(tzinfo=None)
    return str(value) if isinstance(value, str) else value
