"""What changed since an earlier scan, and the tickets of findings: in every format that has a place for it."""

import json
import re
from datetime import timedelta

import msgspec
import pytest

from cloudscan.report import Report, TicketLink
from cloudscan_reports.formats import asff, markdown, ocsf, sarif, terminal, xlsx
from cloudscan_reports.formats import csv as csvfile
from cloudscan_reports.handout import html as handout_pages
from cloudscan_reports.handout import markdown as handout_markdown
from cloudscan_reports.page import html as page_html
from cloudscan_wording.texts import load
from tests.reports.synthetic import NOW, report, with_past
from tests.reports.test_handouts import TERMS, handed_to
from tests.reports.validators import csv_rows, lines_of, sheets
from tests.reports.written import whole

replace = msgspec.structs.replace
URL = "https://tracker.example.com/browse/OPS-12"
TICKET = TicketLink(tracker="jira", key="OPS-12", open=True, as_of=NOW - timedelta(days=1), url=URL)
CLOSED = replace(TICKET, key="OPS-7", open=False, url="http://tracker.example.com/browse/OPS-7")


@pytest.fixture
def ticketed() -> Report:
    """One finding in an AWS account, with an open ticket and a closed one whose address is not of https."""
    given = report(1)
    (finding,) = given.findings
    verdict = replace(finding.verdict, subject=replace(finding.verdict.subject, account="000000000001"))
    finding = replace(finding, verdict=verdict)
    return replace(given, findings=[finding], tickets={finding.fingerprint: (TICKET, CLOSED)})


def test_tables_have_columns_for_them(ticketed: Report) -> None:
    (row,) = csv_rows(whole(csvfile.write, ticketed, "en"))
    head, first = sheets(xlsx.write(ticketed, "ja"))["検出結果"]

    assert (row["ticket"], row["ticket_state"]) == ("OPS-12 OPS-7", "open")
    assert row["ticket_url"] == URL
    row = dict(zip(head, first, strict=True))
    assert (row["チケット"], row["チケットの状態"]) == ("OPS-12 OPS-7", "対応中")


def test_the_workbook_lists_what_changed() -> None:
    """Also what is gone, which has no row among the findings any more."""
    given = with_past(report(3))
    assert given.changes is not None

    head, *rows = sheets(xlsx.write(given, "en"))["Changes"]

    assert [row[head.index("Fingerprint")] for row in rows] == [
        difference.fingerprint for difference in given.changes.differences
    ]
    assert "Resolved" in {row[0] for row in rows}


def test_other_tools_find_the_ticket_where_their_standard_has_it(ticketed: Report) -> None:
    """SARIF as a work item, OCSF as a ticket of the profile for incidents, Security Hub among the product's fields."""
    result = json.loads(whole(sarif.write, ticketed, "en"))["runs"][0]["results"][0]
    (event,) = lines_of(whole(ocsf.write, ticketed, "en"))
    (finding,) = json.loads(whole(asff.write, ticketed, "en"))["Findings"]

    assert result["workItemUris"] == [URL]
    assert event["metadata"]["profiles"] == ["cloud", "incident"]
    assert [(ticket["uid"], ticket["status"]) for ticket in event["tickets"]] == [
        ("OPS-12", "Open"),
        ("OPS-7", "Closed"),
    ]
    assert "src_url" not in event["tickets"][1]
    assert finding["ProductFields"]["cloudscan/Ticket"] == f"OPS-12 {URL} OPS-7"


def test_people_read_the_ticket_and_can_open_what_is_safe(ticketed: Report) -> None:
    """On the page without JavaScript: both by name, one as a link. In Markdown by name."""
    page = page_html.write(ticketed, "en")
    text = markdown.write(ticketed, "ja")

    assert f'<a href="{URL}" rel="noreferrer">OPS-12</a> (jira), open as of 1 Mar 2026' in page
    assert "OPS-7 (jira), closed as of 1 Mar 2026" in page
    assert 'href="http://tracker' not in page
    assert "`OPS-12` `OPS-7`" in text


def test_a_hand_out_names_the_open_ticket(ticketed: Report) -> None:
    """The person who has to fix it knows where it is being talked about."""
    given = handed_to(ticketed, ["mika@example.co.jp"])

    (page, _) = [content for _, content in handout_pages.write(given, "en", TERMS)]
    (text, _) = [content for _, content in handout_markdown.write(given, "ja", TERMS)]

    assert f'<a href="{URL}" rel="noreferrer">OPS-12</a>' in page
    assert "OPS-7" not in page
    assert "チケット：`OPS-12`" in text


@pytest.mark.parametrize(("lang", "why"), [("en", "passed"), ("ja", "問題がなくなったため")])
def test_what_is_gone_is_named_with_why(lang: str, why: str) -> None:
    """On the page, in Markdown, in the workbook; the terminal counts it."""
    given = with_past(report(12))
    assert given.changes is not None
    (gone, *_) = [difference for difference in given.changes.differences if difference.kind == "resolved"]
    changes = replace(given.changes, differences=[replace(gone, reason="passed")])
    given = replace(given, changes=changes)

    page = page_html.write(given, lang)
    text = re.sub(r"&#(\d+);", lambda mark: chr(int(mark[1])), markdown.write(given, lang))

    assert gone.name in page
    assert f"({why})" in page
    assert f"`{gone.name}` ({why})" in text
    summary = terminal.summary(given, lang, colour=False, width=110)
    assert load(lang).say("changes.title", day=load(lang).day(changes.old.started_on)) in summary
