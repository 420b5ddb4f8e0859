"""The questions of a director, each answered in a sentence about named things."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cloudscan.checklist import DepartureFigures
from cloudscan.report import Report, RuleSummary
from cloudscan_reports.summary import course, ranking
from cloudscan_reports.summary.estimates import cost, percent_range
from cloudscan_reports.summary.gaps import Unseen, not_judged, nothing_missing, tally
from cloudscan_reports.summary.named_case import NamedCase, named_case
from cloudscan_reports.summary.open_fixes import OpenFix, ages
from cloudscan_reports.summary.ranking import Cause, Step
from cloudscan_reports.summary.splits import PlatformRead
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, number


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A question, the short answer, and the anchor of the section with the details."""

    question: str
    short: str
    more: str
    anchor: str


def answers(
    report: Report,
    texts: Texts,
    worst: OpenFix | None,
    waiting: Sequence[OpenFix],
    steps: Sequence[Step],
    not_seen: Unseen,
    read: Sequence[PlatformRead],
) -> Sequence[Answer]:
    """What would hurt most; what first; what it costs; whether it gets better; whether access ends; what was not seen.

    `worst` is one of the fixes that are `waiting`; without it only the last two are answered.
    """
    return [
        *(_answers_on_work(report, texts, worst, waiting, steps) if worst else ()),
        Answer(
            question=texts.say("answers.better"),
            short=course.short(report, texts),
            more=course.more(report, ages(waiting, report), texts),
            anchor="trend",
        ),
        *([_answer_on_departures(report.departures, texts)] if report.departures else []),
        _answer_on_gaps(report, texts, not_seen, read),
    ]


def worst_of(waiting: Sequence[OpenFix], causes: Sequence[Cause], rules: Mapping[str, RuleSummary]) -> OpenFix | None:
    """The fix of what would hurt most, which is of the first cause of the ranking; None if nothing needs work."""
    first = causes[0].cause if causes else ""
    of_first = (one for one in waiting if _cause_of(one, rules) == first)
    return next(of_first, next(iter(waiting), None))


def facts(case: NamedCase, texts: Texts) -> Sequence[tuple[str, str]]:
    """What is known of a case, each with its label, in the order in which it is asked."""
    due = texts.say("case.overdue", day=case.due) if case.overdue else case.due
    known = (
        ("finding.who", case.who),
        ("finding.since", case.since),
        ("finding.owner", case.owner),
        ("case.where", case.where),
        ("case.data", case.data),
        ("case.due", due),
        ("case.cause", case.cause),
    )
    stop = texts.say("list.stop").strip()
    return [(texts.say(key), value.removesuffix(stop)) for key, value in known if value]


def _first(waiting: Sequence[OpenFix], worst: OpenFix, rules: Mapping[str, RuleSummary]) -> OpenFix:
    """What to do first: among what has the same cause as the worst, the fix that removes most risk per hour."""
    alike = {one.fix.key: one for one in waiting if _cause_of(one, rules) == _cause_of(worst, rules)}
    tasks = ranking.tasks([one.fix for one in alike.values()], rules)
    return alike[tasks[0].change.key]


def _cause_of(one: OpenFix, rules: Mapping[str, RuleSummary]) -> str:
    rule = rules.get(one.worst.verdict.rule_id)
    return rule.cause if rule else ""


def _answers_on_work(
    report: Report,
    texts: Texts,
    worst: OpenFix,
    waiting: Sequence[OpenFix],
    steps: Sequence[Step],
) -> Sequence[Answer]:
    rules = {rule.id: rule for rule in report.rules}
    case, first = named_case(worst, report, texts), named_case(_first(waiting, worst, rules), report, texts)
    half_year = steps[0]
    key = "answers.first_short" if first.due else "answers.first_undated"
    late = texts.say("answers.first_overdue") if first.overdue else ""
    return (
        Answer(
            question=texts.say("answers.hurts"),
            short=case.message,
            more=texts.say("list.stop").join(
                f"{label}{texts.say('list.colon')}{value}" for label, value in facts(case, texts)
            ),
            anchor=f"finding={case.fingerprint}",
        ),
        Answer(
            question=texts.say("answers.first"),
            short=texts.say(key, name=first.name, owner=first.owner, day=first.due),
            more=phrases.sentences([late, first.step], texts.lang),
            anchor=f"finding={first.fingerprint}",
        ),
        Answer(
            question=texts.say("answers.costs"),
            short=texts.say("answers.costs_short", cost=cost(texts, half_year.hours_range)),
            more=texts.count("answers.costs_more", half_year.fixes, left=percent_range(half_year.risk_left)),
            anchor="roadmap",
        ),
    )


def _answer_on_departures(figures: DepartureFigures, texts: Texts) -> Answer:
    key = "answers.departures_open"
    still = texts.count(key, figures.still_open) if figures.still_open else texts.say("answers.departures_closed")
    median = "" if figures.median_days is None else number(figures.median_days)
    took = texts.count(
        "answers.departures_median" if median else "answers.departures_none",
        figures.left,
        days=figures.days,
        closed=number(figures.closed),
        median=median,
        most=number(figures.most_days or 0),
    )
    counted = (
        ("answers.departures_unknown", figures.unknown),
        ("answers.departures_upcoming", figures.upcoming),
        ("answers.departures_moved", figures.moved),
    )
    longest = texts.count("answers.departures_longest", figures.longest_open) if figures.longest_open else ""
    more = [longest, took if figures.left else "", *(texts.count(key, n) for key, n in counted if n)]
    return Answer(
        question=texts.say("answers.departures"),
        short=still,
        more=phrases.sentences(more, texts.lang),
        anchor="findings",
    )


def _answer_on_gaps(report: Report, texts: Texts, not_seen: Unseen, read: Sequence[PlatformRead]) -> Answer:
    shares = texts.say("list.comma").join(
        texts.say("answers.share", platform=one.name, share=_floored(one.share)) for one in read
    )
    if not not_seen.count and not report.unknowns:
        short, more = texts.say("answers.all_seen"), nothing_missing(not_seen, texts)
    else:
        gaps = tally(not_seen, texts)
        short = texts.say("answers.read", shares=shares) if shares else texts.count("answers.gaps", not_seen.count)
        undecided = texts.count("answers.unknown", len(report.unknowns)) if report.unknowns else ""
        more = phrases.sentences([gaps, undecided, *not_judged(not_seen, texts)], texts.lang)
    return Answer(question=texts.say("answers.unseen"), short=short, more=more, anchor="unseen")


def _floored(part: float) -> str:
    """A share in whole per cent, and 100% only for all of it."""
    return f"{int(100 * part)}%"
