"""Any nights with a Jira that fails at any request: in the end one issue for each finding, in the right state."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudscan.finding import Severity
from cloudscan.http import Patience
from cloudscan.report import Report, Terms
from cloudscan.ticketing.asking import Asking
from cloudscan.ticketing.deliver import Dispatcher, Opened
from cloudscan.ticketing.plan import Plan, TrackerState, plan
from cloudscan.ticketing.policy import Policy
from cloudscan_emulators.trackers.jira import TOKEN, Jira
from cloudscan_emulators.trackers.server import Reply, Request, running
from cloudscan_trackers.jira import Options, open_jira
from tests.kit.properties import examples
from tests.reports.synthetic import NOW
from tests.trackers.test_any_nights import FINDINGS, MAIN, ROUTES, SIDE, Memory, Night, few, markers, seen, some

PAGE = Reply(200, None, {"Content-Type": "text/html"}, "<html>Sign on</html>")
FAILURES = {
    "throttled": Reply(429, {}, {"Retry-After": "0"}),
    "busy": Reply(503),
    "failed": Reply(500),
    "done and failed": Reply(502),
    "refused": Reply(403, {"errorMessages": ["No."]}),
    "elsewhere": Reply(302, None, {"Location": "https://sign-on.example/"}),
    "a page": PAGE,
    "no page": Reply(404, None, {"Content-Type": "text/html"}, "<html>Not found</html>"),
    "an object": Reply(200, {}),
    "a list": Reply(200, []),
}
nights = st.builds(Night, standing=some, wide=some, unseen=few, accepted=few)
failing = st.dictionaries(st.integers(0, 60), st.sampled_from(sorted(FAILURES)), max_size=8)


@dataclass
class Firm:
    """Hands its nights over to a Jira. `failures` are what goes wrong, by the number of the request."""

    jira: Jira
    today: datetime = NOW
    memory: Memory = field(default_factory=Memory)
    failures: Iterator[str] = field(default_factory=lambda: iter(()))

    def __post_init__(self) -> None:
        self.jira.service.now = lambda: self.today
        self.allowed = self.jira.service.allowed
        self.jira.service.allowed = self._failure

    def live(self, night: Night, failures: dict[int, str]) -> Plan:
        """A run with failures, and a quiet one; gives what would be left to do."""
        self.today += timedelta(days=1)
        report = seen(night, self.today - timedelta(minutes=5))
        self.failures = iter([failures.get(number, "") for number in range(max(failures, default=0) + 1)])
        self.hand_over(report)
        self.failures = iter(())
        self.today += timedelta(seconds=30)
        self.hand_over(report)
        return self.hand_over(report)

    def hand_over(self, report: Report) -> Plan:
        user = "robot@acme.example" if self.jira.cloud else ""
        tracker = open_jira(Options(url=self.jira.service.url, project=MAIN, user=user), lambda _: TOKEN)
        patience = Patience(attempts=3, pause=0.0, longest=0.0)
        asking = Asking(tracker="jira", patience=patience, sleep=lambda _: None)
        opened = Opened(tracker=tracker, asking=asking, projects=[MAIN, SIDE])
        sender = Dispatcher(opened={"jira": opened}, memory=self.memory, now=lambda: self.today)
        inventory = sender.inventory("jira", {finding.fingerprint for finding in report.findings})
        state = TrackerState(
            wording=tracker.wording(MAIN),
            existing=inventory.tickets,
            unlisted=inventory.unlisted,
            unread=inventory.unread,
            project=MAIN,
        )
        planned = plan(
            report,
            {"jira": state},
            policy=Policy(min_severity=min(value.severity for value in FINDINGS.values())),
            terms=Terms(days=dict.fromkeys(Severity, 7)),
            routes=ROUTES,
            lang="en",
            remembered=self.memory.tickets(),
            now=self.today,
        )
        list(sender.carry_out(planned.actions))
        return planned

    def _failure(self, request: Request) -> Reply | None:
        what = next(self.failures, "")
        if what.startswith("done"):
            self.failures, rest = iter(()), self.failures
            self.jira.service.answer(request)
            self.failures = rest
        return FAILURES[what] if what else self.allowed(request)


@pytest.mark.parametrize("cloud", [True, False], ids=["cloud", "data-center"])
@examples(15)
@given(lived=st.lists(st.tuples(nights, failing), min_size=1, max_size=4))
def test_each_finding_has_one_issue_in_the_right_state(cloud: bool, lived: list[tuple[Night, dict[int, str]]]) -> None:
    """Refused, unheard, redirected, answered with a page: never a second issue or a second comment."""
    jira = Jira(cloud=cloud, projects={MAIN, SIDE})
    with running(jira.service):
        firm = Firm(jira)
        for night, failures in lived:
            left = firm.live(night, failures)

            tickets = jira.tickets()
            by_marker = Counter(marker_in(ticket["body"]) for ticket in tickets)
            standing = {marker_in(ticket["body"]) for ticket in tickets if ticket["open"]}
            assert not left.actions
            assert set(by_marker.values()) <= {1}
            assert markers(night.standing - night.accepted) <= standing <= markers(night.standing | night.unseen)
            assert all(count == 1 for talk in jira.talk.values() for count in Counter(talk).values())


def marker_in(body: str) -> str:
    found = re.search(r"cloudscan:1 (\w+)", body)
    assert found
    return found[1]
