"""Answers of any service: the pauses that they ask for, what they refuse, and what a proxy says in their place."""

from typing import Any

import pytest

from cloudscan.errors import AccessDenied, Malformed, ProviderError, Throttled, TicketRefused, Unreachable
from cloudscan.http import Answer
from cloudscan.sentence import say
from cloudscan_trackers.api import Api, NotFound, Objects
from cloudscan_trackers.issues import ends_alike, mapped, time_of
from cloudscan_trackers.pauses import pause_of

NOW = 1_796_000_000.0  # Mon, 30 Nov 2026 00:53:20 GMT


class Line:
    """A line that gives one answer, whatever is asked."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.answer = Answer(status=status, body=body, headers=headers)
        self.asked: list[str] = []

    def carry(self, method: str, url: str, *_: object, **__: object) -> Answer:
        self.asked.append(f"{method} {url}")
        return self.answer


def service(status: int, body: bytes = b"{}", headers: dict[str, str] | None = None, **more: Any) -> Api:
    line: Any = Line(status, body, headers or {})
    url = "https://desk.example/api"
    return Api(service="Desk", url=url, needs=say("access"), headers={}, carrier=line, now=lambda: NOW, **more)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "60"}, 60.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 30 Nov 2026 00:54:20 GMT"}, 60.0),
        ({"retry-after": "Mon, 30 Nov 2026 00:50:00 GMT"}, 0.0),
        ({"retry-after": "2026-11-30T00:54:20Z"}, 60.0),
        ({"x-ratelimit-reset": "1796000045"}, 46.0),
        ({"x-ratelimit-reset": "2026-11-30T00:54Z"}, 41.0),
        ({"x-ratelimit-reset": "1795999000"}, None),
        ({"x-ratelimit-reset": "inf"}, None),
        ({"ratelimit-reset": "30"}, 30.0),
        ({"ratelimit-reset": "1796000045"}, 46.0),
        ({"date": "Mon, 30 Nov 2026 00:54:00 GMT", "x-ratelimit-reset": "1796000045"}, 6.0),
        ({"date": "Mon, 30 Nov 2026 00:54:00 GMT", "retry-after": "Mon, 30 Nov 2026 00:54:20 GMT"}, 20.0),
        ({"x-ratelimit-reset": "1796000045", "retry-after": "7"}, 46.0),
        ({"x-ratelimit-reset": "1796000045", "retry-after": "90"}, 90.0),
        ({"x-ratelimit-reset": "1796000045", "x-ratelimit-remaining": "4999"}, None),
        ({}, None),
    ],
)
def test_the_pause_that_is_asked_for(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, a date, or the end of a window, the longest; moments by the service's own clock if it tells the time."""
    assert pause_of(headers, NOW) == seconds


@pytest.mark.parametrize(("remaining", "seconds"), [({}, None), ({"x-ratelimit-remaining": "0"}, 46.0)])
def test_a_refusal_that_need_not_be_a_limit_waits_for_one_that_is_used_up(
    remaining: dict[str, str], seconds: float | None
) -> None:
    assert pause_of({"x-ratelimit-reset": "1796000045", **remaining}, NOW, is_limit=False) == seconds


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [(429, {"retry-after": "600"}, 600.0), (429, {}, 60.0), (503, {"retry-after": "30"}, 30.0)],
)
def test_a_throttled_request_tells_how_long(status: int, headers: dict[str, str], seconds: float) -> None:
    """Without a word about it, the window in which requests are counted: a minute."""
    with pytest.raises(Throttled) as raised:
        service(status, headers=headers).ask("GET", "/", "a ticket")

    assert raised.value.retry_after == seconds


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"<html>Log in</html>", Malformed),
        (404, b"<html>Not here</html>", Malformed),
        (410, b"<html>Not here</html>", Malformed),
        (404, b'{"errors": []}', NotFound),
        (404, b"", NotFound),
        (200, b"[" * 100_000, Malformed),
        (200, b"\xff", Malformed),
        (200, b"", Malformed),
        (200, b"null", Malformed),
        (200, b"[]", Malformed),
        (301, b"", TicketRefused),
        (302, b"<html/>", TicketRefused),
        (400, b"[]", TicketRefused),
        (400, b"null", TicketRefused),
        (401, b"<html/>", AccessDenied),
        (403, b'"no"', AccessDenied),
        (408, b"", Unreachable),
        (503, b"", Unreachable),
        (500, b"[null]", Unreachable),
    ],
)
def test_whatever_the_answer_is_it_becomes_one_of_ours(status: int, body: bytes, error: type[ProviderError]) -> None:
    with pytest.raises(error) as raised:
        service(status, body).get("/", dict[str, Any], "a ticket")

    assert type(raised.value) is error or error is TicketRefused
    assert str(raised.value).startswith("Desk ")
    assert raised.value.in_language("ja") != str(raised.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"message": "Validation Failed", "errors": [{"field": "title", "message": "is missing."}]}',
         "Validation Failed; is missing"),
        (b'{"message": {"assignee": ["is  invalid"]}}', "assignee: is invalid"),
        (b'{"errorMessages": [], "errors": {"duedate": "Not on the screen."}}', "duedate: Not on the screen"),
        (b'{"errors": [{"message": "No.", "code": 6, "moreInfo": "x"}]}', "No; x"),
        (b'{"error": {"message": "Operation Failed", "detail": null}, "status": "failure"}', "Operation Failed"),
        (b"[null, {}]", "HTTP 400"),
        (b"[" * 900 + b"]" * 900, "HTTP 400"),
        (b"<html/>", "HTTP 400"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_the_services_own_words(body: bytes, words: str) -> None:
    with pytest.raises(TicketRefused) as refused:
        service(400, body).ask("POST", "/", "a ticket")

    assert str(refused.value) == f"Desk refused what was sent about a ticket: {words}"


@pytest.mark.parametrize(
    ("address", "is_followed"),
    [
        ("/api/there", True),
        ("there", True),
        ("https://desk.example:443/api/there", True),
        ("https://desk.example/sign_in", False),
        ("https://desk.example/apis", False),
        ("http://desk.example/api/there", False),
        ("https://desk.example:8443/api/there", False),
        ("https://elsewhere.example/api/there", False),
        ("http://[broken", False),
        ("", False),
    ],
)
def test_a_read_is_only_redirected_within_the_service(address: str, is_followed: bool) -> None:
    api = service(302, headers={"location": address}, follows=True)
    carrier: Any = api.carrier

    with pytest.raises(TicketRefused):
        api.ask("GET", "/here", "a ticket")

    assert (len(carrier.asked) > 1) is is_followed


@pytest.mark.parametrize(("method", "follows"), [("POST", True), ("GET", False)])
def test_no_other_redirect_is_followed(method: str, follows: bool) -> None:
    api = service(302, headers={"location": "/api/there"}, follows=follows)
    carrier: Any = api.carrier

    with pytest.raises(TicketRefused):
        api.ask(method, "/here", "a ticket")

    assert carrier.asked == [f"{method} https://desk.example/api/here"]


def test_nothing_is_there_if_the_service_says_so() -> None:
    assert service(404, b'{"errors": []}').find("/", dict[str, Any], "a ticket") is None
    assert service(404, b"").find("/", dict[str, Any], "a ticket") is None
    assert service(204, b"").ask("PUT", "/", "a ticket").content is None


@pytest.mark.parametrize("answer", [None, "text", 1, ["text"], [None], {}])
def test_a_list_of_records_is_one(answer: object) -> None:
    with pytest.raises(Malformed, match="another form"):
        service(200).read(answer, Objects, "a ticket")


def test_times_are_read_with_and_without_a_zone() -> None:
    assert str(time_of("2026-11-29 21:33:20")) == "2026-11-29 21:33:20+00:00"
    assert str(time_of("2026-11-29T21:33:20Z")) == "2026-11-29 21:33:20+00:00"
    assert time_of("yesterday") is None
    assert time_of(None) is None


def test_a_text_that_was_cut_has_lost_its_last_line() -> None:
    assert ends_alike("a\n\nline 2\n", "a\r\n\r\nline 2")
    assert not ends_alike("a\n\nline 2\n", "a\n\nline")


def test_addresses_know_no_case() -> None:
    assert mapped(" ANN@acme.example", {"Ann@Acme.example ": "ann"}) == "ann"
    assert mapped("bo@acme.example", {"ann@acme.example": "ann"}) == ""
