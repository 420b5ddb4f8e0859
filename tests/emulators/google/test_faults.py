import socket
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

import httplib2
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from google.auth.exceptions import RefreshError
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from cloudscan_emulators.google import Fault, Quota, Server, TenantState, outage, refusal, serve, throttle
from tests.emulators.google import google_client
from tests.emulators.google.google_client import HAYASHI, MORI, drive

LISTING = "GET /drive/v3/files"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (403, "userRateLimitExceeded"),
        (403, "rateLimitExceeded"),
        (403, "quotaExceeded"),
        (403, "dailyLimitExceeded"),
        (429, "rateLimitExceeded"),
    ],
)
def test_throttling_by_any_reason(server: Server, code: int, reason: str) -> None:
    server.faults.add(throttle(LISTING, reason=reason, code=code, times=1))

    assert google_client.refusal(drive(server).files().list()) == (code, reason)
    assert google_client.refusal(drive(server).files().list()) == (200, "")


def test_a_fault_waits_for_its_turn_and_its_user(server: Server) -> None:
    server.faults.add(outage(LISTING, user=MORI, after=1, times=2))

    statuses = [google_client.refusal(drive(server).files().list())[0] for _ in range(4)]

    assert statuses == [200, 503, 503, 200]
    assert google_client.refusal(drive(server, HAYASHI).files().list())[0] == 200


def test_other_refusals(server: Server) -> None:
    server.faults.add(refusal(LISTING, "domainPolicy", "The domain administrators have disabled Drive apps."))

    assert google_client.refusal(drive(server).files().list()) == (403, "domainPolicy")


def test_pages_for_people(server: Server) -> None:
    server.faults.add(Fault(where=LISTING, html=502))

    with pytest.raises(HttpError) as refused:
        drive(server).files().list().execute()

    assert refused.value.resp.status == 502
    assert b"<html" in refused.value.content


def test_broken_bodies(server: Server) -> None:
    """What is no JSON, the client library hands over as text, without a word."""
    server.faults.add(Fault(where=LISTING, garble=True, times=1), Fault(where=LISTING, cut=True))

    assert isinstance(drive(server).files().list().execute(), str)
    with pytest.raises((HTTPException, OSError, httplib2.HttpLib2Error)):
        drive(server).files().list().execute()


def test_torn_connections(server: Server) -> None:
    """The client library connects anew by itself once; after that it is the caller's."""
    server.faults.add(Fault(where=LISTING, reset=True))

    with pytest.raises((OSError, HTTPException, httplib2.HttpLib2Error)):
        drive(server).files().list().execute()

    assert server.log[-1].status == 0


def test_slow_answers(server: Server) -> None:
    server.faults.add(Fault(where=LISTING, delay=0.3))
    http = AuthorizedHttp(google_client.acting_for(server, MORI, "drive"), httplib2.Http(timeout=0.1))
    options = {"api_endpoint": server.endpoint("drive")}
    impatient = google_client.opened(build("drive", "v3", http=http, client_options=options, static_discovery=True))

    with pytest.raises((socket.timeout, TimeoutError)):
        impatient.files().list().execute()
    began = time.monotonic()
    drive(server).files().list().execute()
    assert time.monotonic() - began > 0.3


def test_a_token_that_runs_out_between_pages(server: Server, state: TenantState) -> None:
    for index in range(3):
        state.create(f"file {index}", owner=MORI)
    server.faults.add(Fault(where="pageToken", expire=True, times=1))

    files = google_client.everything(drive(server).files().list, "files", pageSize=1)

    assert len(files) == 3
    assert 401 in {seen.status for seen in server.log}


def test_a_user_suspended_between_pages(server: Server, state: TenantState) -> None:
    for index in range(3):
        state.create(f"file {index}", owner=MORI)
    server.faults.add(Fault(where="pageToken", first=lambda state: state.suspend(MORI), times=1))

    with pytest.raises(RefreshError, match="invalid_grant"):
        google_client.everything(drive(server).files().list, "files", pageSize=1)


def test_a_file_that_vanishes_between_list_and_permissions(server: Server, state: TenantState) -> None:
    item = state.create("plan", owner=MORI)
    server.faults.add(Fault(where="/permissions", first=lambda state: state.delete(item), times=1))

    assert google_client.refusal(drive(server).permissions().list(fileId=item.id)) == (404, "notFound")


def test_an_incomplete_search(server: Server) -> None:
    server.faults.add(Fault(where=LISTING, incomplete=True, times=1))

    answers = [drive(server).files().list().execute()["incompleteSearch"] for _ in range(2)]

    assert answers == [True, False]


def test_the_token_endpoint_fails_too(server: Server) -> None:
    server.faults.add(Fault(where="POST /token", html=503, times=1))

    drive(server).files().list().execute()

    assert [seen.status for seen in server.log if seen.path == "/token"] == [503, 200]


def test_the_log(server: Server) -> None:
    drive(server).files().list(q="trashed = false").execute()

    seen = server.log[-1]
    assert (seen.method, seen.user, seen.status) == ("drive.files.list", MORI, 200)
    assert "q=trashed = false" in seen.query
    assert server.requests == 2


def test_a_quota_of_units(state: TenantState, key: RSAPrivateKey) -> None:
    """Lists are dear, single files cheap; the next minute begins anew."""
    item = state.create("plan", owner=MORI)
    seconds = 0.0
    with serve(state, quota=Quota(user_units=210, seconds=60), key=key, clock=lambda: seconds) as server:
        files = drive(server).files()
        answers = [google_client.refusal(files.list()) for _ in range(3)]
        cheap = google_client.refusal(files.get(fileId=item.id))
        others = google_client.refusal(drive(server, HAYASHI).files().list())
        seconds = 60.0

        assert answers == [(200, ""), (200, ""), (403, "userRateLimitExceeded")]
        assert cheap == others == google_client.refusal(files.list()) == (200, "")


def test_many_ask_at_once_while_the_tenant_changes(server: Server, state: TenantState) -> None:
    """No client sees half a change."""
    for index in range(200):
        state.create(f"file {index}", owner=MORI)

    def scan(_: int) -> int:
        fields = "nextPageToken,files(id,permissions(id))"
        files = google_client.everything(drive(server).files().list, "files", fields=fields, pageSize=20)
        return len({file["id"] for file in files})

    with ThreadPoolExecutor(4) as pool:
        counts = pool.map(scan, range(8))
        for index in range(50):
            state.share(state.create(f"new {index}", owner=MORI), "anyone")

    assert all(200 <= count <= 250 for count in counts)
