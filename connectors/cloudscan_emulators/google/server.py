"""The service on a port of the loopback interface: HTTP/1.1 with kept connections and compressed bodies."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from cloudscan_emulators.google.faults import Fault
from cloudscan_emulators.google.quirks import Quirks
from cloudscan_emulators.google.quota import Quota
from cloudscan_emulators.google.records import Event
from cloudscan_emulators.google.service import Service
from cloudscan_emulators.google.signin import SignIn
from cloudscan_emulators.google.tenant_state import TenantState
from cloudscan_emulators.google.text import JSON_TYPE
from cloudscan_emulators.kit import local_server
from cloudscan_emulators.kit.faults import Faults
from cloudscan_emulators.kit.request_log import LoggedRequest, over_network

_HEADERS = {"Cache-Control": "private, no-cache, no-store"}


@dataclass(frozen=True)
class Server:
    """A running emulator."""

    url: str
    service: Service

    @property
    def state(self) -> TenantState:
        return self.service.state

    @property
    def quirks(self) -> Quirks:
        return self.service.quirks

    @property
    def faults(self) -> Faults[Fault]:
        return self.service.faults

    @property
    def sign_in(self) -> SignIn:
        return self.service.sign_in

    @property
    def log(self) -> list[LoggedRequest]:
        """Every request so far, those within batches too."""
        return self.service.log

    @property
    def requests(self) -> int:
        """How many requests came over the network, the token endpoint's included."""
        return over_network(self.service.log)

    def endpoint(self, api: str) -> str:
        """What to give the client library as `api_endpoint`, by the name of the API."""
        return self.url + {"drive": "/drive/v3/", "groupssettings": "/groups/v1/groups/"}.get(api, "/")

    def service_account_info(self) -> dict[str, str]:
        return self.sign_in.service_account_info(self.url)

    def authorized_user_info(self, email: str, *scopes: str) -> dict[str, Any]:
        """Credentials as one user's own consent leaves them behind."""
        return self.sign_in.authorized_user_info(self.url, email, frozenset(scopes))

    def write_key(self, path: Path) -> Path:
        """Write the service account's key file, readable by its owner only."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(self.service_account_info(), indent=2), encoding="utf-8")
        return path

    def expire_tokens(self, email: str = "") -> None:
        self.sign_in.expire(email)

    def expire_pages(self) -> None:
        """Page tokens of lists live some hours; these are over now. Change tokens stay good."""
        self.quirks.page_epoch += 1

    def forget_changes(self) -> None:
        """Make all change tokens given so far invalid, which the scanner must survive."""
        with self.state.lock:
            self.state.events.append(Event(self.state.now, None, (), frozenset()))
            self.quirks.oldest_change = self.state.newest_change


@contextmanager
def serve(
    state: TenantState,
    *,
    port: int = 0,
    quirks: Quirks | None = None,
    quota: Quota | None = None,
    token_seconds: float = 3600,
    delegated: frozenset[str] | None = None,
    key: RSAPrivateKey | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Server]:
    """Run the emulator of a tenant until the block is left. Raises `FaultNeverMet` for a fault that never struck.

    `clock` gives the seconds by which quotas are counted.
    """
    sign_in = SignIn(state, seconds=token_seconds, delegated=delegated, key=key)
    service = Service(state, sign_in, quirks or Quirks(), quota or Quota(), clock)
    listener = local_server.Service(answer=service.answer, content_type=JSON_TYPE, headers=_HEADERS)
    with local_server.listening(listener, port) as at:
        yield Server(f"http://127.0.0.1:{at}", service)
    service.faults.require_met()
