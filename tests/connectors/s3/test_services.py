"""AWS services: on whose behalf they call, what their calls can carry, and where they can write."""

from typing import Any

import pytest

from cloudscan.facts import Access, Audience
from cloudscan_s3.access.access_path import AccessPath
from cloudscan_s3.access.acl import LOG_DELIVERY
from cloudscan_s3.access.bucket import Acl, AclGrant, Ownership
from tests.connectors.s3.buckets import (
    EXTERNAL,
    NAMED,
    NOBODY,
    OTHER_ORGANISATION,
    OUR_CANONICAL,
    OUR_ORGANISATION,
    OURS,
    THEIRS,
    Json,
    allow,
    deny,
    paths,
    put,
    when,
    widest,
)

BALANCERS = "logdelivery.elasticloadbalancing.amazonaws.com"
BUCKET = "arn:aws:s3:::b"


def for_anybody(*statements: Json, **more: Any) -> bool:
    """Can any customer of AWS make a service use the bucket?"""
    return any(path.confused_deputy and path.effective for path in paths(*statements, **more))


@pytest.mark.parametrize(
    "condition",
    [
        when("StringEqualsIfExists", "aws:SourceAccount", OURS),
        when("StringLikeIfExists", "aws:SourceAccount", OURS),
        when("ArnLikeIfExists", "aws:SourceArn", f"arn:aws:events:*:{OURS}:rule/*"),
        when("StringEqualsIfExists", "aws:SourceOrgID", OUR_ORGANISATION),
        when("ForAllValues:StringEquals", "aws:SourceAccount", OURS),
        when("ForAllValues:StringLike", "aws:SourceOrgPaths", f"{OUR_ORGANISATION}/*"),
        when("StringNotEquals", "aws:SourceAccount", THEIRS),
        when("Null", "aws:SourceArn", "true"),
    ],
    ids=lambda condition: " ".join((*condition, *next(iter(condition.values())))),
)
def test_a_condition_that_holds_without_the_key_ties_a_service_to_nobody(condition: Json) -> None:
    """Where the service sends no such key, the condition holds."""
    assert for_anybody(put("events.amazonaws.com", when=condition))


@pytest.mark.parametrize(
    "condition",
    [
        when("StringEquals", "aws:SourceAccount", OURS),
        when("ArnLike", "aws:SourceArn", f"arn:aws:events:*:{OURS}:rule/*"),
        when("StringEquals", "aws:SourceOrgID", OUR_ORGANISATION),
        {"StringEqualsIfExists": {"aws:SourceAccount": OURS}, "Null": {"aws:SourceAccount": "false"}},
        {"ForAllValues:StringEquals": {"aws:SourceAccount": OURS}, "Null": {"aws:SourceAccount": "false"}},
    ],
    ids=lambda condition: " ".join((*condition, *next(iter(condition.values())))),
)
def test_a_condition_that_needs_the_key_ties_a_service(condition: Json) -> None:
    """Nobody else can aim it at the bucket; for us it can still write."""
    opened = paths(put("events.amazonaws.com", when=condition))

    assert widest(opened) is NAMED
    assert not any(path.confused_deputy for path in opened)


def test_a_denial_of_foreign_sources_lets_those_pass_that_tell_none() -> None:
    """AWS's own sample denies only calls that tell a source, so that other calls go on working."""
    sources = {
        "StringNotEqualsIfExists": {"aws:SourceOrgID": OUR_ORGANISATION},
        "Null": {"aws:SourceAccount": "false"},
        "Bool": {"aws:PrincipalIsAWSService": "true"},
    }

    assert for_anybody(put("events.amazonaws.com"), deny(when=sources))


@pytest.mark.parametrize(
    "condition",
    [
        when("StringEquals", "aws:PrincipalTag/team", "data"),
        when("StringEquals", "aws:PrincipalOrgID", OUR_ORGANISATION),
        when("StringEquals", "aws:SourceVpce", "vpce-1a2b"),
        when("StringEquals", "aws:SourceIdentity", "alice"),
        when("Bool", "aws:MultiFactorAuthPresent", "true"),
        when("NumericLessThan", "aws:MultiFactorAuthAge", "3600"),
        when("DateGreaterThan", "aws:TokenIssueTime", "2020-01-01T00:00:00Z"),
        when("ForAnyValue:StringEquals", "aws:CalledVia", "athena.amazonaws.com"),
        when("ArnLike", "lambda:SourceFunctionArn", f"arn:aws:lambda:*:{OURS}:function:f"),
    ],
    ids=lambda condition: next(iter(next(iter(condition.values())))),
)
def test_a_service_does_not_carry_what_only_a_principal_has(condition: Json) -> None:
    """Such a statement lets the service do nothing."""
    assert widest(paths(put("sns.amazonaws.com", when=condition))) is NOBODY


def test_a_service_chooses_the_acl_that_it_is_told_to() -> None:
    """Log deliveries hand their objects to the bucket's owner."""
    handed_over = when("StringEquals", "s3:x-amz-acl", "bucket-owner-full-control")

    assert for_anybody(put("delivery.logs.amazonaws.com", when=handed_over))


@pytest.mark.parametrize("folder", ["AWSLogs", "lb/AWSLogs", "*/AWSLogs", "lb/x/AWSLogs"])
@pytest.mark.parametrize("tail", ["/*", "/elasticloadbalancing/*"])
@pytest.mark.parametrize("service", [BALANCERS, "logdelivery.elb.amazonaws.com"])
def test_load_balancers_write_below_their_accounts_number(service: str, folder: str, tail: str) -> None:
    """The path carries the account whose load balancers may write: AWS's own policy."""
    opened = paths(put(service, Resource=f"{BUCKET}/{folder}/{OURS}{tail}"))

    assert widest(opened) is NAMED
    assert not any(path.confused_deputy for path in opened)


@pytest.mark.parametrize("resource", ["*", "AWSLogs/*", "lb/*", "AWSLogs/*/elasticloadbalancing/*", "AWSLogs/2*"])
def test_load_balancers_of_anybody_write_where_the_path_leaves_the_account_open(resource: str) -> None:
    """A folder of one's own is no fence: every customer's logs are written below it."""
    assert for_anybody(put(BALANCERS, Resource=f"{BUCKET}/{resource}"))


@pytest.mark.parametrize("resource", [f"AWSLogs/{OURS}/AWSLogs/*", "AWSLogs/x/AWSLogs/*", "AWSLogs/12345/*"])
def test_load_balancers_of_nobody_write_behind_a_second_folder(resource: str) -> None:
    """The prefix must not contain AWSLogs, so the first one is followed by the account's number."""
    assert not for_anybody(put(BALANCERS, Resource=f"{BUCKET}/{resource}"))


def test_load_balancers_of_a_foreign_account() -> None:
    """Its number stands in the path, so its load balancers write, and no others."""
    opened = paths(put(BALANCERS, Resource=f"{BUCKET}/AWSLogs/{THEIRS}/*"))

    assert {(path.audience, path.account) for path in opened if path.effective} == {(EXTERNAL, THEIRS)}


def test_load_balancers_write_nowhere_else() -> None:
    """Below AWSLogs there is an account's number, and nothing that only looks like one."""
    assert widest(paths(put(BALANCERS, Resource=f"{BUCKET}/AWSLogs/{OTHER_ORGANISATION}/*"))) is NOBODY


@pytest.mark.parametrize("service", ["cloudtrail.amazonaws.com", "config.amazonaws.com", "delivery.logs.amazonaws.com"])
def test_the_path_does_not_tie_a_service_whose_prefix_is_free(service: str) -> None:
    """With the prefix AWSLogs/OURS another customer's files would be written there."""
    assert for_anybody(put(service, Resource=f"{BUCKET}/AWSLogs/{OURS}/*"))


def test_access_logs_are_delivered_within_one_account() -> None:
    """Nobody else can aim S3's access logs at the bucket, through the ACL or the policy."""
    grants = (
        AclGrant(permission="FULL_CONTROL", canonical_id=OUR_CANONICAL),
        AclGrant(permission="WRITE", group=LOG_DELIVERY),
        AclGrant(permission="READ_ACP", group=LOG_DELIVERY),
    )
    by_acl = paths(acl=Acl(owner=OUR_CANONICAL, grants=grants), ownership=Ownership.PREFERRED)
    by_policy = paths(put("logging.s3.amazonaws.com"))
    for_them = paths(put("logging.s3.amazonaws.com", when=when("StringEquals", "aws:SourceAccount", THEIRS)))

    assert _services(by_acl) == {(NAMED, Access.WRITE, False), (NAMED, Access.LIST, False)}
    assert _services(by_policy) == {(NAMED, Access.WRITE, False)}
    assert _services(for_them) == set()


def _services(opened: Any) -> set[tuple[Audience, Access, bool]]:
    found: list[AccessPath] = [path for path in opened if path.kind == "service"]
    return {(path.audience, path.access, path.confused_deputy) for path in found}


@pytest.mark.parametrize(
    ("arn", "anybody"),
    [
        ("arn:aws:sqs:eu-west-1", False),
        ("arn:aws:sqs", False),
        ("sqs", False),
        (f"arn:aws:sqs:eu-west-1:{OURS}", False),
        (f"arn:aws:sqs:eu-west-1:{OURS}:", False),
        ("arn:aws:sqs:eu-west-1:12345:queue", False),
        ("arn:aws:sqs:eu-west-1:*:queue", True),
        ("arn:aws:sqs:eu-west-1:*", True),
        ("arn:aws:sqs*", True),
        ("*:queue", True),
        ("*", True),
    ],
)
@pytest.mark.parametrize("principal", ["*", {"Service": "sqs.amazonaws.com"}])
def test_a_source_has_an_arn_of_six_parts(arn: str, anybody: bool, principal: object) -> None:
    """What has fewer is no source's name: nobody gets in."""
    opened = paths(allow(principal, "s3:PutObject", when=when("StringLike", "aws:SourceArn", arn)))

    assert any(path.confused_deputy for path in opened) is anybody
    assert anybody or widest(opened) is NOBODY


def test_a_star_that_reaches_over_colons_reaches_into_names_that_others_choose() -> None:
    """A source of another account may have our number in its name, between two colons."""
    number = when("StringLike", "aws:SourceArn", f"*:{OURS}:*")
    by_parts = when("ArnLike", "aws:SourceArn", f"arn:aws:sqs:*:{OURS}:*")

    assert for_anybody(put("sqs.amazonaws.com", when=number))
    assert not for_anybody(put("sqs.amazonaws.com", when=by_parts))


@pytest.mark.parametrize("path", [f"{OTHER_ORGANISATION}/r-ab12/ou-ab12-11111111/*", f"{OTHER_ORGANISATION}/*"])
def test_a_service_for_a_unit_of_another_organisation(path: str) -> None:
    """Any path below it fits."""
    units = when("ForAnyValue:StringLike", "aws:SourceOrgPaths", path)

    opened = paths(put("delivery.logs.amazonaws.com", when=units))

    assert {(path.audience, path.access) for path in opened if path.effective} == {(EXTERNAL, Access.WRITE)}


def test_a_service_for_a_unit_of_our_own_organisation() -> None:
    """Ours stays ours."""
    units = when("ForAnyValue:StringLike", "aws:SourceOrgPaths", f"{OUR_ORGANISATION}/r-ab12/*")

    assert widest(paths(put("delivery.logs.amazonaws.com", when=units))) is NAMED
