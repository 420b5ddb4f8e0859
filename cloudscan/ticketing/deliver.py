"""Carries a plan out, one action after the other, so that a kill or a lost answer at any point doubles nothing.

Before a ticket is created, the ledger remembers that it is about to be; if the answer is lost, the tracker is searched
for the marker before the request is repeated. A comment contains an id, and is written only if no comment with that id
exists. Everything else may be done twice without harm.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property, partial
from typing import Final, Protocol, TypeVar

import msgspec

from cloudscan.errors import ProviderError, Throttled, TicketRefused, Unreachable
from cloudscan.http import Patience
from cloudscan.ticketing import marker_line
from cloudscan.ticketing.plan import Action, ActionKind
from cloudscan.ticketing.renames import Renames
from cloudscan.tracker import ExistingTicket, Ticket, TicketPhase, TicketRecord, Tracker

Result = TypeVar("Result")
_GIVE_UP: Final = 3  # consecutive requests without an answer, after which the tracker is left alone for tonight


class TicketStore(Protocol):
    """What is remembered of tickets from run to run: the ledger, or nothing."""

    def tickets(self) -> Sequence[TicketRecord]:
        """The tickets of all trackers, open and closed."""
        ...

    def save_ticket(self, record: TicketRecord) -> None:
        """Remember a ticket, replacing what was known under its tracker and marker, and under its key."""
        ...

    def renames(self) -> Renames:
        """What the markers and rules in older tickets are called today."""
        ...


class NoMemory:
    """Without a ledger: only the trackers know about tickets."""

    def tickets(self) -> Sequence[TicketRecord]:
        """None, so a creation whose answer was lost in an earlier run is not known."""
        return ()

    def save_ticket(self, record: TicketRecord) -> None:
        """Forget it."""

    def renames(self) -> Renames:
        """None, so a renamed rule's older tickets are not recognised."""
        return Renames()


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


@dataclass(frozen=True, kw_only=True)
class Dispatcher:
    """Sends actions to the trackers, with retries. `now` and `sleep` are the clock."""

    trackers: Mapping[str, Tracker]
    projects: Mapping[str, Sequence[str]]
    memory: TicketStore
    patience: Patience = field(default_factory=Patience)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep

    def existing(self, name: str) -> Sequence[ExistingTicket]:
        """All our tickets in a tracker: those that it lists, and those that only the ledger knows."""
        tracker = self.trackers[name]
        records = [record for record in self._records.values() if record.tracker == name and record.key]
        if not tracker.lists:
            return [_as_remembered(record) for record in records]
        listed = self.retrying(lambda: list(tracker.existing(self.projects[name])))
        keys = {ticket.key for ticket in listed}
        marker_of = {record.key: record.marker for record in records}
        tickets = [
            ticket if _marker(ticket) else msgspec.structs.replace(ticket, marker=marker_of.get(ticket.key, ""))
            for ticket in listed
        ]
        markers = {_marker(ticket) for ticket in tickets}
        for record in records:
            if record.key in keys or record.marker in markers or record.phase is not TicketPhase.OPEN:
                continue
            moved = self.retrying(partial(tracker.get, record.key))
            if moved is not None:
                tickets.append(msgspec.structs.replace(moved, marker=record.marker))
        return tickets

    def carry_out(self, actions: Sequence[Action]) -> Iterator[ActionResult]:
        """Do one action after the other. A failure leaves the rest of its ticket for another night."""
        failed: set[tuple[str, str]] = set()
        unanswered: dict[str, int] = {}
        for action in actions:
            ticket = (action.tracker, action.marker)
            if ticket in failed or unanswered.get(action.tracker, 0) >= _GIVE_UP:
                yield _result(action, outcome=ActionOutcome.LEFT, reason="skipped after an earlier failure")
                continue
            try:
                result = self._create(action) if action.kind is ActionKind.CREATE else self._change(action)
            except ProviderError as error:
                failed.add(ticket)
                lost = isinstance(error, Unreachable | Throttled)
                unanswered[action.tracker] = unanswered.get(action.tracker, 0) + 1 if lost else 0
                result = _result(action, outcome=ActionOutcome.FAILED, reason=str(error))
            else:
                unanswered[action.tracker] = 0
            yield result

    def retrying(self, ask: Callable[[], Result]) -> Result:
        """Ask again after a pause, up to the number of attempts. For requests that may be repeated."""
        for attempt in range(1, self.patience.attempts):
            try:
                return ask()
            except (Throttled, Unreachable) as error:
                self._pause(attempt, error)
        return ask()

    def _pause(self, attempt: int, error: ProviderError) -> None:
        requested = error.retry_after if isinstance(error, Throttled) else None
        self.sleep(min(self.patience.longest, self.patience.wait(attempt, requested)))

    def _create(self, action: Action) -> ActionResult:
        tracker, ticket = self.trackers[action.tracker], action.ticket
        if ticket is None:
            raise TicketRefused(
                f"The text is missing for the ticket {action.marker}; this is a bug in the ticket plan."
            )
        self._save(action, TicketPhase.SENDING)
        assignees = [*self._assignees(tracker, ticket), ""]
        for attempt in range(1, self.patience.attempts + 1):
            try:
                created = tracker.create(ticket, assignees[0])
            except TicketRefused as error:
                if error.field != "assignee" or len(assignees) == 1:
                    raise
                del assignees[0]
            except Throttled as error:
                if attempt == self.patience.attempts:
                    raise
                self._pause(attempt, error)
            except Unreachable as error:
                self._pause(attempt, error)
                if existing := self._find(action):
                    self._save(action, TicketPhase.OPEN, existing)
                    return _result(action, existing, outcome=ActionOutcome.FOUND)
                if tracker.index_lag_seconds or attempt == self.patience.attempts:
                    raise Unreachable("ticket-in-doubt", quote=str(error)) from error
            else:
                self._save(action, TicketPhase.OPEN, created)
                return _result(action, created)
        raise Unreachable("ticket-not-accepted", tracker=action.tracker, count=self.patience.attempts)

    def _assignees(self, tracker: Tracker, ticket: Ticket) -> list[str]:
        """The assignee and the fallback, as the tracker names them; users that it does not know are left out."""
        users = []
        for name in (ticket.assignee, ticket.fallback_assignee):
            if name:
                with suppress(TicketRefused):
                    users.append(self.retrying(partial(tracker.person, name, ticket.project)))
        return [user for user in dict.fromkeys(users) if user]

    def _find(self, action: Action) -> ExistingTicket | None:
        tracker = self.trackers[action.tracker]
        if not tracker.lists:
            return None
        listed = self.retrying(lambda: list(tracker.existing(self.projects[action.tracker])))
        return next((existing for existing in listed if existing.open and _marker(existing) == action.marker), None)

    def _change(self, action: Action) -> ActionResult:
        tracker, key, ticket = self.trackers[action.tracker], action.key, action.ticket
        outcome = ActionOutcome.DONE
        match action.kind:
            case ActionKind.COMMENT:
                outcome = self._comment(tracker, action)
            case ActionKind.UPDATE if ticket:
                self.retrying(lambda: tracker.update(key, ticket))
                self._save(action, TicketPhase.OPEN)
            case ActionKind.CLOSE:
                self.retrying(lambda: tracker.close(key))
                self._save(action, TicketPhase.CLOSED)
            case ActionKind.REOPEN:
                self.retrying(lambda: tracker.reopen(key))
                self._save(action, TicketPhase.OPEN)
        return _result(action, outcome=outcome)

    def _comment(self, tracker: Tracker, action: Action) -> ActionOutcome:
        """Written once: a comment with this id is looked for before each attempt."""

        def ask() -> ActionOutcome:
            if any(action.comment_id in text for text in tracker.comments(action.key)):
                return ActionOutcome.FOUND
            tracker.comment(action.key, action.text)
            return ActionOutcome.DONE

        return self.retrying(ask)

    def _save(self, action: Action, phase: TicketPhase, existing: ExistingTicket | None = None) -> None:
        line = marker_line.read(action.ticket.body) if action.ticket else None
        key = existing.key if existing else action.key
        by_marker = self._records.get((action.tracker, action.marker))
        if by_marker and by_marker.key and key and by_marker.key != key and action.kind is ActionKind.CLOSE:
            return  # a duplicate was closed; the ticket that stays is the one to remember
        by_key = self._record_of(action.tracker, key)  # under another marker if the ticket is adopted
        before = by_key or by_marker
        record = TicketRecord(
            tracker=action.tracker,
            marker=action.marker,
            phase=phase,
            acted_on=self.now(),
            key=key or (before.key if before else ""),
            url=(existing.url if existing else "") or (before.url if before and key in ("", before.key) else ""),
            marker_line=marker_line.line(line) if line else (before.marker_line if before else ""),
        )
        self.memory.save_ticket(record)
        if by_key and by_key.marker != record.marker:
            self._records.pop((by_key.tracker, by_key.marker), None)
        self._records[action.tracker, action.marker] = record

    def _record_of(self, tracker: str, key: str) -> TicketRecord | None:
        records = self._records.values()
        return next((record for record in records if key and (record.tracker, record.key) == (tracker, key)), None)

    @cached_property
    def _records(self) -> dict[tuple[str, str], TicketRecord]:
        return {(record.tracker, record.marker): record for record in self.memory.tickets()}


def _marker(ticket: ExistingTicket) -> str:
    line = marker_line.read(ticket.body)
    return ticket.marker or (line.marker if line else "")


def _as_remembered(record: TicketRecord) -> ExistingTicket:
    return ExistingTicket(
        key=record.key,
        body=record.marker_line,
        open=record.phase is not TicketPhase.CLOSED,
        url=record.url,
        marker=record.marker,
    )


def _result(
    action: Action,
    ticket: ExistingTicket | None = None,
    *,
    outcome: ActionOutcome = ActionOutcome.DONE,
    reason: str = "",
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
    )
