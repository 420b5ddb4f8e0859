"""The report as a few lines of plain text, for the terminal of whoever ran the scan."""

import unicodedata
from collections.abc import Iterator

from cloudscan.finding import Finding, Severity
from cloudscan.report import Report
from cloudscan_reports.summary.counts import by_severity, changed, gaps, standing, untold
from cloudscan_wording import phrases, reasons, texts
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
    """Counts, what to do first, what could not be seen. Ends without a line break.

    Nothing that a stranger wrote reaches the terminal as a control character. `colour` is for the caller to decide
    (NO_COLOR, not a terminal); without it the text holds no escape sequence at all. Wide characters count twice.
    """
    words = texts.load(lang)
    width = min(max(width, _LEAST_WIDTH), _MOST_WIDTH)
    return "\n".join(_lines(reasons.worded(report, lang), words, colour, width))


def _lines(report: Report, words: texts.Texts, colour: bool, width: int) -> Iterator[str]:
    work = standing(report)
    looked_at = words.say("list.comma").join(
        words.say("list.counted", n=texts.number(n), kind=words.plural("kind", kind, n))
        for kind, n in report.scan.resources.items()
    )
    named = words.say("terminal.title", organisation=report.organisation) if report.organisation else "cloudscan"
    yield _styled(_cut(named, width), "1", colour)
    if looked_at:
        yield from _wrapped(f"{words.say('page.looked_at')}{words.say('list.colon')}{looked_at}", width)
    yield from _wrapped(words.say("page.complete" if report.scan.complete else "page.incomplete"), width)
    if changes := changed(report, words):
        yield from _wrapped(f"{changes.title}{words.say('list.colon')}{changes.told}", width)
    yield ""
    if work:
        yield words.count("terminal.counts", len(work))
        yield "  ".join(
            _styled(f"{words.name('severity', severity)} {texts.number(n)}", _COLOURS[severity], colour)
            for severity, n in by_severity(work).items()
            if n
        )
        yield ""
        yield _styled(words.say("terminal.order"), "1", colour)
        for order, finding in enumerate(work[:FIRST], 1):
            yield from _finding(order, finding, words, colour, width)
        if len(work) > FIRST:
            yield words.count("terminal.more", len(work) - FIRST)
    else:
        blind = report.unknowns or not report.scan.complete
        yield from _wrapped(words.say("first.none_blind" if blind else "first.none"), width)
    yield from _unseen(report, words, colour, width)


def _finding(order: int, finding: Finding, words: texts.Texts, colour: bool, width: int) -> Iterator[str]:
    indent = "    "
    label = words.name("severity", finding.severity)
    message = list(_wrapped(shortened(phrases.message_of(finding, words.lang), 2 * width), width - len(indent)))
    yield f"{order:>2}. {_styled(label, _COLOURS[finding.severity], colour)}"
    yield from (indent + line for line in message)
    moment = finding.verdict.since or finding.first_seen_on
    key = "findings.since" if finding.verdict.since else "findings.first_seen"
    opened = words.say(key, day=words.day(moment))
    reason = shortened(phrases.because(finding, words.lang), 2 * width)
    reached = phrases.reach(words, finding.verdict)
    told = f"{reason} {opened}" if reason else words.say("list.stop").join(filter(None, (reached, opened)))
    yield from (_styled(indent + line, "2", colour) for line in _wrapped(told, width - len(indent)))


def _unseen(report: Report, words: texts.Texts, colour: bool, width: int) -> Iterator[str]:
    missing, unjudged = gaps(report), untold(report)
    if not missing and not unjudged:
        return
    yield ""
    yield _styled(words.say("unseen.title"), "1", colour)
    colon = words.say("list.colon")
    for each in unjudged[:_MOST_GAPS]:
        n = words.count("unseen.rule_count", len(each.verdicts))
        yield from _wrapped(f"- {phrases.words_of(each.rule, words.lang).title}{colon}{n}", width)
    for gap in missing[:_MOST_GAPS]:
        row, more = gap.example, len(gap.places) - 1
        place = shortened(gap.places[0], 80)
        where = words.say("unseen.more_places", name=place, n=texts.number(more)) if more else place
        outcome = f"{words.name('table', row.table)} {words.name('outcome', row.outcome)}"
        yield from _wrapped(f"- {where}{colon}{outcome}{colon}{shortened(row.reason, 200)}", width)
        if row.needs:
            yield from _wrapped(f"  {words.say('unseen.needs')}{colon}{shortened(row.needs, 200)}", width)
    if len(missing) > _MOST_GAPS:
        yield words.count("terminal.more", len(missing) - _MOST_GAPS)


def _styled(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def _wide(character: str) -> int:
    return 0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cut(text: str, width: int) -> str:
    return next(_wrapped(text, width), "")


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Lines of at most `width` columns, broken at spaces where there are any, else anywhere (as Japanese may be)."""
    indent = " " * (len(text) - len(text.lstrip(" -")))
    line, columns, space = "", 0, -1
    for character in visible(text):
        if columns + _wide(character) > width:
            cut = space if space > len(line) // 2 else len(line)
            yield line[:cut].rstrip()
            line = indent + line[cut:].lstrip()
            columns, space = sum(map(_wide, line)), -1
        if character == " ":
            space = len(line)
        line += character
        columns += _wide(character)
    if line.strip():
        yield line
