"""The door for trackers: what a ticket is, and what the core asks of an issue tracker.

A tracker does each thing once and reports the result; which ticket is written when, and what to do about a lost answer,
is the core's work (`cloudscan.ticketing.plan`, `cloudscan.ticketing.deliver`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from cloudscan.days import UTC_NAME
from cloudscan.finding import Finding, Severity, Waiver
from cloudscan.recipient import Recipient, Withheld
from cloudscan.report import Rejudged, RuleSummary


class TicketSubject(msgspec.Struct, frozen=True, kw_only=True):
    """What one ticket is about: one fix, or all fixes of one person, worst first."""

    marker: str  # the ticket's permanent name: a fix's key, a finding's fingerprint, or a hash of the person
    owner: str  # of the resource, as the platform says, or the person whose fixes these are; empty: unknown
    recipient: Recipient  # who is to make the fix
    findings: Sequence[Finding]
    rules: Mapping[str, RuleSummary]
    severity: Severity  # of the worst
    due: date | None
    timezone: str = UTC_NAME  # in which days are written
    by_owner: bool = False
    contact: str = ""  # whom to ask, for those who have no cloudscan
    waive_until: date | None = None  # the last day of a waiver that is given now; None: not known
    rejudged: Mapping[str, Rejudged] = {}  # by fingerprint: where only the judgement changed, or perhaps


class CommentReason(StrEnum):
    """Why a comment is written."""

    WIDENED = "widened"
    STILL = "still"  # seen again after a while
    RESOLVED = "resolved"
    REOPENED = "reopened"
    WAIVED = "waived"
    DUPLICATE = "duplicate"
    MERGED = "merged"  # another ticket about the same fix stays open


class CommentContent(msgspec.Struct, frozen=True, kw_only=True):
    """What a comment is about."""

    note: CommentReason
    day: date  # of the scan
    widened: Sequence[str] = ()  # in what: audience, access, resources, severity, findings
    waiver: Waiver | None = None
    instead: str = ""  # the ticket that stays open, if this one is a duplicate or merged
    rejudged: Rejudged | None = None  # only the judgement changed, or perhaps


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as it should be in the tracker. `body` ends with the marker line, by which the ticket is recognised."""

    marker: str
    title: str
    body: str
    severity: Severity
    labels: Sequence[str] = ()
    due: date | None = None
    project: str = ""  # empty: as the tracker's options say
    assignee: str = ""  # address or name; the tracker looks up its own user
    fallback_assignee: str = ""  # used if there is no assignee, or the tracker does not know them
    owner: str = ""  # of the resource, as the platform says
    withheld: Withheld | None = None  # why the ticket is not the owner's; None: it is
    fingerprints: Sequence[str] = ()


class ExistingTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as it is in the tracker."""

    key: str
    body: str
    open: bool
    url: str = ""
    marker: str = ""  # if the tracker has a field for it; otherwise it is read from the body
    closed_on: datetime | None = None


class Tracker(Protocol):
    """An issue tracker.

    Each method sends its request once. Raises `AccessDenied` if a permission is missing, `Throttled` if the tracker is
    throttling requests, `Unreachable` if no answer arrives (the request may have been carried out nevertheless), and
    `TicketRefused` if the tracker does not accept what was sent.
    """

    @property
    def index_lag_seconds(self) -> float:
        """How many seconds after its creation a ticket may be missing from `existing`; 0: it is listed immediately."""
        ...

    @property
    def lists(self) -> bool:
        """Whether it can list its tickets. If not, only the ledger knows of them."""
        ...

    def existing(self, projects: Sequence[str], /) -> Iterable[ExistingTicket]:
        """All tickets that cloudscan made there, open and closed."""
        ...

    def get(self, key: str, /) -> ExistingTicket | None:
        """One ticket by its key; None if it no longer exists."""
        ...

    def person(self, name: str, project: str, /) -> str:
        """The tracker's own name for a user with this address or name; empty if it has none who can be assigned."""
        ...

    def create(self, ticket: Ticket, assignee: str, /) -> ExistingTicket:
        """Create a ticket; `assignee` is a name that `person` gave, or empty."""
        ...

    def update(self, key: str, ticket: Ticket, /) -> None:
        """Replace title, body, labels and due date. The assignee is not changed."""
        ...

    def comments(self, key: str, /) -> Sequence[str]:
        """The texts of a ticket's comments."""
        ...

    def comment(self, key: str, text: str, /) -> None:
        """Add a comment."""
        ...

    def close(self, key: str, /) -> None:
        """Close a ticket."""
        ...

    def reopen(self, key: str, /) -> None:
        """Reopen a closed ticket."""
        ...


@dataclass(frozen=True, kw_only=True)
class Wording:
    """The texts of tickets, in the tracker's own markup; the last parameter of each is a language."""

    title: Callable[[TicketSubject, str], str]
    body: Callable[[TicketSubject, str], str]
    comment: Callable[[CommentContent, str], str]
    aside: Callable[[str], str] = lambda text: text  # hides a line that only machines read


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
    preview: Wording | None = None  # to show what a ticket looks like where no tracker is configured


LABEL = "cloudscan"
"""The label of every ticket that cloudscan makes."""


def variable(tracker: str, part: str) -> str:
    """The environment variable with a secret of the tracker of this name: ``CLOUDSCAN_JIRA_TOKEN``."""
    return "CLOUDSCAN_" + "".join(letter if letter.isalnum() else "_" for letter in tracker).upper() + f"_{part}"


class TicketPhase(StrEnum):
    """How far a ticket got, as the ledger recorded."""

    SENDING = "sending"  # about to be created; whether it was is not known
    OPEN = "open"
    CLOSED = "closed"


class TicketRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as the ledger recorded it."""

    tracker: str
    marker: str
    phase: TicketPhase
    acted_on: datetime
    key: str = ""
    url: str = ""
    marker_line: str = ""  # as last written
