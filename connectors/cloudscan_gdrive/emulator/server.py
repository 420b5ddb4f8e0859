"""The service on a port of the loopback interface: HTTP/1.1 with kept connections and compressed bodies."""

import json
import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from cloudscan_gdrive.emulator.faults import Faults
from cloudscan_gdrive.emulator.manners import Manners
from cloudscan_gdrive.emulator.messages import Answer, Request
from cloudscan_gdrive.emulator.quota import Quota
from cloudscan_gdrive.emulator.records import Event
from cloudscan_gdrive.emulator.service import Seen, Service
from cloudscan_gdrive.emulator.signin import SignIn
from cloudscan_gdrive.emulator.world import World

_WORTH_PACKING = 1400


@dataclass(frozen=True)
class Server:
    """A running emulator."""

    url: str
    service: Service

    @property
    def world(self) -> World:
        return self.service.world

    @property
    def manners(self) -> Manners:
        return self.service.manners

    @property
    def faults(self) -> Faults:
        return self.service.faults

    @property
    def sign_in(self) -> SignIn:
        return self.service.sign_in

    @property
    def log(self) -> list[Seen]:
        """Every request so far, those within batches too."""
        return self.service.log

    @property
    def requests(self) -> int:
        """How many requests came over the network, the token endpoint's included."""
        return sum(not seen.in_batch for seen in self.service.log)

    def endpoint(self, api: str) -> str:
        """What to give the client library as `api_endpoint` for drive, admin or cloudidentity."""
        return f"{self.url}/drive/v3/" if api == "drive" else f"{self.url}/"

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
        self.manners.page_epoch += 1

    def forget_changes(self) -> None:
        """Make all change tokens given so far invalid, which the scanner must survive."""
        with self.world.lock:
            self.world.events.append(Event(self.world.now, None, (), frozenset()))
            self.manners.oldest_change = self.world.newest_change


@contextmanager
def serve(
    world: World,
    *,
    port: int = 0,
    manners: Manners | None = None,
    quota: Quota | None = None,
    token_seconds: float = 3600,
    delegated: frozenset[str] | None = None,
    key: RSAPrivateKey | None = None,
) -> Iterator[Server]:
    """Run the emulator of a world until the block is left."""
    sign_in = SignIn(world, seconds=token_seconds, delegated=delegated, key=key)
    service = Service(world, sign_in, manners or Manners(), quota or Quota())
    http = _Http(("127.0.0.1", port), service)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True, name="google")
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{http.server_port}", service)
    finally:
        http.shutdown()
        http.server_close()
        thread.join(timeout=5)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], service: Service) -> None:
        self.service = service
        self.torn: set[int] = set()
        super().__init__(address, _Handler)

    def shutdown_request(self, request: Any) -> None:
        """A torn connection is closed without goodbye, which the client sees as a reset."""
        if id(request) in self.torn:
            self.torn.discard(id(request))
            request.close()
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the trade."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Http

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815 - the names are the standard library's

    def log_message(self, format: str, *args: Any) -> None:
        """The service keeps its own log."""

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length) if length else b""
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(verb=self.command, path=path, query=query, headers=headers, body=body)
        self._send(self.server.service.answer(request))

    def _send(self, answer: Answer) -> None:
        if answer.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.server.torn.add(id(self.connection))
            self.close_connection = True
            return
        body = answer.body
        lines = [
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
            f"Content-Type: {answer.content_type}",
            "Cache-Control: private, no-cache, no-store",
            *(f"{name}: {value}" for name, value in answer.headers.items()),
        ]
        if len(body) > _WORTH_PACKING and "gzip" in self.headers.get("accept-encoding", ""):
            packer = zlib.compressobj(1, wbits=31)
            body = packer.compress(body) + packer.flush()
            lines.append("Content-Encoding: gzip")
        lines += [f"Content-Length: {len(body)}", "", ""]
        if answer.cut:
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write("\r\n".join(lines).encode("latin-1") + body)
