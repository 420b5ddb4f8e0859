"""GitLab issues, through python-gitlab: gitlab.com and one's own. Issues are listed by label, from the database."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from cloudscan.errors import AccessDenied, ProviderError, Throttled, TicketRefused, Unreachable
from cloudscan.tracker import LABEL, ExistingTicket, Ticket, Tracker, TrackerPlugin
from cloudscan_trackers.markup import MARKDOWN
from cloudscan_trackers.wording import wording

if TYPE_CHECKING:
    from gitlab import Gitlab
    from gitlab.exceptions import GitlabError
    from gitlab.v4.objects import Project, ProjectIssue


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[trackers.<name>]`` with the kind `gitlab`."""

    project: str  # group/name
    url: str = "https://gitlab.com"
    confidential: bool = True  # for members of the project only
    usernames: dict[str, str] = {}  # GitLab's names by mail address: GitLab does not tell
    fallback_assignee: str = ""  # where the owner is unknown or has left


@dataclass(frozen=True)
class GitLabIssues:
    """Issues in projects."""

    client: "Gitlab"
    options: Options
    projects: dict[str, "Project"] = field(default_factory=dict)

    index_lag_seconds = 0.0
    lists = True

    def existing(self, projects: Sequence[str]) -> Iterable[ExistingTicket]:
        for project in projects or (self.options.project,):
            with _said(project):
                found = self._project(project).issues.list(
                    labels=[LABEL], state="all", order_by="created_at", sort="asc", per_page=100, iterator=True,
                    obey_rate_limit=False,
                )  # fmt: skip
                yield from [_held(issue, project) for issue in found]

    def get(self, key: str) -> ExistingTicket | None:
        with _said(key):
            issue = self._issue(key)
            return _held(issue, key.partition("#")[0]) if issue else None

    def person(self, name: str, project: str) -> str:
        login = self.options.usernames.get(name.lower(), "" if "@" in name else name)
        if not login:
            return ""
        with _said(name):
            found = self._project(project).users.list(search=login, get_all=False, obey_rate_limit=False)
            return next((str(each.id) for each in found if each.username == login), "")

    def create(self, ticket: Ticket, assignee: str) -> ExistingTicket:
        project = ticket.project or self.options.project
        given: dict[str, Any] = {
            **_written(ticket),
            "labels": ",".join(ticket.labels),
            "confidential": self.options.confidential,
            **({"assignee_ids": [int(assignee)]} if assignee else {}),
        }
        with _said(project):
            return _held(self._project(project).issues.create(given, obey_rate_limit=False), project)

    def update(self, key: str, ticket: Ticket) -> None:
        """Labels that people added stay."""
        with _said(key):
            issue = self._there(key)
            gone = [each for each in issue.labels if each.startswith("severity-") and each not in ticket.labels]
            self._change(
                key, {**_written(ticket), "add_labels": ",".join(ticket.labels), "remove_labels": ",".join(gone)}
            )

    def comments(self, key: str) -> Sequence[str]:
        with _said(key):
            notes = self._there(key).notes.list(iterator=True, per_page=100, obey_rate_limit=False)
            return [str(each.body or "") for each in notes]

    def comment(self, key: str, text: str) -> None:
        with _said(key):
            self._there(key).notes.create({"body": text}, obey_rate_limit=False)

    def close(self, key: str) -> None:
        with _said(key):
            self._change(key, {"state_event": "close"})

    def reopen(self, key: str) -> None:
        with _said(key):
            self._change(key, {"state_event": "reopen"})

    def _change(self, key: str, given: dict[str, Any]) -> None:
        project, _, number = key.partition("#")
        self._project(project).issues.update(int(number), given, obey_rate_limit=False)

    def _project(self, name: str) -> "Project":
        name = name or self.options.project
        if name not in self.projects:
            found = self.client.projects.get(name, obey_rate_limit=False)
            if found.visibility == "public" and not self.options.confidential:
                raise TicketRefused(
                    f"GitLab's project {name} is public, and tickets name files and people; choose a private one, or "
                    "leave `confidential` on",
                    field="confidential",
                )
            self.projects[name] = found
        return self.projects[name]

    def _there(self, key: str) -> "ProjectIssue":
        if issue := self._issue(key):
            return issue
        raise TicketRefused(f"GitLab has no issue {key} any more")

    def _issue(self, key: str) -> "ProjectIssue | None":
        from gitlab.exceptions import GitlabGetError

        project, _, number = key.partition("#")
        try:
            return self._project(project).issues.get(int(number), obey_rate_limit=False)
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


def _held(issue: Any, project: str) -> ExistingTicket:
    return ExistingTicket(
        key=f"{project}#{issue.iid}",
        url=str(issue.web_url),
        body=str(issue.description or ""),
        open=issue.state == "opened",
        closed_on=datetime.fromisoformat(issue.closed_at) if issue.closed_at else None,
    )


@contextmanager
def _said(where: str) -> Iterator[None]:
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
    status, told = error.response_code or 0, str(error.error_message)
    if status == 429:
        return Throttled("GitLab asks for a pause")
    if status in (401, 403, 404):
        return AccessDenied(
            f"GitLab does not let us into {where} ({told}); the token needs the scope api and the role Reporter",
            needs="api, Reporter",
        )
    if status >= 500:
        return Unreachable(f"GitLab had trouble of its own (HTTP {status})")
    return TicketRefused(f"GitLab refused the issue in {where}: {told}", field="assignee" if "assignee" in told else "")


def open_gitlab(options: Options, credential: Callable[[str], str]) -> Tracker:
    """Nothing is asked again within the library: the core decides."""
    from gitlab import Gitlab

    client = Gitlab(options.url, private_token=credential("TOKEN"), retry_transient_errors=False, timeout=60)
    return GitLabIssues(client, options)


GITLAB = TrackerPlugin(
    name="gitlab",
    title="GitLab",
    options=Options,
    open=open_gitlab,
    wording=lambda _: wording(MARKDOWN),
    secrets=("TOKEN",),
)
