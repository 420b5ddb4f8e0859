"""What small questions cost: processor time of a whole command, against a Python that imports click.

    PYTHONPATH=.:connectors:reports python tests/bench/startup.py [--save]

In an empty folder, so that what is measured is the start. The first call of each, which compiles, does not count.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.bench.figures import Bench, Figure, save

WANTED: Final = 6.0
COMMANDS: Final = (("trend",), ("health",), ("findings",), ("diff",), ("waive", "list"))


def seconds(arguments: list[str], folder: Path) -> float:
    """Processor time of a Python program, the best of seven."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    here = [str(Path(part).absolute()) for part in os.environ.get("PYTHONPATH", "").split(":") if part]
    environment["PYTHONPATH"] = ":".join(here)
    times = []
    for _ in range(8):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, check=False, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times[1:])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--save", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        click = seconds(["-c", "import click"], folder)
        sql = seconds(["-c", "import click, sqlalchemy"], folder)
        told = [
            Figure(
                work=f"cloudscan {' '.join(command)}, without a scan",
                ours=round(1000 * seconds(["-m", "cloudscan", *command], folder)),
                unit="ms of processor time",
                reference=round(1000 * click),
                against="import click",
                wanted=f"≤ {WANTED:g} times",
                limit=f"import click and sqlalchemy: {1000 * sql:.0f} ms",
            )
            for command in COMMANDS
        ]
    for figure in told:
        print(f"{figure.work:45}: {figure.ours:5.0f} ms, {figure.ours / (1000 * click):4.1f} times; {figure.limit}")
    if arguments.save:
        save(
            Bench(
                bench="startup",
                command="PYTHONPATH=.:connectors:reports python tests/bench/startup.py --save",
                measured_on=f"{datetime.now(UTC):%Y-%m-%d}",
                figures=told,
            )
        )


if __name__ == "__main__":
    main()
