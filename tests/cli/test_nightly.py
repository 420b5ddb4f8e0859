"""`cloudscan nightly` runs what the configuration asks of a night; only what did not run is a failure."""

import pytest

from tests.cli.conftest import CONFIG, Desk


def test_findings_are_no_failure(desk: Desk) -> None:
    """A plain scan of the same company ends with 1."""
    assert desk.run("scan").code == 1

    result = desk.run("nightly")

    assert result.code == 0
    assert "report" in result.out


def test_gaps_are_no_failure(desk: Desk) -> None:
    (desk.folder / "company" / "broken.json").write_text("{")
    assert desk.run("scan").code == 5

    assert desk.run("nightly").code == 0


@pytest.mark.parametrize(
    "table", ["[trackers.webhook]\n", '[notify]\nurls_env = "NO_SUCH_VARIABLE"\nafter_scan = false\n']
)
def test_what_is_configured_is_carried_out(desk: Desk, table: str) -> None:
    """Tickets and notices come after the scan; a secret that is missing is a failure, told in one line."""
    desk.configure(f"{CONFIG}\n{table}")

    result = desk.run("nightly")

    assert result.code == 2
    assert "is not set" in result.err
    assert desk.run("findings").out.strip()


def test_a_night_that_cannot_scan_tells_nobody(desk: Desk) -> None:
    desk.configure(f"{CONFIG}\n[ledger]\nurl = 'mystery://x'\n[trackers.webhook]\n")

    result = desk.run("nightly")

    assert result.code == 2
    assert "CLOUDSCAN_WEBHOOK" not in result.err


def test_options_reach_the_scan(desk: Desk) -> None:
    desk.run("nightly", "--metrics", "night.prom")

    assert "cloudscan_scan_complete" in (desk.folder / "night.prom").read_text()
