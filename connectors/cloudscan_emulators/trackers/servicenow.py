"""ServiceNow's Table API over incidents, users and journal fields ("Table API", Now Platform).

It refuses what an instance with its default data refuses. What no page says is marked as guessed.
"""

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cloudscan_emulators.trackers.emulated import Emulated
from cloudscan_emulators.trackers.server import Reply, Request, Service

LOGIN = ("robot", "of-a-test")
PEOPLE = ({"user_name": "mika", "email": "mika@acme.example"}, {"user_name": "deputy", "email": ""})
_TIME = "%Y-%m-%d %H:%M:%S"
_LENGTHS = {"short_description": 160, "description": 4_000, "close_notes": 4_000}  # of the default dictionary
_TERM = re.compile(r"([a-z_]+)(=|LIKE|IN)(.*)", re.DOTALL)
_ORDER = re.compile(r"ORDERBY(DESC)?([a-z_]+)")
_COLUMNS = (
    "short_description", "description", "state", "impact", "urgency", "due_date", "assignment_group", "assigned_to",
    "correlation_id", "correlation_display", "close_code", "close_notes", "caller_id", "category", "u_department",
    "closed_at", "resolved_at", "sys_id", "number", "sys_created_by", "sys_created_on", "sys_updated_on",
)  # fmt: skip


def refused(status: int, message: str, detail: str = "") -> Reply:
    return Reply(status, {"error": {"message": message, "detail": detail}, "status": "failure"})


def throttled(seconds: int) -> Reply:
    """As in "Inbound REST API rate limiting"."""
    return Reply(429, {"error": {"message": "Rate limit exceeded"}}, {"Retry-After": str(seconds)})


@dataclass
class ServiceNow(Emulated):
    """The table of incidents."""

    service: Service = field(default_factory=Service)
    longest_page: int = 100
    records: list[dict[str, Any]] = field(default_factory=list)
    talk: dict[str, list[str]] = field(default_factory=dict)
    people: list[dict[str, str]] = field(default_factory=lambda: [_active(each) for each in PEOPLE])
    mandatory: tuple[str, ...] = ()  # fields that a data policy asks for in each new record
    unreadable: set[str] = field(default_factory=set)  # fields that the user may not read: left out of each answer
    read_only: set[str] = field(default_factory=set)  # fields that the user may not write: dropped without a word
    unsearchable: set[str] = field(default_factory=set)  # fields in a query that it does not understand
    evaluated: list[str] = field(default_factory=list)  # scripts in values
    sent: list[Mapping[str, Any]] = field(default_factory=list)  # the bodies of all writes

    kind = "servicenow"
    lists = True
    creates = r"POST /api/now/table/incident$"

    @property
    def environment(self) -> Mapping[str, str]:
        return {"CLOUDSCAN_SERVICENOW_USER": LOGIN[0], "CLOUDSCAN_SERVICENOW_PASSWORD": LOGIN[1]}

    @property
    def table(self) -> str:
        return f'[trackers.servicenow]\nurl = "{self.service.url}"\n'

    def tickets(self) -> list[dict[str, Any]]:
        return [
            {
                "key": each["sys_id"],
                "title": each["short_description"],
                "body": each["description"],
                "open": each["state"] in ("1", "2"),
                "assignee": self._user_name(each.get("assigned_to", "")),
                "comments": self.talk.get(each["sys_id"], []),
                "labels": [each["correlation_display"]],
            }
            for each in self.records
        ]

    def by_hand(self, key: str, *, is_open: bool) -> None:
        """Resolved, and opened again; `close_for_good` closes one for good."""
        self._turn(self.of(key), "2" if is_open else "6")

    def close_for_good(self, key: str) -> None:
        """As in "Incident auto-close": resolved incidents are closed after some days."""
        self._turn(self.of(key), "7")

    def rewrite(self, key: str, body: str) -> None:
        self.of(key)["description"] = body

    def copy(self) -> None:
        later = (self.service.now() + timedelta(seconds=1)).strftime(_TIME)
        self.records.append({**self.records[0], "sys_id": uuid.uuid4().hex, "sys_created_on": later})

    def add(self, **fields: str) -> dict[str, Any]:
        """A record that somebody else made."""
        empty = dict.fromkeys(_COLUMNS, "")
        record = {**empty, "sys_id": uuid.uuid4().hex, "state": "2", "sys_created_by": "beth", **fields}
        self.records.append(record)
        return record

    def __post_init__(self) -> None:
        service = self.service
        service.allowed = lambda request: (
            None if request.basic == LOGIN else refused(401, "User Not Authenticated", "Required to provide Auth")
        )
        table = "/api/now/table/incident"

        @service.route("GET", table)
        def listed(request: Request) -> Reply:
            """Queries in the encoded form ("Operators available for filters and queries")."""
            start, limit = int(request.first("sysparm_offset", "0")), int(request.first("sysparm_limit", "10000"))
            found = self._found(self.records, request.first("sysparm_query"))
            shown = [self._shown(each, request) for each in found[start : start + limit]]
            return Reply(200, {"result": shown}, {"X-Total-Count": str(len(found))})

        @service.route("POST", table)
        def created(request: Request) -> Reply:
            given = dict(request.json)
            self.sent.append(given)
            if missing := [name for name in self.mandatory if not given.get(name)]:
                return refused(403, "Operation Failed", f"Data Policy Exception: {', '.join(missing)} are mandatory")
            record = self.add(number=f"INC{len(self.records) + 1:07}", sys_created_by=LOGIN[0])
            record["sys_created_on"] = self._moment()
            self._turn(record, "1")
            self._write(record, given)
            return Reply(201, {"result": self._shown(record, request)})

        @service.route("GET", f"{table}/(\\w+)")
        def one(request: Request, key: str) -> Reply:
            found = [each for each in self.records if each["sys_id"] == key]
            return Reply(200, {"result": self._shown(found[0], request)}) if found else refused(404, "No Record found")

        @service.route("PATCH", f"{table}/(\\w+)")
        def edited(request: Request, key: str) -> Reply:
            """Closed and cancelled ones are read-only ("Reopening an incident"); resolving needs code and notes."""
            record, given = self.of(key), dict(request.json)
            self.sent.append(given)
            if record["state"] in ("7", "8"):
                return refused(403, "Operation Failed", "ACL Exception Update Failed due to security constraints")
            if given.get("state") in ("6", "7") and not (given.get("close_code") and given.get("close_notes")):
                return refused(403, "Operation Failed", "Data Policy Exception: close_code, close_notes are mandatory")
            if note := given.pop("work_notes", ""):
                self.talk.setdefault(key, []).append(note)
            self._write(record, given)
            if "state" in given:
                self._turn(record, given["state"])
            return Reply(200, {"result": self._shown(record, request)})

        @service.route("GET", "/api/now/table/sys_journal_field")
        def journal(request: Request) -> Reply:
            notes = [
                {"element_id": key, "element": "work_notes", "value": each, "sys_created_on": f"{number:06}"}
                for key, each_of in self.talk.items()
                for number, each in enumerate(each_of)
            ]
            start, limit = int(request.first("sysparm_offset", "0")), int(request.first("sysparm_limit", "10000"))
            found = self._found(notes, request.first("sysparm_query"))
            return Reply(200, {"result": [self._shown(each, request) for each in found[start : start + limit]]})

        @service.route("GET", "/api/now/table/sys_user")
        def people(request: Request) -> Reply:
            found = self._found(self.people, request.first("sysparm_query"))
            shown = [self._shown(each, request) for each in found[: int(request.first("sysparm_limit", "10000"))]]
            return Reply(200, {"result": shown})

        @service.route("GET", "/api/now/table/sys_dictionary")
        def dictionary(request: Request) -> Reply:
            columns = [
                {"name": "task", "element": name, "mandatory": str(name in self.mandatory).lower(), "active": "true"}
                for name in _COLUMNS
            ]
            return Reply(200, {"result": self._found(columns, request.first("sysparm_query"))})

    def _found(self, records: Iterable[Mapping[str, Any]], query: str) -> list[Mapping[str, Any]]:
        """What a query finds; the part of it that is not valid is left out ("Table API", sysparm_query)."""
        found, terms = list(records), query.split("^")
        for ordered in reversed([one for term in terms if (one := _ORDER.fullmatch(term))]):  # the first counts most
            found.sort(key=lambda each, by=ordered[2]: str(each.get(by, "")), reverse=bool(ordered[1]))  # type: ignore[misc]
        for one in filter(None, map(_TERM.fullmatch, terms)):
            if one[1] in self.unsearchable:
                continue
            if one[3].strip().lower().startswith("javascript:"):
                self.evaluated.append(one[3])
            elif not found or one[1] in found[0]:
                found = [each for each in found if _fits(str(each[one[1]]), one[2], one[3])]
        return found

    def _shown(self, record: Mapping[str, Any], request: Request) -> dict[str, Any]:
        wanted = request.first("sysparm_fields")
        names = set(wanted.split(",")) if wanted else set(record)
        return {name: record[name] for name in record if name in names - self.unreadable}

    def _write(self, record: dict[str, Any], given: Mapping[str, Any]) -> None:
        """Unknown fields, and those that may not be written, are left out; texts are cut."""
        for name, value in given.items():
            if name in _COLUMNS and name not in self.read_only:
                record[name] = value[: _LENGTHS.get(name)] if name in _LENGTHS else value

    def _turn(self, record: dict[str, Any], state: str) -> None:
        moment = self._moment()
        record.update(state=state, sys_updated_on=moment, resolved_at=moment if state == "6" else "")
        record["closed_at"] = moment if state == "7" else ""

    def _moment(self) -> str:
        return self.service.now().strftime(_TIME)

    def _user_name(self, sys_id: str) -> str:
        return next((each["user_name"] for each in self.people if each["sys_id"] == sys_id), "")

    def of(self, key: str) -> dict[str, Any]:
        """The record with this sys_id."""
        return next(each for each in self.records if each["sys_id"] == key)


def _active(person: Mapping[str, str]) -> dict[str, str]:
    return {"sys_id": uuid.uuid5(uuid.NAMESPACE_DNS, person["user_name"]).hex, "active": "true", **person}


def _fits(value: str, operator: str, wanted: str) -> bool:
    match operator:
        case "LIKE":
            return wanted.lower() in value.lower()
        case "IN":
            return value in wanted.split(",")
        case _:
            return value.lower() == wanted.lower()
