"""How many objects and bytes are in a bucket, as S3 reports it to CloudWatch once a day."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cloudscan.facts import Grant, Outcome, Resource, Via
from cloudscan.http import Patience
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from cloudscan_emulators.aws.storage_metrics import DailyReport
from cloudscan_s3.access.bucket import Stored
from cloudscan_s3.api import storage
from cloudscan_s3.api.account import Meter, own_account
from cloudscan_s3.api.asking import Asker
from cloudscan_s3.api.reader import ListedBucket
from cloudscan_s3.options import Options
from tests.connectors.reading import Read
from tests.connectors.s3.estate import ACCOUNT, allow, bucket, read, s3control


def resource(result: Read, uid: str) -> Resource:
    (found,) = [fact for fact in result.facts if isinstance(fact, Resource) and fact.uid == uid]
    return found


def amounts(result: Read, uid: str) -> tuple[object, object]:
    """Objects and bytes of a resource."""
    found = resource(result, uid)
    return found.detail.get("objects"), found.size_bytes


def metric_requests(server: Emulator) -> list[str]:
    return [line for line in server.request_log if line.endswith((" ListMetrics", " GetMetricData"))]


def test_a_bucket_knows_its_objects_and_the_bytes_of_all_kinds_of_storage(server: Emulator) -> None:
    uid = bucket(server, "photos")
    s3control(server).create_access_point(AccountId=ACCOUNT, Name="front", Bucket="photos")
    kinds = {"StandardStorage": 5_000_000_000, "GlacierStorage": 40_000_000_000, "GlacierObjectOverhead": 64}
    server.storage.reports["photos"] = DailyReport(objects=2_000_000, size_bytes=kinds)

    result = read(server)

    assert amounts(result, uid) == (2_000_000, 45_000_000_064)
    assert amounts(result, f"s3:accesspoint/{ACCOUNT}/us-east-1/front") == (2_000_000, 45_000_000_064)


@pytest.mark.parametrize(("days_ago", "known"), [(0, True), (3, True), (4, False)])
def test_the_last_report_of_three_days_counts(server: Emulator, days_ago: int, known: bool) -> None:
    uid = bucket(server, "photos")
    server.storage.reports["photos"] = DailyReport(objects=7, size_bytes={"StandardStorage": 9}, days_ago=days_ago)

    assert amounts(read(server), uid) == ((7, 9) if known else (None, None))


def test_a_bucket_without_a_report_is_not_known_to_be_empty(server: Emulator) -> None:
    uid = bucket(server, "new")
    server.storage.reports["gone"] = DailyReport(objects=7, size_bytes={"StandardStorage": 9})

    result = read(server)

    assert amounts(result, uid) == (None, None)
    assert metric_requests(server) == ["POST / ListMetrics"]
    assert not [gap for gap in result.gaps if gap.question.startswith("s3-storage")]


@pytest.mark.parametrize(
    ("operation", "question", "needs"),
    [
        ("ListMetrics", "s3-storage-metrics", "cloudwatch:ListMetrics"),
        ("GetMetricData", "s3-storage", "cloudwatch:GetMetricData"),
    ],
)
def test_a_refusal_hides_amounts_and_nothing_else(server: Emulator, operation: str, question: str, needs: str) -> None:
    uid = bucket(server, "photos")
    server.storage.reports["photos"] = DailyReport(objects=7, size_bytes={"StandardStorage": 9})
    server.faults.add(Fault(where=rf" {operation}$"))

    result = read(server)

    (gap,) = [one for one in result.gaps if one.question.startswith("s3-storage")]
    assert (gap.question, gap.outcome, gap.needs) == (question, Outcome.SKIPPED, needs)
    assert {(one.table, one.columns) for one in gap.hidden} == {("resources", ("size_bytes", "detail.objects"))}
    assert amounts(result, uid) == (None, None)


@pytest.mark.parametrize("value", ["NaN", "-1", "1e300", '"many"'])
def test_a_part_that_makes_no_sense_leaves_the_whole_unknown(server: Emulator, value: str) -> None:
    """The sum of the rest would be taken for the size of the bucket."""
    uid = bucket(server, "photos")
    server.storage.reports["photos"] = DailyReport(objects=7, size_bytes={"StandardStorage": 9})
    entries = ", ".join(
        f'{{"Id": "q{number}", "StatusCode": "Complete", "Timestamps": [1], "Values": [{one}]}}'
        for number, one in enumerate(("7", value))
    )
    server.faults.add(Fault(where=" GetMetricData$", body=f'{{"MetricDataResults": [{entries}]}}'.encode()))

    result = read(server)

    assert amounts(result, uid) == (None, None)
    assert {gap.outcome for gap in result.gaps if gap.question == "s3-storage"} == {Outcome.SKIPPED}


@pytest.mark.parametrize(
    ("pattern", "of_a_part"),
    [("photos/*", None), ("*", None), ("photos/public/*", True), ("photos/${aws:username}/*", True)],
)
def test_a_policy_about_a_folder_does_not_open_all_that_is_counted(
    server: Emulator, pattern: str, of_a_part: bool | None
) -> None:
    resource = pattern if pattern == "*" else f"arn:aws:s3:::{pattern}"
    bucket(server, "photos", {**allow("photos"), "Resource": resource})

    granted = [fact for fact in read(server).facts if isinstance(fact, Grant) and fact.via is Via.POLICY]

    assert {one.detail.get("of_a_part") for one in granted} == {of_a_part}


def listed(*names: str, region: str = "us-east-1") -> list[ListedBucket]:
    return [ListedBucket(name=name, region=region, created_on=None, owner="") for name in names]


def stored(server: Emulator, buckets: Sequence[ListedBucket]) -> Mapping[str, Stored]:
    asker = Asker(own_account(Options(endpoint=server.endpoint), Meter()), Patience(attempts=1))
    known, gaps = storage.stored(asker, buckets, datetime.now(UTC))
    assert not gaps
    return known


def test_each_region_is_asked_for_all_its_buckets_at_once(server: Emulator) -> None:
    report = DailyReport(objects=7, size_bytes={"StandardStorage": 9})
    server.storage.reports |= {"a-one": report, "a-two": report, "b-one": replace(report, region="us-west-2")}

    known = stored(server, [*listed("a-one", "a-two"), *listed("b-one", region="us-west-2")])

    assert known == dict.fromkeys(("a-one", "a-two", "b-one"), Stored(objects=7, size_bytes=9))
    assert metric_requests(server) == ["POST / ListMetrics", "POST / GetMetricData"] * 2


def test_six_hundred_buckets_take_five_requests(server: Emulator) -> None:
    names = [f"estate-{number:03}" for number in range(600)]
    for number, name in enumerate(names, start=1):
        server.storage.reports[name] = DailyReport(objects=number, size_bytes={"StandardStorage": number * 10})

    known = stored(server, listed(*names))

    assert known == {name: Stored(objects=n, size_bytes=n * 10) for n, name in enumerate(names, start=1)}
    assert metric_requests(server) == ["POST / ListMetrics"] * 2 + ["POST / GetMetricData"] * 3
