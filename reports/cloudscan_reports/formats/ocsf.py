"""The findings as events of the Open Cybersecurity Schema Framework 1.8.0, one JSON line per finding.

A finding of a rule that is mapped to a framework's control is a Compliance Finding (class 2003), any other a Detection
Finding (class 2004), both with the profile `cloud`, and with `incident` if there is a ticket. What OCSF has no
attribute for is under `unmapped`.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from cloudscan.finding import Confidence, Finding, Severity, State, Subject
from cloudscan.report import Report, ReportFormat, TicketLink
from cloudscan.text import openable
from cloudscan_reports.formats.streamed import json_lines
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, load
from cloudscan_wording.visible import carriable, visible
from cloudscan_wording.worded_finding import WordedFinding, tool, worded_findings

VERSION: Final = "1.8.0"
COMPLIANCE: Final = 2003
DETECTION: Final = 2004
_CLASSES: Final = {COMPLIANCE: "Compliance Finding", DETECTION: "Detection Finding"}
_ACTIVITIES: Final = {1: "Create", 2: "Update", 3: "Close"}
_SEVERITIES: Final = {
    Severity.INFO: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
_CONFIDENCES: Final = {Confidence.LOW: (1, "Low"), Confidence.MEDIUM: (2, "Medium"), Confidence.HIGH: (3, "High")}
_STATES: Final = {
    State.OPEN: (1, "New"),
    State.REOPENED: (1, "New"),
    State.WAIVED: (3, "Suppressed"),
    State.RESOLVED: (4, "Resolved"),
}
# By whether the ticket is open. The standard's other values say more about an open ticket than is known here.
_TICKETS: Final = {True: (99, "Open"), False: (6, "Closed")}
# By platform: the cloud provider, and the type of its accounts.
_CLOUDS: Final = {
    "s3": ("AWS", 10, "AWS Account"),
    "gdrive": ("Google", 15, "Google Workspace"),
    "m365": ("Microsoft", 17, "M365 Tenant"),
}
# The type `email_t` of the dictionary.
_MAIL: Final = re.compile(r"[a-zA-Z0-9!#$%&'*+\-/=?^_`{|}~.]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9\-.]+")


def write(report: Report, lang: str) -> Iterator[bytes]:
    """One line per finding, most urgent first; empty if there is none. Texts are in `lang`."""
    report = carriable(report)
    texts = load(lang, report.timezone)
    return json_lines(_event(worded, report, texts) for worded in worded_findings(report, texts.lang))


def _event(worded: WordedFinding, report: Report, texts: Texts) -> dict[str, Any]:
    finding, subject = worded.finding, worded.verdict.subject
    class_uid = COMPLIANCE if worded.frameworks else DETECTION
    activity = _activity(finding, report)
    severity_id, severity = _SEVERITIES[finding.severity]
    status_id, status = _STATES[finding.state]
    confidence = _CONFIDENCES[worded.rule.confidence] if worded.rule else (0, "Unknown")
    tickets = [_ticket(ticket, texts) for ticket in worded.tickets if ticket.key or openable(ticket.url)]
    return _kept(
        {
            "activity_id": activity,
            "activity_name": _ACTIVITIES[activity],
            "category_uid": 2,
            "category_name": "Findings",
            "class_uid": class_uid,
            "class_name": _CLASSES[class_uid],
            "type_uid": class_uid * 100 + activity,
            "type_name": f"{_CLASSES[class_uid]}: {_ACTIVITIES[activity]}",
            "time": _milliseconds(finding.last_seen_on),
            "severity_id": severity_id,
            "severity": severity,
            "status_id": status_id,
            "status": status,
            "status_detail": "" if finding.verified else texts.say("finding.unverified"),
            "confidence_id": confidence[0],
            "confidence": confidence[1],
            "message": visible(worded.message),
            "count": max(worded.verdict.rows, 1),
            "metadata": _metadata(report, texts, ticketed=bool(tickets)),
            "finding_info": _info(worded),
            "compliance": _compliance(worded) if class_uid == COMPLIANCE else None,
            "is_alert": finding.state in (State.OPEN, State.REOPENED) if class_uid == DETECTION else None,
            "remediation": {"desc": _lines(worded.fix)} if worded.fix else None,
            "cloud": _cloud(subject),
            "resources": [_resource(subject, finding)],
            "observables": [{"name": "resources.uid", "type_id": 10, "type": "Resource UID", "value": subject.uid}],
            "evidences": [{"data": evidence.row} for evidence in worded.verdict.evidence if evidence.row],
            "tickets": tickets,
            "unmapped": _unmapped(worded, texts),
        }
    )


def _activity(finding: Finding, report: Report) -> int:
    if finding.state is State.RESOLVED:
        return 3
    return 1 if finding.first_seen_on >= report.scan.started_on else 2


def _metadata(report: Report, texts: Texts, *, ticketed: bool) -> dict[str, Any]:
    name, version = tool(report)
    return {
        "version": VERSION,
        "profiles": ["cloud", "incident"] if ticketed else ["cloud"],
        "product": _kept({"name": name, "version": version, "vendor_name": "cloudscan", "lang": texts.lang}),
        "correlation_uid": report.scan.id,
        "logged_time": _milliseconds(report.generated_on),
        "log_name": "cloudscan",
    }


def _ticket(ticket: TicketLink, texts: Texts) -> dict[str, Any]:
    status_id, status = _TICKETS[ticket.open]
    return _kept(
        {
            "uid": visible(ticket.key),
            "src_url": openable(ticket.url),
            "status_id": status_id,
            "status": status,
            "status_details": [phrases.ticket_state(texts, ticket)],
        }
    )


def _info(worded: WordedFinding) -> dict[str, Any]:
    finding = worded.finding
    return _kept(
        {
            "uid": finding.fingerprint,
            "title": visible(worded.title),
            "desc": visible(worded.why),
            "types": [worded.cause] if worded.cause else None,
            "created_time": _milliseconds(finding.first_seen_on),
            "first_seen_time": _milliseconds(worded.verdict.since or finding.first_seen_on),
            "last_seen_time": _milliseconds(finding.last_seen_on),
            "data_sources": [worded.verdict.subject.platform],
            "analytic": _kept(
                {
                    "type_id": 1,
                    "type": "Rule",
                    "uid": worded.verdict.rule_id,
                    "name": visible(worded.title),
                    "version": worded.rule.version if worded.rule else "",
                    "category": worded.cause,
                }
            ),
        }
    )


def _compliance(worded: WordedFinding) -> dict[str, Any]:
    failed = worded.finding.state is not State.RESOLVED
    return {
        "standards": list(dict.fromkeys(name.partition("#")[0] for name in worded.frameworks)),
        "control": worded.frameworks[0].partition("#")[2] or worded.frameworks[0],
        "requirements": list(worded.frameworks),
        "status_id": 3 if failed else 1,
        "status": "Fail" if failed else "Pass",
    }


def _cloud(subject: Subject) -> dict[str, Any]:
    provider, type_id, type_ = _CLOUDS.get(subject.platform, (subject.platform or "Unknown", 99, "Other"))
    account = {"uid": subject.account, "type_id": type_id, "type": type_} if subject.account else None
    return _kept({"provider": provider, "region": _region(subject), "account": account})


def _resource(subject: Subject, finding: Finding) -> dict[str, Any]:
    owner = {"name": subject.owner, "email_addr": subject.owner if _MAIL.fullmatch(subject.owner) else ""}
    return _kept(
        {
            "uid": subject.uid or finding.fingerprint,
            "name": subject.name,
            "type": subject.kind,
            "namespace": subject.account,
            "region": _region(subject),
            "owner": _kept(owner) if subject.owner else None,
            "role_id": 3,
            "data": {**subject.detail, **_kept({"path": subject.path, "url": subject.url})} or None,
        }
    )


def _region(subject: Subject) -> str:
    region = subject.detail.get("region")
    return region if isinstance(region, str) else ""


def _unmapped(worded: WordedFinding, texts: Texts) -> dict[str, Any]:
    finding, verdict = worded.finding, worded.verdict
    chain = next((phrases.chain_of(row.chain, texts.lang) for row in verdict.evidence if row.chain), ())
    return _kept(
        {
            "state": finding.state,
            "change": worded.change or None,
            "verified": finding.verified,
            "score": finding.score,
            "likelihood": finding.likelihood,
            "impact": finding.impact,
            "audience": verdict.audience,
            "access": verdict.access,
            "reach": visible(phrases.reach(texts, verdict)),
            "chain": [visible(sentence) for sentence in chain],
            "resources": verdict.resources,
            "bytes": verdict.bytes,
            "people": verdict.people,
            "rank": verdict.rank,
        }
    )


def _lines(text: str) -> str:
    return "\n".join(visible(line) for line in text.split("\n"))


def _milliseconds(moment: datetime) -> int:
    """The type `timestamp_t`: milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def _kept(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None and value not in ("", [])}


OCSF = ReportFormat(name="ocsf", title="OCSF 1.8.0", suffix=".ocsf.ndjson", write=write)
