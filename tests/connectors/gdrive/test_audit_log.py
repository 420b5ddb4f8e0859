"""What the Drive log adds: since when a file is shared and by whom, and when an external user was last there."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cloudscan.engine import loader
from cloudscan.engine.judge import judge
from cloudscan.facts import Outcome
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan_emulators.google import Server, company, throttle
from cloudscan_emulators.google.company import Company
from cloudscan_gdrive.doctor import checks
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.permissions import AUDIT, DIRECTORY, DRIVE, GROUP_SETTINGS, POLICIES, SHARED_DRIVES, scopes_of
from tests.connectors.gdrive.estate import connector, file, serve
from tests.connectors.nights import scan_into
from tests.connectors.reading import read

LOG = "/admin/reports/v1/activity/users/all/applications/drive"
RULES = Path(__file__).parents[3] / "rules"
JUDGED = ("drive-external-dormant", "drive-shared-by-non-owner", "drive-owned-by-external")
QUESTIONS = 13  # four kinds of sharing, and three of use with three visibilities each
HAYASHI, MORI, DORMANT = "hayashi@kumo.example", "mori@kumo.example", "dormant@kumo.example"


def scan(server: Server, folder: Path, name: str, since: Path | None = None, **options: Any) -> Path:
    """A scan through the whole engine, into a folder of this name."""
    scan_into(folder / name, connector(server, folder, **options), since)
    return folder / name


def rows(snapshot: Path, sql: str) -> list[list[Any]]:
    with Snapshot.open(snapshot) as opened:
        return [list(row) for row in opened.query(sql).rows]


@pytest.fixture(scope="module")
def built() -> Company:
    return company.build(250)


@pytest.fixture(scope="module")
def snapshot(built: Company, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with serve(built.state) as server:
        yield scan(server, tmp_path_factory.mktemp("log"), "scan")


def opened(snapshot: Path, built: Company, scenario: str) -> tuple[int | None, str | None]:
    """How many days ago the widest way in was opened, and by whom."""
    sql = f"""
        SELECT granted_on, JSON_EXTRACT_STRING(grant_detail, '$.granted_by') FROM exposures
        WHERE url LIKE '%{built.scenarios[scenario]}' ORDER BY audience DESC LIMIT 1
    """
    ((when, by),) = rows(snapshot, sql)
    now = datetime.fromtimestamp(built.state.now, tz=UTC)
    return None if when is None else (now - when.replace(tzinfo=UTC)).days, by


@pytest.mark.parametrize(
    ("scenario", "days", "by"),
    [
        ("opened by the owner", 39, HAYASHI),
        ("opened by an editor", 39, DORMANT),
        ("handed on by an external user", 39, "spy@rival.example"),
        ("shared within by an editor", 39, DORMANT),
        ("external dormant", 169, HAYASHI),
        ("opened before the log", None, None),
        ("external from before the log", None, None),
    ],
)
def test_since_when_and_by_whom(
    snapshot: Path, built: Company, scenario: str, days: int | None, by: str | None
) -> None:
    assert opened(snapshot, built, scenario) == (days, by)


def test_an_external_user_was_last_seen_when_they_last_looked(snapshot: Path, built: Company) -> None:
    sql = "SELECT email, last_seen_on FROM principals WHERE domain = 'rival.example'"
    seen = dict(rows(snapshot, sql))
    now = datetime.fromtimestamp(built.state.now, tz=UTC)

    assert (now - seen["awake@rival.example"].replace(tzinfo=UTC)).days == 4
    assert (now - seen["sleepy@rival.example"].replace(tzinfo=UTC)).days == 149
    assert seen["silent@rival.example"] is None


def test_what_lies_in_a_shared_folder_is_open_since_the_folder_is(tmp_path: Path) -> None:
    built = company.build(10)
    state = built.state
    above = state.create("Plans", owner=HAYASHI, mime="application/vnd.google-apps.folder")
    state.create("plan.pdf", parent=above)
    state.share(above, DORMANT, "writer")
    state.share(above, "anyone", "reader", by=DORMANT)
    with serve(state) as server:
        snapshot = scan(server, tmp_path, "scan")

    sql = """
        SELECT JSON_EXTRACT_STRING(grant_detail, '$.granted_by'), granted_on IS NOT NULL FROM exposures
        WHERE resource_name = 'plan.pdf' AND audience = 'anyone_with_link'
    """
    assert rows(snapshot, sql) == [[DORMANT, True]]


def test_a_member_of_a_shared_drive_is_there_since_he_was_taken_in(tmp_path: Path) -> None:
    built = company.build(10)
    drive = built.state.add_drive("Joint", {MORI: "organizer"})
    built.state.add_member(drive, "spy@rival.example", "writer", by=MORI)
    with serve(built.state) as server:
        snapshot = scan(server, tmp_path, "scan")

    sql = """
        SELECT JSON_EXTRACT_STRING(grant_detail, '$.granted_by') FROM exposures
        WHERE resource_name = 'Joint' AND principal_email = 'spy@rival.example'
    """
    assert rows(snapshot, sql) == [[MORI]]


def test_more_access_than_before_counts_and_less_does_not(tmp_path: Path) -> None:
    built = company.build(10)
    state = built.state
    item = state.create("Bid", owner=HAYASHI)
    state.share(item, DORMANT, "writer")
    state.share(item, "spy@rival.example", "reader")
    state.share(item, "spy@rival.example", "writer", by=DORMANT)
    state.share(item, "spy@rival.example", "commenter", by=MORI)
    with serve(state) as server:
        snapshot = scan(server, tmp_path, "scan")

    sql = """
        SELECT JSON_EXTRACT_STRING(grant_detail, '$.granted_by') FROM exposures
        WHERE resource_name = 'Bid' AND principal_email = 'spy@rival.example'
    """
    assert rows(snapshot, sql) == [[DORMANT]]


@pytest.fixture(scope="module")
def verdicts(built: Company, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, str]]]:
    """The judgement of each rule on each identity, with everything read."""
    folder = tmp_path_factory.mktemp("rules")
    rules = [rule for rule in loader.load([RULES]) if rule.id in JUDGED]
    with serve(built.state) as server:
        scanned = scan(server, folder, "scan", external_files=True)
    with Snapshot.open(scanned) as opened:
        verdicts = judge(opened, rules, as_of=datetime.fromtimestamp(built.state.now, tz=UTC))
    judgements: dict[str, dict[str, str]] = {name: {} for name in JUDGED}
    for verdict in (*verdicts.flagged, *verdicts.unknown):
        judgements[verdict.rule_id][verdict.identity[0]] = verdict.judgement
    yield judgements


@pytest.mark.parametrize(
    ("name", "judgement"),
    [
        ("sleepy", "flagged"),
        ("silent", "flagged"),
        ("ancient", "flagged"),
        ("awake", "passed"),
        ("newcomer", "passed"),
    ],
)
def test_external_users_who_stay_away(verdicts: dict[str, dict[str, str]], name: str, judgement: str) -> None:
    who = f"gdrive:user/{name}@rival.example"

    assert verdicts["drive-external-dormant"].get(who, "passed") == judgement


@pytest.mark.parametrize(
    ("scenario", "judgement"),
    [
        ("opened by an editor", "flagged"),
        ("handed on by an external user", "flagged"),
        ("opened by the owner", "passed"),
        ("shared within by an editor", "passed"),
        ("opened and closed", "passed"),
        ("opened before the log", "unknown"),
        ("private", "passed"),
        ("drive file link", "passed"),
    ],
)
def test_what_others_than_the_owner_opened(
    verdicts: dict[str, dict[str, str]], built: Company, scenario: str, judgement: str
) -> None:
    which = file(built.scenarios[scenario])

    assert verdicts["drive-shared-by-non-owner"].get(which, "passed") == judgement


@pytest.mark.parametrize(
    ("scenario", "judgement"),
    [("owner external, we edit", "flagged"), ("owner external", "passed"), ("owner partner, we edit", "passed")],
)
def test_files_of_external_users(
    verdicts: dict[str, dict[str, str]], built: Company, scenario: str, judgement: str
) -> None:
    which = file(built.scenarios[scenario])

    assert verdicts["drive-owned-by-external"].get(which, "passed") == judgement


def test_without_the_log_the_rules_cannot_tell(built: Company, tmp_path: Path) -> None:
    rules = [rule for rule in loader.load([RULES]) if rule.id in JUDGED]
    with serve(built.state) as server:
        scanned = scan(server, tmp_path, "scan", audit_days=0)
    with Snapshot.open(scanned) as opened:
        verdicts = judge(opened, rules, as_of=datetime.fromtimestamp(built.state.now, tz=UTC))

    assert verdicts.flagged == ()
    assert {rule.rule_id for rule in verdicts.unknown} == {"drive-external-dormant", "drive-shared-by-non-owner"}


@contextmanager
def nights(tmp_path: Path) -> Iterator[tuple[Company, Server, Path]]:
    built = company.build(60)
    with serve(built.state) as server:
        yield built, server, scan(server, tmp_path, "first")


def facts(snapshot: Path) -> tuple[list[list[Any]], list[list[Any]], list[list[Any]]]:
    """All that the log has a part in."""
    return (
        sorted(rows(snapshot, "SELECT uid, granted_on, CAST(detail AS VARCHAR) FROM grants"), key=str),
        sorted(rows(snapshot, "SELECT uid, last_seen_on FROM principals"), key=str),
        sorted(rows(snapshot, "SELECT uid, created_on FROM resources"), key=str),
    )


def asked(server: Server) -> list[str]:
    """What the log was asked about by name; which drives were touched is asked about everything."""
    return [request.query for request in server.log if request.path == LOG and "eventName" in request.query]


def test_a_night_asks_for_the_days_since_the_last_and_knows_as_much_as_a_full_scan(tmp_path: Path) -> None:
    with nights(tmp_path) as (built, server, first):
        state = built.state
        item = state.create("New", owner=HAYASHI)
        state.pass_time(timedelta(days=2))
        state.share(item, DORMANT, "writer")
        state.share(item, "spy@rival.example", "reader", by=DORMANT)
        state.use(item, "spy@rival.example")
        server.log.clear()

        second = scan(server, tmp_path, "second", since=first)
        nightly = asked(server)
        full = scan(server, tmp_path, "full")

    assert len(nightly) == QUESTIONS
    assert all("startTime=2026-03-31T09" in query for query in nightly)  # the day before the first scan
    assert facts(second) == facts(full)


def test_what_grows_older_than_the_window_is_forgotten_as_a_full_scan_would(tmp_path: Path) -> None:
    with nights(tmp_path) as (built, server, first):
        built.state.pass_time(timedelta(days=100))

        second = scan(server, tmp_path, "second", since=first)
        full = scan(server, tmp_path, "full")

    assert facts(second) == facts(full)
    assert facts(second) != facts(first)


def test_an_event_that_arrives_late_is_found_the_next_night(tmp_path: Path) -> None:
    with nights(tmp_path) as (built, server, first):
        state = built.state
        item = state.create("New", owner=HAYASHI)
        state.share(item, "spy@rival.example", "reader")
        server.quirks.log_delay = 7200
        second = scan(server, tmp_path, "second", since=first)
        server.quirks.log_delay = 0
        state.pass_time(timedelta(hours=20))
        third = scan(server, tmp_path, "third", since=second)
        full = scan(server, tmp_path, "full")

    since = "SELECT granted_on IS NULL FROM exposures WHERE resource_name = 'New'"
    assert rows(second, since) == [[True]]
    assert rows(third, since) == [[False]]
    assert facts(third) == facts(full)


def test_a_night_without_the_log_keeps_nothing_of_it_and_the_next_reads_it_in_full(tmp_path: Path) -> None:
    with nights(tmp_path) as (_, server, first):
        server.sign_in.delegated = frozenset(
            scopes_of([*DRIVE, *SHARED_DRIVES, *DIRECTORY, *GROUP_SETTINGS, *POLICIES])
        )
        server.expire_tokens()
        second = scan(server, tmp_path, "second", since=first)
        server.sign_in.delegated = None
        third = scan(server, tmp_path, "third", since=second)

    assert rows(second, "SELECT count(*) FROM grants WHERE granted_on IS NOT NULL") == [[0]]
    assert facts(third) == facts(first)


def test_where_the_log_is_not_allowed_the_coverage_names_the_right(tmp_path: Path) -> None:
    delegated = frozenset(scopes_of([*DRIVE, *SHARED_DRIVES, *DIRECTORY, *GROUP_SETTINGS, *POLICIES]))
    with serve(company.build(10).state, delegated=delegated) as server:
        reader = connector(server, tmp_path)
        result = read(reader)

    (gap,) = [gap for gap in result.gaps if gap.question == "gdrive-log"]
    assert (gap.table, gap.outcome) == ("grants", Outcome.DENIED)
    assert gap.needs == "https://www.googleapis.com/auth/admin.reports.audit.readonly"
    assert not result.refused


def test_a_gap_in_the_log_hides_no_file_and_no_grant(tmp_path: Path) -> None:
    """It would keep every finding open whose file is gone."""
    delegated = frozenset(scopes_of([*DRIVE, *SHARED_DRIVES, *DIRECTORY, *GROUP_SETTINGS, *POLICIES]))
    with serve(company.build(10).state, delegated=delegated) as server:
        switched_off = read(connector(server, tmp_path, audit_days=0))
        refused = read(connector(server, tmp_path))

    for result in (switched_off, refused):
        (gap,) = [gap for gap in result.gaps if gap.question == "gdrive-log"]
        assert {hidden.table for hidden in gap.hidden if not hidden.columns and hidden.kinds != ("audit_log",)} == set()
    assert switched_off.gap("drive-log-switched-off").resource_uid == f"gdrive:audit-log/{company.DOMAIN}"


def test_a_log_whose_quota_is_used_up_does_not_stop_the_drives(tmp_path: Path) -> None:
    with nights(tmp_path) as (_, server, first):
        server.faults.add(throttle(LOG, reason="dailyLimitExceeded"))
        second = scan(server, tmp_path, "second", since=first)
        server.faults.clear()
        server.log.clear()
        third = scan(server, tmp_path, "third", since=second)

        queries = asked(server)
        assert len(queries) == QUESTIONS
        assert all("startTime=2026-03-31T09" in query for query in queries)
    failed = rows(second, "SELECT scope_uid, reason FROM coverage WHERE outcome = 'failed'")
    assert [scope for scope, _ in failed] == [f"gdrive:audit-log/{company.DOMAIN}"]
    assert facts(third) == facts(first)


def test_switched_off_it_is_not_asked_for_and_that_is_said(tmp_path: Path) -> None:
    with serve(company.build(10).state) as server:
        reader = connector(server, tmp_path, audit_days=0)
        result = read(reader)

        assert asked(server) == []
    assert result.gap("drive-log-switched-off").outcome is Outcome.SKIPPED


def test_a_shorter_window_asks_for_less(tmp_path: Path) -> None:
    with serve(company.build(10).state) as server:
        reader = connector(server, tmp_path, audit_days=30)
        read(reader)

        queries = asked(server)
        assert len(queries) == QUESTIONS
        assert all("startTime=2026-03-02T00:00:00.000Z" in query for query in queries)


def test_a_log_of_many_pages_that_is_throttled_loses_nothing(tmp_path: Path) -> None:
    built = company.build(10)
    item = built.state.create("Read by many", owner=HAYASHI)
    built.state.share(item, "spy@rival.example", "reader")
    for _ in range(2300):
        built.state.use(item, "spy@rival.example")
    with serve(built.state) as server:
        server.faults.add(throttle(LOG, reason="quotaExceeded", after=3, times=2))
        snapshot = scan(server, tmp_path, "scan")
        views = [query for query in asked(server) if "eventName=view" in query and "shared_externally" in query]

    sql = "SELECT epoch(last_seen_on) FROM principals WHERE email = 'spy@rival.example'"
    assert rows(snapshot, sql) == [[built.state.now]]
    assert len(views) == 3


def test_doctor_names_the_right_that_the_log_wants(tmp_path: Path) -> None:
    delegated = frozenset(scopes_of([*DRIVE, *SHARED_DRIVES, *DIRECTORY, *GROUP_SETTINGS, *POLICIES]))
    with serve(company.build(10).state, delegated=delegated) as server:
        options = Options(
            endpoint=server.url, admin=company.ADMIN, key_file=str(server.write_key(tmp_path / "key.json"))
        )
        (trouble,) = [check for check in checks(options, company.estate()) if not check.ok]
        silent = [check.what for check in checks(msgspec.structs.replace(options, audit_days=0), company.estate())]

    assert trouble.what == "gdrive: the Drive log"
    assert "Needs https://www.googleapis.com/auth/admin.reports.audit.readonly" in trouble.remedy
    assert not any("log" in what for what in silent)


def test_doctor_tries_the_settings_of_a_group(tmp_path: Path) -> None:
    delegated = frozenset(scopes_of([*DRIVE, *SHARED_DRIVES, *DIRECTORY, *AUDIT, *POLICIES]))
    with serve(company.build(10).state, delegated=delegated) as server:
        options = Options(
            endpoint=server.url, admin=company.ADMIN, key_file=str(server.write_key(tmp_path / "key.json"))
        )
        (trouble,) = [check for check in checks(options, company.estate()) if not check.ok]
        silent = msgspec.structs.replace(options, group_settings=False)
        without = [check for check in checks(silent, company.estate()) if not check.ok]

    assert trouble.what == "gdrive: settings of groups"
    assert "Needs https://www.googleapis.com/auth/apps.groups.settings" in trouble.remedy
    assert without == []
