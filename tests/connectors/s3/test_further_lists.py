"""What an account has beside buckets: access points of other kinds, access grants, and what is counted only."""

import boto3
import pytest

from cloudscan.connector import Estate
from cloudscan.facts import Access, Affiliation, Audience, Grant, Outcome
from cloudscan.reason import Reason, has_words, sentence
from cloudscan_emulators.aws.around_buckets import AccessGrant, DirectoryPoint
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from cloudscan_s3.doctor import checks
from cloudscan_s3.facts.access_grants import admits
from cloudscan_s3.options import Options
from tests.connectors.reading import Read
from tests.connectors.s3.estate import ACCOUNT, bucket, policy, read, s3control

THEIRS = "444455556666"
ROLE = f"arn:aws:iam::{THEIRS}:role/analyst"
LAKE = "lake--usw2-az1--x-s3"
POINT = "door--usw2-az1--xa-s3"
ARN = f"arn:aws:s3express:us-west-2:{ACCOUNT}:accesspoint/{POINT}"
HAS_LAKE = f"<Result><Buckets><Bucket><Name>{LAKE}</Name></Bucket></Buckets></Result>".encode()


def shares(principal: str, **more: object) -> dict[str, object]:
    """A statement of an instance's policy."""
    return {
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": ["s3:ListAccessGrants", "s3:GetDataAccess"],
        "Resource": f"arn:aws:s3:us-east-1:{ACCOUNT}:access-grants/default",
        **more,
    }


def granted(result: Read) -> list[tuple[object, ...]]:
    uids = {resource.uid for resource in result.of_kind("access_grant")}
    return [
        (fact.audience, fact.access, fact.effective, fact.blocked_by)
        for fact in result.facts
        if isinstance(fact, Grant) and fact.resource_uid in uids
    ]


def test_a_grant_to_a_role_of_another_account_that_the_instance_admits(server: Emulator) -> None:
    uid = bucket(server, "lake", enforced=True, block=True)
    server.around.access_grants.append(AccessGrant(scope="s3://lake/finance/*", grantee=ROLE, permission="READWRITE"))
    server.around.access_grants_policy = policy(shares(THEIRS))

    result = read(server)

    external = Audience.NAMED_EXTERNAL
    assert granted(result) == [(external, Access.READ, True, ""), (external, Access.WRITE, True, "")]
    (scope,) = result.of_kind("access_grant")
    assert (scope.name, scope.container_uid) == ("s3://lake/finance/*", uid)
    assert result.principal(f"s3:principal/{ROLE}").affiliation is Affiliation.EXTERNAL


def test_a_grant_across_accounts_needs_the_policy_of_the_instance(server: Emulator) -> None:
    bucket(server, "lake")
    server.around.access_grants.append(AccessGrant(scope="s3://lake/*", grantee=ROLE))

    result = read(server)

    assert granted(result) == [(Audience.NAMED_EXTERNAL, Access.READ, False, "s3-instance-not-shared")]


def test_where_the_policy_of_the_instance_is_unread_the_grant_is_unknown(server: Emulator) -> None:
    bucket(server, "lake")
    server.around.access_grants.append(AccessGrant(scope="s3://lake/*", grantee=ROLE))
    server.faults.add(Fault(where="accessgrantsinstance/resourcepolicy"))

    result = read(server)

    assert granted(result) == [(Audience.NAMED_EXTERNAL, Access.READ, None, "")]
    (missing,) = [one for one in result.gaps if one.question == "s3-access-grants-policy"]
    assert missing.needs == "s3:GetAccessGrantsInstanceResourcePolicy"


@pytest.mark.parametrize(
    ("kind", "grantee"),
    [("DIRECTORY_GROUP", "8381f310-1"), ("DIRECTORY_USER", "8381f310-2"), ("IAM", f"arn:aws:iam::{ACCOUNT}:role/a")],
)
def test_our_own_grantees_are_named(server: Emulator, kind: str, grantee: str) -> None:
    bucket(server, "lake")
    server.around.access_grants.append(AccessGrant(scope="s3://lake/*", grantee=grantee, kind=kind))

    assert granted(read(server)) == [(Audience.NAMED, Access.READ, True, "")]


CONDITION = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-x"}}}


@pytest.mark.parametrize(
    ("statements", "admitted"),
    [
        ([shares(THEIRS)], True),
        ([shares(f"arn:aws:iam::{THEIRS}:root")], True),
        ([shares("*")], True),
        ([shares(ROLE)], True),
        ([shares("777777777777")], False),
        ([shares(THEIRS, Action="s3:ListAccessGrants")], False),
        ([shares(THEIRS, Action="s3:Get*")], True),
        ([shares(THEIRS, **CONDITION)], None),
        ([shares(THEIRS), shares(THEIRS, Effect="Deny")], None),
        ([{**shares(THEIRS), "Principal": "*", **CONDITION}], None),
        ([{**shares(THEIRS), "Effect": "Maybe"}], None),
    ],
)
def test_what_the_policy_of_an_instance_admits(statements: list[dict[str, object]], admitted: bool | None) -> None:
    assert admits(policy(*statements), ROLE) is admitted


def test_what_is_not_judged_is_named_and_counted(server: Emulator) -> None:
    """And leaves the scan complete."""
    bucket(server, "general")
    for region in ("us-east-1", "us-west-2"):
        boto3.client("s3tables", endpoint_url=server.endpoint, region_name=region).create_table_bucket(name="tables")
    vectors = boto3.client("s3vectors", endpoint_url=server.endpoint, region_name="us-west-2")
    vectors.create_vector_bucket(vectorBucketName="embeddings")
    server.around.object_lambda.append("redacting")
    server.around.outposts += ["op-1", "op-2"]
    _access_point(server)

    result = read(server)

    rows = {one.question: one for one in result.gaps if one.outcome is Outcome.NOT_JUDGED}
    assert {question: row.seen for question, row in rows.items()} == {
        "s3-object-lambda": 1,
        "s3-table-buckets": 2,
        "s3-vector-buckets": 1,
        "s3-outposts": 2,
    }
    assert "us-east-1, us-west-2" in sentence(rows["s3-table-buckets"].reason, "en")
    assert all(has_words("reason", row.reason.code, "ja") for row in rows.values())
    assert not [one for one in result.gaps if one.outcome.is_gap]


def _access_point(server: Emulator) -> None:
    s3control(server).create_access_point(AccountId=ACCOUNT, Name="general-door", Bucket="general")


def test_a_refused_list_of_what_is_not_judged_leaves_the_scan_complete(server: Emulator) -> None:
    bucket(server, "general")
    server.faults.add(Fault(where="^GET /buckets"))

    result = read(server)

    (row,) = [one for one in result.gaps if one.question == "s3-table-buckets"]
    assert (row.outcome, row.needs, row.reason.code) == (Outcome.NOT_JUDGED, "s3tables:ListTableBuckets", "s3-denied")
    assert isinstance(row.reason, Reason)


def test_a_region_without_vector_buckets_is_no_row(server: Emulator) -> None:
    bucket(server, "general")
    server.faults.add(Fault(where="^POST /ListVectorBuckets", silent=True))

    (row,) = [one for one in read(server).gaps if one.question == "s3-vector-buckets"]

    assert (row.outcome, row.reason.code) == (Outcome.NOT_OFFERED, "s3-not-in-region")


def test_doctor_tries_what_is_asked_beside_buckets(server: Emulator) -> None:
    """A permission that is missing fails; an optional one is told."""
    bucket(server, "general")
    server.faults.add(Fault(where=r"/general\?replication$"), Fault(where="^GET /buckets"))

    said = {check.what: check for check in checks(Options(endpoint=server.endpoint), Estate())}

    assert [(one.what, "s3:GetReplicationConfiguration" in one.remedy) for one in said.values() if not one.ok] == [
        ("s3: replication of general", True)
    ]
    assert [what for what in said if what.startswith("s3: table buckets, left out: ")]


def test_every_enabled_region_is_asked_for_access_points(server: Emulator) -> None:
    """The bucket behind one may be another account's, so that there is none of ours in the region."""
    bucket(server, "general")
    server.around.opted_in = ("il-central-1",)
    entry = f"<Name>far</Name><Bucket>theirs</Bucket><BucketAccountId>{THEIRS}</BucketAccountId>"
    answer = f"<Result><AccessPointList><AccessPoint>{entry}</AccessPoint></AccessPointList></Result>".encode()
    server.faults.add(Fault(where="/accesspoint$", region="il-central-1", body=answer))

    result = read(server)

    assert [scope.params["bucket"] for scope in result.scopes if scope.kind == "points"] == ["theirs"]


def test_without_the_list_of_regions_those_that_are_always_enabled_are_asked(server: Emulator) -> None:
    bucket(server, "general")
    server.faults.add(Fault(where="/listRegions"))

    result = read(server)

    (row,) = [one for one in result.gaps if one.question == "s3-regions"]
    assert (row.outcome, row.needs) == (Outcome.SKIPPED, "account:ListRegions")
    assert sum(line == "GET /v20180820/accesspoint" for line in server.request_log) == 17


def test_an_access_point_of_a_directory_bucket(server: Emulator) -> None:
    """Both policies admit the account, each in its own words."""
    bucket(server, "general")
    session = {"Effect": "Allow", "Principal": {"AWS": THEIRS}, "Action": "s3express:CreateSession"}
    delegates = {
        **session,
        "Resource": f"arn:aws:s3express:us-west-2:{ACCOUNT}:bucket/{LAKE}",
        "Condition": {"StringEquals": {"s3express:DataAccessPointAccount": ACCOUNT}},
    }
    point = DirectoryPoint(name=POINT, bucket=LAKE, policy=policy({**session, "Resource": ARN}))
    server.around.directory_points.append(point)
    server.faults.add(
        Fault(where=r"^GET /$", region="us-west-2", body=HAS_LAKE),
        Fault(where=rf"^GET /{LAKE}\?policy$", body=policy(delegates).encode()),
    )

    result = read(server)

    (found,) = result.of_kind("access_point")
    assert (found.name, found.parent_uid) == (POINT, f"s3:directory-bucket/{LAKE}")
    assert {(one.audience, one.effective) for one in result.grants(found.uid)} == {(Audience.NAMED_EXTERNAL, True)}


def test_an_access_point_of_a_directory_bucket_that_does_not_delegate(server: Emulator) -> None:
    bucket(server, "general")
    session = {"Effect": "Allow", "Principal": {"AWS": THEIRS}, "Action": "s3express:CreateSession", "Resource": ARN}
    server.around.directory_points.append(DirectoryPoint(name=POINT, bucket=LAKE, policy=policy(session)))
    server.faults.add(
        Fault(where=r"^GET /$", region="us-west-2", body=HAS_LAKE),
        Fault(where=rf"^GET /{LAKE}\?policy$", status="404 Not Found", code="NoSuchBucketPolicy"),
    )

    result = read(server)

    (found,) = result.of_kind("access_point")
    assert {one.blocked_by for one in result.grants(found.uid)} == {"s3-not-delegated"}


def test_an_unread_policy_of_a_directory_access_point_is_unknown(server: Emulator) -> None:
    bucket(server, "general")
    server.around.directory_points.append(DirectoryPoint(name=POINT, bucket="theirs--usw2-az1--x-s3"))
    server.faults.add(Fault(where=rf"/accesspoint/{POINT}/policy$"))

    result = read(server)

    (found,) = result.of_kind("access_point")
    assert [one.audience for one in result.grants(found.uid)] == [None]
    (missing,) = [one for one in result.gaps if one.question == "s3-directory-access-point-policy"]
    assert missing.needs == "s3express:GetAccessPointPolicy"


@pytest.mark.parametrize("status", ["404 Not Found", "501 Not Implemented"])
def test_a_list_that_an_endpoint_does_not_know_leaves_the_scan_complete(server: Emulator, status: str) -> None:
    """As S3 answers where it does not offer something; findings from before stay open."""
    bucket(server, "general")
    code = {"404": "NotFound", "501": "NotImplemented"}[status[:3]]
    for path in ("/accesspointfordirectory", "/accessgrantsinstance/grants", "/accesspointforobjectlambda"):
        server.faults.add_optional(Fault(where=path, status=status, code=code))

    result = read(server)

    assert not [one for one in result.gaps if one.outcome.is_gap]
    assert {one.question for one in result.gaps if one.outcome.can_hide} == {
        "s3-directory-access-points",
        "s3-access-grants",
    }
