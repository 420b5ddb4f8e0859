"""What policies are attached to, and the layers of policy that a request passes on its way to the data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from cloudscan_s3.access.bucket import AccessPoint, Bucket
from cloudscan_s3.access.conditions import Context
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.policy import Statement
from cloudscan_s3.access.request import Request

CLOCK_KEYS = ("aws:currenttime", "aws:epochtime")


@dataclass(frozen=True, kw_only=True)
class PolicyTarget:
    """What the statements protect, and the context keys that every request to it carries."""

    root: str  # the bucket's or access point's ARN
    objects: str  # the prefix of its objects' ARNs
    context: Context  # keys that the target sets: the account it belongs to, the time
    key: str | None = None  # the one object in question; None: any


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
    root = f"arn:{bucket.partition}:s3:::{bucket.name}"
    if bucket.directory:
        root = f"arn:{bucket.partition}:s3express:{bucket.region}:{bucket.account}:bucket/{bucket.name}"
    context = _common_context(bucket.account, bucket.region, own_estate, as_of)
    return PolicyTarget(root=root, objects=f"{root}/", context=context, key=key)


def access_point_target(point: AccessPoint, own_estate: OwnEstate, as_of: datetime) -> PolicyTarget:
    """An access point as a target; requests through it carry the keys that name it."""
    service = "s3express" if ":s3express:" in point.arn else "s3"
    context = {
        **_common_context(point.account, point.region, own_estate, as_of),
        f"{service}:dataaccesspointarn": (point.arn,),
        f"{service}:dataaccesspointaccount": (point.account,),
        f"{service}:accesspointnetworkorigin": ("VPC" if point.vpc else "Internet",),
    }
    return PolicyTarget(root=point.arn, objects=f"{point.arn}/object/", context=context)


def seen_at(target: PolicyTarget, request: Request, origin: PolicyTarget) -> Request:
    """The same call as the policy of another target evaluates it: under that target's name of the resource."""
    if target is origin:
        return request
    if request.resource.startswith(origin.objects):
        resource = target.objects + request.resource.removeprefix(origin.objects)
    else:
        resource = target.root
    context = {**request.context, **target.context}
    return Request(caller=request.caller, action=request.action, resource=resource, context=context)


def _common_context(account: str, region: str, own_estate: OwnEstate, as_of: datetime) -> Mapping[str, tuple[str, ...]]:
    context: dict[str, tuple[str, ...]] = {
        **_clock(as_of),
        "aws:resourceaccount": (account,),
        "s3:resourceaccount": (account,),
    }
    if region:
        context["aws:requestedregion"] = (region,)
    if own_estate.organisation:
        context["aws:resourceorgid"] = (own_estate.organisation,)
    return context


def _clock(moment: datetime) -> Mapping[str, tuple[str, ...]]:
    return dict(zip(CLOCK_KEYS, ((moment.isoformat(),), (str(int(moment.timestamp())),)), strict=True))
