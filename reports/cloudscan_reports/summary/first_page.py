"""What the first page says: five questions of a director answered in a sentence each, and figures in plain words."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from markupsafe import Markup

from cloudscan.facts import Audience
from cloudscan.finding import Finding
from cloudscan.report import Report, RuleSummary, Scan
from cloudscan_reports.summary import charts, counts, ranking
from cloudscan_reports.summary.ranking import Cause, Step
from cloudscan_wording import phrases, texts
from cloudscan_wording.texts import Texts
from cloudscan_wording.visible import visible

_HOURS_A_DAY = 8
_DAYS_A_MONTH = 20


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A question, the short answer and where on the page more is said."""

    question: str
    short: str
    more: str
    anchor: str


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A published figure, for scale."""

    year: int
    value: str
    what: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Stood:
    """How long what outsiders can reach has stood open, all taken together."""

    findings: int
    resource_days: float
    longest: float  # days


def figures(lang: str) -> Sequence[Figure]:
    """The published figures in one language."""
    table = tomllib.loads(resources.files(__package__).joinpath("published_figures.toml").read_text("utf-8"))
    return [
        Figure(year=each["year"], **{name: each[name][lang] for name in ("value", "what", "source")})
        for each in table["figure"]
    ]


def stood(report: Report) -> Stood | None:
    """Exposure over time of what people outside can reach today; None where the ledger has not told."""
    outside = [each for each in report.findings if _outside(each) and each.fingerprint in report.time_open]
    if not outside:
        return None
    told = [report.time_open[each.fingerprint] for each in outside]
    return Stood(
        findings=len(outside),
        resource_days=sum(each.resource_days for each in told),
        longest=max(each.days for each in told),
    )


def risk_chart(ranked: Sequence[Cause], words: Texts) -> Markup:
    """The causes by likelihood and impact; its description reads them out."""
    read = [
        words.say(
            "ranking.chart_read",
            place=place,
            cause=visible(words.name("cause", each.cause)),
            likelihood=each.likelihood,
            impact=texts.number(each.impact),
        )
        for place, each in enumerate(ranked, 1)
    ]
    return charts.risks(
        ranked,
        x_title=words.say("ranking.likelihood"),
        y_title=words.say("ranking.impact"),
        title=words.say("ranking.chart"),
        description=words.say("list.stop").join(read),
    )


def trend_chart(report: Report, words: Texts) -> Markup | None:
    """The scores' sum over the nights; None where there are not two to draw a line between."""
    nights = [(scan, scan.figures) for scan in report.trend if scan.figures]
    if len(nights) < 2:
        return None
    (first, before), (last, now) = nights[0], nights[-1]
    return charts.trend(
        report.trend,
        days=[words.day(scan.started_on) for scan in report.trend],
        title=words.say("ranking.trend"),
        description=words.say(
            "ranking.trend_read",
            **{"from": words.day(first.started_on), "to": words.day(last.started_on)},
            first=texts.number(before.score),
            last=texts.number(now.score),
        ),
    )


def cost(words: Texts, hours: float) -> str:
    """Hours of work as one says them: hours, days of eight hours, or months of twenty days."""
    days = hours / _HOURS_A_DAY
    if days < 2:
        return words.count("ranking.hours", max(1, round(hours)))
    if days < 2 * _DAYS_A_MONTH:
        return words.count("ranking.days", round(days))
    return words.count("ranking.months", round(days / _DAYS_A_MONTH))


def answers(report: Report, words: Texts, causes: Sequence[Cause], steps: Sequence[Step]) -> Sequence[Answer]:
    """What would hurt most; what first; what it costs; whether it gets better; what was not seen."""
    told = [*(_work(report, words, causes, steps) if causes else ()), *_better(report, words), _unseen(report, words)]
    return [
        Answer(question=words.say(f"answers.{key}"), short=short, more=more, anchor=anchor)
        for key, short, more, anchor in told
    ]


def _work(
    report: Report, words: Texts, causes: Sequence[Cause], steps: Sequence[Step]
) -> Sequence[tuple[str, str, str, str]]:
    needing_work = [each for each in causes if each.cause != ranking.EXCEPTION] or causes
    worst, first = max(needing_work, key=lambda each: each.risk), needing_work[0]
    rules = {rule.id: rule for rule in report.rules}
    half = steps[0]
    return (
        (
            "hurts",
            words.name("cause", worst.cause),
            words.count("answers.hurts_more", worst.exposures, resources=texts.number(worst.resources)),
            "ranking",
        ),
        (
            "first",
            words.name("cause", first.cause),
            measure(first, rules, words),
            "ranking",
        ),
        (
            "costs",
            words.say("answers.costs_short", cost=cost(words, half.hours)),
            words.count("answers.costs_more", half.findings, left=percent(half.risk_left)),
            "roadmap",
        ),
    )


def _better(report: Report, words: Texts) -> Sequence[tuple[str, str, str, str]]:
    nights = [scan for scan in report.trend if scan.figures]
    if len(nights) < 2 or report.changes is None:
        return (("better", words.say("answers.better_unknown"), words.say("answers.better_unknown_more"), "trend"),)
    counts = report.changes.counts
    more = words.say(
        "answers.better_more",
        day=words.day(report.changes.old.started_on),
        new=texts.number(counts.get("new", 0) + counts.get("reopened", 0)),
        widened=texts.number(counts.get("widened", 0)),
        resolved=texts.number(counts.get("resolved", 0)),
    )
    return (("better", _course(nights, words), more, "trend"),)


def _course(nights: Sequence[Scan], words: Texts) -> str:
    first, last = (each.figures.score if each.figures else 0.0 for each in (nights[0], nights[-1]))
    part = abs(last - first) / first if first else 0.0
    key = "same" if part < 0.01 else "down" if last < first else "up"
    return words.say(f"answers.{key}", n=percent(part), day=words.day(nights[0].started_on))


def _unseen(report: Report, words: Texts) -> tuple[str, str, str, str]:
    gaps = sum(len(each.places) for each in counts.gaps(report))
    if not gaps and not report.unknowns:
        return "unseen", words.say("answers.all_seen"), words.say("unseen.none"), "unseen"
    return (
        "unseen",
        words.count("answers.gaps", gaps),
        words.count("answers.unknown", len(report.unknowns)),
        "unseen",
    )


def measure(cause: Cause, rules: Mapping[str, RuleSummary], words: Texts) -> str:
    """The main countermeasure: the first step of the remedy that takes away most; for exceptions, a new decision."""
    if cause.cause == ranking.EXCEPTION:
        return words.say("ranking.decide_again")
    rule = rules.get(cause.rule_id)
    if rule is None:
        return ""
    steps = phrases.steps(phrases.words_of(rule, words.lang).fix)
    return steps[0].text if steps else ""


def percent(part: float) -> str:
    """0.375 as 38%."""
    return f"{100 * part:.0f}%"


def _outside(finding: Finding) -> bool:
    audience = phrases.standing_of(finding.verdict)
    return isinstance(audience, Audience) and audience >= Audience.NAMED_EXTERNAL
