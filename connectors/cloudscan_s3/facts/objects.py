"""Objects whose own ACL admits someone: from inventory reports where there are any, else from a sample.

A bucket may contain billions of objects, and S3 returns one ACL per request. So nothing is asked where ownership or
blocks make object ACLs void; a report that contains the ACLs is read whole; and of all other buckets a few objects are
read within a budget. How few is reported as a gap.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cloudscan.connector import Gap
from cloudscan.errors import AccessDenied, Malformed
from cloudscan.facts import AnyFact, Outcome
from cloudscan_s3.access.bucket import Bucket, ObjectAcl
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.api import inventory, reader
from cloudscan_s3.api.client import Account, Vanished, require
from cloudscan_s3.facts.translate import bucket_uid, facts_of_object, facts_of_unseen_objects
from cloudscan_s3.options import Options

_PAGE = 1000


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
    account: Account, bucket: Bucket, own_estate: OwnEstate, now: datetime, options: Options, budget: Budget
) -> Iterator[AnyFact | Gap]:
    """What the ACLs of a bucket's objects open, and a gap for those that were not read."""
    if not options.object_requests:
        yield from _unseen(bucket, "object ACLs are not read (connectors.s3.object_requests is 0)", "", 0, None)
        return
    if not budget.take(2):
        reason = f"the budget of {options.object_requests} requests for object ACLs in this account is used up"
        yield from _unseen(bucket, reason, "", 0, None)
        return
    try:
        report = inventory.newest_report(account, bucket)
        if report is not None:
            yield from _from_inventory(account, bucket, own_estate, now, report, budget)
            return
    except (AccessDenied, Malformed) as trouble:
        reason = f"its inventory report could not be read: {trouble}"
        yield Gap(table="grants", outcome=Outcome.PARTIAL, reason=reason, resource_uid=bucket_uid(bucket))
    yield from _from_listing(account, bucket, own_estate, now, options, budget)


def _from_listing(
    account: Account, bucket: Bucket, own_estate: OwnEstate, now: datetime, options: Options, budget: Budget
) -> Iterator[AnyFact | Gap]:
    client = account.client("s3", bucket.region)
    try:
        page = require(client.list_objects_v2, "s3:ListBucket", Bucket=bucket.name, MaxKeys=_PAGE)
    except AccessDenied as refused:
        yield from _unseen(bucket, str(refused), refused.needs, 0, None, Outcome.DENIED)
        return
    keys = [_key(entry) for entry in page.get("Contents", ())]
    total = None if page.get("IsTruncated") else len(keys)
    chosen = _spread(keys, budget.take(min(len(keys), options.objects_per_bucket)))
    seen = 0
    for sample in chosen:
        try:
            acl = reader.acl_of_object(account, bucket.region, bucket.name, sample.key)
        except Vanished:
            continue
        seen += 1
        item = ObjectAcl(
            bucket=bucket.name, key=sample.key, acl=acl, size_bytes=sample.size, modified_on=sample.modified_on
        )
        yield from facts_of_object(item, bucket, own_estate, now)
    if total is None or seen < total:
        yield from _unseen(bucket, "only a sample of the objects' ACLs was read", "", seen, total)


def _from_inventory(
    account: Account, bucket: Bucket, own_estate: OwnEstate, now: datetime, report: inventory.Report, budget: Budget
) -> Iterator[AnyFact | Gap]:
    seen = unavailable = 0
    for item in inventory.objects(account, bucket, report):
        seen += 1
        if item.acl is None:
            unavailable += 1
            continue
        facts = list(facts_of_object(item.as_object(bucket.name), bucket, own_estate, now))
        if not facts:
            continue
        if budget.take(1):
            # A report is up to a week old: what it says is checked once more before anyone is asked to fix it.
            try:
                acl = reader.acl_of_object(account, bucket.region, bucket.name, item.key)
            except Vanished:
                continue
            facts = list(facts_of_object(item.as_object(bucket.name, acl), bucket, own_estate, now))
        yield from facts
    if unavailable:
        yield from _unseen(bucket, "the inventory report does not contain their ACLs", "", seen - unavailable, seen)


def _unseen(
    bucket: Bucket, reason: str, needs: str, seen: int, total: int | None, outcome: Outcome = Outcome.SKIPPED
) -> Iterator[AnyFact | Gap]:
    uid = bucket_uid(bucket)
    yield from facts_of_unseen_objects(bucket, reason)
    yield Gap(table="grants", outcome=outcome, reason=reason, needs=needs, resource_uid=uid, seen=seen, total=total)


def _key(listed: dict[str, Any]) -> _Key:
    modified = listed.get("LastModified")
    return _Key(key=listed["Key"], size=listed.get("Size"), modified_on=modified.astimezone(UTC) if modified else None)


def _spread(keys: Sequence[_Key], number: int) -> list[_Key]:
    """A number of keys, evenly spread over the page: neighbours tend to have been uploaded alike."""
    return [keys[index * len(keys) // number] for index in range(number)] if number else []
