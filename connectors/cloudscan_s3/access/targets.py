"""What policies are attached to, and the layers of policy that a request passes on its way to the data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from cloudscan_s3.access.bucket import AccessPoint, Bucket
from cloudscan_s3.access.conditions import Context
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.policy import Statement
from cloudscan_s3.access.request import Request
from cloudscan_s3.access.resource_tags import RESOURCE, keys_of_bucket, keys_of_point

CLOCK_KEYS = ("aws:currenttime", "aws:epochtime")
ONLY_WITH_TLS: Mapping[str, tuple[str, ...]] = {"aws:securetransport": ("true",)}
"""What is so of all requests through access points (User Guide, "Access points restrictions and limitations")."""
SOME_ORGANISATION = "o-unknown-of-ours"
"""Stands for our organisation where its id is not known: no caller of another one, or of none, has it."""


@dataclass(frozen=True, kw_only=True)
class PolicyTarget:
    """What the statements protect, and the context keys that every request to it carries."""

    root: str  # the bucket's or access point's ARN
    objects: str  # the prefix of its objects' ARNs
    context: Context  # keys that the target sets: the account it belongs to, the time
    key: str | None = None  # the one object in question; None: any
    unread_keys: frozenset[str] = frozenset()  # keys, or beginnings of keys, that the target sets and nobody could read

    def is_covered(self, resources: Iterable[str], on_objects: bool) -> bool:
        """Does one of these patterns cover the target itself (or all objects in it), whatever variables stand for?"""
        for pattern in resources:
            head, star, tail = pattern.partition("*")
            if star and not tail and "?" not in head and (self.objects if on_objects else self.root).startswith(head):
                return True
        return not on_objects and self.root in resources

    @cached_property
    def own_tags(self) -> frozenset[str]:
        """The keys that its own tags make, and no other resource's."""
        return frozenset(key for key in self.context if key.startswith(RESOURCE))

    def is_unread(self, key: str) -> bool:
        """Is this a key that the target sets, and whose value could not be read?"""
        return any(key.startswith(unread) for unread in self.unread_keys)


@dataclass(frozen=True, kw_only=True)
class PolicyLayer:
    """One policy that a request must pass besides the statement in question."""

    target: PolicyTarget
    statements: tuple[Statement, ...]
    must_allow: bool  # False: only its denials count

    def without_denials(self) -> "PolicyLayer":
        """The same layer as if it had no Deny statements."""
        return replace(self, statements=tuple(statement for statement in self.statements if statement.allows))

    def at(self, moment: datetime) -> "PolicyLayer":
        """The same layer as it will act at another moment."""
        context = {**self.target.context, **_clock(moment)}
        return replace(self, target=replace(self.target, context=context))


def bucket_target(bucket: Bucket, own_estate: OwnEstate, as_of: datetime, key: str | None = None) -> PolicyTarget:
    """A bucket as a target, or one object in it."""
    root = _root(bucket)
    tags = keys_of_bucket(bucket)
    context = {**_common_context(bucket.account, bucket.region, own_estate, as_of), **tags.context}
    unread = _unread(own_estate) | tags.unread
    return PolicyTarget(root=root, objects=f"{root}/", context=context, key=key, unread_keys=unread)


def access_point_target(point: AccessPoint, own_estate: OwnEstate, as_of: datetime) -> PolicyTarget:
    """An access point as a target; requests through it carry the keys that name it."""
    service = "s3express" if ":s3express:" in point.arn else "s3"
    tags = keys_of_point(point)
    context = {
        **tags.context,
        **_common_context(point.account, point.region, own_estate, as_of),
        **ONLY_WITH_TLS,
        f"{service}:dataaccesspointarn": (point.arn,),
        f"{service}:dataaccesspointaccount": (point.account,),
        f"{service}:accesspointnetworkorigin": ("VPC" if point.vpc else "Internet",),
    }
    unread = _unread(own_estate) | tags.unread
    return PolicyTarget(root=point.arn, objects=f"{point.arn}/object/", context=context, unread_keys=unread)


def opens_all_objects(statement: Statement, bucket: Bucket, point: AccessPoint | None) -> bool:
    """Is a statement about all objects of a bucket? Not where it names a folder, or excepts one (NotResource)."""
    root = _root(bucket)
    targets = [PolicyTarget(root=root, objects=f"{root}/", context={})]
    if point is not None:
        targets.append(PolicyTarget(root=point.arn, objects=f"{point.arn}/object/", context={}))
    return not statement.not_resource and any(one.is_covered(statement.resources, on_objects=True) for one in targets)


def through(point: PolicyTarget, behind: PolicyTarget) -> tuple[PolicyTarget, PolicyTarget]:
    """An access point and the bucket behind it, as a request through the one meets both: it carries the tags of both.

    `aws:ResourceTag/…` stays each one's own; `s3:BucketTag/…` and `s3:AccessPointTag/…` say whose tag they mean.
    """
    return _with_tags_of(point, behind, "s3:buckettag/"), _with_tags_of(behind, point, "s3:accesspointtag/")


def seen_at(target: PolicyTarget, request: Request, origin: PolicyTarget) -> Request:
    """The same call as the policy of another target evaluates it: under that target's name of the resource."""
    if target is origin:
        return request
    if request.resource.startswith(origin.objects):
        resource = target.objects + request.resource.removeprefix(origin.objects)
    else:
        resource = target.root
    context = {**request.context, **target.context}
    for key in origin.own_tags - target.own_tags:  # a tag of the one is none of the other's
        context.pop(key, None)
    return Request(caller=request.caller, action=request.action, resource=resource, context=context)


def _root(bucket: Bucket) -> str:
    if bucket.directory:
        return f"arn:{bucket.partition}:s3express:{bucket.region}:{bucket.account}:bucket/{bucket.name}"
    return f"arn:{bucket.partition}:s3:::{bucket.name}"


def _with_tags_of(target: PolicyTarget, other: PolicyTarget, prefix: str) -> PolicyTarget:
    tags = {key: values for key, values in other.context.items() if key.startswith(prefix)}
    unread = frozenset(key for key in other.unread_keys if key.startswith(prefix))
    if not tags and not unread:
        return target
    return replace(target, context={**target.context, **tags}, unread_keys=target.unread_keys | unread)


def _common_context(account: str, region: str, own_estate: OwnEstate, as_of: datetime) -> Mapping[str, tuple[str, ...]]:
    context: dict[str, tuple[str, ...]] = {
        **_clock(as_of),
        "aws:resourceaccount": (account,),
        "s3:resourceaccount": (account,),
    }
    if region:
        context["aws:requestedregion"] = (region,)
    context["aws:resourceorgid"] = (own_estate.organisation or SOME_ORGANISATION,)
    return context


def _unread(own_estate: OwnEstate) -> frozenset[str]:
    """The keys of our organisation that are not known: our place in it never, its id where it could not be read."""
    return frozenset(("aws:resourceorgpaths", *(() if own_estate.organisation else ("aws:resourceorgid",))))


def _clock(moment: datetime) -> Mapping[str, tuple[str, ...]]:
    return dict(zip(CLOCK_KEYS, ((moment.isoformat(),), (str(int(moment.timestamp())),)), strict=True))
