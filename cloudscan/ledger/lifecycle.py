"""The life of a finding: what one scan does to what stood before. Pure functions; `Ledger` keeps the result.

==========================================  =====================================================
what the scan says                          what becomes of a finding
==========================================  =====================================================
flagged                                     open; reopened where it had been resolved
passed                                      resolved: it was looked at and is fine
could not tell                              stays open, unverified
not there any more, nothing unread          resolved
not there any more, but something unread    stays open, unverified: it may be hidden there
the rule was not applied                    stays open, unverified
==========================================  =====================================================

What people decided comes on top of that: see `cloudscan.ledger.waivers`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from cloudscan.coverage import Coverage
from cloudscan.engine.judge import Verdicts
from cloudscan.facts import Outcome
from cloudscan.finding import Finding, Judgement, State, Verdict, Waiver, message
from cloudscan.ledger.score import impact, score
from cloudscan.snapshot.tables import is_uid

STANDING: Final = (State.OPEN, State.REOPENED)
_NONE: Final[frozenset[str]] = frozenset()
_HIDING: Final = ("all", "resources", "principals", "memberships")
"""Tables whose gaps can hide more than the one thing that the gap is about."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A finding as the ledger keeps it."""

    fingerprint: str
    state: State
    verified: bool
    first_seen_on: datetime
    last_seen_on: datetime
    verdict: Verdict
    waiver: int | None = None  # the waiver that holds; its state goes on beside it


@dataclass(frozen=True, kw_only=True)
class LifecycleEvent:
    """What befell a finding: opened, resolved, reopened or waived."""

    kind: str
    waiver: int | None = None  # the waiver that holds from now on, or the one that ended
    reason: str = ""  # why it was resolved: passed or gone; why a waiver ended: expired, revoked or widened


@dataclass(frozen=True, kw_only=True)
class Change:
    """An entry after a scan or a decision, and what befell it."""

    entry: Entry
    events: tuple[LifecycleEvent, ...] = ()


Asked = Callable[[str, Iterable[Sequence[str]]], Mapping[tuple[str, ...], Judgement]]
"""`Verdicts.judgements_of`: what became of identities under a rule. One that is not there any more is left out."""

Location = tuple[str, str]
"""A platform and an account on it."""


@dataclass(frozen=True, kw_only=True)
class ScanVisibility:
    """How far a scan could see."""

    looked: Set[Location]  # where anything was read at all
    blind: Set[Location]  # where something unread could hide anything
    missing: Mapping[Location, Set[str]]  # where single answers are missing, about what

    def covers(self, verdict: Verdict) -> bool:
        """Whether something that is not there any more is really gone, not just behind a missing answer."""
        platform, account = verdict.subject.platform, verdict.subject.account
        places = {(platform, account), (platform, "")} if account else {at for at in self.looked if at[0] == platform}
        if (platform, account) not in self.looked and (account or not places):
            return False
        named = _uids(verdict)
        return not places & self.blind and not any(self.missing.get(place, _NONE) & named for place in places)


def visibility_of(coverage: Iterable[Coverage], containers: Set[str]) -> ScanVisibility:
    """What coverage means for things that are not there. `containers` are resources that hold others."""
    looked: set[Location] = set()
    blind: set[Location] = set()
    missing: dict[Location, set[str]] = {}
    for row in coverage:
        place = (row.platform, row.account)
        looked.add(place)
        if row.outcome is Outcome.COMPLETE:
            continue
        # One answer that is missing about one thing that is itself known says nothing about its neighbours.
        if row.resource_uid is None or row.table in _HIDING or row.resource_uid in containers:
            blind.add(place)
        else:
            missing.setdefault(place, set()).add(row.resource_uid)
    return ScanVisibility(looked=looked, blind=blind, missing=missing)


def after(
    before: Iterable[Entry],
    flagged: Iterable[Verdict],
    asked: Asked,
    *,
    applied: Set[str],
    seen: ScanVisibility,
    moment: datetime,
) -> list[Change]:
    """What a scan at `moment` makes of the entries before it: all that stand, and the resolved ones that are back.

    `applied` names the rules that were at work, `asked` answers what they say of identities that are not flagged.
    """
    old = {entry.fingerprint: entry for entry in before}
    changes = [_flagged(old.pop(verdict.fingerprint, None), verdict, moment) for verdict in flagged]
    unseen = [entry for entry in old.values() if entry.state in STANDING]
    said = _judgements(asked, unseen)
    for entry in unseen:
        judgement = said.get(entry.fingerprint)
        gone = judgement is None and entry.verdict.rule_id in applied and seen.covers(entry.verdict)
        if judgement is Judgement.PASSED or gone:
            resolved = replace(entry, state=State.RESOLVED, verified=True)
            reason = "gone" if gone else "passed"
            changes.append(Change(entry=resolved, events=(LifecycleEvent(kind="resolved", reason=reason),)))
        else:
            changes.append(Change(entry=replace(entry, verified=False)))
    return changes


def findings(
    entries: Iterable[Entry], verdicts: Verdicts, moment: datetime, waivers: Mapping[int, Waiver]
) -> list[Finding]:
    """What stands under the rules of today, waived or not, highest score first: the order of work."""
    rules = {rule.id: rule for rule in verdicts.rules}
    found = []
    for entry in entries:
        rule = rules.get(entry.verdict.rule_id)
        if entry.state not in STANDING or rule is None:
            continue
        verdict = entry.verdict
        waiver = waivers.get(entry.waiver) if entry.waiver is not None else None
        opened = min(each for each in (entry.first_seen_on, verdict.since) if each is not None)
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
        found.append(
            Finding(
                fingerprint=entry.fingerprint,
                verdict=verdict,
                severity=rule.severity,
                score=score(rule.likelihood, weight),
                likelihood=rule.likelihood,
                impact=weight,
                state=entry.state if waiver is None else State.WAIVED,
                verified=entry.verified,
                first_seen_on=entry.first_seen_on,
                last_seen_on=entry.last_seen_on,
                message={language: message(text, verdict, language) for language, text in rule.text.items()},
                waiver=waiver,
            )
        )
    return sorted(found, key=lambda each: (-each.score, each.verdict.rule_id, each.fingerprint))


def condensed(coverage: Sequence[Coverage]) -> list[Coverage]:
    """One row for each thing that is not complete; what is complete is summed by account and table."""
    sums: dict[tuple[str, str, str], Coverage] = {}
    for row in coverage:
        if row.outcome is Outcome.COMPLETE:
            key = (row.platform, row.account, row.table)
            before = sums.get(key)
            sums[key] = Coverage(
                scope_uid=f"{row.platform}:account/{row.account}",
                scope_name=row.account or row.platform,
                platform=row.platform,
                account=row.account,
                table=row.table,
                outcome=Outcome.COMPLETE,
                facts=row.facts + (before.facts if before else 0),
                requests=row.requests + (before.requests if before else 0),
            )
    return [*(row for row in coverage if row.outcome is not Outcome.COMPLETE), *sums.values()]


def _flagged(was: Entry | None, verdict: Verdict, moment: datetime) -> Change:
    if was is None:
        entry = Entry(
            fingerprint=verdict.fingerprint,
            state=State.OPEN,
            verified=True,
            first_seen_on=moment,
            last_seen_on=moment,
            verdict=verdict,
        )
        return Change(entry=entry, events=(LifecycleEvent(kind="opened"),))
    back = was.state is State.RESOLVED
    state = State.REOPENED if back else was.state
    entry = replace(was, state=state, verified=True, last_seen_on=moment, verdict=verdict)
    return Change(entry=entry, events=(LifecycleEvent(kind="reopened"),) if back else ())


def _judgements(asked: Asked, entries: Iterable[Entry]) -> Mapping[str, Judgement]:
    """What the rules say now, by fingerprint, of entries that they did not flag."""
    by_rule: dict[str, list[Entry]] = {}
    for entry in entries:
        by_rule.setdefault(entry.verdict.rule_id, []).append(entry)
    return {
        entry.fingerprint: judgements[tuple(entry.verdict.identity)]
        for rule_id, group in by_rule.items()
        for judgements in [asked(rule_id, [entry.verdict.identity for entry in group])]
        for entry in group
        if tuple(entry.verdict.identity) in judgements
    }


def _uids(verdict: Verdict) -> set[str]:
    """Every thing of the estate that a verdict names."""
    rows = (piece.row for piece in verdict.evidence)
    told = {str(value) for row in rows for column, value in row.items() if is_uid(column) and value is not None}
    return {verdict.subject.uid, *verdict.identity, *told}
