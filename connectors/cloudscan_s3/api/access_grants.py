"""S3 Access Grants: data that an instance hands out by temporary credentials, whatever a bucket's policy says.

Sources: User Guide, "S3 Access Grants cross-account access"; API Reference, ListAccessGrants and "Error responses".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudscan.connector import Gap
from cloudscan_s3.access.bucket import Unread
from cloudscan_s3.api.asking import Asker, name_of
from cloudscan_s3.api.reader import policy_of
from cloudscan_s3.questions import ACCESS_GRANTS, ACCESS_GRANTS_POLICY

_PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class AccessGrant:
    """One grant of an instance. There is one instance for each account and region."""

    name: str  # its id
    region: str
    scope: str  # s3://bucket/prefix*
    grantee_kind: str  # IAM, DIRECTORY_USER, DIRECTORY_GROUP
    grantee: str  # an ARN, or the id of a user or group in IAM Identity Center
    permission: str  # READ, WRITE, READWRITE


def list_in_region(asker: Asker, number: str, region: str) -> tuple[Sequence[AccessGrant], Sequence[Gap]]:
    """An account's access grants in one region, none where there is no instance, and gaps."""

    def grant(entry: Mapping[str, Any]) -> AccessGrant:
        return AccessGrant(
            name=name_of(entry, "AccessGrantId"),
            region=region,
            scope=name_of(entry, "GrantScope"),
            grantee_kind=name_of(entry["Grantee"], "GranteeType"),
            grantee=name_of(entry["Grantee"], "GranteeIdentifier"),
            permission=name_of(entry, "Permission"),
        )

    return asker.list(ACCESS_GRANTS, grant, "NextToken", region=region, AccountId=number, MaxResults=_PAGE)


def instance_policy(asker: Asker, number: str, region: str) -> str | Unread | None:
    """The policy that shares an instance with other accounts; None: it is not shared."""
    return policy_of(ACCESS_GRANTS_POLICY, asker.ask(ACCESS_GRANTS_POLICY, region, AccountId=number))
