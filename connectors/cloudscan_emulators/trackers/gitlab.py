"""GitLab's REST API as far as issues go ("Issues API", "Notes API", "Projects API")."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cloudscan_emulators.trackers.emulated import Emulated
from cloudscan_emulators.trackers.server import Reply, Request, Service, iso

TOKEN = "glpat-of-a-test"
PEOPLE = {7: "mika", 8: "deputy"}
BASE = "/api/v4/projects"
GUEST, REPORTER = 10, 20
NOT_FOUND = Reply(404, {"message": "404 Not Found"})


@dataclass
class Project:
    """A project and its issues."""

    id: int
    name: str
    visibility: str = "private"
    archived: bool = False
    has_issues: bool = True
    level: int = REPORTER  # of the token's user
    issues: list[dict[str, Any]] = field(default_factory=list)
    talk: dict[int, list[str]] = field(default_factory=dict)
    old_names: list[str] = field(default_factory=list)

    def add(self, issue: Mapping[str, Any], id_: int) -> dict[str, Any]:
        """A new issue, under the next number; `id_` is its own in the whole installation."""
        made = {**issue, "id": id_, "iid": max([each["iid"] for each in self.issues], default=0) + 1}
        self.issues.append(made)
        return made

    def find(self, number: int) -> dict[str, Any] | None:
        return next((each for each in self.issues if each["iid"] == number), None)


@dataclass
class GitLab(Emulated):
    """The project acme/security, and others beside it."""

    service: Service = field(default_factory=Service)
    longest_page: int = 100
    security: Project = field(default_factory=lambda: Project(1, "acme/security"))
    others: list[Project] = field(default_factory=list)
    blocked: set[int] = field(default_factory=set)  # people
    is_admin: bool = False  # the token's user
    scopes: Sequence[str] = ("api",)
    keeps_confidential: bool = True

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
        return self.tickets_of(self.security)

    def tickets_of(self, project: Project) -> list[dict[str, Any]]:
        return [
            {
                "key": f"{project.name}#{each['iid']}",
                "title": each["title"],
                "body": each["description"],
                "open": each["state"] == "opened",
                "assignee": PEOPLE[each["assignee_ids"][0]] if each["assignee_ids"] else "",
                "comments": project.talk.get(each["iid"], []),
                "labels": each["labels"],
                "confidential": each["confidential"],
            }
            for each in project.issues
        ]

    def by_hand(self, key: str, *, is_open: bool) -> None:
        self._turn(self._issue(key), is_open)

    def rewrite(self, key: str, body: str) -> None:
        self._issue(key)["description"] = body

    def copy(self) -> None:
        self.security.add(self.security.issues[0], self._next_id())

    def rename(self, name: str) -> None:
        """Somebody renames the project; its old path leads to it."""
        self.security.old_names.append(self.security.name)
        self.security.name = name

    def delete(self, number: int) -> None:
        """Somebody deletes an issue."""
        self.security.issues.remove(self._issue(f"#{number}"))

    def move(self, number: int, project: Project) -> dict[str, Any]:
        """Somebody moves an issue ("Move an issue"): a copy there, and what stays is closed and names it."""
        issue = self._issue(f"#{number}")
        moved = project.add(issue, self._next_id())
        issue["moved_to_id"] = moved["id"]
        self._turn(issue, is_open=False)
        return moved

    def _issue(self, key: str) -> dict[str, Any]:
        found = self.security.find(int(key.partition("#")[2]))
        assert found is not None
        return found

    def _next_id(self) -> int:
        ids = [each["id"] for project in (self.security, *self.others) for each in project.issues]
        return max(ids, default=100) + 1

    def __post_init__(self) -> None:
        self.service.allowed = lambda request: (
            None if request.headers.get("private-token") == TOKEN else Reply(401, {"message": "401 Unauthorized"})
        )
        routes: Sequence[tuple[str, str, Callable[..., Reply]]] = (
            ("GET", "", self._project),
            ("GET", "/issues", self._listed),
            ("POST", "/issues", self._created),
            ("GET", "/issues/(\\d+)", self._one),
            ("PUT", "/issues/(\\d+)", self._edited),
            ("GET", "/issues/(\\d+)/notes", self._notes),
            ("POST", "/issues/(\\d+)/notes", self._noted),
            ("GET", "/users", self._users),
        )
        for method, path, handler in routes:
            self.service.route(method, f"{BASE}/([^/]+){path}")(self._by_name(handler))
        self.service.route("GET", "/api/v4/issues/(\\d+)")(self._by_id)
        self.service.route("GET", "/api/v4/personal_access_tokens/self")(self._token)

    def _by_name(self, handler: Callable[..., Reply]) -> Callable[..., Reply]:
        def answer(request: Request, name: str, *rest: str) -> Reply:
            for project in (self.security, *self.others):
                if name.lower() in (str(project.id), project.name.lower()):
                    return handler(request, project, *rest)
                if name in project.old_names:  # "REST API": redirects of a project whose path changed
                    moved = f"{self.service.url}{BASE}/{project.id}"
                    return Reply(301, {"message": "Moved Permanently"}, {"Location": moved})
            return Reply(404, {"message": "404 Project Not Found"})

        return answer

    def _by_id(self, _: Request, id_: str) -> Reply:
        """See "Single issue": for administrators only."""
        if not self.is_admin:
            return Reply(403, {"message": "403 Forbidden"})
        for project in (self.security, *self.others):
            for issue in project.issues:
                if issue["id"] == int(id_):
                    return Reply(200, self._shown(issue, project))
        return NOT_FOUND

    def _token(self, _: Request) -> Reply:
        """See "Personal access tokens API"."""
        return Reply(200, {"id": 1, "scopes": list(self.scopes), "active": True})

    def _project(self, _: Request, project: Project) -> Reply:
        """See "Get a single project"."""
        return Reply(
            200,
            {
                "id": project.id,
                "path_with_namespace": project.name,
                "visibility": project.visibility,
                "archived": project.archived,
                "issues_enabled": project.has_issues,
                "permissions": {"project_access": {"access_level": project.level}, "group_access": None},
            },
        )

    def _listed(self, request: Request, project: Project) -> Reply:
        """See "List project issues"."""
        if not project.has_issues:
            return Reply(403, {"message": "403 Forbidden"})  # guessed
        wanted = set(filter(None, request.first("labels").split(",")))
        found = [self._shown(each, project) for each in project.issues if wanted <= set(each["labels"])]
        if request.first("sort", "desc") == "desc":
            found.reverse()
        size = min(int(request.first("per_page", "20")), self.longest_page)
        page = int(request.first("page", "1"))
        more = len(found) > size * page
        label = "labels=cloudscan&" if wanted else ""
        sort = request.first("sort", "desc")
        rest = (
            f"{self.service.url}{BASE}/{project.id}/issues?{label}state=all&sort={sort}&per_page={size}&page={page + 1}"
        )
        headers = {"X-Next-Page": str(page + 1) if more else "", "X-Page": str(page), "X-Per-Page": str(size)}
        headers |= {"Link": f'<{rest}>; rel="next"'} if more else {}
        return Reply(200, found[size * (page - 1) : size * page], headers)

    def _created(self, request: Request, project: Project) -> Reply:
        """See "New issue"; a guest's labels, assignees, day and milestone are dropped ("Roles and permissions")."""
        given = request.json
        if refusal := self._unwritable(project) or self._too_long(given):
            return refusal
        may = project.level > GUEST
        issue = project.add(
            {
                "title": given["title"],
                "description": given["description"],
                "state": "opened",
                "labels": list(filter(None, given["labels"].split(","))) if may else [],
                "assignee_ids": [each for each in given.get("assignee_ids", ()) if each in PEOPLE and may],
                "due_date": (given.get("due_date") or None) if may else None,
                "confidential": given["confidential"] and self.keeps_confidential,
                "milestone": {"id": given["milestone_id"]} if may and given.get("milestone_id") else None,
                "closed_at": None,
                "moved_to_id": None,
            },
            self._next_id(),
        )
        return Reply(201, self._shown(issue, project))

    def _one(self, _: Request, project: Project, number: str) -> Reply:
        """See "Single project issue"."""
        found = project.find(int(number))
        return Reply(200, self._shown(found, project)) if found else NOT_FOUND

    def _edited(self, request: Request, project: Project, number: str) -> Reply:
        """See "Edit an issue"."""
        issue, given = project.find(int(number)), request.json
        if issue is None:
            return NOT_FOUND
        if refusal := self._unwritable(project) or self._too_long(given):
            return refusal
        kept = ("title", "description", *(("due_date", "confidential") if project.level > GUEST else ()))
        issue.update({name: value or None if name == "due_date" else value for name, value in given.items()
                      if name in kept})  # fmt: skip
        if project.level > GUEST:
            added, removed = (
                set(filter(None, given.get(f"{name}_labels", "").split(","))) for name in ("add", "remove")
            )
            issue["labels"] = sorted((set(issue["labels"]) - removed) | added)
        if "state_event" in given:
            self._turn(issue, given["state_event"] == "reopen")
        return Reply(200, self._shown(issue, project))

    def _notes(self, request: Request, project: Project, number: str) -> Reply:
        """See "List project issue notes"."""
        if project.find(int(number)) is None:
            return NOT_FOUND
        notes = [{"id": n, "body": text} for n, text in enumerate(project.talk.get(int(number), []), 1)]
        return Reply(200, notes if request.first("sort", "desc") == "asc" else notes[::-1])

    def _noted(self, request: Request, project: Project, number: str) -> Reply:
        """See "Create new issue note"."""
        if project.find(int(number)) is None:
            return NOT_FOUND
        if refusal := self._unwritable(project):
            return refusal
        project.talk.setdefault(int(number), []).append(request.json["body"])
        return Reply(201, {"id": 1, "body": request.json["body"]})

    def _users(self, request: Request, _: Project) -> Reply:
        """See "List users of a project": searched by a part of the name."""
        found = [
            {"id": n, "username": each, "state": "blocked" if n in self.blocked else "active"}
            for n, each in PEOPLE.items()
            if request.first("search").lower() in each
        ]
        return Reply(200, found)

    def _unwritable(self, project: Project) -> Reply | None:
        if project.archived or not project.has_issues:  # "Archive a project": read-only
            return Reply(403, {"message": "403 Forbidden"})
        return None

    def _too_long(self, given: Mapping[str, Any]) -> Reply | None:
        limits = {"title": 255, "description": 1_048_576}  # "Issues API"
        for name, most in limits.items():
            if len(given.get(name) or "") > most:
                return Reply(400, {"message": {name: [f"is too long (maximum is {most} characters)"]}})
        if "title" in given and not given["title"]:
            return Reply(400, {"message": {"title": ["can't be blank"]}})
        return None

    def _turn(self, issue: dict[str, Any], is_open: bool) -> None:
        issue["state"] = "opened" if is_open else "closed"
        issue["closed_at"] = None if is_open else iso(self.service.now())

    def _shown(self, issue: Mapping[str, Any], project: Project) -> dict[str, Any]:
        assignees = [{"id": each, "username": PEOPLE[each], "state": "active"} for each in issue["assignee_ids"]]
        return {
            **{name: value for name, value in issue.items() if name != "assignee_ids"},
            "assignees": assignees,
            "project_id": project.id,
            "web_url": f"https://gitlab.example/{project.name}/-/issues/{issue['iid']}",
            "references": {"full": f"{project.name}#{issue['iid']}"},
        }
