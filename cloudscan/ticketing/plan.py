"""What to write into the trackers. Pure functions.

A report, the trackers' existing tickets and what is remembered go in; a list of actions comes out, which
`cloudscan.ticketing.deliver` carries out one by one and ``--dry-run`` prints.

A ticket is open as long as its subject needs work. It is recognised by its marker, so that neither a second run nor a
lost ledger creates a duplicate; if there are two all the same, the older one stays.

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
from typing import Final, Literal

import msgspec

from cloudscan.days import day_of
from cloudscan.finding import Finding, Severity, State
from cloudscan.report import ChangedBy, Difference, Rejudged, Report, TicketLink, opened_by_judgement
from cloudscan.text import openable
from cloudscan.ticketing import marker_line
from cloudscan.ticketing.marker_line import MarkerLine
from cloudscan.ticketing.renames import Renames
from cloudscan.ticketing.routing import Route, assignee_of, owner_of, route_of
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


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[tickets]``: which findings become tickets, and when reminders are sent."""

    group_by: Literal["finding", "owner"] = "finding"  # one ticket for each
    language: Literal["", "en", "ja"] = ""  # empty: the organisation's
    min_severity: Severity = Severity.MEDIUM  # less severe findings get no ticket
    remind_days: int = 30  # comment when a finding is still seen after this many days; 0: never
    max_new: int = 50  # new tickets in one run, the worst first
    owner_from: Sequence[str] = ("owner",)  # who answers for a resource: owner, tag:NAME or detail:NAME, in this order
    tracker: str = ""  # for findings whose route names none; empty: the only one that is configured


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


@dataclass(frozen=True)
class _Job:
    """A subject on its way to a tracker."""

    subject: TicketSubject
    route: Route
    assignee: str
    verified: bool


@dataclass(frozen=True)
class _Match:
    """An existing ticket of ours, and its marker line with today's names."""

    tracker: str
    ticket: ExistingTicket
    line: MarkerLine
    renamed: bool  # whether the ticket still shows older names


def plan(
    report: Report,
    trackers: Mapping[str, TrackerState],
    *,
    policy: Policy,
    deadlines: Mapping[Severity, int],
    routes: Sequence[Route],
    lang: str,
    remembered: Sequence[TicketRecord] = (),
    renames: Renames = _NO_RENAMES,
    now: datetime,
) -> Plan:
    """What to do so that every tracker says what the report says.

    `deadlines` are days by severity, `remembered` the tickets that the ledger knows, `renames` the names that older
    tickets still show.
    """
    jobs, unrouted = _jobs(report, trackers, policy, routes, deadlines)
    records = {(record.tracker, record.marker): record for record in remembered}
    planner = _Planner(report, trackers, policy, policy.language or lang, records, now)
    matches = _matches(trackers, renames)
    for job in jobs.values():
        planner.keep_up_to_date(job, matches.get(job.subject.marker, []))
    for marker, tickets in matches.items():
        if marker not in jobs:
            planner.wind_up(marker, tickets)
    created, postponed = planner.created[: policy.max_new], planner.created[policy.max_new :]
    severities = [action.ticket.severity for action in postponed if action.ticket]
    return Plan(
        actions=[*planner.actions, *created],
        postponed={severity: severities.count(severity) for severity in reversed(Severity) if severity in severities},
        unsettled=planner.unsettled,
        unrouted=unrouted,
    )


def marker_of(finding: Finding, owner: str, policy: Policy) -> str:
    """The marker of the ticket that a finding belongs to. A finding without an owner has a ticket of its own."""
    if policy.group_by == "owner" and owner:
        return marker_line.text_digest("owner", owner.lower()) + marker_line.text_digest("cloudscan", owner.lower())
    return finding.fingerprint


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
    by_fingerprint = {}
    for finding in findings:
        markers = {finding.fingerprint, marker_of(finding, owner_of(finding, policy.owner_from), policy)}
        if tickets := [link for marker in sorted(markers) for link in by_marker.get(marker, ())]:
            by_fingerprint[finding.fingerprint] = sorted(tickets, key=lambda link: not link.open)
    return by_fingerprint


def _matches(trackers: Mapping[str, TrackerState], renames: Renames) -> dict[str, list[_Match]]:
    """The trackers' tickets of ours, by their marker today."""
    matches: dict[str, list[_Match]] = {}
    for name, tracker in trackers.items():
        for ticket in tracker.existing:
            written = marker_line.read(ticket.body)
            marker = ticket.marker or (written.marker if written else "")
            if marker:
                old = written or MarkerLine(marker=marker)
                line = renames.line(old)
                renamed = line != old or renames.marker(marker) != marker
                match = _Match(tracker=name, ticket=ticket, line=line, renamed=renamed)
                matches.setdefault(renames.marker(marker), []).append(match)
    return matches


def _jobs(
    report: Report,
    trackers: Mapping[str, TrackerState],
    policy: Policy,
    routes: Sequence[Route],
    deadlines: Mapping[Severity, int],
) -> tuple[dict[str, _Job], int]:
    """The subjects that need a ticket, by marker, the worst first; and how many findings have no tracker."""
    rules = {rule.id: rule for rule in report.rules}
    rejudged = opened_by_judgement(report)
    groups: dict[str, list[tuple[Finding, Route, str]]] = {}
    unrouted = 0
    for finding in report.findings:
        if finding.state is State.WAIVED or finding.severity < policy.min_severity:
            continue
        route = route_of(finding, routes)
        tracker = route.tracker or policy.tracker or (next(iter(trackers)) if len(trackers) == 1 else "")
        if tracker not in trackers:
            unrouted += 1
            continue
        owner = owner_of(finding, policy.owner_from)
        route = msgspec.structs.replace(route, tracker=tracker)
        groups.setdefault(marker_of(finding, owner, policy), []).append((finding, route, owner))
    jobs = {}
    for marker, members in groups.items():
        worst, route, owner = members[0]
        findings = [finding for finding, _, _ in members]
        rule_ids = dict.fromkeys(finding.verdict.rule_id for finding in findings)
        subject = TicketSubject(
            marker=marker,
            owner=owner,
            findings=findings,
            rules={rule_id: rules[rule_id] for rule_id in rule_ids if rule_id in rules},
            severity=max(finding.severity for finding in findings),
            due=min(_due(finding, deadlines, report.timezone) for finding in findings),
            timezone=report.timezone,
            by_owner=marker != worst.fingerprint,
            rejudged={
                finding.fingerprint: rejudged[finding.fingerprint]
                for finding in findings
                if finding.fingerprint in rejudged
            },
        )
        verified = any(finding.verified for finding in findings)
        jobs[marker] = _Job(subject, route, assignee_of(worst, route, owner), verified)
    return jobs, unrouted


def _due(finding: Finding, deadlines: Mapping[Severity, int], timezone: str) -> date:
    return day_of(finding.first_seen_on, timezone) + timedelta(days=deadlines[finding.severity])


@dataclass
class _Planner:
    """Collects actions, subject by subject."""

    report: Report
    trackers: Mapping[str, TrackerState]
    policy: Policy
    lang: str
    records: Mapping[tuple[str, str], TicketRecord]
    now: datetime
    actions: list[Action] = field(default_factory=list)
    created: list[Action] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)

    @cached_property
    def _differences(self) -> Mapping[str, Difference]:
        """What changed, by fingerprint."""
        return {one.fingerprint: one for one in self.report.changes.differences} if self.report.changes else {}

    def keep_up_to_date(self, job: _Job, matches: Sequence[_Match]) -> None:
        """A subject that needs work: one ticket, open, that says what the report says."""
        if not matches:
            self._create(job)
            return
        match = self._close_duplicates(job.subject.marker, matches)
        ticket, line = self._content(job, match.tracker, match.line)
        wider = marker_line.widened_since(match.line, line) if match.line.digest else []
        change = self._change(job, match, line, wider)
        steps = _STEPS.get((match.ticket.open, change), ())
        commented = any(isinstance(step, CommentReason) for step in steps) or match.line.commented_on is None
        line = msgspec.structs.replace(line, commented_on=self._day if commented else match.line.commented_on)
        for step in steps:
            if isinstance(step, CommentReason):
                widened = wider if step is CommentReason.WIDENED else ()
                content = CommentContent(
                    note=step, day=self._day, widened=widened, rejudged=self._rejudged(step, job.subject, wider)
                )
                self._comment(match, job.subject.marker, content)
            else:
                updated = self._with_line(ticket, match.tracker, line) if step is ActionKind.UPDATE else None
                self._act(step, match, job.subject.marker, ticket=updated)

    def wind_up(self, marker: str, matches: Sequence[_Match]) -> None:
        """A ticket whose subject needs no work: closed if it is waived or resolved, else left alone."""
        match = self._close_duplicates(marker, matches)
        findings = [finding for finding in self.report.findings if self._marker(finding) == marker]
        waivers = [finding.waiver for finding in findings if finding.waiver]
        change, waiver = _Change.UNKNOWN, None
        if findings and len(waivers) == len(findings):
            change, waiver = _Change.WAIVED, max(waivers, key=lambda waiver: waiver.id)
        elif not findings and self._would_be_seen(match.line):
            change = _Change.RESOLVED
        for step in _STEPS.get((match.ticket.open, change), ()):
            if isinstance(step, CommentReason):
                rejudged = self._differences.get(marker) if step is CommentReason.RESOLVED else None
                content = CommentContent(
                    note=step,
                    day=self._day,
                    waiver=waiver,
                    rejudged=rejudged.rejudged if rejudged and rejudged.now is None else None,
                )
                self._comment(match, marker, content)
            else:
                self._act(step, match, marker)

    def _change(self, job: _Job, match: _Match, line: MarkerLine, wider: Sequence[str]) -> _Change:
        before, is_open = match.line, match.ticket.open
        if not is_open and not (job.verified and self._scanned_after_closing(match.ticket)):
            return _Change.UNKNOWN
        if wider:
            return _Change.WIDENED
        if is_open and job.verified and self._reminder_due(before):
            return _Change.REMINDER_DUE
        return _Change.REWORDED if before.digest != line.digest or match.renamed else _Change.NONE

    def _rejudged(self, step: CommentReason, subject: TicketSubject, wider: Sequence[str]) -> Rejudged | None:
        """Whether a finding came back, or got worse, only by judgement. The findings of an owner come and go."""
        if subject.by_owner:
            return None
        if step is CommentReason.REOPENED:
            return subject.rejudged.get(subject.marker)
        if step is not CommentReason.WIDENED:
            return None
        if list(wider) == ["severity"]:  # which is the rule's
            return Rejudged(changed_by=ChangedBy.RULE, on=self.report.scan.started_on)
        difference = self._differences.get(subject.marker)
        return difference.rejudged if difference and difference.before and difference.now else None

    def _reminder_due(self, before: MarkerLine) -> bool:
        if not self.policy.remind_days or before.commented_on is None:
            return False
        return (self._day - before.commented_on).days >= self.policy.remind_days

    def _create(self, job: _Job) -> None:
        name, marker = job.route.tracker, job.subject.marker
        record = self.records.get((name, marker))
        lag = timedelta(seconds=self.trackers[name].index_lag_seconds)
        if record and record.phase is TicketPhase.SENDING and self.now - record.acted_on < lag:
            self.unsettled.append(marker)
            return
        ticket, line = self._content(job, name, None)
        content = self._with_line(ticket, name, line)
        self.created.append(Action(kind=ActionKind.CREATE, tracker=name, marker=marker, ticket=content))

    def _content(self, job: _Job, name: str, before: MarkerLine | None) -> tuple[Ticket, MarkerLine]:
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
            fallback_assignee=job.route.fallback_assignee or tracker.fallback_assignee,
            fingerprints=[finding.fingerprint for finding in subject.findings],
        )
        commented_on = before.commented_on if before and before.commented_on else self._day
        return ticket, marker_line.marker_line_of(subject, digest, commented_on)

    def _with_line(self, ticket: Ticket, name: str, line: MarkerLine) -> Ticket:
        text = self.trackers[name].wording.aside(marker_line.line(line))
        return msgspec.structs.replace(ticket, body=f"{ticket.body}\n\n{text}\n")

    def _close_duplicates(self, marker: str, matches: Sequence[_Match]) -> _Match:
        """The ticket that counts: an open one before a closed one, and the oldest of them. The others are closed."""
        kept, *others = sorted(matches, key=lambda match: (not match.ticket.open, _age(match.ticket.key)))
        instead = kept.ticket.url or kept.ticket.key
        for other in others:
            if other.ticket.open:
                content = CommentContent(note=CommentReason.DUPLICATE, day=self._day, instead=instead)
                self._comment(other, marker, content)
                self._act(ActionKind.CLOSE, other, marker)
        return kept

    def _comment(self, match: _Match, marker: str, content: CommentContent) -> None:
        cause = f"waiver-{content.waiver.id}" if content.waiver else self.report.scan.id[:12]
        comment_id = f"cloudscan:{content.note}-{cause}"
        wording = self.trackers[match.tracker].wording
        text = f"{wording.comment(content, self.lang)}\n\n{wording.aside(comment_id)}"
        self._act(ActionKind.COMMENT, match, marker, text=text, comment_id=comment_id)

    def _act(
        self,
        kind: ActionKind,
        match: _Match,
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

    def _marker(self, finding: Finding) -> str:
        return marker_of(finding, owner_of(finding, self.policy.owner_from), self.policy)

    @property
    def _day(self) -> date:
        return day_of(self.report.scan.started_on, self.report.timezone)


def _age(key: str) -> int:
    """Tickets are numbered in the order of their creation; without numbers, the order of the list counts."""
    number = key.rpartition("-")[2].rpartition("#")[2]
    return int(number) if number.isdecimal() and len(number) < 12 else 0
