"""The answers of Google's APIs, as far as they are asked for. Unknown members are ignored.

Sources: the discovery documents of Drive v3, Admin Directory v1, Reports v1 and Cloud Identity v1.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec


class _Answer(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """Members are in camel case, and absent where they are empty.

    A field that may be None is None where Google sent something else than documented: it is not known.
    """


class Reply(_Answer, frozen=True, kw_only=True):
    """The whole body of an answer. `error` is not empty where Google reports an error with the status of a success."""

    error: msgspec.Raw = msgspec.Raw()


class Page(Reply, frozen=True, kw_only=True):
    """A page of a list. A list without a default is always there, even where it is empty.

    `broken` counts the entries that could not be decoded.
    """

    next_page_token: str = ""
    broken: int = 0


class Detail(_Answer, frozen=True, kw_only=True):
    """Where one role of a permission comes from."""

    permission_type: str = ""  # file, or member of the shared drive
    role: str = ""
    inherited: bool = False
    inherited_from: str = ""  # only in shared drives


class Permission(_Answer, frozen=True, kw_only=True):
    """A permission of a file or shared drive (Drive v3, Permission)."""

    id: str = ""
    type: str = ""
    role: str = ""
    email_address: str = ""
    domain: str = ""
    allow_file_discovery: bool | None = None
    expiration_time: datetime | None = None
    deleted: bool = False
    pending_owner: bool = False
    view: str = ""
    permission_details: Sequence[Detail] | None = None


class Permissions(Page, frozen=True, kw_only=True):
    """A page of the permissions of a file or shared drive (Drive v3, PermissionList)."""

    permissions: Sequence[Permission]

    @property
    def entries(self) -> Sequence[Permission]:
        """What is listed."""
        return self.permissions


class Thing(Reply, frozen=True, kw_only=True):
    """Any single thing, asked for to know whether it is there; a file may be trashed."""

    id: str


class Person(_Answer, frozen=True, kw_only=True):
    """A Drive user (Drive v3, User). No address: the user has not made it visible to us.

    `permission_id` is the id of the user in permissions. It is requested only for the user we act as.
    """

    email_address: str = ""
    permission_id: str = ""


class Shortcut(_Answer, frozen=True, kw_only=True):
    """The file that a shortcut points to (Drive v3, File.shortcutDetails)."""

    target_id: str = ""


class FileLabel(_Answer, frozen=True, kw_only=True):
    """A label on a file, by its id (Drive v3, Label)."""

    id: str = ""


class LabelInfo(_Answer, frozen=True, kw_only=True):
    """The labels on a file (Drive v3, File.labelInfo): only those that `includeLabels` asks for."""

    labels: Sequence[FileLabel] = ()


class Capabilities(_Answer, frozen=True, kw_only=True):
    """What the user in whose name we ask may do with a file."""

    can_edit: bool | None = None
    can_comment: bool | None = None


class DownloadRestriction(_Answer, frozen=True, kw_only=True):
    """Whom a restriction keeps from downloading, printing and copying (Drive v3, DownloadRestriction)."""

    restricted_for_readers: bool | None = None
    restricted_for_writers: bool | None = None


class DownloadRestrictions(_Answer, frozen=True, kw_only=True):
    """The restrictions on downloading a file (Drive v3, File.downloadRestrictions).

    What was set on the file itself counts where Drive does not say what it all comes to.
    """

    effective_download_restriction_with_context: DownloadRestriction | None = None
    item_download_restriction: DownloadRestriction | None = None


class File(_Answer, frozen=True, kw_only=True):
    """A file, folder or shortcut."""

    id: str
    name: str = ""
    mime_type: str = ""
    parents: Sequence[str] = ()
    size: str | int = ""
    created_time: datetime | None = None
    modified_time: datetime | None = None
    trashed: bool | None = False
    owners: Sequence[Person] = ()
    drive_id: str = ""
    permission_ids: Sequence[str] = ()
    permissions: msgspec.Raw = msgspec.Raw()  # not decoded: most files have the same. Empty: we may not see them
    has_augmented_permissions: bool | None = None  # whether it has any of its own; None: Drive does not say
    inherited_permissions_disabled: bool = False
    copy_requires_writer_permission: bool | None = False
    download_restrictions: DownloadRestrictions | None = None
    writers_can_share: bool | None = None
    label_info: LabelInfo | None = None
    shortcut_details: Shortcut | None = None
    capabilities: Capabilities | None = None


class TopFolder(Reply, frozen=True, kw_only=True):
    """The top folder of a drive (Drive v3, File): only its id is asked for."""

    id: str


class Files(Page, frozen=True, kw_only=True):
    """A page of files (Drive v3, FileList). Where `incomplete_search` is true, some files may be missing from it."""

    files: Sequence[File]
    incomplete_search: bool = False

    @property
    def entries(self) -> Sequence[File]:
        """What is listed."""
        return self.files


class Change(_Answer, frozen=True, kw_only=True):
    """A file or drive that changed, with its present state; `file` is None where we can no longer see it."""

    change_type: str = "file"
    removed: bool = False
    file_id: str = ""
    file: File | None = None


class Changes(Page, frozen=True, kw_only=True):
    """A page of changes (Drive v3, ChangeList). Only the last one has `new_start_page_token`, for the next scan."""

    changes: Sequence[Change]
    new_start_page_token: str = ""

    @property
    def entries(self) -> Sequence[Change]:
        """What is listed."""
        return self.changes


class StartOfChanges(Reply, frozen=True, kw_only=True):
    """The token from which future changes are listed (Drive v3, StartPageToken). It does not expire."""

    start_page_token: str


class Restrictions(_Answer, frozen=True, kw_only=True):
    """The restrictions on a shared drive and its items (Drive v3, Drive.restrictions). None: Drive does not say."""

    admin_managed_restrictions: bool | None = None
    copy_requires_writer_permission: bool | None = None
    domain_users_only: bool | None = None
    drive_members_only: bool | None = None
    sharing_folders_requires_organizer_permission: bool | None = None
    download_restriction: DownloadRestriction | None = None  # by its managers


class SharedDrive(_Answer, frozen=True, kw_only=True):
    """A shared drive (Drive v3, Drive). Its id is also the id of its top-level folder."""

    id: str
    name: str = ""
    created_time: datetime | None = None
    hidden: bool = False
    restrictions: Restrictions | None = None  # None: Drive does not say, though asked


class SharedDrives(Page, frozen=True, kw_only=True):
    """A page of shared drives (Drive v3, DriveList); for an administrator, of all in the domain."""

    drives: Sequence[SharedDrive]

    @property
    def entries(self) -> Sequence[SharedDrive]:
        """What is listed."""
        return self.drives


class About(Reply, frozen=True, kw_only=True):
    """The user we act as (Drive v3, About). The rest of the answer is not requested."""

    user: Person = Person()


class Name(_Answer, frozen=True, kw_only=True):
    """The name of a user (Directory v1, UserName)."""

    full_name: str = ""


class Address(_Answer, frozen=True, kw_only=True):
    """An email address of a user (Directory v1, UserEmail). Aliases are among them, without a type."""

    address: str = ""
    type: str = ""  # home, work, other, custom; an administrator's choice


class Relation(_Answer, frozen=True, kw_only=True):
    """A relation of a user to another person (Directory v1, UserRelation).

    Only the type ``manager`` is used; its value is free text, and counts where it is an email address.
    """

    type: str = ""
    value: str = ""


class ExternalId(_Answer, frozen=True, kw_only=True):
    """A number of the user elsewhere (Directory v1, UserExternalId): the employer's has the type ``organization``."""

    type: str = ""
    value: str = ""


class Job(_Answer, frozen=True, kw_only=True):
    """An organisation that a user belongs to, and the department in it (Directory v1, UserOrganization).

    The Admin console writes what it calls the type of employee into `description` (from memory, not read).
    """

    department: str = ""
    title: str = ""
    description: str = ""
    name: str = ""
    primary: bool = False


class GuestAccount(_Answer, frozen=True, kw_only=True):
    """Who a guest is outside (Directory v1, User.guestAccountInfo)."""

    primary_guest_email: str = ""


class User(_Answer, frozen=True, kw_only=True):
    """A user of the directory."""

    id: str
    primary_email: str
    name: Name = Name()
    suspended: bool | None = False
    archived: bool | None = False
    is_guest_user: bool | None = False  # an external user who was let in, not one of ours
    guest_account_info: GuestAccount = GuestAccount()
    suspension_time: datetime | None = None
    suspension_reason: str | None = ""  # only of somebody who is suspended
    archival_time: datetime | None = None
    last_login_time: datetime | None = None
    creation_time: datetime | None = None
    org_unit_path: str = "/"
    aliases: Sequence[str] | None = ()
    non_editable_aliases: Sequence[str] | None = ()
    emails: Sequence[Address] | None = ()
    recovery_email: str | None = ""
    relations: Sequence[Relation] | None = ()
    organizations: Sequence[Job] | None = ()
    external_ids: Sequence[ExternalId] | None = ()


class Users(Page, frozen=True, kw_only=True):
    """A page of the customer's users (Directory v1, Users)."""

    users: Sequence[User] = ()

    @property
    def entries(self) -> Sequence[User]:
        """What is listed."""
        return self.users


class Group(_Answer, frozen=True, kw_only=True):
    """A group of the directory, with all its addresses (Directory v1, Group)."""

    id: str
    email: str
    name: str = ""
    direct_members_count: str | int = ""
    aliases: Sequence[str] | None = ()
    non_editable_aliases: Sequence[str] | None = ()


class Groups(Page, frozen=True, kw_only=True):
    """A page of the customer's groups (Directory v1, Groups)."""

    groups: Sequence[Group] = ()

    @property
    def entries(self) -> Sequence[Group]:
        """What is listed."""
        return self.groups


class Member(_Answer, frozen=True, kw_only=True):
    """A direct member of a group (Directory v1, Member). The type CUSTOMER has no email address."""

    id: str = ""
    email: str = ""
    role: str = ""
    type: str = ""  # USER, GROUP, CUSTOMER (all users), EXTERNAL


class Members(Page, frozen=True, kw_only=True):
    """A page of the direct members of a group (Directory v1, Members)."""

    members: Sequence[Member] = ()

    @property
    def entries(self) -> Sequence[Member]:
        """What is listed."""
        return self.members


class GroupSettings(Reply, frozen=True, kw_only=True):
    """Who may join a group (Groups Settings v1, Groups). The service writes switches as texts."""

    who_can_join: str | None = ""
    allow_external_members: str | bool | None = ""


class Alias(_Answer, frozen=True, kw_only=True):
    """An alias of one of our domains (Directory v1, DomainAlias), verified unless Google says otherwise."""

    domain_alias_name: str
    verified: bool | None = True


class Domain(_Answer, frozen=True, kw_only=True):
    """One of our domains with its aliases (Directory v1, Domains), verified unless Google says otherwise."""

    domain_name: str
    is_primary: bool = False
    verified: bool | None = True
    domain_aliases: Sequence[Alias] | None = ()


class Domains(Page, frozen=True, kw_only=True):
    """All our domains (Directory v1, Domains2). The list has no pages."""

    domains: Sequence[Domain] = ()

    @property
    def entries(self) -> Sequence[Domain]:
        """What is listed."""
        return self.domains


class Unit(_Answer, frozen=True, kw_only=True):
    """An organisational unit (Directory v1, OrgUnit). The path of the top one is ``/``."""

    org_unit_id: str
    org_unit_path: str
    name: str = ""


class Units(Page, frozen=True, kw_only=True):
    """Our organisational units (Directory v1, OrgUnits). The list has no pages."""

    organization_units: Sequence[Unit] = ()

    @property
    def entries(self) -> Sequence[Unit]:
        """What is listed."""
        return self.organization_units


class LogId(_Answer, frozen=True, kw_only=True):
    """The time of an activity (Reports v1, Activity.id)."""

    time: datetime


class LogActor(_Answer, frozen=True, kw_only=True):
    """The user who acted, by primary email address (Reports v1, Activity.actor)."""

    email: str = ""  # empty: not signed in


class LogParameter(_Answer, frozen=True, kw_only=True):
    """A parameter of an event (Reports v1, Activity.events.parameters). Numbers and Boolean values are not read."""

    name: str = ""
    value: str = ""
    multi_value: Sequence[str] = ()


class LogEvent(_Answer, frozen=True, kw_only=True):
    """An event of an activity, such as ``change_user_access`` (Reports v1, Activity.events)."""

    name: str = ""
    parameters: Sequence[LogParameter] = ()


class Activity(_Answer, frozen=True, kw_only=True):
    """What one actor did at one time, as the log has it."""

    id: LogId
    actor: LogActor = LogActor()
    events: Sequence[LogEvent] = ()


class Activities(Page, frozen=True, kw_only=True):
    """A page of the log (Reports v1, Activities). No items: nothing in it matches the request."""

    items: Sequence[Activity] = ()
    kind: str = ""  # Google's name for the list

    @property
    def entries(self) -> Sequence[Activity]:
        """What is listed."""
        return self.items

    @property
    def is_one(self) -> bool:
        """Whether this is certainly a list of activities, even if it is empty: Google says so."""
        return bool(self.kind) or isinstance(self.items, list)


class PolicyQuery(_Answer, frozen=True, kw_only=True):
    """What a policy applies to: ``orgUnits/<id>``, and perhaps a group (Cloud Identity v1, PolicyQuery).

    Either is empty unless the query has exactly one value for it.
    """

    org_unit: str = ""
    group: str = ""
    query: str = ""  # may name licences too, and then it applies to who has one of them


class PolicySetting(_Answer, frozen=True, kw_only=True):
    """A setting's type and its values by name (Cloud Identity v1, Setting).

    Source for the names: Policy API, "Drive and Docs settings".
    """

    type: str = ""
    value: Mapping[str, Any] = {}


class Policy(_Answer, frozen=True, kw_only=True):
    """A setting as configured for an organisational unit or group (Cloud Identity v1, Policy).

    It is not resolved with other policies that apply. `type`: SYSTEM where Google configured it, else ADMIN.
    """

    policy_query: PolicyQuery = PolicyQuery()
    setting: PolicySetting = PolicySetting()
    type: str = ""


class Policies(Page, frozen=True, kw_only=True):
    """A page of policies (Cloud Identity v1, ListPoliciesResponse)."""

    policies: Sequence[Policy] = ()

    @property
    def entries(self) -> Sequence[Policy]:
        """What is listed."""
        return self.policies


class ErrorEntry(_Answer, frozen=True, kw_only=True):
    """A cause of an error (Drive guide, "Resolve errors"): its code, the parameter at fault, and where help is."""

    reason: str = ""
    location: str = ""
    extended_help: str = ""


class ErrorDetail(_Answer, frozen=True, kw_only=True):
    """What a newer API says of an error's cause (google.rpc.ErrorInfo)."""

    reason: str = ""
    metadata: Mapping[str, str] = {}


class ApiError(_Answer, frozen=True, kw_only=True):
    """An error of an API (Drive guide, "Resolve errors"). Its older form has no `status`."""

    code: int = 0
    message: str = ""
    status: str = ""
    errors: Sequence[ErrorEntry] = ()
    details: Sequence[ErrorDetail] = ()


class ErrorBody(_Answer, frozen=True, kw_only=True):
    """The body of an error."""

    error: ApiError = ApiError()
