"""Entra: discovery documents, the token endpoint, managed identities, and the tokens themselves.

Sources: "Microsoft identity platform and the OAuth 2.0 client credentials flow", "certificate credentials", "error
codes" (AADSTS...), "How to use managed identities for App Service". Tokens are bound to one audience and have the
application permissions that were consented to for it as `roles`; SharePoint accepts only those from certificates
(appidacr 2).
"""

import base64
import binascii
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from cloudscan_emulators.microsoft import errors
from cloudscan_emulators.microsoft.people import GRAPH_APP, SHAREPOINT_APP
from cloudscan_emulators.microsoft.records import Application
from cloudscan_emulators.microsoft.tenant_state import TenantState

GRAPH = "https://graph.microsoft.com"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, kw_only=True)
class Token:
    """An access token, bound to an application, an audience and its permissions there."""

    text: str
    app_id: str
    audience: str
    roles: frozenset[str]
    by_certificate: bool
    ends: float


class Denied(Exception):
    """The token endpoint's own form of error."""

    def __init__(self, status: int, error: str, number: int, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.number = number

    def body(self, date: str) -> dict[str, Any]:
        """The body of the error answer, with Entra's error code."""
        trace = secrets.token_hex(16)
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self} Trace ID: {trace} Timestamp: {date}",
            "error_codes": [self.number],
            "timestamp": date,
            "trace_id": trace,
            "correlation_id": secrets.token_hex(16),
        }


class SignIn:
    """Issues tokens and recognises them."""

    def __init__(self, state: TenantState, *, seconds: float = 3600, clock: Callable[[], float] = time.time) -> None:
        self.seconds = seconds
        self.identity_header = secrets.token_hex(16)
        self._state = state
        self._clock = clock
        self._tokens: dict[str, Token] = {}
        self._lock = threading.Lock()

    def discovery(self, tenant: str, base: str) -> dict[str, Any]:
        """The OpenID configuration of a tenant."""
        self._tenant(tenant)
        tenant_id = self._state.tenant_id
        return {
            "token_endpoint": f"{base}/{tenant_id}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{base}/{tenant_id}/discovery/v2.0/keys",
            "issuer": f"{base}/{tenant_id}/v2.0",
            "authorization_endpoint": f"{base}/{tenant_id}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/{tenant_id}/oauth2/v2.0/devicecode",
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "tenant_region_scope": "AS",
            "cloud_instance_name": "microsoftonline.com",
            "msgraph_host": "graph.microsoft.com",
        }

    def instances(self, base: str) -> dict[str, Any]:
        """Instance discovery: which hosts are one and the same authority."""
        host = base.partition("://")[2]
        return {
            "tenant_discovery_endpoint": f"{base}/{self._state.tenant_id}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }

    def issue(self, tenant: str, form: Mapping[str, str], base: str) -> dict[str, Any]:
        """Answer a POST to the token endpoint."""
        self._tenant(tenant)
        if form.get("grant_type") != "client_credentials":
            raise Denied(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        app = self._application(form.get("client_id", ""))
        audience = self._audience(form.get("scope", ""), base)
        if "client_assertion" in form:
            if form.get("client_assertion_type") != ASSERTION:
                raise Denied(400, "invalid_request", 900144, "The client_assertion_type is missing or not supported.")
            self._check_assertion(app, form["client_assertion"])
            return self._new(app, audience, by_certificate=True)
        if "client_secret" not in form:
            message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
            raise Denied(401, "invalid_client", 7000218, message)
        if form["client_secret"] not in app.secrets:
            message = f"Invalid client secret provided for app '{app.app_id}'."
            raise Denied(401, "invalid_client", 7000215, message)
        return self._new(app, audience, by_certificate=False)

    def issue_managed(self, query: Mapping[str, str], header: str, base: str) -> dict[str, Any]:
        """Answer App Service's managed identity endpoint."""
        if header != self.identity_header:
            raise Denied(401, "unauthorized", 0, "The X-IDENTITY-HEADER is missing or wrong.")
        app = next((one for one in self._state.applications if one.managed), None)
        if app is None:
            raise Denied(400, "invalid_request", 0, "No managed identity is assigned.")
        resource = query.get("resource", "").removesuffix("/.default")
        given = self._new(app, self._audience(f"{resource}/.default", base), by_certificate=True)
        return {
            "access_token": given["access_token"],
            "expires_on": str(int(self._clock() + self.seconds)),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": app.app_id,
        }

    def authenticate(self, header: str, audience: str) -> Token:
        """The token of a request; raises Graph's errors for an invalid one."""
        if not header.lower().startswith("bearer ") or not header[7:].strip():
            raise errors.no_token()
        token = self._tokens.get(header[7:].strip())
        if token is None:
            raise errors.no_such_token()
        if token.ends <= self._clock():
            raise errors.expired()
        if token.audience != audience:
            raise errors.wrong_audience()
        return token

    def expire(self) -> None:
        """Make all tokens expire now."""
        with self._lock:
            for text, token in list(self._tokens.items()):
                self._tokens[text] = Token(
                    text=text,
                    app_id=token.app_id,
                    audience=token.audience,
                    roles=token.roles,
                    by_certificate=token.by_certificate,
                    ends=0,
                )

    def _new(self, app: Application, audience: str, *, by_certificate: bool) -> dict[str, Any]:
        now = int(self._clock())
        roles = app.graph_roles if audience == GRAPH else app.sharepoint_roles
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{self._state.tenant_id}/",
            "iat": now,
            "nbf": now,
            "exp": now + int(self.seconds),
            "app_displayname": app.name,
            "appid": app.app_id,
            "appidacr": "2" if by_certificate else "1",
            "idtyp": "app",
            "oid": app.id,
            "roles": sorted(roles),
            "tid": self._state.tenant_id,
            "ver": "1.0",
        }
        if not roles:
            del claims["roles"]
        head = _pack(json.dumps({"typ": "JWT", "alg": "RS256", "kid": "kumo"}).encode())
        text = f"{head}.{_pack(json.dumps(claims).encode())}.{secrets.token_urlsafe(64)}"
        with self._lock:
            self._tokens[text] = Token(
                text=text,
                app_id=app.app_id,
                audience=audience,
                roles=roles,
                by_certificate=by_certificate,
                ends=self._clock() + self.seconds,
            )
        left = max(1, int(self.seconds))
        return {"token_type": "Bearer", "expires_in": left, "ext_expires_in": left, "access_token": text}

    def _tenant(self, name: str) -> None:
        known = {self._state.tenant_id, self._state.initial_domain, *self._state.domains}
        if name.lower() not in known:
            message = f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID."
            raise Denied(400, "invalid_tenant", 90002, message)

    def _application(self, app_id: str) -> Application:
        for app in self._state.applications:
            if app.app_id == app_id:
                if not app.enabled:
                    raise Denied(400, "unauthorized_client", 7000112, f"Application '{app_id}' is disabled.")
                return app
        message = f"Application with identifier '{app_id}' was not found in the directory '{self._state.name}'."
        raise Denied(400, "unauthorized_client", 700016, message)

    def _audience(self, scope: str, base: str) -> str:
        """The service that a token is requested for; the server's own address means Graph."""
        resource = scope.removesuffix("/.default").rstrip("/")
        if not scope.endswith("/.default") or " " in scope:
            message = (
                f"The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
            )
            raise Denied(400, "invalid_scope", 1002012, message)
        host = base.partition("://")[2]
        if resource in (GRAPH, GRAPH_APP) or resource.partition("://")[2] == host:
            return GRAPH
        sites = f"https://{self._state.host}"
        if resource == SHAREPOINT_APP:
            return sites
        hosts = [host for host in self._state.hosts() if "-my." not in host]
        if resource in {f"https://{host}" for host in hosts}:
            return resource
        message = f"The resource principal named {resource} was not found in the tenant named {self._state.name}."
        raise Denied(400, "invalid_resource", 500011, message)

    def _check_assertion(self, app: Application, assertion: str) -> None:
        if assertion in app.federated:
            return
        parts = assertion.split(".")
        try:
            head, claims = json.loads(_unpack(parts[0])), json.loads(_unpack(parts[1]))
            signature = _unpack(parts[2])
        except (IndexError, ValueError, binascii.Error):
            raise Denied(401, "invalid_client", 50027, "JWT token is invalid or malformed.") from None
        signed = f"{parts[0]}.{parts[1]}".encode()
        if not any(_signed_by(one, head.get("alg", ""), signature, signed) for one in app.certificates):
            message = (
                "The certificate with identifier used to sign the client assertion is not registered on application."
            )
            raise Denied(401, "invalid_client", 700027, message)
        if claims.get("sub") != app.app_id or claims.get("iss") != app.app_id:
            message = "The client assertion's issuer and subject must be the application."
            raise Denied(401, "invalid_client", 700021, message)
        if not claims.get("nbf", 0) - 300 <= self._clock() <= claims.get("exp", 0) + 300:
            raise Denied(401, "invalid_client", 700024, "Client assertion is not within its valid time range.")


def _signed_by(certificate: str, algorithm: str, signature: bytes, signed: bytes) -> bool:
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    pads: dict[str, padding.AsymmetricPadding] = {
        "RS256": padding.PKCS1v15(),
        "PS256": padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32),
    }
    if not isinstance(key, rsa.RSAPublicKey) or algorithm not in pads:
        return False
    try:
        key.verify(signature, signed, pads[algorithm], hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _pack(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _unpack(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
