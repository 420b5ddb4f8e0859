"""What people hear after a scan: only what changed, never what a file holds.

The records and the door for whatever carries the message (entry point group `cloudscan.notifiers`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec

from cloudscan.facts import Outcome
from cloudscan.finding import Finding, Severity, State
from cloudscan.report import Diff, Difference, Report

SPOKEN_OF = ("new", "reopened", "widened")


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What changed between two scans, as far as people want to hear of it."""

    organisation: str
    scanned_on: datetime
    findings: Sequence[tuple[str, Finding]]  # how it changed (new, reopened, widened), and what stands now; worst first
    counts: dict[str, int]  # new, reopened, widened, resolved; zeros too
    standing: int  # that need work after the scan
    unread: int  # scopes and tables that could not be read completely
    report: Report

    @property
    def quiet(self) -> bool:
        """Whether nothing happened that anyone has to hear of."""
        return not any(self.counts.values()) and not self.unread


def notice(report: Report, diff: Diff | None, min_severity: Severity) -> Notice:
    """What to tell of the last scan. Without a diff it was the first: all that stands is new."""
    findings = {
        each.fingerprint: each
        for each in report.findings
        if each.state is not State.WAIVED and each.severity >= min_severity
    }
    kinds: dict[str, str] = dict.fromkeys(findings, "new")
    resolved = 0
    if diff:
        told = [each for each in diff.differences if _told(each, min_severity)]
        kinds = {each.fingerprint: each.kind for each in told if each.kind in SPOKEN_OF}
        resolved = sum(each.kind == "resolved" for each in told)
    changed = [(kinds[name], finding) for name, finding in findings.items() if name in kinds]
    counts = {kind: sum(each == kind for each, _ in changed) for kind in SPOKEN_OF}
    return Notice(
        organisation=report.organisation,
        scanned_on=report.scan.started_on,
        findings=changed,
        counts={**counts, "resolved": resolved},
        standing=len(findings),
        unread=sum(row.outcome in (Outcome.PARTIAL, Outcome.DENIED, Outcome.FAILED) for row in report.coverage),
        report=report,
    )


def _told(difference: Difference, min_severity: Severity) -> bool:
    return difference.severity is None or difference.severity >= min_severity


class Notifier(Protocol):
    """Where notices go: title and text for each address are worded by it."""

    def addresses(self) -> Sequence[str]:
        """Where to, without what is secret in an address."""
        ...

    def words(self, notice: Notice, lang: str) -> tuple[str, str]:
        """Title and text, as they are sent."""
        ...

    def send(self, title: str, text: str) -> Sequence[str]:
        """Send it; gives the addresses that did not take it."""
        ...


@dataclass(frozen=True, kw_only=True)
class NotifierPlugin:
    """What the entry point group `cloudscan.notifiers` resolves to."""

    name: str
    title: str
    open: Callable[[str, str, Sequence[str]], Notifier]  # (addresses, configuration file, tags)
