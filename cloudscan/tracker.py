"""The door for trackers: what a ticket is, and what the core asks of an issue tracker.

A tracker does each thing once and reports what it sees; which ticket is written when, whether it is ours, and what to
do about a lost answer, is the core's work (`cloudscan.ticketing.plan`, `cloudscan.ticketing.deliver`).
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
from cloudscan.sentence import Sentence


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
    predecessor: str = ""  # the ticket that this one continues: it was moved away, or can no longer be opened
    rejudged: Mapping[str, Rejudged] = {}  # by fingerprint: where only the judgement changed, or perhaps


class CommentReason(StrEnum):
    """Why a comment is written."""

    WIDENED = "widened"
    STILL = "still"  # seen again after a while
    CLOSED = "closed"
    REOPENED = "reopened"


class ClosingReason(StrEnum):
    """Why a ticket is closed."""

    FIXED = "fixed"  # it was checked, and is as it should be
    GONE = "gone"  # what was exposed no longer exists
    WAIVED = "waived"
    DUPLICATE = "duplicate"
    MERGED = "merged"  # another ticket about the same fix stays open
    WITHDRAWN = "withdrawn"  # the rule is no longer applied
    REJUDGED = "rejudged"  # nothing changed but how it is judged


class Closing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a ticket is closed. `note` says why in plain text and the reader's language, for a field that asks for it."""

    reason: ClosingReason
    note: str = ""
    instead: str = ""  # the key of the ticket that stays open, if this one is a duplicate or merged


class CommentContent(msgspec.Struct, frozen=True, kw_only=True):
    """What a comment is about."""

    note: CommentReason
    day: date  # of the scan
    timezone: str = UTC_NAME  # in which days are written
    widened: Sequence[str] = ()  # in what: audience, access, resources, severity, findings
    closing: ClosingReason | None = None  # why, if it is closed
    waiver: Waiver | None = None  # if that is why
    instead: str = ""  # the ticket that stays open, if this one is a duplicate or merged
    rejudged: Rejudged | None = None  # only the judgement changed, or perhaps
    due: date | None = None  # of a ticket that is still open
    contact: str = ""  # whom to ask about it


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


class Dropped(StrEnum):
    """What was sent, and is not in the ticket: services leave out what a user may not set without a word."""

    LABEL = "label"  # by which our tickets are listed
    TEXT = "text"  # the marker line included
    ASSIGNEE = "assignee"
    CONFIDENTIAL = "confidential"  # more people can read it than should
    DUE = "due"
    FIELDS = "fields"  # of the options


class ExistingTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as it is in the tracker. Everything is as the answer says, and nothing as it was asked for."""

    key: str
    body: str
    open: bool
    url: str = ""
    marker: str = ""  # if the tracker has a field for it; otherwise it is read from the body
    closed_on: datetime | None = None
    project: str = ""  # where it is; empty: the tracker's own project, or not known
    labelled: bool = True  # whether it bears what distinguishes our tickets: a label, a category, a field
    is_final: bool = False  # it is closed, and can neither be opened nor changed
    moved: bool = False  # it is not here any more; its content is not told
    moved_to: str = ""  # its key now, if the tracker says
    in_doubt: bool = False  # it is only remembered, and what was sent to it last may have been carried out or not
    dropped: Sequence[Dropped] = ()  # in the answer to what was written
    unread: Sequence[str] = ()  # fields that the answer to what was written does not show, as the tracker names them


@dataclass(frozen=True, kw_only=True)
class Wording:
    """The texts of tickets, in the markup of one project, no longer than it allows; `lang` is a language."""

    title: Callable[[TicketSubject, str], str]  # (subject, lang)
    body: Callable[[TicketSubject, str, int], str]  # (subject, lang, how many characters to leave for the last line)
    comment: Callable[[CommentContent, str, int], str]  # the same
    note: Callable[[CommentContent, str], str]  # a comment in plain text
    aside: Callable[[str], str] = lambda text: text  # hides a line that only machines read
    longest_line: int = 6000  # characters of that line


class Listing(StrEnum):
    """How a tracker lists its tickets."""

    NONE = "none"  # a ticket's key is the marker under which it was created
    BY_PROJECT = "project"
    WHOLE = "whole"  # those of all projects at once


class Tracker(Protocol):
    """An issue tracker.

    Each method sends its request once. Raises `AccessDenied` if a permission is missing, `Throttled` if the tracker is
    throttling requests, `Unreachable` if no answer arrives (the request may have been carried out nevertheless),
    `Malformed` if the answer has another shape than is documented, and `TicketRefused` if the tracker does not accept
    what was sent. Their messages are sentences of `cloudscan.sentence.say`.

    `once` is the same for each attempt at the same thing, however many nights there are between, and for nothing else:
    for services that recognise what they were sent before.
    """

    @property
    def index_lag_seconds(self) -> float:
        """How many seconds after its creation a ticket may be missing from `existing`; 0: it is listed immediately."""
        ...

    @property
    def listing(self) -> Listing:
        """Whether it can list its tickets, and how. If not, only the ledger knows of them."""
        ...

    def wording(self, project: str, /) -> Wording:
        """The wording for a project, in the markup that it is set to."""
        ...

    def existing(self, project: str, /) -> Iterable[ExistingTicket]:
        """All tickets that cloudscan made in a project, open and closed, those that were moved away included.

        Recent tickets that show a marker line and do not bear our label belong to them too, if labels can get lost.
        """
        ...

    def get(self, key: str, /) -> ExistingTicket | None:
        """What is at this very address; None if the ticket no longer exists. A redirect is a ticket that `moved`."""
        ...

    def person(self, name: str, project: str, /) -> str:
        """The tracker's own name for the one active user who has this address or user name, and can be assigned.

        Empty if there is none, if there are several, or if it is not certain: by what people cannot choose themselves.
        """
        ...

    def create(self, ticket: Ticket, assignee: str, /, *, once: str) -> ExistingTicket:
        """Create a ticket; `assignee` is a name that `person` gave, or empty."""
        ...

    def update(self, key: str, ticket: Ticket, /, *, once: str) -> ExistingTicket:
        """Replace title, body, labels and due date. The assignee is not changed."""
        ...

    def comments(self, key: str, /) -> Iterable[str]:
        """The texts of a ticket's comments, the newest first where the tracker can say so."""
        ...

    def comment(self, key: str, text: str, /, *, once: str) -> None:
        """Add a comment."""
        ...

    def close(self, key: str, closing: Closing, /, *, once: str) -> ExistingTicket:
        """Close a ticket, in the tracker's own terms for the reason."""
        ...

    def reopen(self, key: str, /, *, once: str) -> ExistingTicket:
        """Reopen a closed ticket."""
        ...

    def check(self, project: str, /) -> Iterable[Sentence]:
        """What a project requires and the options lack, and what the user may not do there; for `cloudscan doctor`."""
        ...


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
    UPDATING = "updating"  # of a tracker that cannot be asked: sent, and whether it was done is not known
    CLOSING = "closing"  # the same
    REOPENING = "reopening"  # the same


class TicketRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as the ledger recorded it."""

    tracker: str
    marker: str
    phase: TicketPhase
    acted_on: datetime
    key: str = ""
    url: str = ""
    marker_line: str = ""  # as last written; while it is being updated, the one that was sent stands before it
    changes: int = 0  # how often it was written, opened and closed
