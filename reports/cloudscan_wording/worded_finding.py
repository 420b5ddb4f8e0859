"""A finding together with its rule's words in one language: what the formats for machines pick from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from cloudscan.finding import Finding, Verdict
from cloudscan.report import Report, RuleSummary, TicketLink
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts


@dataclass(frozen=True, kw_only=True)
class WordedFinding:
    """One finding in words. Its rule may be gone: then it bears the rule's id as its title and has no remedy."""

    order: int  # 1 is what to do first
    finding: Finding
    rule: RuleSummary | None
    lang: str
    change: str  # since the scan before: new, reopened, widened, waived; empty where nothing did
    tickets: Sequence[TicketLink]

    @property
    def verdict(self) -> Verdict:
        return self.finding.verdict

    @property
    def title(self) -> str:
        return phrases.words_of(self.rule, self.lang).title if self.rule else self.verdict.rule_id

    @property
    def message(self) -> str:
        return phrases.message_of(self.finding, self.lang)

    @property
    def why(self) -> str:
        return phrases.words_of(self.rule, self.lang).why if self.rule else ""

    @cached_property
    def fix(self) -> str:
        """The remedy for this finding, one step or command a line."""
        if self.rule is None:
            return ""
        steps = phrases.filled_steps(phrases.words_of(self.rule, self.lang).fix, phrases.fields_of(self.verdict))
        return "\n".join(line for step in steps for line in (step.text, *step.commands) if line)

    @property
    def frameworks(self) -> tuple[str, ...]:
        return tuple(self.rule.frameworks) if self.rule else ()

    @property
    def cause(self) -> str:
        return self.rule.cause if self.rule else ""


def worded_findings(report: Report, lang: str) -> Iterator[WordedFinding]:
    """The report's findings in the order of work."""
    rules = {rule.id: rule for rule in report.rules}
    changes = changed(report)
    for order, finding in enumerate(report.findings, 1):
        yield WordedFinding(
            order=order,
            finding=finding,
            rule=rules.get(finding.verdict.rule_id),
            lang=lang,
            change=changes.get(finding.fingerprint, ""),
            tickets=report.tickets.get(finding.fingerprint, ()),
        )


def changed(report: Report) -> Mapping[str, str]:
    """What befell findings since the scan before, by fingerprint. What was resolved is no finding any more."""
    return {each.fingerprint: each.kind for each in report.changes.differences} if report.changes else {}


def not_judged(rule: RuleSummary, texts: Texts) -> str:
    """What is said of a case that a rule could not judge, with the right that is missing where the rule names it."""
    title = phrases.words_of(rule, texts.lang).title.rstrip(".。")
    if needs := needed(rule, texts.lang):
        return texts.say("formats.not_judged_needs", title=title, needs=needs)
    return texts.say("formats.not_judged", title=title)


def needed(rule: RuleSummary, lang: str) -> str:
    """The right that a rule needs in order to tell, as far as the rule says."""
    return rule.needs.get(lang) or next(iter(rule.needs.values()), "")


def tool(report: Report) -> tuple[str, str]:
    """Name and version of what made the report."""
    name, _, version = report.tool.partition(" ")
    return name or "cloudscan", version


def iso(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
