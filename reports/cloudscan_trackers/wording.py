"""The text of tickets and comments, in the reader's language: what is wrong, how bad, what to do, until when."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from cloudscan.finding import Finding
from cloudscan.fix import Fix, fixes
from cloudscan.recipient import Recipient
from cloudscan.report import RuleSummary
from cloudscan.text import openable, word
from cloudscan.tracker import ClosingReason, CommentContent, CommentReason, TicketSubject, Wording
from cloudscan_trackers.markup import PLAIN, Markup, remembering
from cloudscan_wording import evidence, phrases
from cloudscan_wording.recipients import why
from cloudscan_wording.texts import Texts, load
from cloudscan_wording.visible import shortened, visible

_MOST_STEPS = 12
_MOST_ENTRIES = 3  # policy entries that a ticket quotes
_TITLE = 200  # characters; Jira takes 255, ServiceNow 160
_PROSE = 600
_PLAIN_LINK: Final = re.compile(r"https://[A-Za-z0-9./?=&%#_:+-]{1,2000}")
_SAFE_IN_LINKS: Final = "/?=&%#:+"
_PLAIN_NAME: Final = re.compile(r"(?:https?://)?[A-Za-z0-9/#._:?=&%~-]+")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long texts may be, in UTF-16 code units, as Java and JavaScript count: an emoji is two."""

    title: int = _TITLE
    body: int = 60_000
    comment: int = 30_000


@dataclass(frozen=True)
class _Detail:
    """How much of a subject is told."""

    fixes: int
    lines: int  # of each policy entry
    waivers: int  # commands that waive a finding
    commands: int  # of each step
    prose: int = _PROSE  # characters of each sentence


_DETAILS: Final = (
    _Detail(fixes=30, lines=60, waivers=12, commands=40),
    _Detail(fixes=30, lines=20, waivers=12, commands=40),
    _Detail(fixes=30, lines=0, waivers=12, commands=40),
    *(_Detail(fixes=fixes, lines=0, waivers=1, commands=2) for fixes in (30, 25, 20, 16, 12, 9, 7, 5, 3, 2)),
    _Detail(fixes=1, lines=0, waivers=1, commands=1),
    _Detail(fixes=1, lines=0, waivers=0, commands=1),
    _Detail(fixes=1, lines=0, waivers=0, commands=0, prose=120),
)
"""From the most to the least; the first that fits is written."""


def wording(markup: Markup, *, limits: Limits | None = None, letters: Callable[[str], str] = str) -> Wording:
    """The wording in one markup, within limits. `letters` replaces characters that the tracker does not take."""
    most, markup = limits or Limits(), remembering(markup)

    def body(subject: TicketSubject, lang: str, room: int) -> str:
        return _fitting(subject, load(lang, subject.timezone), markup, letters, most.body - room)

    def comment(content: CommentContent, lang: str, room: int) -> str:
        return _cut(letters(_comment(content, load(lang, content.timezone), markup)), most.comment - room)

    return Wording(
        title=lambda subject, lang: _cut(letters(_title(subject, load(lang, subject.timezone), markup)), most.title),
        body=body,
        comment=comment,
        note=lambda content, lang: letters(_comment(content, load(lang, content.timezone), PLAIN)),
        aside=markup.aside,
        longest_line=most.body // 3,
    )


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _cut(text: str, most: int) -> str:
    """A text of at most so many units."""
    while _units(text) > most:
        text = shortened(text, len(text) - max(1, (_units(text) - most) // 2))
    return text


def _fitting(subject: TicketSubject, words: Texts, markup: Markup, letters: Callable[[str], str], most: int) -> str:
    """The whole text if it fits, else with fewer fixes and no entries quoted, else as many paragraphs as fit."""
    for detail in _DETAILS:
        text = letters("\n\n".join(_body(subject, words, markup, detail)))
        if _units(text) <= most:
            return text
    end = markup.prose(words.say("tickets.cut"))
    kept: list[str] = []
    for paragraph in map(letters, _body(subject, words, markup, _DETAILS[-1])):
        if _units("\n\n".join([*kept, paragraph, end])) <= most:
            kept.append(paragraph)
    return "\n\n".join([*kept, end])


def _title(subject: TicketSubject, words: Texts, markup: Markup) -> str:
    severity = words.name("severity", subject.severity)
    if subject.by_owner:
        text = words.count("tickets.owner_title", len(fixes(subject.findings)), owner=subject.owner)
    else:
        finding = subject.findings[0]
        text = phrases.message_of(finding, words.lang) or finding.verdict.rule_id
    return f"[{severity}] {markup.title(text)}"


def _body(subject: TicketSubject, words: Texts, markup: Markup, detail: _Detail) -> Iterator[str]:
    """Paragraphs."""
    if subject.predecessor:
        yield _around(_ticket(subject.predecessor, markup), "tickets.continues", "ticket", words, markup)
    together = fixes(subject.findings)
    if subject.by_owner:
        yield markup.prose(words.count("tickets.owner_lead", len(together)))
        if subject.due:
            yield markup.item(_fact("tickets.due", words.date(subject.due), words, markup))
        yield from _remedies(together, subject, words, markup, detail)
    else:
        for fix in together:
            yield from _fix(fix, subject, words, markup, detail)
    yield from _waiving(together, subject, words, markup, detail.waivers)
    if subject.contact:
        yield _around(markup.name(subject.contact), "tickets.contact", "contact", words, markup)
    yield markup.prose(words.say("tickets.foot"))


def _fix(fix: Fix, subject: TicketSubject, words: Texts, markup: Markup, detail: _Detail) -> Iterator[str]:
    finding = fix.lead
    rule = subject.rules.get(finding.verdict.rule_id)
    yield _message(finding, rule, words, markup)
    yield "\n".join(markup.item(line) for line in _facts(finding, subject, words, markup))
    if also := _also(fix, subject, words):
        yield markup.prose(also)
    yield from _doubts(finding, subject, words, markup)
    if rule:
        yield markup.heading(words.say("finding.why"))
        yield markup.prose(_why(rule, words, detail))
        yield markup.heading(words.say("finding.fix"))
        yield _steps([_steps_of(finding, rule, words)], markup, detail)
    for entry in evidence.quoted(finding, words)[: _MOST_ENTRIES if detail.lines else 0]:
        yield markup.heading(entry.title)
        yield markup.quote(entry.lines[: detail.lines])


def _remedies(
    together: Sequence[Fix], subject: TicketSubject, words: Texts, markup: Markup, detail: _Detail
) -> Iterator[str]:
    """The fixes of one person, those of a rule together: why and how are said once."""
    shown = together[: detail.fixes]
    alike: dict[tuple[str, tuple[str, ...]], list[Fix]] = defaultdict(list)
    for fix in shown:
        steps = _steps_of(fix.lead, subject.rules.get(fix.lead.verdict.rule_id), words)
        alike[fix.lead.verdict.rule_id, tuple(step.text for step in steps)].append(fix)
    for (rule_id, _), group in alike.items():
        rule = subject.rules.get(rule_id)
        yield markup.heading(_rule_title(rule, group[0].lead, words))
        yield "\n".join(markup.item(_in_short(fix, subject, words, markup, detail)) for fix in group)
        if rule:
            yield markup.prose(_labelled("finding.why", words) + _why(rule, words, detail))
            how = _steps([_steps_of(fix.lead, rule, words) for fix in group], markup, detail)
            yield f"{markup.prose(_labelled('finding.fix', words).rstrip())}\n\n{how}"
    if (more := len(together) - len(shown)) > 0:
        yield markup.prose(words.count("tickets.more", more))


def _in_short(fix: Fix, subject: TicketSubject, words: Texts, markup: Markup, detail: _Detail) -> str:
    """A fix in one line, with one line of each policy entry behind it."""
    finding = fix.lead
    message = _message(finding, subject.rules.get(finding.verdict.rule_id), words, markup)
    number = f"{words.say('handout.number')} {finding.fingerprint[:12]}"
    facts = [words.name("severity", finding.severity), phrases.reach(words, finding.verdict), _since(finding, words)]
    details = [markup.prose(" · ".join(fact for fact in (*facts, number) if fact))]
    if url := finding.verdict.subject.url:
        details.append(_link(url, markup))
    details += [markup.prose(text) for text in (_also(fix, subject, words),) if text]
    details += _doubts(finding, subject, words, markup)
    if detail.lines:
        details += [
            f"{markup.prose(entry.title + words.say('list.colon'))}{markup.name(entry.line)}"
            for entry in evidence.quoted(finding, words)[:_MOST_ENTRIES]
        ]
    return " · ".join([message, *details])


def _message(finding: Finding, rule: RuleSummary | None, words: Texts, markup: Markup) -> str:
    parts = phrases.parted_message(finding, rule, words.lang)
    return "".join(
        markup.name(part) if named else markup.prose(shortened(part, _PROSE)) for part, named in parts if part
    )


def _also(fix: Fix, subject: TicketSubject, words: Texts) -> str:
    """The titles of the weaker findings that the fix closes too."""
    others = {one.verdict.rule_id: one for one in fix.findings[1:] if one.verdict.rule_id != fix.lead.verdict.rule_id}
    titles = [_rule_title(subject.rules.get(rule_id), one, words) for rule_id, one in others.items()]
    return words.say("handout.also", titles=words.say("list.semicolon").join(titles)) if titles else ""


def _doubts(finding: Finding, subject: TicketSubject, words: Texts, markup: Markup) -> Iterator[str]:
    if rejudged := subject.rejudged.get(finding.fingerprint):
        yield markup.prose(phrases.rejudged(words, rejudged))
    if not finding.verified:
        yield markup.prose(words.say("tickets.unverified"))


def _why(rule: RuleSummary, words: Texts, detail: _Detail) -> str:
    return shortened(" ".join(phrases.rule_text(rule, words.lang).why.split()), detail.prose)


def _steps(steps: Sequence[Sequence[phrases.Step]], markup: Markup, detail: _Detail) -> str:
    """Each step once, with the commands for all that it is about."""
    lines: list[str] = []
    for number, same in enumerate(zip(*steps, strict=True), 1):
        lines.append(markup.step(number, markup.prose(shortened(same[0].text, detail.prose))))
        commands = list(dict.fromkeys(line for step in same for line in step.commands))
        lines += map(markup.command, commands[: detail.commands])
    return "\n".join(lines)


def _steps_of(finding: Finding, rule: RuleSummary | None, words: Texts) -> Sequence[phrases.Step]:
    fix = phrases.rule_text(rule, words.lang).fix if rule else ""
    return phrases.filled_steps(fix, phrases.fields_of(finding.verdict), words.lang)[:_MOST_STEPS]


def _waiving(together: Sequence[Fix], subject: TicketSubject, words: Texts, markup: Markup, most: int) -> Iterator[str]:
    """The command that waives it, or the most urgent one of many."""
    if not subject.waive_until or not most:
        return
    known = (word(person) for person in (subject.recipient.address, subject.contact) if person)
    decides = next(filter(None, known), None) or word(words.say("tickets.waive_owner"))
    reason = word(words.say("tickets.waive_reason"))
    end = f"--owner {decides} --until {subject.waive_until} --reason {reason}"
    waived = together[0].findings[:1] if subject.by_owner else [one for fix in together for one in fix.findings][:most]
    commands = [f"cloudscan waive add --finding {finding.fingerprint[:12]} {end}" for finding in waived]
    key = "tickets.waive_one" if subject.by_owner else "tickets.waive"
    yield "\n".join([markup.prose(words.say(key)), *map(markup.command, commands)])


def _facts(finding: Finding, subject: TicketSubject, words: Texts, markup: Markup) -> Iterator[str]:
    """What the reader needs first, first: until when, how bad, who can reach it, where it is."""
    verdict = finding.verdict
    resource = verdict.subject
    since = "finding.since" if verdict.since else "tickets.first_found"
    message = phrases.message_of(finding, words.lang)
    is_new = resource.path and (resource.path != resource.name or resource.name not in message)
    facts: Sequence[tuple[str, str]] = (
        ("tickets.due", words.date(subject.due) if subject.due else ""),
        ("findings.severity", markup.prose(words.name("severity", finding.severity))),
        ("finding.who", markup.prose(phrases.reach(words, verdict))),
        ("finding.url", _link(resource.url, markup) if resource.url else ""),
        ("finding.path", markup.name(resource.path) if is_new else ""),
        ("finding.what", markup.prose(words.name("kind", resource.kind)) if resource.kind else ""),
        ("finding.account", _named(resource.account, markup)),
        ("finding.owner", _owner(resource.owner, subject.recipient, words, markup)),
        (since, words.day(verdict.since or finding.first_seen_on)),
        ("finding.reach", markup.prose(_behind(finding, words))),
    )
    for key, value in facts:
        if value:
            yield _fact(key, value, words, markup)


def _fact(key: str, value: str, words: Texts, markup: Markup) -> str:
    return f"{markup.prose(_labelled(key, words))}{value}"


def _labelled(key: str, words: Texts) -> str:
    return words.say(key) + words.say("list.colon")


def _around(value: str, key: str, field: str, words: Texts, markup: Markup, **others: str) -> str:
    """A sentence with a value that is markup already."""
    sentence = markup.prose(words.say(key, **{field: "\0"}, **others))
    return sentence.replace(visible("\0"), value)


def _owner(owner: str, recipient: Recipient, words: Texts, markup: Markup) -> str:
    """The owner, and why the ticket is not theirs."""
    reason = why(recipient, words)
    if owner and reason:
        return _around(markup.name(owner), "tickets.owner", "owner", words, markup, why=reason)
    return _named(owner, markup)


def _behind(finding: Finding, words: Texts) -> str:
    """How much it is about; empty if it is a single resource of no known size."""
    verdict = finding.verdict
    if verdict.resources <= 1 and not verdict.bytes:
        return ""
    amounts = [words.count("finding.resources", verdict.resources)]
    if verdict.bytes:
        amounts.append(phrases.size(verdict.bytes))
    if verdict.people is not None:
        amounts.append(words.count("finding.people", verdict.people))
    return words.say("list.comma").join(amounts)


def _since(finding: Finding, words: Texts) -> str:
    """Since when it is open according to the platform, or when a scan first found it."""
    since = finding.verdict.since
    key = "finding.since" if since else "tickets.first_found"
    return _labelled(key, words) + words.day(since or finding.first_seen_on)


def _rule_title(rule: RuleSummary | None, finding: Finding, words: Texts) -> str:
    return phrases.rule_text(rule, words.lang).title if rule else finding.verdict.rule_id


def _link(url: str, markup: Markup) -> str:
    """An address that can be clicked: what could be read as markup in it is percent-encoded, which leads there too."""
    plain = quote(openable(url), safe=_SAFE_IN_LINKS).replace("~", "%7E")
    return markup.link(plain) if _PLAIN_LINK.fullmatch(plain) else markup.name(url)


def _named(text: str, markup: Markup) -> str:
    return markup.name(text) if text else ""


def _comment(content: CommentContent, words: Texts, markup: Markup) -> str:
    day, judged = words.date(content.day), phrases.rejudged(words, content.rejudged)
    match content.note:
        case CommentReason.CLOSED:
            return _closed(content, words, markup)
        case CommentReason.WIDENED:
            widened = words.say("list.comma").join(words.name("widened", dimension) for dimension in content.widened)
            key = "tickets.widened_rejudged" if judged else "tickets.widened"
            return markup.prose(words.say(key, widened=widened, day=day, judged=judged))
        case CommentReason.REOPENED if judged:
            return markup.prose(words.say("tickets.reopened_rejudged", day=day, judged=judged))
        case CommentReason.STILL:
            return "".join(_reminder(content, words, markup))
        case _:
            return markup.prose(words.say(f"tickets.{content.note}", day=day))


def _reminder(content: CommentContent, words: Texts, markup: Markup) -> Iterator[str]:
    """That it is still there, until when it was to be fixed, and whom to ask."""
    between = "" if words.lang == "ja" else " "
    yield markup.prose(words.say("tickets.still", day=words.date(content.day)))
    if content.due:
        key = "tickets.still_due" if content.day <= content.due else "tickets.overdue"
        yield between + markup.prose(words.say(key, due=words.date(content.due)))
    if content.contact:
        yield between + _around(markup.name(content.contact), "tickets.contact", "contact", words, markup)


def _closed(content: CommentContent, words: Texts, markup: Markup) -> str:
    """Why a ticket is closed."""
    day, judged = words.date(content.day), phrases.rejudged(words, content.rejudged)
    match content.closing:
        case ClosingReason.WAIVED if content.waiver:
            return markup.prose(
                words.say(
                    "tickets.waived",
                    owner=content.waiver.owner,
                    until=words.date(content.waiver.until),
                    reason=shortened(content.waiver.reason, _PROSE),
                )
            )
        case ClosingReason.DUPLICATE | ClosingReason.MERGED:
            return _around(_ticket(content.instead, markup), f"tickets.{content.closing}", "instead", words, markup)
        case ClosingReason.REJUDGED if judged:
            return markup.prose(words.say("tickets.resolved_rejudged", day=day, judged=judged))
        case ClosingReason.GONE | ClosingReason.WITHDRAWN:
            return markup.prose(words.say(f"tickets.closed_{content.closing}", day=day))
        case _:
            return markup.prose(words.say("tickets.resolved", day=day))


def _ticket(name: str, markup: Markup) -> str:
    """Another ticket's address or key, which the tracker makes a link."""
    return name if _PLAIN_NAME.fullmatch(name) else markup.name(name)
