"""The lifecycle of a finding: what one scan makes of the ledger's entries. Pure functions; `Ledger` stores the result.

==============================================  =====================================================
what the scan says                              what becomes of the finding
==============================================  =====================================================
flagged                                         open; reopened if it had been resolved
passed, and all that the rule rests on is read  resolved: it was checked and is fine
passed, but part of that is unread              stays open, unverified: the verdict may be wrong
unknown                                         stays open, unverified
gone, and no gap can hide it                    resolved
gone, but a gap can hide it                     stays open, unverified: it may still be there
the account was not visited                     stays open, unverified
the rule was not applied                        stays open, unverified
==============================================  =====================================================

What a gap can hide from which finding is in `cloudscan.ledger.visibility`.

Waivers are applied on top of that: see `cloudscan.ledger.waivers`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from msgspec.structs import replace

from cloudscan.coverage import Coverage
from cloudscan.facts import Outcome
from cloudscan.finding import Finding, Judgement, State, Verdict, Waiver, message
from cloudscan.ledger.score import impact, score
from cloudscan.ledger.visibility import RESOURCES, Foundation, Missing, Named, ScanVisibility
from cloudscan.report import EventKind

if TYPE_CHECKING:
    from cloudscan.engine.judge import Verdicts

UNRESOLVED: Final = (State.OPEN, State.REOPENED)
"""The states of entries that still need a fix. Whether a waiver covers one is stored beside its state."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A finding as the ledger stores it."""

    fingerprint: str
    state: State
    verified: bool
    first_seen_on: datetime
    last_seen_on: datetime
    verdict: Verdict
    waiver: int | None = None  # id of the waiver in force; independent of `state`


class LifecycleEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A change in the life of a finding."""

    kind: EventKind
    waiver: int | None = None  # id of the waiver in force from now on, or of the one that ended
    reason: str = ""  # why it was resolved: passed or gone; why a waiver ended: expired, revoked or widened

    @property
    def is_seen(self) -> bool:
        """Whether what a scan saw led to it, and not a decision or its end."""
        return self.waiver is None or self.reason == "widened"


class Change(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An entry after a scan or a decision, and the events that led to it."""

    entry: Entry
    events: tuple[LifecycleEvent, ...] = ()


JudgementsOf = Callable[[str, Iterable[Sequence[str]]], Mapping[tuple[str, ...], Judgement]]
"""`Verdicts.judgements_of`: a rule's judgements of identities; identities that no longer exist are left out."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a scan saw, for the findings that it does not flag."""

    visibility: ScanVisibility
    foundations: Mapping[str, Foundation]  # of the rules that ran, by id
    existing: Callable[[Iterable[Named]], AbstractSet[str]]  # the uids among some that are in the snapshot


def after(
    before: Iterable[Entry],
    flagged: Mapping[str, Verdict],
    judgements_of: JudgementsOf,
    *,
    look: Look,
    moment: datetime,
) -> list[Change]:
    """What a scan at `moment` makes of the entries before it: the unresolved ones, and those flagged again.

    `flagged` are the verdicts by fingerprint; `judgements_of` gives the rules' judgements of other identities. Of an
    entry that is flagged, the verdict from before is not read.
    """
    old = {entry.fingerprint: entry for entry in before}
    changes = [
        _flagged(old.pop(fingerprint, None), fingerprint, verdict, moment) for fingerprint, verdict in flagged.items()
    ]
    not_flagged = [entry for entry in old.values() if entry.state in UNRESOLVED]
    reasons = _closing(not_flagged, _judgements(judgements_of, not_flagged), look)
    for entry in not_flagged:
        if reason := reasons.get(entry.fingerprint):
            resolved = replace(entry, state=State.RESOLVED, verified=True)
            changes.append(Change(entry=resolved, events=(LifecycleEvent(kind=EventKind.RESOLVED, reason=reason),)))
        else:
            changes.append(Change(entry=replace(entry, verified=False)))
    return changes


def _closing(
    entries: Sequence[Entry], judgements: Mapping[str, Judgement], look: Look
) -> Mapping[str, Literal["passed", "gone"]]:
    """Why entries that are not flagged are resolved, by fingerprint; those that stay open are left out."""
    ran = [entry for entry in entries if entry.verdict.rule_id in look.foundations]
    absent = [entry for entry in ran if entry.fingerprint not in judgements]
    named = {entry.fingerprint: look.foundations[entry.verdict.rule_id].names(entry.verdict) for entry in absent}
    inside = {Named(uid, (RESOURCES,)) for entry in absent for uid in entry.verdict.subject.inside}
    present = look.existing([*inside, *(name for names in named.values() for name in names)]) if absent else frozenset()
    closing: dict[str, Literal["passed", "gone"]] = {}
    for entry in ran:
        verdict, foundation = entry.verdict, look.foundations[entry.verdict.rule_id]
        judgement = judgements.get(entry.fingerprint)
        if judgement is Judgement.UNKNOWN or not look.visibility.visits(verdict):
            continue
        missing = Missing.of(named.get(entry.fingerprint, ()), present)
        hidden = (
            look.visibility.may_hide(verdict, foundation, missing, present)
            if missing
            else look.visibility.may_mislead(verdict, foundation)
        )
        if not hidden:
            closing[entry.fingerprint] = "passed" if judgement is Judgement.PASSED else "gone"
    return closing


def findings(
    entries: Iterable[Entry], verdicts: "Verdicts", moment: datetime, waivers: Mapping[int, Waiver]
) -> list[Finding]:
    """The unresolved findings of the rules that ran, waived or not, highest score first: the order of work."""
    rules = {rule.id: rule for rule in verdicts.rules}
    scored = []
    for entry in entries:
        rule = rules.get(entry.verdict.rule_id)
        if entry.state not in UNRESOLVED or rule is None:
            continue
        verdict = entry.verdict
        waiver = waivers.get(entry.waiver) if entry.waiver is not None else None
        opened = min(filter(None, (entry.first_seen_on, verdict.since)))
        likelihood = rule.likelihood if verdict.likelihood is None else verdict.likelihood
        weight = impact(
            rule.severity,
            audience=verdict.audience,
            access=verdict.access,
            resources=verdict.resources,
            size_bytes=verdict.bytes,
            people=verdict.people,
            rank=verdict.rank,
            days_open=max(0.0, (moment - opened).total_seconds() / 86400),
        )
        scored.append(
            Finding(
                fingerprint=entry.fingerprint,
                verdict=verdict,
                severity=rule.severity,
                score=score(likelihood, weight),
                likelihood=likelihood,
                impact=weight,
                state=entry.state if waiver is None else State.WAIVED,
                verified=entry.verified,
                first_seen_on=entry.first_seen_on,
                last_seen_on=entry.last_seen_on,
                message={language: message(text, verdict, language) for language, text in rule.text.items()},
                waiver=waiver,
            )
        )
    return sorted(scored, key=lambda finding: (-finding.score, finding.verdict.rule_id, finding.fingerprint))


def condensed(coverage: Sequence[Coverage]) -> list[Coverage]:
    """The rows that are not complete, then one row per account and table that sums up the complete ones."""
    sums: dict[tuple[str, str, str], Coverage] = {}
    for row in coverage:
        if row.outcome is Outcome.COMPLETE:
            key = (row.platform, row.account, row.table)
            summed = sums.get(key)
            sums[key] = Coverage(
                scope_uid=f"{row.platform}:account/{row.account}",
                scope_name=row.account or row.platform,
                platform=row.platform,
                account=row.account,
                table=row.table,
                outcome=Outcome.COMPLETE,
                facts=row.facts + (summed.facts if summed else 0),
                requests=row.requests + (summed.requests if summed else 0),
            )
    return [*(row for row in coverage if row.outcome is not Outcome.COMPLETE), *sums.values()]


def _flagged(before: Entry | None, fingerprint: str, verdict: Verdict, moment: datetime) -> Change:
    if before is None:
        entry = Entry(
            fingerprint=fingerprint,
            state=State.OPEN,
            verified=True,
            first_seen_on=moment,
            last_seen_on=moment,
            verdict=verdict,
        )
        return Change(entry=entry, events=(LifecycleEvent(kind=EventKind.OPENED),))
    reopened = before.state is State.RESOLVED
    state = State.REOPENED if reopened else before.state
    entry = Entry(
        fingerprint=fingerprint,
        state=state,
        verified=True,
        first_seen_on=before.first_seen_on,
        last_seen_on=moment,
        verdict=verdict,
        waiver=before.waiver,
    )
    return Change(entry=entry, events=(LifecycleEvent(kind=EventKind.REOPENED),) if reopened else ())


def _judgements(judgements_of: JudgementsOf, entries: Iterable[Entry]) -> Mapping[str, Judgement]:
    """What the rules say now, by fingerprint, of entries that they did not flag; absent ones are left out."""
    by_rule: dict[str, list[Entry]] = {}
    for entry in entries:
        by_rule.setdefault(entry.verdict.rule_id, []).append(entry)
    return {
        entry.fingerprint: judgements[tuple(entry.verdict.identity)]
        for rule_id, group in by_rule.items()
        for judgements in [judgements_of(rule_id, [entry.verdict.identity for entry in group])]
        for entry in group
        if tuple(entry.verdict.identity) in judgements
    }
