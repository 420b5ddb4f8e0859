"""The line at the end of a ticket by which it is found again, and what was said in it is known without a ledger.

    cloudscan:1 <marker> said=<digest> told=2026-11-23 severity=high resources=3 …

One line of letters that no markup changes; values are percent-encoded.
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
from cloudscan.reach import Reach, widened
from cloudscan.tracker import TicketSubject

_LINE: Final = re.compile(r"cloudscan:1 ([0-9a-f]{16,64})((?: [a-z]+=[A-Za-z0-9%.,~-]*)*)")
_MOST_NAMES: Final = 1500  # characters of rules or accounts


class MarkerLine(msgspec.Struct, frozen=True, kw_only=True):
    """What the line says."""

    marker: str
    said: str = ""  # digest of title, body, labels and due day as last written
    told: date | None = None  # when the ticket's reader last heard something
    findings: int = 1
    severity: Severity | None = None
    audience: Audience | None = None
    access: Access | None = None
    resources: int = 1
    rules: Sequence[str] = ()
    accounts: Sequence[str] = ()


def marker_line_of(matter: TicketSubject, said: str, told: date) -> MarkerLine:
    """The stamp of a ticket about a matter."""
    verdicts = [each.verdict for each in matter.findings]
    return MarkerLine(
        marker=matter.marker,
        said=said,
        told=told,
        findings=len(verdicts),
        severity=matter.severity,
        audience=max((each.audience for each in verdicts if each.audience), default=None),
        access=max((each.access for each in verdicts if each.access), default=None),
        resources=sum(each.resources for each in verdicts),
        rules=sorted({each.rule_id for each in verdicts}),
        accounts=sorted({each.subject.account for each in verdicts}),
    )


def digest(*parts: str) -> str:
    """A short name for what was written."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def line(stamp: MarkerLine) -> str:
    """The stamp as a line."""
    values = {
        "said": stamp.said,
        "told": stamp.told.isoformat() if stamp.told else "",
        "findings": str(stamp.findings),
        "severity": stamp.severity or "",
        "audience": (stamp.audience or "").replace("_", "-"),
        "access": stamp.access or "",
        "resources": str(stamp.resources),
        "rules": _joined(stamp.rules),
        "accounts": _joined(stamp.accounts),
    }
    return f"cloudscan:1 {stamp.marker}" + "".join(f" {name}={value}" for name, value in values.items() if value)


def read(body: str) -> MarkerLine | None:
    """The last stamp in a text; None where there is none. What a person has garbled in it is left out."""
    lines = list(_LINE.finditer(body))
    if not lines:
        return None
    found = lines[-1]
    values = dict(pair.split("=", 1) for pair in found[2].split())
    values["audience"] = values.get("audience", "").replace("-", "_")
    return MarkerLine(
        marker=found[1],
        said=values.get("said", ""),
        told=_day(values.get("told", "")),
        findings=_number(values.get("findings", "")),
        severity=Severity(values["severity"]) if values.get("severity") in set(Severity) else None,
        audience=Audience(values["audience"]) if values["audience"] in set(Audience) else None,
        access=Access(values["access"]) if values.get("access") in set(Access) else None,
        resources=_number(values.get("resources", "")),
        rules=_parted(values.get("rules", "")),
        accounts=_parted(values.get("accounts", "")),
    )


def more(before: MarkerLine, now: MarkerLine) -> list[str]:
    """What is worse now than when the ticket was last written."""
    reach = widened(
        Reach(audience=before.audience, access=before.access, resources=before.resources),
        Reach(audience=now.audience, access=now.access, resources=now.resources),
    )
    severer = before.severity is not None and now.severity is not None and now.severity > before.severity
    return [*(["severity"] if severer else []), *(["findings"] if now.findings > before.findings else []), *reach]


def _joined(names: Sequence[str]) -> str:
    """Names with commas between; empty where they are too many, which reads as: not known."""
    text = ",".join(quote(name, safe="").replace("_", "%5F") for name in names)
    return text if len(text) <= _MOST_NAMES else ""


def _parted(text: str) -> Sequence[str]:
    return tuple(unquote(name) for name in text.split(",")) if text else ()


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 1
