"""The permissions that the S3 connector asks for, each with its reason. All of them only read.

Source: Amazon S3 API Reference and Service Authorization Reference (the permission that each operation needs).
"""

import json

from cloudscan.connector import Permission

PERMISSIONS: tuple[Permission, ...] = (
    Permission(name="s3:ListAllMyBuckets", reason="to list the buckets"),
    Permission(name="s3:GetBucketPolicy", reason="who has access through a bucket's policy"),
    Permission(name="s3:GetBucketAcl", reason="who has access through a bucket's access control list"),
    Permission(name="s3:GetBucketPublicAccessBlock", reason="what a bucket blocks"),
    Permission(name="s3:GetAccountPublicAccessBlock", reason="what the account (or its organisation) blocks"),
    Permission(name="s3:GetBucketOwnershipControls", reason="whether ACLs are in force at all"),
    Permission(name="s3:GetBucketTagging", reason="owner and data classification of shared buckets"),
    Permission(
        name="s3:GetBucketAbac", reason="whether a bucket's tags control access, where a policy depends on them"
    ),
    Permission(name="s3:ListTagsForResource", reason="an access point's tags, where a policy depends on them"),
    Permission(name="s3:GetBucketWebsite", reason="whether a shared bucket is served as a website"),
    Permission(name="s3:GetBucketLogging", reason="whether a shared bucket writes an access log"),
    Permission(name="s3:GetEncryptionConfiguration", reason="which key encrypts a shared bucket's data"),
    Permission(name="s3:ListAccessPoints", reason="to list the access points"),
    Permission(name="s3:GetAccessPoint", reason="what an access point blocks, and which network it serves"),
    Permission(name="s3:GetAccessPointPolicy", reason="who has access through an access point"),
    Permission(name="s3:ListMultiRegionAccessPoints", reason="to list the multi-region access points"),
    Permission(name="s3:GetMultiRegionAccessPoint", reason="what a multi-region access point blocks"),
    Permission(name="s3:GetMultiRegionAccessPointPolicy", reason="who has access through a multi-region access point"),
    Permission(name="s3express:ListAllMyDirectoryBuckets", reason="to list the directory buckets"),
    Permission(name="s3express:GetBucketPolicy", reason="who has access through a directory bucket's policy"),
    Permission(
        name="s3express:ListTagsForResource", reason="a directory bucket's tags, where a policy depends on them"
    ),
    Permission(name="s3express:ListAccessPointsForDirectoryBuckets", reason="to list directory buckets' access points"),
    Permission(name="s3express:GetAccessPoint", reason="which network such an access point serves"),
    Permission(name="s3express:GetAccessPointPolicy", reason="who has access through such an access point"),
    Permission(name="s3:ListAccessGrants", reason="who has access through S3 Access Grants"),
    Permission(
        name="s3:GetAccessGrantsInstanceResourcePolicy",
        reason="whether other accounts may use their access grants",
    ),
    Permission(name="s3:GetReplicationConfiguration", reason="to which accounts a bucket's objects are copied"),
    Permission(
        name="s3:GetInventoryConfiguration",
        reason="to which accounts inventory reports are delivered, and where those with object ACLs are stored",
    ),
    Permission(
        name="iam:ListRoles",
        reason="whether S3 may assume any role to replicate; without it every bucket is asked",
        optional=True,
    ),
    Permission(
        name="account:ListRegions",
        reason="which Regions are enabled; without it those that always are and those with buckets are asked",
        optional=True,
    ),
    Permission(name="s3:ListAccessPointsForObjectLambda", reason="to count Object Lambda access points", optional=True),
    Permission(name="s3tables:ListTableBuckets", reason="to count table buckets", optional=True),
    Permission(name="s3vectors:ListVectorBuckets", reason="to count vector buckets", optional=True),
    Permission(name="s3-outposts:ListOutpostsWithS3", reason="to count Outposts with S3", optional=True),
    Permission(name="s3:ListBucket", reason="names of objects whose own ACL may matter", optional=True),
    Permission(name="s3:GetObjectAcl", reason="who has access through an object's own ACL", optional=True),
    Permission(
        name="s3:GetObject",
        reason="to read inventory reports; limit it to the buckets that contain them",
        optional=True,
    ),
    Permission(name="organizations:DescribeOrganization", reason="to tell our organisation from others", optional=True),
    Permission(name="organizations:ListAccounts", reason="to scan all accounts of the organisation", optional=True),
    Permission(
        name="organizations:ListPolicies",
        reason="which resource control policies there are; in the management account or one that it delegates to",
        optional=True,
    ),
    Permission(name="organizations:DescribePolicy", reason="what a resource control policy denies", optional=True),
    Permission(
        name="organizations:ListTargetsForPolicy",
        reason="where a resource control policy is in force",
        optional=True,
    ),
    Permission(
        name="organizations:ListParents",
        reason="which organisational units, with their policies, an account is in",
        optional=True,
    ),
    Permission(name="sts:AssumeRole", reason="to scan other accounts of the organisation", optional=True),
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
