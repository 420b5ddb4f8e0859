"""Framework coverage: what the rules say about each control of a catalogue. Pure functions over a report."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cloudscan.engine.rule_file import Framework
from cloudscan.finding import State
from cloudscan.report import Report


class Standing(StrEnum):
    """The result of a control, the gravest first: one bad answer outweighs any number of good ones."""

    FLAGGED = "flagged"
    UNKNOWN = "unknown"  # nothing was flagged, but something could not be decided
    PASSED = "passed"
    NOTHING = "nothing"  # there are rules for it, but nothing in the estate that they judge
    NOT_COVERED = "not_covered"  # no rule is mapped to it


@dataclass(frozen=True, kw_only=True)
class Control:
    """One control of a framework, and the counts of the rules mapped to it."""

    framework: str
    framework_title: str
    id: str
    title: str
    standing: Standing
    rules: Sequence[str] = ()
    flagged: int = 0
    unknown: int = 0
    passed: int = 0
    waived: int = 0  # of the open findings, how many are waived


def controls(report: Report, frameworks: Iterable[Framework]) -> list[Control]:
    """Every control of every framework in the catalogue's order, whether or not a rule is mapped to it."""
    waived = Counter(finding.verdict.rule_id for finding in report.findings if finding.state is State.WAIVED)
    return [
        _control(framework, control, title, report, waived)
        for framework in sorted(frameworks, key=lambda framework: framework.id)
        for control, title in framework.controls.items()
    ]


def _control(framework: Framework, control: str, title: str, report: Report, waived: Counter[str]) -> Control:
    reference = f"{framework.id}#{control}"
    rules = [rule for rule in report.rules if reference in rule.frameworks]
    flagged, unknown, passed = (sum(getattr(rule, name) for rule in rules) for name in ("flagged", "unknown", "passed"))
    standing = next(
        (
            standing
            for standing, true in (
                (Standing.NOT_COVERED, not rules),
                (Standing.FLAGGED, flagged),
                (Standing.UNKNOWN, unknown),
                (Standing.PASSED, passed),
            )
            if true
        ),
        Standing.NOTHING,
    )
    return Control(
        framework=framework.id,
        framework_title=framework.title,
        id=control,
        title=title,
        standing=standing,
        rules=[rule.id for rule in rules],
        flagged=flagged,
        unknown=unknown,
        passed=passed,
        waived=sum(waived[rule.id] for rule in rules),
    )
