"""Backlog's API version 2 as far as issues go (Nulab's "Backlog API Overview")."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudscan_emulators.trackers.emulated import Emulated
from cloudscan_emulators.trackers.server import Reply, Request, Service, iso

KEY = "backlog-of-a-test"
PEOPLE = {11: ("mika", "mika@acme.example"), 12: ("deputy", None)}


def refused(message: str, more: str = "") -> Reply:
    return Reply(400, {"errors": [{"message": message, "code": 7, "moreInfo": more}]})


@dataclass
class Backlog(Emulated):
    """One project, SEC."""

    service: Service = field(default_factory=Service)
    longest_page: int = 100
    issues: list[dict[str, Any]] = field(default_factory=list)
    talk: dict[str, list[str]] = field(default_factory=dict)
    categories: list[str] = field(default_factory=list)

    kind = "backlog"
    lists = True
    creates = r"POST /api/v2/issues$"

    @property
    def environment(self) -> Mapping[str, str]:
        return {"CLOUDSCAN_BACKLOG_API_KEY": KEY}

    @property
    def table(self) -> str:
        return f'[trackers.backlog]\nurl = "{self.service.url}"\nproject = "SEC"\n'

    def tickets(self) -> list[dict[str, Any]]:
        return [
            {
                "key": each["issueKey"],
                "title": each["summary"],
                "body": each["description"],
                "open": each["status"]["id"] != 4,
                "assignee": PEOPLE[each["assignee"]["id"]][0] if each["assignee"] else "",
                "comments": self.talk.get(each["issueKey"], []),
                "labels": [each["name"] for each in each["category"]],
            }
            for each in self.issues
        ]

    def by_hand(self, key: str, *, is_open: bool) -> None:
        self._of(key).update(status={"id": 1 if is_open else 4}, updated=iso(self.service.now()))

    def rewrite(self, key: str, body: str) -> None:
        self._of(key)["description"] = body

    def copy(self) -> None:
        self.issues.append({**self.issues[0], "issueKey": f"SEC-{len(self.issues) + 1}"})

    def __post_init__(self) -> None:
        service = self.service
        service.allowed = lambda request: (
            None
            if request.first("apiKey") == KEY
            else Reply(401, {"errors": [{"message": "Authentication failure.", "code": 11, "moreInfo": ""}]})
        )
        project = "/api/v2/projects/SEC"

        @service.route("GET", project)
        def about(_: Request) -> Reply:
            return Reply(200, {"id": 5, "projectKey": "SEC", "textFormattingRule": "markdown"})

        @service.route("GET", f"{project}/issueTypes")
        def kinds(_: Request) -> Reply:
            return Reply(200, [{"id": 21, "name": "Bug"}, {"id": 22, "name": "Task"}])

        @service.route("GET", f"{project}/users")
        def people(_: Request) -> Reply:
            return Reply(200, [{"id": n, "name": name, "mailAddress": mail} for n, (name, mail) in PEOPLE.items()])

        @service.route("GET", f"{project}/categories")
        def categories(_: Request) -> Reply:
            return Reply(200, [{"id": n, "name": each} for n, each in enumerate(self.categories, 31)])

        @service.route("POST", f"{project}/categories")
        def new_category(request: Request) -> Reply:
            self.categories.append(request.form["name"][0])
            return Reply(201, {"id": 30 + len(self.categories), "name": self.categories[-1]})

        @service.route("GET", "/api/v2/issues")
        def listed(request: Request) -> Reply:
            wanted = int(request.first("categoryId[]"))
            found = [each for each in self.issues if wanted in [one["id"] for one in each["category"]]]
            start, count = int(request.first("offset", "0")), int(request.first("count", "20"))
            return Reply(200, found[start : start + count]) if count <= 100 else refused("count is invalid")

        @service.route("POST", "/api/v2/issues")
        def created(request: Request) -> Reply:
            given = {name: values[0] for name, values in request.form.items()}
            missing = {"projectId", "summary", "issueTypeId", "priorityId"} - given.keys()
            if missing:
                return refused(f"Missing required parameter: {', '.join(missing)}")
            if given.get("assigneeId") and int(given["assigneeId"]) not in PEOPLE:
                return refused("Invalid assigneeId", "assigneeId")
            category = int(given["categoryId[]"])
            self.issues.append(
                {
                    "issueKey": f"SEC-{len(self.issues) + 1}",
                    "summary": given["summary"],
                    "description": given["description"],
                    "dueDate": given["dueDate"],
                    "priority": {"id": int(given["priorityId"])},
                    "status": {"id": 1},
                    "category": [{"id": category, "name": self.categories[category - 31]}],
                    "assignee": {"id": int(given["assigneeId"])} if "assigneeId" in given else None,
                    "updated": iso(service.now()),
                }
            )
            return Reply(201, self.issues[-1])

        @service.route("GET", "/api/v2/issues/(SEC-\\d+)")
        def one(_: Request, key: str) -> Reply:
            found = [each for each in self.issues if each["issueKey"] == key]
            no_issue = {"errors": [{"message": "No issue.", "code": 6, "moreInfo": ""}]}
            return Reply(200, found[0]) if found else Reply(404, no_issue)

        @service.route("PATCH", "/api/v2/issues/(SEC-\\d+)")
        def edited(request: Request, key: str) -> Reply:
            issue = self._of(key)
            given = {name: values[0] for name, values in request.form.items()}
            if "statusId" in given:
                if int(given["statusId"]) == issue["status"]["id"]:
                    return refused("Please change the status or post a comment.")
                issue["status"] = {"id": int(given["statusId"])}
            issue.update(
                {name: value for name, value in given.items() if name in ("summary", "description", "dueDate")}
            )
            issue["updated"] = iso(service.now())
            return Reply(200, issue)

        @service.route("GET", "/api/v2/issues/(SEC-\\d+)/comments")
        def comments(_: Request, key: str) -> Reply:
            return Reply(200, [{"id": n, "content": each} for n, each in enumerate(self.talk.get(key, []))][::-1])

        @service.route("POST", "/api/v2/issues/(SEC-\\d+)/comments")
        def commented(request: Request, key: str) -> Reply:
            self.talk.setdefault(key, []).append(request.form["content"][0])
            return Reply(201, {"id": 1})

    def _of(self, key: str) -> dict[str, Any]:
        return next(each for each in self.issues if each["issueKey"] == key)
