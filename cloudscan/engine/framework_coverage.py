"""Framework coverage: what the rules say about each control of a catalogue. Pure functions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from cloudscan.engine.framework_file import Control, Framework
from cloudscan.finding import Finding, State, Verdict
from cloudscan.framework import ControlResult, ControlStanding, Extent, FrameworkResult
from cloudscan.report import RuleSummary


def results(
    frameworks: Iterable[Framework],
    rules: Sequence[RuleSummary],
    findings: Sequence[Finding],
    unknowns: Iterable[Verdict],
) -> list[FrameworkResult]:
    """Every framework with all its controls, in the order of the frameworks' ids.

    An open finding that could not be looked at again is as undecided as an unknown: its control has not passed.
    """
    counted = {verdict.fingerprint for verdict in unknowns}
    unverified = Counter(
        finding.verdict.rule_id for finding in findings if not finding.verified and finding.fingerprint not in counted
    )
    made = [
        FrameworkResult(
            id=framework.id,
            title=framework.titles["en"],
            titles=framework.titles,
            url=framework.url,
            controls=[
                _control(
                    name, control, [rule for rule in rules if f"{framework.id}#{name}" in rule.frameworks], unverified
                )
                for name, control in framework.controls.items()
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


def extent(control: Control, *, has_rules: bool) -> Extent:
    """How far a control can be checked. One of which nobody said what remains unseen is never wholly checked."""
    if not has_rules:
        return Extent.UNSEEN
    return Extent.CHECKED if control.whole else Extent.PARTLY


def _control(
    identity: str, control: Control, rules: Sequence[RuleSummary], unverified: Mapping[str, int]
) -> ControlResult:
    flagged = sum(rule.flagged for rule in rules)
    unknown = sum(rule.unknown + unverified.get(rule.id, 0) for rule in rules)
    passed = sum(rule.passed for rule in rules)
    standings = (
        (ControlStanding.NOT_COVERED, not rules),
        (ControlStanding.FLAGGED, flagged),
        (ControlStanding.UNKNOWN, unknown),
        (ControlStanding.PASSED, passed),
    )
    return ControlResult(
        id=identity,
        title=control.titles["en"],
        titles=control.titles,
        standing=next((standing for standing, applies in standings if applies), ControlStanding.NOTHING),
        extent=extent(control, has_rules=bool(rules)),
        unseen=control.unseen,
        rules=[rule.id for rule in rules],
        flagged=flagged,
        unknown=unknown,
        passed=passed,
    )
