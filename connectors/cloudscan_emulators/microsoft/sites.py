"""Sites, their libraries and OneDrives.

Sources: site, drive and list resources; site: getAllSites (its next link has another path); sites: delta is not here.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cloudscan_emulators.microsoft import errors, ids
from cloudscan_emulators.microsoft.calls import Call, Shape, Told, collection, single
from cloudscan_emulators.microsoft.quirks import Quirks
from cloudscan_emulators.microsoft.records import NOBODY, Application, Drive, Group, Person, Site
from cloudscan_emulators.microsoft.routes import EVERY_FILE, EVERY_SITE
from cloudscan_emulators.microsoft.sharing import Sharing
from cloudscan_emulators.microsoft.tenant_state import TenantState
from cloudscan_emulators.microsoft.text import moment

Json = dict[str, Any]


class SitesApi:
    """Answers for /sites, /drives/{id} and the drives of users and groups."""

    def __init__(self, world: TenantState, sharing: Sharing, quirks: Quirks) -> None:
        self._world = world
        self._sharing = sharing
        self._quirks = quirks
        self.methods: Mapping[str, Callable[[Call], Told]] = {
            "sites.all": self._all,
            "sites.search": self._search,
            "sites.get": lambda call: single(call, self._site_shape(), self.site(call)),
            "sites.subsites": self._subsites,
            "sites.drives": self._drives_of_site,
            "sites.drive": lambda call: self._drive(call, self._default(self.site(call))),
            "sites.lists": self._lists,
            "sites.list": lambda call: single(call, self._list_shape(), self._list_of(call)),
            "sites.list.drive": lambda call: self._drive(call, self._list_of(call)),
            "sites.permissions": self._permissions,
            "sites.permission": self._permission,
            "drives.get": lambda call: self._drive(call, self.drive(call)),
            "drives.list": lambda call: single(call, self._list_shape(), self.drive(call)),
            "users.drive": lambda call: self._drive(call, self._onedrive(call)),
            "users.drives": lambda call: collection(call, self._drive_shape(), [self._onedrive(call)]),
            "groups.drive": lambda call: self._drive(call, self._default(self._group_site(call))),
            "groups.drives": lambda call: collection(call, self._drive_shape(), self._shown(self._group_site(call))),
            "groups.site": lambda call: single(call, self._site_shape(), self._group_site(call)),
        }

    def site(self, call: Call) -> Site:
        """The site that is asked for, if it can be had."""
        identity = call.values["site"]
        world = self._world
        found: Site | None = None
        if identity in ("root", world.host):
            found = world.site_at(world.host, "")
        elif "," in identity or ids.number_of("site", identity) is not None:
            parts = identity.split(",")
            collection_id = parts[1] if len(parts) > 1 else parts[0]
            found = next(
                (
                    site
                    for site in world.sites
                    if site.collection == collection_id and (len(parts) < 3 or site.web == parts[2])
                ),
                None,
            )
        else:
            raise errors.malformed_site(identity)
        if found is None or found.deleted:
            raise errors.no_such_site()
        return self.open(call, found)

    def drive(self, call: Call) -> Drive:
        """The drive that is asked for, if it can be had."""
        identity = call.values["drive"]
        if not ids.is_drive_id(identity):
            raise errors.malformed_drive()
        found = self._world.drive_with(identity)
        if found is None:
            raise errors.no_such_item()
        self.open(call, self._world.sites[found.site])
        return found

    def open(self, call: Call, site: Site) -> Site:
        """The site, unless an administrator has blocked it or the application was given other sites only."""
        if not call.may(*EVERY_SITE, *EVERY_FILE):
            given = (self._world.principals[number] for number in site.app_grants)
            if call.token.app_id not in (one.app_id for one in given if isinstance(one, Application)):
                raise errors.denied("files", EVERY_SITE, ())
        if site.lock == "NoAccess":
            raise errors.locked()
        return site

    def site_view(self, site: Site) -> Json:
        world = self._world
        view: Json = {
            "createdDateTime": moment(site.created),
            "displayName": site.title,
            "id": site.id,
            "isPersonalSite": site.personal,
            "lastModifiedDateTime": moment(site.modified),
            "name": site.path.rsplit("/", 1)[-1],
            "webUrl": world.site_url(site),
            "sharepointIds": {
                "siteId": site.collection,
                "siteUrl": world.site_url(site),
                "tenantId": world.tenant_id,
                "webId": site.web,
            },
        }
        if site.parent == NOBODY:
            view["root"] = {}
            view["siteCollection"] = {"hostname": world.site_host(site)}
        return view

    def drive_view(self, drive: Drive) -> Json:
        world = self._world
        site = world.sites[drive.site]
        owner: Json = {"user": {"displayName": "System Account"}}
        if site.owner != NOBODY:
            owner = self._sharing.legacy(world.principals[site.owner])
        elif site.group != NOBODY:
            group = world.principals[site.group]
            if isinstance(group, Group):
                owner = {"group": {"displayName": group.name, "email": group.mail, "id": group.id}}
        view: Json = {
            "createdDateTime": moment(drive.created),
            "description": "",
            "id": drive.id,
            "lastModifiedDateTime": moment(site.modified),
            "name": drive.name,
            "webUrl": world.url_of(world.root(drive)),
            "driveType": "business" if drive.personal else "documentLibrary",
            "createdBy": owner,
            "owner": owner,
            "quota": {"deleted": 0, "remaining": 27487790000000, "state": "normal", "total": 27487790694400, "used": 1},
            "sharePointIds": {
                "listId": drive.list_id,
                "siteId": site.collection,
                "siteUrl": world.site_url(site),
                "tenantId": world.tenant_id,
                "webId": site.web,
            },
        }
        if drive.hidden:
            view["system"] = {}
        return view

    def _all(self, call: Call) -> Told:
        sites = [site for site in self._world.sites if not site.deleted and site.parent == NOBODY]
        return collection(call, self._site_shape(pages_at="/sites/oneDrive.getAllSites"), sites)

    def _search(self, call: Call) -> Told:
        wanted = call.options.others.get("search", call.options.search)
        if not wanted:
            raise errors.bad("The search query is missing: use ?search=.", "invalidRequest")
        word = wanted.strip('"*').lower()
        sites = [
            site
            for site in self._world.sites
            if not site.deleted and not site.personal and word in f"{site.title} {site.path}".lower()
        ]
        return collection(call, self._site_shape(), sites)

    def _subsites(self, call: Call) -> Told:
        above = self.site(call).number
        sites = [site for site in self._world.sites if site.parent == above and not site.deleted]
        return collection(call, self._site_shape(), sites)

    def _drives_of_site(self, call: Call) -> Told:
        return collection(call, self._drive_shape(), self._shown(self.site(call), call))

    def _lists(self, call: Call) -> Told:
        site = self.site(call)
        drives = [self._world.drives[number] for number in site.drives]
        return collection(call, self._list_shape(), [drive for drive in drives if self._is_shown(drive, call)])

    def _permissions(self, call: Call) -> Told:
        """What applications were given on this very site. The list leaves the roles out, the single one has them."""
        views = [
            {name: value for name, value in view.items() if name != "roles"}
            for view in self._app_grants(self.site(call))
        ]
        return collection(call, Shape(kind="permission", view=dict, context="sites/permissions"), views)

    def _permission(self, call: Call) -> Told:
        for view in self._app_grants(self.site(call)):
            if view["id"] == call.values["permission"]:
                return single(call, Shape(kind="permission", view=dict, context="sites/permissions"), view)
        raise errors.no_such_item()

    def _app_grants(self, site: Site) -> list[Json]:
        views = []
        for number, role in site.app_grants.items():
            identity = self._sharing.legacy(self._world.principals[number])
            key = ids.packed(f"i:0i.t|ms.sp.ext|{identity['application']['id']}@{self._world.tenant_id}")
            told = {"grantedToIdentitiesV2": [identity], "grantedToIdentities": [identity]}
            views.append({"id": key, "roles": [role], **told})
        return views

    def _drive(self, call: Call, drive: Drive) -> Told:
        return single(call, self._drive_shape(), drive)

    def _default(self, site: Site) -> Drive:
        return self._world.drives[site.drives[0]]

    def _shown(self, site: Site, call: Call | None = None) -> list[Drive]:
        drives = [self._world.drives[number] for number in site.drives]
        return [drive for drive in drives if self._is_shown(drive, call)]

    def _is_shown(self, drive: Drive, call: Call | None) -> bool:
        """System libraries are told only to those who ask for `system` in $select."""
        return not drive.deleted and (not drive.hidden or (call is not None and "system" in call.options.select))

    def _list_of(self, call: Call) -> Drive:
        site = self.site(call)
        for number in site.drives:
            drive = self._world.drives[number]
            if call.values["list"] in (drive.list_id, drive.name):
                return drive
        raise errors.no_such_item()

    def _onedrive(self, call: Call) -> Drive:
        person = self._world.find(call.values["user"])
        if not isinstance(person, Person):
            raise errors.no_such_object(call.values["user"])
        if person.drive == NOBODY or self._world.drives[person.drive].deleted:
            raise errors.no_onedrive()
        drive = self._world.drives[person.drive]
        self.open(call, self._world.sites[drive.site])
        return drive

    def _group_site(self, call: Call) -> Site:
        group = self._world.find(call.values["group"])
        if not isinstance(group, Group):
            raise errors.no_such_object(call.values["group"])
        if group.site == NOBODY or self._world.sites[group.site].deleted:
            raise errors.no_such_item()
        return self.open(call, self._world.sites[group.site])

    def _site_shape(self, *, pages_at: str = "") -> Shape:
        return Shape(
            kind="site",
            view=self.site_view,
            context="sites",
            default=self._quirks.sites_page,
            most=1000,
            pages_at=pages_at,
            capped=True,
            expansions={"drive": lambda site: self.drive_view(self._default(site))},
        )

    def _drive_shape(self) -> Shape:
        return Shape(
            kind="drive",
            view=self.drive_view,
            context="drives",
            default=self._quirks.sites_page,
            capped=True,
            expansions={"list": self._list_view},
        )

    def _list_shape(self) -> Shape:
        return Shape(
            kind="list", view=self._list_view, context="lists", capped=True, expansions={"drive": self.drive_view}
        )

    def _list_view(self, drive: Drive) -> Json:
        return {
            "createdDateTime": moment(drive.created),
            "displayName": drive.name,
            "id": drive.list_id,
            "name": drive.path,
            "webUrl": self._world.url_of(self._world.root(drive)),
            "list": {"contentTypesEnabled": False, "hidden": drive.hidden, "template": "documentLibrary"},
        }
