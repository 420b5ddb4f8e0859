"""moto, spoken to over HTTP, with faults that can be switched on: what stands in for AWS where there is none.

moto does not check rights, does not throttle and is never slow, so a layer in front of it does: a `Fault` names the
requests it is about and what they get instead of an answer. Whatever the fault answers is what AWS answers
(API Reference, "Error responses").
"""

import io
import logging
import os
import re
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
_ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{words}</Message></Error>'

Environment = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What some requests get instead of an answer.

    `where` is looked for in ``METHOD path?query``, and for STS in ``POST / AssumeRole arn:aws:iam::…``.
    """

    where: str  # a regular expression
    status: str = "403 Forbidden"
    code: str = "AccessDenied"
    body: bytes | None = None  # instead of an error: the text of a 200 answer
    delay: float = 0.0  # seconds before whatever comes
    times: int | None = None  # None: always
    after: bool = False  # only wait, then answer as always


@dataclass
class Emulator:
    """A running server. `faults` may be changed while it runs; `requests` are counted."""

    endpoint: str
    faults: list[Fault] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return len(self.seen)


@contextmanager
def running() -> Iterator[Emulator]:
    """Start moto on a free port of the loopback interface, with fake credentials in the environment."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    emulator = Emulator(endpoint="")
    inner = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, _Faulty(inner, emulator), threaded=True)
    emulator.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True, name="moto")
    with _fake_credentials():
        thread.start()
        try:
            _reset(emulator.endpoint)
            yield emulator
        finally:
            server.shutdown()
            server.server_close()
            thread.join(timeout=5)


@contextmanager
def _fake_credentials() -> Iterator[None]:
    """Nobody's real account may be reached from an emulator's scan, so the SDK finds nothing but these."""
    before = dict(os.environ)
    for name in before:
        if name.startswith("AWS_") and name != "AWS_CA_BUNDLE":
            del os.environ[name]
    os.environ.update(CREDENTIALS)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _reset(endpoint: str) -> None:
    """moto keeps its state in the process: begin with none."""
    request = urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")  # noqa: S310 - our own loopback server
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310
        pass


def _operation(environment: Environment) -> str:
    """What a service asks for that puts the question into the body: its operation, and the role if there is one."""
    body = environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))
    environment["wsgi.input"] = io.BytesIO(body)
    fields = urllib.parse.parse_qs(body.decode("utf-8", "replace"))
    operation = fields.get("Action", [environment.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]])
    return "".join(f" {word}" for word in (*operation, *fields.get("RoleArn", ())) if word)


class _Faulty:
    """The layer in front of moto."""

    def __init__(self, inner: Callable[[Environment, StartResponse], Iterable[bytes]], emulator: Emulator) -> None:
        self._inner = inner
        self._emulator = emulator
        self._used: dict[int, int] = {}
        self._lock = threading.Lock()

    def __call__(self, environment: Environment, start: StartResponse) -> Iterable[bytes]:
        query = environment.get("QUERY_STRING", "")
        asked = f"{environment['REQUEST_METHOD']} {environment['PATH_INFO']}" + (f"?{query}" if query else "")
        if environment["REQUEST_METHOD"] == "POST":
            asked += _operation(environment)
        if not asked.endswith("/moto-api/reset"):
            self._emulator.seen.append(asked)
        fault = self._fault(asked)
        if fault is None:
            return self._inner(environment, start)
        time.sleep(fault.delay)
        if fault.after:
            return self._inner(environment, start)
        if fault.body is not None:
            start("200 OK", [("Content-Type", "application/xml"), ("Content-Length", str(len(fault.body)))])
            return [fault.body]
        body = _ERROR.format(code=fault.code, words="as the test wants it").encode()
        start(fault.status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    def _fault(self, asked: str) -> Fault | None:
        for fault in self._emulator.faults:
            if re.search(fault.where, asked):
                with self._lock:
                    used = self._used.get(id(fault), 0)
                    if fault.times is not None and used >= fault.times:
                        continue
                    self._used[id(fault)] = used + 1
                return fault
        return None
