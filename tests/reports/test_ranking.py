"""The ranking of causes and the roadmap: what an auditor recomputes."""

import math

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cloudscan.finding import Evidence, Finding, State
from cloudscan.ledger.score import impact, score
from cloudscan_reports.summary import ranking
from tests.properties import examples
from tests.reports.synthetic import RULES, report


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
    people: int, more_people: int, resources: int, more_resources: int, place: int
) -> None:
    """Priority, risk, files and people rise or stay when more people or files lie behind any one finding."""
    plain = report(8)
    before = [weighed(each, people=people, resources=resources) for each in plain.findings]
    wider = weighed(before[place], people=people + more_people, resources=resources + more_resources)
    after = [*before[:place], wider, *before[place + 1 :]]

    old, new = (
        {each.cause: each for each in ranking.causes(msgspec.structs.replace(plain, findings=those))}
        for those in (before, after)
    )

    for cause, line in old.items():
        assert new[cause].priority >= line.priority
        assert new[cause].risk >= line.risk
        assert new[cause].resources >= line.resources
        assert new[cause].people >= line.people


def test_a_cause_is_computed_as_the_docs_say() -> None:
    """Highest likelihood and impact, the sum of the hours, and their quotient by order of magnitude."""
    given = report(300)
    mine = [each for each in given.findings if each.verdict.rule_id == RULES[0].id and each.state is not State.WAIVED]

    line = next(each for each in ranking.causes(given) if each.cause == "public-bucket")

    assert (line.findings, line.fixes, line.hours) == (len(mine), len(mine), len(mine) * 0.5)
    assert line.resources == sum(each.verdict.resources for each in mine)
    worst = max(each.impact for each in mine)
    assert line.priority == round(round(5 * worst, 1) / (1 + math.log10(line.hours)), 1)


def test_what_was_accepted_counts_as_an_exception() -> None:
    """A waiver closes no door: accepted findings stand in the ranking under a cause of their own."""
    given = report(60)

    line = next(each for each in ranking.causes(given) if each.cause == "exception")

    assert line.findings == sum(each.state is State.WAIVED for each in given.findings)


def test_findings_with_one_origin_are_one_fix() -> None:
    """What two rules say of one folder is put right once, at the cost of the dearer remedy."""
    first, second = report(2).findings
    row = {"origin_uid": "gdrive:file/root"}
    shared = [
        msgspec.structs.replace(
            each, verdict=msgspec.structs.replace(each.verdict, evidence=(Evidence(row=row), Evidence(row=row)))
        )
        for each in (first, second)
    ]

    (fix,) = ranking.fixes(shared, {rule.id: rule for rule in RULES})

    assert len(fix.findings) == 2
    assert fix.origin == "gdrive:file/root"


@examples(30)
@given(st.integers(0, 80), st.floats(0, 300))
def test_the_roadmap_only_brings_down(findings: int, hours_a_month: float) -> None:
    """No step costs more than there is, none raises the risk, and done and left make the whole."""
    given = report(findings)

    half, year = ranking.roadmap(given, hours_a_month)

    assert 1 >= half.risk_left >= year.risk_left >= 0
    assert half.hours <= 6 * hours_a_month
    assert year.hours <= 12 * hours_a_month
    standing = sum(each.state is not State.WAIVED for each in given.findings)
    assert half.findings + year.findings + sum(year.left.values()) == standing
