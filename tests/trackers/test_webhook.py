"""What reaches somebody's own receiver: each change once, signed as "Standard Webhooks" says."""

import base64
import os
import runpy
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from cloudscan.http import Patience
from cloudscan_emulators.trackers.server import Reply
from cloudscan_emulators.trackers.webhook import SECRET, Webhook
from tests.cli.conftest import CONFIG
from tests.trackers.conftest import Office, only

DEAD = 5  # attempts that a change gets in one night
RECEIVER = Path(__file__).parents[2] / "docs" / "webhook_receiver.py"

pytestmark = only("kind", ["webhook"])


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patience, "wait", lambda *_: 0.0)


def receiver(office: Office) -> Webhook:
    assert isinstance(office.tracker, Webhook)
    return office.tracker


def lose_answers(office: Office, times: int = DEAD) -> None:
    """Whatever is asked is done, and the line goes dead before the answer."""
    office.tracker.service.goes_wrong("POST /hook", carried_out=True, times=times)


def events(office: Office) -> list[str]:
    return [told["event"] for told in receiver(office).done]


def test_a_creation_whose_answers_are_all_lost_is_done_once(office: Office) -> None:
    """Its id lasts as long as the marker, whatever the text says the next night."""
    lose_answers(office)

    lost = office.night(plan="everybody")
    office.night(plan="the web")

    assert lost.code == 3
    assert events(office) == ["create", "update"]
    assert "audience=anyone-discoverable" in office.tracker.tickets()[0]["body"]


def test_a_lost_ledger_makes_no_second_ticket(office: Office) -> None:
    office.night(plan="everybody")
    Path(".cloudscan/ledger.db").unlink()

    office.night(plan="everybody")

    assert events(office) == ["create"]


def test_a_closing_whose_answers_are_all_lost_is_done_once(office: Office) -> None:
    office.night(plan="everybody")
    lose_answers(office)

    lost = office.night(plan="me")
    office.night(plan="me")

    assert lost.code == 3
    assert events(office) == ["create", "close", "comment"]
    assert receiver(office).done[1] == {
        "event": "close",
        "marker": office.tracker.tickets()[0]["key"],
        "reason": "fixed",
        "note": receiver(office).done[1]["note"],
        "instead": "",
    }
    assert "no longer finds it" in receiver(office).done[1]["note"]


def test_a_comment_whose_answers_are_all_lost_is_written_once(office: Office) -> None:
    office.night(plan="everybody")
    office.scan(plan="me")
    receiver(office).service.allowed = lambda request: lose_comments(office, request.json["event"])

    office.hand_over()
    receiver(office).service.allowed = lambda _: None
    office.hand_over()

    assert events(office) == ["create", "close", "comment"]
    assert len(office.tracker.tickets()[0]["comments"]) == 1


def lose_comments(office: Office, event: str) -> None:
    if event == "comment" and not office.tracker.service.faults:
        lose_answers(office, DEAD - 1)


def test_a_closing_without_an_answer_and_then_it_is_back(office: Office) -> None:
    """It may be closed at the receiver, so it is opened, and says what is so today."""
    office.night(plan="everybody")
    lose_answers(office)
    office.night(plan="me")

    office.night(plan="everybody")
    quiet = office.hand_over()

    assert events(office) == ["create", "close", "reopen", "update", "comment"]
    assert office.tracker.tickets()[0]["open"]
    assert quiet.out == "Every ticket is up to date.\n"


def test_an_opening_without_an_answer_and_then_it_is_fixed(office: Office) -> None:
    office.night(plan="everybody")
    office.night(plan="me")
    lose_answers(office)
    office.night(plan="everybody")
    opened = office.tracker.tickets()[0]["open"]

    office.night(plan="me")
    back = office.night(plan="everybody")

    assert opened
    assert back.code == 0
    assert [event for event in events(office) if event in ("close", "reopen")] == ["close", "reopen", "close", "reopen"]
    assert office.tracker.tickets()[0]["open"]


def test_an_update_without_an_answer_and_then_it_is_as_before(office: Office) -> None:
    office.night(plan="everybody")
    lose_answers(office)
    office.night(plan="the web")
    wide = office.tracker.tickets()[0]["body"]

    office.night(plan="everybody")

    assert "audience=anyone-discoverable" in wide
    assert "audience=anyone-discoverable" not in office.tracker.tickets()[0]["body"]


def test_an_update_without_an_answer_is_done_once_and_commented_once(office: Office) -> None:
    office.night(plan="everybody")
    lose_answers(office)
    office.night(plan="the web")

    office.night(plan="the web")

    assert events(office) == ["create", "update", "comment"]


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_creation_without_an_answer_and_then_it_is_fixed(office: Office, *, carried_out: bool) -> None:
    """Whether there is a ticket is not known: it is closed all the same, and opened when it is back."""
    office.tracker.service.goes_wrong("POST /hook", carried_out=carried_out, times=DEAD)
    office.night(plan="everybody")

    office.night(plan="me")
    fixed = [ticket["open"] for ticket in office.tracker.tickets()]
    quiet = office.night(plan="me")
    office.night(plan="everybody")

    assert fixed == ([False] if carried_out else [])
    assert quiet.out == "Every ticket is up to date.\n"
    assert [ticket["open"] for ticket in office.tracker.tickets()] == [True]


def test_a_new_secret_and_the_old_one_are_valid_together(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the receiver's can be changed on another day."""
    new = f"whsec_{base64.b64encode(os.urandom(32)).decode()}"
    monkeypatch.setenv("CLOUDSCAN_WEBHOOK_SECRET", f"{new} {SECRET}")

    result = office.night(plan="everybody")

    assert (result.code, events(office)) == (0, ["create"])


def test_a_secret_may_be_any_word(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    receiver(office).key = b"of-a-test"
    monkeypatch.setenv("CLOUDSCAN_WEBHOOK_SECRET", "of-a-test")

    assert office.night(plan="everybody").code == 0


def test_the_doctor_names_a_secret_that_is_short(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    fine = office.desk.run("doctor")
    monkeypatch.setenv("CLOUDSCAN_WEBHOOK_SECRET", "of-a-test")
    short = office.desk.run("doctor")

    assert "the secret has" not in fine.out + fine.err
    assert "the secret has 9 bytes; use at least 24 random ones" in short.out + short.err


@pytest.mark.parametrize("secret", ["whsec_no*base64", "whsec_", "whsk_c2VjcmV0", " "])
def test_a_secret_that_is_none_is_refused(office: Office, monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("CLOUDSCAN_WEBHOOK_SECRET", secret)

    result = office.night(plan="everybody")

    assert result.code in (2, 3)
    assert "secret" in result.err
    assert office.tracker.service.log == []


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example/x", "http://localhost.evil.example/x", "http://127.0.0.1@evil.example/x", "ftp://h/x", "x"],
)
def test_tickets_are_sent_over_https_only(office: Office, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CLOUDSCAN_WEBHOOK_URL", url)

    result = office.night(plan="everybody")

    assert result.code in (2, 3)
    assert "must begin with https://" in result.err


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (302, "redirects elsewhere (HTTP 302)"),
        (307, "redirects elsewhere (HTTP 307)"),
        (401, "both sides need the same secret"),
        (404, "refused the change (HTTP 404)"),
        (410, "has unsubscribed"),
        (413, "takes no message of this size"),
        (500, "failed on its side (HTTP 500)"),
    ],
)
def test_only_success_is_success(office: Office, status: int, words: str) -> None:
    """A redirect is not followed: what it leads to could be anybody's."""
    elsewhere = f"{office.tracker.service.url}/elsewhere"
    office.tracker.service.goes_wrong("POST /hook", Reply(status, "<html>", {"Location": elsewhere}), times=99)

    result = office.night(plan="everybody")

    assert result.code == 3
    assert words in result.err
    assert office.tracker.service.asked("elsewhere") == 0


def test_a_receiver_that_has_unsubscribed_is_left_in_peace(office: Office) -> None:
    office.tracker.service.goes_wrong("POST /hook", Reply(410), times=99)

    office.night(plan="everybody", notes="everybody", list="everybody")

    assert office.tracker.service.asked("POST /hook") == 1


@pytest.mark.parametrize(("status", "as_date"), [(429, False), (503, True)])
def test_a_pause_that_is_longer_than_the_night_ends_it(office: Office, status: int, *, as_date: bool) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    asked = until if as_date else "600"
    office.tracker.service.goes_wrong("POST /hook", Reply(status, None, {"Retry-After": asked}), times=99)

    result = office.night(plan="everybody", notes="everybody")

    assert result.code == 3
    assert office.tracker.service.asked("POST /hook") == 1


def test_people_and_fields_in_the_receivers_own_terms(office: Office) -> None:
    office.desk.configure(f"""{CONFIG}
[[routes]]
tracker = "webhook"
assignee = "Mika@Example.com"
[trackers.webhook]
usernames = {{ "mika@example.COM" = "U-17" }}
fields = {{ queue = "sharing" }}
close_as = {{ fixed = {{ code = 3 }} }}
""")  # fmt: skip
    office.night(plan="everybody")
    office.night(plan="me")

    made, closed, _ = receiver(office).done
    assert (made["assignee"], made["fields"]) == ("U-17", {"queue": "sharing"})
    assert closed["fields"] == {"code": 3}


def test_the_receiver_in_the_documentation_does_each_change_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", SECRET)
    example = runpy.run_path(str(RECEIVER))
    server = ThreadingHTTPServer(("127.0.0.1", 0), example["Receiver"])
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    monkeypatch.setenv("CLOUDSCAN_WEBHOOK_URL", f"http://127.0.0.1:{server.server_address[1]}/")

    made = office.night(plan="everybody")
    Path(".cloudscan/ledger.db").unlink()
    again = office.night(plan="everybody")
    monkeypatch.setenv("CLOUDSCAN_WEBHOOK_SECRET", "another one")
    refused = office.night(plan="me")
    server.shutdown()
    server.server_close()

    assert (made.code, again.code, refused.code) == (0, 0, 3)
    assert len(example["Receiver"].do_POST.__globals__["SEEN"]) == 1
