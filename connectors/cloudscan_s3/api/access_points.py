"""Lists and reads access points: which bucket each of them opens, its policy and its blocks.

They are listed once per account and read with the bucket behind them, so that both layers are analysed together.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from cloudscan.connector import Gap
from cloudscan.errors import AccessDenied, Malformed, Unreachable
from cloudscan.facts import Outcome
from cloudscan_s3.access.bucket import AccessPoint, Unread
from cloudscan_s3.api.client import Account, Vanished, ask, member, require
from cloudscan_s3.api.reader import GARBLED, block_of, policy_of

_CONTROL = "us-west-2"  # governs all multi-region ones ("Multi-Region Access Point restrictions and limitations")


class ListedPoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An access point as a list names it: what a scope carries so that another process can read it."""

    name: str
    bucket: str
    bucket_account: str = ""  # empty: S3 did not report it
    region: str = ""  # empty for a multi-region one
    alias: str = ""  # of a multi-region one


class _Lists:
    """The lists of one account that could be read, and gaps for the others."""

    def __init__(self) -> None:
        self.points: list[ListedPoint] = []
        self.gaps: list[Gap] = []

    def add(self, what: str, points: Iterator[ListedPoint]) -> None:
        try:
            self.points += points
        except AccessDenied as refused:
            self._gap(Outcome.DENIED, f"{what}: {refused}", refused.needs)
        except (Malformed, Unreachable) as trouble:
            self._gap(Outcome.FAILED, f"{what}: {trouble}", "")

    def _gap(self, outcome: Outcome, reason: str, needs: str) -> None:
        self.gaps.append(Gap(table="grants", outcome=outcome, reason=reason, needs=needs))


def list_access_points(account: Account, number: str, regions: Sequence[str]) -> tuple[list[ListedPoint], list[Gap]]:
    """An account's access points in these regions, its multi-region ones, and gaps for what could not be listed."""
    lists = _Lists()
    for region in regions:
        lists.add(f"access points in {region}", _in_region(account, number, region))
    lists.add("multi-region access points", _multi_region(account, number))
    return list(dict.fromkeys(lists.points)), lists.gaps


def read_access_point(account: Account, number: str, partition: str, point: ListedPoint) -> AccessPoint | None:
    """One access point with its policy and blocks; None where it no longer exists."""
    try:
        return (
            _read_multi_region(account, number, partition, point)
            if point.alias
            else _read(account, number, partition, point)
        )
    except Vanished:
        return None


def _in_region(account: Account, number: str, region: str) -> Iterator[ListedPoint]:
    client = account.client("s3control", region)
    token: dict[str, str] = {}
    while True:
        page = require(client.list_access_points, "s3:ListAccessPoints", AccountId=number, **token)
        for entry in member(page, "AccessPointList"):
            yield ListedPoint(
                name=entry["Name"],
                bucket=entry["Bucket"],
                bucket_account=entry.get("BucketAccountId", ""),
                region=region,
            )
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def _multi_region(account: Account, number: str) -> Iterator[ListedPoint]:
    client = account.client("s3control", _CONTROL)
    token: dict[str, str] = {}
    while True:
        page = require(
            client.list_multi_region_access_points, "s3:ListMultiRegionAccessPoints", AccountId=number, **token
        )
        for entry in member(page, "AccessPoints"):
            if not entry.get("Alias"):
                continue  # still being created: no request can reach it
            for behind in entry.get("Regions", ()):
                yield ListedPoint(
                    name=entry["Name"],
                    bucket=behind["Bucket"],
                    bucket_account=behind.get("BucketAccountId", ""),
                    alias=entry["Alias"],
                )
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def _read(account: Account, number: str, partition: str, point: ListedPoint) -> AccessPoint:
    client = account.client("s3control", point.region)
    identity = {"AccountId": number, "Name": point.name}
    answer = ask(client.get_access_point, "s3:GetAccessPoint", **identity)
    policy = ask(client.get_access_point_policy, "s3:GetAccessPointPolicy", **identity)
    details: dict[str, Any] = {} if isinstance(answer, Unread) or answer is None else answer
    return AccessPoint(
        name=point.name,
        account=number,
        region=point.region,
        arn=f"arn:{partition}:s3:{point.region}:{number}:accesspoint/{point.name}",
        vpc=str((details.get("VpcConfiguration") or {}).get("VpcId", "")),
        policy=policy_of(policy),
        block=block_of(GARBLED if answer is None else answer),
    )


def _read_multi_region(account: Account, number: str, partition: str, point: ListedPoint) -> AccessPoint:
    client = account.client("s3control", _CONTROL)
    identity = {"AccountId": number, "Name": point.name}
    answer = ask(client.get_multi_region_access_point, "s3:GetMultiRegionAccessPoint", **identity)
    policy = ask(client.get_multi_region_access_point_policy, "s3:GetMultiRegionAccessPointPolicy", **identity)
    details = answer if isinstance(answer, Unread) else (answer or {}).get("AccessPoint") or {}
    return AccessPoint(
        name=point.alias,
        account=number,
        region="",
        arn=f"arn:{partition}:s3::{number}:accesspoint/{point.alias}",
        policy=policy if isinstance(policy, Unread) else _established(policy),
        block=block_of(details, "PublicAccessBlock"),
        multi_region=True,
        name_for_people=point.name,
    )


def _established(answer: dict[str, Any] | None) -> str | Unread | None:
    """The policy in force; a proposed one is not in force yet."""
    if answer is None:
        return None
    if "Policy" not in answer:
        return GARBLED
    established = answer["Policy"].get("Established") or {}
    return str(established["Policy"]) if established.get("Policy") else None
