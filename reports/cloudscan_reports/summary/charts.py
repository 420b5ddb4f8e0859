"""The page's charts as SVG, drawn by Pygal and stripped of everything that a strict content security policy refuses.

The result has no style, script, id or address: the page's style sheet colours it, for light, dark and paper. Screen
readers read its title and description.
"""

from collections.abc import Sequence
from typing import Any, Final

import pygal
from markupsafe import Markup
from pygal.etree import etree

from cloudscan.report import Scan
from cloudscan_reports.summary.ranking import Cause
from cloudscan_wording.texts import number

_WIDTH: Final = 560
_APART: Final = 0.26  # width of a point, in units of likelihood
_ABOVE: Final = 2.1  # height of a point, in units of impact
_PAPER: Final = """
text { fill: #57606a; font-size: 12px; font-family: sans-serif }
.axis.y text { text-anchor: end } .axis.x text, .title, .label { text-anchor: middle }
.trend .axis.x g:first-of-type text { text-anchor: start } .trend .axis.x g:last-of-type text { text-anchor: end }
.background { fill: none } .line { stroke: #c9d1d9; fill: none } .axis.line { stroke: #57606a }
.series .line { stroke: #24476b; stroke-width: 2 } .dot { fill: #24476b } .label { fill: #ffffff; font-weight: 600 }
"""
_REFUSED: Final = ("style", "script", "defs", "title", "desc")
_COMMON: Final[dict[str, Any]] = {
    "js": [],
    "css": [],
    "show_legend": False,
    "width": _WIDTH,
    "margin": 8,
    "no_prefix": True,
    "disable_xml_declaration": True,
}


def risks(causes: Sequence[Cause], *, x_title: str, y_title: str, title: str, description: str) -> Markup:
    """Likelihood across, impact up; each point is a cause's number in the ranking.

    Points that would cover each other are placed side by side.
    """
    placed: list[tuple[float, float]] = []
    for cause in causes:
        across = float(cause.likelihood)
        while any(abs(across - x) < 0.9 * _APART and abs(cause.impact - y) < _ABOVE for x, y in placed):
            across += _APART
        placed.append((across, cause.impact))
    chart = pygal.XY(
        **_COMMON,
        height=300,
        stroke=False,
        print_labels=True,
        xrange=(0.5, 6.0),
        range=(0, 21.5),
        x_labels=[1, 2, 3, 4, 5],
        y_labels=[0, 5, 10, 15, 20],
        x_title=x_title,
        y_title=y_title,
    )
    points = [{"value": point, "label": str(order), "node": {"r": 11}} for order, point in enumerate(placed, 1)]
    chart.add("", points)
    return _plain(chart, "chart risks", title, description, labels=(-16, -17))


def trend(scans: Sequence[Scan], *, days: Sequence[str], title: str, description: str) -> Markup:
    """The sum of the scores, scan by scan. Scans without figures, entered by an older cloudscan, leave a gap."""
    highest = max((scan.figures.score for scan in scans if scan.figures), default=0.0)
    chart = pygal.Line(
        **_COMMON,
        height=190,
        range=(0, highest * 1.08 or 1),
        dots_size=3 if len(scans) <= 60 else 0,
        x_labels=list(days),
        x_labels_major=[days[0], days[-1]],
        show_minor_x_labels=False,
        truncate_label=-1,
        y_labels=[{"value": part * highest, "label": number(round(part * highest))} for part in (0, 0.5, 1)],
    )
    chart.add("", [scan.figures.score if scan.figures else None for scan in scans])
    return _plain(chart, "chart trend", title, description)


def on_paper(chart: Markup) -> Markup:
    """The chart with its own colours, dark on white: on paper no style sheet applies to a picture."""
    opening, closed, rest = chart.partition(">")
    return opening + closed + Markup(f"<style>{_PAPER}</style>") + rest  # noqa: S704


def _plain(chart: Any, classes: str, title: str, description: str, labels: tuple[int, int] | None = None) -> Markup:
    """The chart without what is refused. `labels`: by how many pixels the labels of points are moved onto them."""
    tree = chart.render_tree()
    _strip(tree)
    if labels:
        for label in (node for node in tree.iter("text") if node.get("class") == "label"):
            for name, by in zip("xy", labels, strict=True):
                label.set(name, f"{float(label.get(name)) + by:.1f}")
    for name in set(tree.attrib) - {"viewBox"}:
        del tree.attrib[name]
    tree.set("class", classes)
    tree.set("role", "img")
    tree.set("aria-label", f"{title}. {description}")
    # Pygal adds overlays for the mouse, which are empty without its script.
    for overlay in [group for group in tree.iter("g") if "tooltip-overlay" in group.get("class", "")]:
        for child in list(overlay):
            overlay.remove(child)
    return Markup(etree.tostring(tree, encoding="unicode"))  # noqa: S704


def _strip(node: Any) -> None:
    node.attrib.pop("style", None)
    for child in list(node):
        if not isinstance(child.tag, str) or child.tag in _REFUSED:
            node.remove(child)
        else:
            _strip(child)
