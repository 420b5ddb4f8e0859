"""Drives that nobody touched, as the Drive log says, are not asked what changed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloudscan_emulators.google import Server, company, throttle
from cloudscan_emulators.google.records import Item
from cloudscan_emulators.google.tenant_state import folder
from tests.connectors.gdrive.estate import connector, serve
from tests.connectors.nights import Nights, difference, nights_of

MORI, HAYASHI, DORMANT = "mori@kumo.example", "hayashi@kumo.example", "dormant@kumo.example"
LOG = "/admin/reports/v1/activity/users/all/applications/drive"
DAY = timedelta(days=1)


@pytest.fixture
def nights() -> Iterator[Nights[Server]]:
    with serve(company.build(90).state) as server, nights_of(server, connector) as company_nights:
        yield company_nights


def file_of(server: Server, owner: str) -> Item:
    """A file of somebody, in no folder."""
    number = server.state.named(owner).number
    return next(item for item in server.state.items if item and item.owner == number and item.parent == -1)


def night(nights: Nights[Server], since: Path, days: timedelta = DAY, **options: object) -> tuple[Path, list[str]]:
    """The next night: its snapshot, and in whose name drives were asked what changed. The log is never empty."""
    nights.server.state.pass_time(days)
    nights.server.state.use(file_of(nights.server, MORI), HAYASHI)
    nights.server.log.clear()
    snapshot, _ = nights.scan(since=since, **options)
    return snapshot, [seen.user for seen in nights.server.log if seen.path == "/drive/v3/changes"]


def is_right(nights: Nights[Server], snapshot: Path) -> bool:
    """Whether a snapshot says what a full scan says."""
    full, _ = nights.scan()
    return difference(snapshot, full) == {}


def test_a_night_in_which_files_were_only_read_asks_few_drives(nights: Nights[Server]) -> None:
    """One in seven has its turn."""
    first, _ = nights.scan()

    second, asked = night(nights, first)
    is_the_same = is_right(nights, second)
    _, everyone = night(nights, second, look_again_days=0)

    assert len(asked) < len(everyone) / 2
    assert is_the_same


@pytest.mark.parametrize("change", ["rename", "touch", "trash", "delete", "share", "own"])
def test_whose_file_was_touched_is_asked(nights: Nights[Server], change: str) -> None:
    state, item = nights.server.state, file_of(nights.server, HAYASHI)
    first, _ = nights.scan()
    match change:
        case "rename":
            state.rename(item, "Renamed")
        case "touch":
            state.touch(item)
        case "trash":
            state.trash(item)
        case "delete":
            state.delete(item)
        case "share":
            state.share(item, "spy@rival.example", "reader")
        case _:
            state.change_owner(item, MORI)

    second, asked = night(nights, first)

    assert HAYASHI in asked
    assert is_right(nights, second)


def test_what_lies_in_the_folder_of_somebody_else_is_asked_for_when_folders_were_touched(
    nights: Nights[Server],
) -> None:
    """A permission on Mori's folder reaches Hayashi's file in it, and no event names Hayashi."""
    state = nights.server.state
    above = folder(state, "Plans", owner=MORI)
    state.share(above, HAYASHI, "writer")
    state.create("plan.pdf", owner=HAYASHI, parent=above)
    state.pass_time(3 * DAY)
    first, _ = nights.scan()
    state.share(above, "anyone", "reader")

    second, asked = night(nights, first)

    assert HAYASHI in asked
    assert is_right(nights, second)


def test_an_event_that_is_late_is_met_the_night_after(nights: Nights[Server]) -> None:
    first, _ = nights.scan()
    nights.server.state.pass_time(DAY - timedelta(hours=2))
    nights.server.state.rename(file_of(nights.server, HAYASHI), "Renamed")
    nights.server.quirks.log_delay = 3 * 3600

    second, _ = night(nights, first, timedelta(hours=1))
    third, _ = night(nights, second)

    assert is_right(nights, third)


def test_an_event_that_is_missing_costs_a_week_at_most(nights: Nights[Server]) -> None:
    snapshot, _ = nights.scan()
    nights.server.state.rename(file_of(nights.server, HAYASHI), "Renamed")
    nights.server.state.audit.activities.pop()
    asked: set[str] = set()

    for _ in range(7):
        snapshot, users = night(nights, snapshot)
        asked.update(users)

    assert HAYASHI in asked
    assert is_right(nights, snapshot)


def test_a_permission_that_expires_is_in_no_log(nights: Nights[Server]) -> None:
    state = nights.server.state
    ends = datetime.fromtimestamp(state.now, tz=UTC) + 2 * DAY
    state.share(file_of(nights.server, HAYASHI), "spy@rival.example", "reader", expires=ends)
    first, _ = nights.scan()

    second, _ = night(nights, first)
    third, asked = night(nights, second)

    assert HAYASHI in asked
    assert is_right(nights, third)


def test_a_log_that_is_refused_or_empty_makes_every_drive_be_asked(nights: Nights[Server]) -> None:
    first, _ = nights.scan()
    _, everyone = night(nights, first, look_again_days=0)

    nights.server.faults.add(throttle(LOG, reason="dailyLimitExceeded"))
    second, refused = night(nights, first)
    nights.server.faults.clear()
    nights.server.state.audit.activities.clear()
    nights.server.log.clear()
    nights.scan(since=second)

    assert sorted(refused) == sorted(everyone)
    assert len([seen for seen in nights.server.log if seen.path == "/drive/v3/changes"]) == len(everyone)


def test_after_a_pause_of_days_every_drive_is_asked(nights: Nights[Server]) -> None:
    first, _ = nights.scan()
    _, everyone = night(nights, first, look_again_days=0)

    _, asked = night(nights, first, 3 * DAY)

    assert sorted(asked) == sorted(everyone)
