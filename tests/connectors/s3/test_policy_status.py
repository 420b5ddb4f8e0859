"""AWS's own verdict on a policy text, which asks for fixed values and for nothing else."""

import pytest

from cloudscan_s3.access.policy import parse
from cloudscan_s3.access.policy_status import is_public
from tests.connectors.s3.buckets import OUR_ORGANISATION, OURS, THEIRS, Json, allow, deny, policy, when

ROLE = "AROAABCDEFGHIJKLMNOPQ"
ACCESS_POINTS = f"arn:aws:s3:eu-west-1:{THEIRS}:accesspoint"

FIXED = [
    ("an account", allow({"AWS": THEIRS})),
    ("a service", allow({"Service": "events.amazonaws.com"})),
    ("an organisation", allow(when=when("StringEquals", "aws:PrincipalOrgID", OUR_ORGANISATION))),
    ("a pattern without a wildcard", allow(when=when("StringLike", "aws:PrincipalOrgID", OUR_ORGANISATION))),
    ("paths below an organisation", allow(when=when("StringLike", "aws:PrincipalOrgPaths", f"{OUR_ORGANISATION}/*"))),
    ("a role", allow(when=when("ArnEquals", "aws:PrincipalArn", f"arn:aws:iam::{THEIRS}:role/app"))),
    ("one session of a role", allow(when=when("StringEquals", "aws:userid", f"{ROLE}:me"))),
    ("a range of addresses", allow(when=when("IpAddress", "aws:SourceIp", "203.0.113.0/24", "10.0.0.0/8"))),
    ("the broadest range that counts", allow(when=when("IpAddress", "aws:SourceIp", "52.0.0.0/8", "2600::/32"))),
    ("an endpoint", allow(when=when("StringEquals", "aws:SourceVpce", "vpce-1a2b"))),
    ("a source", allow(when=when("ArnLike", "aws:SourceArn", "arn:aws:sqs:eu-west-1"))),
    ("any access point of an account", allow(when=when("ArnLike", "s3:DataAccessPointArn", f"{ACCESS_POINTS}/*"))),
    (
        "one fixed value beside a free one",
        allow(when={"StringEquals": {"aws:SourceAccount": OURS, "aws:Referer": "x"}}),
    ),
    (
        "a key that every request carries, IfExists",
        allow(when=when("StringEqualsIfExists", "aws:PrincipalAccount", OURS)),
    ),
    ("denied to all, allowed to nobody", deny()),
]
PUBLIC = [
    ("everyone", allow()),
    ("everyone, as Amazon writes it", allow({"AWS": "*"})),
    ("all but one", allow(None, NotPrincipal={"AWS": THEIRS})),
    ("everyone, for an action that does not exist", allow(action="s3:NoSuchAction")),
    ("every session of a role", allow(when=when("StringLike", "aws:userid", f"{ROLE}:*"))),
    ("until a date that has passed", allow(when=when("DateLessThan", "aws:CurrentTime", "2019-05-01T00:00:00Z"))),
    ("a variable", allow(when=when("StringEquals", "aws:PrincipalAccount", "${aws:ResourceAccount}"))),
    ("a variable for an organisation", allow(when=when("StringEquals", "aws:PrincipalOrgID", "${aws:ResourceOrgID}"))),
    ("roles of an account", allow(when=when("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{THEIRS}:role*"))),
    ("roles of any account", allow(when=when("StringLike", "aws:PrincipalArn", "arn:aws:iam:*:role/backup"))),
    ("organisations by a part of their id", allow(when=when("StringLike", "aws:PrincipalOrgID", "*q7*"))),
    ("a kind of principal", allow(when=when("StringEquals", "aws:PrincipalType", "FederatedUser"))),
    ("addresses as text", allow(when=when("StringLike", "aws:SourceIp", "203.0.113.*"))),
    ("half of the internet", allow(when=when("IpAddress", "aws:SourceIp", "0.0.0.0/1"))),
    ("too broad a range of the sixth version", allow(when=when("IpAddress", "aws:SourceIp", "2000::/16"))),
    ("all but some addresses", allow(when=when("NotIpAddress", "aws:SourceIp", "203.0.113.0/24"))),
    ("the endpoints of an account", allow(when=when("StringEquals", "aws:VpceAccount", THEIRS))),
    ("a tag", allow(when=when("StringEquals", "aws:PrincipalTag/team", "data"))),
    ("all but an organisation", allow(when=when("StringNotEquals", "aws:PrincipalOrgID", OUR_ORGANISATION))),
    (
        "an organisation, if there is one",
        allow(when=when("StringEqualsIfExists", "aws:PrincipalOrgID", OUR_ORGANISATION)),
    ),
    (
        "values that may be none",
        allow(when=when("ForAllValues:StringEquals", "aws:PrincipalOrgPaths", OUR_ORGANISATION)),
    ),
    (
        "access points of any account",
        allow(when=when("ArnLike", "s3:DataAccessPointArn", "arn:aws:s3:*:*:accesspoint/x")),
    ),
]


@pytest.mark.parametrize(
    ("statement", "public"),
    [
        *(pytest.param(statement, False, id=name) for name, statement in FIXED),
        *(pytest.param(statement, True, id=name) for name, statement in PUBLIC),
    ],
)
def test_what_aws_calls_public(statement: Json, public: bool) -> None:
    """Denials do not count, and neither does what happens today."""
    assert is_public(parse(policy(statement))) is public
    assert is_public(parse(policy(allow({"AWS": OURS}), statement, deny()))) is public


def test_an_access_point_is_not_fixed_by_its_own_name() -> None:
    """In its own policy its ARN says nothing about who calls."""
    text = policy(allow(when=when("ArnEquals", "s3:DataAccessPointArn", f"{ACCESS_POINTS}/x")))

    assert (is_public(parse(text)), is_public(parse(text), access_point=True)) == (False, True)
