"""One odd value anywhere in one answer: no finding is lost without a row that says so."""

from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest

from tests.campaign.estate import Estate
from tests.campaign.mutations import Mutation

_CAMPAIGN = [(platform, seed) for platform in ("gdrive", "m365", "s3") for seed in range(1_000)]


@pytest.mark.campaign
@pytest.mark.parametrize(("platform", "seed"), _CAMPAIGN)
def test_odd_values(estates: Mapping[str, Estate], platform: str, seed: int, tmp_path: Path) -> None:
    check(estates[platform], seed, tmp_path)


def check(estate: Estate, seed: int, folder: Path) -> None:
    """A second night with one odd value, compared with the undisturbed one."""
    right = estate.right.second
    dice = Random(seed)
    mutation = Mutation(dice.randint(1, estate.right.answers), dice)
    nights = estate.right.past.copied(folder)
    with estate.spoiling(".", mutation.spoil()):
        night = nights.next()

    lost = {print_ for print_, standing in right.standing.items() if standing.verified} - {
        print_ for print_, standing in night.standing.items() if standing.verified
    }
    new = {row.gap for row in night.gaps} - {row.gap for row in right.gaps}
    assert night.resolved <= right.resolved, mutation.what
    assert new or not lost, mutation.what
