"""Which requests belong to which question of a scan, so that a fault can be planted by the question's name.

Keys are the names that the S3 connector declares; values are regular expressions, searched for in ``METHOD path?query``
(for AWS STS and AWS Organizations with the operation behind it). Buckets are addressed by path.
"""

from collections.abc import Mapping
from typing import Final

_BUCKET: Final = r"^GET /(?![^/?]*--x-s3)[^/?]+"
_CONTROL: Final = r"^GET /v20180820"

PATTERNS: Final[Mapping[str, str]] = {
    "s3-caller": r"^POST .*GetCallerIdentity",
    "s3-organisation": r"^POST .*DescribeOrganization",
    "s3-accounts": r"^POST .*ListAccounts",
    "s3-control-policies": r"^POST .*ListPolicies\b",
    "s3-control-policy": r"^POST .*DescribePolicy\b",
    "s3-control-policy-targets": r"^POST .*ListTargetsForPolicy\b",
    "s3-account-parents": r"^POST .*ListParents\b",
    "s3-role": r"^POST .*AssumeRole",
    "s3-account-block": rf"{_CONTROL}/configuration/publicAccessBlock",
    "s3-organisation-block": r"^POST .*DescribeEffectivePolicy\b",
    "s3-buckets": r"^GET /\?.*max-buckets=",
    "s3-bucket-exists": r"^HEAD /[^/?]+$",
    "s3-directory-buckets": r"^GET /(\?continuation-token=[^&]*)?$",
    "s3-access-points": rf"{_CONTROL}/accesspoint(\?|$)",
    "s3-multi-region-access-points": rf"{_CONTROL}/mrap/instances(\?|$)",
    "s3-access-point": rf"{_CONTROL}/accesspoint/(?![^/?]+--xa-s3)[^/?]+$",
    "s3-access-point-policy": rf"{_CONTROL}/accesspoint/(?![^/?]+--xa-s3)[^/?]+/policy$",
    "s3-multi-region-access-point": rf"{_CONTROL}/mrap/instances/[^/?]+$",
    "s3-multi-region-access-point-policy": rf"{_CONTROL}/mrap/instances/[^/?]+/policy$",
    "s3-bucket-policy": rf"{_BUCKET}\?policy$",
    "s3-directory-bucket-policy": r"^GET /[^/?]+--x-s3\?policy$",
    "s3-bucket-acl": rf"{_BUCKET}\?acl$",
    "s3-bucket-block": rf"{_BUCKET}\?publicAccessBlock$",
    "s3-ownership": rf"{_BUCKET}\?ownershipControls$",
    "s3-tags": rf"{_BUCKET}\?tagging$",
    "s3-bucket-abac": rf"{_BUCKET}\?abac$",
    "s3-access-point-tags": rf"{_CONTROL}/tags/arn.*accesspoint",
    "s3-directory-bucket-tags": rf"{_CONTROL}/tags/arn.*s3express",
    "s3-website": rf"{_BUCKET}\?website$",
    "s3-access-log": rf"{_BUCKET}\?logging$",
    "s3-encryption": rf"{_BUCKET}\?encryption$",
    "s3-inventory": rf"{_BUCKET}\?(.*&)?inventory(&|$)",
    "s3-inventory-reports": rf"{_BUCKET}\?(?=.*list-type=2)(?=.*delimiter=)",
    "s3-inventory-report": rf"{_BUCKET}/.+(/manifest\.(json|checksum)|/data/[^/]+)$",
    "s3-objects": rf"{_BUCKET}\?(?=.*list-type=2)(?!.*delimiter=)",
    "s3-object-acl": rf"{_BUCKET}/.+\?acl$",
    "s3-regions": r"^POST /listRegions",
    "s3-directory-access-points": rf"{_CONTROL}/accesspointfordirectory(\?|$)",
    "s3-directory-access-point": rf"{_CONTROL}/accesspoint/[^/?]+--xa-s3$",
    "s3-directory-access-point-policy": rf"{_CONTROL}/accesspoint/[^/?]+--xa-s3/policy$",
    "s3-access-grants": rf"{_CONTROL}/accessgrantsinstance/grants(\?|$)",
    "s3-access-grants-policy": rf"{_CONTROL}/accessgrantsinstance/resourcepolicy$",
    "s3-object-lambda": rf"{_CONTROL}/accesspointforobjectlambda(\?|$)",
    "s3-table-buckets": r"^GET /buckets(\?|$)",
    "s3-vector-buckets": r"^POST /ListVectorBuckets",
    "s3-outposts": r"^GET /S3Outposts/ListOutpostsWithS3(\?|$)",
    "s3-roles": r"^POST .*ListRoles",
    "s3-iam-users": r"^POST .*GetAccountAuthorizationDetails\b",
    "s3-credential-report-begun": r"^POST .*GenerateCredentialReport\b",
    "s3-credential-report": r"^POST .*GetCredentialReport\b",
    "s3-identity-centers": r"^POST .*ListInstances\b",
    "s3-identity-center-users": r"^POST .*ListUsers\b",
    "s3-replication": rf"{_BUCKET}\?replication$",
    "s3-config-resources": r"^POST .*SelectAggregateResourceConfig\b",
    "s3-config-items": r"^POST .*BatchGetAggregateResourceConfig\b",
    "s3-config-sources": r"^POST .*DescribeConfigurationAggregatorSourcesStatus\b",
    "s3-config-folders": rf"{_BUCKET}\?(?=.*list-type=2)(?=.*delimiter=)(?=.*prefix=[^&]*AWSLogs)",
    "s3-config-files": rf"{_BUCKET}\?(?=.*list-type=2)(?!.*delimiter=)(?=.*prefix=[^&]*ConfigSnapshot)",
    "s3-config-file": rf"{_BUCKET}/.+_ConfigSnapshot_[^/]+$",
    "s3-storage-metrics": r"^POST .*ListMetrics\b",
    "s3-storage": r"^POST .*GetMetricData\b",
    "s3-event-history": r"^POST .*LookupEvents\b",
    "s3-analyzers": r"^GET /analyzer(\?|$)",
    "s3-analyzer-findings": r"^POST /finding$",
}
"""By question: what finds its requests."""
