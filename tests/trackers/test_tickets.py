"""From finding to person: `cloudscan tickets` against every tracker that comes with it."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from cloudscan.engine.judge import judge
from cloudscan.fix import key_of
from cloudscan.ledger.ledger import Ledger
from cloudscan.ledger.waivers import WaiverRequest
from cloudscan.ticketing.plan import links
from cloudscan.ticketing.policy import Grouping, Policy
from cloudscan.ticketing.subjects import person_marker
from cloudscan.tracker import TicketPhase, TicketRecord
from cloudscan_emulators.trackers.github import GitHub
from cloudscan_emulators.trackers.jira import Jira
from cloudscan_emulators.trackers.server import Reply
from tests.cli.conftest import CONFIG, RULES
from tests.kit.own_rules import keep_rule
from tests.kit.toy_cloud import rules
from tests.ledger.conftest import Nights
from tests.ledger.test_migration import downgrade
from tests.reports.synthetic import NOW, report
from tests.trackers.conftest import Office, only

LISTING = ["backlog", "github", "gitlab", "jira-cloud", "jira-data-center", "servicenow"]


def test_a_finding_becomes_one_ticket(office: Office) -> None:
    """It says in words what is wrong and what to do; a second run writes nothing."""
    result = office.night(plan="everybody", notes="me")
    again = office.hand_over()

    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"create {office.tracker.kind} ")
    (ticket,) = office.tracker.tickets()
    assert ticket["open"]
    assert ticket["title"] == "[High] plan can be opened by anyone who has the link"
    assert "Remove the link" in ticket["body"]
    assert "2 Apr 2026" in ticket["body"]  # thirty days after it was first seen
    assert again.out == "Every ticket is up to date.\n"
    assert len(office.tracker.tickets()) == 1


def test_the_report_names_the_ticket_of_a_finding(office: Office) -> None:
    """Written again from the ledger, with whether it is open: the key is the one that handing over told."""
    result = office.night(plan="everybody")

    made = office.desk.run("report", "--format", "json", "-o", "-").json

    (finding,) = made["findings"]
    (ticket,) = made["tickets"][finding["fingerprint"]]
    assert ticket["tracker"] == office.tracker.kind
    assert (ticket.get("url") or ticket["key"]) in result.out
    assert ticket["open"] is True


def test_a_dry_run_shows_what_would_be_sent_and_sends_nothing(office: Office) -> None:
    office.scan(plan="everybody")

    shown = office.hand_over("--dry-run", "--format", "json")
    writes = office.tracker.service.asked("^(POST|PATCH|PUT) ")
    office.hand_over()

    (planned,) = shown.json["actions"]
    (ticket,) = office.tracker.tickets()
    assert writes == 0 or office.tracker.kind == "backlog"  # which needs a category before it can be asked
    assert planned["kind"] == "create"
    assert planned["ticket"]["title"] == ticket["title"]
    assert planned["ticket"]["body"].split() == ticket["body"].split()


def test_a_ticket_lives_as_long_as_its_finding(office: Office) -> None:
    """Resolved: commented and closed. Back: commented and opened again. Never a second one."""
    office.night(plan="everybody")

    office.night(plan="me")
    (closed,) = [dict(ticket) for ticket in office.tracker.tickets()]
    comments = list(closed["comments"])
    office.night(plan="everybody")
    (back,) = office.tracker.tickets()

    assert not closed["open"]
    assert "no longer finds it" in comments[0]
    assert back["open"]
    assert len(back["comments"]) == 2
    assert "It is back" in back["comments"][1]


def test_what_reaches_further_is_said_and_written(office: Office) -> None:
    office.night(plan="everybody")

    result = office.night(plan="the web")
    quiet = office.hand_over()

    (ticket,) = office.tracker.tickets()
    assert [line.split()[0] for line in result.out.splitlines()] == ["update", "comment"]
    assert "more people" in ticket["comments"][0]
    assert "audience=anyone-discoverable" in ticket["body"]
    assert quiet.out == "Every ticket is up to date.\n"


def test_what_stays_is_spoken_of_again_after_a_month(office: Office) -> None:
    office.night(plan="everybody")
    office.later(19)
    office.night(plan="everybody")
    (before,) = [list(ticket["comments"]) for ticket in office.tracker.tickets()]

    office.later(10)
    office.night(plan="everybody")
    office.night(plan="everybody")

    (ticket,) = office.tracker.tickets()
    assert before == []
    assert len(ticket["comments"]) == 1
    assert "Still open" in ticket["comments"][0]


def test_what_is_accepted_is_closed_until_it_counts_again(office: Office) -> None:
    """The comment says who accepted it, until when and why."""
    office.night(plan="everybody")
    ledger = Ledger("sqlite:///.cloudscan/ledger.db")
    until = office.today.date()
    ledger.waive(
        WaiverRequest(target="toy", owner="Mika Sato", reason="Public on purpose.", until=until), now=office.today
    )

    office.hand_over()
    (ticket,) = [dict(seen) for seen in office.tracker.tickets()]
    office.later(1)
    office.night(plan="everybody")

    assert not ticket["open"]
    assert (
        "by Mika Sato. The ticket is closed until then, and reopened if it is still there. Reason: Public on purpose."
        in ticket["comments"][0].replace("\\", "").replace("&#46;", ".")
    )
    assert office.tracker.tickets()[0]["open"]


@only("kind", ["github"])
def test_what_could_not_be_read_closes_nothing(office: Office) -> None:
    office.night(plan="everybody")

    office.night(plan="?")

    (ticket,) = office.tracker.tickets()
    assert ticket["open"]
    assert ticket["comments"] == []
    assert "could not read this location" in ticket["body"]


@only("kind", LISTING)
def test_a_lost_ledger_doubles_no_ticket(office: Office) -> None:
    """The mark in the ticket is enough to find it again, closed ones too."""
    office.night(plan="everybody", notes="everybody")
    office.night(plan="everybody", notes="me")
    Path(".cloudscan/ledger.db").unlink()

    result = office.night(plan="everybody", notes="everybody")

    assert result.code == 0
    assert [ticket["open"] for ticket in office.tracker.tickets()] == [True, True]


@only("kind", LISTING)
def test_tickets_from_a_report_alone(office: Office, tmp_path: Path) -> None:
    """On another machine, without ledger and without rights in the cloud."""
    office.scan(plan="everybody")
    first = office.desk.run("report", "--format", "json", "-o", str(tmp_path / "first.json"))
    office.scan(plan="me")
    office.desk.run("report", "--format", "json", "-o", str(tmp_path / "second.json"))
    Path(".cloudscan/ledger.db").unlink()

    office.hand_over("--from", str(tmp_path / "first.json"))
    office.hand_over("--from", str(tmp_path / "first.json"))
    (opened,) = [dict(ticket) for ticket in office.tracker.tickets()]
    office.hand_over("--from", str(tmp_path / "second.json"))
    (closed,) = office.tracker.tickets()

    assert first.code == 0
    assert opened["open"]
    assert not closed["open"]
    assert not Path(".cloudscan/ledger.db").exists()


def test_a_lost_answer_doubles_no_ticket(office: Office) -> None:
    """The tracker made the ticket, and the line went dead before it could say so."""
    office.tracker.service.goes_wrong(office.tracker.creates, carried_out=True)

    first = office.night(plan="everybody")
    second = office.hand_over()

    assert len(office.tracker.tickets()) == 1
    assert second.out == "Every ticket is up to date.\n"
    assert first.code == 0


def test_a_pause_is_kept(office: Office) -> None:
    """A throttled request is sent again; it was not carried out."""
    slower = Reply(429, {"message": "slow down"}, {"Retry-After": "0"})
    office.tracker.service.goes_wrong(office.tracker.creates, slower)

    result = office.night(plan="everybody")

    assert result.code == 0
    assert len(office.tracker.tickets()) == 1


def test_many_tickets_are_found_on_many_pages(office: Office) -> None:
    if office.tracker.kind not in ("backlog", "servicenow"):  # there, a page that is not full is the last one
        office.tracker.longest_page = 10
    many = office.tracker.longest_page + 12
    office.configure("[tickets]\nmax_new = 200")
    documents = {f"plan-{number}": "everybody" for number in range(many)}

    office.night(**documents)
    Path(".cloudscan/ledger.db").unlink() if office.tracker.lists else None
    again = office.night(**documents)

    assert len(office.tracker.tickets()) == many
    assert again.code == 0


@only("kind", LISTING)
def test_of_two_tickets_about_one_finding_the_older_stays(office: Office) -> None:
    office.night(plan="everybody")
    office.tracker.copy()

    office.hand_over()

    assert [ticket["open"] for ticket in office.tracker.tickets()] == [True, False]
    assert "Duplicate of" in office.tracker.tickets()[1]["comments"][-1]


@only("kind", LISTING)
def test_who_closes_a_ticket_has_until_the_next_scan_to_be_right(office: Office) -> None:
    """The same report opens nothing again; a later scan that still sees it does."""
    office.night(plan="everybody")
    (ticket,) = office.tracker.tickets()
    office.tracker.by_hand(ticket["key"], is_open=False)

    office.hand_over()
    (after_the_same,) = [ticket["open"] for ticket in office.tracker.tickets()]
    office.night(plan="everybody")
    (after_the_next,) = [ticket["open"] for ticket in office.tracker.tickets()]

    assert (after_the_same, after_the_next) == (False, True)


@only("kind", LISTING)
def test_a_text_that_somebody_emptied_is_written_anew(office: Office) -> None:
    """Without its mark a ticket is still known to the ledger."""
    office.night(plan="everybody")
    (ticket,) = [dict(each) for each in office.tracker.tickets()]
    office.tracker.rewrite(ticket["key"], "Who wrote all this?")

    office.hand_over()

    (again,) = office.tracker.tickets()
    assert again["body"] == ticket["body"]


@only("kind", ["github", "jira-cloud", "servicenow", "backlog", "gitlab", "jira-data-center"])
def test_a_ticket_goes_to_whom_a_route_names_else_to_the_deputy(office: Office) -> None:
    office.configure(
        '[[routes]]\npath = "plan*"\nassignee = "mika@acme.example"\nfallback_assignee = "deputy"\n'
        '[[routes]]\nassignee = "left@acme.example"\nfallback_assignee = "deputy"'
    )

    office.night(plan="everybody", notes="everybody")

    assignees = {ticket["title"].split()[1]: ticket["assignee"] for ticket in office.tracker.tickets()}
    assert assignees == {"plan": "mika", "notes": "deputy"}


@only("kind", ["github"])
def test_who_left_is_refused_by_the_tracker_and_the_deputy_takes_it(office: Office) -> None:
    """GitHub still knows the account, and does not take it as an assignee."""
    office.configure('[[routes]]\nassignee = "gone@acme.example"\nfallback_assignee = "deputy"')

    office.night(plan="everybody")

    (ticket,) = office.tracker.tickets()
    assert ticket["assignee"] == "deputy"


@only("kind", ["github"])
def test_no_more_new_tickets_in_a_night_than_allowed(office: Office) -> None:
    """The rest is said, and comes in the nights after."""
    office.configure("[tickets]\nmax_new = 2")

    first = office.night(a="everybody", b="everybody", c="everybody")
    made = len(office.tracker.tickets())
    second = office.night(a="everybody", b="everybody", c="everybody")

    assert made == 2
    assert "postponed: 1 high" in first.err
    assert len(office.tracker.tickets()) == 3
    assert second.err == ""


@only("kind", ["jira-cloud", "github", "backlog"])
def test_tickets_in_japanese(office: Office) -> None:
    office.configure('[tickets]\nlanguage = "ja"')

    office.night(plan="everybody")

    (ticket,) = office.tracker.tickets()
    assert ticket["title"] == "[高] plan はリンクを知っている全員が開けます"
    assert "リンクを削除します。" in ticket["body"]
    assert "期限" in ticket["body"]


@pytest.mark.parametrize("name", ["@everyone", "a](https://evil.example)", "<!-- x -->", "/close", "[~admin]", "x`y"])
@only("kind", ["github", "jira-cloud"])
def test_a_hostile_name_mentions_and_links_nothing(office: Office, name: str) -> None:
    office.night(**{name: "everybody"})

    (ticket,) = office.tracker.tickets()
    body = ticket["body"]
    if office.tracker.kind == "github":
        assert f"`{name}`" in body or f"`` {name} ``" in body or f"``{name}``" in body
    else:
        assert "[~" not in body.replace("\\[", "")
        assert "](" not in body.replace("\\]", "")
    assert not any(line.startswith("/") for line in body.splitlines())


@only("kind", ["jira-cloud", "jira-data-center"])
def test_jiras_index_may_lag_behind_a_lost_answer(office: Office) -> None:
    """While the index may not hold it yet, no second issue is made; when it does, the first is taken up."""
    assert isinstance(office.tracker, Jira)
    office.tracker.lagging = True
    office.tracker.service.goes_wrong(office.tracker.creates, carried_out=True)

    first = office.night(plan="everybody")
    meanwhile = office.hand_over()
    office.tracker.unindexed.clear()
    later = office.hand_over()

    assert first.code == 3
    assert "run again in a few minutes" in meanwhile.err
    assert later.out == "Every ticket is up to date.\n"
    assert len(office.tracker.tickets()) == 1


@only("kind", ["jira-cloud"])
def test_a_jira_project_without_due_days_takes_tickets_too(office: Office) -> None:
    assert isinstance(office.tracker, Jira)
    del office.tracker.screen["duedate"]

    result = office.night(plan="everybody")

    assert result.code == 0
    assert len(office.tracker.tickets()) == 1


@only("kind", ["github"])
def test_a_public_repository_is_refused(office: Office) -> None:
    assert isinstance(office.tracker, GitHub)
    office.tracker.security.private = False

    result = office.night(plan="everybody")

    assert result.code == 3
    assert "choose a private repository, or write public = true" in result.err


@only("kind", ["github"])
def test_a_secondary_rate_limit_is_waited_for(office: Office) -> None:
    """GitHub says it with a 403 and Retry-After."""
    limit = Reply(403, {"message": "You have exceeded a secondary rate limit."}, {"Retry-After": "0"})
    office.tracker.service.goes_wrong(office.tracker.creates, limit, times=2)

    result = office.night(plan="everybody")

    assert result.code == 0
    assert len(office.tracker.tickets()) == 1


@only("kind", LISTING)
def test_a_wrong_credential_says_what_is_needed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in office.tracker.environment:
        monkeypatch.setenv(name, "wrong")

    result = office.night(plan="everybody")

    assert result.code == 3
    assert "refused access" in result.err


def test_a_missing_credential_names_the_variable(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    name = next(iter(office.tracker.environment))
    monkeypatch.delenv(name)

    result = office.night(plan="everybody")

    assert result.code == 2
    assert f"the environment variable {name} is not set" in result.err


@only("kind", ["github"])
def test_one_ticket_for_each_owner(office: Office) -> None:
    """The toys have no owners; what nobody owns has a ticket of its own."""
    office.configure('[tickets]\ngroup_by = "owner"\nowner_from = ["owner", "detail:shelf"]')

    office.night(plan="everybody", notes="everybody")

    assert len(office.tracker.tickets()) == 2


def test_a_ticket_for_an_owner_stands_for_all_that_is_his() -> None:
    """Each finding of the owner names it; findings of an owner without a ticket name none."""
    findings = report(40).findings
    policy = Policy(group_by="owner")
    owner = "mika.sato@example.co.jp"
    owned = [finding for finding in findings if finding.verdict.subject.owner == owner]
    kept = TicketRecord(
        tracker="jira", marker=person_marker(owner), phase=TicketPhase.CLOSED, acted_on=NOW, key="OPS-7"
    )

    linked = links(findings, [kept], Grouping(policy=policy))

    assert linked.keys() == {finding.fingerprint for finding in owned}
    assert {(link.key, link.open) for value in linked.values() for link in value} == {("OPS-7", False)}


def test_a_ticket_of_a_renamed_rule_is_adopted(office: Office) -> None:
    """It is rewritten under the new marker: no second one, nothing closed, and afterwards all is quiet."""
    ledger = Ledger("sqlite:///.cloudscan/ledger.db")
    nights = Nights(office.desk.folder, ledger, office.album)

    def record(rule_id: str) -> None:
        office.later(1)
        snapshot = nights.album.snapshot(nights.company, office.today - timedelta(hours=1))
        ledger.record(snapshot, judge(snapshot, [msgspec.structs.replace(rule, id=rule_id) for rule in rules()]))

    record("drive-foreign-domain")
    office.hand_over()
    downgrade("sqlite:///.cloudscan/ledger.db", "0003")
    record("drive-external-domain")

    result = office.hand_over()
    record("drive-external-domain")
    quiet = office.hand_over()

    last = ledger.latest()
    assert last
    (finding,) = last.findings
    (ticket,) = office.tracker.tickets()
    assert [line.split()[0] for line in result.out.splitlines()] == ["update"]
    assert quiet.out == "Every ticket is up to date.\n"
    assert ticket["open"]
    assert f"cloudscan:1 {key_of(finding)}" in ticket["body"]


@only("kind", ["github"])
@pytest.mark.parametrize(
    ("lang", "found", "gone", "back"),
    [
        ("en", "Judged differently since", "no longer finds it. Judged differently since", "finds it again. Judged"),
        ("ja", "から判定が変わりました", "検出されなくなりました。", "再び検出されました。"),
    ],
)
def test_a_ticket_says_that_only_the_judgement_changed(
    office: Office, lang: str, found: str, gone: str, back: str
) -> None:
    """Created, closed and opened again, because the rule counts colleagues, does not, and does again."""
    desk = office.desk
    desk.configure(f'{CONFIG}\n{office.tracker.table}\n[tickets]\nlanguage = "{lang}"'.replace(str(RULES), "mine"))
    desk.shelve(menu="company")
    for colleagues in (False, True, False, True):
        keep_rule(desk.folder / "mine", colleagues=colleagues)
        desk.run("scan")
        office.hand_over()

    (ticket,) = office.tracker.tickets()
    assert found in ticket["body"]
    closed, opened = ticket["comments"]
    assert gone in closed
    assert found in closed
    assert back in opened
    assert ticket["open"]


@only("kind", ["github"])
def test_a_rule_that_weighs_more_is_said_to(office: Office) -> None:
    """Its severity rises: nothing has widened."""
    desk = office.desk
    desk.configure(f"{CONFIG}\n{office.tracker.table}".replace(str(RULES), "mine"))
    desk.shelve(plan="everybody")
    keep_rule(desk.folder / "mine")
    desk.run("scan")
    office.hand_over()
    (file,) = (desk.folder / "mine").iterdir()
    file.write_text(file.read_text("utf-8").replace("severity: high", "severity: critical"), "utf-8")
    desk.run("scan")
    office.hand_over()

    (ticket,) = office.tracker.tickets()
    (comment,) = ticket["comments"]
    assert comment.startswith("It is judged to be worse than before: higher severity")
    assert "the rule is new or was changed" in comment
