"""A library or OneDrive as far as it changed.

Delta tells of a folder that was shared, moved or thrown away, and nothing of what lies in it; of an account that was
disabled or a link that ended it tells nothing at all. Both are looked for here, so that a night of changes tells what a
look at everything tells.
"""

from collections.abc import Container, Iterator, Sequence

import msgspec

from cloudscan.connector import Gap
from cloudscan.errors import Malformed, StaleCursor, Vanished
from cloudscan.facts import Gone, Resource
from cloudscan_m365.api.batch import Asked
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.endpoints import CHANGES, ITEM
from cloudscan_m365.api.models import Item, Shared
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.folder_tree import Tree
from cloudscan_m365.meaning.translate import TenantContext
from cloudscan_m365.scopes.cursor_state import CursorState
from cloudscan_m365.scopes.library_context import LibraryContext
from cloudscan_m365.scopes.library_items import (
    Given,
    Library,
    ReadDepth,
    Told,
    cursor,
    given_to,
    kinds_of,
    remember,
    told,
    told_of_top,
    told_without_folder,
)
from cloudscan_m365.scopes.listing import FIELDS, children, permissions

_BEFORE_GOING_ON = 100_000  # changes in one night: more, and reading everything is the shorter way


def changes_of_library(
    graph: Graph, around: TenantContext, library: Resource, drive: str, depth: ReadDepth, mark: CursorState
) -> Iterator[Told]:
    """What changed since the mark was set. Raises `StaleCursor` where that cannot be told."""
    if mark.depth != depth.digest:
        raise StaleCursor("the options, or what the groups of the site hold, were changed")
    tree = Tree(drive, library.uid, mark.root, folders=dict(mark.folders))
    reading = LibraryContext(around, tree, library.owner_uid, given=tuple(mark.given))
    otherwise, passed_on = reading.changed(mark.met)
    inside = Library(graph, reading, depth, own={identity: tuple(kinds) for identity, kinds in mark.own})
    found, link = _changed(graph, mark.link)
    _check_top(inside, mark.root in found, passed_on)
    yield from told_of_top(inside, library)
    meant = _meant_otherwise(inside, otherwise, found) if otherwise else []
    living = [*(item for item in found.values() if item.deleted is None and item.id != mark.root), *meant]
    moved = [each for each, known in tree.folders.items() if not passed_on.isdisjoint(kinds_of(inside, known.given))]
    given = given_to(inside, living)
    again: dict[str, tuple[Item, Given]] = {}
    for item in living:
        if item.id in given:
            if remember(inside, item, given[item.id]):
                moved.append(item.id)
            again[item.id] = item, given[item.id]
    yield from _gone(inside, [identity for identity in found if identity not in again and identity != mark.root])
    yield from _below(inside, [folder for folder in moved if tree.holds(folder)], again)
    reading.forget()
    for item, own in again.values():
        yield from told(inside, item, own) if tree.holds(item.parent) else told_without_folder(inside, [(item, own)])
    yield cursor(inside, link)


def _changed(graph: Graph, link: str) -> tuple[dict[str, Item], str]:
    """The last that is told of each item, and the link for next time."""
    found: dict[str, Item] = {}
    try:
        first = graph.follow(Item, CHANGES, link)
    except Malformed as error:
        raise StaleCursor(f"Microsoft does not take the token of its changes: {error}") from error
    for page in graph.rest_of(first, Item, CHANGES):
        if page.broken:
            raise StaleCursor("a change is not told as Microsoft's documentation promises")
        for item in page.value:
            found.pop(item.id, None)
            found[item.id] = item
        if len(found) > _BEFORE_GOING_ON:
            raise StaleCursor(f"more than {_BEFORE_GOING_ON} things changed")
        link = page.delta_link or link
    return found, graph.without_host(link)


def _check_top(inside: Library, told: bool, passed_on: set[int]) -> None:
    """Raise `StaleCursor` where the rights that hold for everything are others now."""
    reading = inside.reading
    if told:
        root = reading.tree.root
        now = permissions(inside.graph, inside.drive, [root])[root] or ()
        if set(now) != set(reading.given):
            raise StaleCursor("the rights on the library were changed")
    if not passed_on.isdisjoint(kinds_of(inside, reading.given)):
        raise StaleCursor("what is known of those with rights on the whole library was changed")


def _meant_otherwise(inside: Library, otherwise: set[int], found: Container[str]) -> list[Item]:
    """Items whose own rights mean something else today: an account was disabled, a link ended, a guest is gone."""
    folders = inside.tree.folders.items()
    asked = [identity for identity, kinds in inside.own.items() if not otherwise.isdisjoint(kinds)]
    asked += [identity for identity, known in folders if not otherwise.isdisjoint(kinds_of(inside, known.given))]
    asked = [identity for identity in asked if identity not in found]
    if len(asked) > _BEFORE_GOING_ON // 10:
        raise StaleCursor(f"what is known of people was changed, and matters for {len(asked)} items")
    parts = [Asked(question=ITEM, ids=(inside.drive, identity), options={"select": FIELDS}) for identity in asked]
    items: list[Item] = []
    for answer in inside.graph.together(Item, parts):
        if isinstance(answer, Item):
            items.append(_as_delta_tells(inside, answer))
        elif not isinstance(answer, Vanished):
            raise answer
    return items


def _gone(inside: Library, identities: Sequence[str]) -> Iterator[Gone]:
    """What is gone, with what lay in it: Microsoft tells of the folder alone."""
    for identity in identities:
        inside.own.pop(identity, None)
        if identity not in inside.tree.folders:
            yield Gone(uid=uids.item(inside.drive, identity))
            continue
        for folder in [identity, *inside.tree.below(identity)]:
            del inside.tree.folders[folder]
            yield Gone(uid=uids.item(inside.drive, folder), contents=True)


def _below(inside: Library, folders: Sequence[str], again: dict[str, tuple[Item, Given]]) -> Iterator[Gap]:
    """Add what lies in changed folders, and in the folders in them: Microsoft tells no change of it."""
    waiting, seen = list(folders), set[str]()
    while waiting:
        folder = waiting.pop()
        if folder in seen:
            continue
        seen.add(folder)
        found: list[Item] = []
        for item in children(inside.graph, inside.drive, folder, inside.tree.uid(folder)):
            if isinstance(item, Gap):
                yield item
                continue
            if item.folder is not None:
                waiting.append(item.id)
            if item.id not in again:
                found.append(_as_delta_tells(inside, item))
        given = given_to(inside, found)
        for item in found:
            if item.id in given:
                remember(inside, item, given[item.id])
                again[item.id] = item, given[item.id]


def _as_delta_tells(inside: Library, item: Item) -> Item:
    """A list of children says of each item how far it is shared, by rights of its own or inherited ones."""
    known = inside.tree.folders.get(item.id)
    own = item.id in inside.own or (known is not None and known.given is not None)
    return msgspec.structs.replace(item, shared=(item.shared or Shared()) if own else None)
