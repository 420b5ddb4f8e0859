"""Asking a tracker for which no kept client exists: JSON over `cloudscan.http`, each question once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import msgspec

from cloudscan.errors import AccessDenied, Malformed, ProviderError, TicketRefused, Unreachable
from cloudscan.http import Answer, Patience, Web


def once() -> Web:
    """Each question is asked once: the core decides what is asked again."""
    return Web(connections=2, patience=Patience(attempts=1, timeout=60.0))


@dataclass(frozen=True, kw_only=True)
class Rest:
    """One service. `fault` finds what was wrong, and the field, in the body of a refusal."""

    name: str  # in messages
    url: str
    needs: str  # what a refused user lacks
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
        asked = urlencode([*query, *self.always.items()])
        headers = {"Accept": "application/json", **self.headers}
        body = None
        if json is not None:
            body, headers["Content-Type"] = msgspec.json.encode(json), "application/json"
        elif form is not None:
            body, headers["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        url = f"{self.url.rstrip('/')}{path}{'?' if asked else ''}{asked}"
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
            raise Malformed(f"{self.name} answered with something that is no JSON; check the url") from error

    def _error(self, answer: Answer) -> ProviderError:
        try:
            told, at = self.fault(msgspec.json.decode(answer.body))
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError, IndexError):
            told, at = "", ""
        words = told or f"HTTP {answer.status}"
        if answer.status in (401, 403):
            return AccessDenied(f"{self.name} does not let us in ({words}); it takes: {self.needs}", needs=self.needs)
        if 300 <= answer.status < 400:
            return TicketRefused(
                f"{self.name} is elsewhere ({words}); write its final https address as url", field="url"
            )
        if answer.status >= 500 or answer.status == 408:
            return Unreachable(f"{self.name} had trouble of its own ({words})")
        return TicketRefused(f"{self.name} refused it: {words}", field=at)
