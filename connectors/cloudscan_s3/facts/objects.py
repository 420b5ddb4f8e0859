"""Objects whose own ACL admits someone: from inventory reports where there are any, else from a sample.

A bucket may contain billions of objects, and S3 returns one ACL per request. So nothing is asked where ownership or
blocks make object ACLs void; a report that contains the ACLs is read whole; and of all other buckets a few objects are
read within a budget. How few is reported as a gap.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cloudscan.connector import Gap
from cloudscan.errors import Vanished
from cloudscan.facts import AnyFact, Outcome
from cloudscan.reason import Reason
from cloudscan_s3.access.bucket import Bucket, ObjectAcl, Unread
from cloudscan_s3.access.callers.canonical_users import named_in
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.api import inventory, reader
from cloudscan_s3.api.asking import Asker, name_of
from cloudscan_s3.api.inventory import ReportUnread
from cloudscan_s3.facts.translate import bucket_uid, facts_of_object, facts_of_unseen_objects
from cloudscan_s3.options import Options
from cloudscan_s3.questions import OBJECTS

_PAGE: Final = 1000
EstateKnowing = Callable[[Iterable[str]], OwnEstate]
"""Our estate, with whose the canonical user ids are that an ACL names."""


class Budget:
    """How many requests for objects may still be made in one account, by all threads together."""

    def __init__(self, requests: int) -> None:
        self._left = requests
        self._lock = threading.Lock()

    def take(self, wanted: int) -> int:
        """Reserve as many of the wanted requests as are left; returns how many."""
        with self._lock:
            granted = max(0, min(wanted, self._left))
            self._left -= granted
            return granted


@dataclass(frozen=True, kw_only=True)
class _Key:
    key: str
    size: int | None
    modified_on: datetime | None


def facts_of_objects(
    asker: Asker,
    bucket: Bucket,
    own_estate: EstateKnowing,
    now: datetime,
    options: Options,
    budget: Budget,
    inventories: inventory.Configured | None = None,
) -> Iterator[AnyFact | Gap]:
    """What the ACLs of a bucket's objects open, and a gap for those that were not read."""
    if not options.object_requests:
        yield from _unseen(bucket, Reason(code="s3-objects-switched-off"))
        return
    if not budget.take(2):
        yield from _unseen(bucket, Reason(code="s3-objects-budget-spent", values={"requests": options.object_requests}))
        return
    try:
        report = inventory.newest_report(asker, bucket, bucket_uid(bucket), now, inventories)
        if report is not None:
            yield from _from_inventory(asker, bucket, own_estate, now, report, budget)
            return
    except ReportUnread as unread:
        yield unread.gap
    yield from _from_listing(asker, bucket, own_estate, now, options, budget)


def _from_listing(
    asker: Asker, bucket: Bucket, own_estate: EstateKnowing, now: datetime, options: Options, budget: Budget
) -> Iterator[AnyFact | Gap]:
    page = asker.ask(OBJECTS, bucket.region, Bucket=bucket.name, MaxKeys=_PAGE)
    if page is None or isinstance(page, Unread):
        yield from facts_of_unseen_objects(bucket)
        if page is not None:
            yield page.gap(bucket_uid(bucket))
        return
    contents = page.get("Contents") or ()
    keys, broken = _keys(contents)
    broken += max(0, int(page.get("KeyCount") or 0) - len(contents))  # S3 counts what it lists
    if broken:
        reason = Reason(code="s3-entries-malformed", values={"count": broken})
        yield OBJECTS.lacking(reason, bucket_uid(bucket))
    total = None if page.get("IsTruncated") else len(keys)
    chosen = _spread(keys, budget.take(min(len(keys), options.objects_per_bucket)))
    seen = 0
    for sample in chosen:
        try:
            acl = reader.acl_of_object(asker, bucket.region, bucket.name, sample.key)
        except Vanished:
            continue
        seen += 1
        item = ObjectAcl(
            bucket=bucket.name, key=sample.key, acl=acl, size_bytes=sample.size, modified_on=sample.modified_on
        )
        yield from facts_of_object(item, bucket, own_estate(named_in(acl)), now)
    if total is None or len(chosen) < total:
        yield from _unseen(bucket, Reason(code="s3-objects-sampled"), seen, total)


def _from_inventory(
    asker: Asker, bucket: Bucket, own_estate: EstateKnowing, now: datetime, report: inventory.Report, budget: Budget
) -> Iterator[AnyFact | Gap]:
    seen = unavailable = 0
    for item in inventory.objects(asker, bucket, report, bucket_uid(bucket)):
        seen += 1
        if item.acl is None:
            unavailable += 1
            continue
        if item.is_owners_alone:
            continue
        facts = list(facts_of_object(item.as_object(bucket.name), bucket, own_estate(named_in(item.acl)), now))
        if not facts:
            continue
        if budget.take(1):
            # A report is up to a week old: what it says is checked once more before anyone is asked to fix it.
            try:
                acl = reader.acl_of_object(asker, bucket.region, bucket.name, item.key)
            except Vanished:
                continue
            facts = list(facts_of_object(item.as_object(bucket.name, acl), bucket, own_estate(named_in(acl)), now))
        yield from facts
    if unavailable:
        yield from _unseen(bucket, Reason(code="s3-objects-not-in-report"), seen - unavailable, seen)


def _unseen(bucket: Bucket, reason: Reason, seen: int = 0, total: int | None = None) -> Iterator[AnyFact | Gap]:
    yield from facts_of_unseen_objects(bucket)
    yield OBJECTS.lacking(reason, bucket_uid(bucket), outcome=Outcome.SKIPPED, seen=seen, total=total)


def _keys(contents: Sequence[dict[str, Any]]) -> tuple[Sequence[_Key], int]:
    """The objects of a page, and how many entries make no sense."""
    keys = []
    for listed in contents:
        try:
            modified = listed.get("LastModified")
            keys.append(
                _Key(
                    key=name_of(listed, "Key"),
                    size=listed.get("Size"),
                    modified_on=modified.astimezone(UTC) if modified else None,
                )
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    return keys, len(contents) - len(keys)


def _spread(keys: Sequence[_Key], number: int) -> Sequence[_Key]:
    """A number of keys, evenly spread over the page: neighbours tend to have been uploaded alike."""
    return [keys[index * len(keys) // number] for index in range(number)] if number else []
