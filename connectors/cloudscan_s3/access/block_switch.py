"""Block Public Access: one switch over all the levels on which it can be set.

Source: Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage": S3 applies the most restrictive
combination of the account's, the bucket's and the access point's settings.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cloudscan_s3.access.bucket import AccessPoint, Block, Bucket, Unread


@dataclass(frozen=True, kw_only=True)
class BlockSwitch:
    """A Block Public Access switch, over all levels: on at `levels`, or unreadable at `unread`."""

    name: str  # as AWS spells it: RestrictPublicBuckets
    code: str  # as a block: s3-restrict-public-buckets
    levels: tuple[str, ...] = ()  # organisation, account, bucket, access point
    unread: tuple[str, ...] = ()

    @property
    def on(self) -> bool | None:
        """None: off wherever it could be read, but not every level could be read."""
        return True if self.levels else None if self.unread else False


def restrict_public_buckets(bucket: Bucket, point: AccessPoint | None = None) -> BlockSwitch:
    """The switch that cuts everyone but AWS services and the owner's account off a public policy."""
    return _block_switch(
        "RestrictPublicBuckets",
        "s3-restrict-public-buckets",
        lambda block: block.restrict_public_buckets,
        bucket,
        point,
    )


def ignore_public_acls(bucket: Bucket) -> BlockSwitch:
    """The switch that makes public ACL entries void, on the bucket and on its objects."""
    return _block_switch("IgnorePublicAcls", "s3-ignore-public-acls", lambda block: block.ignore_public_acls, bucket)


def _block_switch(
    name: str, code: str, is_on: Callable[[Block], bool | None], bucket: Bucket, point: AccessPoint | None = None
) -> BlockSwitch:
    above = bucket.account_block
    imposed = isinstance(above, Block) and above.by_organisation
    levels: list[tuple[str, Block | Unread]] = [
        ("organisation" if imposed else "account", above),
        ("bucket", bucket.block),
    ]
    if point is not None:
        levels.append(("access point", point.block))
    return BlockSwitch(
        name=name,
        code=code,
        levels=tuple(level for level, block in levels if isinstance(block, Block) and is_on(block)),
        unread=tuple(level for level, block in levels if isinstance(block, Unread) or is_on(block) is None),
    )
