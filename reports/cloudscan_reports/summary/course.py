"""Better or worse, in words: against 30 and 90 days ago, each week, how much is overdue, how long it has been open."""

from collections.abc import Iterator, Sequence

from cloudscan.report import Comparison, Report
from cloudscan_reports.summary.counts import on_judgement
from cloudscan_reports.summary.open_fixes import Ages
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, number

_AS_BEFORE = 0.01  # a smaller change is none
_LEAST_DAYS = 7  # for a figure per week


def short(report: Report, texts: Texts) -> str:
    """Whether there is more or less risk than before, or why that cannot be said."""
    best = _first(report.comparisons)
    return course(best, report, texts) if best else texts.say("answers.better_unknown")


def more(report: Report, waiting: Ages | None, texts: Texts) -> str:
    """The other comparison, what came and went, what is overdue, and what is left out."""
    return phrases.sentences(_sentences(report, waiting, texts), texts.lang)


def course(compared: Comparison, report: Report, texts: Texts) -> str:
    """One comparison in a phrase."""
    day = texts.day(compared.old.started_on)
    if compared.why_not:
        return texts.say(f"incomparable.{compared.why_not}", day=day)
    before, now = compared.score_before, compared.score_now
    values = {"day": day, "ago": texts.ago(compared.old.started_on, report.scan.started_on)}
    if not before:
        key = "answers.from_nothing" if now else "answers.still_nothing"
        return texts.say(key, now=number(now), **values)
    part = abs(now - before) / before
    key = "same" if part < _AS_BEFORE else "down" if now < before else "up"
    return texts.say(f"answers.{key}", n=percent(part), **values)


def percent(part: float) -> str:
    """0.375 as 38%; what is more than nothing and less than all is not rounded to either."""
    whole = round(100 * part)
    if part > 0:
        whole = max(whole, 1)
    return f"{min(whole, 99) if 0.5 < part < 1 else whole:,}%"


def _sentences(report: Report, waiting: Ages | None, texts: Texts) -> Iterator[str]:
    best = _first(report.comparisons)
    if best is None:
        yield texts.say("answers.better_unknown_more")
    else:
        for other in report.comparisons:
            if other is not best:
                yield _sentence(course(other, report, texts), texts)
        yield from _changes(best, texts)
    if waiting and waiting.has_deadlines and waiting.overdue:
        share = percent(waiting.share_overdue)
        yield texts.say("answers.overdue", n=number(waiting.overdue), all=number(waiting.count), share=share)
    if waiting:
        yield texts.say("answers.ages", median=number(round(waiting.median)), mean=number(round(waiting.mean)))
    if report.changes:
        yield from on_judgement(report.changes, texts)


def _changes(compared: Comparison, texts: Texts) -> Iterator[str]:
    """What the estate changed since, each week if it is long enough ago; and what is left out."""
    if compared.why_not:
        return
    came, went = compared.new + compared.reopened, compared.resolved
    if compared.days >= _LEAST_DAYS:
        weeks = compared.days / 7
        net = compared.net_per_week
        values = {"new": number(came / weeks), "resolved": number(went / weeks)}
        yield texts.say("answers.weekly", **values, net=f"{'+' if net > 0 else ''}{number(round(net, 1))}")
    else:
        yield texts.say("answers.since_then", new=number(came), resolved=number(went))
    for key, platforms in (("answers.added", compared.added), ("answers.removed", compared.removed)):
        if platforms:
            names = texts.say("list.comma").join(texts.name("platform", platform) for platform in platforms)
            yield texts.say(key, platforms=names)
    if compared.rejudged:
        yield texts.count("answers.left_out", compared.rejudged)


def _sentence(phrase: str, texts: Texts) -> str:
    return phrase + texts.say("list.stop").rstrip()


def _first(comparisons: Sequence[Comparison]) -> Comparison | None:
    """The one that answers: the first that can be made, else the first."""
    return next((one for one in comparisons if not one.why_not), next(iter(comparisons), None))
