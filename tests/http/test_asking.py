"""The way to the network: what is asked again and what is not, and what is trusted."""

import gzip
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cloudscan.errors import Malformed, Throttled, Unreachable
from cloudscan.http import Answer, Carrier, Patience, Web
from cloudscan_emulators.microsoft import certificates

HASTY = Patience(attempts=3, pause=0.001, longest=0.05, timeout=2.0)


@dataclass
class Local:
    """A server that answers from a list, and remembers what it was asked."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


Reply = tuple[int, dict[str, str], bytes]
Replies = Sequence[Reply | None]  # None: the connection is torn down


@contextmanager
def serving(replies: Replies, tls: certificates.Pair | None = None, folder: Path | None = None) -> Iterator[Local]:
    """The last reply is given again and again."""
    local, waiting = Local(), list(replies)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            local.asked.append(f"{self.command} {self.path}")
            local.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            if reply is None:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            status, headers, body = reply
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls and folder:
        (folder / "pair.pem").write_bytes(tls.pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "pair.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    local.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield local
    finally:
        server.shutdown()
        server.server_close()


FINE: Reply = (200, {}, b"fine")
BUSY: Reply = (429, {"Retry-After": "0"}, b"")
BROKEN: Reply = (500, {}, b"")


def test_a_busy_server_is_asked_again() -> None:
    with serving([BUSY, BROKEN, FINE]) as server:
        answer = Web(patience=HASTY).get(f"{server.url}/list?of=files", {})

    assert (answer.status, answer.body) == (200, b"fine")
    assert server.asked == ["GET /list?of=files"] * 3


@pytest.mark.parametrize(("reply", "error"), [(BUSY, Throttled), (BROKEN, Unreachable), (None, Unreachable)])
def test_patience_ends(reply: Reply | None, error: type[Exception]) -> None:
    with serving([reply]) as server, pytest.raises(error, match=r"127\.0\.0\.1"):
        Web(patience=HASTY).get(f"{server.url}/secret-name", {})

    assert len(server.asked) == HASTY.attempts


def test_an_error_names_the_host_and_nothing_that_was_asked() -> None:
    with serving([None]) as server, pytest.raises(Unreachable) as raised:
        Web(patience=HASTY).get(f"{server.url}/salaries?of=mori", {})

    assert "salaries" not in str(raised.value)


@pytest.mark.parametrize("lost", [None, BROKEN])
def test_what_must_not_happen_twice_is_sent_once_where_nobody_knows_what_became_of_it(lost: Reply | None) -> None:
    with serving([lost, FINE]) as server:
        outcome: Answer | None = None
        try:
            outcome = Web(patience=HASTY).send("POST", f"{server.url}/tickets", {}, body=b"new", repeatable=False)
        except Unreachable:
            assert lost is None

    assert server.bodies == [b"new"]
    assert outcome is None or outcome.status == 500


def test_what_must_not_happen_twice_is_sent_again_where_it_was_not_taken() -> None:
    with serving([BUSY, FINE]) as server:
        answer = Web(patience=HASTY).send("POST", f"{server.url}/tickets", {}, body=b"new", repeatable=False)

    assert answer.status == 200
    assert server.bodies == [b"new", b"new"]


def test_one_connection_carries_one_method_after_the_other() -> None:
    with serving([FINE]) as server:
        web = Web(patience=HASTY)
        for method, body in (("POST", b"one"), ("GET", None), ("DELETE", None), ("POST", b"two"), ("GET", None)):
            web.send(method, f"{server.url}/", {}, body=body)

    assert server.asked == ["POST /", "GET /", "DELETE /", "POST /", "GET /"]
    assert server.bodies == [b"one", b"", b"", b"two", b""]


def test_packed_answers_are_unpacked_and_cut_ones_are_no_answers() -> None:
    packed = gzip.compress(b"many files" * 1000)
    short = (200, {"Content-Length": str(len(packed)), "Content-Encoding": "gzip", "Connection": "close"}, packed[:50])
    with serving([short, (200, {"Content-Encoding": "gzip"}, packed)]) as server:
        answer = Web(patience=HASTY).get(f"{server.url}/", {})

    assert answer.body == b"many files" * 1000
    assert len(server.asked) == 2


@pytest.mark.parametrize("packed", [False, True], ids=["as it is", "packed"])
def test_an_answer_without_end_is_broken_off(packed: bool) -> None:
    """Whatever a server sends, it takes no more memory than an answer may have; a bomb counts by what it unpacks to."""
    body = b"0" * (4 << 20)
    reply = (200, {"Content-Encoding": "gzip"}, gzip.compress(body)) if packed else (200, {}, body)
    with serving([reply]) as server, pytest.raises(Malformed) as refused:
        Carrier(longest=1 << 20).carry("GET", f"{server.url}/", {})

    assert str(refused.value.reason.code) == "answer-too-long"
    assert refused.value.reason.values["megabytes"] == 1


def test_a_redirect_is_an_answer_and_takes_no_token_elsewhere() -> None:
    with serving([FINE]) as elsewhere, serving([(302, {"Location": f"{elsewhere.url}/"}, b"")]) as server:
        answer = Web(patience=HASTY).get(f"{server.url}/", {"Authorization": "Bearer token"})

    assert answer.status == 302
    assert elsewhere.asked == []


def test_a_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving([FINE]) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        answer = Web(patience=HASTY).get("http://drive.example/files", {})

    assert answer.body == b"fine"
    assert proxy.asked == ["GET http://drive.example/files"]


@pytest.fixture
def certificate() -> certificates.Pair:
    return certificates.for_server()


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: certificates.Pair, tmp_path: Path) -> None:
    with serving([FINE], certificate, tmp_path) as server, pytest.raises(Unreachable, match="certificate"):
        Web(patience=HASTY).get(f"{server.url}/", {})


def test_a_certificate_file_is_trusted_when_it_is_named(certificate: certificates.Pair, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text(certificate.certificate)
    with serving([FINE], certificate, tmp_path) as server:
        answer = Web(patience=HASTY, ca_file=ca_file).get(f"{server.url}/", {})

    assert answer.body == b"fine"


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/"])
def test_nothing_but_http_is_spoken(address: str) -> None:
    with pytest.raises(Unreachable, match=r"(?i)protocol"):
        Web(patience=HASTY).get(address, {})


def test_a_certificate_cannot_be_named_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        Web(patience=HASTY, ca_file=tmp_path / "none.pem").get("https://127.0.0.1:1/", {})
