"""Sites, libraries, OneDrives and the channels that have a site of their own."""

from collections.abc import Mapping
from urllib.parse import quote

from cloudscan_emulators.microsoft import ids
from cloudscan_emulators.microsoft.people import INSIDERS, People
from cloudscan_emulators.microsoft.records import (
    NOBODY,
    TOP,
    Channel,
    Direct,
    Drive,
    Grant,
    Group,
    Item,
    Kind,
    List,
    Person,
    Seat,
    Site,
    SiteGroup,
)

_DAY = 86_400
_FIRST_LOCAL = 3  # 1 and 2 belong to the site's creators
_ROLES = {"Owners": "owner", "Members": "write", "Visitors": "read"}


class Containers(People):
    """The sites and drives of a tenant."""

    def add_site(
        self,
        path: str,
        title: str,
        *,
        template: str = "STS#3",
        group: Group | None = None,
        parent: Site | None = None,
        owner: str = "",
        channel: str = "",
        label: str = "",
        sharing: int = 1,
        created: int | None = None,
        library: str = "Documents",
    ) -> Site:
        """A site with its three groups and one library. `path` is the address after the host, without a slash."""
        with self.lock:
            number = len(self.sites)
            web = ids.guid("web", number)
            collection = ids.guid("site", number) if parent is None else parent.collection
            when = self.now - 800 * _DAY if created is None else created
            site = Site(
                number=number,
                id=f"{self.host},{collection},{web}",
                collection=collection,
                web=web,
                path=path,
                title=title,
                template="GROUP#0" if group is not None and template == "STS#3" else template,
                parent=NOBODY if parent is None else parent.number,
                group=NOBODY if group is None else group.number,
                owner=self.named(owner).number if owner else NOBODY,
                channel=channel,
                label=label or (group.label if group is not None else ""),
                sharing=sharing,
                created=when,
                modified=when,
            )
            self.sites.append(site)
            if parent is None:
                self._make_groups(site, group)
            else:
                site.groups = parent.groups
            if group is not None and not channel:
                group.site = number
            self.add_library(site, library, path="Shared Documents")
            return site

    def add_library(self, site: Site, name: str, *, path: str = "", hidden: bool = False) -> Drive:
        """A document library, granted to the site's groups."""
        grants = tuple(Direct(site.groups[name], role) for name, role in _ROLES.items() if name in site.groups)
        return self._make_drive(site, name, path or name, grants, hidden=hidden)

    def add_list(self, site: Site, name: str, *, template: str = "genericList", hidden: bool = False) -> List:
        """A list that is no library."""
        added = List(
            id=ids.guid(f"list of {site.number}", len(site.lists)), name=name, template=template, hidden=hidden
        )
        site.lists.append(added)
        return added

    def add_onedrive(self, upn: str) -> Drive:
        """A person's OneDrive, in a personal site."""
        with self.lock:
            person = self.person(upn)
            number = len(self.sites)
            collection, web = ids.guid("site", number), ids.guid("web", number)
            name = "".join(sign if sign.isalnum() else "_" for sign in person.upn)
            site = Site(
                number=number,
                id=f"{self.my_host},{collection},{web}",
                collection=collection,
                web=web,
                path=f"personal/{name}",
                title=person.name,
                template="SPSPERS#10",
                owner=person.number,
                personal=True,
                sharing=2,
                created=person.created,
                modified=person.created,
            )
            self.sites.append(site)
            drive = self._make_drive(site, "OneDrive", "Documents", (Direct(person.number, "owner"),), personal=True)
            person.drive = drive.number
            return drive

    def add_channel(
        self, group: Group, name: str, membership: str = "standard", *, members: tuple[str, ...] = (), owner: str = ""
    ) -> Channel:
        """A channel; a private or shared one has members and a site of its own."""
        with self.lock:
            channel = Channel(number=group.number * 100 + len(group.channels), name=name, membership=membership)
            channel.created = self.now - 300 * _DAY
            group.channels.append(channel)
            if membership != "standard":
                channel.members = {self.named(one).number: "" for one in members}
                if owner:
                    channel.members[self.named(owner).number] = "owner"
                path = f"{self.sites[group.site].path}-{_slug(name)}" if group.site >= 0 else f"sites/{_slug(name)}"
                site = self.add_site(
                    path, f"{group.name}-{name}", template="TEAMCHANNEL#1", group=group, channel=membership
                )
                for number, role in channel.members.items():
                    self.seat(site, "Owners" if role else "Members", number)
                channel.site = site.number
            return channel

    def add_site_group(self, site: Site, name: str, *members: str, members_only: bool = False) -> SiteGroup:
        """Another group of a site."""
        with self.lock:
            group = SiteGroup(
                number=len(self.principals),
                name=name,
                site=site.number,
                local=_FIRST_LOCAL + len(site.groups),
                members_only=members_only,
            )
            group.seats = [Seat(self.named(one).number) for one in members]
            self.principals.append(group)
            site.groups[name] = group.number
            return group

    def seat(self, site: Site, group: str, principal: int | str) -> None:
        """Add a member to a site's group. No drive logs it."""
        with self.lock:
            number = self.named(principal).number if isinstance(principal, str) else principal
            self.site_group(site.groups[group]).seats.append(Seat(number))

    def lock_site(self, site: Site, state: str = "NoAccess") -> None:
        """Block a site: ``NoAccess``, ``ReadOnly`` or ``Unlock``."""
        site.lock = state

    def delete_site(self, site: Site) -> None:
        """Delete a site with its drives."""
        with self.lock:
            site.deleted = True
            for number in site.drives:
                self.drives[number].deleted = True

    def site_at(self, host: str, path: str) -> Site | None:
        """The site at an address; None where there is none."""
        wanted = path.strip("/").lower()
        for site in self.sites:
            if site.path.lower() == wanted and self.site_host(site) == host.lower() and not site.deleted:
                return site
        return None

    def site_host(self, site: Site) -> str:
        """The host of a site."""
        return f"{self.short}{site.geo}{'-my' if site.personal else ''}.sharepoint.com"

    def hosts(self) -> Mapping[str, str]:
        """All hosts of the tenant's SharePoint, each with its geography; empty for the first one."""
        kinds = ("", "-my", "-admin")
        return {f"{self.short}{geo}{kind}.sharepoint.com": geo for geo in ("", *self.geos) for kind in kinds}

    def admin_host_of(self, geo: str) -> str:
        """The host of a geography's administration."""
        return f"{self.short}{geo}-admin.sharepoint.com"

    def move_to_geography(self, site: Site, geo: str, **settings: object) -> None:
        """Have a site in another geography. `settings` are what its administration says otherwise."""
        self.geos.setdefault(geo, {}).update(settings)
        site.geo = geo
        site.id = ",".join((self.site_host(site), site.collection, site.web))

    def archive_site(self, site: Site, status: str = "FullyArchived") -> None:
        """Archive a site; its libraries are then closed to everybody."""
        site.archive = status

    def site_url(self, site: Site) -> str:
        """The address of a site."""
        base = f"https://{self.site_host(site)}"
        return f"{base}/{quote(site.path)}" if site.path else base

    def owner_of(self, site: Site) -> Person | None:
        """The person who owns a site, if any."""
        if site.owner == NOBODY:
            return None
        one = self.principals[site.owner]
        return one if isinstance(one, Person) else None

    def _make_groups(self, site: Site, group: Group | None) -> None:
        for name in _ROLES:
            site_group = self.add_site_group(site, name)
            site_group.name = f"{site.title} {name}"
        if group is not None and not site.channel:
            self.site_group(site.groups["Owners"]).seats.append(Seat(group.number, owners_only=True))
            members = self.site_group(site.groups["Members"]).seats
            members.append(Seat(group.number))
            if group.visibility == "Public":
                members.append(Seat(self.named(INSIDERS).number))

    def _make_drive(
        self,
        site: Site,
        name: str,
        path: str,
        grants: tuple[Grant, ...],
        *,
        personal: bool = False,
        hidden: bool = False,
    ) -> Drive:
        number = len(self.drives)
        library = ids.guid("list", number)
        drive = Drive(
            number=number,
            id=ids.drive_id(site.collection, site.web, library),
            list_id=library,
            site=site.number,
            name=name,
            path=path,
            personal=personal,
            hidden=hidden,
            created=site.created,
        )
        self.drives.append(drive)
        site.drives.append(number)
        root = Item(
            len(self.items),
            number,
            TOP,
            Kind.ROOT,
            "root",
            "",
            0,
            site.created,
            site.created,
            site.owner,
            grants,
        )
        self.items.append(root)
        drive.root = root.number
        drive.items.append(root.number)
        return drive


def _slug(name: str) -> str:
    return "".join(sign for sign in name if sign.isalnum())
