"""The service on one port of the loopback interface, as http and as https: HTTP/1.1, kept connections, packed bodies.

azure-identity insists on an authority with https (``normalize_authority``), the Graph client takes http for the
loopback interface. So the first byte of a connection decides which it is, and the certificate is made at the start:

    ClientSecretCredential(
        server.tenant, server.client_id, server.client_secret,
        authority=server.authority, disable_instance_discovery=True, connection_verify=server.ca_file)

`connection_verify` goes down to the transport of azure-core; REQUESTS_CA_BUNDLE in the environment does the same.
"""

import socket
import ssl
import struct
import tempfile
import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cloudscan_m365.emulator import certificates
from cloudscan_m365.emulator.certificates import Pair
from cloudscan_m365.emulator.faults import Faults
from cloudscan_m365.emulator.manners import Manners
from cloudscan_m365.emulator.messages import Answer, Request
from cloudscan_m365.emulator.quota import Quota
from cloudscan_m365.emulator.records import Application
from cloudscan_m365.emulator.service import Seen, Service
from cloudscan_m365.emulator.signin import SignIn
from cloudscan_m365.emulator.world import World

SCANNER = "cloudscan"
GRAPH_ROLES = frozenset(
    {
        "Application.Read.All",
        "AuditLog.Read.All",
        "Channel.ReadBasic.All",
        "ChannelMember.Read.All",
        "CrossTenantInformation.ReadBasic.All",
        "Directory.Read.All",
        "Files.Read.All",
        "GroupMember.Read.All",
        "Member.Read.Hidden",
        "Organization.Read.All",
        "Policy.Read.All",
        "SensitivityLabels.Read.All",
        "SharePointTenantSettings.Read.All",
        "Sites.Read.All",
        "Team.ReadBasic.All",
        "TeamMember.Read.All",
        "User.Read.All",
    }
)
SHAREPOINT_ROLES = frozenset({"Sites.FullControl.All"})
_WORTH_PACKING = 1400
_TLS_HELLO = b"\x16"


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running emulator."""

    url: str
    authority: str  # the same, with https
    service: Service
    scanner: Application
    client_secret: str
    ca_file: Path  # the certificate to trust

    @property
    def graph(self) -> str:
        """The base address of Graph."""
        return f"{self.url}/v1.0"

    @property
    def tenant(self) -> str:
        return self.world.tenant_id

    @property
    def client_id(self) -> str:
        return self.scanner.app_id

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
    def quota(self) -> Quota:
        return self.service.meter.quota

    @property
    def log(self) -> list[Seen]:
        """Every request so far, those within batches too."""
        return self.service.log

    @property
    def requests(self) -> int:
        """How many requests came over the network, those for tokens included."""
        return sum(not seen.in_batch for seen in self.service.log)

    @property
    def units(self) -> int:
        """How many resource units were spent."""
        return self.service.meter.spent

    def sharepoint(self, host: str = "") -> str:
        """Where SharePoint's own REST of a host of the tenant is to be had: as the first segment of the path."""
        return f"{self.url}/{host or self.world.host}"

    def expire_tokens(self) -> None:
        self.sign_in.expire()

    def allow(self, *roles: str, sharepoint: Iterable[str] | None = None) -> None:
        """Give the scanner's application these permissions of Graph and no others. New tokens have them."""
        self.scanner.graph_roles = frozenset(roles)
        if sharepoint is not None:
            self.scanner.sharepoint_roles = frozenset(sharepoint)

    def managed_identity(self) -> dict[str, str]:
        """The environment that App Service gives a managed identity."""
        return {"IDENTITY_ENDPOINT": f"{self.url}/msi/token", "IDENTITY_HEADER": self.sign_in.identity_header}


@contextmanager
def serve(
    world: World,
    *,
    port: int = 0,
    manners: Manners | None = None,
    quota: Quota | None = None,
    token_seconds: float = 3600,
    certificate: Pair | None = None,
    graph_roles: Iterable[str] = GRAPH_ROLES,
    sharepoint_roles: Iterable[str] = SHAREPOINT_ROLES,
) -> Iterator[Server]:
    """Run the emulator of a world until the block is left. `certificate` is what the scanner may sign in with."""
    client_secret = "kumo~secret"  # noqa: S105 - of an invented company
    scanner = world.add_application(
        SCANNER,
        graph=graph_roles,
        sharepoint=sharepoint_roles,
        secrets=[client_secret],
        certificates=[] if certificate is None else [certificate.certificate],
        federated=["workload-identity-token"],
        managed=True,
    )
    service = Service(
        world, SignIn(world, seconds=token_seconds), Manners() if manners is None else manners, quota or Quota()
    )
    with tempfile.TemporaryDirectory(prefix="kumo-") as folder:
        ca_file = Path(folder) / "ca.pem"
        http = _Http(("127.0.0.1", port), service, _tls(ca_file))
        thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True, name="microsoft")
        thread.start()
        try:
            yield Server(
                url=f"http://127.0.0.1:{http.server_port}",
                authority=f"https://127.0.0.1:{http.server_port}",
                service=service,
                scanner=scanner,
                client_secret=client_secret,
                ca_file=ca_file,
            )
        finally:
            http.shutdown()
            http.server_close()
            thread.join(timeout=5)
            scanner.deleted = True


def _tls(ca_file: Path) -> ssl.SSLContext:
    pair = certificates.for_server()
    ca_file.write_text(pair.certificate, encoding="ascii")
    both = ca_file.with_name("server.pem")
    both.touch(mode=0o600)
    both.write_bytes(pair.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], service: Service, tls: ssl.SSLContext) -> None:
        self.service = service
        self.tls = tls
        self.torn: set[int] = set()
        super().__init__(address, _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread: find out whether it is encrypted."""
        if request.recv(1, socket.MSG_PEEK) != _TLS_HELLO:
            _Handler(request, client_address, self)
            return
        with self.tls.wrap_socket(request, server_side=True) as wrapped:
            _Handler(wrapped, client_address, self)

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
        scheme = "https" if isinstance(self.connection, ssl.SSLSocket) else "http"
        base = f"{scheme}://{headers.get('host', '127.0.0.1')}"
        request = Request(verb=self.command, path=path, query=query, base=base, headers=headers, body=body)
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
            "Cache-Control: no-cache",
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
