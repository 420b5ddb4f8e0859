"""What an independent second look at the analyser found: each line was once answered wrongly."""

import json
from typing import Any

import pytest

from cloudscan.facts import Access, Audience
from cloudscan_s3.access.access_paths import access_paths, access_paths_to_object
from cloudscan_s3.access.acl import ANONYMOUS
from cloudscan_s3.access.bucket import Acl, AclGrant, ObjectAcl, Ownership
from cloudscan_s3.access.conditions import meeting
from cloudscan_s3.access.networks import named
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.policy import parse
from cloudscan_s3.access.policy_literals import PolicyLiterals
from tests.connectors.s3.buckets import (
    ALL_ON,
    FOREIGN,
    NOW,
    OBJECTS,
    OTHER_ORGANISATION,
    OUR_CANONICAL,
    OUR_ORGANISATION,
    OURS,
    SISTER,
    US,
    Json,
    allow,
    bucket,
    deny,
    facts_of,
    paths,
    policy,
    widest,
)

NOBODY, NAMED, EXTERNAL = Audience.NOBODY, Audience.NAMED, Audience.NAMED_EXTERNAL
DOMAIN, ORGANISATION = Audience.EXTERNAL_DOMAIN, Audience.ORGANISATION
ACCOUNT, ANYONE = Audience.ANY_ACCOUNT, Audience.ANYONE_WITH_LINK
CHINA = "arn:aws-cn:s3:::b/*"
ROLE = "AROAABCDEFGHIJKLMNOPQ"
MANY_KEYS = {"StringLike": {f"s3:key{number}": [f"a{number}*", "b", "c"] for number in range(8)}}


def put(service: str, **more: Any) -> Json:
    return allow({"Service": service}, "s3:PutObject", **more)


def when(operator: str, key: str, *values: str) -> Json:
    return {operator: {key: list(values)}}


# what it says · the statements · who gets in · does AWS call it public?
CASES: list[tuple[str, list[Json], Audience, bool]] = [
    # A variable or a pattern in Resource
    ("a Deny on single objects that happen to be our examples", [allow(Resource="arn:aws:s3:::b/p/*"), deny(Resource=[f"arn:aws:s3:::b/p/{key}" for key in ("any-object", "any-object-1", "x", "")])], ANYONE, True),
    ("a folder by the caller's tag", [allow(Resource="arn:aws:s3:::b/${aws:PrincipalTag/team}/*")], ACCOUNT, True),
    ("a folder by the caller's tag, which a condition fixes", [allow(Resource="arn:aws:s3:::b/${aws:PrincipalTag/team}/*", when=when("StringEquals", "aws:PrincipalTag/team", "data"))], ACCOUNT, True),
    ("a folder by the caller's tag, fixed beside a variable", [allow(Resource="arn:aws:s3:::b/${aws:PrincipalTag/team}/*", when={"StringLike": {"aws:PrincipalTag/team": ["d*", "${aws:username}"], "aws:PrincipalType": "AssumedRole"}})], ACCOUNT, True),
    ("a bucket by the caller's tag", [allow(Resource="arn:aws:s3:::${aws:PrincipalTag/bucket}/*")], ACCOUNT, True),
    ("a folder by the user agent", [allow(Resource="arn:aws:s3:::b/${aws:UserAgent}/*")], ANYONE, True),
    ("a folder by the identity of a pool", [allow(Resource="arn:aws:s3:::b/${cognito-identity.amazonaws.com:sub}/*")], ACCOUNT, True),
    ("pictures, denied outside one folder", [allow(Resource="arn:aws:s3:::b/*.jpg"), deny(Resource=None, NotResource="arn:aws:s3:::b/public/*")], ANYONE, True),
    ("an action that only copies tags", [allow(action="s3:ReplicateTags")], ANYONE, True),
    # Values that fit two conditions at once, large numbers, short dates
    ("two patterns of a prefix", [allow(action="s3:ListBucket", when=when("StringLike", "s3:prefix", "home/*")), deny(when=when("StringNotLike", "s3:prefix", "*/public/"))], ANYONE, True),
    ("a prefix by the caller's tag, which a condition fixes", [allow(action="s3:ListBucket", when={"StringLike": {"s3:prefix": "home/${aws:PrincipalTag/team}/*"}, "StringEquals": {"aws:PrincipalTag/team": "data"}})], ACCOUNT, True),
    ("a referer that repeats the user agent", [allow(when={"StringEquals": {"aws:UserAgent": "ua", "aws:Referer": "${aws:UserAgent}"}})], ANYONE, True),
    ("two patterns of a referer", [allow(when={"StringLike": {"aws:Referer": "https://*"}, "StringLikeIfExists": {"aws:Referer": "*.example.com/"}})], ANYONE, True),
    ("a number of seven digits", [allow(when=when("NumericLessThan", "s3:x-amz-decoded-content-length", "1048577"))], ANYONE, True),
    ("until a month", [allow(when=when("DateLessThan", "aws:CurrentTime", "2030-12"))], ANYONE, True),
    ("until a year", [allow(when=when("DateLessThan", "aws:CurrentTime", "2030"))], ANYONE, True),
    ("since a month", [allow(when=when("DateGreaterThan", "aws:CurrentTime", "2026-01"))], ANYONE, True),
    # Keys that only a signed request carries
    ("denied unless signed in the new way", [allow(), deny(when=when("StringNotEquals", "s3:signatureversion", "AWS4-HMAC-SHA256"))], ACCOUNT, True),
    ("signed in a header", [allow(when=when("StringEquals", "s3:authType", "REST-HEADER"))], ACCOUNT, True),
    ("a fresh signature", [allow(when=when("NumericLessThan", "s3:signatureAge", "600000"))], ACCOUNT, True),
    ("a function, of anybody's", [allow(when=when("ArnLike", "lambda:SourceFunctionArn", "arn:aws:lambda:*:*:function:f"))], ACCOUNT, True),
    # Networks
    ("an address as text", [allow(when=when("StringLike", "aws:SourceIp", "203.0.113.*"))], NAMED, True),
    ("a tenth of all addresses as text", [allow(when=when("StringLike", "aws:SourceIp", "5*"))], ANYONE, True),
    ("the last quarter of the internet", [allow(when={"NotIpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/2", "::/0"]}, "Null": {"aws:SourceIp": "false"}})], ANYONE, True),
    ("a range within a range", [allow(when=when("IpAddress", "aws:SourceIp", "52.0.0.0/8", "52.95.0.0/16"))], NAMED, False),
    ("addresses in a VPC of one's own", [allow(when=when("IpAddress", "aws:VpcSourceIp", "172.31.0.0/16"))], ANYONE, True),
    ("denied outside addresses in a VPC of one's own", [allow(), deny(when=when("NotIpAddress", "aws:VpcSourceIp", "192.168.0.0/24"))], ANYONE, True),
    ("addresses in one VPC", [allow(when={"IpAddress": {"aws:VpcSourceIp": "172.31.0.0/16"}, "StringEquals": {"aws:SourceVpc": "vpc-1a2b"}})], NAMED, False),
    ("any VPC of a region", [allow(when=when("ArnLike", "aws:SourceVpcArn", "arn:aws:ec2:eu-west-1:*:vpc/*"))], ANYONE, True),
    ("any VPC of one account", [allow(when=when("ArnLike", "aws:SourceVpcArn", f"arn:aws:ec2:*:{FOREIGN}:vpc/*"))], NAMED, True),
    ("one VPC of one account", [allow(when={"StringEquals": {"aws:SourceVpc": "vpc-1a2b", "aws:VpceAccount": FOREIGN}})], NAMED, False),
    ("one VPC by endpoints of a pattern", [allow(when={"StringEquals": {"aws:SourceVpc": "vpc-1a2b"}, "StringLike": {"aws:SourceVpce": "vpce-2*"}})], NAMED, False),
    ("endpoints of a pattern, of one account", [allow(when={"StringEquals": {"aws:VpceAccount": FOREIGN}, "StringLike": {"aws:SourceVpce": "vpce-2*"}})], NAMED, True),
    ("an office, for a role of any account", [allow(when={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/X"}})], NAMED, False),
    # Members of an organisation or an account, in every shape
    ("our organisation's role of a name", [allow(when={"StringEquals": {"aws:PrincipalOrgID": OUR_ORGANISATION}, "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Deploy"}})], ORGANISATION, False),
    ("another organisation's role of a name", [allow(when={"StringEquals": {"aws:PrincipalOrgID": OTHER_ORGANISATION}, "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Deploy"}})], DOMAIN, False),
    ("another organisation's user of a name", [allow(when={"StringEquals": {"aws:PrincipalOrgID": OTHER_ORGANISATION, "aws:username": "alice"}})], DOMAIN, False),
    ("another organisation's session of a name", [allow(when={"StringEquals": {"aws:PrincipalOrgID": OTHER_ORGANISATION}, "StringLike": {"aws:userid": "*:alice"}})], DOMAIN, False),
    ("another organisation's root users", [allow(when={"StringEquals": {"aws:PrincipalOrgID": OTHER_ORGANISATION, "aws:PrincipalType": "Account"}})], DOMAIN, False),
    ("another organisation's accounts that begin with 2", [allow(when={"StringEquals": {"aws:PrincipalOrgID": OTHER_ORGANISATION}, "StringLike": {"aws:PrincipalAccount": "2*"}})], DOMAIN, False),
    ("a foreign role's session of a name", [allow({"AWS": f"arn:aws:iam::{FOREIGN}:role/app"}, when=when("StringLike", "aws:userid", "*:backup"))], EXTERNAL, False),
    ("an organisation in capitals, case ignored", [allow(when=when("StringEqualsIgnoreCase", "aws:PrincipalOrgID", OUR_ORGANISATION.upper()))], ORGANISATION, False),
    ("denied outside the bucket's organisation", [allow(), deny(when=when("StringNotEquals", "aws:PrincipalOrgID", "${aws:ResourceOrgID}"))], ORGANISATION, True),
    ("a unit of any organisation: its id is unique in one only", [allow(when=when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "*/ou-ab12-11111111/*"))], ACCOUNT, True),
    ("a foreign account, if of another organisation", [allow({"AWS": FOREIGN}, when=when("StringEquals", "aws:PrincipalOrgID", OTHER_ORGANISATION))], EXTERNAL, False),
    ("a foreign account's user of a name", [allow({"AWS": FOREIGN}, when=when("StringEquals", "aws:username", "alice"))], EXTERNAL, False),
    ("a foreign account's role of a name", [allow({"AWS": FOREIGN}, when=when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/Admin*"))], EXTERNAL, False),
    ("a foreign account's role by id", [allow({"AWS": FOREIGN}, when=when("StringLike", "aws:userid", f"{ROLE}:*"))], EXTERNAL, False),
    ("a foreign account's session of a name", [allow({"AWS": FOREIGN}, when=when("StringLike", "aws:userid", "*:backup"))], EXTERNAL, False),
    ("accounts that end with 2222", [allow(when=when("StringLike", "aws:PrincipalAccount", "*2222"))], ACCOUNT, True),
    ("a role of the caller's own account", [allow(when=when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::${aws:PrincipalAccount}:role/Admin"))], ACCOUNT, True),
    # Services
    ("a service for a foreign account's bucket", [put("s3.amazonaws.com", when={"StringEquals": {"aws:SourceAccount": FOREIGN}, "ArnLike": {"aws:SourceArn": "arn:aws:s3:::theirs"}})], EXTERNAL, False),
    ("a service for any bucket of ours", [put("s3.amazonaws.com", when={"StringEquals": {"aws:SourceAccount": OURS}, "ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}})], NAMED, False),
    ("a service for our organisation's trails", [put("cloudtrail.amazonaws.com", when={"StringEquals": {"aws:SourceOrgID": OUR_ORGANISATION}, "ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:*:trail/*"}})], NAMED, False),
    ("a service for another organisation's trails", [put("cloudtrail.amazonaws.com", when={"StringEquals": {"aws:SourceOrgID": OTHER_ORGANISATION}, "ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:*:trail/*"}})], EXTERNAL, False),
    ("services by a pattern of names", [allow(when=when("StringLike", "aws:PrincipalServiceName", "delivery.*"))], NAMED, True),
    ("services by a list of names", [allow(when=when("ForAnyValue:StringEquals", "aws:PrincipalServiceNamesList", "cloudtrail.amazonaws.com"))], NAMED, True),
    # Denials that only work together, or beside many others
    ("denied with TLS and without", [allow(), deny(when=when("Bool", "aws:SecureTransport", "true", "false"))], NOBODY, True),
    ("denied because TLS is known of every call", [allow(), deny(when=when("Null", "aws:SecureTransport", "false"))], NOBODY, True),
    ("denied to all, beside a denial with many keys", [allow(), deny(), deny(when=MANY_KEYS)], NOBODY, True),
    ("denied with and without a key, beside many", [allow(), deny(when=MANY_KEYS), deny(when=when("Null", "s3:key0", "false")), deny(when=when("Null", "s3:key0", "true"))], NOBODY, True),
    # Access points of others
    ("denied but for a foreign account's access points", [allow(), deny(when=when("StringNotEquals", "s3:DataAccessPointAccount", FOREIGN))], EXTERNAL, True),
    ("access points of any VPC", [allow(when=when("StringEquals", "s3:AccessPointNetworkOrigin", "VPC"))], ACCOUNT, True),
    ("denied but for access points of any VPC", [allow(), deny(when=when("StringNotEquals", "s3:AccessPointNetworkOrigin", "VPC"))], ACCOUNT, True),
    ("a foreign account through its access points", [allow({"AWS": FOREIGN}, when=when("StringEquals", "s3:DataAccessPointAccount", FOREIGN))], EXTERNAL, False),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "audience", "public"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_policy(statements: list[Json], audience: Audience, public: bool) -> None:
    """Who effectively gets in, and AWS's verdict by the letter."""
    found = access_paths(bucket(*statements), US, NOW)

    assert (min(widest(found.open), ANYONE), found.policy_public) == (audience, public)
    assert all(path.witness.certain for path in found.open if path.effective)
    assert all(path.blocked_by for path in found.open if path.effective is False)


@pytest.mark.parametrize(
    ("pattern", "audience"),
    [("arn:aws-cn:iam::*:role/Admin", ACCOUNT), (f"arn:aws-cn:iam::{FOREIGN}:role/*", EXTERNAL)],
)
def test_callers_of_another_partition(pattern: str, audience: Audience) -> None:
    """In China and GovCloud every name begins with another partition."""
    found = paths(allow(Resource=CHINA, when=when("ArnLike", "aws:PrincipalArn", pattern)), partition="aws-cn")

    assert widest(found) is audience


def test_what_opens_on_a_date_to_come_is_latent() -> None:
    """Nothing has to be changed for it to be public one day."""
    (path,) = paths(allow(when=when("DateGreaterThan", "aws:CurrentTime", "2030-01-01T00:00:00Z")))

    assert (path.audience, path.effective) == (ANYONE, False)
    assert path.blocked_by == "not before 2030-01-01T00:00:00+00:00"


def test_what_opened_and_closed_is_shut() -> None:
    """A window in the past opens no more, and one that never opens never does."""
    past = {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01"}, "DateLessThan": {"aws:CurrentTime": "2021-01-01"}}
    never = {"DateGreaterThan": {"aws:CurrentTime": "2030-01-01"}, "DateLessThan": {"aws:CurrentTime": "2021-01-01"}}

    assert paths(allow(when=past)) == paths(allow(when=never)) == ()


def test_the_reasons_say_when_a_way_opens() -> None:
    """A condition that is not met yet is not said to be met."""
    opening = bucket(allow(when=when("DateGreaterThan", "aws:CurrentTime", "2030-01-01T00:00:00Z")))

    text = str(list(facts_of(opening)))

    assert "opens by itself on 2030-01-01" in text
    assert "is currently met" not in text


_REST = '"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"'
_TWO_CONDITIONS = '{"StringEquals": {"aws:Referer": "a"}, "StringEquals": {"aws:PrincipalOrgID": "o-ours123456"}}'


@pytest.mark.parametrize(
    "text",
    [
        f'{{"Statement": [{{"Effect": "Allow", "Principal": "*", "Principal": {{"AWS": "{OURS}"}}, {_REST}}}]}}',
        f'{{"Statement": [{{"Effect": "Allow", "Principal": "*", "principal": {{"AWS": "{OURS}"}}, {_REST}}}]}}',
        f'{{"Statement": [{{"Effect": "Allow", "effect": "Deny", "Principal": "*", {_REST}}}]}}',
        f'{{"Statement": [{{"Effect": "Allow", "Principal": "*", {_REST}, "Condition": {_TWO_CONDITIONS}}}]}}',
        f'{{"Statement": [{{"Effect": "Allow", "Principal": "*", {_REST}}}], "Statement": []}}',
    ],
)
def test_what_stands_twice_is_unknown(text: str) -> None:
    """Which of the two counts cannot be told, so neither "public" nor "private" is."""
    found = access_paths(bucket(policy=text), US, NOW)

    assert found.policy_public is None
    assert found.open == ()


def test_denials_that_only_work_together_are_both_named() -> None:
    """Either could be evaded; what stops the way is the two of them."""
    (path,) = paths(
        allow(), deny(when=when("Null", "aws:Referer", "true")), deny(when=when("Null", "aws:Referer", "false"))
    )

    assert path.effective is False
    assert path.blocked_by


def _acl(canonical_id: str, permission: str = "FULL_CONTROL") -> Acl:
    owner = AclGrant(permission="FULL_CONTROL", canonical_id=OUR_CANONICAL)
    return Acl(owner=OUR_CANONICAL, grants=(owner, AclGrant(permission=permission, canonical_id=canonical_id)))


def test_a_grant_to_the_anonymous_user_is_a_grant_to_anyone() -> None:
    """Unsigned requests are that user's."""
    (path,) = paths(acl=_acl(ANONYMOUS, "READ"), ownership=Ownership.WRITER)

    assert (path.audience, path.effective) == (Audience.ANYONE_DISCOVERABLE, True)


def test_what_was_uploaded_unsigned_can_be_read_unsigned() -> None:
    """Its owner, with full control, is whoever does not sign."""
    acl = Acl(owner=ANONYMOUS, grants=(AclGrant(permission="FULL_CONTROL", canonical_id=ANONYMOUS),))
    item = ObjectAcl(bucket="b", key="k", acl=acl)

    found = access_paths_to_object(item, bucket(ownership=Ownership.WRITER), US, NOW)

    assert (ANYONE, Access.READ) in {(path.audience, path.access) for path in found}


@pytest.mark.parametrize(
    "canonical_id",
    [
        "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0",
        "a52cb28745c0c06e84ec548334e44bfa7fc2a85c54af20cd59e4969344b7af56",
    ],
)
def test_log_delivery_of_cloudfront_is_no_foreign_account(canonical_id: str) -> None:
    """CloudFront puts that line into the ACL of every bucket that it writes logs to."""
    (named,) = {path.names for path in paths(acl=_acl(canonical_id), ownership=Ownership.WRITER)}

    assert named == ("CloudFront log delivery",)
    assert widest(paths(acl=_acl(canonical_id), ownership=Ownership.WRITER)) is NAMED


@pytest.mark.parametrize("account", ["048591011584", "190560391635", "638102146993", "037604701340"])
def test_load_balancers_of_other_partitions_are_amazons(account: str) -> None:
    """GovCloud and China have their own log delivery accounts."""
    assert widest(paths(allow({"AWS": account}, "s3:PutObject"))) is NAMED


def test_a_read_only_session_writes_nothing() -> None:
    """A directory bucket's one action opens what the session's mode says."""
    read_only = when("StringEquals", "s3express:SessionMode", "ReadOnly")
    session = allow({"AWS": FOREIGN}, "s3express:CreateSession", Resource="*", when=read_only)

    found = paths(session, directory=True, block=ALL_ON)

    assert {path.access for path in found} == {Access.LIST, Access.READ}


def test_a_stranger_is_in_no_organisation_of_ours_even_if_we_do_not_know_it() -> None:
    """The bucket's organisation is unknown, and still not his."""
    nameless = OwnEstate(account=OURS, own_accounts=frozenset({OURS, SISTER}))
    shut = bucket(allow(), deny(when=when("StringNotEquals", "aws:ResourceOrgID", "${aws:PrincipalOrgID}")))

    assert widest(access_paths(shut, nameless, NOW).open) is NOBODY


def test_a_service_let_in_for_its_own_source_is_not_foreign() -> None:
    """A bucket named as the source in one statement is not of the account that another names."""
    source = when("ArnEquals", "aws:SourceArn", "arn:aws:s3:::src")
    found = paths(
        put("s3.amazonaws.com", when=source, Sid="One"),
        put("config.amazonaws.com", when=when("StringEquals", "aws:SourceAccount", FOREIGN)),
    )

    assert {path.audience for path in found if path.statement.number == 1} == {NAMED}


def test_ranges_that_stand_together_are_tried_once() -> None:
    """Hundreds of ranges in one condition cannot be told apart, and cost no more than one."""
    office = [f"203.{high}.{low}.0/24" for high in range(10) for low in range(70)]
    text = policy(
        allow(),
        deny(when=when("NotIpAddress", "aws:SourceIp", *office)),
        deny(Resource=OBJECTS, when=when("IpAddress", "aws:SourceIp", office[0])),
    )

    places = named(PolicyLiterals(parse(text).statements, US))

    assert sorted(len(each.alike) for each in places) == [1, 699]
    (listing,) = (path for path in paths(policy=text) if path.effective and "s3:GetObject" in path.actions)
    assert len(listing.names) == 699


def test_a_pattern_of_roles_is_called_by_its_own_name() -> None:
    """Not by an example of ours."""
    roles = f"arn:aws:iam::{FOREIGN}:role/app-*"

    assert {path.names for path in paths(allow(when=when("ArnLike", "aws:PrincipalArn", roles)))} == {(roles,)}


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("home/*", "*/public/", "home/public/"),
        ("a*", "b*", None),
        ("a?c", "*b*", "abc"),
        ("*", "*", ""),
        ("", "?", None),
        ("x*y*", "*z", "xyz"),
    ],
)
def test_what_two_patterns_have_in_common(one: str, other: str, both: str | None) -> None:
    """The shortest text that fits both."""
    assert meeting(one, other) == meeting(other, one) == both


def test_a_policy_of_json_text_stays_what_it_was() -> None:
    """The same names in different objects are no doubles."""
    text = json.dumps({"Version": "2012-10-17", "Statement": [allow(), allow({"AWS": FOREIGN})]})

    assert access_paths(bucket(policy=text), US, NOW).policy_public is True
