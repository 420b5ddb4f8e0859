"""Jira's REST API as far as issues go: Cloud ("The Jira Cloud platform REST API", version 2) and Data Center.

The search index lags behind: `index` is what it knows. Cloud's search gives pages by token, Data Center's by number;
Cloud hides mail addresses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudscan_emulators.trackers.emulated import Emulated
from cloudscan_emulators.trackers.server import Reply, Request, Service

TOKEN = "atatt-of-a-test"
STATUSES = {
    "To Do": {"name": "To Do", "statusCategory": {"key": "new"}},
    "In Progress": {"name": "In Progress", "statusCategory": {"key": "indeterminate"}},
    "Done": {"name": "Done", "statusCategory": {"key": "done"}},
}
PEOPLE = {"mika@acme.example": "mika", "deputy": "deputy"}


@dataclass
class Jira(Emulated):
    """One project, SEC. Issues that were made `unindexed` are not found by search."""

    service: Service = field(default_factory=Service)
    longest_page: int = 100
    issues: list[dict[str, Any]] = field(default_factory=list)
    talk: dict[str, list[str]] = field(default_factory=dict)
    lagging: bool = False  # the index does not take up what is made now
    unindexed: set[str] = field(default_factory=set)
    no_due_day: bool = False  # the project's screens have no due day
    cloud: bool = True

    kind = "jira"
    lists = True
    creates = r"POST /rest/api/2/issue$"

    @property
    def environment(self) -> Mapping[str, str]:
        return {"CLOUDSCAN_JIRA_TOKEN": TOKEN}

    @property
    def table(self) -> str:
        user = 'user = "robot@acme.example"\n' if self.cloud else ""
        return f'[trackers.jira]\nurl = "{self.service.url}"\nproject = "SEC"\n{user}'

    def tickets(self) -> list[dict[str, Any]]:
        return [
            {
                "key": each["key"],
                "title": each["fields"]["summary"],
                "body": each["fields"]["description"],
                "open": each["fields"]["status"]["name"] != "Done",
                "assignee": next(iter((each["fields"].get("assignee") or {"": ""}).values())),
                "comments": self.talk.get(each["key"], []),
                "labels": each["fields"]["labels"],
            }
            for each in self.issues
        ]

    def by_hand(self, key: str, *, is_open: bool) -> None:
        self._turn(self._of(key), "In Progress" if is_open else "Done")

    def rewrite(self, key: str, body: str) -> None:
        self._of(key)["fields"]["description"] = body

    def copy(self) -> None:
        key = f"SEC-{len(self.issues) + 1}"
        first = self.issues[0]
        self.issues.append(
            {**first, "key": key, "id": str(len(self.issues) + 1), "self": f"{self.service.url}/rest/api/2/issue/{key}",
             "fields": dict(first["fields"])}
        )  # fmt: skip

    def __post_init__(self) -> None:
        service = self.service
        service.allowed = self._allowed
        base = "/rest/api/2"

        @service.route("GET", f"{base}/serverInfo")
        def info(_: Request) -> Reply:
            kind = "Cloud" if self.cloud else "Server"
            return Reply(200, {"versionNumbers": [9, 12, 0], "deploymentType": kind, "baseUrl": service.url})

        @service.route("GET", f"{base}/field")
        def fields(_: Request) -> Reply:
            return Reply(200, [{"id": "summary", "name": "Summary", "clauseNames": ["summary"]}])

        @service.route("GET", f"{base}/search/jql")
        def tokens(request: Request) -> Reply:
            if not self.cloud:
                return Reply(404, {})
            found, start = self._found(request), int(request.first("nextPageToken", "0"))
            page = found[start : start + min(int(request.first("maxResults", "50")), self.longest_page)]
            more = {"nextPageToken": str(start + len(page))} if start + len(page) < len(found) else {}
            return Reply(200, {"issues": page, **more})

        @service.route("GET", f"{base}/search")
        def numbers(request: Request) -> Reply:
            if self.cloud:
                return Reply(410, {"errorMessages": ["The requested API has been removed."]})
            found, start = self._found(request), int(request.first("startAt", "0"))
            size = min(int(request.first("maxResults", "50")) or 50, 50, self.longest_page)
            page = found[start : start + size]
            return Reply(200, {"issues": page, "startAt": start, "maxResults": size, "total": len(found)})

        @service.route("POST", f"{base}/issue")
        def created(request: Request) -> Reply:
            given = request.json["fields"]
            if refused := self._refused(given):
                return Reply(400, {"errorMessages": [], "errors": refused})
            number = len(self.issues) + 1
            key = f"SEC-{number}"
            issue = {"id": str(number), "key": key, "self": f"{service.url}{base}/issue/{key}", "fields": dict(given)}
            self.issues.append(issue)
            if self.lagging:
                self.unindexed.add(key)
            self._turn(issue, "To Do")
            return Reply(201, {name: issue[name] for name in ("id", "key", "self")})

        @service.route("GET", f"{base}/issue/([A-Z]+-\\d+)")
        def one(_: Request, key: str) -> Reply:
            found = [each for each in self.issues if each["key"] == key]
            return Reply(200, found[0]) if found else Reply(404, {"errorMessages": ["Issue does not exist"]})

        @service.route("PUT", f"{base}/issue/([A-Z]+-\\d+)")
        def edited(request: Request, key: str) -> Reply:
            given = request.json["fields"]
            if refused := self._refused(given):
                return Reply(400, {"errorMessages": [], "errors": refused})
            self._of(key)["fields"].update(given)
            return Reply(204)

        @service.route("GET", f"{base}/issue/([A-Z]+-\\d+)/comment")
        def comments(_: Request, key: str) -> Reply:
            return Reply(
                200, {"comments": [{"id": str(n), "body": each} for n, each in enumerate(self.talk.get(key, []))]}
            )

        @service.route("POST", f"{base}/issue/([A-Z]+-\\d+)/comment")
        def commented(request: Request, key: str) -> Reply:
            self.talk.setdefault(key, []).append(request.json["body"])
            return Reply(201, {"id": "1", "body": request.json["body"]})

        @service.route("GET", f"{base}/issue/([A-Z]+-\\d+)/transitions")
        def transitions(_: Request, key: str) -> Reply:
            now = self._of(key)["fields"]["status"]["name"]
            found = [{"id": str(n), "name": name, "to": to} for n, (name, to) in enumerate(STATUSES.items())]
            return Reply(200, {"transitions": [each for each in found if each["name"] != now]})

        @service.route("POST", f"{base}/issue/([A-Z]+-\\d+)/transitions")
        def moved(request: Request, key: str) -> Reply:
            self._turn(self._of(key), list(STATUSES)[int(request.json["transition"]["id"])])
            return Reply(204)

        @service.route("GET", f"{base}/user/assignable/search")
        def people(request: Request) -> Reply:
            asked = request.first("query" if self.cloud else "username")
            found = [
                {"accountId": name, "displayName": name} if self.cloud else {"name": name, "emailAddress": mail}
                for mail, name in PEOPLE.items()
                if asked in (mail, name)
            ]
            self_ = f"{service.url}{base}/user?query={asked}"
            return Reply(200, [{**each, "active": True, "self": self_} for each in found])

    def _allowed(self, request: Request) -> Reply | None:
        if self.cloud:
            known = request.basic == ("robot@acme.example", TOKEN)
        else:
            known = request.headers.get("authorization") == f"Bearer {TOKEN}"
        return None if known else Reply(401, {"errorMessages": ["You are not authenticated."]})

    def _refused(self, given: Mapping[str, Any]) -> dict[str, str]:
        found = {}
        if len(given["summary"]) > 255:
            found["summary"] = "Summary must be less than 255 characters."
        if self.no_due_day and "duedate" in given:
            found["duedate"] = "Field 'duedate' cannot be set. It is not on the appropriate screen, or unknown."
        if any(" " in each for each in given["labels"]):
            found["labels"] = "The label can't contain spaces."
        return found

    def _found(self, request: Request) -> list[dict[str, Any]]:
        assert 'project = "SEC" AND labels = cloudscan' in request.first("jql")
        return [
            each
            for each in self.issues
            if "cloudscan" in each["fields"]["labels"] and each["key"] not in self.unindexed
        ]

    def _turn(self, issue: dict[str, Any], status: str) -> None:
        moment = self.service.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
        issue["fields"].update(status=STATUSES[status], statuscategorychangedate=moment)

    def _of(self, key: str) -> dict[str, Any]:
        return next(each for each in self.issues if each["key"] == key)
