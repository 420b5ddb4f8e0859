#!/usr/bin/env python3
"""Write docs/performance.md from what the benches kept in tests/bench/figures, or the file that is named."""

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Bench, Figure, saved

_HEAD = """# What it costs

Every figure is what one run of a bench printed, on two cores; the same command prints it anew. Seconds are those of
the processor, not of the clock. **Absolute values differ between machines by a factor of two; ratios hold**, since a
reference is measured in the same run: a bare loop over the same answers, a plain scan of the same Parquet columns, the
first night. What a figure is aimed at stands beside it, also where it is missed.

This page is made by `tools/performance.py` from `tests/bench/figures`, where each bench keeps its last run (`--save`).
"""


def page(benches: list[Bench]) -> Iterator[str]:
    """The page, line by line."""
    yield _HEAD
    for bench in benches:
        yield f"## {bench.bench.replace('_', ' ')}\n"
        yield f"`{bench.command}`, {bench.measured_on}\n"
        yield "| work | measured | reference | ratio | aim | distance to the limit |"
        yield "| --- | --: | --- | --: | --- | --- |"
        yield from map(_row, bench.figures)
        yield ""
        if bench.tried:
            yield "Tried, and no help:\n"
            yield from (f"- {sentence}" for sentence in bench.tried)
            yield ""


def _row(figure: Figure) -> str:
    reference = ratio = ""
    if figure.reference is not None:
        reference = f"{_number(figure.reference)} {figure.unit}, {figure.against}"
        ratio = _number(figure.ours / figure.reference) if figure.reference else ""
    cells = (figure.work, f"{_number(figure.ours)} {figure.unit}", reference, ratio, figure.wanted, figure.limit)
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _number(value: float) -> str:
    """Three significant digits, thousands set apart."""
    if value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def main() -> None:
    """Write the page."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "performance.md"
    target.write_text("\n".join(page(saved())).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
