"""What the S3 actions allow, as capabilities and as degrees of access.

Each action has the access level that AWS gives it (Service Authorization Reference, "Actions, resources, and condition
keys for Amazon S3" and "… for Amazon S3 Express"). The level alone decides neither more nor less than AWS says: *List*
and *Read* of an object's data or names, *Write* and *Tagging*, *Permissions management*. Where it misleads about who
gets in, an exception says so:

- `ObjectOwnerOverrideToBucketOwner` (permissions management) hands a replica to the bucket's owner, and
  `BypassGovernanceRetention` (permissions management) ends a retention. Neither changes anybody's access: writing.
- `PutBucketAbac` (write) turns the tags of a bucket into access rules. It changes access.
- `TagResource` and `UntagResource` (tagging) change access where tags already are access rules: in a bucket with ABAC
  on, in a directory bucket and on an access point. Everywhere else a tag is a label (User Guide, "Enabling ABAC in
  general purpose buckets"). Where ABAC could not be read it is taken to be off, which is how every bucket begins.

AWS files all settings of a bucket under *Write*. Some of them move, delete or lock the data, or send it elsewhere
(`CONFIGURATION`); the others concern cost and statistics (`UPKEEP`). Source: API Reference, the page of each operation.

| setting | what its writer can do |
| --- | --- |
| lifecycle | let objects expire, all of them, or move them to archives |
| replication | have what is written from then on copied to another bucket, by a role of the account |
| inventory, metadata tables | have names and metadata of all objects delivered to another bucket |
| notification | have the names of new objects sent to a topic, queue or function |
| logging, versioning, object lock | leave no traces; make deletions final; make new objects undeletable |
| encryption | have new objects encrypted with a key that readers cannot use |
| website, CORS | redirect visitors; let the pages of another site use a visitor's access |
| deletion of the bucket | free its name, once it is empty, for anyone else |
| metrics, analytics, tiering, acceleration, requester pays, tags | spend money, disturb statistics, delay reads |

Actions that a bucket policy cannot grant (creating buckets, account settings, jobs, access points) are not listed: a
policy that names them grants nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Final

from cloudscan.facts import Access
from cloudscan_s3.access.conditions import like
from cloudscan_s3.access.policy import Statement


class Level(StrEnum):
    """AWS's access levels. Tagging and permissions management are kinds of writing."""

    LIST = "List"
    READ = "Read"
    WRITE = "Write"
    TAGGING = "Tagging"
    PERMISSIONS = "Permissions management"


class Capability(StrEnum):
    """What an access path is good for. Two grants of the same access can open different things."""

    KEYS = "keys"  # the list of object names
    OBJECTS = "objects"  # the data itself
    WRITING = "writing"  # new, changed or deleted objects
    ACCESS_RULES = "access rules"  # who has access: policy, ACLs, blocks, ownership, tags that are access rules
    CONFIGURATION = "configuration"  # settings that move, delete or lock data, or send it elsewhere
    UPKEEP = "upkeep"  # tags, and settings that concern cost and statistics
    SETTINGS = "settings"  # how the bucket is configured
    ACL = "acl"  # which grants exist
    LABELS = "labels"  # tags, versions' attributes and other data about objects


ACCESS: Final[Mapping[Capability, Access]] = {
    Capability.KEYS: Access.LIST,
    Capability.OBJECTS: Access.READ,
    Capability.WRITING: Access.WRITE,
    Capability.ACCESS_RULES: Access.MANAGE,
    Capability.CONFIGURATION: Access.WRITE,
    Capability.UPKEEP: Access.WRITE,
    Capability.SETTINGS: Access.LIST,  # data about data
    Capability.ACL: Access.LIST,
    Capability.LABELS: Access.LIST,
}
"""The degree of access that comes with a capability."""


@dataclass(frozen=True)
class Action:
    """One S3 action on one kind of resource."""

    name: str
    capability: Capability
    level: Level
    on_objects: bool

    @cached_property
    def access(self) -> Access:
        """The degree of access."""
        return ACCESS[self.capability]

    @cached_property
    def lower(self) -> str:
        """The name in lower case."""
        return self.name.lower()


def _on_objects(capability: Capability, level: Level, names: str) -> Iterable[Action]:
    return (Action(f"s3:{name}", capability, level, on_objects=True) for name in names.split())


def _on_buckets(capability: Capability, level: Level, names: str, service: str = "s3") -> Iterable[Action]:
    return (Action(f"{service}:{name}", capability, level, on_objects=False) for name in names.split())


_TAGGING_OF_BUCKETS = "TagResource UntagResource"
ACTIONS: Final[tuple[Action, ...]] = (
    *_on_objects(Capability.OBJECTS, Level.READ, "GetObject GetObjectVersion GetObjectTorrent GetObjectVersionTorrent"),
    *_on_buckets(Capability.KEYS, Level.LIST, "ListBucket ListBucketVersions ListBucketMultipartUploads"),
    *_on_objects(
        Capability.WRITING,
        Level.WRITE,
        "PutObject DeleteObject DeleteObjectVersion RestoreObject AbortMultipartUpload ReplicateObject ReplicateDelete "
        "PutObjectRetention PutObjectLegalHold UpdateObjectEncryption InitiateReplication",
    ),
    *_on_objects(Capability.WRITING, Level.PERMISSIONS, "BypassGovernanceRetention ObjectOwnerOverrideToBucketOwner"),
    *_on_buckets(
        Capability.ACCESS_RULES,
        Level.PERMISSIONS,
        "PutBucketPolicy DeleteBucketPolicy PutBucketAcl PutBucketPublicAccessBlock PutBucketOwnershipControls",
    ),
    *_on_objects(Capability.ACCESS_RULES, Level.PERMISSIONS, "PutObjectAcl PutObjectVersionAcl"),
    *_on_buckets(Capability.ACCESS_RULES, Level.WRITE, "PutBucketAbac"),
    *_on_buckets(
        Capability.CONFIGURATION,
        Level.WRITE,
        "PutLifecycleConfiguration PutReplicationConfiguration PauseReplication PutInventoryConfiguration "
        "PutBucketNotification PutBucketLogging PutBucketVersioning PutBucketObjectLockConfiguration "
        "PutEncryptionConfiguration PutBucketWebsite DeleteBucketWebsite PutBucketCORS DeleteBucket "
        "CreateBucketMetadataTableConfiguration DeleteBucketMetadataTableConfiguration "
        "UpdateBucketMetadataInventoryTableConfiguration UpdateBucketMetadataJournalTableConfiguration "
        "UpdateBucketMetadataAnnotationTableConfiguration",
    ),
    *_on_buckets(
        Capability.UPKEEP,
        Level.WRITE,
        "PutMetricsConfiguration PutAnalyticsConfiguration PutIntelligentTieringConfiguration "
        "PutAccelerateConfiguration PutBucketRequestPayment",
    ),
    *_on_buckets(Capability.UPKEEP, Level.TAGGING, f"PutBucketTagging {_TAGGING_OF_BUCKETS}"),
    *_on_objects(
        Capability.UPKEEP,
        Level.TAGGING,
        "PutObjectTagging PutObjectVersionTagging DeleteObjectTagging DeleteObjectVersionTagging ReplicateTags",
    ),
    *_on_objects(
        Capability.UPKEEP,
        Level.WRITE,
        "PutObjectAnnotation PutObjectVersionAnnotation DeleteObjectAnnotation DeleteObjectVersionAnnotation "
        "ReplicateObjectAnnotation",
    ),
    *_on_buckets(
        Capability.SETTINGS,
        Level.READ,
        "GetBucketLocation GetBucketPolicy GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketVersioning "
        "GetBucketWebsite GetBucketLogging GetBucketTagging GetBucketCORS GetBucketNotification "
        "GetBucketOwnershipControls GetBucketObjectLockConfiguration GetBucketRequestPayment "
        "GetEncryptionConfiguration GetLifecycleConfiguration GetReplicationConfiguration GetInventoryConfiguration "
        "GetAccelerateConfiguration GetAnalyticsConfiguration GetMetricsConfiguration "
        "GetIntelligentTieringConfiguration GetBucketMetadataTableConfiguration GetBucketAbac",
    ),
    *_on_buckets(Capability.SETTINGS, Level.LIST, "ListTagsForResource"),
    *_on_buckets(Capability.ACL, Level.READ, "GetBucketAcl"),
    *_on_objects(Capability.ACL, Level.READ, "GetObjectAcl GetObjectVersionAcl"),
    *_on_objects(
        Capability.LABELS,
        Level.READ,
        "GetObjectAttributes GetObjectVersionAttributes GetObjectTagging GetObjectVersionTagging GetObjectRetention "
        "GetObjectLegalHold GetObjectAnnotation GetObjectVersionAnnotation GetObjectVersionForReplication "
        "GetObjectVersionAnnotationForReplication",
    ),
    *_on_objects(
        Capability.LABELS, Level.LIST, "ListMultipartUploadParts ListObjectAnnotations ListObjectVersionAnnotations"
    ),
)
_TAGS_AS_ACCESS_RULES = {
    action.name: action for action in _on_buckets(Capability.ACCESS_RULES, Level.TAGGING, _TAGGING_OF_BUCKETS)
}
ACTIONS_WITH_ABAC: Final[tuple[Action, ...]] = tuple(
    _TAGS_AS_ACCESS_RULES.get(action.name, action) for action in ACTIONS
)
"""The same for a bucket in which tags are access rules."""

# The calls that list keys: only they carry s3:prefix and its like.
LISTINGS = frozenset(("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"))

# A directory bucket has one action for all data calls, and its tags are access rules without further ado (User Guide,
# "Using tags with S3 directory buckets").
EXPRESS_ACTIONS: Final[tuple[Action, ...]] = (
    *(
        Action("s3express:CreateSession", capability, Level.WRITE, on_objects=False)
        for capability in (Capability.OBJECTS, Capability.KEYS, Capability.WRITING)
    ),
    *_on_buckets(Capability.ACCESS_RULES, Level.PERMISSIONS, "PutBucketPolicy DeleteBucketPolicy", "s3express"),
    *_on_buckets(Capability.ACCESS_RULES, Level.TAGGING, _TAGGING_OF_BUCKETS, "s3express"),
    *_on_buckets(
        Capability.CONFIGURATION,
        Level.WRITE,
        "DeleteBucket PutEncryptionConfiguration PutLifecycleConfiguration PutInventoryConfiguration",
        "s3express",
    ),
    *_on_buckets(Capability.UPKEEP, Level.WRITE, "PutMetricsConfiguration", "s3express"),
    *_on_buckets(
        Capability.SETTINGS,
        Level.READ,
        "GetBucketPolicy GetEncryptionConfiguration GetLifecycleConfiguration GetInventoryConfiguration "
        "GetMetricsConfiguration",
        "s3express",
    ),
    *_on_buckets(Capability.SETTINGS, Level.LIST, "ListTagsForResource", "s3express"),
)


def actions_on(*, directory: bool, abac: bool | None) -> tuple[Action, ...]:
    """The actions that the policy of a bucket can grant. `abac`: whether tags are access rules; None: not known."""
    if directory:
        return EXPRESS_ACTIONS
    return ACTIONS_WITH_ABAC if abac else ACTIONS


def names_action(statement: Statement, action: Action) -> bool:
    """Does the Action (or NotAction) element of a statement name an action? Case does not matter."""
    return _names(statement.actions, statement.not_action, action)


@lru_cache(maxsize=8192)
def _names(patterns: tuple[str, ...], negated: bool, action: Action) -> bool:
    return any(like(pattern.lower(), action.lower) for pattern in patterns) != negated
