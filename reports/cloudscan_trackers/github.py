"""GitHub Issues, through PyGithub: github.com and GitHub Enterprise Server.

Issues are listed by label, not searched: the search index lags behind, the list does not. GitHub has no due date; it
is part of the text.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from cloudscan.errors import AccessDenied, ConfigurationError, ProviderError, Throttled, TicketRefused, Unreachable
from cloudscan.sentence import Sentence, say
from cloudscan.tracker import LABEL, Closing, ExistingTicket, Listing, Ticket, Tracker, TrackerPlugin, Wording
from cloudscan_trackers import issues
from cloudscan_trackers.markup import MARKDOWN
from cloudscan_trackers.wording import wording

if TYPE_CHECKING:
    from github import Github
    from github.GithubException import GithubException
    from github.Issue import Issue
    from github.Repository import Repository


WORDING = wording(MARKDOWN)


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[trackers.<name>]`` with the kind `github`."""

    project: str  # the repository, owner/name; private, because tickets name files and people
    url: str = "https://api.github.com"  # of Enterprise Server: https://HOST/api/v3
    public: bool = False  # allow a repository that anyone can read
    usernames: dict[str, str] = {}  # logins by mail address, which GitHub does not reveal
    fallback_assignee: str = ""  # if the owner is unknown or has left
    write_pause: float = 1.0  # seconds between two writes, as GitHub requests


@dataclass(frozen=True)
class GitHubIssues:
    """Issues in repositories."""

    client: "Github"
    options: Options
    repositories: "dict[str, Repository]" = field(default_factory=dict)

    index_lag_seconds = 0.0
    listing = Listing.BY_PROJECT

    def wording(self, _project: str) -> Wording:
        """Markdown."""
        return WORDING

    def existing(self, project: str) -> Iterable[ExistingTicket]:
        """The issues with our label, 100 per request; pull requests, which GitHub lists among them, are left out.

        Raises `TicketRefused` for a public repository unless the options allow it.
        """
        with _translated(project):
            labelled = self._repository(project).get_issues(state="all", labels=[LABEL])
            yield from [_existing(issue, project) for issue in labelled if issue.pull_request is None]

    def get(self, key: str) -> ExistingTicket | None:
        """None for a 404 of the issue or its repository: lost access to a repository looks like deleted issues."""
        with _translated(key):
            issue = self._issue(key)
            return _existing(issue, issues.project_of(key)) if issue else None

    def person(self, name: str, project: str) -> str:
        """The login, if the repository lists it among its assignees. An address must be in `usernames`."""
        login = issues.login_of(name, self.options.usernames)
        if not login:
            return ""
        with _translated(project or self.options.project):
            repository = self._repository(project or self.options.project)
            return login if repository.has_in_assignees(login) else ""

    def create(self, ticket: Ticket, assignee: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """The due date is in the text only.

        Raises `TicketRefused` for a public repository unless the options allow it, and with the field `assignee` if
        GitHub rejects the assignee.
        """
        project = ticket.project or self.options.project
        with _translated(project):
            issue = self._repository(project).create_issue(
                title=ticket.title,
                body=ticket.body,
                labels=list(ticket.labels),
                assignees=[assignee] if assignee else [],
            )
            return _existing(issue, project)

    def update(self, key: str, ticket: Ticket, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Labels that people added are kept."""
        with _translated(key):
            issue = self._required(key)
            labels = [label.name for label in issue.labels]
            outdated = issues.outdated_labels(labels, ticket.labels)
            kept = [label for label in labels if label not in outdated]
            issue.edit(title=ticket.title, body=ticket.body, labels=list(dict.fromkeys([*kept, *ticket.labels])))
            return _existing(issue, issues.project_of(key))

    def comments(self, key: str) -> Sequence[str]:
        """All comments, 100 per request. Raises `TicketRefused` if the issue no longer exists."""
        with _translated(key):
            return [comment.body or "" for comment in self._required(key).get_comments()]

    def comment(self, key: str, text: str, *, once: str) -> None:  # noqa: ARG002
        """Fetches the issue first; raises `TicketRefused` if it no longer exists."""
        with _translated(key):
            self._required(key).create_comment(text)

    def close(self, key: str, _closing: Closing, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Close with the reason `completed`. Raises `TicketRefused` if the issue no longer exists."""
        with _translated(key):
            issue = self._required(key)
            issue.edit(state="closed", state_reason="completed")
            return _existing(issue, issues.project_of(key))

    def reopen(self, key: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Open with the reason `reopened`. Raises `TicketRefused` if the issue no longer exists."""
        with _translated(key):
            issue = self._required(key)
            issue.edit(state="open", state_reason="reopened")
            return _existing(issue, issues.project_of(key))

    def check(self, _project: str) -> Iterable[Sentence]:
        """Nothing yet."""
        return ()

    def _repository(self, project: str) -> "Repository":
        if project not in self.repositories:
            repository = self.client.get_repo(project)
            if not repository.private and not self.options.public:
                remedy = "choose a private repository, or write public = true"
                raise issues.public(project, "GitHub", option="public", remedy=remedy)
            self.repositories[project] = repository
        return self.repositories[project]

    def _required(self, key: str) -> "Issue":
        if issue := self._issue(key):
            return issue
        raise issues.missing(key, "GitHub")

    def _issue(self, key: str) -> "Issue | None":
        from github import UnknownObjectException

        try:
            return self._repository(issues.project_of(key)).get_issue(issues.number_of(key, "GitHub"))
        except UnknownObjectException:
            return None


def _existing(issue: "Issue", project: str) -> ExistingTicket:
    return ExistingTicket(
        key=issues.key_of(project, issue.number),
        url=issue.html_url,
        body=issue.body or "",
        open=issue.state == "open",
        closed_on=issue.closed_at,
    )


@contextmanager
def _translated(where: str) -> Iterator[None]:
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
    message = str(data.get("message") or error.message or f"HTTP {error.status}")
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if error.status == 429 or (error.status == 403 and ("retry-after" in headers or "rate limit" in message.lower())):
        wait = headers.get("retry-after", "")
        return Throttled("GitHub is throttling requests", retry_after=float(wait) if wait.isdigit() else 60.0)
    if error.status in (401, 403, 404):
        return AccessDenied(
            f"GitHub refused access to {where} ({message}); the token needs read and write access to its issues",
            needs="Issues: read and write",
        )
    if error.status >= 500:
        return Unreachable(f"GitHub failed on its side (HTTP {error.status})")
    fields = [str(fault.get("field", "")) for fault in data.get("errors", ()) if isinstance(fault, dict)]
    field = "assignee" if any(name.startswith("assignee") for name in fields) else next(iter(fields), "")
    return TicketRefused(f"GitHub refused the issue in {where}: {message} {', '.join(fields)}".rstrip(), field=field)


def open_github(options: Options, credential: Callable[[str], str]) -> Tracker:
    """The tracker. The library must not retry: it would repeat a creation whose answer was lost.

    Raises `ConfigurationError` for a project that is not a repository.
    """
    from github import Auth, Github

    if options.project.count("/") != 1:
        raise ConfigurationError(
            say("project = {project} is not a GitHub repository; write owner/name.", project=repr(options.project))
        )
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
    secrets=("TOKEN",),
    preview=WORDING,
)
