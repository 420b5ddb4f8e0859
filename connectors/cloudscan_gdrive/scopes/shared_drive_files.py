"""What is in a shared drive, and who can open it.

Drive lists no permissions with what is in a shared drive. All of it is open to the members; what was given besides is
asked for where Drive says that there is something (`hasAugmentedPermissions`), and what is below a folder inherits it.

Sources: discovery document of Drive v3 (File.hasAugmentedPermissions, permissions.list); Drive guide, "Shared drives".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from msgspec.structs import replace

from cloudscan.connector import Gap, Yielded
from cloudscan.facts import Audience, Grant, Via
from cloudscan.reason import Reason
from cloudscan_gdrive.api.listing import SHARED_FILE, Acting, files, permissions
from cloudscan_gdrive.api.models import File, Permission
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.drive_restrictions import DriveRestrictions
from cloudscan_gdrive.meaning.folder_tree import Folder
from cloudscan_gdrive.meaning.translate import Meaning, link_by_id
from cloudscan_gdrive.scopes.drive_context import DriveContext, marker

_IDS_OF_LINKS = ("anyoneWithLink", "anyone")


@dataclass(frozen=True, kw_only=True)
class SharedDriveFiles:
    """A shared drive's files, with what its members and switches mean for each of them."""

    context: DriveContext
    drive_id: str
    acting: Acting  # our users who are members: in the name of one of them the drive is read
    member_grant: Grant  # lets the members into everything; without uid and resource
    external_members: Sequence[Meaning]  # yielded for every file, because the group of members counts as internal
    managers: Sequence[Meaning]  # members whom a folder with limited access does not keep out
    restrictions: DriveRestrictions
    members_unread: bool  # not all members are known
    members: str  # digest of who they all are, and of the switches

    file_fields: ClassVar[str] = SHARED_FILE
    takes_contents_along: ClassVar[bool] = True
    root: ClassVar[str] = ""

    @property
    def start_parameters(self) -> Mapping[str, object]:
        """For the start token of changes."""
        return {"driveId": self.drive_id, "supportsAllDrives": True}

    @property
    def change_parameters(self) -> Mapping[str, object]:
        """Without these, Drive does not list what is in shared drives."""
        return {"driveId": self.drive_id, "includeItemsFromAllDrives": True, "supportsAllDrives": True}

    def files(self, folder: str | None = None) -> Iterator[File | Gap]:
        """All files of the drive, or those in a folder."""
        context = self.context
        query = None if folder is None else f"'{folder}' in parents"
        return files(
            context.google,
            context.google.shared_drive_files,
            context.options,
            self.acting,
            context.tree.top,
            SHARED_FILE,
            corpora="drive",
            q=query,
            **self.change_parameters,
        )

    def contains(self, file: File) -> bool:
        """Whether a file is in this drive."""
        return file.drive_id == self.drive_id

    def folder(self, file: File) -> Folder:
        """A folder with the permissions that were given on it."""
        given, unread_because = self._given(file)
        meanings = [self.context.meaning(permission) for permission in given]
        return Folder(
            uid=uids.file(file.id),
            name=file.name,
            parent=file.parents[0] if file.parents else "",
            keys=frozenset(meaning.key for meaning in meanings if meaning),
            limited=file.inherited_permissions_disabled,
            trashed=file.trashed,
            given=given,
            unread=unread_because,
        )

    def facts_of(self, file: File) -> Iterator[Yielded]:
        """A file with the grants of the members, those on the folders above, and its own."""
        context = self.context
        resource = context.resource(file)
        uid = resource.uid
        yield resource
        above = {} if file.inherited_permissions_disabled else context.tree.above(file.parents)
        limited = file.inherited_permissions_disabled or any(folder.limited for folder in above.values())
        if not limited:
            yield replace(self.member_grant, uid=f"{uid}#members", resource_uid=uid)
        for meaning in self.managers if limited else self.external_members:
            yield as_member(self.restrictions.applied_to(context.grant(meaning, uid, context.tree.top)))
        if self.members_unread:
            yield marker(uid, context.tree.top)
        yield from self._given_grants(file, uid, above)

    def _given_grants(self, file: File, uid: str, above: Mapping[str, Folder]) -> Iterator[Yielded]:
        """What was given on the file, then on each folder above it; a permission counts where it is met first."""
        context = self.context
        remembered = context.tree.folders.get(file.id)
        own = (remembered.given, remembered.unread) if remembered else self._given(file)
        yielded: set[str] = set()
        whole, link = True, False
        for origin, given, unread_because in (
            (uid, *own),
            *((folder.uid, folder.given, folder.unread) for folder in above.values() if folder.uid != uid),
        ):
            if unread_because:
                whole = False
                yield marker(uid, origin)
            for permission in given:
                meaning = context.meaning(permission, file.mime_type)
                if meaning and meaning.key not in yielded:
                    yielded.add(meaning.key)
                    if principal := context.first_mention(meaning):
                        yield principal
                    grant = self.restrictions.applied_to(context.grant(meaning, uid, origin))
                    link = link or (grant.audience is not None and grant.audience >= Audience.ANYONE_WITH_LINK)
                    yield grant
        if not file.inherited_permissions_disabled and not context.tree.knows(file.parents):
            whole = False
            context.unread(uid, Reason(code=Code.PARENT_MISSING))
            if not own[1]:
                yield marker(uid, uid)
        if not whole and not link:
            yield from self._links_by_id(file, uid)

    def _links_by_id(self, file: File, uid: str) -> Iterator[Grant]:
        """Links that the ids of the permissions prove, where the permissions themselves could not be read."""
        for identity in _IDS_OF_LINKS:
            if identity in file.permission_ids:
                grant = replace(link_by_id(identity), uid=f"{uid}#{identity}", resource_uid=uid, origin_uid=uid)
                yield self.restrictions.applied_to(grant)

    def _given(self, file: File) -> tuple[tuple[Permission, ...], Reason | None]:
        """What was given on a file itself, and why that is not all. Asked for unless Drive says there is nothing."""
        if file.has_augmented_permissions is False:
            return (), None
        context, uid = self.context, uids.file(file.id)
        page = permissions(context.google, context.google.item_permissions, self.acting.user, file.id, uid)
        given = tuple(direct for permission in page.entries if (direct := _direct(permission)))
        if page.complete and not page.entries:
            reason = Reason(code=Code.PERMISSIONS_MISSING)  # the members are always among them
            context.unread(uid, reason)
            return (), reason
        for gap in page.gaps:
            context.unread(uid, page.error or gap.reason)
        return given, page.gaps[0].reason if page.gaps else None


def as_member(grant: Grant) -> Grant:
    """A grant that somebody has as a member of the drive."""
    return replace(grant, via=Via.MEMBERSHIP)


def _direct(permission: Permission) -> Permission | None:
    """The part of a permission that was given on the file itself; what is inherited is yielded from its origin."""
    if not permission.permission_details:
        return permission
    for detail in permission.permission_details:
        if not detail.inherited and detail.permission_type != "member":
            return replace(permission, role=detail.role or permission.role)
    return None
