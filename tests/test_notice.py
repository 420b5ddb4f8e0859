"""What a notification speaks of: fixes, compared with the scan that somebody was told of last."""

import msgspec
import pytest

from cloudscan.facts import Affiliation
from cloudscan.finding import Evidence, Finding, Person, Severity, State
from cloudscan.notifier import Notice, notice
from cloudscan.report import Diff, Report, Scan
from cloudscan_trackers.apprise import ThroughApprise
from tests.reports.synthetic import NOW, difference, employee, report

LINK = (Evidence(row={"origin_uid": "gdrive:file/1"}),)
SCAN = Scan(id="night-1", started_on=NOW, complete=True)
replace = msgspec.structs.replace


def about_one_link(owner: Person | None = None) -> Report:
    """Three rules that one link offends."""
    given = report(3, complete=True)
    lead = given.findings[0].verdict.subject

    def alike(finding: Finding) -> Finding:
        subject = replace(lead, name="plan", owner=owner.address if owner else "", responsible=owner)
        verdict = replace(finding.verdict, subject=subject, evidence=LINK)
        return replace(finding, verdict=verdict, state=State.OPEN, waiver=None)

    return replace(given, findings=[alike(finding) for finding in given.findings])


def told(given: Report, *kinds: str, fixes_of: dict[str, str] | None = None) -> Notice:
    differences = [difference(kind, finding) for finding, kind in zip(given.findings, kinds, strict=False) if kind]
    return notice(given, Diff(old=SCAN, new=SCAN, counts={}, differences=differences), Severity.INFO, fixes_of=fixes_of)


@pytest.mark.parametrize(
    ("kinds", "change"),
    [
        (("new", "new", "new"), "new"),
        (("new",), "widened"),  # one rule more on what was exposed before
        (("widened",), "widened"),
        (("reopened",), "reopened"),
        (("rejudged", "rejudged", "rejudged"), "rejudged"),
    ],
)
def test_a_link_that_offends_three_rules_is_told_once(kinds: tuple[str, ...], change: str) -> None:
    message = told(about_one_link(), *kinds)

    assert [kind for kind, _ in message.changed] == [change]
    assert (message.standing, message.counts[change]) == (1, 1)


def test_a_rule_less_on_what_is_still_exposed_is_not_resolved() -> None:
    given = about_one_link()
    gone = given.findings[2]
    left = replace(given, findings=given.findings[:2])
    before = Diff(old=SCAN, new=SCAN, counts={}, differences=[difference("resolved", gone)])

    still = notice(left, before, Severity.INFO, fixes_of={gone.fingerprint: _key(given)})
    fixed = notice(replace(given, findings=[]), before, Severity.INFO, fixes_of={gone.fingerprint: _key(given)})

    assert (still.resolved, still.quiet) == ([], True)
    assert (fixed.resolved, fixed.quiet) == (["plan"], False)


def _key(given: Report) -> str:
    (change,) = notice(given, None, Severity.INFO).changed
    return change[1].key


@pytest.mark.parametrize(
    ("owner", "named"),
    [
        (employee("mika@example.co.jp"), True),
        (employee("left@example.co.jp", status="suspended"), False),
        (employee("spy@rival.example", affiliation=Affiliation.EXTERNAL), False),
        (employee("Web shop", kind="account"), False),
    ],
)
def test_an_owner_is_named_if_they_are_an_active_person_of_ours(owner: Person, named: bool) -> None:
    message = notice(about_one_link(owner), None, Severity.INFO)

    _, text = ThroughApprise({}).words(message, "en")

    assert ("Owner" in text) is named
    assert (owner.name.partition("@")[0] in text) is named
