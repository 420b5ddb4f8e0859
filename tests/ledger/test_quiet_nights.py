"""What a night leaves alone: rows of what it saw unchanged, and decisions that are made while it is worked out."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from cloudscan.engine.framework_file import Framework
from cloudscan.engine.judge import judge
from cloudscan.finding import State
from cloudscan.ledger.ledger import Ledger
from cloudscan.ledger.waivers import WaiverRequest
from tests.kit.toy_cloud import rules, shelve
from tests.ledger.conftest import Album, Nights

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


class Meanwhile(list[Framework]):
    """No frameworks; but who looks for them lets something happen, once."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__()
        self._pending = [happens]

    def __iter__(self) -> Iterator[Framework]:
        while self._pending:
            self._pending.pop()()
        return super().__iter__()


def test_a_quiet_night_writes_no_row_of_a_finding(tmp_path: Path, sqlite: str, album: Album) -> None:
    """And yet each is as recent as the night."""
    nights = Nights(tmp_path, Ledger(sqlite), album)
    nights.scan(plan="everybody", notes="the web", on=START)
    with sa.create_engine(sqlite, poolclass=sa.NullPool).begin() as db:
        for event in ("INSERT", "UPDATE"):
            db.execute(
                sa.text(
                    f"CREATE TRIGGER no_{event} BEFORE {event} ON findings BEGIN SELECT RAISE(ABORT, 'touched'); END"
                )
            )

    report = nights.look(on=START + timedelta(days=1))

    assert [finding.last_seen_on for finding in report.findings] == [START + timedelta(days=1)] * 2
    assert [finding.first_seen_on for finding in report.findings] == [START] * 2


def test_what_was_last_seen_earlier_keeps_its_day(nights: Nights) -> None:
    """An outage: the night before was the last that saw it."""
    nights.scan(plan="everybody", on=START)
    nights.look(on=START + timedelta(days=1))
    (nights.company / "sales.json").write_text("no JSON")

    nights.look(on=START + timedelta(days=2))
    report = nights.look(on=START + timedelta(days=3))

    assert [(one.verified, one.last_seen_on) for one in report.findings] == [(False, START + timedelta(days=1))]
    again = nights.ledger.latest()
    assert again is not None
    assert again.findings == report.findings


def test_a_waiver_that_is_given_while_a_night_is_worked_out_is_heeded(nights: Nights, url: str) -> None:
    """Nobody waits for the night, and the night does not undo what was decided."""
    first = nights.scan(plan="everybody", on=START)
    until = (START + timedelta(days=30)).date()
    request = WaiverRequest(
        finding=first.findings[0].fingerprint, owner="Mika Sato", reason="Public on purpose.", until=until
    )
    shelve(nights.company, {"plan": "everybody", "notes": "everybody"})
    snapshot = nights.album.snapshot(nights.company, START + timedelta(days=1))

    report = nights.ledger.record(
        snapshot,
        judge(snapshot, rules()),
        frameworks=Meanwhile(lambda: Ledger(url).waive(request, now=START + timedelta(hours=1))),
    )

    states = {finding.verdict.subject.name: finding.state for finding in report.findings}
    assert states == {"plan": State.WAIVED, "notes": State.OPEN}
