"""From Data Connect's rows to facts: sites, their groups, what was granted where, and the files that inherit it.

What is unique is kept, by its scope of permissions; files are read one by one and never kept. A file whose scope no row
explains has unknown grants.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from cloudscan.facts import (
    OBSERVED_ON,
    AnyFact,
    Audience,
    Membership,
    Principal,
    Resource,
    unread_grants,
)
from cloudscan_m365.api.models import Permission
from cloudscan_m365.api.moments import moment
from cloudscan_m365.bulk.permissions import drive_id, guid, identity_of, permissions_of
from cloudscan_m365.bulk.rows import FILES, GROUPS, PERMISSIONS, SITES, Export, Row, number, part, parts, text, truth
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.grantees import grantee_of
from cloudscan_m365.meaning.people import Grantee, GroupContents, People, SiteGroups
from cloudscan_m365.meaning.translate import Sharing, TenantContext, TranslatedPermission, translate

_LINK_GROUP: Final = "sharinglinks."
_ADMINISTRATOR: Final = "siteadmin"
_FULL_CONTROL: Final = ("sp.full control",)
_ARCHIVED: Final = frozenset({"fullyarchived", "recentlyarchived"})


@dataclass(frozen=True, kw_only=True)
class _Site:
    """A site collection: what its permissions depend on."""

    identity: str
    root: str  # the guid of its top web
    host: str
    path: str
    tenant: TenantContext
    personal: bool

    def web(self, web: str) -> str:
        """The uid of one of its webs."""
        return uids.site(self.identity if web in ("", self.root) else f"{self.identity}/{web}")

    def library(self, web: str, library: str) -> str:
        """The uid of one of its document libraries."""
        identity = drive_id(self.identity, web or self.root, library)
        return uids.onedrive(identity) if self.personal else uids.library(identity)


@dataclass
class SharePointExport:
    """One export, read with what is known of the tenant's people. Read once."""

    export: Export
    context: TenantContext  # its groups and its site's sharing are filled in
    account: str
    unexplained: int = 0  # files whose permissions no row explains
    unread_sites: set[str] = field(default_factory=set)  # that permissions name and Sites lacks
    _sites: dict[str, _Site] = field(default_factory=dict)
    _reported: set[str] = field(default_factory=set)  # uids of principals and containers
    _kinds: dict[tuple[str, Permission], TranslatedPermission | None] = field(default_factory=dict)
    _scopes: dict[tuple[str, str], tuple[str, list[tuple[str, TranslatedPermission]]]] = field(default_factory=dict)
    _members: dict[str, dict[str, Sequence[Grantee | None]]] = field(default_factory=dict)  # of groups, by site
    _titles: dict[str, dict[str, str]] = field(default_factory=dict)  # of groups by their numbers, by site
    _items: dict[str, Resource] = field(default_factory=dict)  # files with permissions of their own, until they come

    @property
    def people(self) -> People:
        """The tenant's directory."""
        return self.context.people

    def facts(self) -> Iterator[AnyFact]:
        """Everything that the export says."""
        groups = self._groups()
        for row in self.export.rows(SITES):
            yield from self._site(row, groups)
        yield from self._facts_of_groups()
        for row in self.export.rows(PERMISSIONS):
            yield from self._permission(row)
        for row in self.export.rows(FILES):
            yield from self._file(row)
        yield from self._items.values()  # files of which only permissions are known

    def _groups(self) -> Mapping[str, SiteGroups]:
        """The groups of each site, with who is in them. Those behind links are told by the links."""
        numbers: dict[str, dict[str, str]] = {}
        for row in self.export.rows(GROUPS):
            site, identity, name = guid(text(row, "siteid")), text(row, "groupid"), text(row, "displayname")
            if not site or not identity or name.lower().startswith(_LINK_GROUP) or guid(text(row, "grouplinkid")):
                continue
            plain = SiteGroups(site=site)
            listed = [grantee_of(self.people, identity_of(one), plain) for one in parts(row, "members")]
            self._members.setdefault(site, {})[identity] = listed
            self._titles.setdefault(site, {})[identity] = name
            numbers.setdefault(site, {})[name.lower()] = identity
        return {
            site: SiteGroups(
                site=site,
                contents={identity: _contents(listed) for identity, listed in inside.items()},
                numbers=numbers[site],
                origin=uids.site(site),
            )
            for site, inside in self._members.items()
        }

    def _facts_of_groups(self) -> Iterator[AnyFact]:
        for site, inside in self._members.items():
            for identity, listed in inside.items():
                group = self.people.site_group(site, identity, self._titles[site].get(identity, ""), _contents(listed))
                yield from self._principal(group)
                for grantee in listed:
                    if grantee is not None:
                        yield from self._principal(grantee.principal)
                        yield Membership(group_uid=group.uid, member_uid=grantee.principal.uid)
                if None in listed or not listed:
                    yield Membership(group_uid=group.uid, member_uid=None)

    def _site(self, row: Row, groups: Mapping[str, SiteGroups]) -> Iterator[AnyFact]:
        identity, url = guid(text(row, "id")), text(row, "url")
        if not identity or truth(row, "isinrecyclebin"):
            return
        top, address = part(row, "rootweb"), urlsplit(url)
        personal = truth(row, "isonedrive")
        if personal is None:
            personal = "-my.sharepoint." in address.netloc and "/personal/" in address.path
        owner = grantee_of(self.people, identity_of(part(row, "owner")), SiteGroups(site=identity))
        owner_uid = owner.principal.uid if owner is not None and part(row, "owner") else None
        self._sites[identity] = site = _Site(
            identity=identity,
            root=guid(text(top, "id")),
            host=f"{address.scheme}://{address.netloc}" if address.netloc else "",
            path=unquote(address.path).strip("/"),
            personal=personal,
            tenant=TenantContext(
                people=self.people,
                groups=groups.get(identity, SiteGroups(site=identity)),
                sharing=_sharing(row, self.context.sharing.tenant),
                owner_uid=owner_uid if personal else None,
                now=self.context.now,
                block="graph-site-archived" if text(row, "archivestate").lower() in _ARCHIVED else "",
            ),
        )
        if owner is not None and owner_uid:
            yield from self._principal(owner.principal)
        if personal:
            return  # its OneDrive is told where something in it is
        group = guid(text(row, "groupid"))
        yield Resource(
            uid=site.web(""),
            platform=uids.PLATFORM,
            account=self.account,
            kind="site",
            name=text(top, "title") or site.path or url,
            path=site.path or "/",
            parent_uid=uids.tenant(self.people.tenant_id),
            container_uid=uids.tenant(self.people.tenant_id),
            owner_uid=owner_uid,
            created_on=moment(text(row, "createdtime")),
            modified_on=moment(text(top, "lastitemmodifieddate")),
            label=text(part(row, "sensitivitylabelinfo"), "displayname"),
            url=url,
            detail={
                **_observed(row),
                **({"template": text(top, "webtemplate")} if text(top, "webtemplate") else {}),
                **({"group_id": group} if group else {}),
                **({"lock": "NoAccess"} if truth(row, "readlocked") else {}),
            },
        )

    def _permission(self, row: Row) -> Iterator[AnyFact]:
        site = self._sites.get(guid(text(row, "siteid")))
        if site is None:
            self.unread_sites.add(guid(text(row, "siteid")))
            return
        kind, web = text(row, "itemtype").replace(" ", "").lower(), guid(text(row, "webid"))
        about = yield from self._about(row, site, kind, web)
        listed = self._scopes.setdefault((site.identity, text(row, "scopeid").lower() or about), (about, []))[1]
        shared_on = moment(text(row, "sharecreatedtime"))
        for written in permissions_of(row):
            roles = _FULL_CONTROL if kind == _ADMINISTRATOR else written.roles
            permission = msgspec.structs.replace(written, roles=roles)
            translated = self._translated(site, permission)
            if translated is None:
                continue
            key = f"{permission.id or 'role'}-{len(listed)}"
            if kind != _ADMINISTRATOR:
                listed.append((key, translated))
            for principal in translated.principals:
                yield from self._principal(principal)
            yield msgspec.structs.replace(
                translated.grant,
                uid=f"{about}#{'admin-' if kind == _ADMINISTRATOR else ''}{key}",
                resource_uid=about,
                origin_uid=about,
                granted_on=shared_on,
            )

    def _about(self, row: Row, site: _Site, kind: str, web: str) -> Generator[AnyFact, None, str]:
        """The uid of what a row is about, which is told where it is new."""
        if kind in (_ADMINISTRATOR, "web", "site"):
            return site.web(web)
        library = guid(text(row, "listid"))
        container = site.library(web, library)
        yield from self._library(site, web, container, row)
        if kind == "list":
            return container
        identity = guid(text(row, "uniqueid")) or text(row, "listitemid")
        uid = uids.item(drive_id(site.identity, web or site.root, library), identity)
        if uid not in self._reported:
            self._reported.add(uid)
            path = unquote(text(row, "itemurl")).strip("/")
            item = Resource(
                uid=uid,
                platform=uids.PLATFORM,
                account=self.account,
                kind="folder" if kind == "folder" else "file",
                name=path.rpartition("/")[2] or identity,
                path=_within(path, site),
                parent_uid=container,
                container_uid=container,
                owner_uid=site.tenant.owner_uid,
                url=f"{site.host}/{text(row, 'itemurl').lstrip('/')}" if site.host and path else "",
                detail=_observed(row),
            )
            if kind == "folder":
                yield item
            else:
                self._items[uid] = item  # its size is in another dataset
        return uid

    def _library(self, site: _Site, web: str, uid: str, row: Row) -> Iterator[AnyFact]:
        if uid in self._reported:
            return
        self._reported.add(uid)
        path = unquote(text(row, "itemurl") or text(row, "dirname")).strip("/")
        name = _within(path, site).partition("/")[0]
        above = uids.tenant(self.people.tenant_id) if site.personal else site.web(web)
        yield Resource(
            uid=uid,
            platform=uids.PLATFORM,
            account=self.account,
            kind="onedrive" if site.personal else "library",
            name=f"OneDrive: {site.path.rpartition('/')[2]}" if site.personal else name or uid.rpartition("/")[2],
            path=f"{site.path}/{name}".strip("/"),
            parent_uid=above,
            container_uid=above,
            owner_uid=site.tenant.owner_uid,
            detail=_observed(row),
        )

    def _file(self, row: Row) -> Iterator[AnyFact]:
        site = self._sites.get(guid(text(row, "siteid")))
        if site is None:
            self.unread_sites.add(guid(text(row, "siteid")))
            return
        web, library = guid(text(row, "webid")), guid(text(row, "listid"))
        container = site.library(web, library)
        yield from self._library(site, web, container, row)
        name, folder = text(row, "filename"), unquote(text(row, "dirname")).strip("/")
        uid = uids.item(drive_id(site.identity, web or site.root, library), guid(text(row, "itemid")))
        own = self._items.pop(uid, None)
        yield Resource(
            uid=uid,
            platform=uids.PLATFORM,
            account=self.account,
            kind="file",
            name=name,
            path=_within(f"{folder}/{name}", site),
            parent_uid=container,
            container_uid=container,
            owner_uid=site.tenant.owner_uid,
            size_bytes=number(row, "sizeinbytes"),
            created_on=moment(text(row, "timecreated")),
            modified_on=moment(text(row, "timelastmodified")),
            label=text(part(row, "sensitivitylabelinfo"), "displayname"),
            url=f"{site.host}/{folder}/{name}" if site.host else "",
            detail=_observed(row),
        )
        if own is None:
            yield from self._inherited(site, uid, text(row, "scopeid").lower())

    def _inherited(self, site: _Site, uid: str, scope: str) -> Iterator[AnyFact]:
        known = self._scopes.get((site.identity, scope))
        if known is None:
            self.unexplained += 1
            yield unread_grants(uid)
            return
        origin, listed = known
        for key, translated in listed:
            yield msgspec.structs.replace(
                translated.grant,
                uid=f"{uid}#{key}",
                resource_uid=uid,
                origin_uid=origin,
                inherited=True,
                detail=translated.inherited_detail,
            )

    def _translated(self, site: _Site, permission: Permission) -> TranslatedPermission | None:
        """The meaning of a permission in a site; computed once for all that are the same."""
        same = msgspec.structs.replace(permission, id="")
        key = (site.identity, same)
        if key not in self._kinds:
            self._kinds[key] = translate(same, site.tenant)
        return self._kinds[key]

    def _principal(self, principal: Principal) -> Iterator[AnyFact]:
        if principal.uid not in self._reported and not self.people.includes(principal):
            self._reported.add(principal.uid)
            yield principal


def _contents(listed: Sequence[Grantee | None]) -> GroupContents:
    """Who is in a site's group. A group without members in the export may have some: blank is also unknown."""
    known = [one for one in listed if one is not None]
    return GroupContents(
        externals=sum(
            one.contents.externals if one.contents else int(one.audience is not None and one.audience > Audience.NAMED)
            for one in known
            if not one.claim
        ),
        whole_organisation=any(one.contents.whole_organisation for one in known if one.contents),
        claim=min((one.claim for one in known if one.claim), default=""),
        known=bool(listed) and len(known) == len(listed) and all(one.audience is not None for one in known),
    )


def _sharing(row: Row, tenant: str | None) -> Sharing:
    """How far a site may be shared. The dataset has switches and no level: what they leave open is unknown.

    That a site with external sharing and sharing by link may have links for anyone is guessed.
    """
    external, by_link = truth(row, "isexternalsharingenabled"), truth(row, "sharebylinkenabled")
    if external is False:
        return Sharing(tenant=tenant, site="disabled")
    if external and by_link:
        return Sharing(tenant=tenant, site="anyone")
    return Sharing(tenant=tenant, unread=True)


def _observed(row: Row) -> Mapping[str, str]:
    day = text(row, "snapshotdate")
    return {OBSERVED_ON: day} if day else {}


def _within(path: str, site: _Site) -> str:
    """A path below its site's."""
    return path[len(site.path) :].strip("/") if site.path and path.lower().startswith(site.path.lower()) else path
