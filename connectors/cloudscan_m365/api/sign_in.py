"""Access tokens from azure-identity: one for each service, renewed before they expire."""

import logging
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError, ServiceResponseError
from azure.identity import (
    CertificateCredential,
    ClientSecretCredential,
    CredentialUnavailableError,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)

from cloudscan.errors import AccessDenied, ConfigurationError, Unreachable
from cloudscan.sentence import Sentence, say
from cloudscan.text import first_line
from cloudscan_m365.options import Options

AUTHORITIES = {
    "global": "https://login.microsoftonline.com",
    "usgov": "https://login.microsoftonline.us",
    "dod": "https://login.microsoftonline.us",
    "china": "https://login.chinacloudapi.cn",
}
_AADSTS: Final = re.compile(r"AADSTS(\d+)")
_NO_ANSWER: Final = re.compile(
    r"Failed to resolve|Max retries|timed out|Connection (refused|reset|aborted)|ConnectionPool"
)
_DER_SEQUENCE: Final = b"\x30"  # how PKCS12 begins
_CAUSES: Final = {
    "7000215": "graph-secret-wrong",
    "7000222": "graph-secret-expired",
    "700027": "graph-certificate-unknown",
    "700024": "graph-clock-wrong",
    "700016": "graph-application-unknown",
    "7000112": "graph-application-disabled",
    "90002": "graph-tenant-unknown",
    "900023": "graph-tenant-unknown",
    "53003": "graph-conditional-access",
    "530034": "graph-conditional-access",
    "500011": "graph-no-such-service",
}
"""What Entra's error codes mean ("Microsoft Entra authentication and authorization error codes")."""

_EARLY = 300.0  # seconds before its expiry at which a token is renewed
_EARLY_SHARE = 0.1  # at most this part of its lifetime before, where that is short


@dataclass
class SignIn:
    """The source of tokens. May be used from any thread."""

    make: Callable[[], TokenCredential]
    by_secret: bool  # SharePoint's own API does not accept such a token
    _credential: TokenCredential | None = None
    _tokens: dict[str, tuple[AccessToken, float]] = field(default_factory=dict)  # by service, with the time of issue
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def token(self, service: str, *, refused: str = "") -> str:
        """A token for a service, such as ``https://graph.microsoft.com``.

        `refused` is one that the service no longer accepts. Raises `AccessDenied`, `Unreachable`,
        `ConfigurationError`.
        """
        with self._lock:
            if refused and service in self._tokens and self._tokens[service][0].token == refused:
                self._forget(service)
            known = self._tokens.get(service)
            if known is None or not _is_fresh(*known):
                known = self._tokens[service] = self._requested(service), time.time()
            return known[0].token

    def forget(self, service: str) -> None:
        """Request a new token next time."""
        with self._lock:
            self._forget(service)

    def _forget(self, service: str) -> None:
        self._tokens.pop(service, None)
        self._credential = None  # its cache would return the same token

    def _requested(self, service: str) -> AccessToken:
        try:
            if self._credential is None:
                self._credential = self.make()
            return self._credential.get_token(f"{service}/.default")
        except CredentialUnavailableError as error:
            raise _none_found(error) from error
        except ClientAuthenticationError as error:
            if _AADSTS.search(error.message):
                raise _refused(first_line(error, 200)) from error
            if _NO_ANSWER.search(error.message):
                raise Unreachable("graph-no-token", quote=first_line(error, 200)) from error
            if error.message.startswith("DefaultAzureCredential"):
                raise _none_found(error) from error
            raise _refused(first_line(error, 200)) from error
        except (ServiceRequestError, ServiceResponseError) as error:
            raise Unreachable("graph-no-token") from error
        except ValueError as error:
            raise ConfigurationError(
                say(
                    "The credentials for Microsoft 365 cannot be used ({reason}); check the certificate and password.",
                    reason=first_line(error, 200),
                )
            ) from error


def sign_in(options: Options) -> SignIn:
    """The credentials that `options.sign_in` names, or the first ones found. Raises `ConfigurationError`."""
    for name in ("azure", "msal"):
        # Their warnings repeat what is raised; without any handler Python would print them.
        logging.getLogger(name).addHandler(_QUIET)
    tenant = options.tenant or os.environ.get("AZURE_TENANT_ID", "")
    client = options.client_id or os.environ.get("AZURE_CLIENT_ID", "")
    certificate = options.certificate_file or os.environ.get("AZURE_CLIENT_CERTIFICATE_PATH", "")
    secret = os.environ.get("AZURE_CLIENT_SECRET", "")
    settings: dict[str, Any] = {"authority": options.authority or AUTHORITIES[options.cloud]}
    if options.authority:
        settings["disable_instance_discovery"] = True
    if options.ca_file:
        settings["connection_verify"] = options.ca_file
    kind = options.sign_in
    if kind == "found":
        kind = _found(certificate, secret) or kind
    if kind in ("secret", "certificate") and not (tenant and client):
        raise ConfigurationError(
            say(
                "Microsoft 365 needs the tenant and the application: set connectors.m365.tenant and "
                "connectors.m365.client_id in cloudscan.toml, or AZURE_TENANT_ID and AZURE_CLIENT_ID."
            )
        )
    match kind:
        case "certificate":
            password = os.environ.get("AZURE_CLIENT_CERTIFICATE_PASSWORD")
            data = _certificate(certificate, has_password=bool(password))
            return SignIn(
                lambda: CertificateCredential(tenant, client, certificate_data=data, password=password, **settings),
                by_secret=False,
            )
        case "secret":
            if not secret:
                raise ConfigurationError(say("connectors.m365.sign_in is 'secret': set AZURE_CLIENT_SECRET."))
            return SignIn(lambda: ClientSecretCredential(tenant, client, secret, **settings), by_secret=True)
        case "workload_identity":
            return SignIn(
                lambda: WorkloadIdentityCredential(tenant_id=tenant or None, client_id=client or None, **settings),
                by_secret=False,
            )
        case "managed_identity":
            return SignIn(lambda: ManagedIdentityCredential(client_id=client or None), by_secret=False)
        case _:
            return SignIn(lambda: DefaultAzureCredential(**settings), by_secret=False)


_QUIET: Final = logging.NullHandler()


def _refused(words: str) -> AccessDenied:
    """The reason why Entra gives no token, by the code in its message."""
    code = _AADSTS.search(words)
    return AccessDenied(_CAUSES.get(code[1] if code else "", "graph-credentials-refused"), quote=words)


def _found(certificate: str, secret: str) -> Any:
    if certificate:
        return "certificate"
    if secret:
        return "secret"
    return "workload_identity" if os.environ.get("AZURE_FEDERATED_TOKEN_FILE") else ""


def _none_found(error: Exception) -> ConfigurationError:
    return ConfigurationError(
        say(
            "No credentials for Microsoft 365 were found ({reason}). Set AZURE_TENANT_ID, AZURE_CLIENT_ID and "
            "AZURE_CLIENT_SECRET, or name a certificate as connectors.m365.certificate_file, or run `az login`.",
            reason=first_line(error, 200),
        )
    )


def _certificate(name: str, *, has_password: bool) -> bytes:
    """The content of the certificate's file. Raises `ConfigurationError` where its key is missing, or it is neither."""
    if not name:
        raise ConfigurationError(
            say("connectors.m365.sign_in is 'certificate': name the connectors.m365.certificate_file.")
        )
    path = Path(name).expanduser()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            say(
                "connectors.m365.certificate_file: {path} cannot be read ({why}); check the path and the permissions.",
                path=path,
                why=error.strerror,
            )
        ) from error
    if problem := _problem(data, has_password=has_password):
        raise ConfigurationError(say("connectors.m365.certificate_file: {file} {problem}.", file=path, problem=problem))
    return data


def _problem(data: bytes, *, has_password: bool) -> Sentence | None:
    """What is missing from a certificate's file; None if nothing is, or if it is binary: PKCS12."""
    has_certificate, has_key = b"-----BEGIN CERTIFICATE" in data, b"PRIVATE KEY-----" in data
    if has_certificate and not has_key:
        return say("has a certificate without its private key; append the key: cat key.pem >> certificate.pem")
    if has_key and not has_certificate:
        return say("has a private key without its certificate; append the certificate: cat cert.pem >> key.pem")
    if not has_certificate and not data.startswith(_DER_SEQUENCE):
        return say("is neither PEM nor PKCS12; name the file with the certificate and its private key")
    if b"ENCRYPTED" in data and has_certificate and not has_password:
        return say("has an encrypted private key; set AZURE_CLIENT_CERTIFICATE_PASSWORD")
    return None


def _is_fresh(token: AccessToken, issued: float) -> bool:
    early = min(_EARLY, (token.expires_on - issued) * _EARLY_SHARE)
    return time.time() < token.expires_on - early
