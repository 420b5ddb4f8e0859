"""A database that goes away: the ledger waits for it, and a scan is entered once, whatever became of the answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from cloudscan.engine.judge import judge
from cloudscan.errors import LedgerUnreachable
from cloudscan.ledger.ledger import Ledger
from cloudscan.report import Report
from tests.kit.toy_cloud import rules
from tests.ledger.conftest import Album, Nights

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


class Wire:
    """A wire to a PostgreSQL socket that can be cut: at once, or when the answer to a commit is on its way."""

    def __init__(self, folder: Path, server: str) -> None:
        self.path = folder / ".s.PGSQL.5432"
        self.cut = False
        self.cut_at_commit = False
        self._server = server
        self._ends: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        self.hang_up()

    def hang_up(self) -> None:
        while self._ends:
            end = self._ends.pop()
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.cut:
                    client.close()
                    continue
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                self._ends += [client, server]
                asked = threading.Event()
                for source, target, commits in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._carry, args=(source, target, commits, asked), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, commits: bool, asked: threading.Event) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if commits and self.cut_at_commit and b"COMMIT" in data:
                    asked.set()
                elif asked.is_set() and not commits:
                    self.cut_at_commit = False
                    self.hang_up()
                    return
                target.sendall(data)


@pytest.fixture
def wire(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    folder = tmp_path_factory.mktemp("w")
    wire = Wire(folder, f"{sa.make_url(postgres).query['host']}/.s.PGSQL.5432")
    yield wire
    wire.close()


@pytest.fixture
def through(wire: Wire, postgres: str) -> str:
    """An empty schema behind the wire."""
    with sa.create_engine(postgres, poolclass=sa.NullPool).begin() as db:
        db.execute(sa.text("DROP SCHEMA IF EXISTS wired CASCADE"))
        db.execute(sa.text("CREATE SCHEMA wired"))
    return f"postgresql+psycopg://auditor@/postgres?host={wire.path.parent}&options=-csearch_path%3Dwired"


def entered(nights: Nights, night: int) -> Report:
    """Always the same scan of a night, as one that is tried again."""
    snapshot = nights.album.snapshot(nights.company, START + timedelta(days=night))
    return nights.ledger.record(snapshot, judge(snapshot, rules()))


def test_a_database_that_is_gone_for_a_while_is_waited_for(
    wire: Wire, through: str, tmp_path: Path, album: Album
) -> None:
    nights = Nights(tmp_path, Ledger(through, wait_seconds=30), album)
    nights.scan(plan="everybody", on=START)
    wire.cut = True
    wire.hang_up()
    threading.Timer(1.0, lambda: setattr(wire, "cut", False)).start()

    report = entered(nights, 1)

    assert len(report.findings) == 1
    assert [event.kind for event in nights.ledger.events()] == ["opened"]
    assert len(nights.ledger.trend()) == 2


def test_a_scan_whose_commit_was_never_answered_is_entered_once(
    wire: Wire, through: str, tmp_path: Path, album: Album
) -> None:
    nights = Nights(tmp_path, Ledger(through, wait_seconds=30), album)
    nights.scan(plan="company", on=START)
    wire.cut_at_commit = True

    report = nights.scan(plan="everybody", on=START + timedelta(days=1))

    assert not wire.cut_at_commit
    assert len(report.findings) == 1
    assert [event.kind for event in nights.ledger.events()] == ["opened"]
    assert len(nights.ledger.trend()) == 2


def test_patience_ends(wire: Wire, through: str, tmp_path: Path, album: Album) -> None:
    """Then one sentence says what to check."""
    nights = Nights(tmp_path, Ledger(through, wait_seconds=1), album)
    wire.cut = True

    with pytest.raises(LedgerUnreachable, match="Check the URL, the server and the permissions"):
        nights.scan(plan="everybody", on=START)
