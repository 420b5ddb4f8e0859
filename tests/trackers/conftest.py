"""A company on disk that is scanned for real, and a tracker of each kind in a local server."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.cli.conftest import CONFIG, Desk, Said, desk
from tests.trackers.desk import Emulated
from tests.trackers.github import GitHub
from tests.trackers.server import running

__all__ = ["desk"]

KINDS = {"github": GitHub}


@dataclass
class Office:
    """The desk, and the tracker that its configuration names."""

    desk: Desk
    tracker: Emulated

    def configure(self, more: str = "") -> None:
        self.desk.configure(f'{CONFIG}\n[tickets]\nmin_severity = "low"\n{more}\n{self.tracker.table}')

    def night(self, **documents: str) -> Said:
        """Scan the company as it is now, and hand over."""
        self.desk.shelve(**documents)
        self.desk.run("scan")
        return self.hand_over()

    def hand_over(self, *more: str) -> Said:
        return self.desk.run("tickets", "--debug", *more)


@pytest.fixture(params=sorted(KINDS))
def office(request: pytest.FixtureRequest, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:  # noqa: F811
    with ExitStack() as open_:
        tracker = KINDS[request.param]()
        open_.enter_context(running(tracker.service))
        for name, value in tracker.environment.items():
            monkeypatch.setenv(name, value)
        office = Office(desk, tracker)
        office.configure()
        yield office
