"""The ranking of causes and the roadmap: what an auditor recomputes."""

import math
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cloudscan.engine.loader import load
from cloudscan.finding import Evidence, Finding, State
from cloudscan.fix import fixes
from cloudscan.ledger.score import impact, score
from cloudscan_reports.summary import ranking
from cloudscan_reports.summary.counts import needing_work
from tests.kit.properties import examples
from tests.reports.synthetic import RULES, report

SHIPPED = Path(__file__).parents[2] / "rules"


def weighed(finding: Finding, *, people: int, resources: int) -> Finding:
    """The finding with so much behind it, weighed as the ledger weighs it."""
    verdict = msgspec.structs.replace(finding.verdict, people=people, resources=resources)
    weight = impact(finding.severity, audience=verdict.audience, resources=resources, people=people)
    return msgspec.structs.replace(
        finding, verdict=verdict, impact=weight, score=score(finding.likelihood, weight), state=State.OPEN
    )


amounts = st.integers(0, 10**7)


@examples(60)
@given(amounts, amounts, st.integers(1, 10**7), st.integers(0, 10**7), st.integers(0, 7))
def test_more_behind_a_finding_never_lowers_its_cause(
    people: int, more_people: int, resources: int, more_resources: int, index: int
) -> None:
    """Priority, risk, files and people rise or stay when more people or files lie behind any one finding."""
    plain = report(8)
    before = [weighed(finding, people=people, resources=resources) for finding in plain.findings]
    wider = weighed(before[index], people=people + more_people, resources=resources + more_resources)
    after = [*before[:index], wider, *before[index + 1 :]]

    old, new = (
        {cause.cause: cause for cause in ranking.causes(msgspec.structs.replace(plain, findings=findings))}
        for findings in (before, after)
    )

    for cause, line in old.items():
        assert new[cause].priority >= line.priority
        assert new[cause].risk >= line.risk
        assert new[cause].resources >= line.resources
        assert new[cause].people >= line.people


def test_a_cause_is_computed_as_the_docs_say() -> None:
    """Likelihood and impact of the worst finding, the sum of the hours, and their quotient by order of magnitude."""
    given = report(300)
    mine = [
        finding
        for finding in given.findings
        if finding.verdict.rule_id == RULES[0].id and finding.state is not State.WAIVED
    ]

    line = next(cause for cause in ranking.causes(given) if cause.cause == "public-bucket")

    assert (line.findings, line.fixes, line.hours) == (len(mine), len(mine), len(mine) * 0.5)
    assert line.resources == sum(finding.verdict.resources for finding in mine)
    worst = max(finding.impact for finding in mine)
    assert line.priority == round(round(5 * worst, 1) / (1 + math.log10(line.hours)), 1)


def test_what_was_accepted_counts_as_an_exception() -> None:
    """A waiver closes no door: accepted findings stand in the ranking under a cause of their own."""
    given = report(60)

    *others, line = ranking.causes(given)

    assert line.cause == "exception"
    assert [cause.risk for cause in others] == sorted((cause.risk for cause in others), reverse=True)
    assert line.findings == sum(finding.state is State.WAIVED for finding in given.findings)


def test_nothing_is_an_exception_that_nobody_waived() -> None:
    opened = [msgspec.structs.replace(finding, state=State.OPEN, waiver=None) for finding in report(60).findings]

    causes = ranking.causes(msgspec.structs.replace(report(60), findings=opened))

    assert "exception" not in {cause.cause for cause in causes}
    assert "exception" not in {rule.cause for rule in load([SHIPPED])}


def test_buckets_whose_objects_nobody_counted_are_not_counted_as_one_file() -> None:
    plain = report(60)
    uncounted = [
        msgspec.structs.replace(finding, verdict=msgspec.structs.replace(finding.verdict, resources=1, bytes=None))
        for finding in plain.findings
    ]

    causes = ranking.causes(msgspec.structs.replace(plain, findings=uncounted))

    assert {(cause.resources, cause.uncounted == cause.fixes) for cause in causes} == {(0, True)}


def test_findings_with_one_origin_are_one_fix() -> None:
    """What two rules say of one folder is fixed once, at the cost of the dearer remedy."""
    first, second = report(2).findings
    row = {"origin_uid": "gdrive:file/root"}
    shared = [
        msgspec.structs.replace(
            finding, verdict=msgspec.structs.replace(finding.verdict, evidence=(Evidence(row=row), Evidence(row=row)))
        )
        for finding in (first, second)
    ]

    (task,) = ranking.tasks(fixes(shared), {rule.id: rule for rule in RULES})

    assert len(task.change.findings) == 2
    assert task.change.origin == "gdrive:file/root"


@examples(30)
@given(st.integers(0, 80), st.floats(0, 300))
def test_the_roadmap_only_brings_down(findings: int, hours_a_month: float) -> None:
    """No step costs more than there is, none raises the risk, and done and left make the whole."""
    given = report(findings)

    half, year = ranking.roadmap(given, fixes(needing_work(given)), hours_a_month)

    for end in (0, 1):
        assert 1 >= half.risk_left[end] >= year.risk_left[end] > 0
    assert half.risk_left[0] <= half.risk_left[1]
    assert half.hours_range[0] <= half.hours <= half.hours_range[1]
    assert sum(share.fixes for share in half.teams) == half.fixes
    assert half.hours <= 6 * hours_a_month
    assert year.hours <= 12 * hours_a_month
    standing = sum(finding.state is not State.WAIVED for finding in given.findings)
    assert half.findings + year.findings + sum(year.left.values()) == standing
