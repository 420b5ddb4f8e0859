"""Ids that look like Google's, and that need no table to be found again."""

import base64
import binascii
import struct
from functools import lru_cache

_WORD = (1 << 64) - 1
_SCRAMBLE, _SECOND, _THIRD = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03, 0x8CB92BA72F3D8DD7
_UNSCRAMBLE = pow(_SCRAMBLE, -1, 1 << 64)
_DRIVE_END = "Uk9PVA"  # both My Drive's root folders and shared drives end so
_OFFSET = 1000
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


@lru_cache(maxsize=20_000)
def file_id(number: int) -> str:
    number += _OFFSET
    scrambled = (number * _SCRAMBLE & _WORD, number * _SECOND & _WORD, number * _THIRD & _WORD)
    return "1" + binascii.b2a_base64(struct.pack(">QQQ", *scrambled), newline=False).translate(_URL_SAFE).decode()


def file_number(identity: str) -> int | None:
    """The number behind a file's id; None where it is not a file's."""
    if len(identity) != 33:
        return None
    try:
        word = int(struct.unpack(">Q", base64.urlsafe_b64decode(identity[1:13])[:8])[0])
    except (binascii.Error, ValueError):
        return None
    number = (word * _UNSCRAMBLE & _WORD) - _OFFSET
    return number if number >= 0 and file_id(number) == identity else None


@lru_cache(maxsize=5_000)
def drive_id(number: int) -> str:
    return "0AK" + _short(2 * number + 1) + _DRIVE_END


@lru_cache(maxsize=5_000)
def root_id(principal: int) -> str:
    """The root folder of a user's My Drive."""
    return "0AK" + _short(2 * principal + 2) + _DRIVE_END


def drive_number(identity: str) -> int | None:
    number = _behind(identity)
    return None if number is None or number % 2 == 0 else number // 2


def root_number(identity: str) -> int | None:
    number = _behind(identity)
    return None if number is None or number % 2 else number // 2 - 1


def permission_id(principal: int, kind: str) -> str:
    """Digits; a domain's ends in k, as recorded answers show. `anyone` has two ids, by discovery."""
    if kind == "anyone":
        return "anyoneWithLink"
    digits = f"{10**19 + (principal + 7) * 7_046_029_254_386_353_131 % (8 * 10**19):020}"
    return digits + "k" if kind == "domain" else digits


def directory_id(principal: int) -> str:
    return f"1{(principal + 11) * 5_316_911_983_139_663_491 % 10**20:020}"


def _short(number: int) -> str:
    word = number * 0x9E3779B97F5 & ((1 << 60) - 1)
    return base64.urlsafe_b64encode(struct.pack(">Q", word << 4))[:10].decode()


def _behind(identity: str) -> int | None:
    if len(identity) != 19 or not identity.startswith("0AK") or not identity.endswith(_DRIVE_END):
        return None
    try:
        word = int(struct.unpack(">Q", base64.urlsafe_b64decode(identity[3:13] + "A=")[:8])[0]) >> 4
    except (binascii.Error, ValueError):
        return None
    number = word * pow(0x9E3779B97F5, -1, 1 << 60) & ((1 << 60) - 1)
    return number if 0 < number < 1 << 40 and _short(number) == identity[3:13] else None
