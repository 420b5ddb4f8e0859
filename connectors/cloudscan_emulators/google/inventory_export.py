"""A Drive inventory export, as BigQuery writes a table to files: a row for each file that is somebody's of the company.

The columns of identity are those of Admin help, "Schema and example queries for Drive inventory exports in BigQuery";
those of permissions, folders and content type are guessed, since that page was not to be had in full.
"""

import json
from collections.abc import Iterator
from typing import Any

from cloudscan_emulators.google import ids, views
from cloudscan_emulators.google.records import Account, Item
from cloudscan_emulators.google.tenant_state import TenantState

Json = dict[str, Any]
_MICROS = 1_000_000


def rows(state: TenantState) -> Iterator[Json]:
    """Every file and folder that belongs to an account of the company or to one of its shared drives."""
    for item in state.items:
        if item is None:
            continue
        owner = _owner(state, item)
        if owner is None:
            continue
        folder = state.items[item.parent] if item.parent >= 0 else None
        yield {
            "id": item.id,
            "version": item.version,
            "owner": owner,
            "creator": None,
            "title": item.name,
            "description": "",
            "mime_type": item.mime,
            "size_bytes": item.size,
            "parents": [folder.id] if folder is not None else [],
            "create_time_micros": item.created * _MICROS,
            "last_modified_time_micros": item.modified * _MICROS,
            "trashed": state.in_trash(item),
            "access": {"permissions": [_permission(one) for one in _listed(state, item)]},
            "snapshot_start_time_micros": state.now * _MICROS,
            "snapshot_end_time_micros": state.now * _MICROS,
            "read_time_micros": (state.now - 3600) * _MICROS,
        }


def as_json_lines(state: TenantState) -> str:
    """The table as JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows(state))


def _owner(state: TenantState, item: Item) -> Json | None:
    drive = state.drives[item.drive] if item.drive >= 0 else None
    if drive is not None:
        return {"user": None, "shared_drive": {"id": drive.id}}
    owner = state.principals[item.owner] if item.owner >= 0 else None
    if not isinstance(owner, Account) or owner.deleted_on:
        return None
    return {"user": {"id": ids.directory_id(owner.number), "email": owner.email}, "shared_drive": None}


def _listed(state: TenantState, item: Item) -> Iterator[Json]:
    for effective in views.seen(state, item, published=True):
        yield views.permission(state, effective, shared_drive=item.drive >= 0, details=False)


def _permission(given: Json) -> Json:
    """In snake case, words in capitals, as BigQuery's exports of Google's have them (guessed)."""
    names = {"emailAddress": "email", "allowFileDiscovery": "allow_file_discovery", "expirationTime": "expiration_time"}
    kept = {
        names.get(name, name): value
        for name, value in given.items()
        if name in ("id", "domain", "view", "deleted", *names)
    }
    return {
        **kept,
        "type": str(given["type"]).upper(),
        "role": str(given["role"]).upper(),
        "pending_owner": bool(given.get("pendingOwner")),
    }
