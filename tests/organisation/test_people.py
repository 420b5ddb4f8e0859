"""Who somebody is on the organisation's day, and when their last day is over."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from cloudscan.organisation.knowledge import Knowledge, Staff
from cloudscan.roster.entry import RosterEntry
from cloudscan.roster.people import KnownPerson, People
from cloudscan.snapshot.tables import key
from tests.kit.organisation import joined, staff

LAST_DAY = "社員番号,氏名,部署,上長,退職日\n1,佐藤 花子,営業部,2,2026-03-31\n2,鈴木 一郎,営業部,,\n"


@pytest.mark.parametrize(
    ("timezone", "now", "standing", "ends"),
    [
        ("Asia/Tokyo", datetime(2026, 3, 31, 14, 59, tzinfo=UTC), "active", datetime(2026, 3, 31, 15)),  # noqa: DTZ001
        ("Asia/Tokyo", datetime(2026, 3, 31, 15, 0, tzinfo=UTC), "left", datetime(2026, 3, 31, 15)),  # noqa: DTZ001
        ("Pacific/Honolulu", datetime(2026, 4, 1, 9, 59, tzinfo=UTC), "active", datetime(2026, 4, 1, 10)),  # noqa: DTZ001
        ("Pacific/Honolulu", datetime(2026, 4, 1, 10, 0, tzinfo=UTC), "left", datetime(2026, 4, 1, 10)),  # noqa: DTZ001
    ],
)
def test_the_last_day_is_a_day_of_work_where_the_organisation_is(
    tmp_path: Path, timezone: str, now: datetime, standing: str, ends: datetime
) -> None:
    """31 March ends at 15:00 UTC in Tokyo, and at 10:00 UTC of the next day in Honolulu."""
    known = Knowledge(timezone=timezone, staff=staff(LAST_DAY))
    with joined(tmp_path, known, [], now=now) as snapshot:
        (row,) = snapshot.query(
            "SELECT standing, left_on, manager_uid FROM people WHERE uid = $uid", {"uid": person_key("1")}
        ).rows

    assert row == [standing, ends, "organisation:person/2"]


def test_a_leave_date_that_cannot_be_read_is_not_known(tmp_path: Path) -> None:
    """Neither "no end" nor "left"."""
    known = Knowledge(staff=staff("社員番号,退職日\n1,三月末\n"))
    with joined(tmp_path, known, []) as snapshot:
        assert snapshot.query("SELECT standing, last_day, left_on FROM people").rows == [[None, None, None]]


@pytest.mark.parametrize("announced", [None, date(2026, 6, 30)])
def test_whom_a_roster_ceases_to_name_left_by_that_day(tmp_path: Path, announced: date | None) -> None:
    """An export of those who work here now has nobody who left, and who left before the day that was announced left."""
    entry = RosterEntry(number="1", addresses=["hanako@acme.example"], last_day=announced)
    gone = KnownPerson(
        entry=entry,
        first_seen=date(2026, 3, 1),
        last_seen=date(2026, 3, 1),
        is_listed=False,
        dropped_on=date(2026, 3, 2),
    )
    known = Knowledge(staff=Staff(people=People(persons=[gone]), is_configured=True))
    with joined(tmp_path, known, []) as snapshot:
        rows = snapshot.query("SELECT standing, last_day, listed FROM people").rows

    assert rows == [["left", date(2026, 3, 1), False]]


def person_key(number: str) -> int:
    """What a rule sees in the place of a person's id."""
    return key(f"organisation:person/{number}")
