"""IAM Access Analyzer's opinion beside ours: compared bucket by bucket, and absent without harm."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cloudscan.errors import AccessDenied
from cloudscan.facts import Grant, Outcome, Setting
from cloudscan.second_opinion import OpinionOutcome
from cloudscan_emulators.aws.access_analyzer import Analyzer, ExternalFinding
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from cloudscan_s3.access.access_paths import access_paths
from cloudscan_s3.access.bucket import Block, Bucket, ControlPolicies, ControlPolicy, Ownership, Unread
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.second_opinion import Analyzer as Opinion
from cloudscan_s3.access.second_opinion import AnalyzerFinding, Comparison, compare
from cloudscan_s3.questions import BUCKET_POLICY
from tests.connectors.s3.estate import ACCOUNT, bucket, policy, read

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=90)
STRANGER, SISTER = "444455556666", "222233334444"
ON = Block(block_public_acls=True, ignore_public_acls=True, block_public_policy=True, restrict_public_buckets=True)
EXTERNAL = Analyzer(name="external", account=ACCOUNT)


def allows(principal: Any, name: str = "data") -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}


def bucket_with(*statements: dict[str, Any], **more: Any) -> Bucket:
    given: dict[str, Any] = {
        "policy": policy(*statements) if statements else None,
        "acl": None,
        "block": Block(),
        "account_block": Block(),
        "ownership": Ownership.ENFORCED,
        **more,
    }
    return Bucket(name="data", account=ACCOUNT, region="us-east-1", **given)


def finding(**more: Any) -> AnalyzerFinding:
    given: dict[str, Any] = {"bucket": "data", "is_public": True, "accounts": (), "updated_on": LONG_AGO, **more}
    return AnalyzerFinding(**given)


def compared(one: Bucket, *findings: AnalyzerFinding, **more: Any) -> Comparison | None:
    own_estate = OwnEstate(account=ACCOUNT, own_accounts=frozenset((ACCOUNT, SISTER)), organisation="o-kumo")
    given: dict[str, Any] = {"of_organisation": False, "active": True, "created_on": LONG_AGO, **more}
    return compare(one, access_paths(one, own_estate, NOW), own_estate, [Opinion(findings=findings, **given)], NOW)


PUBLIC = bucket_with(allows("*"))
CLOSED = bucket_with()
BLOCKED = bucket_with(allows("*"), block=ON)
BLOCKED_ABOVE = bucket_with(allows("*"), account_block=ON)
DENY = policy({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"})
DENIED_ABOVE = bucket_with(
    allows("*"), control_policies=ControlPolicies(policies=(ControlPolicy(name="walls", text=DENY),))
)
FOR_SISTER = bucket_with(allows({"AWS": f"arn:aws:iam::{SISTER}:root"}))
UNREAD = bucket_with(policy=Unread(question=BUCKET_POLICY, error=AccessDenied("s3-answered")))
AN_HOUR_AGO = NOW - timedelta(hours=1)


@pytest.mark.parametrize(
    ("one", "findings", "outcome", "reasons"),
    [
        pytest.param(PUBLIC, [finding()], "agrees", (), id="both say public"),
        pytest.param(CLOSED, [], "agrees", (), id="both say closed"),
        pytest.param(PUBLIC, [finding(archived=True)], "agrees", ("archived",), id="accepted there"),
        pytest.param(CLOSED, [finding()], "only_there", ("nothing-admits-them",), id="nothing admits them"),
        pytest.param(
            CLOSED,
            [finding(archived=True)],
            "only_there",
            ("archived", "nothing-admits-them"),
            id="accepted, and closed",
        ),
        pytest.param(UNREAD, [finding(archived=True)], "fills_in", ("archived",), id="accepted, and not read by us"),
        pytest.param(BLOCKED, [finding()], "only_there", ("s3-restrict-public-buckets",), id="we see a block"),
        pytest.param(PUBLIC, [], "only_here", ("policy-admits-anyone-with-link",), id="it is silent"),
        pytest.param(CLOSED, [finding(updated_on=NOW)], "too_young", (), id="changed just now"),
        pytest.param(
            BLOCKED, [finding(updated_on=AN_HOUR_AGO)], "only_there", None, id="a bucket's block, an hour ago"
        ),
        pytest.param(
            BLOCKED_ABOVE, [finding(updated_on=AN_HOUR_AGO)], "too_young", None, id="the account's, an hour ago"
        ),
        pytest.param(
            DENIED_ABOVE,
            [finding(beneath_control_policy=True)],
            "explained",
            ("s3-resource-control-policy",),
            id="it does not fold control policies in",
        ),
        pytest.param(DENIED_ABOVE, [finding()], "only_there", None, id="it saw no control policy"),
        pytest.param(
            FOR_SISTER,
            [finding(is_public=False, accounts=(SISTER,))],
            "explained",
            ("zone-of-trust",),
            id="a sister account is outside its zone",
        ),
        pytest.param(
            FOR_SISTER,
            [finding(is_public=False, accounts=(SISTER,)), finding(is_public=False, accounts=(STRANGER,))],
            "only_there",
            None,
            id="a sister account and another",
        ),
        pytest.param(UNREAD, [finding()], "fills_in", (), id="it says what we could not read"),
        pytest.param(UNREAD, [], "silent", (), id="neither knows"),
        pytest.param(PUBLIC, [finding(failed=True)], "not_analysed", (), id="it failed"),
    ],
)
def test_opinions_are_compared(
    one: Bucket, findings: Sequence[AnalyzerFinding], outcome: str, reasons: tuple[str, ...] | None
) -> None:
    comparison = compared(one, *findings)

    assert comparison is not None
    assert comparison.outcome == outcome
    assert reasons is None or comparison.reasons == reasons


@pytest.mark.parametrize("more", [{"active": False}, {"created_on": NOW - timedelta(minutes=5)}])
def test_silence_of_an_analyzer_that_is_not_ready_contradicts_nothing(more: dict[str, Any]) -> None:
    comparison = compared(PUBLIC, **more)

    assert comparison == Comparison(outcome=OpinionOutcome.TOO_YOUNG, reasons=("analyzer-not-ready",))


def found(name: str, analyzer: Analyzer = EXTERNAL, **more: Any) -> ExternalFinding:
    given: dict[str, Any] = {"is_public": True, "principal": {"AWS": "*"}, "account": ACCOUNT, **more}
    return ExternalFinding(id=f"{name}-1", analyzer=analyzer.arn, resource=f"arn:aws:s3:::{name}", **given)


def opened(server: Emulator) -> None:
    bucket(server, "open-to-all", allows("*", "open-to-all"))
    bucket(server, "closed", block=True)
    bucket(server, "silent", allows("*", "silent"))


def test_each_bucket_says_how_the_opinions_compare(server: Emulator) -> None:
    opened(server)
    server.analyzer.analyzers.append(EXTERNAL)
    server.analyzer.findings += [found("open-to-all"), found("closed"), found("silent", status="RESOLVED")]

    seen = read(server)

    uids = [f"s3:bucket/{name}" for name in ("open-to-all", "closed", "silent")]
    assert [seen.setting(uid, "second_opinion") for uid in uids] == ["agrees", "only_there", "only_here"]
    assert seen.setting("s3:bucket/closed", "second_opinion_reasons") == "nothing-admits-them"
    assert not [gap for gap in seen.gaps if gap.question.startswith("s3-analyzer")]


def test_findings_are_read_to_their_last_page(server: Emulator) -> None:
    bucket(server, "closed", block=True)
    server.analyzer.page = 2
    server.analyzer.analyzers += [
        *(Analyzer(name=f"unused-{number}", account=ACCOUNT, type="ACCOUNT_UNUSED_ACCESS") for number in range(2)),
        EXTERNAL,
    ]
    server.analyzer.findings += [*(found(f"other-{number}") for number in range(4)), found("closed")]

    seen = read(server)

    assert seen.setting("s3:bucket/closed", "second_opinion") == "only_there"


def test_without_an_analyzer_nothing_is_missing(server: Emulator) -> None:
    opened(server)

    seen = read(server)

    assert not [gap for gap in seen.gaps if gap.question.startswith("s3-analyzer")]
    assert not [one for one in seen.facts if isinstance(one, Setting) and one.name.startswith("second_opinion")]


@pytest.mark.parametrize("where", ["GET /analyzer", "POST /finding"])
def test_a_refusal_costs_the_opinion_alone(server: Emulator, where: str) -> None:
    opened(server)
    server.analyzer.analyzers.append(EXTERNAL)
    server.analyzer.findings.append(found("open-to-all"))
    told = read(server)
    server.faults.add(Fault(where=where, code="AccessDeniedException"))

    seen = read(server)

    (gap,) = [gap for gap in seen.gaps if gap.question.startswith("s3-analyzer")]
    assert (gap.outcome, gap.passing) == (Outcome.SKIPPED, False)
    rest = [one for one in told.facts if not (isinstance(one, Setting) and one.name.startswith("second_opinion"))]
    assert seen.facts == rest
    assert [one for one in seen.facts if isinstance(one, Grant)]


def client(server: Emulator, region: str = "us-east-1") -> Any:
    return boto3.client("accessanalyzer", endpoint_url=server.endpoint, region_name=region)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"analyzerArn": "external"}, "ValidationException"),
        ({"analyzerArn": EXTERNAL.arn + "-2"}, "ResourceNotFoundException"),
        ({"analyzerArn": EXTERNAL.arn, "filter": {"bucket": {"eq": ["x"]}}}, "ValidationException"),
        ({"analyzerArn": EXTERNAL.arn, "filter": {"status": {"eq": ["ACTIVE"] * 21}}}, "ValidationException"),
        ({"analyzerArn": EXTERNAL.arn, "nextToken": "x"}, "ValidationException"),
        ({"analyzerArn": EXTERNAL.arn.replace("external", "unused")}, "ValidationException"),
    ],
)
def test_the_emulator_refuses_what_the_service_refuses(server: Emulator, asked: dict[str, Any], code: str) -> None:
    unused = Analyzer(name="unused", account=ACCOUNT, type="ACCOUNT_UNUSED_ACCESS")
    server.analyzer.analyzers += [EXTERNAL, unused]

    with pytest.raises(ClientError) as refused:
        client(server).list_findings(**asked)

    assert refused.value.response["Error"]["Code"] == code
