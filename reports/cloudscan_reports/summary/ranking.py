"""What would hurt most, and what to do first: the causes of leaks ranked, and a roadmap. `docs/ranking.md` explains
every figure. Pure functions of a report.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cloudscan.finding import Finding, Severity, State
from cloudscan.report import Report, RuleSummary
from cloudscan_reports.summary.counts import standing

HOURS: Final = {"low": 0.5, "medium": 4.0, "high": 16.0}
"""What one fix costs, by the rule's effort: a setting, a talk with its owner, a small project."""

HOURS_A_MONTH: Final = 40.0
"""What a roadmap counts on: one person for a quarter of the time."""

HALF_YEAR: Final = 6
YEAR: Final = 12
EXCEPTION: Final = "exception"


@dataclass(frozen=True, kw_only=True)
class Fix:
    """One thing to change, and the findings that it closes."""

    place: str
    findings: Sequence[Finding]
    hours: float

    @property
    def score(self) -> float:
        return sum(each.score for each in self.findings)


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One cause of leaks in this company."""

    cause: str
    likelihood: int  # 1 to 5, of its likeliest finding
    impact: float  # 0 to 20, of the incident that would hurt most
    exposures: int  # findings
    resources: int  # behind them
    people: int  # let in by name
    fixes: int
    hours: float  # of all fixes
    rule_id: str  # whose remedy is the main countermeasure: the one that takes away most

    @property
    def risk(self) -> float:
        """Likelihood × impact, 0 to 100."""
        return round(self.likelihood * self.impact, 1)

    @property
    def priority(self) -> float:
        return priority(self.risk, self.hours)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One stretch of the roadmap: what is done in it, and what is left after it."""

    months: int
    fixes: int
    findings: int
    hours: float
    causes: Sequence[tuple[str, int]]  # findings closed by cause, the most first
    risk_left: float  # part of today's, 0 to 1
    left: Mapping[Severity, int]


def priority(risk: float, hours: float) -> float:
    """Risk per cost. Cost counts by order of magnitude, as amounts do in the score: a step a tenfold."""
    return round(risk / (1 + math.log10(max(1.0, hours))), 1)


def causes(report: Report) -> Sequence[Cause]:
    """The causes behind what stands open, the highest priority first. Accepted findings are exceptions piled up."""
    rules = {rule.id: rule for rule in report.rules}
    behind: dict[str, list[Finding]] = defaultdict(list)
    for finding in report.findings:
        if finding.state is State.WAIVED:
            behind[EXCEPTION].append(finding)
        elif rule := rules.get(finding.verdict.rule_id):
            behind[rule.cause].append(finding)
    found = [_cause(cause, those, rules) for cause, those in behind.items()]
    return sorted(found, key=lambda each: (-each.priority, -each.risk, each.cause))


def fixes(findings: Iterable[Finding], rules: Mapping[str, RuleSummary]) -> Sequence[Fix]:
    """Findings together that one change puts right: those that share an origin. Most taken away an hour first."""
    by_place: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_place[origin(finding)].append(finding)
    made = [
        Fix(place=place, findings=those, hours=max(_hours(each, rules) for each in those))
        for place, those in by_place.items()
    ]
    return sorted(made, key=lambda each: (-each.score / each.hours, each.place))


def roadmap(report: Report, hours_a_month: float = HOURS_A_MONTH) -> Sequence[Step]:
    """What half a year brings down and what the year after does, at so many hours a month."""
    rules = {rule.id: rule for rule in report.rules}
    work = standing(report)
    whole = math.fsum(each.score for each in work) or 1.0
    waiting = list(fixes(work, rules))
    steps = []
    for months in (HALF_YEAR, YEAR):
        done, waiting = _fitting(waiting, months * hours_a_month)
        closed = [finding for fix in done for finding in fix.findings]
        left = [finding for fix in waiting for finding in fix.findings]
        by_cause = Counter(_cause_of(each, rules) for each in closed)
        steps.append(
            Step(
                months=months,
                fixes=len(done),
                findings=len(closed),
                hours=sum(fix.hours for fix in done),
                causes=by_cause.most_common(),
                risk_left=math.fsum(each.score for each in left) / whole,
                left={severity: sum(each.severity is severity for each in left) for severity in reversed(Severity)},
            )
        )
    return steps


def origin(finding: Finding) -> str:
    """What has to be changed: the one origin of all its evidence, or else its subject."""
    origins = {str(each.row["origin_uid"]) for each in finding.verdict.evidence if each.row.get("origin_uid")}
    return next(iter(origins)) if len(origins) == 1 else finding.verdict.subject.uid or finding.fingerprint


def _cause(cause: str, findings: Sequence[Finding], rules: Mapping[str, RuleSummary]) -> Cause:
    taken_away: Counter[str] = Counter()
    for finding in findings:
        taken_away[finding.verdict.rule_id] += round(finding.score * 10)
    changes = fixes(findings, rules)
    return Cause(
        cause=cause,
        likelihood=max(each.likelihood for each in findings),
        impact=max(each.impact for each in findings),
        exposures=len(findings),
        resources=sum(max(each.verdict.resources for each in fix.findings) for fix in changes),
        people=sum(max(each.verdict.people or 0 for each in fix.findings) for fix in changes),
        fixes=len(changes),
        hours=sum(fix.hours for fix in changes),
        rule_id=taken_away.most_common(1)[0][0],
    )


def _fitting(waiting: Sequence[Fix], hours: float) -> tuple[list[Fix], list[Fix]]:
    """The fixes that the hours suffice for, in their order, and the others. A small one may overtake a large one."""
    done, left = [], []
    for fix in waiting:
        if fix.hours <= hours:
            hours -= fix.hours
            done.append(fix)
        else:
            left.append(fix)
    return done, left


def _hours(finding: Finding, rules: Mapping[str, RuleSummary]) -> float:
    rule = rules.get(finding.verdict.rule_id)
    return HOURS.get(rule.effort, HOURS["medium"]) if rule else HOURS["medium"]


def _cause_of(finding: Finding, rules: Mapping[str, RuleSummary]) -> str:
    rule = rules.get(finding.verdict.rule_id)
    return rule.cause if rule else EXCEPTION
