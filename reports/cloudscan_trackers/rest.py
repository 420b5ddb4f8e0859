"""Requests to trackers without a maintained client library: JSON over `cloudscan.http`, each request once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import msgspec

from cloudscan.errors import AccessDenied, Malformed, ProviderError, TicketRefused, Unreachable
from cloudscan.http import Answer, Patience, Web


def once() -> Web:
    """A client that sends each request once: the core decides what is repeated."""
    return Web(connections=2, patience=Patience(attempts=1, timeout=60.0))


@dataclass(frozen=True, kw_only=True)
class Rest:
    """One service. `fault` extracts the message and the refused field from the body of a refusal."""

    name: str  # in messages
    url: str
    needs: str  # the permissions that a refused user lacks
    headers: Mapping[str, str]
    always: Mapping[str, str] = field(default_factory=dict, repr=False)  # in every query
    fault: Callable[[Any], tuple[str, str]] = lambda _: ("", "")
    web: Web = field(default_factory=once)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        json: Any = None,
        form: Sequence[tuple[str, str]] | None = None,
    ) -> Any:
        """The answer's JSON; None for a 404. Raises as `cloudscan.tracker.Tracker` says."""
        parameters = urlencode([*query, *self.always.items()])
        headers = {"Accept": "application/json", **self.headers}
        body = None
        if json is not None:
            body, headers["Content-Type"] = msgspec.json.encode(json), "application/json"
        elif form is not None:
            body, headers["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        url = f"{self.url.rstrip('/')}{path}{'?' if parameters else ''}{parameters}"
        answer = self.web.send(method, url, headers, body=body, repeatable=method == "GET")
        if answer.status == 404:
            return None
        if 200 <= answer.status < 300:
            return self._read(answer)
        raise self._error(answer)

    def _read(self, answer: Answer) -> Any:
        try:
            return msgspec.json.decode(answer.body) if answer.body else {}
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Malformed(f"{self.name} did not answer with JSON; check the url") from error

    def _error(self, answer: Answer) -> ProviderError:
        try:
            fault, field = self.fault(msgspec.json.decode(answer.body))
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError, IndexError):
            fault, field = "", ""
        message = fault or f"HTTP {answer.status}"
        if answer.status in (401, 403):
            return AccessDenied(f"{self.name} refused access ({message}); it needs {self.needs}", needs=self.needs)
        if 300 <= answer.status < 400:
            return TicketRefused(
                f"{self.name} redirects elsewhere ({message}); write its final https address as url", field="url"
            )
        if answer.status >= 500 or answer.status == 408:
            return Unreachable(f"{self.name} failed on its side ({message})")
        return TicketRefused(f"{self.name} refused the request: {message}", field=field)
