"""The daily quota runs out: the scan stops asking and reports it, and the next one fetches the rest."""

from pathlib import Path

from cloudscan.facts import Outcome
from cloudscan.snapshot.collect import CollectOptions, Event, Finished
from cloudscan_emulators.google import Server, throttle
from tests.connectors.gdrive.test_changes_only import nights
from tests.connectors.nights import Nights, difference


def scan_with_little_quota(
    company: Nights[Server], enough_for: int, since: Path | None = None
) -> tuple[Path, list[Event], int]:
    """A night on which Drive answers so often and then nothing more; with how often it was asked in vain."""
    fault = throttle("GET /drive/v3/", reason="dailyLimitExceeded", after=enough_for)
    company.server.faults.add(fault)
    snapshot, events = company.scan(since)
    in_vain = company.server.faults.met(fault) - enough_for
    company.server.faults.clear()
    return snapshot, events, in_vain


def unread(events: list[Event]) -> list[Finished]:
    return [event for event in events if isinstance(event, Finished) and event.report.outcome is not Outcome.COMPLETE]


def test_nothing_more_is_asked_once_the_quota_is_gone() -> None:
    with nights(files=300) as company:
        _, events, in_vain = scan_with_little_quota(company, enough_for=12)

        unfinished = unread(events)
        assert len(unfinished) > 5
        assert {event.report.outcome for event in unfinished} == {Outcome.FAILED}
        assert all("drive-quota-spent" in str(event.report.reason) for event in unfinished)
        assert 0 < in_vain <= CollectOptions().concurrency < len(unfinished)


def test_the_next_scan_goes_on_with_what_is_missing() -> None:
    with nights(files=300) as company:
        some, events, _ = scan_with_little_quota(company, enough_for=25)
        assert unread(events)

        rest, _ = company.scan(some)
        whole, _ = company.scan()

        assert not difference(rest, whole)


def test_what_could_not_be_read_one_night_is_gone_on_with_from_the_night_before() -> None:
    """Its cursor is kept: changes of two nights are asked for, not everything."""
    with nights(files=300) as company:
        first, _ = company.scan()
        second, _, _ = scan_with_little_quota(company, enough_for=6, since=first)

        before = company.server.requests
        third, _ = company.scan(second)
        asked_for_changes = company.server.requests - before
        before = company.server.requests
        whole, _ = company.scan()

        assert not difference(third, whole)
        assert asked_for_changes < (company.server.requests - before) * 0.8
