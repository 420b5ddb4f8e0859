"""Nights that nobody watches: what broke off is finished, what is old goes, and a machine can ask how it went."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from cloudscan.ledger.ledger import Ledger
from cloudscan.snapshot import lock, store
from cloudscan.snapshot.snapshot import Snapshot
from tests.cli.conftest import CONFIG, Desk

HOME = Path(".cloudscan")
OUT_OF_REACH = "postgresql+psycopg://auditor@127.0.0.1:1/cloudscan"


def ledger_at(url: str) -> str:
    return f'{CONFIG}\n[ledger]\nurl = "{url}"\nwait_seconds = 0\n'


def snapshots(desk: Desk) -> list[Path]:
    return store.finished(desk.folder / HOME / "snapshots")


def age(folder: Path, days: float) -> None:
    """Make a snapshot look as if it had been taken that many days ago."""
    manifest = store.manifest_of(folder)
    assert manifest
    on = datetime.now(UTC) - timedelta(days=days)
    scan = msgspec.structs.replace(manifest.scan, started_on=on, finished_on=on)
    (folder / "manifest.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, scan=scan)))


def events(desk: Desk) -> list[str]:
    return [event.kind for event in Ledger(f"sqlite:///{desk.folder / HOME / 'ledger.db'}").events()]


def test_a_scan_that_could_not_be_entered_is_entered_by_the_next_and_nothing_is_read_again(desk: Desk) -> None:
    """The database was gone: the snapshot waits, even where the company cannot be asked any more."""
    desk.configure(ledger_at(OUT_OF_REACH))
    first = desk.run("scan")
    (desk.folder / "company" / "sales.json").unlink()
    desk.configure(CONFIG)

    second = desk.run("scan", "--format", "json")

    assert first.code == 2
    assert "The snapshot is kept; the next `cloudscan scan` will record it" in first.err
    assert second.code == 1
    assert [finding["verdict"]["subject"]["name"] for finding in second.json["findings"]] == ["plan"]
    assert len(snapshots(desk)) == 1
    assert events(desk) == ["opened"]


def test_a_night_that_waits_is_entered_before_the_next_one(desk: Desk) -> None:
    """Two nights without a database: both are entered, in their order."""
    desk.configure(ledger_at(OUT_OF_REACH))
    desk.run("scan")
    age(snapshots(desk)[0], 1)
    desk.shelve(plan="company")
    desk.run("scan")
    desk.configure(CONFIG)

    result = desk.run("scan")

    assert result.code == 0
    assert events(desk) == ["opened", "resolved"]
    assert [row["figures"]["findings"]["high"] for row in desk.run("trend", "--format", "json").json] == [1, 0]


def test_what_a_collect_took_is_nobody_s_night(desk: Desk) -> None:
    desk.run("collect")
    desk.shelve(plan="company")

    result = desk.run("scan")

    assert result.code == 0
    assert len(snapshots(desk)) == 2


def test_an_interrupted_scan_of_something_else_does_not_stand_in_the_way(desk: Desk) -> None:
    """A scan of one shelf was killed; the next one, of all, begins anew."""
    desk.run("scan", "--scope", "sales")
    (only,) = snapshots(desk)
    store.owe(only)

    result = desk.run("scan")

    assert result.code == 1
    assert len(snapshots(desk)) == 2


def test_a_full_disk_is_told_and_the_next_scan_goes_on(desk: Desk) -> None:
    """While the snapshot is written, while it is entered: one line that says what to do, and nothing half-entered."""
    codes, words = [], ""
    for kilobytes in (1, 24):
        command = f"ulimit -f {kilobytes}; exec {sys.executable} -m cloudscan scan"
        done = subprocess.run(
            ["bash", "-c", command], cwd=desk.folder, env=desk.environment, capture_output=True, text=True, check=False
        )
        codes.append(done.returncode)
        words += done.stderr
    after = desk.run("scan")

    assert codes == [2, 2]
    assert "Traceback" not in words
    assert "bug" not in words
    assert "Free some space" in words
    assert "The ledger" in words
    assert words.count("\n") == 2
    assert after.code == 1
    assert len(snapshots(desk)) == 1
    assert events(desk) == ["opened"]


def test_a_scan_removes_what_is_old(desk: Desk) -> None:
    """The newest stay, and the newest that could read everything, whatever their age; what is read stays too."""
    desk.configure(CONFIG + "\n[retention]\nsnapshots_days = 10\nkeep_snapshots = 2\n")
    for name in "abcde":
        desk.run("scan", "--full")
        if name == "c":
            (desk.folder / "company" / "board.json").write_text("no JSON")
    every = snapshots(desk)
    for days, folder in zip((50, 40, 30, 20, 15), every, strict=True):
        age(folder, days)

    with Snapshot.open(every[0]):
        listed = desk.run("prune", "--dry-run")
        desk.run("prune")
        while_read = snapshots(desk)
    desk.run("prune")

    assert "To be removed: 1." in listed.out
    assert while_read == [every[0], *every[2:]]
    assert snapshots(desk) == every[2:]


def test_nothing_that_is_still_to_be_entered_is_removed(desk: Desk) -> None:
    desk.configure(CONFIG + "\n[retention]\nsnapshots_days = 0\nkeep_snapshots = 1\nreports_days = 0\n")
    desk.run("scan")
    desk.run("scan")
    store.owe(snapshots(desk)[0])

    desk.run("prune")

    assert len(snapshots(desk)) == 1  # the second scan removed the first


def test_the_next_scan_still_asks_only_for_changes_after_a_prune(desk: Desk) -> None:
    desk.configure(CONFIG + "\n[retention]\nsnapshots_days = 0\nkeep_snapshots = 1\n")
    desk.run("scan")
    desk.run("prune")

    result = desk.run("scan", "--log", "json", "--format", "json")

    assert [line["incremental"] for line in logged(result.err) if line["event"] == "scan.scope_finished"] == [True]


def logged(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_the_log_is_json_line_by_line_without_names_of_files(desk: Desk) -> None:
    result = desk.run("scan", "--log", "json", "--format", "json")

    lines = logged(result.err)
    assert [line["event"] for line in lines] == [
        "scan.scopes_found", "scan.scope_started", "scan.scope_finished", "scan.sealing_started", "scan.recorded",
        "scan.finished",
    ]  # fmt: skip
    assert all(datetime.fromisoformat(str(line["time"])).tzinfo for line in lines)
    assert lines[2]["facts"] == {"resources": 3, "grants": 2}
    assert "plan" not in result.err
    assert lines[-1]["exit_code"] == result.code == 1


def test_a_failure_is_a_line_of_the_log_too(desk: Desk) -> None:
    desk.configure(ledger_at(OUT_OF_REACH))

    result = desk.run("scan", "--log", "json")

    assert logged(result.err)[-1]["error"] == "LedgerUnreachable"
    assert logged(result.err)[-1]["exit_code"] == result.code == 2


def test_health_before_the_first_scan_is_critical(desk: Desk) -> None:
    result = desk.run("health")

    assert result.code == 2
    assert result.out == "CLOUDSCAN CRITICAL - no scan was ever recorded\n"


def test_health_after_a_good_night_is_one_line(desk: Desk) -> None:
    desk.run("scan")

    result = desk.run("health")

    assert result.code == 0
    assert result.out.startswith("CLOUDSCAN OK - the last scan ended ")
    assert result.out.count("\n") == 1


@pytest.mark.parametrize(
    ("broken", "code", "words"),
    [
        ("old", 2, "more than 0 min"),
        ("blind", 1, "1 of 2 scopes could not be read"),
        ("less", 2, "resources fell from 3 to 2"),
        ("died", 2, "did not finish: it was killed, or ended with an error; start `cloudscan scan` again"),
        ("unrecorded", 2, "1 snapshot(s) not recorded"),
        ("ledger", 3, "UNKNOWN"),
    ],
)
def test_health_alarms(desk: Desk, broken: str, code: int, words: str) -> None:
    """A night that did not run, died, was not recorded, was blind or covered less; a ledger out of reach."""
    desk.run("scan")
    more: tuple[str, ...] = ()
    if broken == "old":
        more = ("--max-age", "0m")
    elif broken == "blind":
        (desk.folder / "company" / "board.json").write_text("no JSON")
        desk.run("scan")
    elif broken == "less":
        desk.shelve(plan="everybody")
        desk.run("scan")
    elif broken == "died":
        spool = desk.folder / HOME / "snapshots" / "29991231T000000.000000Z" / "spool"
        spool.mkdir(parents=True)
        record = {"id": "x", "started_on": "2026-01-01T03:00:00Z", "connectors": ["toy"]}
        (spool / "scan.json").write_text(json.dumps(record))
    elif broken == "unrecorded":
        store.owe(snapshots(desk)[0])
    else:
        desk.configure(ledger_at(OUT_OF_REACH))

    result = desk.run("health", *more)

    assert result.code == code
    assert words in result.out


def test_a_running_scan_is_no_dead_one(desk: Desk) -> None:
    desk.run("scan")
    store.owe(snapshots(desk)[0])

    with lock.exclusive(desk.folder / HOME):
        result = desk.run("health")

    assert result.code == 0


def test_health_speaks_json_and_prometheus(desk: Desk) -> None:
    desk.run("scan")

    content = desk.run("health", "--format", "json").json
    numbers = desk.run("health", "--format", "prometheus", "--metrics", "health.prom")

    assert (content["status"], content["code"]) == ("OK", 0)
    assert "cloudscan_health_status 0\n" in numbers.out
    assert (desk.folder / "health.prom").read_text().startswith("# HELP cloudscan_health_status")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--max-age", "5x"],
        ["--nonsense"],
        ["--max-drop", "-1"],
        ["--format", "xml"],
        ["--config", "nowhere.toml"],
        ["--metrics", "cloudscan.toml/metrics.prom"],
        ["surplus"],
    ],
)
def test_health_with_wrong_options_is_unknown_and_no_alarm(desk: Desk, arguments: list[str]) -> None:
    result = desk.run("health", *arguments)

    assert result.code == 3
    assert result.out.startswith("CLOUDSCAN UNKNOWN - ")
    assert result.out.count("\n") == 1


def test_a_ledger_that_became_an_empty_file_is_no_new_one(desk: Desk) -> None:
    """Its history and waivers would be gone without a word. Who wants that removes the file."""
    desk.run("scan")
    ledger = desk.folder / HOME / "ledger.db"
    ledger.write_bytes(b"")

    refused = [desk.run(*command) for command in (["scan"], ["findings"], ["waive", "list"])]
    code = desk.run("health").code
    ledger.unlink()
    before = desk.run("findings")
    anew = desk.run("scan")

    assert [one.code for one in refused] == [2, 2, 2]
    assert all("ledger.db is an empty file, but .cloudscan has reports or snapshots" in one.err for one in refused)
    assert code == 3
    assert "no scan yet" in before.err or "no findings yet" in before.err
    assert "a new history begins, without waivers" in anew.err
    assert anew.code == 1


def test_what_only_reads_leaves_the_folder_as_it_is(desk: Desk) -> None:
    """No lock, no journal, no cache: a folder that may only be read is enough, and an older ledger stays old."""
    desk.run("scan")
    desk.run("scan")
    ledger = desk.folder / HOME / "ledger.db"
    before = {path: path.stat().st_mtime_ns for path in (desk.folder / HOME).rglob("*")}

    for command in ("findings", "diff", "trend", "gaps", "health", "report -o -", "waive list", "query --tables"):
        assert desk.run(*command.split()).code == 0, command

    assert {path: path.stat().st_mtime_ns for path in (desk.folder / HOME).rglob("*")} == before
    with closing(sqlite3.connect(ledger)) as db, db:
        db.execute("UPDATE alembic_version SET version_num = '0005'")
    old = desk.run("findings")
    assert (old.code, desk.run("health").code) == (2, 3)
    assert "run `cloudscan ledger upgrade` once" in old.err
