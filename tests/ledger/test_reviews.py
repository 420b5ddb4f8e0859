"""Waivers are looked at again: what a review may decide, what follows, and how often the same was waived."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cloudscan.days import Calendar
from cloudscan.errors import WaiverError
from cloudscan.finding import State
from cloudscan.ledger.ledger import Ledger
from cloudscan.ledger.waivers import WaiverRequest
from cloudscan.report import ReviewDecision, WaiverReview
from cloudscan.snapshot.organisation import waiver_uid
from tests.ledger.conftest import Nights

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
FIRST = waiver_uid(1)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def review(decision: str, **more: Any) -> WaiverReview:
    fields = {"by": "Mika Sato", "reason": "The price list stays public.", "on": START, **more}
    return WaiverReview(decision=ReviewDecision(decision), **fields)


def waive(ledger: Ledger, night: int, until: int, target: str = "toy") -> None:
    request = WaiverRequest(target=target, owner="me", reason="why not", until=day(until).date())
    ledger.waive(request, now=day(night))


def test_what_is_kept_stays_and_is_remembered(nights: Nights) -> None:
    nights.scan(plan="everybody", on=day(0))
    waive(nights.ledger, 0, 100)

    nights.ledger.review(FIRST, review("keep"), now=day(5))
    nights.ledger.review(FIRST, review("keep", by="Ken Ito"), now=day(9))

    (status,) = nights.ledger.waivers(now=day(9))
    assert status.waiver.until == day(100).date()
    assert [(one.by, one.on) for one in status.reviews] == [("Mika Sato", day(5)), ("Ken Ito", day(9))]


def test_what_is_ended_is_work_again(nights: Nights) -> None:
    nights.scan(plan="everybody", on=day(0))
    waive(nights.ledger, 0, 100)

    nights.ledger.review(FIRST, review("end"), now=day(5))

    report = nights.ledger.latest()
    assert report
    assert [finding.state for finding in report.findings] == [State.REOPENED]
    (status,) = nights.ledger.waivers(now=day(5))
    assert (status.notes, [one.decision for one in status.reviews]) == (["revoked"], ["end"])


def test_what_is_shortened_ends_earlier(nights: Nights) -> None:
    """The waiver itself stays as it was given: only what was decided is added."""
    nights.scan(plan="everybody", on=day(0))
    waive(nights.ledger, 0, 100)

    nights.ledger.review(FIRST, review("shorten", until=day(7).date()), now=day(5))

    assert [finding.state for finding in nights.look(on=day(7)).findings] == [State.WAIVED]
    assert [finding.state for finding in nights.look(on=day(8)).findings] == [State.REOPENED]


@pytest.mark.parametrize(
    ("subject", "given", "words"),
    [
        (FIRST, review("shorten"), "--until"),
        (FIRST, review("keep", until=date(2026, 3, 10)), "--until"),
        (FIRST, review("shorten", until=date(2026, 3, 5)), "Write a day from 2026-03-06 on"),
        (FIRST, review("shorten", until=date(2030, 1, 1)), "shortens nothing"),
        (FIRST, review("keep", by=" "), "--by"),
        (FIRST, review("keep", reason=""), "--reason"),
        (waiver_uid(9), review("keep"), "There is no waiver 9"),
        ("organisation:allowed-domain/haulier.example", review("end"), "change the list"),
    ],
)
def test_what_cannot_be_carried_out_is_refused(nights: Nights, subject: str, given: WaiverReview, words: str) -> None:
    nights.scan(plan="everybody", on=day(0))
    waive(nights.ledger, 0, 100)

    with pytest.raises(WaiverError, match=words):
        nights.ledger.review(subject, given, now=day(5))

    assert nights.ledger.reviews() == {}


def test_the_days_of_a_review_are_the_organisations(nights: Nights, url: str) -> None:
    """At 20:00 UTC it is tomorrow in Tokyo: today's day in UTC is over there."""
    nights.scan(plan="everybody", on=day(0))
    tokyo = Ledger(url, calendar=Calendar(timezone="Asia/Tokyo"))
    waive(tokyo, 0, 100)
    evening = datetime(2026, 3, 6, 20, tzinfo=UTC)

    with pytest.raises(WaiverError, match="from 2026-03-07 on"):
        tokyo.review(FIRST, review("shorten", until=date(2026, 3, 6)), now=evening)


def test_the_same_waiver_again_within_a_month_is_a_renewal(nights: Nights) -> None:
    """Before its end, or soon after it; after a longer pause it is a new one. Other waivers do not count."""
    nights.scan(plan="everybody", on=day(0))
    for night, until in ((0, 10), (8, 20), (50, 60), (91, 100)):
        waive(nights.ledger, night, until)
    waive(nights.ledger, 91, 95, target="toy:document/sales/plan")

    counts = {status.waiver.id: status.renewals for status in nights.ledger.waivers(now=day(92))}

    assert counts == {1: 0, 2: 1, 3: 2, 4: 0, 5: 0}
