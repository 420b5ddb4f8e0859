"""Any history of nights and decisions, entered into a real ledger: what must hold whatever comes."""

import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, groupby
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudscan.cli.main import exit_code_for
from cloudscan.cli.scan import exit_code
from cloudscan.errors import WaiverError
from cloudscan.finding import Severity, State
from cloudscan.ledger.ledger import Ledger
from cloudscan.ledger.waivers import WaiverRequest
from cloudscan.report import Event, Report
from tests.kit.properties import examples
from tests.ledger.conftest import Album, Nights

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
NAMES = ("plan", "notes")
WIDTH = {"everybody": 1, "the web": 2}
_NUMBERS = count()


@dataclass(frozen=True)
class Night:
    """Who may open which document (left out: it is gone), whether the shelf can be read, and what is decided then."""

    shared: Mapping[str, str]
    readable: bool
    waive: str  # a document, the shelf, the whole account, or nothing
    days: int  # that the waiver holds
    revoke: bool  # the newest waiver


shared = st.sampled_from(["everybody", "the web"] * 3 + ["company", "?", "gone"])
nights = st.builds(
    Night,
    st.fixed_dictionaries(dict.fromkeys(NAMES, shared)).map(
        lambda documents: {name: whom for name, whom in documents.items() if whom != "gone"}
    ),
    readable=st.sampled_from([True] * 5 + [False]),
    waive=st.sampled_from(["", *NAMES, "toy:shelf/sales", "toy"]),
    days=st.integers(0, 5),
    revoke=st.sampled_from([False] * 5 + [True]),
)


@dataclass
class Accepted:
    """A waiver as this test understands it: whom it is about, until when, and how wide each document was then."""

    about: str
    until: datetime
    width: dict[str, int]
    alive: dict[str, bool]


class Company:
    """Lives through nights, and keeps by simple means what the ledger ought to say."""

    def __init__(self, folder: Path, ledger: Ledger, album: Album) -> None:
        self.nights = Nights(folder, ledger, album)
        self.nights.company.mkdir()
        self.ledger = ledger
        self.today = START
        self.standing: dict[str, int] = {}  # documents that stand, and how wide they were when last seen
        self.accepted: dict[int, Accepted] = {}
        self.reports: list[Report] = []

    def live(self, night: Night) -> None:
        if night.readable:
            report = self.nights.scan(**night.shared, on=self.today)
            seen = {name: WIDTH[whom] for name, whom in night.shared.items() if whom in WIDTH}
            untold = {name: width for name, width in self.standing.items() if night.shared.get(name) == "?"}
            self.standing = untold | seen
        else:
            (self.nights.company / "sales.json").write_text("no JSON")
            report = self.nights.look(on=self.today)
        self._weigh()
        self.reports.append(report)
        self.check(report)
        self._decide(night)
        self.check(self.ledger.latest())
        self.today += timedelta(days=1)

    def waived(self) -> set[str]:
        return {
            name
            for name in self.standing
            for waiver in self.accepted.values()
            if self.today.date() <= waiver.until.date() and waiver.alive.get(name)
        }

    def check(self, report: Report | None) -> None:
        assert report
        findings = {finding.verdict.subject.name: finding for finding in report.findings}
        assert findings.keys() == self.standing.keys()
        assert {name for name, finding in findings.items() if finding.state is State.WAIVED} == self.waived()
        assert all((finding.waiver is not None) == (finding.state is State.WAIVED) for finding in findings.values())
        work = findings.keys() - self.waived()
        assert exit_code(report, Severity.INFO) == exit_code_for(
            findings=bool(work), incomplete=not report.scan.complete
        )

    def _decide(self, night: Night) -> None:
        target = f"toy:document/sales/{night.waive}" if night.waive in NAMES else night.waive
        if target:
            until = self.today + timedelta(days=night.days)
            wish = WaiverRequest(target=target, owner="me", reason="why", until=until.date())
            try:
                waiver = self.ledger.waive(wish, now=self.today).waiver
            except WaiverError:
                pass
            else:
                self.accepted[waiver.id] = Accepted(night.waive, until, {}, {})
                self._weigh()
        if night.revoke and self.accepted:
            newest = max(self.accepted)
            if self.today.date() <= self.accepted[newest].until.date():
                self.ledger.revoke(newest, now=self.today)
                del self.accepted[newest]

    def _weigh(self) -> None:
        for waiver in self.accepted.values():
            if self.today.date() > waiver.until.date():
                continue
            for name, width in self.standing.items():
                if waiver.about in ("toy", "toy:shelf/sales", name):
                    first = waiver.width.setdefault(name, width)
                    waiver.alive[name] = waiver.alive.get(name, True) and width <= first


@pytest.mark.long
@examples(8)
@given(history=st.lists(nights, min_size=2, max_size=8))
def test_whatever_happens(history: list[Night], empty_ledger: Path, album: Album, tmp_path: Path) -> None:
    """No outage closes a finding, nothing waived fails a scan, what ended reopens once, and no event is told twice."""
    folder = tmp_path / str(next(_NUMBERS))
    folder.mkdir()
    shutil.copy(empty_ledger, folder / "ledger.db")
    company = Company(folder, Ledger(f"sqlite:///{folder / 'ledger.db'}"), album)

    for night in history:
        company.live(night)

    events = company.ledger.events()
    assert not [key for key, n in Counter((e.fingerprint, e.scan_id, e.kind) for e in events).items() if n > 1]
    for _, own_events in groupby(sorted(events, key=lambda event: event.fingerprint), lambda event: event.fingerprint):
        assert_one_life(list(own_events))
    assert_differences(company)


def assert_one_life(events: list[Event]) -> None:
    """Opened once; each further event leads to another state; a waiver ends at most once."""
    assert sum(event.kind == "opened" for event in events) == 1
    assert events[0].kind == "opened"
    state, ended = "absent", Counter[int | None]()
    for event in events:
        if event.kind == "reopened" and event.reason:
            assert state == "waived"
            ended[event.waiver] += 1
        else:
            assert event.kind != state
            assert (state in ("absent", "resolved")) == (event.kind in ("opened", "reopened"))
        state = event.kind
    assert all(n == 1 for n in ended.values())


def assert_differences(company: Company) -> None:
    """Comparing the first night with the last says what their reports say."""
    first, last = company.reports[0], company.reports[-1]
    if first is last:
        return
    was = {finding.fingerprint: finding.state is State.WAIVED for finding in first.findings}
    now = {finding.fingerprint: finding.state is State.WAIVED for finding in last.findings}

    diff = company.ledger.diff(first.scan.id, last.scan.id)

    kinds = {difference.fingerprint: difference.kind for difference in diff.differences}
    assert {fingerprint for fingerprint, kind in kinds.items() if kind == "resolved"} == was.keys() - now.keys()
    assert {fingerprint for fingerprint, kind in kinds.items() if kind == "waived"} == {
        fingerprint for fingerprint, waived in now.items() if waived and not was.get(fingerprint)
    }
    assert {fingerprint for fingerprint, kind in kinds.items() if kind in ("new", "reopened")} == {
        fingerprint for fingerprint, waived in now.items() if not waived and was.get(fingerprint, True)
    }
