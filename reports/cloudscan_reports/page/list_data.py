"""The findings as the page's list carries them: columns instead of records, every string once, a rule's texts once.

100,000 findings have to fit into ten megabytes and to stand in two seconds. So a message is kept only where the rule's
template and the finding's fields do not give it, a large table is compressed, and what only an open finding shows lies
in parcels of its own (`cloudscan_reports.page.detail_data`).
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from cloudscan.facts import Audience
from cloudscan.finding import Finding, Severity, Verdict
from cloudscan.report import DIFFERENCE_KINDS, Report, RuleSummary, TicketLink
from cloudscan_reports.page.string_table import Slots, Strings
from cloudscan_reports.summary import ranking
from cloudscan_wording import phrases
from cloudscan_wording.phrases import plain
from cloudscan_wording.texts import Texts
from cloudscan_wording.worded_finding import changed

_TEXT_GROUPS = ("tools", "via", "event", "findings", "finding", "time", "severity", "state", "level", "list")
_NO_COLUMNS = {"flagged"}
_DIGESTS = re.compile("[0-9a-f]+")
PARCEL = 2_000
"""Findings in a parcel of details: small enough to be unpacked unnoticed, large enough to be compressed well."""


def page_data(report: Report, texts: Texts) -> dict[str, Any]:
    """Everything that the page's list needs, ready for JSON."""
    told = report.findings
    rules = rules_of(report)
    places = {rule_id: place for place, rule_id in enumerate(rules)}
    fields = {rule_id: _fields_of(rule, texts.lang) if rule else [] for rule_id, rule in rules.items()}
    strings = Strings()
    changes = changed(report)
    slots = [slots_of(each) for each in told]
    known = [phrases.fields_of(each.verdict) for each in told]
    return {
        "lang": texts.lang,
        "now": seconds(report.generated_on),
        "parcel": PARCEL,
        "texts": {group: texts.table[group] for group in _TEXT_GROUPS},
        "severities": list(Severity),
        "labels": _labels(report, texts),
        "rules": [
            {
                "id": rule_id,
                **(_rule_words(rule, texts.lang) if rule else {**_NO_RULE, "title": rule_id}),
                "fields": fields[rule_id],
                "columns": columns,
            }
            for (rule_id, rule), columns in zip(rules.items(), evidence_columns(report).values(), strict=True)
        ],
        "numbers": {
            "rule": [places[each.verdict.rule_id] for each in told],
            **{name: [column(each) for each in told] for name, column in _NUMBERS.items()},
            "days": [_days(report, each) for each in told],
        },
        "strings": {
            "name": [strings.number(name) for name, _ in slots],
            "key": [strings.number(key) for _, key in slots],
            **{name: [strings.number(column(each)) for each in told] for name, column in _STRINGS.items()},
            "change": [strings.number(changes.get(each.fingerprint, "")) for each in told],
            "ticket": [strings.number(" ".join(ticket.key for ticket in tickets_of(report, each))) for each in told],
            "reach": [strings.number(phrases.reach(texts, each.verdict)) for each in told],
            **{
                name: [strings.around(column(each), own) for each, own in zip(told, slots, strict=True)]
                for name, column in _PATTERNS.items()
            },
            "message": [
                strings.around(_own_message(each, filled, rules[each.verdict.rule_id], texts.lang), own)
                for each, filled, own in zip(told, known, slots, strict=True)
            ],
            "fields": [
                _values(filled, fields[each.verdict.rule_id], strings, own)
                for each, filled, own in zip(told, known, slots, strict=True)
            ],
        },
        **_fingerprints(told),
        **strings.tables(),
    }


_NUMBERS: Mapping[str, Callable[[Finding], Any]] = {
    "severity": lambda each: each.severity.rung,
    "score": lambda each: round(each.score, 1),
    "verified": lambda each: int(each.verified),
    "since": lambda each: seconds(each.verdict.since),
    "first": lambda each: seconds(each.first_seen_on),
    "resources": lambda each: each.verdict.resources,
}
_STRINGS: Mapping[str, Callable[[Finding], str | None]] = {
    "state": lambda each: each.state,
    "audience": lambda each: phrases.standing_of(each.verdict),
    "platform": lambda each: each.verdict.subject.platform,
    "account": lambda each: each.verdict.subject.account,
    "kind": lambda each: each.verdict.subject.kind,
    "owner": lambda each: each.verdict.subject.owner,
    "partner": lambda each: _partner(each.verdict),
    "department": lambda each: _department(each.verdict),
}
_PATTERNS: Mapping[str, Callable[[Finding], str | None]] = {
    "path": lambda each: each.verdict.subject.path,
    "uid": lambda each: each.verdict.subject.uid,
    "origin": ranking.origin,
}
_NO_RULE = {"message": "", "why": "", "steps": [], "cause": "", "confidence": "", "effort": "", "frameworks": []}


def tickets_of(report: Report, finding: Finding) -> Sequence[TicketLink]:
    return report.tickets.get(finding.fingerprint, ())


def slots_of(finding: Finding) -> Slots:
    """What a pattern may leave out of this finding's strings: its name, and its key where that is not the name."""
    subject = finding.verdict.subject
    key = subject.uid.rpartition("/")[2]
    return (subject.name, "" if key == subject.name else key)


def rules_of(report: Report) -> Mapping[str, RuleSummary | None]:
    """The rules by id, also of those that a finding outlived; such a finding speaks for itself."""
    rules: dict[str, RuleSummary | None] = dict.fromkeys(each.verdict.rule_id for each in report.findings)
    rules.update({rule.id: rule for rule in report.rules})
    return rules


def evidence_columns(report: Report) -> Mapping[str, Sequence[str]]:
    """The columns of each rule's evidence, in the order in which they come up."""
    found: dict[str, dict[str, None]] = {rule_id: {} for rule_id in rules_of(report)}
    for finding in report.findings:
        for evidence in finding.verdict.evidence:
            found[finding.verdict.rule_id].update(dict.fromkeys(evidence.row))
    return {rule_id: [name for name in names if name not in _NO_COLUMNS] for rule_id, names in found.items()}


def seconds(moment: datetime | None) -> int | None:
    """Since the epoch, as the page's script counts."""
    return None if moment is None else int(moment.timestamp())


def _rule_words(rule: RuleSummary, lang: str) -> dict[str, Any]:
    words = phrases.words_of(rule, lang)
    return {
        "title": words.title,
        "message": words.message,
        "why": words.why,
        "steps": [[each.text, *each.commands] for each in phrases.steps(words.fix)],
        "cause": rule.cause,
        "confidence": rule.confidence,
        "effort": rule.effort,
        "frameworks": list(rule.frameworks),
    }


def _labels(report: Report, texts: Texts) -> dict[str, dict[str, str]]:
    """The words for the ids that occur. Where one platform fills the page, its own words for audiences are used."""
    subjects = [each.verdict.subject for each in report.findings]
    platforms = dict.fromkeys(each.platform for each in subjects)
    variant = next(iter(platforms)) if len(platforms) == 1 else ""
    audiences = dict.fromkeys(phrases.standing_of(each.verdict) for each in report.findings)
    return {
        "platform": {each: texts.name("platform", each) for each in platforms},
        "kind": {each: texts.name("kind", each) for each in dict.fromkeys(subject.kind for subject in subjects)},
        "change": {each: texts.name("change", each) for each in DIFFERENCE_KINDS},
        "cause": {rule.cause: texts.name("cause", rule.cause) for rule in report.rules},
        "audience": {each: texts.name("audience", each, variant) for each in audiences},
    }


def _fields_of(rule: RuleSummary, lang: str) -> Sequence[str]:
    words = phrases.words_of(rule, lang)
    return phrases.named_in(words.message, words.fix)


def _own_message(finding: Finding, fields: Mapping[str, Any], rule: RuleSummary | None, lang: str) -> str | None:
    """The finding's message, None where the rule's template gives the same."""
    message = phrases.message_of(finding, lang)
    if rule is None:
        return message
    template = phrases.words_of(rule, lang).message
    return None if phrases.fill(template, fields) == message else message


def _values(fields: Mapping[str, Any], names: Sequence[str], strings: Strings, slots: Slots) -> list[int]:
    return [strings.around(phrases.plain(fields[name]) if name in fields else None, slots) for name in names]


def _partner(verdict: Verdict) -> str:
    """Whom outside a finding lets in by name; empty where it is nobody in particular."""
    if verdict.audience not in (Audience.NAMED_EXTERNAL, Audience.EXTERNAL_DOMAIN) or not verdict.evidence:
        return ""
    row = verdict.evidence[0].row
    return next((plain(row[name]) for name in ("partner", "principal_name", "principal_uid") if row.get(name)), "")


def _department(verdict: Verdict) -> str:
    rows = [verdict.subject.detail, *(each.row for each in verdict.evidence[:1])]
    return next((plain(row["department"]) for row in rows if row.get("department")), "")


def _fingerprints(findings: Sequence[Finding]) -> dict[str, Any]:
    """All in one string, each as wide as the widest; packed where they are digests, as ours are.

    They do not compress, and are the heaviest of what every finding has.
    """
    width = max((len(each.fingerprint) for each in findings), default=0)
    told = "".join(each.fingerprint.ljust(width) for each in findings)
    packed = width % 2 == 0 and _DIGESTS.fullmatch(told) is not None
    return {
        "width": width,
        "packed": packed,
        "fingerprints": base64.b64encode(bytes.fromhex(told)).decode() if packed else told,
    }


def _days(report: Report, finding: Finding) -> int | None:
    """Resource-days of exposure; 0 where the ledger has not told, None where the page's script comes to the same."""
    exposure = report.time_open.get(finding.fingerprint)
    if exposure is None:
        return 0
    opened = finding.verdict.since or finding.first_seen_on
    days = (report.generated_on - opened) / timedelta(days=1) * finding.verdict.resources
    return None if abs(exposure.resource_days - days) <= 1 + days / 100 else round(exposure.resource_days)
