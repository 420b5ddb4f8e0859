"""From finding to person: `cloudscan tickets` against every tracker that comes with it."""

from tests.trackers.conftest import Office
from tests.trackers.server import Reply


def test_a_finding_becomes_one_ticket(office: Office) -> None:
    """It says in words what is wrong and what to do; a second run writes nothing."""
    said = office.night(plan="everybody", notes="me")
    again = office.hand_over()

    print(said.err)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"create {office.tracker.kind} ")
    (ticket,) = office.tracker.tickets()
    assert ticket["open"]
    assert "plan" in ticket["title"]
    assert "cloudscan:1 " in ticket["body"]
    assert again.out == "Every ticket is up to date.\n"
    assert len(office.tracker.tickets()) == 1


def test_a_dry_run_shows_what_would_be_sent_and_sends_nothing(office: Office) -> None:
    office.desk.run("scan")

    shown = office.hand_over("--dry-run", "--format", "json")
    said = office.hand_over("--format", "json")

    (planned,) = shown.json["actions"]
    assert planned["kind"] == "create"
    (done,) = said.json["done"]
    (ticket,) = office.tracker.tickets()
    assert planned["ticket"]["title"] == done["title"] == ticket["title"]


def test_a_ticket_lives_as_long_as_its_finding(office: Office) -> None:
    """Resolved: commented and closed. Back: commented and opened again. Never a second one."""
    office.night(plan="everybody")

    office.night(plan="me")
    (closed,) = office.tracker.tickets()
    office.night(plan="everybody")
    (back,) = office.tracker.tickets()

    assert not closed["open"]
    assert "no longer sees it" in closed["comments"][0]
    assert back["open"]
    assert len(back["comments"]) == 2
    assert "It is back" in back["comments"][1]


def test_a_lost_ledger_doubles_no_ticket(office: Office) -> None:
    """The mark in the ticket is enough to find it again."""
    if not office.tracker.lists:
        return
    office.night(plan="everybody")
    (office.desk.folder / ".cloudscan" / "ledger.db").unlink()

    said = office.night(plan="everybody")

    assert said.code == 0
    assert len(office.tracker.tickets()) == 1


def test_a_lost_answer_doubles_no_ticket(office: Office) -> None:
    """The tracker made the ticket, and the line went dead before it could say so."""
    office.tracker.service.goes_wrong(office.tracker.creates, carried_out=True)

    first = office.night(plan="everybody")
    second = office.hand_over()

    assert len(office.tracker.tickets()) == 1
    assert second.code == 0
    assert "found" in first.out or "it was there" in first.out or first.code == 3


def test_a_pause_is_kept(office: Office) -> None:
    """A throttled request is sent again; it was not carried out."""
    office.tracker.service.goes_wrong(office.tracker.creates, Reply(429, {"message": "slow down"}, {"Retry-After": "0"}))

    said = office.night(plan="everybody")

    assert said.code == 0
    assert len(office.tracker.tickets()) == 1
