"""Catalogues of controls: how they are written, how far a control can be checked, and what the rules say of it."""

from pathlib import Path

import pytest

from cloudscan.engine import framework_coverage
from cloudscan.engine.judge import judge
from cloudscan.engine.loader import lint, load, load_archived, load_frameworks
from cloudscan.engine.rule_file import Rule
from cloudscan.framework import ControlResult, ControlStanding, Extent
from cloudscan.report import RuleSummary
from cloudscan.snapshot.collect import collect
from tests.kit.facts import RULE, Listed, file, grant, load_text, write_rule, yielding

SHIPPED = Path(__file__).parents[2] / "rules"
HOUSE = """\
id: house
title: {en: House rules, ja: 社内規則}
controls:
  H.1:
    title: {en: No open links, ja: 公開リンク禁止}
    unseen: nothing
  H.2:
    title: {en: Partners sign first, ja: 先に契約を結ぶ}
    unseen: {en: Signatures on paper., ja: 紙の署名。}
"""


def write_house(folder: Path, text: str = HOUSE) -> None:
    path = folder / "frameworks" / "house.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def mapped(text: str, *controls: str) -> str:
    return text.replace("effort: low", f"effort: low\nframeworks: [{', '.join(f'house#{each}' for each in controls)}]")


def results(folder: Path, *rules: Rule) -> dict[str, ControlResult]:
    """The controls of the folder's catalogue by id, for rules that found nothing to judge."""
    summaries = [
        RuleSummary(
            id=rule.id, version=rule.version, severity=rule.severity, confidence=rule.confidence, cause=rule.cause,
            likelihood=rule.likelihood, effort=rule.effort, text=rule.text, frameworks=rule.frameworks,
        )
        for rule in rules
    ]  # fmt: skip
    (framework,) = framework_coverage.results(load_frameworks([folder]), summaries, [], [])
    return {control.id: control for control in framework.controls}


@pytest.mark.parametrize(
    ("written", "instead", "line", "message"),
    [
        ("unseen: nothing", "unsen: nothing", 6, "the key `unsen` is not known; write unseen"),
        ("unseen: nothing", "unseen: little", 6, "'little' says neither that nothing is unseen nor what is"),
        ("unseen: nothing", "unseen: [a, b]", 6, "unseen"),
        ("en: Signatures on paper., ", "", 9, "a text is needed in each language and no other; write {en: …, ja: …}"),
        ("ja: 紙の署名。", "ja: ''", 9, "a text is needed in each language and no other"),
        ("ja: 紙の署名。", "ja: 紙の署名。, fr: Papier.", 9, "a text is needed in each language and no other"),
        ("title: {en: No open links, ja: 公開リンク禁止}", "title: ''", 5, "empty; write what a reader needs here"),
        ("    title: {en: No open links, ja: 公開リンク禁止}\n", "", 4, "`title` is missing"),
        ("title: {en: House rules, ja: 社内規則}", "title: {en: House rules}", 2, "a text is needed in each language"),
        ("  H.1:\n", "  H.0: 7\n  H.1:\n", 4, "'H.0' is neither a title nor a mapping; write {title: …, unseen: …}"),
    ],
)
def test_a_catalogue_that_cannot_be_used_is_refused(
    tmp_path: Path, written: str, instead: str, line: int, message: str
) -> None:
    """The message names the line of the control and what to write there."""
    assert written in HOUSE
    write_house(tmp_path, HOUSE.replace(written, instead, 1))

    (problem,) = lint([tmp_path])

    assert problem.line == line
    assert message in problem.message


def test_how_far_a_control_is_checked_follows_from_its_rules(tmp_path: Path, rule_text: str) -> None:
    """A catalogue says what remains unseen; only a rule that is there makes a control checked, in whole or in part."""
    write_house(tmp_path)
    rules = load_text(tmp_path, mapped(rule_text, "H.1", "H.2"))

    with_rules, without = results(tmp_path, *rules), results(tmp_path)

    assert {name: control.extent for name, control in with_rules.items()} == {
        "H.1": Extent.CHECKED,
        "H.2": Extent.PARTLY,
    }
    assert with_rules["H.2"].unseen_in("ja") == "紙の署名。"
    assert {control.extent for control in without.values()} == {Extent.UNSEEN}


def test_a_control_of_which_nobody_said_what_is_unseen_is_never_wholly_checked(tmp_path: Path, rule_text: str) -> None:
    """The short form loads and maps as ever; `lint` asks for the statement, and for a reason where there is no rule."""
    write_house(tmp_path, "id: house\ntitle: House rules\ncontrols:\n  H.1: No open links\n  H.2: Sign first\n")
    rules = load_text(tmp_path, mapped(rule_text, "H.1"))

    assert results(tmp_path, *rules)["H.1"].extent is Extent.PARTLY
    assert results(tmp_path, *rules)["H.1"].title_in("ja") == "No open links"
    assert [(problem.line, problem.message) for problem in lint([tmp_path])] == [
        (line, f"'H.{line - 3}' does not say what of it no rule can see; "
               "write unseen: nothing, or unseen: {en: …, ja: …}")
        for line in (4, 5)
    ]  # fmt: skip


def test_a_promise_that_no_rule_keeps_is_a_complaint_but_no_obstacle(tmp_path: Path, rule_text: str) -> None:
    """`unseen: nothing` without a rule: everything is unseen. The rules load, as do those of an earlier scan."""
    write_house(tmp_path)
    load_text(tmp_path, mapped(rule_text, "H.2"))

    (problem,) = lint([tmp_path])

    assert str(problem) == (
        f"{tmp_path}/frameworks/house.yaml:4: no rule is mapped to 'H.1', so all of it is unseen; "
        "write why: unseen: {en: …, ja: …}"
    )
    assert load([tmp_path])
    assert load_archived(tmp_path)


def test_every_rule_counts_in_the_view_by_control(tmp_path: Path) -> None:
    """Two rules about one link are one fix, led by the graver; the control of the weaker one fails all the same."""
    write_house(tmp_path)
    weaker = RULE.format(id="link-weaker").lstrip().replace("severity: high", "severity: low")
    write_rule(tmp_path, mapped(RULE.format(id="link-open-to-anyone").lstrip(), "H.1"))
    write_rule(tmp_path, mapped(weaker, "H.1", "H.2"), "link-weaker")
    with collect([Listed({"a": yielding(file("Plan"), grant("Plan"))})], tmp_path / "s") as snapshot:
        verdicts = judge(snapshot, load([tmp_path]))

    (framework,) = framework_coverage.results(load_frameworks([tmp_path]), verdicts.summaries(), [], [])

    assert {verdict.identity for verdict in verdicts.flagged} == {("toy:Plan",)}
    assert [(control.id, control.standing, control.flagged, list(control.rules)) for control in framework.controls] == [
        ("H.1", ControlStanding.FLAGGED, 2, ["link-open-to-anyone", "link-weaker"]),
        ("H.2", ControlStanding.FLAGGED, 1, ["link-weaker"]),
    ]


def test_shipped_catalogues_state_how_far_every_control_is_checked() -> None:
    """Checked, partly or unseen: each claim is stated, founded on a rule, and has its words in both languages."""
    assert lint([SHIPPED]) == ()


@pytest.mark.parametrize("framework", ["nist-800-53-r5", "iso27001-2022", "appi-safety-measures"])
def test_no_control_of_a_general_standard_counts_as_wholly_checked(framework: str) -> None:
    """They ask for contracts, training and judgement as well, which no permission shows."""
    (catalogue,) = (each for each in load_frameworks([SHIPPED]) if each.id == framework)

    assert not [name for name, control in catalogue.controls.items() if control.whole]
