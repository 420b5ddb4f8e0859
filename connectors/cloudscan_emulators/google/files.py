"""The File resource, field by field, and pages of files as JSON text.

The important part is what is *not* there. Shared-drive items have no permissions, owners, shared, ownedByMe and
writersCanShare; only they have driveId, hasAugmentedPermissions and the trash's details. A child of a folder that the
caller cannot see has no parents. (Discovery document, File.)
"""

from collections.abc import Callable, Mapping
from typing import Any

from cloudscan_emulators.google import field_masks, ids, views
from cloudscan_emulators.google.records import FOLDER, MY_DRIVE, NOBODY, ORPHAN, SHORTCUT, TOP, Item
from cloudscan_emulators.google.tenant_state import TenantState
from cloudscan_emulators.google.text import moment
from cloudscan_emulators.google.views import View
from cloudscan_emulators.kit.json_text import dump, quoted

Json = dict[str, Any]
_NATIVE = "application/vnd.google-apps."
_CACHED = 50_000


class Files:
    """Items as JSON text. What many items share is remembered until the tenant changes."""

    def __init__(self, state: TenantState) -> None:
        self._state = state
        self._generation = -1
        self._remembered: dict[object, str] = {}
        self._plans: dict[int, tuple[field_masks.Mask, list[tuple[str, _Writer]]]] = {}

    def write(self, view: View, mask: field_masks.Mask, items: list[Item]) -> list[str]:
        """The items, as far as the mask goes."""
        if self._generation != self._state.generation or len(self._remembered) > _CACHED:
            self._remembered.clear()
            self._generation = self._state.generation
        plan = self._plan(mask)
        return [
            "{" + ",".join([head + text for head, write in plan if (text := write(view, item))]) + "}" for item in items
        ]

    def root(self, view: View, owner: int) -> Json:
        """The root folder of a user's My Drive, which no list contains."""
        return {
            "kind": "drive#file",
            "id": ids.root_id(owner),
            "name": "My Drive",
            "mimeType": FOLDER,
            "owners": [views.person(self._state, owner, view.who)],
            "ownedByMe": owner == view.who,
            "shared": False,
            "trashed": False,
            "createdTime": moment(0),
            "modifiedTime": moment(0),
        }

    def _plan(self, mask: field_masks.Mask) -> list[tuple[str, "_Writer"]]:
        remembered = self._plans.get(id(mask))
        if remembered is not None and remembered[0] is mask:
            return remembered[1]
        plan: list[tuple[str, _Writer]] = []
        for name, write in {**_TEXTS, **dict.fromkeys((*_VALUES, *self._lists))}.items():
            asked, below = field_masks.below(mask, name)
            if not asked:
                continue
            if write is not None:
                plan.append((f'"{name}":', write))
            elif name in _VALUES:
                plan.append((f'"{name}":', _value_writer(_VALUES[name], below)))
            else:
                plan.append((f'"{name}":', self._lists[name](self, below)))
        if len(self._plans) > 500:
            self._plans.clear()  # they keep the masks alive by whose identity answers are remembered
            self._remembered.clear()
        self._plans[id(mask)] = (mask, plan)
        return plan

    def _owners(self, mask: field_masks.Mask) -> "_Writer":
        def write(view: View, item: Item) -> str | None:
            if item.owner == NOBODY:
                return None
            key = ("owner", id(mask), item.owner, view.who)
            if key not in self._remembered:
                self._remembered[key] = dump([field_masks.apply(mask, views.person(self._state, item.owner, view.who))])
            return self._remembered[key]

        return write

    def _permissions(self, mask: field_masks.Mask) -> "_Writer":
        def write(view: View, item: Item) -> str | None:
            if item.drive != MY_DRIVE or not view.may_share(item):
                return None
            key = ("may", id(mask), view.published, view.details, self._state.access.key(item))
            if key not in self._remembered:
                self._remembered[key] = dump(
                    [
                        field_masks.apply(
                            mask,
                            views.permission(
                                self._state, grant, shared_drive=False, limited=item.limited, details=view.details
                            ),
                        )
                        for grant in views.seen(self._state, item, published=view.published)
                    ]
                )
            return self._remembered[key]

        return write

    def _permission_ids(self, _mask: field_masks.Mask) -> "_Writer":
        def write(view: View, item: Item) -> str | None:
            key = ("ids", view.published, self._state.access.key(item))
            if key not in self._remembered:
                ids_of_grants = (
                    views.permission(self._state, grant, shared_drive=False, details=False)["id"]
                    for grant in views.seen(self._state, item, published=view.published)
                )
                self._remembered[key] = dump(list(dict.fromkeys(ids_of_grants)))
            return self._remembered[key]

        return write

    _lists: Mapping[str, Callable[["Files", field_masks.Mask], "_Writer"]] = {
        "owners": _owners,
        "permissions": _permissions,
        "permissionIds": _permission_ids,
    }


def parent_of(view: View, item: Item) -> str | None:
    """The id of the folder, where the caller can see it."""
    if item.parent == TOP:
        if item.drive != MY_DRIVE:
            drive = view.state.drives[item.drive]
            return drive.id if drive is not None and view.state.access.drive_role(drive, view.who) else None
        return ids.root_id(item.owner) if item.owner == view.who else None
    if item.parent == ORPHAN:
        return None
    folder = view.state.items[item.parent]
    if folder is None or (folder.owner != view.who and not view.role(folder)):
        return None
    return folder.id


_Writer = Callable[[View, Item], str | None]


def _value_writer(get: Callable[[View, Item], Any], mask: field_masks.Mask) -> _Writer:
    def write(view: View, item: Item) -> str | None:
        value = get(view, item)
        return None if value is None else dump(field_masks.apply(mask, value))

    return write


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _parents(view: View, item: Item) -> str | None:
    parent = parent_of(view, item)
    return None if parent is None else f'["{parent}"]'


def _size(_: View, item: Item) -> str | None:
    return None if item.mime in (FOLDER, SHORTCUT) else f'"{item.size}"'


def _drive_id(_: View, item: Item) -> str | None:
    return None if item.drive == MY_DRIVE else f'"{ids.drive_id(item.drive)}"'


def _augmented(_: View, item: Item) -> str | None:
    return None if item.drive == MY_DRIVE else _truth(any(not grant.view for grant in item.grants))


def _shared(view: View, item: Item) -> str | None:
    return None if item.drive != MY_DRIVE else _truth(len(view.state.access.grants_on(item)) > 1)


def _owned(view: View, item: Item) -> str | None:
    return None if item.drive != MY_DRIVE else _truth(item.owner == view.who)


def _writers_can_share(_: View, item: Item) -> str | None:
    if item.drive != MY_DRIVE:
        return None
    return _truth(item.extra is None or item.extra.writers_can_share)


def _resource_key(_: View, item: Item) -> str | None:
    return quoted(item.extra.resource_key) if item.extra and item.extra.resource_key else None


def _trashed_time(_: View, item: Item) -> str | None:
    if item.drive == MY_DRIVE or not item.trashed or item.extra is None:
        return None
    return quoted(moment(item.extra.trashed_on))


def _shared_with_me(view: View, item: Item) -> str | None:
    if not _shared_to_me(view, item):
        return None
    return quoted(moment(item.extra.shared_on if item.extra and item.extra.shared_on else item.created + 3600))


def _shared_to_me(view: View, item: Item) -> bool:
    if item.owner == view.who or not item.grants:
        return False
    mine = view.state.access.identities(view.who)
    return any(
        grant.principal in mine and view.state.principals[grant.principal].kind in ("user", "group")
        for grant in item.grants
    )


def _content(item: Item) -> bool:
    return not item.mime.startswith(_NATIVE)


def _extension(item: Item) -> str | None:
    return item.name.rsplit(".", 1)[1] if _content(item) and "." in item.name else None


_TEXTS: Mapping[str, _Writer] = {
    "kind": lambda _view, _item: '"drive#file"',
    "id": lambda _view, item: f'"{ids.file_id(item.number)}"',
    "name": lambda _view, item: dump(item.name),
    "mimeType": lambda _view, item: f'"{item.mime}"',
    "driveId": _drive_id,
    "teamDriveId": _drive_id,
    "resourceKey": _resource_key,
    "parents": _parents,
    "createdTime": lambda _view, item: f'"{moment(item.created)}"',
    "modifiedTime": lambda _view, item: f'"{moment(item.modified)}"',
    "trashed": lambda view, item: _truth(view.state.in_trash(item)),
    "explicitlyTrashed": lambda _view, item: _truth(item.trashed),
    "trashedTime": _trashed_time,
    "size": _size,
    "quotaBytesUsed": lambda _view, item: f'"{item.size}"',
    "version": lambda _view, item: f'"{item.version}"',
    "shared": _shared,
    "ownedByMe": _owned,
    "writersCanShare": _writers_can_share,
    "hasAugmentedPermissions": _augmented,
    "inheritedPermissionsDisabled": lambda _view, item: _truth(item.limited) if item.is_folder else None,
    "sharedWithMeTime": _shared_with_me,
    "viewedByMe": lambda view, item: _truth(item.owner == view.who),
    "starred": lambda view, item: _truth(item.extra is not None and view.who in item.extra.starred_by),
    "copyRequiresWriterPermission": lambda _view, item: _truth(bool(item.extra and item.extra.copy_requires_writer)),
    "viewersCanCopyContent": lambda _view, item: _truth(not (item.extra and item.extra.copy_requires_writer)),
    "webViewLink": lambda _view, item: f'"https://drive.google.com/file/d/{item.id}/view?usp=drivesdk"',
    "iconLink": lambda _view, item: f'"https://drive-thirdparty.googleusercontent.com/16/type/{item.mime}"',
    "hasThumbnail": lambda _view, _item: "false",
    "thumbnailVersion": lambda _view, _item: '"0"',
    "isAppAuthorized": lambda _view, _item: "false",
    "modifiedByMe": lambda view, item: _truth(_modified_by(item) == view.who),
    "md5Checksum": lambda _view, item: (
        f'"{item.number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}"' if _content(item) else None
    ),
    "originalFilename": lambda _view, item: dump(item.name) if _content(item) else None,
    "fileExtension": lambda _view, item: dump(_extension(item)) if _extension(item) else None,
    "fullFileExtension": lambda _view, item: dump(_extension(item)) if _extension(item) else None,
    "headRevisionId": lambda _view, item: f'"0B{item.number:x}"' if _content(item) else None,
    "folderColorRgb": lambda _view, item: '"#8f8f8f"' if item.is_folder else None,
    "description": lambda _view, item: dump(item.extra.description) if item.extra and item.extra.description else None,
}


def _modified_by(item: Item) -> int:
    return item.extra.modified_by if item.extra and item.extra.modified_by != NOBODY else item.owner


def _last_modifier(view: View, item: Item) -> Json | None:
    by = _modified_by(item)
    return None if by == NOBODY else views.person(view.state, by, view.who)


def _sharer(view: View, item: Item) -> Json | None:
    if not _shared_to_me(view, item):
        return None
    by = item.extra.shared_by if item.extra and item.extra.shared_by != NOBODY else item.owner
    return None if by == NOBODY else views.person(view.state, by, view.who)


def _trasher(view: View, item: Item) -> Json | None:
    if item.drive == MY_DRIVE or not item.trashed or item.extra is None or item.extra.trashed_by == NOBODY:
        return None
    return views.person(view.state, item.extra.trashed_by, view.who)


def _shortcut(view: View, item: Item) -> Json | None:
    if item.extra is None or item.extra.shortcut_to is None:
        return None
    target = view.state.items[item.extra.shortcut_to]
    body: Json = {"targetId": ids.file_id(item.extra.shortcut_to)}
    if target is not None:
        body["targetMimeType"] = target.mime
        if target.extra and target.extra.resource_key:
            body["targetResourceKey"] = target.extra.resource_key
    return body


def _labels(view: View, item: Item) -> Json | None:
    """Only of the labels that were asked for by id."""
    if not view.labels:
        return None
    labels = item.extra.labels if item.extra else ()
    return {"labels": [views.label_body(label) for label in labels if label.id in view.labels]}


def _capabilities(view: View, item: Item) -> Json:
    role = view.role(item)
    writes = views.at_least(role, "writer")
    owns = role in ("owner", "organizer")
    body = {
        "canShare": view.may_share(item),
        "canEdit": writes,
        "canRename": writes,
        "canModifyContent": writes,
        "canComment": views.at_least(role, "commenter"),
        "canCopy": bool(role)
        and not item.is_folder
        and (writes or not (item.extra and item.extra.copy_requires_writer)),
        "canDownload": bool(role) and (writes or not (item.extra and item.extra.copy_requires_writer)),
        "canTrash": owns,
        "canDelete": owns,
        "canReadRevisions": writes,
        "canListChildren": item.is_folder and bool(role),
        "canAddChildren": item.is_folder and writes,
        "canDisableInheritedPermissions": item.is_folder and owns and not item.limited,
        "canEnableInheritedPermissions": item.is_folder and owns and item.limited,
    }
    return {**body, "canReadDrive": _reads_drive(view, item)} if item.drive != MY_DRIVE else body


def _reads_drive(view: View, item: Item) -> bool:
    drive = view.state.drives[item.drive]
    return drive is not None and bool(view.state.access.drive_role(drive, view.who))


def _link_share(_: View, item: Item) -> Json | None:
    if item.extra is None or not item.extra.resource_key:
        return None
    return {"securityUpdateEligible": True, "securityUpdateEnabled": True}


def _locks(_: View, item: Item) -> list[Json] | None:
    if item.extra is None or not item.extra.locked:
        return None
    return [{"readOnly": True, "reason": item.extra.locked, "type": "globalContentRestriction"}]


_VALUES: Mapping[str, Callable[[View, Item], Any]] = {
    "lastModifyingUser": _last_modifier,
    "sharingUser": _sharer,
    "trashingUser": _trasher,
    "shortcutDetails": _shortcut,
    "labelInfo": _labels,
    "capabilities": _capabilities,
    "linkShareMetadata": _link_share,
    "contentRestrictions": _locks,
    "properties": lambda _view, item: dict(item.extra.properties) if item.extra and item.extra.properties else None,
    "spaces": lambda _view, _item: ["drive"],
    "clientEncryptionDetails": lambda _view, item: (
        {"encryptionState": "encrypted"} if item.extra and item.extra.encrypted else None
    ),
}
