"""Access points: their own policy and blocks, and the bucket's policy behind them."""

import json
from typing import Any

from cloudscan_s3.access.bucket import AccessPoint, Block
from tests.connectors.s3.buckets import (
    ACCOUNT,
    ALL_ON,
    DENIED,
    EXTERNAL,
    NAMED,
    OURS,
    THEIRS,
    allow,
    paths,
    widest,
)


def _point(*statements: dict[str, Any], **more: Any) -> AccessPoint:
    arn = f"arn:aws:s3:eu-west-1:{OURS}:accesspoint/door"
    plain: dict[str, Any] = {
        "name": "door",
        "account": OURS,
        "region": "eu-west-1",
        "arn": arn,
        "policy": json.dumps(
            {"Statement": [{**statement, "Resource": [arn, f"{arn}/object/*"]} for statement in statements]}
        ),
        "block": Block(),
    }
    return AccessPoint(**{**plain, **more})


DELEGATES = allow(action="s3:*", when={"StringEquals": {"s3:DataAccessPointAccount": OURS}})


def test_an_open_access_point_behind_a_delegating_bucket() -> None:
    """Both allow. Access points serve no unsigned requests, so the audience is any AWS account and not anyone."""
    opened = paths(DELEGATES, access_points=(_point(allow()),))

    assert widest(opened) is ACCOUNT


def test_an_access_point_without_delegation_is_latent() -> None:
    """The bucket's own policy must allow as well."""
    (path,) = paths(access_points=(_point(allow()),))

    assert (path.effective, path.blocked_by) == (False, "s3-not-delegated")


def test_an_access_point_with_blocks_is_latent() -> None:
    """Its own Block Public Access is on by default."""
    opened = paths(DELEGATES, access_points=(_point(allow(), block=ALL_ON),))

    assert [(path.effective, path.blocked_by) for path in opened] == [(False, "s3-restrict-public-buckets")]


def test_an_access_point_of_a_vpc_is_never_public() -> None:
    """Only that network is served."""
    opened = paths(DELEGATES, access_points=(_point(allow(), vpc="vpc-1"),))

    assert widest(opened) is NAMED


def test_an_access_point_for_a_named_account() -> None:
    """An external account through an access point is an external account."""
    opened = paths(DELEGATES, access_points=(_point(allow({"AWS": THEIRS})),))

    assert widest(opened) is EXTERNAL


def test_behind_an_unread_bucket_policy_an_access_point_is_unknown() -> None:
    """Whether the bucket delegates cannot be determined."""
    opened = paths(policy=DENIED, access_points=(_point(allow()),))

    assert [path.effective for path in opened] == [None]
