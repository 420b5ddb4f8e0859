"""Jira's REST API as far as issues go: Cloud ("The Jira Cloud platform REST API", version 2) and Data Center.

The search index lags behind: it does not know what is `unindexed`. Cloud's search gives pages by token, Data Center's
by number; Cloud hides mail addresses.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from cloudscan_emulators.trackers.emulated import Emulated
from cloudscan_emulators.trackers.server import Reply, Request, Service

TOKEN = "atatt-of-a-test"
LONGEST_TEXT: Final = 32_767
"""UTF-16 code units of a description or comment ("Configuring advanced settings": jira.text.field.character.limit)."""

Screen = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Status:
    """A status of the workflow, and the category that it belongs to: new, indeterminate or done."""

    name: str
    category: str

    @property
    def json(self) -> dict[str, Any]:
        return {"name": self.name, "statusCategory": {"key": self.category}}


@dataclass(frozen=True, kw_only=True)
class Step:
    """A transition: from any status to another one. `screen` has the fields that can be given with it."""

    id: str
    name: str
    to: Status
    screen: Screen = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user who can be assigned. `address_shown`: their profile shows it, which few do in Cloud."""

    id: str
    address: str = ""
    name: str = ""
    active: bool = True
    address_shown: bool = True


TO_DO = Status(name="To Do", category="new")
IN_PROGRESS = Status(name="In Progress", category="indeterminate")
DONE = Status(name="Done", category="done")
STEPS = (
    Step(id="11", name="To Do", to=TO_DO),
    Step(id="21", name="In Progress", to=IN_PROGRESS),
    Step(id="31", name="Done", to=DONE),
)
PEOPLE = (Person(id="mika", address="mika@acme.example", name="Mika Sato"), Person(id="deputy", name="Deputy"))
PRIORITIES = ("Highest", "High", "Medium", "Low", "Lowest")
SCREEN: Final[Screen] = {
    "summary": {"name": "Summary", "required": True},
    "issuetype": {"name": "Issue Type", "required": True},
    "project": {"name": "Project", "required": True},
    "reporter": {"name": "Reporter", "required": True, "hasDefaultValue": True},
    "description": {"name": "Description", "required": False},
    "labels": {"name": "Labels", "required": False},
    "assignee": {"name": "Assignee", "required": False},
    "duedate": {"name": "Due date", "required": False},
    "priority": {
        "name": "Priority",
        "required": False,
        "hasDefaultValue": True,
        "allowedValues": [{"id": str(number), "name": name} for number, name in enumerate(PRIORITIES, 1)],
    },
}


@dataclass
class Jira(Emulated):
    """Projects with one issue type. Issues that were made `unindexed` are not found by search."""

    service: Service = field(default_factory=Service)
    longest_page: int = 100
    longest_talk: int = 100  # comments that are told at once
    issues: list[dict[str, Any]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))  # of issues; none is used again
    talk: dict[str, list[str]] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)  # from old keys to those that issues have now
    projects: set[str] = field(default_factory=lambda: {"SEC"})
    screen: dict[str, Mapping[str, Any]] = field(default_factory=lambda: dict(SCREEN))  # of new issues
    edited: set[str] = field(default_factory=set)  # fields on the edit screen only
    steps: Sequence[Step] = STEPS
    ends: set[str] = field(default_factory=set)  # statuses that no transition leads out of
    people: Sequence[Person] = PEOPLE
    issue_type: Mapping[str, str] = field(default_factory=lambda: {"id": "10001", "name": "Task"})
    forbidden: set[str] = field(default_factory=set)  # permissions that the user lacks
    lagging: bool = False  # the index does not take up what is made now
    unindexed: set[str] = field(default_factory=set)
    base: str = ""  # the address for people; empty: that of the service
    gateway: str = ""  # a path before that of the API, as https://api.atlassian.com/ex/jira/<cloud id> has it
    cloud: bool = True
    options: str = ""  # further lines of the configuration

    kind = "jira"
    lists = True
    creates = r"POST .*/rest/api/2/issue$"

    @property
    def environment(self) -> Mapping[str, str]:
        return {"CLOUDSCAN_JIRA_TOKEN": TOKEN}

    @property
    def table(self) -> str:
        user = 'user = "robot@acme.example"\n' if self.cloud else ""
        return f'[trackers.jira]\nurl = "{self.service.url}{self.gateway}"\nproject = "SEC"\n{user}{self.options}'

    def tickets(self) -> list[dict[str, Any]]:
        return [
            {
                "key": each["key"],
                "title": each["fields"]["summary"],
                "body": each["fields"]["description"],
                "open": each["fields"]["status"]["statusCategory"]["key"] != "done",
                "assignee": self._name(each["fields"].get("assignee") or {}),
                "comments": self.talk.get(each["key"], []),
                "labels": each["fields"].get("labels", []),
            }
            for each in self.issues
        ]

    def by_hand(self, key: str, *, is_open: bool) -> None:
        self._turn(self.issue(key), IN_PROGRESS if is_open else DONE)

    def rewrite(self, key: str, body: str) -> None:
        self.issue(key)["fields"]["description"] = body

    def copy(self) -> None:
        number = next(self.numbers)
        key, first = f"SEC-{number}", self.issues[0]
        self.issues.append(
            {**first, "key": key, "id": str(10_000 + number), "self": f"{self.service.url}/rest/api/2/issue/{key}",
             "fields": dict(first["fields"])}
        )  # fmt: skip

    def move(self, key: str, to: str) -> None:
        """Somebody moves an issue to another project, where it has another key."""
        self.issue(key)["key"] = to
        self.talk[to] = self.talk.pop(key, [])
        self.moved[key] = to

    def issue(self, key: str) -> dict[str, Any]:
        """The issue that has this key, or had it before it was moved."""
        return next(each for each in self.issues if each["key"] == self.moved.get(key, key))

    def __post_init__(self) -> None:
        self.service.allowed = self._allowed
        base = "(?:/ex/jira/[^/]+)?/rest/api/2"
        self._about_the_server(base)
        self._about_projects(base)
        self._about_searches(base)
        self._about_issues(base)
        self._about_comments(base)
        self._about_transitions(base)
        self._about_people(base)

    def _about_the_server(self, base: str) -> None:
        @self.service.route("GET", f"{base}/serverInfo")
        def info(_: Request) -> Reply:
            """Get Jira instance info."""
            kind = "Cloud" if self.cloud else "Server"
            address = self.base or self.service.url
            return Reply(200, {"versionNumbers": [9, 12, 0], "deploymentType": kind, "baseUrl": address})

        @self.service.route("GET", f"{base}/mypermissions")
        def permissions(request: Request) -> Reply:
            """Get my permissions."""
            asked = request.first("permissions").split(",")
            told = {name: {"key": name, "havePermission": name not in self.forbidden} for name in asked}
            return Reply(200, {"permissions": told})

    def _about_projects(self, base: str) -> None:
        @self.service.route("GET", f"{base}/project/([A-Z]+)")
        def project(_: Request, key: str) -> Reply:
            """Get project."""
            if key not in self.projects:
                return Reply(404, {"errorMessages": [f"No project could be found with key '{key}'."]})
            return Reply(200, {"id": "10000", "key": key})

        @self.service.route("GET", f"{base}/issue/createmeta/([A-Z]+)/issuetypes")
        def types(_: Request, key: str) -> Reply:
            """Get create metadata issue types for a project: empty for a user who may not create issues there."""
            told = [self.issue_type] if key in self.projects and "CREATE_ISSUES" not in self.forbidden else []
            return Reply(200, {"issueTypes" if self.cloud else "values": told, "startAt": 0, "total": len(told)})

        @self.service.route("GET", f"{base}/issue/createmeta/([A-Z]+)/issuetypes/(\\d+)")
        def fields(request: Request, _: str, __: str) -> Reply:
            """Get create field metadata for a project and issue type id: in pages of 50 unless more are asked for."""
            start, most = int(request.first("startAt", "0")), int(request.first("maxResults", "50"))
            told = [{"fieldId": name, "hasDefaultValue": False, **each} for name, each in self.screen.items()]
            page = told[start : start + most]
            return Reply(200, {"fields" if self.cloud else "values": page, "startAt": start, "total": len(told)})

    def _about_searches(self, base: str) -> None:
        @self.service.route("GET", f"{base}/search/jql")
        def tokens(request: Request) -> Reply:
            """Search for issues using JQL enhanced search (GET)."""
            if not self.cloud:
                return Reply(404, {})
            found, start = self._found(request), int(request.first("nextPageToken", "0"))
            if found is None:
                return self._unknown_project(request)
            page = found[start : start + min(int(request.first("maxResults", "50")), self.longest_page)]
            more = {"nextPageToken": str(start + len(page))} if start + len(page) < len(found) else {}
            return Reply(200, {"issues": page, "isLast": not more, **more})

        @self.service.route("GET", f"{base}/search")
        def numbers(request: Request) -> Reply:
            """Search, as Data Center has it. Cloud removed it in 2025 ("Deprecation notice: JQL search endpoints")."""
            if self.cloud:
                return Reply(410, {"errorMessages": ["The requested API has been removed."]})
            found, start = self._found(request), int(request.first("startAt", "0"))
            if found is None:
                return self._unknown_project(request)
            size = min(int(request.first("maxResults", "50")) or 50, 50, self.longest_page)
            page = found[start : start + size]
            return Reply(200, {"issues": page, "startAt": start, "maxResults": size, "total": len(found)})

    def _about_issues(self, base: str) -> None:
        service = self.service

        @service.route("POST", f"{base}/issue")
        def created(request: Request) -> Reply:
            """Create issue: required fields are asked for, and those that are not on the screen refused."""
            given = request.json["fields"]
            if given["project"]["key"] not in self.projects:
                return _refused({"project": "valid project is required"})
            if refused := {**self._not_on_screen(given), **self._wrong(given), **self._absent(given)}:
                return _refused(refused)
            number = next(self.numbers)
            key = f"{given['project']['key']}-{number}"
            address = f"{service.url}/rest/api/2/issue/{key}"
            issue = {"id": str(10_000 + number), "key": key, "self": address, "fields": dict(given)}
            self.issues.append(issue)
            if self.lagging:
                self.unindexed.add(key)
            self._turn(issue, TO_DO)
            return Reply(201, {name: issue[name] for name in ("id", "key", "self")})

        @service.route("GET", f"{base}/issue/([A-Z]+-\\d+)")
        def one(_: Request, key: str) -> Reply:
            """Get issue: one that was moved is found under its old key, and answers with the new one."""
            found = [each for each in self.issues if each["key"] == self.moved.get(key, key)]
            return Reply(200, found[0]) if found else _not_there()

        @service.route("PUT", f"{base}/issue/([A-Z]+-\\d+)")
        def edited(request: Request, key: str) -> Reply:
            """Edit issue."""
            given = request.json["fields"]
            if refused := {**self._not_on_screen(given, self.edited), **self._wrong(given)}:
                return _refused(refused)
            self.issue(key)["fields"].update(given)
            return Reply(204)

        @service.route("GET", f"{base}/issue/([A-Z]+-\\d+)/editmeta")
        def editable(_: Request, __: str) -> Reply:
            """Get edit issue metadata."""
            return Reply(200, {"fields": {name: {"name": name} for name in {*self.screen, *self.edited}}})

    def _about_comments(self, base: str) -> None:
        @self.service.route("GET", f"{base}/issue/([A-Z]+-\\d+)/comment")
        def comments(request: Request, key: str) -> Reply:
            """Get comments: in pages, the oldest first unless it is asked for otherwise."""
            told = [{"id": str(n), "body": each} for n, each in enumerate(self.talk.get(self.moved.get(key, key), []))]
            ordered = told[::-1] if request.first("orderBy") == "-created" else told
            start, most = int(request.first("startAt", "0")), int(request.first("maxResults", "50"))
            size = min(most, self.longest_talk)
            page = ordered[start : start + size]
            return Reply(200, {"comments": page, "startAt": start, "maxResults": size, "total": len(told)})

        @self.service.route("POST", f"{base}/issue/([A-Z]+-\\d+)/comment")
        def commented(request: Request, key: str) -> Reply:
            """Add comment."""
            text = request.json["body"]
            if _units(text) > LONGEST_TEXT:
                return _refused({"comment": _TOO_LONG})
            self.talk.setdefault(self.moved.get(key, key), []).append(text)
            return Reply(201, {"id": "1", "body": text})

    def _about_transitions(self, base: str) -> None:
        @self.service.route("GET", f"{base}/issue/([A-Z]+-\\d+)/transitions")
        def transitions(request: Request, key: str) -> Reply:
            """Get transitions: the fields of their screens only where they are asked for."""
            told = []
            for step in self._steps(key):
                one = {"id": step.id, "name": step.name, "to": step.to.json, "isAvailable": True}
                fields = {"fields": step.screen} if request.first("expand") == "transitions.fields" else {}
                told.append({**one, **fields})
            return Reply(200, {"expand": "transitions", "transitions": told})

        @self.service.route("POST", f"{base}/issue/([A-Z]+-\\d+)/transitions")
        def moved(request: Request, key: str) -> Reply:
            """Transition issue: what its screen requires has to be given, and only what its screen has."""
            wanted, given = request.json["transition"]["id"], request.json.get("fields") or {}
            said = [each["add"]["body"] for each in (request.json.get("update") or {}).get("comment", ())]
            step = next((each for each in self._steps(key) if each.id == wanted), None)
            if step is None:
                return Reply(400, {"errorMessages": ["It seems that you have tried to perform a workflow operation."]})
            strange = [name for name in given if name not in step.screen]
            filled = {*filter(given.get, given), *(["comment"] if said else [])}
            absent = [name for name, each in step.screen.items() if each.get("required") and name not in filled]
            if strange or absent:
                return _refused(
                    {name: _NOT_ON_SCREEN.format(name) for name in strange}
                    | {name: f"{step.screen[name].get('name', name)} is required." for name in absent}
                )
            issue = self.issue(key)
            issue["fields"].update({name: self._value(step.screen[name], value) for name, value in given.items()})
            self._turn(issue, step.to)
            self.talk.setdefault(issue["key"], []).extend(said)
            return Reply(204)

    def _about_people(self, base: str) -> None:
        @self.service.route("GET", f"{base}/user/assignable/search")
        def people(request: Request) -> Reply:
            """Find users assignable to issues: whose name or address begins with the query, a thousand at the most.

            Data Center matches user names, too, and shows addresses.
            """
            if "USER_PICKER" in self.forbidden:
                return Reply(403, {"errorMessages": ["You do not have permission to browse users."]})
            asked, exact = request.first("query" if self.cloud else "username").lower(), request.first("accountId")
            if not asked and not exact:
                return Reply(400, {"errorMessages": ["The query is empty."]})
            found = [
                each
                for each in self.people
                if (self.cloud and exact and each.id == exact) or (asked and _begins(each, asked, by_id=not self.cloud))
            ]
            start, most = int(request.first("startAt", "0")), int(request.first("maxResults", "50"))
            return Reply(200, [self._shown(each) for each in found[start : start + min(most, 1000)]])

    def _shown(self, person: Person) -> dict[str, Any]:
        is_shown = person.address and (person.address_shown or not self.cloud)
        address = {"emailAddress": person.address} if is_shown else {}
        id_ = {"accountId": person.id, "accountType": "atlassian"} if self.cloud else {"name": person.id}
        return {**id_, **address, "displayName": person.name, "active": person.active}

    def _allowed(self, request: Request) -> Reply | None:
        if self.cloud:
            known = request.basic == ("robot@acme.example", TOKEN)
        else:
            known = request.headers.get("authorization") == f"Bearer {TOKEN}"
        return None if known else Reply(401, {"errorMessages": ["You are not authenticated."]})

    def _not_on_screen(self, given: Mapping[str, Any], more: Collection[str] = ()) -> dict[str, str]:
        return {name: _NOT_ON_SCREEN.format(name) for name in given if name not in self.screen and name not in more}

    def _absent(self, given: Mapping[str, Any]) -> dict[str, str]:
        return {
            name: f"{each['name']} is required."
            for name, each in self.screen.items()
            if each["required"] and not each.get("hasDefaultValue") and not given.get(name)
        }

    def _wrong(self, given: Mapping[str, Any]) -> dict[str, str]:
        """What is wrong with fields, in Jira's words."""
        found = {}
        summary = given.get("summary", "")
        if len(summary) > 255:
            found["summary"] = "Summary must be less than 255 characters."
        if "\n" in summary:
            found["summary"] = "The summary is invalid because it contains newline characters."
        if _units(given.get("description") or "") > LONGEST_TEXT:
            found["description"] = _TOO_LONG
        if any(" " in each for each in given.get("labels", ())):
            found["labels"] = "The label can't contain spaces."
        kind = given.get("issuetype", self.issue_type)
        if (kind.get("id") or kind.get("name")) not in self.issue_type.values():
            found["issuetype"] = "Specify an issue type"
        assignee = self._name(given.get("assignee") or {})
        if assignee and not any(each.id == assignee and each.active for each in self.people):
            found["assignee"] = f"User '{assignee}' cannot be assigned issues."
        return {**found, **dict(self._disallowed(given))}

    def _disallowed(self, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for name, each in self.screen.items():
            if each.get("allowedValues") and given.get(name) and self._value(each, given[name]) is None:
                yield name, f"The {each['name']} selected is invalid."

    def _value(self, screen: Mapping[str, Any], value: Any) -> Any:
        """A value as Jira tells it: the whole of the allowed one that was meant by an id or a name."""
        if "allowedValues" not in screen or not isinstance(value, dict):
            return value
        told = (one for one in screen["allowedValues"] if all(one.get(name) == value[name] for name in value))
        return next(told, None)

    def _name(self, user: Mapping[str, str]) -> str:
        return user.get("accountId" if self.cloud else "name", "")

    def _found(self, request: Request) -> list[dict[str, Any]] | None:
        """What fits the JQL; None if it names a project that is not there."""
        jql = re.fullmatch(r'project = "([^"]+)" AND labels = cloudscan ORDER BY created ASC', request.first("jql"))
        assert jql
        if jql[1] not in self.projects:
            return None
        return [
            each
            for each in self.issues
            if "cloudscan" in each["fields"].get("labels", ())
            and each["key"] not in self.unindexed
            and each["key"].startswith(f"{jql[1]}-")
        ]

    def _unknown_project(self, request: Request) -> Reply:
        """Jira answers so, too, for a project that the user may not browse."""
        name = request.first("jql").split('"')[1]
        message = f"The value '{name}' does not exist for the field 'project'."
        return Reply(400, {"errorMessages": [message], "errors": {}})

    def _steps(self, key: str) -> list[Step]:
        now = self.issue(key)["fields"]["status"]["name"]
        if now in self.ends or "TRANSITION_ISSUES" in self.forbidden:
            return []
        return [step for step in self.steps if step.to.name != now]

    def _turn(self, issue: dict[str, Any], status: Status) -> None:
        moment = self.service.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
        issue["fields"].update(status=status.json, statuscategorychangedate=moment)


_TOO_LONG: Final = "The entered text is too long. It exceeds the allowed limit of 32,767 characters."
_NOT_ON_SCREEN: Final = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _begins(person: Person, asked: str, *, by_id: bool) -> bool:
    words = [*person.name.lower().split(), person.name.lower(), person.address.lower(), *([person.id] if by_id else [])]
    return any(word.startswith(asked) for word in words if word)


def _refused(faults: Mapping[str, str]) -> Reply:
    return Reply(400, {"errorMessages": [], "errors": faults})


def _not_there() -> Reply:
    return Reply(
        404, {"errorMessages": ["Issue does not exist or you do not have permission to see it."], "errors": {}}
    )
