"""Carries a plan out, one ticket after the other, so that a kill or a lost answer at any point doubles nothing.

Before a ticket is created, the ledger remembers that it is about to be; if the answer is lost, the tracker is searched
for the marker before the request is repeated. Before an existing ticket is written, at each attempt, what is at its
address is read: it has to be ours at that moment. What is done comes first, and then the comment about it, which
contains an id and is written only if no comment with that id exists; one that fails is written in a later run, as long
as it is still true.
What a tracker says that it wrote is compared with what was sent.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property, partial
from itertools import groupby
from typing import Final

import msgspec

from cloudscan.errors import Malformed, ProviderError, Throttled, TicketRefused, Unreachable
from cloudscan.sentence import Sentence, joined, say
from cloudscan.ticketing import marker_line
from cloudscan.ticketing.asking import Asking, is_long
from cloudscan.ticketing.inventory import (
    GIVE_UP,
    Inventory,
    is_lost,
    is_ours,
    marker_of,
    preference,
    take_inventory,
)
from cloudscan.ticketing.memory import KnownTrouble, PendingComment, TicketStore
from cloudscan.ticketing.plan import Action, ActionKind
from cloudscan.ticketing.trouble import OngoingTrouble, Trouble, trouble_with
from cloudscan.tracker import Dropped, ExistingTicket, Listing, Ticket, TicketPhase, TicketRecord, Tracker


class ActionOutcome(StrEnum):
    """How an action ended."""

    DONE = "done"
    FOUND = "found"  # it had been done already
    FAILED = "failed"
    LEFT = "left"  # not tried, after a failure


class ActionResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The result of one action."""

    kind: ActionKind
    tracker: str
    marker: str
    key: str = ""
    url: str = ""
    title: str = ""
    outcome: ActionOutcome = ActionOutcome.DONE
    reason: str = ""
    remark: str = ""  # about what was done, but not as intended


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A tracker that can be asked, and where its tickets are."""

    tracker: Tracker
    asking: Asking
    projects: Sequence[str]


@dataclass(kw_only=True)
class Dispatcher:
    """Sends actions to the trackers, with retries. What went wrong is in `troubles`. `now` is the clock."""

    opened: Mapping[str, Opened]
    memory: TicketStore
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    troubles: list[Trouble] = field(default_factory=list)
    _resting: set[str] = field(default_factory=set)  # trackers that are left alone for tonight
    _unfinished: set[str] = field(default_factory=set)  # trackers in which not everything was tried
    _unanswered: dict[str, int] = field(default_factory=dict)  # consecutive requests without an answer, by tracker
    _unmarked: set[tuple[str, str]] = field(default_factory=set)  # projects in which labels get lost
    _people: dict[tuple[str, str, str], str] = field(default_factory=dict)
    _found: dict[str, Sequence[ExistingTicket]] = field(default_factory=dict)  # by tracker

    def inventory(self, name: str, needed: Collection[str]) -> Inventory:
        """What a tracker contains; `needed` are the markers of today's findings."""
        opened = self.opened[name]
        records = self._records.of_tracker(name)
        inventory = take_inventory(opened.tracker, opened.asking, opened.projects, records, needed)
        self.troubles += inventory.troubles
        self._found[name] = [ticket for ticket in inventory.tickets if not ticket.in_doubt]
        if inventory.resting:
            self._resting.add(name)
        if inventory.resting or inventory.unlisted.issuperset(opened.projects):
            self._unfinished.add(name)
        return inventory

    def known_troubles(self) -> tuple[Sequence[Trouble], Sequence[OngoingTrouble]]:
        """What failed for the first time, and what failed in the run before too; remembers both for the next run.

        What was not tried this time may fail again when it is, so that is not forgotten.
        """
        known = {(one.tracker, one.id): one for one in self.memory.troubles()}
        fresh, ongoing, kept = list[Trouble](), list[OngoingTrouble](), dict[str, dict[str, KnownTrouble]]()
        for trouble in self.troubles:
            id_ = marker_line.text_digest(trouble.id)
            before = known.get((trouble.tracker, id_))
            since, runs = (before.since, before.runs + 1) if before else (self.now(), 1)
            of_tracker = kept.setdefault(trouble.tracker, {})
            if id_ in of_tracker:
                continue
            of_tracker[id_] = KnownTrouble(tracker=trouble.tracker, id=id_, since=since, runs=runs)
            if before:
                ongoing.append(OngoingTrouble(trouble=trouble, since=since, runs=runs))
            else:
                fresh.append(trouble)
        for name in {*self.opened, *kept}:
            is_tried = name in self.opened and name not in self._unfinished
            untried = {} if is_tried else {one.id: one for one in known.values() if one.tracker == name}
            self.memory.keep_troubles(name, list((untried | kept.get(name, {})).values()))
        return fresh, ongoing

    def carry_out(self, actions: Sequence[Action]) -> Iterator[ActionResult]:
        """Write comments that are still missing, then do what is planned.

        A failure leaves the rest of its ticket for another night.
        """
        for name in self.opened:
            if name not in self._unfinished:
                self._remember_found(name)
                yield from self._catch_up(name)
        for (name, marker, _), group in groupby(actions, key=lambda one: (one.tracker, one.marker, one.key)):
            yield from self._ticket(name, marker, list(group))

    def _remember_found(self, name: str) -> None:
        """Remember where tickets are that were moved, and those whose creation or ledger was lost."""
        found = [ticket for ticket in self._found.get(name, ()) if not is_lost(ticket)]
        keys = {ticket.key for ticket in found}
        best = {ticket.marker: ticket for ticket in sorted(found, key=preference, reverse=True)}
        for marker, ticket in best.items():
            record = self._records.of_marker(name, marker)
            is_remembered = record and record.phase is not TicketPhase.SENDING and record.key in keys
            if is_remembered or self._records.of_key(name, ticket.key) or not (record or ticket.open):
                continue
            line = marker_line.read(ticket.body)
            self._remember(
                TicketRecord(
                    tracker=name,
                    marker=marker,
                    phase=TicketPhase.OPEN if ticket.open else TicketPhase.CLOSED,
                    acted_on=record.acted_on if record else self.now(),
                    key=ticket.key,
                    url=ticket.url,
                    marker_line=marker_line.line(line) if line else record.marker_line if record else "",
                    changes=record.changes if record else 0,
                )
            )

    def _ticket(self, name: str, marker: str, actions: Sequence[Action]) -> Iterator[ActionResult]:
        """Everything about one ticket."""
        failed = False
        for action in actions:
            if failed or self._is_left(name):
                self._unfinished.add(name)
                yield _result(action, outcome=ActionOutcome.LEFT, reason=say("left for the next run"))
                continue
            try:
                if action.kind is ActionKind.CREATE:
                    yield self._create(action)
                else:
                    if action is actions[0]:
                        self._announce(actions)
                    yield self._change(action)
            except ProviderError as error:
                failed = True
                self._failed(f"{action.kind} {action.key or marker}", _what(action), name, error)
                if not isinstance(error, Unreachable | Malformed):  # which may have been carried out
                    self._withdraw(actions, action)
                yield _result(action, outcome=ActionOutcome.FAILED, reason=joined([error]))
            else:
                self._unanswered[name] = 0

    def _is_left(self, name: str) -> bool:
        return name in self._resting or self._unanswered.get(name, 0) >= GIVE_UP

    def _failed(self, act: str, what: Sentence, name: str, error: ProviderError) -> None:
        if is_long(error):
            self._resting.add(name)
        lost = isinstance(error, Unreachable | Throttled)
        self._unanswered[name] = self._unanswered.get(name, 0) + 1 if lost else 0
        self.troubles.append(trouble_with(name, act, what, error))

    def _prove(self, name: str, key: str, markers: Collection[str]) -> ExistingTicket | None:
        """What is at a ticket's address now. Raises `TicketRefused` if it is not ours, or about something else.

        `markers` are those that it may bear; none: any. None if the tracker cannot be asked.
        """
        opened = self.opened[name]
        if opened.tracker.listing is Listing.NONE:
            return None
        found = opened.tracker.get(key)
        if found is None or not is_ours(found, key, remembered=self._records.of_key(name, key) is not None):
            raise TicketRefused(
                say("it was moved or deleted, or does not bear our mark any more, so it is left alone.")
            )
        if markers and marker_of(found) not in ("", *markers):
            raise TicketRefused(say("it is about something else than a moment ago, so it is left alone."))
        return found

    def _written(
        self, action: Action, key: str, write: Callable[[], ExistingTicket], *, is_open: bool | None = None
    ) -> tuple[ExistingTicket, ActionOutcome]:
        """Write into a ticket that is proven to be ours, at each attempt anew: there may be minutes between them.

        `is_open` is the state that it is brought into, if that is what is written.
        """

        def ask() -> tuple[ExistingTicket, ActionOutcome]:
            found = self._prove(action.tracker, key, _markers(action))
            if found and found.open is is_open:
                return found, ActionOutcome.FOUND
            return write(), ActionOutcome.DONE

        return self.opened[action.tracker].asking.retrying(ask)

    def _create(self, action: Action) -> ActionResult:
        opened, ticket = self.opened[action.tracker], action.ticket
        if ticket is None:
            raise TicketRefused(say("the text is missing; this is a bug in the ticket plan."))
        if (action.tracker, ticket.project) in self._unmarked:
            return _result(action, outcome=ActionOutcome.LEFT, reason=say("left until labels can be set there"))
        earlier = self._records.of_marker(action.tracker, action.marker)
        was_closed = earlier is not None and not earlier.key and earlier.phase is not TicketPhase.SENDING
        self._save(action, TicketPhase.REOPENING if was_closed else TicketPhase.SENDING)
        assignees, remark = self._assignees(action, ticket)
        created, outcome = self._created(action, ticket, [*assignees, ""])
        self._save(action, TicketPhase.OPEN, created)
        if earlier and not earlier.key and opened.tracker.listing is Listing.NONE:
            self._make_current(action, created.key, ticket, was_closed=was_closed)
        parts = [part for part in (remark, _unread(created), self._look_at(action, ticket, created)) if part]
        remark = joined(parts, "; ") if parts else None
        return _result(action, created, outcome=outcome, remark=remark)

    def _created(self, action: Action, ticket: Ticket, assignees: list[str]) -> tuple[ExistingTicket, ActionOutcome]:
        """Create a ticket once, for the first assignee whom the tracker accepts."""
        opened = self.opened[action.tracker]
        attempts = opened.asking.patience.attempts
        line = marker_line.read(ticket.body)
        once = f"{action.marker}-after-{marker_line.text_digest(line.after)}" if line and line.after else action.marker
        for attempt in range(1, attempts + 1):
            try:
                made = opened.asking.once(partial(opened.tracker.create, ticket, assignees[0], once=once))
            except TicketRefused as error:
                if error.field != "assignee" or len(assignees) == 1:
                    raise
                del assignees[0]
            except Throttled as error:
                if attempt == attempts:
                    raise
                opened.asking.pause(attempt, error)
            except Unreachable as error:
                opened.asking.pause(attempt, error)
                if existing := self._find(action, ticket):
                    return existing, ActionOutcome.FOUND
                if opened.tracker.index_lag_seconds or attempt == attempts:
                    raise Unreachable("ticket-in-doubt", quote=str(error)) from error
            else:
                return made, ActionOutcome.DONE
        raise Unreachable("ticket-not-accepted", tracker=action.tracker, count=attempts)

    def _make_current(self, action: Action, key: str, ticket: Ticket, *, was_closed: bool) -> None:
        """A receiver that did what an earlier run sent ignores the same creation: it has the text of that time, and
        what was closed in the meantime is closed there.
        """
        tracker = self.opened[action.tracker].tracker
        if was_closed:
            self._begin(action, key, ActionKind.REOPEN)
            once = f"{action.marker}-reopen-{self._changes(action)}"
            self._written(action, key, lambda: tracker.reopen(key, once=once), is_open=True)
        self._begin(action, key, ActionKind.UPDATE)
        self._update(action, key, ticket)

    def _look_at(self, action: Action, ticket: Ticket, created: ExistingTicket) -> Sentence | None:
        """Compare what was created with what was sent, and send once more what the next run needs to find it."""
        dropped = set(created.dropped)
        if dropped & _NEEDED:
            try:
                updated = self._update(action, created.key, ticket)
            except ProviderError as error:
                self._failed(f"update {created.key}", say("ticket {key}", key=created.key), action.tracker, error)
            else:
                dropped = set(updated.dropped) | (dropped - _NEEDED)
        return self._dropped(action, created.key, ticket, dropped)

    def _dropped(self, action: Action, key: str, ticket: Ticket, dropped: Collection[Dropped]) -> Sentence | None:
        """What the tracker did not keep. Without our label, or open to more people than it should be, it is a trouble:
        nothing more is created in that project until that is fixed.
        """
        if not dropped:
            return None
        words = joined([_DROPPED[name] for name in Dropped if name in dropped], ", ")
        if _NEEDED & set(dropped):
            self._unmarked.add((action.tracker, ticket.project))
            error = TicketRefused(
                say(
                    "the tracker dropped what was sent: {dropped}; give the user of the token the permission to set "
                    "it. Until then nothing more is created there.",
                    dropped=words,
                )
            )
            what = say("ticket {key}", key=key)
            self.troubles.append(Trouble(tracker=action.tracker, id=f"dropped {key}", what=what, error=error))
        return say("the tracker did not keep: {dropped}", dropped=words)

    def _assignees(self, action: Action, ticket: Ticket) -> tuple[list[str], Sentence | None]:
        """The assignee and the fallback, as the tracker names them; users that it does not know are left out.

        Also a remark about the people who were not found.
        """
        users, missing = list[str](), list[str]()
        for name in filter(None, (ticket.assignee, ticket.fallback_assignee)):
            user = self._person(action.tracker, name, ticket.project)
            (users if user else missing).append(user or name)
        remark = None
        if missing and not (users and ticket.fallback_assignee in missing):
            names = ", ".join(dict.fromkeys(missing))
            remark = (
                say("{names} was not found in the tracker, so the fallback has it", names=names)
                if users
                else say("{names} was not found in the tracker, so nobody is assigned", names=names)
            )
        return list(dict.fromkeys(users)), remark

    def _person(self, tracker: str, name: str, project: str) -> str:
        """A user's name in the tracker; empty if it has none, or cannot be asked, which is told once."""
        key = (tracker, name.lower(), project)
        if key not in self._people:
            opened = self.opened[tracker]
            try:
                self._people[key] = opened.asking.retrying(lambda: opened.tracker.person(name, project))
            except (Throttled, Unreachable):
                raise
            except ProviderError as error:
                self._people[key] = ""
                if not any(one.tracker == tracker and one.id.startswith("person ") for one in self.troubles):
                    what = say("users of {tracker} cannot be looked up", tracker=tracker)
                    self.troubles.append(trouble_with(tracker, "person", what, error))
        return self._people[key]

    def _find(self, action: Action, ticket: Ticket) -> ExistingTicket | None:
        opened = self.opened[action.tracker]
        match opened.tracker.listing:
            case Listing.NONE:
                return None
            case Listing.WHOLE:
                project = ""
            case Listing.BY_PROJECT:
                project = ticket.project or next(iter(opened.projects), "")
        listed = opened.asking.retrying(lambda: list(opened.tracker.existing(project)))
        same = [one for one in listed if one.open and not one.moved and marker_of(one) == action.marker]
        if same and not any(one.labelled for one in same):
            raise TicketRefused(
                say(
                    "{key} has its marker and not the label of cloudscan's tickets, so no second one is created; "
                    "give it the label, and the token the permission to set labels.",
                    key=same[0].key,
                )
            )
        return next((one for one in same if one.labelled), None)

    def _change(self, action: Action) -> ActionResult:
        tracker, key = self.opened[action.tracker].tracker, action.key
        outcome, remark = ActionOutcome.DONE, None
        match action.kind:
            case ActionKind.COMMENT:
                outcome = self._comment(action)
            case ActionKind.UPDATE if action.ticket:
                self._begin(action, key, action.kind)
                after = self._update(action, key, action.ticket)
                if Dropped.TEXT in after.dropped:
                    raise TicketRefused(say("the tracker accepted the text, and kept another one."))
                remark = self._dropped(action, key, action.ticket, after.dropped)
            case ActionKind.CLOSE if action.closing:
                self._begin(action, key, action.kind)
                once, closing = f"{action.marker}-close-{self._changes(action)}", action.closing
                after, outcome = self._written(
                    action, key, lambda: tracker.close(key, closing, once=once), is_open=False
                )
                if after.open:
                    raise TicketRefused(say("the tracker accepted that it is closed, and it is still open."))
                self._save(action, TicketPhase.CLOSED)
            case ActionKind.REOPEN:
                self._begin(action, key, action.kind)
                once = f"{action.marker}-reopen-{self._changes(action)}"
                after, outcome = self._written(action, key, lambda: tracker.reopen(key, once=once), is_open=True)
                if not after.open:
                    raise TicketRefused(say("the tracker accepted that it is opened, and it is still closed."))
                self._save(action, TicketPhase.OPEN)
        return _result(action, outcome=outcome, remark=remark)

    def _update(self, action: Action, key: str, ticket: Ticket) -> ExistingTicket:
        tracker, line = self.opened[action.tracker].tracker, marker_line.read(ticket.body)
        once = f"{action.marker}-{line.digest if line else ''}-{self._changes(action)}"
        after, _ = self._written(action, key, lambda: tracker.update(key, ticket, once=once))
        if Dropped.TEXT not in after.dropped:
            self._save(action, TicketPhase.OPEN, after)
        return after

    def _begin(self, action: Action, key: str, kind: ActionKind) -> None:
        """Remember what is about to be sent to a tracker that cannot be asked, in case no answer arrives.

        Something else than was sent in vain last time is another change, with an id of its own.
        """
        record = self._records.of_key(action.tracker, key) or self._records.of_marker(action.tracker, action.marker)
        if record is None or self.opened[action.tracker].tracker.listing is not Listing.NONE:
            return
        *in_vain, written = record.marker_line.splitlines() or [""]
        line = marker_line.read(action.ticket.body) if kind is ActionKind.UPDATE and action.ticket else None
        sent = [marker_line.line(line)] if line else []
        is_same = record.phase is _BEGUN[kind] and [_digest(one) for one in sent] == [_digest(one) for one in in_vain]
        is_other = record.phase in _BEGUN.values() and not is_same
        self._remember(
            msgspec.structs.replace(
                record,
                phase=_BEGUN[kind],
                marker_line="\n".join([*sent, written]),
                changes=record.changes + is_other,
            )
        )

    def _changes(self, action: Action) -> int:
        of_marker = self._records.of_marker(action.tracker, action.marker)
        record = of_marker or self._records.of_key(action.tracker, action.key)
        return record.changes if record else 0

    def _announce(self, actions: Sequence[Action]) -> None:
        """Remember the comments that are due once a ticket is as it should be."""
        for action in actions:
            if action.kind is not ActionKind.COMMENT:
                continue
            update = next((one.ticket for one in actions if one.kind is ActionKind.UPDATE and one.ticket), None)
            line = marker_line.read(update.body) if update and action.about is ActionKind.UPDATE else None
            self.memory.save_pending_comment(
                PendingComment(
                    tracker=action.tracker,
                    comment_id=action.comment_id,
                    marker=action.marker,
                    key=action.key,
                    text=action.text,
                    open=action.about is not ActionKind.CLOSE,
                    digest=line.digest if line else "",
                    planned_on=self.now(),
                )
            )

    def _withdraw(self, actions: Sequence[Action], failed: Action) -> None:
        """Forget the comments about what was refused."""
        undone = {action.kind for action in actions[actions.index(failed) :]}
        for action in actions:
            if action.kind is ActionKind.COMMENT and action.about in undone:
                self.memory.drop_pending_comment(action.tracker, action.key, action.comment_id)

    def _catch_up(self, name: str) -> Iterator[ActionResult]:
        """Write the comments that earlier runs could not write, about tickets that are still as they say."""
        opened = self.opened[name]
        for pending in self.memory.pending_comments():
            if pending.tracker != name or self._is_left(name):
                continue
            action = Action(
                kind=ActionKind.COMMENT,
                tracker=name,
                marker=pending.marker,
                key=pending.key,
                text=pending.text,
                comment_id=pending.comment_id,
            )
            try:
                if not self._is_still_true(opened, pending):
                    self.memory.drop_pending_comment(name, pending.key, pending.comment_id)
                    continue
                yield _result(action, outcome=self._comment(action))
            except ProviderError as error:
                self._failed(f"comment {pending.key}", _what(action), name, error)
                yield _result(action, outcome=ActionOutcome.FAILED, reason=joined([error]))

    def _is_still_true(self, opened: Opened, pending: PendingComment) -> bool:
        """Whether a ticket is as a comment about it says."""
        record = self._records.of_key(pending.tracker, pending.key)
        if opened.tracker.listing is Listing.NONE:
            if record is None or record.phase in _BEGUN.values():
                return False
            is_open, body = record.phase is TicketPhase.OPEN, record.marker_line
        else:
            found = opened.asking.retrying(lambda: opened.tracker.get(pending.key))
            if found is None or not is_ours(found, pending.key, remembered=record is not None):
                return False
            is_open, body = found.open, found.body
        line = marker_line.read(body)
        return is_open is pending.open and (not pending.digest or bool(line and line.digest == pending.digest))

    def _comment(self, action: Action) -> ActionOutcome:
        """Written once: a comment with this id is looked for before each attempt."""
        name, key, opened = action.tracker, action.key, self.opened[action.tracker]

        def ask() -> ActionOutcome:
            self._prove(name, key, _markers(action))
            if any(action.comment_id in written for written in opened.tracker.comments(key)):
                return ActionOutcome.FOUND
            opened.tracker.comment(key, action.text, once=f"{key}-{action.comment_id}")
            return ActionOutcome.DONE

        outcome = opened.asking.retrying(ask)
        self.memory.drop_pending_comment(name, key, action.comment_id)
        return outcome

    def _save(self, action: Action, phase: TicketPhase, existing: ExistingTicket | None = None) -> None:
        line = marker_line.read(action.ticket.body) if action.ticket else None
        key = existing.key if existing else action.key
        by_marker = self._records.of_marker(action.tracker, action.marker)
        if by_marker and by_marker.key and key and by_marker.key != key and action.kind is ActionKind.CLOSE:
            return  # a duplicate was closed; the ticket that stays is the one to remember
        by_key = self._records.of_key(action.tracker, key)  # under another marker if the ticket is adopted
        before = by_key or by_marker
        if before and before.phase is TicketPhase.CLOSING and not before.key:
            key = ""  # perhaps there never was a ticket
        record = TicketRecord(
            tracker=action.tracker,
            marker=action.marker,
            phase=phase,
            acted_on=self.now(),
            key=key or (before.key if before else ""),
            url=(existing.url if existing else "") or (before.url if before and key in ("", before.key) else ""),
            marker_line=marker_line.line(line) if line else (before.marker_line if before else ""),
            changes=(before.changes if before else 0) + (phase in (TicketPhase.OPEN, TicketPhase.CLOSED)),
        )
        self._remember(record)

    def _remember(self, record: TicketRecord) -> None:
        self.memory.save_ticket(record)
        self._records.put(record)

    @cached_property
    def _records(self) -> "_Records":
        return _Records(self.memory.tickets())


class _Records:
    """What is remembered of tickets, as the ledger keeps it: one for each marker, and one for each key."""

    def __init__(self, records: Sequence[TicketRecord]) -> None:
        self._by_marker: dict[tuple[str, str], TicketRecord] = {}
        self._by_key: dict[tuple[str, str], TicketRecord] = {}
        for record in records:
            self.put(record)

    def of_tracker(self, tracker: str) -> list[TicketRecord]:
        return [record for record in self._by_marker.values() if record.tracker == tracker]

    def of_marker(self, tracker: str, marker: str) -> TicketRecord | None:
        return self._by_marker.get((tracker, marker))

    def of_key(self, tracker: str, key: str) -> TicketRecord | None:
        return self._by_key.get((tracker, key)) if key else None

    def put(self, record: TicketRecord) -> None:
        """Remember a ticket, in place of what was known under its marker, and under its key."""
        before = self.of_marker(record.tracker, record.marker)
        if before and before.key:
            self._by_key.pop((before.tracker, before.key), None)
        if other := self.of_key(record.tracker, record.key):
            self._by_marker.pop((other.tracker, other.marker), None)
        self._by_marker[record.tracker, record.marker] = record
        if record.key:
            self._by_key[record.tracker, record.key] = record


_BEGUN: Final[Mapping[ActionKind, TicketPhase]] = {
    ActionKind.UPDATE: TicketPhase.UPDATING,
    ActionKind.CLOSE: TicketPhase.CLOSING,
    ActionKind.REOPEN: TicketPhase.REOPENING,
}
"""What is remembered while nothing was answered yet."""
_DROPPED: Final[Mapping[Dropped, Sentence]] = {
    Dropped.LABEL: say("label"),
    Dropped.TEXT: say("text"),
    Dropped.ASSIGNEE: say("assignee"),
    Dropped.CONFIDENTIAL: say("confidentiality"),
    Dropped.DUE: say("due date"),
    Dropped.FIELDS: say("fields"),
}


_NEEDED: Final = frozenset({Dropped.LABEL, Dropped.TEXT, Dropped.CONFIDENTIAL})
"""What a ticket has to have."""


def _digest(line: str) -> str:
    read = marker_line.read(line)
    return read.digest if read else ""


_WHAT: Final[Mapping[ActionKind, str]] = {
    ActionKind.CREATE: say("create"),
    ActionKind.UPDATE: say("update"),
    ActionKind.COMMENT: say("comment"),
    ActionKind.CLOSE: say("close"),
    ActionKind.REOPEN: say("reopen"),
}


def _unread(created: ExistingTicket) -> Sentence | None:
    """What cannot be looked at after a ticket was created."""
    if not created.unread:
        return None
    return say(
        "the tracker's answer does not show {fields}; let the user of the token read them",
        fields=", ".join(created.unread),
    )


def _markers(action: Action) -> Collection[str]:
    """The markers that a ticket may bear when it is written: the one that was seen, or what was written since."""
    return (action.seen, action.marker) if action.seen else ()


def _what(action: Action) -> Sentence:
    name = action.key or (action.ticket.title if action.ticket else action.marker[:12])
    return joined([_WHAT[action.kind], name])


def _result(
    action: Action,
    ticket: ExistingTicket | None = None,
    *,
    outcome: ActionOutcome = ActionOutcome.DONE,
    reason: str = "",
    remark: Sentence | None = None,
) -> ActionResult:
    return ActionResult(
        kind=action.kind,
        tracker=action.tracker,
        marker=action.marker,
        key=ticket.key if ticket else action.key,
        url=ticket.url if ticket else "",
        title=action.ticket.title if action.ticket else "",
        outcome=outcome,
        reason=reason,
        remark=remark or "",
    )
