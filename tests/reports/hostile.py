"""Names as strangers choose them, and reports that are full of them."""

from datetime import timedelta

import msgspec

from cloudscan.facts import Hidden
from cloudscan.finding import Evidence, Finding, Party, PartyKind, PolicyEntry
from cloudscan.framework import ControlResult, ControlStanding, FrameworkResult
from cloudscan.reason import Reason
from cloudscan.report import Diff, Difference, DifferenceKind, GapStatus, Report, Scan, TicketLink
from tests.reports.synthetic import NOW

NAMES = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "<!--<script>",
    "--><img src=x onerror=alert(3)>",
    "\"'><svg onload=alert(4)>",
    "' onmouseover=alert(5) x='",
    "{{ 7 * 7 }} {% raw %} {resource_uid}",
    "${alert(6)}`alert(7)`",
    "javascript:alert(8)",
    "]]>&lt;b&gt;&amp;",
    "invoice\u202egpj.exe",
    "\u2066isolated\u2069 \u200bzero\ufeff",
    "line\u2028separator\u2029end",
    "\x1b[31mred\x1b[0m\x07\x00\x08",
    "\x9b31mc1\x85",
    "tab\tnew\nline\rreturn",
    "half \ud800 pair \udfff",
    "\U000e0041\U000e007f tags",
    "x" * 10_000,
    "שלום עולם",
    "$(touch /tmp/owned); rm -rf ~ #",
    "=cmd|'/c calc'!A1",
    "../../etc/passwd%0d%0a",
    "Z̸̢̛a̷l̶g̵o̴" + "\u0301" * 40,
    "",
)


def drenched(report: Report, name: str) -> Report:
    """The report with one name in every place that a stranger, a platform or a third party's rule can write to."""
    replace = msgspec.structs.replace
    text = {
        lang: replace(rule_text, title=name, message=name, why=name, fix=f"{name}\n`run {{constructor}} {{name}}`")
        for lang, rule_text in report.rules[0].text.items()
    }
    return replace(
        report,
        organisation=name,
        tool=name,
        scan=replace(report.scan, id=name, resources={name: 1}),
        rules=[replace(rule, text=text, cause=name, frameworks=(name,)) for rule in report.rules],
        findings=[_drenched(finding, name) for finding in report.findings],
        unknowns=[replace(verdict, subject=replace(verdict.subject, name=name)) for verdict in report.unknowns],
        tickets={
            finding.fingerprint: [TicketLink(tracker=name, key=name, url=f"https://{name}", open=True, as_of=NOW)]
            for finding in report.findings
        },
        changes=_changed(name),
        coverage=[
            replace(
                row,
                scope_name=name,
                account=name,
                table=name,
                question=name,
                reason=name if index % 2 else _reason(name),
                needs=name,
                gap=name,
                hides=(Hidden(table=name, kinds=(name,)), Hidden(table=name, columns=(name,))),
            )
            for index, row in enumerate(report.coverage)
        ],
        gaps={name: GapStatus(first_seen_on=NOW, new=True)},
        frameworks=[FrameworkResult(id=name, title=name, url=f"https://{name}", controls=[_control(name)])],
    )


def _control(name: str) -> ControlResult:
    return ControlResult(id=name, title=name, standing=ControlStanding.FLAGGED, flagged=1)


def _reason(name: str) -> Reason:
    """A reason with words, a value and a quote; or one whose code no catalogue has."""
    return Reason(code="no-answer" if len(name) % 2 else name, values={"host": name}, quote=name)


def _changed(name: str) -> Diff:
    scans = [Scan(id=name, started_on=NOW - timedelta(days=days), complete=True) for days in (1, 0)]
    gone = Difference(
        kind=DifferenceKind.RESOLVED,
        fingerprint=name,
        rule_id=name,
        platform=name,
        account=name,
        uid=name,
        name=name,
        severity=None,
        before=None,
        now=None,
    )
    return Diff(old=scans[0], new=scans[1], counts={"resolved": 1}, differences=[gone])


def _drenched(finding: Finding, name: str) -> Finding:
    replace = msgspec.structs.replace
    subject = replace(
        finding.verdict.subject,
        account=name,
        kind=name,
        path=name,
        url=f"https://{name}",
        owner=name,
        detail={name: name},
    )
    row = {name: name, "nested": {name: [name]}, "blocked_by": name}
    evidence = Evidence(
        row=row,
        chain=(_reason(name), Reason(code=name, values={name: name})),
        entry=PolicyEntry(kind=name, number=1, name=name, text=name, whole=False),
        party=Party(name=name, kind=PartyKind.UNLISTED),
    )
    older = Evidence(row=row, chain={"en": (name,), "ja": (name,)})
    verdict = replace(finding.verdict, subject=subject, evidence=(evidence, older), rows=2)
    waiver = replace(finding.waiver, owner=name, reason=name, target=name) if finding.waiver else None
    return replace(finding, verdict=verdict, message={"en": name, "ja": name}, waiver=waiver)
