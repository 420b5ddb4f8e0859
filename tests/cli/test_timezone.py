"""`[organisation] timezone` on the command line: days and moments are the organisation's, JSON stays in UTC."""

from datetime import UTC, datetime, timedelta

import pytest

from cloudscan.days import day_of
from tests.cli.conftest import CONFIG, Desk

FAR_EAST, FAR_WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"  # 25 hours apart: never the same day


def in_zone(desk: Desk, zone: str) -> None:
    (desk.folder / "cloudscan.toml").write_text(CONFIG.replace('name = "Acme"', f'name = "Acme"\ntimezone = "{zone}"'))


@pytest.mark.parametrize(("zone", "short"), [(FAR_EAST, "UTC+14"), (FAR_WEST, "SST")])
def test_a_night_is_told_in_the_organisations_days(desk: Desk, zone: str, short: str) -> None:
    """The trend, the findings, a waiver's last day, the report; a diff finds the scan by that day."""
    in_zone(desk, zone)
    desk.shelve(plan="everybody")
    scanned = desk.run("scan", "--format", "json").json
    today = day_of(datetime.now(UTC), zone)

    (finding,) = desk.run("findings", "--format", "json").json
    waived = desk.run(
        "waive", "add", "--finding", finding["fingerprint"], "--owner", "Mika", "--reason", "on purpose", "--days", "1"
    )

    assert (scanned["timezone"], scanned["generated_on"][-1]) == (zone, "Z")
    assert scanned["deadlines"]["critical"] == 7
    assert short in desk.run("trend").out
    assert str(today) in desk.run("findings").out
    assert str(today + timedelta(days=1)) in waived.out


def test_a_zone_that_does_not_exist_is_named_with_the_nearest(desk: Desk) -> None:
    in_zone(desk, "Asia/Tokio")

    refused = desk.run("findings")

    assert refused.code == 2
    assert (
        "cloudscan.toml:4: organisation.timezone: there is no time zone 'Asia/Tokio'; write Asia/Tokyo" in refused.err
    )
    assert refused.err.count("Asia/Tokio") == 1
