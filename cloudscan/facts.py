"""The vocabulary: what a connector may say about an estate.

Facts are frozen records. In flight they are JSON lines with a `type` tag, at rest columns of the table that
bears their plural. `None` in a judged field means *could not be read* and nothing else; "never expires" is
`NEVER`. Times are UTC. A `uid` is permanent, begins with the platform's name and a colon, and is unique in
the estate.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

NEVER = datetime(9999, 12, 31, tzinfo=UTC)


class Ladder(StrEnum):
    """Names in ascending order: `Audience.OWNER < Audience.ORGANISATION`."""

    @property
    def rung(self) -> int:
        return list(type(self)).index(self)

    def __lt__(self, other: str) -> bool:
        return self.rung < type(self)(other).rung

    def __le__(self, other: str) -> bool:
        return self.rung <= type(self)(other).rung

    def __gt__(self, other: str) -> bool:
        return self.rung > type(self)(other).rung

    def __ge__(self, other: str) -> bool:
        return self.rung >= type(self)(other).rung


class Audience(Ladder):
    """Whom a way in admits, from nobody to everybody who searches the web."""

    NOBODY = "nobody"
    OWNER = "owner"
    NAMED = "named"
    NAMED_EXTERNAL = "named_external"
    EXTERNAL_DOMAIN = "external_domain"
    ORGANISATION = "organisation"
    ANY_ACCOUNT = "any_account"
    ANYONE_WITH_LINK = "anyone_with_link"
    ANYONE_DISCOVERABLE = "anyone_discoverable"


class Access(Ladder):
    """What the admitted may do. A rung does not imply the ones below it; each is its own grant."""

    LIST = "list"
    READ = "read"
    COMMENT = "comment"
    WRITE = "write"
    MANAGE = "manage"
    OWN = "own"


class Via(StrEnum):
    """By which mechanism a way in stands open."""

    ACL = "acl"
    POLICY = "policy"
    LINK = "link"
    DIRECT = "direct"
    MEMBERSHIP = "membership"


class Affiliation(StrEnum):
    """Where a principal belongs, seen from the organisation that is scanned."""

    INTERNAL = "internal"
    PARTNER = "partner"
    EXTERNAL = "external"


class Outcome(StrEnum):
    """How far reading one table of one scope went."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    DENIED = "denied"
    FAILED = "failed"
    SKIPPED = "skipped"


Detail = Mapping[str, Any]
"""What only one platform knows, as JSON. `chain` is understood everywhere: sentences by language that lead
from the setting to the verdict, e.g. ``{"chain": {"en": ["…"], "ja": ["…"]}}``."""


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag=str.lower, gc=False):
    """Something that a platform said, in our words."""


class Resource(Fact, frozen=True, kw_only=True):
    """Something that can be shared, or that contains what can be: an account, a bucket, a folder, a file."""

    uid: str
    platform: str
    account: str
    kind: str
    name: str
    path: str = ""
    parent_uid: str | None = None  # what it inherits from
    container_uid: str | None = None  # the drive, site or bucket it lives in
    owner_uid: str | None = None
    content_type: str = ""
    size_bytes: int | None = None
    created_on: datetime | None = None
    modified_on: datetime | None = None
    label: str = ""  # the platform's own sensitivity label or data class
    rank: int | None = None  # 1..5, how much it matters; from configuration or tags
    url: str = ""
    detail: Detail = {}


class Principal(Fact, frozen=True, kw_only=True):
    """Somebody or something that can be let in."""

    uid: str
    platform: str
    account: str
    kind: str  # user, guest, group, service, account, organisation, network, domain
    email: str = ""
    domain: str = ""
    name: str = ""
    affiliation: Affiliation | None = None
    status: str | None = None  # active, suspended, deleted
    created_on: datetime | None = None
    redeemed: bool | None = None  # an invitation was accepted
    last_seen_on: datetime | None = None
    department: str = ""
    sponsor_uid: str | None = None
    detail: Detail = {}


class Grant(Fact, frozen=True, kw_only=True, omit_defaults=False):
    """One way in: somebody may do something with a resource.

    Written out in full: its defaults are not None, and None, a line's way to say *could not be read*, must stay
    apart from a field that was left out.
    """

    uid: str
    resource_uid: str
    origin_uid: str | None = None  # the resource where it was given; None: sealing finds it
    inherited: bool = False
    principal_uid: str | None = None  # None: not one principal (anyone), or unreadable
    audience: Audience | None  # None: there may be a way in, but whom it admits could not be read
    access: Access
    via: Via
    discoverable: bool | None = False
    expires_on: datetime | None = NEVER
    password: bool | None = False
    granted_on: datetime | None = None
    effective: bool | None = True  # False: written down, but a block above it wins; None: could not tell
    blocked_by: str = ""  # the block's name; empty where nothing stands above
    url: str = ""
    detail: Detail = {}


class Membership(Fact, frozen=True, kw_only=True):
    """A principal belongs to a group, which may itself belong to another."""

    group_uid: str
    member_uid: str
    role: str = "member"


class Setting(Fact, frozen=True, kw_only=True):
    """A switch on a tenant, unit, site, account or bucket. `value` is None where it could not be read."""

    scope_uid: str
    name: str
    value: str | None


class Activity(Fact, frozen=True, kw_only=True):
    """How often something was used on one day, by which kind of actor: a tally, not an audit log."""

    resource_uid: str
    grant_uid: str | None = None
    verb: str
    actor_kind: str
    day: datetime
    count: int


class Opening(Fact, frozen=True, kw_only=True):
    """A log's line: somebody let somebody in. The latest one is written into the grants that stand by it.

    Those are the grants that were given on this resource (their `origin_uid`) to this principal. Where there are none
    any more, it says nothing. None as principal is everybody who holds the link.
    """

    resource_uid: str
    principal_uid: str | None = None
    granted_on: datetime
    granted_by: str = ""  # the address of whoever did it, into the grants' `detail`; empty: the log does not say


class Sighting(Fact, frozen=True, kw_only=True):
    """A log's line: somebody was there. The latest one becomes `last_seen_on` of the principal, if he is told."""

    principal_uid: str
    last_seen_on: datetime


class Gone(Fact, frozen=True, kw_only=True):
    """In an incremental run: what bore this uid exists no more."""

    uid: str
    contents: bool = False  # nor does what lay in it, by `parent_uid`


AnyFact = Resource | Principal | Grant | Membership | Setting | Activity | Opening | Sighting | Gone
