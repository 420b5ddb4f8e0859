"""GitHub Issues, through PyGithub: github.com and GitHub Enterprise Server.

Issues are listed by label, not searched: the search index lags behind, the list does not. GitHub has no due day; it
stands in the text.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from cloudscan.errors import AccessDenied, ConfigurationError, ProviderError, Throttled, TicketRefused, Unreachable
from cloudscan.tracker import LABEL, ExistingTicket, Ticket, Tracker, TrackerPlugin
from cloudscan_trackers.markup import MARKDOWN
from cloudscan_trackers.wording import wording

if TYPE_CHECKING:
    from github import Github
    from github.GithubException import GithubException
    from github.Issue import Issue
    from github.Repository import Repository


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[trackers.<name>]`` with the kind `github`."""

    project: str  # the repository, owner/name; private, for tickets name files and people
    url: str = "https://api.github.com"  # of Enterprise Server: https://HOST/api/v3
    public: bool = False  # let the repository be one that everybody can read
    usernames: dict[str, str] = {}  # GitHub's names by mail address: GitHub does not tell
    fallback_assignee: str = ""  # where the owner is unknown or has left
    write_pause: float = 1.0  # seconds between two writes, as GitHub asks for


@dataclass(frozen=True)
class GitHubIssues:
    """Issues in repositories."""

    client: "Github"
    options: Options
    repositories: "dict[str, Repository]" = field(default_factory=dict)

    index_lag_seconds = 0.0
    lists = True

    def existing(self, projects: Sequence[str]) -> Iterable[ExistingTicket]:
        for project in projects or (self.options.project,):
            with _said(project):
                found = self._repository(project).get_issues(state="all", labels=[LABEL])
                yield from [_held(issue, project) for issue in found if issue.pull_request is None]

    def get(self, key: str) -> ExistingTicket | None:
        with _said(key):
            issue = self._issue(key)
            return _held(issue, key.partition("#")[0]) if issue else None

    def person(self, name: str, project: str) -> str:
        login = self.options.usernames.get(name.lower(), "" if "@" in name else name)
        if not login:
            return ""
        with _said(project or self.options.project):
            repository = self._repository(project or self.options.project)
            return login if repository.has_in_assignees(login) else ""

    def create(self, ticket: Ticket, assignee: str) -> ExistingTicket:
        project = ticket.project or self.options.project
        with _said(project):
            issue = self._repository(project).create_issue(
                title=ticket.title,
                body=ticket.body,
                labels=list(ticket.labels),
                assignees=[assignee] if assignee else [],
            )
            return _held(issue, project)

    def update(self, key: str, ticket: Ticket) -> None:
        """Labels that people added stay."""
        with _said(key):
            issue = self._there(key)
            own = [each.name for each in issue.labels if not each.name.startswith("severity-")]
            labels = list(dict.fromkeys([*own, *ticket.labels]))
            issue.edit(title=ticket.title, body=ticket.body, labels=labels)

    def comments(self, key: str) -> Sequence[str]:
        with _said(key):
            return [each.body or "" for each in self._there(key).get_comments()]

    def comment(self, key: str, text: str) -> None:
        with _said(key):
            self._there(key).create_comment(text)

    def close(self, key: str) -> None:
        with _said(key):
            self._there(key).edit(state="closed", state_reason="completed")

    def reopen(self, key: str) -> None:
        with _said(key):
            self._there(key).edit(state="open", state_reason="reopened")

    def _repository(self, project: str) -> "Repository":
        if project not in self.repositories:
            found = self.client.get_repo(project)
            if not found.private and not self.options.public:
                raise TicketRefused(
                    f"{project} is public, and tickets name files and people; choose a private repository, or write "
                    "public = true",
                    field="public",
                )
            self.repositories[project] = found
        return self.repositories[project]

    def _there(self, key: str) -> "Issue":
        if issue := self._issue(key):
            return issue
        raise TicketRefused(f"GitHub has no issue {key} any more")

    def _issue(self, key: str) -> "Issue | None":
        from github import UnknownObjectException

        project, _, number = key.partition("#")
        try:
            return self._repository(project).get_issue(int(number))
        except UnknownObjectException:
            return None
        except ValueError as error:
            raise TicketRefused(f"{key!r} is no issue of GitHub") from error


def _held(issue: "Issue", project: str) -> ExistingTicket:
    return ExistingTicket(
        key=f"{project}#{issue.number}",
        url=issue.html_url,
        body=issue.body or "",
        open=issue.state == "open",
        closed_on=issue.closed_at,
    )


@contextmanager
def _said(where: str) -> Iterator[None]:
    """Turn the library's errors into ours."""
    import requests
    from github import GithubException

    try:
        yield
    except GithubException as error:
        raise _error(error, where) from error
    except requests.RequestException as error:
        raise Unreachable(f"no answer from GitHub ({type(error).__name__}); check the network") from error


def _error(error: "GithubException", where: str) -> ProviderError:
    data = error.data if isinstance(error.data, dict) else {}
    told = str(data.get("message") or error.message or f"HTTP {error.status}")
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if error.status == 429 or (error.status == 403 and ("retry-after" in headers or "rate limit" in told.lower())):
        wait = headers.get("retry-after", "")
        return Throttled("GitHub asks for a pause", retry_after=float(wait) if wait.isdigit() else 60.0)
    if error.status in (401, 403, 404):
        return AccessDenied(
            f"GitHub does not let us into {where} ({told}); the token needs read and write access to its issues",
            needs="Issues: read and write",
        )
    if error.status >= 500:
        return Unreachable(f"GitHub had trouble of its own (HTTP {error.status})")
    fields = [str(each.get("field", "")) for each in data.get("errors", ()) if isinstance(each, dict)]
    field = "assignee" if any(each.startswith("assignee") for each in fields) else next(iter(fields), "")
    return TicketRefused(f"GitHub refused the issue in {where}: {told} {', '.join(fields)}".rstrip(), field=field)


def open_github(options: Options, credential: Callable[[str], str]) -> Tracker:
    """Nothing is asked again within the library: it would repeat a creation whose answer was lost."""
    from github import Auth, Github

    if options.project.count("/") != 1:
        raise ConfigurationError(f"project = {options.project!r} is no repository of GitHub; write owner/name.")
    client = Github(
        auth=Auth.Token(credential("TOKEN")),
        base_url=options.url,
        retry=None,
        per_page=100,
        seconds_between_requests=0,
        seconds_between_writes=options.write_pause,
    )
    return GitHubIssues(client, options)


GITHUB = TrackerPlugin(
    name="github",
    title="GitHub Issues",
    options=Options,
    open=open_github,
    wording=lambda _: wording(MARKDOWN),
    secrets=("TOKEN",),
)
