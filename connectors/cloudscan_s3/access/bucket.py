"""What S3 answered about one bucket: everything that decides who has access, before it is interpreted.

Three kinds of answer are kept apart: a value; `None` for "none configured" (or, where noted, "not asked, because it
cannot matter"); and `Unread` for an answer that we did not get.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cloudscan.connector import Gap, Question
from cloudscan.errors import ProviderError


@dataclass(frozen=True, kw_only=True)
class Unread:
    """An answer that we did not get: to which question, and why not."""

    question: Question
    error: ProviderError

    def gap(self, about: str | None) -> Gap:
        """The gap that it leaves; `about` is the uid of what was asked about."""
        return self.question.gap(self.error, about)


@dataclass(frozen=True, kw_only=True)
class Block:
    """Block Public Access on one level. All off also means "no configuration"; None: the answer does not say."""

    block_public_acls: bool | None = False
    ignore_public_acls: bool | None = False
    block_public_policy: bool | None = False
    restrict_public_buckets: bool | None = False
    by_organisation: bool = False  # known from the organisation's S3 policy, not from the account's own answer


class Ownership(StrEnum):
    """Object Ownership. Never configured behaves as WRITER (User Guide: "Controlling ownership of objects")."""

    ENFORCED = "enforced"
    PREFERRED = "preferred"
    WRITER = "writer"


@dataclass(frozen=True, kw_only=True)
class AclGrant:
    """One entry of an access control list."""

    permission: str  # READ, WRITE, READ_ACP, WRITE_ACP, FULL_CONTROL
    canonical_id: str = ""
    group: str = ""  # the group's URI
    email: str = ""
    display_name: str = ""


@dataclass(frozen=True, kw_only=True)
class Acl:
    """An access control list as S3 returns it: the *effective* grants, without the ignored public ones."""

    owner: str  # canonical id
    grants: tuple[AclGrant, ...]


@dataclass(frozen=True, kw_only=True)
class Encryption:
    """The bucket's default: applies to objects written since, unless the writer chose another."""

    algorithm: str  # AES256, aws:kms, aws:kms:dsse
    key: str = ""  # key id, ARN or alias; empty: the AWS managed key


class Looked(StrEnum):
    """How far the policies of an organisation were looked at that are in force on an account's resources."""

    ALL = "all"
    REFUSED = "refused"  # only the management account, or one that it delegates to, may: they could still deny
    FAILED = "failed"  # no answer: what they deny is unknown


@dataclass(frozen=True, kw_only=True)
class ControlPolicy:
    """A resource control policy of the organisation."""

    name: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ControlPolicies:
    """The resource control policies that are in force on the resources of an account, from the root down to it."""

    policies: tuple[ControlPolicy, ...] = ()
    looked: Looked = Looked.ALL


@dataclass(frozen=True, kw_only=True)
class AccessPoint:
    """An access point or multi-region access point: another endpoint, with a policy and blocks of its own."""

    name: str  # for a multi-region one: its alias
    account: str  # who owns the access point; may be another account than the bucket's
    region: str  # empty for a multi-region one
    arn: str
    vpc: str = ""  # the only VPC that it serves; empty: the internet
    network_known: bool = True  # False: it may serve a VPC only
    policy: str | Unread | None
    block: Block | Unread
    tags: Mapping[str, str] | Unread | None = None  # None: not asked
    control_policies: ControlPolicies = ControlPolicies()  # on resources of the access point's account
    multi_region: bool = False
    name_for_people: str = ""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """How much is in a bucket, all versions of its objects included."""

    objects: int
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A bucket with all the layers that are between a caller and the data."""

    name: str
    account: str
    region: str
    partition: str = "aws"
    directory: bool = False  # an S3 Express directory bucket: blocks on, ownership enforced, both fixed
    owner: str | None = None  # the owning account's canonical id, where known
    policy: str | Unread | None  # the text as stored
    acl: Acl | Unread | None  # None: not asked, ACLs are switched off
    block: Block | Unread
    account_block: Block | Unread  # includes the organisation's
    ownership: Ownership | Unread
    control_policies: ControlPolicies = ControlPolicies()
    encryption: Encryption | Unread | None = None  # None: not asked
    website: bool | Unread | None = None  # None: not asked
    logging: bool | Unread | None = None  # None: not asked
    tags: Mapping[str, str] | Unread | None = None  # None: not asked
    abac: bool | Unread | None = None  # whether its tags control access; None: not asked
    access_points: tuple[AccessPoint, ...] = ()
    stored: Stored | None = None  # None: not known


@dataclass(frozen=True, kw_only=True)
class ObjectAcl:
    """One object's own ACL, from a listing or from an inventory report."""

    bucket: str
    key: str
    acl: Acl | Unread
    size_bytes: int | None = None
    modified_on: datetime | None = None
    seen_by: str = "listing"  # or "inventory"
