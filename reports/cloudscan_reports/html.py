"""The report as one HTML file for people. It needs no network, and nothing that a stranger wrote can run in it."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from cloudscan.finding import Finding, Severity
from cloudscan.report import Report, ReportFormat
from cloudscan_reports import page_data, phrases, summary, texts
from cloudscan_reports.visible import carriable, shortened, visible

FIRST = 5  # findings on the first screen
STATIC = 200  # findings in the page itself, for readers without JavaScript
_MOST_GROUPS = 100
_MOST_NAMES = 12
_SCRIPTS = ("words.js", "detail.js", "page.js")


def write(report: Report, lang: str) -> str:
    """The whole page in one language. Raises ConfigurationError for a language that has no texts."""
    words = texts.load(lang)
    report = carriable(report)
    style = _asset("page.css")
    script = "\n".join(_asset(name) for name in _SCRIPTS)
    data, media_type = page_data.embedded(report, words)
    return (
        _environment(words, report.generated_on)
        .get_template("page.html")
        .render(
            report=report,
            lang=lang,
            style=style,
            script=script,
            policy=_policy(script, style),
            data=data,
            media_type=media_type,
            rules={rule.id: rule for rule in report.rules},
            standing=summary.standing(report),
            severities=summary.by_severity(summary.standing(report)),
            open_to_all=summary.open_to_all(summary.standing(report)),
            causes=summary.causes(report),
            gaps=summary.gaps(report),
            rights=summary.rights(report),
            untold=summary.untold(report),
            static=report.findings[:STATIC],
            first=FIRST,
            most_groups=_MOST_GROUPS,
            most_names=_MOST_NAMES,
        )
    )


def _environment(words: texts.Texts, now: datetime) -> jinja2.Environment:
    """Every value is made visible and then escaped; `safe` stands only behind our own assets and the encoded data."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cloudscan_reports", "page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        t=words.say,
        count=words.count,
        name=words.name,
        plural=words.plural,
        day=words.day,
        moment=words.moment,
        number=texts.number,
        reach=lambda finding: phrases.reach(words, finding.verdict),
        accepted=lambda finding: phrases.accepted(words, finding),
        since=lambda finding: phrases.since(words, finding, now),
        message=lambda finding: phrases.message_of(finding, words.lang),
        words=lambda rule: phrases.words_of(rule, words.lang),
        steps=lambda rule, finding: phrases.filled_steps(
            phrases.words_of(rule, words.lang).fix, phrases.fields_of(finding.verdict)
        ),
        because=lambda finding: phrases.because(finding, words.lang),
        chain=lambda finding: _first_chain(finding, words.lang),
        bar=_bar,
    )
    environment.filters.update(shortened=shortened, flat=lambda text: " ".join(text.split()))
    return environment


def _seen(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _first_chain(finding: Finding, lang: str) -> Sequence[str]:
    return next((phrases.chain_of(each.chain, lang) for each in finding.verdict.evidence if each.chain), ())


def _bar(line: summary.CauseLine, widest: int) -> Sequence[tuple[Severity, float, float]]:
    """The segments of one bar, worst first: severity, begin and width, in hundredths of the widest bar."""
    segments = []
    begin = 0.0
    for severity, n in line.counts.items():
        width = 100 * n / widest
        if n:
            segments.append((severity, round(begin, 2), round(width, 2)))
        begin += width
    return segments


def _policy(script: str, style: str) -> str:
    """Content security policy: this script and this style sheet, nothing else, nowhere to send anything."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _asset(name: str) -> str:
    return resources.files("cloudscan_reports").joinpath("page", name).read_text("utf-8").strip()


HTML = ReportFormat(name="html", title="HTML", suffix=".html", write=write)
