"""ServiceNow: whose a record is, what reaches a query, what a table asks for, and what can no longer be changed."""

from typing import Any

import msgspec
import pytest

from cloudscan.errors import TicketRefused
from cloudscan.finding import Severity
from cloudscan.ledger.ledger import Ledger
from cloudscan.ledger.waivers import WaiverRequest
from cloudscan.tracker import Ticket, TicketPhase
from cloudscan_emulators.trackers.server import Reply, Request
from cloudscan_emulators.trackers.servicenow import LOGIN, ServiceNow, throttled
from cloudscan_trackers.servicenow import Options, open_servicenow
from cloudscan_trackers.servicenow import ServiceNow as Tracker
from tests.cli.conftest import CONFIG
from tests.reports.synthetic import report
from tests.trackers.conftest import Office, only
from tests.trackers.test_whole_texts import SUBJECT

pytestmark = only("kind", ["servicenow"])


def emulator(office: Office) -> ServiceNow:
    assert isinstance(office.tracker, ServiceNow)
    return office.tracker


def tracker_of(office: Office, **options: Any) -> Tracker:
    credentials = {"USER": LOGIN[0], "PASSWORD": LOGIN[1]}
    opened = open_servicenow(Options(url=office.tracker.service.url, **options), credentials.__getitem__)
    assert isinstance(opened, Tracker)
    return opened


def set_options(office: Office, lines: str, more: str = "") -> None:
    """Further keys of [trackers.servicenow]."""
    office.configure(more)
    file = office.desk.folder / "cloudscan.toml"
    file.write_text(f"{file.read_text('utf-8')}{lines}\n", "utf-8")


def writes_to(office: Office, key: str) -> int:
    return office.tracker.service.asked(f"PATCH .*/{key}")


def test_records_beside_the_query_are_left_alone(office: Office) -> None:
    """The condition is not understood and left out, so that everybody's records come back."""
    servicenow = emulator(office)
    servicenow.unsearchable = {"correlation_display"}
    office.night(plan="everybody")
    mine = servicenow.records[0]
    theirs = servicenow.add(correlation_id=mine["correlation_id"], correlation_display="othertool", state="2")
    hashed = servicenow.add(correlation_id="d41d8cd98f00b204e9800998ecf8427e", description="by another tool")

    office.hand_over()
    office.night(plan="me")

    assert writes_to(office, theirs["sys_id"]) == 0
    assert writes_to(office, hashed["sys_id"]) == 0
    assert servicenow.of(mine["sys_id"])["state"] == "6"
    assert len(servicenow.records) == 3


def test_a_table_that_cannot_be_searched_is_not_read_to_its_end(office: Office) -> None:
    servicenow = emulator(office)
    servicenow.unsearchable = {"correlation_display"}
    for number in range(2_100):
        servicenow.add(number=f"INC{number}")

    result = office.night(plan="everybody")

    assert result.code == 3
    assert "does not search incident by correlation_display" in result.err
    assert servicenow.service.asked("GET .*/incident$") < 25


def test_what_a_stranger_writes_is_not_evaluated(office: Office) -> None:
    office.configure('[[routes]]\nassignee = " JavaScript:gs.getUserID()"')

    result = office.night(plan="everybody")

    assert emulator(office).evaluated == []
    assert office.tracker.service.asked("sys_user") == 0
    assert "was not found in the tracker" in result.out + result.err


@pytest.mark.parametrize(
    "name",
    [
        "javascript:gs.getUserID()",
        "mika^ORactive=true",
        "mika^NQuser_name=admin",
        "mika\nadmin",
        "*",
        "!=mika",
        "@acme.example",
        "mika@acme.example^active=false",
        "mika@acme",
        "ミカ",
        "",
    ],
)
def test_only_addresses_and_user_names_are_looked_up(office: Office, name: str) -> None:
    assert tracker_of(office).person(name, "") == ""
    assert office.tracker.service.asked("sys_user") == 0


def test_who_comes_back_must_be_who_was_asked_for(office: Office) -> None:
    """Two with one address are nobody, as are those who have left, and a server that ignores the question."""
    servicenow, tracker = emulator(office), tracker_of(office)
    mika = servicenow.people[0]

    assert tracker.person("MIKA@acme.example", "") == mika["sys_id"]
    servicenow.unsearchable = {"email"}
    assert tracker.person("left@acme.example", "") == ""
    servicenow.unsearchable = set()
    servicenow.people.append({**mika, "sys_id": "f" * 32, "user_name": "mika2"})
    assert tracker.person("mika@acme.example", "") == ""
    servicenow.people.pop()
    mika["active"] = "false"
    assert tracker.person("mika@acme.example", "") == ""


def test_people_without_an_address_are_mapped(office: Office) -> None:
    tracker = tracker_of(office, usernames={"Duty@Acme.example": "deputy"})

    assert tracker.person("duty@acme.EXAMPLE", "") == emulator(office).people[1]["sys_id"]


def test_a_record_that_was_closed_for_good_is_followed_by_one_that_names_it(office: Office) -> None:
    """Resolved by us, closed by a job; the finding is back for three nights."""
    servicenow = emulator(office)
    office.night(plan="everybody")
    office.night(plan="me")
    old = servicenow.records[0]["sys_id"]
    servicenow.close_for_good(old)

    results = [office.night(plan="everybody") for _ in range(3)]

    assert [result.code for result in results] == [0, 0, 0]
    first, second = servicenow.records
    assert first["state"] == "7"
    assert second["state"] == "1"
    assert old in second["description"]


def test_states_of_another_kind_of_task_can_be_named(office: Office) -> None:
    office.night(plan="everybody")
    emulator(office).records[0]["state"] = "3"
    key = emulator(office).records[0]["sys_id"]

    ordinary = tracker_of(office).get(key)
    named = tracker_of(office, closed_states=["3"], final_states=["3"]).get(key)

    assert ordinary
    assert named
    assert (ordinary.open, ordinary.is_final) == (True, False)
    assert (named.open, named.is_final) == (False, True)


def test_an_answer_without_fields_makes_two_records_and_names_what_is_missing(office: Office) -> None:
    """Fields that the user may not read are left out."""
    servicenow = emulator(office)
    servicenow.unreadable = {"state"}

    result = office.night(plan="everybody", memo="everybody")

    remembered = Ledger("sqlite:///.cloudscan/ledger.db").tickets()
    assert len(servicenow.records) == 2
    assert {record.key for record in remembered} == {record["sys_id"] for record in servicenow.records}
    assert {record.phase for record in remembered} == {TicketPhase.OPEN}
    assert "does not show state" in result.out + result.err


def test_what_cannot_be_read_is_named_and_nothing_is_doubled(office: Office) -> None:
    office.night(plan="everybody")
    emulator(office).unreadable = {"state"}

    result = office.night(plan="everybody")

    assert result.code == 3
    assert "does not show state of incident; let robot read them" in result.err
    assert len(emulator(office).records) == 1


def test_a_creation_that_says_only_its_number_is_remembered(office: Office) -> None:
    """What the answer does not show is read from the record."""
    servicenow = emulator(office)
    original = servicenow.service.answer

    def short(request: Request) -> Reply | None:
        reply = original(request)
        if reply and request.method == "POST" and reply.status == 201:
            result = reply.json["result"]
            return Reply(201, {"result": {"sys_id": result["sys_id"], "number": result["number"]}})
        return reply

    servicenow.service.answer = short  # type: ignore[method-assign]

    result = office.night(plan="everybody", memo="everybody")
    again = office.hand_over()

    assert (result.code, result.err) == (0, "")
    assert len(servicenow.records) == 2
    assert again.out == "Every ticket is up to date.\n"


def test_fields_that_get_lost_stop_further_records_there(office: Office) -> None:
    """Without its sign a record would be made again each night: also without a ledger."""
    emulator(office).read_only = {"correlation_id", "correlation_display"}
    office.scan(plan="everybody", memo="everybody")
    office.desk.run("report", "--format", "json", "-o", "report.json")

    results = [office.hand_over("--from", "report.json") for _ in range(3)]

    assert [result.code for result in results] == [3, 3, 3]
    assert "label" in results[0].err
    bodies = [record["description"].partition("cloudscan:1 ")[2][:16] for record in emulator(office).records]
    assert len(bodies) == len(set(bodies))


def test_a_description_stays_within_the_dictionary(office: Office) -> None:
    """Forty findings of one owner, and room for a marker line that is not cut off."""
    subject = msgspec.structs.replace(SUBJECT, by_owner=True, owner="mika@acme.example", findings=report(40).findings)

    ordinary = tracker_of(office).wording("").body(subject, "en", 1_500)
    longer = tracker_of(office, description_length=32_000).wording("").body(subject, "en", 1_500)

    assert len(ordinary) <= 2_500
    assert 4_000 < len(longer) <= 30_500


def test_a_text_that_would_be_cut_is_not_sent(office: Office) -> None:
    """Many rules and accounts make a long marker line: one record is refused, and the others are made."""
    ticket = Ticket(marker="0" * 32, title="Much", body="x" * 4_001, severity=Severity.HIGH)

    with pytest.raises(TicketRefused, match="write its length as description_length"):
        tracker_of(office).create(ticket, "", once="")

    assert emulator(office).records == []


def test_impact_and_urgency_come_from_the_severity(office: Office) -> None:
    office.night(plan="everybody")

    (record,) = emulator(office).records
    assert (record["impact"], record["urgency"]) == ("2", "1")


def test_fields_of_the_options_are_sent_and_win_over_ours(office: Office) -> None:
    set_options(office, 'fields = { impact = "3", caller_id = "robot", u_department = "it" }')

    office.night(plan="everybody")
    office.night(plan="the web")

    (record,) = emulator(office).records
    assert (record["impact"], record["urgency"], record["caller_id"]) == ("3", "1", "robot")
    assert "impact" not in emulator(office).sent[1]


def test_a_field_that_the_table_does_not_have_is_said(office: Office) -> None:
    set_options(office, 'fields = { u_unknown = "x" }')

    result = office.night(plan="everybody")

    assert "did not keep: fields" in result.out + result.err


def test_what_a_data_policy_asks_for_is_named_with_its_key(office: Office) -> None:
    """At creation, and by `cloudscan doctor` before there is anything to create."""
    emulator(office).mandatory = ("u_department", "short_description")

    doctor = office.desk.run("doctor")
    result = office.night(plan="everybody")

    assert "requires fields that are not set: u_department; write them under fields" in doctor.out + doctor.err
    assert result.code == 3
    assert "u_department, short_description are mandatory" in result.err or "u_department" in result.err
    assert "under fields" in result.err


def test_what_closing_asks_for_is_named_with_its_key(office: Office) -> None:
    set_options(office, 'close_fields = { close_code = "" }')
    office.night(plan="everybody")

    result = office.night(plan="me")

    assert result.code == 3
    assert "under close_fields" in result.err


def accept(office: Office) -> None:
    ledger = Ledger("sqlite:///.cloudscan/ledger.db")
    until = office.today.date()
    ledger.waive(WaiverRequest(target="toy", owner="佐藤", reason="公開資料です。", until=until), now=office.today)


def test_an_accepted_finding_is_not_recorded_as_solved(office: Office) -> None:
    """The note is in the ticket's language."""
    office.configure('[tickets]\nlanguage = "ja"')
    office.night(plan="everybody")
    accept(office)

    office.hand_over()

    (record,) = emulator(office).records
    assert (record["state"], record["close_code"]) == ("6", "No resolution provided")
    assert "公開資料です。" in record["close_notes"]


def test_a_reason_of_closing_has_fields_of_its_own(office: Office) -> None:
    lines = (
        '[trackers.servicenow.close_as.waived]\nstate = "8"\nclose_code = "Risk accepted"\n'
        'close_notes = "Waived: {note}"'
    )
    set_options(office, lines)
    office.night(plan="everybody", memo="everybody")
    office.night(plan="everybody", memo="me")
    accept(office)

    office.hand_over()

    by_title = {record["short_description"].split()[1]: record for record in emulator(office).records}
    assert (by_title["memo"]["state"], by_title["memo"]["close_code"]) == ("6", "Solution provided")
    assert (by_title["plan"]["state"], by_title["plan"]["close_code"]) == ("8", "Risk accepted")
    assert by_title["plan"]["close_notes"].startswith("Waived: ")


def test_a_duplicate_is_closed_as_one(office: Office) -> None:
    office.night(plan="everybody")
    office.tracker.copy()

    office.hand_over()

    assert emulator(office).records[1]["close_code"] == "Duplicate"


def test_pages_from_which_records_were_taken_out_are_not_the_last(office: Office) -> None:
    """Records that the user may not read are missing in a page: how many there are says a header."""
    office.night(plan="everybody")
    service, (record,) = office.tracker.service, emulator(office).records
    pages = iter([Reply(200, {"result": []}, {"X-Total-Count": "101"}), Reply(200, {"result": [record]})])
    original = service.answer
    service.answer = lambda request: (  # type: ignore[method-assign]
        next(pages, None) or original(request) if request.path.endswith("/incident") else original(request)
    )

    found = list(tracker_of(office).existing(""))

    assert [ticket.key for ticket in found] == [record["sys_id"]]


@pytest.mark.parametrize("key", ["", "../sys_user/1", "a/b", "abc?x=1", "SEC-1", "a" * 65])
def test_a_key_that_is_no_key_is_not_asked_for(office: Office, key: str) -> None:
    assert tracker_of(office).get(key) is None
    assert office.tracker.service.log == []


def test_a_pause_is_kept_or_the_tracker_is_left_for_tonight(office: Office) -> None:
    office.tracker.service.goes_wrong(office.tracker.creates, throttled(1800))

    result = office.night(plan="everybody", memo="everybody")

    assert result.code == 3
    assert office.tracker.service.asked(office.tracker.creates) == 1


@pytest.mark.parametrize(
    "answer",
    [None, [], {}, "text", {"result": None}, {"result": {}}, {"result": [None]}, {"result": [{}]}, {"result": "x"},
     {"error": "no"}, {"error": {"message": None}}],
)  # fmt: skip
@pytest.mark.parametrize("what", ["GET .*/incident$", "GET .*/incident/", "PATCH", "GET .*journal"])
def test_an_answer_of_another_shape_is_a_sentence(office: Office, what: str, answer: object) -> None:
    office.night(plan="everybody")
    for status in (200, 400, 403):
        office.tracker.service.goes_wrong(what, Reply(status, answer))

    result = office.night(plan="the web")

    assert result.code in (0, 3)
    assert "bug in cloudscan" not in result.err


def test_a_name_that_is_no_tables_is_refused(office: Office) -> None:
    office.scan(plan="everybody")
    office.desk.configure(f'{CONFIG}\n[trackers.servicenow]\nurl = "https://acme.service-now.com"\ntable = "../x"')

    result = office.hand_over()

    assert result.code == 2
    assert "is not the name of a table" in result.err


@pytest.mark.parametrize("answer", [None, [], {"result": {"number": "INC1"}}])
def test_a_creation_whose_answer_says_nothing_is_found_the_next_night(office: Office, answer: object) -> None:
    office.tracker.service.goes_wrong(office.tracker.creates, Reply(201, answer), carried_out=True)

    result = office.night(plan="everybody")
    again = office.hand_over()

    assert result.code == 3
    assert "bug in cloudscan" not in result.err
    assert again.code == 0
    assert len(office.tracker.tickets()) == 1
