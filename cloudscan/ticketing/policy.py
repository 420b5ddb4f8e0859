"""Which findings become tickets, and how they are grouped."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from cloudscan.finding import Severity
from cloudscan.ticketing.routing import Route


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[tickets]``: which findings become tickets, and when reminders are sent."""

    group_by: Literal["fix", "finding", "owner"] = "fix"  # one ticket for each
    language: Literal["", "en", "ja"] = ""  # empty: the organisation's
    min_severity: Severity = Severity.MEDIUM  # less severe findings get no ticket
    remind_days: int = 30  # comment when a finding is still seen after this many days; 0: never
    max_new: int = 50  # new tickets in one run, the worst first
    owner_from: Sequence[str] = ("owner",)  # who answers for a resource: owner, tag:NAME or detail:NAME, in this order
    tracker: str = ""  # for findings whose route names none; empty: the only one that is configured


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """What decides which ticket a finding belongs to."""

    policy: Policy
    routes: Sequence[Route] = ()
    domains: Collection[str] = ()  # of our mail
