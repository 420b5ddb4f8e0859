"""The page under axe: no violation of WCAG 2.2 AA in any of its states."""

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from cloudscan.config import Config, OrganisationTable
from cloudscan.finding import Severity
from cloudscan.framework import ControlResult, ControlStanding, FrameworkResult
from cloudscan_reports.handout import html as handout_pages
from tests.reports.conftest import Opener
from tests.reports.synthetic import report, with_past

_OWN = FrameworkResult(
    id="own",
    title="House rules",
    url="https://example.com/rules",
    controls=[
        ControlResult(id=f"A.{number}", title="Sharing", standing=standing, flagged=number)
        for number, standing in enumerate(ControlStanding)
    ],
)
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
        ("#severity=critical&due=later", "en", 2560),
    ],
    ids=["first page", "telephone", "groups", "accepted", "no match", "wide"],
)
def test_axe_finds_nothing(open_page: Opener, fragment: str, lang: str, width: int, dark: bool) -> None:
    """First page, waivers, coverage and list stand on one page, so violation state is looked at as a whole."""
    given = msgspec.structs.replace(with_past(report(12)), deadlines=dict.fromkeys(Severity, 90), frameworks=[_OWN])
    page = open_page(given, lang, fragment=fragment, width=width, dark=dark)
    page.locator("details.framework > summary").click()

    results = Axe().run(page, options=_RULES)

    assert [(violation["id"], violation["nodes"][0]["html"]) for violation in results.response["violations"]] == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_in_a_finding(open_page: Opener, dark: bool) -> None:
    """An opened finding with its way in, evidence, history and remedy."""
    given = with_past(report(12))
    finding = next(finding for finding in given.findings if finding.state == "reopened")
    page = open_page(given, fragment=f"#finding={finding.fingerprint}", dark=dark)

    results = Axe().run(page, options=_RULES)

    assert page.locator("ol.access-path").count() == 1
    assert [(violation["id"], violation["nodes"][0]["html"]) for violation in results.response["violations"]] == []


def test_a_finding_opens_by_a_target_that_a_finger_hits(open_page: Opener) -> None:
    """At least 24 CSS pixels high (WCAG 2.2, 2.5.8), a short title too."""
    page = open_page(report(3), width=1280)

    heights = page.locator("#list h3 > button").evaluate_all("all => all.map(it => it.getBoundingClientRect().height)")

    assert len(heights) == 3
    assert min(heights) >= 24


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_hand_out_is_accessible_and_fits_a_telephone(browser: Browser, lang: str) -> None:
    """320 pixels, which is also a desktop at 400 % (WCAG 2.2, 1.4.10): nothing sticks out, and axe finds nothing."""
    terms = Config(organisation=OrganisationTable(contact="security@example.co.jp")).terms
    context = browser.new_context(viewport={"width": 320, "height": 900}, bypass_csp=True)
    page = context.new_page()
    for _, text in handout_pages.write(report(30), lang, terms):
        page.set_content(text)

        assert page.evaluate("document.documentElement.scrollWidth") == 320
        results = Axe().run(page, options=_RULES)
        assert [(violation["id"], violation["nodes"][0]["html"]) for violation in results.response["violations"]] == []
    context.close()
