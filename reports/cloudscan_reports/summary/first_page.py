"""What the first page says: five questions of a director, each answered in a sentence, and the figures behind them.

`first_page` is computed once for each report and language; the HTML page, the PDF and Markdown show their part of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cloudscan.facts import Audience
from cloudscan.finding import Finding, Severity
from cloudscan.report import Report, RuleSummary
from cloudscan_reports.summary import charts, counts, ranking
from cloudscan_reports.summary.answers import Answer, answers, facts, worst_of
from cloudscan_reports.summary.estimates import cost, percent_range
from cloudscan_reports.summary.gaps import Unseen, unseen
from cloudscan_reports.summary.named_case import NamedCase, named_case, team_name
from cloudscan_reports.summary.open_fixes import OpenFix, open_fixes
from cloudscan_reports.summary.ranking import Cause, Step
from cloudscan_reports.summary.splits import PlatformRead, Split, platforms_read, splits
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, number
from cloudscan_wording.visible import visible

_MOST_NOTES = 5  # beside the trend
_MOST_CASES = 5  # where to start
_MOST_TEAMS = 6  # of a step of the roadmap


@dataclass(frozen=True, kw_only=True)
class RankedCause:
    """A cause of leaks with its name, its main countermeasure, its amounts and its cost in words."""

    cause: Cause
    name: str
    measure: str
    resources: str
    cost: str


@dataclass(frozen=True, kw_only=True)
class RoadmapStep:
    """A step of the roadmap with its cost, its teams and the remaining risk in words."""

    step: Step
    cost: str
    teams: Sequence[str]
    risk_left: str


@dataclass(frozen=True, kw_only=True)
class ExternalTimeOpen:
    """For how long external users have been able to reach what they can reach today, all findings together."""

    findings: int
    resource_days: float
    longest: float  # days


@dataclass(frozen=True, kw_only=True)
class FirstPage:
    """What a report comes to, in one language."""

    needing_work: Sequence[Finding]
    fixes: int  # that close them
    severities: Mapping[Severity, int]  # fixes by severity
    open_to_all: int  # resources behind them that anyone on the internet can reach
    blind: bool  # something could not be read or evaluated
    worst: NamedCase | None  # what would hurt most; None if nothing needs work
    facts: Sequence[tuple[str, str]]  # what is known of it, each with its label
    start: Sequence[NamedCase]  # where to start: the worst ones
    answers: Sequence[Answer]
    ranking: Sequence[RankedCause]
    time_open: ExternalTimeOpen | None  # None if the ledger has no history of these findings
    roadmap: Sequence[RoadmapStep]
    hours_a_month: float  # that the roadmap assumes
    splits: Sequence[Split]
    read: Sequence[PlatformRead]
    changes: counts.Changes | None
    unseen: Unseen

    @property
    def causes(self) -> Sequence[Cause]:
        """The causes without their wording, in their order."""
        return [ranked.cause for ranked in self.ranking]


def first_page(report: Report, texts: Texts) -> FirstPage:
    """What the report comes to."""
    rules = {rule.id: rule for rule in report.rules}
    work, waiting = counts.needing_work(report), open_fixes(report)
    causes = ranking.causes(report)
    steps = ranking.roadmap(report, [one.fix for one in waiting])
    not_seen, read = unseen(report, texts), platforms_read(report, texts)
    worst = worst_of(waiting, causes, rules)
    case = named_case(worst, report, texts) if worst else None
    return FirstPage(
        needing_work=work,
        fixes=len(waiting),
        severities=counts.by_severity(waiting),
        open_to_all=counts.open_to_all(work),
        blind=bool(report.unknowns) or not report.complete,
        worst=case,
        facts=facts(case, texts) if case else (),
        start=[named_case(one, report, texts) for one in _in_order(waiting, worst)[:_MOST_CASES]],
        answers=answers(report, texts, worst, waiting, steps, not_seen, read),
        ranking=[
            RankedCause(
                cause=cause,
                name=texts.name("cause", cause.cause),
                measure=_measure(cause, rules, texts),
                resources=_resources(cause, texts),
                cost=cost(texts, cause.hours_range),
            )
            for cause in causes
        ],
        time_open=_external_time_open(report),
        roadmap=[
            RoadmapStep(
                step=step,
                cost=cost(texts, step.hours_range),
                teams=[
                    texts.count(
                        "roadmap.team",
                        share.fixes,
                        team=team_name(share.team, texts),
                        cost=cost(texts, share.hours_range),
                    )
                    for share in step.teams[:_MOST_TEAMS]
                ],
                risk_left=percent_range(step.risk_left),
            )
            for step in steps
        ],
        hours_a_month=ranking.HOURS_A_MONTH,
        splits=splits(waiting, texts),
        read=read,
        changes=counts.changed(report, texts),
        unseen=not_seen,
    )


def _in_order(waiting: Sequence[OpenFix], worst: OpenFix | None) -> Sequence[OpenFix]:
    """The fixes with the one that stands for all in front: others may be as bad."""
    return [*([worst] if worst else []), *(one for one in waiting if one is not worst)]


def completeness(report: Report, texts: Texts) -> str:
    """Whether all in scope was read, in a phrase, and whether all of that is shown."""
    waived = any(row.outcome.is_gap for row in report.coverage)
    complete = texts.say("page.complete_but_waived" if waived else "page.complete")
    read = complete if report.complete else texts.say("page.incomplete")
    if not report.only:
        return read
    only = texts.say("page.only", only=texts.say("list.comma").join(map(visible, report.only)))
    return texts.say("list.stop").join((only, read))


def risk_chart(causes: Sequence[Cause], texts: Texts) -> Markup | None:
    """The causes by likelihood and impact, with a description that lists them; None if there are none."""
    if not causes:
        return None
    description = [
        texts.say(
            "ranking.chart_read",
            n=order,
            cause=visible(texts.name("cause", cause.cause)),
            likelihood=cause.likelihood,
            impact=number(cause.impact),
        )
        for order, cause in enumerate(causes, 1)
    ]
    return charts.risks(
        causes,
        x_title=texts.say("ranking.likelihood"),
        y_title=texts.say("ranking.impact"),
        title=texts.say("ranking.chart"),
        description=texts.say("list.stop").join(description),
    )


def trend_chart(report: Report, texts: Texts) -> Markup | None:
    """The sum of the scores, scan by scan; None if there are fewer than two to draw a line between."""
    scans = [(scan, scan.figures) for scan in report.trend if scan.figures]
    if len(scans) < 2:
        return None
    (first, before), (last, now) = scans[0], scans[-1]
    return charts.trend(
        [
            charts.Mark(
                on=scan.started_on,
                day=texts.day(scan.started_on),
                value=scan.figures.score if scan.figures and scan.figures.resources != 0 else None,
            )
            for scan in report.trend
        ],
        title=texts.say("ranking.trend"),
        description=texts.say(
            "ranking.trend_read",
            **{"from": texts.day(first.started_on), "to": texts.day(last.started_on)},
            first=number(before.score),
            last=number(now.score),
        ),
    )


def trend_notes(report: Report, texts: Texts) -> Sequence[str]:
    """Where the curve moves without a change in the cloud: the last scans by which findings are judged differently."""
    scans = [(scan, scan.figures) for scan in report.trend if scan.figures and scan.figures.rejudged]
    return [
        texts.count(
            "ranking.trend_rejudged",
            figures.rejudged or 0,
            day=texts.day(scan.started_on),
            by=texts.say("list.comma").join(
                texts.say(f"basis.{change}", version=figures.version) for change in figures.basis_changes
            ),
        )
        for scan, figures in scans[-_MOST_NOTES:]
    ]


def _measure(cause: Cause, rules: Mapping[str, RuleSummary], texts: Texts) -> str:
    """The main countermeasure: the first step of the fix that removes most risk; for waived findings, a review."""
    if cause.cause == ranking.EXCEPTION:
        return texts.say("ranking.review_waivers")
    rule = rules.get(cause.rule_id)
    if rule is None:
        return ""
    steps = phrases.steps(phrases.rule_text(rule, texts.lang).fix)
    return steps[0].text if steps else ""


def _external_time_open(report: Report) -> ExternalTimeOpen | None:
    periods = [
        report.time_open[finding.fingerprint]
        for finding in report.findings
        if _is_external(finding) and finding.fingerprint in report.time_open
    ]
    if not periods:
        return None
    return ExternalTimeOpen(
        findings=len(periods),
        resource_days=sum(period.resource_days for period in periods),
        longest=max(period.days for period in periods),
    )


def _is_external(finding: Finding) -> bool:
    audience = phrases.audience_of(finding.verdict)
    return isinstance(audience, Audience) and audience >= Audience.NAMED_EXTERNAL


def _resources(cause: Cause, texts: Texts) -> str:
    """How many files are affected, and that some were not counted."""
    counted = number(cause.resources)
    if not cause.uncounted:
        return counted
    return texts.say("ranking.and_uncounted", n=counted) if cause.resources else texts.say("ranking.uncounted")
