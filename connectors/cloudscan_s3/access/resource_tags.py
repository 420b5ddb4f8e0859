"""Keys of a request that say how the thing is tagged that is asked for: no choice of the caller.

Sources: Amazon S3 User Guide, "Using tags with S3 general purpose buckets", "Enabling ABAC in general purpose buckets",
"Using tags with S3 Access Points", "Using tags with S3 directory buckets". On a general purpose bucket the keys are
absent until ABAC is switched on for it; on access points and directory buckets they are always there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cloudscan_s3.access.bucket import AccessPoint, Bucket, Unread
from cloudscan_s3.access.conditions import Context, variables_of
from cloudscan_s3.access.policy import Condition

RESOURCE: Final = "aws:resourcetag/"
_OF_BUCKETS: Final = (RESOURCE, "s3:buckettag/", "s3express:buckettag/")  # the last one: guessed
_OF_POINTS: Final = (RESOURCE, "s3:accesspointtag/")


@dataclass(frozen=True, kw_only=True)
class TagKeys:
    """The keys that tags put into every request, and keys (or beginnings of keys) of which that is not known."""

    context: Context
    unread: frozenset[str]


def keys_of_bucket(bucket: Bucket) -> TagKeys:
    """The keys that a bucket's tags make; none where ABAC is off, whatever its tags are."""
    return _keys(_OF_BUCKETS, bucket.tags, counts=True if bucket.directory else bucket.abac)


def keys_of_point(point: AccessPoint) -> TagKeys:
    """The keys that an access point's tags make."""
    return _keys(_OF_POINTS, point.tags, counts=True)


def are_named(bucket: Bucket) -> bool:
    """May a policy in front of a bucket or of an object in it depend on the bucket's tags?"""
    texts = [bucket.policy, *(policy.text for policy in bucket.control_policies.policies)]
    texts += [text for point in bucket.access_points for text in _texts_of(point)]
    return _name(_OF_BUCKETS, texts)


def are_named_for(point: AccessPoint, bucket: Bucket) -> bool:
    """May a policy in front of an access point depend on its tags?"""
    return _name(_OF_POINTS, [*_texts_of(point), bucket.policy])


def decide(unknown: Iterable[Condition]) -> bool:
    """Is there one among these conditions that depends on a tag?"""
    return any(is_tag(key) for condition in unknown for key in (condition.key, *variables_of(condition)))


def is_tag(key: str) -> bool:
    """Is a key (in lower case) a tag of what is asked for?"""
    return key.startswith((*_OF_BUCKETS, *_OF_POINTS))


def _texts_of(point: AccessPoint) -> Iterable[str | Unread | None]:
    return (point.policy, *(policy.text for policy in point.control_policies.policies))


def _name(keys: Iterable[str], texts: Iterable[str | Unread | None]) -> bool:
    return any(key in text.lower() for text in texts if isinstance(text, str) for key in keys)


def _keys(kinds: tuple[str, ...], tags: Mapping[str, str] | Unread | None, *, counts: bool | Unread | None) -> TagKeys:
    """Tags that are known, of a bucket of which it is not known whether they count, are known not to be others."""
    if counts is False:
        return TagKeys(context={}, unread=frozenset())
    if not isinstance(tags, Mapping):
        return TagKeys(context={}, unread=frozenset(kinds))
    keys = {f"{kind}{name.lower()}": (value,) for kind in kinds for name, value in tags.items()}
    if counts is True:
        return TagKeys(context=keys, unread=frozenset())
    return TagKeys(context={}, unread=frozenset(keys))
