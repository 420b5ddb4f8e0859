"""What an event means: which answers of yesterday it makes worthless. Pure.

Sources: Amazon S3 User Guide, "Amazon S3 CloudTrail events" (names of bucket and account events); for access points,
access grants, table and vector buckets and Outposts the names of the API's operations and of the event sources, which
are guessed. A name that is not known here makes everything worthless that it could concern, never nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

_BUCKETS: Final = ("s3.amazonaws.com", "s3express.amazonaws.com")
_DIRECTORY: Final = "s3express.amazonaws.com"
_LISTED: Final = (
    "s3tables.amazonaws.com",
    "s3vectors.amazonaws.com",
    "s3-outposts.amazonaws.com",
    "s3-object-lambda.amazonaws.com",
    "sso.amazonaws.com",
)
"""Sources of which only the lists are remembered that a Region was asked for."""
_ASKED_EACH_TIME: Final = ("MultiRegionAccessPoint", "AccountPublicAccessBlock")
"""Parts of names whose subject no scan remembers: one request an account, or a change that takes effect later."""
_NO_CONFIGURATION: Final = ("CreateJob", "UpdateJobPriority", "UpdateJobStatus", "StorageLens")
"""Batch jobs change objects, which is not told here anyway; Storage Lens counts them."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event of CloudTrail, as far as it matters here."""

    id: str
    name: str
    source: str
    happened_on: datetime
    buckets: frozenset[str] = frozenset()  # that it names
    failed: bool = False  # an attempt: nothing changed


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What has to be asked for again."""

    buckets: frozenset[str] = frozenset()  # by name
    points: bool = False  # the access points of the Region, with the buckets behind them
    lists: bool = False  # what else the Region was asked for
    everything: bool = False  # the whole account, in all Regions

    def plus(self, more: "Changes") -> "Changes":
        """Both."""
        return Changes(
            buckets=self.buckets | more.buckets,
            points=self.points or more.points,
            lists=self.lists or more.lists,
            everything=self.everything or more.everything,
        )


NOTHING: Final = Changes()


@dataclass(frozen=True, kw_only=True)
class InRegion:
    """What the history of a Region tells."""

    changes: Changes = NOTHING
    logged: Mapping[str, datetime] = field(default_factory=dict)  # the ids of its events, and when they happened

    def since(self, moment: datetime) -> Sequence[str]:
        """The ids of the events that a later look from this moment on will find again."""
        return sorted(one for one, happened_on in self.logged.items() if happened_on >= moment.replace(microsecond=0))


def changes_in(events: Iterable[Event], known: Iterable[str] = ()) -> InRegion:
    """What the events of a Region change; those whose ids are `known` were acted on the last time."""
    listed, before = list(events), frozenset(known)
    changes = NOTHING
    for event in listed:
        if event.id not in before:
            changes = changes.plus(changed_by(event))
    return InRegion(changes=changes, logged={event.id: event.happened_on for event in listed})


def changed_by(event: Event) -> Changes:
    """What one event changes."""
    if event.failed:
        return NOTHING
    if event.source in _LISTED:
        return Changes(lists=True)
    if event.source not in _BUCKETS or _is_about(event, _ASKED_EACH_TIME) or _is_about(event, _NO_CONFIGURATION):
        return NOTHING
    if _is_about(event, ("AccessPoint",)):
        return Changes(buckets=event.buckets, points=True, lists=True)
    if _is_about(event, ("AccessGrant",)):
        return Changes(lists=True)
    if event.buckets:
        return Changes(buckets=event.buckets, lists=event.source == _DIRECTORY)
    return Changes(everything=True)


def _is_about(event: Event, parts: Iterable[str]) -> bool:
    return any(part in event.name for part in parts)
