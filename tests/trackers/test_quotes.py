"""Tickets quote the policy statement that a fix speaks of, in every markup, as nothing but text."""

import msgspec
import pytest

from cloudscan.finding import PolicyEntry
from cloudscan.tracker import TicketSubject
from cloudscan_trackers.markup import BACKLOG, MARKDOWN, PLAIN, WIKI, Markup
from cloudscan_trackers.wording import wording
from tests.reports.synthetic import report
from tests.trackers.test_whole_texts import SUBJECT

replace = msgspec.structs.replace


def quoting(text: str, *, whole: bool = True) -> TicketSubject:
    (finding, *_) = report(6).findings
    entry = PolicyEntry(kind="policy", number=2, name="Web", text=text, whole=whole)
    piece = replace(finding.verdict.evidence[0], entry=entry)
    verdict = replace(finding.verdict, evidence=(piece,))
    return replace(SUBJECT, findings=[replace(finding, verdict=verdict)])


@pytest.mark.parametrize("markup", [MARKDOWN, WIKI, PLAIN, BACKLOG], ids=["markdown", "wiki", "plain", "backlog"])
def test_a_ticket_quotes_the_statement(markup: Markup) -> None:
    """Line by line, under a heading that says which statement it is."""
    body = wording(markup).body(quoting('{\n  "Sid": "Web"\n}', whole=False), "en", 0)

    assert "statement 2, sid web" in body.replace("&#44;", ",").lower()
    lines = [line.strip() for line in body.splitlines()]
    begin = lines.index("{")
    assert lines[begin : begin + 4] == ["{", '"Sid": "Web"', "}", "…"]


def test_a_statement_cannot_leave_its_quotation() -> None:
    """Fences, mentions and control characters in it are text."""
    text = "```\n{noformat}\n@everyone\u202e\n```"

    assert "\n````\n```\n" in wording(MARKDOWN).body(quoting(text), "en", 0)
    assert wording(WIKI).body(quoting(text), "en", 0).count("{noformat}\n```") == 1
    assert "{ noformat}" in wording(WIKI).body(quoting(text), "en", 0)
    assert "@everyone" not in wording(BACKLOG).body(quoting(text), "en", 0)
    for markup in (MARKDOWN, WIKI, PLAIN, BACKLOG):
        assert "\u202e" not in wording(markup).body(quoting(text), "en", 0)
