"""Everything that the S3 connector asks AWS: with which permission, and what is unknown without the answer.

Names of operations are boto3's; the permissions follow the Service Authorization Reference. `member` is what AWS writes
into every answer of the operation, even where there is nothing (Amazon S3 API Reference, and the API references of
AWS Organizations, AWS STS, IAM and the IAM Identity Center).
"""

from dataclasses import dataclass
from typing import Final

from cloudscan.connector import Question
from cloudscan.facts import (
    ACCESS_KEYS,
    EMPLOYEE_NUMBER,
    EVERYTHING,
    KEYS_LAST_USED_ON,
    OBJECTS_INSIDE,
    SIGN_IN,
    Hidden,
)


@dataclass(frozen=True, kw_only=True)
class AwsQuestion(Question):
    """A question with the operation that asks it."""

    service: str = "s3"  # as boto3 calls it
    operation: str
    entries: str = ""  # the member that holds a list's entries, where it is left out of an empty answer
    is_logged: bool = False  # each change of its answer is an event in CloudTrail's event history

    @property
    def list_member(self) -> str:
        """The member that holds a list's entries."""
        return self.entries or self.member


def _settings(*names: str) -> Hidden:
    """The values of these settings."""
    return Hidden(table="settings", columns=tuple(f"value.{name}" for name in names))


_BLOCK: Final = _settings("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets")
_EFFECT: Final = Hidden(table="grants", columns=("effective", "blocked_by"))
_GRANTS: Final = Hidden(table="grants")
_DENIALS: Final = (_GRANTS, _EFFECT)
"""What hangs on a Deny: where it may not hold, a wider grant is told in place of those that it leaves."""
_POLICY: Final = (_GRANTS, _settings("policy_public", "policy_left_over"))

_AMOUNTS: Final = (
    Hidden(
        table="resources",
        columns=("size_bytes", f"detail.{OBJECTS_INSIDE}"),
        kinds=("bucket", "access_point", "multi_region_access_point"),
    ),
)


def _resources(*kinds: str) -> Hidden:
    return Hidden(table="resources", kinds=kinds)


CALLER: Final = AwsQuestion(
    name="s3-caller",
    service="sts",
    operation="get_caller_identity",
    hides=(Hidden(table=EVERYTHING),),
    names_scopes=True,
)
ORGANISATION: Final = AwsQuestion(
    name="s3-organisation",
    service="organizations",
    operation="describe_organization",
    needs="organizations:DescribeOrganization",
    member="Organization",
    hides=(Hidden(table="principals", columns=("affiliation",), kinds=("organisation",)),),
)
ACCOUNTS: Final = AwsQuestion(
    name="s3-accounts",
    service="organizations",
    operation="list_accounts",
    needs="organizations:ListAccounts",
    member="Accounts",
    # What is in an account that was not scanned is kept by the core; whose an account is stands in the grants.
    hides=(_resources("account"),),
    names_scopes=True,
)
CONTROL_POLICIES: Final = AwsQuestion(
    name="s3-control-policies",
    service="organizations",
    operation="list_policies",
    needs="organizations:ListPolicies",
    member="Policies",
    hides=_DENIALS,
)
CONTROL_POLICY: Final = AwsQuestion(
    name="s3-control-policy",
    service="organizations",
    operation="describe_policy",
    needs="organizations:DescribePolicy",
    member="Policy",
    hides=_DENIALS,
)
CONTROL_POLICY_TARGETS: Final = AwsQuestion(
    name="s3-control-policy-targets",
    service="organizations",
    operation="list_targets_for_policy",
    needs="organizations:ListTargetsForPolicy",
    member="Targets",
    hides=_DENIALS,
)
PARENTS: Final = AwsQuestion(
    name="s3-account-parents",
    service="organizations",
    operation="list_parents",
    needs="organizations:ListParents",
    member="Parents",
    hides=_DENIALS,
)
ROLE: Final = AwsQuestion(
    name="s3-role",
    service="sts",
    operation="assume_role",
    needs="sts:AssumeRole",
    hides=(Hidden(table=EVERYTHING),),
)
ACCOUNT_BLOCK: Final = AwsQuestion(
    name="s3-account-block",
    service="s3control",
    operation="get_public_access_block",
    needs="s3:GetAccountPublicAccessBlock",
    member="PublicAccessBlockConfiguration",
    hides=(_BLOCK, _EFFECT),
)
ORGANISATION_BLOCK: Final = AwsQuestion(
    name="s3-organisation-block",
    service="organizations",
    operation="describe_effective_policy",
    needs="organizations:DescribeEffectivePolicy",
    member="EffectivePolicy",
    hides=(_BLOCK, _EFFECT),
)
BUCKETS: Final = AwsQuestion(
    name="s3-buckets",
    operation="list_buckets",
    needs="s3:ListAllMyBuckets",
    member="Buckets",
    # Access points and access grants are looked for in the regions of the buckets.
    hides=(
        _resources("bucket", "objects", "object", "access_point"),
        _resources("access_grant", "replication", "report_delivery"),
    ),
    names_scopes=True,
)
BUCKET_EXISTS: Final = AwsQuestion(name="s3-bucket-exists", operation="head_bucket", needs="s3:ListBucket")
DIRECTORY_BUCKETS: Final = AwsQuestion(
    name="s3-directory-buckets",
    operation="list_directory_buckets",
    is_logged=True,
    needs="s3express:ListAllMyDirectoryBuckets",
    member="Buckets",
    hides=(_resources("directory_bucket"),),
    names_scopes=True,
)
ACCESS_POINTS: Final = AwsQuestion(
    name="s3-access-points",
    service="s3control",
    operation="list_access_points",
    is_logged=True,
    needs="s3:ListAccessPoints",
    member="AccessPointList",
    hides=(_resources("access_point"),),
    names_scopes=True,
)
MULTI_REGION_ACCESS_POINTS: Final = AwsQuestion(
    name="s3-multi-region-access-points",
    service="s3control",
    operation="list_multi_region_access_points",
    needs="s3:ListMultiRegionAccessPoints",
    member="AccessPoints",
    hides=(_resources("multi_region_access_point"),),
    names_scopes=True,
)
ACCESS_POINT: Final = AwsQuestion(
    name="s3-access-point",
    service="s3control",
    operation="get_access_point",
    is_logged=True,
    needs="s3:GetAccessPoint",
    member="PublicAccessBlockConfiguration",
    hides=(_BLOCK, _EFFECT),
)
ACCESS_POINT_POLICY: Final = AwsQuestion(
    name="s3-access-point-policy",
    service="s3control",
    operation="get_access_point_policy",
    is_logged=True,
    needs="s3:GetAccessPointPolicy",
    member="Policy",
    hides=(_GRANTS,),
)
MULTI_REGION_ACCESS_POINT: Final = AwsQuestion(
    name="s3-multi-region-access-point",
    service="s3control",
    operation="get_multi_region_access_point",
    needs="s3:GetMultiRegionAccessPoint",
    member="AccessPoint",
    hides=(_BLOCK, _EFFECT),
)
MULTI_REGION_ACCESS_POINT_POLICY: Final = AwsQuestion(
    name="s3-multi-region-access-point-policy",
    service="s3control",
    operation="get_multi_region_access_point_policy",
    needs="s3:GetMultiRegionAccessPointPolicy",
    member="Policy",
    hides=(_GRANTS,),
)
BUCKET_POLICY: Final = AwsQuestion(
    name="s3-bucket-policy",
    operation="get_bucket_policy",
    is_logged=True,
    needs="s3:GetBucketPolicy",
    member="Policy",
    hides=_POLICY,
)
DIRECTORY_BUCKET_POLICY: Final = AwsQuestion(
    name="s3-directory-bucket-policy",
    operation="get_bucket_policy",
    is_logged=True,
    needs="s3express:GetBucketPolicy",
    member="Policy",
    hides=_POLICY,
)
BUCKET_ACL: Final = AwsQuestion(
    name="s3-bucket-acl",
    operation="get_bucket_acl",
    is_logged=True,
    needs="s3:GetBucketAcl",
    member="Grants",
    hides=(_GRANTS, _settings("acl_public")),
)
BUCKET_BLOCK: Final = AwsQuestion(
    name="s3-bucket-block",
    operation="get_public_access_block",
    is_logged=True,
    needs="s3:GetBucketPublicAccessBlock",
    member="PublicAccessBlockConfiguration",
    hides=(_BLOCK, _EFFECT),
)
OWNERSHIP: Final = AwsQuestion(
    name="s3-ownership",
    operation="get_bucket_ownership_controls",
    is_logged=True,
    needs="s3:GetBucketOwnershipControls",
    member="OwnershipControls",
    hides=(_settings("object_ownership"),),
)
TAGS: Final = AwsQuestion(
    name="s3-tags",
    operation="get_bucket_tagging",
    is_logged=True,
    needs="s3:GetBucketTagging",
    member="TagSet",
    hides=(Hidden(table="resources", columns=("owner_uid", "label", "detail", "rank")), Hidden(table="ranks")),
)
ABAC: Final = AwsQuestion(
    name="s3-bucket-abac",
    operation="get_bucket_abac",
    is_logged=True,
    needs="s3:GetBucketAbac",
    member="AbacStatus",
    hides=_DENIALS,
)
POINT_TAGS: Final = AwsQuestion(
    name="s3-access-point-tags",
    service="s3control",
    operation="list_tags_for_resource",
    is_logged=True,
    needs="s3:ListTagsForResource",
    hides=_DENIALS,
)
DIRECTORY_BUCKET_TAGS: Final = AwsQuestion(
    name="s3-directory-bucket-tags",
    service="s3control",
    operation="list_tags_for_resource",
    is_logged=True,
    needs="s3express:ListTagsForResource",
    hides=_DENIALS,
)
WEBSITE: Final = AwsQuestion(
    name="s3-website",
    operation="get_bucket_website",
    is_logged=True,
    needs="s3:GetBucketWebsite",
    hides=(_settings("website"),),
)
LOGGING: Final = AwsQuestion(
    name="s3-access-log",
    operation="get_bucket_logging",
    is_logged=True,
    needs="s3:GetBucketLogging",
    hides=(_settings("access_logging"),),
)
ENCRYPTION: Final = AwsQuestion(
    name="s3-encryption",
    operation="get_bucket_encryption",
    is_logged=True,
    needs="s3:GetEncryptionConfiguration",
    member="ServerSideEncryptionConfiguration",
    hides=(_settings("default_encryption"),),
)
INVENTORY: Final = AwsQuestion(
    name="s3-inventory",
    operation="list_bucket_inventory_configurations",
    is_logged=True,
    needs="s3:GetInventoryConfiguration",
    member="IsTruncated",
    entries="InventoryConfigurationList",
    hides=(_resources("object", "report_delivery"),),
)
INVENTORY_REPORTS: Final = AwsQuestion(
    name="s3-inventory-reports",
    operation="list_objects_v2",
    needs="s3:ListBucket",
    member="IsTruncated",
    entries="CommonPrefixes",
    hides=(_resources("object"),),
)
INVENTORY_REPORT: Final = AwsQuestion(
    name="s3-inventory-report",
    operation="get_object",
    needs="s3:GetObject",
    member="Body",
    hides=(_resources("object"),),
)
OBJECTS: Final = AwsQuestion(
    name="s3-objects",
    operation="list_objects_v2",
    needs="s3:ListBucket",
    member="IsTruncated",
    entries="Contents",
    hides=(_resources("object"),),
)
OBJECT_ACL: Final = AwsQuestion(
    name="s3-object-acl",
    operation="get_object_acl",
    needs="s3:GetObjectAcl",
    member="Grants",
    hides=(_GRANTS,),
)

REGIONS: Final = AwsQuestion(
    name="s3-regions",
    service="account",
    operation="list_regions",
    needs="account:ListRegions",
    member="Regions",
    # What is in a region that is not known to be enabled is not looked for.
    hides=(_resources("access_point", "access_grant"),),
)
DIRECTORY_ACCESS_POINTS: Final = AwsQuestion(
    name="s3-directory-access-points",
    service="s3control",
    operation="list_access_points_for_directory_buckets",
    is_logged=True,
    needs="s3express:ListAccessPointsForDirectoryBuckets",
    member="AccessPointList",
    hides=(_resources("access_point"),),
    names_scopes=True,
)
DIRECTORY_ACCESS_POINT: Final = AwsQuestion(
    name="s3-directory-access-point",
    service="s3control",
    operation="get_access_point",
    is_logged=True,
    needs="s3express:GetAccessPoint",
    member="NetworkOrigin",
    hides=(Hidden(table="grants", columns=("audience",)),),  # its blocks are fixed
)
DIRECTORY_ACCESS_POINT_POLICY: Final = AwsQuestion(
    name="s3-directory-access-point-policy",
    service="s3control",
    operation="get_access_point_policy",
    is_logged=True,
    needs="s3express:GetAccessPointPolicy",
    member="Policy",
    hides=(_GRANTS,),
)
ACCESS_GRANTS: Final = AwsQuestion(
    name="s3-access-grants",
    service="s3control",
    operation="list_access_grants",
    is_logged=True,
    needs="s3:ListAccessGrants",
    member="AccessGrantsList",
    hides=(_resources("access_grant"),),
)
ACCESS_GRANTS_POLICY: Final = AwsQuestion(
    name="s3-access-grants-policy",
    service="s3control",
    operation="get_access_grants_instance_resource_policy",
    is_logged=True,
    needs="s3:GetAccessGrantsInstanceResourcePolicy",
    member="Policy",
    hides=(_EFFECT,),
)
OBJECT_LAMBDA: Final = AwsQuestion(
    name="s3-object-lambda",
    service="s3control",
    operation="list_access_points_for_object_lambda",
    is_logged=True,
    needs="s3:ListAccessPointsForObjectLambda",
    member="ObjectLambdaAccessPointList",
)
TABLE_BUCKETS: Final = AwsQuestion(
    name="s3-table-buckets",
    service="s3tables",
    operation="list_table_buckets",
    is_logged=True,
    needs="s3tables:ListTableBuckets",
    member="tableBuckets",
)
VECTOR_BUCKETS: Final = AwsQuestion(
    name="s3-vector-buckets",
    service="s3vectors",
    operation="list_vector_buckets",
    is_logged=True,
    needs="s3vectors:ListVectorBuckets",
    member="vectorBuckets",
)
OUTPOSTS: Final = AwsQuestion(
    name="s3-outposts",
    service="s3outposts",
    operation="list_outposts_with_s3",
    is_logged=True,
    needs="s3-outposts:ListOutpostsWithS3",
    member="Outposts",
)
ROLES: Final = AwsQuestion(
    name="s3-roles",
    service="iam",
    operation="list_roles",
    needs="iam:ListRoles",
    member="Roles",
    # Without its answer each bucket is asked whether it is replicated.
)
EVENT_HISTORY: Final = AwsQuestion(
    name="s3-event-history",
    service="cloudtrail",
    operation="lookup_events",
    needs="cloudtrail:LookupEvents",
    entries="Events",
    # Without its answer everything is asked: nothing is hidden.
)
ANALYZERS: Final = AwsQuestion(
    name="s3-analyzers",
    service="accessanalyzer",
    operation="list_analyzers",
    needs="access-analyzer:ListAnalyzers",
    member="analyzers",
    # A second opinion changes nothing of the first: without it nothing is hidden.
)
ANALYZER_FINDINGS: Final = AwsQuestion(
    name="s3-analyzer-findings",
    service="accessanalyzer",
    operation="list_findings",
    needs="access-analyzer:ListFindings",
    member="findings",
)
REPLICATION: Final = AwsQuestion(
    name="s3-replication",
    operation="get_bucket_replication",
    is_logged=True,
    needs="s3:GetReplicationConfiguration",
    member="ReplicationConfiguration",
    hides=(_resources("replication"),),
)
STORAGE_METRICS: Final = AwsQuestion(
    name="s3-storage-metrics",
    service="cloudwatch",
    operation="list_metrics",
    needs="cloudwatch:ListMetrics",
    member="Metrics",
    hides=_AMOUNTS,
)
STORAGE: Final = AwsQuestion(
    name="s3-storage",
    service="cloudwatch",
    operation="get_metric_data",
    needs="cloudwatch:GetMetricData",
    member="MetricDataResults",
    hides=_AMOUNTS,
)

_CREDENTIALS: Final = (
    Hidden(
        table="principals",
        columns=("last_seen_on", f"detail.{SIGN_IN}", f"detail.{ACCESS_KEYS}", f"detail.{KEYS_LAST_USED_ON}"),
        kinds=("user",),
    ),
)
IAM_USERS: Final = AwsQuestion(
    name="s3-iam-users",
    service="iam",
    operation="get_account_authorization_details",
    needs="iam:GetAccountAuthorizationDetails",
    member="UserDetailList",
    hides=(
        Hidden(table="principals", kinds=("user",)),
        Hidden(table="principals", columns=("email", "department", f"detail.{EMPLOYEE_NUMBER}"), kinds=("user",)),
    ),
)
CREDENTIAL_REPORT: Final = AwsQuestion(
    name="s3-credential-report-begun",
    service="iam",
    operation="generate_credential_report",
    needs="iam:GenerateCredentialReport",
    member="State",
    hides=_CREDENTIALS,
)
CREDENTIALS: Final = AwsQuestion(
    name="s3-credential-report",
    service="iam",
    operation="get_credential_report",
    needs="iam:GetCredentialReport",
    member="Content",
    hides=_CREDENTIALS,
)
IDENTITY_CENTERS: Final = AwsQuestion(
    name="s3-identity-centers",
    service="sso-admin",
    operation="list_instances",
    is_logged=True,
    needs="sso:ListInstances",
    member="Instances",
    hides=(Hidden(table="principals", kinds=("user",)),),
)
DIRECTORY_USERS: Final = AwsQuestion(
    name="s3-identity-center-users",
    service="identitystore",
    operation="list_users",
    needs="identitystore:ListUsers",
    member="Users",
    hides=(Hidden(table="principals", kinds=("user",)),),
)

CONFIG_RESOURCES: Final = AwsQuestion(
    name="s3-config-resources",
    service="config",
    operation="select_aggregate_resource_config",
    needs="config:SelectAggregateResourceConfig",
    member="Results",
    names_scopes=True,
)
CONFIG_ITEMS: Final = AwsQuestion(
    name="s3-config-items",
    service="config",
    operation="batch_get_aggregate_resource_config",
    needs="config:BatchGetAggregateResourceConfig",
    member="BaseConfigurationItems",
)
CONFIG_SOURCES: Final = AwsQuestion(
    name="s3-config-sources",
    service="config",
    operation="describe_configuration_aggregator_sources_status",
    needs="config:DescribeConfigurationAggregatorSourcesStatus",
    member="AggregatedSourceStatusList",
    # What is recorded may no longer be so.
    hides=(*_POLICY, _EFFECT, _BLOCK, _settings("acl_public"), _resources("bucket", "access_point")),
)
CONFIG_FOLDERS: Final = AwsQuestion(
    name="s3-config-folders",
    operation="list_objects_v2",
    needs="s3:ListBucket",
    member="IsTruncated",
    entries="CommonPrefixes",
    names_scopes=True,
)
CONFIG_FILES: Final = AwsQuestion(
    name="s3-config-files",
    operation="list_objects_v2",
    needs="s3:ListBucket",
    member="IsTruncated",
    entries="Contents",
)
CONFIG_FILE: Final = AwsQuestion(name="s3-config-file", operation="get_object", needs="s3:GetObject", member="Body")
"""Where these fail, what Config would have said is asked of AWS; where that is refused, that refusal says so."""

QUESTIONS: Final = (
    CALLER,
    ORGANISATION,
    ACCOUNTS,
    CONTROL_POLICIES,
    CONTROL_POLICY,
    CONTROL_POLICY_TARGETS,
    PARENTS,
    ROLE,
    ACCOUNT_BLOCK,
    ORGANISATION_BLOCK,
    BUCKETS,
    BUCKET_EXISTS,
    DIRECTORY_BUCKETS,
    ACCESS_POINTS,
    MULTI_REGION_ACCESS_POINTS,
    ACCESS_POINT,
    ACCESS_POINT_POLICY,
    MULTI_REGION_ACCESS_POINT,
    MULTI_REGION_ACCESS_POINT_POLICY,
    BUCKET_POLICY,
    DIRECTORY_BUCKET_POLICY,
    BUCKET_ACL,
    BUCKET_BLOCK,
    OWNERSHIP,
    TAGS,
    ABAC,
    POINT_TAGS,
    DIRECTORY_BUCKET_TAGS,
    WEBSITE,
    LOGGING,
    ENCRYPTION,
    INVENTORY,
    INVENTORY_REPORTS,
    INVENTORY_REPORT,
    OBJECTS,
    OBJECT_ACL,
    REGIONS,
    DIRECTORY_ACCESS_POINTS,
    DIRECTORY_ACCESS_POINT,
    DIRECTORY_ACCESS_POINT_POLICY,
    ACCESS_GRANTS,
    ACCESS_GRANTS_POLICY,
    OBJECT_LAMBDA,
    TABLE_BUCKETS,
    VECTOR_BUCKETS,
    OUTPOSTS,
    ROLES,
    REPLICATION,
    STORAGE_METRICS,
    STORAGE,
    EVENT_HISTORY,
    ANALYZERS,
    ANALYZER_FINDINGS,
    IAM_USERS,
    CREDENTIAL_REPORT,
    CREDENTIALS,
    IDENTITY_CENTERS,
    DIRECTORY_USERS,
    CONFIG_RESOURCES,
    CONFIG_ITEMS,
    CONFIG_SOURCES,
    CONFIG_FOLDERS,
    CONFIG_FILES,
    CONFIG_FILE,
)
"""All of them; every request belongs to one."""
