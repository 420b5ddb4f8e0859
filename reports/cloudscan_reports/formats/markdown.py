"""A summary of the report in Markdown (CommonMark with GitHub's tables): for a ticket, a wiki, a pull request.

Text of third parties is in code spans, where no Markdown, mention or link works. Sentences of rules are escaped.
"""

from collections.abc import Iterator, Sequence

from cloudscan.finding import Finding
from cloudscan.report import Report, ReportFormat, RuleSummary
from cloudscan.text import openable
from cloudscan_reports.summary.counts import direction
from cloudscan_reports.summary.first_page import FirstPage, RankedCause, completeness, first_page
from cloudscan_reports.summary.gaps import GapGroup, Unseen, asked_of, nothing_missing
from cloudscan_wording import phrases
from cloudscan_wording.markdown import code, prose
from cloudscan_wording.texts import Texts, load, number
from cloudscan_wording.visible import shortened, visible

_MOST_FINDINGS = 50
_MOST_GAPS = 50
_MOST_RESOLVED = 20
_MOST_PROSE = 300
_MOST_ANSWER = 600
_MOST_CAUSES = 3  # of a rule's unknown cases, and permissions of a group of gaps


def write(report: Report, lang: str) -> str:
    """The summary in one language: five answers, the first findings, causes, changes, and what could not be seen."""
    texts = load(lang, report.timezone)
    return "\n".join(_document(report, texts)) + "\n"


def _document(report: Report, texts: Texts) -> Iterator[str]:
    yield f"# {prose(texts.say('page.title'))}"
    yield ""
    scan = report.scan
    if report.organisation:
        yield f"- {code(report.organisation)}"
    yield "- " + prose(
        texts.say("page.scanned", started=texts.moment(scan.started_on), finished=texts.moment(scan.finished_on))
    )
    yield f"- {prose(completeness(report, texts))}"
    yield ""
    summary = first_page(report, texts)
    yield from _answers(summary, texts)
    yield from _first(report, summary, texts)
    yield from _causes(summary, texts)
    yield from _roadmap(summary, texts)
    yield from _splits(summary, report, texts)
    yield from _changes(summary, texts)
    yield from _unseen(summary.unseen, texts)
    yield from _read(summary, texts)
    yield from _frameworks(report, texts)


def _first(report: Report, summary: FirstPage, texts: Texts) -> Iterator[str]:
    work = summary.needing_work
    yield f"## {prose(texts.say('first.title'))}"
    yield ""
    if not work:
        yield prose(texts.say("first.none_blind" if summary.blind else "first.none"))
        yield ""
        return
    yield prose(texts.count("terminal.counts", summary.fixes, findings=number(len(work))))
    yield ""
    yield from _table(
        [texts.name("severity", severity) for severity in summary.severities],
        [[number(n) for n in summary.severities.values()]],
    )
    rules = {rule.id: rule for rule in report.rules}
    keys = ("order", "severity", "message", "audience", "account", "since", *(("ticket",) if report.tickets else ()))
    head = [texts.say(f"columns.{key}") for key in keys]
    yield from _table(
        head,
        (
            [str(order), *_cells(finding, rules.get(finding.verdict.rule_id), texts), *_tickets(finding, report)]
            for order, finding in enumerate(work[:_MOST_FINDINGS], 1)
        ),
    )
    yield from _more(len(work) - _MOST_FINDINGS, texts)


def _cells(finding: Finding, rule: RuleSummary | None, texts: Texts) -> list[str]:
    verdict = finding.verdict
    platform = verdict.subject.platform
    audience = texts.name("audience", phrases.audience_of(verdict), platform)
    moment = verdict.since or finding.first_seen_on
    return [
        prose(texts.name("severity", finding.severity)),
        _message(finding, rule, texts),
        prose(audience),
        code(verdict.subject.account),
        prose(texts.day(moment)),
    ]


def _tickets(finding: Finding, report: Report) -> list[str]:
    """One cell if the report has tickets, else none."""
    own = report.tickets.get(finding.fingerprint, ())
    return [" ".join(code(ticket.key) for ticket in own) or "–"] if report.tickets else []


def _message(finding: Finding, rule: RuleSummary | None, texts: Texts) -> str:
    parts = phrases.parted_message(finding, rule, texts.lang)
    shown = (code(part) if named else prose(shortened(part, _MOST_PROSE)) for part, named in parts)
    return "".join(shown).strip() or "–"


def _answers(summary: FirstPage, texts: Texts) -> Iterator[str]:
    """The five questions of a director, one per line."""
    for answer in summary.answers:
        short, more = (prose(shortened(" ".join(text.split()), _MOST_ANSWER)) for text in (answer.short, answer.more))
        yield f"- {prose(answer.question)}{prose(texts.say('list.colon'))}{short.rstrip('.。')}" + (
            f"{prose(texts.say('list.stop'))}{more}" if more else ""
        )
    yield ""


def _causes(summary: FirstPage, texts: Texts) -> Iterator[str]:
    if not summary.ranking:
        return
    names = ("risk", "priority", "measure", "cost", "findings", "resources")
    keys = ["columns.order", "first.cause", *(f"ranking.{name}" for name in names)]
    keys.insert(-2, "splits.fixes")
    yield f"## {prose(texts.say('ranking.title'))}"
    yield ""
    yield prose(texts.say("ranking.note"))
    yield ""
    yield from _table(
        [texts.say(key) for key in keys],
        (_ranked(order, ranked) for order, ranked in enumerate(summary.ranking, 1)),
    )


def _ranked(order: int, ranked: RankedCause) -> list[str]:
    cause = ranked.cause
    return [
        str(order),
        prose(visible(ranked.name)),
        f"{number(cause.risk)} ({number(cause.likelihood)} × {number(cause.impact)})",
        number(cause.priority),
        prose(shortened(ranked.measure, _MOST_PROSE)),
        prose(ranked.cost),
        number(cause.fixes),
        number(cause.findings),
        prose(ranked.resources),
    ]


def _roadmap(summary: FirstPage, texts: Texts) -> Iterator[str]:
    """What is done when, by which team, and the risk that would remain."""
    if not summary.needing_work:
        return
    yield f"## {prose(texts.say('roadmap.title'))}"
    yield ""
    yield prose(texts.say("roadmap.note", hours=number(summary.hours_a_month)))
    yield ""
    for key, planned in zip(("first", "then"), summary.roadmap, strict=True):
        step = planned.step
        does = texts.count("roadmap.does", step.findings, fixes=number(step.fixes), cost=planned.cost)
        text = does if step.findings else texts.say("roadmap.nothing")
        left = texts.say("roadmap.left", part=planned.risk_left)
        yield f"- {prose(texts.say(f'roadmap.{key}'))}{prose(texts.say('list.colon'))}" + prose(
            phrases.sentences([text, left], texts.lang)
        )
        yield from (f"  - {prose(visible(team))}" for team in planned.teams)
    yield ""


def _splits(summary: FirstPage, report: Report, texts: Texts) -> Iterator[str]:
    """The fixes by platform, account and department."""
    if not summary.splits:
        return
    yield f"## {prose(texts.say('splits.title'))}"
    yield ""
    severities = [texts.name("severity", severity) for severity in summary.severities]
    overdue = [texts.say("splits.overdue")] if report.deadlines else []
    for split in summary.splits:
        first = texts.say("splits.by_account" if split.by == "account" else f"splits.{split.by}")
        yield from _table(
            [first, texts.say("splits.fixes"), *severities, *overdue, texts.say("splits.age")],
            [
                [
                    prose(visible(shortened(row.name, _MOST_PROSE))),
                    number(row.fixes),
                    *(number(n) if n else "–" for n in row.severities.values()),
                    *([number(row.overdue) if row.overdue else "–"] if report.deadlines else []),
                    number(round(row.median_age)),
                ]
                for row in split.rows
            ],
        )


def _read(summary: FirstPage, texts: Texts) -> Iterator[str]:
    """How much of each platform was read."""
    if not summary.read:
        return
    yield f"### {prose(texts.say('read.title'))}"
    yield ""
    keys = ("total", "whole", "partly", "unread")
    yield from _table(
        [texts.say("splits.platform"), *(texts.say(f"read.{key}") for key in keys)],
        [
            [prose(one.name), *map(number, (one.total, one.whole, one.partly, one.total - one.whole - one.partly))]
            for one in summary.read
        ],
    )


def _frameworks(report: Report, texts: Texts) -> Iterator[str]:
    """Each framework control by control; controls that no rule is mapped to are only named."""
    if not report.frameworks:
        return
    yield f"## {prose(texts.say('controls.title'))}"
    yield ""
    yield prose(texts.say("controls.note"))
    yield ""
    for framework in report.frameworks:
        yield f"### {prose(framework.title_in(texts.lang))}"
        yield ""
        if url := openable(framework.url):
            yield code(url)
        yield ""
        counts = (f"{texts.name('control', standing)} {number(n)}" for standing, n in framework.counts.items() if n)
        yield prose(texts.say("list.comma").join(counts))
        yield ""
        keys = ("controls.control", "controls.standing", "columns.extent", "columns.flagged", "columns.unknown",
                "columns.passed")  # fmt: skip
        yield from _table(
            [texts.say(key) for key in keys],
            [
                [
                    f"{code(control.id)} {prose(control.title_in(texts.lang))}",
                    prose(texts.name("control", control.standing)),
                    prose(texts.name("extent", control.extent)) if control.extent else "–",
                    *map(number, (control.flagged, control.unknown, control.passed)),
                ]
                for control in framework.controls
                if control.rules
            ],
        )
        if unseen := [code(control.id) for control in framework.controls if not control.rules]:
            yield f"{prose(texts.say('controls.rest'))} {texts.say('list.comma').join(unseen)}"
            yield ""


def _changes(summary: FirstPage, texts: Texts) -> Iterator[str]:
    """What is new, reopened, widened and resolved since the previous scan."""
    changes = summary.changes
    if changes is None:
        return
    yield f"## {prose(changes.title)}"
    yield ""
    yield prose(changes.summary)
    yield ""
    if changes.resolved:
        names = texts.say("list.comma").join(
            code(difference.name) + (prose(f" ({texts.name('event', difference.reason)})") if difference.reason else "")
            for difference in changes.resolved[:_MOST_RESOLVED]
        )
        left = len(changes.resolved) - _MOST_RESOLVED
        more = f" {prose(texts.count('changes.more', left))}" if left > 0 else ""
        yield f"{prose(texts.say('changes.resolved') + texts.say('list.colon'))}{names}{more}"
        yield ""
    if changes.rejudged:
        names = texts.say("list.comma").join(
            code(difference.name) + prose(f" ({direction(difference, texts)})")
            for difference in changes.rejudged[:_MOST_RESOLVED]
        )
        left = len(changes.rejudged) - _MOST_RESOLVED
        more = f" {prose(texts.count('changes.more', left))}" if left > 0 else ""
        yield f"{prose(texts.say('changes.rejudged_title') + texts.say('list.colon'))}{names}{more}"
        yield ""


def _unseen(unseen: Unseen, texts: Texts) -> Iterator[str]:
    yield f"## {prose(texts.say('unseen.title'))}"
    yield ""
    yield prose(nothing_missing(unseen, texts) if unseen.nothing else texts.say("unseen.lead"))
    yield ""
    if unseen.gaps:
        yield from _gaps(unseen.gaps, texts)
    if unseen.unknown_rules:
        yield from _table(
            [texts.say("unseen.rules"), texts.say("columns.unknown"), texts.say("unseen.because")],
            (
                [
                    prose(phrases.rule_text(unknown.rule, texts.lang).title),
                    number(len(unknown.verdicts)),
                    prose(texts.say("list.comma").join(group.example.asked for group in unknown.gaps[:_MOST_CAUSES]))
                    or "–",
                ]
                for unknown in unseen.unknown_rules
            ),
        )
    for key, groups in (("waived", unseen.waived), ("not_judged", unseen.not_judged), ("apart", unseen.apart)):
        if groups:
            yield f"### {prose(texts.say(f'unseen.{key}_title'))}"
            yield ""
            yield prose(texts.say(f"unseen.{key}_note"))
            yield ""
            yield from _gaps(groups, texts)


def _gaps(groups: Sequence[GapGroup], texts: Texts) -> Iterator[str]:
    keys = ("what", "where", "why", "advice", "needs")
    yield from _table(
        [texts.say(f"unseen.{key}") for key in keys], (_gap(group, texts) for group in groups[:_MOST_GAPS])
    )
    yield from _more(len(groups) - _MOST_GAPS, texts)


def _gap(group: GapGroup, texts: Texts) -> list[str]:
    gap, more = group.example, len(group.gaps) - 1
    where = code(gap.location)
    if more:
        where = prose(texts.say("unseen.more_locations", name="\0", n=number(more))).replace(visible("\0"), where)
    why = texts.say("list.stop").join([gap.why, *(phrases.waived_by(texts, waiver) for waiver in group.waivers[:1])])
    return [
        prose(shortened(asked_of(group, texts), _MOST_PROSE)),
        where,
        prose(shortened(why, _MOST_PROSE)),
        prose(shortened(gap.advice, _MOST_PROSE)) or "–",
        " ".join(code(permission) for permission in group.needs[:_MOST_CAUSES]) or "–",
    ]


def _more(n: int, texts: Texts) -> Iterator[str]:
    if n > 0:
        yield prose(texts.count("terminal.more", n))
        yield ""


def _table(head: Sequence[str], rows: Iterator[list[str]] | list[list[str]]) -> Iterator[str]:
    """A table of cells that are Markdown already; the header is plain text."""
    yield f"| {' | '.join(prose(title) for title in head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


MARKDOWN = ReportFormat(name="markdown", title="Markdown", suffix=".md", write=write)
