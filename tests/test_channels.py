"""Health knows who was not told, and since when."""

from datetime import timedelta

import pytest

from cloudscan.channel import Channel, ChannelKind
from cloudscan.nightly.health import Informed, Left, Level, Limits, verdict
from cloudscan.report import Scan
from tests.reports.synthetic import NOW

SCANS = [Scan(id=f"night-{number}", started_on=NOW + timedelta(days=number), complete=True) for number in range(3)]
JIRA = Channel(kind=ChannelKind.TRACKER, id="jira", scan_id="night-2")
ADDRESS = Channel(kind=ChannelKind.ADDRESS, id="a", scan_id="night-2")


def levels(*channels: Channel, notified: bool = True, running: bool = False) -> dict[str, Level]:
    informed = Informed(channels=channels, notified=notified, trackers=["jira"])
    health = verdict(SCANS, Left(running=running), NOW + timedelta(days=2, hours=1), Limits(), informed)
    return {check.name: check.level for check in health.checks if check.name in ("notified", "tracker-jira")}


def test_all_is_well_where_everybody_was_told() -> None:
    assert levels(JIRA, ADDRESS) == {"notified": Level.OK, "tracker-jira": Level.OK}


@pytest.mark.parametrize(
    "channel",
    [
        Channel(kind=ChannelKind.TRACKER, id="jira", scan_id="night-0"),  # more than a day behind
        Channel(kind=ChannelKind.TRACKER, id="jira", scan_id="night-2", failing_since=NOW),
        Channel(kind=ChannelKind.TRACKER, id="backlog", scan_id="night-2"),  # another one
    ],
)
def test_a_tracker_that_lags_is_a_warning(channel: Channel) -> None:
    assert levels(channel, ADDRESS)["tracker-jira"] is Level.WARNING


@pytest.mark.parametrize(
    ("channels", "notified", "level"),
    [
        ([Channel(kind=ChannelKind.ADDRESS, id="a", scan_id="night-1")], True, Level.WARNING),
        ([Channel(kind=ChannelKind.ADDRESS, id="a", scan_id="night-1")], False, Level.OK),  # notified on demand
        ([Channel(kind=ChannelKind.ADDRESS, id="a", scan_id="night-1", failing_since=NOW)], False, Level.WARNING),
        ([], True, Level.WARNING),  # the variable was never set, say
        ([ADDRESS, Channel(kind=ChannelKind.ADDRESS, id="b", failing_since=NOW)], True, Level.WARNING),
    ],
)
def test_an_address_that_lags_is_a_warning(channels: list[Channel], notified: bool, level: Level) -> None:
    assert levels(JIRA, *channels, notified=notified)["notified"] is level


def test_while_a_scan_is_running_nobody_is_missing_anything() -> None:
    assert levels(notified=True, running=True) == {}
