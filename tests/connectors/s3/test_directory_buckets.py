"""S3 Express directory buckets."""

from cloudscan.facts import Access
from tests.connectors.s3.buckets import (
    ALL_ON,
    EXTERNAL,
    KEYS,
    OBJECTS,
    OURS,
    THEIRS,
    allow,
    paths,
    when,
    widest,
)


def test_a_directory_bucket_shares_with_named_accounts_only() -> None:
    """Its blocks and its ownership are fixed; cross-account sharing by policy is possible."""
    arn = f"arn:aws:s3express:eu-west-1:{OURS}:bucket/b"
    open_to = [allow({"AWS": THEIRS}, "s3express:CreateSession", Resource=arn)]

    opened = paths(*open_to, directory=True, block=ALL_ON)

    assert widest(opened) is EXTERNAL
    assert {KEYS, OBJECTS}.isdisjoint({path.witness.request.resource for path in opened})


def test_a_read_only_session_writes_nothing() -> None:
    """A directory bucket's one action opens what the session's mode says."""
    read_only = when("StringEquals", "s3express:SessionMode", "ReadOnly")
    session = allow({"AWS": THEIRS}, "s3express:CreateSession", Resource="*", when=read_only)

    opened = paths(session, directory=True, block=ALL_ON)

    assert {path.access for path in opened} == {Access.LIST, Access.READ}
