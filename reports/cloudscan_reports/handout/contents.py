"""Hand-outs: what each person has to fix, in plain words, taken from the report.

A hand-out contains what one person has to fix and nothing else. What is shown in full fits on one printed page; the
rest is listed by rule. Who has a page is decided in `handout/addressees`; `handout/html`, `handout/markdown` and
`formats/pdf` write it down.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cloudscan.finding import Finding
from cloudscan.report import Report, RuleSummary, Terms, TicketLink
from cloudscan.text import openable, width
from cloudscan_reports.handout.addressees import Given, due_of, given_out, is_over, key, owner_line, stem
from cloudscan_wording import evidence, phrases
from cloudscan_wording.evidence import QuotedEntry
from cloudscan_wording.phrases import Step
from cloudscan_wording.texts import Texts
from cloudscan_wording.visible import shortened

MOST_ITEMS: Final = 5  # shown in full
MOST_NAMES: Final = 8  # of a rule under "and n more"
INDEX: Final = "index"
_MOST_ENTRIES = 3  # policy entries of an item
_MOST_NAME: Final = 100
_MOST_SENTENCE: Final = 240
_MOST_COMMAND: Final = 400
_MOST_ALSO: Final = 320
_MOST_STEPS: Final = 6
_ROOM: Final = {"en": 35, "ja": 33}  # lines of a page beside greeting and contact
_COLUMNS: Final = 84  # of a line
_Remedy = tuple[str, Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One fix, as the person who makes it needs to know it."""

    id: str  # what to name it by when talking to the security team
    tickets: Sequence[TicketLink]  # open tickets about it
    name: str
    location: str  # its path, if that says more than the name
    url: str  # its page on the platform; empty if there is none that is safe to open
    message: str
    also: str  # what else the fix covers; empty: nothing
    entries: Sequence[QuotedEntry]  # what the policy says
    owner: str  # who owns it and why they are not told; empty: the reader is the owner
    who: str
    since: str
    due: datetime
    overdue: bool


@dataclass(frozen=True, kw_only=True)
class Task:
    """Items that are fixed in the same way."""

    title: str
    why: str
    steps: Sequence[Step]
    items: Sequence[Item]


@dataclass(frozen=True, kw_only=True)
class More:
    """Fixes of one rule that are only listed."""

    title: str
    count: int
    names: Sequence[str]
    due: datetime


@dataclass(frozen=True, kw_only=True)
class Handout:
    """What one person gets."""

    owner: str  # address or name of the recipient; empty: the page for the security team
    stem: str  # of the file
    total: int
    due: datetime  # the earliest due date
    overdue: bool
    tasks: Sequence[Task]
    more: Sequence[More]


def handouts(report: Report, texts: Texts, terms: Terms) -> Sequence[Handout]:
    """One for each person who has something to fix, the longest first, the page of the security team last."""
    rules = {rule.id: rule for rule in report.rules}
    pages: dict[str, list[Given]] = defaultdict(list)
    for given in given_out(report, terms):
        pages[key(given.recipient.address)].append(given)
    made = [_handout(page, rules, report, texts, terms) for page in pages.values()]
    return sorted(made, key=lambda handout: (not handout.owner, -handout.total, handout.stem))


def _handout(
    given: Sequence[Given], rules: Mapping[str, RuleSummary], report: Report, texts: Texts, terms: Terms
) -> Handout:
    full = _first(given, rules, texts)
    rest = given[len(full) :]
    owner = given[0].recipient.address
    due = min(due_of(one.fix, terms) for one in given)
    return Handout(
        owner=owner.strip(),
        stem=stem(owner),
        total=len(given),
        due=due,
        overdue=is_over(due, report),
        tasks=_tasks(full, rules, report, texts, terms),
        more=_more(rest, rules, texts, terms),
    )


def _first(given: Sequence[Given], rules: Mapping[str, RuleSummary], texts: Texts) -> Sequence[Given]:
    """As many from the top as fit on the page, by an estimate of their lines; one in any case.

    A few stay on one page, the rest of them listed. Where there are many the list may go on overleaf.
    """
    few = len(given) <= MOST_ITEMS
    room = _ROOM[texts.lang]
    remedies: set[_Remedy] = set()
    fitting = 0
    for location, one in enumerate(given[:MOST_ITEMS], 1):
        remedy = _remedy(one.lead, rules, texts)
        room -= _item_lines(one, rules, texts) + (0 if remedy in remedies else _remedy_lines(remedy, rules, texts))
        remedies.add(remedy)
        if room >= (_listed_lines(given[location:]) if few else 0):
            fitting = location
    return given[: max(fitting, 1)]


def _item_lines(given: Given, rules: Mapping[str, RuleSummary], texts: Texts) -> int:
    commands = [line for step in _steps(given.lead, rules, texts) for line in step.commands]
    message = shortened(phrases.message_of(given.lead, texts.lang), _MOST_SENTENCE)
    extra = [text for text in (_also(given, rules, texts), owner_line(given, texts)) if text]
    return 3 + _lines(message) + sum(map(_lines, (*commands, *extra)))


def _remedy_lines(remedy: _Remedy, rules: Mapping[str, RuleSummary], texts: Texts) -> int:
    why = phrases.rule_text(rules[remedy[0]], texts.lang).why if remedy[0] in rules else ""
    return 3 + _lines(shortened(why, _MOST_SENTENCE)) + sum(map(_lines, remedy[1]))


def _listed_lines(given: Sequence[Given]) -> int:
    return 4 + 2 * len({one.lead.verdict.rule_id for one in given}) if given else 0


def _lines(text: str) -> int:
    return max(1, math.ceil(width(text) / _COLUMNS))


def _remedy(finding: Finding, rules: Mapping[str, RuleSummary], texts: Texts) -> _Remedy:
    """How a finding is fixed: its rule, and what its steps say. Commands may differ, name by name."""
    return finding.verdict.rule_id, tuple(step.text for step in _steps(finding, rules, texts))


def _steps(finding: Finding, rules: Mapping[str, RuleSummary], texts: Texts) -> Sequence[Step]:
    rule = rules.get(finding.verdict.rule_id)
    fix = phrases.rule_text(rule, texts.lang).fix if rule else ""
    filled = phrases.filled_steps(fix, phrases.fields_of(finding.verdict), texts.lang)[:_MOST_STEPS]
    return [
        # A command that was cut would do something else than it says.
        Step(
            text=shortened(step.text, _MOST_SENTENCE),
            commands=[line for line in step.commands if len(line) <= _MOST_COMMAND],
        )
        for step in filled
    ]


def _together(groups: Sequence[Sequence[Step]]) -> Sequence[Step]:
    """The same steps for several items: each step once, with the commands for all of them."""
    return [
        Step(text=alike[0].text, commands=list(dict.fromkeys(line for step in alike for line in step.commands)))
        for alike in zip(*groups, strict=True)
    ]


def _tasks(
    given: Sequence[Given], rules: Mapping[str, RuleSummary], report: Report, texts: Texts, terms: Terms
) -> Sequence[Task]:
    alike: dict[_Remedy, list[Given]] = defaultdict(list)
    for one in given:
        alike[_remedy(one.lead, rules, texts)].append(one)
    return [
        Task(
            title=_title(rules.get(rule_id), rule_id, texts),
            why=shortened(phrases.rule_text(rules[rule_id], texts.lang).why, _MOST_SENTENCE)
            if rule_id in rules
            else "",
            steps=_together([_steps(one.lead, rules, texts) for one in group]),
            items=[_item(one, rules, report, texts, terms) for one in group],
        )
        for (rule_id, _), group in alike.items()
    ]


def _item(given: Given, rules: Mapping[str, RuleSummary], report: Report, texts: Texts, terms: Terms) -> Item:
    finding, due = given.lead, due_of(given.fix, terms)
    subject = finding.verdict.subject
    name = shortened(subject.name or subject.uid, _MOST_NAME)
    location = shortened(subject.path, _MOST_NAME)
    tickets = {
        (ticket.tracker, ticket.key): ticket
        for one in given.fix.findings
        for ticket in report.tickets.get(one.fingerprint, ())
        if ticket.open
    }
    return Item(
        id=finding.fingerprint[:8],
        tickets=list(tickets.values()),
        name=name,
        location="" if location == name else location,
        url=openable(subject.url),
        message=shortened(phrases.message_of(finding, texts.lang), _MOST_SENTENCE),
        also=_also(given, rules, texts),
        entries=evidence.quoted(finding, texts)[:_MOST_ENTRIES],
        owner=owner_line(given, texts),
        who=shortened(phrases.reach(texts, finding.verdict), _MOST_SENTENCE),
        since=since(finding, texts),
        due=due,
        overdue=is_over(due, report),
    )


def _also(given: Given, rules: Mapping[str, RuleSummary], texts: Texts) -> str:
    """The titles of the weaker findings that the fix closes too."""
    ids = dict.fromkeys(finding.verdict.rule_id for finding in given.fix.findings)
    titles = [_title(rules.get(rule_id), rule_id, texts) for rule_id in ids if rule_id != given.lead.verdict.rule_id]
    return (
        shortened(texts.say("handout.also", titles=texts.say("list.comma").join(titles)), _MOST_ALSO) if titles else ""
    )


def _more(given: Sequence[Given], rules: Mapping[str, RuleSummary], texts: Texts, terms: Terms) -> Sequence[More]:
    by_rule: dict[str, list[Given]] = defaultdict(list)
    for one in given:
        by_rule[one.lead.verdict.rule_id].append(one)
    return [
        More(
            title=_title(rules.get(rule_id), rule_id, texts),
            count=len(group),
            names=[
                shortened(one.lead.verdict.subject.name or one.lead.verdict.subject.uid, _MOST_NAME)
                for one in group[:MOST_NAMES]
            ],
            due=min(due_of(one.fix, terms) for one in group),
        )
        for rule_id, group in by_rule.items()
    ]


def _title(rule: RuleSummary | None, rule_id: str, texts: Texts) -> str:
    return shortened(phrases.rule_text(rule, texts.lang).title if rule else rule_id, _MOST_SENTENCE)


def since(finding: Finding, texts: Texts) -> str:
    """Since when, in short: the day according to the platform, or the day on which a scan first found it."""
    opened = finding.verdict.since
    key = "handout.since" if opened else "handout.since_earlier"
    return texts.say(key, day=texts.day(opened or finding.first_seen_on))
