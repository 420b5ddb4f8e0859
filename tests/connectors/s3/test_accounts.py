"""Which accounts are scanned, and what becomes of those that do not admit the scan."""

import json
from collections.abc import Mapping
from pathlib import Path

import boto3
import pytest

from cloudscan.connector import Estate
from cloudscan.errors import ConfigurationError
from cloudscan.facts import Affiliation, Outcome
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan_emulators.aws import company
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from cloudscan_s3.doctor import checks
from cloudscan_s3.options import Options
from tests.connectors.nights import scan_into
from tests.connectors.reading import Read
from tests.connectors.s3.estate import ACCOUNT, allow, bucket, connector, gap, read

SHOP, GONE, FROZEN = "222233334444", "333344445555", "444455556666"


def accounts(**states: str) -> bytes:
    """What ListAccounts answers; our own account is active."""
    numbers = {"shop": SHOP, "gone": GONE, "frozen": FROZEN}
    listed = [{"Id": ACCOUNT, "Name": "Main", "State": "ACTIVE"}]
    listed += [{"Id": numbers[name], "Name": name, "State": state} for name, state in states.items()]
    return json.dumps({"Accounts": listed}).encode()


def scanned(result: Read) -> set[str]:
    """The accounts whose settings were read."""
    names = [resource.uid for resource in result.of_kind("account")]
    return {uid.rpartition("/")[2] for uid in names if result.setting(uid, "ignore_public_acls") is not None}


def by_outcome(result: Read) -> Mapping[Outcome, set[str]]:
    """The codes of the causes of all gaps."""
    codes: dict[Outcome, set[str]] = {}
    for one in result.gaps:
        codes.setdefault(one.outcome, set()).add(getattr(one.reason, "code", ""))
    return codes


def test_accounts_that_are_not_active_are_left_out_and_said_so(server: Emulator) -> None:
    server.faults.add(
        Fault(where="ListAccounts", body=accounts(shop="ACTIVE", gone="CLOSED", frozen="SUSPENDED")),
        Fault(where=f"AssumeRole .*({GONE}|{FROZEN})"),
    )

    result = read(server, organisation=True)

    assert scanned(result) == {ACCOUNT, SHOP}
    assert not [gap for gap in result.gaps if gap.outcome.is_gap]
    states = [one.reason for one in result.gaps if one.question == "s3-role"]
    assert sorted(str(getattr(reason, "values", {})["state"]) for reason in states) == ["CLOSED", "SUSPENDED"]


def test_a_suspended_account_is_read_if_it_admits_us(server: Emulator) -> None:
    """Its buckets can still be public."""
    server.faults.add(Fault(where="ListAccounts", body=accounts(frozen="SUSPENDED")))

    assert scanned(read(server, organisation=True)) == {ACCOUNT, FROZEN}


@pytest.mark.parametrize("state", ["ACTIVE", "HIBERNATING"])
def test_an_account_that_should_admit_us_and_does_not_is_a_gap(server: Emulator, state: str) -> None:
    """A state that nobody knows yet is no reason to expect a refusal. The account stays ours."""
    bucket(server, "shared", allow("shared", {"AWS": SHOP}))
    server.faults.add(Fault(where="ListAccounts", body=accounts(shop=state)), Fault(where=f"AssumeRole .*{SHOP}"))

    result = read(server, organisation=True)

    refused = gap(result, "s3-role-refused")
    assert (refused.outcome, refused.needs) == (Outcome.DENIED, "sts:AssumeRole")
    assert result.principal(f"s3:principal/{SHOP}").affiliation is Affiliation.INTERNAL


def test_a_list_of_accounts_is_enough_where_the_organisation_may_not_be_listed(server: Emulator) -> None:
    server.faults.add(Fault(where="ListAccounts", code="AccessDeniedException"))

    result = read(server, organisation=True, accounts=[SHOP], role_name="Audit")

    assert scanned(result) == {ACCOUNT, SHOP}
    assert gap(result, "s3-denied").question == "s3-accounts"


def test_an_account_without_an_organisation_is_scanned_alone_and_says_so(server: Emulator) -> None:
    absent = Fault(where="ListAccounts", status="400 Bad Request", code="AWSOrganizationsNotInUseException")
    server.faults.add(absent)

    result = read(server, organisation=True)

    assert scanned(result) == {ACCOUNT}
    assert gap(result, "s3-no-organisation").outcome is Outcome.NOT_OFFERED


def test_without_the_list_of_accounts_nobody_is_external(server: Emulator) -> None:
    """An account that is not listed may be ours; our own and those that are configured are."""
    uid = bucket(server, "shared", allow("shared", {"AWS": GONE}), allow("shared", {"AWS": SHOP}))
    server.faults.add(Fault(where="ListAccounts", code="AccessDeniedException"))

    result = read(server, organisation=True, accounts=[SHOP])

    audiences = {grant.principal_uid: grant.audience for grant in result.grants(uid) if grant.via == "policy"}
    assert audiences == {f"s3:principal/{GONE}": None, f"s3:principal/{SHOP}": "named"}
    assert result.principal(f"s3:principal/{GONE}").affiliation is None


def test_without_our_organisations_id_an_organisation_is_neither_ours_nor_external(server: Emulator) -> None:
    boto3.client("organizations", endpoint_url=server.endpoint).create_organization(FeatureSet="ALL")
    when = {"StringEquals": {"aws:PrincipalOrgID": "o-example123"}}
    uid = bucket(server, "shared", allow("shared", Condition=when))
    server.faults.add(Fault(where="DescribeOrganization", code="AccessDeniedException"))

    result = read(server, object_requests=0)

    assert {grant.audience for grant in result.grants(uid) if grant.via == "policy"} == {None}
    assert gap(result, "s3-denied").question == "s3-organisation"


def test_roles_are_enough_without_an_organisation(server: Emulator) -> None:
    """Each account may have a role of another name."""
    role = f"arn:aws:iam::{SHOP}:role/path/Audit"

    result = read(server, accounts=[role])

    assert scanned(result) == {ACCOUNT, SHOP}
    assert any(line.endswith(f"AssumeRole {role}") for line in server.request_log)
    assert not any("ListAccounts" in line for line in server.request_log)


def test_a_role_that_does_not_admit_us_is_named(server: Emulator) -> None:
    role = f"arn:aws:iam::{SHOP}:role/Audit"
    server.faults.add(Fault(where=f"AssumeRole {role}"))

    result = read(server, accounts=[role])

    assert scanned(result) == {ACCOUNT}
    assert getattr(gap(result, "s3-role-refused").reason, "values", {})["role"] == role


def test_roles_and_numbers_stand_in_one_list(server: Emulator) -> None:
    """Where the organisation may not be listed both are scanned; the account of a role counts as ours."""
    uid = bucket(server, "shared", allow("shared", {"AWS": GONE}))
    server.faults.add(Fault(where="ListAccounts", code="AccessDeniedException"))

    result = read(server, organisation=True, accounts=[SHOP, f"arn:aws:iam::{GONE}:role/Audit"])

    assert scanned(result) == {ACCOUNT, SHOP, GONE}
    assert {grant.audience for grant in result.grants(uid) if grant.via == "policy"} == {"named"}


def test_a_role_in_our_own_account_is_assumed(server: Emulator) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/Audit"

    assert scanned(read(server, accounts=[role])) == {ACCOUNT}
    assert any(line.endswith(f"AssumeRole {role}") for line in server.request_log)


@pytest.mark.parametrize("entry", ["12345", "shop", "arn:aws:iam::222233334444:user/scan", "arn:aws:s3:::bucket", ""])
def test_what_is_no_account_is_an_error(server: Emulator, entry: str) -> None:
    with pytest.raises(ConfigurationError, match="write an account's number of 12 digits, or the ARN of a role"):
        list(connector(server, organisation=True, accounts=[entry]).scopes())


def test_a_role_of_another_partition_needs_a_profile_of_it(server: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="cannot be assumed from the partition aws"):
        list(connector(server, accounts=[f"arn:aws-cn:iam::{SHOP}:role/Audit"]).scopes())


@pytest.mark.parametrize("key", ["accounts", "skip_accounts"])
def test_an_account_that_is_not_there_is_an_error_with_the_nearest(server: Emulator, key: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{key} in .* names 123456789013.* write {ACCOUNT}"):
        list(connector(server, **{key: ["123456789013"]}).scopes())


def test_other_accounts_need_the_organisation(server: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="without organisation = true only our own is"):
        list(connector(server, accounts=[SHOP]).scopes())


def test_skipping_every_account_is_an_error(server: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="leaves no account"):
        list(connector(server, skip_accounts=[ACCOUNT]).scopes())


def test_doctor_tries_the_role_in_every_account(server: Emulator) -> None:
    server.faults.add(Fault(where="ListAccounts", body=accounts(shop="ACTIVE")), Fault(where="AssumeRole"))

    options = Options(endpoint=server.endpoint, organisation=True)
    (wrong,) = [check for check in checks(options, Estate()) if not check.ok]

    assert f"the role cloudscan cannot be assumed in {SHOP}" in wrong.remedy


@pytest.mark.parametrize("answer", [{"Account": ACCOUNT}, {"Arn": f"arn:aws:iam::{ACCOUNT}:user/scan"}])
def test_one_half_of_the_callers_identity_is_enough(server: Emulator, answer: dict[str, str]) -> None:
    members = "".join(f"<{name}>{value}</{name}>" for name, value in answer.items())
    result = f"<GetCallerIdentityResult>{members}</GetCallerIdentityResult>"
    body = f"<GetCallerIdentityResponse>{result}</GetCallerIdentityResponse>"
    server.faults.add(Fault(where="GetCallerIdentity", body=body.encode()))

    assert scanned(read(server)) == {ACCOUNT}


def test_an_account_that_cannot_be_named_hides_everything(server: Emulator) -> None:
    server.faults.add(Fault(where="GetCallerIdentity", body=b"<GetCallerIdentityResponse/>"))

    result = read(server)

    (missing,) = result.gaps
    assert (missing.question, missing.table, result.facts) == ("s3-caller", "all", [])


def test_what_still_exists_is_told_from_what_is_gone(server: Emulator) -> None:
    uid = bucket(server, "here", enforced=True)

    there = connector(server).still_there([uid, "s3:bucket/gone", f"s3:account/{ACCOUNT}", "s3:object/here/key"])  # type: ignore[attr-defined]

    assert there == {uid: True, "s3:bucket/gone": False, f"s3:account/{ACCOUNT}": True}


def test_a_list_of_accounts_without_the_one_that_asks_is_not_whole(server: Emulator) -> None:
    """What is not listed may exist: an empty list of accounts is no organisation of nobody."""
    server.faults.add(Fault(where="ListAccounts", body=b'{"Accounts": []}'))

    result = read(server, organisation=True)

    (gap,) = [gap for gap in result.gaps if gap.question == "s3-accounts"]
    assert gap.reason.code == "s3-list-without-us"


def test_accounts_that_are_read_side_by_side_are_not_mixed_up(server: Emulator, tmp_path: Path) -> None:
    """They share their clients: whose name a request is sent in is decided in the thread that sends it."""
    company.members(server.endpoint, accounts=6, buckets=2)

    scan_into(tmp_path / "night", connector(server, organisation=True, object_requests=0))

    sql = (
        "SELECT b.name, a.name FROM resources AS b JOIN resources AS a ON a.uid = b.parent_uid WHERE b.kind = 'bucket'"
    )
    with Snapshot.open(tmp_path / "night") as snapshot:
        found = sorted(map(tuple, snapshot.query(sql).rows))
    assert found == [(f"unit-{unit:04}-{index:03}", f"Unit {unit}") for unit in range(6) for index in range(2)]
