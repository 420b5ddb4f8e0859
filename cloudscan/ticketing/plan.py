"""What to write into the trackers. Pure functions.

A report, what the trackers hold and what is remembered go in; a list of actions comes out, which
`cloudscan.ticketing.deliver` carries out one by one and ``--dry-run`` prints.

A ticket is open as long as what it is about stands. It is found again by its marker, so that neither a second run nor a
lost ledger makes a second one; where there are two all the same, the older one stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Literal

import msgspec

from cloudscan.finding import Finding, Severity, State
from cloudscan.report import Report, TicketLink
from cloudscan.text import openable
from cloudscan.ticketing import marker_line
from cloudscan.ticketing.marker_line import MarkerLine
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
    key: str = ""  # of the ticket, where there is one
    ticket: Ticket | None = None  # to create, or what it should say now
    text: str = ""  # of the comment
    sign: str = ""  # by which the comment is recognised: it is written once


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All there is to do, and what is left for another night."""

    actions: Sequence[Action]
    held_back: Mapping[Severity, int] = {}  # new tickets beyond the night's limit
    unsettled: Sequence[str] = ()  # markers of tickets that may have been made a moment ago
    unrouted: int = 0  # findings for which no tracker is named


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[tickets]``: which findings become tickets, and when they are spoken of again."""

    group_by: Literal["finding", "owner"] = "finding"  # one ticket for each
    language: Literal["", "en", "ja"] = ""  # empty: the organisation's
    min_severity: Severity = Severity.MEDIUM  # what is less severe makes no ticket
    remind_days: int = 30  # a comment where something is still seen after so long; 0: none
    max_new: int = 50  # new tickets in one run, the worst first
    owner_from: Sequence[str] = ("owner",)  # who answers for a resource: owner, tag:NAME or detail:NAME, in this order
    tracker: str = ""  # where no route names one; empty: the only one that is configured


@dataclass(frozen=True, kw_only=True)
class TrackerState:
    """A tracker as the planner sees it."""

    wording: Wording
    held: Sequence[ExistingTicket]
    index_lag_seconds: float = 0.0
    fallback_assignee: str = ""


@dataclass(frozen=True)
class _Job:
    """A matter on its way to a tracker."""

    matter: TicketSubject
    route: Route
    assignee: str
    verified: bool


def plan(
    report: Report,
    desks: Mapping[str, TrackerState],
    *,
    policy: Policy,
    deadlines: Mapping[Severity, int],
    routes: Sequence[Route],
    lang: str,
    kept: Sequence[TicketRecord] = (),
    now: datetime,
) -> Plan:
    """What to do so that every tracker says what the report says."""
    jobs, unrouted = _jobs(report, desks, policy, routes, deadlines)
    planner = _Planner(
        report, desks, policy, policy.language or lang, {(it.tracker, it.marker): it for it in kept}, now
    )
    found: dict[str, list[tuple[str, ExistingTicket, MarkerLine]]] = {}
    for name, desk in desks.items():
        for held in desk.held:
            said = marker_line.read(held.body)
            marker = held.marker or (said.marker if said else "")
            if marker:
                found.setdefault(marker, []).append((name, held, said or MarkerLine(marker=marker)))
    for job in jobs.values():
        planner.stands(job, found.get(job.matter.marker, []))
    for marker, tickets in found.items():
        if marker not in jobs:
            planner.gone(marker, tickets)
    new, back = planner.new[: policy.max_new], planner.new[policy.max_new :]
    counts = {severity: sum(it.ticket is not None and it.ticket.severity is severity for it in back)
              for severity in reversed(Severity)}  # fmt: skip
    return Plan(
        actions=[*planner.actions, *new],
        held_back={severity: n for severity, n in counts.items() if n},
        unsettled=planner.unsettled,
        unrouted=unrouted,
    )


def marker_of(finding: Finding, owner: str, policy: Policy) -> str:
    """The name of the ticket that a finding belongs to. What nobody owns has a ticket of its own."""
    if policy.group_by == "owner" and owner:
        return marker_line.digest("owner", owner.lower()) + marker_line.digest("cloudscan", owner.lower())
    return finding.fingerprint


def links(findings: Sequence[Finding], kept: Sequence[TicketRecord], policy: Policy) -> dict[str, list[TicketLink]]:
    """The tickets that stand for findings, by fingerprint, open ones first; what has none is left out."""
    remembered: dict[str, list[TicketLink]] = {}
    for each in kept:
        if each.key:
            link = TicketLink(
                tracker=each.tracker,
                key=each.key,
                url=openable(each.url),
                open=each.phase is TicketPhase.OPEN,
                as_of=each.acted_on,
            )
            remembered.setdefault(each.marker, []).append(link)
    found = {}
    for finding in findings:
        markers = {finding.fingerprint, marker_of(finding, owner_of(finding, policy.owner_from), policy)}
        if told := [link for marker in sorted(markers) for link in remembered.get(marker, ())]:
            found[finding.fingerprint] = sorted(told, key=lambda link: not link.open)
    return found


def _jobs(
    report: Report,
    desks: Mapping[str, TrackerState],
    policy: Policy,
    routes: Sequence[Route],
    deadlines: Mapping[Severity, int],
) -> tuple[dict[str, _Job], int]:
    """The matters that need a ticket, by marker, the worst first; and how many findings no tracker is named for."""
    rules = {rule.id: rule for rule in report.rules}
    groups: dict[str, list[tuple[Finding, Route, str]]] = {}
    unrouted = 0
    for finding in report.findings:
        if finding.state is State.WAIVED or finding.severity < policy.min_severity:
            continue
        route = route_of(finding, routes)
        tracker = route.tracker or policy.tracker or (next(iter(desks)) if len(desks) == 1 else "")
        if tracker not in desks:
            unrouted += 1
            continue
        owner = owner_of(finding, policy.owner_from)
        route = msgspec.structs.replace(route, tracker=tracker)
        groups.setdefault(marker_of(finding, owner, policy), []).append((finding, route, owner))
    jobs = {}
    for marker, members in groups.items():
        finding, route, owner = members[0]
        findings = [each for each, _, _ in members]
        matter = TicketSubject(
            marker=marker,
            owner=owner,
            findings=findings,
            rules={each.verdict.rule_id: rules[each.verdict.rule_id] for each in findings
                   if each.verdict.rule_id in rules},
            severity=max(each.severity for each in findings),
            due=min(_due(each, deadlines) for each in findings),
            by_owner=marker != finding.fingerprint,
        )  # fmt: skip
        jobs[marker] = _Job(matter, route, assignee_of(finding, route, owner), any(each.verified for each in findings))
    return jobs, unrouted


def _due(finding: Finding, deadlines: Mapping[Severity, int]) -> date:
    return finding.first_seen_on.astimezone(UTC).date() + timedelta(days=deadlines[finding.severity])


@dataclass
class _Planner:
    """Collects actions, matter by matter."""

    report: Report
    desks: Mapping[str, TrackerState]
    policy: Policy
    lang: str
    kept: Mapping[tuple[str, str], TicketRecord]
    now: datetime
    actions: list[Action] = field(default_factory=list)
    new: list[Action] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)

    def stands(self, job: _Job, found: Sequence[tuple[str, ExistingTicket, MarkerLine]]) -> None:
        """A matter that stands: one ticket, open, that says how it is."""
        if not found:
            self._create(job)
            return
        (name, held, before), others = self._one_of(found)
        self._duplicates(job.matter.marker, held, others)
        if not held.open and not (job.verified and self._since_then(held)):
            return
        ticket, now = self._ticket(job, name, before)
        if not held.open:
            self._say(name, held, job.matter.marker, CommentContent(note=CommentReason.REOPENED, day=self._day))
            self._do(ActionKind.REOPEN, name, held, job.matter.marker)
        more = marker_line.more(before, now) if before.said else []
        quiet = before.told is not None and (self._day - before.told).days < (self.policy.remind_days or 10**6)
        heard = not held.open or bool(more)
        if more:
            self._say(
                name, held, job.matter.marker, CommentContent(note=CommentReason.WIDENED, day=self._day, widened=more)
            )
        elif held.open and not quiet and before.told is not None and job.verified:
            self._say(name, held, job.matter.marker, CommentContent(note=CommentReason.STILL, day=self._day))
            heard = True
        if heard or before.said != now.said:
            told = self._day if heard or before.told is None else before.told
            written = msgspec.structs.replace(now, told=told)
            self._do(ActionKind.UPDATE, name, held, job.matter.marker, ticket=self._sealed(ticket, name, written))

    def gone(self, marker: str, found: Sequence[tuple[str, ExistingTicket, MarkerLine]]) -> None:
        """A ticket whose matter does not stand: closed where it is resolved or accepted, else left alone."""
        (name, held, said), others = self._one_of(found)
        self._duplicates(marker, held, others)
        if not held.open:
            return
        mine = [each for each in self.report.findings if self._marker(each) == marker]
        waived = [each.waiver for each in mine if each.waiver]
        if mine and len(waived) == len(mine):
            last = max(waived, key=lambda each: each.id)
            self._say(name, held, marker, CommentContent(note=CommentReason.ACCEPTED, day=self._day, waiver=last))
            self._do(ActionKind.CLOSE, name, held, marker)
        elif not mine and self._was_looked_for(said):
            self._say(name, held, marker, CommentContent(note=CommentReason.RESOLVED, day=self._day))
            self._do(ActionKind.CLOSE, name, held, marker)

    def _create(self, job: _Job) -> None:
        name, marker = job.route.tracker, job.matter.marker
        memory = self.kept.get((name, marker))
        index_lag_seconds = timedelta(seconds=self.desks[name].index_lag_seconds)
        if memory and memory.phase is TicketPhase.SENDING and self.now - memory.acted_on < index_lag_seconds:
            self.unsettled.append(marker)
            return
        ticket, now = self._ticket(job, name, None)
        sealed = self._sealed(ticket, name, msgspec.structs.replace(now, told=self._day))
        self.new.append(Action(kind=ActionKind.CREATE, tracker=name, marker=marker, ticket=sealed))

    def _ticket(self, job: _Job, name: str, before: MarkerLine | None) -> tuple[Ticket, MarkerLine]:
        desk, matter = self.desks[name], job.matter
        title, body = desk.wording.title(matter, self.lang), desk.wording.body(matter, self.lang)
        platforms = sorted({each.verdict.subject.platform for each in matter.findings} - {""})
        labels = [LABEL, f"severity-{matter.severity}", *platforms]
        said = marker_line.digest(title, body, *labels, str(matter.due))
        ticket = Ticket(
            marker=matter.marker,
            title=title,
            body=body,
            severity=matter.severity,
            labels=labels,
            due=matter.due,
            project=job.route.project,
            assignee=job.assignee,
            fallback_assignee=job.route.fallback_assignee or desk.fallback_assignee,
            fingerprints=[each.fingerprint for each in matter.findings],
        )
        return ticket, marker_line.marker_line_of(matter, said, before.told if before and before.told else self._day)

    def _sealed(self, ticket: Ticket, name: str, seal: MarkerLine) -> Ticket:
        line = self.desks[name].wording.aside(marker_line.line(seal))
        return msgspec.structs.replace(ticket, body=f"{ticket.body}\n\n{line}\n")

    def _one_of(
        self, found: Sequence[tuple[str, ExistingTicket, MarkerLine]]
    ) -> tuple[tuple[str, ExistingTicket, MarkerLine], Sequence[tuple[str, ExistingTicket, MarkerLine]]]:
        """The ticket that counts, and the others: an open one before a closed one, and the oldest of them."""
        ordered = sorted(found, key=lambda each: (not each[1].open, _age(each[1].key)))
        return ordered[0], ordered[1:]

    def _duplicates(
        self, marker: str, held: ExistingTicket, others: Iterable[tuple[str, ExistingTicket, MarkerLine]]
    ) -> None:
        for name, other, _ in others:
            if other.open:
                self._say(
                    name,
                    other,
                    marker,
                    CommentContent(note=CommentReason.DUPLICATE, day=self._day, instead=held.url or held.key),
                )
                self._do(ActionKind.CLOSE, name, other, marker)

    def _say(self, name: str, held: ExistingTicket, marker: str, news: CommentContent) -> None:
        cause = f"waiver-{news.waiver.id}" if news.waiver else self.report.scan.id[:12]
        sign = f"cloudscan:{news.note}-{cause}"
        wording = self.desks[name].wording
        text = f"{wording.news(news, self.lang)}\n\n{wording.aside(sign)}"
        self._do(ActionKind.COMMENT, name, held, marker, text=text, sign=sign)

    def _do(
        self,
        kind: ActionKind,
        name: str,
        held: ExistingTicket,
        marker: str,
        *,
        ticket: Ticket | None = None,
        text: str = "",
        sign: str = "",
    ) -> None:
        self.actions.append(
            Action(kind=kind, tracker=name, marker=marker, key=held.key, ticket=ticket, text=text, sign=sign)
        )

    def _since_then(self, held: ExistingTicket) -> bool:
        """Whether the scan began after the ticket was closed: who closes it gets until the next scan to be right."""
        return held.closed_on is None or held.closed_on < self.report.scan.started_on

    def _was_looked_for(self, said: MarkerLine) -> bool:
        """Whether the report would name it if it still stood: its rules were applied, its accounts are there."""
        rules = {rule.id for rule in self.report.rules}
        accounts = {row.account for row in self.report.coverage} | {
            each.verdict.subject.account for each in self.report.findings
        }
        return bool(said.rules) and set(said.rules) <= rules and set(said.accounts) <= accounts

    def _marker(self, finding: Finding) -> str:
        return marker_of(finding, owner_of(finding, self.policy.owner_from), self.policy)

    @property
    def _day(self) -> date:
        return self.report.scan.started_on.astimezone(UTC).date()


def _age(key: str) -> int:
    """Tickets are numbered in the order in which they are made; without numbers, the order of the list is theirs."""
    number = key.rpartition("-")[2].rpartition("#")[2]
    return int(number) if number.isdecimal() and len(number) < 12 else 0
