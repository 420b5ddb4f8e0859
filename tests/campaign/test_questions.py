"""Any failure of any question: nothing is resolved or opened by it, one row names it, and the night after is as ever.

`make campaign` tries every declared question with every failure on a first and on a second night; `make test` what
once lost something (`test_sample`).
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from cloudscan import plugins
from cloudscan.connector import Question
from cloudscan.reason import Reason, has_words
from tests.campaign.companies import COMPANIES
from tests.campaign.estate import PATTERNS, Estate
from tests.campaign.failures import TOLD_AS_OPEN, failures
from tests.campaign.nights import Night, Nights


def cells() -> list[object]:
    """Every declared question with every failure."""
    return [
        pytest.param(platform, question.name, failure, id=f"{question.name} {failure}")
        for platform in COMPANIES
        for question in plugins.connector(platform).questions
        for failure in failures(platform)
    ]


@pytest.mark.campaign
@pytest.mark.parametrize(("platform", "question", "failure"), cells())
def test_every_failure_on_the_second_night(
    estates: Mapping[str, Estate], platform: str, question: str, failure: str, tmp_path: Path
) -> None:
    check_second_night(estates[platform], question, failure, tmp_path)


@pytest.mark.campaign
@pytest.mark.parametrize(("platform", "question", "failure"), cells())
def test_every_failure_on_the_first_night(
    estates: Mapping[str, Estate], platform: str, question: str, failure: str, tmp_path: Path
) -> None:
    check_first_night(estates[platform], question, failure, tmp_path)


def check_second_night(estate: Estate, question: str, failure: str, folder: Path) -> None:
    """A night with cursors, something deleted before it, and the night after."""
    right = estate.right
    nights = right.past.copied(folder)
    spoilt = estate.spoilt(nights, question, failure)
    if not estate.company.proxy.met:
        pytest.skip("the question is not asked on a second night")
    after = nights.next()

    if (question, failure) in TOLD_AS_OPEN:
        assert after.report.scan.complete == right.third.report.scan.complete
        return
    assert spoilt.resolved <= right.second.resolved, "resolved, although it is there"
    assert spoilt.opened <= right.second.opened, "opened, although it is not so"
    check_rows(estate, question, failure, spoilt, right.second)
    assert after.standing == right.third.standing, "the night after"
    assert after.report.scan.complete == right.third.report.scan.complete


def check_first_night(estate: Estate, question: str, failure: str, folder: Path) -> None:
    """A first night, and the night after."""
    right = estate.right
    nights = Nights(estate.company, estate.rules, folder)
    spoilt = estate.spoilt(nights, question, failure)
    if not estate.company.proxy.met:
        pytest.skip("the question is not asked on a first night")
    after = nights.next()

    if (question, failure) in TOLD_AS_OPEN:
        return
    assert spoilt.opened <= right.alone.opened, "opened, although it is not so"
    check_rows(estate, question, failure, spoilt, right.alone)
    assert after.standing.keys() == right.alone.standing.keys(), "the night after"


def check_rows(estate: Estate, question: str, failure: str, spoilt: Night, right: Night) -> None:
    """Where anything is missing, a row names the question, why, and what to do."""
    before = {row.gap for row in right.gaps}
    new = [row for row in spoilt.gaps if row.gap not in before]
    missing = {print_ for print_, standing in right.standing.items() if standing.verified} - {
        print_ for print_, standing in spoilt.standing.items() if standing.verified
    }
    if not new and not missing:
        return  # it was answered in the end, or nothing hung on it
    assert new, f"{len(missing)} findings are not verified, and no row says why"
    assert any(row.question == question for row in new) or failure.startswith("list"), [row.question for row in new]
    for row in new:
        assert isinstance(row.reason, Reason), row
        assert all(has_words("reason", row.reason.code, language) for language in ("en", "ja")), row
        assert not row.question or has_words("question", row.question, "ja"), row


OF_FILES = ("gdrive-inventory", "m365-data-connect")
"""What begins like this is asked of files that the provider has written, by no request; `docs/bulk.md`."""


def _questions(platform: str) -> Mapping[str, Question]:
    return {question.name: question for question in plugins.connector(platform).questions}


@pytest.mark.parametrize("platform", COMPANIES)
def test_every_declared_question_has_a_pattern_and_words(platform: str) -> None:
    """A question that is added without them would not be tried."""
    names = _questions(platform).keys()

    assert {name for name in names if not name.startswith(OF_FILES)} == PATTERNS[platform].keys()
    assert [name for name in names for language in ("en", "ja") if not has_words("question", name, language)] == []
