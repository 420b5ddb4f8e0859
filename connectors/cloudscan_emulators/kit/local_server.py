"""A server on a port of the loopback interface, for emulators: HTTP/1.1, persistent connections, gzip.

An emulator is a function from a `Request` to an `Answer`; everything about the emulated service is its own.
With a certificate it also speaks https on the same port: the first byte of a connection decides which it is.
"""

import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_MIN_GZIP_SIZE = 1400
_TLS_HELLO = b"\x16"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a client sent. Header names are in lower case; `base` is scheme and host as the client wrote them."""

    verb: str
    path: str
    query: str = ""
    base: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        return self.headers.get(name, "")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the client gets."""

    status: int = 200
    body: bytes = b""
    content_type: str = ""  # empty: the service's own
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False  # break off in the middle of the body
    reset: bool = False  # reset the connection


@dataclass(frozen=True, kw_only=True)
class Service:
    """What answers requests, and the headers of all its answers."""

    answer: Callable[[Request], Answer]
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)  # of each answer
    tls: ssl.SSLContext | None = None  # to speak https on the same port


@contextmanager
def listening(service: Service, port: int = 0) -> Iterator[int]:
    """Serve until the block is left. Yields the port."""
    http = _Http(("127.0.0.1", port), service)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True, name="local-server")
    thread.start()
    try:
        yield http.server_port
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
        self.to_reset: set[int] = set()
        super().__init__(address, _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Find out, in the connection's own thread, whether it is encrypted."""
        if self.service.tls is None or request.recv(1, socket.MSG_PEEK) != _TLS_HELLO:
            _Handler(request, client_address, self)
            return
        with self.service.tls.wrap_socket(request, server_side=True) as wrapped:
            _Handler(wrapped, client_address, self)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection abruptly if it is to be reset."""
        if id(request) in self.to_reset:
            self.to_reset.discard(id(request))
            request.close()
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that close their connection."""


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
            self.server.to_reset.add(id(self.connection))
            self.close_connection = True
            return
        body = answer.body
        service = self.server.service
        lines = [
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
            f"Content-Type: {answer.content_type or service.content_type}",
            *(f"{name}: {value}" for name, value in {**service.headers, **answer.headers}.items()),
        ]
        if len(body) > _MIN_GZIP_SIZE and "gzip" in self.headers.get("accept-encoding", ""):
            compressor = zlib.compressobj(1, wbits=31)
            body = compressor.compress(body) + compressor.flush()
            lines.append("Content-Encoding: gzip")
        lines += [f"Content-Length: {len(body)}", "", ""]
        if answer.cut:
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write("\r\n".join(lines).encode("latin-1") + body)
