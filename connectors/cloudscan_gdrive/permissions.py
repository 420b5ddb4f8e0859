"""The OAuth scopes that the Google Drive connector asks for, each with its reason.

All of them are read-only but one: Google has no read-only scope for the settings of groups. It is optional, and
cloudscan only ever reads with it.

Source: the discovery documents of Drive v3, Admin Directory v1, Groups Settings v1, Reports v1 and Cloud Identity v1
(scopes of each method).
"""

from collections.abc import Sequence

from cloudscan.connector import Permission
from cloudscan.sentence import say

PREFIX = "https://www.googleapis.com/auth/"

DRIVE = ("drive.metadata.readonly",)
SHARED_DRIVES = ("drive.readonly",)  # drives.list and drives.get take no narrower one that only reads
DIRECTORY = (
    "admin.directory.user.readonly",
    "admin.directory.group.readonly",
    "admin.directory.group.member.readonly",
    "admin.directory.domain.readonly",
    "admin.directory.orgunit.readonly",
)
GROUP_SETTINGS = ("apps.groups.settings",)
AUDIT = ("admin.reports.audit.readonly",)
POLICIES = ("cloud-identity.policies.readonly",)

PERMISSIONS: tuple[Permission, ...] = (
    Permission(name=PREFIX + DRIVE[0], reason=say("files and folders, their permissions and changes; no contents")),
    Permission(
        name=PREFIX + SHARED_DRIVES[0],
        reason=say("to list shared drives, which drive.metadata.readonly does not allow"),
    ),
    Permission(
        name=PREFIX + DIRECTORY[0],
        reason=say("users: whose drives there are, which person an account belongs to, who is suspended"),
    ),
    Permission(name=PREFIX + DIRECTORY[1], reason=say("groups that files are shared with")),
    Permission(name=PREFIX + DIRECTORY[2], reason=say("members of groups, to see external ones among them")),
    Permission(name=PREFIX + DIRECTORY[3], reason=say("our domains and their aliases, to tell internal from external")),
    Permission(name=PREFIX + DIRECTORY[4], reason=say("org units that sharing settings are made for"), optional=True),
    Permission(
        name=PREFIX + GROUP_SETTINGS[0],
        reason=say("who may join a group; Google offers no read-only form of this scope, cloudscan only reads with it"),
        optional=True,
    ),
    Permission(
        name=PREFIX + AUDIT[0],
        reason=say("the Drive log: since when files are shared and by whom, when external people last used them"),
        optional=True,
    ),
    Permission(
        name=PREFIX + POLICIES[0],
        reason=say("sharing settings; the administrator must be a super admin"),
        optional=True,
    ),
)


def scopes_of(names: Sequence[str]) -> list[str]:
    """Scopes as the token endpoint expects them: URLs, from short names."""
    return [PREFIX + name for name in names]


def delegation_list() -> str:
    """The text to paste into the Admin console under Security, API controls, Domain-wide delegation."""
    return ",".join(permission.name for permission in PERMISSIONS)
