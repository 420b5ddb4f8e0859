"""The hand-outs in Markdown, for a mail, a chat or a ticket. Names stand in code spans, where nothing works."""

from collections.abc import Iterator, Sequence

from cloudscan.report import HandoutFormat, Report, Terms
from cloudscan_reports.handout import contents
from cloudscan_reports.handout.contents import Handout, More, Task, Thing
from cloudscan_wording.markdown import code, prose
from cloudscan_wording.texts import Texts, load, number
from cloudscan_wording.visible import carriable

_SUFFIX = ".md"


def write(report: Report, lang: str, terms: Terms) -> Iterator[tuple[str, str]]:
    """The hand-outs by file name: one an owner, one for what nobody is known to own, and an index."""
    words = load(lang)
    report = carriable(report)
    made = contents.handouts(report, words, terms)
    for handout in made:
        yield f"{handout.stem}{_SUFFIX}", "\n".join(_handout(handout, report, words, terms)) + "\n"
    yield f"{contents.INDEX}{_SUFFIX}", "\n".join(_index(made, words)) + "\n"


def _handout(handout: Handout, report: Report, words: Texts, terms: Terms) -> Iterator[str]:
    yield f"# {prose(words.say('handout.title'))}"
    yield ""
    if handout.owner:
        greeting = prose(words.say("handout.greeting", owner="\0"))
        yield greeting.replace(prose("\0"), code(handout.owner))
    else:
        yield prose(words.say("handout.no_owner"))
    yield ""
    yield prose(words.count("handout.lead", handout.total, day=words.day(report.scan.started_on)))
    yield ""
    for task in handout.tasks:
        yield from _task(task, words)
    yield f"## {prose(words.say('handout.on_purpose'))}"
    yield ""
    yield prose(words.say("handout.on_purpose_how"))
    if terms.contact:
        yield ""
        yield f"{prose(words.say('handout.contact'))} {code(terms.contact)}"
    yield ""
    if handout.more:
        yield f"## {prose(words.count('handout.more', sum(each.count for each in handout.more)))}"
        yield ""
        for more in handout.more:
            yield from _more(more, words)


def _task(task: Task, words: Texts) -> Iterator[str]:
    yield f"## {prose(task.title)}"
    yield ""
    for thing in task.things:
        yield from _thing(thing, words)
    yield ""
    if task.why:
        yield prose(task.why)
        yield ""
    yield f"### {prose(words.say('handout.steps'))}"
    yield ""
    for number_, step in enumerate(task.steps, 1):
        yield f"{number_}. {prose(step.text)}"
        for command in step.commands:
            yield f"   - {code(command, most=1_000)}"
    yield ""


def _thing(thing: Thing, words: Texts) -> Iterator[str]:
    yield f"- {code(thing.name)}{f' ({code(thing.place)})' if thing.place else ''}"
    yield f"  - {prose(thing.message)}"
    if thing.who:
        yield f"  - {prose(words.say('handout.who') + thing.who)}"
    yield f"  - {prose(thing.since)}"
    key = "handout.overdue" if thing.overdue else "handout.due"
    yield f"  - {prose(words.say(key, day=words.day(thing.due)))}"
    yield f"  - {prose(words.say('handout.number'))} `{thing.id}`"
    if thing.tickets:
        keys = " ".join(code(each.key) for each in thing.tickets)
        yield f"  - {prose(words.say('columns.ticket') + words.say('list.colon'))}{keys}"


def _more(more: More, words: Texts) -> Iterator[str]:
    names = words.say("list.comma").join(code(name) for name in more.names)
    left = more.count - len(more.names)
    rest = f" {prose(words.count('handout.names_more', left))}" if left else ""
    due = prose(words.say("handout.due", day=words.day(more.due)))
    yield f"- {prose(more.title)} ({number(more.count)}, {due}){prose(words.say('list.colon'))}{names}{rest}"


def _index(made: Sequence[Handout], words: Texts) -> Iterator[str]:
    yield f"# {prose(words.say('handout.index'))}"
    yield ""
    if not made:
        yield prose(words.say("handout.nothing"))
        return
    heads = ("owner", "total", "due", "file")
    yield f"| {' | '.join(prose(words.say(f'handout.head_{head}')) for head in heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for each in made:
        owner = code(each.owner) if each.owner else prose(words.say("handout.nobody"))
        yield f"| {owner} | {number(each.total)} | {prose(words.day(each.due))} | {code(each.stem + _SUFFIX)} |"


MARKDOWN = HandoutFormat(name="markdown", title="Markdown", suffix=_SUFFIX, write=write)
