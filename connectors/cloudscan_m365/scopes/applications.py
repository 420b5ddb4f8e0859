"""Applications that may read or change files without anybody signing in.

Sources: servicePrincipal and appRoleAssignment resources. Who holds a permission is asked of the two services that give
permissions on files, Graph and SharePoint; an assignment names the permission by its id only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cloudscan.connector import Gap
from cloudscan.errors import AccessDenied, ProviderError, Vanished
from cloudscan.facts import Affiliation, Principal, Resource
from cloudscan_m365.api.batch import Asked
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.endpoints import Question
from cloudscan_m365.api.models import Answer, Text
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import People
from cloudscan_m365.permissions import APPLICATIONS, GRAPH_APP, SHAREPOINT_APP
from cloudscan_m365.scopes.gaps import gap

_SERVICE = Question(path="servicePrincipals(appId='{}')", needs=APPLICATIONS)
_HOLDERS = Question(path="servicePrincipals/{}/appRoleAssignedTo", needs=APPLICATIONS)
_APPLICATION = Question(path="servicePrincipals/{}", needs=APPLICATIONS)
_FIELDS = "id,appId,displayName,appOwnerOrganizationId,accountEnabled"
_PAGE = 999
_MICROSOFT = frozenset({"f8cdef31-a31e-4b4a-93e4-5f571e91255a", "72f988bf-86f1-41af-91ab-2d7cd011db47"})
"""Microsoft's own tenants, out of which its applications come."""

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
    """A service principal that holds permissions on files."""

    principal: Principal
    resource: Resource
    id: str
    app_id: str
    enabled: bool


def read_applications(graph: Graph, people: People, gaps: list[Gap]) -> list[Application]:
    """Service principals with permissions on files."""
    try:
        rights = _rights(graph)
    except AccessDenied as refused:
        gaps.append(gap("resources", refused, "which applications may read or change all files is not known"))
        return []
    asked = [Asked(question=_APPLICATION, ids=(one,), options={"select": _FIELDS}) for one in rights]
    found, missing = [], None
    for one, told in zip(rights, graph.together(_Application, asked), strict=True):
        if isinstance(told, ProviderError):
            missing = missing if isinstance(told, Vanished) else told
        else:
            found.append(_application(told, rights[one], people))
    if missing is not None:
        gaps.append(gap("resources", missing, "some applications could not be read"))
    return found


def _rights(graph: Graph) -> dict[str, set[str]]:
    """The permissions on files that each service principal holds, by its id."""
    found: dict[str, set[str]] = {}
    for app_id in (GRAPH_APP, SHAREPOINT_APP):
        try:
            service = graph.ask(_Service, _SERVICE, app_id, select="id,appRoles")
        except Vanished:
            continue
        names = {role.id: role.value or "" for role in service.app_roles}
        for each in graph.things(_Assignment, _HOLDERS, service.id, top=_PAGE):
            name = names.get(each.app_role_id or "", "")
            if each.principal_id and name.startswith(_ON_FILES):
                found.setdefault(each.principal_id, set()).add(name)
    return found


def _application(told: _Application, rights: set[str], people: People) -> Application:
    owner = (told.app_owner_organization_id or "").lower()
    foreign = bool(owner) and owner != people.tenant.lower() and owner not in _MICROSOFT
    name = told.display_name or told.app_id or told.id
    detail = {
        "rights": ", ".join(sorted(rights)),
        "writes_all_sites": "true" if rights & _WRITE else "",
        "full_control": "true" if _FULL_CONTROL in rights else "",
        "foreign_publisher": "true" if foreign else "",
    }
    uid = uids.application(told.id)
    return Application(
        id=told.id,
        app_id=(told.app_id or "").lower(),
        enabled=told.account_enabled is not False,
        principal=Principal(
            uid=uid,
            platform=uids.PLATFORM,
            account=people.primary,
            kind="service",
            name=name,
            affiliation=Affiliation.EXTERNAL if foreign else Affiliation.INTERNAL,
            status="suspended" if told.account_enabled is False else "active",
        ),
        resource=Resource(
            uid=uid,
            platform=uids.PLATFORM,
            account=people.primary,
            kind="application",
            name=name,
            parent_uid=uids.tenant(people.tenant),
            container_uid=uids.tenant(people.tenant),
            detail={key: value for key, value in detail.items() if value},
        ),
    )
