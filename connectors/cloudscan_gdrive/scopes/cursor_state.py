"""How far a drive is known: what the cursor of its scope carries from one night to the next.

Beside Google's token it holds the folders, because a change of a folder is not told of what lies in it, and the
permissions that were met with a digest of what they meant, because a group that lets outsiders in changes what a
permission means without any file changing.
"""

import base64
import hashlib
import zlib
from collections.abc import Sequence
from typing import Any

import msgspec

from cloudscan.errors import StaleCursor
from cloudscan_gdrive.api.models import Permission
from cloudscan_gdrive.meaning.folder_tree import Folder
from cloudscan_gdrive.meaning.translate import Meaning
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.scopes.drive_context import DriveContext


class CursorState(msgspec.Struct, frozen=True, kw_only=True):
    """The cursor's contents."""

    page: str  # Google's token
    options: str  # digest of the options that change what is told
    root: str = ""  # the id of the top folder
    members: str = ""  # of a shared drive: digest of who they are
    folders: Sequence[tuple[str, Folder]] = ()
    met: Sequence[tuple[Permission, str]] = ()  # permissions, and the digest of what each meant


def pack(mark: CursorState) -> str:
    """As a cursor carries it."""
    return base64.b64encode(zlib.compress(msgspec.json.encode(mark), level=1)).decode()


def unpack(token: str, options: Options) -> CursorState:
    """Raises `StaleCursor` where it was written with other options, or by another version."""
    try:
        mark = msgspec.json.decode(zlib.decompress(base64.b64decode(token)), type=CursorState)
    except (ValueError, zlib.error, msgspec.MsgspecError) as error:
        raise StaleCursor("what was kept of the last scan is of another version") from error
    if mark.options != digest_of_options(options):
        raise StaleCursor("the options were changed")
    return mark


def digest_of_options(options: Options) -> str:
    return digest([options.labels, options.only_shared])


def met(reading: DriveContext) -> list[tuple[Permission, str]]:
    """The permissions that were met."""
    return [(permission, digest(_told(found))) for permission, found in reading.meanings.values()]


def check_meanings(reading: DriveContext, mark: CursorState) -> None:
    """Raise `StaleCursor` where a permission that was met before means something else today."""
    for permission, before in mark.met:
        if digest(_told(reading.meaning(permission))) != before:
            raise StaleCursor("what is known of people, groups, domains or partners was changed")


def digest(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()[:16]


def _told(found: Meaning | None) -> Any:
    return found and (found.principal, found.grant)
