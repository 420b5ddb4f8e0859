"""Gaps from night to night: what is new is told once, what is waived makes no scan incomplete, and comes back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudscan.cli.scan import exit_code
from cloudscan.connector import Cursor, Gap, Scope, Yielded
from cloudscan.errors import WaiverError
from cloudscan.facts import Hidden, Outcome
from cloudscan.finding import Severity
from cloudscan.ledger import gaps
from cloudscan.ledger.gaps import GapRecord
from cloudscan.ledger.ledger import Ledger
from cloudscan.ledger.waivers import WaiverRequest
from cloudscan.nightly import health, metrics
from cloudscan.nightly.health import Left, Level, Limits
from cloudscan.nightly.scan import run_nightly
from cloudscan.notifier import notice
from cloudscan.reason import Reason
from cloudscan.report import GapState, Report
from cloudscan.snapshot.collect import CollectOptions
from tests.kit.toy_cloud import rules, shelve
from tests.toy_connector.cloudscan_toy import ToyConnector

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Locked(ToyConnector):
    """Some documents say of themselves that nobody may look at who can open them."""

    locked: Sequence[str] = ()

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        yield from super().collect(scope, since)
        for name in self.locked:
            uid = f"toy:document/sales/{name}"
            yield Gap(
                table="grants",
                outcome=Outcome.DENIED,
                question="toy-sharing",
                reason=Reason(code="toy-locked", values={"name": name}),
                resource_uid=uid,
                hides=(Hidden(table="grants", below=uid),),
            )


@dataclass
class Tenant:
    """A company that is scanned night after night."""

    folder: Path
    locked: list[str] = field(default_factory=list)
    today: datetime = START

    @property
    def ledger(self) -> Ledger:
        return Ledger(f"sqlite:///{self.folder / 'ledger.db'}")

    def night(self) -> Report:
        self.today += timedelta(days=1)
        reports: list[Report] = []
        run_nightly(
            [Locked(self.folder / "company", tuple(self.locked))],
            rules(),
            snapshots=self.folder / "snapshots",
            ledger=self.ledger,
            publish=reports.append,
            now=self.today,
            options=CollectOptions(concurrency=1, clock=lambda: self.today),
        )
        return reports[0]

    def waive(self, gap: str, days: int) -> None:
        request = WaiverRequest(gap=gap, owner="me", reason="locked on purpose", until=_day(self.today, days))
        self.ledger.waive(request, now=self.today)

    def level(self) -> Level:
        return health.verdict(self.ledger.trend(), Left(), self.today, Limits()).level


def _day(moment: datetime, days: int) -> date:
    return (moment + timedelta(days=days)).date()


def counts(report: Report) -> tuple[int, int, int]:
    """How many gaps are new, known, waived."""
    (metric,) = [one for one in metrics.of(report) if one.name == "scan_gaps"]
    new, known, waived = (int(metric.values[state.value]) for state in GapState)
    return new, known, waived


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    shelve(tmp_path / "company", {"plan": "everybody", **{f"doc-{number}": "me" for number in range(12)}})
    return Tenant(tmp_path, [f"doc-{number}" for number in range(10)])


@pytest.mark.long
def test_a_tenant_with_ten_legitimate_gaps_for_thirty_nights(tenant: Tenant) -> None:
    """They are new once, waived the next morning, and not heard of again; an eleventh is told, once."""
    first = tenant.night()
    assert counts(first) == (10, 0, 0)
    assert (exit_code(first, Severity.HIGH), exit_code(first, Severity.CRITICAL)) == (5, 3)
    assert notice(first, None, Severity.HIGH).unread == 10
    assert counts(tenant.night()) == (0, 10, 0)
    for gap in first.gaps:
        tenant.waive(gap, days=60)
    assert tenant.ledger.trend()[-1].complete  # from now on, not from the next night on

    for night in range(3, 31):
        if night == 20:
            tenant.locked.append("doc-10")
        report = tenant.night()
        eleventh = night >= 20
        assert counts(report) == (int(night == 20), int(night > 20), 10)
        assert exit_code(report, Severity.HIGH) == (5 if eleventh else 1)
        assert exit_code(report, Severity.CRITICAL) == (3 if eleventh else 0)
        assert tenant.level() is (Level.WARNING if eleventh else Level.OK)
        assert notice(report, tenant.ledger.diff(), Severity.HIGH).quiet is (night != 20)
        assert tenant.ledger.trend()[-1].complete is not eleventh
        assert report.gaps[next(iter(first.gaps))].first_seen_on == first.scan.started_on


def test_an_expired_waiver_of_a_gap_is_seen_in_the_list_and_in_the_exit_code(tenant: Tenant) -> None:
    tenant.locked = ["doc-1"]
    (gap,) = tenant.night().gaps
    tenant.waive(gap, days=1)

    covered, expired = tenant.night(), tenant.night()

    assert [exit_code(report, Severity.CRITICAL) for report in (covered, expired)] == [0, 3]
    assert counts(expired) == (0, 1, 0)
    (status,) = tenant.ledger.waivers(now=tenant.today)
    assert (status.notes, status.current) == (["overdue"], True)


def test_a_waiver_of_a_gap_can_be_revoked_and_is_unused_when_the_gap_is_closed(tenant: Tenant) -> None:
    tenant.locked = ["doc-1"]
    (gap,) = tenant.night().gaps
    tenant.waive(gap[:6], days=30)
    assert [status.notes for status in tenant.ledger.waivers(now=tenant.today)] == [[]]

    tenant.locked = []
    tenant.night()
    assert [status.notes for status in tenant.ledger.waivers(now=tenant.today)] == [["unused"]]

    tenant.locked = ["doc-1"]
    assert tenant.night().complete
    tenant.ledger.revoke(1, now=tenant.today)
    assert not tenant.ledger.trend()[-1].complete
    assert not tenant.night().complete


def test_a_waived_gap_still_closes_nothing_that_it_can_hide(tenant: Tenant) -> None:
    """A decision to accept a gap is no answer to the question."""
    tenant.night()
    tenant.locked = ["plan"]
    for gap in tenant.night().gaps:
        tenant.waive(gap, days=30)
    shelve(tenant.folder / "company", {"plan": "me"})

    report = tenant.night()

    assert report.complete
    assert [(finding.verdict.subject.name, finding.verified) for finding in report.findings] == [("plan", False)]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("abc", "too short"),
        ("feedfeed", "no gap 'feedfeed'"),
    ],
)
def test_a_gap_that_is_not_there_cannot_be_waived(tenant: Tenant, wish: str, words: str) -> None:
    tenant.night()

    with pytest.raises(WaiverError, match=words):
        tenant.waive(wish, days=3)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=8))
def test_a_gap_is_known_until_it_was_away_for_a_week(pauses: list[int]) -> None:
    before: dict[str, GapRecord] = {}
    moment, since = START, START
    for pause in pauses:
        moment += timedelta(days=pause, hours=1)
        if timedelta(days=pause, hours=1) > gaps.FORGOTTEN or not before:
            since = moment
        (record,) = gaps.seen(before, ["a"], moment)
        before = {"a": record}

        assert (record.first_seen_on, record.last_seen_on) == (since, moment)
