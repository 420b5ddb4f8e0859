"""The vocabulary: what a connector may say about an estate.

Facts are frozen records. In flight they are JSON lines with a `type` tag, at rest rows of the table named after their
plural. `None` in a field that rules judge means *could not be read* and nothing else; "never expires" is `NEVER`. Times
are UTC. A `uid` is permanent, begins with the platform's name and a colon, and is unique in the estate.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Self

import msgspec

NEVER = datetime(9999, 12, 31, tzinfo=UTC)

Word = Annotated[str, "word"]
"""A text out of a list that cloudscan or the platform has, never one that a user wrote. Redaction keeps it as it is;
texts of plain `str` are hashed."""


class Ladder(StrEnum):
    """Names in ascending order: `Audience.OWNER < Audience.ORGANISATION`."""

    rung: int  # the position on the ladder, from 0

    def __new__(cls, name: str) -> Self:
        """A rung above those that are there already."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.rung = len(cls.__members__)
        return member

    def __lt__(self, other: str) -> bool:
        return self.rung < type(self)(other).rung

    def __le__(self, other: str) -> bool:
        return self.rung <= type(self)(other).rung

    def __gt__(self, other: str) -> bool:
        return self.rung > type(self)(other).rung

    def __ge__(self, other: str) -> bool:
        return self.rung >= type(self)(other).rung


class Audience(Ladder):
    """Who a grant admits, from nobody to everyone who searches the web."""

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
    """What a grant permits. A rung does not imply the ones below it; each is a grant of its own."""

    LIST = "list"
    READ = "read"
    COMMENT = "comment"
    WRITE = "write"
    MANAGE = "manage"
    OWN = "own"


class Via(StrEnum):
    """The mechanism of a grant."""

    ACL = "acl"
    POLICY = "policy"
    LINK = "link"
    DIRECT = "direct"
    MEMBERSHIP = "membership"


class Affiliation(StrEnum):
    """Where a principal belongs, from the point of view of the organisation that is scanned."""

    INTERNAL = "internal"
    PARTNER = "partner"
    EXTERNAL = "external"


RANKS: Final[Mapping[str, int]] = {"news-grade": 5, "confidential": 3, "working": 1}
"""How much a resource matters, by what the organisation calls it: it would be in the news; it is for nobody outside;
anybody here may see it. The numbers are `Resource.rank`."""


UNRANKED: Final = "unranked"
"""What a resource is called of which nobody has said how much it matters."""


def rank_name(rank: int | None) -> str:
    """What a rank is called; empty for a number between those that have a name."""
    return UNRANKED if rank is None else next((name for name, number in RANKS.items() if number == rank), "")


class Outcome(StrEnum):
    """How much of one table of one scope was read."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    DENIED = "denied"
    FAILED = "failed"
    SKIPPED = "skipped"  # left out on purpose: a budget, an option
    NOT_OFFERED = "not_offered"  # does not exist here: no licence, no such service; nothing is missing
    NOT_JUDGED = "not_judged"  # it is there, and cloudscan does not judge such things: a known limit, named each time

    @property
    def is_gap(self) -> bool:
        """Whether something is missing that somebody wanted to be read."""
        return self in (Outcome.PARTIAL, Outcome.DENIED, Outcome.FAILED)

    @property
    def can_hide(self) -> bool:
        """Whether something of what cloudscan judges may be missing because of it."""
        return self not in (Outcome.COMPLETE, Outcome.NOT_OFFERED, Outcome.NOT_JUDGED)


EVERYTHING: Final = "all"
"""A `Hidden.table`: rows of any table may be missing."""


class Hidden(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a missing answer can hide.

    Without `columns` it is *existence*: there may be rows of `table` that nobody saw, so that what is absent is not
    gone. With `columns` it is an *attribute*: the rows are there, and these of their columns are not known.
    """

    table: Word  # a table of facts, or `EVERYTHING`
    columns: tuple[Word, ...] = ()
    kinds: tuple[Word, ...] = ()  # of the resources or principals; empty: any
    below: str | None = None  # the uid of what they are in, or are; None: anywhere in the account


Detail = Mapping[str, Any]
"""What only one platform knows, as JSON. A key that is left out is not known; what is known to be off is ``"false"``.

`chain` is understood everywhere: the steps that lead from the setting to the verdict, as `cloudscan.reason.Reason`
records, e.g. ``{"chain": [{"code": "drive-anyone-with-link", "values": {"access": "read"}}]}``. So is `entry` of a
grant: the policy statement or list entry that it comes from, as a `cloudscan.finding.PolicyEntry`."""

MOST_ENTRY: Final = 4_000
"""Characters of a policy entry's text that are kept."""


OBSERVED: Final = "observed"
"""A key of `detail`, of resources and principals: a digest of what the platform said, before it was translated.

It covers all answers that the connector's statements about this thing, its grants and what blocks them are made from,
those about what stands above it included, and nothing that changes by itself (times of requests, tokens). By it the
ledger tells a finding that is *judged differently* from one that is new, where a newer cloudscan or another
configuration translates the same answers into other facts. A connector that does not give it leaves that unclear.
"""

OBSERVED_ON: Final = "observed_on"
"""A key of `detail`, of resources: the moment, in ISO 8601, at which the platform itself recorded what is said here.

Only where that was not when the scan asked: what is read from an export or a recorder is as old as that is.
"""

# What directories say of an account, as keys of a principal's `detail`. They join accounts to persons. A key that is
# left out is not known; days are the organisation's (`cloudscan.connector.Estate.day_of`).

EMPLOYEE_NUMBER: Final = "employee_number"
"""The number that the employer gave the person, as the directory writes it: leading zeros may be missing elsewhere."""

ADDRESSES: Final = "addresses"
"""Further addresses of this very account (aliases, sign-in name), in lower case; a list, empty where there are none."""

PRIVATE_ADDRESSES: Final = "private_addresses"
"""Addresses of the same person that are not the organisation's, in lower case; a list, empty where there are none."""

DEPARTMENTS: Final = "departments"
"""All current departments, the primary one first; a list, empty where there are none. `Principal.department` is the
primary one."""

ROLE: Final = "role"
"""The job title."""

EMPLOYMENT: Final = "employment"
"""The directory's own word for the kind of employment or account: Employee, Contractor, Member, Guest."""

COMPANY: Final = "company"
"""The company that the directory names: a guest's own, the agency of temporary staff."""

STARTS_ON: Final = "starts_on"
"""The first day of work as YYYY-MM-DD, or ``"false"`` where the directory says that none is recorded."""

LEAVE_ON: Final = "leave_on"
"""The last day of work as YYYY-MM-DD, or ``"false"`` where the directory says that none is recorded."""

DISABLED_ON: Final = "disabled_on"
"""The moment, in ISO 8601, from which an account that is suspended or archived has been so."""

DISABLED_WHY: Final = "disabled_why"
"""The platform's own word for why an account is suspended: ``ADMIN`` is one of ours, anything else the platform."""

IDENTITIES: Final = "identities"
"""Permanent ids of the person at identity providers, each ``issuer|id``; a list.

``entra|`` with the object id or the immutable id of Active Directory, ``google|`` with the directory's id; what
other directories were told by their provider has the issuer that they write, so compare what is after the bar.
"""

SIGN_IN: Final = "sign_in"
"""Whether the account can sign in interactively, with a password or by single sign-on: ``"true"`` or ``"false"``."""

ACCESS_KEYS: Final = "access_keys"
"""The number of active long-term keys for programs, as text."""

KEYS_LAST_USED_ON: Final = "keys_last_used_on"
"""The day on which one of the keys was last used, or ``"false"`` where none is known to have been."""

ACCOUNT_KEYS: Final = (
    EMPLOYEE_NUMBER,
    ADDRESSES,
    PRIVATE_ADDRESSES,
    DEPARTMENTS,
    ROLE,
    EMPLOYMENT,
    COMPANY,
    STARTS_ON,
    LEAVE_ON,
    DISABLED_ON,
    DISABLED_WHY,
    IDENTITIES,
    SIGN_IN,
    ACCESS_KEYS,
    KEYS_LAST_USED_ON,
)
"""All keys that say who an account's person is, for the reference."""

OBJECTS_INSIDE: Final = "objects"
"""A key of `detail`, of a resource whose contents are not listed one by one: the number of things in it.

It counts for the blast radius in place of the resource, where `size_bytes` is known too. Left out, it is not known.
"""

OF_A_PART: Final = "of_a_part"
"""A key of a grant's `detail`, true where it opens a part of what is in the resource and nobody counted that part."""


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag=str.lower, gc=False):
    """Something that a platform says, in our words."""


class Resource(Fact, frozen=True, kw_only=True):
    """Something that can be shared, or that contains such things: an account, a bucket, a folder, a file."""

    uid: str
    platform: Word
    account: str
    kind: Word
    name: str
    path: str = ""
    parent_uid: str | None = None  # what it inherits from
    container_uid: str | None = None  # the drive, site or bucket that it is in
    owner_uid: str | None = None
    content_type: Word = ""
    size_bytes: int | None = None
    created_on: datetime | None = None
    modified_on: datetime | None = None
    label: str = ""  # the platform's own sensitivity label or data class
    rank: int | None = None  # 1..5, how much it matters, as `[[ranks]]` say (`RANKS`); None: nobody has said
    url: str = ""
    detail: Detail = {}


class Principal(Fact, frozen=True, kw_only=True):
    """Someone or something that can be granted access."""

    uid: str
    platform: Word
    account: str
    kind: Word  # user, guest, group, service, account, organisation, network, domain
    email: str = ""
    domain: str = ""
    name: str = ""
    affiliation: Affiliation | None = None
    status: Word | None = None  # active, suspended, deleted
    created_on: datetime | None = None
    redeemed: bool | None = None  # an invitation was accepted
    last_seen_on: datetime | None = None
    department: str = ""
    sponsor_uid: str | None = None
    detail: Detail = {}


class Grant(Fact, frozen=True, kw_only=True, omit_defaults=False):
    """Permission for an audience to do something with a resource.

    A list of grants that could not be read is one grant in which `audience`, `access`, `via`, `effective` and the
    other judged fields are None: see `unread_grants`.

    All fields are written, also those with default values: the defaults are not None, and on a line None (*could not be
    read*) must be distinct from a field that was left out.
    """

    uid: str
    resource_uid: str
    origin_uid: str | None = None  # the resource where it was given; None: sealing finds it
    inherited: bool = False
    principal_uid: str | None = None  # None: not one principal (anyone), or unreadable
    audience: Audience | None  # None: there may be a grant, but who it admits could not be read
    access: Access | None
    via: Via | None
    discoverable: bool | None = False
    expires_on: datetime | None = NEVER
    password: bool | None = False
    granted_on: datetime | None = None
    effective: bool | None = True  # False: latent, a block overrides it; None: could not be determined
    blocked_by: Word = ""  # the block's code (see `cloudscan.reason.block`); empty if nothing blocks it
    url: str = ""
    detail: Detail = {}


def unread_grants(resource_uid: str, *, origin_uid: str | None = None) -> Grant:
    """What stands for grants on a resource that could not be read: there may be any, to anyone."""
    return Grant(
        uid=f"{resource_uid}#unread",
        resource_uid=resource_uid,
        origin_uid=origin_uid,
        inherited=origin_uid is not None and origin_uid != resource_uid,
        audience=None,
        access=None,
        via=None,
        discoverable=None,
        expires_on=None,
        password=None,
        effective=None,
    )


class Membership(Fact, frozen=True, kw_only=True):
    """A principal belongs to a group, which may itself belong to another.

    `member_uid` None: there may be members, or further ones, that could not be read.
    """

    group_uid: str
    member_uid: str | None
    role: Word = "member"


class Setting(Fact, frozen=True, kw_only=True):
    """A setting of a tenant, unit, site, account or bucket, as the connector's `SettingSpec` declares it.

    `value` is always text (a switch is `true` or `false`); None if it could not be read.
    """

    scope_uid: str
    name: Word
    value: str | None


class Activity(Fact, frozen=True, kw_only=True):
    """How often something was used on one day, by which kind of actor: a tally, not an audit log."""

    resource_uid: str
    grant_uid: str | None = None
    verb: Word
    actor_kind: Word
    day: datetime
    count: int


class Opening(Fact, frozen=True, kw_only=True):
    """An entry of a log: access was granted. Sealing writes the latest one into the grants that it is about.

    Those are the grants that were given on this resource (their `origin_uid`) to this principal. If there are none any
    more, the entry is dropped. None as principal means everyone who has the link.
    """

    resource_uid: str
    principal_uid: str | None = None
    granted_on: datetime
    granted_by: str = ""  # the address of who did it, for the grants' `detail`; empty: the log does not say


class Sighting(Fact, frozen=True, kw_only=True):
    """An entry of a log: a principal was active. The latest one becomes `last_seen_on` of a known principal."""

    principal_uid: str
    last_seen_on: datetime


class Gone(Fact, frozen=True, kw_only=True):
    """In an incremental run: the thing with this uid no longer exists."""

    uid: str
    contents: bool = False  # nor do the things in it, by `parent_uid`


AnyFact = Resource | Principal | Grant | Membership | Setting | Activity | Opening | Sighting | Gone
