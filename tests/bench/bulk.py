"""What a row of each bulk source costs: CPU from file to facts, against a plain loop over the same file.

    PYTHONPATH=.:connectors:reports python tests/bench/bulk.py [--rows 100000] [--save]

The plain loop decodes each row with Python's json, or takes it out of a Parquet file with pyarrow, and does nothing
with it. Ours gives facts, but for S3's inventory, where it gives the access control lists that S3 would, and for AWS
Config, where it gives the answers that S3 would. CPU time of this process, the smaller of two runs.
"""

import argparse
import base64
import gzip
import json
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from cloudscan.connector import Estate
from cloudscan_gdrive.bulk.connector import InventoryConnector
from cloudscan_gdrive.options import Options as DriveOptions
from cloudscan_m365.bulk.connector import DataConnectConnector
from cloudscan_m365.options import Options as M365Options
from cloudscan_s3.api import inventory_rows
from cloudscan_s3.bulk import snapshots
from cloudscan_s3.bulk.answers import answer_about_bucket
from cloudscan_s3.questions import BUCKET_ACL, BUCKET_BLOCK, BUCKET_POLICY
from tests.bench.figures import Bench, Figure, save

ESTATE = Estate(domains=frozenset({"kumo.example"}))
NOW = datetime(2026, 11, 30, tzinfo=UTC)
OWNER = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"
DAY = "2026-11-28T00:00:00Z"
SITE, WEB, LIST = (f"{number}0000000-0000-0000-0000-000000000001" for number in (1, 2, 3))


def cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU, the smaller of two runs."""
    taken = []
    for _ in range(2):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


def drain(rows: Iterable[object]) -> None:
    for _ in rows:
        pass


def loop_over_lines(path: Path) -> None:
    with path.open(encoding="utf-8") as file:
        for line in file:
            json.loads(line)


def lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def config(folder: Path, number: int) -> tuple[float, float]:
    """A configuration snapshot of a tenth as many buckets: nobody has a hundred thousand in one region."""
    acl = {"owner": {"id": OWNER}, "grantList": [{"grantee": {"id": OWNER}, "permission": "FullControl"}]}
    statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "s3:GetObject"}
    items = [
        {
            "awsAccountId": "123456789012",
            "awsRegion": "eu-west-1",
            "resourceType": "AWS::S3::Bucket",
            "resourceId": f"bucket-{index}",
            "configurationItemStatus": "OK",
            "configurationItemCaptureTime": DAY,
            "configuration": {"name": f"bucket-{index}"},
            "supplementaryConfiguration": {
                "AccessControlList": json.dumps(json.dumps(acl)),
                "BucketPolicy": {"policyText": json.dumps({"Statement": [statement]})},
                "PublicAccessBlockConfiguration": {"blockPublicAcls": True, "ignorePublicAcls": True},
            },
        }
        for index in range(number)
    ]
    path = folder / "snapshot.json.gz"
    path.write_bytes(gzip.compress(json.dumps({"configurationItems": items}).encode()))

    def ours() -> None:
        for item in snapshots.read(path.read_bytes())[0]:
            for question in (BUCKET_POLICY, BUCKET_ACL, BUCKET_BLOCK):
                answer_about_bucket(question, item)

    return cpu(ours), cpu(lambda: json.loads(gzip.decompress(path.read_bytes())))


def inventory(folder: Path, number: int) -> tuple[float, float]:
    acl = {"status": "AVAILABLE", "grants": [{"canonicalId": OWNER, "permission": "FULL_CONTROL", "type": "Canonical"}]}
    path = folder / "report.parquet"
    columns = {
        "key": [f"folder/{index}.csv" for index in range(number)],
        "size": [12] * number,
        "last_modified_date": [NOW] * number,
        "object_access_control_list": [base64.b64encode(json.dumps(acl).encode()).decode()] * number,
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), path)

    def plain() -> None:
        for batch in pyarrow.parquet.ParquetFile(path).iter_batches():
            drain(batch.to_pylist())

    return cpu(lambda: drain(inventory_rows.rows(path, "Parquet", (), OWNER))), cpu(plain)


def data_connect(folder: Path, number: int) -> tuple[float, float]:
    """Permissions on files, one in four a link; files that inherit are cheaper."""
    root = {"Id": WEB, "Title": "Office", "WebTemplate": "GROUP"}
    site = {"Id": SITE, "Url": "https://kumo.sharepoint.com/sites/office", "RootWeb": root, "SnapshotDate": DAY}
    lines(folder / "sites.json", [{**site, "Operation": "Full"}])
    person = {"Type": "ExternalUser", "TypeV2": "ExternalUser", "Name": "Kita", "AadObjectId": ""}

    def row(index: int) -> dict[str, Any]:
        link = {"LinkId": f"{index:08x}-0000-0000-0000-000000000000", "LinkScope": "Anyone"} if index % 4 == 0 else {}
        return {
            "SiteId": SITE,
            "WebId": WEB,
            "ListId": LIST,
            "UniqueId": f"{index:08x}-0000-0000-0000-000000000009",
            "ScopeId": f"{index:08x}-0000-0000-0000-000000000008",
            "ItemType": "File",
            "ItemURL": f"sites/office/Shared Documents/{index}.docx",
            "RoleDefinition": "Read",
            "SharedWith": [{**person, "Email": f"kita{index % 500}@haulier.example"}],
            "SnapshotDate": DAY,
            "Operation": "Full",
            **link,
        }

    path = folder / "permissions.json"
    lines(path, map(row, range(number)))
    options = M365Options(data_connect=str(folder), data_connect_directory=False, tenant="kumo.example")

    def ours() -> None:
        connector = DataConnectConnector.open(options, ESTATE)
        for scope in connector.collect(next(iter(connector.scopes())), None):
            if getattr(scope, "kind", "") == "export":
                drain(connector.collect(scope, None))  # type: ignore[arg-type]

    return cpu(ours), cpu(lambda: loop_over_lines(path))


def drive(folder: Path, number: int) -> tuple[float, float]:
    def row(index: int) -> dict[str, Any]:
        link = {"id": "anyoneWithLink", "type": "ANYONE", "role": "READER"}
        owner = {"id": "17", "type": "USER", "role": "OWNER", "email": "aoki@kumo.example"}
        return {
            "id": f"1file{index}",
            "version": 3,
            "owner": {"user": {"id": f"u{index % 100}", "email": "aoki@kumo.example"}, "shared_drive": None},
            "title": f"plan {index}",
            "mime_type": "text/csv",
            "read_time_micros": 1_795_000_000_000_000,
            "access": {"permissions": [owner, link] if index % 4 == 0 else [owner]},
        }

    path = folder / "inventory.json"
    lines(path, map(row, range(number)))
    options = DriveOptions(inventory_export=str(folder))

    def ours() -> None:
        connector = InventoryConnector.open(options, ESTATE)
        drain(connector.collect(next(iter(connector.scopes())), None))

    return cpu(ours), cpu(lambda: loop_over_lines(path))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=100_000)
    arguments.add_argument("--save", action="store_true")
    options = arguments.parse_args()
    work = {
        "AWS Config, a bucket of a delivered snapshot": (config, options.rows // 10),
        "S3 Inventory in Parquet, an object": (inventory, options.rows),
        "Graph Data Connect, a permission to facts": (data_connect, options.rows),
        "Drive inventory export in JSON lines, a file to facts": (drive, options.rows),
    }
    figures = []
    for name, (measure, number) in work.items():
        with tempfile.TemporaryDirectory() as folder:
            ours, plain = (seconds / number * 1e6 for seconds in measure(Path(folder), number))
        print(f"{name}: {ours:.1f} µs, plain loop {plain:.1f} µs, {ours / plain:.2f} of it ({number:,} rows)")
        against = "pyarrow's rows" if "Parquet" in name else "json.loads of the same file"
        figures.append(
            Figure(
                work=f"{name} ({number:,})",
                ours=round(ours, 2),
                unit="µs CPU a row",
                reference=round(plain, 2),
                against=against,
            )
        )
    if options.save:
        command = f"python tests/bench/bulk.py --rows {options.rows} --save"
        today = datetime.now(UTC).date().isoformat()
        save(Bench(bench="bulk", command=command, measured_on=today, figures=figures))


if __name__ == "__main__":
    main()
