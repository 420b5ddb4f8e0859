"""The uids of Google's resources and principals in a snapshot: ``gdrive:<kind>/<id>``. Addresses are in lower case."""

PLATFORM = "gdrive"


def tenant(domain: str) -> str:
    """A Workspace customer by its primary domain."""
    return f"{PLATFORM}:tenant/{domain}"


def org_unit(identity: str) -> str:
    """`identity` may have the ``id:`` or ``orgUnits/`` that Google's APIs put before it."""
    return f"{PLATFORM}:org-unit/{identity.removeprefix('id:').removeprefix('orgUnits/')}"


def audit_log(domain: str) -> str:
    """The Drive log of a Workspace customer by the customer's primary domain."""
    return f"{PLATFORM}:audit-log/{domain}"


def external_files(user_or_domain: str) -> str:
    """What external people shared with a user, or with a whole domain."""
    return f"{PLATFORM}:external-files/{user_or_domain}"


def my_drive(user_id: str) -> str:
    """A user's My Drive by the user's id in the directory; without an administrator, by the user's permission id."""
    return f"{PLATFORM}:my-drive/{user_id}"


def left_behind(user_id: str) -> str:
    """What a user can open of suspended accounts' files."""
    return f"{PLATFORM}:left-behind/{user_id}"


def shared_drive(drive_id: str) -> str:
    """A shared drive by its id."""
    return f"{PLATFORM}:shared-drive/{drive_id}"


def file(file_id: str) -> str:
    """A file, folder or shortcut in any drive, by its id; external files too."""
    return f"{PLATFORM}:file/{file_id}"


def user(email: str) -> str:
    """A user by email address; one of ours by the primary address, a group's member without an address by member id."""
    return f"{PLATFORM}:user/{email.lower()}"


def group(email: str) -> str:
    """A group by email address; one of ours by the primary address."""
    return f"{PLATFORM}:group/{email.lower()}"


def domain(name: str) -> str:
    """A whole domain or a target audience by its domain name."""
    return f"{PLATFORM}:domain/{name.lower()}"


def everyone(domain: str) -> str:
    """The group of all users, which the directory's member type CUSTOMER stands for."""
    return f"{PLATFORM}:everybody/{domain}"


def drive_members(drive_id: str) -> str:
    """The members of a shared drive, as a group, by the id of the drive."""
    return f"{PLATFORM}:members/{drive_id}"


def deleted(permission_id: str) -> str:
    """A deleted account, of which only the id of its permissions is left."""
    return f"{PLATFORM}:deleted/{permission_id}"
