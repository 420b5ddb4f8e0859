"""The rules that come with cloudscan, as the report shows them."""

import re
from pathlib import Path

import msgspec
import pytest

from cloudscan.engine import loader
from cloudscan.engine.rule_file import Rule
from cloudscan.facts import Access, Audience
from cloudscan.finding import Evidence, Finding, Judgement, Subject, Verdict, message
from cloudscan.report import Report, RuleSummary
from cloudscan_reports.page import html as page_html
from cloudscan_wording import evidence, phrases
from cloudscan_wording.texts import LANGUAGES, load
from tests.reports.synthetic import report

RULES = loader.load([Path(__file__).parents[2] / "rules"])


def flagged(rule: Rule) -> Verdict:
    """A verdict of the rule that has a value in every column."""
    row = {column: f"v-{column}" for column in rule.columns} | {"access": "read", "audience": "named_external"}
    return Verdict(
        rule_id=rule.id,
        judgement=Judgement.FLAGGED,
        identity=("s3:bucket/plans",),
        subject=Subject(uid="s3:bucket/plans", platform="s3", account="000000000001", kind="bucket", name="plans"),
        evidence=(Evidence(row=row),),
        audience=Audience.NAMED_EXTERNAL,
        access=Access.READ,
    )


@pytest.fixture(scope="module")
def shipped() -> Report:
    """One finding of every rule."""
    given = report(1)
    summaries = [
        RuleSummary(
            id=rule.id,
            version=rule.version,
            severity=rule.severity,
            confidence=rule.confidence,
            cause=rule.cause,
            likelihood=rule.likelihood,
            effort=rule.effort,
            text=rule.text,
        )
        for rule in RULES
    ]
    return msgspec.structs.replace(given, rules=summaries, findings=[_finding(rule, given) for rule in RULES])


def _finding(rule: Rule, given: Report) -> Finding:
    verdict = flagged(rule)
    messages = {lang: message(rule.text[lang], verdict, lang) for lang in LANGUAGES}
    return msgspec.structs.replace(
        given.findings[0], verdict=verdict, fingerprint=verdict.fingerprint, message=messages, severity=rule.severity
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_remedy_is_filled(lang: str) -> None:
    """No step and no command contains a field that nothing fills."""
    for rule in RULES:
        fix = rule.text[lang].fix
        known = phrases.fields_of(flagged(rule))

        assert set(phrases.named_in(fix)) <= known.keys(), rule.id
        assert phrases.steps(fix), rule.id


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_column_of_evidence_has_words(lang: str) -> None:
    """No reader meets the name of a column, but for ids, which stand apart."""
    columns = {column for rule in RULES for column in rule.columns} - {"flagged"}

    assert {column for column in columns if not evidence.is_raw(column)} <= load(lang).table["evidence"].keys()


def test_no_text_points_to_what_may_not_be_there() -> None:
    """Texts stand alone in tickets and tables: nothing is below them."""
    for rule in RULES:
        for text in rule.text.values():
            assert not re.search(r"\bbelow\b|\babove\b|下に示す|以下の", f"{text.message} {text.why} {text.fix}"), (
                rule.id
            )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_cause_has_words(lang: str) -> None:
    """The ranking of causes shows no identifier."""
    assert {rule.cause for rule in RULES} <= load(lang).table["cause"].keys()


def test_japanese_messages_say_access_in_japanese(shipped: Report) -> None:
    """A message that names the access uses the word of its own language."""
    with_access = [rule for rule in RULES if "{access}" in rule.text["ja"].message]

    assert with_access
    for rule in with_access:
        assert "読み取り" in message(rule.text["ja"], flagged(rule), "ja")
        assert "read" in message(rule.text["en"], flagged(rule), "en")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_rule_shows_on_the_page(shipped: Report, lang: str) -> None:
    """The page of either language contains the findings of all rules, with no field left unfilled."""
    page = page_html.write(shipped, lang)

    for finding in shipped.findings:
        assert finding.fingerprint in page
    assert "{name}" not in page.split('id="data">')[0]
