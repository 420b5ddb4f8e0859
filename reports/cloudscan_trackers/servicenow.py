"""ServiceNow, over its Table API.

A record is identified by `correlation_id`, which exists for this purpose, and `correlation_display` = cloudscan.
ServiceNow leaves out the part of a query that it does not understand, and fields that the user may not read: what comes
back is looked at, record by record. Comments go into the work notes, which the requester does not see.
"""

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import msgspec

from cloudscan.errors import AccessDenied, ConfigurationError, ProviderError, TicketRefused, check_url
from cloudscan.finding import Severity
from cloudscan.sentence import Sentence, joined, say
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
from cloudscan_trackers.markup import PLAIN
from cloudscan_trackers.rest import Fault, Rest, ends_alike, time_of
from cloudscan_trackers.wording import Limits, wording
from cloudscan_wording.visible import shortened

_PAGE: Final = 100
_MOST_FOREIGN: Final = 2_000  # records beside the query, after which it is clear that the query is ignored
_TITLE: Final = 160  # characters of short_description
_JOURNAL: Final = 4_000  # characters of an entry, and of close_notes
_SIGN: Final = "cloudscan:1"  # how a marker line begins
_IDENTITY: Final = ("correlation_id", "correlation_display")
_NEEDED: Final = ("state", "description")
_FIELDS: Final = ("sys_id", *_NEEDED, *_IDENTITY, "closed_at", "resolved_at", "sys_updated_on", "sys_created_on")
_SYS_ID: Final = re.compile(r"[A-Za-z0-9]{1,64}")
_TABLE: Final = re.compile(r"[a-z][a-z0-9_]*")
_MARKER: Final = re.compile(r"[0-9a-f]{16,64}")
# All that is ever looked up: ServiceNow evaluates values that begin with "javascript:", and ^ begins a new condition.
_ADDRESS: Final = re.compile(r"[A-Za-z0-9._+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_USER_NAME: Final = re.compile(r"[A-Za-z0-9._+\\-]{1,80}")
_BY_RULE: Final = re.compile(r"data policy|mandatory|business rule|必須", re.IGNORECASE)
_RULE: Final = "rule"  # the field at fault if a rule of the table refuses what was sent
_NOTE: Final = "{note}"

_RANKS: Final[Mapping[Severity, tuple[str, str]]] = {
    Severity.CRITICAL: ("1", "1"),
    Severity.HIGH: ("2", "1"),
    Severity.MEDIUM: ("2", "2"),
    Severity.LOW: ("3", "2"),
    Severity.INFO: ("3", "3"),
}
"""Impact and urgency, from which ServiceNow computes the priorities 1 to 5 ("Priority lookup rules")."""
_SOLVED, _UNSOLVED, _DUPLICATE = "Solution provided", "No resolution provided", "Duplicate"
_CLOSE_CODES: Final[Mapping[ClosingReason, str]] = {
    ClosingReason.FIXED: _SOLVED,
    ClosingReason.GONE: _SOLVED,
    ClosingReason.WAIVED: _UNSOLVED,
    ClosingReason.DUPLICATE: _DUPLICATE,
    ClosingReason.MERGED: _DUPLICATE,
    ClosingReason.WITHDRAWN: _UNSOLVED,
    ClosingReason.REJUDGED: _UNSOLVED,
}
"""The resolution codes that incidents come with."""
_RESOLVED: Final = {"state": "6", "close_notes": _NOTE}
_REOPENED: Final = {"state": "2"}


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[trackers.<name>]`` with the kind `servicenow`."""

    url: str  # https://INSTANCE.service-now.com
    table: str = "incident"
    project: str = ""  # the assignment group's sys_id; a route's replaces it
    usernames: dict[str, str] = {}  # user names by mail address, where users have no address or share one
    fields: dict[str, str] = {}  # of every new record: category, caller_id, …; impact and urgency replace ours
    close_fields: dict[str, str] = {}  # written to close a record, beside state 6, a close code and {note}
    close_as: dict[ClosingReason, dict[str, str]] = {}  # by the reason of closing: replaces its close code
    reopen_fields: dict[str, str] = {}  # written to open one again, beside state 2
    closed_states: Sequence[str] = ("6", "7", "8")  # states that do not count as open
    final_states: Sequence[str] = ("7", "8")  # those that a record cannot leave any more
    description_length: int = 4_000  # characters that the table's description takes
    fallback_assignee: str = ""  # if the owner is unknown or has left

    def __post_init__(self) -> None:
        """Raises `ConfigurationError` for an address without https, and for a name that is no table's."""
        check_url("url", self.url, needs_https=True)
        if not _TABLE.fullmatch(self.table):
            raise ConfigurationError(
                say("table = {table} is not the name of a table; write one like incident.", table=repr(self.table)),
                key="table",
            )


@dataclass(frozen=True)
class ServiceNow:
    """Records of one table. `user` is who we are there."""

    rest: Rest
    options: Options
    user: str = ""

    index_lag_seconds = 0.0
    listing = Listing.WHOLE

    def wording(self, _project: str) -> Wording:
        """Plain text, as long as the table's description may be."""
        return wording(PLAIN, limits=Limits(title=_TITLE, body=self.options.description_length, comment=_JOURNAL))

    def existing(self, _project: str) -> Sequence[ExistingTicket]:
        """The records with `correlation_display` = cloudscan, oldest first; and of the newest 100 that our user made,
        those with a marker line, since fields that the user may not write get lost without a word.

        Covers every assignment group: the projects are ignored. A record that bears neither sign is left out.
        """
        foreign = 0
        ours: list[Mapping[str, Any]] = []
        for record in self._all(f"correlation_display={LABEL}^ORDERBYsys_created_on^ORDERBYsys_id"):
            if self._has_sign(record):
                ours.append(record)
            elif (foreign := foreign + 1) >= _MOST_FOREIGN:
                raise TicketRefused(
                    say(
                        "ServiceNow does not search {table} by correlation_display: the table has no such field, or "
                        "{user} may not read it; let the user read and write correlation_id and correlation_display.",
                        table=self.options.table,
                        user=self.user,
                    )
                )
        if _USER_NAME.fullmatch(self.user):
            newest = self._page(f"sys_created_by={self.user}^ORDERBYDESCsys_created_on", 0)[0]
            seen = {_value(record, "sys_id") for record in ours}
            ours += [one for one in newest if self._has_sign(one) and _value(one, "sys_id") not in seen]
        ours.sort(key=lambda record: _value(record, "sys_created_on"))
        return [self._existing(record) for record in ours]

    def get(self, key: str) -> ExistingTicket | None:
        """By `sys_id`; None for a 404, which can also mean that the user may not read the record."""
        if not _SYS_ID.fullmatch(key):
            return None
        answer = self.rest.ask("GET", self._path(key), query=[("sysparm_fields", ",".join(_FIELDS))])
        return None if answer is None else self._existing(self._result(answer))

    def person(self, name: str, _project: str) -> str:
        """The `sys_id` of the one active user with this `email`, or `user_name` if there is no @ in the name.

        What is neither an address nor a user name is not asked for, and only the one who was asked for is taken from
        the answer. Whether they belong to the assignment group is not checked.
        """
        usernames = {address.casefold(): user for address, user in self.options.usernames.items()}
        wanted = usernames.get(name.casefold(), name)
        field, allowed = ("email", _ADDRESS) if "@" in wanted else ("user_name", _USER_NAME)
        if not allowed.fullmatch(wanted):
            return ""
        query = [
            ("sysparm_query", f"{field}={wanted}^active=true"),
            ("sysparm_fields", "sys_id,user_name,email,active"),
            ("sysparm_limit", "2"),
        ]
        users = self._results(self.rest.ask("GET", "/api/now/table/sys_user", query=query))
        matching = [
            _value(user, "sys_id")
            for user in users
            if _value(user, field).casefold() == wanted.casefold() and _value(user, "active").casefold() == "true"
        ]
        return matching[0] if len(matching) == 1 else ""

    def create(self, ticket: Ticket, assignee: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """The project is the assignment group, the marker the `correlation_id`. Labels are not sent.

        Raises `TicketRefused` with the field `assignee` if ServiceNow's message names `assigned_to`.
        """
        group = ticket.project or self.options.project
        sent = {
            **self.options.fields,
            **self._written(ticket),
            **({"assignment_group": group} if group else {}),
            **({"assigned_to": assignee} if assignee else {}),
        }
        with _explained("fields"):
            answer = self.rest.ask("POST", self._path(), json=sent)
        if answer is None:
            raise TicketRefused(say("ServiceNow has no table {table}; check url and table.", table=self.options.table))
        return self._looked_at(self._result(answer), sent, ticket)

    def update(self, key: str, ticket: Ticket, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Updates the marker too: it changes when a rule is renamed."""
        sent = self._written(ticket)
        return self._looked_at(self._changed(key, sent, "fields"), sent, ticket)

    def comments(self, key: str) -> Iterator[str]:
        """The work notes, the newest first, from `sys_journal_field`."""
        if not _SYS_ID.fullmatch(key):
            return
        for start in count(0, _PAGE):
            query = [
                ("sysparm_query", f"element_id={key}^element=work_notes^ORDERBYDESCsys_created_on"),
                ("sysparm_fields", "value,element_id"),
                ("sysparm_limit", str(_PAGE)),
                ("sysparm_offset", str(start)),
            ]
            page = self._results(self.rest.ask("GET", "/api/now/table/sys_journal_field", query=query))
            notes = [note for note in page if note.get("element_id", key) == key]
            yield from (_value(note, "value") for note in notes)
            if len(page) < _PAGE or not notes:
                return

    def comment(self, key: str, text: str, *, once: str) -> None:  # noqa: ARG002
        """Write a work note. Raises `TicketRefused` for a 404."""
        self._changed(key, {"work_notes": text}, "fields")

    def close(self, key: str, closing: Closing, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Resolve the record (state 6), with a close code for the reason and the note; `{note}` stands for it in the
        options. Raises `TicketRefused` for a 404.
        """
        own = self.options.close_as.get(closing.reason)
        code = {"close_code": _CLOSE_CODES[closing.reason]} if own is None else own
        fields = {**_RESOLVED, **code, **self.options.close_fields, **(own or {})}
        note = shortened(closing.note, _JOURNAL)
        sent = {name: value.replace(_NOTE, note) for name, value in fields.items()}
        return self._as_it_is(self._changed(key, sent, "close_fields"))

    def reopen(self, key: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Write state 2 and `reopen_fields`. Raises `TicketRefused` for a 404."""
        return self._as_it_is(self._changed(key, {**_REOPENED, **self.options.reopen_fields}, "reopen_fields"))

    def check(self, _project: str) -> Iterator[Sentence]:
        """Mandatory fields of the table's dictionary that the options lack, and fields that the user may not read.

        Where the dictionary cannot be read, nothing is said about it.
        """
        if missing := self._mandatory():
            yield say(
                "ServiceNow's table {table} requires fields that are not set: {fields}; write them under fields.",
                table=self.options.table,
                fields=", ".join(missing),
            )
        any_record = self.rest.ask("GET", self._path(), query=[("sysparm_limit", "1")])
        for record in self._results(any_record)[:1]:
            if unread := [name for name in (*_NEEDED, *_IDENTITY) if name not in record]:
                yield self._unreadable(unread)

    def _mandatory(self) -> Sequence[str]:
        """Fields that a record must have and that are not sent, from `sys_dictionary`; much of a table is in `task`."""
        query = [
            ("sysparm_query", f"nameIN{self.options.table},task^mandatory=true^active=true"),
            ("sysparm_fields", "name,element,mandatory"),
            ("sysparm_limit", "500"),
        ]
        try:
            entries = self._results(self.rest.ask("GET", "/api/now/table/sys_dictionary", query=query))
        except (AccessDenied, TicketRefused):
            return ()
        sent = {*self.options.fields, *_IDENTITY, "short_description", "description", "impact", "urgency", "due_date"}
        sent |= {"assignment_group"} if self.options.project else set()
        required = {
            _value(entry, "element")
            for entry in entries
            if _value(entry, "mandatory") == "true" and _value(entry, "name") in (self.options.table, "task")
        }
        return sorted(required - sent - {""})

    def _all(self, query: str) -> Iterator[Mapping[str, Any]]:
        """All records that an encoded query finds.

        Pages may be shorter than asked for, since records that the user may not read are taken out of them: the header
        X-Total-Count says how many there are.
        """
        seen: set[str] = set()
        for start in count(0, _PAGE):
            page, headers = self._page(query, start)
            fresh = [record for record in page if _value(record, "sys_id") not in seen]
            seen |= {_value(record, "sys_id") for record in fresh}
            yield from fresh
            total = headers.get("x-total-count", "")
            more = start + _PAGE < int(total) if total.isdecimal() else len(page) >= _PAGE
            if not more or (page and not fresh):
                return

    def _page(self, query: str, start: int) -> tuple[Sequence[Mapping[str, Any]], Mapping[str, str]]:
        parameters = [
            ("sysparm_query", query),
            ("sysparm_fields", ",".join(_FIELDS)),
            ("sysparm_limit", str(_PAGE)),
            ("sysparm_offset", str(start)),
        ]
        answer, headers = self.rest.page("GET", self._path(), query=parameters)
        return self._results(answer), headers

    def _changed(self, key: str, fields: Mapping[str, str], option: str) -> Mapping[str, Any]:
        """What a record is after a change; `option` is where to write what a rule of the table asks for."""
        with _explained(option):
            answer = self.rest.ask("PATCH", self._path(key), json=fields) if _SYS_ID.fullmatch(key) else None
        if answer is None:
            raise TicketRefused(say("ServiceNow no longer has the record {key}.", key=key))
        return self._result(answer)

    def _as_it_is(self, record: Mapping[str, Any]) -> ExistingTicket:
        """A record after a change; it is read again if the answer does not show enough of it."""
        if all(name in record for name in _NEEDED):
            return self._existing(record)
        key = self._key(record)
        read = self.get(key)
        if read is None:
            raise TicketRefused(say("ServiceNow no longer has the record {key}.", key=key))
        return read

    def _written(self, ticket: Ticket) -> dict[str, str]:
        """Raises `TicketRefused` for a text that would be cut: its end, the marker line, would be lost."""
        if len(ticket.body) > self.options.description_length:
            raise TicketRefused(
                say(
                    "The text is longer than the description of {table} may be, {most} characters; let it be longer "
                    "in ServiceNow, and write its length as description_length.",
                    table=self.options.table,
                    most=self.options.description_length,
                )
            )
        impact, urgency = _RANKS[ticket.severity]
        ranks = {"impact": impact, "urgency": urgency}
        return {
            "short_description": ticket.title,
            "description": ticket.body,
            "due_date": f"{ticket.due} 00:00:00" if ticket.due else "",
            "correlation_id": ticket.marker,
            "correlation_display": LABEL,
            **{name: value for name, value in ranks.items() if name not in self.options.fields},
        }

    def _looked_at(self, answer: Mapping[str, Any], sent: Mapping[str, str], ticket: Ticket) -> ExistingTicket:
        """The record that an answer shows, compared with what was sent.

        What it does not show is looked for in the record itself. A field that is not there either cannot be read, or
        the table does not have it.
        """
        key = self._key(answer)
        complete = all(name in answer for name in (*_NEEDED, *_IDENTITY))
        read = {} if complete else self._read_again(key)
        record, is_whole = {**answer, **read}, complete or bool(read)

        def is_lost(name: str) -> bool:
            return bool(sent.get(name)) and (is_whole or name in record) and _value(record, name) != sent[name]

        lost = {
            Dropped.LABEL: any(map(is_lost, _IDENTITY)),
            Dropped.TEXT: "description" in record and not ends_alike(ticket.body, _value(record, "description")),
            Dropped.ASSIGNEE: is_lost("assigned_to"),
            Dropped.DUE: is_lost("due_date") and not _value(record, "due_date").startswith(str(ticket.due)),
            Dropped.FIELDS: any(is_lost(name) and not _value(record, name) for name in self.options.fields),
        }
        return ExistingTicket(
            key=key,
            url=self._url(key),
            body=_value(record, "description") if "description" in record else ticket.body,
            open=self._is_open(_value(record, "state")),
            marker=ticket.marker,
            dropped=[what for what, is_it in lost.items() if is_it],
            unread=[name for name in (*_NEEDED, *_IDENTITY) if name not in record],
        )

    def _read_again(self, key: str) -> Mapping[str, Any]:
        """All that can be read of a record that was just written; nothing if it cannot be read, now or ever."""
        try:
            answer = self.rest.ask("GET", self._path(key))
            return {} if answer is None else self._result(answer)
        except ProviderError:
            return {}  # it was written, and must not be written again

    def _has_sign(self, record: Mapping[str, Any]) -> bool:
        return _value(record, "correlation_display") == LABEL or _SIGN in _value(record, "description")

    def _is_open(self, state: str) -> bool:
        return state not in self.options.closed_states

    def _existing(self, record: Mapping[str, Any]) -> ExistingTicket:
        """Raises `AccessDenied` if the user may not read the state or the description."""
        key = self._key(record)
        if unread := [name for name in _NEEDED if name not in record]:
            raise AccessDenied(self._unreadable(unread))
        state, marker = _value(record, "state"), _value(record, "correlation_id")
        labelled = _value(record, "correlation_display") == LABEL
        times = filter(None, (_value(record, name) for name in ("closed_at", "resolved_at", "sys_updated_on")))
        return ExistingTicket(
            key=key,
            url=self._url(key),
            body=_value(record, "description"),
            open=self._is_open(state),
            marker=marker if labelled and _MARKER.fullmatch(marker) else "",
            closed_on=None if self._is_open(state) else time_of(next(times, "")),
            labelled=labelled,
            is_final=state in self.options.final_states,
        )

    def _unreadable(self, fields: Iterable[str]) -> Sentence:
        return say(
            "ServiceNow does not show {fields} of {table}; let {user} read them, or check that the table has them.",
            fields=", ".join(fields),
            table=self.options.table,
            user=self.user or "?",
        )

    def _key(self, record: Mapping[str, Any]) -> str:
        key = _value(record, "sys_id")
        if not _SYS_ID.fullmatch(key):
            raise self.rest.malformed()
        return key

    def _path(self, key: str = "") -> str:
        return f"/api/now/table/{self.options.table}{'/' if key else ''}{key}"

    def _url(self, key: str) -> str:
        return f"{self.options.url.rstrip('/')}/{self.options.table}.do?sys_id={key}"

    def _result(self, answer: Any) -> Mapping[str, Any]:
        return self.rest.record(self.rest.record(answer).get("result"))

    def _results(self, answer: Any) -> Sequence[Mapping[str, Any]]:
        return self.rest.records(self.rest.record(answer).get("result"))


def _value(record: Mapping[str, Any], name: str) -> str:
    """A field's value; of a reference the sys_id, without its link. Empty if the field is not there."""
    value = record.get(name)
    if isinstance(value, Mapping):
        value = value.get("value")
    return "" if value is None else str(value)


@contextmanager
def _explained(option: str) -> Iterator[None]:
    """Says where to write what a rule of the table asks for: data policies, business rules."""
    try:
        yield
    except TicketRefused as error:
        if error.field != _RULE:
            raise
        remedy = say("Write what the table asks for under {option}.", option=option)
        raise TicketRefused(joined([error, remedy])) from error


def _fault(body: Any) -> Fault:
    """A message and its details ("Table API")."""
    error = body["error"]
    message = f"{error['message']} {error.get('detail') or ''}".strip()
    if "assigned_to" in message:
        return Fault(message=message, field="assignee", by_rule=True)
    by_rule = bool(_BY_RULE.search(message))
    return Fault(message=message, field=_RULE if by_rule else "", by_rule=by_rule)


def open_servicenow(options: Options, credential: Callable[[str], str]) -> Tracker:
    """The tracker, signed in with user name and password."""
    user = credential("USER")
    login = base64.b64encode(f"{user}:{credential('PASSWORD')}".encode()).decode()
    rest = Rest(
        name="ServiceNow",
        url=options.url,
        needs=say("the role itil and web service access to {table}", table=options.table),
        headers={"Authorization": f"Basic {login}"},
        fault=_fault,
    )
    return ServiceNow(rest, options, user)


SERVICENOW = TrackerPlugin(
    name="servicenow",
    title="ServiceNow",
    options=Options,
    open=open_servicenow,
    secrets=("USER", "PASSWORD"),
)
