"""A finding with its rule's texts in one language: what the formats for machines pick from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from cloudscan.finding import Finding, Verdict
from cloudscan.report import DifferenceKind, Rejudged, Report, RuleSummary, TicketLink, opened_by_judgement
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts


@dataclass(frozen=True, kw_only=True)
class WordedFinding:
    """One finding in words. If its rule no longer exists, its title is the rule's id and it has no fix."""

    order: int  # 1 is the most urgent
    finding: Finding
    rule: RuleSummary | None
    lang: str
    change: str  # since the previous scan: new, reopened, widened, rejudged, waived; empty if none
    rejudged: Rejudged | None  # since when it is judged differently, if that made the change or may have
    tickets: Sequence[TicketLink]

    @property
    def verdict(self) -> Verdict:
        """The finding's verdict, with its subject and evidence."""
        return self.finding.verdict

    @property
    def title(self) -> str:
        """The rule's title, or its id if the rule no longer exists."""
        return phrases.rule_text(self.rule, self.lang).title if self.rule else self.verdict.rule_id

    @property
    def message(self) -> str:
        """The finding's sentence, with its values filled in."""
        return phrases.message_of(self.finding, self.lang)

    @property
    def why(self) -> str:
        """What can happen, as the rule says; empty if it no longer exists."""
        return phrases.rule_text(self.rule, self.lang).why if self.rule else ""

    @cached_property
    def fix(self) -> str:
        """The fix for this finding, one step or command a line."""
        return phrases.fix_of(self.finding, self.rule, self.lang)

    @property
    def frameworks(self) -> tuple[str, ...]:
        """The controls that the rule is mapped to; empty if it no longer exists."""
        return tuple(self.rule.frameworks) if self.rule else ()

    @property
    def cause(self) -> str:
        """The id of the rule's cause; empty if the rule no longer exists."""
        return self.rule.cause if self.rule else ""


def worded_findings(report: Report, lang: str) -> Iterator[WordedFinding]:
    """The report's findings, most urgent first."""
    rules = {rule.id: rule for rule in report.rules}
    changes, judged = changed(report), rejudged(report)
    for order, finding in enumerate(report.findings, 1):
        yield WordedFinding(
            order=order,
            finding=finding,
            rule=rules.get(finding.verdict.rule_id),
            lang=lang,
            change=changes.get(finding.fingerprint, ""),
            rejudged=judged.get(finding.fingerprint),
            tickets=report.tickets.get(finding.fingerprint, ()),
        )


def changed(report: Report) -> Mapping[str, str]:
    """How findings changed since the previous scan, by fingerprint; resolved ones are not among the findings."""
    differences = report.changes.differences if report.changes else ()
    return {difference.fingerprint: difference.kind for difference in differences}


def rejudged(report: Report) -> Mapping[str, Rejudged]:
    """Since when findings are judged differently, by fingerprint, where that made them or may have.

    What was decided about a finding afterwards leaves that as it is; what the cloud changed afterwards does not.
    """
    latest: dict[str, Rejudged | None] = {**opened_by_judgement(report)}
    differences = report.changes.differences if report.changes else ()
    latest |= {one.fingerprint: one.rejudged for one in differences if one.kind is not DifferenceKind.WAIVED}
    return {fingerprint: one for fingerprint, one in latest.items() if one}


def not_evaluated(rule: RuleSummary, texts: Texts) -> str:
    """The sentence about a case that a rule could not evaluate."""
    return texts.say("formats.not_evaluated", title=phrases.rule_text(rule, texts.lang).title.rstrip(".。"))


def tool(report: Report) -> tuple[str, str]:
    """Name and version of the program that wrote the report."""
    name, _, version = report.tool.partition(" ")
    return name or "cloudscan", version


def iso(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
