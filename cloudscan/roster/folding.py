"""Spellings of the same thing made equal, for comparison only: what is shown stays as it was written."""

import re
import unicodedata
from typing import Final

_BLANKS: Final = re.compile(r"[\s\u3000]+")
_HYPHENS: Final = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d"), "-")
_WAVES: Final = {ord("\u301c"): "~", ord("\uff5e"): "~"}
_VARIANTS: Final = str.maketrans("髙﨑濵濱邉邊齋齊斎嶋嶌冨德廣澤眞槇國榮龍", "高崎浜浜辺辺斉斉斉島島富徳広沢真槙国栄竜")
"""Forms of characters that registers tell apart and people do not."""

_PREFIXES: Final = re.compile(r"\b(?:mailto|smtp):", re.IGNORECASE)
_AROUND: Final = re.compile(r"[\s,;<>()\"]+")
_ADDRESS: Final = re.compile(r"[^@]+@[^@]+\.[^@]+")


def folded(text: str) -> str:
    """A header or a code: full-width forms, case, blanks and punctuation between words do not count."""
    plain = unicodedata.normalize("NFKC", text).translate(_HYPHENS).casefold()
    return re.sub(r"[\s_\-.・/()\[\]【】「」:：*＊#]+", "", plain)


def folded_name(text: str) -> str:
    """A person's name, to look up whether somebody is called alike: never a proof that it is the same person."""
    plain = unicodedata.normalize("NFKC", text).translate(_HYPHENS | _WAVES).translate(_VARIANTS)
    return _BLANKS.sub("", plain).casefold()


def addresses_in(text: str) -> list[str]:
    """The mail addresses in a cell, in lower case: several, with names beside them or ``mailto:`` before them."""
    plain = _PREFIXES.sub(" ", unicodedata.normalize("NFKC", text))
    words = _AROUND.split(plain) if "@" in plain else ()
    return list(dict.fromkeys(word.rstrip(".").lower() for word in words if _ADDRESS.fullmatch(word)))


def number_in(text: str) -> str:
    """An employee number as it is written, without blanks and full-width forms. Leading zeros are part of it."""
    return _BLANKS.sub("", unicodedata.normalize("NFKC", text)).upper()
