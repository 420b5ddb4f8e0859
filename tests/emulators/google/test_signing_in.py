import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from google.auth.exceptions import RefreshError
from googleapiclient.errors import HttpError

from cloudscan_emulators.google import Server, TenantState, company, serve
from tests.emulators.google.google_client import (
    MORI,
    acting_for,
    client,
    drive,
    key_of,
    reason,
    refusal,
    scopes,
    signed_in,
)


def test_a_service_account_acts_for_a_user(server: Server) -> None:
    """The token's subject is whom the answers are for."""
    about = drive(server).about().get(fields="user").execute()

    assert about["user"]["emailAddress"] == MORI
    assert about["user"]["me"]


def test_a_suspended_user_is_refused_at_the_token_endpoint(server: Server, state: TenantState) -> None:
    """invalid_grant: skip this user."""
    state.suspend(MORI)

    with pytest.raises(RefreshError, match="invalid_grant"):
        drive(server).files().list().execute()


def test_an_unknown_user_is_refused_at_the_token_endpoint(server: Server) -> None:
    with pytest.raises(RefreshError, match="invalid_grant"):
        drive(server, "nobody@kumo.example").files().list().execute()


def test_a_scope_that_nobody_delegated_is_refused_at_the_token_endpoint(state: TenantState) -> None:
    """unauthorized_client: the administrator has to delegate it."""
    with serve(state, delegated=frozenset(scopes("drive.metadata.readonly"))) as server:
        assert drive(server, MORI, "drive.metadata.readonly").files().list().execute()["files"] == []

        with pytest.raises(RefreshError, match="unauthorized_client"):
            drive(server, MORI, "drive.readonly").files().list().execute()


def test_a_forged_key_is_refused(server: Server, state: TenantState) -> None:
    """Only the key that this emulator made counts."""
    with serve(state) as other:
        info = {**other.service_account_info(), "token_uri": f"{server.url}/token"}

    with pytest.raises(RefreshError, match="invalid_grant"):
        client(server, "drive", key_of(info, MORI, "drive")).files().list().execute()


def test_a_scope_that_the_method_does_not_take_is_refused(server: Server) -> None:
    """drives.list wants drive or drive.readonly; metadata is not enough."""
    narrow = drive(server, MORI, "drive.metadata.readonly")

    assert refusal(narrow.files().list()) == (200, "")
    with pytest.raises(HttpError) as refused:
        narrow.drives().list().execute()
    assert refused.value.resp.status == 403
    assert json.loads(refused.value.content)["error"]["errors"][0]["reason"] == "insufficientPermissions"
    assert json.loads(refused.value.content)["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"


def test_one_user_may_sign_in_himself(server: Server) -> None:
    about = signed_in(server, MORI, "drive.metadata.readonly").about().get(fields="user/emailAddress").execute()

    assert about == {"user": {"emailAddress": MORI}}


def test_an_expired_token_is_renewed_by_the_client(server: Server) -> None:
    """The 401 in between is in the log."""
    files = drive(server).files()
    files.list().execute()

    server.expire_tokens()
    files.list().execute()

    assert [seen.status for seen in server.log if seen.method != "" or seen.status == 401] == [200, 401, 200]


def test_tokens_run_out(state: TenantState) -> None:
    with serve(state, token_seconds=0) as server:
        token = acting_for(server, MORI, "drive")
        token.refresh(_transport())
        request = urllib.request.Request(
            f"{server.url}/drive/v3/files", headers={"Authorization": f"Bearer {token.token}"}
        )

        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)

        with refused.value as answer:
            body = json.loads(answer.read())
        assert body["error"]["code"] == 401
        assert body["error"]["status"] == "UNAUTHENTICATED"
        assert body["error"]["errors"][0]["reason"] == "authError"


def test_without_a_token_drive_speaks_of_callers(server: Server) -> None:
    """403 and not 401: Drive would also take an API key."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{server.url}/drive/v3/files")

    with refused.value as answer:
        assert answer.code == 403


def test_a_user_suspended_in_the_middle_loses_his_token(server: Server, state: TenantState) -> None:
    files = drive(server).files()
    files.list().execute()

    state.suspend(MORI)

    with pytest.raises(RefreshError, match="invalid_grant"):
        files.list().execute()


def test_the_key_file_is_ready_to_use(server: Server, tmp_path: Path) -> None:
    path = server.write_key(tmp_path / "key.json")
    credentials = key_of(json.loads(path.read_text()), MORI, "drive")

    assert client(server, "drive", credentials).files().list().execute()["files"] == []
    assert path.stat().st_mode & 0o077 == 0


def test_a_company_user_of_another_domain_signs_in_too() -> None:
    built = company.build(20)
    with serve(built.state) as server:
        about = drive(server, f"pilot@{company.SECONDARY}").about().get(fields="user").execute()

    assert about["user"]["emailAddress"] == f"pilot@{company.SECONDARY}"


def test_reasons_are_found_in_details(server: Server) -> None:
    with pytest.raises(HttpError) as refused:
        drive(server).files().get(fileId="nothing").execute()

    assert (refused.value.resp.status, reason(refused.value)) == (404, "notFound")


def _transport() -> Any:
    from google.auth.transport.requests import Request

    return Request()
