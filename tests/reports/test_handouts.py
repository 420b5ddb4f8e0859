"""Hand-outs: one page an owner, plain, printable, and with nobody else's data on it."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from cloudscan.config import Config, DeadlinesTable, OrganisationTable
from cloudscan.facts import Affiliation
from cloudscan.finding import Evidence, Finding, PolicyEntry, Severity, State
from cloudscan.report import Report, Terms
from cloudscan_reports.handout import addressees, contents
from cloudscan_reports.handout import html as handout_pages
from cloudscan_reports.handout import markdown as handout_markdown
from cloudscan_reports.handout.addressees import UNKNOWN, stem
from cloudscan_wording.texts import load
from tests.reports.hostile import NAMES, drenched
from tests.reports.synthetic import NOW, employee, report
from tests.reports.validators import VALIDATORS

TERMS = Config(organisation=OrganisationTable(contact="security@example.co.jp")).terms
Writer = Callable[[Report, str, Terms], Iterable[tuple[str, str]]]
replace = msgspec.structs.replace


def owned(finding: Finding, owner: str, **changes: object) -> Finding:
    """The finding with another owner: an active person of ours, unless `changes` say otherwise."""
    verdict, person = finding.verdict, employee(owner) if owner else None
    changed = {"owner": owner, "responsible": person, **changes}
    return replace(finding, verdict=replace(verdict, subject=replace(verdict.subject, **changed)))


def handed_to(given_report: Report, owners: Sequence[str]) -> Report:
    """The report with its findings dealt out to owners in turn, all of them open."""
    dealt = [
        replace(owned(finding, owners[index % len(owners)]), state=State.OPEN, waiver=None)
        for index, finding in enumerate(given_report.findings)
    ]
    return replace(given_report, findings=dealt)


def pages(given_report: Report, lang: str = "en") -> dict[str, str]:
    return dict(handout_pages.write(given_report, lang, TERMS))


def names_of(findings: Iterable[Finding]) -> set[str]:
    return {finding.verdict.subject.name for finding in findings}


@pytest.mark.parametrize("write", [handout_pages.write, handout_markdown.write])
def test_nobody_sees_what_is_anothers(write: Writer) -> None:
    """An owner's page names their own resources, nobody else's, and no other owner."""
    owners = ("mika@example.co.jp", "tom@example.co.jp", "")
    given_report = handed_to(report(60), owners)
    written = dict(write(given_report, "en", TERMS))

    for owner in owners:
        page = next(text for name, text in written.items() if name.startswith(stem(owner)))
        own = [finding for finding in given_report.findings if finding.verdict.subject.owner == owner]
        others = [finding for finding in given_report.findings if finding.verdict.subject.owner != owner]
        assert own[0].verdict.subject.name in page
        assert not [name for name in names_of(others) if name in page]
        assert not [other for other in owners if other and other != owner and other in page]


def test_each_page_says_what_who_since_when_until_when_and_how() -> None:
    (finding,) = handed_to(report(1), ["mika@example.co.jp"]).findings
    seen = replace(finding, first_seen_on=NOW - timedelta(days=1), verdict=replace(finding.verdict, since=None))

    page = pages(replace(report(1), findings=[seen]))[f"{stem('mika@example.co.jp')}.html"]

    assert "Dear mika@example.co.jp," in page
    assert finding.verdict.subject.name in page
    assert "Who can reach it: Anyone with an AWS account can edit it" in page
    assert "Open since 1 Mar 2026 or earlier" in page
    assert "Please do this by 31 Mar 2026" in page
    assert "<ol>" in page
    assert f"No. {finding.fingerprint[:8]}" in page
    assert "security@example.co.jp" in page


def test_a_deadline_follows_severity_and_configuration() -> None:
    config = Config(deadlines=DeadlinesTable(high=2))
    finding = replace(report(1).findings[0], state=State.OPEN, waiver=None, first_seen_on=NOW - timedelta(days=3))

    (strict,) = contents.handouts(replace(report(1), findings=[finding]), load("en"), config.terms)
    (usual,) = contents.handouts(replace(report(1), findings=[finding]), load("en"), TERMS)

    assert finding.severity is Severity.HIGH
    assert (strict.due, strict.overdue) == (NOW - timedelta(days=1), True)
    assert (usual.due, usual.overdue) == (NOW + timedelta(days=27), False)


def test_what_is_accepted_or_resolved_is_not_handed_out() -> None:
    given_report = report(12)
    for state in (State.WAIVED, State.RESOLVED):
        done = replace(given_report, findings=[replace(finding, state=state) for finding in given_report.findings])

        written = pages(done)

        assert list(written) == ["index.html"]
        assert "nothing to hand out" in written["index.html"]


def test_what_nobody_owns_has_a_page_of_its_own() -> None:
    written = pages(handed_to(report(6), [""]))

    assert set(written) == {f"{UNKNOWN}.html", "index.html"}
    assert "no owner who may be notified" in written[f"{UNKNOWN}.html"]
    assert "Unknown owner" in written["index.html"]


def test_spelling_makes_nobody_two_people() -> None:
    """Case, spaces and width of letters differ from platform to platform."""
    written = pages(handed_to(report(8), ["Mika@Example.co.jp", " mika@example.co.jp", "ＭＩＫＡ@example.co.jp"]))

    assert len(written) == 2


def test_the_rest_is_counted_by_rule() -> None:
    """Whatever is not told in full is listed, and nothing is left out."""
    given_report = handed_to(report(60), ["mika@example.co.jp"])

    (handout,) = contents.handouts(given_report, load("en"), TERMS)

    shown = sum(len(task.items) for task in handout.tasks)
    assert 1 <= shown <= contents.MOST_ITEMS
    assert shown + sum(more.count for more in handout.more) == handout.total == 60
    assert len({more.title for more in handout.more}) == len(handout.more)


@given(st.lists(st.text(), min_size=2, max_size=2))
def test_file_names_are_harmless_unique_and_stable(owners: list[str]) -> None:
    """Whatever an owner is called: a name that every system takes, the same each time, one for each owner."""
    one, other = owners

    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}", stem(one))
    assert stem(one) == stem(one)
    assert stem(one) not in ("con", "nul", "index")
    assert (stem(one) == stem(other)) == (addressees.key(one) == addressees.key(other))


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_only_odd(name: str) -> None:
    """In HTML it is text, in Markdown it is code, and the files stay in their folder."""
    soaked = drenched(report(6), name)
    given_report = handed_to(soaked, [name, "tom@example.co.jp"])

    html = dict(handout_pages.write(given_report, "ja", TERMS))
    markdown = dict(handout_markdown.write(given_report, "ja", TERMS))

    for file in (*html, *markdown):
        assert re.fullmatch(r"[a-z0-9-]+\.(html|md)", file)
    for page in html.values():
        page.encode()
        assert not re.search(r"<(script|img|svg|iframe|object|link)", page)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)
    for page in markdown.values():
        VALIDATORS["markdown"](page)


def test_a_link_leads_to_the_web_or_nowhere() -> None:
    given_report = report(4)
    urls = ("javascript:alert(1)", "data:text/html,x", "https://[", "https://drive.example/file/1")
    findings = [
        replace(owned(finding, f"owner{index}", url=urls[index]), state=State.OPEN)
        for index, finding in enumerate(given_report.findings)
    ]

    written = "".join(pages(replace(given_report, findings=findings)).values())

    assert re.findall(r'href="(?!owner|index)([^"]*)"', written) == ["https://drive.example/file/1"]


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_browser_runs_and_fetches_nothing(browser: Browser, lang: str) -> None:
    """All hostile names at once: no script, no dialog, no request, and nothing wider than the sheet."""
    soaked = drenched(report(len(NAMES), names=NAMES), "".join(NAMES))
    context = browser.new_context(viewport={"width": 800, "height": 1100})
    incidents: list[str] = []
    context.on("request", lambda request: incidents.append(request.url))
    page = context.new_page()
    page.on("dialog", lambda dialog: incidents.append(dialog.message))
    page.on("console", lambda message: incidents.append(message.text))
    for text in pages(handed_to(soaked, ["".join(NAMES), ""]), lang).values():
        page.set_content(text)
        assert page.evaluate("document.scripts.length") == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("document.documentElement.lang") == lang
        assert page.evaluate("document.querySelectorAll('h1').length") == 1
    context.close()

    assert incidents == []


def test_only_active_people_of_ours_get_a_page() -> None:
    """The index says of each other owner why not, and no file is named after them."""
    people = [
        employee("mika@example.co.jp"),
        employee("spy@rival.example", affiliation=Affiliation.EXTERNAL),
        employee("left@example.co.jp", status="deleted"),
        employee("Web shop", kind="account"),
    ]
    given_report = report(12)
    findings = [
        replace(owned(finding, people[index % 4].name, responsible=people[index % 4]), state=State.OPEN, waiver=None)
        for index, finding in enumerate(given_report.findings)
    ]

    written = pages(replace(given_report, findings=findings))

    index = written["index.html"]
    assert set(written) == {f"{stem('mika@example.co.jp')}.html", f"{UNKNOWN}.html", "index.html"}
    assert "<td>spy@rival.example</td><td>an external user</td>" in index
    assert "<td>left@example.co.jp</td><td>has left; no manager is known</td>" in index
    assert "<td>Web shop</td><td>an account, not a person</td>" in index
    assert "Dear" not in written[f"{UNKNOWN}.html"]
    assert "Owner: spy@rival.example (an external user)" in written[f"{UNKNOWN}.html"]


def test_what_a_former_employee_left_is_on_the_managers_page() -> None:
    manager = employee("boss@example.co.jp")
    (finding,) = handed_to(report(1), [""]).findings
    left = employee("left@example.co.jp", status="suspended", manager=manager)

    written = pages(replace(report(1), findings=[owned(finding, "left@example.co.jp", responsible=left)]))

    page = written[f"{stem('boss@example.co.jp')}.html"]
    assert "Dear boss@example.co.jp," in page
    assert "Owner: left@example.co.jp (the account is suspended)" in page
    assert "<td>left@example.co.jp</td><td>the account is suspended</td>" in written["index.html"]


def test_one_link_that_offends_three_rules_is_one_item() -> None:
    """The worst speaks for it, the others are named."""
    given_report = handed_to(report(8), ["mika@example.co.jp"])
    link = Evidence(row={"origin_uid": "gdrive:file/1"})
    alike = [
        replace(
            finding,
            verdict=replace(finding.verdict, evidence=(link,), subject=given_report.findings[0].verdict.subject),
        )
        for finding in given_report.findings
    ]

    (handout,) = contents.handouts(replace(given_report, findings=alike), load("en"), TERMS)

    (task,) = handout.tasks
    (item,) = task.items
    assert handout.total == 1
    assert task.title == "Bucket policy lets anyone read"
    assert item.also.startswith("This also fixes: ")
    assert "Unknown outside account" in item.also


def test_markdown_reads_well_as_plain_text() -> None:
    """It is pasted into mails: quotes and question marks are themselves."""
    given_report = handed_to(report(8, names=['Is it "public"?; 100%']), ["mika@example.co.jp"])

    page = dict(handout_markdown.write(given_report, "en", TERMS))[f"{stem('mika@example.co.jp')}.md"]

    assert "Is this intentional?" in page
    assert 'Is it "public"?; 100%' in page
    assert "&#34;" not in page


@pytest.mark.parametrize("write", [handout_pages.write, handout_markdown.write])
def test_the_policy_statement_stands_with_its_item(write: Writer) -> None:
    """What the steps speak of can be read without the console."""
    given_report = handed_to(report(1), ["mika@example.co.jp"])
    (finding,) = given_report.findings
    entry = PolicyEntry(kind="policy", number=3, name="Web", text='{\n  "Sid": "Web"\n}')
    quoting = replace(finding.verdict.evidence[0], entry=entry)
    finding = replace(finding, state=State.OPEN, waiver=None, verdict=replace(finding.verdict, evidence=(quoting,)))

    written = "".join(text for _, text in write(replace(given_report, findings=[finding]), "en", TERMS))

    assert "statement 3, Sid Web" in written
    assert re.search(r'\{ ?\s*(&#34;|")Sid(&#34;|"): (&#34;|")Web', written)
