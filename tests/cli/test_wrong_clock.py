"""A clock that was ahead once, through the command line."""

from datetime import UTC, datetime, timedelta

from cloudscan.snapshot import store
from tests.cli.conftest import Desk
from tests.kit.nights import night

AHEAD = timedelta(days=400)


def test_nights_go_on_after_the_clock_was_ahead_once(desk: Desk) -> None:
    """The command line refuses before it reads, names the command, which moves ledger and snapshots; all goes on."""
    now = datetime.now(UTC)
    night(desk.folder, now - timedelta(days=2), plan="everybody")
    night(desk.folder, now + AHEAD, plan="everybody", notes="everybody")

    refused, sick = desk.run("scan"), desk.run("health")
    listed = desk.run("ledger", "repair", "--dry-run")
    still = desk.run("scan")
    repaired = desk.run("ledger", "repair")
    again = desk.run("ledger", "repair")
    scanned = desk.run("scan", "--format", "json")

    assert (refused.code, sick.code, still.code) == (2, 2, 2)
    assert "run `cloudscan ledger repair`" in refused.err
    assert "later than now" in sick.out
    assert "Scans to correct: 1." in listed.out
    assert "Scans corrected: 1." in repaired.out
    assert "Nothing is dated later" in again.out
    assert scanned.code == 1
    assert len(desk.run("trend", "--format", "json").json) == 3
    assert desk.run("health").code == 0
    folders = store.finished(desk.folder / ".cloudscan" / "snapshots")
    dated = [start for folder in folders if (start := store.start_of(folder))]
    assert dated == sorted(dated)
    assert len(dated) == 3
    assert dated[-1] >= now
    assert {finding["verdict"]["subject"]["name"] for finding in scanned.json["findings"]} == {"plan", "notes"}
