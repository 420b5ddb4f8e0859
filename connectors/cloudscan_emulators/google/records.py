"""What the invented Google knows: people, groups, drives, items, grants, events. Plain records.

Memory matters (a tenant of a million files is built), so an `Item` holds only what nearly every file has; the rest
is in `Extra`, which few files need, and grants are tuples that many files share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from cloudscan_emulators.google import ids

FOLDER = "application/vnd.google-apps.folder"
SHORTCUT = "application/vnd.google-apps.shortcut"
DOCUMENT = "application/vnd.google-apps.document"
SHEET = "application/vnd.google-apps.spreadsheet"
SLIDES = "application/vnd.google-apps.presentation"
FORM = "application/vnd.google-apps.form"

TOP = -1  # as a parent: directly in My Drive, or directly in the shared drive
ORPHAN = -2  # as a parent: in no folder at all
NOBODY = -1  # as an owner: the shared drive owns it
MY_DRIVE = -1  # as a drive: none
ANYONE = 0  # the principal that includes everyone
ANYONE_NAME = "anyone"

# Weakest first. `publishedReader` is the role of the published view (discovery document, Permission.view).
RANKS: Mapping[str, int] = {
    "publishedReader": 0,
    "reader": 1,
    "commenter": 2,
    "writer": 3,
    "fileOrganizer": 4,
    "organizer": 5,
    "owner": 6,
}


class Grant(NamedTuple):
    """One permission as it was given."""

    principal: int
    role: str
    discoverable: bool = False  # only of domains and anyone
    expires: int = 0  # seconds since 1970; 0: never
    view: str = ""  # published, metadata
    pending: bool = False  # asked to become the owner


class Detail(NamedTuple):
    """Where a permission comes from: one entry of `permissionDetails`."""

    member: bool  # a membership of the shared drive, not a share of a file
    role: str
    inherited: bool
    origin: str  # the id of the folder or drive; shown on shared drives only


class EffectiveGrant(NamedTuple):
    """A permission that applies to an item, direct and inherited ones merged."""

    grant: Grant
    details: tuple[Detail, ...]


@dataclass(slots=True, kw_only=True)
class Principal:
    """Whatever can be granted access: users, groups, external accounts, domains, anyone."""

    number: int
    kind: str  # user, group, domain, anyone
    name: str = ""
    email: str = ""
    domain: str = ""  # of the mail address, or the domain that it is
    google: bool = True  # False: a mail address without a Google account
    deleted: bool = False

    @property
    def permission_id(self) -> str:
        return ids.permission_id(self.number, self.kind)


@dataclass(slots=True, kw_only=True)
class Account(Principal):
    """A user of the company."""

    given: str = ""
    family: str = ""
    unit: str = "/"
    admin: str = ""  # super, delegated
    suspended: bool = False
    archived: bool = False
    created: int = 0
    last_login: int = 0  # 0: never
    manager: str = ""
    departments: tuple[str, ...] = ()  # the primary one first
    title: str = ""
    employment: str = ""  # organizations.description
    company: str = ""  # organizations.name
    number_of_employee: str = ""
    private: str = ""  # an address at home
    suspended_on: int = 0
    archived_on: int = 0
    aliases: tuple[str, ...] = ()
    two_step: bool = True
    deleted_on: int = 0


@dataclass(slots=True, kw_only=True)
class Group(Principal):
    """A group of the company, or of another one (then its members are not ours to read)."""

    description: str = ""
    members: dict[int, str] = field(default_factory=dict)  # principal: OWNER, MANAGER, MEMBER
    everyone: bool = False  # all users of the company are members: a member of type CUSTOMER
    ours: bool = True
    who_can_join: str = "CAN_REQUEST_TO_JOIN"
    externals_allowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Restrictions:
    """What a shared drive forbids."""

    domain_users_only: bool = False
    drive_members_only: bool = False
    copy_requires_writer: bool = False
    admin_managed: bool = False
    sharing_folders_requires_organizer: bool = False


@dataclass(slots=True, kw_only=True)
class Drive:
    """A shared drive. Its members are grants of the roles reader to organizer."""

    number: int
    name: str
    created: int
    members: tuple[Grant, ...] = ()
    restrictions: Restrictions = Restrictions()
    unit: str = "/"
    hidden: bool = False

    @property
    def id(self) -> str:
        return ids.drive_id(self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label on a file with the values of its fields: id, type (selection, text, …) and values."""

    id: str
    fields: tuple[tuple[str, str, tuple[str, ...]], ...] = ()


@dataclass(slots=True, kw_only=True)
class Extra:
    """What few files have."""

    description: str = ""
    shortcut_to: int | None = None
    resource_key: str = ""
    labels: tuple[Label, ...] = ()
    writers_can_share: bool = True
    copy_requires_writer: bool = False
    locked: str = ""  # the reason of a content restriction
    encrypted: bool = False
    trashed_on: int = 0
    trashed_by: int = NOBODY
    modified_by: int = NOBODY
    shared_by: int = NOBODY
    shared_on: int = 0
    properties: Mapping[str, str] = field(default_factory=dict)
    starred_by: frozenset[int] = frozenset()


@dataclass(slots=True)
class Item:
    """A file, folder or shortcut."""

    number: int
    name: str
    mime: str
    parent: int  # an item's number, TOP or ORPHAN
    owner: int  # a principal, or NOBODY
    drive: int  # a shared drive, or MY_DRIVE
    grants: tuple[Grant, ...]
    created: int
    modified: int
    size: int
    version: int = 1
    trashed: bool = False  # itself, not only a folder above it
    limited: bool = False  # inherits no permissions
    extra: Extra | None = None

    @property
    def id(self) -> str:
        return ids.file_id(self.number)

    @property
    def is_folder(self) -> bool:
        return self.mime == FOLDER


class Event(NamedTuple):
    """An entry of the change logs. `drives` and `people` are those whose log contains it."""

    at: int
    item: int | None  # None: the shared drive itself changed
    drives: tuple[int, ...]
    people: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgUnit:
    """A branch of the company's directory."""

    path: str
    id: str
    parent: str = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A setting as it was explicitly made for one organisational unit or group (Cloud Identity Policy API)."""

    type: str  # drive_and_docs.external_sharing
    unit: str
    value: Mapping[str, object]
    order: float = 1.0
    by_admin: bool = True
    group: str = ""
