"""What follows from checklists: since when something is closed, as the ledger remembers it, and how long it took."""

from datetime import UTC, date, datetime, timedelta

import pytest

from cloudscan.checklist import (
    Checklist,
    DepartureFigures,
    Item,
    ItemState,
    Seen,
    Task,
    changed,
    closing,
    figures,
    item_key,
    settled,
)
from cloudscan.reason import Reason

LAST_DAY = date(2026, 3, 31)
TODAY = date(2026, 4, 10)


def night(number: int) -> datetime:
    """The night `number` days after the last day."""
    return datetime(2026, 3, 31, 3, tzinfo=UTC) + timedelta(days=number)


def item(state: ItemState, *, task: Task = Task.ACCOUNT, platform: str = "gdrive", on: datetime | None = None) -> Item:
    return Item(task=task, platform=platform, state=state, says=Reason(code="checklist-account-open"), closed_on=on)


def person(*items: Item, number: str = "1", last_day: date | None = LAST_DAY, **more: object) -> Checklist:
    return Checklist(person_uid=f"organisation:person/{number}", number=number, name="", email="", department="",
                     last_day=last_day, left=True, items=items, **more)  # type: ignore[arg-type]  # fmt: skip


def remembered(*nights: tuple[int, ItemState]) -> dict[str, Seen]:
    """What the ledger remembers after these nights of one account."""
    memory: dict[str, Seen] = {}
    for number, state in nights:
        memory.update(changed([person(item(state))], memory, night(number), "UTC"))
    return memory


@pytest.mark.parametrize(
    ("nights", "days"),
    [
        pytest.param(
            [(1, ItemState.OPEN), (2, ItemState.OPEN), (3, ItemState.DONE)], 3, id="closed on the third night"
        ),
        pytest.param([(1, ItemState.DONE)], 1, id="closed when it was first looked at, the day after"),
        pytest.param([(-5, ItemState.OPEN), (0, ItemState.DONE), (5, ItemState.DONE)], 0, id="closed on the last day"),
        pytest.param([(9, ItemState.DONE)], None, id="closed at some time before it was first looked at"),
        pytest.param([(1, ItemState.OPEN), (2, ItemState.UNKNOWN), (4, ItemState.DONE)], 4, id="not known in between"),
        pytest.param(
            [(1, ItemState.DONE), (2, ItemState.OPEN), (6, ItemState.DONE)], 6, id="enabled again, closed again"
        ),
        pytest.param([(1, ItemState.OPEN), (3, ItemState.NONE)], 3, id="deleted"),
    ],
)
def test_the_first_night_on_which_it_is_seen_closed_counts(
    nights: list[tuple[int, ItemState]], days: int | None
) -> None:
    last = nights[-1][1]
    (known,) = settled([person(item(last))], remembered(*nights))

    took = closing(known, TODAY, "UTC")

    assert (took.state, took.days) == (ItemState.DONE, days)


def test_what_a_directory_says_of_itself_comes_first() -> None:
    told = item(ItemState.DONE, on=night(0))

    (known,) = settled([person(told)], remembered((1, ItemState.OPEN), (5, ItemState.DONE)))

    assert closing(known, TODAY, "UTC").days == 0


def test_one_open_account_is_open_whatever_the_others_are() -> None:
    open_key = item(ItemState.OPEN, task=Task.KEYS, platform="s3")

    took = closing(person(item(ItemState.DONE, on=night(0)), open_key, item(ItemState.UNKNOWN)), TODAY, "UTC")

    assert (took.state, took.days) == (ItemState.OPEN, 10)


def test_access_that_is_left_does_not_let_anybody_in() -> None:
    """Grants of a closed account are work, and not a door."""
    left = item(ItemState.OPEN, task=Task.GRANTS)

    assert closing(person(item(ItemState.DONE, on=night(2)), left), TODAY, "UTC").days == 2


def test_nobody_is_named_in_what_is_remembered() -> None:
    assert "person" not in item_key("organisation:person/00123", "gdrive", Task.ACCOUNT)


def test_the_figures_look_back_90_days_and_never_forget_what_is_open() -> None:
    long_ago = TODAY - timedelta(days=200)
    people = [
        person(item(ItemState.DONE, on=night(1)), number="1"),
        person(item(ItemState.DONE, on=night(3)), number="2"),
        person(item(ItemState.DONE), number="3"),
        person(item(ItemState.NONE), number="4"),
        person(item(ItemState.UNKNOWN), number="5"),
        person(item(ItemState.OPEN), number="6", last_day=long_ago),
        person(item(ItemState.DONE, on=night(9)), number="7", last_day=long_ago),
    ]

    assert figures(people, [], TODAY, "UTC") == DepartureFigures(
        days=90, left=4, closed=2, median_days=2.0, most_days=3, still_open=1, longest_open=200, unknown=2
    )


def test_a_mover_counts_when_the_grace_is_over() -> None:
    left = item(ItemState.OPEN, task=Task.GRANTS)
    movers = [person(left, grace_ends=TODAY), person(left, grace_ends=TODAY - timedelta(days=1)), person()]

    found = figures([], movers, TODAY, "UTC")

    assert found is not None
    assert found.moved == 1


def test_where_nobody_leaves_there_are_no_figures() -> None:
    assert figures([], [], TODAY, "UTC") is None
