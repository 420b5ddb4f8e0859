"""The one road to the services: JSON over HTTP, each request once, and never to another host.

A service says what is its own: how it words limits and refusals (`Api.is_limit`, `refusal`, `faults`), and what its
user needs. What a status means in general is said here.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

import msgspec

from cloudscan.errors import AccessDenied, Malformed, ProviderError, Throttled, TicketRefused, Unreachable
from cloudscan.sentence import Sentence, say
from cloudscan_trackers.pauses import Pace, pause_of

if TYPE_CHECKING:
    from cloudscan.http import Carrier

Record = TypeVar("Record")
Pairs = Sequence[tuple[str, str | int]]
Object = dict[str, Any]
Objects = list[dict[str, Any]]

_REDIRECTS: Final = 5  # that are followed for one request
_PORTS: Final = {"https": 443, "http": 80}
_FIRST_PAUSE: Final = 60.0  # seconds: no service counts requests in a shorter window
_LONGEST_QUOTE: Final = 300  # characters
_SAID: Final = ("message", "errorMessages", "errorMessage", "error", "errors", "detail", "moreInfo")
"""Where services say what is wrong, in the order in which it is told."""
_SIGN_IN: Final = ("x-authentication-denied-reason", "x-seraph-loginreason")
"""Where Jira says how signing in went ("Basic auth for REST APIs")."""


class NotFound(AccessDenied):
    """There is nothing at an address, or nothing that this user may see: services do not tell which."""


class Refused(TicketRefused):
    """What was sent is not accepted. `faults` are the service's messages by field."""

    def __init__(self, message: str, faults: Mapping[str, str]) -> None:
        is_about_assignee = any(name.startswith("assign") for name in faults)
        super().__init__(message, field="assignee" if is_about_assignee else next(iter(faults), ""))
        self.faults = faults

    def advised(self, advice: Sentence) -> "Refused":
        """The same, with what to do about it."""
        return Refused(say("{what}. {advice}", what=self, advice=advice), self.faults)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a service answered. `url` is where it was found, after redirects within the service."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    url: str

    @cached_property
    def content(self) -> Any:
        """What the JSON says; None if it is none."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    @property
    def is_page(self) -> bool:
        """Whether it is no JSON, but a proxy's page or a sign-on page."""
        return bool(self.body) and self.content is None

    @property
    def ok(self) -> bool:
        """Whether the request was carried out, for the user that was meant."""
        return 200 <= self.status < 300 and not (self.wants_captcha or self.is_signed_out)

    @property
    def wants_captcha(self) -> bool:
        """Jira's way to say that too many attempts to sign in have failed."""
        why, login = (self.headers.get(name, "").upper() for name in _SIGN_IN)
        return "CAPTCHA" in why or "DENIED" in login

    @property
    def is_signed_out(self) -> bool:
        """Jira takes a wrong token for an anonymous user, and answers 200 with what everybody may see."""
        return self.status == 401 or "FAILED" in self.headers.get(_SIGN_IN[1], "").upper()

    @property
    def words(self) -> str:
        """All that the service says about a refusal, in one line."""
        try:
            return " ".join(_words(self.content).split()) if isinstance(self.content, dict | list) else ""
        except RecursionError:
            return ""

    @property
    def message(self) -> str:
        """The same in short, without the full stop; the status if it says nothing."""
        return self.words[:_LONGEST_QUOTE].rstrip(".。 ") or f"HTTP {self.status}"


def _words(told: Any) -> str:
    """Text out of whatever a service puts into an answer: text, a list, texts by field."""
    match told:
        case None:
            return ""
        case dict():
            said = [_words(told[name]) for name in _SAID if name in told]
            return "; ".join(filter(None, said or (f"{name}: {_words(value)}" for name, value in told.items())))
        case list():
            return ", ".join(filter(None, map(_words, told)))
        case _:
            return str(told).strip().rstrip(".。")


def _carrier() -> "Carrier":
    from cloudscan.http import Carrier

    return Carrier(connections=2, timeout=60.0)


@dataclass(kw_only=True)
class Api:
    """One service."""

    service: str  # in messages
    url: str  # before every path
    headers: Mapping[str, str] = field(repr=False)  # with the token
    needs: Sentence  # permissions of its user
    always: Pairs = field(default=(), repr=False)  # in every query
    follows: bool = False  # whether it redirects reads to another address of its own
    is_limit: Callable[[Reply], bool] = lambda _: False  # whether a refusal means "later", beside 429
    refusal: Callable[[Reply, str], ProviderError | None] = lambda _reply, _where: None  # None: the general meaning
    faults: Callable[[Reply], Mapping[str, str]] = lambda _: {}  # messages by field; a 403 with one is about the field
    first_pause: float | None = _FIRST_PAUSE  # if nobody tells how long; doubles each time; None: as the core decides
    pace: Pace = field(default_factory=Pace)
    carrier: "Carrier" = field(default_factory=_carrier)
    now: Callable[[], float] = time.time
    _vague: int = 0  # consecutive refusals that do not say how long to wait

    def send(
        self, method: str, path: str, *, query: Pairs = (), json: Any = None, form: Pairs | None = None,
        headers: Mapping[str, str] | None = None, follow: bool = True,
    ) -> Reply:  # fmt: skip
        """The answer, whatever its status. Redirects of a GET within a service that has them are followed if `follow`.

        Raises `Unreachable`, and `Throttled` if as much was written as is taken.
        """
        is_read = method == "GET"
        sent = {"Accept": "application/json", "User-Agent": "cloudscan", **self.headers, **(headers or {})}
        body = None
        if json is not None:
            body, sent["Content-Type"] = msgspec.json.encode(json), "application/json"
        elif form is not None:
            body, sent["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        url = f"{self.url.rstrip('/')}{path}" if path else self.url
        if parameters := urlencode([*query, *self.always]):
            url += f"{'&' if '?' in url else '?'}{parameters}"
        if not is_read:
            self.pace.wait(self.service)
        for _ in range(_REDIRECTS):
            answer = self.carrier.carry(method, url, sent, body, fresh=not is_read)
            reply = Reply(status=answer.status, headers=answer.headers, body=answer.body, url=url)
            if not (is_read and follow and self._stays(reply)):
                break
            url = _target(reply)
        if not is_read:
            self.pace.count()
        if reply.ok:
            self._vague = 0
        return reply

    def ask(
        self, method: str, path: str, where: str, *, query: Pairs = (), json: Any = None, form: Pairs | None = None,
        follow: bool = True,
    ) -> Reply:  # fmt: skip
        """The answer to a request that was carried out. `where` names what it is about, for messages.

        Raises as `cloudscan.tracker.Tracker` says; `NotFound` and `Refused` are those of its errors.
        """
        reply = self.send(method, path, query=query, json=json, form=form, follow=follow)
        if not reply.ok:
            raise self.error(reply, where)
        if reply.is_page:
            raise self.malformed(where)
        return reply

    def get(self, path: str, shape: type[Record], where: str, query: Pairs = ()) -> Record:
        """What is at a path, as a record. Raises as `ask`."""
        return self.read(self.ask("GET", path, where, query=query).content, shape, where)

    def find(self, path: str, shape: type[Record], where: str, query: Pairs = ()) -> Record | None:
        """The same; None if there is nothing."""
        try:
            return self.get(path, shape, where, query)
        except NotFound:
            return None

    def read(self, content: Any, shape: type[Record], where: str) -> Record:
        """A record out of an answer. Raises `Malformed`."""
        return read(self.service, content, shape, where)

    def malformed(self, where: str, what: str = "no JSON") -> Malformed:
        """The error for an answer of another shape."""
        return _malformed(self.service, where, what)

    def path_of(self, reply: Reply) -> str:
        """Where an answer was found, as a path of this service."""
        return urlsplit(reply.url).path.removeprefix(urlsplit(self.url).path.rstrip("/"))

    def error(self, reply: Reply, where: str) -> ProviderError:
        """What a refusal means."""
        pause = pause_of(reply.headers, self.now(), is_limit=reply.status != 403)
        if reply.status == 429 or (reply.status == 503 and pause is not None) or self.is_limit(reply):
            return self._throttled(reply, pause)
        return self.refusal(reply, where) or self._not_signed_in(reply, where) or self._general(reply, where)

    def _throttled(self, reply: Reply, pause: float | None) -> Throttled:
        """The error for a request that came too early, with the pause that the service asks for, or a longer one."""
        if pause is None and self.first_pause is not None:
            pause = self.first_pause * 2**self._vague
            self._vague += 1
        reason = reply.headers.get("ratelimit-reason", reply.message)
        return Throttled(
            say("{service} is throttling requests ({reason}).", service=self.service, reason=reason), retry_after=pause
        )

    def _not_signed_in(self, reply: Reply, where: str) -> AccessDenied | None:
        if reply.wants_captcha:
            return AccessDenied(
                say(
                    "{service} refused access to {where}: after failed attempts to sign in it wants a captcha; sign in "
                    "once as the user in a browser, or use a personal access token.",
                    service=self.service,
                    where=where,
                )
            )
        if reply.is_signed_out:
            return AccessDenied(
                say(
                    "{service} refused access to {where}: the token or password is wrong or has expired ({message}); "
                    "make a new one, and check whose it is.",
                    service=self.service,
                    where=where,
                    message=reply.message,
                )
            )
        return None

    def _general(self, reply: Reply, where: str) -> ProviderError:
        """What the status of a refusal means in every service."""
        service, status, message, needs = self.service, reply.status, reply.message, self.needs
        if 300 <= status < 400:
            return self._redirected(reply, where)
        if status >= 500 or status == 408:
            return Unreachable(
                say("{service} failed on its side ({message}); it is tried again.", service=service, message=message)
            )
        if status in (404, 410):
            if reply.is_page:
                return self.malformed(where)  # a proxy's page does not say that anything is gone
            return NotFound(
                say(
                    "{service} has nothing at {where} that its user may see ({message}); check whether it was archived "
                    "or deleted, and give the user {needs}.",
                    service=service,
                    where=where,
                    message=message,
                    needs=needs,
                ),
                needs=str(needs),
            )
        faults = self.faults(reply)
        if status == 403 and not faults:
            return AccessDenied(
                say(
                    "{service} refused access to {where} ({message}); give its user {needs}.",
                    service=service,
                    where=where,
                    message=message,
                    needs=needs,
                ),
                needs=str(needs),
            )
        refused = say(
            "{service} refused what was sent about {where}: {message}", service=service, where=where, message=message
        )
        return Refused(refused, faults)

    def _redirected(self, reply: Reply, where: str) -> TicketRefused:
        if self._stays(reply):
            return TicketRefused(
                say(
                    "{service} has {where} at another address now; nothing was written.",
                    service=self.service,
                    where=where,
                )
            )
        return TicketRefused(
            say(
                "{service} redirects to {host} when asked about {where}; write its final https address as url, and let "
                "the API pass without a sign-on page.",
                service=self.service,
                host=_host_of(_target(reply)) or _host_of(self.url),
                where=where,
            ),
            field="url",
        )

    def _stays(self, reply: Reply) -> bool:
        """Whether an answer is a redirect within the service: of the same origin, below the same path."""
        if not (self.follows and 300 <= reply.status < 400 and (target := _target(reply))):
            return False
        parts, base = urlsplit(target), urlsplit(self.url)
        return _origin(parts) == _origin(base) and parts.path.startswith(base.path.rstrip("/") + "/")


def read(service: str, content: Any, shape: type[Record], where: str) -> Record:
    """A record out of a service's answer. Raises `Malformed`."""
    if content is None:
        raise _malformed(service, where, "no JSON")
    try:
        return msgspec.convert(content, shape)
    except msgspec.ValidationError as error:
        raise _malformed(service, where, str(error)) from error


def _malformed(service: str, where: str, what: str) -> Malformed:
    return Malformed(
        say(
            "{service} answered about {where} in another form than it documents ({what}); check the url, whether a "
            "proxy or sign-on page answers in its place, and whether the user may see all of it.",
            service=service,
            where=where,
            what=what,
        )
    )


def _target(reply: Reply) -> str:
    """Where a redirect leads; empty if it does not say, or to no address."""
    try:
        target = urljoin(reply.url, location) if (location := reply.headers.get("location")) else ""
        return target if _origin(urlsplit(target)) else ""
    except ValueError:
        return ""


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def _host_of(url: str) -> str:
    return urlsplit(url).hostname or ""
