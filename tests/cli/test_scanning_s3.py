"""What goes wrong with AWS, at the command line: one clear message, a row of coverage, the right exit code."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from cloudscan_emulators.aws import company, moto_server
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
    assert "cloudscan.toml:2: the key `profil` in [connectors.s3] is not known; write profile." in result.err


def test_no_credentials_say_how_to_get_some(at_aws: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    result = at_aws.run("scan")

    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1
    assert "AWS_PROFILE" in result.err


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
    assert {row["verdict"]["subject"]["account"] for row in result.json["findings"]} == set(accounts.values())


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
