"""One trouble is one trouble: what fails is told, and told once; everything else goes on."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random

import msgspec
import pytest
from hypothesis import settings

from cloudscan.ledger.ledger import Ledger
from cloudscan.ticketing import marker_line
from cloudscan.tracker import TicketPhase
from cloudscan_emulators.trackers.github import GitHub
from cloudscan_emulators.trackers.server import Reply, running
from tests.trackers.conftest import Office, only
from tests.trackers.test_tickets import LISTING

MOST_TURNS = 2  # of each test, except in a campaign
NIGHTS = 3
CHANGES = {
    "backlog": r"PATCH /api/v2/issues/",
    "github": r"PATCH /repos/acme/security/issues/",
    "gitlab": r"PUT /api/v4/projects/1/issues/",
    "jira": r"POST /rest/api/2/issue/.*/transitions",
    "servicenow": r"(PATCH|PUT) /api/now/table/incident/",
}
"""The requests that close a ticket."""
ODD = {
    "a sign-on page": Reply(200, None, {"Content-Type": "text/html"}, text="<html><body>Sign in</body></html>"),
    "a list": Reply(200, []),
    "an empty object": Reply(200, {}),
    "null": Reply(200, text="null"),
    "a list of anything": Reply(200, [None, 1, {"id": {}}]),
    "a word": Reply(200, "welcome"),
    "a redirect to another host": Reply(301, {"message": "Moved"}, {"Location": "https://elsewhere.invalid/there"}),
    "a redirect without an address": Reply(302),
    "a failure": Reply(500, {"message": "failed"}),
    "a failure in HTML": Reply(502, None, {"Content-Type": "text/html"}, text="<html>Bad gateway</html>"),
    "gone": Reply(410, {"message": "Gone"}),
    "refused": Reply(400, []),
    "denied": Reply(403, "no"),
}


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the trackers were waited for; nobody waits in truth."""
    waited = list[float]()
    monkeypatch.setattr("cloudscan.ticketing.asking.time.sleep", waited.append)
    return waited


@pytest.fixture
def beside(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    """A second tracker, in another server; findings go to the first."""
    second = GitHub()
    with running(second.service):
        monkeypatch.setenv("CLOUDSCAN_SECOND_TOKEN", second.environment["CLOUDSCAN_GITHUB_TOKEN"])
        table = second.table.replace("[trackers.github]", '[trackers.second]\nkind = "github"')
        office.configure(f'[tickets]\ntracker = "{office.tracker.kind}"\n{table}')
        yield second


@only("kind", LISTING)
def test_a_tracker_that_is_shut_keeps_no_other_from_its_tickets(office: Office, beside: GitHub) -> None:
    beside.service.goes_wrong("GET ", Reply(401, {"message": "Bad credentials"}), times=99)

    result = office.night(plan="everybody")

    assert result.code == 3
    assert len(office.tracker.tickets()) == 1
    assert "second: " in result.err
    assert "Traceback" not in result.err


@only("kind", ["github", "backlog"])
def test_a_tracker_without_its_token_keeps_no_other_from_its_tickets(
    office: Office, beside: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLOUDSCAN_SECOND_TOKEN")

    result = office.night(plan="everybody")

    assert result.code == 3
    assert len(office.tracker.tickets()) == 1
    assert "CLOUDSCAN_SECOND_TOKEN is not set" in result.err


@only("kind", LISTING)
def test_what_is_refused_each_night_is_told_once_and_then_counted(office: Office) -> None:
    """A close that is refused for three nights: no comment, until it is done; then one."""
    office.night(plan="everybody")
    refused = Reply(400, {"message": "Resolution is required."})
    office.tracker.service.goes_wrong(CHANGES[office.tracker.kind], refused, times=9999)

    today = f"{datetime.now(UTC):%Y-%m-%d}"
    nights = [office.night(plan="me") for _ in range(3)]
    (ticket,) = office.tracker.tickets()
    before = list(ticket["comments"])
    office.tracker.service.faults.clear()
    well = office.night(plan="me")
    (ticket,) = office.tracker.tickets()

    assert [night.code for night in nights] == [3, 3, 3]
    assert f"{office.tracker.kind}: close " in nights[0].err
    assert "Still failing" not in nights[0].err
    assert all(f"Still failing (1), the first since {today}: " in night.err for night in nights[1:])
    assert before == []
    assert (well.code, well.err) == (0, "")
    assert not ticket["open"]
    assert len(ticket["comments"]) == 1


@only("kind", LISTING)
def test_a_ticket_that_cannot_be_read_keeps_no_other_from_its_own(office: Office) -> None:
    """The service answers about one ticket that it may not be seen; it is neither written nor made again."""
    office.night(plan="everybody")
    (ticket,) = office.tracker.tickets()
    address = rf"GET .*/(issues?|incident)/{re.escape(ticket['key'].rpartition('#')[2])}$"
    office.tracker.service.goes_wrong(address, Reply(403, {"message": "Forbidden"}), times=999)

    result = office.night(plan="the web", memo="everybody")

    assert result.code == 3
    assert len(office.tracker.tickets()) == 2
    assert office.tracker.tickets()[0]["body"] == ticket["body"]
    assert f"{ticket['key']}" in result.err


@pytest.mark.parametrize("carried_out", [False, True], ids=["not done", "done"])
def test_an_answer_of_any_shape_ends_in_a_sentence(office: Office, *, carried_out: bool) -> None:
    """Each request in turn is answered oddly while something is new, something wider, and something fixed.

    Nothing is called a bug, and in the quiet nights after it there is one ticket for each.
    """
    requests = [f"^{method} {path.pattern}$" for method, path, _ in office.tracker.service.routes]
    trusts = office.tracker.kind == "webhook"  # which takes any success for what it is
    turns = [
        (request, name)
        for (request, (name, reply)) in product(requests, ODD.items())
        if not (carried_out and "GET" in request) and (carried_out or not trusts or reply.status >= 300)
    ]
    step = max(1, len(turns) // MOST_TURNS) if settings.get_current_profile_name() != "campaign" else 1
    documents = dict[str, str]()
    for number, (request, name) in enumerate(turns[::step]):
        documents = dict.fromkeys(list(documents)[-1:], "the web") | {f"plan-{number}": "everybody"}
        office.tracker.service.goes_wrong(request, ODD[name], carried_out=carried_out, times=9999)

        result = office.night(**documents)
        office.tracker.service.faults.clear()

        assert result.code in (0, 3), (request, name, result.err)
        assert "bug" not in result.err, (request, name)
        assert "Traceback" not in result.err, (request, name)
    let_an_index_catch_up()
    office.night(**documents)
    quiet = office.night(**documents)

    tickets = [ticket for ticket in office.tracker.tickets() if "body" in ticket]  # to the webhook, others are unknown
    markers = [line.marker for ticket in tickets if (line := marker_line.read(ticket["body"]))]
    assert (quiet.code, quiet.err) == (0, "")
    assert set(Counter(markers).values()) == {1}
    assert sum(ticket["open"] for ticket in tickets) == len(documents)
    assert all(max(Counter(ticket["comments"]).values(), default=1) == 1 for ticket in tickets)


def let_an_index_catch_up() -> None:
    """What may have been created a moment ago was created yesterday."""
    ledger = Ledger("sqlite:///.cloudscan/ledger.db")
    for record in ledger.tickets():
        if record.phase is TicketPhase.SENDING:
            ledger.save_ticket(msgspec.structs.replace(record, acted_on=record.acted_on - timedelta(days=1)))


@pytest.mark.parametrize("seed", range(20) if settings.get_current_profile_name() == "campaign" else [1])
def test_nights_with_any_trouble_end_in_one_ticket_for_each(office: Office, seed: int) -> None:
    """Lost and odd answers, pauses, refusals, what people do manually, a ledger that is lost where tickets are listed.

    After each night's quiet run there is one ticket for each finding, open where it stands and closed where not.
    """
    dice, tracker = Random(f"{seed} {office.tracker.kind}"), office.tracker
    requests = [(method, f"^{method} {path.pattern}$") for method, path, _ in tracker.service.routes]
    pause = Reply(429, {"message": "slow down"}, {"Retry-After": "2"})
    replies = [None, None, pause, *(reply for reply in ODD.values() if tracker.lists or reply.status >= 300)]
    for _ in range(NIGHTS):
        documents = {
            name: dice.choice(["everybody", "the web"]) for name in ("plan", "memo", "menu") if dice.random() < 0.6
        }
        for ticket in tracker.tickets() if tracker.lists else ():
            if dice.random() < 0.2:
                tracker.by_hand(ticket["key"], is_open=not ticket["open"])
            elif dice.random() < 0.1:
                tracker.rewrite(ticket["key"], "Who wrote all this?")
        for method, request in dice.choices(requests, k=3):
            reply = dice.choice(replies)
            is_done = method != "GET" and reply is not pause and dice.random() < 0.4
            tracker.service.goes_wrong(request, reply, carried_out=is_done, times=dice.choice([1, 3]))

        troubled = office.night(**documents)
        tracker.service.faults.clear()
        let_an_index_catch_up()
        office.hand_over()
        quiet = office.night(**documents)

        tickets = [ticket for ticket in tracker.tickets() if "body" in ticket]
        about = Counter(ticket["title"].split()[1] for ticket in tickets)
        standing = {ticket["title"].split()[1] for ticket in tickets if ticket["open"]}
        assert troubled.code in (0, 3), troubled.err
        assert "bug" not in troubled.err
        assert (quiet.code, quiet.err) == (0, "")
        assert max(about.values(), default=1) == 1, troubled
        assert standing == set(documents)
        assert all(max(Counter(ticket["comments"]).values(), default=1) == 1 for ticket in tickets)


@only("kind", ["jira-cloud", "github", "backlog"])
def test_a_dry_run_shows_what_it_would_write_where_it_cannot_ask(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.scan(plan="everybody")
    for name in office.tracker.environment:
        monkeypatch.delenv(name)

    shown = office.hand_over("--dry-run")

    assert shown.code == 3
    assert "title: [High] plan can be opened by anyone who has the link" in shown.out
    assert "is not set" in shown.err
    assert not office.tracker.service.log
