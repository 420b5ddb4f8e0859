"""Who works at Kumo Logistics: what the directories of all platforms say of the same people.

By the part of an address before the @. The company's personnel file, where there is one, should agree with it but for
what personnel files know better: who has left, who is on leave, who moved.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cloudscan_emulators.kit.company import DEPARTMENTS, FAMILY_NAMES, GIVEN_NAMES


@dataclass(frozen=True, kw_only=True)
class Employee:
    """A person. `manager` is the manager's part of an address."""

    number: str
    name: str
    departments: tuple[str, ...]  # the primary one first; further ones are 兼務
    title: str = ""
    manager: str = ""
    employment: str = "正社員"
    company: str = ""  # whose staff it is, where it is not ours
    hired: str = "2019-04-01"
    private: str = ""  # an address at home

    @property
    def department(self) -> str:
        """The primary department."""
        return self.departments[0]


STAFF: Final[Mapping[str, Employee]] = {
    "aoki": Employee(
        number="00101", name="青木 直子", departments=("情報システム部",), title="部長", hired="2008-04-01"
    ),
    "mori": Employee(
        number="00102", name="森 健一", departments=("営業部",), title="課長", manager="aoki", hired="2012-10-01"
    ),
    "hayashi": Employee(
        number="00103", name="林 美穂", departments=("経理部", "人事部"), title="主任", manager="aoki",
        private="hayashi.miho.home@gmail.com",
    ),
    "pilot": Employee(number="00104", name="空野 翼", departments=("配送部",), manager="mori"),
    "left": Employee(number="00105", name="退職 済子", departments=("営業部",), manager="mori"),
    "dormant": Employee(
        number="00106", name="休眠 太郎", departments=("倉庫部",), manager="mori", employment="契約社員",
        hired="2024-04-01",
    ),
    "never": Employee(number="00107", name="未 使用", departments=("人事部",), manager="hayashi", hired="2026-04-01"),
    "archived": Employee(
        number="00108", name="保管 花子", departments=("経理部",), manager="hayashi",
        private="hanako-home@yahoo.example",
    ),
    "gone": Employee(number="00109", name="削除 済", departments=("配送部",), manager="mori"),
    "weak": Employee(
        number="00110", name="山崎 弱", departments=("倉庫部",), manager="mori", employment="派遣社員",
        company="Mugi Staffing", hired="2025-10-01",
    ),
    "disabled": Employee(number="00111", name="停止 次郎", departments=("倉庫部",), title="主任", manager="mori"),
    "away": Employee(number="00112", name="退職 未処理", departments=("営業部",), manager="mori"),
    "leaving": Employee(number="00113", name="転職 予定", departments=("配送部",), manager="mori"),
}  # fmt: skip
"""Those with a name of their own. The number is the same on every platform."""


def member_of_staff(address: str) -> Employee | None:
    """The person with this address; None: nothing more is known, as of a shared account."""
    return STAFF.get(address.partition("@")[0])


_CLERKS_MOST: Final = 5_000


def clerk(index: int, families: int) -> tuple[str, Employee]:
    """One of many, with the part of the address before the @; of the first `families` family names."""
    which = index % families
    roman, family = FAMILY_NAMES[which]
    return f"{roman}.{index:04}", Employee(
        number=f"{10_000 + which * _CLERKS_MOST + index}",
        name=f"{family} {GIVEN_NAMES[index // families % len(GIVEN_NAMES)]}",
        departments=(DEPARTMENTS[index % len(DEPARTMENTS)],),
        manager="mori",
    )
