"""The digest of what S3 said of a bucket: by it the ledger tells another judgement from another estate."""

import pytest

from cloudscan.facts import OBSERVED, Resource
from cloudscan_s3.access.bucket import Block, Bucket
from tests.connectors.s3.buckets import DENIED, THEIRS, allow, bucket, deny, facts_of


def digest(of: Bucket) -> str | None:
    resource = next(fact for fact in facts_of(of) if isinstance(fact, Resource))
    value = resource.detail.get(OBSERVED)
    return None if value is None else str(value)


def test_the_same_answers_have_the_same_digest() -> None:
    """Whatever is made of them."""
    assert digest(bucket(allow())) == digest(bucket(allow())) is not None


@pytest.mark.parametrize(
    "other",
    [
        bucket(),
        bucket(allow(), deny()),
        bucket(allow({"AWS": THEIRS})),
        bucket(allow(), block=Block(ignore_public_acls=True)),
    ],
)
def test_another_answer_has_another_digest(other: Bucket) -> None:
    """A policy, a statement, a principal, a switch."""
    assert digest(bucket(allow())) != digest(other)


def test_an_answer_that_is_missing_leaves_it_out() -> None:
    """Nobody can say then whether the bucket changed."""
    assert digest(bucket(policy=DENIED)) is None
