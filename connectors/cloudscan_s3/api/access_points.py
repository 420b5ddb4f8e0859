"""Lists and reads access points: which bucket each of them opens, its policy and its blocks.

They are listed once per account and read with the bucket behind them, so that both layers are analysed together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from cloudscan.connector import Gap
from cloudscan.errors import Malformed, Vanished
from cloudscan_s3.access.bucket import AccessPoint, Block, Unread
from cloudscan_s3.api.asking import Answer, Asker, name_of
from cloudscan_s3.api.reader import ALL_ON, block_of, garbled, policy_of, tags_of_resource
from cloudscan_s3.questions import (
    ACCESS_POINT,
    ACCESS_POINT_POLICY,
    ACCESS_POINTS,
    DIRECTORY_ACCESS_POINT,
    DIRECTORY_ACCESS_POINT_POLICY,
    DIRECTORY_ACCESS_POINTS,
    MULTI_REGION_ACCESS_POINT,
    MULTI_REGION_ACCESS_POINT_POLICY,
    MULTI_REGION_ACCESS_POINTS,
    POINT_TAGS,
    AwsQuestion,
)

CONTROL = "us-west-2"
"""Governs all multi-region ones ("Multi-Region Access Point restrictions and limitations")."""


class ListedPoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An access point as a list names it: what a scope carries so that another process can read it."""

    name: str
    bucket: str
    bucket_account: str = ""  # empty: S3 did not report it
    region: str = ""  # empty for a multi-region one
    alias: str = ""  # of a multi-region one


def list_in_region(asker: Asker, number: str, region: str) -> tuple[Sequence[ListedPoint], Sequence[Gap]]:
    """An account's access points in one region, and gaps for what could not be listed."""
    return _list(ACCESS_POINTS, asker, number, region)


def list_for_directory_buckets(asker: Asker, number: str, region: str) -> tuple[Sequence[ListedPoint], Sequence[Gap]]:
    """An account's access points of directory buckets in one region, and gaps for what could not be listed."""
    return _list(DIRECTORY_ACCESS_POINTS, asker, number, region)


def is_of_directory_bucket(name: str) -> bool:
    """Whether an access point of this name opens a directory bucket (User Guide, "Directory buckets naming rules")."""
    return name.endswith("--xa-s3")


def _list(question: AwsQuestion, asker: Asker, number: str, region: str) -> tuple[Sequence[ListedPoint], Sequence[Gap]]:
    def point(entry: Mapping[str, Any]) -> ListedPoint:
        bucket_account = str(entry.get("BucketAccountId") or "")
        return ListedPoint(
            name=name_of(entry, "Name"), bucket=name_of(entry, "Bucket"), bucket_account=bucket_account, region=region
        )

    return asker.list(question, point, "NextToken", region=region, AccountId=number)


def list_multi_region(asker: Asker, number: str) -> tuple[Sequence[ListedPoint], Sequence[Gap]]:
    """An account's multi-region access points, one entry for each bucket behind them, and gaps."""
    listed, gaps = asker.list(
        MULTI_REGION_ACCESS_POINTS,
        lambda entry: tuple(_behind(entry)),
        "NextToken",
        region=CONTROL,
        AccountId=number,
    )
    return [point for points in listed for point in points], gaps


def read_access_point(asker: Asker, number: str, partition: str, point: ListedPoint) -> AccessPoint | None:
    """One access point with its policy and blocks; None where it no longer exists."""
    read = _read_multi_region if point.alias else _read_directory if is_of_directory_bucket(point.name) else _read
    return read(asker, number, partition, point)


def with_tags(asker: Asker, point: AccessPoint) -> AccessPoint:
    """The same access point with its tags. Multi-region ones have none (guessed: the operation does not name them)."""
    if point.multi_region:
        return replace(point, tags={})
    return replace(point, tags=tags_of_resource(asker, POINT_TAGS, point.region, point.account, point.arn))


def point_exists(asker: Asker, number: str, region: str, name: str) -> bool | None:
    """Whether there is an access point of this name; None if AWS did not say."""
    question = DIRECTORY_ACCESS_POINT if is_of_directory_bucket(name) else ACCESS_POINT
    answer = asker.ask(question, region, AccountId=number, Name=name)
    if isinstance(answer, Unread):
        return False if isinstance(answer.error, Vanished) else None
    return True


def _behind(entry: Mapping[str, Any]) -> Iterator[ListedPoint]:
    if not entry.get("Alias"):
        return  # still being created: no request can reach it
    for behind in entry["Regions"]:
        yield ListedPoint(
            name=name_of(entry, "Name"),
            bucket=name_of(behind, "Bucket"),
            bucket_account=str(behind.get("BucketAccountId") or ""),
            alias=name_of(entry, "Alias"),
        )


def _read(asker: Asker, number: str, partition: str, point: ListedPoint) -> AccessPoint | None:
    identity = {"AccountId": number, "Name": point.name}
    answer = asker.ask(ACCESS_POINT, point.region, **identity)
    policy = asker.ask(ACCESS_POINT_POLICY, point.region, **identity)
    if _is_gone(answer, policy):
        return None
    block = garbled(ACCESS_POINT) if answer is None else block_of(ACCESS_POINT, answer)
    arn = f"arn:{partition}:s3:{point.region}:{number}:accesspoint/{point.name}"
    return _regional(point, number, arn, answer, policy_of(ACCESS_POINT_POLICY, policy), block)


def _read_directory(asker: Asker, number: str, partition: str, point: ListedPoint) -> AccessPoint | None:
    """An access point of a directory bucket, whose blocks are on and cannot be changed."""
    identity = {"AccountId": number, "Name": point.name}
    answer = asker.ask(DIRECTORY_ACCESS_POINT, point.region, **identity)
    policy = asker.ask(DIRECTORY_ACCESS_POINT_POLICY, point.region, **identity)
    if _is_gone(answer, policy):
        return None
    block = ALL_ON if not isinstance(answer, Unread) else answer
    arn = f"arn:{partition}:s3express:{point.region}:{number}:accesspoint/{point.name}"
    return _regional(point, number, arn, answer, policy_of(DIRECTORY_ACCESS_POINT_POLICY, policy), block)


def _regional(
    point: ListedPoint,
    number: str,
    arn: str,
    answer: Answer | Unread | None,
    policy: str | Unread | None,
    block: Block | Unread,
) -> AccessPoint:
    details: Answer = {} if isinstance(answer, Unread) or answer is None else answer
    return AccessPoint(
        name=point.name,
        account=number,
        region=point.region,
        arn=arn,
        vpc=str((details.get("VpcConfiguration") or {}).get("VpcId") or ""),
        network_known=bool(details.get("NetworkOrigin")),
        policy=policy,
        block=block,
    )


def _read_multi_region(asker: Asker, number: str, partition: str, point: ListedPoint) -> AccessPoint | None:
    identity = {"AccountId": number, "Name": point.name}
    answer = asker.ask(MULTI_REGION_ACCESS_POINT, CONTROL, **identity)
    policy = asker.ask(MULTI_REGION_ACCESS_POINT_POLICY, CONTROL, **identity)
    if _is_gone(answer, policy):
        return None
    details = answer if isinstance(answer, Unread) else (answer or {}).get("AccessPoint") or {}
    return AccessPoint(
        name=point.alias,
        account=number,
        region="",
        arn=f"arn:{partition}:s3::{number}:accesspoint/{point.alias}",
        policy=policy if isinstance(policy, Unread) else _established(policy),
        block=block_of(MULTI_REGION_ACCESS_POINT, details, "PublicAccessBlock"),
        multi_region=True,
        name_for_people=point.name,
    )


def _is_gone(*answers: Answer | Unread | None) -> bool:
    """Whether all answers say that it no longer exists; one alone may be wrong about that."""
    return all(isinstance(answer, Unread) and isinstance(answer.error, Vanished) for answer in answers)


def _established(answer: Answer | None) -> str | Unread | None:
    """The policy in force; a proposed one is not in force yet."""
    if answer is None:
        return None
    if not isinstance(answer.get("Policy"), Mapping):
        error = Malformed("s3-member-missing", member="Policy")
        return Unread(question=MULTI_REGION_ACCESS_POINT_POLICY, error=error)
    established = answer["Policy"].get("Established") or {}
    return str(established["Policy"]) if established.get("Policy") else None
