"""What would hurt most, and what to do first: the causes of leaks ranked, and a roadmap.

`docs/ranking.md` explains every figure. Pure functions of a report.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cloudscan.finding import Finding, Severity, State
from cloudscan.fix import Fix, fixes
from cloudscan.report import Report, RuleSummary
from cloudscan_reports.summary.counts import by_severity, needing_work

HOURS: Final = {"low": 0.5, "medium": 4.0, "high": 16.0}
"""Hours for one fix, by the rule's effort: a setting, a talk with its owner, a small project."""

HOURS_A_MONTH: Final = 40.0
"""What a roadmap assumes: one person for a quarter of the time."""

HALF_YEAR: Final = 6
YEAR: Final = 12
EXCEPTION: Final = "exception"


@dataclass(frozen=True, kw_only=True)
class Task:
    """A fix and its hours of work."""

    change: Fix
    hours: float


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One cause of leaks in this company."""

    cause: str
    likelihood: int  # 1 to 5, of its likeliest finding
    impact: float  # 0 to 20, of the incident that would hurt most
    findings: int
    resources: int  # that they affect
    people: int  # with access by name
    fixes: int
    hours: float  # of all fixes
    rule_id: str  # whose fix is the main countermeasure: the rule with the highest sum of scores

    @property
    def risk(self) -> float:
        """Likelihood × impact, 0 to 100."""
        return round(self.likelihood * self.impact, 1)

    @property
    def priority(self) -> float:
        """Risk per cost of all fixes. Causes are ranked by it."""
        return priority(self.risk, self.hours)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One period of the roadmap: what is done in it, and what is left after it."""

    months: int
    fixes: int
    findings: int
    hours: float
    causes: Sequence[tuple[str, int]]  # findings closed by cause, the most first
    risk_left: float  # fraction of today's, 0 to 1
    left: Mapping[Severity, int]


def priority(risk: float, hours: float) -> float:
    """Risk per cost. Cost counts by order of magnitude, as amounts do in the score."""
    return round(risk / (1 + math.log10(max(1.0, hours))), 1)


def causes(report: Report) -> Sequence[Cause]:
    """The causes of the open findings, the highest priority first. Waived findings form a cause of their own."""
    rules = {rule.id: rule for rule in report.rules}
    by_cause: dict[str, list[Finding]] = defaultdict(list)
    for finding in report.findings:
        if finding.state is State.WAIVED:
            by_cause[EXCEPTION].append(finding)
        elif rule := rules.get(finding.verdict.rule_id):
            by_cause[rule.cause].append(finding)
    ranked = [_cause(cause, group, rules) for cause, group in by_cause.items()]
    return sorted(ranked, key=lambda cause: (-cause.priority, -cause.risk, cause.cause))


def tasks(findings: Iterable[Finding], rules: Mapping[str, RuleSummary]) -> Sequence[Task]:
    """What there is to fix. Highest score per hour first."""
    made = [Task(change=fix, hours=max(_hours(finding, rules) for finding in fix.findings)) for fix in fixes(findings)]
    return sorted(made, key=lambda task: (-task.change.score / task.hours, task.change.key))


def roadmap(report: Report, hours_a_month: float = HOURS_A_MONTH) -> Sequence[Step]:
    """What gets fixed in the first half year and in the following year, at `hours_a_month` of work."""
    rules = {rule.id: rule for rule in report.rules}
    work = needing_work(report)
    whole = math.fsum(finding.score for finding in work) or 1.0
    waiting = list(tasks(work, rules))
    steps = []
    for months in (HALF_YEAR, YEAR):
        done, waiting = _fitting(waiting, months * hours_a_month)
        closed = [finding for task in done for finding in task.change.findings]
        left = [finding for task in waiting for finding in task.change.findings]
        by_cause = Counter(_cause_of(finding, rules) for finding in closed)
        steps.append(
            Step(
                months=months,
                fixes=len(done),
                findings=len(closed),
                hours=sum(task.hours for task in done),
                causes=by_cause.most_common(),
                risk_left=math.fsum(finding.score for finding in left) / whole,
                left=by_severity(left),
            )
        )
    return steps


def _cause(cause: str, findings: Sequence[Finding], rules: Mapping[str, RuleSummary]) -> Cause:
    removed: Counter[str] = Counter()
    for finding in findings:
        removed[finding.verdict.rule_id] += round(finding.score * 10)
    to_do = tasks(findings, rules)
    return Cause(
        cause=cause,
        likelihood=max(finding.likelihood for finding in findings),
        impact=max(finding.impact for finding in findings),
        findings=len(findings),
        resources=sum(max(finding.verdict.resources for finding in task.change.findings) for task in to_do),
        people=sum(max(finding.verdict.people or 0 for finding in task.change.findings) for task in to_do),
        fixes=len(to_do),
        hours=sum(task.hours for task in to_do),
        rule_id=removed.most_common(1)[0][0],
    )


def _fitting(waiting: Sequence[Task], hours: float) -> tuple[list[Task], list[Task]]:
    """The fixes that fit into the hours, in their order, and the others. A small fix may overtake a large one."""
    done, left = [], []
    for task in waiting:
        if task.hours <= hours:
            hours -= task.hours
            done.append(task)
        else:
            left.append(task)
    return done, left


def _hours(finding: Finding, rules: Mapping[str, RuleSummary]) -> float:
    rule = rules.get(finding.verdict.rule_id)
    return HOURS.get(rule.effort, HOURS["medium"]) if rule else HOURS["medium"]


def _cause_of(finding: Finding, rules: Mapping[str, RuleSummary]) -> str:
    rule = rules.get(finding.verdict.rule_id)
    return rule.cause if rule else EXCEPTION
