"""Who hears what changed: `cloudscan notify` over apprise, into a receiver of our own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from cloudscan_emulators.trackers.server import Reply, Request, Service, running
from cloudscan_emulators.trackers.webhook import Webhook
from tests.cli.conftest import CONFIG, RULES, Desk, Said
from tests.kit.own_rules import keep_rule
from tests.ledger.conftest import Album
from tests.trackers.conftest import Office


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
