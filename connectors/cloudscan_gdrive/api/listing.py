"""Drive's lists: the fields that are asked for, page after page, folders before files, and what changed.

Sources: discovery document of Drive v3 (files.list, permissions.list, changes.list); Drive guide, "Search for files
and folders", "Retrieve changes".
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from cloudscan.connector import Gap
from cloudscan.errors import AccessDenied, ProviderError, QuotaSpent, StaleCursor, Throttled, Unreachable, Vanished
from cloudscan.reason import Reason
from cloudscan_gdrive.api.client import Everything, Google, Method, entries_malformed
from cloudscan_gdrive.api.models import Change, Changes, File, Files, Permission, Permissions, StartOfChanges
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.options import Options

Answer = TypeVar("Answer")
FOLDER = "application/vnd.google-apps.folder"
SHORTCUT = "application/vnd.google-apps.shortcut"
_PERMISSION = (
    "id,type,role,emailAddress,domain,allowFileDiscovery,expirationTime,deleted,pendingOwner,view,"
    "permissionDetails(permissionType,role,inherited,inheritedFrom)"
)
_COMMON = (
    "id,name,mimeType,parents,size,createdTime,modifiedTime,trashed,copyRequiresWriterPermission,"
    "inheritedPermissionsDisabled,shortcutDetails(targetId),labelInfo,"
    "downloadRestrictions(effectiveDownloadRestrictionWithContext(restrictedForReaders,restrictedForWriters),"
    "itemDownloadRestriction(restrictedForReaders,restrictedForWriters))"
)
OWN_FILE = f"{_COMMON},owners(emailAddress),writersCanShare,permissions({_PERMISSION})"
SHARED_FILE = f"{_COMMON},driveId,hasAugmentedPermissions,permissionIds"
_PERMISSIONS = f"nextPageToken,permissions({_PERMISSION})"
_MAX_CHANGES = 100_000  # since the last scan: above this, reading everything takes fewer requests


@dataclass
class Acting:
    """In whose name something is read: the first of some users who is not refused. Belongs to one thread."""

    users: Sequence[str]  # addresses; empty: the credentials' own
    at: int = 0

    @property
    def user(self) -> str:
        """The address of the one who is acted for now."""
        return self.users[self.at]

    def ask(self, question: Callable[[str], Answer]) -> Answer:
        """The answer for the first user who gets one; later questions are asked in the same name.

        Raises what the present user is answered, if all are refused, or anything else goes wrong.
        """
        refusal: ProviderError | None = None
        for at in range(self.at, len(self.users)):
            try:
                answer = question(self.users[at])
            except (AccessDenied, Vanished) as error:
                refusal = refusal or error
            else:
                self.at = at
                return answer
        raise refusal or AccessDenied(Code.NOBODY_TO_ACT_FOR)


def files(
    google: Google, method: Method, options: Options, acting: Acting, uid: str, fields: str, **parameters: Any
) -> Iterator[File | Gap]:
    """A list of files, folders first, and gaps for what is missing from it. `uid` is that of the list's container.

    Raises as `Google.ask` does, where not even the list's beginning can be read or another attempt is worth it.
    """

    def begin(user: str) -> tuple[Files, Iterator[Files]]:
        pages = google.pages(
            Files,
            method,
            user,
            pageSize=1000,
            orderBy="folder",
            includeLabels=",".join(options.labels) or None,
            includePermissionsForView="published",
            prettyPrint=False,
            fields=f"nextPageToken,incompleteSearch,files({fields})",
            **parameters,
        )
        return next(pages), pages

    page, rest = acting.ask(begin)
    while True:
        if page.incomplete_search:
            yield method.question.lacking(Reason(code=Code.NOT_SEARCHED), uid)
        if page.broken:
            yield method.question.lacking(entries_malformed(page.broken), uid)
        yield from page.files
        try:
            following = next(rest, None)
        except (Throttled, Unreachable, QuotaSpent):
            raise  # the whole list is worth another attempt
        except ProviderError as error:
            yield method.question.gap(error, uid)
            return
        if following is None:
            return
        page = following


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


def permissions(
    google: Google, method: Method, user: str, file_id: str, about: str, **parameters: Any
) -> Everything[Permission]:
    """All permissions of a shared drive or of a file in it, as far as they could be read."""
    return google.everything(
        Permissions, method, user, about, fileId=file_id, supportsAllDrives=True, pageSize=100,
        includePermissionsForView="published", fields=_PERMISSIONS, **parameters,
    )  # fmt: skip


def start_of_changes(google: Google, acting: Acting, **parameters: Any) -> str:
    """The token to ask for changes with next time. To be fetched before the files are listed."""

    def ask(user: str) -> str:
        return google.ask(StartOfChanges, google.start_of_changes, user, **parameters).start_page_token

    return acting.ask(ask)


def changes(
    google: Google, acting: Acting, token: str, fields: str, **parameters: Any
) -> tuple[dict[str, Change], str]:
    """The last change of each file since the token was issued, by file id, and the token for next time.

    Where nothing changed the token stays as it is: it does not expire, and an empty list proves nothing. Raises
    `StaleCursor` where the changes cannot be read in full, for whatever reason, and `QuotaSpent`.
    """
    last: dict[str, Change] = {}
    next_token = ""
    try:
        for page in acting.ask(lambda user: _change_pages(google, user, token, fields, parameters)):
            changed = [change for change in page.changes if change.change_type != "drive"]
            _check(page.broken + sum(not change.file_id for change in changed), len(last))
            last.update({change.file_id: change for change in changed})
            next_token = page.new_start_page_token
    except (QuotaSpent, StaleCursor):
        raise
    except ProviderError as error:
        raise StaleCursor(Code.CURSOR_REFUSED, quote=error.reason.quote or error.reason.code) from error
    if not next_token:
        raise StaleCursor(Code.CHANGES_MALFORMED, count=1)
    return last, next_token if last else token


def _check(malformed: int, changed: int) -> None:
    if malformed:
        raise StaleCursor(Code.CHANGES_MALFORMED, count=malformed)
    if changed > _MAX_CHANGES:
        raise StaleCursor(Code.MANY_CHANGES, count=_MAX_CHANGES)


def _change_pages(
    google: Google, user: str, token: str, fields: str, parameters: Mapping[str, Any]
) -> Iterator[Changes]:
    pages = google.pages(
        Changes, google.changes, user, pageToken=token, pageSize=1000, includePermissionsForView="published",
        prettyPrint=False,
        fields=f"nextPageToken,newStartPageToken,changes(changeType,removed,fileId,file({fields}))",
        **parameters,
    )  # fmt: skip
    return itertools.chain([next(pages)], pages)  # the first page tells whether this user is refused
