"""The change logs of Drive v3: one for each user, one for each shared drive.

Each file stands once in what is left of a log, with its latest state. A new start token comes with the last page only.
A permission that changes on a folder is no change of what is below it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cloudscan_emulators.google import errors, field_masks, ids, reach, views
from cloudscan_emulators.google.discovery import Call
from cloudscan_emulators.google.files import Files
from cloudscan_emulators.google.quirks import Quirks
from cloudscan_emulators.google.records import MY_DRIVE, Drive, Event
from cloudscan_emulators.google.tenant_state import FIRST_CHANGE, TenantState
from cloudscan_emulators.google.text import moment
from cloudscan_emulators.google.views import View
from cloudscan_emulators.kit.json_text import dump

Json = dict[str, Any]
_CHANGE_DEFAULT: field_masks.Mask = {
    "kind": None,
    "nextPageToken": None,
    "newStartPageToken": None,
    "changes": {
        **dict.fromkeys(("kind", "removed", "fileId", "time", "type", "changeType", "driveId")),
        "file": views.DEFAULT_FILE,
        "drive": views.DEFAULT_DRIVE,
    },
}


class ChangesApi:
    """The methods, by their ids."""

    def __init__(self, state: TenantState, quirks: Quirks, files: Files) -> None:
        self._state = state
        self._quirks = quirks
        self._files = files
        self.methods: Mapping[str, Callable[[Call, int], str]] = {
            "drive.changes.getStartPageToken": self._start,
            "drive.changes.list": self._list_changes,
        }

    def _start(self, call: Call, who: int) -> str:
        self._changed_drive(call, who)
        body = {"kind": "drive#startPageToken", "startPageToken": str(self._state.newest_change)}
        return dump(field_masks.apply(call.mask, body))

    def _changed_drive(self, call: Call, who: int) -> Drive | None:
        identity = call.value("driveId") or call.value("teamDriveId")
        if not identity:
            return None
        if not (call.on("supportsAllDrives") or call.on("supportsTeamDrives")):
            raise errors.no_such_drive(identity)
        return reach.member_of(self._state, identity, who)

    def _list_changes(self, call: Call, who: int) -> str:
        state = self._state
        drive = self._changed_drive(call, who)
        all_drives = call.on("includeItemsFromAllDrives") or call.on("includeTeamDriveItems")
        if drive is not None and not all_drives:
            message = "The includeItemsFromAllDrives parameter must be set to true when driveId is set."
            raise errors.Refused(403, "includeTeamDriveItemsRequired", message, location="includeItemsFromAllDrives")
        start = self._change_number(call.value("pageToken"))
        events = state.events[start - FIRST_CHANGE :]
        last = {(event.item, event.drives if event.item is None else ()): at for at, event in enumerate(events)}
        mask = call.mask if call.masked else _CHANGE_DEFAULT
        _, change_mask = field_masks.below(mask, "changes")
        view = reach.view(self._state, self._quirks, call, who)
        size = call.numbers["pageSize"]
        changes: list[str] = []
        at = 0
        while at < len(events) and len(changes) < size:
            event = events[at]
            if last[event.item, event.drives if event.item is None else ()] == at:
                text = self._change(call, event, drive, all_drives, view, change_mask)
                if text:
                    changes.append(text)
            at += 1
        parts: list[str] = []
        reach.add_if_asked(parts, mask, "kind", '"drive#changeList"')
        if at < len(events):
            reach.add_if_asked(parts, mask, "nextPageToken", f'"{start + at}"')
        else:
            reach.add_if_asked(parts, mask, "newStartPageToken", f'"{state.newest_change}"')
        reach.add_if_asked(parts, mask, "changes", "[" + ",".join(changes) + "]")
        return "{" + ",".join(parts) + "}"

    def _change_number(self, text: str) -> int:
        if not text.isdigit() or not self._quirks.oldest_change <= int(text) <= self._state.newest_change:
            raise errors.invalid("pageToken")
        return int(text)

    def _change(
        self, call: Call, event: Event, drive: Drive | None, all_drives: bool, view: View, mask: field_masks.Mask
    ) -> str:
        """One entry; empty where it is not in this log."""
        if drive is not None and drive.number not in event.drives:
            return ""
        if drive is None and (view.who not in event.people or (event.drives and not all_drives)):
            return ""
        body: Json = {"kind": "drive#change", "time": moment(event.at)}
        if event.item is None:
            return self._drive_change(event, view, mask, body)
        item = self._state.items[event.item]
        readable = item is not None and reach.reads(self._state, item.number, view.who)
        gone = not readable or item is None or (drive is not None and item.drive != drive.number)
        if (
            drive is None
            and item is not None
            and item.drive != MY_DRIVE
            and (not all_drives or call.on("restrictToMyDrive"))
        ):
            gone = True
        if gone and not call.on("includeRemoved"):
            return ""
        body |= {"type": "file", "changeType": "file", "fileId": ids.file_id(event.item), "removed": gone}
        if item is not None and item.drive != MY_DRIVE and not gone:
            body |= {"driveId": ids.drive_id(item.drive), "teamDriveId": ids.drive_id(item.drive)}
        parts = [f'"{name}":{dump(value)}' for name, value in body.items() if field_masks.below(mask, name)[0]]
        asked, file_mask = field_masks.below(mask, "file")
        if asked and item is not None and readable and (not gone or call.on("includeCorpusRemovals")):
            parts.append('"file":' + self._files.write(view, file_mask, [item])[0])
        return "{" + ",".join(parts) + "}"

    def _drive_change(self, event: Event, view: View, mask: field_masks.Mask, body: Json) -> str:
        drive = self._state.drives[event.drives[0]]
        gone = drive is None or not self._state.access.drive_role(drive, view.who)
        identity = ids.drive_id(event.drives[0])
        body |= {"type": "teamDrive", "changeType": "drive", "driveId": identity, "teamDriveId": identity}
        body["removed"] = gone
        if drive is not None and not gone:
            body["drive"] = views.drive(self._state, drive, view.who, unit=False)
        return dump(field_masks.apply(mask, body))
