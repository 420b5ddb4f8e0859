"""Who has an account in AWS: IAM users and the users of the Identity Center, joined to persons where AWS knows them."""

import base64
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import boto3
import pytest

from cloudscan.connector import Estate, Gap
from cloudscan.facts import Affiliation, Outcome, Principal
from cloudscan.reason import Reason
from cloudscan_emulators.aws.around_buckets import AccessGrant
from cloudscan_emulators.aws.identity_center import DirectoryUser
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from cloudscan_s3.options import Options
from cloudscan_s3.plugin import PLUGIN
from tests.connectors import reading
from tests.connectors.reading import Read
from tests.connectors.s3.estate import ACCOUNT, allow, bucket, read

TANAKA = f"arn:aws:iam::{ACCOUNT}:user/sales/tanaka"
CREDENTIALS = ("sign_in", "access_keys", "keys_last_used_on")
HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,access_key_1_active,access_key_1_last_used_date,"
    "access_key_2_active,access_key_2_last_used_date"
)


def user(
    server: Emulator,
    name: str,
    tags: Mapping[str, str] = MappingProxyType({}),
    *,
    path: str = "/",
    console: bool = False,
    keys: int = 0,
) -> None:
    iam = boto3.client("iam", endpoint_url=server.endpoint)
    iam.create_user(UserName=name, Path=path, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    if console:
        iam.create_login_profile(UserName=name, Password="Kumo-2026-Kumo!")
    for _ in range(keys):
        iam.create_access_key(UserName=name)


def people(result: Read) -> dict[str, Principal]:
    """IAM users by the end of their ARN, as the account tells them; sealing prefers what says more."""
    users = [fact for fact in result.facts if isinstance(fact, Principal) and ":user/" in fact.uid]
    return {principal.uid.rpartition("/")[2]: principal for principal in reversed(users)}


def gap_of(result: Read, question: str) -> Gap:
    (gap,) = [one for one in result.gaps if one.question == question]
    return gap


def report(*rows: str) -> bytes:
    """An answer of GetCredentialReport."""
    content = base64.b64encode("\n".join((HEADER, *rows)).encode()).decode()
    inner = f"<GetCredentialReportResult><Content>{content}</Content></GetCredentialReportResult>"
    return f"<GetCredentialReportResponse>{inner}</GetCredentialReportResponse>".encode()


def reported(server: Emulator, *rows: str, timezone: str = "UTC") -> Read:
    """What is read of a report with these rows."""
    server.faults.add(Fault(where="GetCredentialReport", body=report(*rows)))
    options = Options(endpoint=server.endpoint, patience=0.0)
    return reading.read(PLUGIN.open(options, Estate(timezone=timezone)))


def test_an_iam_user_is_the_principal_that_a_policy_names(server: Emulator) -> None:
    tags = {"Email": "Tanaka@kumo.example", "EmployeeId": "00102"}
    user(server, "tanaka", tags, path="/sales/", console=True, keys=1)
    uid = bucket(server, "lake", allow("lake", {"AWS": TANAKA}))

    result = read(server)

    assert {grant.principal_uid for grant in result.grants(uid)} == {f"s3:principal/{TANAKA}"}
    tanaka = people(result)["tanaka"]
    assert (tanaka.uid, tanaka.kind, tanaka.account) == (f"s3:principal/{TANAKA}", "user", ACCOUNT)
    assert (tanaka.email, tanaka.affiliation) == ("tanaka@kumo.example", Affiliation.INTERNAL)
    assert tanaka.detail == {
        "employee_number": "00102",
        "sign_in": "true",
        "access_keys": "1",
        "keys_last_used_on": "false",
    }


def test_a_user_for_a_program_cannot_sign_in(server: Emulator) -> None:
    user(server, "nightly-upload", keys=2)

    upload = people(read(server))["nightly-upload"]

    assert (upload.email, upload.detail["sign_in"], upload.detail["access_keys"]) == ("", "false", "2")
    assert "employee_number" not in upload.detail


@pytest.mark.parametrize(
    ("name", "tags", "email", "number", "department"),
    [
        ("mori@kumo.example", {}, "mori@kumo.example", None, ""),
        ("mori", {"employee": "mori@kumo.example"}, "mori@kumo.example", None, ""),
        ("mori", {"e-mail": "mori@kumo.example", "employee": "7"}, "mori@kumo.example", "7", ""),
        ("mori", {"社員番号": "00102", "Department": "営業部"}, "", "00102", "営業部"),
        ("mori", {"email": "see the wiki", "EMPLOYEE_ID": " "}, "", None, ""),
        ("old@kumo.example", {"mail": "mori@kumo.example"}, "mori@kumo.example", None, ""),
    ],
)
def test_a_person_is_named_by_a_tag_or_by_an_address_as_name(
    server: Emulator, name: str, tags: dict[str, str], email: str, number: str | None, department: str
) -> None:
    user(server, name, tags)

    (found,) = people(read(server)).values()

    assert (found.email, found.detail.get("employee_number"), found.department) == (email, number, department)


def test_when_credentials_were_last_used(server: Emulator) -> None:
    """In the organisation's days; the root user is no person's own."""
    used, earlier = "2026-03-31T15:00:00+00:00", "2026-03-01T00:00:00+00:00"
    result = reported(
        server,
        f"<root_account>,arn:aws:iam::{ACCOUNT}:root,{earlier},not_supported,{used},true,N/A,false,N/A",
        f"both,arn:aws:iam::{ACCOUNT}:user/both,{earlier},true,{earlier},true,{used},false,{earlier}",
        f"never,arn:aws:iam::{ACCOUNT}:user/never,{earlier},true,no_information,false,N/A,false,N/A",
        f"keys,arn:aws:iam::{ACCOUNT}:user/keys,{earlier},false,N/A,true,{used},true,N/A",
        timezone="Asia/Tokyo",
    )

    found = people(result).items()
    assert {name: (str(one.last_seen_on), *map(one.detail.get, CREDENTIALS)) for name, one in found} == {
        "both": ("2026-03-31 15:00:00+00:00", "true", "1", "2026-04-01"),
        "never": ("1970-01-01 00:00:00+00:00", "true", "0", "false"),
        "keys": ("2026-03-31 15:00:00+00:00", "false", "2", "2026-04-01"),
    }


@pytest.mark.parametrize(
    ("row", "known"),
    [
        (f"u,arn:aws:iam::{ACCOUNT}:user/u", {"keys_last_used_on": "false"}),
        (f"u,arn:aws:iam::{ACCOUNT}:user/u,soon,maybe,then,yes,N/A,false,N/A", {"keys_last_used_on": "false"}),
    ],
)
def test_what_a_report_leaves_out_is_not_known(server: Emulator, row: str, known: dict[str, str]) -> None:
    assert people(reported(server, row))["u"].detail == known


def test_rows_that_name_nobody_are_counted(server: Emulator) -> None:
    result = reported(server, f"u,arn:aws:iam::{ACCOUNT}:user/u,,true,,false,,false,", "u,nobody", ",,,")

    assert set(people(result)) == {"u"}
    reason = gap_of(result, "s3-credential-report").reason
    assert isinstance(reason, Reason)
    assert reason.values == {"count": 2}


@pytest.mark.parametrize("body", [b"name;state\nu;on", b"\xff\xfe", b""])
def test_a_report_that_is_none_is_a_gap(server: Emulator, body: bytes) -> None:
    user(server, "tanaka")
    content = base64.b64encode(body).decode()
    answer = f"<R><GetCredentialReportResult><Content>{content}</Content></GetCredentialReportResult></R>"
    server.faults.add(Fault(where="GetCredentialReport", body=answer.encode()))

    result = read(server)

    assert gap_of(result, "s3-credential-report").hidden
    assert people(result)["tanaka"].detail == {}


def test_without_the_list_users_are_known_from_the_report_alone(server: Emulator) -> None:
    user(server, "tanaka", {"Email": "tanaka@kumo.example"}, path="/sales/", console=True)
    server.faults.add(Fault(where="GetAccountAuthorizationDetails"))

    result = read(server)

    tanaka, gap = people(result)["tanaka"], gap_of(result, "s3-iam-users")
    assert (tanaka.uid, tanaka.email, tanaka.detail["sign_in"]) == (f"s3:principal/{TANAKA}", "", "true")
    assert gap.needs == "iam:GetAccountAuthorizationDetails"
    assert all("email" in hidden.columns for hidden in gap.hidden)


def test_without_the_report_it_is_unknown_who_can_sign_in(server: Emulator) -> None:
    user(server, "tanaka", {"Email": "tanaka@kumo.example"}, console=True)
    server.faults.add(Fault(where="GetCredentialReport"))

    result = read(server)

    tanaka, gap = people(result)["tanaka"], gap_of(result, "s3-credential-report")
    assert (tanaka.email, tanaka.last_seen_on, dict(tanaka.detail)) == ("tanaka@kumo.example", None, {})
    assert (gap.needs, gap.outcome) == ("iam:GetCredentialReport", Outcome.SKIPPED)
    assert {column for hidden in gap.hidden for column in hidden.columns} >= {"last_seen_on", "detail.sign_in"}


def test_without_either_there_may_be_anybody(server: Emulator) -> None:
    user(server, "tanaka")
    server.faults.add(Fault(where="GetAccountAuthorizationDetails|CredentialReport"))

    result = read(server)

    assert people(result) == {}
    assert ("principals", ()) in [(one.table, one.columns) for one in gap_of(result, "s3-iam-users").hidden]
    assert gap_of(result, "s3-credential-report-begun").needs == "iam:GenerateCredentialReport"


def test_a_list_that_fails_makes_the_scan_incomplete(server: Emulator) -> None:
    server.faults.add(Fault(where="GetAccountAuthorizationDetails", status="500 Oops", code="InternalFailure"))

    assert gap_of(read(server), "s3-iam-users").outcome is Outcome.FAILED


def test_a_report_that_somebody_else_had_written_is_as_good(server: Emulator) -> None:
    user(server, "tanaka", console=True)
    boto3.client("iam", endpoint_url=server.endpoint).generate_credential_report()
    server.faults.add(Fault(where="GenerateCredentialReport"))

    result = read(server)

    assert people(result)["tanaka"].detail["sign_in"] == "true"
    assert not [gap for gap in result.gaps if "credential" in gap.question]


def test_a_report_that_is_being_written_is_waited_for(server: Emulator) -> None:
    user(server, "tanaka", console=True)
    server.faults.add(Fault(where="GetCredentialReport", times=1, status="404 Not Found", code="ReportInProgress"))

    result = read(server, patience=5.0)

    assert people(result)["tanaka"].detail["sign_in"] == "true"


def test_an_account_costs_three_requests_however_many_buckets(server: Emulator) -> None:
    for name in ("lake", "river", "sea"):
        bucket(server, name)
    server.request_log.clear()

    read(server)

    asked = [line for line in server.request_log if "CredentialReport" in line or "AuthorizationDetails" in line]
    assert len(asked) == 3


def center(server: Emulator, *users: DirectoryUser) -> None:
    server.identity_center.owner = ACCOUNT
    server.identity_center.users += users


def directory(server: Emulator, *domains: str) -> dict[str, Principal]:
    """The Identity Center's users by their id."""
    options = Options(endpoint=server.endpoint, patience=0.0)
    result = reading.read(PLUGIN.open(options, Estate(domains=frozenset(domains))))
    users = (fact for fact in result.facts if isinstance(fact, Principal) and fact.uid.startswith("s3:directory/"))
    return {one.uid.rpartition("/")[2]: one for one in users}


def mails(*addresses: str, kind: str = "work") -> Sequence[dict[str, Any]]:
    return [{"Value": one, "Type": kind, "Primary": index == 0} for index, one in enumerate(addresses)]


def test_a_user_of_the_identity_center(server: Emulator) -> None:
    boss = DirectoryUser(id="u-1", user_name="aoki", emails=mails("aoki@kumo.example"))
    mori = DirectoryUser(
        id="u-2",
        user_name="Mori@kumo.example",
        display_name="森 健一",
        emails=[*mails("Kenichi.Mori@kumo.example"), *mails("mori@home.example", kind="home")],
        external_ids=[("https://idp.example/", "00u-2")],
        title="課長",
        user_type="Employee",
        enterprise={"employeeNumber": "00102", "department": "営業部", "manager": {"value": "u-1"}},
    )
    center(server, boss, mori)

    found = directory(server, "kumo.example")["u-2"]

    assert (found.email, found.name, found.department) == ("kenichi.mori@kumo.example", "森 健一", "営業部")
    assert (found.affiliation, found.status) == (Affiliation.INTERNAL, "active")
    assert found.sponsor_uid == "s3:directory/u-1"
    assert found.detail == {
        "employee_number": "00102",
        "role": "課長",
        "employment": "Employee",
        "sign_in": "true",
        "addresses": ["mori@kumo.example"],
        "private_addresses": ["mori@home.example"],
        "departments": ["営業部"],
        "identities": ["https://idp.example/|00u-2"],
    }


def test_somebody_in_our_directory_is_ours_only_with_an_address_of_ours(server: Emulator) -> None:
    center(server, DirectoryUser(id="u-1", user_name="guest", emails=mails("guest@elsewhere.example")))

    assert directory(server, "kumo.example")["u-1"].affiliation is None


def test_a_disabled_user_is_suspended(server: Emulator) -> None:
    center(server, DirectoryUser(id="u-1", user_name="left@kumo.example", status="DISABLED"))

    left = directory(server)["u-1"]

    assert (left.status, left.detail["sign_in"], left.email) == ("suspended", "false", "left@kumo.example")


def test_an_access_grant_names_the_same_user(server: Emulator) -> None:
    bucket(server, "lake")
    grant = AccessGrant(scope="s3://lake/*", grantee="u-1", kind="DIRECTORY_USER")
    server.around.access_grants.append(grant)
    center(server, DirectoryUser(id="u-1", user_name="aoki@kumo.example"))

    result = read(server)

    (scope,) = result.of_kind("access_grant")
    assert {grant.principal_uid for grant in result.grants(scope.uid)} == {"s3:directory/u-1"}
    named = [fact for fact in result.facts if isinstance(fact, Principal) and fact.uid == "s3:directory/u-1"]
    assert "aoki@kumo.example" in {principal.email for principal in named}


def test_all_pages_of_the_directory(server: Emulator) -> None:
    center(server, *(DirectoryUser(id=f"u-{number}", user_name=f"u{number}") for number in range(5)))
    server.identity_center.page = 2

    assert len(directory(server)) == 5


@pytest.mark.parametrize("odd", [None, 17, [], {"value": ["u-1"]}, "u-1"])
def test_odd_values_cost_themselves(server: Emulator, odd: Any) -> None:
    enterprise = {"employeeNumber": odd, "department": odd, "manager": odd}
    emails = [{"Value": odd}, {"Value": "aoki@kumo.example"}] if isinstance(odd, str) else mails("aoki@kumo.example")
    center(server, DirectoryUser(id="u-1", user_name="aoki", emails=emails, enterprise=enterprise))

    aoki = directory(server)["u-1"]

    assert (aoki.email, aoki.sponsor_uid) == ("aoki@kumo.example", None)
    assert aoki.detail.get("employee_number", odd) == odd


@pytest.mark.parametrize(
    ("where", "question", "needs"),
    [
        ("ListInstances", "s3-identity-centers", "sso:ListInstances"),
        (r"ListUsers\b", "s3-identity-center-users", "identitystore:ListUsers"),
    ],
)
def test_without_permission_there_may_be_anybody_in_the_directory(
    server: Emulator, where: str, question: str, needs: str
) -> None:
    center(server, DirectoryUser(id="u-1", user_name="aoki@kumo.example"))
    server.faults.add(Fault(where=where))

    gap = gap_of(read(server), question)

    assert (gap.needs, gap.outcome) == (needs, Outcome.SKIPPED)
    assert [(one.table, one.columns, one.kinds) for one in gap.hidden] == [("principals", (), ("user",))]


def test_the_directory_is_asked_once_for_all_accounts(server: Emulator) -> None:
    """And no further region once the organisation's is found."""
    organisations = boto3.client("organizations", endpoint_url=server.endpoint)
    organisations.create_organization(FeatureSet="ALL")
    organisations.create_account(AccountName="Web shop", Email="shop@kumo.example")
    center(server, DirectoryUser(id="u-1", user_name="aoki@kumo.example"))
    server.request_log.clear()

    read(server, organisation=True, role_name="cloudscan")

    asked = [line for line in server.request_log if line.endswith(("ListInstances", "ListUsers"))]
    assert asked == ["POST / ListInstances", "POST / ListUsers"]
