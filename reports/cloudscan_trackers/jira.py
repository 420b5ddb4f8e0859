"""Jira, Cloud and Data Center, through the library `jira`.

Both speak version 2 of the REST API, whose texts are wiki markup; Cloud turns them into its document format itself.
Jira only ever answers from its search index, which lags behind by seconds: an issue whose creation got no answer is
looked for again in the next run and not made anew before the index is sure to hold it. It is found by a label.
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
from cloudscan.tracker import LABEL, ExistingTicket, Ticket, Tracker, TrackerPlugin
from cloudscan_trackers.markup import WIKI
from cloudscan_trackers.wording import wording

if TYPE_CHECKING:
    from jira import JIRA, JIRAError

_MARKER = f"{LABEL}-"
_FIELDS = ["description", "labels", "status", "resolutiondate", "statuscategorychangedate", "updated"]
_DISPENSABLE = ("duedate", "priority")  # a project may not have them on its screens


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[trackers.<name>]`` with the kind `jira`."""

    url: str  # https://SITE.atlassian.net, or where Data Center runs
    project: str  # its key
    user: str = ""  # Cloud: the mail address that the API token belongs to; empty: a personal token of Data Center
    issue_type: str = "Task"
    fields: dict[str, Any] = {}  # of every new issue: components, customfield_10011, …
    close_transition: str = ""  # the transition that closes; empty: the first that leads to a status of the kind "done"
    reopen_transition: str = ""  # the transition that opens again; empty: the first that leads to another
    index_lag_seconds: float = 300.0  # seconds after which the search index is sure to hold a new issue
    fallback_assignee: str = ""  # where the owner is unknown or has left


@dataclass(frozen=True)
class Jira:
    """Issues in projects."""

    client: "JIRA"
    options: Options

    lists = True

    @property
    def index_lag_seconds(self) -> float:
        return self.options.index_lag_seconds

    def existing(self, projects: Sequence[str]) -> Iterable[ExistingTicket]:
        keys = ", ".join(f'"{each}"' for each in projects or (self.options.project,))
        with _said(keys):
            found = self.client.search_issues(
                f"project in ({keys}) AND labels = {LABEL} ORDER BY created ASC", maxResults=0, fields=list(_FIELDS)
            )
            return [self._held(issue.raw) for issue in found if not isinstance(issue, str)]

    def get(self, key: str) -> ExistingTicket | None:
        from jira import JIRAError

        with _said(key):
            try:
                return self._held(self.client.issue(key, fields=",".join(_FIELDS)).raw)
            except JIRAError as error:
                if error.status_code == 404:
                    return None
                raise

    def person(self, name: str, project: str) -> str:
        """The account id in Cloud, the name in Data Center, of an active user who can be assigned."""
        with _said(name):
            found = self.client.search_assignable_users_for_issues(
                project=project or self.options.project,
                query=name if self._cloud else None,
                username=None if self._cloud else name,
            )
        for each in (user.raw for user in found):
            known = [str(each.get(key, "")).lower() for key in ("emailAddress", "name", "accountId", "displayName")]
            # Cloud hides most addresses, but finds people by them.
            fits = name.lower() in known or (self._cloud and "@" in name and len(found) == 1)
            if fits and each.get("active", True):
                return str(each["accountId" if self._cloud else "name"])
        return ""

    def create(self, ticket: Ticket, assignee: str) -> ExistingTicket:
        project = ticket.project or self.options.project
        fields = {
            **self.options.fields,
            "project": {"key": project},
            "issuetype": {"name": self.options.issue_type},
            **_written(ticket),
            "labels": [*ticket.labels, _MARKER + ticket.marker],
            **({"assignee": {"accountId" if self._cloud else "name": assignee}} if assignee else {}),
        }
        with _said(project):
            made = self._with_what_is_there(lambda given: self.client.create_issue(given, prefetch=False), fields)
        key = str(made.key)
        return ExistingTicket(key=key, url=self._url(key), body=ticket.body, open=True, marker=ticket.marker)

    def update(self, key: str, ticket: Ticket) -> None:
        """Labels that people added stay."""
        with _said(key):
            issue = self.client.issue(key, fields="labels")
            own = [label for label in issue.raw["fields"]["labels"] if not label.startswith(("severity-", _MARKER))]
            labels = list(dict.fromkeys([*own, *ticket.labels, _MARKER + ticket.marker]))
            fields = {**_written(ticket), "labels": labels}
            self._with_what_is_there(lambda given: issue.update(fields=given), fields)

    def comments(self, key: str) -> Sequence[str]:
        with _said(key):
            return [str(each.body) for each in self.client.comments(key)]

    def comment(self, key: str, text: str) -> None:
        with _said(key):
            self.client.add_comment(key, text)

    def close(self, key: str) -> None:
        self._move(key, self.options.close_transition, is_open=False)

    def reopen(self, key: str) -> None:
        self._move(key, self.options.reopen_transition, is_open=True)

    def _move(self, key: str, wanted: str, *, is_open: bool) -> None:
        with _said(key):
            status = self.client.issue(key, fields="status").raw["fields"]["status"]
            if (_kind(status) != "done") is is_open:
                return
            ways = self.client.transitions(key)
            fitting = [
                each for each in ways
                if wanted in ("", each["name"]) and (wanted or (_kind(each["to"]) != "done") is is_open)
            ]  # fmt: skip
            if not fitting:
                names = ", ".join(str(each["name"]) for each in ways)
                what = "reopen_transition" if is_open else "close_transition"
                raise TicketRefused(
                    f"Jira offers no way to {'open' if is_open else 'close'} {key}; name a transition as `{what}`, "
                    f"one of: {names or 'none, the user may not transition issues'}",
                    field=what,
                )
            self.client.transition_issue(key, str(fitting[0]["id"]))

    def _with_what_is_there(self, send: Callable[[dict[str, Any]], Any], fields: dict[str, Any]) -> Any:
        """Send fields; what the project has no place for is left out, where the ticket does not need it."""
        from jira import JIRAError

        try:
            return send(fields)
        except JIRAError as error:
            missing = [each for each in _DISPENSABLE if each in _faults(error)]
            if error.status_code != 400 or not missing:
                raise
        return send({name: value for name, value in fields.items() if name not in missing})

    def _held(self, raw: dict[str, Any]) -> ExistingTicket:
        fields = raw["fields"]
        is_open = _kind(fields["status"]) != "done"
        closed = fields.get("statuscategorychangedate") or fields.get("resolutiondate") or fields.get("updated")
        marks = [each.removeprefix(_MARKER) for each in fields.get("labels") or () if each.startswith(_MARKER)]
        return ExistingTicket(
            key=str(raw["key"]),
            url=self._url(str(raw["key"])),
            body=str(fields.get("description") or ""),
            open=is_open,
            marker=marks[0] if marks else "",
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


def _kind(status: dict[str, Any]) -> str:
    """new, indeterminate or done, whatever the status is called."""
    return str(status.get("statusCategory", {}).get("key", ""))


def _faults(error: "JIRAError") -> dict[str, str]:
    """What was wrong, by field."""
    try:
        told = msgspec.json.decode(error.response.content) if error.response is not None else {}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    found = told.get("errors") if isinstance(told, dict) else None
    return found if isinstance(found, dict) else {}


@contextmanager
def _said(where: str) -> Iterator[None]:
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
        return Throttled("Jira asks for a pause", retry_after=float(wait) if wait.isdigit() else None)
    if status in (401, 403, 404):
        return AccessDenied(
            f"Jira does not let us into {where} (HTTP {status}); the user needs to browse the project, create, "
            "edit and transition issues and add comments",
            needs="Browse Projects, Create, Edit, Assign and Transition Issues, Add Comments",
        )
    if status >= 500 or not status:
        return Unreachable(f"Jira had trouble of its own (HTTP {status})")
    faults = _faults(error)
    told = "; ".join(f"{name}: {words}" for name, words in faults.items()) or str(error.text)
    return TicketRefused(
        f"Jira refused the issue in {where}: {told}",
        field="assignee" if "assignee" in faults else next(iter(faults), ""),
    )


def open_jira(options: Options, credential: Callable[[str], str]) -> Tracker:
    """Nothing is asked again within the library: it would repeat a creation whose answer was lost."""
    from jira import JIRA

    if not options.url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise ConfigurationError(f"url = {options.url!r}: Jira's address has to begin with https://.")
    token = credential("TOKEN")
    with _said(options.url):
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
    wording=lambda _: wording(WIKI),
    secrets=("TOKEN",),
)
