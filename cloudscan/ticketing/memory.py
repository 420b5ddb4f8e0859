"""What is remembered of tickets from run to run: by the ledger, or not at all."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from cloudscan.ticketing.renames import Renames
from cloudscan.tracker import TicketRecord


class PendingComment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment about something that was done to a ticket, or is about to be, and that is not written yet.

    It is written as long as the ticket is as it says: open or closed, and with this text if it is about the text.
    """

    tracker: str
    key: str
    comment_id: str
    marker: str
    text: str
    open: bool
    digest: str = ""  # of the marker line; empty: whatever the text is
    planned_on: datetime


class KnownTrouble(msgspec.Struct, frozen=True, kw_only=True):
    """Something that failed, in earlier runs too."""

    tracker: str
    id: str  # what failed, and where; the same in each run
    since: datetime
    runs: int = 1


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

    def pending_comments(self) -> Sequence[PendingComment]:
        """The comments that are not written yet, the oldest first."""
        ...

    def save_pending_comment(self, comment: PendingComment) -> None:
        """Remember a comment that is to be written, replacing the one with its id about the same ticket."""
        ...

    def drop_pending_comment(self, tracker: str, key: str, comment_id: str) -> None:
        """Forget a comment: it was written, or need not be any more."""
        ...

    def troubles(self) -> Sequence[KnownTrouble]:
        """What failed in the last run."""
        ...

    def keep_troubles(self, tracker: str, troubles: Sequence[KnownTrouble]) -> None:
        """Replace what failed in a tracker."""
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

    def pending_comments(self) -> Sequence[PendingComment]:
        """None, so a comment that failed is not written later."""
        return ()

    def save_pending_comment(self, comment: PendingComment) -> None:
        """Forget it."""

    def drop_pending_comment(self, tracker: str, key: str, comment_id: str) -> None:
        """There is none."""

    def troubles(self) -> Sequence[KnownTrouble]:
        """None: everything is reported as if for the first time."""
        return ()

    def keep_troubles(self, tracker: str, troubles: Sequence[KnownTrouble]) -> None:
        """Forget them."""
