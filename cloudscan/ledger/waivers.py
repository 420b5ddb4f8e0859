"""Waivers: risks that are accepted until a given date. Pure functions; `cloudscan.ledger.ledger` stores the result.

A waiver is for one finding, for a rule, for a target (a resource or an account), for a rule at a target, or for one
gap: an answer that scans lack. It is a fact beside what the scan saw: the finding is still watched, the question still
asked, and both are shown as waived as long as a waiver is *in force*.
A waiver ends after its last day, when it is revoked and, for a single finding, when that finding reaches further than
it did when the waiver first covered it: its reach is then *widened*, and has to be reviewed.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from msgspec import structs

from cloudscan.days import UTC_NAME, day_of
from cloudscan.errors import WaiverError
from cloudscan.finding import State, Subject, Verdict, Waiver
from cloudscan.ledger.lifecycle import UNRESOLVED, Change, Entry, LifecycleEvent
from cloudscan.ledger.reviews import renewals
from cloudscan.reach import TOLERANCE, Reach, widened
from cloudscan.report import EventKind, WaiverReview, WaiverStatus
from cloudscan.sentence import say
from cloudscan.snapshot.organisation import ORGANISATION, WAIVER, waiver_uid
from cloudscan.text import suggestion

MAX_DAYS: Final = 180
DUE_DAYS: Final = 14
_SHORTEST: Final = 4  # characters of a fingerprint
_LONGEST: Final = {"owner": 200, "reason": 1000, "by": 200}
_SHOWN: Final = 5


class CoveredFinding(NamedTuple):
    """A waiver and a finding that it covers."""

    waiver_id: int
    fingerprint: str


class WaiverScope(NamedTuple):
    """What a waiver is for: a fingerprint or a gap alone, or a rule, a target or both; the other fields are empty."""

    fingerprint: str = ""
    rule_id: str = ""
    target: str = ""
    gap: str = ""


@dataclass(frozen=True, kw_only=True)
class WaiverRequest:
    """A waiver to grant. `finding` and `gap` are ids or their beginnings; empty fields do not restrict it."""

    finding: str = ""
    rule_id: str = ""
    target: str = ""
    gap: str = ""
    owner: str
    reason: str
    until: date | None


@dataclass(frozen=True, kw_only=True)
class WaiverRegister:
    """All waivers, and what is known about each finding that they cover."""

    waivers: Mapping[int, Waiver] = field(default_factory=dict)
    revoked: Mapping[int, datetime] = field(default_factory=dict)
    baselines: Mapping[CoveredFinding, Reach] = field(
        default_factory=dict
    )  # the reach when a finding was first covered
    widenings: Mapping[CoveredFinding, Sequence[str]] = field(
        default_factory=dict
    )  # what was wider when coverage ended
    reviews: Mapping[str, Sequence[WaiverReview]] = field(default_factory=dict)  # in order, by uid
    timezone: str = UTC_NAME  # whose days waivers end with

    def in_force(self, waiver: Waiver, moment: datetime) -> bool:
        """Whether the waiver is neither revoked nor past its last day, which ends where the organisation works."""
        return waiver.id not in self.revoked and day_of(moment, self.timezone) <= waiver.until

    def why_ended(self, coverage: CoveredFinding) -> str:
        """Why a waiver no longer covers a finding: widened, revoked or expired."""
        if coverage in self.widenings:
            return "widened"
        return "revoked" if coverage.waiver_id in self.revoked else "expired"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Entries with the waivers applied, and what is new about the waivers."""

    changes: Sequence[Change]
    baselines: Mapping[CoveredFinding, Reach]
    widenings: Mapping[CoveredFinding, Sequence[str]]


def scopes_covering(verdict: Verdict) -> AbstractSet[WaiverScope]:
    """Every scope whose waivers cover this verdict.

    A target covers what it contains: a bucket its objects, a folder or a site everything below it. What is found about
    a waiver is covered by none: else waivers could keep each other from being reviewed.
    """
    subject = verdict.subject
    if is_about_a_waiver(subject):
        return frozenset()
    targets = {subject.account, subject.uid, *subject.inside, *verdict.identity} - {""}
    by_rule = {WaiverScope(rule_id=verdict.rule_id, target=target) for target in ("", *targets)}
    return {
        WaiverScope(fingerprint=verdict.fingerprint),
        *by_rule,
        *(WaiverScope(target=target) for target in targets),
    }


def is_about_a_waiver(subject: Subject) -> bool:
    """Whether a finding is about a waiver, or an entry of an allow-list: a review answers it, and nothing else."""
    return subject.platform == ORGANISATION and subject.kind == WAIVER


def decide(
    changes: Iterable[Change], register: WaiverRegister, moment: datetime, tolerance: float = TOLERANCE
) -> Decision:
    """Apply the waivers to what a scan saw.

    An unresolved finding that a waiver in force covers is waived; one that none covers any more is reopened. If
    several waivers cover it, the one that ends last is named.
    """
    by_scope: dict[WaiverScope, list[Waiver]] = {}
    for waiver in register.waivers.values():
        if register.in_force(waiver, moment):
            by_scope.setdefault(_scope_of(waiver), []).append(waiver)
    baselines: dict[CoveredFinding, Reach] = {}
    widenings: dict[CoveredFinding, Sequence[str]] = {}

    def covers(waiver: Waiver, entry: Entry) -> bool:
        coverage = CoveredFinding(waiver.id, entry.fingerprint)
        if coverage in register.widenings:
            return False
        reach = Reach.of(entry.verdict)
        if coverage not in register.baselines:
            baselines[coverage] = reach
            return True
        if wider := widened(register.baselines[coverage], reach, tolerance):
            widenings[coverage] = wider
        return not wider

    def applied(change: Change) -> Change:
        entry = change.entry
        if entry.state not in UNRESOLVED:
            return structs.replace(change, entry=structs.replace(entry, waiver=None))
        scopes = scopes_covering(entry.verdict) if by_scope else ()
        candidates = (waiver for scope in scopes for waiver in by_scope.get(scope, ()))
        covering = [waiver for waiver in candidates if covers(waiver, entry)]
        longest = max(covering, key=lambda waiver: (waiver.until, waiver.id), default=None)
        if longest is not None:
            events = () if entry.waiver else (LifecycleEvent(kind=EventKind.WAIVED, waiver=longest.id),)
            return Change(entry=structs.replace(entry, waiver=longest.id), events=(*change.events, *events))
        if entry.waiver is None:
            return change
        coverage = CoveredFinding(entry.waiver, entry.fingerprint)
        reason = "widened" if coverage in widenings else register.why_ended(coverage)
        event = LifecycleEvent(kind=EventKind.REOPENED, waiver=entry.waiver, reason=reason)
        return Change(entry=structs.replace(entry, state=State.REOPENED, waiver=None), events=(*change.events, event))

    return Decision(changes=[applied(change) for change in changes], baselines=baselines, widenings=widenings)


def granted(
    request: WaiverRequest,
    *,
    matches: Sequence[Entry],
    unresolved: Sequence[Entry],
    accounts: AbstractSet[str],
    register: WaiverRegister,
    now: datetime,
    max_days: int = MAX_DAYS,
) -> Waiver:
    """The waiver that was requested, still without an id. `matches` are the findings that `request.finding` may mean.

    `request.gap` is a gap's whole id. Raises `WaiverError` for one that cannot be granted, with what to write instead.
    """
    if sum(map(bool, (request.finding, request.rule_id or request.target, request.gap))) != 1:
        raise WaiverError(
            say(
                "A waiver is for one finding (--finding), for one gap (--gap), or for a rule, a target "
                "or both (--rule, --target); name one of these. `cloudscan findings` lists the open "
                "findings, `cloudscan gaps` the gaps."
            )
        )
    waiver = Waiver(
        id=0,
        fingerprint=_fingerprint_of(request.finding, matches) if request.finding else "",
        rule_id=request.rule_id,
        target=_known_target(request.target, unresolved, accounts) if request.target else "",
        gap=request.gap,
        owner=checked_text("owner", request.owner),
        reason=checked_text("reason", request.reason),
        given_on=now,
        until=_last_day(request.until, day_of(now, register.timezone), max_days),
    )
    for other in register.waivers.values():
        same = _scope_of(other) == _scope_of(waiver) and register.in_force(other, now) and other.until >= waiver.until
        if same and not any(coverage.waiver_id == other.id for coverage in register.widenings):
            raise WaiverError(
                say(
                    "Waiver {id} of {owner} covers the same until {until}. To shorten it, revoke it first: "
                    "cloudscan waive revoke {id}",
                    id=other.id,
                    owner=other.owner,
                    until=other.until,
                )
            )
    return waiver


def revocable(waiver_id: int, register: WaiverRegister, now: datetime) -> Waiver:
    """The waiver with this id, if it is still in force. Raises `WaiverError`."""
    waiver = register.waivers.get(waiver_id)
    if waiver is None:
        current = [str(waiver.id) for waiver in register.waivers.values() if register.in_force(waiver, now)]
        raise WaiverError(
            say(
                "There is no waiver {waiver_id}; {hint}.", waiver_id=waiver_id, hint=suggestion(str(waiver_id), current)
            )
        )
    if waiver_id in register.revoked:
        raise WaiverError(
            say(
                "Waiver {waiver_id} was already revoked on {revoked}.",
                waiver_id=waiver_id,
                revoked=day_of(register.revoked[waiver_id], register.timezone),
            )
        )
    if not register.in_force(waiver, now):
        raise WaiverError(
            say(
                "Waiver {waiver_id} ended on {until}; there is nothing left to revoke.",
                waiver_id=waiver_id,
                until=waiver.until,
            )
        )
    return waiver


def covered(waiver: Waiver, unresolved: Iterable[Entry]) -> list[Entry]:
    """The unresolved findings in the scope of a waiver."""
    scope = _scope_of(waiver)
    return [entry for entry in unresolved if scope in scopes_covering(entry.verdict)]


def statuses(
    register: WaiverRegister,
    unresolved: Iterable[Entry],
    now: datetime,
    due_days: int = DUE_DAYS,
    gaps: AbstractSet[str] = frozenset(),
) -> list[WaiverStatus]:
    """The status of each waiver, the first to end first. `due_days` is how long before its end one is due soon.

    `gaps` are those of the last scan.
    """
    by_scope: dict[WaiverScope, list[Entry]] = {}
    for entry in unresolved:
        for scope in scopes_covering(entry.verdict):
            by_scope.setdefault(scope, []).append(entry)
    renewed = renewals(register.waivers.values(), register.revoked, register.timezone)
    listed = [
        _status(waiver, register, by_scope.get(_scope_of(waiver), []), now, due_days, still=waiver.gap in gaps)
        for waiver in register.waivers.values()
    ]
    listed = [
        structs.replace(
            status,
            renewals=renewed[status.waiver.id],
            reviews=register.reviews.get(waiver_uid(status.waiver.id), ()),
        )
        for status in listed
    ]
    return sorted(listed, key=lambda status: (status.waiver.until, status.waiver.id))


def _status(
    waiver: Waiver, register: WaiverRegister, entries: Sequence[Entry], now: datetime, due_days: int, *, still: bool
) -> WaiverStatus:
    """`still` says of a waiver of a gap that the last scan had it."""
    widenings = {
        entry.fingerprint: register.widenings[CoveredFinding(waiver.id, entry.fingerprint)]
        for entry in entries
        if entry.waiver is None and CoveredFinding(waiver.id, entry.fingerprint) in register.widenings
    }
    if register.in_force(waiver, now):
        covered_now = (entry for entry in entries if (waiver.id, entry.fingerprint) not in register.widenings)
        findings = [entry.fingerprint for entry in covered_now]
        due = waiver.until - day_of(now, register.timezone) <= timedelta(days=due_days)
        notes = {"due_soon": due, "unused": not findings and not still, "widened": bool(widenings)}
        current = True
    else:
        findings = [entry.fingerprint for entry in entries if entry.waiver in (None, waiver.id)]
        revoked = waiver.id in register.revoked
        current = bool(findings or still) and not revoked
        notes = {"overdue": current, "revoked": revoked, "ended": not current and not revoked}
    return WaiverStatus(
        waiver=waiver,
        current=current,
        notes=[note for note, applies in notes.items() if applies],
        findings=findings,
        widened=widenings,
        revoked_on=register.revoked.get(waiver.id),
    )


def _scope_of(waiver: Waiver) -> WaiverScope:
    return WaiverScope(waiver.fingerprint, waiver.rule_id, waiver.target, waiver.gap)


def _fingerprint_of(beginning: str, matches: Sequence[Entry]) -> str:
    if len(beginning) < _SHORTEST:
        raise WaiverError(
            say(
                "{beginning} is too short for a finding's id; write at least {shortest} characters of it.",
                beginning=repr(beginning),
                shortest=_SHORTEST,
            )
        )
    if not matches:
        raise WaiverError(
            say(
                "There is no finding {beginning}; `cloudscan findings` lists the ids in its last column.",
                beginning=repr(beginning),
            )
        )
    unresolved = [entry for entry in matches if entry.state in UNRESOLVED]
    if not unresolved:
        raise WaiverError(
            say("The finding {beginning} is resolved; there is nothing to waive.", beginning=repr(beginning))
        )
    if len(unresolved) > 1:
        ids = ", ".join(sorted(entry.fingerprint[:12] for entry in unresolved)[:_SHOWN])
        raise WaiverError(
            say(
                "{beginning} matches {count} findings; write more of the id: {ids}.",
                beginning=repr(beginning),
                count=len(unresolved),
                ids=ids,
            )
        )
    if is_about_a_waiver(unresolved[0].verdict.subject):
        raise WaiverError(
            say(
                "The finding {beginning} is about a waiver, which no other waiver can cover; `cloudscan waive review` "
                "lists what has to be decided.",
                beginning=repr(beginning),
            )
        )
    return unresolved[0].fingerprint


def _known_target(target: str, unresolved: Sequence[Entry], accounts: AbstractSet[str]) -> str:
    known = {scope.target for entry in unresolved for scope in scopes_covering(entry.verdict)}
    if target in known | accounts:
        return target
    similar = sorted(name for name in known if target.lower() in name.lower())[:_SHOWN]
    instead = say("write one of {words}", words=", ".join(similar)) if similar else suggestion(target, sorted(accounts))
    raise WaiverError(
        say(
            "No open finding at {target}, which is neither an account nor a resource's id; {instead}.",
            target=repr(target),
            instead=instead,
        )
    )


def checked_text(option: str, text: str) -> str:
    """The text of an option that people read in lists: one line, not too long. Raises `WaiverError`."""
    text = text.strip()
    if not text:
        raise WaiverError(
            say(
                "A waiver needs --{option}: readers of the list must see {purpose}.",
                option=option,
                purpose=_PURPOSES[option],
            )
        )
    if len(text) > _LONGEST[option]:
        raise WaiverError(
            say(
                "--{option} has {count} characters; write at most {longest}.",
                option=option,
                count=len(text),
                longest=_LONGEST[option],
            )
        )
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
        raise WaiverError(
            say("--{option} contains line breaks or other control characters; write one line of text.", option=option)
        )
    return text


_PURPOSES: Final = {
    "owner": say("who answers for it"),
    "by": say("who decided"),
    "reason": say("why the risk is acceptable"),
}


def _last_day(until: date | None, today: date, max_days: int) -> date:
    latest = today + timedelta(days=max_days)
    limit = say("{latest} at the latest ([waivers] max_days = {max_days})", latest=latest, max_days=max_days)
    if until is None:
        raise WaiverError(say("A waiver needs an end; write --until with a date, {limit}.", limit=limit))
    if until < today:
        raise WaiverError(
            say(
                "{until} is in the past; write --until with a date from {today} on, {limit}.",
                until=until,
                today=today,
                limit=limit,
            )
        )
    if until > latest:
        raise WaiverError(
            say(
                "{until} is too far away; write --until {latest}, or an earlier date ([waivers] max_days "
                "= {max_days}).",
                until=until,
                latest=latest,
                max_days=max_days,
            )
        )
    return until
