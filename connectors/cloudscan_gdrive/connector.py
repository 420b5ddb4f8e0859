"""The Google Drive connector: the directory first, then each drive as a scope of its own."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, Final

import msgspec

from cloudscan.connector import Cursor, Estate, Gap, Once, Permission, Scope, Spent, Yielded
from cloudscan.errors import AccessDenied, Malformed, ProviderError, StaleCursor, Vanished
from cloudscan.facts import EVERYTHING, Affiliation, Hidden, Outcome, Principal, Resource
from cloudscan.http import Budget, Patience, Web, decoder
from cloudscan.reason import Reason
from cloudscan.text import CONSUMER, nearest
from cloudscan_gdrive import questions
from cloudscan_gdrive.api.client import Google, connect
from cloudscan_gdrive.api.models import About, Person, SharedDrive, SharedDrives, User
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.accounts import is_guest, is_suspended
from cloudscan_gdrive.meaning.people import People, facts_of_directory
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.permissions import PERMISSIONS
from cloudscan_gdrive.recheck import still_there
from cloudscan_gdrive.scopes.audit_log import facts_of_audit_log, not_read
from cloudscan_gdrive.scopes.directory import Directory, facts_of_settings, read_directory
from cloudscan_gdrive.scopes.external_files import external_files, not_listed
from cloudscan_gdrive.scopes.left_behind import LeftBehind
from cloudscan_gdrive.scopes.my_drive import facts_of_my_drive
from cloudscan_gdrive.scopes.quiet_drives import QuietDrives
from cloudscan_gdrive.scopes.shared_drives import facts_of_shared_drive

PLATFORM = uids.PLATFORM
_DRIVES = (
    "nextPageToken,drives(id,name,createdTime,hidden,restrictions(adminManagedRestrictions,copyRequiresWriterPermission,"
    "domainUsersOnly,driveMembersOnly,sharingFoldersRequiresOrganizerPermission,"
    "downloadRestriction(restrictedForReaders,restrictedForWriters)))"
)
_NO_DRIVE_CAN_BE_READ: Final = frozenset(
    {
        Code.API_OFF,
        Code.DELEGATION_MISSING,
        Code.KEY_REFUSED,
        Code.CLOCK_WRONG,
        Code.SERVICE_ACCOUNT_UNKNOWN,
        Code.CREDENTIALS_REFUSED,
    }
)
"""Causes that are not about one person: they are told once, and not again for each drive."""
_OF_THE_PERSON: Final = frozenset({Code.PERSON_REFUSED, Code.PERSON_UNKNOWN, Code.PERSON_WITHOUT_DRIVE})
_LISTED_BY: Final = {
    "directory": questions.USERS,
    "audit_log": questions.ACTIVITIES,
    "external_files": questions.EXTERNAL_FILES,
    "my_drive": questions.OWN_FILES,
    "left_behind": questions.FILES_OF_OTHERS,
    "own_drive": questions.OWN_FILES,
    "shared_drive": questions.SHARED_DRIVE_FILES,
}
"""The question that lists what a kind of scope is about."""
_MOST_OWNERS_NAMED: Final = 100  # suspended users whose drives are named as what a scope may hide


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
    _directories_yielded: set[int] = field(default_factory=set)
    _quiet: Once[QuietDrives] = field(default_factory=Once)
    _readers: dict[str, str] = field(default_factory=dict)  # by shared drive, in whose name it could be read

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
            patience=patience or Patience(span=options.patience),
            budget=Budget(options.quota_units_per_minute),
        )
        return cls(options, estate, connect(options, web), now)

    def scopes(self) -> Iterable[Scope]:
        """The directory, which yields the drives as further scopes; without an administrator, the user's own drive."""
        if self.options.admin:
            name = self.options.admin.rpartition("@")[2]
            yield _scope("directory", f"{PLATFORM}:directory/{self.options.customer}", name, name)
        else:
            me = self._me()
            params = {"id": me.permission_id, "email": me.email_address}
            account = me.email_address.rpartition("@")[2]
            uid = uids.my_drive(me.permission_id)
            hides = (Hidden(table=EVERYTHING, below=uid),)
            yield _scope("own_drive", uid, me.email_address, account, params, hides)

    def _me(self) -> Person:
        me = self.google.ask(About, self.google.about, "", fields="user(emailAddress,permissionId)").user
        if not me.email_address or not me.permission_id:
            raise Malformed(Code.MALFORMED, quote="user")
        return me

    def still_there(self, uids: Sequence[str]) -> Mapping[str, bool]:
        """Whether things that no list named exist, as far as somebody of ours can see them. Raises nothing."""
        return still_there(self.google, self.options.admin, self._users_to_ask, uids)

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
        except StaleCursor:
            yield self._spent()
            raise
        except ProviderError as error:
            # Kept if this was the last attempt: it names the question, which the scope's own row does not.
            yield msgspec.structs.replace(_LISTED_BY[scope.kind].gap(error), hides=scope.hides or None)
            yield self._spent()
            raise
        yield self._spent()

    def _read_directory(self, _directory: Scope, _since: Cursor | None) -> Iterator[Yielded]:
        directory = self._directory()
        if id(directory) in self._directories_yielded and any(gap.passing for gap in directory.gaps):
            # The core asks once more, because what failed may be answered by now.
            self._directory_once.take(lambda: directory)
            directory = self._directory()
        self._directories_yielded.add(id(directory))
        yield from directory.gaps
        yield from facts_of_directory(directory.people, directory.lists)
        yield from facts_of_settings(directory)
        primary = directory.people.primary
        if self.options.audit_days > 0:
            uid = uids.audit_log(primary)
            yield _scope("audit_log", uid, "the Drive log", primary, hides=questions.ACTIVITIES.hides)
        else:
            yield not_read(primary, Code.LOG_SWITCHED_OFF)
        if not self.options.external_files:
            yield not_listed(primary)
        drives = list(self._shared_drives(directory.people))
        closed = next(filter(_says_that_no_drive_can_be_read, drives), None)
        if closed is not None:
            # It is told once, instead of once for each of the drives.
            yield msgspec.structs.replace(closed, hides=questions.ABOUT.hides)
            return
        yield from self._drives_of_users(directory)
        yield from drives

    def _drives_of_users(self, directory: Directory) -> Iterator[Scope | Gap]:
        people, primary = directory.people, directory.people.primary
        chosen = {people.address_of(address) for address in self.options.users}
        skipped = {people.address_of(address) for address in self.options.skip_users}
        if people.all_users_read:
            for address in sorted(chosen - people.users.keys()):
                known = nearest(address, people.users) or min(people.users, default="?")
                reason = Reason(code=Code.USER_NOT_FOUND, values={"name": address, "nearest": known})
                yield questions.USERS.lacking(reason, outcome=Outcome.FAILED)
        left = [user for user in self._ours(directory) if is_suspended(user)]
        for user in self._ours(directory):
            address = user.primary_email.lower()
            if address in skipped or (chosen and address not in chosen):
                continue
            params, uid = {"id": user.id}, uids.my_drive(user.id)
            yield _scope("my_drive", uid, address, primary, params, (Hidden(table=EVERYTHING, below=uid),))
            if self.options.external_files and not is_suspended(user):
                name = f"files that external people share with {address}"
                uid = uids.external_files(user.id)
                yield _scope("external_files", uid, name, primary, params, questions.EXTERNAL_FILES.hides)
            if left and not is_suspended(user):
                name = f"files of suspended accounts that {address} can open"
                uid = uids.left_behind(user.id)
                yield _scope("left_behind", uid, name, primary, params, _hidden_in_drives_of(left))

    def _ours(self, directory: Directory) -> Iterator[User]:
        """Everybody who has a drive of ours: guests have none."""
        return (user for user in directory.lists.users if not is_guest(user))

    def _read_audit_log(self, _log: Scope, since: Cursor | None) -> Iterator[Yielded]:
        people = self._directory().people
        yield from facts_of_audit_log(self.google, people, self.options, self.now(), since)

    def _read_external_files(self, scope: Scope, _since: Cursor | None) -> Iterator[Yielded]:
        """Listed by every scan: it is seldom more than a page, and changes would take as many requests."""
        user = self._user(scope)
        if user is None:
            return
        try:
            yield from external_files(self.google, self._directory().people, self.options, user)
        except (AccessDenied, Vanished, Malformed) as error:
            yield questions.EXTERNAL_FILES.gap(error)

    def _shared_drives(self, people: People) -> Iterator[Scope | Gap]:
        """The shared drives; a gap where not all could be listed, or where no drive at all can be read."""
        if not self.options.shared_drives or self.options.users:
            yield from self._refusal_of_any_drive()
            return
        listed = self.google.everything(
            SharedDrives,
            self.google.drives,
            self.options.admin,
            useDomainAdminAccess=True,
            pageSize=100,
            fields=_DRIVES,
        )
        if listed.gaps:  # its token has a scope of its own: whatever refuses it may leave the drives of users readable
            yield from self._refusal_of_any_drive()
        yield from listed.gaps
        for drive in listed.entries:
            params = {"drive": msgspec.json.encode(drive).decode()}
            uid = uids.shared_drive(drive.id)
            hides = (Hidden(table=EVERYTHING, below=uid),)
            yield _scope("shared_drive", uid, drive.name or drive.id, people.primary, params, hides)

    def _refusal_of_any_drive(self) -> Iterator[Gap]:
        """The gap where the question that every drive answers is refused."""
        try:
            self.google.ask(About, self.google.about, self.options.admin, fields="user(emailAddress)")
        except ProviderError as error:
            # The drives may answer all the same.
            yield msgspec.structs.replace(questions.ABOUT.gap(error), hides=())

    def _read_my_drive(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        people = self._directory().people
        user = self._user(scope)
        if user is None:
            raise Malformed(Code.USER_GONE, id=scope.params["id"])
        address = user.primary_email.lower()
        drive = _my_drive(user.id, address, user.name.full_name or address, people)
        yield drive
        try:
            # Of somebody suspended it has to be seen each time that the drive cannot be read.
            quiet = None if is_suspended(user) else self._quiet_drives()
            yield from facts_of_my_drive(self.google, people, self.options, user.primary_email, drive, since, quiet)
        except (AccessDenied, Vanished, Malformed) as error:
            yield _unread_drive(error, user, drive)

    def _read_left_behind(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        directory, user = self._directory(), self._user(scope)
        owners = [owner for owner in self._ours(directory) if is_suspended(owner)]
        if user is None or not owners:
            return
        left_behind = LeftBehind(
            google=self.google,
            people=directory.people,
            options=self.options,
            user=user,
            owners=owners,
            quiet=self._quiet_drives(),
        )
        try:
            yield from left_behind.facts(since)
        except (AccessDenied, Vanished, Malformed) as error:
            gap = questions.FILES_OF_OTHERS.gap(error)
            yield msgspec.structs.replace(gap, hides=scope.hides or gap.hides)

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
        yield not_read(scope.account, Code.LOG_FOR_ADMINISTRATORS)
        drive = _my_drive(identity, address, address, people)
        yield drive
        try:
            yield from facts_of_my_drive(self.google, people, self.options, "", drive, since)
        except (AccessDenied, Vanished, Malformed) as error:
            yield questions.OWN_FILES.gap(error, drive.uid)

    def _read_shared_drive(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        drive = decoder(SharedDrive).decode(scope.params["drive"])
        people = self._directory().people
        quiet = self._quiet_drives()
        yield from facts_of_shared_drive(self.google, people, self.options, drive, since, self._readers, quiet)

    def _quiet_drives(self) -> QuietDrives | None:
        """What the Drive log says of drives that nobody touched; None where it is not to be read."""
        if self.options.audit_days <= 0 or self.options.look_again_days <= 0:
            return None
        people = self._directory().people
        return self._quiet.get(lambda: QuietDrives(self.google, self.options, people, self.now()))

    def people(self) -> People:
        """Who is who, as the directory has it. Raises as `read_directory` does."""
        return self._directory().people

    def _directory(self) -> Directory:
        """Read once; a scan that is resumed in another process reads it again."""
        return self._directory_once.get(lambda: read_directory(self.google, self.estate, self.options))

    def _user(self, scope: Scope) -> User | None:
        """The user whom a scope is about; None where the directory no longer contains them."""
        return next((user for user in self._directory().lists.users if user.id == scope.params["id"]), None)

    def _users_to_ask(self) -> Sequence[str]:
        """The active users of ours, by address; empty where there is no directory."""
        if not self.options.admin:
            return ()
        skipped = {address.lower() for address in self.options.skip_users}
        users = (user.primary_email for user in self._ours(self._directory()) if not is_suspended(user))
        return [address for address in users if address.lower() not in skipped]

    def _spent(self) -> Spent:
        return self.google.meter.spent()


def _says_that_no_drive_can_be_read(row: Scope | Gap) -> bool:
    return isinstance(row, Gap) and row.question == questions.ABOUT.name and row.reason.code in _NO_DRIVE_CAN_BE_READ


def _unread_drive(error: ProviderError, user: User, drive: Resource) -> Gap:
    """What is missing where Google does not let a person's drive be read.

    Of a suspended account nothing is known but that the drive exists: Google does not allow acting as them.
    """
    if is_suspended(user) and error.reason.code in _OF_THE_PERSON:
        state = "suspended" if user.suspended else "archived"
        error = AccessDenied(Code.ACCOUNT_CLOSED, person=user.primary_email.lower(), state=state)
    return questions.OWN_FILES.gap(error, drive.uid)


def _hidden_in_drives_of(owners: Sequence[User]) -> tuple[Hidden, ...]:
    if len(owners) > _MOST_OWNERS_NAMED:
        return questions.FILES_OF_OTHERS.hides
    return tuple(Hidden(table=EVERYTHING, below=uids.my_drive(owner.id)) for owner in owners)


def _scope(
    kind: str,
    uid: str,
    name: str,
    account: str,
    params: Mapping[str, str] | None = None,
    hides: tuple[Hidden, ...] = (),
) -> Scope:
    return Scope(uid=uid, platform=PLATFORM, kind=kind, name=name, account=account, params=params or {}, hides=hides)


def _my_drive(identity: str, address: str, name: str, people: People) -> Resource:
    return Resource(
        uid=uids.my_drive(identity),
        platform=PLATFORM,
        account=people.primary,
        kind="my_drive",
        name=f"My Drive: {name}",
        path=address,
        owner_uid=uids.user(address),
        size_bytes=0,
    )
