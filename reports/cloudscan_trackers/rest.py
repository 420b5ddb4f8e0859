"""Requests to trackers without a maintained client library: JSON over `cloudscan.http`, each request once."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from cloudscan.errors import AccessDenied, Malformed, ProviderError, Throttled, TicketRefused, Unreachable
from cloudscan.http import Answer, Carrier, Patience, Web
from cloudscan.sentence import Sentence, say

_WINDOW: Final = 60.0  # seconds: the shortest window in which Backlog and ServiceNow count requests
_EPOCH: Final = 1_000_000_000  # a larger number is a moment, in seconds since 1970, and not a duration
_RESETS: Final = ("x-ratelimit-reset", "ratelimit-reset")


def once() -> Web:
    """A client that sends each request once: the core decides what is repeated."""
    return Web(connections=2, patience=Patience(attempts=1, timeout=60.0))


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What a service says about a request that it refused."""

    message: str = ""
    field: str = ""  # as in `TicketRefused`
    by_rule: bool = False  # refused with 403 because of what was sent, and not because of who sent it


@dataclass(frozen=True, kw_only=True)
class Rest:
    """One service. `fault` reads the body of a refusal; it may raise what reading another shape raises."""

    name: str  # in messages
    url: str
    needs: Sentence  # the permissions that a refused user lacks
    headers: Mapping[str, str]
    always: Mapping[str, str] = field(default_factory=dict, repr=False)  # in every query
    fault: Callable[[Any], Fault] = lambda _: Fault()
    carrier: Carrier = field(default_factory=lambda: Carrier(connections=2, timeout=60.0))
    now: Callable[[], float] = time.time

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        json: Any = None,
        form: Sequence[tuple[str, str]] | None = None,
    ) -> Any:
        """The answer's JSON; None for a 404. Raises as `cloudscan.tracker.Tracker` says."""
        return self.page(method, path, query=query, json=json, form=form)[0]

    def page(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        json: Any = None,
        form: Sequence[tuple[str, str]] | None = None,
    ) -> tuple[Any, Mapping[str, str]]:
        """The same, and the answer's headers, their names in lower case."""
        parameters = urlencode([*query, *self.always.items()])
        headers = {"Accept": "application/json", **self.headers}
        body = None
        if json is not None:
            body, headers["Content-Type"] = msgspec.json.encode(json), "application/json"
        elif form is not None:
            body, headers["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        url = f"{self.url.rstrip('/')}{path}{'?' if parameters else ''}{parameters}"
        answer = self.carrier.carry(method, url, headers, body, fresh=method != "GET")
        if answer.status == 404:
            self._read(answer)  # a page that a proxy shows in the service's place does not say that anything is gone
            return None, answer.headers
        if 200 <= answer.status < 300:
            return self._read(answer), answer.headers
        raise self._error(answer)

    def record(self, answer: Any) -> Mapping[str, Any]:
        """An answer that is an object. Raises `Malformed` if it is not."""
        if not isinstance(answer, Mapping):
            raise self.malformed()
        return answer

    def records(self, answer: Any) -> Sequence[Mapping[str, Any]]:
        """An answer that is a list of objects. Raises `Malformed` if it is not."""
        if not isinstance(answer, list):
            raise self.malformed()
        return [self.record(one) for one in answer]

    def malformed(self) -> Malformed:
        """The error for JSON of another shape than is documented."""
        return Malformed(
            say("{service} answered with something else than its API does; check the url.", service=self.name)
        )

    def _read(self, answer: Answer) -> Any:
        try:
            return msgspec.json.decode(answer.body) if answer.body else {}
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Malformed(
                say(
                    "{service} did not answer with JSON; check the url, and whether a proxy or sign-on page answers in "
                    "its place.",
                    service=self.name,
                )
            ) from error

    def _error(self, answer: Answer) -> ProviderError:
        """What a status that means failure is to the core."""
        fault, name = self._fault(answer), self.name
        message = fault.message or f"HTTP {answer.status}"
        pause = pause_asked_for(answer, self.now())
        if answer.status == 429 or (answer.status == 503 and pause is not None):
            throttled = say("{service} is throttling requests ({message}).", service=name, message=message)
            return Throttled(throttled, retry_after=_WINDOW if pause is None else pause)
        if answer.status in (401, 403) and not fault.by_rule:
            denied = say(
                "{service} refused access ({message}); check the credentials, and give their user {needs}.",
                service=name,
                message=message,
                needs=self.needs,
            )
            return AccessDenied(denied, needs=str(self.needs))
        if 300 <= answer.status < 400:
            elsewhere = say(
                "{service} redirects elsewhere ({message}); write its final https address as url.",
                service=name,
                message=message,
            )
            return TicketRefused(elsewhere, field="url")
        if answer.status >= 500 or answer.status == 408:
            return Unreachable(say("{service} failed on its side ({message}).", service=name, message=message))
        refused = say("{service} refused the request: {message}", service=name, message=message)
        return TicketRefused(refused, field=fault.field)

    def _fault(self, answer: Answer) -> Fault:
        try:
            return self.fault(msgspec.json.decode(answer.body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, LookupError, TypeError, AttributeError):
            return Fault()


def pause_asked_for(answer: Answer, now: float) -> float | None:
    """The seconds that a server wants us to wait, at least; None if it does not say.

    RFC 9110, Retry-After: seconds or a date. Else the end of the window in which requests are counted, in seconds since
    1970: X-RateLimit-Reset in Backlog ("Rate Limit") and ServiceNow ("Inbound REST API rate limiting"). Moments are
    compared with the server's own clock where it tells the time, else with `now`.
    """
    server_now = _moment(answer.headers.get("date", "")) or now
    asked = answer.headers.get("retry-after", "")
    if (seconds := _number(asked)) is not None:
        return max(0.0, seconds)
    if moment := _moment(asked):
        return max(0.0, moment - server_now)
    for name in _RESETS:
        reset = _number(answer.headers.get(name, ""))
        if reset is not None and (left := reset - server_now if reset > _EPOCH else reset) > 0:
            return left
    return None


def time_of(text: object) -> datetime | None:
    """A time in ISO 8601, in UTC where it names no zone; None if it is none."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def ends_alike(sent: str, seen: str) -> bool:
    """Whether a text is there as far as its last line, the marker line: a text that is cut loses it."""
    lines = sent.split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return last in seen


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number < float("inf") else None


def _moment(text: str) -> float | None:
    """A date of HTTP, in seconds since 1970."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
