"""Who hears what changed: `cloudscan notify` over apprise, into a receiver of our own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from apprise import Apprise

from cloudscan.ledger.ledger import Ledger
from cloudscan.ledger.waivers import WaiverRequest
from cloudscan_emulators.trackers.github import GitHub
from cloudscan_emulators.trackers.server import Reply, Request, Service, running
from cloudscan_emulators.trackers.webhook import Webhook
from cloudscan_trackers.apprise import open_apprise
from cloudscan_trackers.rooms import room_of
from tests.cli.conftest import CONFIG, RULES, Desk, Said
from tests.kit.own_rules import keep_rule
from tests.ledger.conftest import Album
from tests.trackers.conftest import Office

WEEK = timedelta(days=7)


@dataclass
class Inbox:
    """What arrived."""

    office: Office
    service: Service
    messages: list[dict[str, Any]] = field(default_factory=list)

    def night(self, **documents: str) -> Said:
        self.office.scan(**documents)
        return self.office.desk.run("notify")


@pytest.fixture
def inbox(desk: Desk, album: Album, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    inbox = Inbox(Office(desk, Webhook(), album), Service())

    @inbox.service.route("POST", "/inbox")
    def take(request: Request) -> Reply:
        inbox.messages.append(json.loads(request.body))
        return Reply(200, {})

    with running(inbox.service):
        monkeypatch.setenv("TELL", f"json://{inbox.service.url.removeprefix('http://')}/inbox")
        desk.configure(f'{CONFIG}\n[notify]\nurls_env = "TELL"')
        yield inbox


def test_only_what_changed_is_told(inbox: Inbox) -> None:
    """The first scan: all is new. Then what came and what went, and not what stayed."""
    inbox.night(plan="everybody", notes="everybody", menu="everybody")
    inbox.night(plan="the web", notes="me", list="everybody", menu="everybody")

    first, second = (message["message"] for message in inbox.messages)
    assert first.splitlines()[0] == "3 new"
    assert "- High, New: plan can be opened by anyone who has the link" in first
    assert second.splitlines()[0] == "1 new, 1 widened, 1 resolved"
    assert "list can be opened" in second
    assert second.splitlines()[-1] == "Resolved: notes"
    assert "menu" not in second


def test_a_night_on_which_nothing_changes_is_quiet(inbox: Inbox) -> None:
    inbox.night(plan="everybody")
    inbox.night(plan="everybody")

    assert len(inbox.messages) == 1


def test_a_scan_is_told_of_once(inbox: Inbox) -> None:
    inbox.night(plan="everybody")

    again = inbox.office.desk.run("notify")
    asked_for = inbox.office.desk.run("notify", "--again")

    assert "nothing new" in again.err
    assert asked_for.code == 0
    assert len(inbox.messages) == 2


def test_what_did_not_arrive_is_told_the_next_night(inbox: Inbox) -> None:
    """Nothing changed in between: the message is about the time since the scan that was told last."""
    inbox.night(plan="me", notes="everybody")
    inbox.service.goes_wrong("POST /inbox", Reply(500, {}))

    failed = inbox.night(plan="everybody", notes="me")
    inbox.night(plan="everybody", notes="me")

    assert failed.code == 3
    assert "The next scan repeats it" in failed.err
    lines = inbox.messages[-1]["message"].splitlines()
    assert lines[0] == "1 new, 1 resolved"
    assert lines[1] == "Since the scan of 3 Mar 2026: earlier messages did not arrive here."
    assert "plan can be opened" in "".join(lines)
    assert "Resolved: notes" in lines


def test_two_scans_recorded_at_once_are_told_together(inbox: Inbox) -> None:
    inbox.night(plan="me")
    inbox.office.scan(plan="everybody", notes="me")
    inbox.office.scan(plan="everybody", notes="everybody")
    inbox.office.desk.run("notify")

    assert inbox.messages[-1]["message"].splitlines()[0] == "2 new"


def test_each_address_is_told_of_what_it_missed(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of two does not answer for a night. No address is in the ledger."""
    arrived: list[str] = []

    @inbox.service.route("POST", "/other")
    def take(request: Request) -> Reply:
        arrived.append(json.loads(request.body)["message"])
        return Reply(200, {})

    host = inbox.service.url.removeprefix("http://")
    monkeypatch.setenv("TELL", f"json://user:hunter2@{host}/inbox json://user:hunter2@{host}/other")
    inbox.night(plan="me")
    inbox.service.goes_wrong("POST /other", Reply(500, {}))
    failed = inbox.night(plan="everybody")
    inbox.night(plan="everybody")

    assert failed.code == 3
    assert [message["message"].splitlines()[0] for message in inbox.messages] == ["1 new"]
    assert [message.splitlines()[0] for message in arrived] == ["1 new"]
    ledger = (inbox.office.desk.folder / ".cloudscan" / "ledger.db").read_bytes()
    assert b"hunter2" not in ledger
    assert host.encode() not in ledger


def test_somebody_who_is_added_later_is_told_everything(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox.night(plan="everybody")
    host = inbox.service.url.removeprefix("http://")
    monkeypatch.setenv("TELL", f"json://{host}/inbox?method=POST json://new:word@{host}/inbox")

    inbox.night(plan="everybody", notes="everybody")

    assert [message["message"].splitlines()[0] for message in inbox.messages] == ["1 new", "1 new", "2 new"]


def test_health_says_who_was_not_told_and_since_when(inbox: Inbox) -> None:
    inbox.night(plan="me")
    inbox.service.goes_wrong("POST /inbox", Reply(500, {}))
    inbox.night(plan="everybody")

    lagging = checks(inbox)
    inbox.office.desk.run("notify")
    told = checks(inbox)
    inbox.office.scan(plan="the web")
    silent = checks(inbox)  # the variable was not set, say

    words = "1 of 1 notification address(es) was last told of the scan of 2026-03-03 02:00 UTC"
    assert lagging["notified"] == ("WARNING", words)
    assert told["notified"] == ("OK", "everybody was notified of the last scan")
    assert silent["notified"][0] == "WARNING"


def checks(inbox: Inbox) -> dict[str, tuple[str, str]]:
    result = inbox.office.desk.run("health", "--format", "json")
    return {check["name"]: (check["status"], check["message"]) for check in result.json["checks"]}


def test_what_could_not_be_read_is_told(inbox: Inbox) -> None:
    """So that silence is never taken for safety."""
    inbox.night(plan="everybody")
    (inbox.office.desk.folder / "company" / "sales.json").write_text("no JSON")
    inbox.office.desk.run("scan")

    assert "1 new gap" in inbox.messages[-1]["message"]


def test_a_scan_notifies_by_itself(inbox: Inbox) -> None:
    result = inbox.office.desk.run("scan")

    assert result.code == 1
    assert len(inbox.messages) == 1


def test_a_dry_run_sends_nothing_and_hides_the_address(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELL", "slack://xoxb-1234-1234-4ddbc191d40ee098cbaae6f3523ada2d/#general")
    inbox.office.scan(plan="everybody")

    result = inbox.office.desk.run("notify", "--dry-run")

    assert result.code == 0
    assert "plan can be opened" in result.out
    assert "4ddbc191d40ee098cbaae6f3523ada2d" not in result.out + result.err
    assert inbox.messages == []


def test_an_address_that_does_not_answer_is_told_and_tried_again(inbox: Inbox) -> None:
    inbox.service.goes_wrong("POST /inbox", Reply(500, {}))

    first = inbox.night(plan="everybody")
    second = inbox.office.desk.run("notify")

    assert first.code == 3
    assert "rejected the message" in first.err
    assert second.code == 0
    assert len(inbox.messages) == 1


@pytest.mark.parametrize("name", ["@channel", "<!here>", "[a](http://evil.example)", "`x`"])
def test_a_hostile_name_mentions_nobody_and_links_nothing(inbox: Inbox, name: str) -> None:
    inbox.night(**{name: "everybody"})

    assert name not in inbox.messages[0]["message"]
    assert "://" not in inbox.messages[0]["message"]


def test_notices_in_japanese(inbox: Inbox) -> None:
    inbox.office.scan(plan="everybody")

    inbox.office.desk.run("notify", "--lang", "ja")

    assert "新規 1 件" in inbox.messages[0]["message"]


@pytest.mark.parametrize(
    ("lang", "head", "line", "why"),
    [
        ("en", "1 new, 1 judged differently", "- High, Judged differently: menu", "  Judged differently since "),
        ("ja", "新規 1 件、判定の変更 1 件", "- 高、判定の変更：menu", "から判定が変わりました。"),
    ],
)
def test_what_is_only_judged_differently_is_not_called_new(
    inbox: Inbox, lang: str, head: str, line: str, why: str
) -> None:
    """The rule counts colleagues from today on, and somebody opened the list on the same day."""
    desk = inbox.office.desk
    keep_rule(desk.folder / "mine")
    desk.configure(f'{CONFIG}\n[notify]\nurls_env = "TELL"\nafter_scan = false'.replace(str(RULES), "mine"))
    desk.shelve(menu="company", list="me")
    desk.run("scan")
    desk.run("notify")
    keep_rule(desk.folder / "mine", colleagues=True)
    desk.shelve(menu="company", list="everybody")
    desk.run("scan")
    desk.run("notify", "--lang", lang)
    keep_rule(desk.folder / "mine")
    desk.run("scan")
    desk.run("notify", "--lang", lang)

    opened, closed = (message["message"].splitlines() for message in inbox.messages)
    assert opened[0] == head
    assert [text for text in opened if text.startswith(line)]
    assert len([text for text in opened if why in text]) == 1
    assert closed[0] == head.split(", " if lang == "en" else "、")[1]


def long_names(kind: str) -> dict[str, str]:
    return {f"{kind} {number} {'of the quarterly figures ' * 9}": "everybody" for number in range(10)}


@pytest.fixture
def room(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A Mattermost that takes 4,000 characters: "Maximum post size" of its documentation."""
    posts: list[str] = []

    @inbox.service.route("POST", "/hooks/.*")
    def take(request: Request) -> Reply:
        text = json.loads(request.body)["text"]
        if len(text) > 4000:
            return Reply(400, {"message": "Post Message Length must be less than 4000"})
        posts.append(text)
        return Reply(200, {})

    host = inbox.service.url.removeprefix("http://")
    monkeypatch.setenv("TELL", f"mmost://{host}/3ccdd113474722377935511fc85d3dd4")
    return posts


def test_what_is_too_long_for_a_service_arrives_in_numbered_parts(inbox: Inbox, room: list[str]) -> None:
    result = inbox.night(**long_names("Plan"))
    inbox.night(**long_names("Notes"))

    first, second = room[-2:]
    assert result.code == 0
    assert first.splitlines()[:2] == ["cloudscan: Acme (1/2)", "10 new, 10 resolved"]
    assert second.splitlines()[0] == "cloudscan: Acme (2/2)"
    assert second.splitlines()[1].startswith(("- High", "Resolved"))
    assert all(f"{kind} {number} " in first + second for kind in ("Notes", "Plan") for number in range(10))


def test_a_part_that_arrived_is_not_sent_again(inbox: Inbox, room: list[str]) -> None:
    inbox.night(**long_names("Plan"))
    before = len(room)
    inbox.office.scan(**long_names("Notes"))
    inbox.service.allowed = lambda request: Reply(503) if b"(2/2)" in request.body else None

    failed = inbox.office.desk.run("notify")
    inbox.service.allowed = lambda _: None
    inbox.office.desk.run("notify")
    nothing = inbox.office.desk.run("notify")

    assert failed.code == 3
    assert [post.splitlines()[0][-6:] for post in room[before:]] == [" (1/2)", " (2/2)"]
    assert "nothing new" in nothing.err


SERVICES = [
    "discord://123456789012345678/abcdefghijklmnopqrstuvwxyzABCDEFGHIJ",
    "pover://uuuuuuuuuuuuuuuuuuuuuuuuuuuuuu@tttttttttttttttttttttttttttttt",
    "tgram://123456789:abcdefg_hijklmnop/12315544/",
    "mmost://host/3ccdd113474722377935511fc85d3dd4",
    "workflows://prod-01.westus.logic.azure.com:443/643e69f83c8944/k9tFsXhW1ymc7oaXvAqdKjQxxx/",
    "rocket://user:word@host/#room",
    "clicksend://user:word@12025550123",
]


@pytest.mark.parametrize("url", SERVICES)
@pytest.mark.parametrize("name", ["a_b*c (d) & e", "四半期の予算案🙂", "x" * 900])
def test_each_part_fits_its_service_and_nothing_is_lost(url: str, name: str) -> None:
    """Measured as it arrives: escaped for the service's markup, the title included where it is put into the text."""
    notifier = open_apprise(url, "", [])
    (address,) = notifier.addresses()
    text = "\n".join(["10 new", "", *(f"- High, New: {name} {number}\n  Number {number}" for number in range(10))])

    parts = notifier.parts(address, "cloudscan: Acme", text)

    service = Apprise.instantiate(url)
    assert service
    most, shares = service.body_maxlen, not service.title_maxlen or service.overflow_amalgamate_title
    written = room_of(service).written
    assert all(len(written(part.text)) + (len(part.title) if shares else 0) <= most for part in parts)
    assert "".join("".join(part.text.split()) for part in parts) == "".join(text.split())
    assert len(parts) < 120


def test_two_chats_of_one_bot_are_two_addresses() -> None:
    """Apprise tells them apart by the bot alone."""
    notifier = open_apprise("tgram://123456789:abcdefg_hijklmnop/111/ tgram://123456789:abcdefg_hijklmnop/222/", "", [])

    assert len({address.identity for address in notifier.addresses()}) == 2


def test_an_address_that_is_written_twice_is_told_once(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    host = inbox.service.url.removeprefix("http://")
    monkeypatch.setenv("TELL", f"json://{host}/inbox json://{host}/inbox")

    inbox.night(plan="everybody")

    assert len(inbox.messages) == 1


def test_an_address_that_fails_each_night_is_told_once_and_then_counted(inbox: Inbox) -> None:
    inbox.service.goes_wrong("POST /inbox", Reply(500, {}), times=9)

    first = inbox.night(plan="everybody")
    second = inbox.night(plan="the web")

    assert (first.code, second.code) == (3, 3)
    assert "rejected the message" in first.err
    assert "rejected the message" not in second.err
    assert "1 notification address(es) still reject messages, the oldest since 20" in second.err


def test_a_redirect_is_no_delivery(inbox: Inbox) -> None:
    """A client that follows it asks for a page, and the page's 200 says nothing of the message."""
    inbox.service.goes_wrong("POST /inbox", Reply(302, None, {"Location": f"{inbox.service.url}/elsewhere"}))

    result = inbox.night(plan="everybody")

    assert result.code == 3
    assert inbox.service.asked("elsewhere") == 0


@pytest.mark.parametrize("url", ["discord://hunter2hunter2", "slack://hunter2hunter2/x", "hunter2hunter2://x"])
def test_an_address_that_is_none_is_refused_without_showing_it(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("TELL", url)

    result = inbox.night(plan="everybody")

    assert "address 1 of 1 is not an address" in result.err
    assert "hunter2" not in result.err


def test_a_path_that_is_a_secret_is_not_shown(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    host = inbox.service.url.removeprefix("http://")
    monkeypatch.setenv("TELL", f"json://{host}/inbox/Zm9yIG5vYm9keSdzIGV5ZXM?token=hunter2")

    result = inbox.night(plan="everybody")

    assert result.code == 3
    assert f"json://{host}/inbox/Z...M" in result.err
    assert "Zm9y" not in result.err
    assert "hunter2" not in result.err


def test_connectors_of_teams_are_refused_with_what_has_taken_their_place(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELL", "msteams://a/b/c")

    assert "workflows://" in inbox.night(plan="everybody").err


def test_what_was_waived_is_told_by_name(inbox: Inbox) -> None:
    report = inbox.office.scan(plan="everybody", notes="everybody")
    inbox.office.desk.run("notify")
    (plan,) = [one.fingerprint for one in report.findings if one.verdict.subject.name == "plan"]
    day = inbox.office.today
    waiver = WaiverRequest(finding=plan, owner="Mika Sato", reason="Public on purpose.", until=day.date() + WEEK)
    Ledger("sqlite:///.cloudscan/ledger.db").waive(waiver, now=day)

    inbox.night(plan="everybody", notes="everybody")

    lines = inbox.messages[-1]["message"].splitlines()
    assert lines[0] == "1 waived"
    assert "Waived: plan" in lines


def test_a_finding_is_told_with_its_ticket(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = GitHub()
    with running(tracker.service):
        for name, value in tracker.environment.items():
            monkeypatch.setenv(name, value)
        inbox.office.desk.configure(f'{CONFIG}\n[notify]\nurls_env = "TELL"\n{tracker.table}')
        inbox.office.scan(plan="everybody")
        inbox.office.desk.run("tickets")
        inbox.office.desk.run("notify")

    assert "Ticket: " in inbox.messages[-1]["message"]


def test_a_company_without_a_name_has_a_title_all_the_same(inbox: Inbox) -> None:
    config = CONFIG.replace('name = "Acme"', "")
    inbox.office.desk.configure(f'{config}\n[notify]\nurls_env = "TELL"')
    inbox.night(plan="everybody")

    assert inbox.messages[0]["title"].rstrip() == inbox.messages[0]["title"]
    assert not inbox.messages[0]["title"].endswith(":")
