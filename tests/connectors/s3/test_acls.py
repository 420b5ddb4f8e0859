"""Access control lists of buckets and objects."""

import pytest

from cloudscan.facts import Access, Audience
from cloudscan_s3.access.access_paths import access_paths_to_object
from cloudscan_s3.access.acl import ALL_USERS, ANONYMOUS, AUTHENTICATED_USERS, LOG_DELIVERY
from cloudscan_s3.access.bucket import Acl, AclGrant, ObjectAcl, Ownership
from tests.connectors.s3.buckets import (
    ACCOUNT,
    ALL_ON,
    ANYONE,
    EXTERNAL,
    NAMED,
    NOBODY,
    NOW,
    OUR_CANONICAL,
    THEIR_CANONICAL,
    US,
    bucket,
    deny,
    paths,
    widest,
)


def _acl(*grants: AclGrant) -> Acl:
    return Acl(owner=OUR_CANONICAL, grants=(AclGrant(permission="FULL_CONTROL", canonical_id=OUR_CANONICAL), *grants))


@pytest.mark.parametrize(
    ("grant", "audience", "accesses"),
    [
        (AclGrant(permission="READ", group=ALL_USERS), ANYONE, {Access.LIST}),
        (AclGrant(permission="WRITE", group=ALL_USERS), ANYONE, {Access.WRITE}),
        (AclGrant(permission="READ_ACP", group=ALL_USERS), ANYONE, {Access.LIST}),
        (AclGrant(permission="WRITE_ACP", group=ALL_USERS), ANYONE, {Access.MANAGE}),
        (AclGrant(permission="FULL_CONTROL", group=ALL_USERS), ANYONE, {Access.LIST, Access.WRITE, Access.MANAGE}),
        (AclGrant(permission="READ", group=AUTHENTICATED_USERS), ACCOUNT, {Access.LIST}),
        (AclGrant(permission="READ", canonical_id=THEIR_CANONICAL), EXTERNAL, {Access.LIST}),
        (AclGrant(permission="READ", email="somebody@example.com"), EXTERNAL, {Access.LIST}),
        (AclGrant(permission="WRITE", group=LOG_DELIVERY), NAMED, {Access.WRITE}),
    ],
)
def test_bucket_acl(grant: AclGrant, audience: Audience, accesses: set[Access]) -> None:
    """Each permission opens its own thing; READ on a bucket is the list of names, not the objects."""
    opened = paths(acl=_acl(grant), ownership=Ownership.WRITER)

    assert {path.access for path in opened} == accesses
    assert min(widest(opened), ANYONE) is audience


def test_an_acl_is_void_under_enforced_ownership() -> None:
    """BucketOwnerEnforced switches all ACLs off."""
    assert paths(acl=_acl(AclGrant(permission="READ", group=ALL_USERS)), ownership=Ownership.ENFORCED) == ()


def test_an_ignored_acl_is_latent() -> None:
    """IgnorePublicAcls leaves the entry in place."""
    (path,) = paths(acl=_acl(AclGrant(permission="READ", group=ALL_USERS)), ownership=Ownership.WRITER, block=ALL_ON)

    assert (path.effective, path.blocked_by) == (False, "s3-ignore-public-acls")


def test_a_denial_stops_an_acl() -> None:
    """An explicit Deny in the policy wins over what the ACL allows."""
    acl = _acl(AclGrant(permission="READ", group=ALL_USERS))

    assert widest(paths(deny(), acl=acl, ownership=Ownership.WRITER)) is NOBODY


def test_a_grant_to_the_anonymous_user_is_a_grant_to_anyone() -> None:
    """Unsigned requests are that user's."""
    (path,) = paths(acl=_acl(AclGrant(permission="READ", canonical_id=ANONYMOUS)), ownership=Ownership.WRITER)

    assert (path.audience, path.effective) == (Audience.ANYONE_DISCOVERABLE, True)


def test_what_was_uploaded_unsigned_can_be_read_unsigned() -> None:
    """Its owner, with full control, is the anonymous user."""
    acl = Acl(owner=ANONYMOUS, grants=(AclGrant(permission="FULL_CONTROL", canonical_id=ANONYMOUS),))
    item = ObjectAcl(bucket="b", key="k", acl=acl)

    opened = access_paths_to_object(item, bucket(ownership=Ownership.WRITER), US, NOW)

    assert (ANYONE, Access.READ) in {(path.audience, path.access) for path in opened}


@pytest.mark.parametrize(
    "canonical_id",
    [
        "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0",
        "a52cb28745c0c06e84ec548334e44bfa7fc2a85c54af20cd59e4969344b7af56",
    ],
)
def test_log_delivery_of_cloudfront_is_not_an_external_account(canonical_id: str) -> None:
    """CloudFront adds that entry to the ACL of every bucket that it writes logs to."""
    acl = _acl(AclGrant(permission="FULL_CONTROL", canonical_id=canonical_id))
    opened = paths(acl=acl, ownership=Ownership.WRITER)

    assert {path.names for path in opened} == {("CloudFront log delivery",)}
    assert widest(opened) is NAMED
