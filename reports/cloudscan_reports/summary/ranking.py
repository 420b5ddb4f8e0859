"""The causes of leaks, ranked by what would hurt most, and a roadmap of what to do when.

`docs/ranking.md` explains every figure. Pure functions of a report.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cloudscan.finding import Finding, Severity, State
from cloudscan.fix import Fix, fixes
from cloudscan.report import Report, RuleSummary
from cloudscan_reports.summary.counts import by_severity
from cloudscan_reports.summary.open_fixes import Team, is_counted, team_of

HOURS: Final = {"low": 0.5, "medium": 4.0, "high": 16.0}
"""Hours for one fix, by the rule's effort: a setting, a talk with its owner, a small project."""

HOURS_RANGE: Final = {"low": (0.25, 1.0), "medium": (2.0, 8.0), "high": (8.0, 40.0)}
"""What one fix may take at least and at most, by the same effort."""

NOT_DONE: Final = (0.05, 0.2)
"""Share of fixes that turn out not to be possible, or not to be wanted: at best and at worst."""

HOURS_A_MONTH: Final = 40.0
"""What a roadmap assumes: one person for a quarter of the time."""

HALF_YEAR: Final = 6
YEAR: Final = 12
EXCEPTION: Final = "exception"  # what somebody waived, and nothing else
Hours = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Task:
    """A fix and its hours of work."""

    change: Fix
    hours: float
    least: float
    most: float


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One cause of leaks in this company."""

    cause: str
    likelihood: int  # 1 to 5, and
    impact: float  # 0 to 20: of the single finding that would hurt most
    findings: int
    resources: int  # that they affect, as far as they were counted
    uncounted: int  # fixes whose resources nobody counted
    people: int  # with access by name
    fixes: int
    hours: float  # of all fixes
    hours_range: Hours
    rule_id: str  # whose fix is the main countermeasure: the rule with the highest sum of scores

    @property
    def risk(self) -> float:
        """Likelihood × impact, 0 to 100."""
        return round(self.likelihood * self.impact, 1)

    @property
    def priority(self) -> float:
        """Risk per cost of all fixes."""
        return priority(self.risk, self.hours)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One period of the roadmap: what is done in it, and what is left after it."""

    months: int
    fixes: int
    findings: int
    hours: float
    hours_range: Hours
    causes: Sequence[tuple[str, int]]  # findings closed by cause, the most first
    teams: Sequence["TeamShare"]  # the most hours first
    risk_left: tuple[float, float]  # fraction of what is known today, 0 to 1: at best and at worst
    left: Mapping[Severity, int]


@dataclass(frozen=True, kw_only=True)
class TeamShare:
    """What a team does of a step."""

    team: Team
    fixes: int
    hours_range: Hours


def priority(risk: float, hours: float) -> float:
    """Risk per cost. Cost counts by order of magnitude, as amounts do in the score."""
    return round(risk / (1 + math.log10(max(1.0, hours))), 1)


def causes(report: Report) -> Sequence[Cause]:
    """The causes of the open findings, the worst single incident first.

    What somebody waived is a cause of its own, and the last: it is no work that waits.
    """
    rules = {rule.id: rule for rule in report.rules}
    by_cause: dict[str, list[Finding]] = defaultdict(list)
    for finding in report.findings:
        if finding.state is State.WAIVED:
            by_cause[EXCEPTION].append(finding)
        elif rule := rules.get(finding.verdict.rule_id):
            by_cause[rule.cause].append(finding)
    ranked = [_cause(cause, group, rules) for cause, group in by_cause.items()]
    return sorted(ranked, key=lambda one: (one.cause == EXCEPTION, -one.risk, -one.priority, one.cause))


def tasks(changes: Iterable[Fix], rules: Mapping[str, RuleSummary]) -> Sequence[Task]:
    """The fixes with their hours. Highest score per hour first."""
    made = [_task(fix, rules) for fix in changes]
    return sorted(made, key=lambda task: (-task.change.score / task.hours, task.change.key))


def roadmap(report: Report, changes: Sequence[Fix], hours_a_month: float = HOURS_A_MONTH) -> Sequence[Step]:
    """What gets fixed in the first half year and in the following year, at `hours_a_month` of work.

    `changes` are the fixes of all findings that need work.
    """
    rules = {rule.id: rule for rule in report.rules}
    whole = math.fsum(finding.score for change in changes for finding in change.findings) or 1.0
    waiting = list(tasks(changes, rules))
    at_best = _risk_left(waiting, hours_a_month, whole, lambda task: task.least, NOT_DONE[0])
    at_worst = _risk_left(waiting, hours_a_month, whole, lambda task: task.most, NOT_DONE[1])
    steps = []
    for months, best, worst in zip((HALF_YEAR, YEAR), at_best, at_worst, strict=True):
        done, waiting = _fitting(waiting, months * hours_a_month, lambda task: task.hours)
        closed = [finding for task in done for finding in task.change.findings]
        left = [finding for task in waiting for finding in task.change.findings]
        by_cause = Counter(cause for finding in closed if (cause := _cause_of(finding, rules)))
        steps.append(
            Step(
                months=months,
                fixes=len(done),
                findings=len(closed),
                hours=sum(task.hours for task in done),
                hours_range=_range(done),
                causes=by_cause.most_common(),
                teams=_teams(done),
                risk_left=(min(best, worst), max(best, worst)),
                left=by_severity(left),
            )
        )
    return steps


def _cause(cause: str, findings: Sequence[Finding], rules: Mapping[str, RuleSummary]) -> Cause:
    removed: Counter[str] = Counter()
    for finding in findings:
        removed[finding.verdict.rule_id] += round(finding.score * 10)
    to_do = tasks(fixes(findings), rules)
    worst = max(findings, key=lambda finding: (finding.likelihood * finding.impact, finding.fingerprint))
    counted = [task.change for task in to_do if any(is_counted(finding.verdict) for finding in task.change.findings)]
    return Cause(
        cause=cause,
        likelihood=worst.likelihood,
        impact=worst.impact,
        findings=len(findings),
        resources=sum(max(finding.verdict.resources for finding in fix.findings) for fix in counted),
        uncounted=len(to_do) - len(counted),
        people=sum(max(finding.verdict.people or 0 for finding in task.change.findings) for task in to_do),
        fixes=len(to_do),
        hours=sum(task.hours for task in to_do),
        hours_range=_range(to_do),
        rule_id=removed.most_common(1)[0][0],
    )


def _task(fix: Fix, rules: Mapping[str, RuleSummary]) -> Task:
    efforts = [_effort(finding, rules) for finding in fix.findings]
    hardest = max(efforts, key=lambda effort: HOURS[effort])
    least, most = HOURS_RANGE[hardest]
    return Task(change=fix, hours=HOURS[hardest], least=least, most=most)


def _range(some: Sequence[Task]) -> Hours:
    return sum(task.least for task in some), sum(task.most for task in some)


def _teams(done: Sequence[Task]) -> Sequence[TeamShare]:
    by_team: dict[Team, list[Task]] = defaultdict(list)
    for task in done:
        by_team[team_of(task.change.lead.verdict)].append(task)
    shares = [TeamShare(team=team, fixes=len(some), hours_range=_range(some)) for team, some in by_team.items()]
    return sorted(shares, key=lambda share: (-share.hours_range[1], -share.fixes, share.team))


def _risk_left(
    waiting: Sequence[Task], hours_a_month: float, whole: float, hours_of: Callable[[Task], float], not_done: float
) -> Sequence[float]:
    """What is left of the risk after each period, if fixes take as long as `hours_of` says and some are not done."""
    left = list(waiting)
    fractions = []
    for months in (HALF_YEAR, YEAR):
        _, left = _fitting(left, months * hours_a_month, hours_of)
        unreached = math.fsum(finding.score for task in left for finding in task.change.findings) / whole
        fractions.append(unreached + not_done * (1 - unreached))
    return fractions


def _fitting(waiting: Sequence[Task], hours: float, hours_of: Callable[[Task], float]) -> tuple[list[Task], list[Task]]:
    """The fixes that fit into the hours, in their order, and the others. A small fix may overtake a large one."""
    done, left = [], []
    for task in waiting:
        if hours_of(task) <= hours:
            hours -= hours_of(task)
            done.append(task)
        else:
            left.append(task)
    return done, left


def _effort(finding: Finding, rules: Mapping[str, RuleSummary]) -> str:
    rule = rules.get(finding.verdict.rule_id)
    return rule.effort if rule and rule.effort in HOURS else "medium"


def _cause_of(finding: Finding, rules: Mapping[str, RuleSummary]) -> str:
    """The cause of a finding; empty if its rule no longer exists."""
    rule = rules.get(finding.verdict.rule_id)
    return rule.cause if rule else ""
