"""The ledger remembers since when the accounts of people who left are closed, after the snapshots are gone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cloudscan.checklist import DepartureFigures
from cloudscan.engine.judge import judge
from cloudscan.ledger.ledger import Ledger
from cloudscan.organisation.checklists import leaving
from cloudscan.organisation.knowledge import Knowledge
from tests.kit.organisation import joined, staff, user

START = datetime(2026, 4, 1, 3, tzinfo=UTC)
ROSTER = "社員番号,氏名,メールアドレス,退職日\n1,佐藤 花子,hanako@acme.example,2026-03-31\n"


def scan(folder: Path, ledger: Ledger, night: int, status: str) -> DepartureFigures | None:
    now = START + timedelta(days=night)
    known = Knowledge(domains=["acme.example"], staff=staff(ROSTER))
    account = user("h", "hanako@acme.example", status=status)
    with joined(folder / str(night), known, [account], now=now) as snapshot:
        return ledger.record(snapshot, judge(snapshot, []), organisation="Acme").departures


def test_days_until_an_account_is_closed_are_remembered(tmp_path: Path) -> None:
    """The directory does not say since when; the first night on which it is closed does."""
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")

    first = scan(tmp_path, ledger, 0, "active")
    scan(tmp_path, ledger, 3, "suspended")
    last = scan(tmp_path, ledger, 9, "suspended")

    assert first == DepartureFigures(days=90, left=1, closed=0, still_open=1, longest_open=1)
    assert last == DepartureFigures(days=90, left=1, closed=1, median_days=4.0, most_days=4)


def test_the_report_keeps_the_figures(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    scan(tmp_path, ledger, 0, "active")

    latest = ledger.latest()

    assert latest is not None
    assert latest.departures is not None
    assert latest.departures.still_open == 1


def test_a_checklist_is_completed_with_the_day(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    scan(tmp_path, ledger, 0, "active")
    known = Knowledge(domains=["acme.example"], staff=staff(ROSTER))
    account = user("h", "hanako@acme.example", status="suspended")
    now = START + timedelta(days=1)
    with joined(tmp_path / "later", known, [account], now=now) as snapshot:
        ledger.record(snapshot, judge(snapshot, []), organisation="Acme")
        (person,) = ledger.recalled(leaving(snapshot, "UTC", since=START.date() - timedelta(days=9)))

    assert [item.closed_on for item in person.items][:1] == [now]
