"""`cloudscan plan`: how large it is, what it will cost."""

import pytest

from cloudscan_emulators.aws import moto_server
from cloudscan_emulators.google import company
from cloudscan_emulators.microsoft import company as tenants
from tests.cli.conftest import Desk
from tests.connectors.gdrive.estate import serve
from tests.connectors.m365.estate import pair, tenant
from tests.connectors.s3.estate import bucket


def test_users_and_shared_drives_of_google_are_counted_with_a_handful_of_requests(desk: Desk) -> None:
    with serve(company.build(150).state) as server:
        key = server.write_key(desk.folder / "key.json")
        desk.configure(
            f'[connectors.gdrive]\nendpoint = "{server.url}"\nkey_file = "{key}"\nadmin = "{company.ADMIN}"\n'
        )

        plan = desk.run("plan", "--format", "json").json[0]

        asked = [request.path for request in server.log if request.path != "/token"]
        assert asked == ["/admin/directory/v1/users", "/drive/v3/drives"]
        users = sum(not account.deleted for account in server.state.accounts)
    counted = {amount["unit"]: amount["count"] for amount in plan["amounts"]}
    assert counted == {"users": users, "drives": 7}
    assert plan["sizes"]["files"] == users * 500
    assert plan["advice"]["whole"] == "live"


def test_users_and_sites_of_microsoft_are_counted(desk: Desk) -> None:
    with tenant(tenants.build(150).state) as server:
        (desk.folder / "application.pem").write_bytes(pair().pem)
        where = f'endpoint = "{server.url}"\nauthority = "{server.authority}"\nca_file = "{server.ca_file}"\n'
        who = f'tenant = "{server.tenant}"\nclient_id = "{server.client_id}"\n'
        desk.configure(f'[connectors.m365]\n{where}{who}certificate_file = "application.pem"\n')

        plan = desk.run("plan", "--format", "json").json[0]

        asked = len([request for request in server.log if request.path.startswith("/v1.0/")])
    amounts = {amount["unit"]: amount for amount in plan["amounts"]}
    assert amounts["users"]["certain"]
    assert amounts["users"]["count"] > 10
    assert amounts["sites"]["count"] > 3
    assert asked <= 5


def test_buckets_are_counted_and_what_that_costs_is_told(desk: Desk) -> None:
    with moto_server.running() as server:
        for number in range(3):
            bucket(server, f"bucket-{number}")
        desk.configure(f'[connectors.s3]\nendpoint = "{server.endpoint}"\n')

        result = desk.run("plan")

    assert result.code == 0
    assert "accounts: 1" in result.out
    assert "buckets: 3 (listed)" in result.out
    assert "Advised: live, then quiet-night; engine duckdb." in result.out


def test_what_is_refused_is_said_and_asked_of_the_user(desk: Desk) -> None:
    desk.configure('[connectors.gdrive]\nkey_file = "missing.json"\nadmin = "admin@kumo.example"\n')

    result = desk.run("plan")

    assert result.code == 0
    assert "missing.json cannot be read" in result.out
    assert "--size gdrive.files=N" in result.out


def test_a_size_that_is_given_is_not_asked_for(desk: Desk) -> None:
    result = desk.run("plan", "--connector", "m365", "--size", "m365.files=1,000,000,000", "--format", "json")

    plan = result.json[0]
    assert plan["amounts"] == []
    assert plan["given"] == {"files": 1_000_000_000}
    assert (plan["advice"]["whole"], plan["advice"]["engine"]) == ("data-connect", "spark")
    assert {cost["approach"]: cost["dollars"] for cost in plan["costs"]}["data-connect"] > 700_000


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ("gdrive.file=5", "there is no gdrive.file; write gdrive.files"),
        ("gdrive.files=many", "write a whole number, as gdrive.files=50000"),
        ("gdrive.files", "write a whole number, as gdrive.files=50000"),
    ],
)
def test_a_size_that_is_none_is_one_sentence(desk: Desk, size: str, said: str) -> None:
    result = desk.run("plan", "--connector", "gdrive", "--size", size)

    assert (result.code, result.out) == (2, "")
    assert said in result.err


def test_the_plan_speaks_japanese(desk: Desk) -> None:
    result = desk.run("plan", "--offline", "--connector", "gdrive", "--size", "gdrive.files=1000000", "--lang", "ja")

    assert "推奨" in result.out
    assert "Advised" not in result.out
