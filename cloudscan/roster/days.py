"""Days as Japanese and other exports write them."""

import re
import unicodedata
from datetime import date, datetime, timedelta
from typing import Final

from cloudscan.days import day_of

_ERAS: Final = {"令和": 2018, "平成": 1988, "昭和": 1925, "r": 2018, "h": 1988, "s": 1925}
"""The year before the first one of each era."""

_WESTERN: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_ERA: Final = re.compile(r"(令和|平成|昭和|[rhs])\s*(\d{1,2}|元)[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.IGNORECASE)
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})", re.IGNORECASE)
_CLOCK: Final = re.compile(r"[T ]0{1,2}:00(:00(\.0+)?)?$", re.IGNORECASE)
_SERIAL: Final = re.compile(r"\d{5}(\.0+)?")
_EXCEL_DAY_ZERO: Final = date(1899, 12, 30)
_SERIALS: Final = range(18_000, 73_050)  # 1949 to 2099
_NO_DAY: Final = frozenset({"", "-", "--", "ー", "―", "なし", "無", "無し", "未定", "n/a", "na", "null", "none"})
_NO_END_YEAR: Final = 2099


class UnreadableDay(ValueError):
    """A cell that contains something else than a day. It is never taken for "no end"."""


def day_in(text: str, timezone: str) -> date | None:
    """The day in a cell; None for none, and for an end that is so far away that it means none.

    A moment with an offset belongs to the organisation's day: midnight in Tokyo is still the day before in UTC.
    Raises `UnreadableDay`, also where the month cannot be distinguished from the day.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if plain.casefold() in _NO_DAY or plain.startswith(("0000", "9999")):
        return None
    if _MOMENT.fullmatch(plain):
        return _within(day_of(datetime.fromisoformat(plain.replace(" ", "T", 1).replace(" ", "")), timezone))
    return _within(_bare_day(_CLOCK.sub("", plain)))


def _bare_day(plain: str) -> date:
    try:
        if found := _WESTERN.fullmatch(plain) or _COMPACT.fullmatch(plain):
            return date(*map(int, found.groups()))
        if found := _ERA.fullmatch(plain):
            era, year, month, day = found.groups()
            return date(_ERAS[era.lower()] + (1 if year == "元" else int(year)), int(month), int(day))
    except ValueError as error:
        raise UnreadableDay(plain) from error
    if _SERIAL.fullmatch(plain) and int(float(plain)) in _SERIALS:
        return _EXCEL_DAY_ZERO + timedelta(days=int(float(plain)))
    raise UnreadableDay(plain)


def _within(day: date) -> date | None:
    return None if day.year >= _NO_END_YEAR else day
