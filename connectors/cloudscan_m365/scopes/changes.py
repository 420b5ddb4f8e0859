"""What changed in a library or OneDrive.

Delta reports a folder that was shared, moved or deleted, and none of its contents; it reports nothing when an account
is disabled or a link expires. Both are looked for here, so that reading changes yields what reading everything would.
"""

from collections.abc import Container, Iterator, Sequence

import msgspec

from cloudscan.connector import Gap
from cloudscan.errors import Malformed, StaleCursor, Vanished
from cloudscan.facts import Gone, Resource
from cloudscan_m365.api.batch import BatchPart
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.endpoints import CHANGES, ITEM
from cloudscan_m365.api.models import Item, Shared
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.folder_tree import Tree
from cloudscan_m365.meaning.translate import TenantContext
from cloudscan_m365.scopes.cursor_state import CursorState
from cloudscan_m365.scopes.library_context import LibraryContext
from cloudscan_m365.scopes.library_items import (
    LibraryFact,
    LibraryReader,
    ReadDepth,
    UniquePermissions,
    cursor,
    facts_of_item,
    facts_of_root,
    facts_without_folder,
    kinds_of,
    remember,
    unique_permissions,
)
from cloudscan_m365.scopes.listing import FIELDS, children, permissions

_CHANGES_MOST = 100_000  # in one night: beyond that, reading everything is the shorter way

_Affected = dict[str, tuple[Item, UniquePermissions]]
"""Items to be reported again, by id."""


def changes_of_library(
    graph: Graph, tenant: TenantContext, library: Resource, drive: str, depth: ReadDepth, state: CursorState
) -> Iterator[LibraryFact]:
    """What changed since `state` was kept, with a new cursor at the end. Raises `StaleCursor` where that is unknown."""
    if state.depth != depth.digest:
        raise StaleCursor("the options, or the contents of the site's groups, were changed")
    tree = Tree(drive, library.uid, state.root, folders=dict(state.folders))
    context = LibraryContext(tenant, tree, library.owner_uid, root_permissions=tuple(state.root_permissions))
    changed, changed_for_heirs = context.changed_meanings(state.seen)
    reader = LibraryReader(graph, context, depth, unique={identity: tuple(kinds) for identity, kinds in state.unique})
    items, link = _changed_items(graph, state.link)
    _check_root(reader, state.root in items, changed_for_heirs)
    yield from facts_of_root(reader, library)
    reinterpreted = _reinterpreted(reader, changed, items) if changed else []
    present = [item for item in items.values() if item.deleted is None and item.id != state.root] + reinterpreted
    folders = [
        identity
        for identity, folder in tree.folders.items()
        if not changed_for_heirs.isdisjoint(kinds_of(reader, folder.permissions))
    ]
    unique = unique_permissions(reader, present)
    affected: _Affected = {}
    for item in present:
        if item.id in unique:
            if remember(reader, item, unique[item.id]):
                folders.append(item.id)
            affected[item.id] = item, unique[item.id]
    yield from _gone(reader, [identity for identity in items if identity not in affected and identity != state.root])
    yield from _add_contents(reader, [folder for folder in folders if tree.contains(folder)], affected)
    context.forget()
    for item, own in affected.values():
        if tree.contains(item.parent):
            yield from facts_of_item(reader, item, own)
        else:
            yield from facts_without_folder(reader, [(item, own)])
    yield cursor(reader, link)


def _changed_items(graph: Graph, link: str) -> tuple[dict[str, Item], str]:
    """The last state that delta reports of each item, by id, and the link for the next scan."""
    items: dict[str, Item] = {}
    try:
        first = graph.follow(Item, CHANGES, link)
    except Malformed as error:
        raise StaleCursor(f"Microsoft rejected the change token: {error}") from error
    for page in graph.rest_of(first, Item, CHANGES):
        if page.broken:
            raise StaleCursor("a change does not match Microsoft's documented format")
        for item in page.value:
            items.pop(item.id, None)
            items[item.id] = item
        if len(items) > _CHANGES_MOST:
            raise StaleCursor(f"more than {_CHANGES_MOST} items changed")
        link = page.delta_link or link
    return items, graph.without_host(link)


def _check_root(reader: LibraryReader, root_changed: bool, changed_for_heirs: set[int]) -> None:
    """Raise `StaleCursor` where the permissions that apply to the whole library changed, or what they mean."""
    context = reader.context
    if root_changed:
        root = context.tree.root
        now = permissions(reader.graph, reader.drive, [root])[root] or ()
        if set(now) != set(context.root_permissions):
            raise StaleCursor("the permissions of the library were changed")
    if not changed_for_heirs.isdisjoint(kinds_of(reader, context.root_permissions)):
        raise StaleCursor("what is known of principals with access to the whole library was changed")


def _reinterpreted(reader: LibraryReader, changed: set[int], items: Container[str]) -> list[Item]:
    """Items beside `items` whose unique permissions mean something else now: a guest was deleted, a link expired."""
    folders = reader.tree.folders.items()
    asked = [identity for identity, kinds in reader.unique.items() if not changed.isdisjoint(kinds)]
    asked += [identity for identity, folder in folders if not changed.isdisjoint(kinds_of(reader, folder.permissions))]
    asked = [identity for identity in asked if identity not in items]
    if len(asked) > _CHANGES_MOST // 10:
        raise StaleCursor(f"what is known of principals was changed, which concerns {len(asked)} items")
    parts = [BatchPart(question=ITEM, ids=(reader.drive, identity), options={"select": FIELDS}) for identity in asked]
    present: list[Item] = []
    for answer in reader.graph.together(Item, parts):
        if isinstance(answer, Item):
            present.append(_as_in_delta(reader, answer))
        elif not isinstance(answer, Vanished):
            raise answer
    return present


def _gone(reader: LibraryReader, identities: Sequence[str]) -> Iterator[Gone]:
    """Deleted items, with the contents of deleted folders: Microsoft reports the folder alone."""
    for identity in identities:
        reader.unique.pop(identity, None)
        if identity not in reader.tree.folders:
            yield Gone(uid=uids.item(reader.drive, identity))
            continue
        for folder in [identity, *reader.tree.below(identity)]:
            del reader.tree.folders[folder]
            yield Gone(uid=uids.item(reader.drive, folder), contents=True)


def _add_contents(reader: LibraryReader, folders: Sequence[str], affected: _Affected) -> Iterator[Gap]:
    """Add everything below changed folders to `affected`: Microsoft reports no change of it."""
    waiting, seen = list(folders), set[str]()
    while waiting:
        folder = waiting.pop()
        if folder in seen:
            continue
        seen.add(folder)
        items: list[Item] = []
        for item in children(reader.graph, reader.drive, folder, reader.tree.uid(folder)):
            if isinstance(item, Gap):
                yield item
                continue
            if item.folder is not None:
                waiting.append(item.id)
            if item.id not in affected:
                items.append(_as_in_delta(reader, item))
        unique = unique_permissions(reader, items)
        for item in items:
            if item.id in unique:
                remember(reader, item, unique[item.id])
                affected[item.id] = item, unique[item.id]


def _as_in_delta(reader: LibraryReader, item: Item) -> Item:
    """The item with `shared` only where it has unique permissions: outside delta, inherited ones set it too."""
    folder = reader.tree.folders.get(item.id)
    has_unique = item.id in reader.unique or (folder is not None and folder.permissions is not None)
    return msgspec.structs.replace(item, shared=(item.shared or Shared()) if has_unique else None)
