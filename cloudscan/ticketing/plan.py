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
open         widened                                            update, comment "widened"
open         seen again, no comment for `remind_days`           update, comment "still"
open         reads differently, lacks its label, was renamed    update
open         waived                                             close, comment why
open         resolved: its rules ran, its accounts were read    close, comment why
open         its rules are no longer applied                    close, comment why
closed       seen again by a scan that began after closing      reopen, update, comment "reopened"
closed       the same, and widened                              the same, and comment "widened"
in doubt     anything                                           the same again: closed or opened, and updated
closed       the same, but it cannot be opened any more         create one that names it
moved away   needs work                                         create one that names it
any          anything else                                      none
===========  =================================================  =============================================

What is done comes before what is said about it, and a comment has an id that lasts as long as the reason for it: what
fails night after night is never commented twice. Where tickets could not be listed or read, nothing is done.
"""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum, StrEnum, auto
from functools import cached_property
from typing import Final

import msgspec

from cloudscan.days import day_of
from cloudscan.finding import Finding, Severity, Waiver
from cloudscan.report import ChangedBy, Difference, Rejudged, Report, Terms, TicketLink
from cloudscan.text import openable
from cloudscan.ticketing import marker_line
from cloudscan.ticketing.inventory import is_lost, number_of
from cloudscan.ticketing.marker_line import MarkerLine
from cloudscan.ticketing.policy import Grouping, Policy
from cloudscan.ticketing.renames import Renames
from cloudscan.ticketing.routing import Route
from cloudscan.ticketing.subjects import (
    Job,
    Match,
    Names,
    assigned,
    fallback_of,
    jobs_of,
    markers_of,
    matches_of,
    names_of,
)
from cloudscan.tracker import (
    LABEL,
    Closing,
    ClosingReason,
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
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


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
    seen: str = ""  # the marker that it showed; another one in its place is no ticket of ours
    ticket: Ticket | None = None  # to create, or the new content
    closing: Closing | None = None
    about: ActionKind | None = None  # of a comment: what it is about
    text: str = ""  # of the comment
    comment_id: str = ""  # part of the comment's text by which it is recognised: it is written once


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All actions, and what is left for another night."""

    actions: Sequence[Action]
    postponed: Mapping[Severity, int] = {}  # new tickets beyond the night's limit
    unsettled: Sequence[str] = ()  # markers of tickets that may have been created a moment ago
    unrouted: int = 0  # findings for which no tracker is named
    waiting: int = 0  # findings whose tickets could not be listed or read


@dataclass(frozen=True, kw_only=True)
class TrackerState:
    """A tracker as the planner sees it."""

    wording: Wording
    existing: Sequence[ExistingTicket]
    index_lag_seconds: float = 0.0  # how long after its creation a ticket may be missing from `existing`
    fallback_assignee: str = ""
    project: str = ""  # where tickets go whose route names no project
    wordings: Mapping[str, Wording] = field(default_factory=dict)  # of projects with another one
    unlisted: Collection[str] = ()  # projects whose tickets are not among the existing ones
    unread: Collection[str] = ()  # markers of tickets about which nothing certain is known

    def wording_of(self, project: str) -> Wording:
        """The wording for a project."""
        return self.wordings.get(project, self.wording)


class _Change(Enum):
    """What happened to a ticket's subject since the ticket was last written."""

    NONE = auto()
    REWORDED = auto()
    REMINDER_DUE = auto()
    WIDENED = auto()
    UNKNOWN = auto()


_Step = CommentReason | ActionKind
_OPEN, _CLOSED = True, False
_STEPS: Final[Mapping[tuple[bool, _Change], Sequence[_Step]]] = {
    (_OPEN, _Change.WIDENED): (ActionKind.UPDATE, CommentReason.WIDENED),
    (_OPEN, _Change.REMINDER_DUE): (ActionKind.UPDATE, CommentReason.STILL),
    (_OPEN, _Change.REWORDED): (ActionKind.UPDATE,),
    (_CLOSED, _Change.NONE): (ActionKind.REOPEN, ActionKind.UPDATE, CommentReason.REOPENED),
    (_CLOSED, _Change.REWORDED): (ActionKind.REOPEN, ActionKind.UPDATE, CommentReason.REOPENED),
    (_CLOSED, _Change.WIDENED): (
        ActionKind.REOPEN,
        ActionKind.UPDATE,
        CommentReason.REOPENED,
        CommentReason.WIDENED,
    ),
}
"""Whether the ticket is open, and the change: what to do. A combination that is not listed needs nothing."""
_ABOUT: Final = {
    CommentReason.WIDENED: ActionKind.UPDATE,
    CommentReason.STILL: ActionKind.UPDATE,
    CommentReason.REOPENED: ActionKind.REOPEN,
    CommentReason.CLOSED: ActionKind.CLOSE,
}
"""What each comment is about."""


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
    withdrawn: Collection[str] = (),
    unreachable: Collection[str] = (),
    left_out: Collection[str] = (),
    chosen: Collection[str] | None = None,
    now: datetime,
) -> Plan:
    """What to do so that every tracker says what the report says.

    `trackers` are those that could be opened, `unreachable` the names of those that could not, `left_out` of those that
    nobody asked for. `terms` say by when to fix findings, which domains are ours and whom to ask, `remembered` are the
    tickets that the ledger knows, `renames` the names that older tickets still show, `withdrawn` the rules that are not
    applied any more. With `chosen`, fingerprints, only tickets about one of these findings are written, and none is
    wound up: what became of other findings is nobody's question tonight.
    """
    grouping = Grouping(policy=policy, routes=routes, domains=terms.domains)
    projects = {name: state.project for name, state in trackers.items()} | dict.fromkeys(unreachable, "")
    jobs, unrouted = jobs_of(report, projects, policy, routes, terms, left_out)
    records = {(record.tracker, record.marker): record for record in remembered}
    language, gone = policy.language or lang, frozenset(withdrawn)
    names = {finding.fingerprint: names_of(finding, grouping) for finding in report.findings}
    planner = _Planner(report, trackers, policy, names, terms, language, records, gone, unreachable, now)
    matches = [
        match for name, tracker in trackers.items() for match in matches_of(name, tracker.existing, renames, records)
    ]
    taken, left = assigned(matches, jobs, report, names)
    for job in jobs.values():
        if chosen is None or any(finding.fingerprint in chosen for finding in job.subject.findings):
            planner.keep_up_to_date(job, taken.get(job.subject.marker, []))
    if chosen is None:
        for marker, tickets in left.items():
            planner.wind_up(marker, tickets)
    created, postponed = planner.wanted[: policy.max_new], planner.wanted[policy.max_new :]
    severities = [job.subject.severity for job in postponed]
    return Plan(
        actions=[*planner.actions, *map(planner.creation, created)],
        postponed={severity: severities.count(severity) for severity in reversed(Severity) if severity in severities},
        unsettled=planner.unsettled,
        unrouted=unrouted,
        waiting=planner.waiting,
    )


def links(
    findings: Sequence[Finding], records: Sequence[TicketRecord], grouping: Grouping
) -> dict[str, list[TicketLink]]:
    """The tickets for findings, by fingerprint, open ones first; a finding without one is left out."""
    by_marker: dict[str, list[TicketLink]] = {}
    for record in records:
        if record.key:
            link = TicketLink(
                tracker=record.tracker,
                key=record.key,
                url=openable(record.url),
                open=record.phase in (TicketPhase.OPEN, TicketPhase.UPDATING, TicketPhase.CLOSING),
                as_of=record.acted_on,
            )
            by_marker.setdefault(record.marker, []).append(link)
    by_fingerprint: dict[str, list[TicketLink]] = {}
    if not by_marker:
        return by_fingerprint
    for finding in findings:
        markers = markers_of(finding, grouping)
        if tickets := [link for marker in markers for link in by_marker.get(marker, ())]:
            by_fingerprint[finding.fingerprint] = sorted(tickets, key=lambda link: not link.open)
    return by_fingerprint


@dataclass
class _Planner:
    """Collects actions, subject by subject."""

    report: Report
    trackers: Mapping[str, TrackerState]
    policy: Policy
    names: Names
    terms: Terms
    lang: str
    records: Mapping[tuple[str, str], TicketRecord]
    withdrawn: Collection[str]
    unreachable: Collection[str]
    now: datetime
    actions: list[Action] = field(default_factory=list)
    wanted: list[Job] = field(default_factory=list)  # they have no ticket yet
    unsettled: list[str] = field(default_factory=list)
    waiting: int = 0
    kept: dict[str, Match] = field(default_factory=dict)  # by marker: the ticket of a subject that needs work

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
            for name in self.names[finding.fingerprint]:
                named.setdefault(name, []).append(finding)
        return named

    def keep_up_to_date(self, job: Job, matches: Sequence[Match]) -> None:
        """A subject that needs work: one ticket, open, that says what the report says."""
        usable = [match for match in matches if not is_lost(match.ticket) and not self._may_be_missing(match)]
        lost = [match for match in matches if is_lost(match.ticket)]
        if not usable:
            closed = [match for match in lost if not match.ticket.moved]
            if all(job.verified and self._scanned_after_closing(match.ticket) for match in closed):
                self._want(job, lost)
            return
        match = self._close_duplicates(job.subject.marker, usable)
        self.kept[job.subject.marker] = match
        predecessor = match.line.after or _name_of_last(lost)
        job = replace(job, subject=msgspec.structs.replace(job.subject, predecessor=predecessor))
        wording = self.trackers[match.tracker].wording_of(match.ticket.project)
        ticket, line = self._content(job, match.tracker, match.line, match.ticket.project)
        comparable = match.line.digest and not match.adopted
        wider = marker_line.widened_since(match.line, line) if comparable else []
        change = self._change(job, match, line, wider)
        steps = _STEPS.get((match.ticket.open, change), ())
        commented = any(isinstance(step, CommentReason) for step in steps) or match.line.commented_on is None
        line = msgspec.structs.replace(line, commented_on=self._day if commented else match.line.commented_on)
        for step in steps:
            if isinstance(step, CommentReason):
                content = CommentContent(
                    note=step,
                    day=self._day,
                    timezone=self.report.timezone,
                    widened=wider if step is CommentReason.WIDENED else (),
                    rejudged=self._rejudged(step, job.subject, match.line, wider),
                    due=job.subject.due,
                    contact=job.subject.contact,
                )
                self._comment(match, job.subject.marker, content, self._cause(step, match, line))
            else:
                updated = self._with_line(ticket, wording, line) if step is ActionKind.UPDATE else None
                self._act(step, match, job.subject.marker, ticket=updated)

    def wind_up(self, marker: str, matches: Sequence[Match]) -> None:
        """A ticket whose subject needs no work: closed if it is waived, resolved or withdrawn, else left alone."""
        usable = [match for match in matches if not is_lost(match.ticket)]
        if not usable:
            return
        match = self._close_duplicates(marker, usable)
        if not match.ticket.open and not match.ticket.in_doubt:
            return
        names = match.names
        findings = {one.fingerprint: one for name in names for one in self._findings_by_name.get(name, ())}.values()
        waivers = [finding.waiver for finding in findings if finding.waiver]
        cause = f"{match.line.by or match.line.commented_on}-{match.line.digest[:8]}"
        if findings and len(waivers) == len(findings):
            waiver = max(waivers, key=lambda waiver: waiver.id)
            self._close(match, marker, self._why(ClosingReason.WAIVED, waiver=waiver), f"waiver-{waiver.id}")
        elif findings:
            instead = [kept for finding in findings if (kept := self._kept_for(finding))]
            if match.line.of and len(instead) == len(findings):
                self._merge(match, marker, instead[0], ClosingReason.MERGED)
        elif reason := self._resolved(match.line):
            rejudged = self._gone_by_judgement(match.line) if reason is ClosingReason.REJUDGED else None
            self._close(match, marker, self._why(reason, rejudged=rejudged), cause)

    def _may_be_missing(self, match: Match) -> bool:
        """Whether the answer to a creation was lost in a tracker that cannot be asked."""
        record = self.records.get((match.tracker, match.ticket.marker))
        return match.ticket.in_doubt and bool(record and not record.key)

    def _kept_for(self, finding: Finding) -> Match | None:
        """The ticket that a finding belongs to now."""
        if finding.waiver:
            return None
        return next((self.kept[name] for name in self.names[finding.fingerprint] if name in self.kept), None)

    def _resolved(self, line: MarkerLine) -> ClosingReason | None:
        """Why nothing is left of what a ticket was about; None if that is not certain."""
        if not self._would_be_seen(line):
            return None
        if any(rule in self.withdrawn for rule in line.rules):
            return ClosingReason.WITHDRAWN
        if self._gone_by_judgement(line):
            return ClosingReason.REJUDGED
        names = line.of or [marker_line.beginning(line.marker)]
        ways = {self._differences[name].reason for name in names if name in self._differences}
        return ClosingReason.GONE if ways == {"gone"} else ClosingReason.FIXED

    def _why(self, reason: ClosingReason, *, waiver: Waiver | None = None, rejudged: Rejudged | None = None,
             instead: str = "") -> CommentContent:  # fmt: skip
        return CommentContent(
            note=CommentReason.CLOSED,
            day=self._day,
            timezone=self.report.timezone,
            closing=reason,
            waiver=waiver,
            rejudged=rejudged,
            instead=instead,
        )

    def _close(self, match: Match, marker: str, why: CommentContent, cause: str, *, instead: str = "") -> None:
        """Close a ticket, and say why."""
        wording = self.trackers[match.tracker].wording_of(match.ticket.project)
        reason = why.closing or ClosingReason.FIXED
        closing = Closing(reason=reason, note=wording.note(why, self.lang), instead=instead)
        self._act(ActionKind.CLOSE, match, marker, closing=closing)
        self._comment(match, marker, why, cause)

    def _cause(self, step: CommentReason, match: Match, line: MarkerLine) -> str:
        """What a comment is about, in a few characters: the same for as long as it is the reason for a comment."""
        before = match.line
        match step:
            case CommentReason.WIDENED:
                return f"{before.digest[:8]}-{line.digest[:8]}"
            case CommentReason.REOPENED if match.ticket.closed_on:
                return f"{match.ticket.closed_on.astimezone(UTC):%Y%m%dT%H%M%S}"
            case CommentReason.REOPENED:
                return f"{before.by}-{before.digest[:8]}"
            case _:
                return str(before.commented_on)

    def _change(self, job: Job, match: Match, line: MarkerLine, wider: Sequence[str]) -> _Change:
        before, is_open = match.line, match.ticket.open
        if not is_open and not (job.verified and self._scanned_after_closing(match.ticket)):
            return _Change.UNKNOWN
        if wider:
            return _Change.WIDENED
        if is_open and job.verified and self._reminder_due(before):
            return _Change.REMINDER_DUE
        is_known = match.ticket.labelled and not match.renamed and not match.ticket.in_doubt
        is_as_before = before.digest == line.digest and is_known
        return _Change.NONE if is_as_before else _Change.REWORDED

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
        days = self.policy.remind_days
        if not days or before.commented_on is None:
            return False
        return (self._day - before.commented_on).days >= days

    def _want(self, job: Job, lost: Sequence[Match]) -> None:
        name, marker = job.route.tracker, job.subject.marker
        record = self.records.get((name, marker))
        if self._waits(job, record):
            self.waiting += len(job.subject.findings)
            return
        lag = timedelta(seconds=self.trackers[name].index_lag_seconds)
        if record and record.phase is TicketPhase.SENDING and self.now - record.acted_on < lag:
            self.unsettled.append(marker)
            return
        predecessor = _name_of_last(lost)
        self.wanted.append(replace(job, subject=msgspec.structs.replace(job.subject, predecessor=predecessor)))

    def creation(self, job: Job) -> Action:
        """What creates a ticket."""
        name = job.route.tracker
        ticket, line = self._content(job, name, None, job.project)
        content = self._with_line(ticket, self.trackers[name].wording_of(job.project), line)
        return Action(kind=ActionKind.CREATE, tracker=name, marker=job.subject.marker, ticket=content)

    def _waits(self, job: Job, record: TicketRecord | None) -> bool:
        """Whether there may be a ticket that could not be listed or read."""
        state, marker = self.trackers.get(job.route.tracker), job.subject.marker
        if state is None or job.project in state.unlisted:
            return True
        if any((name, marker) in self.records for name in self.unreachable):  # it was routed there before
            return True
        unread = (
            {job.subject.marker}
            | {name for finding in job.subject.findings for name in self.names[finding.fingerprint]}
            if state.unread
            else set()
        )
        return bool(unread & set(state.unread)) or bool(state.unlisted and record and record.key)

    def _content(self, job: Job, name: str, before: MarkerLine | None, project: str) -> tuple[Ticket, MarkerLine]:
        """The ticket about a subject in a project, without the marker line, for which it leaves room."""
        tracker, subject = self.trackers[name], job.subject
        wording = tracker.wording_of(project)
        commented_on = before.commented_on if before and before.commented_on else self._day
        scan = self.report.scan.id
        line = marker_line.marker_line_of(subject, "0" * 16, commented_on, scan)
        room = len(_line_text(wording, line))
        title, body = wording.title(subject, self.lang), wording.body(subject, self.lang, room)
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
        return ticket, msgspec.structs.replace(line, digest=digest)

    def _with_line(self, ticket: Ticket, wording: Wording, line: MarkerLine) -> Ticket:
        return msgspec.structs.replace(ticket, body=f"{ticket.body}{_line_text(wording, line)}")

    def _close_duplicates(self, marker: str, matches: Sequence[Match]) -> Match:
        """The ticket that counts: an open one first, then one with the right marker, then the oldest of them.

        The others are closed: duplicates, and tickets about findings that now belong to the same fix.
        """
        kept, *others = sorted(
            matches, key=lambda match: (not match.ticket.open, match.line.marker != marker, number_of(match.ticket.key))
        )
        for other in others:
            if other.ticket.open:
                is_same = other.line.marker == kept.line.marker
                reason = ClosingReason.DUPLICATE if is_same else ClosingReason.MERGED
                self._merge(other, other.line.marker, kept, reason)
        return kept

    def _merge(self, match: Match, marker: str, kept: Match, reason: ClosingReason) -> None:
        """Close a ticket in favour of another."""
        why = self._why(reason, instead=kept.ticket.url or kept.ticket.key)
        self._close(match, marker, why, marker_line.text_digest(kept.ticket.key)[:8], instead=kept.ticket.key)

    def _comment(self, match: Match, marker: str, content: CommentContent, cause: str) -> None:
        comment_id = f"cloudscan:{content.closing or content.note}-{cause}"
        wording = self.trackers[match.tracker].wording_of(match.ticket.project)
        line = f"\n\n{wording.aside(comment_id)}"
        text = f"{wording.comment(content, self.lang, len(line))}{line}"
        about = _ABOUT[content.note]
        self._act(ActionKind.COMMENT, match, marker, text=text, comment_id=comment_id, about=about)

    def _act(
        self,
        kind: ActionKind,
        match: Match,
        marker: str,
        *,
        ticket: Ticket | None = None,
        closing: Closing | None = None,
        text: str = "",
        comment_id: str = "",
        about: ActionKind | None = None,
    ) -> None:
        self.actions.append(
            Action(
                kind=kind,
                tracker=match.tracker,
                marker=marker,
                key=match.ticket.key,
                seen=match.ticket.marker,
                ticket=ticket,
                closing=closing,
                about=about,
                text=text,
                comment_id=comment_id,
            )
        )

    def _scanned_after_closing(self, ticket: ExistingTicket) -> bool:
        """Whether the scan began after the ticket was closed: a fix has until the next scan to show."""
        return ticket.closed_on is None or ticket.closed_on < self.report.scan.started_on

    def _would_be_seen(self, line: MarkerLine) -> bool:
        """Whether the report would contain the subject if it were still open: its rules ran, its accounts were read.

        Rules that are not applied any more would not.
        """
        return bool(line.rules) and self._rules >= set(line.rules) and self._accounts >= set(line.accounts)

    @cached_property
    def _rules(self) -> AbstractSet[str]:
        return {rule.id for rule in self.report.rules} | set(self.withdrawn)

    @cached_property
    def _accounts(self) -> AbstractSet[str]:
        read = {row.account for row in self.report.coverage}
        return read | {finding.verdict.subject.account for finding in self.report.findings}

    @cached_property
    def _day(self) -> date:
        return day_of(self.report.scan.started_on, self.report.timezone)


def _line_text(wording: Wording, line: MarkerLine) -> str:
    """The end of a ticket's text."""
    return f"\n\n{wording.aside(marker_line.fitting(line, wording.longest_line))}\n"


def _name_of_last(lost: Sequence[Match]) -> str:
    """The ticket that a new one continues."""
    if not lost:
        return ""
    last = max(
        (match.ticket for match in lost), key=lambda ticket: (ticket.closed_on or _LONG_AGO, number_of(ticket.key))
    )
    return last.url or last.key
