"""The page under axe: no violation of WCAG 2.2 AA in any of its states."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.reports.conftest import Opener
from tests.reports.synthetic import report, with_past

_RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("fragment", "lang", "width"),
    [
        ("", "en", 1280),
        ("", "ja", 390),
        ("#state=any&group=rule", "ja", 1280),
        ("#state=waived", "en", 390),
        ("#q=nothing-is-called-that", "en", 1280),
    ],
    ids=["first page", "telephone", "groups", "accepted", "no match"],
)
def test_axe_finds_nothing(open_page: Opener, fragment: str, lang: str, width: int, dark: bool) -> None:
    """First page, waivers, coverage and list stand on one page, so each state is looked at as a whole."""
    page = open_page(with_past(report(12)), lang, fragment=fragment, width=width, dark=dark)

    found = Axe().run(page, options=_RULES)

    assert [(each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]] == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_in_a_finding(open_page: Opener, dark: bool) -> None:
    """An opened finding with its way in, evidence, history and remedy."""
    given = with_past(report(12))
    finding = next(each for each in given.findings if each.state == "reopened")
    page = open_page(given, fragment=f"#finding={finding.fingerprint}", dark=dark)

    found = Axe().run(page, options=_RULES)

    assert page.locator("ol.way").count() == 1
    assert [(each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]] == []
