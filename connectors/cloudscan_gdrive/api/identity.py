"""Who asks: the credentials, and access tokens for each user who is impersonated.

Sources: Google Identity, "Using OAuth 2.0 for server to server applications" (error codes of the token endpoint).
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import google.auth
import google.auth.exceptions
import google.oauth2.credentials
import msgspec
from google.oauth2 import service_account

from cloudscan.errors import AccessDenied, ConfigurationError, ProviderError, Unreachable
from cloudscan.http import Carrier, decoder
from cloudscan.sentence import say
from cloudscan.text import first_line
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.options import Options


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


@dataclass(frozen=True)
class _Acting:
    """One user's credentials."""

    credentials: Any
    lock: threading.Lock = field(default_factory=threading.Lock)


class Identity:
    """Access tokens: one for each user who is impersonated, renewed when they expire. Thread-safe."""

    def __init__(self, credentials: Any, scopes: Sequence[str], request: "Messenger") -> None:
        self._credentials = credentials
        self._scopes = list(scopes)
        self._request = request
        self._acting: dict[str, _Acting] = {}
        self._lock = threading.Lock()

    def token(self, user: str, *, renew: bool = False) -> str:
        """A token to act as `user` (empty: the credentials' own). Raises `AccessDenied`, `Unreachable`.

        What is read in the name of one user in several threads waits for one token.
        """
        with self._lock:
            acting = self._acting.get(user)
            if acting is None:
                acting = self._acting[user] = _Acting(self._as(user))
        with acting.lock:
            if renew or not acting.credentials.valid:
                self._refresh(user, acting.credentials)
            return str(acting.credentials.token)

    def _refresh(self, user: str, credentials: Any) -> None:
        try:
            credentials.refresh(self._request)
        except google.auth.exceptions.TransportError as error:
            raise Unreachable(Code.TOKENS_FAILED, quote=first_line(error, 200)) from error
        except google.auth.exceptions.GoogleAuthError as error:
            raise _refused_token(user, error) from error
        except (ValueError, TypeError, KeyError) as error:  # an answer that google-auth cannot make sense of
            raise Unreachable(Code.TOKENS_FAILED, quote=first_line(error, 200)) from error

    def _as(self, user: str) -> Any:
        scoped = self._credentials.with_scopes(self._scopes) if _takes_scopes(self._credentials) else self._credentials
        if not user:
            return scoped
        if not hasattr(scoped, "with_subject"):
            raise ConfigurationError(
                say(
                    "These credentials cannot act as other users: connectors.gdrive.admin needs a service "
                    "account with domain-wide delegation. Set connectors.gdrive.key_file to its key, or "
                    "leave `admin` out to scan only your own drive."
                )
            )
        return scoped.with_subject(user)


def credentials(options: Options) -> Any:
    """The configured credentials, or those that Google's libraries find. Raises `ConfigurationError`."""
    if options.key_file:
        return _from_file(Path(options.key_file).expanduser())
    try:
        found, _ = google.auth.default()
    except google.auth.exceptions.GoogleAuthError as error:
        raise ConfigurationError(
            say(
                "No Google credentials were found. Set GOOGLE_APPLICATION_CREDENTIALS to a key file, or "
                "set connectors.gdrive.key_file in cloudscan.toml, or run `gcloud auth "
                "application-default login`."
            )
        ) from error
    return found


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
            say(
                "connectors.gdrive.key_file: {path} cannot be read ({why}); check the path and the permissions.",
                path=path,
                why=error.strerror,
            )
        ) from error
    except (msgspec.MsgspecError, KeyError, ValueError, google.auth.exceptions.GoogleAuthError) as error:
        raise ConfigurationError(
            say(
                "connectors.gdrive.key_file: {path} is not the key of a service account; download one as "
                "JSON in the Google Cloud console.",
                path=path,
            )
        ) from error


def _takes_scopes(credentials: Any) -> bool:
    return isinstance(credentials, google.auth.credentials.Scoped)


def _refused_token(user: str, error: google.auth.exceptions.GoogleAuthError) -> ProviderError:
    """What the token endpoint means. It gives the same error for the key, the clock and the person."""
    answer: Mapping[str, Any] = next((argument for argument in error.args if isinstance(argument, dict)), {})
    reason = str(answer.get("error") or "")
    message = str(answer.get("error_description") or "")
    quote = message or reason or first_line(error, 200)
    if reason == "unauthorized_client":
        return AccessDenied(Code.DELEGATION_MISSING, quote=quote)
    if getattr(error, "retryable", False) or (not answer and "invalid" not in quote.lower()):
        return Unreachable(Code.TOKENS_FAILED, quote=quote)
    if reason == "invalid_grant":
        return AccessDenied(_code_of_grant(message.lower()), quote=quote, person=user or "?")
    return AccessDenied(Code.CREDENTIALS_REFUSED, quote=quote)


def _code_of_grant(message: str) -> Code:
    """The cause of an ``invalid_grant``, by Google's description of it."""
    if "short-lived token" in message or "iat" in message.split() or "reasonable timeframe" in message:
        return Code.CLOCK_WRONG
    if "signature" in message or "jwt" in message.split() or "key" in message.split():
        return Code.KEY_REFUSED
    if "account not found" in message:
        return Code.SERVICE_ACCOUNT_UNKNOWN
    if "email or user id" in message:
        return Code.PERSON_UNKNOWN
    return Code.PERSON_REFUSED
