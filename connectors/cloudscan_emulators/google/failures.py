"""Every way in which an answer can fail, as faults for any request: what campaigns go through.

server.faults.add(failure("html-503", PATTERNS["gdrive-users"]))
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any, Final

from cloudscan_emulators.google import errors
from cloudscan_emulators.google.faults import Fault

Json = Any
_LISTS: Final = (
    "users", "groups", "members", "domains", "organizationUnits", "policies", "drives", "files", "permissions",
    "changes", "items",
)  # fmt: skip
_NEXT: Final = "nextPageToken"


def emptied(answer: Json) -> Json:
    """The list is there and nothing is in it, and it has no further pages."""
    return {name: [] if name in _LISTS else value for name, value in answer.items() if name != _NEXT}


def one_malformed(answer: Json) -> Json:
    """One entry of the list is not what it should be."""
    return {name: [*value[:-1], 7] if name in _LISTS and value else value for name, value in answer.items()}


def _repeated(answer: Json) -> Json:
    return {**answer, _NEXT: "same"}


def _endless() -> Callable[[Json], Json]:
    number = count()
    return lambda answer: {**answer, _NEXT: f"page-{next(number)}"}


FAILURES: Final[Mapping[str, Callable[[str], Fault]]] = {
    "401": lambda where: Fault(where=where, error=errors.bad_token()),
    "403": lambda where: Fault(where=where, error=errors.Refused(403, "forbidden", "Forbidden")),
    "404": lambda where: Fault(where=where, error=errors.Refused(404, "notFound", "Not Found")),
    "400": lambda where: Fault(where=where, error=errors.Refused(400, "badRequest", "Bad Request")),
    "410": lambda where: Fault(where=where, error=errors.Refused(410, "updatedMinTooLongAgo", "Gone")),
    "429": lambda where: Fault(where=where, error=errors.limited(429, "rateLimitExceeded")),
    "500": lambda where: Fault(where=where, error=errors.broken(500)),
    "html-503": lambda where: Fault(where=where, html=503),
    "html-200": lambda where: Fault(where=where, html=200),
    "html-404": lambda where: Fault(where=where, html=404),
    "time-out": lambda where: Fault(where=where, delay=1.0),
    "reset": lambda where: Fault(where=where, reset=True),
    "cut": lambda where: Fault(where=where, cut=True),
    "garbled": lambda where: Fault(where=where, garble=True),
    "nothing": lambda where: Fault(where=where, body="{}"),
    "null": lambda where: Fault(where=where, body="null"),
    "error-in-200": lambda where: Fault(
        where=where, body=json.dumps(errors.Refused(500, "backendError", "Backend Error").body("drive"))
    ),
    "emptied": lambda where: Fault(where=where, edit=emptied),
    "one-malformed": lambda where: Fault(where=where, edit=one_malformed),
    "page-expired": lambda where: Fault(where=where + _LATER_PAGE, error=errors.invalid("pageToken")),
    "page-repeated": lambda where: Fault(where=where, edit=_repeated, any_token=True),
    "page-endless": lambda where: Fault(where=where, edit=_endless(), any_token=True),
}
"""By a short name."""

_LATER_PAGE: Final = r".*pageToken="


def failure(name: str, where: str, *, user: str = "", after: int = 0, times: int | None = None) -> Fault:
    """A failure by its name, for the requests that `where` matches; all of them, or some, or one user's."""
    return replace(FAILURES[name](where), user=user, after=after, times=times)
