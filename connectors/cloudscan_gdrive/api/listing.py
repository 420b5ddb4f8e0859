"""Drive's lists: the fields that are asked for, page after page, folders before files, and what changed.

Sources: discovery document of Drive v3 (files.list, permissions.list, changes.list); Drive guide, "Search for files
and folders", "Retrieve changes".
"""

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
_MAX_CHANGES = 100_000  # since the last scan: above this, reading everything takes fewer requests


def files(
    google: Google, options: Options, user: str, uid: str, fields: str, **parameters: Any
) -> Iterator[File | Gap]:
    """A list of files, folders first. `uid` is that of the list's container, for gaps. Raises as `Google.ask` does."""
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
        **parameters,
    )
    for page in pages:
        if page.incomplete_search:
            yield _partial(uid, "Google did not search everything (incompleteSearch)")
        if page.broken:
            yield _partial(uid, f"{page.broken} file(s) do not match Google's documented format")
        yield from page.files


def folders_first(listing: Iterator[File | Gap], remember: Callable[[File], None]) -> Iterator[File | Gap]:
    """Keep folders in memory until all are remembered, so that each one's parents are known; files pass through."""
    folders: list[File] | None = []
    for file in listing:
        if isinstance(file, Gap):
            yield file
        elif file.mime_type == FOLDER:
            remember(file)
            if folders is None:
                yield file  # the server did not list folders first
            else:
                folders.append(file)
        else:
            if folders is not None:
                yield from folders
                folders = None
            yield file
    yield from folders or ()


def below(
    folders: list[str], listing: Callable[[str], Iterator[File | Gap]], note: Callable[[File], None]
) -> Iterator[Gap]:
    """Call `note` with everything in these folders, at any depth."""
    seen: set[str] = set()
    while folders:
        folder = folders.pop()
        if folder in seen:
            continue
        seen.add(folder)
        for file in listing(folder):
            if isinstance(file, Gap):
                yield file
                continue
            if file.mime_type == FOLDER:
                folders.append(file.id)
            note(file)


def permissions(google: Google, user: str, file_id: str, **parameters: Any) -> Permissions:
    """All permissions of a shared drive or of a file in it, as one page. Raises as `Google.ask` does."""
    pages = google.pages(
        Permissions, google.permissions, user, fileId=file_id, supportsAllDrives=True, pageSize=100,
        includePermissionsForView="published", fields=_PERMISSIONS, **parameters,
    )  # fmt: skip
    all_permissions, broken = list[Permission](), 0
    for page in pages:
        all_permissions += page.permissions
        broken += page.broken
    return Permissions(permissions=all_permissions, broken=broken)


def start_of_changes(google: Google, user: str, **parameters: Any) -> str:
    """The token to ask for changes with next time. To be fetched before the files are listed."""
    return google.ask(StartOfChanges, google.start_of_changes, user, **parameters).start_page_token


def changes(google: Google, user: str, token: str, fields: str, **parameters: Any) -> tuple[dict[str, Change], str]:
    """The last change of each file since the token was issued, by file id, and the token for next time.

    Raises as `Google.ask` does, and `StaleCursor` where Google no longer accepts the token.
    """
    last: dict[str, Change] = {}
    while True:
        try:
            page = google.ask(
                Changes, google.changes, user, pageToken=token, pageSize=1000, includePermissionsForView="published",
                prettyPrint=False,
                fields=f"nextPageToken,newStartPageToken,changes(changeType,removed,fileId,file({fields}))",
                **parameters,
            )  # fmt: skip
        except StalePage as error:
            raise StaleCursor("Google no longer accepts the change token") from error
        if page.broken:
            raise StaleCursor(f"{page.broken} change(s) do not match Google's documented format")
        last.update({change.file_id: change for change in page.changes if change.change_type != "drive"})
        if len(last) > _MAX_CHANGES:
            raise StaleCursor(f"more than {_MAX_CHANGES} files changed")
        if page.new_start_page_token:
            return last, page.new_start_page_token
        token = page.next_page_token


def _partial(uid: str, reason: str) -> Gap:
    return Gap(table="resources", outcome=Outcome.PARTIAL, reason=reason, resource_uid=uid)
