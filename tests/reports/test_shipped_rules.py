"""The rules that come with cloudscan, as the report shows them."""

from pathlib import Path

import msgspec
import pytest

from cloudscan.engine import loader
from cloudscan.engine.rule_file import Rule
from cloudscan.facts import Access, Audience
from cloudscan.finding import Evidence, Finding, Judgement, Subject, Verdict, message
from cloudscan.report import Report, RuleSummary
from cloudscan_reports.page import html as page_html
from cloudscan_wording import phrases
from cloudscan_wording.texts import LANGUAGES, load
from tests.reports.synthetic import report

RULES = loader.load([Path(__file__).parents[2] / "rules"])


def flagged(each: Rule) -> Verdict:
    """A verdict of the rule that has a value in every column."""
    row = {column: f"v-{column}" for column in each.columns} | {"access": "read", "audience": "named_external"}
    return Verdict(
        rule_id=each.id,
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
            id=each.id,
            version=each.version,
            severity=each.severity,
            confidence=each.confidence,
            cause=each.cause,
            likelihood=each.likelihood,
            effort=each.effort,
            text=each.text,
            needs=each.needs,
        )
        for each in RULES
    ]
    return msgspec.structs.replace(given, rules=summaries, findings=[_finding(each, given) for each in RULES])


def _finding(each: Rule, given: Report) -> Finding:
    verdict = flagged(each)
    said = {lang: message(each.text[lang], verdict, lang) for lang in LANGUAGES}
    return msgspec.structs.replace(
        given.findings[0], verdict=verdict, fingerprint=verdict.fingerprint, message=said, severity=each.severity
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_remedy_is_filled(lang: str) -> None:
    """No step and no command is left with a field that nothing fills."""
    for each in RULES:
        fix = each.text[lang].fix
        known = phrases.fields_of(flagged(each))

        assert set(phrases.named_in(fix)) <= known.keys(), each.id
        assert phrases.steps(fix), each.id


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_cause_has_words(lang: str) -> None:
    """The ranking of causes shows no identifier."""
    assert {each.cause for each in RULES} <= load(lang).table["cause"].keys()


def test_japanese_messages_say_access_in_japanese(shipped: Report) -> None:
    """A message that names the access names it in its own language."""
    with_access = [each for each in RULES if "{access}" in each.text["ja"].message]

    assert with_access
    for each in with_access:
        assert "読み取り" in message(each.text["ja"], flagged(each), "ja")
        assert "read" in message(each.text["en"], flagged(each), "en")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_rule_shows_on_the_page(shipped: Report, lang: str) -> None:
    """Titles, reasons and remedies of all rules stand in the page of either language."""
    page = page_html.write(shipped, lang)

    for each in shipped.findings:
        assert each.fingerprint in page
    assert "{name}" not in page.split('id="data">')[0]
