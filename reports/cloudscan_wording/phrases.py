"""One finding in words: who can reach it, since when, what to do."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from cloudscan.facts import Audience
from cloudscan.finding import Finding, RuleText, Verdict, Waiver
from cloudscan.reason import Reason, block, step
from cloudscan.report import Rejudged, RuleSummary, TicketLink
from cloudscan.text import CommandLine, encodable, filled
from cloudscan_wording.texts import Texts, load

_FIELD = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_NUMBERING = re.compile(r"^(?:\d+[.)]|[-*•])\s+")
_NAMES = ("name", "path", "uid")
_TEMPLATES = 1024  # texts of rules whose reading is remembered: every finding of a rule has the same
_LEAST_NAME = 3  # characters; a shorter value may be part of any word and is escaped with the sentence
_SUBJECT_FIELDS = ("uid", "platform", "account", "kind", "name", "path", "url", "owner")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a fix: what to do, and the commands that do it."""

    text: str
    commands: Sequence[str] = ()


def plain(value: Any) -> str:
    """A column's value as a reader sees it; nested values as JSON."""
    match value:
        case str():
            return value
        case bool() | dict() | list() | tuple():
            return msgspec.json.encode(encodable(value)).decode()
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case _:
            return str(value)


def fields_of(verdict: Verdict) -> Mapping[str, Any]:
    """The fields that a rule's texts can name: the columns of its first evidence, then the subject's own."""
    subject = {name: getattr(verdict.subject, name) for name in _SUBJECT_FIELDS}
    row = verdict.evidence[0].row if verdict.evidence else {}
    return {
        **verdict.subject.detail,
        **subject,
        **{f"resource_{name}": subject[name] for name in ("name", "kind", "path")},
        **{name: value for name, value in row.items() if value not in (None, "")},
    }


@lru_cache(maxsize=_TEMPLATES)
def named_in(*templates: str) -> Sequence[str]:
    """The ``{fields}`` that the templates name, in order."""
    return tuple(dict.fromkeys(field for template in templates for field in _FIELD.findall(template)))


def fill(template: str, fields: Mapping[str, Any]) -> str:
    """The template with its fields filled in one pass. Braces that name no field stay."""
    return _FIELD.sub(lambda field: plain(fields[field[1]]) if field[1] in fields else field[0], template)


@lru_cache(maxsize=_TEMPLATES)
def steps(fix: str) -> Sequence[Step]:
    """The steps of a rule's `fix`: one step per line; a line in backticks is a command of the step before it."""
    parsed: list[Step] = []
    for line in (line.strip() for line in fix.splitlines()):
        if len(line) > 2 and line[0] == line[-1] == "`" and "`" not in line[1:-1]:
            last = parsed.pop() if parsed else Step(text="")
            parsed.append(Step(text=last.text, commands=(*last.commands, line[1:-1])))
        elif line:
            parsed.append(Step(text=_NUMBERING.sub("", line)))
    return tuple(parsed)


def filled_steps(fix: str, fields: Mapping[str, Any], lang: str) -> Sequence[Step]:
    """The steps of a `fix` for one finding: values in commands are quoted for the command's shell.

    A step says which words of its commands the reader has to replace, and that a command is left out because a name
    cannot be typed safely.
    """
    parsed = steps(fix)
    named = named_in(*(command for step in parsed for command in step.commands))
    values = {name: plain(fields[name]) for name in named if name in fields}
    return [_filled_step(step, fields, values, load(lang)) for step in parsed]


def _filled_step(step: Step, fields: Mapping[str, Any], values: Mapping[str, str], texts: Texts) -> Step:
    lines: Sequence[CommandLine | None] = [filled(command, values) for command in step.commands]
    offered = [line for line in lines if line]
    missing = list(dict.fromkeys(name for line in offered for name in line.missing))
    notes = [
        texts.say("finding.replace_words", words=texts.say("list.comma").join(missing)) if missing else "",
        texts.say("finding.no_command") if len(offered) < len(lines) else "",
    ]
    text = sentences((fill(step.text, fields), *notes), texts.lang)
    return Step(text=text, commands=[line.text for line in offered])


def rule_text(rule: RuleSummary, lang: str) -> RuleText:
    """The rule's texts in a language, or in the first language that it has."""
    return rule.text[lang] if lang in rule.text else next(iter(rule.text.values()))


def message_of(finding: Finding, lang: str) -> str:
    """The finding's sentence in a language, or in the first that it has; empty if it has none."""
    return finding.message[lang] if lang in finding.message else next(iter(finding.message.values()), "")


def parted_message(finding: Finding, rule: RuleSummary | None, lang: str) -> Sequence[tuple[str, bool]]:
    """The finding's sentence in parts, each with whether it is a value that the sentence was filled with."""
    fields = fields_of(finding.verdict)
    named = named_in(rule_text(rule, lang).message) if rule else _NAMES
    values = {plain(fields[name]) for name in named if name in fields}
    longest_first = sorted((value for value in values if len(value) >= _LEAST_NAME), key=len, reverse=True)
    return list(_parted(message_of(finding, lang), longest_first))


def _parted(message: str, longest_first: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """A text in parts, each with whether it is one of the values: the first in the text, and the longest there."""
    start = 0
    while start <= len(message):
        found = [(at, value) for value in longest_first if (at := message.find(value, start)) >= 0]
        at, value = min(found, key=lambda one: one[0], default=(len(message), ""))
        yield message[start:at], False
        if not value:
            return
        yield value, True
        start = at + len(value)


def chain_of(chain: Sequence[Reason] | Mapping[str, Sequence[str]], lang: str) -> Sequence[str]:
    """The sentences of a chain in a language; one of an older cloudscan perhaps in the first language that it has."""
    if not isinstance(chain, Mapping):
        return [step(reason, lang) for reason in chain]
    return chain[lang] if lang in chain else next(iter(chain.values()), ())


def first_chain(finding: Finding, lang: str) -> Sequence[str]:
    """The reasoning behind the first evidence that has one, sentence by sentence."""
    return next((chain_of(piece.chain, lang) for piece in finding.verdict.evidence if piece.chain), ())


def fix_of(finding: Finding, rule: RuleSummary | None, lang: str) -> str:
    """The fix for this finding, one step or command a line. Empty if its rule is no longer known."""
    if rule is None:
        return ""
    steps_ = filled_steps(rule_text(rule, lang).fix, fields_of(finding.verdict), lang)
    return "\n".join(line for step in steps_ for line in (step.text, *step.commands) if line)


def because(finding: Finding, lang: str) -> str:
    """The reasons in short: the first chain without its claim, which repeats the message."""
    return sentences(first_chain(finding, lang)[1:4], lang)


def sentences(each: Iterable[str], lang: str) -> str:
    """Sentences one after the other; Japanese has no space between them."""
    return ("" if lang == "ja" else " ").join(filter(None, each))


def audience_of(verdict: Verdict) -> str:
    """Who can reach the subject, as one id: a rung of the audience ladder, or one of three others.

    `not_access`: the rule is about a setting and yields no audience. `latent`: every grant is blocked. `unknown`: the
    audience could not be read.
    """
    rows = [piece.row for piece in verdict.evidence]
    if verdict.audience is None and not any("audience" in row for row in rows):
        return "not_access"
    if rows and all(row.get("blocked_by") for row in rows):
        return "latent"
    return verdict.audience or "unknown"


def reach(texts: Texts, verdict: Verdict) -> str:
    """“Anyone on the internet can read it.” Empty if the finding is not about access."""
    platform = verdict.subject.platform
    match audience_of(verdict):
        case "not_access":
            return ""
        case "unknown":
            return texts.say("reach.unknown")
        case "latent":
            blocks = dict.fromkeys(block(plain(piece.row["blocked_by"]), texts.lang) for piece in verdict.evidence)
            who = texts.name("audience", verdict.audience or "unknown", platform)
            return texts.say("reach.latent", who=who, by=texts.say("list.comma").join(blocks))
        case Audience.NOBODY:
            return texts.say("reach.nobody_now")
        case audience if verdict.access is None:
            return texts.name("audience", audience, platform)
        case audience:
            access = texts.name("access", verdict.access)
            return texts.say("reach.can", who=texts.name("who", audience, platform), access=access)


def since(texts: Texts, finding: Finding, now: datetime) -> str:
    """When it was opened according to the platform, or else when a scan first found it; the sentence says which."""
    opened = finding.verdict.since
    moment = opened or finding.first_seen_on
    key = "finding.since_platform" if opened else "finding.since_first_seen"
    return texts.say(key, day=texts.day(moment), ago=texts.ago(moment, now))


def judged_since(texts: Texts, rejudged: Rejudged) -> str:
    """Since when something is judged differently: “since version 0.2.0”, or the day where the version is the same."""
    if rejudged.version:
        return texts.say("rejudged.since_version", version=rejudged.version)
    return texts.say("rejudged.since_day", day=texts.day(rejudged.on))


def rejudged(texts: Texts, one: Rejudged | None) -> str:
    """That something is judged differently, since when and why. Empty if the cloud changed."""
    return texts.say(f"rejudged.{one.changed_by}", since=judged_since(texts, one)) if one else ""


def waived(texts: Texts, finding: Finding) -> str:
    """Who waived a finding, until when and why. Empty if it is not waived."""
    return waived_by(texts, finding.waiver) if finding.waiver else ""


def waived_by(texts: Texts, waiver: Waiver) -> str:
    """Who waived something, until when and why."""
    return texts.say("finding.waived", owner=waiver.owner, day=texts.date(waiver.until), reason=waiver.reason)


def ticket_state(texts: Texts, ticket: TicketLink) -> str:
    """Whether the ticket is open, and as of when."""
    return texts.say("ticket.open" if ticket.open else "ticket.closed", day=texts.day(ticket.as_of))


def size(n: float) -> str:
    """Bytes in the unit that reads best: 12.5 MB."""
    units = ("bytes", "kB", "MB", "GB", "TB", "PB")
    power = 0
    while n >= 1000 and power < len(units) - 1:
        n, power = n / 1000, power + 1
    return f"{n:,.0f} {units[power]}" if power == 0 or n >= 100 else f"{n:,.1f} {units[power]}"
