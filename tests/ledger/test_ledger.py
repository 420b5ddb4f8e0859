"""The ledger over real snapshots: what it writes down, and that it writes it once."""

from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from msgspec import json

from cloudscan.engine.framework_file import Control, Framework
from cloudscan.engine.judge import judge
from cloudscan.errors import LedgerError
from cloudscan.finding import State
from cloudscan.framework import ControlStanding
from cloudscan.ledger import migrations
from cloudscan.ledger.ledger import Ledger
from cloudscan.ledger.schema import SCHEMA
from tests.kit.toy_cloud import rules, shelve, snapshot_of
from tests.ledger.conftest import Album, Nights


def test_a_finding_is_opened_resolved_and_reopened(nights: Nights) -> None:
    """The life of a link: shared, withdrawn, shared again."""
    first = nights.scan(plan="everybody")
    second = nights.scan(plan="company")
    third = nights.scan(plan="everybody")

    assert [finding.state for finding in first.findings] == [State.OPEN]
    assert second.findings == []
    assert [finding.state for finding in third.findings] == [State.REOPENED]
    assert third.findings[0].first_seen_on == first.findings[0].first_seen_on
    assert [event.kind for event in nights.ledger.events()] == ["opened", "resolved", "reopened"]


def test_a_document_that_is_gone_is_resolved(nights: Nights) -> None:
    nights.scan(plan="everybody", notes="me")

    report = nights.scan(notes="me")

    assert report.findings == []


def test_a_shelf_that_cannot_be_read_closes_nothing(nights: Nights) -> None:
    """The finding stays open, unverified, with the words it had."""
    before = nights.scan(plan="everybody").findings[0]
    (nights.company / "sales.json").write_text("no JSON")

    (finding,) = nights.look().findings

    assert (finding.state, finding.verified) == (State.OPEN, False)
    assert finding.message == before.message
    assert finding.last_seen_on == before.last_seen_on


def test_a_control_has_not_passed_while_a_finding_could_not_be_looked_at(nights: Nights, tmp_path: Path) -> None:
    """Neither flagged nor passed nor unseen: what is open and was not read is as undecided as an unknown."""
    shelve(nights.company, {"plan": "everybody"})
    shelve(nights.company, {"notes": "me"}, shelf="other")
    mapped = [msgspec.structs.replace(rule, frameworks=["house#H.1"]) for rule in rules()]
    control = Control(titles={"en": "No open links", "ja": "公開リンク禁止"}, line=1, whole=True)
    house = Framework(id="house", titles={"en": "House rules", "ja": "社内規則"}, controls={"H.1": control}, source="")
    reports = []
    for night, content in enumerate((None, "no JSON")):
        if content:
            (nights.company / "sales.json").write_text(content)
        with snapshot_of(nights.company, tmp_path / str(night)) as snapshot:
            reports.append(nights.ledger.record(snapshot, judge(snapshot, mapped), frameworks=[house]))

    first, second = (report.frameworks[0].controls[0] for report in reports)
    assert (first.standing, first.flagged, first.unknown) == (ControlStanding.FLAGGED, 1, 0)
    assert (second.standing, second.flagged, second.unknown) == (ControlStanding.UNKNOWN, 0, 1)
    assert second.passed > 0


def test_recording_the_same_snapshot_twice_changes_nothing(nights: Nights, tmp_path: Path, url: str) -> None:
    shelve(nights.company, {"plan": "everybody"})
    with snapshot_of(nights.company, tmp_path / "one") as snapshot:
        first = nights.ledger.record(snapshot, judge(snapshot, rules()))
        again = Ledger(url).record(snapshot, judge(snapshot, rules()))

    assert json.encode(again) == json.encode(first)
    assert [event.kind for event in nights.ledger.events()] == ["opened"]


def test_history_is_not_rewritten(nights: Nights, tmp_path: Path) -> None:
    """A snapshot older than the last scan is refused."""
    shelve(nights.company, {"plan": "company"})
    with snapshot_of(nights.company, tmp_path / "old") as old:
        nights.scan(plan="everybody")

        with pytest.raises(LedgerError, match="history is not rewritten"):
            nights.ledger.record(old, judge(old, rules()))

    assert [finding.state for finding in nights.look().findings] == [State.OPEN]


def test_the_last_report_can_be_read_again(nights: Nights, url: str) -> None:
    nights.scan(plan="everybody")
    report = nights.scan(plan="everybody", notes="everybody")

    assert json.encode(Ledger(url).latest()) == json.encode(report)


def test_an_empty_ledger_has_no_report(url: str) -> None:
    assert Ledger(url).latest() is None


def test_the_file_is_for_its_owner_only(tmp_path: Path, sqlite: str) -> None:
    Ledger(sqlite).upgrade()

    assert (tmp_path / "ledger.db").stat().st_mode & 0o077 == 0


def test_migrations_make_the_tables_that_the_code_expects(nights: Nights, url: str) -> None:
    nights.ledger.upgrade()

    with sa.create_engine(url, poolclass=sa.NullPool).connect() as db:
        difference = compare_metadata(MigrationContext.configure(db), SCHEMA)

    assert difference == []


def test_a_newer_ledger_is_refused(nights: Nights, url: str) -> None:
    nights.ledger.upgrade()
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as db:
        db.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(LedgerError, match="newer cloudscan"):
        nights.ledger.latest()


def test_a_ledger_out_of_reach_says_so_and_hides_the_password() -> None:
    ledger = Ledger("postgresql+psycopg://auditor:hunter2@127.0.0.1:1/cloudscan")

    with pytest.raises(LedgerError) as caught:
        ledger.latest()

    assert "127.0.0.1:1" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["nonsense", "mystery://host/db"])
def test_a_url_that_is_none_says_what_to_write(url: str) -> None:
    with pytest.raises(LedgerError, match="write sqlite:///FILE"):
        Ledger(url)


def test_a_failure_half_way_leaves_no_half_written_scan(tmp_path: Path, sqlite: str, album: Album) -> None:
    """All of a scan is entered, or nothing."""
    nights = Nights(tmp_path, Ledger(sqlite), album)
    nights.scan(plan="company")
    with sa.create_engine(sqlite, poolclass=sa.NullPool).begin() as db:
        db.execute(sa.text("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'disk full'); END"))

    with pytest.raises(LedgerError, match="disk full"):
        nights.scan(plan="everybody")

    with sa.create_engine(sqlite, poolclass=sa.NullPool).begin() as db:
        assert db.execute(sa.text("SELECT count(*) FROM findings")).scalar() == 0
        assert db.execute(sa.text("SELECT count(*) FROM scans")).scalar() == 1


def test_an_older_ledger_is_migrated(nights: Nights, url: str, tmp_path: Path) -> None:
    """What an older cloudscan entered stays, and its scans can be compared."""
    nights.scan(plan="everybody", notes="everybody")
    nights.scan(plan="company", notes="everybody")
    nights.scan(plan="everybody", notes="everybody", more="everybody")
    events = [(event.fingerprint, event.kind) for event in nights.ledger.events()]
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as db:
        config.attributes["connection"] = db
        command.downgrade(config, "0001")

    migrated = Ledger(url)
    with pytest.raises(LedgerError, match="older cloudscan; run `cloudscan ledger upgrade`"):
        migrated.trend()
    migrated.upgrade()
    first, second, third = migrated.trend()

    assert [(event.fingerprint, event.kind) for event in migrated.events()] == events
    assert first.figures is None
    assert [difference.kind for difference in migrated.diff(first.id, second.id).differences] == ["resolved"]
    assert [difference.kind for difference in migrated.diff(second.id, third.id).differences] == ["new", "reopened"]
    assert [difference.kind for difference in migrated.diff(first.id, third.id).differences] == ["new"]
