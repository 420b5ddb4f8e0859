"""Microsoft 365 by Graph Data Connect: sites, permissions, groups and files from an export, the directory by Graph.

What the datasets have no column for is a gap: passwords of links, blocked downloads. What they leave blank is unknown.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from cloudscan.connector import Cursor, Estate, Gap, Permission, Scope, Yielded
from cloudscan.facts import EVERYTHING, Hidden, Outcome, Resource
from cloudscan.reason import Reason
from cloudscan_m365.bulk.facts import SharePointExport
from cloudscan_m365.bulk.rows import FILES, GROUPS, Export, found
from cloudscan_m365.connector import M365Connector
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import People, SiteGroups
from cloudscan_m365.meaning.translate import Sharing, TenantContext
from cloudscan_m365.options import Options
from cloudscan_m365.permissions import PERMISSIONS
from cloudscan_m365.questions import EXPORT, EXPORT_DIRECTORY, EXPORT_FILES, EXPORT_GROUPS, EXPORT_LINKS

PLATFORM = uids.PLATFORM


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class DataConnectConnector:
    """One tenant, as an export has it. `live` asks Graph for the directory; None: nothing is asked."""

    options: Options
    estate: Estate
    export: Export
    live: M365Connector | None
    clock: Callable[[], datetime] = _now

    name: ClassVar[str] = PLATFORM
    permissions: ClassVar[Sequence[Permission]] = PERMISSIONS

    @classmethod
    def open(cls, options: Options, estate: Estate, clock: Callable[[], datetime] = _now) -> "DataConnectConnector":
        """A connector over the files of `data_connect`. Raises `ConfigurationError` where they are not there."""
        export = found(options.data_connect)
        live = M365Connector.open(options, estate, clock=clock) if options.data_connect_directory else None
        return cls(options, estate, export, live, clock)

    def scopes(self) -> Iterable[Scope]:
        """The directory, which yields the export as a scope of its own."""
        name = self.options.tenant or "the tenant"
        yield Scope(uid=f"{PLATFORM}:directory/{name}", platform=PLATFORM, kind="directory", name=name)

    def still_there(self, uids: Sequence[str]) -> Mapping[str, bool]:
        """Nothing is asked again: an export is whole, and as old as it is."""
        del uids
        return {}

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        """Yield the facts of the directory or of the export; an export is read whole each time."""
        del since
        if scope.kind == "directory":
            yield from self._directory()
        else:
            yield from self._facts(scope.account)
        if self.live is not None:
            yield self.live.graph.meter.spent()

    def _directory(self) -> Iterator[Yielded]:
        if self.live is None:
            people = self._people()
            yield _tenant(people)
            yield EXPORT_DIRECTORY.lacking(Reason(code="graph-directory-switched-off"), outcome=Outcome.SKIPPED)
            account = people.primary
        else:
            directory = self.live.directory()
            yield from directory.gaps
            yield from directory.facts
            account = directory.people.primary
        uid, name = f"{PLATFORM}:export/{account}", "the export of Graph Data Connect"
        hides = (Hidden(table=EVERYTHING),)
        yield Scope(uid=uid, platform=PLATFORM, kind="export", name=name, account=account, hides=hides)

    def _facts(self, account: str) -> Iterator[Yielded]:
        directory = self.live.directory() if self.live is not None else None
        people = directory.people if directory is not None else self._people()
        sharing = Sharing(tenant=directory.sharing if directory is not None else None)
        context = TenantContext(people=people, groups=SiteGroups(), sharing=sharing, owner_uid=None, now=self.clock())
        export = SharePointExport(export=self.export, context=context, account=account)
        yield from export.facts()
        yield from self._gaps(export)

    def _gaps(self, export: SharePointExport) -> Iterator[Gap]:
        yield EXPORT_LINKS.lacking(Reason(code="graph-export-lacks-columns"), outcome=Outcome.SKIPPED)
        for dataset, question in ((GROUPS, EXPORT_GROUPS), (FILES, EXPORT_FILES)):
            if dataset not in self.export.files:
                reason = Reason(code="graph-export-lacks-dataset", values={"name": dataset})
                yield question.lacking(reason, outcome=Outcome.SKIPPED)
        for dataset in sorted(self.export.problems.without_full):
            yield EXPORT.lacking(Reason(code="graph-export-without-full", values={"name": dataset}))
        for dataset, count in sorted(self.export.problems.broken.items()):
            values: Mapping[str, str | int] = {"name": dataset, "count": count}
            yield EXPORT.lacking(Reason(code="graph-export-lines-malformed", values=values))
        if export.unread_sites:
            count = len(export.unread_sites)
            yield EXPORT.lacking(Reason(code="graph-export-sites-missing", values={"count": count}))
        if export.unexplained:
            reason = Reason(code="graph-export-scopes-missing", values={"count": export.unexplained})
            yield EXPORT_FILES.lacking(reason)

    def _people(self) -> People:
        """Nobody but the domains that are ours."""
        primary = self.options.tenant.lower()
        return People(
            estate=self.estate,
            tenant_id=primary,
            primary=primary,
            domains=frozenset({primary}),
            complete=False,
            domains_read=bool(self.estate.domains),
        )


def _tenant(people: People) -> Resource:
    return Resource(
        uid=uids.tenant(people.tenant_id),
        platform=PLATFORM,
        account=people.primary,
        kind="tenant",
        name=people.primary,
        path=people.primary,
        url="https://admin.microsoft.com",
    )
