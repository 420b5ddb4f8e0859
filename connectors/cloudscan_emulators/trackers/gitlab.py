"""GitLab's REST API as far as issues go ("Issues API", "Notes API")."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudscan_emulators.trackers.emulated import Emulated
from cloudscan_emulators.trackers.server import Reply, Request, Service, iso

TOKEN = "glpat-of-a-test"
PEOPLE = {7: "mika", 8: "deputy"}
BASE = "/api/v4/projects"
PROJECT = f"{BASE}/(?:acme%2Fsecurity|1)"


@dataclass
class GitLab(Emulated):
    """One project, acme/security, with issues in it."""

    service: Service = field(default_factory=Service)
    longest_page: int = 100
    issues: list[dict[str, Any]] = field(default_factory=list)
    talk: dict[int, list[str]] = field(default_factory=dict)

    kind = "gitlab"
    lists = True
    creates = r"POST /api/v4/projects/1/issues$"

    @property
    def environment(self) -> Mapping[str, str]:
        return {"CLOUDSCAN_GITLAB_TOKEN": TOKEN}

    @property
    def table(self) -> str:
        return (
            f'[trackers.gitlab]\nproject = "acme/security"\nurl = "{self.service.url}"\n'
            'usernames = { "mika@acme.example" = "mika" }\n'
        )

    def tickets(self) -> list[dict[str, Any]]:
        return [
            {
                "key": f"acme/security#{each['iid']}",
                "title": each["title"],
                "body": each["description"],
                "open": each["state"] == "opened",
                "assignee": PEOPLE[each["assignee_ids"][0]] if each["assignee_ids"] else "",
                "comments": self.talk.get(each["iid"], []),
                "labels": each["labels"],
            }
            for each in self.issues
        ]

    def by_hand(self, key: str, *, is_open: bool) -> None:
        self._turn(self.issues[int(key.partition("#")[2]) - 1], is_open)

    def rewrite(self, key: str, body: str) -> None:
        self.issues[int(key.partition("#")[2]) - 1]["description"] = body

    def copy(self) -> None:
        self.issues.append({**self.issues[0], "iid": len(self.issues) + 1})

    def __post_init__(self) -> None:
        service = self.service
        service.allowed = lambda request: (
            None if request.headers.get("private-token") == TOKEN else Reply(401, {"message": "401 Unauthorized"})
        )

        @service.route("GET", PROJECT)
        def project(_: Request) -> Reply:
            return Reply(200, {"id": 1, "path_with_namespace": "acme/security", "visibility": "private"})

        @service.route("GET", f"{PROJECT}/issues")
        def listed(request: Request) -> Reply:
            wanted = set(filter(None, request.first("labels").split(",")))
            found = [self._shown(each) for each in self.issues if wanted <= set(each["labels"])]
            size = min(int(request.first("per_page", "20")), self.longest_page)
            page = int(request.first("page", "1"))
            more = len(found) > size * page
            rest = f"{service.url}{BASE}/1/issues?labels=cloudscan&state=all&per_page={size}&page={page + 1}"
            headers = {"X-Next-Page": str(page + 1) if more else "", "X-Page": str(page), "X-Per-Page": str(size)}
            headers |= {"Link": f'<{rest}>; rel="next"'} if more else {}
            return Reply(200, found[size * (page - 1) : size * page], headers)

        @service.route("POST", f"{PROJECT}/issues")
        def created(request: Request) -> Reply:
            given = request.json
            if not given.get("title") or len(given["title"]) > 255:
                return Reply(400, {"message": {"title": ["is too long (maximum is 255 characters)"]}})
            self.issues.append(
                {
                    "iid": len(self.issues) + 1,
                    "title": given["title"],
                    "description": given["description"],
                    "state": "opened",
                    "labels": given["labels"].split(","),
                    "assignee_ids": [each for each in given.get("assignee_ids", ()) if each in PEOPLE],
                    "due_date": given.get("due_date"),
                    "confidential": given["confidential"],
                    "closed_at": None,
                }
            )
            return Reply(201, self._shown(self.issues[-1]))

        @service.route("GET", f"{PROJECT}/issues/(\\d+)")
        def one(_: Request, number: str) -> Reply:
            found = [each for each in self.issues if each["iid"] == int(number)]
            return Reply(200, self._shown(found[0])) if found else Reply(404, {"message": "404 Not Found"})

        @service.route("PUT", f"{PROJECT}/issues/(\\d+)")
        def edited(request: Request, number: str) -> Reply:
            issue, given = self.issues[int(number) - 1], request.json
            issue.update({name: value for name, value in given.items() if name in issue})
            added, removed = (
                set(filter(None, given.get(f"{name}_labels", "").split(","))) for name in ("add", "remove")
            )
            issue["labels"] = sorted((set(issue["labels"]) - removed) | added)
            if "state_event" in given:
                self._turn(issue, given["state_event"] == "reopen")
            return Reply(200, self._shown(issue))

        @service.route("GET", f"{PROJECT}/issues/(\\d+)/notes")
        def notes(_: Request, number: str) -> Reply:
            return Reply(200, [{"id": n, "body": text} for n, text in enumerate(self.talk.get(int(number), []), 1)])

        @service.route("POST", f"{PROJECT}/issues/(\\d+)/notes")
        def noted(request: Request, number: str) -> Reply:
            self.talk.setdefault(int(number), []).append(request.json["body"])
            return Reply(201, {"id": 1, "body": request.json["body"]})

        @service.route("GET", f"{PROJECT}/users")
        def users(request: Request) -> Reply:
            found = [{"id": n, "username": each} for n, each in PEOPLE.items() if request.first("search") in each]
            return Reply(200, found)

    def _turn(self, issue: dict[str, Any], is_open: bool) -> None:
        issue["state"] = "opened" if is_open else "closed"
        issue["closed_at"] = None if is_open else iso(self.service.now())

    def _shown(self, issue: dict[str, Any]) -> dict[str, Any]:
        return {**issue, "project_id": 1, "web_url": f"https://gitlab.example/acme/security/-/issues/{issue['iid']}"}
