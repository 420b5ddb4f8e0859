"""What a tracker contains: the tickets that are proven to be ours, and what could not be read.

A ticket is ours if it bears our label and a marker; or if the ledger remembers its key, and what is at that very
address still bears one of the two. A ticket that was moved is followed to where the tracker says; a redirect alone, a
field that names another ticket, or a record that was returned beside the query proves nothing.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Final

import msgspec

from cloudscan.errors import AccessDenied, ProviderError, Throttled, TicketRefused, Unreachable
from cloudscan.sentence import Sentence, say
from cloudscan.ticketing import marker_line
from cloudscan.ticketing.asking import Asking, is_long
from cloudscan.ticketing.trouble import Trouble, trouble_with
from cloudscan.tracker import ExistingTicket, Listing, TicketPhase, TicketRecord, Tracker

_MARKER: Final = re.compile(r"[0-9a-f]{16,64}")
GIVE_UP: Final = 3  # consecutive requests without an answer, after which the tracker is left alone for tonight


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """The tickets of ours, those that were moved away and cannot be followed included."""

    tickets: Sequence[ExistingTicket] = ()
    unlisted: frozenset[str] = frozenset()  # projects: in these, nothing is created or closed
    unread: Collection[str] = ()  # markers of tickets that could not be read, or may not be ours
    troubles: Sequence[Trouble] = ()
    resting: bool = False  # the tracker does not answer, or asks for a longer pause than is waited for


def marker_of(ticket: ExistingTicket) -> str:
    """The marker that a ticket bears, in its own field or in the text; empty if there is none."""
    written = marker_line.read(ticket.body)
    marker = ticket.marker or (written.marker if written else "")
    return marker if _MARKER.fullmatch(marker) else ""


def is_lost(ticket: ExistingTicket) -> bool:
    """Whether nothing can be written into a ticket any more: it was moved away, or closed for good."""
    return ticket.moved or (ticket.is_final and not ticket.open)


def preference(ticket: ExistingTicket) -> tuple[bool, int]:
    """Which of two tickets about the same is kept, the smaller: an open one, the older of them.

    Tickets are numbered in the order of their creation; without numbers, the order of the list counts.
    """
    return not ticket.open, number_of(ticket.key)


def number_of(key: str) -> int:
    """The number in a ticket's key; 0 if there is none."""
    number = key.rpartition("-")[2].rpartition("#")[2]
    return int(number) if number.isdecimal() and len(number) < 12 else 0


def is_ours(ticket: ExistingTicket, key: str, *, remembered: bool) -> bool:
    """Whether what was read at the address of a key is a ticket of ours."""
    if ticket.moved or ticket.key != key:
        return False
    marker = marker_of(ticket)
    return bool(ticket.labelled or marker) if remembered else bool(ticket.labelled and marker)


def take_inventory(
    tracker: Tracker, asking: Asking, projects: Sequence[str], records: Sequence[TicketRecord], needed: Collection[str]
) -> Inventory:
    """Read what a tracker contains. `records` are what the ledger remembers of it, `needed` the markers that findings
    of today have: their tickets are looked for by key if they are not listed, closed ones too.
    """
    if tracker.listing is Listing.NONE:
        return Inventory(tickets=as_remembered(records))
    return _Reader(tracker, asking, records, needed).read(projects)


@dataclass
class _Reader:
    tracker: Tracker
    asking: Asking
    records: Sequence[TicketRecord]
    needed: Collection[str]
    tickets: dict[str, ExistingTicket] = field(default_factory=dict)  # by key
    unlisted: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)
    troubles: list[Trouble] = field(default_factory=list)
    suspects: list[ExistingTicket] = field(default_factory=list)  # they have a marker, and not our label
    resting: bool = False
    unanswered: int = 0  # consecutive requests

    def read(self, projects: Sequence[str]) -> Inventory:
        for ticket in list(self._listed(projects)):
            self._take(ticket)
        if self.unlisted.issuperset(projects):  # the same trouble, ticket by ticket
            self.unread |= {record.marker for record in self.records}
        else:
            self._look_up_all()
        found = {ticket.marker for ticket in self.tickets.values()}
        for ticket in self.suspects:
            if marker_of(ticket) not in found:
                self._uncertain(ticket, marker_of(ticket))
        return Inventory(
            tickets=list(self.tickets.values()),
            unlisted=frozenset(self.unlisted),
            unread=self.unread,
            troubles=self.troubles,
            resting=self.resting,
        )

    def _look_up_all(self) -> None:
        """Look for the tickets that the ledger remembers and that are not listed."""
        keys = set(self.tickets)
        found = {ticket.marker for ticket in self.tickets.values() if not is_lost(ticket)} | self.unread
        for record in self.records:
            known = not record.key or record.key in keys or record.marker in found
            if not known and (record.phase is TicketPhase.OPEN or record.marker in self.needed):
                self._look_up(record)

    def _listed(self, projects: Sequence[str]) -> Iterator[ExistingTicket]:
        whole = self.tracker.listing is Listing.WHOLE
        for project in ("",) if whole else projects:
            try:
                if not self.resting:
                    listed = self.asking.retrying(partial(self._tickets_in, project))
                    self.unanswered = 0
                    yield from listed
                    continue
            except ProviderError as error:
                self._failed(
                    f"list {project}",
                    say("tickets of {project}", project=project) if project else say("tickets"),
                    error,
                )
            self.unlisted |= set(projects) if whole else {project}

    def _tickets_in(self, project: str) -> Sequence[ExistingTicket]:
        return list(self.tracker.existing(project))

    def _take(self, ticket: ExistingTicket) -> None:
        """Sort a listed ticket: ours, moved, not certainly ours, or not ours at all."""
        record = self._records.get(ticket.key)
        marker = marker_of(ticket) or (record.marker if record else "")
        if not marker:
            return
        if ticket.moved:
            self._follow(ticket, marker)
        elif is_ours(ticket, ticket.key, remembered=record is not None):
            self.tickets[ticket.key] = msgspec.structs.replace(ticket, marker=marker)
        elif marker in self.needed and ticket.open:
            self.suspects.append(ticket)

    def _look_up(self, record: TicketRecord) -> None:
        """One that is not listed: moved, without its label, or gone."""
        ticket = self._read(record.key, record.marker)
        if ticket is None:
            return
        if ticket.moved:
            self._follow(ticket, record.marker)
        elif ticket.key != record.key:  # the answer is about another place
            shell = msgspec.structs.replace(ticket, key=record.key, moved=True, moved_to=ticket.key)
            self._follow(shell, record.marker)
        elif is_ours(ticket, record.key, remembered=True):
            self.tickets[ticket.key] = msgspec.structs.replace(ticket, marker=marker_of(ticket) or record.marker)

    def _follow(self, shell: ExistingTicket, marker: str) -> None:
        """Where a moved ticket is now, if that can be read and has its marker; else the shell that it left."""
        there = self._read(shell.moved_to, marker, elsewhere=True) if shell.moved_to else None
        if there and marker_of(there) == marker and is_ours(there, shell.moved_to, remembered=marker in self._markers):
            self.tickets.setdefault(there.key, msgspec.structs.replace(there, marker=marker))
        elif marker not in self.unread:
            self.tickets[shell.key] = msgspec.structs.replace(shell, marker=marker)

    def _read(self, key: str, marker: str, *, elsewhere: bool = False) -> ExistingTicket | None:
        """What is at the address of a key; None if nothing is, or if it could not be read, which is then told.

        `elsewhere`: it was moved there, perhaps to a place that we may not see.
        """
        if self.resting:
            self.unread.add(marker)
            return None
        try:
            found = self.asking.retrying(partial(self.tracker.get, key))
        except (AccessDenied, TicketRefused) as error:
            if self.unlisted:  # it may be in a project whose trouble is told already
                self.unread.add(marker)
            elif not elsewhere:
                self._failed(f"read {key}", say("ticket {key}", key=key), error, marker)
            return None
        except ProviderError as error:
            self._failed(f"read {key}", say("ticket {key}", key=key), error, marker)
            return None
        self.unanswered = 0
        return found

    def _uncertain(self, ticket: ExistingTicket, marker: str) -> None:
        error = TicketRefused(
            say(
                "it has a marker and not the label of cloudscan's tickets, so it may be somebody's copy and is left "
                "alone, and no second ticket is created; give it the label, and the token the permission to set labels."
            )
        )
        self._failed(f"label {ticket.key}", say("ticket {key}", key=ticket.key), error, marker)

    def _failed(self, act: str, what: Sentence, error: ProviderError, marker: str = "") -> None:
        self.unanswered = self.unanswered + 1 if isinstance(error, Throttled | Unreachable) else 0
        self.resting = self.resting or is_long(error) or self.unanswered >= GIVE_UP
        if marker:
            self.unread.add(marker)
        self.troubles.append(trouble_with(self.asking.tracker, act, what, error))

    @cached_property
    def _markers(self) -> Collection[str]:
        return {record.marker for record in self.records if record.key}

    @cached_property
    def _records(self) -> Mapping[str, TicketRecord]:
        return {record.key: record for record in self.records if record.key}


def as_remembered(records: Iterable[TicketRecord]) -> Sequence[ExistingTicket]:
    """The tickets of a tracker that cannot be asked, as the ledger remembers them.

    What may be closed counts as closed, so that it is opened again.
    """
    return [
        ExistingTicket(
            key=record.key or record.marker,
            body=record.marker_line,
            open=record.phase in (TicketPhase.OPEN, TicketPhase.UPDATING, TicketPhase.SENDING),
            url=record.url,
            marker=record.marker,
            in_doubt=record.phase not in (TicketPhase.OPEN, TicketPhase.CLOSED),
        )
        for record in records
        if record.key or record.phase is not TicketPhase.CLOSED
    ]
