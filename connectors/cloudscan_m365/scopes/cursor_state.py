"""How far a library is known: what the cursor of its scope carries from one scan to the next.

Beside Microsoft's token it contains the folders and the items that have unique permissions, because delta reports a
changed folder without its contents; and the kinds of permissions that were seen with digests of their meaning, because
a deleted guest, or sharing that is switched off on a site, changes what a permission means without changing an item.
"""

import base64
import hashlib
import zlib
from collections.abc import Sequence
from typing import Any

import msgspec

from cloudscan.errors import StaleCursor
from cloudscan.http import decoder
from cloudscan_m365.api.models import Permission
from cloudscan_m365.meaning.folder_tree import Folder


class SeenPermission(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of permission, with digests of what it meant."""

    permission: Permission
    at_origin: str  # digest of what is reported where it was granted
    inherited: str  # digest of what is reported of items that inherit it


class CursorState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cursor's contents."""

    link: str  # Microsoft's delta link, without the host
    quiet: bool = False  # nothing had changed since `link`: it was kept, in case that a list of changes was cut short
    depth: str  # digest of how much was asked for
    root: str  # the id of the root folder
    root_permissions: Sequence[Permission] = ()
    folders: Sequence[tuple[str, Folder]] = ()
    unique: Sequence[tuple[str, Sequence[int]]] = ()  # other items with unique permissions: id, indexes into `seen`
    seen: Sequence[SeenPermission] = ()


def pack(state: CursorState) -> str:
    """The state as the text that a cursor carries."""
    return base64.b64encode(zlib.compress(msgspec.json.encode(state))).decode()


def unpack(token: str) -> CursorState:
    """The state in a cursor's text. Raises `StaleCursor` where another version wrote it."""
    try:
        return decoder(CursorState).decode(zlib.decompress(base64.b64decode(token)))
    except (ValueError, zlib.error, msgspec.MsgspecError) as error:
        raise StaleCursor("graph-cursor-not-readable") from error


def digest(value: Any) -> str:
    """A short hash of anything that can be written as JSON, whatever the order of its keys."""
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()[:16]
