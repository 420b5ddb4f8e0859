"""Reads an account's buckets: each of S3's answers becomes a record of `access/bucket.py`.

Nothing is asked that cannot matter. Four questions decide who has access to a bucket; four more describe it, and are
asked only of a bucket that is shared.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from cloudscan.connector import Gap
from cloudscan.errors import Malformed, Unreachable, Vanished
from cloudscan_s3.access.bucket import Acl, AclGrant, Block, Bucket, Encryption, Ownership, Stored, Unread
from cloudscan_s3.api.asking import Answer, Asker, name_of
from cloudscan_s3.questions import (
    ABAC,
    ACCOUNT_BLOCK,
    BUCKET_ACL,
    BUCKET_BLOCK,
    BUCKET_EXISTS,
    BUCKET_POLICY,
    BUCKETS,
    DIRECTORY_BUCKET_POLICY,
    DIRECTORY_BUCKET_TAGS,
    DIRECTORY_BUCKETS,
    ENCRYPTION,
    LOGGING,
    OBJECT_ACL,
    OBJECTS,
    ORGANISATION_BLOCK,
    OWNERSHIP,
    TAGS,
    WEBSITE,
    AwsQuestion,
)

_OWNERSHIPS = {
    "BucketOwnerEnforced": Ownership.ENFORCED,
    "BucketOwnerPreferred": Ownership.PREFERRED,
    "ObjectWriter": Ownership.WRITER,
}
ALL_ON = Block(block_public_acls=True, ignore_public_acls=True, block_public_policy=True, restrict_public_buckets=True)
_PAGE = 10_000  # ListBuckets must be paged in accounts with a quota above this


@dataclass(frozen=True, kw_only=True)
class ListedBucket:
    """A bucket as ListBuckets names it."""

    name: str
    region: str  # empty where S3 does not report it
    created_on: datetime | None  # AWS may move it when the bucket is edited: neither its age nor an identity
    owner: str  # the account's canonical id
    stored: Stored | None = None  # None: not known


@dataclass(frozen=True, kw_only=True)
class BucketList:
    """All general purpose buckets of an account, of every region, and gaps for what could not be listed."""

    buckets: Sequence[ListedBucket]
    gaps: Sequence[Gap]
    answered_on: datetime | None  # AWS's time at the first answer; None: it did not say


def list_buckets(asker: Asker) -> BucketList:
    """The buckets of an account."""
    owner, answered_on = "", None

    def note(page: Answer) -> None:
        nonlocal owner, answered_on
        owner = str((page.get("Owner") or {}).get("ID") or "") or owner
        answered_on = answered_on or _date_of(page)

    listed, gaps = asker.list(
        BUCKETS,
        lambda entry: _listed(entry, entry.get("BucketRegion") or ""),
        "ContinuationToken",
        MaxBuckets=_PAGE,
        on_page=note,
    )
    return BucketList(buckets=[replace(one, owner=owner) for one in listed], gaps=gaps, answered_on=answered_on)


def canonical_user(asker: Asker) -> str | Unread:
    """The account's own canonical user id."""
    answer = asker.ask(BUCKETS, MaxBuckets=1)
    if isinstance(answer, Unread):
        return answer
    return str(((answer or {}).get("Owner") or {}).get("ID") or "") or garbled(BUCKETS)


def list_directory_buckets(asker: Asker, region: str) -> tuple[Sequence[ListedBucket], Sequence[Gap]]:
    """All directory buckets of the account in one region, and gaps for what could not be listed."""

    def directory_bucket(entry: Mapping[str, Any]) -> ListedBucket | None:
        return _listed(entry, region) if is_directory_bucket(name_of(entry, "Name")) else None

    return asker.list(DIRECTORY_BUCKETS, directory_bucket, "ContinuationToken", region=region)


def is_directory_bucket(name: str) -> bool:
    """Whether a bucket of this name is a directory bucket (User Guide, "Directory bucket naming rules")."""
    return name.endswith("--x-s3")


def account_block(asker: Asker, number: str) -> Block | Unread:
    """Block Public Access of the account, with what its organisation imposes."""
    return block_of(ACCOUNT_BLOCK, asker.ask(ACCOUNT_BLOCK, AccountId=number))


def organisation_block(asker: Asker, target: str) -> Block | Unread | None:
    """What the organisation's S3 policy imposes on an account (`target`; empty: our own); None where there is none.

    It sets all four switches or none, and overrides the account's own (AWS Organizations User Guide, "Amazon S3 policy
    syntax and examples"). The account's own answer includes it: this is for where that cannot be read.
    """
    arguments = {"TargetId": target} if target else {}
    answer = asker.ask(ORGANISATION_BLOCK, PolicyType="S3_POLICY", **arguments)
    if answer is None or isinstance(answer, Unread):
        return answer
    imposed = {"all": replace(ALL_ON, by_organisation=True), "none": Block(by_organisation=True)}
    try:
        content = json.loads(answer["EffectivePolicy"]["PolicyContent"])
        return imposed[content["s3_attributes"]["public_access_block_configuration"]]
    except (KeyError, TypeError, ValueError, AttributeError):
        return garbled(ORGANISATION_BLOCK)


def read_bucket(asker: Asker, listed: ListedBucket, number: str, partition: str, block: Block | Unread) -> Bucket:
    """Ask the four questions that decide who has access. Raises `Vanished` where the bucket no longer exists."""
    policy = _of_bucket(asker, BUCKET_POLICY, listed)
    own = _of_bucket(asker, BUCKET_BLOCK, listed)
    ownership = _ownership(_of_bucket(asker, OWNERSHIP, listed))
    acl: Acl | Unread | None = None
    if ownership is not Ownership.ENFORCED:
        acl = acl_of(BUCKET_ACL, _of_bucket(asker, BUCKET_ACL, listed))
    return Bucket(
        name=listed.name,
        account=number,
        region=listed.region,
        partition=partition,
        owner=listed.owner or None,
        policy=policy_of(BUCKET_POLICY, policy),
        acl=acl,
        block=block_of(BUCKET_BLOCK, own),
        account_block=block,
        ownership=ownership,
        stored=listed.stored,
    )


def read_directory_bucket(asker: Asker, listed: ListedBucket, number: str, partition: str) -> Bucket:
    """Read a directory bucket: of what decides about access, only its policy can be configured."""
    policy = _of_bucket(asker, DIRECTORY_BUCKET_POLICY, listed)
    return Bucket(
        name=listed.name,
        account=number,
        region=listed.region,
        partition=partition,
        directory=True,
        policy=policy_of(DIRECTORY_BUCKET_POLICY, policy),
        acl=None,
        block=ALL_ON,
        account_block=Block(),
        ownership=Ownership.ENFORCED,
    )


def with_description(asker: Asker, bucket: Bucket) -> Bucket:
    """The same bucket with what is worth knowing of a shared one: tags, website, access log, default key."""
    listed = ListedBucket(name=bucket.name, region=bucket.region, created_on=None, owner="")
    return replace(
        bucket,
        tags=_tags_of(asker, bucket) if bucket.tags is None else bucket.tags,
        website=_website(_of_bucket(asker, WEBSITE, listed)),
        logging=_logging(_of_bucket(asker, LOGGING, listed)),
        encryption=_encryption(_of_bucket(asker, ENCRYPTION, listed)),
    )


def with_tags(asker: Asker, bucket: Bucket) -> Bucket:
    """The same bucket with its tags, which somebody needs although nobody else has access to it."""
    return bucket if bucket.tags is not None else replace(bucket, tags=_tags_of(asker, bucket))


def _tags_of(asker: Asker, bucket: Bucket) -> Mapping[str, str] | Unread:
    if bucket.directory:
        arn = f"arn:{bucket.partition}:s3express:{bucket.region}:{bucket.account}:bucket/{bucket.name}"
        return tags_of_resource(asker, DIRECTORY_BUCKET_TAGS, bucket.region, bucket.account, arn)
    listed = ListedBucket(name=bucket.name, region=bucket.region, created_on=None, owner="")
    return _tags(_of_bucket(asker, TAGS, listed))


def with_access_tags(asker: Asker, bucket: Bucket) -> Bucket:
    """The same bucket with what decides where a policy depends on its tags: these, and whether they control access."""
    if bucket.directory:
        return replace(bucket, tags=_tags_of(asker, bucket))
    does_count = abac(asker, bucket)
    if does_count is False:
        return replace(bucket, abac=False)
    tags = _tags_of(asker, bucket)
    # Whether no tags count makes no difference to who gets in.
    return replace(bucket, tags=tags, abac=False if tags == {} and isinstance(does_count, Unread) else does_count)


def abac(asker: Asker, bucket: Bucket) -> bool | Unread:
    """Whether a general purpose bucket's tags control access."""
    listed = ListedBucket(name=bucket.name, region=bucket.region, created_on=None, owner="")
    return _abac(_of_bucket(asker, ABAC, listed))


def tags_of_resource(
    asker: Asker, question: AwsQuestion, region: str, number: str, arn: str
) -> Mapping[str, str] | Unread:
    """The tags of an access point or a directory bucket."""
    answer = asker.ask(question, region, AccountId=number, ResourceArn=arn)
    if isinstance(answer, Unread):
        return answer
    tags = (answer or {}).get("Tags") or ()
    if not all(tag.get("Key") for tag in tags):
        return garbled(question)
    return {str(tag["Key"]): str(tag.get("Value") or "") for tag in tags}


def bucket_exists(asker: Asker, name: str, region: str = "") -> bool | None:
    """Whether there is a bucket of this name, of any owner; None if AWS did not say."""
    answer = asker.ask(BUCKET_EXISTS, region, Bucket=name)
    if not isinstance(answer, Unread):
        return True
    if isinstance(answer.error, Vanished):
        return False
    return None if isinstance(answer.error, Malformed | Unreachable) else True  # a refusal: it is there


def acl_of_object(asker: Asker, region: str, name: str, key: str) -> Acl | Unread:
    """One object's own ACL. Raises `Vanished` where the object no longer exists."""
    answer = asker.ask(OBJECT_ACL, region, Bucket=name, Key=key)
    if isinstance(answer, Unread) and isinstance(answer.error, Vanished):
        page = asker.ask(OBJECTS, region, Bucket=name, Prefix=key, MaxKeys=1)
        if isinstance(page, Mapping) and not any(entry.get("Key") == key for entry in page.get("Contents") or ()):
            raise answer.error
    return acl_of(OBJECT_ACL, answer)


def policy_of(question: AwsQuestion, answer: Answer | Unread | None) -> str | Unread | None:
    """The policy's text. An empty text is garbled: where there is no policy, AWS answers with an error."""
    if answer is None or isinstance(answer, Unread):
        return answer
    return str(answer.get("Policy") or "") or garbled(question)


def block_of(
    question: AwsQuestion, answer: Answer | Unread | None, name: str = "PublicAccessBlockConfiguration"
) -> Block | Unread:
    """The switches; all off where AWS answers that none are configured, and unknown where one is left out."""
    if isinstance(answer, Unread):
        return answer
    if answer is None:
        return Block()
    given = answer.get(name)
    if not given:
        return garbled(question)
    return Block(
        block_public_acls=_switch(given.get("BlockPublicAcls")),
        ignore_public_acls=_switch(given.get("IgnorePublicAcls")),
        block_public_policy=_switch(given.get("BlockPublicPolicy")),
        restrict_public_buckets=_switch(given.get("RestrictPublicBuckets")),
    )


def acl_of(question: AwsQuestion, answer: Answer | Unread | None) -> Acl | Unread:
    """The entries. Every ACL that S3 makes contains one of the owner's, so that one without entries is garbled."""
    if isinstance(answer, Unread):
        return answer
    grants = tuple(_grant(entry) for entry in (answer or {}).get("Grants") or ())
    owner = str(((answer or {}).get("Owner") or {}).get("ID") or "")
    if not owner or not grants or any(not _is_whole(grant) for grant in grants):
        return garbled(question)
    return Acl(owner=owner, grants=grants)


def garbled(question: AwsQuestion) -> Unread:
    """What stands for an answer that does not match its documentation."""
    return Unread(question=question, error=Malformed("s3-garbled"))


def _of_bucket(asker: Asker, question: AwsQuestion, listed: ListedBucket) -> Answer | Unread | None:
    """Ask about a bucket. Raises `Vanished` where it is really gone: one answer alone may be wrong about that."""
    answer = asker.ask(question, listed.region, Bucket=listed.name)
    if (
        isinstance(answer, Unread)
        and isinstance(answer.error, Vanished)
        and bucket_exists(asker, listed.name, listed.region) is False
    ):
        raise answer.error
    return answer


def _listed(entry: Mapping[str, Any], region: str) -> ListedBucket:
    created_on = _utc(entry.get("CreationDate"))
    return ListedBucket(name=name_of(entry, "Name"), region=region, created_on=created_on, owner="")


def _switch(given: object) -> bool | None:
    return given if isinstance(given, bool) else None


def _ownership(answer: Answer | Unread | None) -> Ownership | Unread:
    if answer is None:
        return Ownership.WRITER
    if isinstance(answer, Unread):
        return answer
    rules = (answer.get("OwnershipControls") or {}).get("Rules")
    if not rules:
        return garbled(OWNERSHIP)
    written = str(rules[0].get("ObjectOwnership", ""))
    unknown = Unread(question=OWNERSHIP, error=Malformed("s3-value-unknown", value=written))
    return _OWNERSHIPS.get(written, unknown)


def _is_whole(grant: AclGrant) -> bool:
    return bool(grant.permission and (grant.canonical_id or grant.group or grant.email))


def _grant(given: Mapping[str, Any]) -> AclGrant:
    grantee = given.get("Grantee") or {}
    return AclGrant(
        permission=str(given.get("Permission") or ""),
        canonical_id=str(grantee.get("ID") or ""),
        group=str(grantee.get("URI") or ""),
        email=str(grantee.get("EmailAddress") or ""),
        display_name=str(grantee.get("DisplayName") or ""),
    )


def _tags(answer: Answer | Unread | None) -> Mapping[str, str] | Unread:
    if isinstance(answer, Unread):
        return answer
    if answer is None:
        return {}
    tags = answer.get("TagSet") or ()
    if not tags or not all(tag.get("Key") for tag in tags):
        return garbled(TAGS)  # where there are no tags, AWS answers with an error
    return {str(tag["Key"]): str(tag.get("Value") or "") for tag in tags}


def _abac(answer: Answer | Unread | None) -> bool | Unread:
    """Off unless it says otherwise: "By default, ABAC is disabled" (User Guide)."""
    if isinstance(answer, Unread):
        return answer
    status = ((answer or {}).get("AbacStatus") or {}).get("Status")
    known = {None: False, "Disabled": False, "Enabled": True}
    unknown = Unread(question=ABAC, error=Malformed("s3-value-unknown", value=str(status)))
    return known.get(status, unknown)


def _website(answer: Answer | Unread | None) -> bool | Unread:
    if isinstance(answer, Unread):
        return answer
    if answer is None:
        return False
    # One of the two is required (API Reference, PutBucketWebsite).
    return True if answer.get("IndexDocument") or answer.get("RedirectAllRequestsTo") else garbled(WEBSITE)


def _logging(answer: Answer | Unread | None) -> bool | Unread:
    return answer if isinstance(answer, Unread) else bool((answer or {}).get("LoggingEnabled"))


def _encryption(answer: Answer | Unread | None) -> Encryption | Unread:
    if isinstance(answer, Unread):
        return answer
    if answer is None:
        # Since January 2023 S3 encrypts new objects with SSE-S3 by default (User Guide, "Setting default encryption").
        return Encryption(algorithm="AES256")
    rules = (answer.get("ServerSideEncryptionConfiguration") or {}).get("Rules") or [{}]
    default = rules[0].get("ApplyServerSideEncryptionByDefault") or {}
    algorithm = str(default.get("SSEAlgorithm") or "")
    return (
        Encryption(algorithm=algorithm, key=str(default.get("KMSMasterKeyID") or ""))
        if algorithm
        else garbled(ENCRYPTION)
    )


def _date_of(answer: Answer) -> datetime | None:
    """When AWS answered, by its own clock (RFC 9110, "Date")."""
    headers = (answer.get("ResponseMetadata") or {}).get("HTTPHeaders") or {}
    try:
        return parsedate_to_datetime(str(headers.get("date"))).astimezone(UTC)
    except (TypeError, ValueError):
        return None


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
