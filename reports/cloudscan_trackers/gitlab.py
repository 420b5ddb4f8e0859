"""GitLab issues: gitlab.com and self-managed ("Issues API"). Issues are listed by label, from the database.

A project is asked for by its path once, and then by its id, which stays when it is renamed or moved. What an issue is,
and where, its answer says: one that was moved to another project leaves a closed one with `moved_to_id` behind.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec

from cloudscan.errors import AccessDenied, ConfigurationError, ProviderError, TicketRefused, check_least, check_url
from cloudscan.sentence import Sentence, say
from cloudscan.tracker import (
    LABEL,
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
from cloudscan_trackers import issues
from cloudscan_trackers.api import Api, Pace, Reply
from cloudscan_trackers.markup import MARKDOWN
from cloudscan_trackers.wording import wording

WORDING = wording(MARKDOWN)
_SERVICE: Final = "GitLab"
_PAGE: Final = 100
_PLANNER: Final = 15
"""The lowest access level that may label, assign and close ("Roles and permissions"; Reporter is 20)."""


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[trackers.<name>]`` with the kind `gitlab`."""

    project: str  # group/name
    url: str = "https://gitlab.com"
    confidential: bool = True  # visible to members of the project only
    usernames: dict[str, str] = {}  # logins by mail address, which GitLab does not reveal
    fallback_assignee: str = ""  # if the owner is unknown or has left
    fields: dict[str, Any] = {}  # of every new issue: milestone_id, weight, issue_type, epic_id
    close_fields: dict[str, Any] = {}  # written to close an issue, beside its state
    reopen_fields: dict[str, Any] = {}  # the same to reopen it
    close_as: dict[ClosingReason, dict[str, Any]] = {}  # more to write for a reason: { add_labels = "accepted" }
    write_pause: float = 0.0  # seconds between two writes

    def __post_init__(self) -> None:
        check_url("url", self.url, needs_https=True)
        check_least("write_pause", self.write_pause, 0)
        if not self.project.strip("/ "):
            raise ConfigurationError(say("project is empty; write the path of a GitLab project: group/name."),
                                     key="project")  # fmt: skip


class _User(msgspec.Struct, frozen=True):
    """A user, as far as is read."""

    id: int
    username: str = ""
    state: str = "active"  # "blocked", "deactivated" and others cannot work


class _References(msgspec.Struct, frozen=True):
    """An issue's names: `full` is ``group/name#12``."""

    full: str = ""


class _Issue(msgspec.Struct, frozen=True):
    """An issue, as far as is read. What an answer leaves out is not known, which is not the same as empty."""

    iid: int
    id: int = 0
    project_id: int = 0
    description: str | msgspec.UnsetType | None = msgspec.UNSET
    state: str = ""
    labels: list[str] | msgspec.UnsetType | None = msgspec.UNSET
    assignees: list[_User] | None = None
    confidential: bool | None = None
    due_date: date | None = None
    closed_at: datetime | None = None
    moved_to_id: int | None = None
    web_url: str | None = None
    references: _References | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all is there by which an issue is judged."""
        return bool(self.state) and msgspec.UNSET not in (self.description, self.labels)

    @property
    def text(self) -> str:
        return self.description or ""

    @property
    def is_moved(self) -> bool:
        """One that was moved and opened again keeps its `moved_to_id` (gitlab-org/gitlab#219331)."""
        return self.moved_to_id is not None and self.state == "closed"

    @property
    def full_name(self) -> str:
        """Its key, as the answer says; empty if it does not."""
        if self.references and "#" in self.references.full:
            return self.references.full
        found = re.search(r"^/(.+)/-/(?:issues|work_items)/\d+$", urlsplit(self.web_url or "").path)
        return issues.key_of(found[1], self.iid) if found else ""


class _Access(msgspec.Struct, frozen=True):
    """A membership."""

    access_level: int = 0


class _Permissions(msgspec.Struct, frozen=True):
    """The token user's memberships, in a project and its group."""

    project_access: _Access | None = None
    group_access: _Access | None = None

    @property
    def level(self) -> int:
        return max(access.access_level if access else 0 for access in (self.project_access, self.group_access))


class _Project(msgspec.Struct, frozen=True):
    """A project ("Projects API"), as far as is read."""

    id: int
    path_with_namespace: str = ""
    visibility: str = "private"
    archived: bool = False
    issues_enabled: bool = True
    issues_access_level: str = ""
    permissions: _Permissions | None = None

    @property
    def has_issues(self) -> bool:
        return self.issues_enabled and self.issues_access_level != "disabled"

    @property
    def path(self) -> str:
        return f"/projects/{self.id}"

    def has(self, issue: _Issue) -> bool:
        """Whether an issue is in this project, as its answer says; one that says nothing is where it was asked for."""
        name = issue.full_name.rpartition("#")[0]
        return issue.project_id == self.id if issue.project_id else name in ("", self.path_with_namespace)


@dataclass(frozen=True)
class GitLabIssues:
    """Issues in projects."""

    api: Api
    options: Options
    projects: dict[str, _Project] = field(default_factory=dict)

    index_lag_seconds = 0.0
    listing = Listing.BY_PROJECT

    def wording(self, _project: str) -> Wording:
        """Markdown."""
        return WORDING

    def existing(self, project: str) -> Iterable[ExistingTicket]:
        """The issues with our label, oldest first, 100 per request; and of the newest 100, those that lost it.

        Raises `TicketRefused` for a public project if `confidential` is off.
        """
        project = project or self.options.project
        home = self._confidential(project)
        if not home.has_issues:
            raise TicketRefused(_switched_off(project))
        path, listed = f"{home.path}/issues", set[int]()
        with_label = self.api.pages(path, project, [("labels", LABEL), *_all("asc")])
        newest = islice(self.api.pages(path, project, _all("desc")), 1)
        for page in (*with_label, *newest):
            for issue in (self.api.read(one, _Issue, project) for one in page):
                is_marked = issues.is_labelled(issue.labels or ()) or issues.shows_marker(issue.text)
                if home.has(issue) and is_marked and issue.iid not in listed:
                    listed.add(issue.iid)
                    yield self._existing(issue, home, project)

    def get(self, key: str) -> ExistingTicket | None:
        """None for a 404 of the issue. A 404 of its project raises `AccessDenied`."""
        project = issues.project_of(key)
        home = self._project(project)
        reply = self.api.send("GET", f"{home.path}/issues/{issues.number_of(key, _SERVICE)}")
        if reply.status == 404:
            if not home.has_issues:
                raise TicketRefused(_switched_off(project))
            return None
        if not reply.ok:
            raise self.api.error(reply, key)
        found = self._existing(self.api.read(reply.content, _Issue, key), home, project)
        if found.key == key:
            return found
        return ExistingTicket(key=key, body="", open=False, moved=True, moved_to=found.key)

    def person(self, name: str, project: str) -> str:
        """The id of the project's one active user with exactly this username. An address must be in `usernames`."""
        login = issues.login_of(name, self.options.usernames)
        if not login:
            return ""
        project = project or self.options.project
        query = [("search", login), ("per_page", str(_PAGE))]
        pages = self.api.pages(f"{self._project(project).path}/users", project, query)
        users = [self.api.read(one, _User, project) for page in pages for one in page]
        found = {user.id for user in users if user.username.lower() == login.lower() and user.state == "active"}
        return str(found.pop()) if len(found) == 1 else ""

    def create(self, ticket: Ticket, assignee: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """The issue is confidential unless the options say otherwise.

        GitLab drops labels and assignees of those who may not set them. Raises `TicketRefused` for a public project if
        `confidential` is off, and with the field `assignee` if GitLab's message names the assignee.
        """
        project = ticket.project or self.options.project
        home = self._confidential(project)
        sent = {
            **self.options.fields,
            **_written(ticket),
            "labels": ",".join(filter(None, [*ticket.labels, *_texts(self.options.fields.get("labels"))])),
            "confidential": self.options.confidential,
            **({"assignee_ids": [int(assignee)]} if assignee else {}),
        }
        reply = self.api.ask("POST", f"{home.path}/issues", project, json=sent, follow=False)
        return self._after(reply, home, project, sent, [name for name in self.options.fields if name != "labels"])

    def update(self, key: str, ticket: Ticket, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Labels that people added are kept. An issue becomes confidential if the options say so, never the reverse."""
        home = self._confidential(issues.project_of(key))
        reply = self.api.send("GET", self._path(key), follow=False)
        if reply.status == 404:
            raise issues.missing(key, _SERVICE)
        if not reply.ok:
            raise self.api.error(reply, key)
        outdated = issues.outdated_labels(self.api.read(reply.content, _Issue, key).labels or (), ticket.labels)
        sent = {
            **_written(ticket),
            "add_labels": ",".join(ticket.labels),
            **({"remove_labels": ",".join(outdated)} if outdated else {}),
            **({"confidential": True} if self.options.confidential else {}),
        }
        return self._change(key, home, sent)

    def comments(self, key: str) -> Iterable[str]:
        """All notes, the newest first, 100 per request, including those that GitLab writes itself."""
        query = [("sort", "desc"), ("order_by", "created_at"), ("per_page", str(_PAGE))]
        for page in self.api.pages(f"{self._path(key)}/notes", key, query):
            yield from (str(one.get("body") or "") for one in page if isinstance(one, dict))

    def comment(self, key: str, text: str, *, once: str) -> None:  # noqa: ARG002
        """Raises `AccessDenied` if the issue no longer exists."""
        self.api.ask("POST", f"{self._path(key)}/notes", key, json={"body": text}, follow=False)

    def close(self, key: str, closing: Closing, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Send the state event `close`; GitLab has no reasons of its own."""
        reason = self.options.close_as.get(closing.reason, {})
        home = self._project(issues.project_of(key))
        return self._change(key, home, {"state_event": "close", **self.options.close_fields, **reason})

    def reopen(self, key: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Send the state event `reopen`."""
        home = self._project(issues.project_of(key))
        return self._change(key, home, {"state_event": "reopen", **self.options.reopen_fields})

    def check(self, project: str) -> Iterable[Sentence]:
        """Whether issues can be written, labelled and assigned, and whether the options name what is there."""
        project = project or self.options.project
        home = self._project(project)
        if not home.has_issues:
            yield _switched_off(project)
        if home.archived:
            yield say("the project {project} is archived, so it is read-only; choose another.", project=project)
        if home.permissions and home.permissions.level < _PLANNER:
            yield say(
                "the token's user may not set labels in {project}, and GitLab drops them without a word; give it the "
                "role Planner or Reporter.",
                project=project,
            )
        token = self.api.send("GET", "/personal_access_tokens/self")  # "Personal access tokens API"
        scopes = token.content.get("scopes") if token.ok and isinstance(token.content, dict) else None
        if isinstance(scopes, list) and "api" not in scopes:
            yield say("the token lacks the scope api, which writing issues needs.")
        fallback = self.options.fallback_assignee
        if fallback and not self.person(fallback, project):
            yield say(
                "the fallback assignee {name} cannot be assigned in {project}; give it access, or name another.",
                name=fallback,
                project=project,
            )

    def _existing(self, issue: _Issue, home: _Project, asked: str) -> ExistingTicket:
        """`asked` is the name of the project that it was asked of."""
        key = issues.key_of(home.path_with_namespace or asked, issue.iid) if home.has(issue) else issue.full_name
        return ExistingTicket(
            key=key,
            project=issues.project_of(key),
            url=issue.web_url or "",
            body=issue.text,
            open=issue.state == "opened",
            closed_on=issues.in_utc(issue.closed_at),
            labelled=issues.is_labelled(issue.labels or ()),
            moved=issue.is_moved,
            moved_to=self._moved_to(issue) if issue.is_moved else "",
        )

    def _moved_to(self, issue: _Issue) -> str:
        """The key of what a moved issue became. Only administrators may ask for an issue by its id ("Single issue")."""
        reply = self.api.send("GET", f"/issues/{issue.moved_to_id}")
        if not reply.ok:
            return ""
        there = self.api.read(reply.content, _Issue, str(issue.moved_to_id))
        return there.full_name if there.id == issue.moved_to_id else ""

    def _project(self, name: str) -> _Project:
        """A project. Raises `AccessDenied` if it cannot be read."""
        name = name or self.options.project
        if name not in self.projects:
            reply = self.api.ask("GET", f"/projects/{quote(name, safe='')}", name)
            self.projects[name] = self.api.read(reply.content, _Project, name)
        return self.projects[name]

    def _confidential(self, name: str) -> _Project:
        """A project that may be told of files and people."""
        project = self._project(name)
        if project.visibility == "public" and not self.options.confidential:
            raise TicketRefused(
                say(
                    "the project {project} is public, and tickets name files and people; choose a private one, or "
                    "leave `confidential` on.",
                    project=name,
                ),
                field="confidential",
            )
        return project

    def _path(self, key: str) -> str:
        return f"{self._project(issues.project_of(key)).path}/issues/{issues.number_of(key, _SERVICE)}"

    def _change(self, key: str, home: _Project, sent: Mapping[str, Any]) -> ExistingTicket:
        reply = self.api.ask("PUT", self._path(key), key, json=sent, follow=False)
        return self._after(reply, home, issues.project_of(key), sent)

    def _after(
        self, reply: Reply, home: _Project, asked: str, sent: Mapping[str, Any], fields: Sequence[str] = ()
    ) -> ExistingTicket:
        """An issue as the answer to what was sent shows it; if that is not all of it, as it is read afterwards."""
        content = reply.content
        issue = self.api.read(content, _Issue, asked)
        if not issue.is_whole:
            read = self.api.ask("GET", f"{home.path}/issues/{issue.iid}", asked, follow=False)
            content, issue = read.content, self.api.read(read.content, _Issue, asked)
        assigned = {user.id for user in issue.assignees or ()}
        due = issue.due_date.isoformat() if issue.due_date else ""
        dropped = {
            Dropped.LABEL: bool({"labels", "add_labels"} & set(sent)) and not issues.is_labelled(issue.labels or ()),
            Dropped.TEXT: "description" in sent and not issues.is_kept(sent["description"], issue.text),
            Dropped.ASSIGNEE: not set(sent.get("assignee_ids", ())) <= assigned,
            Dropped.CONFIDENTIAL: bool(sent.get("confidential")) and issue.confidential is False,
            Dropped.DUE: "due_date" in sent and sent["due_date"] != due,
            Dropped.FIELDS: bool(issues.dropped_fields({name: sent[name] for name in fields}, content)),
        }
        missing = [name for name, is_missing in dropped.items() if is_missing]
        return msgspec.structs.replace(self._existing(issue, home, asked), dropped=missing)


def _written(ticket: Ticket) -> dict[str, Any]:
    due = ticket.due.isoformat() if ticket.due else ""
    return {"title": ticket.title, "description": ticket.body, "due_date": due}


def _all(sort: str) -> list[tuple[str, str]]:
    return [("state", "all"), ("order_by", "created_at"), ("sort", sort), ("per_page", str(_PAGE))]


def _texts(value: Any) -> Iterator[str]:
    yield from map(str, value) if isinstance(value, list) else str(value or "").split(",")


def _switched_off(project: str) -> Sentence:
    return say(
        "issues are switched off in the project {project}; switch them on in its settings, or choose another.",
        project=project,
    )


def _is_limit(reply: Reply) -> bool:
    """GitLab answers 429, with Retry-After or RateLimit-Reset ("Rate limits")."""
    return reply.status == 429


def _refusal(reply: Reply, where: str) -> ProviderError | None:
    """What GitLab's refusals mean ("Troubleshooting the REST API")."""
    if reply.status in (401, 403, 404):
        return AccessDenied(
            say(
                "GitLab refused access to {where} ({message}); the token needs the scope api and the role Planner or "
                "Reporter, and the project must not be archived.",
                where=where,
                message=reply.message,
            )
        )
    if reply.status in (400, 409, 422):
        field = "assignee" if "assignee" in reply.message else ""
        return TicketRefused(
            say("GitLab refused what was sent about {where}: {message}", where=where, message=reply.message),
            field=field,
        )
    return None


def open_gitlab(options: Options, credential: Callable[[str], str]) -> Tracker:
    """The tracker."""
    api = Api(
        service=_SERVICE,
        url=f"{options.url.rstrip('/')}/api/v4",
        headers={"PRIVATE-TOKEN": credential("TOKEN")},
        is_limit=_is_limit,
        refusal=_refusal,
        pace=Pace(pause=options.write_pause),
    )
    return GitLabIssues(api, options)


GITLAB = TrackerPlugin(
    name="gitlab",
    title="GitLab",
    options=Options,
    open=open_gitlab,
    secrets=("TOKEN",),
)
