"""The token endpoint: a service account that acts as users of the company, or one user who signed in.

Source: "Using OAuth 2.0 for server to server applications" and its list of errors. What Google says of a user who is
gone (`invalid_grant`) and of a scope that nobody delegated (`unauthorized_client`) comes from here, not from the API.
"""

import base64
import binascii
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from cloudscan_emulators.google import errors
from cloudscan_emulators.google.records import Account
from cloudscan_emulators.google.tenant_state import TenantState

JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SERVICE_ACCOUNT = "scanner@kumo-scan.iam.gserviceaccount.com"
_BY_ITSELF = (
    "Client is unauthorized to retrieve access tokens using this method, "
    "or client not authorized for any of the scopes requested."
)


@dataclass(frozen=True, kw_only=True)
class Token:
    """An access token, bound to who it acts for and what it may."""

    text: str
    email: str
    scopes: frozenset[str]
    ends: float


class Denied(Exception):
    """The token endpoint's own form of error."""

    def __init__(self, *, code: int, error: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.error = error

    def body(self) -> dict[str, str]:
        return {"error": self.error, "error_description": str(self)}


def new_key(size: int = 2048) -> rsa.RSAPrivateKey:
    """A service account's key of `size` bits. Generating a long one is slow, so tests share a short one."""
    return rsa.generate_private_key(public_exponent=65537, key_size=size)


class SignIn:
    """Gives tokens and knows them again."""

    def __init__(
        self,
        state: TenantState,
        *,
        seconds: float = 3600,
        delegated: frozenset[str] | None = None,
        key: rsa.RSAPrivateKey | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.seconds = seconds
        self.delegated = delegated  # None: every scope
        self._state = state
        self._clock = clock
        self._key = key or new_key()
        self._key_id = secrets.token_hex(20)
        self._tokens: dict[str, Token] = {}
        self._refreshing: dict[str, tuple[str, frozenset[str]]] = {}

    def service_account_info(self, url: str) -> dict[str, str]:
        """The key file of a service account whose tokens come from here."""
        private = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": "kumo-scan",
            "private_key_id": self._key_id,
            "private_key": private.decode(),
            "client_email": SERVICE_ACCOUNT,
            "client_id": "104815162342000000000",
            "auth_uri": f"{url}/auth",
            "token_uri": f"{url}/token",
            "universe_domain": "googleapis.com",
        }

    def authorized_user_info(self, url: str, email: str, scopes: frozenset[str]) -> dict[str, Any]:
        """What one user's own consent leaves behind: a refresh token.

        `Credentials.from_authorized_user_info` of google-auth passes over `token_uri`; hand it to `Credentials`.
        """
        refresh = f"1//{secrets.token_urlsafe(32)}"
        self._refreshing[refresh] = (email, scopes)
        return {
            "type": "authorized_user",
            "client_id": "kumo.apps.googleusercontent.com",
            "client_secret": "not-a-secret",
            "refresh_token": refresh,
            "token_uri": f"{url}/token",
            "scopes": sorted(scopes),
            "account": email,
        }

    def give(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Answer a POST to the token endpoint."""
        kind = form.get("grant_type")
        if kind == JWT:
            email, scopes = self._read(form.get("assertion", ""))
            self._may(email)
            if not scopes:
                raise Denied(code=400, error="invalid_scope", description="Empty or missing scope not allowed.")
            if self.delegated is not None and not scopes <= self.delegated:
                raise Denied(code=401, error="unauthorized_client", description=_BY_ITSELF)
            return self._new(email, scopes)
        if kind == "refresh_token":
            refresh = form.get("refresh_token", "")
            if refresh not in self._refreshing:
                raise Denied(code=400, error="invalid_grant", description="Bad Request")
            email, scopes = self._refreshing[refresh]
            self._may(email)
            narrowed = frozenset(form.get("scope", "").split())
            if not narrowed <= scopes:
                raise Denied(code=400, error="invalid_scope", description="Some requested scopes cannot be granted")
            scopes = narrowed or scopes
            return {**self._new(email, scopes), "scope": " ".join(sorted(scopes))}
        raise Denied(code=400, error="unsupported_grant_type", description=f"Invalid grant_type: {kind}")

    def who(self, header: str, api: str) -> Token:
        """The user as whom a request acts."""
        if not header.lower().startswith("bearer "):
            raise errors.no_token(api)
        token = self._tokens.get(header[7:].strip())
        if token is None or token.ends <= self._clock():
            raise errors.bad_token()
        person = self._state.find(token.email)
        if person is None or person.deleted or (isinstance(person, Account) and person.suspended):
            raise errors.bad_token()
        return token

    def expire(self, email: str = "") -> None:
        """Make tokens worthless, all of them or one user's."""
        for text in [text for text, token in self._tokens.items() if email in ("", token.email)]:
            del self._tokens[text]

    def _new(self, email: str, scopes: frozenset[str]) -> dict[str, Any]:
        text = f"ya29.{secrets.token_urlsafe(48)}"
        self._tokens[text] = Token(text=text, email=email, scopes=scopes, ends=self._clock() + self.seconds)
        return {"access_token": text, "expires_in": max(1, int(self.seconds)), "token_type": "Bearer"}

    def _may(self, email: str) -> None:
        person = self._state.find(email)
        if person is None or person.deleted:
            raise Denied(code=400, error="invalid_grant", description="Invalid email or User ID")
        if isinstance(person, Account) and person.suspended:
            raise Denied(code=400, error="invalid_grant", description="Account has been disabled or suspended")
        if not isinstance(person, Account):
            raise Denied(code=401, error="unauthorized_client", description=_BY_ITSELF)

    def _read(self, assertion: str) -> tuple[str, frozenset[str]]:
        parts = assertion.split(".")
        try:
            head, claims = json.loads(_unpack(parts[0])), json.loads(_unpack(parts[1]))
            self._key.public_key().verify(
                _unpack(parts[2]), f"{parts[0]}.{parts[1]}".encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except (IndexError, ValueError, binascii.Error, InvalidSignature):
            raise Denied(code=400, error="invalid_grant", description="Invalid JWT Signature.") from None
        if head.get("alg") != "RS256" or claims.get("iss") != SERVICE_ACCOUNT:
            raise Denied(code=400, error="invalid_grant", description="Invalid grant: account not found")
        if not claims.get("iat", 0) - 300 <= self._clock() <= claims.get("exp", 0):
            message = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
            raise Denied(code=400, error="invalid_grant", description=message)
        return str(claims.get("sub") or ""), frozenset(str(claims.get("scope") or "").split())


def _unpack(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
