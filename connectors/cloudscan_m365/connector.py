"""Microsoft 365, as cloudscan reads it: the directory and the list of sites first, then every library on its own."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

import msgspec

from cloudscan.connector import Cursor, Estate, Gap, Permission, Scope, Yielded
from cloudscan.errors import AccessDenied
from cloudscan.facts import AnyFact, Outcome, Principal, Resource
from cloudscan.http import Patience
from cloudscan_m365.api.client import Graph, connect
from cloudscan_m365.api.models import Drive
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import Recipient, SiteGroups
from cloudscan_m365.meaning.translate import Sharing, TenantContext
from cloudscan_m365.options import Options
from cloudscan_m365.permissions import FULL_CONTROL, PERMISSIONS
from cloudscan_m365.scopes.changes import changes_of_library
from cloudscan_m365.scopes.cursor_state import unpack
from cloudscan_m365.scopes.directory import Directory, read_directory
from cloudscan_m365.scopes.library import facts_of_library
from cloudscan_m365.scopes.library_items import ReadDepth
from cloudscan_m365.scopes.site_groups import SiteRead, read_site
from cloudscan_m365.scopes.sites import facts_of_places, library, onedrive

PLATFORM = uids.PLATFORM


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class M365Connector:
    """One tenant."""

    options: Options
    estate: Estate
    graph: Graph
    clock: Callable[[], datetime] = _now
    _known: dict[str, Directory] = field(default_factory=dict)
    _groups: dict[str, SiteGroups] = field(default_factory=dict)
    _untold: dict[str, SiteRead] = field(default_factory=dict)  # read for a library, before the site's own turn
    _locks: dict[str, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    name: ClassVar[str] = PLATFORM
    permissions: ClassVar[Sequence[Permission]] = PERMISSIONS

    @classmethod
    def open(
        cls, options: Options, estate: Estate, patience: Patience | None = None, clock: Callable[[], datetime] = _now
    ) -> "M365Connector":
        """Ready to be read; nothing is asked yet. Raises `ConfigurationError`."""
        return cls(options, estate, connect(options, patience), clock)

    def scopes(self) -> Iterable[Scope]:
        """The tenant, which names sites, libraries and OneDrives."""
        name = self.options.tenant or "the tenant"
        yield Scope(uid=f"{PLATFORM}:directory/{name}", platform=PLATFORM, kind="directory", name=name)

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        """Tell all facts of the directory, a site's groups, or a library."""
        tell = {
            "directory": self._tell_directory,
            "site": self._tell_site,
            "library": self._tell_library,
            "onedrive": self._tell_onedrive,
        }[scope.kind]
        yield from tell(scope, since)
        yield self.graph.meter.spent()

    def _tell_directory(self, _scope: Scope, _since: Cursor | None) -> Iterator[Yielded]:
        directory = self._directory()
        yield from directory.gaps
        yield from directory.facts
        if self.graph.sign_in.by_secret:
            yield Gap(
                table="memberships",
                outcome=Outcome.DENIED,
                reason="who is in the groups of sites, and how each site is set, is not known: SharePoint's own API "
                "tells it only to an application that signs in with a certificate",
                needs=FULL_CONTROL,
            )
        yield from facts_of_places(self.graph, self.options, directory)

    def _tell_site(self, scope: Scope, _since: Cursor | None) -> Iterator[Yielded]:
        read = self._site(scope)
        yield from read.facts
        yield from read.gaps

    def _tell_library(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        directory, drive = self._directory(), _drive(scope)
        groups = SiteGroups(site=scope.params["collection"])
        if not self.graph.sign_in.by_secret:
            with suppress(AccessDenied):  # the site's own scope says so
                groups = self._groups_of(scope)
        place = library(drive, scope.params["site"], directory.people.primary)
        yield from self._inside(scope, since, drive, place, groups, directory.sharing)

    def _tell_onedrive(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        directory, drive = self._directory(), _drive(scope)
        owner = _owner(drive, directory)
        if owner is not None and not directory.people.are_told(owner):
            yield owner
        place = onedrive(drive, owner, directory, self.clock())
        groups = SiteGroups(site=scope.params["collection"])
        yield from self._inside(scope, since, drive, place, groups, directory.onedrive_sharing)

    def _inside(
        self, scope: Scope, since: Cursor | None, drive: Drive, place: Resource, groups: SiteGroups, sharing: str | None
    ) -> Iterator[AnyFact | Gap | Cursor]:
        directory = self._directory()
        collection = scope.params["collection"]
        sites = directory.sites
        info = sites.told(collection) if place.kind == "onedrive" else sites.info(collection)
        around = TenantContext(
            people=directory.people,
            groups=groups,
            sharing=Sharing(tenant=sharing, site=info.sharing),
            owner_uid=place.owner_uid,
            now=self.clock(),
        )
        depth = ReadDepth(
            # Microsoft calls an item shared that is open to people, not one that is open to a site's group.
            all_unique_permissions=self.options.all_unique_permissions or groups.let_others_in,
            labels=directory.labels if self.options.file_labels else None,
        )
        if since is None:
            yield from facts_of_library(self.graph, around, place, drive.id, depth)
        else:
            yield from changes_of_library(self.graph, around, place, drive.id, depth, unpack(since.token))

    def _directory(self) -> Directory:
        """Read once; a scan that goes on in another process reads it again."""
        with self._lock:
            if "" not in self._known:
                self._known[""] = read_directory(self.graph, self.estate, self.options)
            return self._known[""]

    def _site(self, scope: Scope) -> SiteRead:
        """A site's groups with what is told of them, which is forgotten after."""
        site = scope.params["site"]
        with self._lock_of(site):
            read = self._untold.pop(site, None) or self._read_site(scope)
            self._groups[site] = read.groups
            return read

    def _groups_of(self, scope: Scope) -> SiteGroups:
        """A site's groups, read once for all its libraries."""
        site = scope.params["site"]
        with self._lock_of(site):
            if site not in self._groups:
                read = self._untold[site] = self._read_site(scope)
                self._groups[site] = read.groups
            return self._groups[site]

    def _lock_of(self, site: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(site, threading.Lock())

    def _read_site(self, scope: Scope) -> SiteRead:
        directory, collection = self._directory(), scope.params["collection"]
        around = TenantContext(
            people=directory.people,
            groups=SiteGroups(site=collection),
            sharing=Sharing(tenant=directory.sharing, site=directory.sites.info(collection).sharing),
            owner_uid=None,
            now=self.clock(),
        )
        return read_site(self.graph, around, scope.params["site"], scope.params["url"])


def _drive(scope: Scope) -> Drive:
    return msgspec.json.decode(scope.params["drive"], type=Drive)


def _owner(drive: Drive, directory: Directory) -> Principal | None:
    who: Recipient | None = directory.people.who(drive.owner, SiteGroups()) if drive.owner else None
    return who.principal if who else None
