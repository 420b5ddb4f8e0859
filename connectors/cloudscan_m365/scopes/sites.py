"""The sites of a tenant with their libraries, and the OneDrives."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote, urlsplit

import msgspec

from cloudscan.connector import Gap, Scope
from cloudscan.errors import ProviderError, Vanished
from cloudscan.facts import AnyFact, Outcome, Principal, Resource
from cloudscan_m365.api.batch import BatchPart
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.endpoints import ALL_SITES, DRIVES, SITE_BY_ADDRESS, SUBSITES
from cloudscan_m365.api.models import Drive, Site
from cloudscan_m365.api.wire import Locked
from cloudscan_m365.meaning import uids
from cloudscan_m365.options import Options
from cloudscan_m365.scopes.directory import Directory
from cloudscan_m365.scopes.site_groups import unread
from cloudscan_m365.scopes.site_settings import SiteInfo, facts_of_settings

_SITE = "id,displayName,name,webUrl,createdDateTime,lastModifiedDateTime,isPersonalSite"
_DRIVE = "id,name,driveType,webUrl,createdDateTime,lastModifiedDateTime,owner"
_PAGE = 500


@dataclass(frozen=True, kw_only=True)
class Web:
    """A site or a subsite."""

    site: Site
    collection: str  # the site collection's guid
    uid: str
    parent_uid: str

    @property
    def name(self) -> str:
        """The name for people."""
        return self.site.display_name or self.site.name or self.site.id

    @property
    def is_top(self) -> bool:
        """Whether it is the top site of its collection."""
        return self.uid == uids.site(self.collection)


def facts_of_sites(graph: Graph, options: Options, directory: Directory) -> Iterator[AnyFact | Scope | Gap]:
    """Sites, and a scope for each library and OneDrive. Raises as `Graph.ask` does where sites cannot be listed."""
    skipped = {_address(site) for site in options.skip_sites}
    tenant = uids.tenant(directory.people.tenant_id)
    seen: set[str] = set()
    for page in _sites(graph, options):
        webs = [
            _top(site, tenant)
            for site in page
            if _address(site.web_url) not in skipped and (options.onedrives or not site.is_personal)
        ]
        while webs := [web for web in webs if web.uid not in seen]:
            seen.update(web.uid for web in webs)
            readable = yield from _facts_of_webs(graph, directory, webs)
            webs = list(_subsites(graph, [web for web in readable if not web.site.is_personal]))


def library(drive: Drive, site_uid: str, account: str) -> Resource:
    """A document library as a resource. `account` is the tenant's default domain."""
    return Resource(
        uid=uids.library(drive.id),
        platform=uids.PLATFORM,
        account=account,
        kind="library",
        name=drive.name or drive.id,
        path=_path(drive.web_url),
        parent_uid=site_uid,
        container_uid=site_uid,
        created_on=drive.created_date_time,
        modified_on=drive.last_modified_date_time,
        url=drive.web_url or "",
    )


def onedrive(drive: Drive, owner: Principal | None, directory: Directory, now: datetime) -> Resource:
    """A OneDrive as a resource; `owner` is None where it could not be identified."""
    name = (owner and (owner.name or owner.email)) or drive.id
    return Resource(
        uid=uids.onedrive(drive.id),
        platform=uids.PLATFORM,
        account=directory.people.primary,
        kind="onedrive",
        name=f"OneDrive of {name}",
        path=(owner and owner.email) or _path(drive.web_url),
        parent_uid=uids.tenant(directory.people.tenant_id),
        container_uid=uids.tenant(directory.people.tenant_id),
        owner_uid=owner.uid if owner else None,
        created_on=drive.created_date_time,
        modified_on=drive.last_modified_date_time,
        url=drive.web_url or "",
        detail={"owner_state": _state(owner, now)} if owner else {},
    )


def _state(owner: Principal, now: datetime) -> str:
    """The state of an owner: active, disabled, deleted or left."""
    if owner.status == "deleted":
        return "deleted"
    leaves = str(owner.detail.get("leave_on", ""))
    if leaves and leaves <= now.date().isoformat():
        return "left"
    return "disabled" if owner.status == "suspended" else "active"


def _sites(graph: Graph, options: Options) -> Iterator[Sequence[Site]]:
    if not options.sites:
        for page in graph.pages(Site, ALL_SITES, select=_SITE, top=_PAGE):
            yield page.value
        return
    for address in options.sites:
        url = urlsplit(address if "://" in address else f"https://{address}")
        yield [graph.ask(Site, SITE_BY_ADDRESS, url.netloc, unquote(url.path).strip("/"), select=_SITE)]


def _facts_of_webs(
    graph: Graph, directory: Directory, webs: Sequence[Web]
) -> Generator[AnyFact | Scope | Gap, None, list[Web]]:
    """Sites and the scopes of their libraries; returns the sites that could be read."""
    parts = [BatchPart(question=DRIVES, ids=(web.site.id,), options={"select": _DRIVE}) for web in webs]
    readable: list[Web] = []
    for web, drives in zip(webs, graph.pages_together(Drive, parts), strict=True):
        if isinstance(drives, Vanished):
            continue
        if not web.site.is_personal:
            info = directory.sites.info(web.collection)
            yield _site(web, info, directory.people.primary, locked=isinstance(drives, Locked))
            if web.is_top:
                yield from facts_of_settings(web.uid, info)
            if graph.sign_in.by_secret or isinstance(drives, ProviderError):
                yield from unread(web.uid, "the site is locked" if isinstance(drives, Locked) else "")
        if isinstance(drives, ProviderError):
            yield _refused(web, drives)
            continue
        readable.append(web)
        if not web.site.is_personal and not graph.sign_in.by_secret:
            yield _scope("site", web.uid, f"groups of {web.name}", web, directory)
        for drive in drives.value:
            if web.site.is_personal:
                yield _scope("onedrive", uids.onedrive(drive.id), f"OneDrive of {web.name}", web, directory, drive)
            else:
                name = f"{web.name}: {drive.name or drive.id}"
                yield _scope("library", uids.library(drive.id), name, web, directory, drive)
    return readable


def _subsites(graph: Graph, webs: Sequence[Web]) -> Iterator[Web]:
    parts = [BatchPart(question=SUBSITES, ids=(web.site.id,), options={"select": _SITE}) for web in webs]
    for web, sites in zip(webs, graph.pages_together(Site, parts), strict=True):
        if isinstance(sites, Vanished):
            continue
        if isinstance(sites, ProviderError):
            raise sites
        for site in sites.value:
            uid = uids.site(uids.subsite_identity(site.id))
            yield Web(site=site, collection=web.collection, uid=uid, parent_uid=web.uid)


def _top(site: Site, tenant: str) -> Web:
    collection = uids.site_identity(site.id)
    return Web(
        site=site,
        collection=collection,
        uid=uids.site(collection),
        parent_uid=tenant,
    )


def _site(web: Web, info: SiteInfo, account: str, *, locked: bool) -> Resource:
    lock = {"lock": "NoAccess"} if locked else {}
    return Resource(
        uid=web.uid,
        platform=uids.PLATFORM,
        account=account,
        kind="site",
        name=web.name,
        path=_path(web.site.web_url) or "/",
        parent_uid=web.parent_uid,
        container_uid=web.parent_uid,
        owner_uid=info.owner_uid,
        created_on=web.site.created_date_time,
        modified_on=web.site.last_modified_date_time,
        label=info.label,
        url=web.site.web_url or "",
        detail={**({"sharing": info.sharing} if info.sharing else {}), **info.detail, **lock},
    )


def _refused(web: Web, refusal: ProviderError) -> Gap:
    """The gap that a site leaves which refused access."""
    return Gap(
        table="resources",
        outcome=Outcome.DENIED,
        reason=f"{web.name}: {refusal}",
        needs=getattr(refusal, "needs", ""),
        resource_uid=None if web.site.is_personal else web.uid,
    )


def _scope(kind: str, uid: str, name: str, web: Web, directory: Directory, drive: Drive | None = None) -> Scope:
    params = {"collection": web.collection, "site": web.uid, "url": (web.site.web_url or "").rstrip("/")}
    if drive is not None:
        params["drive"] = msgspec.json.encode(drive).decode()
    return Scope(uid=uid, platform=uids.PLATFORM, kind=kind, name=name, account=directory.people.primary, params=params)


def _address(url: str | None) -> str:
    """A site's address in one form, however it is written."""
    return unquote(url or "").rpartition("://")[2].rstrip("/").lower()


def _path(url: str | None) -> str:
    return unquote(urlsplit(url or "").path).strip("/")
