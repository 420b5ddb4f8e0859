"""The settings that the S3 connector yields, on accounts, buckets and access points.

Names follow the S3 API reference: PublicAccessBlockConfiguration, ObjectOwnership, ServerSideEncryptionRule.
"""

from typing import Final

from cloudscan.connector import SettingSpec, SettingType
from cloudscan.second_opinion import AGREES, OpinionOutcome

SETTINGS: Final = (
    SettingSpec(
        name="block_public_acls",
        type=SettingType.SWITCH,
        meaning="new public ACLs are refused; on an account, a bucket or an access point",
    ),
    SettingSpec(
        name="ignore_public_acls",
        type=SettingType.SWITCH,
        meaning="public ACLs have no effect; on an account, a bucket or an access point",
    ),
    SettingSpec(
        name="block_public_policy",
        type=SettingType.SWITCH,
        meaning="new public policies are refused; on an account, a bucket or an access point",
    ),
    SettingSpec(
        name="restrict_public_buckets",
        type=SettingType.SWITCH,
        meaning="public policies admit only our account and AWS services; on an account, a bucket or an access point",
    ),
    SettingSpec(
        name="object_ownership",
        type=SettingType.CHOICE,
        choices=("enforced", "preferred", "writer"),
        meaning="who owns uploaded objects; `enforced`: the bucket owner, and ACLs are disabled",
    ),
    SettingSpec(
        name="policy_public",
        type=SettingType.SWITCH,
        meaning="the bucket policy is public by AWS's definition, whatever the blocks do",
    ),
    SettingSpec(
        name="policy_left_over",
        type=SettingType.TEXT,
        meaning="ids of deleted principals in the bucket policy, separated by commas; empty if there are none",
    ),
    SettingSpec(name="acl_public", type=SettingType.SWITCH, meaning="the bucket ACL is public, whatever the blocks do"),
    SettingSpec(name="website", type=SettingType.SWITCH, meaning="the bucket has a website endpoint"),
    SettingSpec(name="access_logging", type=SettingType.SWITCH, meaning="server access logging is on"),
    SettingSpec(
        name="default_encryption",
        type=SettingType.CHOICE,
        choices=("none", "sse-s3", "sse-kms", "dsse-kms"),
        meaning="how new objects are encrypted by default",
    ),
    SettingSpec(
        name="second_opinion",
        type=SettingType.CHOICE,
        choices=(AGREES, *OpinionOutcome),
        meaning="how IAM Access Analyzer's opinion of a bucket compares with ours; only where there is an analyzer",
    ),
    SettingSpec(
        name="second_opinion_reasons",
        type=SettingType.TEXT,
        meaning="why the opinions differ, or why that is no contradiction; codes, separated by commas",
    ),
)
"""Every name that a `Setting` of this connector can have."""
