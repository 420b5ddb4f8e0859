"""One drive while it is read: what its files are called, and what their permissions mean."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from cloudscan.connector import Gap
from cloudscan.facts import Access, Grant, Outcome, Principal, Resource, Via
from cloudscan_gdrive.api.client import Google
from cloudscan_gdrive.api.lenient_decoding import decoded_leniently
from cloudscan_gdrive.api.listing import FOLDER, SHORTCUT
from cloudscan_gdrive.api.models import File, Permission, Permissions
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.folder_tree import Tree, Unread
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.meaning.translate import Meaning, is_inherited, meaning_of
from cloudscan_gdrive.options import Options

_KINDS = {FOLDER: "folder", SHORTCUT: "shortcut"}
_NO_DETAIL: Mapping[str, str] = {}
_REMEMBERED_LISTS = 10_000  # lists of permissions
_permissions = msgspec.json.Decoder(tuple[Permission, ...])


@dataclass(frozen=True, kw_only=True)
class EffectivePermission:
    """A permission of a file that lets in a principal other than the owner."""

    meaning: Meaning
    inherited: bool | None  # None: Drive does not say


@dataclass(frozen=True, kw_only=True)
class PermissionList:
    """All permissions that are listed with a file, and how many of them could not be decoded."""

    effective: Sequence[EffectivePermission] = ()
    broken: int = 0


@dataclass
class DriveContext:
    """One drive while it is read. Belongs to one thread."""

    google: Google
    people: People
    options: Options
    tree: Tree
    owner_uid: str | None  # of files that have no owner of their own
    meanings: dict[object, tuple[Permission, Meaning | None]] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    _lists: dict[bytes, PermissionList | None] = field(default_factory=dict)  # by the JSON that Google sent
    _mentioned: set[str] = field(default_factory=set)  # uids of principals
    _owners: dict[str, str | None] = field(default_factory=dict)  # uids by address

    def meaning(self, permission: Permission) -> Meaning | None:
        """What a permission means. The same one is on many files and is translated once."""
        key = (permission.id, permission.role, permission.view, permission.expiration_time, permission.pending_owner,
               permission.allow_file_discovery, permission.deleted, permission.type, permission.email_address,
               permission.domain)  # fmt: skip
        remembered = self.meanings.get(key)
        if remembered is None:
            remembered = self.meanings[key] = permission, meaning_of(permission, self.people, self.now)
        return remembered[1]

    def permissions_of(self, file: File) -> PermissionList | None:
        """What is listed with a file; None where Drive shows nothing, not even its owner.

        Google sends the same JSON for files that are shared alike, so it is decoded once.
        """
        text = bytes(file.permissions)
        if text not in self._lists:
            permissions = self._decoded(text)
            if len(self._lists) >= _REMEMBERED_LISTS:
                return permissions
            self._lists[text] = permissions
        return self._lists[text]

    def _decoded(self, text: bytes) -> PermissionList | None:
        try:
            page = Permissions(permissions=_permissions.decode(text or b"[]"))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            page = decoded_leniently(Permissions, b'{"permissions":' + text + b"}") or Permissions()
        if not (page.permissions or page.broken):
            return None
        return PermissionList(
            effective=[
                EffectivePermission(meaning=meaning, inherited=is_inherited(permission))
                for permission in page.permissions
                if (meaning := self.meaning(permission))
            ],
            broken=page.broken,
        )

    def grant(self, meaning: Meaning, resource: str, origin: str) -> Grant:
        """The grant of a permission on one resource. Its principal comes from `first_mention`."""
        if origin == resource:
            return replace(meaning.grant, uid=f"{resource}#{meaning.key}", resource_uid=resource, origin_uid=origin)
        # An inherited grant has the explanation of its origin's; a hundred thousand copies would add nothing.
        return replace(
            meaning.grant,
            uid=f"{resource}#{meaning.key}",
            resource_uid=resource,
            origin_uid=origin,
            inherited=True,
            detail=_NO_DETAIL,
        )

    def first_mention(self, meaning: Meaning) -> Principal | None:
        """The principal that a permission lets in, the first time, where the directory scope does not yield it."""
        principal = meaning.principal
        if principal is None or principal.uid in self._mentioned:
            return None
        self._mentioned.add(principal.uid)
        return None if self.people.in_directory_scope(principal) else principal

    def resource(self, file: File) -> Resource:
        """A file or folder."""
        mime_type = file.mime_type
        parent_uid, folder_path = self.tree.location(file.parents)
        return Resource(
            uid=uids.file(file.id),
            platform=uids.PLATFORM,
            account=self.people.primary,
            kind=_KINDS.get(mime_type, "file"),
            name=file.name,
            path=folder_path + file.name,
            parent_uid=parent_uid,
            container_uid=self.tree.top,
            owner_uid=self.owner(file.owners[0].email_address) if file.owners else self.owner_uid,
            content_type=mime_type,
            size_bytes=int(file.size) if str(file.size).isdecimal() else 0,
            created_on=file.created_time,
            modified_on=file.modified_time,
            label=self._label(file) if file.label_info else "",
            url=f"https://drive.google.com/{'drive/folders/' if mime_type == FOLDER else 'open?id='}{file.id}",
            detail=_detail(file) if _has_detail(file) else _NO_DETAIL,
        )

    def owner(self, email: str) -> str | None:
        """The uid of an owner, who is the same for most files."""
        uid = self._owners.get(email)
        if uid is None:
            uid = self._owners[email] = uids.user(self.people.address_of(email)) if email else self.owner_uid
        return uid

    def _label(self, file: File) -> str:
        labels = file.label_info.labels if file.label_info else ()
        titles = (self.options.labels.get(label.id, "") for label in labels)
        return ", ".join(title for title in titles if title)


def unread(uid: str, origin: str, why: Unread) -> Iterator[Grant | Gap]:
    """Stand-ins for grants that could not be read: there may be some, with an unknown audience."""
    outcome, reason = why
    for access in (Access.READ, Access.COMMENT, Access.WRITE):
        yield Grant(
            uid=f"{uid}#unread/{access}", resource_uid=uid, origin_uid=origin, inherited=origin != uid, audience=None,
            access=access, via=Via.DIRECT, discoverable=None,
        )  # fmt: skip
    if origin == uid:
        yield Gap(table="grants", outcome=outcome, reason=reason, resource_uid=uid)


def malformed(count: int) -> Unread:
    """Why grants are unread where so many permissions could not be decoded."""
    return Outcome.FAILED, f"{count} of its permissions do not match Google's documented format"


def _has_detail(file: File) -> bool:
    return (
        file.trashed
        or file.copy_requires_writer_permission
        or file.inherited_permissions_disabled
        or file.writers_can_share is False
        or file.shortcut_details is not None
    )


def _detail(file: File) -> Mapping[str, str]:
    detail = {
        "trashed": "true" if file.trashed else "",
        "copy_restricted": "true" if file.copy_requires_writer_permission else "",
        "limited_access": "true" if file.inherited_permissions_disabled else "",
        "writers_can_share": "false" if file.writers_can_share is False else "",
        "target_uid": uids.file(file.shortcut_details.target_id) if file.shortcut_details else "",
    }
    return {name: value for name, value in detail.items() if value}
