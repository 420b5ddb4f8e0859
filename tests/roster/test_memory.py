"""What is remembered of rosters, for how long, and that nobody else can read it."""

import stat
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import pytest

from cloudscan.config import RetentionTable
from cloudscan.errors import ConfigurationError
from cloudscan.nightly.retention import forget_people, people_due
from cloudscan.roster import memory
from cloudscan.roster.entry import Post, RosterEntry
from cloudscan.roster.history import History, merge
from cloudscan.roster.people import people_of
from cloudscan.roster.reading import Roster

LONG_AGO, LATER, TODAY = date(2022, 4, 1), date(2022, 5, 1), date(2026, 4, 1)
POLICY = RetentionTable(roster_days=1095)


def staff(department: str, numbers: Iterable[int], last_day: date | None = None) -> list[RosterEntry]:
    return [
        RosterEntry(
            number=str(number),
            name=f"佐藤 {number}",
            addresses=[f"{number}@acme.example"],
            posts=[Post(department=department)],
            last_day=last_day,
        )
        for number in numbers
    ]


def history(*rosters: tuple[date, Roster]) -> History:
    read = History()
    for day, roster in rosters:
        read = merge(read, roster, day)
    return read


def numbers(read: History) -> dict[str, date | None]:
    return {one.entry.number: one.dropped_on for one in people_of(read).persons}


def test_what_was_remembered_is_read_back(tmp_path: Path) -> None:
    read = history((LONG_AGO, Roster(entries=staff("営業部", range(3)), unjudged=["7"])), (TODAY, Roster(entries=[])))

    memory.save(tmp_path / "new", read)

    assert memory.load(tmp_path / "new") == read
    assert memory.load(tmp_path) == History()


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    memory.save(tmp_path, History())

    assert stat.S_IMODE((tmp_path / "people.json").stat().st_mode) == 0o600


def test_a_file_that_is_damaged_is_never_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "people.json").write_text('{"readings": [{"day": "20')

    with pytest.raises(ConfigurationError, match=r"people.json cannot be read .* restore it from a backup"):
        memory.load(tmp_path)


def test_people_are_forgotten_after_their_time(tmp_path: Path) -> None:
    """Those who left or were dropped within three years stay, and so does everyone whom the newest roster lists."""
    listed = [*staff("営業部", [1]), *staff("営業部", [2], last_day=LONG_AGO)]
    gone = [*staff("営業部", [3]), *staff("営業部", [4], last_day=TODAY - timedelta(days=30))]
    announced = staff("営業部", [5], last_day=LONG_AGO)
    memory.save(
        tmp_path,
        history(
            (LONG_AGO, Roster(entries=[*listed, *gone, *announced], unjudged=["8"])),
            (LATER, Roster(entries=[*listed, *gone[1:]])),
            (TODAY, Roster(entries=listed)),
        ),
    )

    due = people_due(tmp_path, POLICY, TODAY)
    forgotten = forget_people(tmp_path, POLICY, TODAY)

    assert (due, forgotten) == (2, 2)
    left = memory.load(tmp_path)
    assert numbers(left) == {"1": None, "2": None, "4": TODAY}
    assert not left.mentions
    assert forget_people(tmp_path, POLICY, TODAY) == 0


def test_a_person_is_forgotten_under_all_numbers(tmp_path: Path) -> None:
    old, new = (RosterEntry(number=number, name="佐藤 花", addresses=["h@acme.example"]) for number in "12")
    other = staff("営業部", [3])
    memory.save(
        tmp_path,
        history(
            (LONG_AGO, Roster(entries=[old, *other])),
            (LATER, Roster(entries=[new, *other])),
            (date(2022, 6, 1), Roster(entries=other)),
            (TODAY, Roster(entries=other)),
        ),
    )

    assert forget_people(tmp_path, POLICY, TODAY) == 1
    assert numbers(memory.load(tmp_path)) == {"3": None}


def test_a_reorganisation_outlives_who_took_part_in_it(tmp_path: Path) -> None:
    read = history(
        (LONG_AGO, Roster(entries=staff("営業部", range(10)))),
        (LATER, Roster(entries=staff("営業本部", range(10)))),
        (date(2022, 6, 1), Roster(entries=staff("営業本部", range(2)))),
        (TODAY, Roster(entries=staff("営業本部", range(2)))),
    )
    memory.save(tmp_path, read)

    forget_people(tmp_path, POLICY, TODAY)

    left = people_of(memory.load(tmp_path))
    assert len(left.persons) == 2
    assert left.reorganisations == people_of(read).reorganisations
    assert left.called_now("営業部") == "営業本部"
    assert all(move.reorganised for one in left.persons for move in one.moves)
