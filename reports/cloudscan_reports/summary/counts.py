"""What a report comes to: the counts, the causes, and what could not be seen. Shared by the formats for people."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cloudscan.coverage import Coverage
from cloudscan.facts import Audience, Outcome
from cloudscan.finding import Finding, Severity, State, Verdict
from cloudscan.report import Difference, Report, RuleSummary
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, number

STANDING = (State.OPEN, State.REOPENED)


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What differs from the scan that a report is compared with: in a title, a sentence, and what is gone."""

    title: str
    told: str
    gone: Sequence[Difference]


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Coverage rows that have the same reason, together."""

    example: Coverage
    places: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Untold:
    """A rule that could not be evaluated everywhere: on whom not, and which rights would help."""

    rule: RuleSummary
    verdicts: Sequence[Verdict]
    rights: Sequence[str]


def standing(report: Report) -> Sequence[Finding]:
    """The findings that need work, in the order of work."""
    return [each for each in report.findings if each.state in STANDING]


def by_severity(findings: Sequence[Finding]) -> Mapping[Severity, int]:
    """How many there are of each severity, the worst first, none left out."""
    counts = Counter(each.severity for each in findings)
    return {severity: counts[severity] for severity in reversed(Severity)}


def open_to_all(findings: Sequence[Finding]) -> int:
    """How many places let in anyone on the internet, each counted once however many findings it has."""
    return len({each.verdict.subject.uid for each in findings if phrases.standing_of(each.verdict) in _EVERYBODY})


_EVERYBODY = (Audience.ANYONE_WITH_LINK, Audience.ANYONE_DISCOVERABLE)


def changed(report: Report, words: Texts) -> Changed | None:
    """What changed, in words; None where there is nothing to compare with."""
    if (changes := report.changes) is None:
        return None
    counts = {kind: number(changes.counts.get(kind, 0)) for kind in ("new", "reopened", "widened", "resolved")}
    return Changed(
        title=words.say("changes.title", day=words.day(changes.old.started_on)),
        told=words.say("changes.lead", **counts) if changes.differences else words.say("changes.nothing"),
        gone=[each for each in changes.differences if each.kind == "resolved"],
    )


def gaps(report: Report) -> Sequence[Gap]:
    """What was not read completely, rows with one reason grouped, the largest group first."""
    groups: dict[tuple[str, ...], list[Coverage]] = defaultdict(list)
    for row in report.coverage:
        if row.outcome is not Outcome.COMPLETE:
            groups[row.platform, row.account, row.table, row.outcome, row.reason, row.needs].append(row)
    found = [Gap(example=rows[0], places=[_place(row) for row in rows]) for rows in groups.values()]
    return sorted(found, key=lambda each: -len(each.places))


def rights(report: Report) -> Sequence[tuple[str, int]]:
    """The rights that the platforms asked for, with how many gaps each would close, the most useful first."""
    return Counter(
        row.needs for row in report.coverage if row.needs and row.outcome is not Outcome.COMPLETE
    ).most_common()


def untold(report: Report) -> Sequence[Untold]:
    """The rules that could not tell, the most frequent first, each with the rights that its subjects lack."""
    lacking: dict[str, set[str]] = defaultdict(set)
    for row in report.coverage:
        if row.needs and row.outcome is not Outcome.COMPLETE:
            lacking[row.resource_uid or row.scope_uid].add(row.needs)
    groups: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in report.unknowns:
        groups[verdict.rule_id].append(verdict)
    rules = {rule.id: rule for rule in report.rules}
    found = [
        Untold(
            rule=rules[rule_id],
            verdicts=those,
            rights=sorted({right for each in those for uid in _touched(each) for right in lacking.get(uid, ())}),
        )
        for rule_id, those in groups.items()
        if rule_id in rules
    ]
    return sorted(found, key=lambda each: -len(each.verdicts))


def _touched(verdict: Verdict) -> set[str]:
    uids = {verdict.subject.uid, *verdict.identity}
    for evidence in verdict.evidence:
        uids.update(str(value) for name, value in evidence.row.items() if name.endswith("uid") and value)
    return uids


def _place(row: Coverage) -> str:
    if row.resource_uid and row.resource_uid != row.scope_uid:
        return row.resource_uid.removeprefix(f"{row.platform}:")
    return row.scope_name or row.scope_uid
