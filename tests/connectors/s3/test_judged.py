"""S3 asked over HTTP, judged by the shipped rules and scored: what becomes of a bucket in the report."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cloudscan.engine.judge import judge
from cloudscan.engine.loader import load
from cloudscan.finding import Finding
from cloudscan.ledger.ledger import Ledger
from cloudscan.snapshot.collect import collect
from cloudscan_emulators.aws import moto_server
from cloudscan_emulators.aws.moto_server import Emulator
from tests.connectors.s3 import estate
from tests.connectors.s3.estate import ACCOUNT, allow

THEIRS = "222222222222"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"
REDSHIFT = {"AWS": "arn:aws:iam::193672423079:user/logs"}
BALANCERS = {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
# The rules about switches speak of every bucket.
ABOUT_SWITCHES = {
    "s3-account-block-incomplete",
    "s3-bucket-block-incomplete",
    "s3-acls-still-enabled",
    "s3-no-access-log-on-shared-bucket",
}


@dataclass(frozen=True)
class Case:
    """A bucket and what is found about it: each rule with its likelihood."""

    name: str
    statements: Sequence[dict[str, Any]]
    found: Mapping[str, int]
    algorithm: str = "AES256"
    key: str = ""


def case(name: str, found: Mapping[str, int], *statements: dict[str, Any], **more: str) -> Case:
    return Case(name, statements, found, **more)


def public(name: str, action: str, rule: str, likelihood: int) -> Case:
    return case(name, {rule: likelihood}, allow(name, action=action))


def counts_as_public(name: str, condition: Mapping[str, Mapping[str, str]]) -> Case:
    return case(name, {"s3-policy-counts-as-public": 1}, allow(name, Condition=condition))


CASES = [
    # A key that callers cannot use lowers the score and never acquits.
    case("public", {"s3-public-read-by-policy": 5}, allow("public")),
    case("public-kms", {"s3-public-read-by-policy": 2}, allow("public-kms"), algorithm="aws:kms"),
    case("public-dsse", {"s3-public-read-by-policy": 2}, allow("public-dsse"), algorithm="aws:kms:dsse", key=KEY),
    case("named", {"s3-external-account": 3}, allow("named", {"AWS": THEIRS})),
    case("named-kms", {"s3-external-account": 2}, allow("named-kms", {"AWS": THEIRS}), algorithm="aws:kms"),
    case("named-key", {"s3-external-account": 3}, allow("named-key", {"AWS": THEIRS}), algorithm="aws:kms", key=KEY),
    # Tags, settings, objects and access rules are not the same fault.
    public("tags", "s3:TagResource", "s3-public-upkeep-by-policy", 2),
    public("metrics", "s3:PutMetricsConfiguration", "s3-public-upkeep-by-policy", 2),
    public("lifecycle", "s3:PutLifecycleConfiguration", "s3-public-configuration-by-policy", 3),
    public("replication", "s3:PutReplicationConfiguration", "s3-public-configuration-by-policy", 3),
    public("objects", "s3:PutObject", "s3-public-write-by-policy", 4),
    public("replicas", "s3:ObjectOwnerOverrideToBucketOwner", "s3-public-write-by-policy", 4),
    public("abac", "s3:PutBucketAbac", "s3-public-manage-by-policy", 3),
    public("policy", "s3:PutBucketPolicy", "s3-public-manage-by-policy", 3),
    # AWS counts the policy as public, and not everyone gets in.
    counts_as_public("role-id", {"StringLike": {"aws:userid": "AROAQQQQWWWWEEEERRRRT:*"}}),
    counts_as_public("over", {"DateLessThan": {"aws:CurrentTime": "2019-05-01T00:00:00Z"}}),
    counts_as_public("variable", {"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}}),
    case("fixed", {}, allow("fixed", {"AWS": ACCOUNT})),
    # Services, and accounts from which they once delivered.
    case("redshift", {}, allow("redshift", REDSHIFT, "s3:PutObject"), allow("redshift", REDSHIFT, "s3:GetBucketAcl")),
    case("balancers", {}, allow("balancers", BALANCERS, "s3:PutObject") | {
        "Resource": f"arn:aws:s3:::balancers/lb/AWSLogs/{ACCOUNT}/*"
    }),
    case("everyones-balancers", {"s3-service-for-anyone": 2}, allow("everyones-balancers", BALANCERS, "s3:PutObject")),
    case(
        "if-exists",
        {"s3-service-for-anyone": 2},
        allow(
            "if-exists",
            {"Service": "events.amazonaws.com"},
            "s3:PutObject",
            Condition={"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}},
        ),
    ),
]  # fmt: skip


def _fill(server: Emulator) -> None:
    for given in CASES:
        estate.bucket(server, given.name, *given.statements, enforced=True)
        default = {"SSEAlgorithm": given.algorithm} | ({"KMSMasterKeyID": given.key} if given.key else {})
        configuration = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
        estate.s3(server).put_bucket_encryption(Bucket=given.name, ServerSideEncryptionConfiguration=configuration)


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Finding]]:
    """What one scan finds."""
    folder = tmp_path_factory.mktemp("judged")
    rules = [rule for rule in load([Path(__file__).parents[3] / "rules"]) if rule.id.startswith("s3-")]
    with moto_server.running() as server:
        _fill(server)
        with collect([estate.connector(server)], folder / "snapshot") as snapshot:
            yield Ledger(f"sqlite:///{folder / 'ledger.db'}").record(snapshot, judge(snapshot, rules)).findings


@pytest.mark.parametrize("given", CASES, ids=lambda given: given.name)
def test_what_is_found(findings: Sequence[Finding], given: Case) -> None:
    """The rules, and how likely each makes it; the score is that times the impact."""
    of_bucket = [
        finding
        for finding in findings
        if finding.verdict.subject.name == given.name and finding.verdict.rule_id not in ABOUT_SWITCHES
    ]

    assert {finding.verdict.rule_id: finding.likelihood for finding in of_bucket} == given.found
    assert all(finding.score == round(finding.likelihood * finding.impact, 1) for finding in of_bucket)
