"""The personnel system's export: who works at Kumo Logistics today, and who did some months ago.

It knows what the directories do not: who left, whose contract is over, who is on leave, who moved; that the department
倉庫部 is called 物流センター now. As real exports it is CP932, has a title above its header, days of several spellings
and a row that nobody can understand.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from cloudscan_emulators.kit.staff import STAFF, Employee, clerk

DOMAINS: Final[Mapping[str, str]] = {"pilot": "kumo-air.example"}
_DOMAIN: Final = "kumo.example"
_HEADER: Final = (
    "社員番号", "氏名", "メールアドレス", "部署", "兼務", "役職", "雇用形態", "在籍状況", "入社日", "退職日",
    "契約終了日", "旧所属", "異動日", "上長社員番号", "個人メール",
)  # fmt: skip
_OLD_NAME, _NEW_NAME = "倉庫部", "物流センター"
_CLERKS: Final = 6
_FAMILIES: Final = 16


@dataclass(frozen=True, kw_only=True)
class Change:
    """What the export says of somebody that the directories do not. Days count from today."""

    status: str = "在籍"
    left: int | None = None
    term: int | None = None


_CHANGES: Final[Mapping[str, Change]] = {
    "left": Change(status="退職", left=-200),
    "archived": Change(status="退職", left=-400),
    "away": Change(status="退職", left=-10),
    "leaving": Change(left=20),
    "disabled": Change(status="休職"),
    "dormant": Change(term=-40),
    "weak": Change(term=-12),
}

_FORMERLY: Final[Mapping[str, tuple[str, int]]] = {"hayashi": ("営業部", -60)}
"""Who was in another department some months ago, and when they left it."""

_DROPPED: Final = ("gone",)
"""Who is not in today's export at all."""

_NAMESAKE: Final = Employee(number="00130", name="森 健一", departments=("経理部",), manager="hayashi")
"""Two people of one name; this one has no account."""


def today(day: date) -> bytes:
    """The export of a day."""
    rows = [_row(part, employee, day) for part, employee in _people() if part not in _DROPPED]
    unreadable = [*_row("", _NAMESAKE, day)]
    unreadable[0], unreadable[1], unreadable[9] = "00131", "本田 宗", "三月末"
    return _written(f"社員一覧　{day:%Y/%m/%d} 出力", [*rows, _row("", _NAMESAKE, day), unreadable])


def earlier(day: date, now: date) -> bytes:
    """The export as it was on an earlier day: everyone was there, under the old names."""
    rows = []
    for part, employee in _people():
        was = _FORMERLY[part][0] if part in _FORMERLY else employee.department
        row = _row(part, employee, now)
        row[11] = row[12] = ""
        row[3] = _OLD_NAME if was == _NEW_NAME else was
        gone_on = now + timedelta(days=_CHANGES[part].left or 0) if part in _CHANGES and _CHANGES[part].left else None
        if gone_on is None or gone_on >= day:
            row[7], row[9] = "在籍", ""
        rows.append(row)
    return _written(f"社員一覧　{day:%Y/%m/%d} 出力", [*rows, _row("", _NAMESAKE, now)])


def _people() -> Iterator[tuple[str, Employee]]:
    yield from STAFF.items()
    for index in range(_CLERKS):
        yield clerk(index, _FAMILIES)


def _row(part: str, employee: Employee, day: date) -> list[str]:
    change = _CHANGES.get(part, Change())
    first, *others = (_NEW_NAME if name == _OLD_NAME else name for name in employee.departments)
    formerly, moved = _FORMERLY.get(part, ("", None))
    hired = date.fromisoformat(employee.hired)
    return [
        employee.number,
        employee.name,
        f"{part}@{DOMAINS.get(part, _DOMAIN)}" if part else "",
        first,
        "、".join(others),
        employee.title,
        employee.employment,
        change.status,
        f"{hired.year}年{hired.month}月{hired.day}日",
        _day(day, change.left),
        _day(day, change.term),
        formerly,
        _day(day, moved),
        STAFF[employee.manager].number if employee.manager else "",
        employee.private,
    ]


def _day(today: date, days: int | None) -> str:
    return "" if days is None else f"{today + timedelta(days=days):%Y/%m/%d}"


def _written(title: str, rows: list[list[str]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([title])
    writer.writerow(_HEADER)
    writer.writerows(rows)
    return file.getvalue().encode("cp932")
