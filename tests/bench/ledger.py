"""What a night costs the ledger: processor time, memory, and what PostgreSQL writes to its log.

    PYTHONPATH=.:connectors:reports python tests/bench/ledger.py [--findings 10000] [--nights 4] [--save]

The first night finds everything; then come a quiet night, one on which 1% changed (a third is gone, a third new, a
third reaches further), and so many quiet ones more. Each night is a process of its own: what counts is its processor
time inside `Ledger.record`, and its peak of memory above what held the verdicts. On SQLite and on PostgreSQL, if that
is installed; its server's own processor time is not counted.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import sqlalchemy as sa

from cloudscan.engine.judge import judge
from cloudscan.finding import Verdict
from cloudscan.ledger.ledger import Ledger
from tests.bench.figures import Bench, Figure, save
from tests.kit import postgres
from tests.kit.toy_cloud import rules, shelve, snapshot_of
from tests.reports.synthetic import RULES, report

START: Final = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
ORDINARY: Final = "-c shared_buffers=128MB"
"""A server as it is installed, but for where it listens."""


TRIED: Final = (
    "Writing only the day of unchanged findings: PostgreSQL writes whole rows, its log stays as large.",
    "Switching the garbage collector off: 0.27 of 1.05 s, now won by records that it need not look at.",
)


class Night(NamedTuple):
    """What one night cost."""

    name: str
    seconds: float  # of processor time
    peak: float  # KiB above the verdicts
    log: float  # MB that PostgreSQL wrote to its log; 0 on SQLite


def verdicts(findings: int) -> list[Verdict]:
    """Verdicts about so many things of the toy company."""
    made = (finding.verdict for finding in report(findings).findings)
    return [
        msgspec.structs.replace(one, subject=msgspec.structs.replace(one.subject, platform="toy", account="toy"))
        for one in made
    ]


def changed(before: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts after a night on which 1% of them changed."""
    there = list(before)
    for index in range(0, len(before), 100):
        one = before[index]
        match index // 100 % 3:
            case 0:
                there[index] = msgspec.structs.replace(one, identity=(f"{one.identity[0]}-new",))
            case 1:
                there[index] = msgspec.structs.replace(one, resources=one.resources * 3)
            case _:
                there[index] = there[index - 1]
    return list({one.fingerprint: one for one in there}.values())


def memory(what: str) -> int:
    """KiB of this process: `VmRSS` now, `VmHWM` at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:"))


def record(url: str, folder: Path, file: Path, on: datetime) -> tuple[float, float]:
    """Record one night: seconds of processor time, and KiB above the verdicts."""
    texts = {rule.id: rule for rule in RULES}
    (toy,) = rules()
    applied = [
        msgspec.structs.replace(
            toy, id=name, severity=rule.severity, likelihood=rule.likelihood, text=rule.text, version=rule.version
        )
        for name, rule in texts.items()
    ]
    with closing(snapshot_of(folder / "company", folder / f"night-{on:%Y%m%d%H%M}")) as snapshot:
        scan = msgspec.structs.replace(snapshot.scan, started_on=on, finished_on=on)
        dated = type(snapshot)(snapshot.path, msgspec.structs.replace(snapshot.manifest, scan=scan), snapshot.db)
        judged = judge(dated, applied)
        flagged = msgspec.json.decode(file.read_bytes(), type=tuple[Verdict, ...])
        judged = replace(judged, verdicts=flagged)
        ledger = Ledger(url)
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before, began = memory("VmRSS"), time.process_time()
        ledger.record(dated, judged)
        return time.process_time() - began, memory("VmHWM") - before


def measure(url: str, findings: int, quiet: int) -> list[Night]:
    """All nights of one ledger."""
    nights = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shelve(folder / "company", {"plan": "me"})
        Ledger(url.replace("FOLDER", name)).upgrade()
        made = verdicts(findings)
        (folder / "standing.json").write_bytes(msgspec.json.encode(made))
        (folder / "changed.json").write_bytes(msgspec.json.encode(changed(made)))
        plan = [
            ("first", "standing"),
            ("quiet", "standing"),
            ("1% changed", "changed"),
            *[("quiet", "changed")] * quiet,
        ]
        for number, (title, file) in enumerate(plan):
            at = _position(url)
            arguments = (url.replace("FOLDER", name), folder, folder / f"{file}.json", START + timedelta(days=number))
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
                seconds, peak = process.submit(record, *arguments).result()
            nights.append(Night(title, seconds, peak, (_position(url) - at) / 1e6))
            print(
                f"  night {number + 1}, {title:<10}: {seconds:5.2f} s, {peak / findings:4.1f} KiB a finding, "
                f"log {nights[-1].log:5.1f} MB",
                flush=True,
            )
    return nights


def _position(url: str) -> int:
    """How far PostgreSQL's log has been written."""
    if not url.startswith("postgresql"):
        return 0
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as db:
        return int(db.execute(sa.text("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")).scalar() or 0)


def figures(kind: str, nights: Sequence[Night], findings: int) -> list[Figure]:
    first, quiet, one_percent, *later = nights
    told = [
        Figure(
            work=f"{kind}: {title}, {findings:,} findings",
            ours=round(night.seconds, 2),
            unit="s of processor time",
            reference=round(first.seconds, 2),
            against="the first night",
            wanted=wanted,
        )
        for title, night, wanted in (
            ("a quiet night", quiet, "≤ 0.5 of it"),
            ("a night with 1% changed", one_percent, ""),
            *((("the last of the quiet nights", later[-1], "≤ 1.2 of the second night"),) if later else ()),
        )
    ]
    told.append(
        Figure(
            work=f"{kind}: memory of a quiet night, a finding, above its verdicts",
            ours=round(quiet.peak / findings, 1),
            unit="KiB",
            reference=round(first.peak / findings, 1),
            against="the first night",
            wanted="≤ 3 KiB",
        )
    )
    if quiet.log:
        told.append(
            Figure(
                work=f"{kind}: written to its log (WAL) on a quiet night",
                ours=round(quiet.log, 2),
                unit="MB",
                reference=round(first.log, 2),
                against="the first night",
                wanted="≤ 2 MB",
            )
        )
    return told


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--findings", type=int, default=10_000)
    parser.add_argument("--nights", type=int, default=2, help="quiet nights at the end")
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--save", action="store_true")
    arguments = parser.parse_args()
    told: list[Figure] = []
    if arguments.only != "postgresql":
        print("SQLite", flush=True)
        told += figures(
            "SQLite", measure("sqlite:///FOLDER/ledger.db", arguments.findings, arguments.nights), arguments.findings
        )
    home = postgres.programs()
    if home is not None and arguments.only != "sqlite":
        print("PostgreSQL", flush=True)
        with postgres.server(home, ORDINARY) as url:
            told += figures("PostgreSQL", measure(url, arguments.findings, arguments.nights), arguments.findings)
    if arguments.save:
        save(
            Bench(
                bench="ledger",
                command="PYTHONPATH=.:connectors:reports python tests/bench/ledger.py --save",
                measured_on=f"{datetime.now(UTC):%Y-%m-%d}",
                figures=told,
                tried=TRIED,
            )
        )


if __name__ == "__main__":
    main()
