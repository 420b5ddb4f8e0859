"""One drive while it is read: what its files are called, and what their permissions mean."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from cloudscan.connector import Gap
from cloudscan.facts import Access, Grant, Outcome, Principal, Resource, Via
from cloudscan_gdrive.api.client import Google
from cloudscan_gdrive.api.lenient_decoding import mended
from cloudscan_gdrive.api.listing import FOLDER, SHORTCUT
from cloudscan_gdrive.api.models import File, Permission, Permissions
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.folder_tree import Tree, Unread
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.meaning.translate import Meaning, is_inherited, meaning
from cloudscan_gdrive.options import Options

_KINDS = {FOLDER: "folder", SHORTCUT: "shortcut"}
_PLAIN: Mapping[str, str] = {}
_LISTS = 10_000  # lists of permissions that are kept in mind
_permissions = msgspec.json.Decoder(tuple[Permission, ...])


@dataclass(frozen=True, kw_only=True)
class EffectivePermission:
    """A permission of a file's that lets in somebody other than the owner."""

    meaning: Meaning
    inherited: bool | None  # None: Drive does not say


@dataclass(frozen=True, kw_only=True)
class PermissionList:
    """All that is listed with a file, and how many permissions of it make no sense."""

    carried: Sequence[EffectivePermission] = ()
    broken: int = 0


@dataclass
class DriveContext:
    """One drive while it is read."""

    google: Google
    people: People
    options: Options
    tree: Tree
    owner_uid: str | None  # of what has no owner of its own
    meanings: dict[object, tuple[Permission, Meaning | None]] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    lists: dict[bytes, PermissionList | None] = field(default_factory=dict)  # of permissions, as they were sent
    told: set[str] = field(default_factory=set)  # principals
    owners: dict[str, str | None] = field(default_factory=dict)  # address: uid

    def meaning(self, permission: Permission) -> Meaning | None:
        """The same permission stands on many files: it is thought about once."""
        known = (permission.id, permission.role, permission.view, permission.expiration_time, permission.pending_owner,
                 permission.allow_file_discovery, permission.deleted, permission.type, permission.email_address,
                 permission.domain)  # fmt: skip
        found = self.meanings.get(known)
        if found is None:
            found = self.meanings[known] = permission, meaning(permission, self.people, self.now)
        return found[1]

    def carried(self, file: File) -> PermissionList | None:
        """What is listed with a file; None where Drive shows nothing, not even its owner.

        Files that are shared alike are sent alike, and so read once.
        """
        text = bytes(file.permissions)
        if text not in self.lists:
            found = self._carried(text)
            if len(self.lists) >= _LISTS:
                return found
            self.lists[text] = found
        return self.lists[text]

    def _carried(self, text: bytes) -> PermissionList | None:
        try:
            told = Permissions(permissions=_permissions.decode(text or b"[]"))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            told = mended(Permissions, b'{"permissions":' + text + b"}") or Permissions()
        if not (told.permissions or told.broken):
            return None
        return PermissionList(
            carried=[
                EffectivePermission(meaning=found, inherited=is_inherited(permission))
                for permission in told.permissions
                if (found := self.meaning(permission))
            ],
            broken=told.broken,
        )

    def grant(self, found: Meaning, resource: str, origin: str) -> Grant:
        """The way in that a meaning is for one resource. Whom it lets in is told by `newcomer`."""
        if origin == resource:
            return replace(found.grant, uid=f"{resource}#{found.key}", resource_uid=resource, origin_uid=origin)
        # An inherited grant has the reasons of the one it comes from; a hundred thousand copies would say no more.
        return replace(
            found.grant,
            uid=f"{resource}#{found.key}",
            resource_uid=resource,
            origin_uid=origin,
            inherited=True,
            detail=_PLAIN,
        )

    def newcomer(self, found: Meaning) -> Principal | None:
        """Whom a meaning lets in, the first time, where the directory does not tell of him."""
        who = found.principal
        if who is None or who.uid in self.told:
            return None
        self.told.add(who.uid)
        return None if self.people.are_told(who) else who

    def resource(self, file: File) -> Resource:
        mime_type = file.mime_type
        parent_uid, above = self.tree.place(file.parents)
        return Resource(
            uid=uids.file(file.id),
            platform=uids.PLATFORM,
            account=self.people.primary,
            kind=_KINDS.get(mime_type, "file"),
            name=file.name,
            path=above + file.name,
            parent_uid=parent_uid,
            container_uid=self.tree.top,
            owner_uid=self.owner(file.owners[0].email_address) if file.owners else self.owner_uid,
            content_type=mime_type,
            size_bytes=int(file.size) if str(file.size).isdecimal() else 0,
            created_on=file.created_time,
            modified_on=file.modified_time,
            label=self._label(file) if file.label_info else "",
            url=f"https://drive.google.com/{'drive/folders/' if mime_type == FOLDER else 'open?id='}{file.id}",
            detail=_detail(file) if _is_special(file) else _PLAIN,
        )

    def owner(self, email: str) -> str | None:
        """The uid of an owner, who is the same for most files."""
        found = self.owners.get(email)
        if found is None:
            found = self.owners[email] = uids.user(self.people.address_of(email)) if email else self.owner_uid
        return found

    def _label(self, file: File) -> str:
        labels = file.label_info.labels if file.label_info else ()
        titles = (self.options.labels.get(label.id, "") for label in labels)
        return ", ".join(title for title in titles if title)


def unread(uid: str, origin: str, why: Unread) -> Iterator[Grant | Gap]:
    """There may be ways in, and whom they admit is not known."""
    outcome, reason = why
    for access in (Access.READ, Access.COMMENT, Access.WRITE):
        yield Grant(
            uid=f"{uid}#unread/{access}", resource_uid=uid, origin_uid=origin, inherited=origin != uid, audience=None,
            access=access, via=Via.DIRECT, discoverable=None,
        )  # fmt: skip
    if origin == uid:
        yield Gap(table="grants", outcome=outcome, reason=reason, resource_uid=uid)


def senseless(count: int) -> Unread:
    """The reason where answers are broken."""
    return Outcome.FAILED, f"{count} of its permissions are not told as Google's documentation promises"


def _is_special(file: File) -> bool:
    return (
        file.trashed
        or file.copy_requires_writer_permission
        or file.inherited_permissions_disabled
        or file.writers_can_share is False
        or file.shortcut_details is not None
    )


def _detail(file: File) -> Mapping[str, str]:
    told = {
        "trashed": "true" if file.trashed else "",
        "copy_restricted": "true" if file.copy_requires_writer_permission else "",
        "limited_access": "true" if file.inherited_permissions_disabled else "",
        "writers_can_share": "false" if file.writers_can_share is False else "",
        "target_uid": uids.file(file.shortcut_details.target_id) if file.shortcut_details else "",
    }
    return {name: value for name, value in told.items() if value}
