"""How long each format takes, how large its file is, and how much memory it needs beside the report itself.

    PYTHONPATH=.:connectors:reports python tests/bench/report_formats.py [--findings N] [format …]

Each format runs in a process of its own, so that one's memory is not another's.
"""

import argparse
import multiprocessing
import resource
import time

from cloudscan import plugins
from tests.reports.synthetic import report


def peak() -> float:
    """Megabytes that this process had at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name: str, findings: int) -> None:
    made = report(findings)
    before = peak()
    begin = time.process_time()
    content = plugins.report_format(name).write(made, "ja")
    took = time.process_time() - begin
    print(
        f"{name:>10}: {len(content) / 1e6:7.2f} MB in {took:6.1f} s of the processor, "
        f"{peak() - before:6.0f} MB beside the report's {before:.0f} MB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--findings", type=int, default=100_000)
    parser.add_argument("formats", nargs="*", default=plugins.format_names())
    arguments = parser.parse_args()
    for name in arguments.formats:
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(name, arguments.findings))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
