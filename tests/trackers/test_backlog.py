"""Backlog: what a project is set to, what it requires and refuses, who is meant, and where an issue went."""

import re
import time

import pytest

from cloudscan.errors import AccessDenied, ProviderError, Throttled
from cloudscan.sentence import in_language
from cloudscan.ticketing.asking import Asking, is_long
from cloudscan_emulators.trackers.backlog import Backlog, refused, throttled
from cloudscan_emulators.trackers.server import Reply
from cloudscan_trackers.backlog import Options, open_backlog
from tests.cli.conftest import CONFIG
from tests.trackers.conftest import Office, only

pytestmark = only("kind", ["backlog"])

KANJI, EMOJI = "𠮷田さんの見積.xlsx", "📋 todo"


def emulator(office: Office) -> Backlog:
    assert isinstance(office.tracker, Backlog)
    return office.tracker


def set_options(office: Office, lines: str, more: str = "") -> None:
    """Further keys of [trackers.backlog]."""
    office.configure(more)
    file = office.desk.folder / "cloudscan.toml"
    file.write_text(f"{file.read_text('utf-8')}{lines}\n", "utf-8")


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, in seconds."""
    pauses: list[float] = []

    def pause(asking: Asking, attempt: int, error: ProviderError) -> None:
        if is_long(error):
            raise error
        pauses.append(asking.patience.wait(attempt, error.retry_after if isinstance(error, Throttled) else None))

    monkeypatch.setattr(Asking, "pause", pause)
    return pauses


def test_characters_that_backlog_does_not_take_are_named_by_their_number(office: Office) -> None:
    result = office.night(**{KANJI: "everybody", EMOJI: "everybody", "plan": "everybody"})

    titles = {ticket["title"] for ticket in office.tracker.tickets()}
    assert result.code == 0
    assert len(titles) == 3
    assert any("⟦U+20BB7⟧田さんの見積.xlsx" in title for title in titles)
    assert any("⟦U+1F4CB⟧ todo" in title for title in titles)


def test_comments_name_such_characters_too(office: Office) -> None:
    office.night(**{EMOJI: "everybody"})

    result = office.night(**{EMOJI: "the web"})

    assert result.code == 0
    assert "⟦U+1F4CB⟧" in office.tracker.tickets()[0]["body"]


def test_the_notation_of_the_project_is_written(office: Office) -> None:
    """What others wrote is no image and no link there, and no Markdown is left."""
    emulator(office).notation = "backlog"

    office.night(**{"#image(https://evil.example/x.png)": "everybody"})

    (ticket,) = office.tracker.tickets()
    assert "** Why" in ticket["body"]
    assert "###" not in ticket["body"]
    assert "`" not in ticket["body"]
    outside = re.sub(r"\{code\}.*?\{/code\}", "", ticket["body"], flags=re.DOTALL)
    assert "://evil.example" not in outside
    assert "#image(" not in outside
    assert "{code}cloudscan:1 " in ticket["body"]


def test_custom_fields_are_sent_with_each_new_issue(office: Office) -> None:
    """A list is sent by repeating its name."""
    emulator(office).required = {55: "対応部署"}
    set_options(office, 'fields = { customField_55 = "3", customField_56 = [1, 2], "milestoneId[]" = ["7"] }')

    result = office.night(plan="everybody")

    assert result.code == 0
    (form,) = emulator(office).sent
    assert (form["customField_55"], form["customField_56"], form["milestoneId[]"]) == (["3"], ["1", "2"], ["7"])


def test_a_required_field_that_is_missing_is_named(office: Office) -> None:
    """At creation, and by `cloudscan doctor` before there is anything to create."""
    emulator(office).required = {55: "対応部署"}

    result = office.night(plan="everybody")
    doctor = office.desk.run("doctor")

    assert result.code == 3
    assert "カスタム属性「対応部署」は必須です" in result.err
    assert "customField_55 (対応部署); write them under fields" in result.err
    assert "customField_55 (対応部署); write them under fields" in doctor.out + doctor.err


def test_the_end_of_the_window_is_waited_for(office: Office, slept: list[float]) -> None:
    """Backlog says when its window ends, and not for how long to wait."""
    office.tracker.service.goes_wrong(office.tracker.creates, throttled(time.time() + 45))

    result = office.night(plan="everybody")

    assert result.code == 0
    (pause,) = slept
    assert 40 <= pause <= 60


def test_a_window_that_is_too_long_is_left_for_another_night(office: Office, slept: list[float]) -> None:
    office.tracker.service.goes_wrong(office.tracker.creates, throttled(time.time() + 3600))

    result = office.night(plan="everybody", notes="everybody")

    assert (result.code, slept) == (3, [])
    assert office.tracker.service.asked(office.tracker.creates) == 1


def test_why_an_issue_is_closed_is_its_resolution(office: Office) -> None:
    """Fixed; and none any more once it is open again."""
    office.night(plan="everybody")

    office.night(plan="me")
    (closed,) = [dict(issue) for issue in emulator(office).issues]
    office.night(plan="everybody")
    (back,) = emulator(office).issues

    assert (closed["status"]["id"], closed["resolution"]) == (4, {"id": 0})
    assert (back["status"]["id"], back["resolution"]) == (1, None)


def test_a_duplicate_is_closed_as_one(office: Office) -> None:
    office.night(plan="everybody")
    office.tracker.copy()

    office.hand_over()

    assert [issue["resolution"] for issue in emulator(office).issues] == [None, {"id": 3}]


def test_a_reason_of_closing_has_fields_of_its_own(office: Office) -> None:
    set_options(office, "close_fields = { actualHours = 1 }\n[trackers.backlog.close_as.fixed]\nresolutionId = 4")
    office.night(plan="everybody")

    office.night(plan="me")

    form = emulator(office).sent[-1]
    assert form == {"statusId": ["4"], "resolutionId": ["4"], "actualHours": ["1"]}


def test_what_is_closed_already_is_not_closed_again(office: Office) -> None:
    """The answer was lost, the change was made."""
    office.night(plan="everybody")
    office.tracker.service.goes_wrong("PATCH ", carried_out=True)

    result = office.night(plan="me")

    (ticket,) = office.tracker.tickets()
    assert result.code == 0
    assert not ticket["open"]
    assert len(ticket["comments"]) == 1


def test_an_issue_of_another_project_is_nobody_we_know(office: Office) -> None:
    """It has the text of ours, and the service returned it beside the query."""
    office.night(plan="everybody")
    backlog = emulator(office)
    stranger = {**backlog.issues[0], "projectId": 9, "issueKey": "HR-7"}
    listed = [backlog.issues[0], stranger]
    backlog.service.goes_wrong("GET /api/v2/issues$", Reply(200, listed), times=2)

    result = office.hand_over()

    assert result.out == "Every ticket is up to date.\n"
    assert backlog.service.asked("PATCH .*HR-7") == 0


def test_a_moved_issue_is_followed_to_its_new_key(office: Office) -> None:
    office.night(plan="everybody")
    emulator(office).move("SEC-1")

    office.night(plan="me")

    (ticket,) = office.tracker.tickets()
    assert (ticket["key"], ticket["open"]) == ("OPS-1", False)
    assert emulator(office).service.asked("PATCH .*SEC-1") == 0


def test_a_deleted_issue_is_made_anew_once(office: Office) -> None:
    office.night(plan="everybody")
    emulator(office).issues[0].update(issueKey="SEC-99", description="", category=[])

    office.hand_over()
    office.hand_over()

    assert len(office.tracker.tickets()) == 2


def test_a_project_out_of_reach_is_no_deleted_issue(office: Office) -> None:
    """Backlog answers 404 to both: nothing is created while the project cannot be seen."""
    office.night(plan="everybody")
    emulator(office).is_member = False

    result = office.night(plan="everybody")
    emulator(office).is_member = True
    office.hand_over()

    assert result.code == 3
    assert "is not a member of it" in result.err
    assert len(office.tracker.tickets()) == 1


def test_a_category_that_somebody_took_off_is_set_again(office: Office) -> None:
    """Others that they set are kept."""
    office.night(plan="everybody")
    emulator(office).categories.append("urgent")
    emulator(office).issues[0]["category"] = [{"id": 32, "name": "urgent"}]

    office.night(plan="everybody")

    assert sorted(office.tracker.tickets()[0]["labels"]) == ["cloudscan", "urgent"]


def test_who_may_not_create_the_category_hears_of_it(office: Office) -> None:
    emulator(office).is_administrator = False

    doctor = office.desk.run("doctor")
    result = office.night(plan="everybody")

    assert "has no category 'cloudscan'" in doctor.out + doctor.err
    assert result.code == 3
    assert "create it in the project's settings" in result.err


def test_a_dry_run_creates_no_category(office: Office) -> None:
    office.scan(plan="everybody")

    office.hand_over("--dry-run")

    assert office.tracker.service.asked("^POST ") == 0


@pytest.mark.parametrize(
    ("assignee", "found"),
    [
        ("MIKA@acme.example", "mika"),
        ("mika", "mika"),
        ("Mika", "mika"),
        ("duty@acme.example", "deputy"),
        ("deputy@acme.example", ""),
    ],
)
def test_who_is_meant_is_proven_by_address_or_user_id(office: Office, assignee: str, found: str) -> None:
    """`usernames` names those whose address Backlog hides; case does not matter on either side."""
    set_options(office, 'usernames = { "Duty@Acme.example" = "Deputy" }', f'[[routes]]\nassignee = "{assignee}"')

    office.night(plan="everybody")

    assert office.tracker.tickets()[0]["assignee"] == found


def test_a_display_name_proves_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may call themselves what they like."""
    monkeypatch.setattr(Backlog, "_user", lambda _, number: {"id": number, "userId": f"u{number}", "name": "deputy"})
    office.configure('[[routes]]\nassignee = "deputy"')

    result = office.night(plan="everybody")

    assert "assigneeId" not in emulator(office).sent[0]
    assert "deputy was not found" in result.out + result.err


def test_comments_are_looked_for_on_all_pages(office: Office) -> None:
    """What was commented before is not commented again, however much was said since."""
    tracker = open_backlog(Options(url=office.tracker.service.url, project="SEC"), lambda _: "backlog-of-a-test")
    office.night(plan="everybody")
    emulator(office).talk["SEC-1"] = [f"comment {number}" for number in range(250)]

    comments = list(tracker.comments("SEC-1"))

    assert comments == [f"comment {number}" for number in reversed(range(250))]


@pytest.mark.parametrize("answer", [None, [], {}, "text", [None], [{"issueKey": "SEC-1"}], {"errors": "x"}, [[1]]])
@pytest.mark.parametrize("status", [200, 400, 403, 404, 500])
def test_an_answer_of_another_shape_is_a_sentence(office: Office, answer: object, status: int) -> None:
    office.scan(plan="everybody")
    office.tracker.service.goes_wrong("GET /api/v2/issues", Reply(status, answer), times=9)

    result = office.hand_over()

    assert result.code in (0, 3)
    assert "bug in cloudscan" not in result.err


def test_what_backlog_says_is_told_in_the_readers_language(office: Office) -> None:
    tracker = open_backlog(Options(url=office.tracker.service.url, project="SEC"), lambda _: "another key")

    with pytest.raises(AccessDenied, match=r"refused access to SEC: .* \(Authentication failure\)") as raised:
        list(tracker.existing("SEC"))

    assert "Backlog が SEC へのアクセスを拒否しました" in in_language(raised.value, "ja")


def test_a_key_is_never_sent_unencrypted(office: Office) -> None:
    """`localhost.evil.example` is no machine of ours."""
    office.scan(plan="everybody")
    office.desk.configure(f'{CONFIG}\n[trackers.backlog]\nurl = "http://localhost.evil.example"\nproject = "SEC"')

    result = office.hand_over()

    assert result.code == 2
    assert "write https://" in result.err


def test_a_refused_assignee_is_recognised_in_japanese(office: Office) -> None:
    office.configure('[[routes]]\nassignee = "mika"\nfallback_assignee = "deputy"')
    office.tracker.service.goes_wrong(office.tracker.creates, refused("担当者が正しくありません。"))

    office.night(plan="everybody")

    assert office.tracker.tickets()[0]["assignee"] == "deputy"


@pytest.mark.parametrize("answer", [None, [], "<html>", {"issueKey": None}])
def test_a_creation_whose_answer_says_nothing_is_found_the_next_night(office: Office, answer: object) -> None:
    office.tracker.service.goes_wrong(office.tracker.creates, Reply(201, answer), carried_out=True)

    result = office.night(plan="everybody")
    again = office.hand_over()

    assert result.code == 3
    assert "bug in cloudscan" not in result.err
    assert again.code == 0
    assert len(office.tracker.tickets()) == 1
