"""GitHub's REST API as far as issues go ("REST API endpoints for issues", version 2022-11-28)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudscan_emulators.trackers.emulated import Emulated
from cloudscan_emulators.trackers.server import Reply, Request, Service, iso

TOKEN = "ghp-of-a-test"
PEOPLE = ("mika", "deputy")


@dataclass
class GitHub(Emulated):
    """One repository, acme/security, with issues in it."""

    service: Service = field(default_factory=Service)
    longest_page: int = 100
    issues: list[dict[str, Any]] = field(default_factory=list)
    talk: dict[int, list[str]] = field(default_factory=dict)

    kind = "github"
    lists = True
    private: bool = True
    creates = r"POST /repos/acme/security/issues$"

    @property
    def environment(self) -> Mapping[str, str]:
        return {"CLOUDSCAN_GITHUB_TOKEN": TOKEN}

    @property
    def table(self) -> str:
        return (
            f'[trackers.github]\nproject = "acme/security"\nurl = "{self.service.url}"\nwrite_pause = 0.0\n'
            'usernames = { "mika@acme.example" = "mika", "gone@acme.example" = "gone" }\n'
        )

    def tickets(self) -> list[dict[str, Any]]:
        return [
            {"key": f"acme/security#{each['number']}", "title": each["title"], "body": each["body"],
             "open": each["state"] == "open", "assignee": each["assignees"][0] if each["assignees"] else "",
             "comments": self.talk.get(each["number"], []), "labels": each["labels"]}
            for each in self.issues
        ]  # fmt: skip

    def by_hand(self, key: str, *, is_open: bool) -> None:
        issue = self.issues[int(key.partition("#")[2]) - 1]
        issue["state"] = "open" if is_open else "closed"
        issue["closed_at"] = None if is_open else iso(self.service.now())

    def rewrite(self, key: str, body: str) -> None:
        self.issues[int(key.partition("#")[2]) - 1]["body"] = body

    def copy(self) -> None:
        self.issues.append({**self.issues[0], "number": len(self.issues) + 1})

    def __post_init__(self) -> None:
        service = self.service
        service.allowed = lambda request: (
            None if request.headers.get("authorization") == f"token {TOKEN}"
            or request.headers.get("authorization") == f"Bearer {TOKEN}"
            else Reply(401, {"message": "Bad credentials"})
        )  # fmt: skip
        base = "/repos/acme/security"

        @service.route("GET", base)
        def repository(_: Request) -> Reply:
            url = f"{service.url}{base}"
            return Reply(200, {"id": 1, "full_name": "acme/security", "url": url, "private": self.private})

        @service.route("GET", f"{base}/issues")
        def listed(request: Request) -> Reply:
            wanted = set(filter(None, request.first("labels").split(",")))
            found = [self._shown(each) for each in reversed(self.issues) if wanted <= set(each["labels"])]
            if request.first("state", "open") != "all":
                found = [each for each in found if each["state"] == request.first("state", "open")]
            size = min(int(request.first("per_page", "30")), self.longest_page)
            page = int(request.first("page", "1"))
            rest = f"{service.url}{base}/issues?labels=cloudscan&state=all&per_page={size}&page={page + 1}"
            headers = {"Link": f'<{rest}>; rel="next"'} if len(found) > size * page else {}
            return Reply(200, found[size * (page - 1) : size * page], headers)

        @service.route("POST", f"{base}/issues")
        def created(request: Request) -> Reply:
            given = request.json
            if unknown := [each for each in given.get("assignees") or () if each not in PEOPLE]:
                errors = [{"value": unknown, "resource": "Issue", "field": "assignees", "code": "invalid"}]
                return Reply(422, {"message": "Validation Failed", "errors": errors})
            if not given.get("title") or len(given["title"]) > 256 or len(given.get("body") or "") > 65536:
                errors = [{"resource": "Issue", "field": "title", "code": "custom", "message": "is too long"}]
                return Reply(422, {"message": "Validation Failed", "errors": errors})
            number = len(self.issues) + 1
            self.issues.append(
                {"number": number, "title": given["title"], "body": given.get("body"), "state": "open",
                 "labels": given.get("labels") or [], "assignees": given.get("assignees") or [], "closed_at": None}
            )  # fmt: skip
            return Reply(201, self._shown(self.issues[-1]))

        @service.route("GET", f"{base}/issues/(\\d+)")
        def one(_: Request, number: str) -> Reply:
            found = [each for each in self.issues if each["number"] == int(number)]
            return Reply(200, self._shown(found[0])) if found else Reply(404, {"message": "Not Found"})

        @service.route("PATCH", f"{base}/issues/(\\d+)")
        def edited(request: Request, number: str) -> Reply:
            issue = self.issues[int(number) - 1]
            given = request.json
            issue.update({key: value for key, value in given.items() if key in issue})
            if "state" in given:
                issue["closed_at"] = None if given["state"] == "open" else iso(service.now())
            return Reply(200, self._shown(issue))

        @service.route("GET", f"{base}/issues/(\\d+)/comments")
        def comments(_: Request, number: str) -> Reply:
            return Reply(200, [{"id": n, "body": text} for n, text in enumerate(self.talk.get(int(number), []), 1)])

        @service.route("POST", f"{base}/issues/(\\d+)/comments")
        def commented(request: Request, number: str) -> Reply:
            self.talk.setdefault(int(number), []).append(request.json["body"])
            return Reply(201, {"id": 1, "body": request.json["body"]})

        @service.route("GET", f"{base}/assignees/(.+)")
        def assignable(_: Request, login: str) -> Reply:
            return Reply(204) if login in (*PEOPLE, "gone") else Reply(404, {"message": "Not Found"})

    def _shown(self, issue: dict[str, Any]) -> dict[str, Any]:
        url = f"{self.service.url}/repos/acme/security/issues/{issue['number']}"
        return {
            **issue,
            "url": url,
            "html_url": f"https://github.example/acme/security/issues/{issue['number']}",
            "labels": [{"name": each} for each in issue["labels"]],
            "assignees": [{"login": each} for each in issue["assignees"]],
        }
