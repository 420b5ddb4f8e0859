"""Small estates in the emulator, and what the connector tells of them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3

from cloudscan.connector import Connector, Estate, Gap, Scope, Spent
from cloudscan.errors import CloudscanError
from cloudscan.facts import Fact, Grant, Resource, Setting
from cloudscan_s3.emulator import Emulator
from cloudscan_s3.options import Options
from cloudscan_s3.plugin import PLUGIN
from cloudscan_s3.sdk import to_endpoint

ACCOUNT = "123456789012"  # moto's own
ALL_ON = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
ALL_OFF = dict.fromkeys(ALL_ON, False)


@dataclass
class Read:
    """What was told, scope by scope, and which scopes refused."""

    facts: list[Fact] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    refused: dict[str, CloudscanError] = field(default_factory=dict)
    requests: int = 0

    def grants(self, uid: str) -> list[Grant]:
        return [each for each in self.facts if isinstance(each, Grant) and each.resource_uid == uid]

    def resource(self, uid: str) -> Resource | None:
        return next((each for each in self.facts if isinstance(each, Resource) and each.uid == uid), None)

    def setting(self, uid: str, name: str) -> str | None:
        found = (
            each for each in self.facts if isinstance(each, Setting) and (each.scope_uid, each.name) == (uid, name)
        )
        return next(found).value

    def gap(self, words: str) -> Gap:
        """The one gap whose reason contains the words."""
        found = [each for each in self.gaps if words in each.reason]
        assert len(found) == 1, [each.reason for each in self.gaps]
        return found[0]


def connector(server: Emulator, **options: Any) -> Connector:
    return PLUGIN.open(Options(endpoint=server.endpoint, **options), Estate())


def read(server: Emulator, **options: Any) -> Read:
    """Read everything there is, as the core would, without its retries."""
    return read_with(connector(server, **options))


def read_with(reader: Connector) -> Read:
    told = Read()
    waiting = list(reader.scopes())
    while waiting:
        scope = waiting.pop(0)
        told.scopes.append(scope)
        facts: list[Fact] = []
        try:
            for each in reader.collect(scope, None):
                if isinstance(each, Scope):
                    waiting.append(each)
                elif isinstance(each, Gap):
                    told.gaps.append(each)
                elif isinstance(each, Spent):
                    told.requests += each.requests
                elif isinstance(each, Fact):
                    facts.append(each)
        except CloudscanError as error:
            told.refused[scope.uid] = error
            continue  # of a scope that refuses, the core keeps no fact
        told.facts += facts
    return told


def s3(server: Emulator, **more: Any) -> Any:
    return boto3.client("s3", endpoint_url=server.endpoint, **more)


def s3control(server: Emulator) -> Any:
    session = boto3.Session()
    session.events.register("before-sign.s3-control", to_endpoint(server.endpoint))
    return session.client("s3control", endpoint_url=server.endpoint)


def bucket(server: Emulator, name: str, *statements: dict[str, Any], region: str = "us-east-1", **more: Any) -> str:
    """A bucket whose policy has these statements; gives its uid."""
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


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(
    name: str, principal: object = "*", action: str | Sequence[str] = "s3:GetObject", **more: Any
) -> dict[str, Any]:
    places = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": places, **more}


def effective(grants: Sequence[Grant]) -> Iterator[Grant]:
    return (each for each in grants if each.effective)
