"""AWS's own table of actions on buckets and objects: the Service Authorization Reference of September 2026.

Source: "Actions, resources, and condition keys for Amazon S3" and "… for Amazon S3 Express". Tagging and permissions
management are written there as "Tagging, Write" and "Permissions management, Write".
"""

from cloudscan_s3.access.actions import Level

_BY_LEVEL = {
    ("s3", Level.LIST): """
        ListBucket ListBucketMultipartUploads ListBucketVersions ListMultipartUploadParts ListObjectAnnotations
        ListObjectVersionAnnotations ListTagsForResource
    """,
    ("s3", Level.READ): """
        AllowVendedLogDeliveryForResource GetAccelerateConfiguration GetAnalyticsConfiguration GetBucketAbac
        GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging GetBucketMetadataTableConfiguration
        GetBucketNotification GetBucketObjectLockConfiguration GetBucketOwnershipControls GetBucketPolicy
        GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging GetBucketVersioning
        GetBucketWebsite GetEncryptionConfiguration GetIntelligentTieringConfiguration GetInventoryConfiguration
        GetLifecycleConfiguration GetMetricsConfiguration GetObject GetObjectAcl GetObjectAnnotation
        GetObjectAttributes GetObjectLegalHold GetObjectRetention GetObjectTagging GetObjectTorrent GetObjectVersion
        GetObjectVersionAcl GetObjectVersionAnnotation GetObjectVersionAnnotationForReplication
        GetObjectVersionAttributes GetObjectVersionForReplication GetObjectVersionTagging GetObjectVersionTorrent
        GetReplicationConfiguration
    """,
    ("s3", Level.WRITE): """
        AbortMultipartUpload CreateBucket CreateBucketMetadataTableConfiguration DeleteBucket
        DeleteBucketMetadataTableConfiguration DeleteBucketWebsite DeleteObject DeleteObjectAnnotation
        DeleteObjectVersion DeleteObjectVersionAnnotation InitiateReplication PauseReplication
        PutAccelerateConfiguration PutAnalyticsConfiguration PutBucketAbac PutBucketCORS PutBucketLogging
        PutBucketNotification PutBucketObjectLockConfiguration PutBucketRequestPayment PutBucketVersioning
        PutBucketWebsite PutEncryptionConfiguration PutIntelligentTieringConfiguration PutInventoryConfiguration
        PutLifecycleConfiguration PutMetricsConfiguration PutObject PutObjectAnnotation PutObjectLegalHold
        PutObjectRetention PutObjectVersionAnnotation PutReplicationConfiguration ReplicateDelete ReplicateObject
        ReplicateObjectAnnotation RestoreObject UpdateBucketMetadataAnnotationTableConfiguration
        UpdateBucketMetadataInventoryTableConfiguration UpdateBucketMetadataJournalTableConfiguration
        UpdateObjectEncryption
    """,
    ("s3", Level.TAGGING): """
        DeleteObjectTagging DeleteObjectVersionTagging PutBucketTagging PutObjectTagging PutObjectVersionTagging
        ReplicateTags TagResource UntagResource
    """,
    ("s3", Level.PERMISSIONS): """
        BypassGovernanceRetention DeleteBucketPolicy ObjectOwnerOverrideToBucketOwner PutBucketAcl
        PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutObjectAcl PutObjectVersionAcl
    """,
    ("s3express", Level.LIST): """
        ListTagsForResource
    """,
    ("s3express", Level.READ): """
        GetBucketPolicy GetEncryptionConfiguration GetInventoryConfiguration GetLifecycleConfiguration
        GetMetricsConfiguration
    """,
    ("s3express", Level.WRITE): """
        CreateBucket CreateSession DeleteBucket PutEncryptionConfiguration PutInventoryConfiguration
        PutLifecycleConfiguration PutMetricsConfiguration
    """,
    ("s3express", Level.TAGGING): """
        TagResource UntagResource
    """,
    ("s3express", Level.PERMISSIONS): """
        DeleteBucketPolicy PutBucketPolicy
    """,
}
ACTIONS_OF_BUCKETS = {
    f"{service}:{name}": level for (service, level), names in _BY_LEVEL.items() for name in names.split()
}
"""Every action whose resource may be a bucket or an object, with its level."""
NOT_IN_A_BUCKET_POLICY = frozenset(
    (
        "s3:CreateBucket",  # there is no bucket yet
        "s3express:CreateBucket",
        "s3:AllowVendedLogDeliveryForResource",  # asked of the principal that sets up logs about a bucket
    )
)
"""Those that only an identity's own policy can grant."""
