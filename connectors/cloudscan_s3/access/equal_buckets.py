"""Buckets that differ in nothing but their names: what one of them comes to, they all come to.

Most policies are one text with another name in it, and to judge a policy takes as long as to fetch it. So a bucket is
judged under a name that stands for all, and the answer is written in its own. That is done only where the name cannot
matter in another way: it stands in the Resource elements of the policy's statements and nowhere else in its text, each
of them names this bucket or everything, and there is no other layer that speaks of resources.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from cloudscan_s3.access.access_path import AccessPath
from cloudscan_s3.access.access_paths import AccessPaths, access_paths, stored_policy
from cloudscan_s3.access.bucket import Block, Bucket, Ownership
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.policy import Policy

_EVERY: Final = "a-name-that-stands-for-every-bucket"
_MOST: Final = 256  # answers that are remembered


class JudgedOnce:
    """What `access_paths` gives, found once for equal buckets. Safe to use from any thread."""

    def __init__(self) -> None:
        self._known: dict[object, AccessPaths] = {}
        self._lock = threading.Lock()

    def access_paths(self, bucket: Bucket, own_estate: OwnEstate, as_of: datetime) -> AccessPaths:
        """Find every access path to a bucket (`cloudscan_s3.access.access_paths.access_paths`)."""
        stand_in = _stand_in(bucket)
        own = stored_policy(bucket.policy)
        if stand_in is None or not isinstance(own, Policy):
            return access_paths(bucket, own_estate, as_of)
        key = (_key(stand_in), own_estate, as_of)
        with self._lock:
            found = self._known.get(key)
        if found is None:
            found = access_paths(stand_in, own_estate, as_of)
            with self._lock:
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known[key] = found
        theirs = found.policy
        if not isinstance(theirs, Policy) or len(theirs.statements) != len(own.statements):
            return access_paths(bucket, own_estate, as_of)
        of_statement = dict(zip(map(id, theirs.statements), own.statements, strict=True))
        return replace(
            found,
            policy=own,
            open=tuple(
                replace(_named(path, bucket.name), statement=of_statement[id(path.statement)]) for path in found.open
            ),
        )


def _named(path: AccessPath, name: str) -> AccessPath:
    """The same path with the bucket's own name in the request that gets through."""
    request = path.witness.request
    context = {key: tuple(one.replace(_EVERY, name) for one in values) for key, values in request.context.items()}
    own = replace(request, resource=request.resource.replace(_EVERY, name), context=context)
    return replace(path, witness=replace(path.witness, request=own))


def _stand_in(bucket: Bucket) -> Bucket | None:
    """The bucket under the name that stands for all; None where its name may matter."""
    text = bucket.policy
    is_plain = not bucket.directory and not bucket.access_points and bucket.ownership is Ownership.ENFORCED
    is_known = isinstance(bucket.block, Block) and isinstance(bucket.account_block, Block)
    if not isinstance(text, str) or not is_plain or not is_known or bucket.control_policies.policies:
        return None
    if bucket.tags is not None or bucket.abac is not None or "${" in text or "\\" in text or _EVERY in text:
        return None
    mentioned = _mentioned(text, f"arn:{bucket.partition}:s3:::{bucket.name}")
    if mentioned is None or text.count(bucket.name) != mentioned:
        return None
    return replace(bucket, name=_EVERY, policy=text.replace(bucket.name, _EVERY))


def _mentioned(text: str, arn: str) -> int | None:
    """How often Resource elements name the bucket; None where one may mean it in another way."""
    try:
        statements = json.loads(text)["Statement"]
        listed = statements if isinstance(statements, list) else [statements]
        resources = [one for statement in listed for one in _resources(statement)]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not all(one in ("*", arn) or one.startswith(f"{arn}/") for one in resources):
        return None
    return sum(one != "*" for one in resources)


def _resources(statement: Mapping[str, Any]) -> list[str]:
    """Raises `KeyError` or `TypeError` where they are not simply listed."""
    given = statement["Resource"]
    resources = given if isinstance(given, list) else [given]
    if "NotResource" in statement or not all(isinstance(one, str) for one in resources):
        raise TypeError("Resource")
    return resources


def _key(bucket: Bucket) -> object:
    """What the answer depends on."""
    return (
        bucket.policy,
        bucket.account,
        bucket.region,
        bucket.partition,
        bucket.owner,
        bucket.block,
        bucket.account_block,
        bucket.control_policies,
    )
