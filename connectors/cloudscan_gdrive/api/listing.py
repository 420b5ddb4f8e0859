"""Lists of Drive's: which fields are asked for, page after page, folders before files, and what changed."""

from collections.abc import Callable, Iterator
from typing import Any

from cloudscan.connector import Gap
from cloudscan.errors import StaleCursor, StalePage
from cloudscan.facts import Outcome
from cloudscan_gdrive.api.client import Google
from cloudscan_gdrive.api.models import Change, Changes, File, Files, Permission, Permissions, StartOfChanges
from cloudscan_gdrive.options import Options

FOLDER = "application/vnd.google-apps.folder"
SHORTCUT = "application/vnd.google-apps.shortcut"
_PERMISSION = (
    "id,type,role,emailAddress,domain,allowFileDiscovery,expirationTime,deleted,pendingOwner,view,"
    "permissionDetails(permissionType,role,inherited,inheritedFrom)"
)
_COMMON = (
    "id,name,mimeType,parents,size,createdTime,modifiedTime,trashed,copyRequiresWriterPermission,"
    "inheritedPermissionsDisabled,shortcutDetails(targetId),labelInfo"
)
OWN_FILE = f"{_COMMON},owners(emailAddress),writersCanShare,permissions({_PERMISSION})"
SHARED_FILE = f"{_COMMON},driveId,hasAugmentedPermissions"
_PERMISSIONS = f"nextPageToken,permissions({_PERMISSION})"
_BEFORE_GOING_ON = 100_000  # changes in one night: more, and reading everything is the shorter way


def files(google: Google, options: Options, user: str, place: str, fields: str, **what: Any) -> Iterator[File | Gap]:
    """A list of files, folders first. `place` is the uid of what is listed, for gaps."""
    pages = google.pages(
        Files,
        google.files,
        user,
        pageSize=1000,
        orderBy="folder",
        includeLabels=",".join(options.labels) or None,
        includePermissionsForView="published",
        prettyPrint=False,
        fields=f"nextPageToken,incompleteSearch,files({fields})",
        **what,
    )
    for page in pages:
        if page.incomplete_search:
            yield _partial(place, "Google did not search everything (incompleteSearch)")
        if page.broken:
            yield _partial(place, f"{page.broken} file(s) are not told as Google's documentation promises")
        yield from page.files


def folders_first(listed: Iterator[File | Gap], remember: Callable[[File], None]) -> Iterator[File | Gap]:
    """Hold folders back until all are remembered, so that each finds its parents. Only they are held in memory."""
    folders: list[File] | None = []
    for file in listed:
        if isinstance(file, Gap):
            yield file
        elif file.mime_type == FOLDER:
            remember(file)
            if folders is None:
                yield file  # a server that does not keep the order
            else:
                folders.append(file)
        else:
            if folders is not None:
                yield from folders
                folders = None
            yield file
    yield from folders or ()


def below(
    folders: list[str], inside: Callable[[str], Iterator[File | Gap]], note: Callable[[File], None]
) -> Iterator[Gap]:
    """Note what lies in changed folders, and in the folders in them: Google tells no change of it."""
    seen: set[str] = set()
    while folders:
        folder = folders.pop()
        if folder in seen:
            continue
        seen.add(folder)
        for file in inside(folder):
            if isinstance(file, Gap):
                yield file
                continue
            if file.mime_type == FOLDER:
                folders.append(file.id)
            note(file)


def permissions(google: Google, user: str, file_id: str, **what: Any) -> Permissions:
    """All permissions of a shared drive or of something in it, as one page. Raises as `Google.ask` does."""
    pages = google.pages(
        Permissions, google.permissions, user, fileId=file_id, supportsAllDrives=True, pageSize=100,
        includePermissionsForView="published", fields=_PERMISSIONS, **what,
    )  # fmt: skip
    found, broken = list[Permission](), 0
    for page in pages:
        found += page.permissions
        broken += page.broken
    return Permissions(permissions=found, broken=broken)


def start_of_changes(google: Google, user: str, **what: Any) -> str:
    """From where changes are to be asked for next time. To be asked before the files are listed."""
    return google.ask(StartOfChanges, google.start_of_changes, user, **what).start_page_token


def changes(google: Google, user: str, token: str, fields: str, **what: Any) -> tuple[dict[str, Change], str]:
    """What changed since then, the last change of each file, and the token for next time.

    Raises `StaleCursor` where Google does not know the token any more.
    """
    found: dict[str, Change] = {}
    while True:
        try:
            page = google.ask(
                Changes, google.changes, user, pageToken=token, pageSize=1000, includePermissionsForView="published",
                prettyPrint=False,
                fields=f"nextPageToken,newStartPageToken,changes(changeType,removed,fileId,file({fields}))", **what,
            )  # fmt: skip
        except StalePage as error:
            raise StaleCursor("Google does not know the token of its changes any more") from error
        if page.broken:
            raise StaleCursor(f"{page.broken} change(s) are not told as Google's documentation promises")
        found.update({change.file_id: change for change in page.changes if change.change_type != "drive"})
        if len(found) > _BEFORE_GOING_ON:
            raise StaleCursor(f"more than {_BEFORE_GOING_ON} things changed")
        if page.new_start_page_token:
            return found, page.new_start_page_token
        token = page.next_page_token


def _partial(place: str, reason: str) -> Gap:
    return Gap(table="resources", outcome=Outcome.PARTIAL, reason=reason, resource_uid=place)
