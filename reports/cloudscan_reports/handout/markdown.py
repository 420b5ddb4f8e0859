"""The hand-outs in Markdown, for a mail, a chat or a ticket. Names are in code spans, where no markup works."""

from collections.abc import Iterable, Iterator, Sequence

from cloudscan.report import HandoutFormat, Report, Terms
from cloudscan_reports.handout import addressees, contents
from cloudscan_reports.handout.addressees import WithoutPage
from cloudscan_reports.handout.contents import Handout, Item, More, Task
from cloudscan_wording.markdown import code, prose
from cloudscan_wording.texts import Texts, load, number
from cloudscan_wording.visible import carriable

_SUFFIX = ".md"


def write(report: Report, lang: str, terms: Terms) -> Iterator[tuple[str, str]]:
    """The hand-outs by file name: one per owner, one for resources without a known owner, and an index."""
    texts = load(lang, report.timezone)
    report = carriable(report)
    made = contents.handouts(report, texts, terms)
    for handout in made:
        yield f"{handout.stem}{_SUFFIX}", "\n".join(_handout(handout, report, texts, terms)) + "\n"
    rows = addressees.without_page(report, texts, terms)
    yield f"{contents.INDEX}{_SUFFIX}", "\n".join(_index(made, rows, texts)) + "\n"


def _handout(handout: Handout, report: Report, texts: Texts, terms: Terms) -> Iterator[str]:
    yield f"# {prose(texts.say('handout.title'))}"
    yield ""
    if handout.owner:
        greeting = prose(texts.say("handout.greeting", owner="\0"))
        yield greeting.replace(prose("\0"), code(handout.owner))
    else:
        yield prose(texts.say("handout.no_owner"))
    yield ""
    yield prose(texts.count("handout.lead", handout.total, day=texts.day(report.scan.started_on)))
    yield ""
    for task in handout.tasks:
        yield from _task(task, texts)
    yield f"## {prose(texts.say('handout.intentional'))}"
    yield ""
    yield prose(texts.say("handout.intentional_how"))
    if terms.contact:
        yield ""
        yield f"{prose(texts.say('handout.contact'))} {code(terms.contact)}"
    yield ""
    if handout.more:
        yield f"## {prose(texts.count('handout.more', sum(more.count for more in handout.more)))}"
        yield ""
        for more in handout.more:
            yield from _more(more, texts)


def _task(task: Task, texts: Texts) -> Iterator[str]:
    yield f"## {prose(task.title)}"
    yield ""
    for item in task.items:
        yield from _item(item, texts)
    yield ""
    if task.why:
        yield prose(task.why)
        yield ""
    yield f"### {prose(texts.say('handout.steps'))}"
    yield ""
    for number_, step in enumerate(task.steps, 1):
        yield f"{number_}. {prose(step.text)}"
        for command in step.commands:
            yield f"   - {code(command, most=1_000)}"
    yield ""


def _item(item: Item, texts: Texts) -> Iterator[str]:
    yield f"- {code(item.name)}{f' ({code(item.location)})' if item.location else ''}"
    yield f"  - {prose(item.message)}"
    yield from (f"  - {prose(line)}" for line in (item.also, item.owner) if line)
    for entry in item.entries:
        yield f"  - {prose(entry.title + texts.say('list.colon'))}{code(entry.line, most=2_000)}"
    if item.who:
        yield f"  - {prose(texts.say('handout.who') + item.who)}"
    yield f"  - {prose(item.since)}"
    key = "handout.overdue" if item.overdue else "handout.due"
    yield f"  - {prose(texts.say(key, day=texts.day(item.due)))}"
    yield f"  - {prose(texts.say('handout.number'))} `{item.id}`"
    if item.tickets:
        keys = " ".join(code(ticket.key) for ticket in item.tickets)
        yield f"  - {prose(texts.say('columns.ticket') + texts.say('list.colon'))}{keys}"


def _more(more: More, texts: Texts) -> Iterator[str]:
    names = texts.say("list.comma").join(code(name) for name in more.names)
    left = more.count - len(more.names)
    rest = f" {prose(texts.count('handout.names_more', left))}" if left else ""
    due = prose(texts.say("handout.due", day=texts.day(more.due)))
    yield f"- {prose(more.title)} ({number(more.count)}, {due}){prose(texts.say('list.colon'))}{names}{rest}"


def _index(made: Sequence[Handout], rows: Sequence[WithoutPage], texts: Texts) -> Iterator[str]:
    yield f"# {prose(texts.say('handout.index'))}"
    yield ""
    if not made:
        yield prose(texts.say("handout.nothing"))
        return
    yield prose(texts.say("handout.index_note"))
    yield ""
    yield from _table(
        ("owner", "total", "due", "file"),
        (
            (
                code(handout.owner) if handout.owner else prose(texts.say("handout.security_team")),
                number(handout.total),
                prose(texts.day(handout.due)),
                code(handout.stem + _SUFFIX),
            )
            for handout in made
        ),
        texts,
    )
    if not rows:
        return
    yield ""
    yield f"## {prose(texts.say('handout.without_page'))}"
    yield ""
    yield prose(texts.say("handout.without_page_note"))
    yield ""
    yield from _table(
        ("owner", "why", "total", "file"),
        (
            (
                code(row.owner) if row.owner else prose(texts.say("handout.unknown_owner")),
                prose(row.why),
                number(row.count),
                code(row.stem + _SUFFIX),
            )
            for row in rows
        ),
        texts,
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], texts: Texts) -> Iterator[str]:
    yield f"| {' | '.join(prose(texts.say(f'handout.head_{head}')) for head in heads)} |"
    yield f"|{' --- |' * len(heads)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


MARKDOWN = HandoutFormat(name="markdown", title="Markdown", suffix=_SUFFIX, write=write)
