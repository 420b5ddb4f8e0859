"""A setting's declaration: which names it covers, and which values fit."""

import pytest

from cloudscan.connector import SettingSpec, SettingType


@pytest.mark.parametrize(
    ("spec_type", "fitting", "unfitting"),
    [
        (SettingType.SWITCH, ["true", "false"], ["on", "True", ""]),
        (SettingType.NUMBER, ["0", "-1", "2.5"], ["many", "", "1,000"]),
        (SettingType.TEXT, ["", "anything"], []),
        (SettingType.CHOICE, ["view", "edit"], ["View", ""]),
    ],
)
def test_values_fit_their_type(spec_type: SettingType, fitting: list[str], unfitting: list[str]) -> None:
    spec = SettingSpec(name="link", type=spec_type, meaning="what a link allows", choices=("view", "edit"))

    assert [value for value in (*fitting, *unfitting) if spec.fits(value)] == fitting


def test_a_family_covers_all_names_that_begin_so() -> None:
    family = SettingSpec(name="drive.*", type=SettingType.TEXT, meaning="whatever the platform adds")

    assert family.matches("drive.sharing")
    assert not family.matches("driver")
