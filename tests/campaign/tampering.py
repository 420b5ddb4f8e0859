"""A server between a connector and an emulator that spoils the answers to one question.

It sees requests and answers as they are on the wire, so the connector, its SDK and the emulator stay as they are. The
parts of Microsoft's JSON batches are requests of their own.
"""

import http.client
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote, unquote_plus, urlsplit

from cloudscan_emulators.kit.local_server import Answer, Request, Service, listening

Spoil = Callable[[Request, Callable[[], Answer]], Answer]
"""What becomes of one request: it may have it answered, or not, and change the answer."""

_NOT_PASSED_ON = frozenset({"connection", "content-length", "content-encoding", "transfer-encoding", "date", "server"})


@dataclass
class Proxy:
    """Passes requests on to `upstream`, except those that `pattern` finds while `spoil` is set."""

    upstream: str
    port: int = 0
    pattern: str = ""  # a regular expression, searched for in ``METHOD path?query``, decoded
    spoil: Spoil | None = None
    met: int = 0  # requests that were spoilt
    lines: list[str] = field(default_factory=list)  # of all requests, parts of batches too
    _local: threading.local = field(default_factory=threading.local)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, request: Request) -> Answer:
        """The answer to one request, as the client gets it."""
        if request.path.endswith("/$batch"):
            return self._batch(request)
        return self._spoilt(request, lambda: self._passed_on(request))

    def _spoilt(self, request: Request, answered: Callable[[], Answer]) -> Answer:
        line = line_of(request)
        self.lines.append(line)
        if self.spoil is not None and re.search(self.pattern, line):
            self.met += 1
            return self.spoil(request, answered)
        return answered()

    def _batch(self, request: Request) -> Answer:
        """Each part is spoilt by itself; the others are answered as ever."""
        asked = {str(part["id"]): part for part in json.loads(request.body)["requests"]}
        whole = self._passed_on(request)
        if whole.status != 200:
            return whole
        content = json.loads(whole.body)
        for part in content["responses"]:
            sent = asked[str(part["id"])]
            path, _, query = sent["url"].partition("?")
            inner = Request(verb=sent["method"], path=f"/v1.0{path}", query=query, base=request.base)
            body = json.dumps(part.get("body")).encode()
            before = Answer(status=part["status"], body=body, headers=part.get("headers") or {})
            after = self._spoilt(inner, lambda before=before: before)  # type: ignore[misc]
            if after is not before:
                part |= {"status": after.status, "headers": dict(after.headers), "body": _part_body(after)}
        return replace(whole, body=json.dumps(content).encode())

    def _passed_on(self, request: Request) -> Answer:
        address = urlsplit(self.upstream)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        headers = {name: value for name, value in request.headers.items() if name != "accept-encoding"}
        target = f"{request.path}?{request.query}" if request.query else request.path
        try:
            connection.request(request.verb, target, body=request.body or None, headers=headers)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        kept = {name: value for name, value in response.getheaders() if name.lower() not in _NOT_PASSED_ON}
        content_type = next((kept.pop(name) for name in list(kept) if name.lower() == "content-type"), "")
        return Answer(status=response.status, body=body, content_type=content_type, headers=kept)


@contextmanager
def between(upstream: str) -> Iterator[Proxy]:
    """A proxy in front of an emulator, until the block is left."""
    proxy = Proxy(upstream)
    with listening(Service(answer=proxy.answer, content_type="application/json")) as port:
        proxy.port = port
        yield proxy


def line_of(request: Request) -> str:
    """A request as patterns see it: ``METHOD path?query``, decoded; for AWS's queries with their form."""
    query = f"?{unquote_plus(request.query)}" if request.query else ""
    form = f" {request.body.decode('utf-8', 'replace')}" if request.verb == "POST" else ""
    target = request.headers.get("x-amz-target", "")
    return f"{request.verb} {unquote(request.path)}{query} {target}{form}".rstrip()


def _part_body(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError:
        return answer.body.decode("utf-8", "replace")
