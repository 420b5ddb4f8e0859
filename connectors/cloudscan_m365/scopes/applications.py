"""Applications that may read or change files without a signed-in user.

Sources: servicePrincipal and appRoleAssignment resources. The two services with permissions on files, Graph and
SharePoint, list to whom these are assigned; an assignment names the permission by its id only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cloudscan.connector import Gap
from cloudscan.errors import AccessDenied, ProviderError, Vanished
from cloudscan.facts import Affiliation, Principal, Resource
from cloudscan_m365.api.batch import BatchPart
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.endpoints import Question
from cloudscan_m365.api.models import Answer, Text
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import People
from cloudscan_m365.permissions import APPLICATIONS, GRAPH_APP, SHAREPOINT_APP
from cloudscan_m365.scopes.gaps import gap

_SERVICE = Question(path="servicePrincipals(appId='{}')", needs=APPLICATIONS)
_ASSIGNMENTS = Question(path="servicePrincipals/{}/appRoleAssignedTo", needs=APPLICATIONS)
_APPLICATION = Question(path="servicePrincipals/{}", needs=APPLICATIONS)
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
    app_roles: Sequence[_Role] = ()


class _Assignment(Answer, frozen=True, kw_only=True):
    app_role_id: Text = ""
    principal_id: Text = ""


class _Application(Answer, frozen=True, kw_only=True):
    id: str
    app_id: Text = ""
    display_name: Text = ""
    app_owner_organization_id: Text = ""
    account_enabled: bool | None = True


@dataclass(frozen=True, kw_only=True)
class Application:
    """A service principal with permissions on files."""

    principal: Principal
    resource: Resource
    id: str
    app_id: str
    enabled: bool


def read_applications(graph: Graph, people: People, gaps: list[Gap]) -> list[Application]:
    """Service principals with permissions on files. Adds to `gaps` what could not be read."""
    try:
        permissions = _permissions(graph)
    except AccessDenied as refused:
        gaps.append(gap("resources", refused, "which applications may read or change all files is unknown"))
        return []
    parts = [BatchPart(question=_APPLICATION, ids=(identity,), options={"select": _FIELDS}) for identity in permissions]
    applications, error = [], None
    for answer, granted in zip(graph.together(_Application, parts), permissions.values(), strict=True):
        if isinstance(answer, ProviderError):
            error = error if isinstance(answer, Vanished) else answer
        else:
            applications.append(_application(answer, granted, people))
    if error is not None:
        gaps.append(gap("resources", error, "some applications could not be read"))
    return applications


def _permissions(graph: Graph) -> dict[str, set[str]]:
    """The permissions on files of each service principal, by its id."""
    permissions: dict[str, set[str]] = {}
    for app_id in (GRAPH_APP, SHAREPOINT_APP):
        try:
            service = graph.ask(_Service, _SERVICE, app_id, select="id,appRoles")
        except Vanished:
            continue
        names = {role.id: role.value or "" for role in service.app_roles}
        for assignment in graph.entries(_Assignment, _ASSIGNMENTS, service.id, top=_PAGE):
            name = names.get(assignment.app_role_id or "", "")
            if assignment.principal_id and name.startswith(_ON_FILES):
                permissions.setdefault(assignment.principal_id, set()).add(name)
    return permissions


def _application(answer: _Application, permissions: set[str], people: People) -> Application:
    owner = (answer.app_owner_organization_id or "").lower()
    external = bool(owner) and owner != people.tenant_id.lower() and owner not in _MICROSOFT
    name = answer.display_name or answer.app_id or answer.id
    detail = {
        "permissions": ", ".join(sorted(permissions)),
        "writes_all_sites": "true" if permissions & _WRITE else "",
        "full_control": "true" if _FULL_CONTROL in permissions else "",
        "external_publisher": "true" if external else "",
    }
    uid = uids.application(answer.id)
    return Application(
        id=answer.id,
        app_id=(answer.app_id or "").lower(),
        enabled=answer.account_enabled is not False,
        principal=Principal(
            uid=uid,
            platform=uids.PLATFORM,
            account=people.primary,
            kind="service",
            name=name,
            affiliation=Affiliation.EXTERNAL if external else Affiliation.INTERNAL,
            status="suspended" if answer.account_enabled is False else "active",
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
