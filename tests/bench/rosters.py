"""What remembering rosters costs a night, in seconds of the processor: `python tests/bench/rosters.py [--people N]`.

A year of monthly rosters, each with movers, people who left and renamed departments, is remembered first; then a night
reads what is remembered, adds its roster, and says what follows.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

from cloudscan.roster import memory
from cloudscan.roster.entry import Employment, Post, RosterEntry, Status
from cloudscan.roster.history import History, doubt, merge
from cloudscan.roster.people import people_of
from cloudscan.roster.reading import Roster

Result = TypeVar("Result")

MONTHS = 12
FIRST = date(2025, 4, 1)


def roster(people: int, month: int) -> Roster:
    """Everyone in a month: since the one before, one in 200 has moved, one in 500 has left, two departments are new."""
    chance = random.Random(1)  # who moved in one month has moved in the next one too
    names = [f"第{number}課" for number in range(people // 60)]
    names[: 2 * month] = [f"新{number}課" for number in range(2 * month)]
    moved = {chance.randrange(people) for _ in range(people * month // 200)}
    return Roster(
        entries=[
            RosterEntry(
                number=f"{number:06}",
                name=f"佐藤 花子 {number}",
                addresses=[f"{number}@acme.example"],
                private_addresses=[f"{number}@mail.example"],
                posts=[Post(department=names[(number + (number in moved)) % len(names)])],
                role="主任",
                employment=Employment.EMPLOYEE,
                status=Status.ACTIVE,
                starts_on=date(2020, 4, 1),
                manager=f"{number // 10:06}",
            )
            for number in range(people - people * month // 500)
        ]
    )


def timed(what: str, work: Callable[[], Result]) -> Result:
    begin = time.process_time()
    result = work()
    print(f"{what:>8}: {time.process_time() - begin:5.2f} s", flush=True)
    return result


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=100_000)
    people = parser.parse_args().people
    history = History()
    for month in range(MONTHS):
        history = merge(history, roster(people, month), FIRST + timedelta(days=30 * month))
    tonight, day = roster(people, MONTHS), FIRST + timedelta(days=30 * MONTHS)
    with tempfile.TemporaryDirectory() as folder:
        memory.save(Path(folder), history)
        history = timed("load", lambda: memory.load(Path(folder)))
        timed("doubt", lambda: doubt(history, tonight, day))
        merged = timed("merge", lambda: merge(history, tonight, day))
        timed("save", lambda: memory.save(Path(folder), merged))
        timed("people", lambda: people_of(merged))
        print(f"    file: {(Path(folder) / memory.NAME).stat().st_size / 1e6:5.1f} MB")


if __name__ == "__main__":
    main()
