"""What the first page says: five questions of a director, each answered in a sentence, and the figures behind them.

`first_page` is computed once for each report and language; the HTML page, the PDF and Markdown show their part of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cloudscan.facts import Audience
from cloudscan.finding import Finding, Severity
from cloudscan.report import Report, RuleSummary, Scan
from cloudscan_reports.summary import charts, counts, ranking
from cloudscan_reports.summary.gaps import Unseen, unseen
from cloudscan_reports.summary.ranking import Cause, Step
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, number
from cloudscan_wording.visible import visible

_HOURS_A_DAY = 8
_DAYS_A_MONTH = 20
_MOST_NOTES = 5  # beside the trend


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A question, the short answer, and the anchor of the section with the details."""

    question: str
    short: str
    more: str
    anchor: str


@dataclass(frozen=True, kw_only=True)
class RankedCause:
    """A cause of leaks with its name, its main countermeasure and its cost in words."""

    cause: Cause
    name: str
    measure: str
    cost: str


@dataclass(frozen=True, kw_only=True)
class RoadmapStep:
    """A step of the roadmap with its cost and the remaining risk in words."""

    step: Step
    cost: str
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
    severities: Mapping[Severity, int]  # of the findings that need work
    open_to_all: int  # resources behind them that anyone on the internet can reach
    blind: bool  # something could not be read or evaluated
    answers: Sequence[Answer]
    ranking: Sequence[RankedCause]
    time_open: ExternalTimeOpen | None  # None if the ledger has no history of these findings
    roadmap: Sequence[RoadmapStep]
    hours_a_month: float  # that the roadmap assumes
    changes: counts.Changes | None
    unseen: Unseen

    @property
    def causes(self) -> Sequence[Cause]:
        """The causes without their wording, the highest priority first."""
        return [ranked.cause for ranked in self.ranking]


def first_page(report: Report, texts: Texts) -> FirstPage:
    """What the report comes to."""
    rules = {rule.id: rule for rule in report.rules}
    work = counts.needing_work(report)
    causes = ranking.causes(report)
    steps = ranking.roadmap(report)
    not_seen = unseen(report, texts)
    return FirstPage(
        needing_work=work,
        severities=counts.by_severity(work),
        open_to_all=counts.open_to_all(work),
        blind=bool(report.unknowns) or not report.complete,
        answers=_answers(report, texts, causes, steps, not_seen),
        ranking=[
            RankedCause(
                cause=cause,
                name=texts.name("cause", cause.cause),
                measure=_measure(cause, rules, texts),
                cost=_cost(texts, cause.hours),
            )
            for cause in causes
        ],
        time_open=_external_time_open(report),
        roadmap=[
            RoadmapStep(step=step, cost=_cost(texts, step.hours), risk_left=_percent(step.risk_left)) for step in steps
        ],
        hours_a_month=ranking.HOURS_A_MONTH,
        changes=counts.changed(report, texts),
        unseen=not_seen,
    )


def nothing_missing(not_seen: Unseen, texts: Texts) -> str:
    """What to say of a report without open gaps and undecided cases: what is waived, and what is not judged."""
    nothing = texts.say("unseen.none_but_waived" if not_seen.waived else "unseen.none")
    return phrases.sentences([nothing, *_not_judged(not_seen, texts)], texts.lang)


def tally(not_seen: Unseen, texts: Texts) -> str:
    """How many gaps there are, and how many of them are new or waived, in a sentence each."""
    further = (("unseen.gaps_new", not_seen.new), ("unseen.gaps_waived", not_seen.waived_count))
    sentences = [texts.count("unseen.gaps", not_seen.count), *(texts.count(key, n) for key, n in further if n)]
    return phrases.sentences(sentences, texts.lang)


def completeness(report: Report, texts: Texts) -> str:
    """Whether all in scope was read, in a phrase."""
    if not report.complete:
        return texts.say("page.incomplete")
    waived = any(row.outcome.is_gap for row in report.coverage)
    return texts.say("page.complete_but_waived" if waived else "page.complete")


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


def _answers(
    report: Report, texts: Texts, causes: Sequence[Cause], steps: Sequence[Step], not_seen: Unseen
) -> Sequence[Answer]:
    """What would hurt most; what first; what it costs; whether it gets better; what was not seen."""
    return [
        *(_answers_on_work(report, texts, causes, steps) if causes else ()),
        _answer_on_trend(report, texts),
        _answer_on_gaps(report, texts, not_seen),
    ]


def _answers_on_work(report: Report, texts: Texts, causes: Sequence[Cause], steps: Sequence[Step]) -> Sequence[Answer]:
    needing_work = [cause for cause in causes if cause.cause != ranking.EXCEPTION] or causes
    worst, first = max(needing_work, key=lambda cause: cause.risk), needing_work[0]
    rules = {rule.id: rule for rule in report.rules}
    half_year = steps[0]
    return (
        Answer(
            question=texts.say("answers.hurts"),
            short=texts.name("cause", worst.cause),
            more=texts.count("answers.hurts_more", worst.findings, resources=number(worst.resources)),
            anchor="ranking",
        ),
        Answer(
            question=texts.say("answers.first"),
            short=texts.name("cause", first.cause),
            more=_measure(first, rules, texts),
            anchor="ranking",
        ),
        Answer(
            question=texts.say("answers.costs"),
            short=texts.say("answers.costs_short", cost=_cost(texts, half_year.hours)),
            more=texts.count("answers.costs_more", half_year.findings, left=_percent(half_year.risk_left)),
            anchor="roadmap",
        ),
    )


def _answer_on_trend(report: Report, texts: Texts) -> Answer:
    question = texts.say("answers.better")
    scans = [scan for scan in report.trend if scan.figures]
    if len(scans) < 2 or report.changes is None:
        short, more = texts.say("answers.better_unknown"), texts.say("answers.better_unknown_more")
        return Answer(question=question, short=short, more=more, anchor="trend")
    by_kind = report.changes.counts
    more = texts.say(
        "answers.better_more",
        day=texts.day(report.changes.old.started_on),
        new=number(by_kind.get("new", 0) + by_kind.get("reopened", 0)),
        widened=number(by_kind.get("widened", 0)),
        resolved=number(by_kind.get("resolved", 0)),
    )
    sentences = phrases.sentences([more, *counts.on_judgement(report.changes, texts)], texts.lang)
    return Answer(question=question, short=_course(scans, texts), more=sentences, anchor="trend")


def _course(scans: Sequence[Scan], texts: Texts) -> str:
    """Whether the sum of the scores rose or fell from the first of the scans to the last, and by how much."""
    first, last = (scan.figures.score if scan.figures else 0.0 for scan in (scans[0], scans[-1]))
    part = abs(last - first) / first if first else 0.0
    key = "same" if part < 0.01 else "down" if last < first else "up"
    return texts.say(f"answers.{key}", n=_percent(part), day=texts.day(scans[0].started_on))


def _answer_on_gaps(report: Report, texts: Texts, not_seen: Unseen) -> Answer:
    question = texts.say("answers.unseen")
    if not not_seen.count and not report.unknowns:
        short, more = texts.say("answers.all_seen"), nothing_missing(not_seen, texts)
    else:
        short = texts.count("answers.gaps", not_seen.count)
        undecided = texts.count("answers.unknown", len(report.unknowns))
        more = phrases.sentences([undecided, *_not_judged(not_seen, texts)], texts.lang)
    return Answer(question=question, short=short, more=more, anchor="unseen")


def _not_judged(not_seen: Unseen, texts: Texts) -> Sequence[str]:
    """How much was found that cloudscan does not judge, in a sentence; none if there is nothing."""
    return [texts.count("unseen.not_judged_count", n)] if (n := not_seen.not_judged_count) else []


def _measure(cause: Cause, rules: Mapping[str, RuleSummary], texts: Texts) -> str:
    """The main countermeasure: the first step of the fix that removes most risk; for waived findings, a review."""
    if cause.cause == ranking.EXCEPTION:
        return texts.say("ranking.review_waivers")
    rule = rules.get(cause.rule_id)
    if rule is None:
        return ""
    steps = phrases.steps(phrases.rule_text(rule, texts.lang).fix)
    return steps[0].text if steps else ""


def _cost(texts: Texts, hours: float) -> str:
    """Hours of work in words: in hours, days of eight hours, or months of twenty days."""
    days = hours / _HOURS_A_DAY
    if days < 2:
        return texts.count("ranking.hours", max(1, round(hours)))
    if days < 2 * _DAYS_A_MONTH:
        return texts.count("ranking.days", round(days))
    return texts.count("ranking.months", round(days / _DAYS_A_MONTH))


def _percent(part: float) -> str:
    """0.375 as 38%."""
    return f"{100 * part:.0f}%"


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
