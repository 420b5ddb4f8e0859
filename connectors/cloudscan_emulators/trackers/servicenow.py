"""ServiceNow's Table API over incidents, users and journal fields ("Table API", Now Platform)."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudscan_emulators.trackers.emulated import Emulated
from cloudscan_emulators.trackers.server import Reply, Request, Service

LOGIN = ("robot", "of-a-test")
PEOPLE = {"mika@acme.example": "mika", "deputy": "deputy"}


def refused(status: int, message: str, detail: str = "") -> Reply:
    return Reply(status, {"error": {"message": message, "detail": detail}, "status": "failure"})


@dataclass
class ServiceNow(Emulated):
    """The table of incidents."""

    service: Service = field(default_factory=Service)
    longest_page: int = 100
    records: list[dict[str, Any]] = field(default_factory=list)
    talk: dict[str, list[str]] = field(default_factory=dict)

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
                "assignee": each.get("assigned_to", ""),
                "comments": self.talk.get(each["sys_id"], []),
                "labels": [each["correlation_display"]],
            }
            for each in self.records
        ]

    def by_hand(self, key: str, *, is_open: bool) -> None:
        self._turn(self._of(key), "2" if is_open else "7")

    def rewrite(self, key: str, body: str) -> None:
        self._of(key)["description"] = body

    def copy(self) -> None:
        self.records.append({**self.records[0], "sys_id": uuid.uuid4().hex})

    def __post_init__(self) -> None:
        service = self.service
        service.allowed = lambda request: (
            None if request.basic == LOGIN else refused(401, "User Not Authenticated", "Required to provide Auth")
        )
        table = "/api/now/table/incident"

        @service.route("GET", table)
        def listed(request: Request) -> Reply:
            assert request.first("sysparm_query") == "correlation_display=cloudscan^ORDERBYsys_created_on"
            start, limit = int(request.first("sysparm_offset")), int(request.first("sysparm_limit"))
            found = [each for each in self.records if each["correlation_display"] == "cloudscan"]
            return Reply(200, {"result": found[start : start + limit]}, {"X-Total-Count": str(len(found))})

        @service.route("POST", table)
        def created(request: Request) -> Reply:
            number = f"INC{len(self.records) + 1:07}"
            record = {"closed_at": "", "resolved_at": "", **request.json, "sys_id": uuid.uuid4().hex, "number": number}
            record["short_description"] = record["short_description"][:160]
            self.records.append(record)
            self._turn(record, "1")
            return Reply(201, {"result": record})

        @service.route("GET", f"{table}/(\\w+)")
        def one(_: Request, key: str) -> Reply:
            found = [each for each in self.records if each["sys_id"] == key]
            return Reply(200, {"result": found[0]}) if found else refused(404, "No Record found")

        @service.route("PATCH", f"{table}/(\\w+)")
        def edited(request: Request, key: str) -> Reply:
            record, given = self._of(key), dict(request.json)
            if given.get("state") in ("6", "7") and not (given.get("close_code") and given.get("close_notes")):
                return refused(403, "Operation Failed", "Data Policy Exception: close_code, close_notes are mandatory")
            if note := given.pop("work_notes", ""):
                self.talk.setdefault(key, []).append(note)
            record.update(given)
            if "state" in given:
                self._turn(record, given["state"])
            return Reply(200, {"result": record})

        @service.route("GET", "/api/now/table/sys_journal_field")
        def journal(request: Request) -> Reply:
            key = request.first("sysparm_query").removeprefix("element_id=").partition("^")[0]
            return Reply(200, {"result": [{"value": each} for each in self.talk.get(key, [])]})

        @service.route("GET", "/api/now/table/sys_user")
        def people(request: Request) -> Reply:
            name = request.first("sysparm_query").partition("=")[2].partition("^")[0]
            return Reply(200, {"result": [{"sys_id": PEOPLE[name]}] if name in PEOPLE else []})

    def _turn(self, record: dict[str, Any], state: str) -> None:
        moment = self.service.now().strftime("%Y-%m-%d %H:%M:%S")
        record.update(state=state, sys_updated_on=moment, resolved_at=moment if state == "6" else "")
        record["closed_at"] = moment if state == "7" else ""

    def _of(self, key: str) -> dict[str, Any]:
        return next(each for each in self.records if each["sys_id"] == key)
