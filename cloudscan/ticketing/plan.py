"""What to write into the trackers. Pure functions.

A report, the trackers' existing tickets and what is remembered go in; a list of actions comes out, which
`cloudscan.ticketing.deliver` carries out one by one and ``--dry-run`` prints.

A ticket is open as long as its subject needs work (`cloudscan.ticketing.subjects`). It is recognised by its marker, so
that neither a second run nor a lost ledger creates a duplicate; if there are two all the same, the older one stays. A
ticket that was written about a part of its subject, or about more, is adopted: rewritten, and nothing else.

===========  =================================================  =============================================
the ticket   its subject, since the ticket was last written     actions
===========  =================================================  =============================================
none         needs work                                         create
open         widened                                            comment "widened", update
open         seen again, no comment for `remind_days`           comment "still", update
open         reads differently, or has a renamed marker         update
open         waived                                             comment "waived", close
open         resolved: its rules ran, its accounts were read    comment "resolved", close
closed       seen again by a scan that began after closing      comment "reopened", reopen, update
closed       the same, and widened                              "reopened", reopen, comment "widened", update
any          anything else                                      none
===========  =================================================  =============================================
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum, StrEnum, auto
from functools import cached_property
from typing import Final

import msgspec

from cloudscan.days import day_of
from cloudscan.finding import Finding, Severity
from cloudscan.report import ChangedBy, Difference, Rejudged, Report, Terms, TicketLink
from cloudscan.text import openable
from cloudscan.ticketing import marker_line
from cloudscan.ticketing.marker_line import MarkerLine
from cloudscan.ticketing.policy import Policy
from cloudscan.ticketing.renames import Renames
from cloudscan.ticketing.routing import Route
from cloudscan.ticketing.subjects import Job, Match, assigned, fallback_of, jobs_of, markers_of, matches_of, names_of
from cloudscan.tracker import (
    LABEL,
    CommentContent,
    CommentReason,
    ExistingTicket,
    Ticket,
    TicketPhase,
    TicketRecord,
    TicketSubject,
    Wording,
)

_NO_RENAMES: Final = Renames()


class ActionKind(StrEnum):
    """What is done in a tracker."""

    CREATE = "create"
    UPDATE = "update"
    COMMENT = "comment"
    CLOSE = "close"
    REOPEN = "reopen"


class Action(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to do in a tracker."""

    kind: ActionKind
    tracker: str
    marker: str
    key: str = ""  # of the existing ticket
    ticket: Ticket | None = None  # to create, or the new content
    text: str = ""  # of the comment
    comment_id: str = ""  # part of the comment's text by which it is recognised: it is written once


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All actions, and what is left for another night."""

    actions: Sequence[Action]
    postponed: Mapping[Severity, int] = {}  # new tickets beyond the night's limit
    unsettled: Sequence[str] = ()  # markers of tickets that may have been created a moment ago
    unrouted: int = 0  # findings for which no tracker is named


@dataclass(frozen=True, kw_only=True)
class TrackerState:
    """A tracker as the planner sees it."""

    wording: Wording
    existing: Sequence[ExistingTicket]
    index_lag_seconds: float = 0.0  # how long after its creation a ticket may be missing from `existing`
    fallback_assignee: str = ""


class _Change(Enum):
    """What happened to a ticket's subject since the ticket was last written."""

    NONE = auto()
    REWORDED = auto()
    REMINDER_DUE = auto()
    WIDENED = auto()
    WAIVED = auto()
    RESOLVED = auto()
    UNKNOWN = auto()


_Step = CommentReason | ActionKind
_OPEN, _CLOSED = True, False
_STEPS: Final[Mapping[tuple[bool, _Change], Sequence[_Step]]] = {
    (_OPEN, _Change.WIDENED): (CommentReason.WIDENED, ActionKind.UPDATE),
    (_OPEN, _Change.REMINDER_DUE): (CommentReason.STILL, ActionKind.UPDATE),
    (_OPEN, _Change.REWORDED): (ActionKind.UPDATE,),
    (_OPEN, _Change.WAIVED): (CommentReason.WAIVED, ActionKind.CLOSE),
    (_OPEN, _Change.RESOLVED): (CommentReason.RESOLVED, ActionKind.CLOSE),
    (_CLOSED, _Change.NONE): (CommentReason.REOPENED, ActionKind.REOPEN, ActionKind.UPDATE),
    (_CLOSED, _Change.REWORDED): (CommentReason.REOPENED, ActionKind.REOPEN, ActionKind.UPDATE),
    (_CLOSED, _Change.WIDENED): (
        CommentReason.REOPENED,
        ActionKind.REOPEN,
        CommentReason.WIDENED,
        ActionKind.UPDATE,
    ),
}
"""Whether the ticket is open, and the change: what to do. A combination that is not listed needs nothing."""


def plan(
    report: Report,
    trackers: Mapping[str, TrackerState],
    *,
    policy: Policy,
    terms: Terms,
    routes: Sequence[Route],
    lang: str,
    remembered: Sequence[TicketRecord] = (),
    renames: Renames = _NO_RENAMES,
    now: datetime,
) -> Plan:
    """What to do so that every tracker says what the report says.

    `terms` say by when to fix findings, which domains are ours and whom to ask, `remembered` are the tickets that the
    ledger knows, `renames` the names that older tickets still show.
    """
    jobs, unrouted = jobs_of(report, list(trackers), policy, routes, terms)
    records = {(record.tracker, record.marker): record for record in remembered}
    planner = _Planner(report, trackers, policy, terms, policy.language or lang, records, now)
    matches = [match for name, tracker in trackers.items() for match in matches_of(name, tracker.existing, renames)]
    taken, left = assigned(matches, jobs, report, policy)
    for job in jobs.values():
        planner.keep_up_to_date(job, taken.get(job.subject.marker, []))
    for marker, tickets in left.items():
        planner.wind_up(marker, tickets)
    created, postponed = planner.created[: policy.max_new], planner.created[policy.max_new :]
    severities = [action.ticket.severity for action in postponed if action.ticket]
    return Plan(
        actions=[*planner.actions, *created],
        postponed={severity: severities.count(severity) for severity in reversed(Severity) if severity in severities},
        unsettled=planner.unsettled,
        unrouted=unrouted,
    )


def links(findings: Sequence[Finding], records: Sequence[TicketRecord], policy: Policy) -> dict[str, list[TicketLink]]:
    """The tickets for findings, by fingerprint, open ones first; a finding without one is left out."""
    by_marker: dict[str, list[TicketLink]] = {}
    for record in records:
        if record.key:
            link = TicketLink(
                tracker=record.tracker,
                key=record.key,
                url=openable(record.url),
                open=record.phase is TicketPhase.OPEN,
                as_of=record.acted_on,
            )
            by_marker.setdefault(record.marker, []).append(link)
    by_fingerprint: dict[str, list[TicketLink]] = {}
    if not by_marker:
        return by_fingerprint
    for finding in findings:
        markers = markers_of(finding, policy)
        if tickets := [link for marker in markers for link in by_marker.get(marker, ())]:
            by_fingerprint[finding.fingerprint] = sorted(tickets, key=lambda link: not link.open)
    return by_fingerprint


@dataclass
class _Planner:
    """Collects actions, subject by subject."""

    report: Report
    trackers: Mapping[str, TrackerState]
    policy: Policy
    terms: Terms
    lang: str
    records: Mapping[tuple[str, str], TicketRecord]
    now: datetime
    actions: list[Action] = field(default_factory=list)
    created: list[Action] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)

    @cached_property
    def _differences(self) -> Mapping[str, Difference]:
        """What changed, by the beginning of its fingerprint."""
        differences = self.report.changes.differences if self.report.changes else ()
        return {marker_line.beginning(one.fingerprint): one for one in differences}

    @cached_property
    def _findings_by_name(self) -> Mapping[str, Sequence[Finding]]:
        """The findings that a ticket may be about, by every marker and beginning that it may show."""
        named: dict[str, list[Finding]] = {}
        for finding in self.report.findings:
            for name in names_of(finding, self.policy):
                named.setdefault(name, []).append(finding)
        return named

    def keep_up_to_date(self, job: Job, matches: Sequence[Match]) -> None:
        """A subject that needs work: one ticket, open, that says what the report says."""
        if not matches:
            self._create(job)
            return
        match = self._close_duplicates(job.subject.marker, matches)
        ticket, line = self._content(job, match.tracker, match.line)
        comparable = match.line.digest and not match.adopted
        wider = marker_line.widened_since(match.line, line) if comparable else []
        change = self._change(job, match, line, wider)
        steps = _STEPS.get((match.ticket.open, change), ())
        commented = any(isinstance(step, CommentReason) for step in steps) or match.line.commented_on is None
        line = msgspec.structs.replace(line, commented_on=self._day if commented else match.line.commented_on)
        for step in steps:
            if isinstance(step, CommentReason):
                widened = wider if step is CommentReason.WIDENED else ()
                content = CommentContent(
                    note=step,
                    day=self._day,
                    widened=widened,
                    rejudged=self._rejudged(step, job.subject, match.line, wider),
                )
                self._comment(match, job.subject.marker, content)
            else:
                updated = self._with_line(ticket, match.tracker, line) if step is ActionKind.UPDATE else None
                self._act(step, match, job.subject.marker, ticket=updated)

    def wind_up(self, marker: str, matches: Sequence[Match]) -> None:
        """A ticket whose subject needs no work: closed if it is waived or resolved, else left alone."""
        match = self._close_duplicates(marker, matches)
        names = {match.line.marker, *match.line.of}
        findings = {one.fingerprint: one for name in names for one in self._findings_by_name.get(name, ())}.values()
        waivers = [finding.waiver for finding in findings if finding.waiver]
        change, waiver = _Change.UNKNOWN, None
        if findings and len(waivers) == len(findings):
            change, waiver = _Change.WAIVED, max(waivers, key=lambda waiver: waiver.id)
        elif not findings and self._would_be_seen(match.line):
            change = _Change.RESOLVED
        for step in _STEPS.get((match.ticket.open, change), ()):
            if isinstance(step, CommentReason):
                rejudged = self._gone_by_judgement(match.line) if step is CommentReason.RESOLVED else None
                content = CommentContent(note=step, day=self._day, waiver=waiver, rejudged=rejudged)
                self._comment(match, marker, content)
            else:
                self._act(step, match, marker)

    def _change(self, job: Job, match: Match, line: MarkerLine, wider: Sequence[str]) -> _Change:
        before, is_open = match.line, match.ticket.open
        if not is_open and not (job.verified and self._scanned_after_closing(match.ticket)):
            return _Change.UNKNOWN
        if wider:
            return _Change.WIDENED
        if is_open and job.verified and self._reminder_due(before):
            return _Change.REMINDER_DUE
        return _Change.REWORDED if before.digest != line.digest or match.renamed else _Change.NONE

    def _rejudged(
        self, step: CommentReason, subject: TicketSubject, before: MarkerLine, wider: Sequence[str]
    ) -> Rejudged | None:
        """Whether a fix came back, or got worse, only by judgement. The findings of a person come and go."""
        if subject.by_owner:
            return None
        lead = subject.findings[0].fingerprint
        if step is CommentReason.REOPENED:
            judged = [subject.rejudged.get(finding.fingerprint) for finding in subject.findings]
            return judged[0] if all(judged) else None
        if step is not CommentReason.WIDENED:
            return None
        of = [marker_line.beginning(finding.fingerprint) for finding in subject.findings]
        if list(wider) == ["severity"] and (not before.of or set(of) == set(before.of)):  # which is the rule's
            return Rejudged(changed_by=ChangedBy.RULE, on=self.report.scan.started_on)
        difference = self._differences.get(marker_line.beginning(lead))
        return difference.rejudged if difference and difference.before and difference.now else None

    def _gone_by_judgement(self, line: MarkerLine) -> Rejudged | None:
        """Whether all that a ticket was about is gone only because it is judged differently."""
        names = line.of or [marker_line.beginning(line.marker)]
        gone = [self._differences[name] for name in names if name in self._differences]
        judged = [difference.rejudged for difference in gone if difference.now is None]
        return judged[0] if judged and all(judged) else None

    def _reminder_due(self, before: MarkerLine) -> bool:
        if not self.policy.remind_days or before.commented_on is None:
            return False
        return (self._day - before.commented_on).days >= self.policy.remind_days

    def _create(self, job: Job) -> None:
        name, marker = job.route.tracker, job.subject.marker
        record = self.records.get((name, marker))
        lag = timedelta(seconds=self.trackers[name].index_lag_seconds)
        if record and record.phase is TicketPhase.SENDING and self.now - record.acted_on < lag:
            self.unsettled.append(marker)
            return
        ticket, line = self._content(job, name, None)
        content = self._with_line(ticket, name, line)
        self.created.append(Action(kind=ActionKind.CREATE, tracker=name, marker=marker, ticket=content))

    def _content(self, job: Job, name: str, before: MarkerLine | None) -> tuple[Ticket, MarkerLine]:
        tracker, subject = self.trackers[name], job.subject
        title, body = tracker.wording.title(subject, self.lang), tracker.wording.body(subject, self.lang)
        platforms = sorted({finding.verdict.subject.platform for finding in subject.findings} - {""})
        labels = [LABEL, f"severity-{subject.severity}", *platforms]
        digest = marker_line.text_digest(title, body, *labels, str(subject.due))
        ticket = Ticket(
            marker=subject.marker,
            title=title,
            body=body,
            severity=subject.severity,
            labels=labels,
            due=subject.due,
            project=job.route.project,
            assignee=job.assignee,
            fallback_assignee=fallback_of(job.route, tracker.fallback_assignee, self.terms),
            owner=subject.findings[0].verdict.subject.owner,
            withheld=subject.recipient.withheld,
            fingerprints=[finding.fingerprint for finding in subject.findings],
        )
        commented_on = before.commented_on if before and before.commented_on else self._day
        return ticket, marker_line.marker_line_of(subject, digest, commented_on)

    def _with_line(self, ticket: Ticket, name: str, line: MarkerLine) -> Ticket:
        text = self.trackers[name].wording.aside(marker_line.line(line))
        return msgspec.structs.replace(ticket, body=f"{ticket.body}\n\n{text}\n")

    def _close_duplicates(self, marker: str, matches: Sequence[Match]) -> Match:
        """The ticket that counts: an open one first, then one with the right marker, then the oldest of them.

        The others are closed: duplicates, and tickets about findings that now belong to the same fix.
        """
        kept, *others = sorted(
            matches, key=lambda match: (not match.ticket.open, match.line.marker != marker, _age(match.ticket.key))
        )
        instead = kept.ticket.url or kept.ticket.key
        for other in others:
            if other.ticket.open:
                is_same = other.line.marker == kept.line.marker
                note = CommentReason.DUPLICATE if is_same else CommentReason.MERGED
                self._comment(other, other.line.marker, CommentContent(note=note, day=self._day, instead=instead))
                self._act(ActionKind.CLOSE, other, other.line.marker)
        return kept

    def _comment(self, match: Match, marker: str, content: CommentContent) -> None:
        cause = f"waiver-{content.waiver.id}" if content.waiver else self.report.scan.id[:12]
        comment_id = f"cloudscan:{content.note}-{cause}"
        wording = self.trackers[match.tracker].wording
        text = f"{wording.comment(content, self.lang)}\n\n{wording.aside(comment_id)}"
        self._act(ActionKind.COMMENT, match, marker, text=text, comment_id=comment_id)

    def _act(
        self,
        kind: ActionKind,
        match: Match,
        marker: str,
        *,
        ticket: Ticket | None = None,
        text: str = "",
        comment_id: str = "",
    ) -> None:
        self.actions.append(
            Action(
                kind=kind,
                tracker=match.tracker,
                marker=marker,
                key=match.ticket.key,
                ticket=ticket,
                text=text,
                comment_id=comment_id,
            )
        )

    def _scanned_after_closing(self, ticket: ExistingTicket) -> bool:
        """Whether the scan began after the ticket was closed: a fix has until the next scan to show."""
        return ticket.closed_on is None or ticket.closed_on < self.report.scan.started_on

    def _would_be_seen(self, line: MarkerLine) -> bool:
        """Whether the report would contain the subject if it were still open: its rules ran, its accounts were read."""
        rules = {rule.id for rule in self.report.rules}
        accounts = {row.account for row in self.report.coverage} | {
            finding.verdict.subject.account for finding in self.report.findings
        }
        return bool(line.rules) and set(line.rules) <= rules and set(line.accounts) <= accounts

    @property
    def _day(self) -> date:
        return day_of(self.report.scan.started_on, self.report.timezone)


def _age(key: str) -> int:
    """Tickets are numbered in the order of their creation; without numbers, the order of the list counts."""
    number = key.rpartition("-")[2].rpartition("#")[2]
    return int(number) if number.isdecimal() and len(number) < 12 else 0
