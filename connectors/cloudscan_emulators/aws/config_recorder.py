"""AWS Config: a recorder in every account, and an aggregator over them. moto has neither the queries nor all items.

Items are written from what moto's S3 contains, in the form of the API: values of the supplementary configuration are
texts, the access control list is JSON within a JSON text. `delivered` writes the same items as a configuration
snapshot has them. Sources: botocore's service model `config` 2014-11-12; AWS Config Developer Guide, "Querying the
Current Configuration State of AWS Resources"; items that Cloud Custodian recorded (`tests/data`, rules on S3). A query
may name only what that guide's grammar allows.
"""

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from moto.s3.models import s3_backends
from moto.s3control.models import s3control_backends

from cloudscan_emulators.aws.around_buckets import Reply

_PREFIX: Final = "StarlingDoveService."
_JSON: Final = "application/x-amz-json-1.1"
_MOST: Final = 100
_FORBIDDEN: Final = re.compile(r"\b(FROM|JOIN|UNION|HAVING|DISTINCT)\b| AS ", re.IGNORECASE)
_WORDS: Final = {
    "FULL_CONTROL": "FullControl",
    "READ": "Read",
    "WRITE": "Write",
    "READ_ACP": "ReadAcp",
    "WRITE_ACP": "WriteAcp",
}
Json = dict[str, Any]


@dataclass
class ConfigRecorder:
    """The state. May be changed while the server runs."""

    aggregator: str = ""  # its name; empty: there is none
    left_out: set[str] = field(default_factory=set)  # buckets that no recorder knows
    deleted: set[str] = field(default_factory=set)  # of which the recorder knows only that they are gone
    failing: set[tuple[str, str]] = field(default_factory=set)  # accounts and regions whose last copy failed
    captured: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    more: list[Json] = field(default_factory=list)  # further items, as the API writes them

    def reply(self, target: str, body: str, _region: str) -> Reply | None:
        """The answer to a request by its ``X-Amz-Target``; None: it is none of these."""
        operation = target.removeprefix(_PREFIX)
        answers = {
            "SelectAggregateResourceConfig": self._select,
            "BatchGetAggregateResourceConfig": self._fetch,
            "DescribeConfigurationAggregatorSourcesStatus": self._sources,
        }
        if not target.startswith(_PREFIX) or operation not in answers:
            return None
        asked = json.loads(body or "{}")
        if not self.aggregator or asked.get("ConfigurationAggregatorName") != self.aggregator:
            return _refused("NoSuchConfigurationAggregatorException", "The configuration aggregator does not exist.")
        return answers[operation](asked)

    def items(self) -> Sequence[Json]:
        """All items in the form of the API."""
        return [*self._buckets(), *self._accounts(), *self._points(), *self.more]

    def delivered(self, account: str, region: str) -> bytes:
        """A configuration snapshot of one account and region, as it is delivered: objects in place of texts."""
        items = [
            _delivered(item) for item in self.items() if (item["accountId"], item["awsRegion"]) == (account, region)
        ]
        snapshot = {"fileVersion": "1.0", "configSnapshotId": "00000000-0000-4000-8000-000000000000"}
        return gzip.compress(json.dumps({**snapshot, "configurationItems": items}).encode())

    def _select(self, asked: Json) -> Reply:
        expression = str(asked["Expression"])
        if _FORBIDDEN.search(expression) or "WHERE" not in expression or int(asked.get("Limit") or 25) > _MOST:
            return _refused("InvalidExpressionException", "The expression is not supported.")
        account = re.search(r"accountId = '(\d{12})'", expression)
        kinds = re.findall(r"'(AWS::[A-Za-z0-9:]+)'", expression)
        rows = [
            item
            for item in self.items()
            if item["resourceType"] in kinds and (account is None or item["accountId"] == account[1])
        ]
        if "GROUP BY accountId" in expression:
            accounts = sorted({item["accountId"] for item in rows})
            results = [json.dumps({"accountId": one, "COUNT(*)": 1}) for one in accounts]
        else:
            wanted = [name.strip() for name in expression.partition("WHERE")[0].removeprefix("SELECT").split(",")]
            results = [json.dumps({name: item[name] for name in wanted}) for item in rows]
        first, limit = int(asked.get("NextToken") or 0), int(asked.get("Limit") or 25)
        following = {"NextToken": str(first + limit)} if first + limit < len(results) else {}
        return _json({"Results": results[first : first + limit], "QueryInfo": {"SelectFields": []}, **following})

    def _fetch(self, asked: Json) -> Reply:
        keys = asked["ResourceIdentifiers"]
        if not 1 <= len(keys) <= _MOST:
            return _refused("ValidationException", "1 to 100 keys.")
        by_key = {(item["accountId"], item["resourceType"], item["resourceId"]): item for item in self.items()}
        wanted = [(key["SourceAccountId"], key["ResourceType"], key["ResourceId"]) for key in keys]
        return _json(
            {
                "BaseConfigurationItems": [by_key[key] for key in wanted if key in by_key],
                "UnprocessedResourceIdentifiers": [
                    one for one, key in zip(keys, wanted, strict=True) if key not in by_key
                ],
            }
        )

    def _sources(self, _asked: Json) -> Reply:
        places = sorted({(item["accountId"], item["awsRegion"]) for item in self.items()})
        listed = [
            {
                "SourceId": account,
                "SourceType": "ACCOUNT",
                "AwsRegion": region,
                "LastUpdateStatus": "FAILED" if (account, region) in self.failing else "SUCCEEDED",
                "LastUpdateTime": self.captured.timestamp(),
            }
            for account, region in places
        ]
        return _json({"AggregatedSourceStatusList": listed})

    def _buckets(self) -> Iterator[Json]:
        for account, backends in s3_backends.items():
            for bucket in [] if account == "global" else list(backends["aws"].buckets.values()):
                if bucket.name.endswith("--x-s3") or bucket.name in self.left_out:
                    continue
                tags = backends["aws"].tagger.get_tag_dict_for_resource(bucket.arn)
                yield self._item("AWS::S3::Bucket", account, bucket.region_name, bucket.name) | {
                    "arn": bucket.arn,
                    "resourceCreationTime": bucket.creation_date.timestamp(),
                    "configurationItemStatus": "ResourceDeleted" if bucket.name in self.deleted else "OK",
                    "configuration": json.dumps({"name": bucket.name, "owner": {"displayName": None, "id": _OWNER}}),
                    "supplementaryConfiguration": {
                        name: value if isinstance(value, str) else json.dumps(value)
                        for name, value in _described(bucket, tags).items()
                    },
                }

    def _accounts(self) -> Iterator[Json]:
        for account, backends in s3control_backends.items():
            block = backends["aws"].public_access_block
            if block is not None:
                yield self._item("AWS::S3::AccountPublicAccessBlock", account, "us-east-1", account) | {
                    "configuration": json.dumps(_block(block))
                }

    def _points(self) -> Iterator[Json]:
        for account, backends in s3control_backends.items():
            for point in [one for named in backends["aws"].access_points.values() for one in named.values()]:
                configuration = {
                    "Name": point.name,
                    "Bucket": point.bucket,
                    "BucketAccountId": account,
                    "NetworkOrigin": "VPC" if point.vpc_id else "Internet",
                    **({"VpcConfiguration": {"VpcId": point.vpc_id}} if point.vpc_id else {}),
                    "PublicAccessBlockConfiguration": {
                        name: point.pubc.get(name, "true") == "true" for name in ("BlockPublicAcls", *_SWITCHES)
                    },
                }
                yield self._item("AWS::S3::AccessPoint", account, "us-east-1", point.name) | {
                    "configuration": json.dumps(configuration)
                }

    def _item(self, kind: str, account: str, region: str, name: str) -> Json:
        return {
            "version": "1.3",
            "accountId": account,
            "awsRegion": region,
            "resourceType": kind,
            "resourceId": name,
            "resourceName": name,
            "configurationItemCaptureTime": self.captured.timestamp(),
            "configurationItemStatus": "OK",
            "supplementaryConfiguration": {},
        }


_OWNER: Final = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"  # of all buckets in moto
_SWITCHES: Final = ("IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def _described(bucket: Any, tags: Mapping[str, str]) -> Json:
    """The supplementary configuration, as objects but for the access control list."""
    listed: Json = {"grantSet": None, "owner": {"displayName": None, "id": _OWNER}, "isRequesterCharged": False}
    entries = [
        {"grantee": _grantee(grantee), "permission": _WORDS[word]}
        for grant in (bucket.acl.grants if bucket.acl else ())
        for grantee in grant.grantees
        for word in grant.permissions
    ]
    if entries:
        listed["grantList"] = entries
    described: Json = {
        "AccessControlList": json.dumps(json.dumps(listed)),
        "BucketPolicy": {"policyText": bucket.policy.decode() if bucket.policy else None},
        "BucketLoggingConfiguration": {
            "destinationBucketName": (bucket.logging or {}).get("TargetBucket"),
            "logFilePrefix": (bucket.logging or {}).get("TargetPrefix"),
        },
        "IsRequesterPaysEnabled": "false",
    }
    if bucket.public_access_block:
        described["PublicAccessBlockConfiguration"] = bucket.public_access_block.to_config_dict()
    if tags:
        described["BucketTaggingConfiguration"] = {"tagSets": [{"tags": tags}]}
    if bucket.website_configuration:
        described["BucketWebsiteConfiguration"] = {"indexDocumentSuffix": "index.html", "errorDocument": None}
    rule = (bucket.encryption or {}).get("Rule") or {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    default = rule["ApplyServerSideEncryptionByDefault"]
    key = {"kmsMasterKeyID": default["KMSMasterKeyID"]} if default.get("KMSMasterKeyID") else {}
    recorded: Json = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": default["SSEAlgorithm"], **key}}
    described["ServerSideEncryptionConfiguration"] = {"rules": [recorded]}
    return described


def _grantee(grantee: Any) -> str | Json:
    return str(grantee.uri).rpartition("/")[2] if grantee.uri else {"id": grantee.id, "displayName": None}


def _block(block: Any) -> Json:
    given = block if isinstance(block, dict) else vars(block)
    return {
        "blockPublicAcls": bool(given.get("block_public_acls", given.get("BlockPublicAcls"))),
        "ignorePublicAcls": bool(given.get("ignore_public_acls", given.get("IgnorePublicAcls"))),
        "blockPublicPolicy": bool(given.get("block_public_policy", given.get("BlockPublicPolicy"))),
        "restrictPublicBuckets": bool(given.get("restrict_public_buckets", given.get("RestrictPublicBuckets"))),
    }


def _delivered(item: Json) -> Json:
    """An item in the form in which it is delivered: only the access control list stays a text."""
    renamed = {name: value for name, value in item.items() if name not in ("accountId", "arn")}
    captured = datetime.fromtimestamp(item["configurationItemCaptureTime"], UTC).isoformat().replace("+00:00", "Z")
    supplementary = {
        name: json.loads(value) if name != "IsRequesterPaysEnabled" else value
        for name, value in item["supplementaryConfiguration"].items()
    }
    return renamed | {
        "awsAccountId": item["accountId"],
        "ARN": item.get("arn", ""),
        "configurationItemCaptureTime": captured,
        "resourceCreationTime": captured,
        "configuration": json.loads(item.get("configuration") or "{}"),
        "supplementaryConfiguration": supplementary,
    }


def _json(body: Mapping[str, object]) -> Reply:
    return Reply(content_type=_JSON, body=json.dumps(body))


def _refused(code: str, message: str) -> Reply:
    return Reply(status="400 Bad Request", content_type=_JSON, body=json.dumps({"__type": code, "message": message}))
