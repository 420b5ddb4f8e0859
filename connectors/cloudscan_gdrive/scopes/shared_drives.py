"""A shared drive: its members, its switches, and everything in it, in full or as far as it changed.

Drive tells no permissions of what lies in a shared drive when it lists it. Everything there is open to the members;
what was given besides is asked for where Drive says that there is something (`hasAugmentedPermissions`), and what lies
below a folder inherits from it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from cloudscan.connector import Cursor, Gap
from cloudscan.errors import AccessDenied, Malformed, StaleCursor, Vanished
from cloudscan.facts import (
    Access,
    Affiliation,
    AnyFact,
    Audience,
    Gone,
    Grant,
    Membership,
    Outcome,
    Principal,
    Resource,
    Setting,
    Via,
)
from cloudscan_gdrive.api.client import Google
from cloudscan_gdrive.api.listing import (
    FOLDER,
    SHARED_FILE,
    below,
    changes,
    files,
    folders_first,
    permissions,
    start_of_changes,
)
from cloudscan_gdrive.api.models import Change, File, Permission, Restrictions, SharedDrive, User
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.drive_restrictions import Restricted, restrictions_of
from cloudscan_gdrive.meaning.folder_tree import Folder, Tree, Unread
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.meaning.translate import Meaning
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.scopes.cursor_state import (
    CursorState,
    check_meanings,
    digest,
    digest_of_options,
    met,
    pack,
    unpack,
)
from cloudscan_gdrive.scopes.drive_context import DriveContext, senseless, unread

Told = AnyFact | Gap | Cursor

_SWITCHES = (
    "domain_users_only",
    "drive_members_only",
    "copy_requires_writer",
    "folders_shared_by_managers_only",
    "managers_set_restrictions",
)


@dataclass(frozen=True, kw_only=True)
class _Inside:
    """What is needed to look into a drive."""

    reading: DriveContext
    drive: SharedDrive
    actor: str  # one of our users, in whose name it is read
    within: Grant  # what lets the members into everything
    outside: Sequence[Meaning]  # members from elsewhere: each is told for everything
    managers: Sequence[Meaning]  # members whom no limited folder keeps out
    restrictions: Restricted
    unread: Unread | None  # why not all members are known
    members: str  # digest of who they all are, and of the switches

    def where(self) -> dict[str, object]:
        """The parameters without which Drive does not look into shared drives."""
        return {"driveId": self.drive.id, "includeItemsFromAllDrives": True, "supportsAllDrives": True}


def facts_of_shared_drive(
    google: Google, people: People, options: Options, admin: str, drive: SharedDrive, since: Cursor | None
) -> Iterator[Told]:
    """A drive as far as it changed since the cursor; all of it where there is none. Raises as `Google.ask` does, and
    `StaleCursor` where changes cannot be told."""
    uid = uids.shared_drive(drive.id)
    everyone = _members_of(drive, people)
    yield everyone
    yield _drive(drive, everyone, people)
    members = permissions(google, admin, drive.id, useDomainAdminAccess=True)
    given = members.permissions
    reading = DriveContext(google, people, options, Tree(top=uid, roots=frozenset({drive.id})), everyone.uid)
    met_as_members = [(member, found) for member in given if (found := reading.meaning(member))]
    restricted = restrictions_of(drive, met_as_members, people)
    for member, found in met_as_members:
        if newcomer := reading.newcomer(found):
            yield newcomer
        yield _as_member(restricted.leave(reading.grant(found, uid, uid)))
        if found.principal:
            yield Membership(group_uid=everyone.uid, member_uid=found.principal.uid, role=member.role)
    yield from _restrictions(drive, uid, [member for member, found in met_as_members if found.grant.effective], people)
    if members.broken:
        yield from unread(uid, uid, senseless(members.broken))
    actor = _actor(given, people)
    if actor is None:
        yield Gap(
            table="resources",
            outcome=Outcome.DENIED,
            reason="none of our active users is a member, so nobody can look inside; give the drive a manager "
            "(Admin console, Manage shared drives)",
            resource_uid=uid,
        )
        return
    inside = _Inside(
        reading=reading,
        drive=drive,
        actor=actor,
        within=_within(uid, everyone, [found for _, found in met_as_members]),
        outside=[found for _, found in met_as_members if found.grant.audience is None
                 or found.grant.audience > Audience.NAMED],
        managers=[found for _, found in met_as_members if found.grant.access is Access.MANAGE],
        restrictions=restricted,
        unread=senseless(members.broken) if members.broken else None,
        members=digest([sorted(member.id + member.role for member in given), drive.restrictions, members.broken]),
    )  # fmt: skip
    yield from _changes(inside, unpack(since.token, options)) if since else _everything(inside)


def _everything(inside: _Inside) -> Iterator[Told]:
    page = start_of_changes(inside.reading.google, inside.actor, driveId=inside.drive.id, supportsAllDrives=True)
    for file in folders_first(_listed(inside), lambda folder: _remember(inside, folder)):
        if isinstance(file, Gap):
            yield file
        else:
            yield from _file(inside, file)
    yield _cursor(inside, page)


def _listed(inside: _Inside, query: str | None = None) -> Iterator[File | Gap]:
    reading = inside.reading
    return files(
        reading.google,
        reading.options,
        inside.actor,
        reading.tree.top,
        SHARED_FILE,
        corpora="drive",
        q=query,
        **inside.where(),
    )


def _changes(inside: _Inside, mark: CursorState) -> Iterator[Told]:
    reading = inside.reading
    if mark.members != inside.members:
        raise StaleCursor("the members of the drive were changed")
    check_meanings(reading, mark)
    reading.tree.folders.update(mark.folders)
    found, page = changes(reading.google, inside.actor, mark.page, SHARED_FILE, **inside.where())
    again: dict[str, File] = {}
    reread: list[str] = []
    for identity, change in found.items():
        if _moved_what_lies_in_it(inside, identity, change):
            reread.append(identity)
        if change.file is not None and change.file.drive_id == inside.drive.id:
            again[identity] = change.file
        else:
            yield Gone(uid=uids.file(identity))

    def note(file: File) -> None:
        again[file.id] = file
        if file.mime_type == FOLDER:
            _remember(inside, file)

    yield from below(reread, lambda folder: _listed(inside, f"'{folder}' in parents"), note)
    reading.tree.forget_places()
    for file in again.values():
        yield from _file(inside, file)
    yield _cursor(inside, page)


def _moved_what_lies_in_it(inside: _Inside, identity: str, change: Change) -> bool:
    """Take note of a folder's change; tells whether what lies in it may be told otherwise now."""
    folders = inside.reading.tree.folders
    before = folders.pop(identity, None)
    file = change.file
    if file is None or file.mime_type != FOLDER or file.drive_id != inside.drive.id:
        return False
    _remember(inside, file)
    return before != folders[identity]


def _file(inside: _Inside, file: File) -> Iterator[Told]:
    reading = inside.reading
    resource = reading.resource(file)
    uid = resource.uid
    yield resource
    above = {} if file.inherited_permissions_disabled else reading.tree.above(file.parents)
    limited = file.inherited_permissions_disabled or any(folder.limited for folder in above.values())
    if not limited:
        yield msgspec.structs.replace(inside.within, uid=f"{uid}#members", resource_uid=uid)
    for found in inside.managers if limited else inside.outside:
        yield _as_member(inside.restrictions.leave(reading.grant(found, uid, reading.tree.top)))
    if inside.unread:
        yield from unread(uid, reading.tree.top, inside.unread)
    known = reading.tree.folders.get(file.id)
    own = (known.given, known.unread) if known else _given(inside, file)
    told: set[str] = set()
    for origin, given, unknown in (
        (uid, *own),
        *((each.uid, each.given, each.unread) for each in above.values() if each.uid != uid),
    ):
        if unknown:
            yield from unread(uid, origin, unknown)
        for permission in given:
            found_here = reading.meaning(permission)
            if found_here and found_here.key not in told:
                told.add(found_here.key)
                if newcomer := reading.newcomer(found_here):
                    yield newcomer
                yield inside.restrictions.leave(reading.grant(found_here, uid, origin))


def _remember(inside: _Inside, file: File) -> None:
    given, unknown = _given(inside, file)
    carried = [inside.reading.meaning(permission) for permission in given]
    inside.reading.tree.folders[file.id] = Folder(
        uid=uids.file(file.id),
        name=file.name,
        parent=file.parents[0] if file.parents else "",
        keys=frozenset(found.key for found in carried if found),
        limited=file.inherited_permissions_disabled,
        trashed=file.trashed,
        given=given,
        unread=unknown,
    )


def _given(inside: _Inside, file: File) -> tuple[tuple[Permission, ...], Unread | None]:
    """What was given on an item itself, and why that is not all. Asked for unless Drive says that there is nothing."""
    if file.has_augmented_permissions is False:
        return (), None
    try:
        found = permissions(inside.reading.google, inside.actor, file.id)
    except Vanished:
        return (), None
    except AccessDenied as refused:
        return (), (Outcome.DENIED, str(refused))
    except Malformed as error:
        return (), (Outcome.FAILED, str(error))
    direct = tuple(each for permission in found.permissions if (each := _direct(permission)))
    return direct, senseless(found.broken) if found.broken else None


def _direct(permission: Permission) -> Permission | None:
    """The part of a permission that was given on the item itself: what comes from above is told there."""
    if not permission.permission_details:
        return permission
    for detail in permission.permission_details:
        if not detail.inherited and detail.permission_type != "member":
            return msgspec.structs.replace(permission, role=detail.role or permission.role)
    return None


def _cursor(inside: _Inside, page: str) -> Cursor:
    mark = CursorState(
        page=page,
        options=digest_of_options(inside.reading.options),
        members=inside.members,
        folders=list(inside.reading.tree.folders.items()),
        met=met(inside.reading),
    )
    return Cursor(scope_uid=inside.reading.tree.top, token=pack(mark))


def _members_of(drive: SharedDrive, people: People) -> Principal:
    return Principal(
        uid=uids.drive_members(drive.id),
        platform=uids.PLATFORM,
        account=people.primary,
        kind="group",
        name=f"members of {drive.name}",
        affiliation=Affiliation.INTERNAL,
        status="active",
    )


def _drive(drive: SharedDrive, everyone: Principal, people: People) -> Resource:
    return Resource(
        uid=uids.shared_drive(drive.id),
        platform=uids.PLATFORM,
        account=people.primary,
        kind="shared_drive",
        name=drive.name,
        path=drive.name,
        owner_uid=everyone.uid,
        size_bytes=0,
        created_on=drive.created_time,
        url=f"https://drive.google.com/drive/folders/{drive.id}",
        detail={"hidden": "true"} if drive.hidden else {},
    )


def _within(uid: str, everyone: Principal, members: Sequence[Meaning]) -> Grant:
    return Grant(
        uid="",
        resource_uid="",
        origin_uid=uid,
        inherited=True,
        principal_uid=everyone.uid,
        audience=Audience.NAMED,
        access=max((found.grant.access for found in members), default=Access.READ),
        via=Via.MEMBERSHIP,
    )


def _as_member(grant: Grant) -> Grant:
    return msgspec.structs.replace(grant, via=Via.MEMBERSHIP)


def _restrictions(found: SharedDrive, uid: str, members: Sequence[Permission], people: People) -> Iterator[Setting]:
    for name, value in _switches(found.restrictions).items():
        yield Setting(scope_uid=uid, name=name, value=None if value is None else str(value).lower())
    managers = [member for member in members if member.role == "organizer" and _alive(member, people)]
    yield Setting(scope_uid=uid, name="managers", value=str(len(managers)))


def _switches(told: Restrictions | None) -> Mapping[str, bool | None]:
    if told is None:
        return dict.fromkeys(_SWITCHES)
    values = (
        told.domain_users_only,
        told.drive_members_only,
        told.copy_requires_writer_permission,
        told.sharing_folders_requires_organizer_permission,
        not told.admin_managed_restrictions,
    )
    return dict(zip(_SWITCHES, values, strict=True))


def _alive(member: Permission, people: People) -> bool:
    """Somebody who can act: no deleted account, no suspended user of ours."""
    known = people.users.get(member.email_address.lower())
    return not member.deleted and not (known and (known.suspended or known.archived))


def _actor(members: Sequence[Permission], people: People) -> str | None:
    """One of our active users who is a member, the strongest first: in his name the drive is read."""
    roles = {"organizer": 0, "fileOrganizer": 1, "writer": 2, "commenter": 3, "reader": 4}
    for member in sorted(members, key=lambda each: roles.get(each.role, 9)):
        candidates: list[User] = []
        if member.type == "user" and (known := people.users.get(member.email_address.lower())):
            candidates = [known]
        elif member.type == "group":
            candidates = people.users_in(member.email_address)
        elif member.type == "domain":
            candidates = [
                known for address, known in people.users.items() if address.endswith(f"@{member.domain.lower()}")
            ]
        for user in candidates:
            if not user.suspended and not user.archived:
                return user.primary_email
    return None
