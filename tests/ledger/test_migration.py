"""Ledgers of older versions: their tables get today's names, and their findings today's rule ids."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from msgspec import json

from cloudscan.channel import Channel, ChannelKind
from cloudscan.engine.judge import judge
from cloudscan.engine.rule_file import Rule
from cloudscan.finding import Severity, State
from cloudscan.fix import key_of
from cloudscan.ledger import migrations
from cloudscan.ledger.ledger import Ledger
from cloudscan.ledger.schema import SCHEMA
from cloudscan.ledger.waivers import WaiverRequest
from cloudscan.report import Report, Terms
from cloudscan.ticketing.plan import ActionKind, Plan, TrackerState, plan
from cloudscan.ticketing.policy import Policy
from cloudscan.tracker import CommentContent, ExistingTicket, TicketPhase, TicketRecord, TicketSubject, Wording
from tests.kit.toy_cloud import rules, shelve
from tests.ledger.conftest import Nights

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
OLD, NEW = "drive-foreign-domain", "drive-external-domain"  # of a rule that was renamed
LATER_TABLES = (  # of schemas after 0003
    *("pending_comments", "ticket_troubles", "renamed_fingerprints", "gaps", "waiver_reviews", "closings"),
)
LATER_KEYS = ("rejudged", "comparisons")  # what they are made of is not in older schemas
OLD_NAMES = {
    "exposure_periods": "stretches",
    "waiver_baselines": "accepted",
    "waiver_widenings": "outgrown",
    "channels": "notices",
}


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def record(nights: Nights, night: int, rule_id: str, **documents: str) -> Report:
    """A night whose one rule has this id."""
    shelve(nights.company, documents)
    snapshot = nights.album.snapshot(nights.company, day(night))
    return nights.ledger.record(snapshot, judge(snapshot, renamed(rule_id)), organisation="Acme")


def renamed(rule_id: str) -> Sequence[Rule]:
    return [msgspec.structs.replace(rule, id=rule_id) for rule in rules()]


def waive(nights: Nights, night: int, **wish: str) -> None:
    request = WaiverRequest(owner="Mika Sato", reason="Public on purpose.", until=day(90).date(), **wish)
    nights.ledger.waive(request, now=day(night))


def downgrade(url: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as db:
        config.attributes["connection"] = db
        command.downgrade(config, revision)


def rows_in(url: str, tables: Sequence[str]) -> dict[str, int]:
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as db:
        return {table: db.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar() or 0 for table in tables}


def contents(ledger: Ledger) -> object:
    """Everything that a ledger tells, but for what schemas up to 0005 did not have."""
    waivers = ledger.waivers(now=day(9))
    said = [ledger.latest(), ledger.events(), ledger.trend(), ledger.diff(), waivers, ledger.tickets()]
    return without_later_keys(json.decode(json.encode(said)))


def without_later_keys(value: object) -> object:
    match value:
        case dict():
            return {name: without_later_keys(one) for name, one in value.items() if name not in LATER_KEYS}
        case list():
            return [without_later_keys(one) for one in value]
        case _:
            return value


def test_a_ledger_with_rows_in_every_table_survives_the_renaming_of_its_tables(nights: Nights, url: str) -> None:
    first = record(nights, 0, OLD, plan="everybody", notes="everybody", menu="everybody")
    waive(nights, 0, finding=first.findings[0].fingerprint)
    waive(nights, 0, target="toy:document/sales/menu")
    nights.ledger.revoke(2, now=day(0))
    name = first.findings[0].verdict.subject.name
    record(nights, 1, OLD, **{"plan": "everybody", "menu": "everybody", name: "the web"})
    nights.ledger.save_ticket(
        TicketRecord(tracker="board", marker=first.findings[0].fingerprint, phase=TicketPhase.OPEN, acted_on=day(0))
    )
    nights.ledger.save_channel(Channel(kind=ChannelKind.ADDRESS, id="somebody", scan_id="night", informed_on=day(0)))
    record(nights, 2, NEW, plan="everybody")  # so that nothing has to be renamed
    before = contents(nights.ledger)
    tables = [table for table in SCHEMA.tables if table not in LATER_TABLES]

    downgrade(url, "0003")
    old = rows_in(url, [OLD_NAMES.get(table, table) for table in tables])
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as db:  # by the id that no later version renames
        db.execute(sa.text(f"UPDATE findings SET rule_id = 'kept' WHERE rule_id = '{OLD}'"))
    migrated = Ledger(url)
    migrated.upgrade()

    assert all(old.values()), old
    assert rows_in(url, tables) == {table: old[OLD_NAMES.get(table, table)] for table in tables}
    assert contents(migrated) == before
    assert [(one.id, one.scan_id, one.informed_on) for one in migrated.channels()] == [("", "night", day(0))]


@pytest.fixture
def renamed_ledger(nights: Nights, url: str) -> Nights:
    """An open finding, a waived one with its baseline and a ticket, entered under the old id and migrated."""
    first = record(nights, 0, OLD, plan="everybody", notes="everybody")
    waived, open_ = sorted(first.findings, key=lambda finding: finding.verdict.subject.name)
    waive(nights, 0, finding=waived.fingerprint)
    record(nights, 1, OLD, plan="everybody", notes="everybody")
    nights.ledger.save_ticket(
        TicketRecord(tracker="board", marker=open_.fingerprint, phase=TicketPhase.OPEN, acted_on=day(1), key="A-1")
    )
    downgrade(url, "0003")
    nights.ledger = Ledger(url)
    nights.ledger.upgrade()
    return nights


def test_a_renamed_rule_makes_nothing_new_and_resolves_nothing(renamed_ledger: Nights) -> None:
    """Findings, waivers and baselines move to the fingerprints under the new id."""
    events = len(renamed_ledger.ledger.events())

    report = record(renamed_ledger, 2, NEW, plan="everybody", notes="everybody")

    assert {finding.verdict.subject.name: finding.state for finding in report.findings} == {
        "notes": State.WAIVED,
        "plan": State.OPEN,
    }
    assert {finding.verdict.rule_id for finding in report.findings} == {NEW}
    assert [finding.first_seen_on for finding in report.findings] == [day(0), day(0)]
    assert report.changes is not None
    assert report.changes.differences == []
    assert len(renamed_ledger.ledger.events()) == events
    assert [event.kind for event in report.events] == ["opened", "opened", "waived"]
    (status,) = renamed_ledger.ledger.waivers(now=day(2))
    assert status.notes == []
    assert status.findings == [finding.fingerprint for finding in report.findings if finding.waiver]


def test_a_waiver_under_the_new_id_still_ends_when_its_finding_widens(renamed_ledger: Nights) -> None:
    """The baseline moved too."""
    report = record(renamed_ledger, 2, NEW, plan="everybody", notes="the web")

    assert [(event.kind, event.reason) for event in report.events][-1] == ("reopened", "widened")


def test_the_last_report_is_known_under_the_new_id_before_the_next_scan(renamed_ledger: Nights) -> None:
    report = renamed_ledger.ledger.latest()

    assert report is not None
    assert {finding.verdict.rule_id for finding in report.findings} == {NEW}
    assert [rule.id for rule in report.rules] == [NEW]
    assert {finding.fingerprint: len(report.tickets.get(finding.fingerprint, ())) for finding in report.findings} == {
        finding.fingerprint: int(finding.verdict.subject.name == "plan") for finding in report.findings
    }


def test_a_waiver_for_the_old_rule_covers_the_new_one(nights: Nights, url: str) -> None:
    record(nights, 0, OLD, plan="everybody")
    waive(nights, 0, rule_id=OLD)
    downgrade(url, "0003")
    nights.ledger = Ledger(url)

    report = record(nights, 1, NEW, plan="everybody", notes="everybody")

    assert [finding.state for finding in report.findings] == [State.WAIVED, State.WAIVED]


def _body(subject: TicketSubject, _lang: str, _room: int) -> str:
    return f"{subject.findings[0].verdict.rule_id} {subject.findings[0].fingerprint}"


def _comment(content: CommentContent, _lang: str, _room: int = 0) -> str:
    return str(content.note)


WORDING = Wording(title=lambda subject, _: subject.owner, body=_body, comment=_comment, note=_comment)


def planned(nights: Nights, report: Report, ticket: ExistingTicket) -> Plan:
    return plan(
        report,
        {"board": TrackerState(wording=WORDING, existing=[ticket])},
        policy=Policy(),
        terms=Terms(days=dict.fromkeys(Severity, 30)),
        routes=(),
        lang="en",
        remembered=nights.ledger.tickets(),
        renames=nights.ledger.renames(),
        now=day(2),
    )


def written(nights: Nights, report: Report) -> ExistingTicket:
    """The ticket for the open finding, as a plan for this report writes it."""
    (action,) = plan(
        report,
        {"board": TrackerState(wording=WORDING, existing=[])},
        policy=Policy(),
        terms=Terms(days=dict.fromkeys(Severity, 30)),
        routes=(),
        lang="en",
        now=day(1),
    ).actions
    assert action.ticket
    return ExistingTicket(key="A-1", body=action.ticket.body, open=True)


@pytest.mark.parametrize("in_a_field", [False, True])
def test_a_ticket_with_the_old_marker_is_adopted(nights: Nights, url: str, in_a_field: bool) -> None:
    """It is updated and nothing else; the update carries the new marker, after which all is quiet."""
    ticket = written(nights, record(nights, 0, OLD, plan="everybody"))
    if in_a_field:
        marker = ticket.body.partition("cloudscan:1 ")[2].partition(" ")[0]
        ticket = msgspec.structs.replace(ticket, marker=marker, body="")
    downgrade(url, "0003")
    nights.ledger = Ledger(url)

    report = record(nights, 1, NEW, plan="everybody")
    (action,) = planned(nights, report, ticket).actions

    assert action.ticket
    assert (action.kind, action.key) == (ActionKind.UPDATE, "A-1")
    assert action.marker == action.ticket.marker == key_of(report.findings[0])
    rewritten = ExistingTicket(key="A-1", body=action.ticket.body, open=True, marker=action.ticket.marker)
    assert planned(nights, report, rewritten).actions == []


def test_a_ticket_with_the_old_marker_is_closed_when_its_finding_is_resolved(nights: Nights, url: str) -> None:
    ticket = written(nights, record(nights, 0, OLD, plan="everybody", notes="me"))
    downgrade(url, "0003")
    nights.ledger = Ledger(url)

    report = record(nights, 1, NEW, plan="company", notes="everybody")
    actions = planned(nights, report, ticket).actions

    assert [(action.kind, action.key) for action in actions] == [
        (ActionKind.CLOSE, "A-1"),
        (ActionKind.COMMENT, "A-1"),
        (ActionKind.CREATE, ""),
    ]
