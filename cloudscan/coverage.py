"""How much a scan saw: one row for each scope and table, and the scan in numbers."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from cloudscan.facts import Outcome, Word


class Coverage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much of one table of one scope was read, and why not more."""

    scope_uid: str
    scope_name: str
    platform: Word
    account: str
    table: Word
    outcome: Outcome
    reason: str = ""
    needs: Word = ""  # the permission that would help, as the platform spells it
    resource_uid: str | None = None
    seen: int | None = None  # of a budget: looked at this many of `total`
    total: int | None = None
    facts: int = 0
    requests: int = 0


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
