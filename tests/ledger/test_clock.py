"""A clock that was ahead once: nothing is lost, and the nights go on after a repair."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudscan.errors import ConfigurationError, LedgerError
from cloudscan.ledger.clock import correction
from cloudscan.ledger.waivers import WaiverRequest
from cloudscan.nightly import health, repair
from cloudscan.nightly.health import Left, Level, Limits
from cloudscan.snapshot import store
from tests.kit.nights import ledger_in, night
from tests.ledger.conftest import Nights

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
AHEAD = timedelta(days=400)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def test_a_ledger_that_is_ahead_is_corrected_in_order(nights: Nights) -> None:
    nights.scan(on=day(0), plan="everybody")
    nights.scan(on=day(1) + AHEAD, plan="everybody", notes="everybody")
    nights.ledger.waive(
        WaiverRequest(target="toy:document/sales/plan", owner="me", reason="why", until=(day(31) + AHEAD).date()),
        now=day(1) + AHEAD,
    )
    nights.scan(on=day(2) + AHEAD, plan="everybody")
    with pytest.raises(LedgerError, match="cloudscan ledger repair"):
        nights.scan(on=day(3), plan="everybody")
    before = [(event.kind, event.reason) for event in nights.ledger.events()]
    starts = [scan.started_on for scan in nights.ledger.trend()]

    nights.ledger.correct(correction(starts, day(3)))
    report = nights.scan(on=day(3), plan="everybody")

    assert [scan.started_on for scan in nights.ledger.trend()] == [
        day(0), day(0) + timedelta(seconds=1), day(0) + timedelta(seconds=2), day(3),
    ]  # fmt: skip
    assert [(event.kind, event.reason) for event in nights.ledger.events()] == before
    assert all(event.on <= day(3) for event in nights.ledger.events())
    (finding,) = report.findings
    assert finding.waiver
    assert finding.waiver.until == day(30).date()
    assert [difference.kind for difference in nights.ledger.diff("2026-03-01").differences] == []


def test_a_repair_that_was_interrupted_is_done_again(tmp_path: Path) -> None:
    """Killed between ledger and snapshots: the folders get the moments that the ledger has."""
    night(tmp_path, day(0), plan="everybody")
    night(tmp_path, day(1) + AHEAD, plan="everybody")
    ledger, snapshots = ledger_in(tmp_path), tmp_path / ".cloudscan" / "snapshots"
    ledger.correct(repair.due(ledger, snapshots, day(2)).correction)

    left = repair.due(ledger, snapshots, day(2))
    repair.apply(left, ledger)

    assert [scan.started_on for scan in ledger.trend()] == [store.start_of(one) for one in store.finished(snapshots)]
    assert not repair.due(ledger, snapshots, day(2))


def test_a_clock_behind_the_last_scan_is_noticed_before_anything_is_read(tmp_path: Path) -> None:
    night(tmp_path, day(5), plan="everybody")

    with pytest.raises(ConfigurationError, match="later than the clock of this machine"):
        night(tmp_path, day(2), plan="everybody")

    assert len(store.folders(tmp_path / ".cloudscan" / "snapshots")) == 1
    sick = health.verdict(ledger_in(tmp_path).trend(), Left(), day(2), Limits())
    assert sick.level is Level.CRITICAL


moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.lists(moments, max_size=6), moments, st.lists(moments, min_size=2, max_size=6))
def test_a_correction_leaves_nothing_ahead_and_keeps_the_order(
    starts: list[datetime], now: datetime, others: list[datetime]
) -> None:
    put_right = correction(starts, now)

    corrected = [put_right.of(start) for start in sorted(set(starts))]

    assert all(earlier < later for earlier, later in pairwise(corrected))
    assert all(put_right.of(moment) <= now + timedelta(seconds=1) for moment in [*starts, *others])
    ordered = [put_right.of(moment) for moment in sorted(m for m in others if m > now)]
    assert ordered == sorted(ordered)
    assert all(put_right.of(moment) == moment for moment in others if moment <= now)
