"""The rights that the S3 connector asks for, each with its reason. All of them only read.

Source: Amazon S3 API Reference and Service Authorization Reference (the right that each operation needs).
"""

import json

from cloudscan.connector import Permission

PERMISSIONS: tuple[Permission, ...] = (
    Permission(name="s3:ListAllMyBuckets", reason="to know which buckets there are"),
    Permission(name="s3:GetBucketPolicy", reason="whom a bucket's policy lets in"),
    Permission(name="s3:GetBucketAcl", reason="whom a bucket's access control list lets in"),
    Permission(name="s3:GetBucketPublicAccessBlock", reason="what a bucket blocks"),
    Permission(name="s3:GetAccountPublicAccessBlock", reason="what the account (or its organisation) blocks"),
    Permission(name="s3:GetBucketOwnershipControls", reason="whether ACLs count at all"),
    Permission(name="s3:GetBucketTagging", reason="owner and class of data of shared buckets"),
    Permission(name="s3:GetBucketWebsite", reason="whether a shared bucket is served as a website"),
    Permission(name="s3:GetBucketLogging", reason="whether a shared bucket keeps an access log"),
    Permission(name="s3:GetEncryptionConfiguration", reason="under which key a shared bucket's data lies"),
    Permission(name="s3:ListAccessPoints", reason="to know which access points there are"),
    Permission(name="s3:GetAccessPoint", reason="what an access point blocks, and which network it serves"),
    Permission(name="s3:GetAccessPointPolicy", reason="whom an access point lets in"),
    Permission(name="s3:ListMultiRegionAccessPoints", reason="to know which multi-region access points there are"),
    Permission(name="s3:GetMultiRegionAccessPoint", reason="what a multi-region access point blocks"),
    Permission(name="s3:GetMultiRegionAccessPointPolicy", reason="whom a multi-region access point lets in"),
    Permission(name="s3express:ListAllMyDirectoryBuckets", reason="to know which directory buckets there are"),
    Permission(name="s3express:GetBucketPolicy", reason="whom a directory bucket's policy lets in"),
    Permission(
        name="s3:GetInventoryConfiguration", reason="where inventory reports with object ACLs lie", optional=True
    ),
    Permission(name="s3:ListBucket", reason="names of objects whose own ACL may matter", optional=True),
    Permission(name="s3:GetObjectAcl", reason="whom an object's own ACL lets in", optional=True),
    Permission(name="s3:GetObject", reason="to read inventory reports; limit it to where they lie", optional=True),
    Permission(name="organizations:DescribeOrganization", reason="to tell our organisation from others", optional=True),
    Permission(name="organizations:ListAccounts", reason="to scan all accounts of the organisation", optional=True),
    Permission(name="sts:AssumeRole", reason="to scan other accounts of the organisation", optional=True),
)


def policy_document() -> str:
    """An identity policy with exactly these rights, ready to paste. Optional ones are a statement of their own."""
    statements = [
        {
            "Sid": sid,
            "Effect": "Allow",
            "Action": sorted(each.name for each in PERMISSIONS if each.optional is optional),
            "Resource": "*",
        }
        for sid, optional in (("CloudscanReadsSharing", False), ("CloudscanReadsMoreOnRequest", True))
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)
