"""The first page says how fast access ends when people leave, in both languages, and nothing where nobody left."""

import msgspec
import pytest

from cloudscan.checklist import DepartureFigures
from cloudscan_reports.summary.first_page import first_page
from cloudscan_wording.texts import load
from tests.reports.synthetic import report

FIGURES = DepartureFigures(
    days=90,
    left=4,
    closed=2,
    median_days=1.5,
    most_days=3,
    still_open=2,
    longest_open=200,
    unknown=1,
    upcoming=1,
    moved=1,
)


def answer(figures: DepartureFigures | None, lang: str = "en") -> str:
    given = msgspec.structs.replace(report(3), departures=figures)
    texts = load(lang)
    return "\n".join(
        f"{one.short} {one.more}"
        for one in first_page(given, texts).answers
        if one.question == texts.say("answers.departures")
    )


def test_the_days_until_closing_and_what_is_not_known_are_told() -> None:
    assert answer(FIGURES) == (
        "Accounts of 2 former employees can still be used. The longest for 200 days. Of the 4 people with accounts who "
        "left in the last 90 days, all accounts of 2 were closed after 1.5 days (median; at most 3). Of 1 person it is "
        "not known whether, or since when. 1 person leaves soon. 1 person still has access of an old department after "
        "the time for handing over."
    )


def test_the_same_in_japanese() -> None:
    said = answer(FIGURES, "ja")

    assert said.startswith("退職者2人のアカウントがまだ使えます。")
    assert "中央値1.5日（最長3日）" in said


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_without_departures_the_question_is_not_asked(lang: str) -> None:
    assert answer(None, lang) == ""
