"""The marker line at the end of a ticket. It identifies the ticket, and says what was last written without a ledger.

    cloudscan:1 <marker> digest=<digest> commented=2026-11-23 severity=high resources=3 …

One line of characters that no markup changes; values are percent-encoded.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import date
from typing import Final
from urllib.parse import quote, unquote

import msgspec

from cloudscan.facts import Access, Audience
from cloudscan.finding import Severity
from cloudscan.fix import fixes
from cloudscan.reach import Reach, widened
from cloudscan.tracker import TicketSubject

_LINE: Final = re.compile(r"cloudscan:1 ([0-9a-f]{16,64})((?: [a-z]+=[A-Za-z0-9%.,~-]*)*)")
_OLD_NAMES: Final = {"said": "digest", "told": "commented"}  # in tickets of earlier versions
_MOST_NAMES: Final = 1500  # characters of rules, accounts or findings
_BEGINNING: Final = 16
_SEVERITIES: Final = frozenset(Severity)
_AUDIENCES: Final = frozenset(Audience)
_ACCESSES: Final = frozenset(Access)
_SCAN: Final = 12


class MarkerLine(msgspec.Struct, frozen=True, kw_only=True):
    """What the line says."""

    marker: str
    digest: str = ""  # of title, body, labels and due date as last written
    commented_on: date | None = None  # when the ticket was created or last commented
    findings: int = 1
    severity: Severity | None = None
    audience: Audience | None = None
    access: Access | None = None
    resources: int = 1
    rules: Sequence[str] = ()
    accounts: Sequence[str] = ()
    of: Sequence[str] = ()  # the findings, by the beginnings of their fingerprints; empty: too many
    by: str = ""  # the beginning of the id of the scan after which it was written
    after: str = ""  # the ticket that this one continues


def beginning(fingerprint: str) -> str:
    """A fingerprint as it is in the line."""
    return fingerprint[:_BEGINNING]


def marker_line_of(subject: TicketSubject, digest: str, commented_on: date, scan_id: str) -> MarkerLine:
    """The marker line of a ticket about a subject, written after a scan."""
    verdicts = [finding.verdict for finding in subject.findings]
    return MarkerLine(
        marker=subject.marker,
        digest=digest,
        commented_on=commented_on,
        findings=len(verdicts),
        severity=subject.severity,
        audience=max((verdict.audience for verdict in verdicts if verdict.audience), default=None),
        access=max((verdict.access for verdict in verdicts if verdict.access), default=None),
        # The findings of one fix are about the same resources.
        resources=sum(max(finding.verdict.resources for finding in fix.findings) for fix in fixes(subject.findings)),
        rules=sorted({verdict.rule_id for verdict in verdicts}),
        accounts=sorted({verdict.subject.account for verdict in verdicts}),
        of=sorted(beginning(finding.fingerprint) for finding in subject.findings),
        by=scan_id[:_SCAN],
        after=subject.predecessor,
    )


def text_digest(*parts: str) -> str:
    """A short hash of what was written: 16 hexadecimal digits."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def fitting(content: MarkerLine, most: int) -> str:
    """The marker line as text, without the longest lists if it has more characters: they read as "unknown" then."""
    text = line(content)
    for name in ("of", "accounts", "rules"):
        if len(text) <= most:
            break
        content = msgspec.structs.replace(content, **{name: ()})
        text = line(content)
    return text


def line(content: MarkerLine) -> str:
    """The marker line as text."""
    values = {
        "digest": content.digest,
        "commented": content.commented_on.isoformat() if content.commented_on else "",
        "findings": str(content.findings),
        "severity": content.severity or "",
        "audience": (content.audience or "").replace("_", "-"),
        "access": content.access or "",
        "resources": str(content.resources),
        "rules": _joined(content.rules),
        "accounts": _joined(content.accounts),
        "of": _joined(content.of),
        "by": _quoted(content.by),
        "after": _quoted(content.after),
    }
    return f"cloudscan:1 {content.marker}" + "".join(f" {name}={value}" for name, value in values.items() if value)


def read(body: str) -> MarkerLine | None:
    """The last marker line in a text; None if there is none. Garbled values are left out."""
    lines = list(_LINE.finditer(body))
    if not lines:
        return None
    last = lines[-1]
    pairs = (pair.split("=", 1) for pair in last[2].split())
    values = {_OLD_NAMES.get(name, name): value for name, value in pairs}
    values["audience"] = values.get("audience", "").replace("-", "_")
    return MarkerLine(
        marker=last[1],
        digest=values.get("digest", ""),
        commented_on=_date(values.get("commented", "")),
        findings=_number(values.get("findings", "")),
        severity=Severity(values["severity"]) if values.get("severity") in _SEVERITIES else None,
        audience=Audience(values["audience"]) if values["audience"] in _AUDIENCES else None,
        access=Access(values["access"]) if values.get("access") in _ACCESSES else None,
        resources=_number(values.get("resources", "")),
        rules=_parted(values.get("rules", "")),
        accounts=_parted(values.get("accounts", "")),
        of=_parted(values.get("of", "")),
        by=unquote(values.get("by", "")),
        after=unquote(values.get("after", "")),
    )


def widened_since(before: MarkerLine, now: MarkerLine) -> list[str]:
    """What is worse now than when the ticket was last written: severity, findings, and the words of `Reach`."""
    reach = widened(
        Reach(audience=before.audience, access=before.access, resources=before.resources),
        Reach(audience=now.audience, access=now.access, resources=now.resources),
    )
    severer = before.severity is not None and now.severity is not None and now.severity > before.severity
    return [*(["severity"] if severer else []), *(["findings"] if now.findings > before.findings else []), *reach]


def _joined(names: Sequence[str]) -> str:
    """Names with commas between; empty if they are too many, which reads as "unknown"."""
    text = ",".join(map(_quoted, names))
    return text if len(text) <= _MOST_NAMES else ""


def _quoted(name: str) -> str:
    return quote(name, safe="").replace("_", "%5F")


def _parted(text: str) -> Sequence[str]:
    return tuple(unquote(name) for name in text.split(",")) if text else ()


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 1
