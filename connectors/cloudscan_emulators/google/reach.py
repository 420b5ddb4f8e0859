"""What several methods of Drive ask first: whether the caller can reach a thing, and how he looks at it."""

from cloudscan_emulators.google import errors, masks
from cloudscan_emulators.google.faces import View
from cloudscan_emulators.google.manners import Quirks
from cloudscan_emulators.google.published import Call
from cloudscan_emulators.google.records import Account, Drive
from cloudscan_emulators.google.world import TenantState


def view(world: TenantState, manners: Quirks, call: Call, who: int) -> View:
    """The caller with his options."""
    wanted = call.value("includePermissionsForView")
    if wanted not in ("", "published"):
        raise errors.invalid("includePermissionsForView")
    labels = frozenset(one for one in call.value("includeLabels").split(",") if one)
    published = wanted == "published"
    return View(world=world, who=who, labels=labels, published=published, details=manners.details_in_files)


def member_of(world: TenantState, identity: str, who: int) -> Drive:
    """The shared drive, if the caller is a member of it."""
    drive = world.drive(identity)
    if drive is None:
        raise errors.no_such_drive(identity)
    if not world.access.drive_role(drive, who):
        raise errors.not_a_member()
    return drive


def administers(world: TenantState, who: int) -> bool:
    person = world.principals[who]
    return isinstance(person, Account) and bool(person.admin)


def reads(world: TenantState, number: int, who: int) -> bool:
    item = world.items[number]
    return item is not None and bool(world.access.role(item, who))


def glimpses(world: TenantState, number: int, who: int) -> bool:
    """Sees at least that it is there (view metadata)."""
    item = world.items[number]
    if item is None or not item.limited:
        return False
    mine = world.access.identities(who)
    return any(held.grant.principal in mine for held in world.access.held(item))


def tell(parts: list[str], mask: masks.Mask, name: str, value: str) -> None:
    """Add a member of the answer, if it is asked for."""
    if masks.below(mask, name)[0]:
        parts.append(f'"{name}":{value}')
