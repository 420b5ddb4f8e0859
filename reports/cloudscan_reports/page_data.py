"""The findings as the page carries them: columns instead of records, every string once, a rule's texts once per rule.

100,000 findings have to fit into ten megabytes. So a message is kept only where the rule's template and the finding's
fields do not give it, and a large table is compressed.
"""

import base64
import gzip
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from cloudscan.facts import Audience
from cloudscan.finding import Evidence, Finding, Severity, Verdict
from cloudscan.report import Event, Report, RuleSummary
from cloudscan_reports import phrases, ranking
from cloudscan_reports.phrases import plain
from cloudscan_reports.texts import Texts

_TEXT_GROUPS = ("tools", "via", "event", "findings", "finding", "time", "severity", "state", "level", "list")
_NO_COLUMNS = {"flagged"}
# Below this the page stays greppable; above it the browser decompresses faster than it would read.
_COMPRESS_FROM = 1_000_000
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


class Pool:
    """Strings by number, each kept once. None is -1."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def add(self, text: str | None) -> int:
        return -1 if text is None else self._numbers.setdefault(text, len(self._numbers))

    def strings(self) -> list[str]:
        return list(self._numbers)


def embedded(report: Report, texts: Texts) -> tuple[str, str]:
    """The content of the page's data element and its media type; nothing in it can close the element."""
    plain = msgspec.json.encode(page_data(report, texts))
    if len(plain) < _COMPRESS_FROM:
        return plain.decode().translate(_ESCAPES), "application/json"
    return base64.b64encode(gzip.compress(plain, 6, mtime=0)).decode(), "application/gzip"


def page_data(report: Report, texts: Texts) -> dict[str, Any]:
    """Everything that the page's script needs, ready for JSON."""
    told = report.findings
    # A finding may outlive its rule; it then speaks for itself.
    rules: dict[str, RuleSummary | None] = dict.fromkeys(each.verdict.rule_id for each in told)
    rules.update({rule.id: rule for rule in report.rules})
    places = {rule_id: place for place, rule_id in enumerate(rules)}
    pool = Pool()
    columns = _columns(told, rules)
    named = {rule_id: _fields_of(rule, texts.lang) if rule else [] for rule_id, rule in rules.items()}
    fields = [(each, phrases.fields_of(each.verdict)) for each in told]
    happened: dict[str, list[Event]] = {}
    for event in report.events:
        happened.setdefault(event.fingerprint, []).append(event)
    return {
        "lang": texts.lang,
        "now": _seconds(report.generated_on),
        "texts": {group: texts.table[group] for group in _TEXT_GROUPS},
        "severities": list(Severity),
        "labels": _labels(report, texts),
        "rules": [
            {
                "id": rule_id,
                **(_rule_words(rule, texts.lang) if rule else {**_NO_RULE, "title": rule_id}),
                "fields": named[rule_id],
                "columns": columns[rule_id],
            }
            for rule_id, rule in rules.items()
        ],
        "findings": {
            "rule": [places[each.verdict.rule_id] for each in told],
            **{name: [column(each) for each in told] for name, column in _COLUMNS.items()},
            **{name: [pool.add(column(each)) for each in told] for name, column in _POOLED.items()},
            "days": [_days(report, each) for each in told],
            "events": [_events(each, happened.get(each.fingerprint, ()), pool) for each in told],
            "reach": [pool.add(phrases.reach(texts, each.verdict)) for each in told],
            "accepted": [pool.add(phrases.accepted(texts, each)) for each in told],
            "message": [
                pool.add(_own_message(each, known, rules[each.verdict.rule_id], texts.lang)) for each, known in fields
            ],
            "fields": [_values(known, named[each.verdict.rule_id], pool) for each, known in fields],
            "evidence": [
                [_evidence(row, columns[each.verdict.rule_id], texts.lang, pool) for row in each.verdict.evidence]
                for each in told
            ],
        },
        "pool": pool.strings(),
    }


_COLUMNS: Mapping[str, Callable[[Finding], Any]] = {
    "severity": lambda each: each.severity.rung,
    "score": lambda each: round(each.score, 1),
    "likelihood": lambda each: each.likelihood,
    "impact": lambda each: round(each.impact, 1),
    "verified": lambda each: int(each.verified),
    "since": lambda each: _seconds(each.verdict.since),
    "first": lambda each: _seconds(each.first_seen_on),
    "last": lambda each: _seconds(each.last_seen_on),
    "resources": lambda each: each.verdict.resources,
    "people": lambda each: each.verdict.people,
    "rank": lambda each: each.verdict.rank,
    "rows": lambda each: each.verdict.rows,
    "fingerprint": lambda each: each.fingerprint,
}
_POOLED: Mapping[str, Callable[[Finding], str | None]] = {
    "state": lambda each: each.state,
    "audience": lambda each: phrases.standing_of(each.verdict),
    "platform": lambda each: each.verdict.subject.platform,
    "account": lambda each: each.verdict.subject.account,
    "kind": lambda each: each.verdict.subject.kind,
    "name": lambda each: each.verdict.subject.name,
    "path": lambda each: each.verdict.subject.path,
    "url": lambda each: each.verdict.subject.url,
    "owner": lambda each: each.verdict.subject.owner,
    "uid": lambda each: each.verdict.subject.uid,
    "origin": ranking.origin,
    "partner": lambda each: _partner(each.verdict),
    "department": lambda each: _department(each.verdict),
    "size": lambda each: None if each.verdict.bytes is None else phrases.size(each.verdict.bytes),
}


_NO_RULE = {"message": "", "why": "", "steps": [], "cause": "", "confidence": "", "effort": "", "frameworks": []}


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
        "kind": {each.kind: texts.name("kind", each.kind) for each in subjects},
        "cause": {rule.cause: texts.name("cause", rule.cause) for rule in report.rules},
        "audience": {each: texts.name("audience", each, variant) for each in audiences},
    }


def _fields_of(rule: RuleSummary, lang: str) -> Sequence[str]:
    words = phrases.words_of(rule, lang)
    return phrases.named_in(words.message, words.fix)


def _columns(findings: Sequence[Finding], rules: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """The columns of each rule's evidence, in the order in which they come up."""
    found: dict[str, dict[str, None]] = {rule_id: {} for rule_id in rules}
    for finding in findings:
        for evidence in finding.verdict.evidence:
            found[finding.verdict.rule_id].update(dict.fromkeys(evidence.row))
    return {rule_id: [name for name in names if name not in _NO_COLUMNS] for rule_id, names in found.items()}


def _own_message(finding: Finding, fields: Mapping[str, Any], rule: RuleSummary | None, lang: str) -> str | None:
    """The finding's message, None where the rule's template gives the same."""
    message = phrases.message_of(finding, lang)
    if rule is None:
        return message
    template = phrases.words_of(rule, lang).message
    return None if phrases.fill(template, fields) == message else message


def _values(fields: Mapping[str, Any], names: Sequence[str], pool: Pool) -> list[int]:
    return [pool.add(phrases.plain(fields[name]) if name in fields else None) for name in names]


def _evidence(evidence: Evidence, columns: Sequence[str], lang: str, pool: Pool) -> list[Any]:
    """First the chain, then a value per column."""
    values = (evidence.row.get(name) for name in columns)
    return [
        [pool.add(sentence) for sentence in phrases.chain_of(evidence.chain, lang)],
        *(pool.add(None if value is None else phrases.plain(value)) for value in values),
    ]


def _partner(verdict: Verdict) -> str:
    """Whom outside a finding lets in by name; empty where it is nobody in particular."""
    if verdict.audience not in (Audience.NAMED_EXTERNAL, Audience.EXTERNAL_DOMAIN) or not verdict.evidence:
        return ""
    row = verdict.evidence[0].row
    return next((plain(row[name]) for name in ("partner", "principal_name", "principal_uid") if row.get(name)), "")


def _department(verdict: Verdict) -> str:
    rows = [verdict.subject.detail, *(each.row for each in verdict.evidence[:1])]
    return next((plain(row["department"]) for row in rows if row.get("department")), "")


def _days(report: Report, finding: Finding) -> int:
    """Resource-days of exposure; 0 where the ledger has not told."""
    exposure = report.exposure.get(finding.fingerprint)
    return round(exposure.resource_days) if exposure else 0


def _events(finding: Finding, events: Sequence[Event], pool: Pool) -> list[list[int]]:
    """What befell a finding, as moments and kinds. That it was once opened stands in `first` already."""
    if len(events) == 1 and events[0].kind == "opened" and events[0].on == finding.first_seen_on:
        return []
    return [[int(each.on.timestamp()), pool.add(each.kind), pool.add(each.reason)] for each in events]


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())
