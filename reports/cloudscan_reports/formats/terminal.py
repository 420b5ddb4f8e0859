"""The report as a few lines of plain text, for the terminal in which the scan ran."""

from collections.abc import Iterator

from cloudscan.finding import Severity
from cloudscan.report import Report
from cloudscan.text import width as cells
from cloudscan_reports.summary import opinions
from cloudscan_reports.summary.counts import by_severity, changed, needing_work
from cloudscan_reports.summary.first_page import completeness
from cloudscan_reports.summary.gaps import GapGroup, asked_of, unseen
from cloudscan_reports.summary.named_case import named_case
from cloudscan_reports.summary.open_fixes import OpenFix, open_fixes
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, load, number
from cloudscan_wording.visible import shortened, visible

FIRST = 5
_MOST_GAPS = 5
_LEAST_WIDTH, _MOST_WIDTH = 40, 110
_COLOURS = {
    Severity.CRITICAL: "1;31",
    Severity.HIGH: "31",
    Severity.MEDIUM: "33",
    Severity.LOW: "34",
    Severity.INFO: "2",
}


def summary(report: Report, lang: str, *, colour: bool, width: int) -> str:
    """Counts, what to do first, what could not be seen. No line break at the end.

    `width` is in columns; wide characters count twice. The caller decides on `colour` (NO_COLOR, not a terminal);
    without it the text contains no escape sequence. Control characters in names are replaced by visible ones.
    """
    texts = load(lang, report.timezone)
    width = min(max(width, _LEAST_WIDTH), _MOST_WIDTH)
    return "\n".join(_lines(report, texts, colour, width))


def _lines(report: Report, texts: Texts, colour: bool, width: int) -> Iterator[str]:
    waiting = open_fixes(report)
    named = texts.say("terminal.title", organisation=report.organisation) if report.organisation else "cloudscan"
    yield _styled(_cut(named, width), "1", colour)
    yield from _wrapped(completeness(report, texts), width)
    if changes := changed(report, texts):
        yield from _wrapped(f"{changes.title}{texts.say('list.colon')}{changes.summary}", width)
    yield ""
    if waiting:
        yield from _wrapped(
            texts.count("terminal.counts", len(waiting), findings=number(len(needing_work(report)))), width
        )
        yield "  ".join(
            _styled(f"{texts.name('severity', severity)} {number(n)}", _COLOURS[severity], colour)
            for severity, n in by_severity(waiting).items()
            if n
        )
        yield ""
        yield _styled(texts.say("terminal.order"), "1", colour)
        for order, one in enumerate(waiting[:FIRST], 1):
            yield from _fix(order, one, report, texts, colour, width)
        if len(waiting) > FIRST:
            yield texts.count("terminal.more", len(waiting) - FIRST)
    else:
        blind = report.unknowns or not report.complete
        yield from _wrapped(texts.say("first.none_blind" if blind else "first.none"), width)
    if report.opinions:
        yield ""
        said = opinions.tally(report.opinions, texts)
        yield from _wrapped(f"{texts.say('opinions.title')}{texts.say('list.colon')}{said}", width)
    yield from _unseen(report, texts, colour, width)


def _fix(order: int, one: OpenFix, report: Report, texts: Texts, colour: bool, width: int) -> Iterator[str]:
    """What is wrong; below it who gets in and since when, whose it is and when it is due."""
    indent = "    "
    finding, label = one.worst, texts.name("severity", one.severity)
    message = list(_wrapped(shortened(phrases.message_of(finding, texts.lang), 2 * width), width - len(indent)))
    yield f"{order:>2}. {_styled(label, _COLOURS[one.severity], colour)}"
    yield from (indent + line for line in message)
    moment = finding.verdict.since or finding.first_seen_on
    key = "findings.since" if finding.verdict.since else "findings.first_seen"
    opened = texts.say(key, day=texts.day(moment))
    reason = shortened(phrases.because(finding, texts.lang), 2 * width)
    reached = phrases.reach(texts, finding.verdict)
    detail = f"{reason} {opened}" if reason else texts.say("list.stop").join(filter(None, (reached, opened)))
    case = named_case(one, report, texts)
    colon = texts.say("list.colon")
    owner = f"{texts.say('finding.owner')}{colon}{shortened(case.owner, width)}"
    due = texts.say("case.overdue", day=case.due) if case.overdue else case.due
    whose = texts.say("list.comma").join([owner, *([f"{texts.say('case.due')}{colon}{due}"] if due else [])])
    for text in (detail, whose):
        yield from (_styled(indent + line, "2", colour) for line in _wrapped(text, width - len(indent)))


def _unseen(report: Report, texts: Texts, colour: bool, width: int) -> Iterator[str]:
    not_seen = unseen(report, texts)
    if not_seen.nothing and not not_seen.waived and not not_seen.not_judged:
        return
    yield ""
    yield _styled(texts.say("unseen.title"), "1", colour)
    colon = texts.say("list.colon")
    for rule in not_seen.unknown_rules[:_MOST_GAPS]:
        n = texts.count("unseen.rule_count", len(rule.verdicts))
        yield from _wrapped(f"- {phrases.rule_text(rule.rule, texts.lang).title}{colon}{n}", width)
    for group in not_seen.gaps[:_MOST_GAPS]:
        yield from _gap(group, texts, width)
    if len(not_seen.gaps) > _MOST_GAPS:
        yield texts.count("terminal.more", len(not_seen.gaps) - _MOST_GAPS)
    if not_seen.waived:
        waived = f"{texts.say('unseen.waived_title')}{colon}{number(not_seen.waived_count)}"
        yield from _wrapped(f"- {waived}", width)
    if not_seen.not_judged:
        yield from _wrapped(texts.count("unseen.not_judged_count", not_seen.not_judged_count), width)
    for group in not_seen.not_judged[:_MOST_GAPS]:
        yield from _gap(group, texts, width)
    if len(not_seen.not_judged) > _MOST_GAPS:
        yield texts.count("terminal.more", len(not_seen.not_judged) - _MOST_GAPS)


def _gap(group: GapGroup, texts: Texts, width: int) -> Iterator[str]:
    """Where, what was asked, why there is no answer; below it what to do and which permission is needed."""
    gap, more = group.example, len(group.gaps) - 1
    colon, location = texts.say("list.colon"), shortened(gap.location, 80)
    where = texts.say("unseen.more_locations", name=location, n=number(more)) if more else location
    asked = shortened(asked_of(group, texts), 120)
    yield from _wrapped(f"- {where}{colon}{asked}{colon}{shortened(gap.why, 300)}", width)
    for key, text in (("advice", gap.advice), ("needs", gap.row.needs)):
        if text:
            yield from _wrapped(f"  {texts.say(f'unseen.{key}')}{colon}{shortened(text, 400)}", width)


def _styled(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def _cut(text: str, width: int) -> str:
    return next(_wrapped(text, width), "")


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Lines of at most `width` columns, broken at spaces where there are any, else anywhere (as Japanese may be)."""
    indent = " " * (len(text) - len(text.lstrip(" -")))
    line, columns, space = "", 0, -1
    for character in visible(text):
        if columns + cells(character) > width:
            cut = space if space > len(line) // 2 else len(line)
            yield line[:cut].rstrip()
            line = indent + line[cut:].lstrip()
            columns, space = cells(line), -1
        if character == " ":
            space = len(line)
        line += character
        columns += cells(character)
    if line.strip():
        yield line
