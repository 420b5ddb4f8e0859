"""How people, permissions and shared drives look to whoever asks: the small resources of Drive v3.

Source: discovery document, User, Permission, Drive and Label.
"""

from dataclasses import dataclass
from typing import Any

from cloudscan_emulators.google import field_masks
from cloudscan_emulators.google.records import ANYONE, RANKS, Drive, Held, Item, Principal
from cloudscan_emulators.google.tenant_state import TenantState
from cloudscan_emulators.google.text import moment

Json = dict[str, Any]
DEFAULT_FILE: field_masks.Mask = {
    "kind": None,
    "id": None,
    "name": None,
    "mimeType": None,
    "driveId": None,
    "resourceKey": None,
}
DEFAULT_PERMISSION: field_masks.Mask = {"kind": None, "id": None, "type": None, "role": None}
DEFAULT_DRIVE: field_masks.Mask = {"kind": None, "id": None, "name": None}


@dataclass(frozen=True, kw_only=True)
class View:
    """Who looks, and with which options."""

    state: TenantState
    who: int
    labels: frozenset[str] = frozenset()
    published: bool = False  # includePermissionsForView=published
    details: bool = False  # tell permissionDetails of My Drive items within files

    def role(self, item: Item) -> str:
        return self.state.access.role(item, self.who)

    def may_share(self, item: Item) -> bool:
        role = self.role(item)
        if not role or RANKS[role] < RANKS["writer"]:
            return False
        return role != "writer" or item.extra is None or item.extra.writers_can_share


def person(state: TenantState, number: int, who: int) -> Json:
    """A User of Drive."""
    one = state.principals[number]
    face = {
        "kind": "drive#user",
        "displayName": one.name,
        "me": number == who,
        "permissionId": one.permission_id,
        "emailAddress": one.email,
    }
    return {name: value for name, value in face.items() if value != ""}


def permission(
    state: TenantState, held: Held, *, shared_drive: bool, limited: bool = False, details: bool = True
) -> Json:
    """A permission, with all its fields."""
    grant = held.grant
    one = state.principals[grant.principal]
    identity = "anyone" if grant.principal == ANYONE and grant.discoverable else one.permission_id
    face: Json = {"kind": "drive#permission", "id": identity, "type": one.kind, "role": grant.role}
    if one.kind in ("user", "group"):
        face |= _named(one)
        if one.kind == "user" and not shared_drive:
            face["pendingOwner"] = grant.pending
        if grant.expires:
            face["expirationTime"] = moment(grant.expires)
    else:
        if one.kind == "domain":
            face |= {"domain": one.domain, "displayName": one.name}
        face["allowFileDiscovery"] = grant.discoverable
    if grant.view:
        face["view"] = grant.view
    if limited:
        face["inheritedPermissionsDisabled"] = True
    if details:
        face["permissionDetails"] = [
            {
                "permissionType": "member" if detail.member else "file",
                "role": detail.role,
                "inherited": detail.inherited,
                **({"inheritedFrom": detail.origin} if detail.origin else {}),
            }
            for detail in held.details
        ]
        if shared_drive:
            face["teamDrivePermissionDetails"] = [
                {
                    ("teamDrivePermissionType" if name == "permissionType" else name): value
                    for name, value in one.items()
                }
                for one in face["permissionDetails"]
            ]
    return face


def _named(one: Principal) -> Json:
    if one.deleted:
        return {"deleted": True}
    return {"emailAddress": one.email, "displayName": one.name, "deleted": False}


def drive(state: TenantState, one: Drive, who: int, *, unit: bool) -> Json:
    """A shared drive, with all its fields."""
    rules = one.restrictions
    role = state.access.drive_role(one, who)
    manages = role == "organizer"
    face = {
        "kind": "drive#drive",
        "id": one.id,
        "name": one.name,
        "colorRgb": "#0f9d58",
        "createdTime": moment(one.created),
        "hidden": one.hidden,
        "capabilities": {
            "canAddChildren": at_least(role, "writer"),
            "canListChildren": bool(role),
            "canManageMembers": manages,
            "canRenameDrive": manages,
            "canDeleteDrive": manages,
            "canShare": at_least(role, "writer"),
            "canEdit": at_least(role, "writer"),
            "canDownload": bool(role),
        },
        "restrictions": {
            "adminManagedRestrictions": rules.admin_managed,
            "copyRequiresWriterPermission": rules.copy_requires_writer,
            "domainUsersOnly": rules.domain_users_only,
            "driveMembersOnly": rules.drive_members_only,
            "sharingFoldersRequiresOrganizerPermission": rules.sharing_folders_requires_organizer,
            "downloadRestriction": {
                "restrictedForReaders": rules.copy_requires_writer,
                "restrictedForWriters": False,
            },
        },
    }
    return {**face, "orgUnitId": state.units[one.unit].id} if unit else face


def seen(state: TenantState, item: Item, *, published: bool) -> list[Held]:
    """An item's permissions; the published view's only on demand."""
    return [held for held in state.access.held(item) if held.grant.view != "published" or published]


def label_face(label: Any) -> Json:
    return {
        "kind": "drive#label",
        "id": label.id,
        "revisionId": "1",
        "fields": {
            field: {"kind": "drive#labelField", "id": field, "valueType": kind, kind: list(values)}
            for field, kind, values in label.fields
        },
    }


def at_least(role: str, least: str) -> bool:
    return bool(role) and RANKS[role] >= RANKS[least]
