"""One configuration a line: whom it lets in, and what AWS would call it."""

import json
from typing import Any

import pytest

from cloudscan.facts import Access, Audience, Grant, Outcome, Principal
from cloudscan_s3.access.access_paths import access_paths
from cloudscan_s3.access.acl import ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY
from cloudscan_s3.access.bucket import AccessPoint, Acl, AclGrant, Block, Encryption, Ownership, Unread
from tests.connectors.s3.buckets import (
    ALL_ON,
    FOREIGN,
    KEYS,
    NOW,
    OBJECTS,
    OTHER_ORGANISATION,
    OUR_CANONICAL,
    OUR_ORGANISATION,
    OURS,
    PARTNER,
    SISTER,
    THEIR_CANONICAL,
    US,
    allow,
    bucket,
    deny,
    facts_of,
    paths,
    widest,
)

NOBODY, OWNER, NAMED = Audience.NOBODY, Audience.OWNER, Audience.NAMED
EXTERNAL, DOMAIN, ORGANISATION = Audience.NAMED_EXTERNAL, Audience.EXTERNAL_DOMAIN, Audience.ORGANISATION
ACCOUNT, ANYONE = Audience.ANY_ACCOUNT, Audience.ANYONE_WITH_LINK
DENIED = Unread(outcome=Outcome.DENIED, reason="not allowed", needs="s3:GetBucketPolicy")

NOT_OURS = {"StringNotEquals": {"aws:PrincipalOrgID": OUR_ORGANISATION}}

# what it says · the statements · who gets in · does AWS call it public?
CASES: list[tuple[str, list[dict[str, Any]], Audience, bool]] = [
    ("everybody", [allow()], ANYONE, True),
    ("everybody, said as AWS", [allow({"AWS": "*"})], ANYONE, True),
    ("everybody, said in a list", [allow({"AWS": [OURS, "*"]})], ANYONE, True),
    ("nobody at all", [], NOBODY, False),
    ("our account by id", [allow({"AWS": OURS})], OWNER, False),
    ("our account by root", [allow({"AWS": f"arn:aws:iam::{OURS}:root"})], OWNER, False),
    ("a role of ours", [allow({"AWS": f"arn:aws:iam::{OURS}:role/app"})], NAMED, False),
    ("a sister account", [allow({"AWS": SISTER})], NAMED, False),
    ("a foreign account", [allow({"AWS": FOREIGN})], EXTERNAL, False),
    ("a foreign role", [allow({"AWS": f"arn:aws:iam::{FOREIGN}:role/app"})], EXTERNAL, False),
    ("a foreign session", [allow({"AWS": f"arn:aws:sts::{FOREIGN}:assumed-role/app/me"})], EXTERNAL, False),
    ("a canonical user", [allow({"CanonicalUser": THEIR_CANONICAL})], EXTERNAL, False),
    ("our own canonical user", [allow({"CanonicalUser": OUR_CANONICAL})], NOBODY, False),
    ("a deleted principal", [allow({"AWS": "AROAABCDEFGHIJKLMNOPQ"})], NOBODY, False),
    ("a load balancer's account", [allow({"AWS": "127311923021"}, "s3:PutObject")], NAMED, False),
    ("a CloudFront identity", [allow({"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"})], NAMED, False),
    ("everybody but one", [allow(None, NotPrincipal={"AWS": FOREIGN})], ANYONE, True),
    ("denied to everybody but us", [allow(), deny(None, NotPrincipal={"AWS": OURS})], OWNER, True),
    ("a statement about another action", [allow(action="s3:CreateJob")], NOBODY, True),
    ("actions in another case", [allow(action="S3:getobject")], ANYONE, True),
    ("an action with wildcards", [allow(action="s3:Get*")], ANYONE, True),
    ("everything but one action", [allow(action=None, NotAction="s3:GetObject")], ANYONE, True),
    ("all but these objects", [allow(Resource=None, NotResource="arn:aws:s3:::b/secret/*")], ANYONE, True),
    ("another bucket's objects", [allow(Resource="arn:aws:s3:::other/*")], NOBODY, True),
    ("every bucket's pictures", [allow(Resource="arn:aws:s3:::*/*.jpg")], ANYONE, True),
    # Conditions that are about the call and not about the caller
    ("referer", [allow(when={"StringLike": {"aws:Referer": "https://example.com/*"}})], ANYONE, True),
    ("referer, key in capitals", [allow(when={"StringLike": {"AWS:REFERER": "https://example.com/*"}})], ANYONE, True),
    ("user agent", [allow(when={"StringEquals": {"aws:UserAgent": "secret"}})], ANYONE, True),
    ("TLS", [allow(when={"Bool": {"aws:SecureTransport": "true"}})], ANYONE, True),
    ("no TLS and TLS", [allow(when={"Bool": {"aws:SecureTransport": ["true", "false"]}})], ANYONE, True),
    ("a prefix, for listing", [allow(action="s3:ListBucket", when={"StringLike": {"s3:prefix": "pub/*"}})], ANYONE, True),
    ("a prefix, where it cannot occur", [allow(when={"StringLike": {"s3:prefix": "pub/*"}})], NOBODY, True),
    ("a tag on the object", [allow(when={"StringEquals": {"s3:ExistingObjectTag/public": "yes"}})], ANYONE, True),
    ("a window that is over", [allow(when={"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}})], NOBODY, True),
    ("a window that is open", [allow(when={"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}})], ANYONE, True),
    ("until an epoch", [allow(when={"NumericLessThan": {"aws:EpochTime": "1500000000"}})], NOBODY, True),
    ("two free keys at once", [allow(when={"StringLike": {"aws:Referer": "*a*"}, "StringEquals": {"aws:UserAgent": "x"}})], ANYONE, True),
    # Conditions on the network
    ("a narrow range", [allow(when={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})], NAMED, False),
    ("one address", [allow(when={"IpAddress": {"aws:SourceIp": "203.0.113.7"}})], NAMED, False),
    ("the whole internet", [allow(when={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}})], ANYONE, True),
    ("the whole internet in halves", [allow(when={"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}})], ANYONE, True),
    ("half the internet", [allow(when={"IpAddress": {"aws:SourceIp": "128.0.0.0/1"}})], ANYONE, True),
    ("one /8", [allow(when={"IpAddress": {"aws:SourceIp": "52.0.0.0/8"}})], NAMED, False),
    ("one /7", [allow(when={"IpAddress": {"aws:SourceIp": "52.0.0.0/7"}})], ANYONE, True),
    ("two /8", [allow(when={"IpAddress": {"aws:SourceIp": ["52.0.0.0/8", "54.0.0.0/8"]}})], ANYONE, False),
    ("all of IPv6 beside an office", [allow(when={"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "::/0"]}})], ANYONE, True),
    ("a narrow IPv6 range", [allow(when={"IpAddress": {"aws:SourceIp": "2001:db8::/48"}})], NAMED, False),
    ("private addresses", [allow(when={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})], NOBODY, False),
    ("anywhere but private addresses", [allow(when={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}})], ANYONE, True),
    ("anywhere but one office", [allow(when={"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}})], ANYONE, True),
    ("an office, if the key is there", [allow(when={"IpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}})], ANYONE, True),
    ("a VPC endpoint", [allow(when={"StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}})], NAMED, False),
    ("a VPC", [allow(when={"StringEquals": {"aws:SourceVpc": "vpc-1a2b3c4d"}})], NAMED, False),
    ("any VPC endpoint", [allow(when={"StringLike": {"aws:SourceVpce": "vpce-*"}})], ANYONE, True),
    ("any but one VPC", [allow(when={"StringNotEquals": {"aws:SourceVpc": "vpc-1a2b3c4d"}})], ANYONE, True),
    ("both a VPC and an address", [allow(when={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}, "StringLike": {"aws:SourceVpc": "*"}})], NOBODY, True),
    # Conditions on the caller
    ("our organisation", [allow(when={"StringEquals": {"aws:PrincipalOrgID": OUR_ORGANISATION}})], ORGANISATION, False),
    ("another organisation", [allow(when={"StringEquals": {"aws:PrincipalOrgID": OTHER_ORGANISATION}})], DOMAIN, False),
    ("any organisation", [allow(when={"StringLike": {"aws:PrincipalOrgID": "o-*"}})], ACCOUNT, True),
    ("any organisation but ours", [allow(when=NOT_OURS)], ANYONE, True),
    ("our organisation, if the key is there", [allow(when={"StringEqualsIfExists": {"aws:PrincipalOrgID": OUR_ORGANISATION}})], ANYONE, True),
    ("all of no organisation", [allow(when={"ForAllValues:StringEquals": {"aws:PrincipalOrgID": OUR_ORGANISATION}})], ANYONE, True),
    ("our organisation's tree", [allow(when={"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{OUR_ORGANISATION}/*"}})], ORGANISATION, False),
    ("somebody in an organisation", [allow(when={"Null": {"aws:PrincipalOrgID": "false"}})], ACCOUNT, True),
    ("nobody in an organisation", [allow(when={"Null": {"aws:PrincipalOrgID": "true"}})], ANYONE, True),
    ("our account by condition", [allow(when={"StringEquals": {"aws:PrincipalAccount": OURS}})], OWNER, False),
    ("a foreign account by condition", [allow(when={"StringEquals": {"aws:PrincipalAccount": FOREIGN}})], EXTERNAL, False),
    ("not our account: the unsigned carry a value", [allow(when={"StringNotEquals": {"aws:PrincipalAccount": OURS}})], ANYONE, True),
    ("accounts that begin with 1", [allow(when={"StringLike": {"aws:PrincipalAccount": "1*"}})], ACCOUNT, True),
    ("a role by condition", [allow(when={"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{FOREIGN}:role/app"}})], EXTERNAL, False),
    ("roles of one account", [allow(when={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{FOREIGN}:role/*"}})], EXTERNAL, True),
    ("a role's name in any account", [allow(when={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Admin"}})], ACCOUNT, True),
    ("a role's name, loosely", [allow(when={"StringLike": {"aws:PrincipalArn": "*Admin*"}})], ACCOUNT, True),
    ("a user name, which anybody can give", [allow(when={"StringEquals": {"aws:username": "auditor"}})], ACCOUNT, True),
    ("a tag, which anybody can set", [allow(when={"StringEquals": {"aws:PrincipalTag/team": "data"}})], ACCOUNT, True),
    ("a tag that repeats our account", [allow(when={"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalTag/home}"}})], ACCOUNT, True),
    ("the bucket's own account", [allow(when={"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}})], NOBODY, True),
    ("MFA, which anybody can have", [allow(when={"Bool": {"aws:MultiFactorAuthPresent": "true"}})], ACCOUNT, True),
    ("MFA, if the key is there", [allow(when={"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}})], ANYONE, True),
    ("signed callers", [allow(when={"StringNotEquals": {"aws:PrincipalType": "Anonymous"}})], ACCOUNT, True),
    ("a role's id", [allow(when={"StringLike": {"aws:userid": "AROAABCDEFGHIJKLMNOPQ:*"}})], NAMED, True),
    ("a session's name, which anybody can give", [allow(when={"StringLike": {"aws:userid": "*:backup"}})], ACCOUNT, True),
    ("two conditions, one fixed", [allow(when={"StringEquals": {"aws:PrincipalOrgID": OUR_ORGANISATION}, "StringLike": {"aws:Referer": "*"}})], ORGANISATION, False),
    ("a fixed value and a wildcard", [allow(when={"StringLike": {"aws:PrincipalOrgID": [OUR_ORGANISATION, "*"]}})], ACCOUNT, True),
    # Services
    ("a service for anybody", [allow({"Service": "cloudtrail.amazonaws.com"}, "s3:PutObject")], NAMED, False),
    ("a service for us", [allow({"Service": "cloudtrail.amazonaws.com"}, "s3:PutObject", when={"StringEquals": {"aws:SourceAccount": OURS}})], NAMED, False),
    ("a service for a foreign account", [allow({"Service": "logging.s3.amazonaws.com"}, "s3:PutObject", when={"StringEquals": {"aws:SourceAccount": FOREIGN}})], EXTERNAL, False),
    ("everybody, for one source", [allow(action="s3:PutObject", when={"ArnEquals": {"aws:SourceArn": f"arn:aws:sns:eu-west-1:{OURS}:topic"}})], NAMED, False),
    # Federated
    ("a public identity provider", [allow({"Federated": "cognito-identity.amazonaws.com"})], ACCOUNT, False),
    ("a pool of ours", [allow({"Federated": "cognito-identity.amazonaws.com"}, when={"StringEquals": {"cognito-identity.amazonaws.com:aud": "eu:1"}})], NAMED, False),
    ("a foreign SAML provider", [allow({"Federated": f"arn:aws:iam::{FOREIGN}:saml-provider/x"})], EXTERNAL, False),
    # Denials
    ("denied to all", [allow(), deny()], NOBODY, True),
    ("denied without TLS", [allow(), deny(when={"Bool": {"aws:SecureTransport": "false"}})], ANYONE, True),
    ("denied outside our organisation", [allow(), deny(when=NOT_OURS)], ORGANISATION, True),
    ("denied outside an office", [allow(), deny(when={"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}})], NAMED, True),
    ("denied outside a VPC endpoint", [allow(), deny(when={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}})], NAMED, True),
    ("denied by referer", [allow(), deny(when={"StringNotLike": {"aws:Referer": "https://example.com/*"}})], ANYONE, True),
    ("denied for other actions", [allow(), deny(action="s3:PutObject")], ANYONE, True),
    ("denied below one folder", [allow(), deny(Resource="arn:aws:s3:::b/secret/*")], ANYONE, True),
    ("denied except below one folder", [allow(), deny(Resource=None, NotResource="arn:aws:s3:::b/open/*")], ANYONE, True),
    ("denied with and without a referer", [allow(), deny(when={"Null": {"aws:Referer": "true"}}), deny(when={"Null": {"aws:Referer": "false"}})], NOBODY, True),
    ("denied unless through a service, which anybody can use", [allow(), deny(when={"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "Bool": {"aws:ViaAWSService": "false"}})], ACCOUNT, True),
    ("denied to who is no service: the unsigned carry no such key", [allow(), deny(when={"Bool": {"aws:PrincipalIsAWSService": "false"}})], ANYONE, True),
    ("an organisation compared with itself", [allow(when={"StringEquals": {"aws:PrincipalOrgID": "${aws:PrincipalOrgID}"}})], ACCOUNT, True),
    ("an empty condition", [allow(when={})], ANYONE, True),
    ("a condition without values", [allow(when={"StringEquals": {"aws:Referer": []}})], NOBODY, True),
    ("objects granted on the bucket's own ARN", [allow(Resource=KEYS)], NOBODY, True),
    # Delegation to access points
    ("our own access points", [allow(action="s3:*", when={"StringEquals": {"s3:DataAccessPointAccount": OURS}})], NOBODY, False),
    ("a foreign account's access points", [allow(when={"StringEquals": {"s3:DataAccessPointAccount": FOREIGN}})], EXTERNAL, False),
    ("a foreign account's, by ARN", [allow(when={"ArnLike": {"s3:DataAccessPointArn": f"arn:aws:s3:*:{FOREIGN}:accesspoint/*"}})], EXTERNAL, False),
    ("anybody's access points", [allow(when={"ArnLike": {"s3:DataAccessPointArn": "arn:aws:s3:*:*:accesspoint/*"}})], ACCOUNT, True),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "audience", "public"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_policy(statements: list[dict[str, Any]], audience: Audience, public: bool) -> None:
    """Who effectively gets in, and AWS's verdict by the letter: two answers, both kept."""
    found = access_paths(bucket(*statements), US, NOW)

    assert (min(widest(found.open), ANYONE), found.policy_public) == (audience, public)


def test_listing_makes_objects_findable() -> None:
    """Whoever can list the names needs no link."""
    found = paths(allow(action=["s3:GetObject", "s3:ListBucket"]))

    assert {path.access: path.audience for path in found} == dict.fromkeys(
        (Access.LIST, Access.READ), Audience.ANYONE_DISCOVERABLE
    )


def test_a_statement_object_is_a_statement() -> None:
    """Statement may be an object instead of a list."""
    text = json.dumps({"Statement": allow()})

    assert widest(paths(policy=text)) is ANYONE


@pytest.mark.parametrize(
    "text", ["not json", "[]", '{"Statement": 7}', '{"Statement": [{"Effect": "allow"}]}', "{" * 9000]
)
def test_a_policy_that_cannot_be_parsed_is_unknown(text: str) -> None:
    """Neither public nor private: a flaw, said in words, and no stack trace."""
    found = access_paths(bucket(policy=text), US, NOW)

    assert found.policy_public is None
    assert found.open == ()


def test_a_broken_statement_hides_no_other() -> None:
    """What can be understood is judged, beside what cannot."""
    found = paths(allow(), {"Effect": "Allow"})

    assert widest(found) is ANYONE


def test_variables_are_literal_in_the_old_version() -> None:
    """Without Version 2012-10-17 a variable is text that matches nobody."""
    text = json.dumps(
        {"Statement": [allow(when={"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}})]}
    )

    assert widest(paths(policy=text)) is NOBODY


@pytest.mark.parametrize("where", ["block", "account_block"])
def test_a_public_policy_behind_a_block_is_latent(where: str) -> None:
    """It stays on the record, with the name of what stops it."""
    (path,) = paths(allow(), **{where: ALL_ON})

    assert (path.audience, path.effective) == (ANYONE, False)
    assert path.blocked_by == f"RestrictPublicBuckets ({'bucket' if where == 'block' else 'account'})"


def test_the_other_blocks_stop_no_existing_policy() -> None:
    """BlockPublicPolicy only refuses new ones."""
    assert widest(paths(allow(), block=Block(block_public_policy=True, block_public_acls=True))) is ANYONE


def test_a_block_cuts_named_accounts_off_a_public_policy() -> None:
    """RestrictPublicBuckets on a public policy leaves AWS services and the owner's account only."""
    statements = allow(), allow({"AWS": FOREIGN}), allow({"Service": "cloudtrail.amazonaws.com"}), allow({"AWS": OURS})

    assert {path.kind: path.effective for path in paths(*statements, block=ALL_ON)}["service"]
    assert widest(paths(*statements, block=ALL_ON)) is NAMED


def test_a_block_leaves_a_policy_that_is_not_public() -> None:
    """Fixed accounts keep their access under all blocks."""
    assert widest(paths(allow({"AWS": FOREIGN}), block=ALL_ON, account_block=ALL_ON)) is EXTERNAL


def test_an_unreadable_block_leaves_a_public_policy_open_to_doubt() -> None:
    """Public or blocked: that could not be told, and is said."""
    (path,) = paths(allow(), block=DENIED)

    assert path.effective is None
    assert path.audience is ANYONE


def test_a_known_block_settles_what_an_unreadable_one_leaves_open() -> None:
    """One level that is on is enough."""
    (path,) = paths(allow(), block=DENIED, account_block=ALL_ON)

    assert path.effective is False


def _acl(*grants: AclGrant) -> Acl:
    return Acl(owner=OUR_CANONICAL, grants=(AclGrant(permission="FULL_CONTROL", canonical_id=OUR_CANONICAL), *grants))


@pytest.mark.parametrize(
    ("grant", "audience", "accesses"),
    [
        (AclGrant(permission="READ", group=ALL_USERS), ANYONE, {Access.LIST}),
        (AclGrant(permission="WRITE", group=ALL_USERS), ANYONE, {Access.WRITE}),
        (AclGrant(permission="READ_ACP", group=ALL_USERS), ANYONE, {Access.LIST}),
        (AclGrant(permission="WRITE_ACP", group=ALL_USERS), ANYONE, {Access.MANAGE}),
        (AclGrant(permission="FULL_CONTROL", group=ALL_USERS), ANYONE, {Access.LIST, Access.WRITE, Access.MANAGE}),
        (AclGrant(permission="READ", group=AUTHENTICATED_USERS), ACCOUNT, {Access.LIST}),
        (AclGrant(permission="READ", canonical_id=THEIR_CANONICAL), EXTERNAL, {Access.LIST}),
        (AclGrant(permission="READ", email="somebody@example.com"), EXTERNAL, {Access.LIST}),
        (AclGrant(permission="WRITE", group=LOG_DELIVERY), NAMED, {Access.WRITE}),
    ],
)
def test_bucket_acl(grant: AclGrant, audience: Audience, accesses: set[Access]) -> None:
    """Each permission opens its own thing; READ on a bucket is the list of names, not the objects."""
    found = paths(acl=_acl(grant), ownership=Ownership.WRITER)

    assert {path.access for path in found} == accesses
    assert min(widest(found), ANYONE) is audience


def test_an_acl_is_void_under_enforced_ownership() -> None:
    """BucketOwnerEnforced switches all ACLs off."""
    assert paths(acl=_acl(AclGrant(permission="READ", group=ALL_USERS)), ownership=Ownership.ENFORCED) == ()


def test_an_ignored_acl_is_latent() -> None:
    """IgnorePublicAcls leaves it written down."""
    (path,) = paths(acl=_acl(AclGrant(permission="READ", group=ALL_USERS)), ownership=Ownership.WRITER, block=ALL_ON)

    assert (path.effective, path.blocked_by) == (False, "IgnorePublicAcls (bucket)")


def test_a_denial_stops_an_acl() -> None:
    """An explicit Deny in the policy wins over what the ACL allows."""
    acl = _acl(AclGrant(permission="READ", group=ALL_USERS))

    assert widest(paths(deny(), acl=acl, ownership=Ownership.WRITER)) is NOBODY


def _point(*statements: dict[str, Any], **more: Any) -> AccessPoint:
    arn = f"arn:aws:s3:eu-west-1:{OURS}:accesspoint/door"
    plain: dict[str, Any] = {
        "name": "door",
        "account": OURS,
        "region": "eu-west-1",
        "arn": arn,
        "policy": json.dumps({"Statement": [{**each, "Resource": [arn, f"{arn}/object/*"]} for each in statements]}),
        "block": Block(),
    }
    return AccessPoint(**{**plain, **more})


DELEGATES = allow(action="s3:*", when={"StringEquals": {"s3:DataAccessPointAccount": OURS}})


def test_an_open_access_point_behind_a_delegating_bucket() -> None:
    """Both allow. Access points serve no unsigned requests, so it is any AWS account and not anybody."""
    found = paths(DELEGATES, access_points=(_point(allow()),))

    assert widest(found) is ACCOUNT


def test_an_access_point_without_delegation_is_latent() -> None:
    """The bucket's own policy must allow as well."""
    (path,) = paths(access_points=(_point(allow()),))

    assert (path.effective, path.blocked_by) == (False, "bucket policy does not delegate")


def test_an_access_point_with_blocks_is_latent() -> None:
    """Its own Block Public Access, on by default."""
    found = paths(DELEGATES, access_points=(_point(allow(), block=ALL_ON),))

    assert [(path.effective, path.blocked_by) for path in found] == [(False, "RestrictPublicBuckets (access point)")]


def test_an_access_point_of_a_vpc_is_never_public() -> None:
    """Only that network is served."""
    found = paths(DELEGATES, access_points=(_point(allow(), vpc="vpc-1"),))

    assert widest(found) is NAMED


def test_an_access_point_for_a_named_account() -> None:
    """A foreign account through an access point is a foreign account."""
    found = paths(DELEGATES, access_points=(_point(allow({"AWS": FOREIGN})),))

    assert widest(found) is EXTERNAL


def test_an_unread_bucket_policy_leaves_an_access_point_in_doubt() -> None:
    """Whether the bucket delegates could not be told."""
    found = paths(policy=DENIED, access_points=(_point(allow()),))

    assert [path.effective for path in found] == [None]


def test_denied_answers_are_unknown_and_never_private() -> None:
    """Policy, ACL and blocks refused: a grant with an unknown audience for everything that they might allow."""
    blind = bucket(policy=DENIED, acl=DENIED, block=DENIED, account_block=DENIED, ownership=DENIED)

    grants = [fact for fact in facts_of(blind) if isinstance(fact, Grant)]

    assert {grant.access for grant in grants} == {Access.LIST, Access.READ, Access.WRITE, Access.MANAGE}
    assert {grant.audience for grant in grants} == {None}


def test_a_key_that_outsiders_cannot_use_is_said() -> None:
    """Anonymous callers can use no KMS key; what is stored otherwise stays readable, so the finding stands."""
    locked = bucket(allow(), encryption=Encryption(algorithm="aws:kms", key="arn:aws:kms:eu-west-1:1:key/k"))

    (grant,) = [fact for fact in facts_of(locked) if isinstance(fact, Grant)]

    assert "cannot use" in grant.detail["kms"]
    assert grant.effective


def test_the_chain_leads_from_the_claim_to_the_request() -> None:
    """Every verdict can be checked by a person, sentence by sentence."""
    open_bucket = bucket(
        allow(action="s3:GetObject"), allow(when={"StringLike": {"aws:Referer": "https://a/*"}}, Sid="Web")
    )

    grants = [fact for fact in facts_of(open_bucket) if isinstance(fact, Grant)]

    assert grants[1].detail["chain"]["en"] == [
        "Anyone on the internet, without an AWS account, can read objects.",
        'Statement 2 ("Web") of the bucket policy allows s3:GetObject to everyone (Principal "*").',
        "Its condition aws:Referer StringLike https://a/*: callers choose that value themselves, so it keeps no one out.",
        "No block applies: RestrictPublicBuckets is off at account and bucket.",
        "By AWS's own definition this policy is public.",
        "For example: s3:GetObject arn:aws:s3:::b/any-object, unsigned, with aws:referer=https://a/x.",
    ]


def test_a_partner_is_called_a_partner() -> None:
    """Partner by configuration, or unknown."""
    facts = list(facts_of(bucket(allow({"AWS": [PARTNER, FOREIGN]}))))

    assert {fact.domain: fact.affiliation for fact in facts if isinstance(fact, Principal)} == {
        PARTNER: "partner",
        FOREIGN: "external",
    }


def test_a_directory_bucket_shares_with_named_accounts_only() -> None:
    """Its blocks and its ownership are fixed; cross-account sharing by policy is possible."""
    arn = f"arn:aws:s3express:eu-west-1:{OURS}:bucket/b"
    open_to = [allow({"AWS": FOREIGN}, "s3express:CreateSession", Resource=arn)]

    found = paths(*open_to, directory=True, block=ALL_ON)

    assert widest(found) is EXTERNAL
    assert {KEYS, OBJECTS}.isdisjoint({path.witness.request.resource for path in found})
