"""Reads S3 Inventory reports with the objects' ACLs, in CSV and Parquet.

Sources: Amazon S3 User Guide, "Amazon S3 Inventory list", "Locating your inventory list" and "Working with the Object
ACL field". In CSV keys are URL-encoded and the ACL is JSON in base64; in Parquet both are plain.
"""

import base64
import binascii
import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import duckdb

from cloudscan.errors import Malformed
from cloudscan_s3.access.bucket import Acl, AclGrant, Bucket, ObjectAcl, Unread
from cloudscan_s3.api.client import Account, Vanished, ask, require

_FIELD = "ObjectAccessControlList"
_SUFFIXES = {"CSV": ".csv.gz", "Parquet": ".parquet"}
_ROWS = 5000


@dataclass(frozen=True, kw_only=True)
class Report:
    """One finished report."""

    bucket: str  # where the report is stored
    format: str
    columns: tuple[str, ...]
    files: tuple[tuple[str, str], ...]  # key and MD5


@dataclass(frozen=True, kw_only=True)
class ListedObject:
    """An object as a report lists it; `acl` is None where the report calls it unavailable."""

    key: str
    acl: Acl | None
    size: int | None
    modified_on: datetime | None

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


def newest_report(account: Account, bucket: Bucket) -> Report | None:
    """The newest finished report that carries ACLs in a format we read; None where there is none.

    Raises `AccessDenied` where the report may not be read, `Malformed` where it does not match its documentation.
    """
    client = account.client("s3", bucket.region)
    answer = ask(client.list_bucket_inventory_configurations, "s3:GetInventoryConfiguration", Bucket=bucket.name)
    if answer is None or isinstance(answer, Unread):
        return None
    for inventory in answer.get("InventoryConfigurationList", ()):
        target = (inventory.get("Destination") or {}).get("S3BucketDestination") or {}
        has_acls = inventory.get("IsEnabled") and _FIELD in inventory.get("OptionalFields", ())
        if has_acls and target.get("Format") in _SUFFIXES:
            prefix = "/".join(part for part in (target.get("Prefix", ""), bucket.name, inventory["Id"]) if part)
            report = _newest(client, str(target["Bucket"]).rpartition(":")[2], f"{prefix}/")
            if report is not None:
                return report
    return None


def objects(account: Account, bucket: Bucket, report: Report) -> Iterator[ListedObject]:
    """Every object of a report, file by file. Raises `Malformed` where a file does not have its checksum."""
    client = account.client("s3", bucket.region)
    owner = bucket.acl.owner if isinstance(bucket.acl, Acl) else ""
    with tempfile.TemporaryDirectory(prefix="cloudscan-") as folder:
        for key, checksum in report.files:
            path = Path(folder) / f"report{_SUFFIXES[report.format]}"
            content = _download(client, report.bucket, key)
            if checksum and hashlib.md5(content, usedforsecurity=False).hexdigest() != checksum.lower():
                raise Malformed(f"the checksum of {key} differs from its manifest")
            path.write_bytes(content)
            yield from _rows(path, report, owner)


def _newest(client: Any, bucket: str, prefix: str) -> Report | None:
    """The newest complete report. Each dated folder contains a manifest; `hive` and `data` are not dated."""
    token: dict[str, str] = {}
    dated: list[str] = []
    while True:
        page = require(client.list_objects_v2, "s3:ListBucket", Bucket=bucket, Prefix=prefix, Delimiter="/", **token)
        dated += [
            entry["Prefix"] for entry in page.get("CommonPrefixes", ()) if entry["Prefix"][len(prefix) :][:1].isdigit()
        ]
        if not page.get("IsTruncated"):
            break
        token = {"ContinuationToken": page["NextContinuationToken"]}
    for folder in sorted(dated, reverse=True):
        try:
            content = _download(client, bucket, f"{folder}manifest.json")
            checksum = _download(client, bucket, f"{folder}manifest.checksum").decode("ascii", "replace").strip()
        except Vanished:
            continue  # still being written: the checksum comes last
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != checksum.lower():
            raise Malformed(f"the checksum of {folder}manifest.json differs from the file beside it")
        return _manifest(content, bucket)
    return None


def _manifest(content: bytes, bucket: str) -> Report:
    try:
        manifest = json.loads(content)
        return Report(
            bucket=bucket,
            format=str(manifest["fileFormat"]),
            columns=tuple(column.strip() for column in str(manifest["fileSchema"]).split(",")),
            files=tuple((str(file["key"]), str(file.get("MD5checksum", ""))) for file in manifest["files"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Malformed(f"the inventory's manifest does not match its documentation ({error})") from error


def _download(client: Any, bucket: str, key: str) -> bytes:
    body = require(client.get_object, "s3:GetObject", Bucket=bucket, Key=key)["Body"]
    content = body.read()
    return content if isinstance(content, bytes) else bytes(content)


def _rows(path: Path, report: Report, owner: str) -> Iterator[ListedObject]:
    if report.format == "CSV":
        names = {name: f"column{index}" for index, name in enumerate(report.columns)}
        columns = "{" + ", ".join(f"'column{index}': 'VARCHAR'" for index in range(len(report.columns))) + "}"
        source = f"read_csv($path, header = false, columns = {columns}, delim = ',', quote = '\"', escape = '\"')"
    else:
        names = {
            "Key": "key",
            "Size": "size",
            "LastModifiedDate": "last_modified_date",
            _FIELD: "object_access_control_list",
        }
        source = "read_parquet($path)"
    wanted = [names.get(name, "NULL") for name in ("Key", _FIELD, "Size", "LastModifiedDate")]
    if report.format == "Parquet":
        wanted = [name if name == "NULL" or _has_column(path, name) else "NULL" for name in wanted]
    with duckdb.connect(":memory:") as db:
        try:
            cursor = db.execute(f"SELECT {', '.join(wanted)} FROM {source}", {"path": str(path)})
            while rows := cursor.fetchmany(_ROWS):
                for key, acl, size, modified in rows:
                    encoded = report.format == "CSV"
                    yield ListedObject(
                        key=unquote_plus(key) if encoded else str(key),
                        acl=_acl(acl, encoded, owner),
                        size=int(size) if size not in (None, "") else None,
                        modified_on=_moment(modified),
                    )
        except duckdb.Error as error:
            raise Malformed(f"the inventory's file cannot be read ({str(error).splitlines()[0]})") from error


def _has_column(path: Path, column: str) -> bool:
    with duckdb.connect(":memory:") as db:
        names = db.execute("SELECT name FROM parquet_schema($path)", {"path": str(path)}).fetchall()
    return (column,) in names


def _acl(text: str | None, encoded: bool, owner: str) -> Acl | None:
    """The ACL, without a grant to the bucket's owner being news: a report does not name the owner of an object."""
    try:
        raw = base64.b64decode(text or "", validate=True) if encoded else (text or "")
        given = json.loads(raw)
        if given.get("status") != "AVAILABLE":
            return None
        grants = tuple(
            AclGrant(
                permission=str(grant["permission"]),
                canonical_id=str(grant.get("canonicalId", "")),
                group=str(grant.get("uri", "")),
            )
            for grant in given["grants"]
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return None
    return Acl(owner=owner, grants=grants)


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC) if value else None
    except ValueError:
        return None
