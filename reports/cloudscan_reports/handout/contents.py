"""Hand-outs: what each owner has to put right, in plain words, taken apart from the report.

One hand-out holds one owner's findings and nobody else's. What is told in full fits on one printed page; the rest is
listed by rule. How it is written down is up to `handout_pages`, `handout_markdown` and `pdf`.
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

MOST_THINGS: Final = 5  # told in full
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
_Way = tuple[str, Sequence[str]]
_UNSAFE: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, kw_only=True)
class Thing:
    """One finding, as its owner has to know it."""

    id: str  # what to name it by when talking to the security team
    tickets: Sequence[TicketLink]  # open ones that speak of it
    name: str
    place: str  # where it is, if that says more than the name
    url: str  # its page on the platform; empty where there is none that can be opened
    message: str
    who: str
    since: str
    due: datetime
    overdue: bool


@dataclass(frozen=True, kw_only=True)
class Task:
    """Things that are put right in the same way."""

    title: str
    why: str
    steps: Sequence[Step]
    things: Sequence[Thing]


@dataclass(frozen=True, kw_only=True)
class More:
    """Findings of one rule that are only listed."""

    title: str
    count: int
    names: Sequence[str]
    due: datetime


@dataclass(frozen=True, kw_only=True)
class Handout:
    """What one owner is handed."""

    owner: str  # as the platform spells it; empty where nobody is known
    stem: str  # of the file
    total: int
    due: datetime  # of the first that has to be done
    overdue: bool
    tasks: Sequence[Task]
    more: Sequence[More]


def handouts(report: Report, texts: Texts, terms: Terms) -> Sequence[Handout]:
    """One for each owner whose findings need work, who has most to do first; those of nobody known come last."""
    by_owner: dict[str, list[Finding]] = defaultdict(list)
    for finding in counts.needing_work(report):
        by_owner[key(finding.verdict.subject.owner)].append(finding)
    rules = {rule.id: rule for rule in report.rules}
    made = [_handout(findings, rules, report, texts, terms) for findings in by_owner.values()]
    return sorted(made, key=lambda each: (not each.owner, -each.total, each.stem))


def key(owner: str) -> str:
    """What tells owners apart: who differ in case, spaces or the form of letters only are one person."""
    return " ".join(unicodedata.normalize("NFKC", owner).split()).casefold()


def stem(owner: str) -> str:
    """A file's name for an owner: harmless on every system, the same every time, another for every other owner."""
    if not key(owner):
        return UNKNOWN
    digest = hashlib.sha256(key(owner).encode("utf-8", "surrogatepass")).hexdigest()[:10]
    slug = _UNSAFE.sub("-", key(owner))[:_MOST_SLUG].strip("-")
    return f"{slug}-{digest}" if slug else f"owner-{digest}"


def _handout(
    findings: Sequence[Finding], rules: Mapping[str, RuleSummary], report: Report, texts: Texts, terms: Terms
) -> Handout:
    told = _first(findings, rules, texts)
    rest = findings[len(told) :]
    owner = findings[0].verdict.subject.owner
    due = min(_due(finding, terms) for finding in findings)
    return Handout(
        owner=owner.strip(),
        stem=stem(owner),
        total=len(findings),
        due=due,
        overdue=due < report.generated_on,
        tasks=_tasks(told, rules, report, texts, terms),
        more=_more(rest, rules, texts, terms),
    )


def _first(findings: Sequence[Finding], rules: Mapping[str, RuleSummary], texts: Texts) -> Sequence[Finding]:
    """As many from the top as fit on the page, by an estimate of their lines; one in any case.

    A few findings stay on one page, the rest of them listed. Where there are many the list may go on overleaf.
    """
    few = len(findings) <= MOST_THINGS
    room = _ROOM[texts.lang]
    ways: set[_Way] = set()
    fitting = 0
    for place, finding in enumerate(findings[:MOST_THINGS], 1):
        way = _way(finding, rules, texts)
        room -= _thing_lines(finding, rules, texts) + (0 if way in ways else _way_lines(way, rules, texts))
        ways.add(way)
        if room >= (_listed_lines(findings[place:]) if few else 0):
            fitting = place
    return findings[: max(fitting, 1)]


def _thing_lines(finding: Finding, rules: Mapping[str, RuleSummary], texts: Texts) -> int:
    commands = [line for step in _steps(finding, rules, texts) for line in step.commands]
    message = shortened(phrases.message_of(finding, texts.lang), _MOST_SENTENCE)
    return 3 + _lines(message) + sum(map(_lines, commands))


def _way_lines(way: _Way, rules: Mapping[str, RuleSummary], texts: Texts) -> int:
    why = phrases.rule_text(rules[way[0]], texts.lang).why if way[0] in rules else ""
    return 3 + _lines(shortened(why, _MOST_SENTENCE)) + sum(map(_lines, way[1]))


def _listed_lines(findings: Sequence[Finding]) -> int:
    return 4 + 2 * len({finding.verdict.rule_id for finding in findings}) if findings else 0


def _lines(text: str) -> int:
    return max(1, math.ceil(width(text) / _COLUMNS))


def _way(finding: Finding, rules: Mapping[str, RuleSummary], texts: Texts) -> _Way:
    """How a finding is put right: its rule, and what its steps say. Commands may differ, name by name."""
    return finding.verdict.rule_id, tuple(step.text for step in _steps(finding, rules, texts))


def _steps(finding: Finding, rules: Mapping[str, RuleSummary], texts: Texts) -> Sequence[Step]:
    rule = rules.get(finding.verdict.rule_id)
    fix = phrases.rule_text(rule, texts.lang).fix if rule else ""
    filled = phrases.filled_steps(fix, phrases.fields_of(finding.verdict))[:_MOST_STEPS]
    return [
        # A command that was cut would do something else than it says.
        Step(
            text=shortened(step.text, _MOST_SENTENCE),
            commands=[line for line in step.commands if len(line) <= _MOST_COMMAND],
        )
        for step in filled
    ]


def _together(each_of: Sequence[Sequence[Step]]) -> Sequence[Step]:
    """The same steps for several things: each step once, with the commands for all of them."""
    return [
        Step(text=alike[0].text, commands=list(dict.fromkeys(line for step in alike for line in step.commands)))
        for alike in zip(*each_of, strict=True)
    ]


def _tasks(
    findings: Sequence[Finding], rules: Mapping[str, RuleSummary], report: Report, texts: Texts, terms: Terms
) -> Sequence[Task]:
    alike: dict[_Way, list[Finding]] = defaultdict(list)
    for finding in findings:
        alike[_way(finding, rules, texts)].append(finding)
    return [
        Task(
            title=_title(rules.get(rule_id), rule_id, texts),
            why=shortened(phrases.rule_text(rules[rule_id], texts.lang).why, _MOST_SENTENCE)
            if rule_id in rules
            else "",
            steps=_together([_steps(each, rules, texts) for each in those]),
            things=[_thing(each, report, texts, terms) for each in those],
        )
        for (rule_id, _), those in alike.items()
    ]


def _thing(finding: Finding, report: Report, texts: Texts, terms: Terms) -> Thing:
    subject = finding.verdict.subject
    name = shortened(subject.name or subject.uid, _MOST_NAME)
    place = shortened(subject.path, _MOST_NAME)
    due = _due(finding, terms)
    return Thing(
        id=finding.fingerprint[:8],
        tickets=[ticket for ticket in report.tickets.get(finding.fingerprint, ()) if ticket.open],
        name=name,
        place="" if place == name else place,
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
            count=len(those),
            names=[
                shortened(each.verdict.subject.name or each.verdict.subject.uid, _MOST_NAME)
                for each in those[:MOST_NAMES]
            ],
            due=min(_due(each, terms) for each in those),
        )
        for rule_id, those in by_rule.items()
    ]


def _title(rule: RuleSummary | None, rule_id: str, texts: Texts) -> str:
    return shortened(phrases.rule_text(rule, texts.lang).title if rule else rule_id, _MOST_SENTENCE)


def _due(finding: Finding, terms: Terms) -> datetime:
    return finding.first_seen_on + timedelta(days=terms.days[finding.severity])


def since(finding: Finding, texts: Texts) -> str:
    """Since when, short: a day that the platform tells, or the day on which a scan first saw it."""
    told = finding.verdict.since
    return texts.say("handout.since" if told else "handout.since_earlier", day=texts.day(told or finding.first_seen_on))
