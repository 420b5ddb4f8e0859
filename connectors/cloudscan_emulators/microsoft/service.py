"""Answering requests, without the network: sign-in, faults, quotas and routes."""

import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from cloudscan_emulators.kit.faults import Faults
from cloudscan_emulators.kit.json_text import dump
from cloudscan_emulators.kit.local_server import Answer, Request
from cloudscan_emulators.kit.request_log import LoggedRequest, RequestNote, request_line
from cloudscan_emulators.microsoft import batch, errors, faults, odata, sharepoint
from cloudscan_emulators.microsoft.applications import ApplicationsApi
from cloudscan_emulators.microsoft.audits import AuditsApi
from cloudscan_emulators.microsoft.calls import Call, Result
from cloudscan_emulators.microsoft.directory import DirectoryApi
from cloudscan_emulators.microsoft.faults import Fault
from cloudscan_emulators.microsoft.items import ItemsApi
from cloudscan_emulators.microsoft.quirks import Quirks
from cloudscan_emulators.microsoft.quota import Meter, Quota
from cloudscan_emulators.microsoft.routes import Route, Routes
from cloudscan_emulators.microsoft.sharepoint import RestRefused, SharePointRest
from cloudscan_emulators.microsoft.sharing import Sharing
from cloudscan_emulators.microsoft.signin import GRAPH, Denied, SignIn
from cloudscan_emulators.microsoft.sites import SitesApi
from cloudscan_emulators.microsoft.teams import TeamsApi
from cloudscan_emulators.microsoft.tenant import TenantApi
from cloudscan_emulators.microsoft.tenant_state import TenantState

_TOKEN_PATH = "/oauth2/v2.0/token"  # noqa: S105 - an address
_DISCOVERY = "/.well-known/openid-configuration"
_REST_UNITS = 2


class Service:
    """Answers requests and keeps a log of them."""

    def __init__(self, state: TenantState, sign_in: SignIn, quirks: Quirks, quota: Quota) -> None:
        self.state = state
        self.sign_in = sign_in
        self.quirks = quirks
        self.faults: Faults[Fault] = Faults()
        self.meter = Meter(quota)
        self.log: list[LoggedRequest] = []
        self._routes = Routes(state)
        self._rest = SharePointRest(state, sign_in)
        sharing = Sharing(state, quirks)
        sites = SitesApi(state, sharing, quirks)
        items = ItemsApi(state, sites, sharing, quirks)
        applications = ApplicationsApi(state, quirks)
        self._methods: dict[str, Callable[[Call], Result]] = {
            **sites.methods,
            **items.methods,
            **DirectoryApi(state, quirks, applications).methods,
            **TeamsApi(state, quirks, items.root_of).methods,
            **applications.methods,
            **TenantApi(state).methods,
            **AuditsApi(state).methods,
        }
        self._lock = threading.Lock()

    def answer(self, request: Request, *, in_batch: bool = False) -> Answer:
        """Answer one request and note it in the log."""
        note = RequestNote()
        fault = self.faults.hit(request_line(request))
        answer = self._instead(fault) if fault is not None else None
        if answer is None:
            answer = self._dispatch(request, note, in_batch=in_batch)
            if fault is not None:
                answer = _damaged(answer, fault, request)
        headers = {"request-id": secrets.token_hex(16), **note.headers, **answer.headers}
        if request.header("client-request-id"):
            headers["client-request-id"] = request.header("client-request-id")
        answer = replace(answer, headers=headers)
        logged = note.logged(request, answer, in_batch=in_batch)
        with self._lock:
            self.log.append(logged)
        return answer

    def _dispatch(self, request: Request, note: RequestNote, *, in_batch: bool) -> Answer:
        try:
            rest = None if in_batch else self._rest.host_of(request)
            if rest is not None:
                return self._sharepoint(*rest, request, note)
            if request.path == "/v1.0/$batch" and not in_batch:
                return self._batch(request, note)
            if request.path.startswith("/v1.0/"):
                return self._graph(request, note)
            if in_batch or request.path.startswith("/beta/"):
                raise errors.no_such_segment(request.path.split("/")[1])
            return self._login(request)
        except errors.Refused as refused:
            return _refused(refused, request)

    def _graph(self, request: Request, note: RequestNote) -> Answer:
        token = self.sign_in.authenticate(request.header("authorization"), GRAPH)
        if not token.roles:
            raise errors.no_roles()
        path = request.path.removeprefix("/v1.0")
        with self.state.lock:
            matched = self._routes.find(request.verb, path)
            route = matched.route
            note.method = route.method
            options = odata.read(request.query)
            call = Call(request=request, path=path, values=matched.values, options=options, token=token)
            note.units = _units(route, call)
            if note.units:
                note.headers.update(self.meter.spend(token.app_id, note.units, time.monotonic()))
            if token.roles.isdisjoint(route.roles):
                raise errors.denied(route.family, route.roles, sorted(token.roles))
            result = self._methods[route.method](call)
        if isinstance(result, Answer):
            return result
        text = result if isinstance(result, str) else dump(result)
        return Answer(body=text.encode("utf-8", "surrogatepass"))

    def _batch(self, request: Request, note: RequestNote) -> Answer:
        if request.verb != "POST":
            raise errors.read_only(request.verb)
        self.sign_in.authenticate(request.header("authorization"), GRAPH)
        note.method = "batch"
        return batch.answer(batch.read(request), lambda part: self.answer(part, in_batch=True))

    def _sharepoint(self, host: str, path: str, request: Request, note: RequestNote) -> Answer:
        note.method = "sharepoint.rest"
        try:
            token = self._rest.token(request, host)
            note.units = _REST_UNITS
            note.headers.update(self.meter.spend(token.app_id, note.units, time.monotonic()))
            with self.state.lock:
                return self._rest.answer(host, path, request, token, odata.read(request.query))
        except RestRefused as refused:
            return sharepoint.refusal(refused, request.header("accept"))

    def _login(self, request: Request) -> Answer:
        path = request.path
        try:
            if path == "/msi/token":
                query = dict(parse_qsl(request.query))
                given = self.sign_in.issue_managed(query, request.header("x-identity-header"), request.base)
            elif path == "/common/discovery/instance":
                given = self.sign_in.instances(request.base)
            elif path.endswith(_DISCOVERY):
                given = self.sign_in.discovery(path.split("/")[1], request.base)
            elif path.endswith(_TOKEN_PATH) and request.verb == "POST":
                form = dict(parse_qsl(request.body.decode("ascii", "replace")))
                given = self.sign_in.issue(path.split("/")[1], form, request.base)
            else:
                return Answer(status=404, body=b"{}")
        except Denied as denied:
            now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
            return Answer(status=denied.status, body=dump(denied.body(now)).encode())
        return Answer(body=dump(given).encode(), content_type="application/json; charset=utf-8")

    def _instead(self, fault: Fault) -> Answer | None:
        """The answer in place of the real one; None where the real one is still given."""
        if fault.delay:
            time.sleep(fault.delay)
        if fault.first is not None:
            fault.first(self.state)
        if fault.expire:
            self.sign_in.expire()
        if fault.reset:
            return Answer(reset=True)
        if fault.html:
            body = faults.HTML.encode()
            return Answer(status=fault.html, body=body, content_type="text/html; charset=utf-8")
        if fault.error is not None:
            return _refused(fault.error, Request(verb="GET", path=""))
        return None


def _units(route: Route, call: Call) -> int:
    """The cost of a call in resource units: a delta with a token is as cheap as a single item."""
    if route.method == "items.delta" and (call.values.get("token") or call.options.others.get("token")):
        return 1
    if "permissions" in call.options.expand:
        return 5
    return route.units


def _damaged(answer: Answer, fault: Fault, request: Request) -> Answer:
    if fault.garble:
        return replace(answer, body=faults.GARBLED)
    if fault.change is not None and answer.status == 200:
        content = fault.change(json.loads(answer.body))
        answer = replace(answer, body=dump(content).encode("utf-8", "surrogatepass"))
    if fault.repeat or fault.next_link:
        body = json.loads(answer.body)
        query = f"?{request.query}" if request.query else ""
        body.pop("@odata.deltaLink", None)
        body["@odata.nextLink"] = fault.next_link or f"{request.base}{request.path}{query}"
        answer = replace(answer, body=dump(body).encode("utf-8", "surrogatepass"))
    return replace(answer, cut=fault.cut)


def _refused(refused: errors.Refused, request: Request) -> Answer:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    identity = secrets.token_hex(16)
    body = refused.body(now, identity, request.header("client-request-id") or identity)
    return Answer(status=refused.status, body=dump(body).encode(), headers=refused.headers)
