"""Rows of findings, their events and waivers: from tables to records and back, within a transaction of the caller's."""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloudscan.finding import Judgement, State, Subject, Verdict, Waiver
from cloudscan.ledger.database import MANY, Moments, aware, naive
from cloudscan.ledger.lifecycle import UNRESOLVED, Entry
from cloudscan.ledger.reviews import shortened
from cloudscan.ledger.schema import (
    EVENTS,
    FINDINGS,
    REVOCATIONS,
    SCANS,
    WAIVER_BASELINES,
    WAIVER_REVIEWS,
    WAIVER_WIDENINGS,
    WAIVERS,
)
from cloudscan.ledger.waivers import CoveredFinding, Decision, WaiverRegister
from cloudscan.reach import Reach
from cloudscan.report import ChangedBy, Event, EventKind, Rejudged, ReviewDecision, WaiverReview

_MOST_VALUES: Final = 500  # in one IN (…)
_LAST_SCAN: Final = sa.select(sa.func.max(SCANS.c.started_on)).scalar_subquery()
_ENTRIES: Final = sa.select(
    *(column for column in FINDINGS.c if column is not FINDINGS.c.last_seen_on),
    sa.func.coalesce(FINDINGS.c.last_seen_on, _LAST_SCAN, type_=sa.DateTime).label("last_seen_on"),
)
_STANDING: Final = sa.select(
    *(FINDINGS.c[name] for name in ("fingerprint", "state", "verified", "first_seen_on", "last_seen_on")),
    *(FINDINGS.c[name] for name in ("waiver_id", "digest")),
)
_VERDICTS: Final = msgspec.json.Decoder(Verdict)
_KINDS: Final = {kind.value: kind for kind in EventKind}
_STATES: Final = {state.value: state for state in State}


class Standing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is stored of a finding beside its verdict."""

    state: State
    verified: bool
    first_seen_on: datetime
    last_seen_on: datetime | None  # None: in the last scan
    waiver: int | None
    digest: str = ""  # of its verdict; empty: not known

    @classmethod
    def of(cls, entry: Entry) -> "Standing":
        """As an entry is stored. An unresolved finding that is verified was seen in the last scan."""
        seen_last = entry.verified and entry.state in UNRESOLVED
        return cls(
            state=entry.state,
            verified=entry.verified,
            first_seen_on=entry.first_seen_on,
            last_seen_on=None if seen_last else entry.last_seen_on,
            waiver=entry.waiver,
        )

    def with_verdict(self, verdict: Verdict, fingerprint: str, last_scan: datetime) -> Entry:
        """The entry that is stored so, with a verdict."""
        return Entry(
            fingerprint=fingerprint,
            state=self.state,
            verified=self.verified,
            first_seen_on=self.first_seen_on,
            last_seen_on=self.last_seen_on or last_scan,
            verdict=verdict,
            waiver=self.waiver,
        )

    def is_as_in(self, entry: Entry) -> bool:
        """Whether an entry stands as it is stored, whatever its verdict is."""
        seen_last = entry.verified and entry.state in UNRESOLVED
        return (
            self.state is entry.state
            and self.verified is entry.verified
            and self.waiver == entry.waiver
            and (self.last_seen_on is None if seen_last else self.last_seen_on == entry.last_seen_on)
        )


class StoredVerdict(NamedTuple):
    """A verdict as a finding's row keeps it."""

    text: str  # JSON
    digest: str

    @classmethod
    def of(cls, verdict: Verdict) -> "StoredVerdict":
        """Made to be stored."""
        content = msgspec.json.encode(verdict)
        return cls(content.decode(), blake2b(content, digest_size=16).hexdigest())


class DecisionRows(NamedTuple):
    """The rows that a scan or a decision writes, ready to be written."""

    inserted: Sequence[Mapping[str, object]]  # findings that have no row
    rewritten: Sequence[Mapping[str, object]]  # findings with another verdict
    updated: Sequence[Mapping[str, object]]  # findings with the same verdict
    events: Sequence[Mapping[str, object]]
    baselines: Sequence[Mapping[str, object]]
    widenings: Sequence[Mapping[str, object]]


def standing(db: Connection) -> dict[str, Standing]:
    """How all entries stand that are open or reopened, by fingerprint; waived or not."""
    return _standing(db.execute(_STANDING.where(FINDINGS.c.state.in_(UNRESOLVED)), execution_options=MANY))


def standing_of(db: Connection, fingerprints: Sequence[str]) -> dict[str, Standing]:
    """How the entries with these fingerprints stand."""
    found: dict[str, Standing] = {}
    for some in _in_parts(fingerprints):
        found |= _standing(db.execute(_STANDING.where(FINDINGS.c.fingerprint.in_(some))))
    return found


def unresolved_verdicts(db: Connection, wanted: Collection[str]) -> dict[str, Verdict]:
    """The verdicts of unresolved entries, by fingerprint, as far as they are wanted."""
    query = sa.select(FINDINGS.c.fingerprint, FINDINGS.c.verdict)
    decode = _VERDICTS.decode
    if len(wanted) > _MOST_VALUES:
        rows: Iterable[Any] = db.execute(query.where(FINDINGS.c.state.in_(UNRESOLVED)), execution_options=MANY)
        return {fingerprint: decode(verdict) for fingerprint, verdict in rows if fingerprint in wanted}
    rows = db.execute(query.where(FINDINGS.c.fingerprint.in_(list(wanted))))
    return {fingerprint: decode(verdict) for fingerprint, verdict in rows}


def unresolved_entries(db: Connection) -> list[Entry]:
    """All entries that are open or reopened, waived or not."""
    return [_entry(row) for row in db.execute(_ENTRIES.where(FINDINGS.c.state.in_(UNRESOLVED)), execution_options=MANY)]


class _Outline(msgspec.Struct, frozen=True):
    """The part of a stored verdict that says which waivers cover it."""

    rule_id: str
    judgement: Judgement
    identity: Sequence[str]
    subject: Subject


def covered_subjects(db: Connection) -> list[Entry]:
    """The unresolved entries, of whose verdicts only the rule, the identity and the subject are read."""
    decode = msgspec.json.Decoder(_Outline).decode

    def outlined(text: str) -> Verdict:
        one = decode(text)
        return Verdict(rule_id=one.rule_id, judgement=one.judgement, identity=one.identity, subject=one.subject)

    return [
        _entry(row, outlined)
        for row in db.execute(_ENTRIES.where(FINDINGS.c.state.in_(UNRESOLVED)), execution_options=MANY)
    ]


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
    return [
        _entry(row)
        for some in _in_parts(fingerprints)
        for row in db.execute(_ENTRIES.where(FINDINGS.c.fingerprint.in_(some)))
    ]


def entries_beginning_with(db: Connection, beginning: str) -> list[Entry]:
    """The entries whose fingerprint begins with the given characters."""
    query = _ENTRIES.where(FINDINGS.c.fingerprint.startswith(beginning, autoescape=True))
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


def next_waiver(db: Connection) -> int:
    """The id that the next waiver gets: waivers are never deleted."""
    return (db.execute(sa.select(sa.func.max(WAIVERS.c.id))).scalar() or 0) + 1


def insert_waiver(db: Connection, waiver: Waiver) -> None:
    """Store a new waiver under its id."""
    db.execute(sa.insert(WAIVERS).values(msgspec.structs.asdict(waiver) | {"given_on": naive(waiver.given_on)}))


def insert_revocation(db: Connection, waiver_id: int, moment: datetime) -> None:
    """Store that a waiver was revoked."""
    db.execute(sa.insert(REVOCATIONS).values(waiver_id=waiver_id, happened_on=naive(moment)))


def decision_rows(
    decision: Decision,
    before: Mapping[str, Standing],
    told: Mapping[str, StoredVerdict],
    cause: str,
    moment: datetime,
    changed_by: Mapping[str, ChangedBy] = MappingProxyType({}),
) -> DecisionRows:
    """What has to be written of entries, events and waivers. The row of an entry that stands as before is left alone.

    `before` is how the findings stand that already have a row, `told` the verdicts that are new or changed, both by
    fingerprint; `cause` is a scan's id, or ``waiver-N``; `changed_by` is what made findings change, by fingerprint.
    """
    happened_on = naive(moment)
    inserted, rewritten, updated, events = [], [], [], []
    for change in decision.changes:
        entry, fingerprint = change.entry, change.entry.fingerprint
        old, verdict = before.get(fingerprint), told.get(fingerprint)
        if old is None:
            own = verdict or StoredVerdict.of(entry.verdict)
            inserted.append({"fingerprint": fingerprint, **_values(entry), **_values_of_verdict(entry.verdict, own)})
        elif verdict is not None:
            rewritten.append({"key": fingerprint, **_values(entry), **_values_of_verdict(entry.verdict, verdict)})
        elif not old.is_as_in(entry):
            updated.append({"key": fingerprint, **_values(entry)})
        events += [
            {
                "fingerprint": fingerprint,
                "scan_id": cause,
                "happened_on": happened_on,
                "kind": event.kind,
                "waiver_id": event.waiver,
                "reason": event.reason,
                "changed_by": changed_by.get(fingerprint, "") if event.is_seen else "",
            }
            for event in change.events
        ]
    return DecisionRows(
        inserted=inserted,
        rewritten=rewritten,
        updated=updated,
        events=events,
        baselines=[
            {**covered._asdict(), "happened_on": happened_on, "reach": msgspec.json.encode(reach).decode()}
            for covered, reach in decision.baselines.items()
        ],
        widenings=[
            {**covered._asdict(), "happened_on": happened_on, "widened": msgspec.json.encode(widened).decode()}
            for covered, widened in decision.widenings.items()
        ],
    )


def write_decision(db: Connection, rows: DecisionRows) -> None:
    """Write what a scan or a decision changed."""
    for changed in (rows.rewritten, rows.updated):
        if changed:
            db.execute(sa.update(FINDINGS).where(FINDINGS.c.fingerprint == sa.bindparam("key")), changed)
    for table, added in (
        (FINDINGS, rows.inserted),
        (EVENTS, rows.events),
        (WAIVER_BASELINES, rows.baselines),
        (WAIVER_WIDENINGS, rows.widenings),
    ):
        if added:
            db.execute(sa.insert(table), added)


def events(db: Connection, query: sa.Select[Any], versions: Mapping[str, str]) -> list[Event]:
    """The events that a query over their table selects, in the order in which they happened.

    `versions` are those that were new with a scan, by its id.
    """
    columns = (EVENTS.c[name] for name in ("fingerprint", "scan_id", "happened_on", "kind"))
    rows: Iterable[Any] = db.execute(
        query.with_only_columns(*columns, EVENTS.c.waiver_id, EVENTS.c.reason, EVENTS.c.changed_by).order_by(
            EVENTS.c.id
        )
    )
    moments = Moments()
    return [
        Event(
            fingerprint=sys.intern(fingerprint),
            scan_id=sys.intern(scan_id),
            on=moments[happened_on],
            kind=_KINDS[kind],
            waiver=waiver,
            reason=reason,
            rejudged=rejudged(changed_by, moments[happened_on], versions.get(scan_id, "")) if changed_by else None,
        )
        for fingerprint, scan_id, happened_on, kind, waiver, reason, changed_by in rows
    ]


def rejudged(changed_by: str, on: datetime, version: str) -> Rejudged | None:
    """What is stored as `changed_by`, as a record; None if the estate changed, or nobody asked."""
    if changed_by in ("", ChangedBy.ESTATE):
        return None
    return Rejudged(changed_by=ChangedBy(changed_by), on=on, version=version)


def _entry(row: Any, decoded: Callable[[str], Verdict] = _VERDICTS.decode) -> Entry:
    return Entry(
        fingerprint=row.fingerprint,
        state=State(row.state),
        verified=row.verified,
        first_seen_on=aware(row.first_seen_on),
        last_seen_on=aware(row.last_seen_on),
        verdict=decoded(row.verdict),
        waiver=row.waiver_id,
    )


def _standing(rows: Iterable[Any]) -> dict[str, Standing]:
    moments = Moments()
    return {
        sys.intern(fingerprint): Standing(
            state=_STATES[state],
            verified=verified,
            first_seen_on=moments[first_seen_on],
            last_seen_on=moments[last_seen_on] if last_seen_on else None,
            waiver=waiver,
            digest=digest,
        )
        for fingerprint, state, verified, first_seen_on, last_seen_on, waiver, digest in rows
    }


def _in_parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many at a time as one query asks for."""
    for start in range(0, len(values), _MOST_VALUES):
        yield values[start : start + _MOST_VALUES]


def _values(entry: Entry) -> dict[str, object]:
    standing = Standing.of(entry)
    return {
        "state": standing.state.value,
        "verified": standing.verified,
        "first_seen_on": naive(standing.first_seen_on),
        "last_seen_on": naive(standing.last_seen_on) if standing.last_seen_on else None,
        "waiver_id": standing.waiver,
    }


def _values_of_verdict(verdict: Verdict, stored: StoredVerdict) -> dict[str, object]:
    return {
        "rule_id": verdict.rule_id,
        "platform": verdict.subject.platform,
        "account": verdict.subject.account,
        "verdict": stored.text,
        "digest": stored.digest,
    }
