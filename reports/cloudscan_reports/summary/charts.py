"""The page's two charts as SVG, without anything that a strict content security policy refuses.

The result has no style, script, id or address: the page's style sheet colours it, for light, dark and paper. Screen
readers read its title and description. A point stands where its figures are; where points touch, their numbers share a
label.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from markupsafe import Markup, escape

from cloudscan_reports.summary.ranking import Cause
from cloudscan_wording.texts import number

_WIDTH: Final = 560
_LEFT, _RIGHT, _TOP = 64, 16, 14  # margins
_TICK: Final = 18  # from an axis to its labels
_APART: Final = 92  # of two days on the axis
_NEAR: Final = (30.0, 15.0)  # points that are nearer than this share a label
_MOST_DOTS: Final = 60
_LIKELIHOODS: Final = (1, 2, 3, 4, 5)
_IMPACTS: Final = (0, 5, 10, 15, 20)
_STEPS: Final = (1, 2, 2.5, 5, 10)
_PAPER: Final = """
text { fill: #57606a; font-size: 12px; font-family: sans-serif }
.grid { stroke: #c9d1d9 } .axis { stroke: #57606a }
.curve { stroke: #24476b; stroke-width: 2; fill: none } .dot { fill: #24476b }
.label { fill: #1f2328; font-weight: 600 }
"""


_Scale = Callable[[float], float]


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A scan on the curve."""

    on: datetime
    day: str  # as readers write it
    value: float | None  # None: nothing to compare; the curve is interrupted


def risks(causes: Sequence[Cause], *, x_title: str, y_title: str, title: str, description: str) -> Markup:
    """Likelihood across, impact up; each point is a cause's number in the ranking."""
    height, bottom = 300, 46
    across = _scale(0.5, 5.5, _LEFT, _WIDTH - _RIGHT)
    up = _scale(0, 20.5, height - bottom, _TOP)
    points = [(str(order), across(cause.likelihood), up(cause.impact)) for order, cause in enumerate(causes, 1)]
    parts = [
        *_rows(_IMPACTS, up),
        *_columns([(across(n), str(n)) for n in _LIKELIHOODS], height - bottom),
        _text((_LEFT + _WIDTH - _RIGHT) / 2, height - 8, x_title, "middle"),
        f'<text class="title" text-anchor="middle" transform="translate(14 {(height - bottom) / 2:.0f}) rotate(-90)">'
        f"{escape(y_title)}</text>",
        *(_dot(x, y, 5) for _, x, y in points),
        *(_label(group) for group in _near(points)),
    ]
    return _drawn("chart risks", height, title, description, parts)


def trend(marks: Sequence[Mark], *, title: str, description: str) -> Markup:
    """The sum of the scores over time, by the clock and not by the number of scans. Raises ValueError without marks."""
    height, bottom = 190, 30
    first, last = marks[0].on.timestamp(), marks[-1].on.timestamp()
    ticks = round_ticks(max((mark.value for mark in marks if mark.value is not None), default=0.0))
    across = _scale(first, max(last, first + 1), _LEFT, _WIDTH - _RIGHT)
    up = _scale(0, ticks[-1], height - bottom, _TOP)
    placed = [(across(mark.on.timestamp()), mark) for mark in marks]
    points = [(x, up(mark.value)) if mark.value is not None else None for x, mark in placed]
    parts = [
        *_rows(ticks, up),
        *_columns(_spread(placed), height - bottom, at_ends=True),
        *(
            f'<polyline class="curve" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in run)}"/>'
            for run in _runs(points)
        ),
        *(_dot(point[0], point[1], 3) for point in points if point and len(points) <= _MOST_DOTS),
    ]
    return _drawn("chart trend", height, title, description, parts)


def on_paper(chart: Markup) -> Markup:
    """The chart with its own colours, dark on white: on paper no style sheet applies to a picture."""
    opening, closed, rest = chart.partition(">")
    return opening + closed + Markup(f"<style>{_PAPER}</style>") + rest  # noqa: S704


def round_ticks(highest: float) -> Sequence[float]:
    """Round numbers from 0 to at least `highest`, evenly apart, four or five of them."""
    rough = max(highest, 1.0) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in _STEPS if step * power >= rough * 0.999)
    return [step * n for n in range(math.ceil(max(highest, 1.0) / step - 0.001) + 1)]


def _scale(low: float, high: float, start: float, end: float) -> _Scale:
    """From figures to pixels."""
    factor = (end - start) / (high - low)
    return lambda value: start + (value - low) * factor


def _near(points: Iterable[tuple[str, float, float]]) -> Iterator[list[tuple[str, float, float]]]:
    """The points in groups whose labels would be printed over each other."""
    groups: list[list[tuple[str, float, float]]] = []
    for point in points:
        touching = [
            group
            for group in groups
            if any(abs(x - point[1]) < _NEAR[0] and abs(y - point[2]) < _NEAR[1] for _, x, y in group)
        ]
        groups = [group for group in groups if group not in touching]
        groups.append([*(one for group in touching for one in group), point])
    yield from groups


def _label(group: Sequence[tuple[str, float, float]]) -> str:
    """The numbers of a group of points, beside it where there is room."""
    names = ", ".join(sorted((name for name, _, _ in group), key=int))
    right, left = max(x for _, x, _ in group), min(x for _, x, _ in group)
    y = sum(y for _, _, y in group) / len(group) + 4
    room = _WIDTH - _RIGHT - right - 10 >= 7 * len(names)
    return _text(right + 9, y, names, "start", "label") if room else _text(left - 9, y, names, "end", "label")


def _rows(values: Sequence[float], up: _Scale) -> Iterator[str]:
    for at, value in enumerate(values):
        y, kind = up(value), "grid" if at else "axis"
        yield f'<line class="{kind}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _text(_LEFT - 8, y + 4, number(value), "end")


def _columns(labels: Sequence[tuple[float, str]], bottom: float, *, at_ends: bool = False) -> Iterator[str]:
    for at, (x, text) in enumerate(labels):
        yield f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 4}"/>'
        ends = ("start" if at == 0 else "end") if at_ends and at in (0, len(labels) - 1) else "middle"
        yield _text(x, bottom + _TICK, text, ends)


def _spread(placed: Sequence[tuple[float, Mark]]) -> Sequence[tuple[float, str]]:
    """The days to name on the axis: the first, the last, and between them as many as have room, each once."""
    (first, start), (last, end) = placed[0], placed[-1]
    if start.day == end.day or last - first < _APART:
        return [(last, end.day)] if start.day == end.day else [(first, start.day)]
    named = [(first, start.day)]
    for x, mark in placed[1:-1]:
        # Those at the ends are written inwards and take more room on that side.
        room = 1.6 * _APART if len(named) == 1 else _APART
        if mark.day not in (named[-1][1], end.day) and x - named[-1][0] >= room and last - x >= 1.6 * _APART:
            named.append((x, mark.day))
    return [*named, (last, end.day)]


def _runs(points: Sequence[tuple[float, float] | None]) -> Iterator[list[tuple[float, float]]]:
    """The parts of the curve that are not interrupted, of two points at least."""
    run: list[tuple[float, float]] = []
    for point in (*points, None):
        if point is not None:
            run.append(point)
            continue
        if len(run) > 1:
            yield run
        run = []


def _dot(x: float, y: float, radius: int) -> str:
    return f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>'


def _text(x: float, y: float, text: str, anchor: str, classes: str = "tick") -> str:
    return f'<text class="{classes}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _drawn(classes: str, height: int, title: str, description: str, parts: Iterable[str]) -> Markup:
    """The picture. `parts` are SVG whose texts are escaped."""
    opening = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" class="{}" role="img" aria-label="{}">'
    )
    picture = opening.format(_WIDTH, height, classes, f"{title}. {description}")
    return picture + Markup("".join(parts)) + Markup("</svg>")  # noqa: S704
