"""Jira, Cloud and Data Center, through the library `jira`.

Both offer version 2 of the REST API, whose texts are wiki markup; Cloud converts them to its document format itself.
Jira only answers from its search index, which lags behind by seconds: an issue whose creation got no answer is searched
for in the next run, and not created again before the index is sure to contain it. It is identified by a label.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from cloudscan.errors import (
    AccessDenied,
    ConfigurationError,
    Malformed,
    ProviderError,
    Throttled,
    TicketRefused,
    Unreachable,
)
from cloudscan.sentence import Sentence, say
from cloudscan.tracker import LABEL, Closing, ExistingTicket, Listing, Ticket, Tracker, TrackerPlugin, Wording
from cloudscan_trackers.markup import WIKI
from cloudscan_trackers.wording import wording

if TYPE_CHECKING:
    from jira import JIRA, JIRAError

_MARKER = f"{LABEL}-"
_FIELDS = ["description", "labels", "status", "resolutiondate", "statuscategorychangedate", "updated"]
_DISPENSABLE = ("duedate", "priority")  # a project may not have them on its screens


WORDING = wording(WIKI)


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[trackers.<name>]`` with the kind `jira`."""

    url: str  # https://SITE.atlassian.net, or where Data Center runs
    project: str  # its key
    user: str = ""  # Cloud: the mail address of the API token's owner; empty: a personal access token of Data Center
    issue_type: str = "Task"
    fields: dict[str, Any] = {}  # of every new issue: components, customfield_10011, …
    close_transition: str = ""  # closes an issue; empty: the first transition to a status of the category "done"
    reopen_transition: str = ""  # reopens one; empty: the first transition to any other status
    index_lag_seconds: float = 300.0  # after which the search index is sure to contain a new issue
    fallback_assignee: str = ""  # if the owner is unknown or has left


@dataclass(frozen=True)
class Jira:
    """Issues in projects."""

    client: "JIRA"
    options: Options

    listing = Listing.BY_PROJECT

    def wording(self, _project: str) -> Wording:
        """Wiki markup."""
        return WORDING

    @property
    def index_lag_seconds(self) -> float:
        """As the options say: 300 unless `index_lag_seconds` is set."""
        return self.options.index_lag_seconds

    def existing(self, project: str) -> Iterable[ExistingTicket]:
        """All pages of one JQL search by project and label, oldest first; as current as the search index."""
        with _translated(project):
            place = project or self.options.project
            issues = self.client.search_issues(
                f'project = "{place}" AND labels = {LABEL} ORDER BY created ASC',
                maxResults=0,
                fields=list(_FIELDS),
            )
            return [self._existing(issue.raw) for issue in issues if not isinstance(issue, str)]

    def get(self, key: str) -> ExistingTicket | None:
        """Fetched by key, not searched for. None for a 404, which can also mean that the user may not see the issue."""
        from jira import JIRAError

        with _translated(key):
            try:
                return self._existing(self.client.issue(key, fields=",".join(_FIELDS)).raw)
            except JIRAError as error:
                if error.status_code == 404:
                    return None
                raise

    def person(self, name: str, project: str) -> str:
        """The account id in Cloud, the name in Data Center, of an active user who can be assigned."""
        with _translated(name):
            users = self.client.search_assignable_users_for_issues(
                project=project or self.options.project,
                query=name if self._cloud else None,
                username=None if self._cloud else name,
            )
        for user in (user.raw for user in users):
            names = [str(user.get(key, "")).lower() for key in ("emailAddress", "name", "accountId", "displayName")]
            # Cloud hides most addresses, but searches by them.
            matches = name.lower() in names or (self._cloud and "@" in name and len(users) == 1)
            if matches and user.get("active", True):
                return str(user["accountId" if self._cloud else "name"])
        return ""

    def create(self, ticket: Ticket, assignee: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Sends the options' `fields` too. If Jira rejects `duedate` or `priority`, tries once more without it.

        The marker becomes a label. Raises `TicketRefused` with the field that Jira names.
        """
        project = ticket.project or self.options.project
        fields = {
            **self.options.fields,
            "project": {"key": project},
            "issuetype": {"name": self.options.issue_type},
            **_written(ticket),
            "labels": [*ticket.labels, _MARKER + ticket.marker],
            **({"assignee": {"accountId" if self._cloud else "name": assignee}} if assignee else {}),
        }
        with _translated(project):
            created = self._without_missing_fields(
                lambda accepted: self.client.create_issue(accepted, prefetch=False), fields
            )
        key = str(created.key)
        return ExistingTicket(key=key, url=self._url(key), body=ticket.body, open=True, marker=ticket.marker)

    def update(self, key: str, ticket: Ticket, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Labels that people added are kept; an older marker is replaced."""
        with _translated(key):
            issue = self.client.issue(key, fields="labels")
            own = [label for label in issue.raw["fields"]["labels"] if not label.startswith(("severity-", _MARKER))]
            labels = list(dict.fromkeys([*own, *ticket.labels, _MARKER + ticket.marker]))
            fields = {**_written(ticket), "labels": labels}
            self._without_missing_fields(lambda accepted: issue.update(fields=accepted), fields)
            return self._seen(key)

    def comments(self, key: str) -> Sequence[str]:
        """Those that Jira returns in one request; further pages are not read."""
        with _translated(key):
            return [str(comment.body) for comment in self.client.comments(key)]

    def comment(self, key: str, text: str, *, once: str) -> None:  # noqa: ARG002
        """The text is wiki markup, as version 2 of the REST API expects."""
        with _translated(key):
            self.client.add_comment(key, text)

    def close(self, key: str, _closing: Closing, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Use `close_transition`, or the first transition to a status of the category done. Nothing if it is done.

        Raises `TicketRefused` with the transitions on offer if none fits.
        """
        self._move(key, self.options.close_transition, is_open=False)
        with _translated(key):
            return self._seen(key)

    def reopen(self, key: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Use `reopen_transition`, or the first to a status of another category than done. Nothing if it is open.

        Raises `TicketRefused` with the transitions on offer if none fits.
        """
        self._move(key, self.options.reopen_transition, is_open=True)
        with _translated(key):
            return self._seen(key)

    def check(self, _project: str) -> Iterable[Sentence]:
        """Nothing yet."""
        return ()

    def _seen(self, key: str) -> ExistingTicket:
        return self._existing(self.client.issue(key, fields=",".join(_FIELDS)).raw)

    def _move(self, key: str, wanted: str, *, is_open: bool) -> None:
        with _translated(key):
            status = self.client.issue(key, fields="status").raw["fields"]["status"]
            if (_category(status) != "done") is is_open:
                return
            transitions = self.client.transitions(key)
            suitable = [
                transition
                for transition in transitions
                if wanted in ("", transition["name"]) and (wanted or (_category(transition["to"]) != "done") is is_open)
            ]
            if not suitable:
                names = ", ".join(str(transition["name"]) for transition in transitions)
                option = "reopen_transition" if is_open else "close_transition"
                raise TicketRefused(
                    f"Jira offers no transition to {'reopen' if is_open else 'close'} {key}; name one as `{option}`: "
                    f"{names or 'none, the user may not transition issues'}",
                    field=option,
                )
            self.client.transition_issue(key, str(suitable[0]["id"]))

    def _without_missing_fields(self, send: Callable[[dict[str, Any]], Any], fields: dict[str, Any]) -> Any:
        """Send fields; dispensable ones that the project does not have are left out."""
        from jira import JIRAError

        try:
            return send(fields)
        except JIRAError as error:
            missing = [name for name in _DISPENSABLE if name in _faults(error)]
            if error.status_code != 400 or not missing:
                raise
        return send({name: value for name, value in fields.items() if name not in missing})

    def _existing(self, raw: dict[str, Any]) -> ExistingTicket:
        fields = raw["fields"]
        is_open = _category(fields["status"]) != "done"
        closed = fields.get("statuscategorychangedate") or fields.get("resolutiondate") or fields.get("updated")
        labels = fields.get("labels") or ()
        markers = [label.removeprefix(_MARKER) for label in labels if label.startswith(_MARKER)]
        return ExistingTicket(
            key=str(raw["key"]),
            url=self._url(str(raw["key"])),
            body=str(fields.get("description") or ""),
            open=is_open,
            marker=markers[0] if markers else "",
            closed_on=None if is_open or not closed else datetime.strptime(str(closed), "%Y-%m-%dT%H:%M:%S.%f%z"),
        )

    def _url(self, key: str) -> str:
        return f"{self.options.url.rstrip('/')}/browse/{key}"

    @property
    def _cloud(self) -> bool:
        return self.client.deploymentType == "Cloud"


def _written(ticket: Ticket) -> dict[str, Any]:
    return {
        "summary": ticket.title,
        "description": ticket.body,
        "duedate": ticket.due.isoformat() if ticket.due else None,
    }


def _category(status: dict[str, Any]) -> str:
    """new, indeterminate or done, whatever the status is called."""
    return str(status.get("statusCategory", {}).get("key", ""))


def _faults(error: "JIRAError") -> dict[str, str]:
    """Jira's messages about fields that it refused, by field."""
    try:
        answer = msgspec.json.decode(error.response.content) if error.response is not None else {}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    faults = answer.get("errors") if isinstance(answer, dict) else None
    return faults if isinstance(faults, dict) else {}


@contextmanager
def _translated(where: str) -> Iterator[None]:
    """Turn the library's errors into ours."""
    import requests
    from jira import JIRAError

    try:
        yield
    except JIRAError as error:
        raise _error(error, where) from error
    except KeyError as error:
        raise Malformed(f"Jira's answer about {where} lacks {str(error)[:40]}") from error
    except requests.RequestException as error:
        raise Unreachable(f"no answer from Jira ({type(error).__name__}); check the network") from error


def _error(error: "JIRAError", where: str) -> ProviderError:
    status = error.status_code or 0
    if status == 429 or (status == 503 and error.response is not None and "Retry-After" in error.response.headers):
        wait = error.response.headers.get("Retry-After", "") if error.response is not None else ""
        return Throttled("Jira is throttling requests", retry_after=float(wait) if wait.isdigit() else None)
    if status in (401, 403, 404):
        return AccessDenied(
            f"Jira refused access to {where} (HTTP {status}); the user needs to browse the project, create, "
            "edit and transition issues and add comments",
            needs="Browse Projects, Create, Edit, Assign and Transition Issues, Add Comments",
        )
    if status >= 500 or not status:
        return Unreachable(f"Jira failed on its side (HTTP {status})")
    faults = _faults(error)
    message = "; ".join(f"{name}: {fault}" for name, fault in faults.items()) or str(error.text)
    return TicketRefused(
        f"Jira refused the issue in {where}: {message}",
        field="assignee" if "assignee" in faults else next(iter(faults), ""),
    )


def open_jira(options: Options, credential: Callable[[str], str]) -> Tracker:
    """The tracker. The library must not retry: it would repeat a creation whose answer was lost.

    Raises `ConfigurationError` for an address that is not https.
    """
    from jira import JIRA

    if not options.url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise ConfigurationError(say("url = {url}: Jira's address must begin with https://.", url=repr(options.url)))
    token = credential("TOKEN")
    with _translated(options.url):
        client = JIRA(
            server=options.url,
            **({"basic_auth": (options.user, token)} if options.user else {"token_auth": token}),
            max_retries=0,
            timeout=60,
        )
    return Jira(client, options)


JIRA_PLUGIN = TrackerPlugin(
    name="jira",
    title="Jira",
    options=Options,
    open=open_jira,
    secrets=("TOKEN",),
)
