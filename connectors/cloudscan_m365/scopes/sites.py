"""The sites of a tenant with their libraries, and the OneDrives."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import unquote, urlsplit

import msgspec

from cloudscan.connector import Gap, Scope
from cloudscan.errors import ProviderError, Vanished
from cloudscan.facts import EVERYTHING, LEAVE_ON, AnyFact, Hidden, Outcome, Principal, Resource
from cloudscan.reason import Reason
from cloudscan_m365.api.batch import BatchPart
from cloudscan_m365.api.inquiry import Inquiry, about_all
from cloudscan_m365.api.models import Drive, Site
from cloudscan_m365.api.moments import moment
from cloudscan_m365.api.wire import Locked, Page
from cloudscan_m365.meaning import uids
from cloudscan_m365.options import Options
from cloudscan_m365.questions import ALL_SITES, CHOSEN_SITE, DRIVES, SITE, SITE_GROUPS, SUBSITES
from cloudscan_m365.scopes.directory import Directory
from cloudscan_m365.scopes.not_looked_at import containers, is_container, lists
from cloudscan_m365.scopes.site_applications import SiteTop, grants_to_applications
from cloudscan_m365.scopes.site_groups import unread
from cloudscan_m365.scopes.site_settings import SiteInfo, facts_of_settings

_SITE = "id,displayName,name,webUrl,createdDateTime,lastModifiedDateTime,isPersonalSite"
_DRIVE = "id,name,driveType,webUrl,createdDateTime,lastModifiedDateTime,owner,system"
"""With `system`, Graph also lists libraries that it hides, such as Site Pages."""

_NO_DAY = "false"  # the directory has no last day
_PAGE = 500
_PRESERVED = "PreservationHoldLibrary"
"""The end of the address of a library with copies that retention keeps, which SharePoint shows to administrators."""


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
    def url(self) -> str:
        """Its address."""
        return (self.site.web_url or "").rstrip("/")

    @property
    def is_top(self) -> bool:
        """Whether it is the top site of its collection."""
        return self.uid == uids.site(self.collection)


def facts_of_sites(
    inquiry: Inquiry, options: Options, directory: Directory, now: datetime
) -> Iterator[AnyFact | Scope]:
    """Sites, and a scope for each library and OneDrive. What gives no answer is a gap of `inquiry`."""
    skipped = {_address(site) for site in options.skip_sites}
    tenant = uids.tenant(directory.people.tenant_id)
    listed = _sites(inquiry, options)
    if listed:  # where SharePoint does not answer, or does not exist, that has its own row
        inquiry.gaps.append(containers(listed))
    webs = [
        _top(site, tenant)
        for site in listed
        if _address(site.web_url) not in skipped
        and (options.onedrives or not site.is_personal)
        and not is_container(site)
    ]
    seen: set[str] = set()
    read: list[Web] = []
    while webs := list({web.uid: web for web in webs if web.uid not in seen}.values()):
        seen.update(web.uid for web in webs)
        readable = yield from _facts_of_webs(inquiry, directory, webs)
        shared = [web for web in readable if not web.site.is_personal]
        read += shared
        webs = list(_subsites(inquiry, shared))
    tops = [SiteTop(id=web.site.id, uid=web.uid) for web in read if web.is_top]
    yield from grants_to_applications(inquiry, directory.people, tops, now)
    inquiry.gaps.extend(lists(inquiry, [web.site for web in read]))


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
        created_on=moment(drive.created_date_time),
        modified_on=moment(drive.last_modified_date_time),
        url=drive.web_url or "",
    )


def onedrive(drive: Drive, owner: Principal | None, directory: Directory, now: datetime) -> Resource:
    """A OneDrive as a resource; `owner` is None where it could not be identified."""
    name = (owner and (owner.name or owner.email)) or drive.id
    state = _state(owner, directory.people.estate.day_of(now)) if owner else ""
    return Resource(
        uid=uids.onedrive(drive.id),
        platform=uids.PLATFORM,
        account=directory.people.primary,
        kind="onedrive",
        name=f"OneDrive: {name}",
        path=(owner and owner.email) or _path(drive.web_url),
        parent_uid=uids.tenant(directory.people.tenant_id),
        container_uid=uids.tenant(directory.people.tenant_id),
        owner_uid=owner.uid if owner else None,
        created_on=moment(drive.created_date_time),
        modified_on=moment(drive.last_modified_date_time),
        url=drive.web_url or "",
        detail={"owner_state": state} if state else {},
    )


def _state(owner: Principal, today: date) -> str:
    """The state of an owner: active, disabled, deleted or left; empty if it is not known. The last day is still one."""
    if owner.status in (None, "deleted"):
        return owner.status or ""
    leaves = str(owner.detail.get(LEAVE_ON, _NO_DAY))
    if leaves != _NO_DAY and leaves < today.isoformat():
        return "left"
    return "disabled" if owner.status == "suspended" else "active"


def _sites(inquiry: Inquiry, options: Options) -> list[Site]:
    if options.sites:
        return [site for address in options.sites if (site := _chosen(inquiry, address)) is not None]
    listed = inquiry.all(Site, ALL_SITES, select=_SITE, top=_PAGE)
    if listed.whole and not any(_is_root(site) for site in listed.entries):
        inquiry.lacking(ALL_SITES, "graph-root-site-not-listed")  # a tenant has one
    return list(listed.entries)


def _chosen(inquiry: Inquiry, address: str) -> Site | None:
    return inquiry.one(Site, CHOSEN_SITE, *by_address(address), select=_SITE)


def by_address(address: str) -> tuple[str, str]:
    """The host and the path of a site's address, by which Graph knows it too."""
    url = urlsplit(address if "://" in address else f"https://{address}")
    return url.netloc, unquote(url.path).strip("/")


def _is_root(site: Site) -> bool:
    return not site.is_personal and not urlsplit(site.web_url or "/").path.strip("/")


def _facts_of_webs(
    inquiry: Inquiry, directory: Directory, webs: Sequence[Web]
) -> Generator[AnyFact | Scope, None, list[Web]]:
    """Sites and the scopes of their libraries; returns the sites that could be read."""
    parts = [BatchPart(question=DRIVES, ids=(web.site.id,), options={"select": _DRIVE}) for web in webs]
    answers = inquiry.graph.pages_together(Drive, parts)
    gone = _gone(inquiry, [web for web, answer in zip(webs, answers, strict=True) if isinstance(answer, Vanished)])
    readable: list[Web] = []
    preserved: list[str] = []
    for web, drives in zip(webs, answers, strict=True):
        if web.uid in gone:
            continue
        info = SiteInfo() if web.site.is_personal else directory.sites.info(web.collection, web.url)
        if not web.site.is_personal:
            yield from _facts_of_web(inquiry, directory, web, info, drives)
        if isinstance(drives, ProviderError):
            inquiry.gaps.append(_refused(web, info, drives))
            continue
        if drives.broken:
            inquiry.lacking(DRIVES, "graph-entries-malformed", web.uid, count=drives.broken)
        readable.append(web)
        if not web.site.is_personal and not inquiry.graph.sign_in.by_secret:
            yield _scope("site", web.uid, f"groups of {web.name}", web, directory)
        for drive in drives.value:
            if _path(drive.web_url).endswith(_PRESERVED):
                preserved.append(uids.library(drive.id))
            elif web.site.is_personal:
                yield _scope("onedrive", uids.onedrive(drive.id), f"OneDrive: {web.name}", web, directory, drive)
            else:
                name = f"{web.name}: {drive.name or drive.id}"
                yield _scope("library", uids.library(drive.id), name, web, directory, drive)
    if preserved:
        reason = Reason(code="graph-preserved-copies", values={"count": len(preserved)})
        inquiry.gaps.append(about_all(DRIVES, DRIVES.lacking(reason, outcome=Outcome.SKIPPED), preserved))
    return readable


def _facts_of_web(
    inquiry: Inquiry, directory: Directory, web: Web, info: SiteInfo, drives: Page[Drive] | ProviderError
) -> Iterator[AnyFact]:
    locked = isinstance(drives, Locked)
    yield _site(web, info, directory.people.primary, locked=locked)
    if web.is_top:
        yield from facts_of_settings(web.uid, info)
        if (gap := directory.sites.gap(web.collection, web.url)) is not None:
            inquiry.gaps.append(gap)
    if inquiry.graph.sign_in.by_secret or isinstance(drives, ProviderError):
        closed = isinstance(drives, ProviderError)
        yield from unread(
            web.uid, "graph-site-archived" if info.archived and closed else "graph-site-locked" if locked else ""
        )


def _gone(inquiry: Inquiry, webs: Sequence[Web]) -> set[str]:
    """Which sites do not exist any more, as Microsoft confirms for each."""
    parts = [BatchPart(question=SITE, ids=(web.site.id,), options={"select": "id"}) for web in webs]
    answers = inquiry.graph.together(Site, parts)
    return {web.uid for web, answer in zip(webs, answers, strict=True) if isinstance(answer, Vanished)}


def _subsites(inquiry: Inquiry, webs: Sequence[Web]) -> Iterator[Web]:
    parts = [BatchPart(question=SUBSITES, ids=(web.site.id,), options={"select": _SITE}) for web in webs]
    lists = inquiry.lists(Site, parts, [web.uid for web in webs], singly=True)
    for web, listed in zip(webs, lists, strict=True):
        for site in listed.entries:
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
        created_on=moment(web.site.created_date_time),
        modified_on=moment(web.site.last_modified_date_time),
        label=info.label,
        url=web.site.web_url or "",
        detail={**({"sharing": info.sharing} if info.sharing else {}), **info.detail, **lock},
    )


def _refused(web: Web, info: SiteInfo, refusal: ProviderError) -> Gap:
    """The gap that a site leaves which refused access. An archived site is closed on purpose."""
    if info.archived:
        return DRIVES.lacking(Reason(code="graph-site-archived"), web.uid, outcome=Outcome.SKIPPED)
    gap = DRIVES.gap(refusal, web.uid)
    # The site of a OneDrive is not reported: what it contains may be any OneDrive's.
    return msgspec.structs.replace(gap, hides=_PERSONAL) if web.site.is_personal else gap


_PERSONAL = (Hidden(table=EVERYTHING, kinds=("onedrive", "file", "folder", "shortcut")),)
_OUTSIDERS = Hidden(table="principals", kinds=("user",))
"""People without an entry in the directory, whom only permissions name."""


def _hidden_groups(site_uid: str) -> tuple[Hidden, ...]:
    """What is missing where the scope of a site's groups cannot be read."""
    gap = SITE_GROUPS.lacking(Reason(code="graph-malformed"))
    return (*about_all(SITE_GROUPS, gap, [site_uid]).hidden, _OUTSIDERS)


def _scope(kind: str, uid: str, name: str, web: Web, directory: Directory, drive: Drive | None = None) -> Scope:
    params = {"collection": web.collection, "site": web.uid, "url": web.url}
    if drive is not None:
        params["drive"] = msgspec.json.encode(drive).decode()
    return Scope(
        uid=uid,
        platform=uids.PLATFORM,
        kind=kind,
        name=name,
        account=directory.people.primary,
        params=params,
        hides=_hidden_groups(uid) if kind == "site" else (Hidden(table=EVERYTHING, below=uid), _OUTSIDERS),
    )


def _address(url: str | None) -> str:
    """A site's address in one form, however it is written."""
    return unquote(url or "").rpartition("://")[2].rstrip("/").lower()


def _path(url: str | None) -> str:
    return unquote(urlsplit(url or "").path).strip("/")
