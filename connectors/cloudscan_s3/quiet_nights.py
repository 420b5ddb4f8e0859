"""What a night need not ask again, because CloudTrail's event history says that it has not changed.

Yesterday's answers are kept as AWS gave them, a bucket's in the cursor of its scope and an account's lists in its own.
They are judged anew each night: whatever is wider than a bucket (policies and blocks of the organisation, whose
accounts are ours, partners, the time) has its effect at once, without an event. An answer of yesterday stands if the
history of its Region was read without a hole since it was given, and tells nothing of it.

All times are AWS's own, from the header ``Date`` of its answers, so that no clock of ours matters. Events may come
late: each night looks an hour further back than the last one looked, and drops what it was told before.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from cloudscan.connector import Cursor, Gap, Scope
from cloudscan.facts import Outcome
from cloudscan_s3 import regions
from cloudscan_s3.access.bucket import Block, Unread
from cloudscan_s3.api import event_history
from cloudscan_s3.api.asking import Asker
from cloudscan_s3.api.memory import Memory, Packed, region_of
from cloudscan_s3.api.reader import ListedBucket
from cloudscan_s3.changes import InRegion, changes_in
from cloudscan_s3.questions import EVENT_HISTORY

_OVERLAP: Final = timedelta(minutes=60)
"""Events are told after minutes on average, and no bound is promised (CloudTrail User Guide); an hour is guessed."""
_KEPT: Final = timedelta(days=89)  # the history has 90 days
_LEAST_PAGES, _MOST_PAGES = 4, 200  # of one Region: 200 events; at two requests a second, 100 seconds
_QUIET_SINCE, _AS_OF = "quiet_since", "as_of"  # of a bucket's scope


class AccountState(msgspec.Struct, frozen=True, kw_only=True):
    """The cursor state of an account."""

    as_of: datetime  # everything that is remembered was asked or confirmed after this
    full_on: datetime  # when everything was asked
    block: Block  # the account's: an ACL is told without what it makes ineffective
    logged: Mapping[str, Sequence[str]] = {}  # by Region: ids of events that may come again
    answers: Packed = {}
    asked: Mapping[str, Sequence[str]] = {}  # by kind of delivery: the buckets that were asked for it


class BucketState(msgspec.Struct, frozen=True, kw_only=True):
    """The cursor state of a bucket."""

    as_of: datetime
    created_on: datetime | None = None  # as it was listed: if it differs, the bucket was edited, or is another one
    answers: Packed = {}


@dataclass(frozen=True, kw_only=True)
class AccountReading:
    """What a night's reading of an account rests on."""

    as_of: datetime | None = None  # None: AWS did not say what time it is, and nothing is remembered
    earlier: AccountState | None = None  # None: everything is asked
    by_region: Mapping[str, InRegion] = field(default_factory=dict)  # whose history is known
    gaps: Sequence[Gap] = ()
    memory: Memory = field(default_factory=Memory)  # the account's lists

    @property
    def asked_before(self) -> Mapping[str, Sequence[str]] | None:
        """By kind of delivery: the buckets that were asked for it since all were read; None tonight all are."""
        return self.earlier.asked if self.earlier else None

    def marked(self, scope: Scope, region: str, points: Iterable[str]) -> Scope:
        """The scope of a bucket, with what its reading needs to know. `points` are its access points' Regions."""
        if self.as_of is None:
            return scope
        seen = self.by_region.get(region)
        is_quiet = seen is not None and scope.name not in seen.changes.buckets and self._are_quiet(points)
        quiet = {_QUIET_SINCE: self.earlier.as_of.isoformat()} if self.earlier and is_quiet else {}
        params = {**scope.params, _AS_OF: self.as_of.isoformat(), **quiet}
        return msgspec.structs.replace(scope, params=params)

    def _are_quiet(self, points: Iterable[str]) -> bool:
        """Whether nothing was told of access points in these Regions; multi-region ones (empty) are always asked."""
        here = (self.by_region.get(region) for region in points if region)
        return all(seen is not None and not seen.changes.points for seen in here)

    def cursor(self, scope: Scope, block: Block | Unread, asked: Mapping[str, Collection[str]]) -> Iterator[Cursor]:
        """What the next night continues from; nothing where that is not possible."""
        if self.as_of is None or isinstance(block, Unread):
            return
        state = AccountState(
            as_of=self.as_of,
            full_on=self.earlier.full_on if self.earlier else self.as_of,
            block=block,
            logged={region: seen.since(self.as_of - _OVERLAP) for region, seen in self.by_region.items()},
            answers=self.memory.kept,
            asked={kind: sorted(names) for kind, names in asked.items()},
        )
        yield Cursor(scope_uid=scope.uid, token=msgspec.json.encode(state).decode(), whole=True)


def begin(
    asker: Asker,
    since: Cursor | None,
    as_of: datetime | None,
    *,
    block: Block | Unread,
    enabled: Sequence[str],
    buckets: Sequence[ListedBucket],
    full_every_days: int,
) -> AccountReading:
    """Look what has changed in an account. Without a cursor, or if that cannot be known, everything is asked."""
    if as_of is None or full_every_days <= 1:
        return AccountReading()
    state = _account_state(since)
    if state is None or not _can_continue(state, as_of, block, full_every_days):
        return AccountReading(as_of=as_of)
    by_region: dict[str, InRegion] = {}
    in_region: dict[str, int] = {}
    for bucket in buckets:
        in_region[bucket.region] = in_region.get(bucket.region, 0) + 1
    refused = False

    def look(region: str) -> tuple[Sequence[Any], Sequence[Gap]]:
        nonlocal refused
        most_pages = min(_MOST_PAGES, max(_LEAST_PAGES, in_region.get(region, 0)))
        events, gaps = event_history.changes_since(asker, region, state.as_of - _OVERLAP, most_pages)
        if not gaps:
            by_region[region] = changes_in(events, state.logged.get(region, ()))
        refused = refused or (region == home and any(gap.outcome is Outcome.DENIED for gap in gaps))
        return (), gaps

    home = asker.account.region
    wanted = dict.fromkeys((home, *enabled, *sorted(in_region.keys() - {""})))
    looked = regions.ask_each((region for region in wanted if not refused), look, EVENT_HISTORY)
    gaps = [msgspec.structs.replace(gap, outcome=Outcome.SKIPPED, passing=False) for gap in looked.gaps]
    if not by_region or any(seen.changes.everything for seen in by_region.values()):
        return AccountReading(as_of=as_of, gaps=gaps)
    still = {key: one for key, one in state.answers.items() if _stands(by_region.get(region_of(key) or home))}
    return AccountReading(as_of=as_of, earlier=state, by_region=by_region, gaps=gaps, memory=Memory(earlier=still))


def memory_of(scope: Scope, since: Cursor | None, created_on: datetime | None) -> Memory:
    """What is still known of a bucket; empty if it has to be asked for."""
    quiet_since = scope.params.get(_QUIET_SINCE)
    state = _bucket_state(since) if quiet_since else None
    if state is None or state.created_on != created_on or state.as_of < datetime.fromisoformat(quiet_since or ""):
        return Memory()
    return Memory(earlier=state.answers)


def bucket_cursor(scope: Scope, memory: Memory, created_on: datetime | None) -> Iterator[Cursor]:
    """What the next night remembers of a bucket."""
    if as_of := scope.params.get(_AS_OF):
        state = BucketState(as_of=datetime.fromisoformat(as_of), created_on=created_on, answers=memory.kept)
        yield Cursor(scope_uid=scope.uid, token=msgspec.json.encode(state).decode(), whole=True)


def _can_continue(state: AccountState, as_of: datetime, block: Block | Unread, full_every_days: int) -> bool:
    """Whether what is remembered of an account can still be vouched for.

    A scan that is due every seventh night is due half a day earlier, since nights do not begin at the same second.
    """
    is_in_order = state.as_of <= as_of <= state.as_of + _KEPT
    is_due = as_of - state.full_on > timedelta(days=full_every_days, hours=-12)
    return is_in_order and not is_due and state.block == block


def _stands(seen: InRegion | None) -> bool:
    return seen is not None and not seen.changes.lists


def _account_state(since: Cursor | None) -> AccountState | None:
    try:
        return msgspec.json.decode(since.token, type=AccountState) if since else None
    except msgspec.MsgspecError:
        return None  # another version's: then everything is asked


def _bucket_state(since: Cursor | None) -> BucketState | None:
    try:
        return msgspec.json.decode(since.token, type=BucketState) if since else None
    except msgspec.MsgspecError:
        return None
