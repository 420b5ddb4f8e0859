"""From a request to an answer, without the network: who asks, what is asked, what goes wrong, what is said."""

import contextlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from cloudscan_emulators.google import batch, errors, faults
from cloudscan_emulators.google.directory import DirectoryApi
from cloudscan_emulators.google.discovery import Call, Catalogue
from cloudscan_emulators.google.drive import DriveApi
from cloudscan_emulators.google.faults import Fault
from cloudscan_emulators.google.group_settings import GroupSettingsApi
from cloudscan_emulators.google.policies import PoliciesApi
from cloudscan_emulators.google.quirks import Quirks
from cloudscan_emulators.google.quota import Meter, Quota
from cloudscan_emulators.google.reports import ReportsApi
from cloudscan_emulators.google.signin import Denied, SignIn
from cloudscan_emulators.google.tenant_state import TenantState
from cloudscan_emulators.kit.faults import Faults
from cloudscan_emulators.kit.json_text import dump
from cloudscan_emulators.kit.local_server import Answer, Request
from cloudscan_emulators.kit.request_log import LoggedRequest, RequestNote, request_line

BATCH = "/batch/drive/v3"
_BATCH_MOST = 100
_ATOM = "application/atom+xml; charset=UTF-8"


class Service:
    """Everything but the network."""

    def __init__(
        self, state: TenantState, sign_in: SignIn, quirks: Quirks, quota: Quota, clock: Callable[[], float]
    ) -> None:
        self.state = state
        self.sign_in = sign_in
        self.quirks = quirks
        self.faults: Faults[Fault] = Faults()
        self._meter = Meter(quota)
        self._clock = clock
        self.log: list[LoggedRequest] = []
        self._catalogue = Catalogue()
        self._drive = DriveApi(state, quirks)
        self._methods: dict[str, Callable[[Call, int], str]] = {
            **self._drive.methods,
            **DirectoryApi(state, quirks).methods,
            **PoliciesApi(state, quirks).methods,
            **ReportsApi(state, quirks).methods,
            **GroupSettingsApi(state).methods,
        }
        self._lock = threading.Lock()

    def answer(self, request: Request, *, in_batch: bool = False) -> Answer:
        """Answer one request and note it in the log."""
        note = RequestNote()
        request = _unfold(request)
        if request.path == "/token" and request.verb == "POST":
            answer = self._faulty(request, note, self._token)
        elif request.path == BATCH and request.verb == "POST" and not in_batch:
            answer = self._faulty(request, note, self._batch)
        else:
            answer = self._faulty(request, note, lambda unspoilt: self._call(unspoilt, note))
        logged = note.logged(request, answer, in_batch=in_batch)
        with self._lock:
            self.log.append(logged)
        return answer

    def _faulty(self, request: Request, note: RequestNote, then: Callable[[Request], Answer]) -> Answer:
        """The answer that `then` gives, or what a fault makes of it."""
        with contextlib.suppress(errors.Refused):
            note.user = self.sign_in.who(request.header("authorization"), "drive").email
        fault = self.faults.hit(request_line(request), note.user)
        if fault is None:
            return then(request)
        instead = self._instead(fault, request, note)
        if instead is not None:
            return instead
        answer = then(_without_page_token(request) if fault.any_token else request)
        if fault.edit is not None and answer.status == 200:
            return replace(answer, body=dump(fault.edit(json.loads(answer.body))).encode("utf-8", "surrogatepass"))
        if fault.garble:
            return replace(answer, body=b'{"kind": "drive#fileList", "files": [{"id": ')
        return replace(answer, cut=fault.cut)

    def _instead(self, fault: Fault, request: Request, note: RequestNote) -> Answer | None:
        """What comes instead of an answer, None where the answer comes after all."""
        if fault.delay:
            time.sleep(fault.delay)
        if fault.first is not None:
            fault.first(self.state)
        if fault.incomplete:
            self._drive.incomplete = True
        if fault.expire:
            self.sign_in.expire(note.user)
        if fault.reset:
            return Answer(reset=True)
        if fault.body is not None:
            return Answer(body=fault.body.encode())
        if fault.html:
            return _page_for_people(fault.html)
        if fault.error is not None:
            return _refused(fault.error, _api(request.path))
        return None

    def _call(self, request: Request, note: RequestNote) -> Answer:
        try:
            return self._run(request, note)
        except errors.Refused as refused:
            return _refused(refused, _api(request.path))

    def _run(self, request: Request, note: RequestNote) -> Answer:
        token = self.sign_in.who(request.header("authorization"), _api(request.path))
        note.user = token.email
        match = self._catalogue.find(request.verb, request.path)
        if match is None:
            return _page_for_people(404)
        method, in_path = match
        note.method = method.id
        if method.scopes.isdisjoint(token.scopes):
            raise errors.scope_missing(method.api, method.id, sorted(method.scopes))
        call = self._catalogue.call(method, in_path, parse_qsl(request.query, keep_blank_values=True))
        run = self._methods.get(method.id)
        if run is None:
            raise errors.Refused(501, "notImplemented", f"The emulator does not know {method.id}.")
        if method.api == "drive":
            self._meter.spend(method.id, token.email, self._clock())
        with self.state.lock:
            person = self.state.find(token.email)
            if person is None:
                raise errors.bad_token()
            body = run(call, person.number).encode("utf-8", "surrogatepass")
            return Answer(body=body, content_type=_ATOM) if body.startswith(b"<") else Answer(body=body)

    def _token(self, request: Request) -> Answer:
        try:
            given = self.sign_in.give(dict(parse_qsl(request.body.decode("ascii", "replace"))))
        except Denied as denied:
            return Answer(status=denied.code, body=dump(denied.body()).encode())
        return Answer(body=dump(given).encode())

    def _batch(self, request: Request) -> Answer:
        """Up to a hundred requests in one (Drive guide "batch requests")."""
        try:
            parts = batch.read(request, most=_BATCH_MOST)
        except errors.Refused as refused:
            return _refused(refused, "drive")
        return batch.write([(part.identity, self.answer(part.request, in_batch=True)) for part in parts])


def _without_page_token(request: Request) -> Request:
    given = parse_qsl(request.query, keep_blank_values=True)
    kept = [(name, value) for name, value in given if name != "pageToken" or "/changes" in request.path]
    return replace(request, query=urlencode(kept))


def _unfold(request: Request) -> Request:
    """A GET whose address was too long comes as a POST with its parameters in the body."""
    if request.verb == "POST" and request.header("x-http-method-override").upper() == "GET":
        return replace(request, verb="GET", query=request.body.decode("ascii", "replace"), body=b"")
    return request


def _api(path: str) -> str:
    if path.startswith("/admin/"):
        return "reports" if path.startswith("/admin/reports/") else "admin"
    if path.startswith("/groups/"):
        return "groupssettings"
    return "cloudidentity" if path.startswith("/v1/") else "drive"


def _page_for_people(code: int) -> Answer:
    return Answer(status=code, body=faults.HTML.format(code=code).encode(), content_type="text/html; charset=UTF-8")


def _refused(refused: errors.Refused, api: str) -> Answer:
    return Answer(status=refused.code, body=json.dumps(refused.body(api), indent=1).encode(), headers=refused.headers)
