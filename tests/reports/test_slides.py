"""Slides for the board: three that stand alone, to be edited, in both languages."""

import io
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from pptx import Presentation

from cloudscan.coverage import ScopesRead
from cloudscan.report import Report
from cloudscan_reports.formats import pptx
from cloudscan_wording.texts import load
from tests.reports.hostile import NAMES
from tests.reports.synthetic import report, with_past


def slides(given: Report, lang: str = "en") -> list[Any]:
    return list(Presentation(io.BytesIO(pptx.write(given, lang))).slides)


def texts_of(slide: Any) -> Iterator[str]:
    for shape in slide.shapes:
        if shape.has_text_frame:
            yield shape.text_frame.text
        if shape.has_table:
            yield from (cell.text_frame.text for row in shape.table.rows for cell in row.cells)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_three_slides_each_of_which_stands_alone(lang: str) -> None:
    """The question, the answer as its title, what is known, and whose and when it is."""
    read = [ScopesRead(platform="s3", kind="bucket", total=17, whole=15, partly=1)]
    given = with_past(report(60))
    given = msgspec.structs.replace(given, scan=msgspec.structs.replace(given.scan, read=read))
    words = load(lang)

    worst, first, unseen = slides(given, lang)

    top = max((one for one in given.findings if one.state != "waived"), key=lambda one: one.score)
    assert worst.shapes.title.text_frame.text == top.message[lang]
    assert top.verdict.subject.name in first.shapes.title.text_frame.text
    assert "88%" in unseen.shapes.title.text_frame.text
    for slide, key in ((worst, "hurts"), (first, "first"), (unseen, "unseen")):
        texts = list(texts_of(slide))
        assert words.say(f"answers.{key}") in texts
        assert any(given.organisation in text and words.day(given.scan.started_on) in text for text in texts)


def test_without_findings_there_is_nothing_to_do_first() -> None:
    """What was not seen is still told: nothing that was found is not nothing that is there."""
    nothing, unseen = slides(report(0))

    assert "could not be read" in nothing.shapes.title.text_frame.text
    assert any("14 cases could not be evaluated" in text for text in texts_of(unseen))


def test_hostile_names_are_text() -> None:
    """No link, and nothing that leads out of the file."""
    made = slides(report(len(NAMES), names=NAMES))

    assert len(made) == 3
    assert not [relation for slide in made for relation in slide.part.rels.values() if relation.is_external]
