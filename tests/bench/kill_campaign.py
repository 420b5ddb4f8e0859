"""Kill `cloudscan scan` at every write, start it again, and hold the outcome against a run that was never killed.

    PYTHONPATH=.:connectors:reports python tests/bench/kill_campaign.py [--every 1] [--twice]

The company is the toy connector's. Two nights are tried: the first, which makes everything, and a second one with a
ledger, an earlier snapshot and cursors. Each point is a process of its own that is killed with SIGKILL at its n-th
write (`tests.crash.tracer`) and one that is not; with `--twice` the second one is killed as well, and a third goes
on.
What must be the same: facts, findings, events, exposure periods, scans, and that nothing half-written is left.
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cli.conftest import CONFIG, RULES, TOY, install
from tests.crash import tracer
from tests.crash.tracer import Ended
from tests.kit.toy_cloud import shelve

NIGHTS = (
    {"sales": {"plan": "everybody", "notes": "me", "old": "the web"}, "board": {"minutes": "company"}},
    {"sales": {"plan": "company", "notes": "everybody"}, "board": {"minutes": "the web"}},
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a campaign came to."""

    points: int  # writes of a run that nobody kills
    tried: int
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


def campaign(folder: Path, every: int, *, twice: bool = False, first: int = 1) -> list[Outcome]:
    """Try each n-th point of both nights. `folder` is for the companies."""
    site = folder / "site"
    install(site, "cloudscan-toy", "connectors", "toy = cloudscan_toy:PLUGIN")
    sys.path[:0] = [str(site), str(TOY)]
    sys.dont_write_bytecode = True  # a module that only the first run compiles would shift the writes of all others
    _import_everything()
    _read_rules()
    start = folder / "start"
    start.mkdir()
    (start / "cloudscan.toml").write_text(CONFIG)
    nights = []
    for number, shelves in enumerate(NIGHTS, start=1):
        for shelf, documents in shelves.items():
            shelve(start / "company", documents, shelf)
        nights.append(_night(start, folder, number, every, first, twice))
        _scan(start)
    return nights


def _night(start: Path, folder: Path, number: int, every: int, first: int, twice: bool) -> Outcome:
    begun = time.monotonic()
    desk = folder / "desk"
    points, expected = _scan(_copy(start, desk)).writes, _state(desk)
    wrong = []
    tried = range(first, points + 1, every)
    dice = random.Random(number)
    for point in tried:
        _copy(start, desk)
        if _scan(desk, point).code is not None:
            wrong.append(f"night {number}, write {point}: was not killed")
        ended = _scan(desk, dice.randint(1, points) if twice else None)
        if ended.code is None:
            ended = _scan(desk)
        if ended.code != 1:
            wrong.append(f"night {number}, write {point}: exit code {ended.code}: {(desk / 'said').read_text()[-400:]}")
        elif (state := _state(desk)) != expected:
            differs = [name for name, value in expected.items() if state[name] != value]
            wrong.append(f"night {number}, write {point}: other {', '.join(differs)}")
    return Outcome(points=points, tried=len(tried), wrong=wrong, seconds=time.monotonic() - begun)


def _copy(start: Path, desk: Path) -> Path:
    shutil.rmtree(desk, ignore_errors=True)
    shutil.copytree(start, desk)
    return desk


def _scan(desk: Path, kill_at: int | None = None) -> Ended:
    def work() -> int:
        from cloudscan.cli.main import run

        os.chdir(desk)
        said = os.open("said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1)
        os.dup2(said, 2)
        code = run(["scan"])
        sys.stdout.flush()
        return code

    return tracer.run(work, kill_at)


def _state(desk: Path) -> dict[str, Any]:
    """All that a later night, a person or a report could see, without times and ids."""

    def look() -> dict[str, Any]:
        import sqlite3

        from cloudscan.snapshot.snapshot import Snapshot

        home = desk / ".cloudscan"
        facts = []
        for folder in sorted((home / "snapshots").iterdir()):
            with Snapshot.open(folder) as snapshot:
                rows = [
                    sorted(map(repr, snapshot.query(f"SELECT * FROM {table}").rows))
                    for table in ("resources", "grants", "exposures", "coverage", "settings")
                ]
                facts.append([rows, snapshot.scan.complete, dict(snapshot.scan.resources)])
        database = sqlite3.connect(home / "ledger.db")
        nights = {
            row[0]: number for number, row in enumerate(database.execute("SELECT id FROM scans ORDER BY started_on"))
        }
        ask: Callable[[str], list[Any]] = lambda sql: database.execute(sql).fetchall()  # noqa: E731
        return {
            "facts": facts,
            "findings": ask("SELECT fingerprint, state, verified FROM findings ORDER BY 1"),
            "events": [
                (fingerprint, kind, reason, nights.get(scan))
                for fingerprint, kind, reason, scan in ask(
                    "SELECT fingerprint, kind, reason, scan_id FROM events ORDER BY fingerprint, id"
                )
            ],
            "exposure_periods": ask(
                "SELECT fingerprint, severity, waived, audience, access, resources, to_on IS NULL "
                "FROM exposure_periods ORDER BY fingerprint, from_on"
            ),
            "scans": ask("SELECT complete, figures FROM scans ORDER BY started_on"),
            "reports": len(list((home / "reports").glob("*.html"))),
            "files": sorted(
                {
                    path.name
                    for path in home.rglob("*")
                    if path.is_file()
                    and path.suffix not in (".html", ".gz", ".parquet")
                    and len(path.stem) < 30  # those of scopes are called by a hash
                }
            ),
            "kept": len(list(home.rglob("*.jsonl.gz"))),
        }

    content: dict[str, Any] = json.loads(_told_by_child(look))
    return content


def _told_by_child(look: Callable[[], Any]) -> bytes:
    """The answer of a function that may start threads, which this process must not have."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            os.close(reading)
            with os.fdopen(writing, "wb") as out:
                out.write(json.dumps(look()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        content = answer.read()
    os.wait()
    return content


def _import_everything() -> None:
    """Once for all processes: most of a second each."""
    import importlib

    for name in (
        "alembic.command", "cloudscan.cli.main", "cloudscan.cli.output", "cloudscan.cli.progress",
        "cloudscan.cli.scan", "cloudscan.ledger.ledger", "cloudscan.nightly.metrics",
        "cloudscan.nightly.retention", "cloudscan.engine.loader",
        "cloudscan.nightly.scan", "cloudscan.snapshot.sql", "cloudscan_reports.page.html",
        "cloudscan_reports.formats.text",
        "cloudscan_toy",
        "duckdb", "jinja2", "sqlalchemy.dialects.sqlite", "sqlite3",
    ):  # fmt: skip
        importlib.import_module(name)


def _read_rules() -> None:
    """Once for all processes, which inherit what parsing and checking them came to."""
    from cloudscan.engine.loader import load
    from cloudscan.plugins import bundled_rules

    load([bundled_rules(), RULES])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="try each n-th write only")
    parser.add_argument("--first", type=int, default=1, help="the first write to try")
    parser.add_argument("--twice", action="store_true", help="kill the second run too, anywhere")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        nights = campaign(Path(folder), given.every, twice=given.twice, first=given.first)
    for number, night in enumerate(nights, start=1):
        print(
            f"night {number}: {night.points} writes, killed at {night.tried} of them, "
            f"{len(night.wrong)} came out otherwise, {night.seconds:.0f} s"
        )
        print("".join(f"  {line}\n" for line in night.wrong), end="")
    return int(any(night.wrong for night in nights))


if __name__ == "__main__":
    sys.exit(main())
