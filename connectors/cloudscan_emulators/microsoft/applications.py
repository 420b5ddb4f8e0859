"""Applications and the permissions that were consented to for them.

Sources: servicePrincipal and appRoleAssignment resources. The services that own the permissions are listed too, with
their roles: an assignment names a role by its id only.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cloudscan_emulators.microsoft import errors, ids
from cloudscan_emulators.microsoft.calls import Call, Result, Shape, collection, single
from cloudscan_emulators.microsoft.people import GRAPH_APP, SHAREPOINT_APP
from cloudscan_emulators.microsoft.quirks import Quirks
from cloudscan_emulators.microsoft.records import Application
from cloudscan_emulators.microsoft.tenant_state import TenantState
from cloudscan_emulators.microsoft.text import moment

Json = dict[str, Any]
_EQ = frozenset({"eq", "ne", "in"})
_FILTER = {
    "id": frozenset({"eq", "in"}),
    "appId": _EQ,
    "displayName": _EQ | {"startswith", "ge", "le"},
    "servicePrincipalType": _EQ,
    "accountEnabled": _EQ,
    "appOwnerOrganizationId": _EQ,
}
_MICROSOFT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"


class ApplicationsApi:
    """Answers for /servicePrincipals."""

    def __init__(self, state: TenantState, quirks: Quirks) -> None:
        self._state = state
        self._quirks = quirks
        self.methods: Mapping[str, Callable[[Call], Result]] = {
            "apps.list": lambda call: collection(call, self._app_shape(), self._apps()),
            "apps.get": lambda call: single(call, self._app_shape(), self._app(call)),
            "apps.appRoleAssignments": self._role_assignments,
            "apps.appRoleAssignedTo": self._role_assigned_to,
        }

    def _apps(self) -> list[Application]:
        return [*self._microsoft(), *self._state.applications]

    def _app(self, call: Call) -> Application:
        for app in self._apps():
            if call.values["app"] in (app.id, f"appId={app.app_id}"):
                return app
        raise errors.no_such_object(call.values["app"])

    def _microsoft(self) -> list[Application]:
        """The services that own the permissions."""
        return [
            Application(
                number=-number - 2, name=name, id=ids.guid("service", number), app_id=app_id, home_tenant=_MICROSOFT
            )
            for number, (name, app_id) in enumerate(
                (("Microsoft Graph", GRAPH_APP), ("Office 365 SharePoint Online", SHAREPOINT_APP))
            )
        ]

    def view(self, app: Application) -> Json:
        """The servicePrincipal resource of an application."""
        roles: list[Json] = []
        if app.app_id in (GRAPH_APP, SHAREPOINT_APP):
            known = sorted({role for one in self._state.applications for role in _roles(one, app.app_id)})
            roles = [
                {
                    "allowedMemberTypes": ["Application"],
                    "displayName": role,
                    "id": _role_id(app.app_id, role),
                    "isEnabled": True,
                    "value": role,
                }
                for role in known
            ]
        return {
            "id": app.id,
            "accountEnabled": app.enabled,
            "appDisplayName": app.name,
            "appId": app.app_id,
            "appOwnerOrganizationId": app.home_tenant,
            "appRoles": roles,
            "displayName": app.name,
            "servicePrincipalType": "ManagedIdentity" if app.managed else "Application",
            "signInAudience": "AzureADMyOrg" if app.home_tenant == self._state.tenant_id else "AzureADMultipleOrgs",
            "tags": [],
        }

    def _role_assignments(self, call: Call) -> Result:
        app = self._app(call)
        views = [
            self._assignment(app, service, role) for service in self._microsoft() for role in _granted(app, service)
        ]
        return collection(call, Shape(kind="appRoleAssignment", view=dict, context="appRoleAssignments"), views)

    def _role_assigned_to(self, call: Call) -> Result:
        service = self._app(call)
        views = [
            self._assignment(app, service, role) for app in self._state.applications for role in _granted(app, service)
        ]
        return collection(call, Shape(kind="appRoleAssignment", view=dict, context="appRoleAssignments"), views)

    def _assignment(self, app: Application, service: Application, role: str) -> Json:
        return {
            "id": ids.packed(f"{app.app_id}{role}")[:43],
            "deletedDateTime": None,
            "appRoleId": _role_id(service.app_id, role),
            "createdDateTime": moment(app.created),
            "principalDisplayName": app.name,
            "principalId": app.id,
            "principalType": "ServicePrincipal",
            "resourceDisplayName": service.name,
            "resourceId": service.id,
        }

    def _app_shape(self) -> Shape:
        return Shape(
            kind="servicePrincipal",
            view=self.view,
            context="servicePrincipals",
            default=self._quirks.directory_page,
            allowed=_FILTER,
            advanced=True,
        )


def _roles(app: Application, service: str) -> frozenset[str]:
    return app.graph_roles if service == GRAPH_APP else app.sharepoint_roles


def _granted(app: Application, service: Application) -> list[str]:
    return sorted(_roles(app, service.app_id)) if service.app_id in (GRAPH_APP, SHAREPOINT_APP) else []


def _role_id(service: str, role: str) -> str:
    return ids.guid(f"role{service[4:9]}", ids.digest([role]))
