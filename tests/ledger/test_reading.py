"""Who only reads the ledger: with no permission to write, beside other readers, beside a scan that writes."""

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import pytest

from cloudscan.engine.judge import judge
from cloudscan.errors import LedgerError
from cloudscan.ledger.database import Database
from cloudscan.ledger.ledger import Ledger
from cloudscan.ledger.waivers import WaiverRequest
from cloudscan.snapshot.snapshot import Snapshot
from tests.kit.toy_cloud import rules, shelve
from tests.ledger.conftest import Nights


@pytest.fixture
def read_only(tmp_path: Path, sqlite: str, empty_ledger: Path) -> Iterator[str]:
    """A ledger whose file and folder nobody may write to."""
    shutil.copy(empty_ledger, tmp_path / "ledger.db")
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "ledger.db", tmp_path)}
    for path, mode in modes.items():
        path.chmod(mode & 0o555)
    yield sqlite
    for path, mode in modes.items():
        path.chmod(mode)


def test_reading_leaves_a_folder_as_it_is(tmp_path: Path, read_only: str) -> None:
    ledger = Ledger(read_only)

    assert (ledger.latest(), ledger.trend(), ledger.events(), ledger.waivers()) == (None, [], [], [])
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.db"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_who_may_not_write_is_told_what_to_check(read_only: str) -> None:
    with pytest.raises(LedgerError, match=r"ledger\.db cannot be written.*check who may write to it and to its folder"):
        Ledger(read_only).upgrade()


def test_a_ledger_that_is_not_there_reads_as_an_empty_one_and_is_not_made(tmp_path: Path, sqlite: str) -> None:
    assert Ledger(sqlite).trend() == []
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_tables_reads_as_an_empty_ledger(url: str) -> None:
    assert Ledger(url).latest() is None


def test_readers_do_not_wait_for_one_another_nor_for_a_writer_at_work(nights: Nights, url: str) -> None:
    """What is being written is seen when it is complete."""
    nights.ledger.upgrade()
    with ExitStack() as stack:
        stack.enter_context(Database(url).transaction())
        for _ in range(3):
            stack.enter_context(Database(url).reading())
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda _: Ledger(url).trend(), range(4)))

    assert answers == [[], [], [], []]


def test_commands_that_read_answer_while_nights_are_recorded(nights: Nights, url: str, tmp_path: Path) -> None:
    """Processes of their own: four times the same question, and the monitor's."""
    nights.scan(plan="everybody")
    (tmp_path / "cloudscan.toml").write_text(f'[ledger]\nurl = "{url}"\n', encoding="utf-8")
    questions = [*[["findings", "--limit", "20", "--format", "json"]] * 4, ["health"]]
    commands = [[sys.executable, "-m", "cloudscan", *question, "--lang", "en"] for question in questions]

    running = [subprocess.Popen(command, cwd=tmp_path, stdout=-1, stderr=-1, text=True) for command in commands]
    while any(process.poll() is None for process in running):
        nights.scan(plan="everybody", minutes="me")
        nights.scan(plan="everybody")
    answers = [(process.returncode, *process.communicate()) for process in running]

    assert [(code, errors) for code, _, errors in answers[:4]] == [(0, "")] * 4
    assert all(json.loads(output) for _, output, _ in answers[:4])
    assert answers[4][1].startswith("CLOUDSCAN ")
    assert "UNKNOWN" not in answers[4][1]


def test_two_who_write_at_once_lose_nothing_and_tell_nothing_twice(nights: Nights, url: str) -> None:
    """Both have the same nights; who comes later waits, and finds that it is recorded."""
    nights.ledger.upgrade()
    snapshots = []
    for day in range(4):
        shelve(nights.company, {"plan": "everybody", f"notes-{day % 2}": "everybody"})
        snapshots.append(nights.album.snapshot(nights.company, datetime(2026, 3, 1 + day, tzinfo=UTC)))
    barrier = Barrier(2)

    def write(name: str) -> list[int]:
        found = []
        for night in snapshots:
            with Snapshot.open(night.path) as opened:
                snapshot = Snapshot(opened.path, night.manifest, opened.db)
                verdicts = judge(snapshot, rules())
                barrier.wait(60)
                found.append(len(Ledger(url).record(snapshot, verdicts, organisation=name).findings))
        return found

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(write, ("Acme", "Acme too")))

    assert answers == [[2] * 4] * 2
    assert len(Ledger(url).trend()) == 4
    told = [(event.fingerprint, event.kind, event.on) for event in Ledger(url).events()]
    assert len(told) == len(set(told)) > 4


def test_a_dry_run_only_reads(nights: Nights, url: str) -> None:
    report = nights.scan(plan="everybody")
    request = WaiverRequest(finding=report.findings[0].fingerprint, owner="Mika Sato", reason="Public.", until=None)

    with Database(url).transaction(), pytest.raises(Exception, match="until"):
        nights.ledger.waive(request, dry_run=True)


def test_what_a_killed_writer_began_is_undone_by_the_next_reader_who_may_write(
    tmp_path: Path, sqlite: str, empty_ledger: Path
) -> None:
    """The journal that it left is rolled back, as SQLite wants it."""
    file = tmp_path / "ledger.db"
    shutil.copy(empty_ledger, tmp_path / "live.db")
    with closing(sqlite3.connect(tmp_path / "live.db", isolation_level=None)) as writer:
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("CREATE TABLE rubbish (text)")
        writer.executemany("INSERT INTO rubbish VALUES (?)", [["x" * 4000]] * 50)
        for suffix in ("", "-journal"):  # as the disk has them at the moment of its death
            shutil.copy(tmp_path / f"live.db{suffix}", f"{file}{suffix}")

    assert Ledger(sqlite).trend() == []
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("SELECT name FROM sqlite_master WHERE name = 'rubbish'").fetchall() == []


@pytest.mark.parametrize(
    ("content", "words"), [(b"no ledger" * 500, "is not a ledger"), (b"SQLite format 3\0" + b"\xff" * 4096, "ledger")]
)
def test_a_damaged_file_is_named_and_not_its_url(tmp_path: Path, sqlite: str, content: bytes, words: str) -> None:
    (tmp_path / "ledger.db").write_bytes(content)

    with pytest.raises(LedgerError) as caught:
        Ledger(sqlite).latest()

    assert words in str(caught.value)
    assert "URL" not in str(caught.value)
