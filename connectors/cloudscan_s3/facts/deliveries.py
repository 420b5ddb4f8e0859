"""Replicas and reports as facts: below the bucket one resource a destination, and who receives it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from cloudscan.facts import Access, AnyFact, Grant, Resource, Via
from cloudscan.reason import Reason
from cloudscan_s3.access.bucket import Bucket
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.api.deliveries import Delivery
from cloudscan_s3.facts.recipients import UNKNOWN, Recipient, recipient
from cloudscan_s3.facts.translate import PLATFORM, bucket_uid, principal_uid

KINDS: Final[Mapping[str, str]] = {
    "replication": "replication",
    "inventory": "report_delivery",
}
"""The kind of resource, by the kind of delivery."""


def facts_of_deliveries(
    deliveries: Iterable[Delivery], bucket: Bucket, own_estate: OwnEstate, owner_of: Callable[[str], str]
) -> Iterator[AnyFact]:
    """A resource and a grant for every destination.

    `owner_of` gives the account of a bucket of ours, or an empty text: it is asked where a configuration names no
    account. What then remains is not known to be ours, nor to be anybody else's.
    """
    destinations: dict[tuple[str, str, str], list[Delivery]] = {}
    for one in deliveries:
        destinations.setdefault((one.kind, one.bucket, one.account), []).append(one)
    for (kind, name, account), rules in destinations.items():
        account_or_ours = account or owner_of(name)
        found = recipient(account_or_ours, own_estate) if account_or_ours else UNKNOWN
        uid = f"{PLATFORM}:{kind}/{bucket.name}/{account}/{name}"
        if found.principal:
            yield found.principal
        yield Resource(
            uid=uid,
            platform=PLATFORM,
            account=bucket.account,
            kind=KINDS[kind],
            name=name,
            path=f"s3://{bucket.name} → s3://{name}",
            parent_uid=bucket_uid(bucket),
            container_uid=bucket_uid(bucket),
            owner_uid=principal_uid(bucket.account),
            detail={"what": kind, "rules": [rule.name for rule in rules]},
        )
        yield _grant(uid, kind, rules, bucket, found)


def _grant(uid: str, kind: str, rules: Sequence[Delivery], bucket: Bucket, found: Recipient) -> Grant:
    enabled = any(rule.enabled for rule in rules)
    values = {"bucket": bucket.name, "destination": rules[0].bucket}
    steps = [
        Reason(code=f"s3-{kind}-delivers", values=values),
        Reason(code=f"s3-delivery-to-{_whose(rules[0], found)}", values=_names(found)),
    ]
    if any(rule.changes_owner for rule in rules):
        steps.append(Reason(code="s3-replica-changes-owner"))
    return Grant(
        uid=f"{uid}#delivery",
        resource_uid=uid,
        principal_uid=found.principal.uid if found.principal else None,
        audience=found.audience,
        access=Access.READ,
        via=Via.DIRECT,
        effective=enabled,
        blocked_by="" if enabled else "s3-delivery-off",
        detail={"chain": msgspec.to_builtins(steps)},
    )


def _whose(rule: Delivery, found: Recipient) -> str:
    if found.principal is None:
        return "unknown"
    return "named-account" if rule.account else "own-bucket"


def _names(found: Recipient) -> Mapping[str, str]:
    return {"account": found.principal.name} if found.principal else {}
