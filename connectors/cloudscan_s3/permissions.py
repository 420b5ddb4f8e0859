"""The permissions that the S3 connector asks for, each with its reason. All of them only read.

iam:GenerateCredentialReport too: it has IAM write down what is there, and is in AWS's own ReadOnlyAccess.

Source: Amazon S3 API Reference and Service Authorization Reference (the permission that each operation needs).
"""

import json

from cloudscan.connector import Permission
from cloudscan.sentence import say

PERMISSIONS: tuple[Permission, ...] = (
    Permission(name="s3:ListAllMyBuckets", reason=say("to list the buckets")),
    Permission(name="s3:GetBucketPolicy", reason=say("who has access through a bucket's policy")),
    Permission(name="s3:GetBucketAcl", reason=say("who has access through a bucket's access control list")),
    Permission(name="s3:GetBucketPublicAccessBlock", reason=say("what a bucket blocks")),
    Permission(name="s3:GetAccountPublicAccessBlock", reason=say("what the account (or its organisation) blocks")),
    Permission(name="s3:GetBucketOwnershipControls", reason=say("whether ACLs are in force at all")),
    Permission(name="s3:GetBucketTagging", reason=say("owner and data classification of shared buckets, ranks by tag")),
    Permission(
        name="s3:GetBucketAbac", reason=say("whether a bucket's tags control access, where a policy depends on them")
    ),
    Permission(name="s3:ListTagsForResource", reason=say("an access point's tags, where a policy depends on them")),
    Permission(name="s3:GetBucketWebsite", reason=say("whether a shared bucket is served as a website")),
    Permission(name="s3:GetBucketLogging", reason=say("whether a shared bucket writes an access log")),
    Permission(name="s3:GetEncryptionConfiguration", reason=say("which key encrypts a shared bucket's data")),
    Permission(name="s3:ListAccessPoints", reason=say("to list the access points")),
    Permission(name="s3:GetAccessPoint", reason=say("what an access point blocks, and which network it serves")),
    Permission(name="s3:GetAccessPointPolicy", reason=say("who has access through an access point")),
    Permission(name="s3:ListMultiRegionAccessPoints", reason=say("to list the multi-region access points")),
    Permission(name="s3:GetMultiRegionAccessPoint", reason=say("what a multi-region access point blocks")),
    Permission(
        name="s3:GetMultiRegionAccessPointPolicy", reason=say("who has access through a multi-region access point")
    ),
    Permission(name="s3express:ListAllMyDirectoryBuckets", reason=say("to list the directory buckets")),
    Permission(name="s3express:GetBucketPolicy", reason=say("who has access through a directory bucket's policy")),
    Permission(
        name="s3express:ListTagsForResource", reason=say("a directory bucket's tags, where a policy depends on them")
    ),
    Permission(
        name="s3express:ListAccessPointsForDirectoryBuckets", reason=say("to list directory buckets' access points")
    ),
    Permission(name="s3express:GetAccessPoint", reason=say("which network such an access point serves")),
    Permission(name="s3express:GetAccessPointPolicy", reason=say("who has access through such an access point")),
    Permission(name="s3:ListAccessGrants", reason=say("who has access through S3 Access Grants")),
    Permission(
        name="s3:GetAccessGrantsInstanceResourcePolicy",
        reason=say("whether other accounts may use their access grants"),
    ),
    Permission(name="s3:GetReplicationConfiguration", reason=say("to which accounts a bucket's objects are copied")),
    Permission(
        name="s3:GetInventoryConfiguration",
        reason=say("to which accounts inventory reports are delivered, and where those with object ACLs are stored"),
    ),
    Permission(
        name="iam:ListRoles",
        reason=say("whether S3 may assume any role to replicate; without it every bucket is asked"),
        optional=True,
    ),
    Permission(
        name="iam:GetAccountAuthorizationDetails",
        reason=say("IAM users with their tags, to tell whose they are; the only list that has the tags"),
        optional=True,
    ),
    Permission(
        name="iam:GenerateCredentialReport",
        reason=say("to have IAM write the report on its users' passwords and keys"),
        optional=True,
    ),
    Permission(
        name="iam:GetCredentialReport",
        reason=say("which IAM users can sign in or have keys, and when they last used them"),
        optional=True,
    ),
    Permission(name="sso:ListInstances", reason=say("to find the IAM Identity Center"), optional=True),
    Permission(
        name="identitystore:ListUsers",
        reason=say("users of the IAM Identity Center: whose accounts they are, who is disabled"),
        optional=True,
    ),
    Permission(
        name="account:ListRegions",
        reason=say("which Regions are enabled; without it those that always are and those with buckets are asked"),
        optional=True,
    ),
    Permission(
        name="cloudwatch:ListMetrics",
        reason=say("which buckets, and kinds of storage in them, S3 reports a size of"),
        optional=True,
    ),
    Permission(
        name="cloudwatch:GetMetricData",
        reason=say("how many objects and bytes are in a bucket, to sort findings by how much is exposed"),
        optional=True,
    ),
    Permission(
        name="cloudtrail:LookupEvents",
        reason=say("what has changed since the last scan; without it every scan asks for everything"),
        optional=True,
    ),
    Permission(
        name="access-analyzer:ListAnalyzers",
        reason=say("whether IAM Access Analyzer gives a second opinion on who has access"),
        optional=True,
    ),
    Permission(
        name="access-analyzer:ListFindings",
        reason=say("what IAM Access Analyzer says of the buckets, to compare"),
        optional=True,
    ),
    Permission(
        name="s3:ListAccessPointsForObjectLambda", reason=say("to count Object Lambda access points"), optional=True
    ),
    Permission(name="s3tables:ListTableBuckets", reason=say("to count table buckets"), optional=True),
    Permission(name="s3vectors:ListVectorBuckets", reason=say("to count vector buckets"), optional=True),
    Permission(name="s3-outposts:ListOutpostsWithS3", reason=say("to count Outposts with S3"), optional=True),
    Permission(name="s3:ListBucket", reason=say("names of objects whose own ACL may matter"), optional=True),
    Permission(name="s3:GetObjectAcl", reason=say("who has access through an object's own ACL"), optional=True),
    Permission(
        name="s3:GetObject",
        reason=say("to read inventory reports; limit it to the buckets that contain them"),
        optional=True,
    ),
    Permission(
        name="organizations:DescribeOrganization", reason=say("to tell our organisation from others"), optional=True
    ),
    Permission(
        name="organizations:ListAccounts", reason=say("to scan all accounts of the organisation"), optional=True
    ),
    Permission(
        name="organizations:ListPolicies",
        reason=say("which resource control policies there are; in the management account or one that it delegates to"),
        optional=True,
    ),
    Permission(name="organizations:DescribePolicy", reason=say("what a resource control policy denies"), optional=True),
    Permission(
        name="organizations:ListTargetsForPolicy",
        reason=say("where a resource control policy is in force"),
        optional=True,
    ),
    Permission(
        name="organizations:ListParents",
        reason=say("which organisational units, with their policies, an account is in"),
        optional=True,
    ),
    Permission(
        name="organizations:DescribeEffectivePolicy",
        reason=say("what the organisation blocks in all accounts, where an account's own block cannot be read"),
        optional=True,
    ),
    Permission(
        name="config:SelectAggregateResourceConfig",
        reason=say("which buckets AWS Config has recorded, where config_aggregator is set"),
        optional=True,
    ),
    Permission(
        name="config:BatchGetAggregateResourceConfig",
        reason=say("what AWS Config has recorded of buckets and accounts, in place of a request for each"),
        optional=True,
    ),
    Permission(
        name="config:DescribeConfigurationAggregatorSourcesStatus",
        reason=say("how fresh the aggregator's copies are"),
        optional=True,
    ),
    Permission(name="sts:AssumeRole", reason=say("to scan other accounts of the organisation"), optional=True),
)


def policy_document() -> str:
    """An identity policy with exactly these permissions, as JSON. The optional ones are a statement of their own."""
    statements = [
        {
            "Sid": sid,
            "Effect": "Allow",
            "Action": sorted(permission.name for permission in PERMISSIONS if permission.optional is optional),
            "Resource": "*",
        }
        for sid, optional in (("CloudscanReadsSharing", False), ("CloudscanReadsMoreOnRequest", True))
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)
