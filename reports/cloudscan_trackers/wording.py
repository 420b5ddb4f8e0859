"""The text of tickets and comments, in the reader's language: what is wrong, how bad, what to do, until when."""

from collections.abc import Iterator, Sequence

from cloudscan.finding import Finding
from cloudscan.report import Rejudged, RuleSummary
from cloudscan.tracker import CommentContent, CommentReason, TicketSubject, Wording
from cloudscan_trackers.markup import Markup
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, load
from cloudscan_wording.visible import shortened, visible

_MOST_FINDINGS = 30
_MOST_STEPS = 12
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
        return words.count("tickets.owner_title", len(subject.findings), owner=visible(subject.owner))
    finding = subject.findings[0]
    severity = words.name("severity", finding.severity)
    return f"[{severity}] {visible(phrases.message_of(finding, words.lang)) or finding.verdict.rule_id}"


def _body(subject: TicketSubject, words: Texts, markup: Markup) -> Iterator[str]:
    """Paragraphs."""
    if subject.due:
        yield markup.item(
            f"{markup.prose(words.say('tickets.due') + words.say('list.colon'))}{words.date(subject.due)}"
        )
    for finding in subject.findings[:_MOST_FINDINGS]:
        rule = subject.rules.get(finding.verdict.rule_id)
        if subject.by_owner:
            yield markup.heading(_rule_title(rule, finding, words))
        yield from _finding(finding, rule, subject.rejudged.get(finding.fingerprint), words, markup)
    if (more := len(subject.findings) - _MOST_FINDINGS) > 0:
        yield markup.prose(words.count("tickets.more", more))
    yield markup.prose(words.say("tickets.foot"))


def _finding(
    finding: Finding, rule: RuleSummary | None, rejudged: Rejudged | None, words: Texts, markup: Markup
) -> Iterator[str]:
    parts = phrases.parted_message(finding, rule, words.lang)
    yield "".join(
        markup.name(part) if named else markup.prose(shortened(part, _PROSE)) for part, named in parts if part
    )
    yield "\n".join(markup.item(line) for line in _facts(finding, words, markup))
    if rejudged:
        yield markup.prose(phrases.rejudged(words, rejudged))
    if not finding.verified:
        yield markup.prose(words.say("tickets.unverified"))
    if rule:
        text = phrases.rule_text(rule, words.lang)
        yield markup.heading(words.say("finding.why"))
        yield markup.prose(" ".join(text.why.split()))
        yield markup.heading(words.say("finding.fix"))
        steps = phrases.filled_steps(text.fix, phrases.fields_of(finding.verdict), words.lang)[:_MOST_STEPS]
        yield "\n".join(_steps(steps, markup))
    command = f"cloudscan waive add --finding {finding.fingerprint[:12]} --owner … --reason …"
    yield markup.prose(words.say("tickets.waive", command="\0")).replace(visible("\0"), markup.name(command))


def _facts(finding: Finding, words: Texts, markup: Markup) -> Iterator[str]:
    verdict = finding.verdict
    resource = verdict.subject
    moment = verdict.since or finding.first_seen_on
    facts: Sequence[tuple[str, str]] = (
        ("findings.severity", markup.prose(words.name("severity", finding.severity))),
        ("finding.who", markup.prose(phrases.reach(words, verdict))),
        ("finding.since", markup.prose(words.day(moment))),
        ("finding.account", _named(resource.account, markup)),
        ("finding.what", markup.prose(words.name("kind", resource.kind)) if resource.kind else ""),
        ("finding.path", _named(resource.path, markup)),
        ("finding.url", _named(resource.url, markup)),
        ("finding.owner", _named(resource.owner, markup)),
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


def _steps(steps: Sequence[phrases.Step], markup: Markup) -> Iterator[str]:
    for number, step in enumerate(steps, 1):
        yield markup.step(number, markup.prose(shortened(step.text, _PROSE)))
        yield from (markup.command(command) for command in step.commands)


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
        case CommentReason.DUPLICATE:
            return words.say("tickets.duplicate", instead=content.instead)
        case _:
            return markup.prose(words.say(f"tickets.{content.note}", day=day))
