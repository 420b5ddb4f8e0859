"""The HTML report in Chromium: what a reader can do with it."""

import csv
import io
import itertools
import json
import random
import re
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from cloudscan.finding import Evidence, Finding, Party, PartyKind, PolicyEntry, Severity, State
from cloudscan.report import ChangedBy, Event, EventKind, Rejudged, Report
from cloudscan.text import shell_of
from cloudscan_reports.page import html as page_html
from cloudscan_wording import phrases
from cloudscan_wording.texts import load
from cloudscan_wording.visible import visible
from tests.reports.conftest import Opener
from tests.reports.hostile import NAMES, drenched
from tests.reports.synthetic import NOW, RULES, report, with_past

ROWS = "#list > li"
BUTTONS = "#list h3 > button"


def status(page: Page) -> str:
    return page.locator("#count").inner_text()


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def more_filters(page: Page) -> None:
    page.locator("details.more > summary").click()


def everything_open(page: Page) -> None:
    page.evaluate(f"for (const each of document.querySelectorAll('{BUTTONS}')) each.click()")


def test_findings_stand_in_the_order_of_work(open_page: Opener) -> None:
    """The list shows what needs work, fifty a page, the highest score first."""
    given = report(300)
    work = [finding.message["en"] for finding in given.findings if finding.state != "waived"]

    page = open_page(given)

    assert page.locator(BUTTONS).all_inner_texts() == work[:50]
    assert status(page) == f"1 to 50 of {len(work)}"


def test_a_reader_pages(open_page: Opener) -> None:
    """The pager moves on, remembers the page in the address and stops at the end."""
    given = report(90)
    page = open_page(given)

    page.get_by_role("button", name="Next page").click()

    assert page.locator(ROWS).count() == sum(finding.state != "waived" for finding in given.findings) - 50
    assert page.url.endswith("#page=2")
    expect(page.get_by_role("button", name="Next page")).to_have_attribute("aria-disabled", "true")


def test_filters_work_together_and_are_announced(open_page: Opener) -> None:
    """Severity, rule, owner and free text narrow the list; the count is a live region; the address holds them all."""
    given = report(300)
    page = open_page(given)

    page.get_by_role("checkbox", name="Medium").check()
    page.get_by_role("checkbox", name="Critical").check()
    more_filters(page)
    page.get_by_label("Owner").select_option("tom.baker@example.co.jp")
    page.get_by_role("searchbox").fill("PROD")
    expected = [
        finding
        for finding in given.findings
        if finding.state != "waived"
        and finding.severity in ("medium", "critical")
        and finding.verdict.subject.owner.startswith("tom")
        and "prod" in finding.verdict.subject.name
    ]
    expect(page.locator(ROWS)).to_have_count(len(expected))

    assert 0 < len(expected) < 50
    assert page.locator("#count").get_attribute("aria-live") == "polite"
    assert status(page) == f"{len(expected)} findings"
    assert re.search(r"severity=critical%2Cmedium.*owner=tom.*q=PROD", page.url)


def test_a_filter_in_the_address_is_applied(open_page: Opener) -> None:
    """A link that somebody sent shows what the sender saw, and its controls say so."""
    page = open_page(report(300), fragment="#severity=low&state=any&q=hr")

    assert page.locator(".row .badge").all_inner_texts() == ["Low"] * page.locator(ROWS).count()
    expect(page.get_by_role("checkbox", name="Low")).to_be_checked()
    expect(page.get_by_role("searchbox")).to_have_value("hr")
    expect(page.get_by_label("State", exact=True)).to_have_value("any")


def test_each_facet_filters(open_page: Opener) -> None:
    """Every select narrows the list to findings of its value, and clearing brings all back."""
    given = report(120)
    page = open_page(given)
    all_of_them = status(page)
    more_filters(page)

    for name in ("Rule", "Cause", "Who can reach it", "Account", "State"):
        page.get_by_label(name, exact=True).select_option(index=2)
        assert status(page) != all_of_them, name
        page.get_by_role("button", name="Clear filters").click()
        assert status(page) == all_of_them


def test_no_match_is_said(open_page: Opener) -> None:
    """An empty list has its sentence."""
    page = open_page(report(30), fragment="#q=nothing-is-called-that")

    assert status(page) == "No finding matches these filters."


def test_a_link_to_a_finding_opens_it(open_page: Opener) -> None:
    """Also when it is far down, and when it is one that the list leaves out at first."""
    given = report(300)
    waived = [finding for finding in given.findings if finding.state == "waived"][-1]

    page = open_page(given, fragment=f"#finding={waived.fingerprint}")

    button = page.locator(f'[id="finding={waived.fingerprint}"] h3 > button')
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(button).to_be_in_viewport()
    detail = page.locator(f'[id="finding={waived.fingerprint}"] .detail')
    expect(detail).to_contain_text(
        "Waived until 11 May 2026 by mika.sato@example.co.jp: The price list is public on purpose."
    )


def test_a_finding_tells_the_whole_story(open_page: Opener) -> None:
    """Who, since when, why, how to fix it with the exact command, the chain, evidence, rule and fingerprint."""
    given = report(30)
    first = given.findings[0]
    page = open_page(given)

    page.locator(BUTTONS).first.click()

    detail = page.locator(".detail").first
    text = detail.inner_text()
    (*_, step) = phrases.filled_steps(RULES[0].text["en"].fix, phrases.fields_of(first.verdict), "en")
    assert step.commands[0] in text
    for sentence in (
        "Anyone on the internet can read it",
        RULES[0].text["en"].why,
        phrases.first_chain(first, "en")[2],
        "cis-aws-3.0#2.1.4",
        first.fingerprint,
        "s3-policy-open-to-read",
    ):
        assert sentence in text
    for identifier in ("flagged", "resource_uid", "blocked_by", "anyone_with_link"):
        assert identifier not in text
    detail.locator("details.raw > summary").click()
    expect(detail).to_contain_text(first.verdict.evidence[0].row["grant_uid"])


def test_the_command_is_copied_as_it_is(open_page: Opener) -> None:
    """The button copies the command and says so."""
    given = report(1, names=("it's <b>",))
    page = open_page(given, fragment=f"#finding={given.findings[0].fingerprint}&state=any")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    button = page.locator("button.copy").first
    button.click()

    expect(button).to_have_text("Copied")
    expect(page.locator("#announced")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    (*_, step) = phrases.filled_steps(RULES[0].text["en"].fix, phrases.fields_of(given.findings[0].verdict), "en")
    assert copied == step.commands[0]


def test_the_keyboard_is_enough(open_page: Opener) -> None:
    """From the first link to an open finding and back with Tab, Enter and Space; focus is always to be seen."""
    page = open_page(report(3, complete=True))

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate(f"document.activeElement.matches('{BUTTONS}')"):
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator(".detail")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.locator(".detail")).to_have_count(0)


def test_headings_form_an_outline_and_controls_have_names(open_page: Opener) -> None:
    """One first-level heading, no level skipped, every control named, every id once."""
    page = open_page(report(30))
    page.locator(BUTTONS).first.click()

    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map((each) => Number(each.tagName[1]))")

    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    unnamed = "[...document.querySelectorAll('input,select')].filter((each) => !each.labels.length).length"
    assert page.evaluate(unnamed) == 0
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((each) => each.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_hostile_names_only_look_odd(open_page: Opener, lang: str, width: int) -> None:
    """With every finding open nothing runs, nothing is wider than the screen, and deceiving characters are visible."""
    given = report(len(NAMES), names=NAMES)

    page = open_page(given, lang, fragment="#state=any", width=width)
    opened, text = 0, ""
    while True:
        everything_open(page)
        opened += page.locator(".detail").count()
        text += page.locator("#list").inner_text()
        assert overflow(page) == 0
        if page.locator("#pager").is_hidden() or (
            page.locator("#pager button[aria-disabled=true]").last.is_visible() and opened == len(NAMES)
        ):
            break
        page.locator("#pager button").last.click()

    assert opened == len(NAMES)
    assert "</script><script>alert(2)</script>" in text
    assert visible("invoice\u202egpj.exe") in text
    assert "␛[31mred" in text
    assert not re.search("[\x00\x07\x1b\u202e\u2028\ufeff]", text)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_hostile_text_is_harmless_anywhere(open_page: Opener, lang: str) -> None:
    """Organisation, causes, rule texts, coverage, evidence, addresses: wherever it stands, it is only text."""
    name = "\n".join(name for name in NAMES if len(name) < 100)

    page = open_page(drenched(report(20), name), lang, fragment="#state=any", width=390)
    everything_open(page)

    assert page.locator(".detail").count() == 20
    assert overflow(page) == 0
    assert page.locator("script, img, iframe, object, [onload], [onerror], [onmouseover]").count() == 3


def test_the_script_fills_commands_by_the_same_table(browser: Browser) -> None:
    """The page's script makes of each template and value what Python makes of it (`test_words`)."""
    cases = json.loads(Path(__file__).with_name("commands.json").read_text("utf-8"))
    script = resources.files("cloudscan_reports").joinpath("page", "commands.js").read_text("utf-8")
    page = browser.new_page()

    made = page.evaluate(
        f"(cases) => {{ {script}\n return cases.map(([line, shell, values]) => filledCommand(line, shell, values)); }}",
        [[case["template"], shell_of(case["template"]) or "", case["values"]] for case in cases],
    )

    for case, line in zip(cases, made, strict=True):
        assert line == (case["text"] and {"text": case["text"], "missing": case["missing"]}), case["it"]


def test_a_command_to_complete_has_no_button(open_page: Opener) -> None:
    """What a reader has to replace is named, and a name that cannot be typed takes its command away."""
    given = report(2, names=("plans", "tab\tname"))
    fix = "Close it:\n`aws x --bucket {resource_name}`\n`aws y --bucket {BUCKET}`"
    text = {"en": msgspec.structs.replace(given.rules[0].text["en"], fix=fix)}
    rules = [msgspec.structs.replace(rule, text=text) for rule in given.rules]

    page = open_page(msgspec.structs.replace(given, rules=rules), fragment="#state=any")
    everything_open(page)

    assert sorted(page.locator(".command code").all_text_contents()) == [
        "aws x --bucket plans",
        "aws y --bucket BUCKET",
        "aws y --bucket BUCKET",
    ]
    assert page.locator(".command .copy").count() == 1
    assert page.locator(".detail").get_by_text("(Replace BUCKET").count() == 2
    assert page.locator(".detail").get_by_text("cannot be typed safely").count() == 1


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_the_page_fits(open_page: Opener, width: int, dark: bool) -> None:
    """No sideways scrolling on a telephone, a tablet, a laptop; the ground follows the scheme."""
    page = open_page(report(60), "ja", width=width, dark=dark)
    page.locator(BUTTONS).first.click()

    assert overflow(page) == 0
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(21, 24, 28)" if dark else "rgb(255, 255, 255)")


def test_japanese_page_speaks_japanese(open_page: Opener) -> None:
    """Controls, count and details made by the script are Japanese too."""
    given = report(30)
    page = open_page(given, "ja")
    page.locator(BUTTONS).first.click()

    assert status(page) == "25 件"
    text = page.locator("#findings").inner_text()
    assert phrases.reach(load("ja"), given.findings[0].verdict) in text
    for english in ("Severity", "Copy", "Who can", "Since", "Evidence", "Likelihood", "Open"):
        assert english not in text


def test_without_javascript_the_findings_are_there(open_page: Opener) -> None:
    """The static list stands, says that filters are missing, and links to findings lead to it."""
    given = report(30)
    page = open_page(given, script=False)

    assert page.locator(ROWS).count() == 30
    expect(page.get_by_text("Filters need JavaScript")).to_be_visible()
    page.locator("ol.first a").first.click()
    expect(page.locator(f'[id="finding={given.findings[0].fingerprint}"]')).to_be_in_viewport()
    assert not page.locator("#filters").is_visible()


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page[^s]", pdf))


def test_on_paper_stands_the_list(open_page: Opener) -> None:
    """A few lines for each fix that the filters show, no controls; afterwards the page is as before."""
    given = with_past(report(365))
    page = open_page(given, fragment="#state=any")

    assert pages_of(page.pdf(format="A4")) <= 25
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")

    assert page.locator(ROWS).count() == 365
    assert page.locator(".detail:visible").count() == 0
    assert not page.locator("#filters").is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(ROWS).count() == 50


def test_what_a_reader_opened_is_printed_open(open_page: Opener) -> None:
    """Also on a wide screen, where it stands beside the list."""
    given = report(60)
    page = open_page(given, width=2560)
    page.locator(BUTTONS).nth(1).click()
    expect(page.locator("#beside .detail")).to_be_visible()

    page.evaluate("dispatchEvent(new Event('beforeprint'))")

    assert page.locator(f"{ROWS} .detail").count() == 1
    expect(page.locator(ROWS).nth(1)).to_contain_text("Why it matters")


def test_paper_has_an_end(open_page: Opener) -> None:
    """What would be too much for paper is counted, and where it stands is said."""
    page = open_page(report(450), fragment="#state=any")

    page.evaluate("dispatchEvent(new Event('beforeprint'))")

    assert page.locator(ROWS).count() == 400
    expect(page.locator("#rest")).to_have_text("… and 50 more fixes, which the file itself contains.")


def test_a_compressed_page_opens(open_page: Opener) -> None:
    """A large report is unpacked by the browser and works as a small one, also at its end."""
    given = report(5000)
    page = open_page(given, "ja", fragment="#page=3")
    assert status(page).endswith("101～150 件目")
    last = given.findings[-1]

    page.goto(f"{page.url.split('#')[0]}#finding={last.fingerprint}&state=any")

    detail = page.locator(f'[id="finding={last.fingerprint}"] .detail')
    expect(detail).to_contain_text(last.verdict.evidence[0].row["grant_uid"])
    expect(detail).to_contain_text(phrases.first_chain(last, "ja")[1])


def test_a_page_that_would_be_too_large_leaves_evidence_out_and_says_so(open_page: Opener) -> None:
    """What has to be done first keeps all of it; further down the reader is told where the rest stands."""
    given = report(5000)
    whole = len(page_html.page(given, "en", 10**8).encode())
    source = page_html.page(given, "en", whole - 5_000)

    page = open_page(given, source=source, fragment="#state=any")
    for finding in (given.findings[0], given.findings[-1]):
        page.goto(f"{page.url.split('#')[0]}#finding={finding.fingerprint}&state=any")
        detail = page.locator(f'[id="finding={finding.fingerprint}"] .detail')
        expect(detail).to_be_visible()

    assert len(source.encode()) < whole
    expect(detail).to_contain_text("One row of evidence was left out")


def terms(given: Report) -> list[str]:
    """Pieces of what stands in findings: of a name, of what stands around it, of both."""
    dice = random.Random(7)
    terms = ["s3:bucket/acme", "objects in acme-", "00002", "read", "nothing like it", "-0001", "open-to"]
    for finding in dice.sample(given.findings, 25):
        text = dice.choice([finding.message["en"], finding.verdict.subject.uid, finding.fingerprint])
        begin = dice.randrange(len(text) - 3)
        terms += text[begin : begin + dice.randrange(3, 14)].split()
    return terms


def test_a_search_finds_what_holds_the_words(open_page: Opener) -> None:
    """Every word that stands in a finding's sentence, name, address, account, owner, rule or fingerprint."""
    given = report(300)
    titles = {rule.id: rule.text["en"].title for rule in given.rules}
    searchable = [searched(finding, titles[finding.verdict.rule_id]) for finding in given.findings]
    page = open_page(given, fragment="#state=any")

    for term in terms(given):
        page.evaluate("(hash) => { location.hash = hash; }", "#" + urlencode({"state": "any", "q": term}))
        n = sum(all(word in text for word in term.lower().split()) for text in searchable)
        expected = {0: "No finding matches these filters.", 1: "1 finding"}.get(n, f"{n} findings")
        expect(page.locator("#count")).to_have_text(f"1 to 50 of {n}" if n > 50 else expected)


def searched(finding: Finding, title: str) -> str:
    subject = finding.verdict.subject
    names = (subject.name, subject.path, subject.uid, subject.account, subject.owner)
    return "\n".join(
        (finding.message["en"], *map(str, names), finding.fingerprint, finding.verdict.rule_id, title)
    ).lower()


def empty(complete: bool) -> Report:
    return report(0, complete=complete)


@pytest.mark.parametrize("complete", [True, False])
def test_a_report_without_findings_opens(open_page: Opener, complete: bool) -> None:
    """There is nothing to filter, so there are no filters."""
    page = open_page(empty(complete))

    expect(page.get_by_text("There are no findings.")).to_be_visible()
    assert not page.locator("#filters").is_visible()


def test_a_finding_outlives_its_rule(open_page: Opener) -> None:
    """A finding of a rule that is gone still stands in the list, with its message and its evidence."""
    given = msgspec.structs.replace(report(3), rules=())

    page = open_page(given, fragment="#state=any")
    everything_open(page)

    assert page.locator(BUTTONS).all_inner_texts() == [finding.message["en"] for finding in given.findings]
    assert given.findings[0].verdict.rule_id in page.locator(".detail").first.inner_text()


def test_a_fingerprint_that_is_no_digest_still_leads_to_its_finding(open_page: Opener) -> None:
    """Who reads another program's report may meet any."""
    first, *others = report(3).findings
    given = msgspec.structs.replace(
        report(3), findings=[msgspec.structs.replace(first, fingerprint="made up", state="open"), *others]
    )

    page = open_page(given, fragment="#finding=made+up")

    expect(page.locator("[id='finding=made up'] .detail")).to_be_visible()


def test_only_web_addresses_become_links(open_page: Opener) -> None:
    """A subject's address that is no https address is not offered to click."""
    given = report(1)
    (finding,) = given.findings
    subject = msgspec.structs.replace(finding.verdict.subject, url="javascript:alert(1)")
    verdict = msgspec.structs.replace(finding.verdict, subject=subject)
    given = msgspec.structs.replace(given, findings=[msgspec.structs.replace(finding, verdict=verdict)])

    page = open_page(given, fragment="#state=any")
    everything_open(page)

    assert page.locator(".detail").inner_html().count("<a ") == 1
    assert "javascript:" not in page.locator(".detail").inner_html()


def test_the_first_page_answers_five_questions(open_page: Opener) -> None:
    """A named case, first step, cost, course and blind spots: each in a sentence, also without JavaScript."""
    page = open_page(with_past(report(60)), script=False)

    assert page.locator(".case h3").inner_text() == "What would hurt most"
    assert page.locator(".answers dt").all_inner_texts() == [
        "What we do first",
        "What it costs",
        "Better or worse",
        "What we did not see",
    ]
    expect(page.locator(".case .what a")).to_have_text(re.compile("^Anyone can read the objects in acme-"))
    answers = page.locator(".answers dd > a").all_inner_texts()
    assert re.fullmatch(r"Better: \d+% less risk than on 1 Feb 2026 \(29 days ago\)", answers[2])
    assert answers[3] == "16 parts could not be read"
    for name in ("Likelihood and impact", "Risk over time"):
        expect(page.get_by_role("img", name=name)).to_be_visible()


def test_on_a_telephone_the_ranking_is_cards(open_page: Opener) -> None:
    """Priority and measure come before the figures behind them, nothing is beside the screen, long parts are folded."""
    page = open_page(with_past(report(60)), width=390)
    card = page.locator(".ranking tbody tr").first

    tops = [card.locator(cell).bounding_box() for cell in ("th", ".priority", ".measure", ".cost")]
    assert [box["y"] for box in tops if box] == sorted(box["y"] for box in tops if box)
    assert all(box and box["x"] + box["width"] <= 390 for box in tops)
    assert page.locator("details.fold[open]").count() == 0
    assert page.evaluate("document.documentElement.scrollHeight") < 12_500


def test_the_list_is_sorted(open_page: Opener) -> None:
    """By the address too; paging and links to findings keep to the order."""
    given = report(120)
    work = [finding for finding in given.findings if finding.state != "waived"]
    widest = sorted(work, key=lambda finding: -finding.verdict.resources)

    page = open_page(given, fragment="#sort=reach")

    assert page.locator(BUTTONS).all_inner_texts() == [finding.message["en"] for finding in widest[:50]]
    expect(page.get_by_label("Sort by")).to_have_value("reach")


def test_groups_lead_to_their_findings(open_page: Opener) -> None:
    """Grouping by owner counts each owner's findings; a click shows them."""
    given = report(120)
    work = [finding for finding in given.findings if finding.state != "waived"]
    owned = sum(finding.verdict.subject.owner == "tom.baker@example.co.jp" for finding in work)
    page = open_page(given)

    page.get_by_label("Group by").select_option("owner")
    row = page.locator(ROWS).filter(has_text="tom.baker@example.co.jp")
    expect(row).to_contain_text(f"{owned} findings")
    row.get_by_role("button").click()

    assert status(page) == f"{owned} findings"
    assert "owner=tom.baker" in page.url


def test_a_finding_shows_its_ticket_and_what_befell_it(open_page: Opener) -> None:
    """The ticket is a link to it; what changed since the scan before can be chosen, and what is gone is listed."""
    given = with_past(report(60))
    page = open_page(given, fragment=f"#finding={given.findings[0].fingerprint}")
    detail = page.locator(".detail")

    expect(detail.get_by_role("link", name="OPS-0")).to_have_attribute("href", "https://jira.example.com/browse/OPS-0")
    expect(detail).to_contain_text("OPS-0 (jira), open as of 2 Mar 2026")
    more_filters(page)
    page.get_by_label("Change", exact=True).select_option("new")
    expect(page.locator(ROWS)).to_have_count(sum(finding.state != "waived" for finding in given.findings[:4]))
    expect(page.locator("#first")).to_contain_text("4 new, 1 reopened, 2 widened, 9 resolved.")
    expect(page.locator("#first").get_by_text("acme-gone-8")).to_be_visible()


def with_evidence(finding: Finding, piece: Evidence, **more: Any) -> Finding:
    verdict = msgspec.structs.replace(finding.verdict, evidence=(piece,))
    return msgspec.structs.replace(finding, verdict=verdict, state=State.OPEN, waiver=None, **more)


def shared_link(given: Report) -> list[Finding]:
    """The findings, all about one link."""
    piece = Evidence(row={"origin_uid": "gdrive:file/root", "via": "link", "origin_name": "Root"})
    subject = given.findings[0].verdict.subject
    return [
        with_evidence(
            msgspec.structs.replace(finding, verdict=msgspec.structs.replace(finding.verdict, subject=subject)), piece
        )
        for finding in given.findings
    ]


def test_what_one_change_closes_is_one_row(open_page: Opener) -> None:
    """Findings about one link are one fix, led by the strongest; the others stand in it and open one by one."""
    given = report(10)
    findings = shared_link(given)
    page = open_page(msgspec.structs.replace(given, findings=findings))

    assert status(page) == "One fix closes 10 findings"
    assert page.locator(f"{ROWS} > .head .badge").all_inner_texts() == ["Critical"]
    expect(page.locator(ROWS)).to_contain_text("Same fix, 9 more findings")
    page.locator(BUTTONS).click()
    others = page.locator(".also > li")
    assert others.count() == 9
    others.first.locator("summary").first.click()
    expect(others.first.locator(".detail")).to_contain_text("Why it matters")
    page.get_by_label("Group by").select_option("none")
    assert status(page) == "10 findings"


def test_a_link_to_a_weaker_finding_opens_it_in_its_fix(open_page: Opener) -> None:
    """The row of the fix opens, and the finding in it."""
    given = report(10)
    findings = shared_link(given)
    weakest = min(findings, key=lambda finding: (finding.severity.rung, finding.score))
    page = open_page(msgspec.structs.replace(given, findings=findings), fragment=f"#finding={weakest.fingerprint}")

    box = page.locator(f'[id="finding={weakest.fingerprint}"]')
    expect(box).to_have_attribute("open", "")
    expect(box.locator(".detail")).to_contain_text(weakest.fingerprint)


def test_the_list_of_a_control_shows_every_rule(open_page: Opener) -> None:
    """A finding whose fix a graver rule leads is listed under the controls of its own rule."""
    given = report(10)
    findings = shared_link(given)
    lead, *_, weakest = sorted(findings, key=lambda finding: (finding.severity.rung, finding.score), reverse=True)
    own = {lead.verdict.rule_id: "own#A.1", weakest.verdict.rule_id: "own#A.2"}
    rules = [msgspec.structs.replace(rule, frameworks=[own.get(rule.id, "own#B")]) for rule in given.rules]

    page = open_page(
        msgspec.structs.replace(given, findings=findings, rules=rules), fragment="#framework=own%23A.2&state=any"
    )

    assert status(page) == "One fix closes 4 findings"
    assert page.locator(f"{ROWS} > .head .badge").all_inner_texts() == ["Low"]


def test_partners_are_partners_and_others_are_not(open_page: Opener) -> None:
    """The filter for external parties keeps registered partners apart from everybody else."""
    given = report(12)
    parties = [
        Party(name="Haulier", kind=PartyKind.PARTNER),
        Party(name="rival.example", kind=PartyKind.UNLISTED),
        Party(name="x@mail.example", kind=PartyKind.PRIVATE),
    ]
    findings = [
        with_evidence(finding, Evidence(row={"via": "direct"}, party=parties[index % 3]))
        for index, finding in enumerate(given.findings)
    ]
    page = open_page(msgspec.structs.replace(given, findings=findings))
    choice = page.get_by_label("External party")

    assert choice.locator("optgroup").evaluate_all("all => all.map(it => it.label)") == [
        "Registered partner",
        "Not a registered partner",
        "Private address",
    ]
    choice.select_option("unlisted:rival.example")
    assert status(page) == "4 findings"
    choice.select_option("private")
    assert status(page) == "4 findings"


def test_overdue_findings_are_filtered(open_page: Opener) -> None:
    """By the configured deadlines, from the day on which a finding was first seen."""
    deadlines = dict(zip(Severity, (365, 180, 90, 30, 7), strict=True))
    given = msgspec.structs.replace(report(60), deadlines=deadlines)
    overdue = [
        finding
        for finding in given.findings
        if finding.state != "waived" and (NOW - finding.first_seen_on).days > deadlines[finding.severity]
    ]
    page = open_page(given)

    page.get_by_label("Deadline").select_option("overdue")

    assert 0 < len(overdue) < 50
    assert status(page) == f"{len(overdue)} findings"
    expect(page.locator(".facts .overdue").first).to_contain_text("Overdue since")


def test_a_rank_is_filtered_in_words_and_has_its_own_deadline(open_page: Opener) -> None:
    """None of the others is overdue."""
    given = report(40)
    ranked = [
        msgspec.structs.replace(
            finding, verdict=msgspec.structs.replace(finding.verdict, rank=5 if number % 7 else None)
        )
        for number, finding in enumerate(given.findings)
    ]
    never, at_once = dict.fromkeys(Severity, 10_000), dict.fromkeys(Severity, 0)
    given = msgspec.structs.replace(given, findings=ranked, deadlines=never, rank_deadlines={5: at_once})
    page = open_page(given, fragment="#state=any")
    more_filters(page)

    page.get_by_label("Rank", exact=True).select_option("news-grade")
    of_the_rank = status(page)
    page.get_by_label("Deadline").select_option("overdue")

    assert of_the_rank == f"{sum(finding.verdict.rank == 5 for finding in ranked)} findings" == status(page)


def test_findings_without_a_ticket_are_filtered(open_page: Opener) -> None:
    """With and without."""
    given = with_past(report(30))
    page = open_page(given, fragment="#state=any")
    more_filters(page)

    page.get_by_label("Has a ticket").select_option("yes")
    assert status(page) == f"{len(given.tickets)} findings"
    page.get_by_label("Has a ticket").select_option("no")
    assert status(page) == f"{30 - len(given.tickets)} findings"


def test_a_view_has_a_link_to_keep(open_page: Opener) -> None:
    """What the filters show can be copied as an address; without a filter there is none."""
    page = open_page(report(30))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    assert not page.locator("#view-link").is_visible()

    page.get_by_role("checkbox", name="Critical").check()
    expect(page.locator("#view-link")).to_have_text("#severity=critical")
    page.get_by_role("button", name="Copy the link").click()

    assert page.evaluate("navigator.clipboard.readText()").endswith("report-en.html#severity=critical")


def test_the_policy_statement_is_quoted(open_page: Opener) -> None:
    """As it is stored, line by line; nothing in it can do more than look odd."""
    given = report(1)
    entry = PolicyEntry(
        kind="policy", number=2, name="Web", text='{\n  "Sid": "<img src=x onerror=alert(1)>\u202e"\n}', whole=False
    )
    finding = with_evidence(given.findings[0], Evidence(row={"via": "policy"}, entry=entry))
    page = open_page(msgspec.structs.replace(given, findings=[finding]), fragment=f"#finding={finding.fingerprint}")

    assert page.get_by_role("heading", name="The policy statement that gives access: statement 2, Sid Web").is_visible()
    quoted = page.locator("pre.entry").inner_text()
    assert quoted.splitlines() == ["{", '  "Sid": "<img src=x onerror=alert(1)>⟦U+202E⟧"', "}"]
    expect(page.locator(".detail")).to_contain_text("The rest is left out here.")


@pytest.mark.parametrize("kind", ["CSV", "JSON"])
def test_what_is_shown_is_saved(open_page: Opener, kind: str) -> None:
    """The file holds the filtered findings, and no cell of it begins like a formula."""
    given = report(60, names=("=cmd|'/c calc'!A1",))
    page = open_page(given, fragment="#severity=critical&state=any")
    critical = [finding.fingerprint for finding in given.findings if finding.severity == "critical"]

    with page.expect_download() as waiting:
        page.get_by_role("button", name=f"Save as {kind}").click()

    text = Path(waiting.value.path()).read_text("utf-8-sig")
    rows = list(csv.DictReader(text.splitlines())) if kind == "CSV" else json.loads(text)
    assert [row["fingerprint"] for row in rows] == critical
    assert kind == "JSON" or not re.search(r'"[=+@-]', text)


def test_the_button_writes_cells_by_the_same_table(browser: Browser) -> None:
    """The page's CSV disarms what `--format csv` disarms (`test_formats`), and numbers stay numbers."""
    cells = json.loads(Path(__file__).with_name("csv_cells.json").read_text("utf-8"))
    folder = resources.files("cloudscan_reports").joinpath("page")
    script = "\n".join(folder.joinpath(name).read_text("utf-8") for name in ("words.js", "csv.js"))

    text = browser.new_page().evaluate(
        f"(rows) => {{ {script}\n return csvText(rows); }}", [[*next(zip(*cells, strict=True)), -5]]
    )

    assert next(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))) == [
        *(cell for _, cell in cells),
        "-5",
    ]


def test_what_was_accepted_stands_by_urgency(open_page: Opener) -> None:
    """Overdue and outgrown waivers come before those that hold."""
    page = open_page(with_past(report(30)))

    assert [
        heading.split("\xa0")[0].rsplit(" ", 1)[0] for heading in page.locator("#waivers h3").all_inner_texts()
    ] == [
        "Expired",
        "Widened since it was waived",
        "Due soon",
        "Unused: covers no open finding",
        "In force",
    ]


def test_on_paper_nothing_is_cut_and_charts_stand_side_by_side(open_page: Opener) -> None:
    """An A4 sheet from a dark screen: light, no form, tables as wide as the sheet."""
    page = open_page(with_past(report(60)), width=688, dark=True)

    page.emulate_media(media="print", color_scheme="dark")

    assert overflow(page) == 0
    assert page.locator("form:visible, input:visible, select:visible").count() == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") in (
        "rgb(255, 255, 255)",
        "rgba(0, 0, 0, 0)",
    )
    for name in (".pair", ".roadmap"):
        columns = page.evaluate(f"getComputedStyle(document.querySelector('{name}')).gridTemplateColumns")
        assert len(columns.split()) == 2


def test_a_finding_that_is_judged_differently_says_so_in_its_history(open_page: Opener) -> None:
    """Also where nothing else happened to it: the day on which it was first seen is not when it was opened."""
    given = report(3)
    first = given.findings[0]
    opened = Event(
        fingerprint=first.fingerprint,
        scan_id="night-9",
        on=first.first_seen_on,
        kind=EventKind.OPENED,
        rejudged=Rejudged(changed_by=ChangedBy.VERSION, on=first.first_seen_on, version="0.2.0"),
    )
    page = open_page(msgspec.structs.replace(given, events=[opened]), fragment=f"#finding={first.fingerprint}")

    detail = page.locator(".detail").first.inner_text()
    assert "Found. Judged differently since version 0.2.0: cloudscan understands the same answers" in detail
