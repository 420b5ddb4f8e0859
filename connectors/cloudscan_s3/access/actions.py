"""What the S3 actions allow, as capabilities and as degrees of access.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3". Actions that only
an identity policy can grant (creating buckets, account settings, jobs) are not listed: a bucket policy that names
them grants nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache

from cloudscan.facts import Access
from cloudscan_s3.access.conditions import like
from cloudscan_s3.access.policy import Statement


class Capability(StrEnum):
    """What an access path is good for. Two grants of the same access can open different things."""

    KEYS = "keys"  # the list of object names
    OBJECTS = "objects"  # the data itself
    WRITING = "writing"  # new, changed or deleted objects
    ACCESS_RULES = "access rules"  # policy, ACLs, blocks, ownership, the bucket itself
    SETTINGS = "settings"  # how the bucket is configured
    ACL = "acl"  # which grants exist
    LABELS = "labels"  # tags, versions' attributes and other data about objects


@dataclass(frozen=True)
class Action:
    """One S3 action on one kind of resource."""

    name: str
    capability: Capability
    access: Access
    on_objects: bool

    @cached_property
    def lower(self) -> str:
        """The name in lower case."""
        return self.name.lower()


def _actions(capability: Capability, access: Access, on_objects: bool, names: str) -> Iterable[Action]:
    return (Action(f"s3:{name}", capability, access, on_objects) for name in names.split())


ACTIONS: tuple[Action, ...] = (
    *_actions(
        Capability.OBJECTS, Access.READ, True, "GetObject GetObjectVersion GetObjectTorrent GetObjectVersionTorrent"
    ),
    *_actions(Capability.KEYS, Access.LIST, False, "ListBucket ListBucketVersions ListBucketMultipartUploads"),
    *_actions(
        Capability.WRITING,
        Access.WRITE,
        True,
        "PutObject DeleteObject DeleteObjectVersion RestoreObject AbortMultipartUpload ReplicateObject ReplicateDelete "
        "PutObjectTagging PutObjectVersionTagging DeleteObjectTagging DeleteObjectVersionTagging PutObjectRetention "
        "PutObjectLegalHold BypassGovernanceRetention UpdateObjectEncryption ReplicateTags",
    ),
    *_actions(
        Capability.ACCESS_RULES,
        Access.MANAGE,
        False,
        "PutBucketPolicy DeleteBucketPolicy PutBucketAcl PutBucketPublicAccessBlock PutBucketOwnershipControls "
        "DeleteBucket PutLifecycleConfiguration PutReplicationConfiguration PutBucketWebsite DeleteBucketWebsite "
        "PutEncryptionConfiguration PutBucketVersioning PutBucketLogging PutBucketNotification PutBucketCORS "
        "PutBucketTagging PutInventoryConfiguration PutBucketObjectLockConfiguration PutAccelerateConfiguration "
        "PutAnalyticsConfiguration PutMetricsConfiguration PutIntelligentTieringConfiguration "
        "PutBucketRequestPayment TagResource UntagResource PutBucketAbac InitiateReplication "
        "CreateBucketMetadataTableConfiguration DeleteBucketMetadataTableConfiguration "
        "UpdateBucketMetadataInventoryTableConfiguration UpdateBucketMetadataJournalTableConfiguration",
    ),
    *_actions(
        Capability.ACCESS_RULES,
        Access.MANAGE,
        True,
        "PutObjectAcl PutObjectVersionAcl ObjectOwnerOverrideToBucketOwner",
    ),
    *_actions(
        Capability.SETTINGS,
        Access.LIST,
        False,
        "GetBucketLocation GetBucketPolicy GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketVersioning "
        "GetBucketWebsite GetBucketLogging GetBucketTagging GetBucketCORS GetBucketNotification "
        "GetBucketOwnershipControls GetBucketObjectLockConfiguration GetBucketRequestPayment "
        "GetEncryptionConfiguration GetLifecycleConfiguration GetReplicationConfiguration GetInventoryConfiguration "
        "GetAccelerateConfiguration GetAnalyticsConfiguration GetMetricsConfiguration "
        "GetIntelligentTieringConfiguration ListTagsForResource GetBucketMetadataTableConfiguration GetBucketAbac",
    ),
    *_actions(Capability.ACL, Access.LIST, False, "GetBucketAcl"),
    *_actions(Capability.ACL, Access.LIST, True, "GetObjectAcl GetObjectVersionAcl"),
    *_actions(
        Capability.LABELS,
        Access.LIST,
        True,
        "GetObjectAttributes GetObjectVersionAttributes GetObjectTagging GetObjectVersionTagging GetObjectRetention "
        "GetObjectLegalHold ListMultipartUploadParts GetObjectVersionForReplication",
    ),
)

# The calls that list keys: only they carry s3:prefix and its like.
LISTINGS = frozenset(("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"))

# A directory bucket has one action for all data calls (Service Authorization Reference, "S3 Express").
EXPRESS_ACTIONS: tuple[Action, ...] = (
    Action("s3express:CreateSession", Capability.OBJECTS, Access.READ, False),
    Action("s3express:CreateSession", Capability.KEYS, Access.LIST, False),
    Action("s3express:CreateSession", Capability.WRITING, Access.WRITE, False),
    *(
        Action(f"s3express:{name}", Capability.ACCESS_RULES, Access.MANAGE, False)
        for name in ("PutBucketPolicy", "DeleteBucketPolicy", "DeleteBucket", "PutEncryptionConfiguration")
    ),
    *(
        Action(f"s3express:{name}", Capability.SETTINGS, Access.LIST, False)
        for name in ("GetBucketPolicy", "GetEncryptionConfiguration", "GetLifecycleConfiguration")
    ),
)


def names_action(statement: Statement, action: Action) -> bool:
    """Does the Action (or NotAction) element of a statement name an action? Case does not matter."""
    return _names(statement.actions, statement.not_action, action)


@lru_cache(maxsize=8192)
def _names(patterns: tuple[str, ...], negated: bool, action: Action) -> bool:
    return any(like(pattern.lower(), action.lower) for pattern in patterns) != negated
