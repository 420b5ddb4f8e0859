"""Access tokens, by azure-identity: one for each service that is asked, renewed when they run out."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
from cloudscan_m365.options import Options

AUTHORITIES = {
    "global": "https://login.microsoftonline.com",
    "usgov": "https://login.microsoftonline.us",
    "dod": "https://login.microsoftonline.us",
    "china": "https://login.chinacloudapi.cn",
}
_EARLY = 300.0  # seconds before its end at which a token is not used any more
_SOON_AT_MOST = 0.1  # of its life, where that is short


@dataclass
class SignIn:
    """Gives tokens. May be used from any thread."""

    make: Callable[[], TokenCredential]
    by_secret: bool  # SharePoint's own API does not let such a token in
    _credential: TokenCredential | None = None
    _tokens: dict[str, tuple[AccessToken, float]] = field(default_factory=dict)  # by service, with when they were given
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def token(self, service: str, *, refused: str = "") -> str:
        """A token for a service, such as ``https://graph.microsoft.com``.

        `refused` is one that the service does not take any more. Raises `AccessDenied`, `Unreachable`,
        `ConfigurationError`.
        """
        with self._lock:
            if refused and service in self._tokens and self._tokens[service][0].token == refused:
                self._forget(service)
            known = self._tokens.get(service)
            if known is None or not _is_good(*known):
                known = self._tokens[service] = self._asked(service), time.time()
            return known[0].token

    def forget(self, service: str) -> None:
        """Ask for a new token next time."""
        with self._lock:
            self._forget(service)

    def _forget(self, service: str) -> None:
        self._tokens.pop(service, None)
        self._credential = None  # its cache would give the same one again

    def _asked(self, service: str) -> AccessToken:
        if self._credential is None:
            self._credential = self.make()
        try:
            return self._credential.get_token(f"{service}/.default")
        except CredentialUnavailableError as error:
            raise ConfigurationError(
                f"No credentials for Microsoft 365 were found ({_first_line(error)}). Set AZURE_TENANT_ID, "
                "AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or name a certificate as connectors.m365.certificate_file."
            ) from error
        except ClientAuthenticationError as error:
            raise AccessDenied(f"Entra does not accept the credentials ({_first_line(error)})") from error
        except (ServiceRequestError, ServiceResponseError) as error:
            raise Unreachable("no answer from Entra's token endpoint; check the network") from error
        except ValueError as error:
            raise ConfigurationError(
                f"The credentials for Microsoft 365 cannot be used: {_first_line(error)}"
            ) from error


def sign_in(options: Options) -> SignIn:
    """Find the credentials: as `options.sign_in` says, or the first that is there. Raises `ConfigurationError`."""
    tenant = options.tenant or os.environ.get("AZURE_TENANT_ID", "")
    client = options.client_id or os.environ.get("AZURE_CLIENT_ID", "")
    certificate = options.certificate_file or os.environ.get("AZURE_CLIENT_CERTIFICATE_PATH", "")
    secret = os.environ.get("AZURE_CLIENT_SECRET", "")
    more: dict[str, Any] = {"authority": options.authority or AUTHORITIES[options.cloud]}
    if options.authority:
        more["disable_instance_discovery"] = True
    if options.ca_file:
        more["connection_verify"] = options.ca_file
    kind = options.sign_in
    if kind == "found":
        kind = _found(certificate, secret) or kind
    if kind in ("secret", "certificate") and not (tenant and client):
        raise ConfigurationError(
            "Microsoft 365 needs the tenant and the application: set connectors.m365.tenant and "
            "connectors.m365.client_id in cloudscan.toml, or AZURE_TENANT_ID and AZURE_CLIENT_ID."
        )
    match kind:
        case "certificate":
            data = _certificate(certificate)
            password = os.environ.get("AZURE_CLIENT_CERTIFICATE_PASSWORD")
            return SignIn(
                lambda: CertificateCredential(tenant, client, certificate_data=data, password=password, **more),
                by_secret=False,
            )
        case "secret":
            if not secret:
                raise ConfigurationError("connectors.m365.sign_in is 'secret': set AZURE_CLIENT_SECRET.")
            return SignIn(lambda: ClientSecretCredential(tenant, client, secret, **more), by_secret=True)
        case "workload_identity":
            return SignIn(
                lambda: WorkloadIdentityCredential(tenant_id=tenant or None, client_id=client or None, **more),
                by_secret=False,
            )
        case "managed_identity":
            return SignIn(lambda: ManagedIdentityCredential(client_id=client or None), by_secret=False)
        case _:
            return SignIn(lambda: DefaultAzureCredential(**more), by_secret=False)


def _found(certificate: str, secret: str) -> Any:
    if certificate:
        return "certificate"
    if secret:
        return "secret"
    return "workload_identity" if os.environ.get("AZURE_FEDERATED_TOKEN_FILE") else ""


def _certificate(name: str) -> bytes:
    if not name:
        raise ConfigurationError("connectors.m365.sign_in is 'certificate': name the connectors.m365.certificate_file.")
    path = Path(name).expanduser()
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"connectors.m365.certificate_file: {path} cannot be read ({error.strerror}); check path and rights."
        ) from error


def _is_good(token: AccessToken, given: float) -> bool:
    early = min(_EARLY, (token.expires_on - given) * _SOON_AT_MOST)
    return time.time() < token.expires_on - early


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
