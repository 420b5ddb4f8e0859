"""Nights of one company: the undisturbed ones, those with one spoilt question, and what must be alike."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

from cloudscan.coverage import Coverage
from cloudscan.engine.rule_file import Rule
from cloudscan.ledger.ledger import Ledger
from cloudscan.nightly.scan import run_nightly
from cloudscan.report import EventKind, Report
from cloudscan.snapshot.collect import CollectOptions
from tests.campaign.companies import HASTY, Company

FIRST_NIGHT: Final = datetime(2026, 6, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a finding stands."""

    state: str
    verified: bool


@dataclass(frozen=True, kw_only=True)
class Night:
    """What one night left in the ledger."""

    standing: Mapping[str, Standing]  # of what is open, by fingerprint
    opened: frozenset[str]  # fingerprints that were opened or reopened that night
    resolved: frozenset[str]
    gaps: Sequence[Coverage]
    report: Report

    def about(self, uid: str) -> frozenset[str]:
        """The fingerprints of the open findings about something."""
        findings = self.report.findings
        return frozenset(finding.fingerprint for finding in findings if finding.verdict.subject.uid == uid)


@dataclass
class Nights:
    """A folder with snapshots and a ledger, night after night."""

    company: Company
    rules: Sequence[Rule]
    folder: Path
    night: int = 0
    events: int = field(default=0)

    def next(self) -> Night:
        """Scan the company once more, a day later."""
        moment = FIRST_NIGHT + timedelta(days=self.night)
        self.night += 1
        ledger = Ledger(f"sqlite:///{self.folder / 'ledger.db'}")
        before = ledger.events()
        report = run_nightly(
            [self.company.connect()],
            self.rules,
            snapshots=self.folder / "snapshots",
            ledger=ledger,
            publish=lambda _: None,
            now=moment,
            options=CollectOptions(concurrency=4, patience=HASTY, clock=lambda: moment),
        )
        new = ledger.events()[len(before) :]
        return Night(
            standing={
                finding.fingerprint: Standing(
                    state=str(finding.state).replace("reopened", "open"), verified=finding.verified
                )
                for finding in report.findings
            },
            opened=frozenset(
                event.fingerprint for event in new if event.kind in (EventKind.OPENED, EventKind.REOPENED)
            ),
            resolved=frozenset(event.fingerprint for event in new if event.kind is EventKind.RESOLVED),
            gaps=[row for row in report.coverage if row.outcome.is_gap],
            report=report,
        )

    def copied(self, folder: Path) -> "Nights":
        """The same past, in another folder."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Nights(self.company, self.rules, folder, self.night)


@dataclass(kw_only=True)
class Undisturbed:
    """What the same company comes to where every question is answered."""

    past: Nights  # after the first night
    second: Night  # something was deleted before it
    deleted: frozenset[str]  # the findings about what was deleted
    answers: int  # to the requests of the second night
    course: Nights  # after the second night

    @cached_property
    def third(self) -> Night:
        """The night after, in which nothing has changed."""
        return self.course.next()

    @cached_property
    def alone(self) -> Night:
        """A first night, after the deletion."""
        fresh = Nights(self.past.company, self.past.rules, self.past.folder.with_name("alone"))
        fresh.folder.mkdir()
        return fresh.next()


def undisturbed(company: Company, rules: Sequence[Rule], folder: Path) -> Undisturbed:
    """Two nights of a company; what else is needed is made when it is first asked for."""
    past = Nights(company, rules, folder / "past")
    past.folder.mkdir()
    first = past.next()
    gone = first.about(company.delete())
    assert gone, "what is deleted has no finding"
    course = past.copied(folder / "course")
    company.proxy.lines.clear()
    second = course.next()
    return Undisturbed(past=past, second=second, deleted=gone, answers=len(company.proxy.lines), course=course)
