"""Deny statements that look as if they helped: the chain says what lets the witness by."""

import pytest

from cloudscan.facts import Grant
from cloudscan_s3.access.bucket import AccessPoint, Block
from tests.connectors.s3.buckets import (
    OUR_ORGANISATION,
    OURS,
    THEIRS,
    Json,
    allow,
    bucket,
    chain,
    deny,
    facts_of,
    policy,
    when,
)

STRANGERS = {"StringNotEquals": {"aws:PrincipalOrgID": OUR_ORGANISATION}}


def fences(*statements: Json, language: str = "en") -> list[str]:
    """What the chain of the first effective grant says of Deny statements."""
    grants = [fact for fact in facts_of(bucket(*statements)) if isinstance(fact, Grant) and fact.effective]
    word = {"en": ("that Deny", "denies"), "ja": ("拒否", "拒否")}[language]
    return [step for step in chain(grants[0], language) if any(one in step for one in word)]


def test_a_fence_with_a_hole_is_named_with_its_hole() -> None:
    """ForAnyValue is false of a request without the key, so the Deny never applies to an unsigned one."""
    through = {"ForAnyValue:StringNotEquals": {"aws:CalledVia": "cloudtrail.amazonaws.com"}}

    (said,) = fences(allow(), deny(when={**STRANGERS, **through}))

    assert said == (
        "Statement 2 does not stop it: the condition aws:CalledVia ForAnyValue:StringNotEquals "
        "cloudtrail.amazonaws.com of that Deny is false of a request without aws:CalledVia, as ForAnyValue always is."
    )


@pytest.mark.parametrize(
    ("fence", "said"),
    [
        (
            deny(when=when("StringEquals", "aws:PrincipalOrgID", "o-other12345")),
            "the condition aws:PrincipalOrgID StringEquals o-other12345 of that Deny is not met by a request without "
            "aws:PrincipalOrgID.",
        ),
        (
            deny(when=when("Null", "aws:PrincipalArn", "false")),
            "the condition aws:PrincipalArn Null false of that Deny is not met by a request without aws:PrincipalArn.",
        ),
        (
            deny(when=when("Null", "aws:PrincipalAccount", "true")),
            "the condition aws:PrincipalAccount Null true of that Deny is only met by a request without "
            "aws:PrincipalAccount.",
        ),
        (
            deny(when=when("Bool", "aws:SecureTransport", "false")),
            "callers choose aws:SecureTransport themselves, and with true the condition aws:SecureTransport Bool false "
            "of that Deny is not met.",
        ),
        (
            deny(when=when("StringEquals", "aws:PrincipalType", "User")),
            "aws:PrincipalType is Anonymous, so the condition aws:PrincipalType StringEquals User of that Deny is not "
            "met.",
        ),
    ],
)
def test_the_condition_that_lets_the_request_by_is_named(fence: Json, said: str) -> None:
    """Absent, present, chosen by the caller, or simply another value."""
    assert fences(allow(), fence) == [f"Statement 2 does not stop it: {said}"]


def test_every_condition_that_is_not_met_is_named_and_no_other() -> None:
    """One of them is enough, and fixing only that one would not be."""
    holes = {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "Null": {"aws:PrincipalArn": "false"}}

    said = fences(allow(), deny(when={**STRANGERS, **holes}))

    assert [step.split(" of that Deny")[0].rpartition("condition ")[2] for step in said] == [
        "aws:MultiFactorAuthPresent Bool true",
        "aws:PrincipalArn Null false",
    ]


@pytest.mark.parametrize(
    ("fence", "said"),
    [
        (deny(Resource="arn:aws:s3:::b"), "Statement 2 denies, but only for arn:aws:s3:::b."),
        (
            deny(Resource=None, NotResource="arn:aws:s3:::b/*"),
            "Statement 2 denies, but not here: its NotResource names arn:aws:s3:::b/*.",
        ),
        (
            deny(None, NotPrincipal={"AWS": "*"}),
            "Statement 2 denies, but not to these callers: its NotPrincipal names *.",
        ),
    ],
)
def test_a_fence_in_the_wrong_place_is_named(fence: Json, said: str) -> None:
    """It stops other objects, or everybody else."""
    assert fences(allow(Resource="arn:aws:s3:::b/*"), fence) == [said]


def test_a_fence_before_one_of_two_actions_is_named() -> None:
    """Old versions are read by an action of their own."""
    both = allow(action=["s3:GetObject", "s3:GetObjectVersion"])

    assert fences(both, deny(action="s3:GetObject")) == [
        "Statement 2 denies s3:GetObject, but not s3:GetObjectVersion."
    ]
    assert fences(both, deny(action=None, NotAction="s3:GetObject")) == [
        "Statement 2 denies, but not s3:GetObject: its NotAction names s3:GetObject."
    ]


def test_a_denial_that_nobody_would_count_on_is_not_mentioned() -> None:
    """It is about other callers, or about something else altogether."""
    assert fences(allow(), deny({"AWS": THEIRS}), deny(action="s3:DeleteBucket")) == []


def test_a_denial_that_stops_is_told_alone() -> None:
    """Where one holds, the holes of another do not matter."""
    stopped = bucket(allow(), deny(), deny(when=when("Bool", "aws:SecureTransport", "false")))

    (grant,) = [fact for fact in facts_of(stopped) if isinstance(fact, Grant)]

    assert [step for step in chain(grant, "en") if "Deny" in step] == ["A Deny stops it: statement 2."]


def test_fences_behind_an_access_point() -> None:
    """Of the access point's own policy, then of the bucket's behind it."""
    arn = f"arn:aws:s3:eu-west-1:{OURS}:accesspoint/p"
    everything = [arn, f"{arn}/object/*"]
    hole = when("StringEquals", "aws:PrincipalOrgID", "o-other12345")
    point = AccessPoint(
        name="p",
        account=OURS,
        region="eu-west-1",
        arn=arn,
        policy=policy(allow(Resource=everything), deny(Resource=everything, when=hole)),
        block=Block(),
    )
    behind = bucket(allow(), deny(when=hole), access_points=(point,))

    grants = [fact for fact in facts_of(behind) if isinstance(fact, Grant) and "accesspoint" in fact.resource_uid]
    said = [step for step in chain(grants[0], "en") if "that Deny" in step]

    assert [step.partition(" does not stop")[0] for step in said] == ["Statement 2", "Statement 2 of the bucket policy"]


def test_fences_in_japanese() -> None:
    (said,) = fences(allow(), deny(when=when("Bool", "aws:MultiFactorAuthPresent", "true")), language="ja")

    assert said == (
        "ステートメント2の拒否では止まりません。条件 aws:MultiFactorAuthPresent Bool true は、"
        "aws:MultiFactorAuthPresent を含まない要求では満たされないためです。"
    )
