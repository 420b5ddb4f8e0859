"""A shared drive: its members, its switches, and everything in it, in full or as far as it changed."""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from itertools import islice
from typing import Final

from cloudscan.connector import Cursor, Yielded
from cloudscan.errors import AccessDenied, Malformed, QuotaSpent, Vanished
from cloudscan.facts import (
    Access,
    Affiliation,
    Audience,
    Grant,
    Membership,
    Principal,
    Resource,
    Setting,
    Via,
)
from cloudscan.reason import Reason
from cloudscan_gdrive import questions
from cloudscan_gdrive.api.client import Everything, Google
from cloudscan_gdrive.api.listing import Acting, permissions
from cloudscan_gdrive.api.models import Permission, Restrictions, SharedDrive, User
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.accounts import is_suspended
from cloudscan_gdrive.meaning.drive_restrictions import DriveRestrictions, readers_cannot_copy, restrictions_of
from cloudscan_gdrive.meaning.folder_tree import Tree
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.meaning.translate import Meaning, utc
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.scopes.cursor_state import digest, unpack
from cloudscan_gdrive.scopes.drive_context import CopyRestriction, DriveContext, marker
from cloudscan_gdrive.scopes.drive_walk import changed, everything
from cloudscan_gdrive.scopes.quiet_drives import QuietDrives
from cloudscan_gdrive.scopes.shared_drive_files import SharedDriveFiles, as_member

_SWITCHES: Final = (
    "domain_users_only",
    "drive_members_only",
    "copy_requires_writer",
    "folders_shared_by_managers_only",
    "managers_set_restrictions",
)
_STRONGEST_FIRST: Final = {"organizer": 0, "fileOrganizer": 1, "writer": 2, "commenter": 3, "reader": 4}
_MOST_TRIED: Final = 5  # members in whose name a drive is tried

Member = tuple[Permission, Meaning]


def facts_of_shared_drive(
    google: Google,
    people: People,
    options: Options,
    drive: SharedDrive,
    since: Cursor | None,
    readers: MutableMapping[str, str],
    quiet: QuietDrives | None = None,
    *,
    with_files: bool = True,
) -> Iterator[Yielded]:
    """A drive as far as it changed since the cursor; all of it where there is none. `with_files`: not its members only.

    `readers` keeps, by the drive's id, in whose name it could be read before. Raises as `listing.files` does, and
    `StaleCursor` where the drive must be read in full.
    """
    uid = uids.shared_drive(drive.id)
    state = unpack(since.token, options) if since else None
    if state and state.user:
        readers[drive.id] = state.user
    group = _group_of_members(drive, people)
    yield group
    yield _resource(drive, group, people)
    page = permissions(google, google.drive_members, options.admin, drive.id, uid, useDomainAdminAccess=True)
    if isinstance(page.error, QuotaSpent):
        raise page.error
    tree = Tree(top=uid, roots=frozenset({drive.id}))
    context = DriveContext(
        google, people, options, tree, group.uid, owned=False, copying=_copying_in(drive), quiet=quiet
    )
    members = [(member, meaning) for member in page.entries if (meaning := context.meaning(member))]
    all_members = page.complete and bool(page.entries)
    restrictions = restrictions_of(drive, members, people, all_members=all_members)
    yield from _memberships(context, members, restrictions, group)
    yield from _settings(drive, members, people, all_members=all_members)
    yield from page.gaps
    if not all_members:
        if page.complete:
            yield questions.DRIVE_MEMBERS.lacking(Reason(code=Code.DRIVE_MEMBERS_MISSING), uid)
        yield marker(uid, uid)
        yield Membership(group_uid=group.uid, member_uid=None)
    if not with_files:
        return
    users = _readers(page.entries, people, options, readers.get(drive.id, ""), all_members=all_members)
    if not users:
        yield questions.SHARED_DRIVE_FILES.gap(AccessDenied(Code.NOBODY_TO_ACT_FOR), uid)
        return
    files = _files(context, drive, Acting(users), page, members, restrictions, group)
    try:
        yield from changed(files, state) if state else everything(files)
    except (AccessDenied, Vanished, Malformed) as error:
        yield questions.SHARED_DRIVE_FILES.gap(error, uid)
        return
    readers[drive.id] = files.acting.user


def _readers(
    members: Sequence[Permission], people: People, options: Options, before: str, *, all_members: bool
) -> Sequence[str]:
    """The addresses of those who may be able to read a drive, in the order in which they are tried.

    Active users of ours who are members, the strongest role first. Where not all users or members are known:
    members with an address of ours, the one who could read it before, and the administrator.
    """
    skipped = {people.address_of(address) for address in options.skip_users}
    users = list(islice(_active_members(members, people, skipped), _MOST_TRIED))
    if not people.all_users_read or not all_members or any(_is_unread_group(member, people) for member in members):
        users += islice(_perhaps_active(members, people, skipped), _MOST_TRIED)
        users += [address for address in (before, options.admin) if address and address.lower() not in skipped]
    return list(dict.fromkeys(users))


def _is_unread_group(member: Permission, people: People) -> bool:
    info = people.groups.get(people.address_of(member.email_address)) if member.type == "group" else None
    return member.type == "group" and not member.deleted and (info is None or info.unread)


def _active_members(members: Sequence[Permission], people: People, skipped: set[str]) -> Iterator[str]:
    for member in sorted(members, key=lambda member: _STRONGEST_FIRST.get(member.role, 9)):
        for user in _users_of(member, people):
            if not is_suspended(user) and user.primary_email.lower() not in skipped:
                yield user.primary_email


def _perhaps_active(members: Sequence[Permission], people: People, skipped: set[str]) -> Iterator[str]:
    for member in sorted(members, key=lambda member: _STRONGEST_FIRST.get(member.role, 9)):
        address = member.email_address.lower()
        unknown = address not in people.users and address not in people.guests
        ours = people.is_ours(address.rpartition("@")[2])
        if member.type == "user" and not member.deleted and unknown and ours and address not in skipped:
            yield address


def _files(
    context: DriveContext,
    drive: SharedDrive,
    acting: Acting,
    page: Everything[Permission],
    members: Sequence[Member],
    restrictions: DriveRestrictions,
    group: Principal,
) -> SharedDriveFiles:
    meanings = [meaning for _, meaning in members]
    known = page.complete and bool(page.entries)
    strongest = max((meaning.grant.access for meaning in meanings if meaning.grant.access), default=Access.READ)
    return SharedDriveFiles(
        context=context,
        drive_id=drive.id,
        acting=acting,
        member_grant=Grant(
            uid="",
            resource_uid="",
            origin_uid=context.tree.top,
            inherited=True,
            principal_uid=group.uid,
            audience=Audience.NAMED,
            access=strongest if meanings else None,
            via=Via.MEMBERSHIP,
        ),
        external_members=[
            meaning for meaning in meanings if meaning.grant.audience is None or meaning.grant.audience > Audience.NAMED
        ],
        managers=[meaning for meaning in meanings if meaning.grant.access in (Access.MANAGE, None)],
        restrictions=restrictions,
        members_unread=not known,
        member_ids=frozenset(member.id for member in page.entries),
        members=digest([sorted(member.id + member.role for member in page.entries), drive.restrictions, known]),
    )


def _memberships(
    context: DriveContext, members: Sequence[Member], restrictions: DriveRestrictions, group: Principal
) -> Iterator[Yielded]:
    """The members with their grants on the drive itself."""
    uid = context.tree.top
    for member, meaning in members:
        if principal := context.first_mention(meaning):
            yield principal
        yield as_member(restrictions.applied_to(context.grant(meaning, uid, uid)))
        if meaning.principal:
            yield Membership(group_uid=group.uid, member_uid=meaning.principal.uid, role=member.role)


def _group_of_members(drive: SharedDrive, people: People) -> Principal:
    return Principal(
        uid=uids.drive_members(drive.id),
        platform=uids.PLATFORM,
        account=people.primary,
        kind="group",
        name=drive.name,
        affiliation=Affiliation.INTERNAL,
        status="active",
        detail={"join": "invited"},
    )


def _resource(drive: SharedDrive, group: Principal, people: People) -> Resource:
    return Resource(
        uid=uids.shared_drive(drive.id),
        platform=uids.PLATFORM,
        account=people.primary,
        kind="shared_drive",
        name=drive.name,
        path=drive.name,
        owner_uid=group.uid,
        size_bytes=0,
        created_on=utc(drive.created_time),
        url=f"https://drive.google.com/drive/folders/{drive.id}",
        detail={"hidden": "true"} if drive.hidden else {},
    )


def _settings(drive: SharedDrive, members: Sequence[Member], people: People, *, all_members: bool) -> Iterator[Setting]:
    """The drive's switches, and how many managers can act."""
    uid = uids.shared_drive(drive.id)
    for name, value in _switches(drive.restrictions).items():
        yield Setting(scope_uid=uid, name=name, value=None if value is None else str(value).lower())
    managers = [
        _can_act(member, people)
        for member, meaning in members
        if meaning.grant.effective and member.role == "organizer"
    ]
    known = all_members and None not in managers
    yield Setting(scope_uid=uid, name="managers", value=str(managers.count(True)) if known else None)


def _switches(restrictions: Restrictions | None) -> Mapping[str, bool | None]:
    """Our names for a drive's switches. None: Google does not say."""
    if restrictions is None:
        return dict.fromkeys(_SWITCHES)
    values = (
        restrictions.domain_users_only,
        restrictions.drive_members_only,
        readers_cannot_copy(restrictions),
        restrictions.sharing_folders_requires_organizer_permission,
        None if restrictions.admin_managed_restrictions is None else not restrictions.admin_managed_restrictions,
    )
    return dict(zip(_SWITCHES, values, strict=True))


def _copying_in(drive: SharedDrive) -> CopyRestriction:
    switches = drive.restrictions or Restrictions()
    by_managers = switches.download_restriction
    writers = bool(by_managers and by_managers.restricted_for_writers)
    return CopyRestriction(readers=bool(readers_cannot_copy(switches)), writers=writers)


def _can_act(member: Permission, people: People) -> bool | None:
    """Neither a deleted account nor a suspended or archived user of ours; None: it is not known."""
    if member.deleted:
        return False
    address = member.email_address.lower()
    if user := people.users.get(address):
        return None if user.suspended is None or user.archived is None else not is_suspended(user)
    ours = people.affiliation(address.rpartition("@")[2]) in (Affiliation.INTERNAL, None)
    return None if member.type == "user" and ours and not people.all_users_read else True


def _users_of(member: Permission, people: People) -> list[User]:
    """Our users whom a membership lets in: one person, a group's members, or all of a domain."""
    match member.type:
        case "user":
            user = people.users.get(member.email_address.lower())
            return [user] if user else []
        case "group":
            return people.users_in(member.email_address)
        case "domain":
            ending = f"@{member.domain.lower()}"
            return [user for address, user in people.users.items() if address.endswith(ending)]
        case _:
            return []
