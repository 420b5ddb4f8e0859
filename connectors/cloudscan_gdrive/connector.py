"""Google Drive, as cloudscan reads it: the directory first, then every drive on its own."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

import msgspec

from cloudscan.connector import Cursor, Estate, Gap, Permission, Scope, Spent, Yielded
from cloudscan.errors import AccessDenied, Malformed, ProviderError
from cloudscan.facts import Affiliation, Outcome, Principal, Resource
from cloudscan.http import Budget, Patience, Web
from cloudscan.text import CONSUMER
from cloudscan_gdrive.api.client import Google, connect
from cloudscan_gdrive.api.models import About, SharedDrive, SharedDrives, User
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.people import People, facts_of_directory
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.permissions import PERMISSIONS
from cloudscan_gdrive.scopes.audit_log import facts_of_audit_log, not_read
from cloudscan_gdrive.scopes.cursor_state import unpack
from cloudscan_gdrive.scopes.directory import Directory, facts_of_settings, read_directory
from cloudscan_gdrive.scopes.external_files import external_files, not_listed
from cloudscan_gdrive.scopes.my_drive import changes_of_my_drive, facts_of_my_drive, files_of_others
from cloudscan_gdrive.scopes.shared_drives import facts_of_shared_drive

PLATFORM = uids.PLATFORM
_DRIVES = (
    "nextPageToken,drives(id,name,createdTime,hidden,restrictions(adminManagedRestrictions,copyRequiresWriterPermission,"
    "domainUsersOnly,driveMembersOnly,sharingFoldersRequiresOrganizerPermission))"
)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class DriveConnector:
    """One Workspace customer, or one person's own drive."""

    options: Options
    estate: Estate
    google: Google
    now: Callable[[], datetime] = _now
    _known: dict[str, Directory] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    name: ClassVar[str] = PLATFORM
    permissions: ClassVar[Sequence[Permission]] = PERMISSIONS

    @classmethod
    def open(
        cls,
        options: Options,
        estate: Estate,
        patience: Patience | None = None,
        now: Callable[[], datetime] = _now,
    ) -> "DriveConnector":
        """Ready to be read; nothing is asked yet. `now` is the clock by which the log's days are counted.

        Raises `ConfigurationError`.
        """
        web = Web(
            connections=options.connections,
            patience=patience or Patience(),
            budget=Budget(options.quota_units_per_minute),
        )
        return cls(options, estate, connect(options, web), now)

    def scopes(self) -> Iterable[Scope]:
        """The directory, which names the drives; without an administrator, one's own drive."""
        if self.options.admin:
            name = self.options.admin.rpartition("@")[2]
            yield _scope("directory", f"{PLATFORM}:directory/{self.options.customer}", name, name)
        else:
            me = self.google.ask(About, self.google.about, "", fields="user(emailAddress,permissionId)").user
            params = {"id": me.permission_id, "email": me.email_address}
            account = me.email_address.rpartition("@")[2]
            yield _scope("own_drive", uids.my_drive(me.permission_id), me.email_address, account, params)

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        """Tell all facts of the directory or of a drive."""
        tell = {
            "directory": self._tell_directory,
            "audit_log": self._tell_audit_log,
            "external_files": self._tell_external_files,
            "my_drive": self._tell_my_drive,
            "left_behind": self._tell_left_behind,
            "own_drive": self._tell_own_drive,
            "shared_drive": self._tell_shared_drive,
        }[scope.kind]
        try:
            yield from tell(scope, since)
        except ProviderError:
            yield self._spent()
            raise
        yield self._spent()

    def _tell_directory(self, _directory: Scope, _since: Cursor | None) -> Iterator[Yielded]:
        found = self._directory()
        yield from found.gaps
        yield from facts_of_directory(found.people, found.users, found.groups, found.members)
        yield from facts_of_settings(found)
        primary = found.people.primary
        if self.options.audit_days > 0:
            yield _scope("audit_log", uids.audit_log(primary), "the Drive log", primary)
        else:
            yield not_read(primary, "audit_days is 0")
        if not self.options.external_files:
            yield not_listed(primary)
        chosen = {address.lower() for address in self.options.users}
        skipped = {address.lower() for address in self.options.skip_users}
        leavers = any(_has_left(user) for user in found.users)
        for user in found.users:
            address = user.primary_email.lower()
            if address not in skipped and (not chosen or address in chosen):
                yield _scope("my_drive", uids.my_drive(user.id), address, found.people.primary, {"id": user.id})
                if self.options.external_files and not _has_left(user):
                    name = f"what outsiders share with {address}"
                    yield _scope("external_files", uids.external_files(user.id), name, primary, {"id": user.id})
                if leavers and not _has_left(user):
                    name = f"what leavers left {address}"
                    yield _scope("left_behind", uids.left_behind(user.id), name, found.people.primary, {"id": user.id})
        if self.options.shared_drives and not chosen:
            yield from self._shared_drives(found.people)

    def _tell_audit_log(self, _log: Scope, since: Cursor | None) -> Iterator[Yielded]:
        people = self._directory().people
        yield from facts_of_audit_log(self.google, people, self.options, self.now(), since)

    def _tell_external_files(self, scope: Scope, _since: Cursor | None) -> Iterator[Yielded]:
        """Listed each night: it is seldom more than a page, and changes would take as many requests."""
        directory = self._directory()
        user = next((each for each in directory.users if each.id == scope.params["id"]), None)
        if user is not None:
            yield from external_files(self.google, directory.people, self.options, user)

    def _shared_drives(self, people: People) -> Iterator[Yielded]:
        google, admin = self.google, self.options.admin
        pages = google.pages(
            SharedDrives, google.drives, admin, useDomainAdminAccess=True, pageSize=100, fields=_DRIVES
        )
        try:
            for page in pages:
                for drive in page.drives:
                    params = {"drive": msgspec.json.encode(drive).decode()}
                    yield _scope(
                        "shared_drive", uids.shared_drive(drive.id), drive.name or drive.id, people.primary, params
                    )
                if page.broken:
                    reason = f"{page.broken} shared drive(s) are not told as Google's documentation promises"
                    yield Gap(table="resources", outcome=Outcome.PARTIAL, reason=reason)
        except AccessDenied as refused:
            reason = f"{refused}; shared drives could not be listed"
            yield Gap(table="resources", outcome=Outcome.DENIED, reason=reason, needs=refused.needs)

    def _tell_my_drive(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        people = self._directory().people
        user = next((each for each in self._directory().users if each.id == scope.params["id"]), None)
        if user is None:
            raise Malformed(f"the user with the id {scope.params['id']} is not in the directory any more")
        address = user.primary_email.lower()
        drive = _my_drive(user.id, address, user.name.full_name or address, people)
        yield drive
        try:
            yield from self._inside(people, user.primary_email, drive, since)
        except AccessDenied:
            if not _has_left(user):
                raise
            # Nobody can act for him: his drive is known only as far as that it is there.
            state = "suspended" if user.suspended else "archived"
            yield Gap(
                table="resources",
                outcome=Outcome.DENIED,
                reason=f"the account is {state}, and Google lets nobody look into its drive: only what others can open "
                "is known of it; move its files to a manager (Admin console, Transfer ownership)",
                resource_uid=drive.uid,
            )

    def _tell_left_behind(self, scope: Scope, _since: Cursor | None) -> Iterator[Yielded]:
        """What a user can open of those whose own drives nobody can look into any more."""
        directory = self._directory()
        user = next((each for each in directory.users if each.id == scope.params["id"]), None)
        leavers = [each for each in directory.users if _has_left(each)]
        if user is not None and leavers:
            yield from files_of_others(self.google, directory.people, self.options, user.primary_email, leavers)

    def _tell_own_drive(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        address, identity = scope.params["email"].lower(), scope.params["id"]
        me = User(id=identity, primary_email=address)
        people = People(
            estate=self.estate,
            primary=scope.account,
            domains=frozenset({scope.account.lower()}) - CONSUMER,
            users={address: me},
            whole=False,
        )
        yield Principal(
            uid=uids.user(address),
            platform=PLATFORM,
            account=scope.account,
            kind="user",
            email=address,
            domain=scope.account,
            name=address,
            affiliation=Affiliation.INTERNAL,
            status="active",
        )
        yield not_read(scope.account, "only an administrator may")
        drive = _my_drive(identity, address, address, people)
        yield drive
        yield from self._inside(people, "", drive, since)

    def _tell_shared_drive(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        drive = msgspec.json.decode(scope.params["drive"], type=SharedDrive)
        people = self._directory().people
        yield from facts_of_shared_drive(self.google, people, self.options, self.options.admin, drive, since)

    def _inside(self, people: People, user: str, drive: Resource, since: Cursor | None) -> Iterator[Yielded]:
        if since is None:
            yield from facts_of_my_drive(self.google, people, self.options, user, drive)
        else:
            mark = unpack(since.token, self.options)
            yield from changes_of_my_drive(self.google, people, self.options, user, drive, mark)

    def _directory(self) -> Directory:
        """Read once; a scan that goes on in another process reads it again."""
        with self._lock:
            if "" not in self._known:
                self._known[""] = read_directory(self.google, self.estate, self.options.admin, self.options.customer)
            return self._known[""]

    def _spent(self) -> Spent:
        return self.google.meter.spent()


def _has_left(user: User) -> bool:
    return user.suspended or user.archived


def _scope(kind: str, uid: str, name: str, account: str, params: dict[str, str] | None = None) -> Scope:
    return Scope(uid=uid, platform=PLATFORM, kind=kind, name=name, account=account, params=params or {})


def _my_drive(identity: str, address: str, name: str, people: People) -> Resource:
    return Resource(
        uid=uids.my_drive(identity),
        platform=PLATFORM,
        account=people.primary,
        kind="my_drive",
        name=f"My Drive of {name}",
        path=address,
        owner_uid=uids.user(address),
        size_bytes=0,
    )
