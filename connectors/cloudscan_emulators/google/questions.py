"""Which requests belong to which question of a scanner: regular expressions for ``METHOD path?query``, decoded.

The names are those that the connector for Google Drive declares; the emulator knows nothing else of it.
"""

from collections.abc import Mapping
from typing import Final

PATTERNS: Final[Mapping[str, str]] = {
    "gdrive-users": r"GET /admin/directory/v1/users\?",
    "gdrive-groups": r"GET /admin/directory/v1/groups\?",
    "gdrive-members": r"GET /admin/directory/v1/groups/[^/]+/members",
    "gdrive-group-settings": r"GET /groups/v1/groups/",
    "gdrive-domains": r"GET /admin/directory/v1/customer/[^/]+/domains",
    "gdrive-org-units": r"GET /admin/directory/v1/customer/[^/]+/orgunits",
    "gdrive-policies": r"GET /v1/policies",
    "gdrive-shared-drives": r"GET /drive/v3/drives\?",
    "gdrive-about": r"GET /drive/v3/about",
    "gdrive-top-folder": r"GET /drive/v3/files/root",
    "gdrive-own-files": r"GET /drive/v3/files\?(?=.*('me' in owners|in parents))(?!.*(sharedWithMe|driveId=))",
    "gdrive-shared-drive-files": r"GET /drive/v3/files\?(?=.*driveId=)",
    "gdrive-files-of-former-users": r"GET /drive/v3/files\?(?=.*@[^']*' in owners)",
    "gdrive-external-files": r"GET /drive/v3/files\?(?=.*sharedWithMe)",
    "gdrive-shared-drive-members": r"GET /drive/v3/files/[^/]+/permissions\?(?=.*useDomainAdminAccess=true)",
    "gdrive-permissions": r"GET /drive/v3/files/[^/]+/permissions\?(?!.*useDomainAdminAccess=true)",
    "gdrive-start-of-changes": r"GET /drive/v3/changes/startPageToken",
    "gdrive-changes": r"GET /drive/v3/changes\?",
    "gdrive-log": r"GET /admin/reports/v1/activity/",
    "gdrive-single-things": (
        r"GET (/drive/v3/(files/(?!root)[^/?]+|drives/[^/?]+)|/admin/directory/v1/(users|groups)/[^/?]+)(\?|$)"
    ),
}
"""By the question's name."""
