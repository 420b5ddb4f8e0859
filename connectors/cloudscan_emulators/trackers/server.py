"""A tracker's web service on a port of the loopback interface, with whatever goes wrong in a real one.

`Service` is spoken to over HTTP by the real clients. Each tracker's module says which requests it knows.
"""

import base64
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """What a client asked."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    url: str  # of the service

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> Mapping[str, list[str]]:
        return parse_qs(self.body.decode(), keep_blank_values=True)

    def first(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[0]

    @property
    def basic(self) -> tuple[str, str]:
        kind, _, told = self.headers.get("authorization", "").partition(" ")
        user, _, password = base64.b64decode(told).decode().partition(":") if kind == "Basic" else ("", "", "")
        return user, password


@dataclass(frozen=True)
class Reply:
    """What the service answers."""

    status: int
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None  # in place of JSON


@dataclass
class Fault:
    """Something that goes wrong for the next requests that fit."""

    fits: re.Pattern[str]  # on "POST /path"
    reply: Reply | None = None  # None: the connection is cut
    carried_out: bool = False  # it was done all the same
    times: int = 1


Handler = Callable[[Request], Reply]


@dataclass
class Service:
    """Requests it knows, requests it saw, and what goes wrong next. `now` is what its clock says."""

    routes: list[tuple[str, re.Pattern[str], Callable[..., Reply]]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    allowed: Callable[[Request], Reply | None] = lambda _: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    url: str = ""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def route(self, method: str, path: str) -> Callable[[Callable[..., Reply]], Callable[..., Reply]]:
        """Answer requests whose path fits: its groups are the handler's further arguments."""

        def known(handler: Callable[..., Reply]) -> Callable[..., Reply]:
            self.routes.append((method, re.compile(path), handler))
            return handler

        return known

    def goes_wrong(self, what: str, reply: Reply | None = None, *, carried_out: bool = False, times: int = 1) -> None:
        """Let the next requests that fit (``POST /repos/.*/issues$``) get another answer, or none."""
        self.faults.append(Fault(re.compile(what), reply, carried_out, times))

    def asked(self, what: str) -> int:
        """How many requests fitted."""
        return sum(bool(re.search(what, each)) for each in self.log)

    def answer(self, request: Request) -> Reply | None:
        """What the client gets; None cuts the connection."""
        line = f"{request.method} {request.path}"
        with self._lock:
            self.log.append(line)
            fault = next((each for each in self.faults if each.fits.search(line)), None)
            if fault is None:
                return self._answered(request)
            fault.times -= 1
            if not fault.times:
                self.faults.remove(fault)
            if fault.carried_out:
                self._answered(request)
            return fault.reply

    def _answered(self, request: Request) -> Reply:
        if refusal := self.allowed(request):
            return refusal
        for method, path, handler in self.routes:
            if method == request.method and (fits := path.fullmatch(request.path)):
                return handler(request, *(unquote(each) for each in fits.groups()))
        return Reply(404, {"message": f"Not Found: {request.method} {request.path}"})


@contextmanager
def running(service: Service) -> Iterator[Service]:
    """Serve on a free port."""

    class OneRequest(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # a head and a body that wait for each other cost 40 ms
        timeout = 20

        def serve(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = parse_qs(parts.query, keep_blank_values=True)
            reply = service.answer(Request(self.command, parts.path, query, headers, body, service.url))
            if reply is None:
                # A reset, as a crashed server or a dropped line gives.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                return
            content = b"" if reply.json is None else json.dumps(reply.json).encode()
            if reply.text is not None:
                content = reply.text.encode()
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), OneRequest)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
