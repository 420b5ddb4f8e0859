"""What S3 answered about one bucket: everything that decides who gets in, before anybody interprets it.

Three things that an API's answer can be are kept apart: a value; `None`, "there is none" (or, where said so,
"not asked, because it cannot matter"); and `Unread`, "we were not told".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cloudscan.facts import Outcome


@dataclass(frozen=True, kw_only=True)
class Unread:
    """An answer that we did not get."""

    outcome: Outcome
    reason: str
    needs: str = ""  # the right that is missing: s3:GetBucketAcl


@dataclass(frozen=True, kw_only=True)
class Block:
    """Block Public Access, one level of it. All off is also what "no configuration" means."""

    block_public_acls: bool = False
    ignore_public_acls: bool = False
    block_public_policy: bool = False
    restrict_public_buckets: bool = False


class Ownership(StrEnum):
    """Object Ownership. Never configured behaves as WRITER (User Guide: "Controlling ownership of objects")."""

    ENFORCED = "enforced"
    PREFERRED = "preferred"
    WRITER = "writer"


@dataclass(frozen=True, kw_only=True)
class AclGrant:
    """One line of an access control list."""

    permission: str  # READ, WRITE, READ_ACP, WRITE_ACP, FULL_CONTROL
    canonical_id: str = ""
    group: str = ""  # the group's URI
    email: str = ""
    display_name: str = ""


@dataclass(frozen=True, kw_only=True)
class Acl:
    """An access control list as S3 gives it: the *effective* grants, i.e. without the ignored public ones."""

    owner: str  # canonical id
    grants: tuple[AclGrant, ...]


@dataclass(frozen=True, kw_only=True)
class Encryption:
    """The bucket's default: applies to objects written since, unless the writer asked for another."""

    algorithm: str  # AES256, aws:kms, aws:kms:dsse
    key: str = ""  # key id, ARN or alias; empty: the AWS managed key


@dataclass(frozen=True, kw_only=True)
class AccessPoint:
    """An access point or multi-region access point: a second door with a policy and blocks of its own."""

    name: str  # for a multi-region one: its alias
    account: str  # who owns the access point; may be another account than the bucket's
    region: str  # empty for a multi-region one
    arn: str
    vpc: str = ""  # the only network that it serves; empty: the internet
    policy: str | Unread | None
    block: Block | Unread
    multi_region: bool = False
    name_for_people: str = ""


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A bucket with all the layers that stand between an outsider and the data."""

    name: str
    account: str
    region: str
    partition: str = "aws"
    created_on: datetime | None = None
    directory: bool = False  # an S3 Express directory bucket: blocks on, ownership enforced, both fixed
    owner: str | None = None  # the owning account's canonical id, where known
    policy: str | Unread | None  # the text as stored
    acl: Acl | Unread | None  # None: not asked, ACLs are switched off
    block: Block | Unread
    account_block: Block | Unread  # with the organisation's, which shows up here
    ownership: Ownership | Unread
    encryption: Encryption | Unread | None = None  # None: not asked
    website: bool | Unread | None = None  # None: not asked
    logging: bool | Unread | None = None  # None: not asked
    tags: Mapping[str, str] | Unread | None = None  # None: not asked
    access_points: tuple[AccessPoint, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ObjectAcl:
    """One object's own list, from a listing or from an inventory report."""

    bucket: str
    key: str
    acl: Acl | Unread
    size_bytes: int | None = None
    modified_on: datetime | None = None
    seen_by: str = "listing"  # or "inventory"
