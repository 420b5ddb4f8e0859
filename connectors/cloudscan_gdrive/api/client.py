"""Google's APIs: requests built and checked by Google's own client, sent by `cloudscan.http`.

The client knows each method's path and parameters from its discovery document and refuses what is wrong before it is
sent. It does not send requests itself: its transport parses into dictionaries, is not thread-safe, does not retry
everything that Google wants retried, and hides a 401.

This is the one door for all questions. An answer is believed only if it is one: what the service always writes is
there, an error with the status of a success is an error, entries that cannot be decoded are counted, pages come to an
end.

Sources: discovery documents of the APIs; Drive guide, "Resolve errors", "Usage limits".
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, Protocol, TypeVar
from urllib.parse import quote

import msgspec
from google.auth.credentials import AnonymousCredentials
from googleapiclient.discovery import build

from cloudscan.connector import Gap, Question
from cloudscan.errors import Malformed, ProviderError, StalePage, Throttled, Unreachable, Vanished
from cloudscan.http import Answer, Carrier, Meter, Web, decoder
from cloudscan.reason import Reason
from cloudscan.text import first_line
from cloudscan_gdrive import questions
from cloudscan_gdrive.api.identity import Identity, Messenger, credentials
from cloudscan_gdrive.api.lenient_decoding import decoded_leniently
from cloudscan_gdrive.api.models import ErrorBody, Reply
from cloudscan_gdrive.api.refusals import meaning_of, refused, too_fast
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.permissions import AUDIT, DIRECTORY, DRIVE, GROUP_SETTINGS, POLICIES, SHARED_DRIVES, scopes_of

Wanted = TypeVar("Wanted", bound=Reply)
Entry_co = TypeVar("Entry_co", covariant=True)


class Listing(Protocol[Entry_co]):
    """A page of a list, as `models.Page`."""

    @property
    def entries(self) -> Sequence[Entry_co]:
        """What is listed."""

    @property
    def next_page_token(self) -> str:
        """The token of the next page; empty on the last one."""

    @property
    def broken(self) -> int:
        """How many entries could not be decoded."""


OnePage = TypeVar("OnePage", bound=Listing[Any])

READ, LIST = 5.0, 100.0
"""Quota units of a call (Drive usage limits, since 2026-05-01)."""

_REMEMBERED_URLS: Final = 1_000  # many are the same for every user
_MAX_EMPTY_PAGES: Final = 100  # in a row: a rare match makes Google send empty ones
_LAST_TRIES: Final = 3  # single attempts at a question that gets no answer, before it is left alone for a while
_LISTINGS: Final = 3  # how often a list that is kept in memory is begun again because a page token expired


@dataclass(frozen=True, kw_only=True)
class Method:
    """How a question is asked: one method of an API, with the tokens to call it and its cost."""

    question: Question
    build: Callable[..., Any]  # returns the client's request, checked but not sent
    identity: Identity
    units: float = 0.0  # of Drive's quota

    @property
    def needs(self) -> str:
        """The OAuth scope that is used."""
        return self.question.needs


@dataclass(frozen=True, kw_only=True)
class Everything(Generic[Entry_co]):
    """All entries of a list as far as they could be read, and a gap for what could not."""

    entries: Sequence[Entry_co]
    gaps: Sequence[Gap] = ()
    error: ProviderError | None = None  # why there are no further entries

    @property
    def complete(self) -> bool:
        """Whether everything was read."""
        return not self.gaps


@dataclass(frozen=True, kw_only=True)
class _Silence:
    """A question on which patience was spent: since then it is asked once, and after some tries not for a while."""

    error: Throttled | Unreachable
    tries: int
    until: float  # by the monotonic clock


@dataclass(frozen=True, kw_only=True)
class Google:
    """The methods that can be called, and the way to call them. Thread-safe."""

    web: Web
    hasty: Web  # for a question on which patience was spent before: one attempt
    about: Method
    root: Method
    own_files: Method
    shared_drive_files: Method
    files_of_others: Method
    external_files: Method
    item_permissions: Method
    drive_members: Method
    drives: Method
    start_of_changes: Method
    changes: Method
    users: Method
    groups: Method
    members: Method
    group_settings: Method
    domains: Method
    units: Method
    policies: Method
    activities: Method
    file: Method
    drive: Method
    user: Method
    group: Method
    max_pages: int = 20_000  # of one list
    meter: Meter = field(default_factory=Meter)
    rest: float = 60.0  # seconds for which a question that gets no answer is then not asked
    _silent: dict[str, _Silence] = field(default_factory=dict, repr=False)  # by the question's name
    _urls: dict[tuple[object, ...], str] = field(default_factory=dict, repr=False)

    def ask(self, wanted: type[Wanted], method: Method, user: str, **parameters: Any) -> Wanted:
        """Call a method as `user` (an address; empty: the credentials' own) and decode the answer as `wanted`.

        Raises `AccessDenied`, `Vanished`, `StalePage`, `Throttled`, `QuotaSpent`, `Unreachable`, `Malformed`.
        """
        return self._read(wanted, method, self.url(method, **parameters), user)

    def pages(self, wanted: type[OnePage], method: Method, user: str, **parameters: Any) -> Iterator[OnePage]:
        """All pages of a list.

        Raises as `ask` does; `StalePage` where a page token is no longer accepted, `Malformed` where the pages repeat
        or do not end.
        """
        first = url = self.url(method, **parameters)
        first_token = str(parameters.get("pageToken", ""))
        seen = {first_token} if first_token else set[str]()
        beginnings: set[bytes] = set()
        empty = 0
        while True:
            try:
                page = self._read(wanted, method, url, user)  # type: ignore[type-var]
            except (Malformed, Vanished) as error:
                if url != first and error.reason.code in (Code.UNEXPECTED, Code.NOT_FOUND):
                    raise StalePage(Code.PAGE_EXPIRED, quote=error.reason.quote) from error
                raise
            empty = 0 if page.entries or page.broken else empty + 1
            if page.entries and page.next_page_token:
                beginning = msgspec.json.encode(page.entries[0])
                if beginning in beginnings:
                    raise Malformed(Code.PAGES_REPEAT)
                beginnings.add(beginning)
            yield page
            token = page.next_page_token
            if not token:
                return
            if token in seen:
                raise Malformed(Code.PAGES_REPEAT)
            seen.add(token)
            if len(seen) >= self.max_pages or empty > _MAX_EMPTY_PAGES:
                raise Malformed(Code.PAGES_WITHOUT_END, pages=len(seen))
            url = (
                self.url(method, **{**parameters, "pageToken": token})
                if first_token
                else f"{first}&pageToken={quote(token, safe='')}"
            )

    def everything(
        self, wanted: type[Listing[Entry_co]], method: Method, user: str, about: str | None = None, **parameters: Any
    ) -> Everything[Entry_co]:
        """All entries of a list that fits into memory. Never raises: what fails is a gap, about `about`.

        A list of which a page token has expired is begun again, a few times.
        """
        entries: list[Entry_co] = []
        broken = 0
        error: ProviderError | None = None
        for _ in range(_LISTINGS):
            entries, broken, error = [], 0, None
            try:
                for page in self.pages(wanted, method, user, **parameters):
                    entries += page.entries
                    broken += page.broken
            except StalePage as stale:
                error = stale
                continue
            except ProviderError as failed:
                error = failed
            break
        gaps = [method.question.gap(error, about)] if error else []
        if broken:
            gaps.append(method.question.lacking(entries_malformed(broken), about))
        return Everything(entries=entries, gaps=gaps, error=error)

    def url(self, method: Method, **parameters: Any) -> str:
        """The URL of a call, checked against the API's description. Parameters that are None are left out."""
        key = (id(method), *parameters.items())
        url = self._urls.get(key)
        if url is None:
            given = {name: value for name, value in parameters.items() if value is not None}
            url = str(method.build(**given).uri)
            if len(self._urls) < _REMEMBERED_URLS:
                self._urls[key] = url
        return url

    def _read(self, wanted: type[Wanted], method: Method, url: str, user: str) -> Wanted:
        reply = read(wanted, self._fetch(method, url, user))
        if bytes(reply.error) not in (b"", b"null"):
            raise _error_in_a_success(bytes(reply.error), method.needs, user)
        return reply

    def _fetch(self, method: Method, url: str, user: str) -> bytes:
        """The body of the answer, not decoded. Raises as `ask` does."""
        name = method.question.name
        silence = self._silent.get(name)
        if silence and silence.tries >= _LAST_TRIES and time.monotonic() < silence.until:
            raise silence.error
        try:
            answer = self._get(method, url, method.identity.token(user))
            if answer.status == 401:
                answer = self._get(method, url, method.identity.token(user, renew=True))
        except (Throttled, Unreachable) as error:
            tries = silence.tries + 1 if silence else 0
            self._silent[name] = _Silence(error=error, tries=tries, until=time.monotonic() + self.rest)
            raise
        except ProviderError as error:
            error.needs = error.needs or (method.needs if error.reason.code == Code.DELEGATION_MISSING else "")
            raise
        self._silent.pop(name, None)
        if answer.status != 200:
            raise refused(answer, method.needs, user)
        return answer.body

    def _get(self, method: Method, url: str, token: str) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "User-Agent": "cloudscan (gzip)"}
        web = self.hasty if method.question.name in self._silent else self.web
        return web.get(
            url,
            headers,
            units=method.units,
            passing=too_fast,
            on_request=self.meter.tick,
            on_trouble=self.meter.trouble,
        )


def entries_malformed(count: int) -> Reason:
    """The reason of a gap for entries of a list that could not be decoded."""
    return Reason(code=Code.ENTRIES_MALFORMED, values={"count": count})


def read(wanted: type[Wanted], body: bytes) -> Wanted:
    """Decode an answer, leniently where it does not match. Raises `Malformed` where nothing can be decoded."""
    try:
        return decoder(wanted).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if (answer := decoded_leniently(wanted, body)) is not None:
            return answer
        if (problem := _reported(body)) is not None:
            raise problem from error
        if body.lstrip()[:1] == b"<":
            raise Malformed(Code.NOT_GOOGLE, status="200") from error
        raise Malformed(Code.MALFORMED, quote=first_line(error, 200)) from error


def _reported(body: bytes) -> ProviderError | None:
    """The error that a body reports though its status is that of a success; None: it reports none."""
    try:
        error = msgspec.json.decode(body, type=dict[str, msgspec.Raw]).get("error")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return None if error is None else _error_in_a_success(bytes(error), "", "")


def _error_in_a_success(error: bytes, needs: str, person: str) -> ProviderError:
    try:
        problem = msgspec.json.decode(b'{"error":' + error + b"}", type=ErrorBody).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Malformed(Code.UNEXPECTED, status="200", quote=error.decode("utf-8", "replace")[:200])
    return meaning_of(problem, problem.code or 500, needs, person)


def connect(options: Options, web: Web) -> Google:
    """Find credentials and set up the APIs. Raises `ConfigurationError`.

    Each API has its own tokens, so that a scope that was not delegated affects only what needs it, and the one scope
    that admits to contents goes to nothing but the list of shared drives: the metadata of files needs less.
    """
    found, request = credentials(options), Messenger(Carrier(connections=options.connections, timeout=30.0))
    drive, shared_drives, directory, joining, policy, audit = (
        Identity(found, scopes_of(names), request)
        for names in (DRIVE, SHARED_DRIVES, DIRECTORY, GROUP_SETTINGS, POLICIES, AUDIT)
    )
    drive_api = _api("drive", "v3", options, "/drive/v3/")
    admin = _api("admin", "directory_v1", options, "/")
    cloud = _api("cloudidentity", "v1", options, "/")
    reports = _api("admin", "reports_v1", options, "/")
    group_settings = _api("groupssettings", "v1", options, "/groups/v1/groups/")
    files, changes, shared = drive_api.files(), drive_api.changes(), drive_api.drives()

    def of_drive(question: Question, build: Callable[..., Any], units: float) -> Method:
        return Method(question=question, build=build, identity=drive, units=units)

    def of_shared_drives(question: Question, build: Callable[..., Any], units: float) -> Method:
        return Method(question=question, build=build, identity=shared_drives, units=units)

    def of_directory(question: Question, build: Callable[..., Any]) -> Method:
        return Method(question=question, build=build, identity=directory)

    return Google(
        web=web,
        hasty=replace(web, patience=replace(web.patience, attempts=1, span=0.0)),
        rest=2 * web.patience.longest,
        about=of_drive(questions.ABOUT, drive_api.about().get, READ),
        root=of_drive(questions.ROOT, files.get, READ),
        own_files=of_drive(questions.OWN_FILES, files.list, LIST),
        shared_drive_files=of_drive(questions.SHARED_DRIVE_FILES, files.list, LIST),
        files_of_others=of_drive(questions.FILES_OF_OTHERS, files.list, LIST),
        external_files=of_drive(questions.EXTERNAL_FILES, files.list, LIST),
        item_permissions=of_drive(questions.ITEM_PERMISSIONS, drive_api.permissions().list, LIST),
        drive_members=of_drive(questions.DRIVE_MEMBERS, drive_api.permissions().list, LIST),
        drives=of_shared_drives(questions.DRIVES, shared.list, LIST),
        start_of_changes=of_drive(questions.START_OF_CHANGES, changes.getStartPageToken, READ),
        changes=of_drive(questions.CHANGES, changes.list, LIST),
        users=of_directory(questions.USERS, admin.users().list),
        groups=of_directory(questions.GROUPS, admin.groups().list),
        members=of_directory(questions.MEMBERS, admin.members().list),
        group_settings=Method(question=questions.JOINING, build=group_settings.groups().get, identity=joining),
        domains=of_directory(questions.DOMAINS, admin.domains().list),
        units=of_directory(questions.UNITS, admin.orgunits().list),
        policies=Method(question=questions.SHARING_SETTINGS, build=cloud.policies().list, identity=policy),
        activities=Method(question=questions.ACTIVITIES, build=reports.activities().list, identity=audit),
        file=of_drive(questions.STILL_THERE, files.get, READ),
        drive=of_shared_drives(questions.STILL_THERE, shared.get, READ),
        user=of_directory(questions.STILL_THERE, admin.users().get),
        group=of_directory(questions.STILL_THERE, admin.groups().get),
    )


def _api(name: str, version: str, options: Options, path: str) -> Any:
    local = {"client_options": {"api_endpoint": options.endpoint.rstrip("/") + path}} if options.endpoint else {}
    return build(name, version, credentials=AnonymousCredentials(), static_discovery=True, **local)
