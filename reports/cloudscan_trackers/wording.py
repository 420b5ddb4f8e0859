"""The text of tickets and comments, in the reader's language: what is wrong, how bad, what to do, until when."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from cloudscan.finding import Finding
from cloudscan.fix import Fix, fixes
from cloudscan.recipient import Recipient
from cloudscan.report import RuleSummary
from cloudscan.text import word
from cloudscan.tracker import CommentContent, CommentReason, TicketSubject, Wording
from cloudscan_trackers.markup import Markup
from cloudscan_wording import evidence, phrases
from cloudscan_wording.recipients import why
from cloudscan_wording.texts import Texts, load
from cloudscan_wording.visible import shortened, visible

_MOST_FIXES = 30
_MOST_STEPS = 12
_MOST_ENTRIES = 3  # policy entries that a ticket quotes
_MOST_LINES = 60
_TITLE = 200  # characters; Jira takes 255, ServiceNow 160
_PROSE = 600


def wording(markup: Markup, *, title: int = _TITLE) -> Wording:
    """The wording in one markup. `title` is how many characters a title may have."""
    return Wording(
        title=lambda subject, lang: shortened(_title(subject, load(lang, subject.timezone)), title),
        body=lambda subject, lang: "\n\n".join(_body(subject, load(lang, subject.timezone), markup)),
        comment=lambda content, lang: _comment(content, load(lang), markup),
        aside=markup.aside,
    )


def _title(subject: TicketSubject, words: Texts) -> str:
    if subject.by_owner:
        return words.count("tickets.owner_title", len(fixes(subject.findings)), owner=visible(subject.owner))
    finding = subject.findings[0]
    severity = words.name("severity", finding.severity)
    return f"[{severity}] {visible(phrases.message_of(finding, words.lang)) or finding.verdict.rule_id}"


def _body(subject: TicketSubject, words: Texts, markup: Markup) -> Iterator[str]:
    """Paragraphs."""
    if subject.due:
        yield markup.item(
            f"{markup.prose(words.say('tickets.due') + words.say('list.colon'))}{words.date(subject.due)}"
        )
    together = fixes(subject.findings)
    if subject.by_owner:
        yield from _remedies(together, subject, words, markup)
    else:
        for fix in together:
            yield from _fix(fix, subject, words, markup)
    yield from _waiving(together, subject, words, markup)
    if subject.contact:
        sentence = markup.prose(words.say("tickets.contact", contact="\0"))
        yield sentence.replace(visible("\0"), markup.name(subject.contact))
    yield markup.prose(words.say("tickets.foot"))


def _fix(fix: Fix, subject: TicketSubject, words: Texts, markup: Markup) -> Iterator[str]:
    finding = fix.lead
    rule = subject.rules.get(finding.verdict.rule_id)
    yield _message(finding, rule, words, markup)
    yield "\n".join(markup.item(line) for line in _facts(finding, subject.recipient, words, markup))
    if also := _also(fix, subject, words):
        yield markup.prose(also)
    yield from _doubts(finding, subject, words, markup)
    if rule:
        yield from _remedy(rule, [_steps_of(finding, rule, words)], words, markup)
    for entry in evidence.quoted(finding, words)[:_MOST_ENTRIES]:
        yield markup.heading(entry.title)
        yield markup.quote(entry.lines[:_MOST_LINES])


def _remedies(together: Sequence[Fix], subject: TicketSubject, words: Texts, markup: Markup) -> Iterator[str]:
    """The fixes of one person, those of a rule together: why and how are said once."""
    shown = together[:_MOST_FIXES]
    alike: dict[tuple[str, tuple[str, ...]], list[Fix]] = defaultdict(list)
    for fix in shown:
        steps = _steps_of(fix.lead, subject.rules.get(fix.lead.verdict.rule_id), words)
        alike[fix.lead.verdict.rule_id, tuple(step.text for step in steps)].append(fix)
    for (rule_id, _), group in alike.items():
        rule = subject.rules.get(rule_id)
        yield markup.heading(_rule_title(rule, group[0].lead, words))
        yield "\n".join(markup.item(_in_short(fix, subject, words, markup)) for fix in group)
        if rule:
            yield from _remedy(rule, [_steps_of(fix.lead, rule, words) for fix in group], words, markup)
    if (more := len(together) - len(shown)) > 0:
        yield markup.prose(words.count("tickets.more", more))


def _in_short(fix: Fix, subject: TicketSubject, words: Texts, markup: Markup) -> str:
    """A fix in one line."""
    finding = fix.lead
    message = _message(finding, subject.rules.get(finding.verdict.rule_id), words, markup)
    number = f"{words.say('handout.number')} {finding.fingerprint[:12]}"
    since = words.say("finding.since") + words.say("list.colon") + words.day(_since(finding))
    facts = [words.name("severity", finding.severity), phrases.reach(words, finding.verdict), since, number]
    details = [markup.prose(" · ".join(fact for fact in facts if fact))]
    if url := finding.verdict.subject.url:
        details.append(markup.name(url))
    details += [markup.prose(text) for text in (_also(fix, subject, words),) if text]
    details += _doubts(finding, subject, words, markup)
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
    return words.say("handout.also", titles=words.say("list.comma").join(titles)) if titles else ""


def _doubts(finding: Finding, subject: TicketSubject, words: Texts, markup: Markup) -> Iterator[str]:
    if rejudged := subject.rejudged.get(finding.fingerprint):
        yield markup.prose(phrases.rejudged(words, rejudged))
    if not finding.verified:
        yield markup.prose(words.say("tickets.unverified"))


def _remedy(rule: RuleSummary, steps: Sequence[Sequence[phrases.Step]], words: Texts, markup: Markup) -> Iterator[str]:
    """Why, and how: each step once, with the commands for all that it is about."""
    yield markup.heading(words.say("finding.why"))
    yield markup.prose(" ".join(phrases.rule_text(rule, words.lang).why.split()))
    yield markup.heading(words.say("finding.fix"))
    lines: list[str] = []
    for number, same in enumerate(zip(*steps, strict=True), 1):
        lines.append(markup.step(number, markup.prose(shortened(same[0].text, _PROSE))))
        lines += [markup.command(line) for line in dict.fromkeys(line for step in same for line in step.commands)]
    yield "\n".join(lines)


def _steps_of(finding: Finding, rule: RuleSummary | None, words: Texts) -> Sequence[phrases.Step]:
    fix = phrases.rule_text(rule, words.lang).fix if rule else ""
    return phrases.filled_steps(fix, phrases.fields_of(finding.verdict), words.lang)[:_MOST_STEPS]


def _waiving(together: Sequence[Fix], subject: TicketSubject, words: Texts, markup: Markup) -> Iterator[str]:
    """The command that waives it, or the most urgent one of many."""
    if not subject.waive_until:
        return
    known = (word(person) for person in (subject.recipient.address, subject.contact) if person)
    decides = next(filter(None, known), None) or word(words.say("tickets.waive_owner"))
    reason = word(words.say("tickets.waive_reason"))
    end = f"--owner {decides} --until {subject.waive_until} --reason {reason}"
    waived = together[0].findings[:1] if subject.by_owner else [one for fix in together for one in fix.findings]
    commands = [f"cloudscan waive add --finding {finding.fingerprint[:12]} {end}" for finding in waived]
    key = "tickets.waive_one" if subject.by_owner else "tickets.waive"
    yield "\n".join([markup.prose(words.say(key)), *map(markup.command, commands)])


def _facts(finding: Finding, recipient: Recipient, words: Texts, markup: Markup) -> Iterator[str]:
    verdict = finding.verdict
    resource = verdict.subject
    reason = why(recipient, words)
    owner = _named(resource.owner, markup) + (markup.prose(f" ({reason})") if reason and resource.owner else "")
    facts: Sequence[tuple[str, str]] = (
        ("findings.severity", markup.prose(words.name("severity", finding.severity))),
        ("finding.who", markup.prose(phrases.reach(words, verdict))),
        ("finding.since", markup.prose(words.day(_since(finding)))),
        ("finding.account", _named(resource.account, markup)),
        ("finding.what", markup.prose(words.name("kind", resource.kind)) if resource.kind else ""),
        ("finding.path", _named(resource.path, markup)),
        ("finding.url", _named(resource.url, markup)),
        ("finding.owner", owner),
        ("finding.reach", markup.prose(_behind(finding, words))),
    )
    for key, value in facts:
        if value:
            yield f"{markup.prose(words.say(key) + words.say('list.colon'))}{value}"


def _behind(finding: Finding, words: Texts) -> str:
    verdict = finding.verdict
    if verdict.resources <= 1 and verdict.bytes is None:
        return ""
    amounts = [words.count("finding.resources", verdict.resources)]
    if verdict.bytes is not None:
        amounts.append(phrases.size(verdict.bytes))
    if verdict.people is not None:
        amounts.append(words.count("finding.people", verdict.people))
    return words.say("list.comma").join(amounts)


def _since(finding: Finding) -> datetime:
    return finding.verdict.since or finding.first_seen_on


def _rule_title(rule: RuleSummary | None, finding: Finding, words: Texts) -> str:
    return phrases.rule_text(rule, words.lang).title if rule else finding.verdict.rule_id


def _named(text: str, markup: Markup) -> str:
    return markup.name(text) if text else ""


def _comment(content: CommentContent, words: Texts, markup: Markup) -> str:
    day, judged = words.date(content.day), phrases.rejudged(words, content.rejudged)
    match content.note:
        case CommentReason.WIDENED:
            widened = words.say("list.comma").join(words.name("widened", dimension) for dimension in content.widened)
            key = "tickets.widened_rejudged" if judged else "tickets.widened"
            return markup.prose(words.say(key, widened=widened, day=day, judged=judged))
        case CommentReason.RESOLVED | CommentReason.REOPENED if judged:
            return markup.prose(words.say(f"tickets.{content.note}_rejudged", day=day, judged=judged))
        case CommentReason.WAIVED if content.waiver:
            return markup.prose(
                words.say(
                    "tickets.waived",
                    owner=content.waiver.owner,
                    until=words.date(content.waiver.until),
                    reason=shortened(content.waiver.reason, _PROSE),
                )
            )
        case CommentReason.DUPLICATE | CommentReason.MERGED:
            return words.say(f"tickets.{content.note}", instead=content.instead)
        case _:
            return markup.prose(words.say(f"tickets.{content.note}", day=day))
