"""Each action has AWS's own access level, and what departs from it is listed."""

import pytest

from cloudscan.facts import Access, Grant
from cloudscan_s3.access.actions import ACTIONS, EXPRESS_ACTIONS, Capability, Level
from tests.connectors.s3.buckets import OURS, THEIRS, allow, bucket, facts_of, paths
from tests.connectors.s3.service_authorization import ACTIONS_OF_BUCKETS, NOT_IN_A_BUCKET_POLICY

_ACCESS = {
    Level.LIST: Access.LIST,
    Level.READ: Access.READ,
    Level.WRITE: Access.WRITE,
    Level.TAGGING: Access.WRITE,
    Level.PERMISSIONS: Access.MANAGE,
}
# Data about data is less than data: policies, tags, settings, ACLs.
_ABOUT_DATA = (Capability.SETTINGS, Capability.ACL, Capability.LABELS)
EXCEPTIONS = {
    "s3:ObjectOwnerOverrideToBucketOwner": Access.WRITE,
    "s3:BypassGovernanceRetention": Access.WRITE,
    "s3:PutBucketAbac": Access.MANAGE,
    "s3express:TagResource": Access.MANAGE,
    "s3express:UntagResource": Access.MANAGE,
}


def test_no_action_is_missing() -> None:
    """Every action on buckets and objects is known, with its level; what a bucket policy cannot grant is listed."""
    known = {action.name: action.level for action in (*ACTIONS, *EXPRESS_ACTIONS)}

    assert known == {name: level for name, level in ACTIONS_OF_BUCKETS.items() if name not in NOT_IN_A_BUCKET_POLICY}


def test_access_follows_the_level() -> None:
    """An action gives what AWS's level says; five exceptions are stated with their reasons."""
    for action in (*ACTIONS, *EXPRESS_ACTIONS):
        if action.name == "s3express:CreateSession" or action.capability in _ABOUT_DATA:
            continue
        assert action.access is EXCEPTIONS.get(action.name, _ACCESS[action.level]), action.name


@pytest.mark.parametrize(
    ("action", "access", "capability"),
    [
        ("s3:TagResource", Access.WRITE, Capability.UPKEEP),
        ("s3:UntagResource", Access.WRITE, Capability.UPKEEP),
        ("s3:PutBucketTagging", Access.WRITE, Capability.UPKEEP),
        ("s3:PutMetricsConfiguration", Access.WRITE, Capability.UPKEEP),
        ("s3:ObjectOwnerOverrideToBucketOwner", Access.WRITE, Capability.WRITING),
        ("s3:BypassGovernanceRetention", Access.WRITE, Capability.WRITING),
        ("s3:PutLifecycleConfiguration", Access.WRITE, Capability.CONFIGURATION),
        ("s3:PutReplicationConfiguration", Access.WRITE, Capability.CONFIGURATION),
        ("s3:DeleteBucket", Access.WRITE, Capability.CONFIGURATION),
        ("s3:PutBucketAbac", Access.MANAGE, Capability.ACCESS_RULES),
        ("s3:PutBucketOwnershipControls", Access.MANAGE, Capability.ACCESS_RULES),
        ("s3:PutObjectVersionAcl", Access.MANAGE, Capability.ACCESS_RULES),
        ("s3:GetObjectAnnotation", Access.LIST, Capability.LABELS),
    ],
)
def test_what_one_action_gives(action: str, access: Access, capability: Capability) -> None:
    """Only what changes who has access is more than writing."""
    (path,) = paths(allow({"AWS": THEIRS}, action))

    assert (path.access, path.capability) == (access, capability)


def test_a_replica_from_outside_is_written_and_nothing_else() -> None:
    """Handing a replica to the bucket's owner changes nobody's access."""
    actions = ["ReplicateObject", "ReplicateDelete", "ReplicateTags", "ObjectOwnerOverrideToBucketOwner"]
    replicator = {"AWS": f"arn:aws:iam::{THEIRS}:role/replicator"}

    opened = paths(allow(replicator, [f"s3:{action}" for action in actions], Resource="arn:aws:s3:::b/*"))

    assert {path.access for path in opened} == {Access.WRITE}


@pytest.mark.parametrize(("abac", "access"), [(True, Access.MANAGE), (False, Access.WRITE), (None, Access.WRITE)])
def test_tags_change_access_where_they_are_access_rules(abac: bool | None, access: Access) -> None:
    """ABAC makes them so; it is off unless somebody switched it on."""
    (path,) = paths(allow({"AWS": THEIRS}, "s3:TagResource"), abac=abac)

    assert path.access is access


def test_tags_of_a_directory_bucket_are_access_rules() -> None:
    """ABAC cannot be switched off there."""
    arn = f"arn:aws:s3express:eu-west-1:{OURS}:bucket/b"

    (path,) = paths(allow({"AWS": THEIRS}, "s3express:TagResource", Resource=arn), directory=True)

    assert path.access is Access.MANAGE


def test_the_claim_says_what_changes() -> None:
    """Settings that move data, and those that do not, are told apart."""
    grants = [fact for fact in facts_of(bucket(allow(action="s3:Put*Configuration"))) if isinstance(fact, Grant)]

    assert {grant.detail["capability"] for grant in grants} >= {"configuration", "upkeep"}
