"""Google's APIs: requests built and checked by Google's own client, sent by `cloudscan.http`.

The client knows each method's path and parameters from its discovery document and refuses what is wrong before it is
sent. It does not send requests itself: its transport parses into dictionaries, is not thread-safe, does not retry
everything that Google wants retried, and hides a 401.

Sources: discovery documents of the APIs; Drive guide, "Resolve errors", "Usage limits".
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

import google.auth
import google.auth.exceptions
import google.oauth2.credentials
import msgspec
from google.auth.credentials import AnonymousCredentials
from google.oauth2 import service_account
from googleapiclient.discovery import build

from cloudscan.errors import (
    AccessDenied,
    ConfigurationError,
    Malformed,
    ProviderError,
    QuotaSpent,
    StalePage,
    Unreachable,
    Vanished,
)
from cloudscan.http import Answer, Carrier, Meter, Web, decoder
from cloudscan.text import first_line
from cloudscan_gdrive.api.lenient_decoding import decoded_leniently
from cloudscan_gdrive.api.models import ErrorBody
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.permissions import AUDIT, DIRECTORY, DRIVE, POLICIES, PREFIX, scopes_of

Wanted = TypeVar("Wanted")


class Paged(Protocol):
    """A page of a list."""

    @property
    def next_page_token(self) -> str:
        """The token of the next page; empty on the last one."""


Page = TypeVar("Page", bound=Paged)

READ, LIST = 5.0, 100.0
"""Quota units of a call (Drive usage limits, since 2026-05-01)."""

_REMEMBERED_URLS = 1_000  # many are the same for every user
_TOO_FAST = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "sharingRateLimitExceeded", "quotaExceeded"})
_QUOTA_SPENT = frozenset({"dailyLimitExceeded"})


@dataclass(frozen=True)
class Messenger:
    """The transport for google-auth's requests to the token endpoint."""

    carrier: Carrier

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the carrier has its own
        **_: Any,
    ) -> "TokenAnswer":
        """Send a request and return the answer, whatever its status. Raises google-auth's `TransportError`."""
        try:
            answer = self.carrier.carry(method, url, headers or {}, body)
        except Unreachable as error:
            raise google.auth.exceptions.TransportError(error) from error
        return TokenAnswer(status=answer.status, headers=answer.headers, data=answer.body)


@dataclass(frozen=True, kw_only=True)
class TokenAnswer:
    """An answer as google-auth reads it."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class Identity:
    """Access tokens: one for each user who is impersonated, renewed when they expire. Thread-safe."""

    def __init__(self, credentials: Any, scopes: Sequence[str], request: "Messenger") -> None:
        self._credentials = credentials
        self._scopes = list(scopes)
        self._request = request
        self._acting: dict[str, Any] = {}
        self._lock = threading.Lock()

    def token(self, user: str, *, renew: bool = False) -> str:
        """A token to act as `user` (empty: the credentials' own). Raises `AccessDenied`, `Unreachable`."""
        with self._lock:
            acting = self._acting.get(user)
            if acting is None:
                acting = self._acting[user] = self._as(user)
        if renew or not acting.valid:
            try:
                acting.refresh(self._request)
            except google.auth.exceptions.TransportError as error:
                raise Unreachable("no answer from Google's token endpoint; check the network") from error
            except google.auth.exceptions.RefreshError as error:
                raise _refused_token(user, error) from error
        return str(acting.token)

    def _as(self, user: str) -> Any:
        scoped = self._credentials.with_scopes(self._scopes) if _takes_scopes(self._credentials) else self._credentials
        if not user:
            return scoped
        if not hasattr(scoped, "with_subject"):
            raise ConfigurationError(
                "These credentials cannot act as other users: connectors.gdrive.admin needs a service account with "
                "domain-wide delegation. Set connectors.gdrive.key_file to its key, or leave `admin` out to scan "
                "only your own drive."
            )
        return scoped.with_subject(user)


@dataclass(frozen=True, kw_only=True)
class Question:
    """One method of an API, with the tokens to call it, the OAuth scope it needs and its cost."""

    build: Callable[..., Any]  # returns the client's request, checked but not sent
    identity: Identity
    needs: str
    units: float = 0.0  # of Drive's quota


@dataclass(frozen=True, kw_only=True)
class Google:
    """The methods that can be called, and the way to call them. Thread-safe."""

    web: Web
    about: Question
    files: Question
    file: Question
    permissions: Question
    drives: Question
    start_of_changes: Question
    changes: Question
    users: Question
    groups: Question
    members: Question
    domains: Question
    units: Question
    policies: Question
    activities: Question
    meter: Meter = field(default_factory=Meter)
    _urls: dict[tuple[object, ...], str] = field(default_factory=dict, repr=False)

    def ask(self, wanted: type[Wanted], question: Question, user: str, **parameters: Any) -> Wanted:
        """Call a method as `user` (an address; empty: the credentials' own) and decode the answer as `wanted`.

        Raises `AccessDenied`, `Vanished`, `StalePage`, `Throttled`, `QuotaSpent`, `Unreachable`, `Malformed`.
        """
        return read(wanted, self.fetch(question, self.url(question, **parameters), user))

    def pages(self, wanted: type[Page], question: Question, user: str, **parameters: Any) -> Iterator[Page]:
        """All pages of a list. Raises as `ask` does."""
        first = url = self.url(question, **parameters)
        token = ""
        while True:
            page = read(wanted, self.fetch(question, url, user))
            yield page
            if page.next_page_token in ("", token):
                return
            token = page.next_page_token
            url = f"{first}&pageToken={quote(token, safe='')}"

    def url(self, question: Question, **parameters: Any) -> str:
        """The URL of a call, checked against the API's description. Parameters that are None are left out."""
        key = (id(question), *parameters.items())
        url = self._urls.get(key)
        if url is None:
            given = {name: value for name, value in parameters.items() if value is not None}
            url = str(question.build(**given).uri)
            if len(self._urls) < _REMEMBERED_URLS:
                self._urls[key] = url
        return url

    def fetch(self, question: Question, url: str, user: str) -> bytes:
        """The body of the answer, not decoded. Raises as `ask` does."""
        answer = self._get(question, url, question.identity.token(user))
        if answer.status == 401:
            answer = self._get(question, url, question.identity.token(user, renew=True))
        if answer.status != 200:
            raise refused(answer, question.needs)
        return answer.body

    def _get(self, question: Question, url: str, token: str) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "User-Agent": "cloudscan (gzip)"}
        return self.web.get(
            url,
            headers,
            units=question.units,
            passing=_too_fast,
            on_request=self.meter.tick,
            on_trouble=self.meter.trouble,
        )


def read(wanted: type[Wanted], body: bytes) -> Wanted:
    """Decode an answer, leniently where it does not match. Raises `Malformed` where nothing can be decoded."""
    try:
        return decoder(wanted).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        if (answer := decoded_leniently(wanted, body)) is not None:
            return answer
        raise Malformed(f"Google's answer does not match its documented format ({first_line(error, 200)})") from error


def connect(options: Options, web: Web) -> Google:
    """Find credentials and set up the APIs. Raises `ConfigurationError`.

    Each API has its own tokens, so that a scope that was not delegated affects only what needs it.
    """
    credentials, request = _credentials(options), Messenger(Carrier(connections=options.connections, timeout=30.0))
    drive, directory, policy, audit = (
        Identity(credentials, scopes_of(names), request) for names in (DRIVE, DIRECTORY, POLICIES, AUDIT)
    )
    drive_api = _api("drive", "v3", options, "/drive/v3/")
    admin = _api("admin", "directory_v1", options, "/")
    cloud = _api("cloudidentity", "v1", options, "/")
    reports = _api("admin", "reports_v1", options, "/")
    files, changes = drive_api.files(), drive_api.changes()

    def of_drive(build: Callable[..., Any], units: float, scope: str = DRIVE[0]) -> Question:
        return Question(build=build, identity=drive, needs=PREFIX + scope, units=units)

    def of_directory(build: Callable[..., Any], scope: str) -> Question:
        return Question(build=build, identity=directory, needs=PREFIX + scope)

    return Google(
        web=web,
        about=of_drive(drive_api.about().get, READ),
        files=of_drive(files.list, LIST),
        file=of_drive(files.get, READ),
        permissions=of_drive(drive_api.permissions().list, LIST),
        drives=of_drive(drive_api.drives().list, LIST, DRIVE[1]),
        start_of_changes=of_drive(changes.getStartPageToken, READ),
        changes=of_drive(changes.list, LIST),
        users=of_directory(admin.users().list, DIRECTORY[0]),
        groups=of_directory(admin.groups().list, DIRECTORY[1]),
        members=of_directory(admin.members().list, DIRECTORY[2]),
        domains=of_directory(admin.domains().list, DIRECTORY[3]),
        units=of_directory(admin.orgunits().list, DIRECTORY[4]),
        policies=Question(build=cloud.policies().list, identity=policy, needs=PREFIX + POLICIES[0]),
        activities=Question(build=reports.activities().list, identity=audit, needs=PREFIX + AUDIT[0]),
    )


def refused(answer: Answer, needs: str) -> ProviderError:
    """Translate an error of Google's. Source: Drive guide, "Resolve errors"."""
    try:
        error = decoder(ErrorBody).decode(answer.body).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Malformed(f"Google answered HTTP {answer.status} with a page that is not an error of the API")
    reasons = {entry.reason for entry in error.errors}
    code = ", ".join(sorted(reasons - {""})) or error.status or f"HTTP {answer.status}"
    message = error.message[:200]
    if reasons & _QUOTA_SPENT:
        return QuotaSpent(f"the daily quota is used up ({code}); the next scan will fetch the rest")
    if answer.status == 401:
        return AccessDenied(f"Google does not accept the credentials ({code})", needs=needs)
    if answer.status == 403:
        return AccessDenied(f"Google refused access ({code}): {message}", needs=needs)
    if answer.status == 404:
        return Vanished(f"it no longer exists ({code})")
    if any(entry.location == "pageToken" for entry in error.errors):
        return StalePage("a page token has expired; the list starts again")
    return Malformed(f"Google answered {code}: {message}")


def _too_fast(answer: Answer) -> bool:
    return answer.status == 403 and any(reason.encode() in answer.body for reason in _TOO_FAST)


def _api(name: str, version: str, options: Options, path: str) -> Any:
    local = {"client_options": {"api_endpoint": options.endpoint.rstrip("/") + path}} if options.endpoint else {}
    return build(name, version, credentials=AnonymousCredentials(), static_discovery=True, **local)


def _credentials(options: Options) -> Any:
    if options.key_file:
        return _from_file(Path(options.key_file).expanduser())
    try:
        credentials, _ = google.auth.default()
    except google.auth.exceptions.GoogleAuthError as error:
        raise ConfigurationError(
            "No Google credentials were found. Set GOOGLE_APPLICATION_CREDENTIALS to a key file, or set "
            "connectors.gdrive.key_file in cloudscan.toml, or run `gcloud auth application-default login`."
        ) from error
    return credentials


def _from_file(path: Path) -> Any:
    """A service account's key, or the credentials of a user's own consent (type ``authorized_user``)."""
    try:
        content = decoder(dict[str, Any]).decode(path.read_bytes())
        if content.get("type") == "authorized_user":
            # Google's own reader of such files sends the refresh token to Google, whatever `token_uri` says.
            return google.oauth2.credentials.Credentials(
                None,
                refresh_token=content["refresh_token"],
                client_id=content["client_id"],
                client_secret=content["client_secret"],
                token_uri=content.get("token_uri", "https://oauth2.googleapis.com/token"),
            )
        return service_account.Credentials.from_service_account_info(content)
    except OSError as error:
        raise ConfigurationError(
            f"connectors.gdrive.key_file: {path} cannot be read ({error.strerror}); check the path and the permissions."
        ) from error
    except (msgspec.MsgspecError, KeyError, ValueError, google.auth.exceptions.GoogleAuthError) as error:
        raise ConfigurationError(
            f"connectors.gdrive.key_file: {path} is not the key of a service account; download one as JSON in "
            "the Google Cloud console."
        ) from error


def _takes_scopes(credentials: Any) -> bool:
    return isinstance(credentials, google.auth.credentials.Scoped)


def _refused_token(user: str, error: google.auth.exceptions.RefreshError) -> ProviderError:
    answer: Mapping[str, Any] = next((argument for argument in error.args if isinstance(argument, dict)), {})
    reason = str(answer.get("error") or "")
    if reason == "unauthorized_client":
        return AccessDenied(
            "the service account is not delegated for these scopes", needs="domain-wide delegation of the scopes"
        )
    if reason == "invalid_grant":
        name = user or "the credentials' user"
        return AccessDenied(f"Google does not allow acting as {name}: suspended, archived, deleted or nonexistent")
    if error.retryable:
        return Unreachable(f"Google's token endpoint failed on its side ({reason or 'no reason given'})")
    return AccessDenied(f"Google does not accept the credentials ({reason or first_line(error, 200)})")
