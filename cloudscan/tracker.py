"""The door for trackers: what a ticket is, and what the core asks of a place where tickets are kept.

A tracker does each thing once and says how it went; which ticket is written when, and what is done about a lost
answer, is the core's work (`cloudscan.ticketing.plan`, `cloudscan.ticketing.deliver`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from cloudscan.finding import Finding, Severity, Waiver
from cloudscan.report import RuleSummary


class TicketSubject(msgspec.Struct, frozen=True, kw_only=True):
    """What one ticket is about: one finding, or all findings of one owner, worst first."""

    marker: str  # the ticket's name for ever: a finding's fingerprint, or a hash of the owner
    owner: str  # of the resource, as the platform tells; empty: nobody known
    findings: Sequence[Finding]
    rules: Mapping[str, RuleSummary]
    severity: Severity  # of the worst
    due: date | None
    by_owner: bool = False


class CommentReason(StrEnum):
    """Why a comment is written."""

    WIDENED = "widened"
    STILL = "still"  # seen again after a while
    RESOLVED = "resolved"
    REOPENED = "reopened"
    WAIVED = "waived"
    DUPLICATE = "duplicate"


class CommentContent(msgspec.Struct, frozen=True, kw_only=True):
    """What a comment has to say."""

    note: CommentReason
    day: date  # of the scan
    widened: Sequence[str] = ()  # what reaches further: audience, access, resources, severity, findings
    waiver: Waiver | None = None
    instead: str = ""  # the ticket that stays, where this one is a duplicate


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as it should stand in the tracker. `body` ends with the seal, by which it is found again."""

    marker: str
    title: str
    body: str
    severity: Severity
    labels: Sequence[str] = ()
    due: date | None = None
    project: str = ""  # empty: as the tracker's options say
    assignee: str = ""  # address or name; the tracker looks up whom it knows by it
    fallback_assignee: str = ""  # instead, where the tracker does not know the assignee
    fingerprints: Sequence[str] = ()


class ExistingTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as the tracker holds it."""

    key: str
    body: str
    open: bool
    url: str = ""
    marker: str = ""  # where the tracker keeps it in a field of its own; else it is read from the body
    closed_on: datetime | None = None


class Tracker(Protocol):
    """A place where tickets are kept.

    Each method asks once. Raises `AccessDenied` where a right is missing, `Throttled` where a pause is asked for,
    `Unreachable` where no answer came (the request may have been carried out all the same), `TicketRefused` where the
    tracker does not accept what was sent.
    """

    @property
    def index_lag_seconds(self) -> float:
        """How many seconds after its creation a ticket may be missing from `existing`; 0: it is listed immediately."""
        ...

    @property
    def lists(self) -> bool:
        """Whether it can list its tickets. If not, the ledger's memory is all there is."""
        ...

    def existing(self, projects: Sequence[str], /) -> Iterable[ExistingTicket]:
        """All tickets that cloudscan made there, open and closed."""
        ...

    def get(self, key: str, /) -> ExistingTicket | None:
        """One ticket by its key; None where it is gone."""
        ...

    def person(self, name: str, project: str, /) -> str:
        """What the tracker calls whoever has this address or name; empty where it knows nobody who can be assigned."""
        ...

    def create(self, ticket: Ticket, assignee: str, /) -> ExistingTicket: ...

    def update(self, key: str, ticket: Ticket, /) -> None:
        """Write title, body, labels and due day anew. Whom it is assigned to is left alone."""
        ...

    def comments(self, key: str, /) -> Sequence[str]: ...

    def comment(self, key: str, text: str, /) -> None: ...

    def close(self, key: str, /) -> None: ...

    def reopen(self, key: str, /) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Wording:
    """How a tracker words things, in its own markup: each takes a language last."""

    title: Callable[[TicketSubject, str], str]
    body: Callable[[TicketSubject, str], str]
    news: Callable[[CommentContent, str], str]
    aside: Callable[[str], str] = lambda text: text  # a line for machines, out of the reader's way


@dataclass(frozen=True, kw_only=True)
class TrackerPlugin:
    """What the entry point group `cloudscan.trackers` resolves to.

    Importing it must be cheap. `options` is a msgspec Struct with ``forbid_unknown_fields``; its fields are the keys
    of ``[trackers.<name>]``, beside `kind`. Credentials are looked up in the environment: `open` gets a function from
    the last part of a variable's name (``TOKEN``) to its value, which raises `ConfigurationError` where it is not set.
    """

    name: str
    title: str
    options: type[msgspec.Struct]
    open: Callable[[Any, Callable[[str], str]], Tracker]  # (options, credential)
    wording: Callable[[Any], Wording]  # (options)
    secrets: Sequence[str] = ()  # the last parts of the variables' names that it reads


LABEL = "cloudscan"


class TicketPhase(StrEnum):
    """How far a ticket got, as the ledger remembers."""

    SENDING = "sending"  # about to be created; whether it was is not known
    OPEN = "open"
    CLOSED = "closed"


class TicketRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as the ledger remembers it."""

    tracker: str
    marker: str
    phase: TicketPhase
    acted_on: datetime
    key: str = ""
    url: str = ""
    marker_line: str = ""  # as last written
