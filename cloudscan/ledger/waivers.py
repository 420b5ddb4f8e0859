"""Waivers: what somebody decided to live with, until a day. Pure functions; `cloudscan.ledger.ledger` keeps the result.

A waiver is about one finding, about a rule, about a place (a resource or an account), or about a rule in a place. It
is a fact beside what the machine saw: the finding goes on being watched, and is shown as waived as long as a waiver
*holds*. A waiver stops to hold when its last day is over, when it is revoked, and, for one finding, when that finding
reaches further than it did when the waiver first covered it. Then a person has to look again.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from cloudscan.errors import WaiverError
from cloudscan.finding import State, Verdict, Waiver
from cloudscan.ledger.lifecycle import STANDING, Change, Entry, LifecycleEvent
from cloudscan.reach import TOLERANCE, Reach, widened
from cloudscan.report import WaiverStatus
from cloudscan.text import one_of

MAX_DAYS: Final = 180
DUE_DAYS: Final = 14
NOTES: Final = ("due soon", "overdue", "unused", "grown")
_SHORTEST: Final = 4  # letters of a fingerprint
_LONGEST: Final = {"owner": 200, "reason": 1000}
_SOME: Final = 5

Key = tuple[int, str]
"""A waiver and the fingerprint of a finding that it covers."""


@dataclass(frozen=True, kw_only=True)
class WaiverRequest:
    """A waiver that somebody asks for. `finding` is a fingerprint or its beginning; empty targets are left out."""

    finding: str = ""
    rule_id: str = ""
    target: str = ""
    owner: str
    reason: str
    until: date | None


@dataclass(frozen=True, kw_only=True)
class WaiverRegister:
    """All waivers, and what is known about each finding under them."""

    waivers: Mapping[int, Waiver] = field(default_factory=dict)
    revoked: Mapping[int, datetime] = field(default_factory=dict)
    accepted: Mapping[Key, Reach] = field(default_factory=dict)  # how far a finding reached when it was first covered
    outgrown: Mapping[Key, Sequence[str]] = field(default_factory=dict)  # what had grown when it stopped to hold

    def in_force(self, waiver: Waiver, moment: datetime) -> bool:
        return waiver.id not in self.revoked and moment.astimezone(UTC).date() <= waiver.until

    def why_ended(self, waiver_id: int, fingerprint: str) -> str:
        """widened, revoked or expired."""
        if (waiver_id, fingerprint) in self.outgrown:
            return "widened"
        return "revoked" if waiver_id in self.revoked else "expired"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What waivers make of the entries: the changes with waivers weighed in, and what is new about the waivers."""

    changes: Sequence[Change]
    accepted: Mapping[Key, Reach]
    outgrown: Mapping[Key, Sequence[str]]


def targets(verdict: Verdict) -> Set[tuple[str, str, str]]:
    """Every (fingerprint, rule, place) that a waiver about this verdict can name.

    A place stands for what lies in it too: a bucket for its objects, a folder or a site for all below it.
    """
    subject = verdict.subject
    places = {subject.account, subject.uid, *subject.inside, *verdict.identity} - {""}
    about = {(rule_id, place) for rule_id in ("", verdict.rule_id) for place in ("", *places)} - {("", "")}
    return {(verdict.fingerprint, "", ""), *(("", rule_id, place) for rule_id, place in about)}


def decide(changes: Iterable[Change], book: WaiverRegister, moment: datetime, tolerance: float = TOLERANCE) -> Decision:
    """Weigh waivers into what the machine saw.

    A finding that stands and for which a waiver holds is waived; one for which none holds any more is reopened. Where
    several hold, the one that ends last is named.
    """
    by_target: dict[tuple[str, str, str], list[Waiver]] = {}
    for waiver in book.waivers.values():
        if book.in_force(waiver, moment):
            by_target.setdefault(_target(waiver), []).append(waiver)
    accepted: dict[Key, Reach] = {}
    outgrown: dict[Key, Sequence[str]] = {}

    def holds(waiver: Waiver, entry: Entry) -> bool:
        key = (waiver.id, entry.fingerprint)
        if key in book.outgrown:
            return False
        reach = Reach.of(entry.verdict)
        if key not in book.accepted:
            accepted[key] = reach
            return True
        if more := widened(book.accepted[key], reach, tolerance):
            outgrown[key] = more
        return not more

    def weighed(change: Change) -> Change:
        entry = change.entry
        if entry.state not in STANDING:
            return replace(change, entry=replace(entry, waiver=None))
        about = targets(entry.verdict) if by_target else ()
        covering = (waiver for target in about for waiver in by_target.get(target, ()))
        holding = [waiver for waiver in covering if holds(waiver, entry)]
        best = max(holding, key=lambda waiver: (waiver.until, waiver.id), default=None)
        if best is not None:
            news = () if entry.waiver else (LifecycleEvent(kind="waived", waiver=best.id),)
            return Change(entry=replace(entry, waiver=best.id), events=(*change.events, *news))
        if entry.waiver is None:
            return change
        why = "widened" if (entry.waiver, entry.fingerprint) in outgrown else ""
        event = LifecycleEvent(
            kind="reopened", waiver=entry.waiver, reason=why or book.why_ended(entry.waiver, entry.fingerprint)
        )
        return Change(entry=replace(entry, state=State.REOPENED, waiver=None), events=(*change.events, event))

    weighed_in = [weighed(change) for change in changes]
    return Decision(changes=weighed_in, accepted=accepted, outgrown=outgrown)


def granted(
    wish: WaiverRequest,
    *,
    alike: Sequence[Entry],
    standing: Sequence[Entry],
    accounts: Set[str],
    book: WaiverRegister,
    now: datetime,
    max_days: int = MAX_DAYS,
) -> Waiver:
    """The waiver that was asked for, still without a number. `alike` are the findings that `wish.finding` may mean.

    Raises `WaiverError` for one that cannot be given, with what to write instead.
    """
    if bool(wish.finding) == bool(wish.rule_id or wish.target):
        raise WaiverError(
            "A waiver is about one finding (--finding), or about a rule, a place or both (--rule, --target); name one "
            "of the two. `cloudscan findings` lists what stands open."
        )
    waiver = Waiver(
        id=0,
        fingerprint=_meant(wish.finding, alike) if wish.finding else "",
        rule_id=wish.rule_id,
        target=_known_place(wish.target, standing, accounts) if wish.target else "",
        owner=_said("owner", wish.owner),
        reason=_said("reason", wish.reason),
        given_on=now,
        until=_end(wish.until, now, max_days),
    )
    for other in book.waivers.values():
        same = _target(other) == _target(waiver) and book.in_force(other, now) and other.until >= waiver.until
        if same and not any(waiver_id == other.id for waiver_id, _ in book.outgrown):
            raise WaiverError(
                f"Waiver {other.id} of {other.owner} says the same until {other.until}. To shorten it, revoke it "
                f"first: cloudscan waive revoke {other.id}"
            )
    return waiver


def revocable(waiver_id: int, book: WaiverRegister, now: datetime) -> Waiver:
    """The waiver with this number, if it is still in force. Raises `WaiverError`."""
    waiver = book.waivers.get(waiver_id)
    if waiver is None:
        current = [str(each.id) for each in book.waivers.values() if book.in_force(each, now)]
        raise WaiverError(f"There is no waiver {waiver_id}; {one_of(str(waiver_id), current)}.")
    if waiver_id in book.revoked:
        raise WaiverError(f"Waiver {waiver_id} was revoked on {book.revoked[waiver_id]:%Y-%m-%d} already.")
    if not book.in_force(waiver, now):
        raise WaiverError(f"Waiver {waiver_id} ended on {waiver.until}; there is nothing left to revoke.")
    return waiver


def covered(waiver: Waiver, standing: Iterable[Entry]) -> list[Entry]:
    """The findings that a waiver is about."""
    target = _target(waiver)
    return [entry for entry in standing if target in targets(entry.verdict)]


def statuses(
    book: WaiverRegister, standing: Iterable[Entry], now: datetime, due_days: int = DUE_DAYS
) -> list[WaiverStatus]:
    """How each waiver stands, the first to end first."""
    under: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in standing:
        for target in targets(entry.verdict):
            under.setdefault(target, []).append(entry)
    found = [_status(waiver, book, under.get(_target(waiver), []), now, due_days) for waiver in book.waivers.values()]
    return sorted(found, key=lambda each: (each.waiver.until, each.waiver.id))


def _status(
    waiver: Waiver, book: WaiverRegister, entries: Sequence[Entry], now: datetime, due_days: int
) -> WaiverStatus:
    outgrown = {
        entry.fingerprint: book.outgrown[waiver.id, entry.fingerprint]
        for entry in entries
        if entry.waiver is None and (waiver.id, entry.fingerprint) in book.outgrown
    }
    if book.in_force(waiver, now):
        held = [entry.fingerprint for entry in entries if (waiver.id, entry.fingerprint) not in book.outgrown]
        due = waiver.until - now.astimezone(UTC).date() <= timedelta(days=due_days)
        said = {"due_soon": due, "unused": not held, "widened": bool(outgrown)}
        current = True
    else:
        held = [entry.fingerprint for entry in entries if entry.waiver in (None, waiver.id)]
        revoked = waiver.id in book.revoked
        current = bool(held) and not revoked
        said = {"overdue": current, "revoked": revoked, "ended": not current and not revoked}
    return WaiverStatus(
        waiver=waiver,
        current=current,
        notes=[note for note, true in said.items() if true],
        findings=held,
        widened=outgrown,
        revoked_on=book.revoked.get(waiver.id),
    )


def _target(waiver: Waiver) -> tuple[str, str, str]:
    return waiver.fingerprint, waiver.rule_id, waiver.target


def _meant(beginning: str, alike: Sequence[Entry]) -> str:
    if len(beginning) < _SHORTEST:
        raise WaiverError(f"{beginning!r} is too short for a finding's id; write at least {_SHORTEST} letters of it.")
    if not alike:
        raise WaiverError(f"There is no finding {beginning!r}; `cloudscan findings` lists the ids in its last column.")
    standing = [entry for entry in alike if entry.state in STANDING]
    if not standing:
        raise WaiverError(f"The finding {beginning!r} is resolved; there is nothing to waive.")
    if len(standing) > 1:
        some = ", ".join(sorted(entry.fingerprint[:12] for entry in standing)[:_SOME])
        raise WaiverError(f"{beginning!r} may mean {len(standing)} findings; write more of it: {some}.")
    return standing[0].fingerprint


def _known_place(place: str, standing: Sequence[Entry], accounts: Set[str]) -> str:
    known = {name for entry in standing for _, _, name in targets(entry.verdict)}
    if place in known | accounts:
        return place
    alike = sorted(name for name in known if place.lower() in name.lower())[:_SOME]
    instead = f"write one of {', '.join(alike)}" if alike else one_of(place, sorted(accounts))
    raise WaiverError(f"Nothing stands open at a place {place!r}, an account or a resource's id; {instead}.")


def _said(what: str, text: str) -> str:
    text = text.strip()
    if not text:
        raise WaiverError(f"A waiver needs --{what}: who reads the list must see {_ASKED[what]}.")
    if len(text) > _LONGEST[what]:
        raise WaiverError(f"--{what} has {len(text)} letters; write at most {_LONGEST[what]}.")
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
        raise WaiverError(f"--{what} has line breaks or other control characters; write one line of text.")
    return text


_ASKED: Final = {"owner": "who answers for it", "reason": "why it is accepted"}


def _end(until: date | None, now: datetime, max_days: int) -> date:
    today = now.astimezone(UTC).date()
    latest = today + timedelta(days=max_days)
    limit = f"{latest} at the latest ([waivers] max_days = {max_days})"
    if until is None:
        raise WaiverError(f"A waiver has an end; write --until with a day, {limit}.")
    if until < today:
        raise WaiverError(f"{until} is over; write --until with a day from {today} on, {limit}.")
    if until > latest:
        raise WaiverError(
            f"{until} is too far away; write --until {latest}, or a day before ([waivers] max_days = {max_days})."
        )
    return until
