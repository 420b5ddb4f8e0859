"""Sites, their libraries and OneDrives.

Sources: site, drive and list resources; site: getAllSites (its next link has another path). There is no sites: delta.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cloudscan_emulators.microsoft import errors, ids
from cloudscan_emulators.microsoft.calls import Call, Result, Shape, collection, single
from cloudscan_emulators.microsoft.quirks import Quirks
from cloudscan_emulators.microsoft.records import NOBODY, Application, Drive, Group, List, Person, Site
from cloudscan_emulators.microsoft.routes import EVERY_FILE, EVERY_SITE
from cloudscan_emulators.microsoft.sharing import Sharing
from cloudscan_emulators.microsoft.tenant_state import TenantState
from cloudscan_emulators.microsoft.text import moment

Json = dict[str, Any]


class SitesApi:
    """Answers for /sites, /drives/{id} and the drives of users and groups."""

    def __init__(self, state: TenantState, sharing: Sharing, quirks: Quirks) -> None:
        self._state = state
        self._sharing = sharing
        self._quirks = quirks
        self.methods: Mapping[str, Callable[[Call], Result]] = {
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
        """The site that is asked for; raises where it is missing or closed to the caller."""
        identity = call.values["site"]
        state = self._state
        site: Site | None = None
        if identity in ("root", state.host):
            site = state.site_at(state.host, "")
        elif "," in identity or ids.number_of("site", identity) is not None:
            parts = identity.split(",")
            collection_id = parts[1] if len(parts) > 1 else parts[0]
            site = next(
                (
                    site
                    for site in state.sites
                    if site.collection == collection_id and (len(parts) < 3 or site.web == parts[2])
                ),
                None,
            )
        else:
            raise errors.malformed_site(identity)
        if site is None or site.deleted:
            raise errors.no_such_site()
        return self.open(call, site)

    def drive(self, call: Call) -> Drive:
        """The drive that is asked for; raises where it is missing or closed to the caller."""
        identity = call.values["drive"]
        if not ids.is_drive_id(identity):
            raise errors.malformed_drive()
        drive = self._state.drive_with(identity)
        if drive is None:
            raise errors.no_such_item()
        self.open(call, self._state.sites[drive.site])
        return drive

    def open(self, call: Call, site: Site) -> Site:
        """The site, unless an administrator has blocked it or the application was granted other sites only."""
        if not call.may(*EVERY_SITE, *EVERY_FILE):
            granted = (self._state.principals[number] for number in site.app_grants)
            if call.token.app_id not in (one.app_id for one in granted if isinstance(one, Application)):
                raise errors.denied("files", EVERY_SITE, ())
        if site.archive != "NotArchived":
            raise errors.denied("files", EVERY_SITE, ())
        if site.lock == "NoAccess":
            raise errors.locked()
        return site

    def site_view(self, site: Site) -> Json:
        """The site resource, with all properties."""
        state = self._state
        view: Json = {
            "createdDateTime": moment(site.created),
            "displayName": site.title,
            "id": site.id,
            "isPersonalSite": site.personal,
            "lastModifiedDateTime": moment(site.modified),
            "name": site.path.rsplit("/", 1)[-1],
            "webUrl": state.site_url(site),
            "sharepointIds": {
                "siteId": site.collection,
                "siteUrl": state.site_url(site),
                "tenantId": state.tenant_id,
                "webId": site.web,
            },
        }
        if site.parent == NOBODY:
            view["root"] = {}
            view["siteCollection"] = {"hostname": state.site_host(site)}
        return view

    def drive_view(self, drive: Drive) -> Json:
        """The drive resource, with all properties."""
        state = self._state
        site = state.sites[drive.site]
        owner: Json = {"user": {"displayName": "System Account"}}
        if site.owner != NOBODY:
            owner = self._sharing.legacy(state.principals[site.owner])
        elif site.group != NOBODY:
            group = state.principals[site.group]
            if isinstance(group, Group):
                owner = {"group": {"displayName": group.name, "email": group.mail, "id": group.id}}
        view: Json = {
            "createdDateTime": moment(drive.created),
            "description": "",
            "id": drive.id,
            "lastModifiedDateTime": moment(site.modified),
            "name": drive.name,
            "webUrl": state.url_of(state.root(drive)),
            "driveType": "business" if drive.personal else "documentLibrary",
            "createdBy": owner,
            "owner": owner,
            "quota": {"deleted": 0, "remaining": 27487790000000, "state": "normal", "total": 27487790694400, "used": 1},
            "sharePointIds": {
                "listId": drive.list_id,
                "siteId": site.collection,
                "siteUrl": state.site_url(site),
                "tenantId": state.tenant_id,
                "webId": site.web,
            },
        }
        if drive.hidden:
            view["system"] = {}
        return view

    def _all(self, call: Call) -> Result:
        sites = [site for site in self._state.sites if not site.deleted and site.parent == NOBODY]
        return collection(call, self._site_shape(pages_at="/sites/oneDrive.getAllSites"), sites)

    def _search(self, call: Call) -> Result:
        wanted = call.options.others.get("search", call.options.search)
        if not wanted:
            raise errors.bad("The search query is missing: use ?search=.", "invalidRequest")
        word = wanted.strip('"*').lower()
        sites = [
            site
            for site in self._state.sites
            if not site.deleted and not site.personal and word in f"{site.title} {site.path}".lower()
        ]
        return collection(call, self._site_shape(), sites)

    def _subsites(self, call: Call) -> Result:
        above = self.site(call).number
        sites = [site for site in self._state.sites if site.parent == above and not site.deleted]
        return collection(call, self._site_shape(), sites)

    def _drives_of_site(self, call: Call) -> Result:
        return collection(call, self._drive_shape(), self._shown(self.site(call), call))

    def _lists(self, call: Call) -> Result:
        site = self.site(call)
        drives = [self._state.drives[number] for number in site.drives]
        shown: list[Drive | List] = [drive for drive in drives if self._is_shown(drive, call)]
        return collection(call, self._list_shape(), [*shown, *site.lists])

    def _permissions(self, call: Call) -> Result:
        """The permissions of applications on this site. The list leaves the roles out, the single resource has them."""
        views = [
            {name: value for name, value in view.items() if name != "roles"}
            for view in self._app_grants(self.site(call))
        ]
        return collection(call, Shape(kind="permission", view=dict, context="sites/permissions"), views)

    def _permission(self, call: Call) -> Result:
        for view in self._app_grants(self.site(call)):
            if view["id"] == call.values["permission"]:
                return single(call, Shape(kind="permission", view=dict, context="sites/permissions"), view)
        raise errors.no_such_item()

    def _app_grants(self, site: Site) -> list[Json]:
        views = []
        for number, role in site.app_grants.items():
            identity = self._sharing.legacy(self._state.principals[number])
            key = ids.packed(f"i:0i.t|ms.sp.ext|{identity['application']['id']}@{self._state.tenant_id}")
            identities = {"grantedToIdentitiesV2": [identity], "grantedToIdentities": [identity]}
            views.append({"id": key, "roles": [role], **identities})
        return views

    def _drive(self, call: Call, drive: Drive) -> Result:
        return single(call, self._drive_shape(), drive)

    def _default(self, site: Site) -> Drive:
        return self._state.drives[site.drives[0]]

    def _shown(self, site: Site, call: Call | None = None) -> list[Drive]:
        drives = [self._state.drives[number] for number in site.drives]
        return [drive for drive in drives if self._is_shown(drive, call)]

    def _is_shown(self, drive: Drive, call: Call | None) -> bool:
        """Whether a library is listed; system libraries only are where `system` is in $select."""
        return not drive.deleted and (not drive.hidden or (call is not None and "system" in call.options.select))

    def _list_of(self, call: Call) -> Drive:
        site = self.site(call)
        for number in site.drives:
            drive = self._state.drives[number]
            if call.values["list"] in (drive.list_id, drive.name):
                return drive
        raise errors.no_such_item()

    def _onedrive(self, call: Call) -> Drive:
        person = self._state.find(call.values["user"])
        if not isinstance(person, Person):
            raise errors.no_such_object(call.values["user"])
        if person.drive == NOBODY or self._state.drives[person.drive].deleted:
            raise errors.no_onedrive()
        drive = self._state.drives[person.drive]
        self.open(call, self._state.sites[drive.site])
        return drive

    def _group_site(self, call: Call) -> Site:
        group = self._state.find(call.values["group"])
        if not isinstance(group, Group):
            raise errors.no_such_object(call.values["group"])
        if group.site == NOBODY or self._state.sites[group.site].deleted:
            raise errors.no_such_item()
        return self.open(call, self._state.sites[group.site])

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

    def _list_view(self, drive: Drive | List) -> Json:
        if isinstance(drive, List):
            info = {"contentTypesEnabled": False, "hidden": drive.hidden, "template": drive.template}
            return {"displayName": drive.name, "id": drive.id, "name": drive.name, "list": info}
        return {
            "createdDateTime": moment(drive.created),
            "displayName": drive.name,
            "id": drive.list_id,
            "name": drive.path,
            "webUrl": self._state.url_of(self._state.root(drive)),
            "list": {"contentTypesEnabled": False, "hidden": drive.hidden, "template": "documentLibrary"},
        }
