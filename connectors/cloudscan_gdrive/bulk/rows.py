"""The rows of a Drive inventory export, from files that BigQuery wrote: Parquet, or JSON lines.

Which columns there are is read from the files. Google documents ``id``, ``owner.user``, ``owner.shared_drive``,
``title`` and ``read_time_micros`` (Admin help, "Schema and example queries for Drive inventory exports in BigQuery");
the columns of permissions are guessed: a repeated record ``permissions``, by itself or in ``access``, with a role and
whom it is for. Where that is not there, the export is refused, since a file without permissions would look private.
"""

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import duckdb
import msgspec

from cloudscan.errors import ConfigurationError
from cloudscan.sentence import say
from cloudscan_gdrive.api.models import Permission

Row = Mapping[str, Any]

_LINES: Final = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
_PARQUET: Final = ".parquet"
_BATCH: Final = 5_000
_LOOKED_AT: Final = 1_000  # rows of JSON, to know the columns
_MOST_LINE: Final = 16_000_000  # bytes of one row
_PERMISSIONS: Final = ("access.permissions", "permissions")
_NEEDED: Final = ("id", "title", "owner")
_ROLES: Final = {
    name.lower(): name for name in ("owner", "organizer", "fileOrganizer", "writer", "commenter", "reader")
}
_ROLE_WORDS: Final = {
    "editor": "writer",
    "viewer": "reader",
    "manager": "organizer",
    "content_manager": "fileOrganizer",
}
_ZONED: Final = "TIMESTAMP WITH TIME ZONE"
_KINDS: Final = ("user", "group", "domain", "anyone")


@dataclass
class Inventory:
    """The files of one export."""

    files: Sequence[Path]
    columns: frozenset[str]  # dotted where they are in a record, in lower case
    broken: int = 0  # lines that make no sense

    @property
    def has_parents(self) -> bool:
        """Whether it says in which folder a file is."""
        return not self.columns.isdisjoint({"parents", "parent", "parent_id", "parent.id"})

    def rows(self) -> Iterator[Row]:
        """Every row; names of columns are in lower case."""
        for path in self.files:
            if path.name.lower().endswith(_PARQUET):
                yield from _parquet(path)
            else:
                yield from self._lines(path)

    def _lines(self, path: Path) -> Iterator[Row]:
        with _opened(path) as file:
            try:
                while line := file.readline(_MOST_LINE):
                    try:
                        row = msgspec.json.decode(line) if line.strip() else None
                    except (msgspec.MsgspecError, RecursionError):
                        self.broken += 1
                        continue
                    if isinstance(row, dict):
                        yield _lowered(row)
                    elif row is not None:
                        self.broken += 1
            except (OSError, EOFError, zlib.error):
                self.broken += 1


def found(folder: str) -> Inventory:
    """The export in a folder and its subfolders. Raises `ConfigurationError` where there is none that can be read."""
    files = [
        path
        for path in sorted(Path(folder).rglob("*"))
        if path.name.lower().endswith((*_LINES, _PARQUET)) and path.is_file()
    ]
    if not files:
        raise ConfigurationError(
            say(
                "inventory_export in [connectors.gdrive] names {folder}, which contains no file of an export "
                "(*.parquet, *.json). Export the table from BigQuery and name the folder with its files.",
                folder=folder,
            ),
            key="inventory_export",
        )
    columns = _columns(files[0])
    missing = [name for name in _NEEDED if name not in columns]
    if not any(name in columns for name in _PERMISSIONS):
        missing.append(_PERMISSIONS[0])
    if missing:
        raise ConfigurationError(
            say(
                "{file} is no Drive inventory export that can be judged: it has no column {missing}. It has {columns}. "
                "Export the whole table, with the columns of permissions.",
                file=str(files[0]),
                missing=", ".join(missing),
                columns=", ".join(sorted(columns)[:30]),
            ),
            key="inventory_export",
        )
    return Inventory(files=files, columns=columns)


def value(row: Row, *names: str) -> Any:
    """The first of some columns that is there, in a record or by its dotted name; None where none is."""
    for name in names:
        at = row.get(name)
        if at is None and "." in name:
            at = _inside(row, name)
        if at is not None:
            return at
    return None


def _inside(row: Row, name: str) -> Any:
    """A column of a record, or one that was taken out of it under a name with underscores."""
    at: Any = row
    for step in name.split("."):
        at = at.get(step) if type(at) is dict else None
        if at is None:
            return row.get(name.replace(".", "_"))
    return at


def text(row: Row, *names: str) -> str:
    """A column as text; empty where there is none."""
    found_value = value(row, *names)
    return "" if found_value is None or isinstance(found_value, dict | list) else str(found_value)


def moment(row: Row, *names: str) -> datetime | None:
    """A time in UTC: microseconds since 1970, or a timestamp; None for what is neither."""
    given = value(row, *names)
    try:
        if isinstance(given, datetime):
            return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
        if isinstance(given, int) or str(given).isdecimal():
            return datetime.fromtimestamp(int(given) / 1_000_000, UTC)
        return datetime.fromisoformat(str(given)).astimezone(UTC) if given else None
    except (ValueError, OverflowError, OSError):
        return None


def parents(row: Row) -> Sequence[str]:
    """The ids of the folders that a file is in."""
    given = value(row, "parents", "parent.id", "parent_id", "parent")
    listed = given if isinstance(given, list) else [given] if given else []
    return [text(one, "id") if isinstance(one, Mapping) else str(one) for one in listed]


def listed_with(row: Row) -> Any:
    """The column of permissions as it is."""
    return value(row, *_PERMISSIONS)


def permissions(row: Row) -> Sequence[Permission] | None:
    """What is granted on a file, as Drive itself would list it; None where the row does not say."""
    listed = listed_with(row)
    if not isinstance(listed, list):
        return None
    return [_permission(one) for one in listed if isinstance(one, dict)]


def _permission(one: Row) -> Permission:
    """A permission whose kind is not known admits, for all that is known, anybody."""
    kind = text(one, "type", "scope.type", "scope_type").lower()
    if not kind:
        kind = next((name for name in _KINDS if one.get(name) not in (None, False, [], {})), "")
    kind = "anyone" if kind in ("anyone_with_link", "anyonewithlink", "public") else kind
    role = text(one, "role").lower()
    role = role.replace("_", "") if role not in _ROLE_WORDS else _ROLE_WORDS[role]
    discoverable = value(one, "allow_file_discovery", "allowfilediscovery", "discoverable")
    return Permission(
        id=text(one, "id", "permission_id", "user.id", "group.id"),
        type=kind,
        role=_ROLES.get(role.lower(), role),
        email_address=text(one, "email_address", "email", "emailaddress", "user.email", "group.email"),
        domain=text(one, "domain", "domain.name", "domain_name"),
        allow_file_discovery=discoverable if isinstance(discoverable, bool) else None,
        expiration_time=moment(one, "expiration_time_micros", "expiration_time", "expirationtime"),
        deleted=value(one, "deleted") is True,
        pending_owner=value(one, "pending_owner", "pendingowner") is True,
        view=text(one, "view"),
    )


def _columns(path: Path) -> frozenset[str]:
    if path.name.lower().endswith(_PARQUET):
        try:
            rows = list(islice(_parquet(path), 1))
            with duckdb.connect(":memory:") as db:
                described = db.execute("DESCRIBE SELECT * FROM read_parquet($path)", {"path": str(path)}).fetchall()
        except (duckdb.Error, UnicodeDecodeError):
            return frozenset()
        named = {str(name).lower(): str(kind).lower() for name, kind, *_ in described}
        inside = {"access.permissions"} if "permissions" in named.get("access", "") else set[str]()
        return frozenset({*named, *inside, *(name for row in rows for name in _names(row))})
    lines = Inventory(files=[path], columns=frozenset())
    return frozenset(name for row in islice(lines.rows(), _LOOKED_AT) for name in _names(row))


def _names(row: Row, before: str = "") -> Iterator[str]:
    for name, inner in row.items():
        yield before + name
        if isinstance(inner, Mapping):
            yield from _names(inner, f"{before}{name}.")


def _parquet(path: Path) -> Iterator[Row]:
    with duckdb.connect(":memory:") as db:
        db.execute("SET TimeZone = 'UTC'")
        described = db.execute("DESCRIBE SELECT * FROM read_parquet($path)", {"path": str(path)}).fetchall()
        selected = ", ".join(_column(str(name), str(kind)) for name, kind, *_ in described)
        cursor = db.execute(f"SELECT {selected} FROM read_parquet($path)", {"path": str(path)})
        names = [str(column[0]).lower() for column in cursor.description or ()]
        while rows := cursor.fetchmany(_BATCH):
            for row in rows:
                yield _lowered(dict(zip(names, row, strict=True)))


def _column(name: str, kind: str) -> str:
    """A column in SQL, its times in UTC without their zone, for which DuckDB needs a package that is not installed."""
    quoted = '"' + name.replace('"', '""') + '"'
    if _ZONED not in kind:
        return quoted
    return f"CAST({quoted} AS {kind.replace(_ZONED, 'TIMESTAMP')}) AS {quoted}"


def _opened(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path)) if path.name.endswith(".gz") else path.open("rb")


def _lowered(given: Any) -> Any:
    if isinstance(given, dict):
        return {name.lower(): _lowered(one) if isinstance(one, dict | list) else one for name, one in given.items()}
    return [_lowered(one) if isinstance(one, dict | list) else one for one in given]
