"""Notifications after a scan: only what changed, never what a file contains.

The records, and the door for whatever delivers them (entry point group `cloudscan.notifiers`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec

from cloudscan.finding import Severity, State
from cloudscan.fix import Fix, fixes
from cloudscan.report import Diff, Difference, GapState, Rejudged, Report, gap_counts

SPOKEN_OF = ("new", "reopened", "widened", "rejudged")


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What changed between two scans, as far as it is worth a notification."""

    organisation: str
    scanned_on: datetime
    changed: Sequence[tuple[str, Fix]]  # how it changed (`SPOKEN_OF`), and the fix now; worst first
    resolved: Sequence[str]  # the names of what is not exposed any more
    counts: dict[str, int]  # fixes by `SPOKEN_OF`, waived and resolved; zeros included
    standing: int  # fixes that are left to make after the scan
    unread: int  # answers that are missing and were not missing before
    report: Report
    since: datetime | None = None  # the scan that was told last, where a later one was told to nobody; else None
    domains: Collection[str] = ()  # of our mail
    rejudged: Mapping[str, Rejudged] = {}  # by fingerprint: where only the judgement changed, or perhaps
    waived: Sequence[str] = ()  # the names of what was accepted
    uncounted: Sequence[str] = ()  # the names of what is not counted any more, only because it is judged differently

    @property
    def quiet(self) -> bool:
        """Whether nothing happened that anyone has to know."""
        return not any(self.counts.values()) and not self.unread


def notice(
    report: Report,
    diff: Diff | None,
    min_severity: Severity,
    *,
    fixes_of: Mapping[str, str] | None = None,
    domains: Collection[str] = (),
) -> Notice:
    """The notice about the last scan, to somebody who was told of an earlier one last.

    `diff` is the difference between the two; without it nothing was told before, and every finding is new. `fixes_of`
    has the keys of the fixes of resolved findings, by fingerprint; one that is not in it is a fix of its own.
    """
    findings = [
        finding for finding in report.findings if finding.state is not State.WAIVED and finding.severity >= min_severity
    ]
    differences = [one for one in diff.differences if _is_severe(one, min_severity)] if diff else []
    kinds: dict[str, str] = {one.fingerprint: one.kind for one in differences if one.kind in SPOKEN_OF}
    if diff is None:
        kinds = dict.fromkeys((finding.fingerprint for finding in findings), "new")
    standing = fixes(findings)
    changed = [(kind, fix) for fix in standing if (kind := _change(fix, kinds))]
    left = {fix.key for fix in standing} | {finding.fingerprint for finding in findings}
    gone: dict[str, Difference] = {}
    for one in differences:
        key = (fixes_of or {}).get(one.fingerprint, one.fingerprint)
        if not {key, one.fingerprint} & left and (
            one.kind in ("waived", "resolved") or (one.kind == "rejudged" and one.now is None)
        ):
            gone.setdefault(key, one)
    resolved, waived, uncounted = (
        [one.name for one in gone.values() if one.kind == kind] for kind in ("resolved", "waived", "rejudged")
    )
    counts = {kind: sum(change == kind for change, _ in changed) for kind in SPOKEN_OF}
    counts["rejudged"] += len(uncounted)
    return Notice(
        organisation=report.organisation,
        scanned_on=report.scan.started_on,
        changed=changed,
        resolved=resolved,
        counts={**counts, "waived": len(waived), "resolved": len(resolved)},
        standing=len(standing),
        unread=_unread(report, diff),
        report=report,
        since=diff.old.started_on if diff and _is_late(report, diff) else None,
        domains=domains,
        rejudged={one.fingerprint: one.rejudged for one in differences if one.rejudged},
        waived=waived,
        uncounted=uncounted,
    )


def _change(fix: Fix, kinds: Mapping[str, str]) -> str:
    """How a fix changed; empty: not at all. One more finding on what was exposed before widens it."""
    changes = [kinds[finding.fingerprint] for finding in fix.findings if finding.fingerprint in kinds]
    if not changes:
        return ""
    if len(changes) < len(fix.findings) and "new" in changes:
        return "widened"
    return min(changes, key=SPOKEN_OF.index)


def _unread(report: Report, diff: Diff | None) -> int:
    """The answers that are missing now and were not when somebody was told last."""
    if diff and not _is_late(report, diff):
        return gap_counts(report)[GapState.NEW]
    gaps = {row.gap or row.scope_uid: row for row in report.coverage if row.outcome.is_gap}
    waited = [report.gaps.get(row.gap) for row in gaps.values() if report.gap_state(row) is not GapState.WAIVED]
    return sum(diff is None or status is None or status.first_seen_on > diff.old.started_on for status in waited)


def _is_late(report: Report, diff: Diff) -> bool:
    """Whether there were scans in between."""
    return any(diff.old.started_on < scan.started_on < diff.new.started_on for scan in report.trend)


def _is_severe(difference: Difference, min_severity: Severity) -> bool:
    return difference.severity is None or difference.severity >= min_severity


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is notified."""

    shown: str  # without the secrets in it
    identity: str  # what distinguishes it from others; may contain secrets, and only a keyed hash of it is stored


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent at once."""

    title: str
    text: str


class Notifier(Protocol):
    """A way to deliver notices, and their wording."""

    def addresses(self) -> Sequence[Address]:
        """Everyone who is notified."""
        ...

    def words(self, notice: Notice, lang: str) -> tuple[str, str]:
        """Title and text in a language (`en`, `ja`)."""
        ...

    def parts(self, address: Address, title: str, text: str) -> Sequence[Message]:
        """The same in as many messages as an address needs to take all of it."""
        ...

    def send(self, address: Address, message: Message) -> bool:
        """Send a message to one of the addresses; returns whether it was accepted."""
        ...


@dataclass(frozen=True, kw_only=True)
class NotifierPlugin:
    """What the entry point group `cloudscan.notifiers` resolves to."""

    name: str
    title: str
    open: Callable[[str, str, Sequence[str]], Notifier]  # (addresses, configuration file, tags)
