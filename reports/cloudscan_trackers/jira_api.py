"""Jira's REST API, version 2, as Cloud and Data Center offer it: what is asked and answered.

Requests go only to the configured address: neither a redirect nor an address in an answer (`self`) is followed, since
the token would go with it.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

import msgspec

from cloudscan.sentence import say
from cloudscan_trackers.api import Api, Record, Reply, read

_SERVICE: Final = "Jira"
_NEEDS: Final = "Browse Projects, Create, Edit, Assign and Transition Issues, Add Comments"
DONE: Final = "done"
"""The category of statuses that count as closed, whatever they are called and in whatever language."""

_BASE: Final = "/rest/api/2"
_PAGE: Final = 100
_MOST_PAGES: Final = 10_000
_MOST_USERS: Final = 1000
_SHORTEST_PAGE: Final = 50
"""Fewer users than Jira tells at a time, if it is asked for no number, are all there are."""


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Part of an answer. What Jira leaves out, because the user may not see it, has a default."""


class Category(Part, frozen=True, kw_only=True):
    """new, indeterminate or done."""

    key: str


class Status(Part, frozen=True, kw_only=True):
    """A status of a workflow."""

    status_category: Category
    name: str = ""

    @property
    def is_done(self) -> bool:
        """Whether an issue with this status counts as closed."""
        return self.status_category.key == DONE


class User(Part, frozen=True, kw_only=True):
    """A user. Cloud has account ids and hides most addresses, Data Center has names."""

    account_id: str = ""
    account_type: str = ""
    name: str = ""
    email_address: str | None = None
    active: bool = True


class Fields(Part, frozen=True, kw_only=True):
    """The fields of an issue that are looked at."""

    status: Status
    description: str | None = None
    labels: Sequence[str] | None = None
    assignee: User | None = None
    duedate: str | None = None
    resolution: Any = None
    resolutiondate: str | None = None
    statuscategorychangedate: str | None = None
    updated: str | None = None


class Issue(Part, frozen=True, kw_only=True):
    """An issue. `fields` are all that were asked for, as they are in the answer."""

    key: str
    fields: Mapping[str, Any]

    @property
    def known(self) -> Fields:
        """The fields that are looked at. Raises `Malformed` if one has another shape than is documented."""
        return read(_SERVICE, self.fields, Fields, self.key)


class _Issues(Part, frozen=True, kw_only=True):
    """A page of a search: Cloud tells a token for the next one, Data Center the total."""

    issues: Sequence[Issue]
    next_page_token: str | None = None
    total: int | None = None


class _Comment(Part, frozen=True, kw_only=True):
    body: Any = ""


class _Comments(Part, frozen=True, kw_only=True):
    comments: Sequence[_Comment]
    start_at: int | None = None
    total: int | None = None


class ServerInfo(Part, frozen=True, kw_only=True):
    """Which Jira it is. `base_url` is its address for people, which differs from that of the API behind a gateway."""

    deployment_type: str = ""
    base_url: str = ""


class _Created(Part, frozen=True, kw_only=True):
    key: str


@dataclass(frozen=True)
class JiraApi:
    """One Jira."""

    api: Api

    @cached_property
    def server(self) -> ServerInfo:
        """Which Jira it is ("Get Jira instance info"), asked for once."""
        return self.get("/serverInfo", ServerInfo, self.api.url)

    @property
    def is_cloud(self) -> bool:
        """Whether users have account ids, and searches tokens for their pages."""
        return self.server.deployment_type.casefold() == "cloud"

    def get(self, path: str, shape: type[Record], where: str, **query: str | int) -> Record:
        """What is at a path. `where` is what it is about, for messages."""
        return self.api.get(path, shape, where, tuple(query.items()))

    def send(self, method: str, path: str, content: Mapping[str, Any], where: str) -> Reply:
        """Write. Most requests are answered with nothing."""
        return self.api.ask(method, path, where, json=content)

    def issue(self, key: str, names: Sequence[str]) -> Issue:
        """An issue by its key ("Get issue"). One that was moved is answered with the key that it has now."""
        return self.get(f"/issue/{quoted(key)}", Issue, key, fields=",".join(names))

    def created(self, fields: Mapping[str, Any], where: str) -> str:
        """Create an issue; gives its key."""
        made = self.send("POST", "/issue", {"fields": fields}, where)
        return self.api.read(made.content, _Created, where).key

    def search(self, jql: str, names: Sequence[str], where: str) -> Iterator[Issue]:
        """The issues that fit, page by page: by token in Cloud ("Search for issues using JQL enhanced search")."""
        query: dict[str, str | int] = {"jql": jql, "fields": ",".join(names), "maxResults": _PAGE}
        path, read = "/search/jql" if self.is_cloud else "/search", 0
        for _ in range(_MOST_PAGES):
            page = self.get(path, _Issues, where, **query)
            yield from page.issues
            read += len(page.issues)
            if self.is_cloud:
                if not page.next_page_token or page.next_page_token == query.get("nextPageToken"):
                    return
                query["nextPageToken"] = page.next_page_token
            else:
                if not page.issues or (page.total is not None and read >= page.total):
                    return
                query["startAt"] = read

    def comments(self, key: str) -> Iterator[str]:
        """The texts of all comments ("Get comments"), the newest first where the server takes `orderBy`."""
        read = 0
        path = f"/issue/{quoted(key)}/comment"
        while True:
            page = self.get(path, _Comments, key, startAt=read, maxResults=_PAGE, orderBy="-created")
            yield from (one.body for one in page.comments if isinstance(one.body, str))
            if page.start_at not in (None, read):  # the server has no pages, and told all of them again
                return
            read += len(page.comments)
            if not page.comments or page.total is None or read >= page.total:
                return

    def assignable(self, project: str, **query: str) -> Sequence[User]:
        """The users who can be assigned and match a query ("Find users assignable to issues").

        Without a repeated user; Jira tells no more than a thousand.
        """
        found: dict[str, User] = {}
        while len(found) < _MOST_USERS:
            place: dict[str, str | int] = {"project": project, "startAt": len(found), "maxResults": _MOST_USERS}
            page = self.get("/user/assignable/search", list[User], project, **query, **place)
            before = len(found)
            found |= {user.account_id or user.name: user for user in page}
            if len(page) < _SHORTEST_PAGE or len(found) == before:
                break
        return list(found.values())


def jira_at(url: str, user: str, token: str) -> JiraApi:
    """The API at an address, for an API token of Cloud or, without a user, a personal access token of Data Center."""
    basic = base64.b64encode(f"{user}:{token}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}" if user else f"Bearer {token}", "X-Atlassian-Token": "no-check"}
    return JiraApi(
        Api(
            service=_SERVICE,
            url=f"{url.rstrip('/')}{_BASE}",
            headers=headers,
            needs=say("the permissions {names}", names=_NEEDS),
            faults=_faults,
            first_pause=None,
        )
    )


def quoted(key: str) -> str:
    """A key as part of a path."""
    return quote(key, safe="")


def in_jql(text: str) -> str:
    """A text in quotation marks, of which nothing is read as a condition."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _faults(reply: Reply) -> Mapping[str, str]:
    """Jira's messages about fields that it refused."""
    faults = reply.content.get("errors") if isinstance(reply.content, dict) and reply.status != 403 else None
    return {str(name): str(fault) for name, fault in faults.items()} if isinstance(faults, dict) else {}
