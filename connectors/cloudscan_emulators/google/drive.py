"""Drive v3, as far as a scanner reads it."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from cloudscan_emulators.google import errors, field_masks, ids, pages, query, reach, views
from cloudscan_emulators.google.changes import ChangesApi
from cloudscan_emulators.google.discovery import Call
from cloudscan_emulators.google.files import Files
from cloudscan_emulators.google.quirks import Quirks
from cloudscan_emulators.google.records import MY_DRIVE, EffectiveGrant, Item
from cloudscan_emulators.google.tenant_state import TenantState
from cloudscan_emulators.kit.json_text import dump

Json = dict[str, Any]
_SORT_KEYS: Mapping[str, Callable[[Item], Any]] = {
    "createdTime": lambda item: item.created,
    "folder": lambda item: not item.is_folder,
    "modifiedByMeTime": lambda item: item.modified,
    "modifiedTime": lambda item: item.modified,
    "name": lambda item: item.name.lower(),
    "name_natural": lambda item: item.name.lower(),
    "quotaBytesUsed": lambda item: item.size,
    "recency": lambda item: item.modified,
    "sharedWithMeTime": lambda item: item.created,
    "starred": lambda item: not (item.extra and item.extra.starred_by),
    "viewedByMeTime": lambda item: item.modified,
}
_SORTED_SEARCHES = 16


class DriveApi:
    """The methods, by their ids."""

    def __init__(self, state: TenantState, quirks: Quirks) -> None:
        self._state = state
        self._quirks = quirks
        self._files = Files(state)
        self._corpora: dict[object, list[int]] = {}
        self._sorted: dict[object, list[int]] = {}
        self._generation = -1
        self.incomplete = False  # the next files.list answers incompleteSearch
        self.methods: Mapping[str, Callable[[Call, int], str]] = {
            "drive.about.get": self._about,
            "drive.files.list": self._list_files,
            "drive.files.get": self._get_file,
            "drive.files.listLabels": self._list_labels,
            "drive.permissions.list": self._list_permissions,
            "drive.permissions.get": self._get_permission,
            "drive.drives.list": self._list_drives,
            "drive.drives.get": self._get_drive,
            **ChangesApi(state, quirks, self._files).methods,
        }

    # about

    def _about(self, call: Call, who: int) -> str:
        if not call.masked:
            message = "The 'fields' parameter is required for this method."
            raise errors.Refused(400, "required", message, location="fields")
        body = {
            "kind": "drive#about",
            "user": views.person(self._state, who, who),
            "storageQuota": {"usage": "0", "usageInDrive": "0", "usageInDriveTrash": "0"},
            "canCreateDrives": True,
            "canCreateTeamDrives": True,
            "appInstalled": False,
            "maxUploadSize": str(5 * 2**40),
        }
        return dump(field_masks.apply(call.mask, body))

    # files

    def _list_files(self, call: Call, who: int) -> str:
        state = self._state
        corpora = call.value("corpora") or call.value("corpus") or "user"
        drive = self._corpus_drive(call, corpora, who)
        all_drives = call.on("includeItemsFromAllDrives") or call.on("includeTeamDriveItems")
        view = reach.view(self._state, self._quirks, call, who)
        mask: field_masks.Mask = call.mask if call.masked else {**_PAGE, "files": views.DEFAULT_FILE}
        _, file_mask = field_masks.below(mask, "files")
        test = query.for_files(call.value("q"), query.Searcher(state=state, who=who)) if call.value("q") else None
        order = _order(call.value("orderBy"))
        if call.value("spaces") not in ("", "drive"):
            numbers: Sequence[int] = ()
        else:
            numbers = self._corpus(who, corpora, drive, all_drives)
        if order:
            numbers = self._in_order(numbers, (who, corpora, drive, all_drives), call.value("orderBy"), order)
        search = ("files", who, corpora, drive, all_drives, call.value("q"), call.value("orderBy"))
        begin = pages.position(call.value("pageToken"), search, self._quirks.page_epoch)
        start = begin.skip if order else bisect_right(numbers, begin.after)
        items, end = self._page(numbers, start, self._page_size(call, file_mask), test)
        parts: list[str] = []
        reach.add_if_asked(parts, mask, "kind", '"drive#fileList"')
        if end < len(numbers):
            position = pages.Position(skip=end) if order else pages.Position(after=numbers[end - 1] if end else -1)
            reach.add_if_asked(
                parts, mask, "nextPageToken", dump(pages.token(search, position, self._quirks.page_epoch))
            )
        beyond = self._quirks.incomplete_beyond
        incomplete = self.incomplete or (corpora == "allDrives" and beyond is not None and len(numbers) > beyond)
        self.incomplete = False
        reach.add_if_asked(parts, mask, "incompleteSearch", "true" if incomplete else "false")
        if field_masks.below(mask, "files")[0]:
            parts.append('"files":[' + ",".join(self._files.write(view, file_mask, items)) + "]")
        return "{" + ",".join(parts) + "}"

    def _corpus_drive(self, call: Call, corpora: str, who: int) -> int:
        """Which shared drive is searched; the rules between corpora, driveId and the two switches."""
        if corpora not in ("user", "domain", "drive", "allDrives"):
            raise errors.invalid("corpora")
        identity = call.value("driveId") or call.value("teamDriveId")
        supports = call.on("supportsAllDrives") or call.on("supportsTeamDrives")
        includes = call.on("includeItemsFromAllDrives") or call.on("includeTeamDriveItems")
        if bool(identity) != (corpora == "drive"):
            message = "The driveId parameter must be specified if and only if corpora is set to drive."
            raise errors.invalid("driveId", message)
        if includes and not supports:
            message = (
                "The supportsAllDrives parameter must be set to true when includeItemsFromAllDrives is set to true."
            )
            raise errors.Refused(403, "teamDrivesNotSupported", message, location="supportsAllDrives")
        if corpora in ("drive", "allDrives") and not includes:
            message = f"The includeItemsFromAllDrives parameter must be set to true when corpora is set to {corpora}."
            raise errors.Refused(403, "includeTeamDriveItemsRequired", message, location="includeItemsFromAllDrives")
        return reach.member_of(self._state, identity, who).number if identity else MY_DRIVE

    def _page_size(self, call: Call, mask: field_masks.Mask) -> int:
        size = call.numbers["pageSize"]
        if field_masks.below(mask, "parents")[0] and self._quirks.parents_cap:
            size = min(size, self._quirks.parents_cap)
        if field_masks.below(mask, "permissions")[0] and self._quirks.permissions_cap:
            size = min(size, self._quirks.permissions_cap)
        return size

    def _page(
        self, numbers: Sequence[int], start: int, size: int, test: query.Test[Item] | None
    ) -> tuple[list[Item], int]:
        page: list[Item] = []
        all_items = self._state.items
        end = min(len(numbers), start + self._quirks.search_budget)
        at = start
        while at < end and len(page) < size:
            item = all_items[numbers[at]]
            at += 1
            if item is not None and (test is None or test(item)):
                page.append(item)
        return page, at

    def _in_order(self, numbers: Sequence[int], corpus: object, text: str, order: "_Order") -> list[int]:
        key = (corpus, text)
        if key not in self._sorted:
            if len(self._sorted) >= _SORTED_SEARCHES:
                self._sorted.clear()
            ordered = [item for number in numbers if (item := self._state.items[number]) is not None]
            for get, backwards in reversed(order):
                ordered.sort(key=get, reverse=backwards)
            self._sorted[key] = [item.number for item in ordered]
        return self._sorted[key]

    def _corpus(self, who: int, corpora: str, drive: int, all_drives: bool) -> list[int]:
        """The numbers of the files that a search goes over, ascending."""
        if self._generation != self._state.generation:
            self._corpora.clear()
            self._sorted.clear()
            self._generation = self._state.generation
        key = (who, corpora, drive, all_drives)
        if key not in self._corpora:
            self._corpora[key] = self._find_corpus(who, corpora, drive, all_drives)
        return self._corpora[key]

    def _find_corpus(self, who: int, corpora: str, drive: int, all_drives: bool) -> list[int]:
        state = self._state
        if corpora == "drive":
            candidate = state.drives[drive]
            complete = candidate is not None and state.access.drive_role(candidate, who) == "organizer"
            return self._readable(state.held_by_drive[drive], who) if not complete else state.held_by_drive[drive]
        mine = state.access.identities(who)
        if corpora == "domain":
            wanted = [candidate for candidate in mine if state.principals[candidate].kind == "domain"]
            items = self._with_below(number for candidate in wanted for number in state.shared_with[candidate])
            return sorted(
                item.number
                for item in items
                if item.drive == MY_DRIVE or all_drives
                if state.access.visibility(item) in ("domainCanFind", "anyoneCanFind")
            )
        named = [candidate for candidate in mine if state.principals[candidate].kind in ("user", "group")]
        shared = [number for candidate in named for number in state.shared_with[candidate]] + list(
            state.opened.get(who, ())
        )
        reached = {item.number for item in self._with_below(shared) if item.drive == MY_DRIVE or all_drives}
        reached = {number for number in reached if reach.reads(self._state, number, who)}
        if corpora == "allDrives":
            for candidate in state.drives:
                if candidate is not None and state.access.drive_role(candidate, who):
                    reached.update(self._find_corpus(who, "drive", candidate.number, True))
        if not reached:
            return state.owned[who]
        return sorted(reached.union(state.owned[who]))

    def _readable(self, numbers: Iterable[int], who: int) -> list[int]:
        """Without what is in a limited-access folder: there, membership is not enough."""
        items = self._state.items
        if not any(item is not None and item.limited for item in map(items.__getitem__, numbers)):
            return list(numbers)
        return [
            number
            for number in numbers
            if reach.reads(self._state, number, who) or reach.glimpses(self._state, number, who)
        ]

    def _with_below(self, numbers: Iterable[int]) -> Iterable[Item]:
        for number in set(numbers):
            item = self._state.items[number]
            if item is not None:
                yield item
                if item.is_folder:
                    yield from self._state.descendants(item)

    def _get_file(self, call: Call, who: int) -> str:
        identity = call.value("fileId")
        view = reach.view(self._state, self._quirks, call, who)
        mask = call.mask if call.masked else views.DEFAULT_FILE
        if identity == "root":
            identity = ids.root_id(who)
        if ids.root_number(identity) == who:
            return dump(field_masks.apply(mask, self._files.root(view, who)))
        return self._files.write(view, mask, [self._find(call, identity, who)])[0]

    def _find(self, call: Call, identity: str, who: int) -> Item:
        """The item, if the caller may see it and has declared support for shared drives."""
        item = self._state.item(identity)
        supports = call.on("supportsAllDrives") or call.on("supportsTeamDrives")
        if item is None or (item.drive != MY_DRIVE and not supports):
            raise errors.no_such_file(identity)
        if not reach.reads(self._state, item.number, who) and not reach.glimpses(self._state, item.number, who):
            raise errors.no_such_file(identity)
        return item

    def _list_labels(self, call: Call, who: int) -> str:
        item = self._state.item(call.value("fileId"))
        if item is None or not reach.reads(self._state, item.number, who):
            raise errors.no_such_file(call.value("fileId"))
        labels = item.extra.labels if item.extra else ()
        body = {"kind": "drive#labelList", "labels": [views.label_body(label) for label in labels]}
        return dump(field_masks.apply(call.mask, body))

    # permissions

    def _list_permissions(self, call: Call, who: int) -> str:
        grants, shared_drive, limited = self._permissions_of(call, who)
        mask: field_masks.Mask = (
            call.mask if call.masked else {"kind": None, "nextPageToken": None, "permissions": views.DEFAULT_PERMISSION}
        )
        size = call.numbers.get("pageSize", 100 if shared_drive else len(grants) or 1)
        search = ("permissions", who, call.value("fileId"))
        start = pages.position(call.value("pageToken"), search, self._quirks.page_epoch).skip
        page = grants[start : start + size]
        body: Json = {"kind": "drive#permissionList"}
        if start + size < len(grants):
            body["nextPageToken"] = pages.token(search, pages.Position(skip=start + size), self._quirks.page_epoch)
        body["permissions"] = [
            views.permission(self._state, grant, shared_drive=shared_drive, limited=limited) for grant in page
        ]
        return dump(field_masks.apply(mask, body))

    def _get_permission(self, call: Call, who: int) -> str:
        grants, shared_drive, limited = self._permissions_of(call, who)
        mask = call.mask if call.masked else views.DEFAULT_PERMISSION
        for grant in grants:
            body = views.permission(self._state, grant, shared_drive=shared_drive, limited=limited)
            if body["id"] == call.value("permissionId"):
                return dump(field_masks.apply(mask, body))
        raise errors.no_such_permission(call.value("permissionId"))

    def _permissions_of(self, call: Call, who: int) -> tuple[list[EffectiveGrant], bool, bool]:
        """The permissions of a file or of a shared drive itself, and whether it is of a shared drive, and limited."""
        state = self._state
        identity = call.value("fileId")
        supports = call.on("supportsAllDrives") or call.on("supportsTeamDrives")
        admin = call.on("useDomainAdminAccess")
        if ids.drive_number(identity) is not None:
            drive = state.drive(identity)
            if drive is None or not supports:
                raise errors.no_such_file(identity)
            if not state.access.drive_role(drive, who) and not (admin and reach.administers(self._state, who)):
                raise errors.no_such_file(identity)
            return list(state.access.members(drive)), True, False
        item = state.item(identity)
        if (
            item is not None
            and item.drive != MY_DRIVE
            and supports
            and admin
            and not reach.reads(self._state, item.number, who)
        ):
            raise errors.not_a_member()
        item = self._find(call, identity, who)
        view = reach.view(self._state, self._quirks, call, who)
        if not view.may_share(item):
            raise errors.may_not_list_permissions()
        return views.seen(state, item, published=view.published), item.drive != MY_DRIVE, item.limited

    # shared drives

    def _list_drives(self, call: Call, who: int) -> str:
        state = self._state
        admin = call.on("useDomainAdminAccess")
        if admin and not reach.administers(self._state, who):
            raise errors.Refused(403, "forbidden", "The user does not have sufficient permissions for this operation.")
        test = query.for_drives(call.value("q"), state) if call.value("q") else None
        drives = [
            drive
            for drive in state.drives
            if drive is not None and (admin or state.access.drive_role(drive, who)) and (test is None or test(drive))
        ]
        size = call.numbers["pageSize"]
        search = ("drives", who, admin, call.value("q"))
        start = pages.position(call.value("pageToken"), search, self._quirks.page_epoch).skip
        body: Json = {"kind": "drive#driveList"}
        if start + size < len(drives):
            body["nextPageToken"] = pages.token(search, pages.Position(skip=start + size), self._quirks.page_epoch)
        body["drives"] = [views.drive(state, drive, who, unit=admin) for drive in drives[start : start + size]]
        mask: field_masks.Mask = (
            call.mask if call.masked else {"kind": None, "nextPageToken": None, "drives": views.DEFAULT_DRIVE}
        )
        return dump(field_masks.apply(mask, body))

    def _get_drive(self, call: Call, who: int) -> str:
        drive = self._state.drive(call.value("driveId"))
        admin = call.on("useDomainAdminAccess") and reach.administers(self._state, who)
        if drive is None or not (admin or self._state.access.drive_role(drive, who)):
            raise errors.no_such_drive(call.value("driveId"))
        mask = call.mask if call.masked else views.DEFAULT_DRIVE
        return dump(field_masks.apply(mask, views.drive(self._state, drive, who, unit=False)))


_PAGE: Mapping[str, field_masks.Mask] = {"kind": None, "incompleteSearch": None, "nextPageToken": None}
_Order = list[tuple[Callable[[Item], Any], bool]]


def _order(text: str) -> _Order:
    sort_keys: _Order = []
    for part in text.split(",") if text else ():
        name, _, direction = part.strip().partition(" ")
        if name not in _SORT_KEYS or direction not in ("", "desc"):
            raise errors.invalid("orderBy", f"Invalid sort key: {part.strip()}")
        sort_keys.append((_SORT_KEYS[name], direction == "desc"))
    return sort_keys
