"""A report about a part of the estate: what of it is shown when ``--only`` says what is meant.

It shows less and says so. Nothing is decided here: the ledger is not told, and what is not shown stays as it is.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import msgspec

from cloudscan.coverage import Coverage
from cloudscan.finding import Subject, Verdict
from cloudscan.organisation.only import Chosen, Only, chosen_of
from cloudscan.report import Diff, Report, WaiverStatus
from cloudscan.snapshot.organisation import waiver_uid
from cloudscan.snapshot.snapshot import Snapshot


class Narrowed(NamedTuple):
    """What is shown, and how much it is not known of whether it belongs there."""

    report: Report
    undetermined: int  # findings about what the scan did not see, whose owner and place it did not see either


def narrowed(report: Report, only: Only, snapshot: Snapshot) -> Narrowed:
    """The report of what is chosen in its snapshot. Raises `ConfigurationError` for values that choose nothing.

    Figures of the whole estate (trend, comparisons, controls, second opinions, what passed) are left out. What could
    not be read is kept: it may hide what is chosen.
    """
    verdicts = [*(finding.verdict for finding in report.findings), *report.unknowns]
    differences = report.changes.differences if report.changes else ()
    asked = {uid for verdict in verdicts for uid in _names(verdict.subject)}
    chosen = chosen_of(snapshot, only, {*asked, *(one.uid for one in differences), *_waivers(report)})
    findings = [finding for finding in report.findings if belongs(finding.verdict, chosen)]
    unknowns = [verdict for verdict in report.unknowns if belongs(verdict, chosen)]
    shown = {finding.fingerprint for finding in findings}
    narrow = msgspec.structs.replace(
        report,
        only=only.words,
        findings=findings,
        unknowns=unknowns,
        rules=[
            msgspec.structs.replace(
                rule,
                flagged=sum(finding.verdict.rule_id == rule.id for finding in findings),
                unknown=sum(verdict.rule_id == rule.id for verdict in unknowns),
                passed=0,
            )
            for rule in report.rules
        ],
        trend=(),
        comparisons=(),
        frameworks=(),
        departures=None,
        opinions=None,
        changes=only_of(report.changes, chosen, shown) if report.changes else None,
        events=[event for event in report.events if event.fingerprint in shown],
        time_open={name: open_for for name, open_for in report.time_open.items() if name in shown},
        tickets={name: links for name, links in report.tickets.items() if name in shown},
        waivers=[one for one in report.waivers if _is_shown(one, chosen, shown)],
    )
    return Narrowed(narrow, sum(belongs(finding.verdict, chosen) is None for finding in report.findings))


def belonging(verdicts: Sequence[Verdict], only: Only, snapshot: Snapshot) -> list[Verdict]:
    """The verdicts on a snapshot about what is chosen in it. Raises `ConfigurationError`."""
    chosen = chosen_of(snapshot, only, {uid for verdict in verdicts for uid in _names(verdict.subject)})
    return [verdict for verdict in verdicts if belongs(verdict, chosen)]


def belongs(verdict: Verdict, chosen: Chosen) -> bool | None:
    """Whether a verdict is about something that is chosen; None: the snapshot has neither it nor what it is in."""
    return chosen.has(_names(verdict.subject))


def only_of(diff: Diff, chosen: Chosen, shown: Collection[str] = ()) -> Diff:
    """The differences about what is chosen; `shown` are fingerprints of findings that are known to be."""
    kept = [one for one in diff.differences if one.fingerprint in shown or chosen.has([one.uid])]
    counts = {kind: sum(one.kind == kind for one in kept) for kind in diff.counts}
    return msgspec.structs.replace(diff, differences=kept, counts=counts)


def names_of_row(row: Coverage) -> Sequence[str]:
    """What a missing answer is about, the nearest first."""
    return [uid for uid in (row.resource_uid, row.scope_uid) if uid]


def _names(subject: Subject) -> Sequence[str]:
    """The uids that say where something belongs, the surest first."""
    owner = subject.responsible.uid if subject.responsible else ""
    return [uid for uid in (subject.uid, owner, *subject.inside) if uid]


def _waivers(report: Report) -> Iterator[str]:
    return (waiver_uid(one.waiver.id) for one in report.waivers)


def _is_shown(status: WaiverStatus, chosen: Chosen, shown: Collection[str]) -> bool:
    covers = any(name in shown for name in (*status.findings, *status.widened))
    return bool(status.waiver.gap) or covers or bool(chosen.has([waiver_uid(status.waiver.id)]))
