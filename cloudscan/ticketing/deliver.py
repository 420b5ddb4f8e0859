"""Carry a plan out, one action after the other, so that being killed or unheard at any point doubles nothing.

Before a ticket is created the ledger remembers that it is about to be; where the answer is lost, the tracker is looked
through for the marker before it is asked again. A comment is signed and written only where its sign is not there yet.
Everything else may be done twice without harm.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Final, Protocol, TypeVar

import msgspec

from cloudscan.errors import ProviderError, Throttled, TicketRefused, Unreachable
from cloudscan.http import Patience
from cloudscan.ticketing import marker_line
from cloudscan.ticketing.plan import Action, ActionKind
from cloudscan.tracker import ExistingTicket, Ticket, TicketPhase, TicketRecord, Tracker

Result = TypeVar("Result")
_GIVE_UP: Final = 3  # times in a row without an answer, and the tracker is left for tonight


class TicketStore(Protocol):
    """What is remembered of tickets from run to run: the ledger, or nothing."""

    def tickets(self) -> Sequence[TicketRecord]: ...

    def keep_ticket(self, kept: TicketRecord) -> None: ...


class NoMemory:
    """Where there is no ledger: the trackers alone know."""

    def tickets(self) -> Sequence[TicketRecord]:
        return ()

    def keep_ticket(self, kept: TicketRecord) -> None:
        """Forget it."""


class ActionResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one action."""

    kind: ActionKind
    tracker: str
    marker: str
    key: str = ""
    url: str = ""
    title: str = ""
    outcome: str = "done"  # done, found (it was there already), failed, left
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Dispatcher:
    """Speaks with the trackers, patiently. `now` and `sleep` are the clock."""

    trackers: Mapping[str, Tracker]
    projects: Mapping[str, Sequence[str]]
    memory: TicketStore
    patience: Patience = field(default_factory=Patience)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep

    def held(self, name: str) -> Sequence[ExistingTicket]:
        """All that a tracker holds of ours: what it lists, and what the ledger knows beyond that."""
        tracker = self.trackers[name]
        kept = [each for each in self._known.values() if each.tracker == name and each.key]
        if not tracker.lists:
            return [_as_remembered(each) for each in kept]
        listed = self.patiently(lambda: list(tracker.held(self.projects[name])))
        keys = {each.key for each in listed}
        marker_of = {each.key: each.marker for each in kept}
        listed = [
            each if _marker(each) else msgspec.structs.replace(each, marker=marker_of.get(each.key, ""))
            for each in listed
        ]
        markers = {_marker(each) for each in listed}
        for each in kept:
            if each.key in keys or each.marker in markers or each.phase is not TicketPhase.OPEN:
                continue
            elsewhere = self.patiently(partial(tracker.get, each.key))
            if elsewhere is not None:
                listed.append(msgspec.structs.replace(elsewhere, marker=each.marker))
        return listed

    def carry_out(self, actions: Sequence[Action]) -> Iterator[ActionResult]:
        """Do one after the other. What fails leaves the rest of its ticket for another night."""
        failed: set[tuple[str, str]] = set()
        silent: dict[str, int] = {}
        for action in actions:
            about = (action.tracker, action.marker)
            if about in failed or silent.get(action.tracker, 0) >= _GIVE_UP:
                yield _done(action, outcome="left", reason="after the trouble before")
                continue
            try:
                done = self._create(action) if action.kind is ActionKind.CREATE else self._change(action)
            except ProviderError as error:
                failed.add(about)
                lost = isinstance(error, Unreachable | Throttled)
                silent[action.tracker] = silent.get(action.tracker, 0) + 1 if lost else 0
                done = _done(action, outcome="failed", reason=str(error))
            else:
                silent[action.tracker] = 0
            yield done

    def patiently(self, ask: Callable[[], Result]) -> Result:
        """Ask again after a pause, as long as there is hope. For what may be asked twice."""
        for attempt in range(1, self.patience.attempts):
            try:
                return ask()
            except (Throttled, Unreachable) as error:
                self._pause(attempt, error)
        return ask()

    def _pause(self, attempt: int, error: ProviderError) -> None:
        asked = error.retry_after if isinstance(error, Throttled) else None
        own = self.patience.pause * 2 ** (attempt - 1)
        self.sleep(min(self.patience.longest, own if asked is None else asked))

    def _create(self, action: Action) -> ActionResult:
        tracker, ticket = self.trackers[action.tracker], action.ticket
        if ticket is None:
            raise TicketRefused(f"There is no text for the ticket {action.marker}; this is a fault in the plan.")
        self._keep(action, TicketPhase.SENDING)
        assignees = [*self._assignees(tracker, ticket), ""]
        for attempt in range(1, self.patience.attempts + 1):
            try:
                made = tracker.create(ticket, assignees[0])
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
                if found := self._find(action):
                    self._keep(action, TicketPhase.OPEN, found)
                    return _done(action, found, outcome="found")
                if tracker.index_lag_seconds or attempt == self.patience.attempts:
                    raise Unreachable(
                        f"{error}; whether the ticket was made will be seen in the next run, which makes no second one"
                    ) from error
            else:
                self._keep(action, TicketPhase.OPEN, made)
                return _done(action, made)
        raise Unreachable(f"{action.tracker} did not take the ticket after {self.patience.attempts} attempts")

    def _assignees(self, tracker: Tracker, ticket: Ticket) -> list[str]:
        """Whom to assign it to, as the tracker calls them: the assignee if it knows him, then the fallback_assignee."""
        found = []
        for name in (ticket.assignee, ticket.fallback_assignee):
            if name:
                with suppress(TicketRefused):
                    found.append(self.patiently(partial(tracker.person, name, ticket.project)))
        return [each for each in dict.fromkeys(found) if each]

    def _find(self, action: Action) -> ExistingTicket | None:
        tracker = self.trackers[action.tracker]
        if not tracker.lists:
            return None
        listed = self.patiently(lambda: list(tracker.held(self.projects[action.tracker])))
        return next((each for each in listed if each.open and _marker(each) == action.marker), None)

    def _change(self, action: Action) -> ActionResult:
        tracker, key, ticket = self.trackers[action.tracker], action.key, action.ticket
        outcome = "done"
        match action.kind:
            case ActionKind.COMMENT:
                outcome = self._comment(tracker, action)
            case ActionKind.UPDATE if ticket:
                self.patiently(lambda: tracker.update(key, ticket))
                self._keep(action, TicketPhase.OPEN)
            case ActionKind.CLOSE:
                self.patiently(lambda: tracker.close(key))
                self._keep(action, TicketPhase.CLOSED)
            case ActionKind.REOPEN:
                self.patiently(lambda: tracker.reopen(key))
                self._keep(action, TicketPhase.OPEN)
        return _done(action, outcome=outcome)

    def _comment(self, tracker: Tracker, action: Action) -> str:
        """Written once: the sign is looked for before each attempt."""

        def ask() -> str:
            if any(action.sign in text for text in tracker.comments(action.key)):
                return "found"
            tracker.comment(action.key, action.text)
            return "done"

        return self.patiently(ask)

    def _keep(self, action: Action, phase: TicketPhase, held: ExistingTicket | None = None) -> None:
        said = marker_line.read(action.ticket.body) if action.ticket else None
        before = self._known.get((action.tracker, action.marker))
        key = held.key if held else action.key
        if before and before.key and key and before.key != key and action.kind is ActionKind.CLOSE:
            return  # a duplicate was closed; what is remembered is the one that stays
        kept = TicketRecord(
            tracker=action.tracker,
            marker=action.marker,
            phase=phase,
            acted_on=self.now(),
            key=key or (before.key if before else ""),
            url=(held.url if held else "") or (before.url if before else ""),
            stamp=marker_line.line(said) if said else (before.stamp if before else ""),
        )
        self.memory.keep_ticket(kept)
        self._known[action.tracker, action.marker] = kept

    @cached_property
    def _known(self) -> dict[tuple[str, str], TicketRecord]:
        return {(each.tracker, each.marker): each for each in self.memory.tickets()}


def _marker(held: ExistingTicket) -> str:
    said = marker_line.read(held.body)
    return held.marker or (said.marker if said else "")


def _as_remembered(kept: TicketRecord) -> ExistingTicket:
    return ExistingTicket(
        key=kept.key, body=kept.stamp, open=kept.phase is not TicketPhase.CLOSED, url=kept.url, marker=kept.marker
    )


def _done(
    action: Action, held: ExistingTicket | None = None, *, outcome: str = "done", reason: str = ""
) -> ActionResult:
    return ActionResult(
        kind=action.kind,
        tracker=action.tracker,
        marker=action.marker,
        key=held.key if held else action.key,
        url=held.url if held else "",
        title=action.ticket.title if action.ticket else "",
        outcome=outcome,
        reason=reason,
    )
