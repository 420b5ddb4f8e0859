"""What a report comes to: the counts, the changes, and what could not be seen. Shared by the formats for people."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cloudscan.coverage import Coverage
from cloudscan.facts import Audience, Outcome
from cloudscan.finding import Finding, Severity, State, Verdict
from cloudscan.reason import sentence
from cloudscan.report import Difference, Report, RuleSummary
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, number

NEEDING_WORK = (State.OPEN, State.REOPENED)
_ANYONE_ON_THE_INTERNET = (Audience.ANYONE_WITH_LINK, Audience.ANYONE_DISCOVERABLE)


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What differs from the scan that a report is compared with, in one language."""

    title: str
    summary: str  # one sentence with the counts
    resolved: Sequence[Difference]


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Coverage rows that have the same reason, together."""

    example: Coverage
    locations: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class UnknownRule:
    """A rule that could not be evaluated everywhere: on which subjects, and which permissions would help."""

    rule: RuleSummary
    verdicts: Sequence[Verdict]
    permissions: Sequence[str]


def needing_work(report: Report) -> Sequence[Finding]:
    """The findings that need work, most urgent first."""
    return [finding for finding in report.findings if finding.state in NEEDING_WORK]


def by_severity(findings: Sequence[Finding]) -> Mapping[Severity, int]:
    """The number of findings of every severity, worst first; a severity without findings has 0."""
    counts = Counter(finding.severity for finding in findings)
    return {severity: counts[severity] for severity in reversed(Severity)}


def open_to_all(findings: Sequence[Finding]) -> int:
    """The number of resources that anyone on the internet can reach; one with several findings counts once."""
    return len(
        {
            finding.verdict.subject.uid
            for finding in findings
            if phrases.audience_of(finding.verdict) in _ANYONE_ON_THE_INTERNET
        }
    )


def changed(report: Report, texts: Texts) -> Changes | None:
    """What changed, in one language; None if there is nothing to compare with."""
    if (changes := report.changes) is None:
        return None
    counts = {kind: number(changes.counts.get(kind, 0)) for kind in ("new", "reopened", "widened", "resolved")}
    return Changes(
        title=texts.say("changes.title", day=texts.day(changes.old.started_on)),
        summary=texts.say("changes.lead", **counts) if changes.differences else texts.say("changes.nothing"),
        resolved=[difference for difference in changes.differences if difference.kind == "resolved"],
    )


def gaps(report: Report) -> Sequence[Gap]:
    """What was not read completely: rows with the same reason grouped, the largest group first."""
    groups: dict[tuple[str, ...], list[Coverage]] = defaultdict(list)
    for row in report.coverage:
        if row.outcome is not Outcome.COMPLETE:
            groups[row.platform, row.account, row.table, row.outcome, sentence(row.reason, "en"), row.needs].append(row)
    grouped = [Gap(example=rows[0], locations=[_location(row) for row in rows]) for rows in groups.values()]
    return sorted(grouped, key=lambda gap: -len(gap.locations))


def missing_permissions(report: Report) -> Sequence[tuple[str, int]]:
    """The permissions that the scan lacked, each with the number of gaps that it would close, the most useful first."""
    return Counter(
        row.needs for row in report.coverage if row.needs and row.outcome is not Outcome.COMPLETE
    ).most_common()


def unknown_rules(report: Report) -> Sequence[UnknownRule]:
    """The rules that could not be evaluated, the most frequent first, each with the permissions missing for it."""
    lacking: dict[str, set[str]] = defaultdict(set)
    for row in report.coverage:
        if row.needs and row.outcome is not Outcome.COMPLETE:
            lacking[row.resource_uid or row.scope_uid].add(row.needs)
    groups: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in report.unknowns:
        groups[verdict.rule_id].append(verdict)
    rules = {rule.id: rule for rule in report.rules}
    unknown = [
        UnknownRule(
            rule=rules[rule_id],
            verdicts=verdicts,
            permissions=sorted(
                {permission for verdict in verdicts for uid in _uids(verdict) for permission in lacking.get(uid, ())}
            ),
        )
        for rule_id, verdicts in groups.items()
        if rule_id in rules
    ]
    return sorted(unknown, key=lambda rule: -len(rule.verdicts))


def _uids(verdict: Verdict) -> set[str]:
    """The resources and principals that a verdict names."""
    uids = {verdict.subject.uid, *verdict.identity}
    for evidence in verdict.evidence:
        uids.update(str(value) for name, value in evidence.row.items() if name.endswith("uid") and value)
    return uids


def _location(row: Coverage) -> str:
    if row.resource_uid and row.resource_uid != row.scope_uid:
        return row.resource_uid.removeprefix(f"{row.platform}:")
    return row.scope_name or row.scope_uid
