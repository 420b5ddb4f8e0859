"""From rows of an inventory export to facts: drives, files, and what their permissions mean.

Where the export says in which folder a file is, a permission that the folder has too is the folder's (as in My Drive,
whose lists say no more either); else each file's permissions count as its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from cloudscan.facts import OBSERVED_ON, Affiliation, AnyFact, Grant, Membership, Principal, Resource, unread_grants
from cloudscan_gdrive.api.models import Permission
from cloudscan_gdrive.bulk.rows import Inventory, Row, listed_with, moment, parents, permissions, text, value
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.folder_tree import Folder, Tree
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.meaning.translate import Meaning, key_of, meaning_of, off_unless

FOLDER: Final = "application/vnd.google-apps.folder"
_SHORTCUT: Final = "application/vnd.google-apps.shortcut"
_REMEMBERED_LISTS: Final = 10_000
_KINDS: Final = {FOLDER: "folder", _SHORTCUT: "shortcut"}


@dataclass
class ExportedDrives:
    """One export, read with what is known of our people."""

    inventory: Inventory
    people: People
    now: datetime
    tell_shared_drives: bool  # False: another scope does, with their members
    without_permissions: int = 0  # files of which the export does not list them
    without_owner: int = 0  # files of nobody's drive
    _trees: dict[str, Tree] = field(default_factory=dict)  # by the drive's uid
    _meanings: dict[tuple[Permission, str, str], Meaning | None] = field(default_factory=dict)
    _lists: dict[bytes, Sequence[Permission] | None] = field(default_factory=dict)
    _reported: set[str] = field(default_factory=set)

    def facts(self) -> Iterator[AnyFact]:
        """Everything that the export says. Folders are read first, where it says what is in them."""
        if self.inventory.has_parents:
            for row in self.inventory.rows():
                if _mime_type(row) == FOLDER:
                    self._remember(row)
        for row in self.inventory.rows():
            yield from self._file(row)

    def _remember(self, row: Row) -> None:
        drive, identity = _drive_of(row), text(row, "id")
        if not drive or not identity:
            return
        above = parents(row)
        self._tree(drive).folders[identity] = Folder(
            uid=uids.file(identity),
            name=text(row, "title"),
            parent=above[0] if above else "",
            keys=frozenset(key_of(one) for one in permissions(row) or ()),
        )

    def _tree(self, drive: str) -> Tree:
        if drive not in self._trees:
            self._trees[drive] = Tree(top=drive, roots=frozenset({drive.rpartition("/")[2]}))
        return self._trees[drive]

    def _file(self, row: Row) -> Iterator[AnyFact]:
        drive, identity = _drive_of(row), text(row, "id")
        if not identity:
            self.inventory.broken += 1
            return
        if not drive:
            self.without_owner += 1
            drive = uids.my_drive("?")
        shared = bool(text(row, "owner.shared_drive.id"))
        owner = self._owner(row, drive, shared=shared)
        yield from self._drive(row, drive, owner, shared=shared)
        tree, above, kind = self._tree(drive), parents(row), _mime_type(row)
        parent, folder = tree.location(above) if above else (drive, "")
        resource = Resource(
            uid=uids.file(identity),
            platform=uids.PLATFORM,
            account=self.people.primary,
            kind=_KINDS.get(kind, "file"),
            name=text(row, "title"),
            path=folder + text(row, "title"),
            parent_uid=parent,
            container_uid=drive,
            owner_uid=owner,
            content_type=kind,
            size_bytes=_size(row),
            created_on=moment(row, "create_time_micros", "created_time_micros", "create_time", "created_time"),
            modified_on=moment(row, "last_modified_time_micros", "modified_time_micros", "last_modified_time"),
            url=f"https://drive.google.com/{'drive/folders/' if kind == FOLDER else 'open?id='}{identity}",
            detail=_detail(row),
        )
        yield resource
        yield from self._grants(row, resource, tree, owner if shared else "")

    def _grants(self, row: Row, resource: Resource, tree: Tree, owner: str | None) -> Iterator[AnyFact]:
        listed = self._listed(row)
        if listed is None:
            self.without_permissions += 1
            yield unread_grants(resource.uid)
            return
        for permission in listed:
            meaning = self._meaning(permission, resource.content_type, owner or "")
            if meaning is None:
                continue
            if meaning.principal is not None:
                yield from self._first_mention(meaning.principal)
            parent = tree.carrying(parents(row), meaning.key)
            yield _grant(meaning, resource.uid, tree.origin(parent, meaning.key) if parent else resource.uid)

    def _listed(self, row: Row) -> Sequence[Permission] | None:
        """What is listed with a file. Most files are shared alike, so that a list is read once."""
        key = msgspec.json.encode(listed_with(row), enc_hook=str)
        if key not in self._lists:
            if len(self._lists) >= _REMEMBERED_LISTS:
                self._lists.clear()
            self._lists[key] = permissions(row)
        return self._lists[key]

    def _meaning(self, permission: Permission, content_type: str, owner: str) -> Meaning | None:
        """What a permission means; the same one is on many files and is translated once."""
        key = permission, content_type, owner
        if key not in self._meanings:
            self._meanings[key] = meaning_of(permission, self.people, self.now, content_type, owner)
        return self._meanings[key]

    def _first_mention(self, principal: Principal) -> Iterator[Principal]:
        if principal.uid not in self._reported:
            self._reported.add(principal.uid)
            if not self.people.in_directory_scope(principal):
                yield principal

    def _owner(self, row: Row, drive: str, *, shared: bool) -> str | None:
        if shared:
            return uids.drive_members(drive.rpartition("/")[2])
        email = text(row, "owner.user.email")
        return uids.user(self.people.address_of(email)) if email else None

    def _owners(self, email: str, owner: str, name: str) -> Iterator[AnyFact]:
        """Who owns a drive: a person, or the group of a shared drive's members, who are not known."""
        if email:
            yield from self._first_mention(self.people.principal("user", email))
            return
        yield Principal(
            uid=owner,
            platform=uids.PLATFORM,
            account=self.people.primary,
            kind="group",
            name=name,
            affiliation=Affiliation.INTERNAL,
            status="active",
            detail={"join": "invited"},
        )
        yield Membership(group_uid=owner, member_uid=None)

    def _drive(self, row: Row, drive: str, owner: str | None, *, shared: bool) -> Iterator[AnyFact]:
        if drive in self._reported:
            return
        self._reported.add(drive)
        email, identity = text(row, "owner.user.email").lower(), drive.rpartition("/")[2]
        if shared and not self.tell_shared_drives:
            return
        name = text(row, "owner.shared_drive.name") or identity
        if owner is not None:
            yield from self._owners("" if shared else email, owner, name)
        yield Resource(
            uid=drive,
            platform=uids.PLATFORM,
            account=self.people.primary,
            kind="shared_drive" if shared else "my_drive",
            name=name if shared else f"My Drive: {email or identity}",
            path=identity if shared else email,
            owner_uid=owner,
            size_bytes=0,
        )
        if shared:  # the members are not in the export for certain, and nobody asks for them
            yield unread_grants(drive)


def _grant(meaning: Meaning, resource: str, origin: str) -> Grant:
    own = replace(meaning.grant, uid=f"{resource}#{meaning.key}", resource_uid=resource, origin_uid=origin)
    if origin == resource:
        return own
    return replace(own, inherited=True, detail=off_unless(view=_view(meaning)))


def _view(meaning: Meaning) -> str:
    view = str(meaning.grant.detail.get("view") or "")
    return "" if view == "false" else view


def _drive_of(row: Row) -> str:
    """The uid of the drive that a file is in; empty where the row does not say."""
    if shared := text(row, "owner.shared_drive.id"):
        return uids.shared_drive(shared)
    identity = text(row, "owner.user.id")
    return uids.my_drive(identity) if identity else ""


def _mime_type(row: Row) -> str:
    return text(row, "mime_type", "mimetype", "content_type")


def _size(row: Row) -> int | None:
    given = text(row, "size_bytes", "size", "file_size", "quota_bytes_used")
    return int(given) if given.isdecimal() else None


def _detail(row: Row) -> dict[str, str]:
    """What rules read of a file: what the export does not say is left out."""
    read_on, trashed = moment(row, "read_time_micros"), value(row, "trashed")
    return {
        **({OBSERVED_ON: read_on.isoformat()} if read_on else {}),
        **({"trashed": str(trashed).lower()} if isinstance(trashed, bool) else {}),
    }
