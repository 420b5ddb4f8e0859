"""Backlog (Nulab), over its API version 2.

Issues are listed by category, which needs no search index. The statuses Open and Closed have the ids 1 and 4 in every
project. Backlog accepts its API key in the address only.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec

from cloudscan.errors import AccessDenied, TicketRefused
from cloudscan.finding import Severity
from cloudscan.sentence import Sentence
from cloudscan.tracker import Closing, ExistingTicket, Listing, Ticket, Tracker, TrackerPlugin, Wording
from cloudscan_trackers.markup import BACKLOG as MARKUP
from cloudscan_trackers.rest import Rest
from cloudscan_trackers.wording import wording

_PAGE = 100
_OPEN, _CLOSED = "1", "4"
_HIGH, _NORMAL, _LOW = "2", "3", "4"
_PRIORITIES: Mapping[Severity, str] = {
    Severity.CRITICAL: _HIGH,
    Severity.HIGH: _HIGH,
    Severity.MEDIUM: _NORMAL,
    Severity.LOW: _LOW,
    Severity.INFO: _LOW,
}


WORDING = wording(MARKUP)


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[trackers.<name>]`` with the kind `backlog`."""

    url: str  # https://SPACE.backlog.com or https://SPACE.backlog.jp
    project: str  # its key
    issue_type: str = ""  # its name; empty: the project's first
    category: str = "cloudscan"  # of our issues; created if it is missing and permissions allow
    fallback_assignee: str = ""  # if the owner is unknown or has left


class Project:
    """What must be known about a project before an issue can be created in it; each asked once."""

    def __init__(self, rest: Rest, options: Options, key: str) -> None:
        self._rest, self._options, self.key = rest, options, key

    @cached_property
    def id(self) -> str:
        """The numeric id. A 404 raises `AccessDenied`: the project is missing, or the user is not a member."""
        project = self._rest.ask("GET", f"/api/v2/projects/{self.key}")
        if project is None:
            raise AccessDenied(f"Backlog has no project {self.key}, or the API key's user is not a member of it")
        return str(project["id"])

    @cached_property
    def issue_type(self) -> str:
        """The id of the issue type that the options name, else of the project's first.

        Raises `TicketRefused` with the names to choose from if there is no such type.
        """
        wanted = self._options.issue_type
        types = self._rest.ask("GET", f"/api/v2/projects/{self.key}/issueTypes") or []
        for issue_type in types:
            if wanted in ("", issue_type["name"]):
                return str(issue_type["id"])
        names = ", ".join(str(issue_type["name"]) for issue_type in types)
        raise TicketRefused(f"Backlog's project {self.key} has no issue type {wanted!r}; write one of {names}")

    @cached_property
    def category(self) -> str:
        """The id of our category. It is created if it is missing, which only administrators of the project may do."""
        path, name = f"/api/v2/projects/{self.key}/categories", self._options.category
        for category in self._rest.ask("GET", path) or []:
            if category["name"] == name:
                return str(category["id"])
        try:
            return str(self._rest.ask("POST", path, form=[("name", name)])["id"])
        except AccessDenied as error:
            raise AccessDenied(
                f"Backlog's project {self.key} has no category {name!r}, and the API key's user may not create it; "
                "create it manually",
                needs="project administrator",
            ) from error

    @cached_property
    def members(self) -> Sequence[Mapping[str, Any]]:
        """The users who can be assigned, from one request to ``/projects/KEY/users``; empty for a 404."""
        return self._rest.ask("GET", f"/api/v2/projects/{self.key}/users") or []


@dataclass(frozen=True)
class Backlog:
    """Issues in projects."""

    rest: Rest
    options: Options
    projects: dict[str, Project]

    index_lag_seconds = 0.0
    listing = Listing.BY_PROJECT

    def wording(self, _project: str) -> Wording:
        """Markdown."""
        return WORDING

    def existing(self, name: str) -> Iterable[ExistingTicket]:
        """The issues in our category, oldest first, 100 per request by offset.

        Creates the category if it is missing. Raises `AccessDenied` if the user may not, or is not a member.
        """
        project = self._project(name)
        for start in range(0, 10**9, _PAGE):
            query = [
                ("projectId[]", project.id),
                ("categoryId[]", project.category),
                ("sort", "created"),
                ("order", "asc"),
                ("count", str(_PAGE)),
                ("offset", str(start)),
            ]
            page = self.rest.ask("GET", "/api/v2/issues", query=query) or []
            yield from (self._existing(issue) for issue in page)
            if len(page) < _PAGE:
                break

    def get(self, key: str) -> ExistingTicket | None:
        """``GET /api/v2/issues/KEY``; None for a 404. The time of closing is that of the last change."""
        issue = self.rest.ask("GET", f"/api/v2/issues/{key}")
        return self._existing(issue) if issue else None

    def person(self, name: str, project: str) -> str:
        """The id of the project's member with this mail address, user id or name, ignoring case."""
        wanted = name.lower()
        for member in self._project(project).members:
            if wanted in (str(member.get(field) or "").lower() for field in ("mailAddress", "userId", "name")):
                return str(member["id"])
        return ""

    def create(self, ticket: Ticket, assignee: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Create an issue in our category, with a priority by severity. Labels are not sent.

        Raises `TicketRefused` with the field `assignee` if Backlog's message names `assigneeId`.
        """
        project = self._project(ticket.project)
        form = [
            ("projectId", project.id),
            ("issueTypeId", project.issue_type),
            ("categoryId[]", project.category),
            *self._written(ticket),
            *([("assigneeId", assignee)] if assignee else []),
        ]
        return self._existing(self.rest.ask("POST", "/api/v2/issues", form=form) or {})

    def update(self, key: str, ticket: Ticket, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Also sets the priority by severity; labels are not sent. Raises `TicketRefused` for a 404."""
        return self._change(key, self._written(ticket))

    def comments(self, key: str) -> Sequence[str]:
        """The newest 100, newest first, in one request; older ones are not read. Empty for a 404."""
        query = [("count", str(_PAGE)), ("order", "desc")]
        comments = self.rest.ask("GET", f"/api/v2/issues/{key}/comments", query=query) or []
        return [str(comment.get("content") or "") for comment in comments]

    def comment(self, key: str, text: str, *, once: str) -> None:  # noqa: ARG002
        """A 404 raises nothing: an issue that no longer exists goes unnoticed here."""
        self.rest.ask("POST", f"/api/v2/issues/{key}/comments", form=[("content", text)])

    def close(self, key: str, _closing: Closing, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Set the status 4 (Closed) unless the issue has it. Raises `TicketRefused` for a 404."""
        return self._set_status(key, _CLOSED)

    def reopen(self, key: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Set the status 1 (Open), whatever other status the issue has. Raises `TicketRefused` for a 404."""
        return self._set_status(key, _OPEN)

    def check(self, _project: str) -> Iterable[Sentence]:
        """Nothing yet."""
        return ()

    def _set_status(self, key: str, status: str) -> ExistingTicket:
        """Backlog refuses a change that changes nothing."""
        issue = self.rest.ask("GET", f"/api/v2/issues/{key}") or {}
        if str(issue.get("status", {}).get("id")) != status:
            return self._change(key, [("statusId", status)])
        return self._existing(issue)

    def _change(self, key: str, form: Sequence[tuple[str, str]]) -> ExistingTicket:
        answer = self.rest.ask("PATCH", f"/api/v2/issues/{key}", form=form)
        if answer is None:
            raise TicketRefused(f"Backlog no longer has the issue {key}")
        return self._existing(answer)

    def _written(self, ticket: Ticket) -> list[tuple[str, str]]:
        return [
            ("summary", ticket.title),
            ("description", ticket.body),
            ("priorityId", _PRIORITIES[ticket.severity]),
            ("dueDate", ticket.due.isoformat() if ticket.due else ""),
        ]

    def _project(self, key: str) -> Project:
        return self.projects.setdefault(
            key or self.options.project, Project(self.rest, self.options, key or self.options.project)
        )

    def _existing(self, issue: Mapping[str, Any]) -> ExistingTicket:
        """Backlog does not say when an issue was closed: at the latest with its last change."""
        key = str(issue["issueKey"])
        is_open = str(issue["status"]["id"]) != _CLOSED
        return ExistingTicket(
            key=key,
            url=f"{self.options.url.rstrip('/')}/view/{key}",
            body=str(issue.get("description") or ""),
            open=is_open,
            closed_on=None if is_open else datetime.fromisoformat(str(issue["updated"])),
        )


def _fault(body: Any) -> tuple[str, str]:
    message = "; ".join(f"{error['message']} {error.get('moreInfo') or ''}".strip() for error in body["errors"])
    return message, "assignee" if "assigneeId" in message else ""


def open_backlog(options: Options, credential: Callable[[str], str]) -> Tracker:
    """The tracker, signed in with an API key."""
    rest = Rest(
        name="Backlog",
        url=options.url,
        needs="an API key of a member of the project",
        headers={},
        always={"apiKey": credential("API_KEY")},
        fault=_fault,
    )
    return Backlog(rest, options, {})


BACKLOG = TrackerPlugin(
    name="backlog",
    title="Backlog (Nulab)",
    options=Options,
    open=open_backlog,
    secrets=("API_KEY",),
)
