"""How people, permissions and shared drives look to the caller: the small resources of Drive v3.

Source: discovery document, User, Permission, Drive and Label.
"""

from dataclasses import dataclass
from typing import Any

from cloudscan_emulators.google import field_masks
from cloudscan_emulators.google.records import ANYONE, RANKS, Drive, EffectiveGrant, Item, Principal
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
    details: bool = False  # show permissionDetails of My Drive items within files

    def role(self, item: Item) -> str:
        return self.state.access.role(item, self.who)

    def may_share(self, item: Item) -> bool:
        role = self.role(item)
        if not role or RANKS[role] < RANKS["writer"]:
            return False
        return role != "writer" or item.extra is None or item.extra.writers_can_share


def person(state: TenantState, number: int, who: int) -> Json:
    """A User of Drive."""
    principal = state.principals[number]
    body = {
        "kind": "drive#user",
        "displayName": principal.name,
        "me": number == who,
        "permissionId": principal.permission_id,
        "emailAddress": principal.email,
    }
    return {name: value for name, value in body.items() if value != ""}


def permission(
    state: TenantState, effective: EffectiveGrant, *, shared_drive: bool, limited: bool = False, details: bool = True
) -> Json:
    """A permission, with all its fields."""
    grant = effective.grant
    principal = state.principals[grant.principal]
    identity = "anyone" if grant.principal == ANYONE and grant.discoverable else principal.permission_id
    body: Json = {"kind": "drive#permission", "id": identity, "type": principal.kind, "role": grant.role}
    if principal.kind in ("user", "group"):
        body |= _named(principal)
        if principal.kind == "user" and not shared_drive:
            body["pendingOwner"] = grant.pending
        if grant.expires:
            body["expirationTime"] = moment(grant.expires)
    else:
        if principal.kind == "domain":
            body |= {"domain": principal.domain, "displayName": principal.name}
        body["allowFileDiscovery"] = grant.discoverable
    if grant.view:
        body["view"] = grant.view
    if limited:
        body["inheritedPermissionsDisabled"] = True
    if details:
        body["permissionDetails"] = [
            {
                "permissionType": "member" if detail.member else "file",
                "role": detail.role,
                "inherited": detail.inherited,
                **({"inheritedFrom": detail.origin} if detail.origin else {}),
            }
            for detail in effective.details
        ]
        if shared_drive:
            body["teamDrivePermissionDetails"] = [
                {
                    ("teamDrivePermissionType" if name == "permissionType" else name): value
                    for name, value in principal.items()
                }
                for principal in body["permissionDetails"]
            ]
    return body


def _named(principal: Principal) -> Json:
    if principal.deleted:
        return {"deleted": True}
    return {"emailAddress": principal.email, "displayName": principal.name, "deleted": False}


def drive(state: TenantState, shared_drive: Drive, who: int, *, unit: bool) -> Json:
    """A shared drive, with all its fields."""
    rules = shared_drive.restrictions
    role = state.access.drive_role(shared_drive, who)
    manages = role == "organizer"
    body = {
        "kind": "drive#drive",
        "id": shared_drive.id,
        "name": shared_drive.name,
        "colorRgb": "#0f9d58",
        "createdTime": moment(shared_drive.created),
        "hidden": shared_drive.hidden,
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
    return {**body, "orgUnitId": state.units[shared_drive.unit].id} if unit else body


def seen(state: TenantState, item: Item, *, published: bool) -> list[EffectiveGrant]:
    """An item's permissions; the published view's only on demand."""
    return [effective for effective in state.access.grants_on(item) if effective.grant.view != "published" or published]


def label_body(label: Any) -> Json:
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
