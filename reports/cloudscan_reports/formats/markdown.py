"""A summary of the report in Markdown (CommonMark with GitHub's tables): for a ticket, a wiki, a pull request.

What strangers wrote stands in code spans, where no Markdown, mention or link works. Sentences of rules are escaped.
"""

from collections.abc import Iterator, Sequence

from cloudscan.coverage import Coverage
from cloudscan.finding import Finding
from cloudscan.report import Report, ReportFormat, RuleSummary
from cloudscan_reports.summary import counts, first_page, ranking
from cloudscan_reports.summary.ranking import Cause
from cloudscan_wording import phrases, reasons
from cloudscan_wording.markdown import code, prose
from cloudscan_wording.texts import Texts, load, number
from cloudscan_wording.visible import shortened, visible

_MOST_FINDINGS = 50
_MOST_GAPS = 50
_MOST_GONE = 20
_MOST_PROSE = 300


def write(report: Report, lang: str) -> str:
    """The summary in one language: five answers, the first findings, causes, changes, and what could not be seen."""
    words = load(lang)
    return "\n".join(_document(reasons.worded(report, lang), words)) + "\n"


def _document(report: Report, words: Texts) -> Iterator[str]:
    work = counts.standing(report)
    yield f"# {prose(words.say('page.title'))}"
    yield ""
    colon = words.say("list.colon")
    scan = report.scan
    if report.organisation:
        yield f"- {code(report.organisation)}"
    yield "- " + prose(
        words.say("page.scanned", started=words.moment(scan.started_on), finished=words.moment(scan.finished_on))
    )
    yield f"- {prose(words.say('page.complete' if scan.complete else 'page.incomplete'))}"
    if scan.resources:
        kinds = (
            prose(words.say("list.counted", n=number(n), kind=words.plural("kind", kind, n)))
            for kind, n in scan.resources.items()
        )
        yield f"- {prose(words.say('page.looked_at') + colon)}{words.say('list.comma').join(kinds)}"
    yield ""
    ranked = ranking.causes(report)
    yield from _answers(report, ranked, words)
    yield from _first(report, work, words)
    yield from _causes(report, ranked, words)
    yield from _changes(report, words)
    yield from _unseen(report, words)


def _first(report: Report, work: Sequence[Finding], words: Texts) -> Iterator[str]:
    yield f"## {prose(words.say('first.title'))}"
    yield ""
    if not work:
        blind = report.unknowns or not report.scan.complete
        yield prose(words.say("first.none_blind" if blind else "first.none"))
        yield ""
        return
    yield prose(words.count("terminal.counts", len(work)))
    yield ""
    by_severity = counts.by_severity(work)
    yield from _table(
        [words.name("severity", each) for each in by_severity], [[number(n) for n in by_severity.values()]]
    )
    rules = {rule.id: rule for rule in report.rules}
    keys = ("order", "severity", "message", "audience", "account", "since", *(("ticket",) if report.tickets else ()))
    head = [words.say(f"columns.{key}") for key in keys]
    yield from _table(
        head,
        (
            [str(order), *_cells(finding, rules.get(finding.verdict.rule_id), words), *_tickets(finding, report)]
            for order, finding in enumerate(work[:_MOST_FINDINGS], 1)
        ),
    )
    yield from _more(len(work) - _MOST_FINDINGS, words)


def _cells(finding: Finding, rule: RuleSummary | None, words: Texts) -> list[str]:
    verdict = finding.verdict
    platform = verdict.subject.platform
    standing = words.name("audience", phrases.standing_of(verdict), platform)
    moment = verdict.since or finding.first_seen_on
    return [
        prose(words.name("severity", finding.severity)),
        _message(finding, rule, words),
        prose(standing),
        code(verdict.subject.account),
        prose(words.day(moment)),
    ]


def _tickets(finding: Finding, report: Report) -> list[str]:
    """One cell where the report knows tickets at all."""
    own = report.tickets.get(finding.fingerprint, ())
    return [" ".join(code(each.key) for each in own) or "–"] if report.tickets else []


def _message(finding: Finding, rule: RuleSummary | None, words: Texts) -> str:
    parts = phrases.parted_message(finding, rule, words.lang)
    shown = (code(part) if named else prose(shortened(part, _MOST_PROSE)) for part, named in parts)
    return "".join(shown).strip() or "–"


def _answers(report: Report, ranked: Sequence[Cause], words: Texts) -> Iterator[str]:
    """The five questions of a director, a line each."""
    told = first_page.answers(report, words, ranked, ranking.roadmap(report))
    for each in told:
        short, more = (prose(shortened(text, _MOST_PROSE)) for text in (each.short, each.more))
        yield f"- {prose(each.question)} {short}{prose(words.say('list.stop')) + more if more else ''}"
    yield ""


def _causes(report: Report, ranked: Sequence[Cause], words: Texts) -> Iterator[str]:
    if not ranked:
        return
    rules = {rule.id: rule for rule in report.rules}
    keys = ("likelihood", "impact", "exposures", "resources", "people", "measure", "cost", "priority")
    yield f"## {prose(words.say('ranking.title'))}"
    yield ""
    yield prose(words.say("ranking.note"))
    yield ""
    yield from _table(
        [words.say("columns.order"), words.say("first.cause"), *(words.say(f"ranking.{key}") for key in keys)],
        (
            [
                str(place),
                prose(visible(words.name("cause", it.cause))),
                number(it.likelihood),
                number(it.impact),
                number(it.exposures),
                number(it.resources),
                number(it.people) if it.people else "–",
                prose(shortened(first_page.measure(it, rules, words), _MOST_PROSE)),
                prose(first_page.cost(words, it.hours)),
                number(it.priority),
            ]
            for place, it in enumerate(ranked, 1)
        ),
    )


def _changes(report: Report, words: Texts) -> Iterator[str]:
    """What is new, back, wider and gone since the scan before."""
    changes = counts.changed(report, words)
    if changes is None:
        return
    yield f"## {prose(changes.title)}"
    yield ""
    yield prose(changes.told)
    yield ""
    if changes.gone:
        names = words.say("list.comma").join(
            code(each.name) + (prose(f" ({words.name('event', each.reason)})") if each.reason else "")
            for each in changes.gone[:_MOST_GONE]
        )
        left = len(changes.gone) - _MOST_GONE
        more = f" {prose(words.count('changes.more', left))}" if left > 0 else ""
        yield f"{prose(words.say('changes.gone') + words.say('list.colon'))}{names}{more}"
        yield ""


def _unseen(report: Report, words: Texts) -> Iterator[str]:
    yield f"## {prose(words.say('unseen.title'))}"
    yield ""
    unjudged, gaps = counts.untold(report), counts.gaps(report)
    if not unjudged and not gaps:
        yield prose(words.say("unseen.none"))
        return
    yield prose(words.say("unseen.lead"))
    yield ""
    if unjudged:
        yield from _table(
            [words.say("unseen.rules"), words.say("columns.unknown"), words.say("unseen.needs")],
            (
                [
                    prose(phrases.words_of(it.rule, words.lang).title),
                    number(len(it.verdicts)),
                    " ".join(code(right) for right in it.rights) or "–",
                ]
                for it in unjudged
            ),
        )
    if gaps:
        yield from _table(
            [words.say(f"unseen.{key}") for key in ("where", "what", "outcome", "why", "needs")],
            (_gap(each.example, each.places, words) for each in gaps[:_MOST_GAPS]),
        )
        yield from _more(len(gaps) - _MOST_GAPS, words)


def _gap(row: Coverage, places: Sequence[str], words: Texts) -> list[str]:
    where = code(places[0])
    if len(places) > 1:
        more = prose(words.say("unseen.more_places", name="\0", n=number(len(places) - 1)))
        where = more.replace(visible("\0"), where)
    return [
        where,
        prose(words.name("table", row.table)),
        prose(words.name("outcome", row.outcome)),
        code(row.reason),
        code(row.needs),
    ]


def _more(n: int, words: Texts) -> Iterator[str]:
    if n > 0:
        yield prose(words.count("terminal.more", n))
        yield ""


def _table(head: Sequence[str], rows: Iterator[list[str]] | list[list[str]]) -> Iterator[str]:
    """A table of cells that are Markdown already; the head is plain text."""
    yield f"| {' | '.join(prose(each) for each in head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


MARKDOWN = ReportFormat(name="markdown", title="Markdown", suffix=".md", write=write)
