"""The findings as the page's list needs them: columns instead of records, every string once, a rule's texts once.

100,000 findings must fit into ten megabytes and be listed within two seconds. So a message is stored only if the rule's
template and the finding's fields do not give it, a large table is compressed, and what only an open finding shows is in
parcels (`cloudscan_reports.page.detail_data`). `docs/page-format.md` specifies the format.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from cloudscan.facts import RANKS, UNRANKED, rank_name
from cloudscan.finding import Finding, Severity, Verdict
from cloudscan.fix import key_of, origin_of
from cloudscan.report import DIFFERENCE_KINDS, Report, RuleSummary, TicketLink
from cloudscan.text import openable, shell_of
from cloudscan_reports.page.string_table import Slots, Strings
from cloudscan_reports.summary.open_fixes import department_of
from cloudscan_wording import evidence, phrases
from cloudscan_wording.texts import Texts
from cloudscan_wording.worded_finding import changed

_TEXT_GROUPS = (
    *("tools", "via", "event", "findings", "finding", "time", "severity", "state", "level", "list"),
    *("party", "due", "ticketed"),
)
_NO_COLUMNS = {"flagged"}
_DIGESTS = re.compile("[0-9a-f]+")
PARCEL = 2_000
"""Findings per parcel of details: small enough to unpack without delay, large enough to compress well."""


def page_data(report: Report, texts: Texts) -> dict[str, Any]:
    """Everything that the page's list needs, ready for JSON (see `docs/page-format.md`)."""
    findings = report.findings
    rules = rules_of(report)
    rule_index = {rule_id: index for index, rule_id in enumerate(rules)}
    fields = {rule_id: _fields_of(rule, texts.lang) if rule else [] for rule_id, rule in rules.items()}
    strings = Strings()
    changes = changed(report)
    slots = [slots_of(finding) for finding in findings]
    values = [phrases.fields_of(finding.verdict) for finding in findings]
    return {
        "lang": texts.lang,
        "now": seconds(report.generated_on),
        "timezone": report.timezone,
        "parcel": PARCEL,
        "texts": {group: texts.table[group] for group in _TEXT_GROUPS},
        "severities": list(Severity),
        "rank_deadlines": {
            rank_name(rank): [days.get(severity) for severity in Severity]
            for rank, days in report.rank_deadlines.items()
        },
        "deadlines": [report.deadlines.get(severity) for severity in Severity],
        "controls": _controls(report, texts.lang),
        "labels": _labels(report, texts),
        "rules": [
            {
                "id": rule_id,
                **(_rule_texts(rule, texts.lang) if rule else {**_NO_RULE, "title": rule_id}),
                "fields": fields[rule_id],
                "columns": columns,
            }
            for (rule_id, rule), columns in zip(rules.items(), evidence_columns(report).values(), strict=True)
        ],
        "numbers": {
            "rule": [rule_index[finding.verdict.rule_id] for finding in findings],
            **{name: [column(finding) for finding in findings] for name, column in _NUMBERS.items()},
            "days": [_days(report, finding) for finding in findings],
            "fix": _fixes(findings),
        },
        "strings": {
            "name": [strings.number(name) for name, _ in slots],
            "key": [strings.number(key) for _, key in slots],
            **{name: [strings.number(column(finding)) for finding in findings] for name, column in _STRINGS.items()},
            "change": [strings.number(changes.get(finding.fingerprint, "")) for finding in findings],
            "party": [[strings.number(party) for party in _parties(finding.verdict)] for finding in findings],
            "ticket": [strings.number(_ticket_keys(report, finding)) for finding in findings],
            "reach": [strings.number(phrases.reach(texts, finding.verdict)) for finding in findings],
            **{
                name: [strings.around(column(finding), own) for finding, own in zip(findings, slots, strict=True)]
                for name, column in _PATTERNS.items()
            },
            "message": [
                strings.around(_own_message(finding, filled, rules[finding.verdict.rule_id], texts.lang), own)
                for finding, filled, own in zip(findings, values, slots, strict=True)
            ],
            "fields": [
                _values(filled, fields[finding.verdict.rule_id], strings, own)
                for finding, filled, own in zip(findings, values, slots, strict=True)
            ],
        },
        **_fingerprints(findings),
        **strings.tables(),
    }


_NUMBERS: Mapping[str, Callable[[Finding], Any]] = {
    "severity": lambda finding: finding.severity.rung,
    "score": lambda finding: round(finding.score, 1),
    "verified": lambda finding: int(finding.verified),
    "since": lambda finding: seconds(finding.verdict.since),
    "first": lambda finding: seconds(finding.first_seen_on),
    "resources": lambda finding: finding.verdict.resources,
}
_STRINGS: Mapping[str, Callable[[Finding], str | None]] = {
    "state": lambda finding: finding.state,
    "audience": lambda finding: phrases.audience_of(finding.verdict),
    "platform": lambda finding: finding.verdict.subject.platform,
    "account": lambda finding: finding.verdict.subject.account,
    "kind": lambda finding: finding.verdict.subject.kind,
    "owner": lambda finding: finding.verdict.subject.owner,
    "department": lambda finding: department_of(finding.verdict),
    "rank": lambda finding: rank_name(finding.verdict.rank),
}
_PATTERNS: Mapping[str, Callable[[Finding], str | None]] = {
    "path": lambda finding: finding.verdict.subject.path,
    "uid": lambda finding: finding.verdict.subject.uid,
    "origin": origin_of,
}
_NO_RULE = {"message": "", "why": "", "steps": [], "cause": "", "confidence": "", "effort": "", "frameworks": []}


def tickets_of(report: Report, finding: Finding) -> Sequence[TicketLink]:
    """The tickets about a finding; empty if there is none."""
    return report.tickets.get(finding.fingerprint, ())


def _ticket_keys(report: Report, finding: Finding) -> str:
    return " ".join(ticket.key for ticket in tickets_of(report, finding))


def slots_of(finding: Finding) -> Slots:
    """What a pattern may replace in this finding's strings: its name, and its key if that differs from the name."""
    subject = finding.verdict.subject
    key = subject.uid.rpartition("/")[2]
    return (subject.name, "" if key == subject.name else key)


def rules_of(report: Report) -> Mapping[str, RuleSummary | None]:
    """The rules by id; None for a rule that no longer exists but has findings, whose message is then stored."""
    rules: dict[str, RuleSummary | None] = dict.fromkeys(finding.verdict.rule_id for finding in report.findings)
    rules.update({rule.id: rule for rule in report.rules})
    return rules


def evidence_columns(report: Report) -> Mapping[str, Sequence[str]]:
    """The columns of each rule's evidence, in order of appearance. Those for readers have a label of their own."""
    columns: dict[str, dict[str, None]] = {rule_id: {} for rule_id in rules_of(report)}
    for finding in report.findings:
        for piece in finding.verdict.evidence:
            columns[finding.verdict.rule_id].update(dict.fromkeys(piece.row))
    return {rule_id: [name for name in names if name not in _NO_COLUMNS] for rule_id, names in columns.items()}


def seconds(moment: datetime | None) -> int | None:
    """Whole seconds since the Unix epoch."""
    return None if moment is None else int(moment.timestamp())


def _rule_texts(rule: RuleSummary, lang: str) -> dict[str, Any]:
    text = phrases.rule_text(rule, lang)
    return {
        "title": text.title,
        "message": text.message,
        "why": text.why,
        "steps": [
            [step.text, *([line, shell_of(line) or ""] for line in step.commands)] for step in phrases.steps(text.fix)
        ],
        "cause": rule.cause,
        "confidence": rule.confidence,
        "effort": rule.effort,
        "frameworks": list(rule.frameworks),
    }


def _labels(report: Report, texts: Texts) -> dict[str, dict[str, str]]:
    """The words for the ids that occur. If there is only one platform, its own words for audiences are used."""
    subjects = [finding.verdict.subject for finding in report.findings]
    platforms = dict.fromkeys(subject.platform for subject in subjects)
    kinds = dict.fromkeys(subject.kind for subject in subjects)
    variant = next(iter(platforms)) if len(platforms) == 1 else ""
    audiences = dict.fromkeys(phrases.audience_of(finding.verdict) for finding in report.findings)
    return {
        "platform": {platform: texts.name("platform", platform) for platform in platforms},
        "kind": {kind: texts.name("kind", kind) for kind in kinds},
        "change": {kind: texts.name("change", kind) for kind in DIFFERENCE_KINDS},
        "rank": {rank: texts.name("rank", rank) for rank in (*RANKS, UNRANKED)},
        "cause": {rule.cause: texts.name("cause", rule.cause) for rule in report.rules},
        "audience": {audience: texts.name("audience", audience, variant) for audience in audiences},
        "evidence": {
            column: evidence.head(column, texts)
            for columns in evidence_columns(report).values()
            for column in columns
            if not evidence.is_raw(column)
        },
    }


def _fields_of(rule: RuleSummary, lang: str) -> Sequence[str]:
    text = phrases.rule_text(rule, lang)
    return phrases.named_in(text.message, text.fix)


def _own_message(finding: Finding, fields: Mapping[str, Any], rule: RuleSummary | None, lang: str) -> str | None:
    """The finding's message; None if the rule's template gives the same."""
    message = phrases.message_of(finding, lang)
    if rule is None:
        return message
    template = phrases.rule_text(rule, lang).message
    return None if phrases.fill(template, fields) == message else message


def _values(fields: Mapping[str, Any], names: Sequence[str], strings: Strings, slots: Slots) -> list[int]:
    return [strings.around(phrases.plain(fields[name]) if name in fields else None, slots) for name in names]


def _parties(verdict: Verdict) -> Sequence[str]:
    """Who outside has access, each with what is known of it in front: partner:Haulier, private:someone@mail.example."""
    parties = (piece.party for piece in verdict.evidence if piece.party)
    return list(dict.fromkeys(f"{party.kind}:{party.name}" for party in parties))


def _fixes(findings: Sequence[Finding]) -> Sequence[int]:
    """How many places before each finding the previous one of the same fix is; 0 if there is none."""
    last: dict[str, int] = {}
    steps = []
    for index, finding in enumerate(findings):
        key = key_of(finding)
        steps.append(index - last.get(key, index))
        last[key] = index
    return steps


def _controls(report: Report, lang: str) -> Mapping[str, tuple[str, str]]:
    """Title and address of each control that a rule is mapped to."""
    mapped = {control for rule in report.rules for control in rule.frameworks}
    return {
        key: (f"{framework.title_in(lang)}: {control.title_in(lang)}", openable(framework.url))
        for framework in report.frameworks
        for control in framework.controls
        if (key := f"{framework.id}#{control.id}") in mapped
    }


def _fingerprints(findings: Sequence[Finding]) -> dict[str, Any]:
    """All in one string, each padded to the longest; packed as bytes if they are digests, as ours are.

    They do not compress, and they are the largest part of what every finding needs.
    """
    width = max((len(finding.fingerprint) for finding in findings), default=0)
    joined = "".join(finding.fingerprint.ljust(width) for finding in findings)
    packed = width % 2 == 0 and _DIGESTS.fullmatch(joined) is not None
    return {
        "width": width,
        "packed": packed,
        "fingerprints": base64.b64encode(bytes.fromhex(joined)).decode() if packed else joined,
    }


def _days(report: Report, finding: Finding) -> int | None:
    """Resource-days open; 0 if the ledger has no history, None if the page's script computes the same within 1%."""
    exposure = report.time_open.get(finding.fingerprint)
    if exposure is None:
        return 0
    opened = finding.verdict.since or finding.first_seen_on
    days = (report.generated_on - opened) / timedelta(days=1) * finding.verdict.resources
    return None if abs(exposure.resource_days - days) <= 1 + days / 100 else round(exposure.resource_days)
