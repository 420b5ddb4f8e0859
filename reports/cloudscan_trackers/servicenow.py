"""ServiceNow, over its Table API.

A record is identified by `correlation_id`, which exists for this purpose, and `correlation_display` = cloudscan.
Comments go into the work notes, which the requester does not see.
"""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from cloudscan.errors import Malformed, TicketRefused
from cloudscan.finding import Severity
from cloudscan.sentence import Sentence
from cloudscan.tracker import LABEL, Closing, ExistingTicket, Listing, Ticket, Tracker, TrackerPlugin, Wording
from cloudscan_trackers.markup import PLAIN
from cloudscan_trackers.rest import Rest
from cloudscan_trackers.wording import Limits, wording

_PAGE = 100
_TITLE = 160  # characters of short_description
_FIELDS = "sys_id,number,description,state,correlation_id,closed_at,resolved_at,sys_updated_on"
_URGENCIES: Mapping[Severity, str] = {Severity.CRITICAL: "1", Severity.HIGH: "1", Severity.MEDIUM: "2"}
_CLOSED = {"state": "6", "close_code": "Solution provided", "close_notes": "cloudscan no longer sees it."}
_REOPENED = {"state": "2"}


WORDING = wording(PLAIN, limits=Limits(title=_TITLE))


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[trackers.<name>]`` with the kind `servicenow`."""

    url: str  # https://INSTANCE.service-now.com
    table: str = "incident"
    project: str = ""  # the assignment group's sys_id; a route's replaces it
    fields: dict[str, str] = {}  # of every new record: category, caller_id, …
    close_fields: dict[
        str, str
    ] = {}  # what closing a record writes; empty: state 6, close_code Solution provided, a note
    reopen_fields: dict[str, str] = {}  # written to reopen one; empty: state 2
    closed_states: Sequence[str] = ("6", "7", "8")  # states that do not count as open
    fallback_assignee: str = ""  # if the owner is unknown or has left


@dataclass(frozen=True)
class ServiceNow:
    """Records of one table."""

    rest: Rest
    options: Options

    index_lag_seconds = 0.0
    listing = Listing.WHOLE

    def wording(self, _project: str) -> Wording:
        """Plain text."""
        return WORDING

    def existing(self, _project: str) -> Iterable[ExistingTicket]:
        """The records with `correlation_display` = cloudscan, oldest first, 100 per request by offset.

        Covers every assignment group: the projects are ignored.
        """
        for start in range(0, 10**9, _PAGE):
            query = [
                ("sysparm_query", f"correlation_display={LABEL}^ORDERBYsys_created_on"),
                ("sysparm_fields", _FIELDS),
                ("sysparm_limit", str(_PAGE)),
                ("sysparm_offset", str(start)),
            ]
            page = self._result(self.rest.ask("GET", self._path(), query=query))
            yield from (self._existing(record) for record in page)
            if len(page) < _PAGE:
                break

    def get(self, key: str) -> ExistingTicket | None:
        """By `sys_id`; None for a 404."""
        answer = self.rest.ask("GET", self._path(key), query=[("sysparm_fields", _FIELDS)])
        return self._existing(self._result(answer)) if answer else None

    def person(self, name: str, _project: str) -> str:
        """The `sys_id` of an active user, by `email` if the name contains @, else by `user_name`.

        Empty for a name with ``^``, which would add a condition to the query. Group membership is not checked.
        """
        if "^" in name:
            return ""
        field = "email" if "@" in name else "user_name"
        query = [("sysparm_query", f"{field}={name}^active=true"), ("sysparm_fields", "sys_id"), ("sysparm_limit", "1")]
        users = self._result(self.rest.ask("GET", "/api/now/table/sys_user", query=query))
        return str(users[0]["sys_id"]) if users else ""

    def create(self, ticket: Ticket, assignee: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """The project is the assignment group, the marker the `correlation_id`. Labels are not sent.

        Raises `TicketRefused` with the field `assignee` if ServiceNow's message names `assigned_to`.
        """
        group = ticket.project or self.options.project
        record = {
            **self.options.fields,
            **self._written(ticket),
            "correlation_id": ticket.marker,
            "correlation_display": LABEL,
            **({"assignment_group": group} if group else {}),
            **({"assigned_to": assignee} if assignee else {}),
        }
        return self._existing(self._result(self.rest.ask("POST", self._path(), json=record)))

    def update(self, key: str, ticket: Ticket, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Updates the marker too: it changes when a rule is renamed."""
        return self._change(key, {**self._written(ticket), "correlation_id": ticket.marker})

    def comments(self, key: str) -> Sequence[str]:
        """The work notes, from `sys_journal_field`: at most 1,000, in one request."""
        query = [
            ("sysparm_query", f"element_id={key}^element=work_notes"),
            ("sysparm_fields", "value"),
            ("sysparm_limit", "1000"),
        ]
        notes = self._result(self.rest.ask("GET", "/api/now/table/sys_journal_field", query=query))
        return [str(note.get("value") or "") for note in notes]

    def comment(self, key: str, text: str, *, once: str) -> None:  # noqa: ARG002
        """Write a work note. Raises `TicketRefused` for a 404."""
        self._change(key, {"work_notes": text})

    def close(self, key: str, _closing: Closing, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Write `close_fields`, or state 6 with a close code and note. Raises `TicketRefused` for a 404."""
        return self._change(key, self.options.close_fields or _CLOSED)

    def reopen(self, key: str, *, once: str) -> ExistingTicket:  # noqa: ARG002
        """Write `reopen_fields`, or state 2. Raises `TicketRefused` for a 404."""
        return self._change(key, self.options.reopen_fields or _REOPENED)

    def check(self, _project: str) -> Iterable[Sentence]:
        """Nothing yet."""
        return ()

    def _change(self, key: str, fields: Mapping[str, str]) -> ExistingTicket:
        answer = self.rest.ask("PATCH", self._path(key), json=fields)
        if answer is None:
            raise TicketRefused(f"ServiceNow no longer has the record {key}")
        return self._existing(self._result(answer))

    def _written(self, ticket: Ticket) -> Mapping[str, str]:
        return {
            "short_description": ticket.title,
            "description": ticket.body,
            "urgency": _URGENCIES.get(ticket.severity, "3"),
            "due_date": f"{ticket.due} 00:00:00" if ticket.due else "",
        }

    def _path(self, key: str = "") -> str:
        return f"/api/now/table/{self.options.table}{'/' if key else ''}{key}"

    def _result(self, answer: Any) -> Any:
        if not isinstance(answer, Mapping) or "result" not in answer:
            raise Malformed("ServiceNow's answer has no result; check url and table")
        return answer["result"]

    def _existing(self, record: Mapping[str, Any]) -> ExistingTicket:
        is_open = str(record["state"]) not in self.options.closed_states
        closed = record.get("closed_at") or record.get("resolved_at") or record.get("sys_updated_on")
        return ExistingTicket(
            key=str(record["sys_id"]),
            url=f"{self.options.url.rstrip('/')}/{self.options.table}.do?sys_id={record['sys_id']}",
            body=str(record.get("description") or ""),
            open=is_open,
            marker=str(record.get("correlation_id") or ""),
            closed_on=None if is_open or not closed else datetime.fromisoformat(str(closed)).replace(tzinfo=UTC),
        )


def _fault(body: Any) -> tuple[str, str]:
    error = body["error"]
    message = f"{error['message']} {error.get('detail') or ''}".strip()
    return message, "assignee" if "assigned_to" in message else ""


def open_servicenow(options: Options, credential: Callable[[str], str]) -> Tracker:
    """The tracker, signed in with user name and password."""
    login = base64.b64encode(f"{credential('USER')}:{credential('PASSWORD')}".encode()).decode()
    rest = Rest(
        name="ServiceNow",
        url=options.url,
        needs=f"a user with the role itil and web service access to {options.table}",
        headers={"Authorization": f"Basic {login}"},
        fault=_fault,
    )
    return ServiceNow(rest, options)


SERVICENOW = TrackerPlugin(
    name="servicenow",
    title="ServiceNow",
    options=Options,
    open=open_servicenow,
    secrets=("USER", "PASSWORD"),
)
