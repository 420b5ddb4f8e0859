"""The tables of a pack, each a head and rows for `cloudscan.text.csv`."""

import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from typing import Any, Final

from cloudscan import __version__
from cloudscan.engine.framework_coverage import Control
from cloudscan.report import Event, Report, Scan, WaiverStatus
from cloudscan.text import Cell

Table = tuple[Sequence[str], Iterable[Sequence[Cell]]]
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_COVERAGE: Final = ("platform", "account", "scope_uid", "scope_name", "table", "resource_uid", "outcome", "reason",
                    "needs", "seen", "total", "facts", "requests")  # fmt: skip


def coverage(report: Report) -> Table:
    """What was read and what not, and why; what was read completely is summed per account and table."""
    return _COVERAGE, ([getattr(row, name) for name in _COVERAGE] for row in report.coverage)


def not_judged(report: Report) -> Table:
    """The cases in which a rule could not tell."""
    head = ("rule", "platform", "account", "kind", "name", "uid", "fingerprint")
    return head, (
        [each.rule_id, each.subject.platform, each.subject.account, each.subject.kind, each.subject.name,
         each.subject.uid, each.fingerprint]
        for each in report.unknowns
    )  # fmt: skip


def controls(lines: Iterable[Control]) -> Table:
    head = ("framework", "control", "title", "status", "rules", "flagged", "unknown", "passed", "waived")
    return head, (
        [each.framework, each.id, each.title, each.standing, " ".join(each.rules), each.flagged, each.unknown,
         each.passed, each.waived]
        for each in lines
    )  # fmt: skip


def rules(report: Report) -> Table:
    """The rules that were applied, with the beginning of the SHA-256 of each file as its version."""
    head = ("rule", "version", "severity", "confidence", "cause", "likelihood", "flagged", "unknown", "passed",
            "frameworks", "title")  # fmt: skip
    return head, (
        [each.id, each.version, each.severity, each.confidence, each.cause, each.likelihood, each.flagged, each.unknown,
         each.passed, " ".join(each.frameworks), each.text["en"].title if "en" in each.text else ""]
        for each in report.rules
    )  # fmt: skip


def events(found: Iterable[Event]) -> Table:
    """What befell each finding, in order; the cause is a scan or a waiver."""
    head = ("on", "event", "fingerprint", "cause", "waiver", "reason")
    return head, ([each.on, each.kind, each.fingerprint, each.scan_id, each.waiver, each.reason] for each in found)


def waivers(found: Iterable[WaiverStatus]) -> Table:
    """Every waiver that was given: about what, by whom, why, until when, and what stands under it."""
    head = ("waiver", "finding", "rule", "place", "owner", "reason", "given_on", "until", "revoked_on", "covers",
            "widened")  # fmt: skip
    return head, (
        [each.waiver.id, each.waiver.fingerprint, each.waiver.rule_id, each.waiver.target, each.waiver.owner,
         each.waiver.reason, each.waiver.given_on, each.waiver.until.isoformat(), each.revoked_on,
         " ".join(each.findings), " ".join(each.widened)]
        for each in found
    )  # fmt: skip


def scans(found: Iterable[Scan]) -> Table:
    head = ("scan", "started_on", "complete", "findings", "waived", "unknown", "score")
    return head, (_scan(each) for each in found)


def _scan(scan: Scan) -> list[Cell]:
    figures = scan.figures
    came_to: list[Cell] = (
        [None] * 4
        if figures is None
        else [sum(figures.findings.values()), figures.waived, figures.unknown, figures.score]
    )
    return [scan.id, scan.started_on, scan.complete, *came_to]


def versions() -> Mapping[str, Any]:
    """What the pack was made with."""
    return {
        "cloudscan": __version__,
        "python": platform.python_version(),
        "packages": dict(sorted(_packages())),
    }


def _packages() -> Iterator[tuple[str, str]]:
    try:
        wanted = metadata.requires("cloudscan") or []
    except metadata.PackageNotFoundError:
        return
    for requirement in wanted:
        name = _NAME.match(requirement)
        if name and "extra ==" not in requirement:
            yield name[0], metadata.version(name[0])
