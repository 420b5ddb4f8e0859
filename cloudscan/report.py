"""The report as a value: the only thing that formats and trackers receive."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol

import msgspec

from cloudscan.coverage import Coverage, ScanSummary
from cloudscan.facts import Audience
from cloudscan.finding import Confidence, Finding, RuleText, Severity, State, Verdict, Waiver
from cloudscan.reach import Reach

SCHEMA_VERSION = "2.0"


class RuleSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that was applied, and how it came out."""

    id: str
    version: str  # hash of the rule file
    severity: Severity
    confidence: Confidence
    cause: str
    likelihood: int
    effort: str
    text: Mapping[str, RuleText]
    frameworks: Sequence[str] = ()
    needs: Mapping[str, str] = {}  # by language: which right is missing when the answer is unknown
    flagged: int = 0
    unknown: int = 0
    passed: int = 0


class AudienceCount(msgspec.Struct, frozen=True, kw_only=True):
    """What an audience can get at: places, each counted at its widest, and the resources behind them."""

    places: int
    resources: int


class ScanFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What one scan came to. What an older cloudscan did not count yet is None."""

    findings: Mapping[Severity, int]  # that need work, worst first
    waived: int
    unknown: int  # cases that could not be judged
    score: float  # the sum over the findings that need work
    exposure: Mapping[Audience, AudienceCount]  # widest first
    scopes: Mapping[str, int] | None = None  # by how far they were read
    resources: int | None = None
    requests: int | None = None
    throttles: int | None = None  # answers that asked for a pause


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """A scan in the ledger. `night` is None for one that an older cloudscan entered."""

    id: str
    started_on: datetime
    complete: bool
    finished_on: datetime | None = None  # when reading ended
    figures: ScanFigures | None = None


class DifferenceKind(StrEnum):
    """How a finding differs between two scans, in the order of attention."""

    NEW = "new"
    REOPENED = "reopened"
    WIDENED = "widened"
    WAIVED = "waived"
    RESOLVED = "resolved"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One finding that differs between two scans."""

    kind: DifferenceKind
    fingerprint: str
    rule_id: str
    platform: str
    account: str
    uid: str
    name: str
    severity: Severity | None
    before: Reach | None  # None: it did not stand
    now: Reach | None
    widened: Sequence[str] = ()  # what reaches further: audience, access, resources, bytes, people
    reason: str = ""  # of what is resolved: passed, gone; empty where an older cloudscan entered it


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """Two scans, and all that differs."""

    old: Scan
    new: Scan
    counts: Mapping[str, int]  # by `DifferenceKind`
    differences: Sequence[Difference]


class WaiverStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver as it stands today."""

    waiver: Waiver
    current: bool  # in force, or over while a finding waits for a new decision
    notes: Sequence[str]  # due_soon, overdue, unused, widened; revoked and ended where it is not current
    findings: Sequence[str]  # fingerprints of what stands open under it
    widened: Mapping[str, Sequence[str]]  # fingerprint of what it no longer holds for: what has grown
    revoked_on: datetime | None = None


class EventKind(StrEnum):
    """What happened to a finding."""

    OPENED = "opened"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    WAIVED = "waived"


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change in a finding's life."""

    fingerprint: str
    scan_id: str  # or waiver-N, where a decision and not a scan was the cause
    on: datetime
    kind: EventKind
    waiver: int | None = None  # that holds from now on, or that ended
    reason: str = ""  # why it was resolved: passed, gone; why a waiver ended: expired, revoked, widened


class TimeOpen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much has stood open for how long: half the damage of a link is how long it stood."""

    days: float
    resource_days: float  # resources behind it × days, each stretch of time with what lay behind it then
    person_days: float | None = None  # the same for the people that it lets in by name, where they are counted


class TicketLink(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A ticket that stands for a finding, alone or with others, as the ledger remembers it."""

    tracker: str  # as the configuration calls it
    key: str  # OPS-12
    open: bool
    as_of: datetime  # when cloudscan last wrote into it
    url: str = ""  # of https, or empty


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was scanned, what was found in the order of work, what could not be told."""

    schema: str = SCHEMA_VERSION
    tool: str  # "cloudscan 0.1.0"
    generated_on: datetime
    organisation: str
    scan: ScanSummary
    rules: Sequence[RuleSummary]
    findings: Sequence[Finding]  # highest score first
    unknowns: Sequence[Verdict]  # not evaluated, and why
    coverage: Sequence[Coverage]  # one row per scope and table that is not complete, complete ones summed per account
    trend: Sequence[Scan] = ()  # the nights so far, the oldest first
    changes: Diff | None = None  # against the last complete scan of the week before, or else the scan before
    events: Sequence[Event] = ()  # what befell the findings above, in order
    time_open: Mapping[str, TimeOpen] = {}  # by fingerprint, of the findings above
    waivers: Sequence[WaiverStatus] = ()  # that count today, the first to end first
    tickets: Mapping[str, Sequence[TicketLink]] = {}  # by fingerprint, of the findings above


class NoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a format without options takes."""


@dataclass(frozen=True, kw_only=True)
class ReportFormat:
    """What the entry point group `cloudscan.reports` resolves to: one way to write a report down."""

    name: str  # as in ``--format html``
    title: str
    suffix: str  # of the file, with the dot
    write: Callable[[Report, str], str | bytes]  # (report, language) to the whole file; bytes where it is no text
    show: "Show | None" = None  # the same for a terminal, where the format has a way to show itself there
    options: type[msgspec.Struct] = NoOptions  # the keys of ``[reports.<name>]``
    using: "Callable[[Any], ReportFormat] | None" = None  # the same format with such options


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What hand-outs say that no scan can know: whom to ask, and how many days there are to put something right."""

    contact: str = ""
    days: Mapping[Severity, int]


@dataclass(frozen=True, kw_only=True)
class HandoutFormat:
    """What the entry point group `cloudscan.handouts` resolves to: one way to write down a page an owner."""

    name: str  # as in ``--format html``
    title: str
    suffix: str
    write: Callable[
        [Report, str, Terms], Iterable[tuple[str, str | bytes]]
    ]  # file names, safe everywhere, and contents


class Show(Protocol):
    """A report for a terminal: in colour or not, for so many columns."""

    def __call__(self, report: Report, lang: str, /, *, colour: bool, width: int) -> str: ...


DIFFERENCE_KINDS: Final = tuple(DifferenceKind)


def figures_of(report: Report) -> ScanFigures:
    """What a report comes to, in numbers."""
    work = [finding for finding in report.findings if finding.state is not State.WAIVED]
    widest: dict[str, tuple[Audience, int]] = {}
    for finding in work:
        verdict = finding.verdict
        audience = _effective_audience(verdict)
        place = verdict.subject.uid or finding.fingerprint
        if audience is not None:
            before = widest.get(place, (audience, 0))
            widest[place] = (max(audience, before[0]), max(verdict.resources, before[1]))
    audiences = {audience for audience, _ in widest.values()}
    return ScanFigures(
        findings={
            severity: sum(finding.severity is severity for finding in work) for severity in reversed(list(Severity))
        },
        waived=len(report.findings) - len(work),
        unknown=len(report.unknowns),
        score=round(sum(finding.score for finding in work), 1),
        exposure={
            audience: AudienceCount(
                places=sum(each is audience for each, _ in widest.values()),
                resources=sum(resources for each, resources in widest.values() if each is audience),
            )
            for audience in sorted(audiences, reverse=True)
        },
        scopes=report.scan.scopes,
        resources=sum(report.scan.resources.values()),
        requests=report.scan.requests,
        throttles=report.scan.throttles,
    )


def _effective_audience(verdict: Verdict) -> Audience | None:
    """Whom a finding lets in as things are; None where it is not about access or every way in stands behind a block."""
    rows = [piece.row for piece in verdict.evidence]
    return None if rows and all(row.get("blocked_by") for row in rows) else verdict.audience
