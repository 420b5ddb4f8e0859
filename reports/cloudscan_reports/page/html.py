"""The report as one HTML file for people. It needs no network, and nothing that a stranger wrote can run in it."""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from cloudscan.finding import Finding, Waiver
from cloudscan.report import Report, ReportFormat, WaiverStatus
from cloudscan.text import openable
from cloudscan_reports.page import payload
from cloudscan_reports.summary import counts, first_page, ranking
from cloudscan_wording import phrases, reasons, texts
from cloudscan_wording.visible import carriable, shortened, visible
from cloudscan_wording.worded_finding import changed

FIRST = 5  # findings on the first screen
STATIC = 200  # findings in the page itself, for readers without JavaScript
MOST = 9_900_000  # bytes of the whole page, from which a mail gateway and a browser still take it
_MOST_GROUPS = 100
_MOST_NAMES = 12
_MOST_GONE = 20
_PRESSING = ("overdue", "widened", "due_soon", "unused", "holding")
_SCRIPTS = ("data.js", "words.js", "search.js", "filters.js", "detail.js", "tools.js", "page.js")


def write(report: Report, lang: str) -> str:
    """The whole page in one language. Raises ConfigurationError for a language that has no texts."""
    return page(report, lang, MOST)


def page(report: Report, lang: str, most: int) -> str:
    """The page in at most so many bytes, as far as leaving out evidence of its last findings makes it smaller."""
    words = texts.load(lang)
    report = reasons.worded(carriable(report), lang)
    style = _asset("page.css")
    script = "\n".join(_asset(name) for name in _SCRIPTS)
    ranked = ranking.causes(report)
    steps = ranking.roadmap(report)
    rules = {rule.id: rule for rule in report.rules}
    head = (
        _templates()
        .get_template("page.html")
        .render(
            **_vocabulary(words, report.generated_on),
            report=report,
            lang=lang,
            style=style,
            policy=_policy(script, style),
            rules=rules,
            changed=changed(report),
            changes=counts.changed(report, words),
            most_gone=_MOST_GONE,
            standing=counts.standing(report),
            severities=counts.by_severity(counts.standing(report)),
            open_to_all=counts.open_to_all(counts.standing(report)),
            answers=first_page.answers(report, words, ranked, steps),
            ranked=ranked,
            measure=lambda cause: first_page.measure(cause, rules, words),
            cost=lambda hours: first_page.cost(words, hours),
            percent=first_page.percent,
            risk_chart=first_page.risk_chart(ranked, words) if ranked else "",
            trend_chart=first_page.trend_chart(report, words),
            stood=first_page.stood(report),
            roadmap=steps,
            hours_a_month=ranking.HOURS_A_MONTH,
            waived=_waived(report),
            covers=lambda waiver: _covers(waiver, report, words),
            widened_in=lambda status: _widened_in(status, words),
            figures=first_page.figures(lang),
            gaps=counts.gaps(report),
            rights=counts.rights(report),
            untold=counts.untold(report),
            static=report.findings[:STATIC],
            first=FIRST,
            most_groups=_MOST_GROUPS,
            most_names=_MOST_NAMES,
        )
    )
    room = most - len(head.encode()) - len(script.encode())
    carried = payload.elements(report, words, room)
    return head + _templates().get_template("script.html").render(script=script, carried=carried)


@cache
def _templates() -> jinja2.Environment:
    """Every value is made visible and then escaped; `safe` stands only behind our own assets and the encoded data."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cloudscan_reports", "page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(shortened=shortened, flat=lambda text: " ".join(text.split()))
    return environment


def _vocabulary(words: texts.Texts, now: datetime) -> Mapping[str, Callable[..., Any]]:
    """How the templates say things in one language."""
    return {
        "t": words.say,
        "count": words.count,
        "name": words.name,
        "plural": words.plural,
        "day": words.day,
        "last_day": lambda date: words.day(datetime.combine(date, time(), UTC)),
        "moment": words.moment,
        "number": texts.number,
        "reach": lambda finding: phrases.reach(words, finding.verdict),
        "openable": openable,
        "ticket_state": lambda ticket: phrases.ticket_state(words, ticket),
        "accepted": lambda finding: phrases.accepted(words, finding),
        "since": lambda finding: phrases.since(words, finding, now),
        "message": lambda finding: phrases.message_of(finding, words.lang),
        "words": lambda rule: phrases.words_of(rule, words.lang),
        "steps": lambda rule, finding: phrases.filled_steps(
            phrases.words_of(rule, words.lang).fix, phrases.fields_of(finding.verdict)
        ),
        "because": lambda finding: phrases.because(finding, words.lang),
        "chain": lambda finding: _first_chain(finding, words.lang),
    }


def _seen(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _waived(report: Report) -> Mapping[str, Sequence[WaiverStatus]]:
    """The waivers by what has to be looked at, the most pressing first; each stands once."""
    groups: dict[str, list[WaiverStatus]] = {note: [] for note in _PRESSING}
    for each in report.waivers:
        groups[next((note for note in _PRESSING if note in each.notes), "holding")].append(each)
    return {note: those for note, those in groups.items() if those}


def _covers(waiver: Waiver, report: Report, words: texts.Texts) -> str:
    """What a waiver is about: a finding, a rule, a place, or a rule in a place."""
    if waiver.fingerprint:
        found = next((each for each in report.findings if each.fingerprint == waiver.fingerprint), None)
        return phrases.message_of(found, words.lang) if found else waiver.fingerprint
    rule = next((each for each in report.rules if each.id == waiver.rule_id), None)
    title = phrases.words_of(rule, words.lang).title if rule else waiver.rule_id
    if not waiver.rule_id:
        return words.say("waivers.all_in_place", place=waiver.target)
    if not waiver.target:
        return words.say("waivers.everywhere", rule=title)
    return words.say("waivers.in_place", rule=title, place=waiver.target)


def _widened_in(status: WaiverStatus, words: texts.Texts) -> str:
    """In what the findings under a waiver have widened."""
    names = dict.fromkeys(name for amounts in status.widened.values() for name in amounts)
    return words.say("list.comma").join(words.name("widened", name) for name in names)


def _first_chain(finding: Finding, lang: str) -> Sequence[str]:
    return next((phrases.chain_of(each.chain, lang) for each in finding.verdict.evidence if each.chain), ())


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
