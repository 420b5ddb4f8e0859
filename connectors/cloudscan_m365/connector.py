"""Microsoft 365, as cloudscan reads it: the directory and the list of sites first, then each library on its own."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

import msgspec

from cloudscan.connector import Cursor, Estate, Gap, Once, OncePerKey, Permission, Scope, Yielded
from cloudscan.errors import ProviderError
from cloudscan.facts import AnyFact, Outcome, Principal, Resource
from cloudscan.http import Patience, decoder
from cloudscan.reason import Reason
from cloudscan_m365.api.client import Graph, connect
from cloudscan_m365.api.inquiry import Inquiry
from cloudscan_m365.api.models import Drive
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.grantees import grantee_of
from cloudscan_m365.meaning.people import SiteGroups
from cloudscan_m365.meaning.translate import Sharing, TenantContext
from cloudscan_m365.options import Options
from cloudscan_m365.permissions import FULL_CONTROL, PERMISSIONS
from cloudscan_m365.questions import ORGANISATION, SITE_GROUPS
from cloudscan_m365.scopes.changes import changes_of_library
from cloudscan_m365.scopes.cursor_state import unpack
from cloudscan_m365.scopes.directory import Directory, read_directory
from cloudscan_m365.scopes.library import facts_of_library
from cloudscan_m365.scopes.library_items import ReadDepth
from cloudscan_m365.scopes.rechecks import still_there
from cloudscan_m365.scopes.sampling import Sample
from cloudscan_m365.scopes.site_groups import SiteFacts, read_site
from cloudscan_m365.scopes.sites import facts_of_sites, library, onedrive

PLATFORM = uids.PLATFORM


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class M365Connector:
    """One tenant. May be used from any thread."""

    options: Options
    estate: Estate
    graph: Graph
    clock: Callable[[], datetime] = _now
    _sample: Sample | None = None
    _directory: Once[Directory] = field(default_factory=Once)
    _site_groups: OncePerKey[str, SiteGroups] = field(default_factory=OncePerKey)  # by the site's uid
    _site_facts: OncePerKey[str, SiteFacts] = field(default_factory=OncePerKey)  # until the site's own scope takes them
    _reread: threading.Event = field(default_factory=threading.Event)  # the directory may give answers that it did not

    name: ClassVar[str] = PLATFORM
    permissions: ClassVar[Sequence[Permission]] = PERMISSIONS

    @classmethod
    def open(
        cls, options: Options, estate: Estate, patience: Patience | None = None, clock: Callable[[], datetime] = _now
    ) -> "M365Connector":
        """A connector that is ready to be read; no request is sent yet. Raises `ConfigurationError`."""
        most = options.sampled_items
        sample = Sample(day=clock().date().isoformat(), most=most) if most > 0 else None
        return cls(options, estate, connect(options, patience), clock, sample)

    def scopes(self) -> Iterable[Scope]:
        """The directory, which yields the scopes of sites, libraries and OneDrives."""
        name = self.options.tenant or "the tenant"
        yield Scope(uid=f"{PLATFORM}:directory/{name}", platform=PLATFORM, kind="directory", name=name)

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        """All facts of the directory, a site's groups, or a library; of a library with `since`, only what changed."""
        collect = {
            "directory": self._collect_directory,
            "site": self._collect_site,
            "library": self._collect_library,
            "onedrive": self._collect_onedrive,
        }[scope.kind]
        yield from collect(scope, since)
        yield self.graph.meter.spent()

    def still_there(self, uids: Sequence[str]) -> Mapping[str, bool]:
        """Whether items, libraries, sites, groups and accounts exist that no list named; see `connector.Rechecks`."""
        return still_there(self.graph, uids)

    def _collect_directory(self, _scope: Scope, _since: Cursor | None) -> Iterator[Yielded]:
        if self._reread.is_set():
            self._reread.clear()
            self._directory.take(lambda: read_directory(self.graph, self.estate, self.options))
        try:
            directory = self._read_directory()
        except ProviderError as error:
            # The scope's own row does not name the question; what may be missing, it says.
            yield msgspec.structs.replace(ORGANISATION.gap(error), hides=())
            raise
        if any(gap.passing for gap in directory.gaps):
            self._reread.set()
        yield from directory.gaps
        yield from directory.facts
        if self.graph.sign_in.by_secret:
            reason = Reason(code="graph-wants-certificate")
            yield SITE_GROUPS.lacking(reason, outcome=Outcome.DENIED, needs=FULL_CONTROL)
        if self._sample is not None:
            reason = Reason(code="graph-sampled", values={"count": self._sample.most})
            yield Gap(table="grants", outcome=Outcome.SKIPPED, reason=reason, hides=())
        inquiry = Inquiry(graph=self.graph)
        yield from facts_of_sites(inquiry, self.options, directory, self.clock())
        yield from inquiry.gaps
        yield from directory.sites.gaps()

    def _collect_site(self, scope: Scope, _since: Cursor | None) -> Iterator[Yielded]:
        self._groups_of(scope)  # read first, so that no library has to read them again
        site = self._site_facts.take(scope.params["site"], lambda: self._read_site(scope))
        yield from site.facts
        yield from site.gaps

    def _collect_library(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        directory, drive = self._read_directory(), _drive(scope)
        groups = SiteGroups(site=scope.params["collection"])
        if not self.graph.sign_in.by_secret:
            groups = self._groups_of(scope)  # what is unknown of them, the site's own scope reports
        resource = library(drive, scope.params["site"], directory.people.primary)
        yield from self._collect_items(scope, since, drive, resource, groups, directory.sharing)

    def _collect_onedrive(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        directory, drive = self._read_directory(), _drive(scope)
        owner = _owner(drive, directory)
        if owner is not None and not directory.people.includes(owner):
            yield owner
        resource = onedrive(drive, owner, directory, self.clock())
        groups = SiteGroups(site=scope.params["collection"])
        yield from self._collect_items(scope, since, drive, resource, groups, directory.onedrive_sharing)

    def _collect_items(
        self,
        scope: Scope,
        since: Cursor | None,
        drive: Drive,
        resource: Resource,
        groups: SiteGroups,
        sharing: str | None,
    ) -> Iterator[AnyFact | Gap | Cursor]:
        directory = self._read_directory()
        collection, url = scope.params["collection"], scope.params["url"]
        sites = directory.sites
        info = sites.listed(collection, url) if resource.kind == "onedrive" else sites.info(collection, url)
        tenant = TenantContext(
            people=directory.people,
            groups=groups,
            sharing=Sharing(tenant=sites.sharing(url, sharing), site=info.sharing, unread=info.unread),
            owner_uid=resource.owner_uid,
            now=self.clock(),
            block="graph-site-archived" if info.archived else "",
        )
        depth = ReadDepth(
            site_groups_known=resource.kind == "onedrive" or groups.contents is not None,
            # Microsoft calls an item shared that is open to people, not one that is open to a site's group.
            all_unique_permissions=self.options.all_unique_permissions or groups.reach_beyond_colleagues,
            labels=directory.labels if self.options.file_labels else None,
        )
        inquiry = Inquiry(graph=self.graph)
        if since is None:
            yield from facts_of_library(inquiry, tenant, resource, drive.id, depth, self._sample)
        else:
            yield from changes_of_library(inquiry, tenant, resource, drive.id, depth, unpack(since.token), self._sample)

    def directory(self) -> Directory:
        """The tenant's directory. Raises as `read_directory` does."""
        return self._read_directory()

    def _read_directory(self) -> Directory:
        """The directory, read once; a scan that resumes in another process reads it again."""
        return self._directory.get(lambda: read_directory(self.graph, self.estate, self.options))

    def _groups_of(self, scope: Scope) -> SiteGroups:
        """A site's groups, read once for all its libraries. The facts stay for the site's own scope to take."""
        site = scope.params["site"]
        return self._site_groups.get(site, lambda: self._site_facts.get(site, lambda: self._read_site(scope)).groups)

    def _read_site(self, scope: Scope) -> SiteFacts:
        directory, collection, url = self._read_directory(), scope.params["collection"], scope.params["url"]
        info = directory.sites.info(collection, url)
        tenant = TenantContext(
            people=directory.people,
            groups=SiteGroups(site=collection),
            sharing=Sharing(
                tenant=directory.sites.sharing(url, directory.sharing), site=info.sharing, unread=info.unread
            ),
            owner_uid=None,
            now=self.clock(),
        )
        return read_site(self.graph, tenant, scope.params["site"], url)


def _drive(scope: Scope) -> Drive:
    return decoder(Drive).decode(scope.params["drive"])


def _owner(drive: Drive, directory: Directory) -> Principal | None:
    grantee = grantee_of(directory.people, drive.owner, SiteGroups()) if drive.owner else None
    return grantee.principal if grantee else None
