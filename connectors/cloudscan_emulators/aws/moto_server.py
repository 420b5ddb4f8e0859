"""An AWS to test against: moto behind HTTP, with faults that can be switched on.

moto does not check permissions, does not throttle and is never slow, so a layer in front of it does: a `Fault` names
the requests that it concerns and what they get instead of an answer. What a fault answers is what AWS answers (Amazon
S3 API Reference, "Error responses").
"""

import io
import json
import logging
import os
import re
import socket
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from typing import Any

from moto.iam.models import get_account_id_from
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import WSGIRequestHandler, make_server

from cloudscan_emulators.aws import access_analyzer
from cloudscan_emulators.aws.access_analyzer import AccessAnalyzer
from cloudscan_emulators.aws.around_buckets import AroundBuckets, Reply, refused_owner
from cloudscan_emulators.aws.beyond_moto import Answered, BeyondMoto
from cloudscan_emulators.aws.config_recorder import ConfigRecorder
from cloudscan_emulators.aws.event_history import EventHistory, change_of
from cloudscan_emulators.aws.identity_center import IdentityCenter
from cloudscan_emulators.aws.storage_metrics import StorageMetrics
from cloudscan_emulators.kit.faults import Faults

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
ACCOUNT = "123456789012"  # moto's own
_ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
_ERROR_OF_A_QUERY = "<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"

Environment = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What some requests get instead of an answer.

    `where` is searched for in ``METHOD path?query``, and for STS in ``POST / AssumeRole arn:aws:iam::…``.
    """

    where: str  # a regular expression
    after: int = 0  # the number of matching requests that pass before the first one is hit
    times: int | None = None  # the number of requests that are then hit; None: all
    status: str = "403 Forbidden"
    code: str = "AccessDenied"
    body: bytes | None = None  # instead of an error: the text of a 200 answer
    delay: float = 0.0  # seconds before the answer
    delay_only: bool = False  # wait, then answer as if there were no fault
    message: str = "as the test asked"
    silent: bool = False  # no answer at all: the connection is closed
    region: str = ""  # only requests that are signed for this region; empty: all
    server: str = ""  # how the server names itself; empty: not at all

    def concerns(self, user: str) -> bool:
        """Whether requests signed for a region are concerned; AWS faults concern all callers alike."""
        return self.region in ("", user)


@dataclass
class Emulator:
    """A running server. Faults may be added while it runs."""

    endpoint: str
    faults: Faults[Fault] = field(default_factory=Faults)
    around: AroundBuckets = field(default_factory=AroundBuckets)  # what moto lacks
    request_log: list[str] = field(default_factory=list)  # each request as faults match it
    beyond: BeyondMoto = field(default_factory=BeyondMoto)
    storage: StorageMetrics = field(default_factory=StorageMetrics)
    identity_center: IdentityCenter = field(default_factory=IdentityCenter)
    history: EventHistory = field(default_factory=EventHistory)  # of what the server was asked to change
    config: ConfigRecorder = field(default_factory=ConfigRecorder)
    analyzer: AccessAnalyzer = field(default_factory=AccessAnalyzer)

    @property
    def requests(self) -> int:
        """How many requests were made since the log was last cleared."""
        return len(self.request_log)


@contextmanager
def running() -> Iterator[Emulator]:
    """Run moto on a free port of the loopback interface, with fake credentials in the environment.

    Raises `FaultNeverMet` when the block is left and no request ran into a fault that was added.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    emulator = Emulator(endpoint="")
    inner = DomainDispatcherApplication(create_backend_app)
    handler = _by_clock_of(emulator.history)
    server = make_server("127.0.0.1", 0, _Faulty(inner, emulator), threaded=True, request_handler=handler)
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
    emulator.faults.require_met()


def _by_clock_of(history: EventHistory) -> type[WSGIRequestHandler]:
    """Every answer has the time at AWS in its header ``Date``."""

    class Dated(WSGIRequestHandler):
        def date_time_string(self, timestamp: float | None = None) -> str:
            del timestamp
            return format_datetime(history.now(), usegmt=True)

    return Dated


@contextmanager
def _fake_credentials() -> Iterator[None]:
    """A scan of the emulator must never reach a real account, so the SDK finds no other credentials."""
    original = dict(os.environ)
    for name in original:
        if name.startswith("AWS_") and name != "AWS_CA_BUNDLE":
            del os.environ[name]
    os.environ.update(CREDENTIALS)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(original)


def _reset(endpoint: str) -> None:
    """Moto keeps its state in the process: start with none."""
    request = urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")  # noqa: S310 - our own loopback server
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310
        pass


def _body(environment: Environment) -> str:
    """The body, which can be read again."""
    body = environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))
    environment["wsgi.input"] = io.BytesIO(body)
    return str(body.decode("utf-8", "replace"))


def _operation(environment: Environment) -> str:
    """The operation that a request with a form or JSON body asks for, and the role if there is one."""
    fields = urllib.parse.parse_qs(_body(environment))
    operation = fields.get("Action", [environment.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]])
    return "".join(f" {word}" for word in (*operation, *fields.get("RoleArn", ())) if word)


def _error(environment: Environment, fault: Fault) -> str:
    """An error in the form of the service that is asked: AWS Organizations speaks JSON, AWS STS another XML than S3."""
    if "HTTP_X_AMZ_TARGET" in environment or _service(environment) == access_analyzer.SERVICE:
        return json.dumps({"__type": fault.code, "message": fault.message})
    form = _ERROR_OF_A_QUERY if environment["REQUEST_METHOD"] == "POST" else _ERROR
    return form.format(code=fault.code, message=fault.message)


def _region(environment: Environment) -> str:
    """The region that a request is signed for."""
    scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/", environment.get("HTTP_AUTHORIZATION", ""))
    return scope[1] if scope else ""


def _service(environment: Environment) -> str:
    """The service that a request is signed for."""
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", environment.get("HTTP_AUTHORIZATION", ""))
    return scope[1] if scope else ""


def _account(environment: Environment) -> str:
    """Whose credentials sign a request."""
    key = re.search(r"Credential=([^/]+)/", environment.get("HTTP_AUTHORIZATION", ""))
    return str(get_account_id_from(key[1])) if key else ACCOUNT


def _bucket(path: str) -> tuple[str, str] | None:
    """The account and the Region of the bucket that a path names; None: there is none."""
    name = path.strip("/").partition("/")[0]
    partition, owner = s3_backends.bucket_accounts.get(name, ("", ""))
    bucket = s3_backends[owner][partition].buckets.get(name) if owner else None
    return (owner, str(bucket.region_name)) if bucket else None


def _with_regions(listed: str) -> str:
    """A page of ListBuckets with the Regions, which moto leaves out."""

    def with_region(name: re.Match[str]) -> str:
        found = _bucket(name[1])
        return f"{name[0]}<BucketRegion>{found[1]}</BucketRegion>" if found else name[0]

    return re.sub(r"<Name>([^<]+)</Name>", with_region, listed)


class _Faulty:
    """The layer in front of moto."""

    def __init__(self, inner: Callable[[Environment, StartResponse], Iterable[bytes]], emulator: Emulator) -> None:
        self._moto = inner
        self._emulator = emulator

    def __call__(self, environment: Environment, start: StartResponse) -> Iterable[bytes]:
        query = environment.get("QUERY_STRING", "")
        line = f"{environment['REQUEST_METHOD']} {environment['PATH_INFO']}" + (f"?{query}" if query else "")
        if environment["REQUEST_METHOD"] == "POST":
            line += _operation(environment)
        if not line.endswith("/moto-api/reset"):
            self._emulator.request_log.append(line)
        fault = self._emulator.faults.hit(line, _region(environment))
        if fault is None:
            return self._recorded(environment, line, start)
        time.sleep(fault.delay)
        if fault.delay_only:
            return self._recorded(environment, line, start)
        if fault.silent:
            environment["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionError("as the test asked")
        if fault.body is not None:
            return self._answer(fault, "200 OK", fault.body, start)
        return self._answer(fault, fault.status, _error(environment, fault).encode(), start)

    def _recorded(self, environment: Environment, line: str, start: StartResponse) -> Iterable[bytes]:
        """The answer, after which the history has what changed, or was to be changed."""
        path, statuses = environment["PATH_INFO"], list[str]()

        def noting(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            statuses.append(status)
            return start(status, headers, *more)

        if environment["REQUEST_METHOD"] in ("GET", "HEAD"):
            return self._inner(environment, start)
        operation = re.search(r" (\w+)", line.partition(" ")[2]) if environment["REQUEST_METHOD"] == "POST" else None
        change = change_of(
            line,
            _service(environment),
            operation[1] if operation else "",
            account=environment.get("HTTP_X_AMZ_ACCOUNT_ID") or _account(environment),
            region=_region(environment),
            bucket=_bucket(path),
        )
        content = self._inner(environment, noting)
        if change:
            owner, region = _bucket(path) or (change.account, change.region)
            is_about_bucket = "bucketName" in change.request
            change = replace(change, account=owner, region=region) if is_about_bucket else change
            self._emulator.history.record(change, "" if statuses[0] < "400" else "AccessDenied")
        return content

    def _answer(self, fault: Fault, status: str, body: bytes, start: StartResponse) -> Iterable[bytes]:
        headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
        start(status, [*headers, *([("Server", fault.server)] if fault.server else [])])
        return [body]

    def _inner(self, environment: Environment, start: StartResponse) -> Iterable[bytes]:
        """What moto answers, or what is answered in its place."""
        query = environment.get("QUERY_STRING", "")
        body = _body(environment) if query == "abac" else ""
        beyond = self._emulator.beyond
        target = environment.get("HTTP_X_AMZ_TARGET", "")
        if target.endswith(".DescribeEffectivePolicy"):
            answered: Answered | None = beyond.effective_policy()
        else:
            answered = beyond.answer(environment["REQUEST_METHOD"], environment["PATH_INFO"], query, body)
        reply = Reply(status=answered.status, body=answered.body) if answered else self._around(environment)
        if target and reply is None:
            asked, region = _body(environment), _region(environment)
            reply = self._emulator.storage.reply(target, asked, region)
            reply = reply or self._emulator.identity_center.reply(target, asked, region)
            reply = reply or self._emulator.history.reply(target, asked, _account(environment), region)
            reply = reply or self._emulator.config.reply(target, asked, region)
        if reply is None and environment["PATH_INFO"] == "/" and "max-buckets=" in query:
            reply = Reply(body=_with_regions(b"".join(self._moto(environment, lambda *_: None)).decode()))
        if reply is None:
            return self._moto(environment, start)
        content = reply.body.encode()
        start(reply.status, [("Content-Type", reply.content_type), ("Content-Length", str(len(content)))])
        return [content]

    def _around(self, environment: Environment) -> Reply | None:
        path = environment["PATH_INFO"]
        if _service(environment) == access_analyzer.SERVICE:
            line = f"{environment['REQUEST_METHOD']} {path}?{environment.get('QUERY_STRING', '')}"
            account, region = _account(environment), _region(environment)
            return self._emulator.analyzer.reply(line, _body(environment), account, region)
        expected = environment.get("HTTP_X_AMZ_EXPECTED_BUCKET_OWNER", "")
        if expected:
            owners = {name: owner for name, (_, owner) in s3_backends.bucket_accounts.items()}
            return refused_owner(path, expected, owners)
        if path == "/buckets" and "/s3tables/" not in environment.get("HTTP_AUTHORIZATION", ""):
            return None  # a bucket of that name
        return self._emulator.around.reply(environment["REQUEST_METHOD"], path, _region(environment))
