"""Jira, Cloud and Data Center: what its projects, workflows and users are like in practice."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import msgspec
import pytest

from cloudscan.errors import AccessDenied, ConfigurationError, Malformed, Throttled, TicketRefused, Unreachable
from cloudscan.finding import Severity
from cloudscan.tracker import Closing, ClosingReason, Dropped, Ticket
from cloudscan_emulators.trackers.jira import DONE, IN_PROGRESS, TO_DO, TOKEN, Jira, Person, Screen, Status, Step
from cloudscan_emulators.trackers.server import Reply, running
from cloudscan_trackers.jira import WORDING, Options, open_jira
from cloudscan_trackers.jira import Jira as Tracker
from tests.trackers.conftest import Office, only
from tests.trackers.test_whole_texts import SUBJECT

BOTH = ["jira-cloud", "jira-data-center"]
MARKER = "a" * 32
TICKET = Ticket(
    marker=MARKER,
    title="[High] plan can be opened by anyone who has the link",
    body=f"Remove the link.\n\n{{noformat}}cloudscan:1 {MARKER} digest=0011223344556677 findings=1{{noformat}}",
    severity=Severity.HIGH,
    labels=["cloudscan", "severity-high", "s3"],
    due=date(2026, 4, 2),
)
FIXED = Closing(reason=ClosingReason.FIXED)
HTML = {"Content-Type": "text/html"}
WAIVED = Closing(reason=ClosingReason.WAIVED, note="Accepted until 1 May 2026.")


def values(*names: str) -> list[dict[str, str]]:
    return [{"id": str(10_000 + number), "name": name} for number, name in enumerate(names)]


def resolution(*names: str, required: bool = True) -> Screen:
    """The screen of a transition that asks for a resolution."""
    return {"resolution": {"name": "Resolution", "required": required, "allowedValues": values(*names)}}


def closing_by(*steps: Step) -> tuple[Step, ...]:
    return (Step(id="11", name="To Do", to=TO_DO), *steps)


@dataclass
class Site:
    """A Jira that is spoken to without the command line."""

    jira: Jira

    def tracker(self, **options: Any) -> Tracker:
        user = "robot@acme.example" if self.jira.cloud else ""
        table = {"url": self.jira.service.url, "project": "SEC", "user": user, **options}
        made = open_jira(msgspec.convert(table, Options), lambda _: TOKEN)
        assert isinstance(made, Tracker)
        return made

    def goes_wrong(self, what: str, reply: Reply, *, times: int = 1) -> None:
        self.jira.service.goes_wrong(what, reply, times=times)

    def field(self, key: str, name: str) -> Any:
        return self.jira.issue(key)["fields"].get(name)


@pytest.fixture(params=[True, False], ids=BOTH)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    jira = Jira(cloud=request.param)
    with running(jira.service):
        yield Site(jira)


@pytest.fixture
def cloud() -> Iterator[Site]:
    jira = Jira()
    with running(jira.service):
        yield Site(jira)


def jira_of(office: Office) -> Jira:
    assert isinstance(office.tracker, Jira)
    return office.tracker


# Where an issue is


@only("kind", BOTH)
def test_an_issue_that_was_moved_is_followed_to_its_new_key(office: Office) -> None:
    """It is updated and closed there; nothing is made or written in its old place."""
    jira = jira_of(office)
    office.night(plan="everybody")
    jira.projects.add("OPS")
    jira.move("SEC-1", "OPS-7")

    wider = office.night(plan="the web")
    gone = office.night(plan="me")

    (ticket,) = jira.tickets()
    assert (wider.code, gone.code) == (0, 0)
    assert ticket["key"] == "OPS-7"
    assert not ticket["open"]
    assert len(ticket["comments"]) == 2
    assert jira.service.asked("^(PUT|POST) .*/issue/SEC-1") == 0


def test_an_old_key_is_answered_with_the_new_one(site: Site) -> None:
    tracker = site.tracker()
    tracker.create(TICKET, "", once="")
    site.jira.move("SEC-1", "OPS-7")

    found = tracker.get("SEC-1")

    assert found
    assert (found.moved, found.moved_to, found.key, found.project) == (True, "OPS-7", "OPS-7", "OPS")
    with pytest.raises(TicketRefused, match="SEC-1 was moved and is OPS-7 now"):
        tracker.update("SEC-1", TICKET, once="")
    with pytest.raises(TicketRefused, match="SEC-1 was moved"):
        tracker.close("SEC-1", FIXED, once="")
    assert site.jira.service.asked("^(PUT|POST) .*/issue/") == 0


@only("kind", BOTH)
def test_a_project_that_got_another_key_is_followed(office: Office) -> None:
    """Its old key is still understood in searches and answered with the new one."""
    jira = jira_of(office)
    office.night(plan="everybody")
    jira.move("SEC-1", "SAFE-1")
    listed = {"issues": jira.issues, "total": 1}
    jira.service.goes_wrong("/rest/api/2/search", Reply(200, listed), times=9)

    result = office.night(plan="me")

    assert result.code == 0
    assert [ticket["open"] for ticket in jira.tickets()] == [False]


@only("kind", BOTH)
def test_a_deleted_issue_gets_one_successor(office: Office) -> None:
    jira = jira_of(office)
    office.night(plan="everybody")
    jira.issues.clear()

    result = office.night(plan="everybody")
    quiet = office.hand_over()

    assert (result.code, quiet.out) == (0, "Every ticket is up to date.\n")
    assert len(jira.tickets()) == 1


@only("kind", ["jira-cloud"])
def test_a_project_that_is_not_there_stops_only_what_goes_there(office: Office) -> None:
    """Jira answers 400 to a search in an archived project."""
    office.configure('[[routes]]\nplatform = "s3"\nproject = "DATA"')

    result = office.night(plan="everybody")

    assert result.code == 3
    assert len(office.tracker.tickets()) == 1
    assert "The value 'DATA' does not exist for the field 'project'" in result.err


def test_an_issue_without_our_label_is_said_to_lack_it(site: Site) -> None:
    tracker = site.tracker()
    tracker.create(TICKET, "", once="")
    site.jira.issue("SEC-1")["fields"]["labels"] = ["theirs"]

    found = tracker.get("SEC-1")

    assert found
    assert not found.labelled


@only("kind", ["jira-cloud"])
def test_people_get_addresses_that_they_can_open(office: Office) -> None:
    """The gateway for scoped tokens is for machines: Jira says what its own address is."""
    jira = jira_of(office)
    jira.gateway, jira.base = "/ex/jira/1234", "https://acme.atlassian.net"
    office.configure()

    result = office.night(plan="everybody")

    assert result.code == 0
    assert "https://acme.atlassian.net/browse/SEC-1" in result.out


def test_nothing_is_sent_to_an_address_that_an_answer_names(site: Site) -> None:
    """An issue's `self` may name another host."""
    tracker = site.tracker()
    tracker.create(TICKET, "", once="")
    site.jira.issue("SEC-1")["self"] = "https://elsewhere.example/rest/api/2/issue/10001"

    tracker.update("SEC-1", TICKET, once="")

    assert site.jira.service.asked("^PUT /rest/api/2/issue/SEC-1$") == 1


def test_a_proxys_page_does_not_say_that_an_issue_is_gone(site: Site) -> None:
    site.goes_wrong("/rest/api/2/issue/SEC-1", Reply(404, None, HTML, "<h1>Not found</h1>"))

    with pytest.raises(Malformed, match="proxy or sign-on page"):
        site.tracker().get("SEC-1")
    assert site.tracker().get("SEC-1") is None


# How it is closed


@only("kind", BOTH)
def test_a_transition_that_requires_a_field_is_commented_when_it_succeeds(office: Office) -> None:
    """Nights of failing say what to configure and write nothing; then it is closed with one comment."""
    jira = jira_of(office)
    jira.steps = closing_by(Step(id="31", name="Done", to=DONE, screen=resolution("Approved", "Shipped")))
    office.night(plan="everybody")

    failed = [office.night(plan="me") for _ in range(3)]
    quiet = list(jira.tickets()[0]["comments"])
    jira.options = 'close_fields = { resolution = { name = "Approved" } }\n'
    office.configure()
    closed = office.night(plan="me")

    assert [said.code for said in failed] == [3, 3, 3]
    assert 'give each in close_fields, such as resolution = { name = "Approved" }' in failed[0].err
    assert quiet == []
    assert closed.code == 0
    (ticket,) = jira.tickets()
    assert not ticket["open"]
    assert len(ticket["comments"]) == 1


@pytest.mark.parametrize(
    ("reason", "names", "right"),
    [
        (ClosingReason.FIXED, ("Won't Do", "Duplicate", "Done"), "Done"),
        (ClosingReason.GONE, ("対応しない", "重複", "完了"), "完了"),
        (ClosingReason.WAIVED, ("Done", "Won’t Do", "Duplicate"), "Won’t Do"),
        (ClosingReason.WAIVED, ("完了", "修正しない"), "修正しない"),
        (ClosingReason.DUPLICATE, ("Done", "Duplicate"), "Duplicate"),
        (ClosingReason.MERGED, ("修正済み", "重複"), "重複"),
        (ClosingReason.WITHDRAWN, ("Done", "Cannot Reproduce", "Won't Do"), "Cannot Reproduce"),
        (ClosingReason.REJUDGED, ("完了", "再現できない"), "再現できない"),
        (ClosingReason.WAIVED, ("Ready",), "Ready"),
    ],
)
def test_the_resolution_says_why(cloud: Site, reason: ClosingReason, names: tuple[str, ...], right: str) -> None:
    cloud.jira.steps = closing_by(Step(id="31", name="Done", to=DONE, screen=resolution(*names)))
    tracker = cloud.tracker()
    tracker.create(TICKET, "", once="")

    closed = tracker.close("SEC-1", Closing(reason=reason), once="")

    assert not closed.open
    assert cloud.field("SEC-1", "resolution")["name"] == right


def test_a_resolution_that_nobody_requires_is_left_to_jira_if_none_fits(cloud: Site) -> None:
    screen = resolution("Done", "Fixed", required=False)
    cloud.jira.steps = closing_by(Step(id="31", name="Done", to=DONE, screen=screen))
    tracker = cloud.tracker()
    tracker.create(TICKET, "", once="")

    tracker.close("SEC-1", Closing(reason=ClosingReason.DUPLICATE), once="")

    assert cloud.field("SEC-1", "resolution") is None


def test_of_several_ways_to_done_the_one_for_the_reason_is_taken(site: Site) -> None:
    declined = Status(name="Won't Do", category="done")
    site.jira.steps = closing_by(
        Step(id="41", name="Reject", to=declined),
        Step(id="31", name="Finish", to=DONE),
        Step(id="21", name="Go", to=TO_DO),
    )
    tracker = site.tracker()
    for _ in range(2):
        tracker.create(TICKET, "", once="")

    tracker.close("SEC-1", FIXED, once="")
    tracker.close("SEC-2", WAIVED, once="")

    assert site.field("SEC-1", "status")["name"] == "Done"
    assert site.field("SEC-2", "status")["name"] == "Won't Do"


def test_each_reason_may_have_a_transition_and_fields_of_its_own(site: Site) -> None:
    cause = {"customfield_10050": {"name": "Cause", "required": True}}
    accepted = Status(name="Accepted risk", category="done")
    site.jira.steps = closing_by(
        Step(id="31", name="Done", to=DONE), Step(id="41", name="Accept", to=accepted, screen=cause)
    )
    tracker = site.tracker(
        close_transition="done", close_as={"waived": {"transition": "Accept", "fields": {"customfield_10050": "Risk"}}}
    )
    for _ in range(2):
        tracker.create(TICKET, "", once="")

    tracker.close("SEC-1", FIXED, once="")
    tracker.close("SEC-2", WAIVED, once="")

    assert site.field("SEC-1", "status")["name"] == "Done"
    assert site.field("SEC-2", "status")["name"] == "Accepted risk"
    assert site.field("SEC-2", "customfield_10050") == "Risk"


def test_a_named_transition_has_to_lead_to_done(site: Site) -> None:
    tracker = site.tracker(close_transition="In Progress", reopen_transition="Reanimate")
    tracker.create(TICKET, "", once="")

    with pytest.raises(TicketRefused, match=r"category “done”; name one that does as close_transition: .*Done → Done"):
        tracker.close("SEC-1", FIXED, once="")
    site.jira.by_hand("SEC-1", is_open=False)
    with pytest.raises(TicketRefused, match="no transition “Reanimate” for SEC-1; name another one as reopen_transit"):
        tracker.reopen("SEC-1", once="")


def test_of_two_transitions_of_a_name_the_one_to_done_is_taken(site: Site) -> None:
    site.jira.steps = closing_by(Step(id="21", name="Next", to=IN_PROGRESS), Step(id="31", name="Next", to=DONE))
    tracker = site.tracker(close_transition="Next")
    tracker.create(TICKET, "", once="")

    assert not tracker.close("SEC-1", FIXED, once="").open


def test_a_user_who_may_transition_nothing_is_told_so(site: Site) -> None:
    tracker = site.tracker()
    tracker.create(TICKET, "", once="")
    site.jira.forbidden.add("TRANSITION_ISSUES")

    with pytest.raises(TicketRefused, match="give the user the permission Transition Issues"):
        tracker.close("SEC-1", FIXED, once="")


def test_a_comment_that_a_screen_requires_is_the_reason(cloud: Site) -> None:
    screen = {"comment": {"name": "Comment", "required": True}}
    cloud.jira.steps = closing_by(Step(id="31", name="Done", to=DONE, screen=screen))
    tracker = cloud.tracker()
    tracker.create(TICKET, "", once="")

    tracker.close("SEC-1", WAIVED, once="")

    assert cloud.jira.talk["SEC-1"] == [WAIVED.note]


@pytest.mark.parametrize("by", ["transition", "edit screen", "nothing"])
def test_what_is_open_again_has_no_resolution_where_it_can_be_cleared(site: Site, by: str) -> None:
    to_do = Step(id="11", name="To Do", to=TO_DO)
    if by == "transition":
        to_do = replace(to_do, screen=resolution("Done", required=False))
    if by == "edit screen":
        site.jira.edited.add("resolution")
    site.jira.steps = (to_do, Step(id="31", name="Done", to=DONE, screen=resolution("Done")))
    tracker = site.tracker()
    tracker.create(TICKET, "", once="")
    tracker.close("SEC-1", FIXED, once="")

    again = tracker.reopen("SEC-1", once="")

    assert again.open
    assert (site.field("SEC-1", "resolution") is None) is (by != "nothing")


def test_closing_what_is_closed_asks_for_no_transition(site: Site) -> None:
    tracker = site.tracker()
    tracker.create(TICKET, "", once="")
    tracker.close("SEC-1", FIXED, once="")

    again = tracker.close("SEC-1", FIXED, once="")

    assert not again.open
    assert site.jira.service.asked("^POST .*/transitions") == 1


@only("kind", BOTH)
def test_what_cannot_be_opened_again_has_one_successor(office: Office) -> None:
    """The workflow ends with Done: a new issue names the old one, and stays the only one."""
    jira = jira_of(office)
    jira.ends.add("Done")
    office.night(plan="everybody")
    office.night(plan="me")

    results = [office.night(plan="everybody") for _ in range(3)]

    old, new = jira.tickets()
    assert [result.code for result in results] == [0, 0, 0]
    assert (old["open"], new["open"]) == (False, True)
    assert "SEC-1" in new["body"]
    assert results[-1].out == "Every ticket is up to date.\n"


def test_an_end_is_asked_for_once_for_each_status(site: Site) -> None:
    """A user who may transition nothing is not at an end."""
    site.jira.ends.add("Done")
    tracker = site.tracker()
    for number in range(3):
        tracker.create(TICKET, "", once="")
        site.jira.by_hand(f"SEC-{number + 1}", is_open=False)

    listed = list(tracker.existing(""))

    assert [ticket.is_final for ticket in listed] == [True, True, True]
    assert site.jira.service.asked("GET .*/transitions") == 1
    site.jira.forbidden.add("TRANSITION_ISSUES")
    assert not any(ticket.is_final for ticket in site.tracker().existing(""))


# What a new issue needs


def test_a_new_issue_has_the_priority_of_its_severity(site: Site) -> None:
    site.tracker().create(TICKET, "", once="")
    site.tracker(priorities={"high": "Medium"}).create(TICKET, "", once="")
    site.tracker(fields={"priority": {"name": "Low"}}).create(TICKET, "", once="")

    told = [site.field(f"SEC-{number}", "priority") for number in (1, 2, 3)]
    assert told == [{"id": "2"}, {"name": "Medium"}, {"name": "Low"}]


@pytest.mark.parametrize("missing", ["priority", "duedate"])
def test_what_a_project_does_not_have_is_left_out(site: Site, missing: str) -> None:
    del site.jira.screen[missing]
    tracker = site.tracker(priorities={"high": "High"})

    made = tracker.create(TICKET, "", once="")

    assert made.key == "SEC-1"
    assert made.dropped == ([Dropped.DUE] if missing == "duedate" else [])


def test_a_task_is_found_by_its_name_in_the_language_of_the_site(site: Site) -> None:
    site.jira.issue_type = {"id": "10007", "name": "タスク"}

    site.tracker().create(TICKET, "", once="")

    assert site.field("SEC-1", "issuetype") == {"id": "10007"}


def test_a_required_field_is_named_with_the_key_that_fills_it(site: Site) -> None:
    site.jira.screen["customfield_10011"] = {"name": "Department", "required": True}

    with pytest.raises(TicketRefused, match=r"Department is required\. Give customfield_10011 in fields") as refused:
        site.tracker().create(TICKET, "", once="")
    site.tracker(fields={"customfield_10011": "IT"}).create(TICKET, "", once="")

    assert refused.value.field == "customfield_10011"
    assert site.field("SEC-1", "customfield_10011") == "IT"


def test_labels_that_are_not_on_the_screen_are_named(site: Site) -> None:
    del site.jira.screen["labels"]

    with pytest.raises(TicketRefused, match="Put labels on the screens of the project"):
        site.tracker().create(TICKET, "", once="")


def test_what_was_made_is_compared_with_what_was_sent(site: Site) -> None:
    """A workflow's post function may change everything."""
    tracker = site.tracker(fields={"customfield_10011": "IT", "security": {"name": "Staff"}})
    site.jira.screen |= {"customfield_10011": {"name": "Department", "required": False}}
    site.jira.screen |= {"security": {"name": "Security Level", "required": False}}
    status = {"name": "To Do", "statusCategory": {"key": "new"}}
    changed = {"key": "SEC-1", "fields": {"status": status, "labels": ["theirs"], "description": "Rewritten."}}
    site.goes_wrong("GET /rest/api/2/issue/SEC-1$", Reply(200, changed))

    made = tracker.create(TICKET, "mika", once="")

    assert set(made.dropped) == set(Dropped)
    assert not made.labelled


@pytest.mark.parametrize("reply", [Reply(503), Reply(429, {}, {"Retry-After": "9"}), Reply(200, {"key": 1})])
def test_what_goes_wrong_after_a_creation_does_not_undo_it(site: Site, reply: Reply) -> None:
    site.goes_wrong("GET /rest/api/2/issue/SEC-1$", reply)

    made = site.tracker().create(TICKET, "", once="")

    assert (made.key, made.marker, made.open) == ("SEC-1", MARKER, True)


def test_an_update_keeps_the_labels_that_people_gave(site: Site) -> None:
    tracker = site.tracker()
    tracker.create(TICKET, "", once="")
    site.jira.issue("SEC-1")["fields"]["labels"].append("cloudscan-team")

    after = tracker.update("SEC-1", msgspec.structs.replace(TICKET, labels=["cloudscan", "severity-low"]), once="")

    assert not after.dropped
    assert set(site.field("SEC-1", "labels")) == {
        "cloudscan", f"cloudscan-{MARKER}", "cloudscan-team", "s3", "severity-low",
    }  # fmt: skip


def test_texts_fit_into_jiras_fields() -> None:
    """32,767 UTF-16 code units, of which the marker line takes some."""
    finding = SUBJECT.findings[0]
    name = "📋" * 400
    many = [
        msgspec.structs.replace(
            finding,
            fingerprint=f"{number:032x}",
            verdict=msgspec.structs.replace(
                finding.verdict, subject=msgspec.structs.replace(finding.verdict.subject, name=f"{name}{number}")
            ),
        )
        for number in range(400)
    ]

    text = WORDING.body(msgspec.structs.replace(SUBJECT, findings=many, by_owner=True), "en", 700)

    assert len(text.encode("utf-16-le")) // 2 <= 32_767 - 700


# Who is meant


def test_a_display_name_proves_nothing(site: Site) -> None:
    site.jira.people = [Person(id="a1", name="Mika Sato"), Person(id="a2", name="Mika Sato")]
    one = [Person(id="a1", name="Mika Sato")]

    assert site.tracker().person("Mika Sato", "") == ""
    site.jira.people = one
    assert site.tracker().person("Mika Sato", "") == ""


def test_the_beginning_of_another_address_proves_nothing(site: Site) -> None:
    site.jira.people = [Person(id="stranger", address="ann@acme.example.partner.test", address_shown=False)]

    assert site.tracker().person("ann@acme.example", "") == ""


def test_hidden_addresses_are_mapped(cloud: Site) -> None:
    """Addresses know no case, on both sides."""
    cloud.jira.people = [Person(id="5b10", address="ann@acme.example", address_shown=False)]
    tracker = cloud.tracker(usernames={"Ann@Acme.example": "5b10"})

    assert cloud.tracker().person("ann@acme.example", "") == ""
    assert tracker.person("ANN@acme.example", "") == "5b10"


def test_the_one_active_user_with_an_address_is_meant(site: Site) -> None:
    site.jira.people = [
        Person(id="left", address="ann@acme.example", active=False),
        Person(id="annex", address="ann@acme.example.test"),
        Person(id="ann", address="Ann@Acme.example"),
    ]

    assert site.tracker().person("ann@acme.example", "") == "ann"
    site.jira.people = [Person(id="a", address="ann@acme.example"), Person(id="b", address="ann@acme.example")]
    assert site.tracker().person("ann@acme.example", "") == ""


def test_a_user_is_found_behind_many_whose_names_begin_alike(site: Site) -> None:
    crowd = [Person(id=f"ann{number}", address=f"ann@acme.example.{number}.test") for number in range(1200)]
    site.jira.people = [*crowd[:900], Person(id="ann", address="ann@acme.example")]

    assert site.tracker().person("ann@acme.example", "") == "ann"


@only("kind", BOTH)
def test_without_the_right_to_browse_users_there_is_a_ticket_all_the_same(office: Office) -> None:
    jira = jira_of(office)
    jira.forbidden.add("USER_PICKER")
    office.configure('[[routes]]\nassignee = "ann@acme.example"\nfallback_assignee = "duty"')

    result = office.night(plan="everybody")

    assert result.code == 3
    assert "You do not have permission to browse users" in result.err
    assert [ticket["assignee"] for ticket in jira.tickets()] == [""]


# What else may be answered


def test_all_pages_of_comments_are_read_the_newest_first(site: Site) -> None:
    site.jira.longest_talk = 7
    tracker = site.tracker()
    tracker.create(TICKET, "", once="")
    for number in range(20):
        tracker.comment("SEC-1", f"Comment {number}", once="")

    told = list(tracker.comments("SEC-1"))

    assert told == [f"Comment {number}" for number in reversed(range(20))]


@only("kind", ["jira-cloud"])
def test_a_sign_on_page_is_no_answer(office: Office) -> None:
    page = Reply(200, None, {"Content-Type": "text/html"}, "<html>Log in</html>")
    office.tracker.service.goes_wrong("/rest/api/2/search", page, times=9)

    result = office.night(plan="everybody")

    assert result.code == 3
    assert "in another form than it documents (no JSON)" in result.err
    assert "check the url" in result.err
    assert "network" not in result.err


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (
            Reply(302, None, {"Location": "https://login.acme.example/sso"}),
            TicketRefused,
            "redirects to login.acme",
        ),
        (Reply(301, None, {"Location": "http://jira.acme.example/"}), TicketRefused, "write its final https address"),
        (Reply(401, {"errorMessages": ["No."]}), AccessDenied, "the token or password is wrong or has expired"),
        (
            Reply(200, {"issues": []}, {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}),
            AccessDenied,
            "password is wrong",
        ),
        (Reply(403, None, {"X-Seraph-LoginReason": "AUTHENTICATION_DENIED"}), AccessDenied, "captcha"),
        (Reply(403, None, {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; x"}), AccessDenied, "captcha"),
        (Reply(403, {"errorMessages": ["No licence."]}), AccessDenied, "No licence"),
        (Reply(400, None, HTML, "<h1>Bad</h1>"), TicketRefused, "HTTP 400"),
        (Reply(502, None, HTML, "<h1>Bad gateway</h1>"), Unreachable, "HTTP 502"),
        (Reply(503, {"message": "Backup."}), Unreachable, "Backup"),
        (Reply(200, ["no"]), Malformed, "another form"),
        (Reply(200, {"issues": None}), Malformed, "another form"),
        (Reply(200, {"issues": [{"key": "SEC-1", "fields": {}}]}), Malformed, "another form"),
        (Reply(200, {"issues": [{"key": "SEC-1", "fields": {"status": "Done"}}]}), Malformed, "another form"),
        (Reply(200, None), Malformed, "no JSON"),
        (Reply(404, None, HTML, "<h1>Proxy</h1>"), Malformed, "no JSON"),
    ],
)
def test_answers_of_every_shape_are_told_in_words(
    cloud: Site, reply: Reply, error: type[Exception], words: str
) -> None:
    cloud.goes_wrong("/rest/api/2/search", reply)

    with pytest.raises(error, match=words):
        list(cloud.tracker().existing(""))


def test_a_redirect_is_not_followed(cloud: Site) -> None:
    cloud.jira.issues.append({"key": "SEC-9", "fields": {}})
    tracker = cloud.tracker()
    cloud.goes_wrong("/rest/api/2/issue/SEC-1", Reply(302, None, {"Location": "/rest/api/2/issue/SEC-9"}))

    with pytest.raises(TicketRefused, match="redirects"):
        tracker.get("SEC-1")

    assert cloud.jira.service.asked("SEC-9") == 0


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry-After": "75"}, 75),
        (503, {"Retry-After": "30"}, 30),
        (429, {"Retry-After": "Tue, 03 Mar 2026 03:00:00 GMT"}, 0),
        (429, {"Retry-After": "{date}"}, 600),
        (429, {"X-RateLimit-Reset": "{minute}", "Retry-After": "1200"}, 1200),
        (429, {"X-RateLimit-Reset": "{minute}"}, 570),
        (429, {"X-RateLimit-Reset": "{seconds}", "Retry-After": "1"}, 600),
        (429, {"RateLimit-Reason": "jira-burst-based"}, None),
    ],
)
def test_pauses_are_as_long_as_jira_asks(
    cloud: Site, status: int, headers: dict[str, str], seconds: float | None
) -> None:
    """In seconds, as a date, until a moment; one that is told in minutes is up to a minute early."""
    soon = datetime.now(UTC) + timedelta(minutes=10)
    forms = {
        "date": format_datetime(soon, usegmt=True),
        "minute": f"{soon:%Y-%m-%dT%H:%MZ}",
        "seconds": soon.timestamp(),
    }
    told = {name: value.format(**forms) for name, value in headers.items()}
    cloud.goes_wrong("/rest/api/2/search", Reply(status, {}, told))

    with pytest.raises(Throttled) as throttled:
        list(cloud.tracker().existing(""))

    asked = throttled.value.retry_after
    assert asked == seconds or (asked is not None and seconds is not None and seconds - 60 < asked <= seconds + 30)


def test_a_token_needs_https() -> None:
    with pytest.raises(ConfigurationError, match="unencrypted"):
        Options(url="http://jira.acme.example", project="SEC")


def test_a_strangers_project_name_adds_nothing_to_a_search(cloud: Site) -> None:
    cloud.goes_wrong("/rest/api/2/search", Reply(400, {"errorMessages": ["No such project."]}))

    with pytest.raises(TicketRefused):
        list(cloud.tracker().existing('X" OR project = "SEC'))

    assert cloud.jira.service.asked("/rest/api/2/search") == 1


# What doctor says


def test_doctor_says_what_a_project_requires(site: Site) -> None:
    site.jira.screen["customfield_10011"] = {
        "name": "Department",
        "required": True,
        "allowedValues": values("IT", "HR"),
    }
    site.jira.screen["components"] = {"name": "Components", "required": True, "hasDefaultValue": True}
    del site.jira.screen["labels"]
    site.jira.forbidden |= {"USER_PICKER", "ASSIGN_ISSUES"}

    told = list(site.tracker().check(""))

    assert told == [
        "The user lacks these permissions in SEC: Assign Issues, Browse users and groups; an administrator has to "
        "grant them.",
        "SEC: new issues of the type Task have no labels; put the field on the screen.",
        "SEC requires Department (customfield_10011: IT, HR) of new issues; give it in `fields`, such as "
        'customfield_10011 = { name = "IT" }.',
    ]


def test_doctor_is_content_with_a_project_that_asks_for_nothing_more(site: Site) -> None:
    tracker = site.tracker(fields={"customfield_10011": "IT"})
    site.jira.screen["customfield_10011"] = {"name": "Department", "required": True}
    tracker.create(TICKET, "", once="")

    assert list(tracker.check("")) == []


def test_doctor_names_the_issue_types_there_are(site: Site) -> None:
    site.jira.issue_type = {"id": "10002", "name": "Incident"}

    assert list(site.tracker().check("")) == [
        "SEC has no issue type Task; write one of these as issue_type: Incident",
    ]


def test_doctor_looks_at_the_way_to_done_of_a_ticket_that_is_there(site: Site) -> None:
    tracker = site.tracker()
    tracker.create(TICKET, "", once="")
    site.jira.steps = closing_by(Step(id="31", name="Done", to=DONE, screen=resolution("Approved", "Shipped")))

    (told,) = tracker.check("")

    assert told == (
        "The transition “Done” of SEC-1 requires Resolution (resolution: Approved, Shipped); give each in "
        'close_fields, such as resolution = { name = "Approved" }.'
    )


@only("kind", ["jira-cloud"])
def test_doctor_says_it_at_the_command_line(office: Office) -> None:
    jira_of(office).screen["customfield_10011"] = {"name": "Department", "required": True}

    result = office.desk.run("doctor")

    assert result.code == 2
    assert "SEC requires Department (customfield_10011)" in result.out
