"""What goes wrong with AWS, at the command line: one clear message, a row of coverage, the right exit code."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from cloudscan_emulators.aws import company, moto_server
from cloudscan_emulators.aws.access_analyzer import Analyzer, ExternalFinding
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from tests.cli.conftest import Desk
from tests.connectors.s3.estate import allow, bucket, replicated


@pytest.fixture
def server() -> Iterator[Emulator]:
    with moto_server.running() as server:
        yield server


@pytest.fixture
def at_aws(desk: Desk, server: Emulator) -> Desk:
    desk.configure(f'[organisation]\nname = "Acme"\n[connectors.s3]\nendpoint = "{server.endpoint}"\n')
    return desk


def test_a_public_bucket_is_found_and_explained(at_aws: Desk, server: Emulator) -> None:
    bucket(server, "price-list", allow("price-list"))

    result = at_aws.run("scan")

    assert result.code == 1
    assert "Anyone on the internet can read objects in price-list." in result.out
    assert "Statement 1 of the bucket policy" in result.out
    page = Path(result.out.splitlines()[-1]).read_text()
    assert "put-public-access-block --bucket price-list" in page


def test_a_wrong_key_in_the_table_names_the_nearest(at_aws: Desk) -> None:
    at_aws.configure('[connectors.s3]\nprofil = "audit"\n')

    result = at_aws.run("scan")

    assert (result.code, result.out) == (2, "")
    assert (
        "cloudscan.toml:2: the key `profil` in [connectors.s3] is not known; write profile or profiles." in result.err
    )


def test_no_credentials_say_how_to_get_some(at_aws: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    result = at_aws.run("scan")

    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1
    assert "AWS_PROFILE" in result.err


def machine(desk: Desk, patch: pytest.MonkeyPatch, *, config: str = "", keys: str = "", **environment: str) -> None:
    """A computer with this AWS configuration and nothing else."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        patch.delenv(name, raising=False)
    (desk.folder / "config").write_text(config)
    (desk.folder / "credentials").write_text(keys)
    patch.setenv("AWS_CONFIG_FILE", str(desk.folder / "config"))
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(desk.folder / "credentials"))
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    patch.setattr("sys.stdin", io.StringIO())
    for name, value in environment.items():
        patch.setenv(name, value)


SSO = (
    "[profile audit]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Audit\nregion = us-east-1\n"
    "[sso-session corp]\nsso_start_url = https://corp.awsapps.example/start\nsso_region = ap-northeast-1\n"
)
MFA = "[profile audit]\nrole_arn = arn:aws:iam::111122223333:role/audit\nsource_profile = base\nmfa_serial = m\n"
KEYS = "aws_access_key_id = A\naws_secret_access_key = s\n"
AUDIT = 'profile = "audit"'


@pytest.mark.parametrize(
    ("toml", "config", "keys", "environment", "says"),
    [
        (AUDIT, "[profile audit]\nlogin_session = arn:x\nregion = us-east-1\n", "", {}, "botocore[crt]"),
        (AUDIT, "[profile audit]\ncredential_process = /bin/false\n", "", {}, "credential_process of the AWS profile"),
        (AUDIT, "[profile audit]\ncredential_process = /bin/echo x\n", "", {}, "credential_process of the AWS profile"),
        (
            AUDIT,
            "",
            "[audit]\naws_access_key_id = A\n",
            {},
            "aws_secret_access_key is missing in the AWS profile audit",
        ),
        (AUDIT, SSO, "", {}, "aws sso login --profile audit"),
        (AUDIT, MFA, f"[base]\n{KEYS}", {}, "MFA code"),
        (AUDIT, "", "", {}, "does not exist"),
        (AUDIT, "[[[", "", {}, "Correct its syntax"),
        ('endpoint = "127.0.0.1:9000"', "", f"[default]\n{KEYS}", {}, "write http://127.0.0.1:9000."),
        ('region = "mars-1"', "", f"[default]\n{KEYS}", {}, "mars-1"),
        ("", "", f"[default]\n{KEYS}", {"AWS_ENDPOINT_URL_S3": "https://store.example"}, "store.example"),
        ('profiles = ["audit", "base"]', SSO, "", {}, "aws sso login --profile audit"),
        ('profiles = ["audit", "audit"]', SSO, "", {}, "twice"),
        (
            "",
            "",
            "",
            {"AWS_WEB_IDENTITY_TOKEN_FILE": "/none/token", "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/ci"},
            "AWS_WEB_IDENTITY_TOKEN_FILE",
        ),
    ],
)
def test_a_set_up_that_cannot_work_is_one_sentence(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    toml: str,
    config: str,
    keys: str,
    environment: dict[str, str],
    says: str,
) -> None:
    desk.configure(f"[connectors.s3]\n{toml}\n")
    machine(desk, monkeypatch, config=config, keys=keys, **environment)

    scan, doctor = desk.run("scan"), desk.run("doctor", "--connector", "s3")

    assert (scan.code, scan.out, scan.err.count("\n")) == (2, "", 1)
    assert says in scan.err
    assert "bug" not in scan.err
    assert doctor.code == 2
    assert scan.err.removeprefix("cloudscan: ").strip() in doctor.out


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        ("501 Not Implemented", "NotImplemented", "Only AWS itself can be scanned"),
        ("403 Forbidden", "ExpiredToken", "The AWS credentials cannot be used"),
        ("403 Forbidden", "InvalidClientTokenId", "set region in [connectors.s3]"),
    ],
)
def test_a_server_that_admits_nobody_is_one_sentence(
    at_aws: Desk, server: Emulator, status: str, code: str, says: str
) -> None:
    server.faults.add(Fault(where="GetCallerIdentity", status=status, code=code))

    scan, doctor = at_aws.run("scan"), at_aws.run("doctor", "--connector", "s3")

    assert (scan.code, scan.out, scan.err.count("\n")) == (2, "", 1)
    assert says in scan.err
    assert doctor.code == 2
    assert scan.err.removeprefix("cloudscan: ").strip() in doctor.out


def test_a_night_that_would_read_nothing_is_an_error(at_aws: Desk, server: Emulator) -> None:
    bucket(server, "price-list", allow("price-list"))
    at_aws.configure(f'[connectors.s3]\nendpoint = "{server.endpoint}"\naccounts = ["222233334444"]\n')

    result = at_aws.run("scan", "--format", "json")

    assert (result.code, result.out) == (2, "")
    assert "without organisation = true only our own is" in result.err


def test_accounts_are_scanned_though_the_organisation_may_not_be_listed(at_aws: Desk, server: Emulator) -> None:
    listed = 'organisation = true\naccounts = ["222233334444"]\nrole_name = "Audit"\n'
    at_aws.configure(f'[connectors.s3]\nendpoint = "{server.endpoint}"\n{listed}')
    server.faults.add(Fault(where="ListAccounts", code="AccessDeniedException"))

    result = at_aws.run("scan", "--format", "json")

    read = {row["account"] for row in result.json["coverage"] if row["outcome"] == "complete"}
    assert {"123456789012", "222233334444"} <= read
    assert result.code in (3, 5)
    assert {row["question"] for row in result.json["coverage"] if row["outcome"] == "denied"} == {"s3-accounts"}


def test_one_profile_that_cannot_be_opened_costs_itself(
    at_aws: Desk, server: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket(server, "price-list", allow("price-list"))
    at_aws.configure(
        f'[connectors.s3]\nendpoint = "{server.endpoint}"\n[[connectors.s3.profiles]]\nname = "corp"\n'
        '[[connectors.s3.profiles]]\nname = "audit"\norganisation = true\n'
    )
    machine(at_aws, monkeypatch, config=SSO, keys=f"[corp]\n{KEYS}")

    result = at_aws.run("scan", "--format", "json")

    assert result.code == 5
    assert {row["verdict"]["subject"]["name"] for row in result.json["findings"]} >= {"price-list"}
    (failed,) = [row for row in result.json["coverage"] if row["outcome"] == "failed"]
    assert failed["reason"]["code"] == "cannot-open"
    assert "aws sso login --profile audit" in failed["reason"]["quote"]


def test_a_wrong_key_in_a_profile_is_named(at_aws: Desk) -> None:
    at_aws.configure('[[connectors.s3.profiles]]\nname = "corp"\nrole = "x"\n')

    result = at_aws.run("scan")

    assert (result.code, result.out) == (2, "")
    assert "`role`" in result.err


def test_doctor_is_bad_where_a_role_is_refused(at_aws: Desk, server: Emulator) -> None:
    company.build(server.endpoint)
    at_aws.configure(f'[connectors.s3]\nendpoint = "{server.endpoint}"\norganisation = true\n')
    server.faults.add(Fault(where="AssumeRole"))

    result = at_aws.run("doctor", "--connector", "s3")

    assert result.code == 2
    assert "the role cloudscan cannot be assumed in" in result.out


def test_a_dead_endpoint_is_named_and_the_scan_incomplete(at_aws: Desk) -> None:
    at_aws.configure('[connectors.s3]\nendpoint = "http://127.0.0.1:9"\n')

    result = at_aws.run("scan")

    assert result.code == 3
    assert "no answer from http://127.0.0.1:9/" in " ".join(result.out.split()), result.out
    assert "Traceback" not in result.err


def test_a_denied_account_is_a_gap_and_the_others_are_scanned(at_aws: Desk, server: Emulator) -> None:
    """STS refuses the role in the second account of the organisation."""
    company.build(server.endpoint)
    organizations = boto3.client("organizations", endpoint_url=server.endpoint)
    accounts = {account["Name"]: account["Id"] for account in organizations.list_accounts()["Accounts"]}
    locked = accounts.pop("Web shop")
    at_aws.configure(f'[connectors.s3]\nendpoint = "{server.endpoint}"\norganisation = true\n')
    server.faults.add(Fault(where=f"AssumeRole arn:aws:iam::{locked}:"))

    result = at_aws.run("scan", "--format", "json")

    assert result.code == 5
    (gap,) = [row for row in result.json["coverage"] if row["outcome"] == "denied"]
    assert (gap["account"], gap["needs"]) == (locked, "sts:AssumeRole")
    found = {row["verdict"]["subject"].get("account") for row in result.json["findings"]}
    assert set(accounts.values()) <= found
    assert locked not in found


def test_a_policy_that_is_not_json_is_unknown_and_nothing_else_is_lost(at_aws: Desk, server: Emulator) -> None:
    bucket(server, "odd", allow("odd"))
    bucket(server, "price-list", allow("price-list"))
    server.faults.add(Fault(where=r"^GET /odd\?policy$", body=b"{not json"))

    result = at_aws.run("scan", "--format", "json")

    assert result.code == 5
    assert "price-list" in {finding["verdict"]["subject"]["name"] for finding in result.json["findings"]}
    (gap,) = [row for row in result.json["coverage"] if row["outcome"] != "complete" and row["scope_name"] == "odd"]
    assert gap["reason"] == {"code": "s3-policy-not-json"}
    assert "odd" in {unknown["subject"]["name"] for unknown in result.json["unknowns"]}
    assert "Traceback" not in result.err


def test_a_refusal_is_said_with_the_right_that_is_missing(at_aws: Desk, server: Emulator) -> None:
    bucket(server, "locked", allow("locked"))
    server.faults.add(Fault(where=r"^GET /locked\?policy$"))

    result = at_aws.run("scan")

    assert result.code == 3
    assert "s3:GetBucketPolicy" in result.out


def test_secrets_are_nowhere(at_aws: Desk, server: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2hunter2")
    bucket(server, "price-list", allow("price-list"))

    result = at_aws.run("scan")

    written = [path for path in at_aws.folder.rglob("*") if path.is_file()]
    assert len(written) > 5
    assert not [path for path in written if b"hunter2" in path.read_bytes()]
    assert "hunter2" not in result.out + result.err
    assert not [path for path in written if path.suffix not in (".toml", ".json") and path.stat().st_mode & 0o077]


def test_pauses_that_aws_asks_for_are_counted(at_aws: Desk, server: Emulator) -> None:
    """The SDK waits and asks again by itself; what that came to stands in the report."""
    bucket(server, "price-list", allow("price-list"))
    quiet = at_aws.run("scan", "--format", "json").json["scan"]
    server.faults.add(Fault(where=r"^GET /price-list\?policy$", code="SlowDown", status="503 Slow Down", times=2))

    scan = at_aws.run("scan", "--format", "json").json["scan"]

    assert (quiet["throttles"], quiet["retries"]) == (0, 0)
    assert (scan["throttles"], scan["retries"]) == (2, 2)


def test_copies_for_an_account_that_is_no_partner(at_aws: Desk, server: Emulator) -> None:
    """The bucket itself is private: neither its policy nor its blocks say that its objects leave it."""
    bucket(server, "a-private", enforced=True, block=True)
    replicated(server, "a-private", "dest", account="444455556666")

    result = at_aws.run("scan", "--fail-on", "high")

    assert result.code == 1
    said = " ".join(result.out.split())
    assert "Objects of a-private are copied to the bucket dest of account 444455556666" in said


def test_what_is_not_judged_is_on_the_page_and_the_scan_is_complete(at_aws: Desk, server: Emulator) -> None:
    bucket(server, "general", enforced=True, block=True)
    boto3.client("s3tables", endpoint_url=server.endpoint).create_table_bucket(name="tables")

    result = at_aws.run("scan", "--format", "json", "--fail-on", "high")

    assert result.code == 0
    (row,) = [row for row in result.json["coverage"] if row["outcome"] == "not_judged"]
    assert (row["question"], row["seen"]) == ("s3-table-buckets", 1)
    assert row["reason"]["values"] == {"count": 1, "regions": "us-east-1"}
    (page,) = at_aws.folder.rglob("*.html")
    assert "cloudscan does not judge who has access to them" in page.read_text()


def test_the_opinion_of_an_analyzer_is_in_every_report(at_aws: Desk, server: Emulator) -> None:
    """The settings of the buckets become a line, a section and data, and open no finding."""
    external = Analyzer(name="external", account=moto_server.ACCOUNT)
    bucket(server, "price-list", allow("price-list"))
    bucket(server, "orders", block=True)
    server.analyzer.analyzers.append(external)
    server.analyzer.findings.append(
        ExternalFinding(
            id="orders-1",
            analyzer=external.arn,
            resource="arn:aws:s3:::orders",
            is_public=True,
            principal={"AWS": "*"},
            account=moto_server.ACCOUNT,
        )
    )

    result = at_aws.run("scan")
    written = json.loads(Path(at_aws.run("report", "--format", "json").out.strip()).read_text())

    assert "Same result: 0. Contradictions: 2. Other differences: 0." in " ".join(result.out.split())
    assert {one["name"]: (one["outcome"], one["reasons"]) for one in written["opinions"]["differences"]} == {
        "orders": ("only_there", ["nothing-admits-them"]),
        "price-list": ("only_here", ["policy-admits-anyone-with-link"]),
    }
    assert 'id="opinions"' in Path(result.out.splitlines()[-1]).read_text()
