"""Reads S3 Inventory reports with the objects' ACLs, in CSV and Parquet.

Sources: Amazon S3 User Guide, "Amazon S3 Inventory list", "Locating your inventory list" and "Working with the Object
ACL field". In CSV keys are URL-encoded and the ACL is JSON in base64; in Parquet both are plain.
"""

import base64
import binascii
import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import duckdb

from cloudscan.connector import Gap
from cloudscan.errors import Malformed, ProviderError, Vanished
from cloudscan_s3.access.bucket import Acl, AclGrant, Bucket, ObjectAcl, Unread
from cloudscan_s3.api.asking import Asker
from cloudscan_s3.questions import INVENTORY, INVENTORY_REPORT, INVENTORY_REPORTS

_FIELD = "ObjectAccessControlList"
_SUFFIXES = {"CSV": ".csv.gz", "Parquet": ".parquet"}
_ROWS = 5000

Configured = tuple[Sequence[Mapping[str, Any]], Sequence[Gap]]


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


class ReportUnread(Exception):
    """A report that is there, or may be, could not be read: the gap that it leaves."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(gap.question)
        self.gap = gap


def configurations(asker: Asker, bucket: Bucket, about: str) -> Configured:
    """The inventories of a bucket as they are configured, and gaps; `about` is the bucket's uid."""
    return asker.list(INVENTORY, dict, "NextContinuationToken", region=bucket.region, about=about, Bucket=bucket.name)


def newest_report(asker: Asker, bucket: Bucket, about: str, known: Configured | None = None) -> Report | None:
    """The newest finished report that carries ACLs in a format we read; None where there is none.

    `about` is the bucket's uid; `known` are its configurations if they have been asked for. Raises `ReportUnread` where
    it could not be found out or read.
    """
    configured, gaps = known or configurations(asker, bucket, about)
    if gaps:
        raise ReportUnread(gaps[0])
    for inventory in configured:
        target = (inventory.get("Destination") or {}).get("S3BucketDestination") or {}
        has_acls = inventory.get("IsEnabled") and _FIELD in (inventory.get("OptionalFields") or ())
        if has_acls and target.get("Format") in _SUFFIXES:
            if not inventory.get("Id") or not target.get("Bucket"):
                raise ReportUnread(INVENTORY.gap(Malformed("s3-garbled"), about))
            prefix = "/".join(part for part in (target.get("Prefix") or "", bucket.name, inventory["Id"]) if part)
            report = _newest(
                asker, bucket.region, str(target["Bucket"]).rpartition(":")[2], prefix=f"{prefix}/", about=about
            )
            if report is not None:
                return report
    return None


def objects(asker: Asker, bucket: Bucket, report: Report, about: str) -> Iterator[ListedObject]:
    """Every object of a report, file by file. Raises `ReportUnread`, also where a file does not have its checksum."""
    owner = bucket.acl.owner if isinstance(bucket.acl, Acl) else ""
    with tempfile.TemporaryDirectory(prefix="cloudscan-") as folder:
        for key, checksum in report.files:
            path = Path(folder) / f"report{_SUFFIXES[report.format]}"
            try:
                content = _download(asker, bucket.region, report.bucket, key)
                if checksum and hashlib.md5(content, usedforsecurity=False).hexdigest() != checksum.lower():
                    raise Malformed("s3-checksum-differs", file=key)
                path.write_bytes(content)
                yield from _rows(path, report, owner)
            except ProviderError as error:
                raise ReportUnread(INVENTORY_REPORT.gap(error, about)) from error


def _newest(asker: Asker, region: str, bucket: str, *, prefix: str, about: str) -> Report | None:
    """The newest complete report. Each dated folder contains a manifest; `hive` and `data` are not dated."""

    def dated(entry: dict[str, Any]) -> str | None:
        folder = str(entry["Prefix"])
        return folder if folder[len(prefix) :][:1].isdigit() else None

    folders, gaps = asker.list(
        INVENTORY_REPORTS,
        dated,
        "NextContinuationToken",
        region=region,
        about=about,
        Bucket=bucket,
        Prefix=prefix,
        Delimiter="/",
    )
    if gaps:
        raise ReportUnread(gaps[0])
    for folder in sorted(folders, reverse=True):
        try:
            content = _download(asker, region, bucket, f"{folder}manifest.json")
            checksum = _download(asker, region, bucket, f"{folder}manifest.checksum").decode("ascii", "replace").strip()
            if hashlib.md5(content, usedforsecurity=False).hexdigest() != checksum.lower():
                raise Malformed("s3-checksum-differs", file=f"{folder}manifest.json")
            return _manifest(content, bucket)
        except Vanished:
            continue  # still being written: the checksum comes last
        except ProviderError as error:
            raise ReportUnread(INVENTORY_REPORT.gap(error, about)) from error
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
        raise Malformed("s3-manifest-malformed", quote=str(error)) from error


def _download(asker: Asker, region: str, bucket: str, key: str) -> bytes:
    answer = asker.require(INVENTORY_REPORT, region, Bucket=bucket, Key=key) or {}
    return asker.content(INVENTORY_REPORT, answer["Body"], region)


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
            raise Malformed("s3-report-malformed", quote=str(error).splitlines()[0]) from error


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
