"""Block Public Access: what it stops, what it leaves, and what is unknown where it could not be read."""

import pytest

from cloudscan_s3.access.bucket import Block
from tests.connectors.s3.buckets import (
    ALL_ON,
    ANYONE,
    DENIED,
    EXTERNAL,
    NAMED,
    OURS,
    THEIRS,
    allow,
    paths,
    widest,
)


@pytest.mark.parametrize("where", ["block", "account_block"])
def test_a_public_policy_behind_a_block_is_latent(where: str) -> None:
    """It stays on record, with the name of what stops it."""
    (path,) = paths(allow(), **{where: ALL_ON})

    assert (path.audience, path.effective) == (ANYONE, False)
    assert path.blocked_by == "s3-restrict-public-buckets"
    assert path.block_switch is not None
    assert path.block_switch.levels == ("bucket" if where == "block" else "account",)


def test_the_other_blocks_stop_no_existing_policy() -> None:
    """BlockPublicPolicy only refuses new ones."""
    assert widest(paths(allow(), block=Block(block_public_policy=True, block_public_acls=True))) is ANYONE


def test_a_block_cuts_named_accounts_off_a_public_policy() -> None:
    """RestrictPublicBuckets on a public policy leaves AWS services and the owner's account only."""
    statements = allow(), allow({"AWS": THEIRS}), allow({"Service": "cloudtrail.amazonaws.com"}), allow({"AWS": OURS})

    assert {path.kind: path.effective for path in paths(*statements, block=ALL_ON)}["service"]
    assert widest(paths(*statements, block=ALL_ON)) is NAMED


def test_a_block_leaves_a_policy_that_is_not_public() -> None:
    """Fixed accounts keep their access under all blocks."""
    assert widest(paths(allow({"AWS": THEIRS}), block=ALL_ON, account_block=ALL_ON)) is EXTERNAL


def test_behind_an_unreadable_block_a_public_policy_is_unknown() -> None:
    """Public or blocked cannot be determined."""
    (path,) = paths(allow(), block=DENIED)

    assert path.effective is None
    assert path.audience is ANYONE


def test_one_readable_block_that_is_on_is_enough() -> None:
    """Whatever the unreadable level says."""
    (path,) = paths(allow(), block=DENIED, account_block=ALL_ON)

    assert path.effective is False
