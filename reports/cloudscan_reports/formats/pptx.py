"""Three slides for the board, each of which stands alone: what would hurt most, what we do first, what we did not see.

They are plain text boxes and tables, to be edited. python-pptx, which writes the file, is the extra `pptx` and is
imported only here.
"""

import io
from collections.abc import Sequence
from typing import Any, Final

from cloudscan.report import Report, ReportFormat
from cloudscan_reports.summary.first_page import FirstPage, completeness, first_page
from cloudscan_wording.texts import Texts, load, number
from cloudscan_wording.visible import carriable, for_xml, shortened

_LANGUAGES: Final = {"en": "en-US", "ja": "ja-JP"}
_WIDTH, _HEIGHT, _MARGIN = 13.333, 7.5, 0.6  # inches: 16 to 9
_TITLE, _LONG, _BODY, _REMARK, _SMALL = 28, 22, 16, 14, 11  # points
_MOST_TITLE: Final = 140
_MOST_TEXT: Final = 260
_MOST_CASES: Final = 3
_MOST_STEP: Final = 150
_LONG_TITLE: Final = 60
_TITLE_ONLY: Final = 5  # the layout of python-pptx's own template
_BLANK_STYLE: Final = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # PowerPoint's table style "No Style, No Grid"


def write(report: Report, lang: str) -> bytes:
    """The slides in one language. Raises ModuleNotFoundError without python-pptx."""
    from pptx import Presentation
    from pptx.util import Inches

    texts = load(lang, report.timezone)
    report = carriable(report)
    page = first_page(report, texts)
    deck = Presentation()
    deck.slide_width, deck.slide_height = Inches(_WIDTH), Inches(_HEIGHT)
    properties = deck.core_properties
    properties.title = for_xml(_title_of(report, texts))
    properties.author = properties.last_modified_by = "cloudscan"
    properties.created = properties.modified = report.generated_on.replace(tzinfo=None)
    properties.language = _LANGUAGES[lang]
    slides = _Slides(deck, texts, _foot(report, texts))
    _worst(slides, page, texts)
    _first(slides, page, texts)
    _unseen(slides, page, texts)
    out = io.BytesIO()
    deck.save(out)
    return out.getvalue()


def _worst(slides: "_Slides", page: FirstPage, texts: Texts) -> None:
    """One named case, and whether things get better."""
    course = next(answer for answer in page.answers if answer.anchor == "trend")
    if page.worst is None:
        nothing = texts.say("first.none_blind" if page.blind else "first.none")
        slides.add(texts.say("answers.hurts"), nothing, [], [(course.question, course.short, course.more)])
        return
    slides.add(
        texts.say("answers.hurts"), page.worst.message, page.facts, [(course.question, course.short, course.more)]
    )


def _first(slides: "_Slides", page: FirstPage, texts: Texts) -> None:
    """The first things to do with their owners and days, and what the first half year costs."""
    if page.worst is None:
        return
    answers = {answer.question: answer for answer in page.answers}
    first, costs = (answers[texts.say(f"answers.{key}")] for key in ("first", "costs"))
    stop, colon = texts.say("list.stop"), texts.say("list.colon")
    rows = []
    for case in page.start[:_MOST_CASES]:
        due = texts.say("case.overdue", day=case.due) if case.overdue else case.due
        labelled = (("finding.owner", case.owner), ("case.due", due))
        told = [f"{texts.say(key)}{colon}{value}" for key, value in labelled if value]
        rows.append((case.name, stop.join(filter(None, (*told, shortened(case.step, _MOST_STEP))))))
    slides.add(first.question, first.short, rows, [(costs.question, costs.short, costs.more)])


def _unseen(slides: "_Slides", page: FirstPage, texts: Texts) -> None:
    """How much of each platform was read, and what the gaps are."""
    answer = page.answers[-1]
    rows = [
        (
            read.name,
            texts.say("list.comma").join(
                texts.say("read.kind", kind=kind, n=number(whole), all=number(total))
                for kind, whole, total in read.kinds
            ),
        )
        for read in page.read
    ]
    gaps = [
        (group.example.asked, texts.say("list.colon").join((group.example.location, group.example.why)))
        for group in page.unseen.gaps[:_MOST_CASES]
    ]
    slides.add(answer.question, answer.short, [*rows, *gaps], [("", answer.more, "")])


def _title_of(report: Report, texts: Texts) -> str:
    return texts.say("page.for", organisation=report.organisation) if report.organisation else texts.say("page.title")


def _foot(report: Report, texts: Texts) -> str:
    """What each slide needs to stand alone: whose, when, and whether all was read."""
    return " · ".join((_title_of(report, texts), texts.day(report.scan.started_on), completeness(report, texts)))


class _Slides:
    """Adds slides of one look: question, answer, a table of facts, remarks, and a foot."""

    def __init__(self, deck: Any, texts: Texts, foot: str) -> None:
        self._deck = deck
        self._texts = texts
        self._foot = foot

    def add(
        self, question: str, answer: str, rows: Sequence[tuple[str, str]], remarks: Sequence[tuple[str, str, str]]
    ) -> None:
        slide = self._deck.slides.add_slide(self._deck.slide_layouts[_TITLE_ONLY])
        title = slide.shapes.title
        self._place(title, top=0.75, height=1.3)
        size = _TITLE if len(answer) <= _LONG_TITLE else _LONG
        self._text(title.text_frame, [(shortened(answer, _MOST_TITLE), size, True)])
        self._box(slide, [(question, _BODY, False)], top=0.35, height=0.4)
        if rows:
            self._table(slide, rows)
        told = [(self._remark(*remark), _REMARK, False) for remark in remarks]
        self._box(slide, told, top=5.3, height=1.6)
        self._box(slide, [(self._foot, _SMALL, False)], top=7.0, height=0.35)

    def _remark(self, head: str, text: str, more: str) -> str:
        colon, stop = self._texts.say("list.colon"), self._texts.say("list.stop")
        said = text if not more else f"{text}{stop}{more}"
        return shortened(f"{head}{colon}{said}" if head else said, 2 * _MOST_TEXT)

    def _table(self, slide: Any, rows: Sequence[tuple[str, str]]) -> None:
        from pptx.util import Inches

        width = _WIDTH - 2 * _MARGIN
        frame = slide.shapes.add_table(
            len(rows), 2, Inches(_MARGIN), Inches(2.15), Inches(width), Inches(0.36 * len(rows))
        )
        table = frame.table
        table._tbl.tblPr.find("{http://schemas.openxmlformats.org/drawingml/2006/main}tableStyleId").text = _BLANK_STYLE
        table.first_row = table.horz_banding = False
        table.columns[0].width, table.columns[1].width = Inches(3.2), Inches(width - 3.2)
        for index, (label, value) in enumerate(rows):
            for column, text in enumerate((label, value)):
                self._text(table.cell(index, column).text_frame, [(shortened(text, _MOST_TEXT), _REMARK, column == 0)])

    def _box(self, slide: Any, lines: Sequence[tuple[str, int, bool]], *, top: float, height: float) -> None:
        from pptx.util import Inches

        shape = slide.shapes.add_textbox(Inches(_MARGIN), Inches(top), Inches(_WIDTH - 2 * _MARGIN), Inches(height))
        self._text(shape.text_frame, lines)

    def _place(self, shape: Any, *, top: float, height: float) -> None:
        from pptx.util import Inches

        shape.left, shape.top = Inches(_MARGIN), Inches(top)
        shape.width, shape.height = Inches(_WIDTH - 2 * _MARGIN), Inches(height)

    def _text(self, frame: Any, lines: Sequence[tuple[str, int, bool]]) -> None:
        from pptx.enum.text import PP_ALIGN
        from pptx.util import Pt

        frame.word_wrap = True
        for at, (text, size, bold) in enumerate(lines):
            paragraph = frame.paragraphs[0] if at == 0 else frame.add_paragraph()
            paragraph.alignment = PP_ALIGN.LEFT
            run = paragraph.add_run()
            run.text = for_xml(" ".join(text.split()))
            run.font.size, run.font.bold = Pt(size), bold
            run._r.get_or_add_rPr().set("lang", _LANGUAGES[self._texts.lang])


PPTX = ReportFormat(name="pptx", title="PowerPoint", suffix=".pptx", write=write)
