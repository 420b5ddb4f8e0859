"""Rows of findings, their events and waivers: from tables to records and back, within a transaction of the caller's."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloudscan.finding import State, Verdict, Waiver
from cloudscan.ledger.database import aware, naive
from cloudscan.ledger.lifecycle import UNRESOLVED, Entry
from cloudscan.ledger.reviews import shortened
from cloudscan.ledger.schema import (
    EVENTS,
    FINDINGS,
    REVOCATIONS,
    WAIVER_BASELINES,
    WAIVER_REVIEWS,
    WAIVER_WIDENINGS,
    WAIVERS,
)
from cloudscan.ledger.waivers import CoveredFinding, Decision, WaiverRegister
from cloudscan.reach import Reach
from cloudscan.report import ChangedBy, Event, EventKind, Rejudged, ReviewDecision, WaiverReview

_MOST_VALUES: Final = 500  # in one IN (…)


def unresolved_entries(db: Connection) -> list[Entry]:
    """All entries that are open or reopened, waived or not."""
    return [_entry(row) for row in db.execute(sa.select(FINDINGS).where(FINDINGS.c.state.in_(UNRESOLVED)))]


class OpenSubject(msgspec.Struct, frozen=True, kw_only=True):
    """What an unresolved finding is about."""

    uid: str = ""
    platform: str = ""
    account: str = ""
    kind: str = ""


class _WithSubject(msgspec.Struct, frozen=True):
    """The part of a stored verdict that says what it is about."""

    subject: OpenSubject


def open_subjects(db: Connection) -> set[OpenSubject]:
    """What the unresolved entries are about, each thing once."""
    query = sa.select(FINDINGS.c.verdict).where(FINDINGS.c.state.in_(UNRESOLVED))
    decoder = msgspec.json.Decoder(_WithSubject)
    return {decoder.decode(verdict).subject for verdict in db.execute(query).scalars()}


def entries_with(db: Connection, fingerprints: Sequence[str]) -> list[Entry]:
    """The entries with these fingerprints."""
    entries: list[Entry] = []
    for start in range(0, len(fingerprints), _MOST_VALUES):
        some = fingerprints[start : start + _MOST_VALUES]
        entries += [_entry(row) for row in db.execute(sa.select(FINDINGS).where(FINDINGS.c.fingerprint.in_(some)))]
    return entries


def entries_beginning_with(db: Connection, beginning: str) -> list[Entry]:
    """The entries whose fingerprint begins with the given characters."""
    query = sa.select(FINDINGS).where(FINDINGS.c.fingerprint.startswith(beginning, autoescape=True))
    return [_entry(row) for row in db.execute(query)]


def unresolved_fingerprints() -> sa.Select[Any]:
    """A query for the fingerprints of all unresolved entries."""
    return sa.select(FINDINGS.c.fingerprint).where(FINDINGS.c.state.in_(UNRESOLVED))


def accounts(db: Connection) -> set[str]:
    """Every account that ever had a finding."""
    return set(db.execute(sa.select(FINDINGS.c.account).distinct()).scalars()) - {""}


def waiver_register(db: Connection, timezone: str) -> WaiverRegister:
    """The waivers and what is known about them. They end with the days of the time zone."""
    reviews = waiver_reviews(db)
    return WaiverRegister(
        waivers={
            row.id: shortened(Waiver(**{**row._mapping, "given_on": aware(row.given_on)}), reviews)
            for row in db.execute(sa.select(WAIVERS))
        },
        reviews=reviews,
        revoked={row.waiver_id: aware(row.happened_on) for row in db.execute(sa.select(REVOCATIONS))},
        baselines={
            CoveredFinding(row.waiver_id, row.fingerprint): msgspec.json.decode(row.reach, type=Reach)
            for row in db.execute(sa.select(WAIVER_BASELINES))
        },
        widenings={
            CoveredFinding(row.waiver_id, row.fingerprint): msgspec.json.decode(row.widened, type=list[str])
            for row in db.execute(sa.select(WAIVER_WIDENINGS))
        },
        timezone=timezone,
    )


def waiver_reviews(db: Connection) -> dict[str, list[WaiverReview]]:
    """What was decided in reviews, in order, by what it was about."""
    reviews: dict[str, list[WaiverReview]] = {}
    for row in db.execute(sa.select(WAIVER_REVIEWS).order_by(WAIVER_REVIEWS.c.id)):
        review = WaiverReview(
            decision=ReviewDecision(row.decision),
            by=row.decided_by,
            reason=row.reason,
            on=aware(row.happened_on),
            until=row.until,
        )
        reviews.setdefault(row.subject, []).append(review)
    return reviews


def insert_review(db: Connection, subject: str, review: WaiverReview) -> None:
    """Store what was decided about a waiver, or an entry of an allow-list."""
    db.execute(
        sa.insert(WAIVER_REVIEWS).values(
            subject=subject,
            decision=review.decision.value,
            decided_by=review.by,
            reason=review.reason,
            until=review.until,
            happened_on=naive(review.on),
        )
    )


def insert_waiver(db: Connection, waiver: Waiver) -> Waiver:
    """Store a new waiver; returns it with its id."""
    values = msgspec.structs.asdict(waiver) | {"given_on": naive(waiver.given_on)}
    del values["id"]
    (number,) = db.execute(sa.insert(WAIVERS).values(values)).inserted_primary_key or (0,)
    return msgspec.structs.replace(waiver, id=number)


def insert_revocation(db: Connection, waiver_id: int, moment: datetime) -> None:
    """Store that a waiver was revoked."""
    db.execute(sa.insert(REVOCATIONS).values(waiver_id=waiver_id, happened_on=naive(moment)))


def write_decision(
    db: Connection,
    known: set[str],
    decision: Decision,
    cause: str,
    moment: datetime,
    changed_by: Mapping[str, ChangedBy] = MappingProxyType({}),
) -> None:
    """Write entries, events and what is new about waivers.

    `known` are the fingerprints that already have a row; `cause` is a scan's id, or ``waiver-N``; `changed_by` is what
    made findings change, by fingerprint.
    """
    happened_on = naive(moment)
    inserted = [_values(change.entry) for change in decision.changes if change.entry.fingerprint not in known]
    updated = [
        _values(change.entry) | {"key": change.entry.fingerprint}
        for change in decision.changes
        if change.entry.fingerprint in known
    ]
    events = [
        {
            "fingerprint": change.entry.fingerprint,
            "scan_id": cause,
            "happened_on": happened_on,
            "kind": event.kind,
            "waiver_id": event.waiver,
            "reason": event.reason,
            "changed_by": changed_by.get(change.entry.fingerprint, "") if event.is_seen else "",
        }
        for change in decision.changes
        for event in change.events
    ]
    baselines = [
        {**covered._asdict(), "happened_on": happened_on, "reach": msgspec.json.encode(reach).decode()}
        for covered, reach in decision.baselines.items()
    ]
    widenings = [
        {**covered._asdict(), "happened_on": happened_on, "widened": msgspec.json.encode(widened).decode()}
        for covered, widened in decision.widenings.items()
    ]
    if updated:
        db.execute(sa.update(FINDINGS).where(FINDINGS.c.fingerprint == sa.bindparam("key")), updated)
    for table, rows in (
        (FINDINGS, inserted),
        (EVENTS, events),
        (WAIVER_BASELINES, baselines),
        (WAIVER_WIDENINGS, widenings),
    ):
        if rows:
            db.execute(sa.insert(table), rows)


def events(db: Connection, query: sa.Select[Any], versions: Mapping[str, str]) -> list[Event]:
    """The events that a query over their table selects, in the order in which they happened.

    `versions` are those that were new with a scan, by its id.
    """
    return [
        Event(
            fingerprint=row.fingerprint,
            scan_id=row.scan_id,
            on=aware(row.happened_on),
            kind=EventKind(row.kind),
            waiver=row.waiver_id,
            reason=row.reason,
            rejudged=rejudged(row.changed_by, aware(row.happened_on), versions.get(row.scan_id, "")),
        )
        for row in db.execute(query.order_by(EVENTS.c.id))
    ]


def rejudged(changed_by: str, on: datetime, version: str) -> Rejudged | None:
    """What is stored as `changed_by`, as a record; None if the estate changed, or nobody asked."""
    if changed_by in ("", ChangedBy.ESTATE):
        return None
    return Rejudged(changed_by=ChangedBy(changed_by), on=on, version=version)


def _entry(row: Any) -> Entry:
    return Entry(
        fingerprint=row.fingerprint,
        state=State(row.state),
        verified=row.verified,
        first_seen_on=aware(row.first_seen_on),
        last_seen_on=aware(row.last_seen_on),
        verdict=msgspec.json.decode(row.verdict, type=Verdict),
        waiver=row.waiver_id,
    )


def _values(entry: Entry) -> dict[str, object]:
    return {
        "fingerprint": entry.fingerprint,
        "rule_id": entry.verdict.rule_id,
        "platform": entry.verdict.subject.platform,
        "account": entry.verdict.subject.account,
        "state": entry.state.value,
        "verified": entry.verified,
        "first_seen_on": naive(entry.first_seen_on),
        "last_seen_on": naive(entry.last_seen_on),
        "verdict": msgspec.json.encode(entry.verdict).decode(),
        "waiver_id": entry.waiver,
    }
