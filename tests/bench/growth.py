"""How processor time grows with the input: twice as much of it should take about twice as long.

    PYTHONPATH=.:connectors:reports python tests/bench/growth.py [--save]

Prints seconds and ratios, and ends with 1 where a ratio is above the limit. `--help` is held against an empty program.
"""

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from cloudscan import plugins
from cloudscan.engine.loader import load
from cloudscan.report import pieces
from cloudscan_emulators.microsoft import company
from tests.bench.figures import Bench, Figure, save
from tests.bench.tickets import GroupBy, night
from tests.reports.synthetic import report

LIMIT: Final = 2.6
"""Of a ratio for twice the input: what grows with the square of it comes to four."""
HELP_LIMIT: Final = 8.0
"""How many times an empty Python program `cloudscan --help` may cost."""

SMALL: Final = {"--version": 2.0, "--help": 2.0, "rules show s3-public-read-by-policy": 6.0, "rules list": 6.0}
"""Questions that need neither ledger nor snapshot, and how many times `import click` each may cost."""

TRIED: Final = (
    "Tickets: standing tickets are put into words each night, since the digest in a ticket is of its text; a digest of "
    "what the text is made from would rewrite every ticket once.",
    "Tickets: without the garbage collector planning takes a tenth less.",
)

_RULE: Final = next(plugins.bundled_rules().rglob("s3-public-read-by-policy.yaml"))


def measure(work: Callable[[int], object], size: int) -> float:
    """Seconds of processor time, the best of three."""
    times = []
    for _ in range(3):
        begin = time.process_time()
        work(size)
        times.append(time.process_time() - begin)
    return min(times)


def ratio(name: str, work: Callable[[int], object], size: int) -> Figure:
    """How long twice the size takes, and half of it."""
    work(size // 10)  # imports, templates
    one, two = measure(work, size), measure(work, 2 * size)
    print(f"{name:>28}: {size:>7,} in {one:6.2f} s, twice as many in {two:6.2f} s: {two / one:.1f} times", flush=True)
    return Figure(
        work=f"{name}, {2 * size:,}",
        ours=round(two, 2),
        unit="s CPU",
        reference=round(one, 2),
        against="half of it",
        wanted=f"≤ {LIMIT} times",
    )


def question(words: str, click: float, most: float) -> Figure:
    """What a small question costs, held against what every one imports."""
    seconds = child_seconds("-m", "cloudscan", *words.split())
    print(f"{f'cloudscan {words}':>28}: {seconds:.2f} s, import click {click:.2f} s: {seconds / click:.1f} times")
    return Figure(
        work=f"`cloudscan {words}`",
        ours=round(seconds, 3),
        unit="s CPU",
        reference=round(click, 3),
        against="`import click` alone",
        wanted=f"≤ {most:g} times",
    )


def _times(figure: Figure) -> float:
    return figure.ours / figure.reference if figure.reference else 0.0


def load_rules(number: int) -> None:
    """Copies of one rule under other names, each of them parsed anew."""
    with tempfile.TemporaryDirectory() as folder:
        for index in range(number):
            name = f"rule-{number}-{time.monotonic_ns()}-{index}"
            text = _RULE.read_text().replace(f"id: {_RULE.stem}", f"id: {name}")
            (Path(folder) / f"{name}.yaml").write_text(text.replace("query: |", f"query: |\n  -- {name}", 1))
        shutil.copytree(_RULE.parents[1] / "frameworks", Path(folder) / "frameworks")
        shutil.copy(_RULE.parents[1] / "remedies.yaml", folder)
        assert len(load([Path(folder)])) == number


def write_report(name: str) -> Callable[[int], object]:
    format_, kept = plugins.report_format(name), cache(report)
    return lambda findings: sum(map(len, pieces(format_.write(kept(findings), "ja"))))


def plan_tickets(group_by: GroupBy) -> Callable[[int], object]:
    """Every finding has its ticket, a tenth of them is gone."""
    kept = cache(lambda findings: night(findings, findings // 10, group_by=group_by))
    return lambda findings: kept(findings).planned()


def child_seconds(*arguments: str) -> float:
    """Processor time of a Python program of its own, the best of five."""
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def main() -> int:
    growths = [
        ratio("tickets, one a fix", plan_tickets("fix"), 5_000),
        ratio("tickets, one an owner", plan_tickets("owner"), 5_000),
        ratio("loading rules", load_rules, 100),
        ratio("Microsoft company in memory", company.build, 50_000),
        *(ratio(f"report as {name}", write_report(name), 5_000) for name in plugins.format_names() if name != "pdf"),
    ]
    click = child_seconds("-c", "import click")
    small = [question(words, click, most) for words, most in SMALL.items()]
    empty, shown = child_seconds("-c", "pass"), child_seconds("-m", "cloudscan", "--help")
    print(f"{'cloudscan --help':>28}: {shown:.2f} s, an empty program {empty:.2f} s: {shown / empty:.1f} times")
    if "--save" in sys.argv:
        save(
            Bench(
                bench="growth",
                command="PYTHONPATH=.:connectors:reports python tests/bench/growth.py --save",
                measured_on=f"{datetime.now(UTC):%Y-%m-%d}",
                figures=[*growths, *small],
                tried=TRIED,
            )
        )
    too_dear = [one for one, most in zip(small, SMALL.values(), strict=True) if _times(one) > most]
    return int(bool(too_dear) or max(map(_times, growths)) > LIMIT or shown / empty > HELP_LIMIT)


if __name__ == "__main__":
    sys.exit(main())
