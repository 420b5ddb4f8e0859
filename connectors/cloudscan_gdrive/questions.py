"""What the connector asks Google: with which OAuth scope, and what is unknown without the answer.

`api.client` builds the requests of each question; `cloudscan_emulators.google.questions` says which requests those are.
"""

from dataclasses import replace
from typing import Final

from cloudscan.connector import Question
from cloudscan.facts import EVERYTHING, Hidden
from cloudscan_gdrive.permissions import AUDIT, DIRECTORY, DRIVE, GROUP_SETTINGS, POLICIES, PREFIX, SHARED_DRIVES

_ITEMS: Final = ("file", "folder", "shortcut")
_IN_MY_DRIVES: Final = ("my_drive", *_ITEMS)
_IN_SHARED_DRIVES: Final = ("shared_drive", *_ITEMS)
_WITH_SETTINGS: Final = ("tenant", "org_unit")

USERS: Final = Question(
    name="gdrive-users",
    needs=PREFIX + DIRECTORY[0],
    hides=(
        Hidden(table="principals"),
        Hidden(table="principals", columns=("affiliation", "status", "last_seen_on"), kinds=("user",)),
        Hidden(table="resources", kinds=(*_IN_MY_DRIVES, "external_file")),
        Hidden(table="grants", kinds=(*_IN_MY_DRIVES, "external_file")),
    ),
    names_scopes=True,
)
GROUPS: Final = Question(
    name="gdrive-groups",
    needs=PREFIX + DIRECTORY[1],
    hides=(Hidden(table="principals", kinds=("group",)), Hidden(table="memberships")),
)
MEMBERS: Final = Question(
    name="gdrive-members",
    needs=PREFIX + DIRECTORY[2],
    hides=(Hidden(table="memberships"),),
)
JOINING: Final = Question(
    name="gdrive-group-settings",
    needs=PREFIX + GROUP_SETTINGS[0],
    hides=(Hidden(table="principals", columns=("detail.join",), kinds=("group",)),),
)
DOMAINS: Final = Question(
    name="gdrive-domains",
    needs=PREFIX + DIRECTORY[3],
    hides=(Hidden(table="principals", columns=("affiliation", "status")),),
)
UNITS: Final = Question(
    name="gdrive-org-units",
    needs=PREFIX + DIRECTORY[4],
    hides=(
        Hidden(table="resources", columns=("name", "path"), kinds=("org_unit",)),
        Hidden(table="resources", kinds=("org_unit",)),
    ),
)
SHARING_SETTINGS: Final = Question(
    name="gdrive-policies",
    needs=PREFIX + POLICIES[0],
    hides=(Hidden(table="settings", kinds=_WITH_SETTINGS), Hidden(table="resources", kinds=("org_unit",))),
)
DRIVES: Final = Question(
    name="gdrive-shared-drives",
    needs=PREFIX + SHARED_DRIVES[0],
    hides=(
        Hidden(table="resources", kinds=_IN_SHARED_DRIVES),
        Hidden(table="grants", kinds=_IN_SHARED_DRIVES),
        Hidden(table="settings", kinds=("shared_drive",)),
        Hidden(table="principals"),
        Hidden(table="memberships"),
    ),
    member="drives",
    names_scopes=True,
)
ABOUT: Final = Question(
    name="gdrive-about",
    needs=PREFIX + DRIVE[0],
    hides=(Hidden(table=EVERYTHING),),
    names_scopes=True,
)
ROOT: Final = Question(
    name="gdrive-top-folder",
    needs=PREFIX + DRIVE[0],
    hides=(Hidden(table="resources", columns=("parent_uid", "path"), kinds=_ITEMS),),
)
OWN_FILES: Final = Question(
    name="gdrive-own-files",
    needs=PREFIX + DRIVE[0],
    hides=(Hidden(table=EVERYTHING),),
    member="files",
)
SHARED_DRIVE_FILES: Final = Question(
    name="gdrive-shared-drive-files",
    needs=PREFIX + DRIVE[0],
    hides=(Hidden(table=EVERYTHING),),
    member="files",
)
FILES_OF_OTHERS: Final = Question(
    name="gdrive-files-of-former-users",
    needs=PREFIX + DRIVE[0],
    hides=(Hidden(table="resources", kinds=_ITEMS), Hidden(table="grants", kinds=_ITEMS)),
    member="files",
)
EXTERNAL_FILES: Final = Question(
    name="gdrive-external-files",
    needs=PREFIX + DRIVE[0],
    hides=(Hidden(table="resources", kinds=("external_file",)), Hidden(table="grants", kinds=("external_file",))),
    member="files",
)
DRIVE_MEMBERS: Final = Question(
    name="gdrive-shared-drive-members",
    needs=PREFIX + DRIVE[0],
    hides=(
        Hidden(table="grants"),
        Hidden(table="memberships"),
        Hidden(table="principals"),
        Hidden(table="settings", columns=("value.managers",)),
    ),
    member="permissions",
)
ITEM_PERMISSIONS: Final = Question(
    name="gdrive-permissions",
    needs=PREFIX + DRIVE[0],
    hides=(Hidden(table="grants"),),
    member="permissions",
)
OWNERS: Final = replace(OWN_FILES, hides=(Hidden(table="resources", columns=("owner_uid",)),))
"""The same question, where only the owner is missing from the answer."""
START_OF_CHANGES: Final = Question(name="gdrive-start-of-changes", needs=PREFIX + DRIVE[0])
CHANGES: Final = Question(
    name="gdrive-changes",
    needs=PREFIX + DRIVE[0],
    hides=(Hidden(table=EVERYTHING),),
    member="changes",
)
ACTIVITIES: Final = Question(
    name="gdrive-log",
    needs=PREFIX + AUDIT[0],
    hides=(
        Hidden(table="grants", columns=("granted_on",)),
        Hidden(table="principals", columns=("last_seen_on",)),
        Hidden(table="resources", columns=("created_on",), kinds=("audit_log",)),
        Hidden(table="resources", kinds=("audit_log",)),
    ),
)
STILL_THERE: Final = Question(name="gdrive-single-things", needs=PREFIX + DRIVE[0])
INVENTORY: Final = Question(
    name="gdrive-inventory", hides=(Hidden(table="resources", kinds=_ITEMS), Hidden(table="grants"))
)
INVENTORY_FOLDERS: Final = Question(
    name="gdrive-inventory-folders", hides=(Hidden(table="resources", columns=("parent_uid", "path"), kinds=_ITEMS),)
)
INVENTORY_SWITCHES: Final = Question(
    name="gdrive-inventory-switches",
    hides=(
        Hidden(
            table="resources",
            columns=tuple(f"detail.{name}" for name in ("copy_restricted", "copy_restricted_writers", "trashed")),
            kinds=_ITEMS,
        ),
    ),
)

QUESTIONS: Final = (
    USERS,
    GROUPS,
    MEMBERS,
    JOINING,
    DOMAINS,
    UNITS,
    SHARING_SETTINGS,
    DRIVES,
    ABOUT,
    ROOT,
    OWN_FILES,
    SHARED_DRIVE_FILES,
    FILES_OF_OTHERS,
    EXTERNAL_FILES,
    DRIVE_MEMBERS,
    ITEM_PERMISSIONS,
    START_OF_CHANGES,
    CHANGES,
    ACTIVITIES,
    STILL_THERE,
)
"""All of them, for the core and for the documentation."""

INVENTORY_QUESTIONS: Final = (INVENTORY, INVENTORY_FOLDERS, INVENTORY_SWITCHES)
"""Those that the files of an inventory export answer: nothing is requested for them."""
