"""One way through the files of a drive, in full or as far as they changed: My Drive and shared drives alike.

    in full:  start token of changes → list, folders first → facts of each file → cursor
    changes:  changes since the token → list what is in folders that changed → facts of each changed file → cursor

Google reports a change of a folder but none of what is in it, although that is now found elsewhere or inherits other
permissions. So the contents of a folder that changed are listed again, at any depth.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol

from cloudscan.connector import Cursor, Gap, Yielded
from cloudscan.errors import AccessDenied, Malformed, ProviderError, QuotaSpent, StaleCursor, Vanished
from cloudscan.facts import Gone
from cloudscan_gdrive.api.listing import FOLDER, Acting, below, changes, folders_first, start_of_changes
from cloudscan_gdrive.api.models import Change, File
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.folder_tree import Folder
from cloudscan_gdrive.scopes.cursor_state import (
    CursorState,
    check_meanings,
    digest_of_options,
    pack,
    seen_permissions,
)
from cloudscan_gdrive.scopes.drive_context import DriveContext
from cloudscan_gdrive.scopes.quiet_drives import Known


class WalkedDrive(Protocol):
    """What differs between the kinds of drives."""

    @property
    def context(self) -> DriveContext:
        """What is known of the drive while it is read. The walk adds folders to its tree."""

    @property
    def acting(self) -> Acting:
        """In whose name the drive is read."""

    @property
    def file_fields(self) -> str:
        """The fields that are requested with each file."""

    @property
    def start_parameters(self) -> Mapping[str, object]:
        """The parameters of the request for the start token of changes."""

    @property
    def change_parameters(self) -> Mapping[str, object]:
        """The parameters of the request for the list of changes."""

    @property
    def takes_contents_along(self) -> bool:
        """Whether Google reports changes of the contents of a folder that left the drive."""

    @property
    def root(self) -> str:
        """The id of the top folder; empty where it is the drive's own id."""

    @property
    def key(self) -> str:
        """What the Drive log calls it by: its owner's address, or the id of a shared drive."""

    @property
    def members(self) -> str:
        """A digest that differs once the members do; empty where the drive has none."""

    def files(self, folder: str | None = None) -> Iterator[File | Gap]:
        """All files of the drive, or those in the folder with this id. A gap is what could not be listed."""

    def contains(self, file: File) -> bool:
        """Whether a file that changed is in this drive."""

    def folder(self, file: File) -> Folder:
        """What to remember of a folder."""

    def facts_of(self, file: File) -> Iterator[Yielded]:
        """A file's resource and grants, principals at their first mention, and gaps for what could not be read."""


def everything(drive: WalkedDrive) -> Iterator[Yielded]:
    """All files of a drive with their grants, then the cursor. Raises as `listing.files` does.

    There is no cursor where something was missing from the list. An empty list proves nothing: its cursor only says
    that it is to be looked at again.
    """
    method = drive.context.google.start_of_changes
    start, gap = "", None
    try:
        start = start_of_changes(drive.context.google, drive.acting, **drive.start_parameters)
    except QuotaSpent:
        raise
    except ProviderError as error:
        gap = method.question.gap(error, drive.context.tree.top)
    whole, empty = True, True
    for row in listed(drive):
        whole = whole and not isinstance(row, Gap)
        empty = False
        yield row
    yield from drive.context.gaps()
    if gap is not None:
        yield gap
    if start and whole:
        yield _cursor(drive, start, empty=empty)


def listed(drive: WalkedDrive) -> Iterator[Yielded]:
    """All files of a drive with their grants, without a cursor; gaps of the list. Raises as `listing.files` does."""
    for file in folders_first(drive.files(), lambda folder: _remember(drive, folder)):
        if isinstance(file, Gap):
            yield file
        else:
            yield from drive.facts_of(file)


def changed(drive: WalkedDrive, state: CursorState) -> Iterator[Yielded]:
    """The files that changed since a cursor was written, with their grants, then the next cursor.

    Raises as `Google.ask` does, and `StaleCursor` where the drive must be read in full.
    """
    context = drive.context
    if state.members != drive.members:
        raise StaleCursor(Code.MEMBERS_CHANGED)
    if state.empty:
        for row in drive.files():
            raise StaleCursor(Code.WAS_EMPTY, quote=row.question if isinstance(row, Gap) else "")
        yield _cursor(drive, state.page, empty=True)
        return
    context.tree.folders.update(state.folders)
    context.scripts.update(state.scripts)
    check_meanings(context, state)
    context.in_others_folders = state.in_others_folders
    untouched_until = _untouched_until(drive, state)
    if untouched_until is not None:
        yield from context.gaps()
        yield _cursor(drive, state.page, asked_on=state.asked_on, known_until=untouched_until)
        return
    last_changes, next_token = changes(
        context.google, drive.acting, state.page, drive.file_fields, **drive.change_parameters
    )
    again: dict[str, File] = {}
    folders_to_list: list[str] = []
    for identity, change in last_changes.items():
        context.scripts.discard(identity)  # noted again if it is still there
        if _contents_changed(drive, identity, change):
            folders_to_list.append(identity)
        if change.file is None and not change.removed:
            raise StaleCursor(Code.CHANGES_MALFORMED, count=1)  # neither there nor gone
        if change.file is not None and drive.contains(change.file):
            again[identity] = change.file
        else:
            yield Gone(uid=uids.file(identity))

    def note(file: File) -> None:
        if drive.contains(file):
            again[file.id] = file
            if file.mime_type == FOLDER:
                _remember(drive, file)

    try:
        for gap in below(folders_to_list, drive.files, note):
            raise StaleCursor(Code.CURSOR_REFUSED, quote=gap.question)
    except (AccessDenied, Vanished, Malformed) as error:
        raise StaleCursor(Code.CURSOR_REFUSED, quote=error.reason.quote) from error
    context.tree.forget_paths()
    for file in again.values():
        yield from drive.facts_of(file)
    yield from context.gaps()
    yield _cursor(drive, next_token)


def _remember(drive: WalkedDrive, file: File) -> None:
    drive.context.tree.folders[file.id] = drive.folder(file)


def _contents_changed(drive: WalkedDrive, identity: str, change: Change) -> bool:
    """Remember a folder's change. True: the facts of what is in it may differ now, and Google reports no change."""
    folders = drive.context.tree.folders
    before = folders.pop(identity, None)
    file = change.file
    if file is None or file.mime_type != FOLDER:
        return False  # what was in a folder that no longer exists has changes of its own
    if not drive.contains(file):
        return not drive.takes_contents_along
    _remember(drive, file)
    return before != folders[identity]


def _untouched_until(drive: WalkedDrive, state: CursorState) -> datetime | None:
    """Until when nobody touched the drive, as the Drive log says; None: it has to be asked."""
    quiet = drive.context.quiet
    if quiet is None:
        return None
    known = Known(
        asked_on=state.asked_on,
        until=state.known_until,
        folders=[state.root, *(identity for identity, _ in state.folders)],
        in_others_folders=state.in_others_folders,
        permissions=[permission for permission, _, _ in state.seen_permissions],
    )
    return quiet.untouched_until({drive.key}, known, turn=drive.context.tree.top)


def _cursor(
    drive: WalkedDrive,
    token: str,
    *,
    empty: bool = False,
    asked_on: datetime | None = None,
    known_until: datetime | None = None,
) -> Cursor:
    """The cursor; without times the drive itself was asked now."""
    context = drive.context
    now = context.quiet.now if context.quiet else None
    state = CursorState(
        page=token,
        options=digest_of_options(context.options),
        root=drive.root,
        user=drive.acting.user,
        empty=empty,
        members=drive.members,
        folders=list(context.tree.folders.items()),
        scripts=sorted(context.scripts),
        seen_permissions=seen_permissions(context),
        asked_on=asked_on or now,
        known_until=known_until or now,
        in_others_folders=context.in_others_folders,
    )
    return Cursor(scope_uid=context.tree.top, token=pack(state))
