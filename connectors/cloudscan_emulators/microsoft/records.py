"""The records of an invented Microsoft 365. Numbers are indexes into its lists; times are seconds since 1970."""

from dataclasses import dataclass, field
from enum import IntEnum

NOBODY = -1
TOP = -1


class Kind(IntEnum):
    """The kind of an item."""

    FILE = 0
    FOLDER = 1
    ROOT = 2
    PACKAGE = 3  # a notebook: neither file nor folder
    SHORTCUT = 4  # points to an item of another drive (remoteItem)


# principals


@dataclass(slots=True, kw_only=True, eq=False)
class Principal:
    """A user, group, application or claim that access can be granted to."""

    number: int
    name: str
    deleted: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class Person(Principal):
    """A user object of the directory, which may be a guest."""

    id: str
    upn: str
    mail: str
    user_type: str = "Member"  # or Guest
    state: str = ""  # PendingAcceptance, Accepted; empty: was never invited
    state_changed: int = 0
    enabled: bool = True
    created: int = 0
    signed_in: int = 0  # the last attempt; 0: never
    signed_in_by_itself: int = 0  # non-interactive
    succeeded: int = 0
    leaves: int = 0  # employeeLeaveDateTime
    department: str = ""
    title: str = ""
    employee_id: str = ""
    employee_type: str = ""
    hired: int = 0  # employeeHireDate
    company: str = ""
    aliases: tuple[str, ...] = ()  # proxyAddresses beside the mail
    other_mails: tuple[str, ...] = ()
    immutable_id: str = ""  # of somebody who was synchronised from Active Directory
    sponsors: tuple[int, ...] = ()
    invited_by: int = NOBODY
    manager: int = NOBODY
    creation: str = ""  # creationType: Invitation, EmailVerified ...
    drive: int = NOBODY  # the person's OneDrive

    @property
    def guest(self) -> bool:
        """Whether the user is a guest by type."""
        return self.user_type == "Guest"


@dataclass(slots=True, kw_only=True, eq=False)
class Channel:
    """A channel of a team."""

    number: int
    name: str
    membership: str = "standard"  # private, shared
    members: dict[int, str] = field(default_factory=dict)  # principal: role; of private and shared channels
    shared_with: tuple[str, ...] = ()  # teams of other tenants: "tenant id|team name"
    site: int = NOBODY  # private and shared channels have separate sites
    created: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Group(Principal):
    """A group of the directory."""

    id: str
    mail: str = ""
    kind: str = "security"  # unified: Microsoft 365 group
    visibility: str | None = None
    owners: list[int] = field(default_factory=list)
    members: list[int] = field(default_factory=list)
    team: bool = False
    archived: bool = False
    channels: list[Channel] = field(default_factory=list)
    label: str = ""  # a sensitivity label's id
    rule: str = ""  # a dynamic group's
    created: int = 0
    site: int = NOBODY


@dataclass(slots=True, kw_only=True, eq=False)
class Application(Principal):
    """A service principal, with its registration where it is ours."""

    id: str
    app_id: str
    home_tenant: str
    enabled: bool = True
    graph_roles: frozenset[str] = frozenset()
    sharepoint_roles: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    certificates: tuple[str, ...] = ()  # PEM
    federated: frozenset[str] = frozenset()  # accepted tokens of a workload identity
    managed: bool = False  # a managed identity
    created: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Claim(Principal):
    """Everyone, in one of its forms. The name is in the site's language, the claim is not."""

    login: str


@dataclass(slots=True, kw_only=True, eq=False)
class ExternalUser(Principal):
    """A person without an object in our directory: a one-time passcode guest, or another tenant's user."""

    mail: str
    id: str = ""
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Seat:
    """A membership in a site's group: of a principal, or of the owners of a Microsoft 365 group."""

    principal: int
    owners_only: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class SiteGroup(Principal):
    """A group of one site; its `local` id means nothing elsewhere."""

    site: int
    local: int
    seats: list[Seat] = field(default_factory=list)
    members_only: bool = False  # OnlyAllowMembersViewMembership


# grants


@dataclass(frozen=True, slots=True)
class Direct:
    """A permission granted to a principal."""

    principal: int
    role: str  # read, write, owner, or a role definition's as in sp.full control
    expires: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """A sharing link. It remains the link of its `home`, even where a scope below has copied it."""

    number: int
    home: int
    type: str
    scope: str
    people: tuple[int, ...] = ()
    expires: int = 0
    password: bool = False
    prevents_download: bool = False
    application: int = NOBODY


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that was not redeemed yet."""

    number: int
    mail: str
    role: str = "read"
    sign_in: bool = True
    expires: int = 0


Grant = Direct | Link | Invitation


# places


@dataclass(slots=True, kw_only=True, eq=False)
class Extra:
    """Properties that few items have."""

    label: str = ""  # sensitivity label
    retention: str = ""  # retention label
    target: int = NOBODY  # of a shortcut
    malware: bool = False


@dataclass(slots=True, eq=False)
class Item:
    """A driveItem. With `grants` of None it inherits; otherwise, even if empty, it is a scope of its own."""

    number: int
    drive: int
    parent: int
    kind: Kind
    name: str
    mime: str
    size: int
    created: int
    modified: int
    author: int
    grants: tuple[Grant, ...] | None = None
    version: int = 1
    extra: Extra | None = None

    @property
    def is_container(self) -> bool:
        """Whether it can contain other items."""
        return self.kind in (Kind.FOLDER, Kind.ROOT)


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of a drive's log."""

    time: int
    item: int
    sharing: bool = False
    gone: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class Drive:
    """A document library or a OneDrive."""

    number: int
    id: str
    list_id: str
    site: int
    name: str
    path: str  # after the site's address
    root: int = NOBODY
    personal: bool = False
    hidden: bool = False
    created: int = 0
    items: list[int] = field(default_factory=list)  # ascending
    log: list[Event] = field(default_factory=list)
    oldest: int = 0  # the index of the first event that is still available
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class List:
    """A list that is no library."""

    id: str
    name: str
    template: str = "genericList"
    hidden: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class Site:
    """A site collection or a subsite."""

    number: int
    id: str  # host,collection,web
    collection: str
    web: str
    path: str
    title: str
    template: str
    parent: int = NOBODY
    group: int = NOBODY
    owner: int = NOBODY
    sharing: int = 1  # SharingCapability as the admin API numbers it
    default_link: int = 0
    default_permission: int = 0
    link_days: int = 0  # AnonymousLinkExpirationInDays
    overrides_days: bool = False
    domain_mode: int = 0
    allowed_domains: str = ""
    blocked_domains: str = ""
    label: str = ""
    lock: str = "Unlock"
    archive: str = "NotArchived"
    geo: str = ""  # what the hosts of another geography have after the tenant's name
    channel: str = ""  # private, shared
    personal: bool = False
    created: int = 0
    modified: int = 0
    drives: list[int] = field(default_factory=list)
    lists: list[List] = field(default_factory=list)
    groups: dict[str, int] = field(default_factory=dict)  # Owners, Members, Visitors and others: principal
    app_grants: dict[int, str] = field(default_factory=dict)  # application: role (Sites.Selected)
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A configuration of cross-tenant access for one tenant."""

    tenant: str
    name: str = ""
    domain: str = ""
    direct_connect: bool = False  # shared channels
    trusts_mfa: bool = False
    provider: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityLabel:
    """A label as it is published."""

    id: str
    name: str
