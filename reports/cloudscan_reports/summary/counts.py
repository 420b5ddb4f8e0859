"""What a report comes to: the counts and the changes. Shared by the formats for people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cloudscan.facts import Audience
from cloudscan.finding import Finding, Severity, State
from cloudscan.report import Difference, Report
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, number

NEEDING_WORK = (State.OPEN, State.REOPENED)
_ANYONE_ON_THE_INTERNET = (Audience.ANYONE_WITH_LINK, Audience.ANYONE_DISCOVERABLE)


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What differs from the scan that a report is compared with, in one language."""

    title: str
    summary: str  # one sentence with the counts
    resolved: Sequence[Difference]


def needing_work(report: Report) -> Sequence[Finding]:
    """The findings that need work, most urgent first."""
    return [finding for finding in report.findings if finding.state in NEEDING_WORK]


def by_severity(findings: Sequence[Finding]) -> Mapping[Severity, int]:
    """The number of findings of every severity, worst first; a severity without findings has 0."""
    counts = Counter(finding.severity for finding in findings)
    return {severity: counts[severity] for severity in reversed(Severity)}


def open_to_all(findings: Sequence[Finding]) -> int:
    """The number of resources that anyone on the internet can reach; one with several findings counts once."""
    return len(
        {
            finding.verdict.subject.uid
            for finding in findings
            if phrases.audience_of(finding.verdict) in _ANYONE_ON_THE_INTERNET
        }
    )


def changed(report: Report, texts: Texts) -> Changes | None:
    """What changed, in one language; None if there is nothing to compare with."""
    if (changes := report.changes) is None:
        return None
    counts = {kind: number(changes.counts.get(kind, 0)) for kind in ("new", "reopened", "widened", "resolved")}
    return Changes(
        title=texts.say("changes.title", day=texts.day(changes.old.started_on)),
        summary=texts.say("changes.lead", **counts) if changes.differences else texts.say("changes.nothing"),
        resolved=[difference for difference in changes.differences if difference.kind == "resolved"],
    )
