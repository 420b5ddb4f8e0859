"""What the organisation blocks in all its accounts is known where an account's own answer is not."""

import json

import boto3
import pytest

from cloudscan.facts import Outcome
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from tests.connectors.reading import Read
from tests.connectors.s3.buckets import chain
from tests.connectors.s3.estate import ACCOUNT, allow, bucket, read

MANAGEMENT = "999988887777"


def in_an_organisation(server: Emulator, management: str = MANAGEMENT) -> None:
    told = {"Organization": {"Id": "o-ouroursours", "MasterAccountId": management}}
    server.faults.add(
        Fault(where="DescribeOrganization", body=json.dumps(told).encode()),
        Fault(where="v20180820/configuration/publicAccessBlock"),
    )


def state(result: Read) -> tuple[bool | None, str]:
    (grant,) = [one for one in result.grants("s3:bucket/plans") if one.audience == "anyone_with_link"]
    return grant.effective, grant.blocked_by


def missing(result: Read) -> set[str]:
    return {gap.question for gap in result.gaps if gap.outcome.is_gap}


def test_a_block_of_the_organisation_stops_what_is_public(server: Emulator) -> None:
    bucket(server, "plans", allow("plans"), enforced=True)
    in_an_organisation(server)
    server.beyond.s3_policy = "all"

    result = read(server)

    assert state(result) == (False, "s3-restrict-public-buckets")
    (latent,) = result.grants("s3:bucket/plans")
    assert any("RestrictPublicBuckets is on (organisation)" in step for step in chain(latent, "en"))
    assert result.setting(f"s3:account/{ACCOUNT}", "restrict_public_buckets") == "true"
    assert missing(result) == set()


def test_a_policy_that_switches_everything_off_leaves_it_open(server: Emulator) -> None:
    """It overrides what the account says for itself."""
    bucket(server, "plans", allow("plans"), enforced=True)
    in_an_organisation(server)
    server.beyond.s3_policy = "none"

    result = read(server)

    assert state(result) == (True, "")
    assert missing(result) == set()


def test_without_such_a_policy_the_accounts_own_block_stays_unknown(server: Emulator) -> None:
    bucket(server, "plans", allow("plans"), enforced=True)
    in_an_organisation(server)

    result = read(server)

    assert state(result) == (None, "")
    assert missing(result) == {"s3-account-block"}


@pytest.mark.parametrize(
    "failure",
    [
        Fault(where="DescribeEffectivePolicy", status="400 Bad Request", code="AccessDeniedException"),
        Fault(where="DescribeEffectivePolicy", body=b'{"EffectivePolicy": {"PolicyContent": "{}"}}'),
        Fault(where="DescribeEffectivePolicy", body=b"[]"),
    ],
    ids=["denied", "another policy", "garbled"],
)
def test_two_answers_that_are_missing_are_no_answer(server: Emulator, failure: Fault) -> None:
    bucket(server, "plans", allow("plans"), enforced=True)
    in_an_organisation(server)
    server.faults.add(failure)

    result = read(server)

    assert state(result) == (None, "")
    assert {gap.question for gap in result.gaps if gap.outcome is Outcome.DENIED} == {"s3-account-block"}


def test_the_management_account_asks_about_the_others(server: Emulator) -> None:
    """A member needs no permission for it then."""
    organisations = boto3.client("organizations", endpoint_url=server.endpoint)
    organisations.create_organization(FeatureSet="ALL")
    organisations.create_account(AccountName="shop", Email="shop@example.com")
    server.faults.add(Fault(where="v20180820/configuration/publicAccessBlock", after=1))
    server.beyond.s3_policy = "all"

    result = read(server, organisation=True)

    (shop,) = [account.uid for account in result.of_kind("account") if not account.uid.endswith(ACCOUNT)]
    assert result.setting(shop, "ignore_public_acls") == "true"


def test_nobody_is_asked_where_the_account_answers(server: Emulator) -> None:
    """Its answer includes the organisation's."""
    told = {"Organization": {"Id": "o-ouroursours", "MasterAccountId": MANAGEMENT}}
    server.faults.add(Fault(where="DescribeOrganization", body=json.dumps(told).encode()))

    read(server)

    assert not [line for line in server.request_log if "EffectivePolicy" in line]
