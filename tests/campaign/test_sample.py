"""What once lost a finding: a few failures of a few questions, and an odd value, of one company a platform."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.campaign import test_mutations as mutations
from tests.campaign import test_questions as questions
from tests.campaign.estate import Estate

CELLS = {
    "gdrive": (("gdrive-users", "nothing in it"), ("gdrive-own-files", "error in a 200")),
    "m365": (("m365-labels", "404"),),
}


@pytest.mark.long
@pytest.mark.parametrize("platform", CELLS)
def test_a_failure_costs_what_hangs_on_it(estates: Mapping[str, Estate], platform: str, tmp_path: Path) -> None:
    for question, failure in CELLS[platform]:
        questions.check_second_night(estates[platform], question, failure, tmp_path / question)


def test_an_odd_value_loses_no_finding(estates: Mapping[str, Estate], tmp_path: Path) -> None:
    mutations.check(estates["gdrive"], seed=1, folder=tmp_path)
