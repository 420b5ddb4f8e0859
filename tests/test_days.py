"""The organisation's days, from the far east to the far west."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from cloudscan.days import Calendar, day_of, due_day, is_overdue
from cloudscan.errors import ConfigurationError
from cloudscan.finding import Finding, Severity
from cloudscan_wording.texts import load
from tests.reports.synthetic import report

TEN_PM = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)  # 2 March, 07:00 in Tokyo; 1 March, 12:00 in Honolulu
ZONES = ("UTC", "Asia/Tokyo", "Pacific/Honolulu")


def seen_first(moment: datetime) -> Finding:
    return msgspec.structs.replace(report(1).findings[0], first_seen_on=moment, severity=Severity.CRITICAL)


def test_a_moment_belongs_to_the_day_of_the_organisation() -> None:
    assert [day_of(TEN_PM, zone).day for zone in ZONES] == [1, 2, 1]
    assert [day_of(TEN_PM + timedelta(hours=5), zone).day for zone in ZONES] == [2, 2, 1]


@pytest.mark.parametrize(("zone", "last_moment"), [
    ("UTC", datetime(2026, 3, 8, 23, 59, tzinfo=UTC)),
    ("Asia/Tokyo", datetime(2026, 3, 9, 14, 59, tzinfo=UTC)),
    ("Pacific/Honolulu", datetime(2026, 3, 9, 9, 59, tzinfo=UTC)),
])  # fmt: skip
def test_a_deadline_ends_with_the_organisations_day(zone: str, last_moment: datetime) -> None:
    finding, calendar = seen_first(TEN_PM), Calendar(timezone=zone, deadlines={Severity.CRITICAL: 7})

    assert due_day(finding, calendar) == day_of(last_moment, zone)
    assert not is_overdue(finding, calendar, last_moment)
    assert is_overdue(finding, calendar, last_moment + timedelta(minutes=1))


def test_a_rank_may_have_deadlines_of_its_own() -> None:
    """What it leaves out is as for all, and so is what is unranked."""
    calendar = Calendar(
        deadlines={Severity.CRITICAL: 7}, rank_deadlines={5: {Severity.CRITICAL: 2}, 3: {Severity.LOW: 1}}
    )

    days = []
    for rank in (5, 3, None):
        finding = seen_first(TEN_PM)
        verdict = msgspec.structs.replace(finding.verdict, rank=rank)
        days.append(due_day(msgspec.structs.replace(finding, verdict=verdict), calendar))

    assert days == [date(2026, 3, 3), date(2026, 3, 8), date(2026, 3, 8)]


def test_without_a_deadline_nothing_is_overdue() -> None:
    finding = seen_first(TEN_PM)

    assert due_day(finding, Calendar()) is None
    assert not is_overdue(finding, Calendar(), TEN_PM + timedelta(days=9999))


def test_days_and_moments_are_written_in_the_zone() -> None:
    """A date that is one already, such as a waiver's last day, is the same everywhere."""
    texts = [load("en", zone) for zone in (*ZONES, "America/Sao_Paulo")]

    assert [words.day(TEN_PM) for words in texts] == ["1 Mar 2026", "2 Mar 2026", "1 Mar 2026", "1 Mar 2026"]
    assert [words.moment(TEN_PM) for words in texts] == [
        "1 Mar 2026, 22:00 UTC",
        "2 Mar 2026, 07:00 JST",
        "1 Mar 2026, 12:00 HST",
        "1 Mar 2026, 19:00 UTC-03",
    ]
    assert {words.date(date(2026, 3, 1)) for words in texts} == {"1 Mar 2026"}
    assert load("ja", "Asia/Tokyo").moment(TEN_PM) == "2026年3月2日 07:00 JST"


@pytest.mark.parametrize("name", ["Asia/Tokio", "../../etc/passwd", "", "Asia"])
def test_a_zone_that_does_not_exist(name: str) -> None:
    with pytest.raises(ConfigurationError, match="There is no time zone"):
        day_of(TEN_PM, name)


def test_the_nearest_name_is_suggested() -> None:
    with pytest.raises(ConfigurationError, match="no time zone 'Asia/Tokio'; write Asia/Tokyo"):
        day_of(TEN_PM, "Asia/Tokio")
