"""What several methods of Drive check first: whether the caller can see a file or drive, and in which view."""

from cloudscan_emulators.google import errors, field_masks
from cloudscan_emulators.google.discovery import Call
from cloudscan_emulators.google.quirks import Quirks
from cloudscan_emulators.google.records import Account, Drive
from cloudscan_emulators.google.tenant_state import TenantState
from cloudscan_emulators.google.views import View


def view(state: TenantState, quirks: Quirks, call: Call, who: int) -> View:
    """The caller with the options of the call."""
    wanted = call.value("includePermissionsForView")
    if wanted not in ("", "published"):
        raise errors.invalid("includePermissionsForView")
    labels = frozenset(label for label in call.value("includeLabels").split(",") if label)
    published = wanted == "published"
    return View(state=state, who=who, labels=labels, published=published, details=quirks.details_in_files)


def member_of(state: TenantState, identity: str, who: int) -> Drive:
    """The shared drive, if the caller is a member of it."""
    drive = state.drive(identity)
    if drive is None:
        raise errors.no_such_drive(identity)
    if not state.access.drive_role(drive, who):
        raise errors.not_a_member()
    return drive


def administers(state: TenantState, who: int) -> bool:
    person = state.principals[who]
    return isinstance(person, Account) and bool(person.admin)


def reads(state: TenantState, number: int, who: int) -> bool:
    item = state.items[number]
    return item is not None and bool(state.access.role(item, who))


def glimpses(state: TenantState, number: int, who: int) -> bool:
    """Sees at least that it is there (view metadata)."""
    item = state.items[number]
    if item is None or not item.limited:
        return False
    mine = state.access.identities(who)
    return any(effective.grant.principal in mine for effective in state.access.grants_on(item))


def add_if_asked(parts: list[str], mask: field_masks.Mask, name: str, value: str) -> None:
    """Add a member of the answer, if it is asked for."""
    if field_masks.below(mask, name)[0]:
        parts.append(f'"{name}":{value}')
