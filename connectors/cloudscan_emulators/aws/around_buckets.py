"""What moto lacks of S3 and its neighbours, answered in front of it: by default an account that has none of it.

Shapes are those of botocore's service models; errors are those of the Amazon S3 API Reference, "Error responses". The
members of empty lists are written as other lists of S3 Control write theirs (guessed).
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape

REGIONS: Final = ("us-east-1", "us-west-2")
"""Those of the emulated accounts: few, so that a scan of the emulator is short."""
ALWAYS_ENABLED: Final = (
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
    *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"),
    *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
)
"""Those of a real account that has opted in to no other, to measure what a scan costs."""
_TABLES: Final = ("us-east-1", "us-east-2", "us-west-2")  # where moto has table buckets
_CONTROL: Final = "/v20180820"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A whole answer."""

    status: str = "200 OK"
    content_type: str = "application/xml"
    body: str


@dataclass(frozen=True, kw_only=True)
class DirectoryPoint:
    """An access point of a directory bucket."""

    name: str  # …--xa-s3
    bucket: str
    bucket_account: str = ""
    region: str = "us-west-2"
    vpc: str = ""
    policy: str = ""  # empty: none


@dataclass(frozen=True, kw_only=True)
class AccessGrant:
    """A grant of the instance of S3 Access Grants."""

    scope: str
    grantee: str
    kind: str = "IAM"
    permission: str = "READ"
    region: str = "us-east-1"


@dataclass
class AroundBuckets:
    """The state, for all accounts alike. May be changed while the server runs."""

    regions: tuple[str, ...] = REGIONS
    opted_in: tuple[str, ...] = ()
    directory_points: list[DirectoryPoint] = field(default_factory=list)
    access_grants: list[AccessGrant] = field(default_factory=list)
    access_grants_policy: str = ""  # empty: the instance is not shared
    object_lambda: list[str] = field(default_factory=list)  # names, in us-east-1
    outposts: list[str] = field(default_factory=list)  # ids, in us-east-1

    def reply(self, method: str, path: str, region: str) -> Reply | None:
        """The answer to a request that is signed for a region; None: moto knows it."""
        for (wanted, pattern), answer in _ANSWERS.items():
            found = re.fullmatch(pattern, path)
            if method == wanted and found:
                return answer(self, region, *found.groups())
        return None


def refused_owner(path: str, expected: str, owners: Mapping[str, str]) -> Reply | None:
    """S3 refuses a request for a bucket whose owner is not the expected one, which moto does not check."""
    name = path.lstrip("/").partition("/")[0]
    if not expected or owners.get(name, expected) == expected:
        return None
    return _error("403 Forbidden", "AccessDenied", "Access Denied")


def _regions(state: AroundBuckets, _region: str) -> Reply:
    listed = [
        *({"RegionName": name, "RegionOptStatus": "ENABLED_BY_DEFAULT"} for name in state.regions),
        *({"RegionName": name, "RegionOptStatus": "ENABLED"} for name in state.opted_in),
        {"RegionName": "me-south-1", "RegionOptStatus": "DISABLED"},
    ]
    return _json({"Regions": listed})


def _directory_points(state: AroundBuckets, region: str) -> Reply:
    entries = "".join(
        f"<AccessPoint><Name>{escape(point.name)}</Name><NetworkOrigin>{_origin(point)}</NetworkOrigin>{_vpc(point)}"
        f"<Bucket>{escape(point.bucket)}</Bucket><BucketAccountId>{point.bucket_account}</BucketAccountId></AccessPoint>"
        for point in state.directory_points
        if point.region == region
    )
    return _list("ListAccessPointsForDirectoryBucketsResult", "AccessPointList", entries)


def _directory_point(state: AroundBuckets, region: str, name: str) -> Reply:
    point = _point(state, region, name)
    if point is None:
        return _no_point()
    return Reply(
        body=f"<GetAccessPointResult><Name>{escape(name)}</Name><Bucket>{escape(point.bucket)}</Bucket>"
        f"<NetworkOrigin>{_origin(point)}</NetworkOrigin>{_vpc(point)}</GetAccessPointResult>"
    )


def _directory_point_policy(state: AroundBuckets, region: str, name: str) -> Reply:
    point = _point(state, region, name)
    if point is None:
        return _no_point()
    if not point.policy:
        return _error("404 Not Found", "NoSuchAccessPointPolicy", "The specified accesspoint policy does not exist")
    return Reply(
        body=f"<GetAccessPointPolicyResult><Policy>{escape(point.policy)}</Policy></GetAccessPointPolicyResult>"
    )


def _access_grants(state: AroundBuckets, region: str) -> Reply:
    grants = [grant for grant in state.access_grants if grant.region == region]
    if not grants:
        return _no_instance()
    entries = "".join(
        f"<AccessGrant><AccessGrantId>grant-{number}</AccessGrantId><Permission>{grant.permission}</Permission>"
        f"<Grantee><GranteeType>{grant.kind}</GranteeType>"
        f"<GranteeIdentifier>{escape(grant.grantee)}</GranteeIdentifier></Grantee>"
        f"<GrantScope>{escape(grant.scope)}</GrantScope></AccessGrant>"
        for number, grant in enumerate(grants)
    )
    return _list("ListAccessGrantsResult", "AccessGrantsList", entries)


def _access_grants_policy(state: AroundBuckets, region: str) -> Reply:
    if not any(grant.region == region for grant in state.access_grants):
        return _no_instance()
    if not state.access_grants_policy:
        code = "AccessGrantsInstanceResourcePolicyNotExists"
        return _error("404 Not Found", code, "Access Grants Instance Resource Policy does not exist")
    policy = f"<Policy>{escape(state.access_grants_policy)}</Policy>"
    return Reply(
        body=f"<GetAccessGrantsInstanceResourcePolicyResult>{policy}</GetAccessGrantsInstanceResourcePolicyResult>"
    )


def _object_lambda(state: AroundBuckets, region: str) -> Reply:
    names = state.object_lambda if region == "us-east-1" else []
    entries = "".join(
        f"<ObjectLambdaAccessPoint><Name>{escape(name)}</Name></ObjectLambdaAccessPoint>" for name in names
    )
    return _list("ListAccessPointsForObjectLambdaResult", "ObjectLambdaAccessPointList", entries)


def _outposts(state: AroundBuckets, region: str) -> Reply:
    return _json({"Outposts": [{"OutpostId": name} for name in state.outposts] if region == "us-east-1" else []})


def _table_buckets(_state: AroundBuckets, region: str) -> Reply | None:
    """Moto fails in the regions that it does not know."""
    return None if region in _TABLES else _json({"tableBuckets": []})


_ANSWERS: Final[Mapping[tuple[str, str], Callable[..., Reply | None]]] = {
    ("POST", "/listRegions"): _regions,
    ("GET", f"{_CONTROL}/accesspointfordirectory"): _directory_points,
    ("GET", f"{_CONTROL}/accesspoint/([^/]+--xa-s3)"): _directory_point,
    ("GET", f"{_CONTROL}/accesspoint/([^/]+--xa-s3)/policy"): _directory_point_policy,
    ("GET", f"{_CONTROL}/accessgrantsinstance/grants"): _access_grants,
    ("GET", f"{_CONTROL}/accessgrantsinstance/resourcepolicy"): _access_grants_policy,
    ("GET", f"{_CONTROL}/accesspointforobjectlambda"): _object_lambda,
    ("GET", "/S3Outposts/ListOutpostsWithS3"): _outposts,
    ("GET", "/buckets"): _table_buckets,
}
"""By method and path."""


def _point(state: AroundBuckets, region: str, name: str) -> DirectoryPoint | None:
    return next((one for one in state.directory_points if (one.name, one.region) == (name, region)), None)


def _origin(point: DirectoryPoint) -> str:
    return "VPC" if point.vpc else "Internet"


def _vpc(point: DirectoryPoint) -> str:
    return f"<VpcConfiguration><VpcId>{escape(point.vpc)}</VpcId></VpcConfiguration>" if point.vpc else ""


def _no_point() -> Reply:
    return _error("404 Not Found", "NoSuchAccessPoint", "The specified accesspoint does not exist")


def _no_instance() -> Reply:
    return _error("404 Not Found", "AccessGrantsInstanceNotExistsError", "Access Grants Instance does not exist")


def _error(status: str, code: str, message: str) -> Reply:
    return Reply(status=status, body=f"<Error><Code>{code}</Code><Message>{message}</Message></Error>")


def _list(root: str, member: str, entries: str) -> Reply:
    return Reply(body=f"<{root}><{member}>{entries}</{member}></{root}>")


def _json(content: object) -> Reply:
    return Reply(content_type="application/json", body=json.dumps(content))
