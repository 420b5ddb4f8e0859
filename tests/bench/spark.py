"""Judge an estate on Spark and with DuckDB: `python tests/bench/spark.py --scale 1` is a million resources.

The estate and the rules are those of `tests/bench/engine.py`. CPU time is that of all processes below this one, since
Java is one of them; that Spark starts is not counted.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parents[2]))

from cloudscan.engine import loader
from cloudscan.engine.judge import judge
from cloudscan.plugins import bundled_rules
from cloudscan.snapshot import seal
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.spark.judging import SparkFolding
from cloudscan.spark.session import Cluster, session
from cloudscan.spark.tables import files_of
from tests.bench.engine import measured, write_spool
from tests.bench.figures import Bench, Figure, save

MASTER = "local[2]"
TICK = os.sysconf("SC_CLK_TCK")

Result = TypeVar("Result")


def cpu_seconds(process: int) -> float:
    """Used so far by a process and by what it started, as Linux tells."""
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    own = sum(map(int, fields[11:15])) / TICK
    children = Path(f"/proc/{process}/task").glob("*/children")
    return own + sum(cpu_seconds(int(child)) for file in children for child in file.read_text("utf-8").split())


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    before = cpu_seconds(os.getpid())
    result = work()
    return result, cpu_seconds(os.getpid()) - before


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--scale", type=float, default=1, help="millions of resources (grants: half as many again)")
    arguments.add_argument("--save", action="store_true", help="keep the figures for docs/performance.md")
    options = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        measured("write", lambda: write_spool(folder, options.scale))
        rules = loader.load([bundled_rules()])
        measured("seal", lambda: seal.seal(folder))
        with Snapshot.open(folder) as snapshot, session(Cluster(master=MASTER)) as spark:
            here, duckdb_seconds = timed(lambda: judge(snapshot, rules))
            with closing(SparkFolding(spark, files_of(folder))) as folding:
                there, spark_seconds = timed(lambda: judge(snapshot, rules, folding=folding))
        if (there.tallies, there.verdicts) != (here.tallies, here.verdicts):
            print("the verdicts differ", file=sys.stderr)
            return 1
    finally:
        shutil.rmtree(folder)
    print(
        f"Spark {spark_seconds:.1f} s CPU, DuckDB {duckdb_seconds:.1f} s CPU, {spark_seconds / duckdb_seconds:.1f} : 1"
    )
    if options.save:
        work = f"{len(rules)} shipped rules on {options.scale:g} million resources on Spark, {MASTER}; equal verdicts"
        figure = Figure(work=work, ours=spark_seconds, unit="s CPU", reference=duckdb_seconds, against="DuckDB, here")
        save(
            Bench(
                bench="spark",
                command=f"python tests/bench/spark.py --scale {options.scale:g}",
                measured_on=datetime.now(UTC).date().isoformat(),
                figures=[figure],
                tried=[
                    "All passes in one job by UNION ALL: Spark plans the whole of it anew after each stage, so that 40 "
                    "passes together took many times as long as one after the other; they run four at a time instead.",
                ],
            )
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
