"""Applications that may read or change files without a signed-in user.

Sources: servicePrincipal and appRoleAssignment resources. The two services with permissions on files, Graph and
SharePoint, list to whom these are assigned; an assignment names the permission by its id only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from cloudscan.facts import Affiliation, Principal, Resource
from cloudscan_m365.api.batch import BatchPart
from cloudscan_m365.api.inquiry import Inquiry
from cloudscan_m365.api.models import Answer, Text
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import People
from cloudscan_m365.permissions import GRAPH_APP, SHAREPOINT_APP
from cloudscan_m365.questions import APPLICATION, ASSIGNMENTS, SERVICE

_FIELDS = "id,appId,displayName,appOwnerOrganizationId,accountEnabled"
_PAGE = 999
_MICROSOFT = frozenset({"f8cdef31-a31e-4b4a-93e4-5f571e91255a", "72f988bf-86f1-41af-91ab-2d7cd011db47"})
"""Microsoft's own tenants, which publish its applications."""

_WRITE = frozenset({"Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All", "Files.ReadWrite.All"})
_FULL_CONTROL = "Sites.FullControl.All"
_ON_FILES = ("Sites.", "Files.")


class _Role(Answer, frozen=True, kw_only=True):
    id: str
    value: Text = ""


class _Service(Answer, frozen=True, kw_only=True):
    id: str
    app_roles: Sequence[_Role]


class _Assignment(Answer, frozen=True, kw_only=True):
    app_role_id: str
    principal_id: str


class _Application(Answer, frozen=True, kw_only=True):
    id: str
    app_id: Text = ""
    display_name: Text = ""
    app_owner_organization_id: Text | msgspec.UnsetType = msgspec.UNSET
    account_enabled: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Application:
    """A service principal with permissions on files."""

    principal: Principal
    resource: Resource
    id: str
    app_id: str
    enabled: bool | None  # None: unknown


def read_applications(inquiry: Inquiry, people: People) -> list[Application]:
    """Service principals with permissions on files."""
    permissions = _permissions(inquiry)
    parts = [BatchPart(question=APPLICATION, ids=(identity,), options={"select": _FIELDS}) for identity in permissions]
    abouts = [uids.application(identity) for identity in permissions]
    answers = inquiry.together(_Application, parts, abouts)
    return [
        _application(answer, granted, people)
        for answer, granted in zip(answers, permissions.values(), strict=True)
        if answer is not None
    ]


def _permissions(inquiry: Inquiry) -> dict[str, set[str]]:
    """The permissions on files of each service principal, by its id."""
    permissions: dict[str, set[str]] = {}
    for app_id in (GRAPH_APP, SHAREPOINT_APP):
        service = inquiry.one(_Service, SERVICE, app_id, select="id,appRoles")
        if service is None:
            break  # it hides what the other one could tell as well
        if app_id == GRAPH_APP and not service.app_roles:
            inquiry.lacking(SERVICE, "graph-list-empty")
        names = {role.id: role.value or "" for role in service.app_roles}
        assignments = inquiry.all(_Assignment, ASSIGNMENTS, service.id, top=_PAGE)
        if app_id == GRAPH_APP and assignments.whole and not _lists_the_asker(inquiry, assignments.entries):
            inquiry.lacking(ASSIGNMENTS, "graph-list-without-us")
        for assignment in assignments.entries:
            name = names.get(assignment.app_role_id, "")
            if name.startswith(_ON_FILES):
                permissions.setdefault(assignment.principal_id, set()).add(name)
    return permissions


def _lists_the_asker(inquiry: Inquiry, assignments: Sequence[_Assignment]) -> bool:
    """Whether the list has the application that asks, which could not ask without an assignment."""
    ours = inquiry.graph.claims().oid
    return not ours or any(assignment.principal_id == ours for assignment in assignments)


def _application(answer: _Application, permissions: set[str], people: People) -> Application:
    name = answer.display_name or answer.app_id or answer.id
    external = _is_external(answer, people)
    detail = {
        "permissions": ", ".join(sorted(permissions)),
        "writes_all_sites": _switch(bool(permissions & _WRITE)),
        "full_control": _switch(_FULL_CONTROL in permissions),
        "external_publisher": "" if external is None else _switch(external),
    }
    known_as = (answer.app_id or "", (external and answer.app_owner_organization_id) or "")
    affiliation = _affiliation(people, external, known_as)
    uid = uids.application(answer.id)
    return Application(
        id=answer.id,
        app_id=(answer.app_id or "").lower(),
        enabled=answer.account_enabled,
        principal=Principal(
            uid=uid,
            platform=uids.PLATFORM,
            account=people.primary,
            kind="service",
            name=name,
            affiliation=affiliation,
            detail={
                "permissions": detail["permissions"],
                "app_id": known_as[0].lower(),
                **({"tenant": known_as[1].lower()} if known_as[1] else {}),
                **people.estate.partner_detail(*known_as),
            },
            status={True: "active", False: "suspended", None: None}[answer.account_enabled],
        ),
        resource=Resource(
            uid=uid,
            platform=uids.PLATFORM,
            account=people.primary,
            kind="application",
            name=name,
            parent_uid=uids.tenant(people.tenant_id),
            container_uid=uids.tenant(people.tenant_id),
            detail={key: value for key, value in detail.items() if value},
        ),
    )


def _is_external(answer: _Application, people: People) -> bool | None:
    """Whether neither we nor Microsoft publish an application; None: unknown. Managed identities have no publisher."""
    if answer.app_owner_organization_id is msgspec.UNSET:
        return None
    owner = (answer.app_owner_organization_id or "").lower()
    return bool(owner) and owner != people.tenant_id.lower() and owner not in _MICROSOFT


def _affiliation(people: People, external: bool | None, known_as: Sequence[str]) -> Affiliation | None:
    """Whose an application is; one that we publish for a partner, who has its secret, is the partner's."""
    if people.estate.partner_of(*known_as):
        return Affiliation.PARTNER
    return None if external is None else Affiliation.EXTERNAL if external else Affiliation.INTERNAL


def _switch(on: bool) -> str:
    return "true" if on else "false"
