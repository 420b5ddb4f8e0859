"""The addresses of Graph, their costs and the application permissions that each needs.

Source: the permission tables of each call; resource units from SharePoint's throttling page.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from cloudscan_emulators.microsoft import errors, ids
from cloudscan_emulators.microsoft.records import NOBODY, Group, Person
from cloudscan_emulators.microsoft.tenant_state import TenantState

EVERY_SITE = ("Sites.Read.All", "Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All")
EVERY_FILE = ("Files.Read.All", "Files.ReadWrite.All")
_FILES = (*EVERY_FILE, *EVERY_SITE, "Sites.Selected")
_SITES = (*EVERY_SITE, "Sites.Selected")
_FULL = ("Sites.FullControl.All",)
_DIRECTORY = ("Directory.Read.All", "Directory.ReadWrite.All")
_USERS = ("User.Read.All", "User.ReadWrite.All", *_DIRECTORY)
_GROUPS = ("GroupMember.Read.All", "Group.Read.All", "Group.ReadWrite.All", *_DIRECTORY)
_TEAMS = ("Team.ReadBasic.All", "TeamSettings.Read.All", "Group.Read.All", *_DIRECTORY)
_TEAM_MEMBERS = ("TeamMember.Read.All", "TeamMember.ReadWrite.All")
_CHANNELS = ("Channel.ReadBasic.All", "ChannelSettings.Read.All", "Group.Read.All", *_DIRECTORY)
_CHANNEL_MEMBERS = ("ChannelMember.Read.All", "ChannelMember.ReadWrite.All")
_APPS = ("Application.Read.All", "Application.ReadWrite.All", *_DIRECTORY)
_SETTINGS = ("SharePointTenantSettings.Read.All", "SharePointTenantSettings.ReadWrite.All")
_POLICIES = ("Policy.Read.All",)
_ORGANISATION = ("Organization.Read.All", "Directory.Read.All", "User.Read.All")
_LABELS = ("SensitivityLabel.Read", "SensitivityLabels.Read.All", "InformationProtectionPolicy.Read.All")
_DOMAINS = ("Domain.Read.All", *_DIRECTORY)
_TENANTS = ("CrossTenantInformation.ReadBasic.All",)
_WRAPPED = re.compile(r"^(?P<name>[\w.]+)\((?:(?P<key>\w+)=)?(?:'(?P<value>[^']*)'|(?P<bare>[^)]*))?\)$")
_BY_OWNER = re.compile(r"^/(?P<kind>sites|users|groups)/(?P<owner>[^/]+)/drives?(?P<tail>/.+)$")
_BY_PATH = re.compile(
    r"^(?P<head>/sites/[^/:]+|/drives/[^/]+/(?:root|items/[^/:]+)):/(?P<path>[^:]*)(?::(?P<tail>/.*)?)?$"
)


@dataclass(frozen=True, kw_only=True)
class Route:
    """One kind of address."""

    method: str
    parts: tuple[str, ...]
    family: str
    roles: tuple[str, ...]
    units: int = 0  # resource units; 0: not a call to SharePoint
    verb: str = "GET"


@dataclass(frozen=True, kw_only=True)
class RouteMatch:
    """A route with the values that an address has for it."""

    route: Route
    values: Mapping[str, str] = field(default_factory=dict)


def _table() -> Sequence[Route]:
    lines: list[tuple[str, str, str, tuple[str, ...], int]] = [
        ("sites.all", "sites/getAllSites", "files", EVERY_SITE, 2),
        ("sites.all", "sites/oneDrive.getAllSites", "files", EVERY_SITE, 2),
        ("sites.search", "sites", "files", EVERY_SITE, 2),
        ("sites.get", "sites/{site}", "files", _SITES, 1),
        ("sites.subsites", "sites/{site}/sites", "files", _SITES, 2),
        ("sites.drives", "sites/{site}/drives", "files", _FILES, 2),
        ("sites.drive", "sites/{site}/drive", "files", _FILES, 1),
        ("sites.lists", "sites/{site}/lists", "files", _SITES, 2),
        ("sites.list", "sites/{site}/lists/{list}", "files", _SITES, 1),
        ("sites.list.drive", "sites/{site}/lists/{list}/drive", "files", _FILES, 1),
        ("sites.permissions", "sites/{site}/permissions", "files", _FULL, 5),
        ("sites.permission", "sites/{site}/permissions/{permission}", "files", _FULL, 5),
        ("drives.get", "drives/{drive}", "files", _FILES, 1),
        ("drives.list", "drives/{drive}/list", "files", _SITES, 1),
        ("items.get", "drives/{drive}/root", "files", _FILES, 1),
        ("items.get", "drives/{drive}/items/{item}", "files", _FILES, 1),
        ("items.children", "drives/{drive}/root/children", "files", _FILES, 2),
        ("items.children", "drives/{drive}/items/{item}/children", "files", _FILES, 2),
        ("items.delta", "drives/{drive}/root/delta", "files", _FILES, 2),
        ("items.delta", "drives/{drive}/items/{item}/delta", "files", _FILES, 2),
        ("items.permissions", "drives/{drive}/root/permissions", "files", _FILES, 5),
        ("items.permissions", "drives/{drive}/items/{item}/permissions", "files", _FILES, 5),
        ("items.permission", "drives/{drive}/items/{item}/permissions/{permission}", "files", _FILES, 5),
        ("items.permission", "drives/{drive}/root/permissions/{permission}", "files", _FILES, 5),
        ("users.drive", "users/{user}/drive", "files", _FILES, 1),
        ("users.drives", "users/{user}/drives", "files", _FILES, 2),
        ("groups.drive", "groups/{group}/drive", "files", _FILES, 1),
        ("groups.drives", "groups/{group}/drives", "files", _FILES, 2),
        ("groups.site", "groups/{group}/sites/root", "files", _SITES, 1),
        ("users.list", "users", "directory", _USERS, 0),
        ("users.get", "users/{user}", "directory", _USERS, 0),
        ("users.sponsors", "users/{user}/sponsors", "directory", _USERS, 0),
        ("users.manager", "users/{user}/manager", "directory", _USERS, 0),
        ("users.memberOf", "users/{user}/memberOf", "directory", _USERS, 0),
        ("users.transitiveMemberOf", "users/{user}/transitiveMemberOf", "directory", _USERS, 0),
        ("groups.list", "groups", "directory", _GROUPS, 0),
        ("groups.get", "groups/{group}", "directory", _GROUPS, 0),
        ("groups.owners", "groups/{group}/owners", "directory", _GROUPS, 0),
        ("groups.members", "groups/{group}/members", "directory", _GROUPS, 0),
        ("groups.transitiveMembers", "groups/{group}/transitiveMembers", "directory", _GROUPS, 0),
        ("groups.owners", "groups/{group}/owners/graph.{cast}", "directory", _GROUPS, 0),
        ("groups.members", "groups/{group}/members/graph.{cast}", "directory", _GROUPS, 0),
        ("groups.transitiveMembers", "groups/{group}/transitiveMembers/graph.{cast}", "directory", _GROUPS, 0),
        ("groups.team", "groups/{group}/team", "teams", _TEAMS, 0),
        ("teams.list", "teams", "teams", _TEAMS, 0),
        ("teams.get", "teams/{team}", "teams", _TEAMS, 0),
        ("teams.members", "teams/{team}/members", "teams", _TEAM_MEMBERS, 0),
        ("teams.channels", "teams/{team}/channels", "teams", _CHANNELS, 0),
        ("teams.channels", "teams/{team}/allChannels", "teams", _CHANNELS, 0),
        ("channels.get", "teams/{team}/channels/{channel}", "teams", _CHANNELS, 0),
        ("channels.members", "teams/{team}/channels/{channel}/members", "teams", _CHANNEL_MEMBERS, 0),
        ("channels.allMembers", "teams/{team}/channels/{channel}/allMembers", "teams", _CHANNEL_MEMBERS, 0),
        ("channels.sharedWithTeams", "teams/{team}/channels/{channel}/sharedWithTeams", "teams", _CHANNELS, 0),
        ("channels.filesFolder", "teams/{team}/channels/{channel}/filesFolder", "teams", _FILES, 1),
        ("apps.list", "servicePrincipals", "directory", _APPS, 0),
        ("apps.get", "servicePrincipals/{app}", "directory", _APPS, 0),
        ("apps.appRoleAssignments", "servicePrincipals/{app}/appRoleAssignments", "directory", _APPS, 0),
        ("apps.appRoleAssignedTo", "servicePrincipals/{app}/appRoleAssignedTo", "directory", _APPS, 0),
        ("tenant.settings", "admin/sharepoint/settings", "settings", _SETTINGS, 1),
        ("tenant.organization", "organization", "directory", _ORGANISATION, 0),
        ("tenant.partners", "policies/crossTenantAccessPolicy/partners", "directory", _POLICIES, 0),
        ("tenant.partner", "policies/crossTenantAccessPolicy/partners/{tenant}", "directory", _POLICIES, 0),
        ("tenant.default", "policies/crossTenantAccessPolicy/default", "directory", _POLICIES, 0),
        ("tenant.authorization", "policies/authorizationPolicy", "directory", _POLICIES, 0),
        ("tenant.labels", "security/dataSecurityAndGovernance/sensitivityLabels", "directory", _LABELS, 0),
        ("tenant.skus", "subscribedSkus", "directory", _ORGANISATION, 0),
        ("tenant.domains", "domains", "directory", _DOMAINS, 0),
        ("audits.directory", "auditLogs/directoryAudits", "directory", ("AuditLog.Read.All",), 0),
        ("tenant.by_id", "tenantRelationships/findTenantInformationByTenantId", "directory", _TENANTS, 0),
    ]
    routes = [
        Route(method=method, parts=tuple(path.split("/")), family=family, roles=roles, units=units)
        for method, path, family, roles, units in lines
    ]
    labels = ("drives", "{drive}", "items", "{item}", "extractSensitivityLabels")
    routes.append(Route(method="items.labels", parts=labels, family="files", roles=_FILES, units=2, verb="POST"))
    return routes


class Routes:
    """Finds the route of an address."""

    def __init__(self, state: TenantState) -> None:
        self._state = state
        self._by_length: dict[int, list[Route]] = {}
        for route in _table():
            self._by_length.setdefault(len(route.parts), []).append(route)

    def find(self, verb: str, path: str) -> RouteMatch:
        """The route of a path after ``/v1.0``; unknown ones are refused."""
        parts, values = _parts(self._resolved(path))
        if parts[0] == "me":
            raise errors.delegated_only()
        for route in self._by_length.get(len(parts), ()):
            matched = _match(route.parts, parts)
            if matched is None:
                continue
            if route.verb != verb:
                raise errors.read_only(verb)
            return RouteMatch(route=route, values={**values, **matched})
        raise errors.no_such_segment(parts[-1])

    def _resolved(self, path: str) -> str:
        """The address by ids for one by path (``:/sites/x``, ``root:/folder/file``) or by owner."""
        while True:
            match = _BY_PATH.match(path)
            if match is None:
                return self._by_owner(path)
            path = self._by_path(match)

    def _by_owner(self, path: str) -> str:
        """The address by ids for one by owner, such as ``/users/…/drive/root``."""
        match = _BY_OWNER.match(path)
        if match is None:
            return path
        if "/drives/" in path:
            return f"/drives{match['tail']}"
        owner = unquote(match["owner"])
        if match["kind"] == "sites":
            site = next((one for one in self._state.sites if owner in (one.id, one.collection)), None)
            drive = site.drives[0] if site is not None else NOBODY
        else:
            one = self._state.find(owner)
            drive = one.drive if isinstance(one, Person) else NOBODY
            if isinstance(one, Group) and one.site != NOBODY:
                drive = self._state.sites[one.site].drives[0]
        if drive == NOBODY:
            raise errors.no_onedrive() if match["kind"] == "users" else errors.no_such_item()
        return f"/drives/{self._state.drives[drive].id}{match['tail']}"

    def _by_path(self, match: re.Match[str]) -> str:
        head, names, tail = match["head"], unquote(match["path"]), match["tail"] or ""
        if head.startswith("/sites/"):
            site = self._state.site_at(unquote(head.removeprefix("/sites/")).partition(",")[0], names)
            if site is None:
                raise errors.no_such_site()
            return f"/sites/{site.id}{tail}"
        _, _, drive_id, *rest = head.split("/")
        drive = self._state.drive_with(unquote(drive_id))
        if drive is None:
            raise errors.no_such_item()
        item = self._state.root(drive) if rest == ["root"] else self._state.item(rest[-1])
        for name in filter(None, names.split("/")):
            below = [] if item is None else self._state.children(item.number)
            children = [child for child in map(self._state.items.__getitem__, below) if child is not None]
            item = next((child for child in children if child.name.lower() == name.lower()), None)
        if item is None:
            raise errors.no_such_item()
        return f"/drives/{drive_id}/items/{ids.item_id(item.number)}{tail}"


def _parts(path: str) -> tuple[list[str], dict[str, str]]:
    values: dict[str, str] = {}
    parts = []
    for raw in path.strip("/").split("/"):
        part = unquote(raw)
        for prefix in ("microsoft.graph.", "graph."):
            part = part.removeprefix(prefix)
        match = _WRAPPED.match(part)
        if match is not None:
            part = match["name"].removeprefix("microsoft.graph.")
            value = match["value"] if match["value"] is not None else match["bare"] or ""
            if match["key"]:
                values[match["key"].removesuffix("Id").lower()] = value
                if part == "servicePrincipals":
                    parts += [part, f"{match['key']}={value}"]
                    continue
            elif value:
                parts += [part, value]
                continue
        parts.append(part)
    return parts, values


def _match(pattern: tuple[str, ...], parts: Sequence[str]) -> dict[str, str] | None:
    values = {}
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted.startswith("{"):
            values[wanted[1:-1]] = part
        elif wanted == "graph.{cast}":
            values["cast"] = part
        elif wanted.lower() != part.lower():
            return None
    return values
