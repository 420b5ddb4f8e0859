"""A redacted copy of a snapshot: the same rows, with hashes in place of users' texts and ids.

Keys are derived anew from the redacted ids. The old ones are hashes without a secret: guessing a name would show
whether it is in the estate. The facts kept for incremental scans (`cloudscan.snapshot.incremental`) are not copied.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec

from cloudscan.facts import Hidden
from cloudscan.files import private_folder, write_private
from cloudscan.reason import Reason
from cloudscan.redaction.redactor import Redactor
from cloudscan.snapshot.database import identifier, literal, set_up
from cloudscan.snapshot.manifest import Manifest
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.snapshot.tables import WORDS, is_uid, key

_BATCH: Final = 50_000
_IDENTITIES: Final = ("gap", "reason")  # words for rules; but hashes of names, and prose where a plugin writes it
_reason: Final[msgspec.json.Decoder[Reason | str]] = msgspec.json.Decoder(Reason | str)
_hides: Final = msgspec.json.Decoder(tuple[Hidden, ...])


def redact(snapshot: Snapshot, redactor: Redactor, into: Path) -> Manifest:
    """Write a redacted copy into a new folder. The same snapshot and key give the same bytes."""
    tables = into / "tables"
    private_folder(into)
    tables.mkdir(mode=0o700)
    source = snapshot.path / "tables"
    with duckdb.connect(":memory:") as db:
        set_up(db, into / ".spill", threads=1)
        db.execute("SET preserve_insertion_order = true")
        _map_ids(db, source, redactor)
        for file in sorted(source.glob("*.parquet")):
            _copy(db, file, tables / file.name, redactor)
    # A digest of who we are could be guessed.
    manifest = msgspec.structs.replace(snapshot.manifest, settings={}, translations={})
    for file in tables.iterdir():
        file.chmod(0o600)
    write_private(into / "manifest.json", msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    return manifest


def replace(snapshot: Snapshot, redactor: Redactor) -> None:
    """Replace a snapshot by its redacted copy, and close it. The next scan reads everything again."""
    copy = snapshot.path.with_name(f"{snapshot.path.name}.redacted")
    shutil.rmtree(copy, ignore_errors=True)
    redact(snapshot, redactor, copy)
    snapshot.close()  # Windows removes nothing that is open
    shutil.rmtree(snapshot.path)
    copy.rename(snapshot.path)


def _map_ids(db: duckdb.DuckDBPyConnection, tables: Path, redactor: Redactor) -> None:
    """Create the table `known`: every key, and the redacted key and id that replace it."""
    db.execute("CREATE TABLE known (was BIGINT, uid BIGINT, id VARCHAR)")
    described = " UNION ".join(
        f"SELECT uid AS key, id FROM read_parquet({literal(tables / f'{name}.parquet')})"
        for name in ("resources", "principals", "grants")
    )
    mentioned = f"SELECT key, uid AS id FROM read_parquet({literal(tables / 'ids.parquet')})"
    cursor = db.cursor().execute(f"{described} UNION {mentioned} ORDER BY key")
    while rows := cursor.fetchmany(_BATCH):
        ids = [redactor.id(row[1] or "") for row in rows]
        _insert(db, "known", "BIGINT", [row[0] for row in rows], "BIGINT", [key(uid) for uid in ids], ids)


def _insert(
    db: duckdb.DuckDBPyConnection,
    table: str,
    kind: str,
    was: Sequence[Any],
    to_kind: str,
    keys: Sequence[Any],
    texts: Sequence[str] | None = None,
) -> None:
    values: dict[str, Any] = {"was": was, "keys": keys}
    more = ""
    if texts is not None:
        values["texts"] = texts
        more = ", unnest($texts::VARCHAR[])"
    db.execute(f"INSERT INTO {table} SELECT unnest($was::{kind}[]), unnest($keys::{to_kind}[]){more}", values)


def _copy(db: duckdb.DuckDBPyConnection, source: Path, target: Path, redactor: Redactor) -> None:
    """Copy one table, column by column, in an order that depends on its redacted rows alone."""
    read = f"read_parquet({literal(source)})"
    columns = {row[0]: row[1] for row in db.execute(f"DESCRIBE SELECT * FROM {read}").fetchall()}
    selected: list[str] = []
    joined: list[str] = []
    for index, (column, kind) in enumerate(columns.items()):
        alias, quoted = f"m{index}", identifier(column)
        if kind == "BIGINT" and (is_uid(column) or column == "key"):
            joined.append(f"LEFT JOIN known AS {alias} ON {alias}.was = t.{quoted}")
            selected.append(f"{alias}.uid AS {quoted}")
        elif column == "id" or (source.stem == "ids" and column == "uid"):
            by = "uid" if column == "id" else "key"
            joined.append(f"LEFT JOIN known AS {alias} ON {alias}.was = t.{by}")
            selected.append(f"{alias}.id AS {quoted}")
        elif _is_harmless(kind) or (column in WORDS.get(source.stem, ()) and column not in _IDENTITIES):
            selected.append(f"t.{quoted}")
        else:
            hashed = _hashed(db, read, column, f"texts_{index}", _rewriter(redactor, column, kind))
            joined.append(f"LEFT JOIN {hashed} AS {alias} ON {alias}.was = t.{quoted}::VARCHAR")
            selected.append(f"{alias}.now::{kind} AS {quoted}")
    db.execute(
        f"COPY (SELECT {', '.join(selected)} FROM {read} AS t {' '.join(joined)} ORDER BY ALL) "
        f"TO {literal(target)} (FORMAT parquet)"
    )


def _is_harmless(kind: str) -> bool:
    return kind in ("BOOLEAN", "TIMESTAMP", "DATE", "BIGINT", "INTEGER", "DOUBLE") or kind.startswith("ENUM")


def _rewriter(redactor: Redactor, column: str, kind: str) -> Callable[[str], str]:
    if column == "reason_record":
        return lambda text: msgspec.json.encode(redactor.reason(_reason.decode(text))).decode()
    if column == "hides":
        return lambda text: msgspec.json.encode(redactor.hidden(_hides.decode(text))).decode()
    if kind == "JSON" or column == "detail" or column.endswith("_detail"):
        return lambda text: msgspec.json.encode(redactor.detail(msgspec.json.decode(text))).decode()
    if column in ("scope_text", "resource_text"):
        return redactor.id
    return lambda text: str(redactor.value(column, text))


def _hashed(db: duckdb.DuckDBPyConnection, read: str, column: str, table: str, rewritten: Callable[[str], str]) -> str:
    """Create a table of a column's texts and what replaces them; gives its name."""
    db.execute(f"CREATE OR REPLACE TEMP TABLE {table} (was VARCHAR, now VARCHAR)")
    cursor = db.cursor().execute(
        f"SELECT DISTINCT {identifier(column)}::VARCHAR FROM {read} WHERE {identifier(column)} IS NOT NULL"
    )
    while rows := cursor.fetchmany(_BATCH):
        texts = [row[0] for row in rows]
        _insert(db, table, "VARCHAR", texts, "VARCHAR", [rewritten(text) for text in texts])
    return table
