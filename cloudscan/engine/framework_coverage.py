"""Framework coverage: what the rules say about each control of a catalogue. Pure functions."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from cloudscan.engine.rule_file import Framework
from cloudscan.finding import Finding, State
from cloudscan.framework import ControlResult, ControlStanding, FrameworkResult
from cloudscan.report import RuleSummary


def results(
    frameworks: Iterable[Framework], rules: Sequence[RuleSummary], findings: Iterable[Finding]
) -> list[FrameworkResult]:
    """Every framework with all its controls, in the order of the frameworks' ids."""
    made = [
        FrameworkResult(
            id=framework.id,
            title=framework.title,
            url=framework.url,
            controls=[
                _control(control, title, [rule for rule in rules if f"{framework.id}#{control}" in rule.frameworks])
                for control, title in framework.controls.items()
            ],
        )
        for framework in sorted(frameworks, key=lambda framework: framework.id)
    ]
    return with_waived(made, findings)


def with_waived(frameworks: Iterable[FrameworkResult], findings: Iterable[Finding]) -> list[FrameworkResult]:
    """The results with the findings counted that are waived now."""
    waived = Counter(finding.verdict.rule_id for finding in findings if finding.state is State.WAIVED)
    return [
        msgspec.structs.replace(
            framework,
            controls=[
                msgspec.structs.replace(control, waived=sum(waived[rule] for rule in control.rules))
                for control in framework.controls
            ],
        )
        for framework in frameworks
    ]


def _control(control: str, title: str, rules: Sequence[RuleSummary]) -> ControlResult:
    flagged, unknown, passed = (sum(getattr(rule, name) for rule in rules) for name in ("flagged", "unknown", "passed"))
    standings = (
        (ControlStanding.NOT_COVERED, not rules),
        (ControlStanding.FLAGGED, flagged),
        (ControlStanding.UNKNOWN, unknown),
        (ControlStanding.PASSED, passed),
    )
    return ControlResult(
        id=control,
        title=title,
        standing=next((standing for standing, applies in standings if applies), ControlStanding.NOTHING),
        rules=[rule.id for rule in rules],
        flagged=flagged,
        unknown=unknown,
        passed=passed,
    )
