"""Two scans compared, and all of them in a row."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from cloudscan.errors import LedgerError
from cloudscan.facts import Audience
from cloudscan.finding import Severity
from cloudscan.ledger.history import ExposurePeriod, period_changes
from cloudscan.ledger.waivers import WaiverRequest
from cloudscan.reach import Reach
from cloudscan.report import AudienceCount, Diff
from tests.kit.toy_cloud import shelve
from tests.ledger.conftest import Nights

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def kinds_of(diff: Diff) -> list[tuple[str, str]]:
    return [(difference.kind, difference.name) for difference in diff.differences]


def test_what_differs_between_two_nights(nights: Nights) -> None:
    """New, back again, wider and gone; what stays as it was is left out."""
    nights.scan(back="everybody", wider="everybody", gone="everybody", same="everybody", on=day(0))
    nights.scan(back="me", wider="everybody", gone="everybody", same="everybody", on=day(1))
    nights.scan(back="everybody", wider="the web", gone="me", same="everybody", new="everybody", on=day(2))

    diff = nights.ledger.diff()

    assert kinds_of(diff) == [("new", "new"), ("reopened", "back"), ("widened", "wider"), ("resolved", "gone")]
    assert diff.counts == {"new": 1, "reopened": 1, "widened": 1, "rejudged": 0, "waived": 0, "resolved": 1}
    wider = diff.differences[2]
    assert wider.widened == ["audience"]
    assert wider.before and wider.now
    assert (wider.before.audience, wider.now.audience) == (Audience.ANYONE_WITH_LINK, Audience.ANYONE_DISCOVERABLE)


def test_any_two_scans_can_be_compared(nights: Nights) -> None:
    """By the beginning of an id or by day; the last is meant where none is named."""
    reports = [nights.scan(plan=whom, on=day(number)) for number, whom in enumerate(("me", "everybody", "me"))]
    first, second, third = (report.scan.id for report in reports)

    assert kinds_of(nights.ledger.diff(first[:8], second)) == [("new", "plan")]
    assert kinds_of(nights.ledger.diff(second, third)) == kinds_of(nights.ledger.diff(second)) == [("resolved", "plan")]
    assert kinds_of(nights.ledger.diff("2026-03-01", "2026-03-03")) == []


def test_an_outage_makes_no_difference(nights: Nights) -> None:
    nights.scan(plan="everybody", on=day(0))
    (nights.company / "sales.json").write_text("no JSON")
    nights.look(on=day(1))

    assert kinds_of(nights.ledger.diff()) == []


def test_a_decision_makes_a_difference(nights: Nights) -> None:
    """A finding that was waived is no longer work, and one whose waiver ended is work again."""
    nights.scan(plan="everybody", on=day(0))
    nights.ledger.waive(WaiverRequest(target="toy", owner="me", reason="why", until=day(1).date()), now=day(0))
    nights.look(on=day(1))
    nights.look(on=day(2))

    assert kinds_of(nights.ledger.diff("2026-03-01", "2026-03-02")) == [("waived", "plan")]
    assert kinds_of(nights.ledger.diff("2026-03-02", "2026-03-03")) == [("reopened", "plan")]


def test_nights_without_a_change_add_no_rows(nights: Nights, url: str) -> None:
    """History grows with what happens, not with the number of nights."""
    for number in range(4):
        nights.scan(plan="everybody", notes="everybody", on=day(number))

    with sa.create_engine(url, poolclass=sa.NullPool).connect() as db:
        assert db.execute(sa.text("SELECT count(*) FROM exposure_periods")).scalar() == 2


def test_a_bucket_that_fills_adds_few_rows() -> None:
    """One per cent more every night makes a new stretch every fifth night, and each is told within five per cent."""
    now: dict[str, ExposurePeriod] = {}
    rows = 0
    for number in range(100):
        size = round(1_000_000 * 1.01**number)
        period = ExposurePeriod(fingerprint="a", severity=Severity.LOW, waived=False, reach=Reach(bytes=size))
        _, begun = period_changes(now, [period])
        now |= {stretch.fingerprint: stretch for stretch in begun}
        rows += len(begun)
        assert size / 1.05 <= (now["a"].reach.bytes or 0) <= size

    assert rows <= 20


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("feed", "", "no scan 'feed'; write an id or a day that `cloudscan trend` lists"),
        ("2026-03-02", "2026-03-01", "name the older one first"),
    ],
)
def test_scans_that_cannot_be_compared(nights: Nights, old: str, new: str, words: str) -> None:
    nights.scan(plan="me", on=day(0))
    nights.scan(plan="me", on=day(1))

    with pytest.raises(LedgerError, match=words):
        nights.ledger.diff(old, new)


def test_one_scan_cannot_be_compared(nights: Nights) -> None:
    nights.scan(plan="me", on=day(0))

    with pytest.raises(LedgerError, match="fewer than two scans"):
        nights.ledger.diff()


def test_the_trend_counts_what_needs_work(nights: Nights) -> None:
    """Per scan: findings by severity, the sum of scores, who can get at how much; what is waived is apart."""
    first = nights.scan(plan="everybody", notes="the web", on=day(0))
    nights.ledger.waive(
        WaiverRequest(target="toy:document/sales/notes", owner="me", reason="why", until=day(9).date()), now=day(0)
    )
    nights.scan(plan="everybody", notes="the web", odd="?", on=day(1))

    before, after = (scan.figures for scan in nights.ledger.trend())

    assert before and after
    assert (before.findings[Severity.HIGH], before.waived, before.unknown) == (2, 0, 0)
    assert before.score == round(sum(finding.score for finding in first.findings), 1)
    assert before.exposure == {
        Audience.ANYONE_DISCOVERABLE: AudienceCount(subjects=1, resources=1),
        Audience.ANYONE_WITH_LINK: AudienceCount(subjects=1, resources=1),
    }
    assert (after.findings[Severity.HIGH], after.waived, after.unknown) == (1, 1, 1)
    assert list(after.exposure) == [Audience.ANYONE_WITH_LINK]


def test_a_report_brings_its_past(nights: Nights) -> None:
    """Scans, changes, events and how long a finding stood come with the report, whenever it is read."""
    nights.scan(plan="everybody", on=day(0))
    nights.scan(plan="me", on=day(1))
    report = nights.scan(plan="everybody", menu="everybody", on=day(4))
    nights.scan(plan="everybody", menu="everybody", on=day(6))
    last = nights.ledger.latest()

    assert [scan.started_on for scan in report.trend] == [day(0), day(1), day(4)]
    assert report.changes is not None
    assert report.changes.counts == {"new": 1, "reopened": 1, "widened": 0, "rejudged": 0, "waived": 0, "resolved": 0}
    assert last is not None
    plan = next(finding for finding in last.findings if finding.verdict.subject.name == "plan")
    befell = [event.kind for event in last.events if event.fingerprint == plan.fingerprint]
    assert befell == ["opened", "resolved", "reopened"]
    assert last.time_open[plan.fingerprint].days == 3  # a day before it was resolved, two since it came back


def test_a_report_says_why_something_is_gone(nights: Nights) -> None:
    """It was looked at again and is in order, or it is no longer there."""
    nights.scan(fixed="everybody", lost="everybody", same="everybody", on=day(0))
    report = nights.scan(fixed="me", same="everybody", on=day(1))

    assert report.changes is not None
    assert {difference.name: difference.reason for difference in report.changes.differences} == {
        "fixed": "passed",
        "lost": "gone",
    }


def test_a_report_is_compared_with_the_last_complete_scan(nights: Nights) -> None:
    """What came up on a night that was read in part is still new; an estate that is never whole looks back a week."""
    nights.scan(plan="everybody", on=day(0))
    (nights.company / "lab.json").write_text("no JSON")
    shelve(nights.company, {"plan": "everybody", "notes": "everybody"})
    nights.look(on=day(1))
    soon = nights.look(on=day(2))
    late = nights.look(on=day(8))

    assert soon.changes and late.changes
    assert soon.changes.old.started_on == day(0)
    assert kinds_of(soon.changes) == [("new", "notes")]
    assert late.changes.old.started_on == day(2)
    assert kinds_of(late.changes) == []


def test_a_report_carries_the_waivers_that_count(nights: Nights) -> None:
    """Those in force, with how they stand; not the one that was revoked."""
    (finding,) = nights.scan(plan="everybody", on=datetime.now(UTC) - timedelta(hours=1)).findings
    until = (datetime.now(UTC) + timedelta(days=5)).date()
    wish = WaiverRequest(finding=finding.fingerprint, owner="mika", reason="on purpose", until=until)
    given = nights.ledger.waive(wish).waiver
    last = nights.ledger.latest()

    assert last is not None
    assert [(status.waiver.id, status.notes, status.findings) for status in last.waivers] == [
        (given.id, ["due_soon"], [finding.fingerprint])
    ]
    nights.ledger.revoke(given.id)
    last = nights.ledger.latest()
    assert last is not None
    assert last.waivers == []
