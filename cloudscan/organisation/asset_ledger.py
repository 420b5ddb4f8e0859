"""The ledger of information assets (情報資産管理台帳) of IPA's security guideline for small and medium enterprises.

Its columns: 業務分類, 情報資産名称, 備考, 利用者範囲, 管理部署, 媒体・保存先, 個人情報の種類 (three columns), 評価値
(機密性, 完全性, 可用性), 重要度, 保存期限, 登録日. Editions rate 2-1-0 or 3-2-1; companies also write words. For
sharing it is confidentiality that counts: what matters only because it has to be there need not be hidden. 重要度
stands in where it is not rated. The columns and both scales are as other guides quote them; the original form was
not at hand.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from cloudscan.errors import ConfigurationError
from cloudscan.facts import RANKS
from cloudscan.organisation import workbook
from cloudscan.roster.folding import folded
from cloudscan.roster.table import Row, decoded, rows_of
from cloudscan.sentence import Sentence, say


class Column(StrEnum):
    """A column of the ledger, in its order."""

    WORK = "業務分類"
    NAME = "情報資産名称"
    NOTE = "備考"
    USERS = "利用者範囲"
    DEPARTMENT = "管理部署"
    MEDIUM = "媒体・保存先"
    PERSONAL = "個人情報"
    SENSITIVE = "要配慮個人情報"
    NUMBERED = "特定個人情報"
    CONFIDENTIALITY = "機密性"
    INTEGRITY = "完全性"
    AVAILABILITY = "可用性"
    WEIGHT = "重要度"
    KEEP = "保存期限"
    REGISTERED = "登録日"


_SPELLINGS: Final[Mapping[Column, Sequence[str]]] = {
    Column.WORK: ("業務", "分類", "business"),
    Column.NAME: ("資産名", "資産名称", "情報資産名", "情報資産", "asset", "assetname"),
    Column.NOTE: ("摘要", "note", "notes", "remarks"),
    Column.USERS: ("利用範囲", "利用者", "users"),
    Column.DEPARTMENT: ("管理部門", "管理部署名", "主管部署", "部署", "department"),
    Column.MEDIUM: ("媒体", "保存先", "保管場所", "保存場所", "媒体保存場所", "location", "medium"),
    Column.PERSONAL: ("個人情報の有無",),
    Column.SENSITIVE: ("要配慮",),
    Column.NUMBERED: ("マイナンバー", "特定個人"),
    Column.CONFIDENTIALITY: ("機密性c", "confidentiality"),
    Column.INTEGRITY: ("完全性i", "integrity"),
    Column.AVAILABILITY: ("可用性a", "availability"),
    Column.WEIGHT: ("重要度評価", "importance"),
    Column.KEEP: ("保存期間", "retention"),
    Column.REGISTERED: ("登録年月日", "registered"),
}
_BY_SPELLING: Final = {
    folded(spelling): column for column, others in _SPELLINGS.items() for spelling in (column.value, *others)
}
_KINDS_OF_PERSONAL: Final = "個人情報の種類"  # one column in which the kind is written, or the head above three
_HEADER_WITHIN: Final = 30  # rows: a title and instructions stand above it
_FEWEST: Final = 3  # columns without which it is no ledger
_LEVELS: Final[Mapping[str, Sequence[str]]] = {
    "news-grade": ("極秘", "厳秘", "最重要", "高", "high", "h", "機密性3", "機密性3情報", "confidential+"),
    "confidential": ("秘", "社外秘", "部外秘", "重要", "中", "medium", "m", "機密性2", "機密性2情報", "confidential"),
    "working": ("公開", "一般", "社内", "低", "low", "l", "機密性1", "機密性1情報", "public"),
}
_BY_WORD: Final = {folded(word): rank for rank, words in _LEVELS.items() for word in words}
SCALES: Final[Mapping[str, Mapping[str, str]]] = {
    "3-2-1": {"3": "news-grade", "2": "confidential", "1": "working"},
    "2-1-0": {"2": "news-grade", "1": "confidential", "0": "working"},
}
"""The ranks that the numbers of a scale stand for."""

_NOT: Final = frozenset({"", "-", "ー", "なし", "無", "無し", "×", "x", "no", "0", "false"})
_QUOTED: Final = re.compile(r"[「『\"“]([^」』\"”]+)[」』\"”]")
_ADDRESS: Final = re.compile(r"https?://[^\s、。,;「」『』<>\"]+|s3://[^\s、。,;「」『』<>\"]+", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"[\n\r、;；]+|\s[／/]\s")


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a ledger: where it is kept, and the rank that its ratings stand for."""

    line: int
    name: str
    places: Sequence[str]  # what may name where it is, the likeliest first
    rank: str  # empty: its ratings say nothing that is understood
    why: Sentence | str  # which rating said so, or what could not be understood


def read_ledger(data: bytes, name: str, scale: str = "") -> list[Asset]:
    """The assets in a CSV (UTF-8 or CP932) or an Excel workbook. `scale` is needed where the numbers do not tell it.

    Raises `ConfigurationError` if it cannot be read, has no such columns, or its scale is not clear.
    """
    best = max((_laid_out(rows) for rows in _tables(data, name)), key=lambda one: len(one[0]), default=({}, []))
    columns, rows = best
    if len(columns) < _FEWEST or Column.MEDIUM not in columns.values():
        wanted = ", ".join(column.value for column in (Column.NAME, Column.MEDIUM, Column.CONFIDENTIALITY))
        raise ConfigurationError(
            say("{name} is no ledger of information assets: no line has the columns {columns}.",
                name=name, columns=wanted)
        )  # fmt: skip
    records = [(row.line, _record(row.cells, columns)) for row in rows]
    records = [(line, record) for line, record in records if record.get(Column.NAME) or record.get(Column.MEDIUM)]
    meaning = _scale([record for _, record in records], name, scale)
    return [_asset(line, record, meaning) for line, record in records]


def _tables(data: bytes, name: str) -> Iterator[Sequence[Row]]:
    if data.startswith(workbook.BEGINS):
        yield from workbook.sheets_of(data, name)
        return
    found = decoded(data)
    if found is None:
        raise ConfigurationError(
            say("{name} is neither UTF-8 nor CP932 (Shift_JIS), nor an Excel workbook; save it as one of them.",
                name=name)
        )  # fmt: skip
    for separator in ",\t;":
        yield list(rows_of(found[1], separator))


def _laid_out(rows: Sequence[Row]) -> tuple[Mapping[int, Column], Sequence[Row]]:
    """Which column is what, and the rows below the header, which may have two lines: groups, and what is in them."""
    best: tuple[Mapping[int, Column], int] = ({}, 0)
    for index, row in enumerate(rows[:_HEADER_WITHIN]):
        one, two = _columns(row.cells), _columns(rows[index + 1].cells) if index + 1 < len(rows) else {}
        both = {**{place: column for place, column in one.items() if column not in two.values()}, **two}
        for columns, after in ((one, index + 1), (both if len(two) > 1 else {}, index + 2)):
            if len(columns) > len(best[0]):
                best = (columns, after)
    return best[0], rows[best[1] :]


def _columns(cells: Sequence[str]) -> dict[int, Column]:
    columns: dict[int, Column] = {}
    for place, cell in enumerate(cells):
        column = _BY_SPELLING.get(folded(cell))
        if column is None and folded(cell) == folded(_KINDS_OF_PERSONAL):
            column = Column.PERSONAL
        if column and column not in columns.values():
            columns[place] = column
    return columns


def _record(cells: Sequence[str], columns: Mapping[int, Column]) -> dict[Column, str]:
    return {column: cells[place].strip() for place, column in columns.items() if place < len(cells)}


def _scale(records: Sequence[Mapping[Column, str]], name: str, scale: str) -> Mapping[str, str]:
    """What the numbers mean. 0 is only in the one scale, 3 only in the other."""
    if scale:
        return SCALES[scale]
    rated = (Column.CONFIDENTIALITY, Column.INTEGRITY, Column.AVAILABILITY, Column.WEIGHT)
    numbers = {folded(record.get(column, "")) for record in records for column in rated} & {"0", "1", "2", "3"}
    fitting = [mapping for mapping in SCALES.values() if numbers <= mapping.keys()]
    if len(fitting) == 1 or not numbers:
        return fitting[0]
    if not fitting:
        raise ConfigurationError(
            say("{name} rates with both 0 and 3, which no edition does; correct it, or give --scale.", name=name)
        )
    raise ConfigurationError(
        say("{name} rates with 1 and 2 only, so that 2 may be the highest or the middle; give --scale 3-2-1 or "
            "--scale 2-1-0.", name=name)
    )  # fmt: skip


def _asset(line: int, record: Mapping[Column, str], meaning: Mapping[str, str]) -> Asset:
    rank, why = _rank(record, meaning)
    return Asset(
        line=line,
        name=record.get(Column.NAME, ""),
        places=list(_places(record.get(Column.MEDIUM, ""))),
        rank=rank,
        why=why,
    )


def _rank(record: Mapping[Column, str], meaning: Mapping[str, str]) -> tuple[str, Sentence | str]:
    """By confidentiality, or else by importance; personal data that the law protects more is news-grade at least."""
    rated = next((one for one in (Column.CONFIDENTIALITY, Column.WEIGHT) if record.get(one)), None)
    value = record[rated] if rated else ""
    rank = meaning.get(folded(value)) or _BY_WORD.get(folded(value), "")
    if rated and not rank:
        return "", say("{column} {value} is not understood", column=rated.value, value=repr(value))
    for column, least in _protected(record):
        if not rank or RANKS[least] > RANKS[rank]:
            rank, rated, value = least, column, record[column]
    if not rated:
        return "", say("it is not rated")
    return rank, f"{rated.value} {value}"


def _protected(record: Mapping[Column, str]) -> Iterator[tuple[Column, str]]:
    personal = record.get(Column.PERSONAL, "")
    for column, least in ((Column.NUMBERED, "news-grade"), (Column.SENSITIVE, "news-grade")):
        if record.get(column, "").casefold() not in _NOT:
            yield column, least
        elif column.value in personal:
            yield Column.PERSONAL, least
    if personal.casefold() not in _NOT:
        yield Column.PERSONAL, "confidential"


def _places(cell: str) -> Iterator[str]:
    """What in 媒体・保存先 may name a place: addresses, what is in quotes, each part, what stands after a colon."""
    found = [*_ADDRESS.findall(cell), *_QUOTED.findall(cell)]
    for part in _BETWEEN.split(cell):
        found += [part, re.split(r"[：:]\s*", part, maxsplit=1)[-1]]
    yield from dict.fromkeys(one.strip().strip("。") for one in found if one.strip())
