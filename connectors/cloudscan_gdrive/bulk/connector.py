"""Google Drive by its inventory export: files and their permissions from BigQuery's files, everybody else by Google.

The directory, its groups and the members of shared drives are asked for as ever, a request for each drive. Without an
administrator to act as they are gaps. What the export has no column for is unknown.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Final

from cloudscan.connector import Cursor, Estate, Gap, Permission, Scope, Yielded
from cloudscan.errors import ConfigurationError
from cloudscan.facts import EVERYTHING, Hidden, Outcome, Resource
from cloudscan.http import decoder
from cloudscan.reason import Reason
from cloudscan.sentence import say
from cloudscan_gdrive import questions
from cloudscan_gdrive.api.models import SharedDrive
from cloudscan_gdrive.bulk.facts import ExportedDrives
from cloudscan_gdrive.bulk.rows import Inventory, found
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.connector import DriveConnector
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.permissions import PERMISSIONS
from cloudscan_gdrive.scopes.shared_drives import facts_of_shared_drive

PLATFORM = uids.PLATFORM
_BY_THE_EXPORT: Final = frozenset({"my_drive", "left_behind"})
_NOT_ASKED: Final = (questions.USERS, questions.GROUPS, questions.MEMBERS, questions.DOMAINS, questions.DRIVE_MEMBERS)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class InventoryConnector:
    """One Workspace customer, as an export has it. `live` asks Google for the rest; None: nothing is asked."""

    options: Options
    estate: Estate
    inventory: Inventory
    live: DriveConnector | None
    now: Callable[[], datetime] = _now

    name: ClassVar[str] = PLATFORM
    permissions: ClassVar[Sequence[Permission]] = PERMISSIONS

    @classmethod
    def open(cls, options: Options, estate: Estate, now: Callable[[], datetime] = _now) -> "InventoryConnector":
        """A connector over the files of `inventory_export`. Raises `ConfigurationError` where they cannot be judged."""
        inventory = found(options.inventory_export)
        if not options.admin and not estate.domains:
            raise ConfigurationError(
                say(
                    "[connectors.gdrive] has inventory_export and no admin, and the organisation has no domains. Name "
                    "an administrator, or the domains that are ours: without either nobody is known to be ours."
                ),
                key="inventory_export",
            )
        live = DriveConnector.open(options, estate, now=now) if options.admin else None
        return cls(options, estate, inventory, live, now)

    def scopes(self) -> Iterable[Scope]:
        """The directory, and the export."""
        if self.live is not None:
            yield from self.live.scopes()
        account = self.options.admin.rpartition("@")[2] or min(self.estate.domains)
        yield Scope(
            uid=f"{PLATFORM}:inventory/{account}",
            platform=PLATFORM,
            kind="inventory",
            name="the Drive inventory export",
            account=account,
            hides=(Hidden(table=EVERYTHING),),
        )

    def still_there(self, uids: Sequence[str]) -> Mapping[str, bool]:
        """As `DriveConnector.still_there` finds; nothing where Google is not asked."""
        return self.live.still_there(uids) if self.live is not None else {}

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        """Yield the facts of the export, of a shared drive's members, or of anything else as ever."""
        if scope.kind == "inventory" or self.live is None:
            yield from self._facts()
        elif scope.kind == "shared_drive":
            drive = decoder(SharedDrive).decode(scope.params["drive"])
            people, google = self.live.people(), self.live.google
            yield from facts_of_shared_drive(google, people, self.options, drive, None, {}, with_files=False)
            yield google.meter.spent()
        else:
            listed = self.live.collect(scope, since)
            yield from (one for one in listed if not (isinstance(one, Scope) and one.kind in _BY_THE_EXPORT))

    def _facts(self) -> Iterator[Yielded]:
        people = self.live.people() if self.live is not None else self._people()
        lists_drives = self.live is not None and self.options.shared_drives and not self.options.users
        drives = ExportedDrives(
            inventory=self.inventory, people=people, now=self.now(), tell_shared_drives=not lists_drives
        )
        if self.live is None:
            yield _tenant(people)
            for question in _NOT_ASKED:
                yield question.lacking(Reason(code=Code.NO_ADMINISTRATOR), outcome=Outcome.SKIPPED)
        yield from drives.facts()
        yield from self._gaps(drives)
        if self.live is not None:
            yield self.live.google.meter.spent()

    def _gaps(self, drives: ExportedDrives) -> Iterator[Gap]:
        if not self.inventory.has_parents:
            yield questions.INVENTORY_FOLDERS.lacking(Reason(code=Code.EXPORT_WITHOUT_FOLDERS), outcome=Outcome.SKIPPED)
        yield questions.INVENTORY_SWITCHES.lacking(Reason(code=Code.EXPORT_WITHOUT_SWITCHES), outcome=Outcome.SKIPPED)
        counts = {
            Code.ENTRIES_MALFORMED: self.inventory.broken,
            Code.PERMISSIONS_MISSING: drives.without_permissions,
            Code.OWNER_UNKNOWN: drives.without_owner,
        }
        for code, count in counts.items():
            if count:
                yield questions.INVENTORY.lacking(Reason(code=code, values={"count": count}))

    def _people(self) -> People:
        """Nobody but the domains that are ours."""
        return People(
            estate=self.estate,
            primary=min(self.estate.domains),
            domains=self.estate.domains,
            all_users_read=False,
            all_private_read=False,
        )


def _tenant(people: People) -> Resource:
    return Resource(
        uid=uids.tenant(people.primary),
        platform=PLATFORM,
        account=people.primary,
        kind="tenant",
        name=people.primary,
        path=people.primary,
    )
