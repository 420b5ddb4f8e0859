"""GitHub as its pages describe it: transferred, deleted, renamed, limited, and silent about what it drops."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudscan.errors import AccessDenied, ConfigurationError, Malformed, Throttled, TicketRefused
from cloudscan.finding import Severity
from cloudscan.ticketing.asking import Asking
from cloudscan.tracker import Closing, ClosingReason, Dropped, Ticket
from cloudscan_emulators.trackers.github import SECONDARY, GitHub, Repository
from cloudscan_emulators.trackers.server import Reply, running
from cloudscan_trackers.api import Pace, pause_of
from cloudscan_trackers.github import GitHubIssues, Options, open_github
from tests.trackers.conftest import Office, only

INFRA = "acme/infra"
TICKET = Ticket(
    marker="ab" * 20,
    title="A title",
    body="A body.\n\n<!-- cloudscan:1 abab -->\n",
    severity=Severity.HIGH,
    labels=["cloudscan"],
)


@dataclass
class Clock:
    """Time that passes only while somebody waits."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


@pytest.fixture
def hub() -> Iterator[GitHub]:
    """GitHub on its own, without a company."""
    emulated = GitHub()
    with running(emulated.service):
        yield emulated


def opened(hub: GitHub, **options: Any) -> GitHubIssues:
    chosen = Options(project="acme/security", url=hub.service.url, **{"write_pause": 0.0, **options})
    tracker = open_github(chosen, lambda _: hub.environment["CLOUDSCAN_GITHUB_TOKEN"])
    assert isinstance(tracker, GitHubIssues)
    return tracker


def configure(office: Office, more: str) -> GitHub:
    """More keys for the tracker."""
    assert isinstance(office.tracker, GitHub)
    office.configure()
    file = office.desk.folder / "cloudscan.toml"
    file.write_text(f"{file.read_text('utf-8')}{more}\n", "utf-8")
    return office.tracker


def strangers(number: int) -> dict[str, Any]:
    """Somebody else's issue."""
    return {"number": number, "title": "Printer", "body": "It squeaks.", "state": "open", "state_reason": None,
            "labels": [], "assignees": [], "closed_at": None, "locked": False}  # fmt: skip


@only("kind", ["github"])
def test_a_transferred_issue_is_followed_and_a_strangers_under_its_number_is_left_alone(office: Office) -> None:
    """Number 1 became number 7 elsewhere; number 7 here is about a printer."""
    assert isinstance(office.tracker, GitHub)
    infra = Repository(99, INFRA, issues=[strangers(6)])
    office.tracker.others.append(infra)
    office.night(plan="everybody")
    office.tracker.transfer(1, infra)
    office.tracker.security.issues.append(strangers(7))

    wider = office.night(plan="the web")
    gone = office.night(plan="me")

    (left,) = office.tracker.tickets()
    _, followed = office.tracker.tickets_of(infra)
    assert (wider.code, gone.code) == (0, 0)
    assert (left["title"], left["body"], left["comments"], left["open"]) == ("Printer", "It squeaks.", [], True)
    assert not followed["open"]
    assert len(followed["comments"]) == 2


@only("kind", ["github"])
def test_an_issue_that_was_transferred_out_of_sight_is_replaced_once(office: Office) -> None:
    """Whoever may not see where it went is answered as if it had never been ("Get an issue")."""
    assert isinstance(office.tracker, GitHub)
    office.night(plan="everybody")
    office.tracker.transfer(1, Repository(99, INFRA))

    office.night(plan="everybody")
    quiet = office.night(plan="everybody")

    assert quiet.code == 0
    assert [ticket["key"] for ticket in office.tracker.tickets()] == ["acme/security#2"]


@only("kind", ["github"])
def test_a_deleted_issue_is_gone_and_stops_nothing(office: Office) -> None:
    assert isinstance(office.tracker, GitHub)
    office.night(plan="everybody")
    office.tracker.delete(1)

    result = office.night(plan="everybody", memo="everybody")

    assert result.code == 0
    assert len(office.tracker.tickets()) == 2


@only("kind", ["github"])
def test_switched_off_issues_are_a_trouble_of_the_repository(office: Office) -> None:
    """GitHub answers 410 as for a deleted one: nothing is taken for gone."""
    assert isinstance(office.tracker, GitHub)
    office.night(plan="everybody")
    office.tracker.security.has_issues = False

    result = office.night(plan="everybody")
    office.tracker.security.has_issues = True
    again = office.night(plan="everybody")

    assert result.code == 3
    assert "issues are switched off in the repository acme/security" in result.err
    assert again.code == 0
    assert len(office.tracker.tickets()) == 1


@only("kind", ["github"])
def test_a_renamed_repository_goes_on_without_a_second_ticket(office: Office) -> None:
    """Closed, opened again and created under the old name in the configuration."""
    assert isinstance(office.tracker, GitHub)
    office.night(plan="everybody")
    office.tracker.rename("acme/vault")

    codes = [office.night(**shared).code for shared in ({"plan": "me"}, {"plan": "everybody", "memo": "everybody"})]
    quiet = office.hand_over()

    assert codes == [0, 0]
    assert quiet.out == "Every ticket is up to date.\n"
    assert [(ticket["key"], ticket["open"]) for ticket in office.tracker.tickets()] == [
        ("acme/vault#1", True),
        ("acme/vault#2", True),
    ]


@only("kind", ["github"])
def test_dropped_labels_are_a_trouble_and_not_a_second_ticket_each_run(office: Office, tmp_path: Path) -> None:
    """Without a ledger, the marker line alone says that there is one."""
    assert isinstance(office.tracker, GitHub)
    office.tracker.security.may_push = False
    office.scan(plan="everybody", memo="everybody")
    office.desk.run("report", "--format", "json", "-o", str(tmp_path / "report.json"))
    Path(".cloudscan/ledger.db").unlink()

    results = [office.hand_over("--from", str(tmp_path / "report.json")) for _ in range(3)]

    assert [result.code for result in results] == [3, 3, 3]
    assert "the tracker dropped what was sent: label" in results[0].err
    assert len({ticket["title"] for ticket in office.tracker.tickets()}) == len(office.tracker.tickets()) <= 2


@only("kind", ["github"])
def test_what_is_listed_and_is_not_ours_is_left_alone(office: Office) -> None:
    """A pull request, and an issue of another repository, with our label and a copy of the text."""
    assert isinstance(office.tracker, GitHub)
    office.night(plan="everybody")
    (ours,) = office.tracker.security.issues
    office.tracker.security.issues.append({**ours, "number": 2, "pull_request": {"url": "https://github.example"}})
    shown = {**office.tracker._shown(ours, Repository(7, "evil/security")), "number": 3}
    office.tracker.service.goes_wrong("GET /repos/acme/security/issues$", Reply(200, [shown]))

    office.night(plan="me")

    assert [(each["number"], each["state"]) for each in office.tracker.security.issues] == [(1, "closed"), (2, "open")]


@only("kind", ["github"])
def test_addresses_know_no_case(office: Office) -> None:
    github = configure(office, "")
    file = office.desk.folder / "cloudscan.toml"
    file.write_text(file.read_text("utf-8").replace("mika@acme.example", "Mika@Acme.example"), "utf-8")
    file.write_text('[[routes]]\nassignee = "MIKA@acme.example"\n' + file.read_text("utf-8"), "utf-8")

    office.night(plan="everybody")

    assert github.tickets()[0]["assignee"] == "mika"


@only("kind", ["github"])
@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(301, {"message": "Moved"}, {"Location": "https://ghes.acme.example/api/v3/repositories/1"}),
         "write its final https address as url"),
        (Reply(302, None, {"Location": "https://login.acme.example/"}), "write its final https address as url"),
        (Reply(301, None, {"Location": "http://[broken"}), "write its final https address as url"),
        (Reply(200, "<html>Log in</html>"), "in another form than it documents"),
        (Reply(200, []), "in another form than it documents"),
        (Reply(200), "in another form than it documents"),
        (Reply(403, {"message": "Resource protected by organization SAML enforcement."},
               {"X-GitHub-SSO": "required; url=https://github.com/orgs/acme/sso?authorization_request=1"}),
         "authorise the token for the organisation: https://github.com/orgs/acme/sso"),
        (Reply(403, {"message": "the `acme` organization has an IP allow list enabled"}), "IP allow list"),
        (Reply(404, "?"), "GitHub refused access to acme/security"),
    ],
)  # fmt: skip
def test_an_answer_of_another_shape_is_a_sentence(office: Office, reply: Reply, told: str) -> None:
    office.tracker.service.goes_wrong("GET /repos/acme/security$", reply, times=-1)

    result = office.night(plan="everybody")

    assert result.code == 3
    assert told in result.err
    assert office.tracker.service.asked("^POST") == 0


@only("kind", ["github"])
def test_an_answer_to_a_creation_without_its_fields_is_read_again(office: Office) -> None:
    reply = Reply(201, {"number": 1, "labels": [], "assignees": []})
    office.tracker.service.goes_wrong(office.tracker.creates, reply, carried_out=True)

    result = office.night(plan="everybody")

    assert result.code == 0
    assert "acme/security/issues/1" in result.out


@only("kind", ["github"])
def test_why_it_is_closed_is_told_in_githubs_words(office: Office) -> None:
    """A duplicate, and what was fixed."""
    office.night(plan="everybody")
    office.tracker.copy()
    office.hand_over()

    office.night(plan="me")

    assert [ticket["reason"] for ticket in office.tracker.tickets()] == ["completed", "duplicate"]


@only("kind", ["github"])
def test_an_old_server_gets_the_nearest_reason_that_it_knows(office: Office) -> None:
    assert isinstance(office.tracker, GitHub)
    office.tracker.state_reasons = ("completed", "not_planned", "reopened")
    office.night(plan="everybody")
    office.tracker.copy()

    result = office.hand_over()

    assert result.code == 0
    assert office.tracker.tickets()[1]["reason"] == "not_planned"


@only("kind", ["github"])
def test_the_options_decide_fields_and_reasons(office: Office) -> None:
    github = configure(
        office,
        'fields = { milestone = 1, type = "Task", labels = ["triage"] }\n'
        '[trackers.github.close_as.fixed]\nstate_reason = "not_planned"',
    )

    office.night(plan="everybody")
    (made,) = [dict(issue) for issue in github.security.issues]
    office.night(plan="me")

    assert (made["milestone"], made["type"]) == ({"number": 1}, {"name": "Task"})
    assert "triage" in made["labels"]
    assert github.tickets()[0]["reason"] == "not_planned"


@only("kind", ["github"])
def test_doctor_says_what_the_repository_and_the_options_lack(office: Office) -> None:
    github = configure(office, 'fallback_assignee = "nobody-here"\nfields = { milestone = 4 }')
    github.security.archived, github.security.may_push, github.scopes = True, False, "gist"

    told = office.desk.run("doctor").out

    for words in (
        "is archived, so it is read-only",
        "may not set labels in acme/security",
        "lacks the scope repo",
        "the fallback assignee nobody-here cannot be assigned",
        "has no milestone 4",
    ):
        assert words in told


def test_a_secondary_limit_without_a_pause_is_given_a_minute(hub: GitHub) -> None:
    clock = Clock()
    hub.secondary_limit, hub.clock = 60.0, lambda: clock.now
    tracker = opened(hub)

    made = Asking(tracker="github", sleep=clock.sleep).retrying(lambda: tracker.create(TICKET, "", once="x"))

    assert made.key == "acme/security#1"
    assert hub.service.asked("^POST") == 2
    assert sum(clock.slept) >= 60


def test_refused_again_and_again_the_pauses_grow_until_it_is_left_for_tonight(hub: GitHub) -> None:
    clock = Clock()
    hub.service.goes_wrong("^POST", Reply(403, {"message": SECONDARY}), times=-1)
    tracker = opened(hub)

    with pytest.raises(Throttled) as left:
        Asking(tracker="github", sleep=clock.sleep).retrying(lambda: tracker.create(TICKET, "", once="x"))

    assert left.value.retry_after == 240
    assert [int(seconds // 60) for seconds in clock.slept] == [1, 2]


def test_an_hours_writes_are_counted_and_the_rest_is_left() -> None:
    clock = Clock()
    pace = Pace(most=2, clock=lambda: clock.now)
    for _ in range(2):
        pace.wait("GitHub")
        pace.count()
    clock.now = 600.0

    with pytest.raises(Throttled) as full:
        pace.wait("GitHub")
    clock.now = 3600.0
    pace.wait("GitHub")

    assert full.value.retry_after == 3000


NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = int((NOON + timedelta(seconds=30)).timestamp())


@pytest.mark.parametrize(
    ("headers", "is_limit", "seconds"),
    [
        ({"retry-after": "17"}, True, 17),
        ({"retry-after": "Mon, 02 Mar 2026 12:02:00 GMT"}, True, 120),
        ({"retry-after": "Mon, 02 Mar 2026 11:00:00 GMT"}, True, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(LATER)}, False, 31),
        ({"x-ratelimit-remaining": "4999", "x-ratelimit-reset": str(LATER)}, True, None),
        ({"ratelimit-reset": str(LATER)}, True, 31),
        ({"ratelimit-reset": str(LATER)}, False, None),
        ({"retry-after": "soon"}, True, None),
        ({}, True, None),
    ],
)
def test_pauses_are_read_as_services_write_them(headers: dict[str, str], is_limit: bool, seconds: float | None) -> None:
    """By the service's own clock, so that ours may be wrong."""
    assert pause_of({"date": "Mon, 02 Mar 2026 12:00:00 GMT", **headers}, is_limit=is_limit) == seconds


def test_a_write_follows_no_redirect(hub: GitHub) -> None:
    """What is somewhere else now has to be read there first."""
    hub.security.add({**strangers(1), "labels": ["cloudscan"], "body": TICKET.body})
    elsewhere = Reply(
        307, {"message": "Temporary Redirect"}, {"Location": f"{hub.service.url}/repositories/9/issues/1"}
    )
    hub.service.goes_wrong("^PATCH", elsewhere)

    with pytest.raises(TicketRefused, match="nothing was written"):
        opened(hub).update("acme/security#1", TICKET, once="x")

    assert hub.service.asked("/repositories/9") == 0


def test_a_repository_that_cannot_be_read_is_no_deleted_issue(hub: GitHub) -> None:
    with pytest.raises(AccessDenied):
        opened(hub).get("acme/unknown#1")


def test_a_locked_conversation_and_an_archived_repository_are_named(hub: GitHub) -> None:
    hub.security.add({**strangers(1), "locked": True})
    hub.security.may_push = False
    tracker = opened(hub)

    with pytest.raises(AccessDenied, match="the conversation of acme/security#1 is locked"):
        tracker.comment("acme/security#1", "Hello", once="x")
    hub.security.archived = True
    with pytest.raises(TicketRefused, match="the repository acme/security is archived"):
        tracker.comment("acme/security#1", "Hello", once="x")


def test_what_was_not_kept_is_named(hub: GitHub) -> None:
    hub.security.may_push = False
    tracker = opened(hub, fields={"milestone": 1})

    made = tracker.create(TICKET, "mika", once="x")

    assert list(made.dropped) == [Dropped.LABEL, Dropped.ASSIGNEE, Dropped.FIELDS]


@pytest.mark.parametrize("body", [{"number": "one"}, {"number": 1, "labels": 3}, {"number": 1, "closed_at": "soon"}])
def test_fields_of_another_type_are_malformed(hub: GitHub, body: dict[str, Any]) -> None:
    hub.service.goes_wrong("GET .*/issues/1$", Reply(200, body))

    with pytest.raises(Malformed):
        opened(hub).get("acme/security#1")


def test_a_token_goes_over_https_only() -> None:
    with pytest.raises(ConfigurationError, match="unencrypted"):
        Options(project="acme/security", url="http://ghes.acme.example/api/v3")


def test_each_reason_has_a_state_reason(hub: GitHub) -> None:
    tracker = opened(hub)
    for reason in ClosingReason:
        number = hub.security.add({**strangers(1), "labels": ["cloudscan"]})["number"]
        assert not tracker.close(f"acme/security#{number}", Closing(reason=reason), once="x").open

    reasons = dict(zip(ClosingReason, [issue["state_reason"] for issue in hub.security.issues], strict=True))
    assert reasons[ClosingReason.WAIVED] == "not_planned"
    assert reasons[ClosingReason.GONE] == "completed"
