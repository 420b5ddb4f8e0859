"""What a Jira project asks of new issues, and what the user may do there.

Data Center removed the one request for all projects in version 9.0; since 8.4 it answers by project and issue type,
as Cloud does ("Get create metadata issue types for a project", "Get create field metadata for a project and issue type
id").
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from cloudscan.errors import AccessDenied, Malformed, TicketRefused, Unreachable
from cloudscan.finding import Severity
from cloudscan.sentence import Sentence, say
from cloudscan_trackers.jira_api import JiraApi, NotFound, quoted
from cloudscan_trackers.jira_workflow import ScreenField, example, plain, shown

_TASKS: Final = ("Task", "タスク", "課題", "作業")
_PRIORITIES: Final[Mapping[Severity, Sequence[str]]] = {
    Severity.CRITICAL: ("Highest", "Critical", "Blocker", "最高", "緊急"),
    Severity.HIGH: ("High", "Major", "高"),
    Severity.MEDIUM: ("Medium", "Minor", "中"),
    Severity.LOW: ("Low", "Trivial", "低"),
    Severity.INFO: ("Lowest", "Trivial", "最低"),
}
"""The names that Jira gives priorities, those of older installations included."""
_OURS: Final = frozenset(
    {"project", "issuetype", "summary", "description", "labels", "duedate", "priority", "reporter"}
)
_NEEDED: Final = {"description": say("description"), "labels": say("labels")}
_PERMISSIONS: Final = {
    "BROWSE_PROJECTS": "Browse Projects",
    "CREATE_ISSUES": "Create Issues",
    "EDIT_ISSUES": "Edit Issues",
    "TRANSITION_ISSUES": "Transition Issues",
    "ADD_COMMENTS": "Add Comments",
    "ASSIGN_ISSUES": "Assign Issues",
    "USER_PICKER": "Browse users and groups",
}
_PAGE: Final = 200


class _Record(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Part of an answer."""


class IssueType(_Record, frozen=True, kw_only=True):
    """A type of issues in a project; its name may be translated."""

    id: str | int
    name: str = ""
    untranslated_name: str | None = None
    subtask: bool = False


class _Field(ScreenField, frozen=True, kw_only=True):
    field_id: str = ""
    key: str = ""


class _Types(_Record, frozen=True, kw_only=True):
    """Cloud calls the list `issueTypes`, Data Center `values`."""

    issue_types: Sequence[IssueType] = ()
    values: Sequence[IssueType] = ()
    total: int | None = None


class _FieldsOfType(_Record, frozen=True, kw_only=True):
    """Cloud calls the list `fields`, Data Center `values`."""

    fields: Sequence[_Field] = ()
    values: Sequence[_Field] = ()
    total: int | None = None


class _Project(_Record, frozen=True, kw_only=True):
    key: str
    archived: bool = False


class _Permission(_Record, frozen=True, kw_only=True):
    have_permission: bool = False


class _Permissions(_Record, frozen=True, kw_only=True):
    permissions: Mapping[str, _Permission] = {}


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """What can be given to a new issue. Without a type or fields nothing is known of it."""

    type: IssueType | None = None
    types: Sequence[IssueType] = ()
    fields: Mapping[str, ScreenField] = {}


def screen_of(api: JiraApi, project: str, wanted: str) -> Screen:
    """The screen for new issues of a type: by its name, or what it is called in English."""
    path = f"/issue/createmeta/{quoted(project)}/issuetypes"
    types = [one for one in _types(api, path, project) if not one.subtask]
    chosen = _named(types, wanted)
    if chosen is None:
        return Screen(types=types)
    fields = _fields(api, f"{path}/{quoted(str(chosen.id))}", project)
    return Screen(type=chosen, types=types, fields={one.field_id or one.key: one for one in fields})


def known_screen(api: JiraApi, project: str, wanted: str) -> Screen:
    """The same; nothing is known if Jira does not tell, because it is old or the user may not ask."""
    try:
        return screen_of(api, project, wanted)
    except (AccessDenied, Malformed, TicketRefused, Unreachable):
        return Screen()


def type_to_send(screen: Screen, wanted: str) -> Mapping[str, str]:
    """The issue type of a new issue: by its id if it has another name in this project."""
    if screen.type is None or screen.type.name == wanted:
        return {"name": wanted}
    return {"id": str(screen.type.id)}


def priority_to_send(screen: Screen, severity: Severity, configured: str) -> Mapping[str, str] | None:
    """The priority for a severity: the configured one, or the one whose name fits; None if the screen has none."""
    if configured:
        return {"name": configured}
    field = screen.fields.get("priority")
    value = field.one_of(_PRIORITIES[severity]) if field else None
    return value.sent if value else None


def lacking(api: JiraApi, project: str, issue_type: str, given: Mapping[str, Any]) -> Iterator[Sentence]:
    """What a project asks for and the options do not give, and what the user may not do there."""
    yield from _about_project(api, project)
    yield from _about_permissions(api, project)
    try:
        screen = screen_of(api, project, issue_type)
    except NotFound:
        return  # older than these requests
    if screen.type is None:
        if screen.types:
            yield say(
                "{project} has no issue type {wanted}; write one of these as issue_type: {names}",
                project=project,
                wanted=issue_type,
                names=", ".join(one.name for one in screen.types),
            )
        return
    for name, word in _NEEDED.items():
        if screen.fields and name not in screen.fields:
            yield say(
                "{project}: new issues of the type {issue_type} have no {field}; put the field on the screen.",
                project=project,
                issue_type=screen.type.name,
                field=word,
            )
    for name, field in screen.fields.items():
        if field.required and not field.has_default_value and name not in _OURS and given.get(name) is None:
            yield say(
                "{project} requires {field} of new issues; give it in `fields`, such as {example}.",
                project=project,
                field=shown(name, field),
                example=example(name, field),
            )


def _about_project(api: JiraApi, project: str) -> Iterator[Sentence]:
    """Whether it can be written to, under this key ("Get project"). One that is not there cannot be listed either."""
    try:
        found = api.get(f"/project/{quoted(project)}", _Project, project)
    except NotFound:
        return
    if found.archived:
        yield say("{project} is archived: nothing can be written there. Choose another project.", project=project)
    if found.key.casefold() != project.casefold():
        yield say("The project {project} is now called {key}; write that.", project=project, key=found.key)


def _about_permissions(api: JiraApi, project: str) -> Iterator[Sentence]:
    """What the user may not do ("Get my permissions")."""
    missing = [_PERMISSIONS[key] for key in _denied(api, project, tuple(_PERMISSIONS))]
    if missing:
        yield say(
            "The user lacks these permissions in {project}: {names}; an administrator has to grant them.",
            project=project,
            names=", ".join(missing),
        )


def may_transition(api: JiraApi, project: str) -> bool:
    """Whether the user may carry transitions out, as far as Jira tells."""
    return not _denied(api, project, ("TRANSITION_ISSUES",))


def _denied(api: JiraApi, project: str, permissions: Sequence[str]) -> Sequence[str]:
    try:
        query = {"projectKey": project, "permissions": ",".join(permissions)}
        told = api.get("/mypermissions", _Permissions, project, **query).permissions
    except (AccessDenied, TicketRefused):
        return ()
    return [key for key in permissions if key in told and not told[key].have_permission]


def _types(api: JiraApi, path: str, project: str) -> Sequence[IssueType]:
    found: list[IssueType] = []
    while True:
        page = api.get(path, _Types, project, startAt=len(found), maxResults=_PAGE)
        types = page.issue_types or page.values
        found += types
        if not types or page.total is None or len(found) >= page.total:
            return found


def _fields(api: JiraApi, path: str, project: str) -> Sequence[_Field]:
    found: list[_Field] = []
    while True:
        page = api.get(path, _FieldsOfType, project, startAt=len(found), maxResults=_PAGE)
        fields = page.fields or page.values
        found += fields
        if not fields or page.total is None or len(found) >= page.total:
            return found


def _named(types: Sequence[IssueType], wanted: str) -> IssueType | None:
    names = _TASKS if plain(wanted) in map(plain, _TASKS) else (wanted,)
    for name in (wanted, *names):
        for one in types:
            if plain(name) in (plain(one.name), plain(one.untranslated_name or "")):
                return one
    return None
