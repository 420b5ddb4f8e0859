"""Finds S3 Inventory reports with the objects' ACLs, and fetches their files.

Sources: Amazon S3 User Guide, "Amazon S3 Inventory list" and "Locating your inventory list". A report is whole once its
``manifest.checksum`` is there, which is written last. `inventory_rows` reads the files.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cloudscan.connector import Gap
from cloudscan.errors import Malformed, ProviderError, Vanished
from cloudscan_s3.access.bucket import Acl, Bucket
from cloudscan_s3.api.asking import Asker
from cloudscan_s3.api.inventory_rows import ACL_FIELD, SUFFIXES, ListedObject, rows
from cloudscan_s3.questions import INVENTORY, INVENTORY_REPORT, INVENTORY_REPORTS

_PERIODS = {"Daily": timedelta(days=1), "Weekly": timedelta(days=7)}
_MISSED = 2  # periods without a new report, after which one is not taken for today's

Configured = tuple[Sequence[Mapping[str, Any]], Sequence[Gap]]


@dataclass(frozen=True, kw_only=True)
class Report:
    """One finished report."""

    bucket: str  # where the report is stored
    format: str
    columns: tuple[str, ...]
    files: tuple[tuple[str, str], ...]  # key and MD5
    created_on: datetime | None = None  # when S3 began to list the objects; None: the manifest does not say


class ReportUnread(Exception):
    """A report that is there, or may be, could not be read: the gap that it leaves."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(gap.question)
        self.gap = gap


def configurations(asker: Asker, bucket: Bucket, about: str) -> Configured:
    """The inventories of a bucket as they are configured, and gaps; `about` is the bucket's uid."""
    return asker.list(INVENTORY, dict, "NextContinuationToken", region=bucket.region, about=about, Bucket=bucket.name)


def newest_report(
    asker: Asker, bucket: Bucket, about: str, now: datetime, known: Configured | None = None
) -> Report | None:
    """The newest finished report that carries ACLs in a format we read; None where there is none.

    `about` is the bucket's uid; `known` are its configurations if they have been asked for. Raises `ReportUnread` where
    it could not be found out or read, and where it is so old that later ones must be missing.
    """
    configured, gaps = known or configurations(asker, bucket, about)
    if gaps:
        raise ReportUnread(gaps[0])
    for inventory in configured:
        target = (inventory.get("Destination") or {}).get("S3BucketDestination") or {}
        has_acls = inventory.get("IsEnabled") and ACL_FIELD in (inventory.get("OptionalFields") or ())
        if has_acls and target.get("Format") in SUFFIXES:
            if not inventory.get("Id") or not target.get("Bucket"):
                raise ReportUnread(INVENTORY.gap(Malformed("s3-garbled"), about))
            prefix = "/".join(part for part in (target.get("Prefix") or "", bucket.name, inventory["Id"]) if part)
            report = _newest(
                asker, bucket.region, str(target["Bucket"]).rpartition(":")[2], prefix=f"{prefix}/", about=about
            )
            if report is not None:
                _check_age(report, str((inventory.get("Schedule") or {}).get("Frequency") or ""), now, about)
                return report
    return None


def _check_age(report: Report, frequency: str, now: datetime, about: str) -> None:
    """Raises `ReportUnread` where two reports are missing since."""
    period = _PERIODS.get(frequency, _PERIODS["Weekly"])
    if report.created_on is not None and report.created_on < now - _MISSED * period:
        raise ReportUnread(
            INVENTORY_REPORT.gap(Malformed("s3-report-old", day=report.created_on.date().isoformat()), about)
        )


def objects(asker: Asker, bucket: Bucket, report: Report, about: str) -> Iterator[ListedObject]:
    """Every object of a report, file by file. Raises `ReportUnread`, also where a file does not have its checksum."""
    owner = bucket.acl.owner if isinstance(bucket.acl, Acl) else ""
    with tempfile.TemporaryDirectory(prefix="cloudscan-") as folder:
        for key, checksum in report.files:
            path = Path(folder) / f"report{SUFFIXES[report.format]}"
            try:
                content = _download(asker, bucket.region, report.bucket, key)
                if checksum and hashlib.md5(content, usedforsecurity=False).hexdigest() != checksum.lower():
                    raise Malformed("s3-checksum-differs", file=key)
                path.write_bytes(content)
                yield from rows(path, report.format, report.columns, owner)
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
            created_on=_moment(manifest.get("creationTimestamp")),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Malformed("s3-manifest-malformed", quote=str(error)) from error


def _moment(milliseconds: object) -> datetime | None:
    """A time that is written as milliseconds since 1970, in a text."""
    try:
        return datetime.fromtimestamp(int(str(milliseconds)) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _download(asker: Asker, region: str, bucket: str, key: str) -> bytes:
    answer = asker.require(INVENTORY_REPORT, region, Bucket=bucket, Key=key) or {}
    return asker.content(INVENTORY_REPORT, answer["Body"], region)
