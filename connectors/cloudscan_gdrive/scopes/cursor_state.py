"""How far a drive is known: what the cursor of its scope carries from one scan to the next.

Besides Google's change token it contains the folders, because Google reports a change of a folder but none of what is
in it, and the permissions that were seen with a digest of what they meant, because a group that lets external people
in changes what a permission means without any file changing.
"""

import base64
import hashlib
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from cloudscan.errors import StaleCursor
from cloudscan.http import decoder
from cloudscan_gdrive.api.models import Permission
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.meaning.folder_tree import Folder
from cloudscan_gdrive.meaning.translate import Meaning
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.scopes.drive_context import DriveContext


class CursorState(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of a drive's cursor."""

    page: str  # Google's change token
    options: str  # digest of the options that change what is yielded
    seen_permissions: Sequence[tuple[Permission, str, str]]  # each with the type of file and the digest of its meaning
    root: str = ""  # the id of the top folder
    user: str = ""  # of a shared drive: the member in whose name it was read
    empty: bool = False  # nothing was in it, which is looked at again: an empty list proves nothing
    members: str = ""  # of a shared drive: digest of who they are
    folders: Sequence[tuple[str, Folder]] = ()  # by id
    scripts: Sequence[str] = ()  # ids of Apps Script projects
    asked_on: datetime | None = None  # when the drive itself said what changed
    known_until: datetime | None = None  # until then nothing else happened, as the drive or the Drive log says
    in_others_folders: bool = False  # some of its files are in folders of other people


def pack(state: CursorState) -> str:
    """The text that a cursor carries."""
    return base64.b64encode(zlib.compress(msgspec.json.encode(state), level=1)).decode()


def unpack(token: str, options: Options) -> CursorState:
    """Read a cursor. Raises `StaleCursor` where it was written with other options or by another version."""
    try:
        state = decoder(CursorState).decode(zlib.decompress(base64.b64decode(token)))
    except (ValueError, zlib.error, msgspec.MsgspecError) as error:
        raise StaleCursor(Code.CURSOR_OF_ANOTHER_VERSION) from error
    if state.options != digest_of_options(options):
        raise StaleCursor(Code.OPTIONS_CHANGED)
    return state


def digest_of_options(options: Options) -> str:
    """Differs where the same drive would yield other facts."""
    return digest([options.labels, options.only_shared])


def seen_permissions(context: DriveContext) -> list[tuple[Permission, str, str]]:
    """The permissions that were seen in a drive, each with the type of file and the digest of what it means there.

    Without those of owners: what they mean depends on who else is one.
    """
    return [
        (permission, content_type, digest(_essence(context, meaning)))
        for permission, content_type, meaning in context.meanings.values()
        if permission.role != "owner"
    ]


def check_meanings(context: DriveContext, state: CursorState) -> None:
    """Raise `StaleCursor` where a permission that was seen before means something else today."""
    for permission, content_type, before in state.seen_permissions:
        if digest(_essence(context, context.meaning(permission, content_type))) != before:
            raise StaleCursor(Code.MEANINGS_CHANGED)


def digest(value: Any) -> str:
    """A short hash of any value that can be written as JSON."""
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()[:16]


def _essence(context: DriveContext, meaning: Meaning | None) -> Any:
    """What the facts of a drive depend on. What the directory says of its people and groups, its own scope yields."""
    if meaning is None or meaning.principal is None:
        return meaning and meaning.grant
    elsewhere = context.people.in_directory_scope(meaning.principal)
    return (None if elsewhere else meaning.principal, meaning.grant)
