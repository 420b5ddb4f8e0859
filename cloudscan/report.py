"""The report as a value: all that formats and trackers receive."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, Protocol

import msgspec

from cloudscan.checklist import Checklist, DepartureFigures, Occasion
from cloudscan.coverage import Coverage, ScanSummary
from cloudscan.days import UTC_NAME, Calendar, days_to_fix
from cloudscan.errors import ConfigurationError
from cloudscan.facts import Audience
from cloudscan.finding import Confidence, Finding, RuleText, Severity, State, Verdict, Waiver
from cloudscan.fix import key_of
from cloudscan.framework import FrameworkResult
from cloudscan.reach import Reach
from cloudscan.second_opinion import SecondOpinions
from cloudscan.sentence import say

SCHEMA_VERSION = "3.5"


class RuleSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that was applied, and its counts."""

    id: str
    version: str  # hash of the rule file
    severity: Severity
    confidence: Confidence
    cause: str
    likelihood: int
    effort: str
    text: Mapping[str, RuleText]
    frameworks: Sequence[str] = ()
    flagged: int = 0
    unknown: int = 0
    passed: int = 0


class AudienceCount(msgspec.Struct, frozen=True, kw_only=True):
    """What an audience can reach: subjects of findings, each counted at its widest, and the resources behind them."""

    subjects: int
    resources: int


class GapState(StrEnum):
    """What is known about a missing answer, in the order of attention."""

    NEW = "new"  # it was not missing lately
    KNOWN = "known"  # it was missing in an earlier scan too
    WAIVED = "waived"  # somebody accepted it


class GapStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger knows about a missing answer (`Coverage.gap`)."""

    first_seen_on: datetime  # the first scan without the answer, of those in a row
    new: bool  # no scan of the week before lacked it
    waiver: Waiver | None = None  # the one in force

    @property
    def state(self) -> GapState:
        """The status in one word."""
        return GapState.WAIVED if self.waiver else GapState.NEW if self.new else GapState.KNOWN


class ChangedBy(StrEnum):
    """What made a finding appear, vanish or reach further from one scan to the next."""

    ESTATE = "estate"  # the clouds, or time
    RULE = "rule"  # judged differently: the rule is new, or was changed
    CONFIGURATION = "configuration"  # judged differently: parameters of the rule, or who we are and what is read
    VERSION = "version"  # judged differently: cloudscan makes other facts of the same answers
    UNCLEAR = "unclear"  # it is judged by something else than before, and the estate may have changed too

    @property
    def is_judgement(self) -> bool:
        """Whether the estate is known not to have changed in this."""
        return self in (ChangedBy.RULE, ChangedBy.CONFIGURATION, ChangedBy.VERSION)


class Rejudged(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Since when something is judged by something else than before, and whether that is why it changed."""

    changed_by: ChangedBy  # never the estate
    on: datetime  # the first scan that was judged like this
    version: str = ""  # of cloudscan, if that scan was the first of a new version


class PlatformFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one scan on one platform."""

    findings: Mapping[Severity, int]  # that need work, worst first
    fixes: int  # changes that close them
    score: float  # the sum over the findings that need work


class ScanFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one scan. What an older cloudscan did not count is None."""

    findings: Mapping[Severity, int]  # that need work, worst first
    waived: int
    unknown: int  # cases that could not be evaluated
    score: float  # the sum over the findings that need work
    exposure: Mapping[Audience, AudienceCount]  # widest first
    scopes: Mapping[str, int] | None = None  # by outcome
    resources: int | None = None
    requests: int | None = None
    throttles: int | None = None  # responses that asked for fewer requests
    gaps: Mapping[GapState, int] | None = None  # answers that are missing, by what is known about them
    version: str = ""  # of the cloudscan that judged it; empty: an older one
    basis_changes: Sequence[ChangedBy] = ()  # what it was judged by that differs from the scan before
    rejudged: int | None = None  # findings that appeared, vanished or reach further only because of that
    by_platform: Mapping[str, PlatformFigures] | None = None  # of the platforms of which something was read


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """A scan in the ledger. `figures` is None for one that an older cloudscan recorded."""

    id: str
    started_on: datetime
    complete: bool  # but for waived gaps
    finished_on: datetime | None = None  # when reading ended
    figures: ScanFigures | None = None


class WhyIncomparable(StrEnum):
    """Why no figure of today can be compared with one of an earlier scan."""

    NOTHING_READ = "nothing_read"
    PARTLY_READ = "partly_read"  # too much is missing
    NOT_COUNTED = "not_counted"  # an older cloudscan did not count by platform
    OTHER_PLATFORMS = "other_platforms"  # none of today's was read then


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Today against an earlier scan: only the platforms that both read, only what the estate changed."""

    old: Scan
    days: float  # between the two
    asked_days: int  # how many days ago were asked for, 30 or 90; 0: the first scan that can be compared
    why_not: WhyIncomparable | None = None  # None: they can be compared; else all below is empty
    platforms: Sequence[str] = ()  # that both read
    added: Sequence[str] = ()  # read only today
    removed: Sequence[str] = ()  # read only then
    score_before: float = 0.0
    score_now: float = 0.0
    new: int = 0  # findings since: what the estate changed
    reopened: int = 0
    resolved: int = 0
    rejudged: int = 0  # what only the judgement changed, or perhaps

    @property
    def net_per_week(self) -> float:
        """How many more findings there are each week: new and back, less resolved."""
        return (self.new + self.reopened - self.resolved) * 7 / self.days if self.days else 0.0


class DifferenceKind(StrEnum):
    """How a finding differs between two scans, in the order of attention."""

    NEW = "new"
    REOPENED = "reopened"
    WIDENED = "widened"
    REJUDGED = "rejudged"  # new, reopened, widened or resolved, but only because it is judged differently
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
    before: Reach | None  # None: it was not open
    now: Reach | None
    widened: Sequence[str] = ()  # what reaches further: audience, access, resources, bytes, people
    reason: str = ""  # of a resolved finding: passed, gone; empty if an older cloudscan recorded it
    rejudged: Rejudged | None = None  # None: the estate changed


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """Two scans, and everything that differs."""

    old: Scan
    new: Scan
    counts: Mapping[str, int]  # by `DifferenceKind`
    differences: Sequence[Difference]


class ReviewDecision(StrEnum):
    """What a review decided about a waiver, or about an entry of an allow-list."""

    KEEP = "keep"
    END = "end"
    SHORTEN = "shorten"


class WaiverReview(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody looked at a waiver again, and decided."""

    decision: ReviewDecision
    by: str
    reason: str
    on: datetime
    until: date | None = None  # the new last day, where it was shortened


class WaiverStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver and its status today."""

    waiver: Waiver
    current: bool  # in force, or expired while a finding waits for a new decision
    notes: Sequence[str]  # due_soon, overdue, unused, widened; revoked and ended if it is not current
    findings: Sequence[str]  # fingerprints of the open findings that it covers; empty for a waiver of a gap
    widened: Mapping[str, Sequence[str]]  # by fingerprint of a finding that it no longer covers: what is wider
    revoked_on: datetime | None = None
    renewals: int = 0  # how often the same was waived before, each time at most a month after the last end
    reviews: Sequence[WaiverReview] = ()  # in order


class EventKind(StrEnum):
    """What happened to a finding."""

    OPENED = "opened"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    WAIVED = "waived"


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A change in a finding's life."""

    fingerprint: str
    scan_id: str  # or waiver-N, if a decision and not a scan was the cause
    on: datetime
    kind: EventKind
    waiver: int | None = None  # id of the waiver in force from now on, or of the one that ended
    reason: str = ""  # why it was resolved: passed, gone; why a waiver ended: expired, revoked, widened
    rejudged: Rejudged | None = None  # None: the estate changed, or somebody decided


class TimeOpen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """How much has been open for how long: duration matters as much as audience."""

    days: float
    resource_days: float  # resources × days, each period with its own resources
    person_days: float | None = None  # people admitted by name × days; None if they are not counted


class TicketLink(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A ticket about a finding, or about several, as the ledger remembers it."""

    tracker: str  # its name in the configuration
    key: str  # OPS-12
    open: bool
    as_of: datetime  # when cloudscan last wrote to it
    url: str = ""  # https, or empty


class ContractState(StrEnum):
    """Where a partner's contract stands on the day of the scan."""

    UPCOMING = "upcoming"  # not begun
    RUNNING = "running"  # with an end
    RENEWING = "renewing"  # goes on by itself
    OPEN_ENDED = "open_ended"  # the register names no end
    ENDED = "ended"


class PartnerSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A contract with a partner, and what the partner has. Names nobody of the partner's."""

    uid: str
    name: str
    owner: str  # who is responsible here: an address, or a department
    deputy: str
    owner_is_here: bool | None  # one of the two works here; None: not known
    purpose: str
    contract: str  # its number
    personal_data: bool  # personal data is entrusted
    state: ContractState
    starts_on: date | None  # the first day; None: the register does not say
    ends_on: date | None  # the last day, or that before the contract renews itself; None: the register does not say
    people: int  # their people who are known, each once
    others: int  # their accounts, groups, applications and domains
    resources: int  # that they can reach
    places: int  # where that was given to them
    platforms: Sequence[str]  # of these
    since: datetime | None = None  # the first grant that is known; None: no platform says
    last_seen_on: datetime | None = None  # when one of them was last active; None: not known
    findings: Sequence[str] = ()  # fingerprints of what is found about them


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was scanned, the findings with the most urgent first, and what could not be evaluated."""

    schema: str = SCHEMA_VERSION
    tool: str  # "cloudscan 0.1.0"
    generated_on: datetime
    organisation: str
    scan: ScanSummary
    rules: Sequence[RuleSummary]
    findings: Sequence[Finding]  # highest score first
    unknowns: Sequence[Verdict]  # not evaluated, and why
    coverage: Sequence[Coverage]  # one row per scope and table that is not complete, complete ones summed per account
    trend: Sequence[Scan] = ()  # the scans so far, the oldest first
    changes: Diff | None = None  # since the last complete scan of the week before, or else the scan before
    events: Sequence[Event] = ()  # of the findings above, in order
    time_open: Mapping[str, TimeOpen] = {}  # by fingerprint, of the findings above
    waivers: Sequence[WaiverStatus] = ()  # the current ones, the first to end first
    tickets: Mapping[str, Sequence[TicketLink]] = {}  # by fingerprint, of the findings above
    gaps: Mapping[str, GapStatus] = {}  # by `Coverage.gap`, of the rows above
    frameworks: Sequence[FrameworkResult] = ()  # control by control
    partners: Sequence[PartnerSummary] = ()  # of the register, by name
    comparisons: Sequence[Comparison] = ()  # with 30 and with 90 days ago, or the first scan of a young ledger
    timezone: str = UTC_NAME  # the organisation's: days and times for people are shown in it
    deadlines: Mapping[Severity, int] = {}  # days to fix a finding, from the day it was first seen; empty: none
    rank_deadlines: Mapping[int, Mapping[Severity, int]] = {}  # what is otherwise for resources of a rank
    departures: DepartureFigures | None = None  # how fast access ends when people leave; None: nobody left
    opinions: SecondOpinions | None = None  # what another program says of who gets in; None: none was had
    only: Sequence[str] = ()  # what it is restricted to: department=営業部; empty: it is about the whole estate

    @property
    def complete(self) -> bool:
        """Whether all in scope was read, but for gaps that are waived. A scan that read nothing is not complete."""
        return bool(self.scan.resources) and not any(
            row.outcome.is_gap and self.gap_state(row) is not GapState.WAIVED for row in self.coverage
        )

    @property
    def calendar(self) -> Calendar:
        """The organisation's days and deadlines."""
        return Calendar(timezone=self.timezone, deadlines=self.deadlines, rank_deadlines=self.rank_deadlines)

    def gap_state(self, row: Coverage) -> GapState:
        """What is known about the gap in a row of coverage."""
        status = self.gaps.get(row.gap)
        return status.state if status else GapState.NEW


class NoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of a format that has none."""


Written = str | bytes | Iterable[str | bytes]
"""What a format gives: the whole file, as text or, if it is binary, as bytes; or its text piece by piece, as such or in
UTF-8.
"""


@dataclass(frozen=True, kw_only=True)
class ReportFormat:
    """What the entry point group `cloudscan.reports` resolves to: one format of the report."""

    name: str  # as in ``--format html``
    title: str
    suffix: str  # of the file, with the dot
    write: Callable[[Report, str], Written]  # (report, language); in pieces where it may become large
    show: "Show | None" = None  # the same for a terminal, if the format supports one
    options: type[msgspec.Struct] = NoOptions  # the keys of ``[reports.<name>]``
    using: "Callable[[Any], ReportFormat] | None" = None  # the format with these options
    packages: Sequence[str] = ()  # of others, as they are imported, without which `write` fails
    schema: Callable[[], str] | None = None  # the JSON Schema of what it writes, if there is one
    omitted: Callable[[Report], str] | None = (
        None  # what its file lacks, said to the person who asked; empty if nothing
    )


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What hand-outs and tickets say that no scan can know."""

    contact: str = ""  # whom to ask
    days: Mapping[Severity, int]  # to fix a finding, from the day it was first seen
    rank_days: Mapping[int, Mapping[Severity, int]] = field(default_factory=dict)  # what is otherwise for a rank
    domains: Collection[str] = ()  # of our mail, in lower case
    waiver_days: int = 180  # the longest a waiver may last

    def days_for(self, finding: Finding) -> int:
        """How many days there are to fix a finding, from the day it was first seen."""
        own = days_to_fix(finding, self.days, self.rank_days)
        return self.days[finding.severity] if own is None else own


@dataclass(frozen=True, kw_only=True)
class HandoutFormat:
    """What the entry point group `cloudscan.handouts` resolves to: one format of the pages per owner."""

    name: str  # as in ``--format html``
    title: str
    suffix: str
    write: Callable[
        [Report, str, Terms], Iterable[tuple[str, str | bytes]]
    ]  # file names, valid on every system, and contents
    checklists: Callable[[Sequence[Checklist], Occasion, str], Iterable[tuple[str, str | bytes]]] | None = (
        None  # the same of people who leave or moved, a page each, if the format has such pages
    )


class Show(Protocol):
    """Writes a report for a terminal, in colour or not; `width` is its number of columns."""

    def __call__(self, report: Report, lang: str, /, *, colour: bool, width: int) -> str:
        """The whole text, ending with a newline. `lang` is ``en`` or ``ja``."""
        ...


DIFFERENCE_KINDS: Final = tuple(DifferenceKind)


def pieces(written: Written) -> Iterator[bytes]:
    """What a format gave, as it is in a file: text in UTF-8, what that cannot carry written out as an escape.

    Raises `ConfigurationError` for what is neither text nor bytes, nor pieces of them.
    """
    for piece in [written] if isinstance(written, str | bytes) or not isinstance(written, Iterable) else written:
        match piece:
            case str():
                yield piece.encode("utf-8", "backslashreplace")
            case bytes():
                yield piece
            case _:
                raise ConfigurationError(
                    say(
                        "The format wrote a {kind} where text or bytes belong; ask who made it for a version that "
                        "fits this cloudscan.",
                        kind=type(piece).__name__,
                    )
                )


def figures_of(report: Report) -> ScanFigures:
    """The figures of a report."""
    work = [finding for finding in report.findings if finding.state is not State.WAIVED]
    widest: dict[str, tuple[Audience, int]] = {}
    for finding in work:
        verdict = finding.verdict
        audience = _effective_audience(verdict)
        if audience is not None:
            subject = verdict.subject.uid or finding.fingerprint
            before, resources = widest.get(subject, (audience, 0))
            wider = audience if audience.rung > before.rung else before
            widest[subject] = (wider, max(verdict.resources, resources))
    exposure: dict[Audience, AudienceCount] = {}
    for audience in sorted({audience for audience, _ in widest.values()}, reverse=True):
        behind = [resources for own, resources in widest.values() if own is audience]
        exposure[audience] = AudienceCount(subjects=len(behind), resources=sum(behind))
    return ScanFigures(
        findings=_by_severity(work),
        waived=len(report.findings) - len(work),
        unknown=len(report.unknowns),
        score=round(sum(finding.score for finding in work), 1),
        exposure=exposure,
        scopes=report.scan.scopes,
        resources=sum(report.scan.resources.values()),
        requests=report.scan.requests,
        throttles=report.scan.throttles,
        gaps=gap_counts(report),
        by_platform=_by_platform(report, work),
    )


def _by_severity(findings: Sequence[Finding]) -> Mapping[Severity, int]:
    counted = Counter(finding.severity.value for finding in findings)
    return {severity: counted[severity.value] for severity in reversed(list(Severity))}


def _by_platform(report: Report, work: Sequence[Finding]) -> Mapping[str, PlatformFigures]:
    read = {one.platform for one in report.scan.read if one.whole + one.partly}
    findings = {
        platform: [finding for finding in work if finding.verdict.subject.platform == platform]
        for platform in sorted(read | {finding.verdict.subject.platform for finding in work})
    }
    return {
        platform: PlatformFigures(
            findings=_by_severity(some),
            fixes=len({key_of(finding) for finding in some}),
            score=round(sum(finding.score for finding in some), 1),
        )
        for platform, some in findings.items()
    }


def opened_by_judgement(report: Report) -> dict[str, Rejudged]:
    """Since when findings are judged to be some, by fingerprint, where only the judgement changed, or perhaps."""
    seen = (EventKind.OPENED, EventKind.REOPENED)
    last = {one.fingerprint: one.rejudged for one in report.events if one.kind in seen and one.waiver is None}
    return {fingerprint: rejudged for fingerprint, rejudged in last.items() if rejudged}


def gap_counts(report: Report) -> dict[GapState, int]:
    """How many answers are missing, by what is known about them; zeros included."""
    states = {row.gap or row.scope_uid: report.gap_state(row) for row in report.coverage if row.outcome.is_gap}
    return {state: sum(own is state for own in states.values()) for state in GapState}


def _effective_audience(verdict: Verdict) -> Audience | None:
    """The audience that really has access; None if the finding is not about access or every grant is blocked."""
    rows = [piece.row for piece in verdict.evidence]
    return None if rows and all(row.get("blocked_by") for row in rows) else verdict.audience
