"""How a bucket is tagged is no choice of the caller: read where a verdict depends on it, unknown where it is not."""

from collections.abc import Mapping, Sequence
from typing import Any

import boto3
import pytest

from cloudscan.connector import Estate
from cloudscan.facts import Grant, Outcome
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from cloudscan_s3.access.access_paths import access_paths_to_object
from cloudscan_s3.access.acl import ALL_USERS
from cloudscan_s3.access.bucket import Acl, AclGrant, ObjectAcl, Ownership, Unread
from cloudscan_s3.doctor import checks
from cloudscan_s3.options import Options
from cloudscan_s3.plugin import PLUGIN
from tests.connectors import reading
from tests.connectors.reading import Read
from tests.connectors.s3.buckets import DENIED, NOW, OUR_CANONICAL, OUR_ORGANISATION, US, chain
from tests.connectors.s3.buckets import bucket as a_bucket
from tests.connectors.s3.estate import ACCOUNT, allow, bucket, policy, read, s3, s3control

EXEMPT = "dp:exclude:identity"
Json = dict[str, Any]


@pytest.fixture
def organisation(server: Emulator) -> str:
    client = boto3.client("organizations", endpoint_url=server.endpoint)
    return str(client.create_organization(FeatureSet="ALL")["Organization"]["Id"])


def perimeter(name: str, organisation: str, key: str = f"aws:ResourceTag/{EXEMPT}") -> Json:
    """AWS's own sample, with its exemption by tag."""
    when = {
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": organisation, key: "true"},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }
    return {**allow(name, "*", "s3:*", Condition=when), "Effect": "Deny"}


def tagged(server: Emulator, name: str, tags: Mapping[str, str], *, abac: bool) -> None:
    client = s3(server)
    if tags:
        tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
        client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_set})
    client.put_bucket_abac(Bucket=name, AbacStatus={"Status": "Enabled" if abac else "Disabled"})


def everybody(result: Read, uid: str) -> Grant:
    (grant,) = [one for one in result.grants(uid) if one.via == "policy" and one.audience == "anyone_with_link"]
    return grant


def asked(server: Emulator) -> Sequence[str]:
    return [line for line in server.request_log if line.endswith(("?abac", "?tagging")) or "/tags/" in line]


@pytest.mark.parametrize(
    "key", [f"aws:ResourceTag/{EXEMPT}", f"s3:BucketTag/{EXEMPT}", f"AWS:resourcetag/{EXEMPT.upper()}"]
)
@pytest.mark.parametrize(
    ("tags", "abac", "effective"),
    [
        ({}, False, False),
        ({EXEMPT: "true"}, False, False),  # tags control nothing until ABAC is on
        ({EXEMPT: "true"}, True, True),
        ({EXEMPT: "false"}, True, False),
        ({"other": "true"}, True, False),
        ({}, True, False),
    ],
)
def test_a_perimeter_exempts_a_bucket_by_its_tag(
    server: Emulator, organisation: str, key: str, tags: Mapping[str, str], abac: bool, effective: bool
) -> None:
    uid = bucket(server, "plans", allow("plans"), perimeter("plans", organisation, key), enforced=True)
    tagged(server, "plans", tags, abac=abac)

    result = read(server)

    assert everybody(result, uid).effective is effective
    assert not [gap for gap in result.gaps if gap.outcome.is_gap]


@pytest.mark.parametrize(("abac", "audience"), [(True, {"anyone_with_link"}), (False, set())])
def test_an_allow_by_tag_allows_only_where_tags_count(
    server: Emulator, organisation: str, abac: bool, audience: set[str]
) -> None:
    when = {"StringEquals": {"aws:ResourceTag/shared": "yes"}}
    uid = bucket(server, "plans", allow("plans", Condition=when), enforced=True)
    tagged(server, "plans", {"shared": "yes"}, abac=abac)

    grants = [grant for grant in read(server).grants(uid) if grant.effective]

    assert {grant.audience for grant in grants} == audience
    assert all("the tag is set on the resource itself" in " ".join(chain(grant, "en")) for grant in grants)


@pytest.mark.parametrize("question", ["abac", "tagging"])
@pytest.mark.parametrize(
    "failure",
    [{}, {"status": "500 Internal Server Error", "code": "InternalError"}, {"body": b"<html>Welcome</html>"}],
    ids=["denied", "500", "garbled"],
)
def test_where_tags_or_their_effect_are_not_known_nothing_is_open_or_private(
    server: Emulator, organisation: str, question: str, failure: Json
) -> None:
    uid = bucket(server, "plans", allow("plans"), perimeter("plans", organisation), enforced=True)
    tagged(server, "plans", {EXEMPT: "true"}, abac=True)
    server.faults.add(Fault(where=rf"^GET /plans\?{question}$", **failure))

    result = read(server)

    assert everybody(result, uid).effective is None
    assert any(f"aws:ResourceTag/{EXEMPT}" in step for step in chain(everybody(result, uid), "en"))
    (gap,) = [gap for gap in result.gaps if gap.outcome.is_gap]
    assert (gap.question, gap.resource_uid) == ("s3-bucket-abac" if question == "abac" else "s3-tags", uid)
    assert ("grants", ("effective", "blocked_by")) in {(hidden.table, hidden.columns) for hidden in gap.hidden}


@pytest.mark.parametrize("tags", [{}, {"other": "true"}])
def test_a_tag_that_is_not_there_needs_no_answer_about_its_effect(
    server: Emulator, organisation: str, tags: Mapping[str, str]
) -> None:
    """Whether tags count or not, this one is absent: the permission is not missed where there is nothing to tell."""
    uid = bucket(server, "plans", allow("plans"), perimeter("plans", organisation), enforced=True)
    tagged(server, "plans", tags, abac=True)
    server.faults.add(Fault(where=r"^GET /plans\?abac$"))

    result = read(server)

    assert everybody(result, uid).effective is False
    assert bool([gap for gap in result.gaps if gap.outcome.is_gap]) is bool(tags)


def test_only_buckets_whose_verdict_depends_on_a_tag_are_asked(server: Emulator, organisation: str) -> None:
    """Not those that are private, nor those that are open or closed whatever their tags are."""
    bucket(server, "private", enforced=True)
    bucket(server, "fenced", {**perimeter("fenced", organisation), "Action": "s3:GetObject"}, enforced=True)
    bucket(server, "shut", allow("shut"), {**allow("shut", "*", "s3:*"), "Effect": "Deny"}, enforced=True)
    server.request_log.clear()

    read(server, object_requests=0)

    assert not [line for line in asked(server) if line.endswith("abac")]


def test_a_policy_of_the_organisation_may_exempt_by_tag_too(server: Emulator, organisation: str) -> None:
    uid = bucket(server, "plans", allow("plans"), enforced=True)
    tagged(server, "plans", {EXEMPT: "true"}, abac=True)
    client = boto3.client("organizations", endpoint_url=server.endpoint)
    statement = {**perimeter("plans", organisation), "Resource": "*"}
    created = client.create_policy(
        Content=policy(statement), Name="perimeter", Description="", Type="RESOURCE_CONTROL_POLICY"
    )
    root = client.list_roots()["Roots"][0]["Id"]
    client.attach_policy(PolicyId=created["Policy"]["PolicySummary"]["Id"], TargetId=root)
    told = f'{{"Organization": {{"Id": "{organisation}", "MasterAccountId": "999988887777"}}}}'
    server.faults.add(Fault(where="DescribeOrganization", body=told.encode()))

    assert everybody(read(server), uid).effective is True

    s3(server).put_bucket_abac(Bucket="plans", AbacStatus={"Status": "Disabled"})
    latent = everybody(read(server), uid)
    assert (latent.effective, latent.blocked_by) == (False, "s3-resource-control-policy")


def test_a_fence_by_tag_in_front_of_objects_is_looked_at_before_they_are(server: Emulator, organisation: str) -> None:
    """No access path of the bucket depends on the tag, one of an object may."""
    fence = {**perimeter("drop", organisation), "Action": ["s3:GetObject", "s3:GetObjectVersion"]}
    bucket(server, "drop", fence)
    server.request_log.clear()

    read(server)

    assert "GET /drop?abac" in asked(server)


@pytest.mark.parametrize(
    ("abac", "tags", "expected"),
    [(False, None, False), (True, {EXEMPT: "true"}, True), (True, {}, False), (True, DENIED, None), (None, None, None)],
)
def test_an_objects_acl_behind_a_fence_by_tag(
    abac: bool | None, tags: Mapping[str, str] | Unread | None, expected: bool | None
) -> None:
    everyone = AclGrant(permission="READ", group=ALL_USERS)
    item = ObjectAcl(bucket="b", key="plan", acl=Acl(owner=OUR_CANONICAL, grants=(everyone,)))
    fence = {**perimeter("b", OUR_ORGANISATION), "Action": ["s3:GetObject", "s3:GetObjectVersion"]}
    behind = a_bucket(fence, ownership=Ownership.WRITER, abac=abac, tags=tags)

    (path,) = [path for path in access_paths_to_object(item, behind, US, NOW) if path.audience == "anyone_with_link"]

    assert path.effective is expected


def point(server: Emulator, statement: Json, tags: Mapping[str, str]) -> str:
    """An access point on bucket lake that blocks nothing; returns its uid."""
    off = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False)
    control = s3control(server)
    control.create_access_point(AccountId=ACCOUNT, Name="window", Bucket="lake", PublicAccessBlockConfiguration=off)
    arn = f"arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/window"
    text = policy({**statement, "Resource": [f"{arn}/object/*"]})
    control.put_access_point_policy(AccountId=ACCOUNT, Name="window", Policy=text)
    if tags:
        tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
        control.tag_resource(AccountId=ACCOUNT, ResourceArn=arn, Tags=tag_set)
    return f"s3:accesspoint/{ACCOUNT}/us-east-1/window"


@pytest.mark.parametrize(("value", "effective"), [("yes", {True}), ("no", set())])
@pytest.mark.parametrize("key", ["aws:ResourceTag/open", "s3:AccessPointTag/open"])
def test_tags_of_an_access_point_count_without_being_switched_on(
    server: Emulator, key: str, value: str, effective: set[bool]
) -> None:
    """Its own tags, not the bucket's."""
    bucket(server, "lake", allow("lake", "*", "s3:*"), enforced=True)
    tagged(server, "lake", {"open": "yes"}, abac=True)
    uid = point(server, allow("lake", Condition={"StringEquals": {key: "yes"}}), {"open": value})

    assert {grant.effective for grant in read(server).grants(uid)} == effective


@pytest.mark.parametrize("tags", [{"open": "yes"}, {}])
def test_a_bucket_may_delegate_to_access_points_with_a_tag(server: Emulator, tags: Mapping[str, str]) -> None:
    when = {"StringEquals": {"s3:AccessPointTag/open": "yes"}}
    bucket(server, "lake", allow("lake", "*", "s3:*", Condition=when), enforced=True)
    uid = point(server, allow("lake"), tags)

    (grant,) = read(server).grants(uid)

    assert (grant.effective, grant.blocked_by) == ((True, "") if tags else (False, "s3-not-delegated"))


def test_tags_of_an_access_point_that_cannot_be_read_leave_it_open_whether_it_is(server: Emulator) -> None:
    bucket(server, "lake", allow("lake", "*", "s3:*"), enforced=True)
    uid = point(server, allow("lake", Condition={"StringEquals": {"aws:ResourceTag/open": "yes"}}), {"open": "yes"})
    server.faults.add(Fault(where="/tags/"))

    result = read(server)

    assert {grant.effective for grant in result.grants(uid)} == {None}
    (gap,) = [gap for gap in result.gaps if gap.outcome is Outcome.DENIED]
    assert (gap.question, gap.needs, gap.resource_uid) == ("s3-access-point-tags", "s3:ListTagsForResource", uid)


def test_doctor_tries_whether_tags_control_access(server: Emulator) -> None:
    bucket(server, "plans", enforced=True)
    server.faults.add(Fault(where=r"\?abac$"))

    (wrong,) = [check for check in checks(Options(endpoint=server.endpoint), Estate()) if not check.ok]

    assert "s3:GetBucketAbac" in wrong.remedy


@pytest.mark.parametrize(("ranked_by_tag", "asked_for"), [(True, 1), (False, 0)])
def test_a_closed_buckets_tags_are_read_where_they_rank_it(
    server: Emulator, ranked_by_tag: bool, asked_for: int
) -> None:
    """One request a bucket, and only where somebody ranks by tag."""
    bucket(server, "payroll")
    tagged(server, "payroll", {"data": "payroll"}, abac=False)

    options = Options(endpoint=server.endpoint, patience=0.0)
    result = reading.read(PLUGIN.open(options, Estate(ranked_by_tag=ranked_by_tag)))

    assert result.resource("s3:bucket/payroll").detail.get("tags") == ({"data": "payroll"} if ranked_by_tag else None)
    assert asked(server).count("GET /payroll?tagging") == asked_for
