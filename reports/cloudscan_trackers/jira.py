"""Jira, Cloud and Data Center, over version 2 of its REST API.

Its texts are wiki markup; Cloud converts them to its document format itself. Jira only lists from its search index,
which lags behind by seconds: an issue whose creation got no answer is searched for in the next run, and not created
again before the index is sure to contain it. It is identified by a label.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from cloudscan.errors import AccessDenied, Malformed, ProviderError, TicketRefused, Unreachable, check_url
from cloudscan.finding import Severity
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
from cloudscan_trackers import jira_projects
from cloudscan_trackers.jira_api import (
    FieldsRefused,
    Issue,
    JiraApi,
    NotFound,
    User,
    authorization,
    in_jql,
    quoted,
)
from cloudscan_trackers.jira_workflow import Change, Transition, Transitions, chosen, filled
from cloudscan_trackers.markup import WIKI
from cloudscan_trackers.wording import Limits, wording

Sent = TypeVar("Sent")

_LONGEST_TEXT: Final = 32_767  # of a description or comment, in UTF-16 code units
_LONGEST_SUMMARY: Final = 255
_MARKER: Final = f"{LABEL}-"
_MARKER_LABEL: Final = re.compile(r"cloudscan-([0-9a-f]{16,64})")
_MARKER_LINE: Final = re.compile(r"cloudscan:1 [0-9a-f]{16,64}(?: [a-z]+=[A-Za-z0-9%.,~-]*)*")
_FIELDS: Final = (
    "description",
    "labels",
    "status",
    "assignee",
    "duedate",
    "resolution",
    "resolutiondate",
    "statuscategorychangedate",
    "updated",
)
_DISPENSABLE: Final = ("duedate", "priority")  # a project may not have them on its screens
_OURS: Final = frozenset({"summary", "description", "labels"})
_UNPROVEN: Final = frozenset({"app", "customer"})  # types of accounts that no organisation has verified


WORDING = wording(WIKI, limits=Limits(body=_LONGEST_TEXT, comment=_LONGEST_TEXT))


class CloseAs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to close for one reason, in place of `close_transition` and `close_fields`."""

    transition: str = ""
    fields: dict[str, Any] = {}


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[trackers.<name>]`` with the kind `jira`."""

    url: str  # https://SITE.atlassian.net, https://api.atlassian.com/ex/jira/CLOUD-ID, or where Data Center runs
    project: str  # its key
    user: str = ""  # Cloud: the mail address of the API token's owner; empty: a personal access token of Data Center
    issue_type: str = "Task"
    fields: dict[str, Any] = {}  # of every new issue: components, security, customfield_10011, …
    priorities: dict[Severity, str] = {}  # by severity; without it Highest … Lowest, where the project has them
    usernames: dict[str, str] = {}  # by mail address: account ids in Cloud, which hides addresses, else user names
    close_transition: str = ""  # closes an issue; empty: one to a status of the category "done", by its name
    close_fields: dict[str, Any] = {}  # what closing fills in: resolution = { name = "Done" }
    close_as: dict[ClosingReason, CloseAs] = {}  # by reason, in place of these two
    reopen_transition: str = ""  # reopens one; empty: one to any other status
    reopen_fields: dict[str, Any] = {}  # what reopening fills in
    index_lag_seconds: float = 300.0  # after which the search index is sure to contain a new issue
    fallback_assignee: str = ""  # if the owner is unknown or has left

    def __post_init__(self) -> None:
        check_url("url", self.url, needs_https=True)


@dataclass(frozen=True)
class Jira:
    """Issues in projects."""

    api: JiraApi
    options: Options
    screens: dict[str, jira_projects.Screen] = field(default_factory=dict)  # by project, once they are known
    ends: dict[tuple[str, str], bool] = field(default_factory=dict)  # by project and status: whether it is the last

    listing = Listing.BY_PROJECT

    def wording(self, _project: str) -> Wording:
        """Wiki markup, within what Jira's text fields hold unless an administrator allows more."""
        return WORDING

    @property
    def index_lag_seconds(self) -> float:
        """As the options say: 300 unless `index_lag_seconds` is set."""
        return self.options.index_lag_seconds

    def existing(self, project: str) -> Iterable[ExistingTicket]:
        """All pages of one JQL search by project and label, oldest first; as current as the search index.

        Raises `TicketRefused` for a project that Jira does not know. One whose key was changed is still found under
        its old key: its issues have `moved` to their new ones.
        """
        place = project or self.options.project
        jql = f"project = {in_jql(place)} AND labels = {LABEL} ORDER BY created ASC"
        for issue in self.api.search(jql, _FIELDS, place):
            is_here = _project_of(issue.key).casefold() == place.casefold()
            yield self._read(issue, moved=not is_here)

    def get(self, key: str) -> ExistingTicket | None:
        """Fetched by key, not searched for. An issue that was moved is answered under its old key, with the new one.

        None for a 404, which can also mean that the user may not see the issue.
        """
        try:
            issue = self._issue(key)
        except NotFound:
            return None
        return self._read(issue, moved=issue.key != key)

    def person(self, name: str, project: str) -> str:
        """The account id in Cloud, the user name in Data Center: from `usernames`, or of an active, assignable user.

        Jira finds users by the beginnings of names and addresses, and Cloud hides most addresses: only the one user
        whose address, account id or user name is in the answer, and the same, is meant. Display names prove nothing.
        """
        wanted = name.strip().casefold()
        known = {address.strip().casefold(): user for address, user in self.options.usernames.items()}
        if not wanted or wanted in known:
            return known.get(wanted, "")
        by = ("query" if "@" in wanted else "accountId") if self.api.is_cloud else "username"
        users = self.api.assignable(project or self.options.project, **{by: name.strip()})
        proven = [user for user in users if wanted in self._proofs(user) and user.active]
        return self._name_of(proven[0]) if len(proven) == 1 else ""

    def create(self, ticket: Ticket, assignee: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Sends the options' `fields` too. If Jira rejects `duedate` or `priority`, tries once more without it.

        The marker becomes a label. Raises `TicketRefused` with the field that Jira names.
        """
        project = ticket.project or self.options.project
        person = "accountId" if self.api.is_cloud else "name"
        screen = self._screen(project)
        configured = self.options.priorities.get(ticket.severity, "")
        priority = jira_projects.priority_to_send(screen, ticket.severity, configured)
        fields = {
            **({"priority": priority} if priority else {}),
            **self.options.fields,
            "project": {"key": project},
            "issuetype": jira_projects.type_to_send(screen, self.options.issue_type),
            **_written(ticket),
            "labels": _labels(ticket),
            **({"assignee": {person: assignee}} if assignee else {}),
        }
        key = self._sent(lambda accepted: self.api.created(accepted, project), fields, "fields")
        return self._made(key, ticket, assignee)

    def _made(self, key: str, ticket: Ticket, assignee: str) -> ExistingTicket:
        """A new issue as it can be read. Whatever goes wrong here, it was made: nothing may be raised."""
        as_sent = ExistingTicket(key=key, url=self._url(key), body=ticket.body, open=True, marker=ticket.marker)
        try:
            issue = self.api.issue(key, [*_FIELDS, *self.options.fields])
            seen, person = self._existing(issue), issue.known.assignee
        except NotFound:  # hidden from the user who made it
            return msgspec.structs.replace(as_sent, dropped=(Dropped.LABEL, Dropped.TEXT))
        except ProviderError:
            return as_sent
        lost = [*_dropped(issue, ticket, self.options.fields)]
        if assignee and (person is None or self._name_of(person) != assignee):
            lost.append(Dropped.ASSIGNEE)
        return msgspec.structs.replace(seen, dropped=lost)

    def update(self, key: str, ticket: Ticket, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Labels that people added are kept; an older marker is replaced."""
        before = self._here(key).known.labels or ()
        kept = [label for label in before if not (label.startswith("severity-") or _MARKER_LABEL.fullmatch(label))]
        labels = list(dict.fromkeys([*kept, *_labels(ticket)]))
        fields = {**_written(ticket), **({"labels": labels} if set(labels) != set(before) else {})}
        path = f"/issue/{quoted(key)}"
        self._sent(lambda accepted: self.api.send("PUT", path, {"fields": accepted}, key), fields, "")
        after = self._here(key)
        return msgspec.structs.replace(self._existing(after), dropped=[*_dropped(after, ticket, {})])

    def comments(self, key: str) -> Iterable[str]:
        """All pages, the newest comments first."""
        return self.api.comments(key)

    def comment(self, key: str, text: str, *, once: str) -> None:  # noqa: ARG002
        """The text is wiki markup, as version 2 of the REST API expects. Everybody who sees the issue may read it."""
        self.api.send("POST", f"/issue/{quoted(key)}/comment", {"body": text}, key)

    def close(self, key: str, closing: Closing, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Use the transition of the options, or the one to a status of the category done that fits the reason.

        A resolution that fits is chosen where the screen has one. Nothing if it is done. Raises `TicketRefused` with
        the transitions on offer if none fits, and with the fields that the transition requires and nobody gave.
        """
        return self._existing(self._moved(self._closing(key, closing)))

    def reopen(self, key: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Use the transition of the options, or one to a status of another category than done. Nothing if it is open.

        The resolution is cleared, by the transition or the edit screen, where one of them has it. Raises as `close`.
        """
        issue = self._moved(self._reopening(key))
        if issue.known.resolution and not issue.known.status.is_done:
            self._clear_resolution(key)
        return self._existing(issue)

    def check(self, project: str) -> Iterable[Sentence]:
        """Type, fields and permissions for new issues; and whether one of ours that is there can be closed or reopened.

        The fields that a transition requires are only told for an existing issue.
        """
        place = project or self.options.project
        yield from jira_projects.lacking(self.api, place, self.options.issue_type, self.options.fields)
        tickets = [ticket for ticket in self.existing(project) if not ticket.moved]
        ticket = next((one for one in tickets if one.open), tickets[0] if tickets else None)
        if ticket is None or ticket.is_final:
            return
        change = (
            self._closing(ticket.key, Closing(reason=ClosingReason.FIXED))
            if ticket.open
            else self._reopening(ticket.key)
        )
        try:
            self._content(change)
        except TicketRefused as error:
            yield error.args[0]

    def _closing(self, key: str, closing: Closing) -> Change:
        own = self.options.close_as.get(closing.reason)
        prefix = f"close_as.{closing.reason}." if own else "close_"
        return Change(
            key=key,
            closing=closing,
            transition=own.transition if own else self.options.close_transition,
            fields=own.fields if own else self.options.close_fields,
            transition_option=f"{prefix}transition",
            fields_option=f"{prefix}fields",
        )

    def _reopening(self, key: str) -> Change:
        return Change(
            key=key,
            closing=None,
            transition=self.options.reopen_transition,
            fields=self.options.reopen_fields,
            transition_option="reopen_transition",
            fields_option="reopen_fields",
        )

    def _moved(self, change: Change) -> Issue:
        """Carry a transition out unless the issue is where it should be; the issue as it is afterwards."""
        issue = self._here(change.key)
        if issue.known.status.is_done is change.opens:
            path, content = f"/issue/{quoted(change.key)}/transitions", self._content(change)
            try:
                self.api.send("POST", path, content, change.key)
            except FieldsRefused as error:
                raise _explained(error, change.fields_option) from error
            issue = self._here(change.key)
        return issue

    def _content(self, change: Change) -> dict[str, Any]:
        return filled(chosen(self._offered(change.key), change), change)

    def _offered(self, key: str) -> Sequence[Transition]:
        path = f"/issue/{quoted(key)}/transitions"
        return self.api.get(path, Transitions, key, expand="transitions.fields").transitions

    def _clear_resolution(self, key: str) -> None:
        """Through the edit screen, which seldom has the field. Jira's reports count what has a resolution as solved."""
        try:
            screen = self.api.get(f"/issue/{quoted(key)}/editmeta", dict[str, Any], key)
            if "resolution" in (screen.get("fields") or ()):
                self.api.send("PUT", f"/issue/{quoted(key)}", {"fields": {"resolution": None}}, key)
        except (NotFound, TicketRefused):
            return  # it is open, which is what was asked for

    def _issue(self, key: str) -> Issue:
        return self.api.issue(key, _FIELDS)

    def _here(self, key: str) -> Issue:
        """The issue at this very address. Raises `TicketRefused` if it was moved."""
        issue = self._issue(key)
        if issue.key != key:
            raise TicketRefused(say("{key} was moved and is {now} now, so it is left alone.", key=key, now=issue.key))
        return issue

    def _sent(self, send: Callable[[Mapping[str, Any]], Sent], fields: Mapping[str, Any], option: str) -> Sent:
        """Send fields; dispensable ones that the project does not have are left out."""
        try:
            try:
                return send(fields)
            except FieldsRefused as error:
                missing = [name for name in _DISPENSABLE if name in error.faults and name in fields]
                if not missing:
                    raise
            return send({name: value for name, value in fields.items() if name not in missing})
        except FieldsRefused as error:
            raise _explained(error, option) from error

    def _screen(self, project: str) -> jira_projects.Screen:
        if project not in self.screens:
            self.screens[project] = jira_projects.known_screen(self.api, project, self.options.issue_type)
        return self.screens[project]

    def _proofs(self, user: User) -> Iterator[str]:
        """What says for certain who a user is."""
        yield self._name_of(user).casefold()
        if user.account_type not in _UNPROVEN:
            yield (user.email_address or "").casefold()

    def _name_of(self, user: User) -> str:
        return user.account_id if self.api.is_cloud else user.name

    def _existing(self, issue: Issue, *, moved: bool = False) -> ExistingTicket:
        known = issue.known
        is_open = not known.status.is_done
        labels = known.labels or ()
        markers = [match[1] for match in map(_MARKER_LABEL.fullmatch, labels) if match]
        closed = known.statuscategorychangedate or known.resolutiondate or known.updated
        return ExistingTicket(
            key=issue.key,
            url=self._url(issue.key),
            body=known.description or "",
            open=is_open,
            marker=markers[0] if markers else "",
            project=_project_of(issue.key),
            labelled=LABEL in labels,
            closed_on=None if is_open or not closed else _moment(closed),
            moved=moved,
            moved_to=issue.key if moved else "",
        )

    def _read(self, issue: Issue, *, moved: bool) -> ExistingTicket:
        """The same, and whether it can be opened again."""
        ticket = self._existing(issue, moved=moved)
        if ticket.open or moved or not ticket.labelled:
            return ticket
        place = ticket.project, issue.known.status.name
        if place not in self.ends:
            self.ends[place] = self._is_end(issue.key)
        return msgspec.structs.replace(ticket, is_final=self.ends[place])

    def _is_end(self, key: str) -> bool:
        """Whether the workflow has no way out of a closed issue's status, for users who may take one.

        Asked for one issue of each status: workflows offer the same to all that have it.
        """
        try:
            offered = self._offered(key)
        except (AccessDenied, Malformed, TicketRefused, Unreachable):
            return False
        is_closed = all(one.to.is_done for one in offered if one.is_available)
        return is_closed and jira_projects.may_transition(self.api, _project_of(key))

    def _url(self, key: str) -> str:
        """For people: at the address that Jira says it has, since nobody can open a gateway's."""
        told = self.api.server.base_url
        return f"{(told if told.startswith(('https://', 'http://')) else self.options.url).rstrip('/')}/browse/{key}"


def _written(ticket: Ticket) -> dict[str, Any]:
    return {
        "summary": " ".join(ticket.title.split())[:_LONGEST_SUMMARY],
        "description": ticket.body,
        "duedate": ticket.due.isoformat() if ticket.due else None,
    }


def _labels(ticket: Ticket) -> list[str]:
    """Our labels and the marker's; Jira takes no spaces in them."""
    labels = [LABEL, *ticket.labels, _MARKER + ticket.marker]
    return list(dict.fromkeys("-".join(label.split()) for label in labels))


def _dropped(issue: Issue, ticket: Ticket, fields: Mapping[str, Any]) -> Iterator[Dropped]:
    """What was sent and is not in the issue. Of the text only the marker line is compared: Cloud rewrites markup."""
    known = issue.known
    if not {LABEL, _MARKER + ticket.marker} <= set(known.labels or ()):
        yield Dropped.LABEL
    if _marker_line(known.description or "") != _marker_line(ticket.body):
        yield Dropped.TEXT
    if ticket.due and known.duedate != ticket.due.isoformat():
        yield Dropped.DUE
    lost = [name for name, value in fields.items() if value is not None and issue.fields.get(name) is None]
    if "security" in lost:
        yield Dropped.CONFIDENTIAL
    if lost:
        yield Dropped.FIELDS


def _explained(error: FieldsRefused, option: str) -> TicketRefused:
    """A refusal with what to do about it: give a field that is not ours, or put one of ours on the screen."""
    names = [name for name in error.faults if name not in ("assignee", *_OURS)]
    unknown = [name for name in error.faults if name in _OURS]
    if names and option:
        advice = say("Give {fields} in {option}.", fields=", ".join(names), option=option)
    elif unknown:
        advice = say("Put {fields} on the screens of the project.", fields=", ".join(unknown))
    else:
        return error
    return FieldsRefused(say("{what}. {advice}", what=error, advice=advice), error.faults)


def _marker_line(text: str) -> str:
    lines = _MARKER_LINE.findall(text)
    return lines[-1] if lines else ""


def _project_of(key: str) -> str:
    return key.rpartition("-")[0]


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def open_jira(options: Options, credential: Callable[[str], str]) -> Tracker:
    """The tracker. Nothing is asked yet."""
    return Jira(JiraApi(url=options.url, authorization=authorization(options.user, credential("TOKEN"))), options)


JIRA_PLUGIN = TrackerPlugin(
    name="jira",
    title="Jira",
    options=Options,
    open=open_jira,
    secrets=("TOKEN",),
)
