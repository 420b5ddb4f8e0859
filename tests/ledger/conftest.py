"""Ledgers to try things on: a SQLite file and a real PostgreSQL, and a company that is scanned night after night."""

import os
import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from cloudscan.engine.judge import judge
from cloudscan.ledger.ledger import Ledger
from cloudscan.report import Report
from cloudscan.snapshot.snapshot import Snapshot
from tests.kit import postgres as postgresql
from tests.kit.toy_cloud import rules, shelve, snapshot_of

_MISSING = "No PostgreSQL for the tests of the ledger. Install it: apt-get install postgresql"
_NUMBERS = count()


class Album:
    """Snapshots of companies, each taken once and dated as wanted: scanning costs more than all that follows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: dict[str, Snapshot] = {}

    def snapshot(self, company: Path, on: datetime) -> Snapshot:
        """The company as it is, as a scan at that time would see it."""
        content = "".join(f"{file.name}:{file.read_text()}" for file in sorted(company.iterdir()))
        if content not in self._taken:
            self._taken[content] = snapshot_of(company, self._folder / str(len(self._taken)))
        taken = self._taken[content]
        scan = msgspec.structs.replace(taken.scan, id=uuid.uuid4().hex, started_on=on, finished_on=on)
        return Snapshot(taken.path, msgspec.structs.replace(taken.manifest, scan=scan), taken.db)

    def close(self) -> None:
        for taken in self._taken.values():
            taken.close()


class Nights:
    """A company that is scanned night after night into one ledger."""

    def __init__(self, folder: Path, ledger: Ledger, album: Album) -> None:
        self.company = folder / "company"
        self.ledger = ledger
        self.album = album

    def scan(self, *, on: datetime | None = None, **documents: str) -> Report:
        shelve(self.company, documents)
        return self.look(on=on)

    def look(self, *, on: datetime | None = None) -> Report:
        """Scan the company as it is; `on` is what the clock says then."""
        snapshot = self.album.snapshot(self.company, on or datetime.now(UTC))
        return self.ledger.record(snapshot, judge(snapshot, rules()), organisation="Acme")


@pytest.fixture(scope="session")
def album(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Album]:
    album = Album(tmp_path_factory.mktemp("album"))
    yield album
    album.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL of our own, reached by a socket. Without one the tests fail in CI, and are skipped elsewhere."""
    home = postgresql.programs()
    if home is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(_MISSING)
    with postgresql.server(home) as url:
        yield url


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger's file with its tables made, to be copied: migrating costs more than most tests."""
    file = tmp_path_factory.mktemp("empty") / "ledger.db"
    Ledger(f"sqlite:///{file}").upgrade()
    return file


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty place of each kind: a file, or a schema on the server."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite"))
    server = str(request.getfixturevalue("postgres"))
    name = f"ledger{next(_NUMBERS)}"
    with sa.create_engine(server, poolclass=sa.NullPool).begin() as db:
        db.execute(sa.text(f"CREATE SCHEMA {name}"))
    return f"{server}&options=-csearch_path%3D{name}"


@pytest.fixture
def nights(tmp_path: Path, url: str, album: Album, empty_ledger: Path) -> Nights:
    if url.startswith("sqlite"):
        shutil.copy(empty_ledger, tmp_path / "ledger.db")
    return Nights(tmp_path, Ledger(url), album)
