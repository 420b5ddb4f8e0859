"""Public objects in a private bucket: from an inventory where there is one, else from a sample, which is reported."""

import base64
import gzip
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

import pyarrow
import pyarrow.orc
import pyarrow.parquet
import pytest

from cloudscan.facts import Audience, Outcome, Resource
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from tests.connectors.reading import Read
from tests.connectors.s3.estate import bucket, gap, read, s3

EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"
OWNER = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"  # moto's account
FIELDS = ("Bucket", "Key", "Size", "LastModifiedDate", "ObjectAccessControlList")
CONFIGURED = """<?xml version="1.0" encoding="UTF-8"?>
<ListInventoryConfigurationsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <InventoryConfiguration>
    <Id>nightly</Id><IsEnabled>true</IsEnabled><IncludedObjectVersions>Current</IncludedObjectVersions>
    <Destination><S3BucketDestination>
      <Format>{kind}</Format><Bucket>arn:aws:s3:::reports</Bucket><Prefix>inv</Prefix>
    </S3BucketDestination></Destination>
    <Schedule><Frequency>Daily</Frequency></Schedule>
    <OptionalFields><Field>Size</Field><Field>LastModifiedDate</Field><Field>ObjectAccessControlList</Field></OptionalFields>
  </InventoryConfiguration>
  <IsTruncated>false</IsTruncated>
</ListInventoryConfigurationsResult>"""
"""As S3 answers it (API Reference, ListBucketInventoryConfigurations); moto forgets the names of the fields."""

Objects = Mapping[str, bool]  # key, and whether everyone may read it


def acl_as_reported(public: bool, status: str = "AVAILABLE") -> str:
    grants = [{"type": "Canonical", "canonicalId": OWNER, "permission": "FULL_CONTROL"}]
    if public:
        grants.append({"type": "Group", "uri": EVERYBODY, "permission": "READ"})
    return json.dumps({"version": "2022-11-10", "status": status, "grants": grants})


def as_csv(name: str, objects: Objects, status: str = "AVAILABLE") -> bytes:
    """Keys URL-encoded, the ACL in base64 (User Guide, "Amazon S3 Inventory list")."""
    lines = []
    for key, public in objects.items():
        acl = base64.b64encode(acl_as_reported(public, status).encode()).decode()
        cells = (name, quote_plus(key, safe="/"), "12", "2026-11-01T00:00:00.000Z", acl)
        lines.append(",".join(f'"{cell}"' for cell in cells))
    return gzip.compress("\n".join(lines).encode())


def columns_of(name: str, objects: Objects) -> pyarrow.Table:
    """Names in snake case; the ACL is in base64 here too, and a marker of deletion has none."""
    return pyarrow.table(
        {
            "bucket": [name] * len(objects) + [name],
            "key": [*objects, "deleted"],
            "is_latest": [True] * len(objects) + [True],
            "is_delete_marker": [False] * len(objects) + [True],
            "size": [12] * len(objects) + [None],
            "last_modified_date": [datetime(2026, 11, 1, tzinfo=UTC)] * (len(objects) + 1),
            "object_access_control_list": [
                *(base64.b64encode(acl_as_reported(public).encode()).decode() for public in objects.values()),
                None,
            ],
            "object_owner": [OWNER] * len(objects) + [None],
        }
    )


def as_parquet(name: str, objects: Objects) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(columns_of(name, objects), file)
    return file.getvalue()


def as_orc(name: str, objects: Objects) -> bytes:
    file = io.BytesIO()
    pyarrow.orc.write_table(columns_of(name, objects), file)
    return file.getvalue()


WRITERS = {"CSV": (as_csv, ".csv.gz"), "ORC": (as_orc, ".orc"), "Parquet": (as_parquet, ".parquet")}


def put(server: Emulator, name: str, objects: Objects) -> None:
    client = s3(server)
    for key, public in objects.items():
        client.put_object(Bucket=name, Key=key, Body=b"x", ACL="public-read" if public else "private")


def report(server: Emulator, name: str, kind: str, objects: Objects, **more: Any) -> None:
    """A finished inventory report, laid out as S3 lays it out (User Guide, "Locating your inventory list")."""
    client = s3(server)
    client.create_bucket(Bucket="reports")
    answer = CONFIGURED.format(kind=kind).encode()
    server.faults.add(Fault(where=rf"^GET /{name}\?inventory$", body=answer))
    write, suffix = WRITERS[kind]
    content = as_csv(name, objects, more["status"]) if "status" in more else write(name, objects)
    file = f"inv/{name}/nightly/data/part-1{suffix}"
    checksum = hashlib.md5(content, usedforsecurity=False).hexdigest()
    manifest = json.dumps(
        {
            "sourceBucket": name,
            "destinationBucket": "arn:aws:s3:::reports",
            "version": "2016-11-30",
            "creationTimestamp": str(int((datetime.now(UTC) - more.get("age", timedelta())).timestamp() * 1000)),
            "fileFormat": kind,
            "fileSchema": ", ".join(FIELDS),
            "files": [{"key": file, "size": len(content), "MD5checksum": checksum}],
        }
    ).encode()
    folder = f"inv/{name}/nightly/2026-11-22T01-00Z"
    client.put_object(Bucket="reports", Key=file, Body=b"corrupt" if more.get("corrupt") else content)
    client.put_object(Bucket="reports", Key=f"{folder}/manifest.json", Body=manifest)
    sum_of_manifest = hashlib.md5(manifest, usedforsecurity=False).hexdigest()
    client.put_object(Bucket="reports", Key=f"{folder}/manifest.checksum", Body=sum_of_manifest.encode())


def opened(result: Read, uid: str) -> set[str]:
    """The keys that anyone on the internet can read."""
    prefix = uid.replace("bucket/", "object/") + "/"
    return {
        resource.removeprefix(prefix)
        for resource in {fact.uid for fact in result.facts if isinstance(fact, Resource) and fact.kind == "object"}
        for grant in result.grants(resource)
        if grant.audience is not None and grant.audience >= Audience.ANYONE_WITH_LINK and grant.effective
    }


def asked_for_acls(server: Emulator) -> Sequence[str]:
    return [line for line in server.request_log if line.startswith("GET /plain/") and line.endswith("?acl")]


@pytest.mark.parametrize("kind", WRITERS)
def test_an_inventory_covers_every_object(server: Emulator, kind: str) -> None:
    """Only what the report calls open is requested again, hostile names included."""
    objects = {f"quiet/{number}": False for number in range(50)} | {"a b/<script>+顧客.csv": True}
    uid = bucket(server, "plain")
    put(server, "plain", objects)
    report(server, "plain", kind, objects)
    server.request_log.clear()

    result = read(server)

    assert opened(result, uid) == {"a b/<script>+顧客.csv"}
    assert len(asked_for_acls(server)) == 1
    assert not [gap for gap in result.gaps if gap.resource_uid == uid]


@pytest.mark.parametrize("kind", WRITERS)
def test_what_the_report_calls_open_and_is_closed_by_now_is_not_reported(server: Emulator, kind: str) -> None:
    uid = bucket(server, "plain")
    put(server, "plain", {"old.csv": False})
    report(server, "plain", kind, {"old.csv": True, "deleted.csv": True})

    assert opened(read(server), uid) == set()


@pytest.mark.parametrize("kind", WRITERS)
def test_a_corrupt_report_is_a_gap_and_the_objects_are_sampled(server: Emulator, kind: str) -> None:
    uid = bucket(server, "plain")
    put(server, "plain", {"open.csv": True})
    report(server, "plain", kind, {"open.csv": True}, corrupt=True)

    result = read(server)

    assert opened(result, uid) == {"open.csv"}
    assert gap(result, "s3-checksum-differs").question == "s3-inventory-report"


def test_a_report_after_which_two_are_missing_is_a_gap(server: Emulator) -> None:
    bucket(server, "plain")
    put(server, "plain", {"a.csv": True})
    report(server, "plain", "CSV", {"a.csv": False}, age=timedelta(days=3))

    result = read(server)

    assert gap(result, "s3-report-old").question == "s3-inventory-report"
    assert opened(result, "s3:bucket/plain") == {"a.csv"}


def test_what_a_report_calls_unavailable_is_not_called_private(server: Emulator) -> None:
    uid = bucket(server, "plain")
    put(server, "plain", {"a.csv": True})
    report(server, "plain", "CSV", {"a.csv": True}, status="UNAVAILABLE")

    assert gap(read(server), "s3-objects-not-in-report").resource_uid == uid


def test_without_a_report_a_sample_is_read_and_its_size_reported(server: Emulator) -> None:
    uid = bucket(server, "plain")
    put(server, "plain", dict.fromkeys((f"{number:03}" for number in range(40)), True))

    result = read(server, objects_per_bucket=5)

    assert len(opened(result, uid)) == 5
    sampled = gap(result, "s3-objects-sampled")
    assert (sampled.outcome, sampled.seen, sampled.total) == (Outcome.SKIPPED, 5, 40)


def test_the_budget_of_an_account_is_kept(server: Emulator) -> None:
    """Two requests find that no report exists and which objects there are; the others read ACLs."""
    for name in ("first", "plain"):
        bucket(server, name)
        put(server, name, dict.fromkeys(map(str, range(10)), False))
    server.request_log.clear()

    result = read(server, object_requests=6)

    about_objects = [
        line
        for line in server.request_log
        if "list-type" in line or "inventory" in line or (line.endswith("?acl") and "/" in line[5:])
    ]
    assert len(about_objects) <= 7
    assert gap(result, "s3-objects-budget-spent").outcome is Outcome.SKIPPED


@pytest.mark.parametrize(("enforced", "block"), [(True, False), (False, True)])
def test_no_object_is_requested_where_its_acl_cannot_matter(server: Emulator, enforced: bool, block: bool) -> None:
    bucket(server, "plain", enforced=enforced, block=block)
    put(server, "plain", {"a": False})
    server.request_log.clear()

    read(server)

    assert not [line for line in server.request_log if "list-type" in line or "/plain/a" in line]


def test_objects_that_may_not_be_listed_are_unknown(server: Emulator) -> None:
    uid = bucket(server, "plain")
    put(server, "plain", {"a": True})
    server.faults.add(Fault(where=r"list-type=2"))

    result = read(server)

    refused = gap(result, "s3-denied")
    assert (refused.outcome, refused.needs, refused.resource_uid) == (Outcome.DENIED, "s3:ListBucket", uid)


def test_a_list_that_lacks_what_it_counts_is_no_empty_bucket(server: Emulator) -> None:
    uid = bucket(server, "plain")
    answer = b"<ListBucketResult><KeyCount>2</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>"
    server.faults.add(Fault(where=r"list-type=2", body=answer))

    missing = gap(read(server), "s3-entries-malformed")

    assert (missing.question, missing.resource_uid) == ("s3-objects", uid)


def test_the_cost_of_a_private_bucket(server: Emulator) -> None:
    """Policy and blocks say that it is closed; beside that only what S3 carries out of it matters."""
    for number in range(9):
        bucket(server, f"private-{number}", enforced=True, block=True)
    server.request_log.clear()

    read(server)

    per_bucket = [line for line in server.request_log if line.startswith("GET /private-")]
    assert len(per_bucket) <= 9 * 5


def only_reads(line: str) -> bool:
    """STS, Organizations and IAM are called with POST /; Account Management and S3 Vectors with the operation.

    A credential report is of what is there: AWS counts having it written as reading, too.
    """
    reading = ("POST / Get", "POST / List", "POST / Describe", "POST /listRegions", "POST /ListVectorBuckets")
    return line.startswith(("GET ", "HEAD ", "POST / GenerateCredentialReport", *reading))


def test_nothing_is_ever_written(server: Emulator) -> None:
    uid = bucket(server, "plain")
    put(server, "plain", {"a": True})
    server.request_log.clear()

    result = read(server)

    assert result.has(uid)
    assert [line for line in server.request_log if not only_reads(line)] == []
