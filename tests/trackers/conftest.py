"""A company that is scanned night after night, and a tracker of each kind in a local server."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloudscan.ledger.ledger import Ledger
from cloudscan.report import Report
from cloudscan_emulators.trackers.backlog import Backlog
from cloudscan_emulators.trackers.emulated import Emulated
from cloudscan_emulators.trackers.github import GitHub
from cloudscan_emulators.trackers.gitlab import GitLab
from cloudscan_emulators.trackers.jira import Jira
from cloudscan_emulators.trackers.server import running
from cloudscan_emulators.trackers.servicenow import ServiceNow
from cloudscan_emulators.trackers.webhook import Webhook
from tests.cli.conftest import CONFIG, Desk, Said, desk
from tests.ledger.conftest import Album, Nights, album, empty_ledger

__all__ = ["album", "desk", "empty_ledger"]

KINDS: dict[str, Callable[[], Emulated]] = {
    "backlog": Backlog,
    "github": GitHub,
    "gitlab": GitLab,
    "jira-cloud": Jira,
    "jira-data-center": lambda: Jira(cloud=False),
    "servicenow": ServiceNow,
    "webhook": Webhook,
}
FIRST_NIGHT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


@dataclass
class Office:
    """The desk, the tracker that its configuration names, and the clock on the wall."""

    desk: Desk
    tracker: Emulated
    album: Album
    today: datetime = FIRST_NIGHT
    waited: list[float] = field(default_factory=list)  # seconds, for which nobody waits

    def configure(self, more: str = "") -> None:
        self.desk.configure(f"{CONFIG}\n{more}\n{self.tracker.table}")

    def later(self, days: int) -> None:
        self.today += timedelta(days=days)

    def scan(self, **documents: str) -> Report:
        """A day later: what a scan of the company enters into the ledger."""
        self.later(1)
        ledger = Ledger("sqlite:///.cloudscan/ledger.db")
        return Nights(self.desk.folder, ledger, self.album).scan(on=self.today - timedelta(hours=1), **documents)

    def night(self, **documents: str) -> Said:
        """Scan, and hand over."""
        self.scan(**documents)
        return self.hand_over()

    def hand_over(self, *more: str) -> Said:
        return self.desk.run("tickets", *more)


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def office(
    kind: str,
    desk: Desk,
    album: Album,
    empty_ledger: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Office]:
    (desk.folder / ".cloudscan").mkdir(mode=0o700)
    shutil.copy(empty_ledger, desk.folder / ".cloudscan" / "ledger.db")
    tracker = KINDS[kind]()
    with running(tracker.service):
        for name, value in tracker.environment.items():
            monkeypatch.setenv(name, value)
        office = Office(desk, tracker, album)
        tracker.service.now = lambda: office.today
        monkeypatch.setattr("cloudscan.ticketing.asking.time.sleep", office.waited.append)
        office.configure()
        yield office


only = pytest.mark.parametrize
"""``@only("kind", ["github"])``: where one tracker stands for all."""
