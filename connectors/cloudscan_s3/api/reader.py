"""Reading one account: each question to S3, answered as a record of `configuration.py`.

Nothing is asked that cannot matter. Four questions decide who gets into a bucket; only for one that is shared four more
describe it.
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
GARBLED = Unread(outcome=Outcome.FAILED, reason="S3's answer was not what its documentation promises")
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
        page = require(client.list_buckets, "s3:ListAllMyBuckets", MaxBuckets=_PAGE, **token)
        owner = str(page.get("Owner", {}).get("ID", ""))
        for each in member(page, "Buckets"):
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
        page = require(client.list_directory_buckets, "s3express:ListAllMyDirectoryBuckets", **token)
        for each in member(page, "Buckets"):
            if each["Name"].endswith("--x-s3"):
                yield Listed(name=each["Name"], region=region, created_on=_utc(each.get("CreationDate")), owner="")
        if not page.get("ContinuationToken"):
            return
        token = {"ContinuationToken": page["ContinuationToken"]}


def account_block(account: Account, number: str) -> Block | Unread:
    """Block Public Access of the account, with what its organisation imposes."""
    client = account.client("s3control")
    answer = ask(client.get_public_access_block, "s3:GetAccountPublicAccessBlock", AccountId=number)
    return block_of(answer)


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
        policy=policy_of(policy),
        acl=acl,
        block=block_of(own),
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
        policy=policy_of(policy),
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


def acl_of_object(account: Account, region: str, name: str, key: str) -> Acl | Unread:
    """One object's own list. Raises `Vanished` where the object is gone."""
    client = account.client("s3", region)
    return _acl(ask(client.get_object_acl, "s3:GetObjectAcl", Bucket=name, Key=key))


def policy_of(answer: Mapping[str, Any] | Unread | None) -> str | Unread | None:
    """The policy's text. An empty one is no answer: where there is no policy, AWS says so by an error."""
    if answer is None or isinstance(answer, Unread):
        return answer
    return str(answer.get("Policy") or "") or GARBLED


def block_of(answer: Mapping[str, Any] | Unread | None, name: str = "PublicAccessBlockConfiguration") -> Block | Unread:
    """The switches; all off where AWS says that there are none."""
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
    unknown = Unread(outcome=Outcome.FAILED, reason=f"S3 named an object ownership that is not known: {written}")
    return _OWNERSHIPS.get(written, unknown)


def _acl(answer: Mapping[str, Any] | Unread | None) -> Acl | Unread:
    if isinstance(answer, Unread):
        return answer
    if answer is None or "Grants" not in answer:
        return GARBLED
    grants = tuple(_grant(each) for each in answer["Grants"] or ())
    if any(not each.permission or not (each.canonical_id or each.group or each.email) for each in grants):
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
    return {str(each.get("Key", "")): str(each.get("Value", "")) for each in (answer or {}).get("TagSet") or ()}


def _encryption(answer: Mapping[str, Any] | None) -> Encryption:
    rules = ((answer or {}).get("ServerSideEncryptionConfiguration") or {}).get("Rules") or [{}]
    default = rules[0].get("ApplyServerSideEncryptionByDefault") or {}
    # Since January 2023 S3 encrypts whatever nobody asked to have encrypted otherwise.
    return Encryption(algorithm=str(default.get("SSEAlgorithm", "AES256")), key=str(default.get("KMSMasterKeyID", "")))


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
