"""How far a library is known: what the cursor of its scope carries from one night to the next.

Beside Microsoft's token it holds the folders and which items have rights of their own, because a change of a folder is
not told of what lies in it; and the permissions that were met with a digest of what they meant, because a guest who is
deleted or a site where sharing is switched off changes what a permission means without any item changing.
"""

import base64
import hashlib
import zlib
from collections.abc import Sequence
from typing import Any

import msgspec

from cloudscan.errors import StaleCursor
from cloudscan_m365.api.models import Permission
from cloudscan_m365.meaning.folder_tree import Folder


class Met(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of permission, with digests of what it meant."""

    permission: Permission
    told: str  # where it was given
    passed_on: str  # for what inherits it


class CursorState(msgspec.Struct, frozen=True, kw_only=True):
    """The cursor's contents."""

    link: str  # Microsoft's delta link, without the host
    depth: str  # digest of how much was asked for
    root: str  # the id of the top folder
    given: Sequence[Permission] = ()  # at the top
    folders: Sequence[tuple[str, Folder]] = ()
    own: Sequence[tuple[str, Sequence[int]]] = ()  # other items with rights of their own: ids, and places in `met`
    met: Sequence[Met] = ()


def pack(mark: CursorState) -> str:
    """As a cursor carries it."""
    return base64.b64encode(zlib.compress(msgspec.json.encode(mark))).decode()


def unpack(token: str) -> CursorState:
    """Raises `StaleCursor` where it was written by another version."""
    try:
        return msgspec.json.decode(zlib.decompress(base64.b64decode(token)), type=CursorState)
    except (ValueError, zlib.error, msgspec.MsgspecError) as error:
        raise StaleCursor("what was kept of the last scan is of another version") from error


def digest(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()[:16]
