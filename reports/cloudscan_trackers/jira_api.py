"""Jira's REST API, version 2, as Cloud and Data Center offer it: what is asked, answered and refused.

Requests go only to the configured address: neither a redirect nor an address in an answer (`self`) is followed, since
the token would go with it.
"""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from cloudscan.errors import AccessDenied, Malformed, ProviderError, Throttled, TicketRefused, Unreachable
from cloudscan.http import Answer, Carrier
from cloudscan.sentence import say

Result = TypeVar("Result")

NEEDS: Final = "Browse Projects, Create, Edit, Assign and Transition Issues, Add Comments"
DONE: Final = "done"
"""The category of statuses that count as closed, whatever they are called and in whatever language."""

_BASE: Final = "/rest/api/2"
_PAGE: Final = 100
_MOST_PAGES: Final = 10_000
_MOST_USERS: Final = 1000
_SHORTEST_PAGE: Final = 50
"""Fewer users than Jira tells at a time, if it is asked for no number, are all there are."""
_LONGEST_QUOTE: Final = 300


class NotFound(AccessDenied):
    """There is nothing at an address, or nothing that this user may see: Jira does not tell which."""


class _Record(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Part of an answer. What Jira leaves out, because the user may not see it, has a default."""


class Category(_Record, frozen=True, kw_only=True):
    """new, indeterminate or done."""

    key: str


class Status(_Record, frozen=True, kw_only=True):
    """A status of a workflow."""

    status_category: Category
    name: str = ""

    @property
    def is_done(self) -> bool:
        """Whether an issue with this status counts as closed."""
        return self.status_category.key == DONE


class User(_Record, frozen=True, kw_only=True):
    """A user. Cloud has account ids and hides most addresses, Data Center has names."""

    account_id: str = ""
    account_type: str = ""
    name: str = ""
    email_address: str | None = None
    active: bool = True


class Fields(_Record, frozen=True, kw_only=True):
    """The fields of an issue that are looked at."""

    status: Status
    description: str | None = None
    labels: Sequence[str] | None = None
    assignee: User | None = None
    duedate: str | None = None
    resolution: Any = None
    resolutiondate: str | None = None
    statuscategorychangedate: str | None = None
    updated: str | None = None


class Issue(_Record, frozen=True, kw_only=True):
    """An issue. `fields` are all that were asked for, as they are in the answer."""

    key: str
    fields: Mapping[str, Any]

    @property
    def known(self) -> Fields:
        """The fields that are looked at. Raises `Malformed` if one has another shape than is documented."""
        return shaped(self.fields, Fields, self.key)


class _Issues(_Record, frozen=True, kw_only=True):
    """A page of a search: Cloud tells a token for the next one, Data Center the total."""

    issues: Sequence[Issue]
    next_page_token: str | None = None
    total: int | None = None


class _Comment(_Record, frozen=True, kw_only=True):
    body: Any = ""


class _Comments(_Record, frozen=True, kw_only=True):
    comments: Sequence[_Comment]
    start_at: int | None = None
    total: int | None = None


class ServerInfo(_Record, frozen=True, kw_only=True):
    """Which Jira it is. `base_url` is its address for people, which differs from that of the API behind a gateway."""

    deployment_type: str = ""
    base_url: str = ""


class _Created(_Record, frozen=True, kw_only=True):
    key: str


@dataclass(frozen=True, kw_only=True)
class JiraApi:
    """One Jira. Each request is sent once. `now` is the clock, for pauses until a moment."""

    url: str
    authorization: str = field(repr=False)
    carrier: Carrier = field(default_factory=lambda: Carrier(connections=2, timeout=60.0))
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @cached_property
    def server(self) -> ServerInfo:
        """Which Jira it is ("Get Jira instance info"), asked for once."""
        return self.get("/serverInfo", ServerInfo, self.url)

    @property
    def is_cloud(self) -> bool:
        """Whether users have account ids, and searches tokens for their pages."""
        return self.server.deployment_type.casefold() == "cloud"

    def get(self, path: str, shape: type[Result], where: str, **query: str | int) -> Result:
        """What is at a path. `where` is what it is about, for messages."""
        parameters = f"?{urlencode(query)}" if query else ""
        return shaped(_decoded(self._ask("GET", path + parameters, where).body, where), shape, where)

    def send(self, method: str, path: str, content: Mapping[str, Any], where: str) -> bytes:
        """Write; gives the body of the answer, which is empty for most requests."""
        return self._ask(method, path, where, msgspec.json.encode(content)).body

    def issue(self, key: str, names: Sequence[str]) -> Issue:
        """An issue by its key ("Get issue"). One that was moved is answered with the key that it has now."""
        return self.get(f"/issue/{quoted(key)}", Issue, key, fields=",".join(names))

    def created(self, fields: Mapping[str, Any], where: str) -> str:
        """Create an issue; gives its key."""
        return shaped(_decoded(self.send("POST", "/issue", {"fields": fields}, where), where), _Created, where).key

    def search(self, jql: str, names: Sequence[str], where: str) -> Iterator[Issue]:
        """The issues that fit, page by page: by token in Cloud ("Search for issues using JQL enhanced search")."""
        query: dict[str, str | int] = {"jql": jql, "fields": ",".join(names), "maxResults": _PAGE}
        path, read = "/search/jql" if self.is_cloud else "/search", 0
        for _ in range(_MOST_PAGES):
            page = self.get(path, _Issues, where, **query)
            yield from page.issues
            read += len(page.issues)
            if self.is_cloud:
                if not page.next_page_token or page.next_page_token == query.get("nextPageToken"):
                    return
                query["nextPageToken"] = page.next_page_token
            else:
                if not page.issues or (page.total is not None and read >= page.total):
                    return
                query["startAt"] = read

    def comments(self, key: str) -> Iterator[str]:
        """The texts of all comments ("Get comments"), the newest first where the server takes `orderBy`."""
        read = 0
        path = f"/issue/{quoted(key)}/comment"
        while True:
            page = self.get(path, _Comments, key, startAt=read, maxResults=_PAGE, orderBy="-created")
            yield from (one.body for one in page.comments if isinstance(one.body, str))
            if page.start_at not in (None, read):  # the server has no pages, and told all of them again
                return
            read += len(page.comments)
            if not page.comments or page.total is None or read >= page.total:
                return

    def assignable(self, project: str, **query: str) -> Sequence[User]:
        """The users who can be assigned and match a query ("Find users assignable to issues").

        Without a repeated user; Jira tells no more than a thousand.
        """
        found: dict[str, User] = {}
        while len(found) < _MOST_USERS:
            place: dict[str, str | int] = {"project": project, "startAt": len(found), "maxResults": _MOST_USERS}
            page = self.get("/user/assignable/search", list[User], project, **query, **place)
            before = len(found)
            found |= {user.account_id or user.name: user for user in page}
            if len(page) < _SHORTEST_PAGE or len(found) == before:
                break
        return list(found.values())

    def _ask(self, method: str, path: str, where: str, body: bytes | None = None) -> Answer:
        headers = {
            "Accept": "application/json",
            "Authorization": self.authorization,
            "X-Atlassian-Token": "no-check",
            **({"Content-Type": "application/json"} if body is not None else {}),
        }
        url = f"{self.url.rstrip('/')}{_BASE}{path}"
        answer = self.carrier.carry(method, url, headers, body, fresh=method != "GET")
        if error := self._trouble(answer, where):
            raise error
        return answer

    def _trouble(self, answer: Answer, where: str) -> ProviderError | None:
        """What an answer refuses; None if it is what was asked for."""
        status, message = answer.status, _message(answer)
        reason = answer.headers.get("x-seraph-loginreason", "").upper()
        if "CAPTCHA" in answer.headers.get("x-authentication-denied-reason", "").upper() or "DENIED" in reason:
            return AccessDenied(
                say(
                    "Jira refused access to {where}: after failed attempts to sign in it wants a captcha; sign in once "
                    "as the user in a browser, or use a personal access token.",
                    where=where,
                ),
                needs=NEEDS,
            )
        # Cloud takes a wrong token for an anonymous user, and answers 200 with what everybody may see.
        if status == 401 or "FAILED" in reason:
            return AccessDenied(
                say(
                    "Jira refused access to {where}: the token is wrong or has expired ({message}); make a new one, "
                    "and check `user`.",
                    where=where,
                    message=message,
                ),
                needs=NEEDS,
            )
        if 200 <= status < 300:
            return None
        if 300 <= status < 400:
            return self._redirected(answer, where)
        if status == 429 or (status == 503 and _pause(answer, self.now()) is not None):
            return Throttled(
                say("Jira is throttling requests ({reason}).", reason=answer.headers.get("ratelimit-reason", message)),
                retry_after=_pause(answer, self.now()),
            )
        if status >= 500 or status == 408:
            return Unreachable(say("Jira failed on its side ({message}); run again later.", message=message))
        return _refusal(answer, where, message)

    def _redirected(self, answer: Answer, where: str) -> TicketRefused:
        return TicketRefused(
            say(
                "Jira's address redirects to {host} when asked about {where}: it has moved, or a sign-on page stands "
                "in front of it. Write its final https address as url, and let the API pass without the sign-on.",
                host=_host_of(answer.headers.get("location", "")) or self.url,
                where=where,
            ),
            field="url",
        )


def shaped(content: Any, shape: type[Result], where: str) -> Result:
    """Part of an answer as a record. Raises `Malformed` if it has another shape than is documented."""
    try:
        return msgspec.convert(content, shape)
    except msgspec.ValidationError as error:
        raise Malformed(
            say(
                "Jira's answer about {where} has another shape than is documented ({problem}); check the url, and "
                "whether the user may see these fields.",
                where=where,
                problem=str(error),
            )
        ) from error


def authorization(user: str, token: str) -> str:
    """The header for an API token of Cloud, or, without a user, for a personal access token of Data Center."""
    if not user:
        return f"Bearer {token}"
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


def quoted(key: str) -> str:
    """A key as part of a path."""
    return quote(key, safe="")


def in_jql(text: str) -> str:
    """A text in quotation marks, of which nothing is read as a condition."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def faults_of(answer: Answer) -> Mapping[str, str]:
    """Jira's messages about fields that it refused, by field."""
    faults = _errors(answer).get("errors")
    return {str(name): _in_short(fault) for name, fault in faults.items()} if isinstance(faults, dict) else {}


class FieldsRefused(TicketRefused):
    """Jira did not take some fields. `faults` are its messages by field."""

    def __init__(self, message: str, faults: Mapping[str, str]) -> None:
        super().__init__(message, field="assignee" if "assignee" in faults else next(iter(faults), ""))
        self.faults = faults


def _refusal(answer: Answer, where: str, message: str) -> ProviderError:
    """What a 4xx means."""
    if answer.status in (404, 410):
        if answer.body:
            _decoded(answer.body, where)  # a proxy's page does not say that anything is gone
        return NotFound(
            say(
                "Jira knows nothing at {where} that this user may see ({message}); check the key, whether the project "
                "was archived or deleted, and that the user may browse it.",
                where=where,
                message=message,
            ),
            needs=NEEDS,
        )
    if answer.status == 403:
        return AccessDenied(
            say(
                "Jira refused access to {where} ({message}); the user needs the permissions {needs}.",
                where=where,
                message=message,
                needs=NEEDS,
            ),
            needs=NEEDS,
        )
    return FieldsRefused(
        say("Jira refused what was sent about {where}: {message}", where=where, message=message), faults_of(answer)
    )


def _message(answer: Answer) -> str:
    """What Jira says about a refusal, in one line; the status if it is a page of HTML."""
    said = _errors(answer)
    parts = [f"{name}: {fault}" for name, fault in faults_of(answer).items()]
    for name in ("errorMessages", "errorMessage", "message"):
        found = said.get(name)
        parts += [_in_short(one) for one in found] if isinstance(found, list) else [_in_short(found)] if found else []
    return "; ".join(part for part in parts if part) or f"HTTP {answer.status}"


def _errors(answer: Answer) -> Mapping[str, Any]:
    try:
        said = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return said if isinstance(said, dict) else {}


def _in_short(text: object) -> str:
    return " ".join(str(text).split())[:_LONGEST_QUOTE].rstrip(".。")


def _decoded(body: bytes, where: str) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(
            say(
                "Jira answered with something that is no JSON when asked about {where}; check the url, and whether a "
                "proxy or sign-on page answers in its place.",
                where=where,
            )
        ) from error


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _pause(answer: Answer, now: datetime) -> float | None:
    """The seconds that Jira asks to wait, None if it does not say ("Rate limiting").

    Retry-After in seconds or as a date (RFC 9110), X-RateLimit-Reset as a date or in seconds since 1970; the longer
    one. Moments are compared with the server's own clock, where it tells the time.
    """
    clock = _moment(answer.headers.get("date", "")) or now
    asked, reset = answer.headers.get("retry-after", ""), _moment(answer.headers.get("x-ratelimit-reset", ""))
    if _is_number(asked):
        seconds = [float(asked)]
    else:
        seconds = [(moment - clock).total_seconds() for moment in [_moment(asked)] if moment]
    if reset:
        seconds.append((reset - clock).total_seconds())
    return max(0.0, *seconds) if seconds else None


def _moment(text: str) -> datetime | None:
    try:
        if _is_number(text):
            return datetime.fromtimestamp(float(text), UTC)
        moment = datetime.fromisoformat(text) if text[:1].isdigit() else parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()
