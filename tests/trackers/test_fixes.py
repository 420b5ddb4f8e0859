"""One ticket per fix, for people of ours; tickets that were grouped in another way are adopted."""

import re
import shlex
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Literal

import msgspec
import pytest

from cloudscan.facts import Affiliation
from cloudscan.finding import Evidence, Finding, Person, Severity, State
from cloudscan.fix import key_of
from cloudscan.ledger.ledger import Ledger
from cloudscan.recipient import Via, Withheld
from cloudscan.report import Report, Terms
from cloudscan.ticketing import marker_line
from cloudscan.ticketing.plan import Action, ActionKind, Plan, TrackerState, plan
from cloudscan.ticketing.policy import Policy
from cloudscan.ticketing.routing import Route, assignee_of, recipient_for
from cloudscan.ticketing.subjects import last_day_of_waiver
from cloudscan.tracker import ExistingTicket
from cloudscan_trackers.markup import MARKDOWN, PLAIN
from cloudscan_trackers.wording import Limits, wording
from tests.cli.conftest import CONFIG, RULES
from tests.kit.own_rules import keep_rule
from tests.reports.synthetic import NOW, employee, report
from tests.trackers.conftest import Office, only

MIKA = employee("mika@example.co.jp")
TERMS = Terms(days=dict.fromkeys(Severity, 30), domains={"example.co.jp"})
Grouping = Literal["fix", "finding", "owner"]
replace = msgspec.structs.replace


def about(origins: Sequence[str], *, owner: Person | None = MIKA) -> Report:
    """A report with a finding for each origin, in this order, all of them open."""
    given = report(len(origins))
    findings = [_about(finding, origin, owner) for finding, origin in zip(given.findings, origins, strict=True)]
    return replace(given, findings=findings)


def _about(finding: Finding, origin: str, owner: Person | None) -> Finding:
    subject = replace(finding.verdict.subject, account="0", owner=owner.address if owner else "", responsible=owner)
    evidence = (Evidence(row={"origin_uid": origin}),) if origin else ()
    verdict = replace(finding.verdict, subject=subject, evidence=evidence)
    return replace(finding, verdict=verdict, state=State.OPEN, waiver=None)


def planned(
    given: Report,
    existing: Sequence[ExistingTicket] = (),
    group_by: Grouping = "fix",
    chosen: Collection[str] | None = None,
) -> Plan:
    return plan(
        given,
        {"board": TrackerState(wording=wording(MARKDOWN), existing=existing, fallback_assignee="desk")},
        policy=Policy(min_severity=Severity.INFO, group_by=group_by),
        terms=TERMS,
        routes=(),
        lang="en",
        chosen=chosen,
        now=NOW,
    )


def done(actions: Sequence[Action], existing: Sequence[ExistingTicket] = ()) -> list[ExistingTicket]:
    """The tickets after a plan was carried out."""
    tickets = {ticket.key: ticket for ticket in existing}
    for action in actions:
        if action.kind is ActionKind.CREATE and action.ticket:
            key = f"T-{len(tickets) + 1}"
            tickets[key] = ExistingTicket(key=key, body=action.ticket.body, open=True)
        elif action.kind is ActionKind.UPDATE and action.ticket:
            tickets[action.key] = replace(tickets[action.key], body=action.ticket.body)
        elif action.kind is ActionKind.CLOSE:
            tickets[action.key] = replace(tickets[action.key], open=False, closed_on=NOW)
    return list(tickets.values())


def test_a_run_for_a_part_touches_no_other_ticket() -> None:
    """One is gone, one is new and not chosen, one is chosen: only that one is written, and none is closed."""
    before = about(["a", "b", "c"])
    tickets = done(planned(replace(before, findings=before.findings[:1])).actions)
    now = replace(before, findings=before.findings[1:])
    wanted = now.findings[1].fingerprint

    part, whole = planned(now, tickets, chosen={wanted}), planned(now, tickets)

    assert [(action.kind, action.marker) for action in part.actions] == [(ActionKind.CREATE, key_of(now.findings[1]))]
    assert len(whole.actions) > 2
    assert planned(now, tickets, chosen=()).actions == []


def test_a_link_that_offends_three_rules_is_one_ticket() -> None:
    """The worst rule gives it its title, the others are named."""
    (action,) = planned(about(["a", "a", "a"])).actions

    assert action.ticket
    assert action.ticket.title.startswith("[Medium]")
    assert "This also fixes: " in action.ticket.body
    assert len(action.ticket.fingerprints) == 3


def test_tickets_of_findings_are_adopted_by_the_fix() -> None:
    """One is rewritten, the others are closed with its name; none is created, and then all is quiet."""
    given = about(["a", "a", "b"])
    before = done(planned(given, group_by="finding").actions)

    actions = planned(given, before).actions
    after = done(actions, before)

    assert [action.kind for action in actions].count(ActionKind.UPDATE) == 2
    assert [action.kind for action in actions].count(ActionKind.CLOSE) == 1
    assert ActionKind.CREATE not in [action.kind for action in actions]
    (comment,) = [action.text for action in actions if action.kind is ActionKind.COMMENT]
    assert "The change asked for in T-1 fixes this too" in comment
    assert planned(given, after).actions == []


def test_a_ticket_follows_its_fix_when_the_evidence_changes() -> None:
    """The key of a fix hangs on what its evidence has in common; the line in the ticket knows its findings."""
    given = about(["a"])
    before = done(planned(given).actions)
    (finding,) = given.findings
    rows = (Evidence(row={"origin_uid": "a"}), Evidence(row={"origin_uid": "b"}))
    moved = replace(finding, verdict=replace(finding.verdict, evidence=rows))

    (action,) = planned(replace(given, findings=[moved]), before).actions

    assert key_of(moved) != key_of(finding)
    assert (action.kind, action.key) == (ActionKind.UPDATE, "T-1")


def test_a_ticket_for_a_person_is_adopted_by_the_worst_fix() -> None:
    given = about(["a", "b"])
    before = done(planned(given, group_by="owner").actions)

    actions = planned(given, before).actions

    assert [action.kind for action in actions] == [ActionKind.UPDATE, ActionKind.CREATE]
    assert planned(given, done(actions, before)).actions == []


def test_tickets_of_fixes_are_adopted_by_the_persons() -> None:
    given = about(["a", "b"])
    before = done(planned(given).actions)

    actions = planned(given, before, "owner").actions

    assert sorted(action.kind for action in actions) == ["close", "comment", "update"]
    assert planned(given, done(actions, before), "owner").actions == []


def test_a_fix_of_which_a_part_is_waived_keeps_its_ticket() -> None:
    given = about(["a", "a"])
    before = done(planned(given).actions)
    lead = replace(given.findings[0], state=State.WAIVED)

    actions = planned(replace(given, findings=[lead, given.findings[1]]), before).actions

    assert [(action.kind, action.key) for action in actions] == [(ActionKind.UPDATE, "T-1")]


@pytest.mark.parametrize(
    ("owner", "assignee", "why"),
    [
        (MIKA, "mika@example.co.jp", None),
        (employee("left@example.co.jp", status="deleted", manager=MIKA), "mika@example.co.jp", Withheld.LEFT),
        (employee("left@example.co.jp", status="deleted"), "", Withheld.LEFT),
        (employee("spy@rival.example", affiliation=Affiliation.EXTERNAL), "", Withheld.EXTERNAL),
        (employee("Web shop", kind="account"), "", Withheld.ACCOUNT),
        (None, "", Withheld.UNKNOWN),
    ],
)
def test_a_ticket_is_assigned_to_people_of_ours_only(owner: Person | None, assignee: str, why: Withheld | None) -> None:
    (action,) = planned(about(["a"], owner=owner)).actions

    assert action.ticket
    assert (action.ticket.assignee, action.ticket.withheld) == (assignee, why)
    assert action.ticket.fallback_assignee == "desk"


@pytest.mark.parametrize(
    ("value", "address", "why"),
    [
        ("mika@example.co.jp", "mika@example.co.jp", None),
        ("spy@rival.example", "", Withheld.ADDRESS),
        ("data-team", "", Withheld.UNVERIFIED),
        ("", "", Withheld.ACCOUNT),
    ],
)
def test_a_tag_names_somebody_by_an_address_of_ours(value: str, address: str, why: Withheld | None) -> None:
    """A bucket belongs to an account, and its tag is written by anybody who may tag it."""
    (finding,) = about(["a"], owner=employee("Web shop", kind="account")).findings
    subject = replace(finding.verdict.subject, detail={"tags": {"Owner": value}} if value else {})
    tagged = replace(finding, verdict=replace(finding.verdict, subject=subject))

    recipient = recipient_for(tagged, ("owner", "tag:Owner"), TERMS.domains)

    assert recipient.address == address
    assert recipient.via is (Via.OWNER if address else Via.FALLBACK)
    if address or not value:
        assert recipient.withheld is why


@pytest.mark.parametrize(
    ("template", "assignee"),
    [
        ("{owner}", ""),
        ("{tag:Owner}", ""),
        ("{tag:Team}@example.co.jp", "data@example.co.jp"),
        ("helpdesk@provider.example", "helpdesk@provider.example"),
    ],
)
def test_a_template_of_a_route_names_nobody_else_either(template: str, assignee: str) -> None:
    """But an address that the configuration spells out is a decision."""
    (finding,) = about(["a"], owner=employee("spy@rival.example", affiliation=Affiliation.EXTERNAL)).findings
    tags = {"tags": {"Owner": "spy@rival.example", "Team": "data"}}
    tagged = replace(finding, verdict=replace(finding.verdict, subject=replace(finding.verdict.subject, detail=tags)))
    recipient = recipient_for(tagged, ("owner",), TERMS.domains)

    assert assignee_of(tagged, Route(assignee=template), recipient, TERMS.domains) == assignee


def test_a_ticket_for_a_person_says_why_and_how_once_for_each_rule() -> None:
    (action,) = planned(about([str(number) for number in range(49)]), group_by="owner").actions

    assert action.ticket
    assert action.ticket.title == "[Critical] 49 items to fix: mika@example.co.jp"
    assert action.ticket.body.count("Why it matters: ") <= 4
    assert len(action.ticket.body.splitlines()) < 200
    assert "19 more items do not fit here" in action.ticket.body


@pytest.mark.parametrize("most", [1, 2, 30, 180])
def test_a_waiver_that_a_ticket_offers_is_in_the_future_and_not_too_long(most: int) -> None:
    """And it is the same for weeks, so that tickets are not rewritten every night."""
    days = [(NOW + timedelta(days=number)).date() for number in range(400)]
    ends = [last_day_of_waiver(day, most) for day in days]

    assert all(1 <= (end - day).days <= most for day, end in zip(days, ends, strict=True))
    assert len(set(ends)) <= 400 / max(1, most // 2) + 2


@only("kind", ["github"])
def test_the_waiver_command_in_a_ticket_works_as_it_is(office: Office) -> None:
    office.configure('[tickets]\nlanguage = "en"')
    office.desk.shelve(plan="everybody")
    office.desk.run("scan")
    office.hand_over()
    (ticket,) = office.tracker.tickets()
    (command,) = re.findall(r"^ *(cloudscan waive add .*)$", ticket["body"], re.MULTILINE)

    result = office.desk.run(*shlex.split(command)[1:])

    assert (result.code, result.err) == (0, "")
    assert "covers" in result.out


@only("kind", ["github", "webhook"])
def test_a_ticket_of_a_finding_is_adopted_and_remembered_under_its_fix(office: Office) -> None:
    """With a tracker that lists its tickets, and with one of which only the ledger knows."""
    desk = office.desk
    keep_rule(desk.folder / "mine")
    (rule,) = (desk.folder / "mine").iterdir()
    rule.write_text(rule.read_text("utf-8").replace("SELECT e.resource_uid,", "SELECT e.resource_uid, e.origin_uid,"))
    given = f"{CONFIG}\n{office.tracker.table}".replace(str(RULES), "mine")
    desk.configure(f'{given}\n[tickets]\ngroup_by = "finding"')
    desk.shelve(plan="everybody")
    desk.run("scan")
    office.hand_over()
    desk.configure(given)

    adopted = office.hand_over()
    quiet = office.hand_over()
    desk.shelve(plan="me")
    desk.run("scan")
    closed = office.hand_over()

    assert [line.split()[0] for line in adopted.out.splitlines()] == ["update"]
    assert quiet.out == "Every ticket is up to date.\n"
    assert [line.split()[0] for line in closed.out.splitlines()] == ["close", "comment"]
    (ticket,) = office.tracker.tickets()
    assert not ticket["open"]
    ledger = Ledger("sqlite:///.cloudscan/ledger.db")
    assert [record.marker for record in ledger.tickets()] == [ticket["body"].split("cloudscan:1 ")[1].split()[0]]


@only("kind", ["github"])
def test_a_dry_run_says_why_a_ticket_is_not_the_owners(office: Office) -> None:
    office.scan(plan="everybody")

    shown = office.hand_over("--dry-run")

    assert "not the owner's: no owner is known" in shown.out


def test_a_ticket_about_very_many_accounts_fits_and_is_recognised() -> None:
    """Lists that do not fit are left out of the marker line: what it does not name is not taken for resolved."""
    many = about([f"origin-{number}" for number in range(120)])
    spread = [
        replace(one, verdict=replace(one.verdict, subject=replace(one.verdict.subject, account=f"{number:012d}")))
        for number, one in enumerate(many.findings)
    ]
    given = replace(many, findings=spread)
    words = wording(PLAIN, limits=Limits(body=4_000))

    made = plan(
        given,
        {"board": TrackerState(wording=words, existing=(), fallback_assignee="desk")},
        policy=Policy(min_severity=Severity.INFO, group_by="owner"),
        terms=TERMS,
        routes=(),
        lang="ja",
        now=NOW,
    )

    (action,) = made.actions
    assert action.ticket
    assert len(action.ticket.body) <= 4_000
    line = marker_line.read(action.ticket.body)
    assert line
    assert line.marker == action.marker
    assert not line.of
