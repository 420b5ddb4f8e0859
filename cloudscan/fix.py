"""What one person changes once: findings about one origin and one principal, the strongest first.

A link without a password that is open to anyone and never ends offends three rules and is one thing to do. Rules judge
each by itself; pages, tickets, notices and hand-outs speak of fixes.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from cloudscan.finding import Finding, Severity, Verdict


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """One change, and the findings that it closes."""

    key: str  # permanent: no rule, text or time goes into it
    origin: str  # uid of what is to be changed
    findings: Sequence[Finding]  # the strongest first

    @property
    def lead(self) -> Finding:
        """The finding that speaks for the fix."""
        return self.findings[0]

    @property
    def severity(self) -> Severity:
        """That of the worst finding."""
        return max(finding.severity for finding in self.findings) if len(self.findings) > 1 else self.lead.severity

    @property
    def score(self) -> float:
        """The sum of the findings' scores: the risk that the fix removes."""
        return sum(finding.score for finding in self.findings) if len(self.findings) > 1 else self.lead.score


def fixes(findings: Iterable[Finding]) -> Sequence[Fix]:
    """The findings by the change that fixes them, in the order in which their first one is given."""
    together: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        together[key_of(finding)].append(finding)
    return [
        Fix(key=key, origin=origin_of(group[0]), findings=sorted(group, key=_weakness) if len(group) > 1 else group)
        for key, group in together.items()
    ]


def key_of(finding: Finding) -> str:
    """The permanent name of the fix that a finding belongs to: its origin and its principal.

    A finding that is not about one way in (a setting, an account, several origins) is a fix of its own.
    """
    return key_of_verdict(finding.verdict, finding.fingerprint)


def key_of_verdict(verdict: Verdict, fingerprint: str) -> str:
    """The same for the verdict of the finding with this fingerprint."""
    origins = _only(verdict, "origin_uid")
    if not origins:
        return fingerprint
    parts = "\x1f".join(("fix", verdict.subject.account, origins, _only(verdict, "principal_uid")))
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def origin_of(finding: Finding) -> str:
    """The uid of what has to be changed: the only origin of all its evidence, or else its subject."""
    return _only(finding.verdict, "origin_uid") or finding.verdict.subject.uid or finding.fingerprint


def _only(verdict: Verdict, column: str) -> str:
    """The value that all evidence has in a column; empty if there is none, or more than one."""
    found = ""
    for piece in verdict.evidence:
        if value := piece.row.get(column):
            text = str(value)
            if found and text != found:
                return ""
            found = text
    return found


def _weakness(finding: Finding) -> tuple[int, float, str]:
    return -finding.severity.rung, -finding.score, finding.fingerprint
