"""Reading one account: each question to S3, answered as a record of `configuration.py`.

Nothing is asked that cannot matter. Four questions decide who gets into a bucket; only for one that is shared four more
describe it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from cloudscan.facts import Outcome
from cloudscan_s3.configuration import (
    AccessPoint,
    Acl,
    AclGrant,
    Block,
    Bucket,
    Encryption,
    Ownership,
    Unread,
)
from cloudscan_s3.sdk import Account, ask, demand

_OWNERSHIPS = {
    "BucketOwnerEnforced": Ownership.ENFORCED,
    "BucketOwnerPreferred": Ownership.PREFERRED,
    "ObjectWriter": Ownership.WRITER,
}
_ALL_ON = Block(block_public_acls=True, ignore_public_acls=True, block_public_policy=True, restrict_public_buckets=True)
_PAGE = 10_000  # ListBuckets must be paged in accounts with a quota above this


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A bucket as ListBuckets names it."""

    name: str
    region: str  # empty where S3 does not say
    created_on: datetime | None
    owner: str  # the account's canonical id


def buckets(account: Account) -> Iterator[Listed]:
    """All general purpose buckets of the account, of every region."""
    client = account.client("s3")
    token: dict[str, str] = {}
    while True:
        page = demand(client.list_buckets, "s3:ListAllMyBuckets", MaxBuckets=_PAGE, **token)
        owner = str(page.get("Owner", {}).get("ID", ""))
        for each in page.get("Buckets", ()):
            yield Listed(
                name=each["Name"],
                region=each.get("BucketRegion", ""),
                created_on=_utc(each.get("CreationDate")),
                owner=owner,
            )
        if not page.get("ContinuationToken"):
            return
        token = {"ContinuationToken": page["ContinuationToken"]}


def directory_buckets(account: Account, region: str) -> Iterator[Listed]:
    """All directory buckets of the account in one region."""
    client = account.client("s3", region)
    token: dict[str, str] = {}
    while True:
        page = demand(client.list_directory_buckets, "s3express:ListAllMyDirectoryBuckets", **token)
        for each in page.get("Buckets", ()):
            if each["Name"].endswith("--x-s3"):
                yield Listed(name=each["Name"], region=region, created_on=_utc(each.get("CreationDate")), owner="")
        if not page.get("ContinuationToken"):
            return
        token = {"ContinuationToken": page["ContinuationToken"]}


def account_block(account: Account, number: str) -> Block | Unread:
    """Block Public Access of the account, with what its organisation imposes."""
    client = account.client("s3control")
    answer = ask(client.get_public_access_block, "s3:GetAccountPublicAccessBlock", AccountId=number)
    return answer if isinstance(answer, Unread) else _block((answer or {}).get("PublicAccessBlockConfiguration"))


def bucket(account: Account, listed: Listed, number: str, partition: str, block: Block | Unread) -> Bucket:
    """The four questions that decide who gets in. Raises `Vanished` where the bucket is gone."""
    client = account.client("s3", listed.region)
    name = {"Bucket": listed.name}
    policy = ask(client.get_bucket_policy, "s3:GetBucketPolicy", **name)
    own = ask(client.get_public_access_block, "s3:GetBucketPublicAccessBlock", **name)
    ownership = _ownership(ask(client.get_bucket_ownership_controls, "s3:GetBucketOwnershipControls", **name))
    acl: Acl | Unread | None = None
    if ownership is not Ownership.ENFORCED:
        acl = _acl(ask(client.get_bucket_acl, "s3:GetBucketAcl", **name))
    return Bucket(
        name=listed.name,
        account=number,
        region=listed.region,
        partition=partition,
        created_on=listed.created_on,
        owner=listed.owner or None,
        policy=_policy(policy),
        acl=acl,
        block=own if isinstance(own, Unread) else _block((own or {}).get("PublicAccessBlockConfiguration")),
        account_block=block,
        ownership=ownership,
    )


def directory_bucket(account: Account, listed: Listed, number: str, partition: str) -> Bucket:
    """A directory bucket: only its policy is open to choice."""
    client = account.client("s3", listed.region)
    policy = ask(client.get_bucket_policy, "s3express:GetBucketPolicy", Bucket=listed.name)
    return Bucket(
        name=listed.name,
        account=number,
        region=listed.region,
        partition=partition,
        created_on=listed.created_on,
        directory=True,
        policy=_policy(policy),
        acl=None,
        block=_ALL_ON,
        account_block=Block(),
        ownership=Ownership.ENFORCED,
    )


def described(account: Account, found: Bucket) -> Bucket:
    """The same bucket with what is worth knowing of a shared one: tags, website, log, default key."""
    client = account.client("s3", found.region)
    name = {"Bucket": found.name}
    tags = ask(client.get_bucket_tagging, "s3:GetBucketTagging", **name)
    website = ask(client.get_bucket_website, "s3:GetBucketWebsite", **name)
    logging = ask(client.get_bucket_logging, "s3:GetBucketLogging", **name)
    encryption = ask(client.get_bucket_encryption, "s3:GetEncryptionConfiguration", **name)
    return replace(
        found,
        tags=tags if isinstance(tags, Unread) else _tags(tags),
        website=website if isinstance(website, Unread) else website is not None,
        logging=logging if isinstance(logging, Unread) else bool((logging or {}).get("LoggingEnabled")),
        encryption=encryption if isinstance(encryption, Unread) else _encryption(encryption),
    )


def access_points(account: Account, number: str, region: str) -> Iterator[tuple[str, str, str]]:
    """The access points of the account in one region: (name, bucket, the bucket's account)."""
    client = account.client("s3control", region)
    token: dict[str, str] = {}
    while True:
        page = demand(client.list_access_points, "s3:ListAccessPoints", AccountId=number, **token)
        for each in page.get("AccessPointList", ()):
            yield each["Name"], each["Bucket"], each.get("BucketAccountId") or number
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def access_point(account: Account, number: str, region: str, partition: str, name: str) -> AccessPoint:
    """One access point with its policy and blocks."""
    client = account.client("s3control", region)
    which = {"AccountId": number, "Name": name}
    answer = ask(client.get_access_point, "s3:GetAccessPoint", **which)
    policy = ask(client.get_access_point_policy, "s3:GetAccessPointPolicy", **which)
    known: Mapping[str, Any] = {} if isinstance(answer, Unread) or answer is None else answer
    return AccessPoint(
        name=name,
        account=number,
        region=region,
        arn=f"arn:{partition}:s3:{region}:{number}:accesspoint/{name}",
        vpc=str((known.get("VpcConfiguration") or {}).get("VpcId", "")),
        policy=_policy(policy),
        block=answer if isinstance(answer, Unread) else _block(known.get("PublicAccessBlockConfiguration")),
    )


def multi_region_access_points(
    account: Account, number: str, partition: str
) -> Iterator[tuple[AccessPoint, list[str]]]:
    """The multi-region access points of the account, each with the names of its buckets.

    They are governed from us-west-2 (User Guide, "Multi-Region Access Point restrictions and limitations").
    """
    client = account.client("s3control", "us-west-2")
    token: dict[str, str] = {}
    while True:
        page = demand(
            client.list_multi_region_access_points, "s3:ListMultiRegionAccessPoints", AccountId=number, **token
        )
        for each in page.get("AccessPoints", ()):
            if each.get("Status", "READY") in ("DELETING", "INCONSISTENT_ACROSS_REGIONS") or not each.get("Alias"):
                continue
            policy = ask(
                client.get_multi_region_access_point_policy,
                "s3:GetMultiRegionAccessPointPolicy",
                AccountId=number,
                Name=each["Name"],
            )
            text = policy if isinstance(policy, Unread) else _established(policy)
            yield (
                AccessPoint(
                    name=each["Alias"],
                    account=number,
                    region="",
                    arn=f"arn:{partition}:s3::{number}:accesspoint/{each['Alias']}",
                    policy=text,
                    block=_block(each.get("PublicAccessBlock")),
                    multi_region=True,
                    name_for_people=each["Name"],
                ),
                [region["Bucket"] for region in each.get("Regions", ()) if region.get("Bucket")],
            )
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def acl_of_object(account: Account, region: str, name: str, key: str) -> Acl | Unread:
    """One object's own list. Raises `Vanished` where the object is gone."""
    client = account.client("s3", region)
    return _acl(ask(client.get_object_acl, "s3:GetObjectAcl", Bucket=name, Key=key))


def _policy(answer: Mapping[str, Any] | Unread | None) -> str | Unread | None:
    if answer is None or isinstance(answer, Unread):
        return answer
    text = answer.get("Policy")
    return str(text) if text else None


def _established(answer: Mapping[str, Any] | None) -> str | None:
    policy = ((answer or {}).get("Policy") or {}).get("Established") or {}
    return str(policy["Policy"]) if policy.get("Policy") else None


def _block(answer: Mapping[str, Any] | None) -> Block:
    given = answer or {}
    return Block(
        block_public_acls=given.get("BlockPublicAcls") is True,
        ignore_public_acls=given.get("IgnorePublicAcls") is True,
        block_public_policy=given.get("BlockPublicPolicy") is True,
        restrict_public_buckets=given.get("RestrictPublicBuckets") is True,
    )


def _ownership(answer: Mapping[str, Any] | Unread | None) -> Ownership | Unread:
    if isinstance(answer, Unread):
        return answer
    rules = ((answer or {}).get("OwnershipControls") or {}).get("Rules") or []
    written = str(rules[0].get("ObjectOwnership", "")) if rules else "ObjectWriter"
    unknown = Unread(outcome=Outcome.FAILED, reason=f"S3 named an object ownership that is not known: {written}")
    return _OWNERSHIPS.get(written, unknown)


def _acl(answer: Mapping[str, Any] | Unread | None) -> Acl | Unread:
    if isinstance(answer, Unread):
        return answer
    given = answer or {}
    return Acl(
        owner=str((given.get("Owner") or {}).get("ID", "")),
        grants=tuple(
            AclGrant(
                permission=str(each.get("Permission", "")),
                canonical_id=str(grantee.get("ID", "")),
                group=str(grantee.get("URI", "")),
                email=str(grantee.get("EmailAddress", "")),
                display_name=str(grantee.get("DisplayName", "")),
            )
            for each in given.get("Grants") or ()
            for grantee in (each.get("Grantee") or {},)
        ),
    )


def _tags(answer: Mapping[str, Any] | None) -> Mapping[str, str]:
    return {str(each.get("Key", "")): str(each.get("Value", "")) for each in (answer or {}).get("TagSet") or ()}


def _encryption(answer: Mapping[str, Any] | None) -> Encryption:
    rules = ((answer or {}).get("ServerSideEncryptionConfiguration") or {}).get("Rules") or [{}]
    default = rules[0].get("ApplyServerSideEncryptionByDefault") or {}
    # Since January 2023 S3 encrypts whatever nobody asked to have encrypted otherwise.
    return Encryption(algorithm=str(default.get("SSEAlgorithm", "AES256")), key=str(default.get("KMSMasterKeyID", "")))


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
