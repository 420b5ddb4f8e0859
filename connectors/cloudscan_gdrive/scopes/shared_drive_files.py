"""What is in a shared drive, and who can open it.

Drive lists no permissions with what is in a shared drive. All of it is open to the members; what was given besides is
asked for where Drive says that there is something (`hasAugmentedPermissions`), and what is below a folder inherits it.

Sources: discovery document of Drive v3 (File.hasAugmentedPermissions, permissions.list); Drive guide, "Shared drives".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from msgspec.structs import replace

from cloudscan.connector import Gap, Yielded
from cloudscan.errors import QuotaSpent
from cloudscan.facts import Audience, Grant, Via
from cloudscan.reason import Reason
from cloudscan_gdrive.api.client import Everything
from cloudscan_gdrive.api.listing import SHARED_FILE, Acting, files, permissions
from cloudscan_gdrive.api.models import File, Permission
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.drive_restrictions import DriveRestrictions
from cloudscan_gdrive.meaning.folder_tree import Folder
from cloudscan_gdrive.meaning.translate import IDS_OF_LINKS, Meaning, link_by_id, strength_of
from cloudscan_gdrive.scopes.drive_context import DriveContext, marker


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
    member_ids: frozenset[str]  # of their permissions, which Drive lists with every file too
    members: str  # digest of who they all are, and of the switches
    listed: dict[str, Everything[Permission]] = field(default_factory=dict)  # own lists of files still to tell, by id

    file_fields: ClassVar[str] = SHARED_FILE
    takes_contents_along: ClassVar[bool] = True
    root: ClassVar[str] = ""

    @property
    def key(self) -> str:
        """The drive's id, as the Drive log has it."""
        return self.drive_id

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
        listed = self.listed.pop(file.id, None)
        if not self.member_ids.issuperset(file.permission_ids):
            met = {
                permission.id
                for given in (own[0], *(folder.given for folder in above.values()))
                for permission in given
            }
            unmet = frozenset(file.permission_ids) - self.member_ids - met
            yield from self._beyond(file, uid, unmet, listed, whole=whole, link=link)

    def _beyond(
        self,
        file: File,
        uid: str,
        unmet: frozenset[str],
        listed: Everything[Permission] | None,
        *,
        whole: bool,
        link: bool,
    ) -> Iterator[Yielded]:
        """What the ids of the file's permissions say beyond the permissions that were met: a second source.

        The file's own list explains them, which is asked for after all where Drive said that nothing was given on the
        file. An id that no list explains is somebody who is not known. The ids of links prove what they are.
        """
        context = self.context
        if whole and unmet and not self.members_unread:
            page = listed or self._listed(file, uid)
            for permission in page.entries:
                meaning = context.meaning(permission, file.mime_type) if permission.id in unmet else None
                if meaning is None:
                    continue
                if principal := context.first_mention(meaning):
                    yield principal
                grant = self.restrictions.applied_to(context.grant(meaning, uid, _origin_of(permission, uid)))
                link = link or (grant.audience is not None and grant.audience >= Audience.ANYONE_WITH_LINK)
                yield grant
            left = unmet - {permission.id for permission in page.entries} - set(IDS_OF_LINKS)
            if left:
                context.unread(uid, page.error or Reason(code=Code.PERMISSION_UNKNOWN))
                yield marker(uid, uid)
        for identity in IDS_OF_LINKS if not link else ():
            if identity in unmet:
                proven = replace(link_by_id(identity), uid=f"{uid}#{identity}", resource_uid=uid, origin_uid=uid)
                yield self.restrictions.applied_to(proven)

    def _given(self, file: File) -> tuple[tuple[Permission, ...], Reason | None]:
        """What was given on a file itself, and why that is not all. Asked for unless Drive says there is nothing."""
        if file.has_augmented_permissions is False:
            return (), None
        context, uid = self.context, uids.file(file.id)
        page = self._listed(file, uid)
        self.listed[file.id] = page
        given = tuple(direct for permission in page.entries if (direct := self._direct(permission)))
        if page.complete and not page.entries:
            reason = Reason(code=Code.PERMISSIONS_MISSING)  # the members are always among them
            context.unread(uid, reason)
            return (), reason
        for gap in page.gaps:
            context.unread(uid, page.error or gap.reason)
        return given, page.gaps[0].reason if page.gaps else None

    def _listed(self, file: File, uid: str) -> Everything[Permission]:
        """The file's own list of permissions. Raises `QuotaSpent`: then nothing more is to be asked."""
        context = self.context
        page = permissions(context.google, context.google.item_permissions, self.acting.user, file.id, uid)
        if isinstance(page.error, QuotaSpent):
            raise page.error
        return page

    def _direct(self, permission: Permission) -> Permission | None:
        """The part of a permission that was given on the file itself; what is inherited is yielded from its origin.

        A membership that the list of members lacks counts as given here: it would be yielded nowhere else.
        """
        details = permission.permission_details
        if not details:
            return permission
        direct = [one for one in details if not one.inherited and one.permission_type != "member"]
        if direct:
            strongest = max(direct, key=lambda one: strength_of(one.role))
            return replace(permission, role=strongest.role or permission.role)
        member = any(one.permission_type == "member" for one in details)
        return permission if member and not self.members_unread and permission.id not in self.member_ids else None


def as_member(grant: Grant) -> Grant:
    """A grant that somebody has as a member of the drive."""
    return replace(grant, via=Via.MEMBERSHIP)


def _origin_of(permission: Permission, uid: str) -> str:
    """The uid of the folder that a permission was given on; that of the file where Drive does not say."""
    return next(
        (uids.file(one.inherited_from) for one in permission.permission_details or () if one.inherited_from), uid
    )
