"""The ledger: what became of the verdicts, night after night.

A finding is *open* when it is first flagged, *resolved* when it was checked again and passed, or is gone and no gap
could hide it, and *reopened* when it is flagged again. What could not be read stays open, unverified: an outage closes
nothing. Waivers are facts beside that. Every change is an event, and events are only ever added.

What happens to a finding is decided in `cloudscan.ledger.lifecycle` and `cloudscan.ledger.waivers`; what is remembered
of each scan in `cloudscan.ledger.history`. Here it is stored, in one transaction per scan or decision.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloudscan.channel import Channel, ChannelKind
from cloudscan.checklist import Checklist, items_of, settled
from cloudscan.days import Calendar, clock_time, day_of
from cloudscan.errors import LedgerError
from cloudscan.finding import Waiver
from cloudscan.fix import key_of_verdict
from cloudscan.ledger import (
    clock_rows,
    closing_rows,
    finding_rows,
    gap_rows,
    gaps,
    history,
    history_rows,
    lifecycle,
    report_rows,
    reviews,
    ticket_rows,
)
from cloudscan.ledger.clock import Correction
from cloudscan.ledger.database import Database, aware, persistently
from cloudscan.ledger.finding_rows import DecisionRows, OpenSubject, Standing
from cloudscan.ledger.lifecycle import Entry
from cloudscan.ledger.mark import mark
from cloudscan.ledger.schema import EVENTS, SCANS
from cloudscan.ledger.waivers import (
    DUE_DAYS,
    MAX_DAYS,
    WaiverRegister,
    WaiverRequest,
    checked_text,
    covered,
    decide,
    granted,
    revocable,
    statuses,
)
from cloudscan.reach import TOLERANCE
from cloudscan.report import Diff, Event, Report, ReviewDecision, Scan, WaiverReview, WaiverStatus
from cloudscan.sentence import say
from cloudscan.snapshot.organisation import waiver_number
from cloudscan.ticketing.memory import KnownTrouble, PendingComment
from cloudscan.ticketing.policy import Grouping, Policy
from cloudscan.ticketing.renames import Renames
from cloudscan.tracker import TicketRecord

if TYPE_CHECKING:
    from cloudscan.engine.framework_file import Framework
    from cloudscan.engine.judge import Verdicts
    from cloudscan.ledger.recording import Occasion
    from cloudscan.snapshot.snapshot import Snapshot

Result = TypeVar("Result")
Writing = Callable[[Connection], None]
"""Writes what was worked out, in a transaction of the caller's."""


@dataclass(frozen=True, kw_only=True)
class WaiverResult:
    """A waiver and the findings that it covers now."""

    waiver: Waiver
    covered: Sequence[Entry]


class Ledger:
    """The ledger behind a database URL: a SQLite file, or PostgreSQL. Its tables are created by the first writing.

    What only reads needs no permission to write, waits for no other reader, and reads of one moment. It refuses the
    tables of an older cloudscan, until something was written (or `upgrade`).

    `tolerance` is the relative growth of an amount that does not count as widening; `grouping` decides which ticket a
    finding belongs to. For `wait_seconds` seconds `record` tries again while the database cannot be reached. `calendar`
    says where the organisation's days end, with which waivers end, and the deadlines that reports tell.

    Every method raises `LedgerError` if the database cannot be used or was written by a newer cloudscan.
    """

    def __init__(
        self,
        url: str,
        *,
        tolerance: float = TOLERANCE,
        grouping: Grouping | None = None,
        wait_seconds: float = 0.0,
        calendar: Calendar | None = None,
    ) -> None:
        self._database = Database(url)
        self._tolerance = tolerance
        self._grouping = grouping or Grouping(policy=Policy())
        self._wait_seconds = wait_seconds
        self._calendar = calendar or Calendar()

    @property
    def file(self) -> Path | None:
        """The file of a SQLite ledger, which may not be there yet; None for a database on a server."""
        return self._database.file

    @property
    def timezone(self) -> str:
        """Where the organisation's days begin and end."""
        return self._calendar.timezone

    def record(
        self,
        snapshot: "Snapshot",
        verdicts: "Verdicts",
        *,
        organisation: str = "",
        frameworks: "Sequence[Framework]" = (),
    ) -> Report:
        """Record the verdicts on a snapshot; returns the report, which tells the `frameworks` control by control.

        Recording it again changes nothing.

        Raises `LedgerError` if a later scan is recorded already: history is not rewritten.
        """
        # An attempt may have succeeded although its answer was lost: recording a scan again changes nothing.
        from cloudscan.ledger.recording import Occasion  # judges; what only reads does without

        occasion = Occasion(
            snapshot=snapshot,
            verdicts=verdicts,
            organisation=organisation,
            frameworks=frameworks,
            calendar=self._calendar,
            tolerance=self._tolerance,
        )
        return persistently(lambda: self._record(occasion), self._wait_seconds)

    def upgrade(self) -> None:
        """Make the tables, or bring those of an older cloudscan up to date; whatever is written does so first."""
        persistently(self._database.upgrade, self._wait_seconds)

    def awaits(self, started_on: datetime) -> bool:
        """Whether a scan that started then can be recorded, or is the last one recorded; else there is a later one."""
        last = self.last_started()
        return last is None or last <= started_on

    def last_started(self) -> datetime | None:
        """When the last recorded scan began; None if there was none."""
        return persistently(self._last_started, self._wait_seconds)

    def correct(self, correction: Correction) -> None:
        """Correct every moment that is ahead of the clock."""
        with self._database.transaction() as db:
            clock_rows.correct(db, correction)

    def move_snapshots(self, paths: Mapping[str, str]) -> None:
        """Remember where the snapshots of scans are now, by the scan's id."""
        with self._database.transaction() as db:
            clock_rows.write_snapshots(db, paths)

    def latest(self) -> Report | None:
        """The report of the last scan, with what was decided since; None if there was no scan."""
        with self._database.reading() as db:
            report = report_rows.last_report(db, datetime.now(UTC), self._calendar)
            return report and report_rows.with_history(db, report, self._tolerance, self._grouping)

    def last(self) -> Report | None:
        """As `latest`, but without what was before: no trend, changes, events, times, waivers and tickets."""
        with self._database.reading() as db:
            return report_rows.last_report(db, datetime.now(UTC), self._calendar)

    def events(self, fingerprint: str | None = None) -> list[Event]:
        """What happened, in order: to one finding, or to all."""
        query = sa.select(EVENTS)
        if fingerprint is not None:
            query = query.where(EVENTS.c.fingerprint == fingerprint)
        with self._database.reading() as db:
            return finding_rows.events(db, query, history.new_versions(history_rows.scans(db)))

    def waive(
        self, request: WaiverRequest, *, now: datetime | None = None, max_days: int = MAX_DAYS, dry_run: bool = False
    ) -> WaiverResult:
        """Grant a waiver, in force immediately. With `dry_run` it is only checked.

        Raises `WaiverError` for one that cannot be granted, with what to write instead.
        """
        moment = now or datetime.now(UTC)

        def waived(db: Connection) -> tuple[WaiverResult, Writing]:
            unresolved = finding_rows.unresolved_entries(db)
            register = finding_rows.waiver_register(db, self._calendar.timezone)
            waiver = granted(
                replace(request, gap=gaps.named(request.gap, _gaps_of_last(db))) if request.gap else request,
                matches=finding_rows.entries_beginning_with(db, request.finding.lower()) if request.finding else (),
                unresolved=unresolved,
                accounts=finding_rows.accounts(db),
                register=register,
                now=moment,
                max_days=max_days,
            )
            waiver = msgspec.structs.replace(waiver, id=finding_rows.next_waiver(db))
            entries = covered(waiver, unresolved)
            register = replace(register, waivers={**register.waivers, waiver.id: waiver})
            decided = self._decided(entries, register, f"waiver-{waiver.id}", moment)

            def write(db: Connection) -> None:
                finding_rows.insert_waiver(db, waiver)
                finding_rows.write_decision(db, decided)
                if waiver.gap:
                    _rejudge_last(db, moment, self._calendar)

            return WaiverResult(waiver=waiver, covered=entries), write

        return self._write(waived, dry_run=dry_run)

    def revoke(self, waiver_id: int, *, now: datetime | None = None, dry_run: bool = False) -> WaiverResult:
        """End a waiver early; findings that no other waiver covers are reopened. With `dry_run` only checked.

        Raises `WaiverError` for one that does not exist or is not in force.
        """
        moment = now or datetime.now(UTC)

        def revoked(db: Connection) -> tuple[WaiverResult, Writing]:
            register = finding_rows.waiver_register(db, self._calendar.timezone)
            waiver = revocable(waiver_id, register, moment)
            entries, write = self._revoked(db, waiver, register, moment)
            return WaiverResult(waiver=waiver, covered=entries), write

        return self._write(revoked, dry_run=dry_run)

    def review(
        self, subject: str, review: WaiverReview, *, now: datetime | None = None, dry_run: bool = False
    ) -> WaiverReview:
        """Record what was decided about a waiver, or about an entry of an allow-list, by its uid, and carry it out.

        With `dry_run` it is only checked. Raises `WaiverError` for a decision that cannot be carried out.
        """
        moment = now or datetime.now(UTC)
        number = waiver_number(subject)

        def reviewed(db: Connection) -> tuple[WaiverReview, Writing]:
            register = finding_rows.waiver_register(db, self._calendar.timezone)
            waiver = None if number is None else revocable(number, register, moment)
            decision = reviews.decided(
                msgspec.structs.replace(
                    review, on=moment, by=checked_text("by", review.by), reason=checked_text("reason", review.reason)
                ),
                waiver,
                day_of(moment, self._calendar.timezone),
            )
            ends = waiver is not None and decision.decision is ReviewDecision.END
            revoke = self._revoked(db, waiver, register, moment)[1] if waiver is not None and ends else None

            def write(db: Connection) -> None:
                finding_rows.insert_review(db, subject, decision)
                if revoke is not None:
                    revoke(db)

            return decision, write

        return self._write(reviewed, dry_run=dry_run)

    def reviews(self) -> dict[str, list[WaiverReview]]:
        """What was decided in reviews, in order, by the uid of what it was about."""
        with self._database.reading() as db:
            return finding_rows.waiver_reviews(db)

    def waivers(self, *, now: datetime | None = None, due_days: int = DUE_DAYS) -> list[WaiverStatus]:
        """Every waiver ever granted and its status, the first to end first."""
        with self._database.reading() as db:
            moment = now or datetime.now(UTC)
            register = finding_rows.waiver_register(db, self._calendar.timezone)
            unresolved = finding_rows.covered_subjects(db) if register.waivers else []
            return statuses(register, unresolved, moment, due_days, _gaps_of_last(db))

    def open_subjects(self) -> dict[str, list[OpenSubject]]:
        """What the unresolved findings are about, by platform: it must not vanish unasked."""
        subjects: dict[str, list[OpenSubject]] = {}
        for subject in persistently(self._open_subjects, self._wait_seconds):
            if subject.uid:
                subjects.setdefault(subject.platform, []).append(subject)
        return subjects

    def trend(self) -> list[Scan]:
        """Every recorded scan and its figures, the oldest first."""
        with self._database.reading() as db:
            return history_rows.scans(db)

    def named(self, name: str) -> Scan:
        """The scan whose id begins with `name`, or the last one of a day. Raises `LedgerError`."""
        return history_rows.scan_named(self.trend(), name, self._calendar.timezone)

    def diff(self, old: str = "", new: str = "") -> Diff:
        """What differs between two scans; without names, between the last two, or `old` and the last.

        A scan is named by the beginning of its id, or by a day, 2026-11-23: its last scan. Raises `LedgerError` if
        there is no such scan, or `new` is not the later one.
        """
        with self._database.reading() as db:
            scans = history_rows.scans(db)
            later = history_rows.scan_named(scans, new, self._calendar.timezone) if new else _last(scans)
            before = [scan for scan in scans if scan.started_on < later.started_on]
            earlier = history_rows.scan_named(scans, old, self._calendar.timezone) if old else _last(before)
            if earlier.started_on >= later.started_on:
                raise LedgerError(
                    say(
                        "The scan of {earlier} is not before the one of {later}; name the older one first.",
                        earlier=clock_time(earlier.started_on, self._calendar.timezone),
                        later=clock_time(later.started_on, self._calendar.timezone),
                    )
                )
            return history_rows.diff_between(db, earlier, later, self._tolerance, history.new_versions(scans))

    def recalled(self, people: Sequence[Checklist]) -> Sequence[Checklist]:
        """The checklists of people who leave, with the days on which earlier scans saw something closed."""
        with self._database.reading() as db:
            return settled(people, closing_rows.seen(db, items_of(people)))

    def tickets(self) -> list[TicketRecord]:
        """The tickets for findings, as far as this ledger's scans wrote them."""
        with self._database.reading() as db:
            return ticket_rows.tickets(db)

    def save_ticket(self, record: TicketRecord) -> None:
        """Remember what was done about a ticket, replacing what was known of it."""
        with self._database.transaction() as db:
            ticket_rows.write_ticket(db, record)

    def renames(self) -> Renames:
        """What the markers and rules in older tickets are called today."""
        with self._database.reading() as db:
            return ticket_rows.renames(db)

    def pending_comments(self) -> list[PendingComment]:
        """The comments on tickets that are due and not written yet, the oldest first."""
        with self._database.reading() as db:
            return ticket_rows.pending_comments(db)

    def save_pending_comment(self, comment: PendingComment) -> None:
        """Remember a comment that is due, replacing the one with its id on the same ticket."""
        with self._database.transaction() as db:
            ticket_rows.write_pending_comment(db, comment)

    def drop_pending_comment(self, tracker: str, key: str, comment_id: str) -> None:
        """Forget a comment: it was written, or is not due any more."""
        with self._database.transaction() as db:
            ticket_rows.delete_pending_comment(db, tracker, key, comment_id)

    def troubles(self) -> list[KnownTrouble]:
        """What failed in the last run of each tracker."""
        with self._database.reading() as db:
            return ticket_rows.troubles(db)

    def keep_troubles(self, tracker: str, troubles: Sequence[KnownTrouble]) -> None:
        """Replace what failed in a tracker."""
        with self._database.transaction() as db:
            ticket_rows.keep_troubles(db, tracker, troubles)

    def channels(self) -> list[Channel]:
        """Everyone who is told of scans, and of which one last."""
        with self._database.reading() as db:
            return ticket_rows.channels(db)

    def save_channel(self, channel: Channel) -> None:
        """Remember what a channel was told, replacing what was known of it."""
        with self._database.transaction() as db:
            ticket_rows.write_channel(db, channel)

    def keep_channels(self, kind: ChannelKind, ids: Collection[str]) -> None:
        """Forget the channels of a kind that are not among the given ones."""
        with self._database.transaction() as db:
            ticket_rows.keep_channels(db, kind, ids)

    def fixes_of(self, fingerprints: Collection[str]) -> dict[str, str]:
        """The keys of the fixes that findings belong to, resolved ones too, by fingerprint."""
        with self._database.reading() as db:
            entries = finding_rows.entries_with(db, list(fingerprints))
        return {entry.fingerprint: key_of_verdict(entry.verdict, entry.fingerprint) for entry in entries}

    def _record(self, occasion: "Occasion") -> Report:
        from cloudscan.ledger import recording

        self._database.upgrade()
        report = recording.record(self._database, occasion)
        with self._database.reading() as db:
            return report_rows.with_history(db, report, self._tolerance, self._grouping)

    def _open_subjects(self) -> set[OpenSubject]:
        with self._database.reading() as db:
            return finding_rows.open_subjects(db)

    def _last_started(self) -> datetime | None:
        with self._database.reading() as db:
            last = db.execute(sa.select(sa.func.max(SCANS.c.started_on))).scalar()
            return None if last is None else aware(last)

    def _write(self, decide: Callable[[Connection], tuple[Result, Writing]], *, dry_run: bool) -> Result:
        """Work out a decision while nobody has to wait, then write it, unless somebody else wrote in between."""
        if not dry_run:
            self._database.upgrade()
        while True:
            with self._database.reading() as db:
                before = mark(db)
                result, write = decide(db)
            if dry_run:
                return result
            with self._database.transaction() as db:
                if mark(db) == before:
                    write(db)
                    return result

    def _revoked(
        self, db: Connection, waiver: Waiver, register: WaiverRegister, moment: datetime
    ) -> tuple[list[Entry], Writing]:
        """The findings that a waiver covers, and how it is ended now."""
        entries = [entry for entry in finding_rows.unresolved_entries(db) if entry.waiver == waiver.id]
        register = replace(register, revoked={**register.revoked, waiver.id: moment})
        decided = self._decided(entries, register, f"waiver-{waiver.id}", moment)

        def write(db: Connection) -> None:
            finding_rows.insert_revocation(db, waiver.id, moment)
            finding_rows.write_decision(db, decided)
            if waiver.gap:
                _rejudge_last(db, moment, self._calendar)

        return entries, write

    def _decided(
        self, entries: Sequence[Entry], register: WaiverRegister, cause: str, moment: datetime
    ) -> DecisionRows:
        unchanged = [lifecycle.Change(entry=entry) for entry in entries]
        decision = decide(unchanged, register, moment, self._tolerance)
        before = {entry.fingerprint: Standing.of(entry) for entry in entries}
        return finding_rows.decision_rows(decision, before, {}, cause, moment)


def _gaps_of_last(db: Connection) -> set[str]:
    """The gaps of the last scan."""
    return gaps.gaps_in(report_rows.last_coverage(db))


def _rejudge_last(db: Connection, today: datetime, calendar: Calendar) -> None:
    """Whether the last scan counts as complete follows what was just decided about its gaps."""
    report = report_rows.last_report(db, today, calendar)
    if report is not None:
        gap_rows.rejudge_scan(db, report)


def _last(scans: Sequence[Scan]) -> Scan:
    if not scans:
        raise LedgerError(say("There are fewer than two scans to compare; run `cloudscan scan` again."))
    return scans[-1]
