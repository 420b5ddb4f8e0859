"""Page tokens: opaque, bound to the search they belong to, and valid for a limited time."""

import base64
import binascii
import json
import zlib
from dataclasses import dataclass

from cloudscan_emulators.google import errors

_MARK = "~!!~AI9"


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where the next page begins: after an entry, or at an offset."""

    after: int = -1
    skip: int = 0


def token(search: object, position: Position, epoch: int) -> str:
    content = json.dumps([_digest(search), position.after, position.skip, epoch])
    return _MARK + base64.urlsafe_b64encode(content.encode()).decode()


def position(text: str, search: object, epoch: int, name: str = "pageToken") -> Position:
    """Read a token; refuse an invalid one, an expired one, or one of another search."""
    if not text:
        return Position()
    try:
        if not text.startswith(_MARK):
            raise errors.invalid(name)
        digest, after, skip, given = json.loads(base64.urlsafe_b64decode(text[len(_MARK) :]))
    except (ValueError, binascii.Error):
        raise errors.invalid(name) from None
    if digest != _digest(search) or given != epoch:
        raise errors.invalid(name)
    return Position(after=after, skip=skip)


def _digest(search: object) -> int:
    return zlib.crc32(repr(search).encode())
