"""How far a scan saw: one row for each scope and table, and the scan in numbers."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from cloudscan.facts import Outcome


class Coverage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far one table of one scope was read, and why not further."""

    scope_uid: str
    scope_name: str
    platform: str
    account: str
    table: str
    outcome: Outcome
    reason: str = ""
    needs: str = ""
    resource_uid: str | None = None
    seen: int | None = None
    total: int | None = None
    facts: int = 0
    requests: int = 0


class ScanSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One run: when, what, how much."""

    id: str
    started_on: datetime
    finished_on: datetime
    complete: bool
    resources: Mapping[str, int]  # by kind
    scopes: Mapping[str, int]  # by outcome
    requests: int
    throttles: int = 0  # answers that asked for a pause
    retries: int = 0  # requests that were made again
