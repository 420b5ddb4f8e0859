"""What S3 itself carries out of a bucket: replicas of its objects, and reports about them.

Access logs are left out: S3 delivers them only to a bucket of the same account (User Guide, "Enabling Amazon S3 server
access logging"). Replication, inventories and storage class analyses may go to any account that admits them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudscan.connector import Gap
from cloudscan.errors import Malformed
from cloudscan.reason import Reason
from cloudscan_s3.access.bucket import Unread
from cloudscan_s3.api.asking import Asker
from cloudscan_s3.questions import INVENTORY, REPLICATION, ROLES, AwsQuestion

_PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One configured delivery from a bucket to another one."""

    kind: str  # replication, inventory
    name: str  # the rule's or configuration's id
    bucket: str  # the destination's name
    account: str  # the destination's account; empty: the configuration does not say
    enabled: bool
    changes_owner: bool = False  # replicas belong to the destination's account


def replications(asker: Asker, region: str, name: str, about: str) -> tuple[Sequence[Delivery], Sequence[Gap]]:
    """Where a bucket's objects are copied to."""
    answer = asker.ask(REPLICATION, region, Bucket=name)
    if answer is None:
        return (), ()
    if isinstance(answer, Unread):
        return (), (answer.gap(about),)
    rules = (answer.get("ReplicationConfiguration") or {}).get("Rules")
    if not rules:  # at least one is required (API Reference, PutBucketReplication)
        return (), (REPLICATION.gap(Malformed("s3-garbled"), about),)
    return _each(rules, _replication, REPLICATION, about)


def inventories(configured: Sequence[Mapping[str, Any]], about: str) -> tuple[Sequence[Delivery], Sequence[Gap]]:
    """Where a bucket's inventories are delivered to."""
    return _each(configured, _inventory, INVENTORY, about)


def may_replicate(asker: Asker) -> bool:
    """Whether there can be replication in an account: S3 needs a role of the same account that it may assume.

    A bucket's replication names a role, and a role can be passed to a service in its own account only (IAM User Guide,
    "Grant a user permissions to pass a role to an AWS service"). True also where that is not known: an account without
    any role does not exist, since AWS creates some with it.
    """
    listed, gaps = asker.list(
        ROLES, lambda role: (_admits_s3(role["AssumeRolePolicyDocument"]),), "Marker", MaxItems=_PAGE
    )
    return bool(gaps) or not listed or any(admits for (admits,) in listed)


def _each(
    entries: Sequence[Mapping[str, Any]],
    read: Callable[[Mapping[str, Any]], Delivery],
    question: AwsQuestion,
    about: str,
) -> tuple[Sequence[Delivery], Sequence[Gap]]:
    found, broken = [], 0
    for entry in entries:
        try:
            found.append(read(entry))
        except (KeyError, TypeError, ValueError, AttributeError):
            broken += 1
    reason = Reason(code="s3-entries-malformed", values={"count": broken})
    return found, (question.lacking(reason, about),) if broken else ()


def _admits_s3(trust: Mapping[str, Any]) -> bool:
    """Whether a trust policy may admit S3; whatever is not plainly for others counts."""
    statements = trust["Statement"]
    return any(_may_admit(one) for one in (statements if isinstance(statements, list) else [statements]))


def _may_admit(statement: Mapping[str, Any]) -> bool:
    if statement["Effect"] != "Allow":
        return False
    principal = statement.get("Principal")
    if not isinstance(principal, Mapping):
        return True  # everyone, or all but some
    services = principal.get("Service", ())
    names = [services] if isinstance(services, str) else list(services)
    return "*" in _all_values(principal) or any(str(name).lower().startswith(("s3.", "*")) for name in names)


def _all_values(principal: Mapping[str, Any]) -> Iterator[str]:
    for values in principal.values():
        yield from [values] if isinstance(values, str) else values


def _replication(rule: Mapping[str, Any]) -> Delivery:
    destination = rule["Destination"]
    return Delivery(
        kind="replication",
        name=str(rule.get("ID") or ""),
        bucket=_bucket(destination),
        account=str(destination.get("Account") or ""),
        enabled=rule["Status"] != "Disabled",
        changes_owner=(destination.get("AccessControlTranslation") or {}).get("Owner") == "Destination",
    )


def _inventory(entry: Mapping[str, Any]) -> Delivery:
    destination = entry["Destination"]["S3BucketDestination"]
    return Delivery(
        kind="inventory",
        name=str(entry.get("Id") or ""),
        bucket=_bucket(destination),
        account=str(destination.get("AccountId") or ""),
        enabled=entry["IsEnabled"] is not False,
    )


def _bucket(destination: Mapping[str, Any]) -> str:
    """The name in an ARN. Raises `ValueError` where there is none."""
    name = str(destination["Bucket"]).rpartition(":")[2]
    if not name:
        raise ValueError("Bucket")
    return name
