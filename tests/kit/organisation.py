"""A roster in words, and a small estate joined with it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from cloudscan.connector import Yielded
from cloudscan.facts import Affiliation, Principal
from cloudscan.organisation.joining import joiner
from cloudscan.organisation.knowledge import Knowledge, Staff
from cloudscan.roster.history import History, merge
from cloudscan.roster.people import people_of
from cloudscan.roster.reading import read_roster
from cloudscan.roster.table import read_table
from cloudscan.snapshot.collect import CollectOptions, collect
from cloudscan.snapshot.seal import SealOptions
from cloudscan.snapshot.snapshot import Snapshot
from tests.kit.facts import Listed, yielding

NIGHT = datetime(2026, 4, 1, 3, tzinfo=UTC)
"""The night of most of these tests: noon of 1 April in Tokyo."""


def staff(csv: str, *, today: date = date(2026, 4, 1), timezone: str = "UTC") -> Staff:
    """Everyone in a roster that is written as CSV."""
    roster = read_roster(read_table(csv.encode(), "roster.csv", {}), today=today, timezone=timezone)
    history = merge(History(), roster, today)
    return Staff(people=people_of(history), unjudged=roster.unjudged, is_configured=True)


def user(name: str, email: str = "", *, platform: str = "toy", kind: str = "user", **more: Any) -> Principal:
    """An account of ours, unless said otherwise."""
    fields: Mapping[str, Any] = {"affiliation": Affiliation.INTERNAL, "status": "active", **more}
    return Principal(
        uid=f"{platform}:{name}",
        platform=platform,
        account="acme",
        kind=kind,
        name=name,
        email=email,
        domain=email.partition("@")[2],
        **fields,
    )


def joined(folder: Path, knowledge: Knowledge, facts: Iterable[Yielded], *, now: datetime = NIGHT) -> Snapshot:
    """The snapshot of an estate, joined with what the organisation knows."""
    options = CollectOptions(clock=lambda: now, seal=SealOptions(join=joiner(knowledge)))
    return collect([Listed({"a": yielding(*facts)})], folder / "snapshot", options=replace(options, concurrency=1))
