"""Backlog (Nulab), over its API version 2.

Issues are listed by category, so that no search index has to be up to date. A status of its own for closed issues is
number 4, for open ones 1, in every project. Backlog takes the key of its API in the address only.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec

from cloudscan.errors import AccessDenied, TicketRefused
from cloudscan.finding import Severity
from cloudscan.tracker import ExistingTicket, Ticket, Tracker, TrackerPlugin
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


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[trackers.<name>]`` with the kind `backlog`."""

    url: str  # https://SPACE.backlog.com or https://SPACE.backlog.jp
    project: str  # its key
    issue_type: str = ""  # by name; empty: the project's first
    category: str = "cloudscan"  # marks our issues; made where it is missing and we may
    fallback_assignee: str = ""  # where the owner is unknown or has left


class Project:
    """What has to be known of a project before an issue can be made in it."""

    def __init__(self, rest: Rest, options: Options, key: str) -> None:
        self._rest, self._options, self.key = rest, options, key

    @cached_property
    def id(self) -> str:
        found = self._rest.ask("GET", f"/api/v2/projects/{self.key}")
        if found is None:
            raise AccessDenied(f"Backlog has no project {self.key}, or we are not a member of it")
        return str(found["id"])

    @cached_property
    def issue_type(self) -> str:
        wanted = self._options.issue_type
        types = self._rest.ask("GET", f"/api/v2/projects/{self.key}/issueTypes") or []
        for each in types:
            if wanted in ("", each["name"]):
                return str(each["id"])
        names = ", ".join(str(each["name"]) for each in types)
        raise TicketRefused(f"Backlog's project {self.key} has no issue type {wanted!r}; there are: {names}")

    @cached_property
    def category(self) -> str:
        """Our category. Made where it is missing, which only administrators of the project may."""
        path, name = f"/api/v2/projects/{self.key}/categories", self._options.category
        for each in self._rest.ask("GET", path) or []:
            if each["name"] == name:
                return str(each["id"])
        try:
            return str(self._rest.ask("POST", path, form=[("name", name)])["id"])
        except AccessDenied as error:
            raise AccessDenied(
                f"Backlog's project {self.key} has no category {name!r} and we may not make one; make it by hand",
                needs="project administrator",
            ) from error

    @cached_property
    def people(self) -> Sequence[Mapping[str, Any]]:
        return self._rest.ask("GET", f"/api/v2/projects/{self.key}/users") or []


@dataclass(frozen=True)
class Backlog:
    """Issues in projects."""

    rest: Rest
    options: Options
    projects: dict[str, Project]

    index_lag_seconds = 0.0
    lists = True

    def existing(self, projects: Sequence[str]) -> Iterable[ExistingTicket]:
        for key in projects or (self.options.project,):
            project = self._project(key)
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
                yield from (self._held(each) for each in page)
                if len(page) < _PAGE:
                    break

    def get(self, key: str) -> ExistingTicket | None:
        found = self.rest.ask("GET", f"/api/v2/issues/{key}")
        return self._held(found) if found else None

    def person(self, name: str, project: str) -> str:
        wanted = name.lower()
        for each in self._project(project).people:
            if wanted in (str(each.get(field) or "").lower() for field in ("mailAddress", "userId", "name")):
                return str(each["id"])
        return ""

    def create(self, ticket: Ticket, assignee: str) -> ExistingTicket:
        project = self._project(ticket.project)
        form = [
            ("projectId", project.id),
            ("issueTypeId", project.issue_type),
            ("categoryId[]", project.category),
            *self._written(ticket),
            *([("assigneeId", assignee)] if assignee else []),
        ]
        return self._held(self.rest.ask("POST", "/api/v2/issues", form=form) or {})

    def update(self, key: str, ticket: Ticket) -> None:
        self._change(key, self._written(ticket))

    def comments(self, key: str) -> Sequence[str]:
        query = [("count", str(_PAGE)), ("order", "desc")]
        found = self.rest.ask("GET", f"/api/v2/issues/{key}/comments", query=query) or []
        return [str(each.get("content") or "") for each in found]

    def comment(self, key: str, text: str) -> None:
        self.rest.ask("POST", f"/api/v2/issues/{key}/comments", form=[("content", text)])

    def close(self, key: str) -> None:
        self._to(key, _CLOSED)

    def reopen(self, key: str) -> None:
        self._to(key, _OPEN)

    def _to(self, key: str, status: str) -> None:
        """Backlog refuses a change that changes nothing."""
        found = self.rest.ask("GET", f"/api/v2/issues/{key}") or {}
        if str(found.get("status", {}).get("id")) != status:
            self._change(key, [("statusId", status)])

    def _change(self, key: str, form: Sequence[tuple[str, str]]) -> None:
        if self.rest.ask("PATCH", f"/api/v2/issues/{key}", form=form) is None:
            raise TicketRefused(f"Backlog has no issue {key} any more")

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

    def _held(self, issue: Mapping[str, Any]) -> ExistingTicket:
        """Backlog does not say when an issue was closed; it was not later than its last change."""
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
    words = "; ".join(f"{each['message']} {each.get('moreInfo') or ''}".strip() for each in body["errors"])
    return words, "assignee" if "assigneeId" in words else ""


def open_backlog(options: Options, credential: Callable[[str], str]) -> Tracker:
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
    wording=lambda _: wording(MARKUP),
    secrets=("API_KEY",),
)
