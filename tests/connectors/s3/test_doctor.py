"""Doctor tries everything that the scan will ask, in every account and region."""

import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from cloudscan.connector import Check, Estate
from cloudscan_emulators.aws import company
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from cloudscan_emulators.aws.questions import PATTERNS
from cloudscan_s3.doctor import BY_READING, NOT_TRIED, TRIES, checks
from cloudscan_s3.options import Options
from cloudscan_s3.permissions import PERMISSIONS
from cloudscan_s3.questions import (
    CONTROL_POLICIES,
    CONTROL_POLICY,
    CONTROL_POLICY_TARGETS,
    DIRECTORY_ACCESS_POINTS,
    PARENTS,
    QUESTIONS,
)
from tests.connectors.s3.estate import ACCOUNT, bucket, listed, s3
from tests.connectors.s3.test_accounts import SHOP, accounts


def diagnosed(server: Emulator, **options: Any) -> list[Check]:
    return list(checks(Options(endpoint=server.endpoint, **options), Estate()))


def wrong(server: Emulator, **options: Any) -> list[Check]:
    return [check for check in diagnosed(server, **options) if not check.ok]


def estate_of_everything(server: Emulator) -> None:
    """A bucket whose objects' ACLs count, with an object and an inventory, and an Identity Center."""
    server.identity_center.owner = ACCOUNT
    bucket(server, "acls")
    bucket(server, "reports", enforced=True)
    s3(server).put_object(Bucket="acls", Key="a", Body=b"x", ACL="public-read")
    destination = {"S3BucketDestination": {"Bucket": "arn:aws:s3:::reports", "Format": "CSV", "Prefix": "daily"}}
    s3(server).put_bucket_inventory_configuration(
        Bucket="acls",
        Id="all",
        InventoryConfiguration={
            "Destination": destination,
            "IsEnabled": True,
            "Id": "all",
            "IncludedObjectVersions": "Current",
            "Schedule": {"Frequency": "Daily"},
        },
    )


def test_every_question_is_read_or_tried() -> None:
    """A new question without a try fails here."""
    assert set(QUESTIONS) == BY_READING | set(TRIES) | NOT_TRIED
    assert not BY_READING & set(TRIES)


NEEDED = {permission.name for permission in PERMISSIONS if not permission.optional}
OF_AN_ORGANISATION = (CONTROL_POLICIES, CONTROL_POLICY, CONTROL_POLICY_TARGETS, PARENTS)  # see test_control_policies


def test_every_question_is_asked(server: Emulator) -> None:
    estate_of_everything(server)
    server.faults.add(Fault(where="ListAccounts", body=accounts(shop="ACTIVE")))

    diagnosed(server, organisation=True)

    unasked = [
        one.name for one in QUESTIONS if not any(re.search(PATTERNS[one.name], line) for line in server.request_log)
    ]
    assert set(unasked) <= {one.name for one in (*OF_AN_ORGANISATION, *NOT_TRIED)}


def refusable() -> Iterator[object]:
    """Every third question in each run, all in the campaign."""
    needed = [one for one in QUESTIONS if one.needs in NEEDED and one is not DIRECTORY_ACCESS_POINTS]
    for number, question in enumerate(needed):
        yield pytest.param(question, marks=pytest.mark.campaign if number % 3 else (), id=question.name)


@pytest.mark.parametrize("question", list(refusable()))
def test_whatever_is_refused_is_bad(server: Emulator, question: Any) -> None:
    estate_of_everything(server)
    server.faults.add(Fault(where=PATTERNS[question.name]))

    found = wrong(server, organisation=True)

    assert any(question.needs in check.remedy for check in found), found


def test_all_is_well_in_a_company(server: Emulator) -> None:
    company.build(server.endpoint)

    found = diagnosed(server, organisation=True)

    assert [check for check in found if not check.ok] == []
    assert sum("questions are answered" in check.what for check in found) == 1


def test_what_is_refused_in_one_region_only_is_found(server: Emulator) -> None:
    """Each region is tried: a guardrail may stand in one of them."""
    bucket(server, "here")
    bucket(server, "there", region="eu-central-1")
    both = listed("here").replace(
        b"</Buckets>", b"<Bucket><Name>there</Name><BucketRegion>eu-central-1</BucketRegion></Bucket></Buckets>"
    )
    server.faults.add(
        Fault(where="max-buckets", body=both),
        Fault(where=PATTERNS["s3-website"], region="eu-central-1"),
    )

    (found,) = wrong(server)

    assert "s3:GetBucketWebsite" in found.remedy


def test_what_is_refused_in_one_account_only_is_found(server: Emulator) -> None:
    """In the second account the list of buckets is refused."""
    server.faults.add(
        Fault(where="ListAccounts", body=accounts(shop="ACTIVE")),
        Fault(where="max-buckets", after=1),
    )

    found = wrong(server, organisation=True)

    assert [SHOP in check.what or ACCOUNT in check.what for check in found] == [True]
    assert "s3:ListAllMyBuckets" in found[0].remedy


def test_an_account_that_is_closed_is_not_missed(server: Emulator) -> None:
    server.faults.add(
        Fault(where="ListAccounts", body=accounts(gone="CLOSED")), Fault(where="AssumeRole .*333344445555")
    )

    assert wrong(server, organisation=True) == []


def test_an_account_without_buckets_is_tried_as_well(server: Emulator) -> None:
    server.faults.add(Fault(where=PATTERNS["s3-access-point"]))

    (found,) = wrong(server)

    assert "s3:GetAccessPoint" in found.remedy


def test_organisations_may_refuse_their_list(server: Emulator) -> None:
    boto3.client("organizations", endpoint_url=server.endpoint).create_organization(FeatureSet="ALL")
    server.faults.add(Fault(where="ListAccounts", code="AccessDeniedException"))

    (found,) = wrong(server, organisation=True)

    assert "organizations:ListAccounts" in found.remedy
