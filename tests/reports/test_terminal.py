"""The report in the terminal."""

import re
import unicodedata

import pytest

from cloudscan_reports.formats.terminal import summary
from tests.reports.hostile import NAMES, drenched
from tests.reports.synthetic import report


def columns(line: str) -> int:
    return sum(
        2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in line
        if not unicodedata.combining(character)
    )


def test_the_summary_answers_the_first_questions() -> None:
    """How much, what first, and what could not be seen."""
    given = report(30)

    text = summary(given, "en", colour=False, width=200)

    assert "25 fixes are needed (25 findings)" in text
    assert given.findings[0].message["en"] in text
    assert "Statement 1" in text
    assert "s3:GetBucketPolicy" in text
    assert "Incomplete" in text


def test_a_clean_and_complete_scan_says_so() -> None:
    """Nothing open, nothing missing: no section about gaps."""
    text = summary(report(0, complete=True), "en", colour=False, width=80)

    assert "There are no open findings" in text
    assert "could not" not in text.lower().replace("could be", "")


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("width", [40, 80])
def test_lines_fit_the_terminal(lang: str, width: int) -> None:
    """Wide characters count twice; a name of ten thousand letters does not flood the screen."""
    text = summary(report(30, names=NAMES), lang, colour=False, width=width)

    assert max(map(columns, text.splitlines())) <= width
    assert len(text.splitlines()) < 100


def test_names_cannot_drive_the_terminal() -> None:
    """Hostile names show as text; without colour there is no escape sequence at all."""
    text = "".join(summary(drenched(report(1), name), "en", colour=False, width=80) for name in NAMES)

    assert not [
        character for character in text if unicodedata.category(character) in ("Cc", "Cf", "Cs") and character != "\n"
    ]


def test_colour_is_the_callers_choice() -> None:
    """The same words either way."""
    plain = summary(report(30), "en", colour=False, width=80)
    coloured = summary(report(30), "en", colour=True, width=80)

    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
