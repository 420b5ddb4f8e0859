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
    permissions: Sequence[Permission] = ()
    next_page_token: str = ""
    broken: int = 0


class Person(_Answer, frozen=True, kw_only=True):
    email_address: str = ""
    permission_id: str = ""


class Shortcut(_Answer, frozen=True, kw_only=True):
    target_id: str = ""


class FileLabel(_Answer, frozen=True, kw_only=True):
    id: str = ""


class LabelInfo(_Answer, frozen=True, kw_only=True):
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
    changes: Sequence[Change] = ()
    next_page_token: str = ""
    new_start_page_token: str = ""
    broken: int = 0


class StartOfChanges(_Answer, frozen=True, kw_only=True):
    start_page_token: str


class Restrictions(_Answer, frozen=True, kw_only=True):
    admin_managed_restrictions: bool = False
    copy_requires_writer_permission: bool = False
    domain_users_only: bool = False
    drive_members_only: bool = False
    sharing_folders_requires_organizer_permission: bool = False


class SharedDrive(_Answer, frozen=True, kw_only=True):
    id: str
    name: str = ""
    created_time: datetime | None = None
    hidden: bool = False
    restrictions: Restrictions | None = None  # None: Drive does not say, though asked


class SharedDrives(_Answer, frozen=True, kw_only=True):
    drives: Sequence[SharedDrive] = ()
    next_page_token: str = ""
    broken: int = 0


class About(_Answer, frozen=True, kw_only=True):
    user: Person = Person()


class Name(_Answer, frozen=True, kw_only=True):
    full_name: str = ""


class Address(_Answer, frozen=True, kw_only=True):
    address: str = ""


class Relation(_Answer, frozen=True, kw_only=True):
    type: str = ""
    value: str = ""


class Job(_Answer, frozen=True, kw_only=True):
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
    users: Sequence[User] = ()
    next_page_token: str = ""
    broken: int = 0


class Group(_Answer, frozen=True, kw_only=True):
    id: str
    email: str
    name: str = ""
    aliases: Sequence[str] = ()
    non_editable_aliases: Sequence[str] = ()


class Groups(_Answer, frozen=True, kw_only=True):
    groups: Sequence[Group] = ()
    next_page_token: str = ""
    broken: int = 0


class Member(_Answer, frozen=True, kw_only=True):
    id: str = ""
    email: str = ""
    role: str = ""
    type: str = ""  # USER, GROUP, CUSTOMER (all users), EXTERNAL


class Members(_Answer, frozen=True, kw_only=True):
    members: Sequence[Member] = ()
    next_page_token: str = ""
    broken: int = 0


class Alias(_Answer, frozen=True, kw_only=True):
    domain_alias_name: str = ""
    verified: bool = True


class Domain(_Answer, frozen=True, kw_only=True):
    domain_name: str
    is_primary: bool = False
    verified: bool = True
    domain_aliases: Sequence[Alias] = ()


class Domains(_Answer, frozen=True, kw_only=True):
    domains: Sequence[Domain] = ()


class Unit(_Answer, frozen=True, kw_only=True):
    org_unit_id: str = ""
    org_unit_path: str = ""
    name: str = ""


class Units(_Answer, frozen=True, kw_only=True):
    organization_units: Sequence[Unit] = ()


class LogId(_Answer, frozen=True, kw_only=True):
    time: datetime | None = None


class LogActor(_Answer, frozen=True, kw_only=True):
    email: str = ""  # empty: not signed in


class LogParameter(_Answer, frozen=True, kw_only=True):
    name: str = ""
    value: str = ""
    multi_value: Sequence[str] = ()


class LogEvent(_Answer, frozen=True, kw_only=True):
    name: str = ""
    parameters: Sequence[LogParameter] = ()


class Activity(_Answer, frozen=True, kw_only=True):
    """What one actor did at one time, as the log has it."""

    id: LogId = LogId()
    actor: LogActor = LogActor()
    events: Sequence[LogEvent] = ()


class Activities(_Answer, frozen=True, kw_only=True):
    items: Sequence[Activity] = ()
    next_page_token: str = ""


class PolicyQuery(_Answer, frozen=True, kw_only=True):
    org_unit: str = ""
    group: str = ""


class PolicySetting(_Answer, frozen=True, kw_only=True):
    type: str = ""
    value: Mapping[str, Any] = {}


class Policy(_Answer, frozen=True, kw_only=True):
    policy_query: PolicyQuery = PolicyQuery()
    setting: PolicySetting = PolicySetting()
    type: str = ""


class Policies(_Answer, frozen=True, kw_only=True):
    policies: Sequence[Policy] = ()
    next_page_token: str = ""


class ErrorEntry(_Answer, frozen=True, kw_only=True):
    reason: str = ""
    location: str = ""


class ApiError(_Answer, frozen=True, kw_only=True):
    code: int = 0
    message: str = ""
    status: str = ""
    errors: Sequence[ErrorEntry] = ()


class ErrorBody(_Answer, frozen=True, kw_only=True):
    """The body of an error."""

    error: ApiError = ApiError()
