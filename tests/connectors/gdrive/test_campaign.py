"""Every question fails in every way: nothing is said that is not so, one gap names the question and what to do."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from cloudscan.errors import Throttled, Unreachable
from cloudscan.http import Patience
from cloudscan.reason import Reason, has_words
from cloudscan_emulators.google import Server, company
from cloudscan_emulators.google.failures import FAILURES, failure
from cloudscan_emulators.google.questions import PATTERNS
from cloudscan_gdrive.questions import QUESTIONS, STILL_THERE
from tests.connectors.gdrive.disturbed import gaps_of, wrong_claims
from tests.connectors.gdrive.estate import connector, serve
from tests.connectors.reading import Read, read

IMPATIENT = Patience(attempts=1, pause=0.001, longest=0.002, timeout=0.5)
ASKED_IN_FULL = [name for name in PATTERNS if name not in ("gdrive-changes", STILL_THERE.name)]
WITHOUT_A_GAP = {
    *product(ASKED_IN_FULL, ["emptied", "nothing", "one-malformed", "page-expired", "page-repeated", "page-endless"])
}
"""Failures that some question cannot have: a single answer has no entries and no pages."""
PERHAPS_HONEST = {
    (question, "emptied")
    for question in ("gdrive-shared-drives", "gdrive-own-files", "gdrive-shared-drive-files", "gdrive-external-files")
}
"""Nobody can tell these from honest answers. The core asks again for what vanished, before it counts as gone."""
EVERY = [pair for pair in product(ASKED_IN_FULL, FAILURES) if pair not in PERHAPS_HONEST]
SAMPLE = [pair for number, pair in enumerate(EVERY) if number % 11 == 0]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(company.build(100).state) as running:
        yield running


def scanned(server: Server, folder: Path) -> Read:
    return read(connector(server, folder, patience=IMPATIENT, external_files=True))


@pytest.fixture(scope="module")
def undisturbed(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Read:
    return scanned(server, tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.parametrize(("question", "how"), SAMPLE)
def test_a_question_that_fails_costs_what_hangs_on_it(
    server: Server, undisturbed: Read, tmp_path: Path, question: str, how: str
) -> None:
    check(server, undisturbed, tmp_path, question, how)


def check(server: Server, undisturbed: Read, folder: Path, question: str, how: str) -> None:
    """One question in one way, in a first night."""
    server.faults.clear()
    server.faults.add_optional(failure(how, PATTERNS[question]))

    result = scanned(server, folder)

    wrong = wrong_claims(undisturbed, result)
    assert wrong == [], wrong[:9]
    assert all(isinstance(error, Throttled | Unreachable) for error in result.refused.values()), result.refused
    if result.refused or (question, how) in WITHOUT_A_GAP or is_not_asked(question):
        return
    assert gaps_of(result, question), [gap.question for gap in result.gaps]
    for gap in result.gaps:  # each can be determined
        assert isinstance(gap.reason, Reason), gap
        assert has_words("reason", gap.reason.code, "en"), gap.reason
        assert has_words("reason", gap.reason.code, "ja")


def is_not_asked(question: str) -> bool:
    """Only where no shared drives are listed is it asked whether Drive answers at all."""
    return question == "gdrive-about"


def test_every_question_has_its_requests() -> None:
    assert {question.name for question in QUESTIONS} == set(PATTERNS)
