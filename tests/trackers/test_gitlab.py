"""GitLab as its pages describe it: moved, renamed, limited, and silent about what it drops."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudscan.errors import AccessDenied, ConfigurationError, Throttled, TicketRefused
from cloudscan.finding import Severity
from cloudscan.tracker import Closing, ClosingReason, Dropped, Ticket
from cloudscan_emulators.trackers.gitlab import GUEST, GitLab, Project
from cloudscan_emulators.trackers.server import Reply, Service, running
from cloudscan_trackers.gitlab import GitLabIssues, Options, open_gitlab
from tests.trackers.conftest import Office, only

TICKET = Ticket(
    marker="ab" * 20,
    title="A title",
    body="A body.\n\n<!-- cloudscan:1 abab -->\n",
    severity=Severity.HIGH,
    labels=["cloudscan", "severity-high"],
)


@pytest.fixture
def lab() -> Iterator[GitLab]:
    """GitLab on its own, without a company."""
    emulated = GitLab()
    with running(emulated.service):
        yield emulated


def opened(lab: GitLab, **options: Any) -> GitLabIssues:
    chosen = Options(project="acme/security", url=lab.service.url, **options)
    tracker = open_gitlab(chosen, lambda _: lab.environment["CLOUDSCAN_GITLAB_TOKEN"])
    assert isinstance(tracker, GitLabIssues)
    return tracker


def configure(office: Office, more: str) -> GitLab:
    """More keys for the tracker."""
    assert isinstance(office.tracker, GitLab)
    office.configure()
    file = office.desk.folder / "cloudscan.toml"
    file.write_text(f"{file.read_text('utf-8')}{more}\n", "utf-8")
    return office.tracker


@only("kind", ["gitlab"])
def test_a_moved_issue_is_left_as_it_is_and_continued_once(office: Office) -> None:
    """Its closed rest is no ticket that somebody closed too early; where it went only administrators may ask."""
    assert isinstance(office.tracker, GitLab)
    office.night(plan="everybody")
    infra = Project(2, "acme/infra")
    office.tracker.others.append(infra)
    office.tracker.move(1, infra)

    result = office.night(plan="everybody")
    quiet = office.night(plan="everybody")

    rest, continued = office.tracker.tickets()
    assert (result.code, quiet.out) == (0, "Every ticket is up to date.\n")
    assert (rest["open"], rest["comments"]) == (False, [])
    assert continued["open"]
    assert "gitlab.example/acme/security/-/issues/1" in continued["body"]


@only("kind", ["gitlab"])
def test_an_administrators_token_follows_a_moved_issue(office: Office) -> None:
    assert isinstance(office.tracker, GitLab)
    office.tracker.is_admin = True
    office.night(plan="everybody")
    infra = Project(2, "acme/infra")
    office.tracker.others.append(infra)
    office.tracker.move(1, infra)["state"] = "opened"

    office.night(plan="the web")
    office.night(plan="me")

    (rest,), (followed,) = office.tracker.tickets(), office.tracker.tickets_of(infra)
    assert (rest["open"], rest["comments"]) == (False, [])
    assert not followed["open"]
    assert len(followed["comments"]) == 2


@only("kind", ["gitlab"])
def test_a_moved_issue_that_was_opened_again_is_an_ordinary_one(office: Office) -> None:
    """It keeps its `moved_to_id` (gitlab-org/gitlab#219331)."""
    assert isinstance(office.tracker, GitLab)
    office.night(plan="everybody")
    office.tracker.security.issues[0]["moved_to_id"] = 77

    office.night(plan="me")

    (ticket,) = office.tracker.tickets()
    assert not ticket["open"]


@only("kind", ["gitlab"])
def test_a_deleted_issue_is_replaced(office: Office) -> None:
    assert isinstance(office.tracker, GitLab)
    office.night(plan="everybody")
    office.tracker.delete(1)

    result = office.night(plan="everybody", memo="everybody")

    assert result.code == 0
    assert len(office.tracker.tickets()) == 2


@only("kind", ["gitlab"])
def test_switched_off_issues_are_a_trouble_of_the_project(office: Office) -> None:
    assert isinstance(office.tracker, GitLab)
    office.night(plan="everybody")
    office.tracker.security.has_issues = False

    result = office.night(plan="everybody")
    office.tracker.security.has_issues = True
    again = office.night(plan="everybody")

    assert result.code == 3
    assert "issues are switched off in the project acme/security" in result.err
    assert again.code == 0
    assert len(office.tracker.tickets()) == 1


@only("kind", ["gitlab"])
def test_a_renamed_project_goes_on_without_a_second_ticket(office: Office) -> None:
    assert isinstance(office.tracker, GitLab)
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


@only("kind", ["gitlab"])
def test_a_guests_labels_are_dropped_and_said(office: Office, tmp_path: Path) -> None:
    assert isinstance(office.tracker, GitLab)
    office.tracker.security.level = GUEST
    office.scan(plan="everybody")
    office.desk.run("report", "--format", "json", "-o", str(tmp_path / "report.json"))
    Path(".cloudscan/ledger.db").unlink()

    results = [office.hand_over("--from", str(tmp_path / "report.json")) for _ in range(3)]

    assert [result.code for result in results] == [3, 3, 3]
    assert "the tracker dropped what was sent: label" in results[0].err
    assert len(office.tracker.tickets()) == 1


@only("kind", ["gitlab"])
def test_what_everybody_in_the_project_can_read_is_a_trouble(office: Office) -> None:
    """It was sent as confidential, and is not."""
    assert isinstance(office.tracker, GitLab)
    office.tracker.keeps_confidential = False
    office.tracker.security.level = GUEST  # so that it cannot be changed either

    result = office.night(plan="everybody")

    assert result.code == 3
    assert "confidentiality" in result.err


@only("kind", ["gitlab"])
def test_who_is_blocked_gets_no_ticket(office: Office) -> None:
    gitlab = configure(office, 'fallback_assignee = "deputy"')
    gitlab.blocked.add(7)
    file = office.desk.folder / "cloudscan.toml"
    file.write_text('[[routes]]\nassignee = "Mika@Acme.example"\n' + file.read_text("utf-8"), "utf-8")

    result = office.night(plan="everybody")

    assert gitlab.tickets()[0]["assignee"] == "deputy"
    assert "was not found in the tracker, so the fallback has it" in result.out


@only("kind", ["gitlab"])
@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(301, None, {"Location": "https://gitlab.acme.example/api/v4/projects/1"}), "final https address as url"),
        (Reply(302, None, {"Location": "/users/sign_in"}), "final https address as url"),
        (Reply(200, "<html>Log in</html>"), "in another form than it documents"),
        (Reply(404, {"message": "404 Project Not Found"}), "GitLab refused access to acme/security"),
        (Reply(401, {"message": "401 Unauthorized"}), "GitLab refused access to acme/security"),
        (Reply(403, {"error": "insufficient_scope"}), "insufficient_scope"),
    ],
)
def test_an_answer_of_another_shape_is_a_sentence(office: Office, reply: Reply, told: str) -> None:
    office.tracker.service.goes_wrong("GET /api/v4/projects/acme%2Fsecurity$", reply, times=-1)

    result = office.night(plan="everybody")

    assert result.code == 3
    assert told in result.err
    assert office.tracker.service.asked("^POST") == 0


@only("kind", ["gitlab"])
def test_doctor_says_what_the_project_and_the_options_lack(office: Office) -> None:
    gitlab = configure(office, 'fallback_assignee = "nobody-here"')
    gitlab.security.archived, gitlab.security.level, gitlab.scopes = True, GUEST, ["read_api"]

    told = office.desk.run("doctor").out

    for words in (
        "is archived, so it is read-only",
        "may not set labels in acme/security",
        "lacks the scope api",
        "the fallback assignee nobody-here cannot be assigned",
    ):
        assert words in told


def test_a_token_never_follows_a_redirect_to_another_host(lab: GitLab) -> None:
    """A second server, that is told nothing."""
    other = Service()
    with running(other):
        lab.service.goes_wrong("/issues$", Reply(302, None, {"Location": f"{other.url}/api/v4/projects/1/issues"}))

        with pytest.raises(TicketRefused, match="redirects to another address"):
            list(opened(lab).existing("acme/security"))

    assert other.log == []


def test_a_pause_is_passed_on_as_long_as_it_was_asked_for(lab: GitLab) -> None:
    """Rack::Attack answers in plain text ("Rate limits")."""
    tracker = opened(lab)
    lab.service.goes_wrong("^POST", Reply(429, "Retry later", {"Retry-After": "75"}))

    with pytest.raises(Throttled) as asked:
        tracker.create(TICKET, "", once="x")

    assert asked.value.retry_after == 75


def test_what_was_not_kept_is_named(lab: GitLab) -> None:
    lab.security.level, lab.keeps_confidential = GUEST, False
    tracker = opened(lab, fields={"milestone_id": 3})

    made = tracker.create(TICKET, "7", once="x")

    assert list(made.dropped) == [Dropped.LABEL, Dropped.ASSIGNEE, Dropped.CONFIDENTIAL, Dropped.FIELDS]


def test_fields_and_reasons_of_the_options_are_written(lab: GitLab) -> None:
    tracker = opened(
        lab,
        fields={"milestone_id": 3, "labels": ["triage"]},
        close_as={ClosingReason.WAIVED: {"add_labels": "accepted"}},
    )

    made = tracker.create(TICKET, "", once="x")
    tracker.close(made.key, Closing(reason=ClosingReason.WAIVED), once="x")

    (issue,) = lab.security.issues
    assert list(made.dropped) == []
    assert issue["milestone"] == {"id": 3}
    assert {"triage", "accepted", "cloudscan"} <= set(issue["labels"])


def test_people_keep_the_labels_that_they_added(lab: GitLab) -> None:
    tracker = opened(lab)
    made = tracker.create(TICKET, "", once="x")
    lab.security.issues[0]["labels"] += ["mine", "severity-low"]

    tracker.update(made.key, TICKET, once="x")

    assert set(lab.security.issues[0]["labels"]) == {"cloudscan", "mine", "severity-high"}


def test_a_project_that_cannot_be_read_is_no_deleted_issue(lab: GitLab) -> None:
    with pytest.raises(AccessDenied):
        opened(lab).get("acme/unknown#1")


def test_a_project_may_be_named_by_its_number(lab: GitLab) -> None:
    """Its issues still have the names that GitLab gives them."""
    tracker = opened(lab)
    made = tracker.create(TICKET, "", once="x")

    asked = tracker.get("1#1")

    assert made.key == "acme/security#1"
    assert asked
    assert (asked.moved, asked.moved_to) == (True, "acme/security#1")


def test_a_token_goes_over_https_only() -> None:
    with pytest.raises(ConfigurationError, match="unencrypted"):
        Options(project="acme/security", url="http://gitlab.acme.example")
