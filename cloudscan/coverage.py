"""How much a scan saw: one row for each scope and table, and the scan in numbers."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from cloudscan.facts import Hidden, Outcome, Word
from cloudscan.reason import Reason


class Coverage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much of one table of one scope was read, and why not more."""

    scope_uid: str
    scope_name: str
    platform: Word
    account: str
    table: Word
    outcome: Outcome
    gap: str = ""  # the identity of what is missing, by which it can be waived; empty if nothing is
    question: Word = ""  # the declared question that was not answered, if it is about one
    reason: Reason | str = ""  # in prose only where an older cloudscan recorded it
    hides: tuple[Hidden, ...] = ()
    needs: Word = ""  # the permission that would help, as the platform spells it
    resource_uid: str | None = None
    seen: int | None = None  # of a budget: looked at this many of `total`
    total: int | None = None
    facts: int = 0
    requests: int = 0


def gap_id(row: Coverage) -> str:
    """The permanent name of a gap: its question, its place and the code of its cause; no counts, no names, no words."""
    cause = row.reason.code if isinstance(row.reason, Reason) else ""
    parts = (row.platform, row.question or row.table, row.resource_uid or row.scope_uid, cause)
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]


class ScopesRead(msgspec.Struct, frozen=True, kw_only=True):
    """How many scopes of one kind a scan read. What was left out on purpose, or is not offered, is not among them."""

    platform: Word
    kind: Word
    total: int
    whole: int  # without any gap
    partly: int  # read, but answers are missing


class ScanSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One scan: when, what, how much."""

    id: str
    started_on: datetime
    finished_on: datetime
    complete: bool
    resources: Mapping[str, int]  # by kind
    scopes: Mapping[str, int]  # by outcome
    requests: int
    throttles: int = 0  # answers that throttled us
    retries: int = 0  # requests that were made again
    read: Sequence[ScopesRead] = ()  # by platform and kind; empty: an older cloudscan did not count
