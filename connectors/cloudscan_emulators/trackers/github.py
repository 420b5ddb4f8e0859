"""GitHub's REST API as far as issues go ("REST API endpoints for issues", version 2022-11-28)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cloudscan_emulators.trackers.emulated import Emulated
from cloudscan_emulators.trackers.server import Reply, Request, Service, iso

TOKEN = "ghp-of-a-test"
PEOPLE = ("mika", "deputy")
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
NOT_FOUND = Reply(404, {"message": "Not Found"})


@dataclass
class Repository:
    """A repository and its issues."""

    id: int
    name: str
    private: bool = True
    archived: bool = False
    has_issues: bool = True
    may_push: bool = True  # the token's user
    issues: list[dict[str, Any]] = field(default_factory=list)
    talk: dict[int, list[str]] = field(default_factory=dict)
    old_names: list[str] = field(default_factory=list)
    deleted: set[int] = field(default_factory=set)
    transferred: dict[int, str] = field(default_factory=dict)  # path of the issue that each became

    def add(self, issue: Mapping[str, Any]) -> dict[str, Any]:
        """A new issue, under the next number."""
        numbers = [each["number"] for each in self.issues]
        made = {**issue, "number": max([*numbers, *self.deleted, *self.transferred], default=0) + 1}
        self.issues.append(made)
        return made

    def find(self, number: int) -> dict[str, Any] | None:
        return next((each for each in self.issues if each["number"] == number), None)


@dataclass
class GitHub(Emulated):
    """The repository acme/security, and others beside it."""

    service: Service = field(default_factory=Service)
    longest_page: int = 100
    security: Repository = field(default_factory=lambda: Repository(1, "acme/security"))
    others: list[Repository] = field(default_factory=list)
    state_reasons: Sequence[str] = ("completed", "not_planned", "duplicate", "reopened")
    scopes: str = ""  # of a classic token
    secondary_limit: float = 0.0  # seconds during which writes are refused, since the last refusal
    clock: Callable[[], float] = lambda: 0.0
    refused_at: float | None = None

    kind = "github"
    lists = True
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
        return self.tickets_of(self.security)

    def tickets_of(self, repository: Repository) -> list[dict[str, Any]]:
        return [
            {"key": f"{repository.name}#{each['number']}", "title": each["title"], "body": each["body"],
             "open": each["state"] == "open", "assignee": each["assignees"][0] if each["assignees"] else "",
             "comments": repository.talk.get(each["number"], []), "labels": each["labels"],
             "reason": each["state_reason"]}
            for each in repository.issues
        ]  # fmt: skip

    def by_hand(self, key: str, *, is_open: bool) -> None:
        issue = self._issue(key)
        issue["state"] = "open" if is_open else "closed"
        issue["closed_at"] = None if is_open else iso(self.service.now())

    def rewrite(self, key: str, body: str) -> None:
        self._issue(key)["body"] = body

    def copy(self) -> None:
        self.security.add(self.security.issues[0])

    def rename(self, name: str) -> None:
        """Somebody renames the repository; its old name leads to it."""
        self.security.old_names.append(self.security.name)
        self.security.name = name

    def delete(self, number: int) -> None:
        """Somebody deletes an issue."""
        self.security.issues.remove(self._issue(f"#{number}"))
        self.security.deleted.add(number)

    def transfer(self, number: int, repository: Repository) -> dict[str, Any]:
        """Somebody transfers an issue to another repository of the same owner, where it gets another number."""
        issue = self._issue(f"#{number}")
        self.security.issues.remove(issue)
        moved = repository.add(issue)
        repository.talk[moved["number"]] = self.security.talk.pop(number, [])
        self.security.transferred[number] = f"/repositories/{repository.id}/issues/{moved['number']}"
        return moved

    def _issue(self, key: str) -> dict[str, Any]:
        found = self.security.find(int(key.partition("#")[2]))
        assert found is not None
        return found

    def __post_init__(self) -> None:
        self.service.allowed = self._allowed
        routes: Sequence[tuple[str, str, Callable[..., Reply]]] = (
            ("GET", "", self._repository),
            ("GET", "/issues", self._listed),
            ("POST", "/issues", self._created),
            ("GET", "/issues/(\\d+)", self._one),
            ("PATCH", "/issues/(\\d+)", self._edited),
            ("GET", "/issues/(\\d+)/comments", self._comments),
            ("POST", "/issues/(\\d+)/comments", self._commented),
            ("GET", "/assignees/(.+)", self._assignable),
            ("GET", "/milestones/(\\d+)", self._milestone),
        )
        for method, path, handler in routes:
            self.service.route(method, f"/repos/([^/]+/[^/]+){path}")(self._by_name(method, handler))
            self.service.route(method, f"/repositories/(\\d+){path}")(self._by_id(handler))

    def _allowed(self, request: Request) -> Reply | None:
        kinds = (f"token {TOKEN}", f"Bearer {TOKEN}")  # "Authenticating to the REST API"
        if request.headers.get("authorization") not in kinds:
            return Reply(401, {"message": "Bad credentials"})
        if self.secondary_limit and request.method != "GET":
            now = self.clock()
            if self.refused_at is None or now < self.refused_at + self.secondary_limit:
                self.refused_at = now
                return Reply(403, {"message": SECONDARY})  # "Rate limits for the REST API": without Retry-After
        return None

    def _by_name(self, method: str, handler: Callable[..., Reply]) -> Callable[..., Reply]:
        def answer(request: Request, name: str, *rest: str) -> Reply:
            for repository in (self.security, *self.others):
                if name.lower() == repository.name.lower():
                    return handler(request, repository, *rest)
                if name in repository.old_names:  # "Best practices for using the REST API", Follow redirects
                    target = f"/repositories/{repository.id}{request.path.removeprefix(f'/repos/{name}')}"
                    return self._redirect(301 if method == "GET" else 307, target)
            return NOT_FOUND

        return answer

    def _by_id(self, handler: Callable[..., Reply]) -> Callable[..., Reply]:
        def answer(request: Request, id_: str, *rest: str) -> Reply:
            found = [each for each in (self.security, *self.others) if each.id == int(id_)]
            return handler(request, found[0], *rest) if found else NOT_FOUND

        return answer

    def _redirect(self, status: int, target: str) -> Reply:
        url = f"{self.service.url}{target}"
        return Reply(status, {"message": "Moved Permanently", "url": url}, {"Location": url})

    def _repository(self, _: Request, repository: Repository) -> Reply:
        """See "Get a repository"."""
        return Reply(
            200,
            {"id": repository.id, "full_name": repository.name, "private": repository.private,
             "url": f"{self.service.url}/repos/{repository.name}", "archived": repository.archived,
             "has_issues": repository.has_issues,
             "permissions": {"pull": True, "triage": repository.may_push, "push": repository.may_push}},
            {"X-OAuth-Scopes": self.scopes} if self.scopes else {},
        )  # fmt: skip

    def _listed(self, request: Request, repository: Repository) -> Reply:
        """See "List repository issues"."""
        if not repository.has_issues:
            return Reply(410, {"message": "Issues are disabled for this repo"})
        wanted = set(filter(None, request.first("labels").split(",")))
        found = [self._shown(each, repository) for each in reversed(repository.issues) if wanted <= set(each["labels"])]
        if request.first("state", "open") != "all":
            found = [each for each in found if each["state"] == request.first("state", "open")]
        size = min(int(request.first("per_page", "30")), self.longest_page)
        page = int(request.first("page", "1"))
        label = "labels=cloudscan&" if wanted else ""
        rest = (
            f"{self.service.url}/repositories/{repository.id}/issues?{label}state=all&per_page={size}&page={page + 1}"
        )
        headers = {"Link": f'<{rest}>; rel="next"'} if len(found) > size * page else {}
        return Reply(200, found[size * (page - 1) : size * page], headers)

    def _created(self, request: Request, repository: Repository) -> Reply:
        """See "Create an issue": without push, labels, assignees, milestone and type are dropped silently."""
        given = request.json
        if refusal := self._unwritable(repository):
            return refusal
        if unknown := [each for each in given.get("assignees") or () if each not in PEOPLE]:
            errors = [{"value": unknown, "resource": "Issue", "field": "assignees", "code": "invalid"}]
            return Reply(422, {"message": "Validation Failed", "errors": errors})
        if refusal := self._too_long(given):
            return refusal
        may = repository.may_push
        issue = repository.add(
            {"title": given["title"], "body": given.get("body"), "state": "open", "state_reason": None,
             "labels": (given.get("labels") or []) if may else [], "closed_at": None, "locked": False,
             "assignees": (given.get("assignees") or []) if may else [],
             "milestone": {"number": given["milestone"]} if may and given.get("milestone") else None,
             "type": {"name": given["type"]} if may and given.get("type") else None}
        )  # fmt: skip
        return Reply(201, self._shown(issue, repository))

    def _one(self, _: Request, repository: Repository, number: str) -> Reply:
        """See "Get an issue": 301 if it was transferred, 410 if it was deleted."""
        if gone := self._gone(repository, int(number), 301):
            return gone
        found = repository.find(int(number))
        return Reply(200, self._shown(found, repository)) if found else NOT_FOUND

    def _edited(self, request: Request, repository: Repository, number: str) -> Reply:
        """See "Update an issue"."""
        given = request.json
        if refusal := self._gone(repository, int(number), 307) or self._unwritable(repository) or self._too_long(given):
            return refusal
        issue = repository.find(int(number))
        if issue is None:
            return NOT_FOUND
        if (reason := given.get("state_reason")) and reason not in self.state_reasons:
            known = ", ".join(f'"{each}"' for each in self.state_reasons)
            message = f'Invalid request.\n\n"{reason}" is not a member of [{known}].'  # guessed
            return Reply(422, {"message": message})
        ignored = () if repository.may_push else ("labels", "assignees")
        issue.update({name: value for name, value in given.items() if name in issue and name not in ignored})
        if "state" in given:
            issue["closed_at"] = None if given["state"] == "open" else iso(self.service.now())
        return Reply(200, self._shown(issue, repository))

    def _comments(self, _: Request, repository: Repository, number: str) -> Reply:
        """See "List issue comments"."""
        if gone := self._gone(repository, int(number), 301, "/comments"):
            return gone
        talk = repository.talk.get(int(number), [])
        return Reply(200, [{"id": n, "body": text} for n, text in enumerate(talk, 1)])

    def _commented(self, request: Request, repository: Repository, number: str) -> Reply:
        """See "Create an issue comment"."""
        if refusal := self._gone(repository, int(number), 307, "/comments") or self._unwritable(repository):
            return refusal
        issue = repository.find(int(number))
        if issue is None:
            return NOT_FOUND
        if issue["locked"] and not repository.may_push:  # "Locking conversations"
            return Reply(403, {"message": "Unable to create comment because issue is locked."})
        repository.talk.setdefault(int(number), []).append(request.json["body"])
        return Reply(201, {"id": 1, "body": request.json["body"]})

    def _assignable(self, _: Request, __: Repository, login: str) -> Reply:
        """See "Check if a user can be assigned"."""
        return Reply(204) if login in (*PEOPLE, "gone") else NOT_FOUND

    def _milestone(self, _: Request, __: Repository, number: str) -> Reply:
        """See "Get a milestone": there is one."""
        return Reply(200, {"number": 1}) if number == "1" else NOT_FOUND

    def _gone(self, repository: Repository, number: int, status: int, more: str = "") -> Reply | None:
        if number in repository.transferred:
            return self._redirect(status, f"{repository.transferred[number]}{more}")
        return Reply(410, {"message": "This issue was deleted"}) if number in repository.deleted else None

    def _unwritable(self, repository: Repository) -> Reply | None:
        if not repository.has_issues:
            return Reply(410, {"message": "Issues are disabled for this repo"})
        if repository.archived:  # "Archiving repositories"
            return Reply(403, {"message": "Repository was archived so is read-only."})
        return None

    def _too_long(self, given: Mapping[str, Any]) -> Reply | None:
        limits = {"title": 256, "body": 65_536}  # guessed, from what GitHub refuses
        faults = [name for name, most in limits.items() if len(given.get(name) or "") > most]
        if not faults and ("title" not in given or given["title"]):
            return None
        errors = [{"resource": "Issue", "field": name, "code": "custom", "message": "is too long"} for name in faults]
        return Reply(422, {"message": "Validation Failed", "errors": errors})

    def _shown(self, issue: Mapping[str, Any], repository: Repository) -> dict[str, Any]:
        base = f"{self.service.url}/repos/{repository.name}"
        return {
            **issue,
            "url": f"{base}/issues/{issue['number']}",
            "repository_url": base,
            "html_url": f"https://github.example/{repository.name}/issues/{issue['number']}",
            "labels": [{"name": each} for each in issue["labels"]],
            "assignees": [{"login": each} for each in issue["assignees"]],
        }
