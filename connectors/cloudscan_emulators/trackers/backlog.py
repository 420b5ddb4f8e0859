"""Backlog's API version 2 as far as issues go (Nulab's "Backlog API Overview").

It refuses what Backlog refuses. What no page says is marked as guessed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudscan_emulators.trackers.emulated import Emulated
from cloudscan_emulators.trackers.server import Reply, Request, Service, iso

KEY = "backlog-of-a-test"
ROBOT = 10
PEOPLE: dict[int, tuple[str, str | None]] = {
    ROBOT: ("robot", None),
    11: ("mika", "mika@acme.example"),
    12: ("deputy", None),
}
"""By id: the user id, and the mail address, which is null where the asker may not see it (guessed)."""
_LONGEST = {"summary": 255, "description": 100_000, "content": 50_000}  # characters
_WRITABLE = ("summary", "description", "dueDate")


def refused(message: str, more: str = "", *, status: int = 400, code: int = 7) -> Reply:
    """As in "Error Response": 5 is an operation that is not allowed, 6 a missing resource, 7 an invalid request."""
    return Reply(status, {"errors": [{"message": message, "code": code, "moreInfo": more}]})


def throttled(until: float) -> Reply:
    """As in "Rate Limit": 429, with the end of the window in seconds since 1970 and without Retry-After."""
    headers = {"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{until:.0f}"}
    return Reply(429, {"errors": [{"message": "Too many requests.", "code": 13, "moreInfo": ""}]}, headers)


@dataclass
class Backlog(Emulated):
    """The project SEC, and OPS, to which issues are moved."""

    service: Service = field(default_factory=Service)
    longest_page: int = 100
    issues: list[dict[str, Any]] = field(default_factory=list)
    talk: dict[str, list[str]] = field(default_factory=dict)
    categories: list[str] = field(default_factory=list)
    notation: str = "markdown"  # "Get Project": or backlog
    required: dict[int, str] = field(default_factory=dict)  # custom fields that each issue must have, by id
    is_administrator: bool = True  # only administrators may create categories ("Add Category")
    is_member: bool = True
    archived: bool = False
    sent: list[Mapping[str, list[str]]] = field(default_factory=list)  # the forms of all writes

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
        self.issues.append({**self.issues[0], "issueKey": f"SEC-{len(self.issues) + 1}", "id": len(self.issues) + 1})

    def move(self, key: str) -> None:
        """To the project OPS; the old address answers with the new key (guessed)."""
        self._of(key).update(projectId=6, issueKey=f"OPS-{key.partition('-')[2]}", was=key)

    def __post_init__(self) -> None:
        service = self.service
        service.allowed = lambda request: (
            None if request.first("apiKey") == KEY else refused("Authentication failure.", status=401, code=11)
        )
        self._about_the_project("/api/v2/projects/SEC")
        self._about_issues()

    def _about_the_project(self, project: str) -> None:
        service, for_members = self.service, self._for_members

        @service.route("GET", project)
        def about(_: Request) -> Reply:
            answer = {"id": 5, "projectKey": "SEC", "textFormattingRule": self.notation, "archived": self.archived}
            return for_members(Reply(200, answer))

        @service.route("GET", f"{project}/issueTypes")
        def kinds(_: Request) -> Reply:
            return for_members(Reply(200, [{"id": 21, "name": "Bug"}, {"id": 22, "name": "Task"}]))

        @service.route("GET", f"{project}/users")
        def people(_: Request) -> Reply:
            return for_members(Reply(200, [self._user(number) for number in PEOPLE]))

        @service.route("GET", "/api/v2/users/myself")
        def me(_: Request) -> Reply:
            return Reply(200, self._user(ROBOT))

        @service.route("GET", f"{project}/administrators")
        def administrators(_: Request) -> Reply:
            return for_members(Reply(200, [self._user(ROBOT)] if self.is_administrator else []))

        @service.route("GET", f"{project}/customFields")
        def custom_fields(_: Request) -> Reply:
            """As in "Get Custom Field List"."""
            answer = [
                {"id": number, "typeId": 1, "name": name, "required": True, "applicableIssueTypes": []}
                for number, name in self.required.items()
            ]
            return for_members(Reply(200, answer))

        @service.route("GET", f"{project}/categories")
        def categories(_: Request) -> Reply:
            return for_members(Reply(200, [{"id": n, "name": each} for n, each in enumerate(self.categories, 31)]))

        @service.route("POST", f"{project}/categories")
        def new_category(request: Request) -> Reply:
            if not self.is_administrator:
                return refused("You do not have the right.", status=403, code=5)
            self.categories.append(request.form["name"][0])
            return Reply(201, {"id": 30 + len(self.categories), "name": self.categories[-1]})

    def _about_issues(self) -> None:
        service = self.service

        @service.route("GET", "/api/v2/issues")
        def listed(request: Request) -> Reply:
            """As in "Get Issue List": 20 issues, the newest first, unless the query says otherwise."""
            found = [each for each in self.issues if str(each["projectId"]) in request.query["projectId[]"]]
            if wanted := request.query.get("categoryId[]"):
                found = [each for each in found if set(wanted) & {str(one["id"]) for one in each["category"]}]
            if keyword := request.first("keyword"):
                found = [each for each in found if keyword in each["summary"] + each["description"]]
            if request.first("order", "desc") == "desc":
                found = found[::-1]
            start, number = int(request.first("offset", "0")), int(request.first("count", "20"))
            return Reply(200, found[start : start + number]) if number <= 100 else refused("count is invalid")

        @service.route("POST", "/api/v2/issues")
        def created(request: Request) -> Reply:
            form, number = request.form, len(self.issues) + 1
            given = {name: values[0] for name, values in form.items()}
            self.sent.append(form)
            if missing := {"projectId", "summary", "issueTypeId", "priorityId"} - given.keys():
                return refused(f"Missing required parameter: {', '.join(missing)}")
            if lacking := [name for id_, name in self.required.items() if not given.get(f"customField_{id_}")]:
                return refused(f"カスタム属性「{lacking[0]}」は必須です。")
            if refusal := self._unacceptable(given):
                return refusal
            if given.get("assigneeId") and int(given["assigneeId"]) not in PEOPLE:
                return refused("Invalid assigneeId", "assigneeId")
            self.issues.append(
                {
                    "id": number,
                    "projectId": int(given["projectId"]),
                    "issueKey": f"SEC-{number}",
                    "summary": given["summary"],
                    "description": given.get("description", ""),
                    "dueDate": _day(given.get("dueDate", "")),
                    "priority": {"id": int(given["priorityId"])},
                    "status": {"id": 1},
                    "resolution": None,
                    "category": [self._category(each) for each in form.get("categoryId[]", [])],
                    "assignee": self._user(int(given["assigneeId"])) if "assigneeId" in given else None,
                    "updated": iso(service.now()),
                }
            )
            return Reply(201, self.issues[-1])

        @service.route("GET", "/api/v2/issues/([A-Z]+-\\d+)")
        def one(_: Request, key: str) -> Reply:
            found = [each for each in self.issues if key in (each["issueKey"], each.get("was"))]
            return Reply(200, found[0]) if found and self.is_member else refused("No issue.", status=404, code=6)

        @service.route("PATCH", "/api/v2/issues/([A-Z]+-\\d+)")
        def edited(request: Request, key: str) -> Reply:
            """As in "Update Issue": a change that changes nothing is refused (guessed)."""
            issue, form = self._of(key), request.form
            self.sent.append(form)
            given = {name: values[0] for name, values in form.items()}
            if refusal := self._unacceptable(given):
                return refusal
            after: dict[str, Any] = {name: given[name] for name in _WRITABLE if name in given}
            if "dueDate" in after:
                after["dueDate"] = _day(given["dueDate"])
            for name in ("status", "priority", "resolution"):
                if f"{name}Id" in given:
                    after[name] = {"id": int(given[f"{name}Id"])} if given[f"{name}Id"] else None
            if "categoryId[]" in form:
                after["category"] = [self._category(each) for each in form["categoryId[]"] if each]
            if all(issue[name] == value for name, value in after.items()):
                return refused("Please change the status or post a comment.")
            issue.update(after, updated=iso(service.now()))
            return Reply(200, issue)

        @service.route("GET", "/api/v2/issues/([A-Z]+-\\d+)/comments")
        def comments(request: Request, key: str) -> Reply:
            """As in "Get Comment List": 20 comments, the newest first, with ids from `minId` to `maxId`."""
            highest, number = int(request.first("maxId", "1000000")), int(request.first("count", "20"))
            found = [{"id": n, "content": each} for n, each in enumerate(self.talk.get(key, []), 1) if n <= highest]
            return Reply(200, found[::-1][:number])

        @service.route("POST", "/api/v2/issues/([A-Z]+-\\d+)/comments")
        def commented(request: Request, key: str) -> Reply:
            given = {name: values[0] for name, values in request.form.items()}
            if refusal := self._unacceptable(given):
                return refusal
            self.talk.setdefault(key, []).append(given["content"])
            return Reply(201, {"id": len(self.talk[key])})

    def _for_members(self, reply: Reply) -> Reply:
        return reply if self.is_member else refused("No project.", status=404, code=6)

    def _unacceptable(self, given: Mapping[str, str]) -> Reply | None:
        """What Backlog refuses of a text: too long, or characters above U+FFFF, about which no page says anything."""
        for name, most in _LONGEST.items():
            if len(text := given.get(name, "")) > most:
                return refused(f"{name} is too long. Maximum length is {most}.")
            if found := re.search("[\U00010000-\U0010ffff]", text):
                return refused("Incorrect String: " + "".join(f"%{byte:02X}" for byte in found[0].encode()))
        return None

    def _category(self, number: str) -> dict[str, Any]:
        return {"id": int(number), "name": self.categories[int(number) - 31]}

    def _user(self, number: int) -> dict[str, Any]:
        user, address = PEOPLE[number]
        return {"id": number, "userId": user, "name": user.title(), "roleType": 2, "mailAddress": address}

    def _of(self, key: str) -> dict[str, Any]:
        return next(each for each in self.issues if each["issueKey"] == key)


def _day(text: str) -> str | None:
    return f"{text}T00:00:00Z" if text else None
