"""Backlog (Nulab), over its API version 2.

Issues are listed by category, which needs no search index. The statuses Open and Closed have the ids 1 and 4 in every
project, the resolutions the ids 0 to 4 in every space. Backlog accepts its API key in the address only.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

import msgspec

from cloudscan.errors import AccessDenied, ProviderError, TicketRefused, check_url
from cloudscan.finding import Severity
from cloudscan.sentence import Sentence, joined, say
from cloudscan.tracker import (
    Closing,
    ClosingReason,
    Dropped,
    ExistingTicket,
    Listing,
    Ticket,
    Tracker,
    TrackerPlugin,
    Wording,
)
from cloudscan_trackers.markup import BACKLOG as MARKDOWN
from cloudscan_trackers.markup import BACKLOG_NOTATION, within_basic_plane
from cloudscan_trackers.rest import Fault, Rest, ends_alike, time_of
from cloudscan_trackers.wording import Limits, wording

_PAGE: Final = 100
_KEY: Final = re.compile(r"[A-Za-z0-9_]+-[0-9]+")
_SIGN: Final = "cloudscan:1"  # how a marker line begins
_OPEN, _CLOSED = "1", "4"
_HIGH, _NORMAL, _LOW = "2", "3", "4"
_PRIORITIES: Final[Mapping[Severity, str]] = {
    Severity.CRITICAL: _HIGH,
    Severity.HIGH: _HIGH,
    Severity.MEDIUM: _NORMAL,
    Severity.LOW: _LOW,
    Severity.INFO: _LOW,
}
_FIXED, _WILL_NOT_FIX, _INVALID, _DUPLICATE = "0", "1", "2", "3"
_RESOLUTIONS: Final[Mapping[ClosingReason, str]] = {
    ClosingReason.FIXED: _FIXED,
    ClosingReason.GONE: _FIXED,
    ClosingReason.WAIVED: _WILL_NOT_FIX,
    ClosingReason.DUPLICATE: _DUPLICATE,
    ClosingReason.MERGED: _DUPLICATE,
    ClosingReason.WITHDRAWN: _INVALID,
    ClosingReason.REJUDGED: _INVALID,
}
_LIMITS: Final = Limits(title=255, body=100_000, comment=50_000)
_WORDINGS: Final[Mapping[str, Wording]] = {
    "markdown": wording(MARKDOWN, limits=_LIMITS, letters=within_basic_plane),
    "backlog": wording(BACKLOG_NOTATION, limits=_LIMITS, letters=within_basic_plane),
}
"""By the project's `textFormattingRule` ("Get Project")."""

_Value = str | int | float | list[str | int | float]
_Form = Sequence[tuple[str, str]]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[trackers.<name>]`` with the kind `backlog`."""

    url: str  # https://SPACE.backlog.com or https://SPACE.backlog.jp
    project: str  # its key
    issue_type: str = ""  # its name; empty: the project's first
    category: str = "cloudscan"  # of our issues; created if it is missing and permissions allow
    usernames: dict[str, str] = {}  # user ids by mail address, for addresses that Backlog does not reveal
    fields: dict[str, _Value] = {}  # of every new issue: customField_55, milestoneId[], …
    close_fields: dict[str, _Value] = {}  # written when an issue is closed, beside its status and resolution
    close_as: dict[ClosingReason, dict[str, _Value]] = {}  # by the reason of closing: replaces its resolution
    reopen_fields: dict[str, _Value] = {}  # written when an issue is opened again, beside its status
    fallback_assignee: str = ""  # if the owner is unknown or has left

    def __post_init__(self) -> None:
        """Raises `ConfigurationError` for an address to which an API key would be sent unencrypted."""
        check_url("url", self.url, needs_https=True)


@dataclass
class Project:
    """What must be known about a project before an issue can be created in it; each asked once."""

    rest: Rest
    options: Options
    key: str
    _category: str = field(default="", init=False)

    @property
    def path(self) -> str:
        """Where the API has it."""
        return f"/api/v2/projects/{quote(self.key, safe='')}"

    @cached_property
    def about(self) -> Mapping[str, Any]:
        """The project. A 404 raises `AccessDenied`: the project is missing, or the user is not a member."""
        project = self.rest.ask("GET", self.path)
        if project is None:
            raise AccessDenied(
                say(
                    "Backlog has no project {project}, or the user of the API key is not a member of it; check "
                    "project, and add the user.",
                    project=self.key,
                )
            )
        return self.rest.record(project)

    @property
    def id(self) -> str:
        """The numeric id. Raises `Malformed` if the answer has none."""
        if not (number := self.about.get("id")):
            raise self.rest.malformed()
        return str(number)

    @cached_property
    def issue_types(self) -> Sequence[Mapping[str, Any]]:
        """In the project's order."""
        return self.rest.records(self.rest.ask("GET", f"{self.path}/issueTypes") or [])

    @property
    def issue_type(self) -> str:
        """The id of the issue type that the options name, else of the project's first.

        Raises `TicketRefused` with the names to choose from if there is no such type.
        """
        wanted = self.options.issue_type
        for issue_type in self.issue_types:
            if wanted in ("", issue_type.get("name")):
                return str(issue_type.get("id"))
        raise TicketRefused(
            say(
                "Backlog's project {project} has no issue type {wanted}; write one of {names} as issue_type.",
                project=self.key,
                wanted=repr(wanted),
                names=", ".join(str(issue_type.get("name")) for issue_type in self.issue_types) or "–",
            )
        )

    def category(self) -> str:
        """The id of our category; empty if there is none."""
        if not self._category:
            categories = self.rest.records(self.rest.ask("GET", f"{self.path}/categories") or [])
            named = (one for one in categories if one.get("name") == self.options.category)
            self._category = next((str(one.get("id")) for one in named), "")
        return self._category

    def category_made(self) -> str:
        """The id of our category, which is created if it is missing; only administrators of the project may do that."""
        if self.category():
            return self._category
        try:
            made = self.rest.ask("POST", f"{self.path}/categories", form=[("name", self.options.category)])
        except AccessDenied as error:
            raise AccessDenied(self.lacks_category(), needs=error.needs) from error
        self._category = str(self.rest.record(made).get("id"))
        return self._category

    def lacks_category(self) -> Sentence:
        """What to do about a category that we may not create."""
        return say(
            "Backlog's project {project} has no category {category}, and the user of the API key may not create it; "
            "create it in the project's settings.",
            project=self.key,
            category=repr(self.options.category),
        )

    @cached_property
    def members(self) -> Sequence[Mapping[str, Any]]:
        """The users who can be assigned, from one request to ``/projects/KEY/users``; empty for a 404."""
        return self.rest.records(self.rest.ask("GET", f"{self.path}/users") or [])

    def required_fields(self, given: Iterable[str]) -> Sequence[str]:
        """The custom fields that an issue of our type must have and that are not given: "customField_55 (Team)".

        "Get Custom Field List": no applicable issue types are all of them.
        """
        fields = self.rest.records(self.rest.ask("GET", f"{self.path}/customFields") or [])
        required = (one for one in fields if one.get("required") is True and self._applies(one))
        names = {name.removesuffix("[]") for name in given}
        return [
            f"customField_{one.get('id')} ({one.get('name')})"
            for one in required
            if f"customField_{one.get('id')}" not in names
        ]

    def _applies(self, custom_field: Mapping[str, Any]) -> bool:
        types = custom_field.get("applicableIssueTypes") or []
        return not types or self.issue_type in map(str, types)


@dataclass(frozen=True)
class Backlog:
    """Issues in projects."""

    rest: Rest
    options: Options
    projects: dict[str, Project] = field(default_factory=dict)

    index_lag_seconds = 0.0
    listing = Listing.BY_PROJECT

    def wording(self, project: str) -> Wording:
        """In the project's notation: Markdown, or Backlog's own."""
        rule = str(self._project(project).about.get("textFormattingRule"))
        return _WORDINGS.get(rule, _WORDINGS["markdown"])

    def existing(self, name: str) -> Iterable[ExistingTicket]:
        """The issues in our category, oldest first, and of the newest 100 others those with a marker line.

        Each answer is looked at: an issue of another project is left out, and one without our category is not labelled.
        Raises `AccessDenied` if the user is not a member.
        """
        project = self._project(name)
        everywhere = [("projectId[]", project.id), ("sort", "created"), ("count", str(_PAGE))]
        seen: set[str] = set()
        if category := project.category():
            for start in range(0, 10**9, _PAGE):
                query = [*everywhere, ("categoryId[]", category), ("order", "asc"), ("offset", str(start))]
                page = self._issues(query, project)
                fresh = [ticket for ticket in page if ticket.key not in seen]
                seen |= {ticket.key for ticket in fresh}
                yield from fresh
                if len(page) < _PAGE or not fresh:
                    break
        newest = self._issues([*everywhere, ("keyword", _SIGN), ("order", "desc")], project)
        yield from (ticket for ticket in newest if ticket.key not in seen and _SIGN in ticket.body)

    def get(self, key: str) -> ExistingTicket | None:
        """``GET /api/v2/issues/KEY``; None for a 404, unless the whole project is out of reach (`AccessDenied`).

        An issue that answers with another key was moved there. The time of closing is that of the last change.
        """
        if not _KEY.fullmatch(key):
            return None
        issue = self.rest.ask("GET", self._path(key))
        if issue is None:
            _ = self._project(key.rpartition("-")[0]).about
            return None
        ticket = self._existing(issue)
        if ticket.key != key:
            return ExistingTicket(
                key=ticket.key, body="", open=ticket.open, url=ticket.url, moved=True, moved_to=ticket.key
            )
        return ticket

    def person(self, name: str, project: str) -> str:
        """The id of the one member of the project with this mail address or user id, ignoring case.

        `usernames` names the user id of an address that Backlog hides. Display names prove nothing.
        """
        usernames = {address.casefold(): user for address, user in self.options.usernames.items()}
        wanted = usernames.get(name.casefold(), name).casefold()
        by = "mailAddress" if "@" in wanted else "userId"
        members = self._project(project).members
        found = [str(one.get("id")) for one in members if str(one.get(by) or "").casefold() == wanted]
        return found[0] if len(found) == 1 else ""

    def create(self, ticket: Ticket, assignee: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Create an issue in our category, with a priority by severity and the options' `fields`. Labels are not sent.

        Raises `TicketRefused` with the field `assignee` if Backlog's message is about the assignee, and with the names
        of the custom fields that the project requires if they are missing.
        """
        project = self._project(ticket.project)
        own = {
            "projectId": project.id,
            "issueTypeId": project.issue_type,
            **{name: value for name, value in self._written(ticket).items() if value},
            **({"assigneeId": assignee} if assignee else {}),
        }
        form = [("categoryId[]", project.category_made()), *_form({**self.options.fields, **own})]
        try:
            issue = self.rest.record(self.rest.ask("POST", "/api/v2/issues", form=form))
        except TicketRefused as error:
            raise _explained(error, project, form) from error
        return self._looked_at(issue, ticket, assignee)

    def update(self, key: str, ticket: Ticket, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Writes what differs, which may be our category or the priority; labels are not sent.

        Backlog refuses a change that changes nothing. Raises `TicketRefused` for a 404.
        """
        issue = self._read(key)
        project = self._project(key.rpartition("-")[0])
        is_now = _written_in(issue)
        form = [(name, value) for name, value in self._written(ticket).items() if is_now.get(name) != value]
        categories = [str(one.get("id")) for one in _list(issue, "category")]
        if (ours := project.category_made()) not in categories:
            form += [("categoryId[]", category) for category in (*categories, ours)]
        if form:
            issue = self._changed(key, form)
        return self._looked_at(issue, ticket)

    def comments(self, key: str) -> Iterator[str]:
        """The newest first, 100 per request: each asks for those with smaller ids. None for a 404."""
        below, seen = 0, set[int]()
        while True:
            query = [("count", str(_PAGE)), ("order", "desc"), *([("maxId", str(below))] if below else [])]
            page = self.rest.records(self.rest.ask("GET", f"{self._path(key)}/comments", query=query) or [])
            yield from (str(comment.get("content") or "") for comment in page)
            fresh = {number for comment in page if isinstance(number := comment.get("id"), int)} - seen
            if len(page) < _PAGE or not fresh:
                return
            seen |= fresh
            below = min(fresh) - 1

    def comment(self, key: str, text: str, *, once: str) -> None:  # noqa: ARG002
        """Add a comment. Raises `TicketRefused` for a 404."""
        if self.rest.ask("POST", f"{self._path(key)}/comments", form=[("content", text)]) is None:
            raise _gone(key)

    def close(self, key: str, closing: Closing, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Set the status 4 (Closed) and a resolution, unless the issue has that status.

        Raises `TicketRefused` for a 404.
        """
        own = self.options.close_as.get(closing.reason)
        resolution = {"resolutionId": _RESOLUTIONS[closing.reason]} if own is None else own
        fields: Mapping[str, _Value] = {"statusId": _CLOSED, **resolution, **self.options.close_fields, **(own or {})}
        return self._turned(key, fields, "close_fields", is_open=False)

    def reopen(self, key: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Set the status 1 (Open) and no resolution, if the issue is closed. Raises `TicketRefused` for a 404."""
        fields: Mapping[str, _Value] = {"statusId": _OPEN, "resolutionId": "", **self.options.reopen_fields}
        return self._turned(key, fields, "reopen_fields", is_open=True)

    def check(self, name: str) -> Iterator[Sentence]:
        """The issue type, required custom fields, the category and who may create it, an archived project."""
        project = self._project(name)
        if project.about.get("archived") is True:
            yield say("Backlog's project {project} is archived; name another one as project.", project=project.key)
        try:
            _ = project.issue_type
        except TicketRefused as error:
            yield joined([error])
            return
        if missing := project.required_fields(self.options.fields):
            yield _requires(project, missing)
        if not project.category() and not self._may_create_categories(project):
            yield project.lacks_category()

    def _may_create_categories(self, project: Project) -> bool:
        """Whether the user is an administrator, of the space or of the project ("Add Category")."""
        me = self.rest.record(self.rest.ask("GET", "/api/v2/users/myself") or {})
        if me.get("roleType") == 1:
            return True
        administrators = self.rest.records(self.rest.ask("GET", f"{project.path}/administrators") or [])
        return me.get("id") in [one.get("id") for one in administrators]

    def _issues(self, query: _Form, project: Project) -> Sequence[ExistingTicket]:
        """One page of issues; those that are elsewhere are not in it, whatever was asked for."""
        page = self.rest.records(self.rest.ask("GET", "/api/v2/issues", query=query) or [])
        return [self._existing(issue) for issue in page if str(issue.get("projectId", project.id)) == project.id]

    def _read(self, key: str) -> Mapping[str, Any]:
        """An issue that is about to be changed, at its own address."""
        issue = self.rest.ask("GET", self._path(key)) if _KEY.fullmatch(key) else None
        if issue is None or self.rest.record(issue).get("issueKey") != key:
            raise _gone(key)
        return self.rest.record(issue)

    def _turned(self, key: str, fields: Mapping[str, _Value], option: str, *, is_open: bool) -> ExistingTicket:
        """Opened or closed: Backlog refuses a change that changes nothing."""
        ticket = self._existing(self._read(key))
        if ticket.open is is_open:
            return ticket
        try:
            return self._existing(self._changed(key, _form(fields)))
        except TicketRefused as error:
            raise TicketRefused(
                say(
                    "{refusal} If the project asks for more, write it under {option}.",
                    refusal=joined([error]),
                    option=option,
                )
            ) from error

    def _changed(self, key: str, form: _Form) -> Mapping[str, Any]:
        """What an issue is after a change. Raises `TicketRefused` for a 404."""
        issue = self.rest.ask("PATCH", self._path(key), form=form)
        if issue is None:
            raise _gone(key)
        return self.rest.record(issue)

    def _written(self, ticket: Ticket) -> Mapping[str, str]:
        """The parameters that the text, the severity and the due date become."""
        own = {} if "priorityId" in self.options.fields else {"priorityId": _PRIORITIES[ticket.severity]}
        return {
            "summary": ticket.title,
            "description": ticket.body,
            "dueDate": ticket.due.isoformat() if ticket.due else "",
            **own,
        }

    def _looked_at(self, issue: Mapping[str, Any], ticket: Ticket, assignee: str = "") -> ExistingTicket:
        """The issue that an answer shows, compared with what was sent."""
        existing, is_now = self._existing(issue), _written_in(issue)
        lost = {
            Dropped.LABEL: not existing.labelled,
            Dropped.TEXT: not ends_alike(ticket.body, existing.body),
            Dropped.ASSIGNEE: bool(assignee) and str(_dict(issue, "assignee").get("id")) != assignee,
            Dropped.DUE: bool(ticket.due) and is_now["dueDate"] != str(ticket.due),
        }
        return msgspec.structs.replace(existing, dropped=[what for what, is_lost in lost.items() if is_lost])

    def _project(self, key: str) -> Project:
        name = key or self.options.project
        return self.projects.setdefault(name, Project(self.rest, self.options, name))

    def _path(self, key: str) -> str:
        return f"/api/v2/issues/{quote(key, safe='')}"

    def _existing(self, issue: Any) -> ExistingTicket:
        """Backlog does not say when an issue was closed: at the latest with its last change."""
        issue = self.rest.record(issue)
        key, status = str(issue.get("issueKey") or ""), _dict(issue, "status").get("id")
        if not _KEY.fullmatch(key) or status is None:
            raise self.rest.malformed()
        is_open = str(status) != _CLOSED
        return ExistingTicket(
            key=key,
            url=f"{self.options.url.rstrip('/')}/view/{key}",
            body=str(issue.get("description") or ""),
            open=is_open,
            closed_on=None if is_open else time_of(issue.get("updated")),
            project=key.rpartition("-")[0],
            labelled=self.options.category in [one.get("name") for one in _list(issue, "category")],
        )


def _form(fields: Mapping[str, _Value]) -> _Form:
    """Form parameters. A list is repeated under its name, as Nulab's own client does for custom fields (backlog4j)."""
    return [
        (name, str(one)) for name, value in fields.items() for one in (value if isinstance(value, list) else [value])
    ]


def _written_in(issue: Mapping[str, Any]) -> Mapping[str, str]:
    """What an issue has of what we write, by the names of the parameters."""
    return {
        "summary": str(issue.get("summary") or ""),
        "description": str(issue.get("description") or "").replace("\r\n", "\n"),
        "dueDate": str(issue.get("dueDate") or "")[:10],
        "priorityId": str(_dict(issue, "priority").get("id")),
    }


def _dict(issue: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = issue.get(name)
    return value if isinstance(value, Mapping) else {}


def _list(issue: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    value = issue.get(name)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _requires(project: Project, missing: Sequence[str]) -> Sentence:
    return say(
        "Backlog's project {project} requires custom fields that are not set: {fields}; write them under fields.",
        project=project.key,
        fields=", ".join(missing),
    )


def _explained(error: TicketRefused, project: Project, form: _Form) -> TicketRefused:
    """A refused creation, with the custom fields that are missing, if that can be found out."""
    try:
        missing = [] if error.field else project.required_fields(name for name, _ in form)
    except ProviderError:
        missing = []  # what was refused matters more than that nothing more can be said about it
    return TicketRefused(joined([error, _requires(project, missing)])) if missing else error


def _gone(key: str) -> TicketRefused:
    return TicketRefused(say("Backlog no longer has the issue {key}.", key=key))


def _fault(body: Any) -> Fault:
    """A list of messages, in the language of the user ("Error Response")."""
    message = "; ".join(f"{error['message']} {error.get('moreInfo') or ''}".strip() for error in body["errors"])
    return Fault(message=message, field="assignee" if "assigneeId" in message or "担当者" in message else "")


def open_backlog(options: Options, credential: Callable[[str], str]) -> Tracker:
    """The tracker, signed in with an API key."""
    rest = Rest(
        name="Backlog",
        url=options.url,
        needs=say("membership of the project, with the right to add and edit issues"),
        headers={},
        always={"apiKey": credential("API_KEY")},
        fault=_fault,
    )
    return Backlog(rest, options)


BACKLOG = TrackerPlugin(
    name="backlog",
    title="Backlog (Nulab)",
    options=Options,
    open=open_backlog,
    secrets=("API_KEY",),
)
