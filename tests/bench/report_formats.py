"""How long each format takes, how large its file is, and how much memory it needs beside the report itself.

    PYTHONPATH=.:connectors:reports python tests/bench/report_formats.py [--findings N] [--save] [format …]

Each format runs in a process of its own, so that one's memory is not another's. The reference is the same findings
encoded as JSON lines and dropped, which is what no machine format can do without.
"""

import argparse
import multiprocessing
import resource
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection

import msgspec

from cloudscan import plugins
from cloudscan.report import pieces
from tests.bench.figures import Bench, Figure, save
from tests.reports.synthetic import report

STREAMED = ("json", "ndjson", "csv", "sarif", "ocsf", "asff", "junit")


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What one format took."""

    name: str
    megabytes: float  # of the file
    seconds: float  # of the processor
    bare: float  # the same for the reference
    beside: float  # megabytes beside the report


def peak() -> float:
    """Megabytes that this process had at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name: str, findings: int, answer: Connection) -> None:
    made = report(findings)
    begin = time.process_time()
    for finding in made.findings:
        msgspec.json.encode(finding)
    bare = time.process_time() - begin
    before = peak()
    begin = time.process_time()
    size = sum(map(len, pieces(plugins.report_format(name).write(made, "ja"))))
    took = time.process_time() - begin
    answer.send(Measured(name=name, megabytes=size / 1e6, seconds=took, bare=bare, beside=peak() - before))


def figures(measured: Measured, findings: int) -> list[Figure]:
    work = f"{findings:,} findings as {measured.name}"
    wanted = "≤ 100" if measured.name in STREAMED else ""
    return [
        Figure(
            work=work,
            ours=round(measured.seconds, 2),
            unit="s CPU",
            reference=round(measured.bare, 2),
            against="encoding each finding as JSON and dropping it",
            wanted="≤ 1" if measured.name == "markdown" else "",
        ),
        Figure(
            work=f"{work}, a file of {measured.megabytes:,.1f} MB",
            ours=round(measured.beside, 1),
            unit="MB beside the report",
            wanted=wanted,
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--findings", type=int, default=100_000)
    parser.add_argument("--save", action="store_true")
    parser.add_argument("formats", nargs="*", default=[name for name in plugins.format_names() if name != "pdf"])
    arguments = parser.parse_args()
    found: list[Measured] = []
    for name in arguments.formats:
        mine, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(name, arguments.findings, theirs))
        process.start()
        theirs.close()  # so that a process that ends without an answer ends the bench
        one: Measured = mine.recv()
        process.join()
        found.append(one)
        print(
            f"{one.name:>10}: {one.megabytes:7.2f} MB in {one.seconds:6.1f} s of the processor (bare {one.bare:.1f}), "
            f"{one.beside:6.0f} MB beside the report",
            flush=True,
        )
    if arguments.save:
        save(
            Bench(
                bench="report_formats",
                command="PYTHONPATH=.:connectors:reports python tests/bench/report_formats.py --save",
                measured_on=f"{datetime.now(UTC):%Y-%m-%d}",
                figures=[figure for one in found for figure in figures(one, arguments.findings)],
            )
        )


if __name__ == "__main__":
    main()
