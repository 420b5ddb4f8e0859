"""Admin SDK Reports v1: the Drive log, newest first. Administrators only.

An activity is found by one of its events and told with all of them. What is older than 180 days is gone; what has just
happened may take a while to appear (`Quirks.log_delay`).
"""

import operator
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cloudscan_emulators.google import errors, field_masks, ids, pages
from cloudscan_emulators.google.audit import EVENTS, Activity, LogEvent, Value
from cloudscan_emulators.google.discovery import Call
from cloudscan_emulators.google.quirks import Quirks
from cloudscan_emulators.google.records import NOBODY, Account
from cloudscan_emulators.google.tenant_state import TenantState
from cloudscan_emulators.google.text import moment
from cloudscan_emulators.kit.json_text import dump

Json = dict[str, Any]
RETENTION = 180 * 86_400
_UNKNOWN_ACTOR = "105250506097979753968"
_FILTER = re.compile(r"(\w+)(==|<>|<=|>=|<|>)(.*)")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)")
_COMPARE: Mapping[str, Callable[[str, str], bool]] = {
    "==": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_Test = Callable[[LogEvent], bool]


class ReportsApi:
    """The methods, by their ids."""

    def __init__(self, state: TenantState, quirks: Quirks) -> None:
        self._state = state
        self._quirks = quirks
        self.methods: Mapping[str, Callable[[Call, int], str]] = {"reports.activities.list": self._activities}

    def _activities(self, call: Call, who: int) -> str:
        person = self._state.principals[who]
        if not isinstance(person, Account) or not person.admin:
            raise errors.not_an_admin()
        application = call.value("applicationName")
        if application not in call.method.parameters["applicationName"]["enum"]:
            raise errors.invalid("applicationName")
        test = _test(call)
        begin, end = self._window(call)
        actor = self._actor(call.value("userKey"))
        search = ("activities", *sorted((name, text) for name, text in call.values.items() if name != "pageToken"))
        position = pages.position(call.value("pageToken"), search, self._quirks.page_epoch)
        size = call.numbers["maxResults"]
        log = self._state.audit.activities if application == "drive" else []
        newest_first = sorted(range(len(log)), key=lambda number: (log[number].at, number), reverse=True)
        if position.after >= 0:
            newest_first = newest_first[newest_first.index(position.after) + 1 :]
        numbers: list[int] = []
        for number in newest_first:
            activity = log[number]
            if begin <= activity.at <= end and actor in (None, activity.actor) and any(map(test, activity.events)):
                if len(numbers) == size:
                    next_token = pages.token(search, pages.Position(after=numbers[-1]), self._quirks.page_epoch)
                    return self._page(call, log, numbers, next_token)
                numbers.append(number)
        return self._page(call, log, numbers, "")

    def _page(self, call: Call, log: list[Activity], numbers: list[int], token: str) -> str:
        body: Json = {"kind": "admin#reports#activities", "etag": '"activities"'}
        if token:
            body["nextPageToken"] = token
        if numbers:
            body["items"] = [self._body(number, log[number]) for number in numbers]
        return dump(field_masks.apply(call.mask, body))

    def _body(self, number: int, activity: Activity) -> Json:
        actor: Json = {"profileId": _UNKNOWN_ACTOR}
        if activity.actor != NOBODY:
            email = self._state.principals[activity.actor].email
            actor = {"callerType": "USER", "email": email, "profileId": ids.directory_id(activity.actor)}
        return {
            "kind": "admin#reports#activity",
            "id": {
                "time": moment(activity.at),
                "uniqueQualifier": str(-(number * 0x9E3779B97F4A7C15 % 2**62)),
                "applicationName": "drive",
                "customerId": self._state.customer,
            },
            "etag": f'"{number}"',
            "actor": actor,
            "ownerDomain": self._state.domain,
            "ipAddress": "203.0.113.7",
            "events": [
                {
                    "type": EVENTS[event.name],
                    "name": event.name,
                    "parameters": [_parameter(name, value) for name, value in event.parameters],
                }
                for event in activity.events
            ],
        }

    def _window(self, call: Call) -> tuple[float, float]:
        """From when to when; the clock that refuses the future is the wall's or the company's, whichever is later."""
        now = float(self._state.now)
        begin = _time(call, "startTime", now - RETENTION)
        end = _time(call, "endTime", now)
        if begin > max(now, time.time()):
            raise errors.invalid("startTime", "Start time should be before the current time.")
        if begin > end and call.value("endTime"):
            raise errors.invalid("startTime", "Start time can not be greater than end time.")
        return max(begin, now - RETENTION), min(end, now - self._quirks.log_delay)

    def _actor(self, key: str) -> int | None:
        if key == "all":
            return None
        for activity in self._state.accounts:
            if not activity.deleted and (ids.directory_id(activity.number) == key or self._state.find(key) is activity):
                return activity.number
        raise errors.invalid("userKey")


def _time(call: Call, name: str, otherwise: float) -> float:
    text = call.value(name)
    if not text:
        return otherwise
    if not _TIME.fullmatch(text):
        raise errors.invalid(name)
    return datetime.fromisoformat(text).timestamp()


def _test(call: Call) -> _Test:
    """Which events match, by name and by parameters."""
    name = call.value("eventName")
    if name and name not in EVENTS:
        raise errors.invalid("eventName")
    clauses: list[tuple[str, str, str]] = []
    for clause in filter(None, call.value("filters").split(",")):
        match = _FILTER.fullmatch(clause)
        if match is None:
            raise errors.invalid("filters")
        clauses.append((match[1], match[2], match[3]))
    return lambda event: name in ("", event.name) and all(_matches(event, *clause) for clause in clauses)


def _matches(event: LogEvent, name: str, sign: str, wanted: str) -> bool:
    value = event.value(name)
    if value is None:
        return False
    values = value if isinstance(value, tuple) else (str(value).lower() if isinstance(value, bool) else value,)
    return any(_COMPARE[sign](activity, wanted) for activity in values)


def _parameter(name: str, value: Value) -> Json:
    if isinstance(value, bool):
        return {"name": name, "boolValue": value}
    return {"name": name, "multiValue": list(value)} if isinstance(value, tuple) else {"name": name, "value": value}
