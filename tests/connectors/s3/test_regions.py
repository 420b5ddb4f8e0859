"""What is not offered in a region or a partition is no gap; what is offered elsewhere is found."""

import boto3
import pytest

from cloudscan.facts import Outcome
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from tests.connectors.s3.estate import ACCOUNT, allow, bucket, gap, listed, policy, read

LISTS_DIRECTORY_BUCKETS = r"^GET /$"
LAKE = "lake--usw2-az1--x-s3"
ONE_BUCKET = (
    f"<ListAllMyDirectoryBucketsResult><Buckets><Bucket><Name>{LAKE}</Name></Bucket></Buckets>"
    "</ListAllMyDirectoryBucketsResult>"
)
CALLER = (
    "<GetCallerIdentityResponse><GetCallerIdentityResult>"
    f"<Arn>arn:aws-cn:iam::{ACCOUNT}:user/scan</Arn><Account>{ACCOUNT}</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)

ELSEWHERE = ("us-east-1", "us-west-2", "eu-west-1")


def test_a_region_without_directory_buckets_is_no_gap(server: Emulator) -> None:
    """There is no host to answer."""
    bucket(server, "frankfurt", region="eu-central-1")
    server.faults.add(
        Fault(where="max-buckets", body=listed("frankfurt", "eu-central-1")),
        Fault(where=LISTS_DIRECTORY_BUCKETS, region="eu-central-1", silent=True),
    )

    result = read(server)

    assert gap(result, "s3-not-in-region").outcome is Outcome.NOT_OFFERED
    assert not [one for one in result.gaps if one.outcome.is_gap]


def test_a_directory_bucket_needs_no_other_bucket_beside_it(server: Emulator) -> None:
    bucket(server, "general")
    session = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
        "Action": "s3express:CreateSession",
        "Resource": f"arn:aws:s3express:us-west-2:{ACCOUNT}:bucket/{LAKE}",
    }
    server.faults.add(
        Fault(where=LISTS_DIRECTORY_BUCKETS, region="us-west-2", body=ONE_BUCKET.encode()),
        Fault(where=rf"^GET /{LAKE}\?policy$", body=policy(session).encode()),
    )

    result = read(server)

    assert {one.name for one in result.of_kind("directory_bucket")} == {LAKE}
    (grant,) = {grant.principal_uid for grant in result.grants(f"s3:directory-bucket/{LAKE}")}
    assert grant == "s3:principal/444455556666"


def test_a_guardrail_on_regions_that_are_not_used_leaves_the_scan_complete(server: Emulator) -> None:
    """An organisation often refuses everything in them."""
    bucket(server, "general")
    server.faults.add(Fault(where=LISTS_DIRECTORY_BUCKETS, region="us-west-2"))

    refused = gap(read(server), "s3-denied")

    assert (refused.question, refused.outcome) == ("s3-directory-buckets", Outcome.SKIPPED)


def test_china_is_not_asked_for_what_it_does_not_have(server: Emulator) -> None:
    boto3.client("s3", endpoint_url=server.endpoint, region_name="cn-north-1").create_bucket(
        Bucket="shared", CreateBucketConfiguration={"LocationConstraint": "cn-north-1"}
    )
    server.faults.add(Fault(where="GetCallerIdentity", body=CALLER.encode()))
    server.faults.add_optional(
        Fault(where="", region="us-west-2", code="InvalidAccessKeyId"),
        Fault(where=LISTS_DIRECTORY_BUCKETS, silent=True),
    )

    result = read(server, region="cn-north-1", object_requests=0)

    assert not [one for one in result.gaps if one.outcome.is_gap]
    assert not [line for line in server.request_log if "mrap" in line]
    urls = {resource.url.split("/")[2] for resource in (*result.of_kind("account"), *result.of_kind("bucket"))}
    assert urls == {"console.amazonaws.cn"}


def test_a_throttled_list_of_access_points_costs_no_bucket(server: Emulator) -> None:
    uid = bucket(server, "general", allow("general"))
    server.faults.add(Fault(where="/accesspoint$", status="503 Slow Down", code="SlowDown"))

    result = read(server)

    assert result.has(uid)
    missing = gap(result, "s3-throttled")
    assert [(hidden.table, hidden.kinds) for hidden in missing.hidden] == [("resources", ("access_point",))]


def test_an_access_point_without_a_bucket_costs_itself(server: Emulator) -> None:
    """As one that belongs to another service: FSx for OpenZFS."""
    uid = bucket(server, "general", allow("general"))
    entry = "<AccessPoint><Name>files</Name><Alias>a</Alias><DataSourceType>FSX_OPENZFS</DataSourceType></AccessPoint>"
    answer = f"<ListAccessPointsResult><AccessPointList>{entry}</AccessPointList></ListAccessPointsResult>"
    server.faults.add(Fault(where="/accesspoint$", body=answer.encode()))

    result = read(server)

    assert result.has(uid)
    odd = gap(result, "s3-entries-malformed")
    assert (odd.question, odd.outcome) == ("s3-access-points", Outcome.PARTIAL)


@pytest.mark.parametrize("code", ["OptInRequired", "RegionDisabledException"])
def test_a_bucket_in_a_region_that_was_disabled_is_unknown(server: Emulator, code: str) -> None:
    """It is still there, and perhaps public."""
    uid = bucket(server, "melbourne", allow("melbourne"), region="ap-southeast-4")
    server.faults.add(
        Fault(where="max-buckets", body=listed("melbourne", "ap-southeast-4")),
        Fault(where="", region="ap-southeast-4", code=code),
    )

    result = read(server)

    assert {grant.audience for grant in result.grants(uid) if grant.via == "policy"} == {None}
    missing = [one for one in result.gaps if one.question == "s3-bucket-policy"]
    assert [(one.outcome, one.reason.code) for one in missing] == [(Outcome.DENIED, "s3-region-not-enabled")]


def test_a_region_without_buckets_that_is_not_enabled_leaves_the_scan_complete(server: Emulator) -> None:
    bucket(server, "general")
    server.faults.add(Fault(where=LISTS_DIRECTORY_BUCKETS, region="us-west-2", code="OptInRequired"))

    assert gap(read(server), "s3-region-not-enabled").outcome is Outcome.SKIPPED


@pytest.mark.parametrize("partition", ["aws-us-gov", "aws-cn"])
def test_the_region_of_another_partition_is_asked_for_nothing_elsewhere(server: Emulator, partition: str) -> None:
    """Its keys mean nothing in the regions of another partition."""
    region = {"aws-us-gov": "us-gov-west-1", "aws-cn": "cn-northwest-1"}[partition]
    server.faults.add(Fault(where="GetCallerIdentity", body=CALLER.replace("aws-cn", partition).encode()))
    server.faults.add_optional(*(Fault(where="", region=other, code="InvalidAccessKeyId") for other in ELSEWHERE))

    result = read(server, region=region, object_requests=0)

    assert not [one for one in result.gaps if one.outcome.is_gap]
