"""What Drive writes into its log: who gave whom access, and who used a file. Terms are the log's own.

Source: Reports API, "Drive Audit Activity Events". A change of general access stands in one activity twice, as a
change of scope and as a change of visibility; a named person's or group's once.
"""

from collections.abc import Mapping
from typing import NamedTuple

from cloudscan_emulators.google import ids
from cloudscan_emulators.google.access import Access
from cloudscan_emulators.google.records import (
    ANYONE,
    DOCUMENT,
    FOLDER,
    FORM,
    MY_DRIVE,
    NOBODY,
    SHEET,
    SHORTCUT,
    SLIDES,
    Account,
    Drive,
    Item,
    Principal,
)

Value = str | bool | tuple[str, ...]
ACCESS: Mapping[str, str] = {
    "": "none",
    "reader": "can_view",
    "commenter": "can_comment",
    "writer": "can_edit",
}
VISIBILITIES = {
    "anyoneCanFind": "public_on_the_web",
    "anyoneWithLink": "people_with_link",
    "domainCanFind": "public_in_the_domain",
    "domainWithLink": "people_within_domain_with_link",
}
EVENTS: Mapping[str, str] = {
    "change_user_access": "acl_change",
    "change_document_access_scope": "acl_change",
    "change_document_visibility": "acl_change",
    "change_acl_editors": "acl_change",
    "shared_drive_membership_change": "acl_change",
    "shared_drive_settings_change": "acl_change",
    "change_owner": "acl_change",
    "view": "access",
    "edit": "access",
    "download": "access",
    "create": "access",
    "rename": "access",
    "move": "access",
    "trash": "access",
    "untrash": "access",
    "delete": "access",
    "change_user_access_hierarchy_reconciled": "acl_change",
}
"""The event names that are known, with their types; any other one is refused."""

_TYPES = {
    FOLDER: "folder",
    DOCUMENT: "document",
    SHEET: "spreadsheet",
    SLIDES: "presentation",
    FORM: "form",
    SHORTCUT: "shortcut",
    "application/pdf": "pdf",
    "image/jpeg": "jpeg",
    "image/png": "png",
    "text/plain": "txt",
}


class LogEvent(NamedTuple):
    """One event of an activity."""

    name: str
    parameters: tuple[tuple[str, Value], ...]

    def value(self, name: str) -> Value | None:
        return dict(self.parameters).get(name)


class Activity(NamedTuple):
    """What one actor did at one time."""

    at: int
    actor: int  # a principal; NOBODY: not signed in
    events: tuple[LogEvent, ...]


class AuditLog:
    """The Drive log of a company. Files that others own are in their owners' logs, not in this one."""

    def __init__(self, principals: list[Principal], drives: list[Drive | None], access: Access) -> None:
        self.activities: list[Activity] = []
        self._principals = principals
        self._drives = drives
        self._access = access

    def visibility(self, item: Item) -> str:
        """How far a file is open, in the log's words."""
        general = self._access.visibility(item)
        if general != "limited":
            return VISIBILITIES[general]
        people = {
            effective.grant.principal for effective in self._access.grants_on(item) if not effective.grant.view
        } - {item.owner}
        if not people:
            return "private"
        ours = all(self._is_ours(self._principals[principal]) for principal in people)
        return "shared_internally" if ours else "shared_externally"

    def shared(self, at: int, by: int, item: Item, to: Principal, old: str, new: str, before: str) -> None:
        """A principal's access changed from one role to another; `before` is the visibility until then."""
        if not self._is_kept(item):
            return
        after = self.visibility(item)
        common = (
            *self._document(item, after),
            ("old_visibility", before),
            ("visibility_change", self._change(before, after)),
        )
        values = (("old_value", (ACCESS.get(old, old),)), ("new_value", (ACCESS.get(new, new),)))
        if to.kind in ("user", "group"):
            events = [LogEvent("change_user_access", (*common, ("target_user", to.email), *values))]
        else:
            target = ("target_domain", "all" if to.number == ANYONE else to.domain)
            seen = (("old_value", (before,)), ("new_value", (after,)))
            events = [
                LogEvent("change_document_access_scope", (*common, target, *values)),
                LogEvent("change_document_visibility", (*common, target, *seen)),
            ]
        self.activities.append(Activity(at, self.actor(item, by), tuple(events)))

    def member(self, at: int, by: int, drive: Drive, who: Principal, old: str, new: str) -> None:
        """A member was added to a shared drive, removed, or given another role."""
        kind = "change_roles" if old and new else "add_to_shared_drive" if new else "remove_from_shared_drive"
        parameters: tuple[tuple[str, Value], ...] = (
            ("primary_event", True),
            ("membership_change_type", kind),
            ("target", who.email),
            *((("added_role", new),) if new else ()),
            *((("removed_role", old),) if old else ()),
            ("shared_drive_id", drive.id),
            ("doc_id", drive.id),
            ("doc_title", drive.name),
            ("doc_type", "shared_drive"),
            ("owner", drive.name),
            ("owner_is_shared_drive", True),
        )
        actor = by if by != NOBODY else self._manager(drive)
        self.activities.append(Activity(at, actor, (LogEvent("shared_drive_membership_change", parameters),)))

    def used(self, at: int, actor: int, item: Item, verb: str) -> None:
        """A user viewed, edited or downloaded a file."""
        if self._is_kept(item):
            event = LogEvent(verb, self._document(item, self.visibility(item)))
            self.activities.append(Activity(at, actor, (event,)))

    def changed(self, at: int, by: int, item: Item, name: str, more: tuple[tuple[str, Value], ...] = ()) -> None:
        """Something else happened to a file. Guessed of Google: that each of these is in the log, under these names."""
        if self._is_kept(item):
            event = LogEvent(name, (*self._document(item, self.visibility(item)), *more))
            self.activities.append(Activity(at, self.actor(item, by), (event,)))

    def drive_changed(self, at: int, drive: Drive) -> None:
        """A shared drive has another name or other restrictions."""
        parameters: tuple[tuple[str, Value], ...] = (
            ("primary_event", True),
            ("shared_drive_id", drive.id),
            ("doc_id", drive.id),
            ("doc_title", drive.name),
            ("doc_type", "shared_drive"),
            ("owner", drive.name),
            ("owner_is_shared_drive", True),
        )
        self.activities.append(
            Activity(at, self._manager(drive), (LogEvent("shared_drive_settings_change", parameters),))
        )

    def actor(self, item: Item, by: int) -> int:
        """Who did it, where nobody was named: the owner, or the first manager of the shared drive."""
        if by != NOBODY:
            return by
        if item.drive == MY_DRIVE:
            return item.owner
        drive = self._drives[item.drive]
        return NOBODY if drive is None else self._manager(drive)

    def _manager(self, drive: Drive) -> int:
        return next((principal.principal for principal in drive.members if principal.role == "organizer"), NOBODY)

    def _document(self, item: Item, visibility: str) -> tuple[tuple[str, Value], ...]:
        drive = self._drives[item.drive] if item.drive != MY_DRIVE else None
        return (
            ("primary_event", True),
            ("billable", True),
            ("owner_is_shared_drive", drive is not None),
            ("owner", drive.name if drive else self._principals[item.owner].email),
            *((("shared_drive_id", drive.id),) if drive else ()),
            ("doc_id", ids.file_id(item.number)),
            ("doc_type", _TYPES.get(item.mime, "unknown")),
            ("doc_title", item.name),
            ("is_encrypted", bool(item.extra and item.extra.encrypted)),
            ("visibility", visibility),
            ("originating_app_id", "691301496089"),
            ("actor_is_collaborator_account", False),
        )

    def _change(self, before: str, after: str) -> str:
        outside = {"shared_externally", "people_with_link", "public_on_the_web"}
        if before == after:
            return "none"
        return "external" if after in outside and before not in outside else "internal"

    def _is_kept(self, item: Item) -> bool:
        return item.drive != MY_DRIVE or isinstance(self._principals[item.owner], Account)

    def _is_ours(self, principal: Principal) -> bool:
        return isinstance(principal, Account) or self._access.is_own_domain(principal.domain)
