"""Failures on demand: a `Fault` names the requests that it strikes and what happens to them instead."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cloudscan_emulators.microsoft import errors
from cloudscan_emulators.microsoft.tenant_state import TenantState

HTML = (
    "<!DOCTYPE html><html><head><title>Service unavailable</title></head><body><h2>Our services aren't available right "
    "now</h2><p>We're working to restore all services as soon as possible. Please check back soon.</p></body></html>"
)
GARBLED = b'{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#Collection(driveItem)","value":[{"id":'


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A failure of matching requests. `where` is searched for in ``METHOD path?query``, decoded, in batches too."""

    where: str = ""  # a regular expression
    after: int = 0  # how many matching requests pass first
    times: int | None = None  # how many are then struck; None: all
    error: errors.Refused | None = None  # answer with this error
    html: int = 0  # answer with this status and a web page, as gateways do
    delay: float = 0.0  # seconds to wait; without other fields, the answer follows
    cut: bool = False  # end in the middle of the body
    garble: bool = False  # a body that is not JSON
    reset: bool = False  # close the connection
    expire: bool = False  # all tokens have just expired
    repeat: bool = False  # the next link is the page itself
    next_link: str = ""  # the next link leads here
    change: Callable[[Any], Any] | None = None  # what becomes of the content of the right answer
    first: Callable[[TenantState], object] | None = None  # change the tenant, then answer

    def concerns(self, user: str) -> bool:  # noqa: ARG002 - applications ask, not users
        """Whether the fault strikes requests of a user."""
        return True


def throttle(where: str = "", *, retry_after: int = 1, code: int = 429, after: int = 0, times: int | None = 1) -> Fault:
    """Too many requests: 429, or 503, which SharePoint also uses."""
    refused = errors.throttled(retry_after=retry_after)
    if code == 503:
        refused = errors.unavailable(retry_after=retry_after)
    return Fault(where=where, error=refused, after=after, times=times)


def outage(where: str = "", *, code: int = 503, after: int = 0, times: int | None = 1) -> Fault:
    """A server error without Retry-After."""
    refused = errors.unavailable(retry_after=None) if code == 503 else errors.broken(code)
    return Fault(where=where, error=refused, after=after, times=times)


def refusal(where: str, refused: errors.Refused, *, after: int = 0, times: int | None = None) -> Fault:
    """Any other error, such as `errors.locked()` or `errors.no_such_item()`."""
    return Fault(where=where, error=refused, after=after, times=times)


def nothing(where: str) -> Fault:
    """An answer that succeeds and says nothing."""
    return Fault(where=where, change=lambda _: {})


def error_in_answer(where: str) -> Fault:
    """An answer that succeeds and contains an error."""
    return Fault(where=where, change=lambda _: {"error": {"code": "generalException", "message": "backend"}})


def emptied(where: str) -> Fault:
    """A list without its entries."""
    return Fault(where=where, change=lambda content: _with_list(content, lambda _: []))


def one_malformed(where: str) -> Fault:
    """A list whose first entry makes no sense."""
    return Fault(where=where, change=lambda content: _with_list(content, _odd_first))


def endless(where: str) -> Fault:
    """A list in which every page leads to another one."""
    return Fault(where=where, repeat=True)


def _with_list(content: Any, change: Callable[[list[Any]], list[Any]]) -> Any:
    if isinstance(content, dict) and isinstance(content.get("value"), list):
        return {**content, "value": change(content["value"])}
    return content


def _odd_first(entries: list[Any]) -> list[Any]:
    return [{name: ["x"] for name in entries[0]}, *entries[1:]] if entries else entries
