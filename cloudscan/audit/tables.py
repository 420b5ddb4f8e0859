"""The tables of a pack, each a header and rows for `cloudscan.text.as_csv`."""

import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from typing import Any, Final

from cloudscan import __version__
from cloudscan.coverage import Coverage
from cloudscan.engine.remedies import LANGUAGES
from cloudscan.framework import FrameworkResult
from cloudscan.reason import Reason, advice, sentence
from cloudscan.report import Event, Report, Scan, WaiverReview, WaiverStatus
from cloudscan.text import Cell

Table = tuple[Sequence[str], Iterable[Sequence[Cell]]]
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_COVERAGE: Final = ("platform", "account", "scope_uid", "scope_name", "table", "resource_uid", "outcome", "question",
                    "needs", "gap", "seen", "total", "facts", "requests")  # fmt: skip
_REASON: Final = ("reason", *(f"{name}_{language}" for language in LANGUAGES for name in ("reason", "advice")))
_GAP: Final = ("hides", "first_seen_on", "waiver")


def coverage(report: Report) -> Table:
    """What was read and what not, and why; what was read completely is summed per account and table."""
    head = (*_COVERAGE, *_REASON, *_GAP)
    return head, ([*(getattr(row, name) for name in _COVERAGE), *_why(row), *_gap(row, report)]
                  for row in report.coverage)  # fmt: skip


def _why(row: Coverage) -> list[Cell]:
    """The code of the reason, and for each language the sentence and what to do."""
    code = row.reason.code if isinstance(row.reason, Reason) else ""
    words = [
        words for language in LANGUAGES for words in (sentence(row.reason, language), advice(row.reason, language))
    ]
    return [code, *words]


def _gap(row: Coverage, report: Report) -> list[Cell]:
    """What it can hide, since when it has been missing, and the waiver in force, as far as a ledger knows."""
    status = report.gaps.get(row.gap)
    hides = " ".join(".".join(filter(None, (one.table, *one.columns))) for one in row.hides)
    return [
        hides,
        status.first_seen_on if status else None,
        status.waiver.id if status and status.waiver else None,
    ]


def unknown(report: Report) -> Table:
    """The identities about which a rule could not decide."""
    head = ("rule", "platform", "account", "kind", "name", "uid", "fingerprint")
    return head, (
        [verdict.rule_id, verdict.subject.platform, verdict.subject.account, verdict.subject.kind, verdict.subject.name,
         verdict.subject.uid, verdict.fingerprint]
        for verdict in report.unknowns
    )  # fmt: skip


def controls(frameworks: Iterable[FrameworkResult]) -> Table:
    """The framework coverage: how each control came out, how far rules can check it, and what they cannot see of it."""
    head = ("framework", "control", "title", "status", "rules", "flagged", "unknown", "passed", "waived", "extent",
            *(f"unseen_{language}" for language in LANGUAGES))  # fmt: skip
    return head, (
        [framework.id, line.id, line.title, line.standing, " ".join(line.rules), line.flagged, line.unknown,
         line.passed, line.waived, line.extent, *(line.unseen.get(language, "") for language in LANGUAGES)]
        for framework in frameworks
        for line in framework.controls
    )  # fmt: skip


def rules(report: Report) -> Table:
    """The rules that were applied, with the beginning of the SHA-256 of each file as its version."""
    head = ("rule", "version", "severity", "confidence", "cause", "likelihood", "flagged", "unknown", "passed",
            "frameworks", "title")  # fmt: skip
    return head, (
        [rule.id, rule.version, rule.severity, rule.confidence, rule.cause, rule.likelihood, rule.flagged, rule.unknown,
         rule.passed, " ".join(rule.frameworks), rule.text["en"].title if "en" in rule.text else ""]
        for rule in report.rules
    )  # fmt: skip


def events(events: Iterable[Event]) -> Table:
    """What happened to each finding, in order; the cause is a scan or a waiver."""
    head = ("on", "event", "fingerprint", "cause", "waiver", "reason", "judged_by", "version")
    return head, (
        [event.on, event.kind, event.fingerprint, event.scan_id, event.waiver, event.reason,
         event.rejudged.changed_by if event.rejudged else "", event.rejudged.version if event.rejudged else ""]
        for event in events
    )  # fmt: skip


def waivers(statuses: Iterable[WaiverStatus]) -> Table:
    """Every waiver that was granted: its target, owner, reason and dates, and the findings that it covers."""
    head = ("waiver", "finding", "rule", "place", "gap", "owner", "reason", "given_on", "until", "revoked_on", "covers",
            "widened", "renewals")  # fmt: skip
    return head, (
        [status.waiver.id, status.waiver.fingerprint, status.waiver.rule_id, status.waiver.target, status.waiver.gap,
         status.waiver.owner, status.waiver.reason, status.waiver.given_on, status.waiver.until.isoformat(),
         status.revoked_on, " ".join(status.findings), " ".join(status.widened), status.renewals]
        for status in statuses
    )  # fmt: skip


def reviews(reviews: Mapping[str, Sequence[WaiverReview]]) -> Table:
    """What was decided when somebody looked again at a waiver, or at an entry of an allow-list, in order."""
    head = ("about", "on", "decision", "decided_by", "reason", "until")
    return head, (
        [about, one.on, one.decision.value, one.by, one.reason, one.until.isoformat() if one.until else ""]
        for about, some in reviews.items()
        for one in some
    )


def scans(scans: Iterable[Scan]) -> Table:
    """The scans in the ledger with their results, the oldest first."""
    head = ("scan", "started_on", "complete", "findings", "waived", "unknown", "score", "version", "basis_changes",
            "rejudged")  # fmt: skip
    return head, (_scan(scan) for scan in scans)


def _scan(scan: Scan) -> list[Cell]:
    figures = scan.figures
    results: list[Cell] = (
        [None] * 7
        if figures is None
        else [
            *(sum(figures.findings.values()), figures.waived, figures.unknown, figures.score),
            *(figures.version, " ".join(figures.basis_changes), figures.rejudged),
        ]
    )
    return [scan.id, scan.started_on, scan.complete, *results]


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
