"""What the HTML page shows, put into words once: the templates get one `PageModel` and call nothing but its language.

What the page carries for its script is not part of it: see `cloudscan_reports.page.payload`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from markupsafe import Markup

from cloudscan.finding import Finding, Severity, Waiver
from cloudscan.report import Difference, Report, RuleSummary, TicketLink, WaiverStatus
from cloudscan.text import openable
from cloudscan_reports.page.framework_view import PageFramework, page_frameworks
from cloudscan_reports.summary import first_page, opinions
from cloudscan_reports.summary.counts import direction
from cloudscan_reports.summary.first_page import FirstPage, completeness
from cloudscan_reports.summary.gaps import GapGroup, nothing_missing, tally
from cloudscan_reports.summary.opinions import WordedOpinion, worded_opinions
from cloudscan_reports.summary.partners import WordedPartner, worded_partners
from cloudscan_wording import phrases
from cloudscan_wording.phrases import Step
from cloudscan_wording.texts import Texts
from cloudscan_wording.visible import visible
from cloudscan_wording.worded_finding import changed, rejudged
from cloudscan_wording.worded_gap import OPEN, Standing, worded_gap

MOST_STATIC = 200  # findings in the page itself, for readers without JavaScript
MOST_GROUPS = 100  # rows of a table
MOST_NAMES = 12  # names of a rule's unknown cases
MOST_LOCATIONS = 25  # of a group of gaps
MOST_REASONS = 3  # of a group of gaps, and groups of gaps behind a rule's unknown cases
MOST_RESOLVED = 20  # findings that were resolved since the previous scan
_MOST_PARTNERS = 200
_MOST_OPINIONS = 200
_MOST_CAUSES = 4  # of a step of the roadmap
_WAIVER_GROUPS = ("overdue", "widened", "due_soon", "unused", "in_force")


@dataclass(frozen=True, kw_only=True)
class PageTicket:
    """A ticket of a finding."""

    key: str
    url: str  # empty if it is not safe to open
    tracker: str
    state: str


@dataclass(frozen=True, kw_only=True)
class PageFinding:
    """A finding in words. What does not apply to it is empty."""

    fingerprint: str
    rule_id: str
    severity: Severity
    message: str
    because: str
    reach: str
    since: str
    state: str
    verified: bool
    change: str
    judged: str  # that it is judged differently, and since when; empty if the cloud changed
    tickets: Sequence[PageTicket]
    owner: str
    account: str
    why: str
    steps: Sequence[Step]
    chain: Sequence[str]
    known_rule: bool  # the report has its rule, and so its texts


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A finding that was resolved, or is judged differently, since the previous scan."""

    name: str
    rule: str  # its title, or its id
    reason: str


@dataclass(frozen=True, kw_only=True)
class PageLocation:
    """What one missing answer would have been about."""

    name: str
    looked_at: str
    gap: str  # its id, by which it can be waived
    new: bool


@dataclass(frozen=True, kw_only=True)
class PageGap:
    """Gaps with the same question and cause, in words. What does not apply to them is empty."""

    asked: str
    standing: str  # the key of its word
    platform: str
    accounts: Sequence[str]
    outcome: str
    whys: Sequence[str]
    whys_left: int
    advice: Sequence[str]
    needs: Sequence[str]
    hides: Sequence[str]
    waived: Sequence[str]  # by whom, until when and why
    since: str
    new: int
    count: int
    locations: Sequence[PageLocation]
    locations_left: int


@dataclass(frozen=True, kw_only=True)
class PageUnknownRule:
    """A rule that could not be evaluated on some subjects."""

    title: str
    cases: int
    names: Sequence[str]  # of some of them
    gaps: Sequence[PageGap]  # that left it undecided, as far as known


@dataclass(frozen=True, kw_only=True)
class PageWaiver:
    """A waiver in words."""

    fingerprint: str  # of its only finding; else empty
    covers: str
    notes: Sequence[str]  # beside the one of its group
    widened: int  # findings that widened beyond it
    widened_in: str
    until: str
    owner: str
    reason: str
    given_on: str
    findings: int


@dataclass(frozen=True, kw_only=True)
class WaiverGroup:
    """Waivers that need the same attention."""

    note: str  # the key of its title
    waivers: Sequence[PageWaiver]
    total: int


@dataclass(frozen=True, kw_only=True)
class PageModel:
    """Everything that the page shows without its script, in one language."""

    report: Report
    first_page: FirstPage
    static: Sequence[PageFinding]
    risk_chart: Markup | None
    trend_chart: Markup | None
    trend_notes: Sequence[str]  # where the curve moves without a change in the cloud
    resolved: Sequence[Resolved]
    resolved_left: int
    rejudged: Sequence[Resolved]
    rejudged_left: int
    unknown_rules: Sequence[PageUnknownRule]
    complete: str  # whether all in scope was read
    nothing_missing: str  # empty if something is
    gaps: Sequence[PageGap]
    gaps_left: int
    tally: str  # how many gaps there are, and how many of them are new or waived
    can_be_waived: bool  # a ledger knows them
    waived_gaps: Sequence[PageGap]
    not_judged: Sequence[PageGap]  # doors that are there, and that cloudscan does not judge
    apart: Sequence[PageGap]  # left out on purpose, or not offered here
    permissions: Sequence[tuple[str, int]]
    waivers: Sequence[WaiverGroup]
    frameworks: Sequence[PageFramework]
    partners: Sequence[WordedPartner]
    opinions: Sequence[WordedOpinion]
    opinions_tally: str  # empty: no opinion was had
    most_causes: int = _MOST_CAUSES


def page_model(report: Report, texts: Texts) -> PageModel:
    """The page of a report whose texts are carriable."""
    summary = first_page.first_page(report, texts)
    not_seen = summary.unseen
    rules = {rule.id: rule for rule in report.rules}
    changes, judged = changed(report), rejudged(report)

    def worded(findings: Sequence[Finding]) -> Sequence[PageFinding]:
        return [
            _finding(
                finding,
                rules.get(finding.verdict.rule_id),
                changes.get(finding.fingerprint, ""),
                phrases.rejudged(texts, judged.get(finding.fingerprint)),
                report.tickets.get(finding.fingerprint, ()),
                report.generated_on,
                texts,
            )
            for finding in findings
        ]

    resolved = summary.changes.resolved if summary.changes else ()
    by_judgement = summary.changes.rejudged if summary.changes else ()
    return PageModel(
        report=report,
        first_page=summary,
        static=worded(report.findings[:MOST_STATIC]),
        risk_chart=first_page.risk_chart(summary.causes, texts),
        trend_chart=first_page.trend_chart(report, texts),
        trend_notes=first_page.trend_notes(report, texts),
        resolved=[_resolved(difference, rules, texts) for difference in resolved[:MOST_RESOLVED]],
        resolved_left=max(len(resolved) - MOST_RESOLVED, 0),
        rejudged=[
            replace(_resolved(difference, rules, texts), reason=direction(difference, texts))
            for difference in by_judgement[:MOST_RESOLVED]
        ],
        rejudged_left=max(len(by_judgement) - MOST_RESOLVED, 0),
        unknown_rules=[
            PageUnknownRule(
                title=phrases.rule_text(unknown.rule, texts.lang).title,
                cases=len(unknown.verdicts),
                names=[verdict.subject.name or verdict.subject.uid for verdict in unknown.verdicts[:MOST_NAMES]],
                gaps=[_gap(group, texts) for group in unknown.gaps[:MOST_REASONS]],
            )
            for unknown in not_seen.unknown_rules[:MOST_GROUPS]
        ],
        complete=completeness(report, texts),
        nothing_missing=nothing_missing(not_seen, texts) if not_seen.nothing else "",
        gaps=[_gap(group, texts) for group in not_seen.gaps[:MOST_GROUPS]],
        gaps_left=max(len(not_seen.gaps) - MOST_GROUPS, 0),
        tally=tally(not_seen, texts),
        can_be_waived=any(gap.row.gap for group in not_seen.gaps for gap in group.gaps),
        waived_gaps=[_gap(group, texts) for group in not_seen.waived[:MOST_GROUPS]],
        not_judged=[_gap(group, texts) for group in not_seen.not_judged[:MOST_GROUPS]],
        apart=[_gap(group, texts) for group in not_seen.apart[:MOST_GROUPS]],
        permissions=not_seen.permissions[:MOST_GROUPS],
        waivers=_waiver_groups(report, texts),
        frameworks=page_frameworks(report, texts.lang),
        partners=worded_partners(report, texts)[:_MOST_PARTNERS],
        opinions=worded_opinions(report.opinions, texts)[:_MOST_OPINIONS] if report.opinions else (),
        opinions_tally=opinions.tally(report.opinions, texts) if report.opinions else "",
    )


def _finding(
    finding: Finding,
    rule: RuleSummary | None,
    change: str,
    judged: str,
    tickets: Sequence[TicketLink],
    now: datetime,
    texts: Texts,
) -> PageFinding:
    rule_text = phrases.rule_text(rule, texts.lang) if rule else None
    return PageFinding(
        fingerprint=finding.fingerprint,
        rule_id=finding.verdict.rule_id,
        severity=finding.severity,
        message=phrases.message_of(finding, texts.lang),
        because=phrases.because(finding, texts.lang),
        reach=phrases.reach(texts, finding.verdict),
        since=phrases.since(texts, finding, now),
        state=phrases.waived(texts, finding) or texts.name("state", finding.state),
        verified=finding.verified,
        change=texts.name("change", change) if change else "",
        judged=judged,
        tickets=[
            PageTicket(
                key=ticket.key,
                url=openable(ticket.url),
                tracker=ticket.tracker,
                state=phrases.ticket_state(texts, ticket),
            )
            for ticket in tickets
        ],
        owner=finding.verdict.subject.owner,
        account=finding.verdict.subject.account,
        why=rule_text.why if rule_text else "",
        steps=phrases.filled_steps(rule_text.fix, phrases.fields_of(finding.verdict), texts.lang) if rule_text else (),
        chain=phrases.first_chain(finding, texts.lang),
        known_rule=rule is not None,
    )


def _gap(group: GapGroup, texts: Texts) -> PageGap:
    row = group.example.row
    return PageGap(
        asked=group.example.asked,
        standing=group.standing,
        platform=texts.name("platform", row.platform),
        accounts=group.accounts,
        outcome=texts.name("outcome", row.outcome),
        whys=group.whys[:MOST_REASONS],
        whys_left=max(len(group.whys) - MOST_REASONS, 0),
        advice=group.advice[:MOST_REASONS],
        needs=group.needs[:MOST_NAMES],
        hides=group.hides[:MOST_REASONS] if group.standing in (*OPEN, Standing.WAIVED) else (),
        waived=[phrases.waived_by(texts, waiver) for waiver in group.waivers[:MOST_REASONS]],
        since=texts.say("unseen.since", day=texts.day(group.since)) if group.since else "",
        new=group.new,
        count=len(group.gaps),
        locations=[
            PageLocation(name=gap.location, looked_at=gap.looked_at, gap=gap.row.gap, new=gap.standing is Standing.NEW)
            for gap in group.gaps[:MOST_LOCATIONS]
        ],
        locations_left=max(len(group.gaps) - MOST_LOCATIONS, 0),
    )


def _resolved(difference: Difference, rules: Mapping[str, RuleSummary], texts: Texts) -> Resolved:
    return Resolved(
        name=difference.name,
        rule=_rule_title(rules.get(difference.rule_id), difference.rule_id, texts),
        reason=texts.name("event", difference.reason) if difference.reason else "",
    )


def _rule_title(rule: RuleSummary | None, rule_id: str, texts: Texts) -> str:
    return phrases.rule_text(rule, texts.lang).title if rule else rule_id


def _waiver_groups(report: Report, texts: Texts) -> Sequence[WaiverGroup]:
    """The waivers by what they need, the most pressing first; each waiver is in one group."""
    groups: dict[str, list[WaiverStatus]] = {note: [] for note in _WAIVER_GROUPS}
    for status in report.waivers:
        groups[next((note for note in _WAIVER_GROUPS if note in status.notes), "in_force")].append(status)
    return [
        WaiverGroup(
            note=note,
            waivers=[_waiver(status, note, report, texts) for status in statuses[:MOST_GROUPS]],
            total=len(statuses),
        )
        for note, statuses in groups.items()
        if statuses
    ]


def _waiver(status: WaiverStatus, group: str, report: Report, texts: Texts) -> PageWaiver:
    waiver = status.waiver
    widened_in = dict.fromkeys(name for amounts in status.widened.values() for name in amounts)
    return PageWaiver(
        fingerprint=waiver.fingerprint,
        covers=_covers(waiver, report, texts),
        notes=[*(texts.name("waivers", note) for note in status.notes if note != group), *_looked_at(status, texts)],
        widened=len(status.widened),
        widened_in=texts.say("list.comma").join(texts.name("widened", name) for name in widened_in),
        until=texts.date(waiver.until),
        owner=waiver.owner,
        reason=waiver.reason,
        given_on=texts.day(waiver.given_on),
        findings=len(status.findings),
    )


def _looked_at(status: WaiverStatus, texts: Texts) -> Iterator[str]:
    """How often it was renewed, and what the last review decided."""
    if status.renewals:
        yield texts.count("waivers.renewed", status.renewals)
    if status.reviews:
        last = status.reviews[-1]
        yield texts.say(f"waivers.review_{last.decision.value}", day=texts.day(last.on), by=visible(last.by))


def _covers(waiver: Waiver, report: Report, texts: Texts) -> str:
    """What a waiver is about: a finding, a gap, a rule, a target, or a rule on a target."""
    if waiver.gap:
        row = next((row for row in report.coverage if row.gap == waiver.gap), None)
        gap = worded_gap(row, report, texts) if row else None
        question, where = (gap.asked, gap.location) if gap else (waiver.gap, "")
        return texts.say("waivers.gap", question=question, where=where) if where else question
    if waiver.fingerprint:
        finding = next((finding for finding in report.findings if finding.fingerprint == waiver.fingerprint), None)
        return phrases.message_of(finding, texts.lang) if finding else waiver.fingerprint
    if not waiver.rule_id:
        return texts.say("waivers.all_in_target", target=waiver.target)
    rule = next((rule for rule in report.rules if rule.id == waiver.rule_id), None)
    title = _rule_title(rule, waiver.rule_id, texts)
    if not waiver.target:
        return texts.say("waivers.everywhere", rule=title)
    return texts.say("waivers.in_target", rule=title, target=waiver.target)
