"""Small estates in the emulator, and what the connector yields for them."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import boto3

from cloudscan.connector import Connector, Estate, Gap
from cloudscan.facts import Grant
from cloudscan.reason import Reason
from cloudscan_emulators.aws import moto_server
from cloudscan_emulators.aws.moto_server import Emulator
from cloudscan_s3.api.account import to_endpoint
from cloudscan_s3.options import Options
from cloudscan_s3.plugin import PLUGIN
from tests.connectors import reading
from tests.connectors.reading import Read

ACCOUNT = moto_server.ACCOUNT
ALL_ON = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
ALL_OFF = dict.fromkeys(ALL_ON, False)


def connector(server: Emulator, **options: Any) -> Connector:
    return PLUGIN.open(Options(endpoint=server.endpoint, **{"patience": 0.0, **options}), Estate())


def read(server: Emulator, **options: Any) -> Read:
    """Everything there is."""
    return reading.read(connector(server, **options))


def s3(server: Emulator, **more: Any) -> Any:
    return boto3.client("s3", endpoint_url=server.endpoint, **more)


def s3control(server: Emulator) -> Any:
    session = boto3.Session()
    session.events.register("before-sign.s3-control", to_endpoint(server.endpoint))
    return session.client("s3control", endpoint_url=server.endpoint)


def bucket(server: Emulator, name: str, *statements: dict[str, Any], region: str = "us-east-1", **more: Any) -> str:
    """A bucket whose policy has these statements; returns its uid."""
    client = s3(server, region_name=region)
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    client.create_bucket(Bucket=name, **where)
    if statements:
        client.put_bucket_policy(Bucket=name, Policy=policy(*statements))
    if more.get("enforced"):
        rules = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        client.put_bucket_ownership_controls(Bucket=name, OwnershipControls=rules)
    if more.get("block"):
        client.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=ALL_ON)
    return f"s3:bucket/{name}"


def replicated(server: Emulator, name: str, to: str, account: str = "", **more: Any) -> None:
    """Have S3 copy a bucket's objects to another one."""
    destination: dict[str, Any] = {"Bucket": f"arn:aws:s3:::{to}", **({"Account": account} if account else {})}
    rule = {"ID": "copy", "Status": "Enabled", "Prefix": "", "Destination": destination, **more}
    role = f"arn:aws:iam::{ACCOUNT}:role/replication"
    client = s3(server)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    client.put_bucket_replication(Bucket=name, ReplicationConfiguration={"Role": role, "Rules": [rule]})


def listed(name: str, region: str = "us-east-1", token: str = "") -> bytes:
    """A page of ListBuckets with one bucket; moto leaves the region out."""
    entry = f"<Bucket><Name>{name}</Name><BucketRegion>{region}</BucketRegion></Bucket>"
    following = f"<ContinuationToken>{token}</ContinuationToken>" if token else ""
    content = f"<Owner><ID>x</ID></Owner><Buckets>{entry}</Buckets>{following}"
    return f"<ListAllMyBucketsResult>{content}</ListAllMyBucketsResult>".encode()


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(
    name: str, principal: object = "*", action: str | Sequence[str] = "s3:GetObject", **more: Any
) -> dict[str, Any]:
    resources = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resources, **more}


def gap(result: Read, code: str) -> Gap:
    """The one gap with this cause."""
    (found,) = [one for one in result.gaps if isinstance(one.reason, Reason) and one.reason.code == code]
    return found


def effective(grants: Sequence[Grant]) -> Iterator[Grant]:
    return (grant for grant in grants if grant.effective)
