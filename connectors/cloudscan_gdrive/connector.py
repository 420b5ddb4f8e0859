"""The Google Drive connector: the directory first, then each drive as a scope of its own."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

import msgspec

from cloudscan.connector import Cursor, Estate, Gap, Once, Permission, Scope, Spent, Yielded
from cloudscan.errors import AccessDenied, Malformed, ProviderError
from cloudscan.facts import Affiliation, Outcome, Principal, Resource
from cloudscan.http import Budget, Patience, Web, decoder
from cloudscan.text import CONSUMER
from cloudscan_gdrive.api.client import Google, connect
from cloudscan_gdrive.api.models import About, SharedDrive, SharedDrives, User
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.people import People, facts_of_directory
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.permissions import PERMISSIONS
from cloudscan_gdrive.scopes.audit_log import facts_of_audit_log, not_read
from cloudscan_gdrive.scopes.directory import Directory, facts_of_settings, read_directory
from cloudscan_gdrive.scopes.external_files import external_files, not_listed
from cloudscan_gdrive.scopes.my_drive import facts_of_my_drive, files_of_others
from cloudscan_gdrive.scopes.shared_drives import facts_of_shared_drive

PLATFORM = uids.PLATFORM
_DRIVES = (
    "nextPageToken,drives(id,name,createdTime,hidden,restrictions(adminManagedRestrictions,copyRequiresWriterPermission,"
    "domainUsersOnly,driveMembersOnly,sharingFoldersRequiresOrganizerPermission))"
)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class DriveConnector:
    """One Workspace customer, or one person's own drive. Scopes may be collected in several threads."""

    options: Options
    estate: Estate
    google: Google
    now: Callable[[], datetime] = _now
    _directory_once: Once[Directory] = field(default_factory=Once)

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
        """Find credentials and set up the APIs; no request is made yet. `now` is the clock for days of the Drive log.

        Raises `ConfigurationError`.
        """
        web = Web(
            connections=options.connections,
            patience=patience or Patience(),
            budget=Budget(options.quota_units_per_minute),
        )
        return cls(options, estate, connect(options, web), now)

    def scopes(self) -> Iterable[Scope]:
        """The directory, which yields the drives as further scopes; without an administrator, the user's own drive."""
        if self.options.admin:
            name = self.options.admin.rpartition("@")[2]
            yield _scope("directory", f"{PLATFORM}:directory/{self.options.customer}", name, name)
        else:
            me = self.google.ask(About, self.google.about, "", fields="user(emailAddress,permissionId)").user
            params = {"id": me.permission_id, "email": me.email_address}
            account = me.email_address.rpartition("@")[2]
            yield _scope("own_drive", uids.my_drive(me.permission_id), me.email_address, account, params)

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        """The facts of the directory or of a drive, as far as they changed since the cursor. Raises `ProviderError`."""
        read = {
            "directory": self._read_directory,
            "audit_log": self._read_audit_log,
            "external_files": self._read_external_files,
            "my_drive": self._read_my_drive,
            "left_behind": self._read_left_behind,
            "own_drive": self._read_own_drive,
            "shared_drive": self._read_shared_drive,
        }[scope.kind]
        try:
            yield from read(scope, since)
        except ProviderError:
            yield self._spent()
            raise
        yield self._spent()

    def _read_directory(self, _directory: Scope, _since: Cursor | None) -> Iterator[Yielded]:
        directory = self._directory()
        yield from directory.gaps
        yield from facts_of_directory(directory.people, directory.users, directory.groups, directory.members)
        yield from facts_of_settings(directory)
        primary = directory.people.primary
        if self.options.audit_days > 0:
            yield _scope("audit_log", uids.audit_log(primary), "the Drive log", primary)
        else:
            yield not_read(primary, "audit_days is 0")
        if not self.options.external_files:
            yield not_listed(primary)
        chosen = {address.lower() for address in self.options.users}
        skipped = {address.lower() for address in self.options.skip_users}
        anyone_left = any(_has_left(user) for user in directory.users)
        for user in directory.users:
            address = user.primary_email.lower()
            if address in skipped or (chosen and address not in chosen):
                continue
            params = {"id": user.id}
            yield _scope("my_drive", uids.my_drive(user.id), address, primary, params)
            if self.options.external_files and not _has_left(user):
                name = f"files that external people share with {address}"
                yield _scope("external_files", uids.external_files(user.id), name, primary, params)
            if anyone_left and not _has_left(user):
                name = f"files of former employees that {address} can open"
                yield _scope("left_behind", uids.left_behind(user.id), name, primary, params)
        if self.options.shared_drives and not chosen:
            yield from self._shared_drives(directory.people)

    def _read_audit_log(self, _log: Scope, since: Cursor | None) -> Iterator[Yielded]:
        people = self._directory().people
        yield from facts_of_audit_log(self.google, people, self.options, self.now(), since)

    def _read_external_files(self, scope: Scope, _since: Cursor | None) -> Iterator[Yielded]:
        """Listed by every scan: it is seldom more than a page, and changes would take as many requests."""
        user = self._user(scope)
        if user is not None:
            yield from external_files(self.google, self._directory().people, self.options, user)

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
                    reason = f"{page.broken} shared drive(s) do not match Google's documented format"
                    yield Gap(table="resources", outcome=Outcome.PARTIAL, reason=reason)
        except AccessDenied as refused:
            reason = f"{refused}; shared drives could not be listed"
            yield Gap(table="resources", outcome=Outcome.DENIED, reason=reason, needs=refused.needs)

    def _read_my_drive(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        people = self._directory().people
        user = self._user(scope)
        if user is None:
            raise Malformed(f"the user with the id {scope.params['id']} is no longer in the directory")
        address = user.primary_email.lower()
        drive = _my_drive(user.id, address, user.name.full_name or address, people)
        yield drive
        try:
            yield from facts_of_my_drive(self.google, people, self.options, user.primary_email, drive, since)
        except AccessDenied:
            if not _has_left(user):
                raise
            # Google does not allow acting as a former employee: nothing is known of the drive but that it exists.
            state = "suspended" if user.suspended else "archived"
            yield Gap(
                table="resources",
                outcome=Outcome.DENIED,
                reason=f"the account is {state}, and Google does not allow reading its drive: only files that others "
                "can open are known; transfer them to a manager (Admin console, Transfer ownership)",
                resource_uid=drive.uid,
            )

    def _read_left_behind(self, scope: Scope, _since: Cursor | None) -> Iterator[Yielded]:
        """What a user can open of former employees' files: their own drives can no longer be read."""
        directory, user = self._directory(), self._user(scope)
        owners = [owner for owner in directory.users if _has_left(owner)]
        if user is not None and owners:
            yield from files_of_others(self.google, directory.people, self.options, user.primary_email, owners)

    def _read_own_drive(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        address, identity = scope.params["email"].lower(), scope.params["id"]
        me = User(id=identity, primary_email=address)
        people = People(
            estate=self.estate,
            primary=scope.account,
            domains=frozenset({scope.account.lower()}) - CONSUMER,
            users={address: me},
            all_users_read=False,
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
        yield not_read(scope.account, "only an administrator may read it")
        drive = _my_drive(identity, address, address, people)
        yield drive
        yield from facts_of_my_drive(self.google, people, self.options, "", drive, since)

    def _read_shared_drive(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        drive = decoder(SharedDrive).decode(scope.params["drive"])
        people = self._directory().people
        yield from facts_of_shared_drive(self.google, people, self.options, self.options.admin, drive, since)

    def _directory(self) -> Directory:
        """Read once; a scan that is resumed in another process reads it again."""
        options = self.options
        return self._directory_once.get(
            lambda: read_directory(self.google, self.estate, options.admin, options.customer)
        )

    def _user(self, scope: Scope) -> User | None:
        """The user whom a scope is about; None where the directory no longer contains them."""
        return next((user for user in self._directory().users if user.id == scope.params["id"]), None)

    def _spent(self) -> Spent:
        return self.google.meter.spent()


def _has_left(user: User) -> bool:
    """A former employee, as far as Google knows: Google does not allow acting as them."""
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
