"""What AWS Config recorded of one account, as answers to the questions that would otherwise be asked.

An answer is given only where Config says so; anything else is asked of AWS, or refused where the account does not admit
us. That a resource is not among the items proves nothing: a recorder may be off, or leave out its type.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from cloudscan.errors import Malformed
from cloudscan_s3.bulk import answers
from cloudscan_s3.bulk.items import ACCESS_POINT, ACCOUNT_BLOCK, BUCKET, MULTI_REGION_ACCESS_POINT, Item
from cloudscan_s3.questions import (
    ACCESS_POINT as POINT_QUESTION,
)
from cloudscan_s3.questions import (
    ACCESS_POINTS,
    BUCKET_ACL,
    BUCKET_BLOCK,
    BUCKET_EXISTS,
    BUCKET_POLICY,
    BUCKETS,
    ENCRYPTION,
    LOGGING,
    MULTI_REGION_ACCESS_POINTS,
    OWNERSHIP,
    REPLICATION,
    TAGS,
    WEBSITE,
    AwsQuestion,
)
from cloudscan_s3.questions import ACCOUNT_BLOCK as BLOCK_QUESTION
from cloudscan_s3.questions import MULTI_REGION_ACCESS_POINT as MULTI_REGION_QUESTION

Answer = Mapping[str, Any]

NOT_IN_CONFIG: Final = "s3-not-in-config"
"""The code of the reason why something was neither recorded nor asked for."""

_OF_A_BUCKET: Final = frozenset(
    one.name for one in (BUCKET_POLICY, BUCKET_ACL, BUCKET_BLOCK, TAGS, WEBSITE, LOGGING, ENCRYPTION, REPLICATION)
)
_FIRST: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The items of one account, the newest of each resource; without those that were deleted."""

    account: str
    buckets: Mapping[str, Item] = field(default_factory=dict)
    points: Mapping[tuple[str, str], Item] = field(default_factory=dict)  # by region and name
    multi_region_points: Mapping[str, Item] = field(default_factory=dict)
    block: Item | None = None
    stale: Mapping[str, datetime | None] = field(default_factory=dict)  # regions, and since when
    closed: bool = False  # nothing can be asked: what stands here is all there is

    def knows_bucket(self, name: str) -> bool:
        """Whether a bucket needs not be asked about: one whose items are old is, where it can be."""
        item = self.buckets.get(name)
        return item is not None and (self.closed or item.region not in self.stale)

    def answer(self, question: AwsQuestion, region: str, arguments: Mapping[str, Any]) -> Answer | None:
        """The answer that AWS would give, None where nothing is configured.

        Raises `KeyError` where Config does not say, and a `ProviderError` for what needs not be known.
        """
        if question.name in _OF_A_BUCKET:
            return answers.answer_about_bucket(question, self._bucket(arguments))
        if question is OWNERSHIP:
            return self._ownership(arguments)
        if not self.closed:
            raise KeyError(question.name)
        return self._where_closed(question, region, arguments)

    def _where_closed(self, question: AwsQuestion, region: str, arguments: Mapping[str, Any]) -> Answer | None:
        """What lists and describes an account's things, where only Config knows them."""
        by_name: Mapping[str, Callable[[], Answer | None]] = {
            BUCKETS.name: self._listed_buckets,
            BUCKET_EXISTS.name: lambda: {"BucketRegion": self._bucket(arguments).region},
            BLOCK_QUESTION.name: self._account_block,
            ACCESS_POINTS.name: lambda: self._listed_points(region),
            POINT_QUESTION.name: lambda: self._point(region, str(arguments["Name"])),
            MULTI_REGION_ACCESS_POINTS.name: self._listed_multi_region_points,
            MULTI_REGION_QUESTION.name: lambda: self._multi_region_point(str(arguments["Name"])),
        }
        return by_name[question.name]()

    def _bucket(self, arguments: Mapping[str, Any]) -> Item:
        name = str(arguments["Bucket"])
        if not self.knows_bucket(name):
            raise KeyError(name)
        return self.buckets[name]

    def _ownership(self, arguments: Mapping[str, Any]) -> Answer | None:
        """Config records no ownership controls. They only matter where an access control list could admit anyone."""
        item = self._bucket(arguments)
        if "ExpectedBucketOwner" in arguments or self._can_acls_matter(item):
            raise KeyError(OWNERSHIP.name)
        raise Malformed(NOT_IN_CONFIG)

    def _can_acls_matter(self, item: Item) -> bool:
        return answers.grants_beyond_owner(item) or not (
            self._ignores_public_acls(lambda: answers.answer_about_bucket(BUCKET_BLOCK, item))
            or (self.block is not None and self._ignores_public_acls(self._account_block))
        )

    def _ignores_public_acls(self, block: Callable[[], Answer | None]) -> bool:
        try:
            given = block()
        except KeyError:
            return False
        return given is not None and given["PublicAccessBlockConfiguration"]["IgnorePublicAcls"] is True

    def _account_block(self) -> Answer | None:
        if self.block is None:
            raise KeyError(ACCOUNT_BLOCK)
        return answers.block_of_account(self.block)

    def _listed_buckets(self) -> Answer:
        owner = next((owner for item in self.buckets.values() if (owner := answers.owner_of(item))), "")
        listed = [
            {"Name": item.name, "BucketRegion": item.region, "CreationDate": item.created_on}
            for item in self.buckets.values()
        ]
        return {"Owner": {"ID": owner}, "Buckets": listed}

    def _listed_points(self, region: str) -> Answer:
        points = [
            {
                "Name": item.name,
                "Bucket": answers.text_of(item, "Bucket"),
                "BucketAccountId": answers.text_of(item, "BucketAccountId"),
            }
            for (place, _), item in self.points.items()
            if place == region
        ]
        return {"AccessPointList": points}

    def _point(self, region: str, name: str) -> Answer:
        item = self.points[region, name]
        vpc = answers.vpc_of(item)
        return {
            "NetworkOrigin": answers.text_of(item, "NetworkOrigin") or ("VPC" if vpc else ""),
            **({"VpcConfiguration": {"VpcId": vpc}} if vpc else {}),
            **(answers.block_of_point(item) or {}),
        }

    def _listed_multi_region_points(self) -> Answer:
        return {"AccessPoints": [_multi_region(item) for item in self.multi_region_points.values()]}

    def _multi_region_point(self, name: str) -> Answer:
        return {"AccessPoint": _multi_region(self.multi_region_points[name])}


def recorded(account: str, items: Iterable[Item], stale: Mapping[str, datetime | None], *, closed: bool) -> Recorded:
    """The items of an account, sorted by what they are about. Of several about one thing the newest counts."""
    newest: dict[tuple[str, str, str], Item] = {}
    for item in items:
        key = (item.kind, "" if item.kind == BUCKET else item.region, item.name)
        known = newest.get(key)
        if known is None or (item.captured_on or _FIRST) >= (known.captured_on or _FIRST):
            newest[key] = item
    there = [item for item in newest.values() if not item.gone and item.recorded]
    return Recorded(
        account=account,
        buckets={item.name: item for item in there if item.kind == BUCKET},
        points={(item.region, item.name): item for item in there if item.kind == ACCESS_POINT},
        multi_region_points={
            answers.text_of(item, "Name") or item.name: item for item in there if item.kind == MULTI_REGION_ACCESS_POINT
        },
        # Each region records the account's switches; they are the same in all.
        block=max(
            (item for item in there if item.kind == ACCOUNT_BLOCK),
            key=lambda item: item.captured_on or _FIRST,
            default=None,
        ),
        stale=stale,
        closed=closed,
    )


def _multi_region(item: Item) -> Answer:
    block = answers.block_of_point(item)
    return {
        "Name": answers.text_of(item, "Name") or item.name,
        "Alias": answers.text_of(item, "Alias"),
        "Regions": [{"Bucket": one.get("Bucket") or one.get("bucket")} for one in answers.parts_of(item, "Regions")],
        **({"PublicAccessBlock": block["PublicAccessBlockConfiguration"]} if block else {}),
    }
