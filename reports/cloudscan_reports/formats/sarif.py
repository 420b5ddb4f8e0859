"""The report as SARIF 2.1.0 with errata 01 (OASIS): rules with help, findings as results, gaps as notifications.

Findings are results of kind `fail`, waived ones suppressed, resolved ones of kind `pass`; what could not be evaluated
is of kind `open`. What GitHub's code scanning reads beyond the standard (`security-severity`, a relative artifact URI,
`primaryLocationLineHash`) is there too; see "SARIF support for code scanning" in its documentation.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from cloudscan.facts import Outcome
from cloudscan.finding import Severity, State, Subject, Verdict
from cloudscan.reason import Reason
from cloudscan.report import Report, ReportFormat, RuleSummary, TicketLink
from cloudscan_reports.formats.streamed import Items, Outline, indented
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, load
from cloudscan_wording.visible import carriable, visible
from cloudscan_wording.worded_finding import WordedFinding, iso, not_evaluated, tool, worded_findings
from cloudscan_wording.worded_gap import Standing, WordedGap, worded_gaps

VERSION: Final = "2.1.0"
SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# GitHub's steps: above 9.0 critical, from 7.0 high, from 4.0 medium, from 0.1 low.
_SECURITY_SEVERITY: Final = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
    Severity.INFO: "0.0",
}
_GAP_LEVELS: Final = {
    Outcome.PARTIAL: "warning",
    Outcome.SKIPPED: "note",
    Outcome.NOT_OFFERED: "note",
    Outcome.NOT_JUDGED: "note",
    Outcome.DENIED: "error",
    Outcome.FAILED: "error",
}


_OF_URIS: Final = ":/?#[]@!$&'()*+,;=%"  # reserved, or already encoded


def write(report: Report, lang: str) -> Iterator[bytes]:
    """One log with one run. Texts are in `lang`."""
    report = carriable(report)
    texts = load(lang, report.timezone)
    return indented(Outline({"$schema": SCHEMA, "version": VERSION, "runs": Items([Outline(_run(report, texts))])}))


def _run(report: Report, texts: Texts) -> dict[str, Any]:
    name, version = tool(report)
    return {
        "tool": {
            "driver": {
                "name": visible(name),
                "version": visible(version),
                "language": texts.lang,
                "rules": [_descriptor(rule, texts) for rule in report.rules],
            }
        },
        "automationDetails": {"id": f"cloudscan/{visible(report.scan.id)}"},
        "invocations": [_invocation(report, texts)],
        "results": Items(_results(report, texts)),
        "columnKind": "unicodeCodePoints",
    }


def _descriptor(rule: RuleSummary, texts: Texts) -> dict[str, Any]:
    text = phrases.rule_text(rule, texts.lang)
    return {
        "id": rule.id,
        "name": rule.id,
        "shortDescription": {"text": visible(text.title)},
        "fullDescription": {"text": visible(text.why)},
        "help": {"text": "\n".join(_help(rule, texts))},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "tags": list(dict.fromkeys(("security", rule.cause, *rule.frameworks))),
            "precision": rule.confidence,
            "problem.severity": _LEVELS[rule.severity].replace("note", "recommendation"),
            "security-severity": _SECURITY_SEVERITY[rule.severity],
            "version": rule.version,
            "likelihood": rule.likelihood,
            "effort": rule.effort,
            "passed": rule.passed,
        },
    }


def _help(rule: RuleSummary, texts: Texts) -> Iterator[str]:
    text = phrases.rule_text(rule, texts.lang)
    yield visible(text.why)
    yield ""
    for step in phrases.steps(text.fix):
        yield f"- {visible(step.text)}"
        yield from (f"    {visible(command)}" for command in step.commands)


def _invocation(report: Report, texts: Texts) -> dict[str, Any]:
    return {
        "executionSuccessful": report.complete,
        "startTimeUtc": iso(report.scan.started_on),
        "endTimeUtc": iso(report.scan.finished_on),
        "toolExecutionNotifications": [_notification(gap, texts) for gap in worded_gaps(report, texts)],
    }


def _notification(gap: WordedGap, texts: Texts) -> dict[str, Any]:
    row, colon = gap.row, texts.say("list.colon")
    what = colon.join((row.scope_name or row.scope_uid, gap.asked, gap.why))
    needs = f"{texts.say('unseen.needs')}{colon}{row.needs}" if row.needs else ""
    known = {
        "question": row.question,
        "reason": gap.code if isinstance(row.reason, Reason) else "",
        "gap": row.gap,
        "since": gap.since and iso(gap.since),
        "needs": row.needs,
    }
    return {
        "level": _GAP_LEVELS[row.outcome] if gap.standing is not Standing.WAIVED else "note",
        "message": {"text": message_text(texts.say("list.stop").join(filter(None, (what, gap.advice, needs))))},
        "locations": [{"logicalLocations": [{"fullyQualifiedName": visible(row.resource_uid or row.scope_uid)}]}],
        "properties": {
            "account": row.account,
            "platform": row.platform,
            "table": row.table,
            "outcome": row.outcome,
            "standing": gap.standing,
            **{name: value for name, value in known.items() if value},
        },
    }


def _results(report: Report, texts: Texts) -> Iterator[dict[str, Any]]:
    rule_index = {rule.id: index for index, rule in enumerate(report.rules)}
    for worded in worded_findings(report, texts.lang):
        yield _result(worded, rule_index)
    for verdict in report.unknowns:
        if verdict.rule_id in rule_index:
            rule = report.rules[rule_index[verdict.rule_id]]
            yield {
                **_common(verdict, verdict.fingerprint, rule_index),
                "kind": "open",
                "level": "none",
                "message": {"text": message_text(not_evaluated(rule, texts))},
                "suppressions": [],
            }


def _result(worded: WordedFinding, rule_index: Mapping[str, int]) -> dict[str, Any]:
    finding = worded.finding
    resolved = finding.state is State.RESOLVED
    return {
        **_common(worded.verdict, finding.fingerprint, rule_index),
        "kind": "pass" if resolved else "fail",
        "level": "none" if resolved else _LEVELS[finding.severity],
        "message": {"text": message_text(worded.message or worded.title)},
        "rank": min(max(finding.score, 0.0), 100.0),
        "occurrenceCount": max(worded.verdict.rows, 1),
        "suppressions": [{"kind": "external", "status": "accepted"}] if finding.state is State.WAIVED else [],
        **_work_items(worded.tickets),
        "provenance": {
            "firstDetectionTimeUtc": iso(finding.first_seen_on),
            "lastDetectionTimeUtc": iso(finding.last_seen_on),
        },
        "properties": {
            "security-severity": _SECURITY_SEVERITY[finding.severity],
            "state": finding.state,
            **({"change": worded.change} if worded.change else {}),
            "verified": finding.verified,
            "score": finding.score,
            "likelihood": finding.likelihood,
            "impact": finding.impact,
            **_facts(worded.verdict),
        },
    }


def _work_items(tickets: Sequence[TicketLink]) -> dict[str, Any]:
    addresses = [quote(ticket.url, safe=_OF_URIS) for ticket in tickets if ticket.url.startswith("https://")]
    return {"workItemUris": list(dict.fromkeys(addresses))} if addresses else {}


def _common(verdict: Verdict, fingerprint: str, rule_index: Mapping[str, int]) -> dict[str, Any]:
    rule = {"ruleIndex": rule_index[verdict.rule_id]} if verdict.rule_id in rule_index else {}
    return {
        "ruleId": verdict.rule_id,
        **rule,
        "partialFingerprints": {"cloudscan/v1": fingerprint, "primaryLocationLineHash": fingerprint},
        "locations": [_location(verdict.subject)],
    }


def _location(subject: Subject) -> dict[str, Any]:
    """The location in the estate. Code scanning rejects results without an artifact, so the id is given as one too."""
    return {
        "physicalLocation": {"artifactLocation": {"uri": relative_uri(subject.uid or subject.name or "unknown")}},
        "logicalLocations": [
            {
                "name": visible(subject.name or subject.uid),
                "fullyQualifiedName": visible(subject.uid),
                "kind": visible(subject.kind) or "resource",
                "properties": {"account": subject.account, "platform": subject.platform, "url": subject.url},
            }
        ],
    }


def _facts(verdict: Verdict) -> dict[str, Any]:
    properties = {
        "audience": verdict.audience,
        "access": verdict.access,
        "resources": verdict.resources,
        "bytes": verdict.bytes,
        "people": verdict.people,
        "owner": verdict.subject.owner,
        "since": verdict.since and iso(verdict.since),
    }
    return {name: value for name, value in properties.items() if value not in (None, "")}


def message_text(text: str) -> str:
    """The text as a message string (3.11.5, 3.11.6): braces doubled, and nothing that could be an embedded link."""
    return visible(text).replace("{", "{{").replace("}", "}}").replace("](", "] (")


def relative_uri(uid: str) -> str:
    """A uid as a relative reference (RFC 3986) that stays within the folder in which it is resolved."""
    path = quote(uid.replace(":", "/", 1), safe="/")
    return path if all(segment.strip(".") for segment in path.split("/")) else quote(uid, safe="")


SARIF = ReportFormat(name="sarif", title="SARIF 2.1.0", suffix=".sarif", write=write)
