"""The answers of Google's APIs, as far as they are asked for. Unknown members are ignored.

Sources: the discovery documents of Drive v3, Admin Directory v1, Reports v1 and Cloud Identity v1.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec


class _Answer(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """Members are in camel case, and absent where they are empty. `broken`: items that could not be decoded."""


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


class Permissions(_Answer, frozen=True, kw_only=True):
    """A page of the permissions of a file or shared drive (Drive v3, PermissionList)."""

    permissions: Sequence[Permission] = ()
    next_page_token: str = ""
    broken: int = 0


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

    can_edit: bool = False
    can_comment: bool = False


class File(_Answer, frozen=True, kw_only=True):
    """A file, folder or shortcut."""

    id: str
    name: str = ""
    mime_type: str = ""
    parents: Sequence[str] = ()
    size: str | int = ""
    created_time: datetime | None = None
    modified_time: datetime | None = None
    trashed: bool = False
    owners: Sequence[Person] = ()
    drive_id: str = ""
    permissions: msgspec.Raw = msgspec.Raw()  # not decoded: most files have the same. Empty: we may not see them
    has_augmented_permissions: bool | None = None  # whether it has any of its own; None: Drive does not say
    inherited_permissions_disabled: bool = False
    copy_requires_writer_permission: bool = False
    writers_can_share: bool | None = None
    label_info: LabelInfo | None = None
    shortcut_details: Shortcut | None = None
    capabilities: Capabilities | None = None


class Files(_Answer, frozen=True, kw_only=True):
    """A page of files (Drive v3, FileList). Where `incomplete_search` is true, some files may be missing from it."""

    files: Sequence[File] = ()
    next_page_token: str = ""
    incomplete_search: bool = False
    broken: int = 0


class Change(_Answer, frozen=True, kw_only=True):
    """A file or drive that changed, with its present state; `file` is None where we can no longer see it."""

    change_type: str = "file"
    removed: bool = False
    file_id: str = ""
    file: File | None = None


class Changes(_Answer, frozen=True, kw_only=True):
    """A page of changes (Drive v3, ChangeList). Only the last one has `new_start_page_token`, for the next scan."""

    changes: Sequence[Change] = ()
    next_page_token: str = ""
    new_start_page_token: str = ""
    broken: int = 0


class StartOfChanges(_Answer, frozen=True, kw_only=True):
    """The token from which future changes are listed (Drive v3, StartPageToken). It does not expire."""

    start_page_token: str


class Restrictions(_Answer, frozen=True, kw_only=True):
    """The restrictions on a shared drive and its items (Drive v3, Drive.restrictions). An absent one counts as off."""

    admin_managed_restrictions: bool = False
    copy_requires_writer_permission: bool = False
    domain_users_only: bool = False
    drive_members_only: bool = False
    sharing_folders_requires_organizer_permission: bool = False


class SharedDrive(_Answer, frozen=True, kw_only=True):
    """A shared drive (Drive v3, Drive). Its id is also the id of its top-level folder."""

    id: str
    name: str = ""
    created_time: datetime | None = None
    hidden: bool = False
    restrictions: Restrictions | None = None  # None: Drive does not say, though asked


class SharedDrives(_Answer, frozen=True, kw_only=True):
    """A page of shared drives (Drive v3, DriveList); for an administrator, of all in the domain."""

    drives: Sequence[SharedDrive] = ()
    next_page_token: str = ""
    broken: int = 0


class About(_Answer, frozen=True, kw_only=True):
    """The user we act as (Drive v3, About). The rest of the answer is not requested."""

    user: Person = Person()


class Name(_Answer, frozen=True, kw_only=True):
    """The name of a user (Directory v1, UserName)."""

    full_name: str = ""


class Address(_Answer, frozen=True, kw_only=True):
    """An email address of a user, for work or private (Directory v1, UserEmail)."""

    address: str = ""


class Relation(_Answer, frozen=True, kw_only=True):
    """A relation of a user to another person (Directory v1, UserRelation).

    Only the type ``manager`` is used; its value is read as an email address.
    """

    type: str = ""
    value: str = ""


class Job(_Answer, frozen=True, kw_only=True):
    """An organisation that a user belongs to, and the department in it (Directory v1, UserOrganization)."""

    department: str = ""
    primary: bool = False


class User(_Answer, frozen=True, kw_only=True):
    """A user of the directory."""

    id: str
    primary_email: str
    name: Name = Name()
    suspended: bool = False
    archived: bool = False
    last_login_time: datetime | None = None
    creation_time: datetime | None = None
    org_unit_path: str = "/"
    aliases: Sequence[str] = ()
    non_editable_aliases: Sequence[str] = ()
    emails: Sequence[Address] = ()
    recovery_email: str = ""
    relations: Sequence[Relation] = ()
    organizations: Sequence[Job] = ()


class Users(_Answer, frozen=True, kw_only=True):
    """A page of the customer's users (Directory v1, Users)."""

    users: Sequence[User] = ()
    next_page_token: str = ""
    broken: int = 0


class Group(_Answer, frozen=True, kw_only=True):
    """A group of the directory, with all its addresses (Directory v1, Group)."""

    id: str
    email: str
    name: str = ""
    aliases: Sequence[str] = ()
    non_editable_aliases: Sequence[str] = ()


class Groups(_Answer, frozen=True, kw_only=True):
    """A page of the customer's groups (Directory v1, Groups)."""

    groups: Sequence[Group] = ()
    next_page_token: str = ""
    broken: int = 0


class Member(_Answer, frozen=True, kw_only=True):
    """A direct member of a group (Directory v1, Member). The type CUSTOMER has no email address."""

    id: str = ""
    email: str = ""
    role: str = ""
    type: str = ""  # USER, GROUP, CUSTOMER (all users), EXTERNAL


class Members(_Answer, frozen=True, kw_only=True):
    """A page of the direct members of a group (Directory v1, Members)."""

    members: Sequence[Member] = ()
    next_page_token: str = ""
    broken: int = 0


class Alias(_Answer, frozen=True, kw_only=True):
    """An alias of one of our domains (Directory v1, DomainAlias), verified unless Google says otherwise."""

    domain_alias_name: str = ""
    verified: bool = True


class Domain(_Answer, frozen=True, kw_only=True):
    """One of our domains with its aliases (Directory v1, Domains), verified unless Google says otherwise."""

    domain_name: str
    is_primary: bool = False
    verified: bool = True
    domain_aliases: Sequence[Alias] = ()


class Domains(_Answer, frozen=True, kw_only=True):
    """All our domains (Directory v1, Domains2). The list has no pages."""

    domains: Sequence[Domain] = ()


class Unit(_Answer, frozen=True, kw_only=True):
    """An organisational unit (Directory v1, OrgUnit). The path of the top one is ``/``."""

    org_unit_id: str = ""
    org_unit_path: str = ""
    name: str = ""


class Units(_Answer, frozen=True, kw_only=True):
    """Our organisational units (Directory v1, OrgUnits). The list has no pages."""

    organization_units: Sequence[Unit] = ()


class LogId(_Answer, frozen=True, kw_only=True):
    """The time of an activity (Reports v1, Activity.id). An activity without one is ignored."""

    time: datetime | None = None


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

    id: LogId = LogId()
    actor: LogActor = LogActor()
    events: Sequence[LogEvent] = ()


class Activities(_Answer, frozen=True, kw_only=True):
    """A page of the log (Reports v1, Activities). No items: nothing in it matches the request."""

    items: Sequence[Activity] = ()
    next_page_token: str = ""


class PolicyQuery(_Answer, frozen=True, kw_only=True):
    """What a policy applies to: ``orgUnits/<id>``, and perhaps a group (Cloud Identity v1, PolicyQuery).

    Either is empty unless the query has exactly one value for it.
    """

    org_unit: str = ""
    group: str = ""


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


class Policies(_Answer, frozen=True, kw_only=True):
    """A page of policies (Cloud Identity v1, ListPoliciesResponse)."""

    policies: Sequence[Policy] = ()
    next_page_token: str = ""


class ErrorEntry(_Answer, frozen=True, kw_only=True):
    """A cause of an error (Drive guide, "Resolve errors"): its code, and the parameter at fault, if any."""

    reason: str = ""
    location: str = ""


class ApiError(_Answer, frozen=True, kw_only=True):
    """An error of an API (Drive guide, "Resolve errors"). Its older form has no `status`."""

    code: int = 0
    message: str = ""
    status: str = ""
    errors: Sequence[ErrorEntry] = ()


class ErrorBody(_Answer, frozen=True, kw_only=True):
    """The body of an error."""

    error: ApiError = ApiError()
