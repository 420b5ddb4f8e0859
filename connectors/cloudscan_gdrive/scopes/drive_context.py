"""One drive while it is read: what its files are called, and what their permissions mean."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from cloudscan.connector import Gap, Question
from cloudscan.errors import ProviderError
from cloudscan.facts import Grant, Outcome, Principal, Resource, unread_grants
from cloudscan.reason import Reason
from cloudscan_gdrive import questions
from cloudscan_gdrive.api.client import Google
from cloudscan_gdrive.api.lenient_decoding import decoded_leniently
from cloudscan_gdrive.api.listing import FOLDER, SHORTCUT
from cloudscan_gdrive.api.models import DownloadRestriction, File, Permission, Permissions
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.folder_tree import Tree
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.meaning.translate import FORM, Meaning, is_inherited, meaning_of, off_unless, utc
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.scopes.quiet_drives import QuietDrives

_KINDS = {FOLDER: "folder", SHORTCUT: "shortcut"}
_NOTHING_SWITCHED: Mapping[str, str] = {
    "trashed": "false", "copy_restricted": "false", "copy_restricted_writers": "false",
}  # fmt: skip
_INHERITED: Mapping[str, str] = off_unless()
_SCRIPT = "application/vnd.google-apps.script"
_REMEMBERED_LISTS = 10_000  # lists of permissions
_LISTED_ONE_BY_ONE = 100  # things that one gap names
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
    has_owner: bool = False


@dataclass(frozen=True, kw_only=True)
class CopyRestriction:
    """Who can neither download nor print nor copy. None: it is not known."""

    readers: bool | None = False
    writers: bool | None = False


_FREE = CopyRestriction()


@dataclass
class DriveContext:
    """One drive while it is read. Belongs to one thread."""

    google: Google
    people: People
    options: Options
    tree: Tree
    owner_uid: str | None  # of files that have no owner of their own
    owned: bool = True  # by one person; else it is a shared drive
    copying: CopyRestriction = _FREE  # what a shared drive's switches come to for everything in it
    meanings: dict[object, tuple[Permission, str, Meaning | None]] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    quiet: QuietDrives | None = None  # None: the drive is asked every time
    in_others_folders: bool = False  # some of its files are in folders of other people
    scripts: set[str] = field(default_factory=set)  # ids of Apps Script projects, which may be deployed to anyone
    _lists: dict[tuple[bytes, bool], PermissionList | None] = field(default_factory=dict)  # by what Google sent
    _unread: dict[tuple[Question, str], dict[str, ProviderError | Reason]] = field(default_factory=dict)
    _mentioned: set[str] = field(default_factory=set)  # uids of principals
    _owners: dict[str, str | None] = field(default_factory=dict)  # uids by address

    def meaning(self, permission: Permission, content_type: str = "", owner: str = "") -> Meaning | None:
        """What a permission means. The same one is on many files and is translated once.

        `owner` as `translate.meaning_of` has it; in a shared drive it is the group of members, who own everything.
        """
        form = content_type == FORM
        owner = owner if self.owned else self.owner_uid or ""
        key = (
            form, owner, permission.id, permission.role, permission.view, permission.expiration_time,
            permission.pending_owner, permission.allow_file_discovery, permission.deleted, permission.type,
            permission.email_address, permission.domain)  # fmt: skip
        remembered = self.meanings.get(key)
        if remembered is None:
            content_type = FORM if form else ""
            meaning = meaning_of(permission, self.people, self.now, content_type, owner)
            remembered = self.meanings[key] = permission, content_type, meaning
        return remembered[2]

    def permissions_of(self, file: File) -> PermissionList | None:
        """What is listed with a file; None where Drive shows nothing, not even its owner.

        Google sends the same JSON for files that are shared alike, so it is decoded once.
        """
        key = bytes(file.permissions), file.mime_type == FORM
        if key not in self._lists:
            permissions = self._decoded(key[0], file.mime_type)
            if len(self._lists) >= _REMEMBERED_LISTS:
                return permissions
            self._lists[key] = permissions
        return self._lists[key]

    def _decoded(self, text: bytes, content_type: str) -> PermissionList | None:
        try:
            page = Permissions(permissions=_permissions.decode(text or b"[]"))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            page = decoded_leniently(Permissions, b'{"permissions":' + text + b"}") or Permissions(permissions=())
        if not (page.permissions or page.broken):
            return None
        owners = sum(permission.role == "owner" and not permission.pending_owner for permission in page.permissions)
        owner = self.owner_uid or "" if owners > 1 else ""
        return PermissionList(
            effective=[
                EffectivePermission(meaning=meaning, inherited=is_inherited(permission))
                for permission in page.permissions
                if (meaning := self.meaning(permission, content_type, owner))
            ],
            broken=page.broken,
            has_owner=any(permission.role == "owner" for permission in page.permissions),
        )

    def unread(self, uid: str, why: ProviderError | Reason, question: Question = questions.ITEM_PERMISSIONS) -> None:
        """Note that a question about one thing was not answered, or not in full. `gaps` tells it."""
        reason = why.reason if isinstance(why, ProviderError) else why
        self._unread.setdefault((question, reason.code), {})[uid] = why

    def gaps(self) -> Iterator[Gap]:
        """One gap for each question and cause that was noted, with all things that it is about."""
        for (question, _), by_uid in self._unread.items():
            about = next(iter(by_uid)) if len(by_uid) == 1 else self.tree.top
            why = next(iter(by_uid.values()))
            gap = question.gap(why, about) if isinstance(why, ProviderError) else question.lacking(why, about)
            if 1 < len(by_uid) <= _LISTED_ONE_BY_ONE:
                hides = tuple(replace(hidden, below=uid) for uid in by_uid for hidden in question.hides)
                gap = replace(gap, hides=hides)
            yield gap
        self._unread.clear()
        if self.scripts:
            count = len(self.scripts)
            reason = Reason(code=Code.SCRIPTS, values={"count": count})
            not_judged = questions.ITEM_PERMISSIONS.lacking(
                reason, self.tree.top, outcome=Outcome.NOT_JUDGED, seen=count
            )
            yield replace(not_judged, hides=())

    def grant(self, meaning: Meaning, resource: str, origin: str) -> Grant:
        """The grant of a permission on one resource. Its principal comes from `first_mention`."""
        if origin == resource:
            return replace(meaning.grant, uid=f"{resource}#{meaning.key}", resource_uid=resource, origin_uid=origin)
        # An inherited grant has the explanation of its origin's; a hundred thousand copies would add nothing.
        view = meaning.grant.detail.get("view")
        return replace(
            meaning.grant,
            uid=f"{resource}#{meaning.key}",
            resource_uid=resource,
            origin_uid=origin,
            inherited=True,
            detail=_INHERITED if view == "false" else off_unless(view=view or ""),
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
        if parent_uid is None and file.parents:
            self.in_others_folders = True
        if mime_type == _SCRIPT:
            self.scripts.add(file.id)
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
            created_on=utc(file.created_time),
            modified_on=utc(file.modified_time),
            label=self._label(file) if file.label_info else "",
            url=f"https://drive.google.com/{'drive/folders/' if mime_type == FOLDER else 'open?id='}{file.id}",
            detail=_detail(file, self.copying) if self.copying != _FREE or _has_detail(file) else _NOTHING_SWITCHED,
        )

    def owner(self, email: str) -> str | None:
        """The uid of an owner, who is the same for most files; None where Drive does not say who it is."""
        uid = self._owners.get(email)
        if uid is None and email:
            uid = self._owners[email] = uids.user(self.people.address_of(email))
        return uid

    def _label(self, file: File) -> str:
        labels = file.label_info.labels if file.label_info else ()
        titles = (self.options.labels.get(label.id, "") for label in labels)
        return ", ".join(title for title in titles if title)


def marker(uid: str, origin: str) -> Grant:
    """What stands for grants that were given on `origin` and could not be read: there may be any, to anyone."""
    grant = unread_grants(uid, origin_uid=origin)
    return grant if origin == uid else replace(grant, uid=f"{uid}#unread/{origin}")


def malformed(count: int) -> Reason:
    """Why grants are unread where so many permissions could not be decoded."""
    return Reason(code=Code.ENTRIES_MALFORMED, values={"count": count})


def _has_detail(file: File) -> bool:
    return (
        file.trashed is not False
        or file.copy_requires_writer_permission is not False
        or file.download_restrictions is not None
        or file.inherited_permissions_disabled
        or file.writers_can_share is False
        or file.shortcut_details is not None
    )


def _detail(file: File, in_drive: CopyRestriction) -> Mapping[str, str]:
    cannot_copy = _cannot_copy(file, in_drive)
    detail = {
        "trashed": _switch(file.trashed),
        "copy_restricted": _switch(cannot_copy.readers),
        "copy_restricted_writers": _switch(cannot_copy.writers),
        "limited_access": "true" if file.inherited_permissions_disabled else "",
        "writers_can_share": "false" if file.writers_can_share is False else "",
        "target_uid": uids.file(file.shortcut_details.target_id) if file.shortcut_details else "",
    }
    return {name: value for name, value in detail.items() if value}


def _cannot_copy(file: File, in_drive: CopyRestriction) -> CopyRestriction:
    """Who can neither download nor print nor copy a file, as far as Drive says: what it all comes to decides.

    The file's own switch, `copyRequiresWriterPermission`, binds readers and commenters only. What a shared drive
    restricts is restricted for everything in it, and what writers cannot do readers cannot either.
    """
    given = file.download_restrictions
    effective = (given and given.effective_download_restriction_with_context) or DownloadRestriction()
    applied = (given and given.item_download_restriction) or DownloadRestriction()
    readers = effective.restricted_for_readers
    if readers is None:
        readers = applied.restricted_for_readers or file.copy_requires_writer_permission
    writers = effective.restricted_for_writers
    if writers is None:
        writers = bool(applied.restricted_for_writers)
    writers = writers or bool(in_drive.writers)
    return CopyRestriction(readers=True if writers or in_drive.readers else readers, writers=writers)


def _switch(value: bool | None) -> str:
    """As `detail` has it: what is not known is left out."""
    return "" if value is None else str(value).lower()
