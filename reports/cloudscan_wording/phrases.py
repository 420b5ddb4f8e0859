"""What formats say about one finding, in words: who, since when, what to do."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

import msgspec

from cloudscan.facts import Audience
from cloudscan.finding import Finding, RuleText, Verdict
from cloudscan.report import RuleSummary, TicketLink
from cloudscan_wording.texts import Texts
from cloudscan_wording.visible import for_shell

_FIELD = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_NUMBERING = re.compile(r"^(?:\d+[.)]|[-*•])\s+")
_NAMES = ("name", "path", "uid")
_LEAST_NAME = 3  # a shorter value may be part of any word; it is escaped with the sentence
_SUBJECT_FIELDS = ("uid", "platform", "account", "kind", "name", "path", "url", "owner")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a remedy: what to do, and the commands that do it."""

    text: str
    commands: Sequence[str] = ()


def plain(value: Any) -> str:
    """A column's value as a reader sees it; nested ones as JSON."""
    match value:
        case str():
            return value
        case bool() | dict() | list() | tuple():
            return msgspec.json.encode(value).decode()
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case _:
            return str(value)


def fields_of(verdict: Verdict) -> Mapping[str, Any]:
    """What a rule's texts can name: the columns of its first evidence, then what is known about the subject."""
    subject = {name: getattr(verdict.subject, name) for name in _SUBJECT_FIELDS}
    row = verdict.evidence[0].row if verdict.evidence else {}
    return {
        **verdict.subject.detail,
        **subject,
        **{f"resource_{name}": subject[name] for name in ("name", "kind", "path")},
        **{name: value for name, value in row.items() if value not in (None, "")},
    }


def named_in(*templates: str) -> Sequence[str]:
    """The ``{fields}`` that the templates name, in order."""
    return list(dict.fromkeys(field for each in templates for field in _FIELD.findall(each)))


def fill(template: str, fields: Mapping[str, Any], *, command: bool = False) -> str:
    """The template with its fields filled in one pass. Braces that name no field stay, as JSON in a command needs."""

    def value(field: re.Match[str]) -> str:
        if field[1] not in fields:
            return field[0]
        text = plain(fields[field[1]])
        return for_shell(text) if command else text

    return _FIELD.sub(value, template)


def steps(fix: str) -> Sequence[Step]:
    """A rule's `fix` taken apart: one step a line; a line in backticks is a command of the step before it."""
    found: list[Step] = []
    for line in (each.strip() for each in fix.splitlines()):
        if len(line) > 2 and line[0] == line[-1] == "`" and "`" not in line[1:-1]:
            last = found.pop() if found else Step(text="")
            found.append(Step(text=last.text, commands=(*last.commands, line[1:-1])))
        elif line:
            found.append(Step(text=_NUMBERING.sub("", line)))
    return found


def filled_steps(fix: str, fields: Mapping[str, Any]) -> Sequence[Step]:
    """The steps of a `fix` for one finding: values in commands are quoted for the shell."""
    return [
        Step(text=fill(each.text, fields), commands=[fill(line, fields, command=True) for line in each.commands])
        for each in steps(fix)
    ]


def words_of(rule: RuleSummary, lang: str) -> RuleText:
    """The rule's texts in a language; a rule that lacks it speaks the first language that it has."""
    return rule.text[lang] if lang in rule.text else next(iter(rule.text.values()))


def message_of(finding: Finding, lang: str) -> str:
    return finding.message[lang] if lang in finding.message else next(iter(finding.message.values()), "")


def parted_message(finding: Finding, rule: RuleSummary | None, lang: str) -> Sequence[tuple[str, bool]]:
    """The finding's sentence in parts, each with whether it is a name that the sentence was filled with."""
    fields = fields_of(finding.verdict)
    named = named_in(words_of(rule, lang).message) if rule else _NAMES
    values = {plain(fields[name]) for name in named if name in fields}
    longest_first = sorted((value for value in values if len(value) >= _LEAST_NAME), key=len, reverse=True)
    message = message_of(finding, lang)
    parts = re.split(f"({'|'.join(map(re.escape, longest_first))})", message) if longest_first else [message]
    return [(part, part in longest_first) for part in parts]


def chain_of(chain: Mapping[str, Sequence[str]], lang: str) -> Sequence[str]:
    return chain[lang] if lang in chain else next(iter(chain.values()), ())


def because(finding: Finding, lang: str) -> str:
    """Why it is so, short: what the first chain rests on. The claim, which comes first, says what the message says."""
    chain = next((chain_of(each.chain, lang) for each in finding.verdict.evidence if each.chain), ())
    return ("" if lang == "ja" else " ").join(chain[1:4])


def standing_of(verdict: Verdict) -> str:
    """Whom a finding lets in, as one word: a rung of the audience ladder, or else

    `not_access` (the rule is about a setting, it yields no audience), `held_back` (every way in stands behind a block)
    or `unknown`.
    """
    rows = [each.row for each in verdict.evidence]
    if verdict.audience is None and not any("audience" in row for row in rows):
        return "not_access"
    if rows and all(row.get("blocked_by") for row in rows):
        return "held_back"
    return verdict.audience or "unknown"


def reach(texts: Texts, verdict: Verdict) -> str:
    """“Anyone on the internet can read it.” Empty where the finding is not about access."""
    platform = verdict.subject.platform
    match standing_of(verdict):
        case "not_access":
            return ""
        case "unknown":
            return texts.say("reach.unknown")
        case "held_back":
            blocks = dict.fromkeys(plain(each.row["blocked_by"]) for each in verdict.evidence)
            who = texts.name("audience", verdict.audience or "unknown", platform)
            return texts.say("reach.held_back", who=who, by=texts.say("list.comma").join(blocks))
        case Audience.NOBODY:
            return texts.say("reach.nobody_now")
        case audience if verdict.access is None:
            return texts.name("audience", audience, platform)
        case audience:
            access = texts.name("access", verdict.access)
            return texts.say("reach.can", who=texts.name("who", audience, platform), access=access)


def since(texts: Texts, finding: Finding, now: datetime) -> str:
    """When it was opened as the platform says, or else when a scan first saw it; the sentence tells which."""
    told = finding.verdict.since
    moment = told or finding.first_seen_on
    key = "finding.since_platform" if told else "finding.since_first_seen"
    return texts.say(key, day=texts.day(moment), ago=texts.ago(moment, now))


def accepted(texts: Texts, finding: Finding) -> str:
    """Who accepted a finding, until when and why. Empty where nobody did."""
    if finding.waiver is None:
        return ""
    day = texts.day(datetime.combine(finding.waiver.until, time(), UTC))
    return texts.say("finding.accepted", owner=finding.waiver.owner, day=day, reason=finding.waiver.reason)


def ticket_state(texts: Texts, ticket: TicketLink) -> str:
    """Whether it is open, and when that was known."""
    return texts.say("ticket.open" if ticket.open else "ticket.closed", day=texts.day(ticket.as_of))


def size(n: float) -> str:
    """Bytes in the unit that reads best: 12.5 MB."""
    units = ("bytes", "kB", "MB", "GB", "TB", "PB")
    place = 0
    while n >= 1000 and place < len(units) - 1:
        n, place = n / 1000, place + 1
    return f"{n:,.0f} {units[place]}" if place == 0 or n >= 100 else f"{n:,.1f} {units[place]}"
