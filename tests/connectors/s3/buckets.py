"""Buckets for the examples: only what differs from a plain, private one is stated."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from cloudscan.connector import Estate, Gap, Partner
from cloudscan.errors import AccessDenied
from cloudscan.facts import AnyFact, Audience, Grant
from cloudscan.reason import Reason, step
from cloudscan_s3.access.access_path import AccessPath
from cloudscan_s3.access.access_paths import access_paths
from cloudscan_s3.access.bucket import Block, Bucket, Ownership, Unread
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.facts import translate
from cloudscan_s3.questions import BUCKET_POLICY

OURS, SISTER, THEIRS, PARTNER = "111111111111", "111111111112", "222222222222", "333333333333"
OUR_ORGANISATION, OTHER_ORGANISATION = "o-ours123456", "o-theirs1234"
OUR_CANONICAL, THEIR_CANONICAL = "a" * 64, "b" * 64
NOW = datetime(2026, 11, 23, tzinfo=UTC)
US = OwnEstate(
    account=OURS,
    own_accounts=frozenset({OURS, SISTER}),
    organisation=OUR_ORGANISATION,
    owner_canonical=OUR_CANONICAL,
    estate=Estate(partners=(Partner(name="Haulier", accounts=frozenset({PARTNER})),)),
)
ALL_ON = Block(block_public_acls=True, ignore_public_acls=True, block_public_policy=True, restrict_public_buckets=True)
OBJECTS, KEYS = "arn:aws:s3:::b/*", "arn:aws:s3:::b"

NOBODY, OWNER, NAMED = Audience.NOBODY, Audience.OWNER, Audience.NAMED
EXTERNAL, DOMAIN, ORGANISATION = Audience.NAMED_EXTERNAL, Audience.EXTERNAL_DOMAIN, Audience.ORGANISATION
ACCOUNT, ANYONE = Audience.ANY_ACCOUNT, Audience.ANYONE_WITH_LINK
DENIED = Unread(question=BUCKET_POLICY, error=AccessDenied("s3-denied", needs="s3:GetBucketPolicy"))

Json = dict[str, Any]


def allow(principal: object = "*", action: object = "s3:GetObject", **more: Any) -> Json:
    """An Allow on everything in bucket b; `when` is its Condition."""
    return _statement("Allow", principal, action, **more)


def deny(principal: object = "*", action: object = "s3:*", **more: Any) -> Json:
    """A Deny on everything in bucket b; `when` is its Condition."""
    return _statement("Deny", principal, action, **more)


def _statement(effect: str, principal: object, action: object, **more: Any) -> Json:
    statement: Json = {"Effect": effect, "Principal": principal, "Action": action, "Resource": [KEYS, OBJECTS]}
    if "when" in more:
        statement["Condition"] = more.pop("when")
    statement.update(more)
    return {name: value for name, value in statement.items() if value is not None}


def put(service: str, **more: Any) -> Json:
    """An Allow for a service to write."""
    return allow({"Service": service}, "s3:PutObject", **more)


def when(operator: str, key: str, *values: str) -> Json:
    """A Condition element with one operator on one key."""
    return {operator: {key: list(values)}}


def policy(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def bucket(*statements: Json, **more: Any) -> Bucket:
    """Bucket b of our account, without blocks, ACLs switched off."""
    plain: Json = {
        "name": "b",
        "account": OURS,
        "region": "eu-west-1",
        "policy": policy(*statements) if statements else None,
        "acl": None,
        "block": Block(),
        "account_block": Block(),
        "ownership": Ownership.ENFORCED,
    }
    return Bucket(**{**plain, **more})


def paths(*statements: Json, **more: Any) -> Sequence[AccessPath]:
    return access_paths(bucket(*statements, **more), US, NOW).open


def facts_of(bucket: Bucket) -> Sequence[AnyFact | Gap]:
    """What the connector says of a bucket once it has been read."""
    return tuple(translate.facts_of_bucket(bucket, access_paths(bucket, US, NOW), US))


def chain(grant: Grant, language: str) -> Sequence[str]:
    """The steps that explain a grant, in words."""
    return [step(reason, language) for reason in msgspec.convert(grant.detail["chain"], list[Reason])]


def widest(opened: Sequence[AccessPath]) -> Audience:
    """The widest audience of the effective paths."""
    return max((path.audience for path in opened if path.effective), default=Audience.NOBODY)
