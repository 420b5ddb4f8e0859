"""A shared drive: its members, its switches, and everything in it, in full or as far as it changed."""

from collections.abc import Iterator, Mapping, Sequence

from cloudscan.connector import Cursor, Gap, Yielded
from cloudscan.facts import (
    Access,
    Affiliation,
    Audience,
    Grant,
    Membership,
    Outcome,
    Principal,
    Resource,
    Setting,
    Via,
)
from cloudscan_gdrive.api.client import Google
from cloudscan_gdrive.api.listing import permissions
from cloudscan_gdrive.api.models import Permission, Permissions, Restrictions, SharedDrive, User
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.drive_restrictions import DriveRestrictions, restrictions_of
from cloudscan_gdrive.meaning.folder_tree import Tree
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.meaning.translate import Meaning
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.scopes.cursor_state import digest, unpack
from cloudscan_gdrive.scopes.drive_context import DriveContext, malformed, unread
from cloudscan_gdrive.scopes.drive_walk import changed, everything
from cloudscan_gdrive.scopes.shared_drive_files import SharedDriveFiles, as_member

_SWITCHES = (
    "domain_users_only",
    "drive_members_only",
    "copy_requires_writer",
    "folders_shared_by_managers_only",
    "managers_set_restrictions",
)
_STRONGEST_FIRST = {"organizer": 0, "fileOrganizer": 1, "writer": 2, "commenter": 3, "reader": 4}

Member = tuple[Permission, Meaning]


def facts_of_shared_drive(
    google: Google, people: People, options: Options, admin: str, drive: SharedDrive, since: Cursor | None
) -> Iterator[Yielded]:
    """A drive as far as it changed since the cursor; all of it where there is none.

    Raises as `Google.ask` does, and `StaleCursor` where the drive must be read in full.
    """
    uid = uids.shared_drive(drive.id)
    group = _group_of_members(drive, people)
    yield group
    yield _resource(drive, group, people)
    page = permissions(google, admin, drive.id, useDomainAdminAccess=True)
    context = DriveContext(google, people, options, Tree(top=uid, roots=frozenset({drive.id})), group.uid)
    members = [(member, meaning) for member in page.permissions if (meaning := context.meaning(member))]
    restrictions = restrictions_of(drive, members, people)
    yield from _memberships(context, members, restrictions, group)
    yield from _settings(drive, members, people)
    if page.broken:
        yield from unread(uid, uid, malformed(page.broken))
    user = _active_member(page.permissions, people)
    if user is None:
        yield Gap(
            table="resources",
            outcome=Outcome.DENIED,
            reason="none of our active users is a member, so its contents cannot be read; add a manager (Admin "
            "console, Manage shared drives)",
            resource_uid=uid,
        )
        return
    files = _files(context, drive, user, page, members, restrictions, group)
    yield from changed(files, unpack(since.token, options)) if since else everything(files)


def _files(
    context: DriveContext,
    drive: SharedDrive,
    user: str,
    page: Permissions,
    members: Sequence[Member],
    restrictions: DriveRestrictions,
    group: Principal,
) -> SharedDriveFiles:
    meanings = [meaning for _, meaning in members]
    return SharedDriveFiles(
        context=context,
        drive_id=drive.id,
        user=user,
        member_grant=Grant(
            uid="",
            resource_uid="",
            origin_uid=context.tree.top,
            inherited=True,
            principal_uid=group.uid,
            audience=Audience.NAMED,
            access=max((meaning.grant.access for meaning in meanings if meaning.grant.access), default=Access.READ),
            via=Via.MEMBERSHIP,
        ),
        external_members=[
            meaning for meaning in meanings if meaning.grant.audience is None or meaning.grant.audience > Audience.NAMED
        ],
        managers=[meaning for meaning in meanings if meaning.grant.access is Access.MANAGE],
        restrictions=restrictions,
        unread=malformed(page.broken) if page.broken else None,
        members=digest(
            [sorted(member.id + member.role for member in page.permissions), drive.restrictions, page.broken]
        ),
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
        name=f"members of {drive.name}",
        affiliation=Affiliation.INTERNAL,
        status="active",
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
        created_on=drive.created_time,
        url=f"https://drive.google.com/drive/folders/{drive.id}",
        detail={"hidden": "true"} if drive.hidden else {},
    )


def _settings(drive: SharedDrive, members: Sequence[Member], people: People) -> Iterator[Setting]:
    """The drive's switches, and how many managers can act."""
    uid = uids.shared_drive(drive.id)
    for name, value in _switches(drive.restrictions).items():
        yield Setting(scope_uid=uid, name=name, value=None if value is None else str(value).lower())
    managers = [
        member
        for member, meaning in members
        if meaning.grant.effective and member.role == "organizer" and _can_act(member, people)
    ]
    yield Setting(scope_uid=uid, name="managers", value=str(len(managers)))


def _switches(restrictions: Restrictions | None) -> Mapping[str, bool | None]:
    """Our names for a drive's switches. None: Google does not say."""
    if restrictions is None:
        return dict.fromkeys(_SWITCHES)
    values = (
        restrictions.domain_users_only,
        restrictions.drive_members_only,
        restrictions.copy_requires_writer_permission,
        restrictions.sharing_folders_requires_organizer_permission,
        not restrictions.admin_managed_restrictions,
    )
    return dict(zip(_SWITCHES, values, strict=True))


def _can_act(member: Permission, people: People) -> bool:
    """Neither a deleted account nor a suspended or archived user of ours."""
    user = people.users.get(member.email_address.lower())
    return not member.deleted and not (user and (user.suspended or user.archived))


def _active_member(members: Sequence[Permission], people: People) -> str | None:
    """The address of an active user of ours who is a member, the strongest role first: the drive is read as them."""
    for member in sorted(members, key=lambda member: _STRONGEST_FIRST.get(member.role, 9)):
        for user in _users_of(member, people):
            if not user.suspended and not user.archived:
                return user.primary_email
    return None


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
