"""Reads the files of an S3 Inventory report: CSV, ORC and Parquet.

In CSV there is no header (the manifest has the columns) and keys are URL-encoded. In ORC and Parquet the columns have
names in snake case. The ACL is JSON in base64 in each of them; where it is plain JSON, it is read as such. Most objects
have the same ACL: each is decoded once. Sources: Amazon S3 User Guide, "Amazon S3 Inventory list", "Working with
the Object ACL field" and "Querying Amazon S3 Inventory with Amazon Athena".
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_plus

import duckdb

from cloudscan.errors import Malformed, ProviderError
from cloudscan_s3.access.acl import ANONYMOUS
from cloudscan_s3.access.bucket import Acl, AclGrant, ObjectAcl, Unread

ACL_FIELD: Final = "ObjectAccessControlList"
SUFFIXES: Final = {"CSV": ".csv.gz", "ORC": ".orc", "Parquet": ".parquet"}
"""The formats that are read, and how their files end."""

_WANTED: Final = ("Key", ACL_FIELD, "Size", "LastModifiedDate", "ObjectOwner", "IsDeleteMarker")
_ROWS: Final = 5000
_CANONICAL: Final = re.compile(r"[0-9a-f]{64}")
_MOST_ACLS: Final = 100_000  # that are kept decoded
Row = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class ListedObject:
    """An object as a report lists it; `acl` is None where the report calls it unavailable."""

    key: str
    acl: Acl | None
    size: int | None
    modified_on: datetime | None

    @property
    def is_owners_alone(self) -> bool:
        """Whether its ACL grants nothing to anybody but its owner."""
        acl = self.acl
        return acl is not None and all(
            grant.canonical_id == acl.owner != ANONYMOUS and grant.canonical_id for grant in acl.grants
        )

    def as_object(self, bucket: str, acl: Acl | Unread | None = None) -> ObjectAcl:
        """The object with the report's ACL, or with a fresher one."""
        return ObjectAcl(
            bucket=bucket,
            key=self.key,
            acl=acl or self.acl or Acl(owner="", grants=()),
            size_bytes=self.size,
            modified_on=self.modified_on,
            seen_by="inventory" if acl is None else "inventory and GetObjectAcl",
        )


def rows(path: Path, kind: str, columns: Sequence[str], owner: str) -> Iterator[ListedObject]:
    """The objects of one file, without markers of deletion; `owner` is the canonical id of the bucket's owner.

    `columns` are the manifest's, which only CSV needs. Raises `Malformed` for a file that is not what it should be, and
    another `ProviderError` for ORC where pyarrow is not installed.
    """
    read = {"CSV": _csv, "ORC": _orc, "Parquet": _parquet}[kind]
    acls = _Acls(owner)
    encoded = kind == "CSV"
    try:
        for key, acl, size, modified, its_owner, is_marker in read(path, columns):
            if str(is_marker).lower() == "true":
                continue
            yield ListedObject(
                key=unquote_plus(key) if encoded else str(key),
                acl=acls.of(acl, its_owner),
                size=int(size) if size not in (None, "") else None,
                modified_on=_moment(modified),
            )
    except (duckdb.Error, ValueError, TypeError, AttributeError, OSError) as error:
        raise Malformed("s3-report-malformed", quote=str(error).splitlines()[0] if str(error) else "") from error


def _csv(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    names = {_plain(name): f"column{index}" for index, name in enumerate(columns)}
    types = "{" + ", ".join(f"'column{index}': 'VARCHAR'" for index in range(len(columns))) + "}"
    source = f"read_csv($path, header = false, columns = {types}, delim = ',', quote = '\"', escape = '\"')"
    return _selected(path, names, source)


def _parquet(path: Path, _columns: Sequence[str]) -> Iterator[Row]:
    with duckdb.connect(":memory:") as db:
        described = db.execute("DESCRIBE SELECT * FROM read_parquet($path)", {"path": str(path)}).fetchall()
    names = {_plain(str(name)): _column(str(name), str(kind)) for name, kind, *_ in described}
    return _selected(path, names, "read_parquet($path)")


def _column(name: str, kind: str) -> str:
    """A column in SQL; a time in UTC without its zone, for which DuckDB needs a package that is not installed."""
    quoted = '"' + name.replace('"', '""') + '"'
    return f"make_timestamp(epoch_us({quoted}))" if kind.startswith("TIMESTAMP") else quoted


def _selected(path: Path, names: Mapping[str, str], source: str) -> Iterator[Row]:
    """The wanted columns, by their names without case and underscores; one that is not there is NULL."""
    if "key" not in names:
        raise ValueError("Key")
    wanted = ", ".join(names.get(_plain(name), "NULL") for name in _WANTED)
    with duckdb.connect(":memory:") as db:
        cursor = db.execute(f"SELECT {wanted} FROM {source}", {"path": str(path)})
        while found := cursor.fetchmany(_ROWS):
            yield from found


def _orc(path: Path, _columns: Sequence[str]) -> Iterator[Row]:
    try:
        from pyarrow import ArrowException, orc  # loaded only where a report is in ORC
    except ImportError as error:
        raise ProviderError("s3-orc-needs-pyarrow") from error
    try:
        file = orc.ORCFile(path)
        names = {_plain(name): name for name in file.schema.names}
        if "key" not in names:
            raise ValueError("Key")
        wanted = [names.get(_plain(name)) for name in _WANTED]
        for stripe in range(file.nstripes):
            batch = file.read_stripe(stripe, columns=[name for name in wanted if name])
            lists = [batch.column(name).to_pylist() if name else [None] * batch.num_rows for name in wanted]
            yield from zip(*lists, strict=True)
    except ArrowException as error:
        raise ValueError(str(error)) from error


class _Acls:
    """ACLs by their text, decoded once each."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._known: dict[tuple[str, str], Acl | None] = {}

    def of(self, text: str | bytes | None, owner: str | None) -> Acl | None:
        """The ACL; None where the report calls it unavailable, or where it makes no sense.

        The owner's own entry is among the grants and is no news, so an object without a known owner counts as the
        bucket owner's.
        """
        plain = text.decode("ascii", "replace") if isinstance(text, bytes) else text or ""
        key = (plain, owner or "")
        if key not in self._known:
            if len(self._known) >= _MOST_ACLS:
                self._known.clear()
            self._known[key] = _acl(plain, owner if owner and _CANONICAL.fullmatch(owner) else self._owner)
        return self._known[key]


def _acl(text: str, owner: str) -> Acl | None:
    try:
        given = json.loads(text if text.lstrip()[:1] == "{" else base64.b64decode(text, validate=True))
        if given.get("status") != "AVAILABLE":
            return None
        grants = tuple(
            AclGrant(
                permission=str(grant["permission"]),
                canonical_id=str(grant.get("canonicalId") or ""),
                group=str(grant.get("uri") or ""),
            )
            for grant in given["grants"]
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return Acl(owner=owner, grants=grants)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC) if value else None
    except ValueError:
        return None
