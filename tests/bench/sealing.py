"""What sealing costs a resource with 1.5 grants: `PYTHONPATH=.:connectors python tests/bench/sealing.py [--scale 1]`.

The reference is one reading of the same lines by DuckDB, of which nothing but their type is kept: no sealing can do
without. Both in seconds of the processor, each in a process of its own.
"""

import argparse
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from cloudscan.snapshot.seal import seal
from tests.bench.engine import MILLION, measured, write_spool
from tests.bench.figures import Bench, Figure, save

TRIED: Final = (
    "Exposures as a view over grants and resources: writing them is saved (2.7 s CPU for a million resources on the "
    "loaded machine of the trial), but every rule pays for the join (0.5 s).",
    "Other compression of tables (lz4, none, zstd 1), no dictionaries, no bloom filters, larger or smaller row groups: "
    "within 10%. What Parquet costs is the value, and a short text costs eight times as much as a number.",
    "Two or three narrow readings of the lines in place of one stage: what is not written is read again instead.",
    "A stage of one file for each kind of fact (PARTITION_BY): four times as dear. In a file of DuckDB's own: equal.",
)


def bare_reading(folder: Path) -> None:
    """Read all lines once."""
    with duckdb.connect() as db:
        db.execute("SET threads = 2")
        db.execute(
            f"""SELECT count(type) FROM read_json('{folder}/spool/*.jsonl', format = 'newline_delimited',
                                                  columns = {{'type': 'VARCHAR'}})"""
        ).fetchall()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=0.2, help="millions of resources (grants: half as many again)")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where there is room")
    parser.add_argument("--save", action="store_true", help="keep the figures for docs/performance.md")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=options.folder))
    try:
        measured("write", lambda: write_spool(folder, options.scale))
        _, floor, _ = measured("read", lambda: bare_reading(folder))
        _, cpu, peak = measured("seal", lambda: seal(folder))
    finally:
        shutil.rmtree(folder)
    each = options.scale * MILLION / 1e6  # seconds for all are microseconds for one
    size = f"{options.scale * MILLION:,.0f} resources, half as many grants again"
    print(f"sealing {cpu / each:.1f} µs a resource, peak {peak / 2**20:,.0f} MiB")
    print(f"one bare reading of its lines {floor / each:.1f} µs: {cpu / floor:.1f} times")
    if options.save:
        figures = [
            Figure(
                work=f"sealing, {size}", ours=cpu / each, unit="µs CPU a resource", reference=floor / each,
                against="one bare reading of the same lines", wanted="≤ 10 µs on a quiet machine",
            ),
            Figure(work=f"peak of sealing, {size}", ours=peak / 2**20, unit="MiB", wanted="≤ 2,048"),
        ]  # fmt: skip
        command = f"python tests/bench/sealing.py --scale {options.scale:g} --save"
        today = datetime.now(UTC).date().isoformat()
        save(Bench(bench="sealing", command=command, measured_on=today, figures=figures, tried=TRIED))
    return 0


if __name__ == "__main__":
    sys.exit(main())
