"""Three slides for a board, each of which can be read without the others."""

import io

import pytest
from msgspec.structs import replace
from pptx import Presentation

from cloudscan.coverage import ScopesRead
from cloudscan_reports.formats import pptx
from tests.reports.synthetic import report, with_past
from tests.reports.validators import read_slides

TITLES = {
    "en": ["What would hurt most", "What we do first", "What we did not see"],
    "ja": ["最大のリスク", "最優先の対応", "未確認の範囲"],
}


@pytest.mark.parametrize("lang", TITLES)
def test_each_slide_says_whose_it_is_of_when_and_how_complete(lang: str) -> None:
    given = report(30)

    slides = read_slides(pptx.write(given, lang))

    assert [texts[0] for texts in slides] == TITLES[lang]
    for texts in slides:
        assert given.organisation in texts[-1]
        assert "2026" in texts[-1]
        assert {"en": "could not be read", "ja": "読み取れなかった"}[lang] in texts[-1]


def test_the_first_names_one_case() -> None:
    """What it is, who gets in, since when, whose: the words of the first page."""
    hurts, first, _ = read_slides(pptx.write(with_past(report(30)), "en"))

    for label in ("Who can reach it", "Open since", "Owner", "Where", "Data"):
        assert hurts[hurts.index(label) + 1]
    message = hurts[2]
    assert "acme-" in message
    assert any("acme-" in text for text in first)


def test_the_charts_contain_their_figures() -> None:
    """Fixes by severity, worst first, as numbers in a chart of PowerPoint's own."""
    slides = Presentation(io.BytesIO(pptx.write(report(30), "en"))).slides

    (chart,) = [shape.chart for shape in slides[0].shapes if shape.has_chart]
    names, numbers = list(chart.plots[0].categories), list(chart.plots[0].series[0].values)
    assert names == ["Critical", "High", "Medium", "Low"]
    assert all(number > 0 for number in numbers)


def test_how_much_was_read_is_drawn() -> None:
    given = report(3)
    read = [ScopesRead(platform="s3", kind="bucket", total=10, whole=7, partly=2)]

    *_, unseen = Presentation(io.BytesIO(pptx.write(replace(given, scan=replace(given.scan, read=read)), "en"))).slides

    (chart,) = [shape.chart for shape in unseen.shapes if shape.has_chart]
    assert [(one.name, list(one.values)) for one in chart.plots[0].series] == [
        ("Read completely", [7]), ("Read in part", [2]), ("Not read", [1]),
    ]  # fmt: skip


@pytest.mark.parametrize("lang", TITLES)
def test_nothing_found_is_said(lang: str) -> None:
    """And a scan that was not complete does not say that all is well."""
    whole = read_slides(pptx.write(report(0, complete=True), lang))
    blind = read_slides(pptx.write(report(0), lang))

    assert len(whole) == len(blind) == 3
    assert whole[0][1] != blind[0][1]
