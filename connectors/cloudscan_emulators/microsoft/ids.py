"""Ids that look like Microsoft's and are computed from numbers, so that a million items need no table."""

import base64
from collections.abc import Iterable
from hashlib import blake2b
from uuid import UUID
from zlib import crc32

_MIX = 0x9E3779B97F4A7C15
_BACK = pow(_MIX, -1, 1 << 64)
_ALL = (1 << 64) - 1
_LETTERS = str.maketrans("0123456789abcdef", "Q723456RSTABCDEF")
_DIGITS = str.maketrans("Q723456RSTABCDEF", "0123456789abcdef")


def guid(kind: str, number: int) -> str:
    """The guid of the object with this number within a kind."""
    return str(UUID(int=_guid(kind, number)))


def number_of(kind: str, text: str) -> int | None:
    """The number behind a guid of a kind; None: it is not one of that kind."""
    try:
        value = UUID(text).int
    except ValueError:
        return None
    number = ((value >> 64) * _BACK & _ALL) - 1
    return number if number >= 0 and _guid(kind, number) == value else None


def item_id(number: int) -> str:
    """The id of a driveItem: ``01`` and 32 letters of the base-32 alphabet."""
    return "01" + _guid("item", number).to_bytes(16).hex().translate(_LETTERS)


def item_number(text: str) -> int | None:
    """The number behind an item's id; None: it is not one."""
    try:
        value = int(text[2:].translate(_DIGITS), 16)
    except ValueError:
        return None
    number = ((value >> 64) * _BACK & _ALL) - 1
    return number if number >= 0 and text.startswith("01") and item_id(number) == text else None


def drive_id(site: str, web: str, library: str) -> str:
    """The id of a drive, from the guids of site, web and list."""
    raw = b"".join(UUID(one).bytes_le for one in (site, web, library))
    return "b!" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def is_drive_id(text: str) -> bool:
    """Whether a text has the form of a drive's id."""
    return text.startswith("b!") and len(text) == 66


def packed(text: str) -> str:
    """A text in base 64, as the ids of permissions are."""
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def secret(*parts: object) -> str:
    """The secret part of a sharing link, the same for the same link."""
    digest = blake2b(":".join(map(str, parts)).encode(), digest_size=33).digest()
    return base64.urlsafe_b64encode(digest).decode()


def digest(parts: Iterable[object]) -> int:
    """A short checksum of some values."""
    return crc32("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"))


def _guid(kind: str, number: int) -> int:
    mixed = (number + 1) * _MIX & _ALL
    check = blake2b(number.to_bytes(8), digest_size=8, person=kind.encode()[:16]).digest()
    return mixed << 64 | int.from_bytes(check)
