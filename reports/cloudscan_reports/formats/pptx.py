"""Three slides for a board, each of which stands alone: what would hurt most, what we do first, what we did not see.

Titles, texts and tables are PowerPoint's own, and the charts contain their figures, so that all of it can be edited.
python-pptx, which writes the file, is the extra `pptx` and is imported only here.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from cloudscan.finding import Severity
from cloudscan.report import Report, ReportFormat
from cloudscan_reports.summary.first_page import FirstPage, completeness, first_page
from cloudscan_reports.summary.gaps import asked_of
from cloudscan_reports.summary.named_case import NamedCase
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, load
from cloudscan_wording.visible import for_xml, shortened

if TYPE_CHECKING:
    from pptx.presentation import Presentation
    from pptx.slide import Slide

_WIDTH, _HEIGHT, _EDGE = 13.333, 7.5, 0.6  # inches
_INK, _QUIET, _PALE = "1F2937", "5B6472", "F1F4F8"
_COLOURS: Final = {
    Severity.CRITICAL: "9B1C1C",
    Severity.HIGH: "C2410C",
    Severity.MEDIUM: "B7791F",
    Severity.LOW: "2B6CB0",
    Severity.INFO: "5B6472",
}
_FONTS: Final = {"ja": "Yu Gothic", "en": "Calibri"}
_ROW = 0.4  # inches; the least height of a row
_MOST_CASES = 4
_MOST_GAPS = 4
_MOST_TITLE = 200  # letters of a case
_MOST_CELL = 120
_MOST_NAME = 80
_MOST_REMARK = 400
_DATE: Final = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


def write(report: Report, lang: str) -> bytes:
    """The slides. Raises ModuleNotFoundError if python-pptx is not installed."""
    import pptx
    from pptx.util import Inches

    texts = load(lang, report.timezone)
    summary = first_page(report, texts)
    deck = pptx.Presentation()
    deck.slide_width, deck.slide_height = Inches(_WIDTH), Inches(_HEIGHT)
    deck.core_properties.title = for_xml(_head(report, texts))
    deck.core_properties.author = "cloudscan"
    deck.core_properties.language = lang
    for build, title in (
        (_what_hurts, "answers.hurts"),
        (_what_first, "answers.first"),
        (_what_unseen, "answers.unseen"),
    ):
        pen = _slide(deck, texts, texts.say(title))
        build(pen, summary, texts)
        _foot(pen, report)
    file = io.BytesIO()
    deck.save(file)
    return _dated(file.getvalue(), report.generated_on)


class _Pen:
    """Writes on one slide, in the language's font. Lengths are inches."""

    def __init__(self, slide: "Slide", texts: Texts) -> None:
        self.slide, self.texts = slide, texts

    def text(
        self,
        words: str | Sequence[str],
        *,
        at: tuple[float, float, float, float],
        size: float = 16,
        bold: bool = False,
        colour: str = _INK,
        fill: str = "",
    ) -> None:
        """A box with one paragraph for each of the words."""
        from pptx.util import Inches

        box = self.slide.shapes.add_textbox(*map(Inches, at))
        if fill:
            _filled(box.fill, fill)
        frame = box.text_frame
        frame.word_wrap = True
        lines = [words] if isinstance(words, str) else words
        for number, line in enumerate(lines):
            paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
            self.run(paragraph, line, size=size, bold=bold, colour=colour)

    def run(self, paragraph: Any, words: str, *, size: float, bold: bool = False, colour: str = _INK) -> None:
        """A piece of text in a paragraph."""
        from pptx.dml.color import RGBColor
        from pptx.oxml.ns import qn
        from pptx.util import Pt

        run = paragraph.add_run()
        run.text = for_xml(words)
        run.font.size, run.font.bold, run.font.color.rgb = Pt(size), bold, RGBColor.from_string(colour)
        font = _FONTS.get(self.texts.lang, _FONTS["en"])
        run.font.name = font
        properties = run._r.get_or_add_rPr()
        properties.set("lang", "ja-JP" if self.texts.lang == "ja" else "en-GB")
        properties.append(properties.makeelement(qn("a:ea"), {"typeface": font}))

    def table(
        self, rows: Sequence[Sequence[str]], *, at: tuple[float, float], widths: Sequence[float], head: bool
    ) -> None:
        """A table; with a head, its first row is one, else its first column. Rows grow with their texts."""
        from pptx.util import Inches

        left, top = map(Inches, at)
        height = Inches(_ROW * len(rows))
        table = self.slide.shapes.add_table(len(rows), len(rows[0]), left, top, Inches(sum(widths)), height).table
        table.first_row, table.first_col, table.horz_banding = head, not head, False
        for column, width in zip(table.columns, widths, strict=True):
            column.width = Inches(width)
        most = _MOST_CELL // 2 if self.texts.lang == "ja" else _MOST_CELL  # its letters are twice as wide
        for number, row in enumerate(rows):
            for column_number, words in enumerate(row):
                cell = table.cell(number, column_number)
                label = number == 0 if head else column_number == 0
                _filled(cell.fill, _PALE if label else "FFFFFF")
                cell.text_frame.word_wrap = True
                colour = _QUIET if label else _INK
                self.run(cell.text_frame.paragraphs[0], shortened(words, most), size=13, colour=colour)

    def bars(
        self,
        title: str,
        names: Sequence[str],
        series: Sequence[tuple[str, Sequence[int], str]],
        *,
        at: tuple[float, float, float, float],
        colours: Sequence[str] = (),
    ) -> None:
        """Bars, stacked where there are several series: each with its name, numbers, colour."""
        from pptx.chart.data import CategoryChartData
        from pptx.dml.color import RGBColor
        from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION
        from pptx.util import Inches, Pt

        data = CategoryChartData()
        data.categories = [for_xml(name) for name in names]
        for name, values, _ in series:
            data.add_series(for_xml(name), values)
        chart = self.slide.shapes.add_chart(XL_CHART_TYPE.BAR_STACKED, *map(Inches, at), data).chart
        chart.font.size, chart.font.name = Pt(12), _FONTS.get(self.texts.lang, _FONTS["en"])
        chart.has_title = True
        chart.chart_title.text_frame.text = for_xml(title)
        chart.chart_title.text_frame.paragraphs[0].font.size = Pt(14)
        chart.has_legend = len(series) > 1
        if chart.has_legend:
            chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
        chart.category_axis.reverse_order = True  # the first is on top
        chart.category_axis.has_major_gridlines = False
        chart.value_axis.visible = chart.value_axis.has_major_gridlines = False
        plot = chart.plots[0]
        plot.gap_width, plot.overlap, plot.vary_by_categories = 45, 100, False
        plot.has_data_labels = True
        plot.data_labels.number_format, plot.data_labels.number_format_is_linked = "#,##0;;", False
        for drawn, (_, _, colour) in zip(plot.series, series, strict=True):
            _filled(drawn.format.fill, colour)
            for index, own in enumerate(colours):
                _filled(drawn.points[index].format.fill, own)
        if len(series) > 1 or colours:
            plot.data_labels.font.color.rgb = RGBColor.from_string("FFFFFF")


def _slide(deck: "Presentation", texts: Texts, title: str) -> _Pen:
    """A slide with its title."""
    from pptx.util import Inches

    slide = deck.slides.add_slide(deck.slide_layouts[5])  # a title and nothing else
    pen = _Pen(slide, texts)
    heading = slide.shapes.title
    if heading is not None:
        heading.left, heading.top, heading.width, heading.height = map(Inches, (_EDGE, 0.4, _WIDTH - 2 * _EDGE, 0.9))
        heading.text_frame.word_wrap = True
        paragraph = heading.text_frame.paragraphs[0]
        paragraph.alignment = _left()
        pen.run(paragraph, title, size=32, bold=True)
    return pen


def _foot(pen: _Pen, report: Report) -> None:
    """At the foot whose it is, of when, and how complete, so that the slide stands alone."""
    texts = pen.texts
    parts = (_head(report, texts), texts.day(report.scan.started_on), completeness(report, texts))
    foot = texts.say("list.stop").join(parts)
    pen.text(foot, at=(_EDGE, _HEIGHT - 0.6, _WIDTH - 2 * _EDGE, 0.4), size=11, colour=_QUIET)


def _head(report: Report, texts: Texts) -> str:
    name = shortened(report.organisation, _MOST_NAME)
    return texts.say("page.for", organisation=name) if name else texts.say("page.title")


def _what_hurts(pen: _Pen, summary: FirstPage, texts: Texts) -> None:
    if summary.worst is None:
        pen.text(texts.say("first.none_blind" if summary.blind else "first.none"), at=(_EDGE, 1.6, 8, 2), size=22)
        return
    case = summary.worst
    pen.text(
        texts.name("severity", case.severity),
        at=(_EDGE, 1.45, 1.5, 0.42), size=14, bold=True, colour="FFFFFF", fill=_COLOURS[case.severity],
    )  # fmt: skip
    pen.text(shortened(case.message, _MOST_TITLE), at=(_EDGE, 1.95, _WIDTH - 2 * _EDGE, 1.2), size=22, bold=True)
    pen.table(summary.facts, at=(_EDGE, 3.2), widths=(1.9, 5.6), head=False)
    severities = [(severity, n) for severity, n in summary.severities.items() if n]
    pen.bars(
        texts.say("first.counts"),
        [texts.name("severity", severity) for severity, _ in severities],
        [(texts.say("splits.fixes"), [n for _, n in severities], _INK)],
        at=(8.5, 3.1, 4.3, 3.4),
        colours=[_COLOURS[severity] for severity, _ in severities],
    )


def _what_first(pen: _Pen, summary: FirstPage, texts: Texts) -> None:
    if not summary.start:
        pen.text(texts.say("roadmap.nothing"), at=(_EDGE, 1.6, 8, 2), size=22)
        return
    cases = summary.start[:_MOST_CASES]
    dated = any(case.due for case in cases)
    head = [texts.say(key) for key in ("first.where", "first.step", "finding.owner", *(["case.due"] if dated else []))]
    widths = (3.8, 3.9, 2.53, 1.9) if dated else (4.6, 4.9, 2.63)
    rows = [head, *(_case_row(case, texts)[: len(head)] for case in cases)]
    pen.table(rows, at=(_EDGE, 1.5), widths=widths, head=True)
    planned = summary.roadmap[0]
    plan = texts.count("roadmap.does", planned.step.findings, fixes=planned.step.fixes, cost=planned.cost)
    plan = f"{texts.say('roadmap.first')}{texts.say('list.colon')}{plan}"
    pen.text(
        [plan, texts.say("roadmap.left", part=planned.risk_left)],
        at=(_EDGE, 5.9, _WIDTH - 2 * _EDGE, 0.9),
        size=16,
    )


def _case_row(case: NamedCase, texts: Texts) -> Sequence[str]:
    due = texts.say("case.overdue", day=case.due) if case.overdue else case.due
    return (case.message, case.step, case.owner, due)


def _what_unseen(pen: _Pen, summary: FirstPage, texts: Texts) -> None:
    answer = summary.answers[-1]
    pen.text(shortened(answer.short, _MOST_TITLE), at=(_EDGE, 1.4, _WIDTH - 2 * _EDGE, 0.8), size=22, bold=True)
    pen.text(shortened(answer.more, _MOST_REMARK), at=(_EDGE, 2.3, _WIDTH - 2 * _EDGE, 0.8), size=16, colour=_QUIET)
    if summary.read:
        series = (
            (texts.say("read.whole"), [one.whole for one in summary.read], _COLOURS[Severity.LOW]),
            (texts.say("read.partly"), [one.partly for one in summary.read], _COLOURS[Severity.MEDIUM]),
            (
                texts.say("read.unread"),
                [one.total - one.whole - one.partly for one in summary.read],
                _COLOURS[Severity.CRITICAL],
            ),
        )
        pen.bars(
            texts.say("read.title"),
            [one.name for one in summary.read],
            [one for one in series if any(one[1])],
            at=(_EDGE, 3.1, 5.4, 3.5),
        )
    groups = summary.unseen.gaps[:_MOST_GAPS]
    if groups:
        head = [texts.say("unseen.title"), texts.say("unseen.why")]
        rows = [head, *([asked_of(group, texts), _why(group.whys, texts)] for group in groups)]
        beside = bool(summary.read)
        widths = (2.6, 3.93) if beside else (4.4, 7.73)
        pen.table(rows, at=(6.2 if beside else _EDGE, 3.15), widths=widths, head=True)


def _why(reasons: Iterable[str], texts: Texts) -> str:
    first, *more = reasons
    return phrases.sentences([first, texts.count("unseen.reasons_more", len(more)) if more else ""], texts.lang)


def _dated(package: bytes, moment: datetime) -> bytes:
    """The file as if it were written at a moment: without this, the same report would be another file each time."""
    settled = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(settled, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith(".xlsx"):  # a chart's figures
                content = _dated(content, moment)
            elif name == "docProps/core.xml":
                content = _DATE.sub(rb"\g<1>" + f"{moment:%Y-%m-%dT%H:%M:%SZ}".encode(), content)
            new.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return settled.getvalue()


def _filled(fill: Any, colour: str) -> None:
    from pptx.dml.color import RGBColor

    fill.solid()
    fill.fore_color.rgb = RGBColor.from_string(colour)


def _left() -> Any:
    from pptx.enum.text import PP_ALIGN

    return PP_ALIGN.LEFT


PPTX = ReportFormat(name="pptx", title="PowerPoint", suffix=".pptx", write=write, packages=("pptx",))
