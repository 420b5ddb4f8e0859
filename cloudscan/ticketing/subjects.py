"""What tickets are about, and which existing ticket is about what. Pure functions.

A ticket is about one fix; with ``group_by`` about a single finding, or about all fixes of one person that go to one
place: what one route sends to one project is not told in another. Where that, or a finding's fix, has changed since a
ticket was written, the ticket is adopted: it is recognised by the marker of any of its findings, and rewritten.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import msgspec

from cloudscan.days import day_of
from cloudscan.finding import Finding, State
from cloudscan.fix import Fix, fixes, key_of, origin_of
from cloudscan.recipient import PASSED_ON, Recipient, withheld
from cloudscan.report import Rejudged, Report, RuleSummary, Terms, opened_by_judgement
from cloudscan.ticketing import marker_line
from cloudscan.ticketing.marker_line import MarkerLine, beginning
from cloudscan.ticketing.policy import Grouping, Policy
from cloudscan.ticketing.renames import Renames
from cloudscan.ticketing.routing import Route, assignee_of, destination_of, owner_of, recipient_for, route_of
from cloudscan.tracker import ExistingTicket, TicketRecord, TicketSubject

_EPOCH = date(1970, 1, 1)
Names = Mapping[str, Sequence[str]]
"""By a finding's fingerprint: everything by which a marker line may speak of it (`names_of`)."""


@dataclass(frozen=True)
class Job:
    """A subject on its way to a tracker."""

    subject: TicketSubject
    route: Route
    project: str  # as the route says, or else the tracker's own
    assignee: str
    verified: bool


@dataclass(frozen=True)
class Match:
    """An existing ticket of ours, and its marker line with today's names."""

    tracker: str
    ticket: ExistingTicket
    line: MarkerLine
    renamed: bool  # whether the ticket still shows older names
    adopted: bool = False  # whether it was written about something else than it is about now

    @property
    def names(self) -> Sequence[str]:
        """What it was about; with too many findings to name them, all that its marker may stand for."""
        marker = self.line.marker
        return (marker, *self.line.of) if self.line.of else (marker, beginning(marker))


@dataclass(frozen=True)
class _Member:
    fix: Fix
    route: Route
    recipient: Recipient


@dataclass(frozen=True, kw_only=True)
class _Judging:
    """What all subjects need to know of the report."""

    rules: Mapping[str, RuleSummary]
    rejudged: Mapping[str, Rejudged]  # by fingerprint
    today: date
    timezone: str


def jobs_of(
    report: Report,
    trackers: Mapping[str, str],
    policy: Policy,
    routes: Sequence[Route],
    terms: Terms,
    left_out: Collection[str] = (),
) -> tuple[dict[str, Job], int]:
    """The subjects that need a ticket, by marker, the worst first; and how many findings have no tracker.

    `trackers` are those that were asked for, with the project that each uses where a route names none, `left_out` the
    names of the others.
    """
    groups: dict[str, list[_Member]] = {}
    unrouted = 0
    for fix in _fixes(report, policy):
        route = route_of(fix.lead, routes)
        tracker = route.tracker or policy.tracker or (next(iter(trackers)) if len(trackers) == 1 else "")
        if tracker not in trackers:
            unrouted += len(fix.findings) if tracker not in left_out else 0
            continue
        recipient = recipient_for(fix.lead, policy.owner_from, terms.domains)
        member = _Member(fix, msgspec.structs.replace(route, tracker=tracker), recipient)
        marker = _marker(fix, recipient, policy, destination_of(fix.lead, route, recipient, terms.domains))
        groups.setdefault(marker, []).append(member)
    judging = _Judging(
        rules={rule.id: rule for rule in report.rules},
        rejudged=opened_by_judgement(report),
        today=day_of(report.scan.started_on, report.timezone),
        timezone=report.timezone,
    )
    return {marker: _job(marker, members, judging, terms, trackers) for marker, members in groups.items()}, unrouted


def person_marker(name: str, destination: str = "") -> str:
    """The marker of the ticket about all fixes of a person, by address or name, that go to one destination.

    All of a person's begin alike, so that a ticket is recognised when its destination has changed.
    """
    parts = (name.lower(), destination) if destination else (name.lower(),)
    return marker_line.text_digest("owner", name.lower()) + marker_line.text_digest("cloudscan", *parts)


def markers_of(finding: Finding, grouping: Grouping) -> Sequence[str]:
    """Every marker that a ticket about a finding may have, however tickets were grouped when it was written."""
    policy = grouping.policy
    names = {owner_of(finding, [source]) for source in policy.owner_from}
    owner = finding.verdict.subject.responsible
    if owner and owner.manager and withheld(owner) in PASSED_ON:
        names.add(owner.manager.address or owner.manager.name)
    names.discard("")
    people = {person_marker(name) for name in names}
    if names and policy.group_by == "owner":
        recipient = recipient_for(finding, policy.owner_from, grouping.domains)
        route = route_of(finding, grouping.routes)
        destination = destination_of(finding, route, recipient, grouping.domains)
        people |= {person_marker(name, destination) for name in names}
    return list(dict.fromkeys([finding.fingerprint, key_of(finding), *sorted(people)]))


def matches_of(
    name: str, existing: Sequence[ExistingTicket], renames: Renames, records: Mapping[tuple[str, str], TicketRecord]
) -> list[Match]:
    """A tracker's tickets of ours, with the names of today. What was taken out of a text is known from `records`."""
    matches = []
    for ticket in existing:
        written = marker_line.read(ticket.body)
        marker = ticket.marker or (written.marker if written else "")
        if marker:
            record = records.get((name, marker))
            remembered = marker_line.read(record.marker_line) if record and record.key == ticket.key else None
            old = written or remembered or MarkerLine(marker=marker)
            line = msgspec.structs.replace(renames.line(old), marker=renames.marker(marker))
            matches.append(Match(name, ticket, line, renamed=line != written or line.marker != marker))
    return matches


def assigned(
    matches: Sequence[Match], jobs: Mapping[str, Job], report: Report, names: Names
) -> tuple[dict[str, list[Match]], dict[str, list[Match]]]:
    """The tickets by the job that they are for, and those for which there is none, by their own marker.

    `names` are those of the report's findings.
    """
    index = _index(jobs, report, names)
    taken: dict[str, list[Match]] = {}
    left: dict[str, list[Match]] = {}
    for match in matches:
        marker = match.line.marker
        target = marker if marker in jobs else _adopter(match, jobs, index)
        if target is None:
            left.setdefault(marker, []).append(match)
        elif target == marker:
            taken.setdefault(target, []).append(match)
        else:
            taken.setdefault(target, []).append(replace(match, renamed=True, adopted=True))
    return taken, left


def _adopter(match: Match, jobs: Mapping[str, Job], index: Mapping[str, Sequence[str]]) -> str | None:
    """The job that takes a ticket over. A ticket of a person is only taken by what goes to the place where it is."""
    for name in match.names:
        for marker in index.get(name, ()):
            job = jobs[marker]
            elsewhere = match.ticket.project and match.ticket.project != job.project
            if not job.subject.by_owner or (match.tracker == job.route.tracker and not elsewhere):
                return marker
    return None


def names_of(finding: Finding, grouping: Grouping) -> Sequence[str]:
    """Everything by which a marker line may speak of a finding: its markers, and their beginnings."""
    markers = markers_of(finding, grouping)
    return list(dict.fromkeys([*markers, *map(beginning, markers)]))


def last_day_of_waiver(today: date, most_days: int) -> date:
    """The last day of a waiver that is given today or in the weeks to come.

    It changes every half of the longest time a waiver may last, so that a ticket is not rewritten every night.
    """
    block = max(1, most_days // 2)
    return _EPOCH + timedelta(days=((today - _EPOCH).days // block + 2) * block - 1)


def _fixes(report: Report, policy: Policy) -> Sequence[Fix]:
    work = [
        finding
        for finding in report.findings
        if finding.state is not State.WAIVED and finding.severity >= policy.min_severity
    ]
    if policy.group_by == "finding":
        return [Fix(key=one.fingerprint, origin=origin_of(one), findings=[one]) for one in work]
    return fixes(work)


def _marker(fix: Fix, recipient: Recipient, policy: Policy, destination: str) -> str:
    """The marker of the ticket for a fix. With nobody to receive it, it has a ticket of its own."""
    is_grouped = policy.group_by == "owner" and recipient.person
    return person_marker(recipient.address, destination) if is_grouped else fix.key


def _job(marker: str, members: Sequence[_Member], judging: _Judging, terms: Terms, trackers: Mapping[str, str]) -> Job:
    worst = members[0]
    lead, by_owner = worst.fix.lead, marker != worst.fix.key
    findings = [finding for member in members for finding in member.fix.findings]
    rules, rejudged = judging.rules, judging.rejudged
    subject = TicketSubject(
        marker=marker,
        owner=worst.recipient.address if by_owner else lead.verdict.subject.owner,
        recipient=worst.recipient,
        findings=findings,
        rules={one.verdict.rule_id: rules[one.verdict.rule_id] for one in findings if one.verdict.rule_id in rules},
        severity=max(finding.severity for finding in findings),
        due=min(_due(finding, terms, judging.timezone) for finding in findings),
        timezone=judging.timezone,
        by_owner=by_owner,
        contact=terms.contact,
        waive_until=last_day_of_waiver(judging.today, terms.waiver_days),
        rejudged={one.fingerprint: rejudged[one.fingerprint] for one in findings if one.fingerprint in rejudged},
    )
    assignee = assignee_of(lead, worst.route, worst.recipient, terms.domains)
    project = worst.route.project or trackers[worst.route.tracker]
    return Job(subject, worst.route, project, assignee, verified=any(finding.verified for finding in findings))


def _index(jobs: Mapping[str, Job], report: Report, names: Names) -> Mapping[str, Sequence[str]]:
    """The jobs for each marker that a ticket may show, the worst first: it takes a ticket that was about several."""
    index: dict[str, list[str]] = {}
    for marker, job in jobs.items():
        aliases = {alias for finding in job.subject.findings for alias in names[finding.fingerprint]}
        for alias in aliases:
            index.setdefault(alias, []).append(marker)
    for finding in report.findings:  # those of a fix of which only a part is waived
        fix = index.get(key_of(finding)) if finding.state is State.WAIVED else None
        if fix:
            for alias in (finding.fingerprint, beginning(finding.fingerprint)):
                index.setdefault(alias, fix)
    return index


def _due(finding: Finding, terms: Terms, timezone: str) -> date:
    return day_of(finding.first_seen_on, timezone) + timedelta(days=terms.days_for(finding))


def fallback_of(route: Route, tracker_fallback: str, terms: Terms) -> str:
    """Who takes a ticket that nobody else may receive: as configured, or the contact if it is an address."""
    contact = terms.contact.strip()
    return route.fallback_assignee or tracker_fallback or (contact if _is_address(contact) else "")


def _is_address(text: str) -> bool:
    return text.count("@") == 1 and not any(sign.isspace() for sign in text)
