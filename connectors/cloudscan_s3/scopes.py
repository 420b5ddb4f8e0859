"""The scopes of S3: the organisation, an account, a bucket, and access points on a bucket of another account.

A scope carries as text what another process needs to read it, and what may be missing where it cannot be read at all.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from cloudscan.connector import Scope
from cloudscan.facts import EVERYTHING, Hidden
from cloudscan_s3.access.bucket import Stored
from cloudscan_s3.api.access_points import ListedPoint
from cloudscan_s3.api.identity import ACTIVE
from cloudscan_s3.api.reader import ListedBucket
from cloudscan_s3.facts.translate import PLATFORM, access_point_uid, account_uid, in_partition

REPLICATION: Final = "replication"
INVENTORIES: Final = "inventories"
ORGANISATION: Final = Scope(uid=f"{PLATFORM}:organisation", platform=PLATFORM, kind="organisation", name="organisation")
"""Which accounts there are."""


def account_scope(number: str, name: str, state: str = ACTIVE) -> Scope:
    """An account, by its 12 digits."""
    params = {} if state == ACTIVE else {"state": state}
    uid = account_uid(number)
    name = name or number
    return Scope(uid=uid, platform=PLATFORM, kind="account", name=name, account=number, params=params, budget=number)


def bucket_scope(
    bucket: ListedBucket, account: str, partition: str, points: Sequence[ListedPoint], deliveries: Iterable[str] = ()
) -> Scope:
    """A bucket with the access points that open it, and the kinds of delivery that it is asked for."""
    asked = {"deliveries": " ".join(deliveries)} if deliveries else {}
    params = {**_bucket_params(bucket), "points": msgspec.json.encode(points).decode(), **asked}
    uid = f"{PLATFORM}:bucket/{in_partition(bucket.name, partition)}"
    return _scope("bucket", uid, bucket.name, account, params, (uid,))


def directory_bucket_scope(
    bucket: ListedBucket, account: str, partition: str, points: Sequence[ListedPoint] = ()
) -> Scope:
    """An S3 Express directory bucket with the access points that open it."""
    params = {**_bucket_params(bucket), "points": msgspec.json.encode(points).decode()}
    uid = f"{PLATFORM}:directory-bucket/{in_partition(bucket.name, partition)}"
    return _scope("directory_bucket", uid, bucket.name, account, params, (uid,))


def points_scope(bucket_name: str, account: str, points: Sequence[ListedPoint]) -> Scope:
    """Access points of an account on a bucket that is not its own."""
    params = {"bucket": bucket_name, "points": msgspec.json.encode(points).decode()}
    uid = f"{PLATFORM}:points/{account}/{bucket_name}"
    hidden = (access_point_uid(account, point.region, point.alias or point.name) for point in points)
    return _scope("points", uid, f"access points of {bucket_name}", account, params, hidden)


def bucket_of(scope: Scope) -> ListedBucket:
    """The bucket of a scope."""
    created, amounts = scope.params.get("created_on", ""), scope.params.get("stored", "")
    return ListedBucket(
        name=scope.name,
        region=scope.params.get("region", ""),
        created_on=datetime.fromisoformat(created) if created else None,
        owner=scope.params.get("owner", ""),
        stored=msgspec.json.decode(amounts, type=Stored) if amounts else None,
    )


def regions_of(scope: Scope) -> tuple[str, Sequence[str]]:
    """The region of a scope's bucket, and those of the access points that open it."""
    return scope.params.get("region", ""), [point.region for point in points_of(scope)]


def deliveries_of(scope: Scope) -> Collection[str]:
    """The kinds of delivery that a bucket is asked for: `REPLICATION`, `INVENTORIES`."""
    return scope.params.get("deliveries", "").split()


def points_of(scope: Scope) -> Sequence[ListedPoint]:
    """The access points that a scope carries."""
    return msgspec.json.decode(scope.params.get("points", "[]"), type=list[ListedPoint])


def _scope(kind: str, uid: str, name: str, account: str, params: Mapping[str, str], hidden: Iterable[str]) -> Scope:
    return Scope(
        uid=uid,
        platform=PLATFORM,
        kind=kind,
        name=name,
        account=account,
        parent_uid=account_uid(account),
        params=params,
        hides=tuple(Hidden(table=EVERYTHING, below=one) for one in hidden),
        budget=_budget(account, params.get("region", "")),
    )


def _budget(account: str, region: str) -> str:
    """Guessed to be counted by account and Region, as most of AWS's limits are: S3 publishes none for these calls."""
    return f"{account}/{region}" if region else account


def _bucket_params(bucket: ListedBucket) -> Mapping[str, str]:
    created = bucket.created_on.isoformat() if bucket.created_on else ""
    amounts = {"stored": msgspec.json.encode(bucket.stored).decode()} if bucket.stored else {}
    return {"region": bucket.region, "created_on": created, "owner": bucket.owner, **amounts}
