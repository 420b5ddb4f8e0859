"""Requests to a service that knows us by a token: JSON over HTTP, each once, and never to another host."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit

import msgspec

from cloudscan.errors import Malformed, ProviderError, Throttled, TicketRefused, Unreachable
from cloudscan.sentence import say

if TYPE_CHECKING:
    from cloudscan.http import Answer, Carrier

Record = TypeVar("Record")
_REDIRECTS: Final = 5  # that are followed for one request
_PORTS: Final = {"https": 443, "http": 80}
_HOUR: Final = 3600.0
_LEAST: Final = 60.0  # seconds of the first pause that nobody told; doubles each time


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a service answered. `path` is where it was found, after redirects within the service."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    path: str
    content: Any = None  # of the JSON; None if there is none
    is_empty: bool = False

    @property
    def ok(self) -> bool:
        """Whether the request was carried out."""
        return 200 <= self.status < 300

    @property
    def message(self) -> str:
        """The service's own words, as one line; else its status."""
        told = self.content.get("message") or self.content.get("error") if isinstance(self.content, dict) else None
        return " ".join(_words(told).split())[:300] or f"HTTP {self.status}"


def _words(told: Any) -> str:
    """Text out of whatever a service puts into its message: text, a list, texts by field."""
    match told:
        case None:
            return ""
        case dict():
            return "; ".join(f"{name} {_words(value)}" for name, value in told.items())
        case list():
            return ", ".join(map(_words, told))
        case _:
            return str(told)


@dataclass
class Pace:
    """How fast is written: with a pause between two writes, and at most so many in an hour."""

    pause: float = 0.0  # seconds
    most: int = 0  # writes in an hour; 0: as many as there are
    clock: Callable[[], float] = time.monotonic
    _written: deque[float] = field(default_factory=deque)

    def wait(self, service: str) -> None:
        """Wait until the next write may be sent. Raises `Throttled` if an hour's writes are used up."""
        now = self.clock()
        while self._written and self._written[0] <= now - _HOUR:
            self._written.popleft()
        if self.most and len(self._written) >= self.most:
            raise Throttled(
                say(
                    "{count} writes were sent to {service} in an hour, which is what it takes; the rest follows in the "
                    "next run.",
                    count=len(self._written),
                    service=service,
                ),
                retry_after=self._written[0] + _HOUR - now,
            )
        if self._written and (early := self._written[-1] + self.pause - now) > 0:
            time.sleep(early)

    def count(self) -> None:
        """A write was sent."""
        self._written.append(self.clock())


def _carrier() -> "Carrier":
    from cloudscan.http import Carrier

    return Carrier(connections=2, timeout=60.0)


@dataclass(kw_only=True)
class Api:
    """One service. `is_limit` says whether a refusal means "later", `refusal` what any other means."""

    service: str  # in messages
    url: str  # before every path
    headers: Mapping[str, str] = field(repr=False)  # with the token
    is_limit: Callable[[Reply], bool]
    refusal: Callable[[Reply, str], ProviderError | None]  # (answer, what it is about); None: the general meaning
    pace: Pace = field(default_factory=Pace)
    carrier: "Carrier" = field(default_factory=_carrier)
    _vague: int = 0  # consecutive refusals that do not say how long to wait

    def send(
        self, method: str, path: str, *, query: Sequence[tuple[str, str]] = (), json: Any = None, follow: bool = True
    ) -> Reply:
        """The answer, whatever its status; redirects of a GET within the service are followed if `follow`.

        Raises `Unreachable`, `Throttled`, and `TicketRefused` for a redirect to elsewhere: the token stays here.
        """
        is_read = method == "GET"
        headers = {"Accept": "application/json", "User-Agent": "cloudscan", **self.headers}
        body = None if json is None else msgspec.json.encode(json)
        if body is not None:
            headers["Content-Type"] = "application/json"
        url = f"{self.url.rstrip('/')}{path}"
        url += f"{'&' if '?' in url else '?'}{urlencode(query)}" if query else ""
        if not is_read:
            self.pace.wait(self.service)
        for _ in range(_REDIRECTS):
            answer = self.carrier.carry(method, url, headers, body, fresh=not is_read)
            target = self._target(url, answer)
            if target is None or not (is_read and follow):
                break
            url = target
        if not is_read:
            self.pace.count()
        return self._reply(answer, url)

    def ask(
        self, method: str, path: str, where: str, *, query: Sequence[tuple[str, str]] = (), json: Any = None,
        follow: bool = True,
    ) -> Reply:  # fmt: skip
        """The answer to a request that was carried out. `where` names what it is about, for messages.

        Raises as `cloudscan.tracker.Tracker` says.
        """
        reply = self.send(method, path, query=query, json=json, follow=follow)
        if not reply.ok:
            raise self.error(reply, where)
        if reply.content is None and not reply.is_empty:
            raise self.malformed(where)
        return reply

    def pages(self, path: str, where: str, query: Sequence[tuple[str, str]]) -> Iterator[Sequence[Any]]:
        """The pages of a list, by the Link header (RFC 8288), of which only the query counts, or X-Next-Page."""
        asked: set[tuple[tuple[str, str], ...]] = set()
        following: Sequence[tuple[str, str]] | None = query
        while following is not None and tuple(following) not in asked:
            asked.add(tuple(following))
            reply = self.ask("GET", path, where, query=following)
            if not isinstance(reply.content, list):
                raise self.malformed(where)
            yield reply.content
            following = _following(reply.headers, following)

    def read(self, content: Any, record: type[Record], where: str) -> Record:
        """A record out of an answer. Raises `Malformed`."""
        try:
            return msgspec.convert(content, record)
        except msgspec.ValidationError as error:
            raise self.malformed(where, str(error)) from error

    def malformed(self, where: str, what: str = "no JSON") -> Malformed:
        """The error for an answer of another shape."""
        return Malformed(
            say(
                "{service} answered about {where} in another form than it documents ({what}); check the url, and "
                "whether a proxy or sign-on page answers in its place.",
                service=self.service,
                where=where,
                what=what,
            )
        )

    def error(self, reply: Reply, where: str) -> ProviderError:
        """What a refusal means."""
        if self.is_limit(reply):
            return self._throttled(reply)
        if told := self.refusal(reply, where):
            return told
        if 300 <= reply.status < 400:
            return TicketRefused(
                say(
                    "{service} has {where} at another address now; nothing was written.",
                    service=self.service,
                    where=where,
                )
            )
        if reply.status >= 500 or reply.status == 408:
            return Unreachable(
                say(
                    "{service} failed on its side ({message}); it is tried again.",
                    service=self.service,
                    message=reply.message,
                )
            )
        return TicketRefused(
            say(
                "{service} refused the request about {where}: {message}",
                service=self.service,
                where=where,
                message=reply.message,
            )
        )

    def _throttled(self, reply: Reply) -> Throttled:
        """The error for a request that came too early, with the pause that the service asks for, or a longer one."""
        asked = pause_of(reply.headers, is_limit=reply.status == 429)
        if asked is None:
            asked = _LEAST * 2**self._vague
            self._vague += 1
        return Throttled(
            say(
                "{service} is throttling requests for the next {seconds} seconds.",
                service=self.service,
                seconds=round(asked),
            ),
            retry_after=asked,
        )

    def _reply(self, answer: "Answer", url: str) -> Reply:
        try:
            content = msgspec.json.decode(answer.body) if answer.body else None
        except (msgspec.DecodeError, UnicodeDecodeError):
            content = None
        base = urlsplit(self.url).path.rstrip("/")
        reply = Reply(
            status=answer.status,
            headers=answer.headers,
            path=urlsplit(url).path.removeprefix(base),
            content=content,
            is_empty=not answer.body,
        )
        if reply.ok:
            self._vague = 0
        return reply

    def _target(self, url: str, answer: "Answer") -> str | None:
        """Where a redirect leads; None if it is none. Raises `TicketRefused` if it leads out of the service."""
        if not 300 <= answer.status < 400 or not (location := answer.headers.get("location")):
            return None
        try:
            target = urljoin(url, location)
            parts, base = urlsplit(target), urlsplit(self.url)
            inside = _origin(parts) == _origin(base) and parts.path.startswith(base.path.rstrip("/") + "/")
        except ValueError:
            inside = False
        if not inside:
            raise TicketRefused(
                say("{service} redirects to another address; write its final https address as url.",
                    service=self.service),
                field="url",
            )  # fmt: skip
        return target


def pause_of(headers: Mapping[str, str], *, is_limit: bool = True) -> float | None:
    """The seconds that a service asks us to wait; None if it does not say.

    Retry-After in seconds or as a date (RFC 9110), else the reset of the limit that is used up: in GitHub
    X-RateLimit-Reset ("Rate limits for the REST API"), in GitLab RateLimit-Reset ("Rate limits"), both in epoch
    seconds. `is_limit`: the answer is about a limit even if no header tells what remains of it.
    """
    now = (_date(headers.get("date", "")) or datetime.now(UTC)).timestamp()
    told = headers.get("retry-after", "").strip()
    if told.isdecimal():
        return float(told)
    if day := _date(told):
        return max(0.0, day.timestamp() - now)
    for prefix in ("x-ratelimit", "ratelimit"):
        remaining, reset = headers.get(f"{prefix}-remaining"), headers.get(f"{prefix}-reset", "").strip()
        if reset.isdecimal() and (remaining == "0" or (is_limit and remaining is None)):
            return max(0.0, float(reset) - now) + 1.0  # which are whole seconds on both sides
    return None


def _date(text: str) -> datetime | None:
    try:
        day = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return day if day.tzinfo else day.replace(tzinfo=UTC)


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def _following(headers: Mapping[str, str], query: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]] | None:
    """The query of the page after this one; None if it is the last."""
    for link in headers.get("link", "").split(","):
        address, _, parameters = link.partition(">")
        if 'rel="next"' in parameters.replace("rel=next", 'rel="next"'):
            return parse_qsl(urlsplit(address.strip().lstrip("<")).query)
    page = headers.get("x-next-page", "").strip()
    return [*((name, value) for name, value in query if name != "page"), ("page", page)] if page else None
