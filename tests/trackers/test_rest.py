"""Answers of services without a client library: the pauses that they ask for, and what a proxy says instead."""

import pytest

from cloudscan.errors import AccessDenied, Malformed, ProviderError, Throttled, TicketRefused, Unreachable
from cloudscan.http import Answer
from cloudscan.sentence import say
from cloudscan_trackers.rest import Rest, ends_alike, pause_asked_for, time_of

NOW = 1_796_000_000.0  # Mon, 30 Nov 2026 00:53:20 GMT


class Line:
    """A line that gives one answer, whatever is asked."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.answer = Answer(status=status, body=body, headers=headers)

    def carry(self, *_: object, **__: object) -> Answer:
        return self.answer


def service(status: int, body: bytes = b"{}", headers: dict[str, str] | None = None) -> Rest:
    line: object = Line(status, body, headers or {})
    return Rest(name="Desk", url="https://desk.example", needs=say("a role"), headers={}, carrier=line, now=lambda: NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "60"}, 60.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "Mon, 30 Nov 2026 00:54:20 GMT"}, 60.0),
        ({"retry-after": "Mon, 30 Nov 2026 00:50:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"x-ratelimit-reset": "1796000045"}, 45.0),
        ({"x-ratelimit-reset": "1796000045", "retry-after": "7"}, 7.0),
        ({"x-ratelimit-reset": "1795999000"}, None),
        ({"ratelimit-reset": "30"}, 30.0),
        ({"x-ratelimit-reset": "inf"}, None),
        ({"date": "Mon, 30 Nov 2026 00:54:00 GMT", "x-ratelimit-reset": "1796000045"}, 5.0),
        ({}, None),
    ],
)
def test_the_pause_that_is_asked_for(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, a date, or the end of a window; moments by the server's own clock if it tells the time."""
    assert pause_asked_for(Answer(status=429, body=b"", headers=headers), NOW) == seconds


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [(429, {"retry-after": "600"}, 600.0), (429, {}, 60.0), (503, {"retry-after": "30"}, 30.0)],
)
def test_a_throttled_request_tells_how_long(status: int, headers: dict[str, str], seconds: float) -> None:
    """Without a word about it, the window in which requests are counted: a minute."""
    with pytest.raises(Throttled) as raised:
        service(status, headers=headers).ask("GET", "/")

    assert raised.value.retry_after == seconds


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"<html>Log in</html>", Malformed),
        (404, b"<html>Not here</html>", Malformed),
        (200, b"[" * 100_000, Malformed),
        (200, b"\xff", Malformed),
        (301, b"", TicketRefused),
        (302, b"<html/>", TicketRefused),
        (400, b"[]", TicketRefused),
        (400, b"null", TicketRefused),
        (401, b"<html/>", AccessDenied),
        (403, b'"no"', AccessDenied),
        (503, b"", Unreachable),
        (500, b"[null]", Unreachable),
    ],
)
def test_whatever_the_answer_is_it_becomes_one_of_ours(status: int, body: bytes, error: type[ProviderError]) -> None:
    with pytest.raises(error) as raised:
        service(status, body).ask("GET", "/")

    assert str(raised.value).startswith("Desk ")
    assert raised.value.in_language("ja") != str(raised.value)


def test_nothing_is_there_if_the_service_says_so() -> None:
    assert service(404, b'{"errors": []}').ask("GET", "/") is None
    assert service(404, b"").ask("GET", "/") is None
    assert service(204, b"").ask("GET", "/") == {}


@pytest.mark.parametrize("answer", [None, "text", 1, ["text"], [None], {}])
def test_a_list_of_records_is_one(answer: object) -> None:
    with pytest.raises(Malformed, match="something else"):
        service(200).records(answer)


def test_times_are_read_with_and_without_a_zone() -> None:
    assert str(time_of("2026-11-29 21:33:20")) == "2026-11-29 21:33:20+00:00"
    assert str(time_of("2026-11-29T21:33:20Z")) == "2026-11-29 21:33:20+00:00"
    assert time_of("yesterday") is None
    assert time_of(None) is None


def test_a_text_that_was_cut_has_lost_its_last_line() -> None:
    assert ends_alike("a\n\nline 2\n", "a\r\n\r\nline 2")
    assert not ends_alike("a\n\nline 2\n", "a\n\nline")
