"""Whether the estate changed, or only the judgement: why a finding appears, vanishes or reaches further.

A finding is compared with the newest earlier scan that could see its subject. Where that scan was judged by the same
rule, parameters and translation, the estate changed. Where it was not:

=====================  ===========================================================================================
what differs           what tells judgement and estate apart
=====================  ===========================================================================================
the rule, its params   today's rule on the earlier snapshot. If it says there what it says today, only the
                       judgement changed; if it says something else, the estate did
the translation        what the platform said, by its digest (`cloudscan.facts.OBSERVED`), of all that the verdict
                       is about. If it is the same in both snapshots, only the judgement changed; without digests
                       it is unclear, unless the platform dates the change after the earlier scan
=====================  ===========================================================================================

What is not known, because the earlier snapshot is no longer there or was never seen, is *unclear*: never *estate*, as
nobody has seen it change, and never a judgement, as nobody has seen that it did not.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from cloudscan.engine.judge import Verdicts, judge, judgements_of
from cloudscan.engine.rule_file import Rule
from cloudscan.errors import CloudscanError
from cloudscan.finding import Judgement, Verdict
from cloudscan.ledger import basis, estate
from cloudscan.ledger.basis import Basis, PastScan
from cloudscan.ledger.estate import ObservedRow
from cloudscan.ledger.history import PRECISION, ExposurePeriod
from cloudscan.ledger.lifecycle import Change
from cloudscan.ledger.visibility import PRINCIPALS, RESOURCES, Missing, Named, uids_of
from cloudscan.reach import Reach, differ
from cloudscan.report import ChangedBy, EventKind
from cloudscan.snapshot.snapshot import Snapshot

_OBSERVABLE: Final = frozenset({RESOURCES, PRINCIPALS, "grants"})
"""The tables that the digests of resources and principals answer for."""


class Turn(Enum):
    """How a finding changed."""

    APPEARED = auto()  # opened or reopened
    VANISHED = auto()  # resolved
    REACHES_DIFFERENTLY = auto()


@dataclass(frozen=True, kw_only=True)
class Turned:
    """A finding that changed, and its verdict: today's, or the last one if it vanished."""

    turn: Turn
    verdict: Verdict


def turned(changes: Iterable[Change], periods: Mapping[str, ExposurePeriod]) -> dict[str, Turned]:
    """The findings that a scan changed, by fingerprint.

    `periods` are the exposure periods before it; those that it continues may be left out.
    """
    found: dict[str, Turned] = {}
    for change in changes:
        entry, before = change.entry, periods.get(change.entry.fingerprint)
        if before is None and not change.events:
            continue
        kinds = {event.kind for event in change.events if event.waiver is None}
        if kinds & {EventKind.OPENED, EventKind.REOPENED}:
            found[entry.fingerprint] = Turned(turn=Turn.APPEARED, verdict=entry.verdict)
        elif EventKind.RESOLVED in kinds:
            found[entry.fingerprint] = Turned(turn=Turn.VANISHED, verdict=entry.verdict)
        elif before and entry.verified and differ(before.reach, Reach.of(entry.verdict), PRECISION):
            found[entry.fingerprint] = Turned(turn=Turn.REACHES_DIFFERENTLY, verdict=entry.verdict)
    return found


def attribute(
    turned: Mapping[str, Turned], snapshot: Snapshot, verdicts: Verdicts, now: Basis, past: Sequence[PastScan]
) -> dict[str, ChangedBy]:
    """What made findings change, by fingerprint. `past` are the last scans before, the newest first."""
    changed_by = dict.fromkeys(turned, ChangedBy.ESTATE)
    pending = {
        fingerprint: one
        for fingerprint, one in turned.items()
        if any(_differs(scan.basis, now, one.verdict) for scan in _candidates(past, one.verdict))
    }
    for scan in past:
        if not pending:
            break
        asked = {
            fingerprint: one
            for fingerprint, one in pending.items()
            if scan.basis is None or scan.basis.may_have_read(one.verdict.subject.platform)
        }
        with _opened(scan) as earlier:
            comparison = _Comparison(snapshot, verdicts, now, scan, earlier)
            decided = comparison.decide(asked)
        changed_by |= decided
        pending = {fingerprint: one for fingerprint, one in pending.items() if fingerprint not in decided}
    return {**changed_by, **dict.fromkeys(pending, ChangedBy.UNCLEAR)}


def _candidates(past: Iterable[PastScan], verdict: Verdict) -> Iterator[PastScan]:
    platform = verdict.subject.platform
    return (scan for scan in past if scan.basis is None or scan.basis.may_have_read(platform))


def _differs(before: Basis | None, now: Basis, verdict: Verdict) -> bool:
    """Whether a verdict is made by something else than before."""
    return bool(
        basis.rule_change(before, now, verdict.rule_id)
        or basis.translation_change(before, now, verdict.subject.platform)
    )


@contextmanager
def _opened(scan: PastScan) -> Iterator[Snapshot | None]:
    """The snapshot of a scan; None if it is no longer there, or cannot be used."""
    snapshot: Snapshot | None = None
    with suppress(CloudscanError):
        snapshot = Snapshot.open(scan.folder)
    try:
        yield snapshot if snapshot and snapshot.scan.id == scan.id else None
    finally:
        if snapshot:
            snapshot.close()


class _Comparison:
    """Today's verdicts beside one earlier scan."""

    def __init__(
        self, snapshot: Snapshot, verdicts: Verdicts, now: Basis, scan: PastScan, earlier: Snapshot | None
    ) -> None:
        self._snapshot = snapshot
        self._verdicts = verdicts
        self._rules = {rule.id: rule for rule in verdicts.rules}
        self._now = now
        self._scan = scan
        self._earlier = earlier

    def decide(self, turned: Mapping[str, Turned]) -> dict[str, ChangedBy]:
        """What made findings change since this scan; those whose subject it could not see are left out."""
        if self._earlier is None:
            # It was probably seen: what is the same since then was so in what is lost, too.
            return {
                fingerprint: ChangedBy.ESTATE
                for fingerprint, one in turned.items()
                if not _differs(self._scan.basis, self._now, one.verdict)
            }
        fingerprints = self._seen(self._earlier, turned)
        seen = {fingerprint: one for fingerprint, one in turned.items() if fingerprint in fingerprints}
        by_rule = self._by_rule(self._earlier, seen)
        left = {fingerprint: one for fingerprint, one in seen.items() if fingerprint not in by_rule}
        return {**by_rule, **self._by_translation(self._earlier, left)}

    def _seen(self, earlier: Snapshot, turned: Mapping[str, Turned]) -> set[str]:
        """The findings whose subjects the scan saw, or would have seen."""
        judged = {fingerprint: one for fingerprint, one in turned.items() if one.verdict.rule_id in self._rules}
        look = estate.look_at(
            earlier, earlier.coverage(), self._rules.values(), lambda: [one.verdict for one in judged.values()]
        )
        named = {
            fingerprint: look.foundations[one.verdict.rule_id].names(one.verdict) for fingerprint, one in judged.items()
        }
        inside = {Named(uid, (RESOURCES,)) for one in judged.values() for uid in one.verdict.subject.inside}
        present = look.existing([*inside, *(name for names in named.values() for name in names)]) if judged else set()

        def is_seen(fingerprint: str, verdict: Verdict) -> bool:
            if not look.visibility.visits(verdict):
                return False
            foundation, missing = look.foundations[verdict.rule_id], Missing.of(named[fingerprint], present)
            if missing:
                return not look.visibility.may_hide(verdict, foundation, missing, present)
            return not look.visibility.may_mislead(verdict, foundation)

        return {fingerprint for fingerprint, one in judged.items() if is_seen(fingerprint, one.verdict)}

    def _by_rule(self, earlier: Snapshot, turned: Mapping[str, Turned]) -> dict[str, ChangedBy]:
        """What today's rules make of the earlier snapshot: those that differ and say there what they say today."""
        decided: dict[str, ChangedBy] = {}
        groups: dict[str, dict[str, Turned]] = {}
        for fingerprint, one in turned.items():
            if basis.rule_change(self._scan.basis, self._now, one.verdict.rule_id):
                groups.setdefault(one.verdict.rule_id, {})[fingerprint] = one
        for rule_id, group in groups.items():
            kind = basis.rule_change(self._scan.basis, self._now, rule_id) or ChangedBy.RULE
            then = _Then.of(earlier, self._rules[rule_id], self._verdicts, group)
            for fingerprint, one in group.items():
                same = then.says_the_same(one)
                if same is not False:
                    decided[fingerprint] = kind if same else ChangedBy.UNCLEAR
        return decided

    def _by_translation(self, earlier: Snapshot, turned: Mapping[str, Turned]) -> dict[str, ChangedBy]:
        """What platforms said then and say now: of those whose rule decides nothing."""
        kinds = {
            fingerprint: basis.translation_change(self._scan.basis, self._now, one.verdict.subject.platform)
            for fingerprint, one in turned.items()
        }
        translated = [one.verdict for fingerprint, one in turned.items() if kinds[fingerprint]]
        uids = {uid for verdict in translated for uid in _about(verdict)}
        before, after = estate.observed(earlier, uids), estate.observed(self._snapshot, uids)
        return {
            fingerprint: self._translated(one, kind, before, after) if kind else ChangedBy.ESTATE
            for fingerprint, one in turned.items()
            for kind in [kinds[fingerprint]]
        }

    def _translated(
        self, one: Turned, kind: ChangedBy, before: Mapping[str, ObservedRow], after: Mapping[str, ObservedRow]
    ) -> ChangedBy:
        verdict, then = one.verdict, self._scan.started_on
        created_on = after[verdict.subject.uid].created_on if verdict.subject.uid in after else None
        if one.turn is Turn.APPEARED and any(moment and moment > then for moment in (verdict.since, created_on)):
            return ChangedBy.ESTATE
        tables = estate.foundation_of(self._rules[verdict.rule_id]).tables
        uids = [uid for uid in _about(verdict) if uid in before or uid in after]
        pairs = [(before.get(uid), after.get(uid)) for uid in uids]
        if uids and tables <= _OBSERVABLE and all(old and new and old.says_the_same(new) for old, new in pairs):
            return kind
        # Another version may observe more: only where the version is the same does another digest mean a change.
        if kind is ChangedBy.CONFIGURATION and any(old and new and old.says_otherwise(new) for old, new in pairs):
            return ChangedBy.ESTATE
        return ChangedBy.UNCLEAR


def _about(verdict: Verdict) -> set[str]:
    """The uids of what a verdict is about. What a resource is in is not among them: its digest answers for that."""
    return uids_of(verdict) - (set(verdict.subject.inside) - {verdict.subject.uid, *verdict.identity})


@dataclass(frozen=True)
class _Then:
    """What one of today's rules says of an earlier snapshot."""

    judgements: Mapping[tuple[str, ...], Judgement]  # of the identities that are there
    reaches: Mapping[str, Reach]  # of what it flags, by fingerprint; only where somebody asks for them

    @classmethod
    def of(cls, earlier: Snapshot, rule: Rule, verdicts: Verdicts, group: Mapping[str, Turned]) -> "_Then":
        params = {rule.id: verdicts.params[rule.id]} if rule.id in verdicts.params else {}
        identities = [one.verdict.identity for one in group.values()]
        reaches: Mapping[str, Reach] = {}
        if any(one.turn is Turn.REACHES_DIFFERENTLY for one in group.values()):
            flagged = judge(earlier, [rule], timezone=verdicts.timezone, params=params).flagged
            reaches = {verdict.fingerprint: Reach.of(verdict) for verdict in flagged}
        return cls(judgements_of(earlier, rule, identities, timezone=verdicts.timezone, params=params), reaches)

    def says_the_same(self, one: Turned) -> bool | None:
        """Whether it said then what it says today; None: it did not know."""
        judgement = self.judgements.get(tuple(one.verdict.identity))
        if judgement is Judgement.UNKNOWN:
            return None
        flagged = judgement is Judgement.FLAGGED
        if one.turn is Turn.VANISHED:
            return not flagged
        if one.turn is Turn.APPEARED:
            return flagged
        reach = self.reaches.get(one.verdict.fingerprint)
        return reach is not None and not differ(reach, Reach.of(one.verdict), PRECISION)
