"""GitHub Issues: github.com and GitHub Enterprise Server ("REST API endpoints for issues", version 2022-11-28).

Issues are listed by label, not searched: the search index lags behind, the list does not. Where an issue is, its answer
says: a repository that was renamed and an issue that was transferred are answered with a redirect. GitHub has no due
date; it is part of the text.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
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
from cloudscan_trackers import issues, projects
from cloudscan_trackers.api import Api, NotFound, Pairs, Reply
from cloudscan_trackers.markup import MARKDOWN
from cloudscan_trackers.pauses import Pace
from cloudscan_trackers.wording import wording

WORDING = wording(MARKDOWN)
_SERVICE: Final = "GitHub"
_PAGE: Final = 100
_PROJECT: Final = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_LOGIN: Final = re.compile(r"[\w-]+(\[bot\])?", re.ASCII)
_LABELLING: Final = ("admin", "maintain", "push", "triage")
"""The roles that may label and assign ("Repository roles for an organization")."""
_STATE_REASONS: Final[Mapping[ClosingReason, str]] = {
    ClosingReason.FIXED: "completed",
    ClosingReason.GONE: "completed",
    ClosingReason.WAIVED: "not_planned",
    ClosingReason.DUPLICATE: "duplicate",
    ClosingReason.MERGED: "duplicate",
    ClosingReason.WITHDRAWN: "not_planned",
    ClosingReason.REJUDGED: "not_planned",
}
"""GitHub's own terms ("Update an issue", `state_reason`)."""


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[trackers.<name>]`` with the kind `github`."""

    project: str  # the repository, owner/name; private, because tickets name files and people
    url: str = "https://api.github.com"  # of Enterprise Server: https://HOST/api/v3
    public: bool = False  # allow a repository that anyone can read
    usernames: dict[str, str] = {}  # logins by mail address, which GitHub does not reveal
    fallback_assignee: str = ""  # if the owner is unknown or has left
    fields: dict[str, Any] = {}  # of every new issue: milestone (its number), type (its name)
    close_fields: dict[str, Any] = {}  # written to close an issue, beside its state
    reopen_fields: dict[str, Any] = {}  # the same to reopen it
    close_as: dict[ClosingReason, dict[str, Any]] = {}  # by reason, in place of GitHub's reason: { state_reason = "…" }
    write_pause: float = 1.0  # seconds between two writes, as GitHub requests
    hourly_writes: int = 500  # as many as GitHub takes in an hour; the rest follows in the next run; 0: any number

    def __post_init__(self) -> None:
        check_url("url", self.url, needs_https=True)
        check_least("write_pause", self.write_pause, 0)
        check_least("hourly_writes", self.hourly_writes, 0)


class _Named(msgspec.Struct, frozen=True):
    """A label, as far as is read."""

    name: str = ""


class _Account(msgspec.Struct, frozen=True):
    """An assignee, as far as is read."""

    login: str = ""


class _Issue(msgspec.Struct, frozen=True):
    """An issue, as far as is read. What an answer leaves out is not known, which is not the same as empty."""

    number: int
    title: str | msgspec.UnsetType = msgspec.UNSET
    body: str | msgspec.UnsetType | None = msgspec.UNSET
    state: str = ""
    labels: list[_Named | str] | msgspec.UnsetType | None = msgspec.UNSET
    assignees: list[_Account] | None = None
    closed_at: datetime | None = None
    url: str | None = None
    repository_url: str | None = None
    html_url: str | None = None
    pull_request: Any = None

    @property
    def is_whole(self) -> bool:
        """Whether all is there by which an issue is judged."""
        return bool(self.state) and msgspec.UNSET not in (self.title, self.body, self.labels)

    @property
    def text(self) -> str:
        return self.body or ""

    @property
    def label_names(self) -> list[str]:
        return [label if isinstance(label, str) else label.name for label in self.labels or ()]

    @property
    def repository(self) -> str:
        """The repository that it is in, as the answer says; empty if it does not."""
        patterns = (
            (self.repository_url, r"/repos/([^/]+/[^/]+)/?$"),
            (self.url, r"/repos/([^/]+/[^/]+)/issues/\d+/?$"),
            (self.html_url, r"/([^/]+/[^/]+)/(?:issues|pull)/\d+/?$"),
        )
        found = (re.search(pattern, urlsplit(address or "").path) for address, pattern in patterns)
        return next((match[1] for match in found if match), "")


class _Repository(msgspec.Struct, frozen=True):
    """A repository ("Get a repository"), as far as is read."""

    full_name: str = ""
    private: bool = False
    archived: bool = False
    has_issues: bool = True
    permissions: dict[str, bool] | None = None
    path: str = ""  # where it was found


@dataclass(frozen=True)
class GitHubIssues:
    """Issues in repositories."""

    api: Api
    options: Options
    repositories: dict[str, _Repository] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)  # of repositories to which a redirect led, by name

    index_lag_seconds = 0.0
    listing = Listing.BY_PROJECT

    def wording(self, _project: str) -> Wording:
        """Markdown."""
        return WORDING

    def existing(self, project: str) -> Iterable[ExistingTicket]:
        """The issues with our label, 100 per request; and of the newest 100, those that lost it.

        Pull requests, which GitHub lists among issues, are left out, and so is what is in another repository. Raises
        `TicketRefused` for a public repository unless the options allow it.
        """
        project = project or self.options.project
        repository = self._confidential(project)
        names = {project.lower(), repository.full_name.lower()}
        path, listed = f"{repository.path}/issues", set[int]()
        with_label = issues.pages(self.api, path, project, [("labels", LABEL), *_all()])
        newest = islice(issues.pages(self.api, path, project, _all()), 1)
        for page in (*with_label, *newest):
            for issue in (self.api.read(one, _Issue, project) for one in page):
                is_here = (issue.repository or project).lower() in names
                is_marked = issues.is_labelled(issue.label_names) or issues.shows_marker(issue.text)
                if is_here and is_marked and issue.pull_request is None and issue.number not in listed:
                    listed.add(issue.number)
                    yield _existing(issue, repository.full_name or project)

    def get(self, key: str) -> ExistingTicket | None:
        """An issue that was transferred, or whose repository was renamed, `moved`; None for one that was deleted.

        GitHub answers a deleted issue with 410, or 404 to those who may not know ("Get an issue"). Raises
        `AccessDenied` if the repository cannot be read either, and `TicketRefused` if its issues are switched off.
        """
        project, number = issues.project_of(key), issues.number_of(key, _SERVICE)
        try:
            reply = self.api.ask("GET", f"{self._path_of(project)}/issues/{number}", key)
        except NotFound:
            if not self._repository(project).has_issues:
                raise TicketRefused(projects.switched_off(project)) from None
            return None
        found = _existing(self.api.read(reply.content, _Issue, key), project)
        if found.key == key:
            return found
        self.paths.setdefault(found.project, self.api.path_of(reply).rpartition("/issues/")[0])
        return issues.moved(key, found.key)

    def person(self, name: str, project: str) -> str:
        """The login, if the repository lists it among its assignees. An address must be in `usernames`."""
        login = issues.mapped(name, self.options.usernames) or name.strip()
        if not _LOGIN.fullmatch(login):
            return ""
        project = project or self.options.project
        is_there = self._has(f"{self._repository(project).path}/assignees/{quote(login, safe='')}", project)
        return login if is_there else ""  # "Check if a user can be assigned"

    def create(self, ticket: Ticket, assignee: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """The due date is in the text only.

        GitHub drops labels and assignees of those who may not set them ("Create an issue"). Raises `TicketRefused` for
        a public repository unless the options allow it, and with the field `assignee` if GitHub rejects the assignee.
        """
        project = ticket.project or self.options.project
        repository = self._confidential(project)
        sent = {
            **self.options.fields,
            "title": ticket.title,
            "body": ticket.body,
            "labels": list(dict.fromkeys([*ticket.labels, *_texts(self.options.fields.get("labels"))])),
            "assignees": [assignee] if assignee else [],
        }
        reply = self.api.ask("POST", f"{repository.path}/issues", project, json=sent, follow=False)
        fields = [name for name in self.options.fields if name not in ("labels", "assignees")]
        return self._after(reply, repository.path, project, sent, fields)

    def update(self, key: str, ticket: Ticket, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Labels that people added are kept."""
        self._confidential(issues.project_of(key))
        labels = self._issue(key).label_names
        outdated = issues.outdated_labels(labels, ticket.labels)
        kept = [label for label in labels if label not in outdated]
        wanted = list(dict.fromkeys([*kept, *ticket.labels]))
        return self._change(key, {"title": ticket.title, "body": ticket.body, "labels": wanted})

    def comments(self, key: str) -> Iterable[str]:
        """All comments, 100 per request."""
        return issues.texts(self.api, f"{self._path(key)}/comments", key, [("per_page", _PAGE)])

    def comment(self, key: str, text: str, *, once: str) -> None:  # noqa: ARG002
        """Raises `TicketRefused` if the issue no longer exists, and `AccessDenied` if its conversation is locked."""
        self.api.ask("POST", f"{self._path(key)}/comments", key, json={"body": text}, follow=False)

    def close(self, key: str, closing: Closing, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Close with GitHub's own reason; an Enterprise Server that does not know it gets the nearest that it knows."""
        configured = self.options.close_as.get(closing.reason)
        reasons = [{"state_reason": reason} for reason in (_STATE_REASONS[closing.reason], "not_planned")]
        variants = [configured] if configured is not None else [*reasons, {}]
        return self._turn(key, [{"state": "closed", **self.options.close_fields, **variant} for variant in variants])

    def reopen(self, key: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Open with the reason `reopened`, if it is known."""
        variants: Sequence[dict[str, Any]] = ({"state_reason": "reopened"}, {})
        return self._turn(key, [{"state": "open", **variant, **self.options.reopen_fields} for variant in variants])

    def check(self, project: str) -> Iterable[Sentence]:
        """Whether issues can be written, labelled and assigned, and whether the options name what is there."""
        project = project or self.options.project
        reply = self.api.ask("GET", f"/repos/{_quoted(project)}", project)
        repository = self.api.read(reply.content, _Repository, project)
        if not repository.has_issues:
            yield projects.switched_off(project)
        if repository.archived:
            yield projects.archived(project)
        if repository.permissions is not None and not any(map(repository.permissions.get, _LABELLING)):
            yield projects.drops_labels(project, _SERVICE, "Triage, Write")
        scopes = {scope.strip() for scope in reply.headers.get("x-oauth-scopes", "").split(",") if scope.strip()}
        if scopes and "repo" not in scopes and not (self.options.public and "public_repo" in scopes):
            yield say("the token lacks the scope repo, which private repositories need.")
        if repository.full_name and repository.full_name.lower() != project.lower():
            yield projects.renamed(project, repository.full_name)
        yield from self._check_options(project)

    def _check_options(self, project: str) -> Iterator[Sentence]:
        yield from projects.lacks_fallback(self, self.options.fallback_assignee, project)
        milestone = self.options.fields.get("milestone")
        if milestone is not None:
            path = f"{self._repository(project).path}/milestones/{quote(str(milestone), safe='')}"
            if not self._has(path, project):
                yield say(
                    "{project} has no milestone {milestone}; write the number of one that is open as fields.milestone.",
                    project=project,
                    milestone=milestone,
                )

    def _has(self, path: str, where: str) -> bool:
        """Whether there is anything at a path."""
        try:
            return self.api.ask("GET", path, where).ok
        except NotFound:
            return False

    def _repository(self, project: str) -> _Repository:
        """A repository, under its present name and address. Raises `AccessDenied` if it cannot be read."""
        if project not in self.repositories:
            reply = self.api.ask("GET", self._path_of(project), project)
            found = self.api.read(reply.content, _Repository, project)
            path = self.api.path_of(reply)
            if path != self._path_of(project):
                self.paths.update(dict.fromkeys((project, found.full_name or project), path))
            self.repositories[project] = msgspec.structs.replace(found, path=path)
        return self.repositories[project]

    def _confidential(self, project: str) -> _Repository:
        """A repository that may be told of files and people."""
        repository = self._repository(project)
        if not repository.private and not self.options.public:
            raise TicketRefused(
                say(
                    "the repository {project} is public, and tickets name files and people; choose a private "
                    "repository, or write public = true.",
                    project=project,
                ),
                field="public",
            )
        return repository

    def _path(self, key: str) -> str:
        return f"{self._path_of(issues.project_of(key))}/issues/{issues.number_of(key, _SERVICE)}"

    def _path_of(self, project: str) -> str:
        return self.paths.get(project) or f"/repos/{_quoted(project)}"

    def _issue(self, key: str) -> _Issue:
        """The issue at this very address. Raises `TicketRefused` if it is not there, or not there any more."""
        try:
            reply = self.api.ask("GET", self._path(key), key, follow=False)
        except NotFound as error:
            raise issues.missing(key, _SERVICE) from error
        return self.api.read(reply.content, _Issue, key)

    def _change(self, key: str, sent: Mapping[str, Any]) -> ExistingTicket:
        reply = self.api.ask("PATCH", self._path(key), key, json=sent, follow=False)
        return self._after(reply, self._path_of(issues.project_of(key)), issues.project_of(key), sent)

    def _turn(self, key: str, variants: Sequence[Mapping[str, Any]]) -> ExistingTicket:
        """Open or close, in the first way that is accepted."""
        for sent in variants[:-1]:
            with suppress(TicketRefused):
                return self._change(key, sent)
        return self._change(key, variants[-1])

    def _after(
        self, reply: Reply, path: str, project: str, sent: Mapping[str, Any], fields: Sequence[str] = ()
    ) -> ExistingTicket:
        """An issue as the answer to what was sent shows it; if that is not all of it, as it is read afterwards."""
        content = reply.content
        issue = self.api.read(content, _Issue, project)
        if not issue.is_whole:
            read = self.api.ask("GET", f"{path}/issues/{issue.number}", project, follow=False)
            content, issue = read.content, self.api.read(read.content, _Issue, project)
        dropped = {
            Dropped.LABEL: "labels" in sent and not issues.is_labelled(issue.label_names),
            Dropped.TEXT: "body" in sent and not issues.is_kept(sent["body"], issue.text),
            Dropped.ASSIGNEE: not _has(issue.assignees, sent.get("assignees", ())),
            Dropped.FIELDS: bool(issues.dropped_fields({name: sent[name] for name in fields}, content)),
        }
        return issues.compared(_existing(issue, project), dropped)


def _existing(issue: _Issue, project: str) -> ExistingTicket:
    """`project` is where it is if the answer does not say."""
    project = issue.repository or project
    return ExistingTicket(
        key=issues.key_of(project, issue.number),
        project=project,
        url=issue.html_url or "",
        body=issue.text,
        open=issue.state == "open",
        closed_on=issues.in_utc(issue.closed_at),
        labelled=issues.is_labelled(issue.label_names),
    )


def _has(assignees: Sequence[_Account] | None, wanted: Sequence[str]) -> bool:
    return {login.lower() for login in wanted} <= {account.login.lower() for account in assignees or ()}


def _all() -> Pairs:
    return [("state", "all"), ("sort", "created"), ("direction", "desc"), ("per_page", _PAGE)]


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _quoted(project: str) -> str:
    return quote(project, safe="/")


def _refusal(reply: Reply, where: str) -> ProviderError | None:
    """What GitHub's refusals mean ("Troubleshooting the REST API")."""
    message = reply.words.lower()
    if reply.status == 403 and (sso := reply.headers.get("x-github-sso", "")):
        return AccessDenied(
            say(
                "GitHub asks for single sign-on for {where}; authorise the token for the organisation: {address}",
                where=where,
                address=sso.rpartition("url=")[2] or "https://github.com/settings/tokens",
            )
        )
    if reply.status == 403 and "archived" in message:
        return TicketRefused(projects.archived(issues.project_of(where) or where))
    if reply.status == 403 and "locked" in message:
        return AccessDenied(
            say("the conversation of {where} is locked; unlock it, or give the token's user write access.", where=where)
        )
    if reply.status == 410 and "disabled" in message:
        return TicketRefused(projects.switched_off(issues.project_of(where) or where))
    return None


def _is_limit(reply: Reply) -> bool:
    """Whether a refusal is about the primary or a secondary limit ("Rate limits for the REST API")."""
    message, headers = reply.words.lower(), reply.headers
    return reply.status == 403 and (
        "retry-after" in headers
        or headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in message
        or "abuse detection" in message
    )


def _faults(reply: Reply) -> Mapping[str, str]:
    """The fields that were refused ("Validation failed, or the endpoint has been spammed")."""
    told = reply.content.get("errors") if isinstance(reply.content, dict) and reply.status == 422 else None
    faults = [fault for fault in told if isinstance(fault, dict)] if isinstance(told, list) else []
    return {str(fault["field"]): str(fault.get("message") or "") for fault in faults if fault.get("field")}


def open_github(options: Options, credential: Callable[[str], str]) -> Tracker:
    """The tracker. Raises `ConfigurationError` for a project that is not a repository."""
    if not _PROJECT.fullmatch(options.project):
        raise ConfigurationError(
            say("project = {project} is not a GitHub repository; write owner/name.", project=repr(options.project))
        )
    headers = {"Accept": "application/vnd.github+json", "Authorization": f"token {credential('TOKEN')}"}
    api = Api(
        service=_SERVICE,
        url=options.url,
        headers=headers,
        needs=say("read and write access to the issues there"),
        follows=True,
        is_limit=_is_limit,
        refusal=_refusal,
        faults=_faults,
        pace=Pace(pause=options.write_pause, most=options.hourly_writes),
    )
    return GitHubIssues(api, options)


GITHUB = TrackerPlugin(
    name="github",
    title="GitHub Issues",
    options=Options,
    open=open_github,
    secrets=("TOKEN",),
    preview=WORDING,
)
