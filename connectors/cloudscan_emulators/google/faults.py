"""What goes wrong on demand: a `Fault` names the requests it is about and what happens to them instead."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cloudscan_emulators.google import errors
from cloudscan_emulators.google.tenant_state import TenantState

HTML = (
    "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Error {code}!!1</title>"
    "<p><b>{code}.</b> <ins>That’s an error.</ins><p>The server encountered a temporary error and could not complete "
    "your request.<p>Please try again in 30 seconds. <ins>That’s all we know.</ins></html>"
)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What some requests get. `where` is looked for in ``METHOD path?query``, decoded."""

    where: str = ""  # a regular expression
    user: str = ""  # only this user's requests
    after: int = 0  # the number of matching requests that pass first
    times: int | None = None  # the number that are then hit; None: all
    error: errors.Refused | None = None  # refuse
    html: int = 0  # answer with this status and a page for people
    delay: float = 0.0  # wait; alone: and answer as always
    cut: bool = False  # break off in the middle of the body
    garble: bool = False  # a body that is not JSON
    reset: bool = False  # tear the connection down
    expire: bool = False  # the token has just run out
    incomplete: bool = False  # incompleteSearch
    body: str | None = None  # answer with this body and the status of a success
    edit: Callable[[Any], Any] | None = None  # change the JSON of an answer that is a success
    any_token: bool = False  # any page token brings the first page again
    first: Callable[[TenantState], object] | None = None  # do this to the tenant, then answer

    def concerns(self, user: str) -> bool:
        return self.user in ("", user)


def throttle(where: str = "", *, reason: str = "userRateLimitExceeded", code: int = 403, **more: int | str) -> Fault:
    """Too many requests, by any of Google's reasons."""
    return _fault(where, errors.limited(code, reason), more)


def outage(where: str = "", *, code: int = 503, **more: int | str) -> Fault:
    """A server error, as JSON."""
    return _fault(where, errors.broken(code), more)


def refusal(where: str, reason: str, message: str = "Forbidden", *, code: int = 403, **more: int | str) -> Fault:
    """Any other error, such as domainPolicy or accessNotConfigured."""
    return _fault(where, errors.Refused(code, reason, message), more)


def _fault(where: str, error: errors.Refused, more: dict[str, int | str]) -> Fault:
    times = more.get("times")
    return Fault(
        where=where,
        error=error,
        user=str(more.get("user", "")),
        after=int(more.get("after", 0)),
        times=None if times is None else int(times),
    )
