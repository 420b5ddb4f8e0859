"""GitLab issues, through python-gitlab: gitlab.com and self-managed. Issues are listed by label, from the database."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from cloudscan.errors import AccessDenied, ProviderError, Throttled, TicketRefused, Unreachable
from cloudscan.sentence import Sentence
from cloudscan.tracker import LABEL, Closing, ExistingTicket, Listing, Ticket, Tracker, TrackerPlugin, Wording
from cloudscan_trackers import issues
from cloudscan_trackers.markup import MARKDOWN
from cloudscan_trackers.wording import wording

if TYPE_CHECKING:
    from gitlab import Gitlab
    from gitlab.exceptions import GitlabError
    from gitlab.v4.objects import Project, ProjectIssue


WORDING = wording(MARKDOWN)


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[trackers.<name>]`` with the kind `gitlab`."""

    project: str  # group/name
    url: str = "https://gitlab.com"
    confidential: bool = True  # visible to members of the project only
    usernames: dict[str, str] = {}  # logins by mail address, which GitLab does not reveal
    fallback_assignee: str = ""  # if the owner is unknown or has left


@dataclass(frozen=True)
class GitLabIssues:
    """Issues in projects."""

    client: "Gitlab"
    options: Options
    projects: dict[str, "Project"] = field(default_factory=dict)

    index_lag_seconds = 0.0
    listing = Listing.BY_PROJECT

    def wording(self, _project: str) -> Wording:
        """Markdown."""
        return WORDING

    def existing(self, project: str) -> Iterable[ExistingTicket]:
        """The issues with our label, oldest first, 100 per request.

        Raises `TicketRefused` for a public project if `confidential` is off.
        """
        with _translated(project):
            labelled = self._project(project).issues.list(
                labels=[LABEL], state="all", order_by="created_at", sort="asc", per_page=100, iterator=True,
                obey_rate_limit=False,
            )  # fmt: skip
            yield from [_existing(issue, project) for issue in labelled]

    def get(self, key: str) -> ExistingTicket | None:
        """None for a 404 of the issue. A 404 of its project raises `AccessDenied`."""
        with _translated(key):
            issue = self._issue(key)
            return _existing(issue, issues.project_of(key)) if issue else None

    def person(self, name: str, project: str) -> str:
        """The id of the project's user with exactly this username. An address must be in `usernames`.

        Reads only the first page of GitLab's search.
        """
        login = issues.login_of(name, self.options.usernames)
        if not login:
            return ""
        with _translated(name):
            users = self._project(project).users.list(search=login, get_all=False, obey_rate_limit=False)
            return next((str(user.id) for user in users if user.username == login), "")

    def create(self, ticket: Ticket, assignee: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """The issue is confidential unless the options say otherwise.

        Raises `TicketRefused` for a public project if `confidential` is off, and with the field `assignee` if GitLab's
        message names the assignee.
        """
        project = ticket.project or self.options.project
        fields: dict[str, Any] = {
            **_written(ticket),
            "labels": ",".join(ticket.labels),
            "confidential": self.options.confidential,
            **({"assignee_ids": [int(assignee)]} if assignee else {}),
        }
        with _translated(project):
            return _existing(self._project(project).issues.create(fields, obey_rate_limit=False), project)

    def update(self, key: str, ticket: Ticket, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Labels that people added are kept."""
        with _translated(key):
            outdated = issues.outdated_labels(self._required(key).labels, ticket.labels)
            labels = {"add_labels": ",".join(ticket.labels), "remove_labels": ",".join(outdated)}
            return self._change(key, {**_written(ticket), **labels})

    def comments(self, key: str) -> Sequence[str]:
        """All notes, 100 per request, including those that GitLab writes itself.

        Raises `TicketRefused` if the issue no longer exists.
        """
        with _translated(key):
            notes = self._required(key).notes.list(iterator=True, per_page=100, obey_rate_limit=False)
            return [str(note.body or "") for note in notes]

    def comment(self, key: str, text: str, *, once: str) -> None:  # noqa: ARG002
        """Fetches the issue first; raises `TicketRefused` if it no longer exists."""
        with _translated(key):
            self._required(key).notes.create({"body": text}, obey_rate_limit=False)

    def close(self, key: str, _closing: Closing, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Send the state event `close`. Raises `AccessDenied` for a 404, even if the issue was deleted."""
        with _translated(key):
            return self._change(key, {"state_event": "close"})

    def reopen(self, key: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Send the state event `reopen`. Raises `AccessDenied` for a 404, even if the issue was deleted."""
        with _translated(key):
            return self._change(key, {"state_event": "reopen"})

    def check(self, _project: str) -> Iterable[Sentence]:
        """Nothing yet."""
        return ()

    def _change(self, key: str, fields: dict[str, Any]) -> ExistingTicket:
        project, number = self._project(issues.project_of(key)), issues.number_of(key, "GitLab")
        project.issues.update(number, fields, obey_rate_limit=False)
        return _existing(project.issues.get(number, obey_rate_limit=False), issues.project_of(key))

    def _project(self, name: str) -> "Project":
        name = name or self.options.project
        if name not in self.projects:
            project = self.client.projects.get(name, obey_rate_limit=False)
            if project.visibility == "public" and not self.options.confidential:
                remedy = "choose a private one, or leave `confidential` on"
                raise issues.public(name, "GitLab", option="confidential", remedy=remedy)
            self.projects[name] = project
        return self.projects[name]

    def _required(self, key: str) -> "ProjectIssue":
        if issue := self._issue(key):
            return issue
        raise issues.missing(key, "GitLab")

    def _issue(self, key: str) -> "ProjectIssue | None":
        from gitlab.exceptions import GitlabGetError

        project, number = self._project(issues.project_of(key)), issues.number_of(key, "GitLab")
        try:
            return project.issues.get(number, obey_rate_limit=False)
        except GitlabGetError as error:
            if error.response_code == 404:
                return None
            raise


def _written(ticket: Ticket) -> dict[str, Any]:
    return {
        "title": ticket.title,
        "description": ticket.body,
        "due_date": ticket.due.isoformat() if ticket.due else "",
    }


def _existing(issue: Any, project: str) -> ExistingTicket:
    return ExistingTicket(
        key=issues.key_of(project, issue.iid),
        url=str(issue.web_url),
        body=str(issue.description or ""),
        open=issue.state == "opened",
        closed_on=datetime.fromisoformat(issue.closed_at) if issue.closed_at else None,
    )


@contextmanager
def _translated(where: str) -> Iterator[None]:
    """Turn the library's errors into ours."""
    import requests
    from gitlab.exceptions import GitlabError

    try:
        yield
    except GitlabError as error:
        raise _error(error, where) from error
    except requests.RequestException as error:
        raise Unreachable(f"no answer from GitLab ({type(error).__name__}); check the network") from error


def _error(error: "GitlabError", where: str) -> ProviderError:
    status, message = error.response_code or 0, str(error.error_message)
    if status == 429:
        return Throttled("GitLab is throttling requests")
    if status in (401, 403, 404):
        return AccessDenied(
            f"GitLab refused access to {where} ({message}); the token needs the scope api and the role Reporter",
            needs="api, Reporter",
        )
    if status >= 500:
        return Unreachable(f"GitLab failed on its side (HTTP {status})")
    field = "assignee" if "assignee" in message else ""
    return TicketRefused(f"GitLab refused the issue in {where}: {message}", field=field)


def open_gitlab(options: Options, credential: Callable[[str], str]) -> Tracker:
    """The tracker. The library must not retry: it would repeat a creation whose answer was lost."""
    from gitlab import Gitlab

    client = Gitlab(options.url, private_token=credential("TOKEN"), retry_transient_errors=False, timeout=60)
    return GitLabIssues(client, options)


GITLAB = TrackerPlugin(
    name="gitlab",
    title="GitLab",
    options=Options,
    open=open_gitlab,
    secrets=("TOKEN",),
)
