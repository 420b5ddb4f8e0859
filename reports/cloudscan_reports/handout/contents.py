"""Hand-outs: what each owner has to fix, in plain words, taken from the report.

A hand-out contains one owner's findings and no others. The findings shown in full fit on one printed page; the rest is
listed by rule. `handout/html`, `handout/markdown` and `formats/pdf` write it down.
"""

import hashlib
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cloudscan.finding import Finding
from cloudscan.report import Report, RuleSummary, Terms, TicketLink
from cloudscan.text import openable, width
from cloudscan_reports.summary import counts
from cloudscan_wording import phrases
from cloudscan_wording.phrases import Step
from cloudscan_wording.texts import Texts
from cloudscan_wording.visible import shortened

MOST_ITEMS: Final = 5  # shown in full
MOST_NAMES: Final = 8  # of a rule under "and n more"
UNKNOWN: Final = "unknown-owner"
INDEX: Final = "index"
_MOST_NAME: Final = 100
_MOST_SENTENCE: Final = 240
_MOST_COMMAND: Final = 400
_MOST_STEPS: Final = 6
_MOST_SLUG: Final = 40
_ROOM: Final = {"en": 35, "ja": 33}  # lines of a page beside greeting and contact
_COLUMNS: Final = 84  # of a line
_Remedy = tuple[str, Sequence[str]]
_UNSAFE: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, kw_only=True)
class Item:
    """One finding, as its owner needs to know it."""

    id: str  # what to name it by when talking to the security team
    tickets: Sequence[TicketLink]  # open tickets about it
    name: str
    location: str  # its path, if that says more than the name
    url: str  # its page on the platform; empty if there is none that is safe to open
    message: str
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
    """Findings of one rule that are only listed."""

    title: str
    count: int
    names: Sequence[str]
    due: datetime


@dataclass(frozen=True, kw_only=True)
class Handout:
    """What one owner gets."""

    owner: str  # as the platform spells it; empty if unknown
    stem: str  # of the file
    total: int
    due: datetime  # the earliest due date
    overdue: bool
    tasks: Sequence[Task]
    more: Sequence[More]


def handouts(report: Report, texts: Texts, terms: Terms) -> Sequence[Handout]:
    """One for each owner whose findings need work, the owner with most findings first, the unknown owner last."""
    by_owner: dict[str, list[Finding]] = defaultdict(list)
    for finding in counts.needing_work(report):
        by_owner[key(finding.verdict.subject.owner)].append(finding)
    rules = {rule.id: rule for rule in report.rules}
    made = [_handout(findings, rules, report, texts, terms) for findings in by_owner.values()]
    return sorted(made, key=lambda handout: (not handout.owner, -handout.total, handout.stem))


def key(owner: str) -> str:
    """What distinguishes owners: names that differ only in case, spaces or letter forms are one owner."""
    return " ".join(unicodedata.normalize("NFKC", owner).split()).casefold()


def stem(owner: str) -> str:
    """The file name of an owner, without suffix: safe on every system, stable, and different for every owner."""
    if not key(owner):
        return UNKNOWN
    digest = hashlib.sha256(key(owner).encode("utf-8", "surrogatepass")).hexdigest()[:10]
    slug = _UNSAFE.sub("-", key(owner))[:_MOST_SLUG].strip("-")
    return f"{slug}-{digest}" if slug else f"owner-{digest}"


def _handout(
    findings: Sequence[Finding], rules: Mapping[str, RuleSummary], report: Report, texts: Texts, terms: Terms
) -> Handout:
    full = _first(findings, rules, texts)
    rest = findings[len(full) :]
    owner = findings[0].verdict.subject.owner
    due = min(_due(finding, terms) for finding in findings)
    return Handout(
        owner=owner.strip(),
        stem=stem(owner),
        total=len(findings),
        due=due,
        overdue=due < report.generated_on,
        tasks=_tasks(full, rules, report, texts, terms),
        more=_more(rest, rules, texts, terms),
    )


def _first(findings: Sequence[Finding], rules: Mapping[str, RuleSummary], texts: Texts) -> Sequence[Finding]:
    """As many from the top as fit on the page, by an estimate of their lines; one in any case.

    A few findings stay on one page, the rest of them listed. Where there are many the list may go on overleaf.
    """
    few = len(findings) <= MOST_ITEMS
    room = _ROOM[texts.lang]
    remedies: set[_Remedy] = set()
    fitting = 0
    for location, finding in enumerate(findings[:MOST_ITEMS], 1):
        remedy = _remedy(finding, rules, texts)
        room -= _item_lines(finding, rules, texts) + (0 if remedy in remedies else _remedy_lines(remedy, rules, texts))
        remedies.add(remedy)
        if room >= (_listed_lines(findings[location:]) if few else 0):
            fitting = location
    return findings[: max(fitting, 1)]


def _item_lines(finding: Finding, rules: Mapping[str, RuleSummary], texts: Texts) -> int:
    commands = [line for step in _steps(finding, rules, texts) for line in step.commands]
    message = shortened(phrases.message_of(finding, texts.lang), _MOST_SENTENCE)
    return 3 + _lines(message) + sum(map(_lines, commands))


def _remedy_lines(remedy: _Remedy, rules: Mapping[str, RuleSummary], texts: Texts) -> int:
    why = phrases.rule_text(rules[remedy[0]], texts.lang).why if remedy[0] in rules else ""
    return 3 + _lines(shortened(why, _MOST_SENTENCE)) + sum(map(_lines, remedy[1]))


def _listed_lines(findings: Sequence[Finding]) -> int:
    return 4 + 2 * len({finding.verdict.rule_id for finding in findings}) if findings else 0


def _lines(text: str) -> int:
    return max(1, math.ceil(width(text) / _COLUMNS))


def _remedy(finding: Finding, rules: Mapping[str, RuleSummary], texts: Texts) -> _Remedy:
    """How a finding is put right: its rule, and what its steps say. Commands may differ, name by name."""
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
    findings: Sequence[Finding], rules: Mapping[str, RuleSummary], report: Report, texts: Texts, terms: Terms
) -> Sequence[Task]:
    alike: dict[_Remedy, list[Finding]] = defaultdict(list)
    for finding in findings:
        alike[_remedy(finding, rules, texts)].append(finding)
    return [
        Task(
            title=_title(rules.get(rule_id), rule_id, texts),
            why=shortened(phrases.rule_text(rules[rule_id], texts.lang).why, _MOST_SENTENCE)
            if rule_id in rules
            else "",
            steps=_together([_steps(finding, rules, texts) for finding in group]),
            items=[_item(finding, report, texts, terms) for finding in group],
        )
        for (rule_id, _), group in alike.items()
    ]


def _item(finding: Finding, report: Report, texts: Texts, terms: Terms) -> Item:
    subject = finding.verdict.subject
    name = shortened(subject.name or subject.uid, _MOST_NAME)
    location = shortened(subject.path, _MOST_NAME)
    due = _due(finding, terms)
    return Item(
        id=finding.fingerprint[:8],
        tickets=[ticket for ticket in report.tickets.get(finding.fingerprint, ()) if ticket.open],
        name=name,
        location="" if location == name else location,
        url=openable(subject.url),
        message=shortened(phrases.message_of(finding, texts.lang), _MOST_SENTENCE),
        who=shortened(phrases.reach(texts, finding.verdict), _MOST_SENTENCE),
        since=since(finding, texts),
        due=due,
        overdue=due < report.generated_on,
    )


def _more(findings: Sequence[Finding], rules: Mapping[str, RuleSummary], texts: Texts, terms: Terms) -> Sequence[More]:
    by_rule: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_rule[finding.verdict.rule_id].append(finding)
    return [
        More(
            title=_title(rules.get(rule_id), rule_id, texts),
            count=len(group),
            names=[
                shortened(finding.verdict.subject.name or finding.verdict.subject.uid, _MOST_NAME)
                for finding in group[:MOST_NAMES]
            ],
            due=min(_due(finding, terms) for finding in group),
        )
        for rule_id, group in by_rule.items()
    ]


def _title(rule: RuleSummary | None, rule_id: str, texts: Texts) -> str:
    return shortened(phrases.rule_text(rule, texts.lang).title if rule else rule_id, _MOST_SENTENCE)


def _due(finding: Finding, terms: Terms) -> datetime:
    return finding.first_seen_on + timedelta(days=terms.days[finding.severity])


def since(finding: Finding, texts: Texts) -> str:
    """Since when, in short: the day according to the platform, or the day on which a scan first saw it."""
    opened = finding.verdict.since
    key = "handout.since" if opened else "handout.since_earlier"
    return texts.say(key, day=texts.day(opened or finding.first_seen_on))
