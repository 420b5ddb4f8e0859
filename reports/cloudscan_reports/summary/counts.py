"""What a report comes to: the counts and the changes. Shared by the formats for people."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cloudscan.facts import Audience
from cloudscan.finding import Finding, Severity, State
from cloudscan.report import Diff, Difference, DifferenceKind, Report
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, number

NEEDING_WORK = (State.OPEN, State.REOPENED)
_ANYONE_ON_THE_INTERNET = (Audience.ANYONE_WITH_LINK, Audience.ANYONE_DISCOVERABLE)


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What differs from the scan that a report is compared with, in one language."""

    title: str
    summary: str  # the counts, in a sentence or two
    resolved: Sequence[Difference]
    rejudged: Sequence[Difference]  # that only the judgement made or unmade


def needing_work(report: Report) -> Sequence[Finding]:
    """The findings that need work, most urgent first."""
    return [finding for finding in report.findings if finding.state in NEEDING_WORK]


class Graded(Protocol):
    """What has a severity: a finding, a fix."""

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        ...


def by_severity(some: Iterable[Graded]) -> Mapping[Severity, int]:
    """How many there are of every severity, worst first, zeros included."""
    counts = Counter(one.severity for one in some)
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
    lead = texts.say("changes.lead", **counts) if changes.differences else texts.say("changes.nothing")
    return Changes(
        title=texts.say("changes.title", day=texts.day(changes.old.started_on)),
        summary=phrases.sentences([lead, *on_judgement(changes, texts)], texts.lang),
        resolved=_of_kind(changes, DifferenceKind.RESOLVED),
        rejudged=_of_kind(changes, DifferenceKind.REJUDGED),
    )


def direction(difference: Difference, texts: Texts) -> str:
    """Which way something is judged differently: found, no longer found, or reaching further."""
    if difference.now is None:
        return texts.say("changes.not_found")
    return texts.say("changes.found" if difference.before is None else "changes.reaches")


def _of_kind(changes: Diff, kind: DifferenceKind) -> Sequence[Difference]:
    return [difference for difference in changes.differences if difference.kind is kind]


def on_judgement(changes: Diff, texts: Texts) -> Iterator[str]:
    """How many differences only the judgement made, and how many perhaps; the latest of several days is named."""
    rejudged = [one.rejudged for one in changes.differences if one.rejudged]
    for key, of in (("changes.rejudged", True), ("changes.unclear", False)):
        some = [one for one in rejudged if one.changed_by.is_judgement is of]
        if some:
            latest = max(some, key=lambda one: one.on)
            yield texts.count(key, len(some), since=phrases.judged_since(texts, latest))
