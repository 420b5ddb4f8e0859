"""Notifications after a scan: only what changed, never what a file contains.

The records, and the door for whatever delivers them (entry point group `cloudscan.notifiers`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec

from cloudscan.finding import Finding, Severity, State
from cloudscan.report import Diff, Difference, GapState, Rejudged, Report, gap_counts

SPOKEN_OF = ("new", "reopened", "widened", "rejudged")


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What changed between two scans, as far as it is worth a notification."""

    organisation: str
    scanned_on: datetime
    findings: Sequence[tuple[str, Finding]]  # how it changed (`SPOKEN_OF`), and the finding now; worst first
    counts: dict[str, int]  # by `SPOKEN_OF`, and resolved; zeros included
    standing: int  # findings that need work after the scan
    unread: int  # answers that are missing and were not missing before
    report: Report
    rejudged: Mapping[str, Rejudged] = {}  # by fingerprint: where only the judgement changed, or perhaps

    @property
    def quiet(self) -> bool:
        """Whether nothing happened that anyone has to know."""
        return not any(self.counts.values()) and not self.unread


def notice(report: Report, diff: Diff | None, min_severity: Severity) -> Notice:
    """The notice about the last scan. Without a diff it was the first one: every finding is new."""
    findings = {
        finding.fingerprint: finding
        for finding in report.findings
        if finding.state is not State.WAIVED and finding.severity >= min_severity
    }
    kinds: dict[str, str] = dict.fromkeys(findings, "new")
    rejudged: dict[str, Rejudged] = {}
    resolved = unmade = 0
    if diff:
        differences = [difference for difference in diff.differences if _is_severe(difference, min_severity)]
        kinds = {difference.fingerprint: difference.kind for difference in differences if difference.kind in SPOKEN_OF}
        rejudged = {difference.fingerprint: difference.rejudged for difference in differences if difference.rejudged}
        unmade = sum(difference.kind == "rejudged" and difference.now is None for difference in differences)
        resolved = sum(difference.kind == "resolved" for difference in differences)
    changed = [(kinds[fingerprint], finding) for fingerprint, finding in findings.items() if fingerprint in kinds]
    counts = {kind: sum(change == kind for change, _ in changed) for kind in SPOKEN_OF}
    return Notice(
        organisation=report.organisation,
        scanned_on=report.scan.started_on,
        findings=changed,
        counts={**counts, "rejudged": counts["rejudged"] + unmade, "resolved": resolved},
        standing=len(findings),
        unread=gap_counts(report)[GapState.NEW],
        report=report,
        rejudged=rejudged,
    )


def _is_severe(difference: Difference, min_severity: Severity) -> bool:
    return difference.severity is None or difference.severity >= min_severity


class Notifier(Protocol):
    """A way to deliver notices, and their wording."""

    def addresses(self) -> Sequence[str]:
        """The addresses, without the secrets in them."""
        ...

    def words(self, notice: Notice, lang: str) -> tuple[str, str]:
        """Title and text in a language (`en`, `ja`), as they are sent."""
        ...

    def send(self, title: str, text: str) -> Sequence[str]:
        """Send a message; returns the addresses that rejected it."""
        ...


@dataclass(frozen=True, kw_only=True)
class NotifierPlugin:
    """What the entry point group `cloudscan.notifiers` resolves to."""

    name: str
    title: str
    open: Callable[[str, str, Sequence[str]], Notifier]  # (addresses, configuration file, tags)
