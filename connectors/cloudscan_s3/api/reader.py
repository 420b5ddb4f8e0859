"""Reads an account's buckets: each of S3's answers becomes a record of `access/bucket.py`.

Nothing is asked that cannot matter. Four questions decide who has access to a bucket; four more describe it, and are
asked only of a bucket that is shared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from cloudscan.facts import Outcome
from cloudscan_s3.access.bucket import Acl, AclGrant, Block, Bucket, Encryption, Ownership, Unread
from cloudscan_s3.api.client import Account, ask, member, require

_OWNERSHIPS = {
    "BucketOwnerEnforced": Ownership.ENFORCED,
    "BucketOwnerPreferred": Ownership.PREFERRED,
    "ObjectWriter": Ownership.WRITER,
}
_ALL_ON = Block(block_public_acls=True, ignore_public_acls=True, block_public_policy=True, restrict_public_buckets=True)
GARBLED = Unread(outcome=Outcome.FAILED, reason="S3's answer does not match its documentation")
_PAGE = 10_000  # ListBuckets must be paged in accounts with a quota above this


@dataclass(frozen=True, kw_only=True)
class ListedBucket:
    """A bucket as ListBuckets names it."""

    name: str
    region: str  # empty where S3 does not report it
    created_on: datetime | None
    owner: str  # the account's canonical id


def list_buckets(account: Account) -> Iterator[ListedBucket]:
    """All general purpose buckets of the account, of every region."""
    client = account.client("s3")
    token: dict[str, str] = {}
    while True:
        page = require(client.list_buckets, "s3:ListAllMyBuckets", MaxBuckets=_PAGE, **token)
        owner = str(page.get("Owner", {}).get("ID", ""))
        for entry in member(page, "Buckets"):
            yield ListedBucket(
                name=entry["Name"],
                region=entry.get("BucketRegion", ""),
                created_on=_utc(entry.get("CreationDate")),
                owner=owner,
            )
        if not page.get("ContinuationToken"):
            return
        token = {"ContinuationToken": page["ContinuationToken"]}


def list_directory_buckets(account: Account, region: str) -> Iterator[ListedBucket]:
    """All directory buckets of the account in one region."""
    client = account.client("s3", region)
    token: dict[str, str] = {}
    while True:
        page = require(client.list_directory_buckets, "s3express:ListAllMyDirectoryBuckets", **token)
        for entry in member(page, "Buckets"):
            if entry["Name"].endswith("--x-s3"):
                created_on = _utc(entry.get("CreationDate"))
                yield ListedBucket(name=entry["Name"], region=region, created_on=created_on, owner="")
        if not page.get("ContinuationToken"):
            return
        token = {"ContinuationToken": page["ContinuationToken"]}


def account_block(account: Account, number: str) -> Block | Unread:
    """Block Public Access of the account, with what its organisation imposes."""
    client = account.client("s3control")
    answer = ask(client.get_public_access_block, "s3:GetAccountPublicAccessBlock", AccountId=number)
    return block_of(answer)


def read_bucket(account: Account, listed: ListedBucket, number: str, partition: str, block: Block | Unread) -> Bucket:
    """Ask the four questions that decide who has access. Raises `Vanished` where the bucket no longer exists."""
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
        policy=policy_of(policy),
        acl=acl,
        block=block_of(own),
        account_block=block,
        ownership=ownership,
    )


def read_directory_bucket(account: Account, listed: ListedBucket, number: str, partition: str) -> Bucket:
    """Read a directory bucket: of what decides about access, only its policy can be configured."""
    client = account.client("s3", listed.region)
    policy = ask(client.get_bucket_policy, "s3express:GetBucketPolicy", Bucket=listed.name)
    return Bucket(
        name=listed.name,
        account=number,
        region=listed.region,
        partition=partition,
        created_on=listed.created_on,
        directory=True,
        policy=policy_of(policy),
        acl=None,
        block=_ALL_ON,
        account_block=Block(),
        ownership=Ownership.ENFORCED,
    )


def with_description(account: Account, bucket: Bucket) -> Bucket:
    """The same bucket with what is worth knowing of a shared one: tags, website, access log, default key."""
    client = account.client("s3", bucket.region)
    name = {"Bucket": bucket.name}
    tags = ask(client.get_bucket_tagging, "s3:GetBucketTagging", **name)
    website = ask(client.get_bucket_website, "s3:GetBucketWebsite", **name)
    logging = ask(client.get_bucket_logging, "s3:GetBucketLogging", **name)
    encryption = ask(client.get_bucket_encryption, "s3:GetEncryptionConfiguration", **name)
    return replace(
        bucket,
        tags=tags if isinstance(tags, Unread) else _tags(tags),
        website=website if isinstance(website, Unread) else website is not None,
        logging=logging if isinstance(logging, Unread) else bool((logging or {}).get("LoggingEnabled")),
        encryption=encryption if isinstance(encryption, Unread) else _encryption(encryption),
    )


def acl_of_object(account: Account, region: str, name: str, key: str) -> Acl | Unread:
    """One object's own ACL. Raises `Vanished` where the object no longer exists."""
    client = account.client("s3", region)
    return _acl(ask(client.get_object_acl, "s3:GetObjectAcl", Bucket=name, Key=key))


def policy_of(answer: Mapping[str, Any] | Unread | None) -> str | Unread | None:
    """The policy's text. An empty text is garbled: where there is no policy, AWS answers with an error."""
    if answer is None or isinstance(answer, Unread):
        return answer
    return str(answer.get("Policy") or "") or GARBLED


def block_of(answer: Mapping[str, Any] | Unread | None, name: str = "PublicAccessBlockConfiguration") -> Block | Unread:
    """The switches; all off where AWS answers that none are configured."""
    if isinstance(answer, Unread):
        return answer
    if answer is None:
        return Block()
    given = answer.get(name)
    if not given:
        return GARBLED
    return Block(
        block_public_acls=given.get("BlockPublicAcls") is True,
        ignore_public_acls=given.get("IgnorePublicAcls") is True,
        block_public_policy=given.get("BlockPublicPolicy") is True,
        restrict_public_buckets=given.get("RestrictPublicBuckets") is True,
    )


def _ownership(answer: Mapping[str, Any] | Unread | None) -> Ownership | Unread:
    if answer is None:
        return Ownership.WRITER
    if isinstance(answer, Unread):
        return answer
    rules = (answer.get("OwnershipControls") or {}).get("Rules")
    if not rules:
        return GARBLED
    written = str(rules[0].get("ObjectOwnership", ""))
    unknown = Unread(outcome=Outcome.FAILED, reason=f"S3 returned an unknown object ownership: {written}")
    return _OWNERSHIPS.get(written, unknown)


def _acl(answer: Mapping[str, Any] | Unread | None) -> Acl | Unread:
    if isinstance(answer, Unread):
        return answer
    if answer is None or "Grants" not in answer:
        return GARBLED
    grants = tuple(_grant(entry) for entry in answer["Grants"] or ())
    if any(not grant.permission or not (grant.canonical_id or grant.group or grant.email) for grant in grants):
        return GARBLED
    return Acl(owner=str((answer.get("Owner") or {}).get("ID", "")), grants=grants)


def _grant(given: Mapping[str, Any]) -> AclGrant:
    grantee = given.get("Grantee") or {}
    return AclGrant(
        permission=str(given.get("Permission", "")),
        canonical_id=str(grantee.get("ID", "")),
        group=str(grantee.get("URI", "")),
        email=str(grantee.get("EmailAddress", "")),
        display_name=str(grantee.get("DisplayName", "")),
    )


def _tags(answer: Mapping[str, Any] | None) -> Mapping[str, str]:
    return {str(tag.get("Key", "")): str(tag.get("Value", "")) for tag in (answer or {}).get("TagSet") or ()}


def _encryption(answer: Mapping[str, Any] | None) -> Encryption:
    rules = ((answer or {}).get("ServerSideEncryptionConfiguration") or {}).get("Rules") or [{}]
    default = rules[0].get("ApplyServerSideEncryptionByDefault") or {}
    # Since January 2023 S3 encrypts new objects with SSE-S3 by default (User Guide, "Setting default encryption").
    return Encryption(algorithm=str(default.get("SSEAlgorithm", "AES256")), key=str(default.get("KMSMasterKeyID", "")))


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
