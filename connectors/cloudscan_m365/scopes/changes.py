"""What changed in a library or OneDrive.

Delta reports a folder that was shared, moved or deleted, and none of its contents; it reports nothing when an account
is disabled or a link expires. Both are looked for here, so that reading changes yields what reading everything would.
"""

from collections.abc import Container, Iterator, Sequence

import msgspec

from cloudscan.errors import ProviderError, QuotaSpent, StaleCursor, Throttled, Vanished
from cloudscan.facts import Gone, Resource
from cloudscan_m365.api.batch import BatchPart
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.inquiry import Inquiry
from cloudscan_m365.api.models import Item, Shared
from cloudscan_m365.api.wire import Page
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.folder_tree import Tree
from cloudscan_m365.meaning.translate import TenantContext
from cloudscan_m365.questions import CHANGES, ITEM
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
    gaps_of,
    kinds_of,
    read_root,
    remember,
    unique_permissions,
)
from cloudscan_m365.scopes.listing import FIELDS, children
from cloudscan_m365.scopes.sampling import Sample

_CHANGES_MOST = 100_000  # in one night: beyond that, reading everything is the shorter way

_Affected = dict[str, tuple[Item, UniquePermissions]]
"""Items to be reported again, by id."""


def changes_of_library(
    inquiry: Inquiry,
    tenant: TenantContext,
    library: Resource,
    drive: str,
    depth: ReadDepth,
    state: CursorState,
    sample: Sample | None = None,
) -> Iterator[LibraryFact]:
    """What changed since `state` was kept, with a new cursor at the end. Raises `StaleCursor` where that is unknown."""
    if state.depth != depth.digest:
        raise StaleCursor("graph-options-changed")
    tree = Tree(drive, library.uid, state.root, folders=dict(state.folders))
    context = LibraryContext(tenant, tree, library.owner_uid, root_permissions=tuple(state.root_permissions))
    changed, changed_for_heirs = context.changed_meanings(state.seen)
    unique_kinds = {identity: tuple(kinds) for identity, kinds in state.unique}
    reader = LibraryReader(inquiry, context, depth, unique=unique_kinds, sample=sample)
    try:
        items, link = _changed_items(inquiry.graph, state.link)
    except Throttled as error:
        yield CHANGES.gap(error, library.uid)  # the scope's own row does not name the question
        raise
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
    _add_contents(reader, [folder for folder in folders if tree.contains(folder)], affected)
    context.forget()
    for item, own in affected.values():
        if tree.contains(item.parent):
            yield from facts_of_item(reader, item, own)
        else:
            yield from facts_without_folder(reader, [(item, own)])
    yield from gaps_of(reader)
    # An empty list may be a wrong one: the same changes are asked for once more.
    quiet = not items and not state.quiet
    yield cursor(reader, state.link if quiet else link, quiet=quiet)


def _changed_items(graph: Graph, link: str) -> tuple[dict[str, Item], str]:
    """The last state that delta reports of each item, by id, and the link for the next scan.

    A token that Microsoft refuses, in whatever form, leaves nothing but to read everything: only where it throttles is
    a full list no way out.
    """
    items: dict[str, Item] = {}
    for page in _pages(graph, link):
        for item in page.value:
            items.pop(item.id, None)
            items[item.id] = item
        if len(items) > _CHANGES_MOST:
            raise StaleCursor("graph-changes-too-many", count=_CHANGES_MOST)
        link = page.delta_link or link
    return items, graph.without_host(link)


def _pages(graph: Graph, link: str) -> Iterator[Page[Item]]:
    try:
        for page in graph.rest_of(graph.follow(Item, CHANGES, link), Item, CHANGES):
            yield _whole(page)
    except (StaleCursor, QuotaSpent, Throttled):
        raise
    except ProviderError as error:
        raise _stale(error) from error


def _whole(page: Page[Item]) -> Page[Item]:
    """A page on which nothing is malformed: a change that cannot be read leaves what is known in doubt."""
    if page.broken:
        raise StaleCursor("graph-change-malformed")
    return page


def _stale(error: ProviderError) -> StaleCursor:
    return StaleCursor("graph-changes-refused", quote=error.reason.quote, cause=error.reason.code)


def _check_root(reader: LibraryReader, root_changed: bool, changed_for_heirs: set[int]) -> None:
    """Raise `StaleCursor` where the permissions that apply to the whole library changed, or what they mean."""
    context = reader.context
    if root_changed and set(read_root(reader)) != set(context.root_permissions):
        raise StaleCursor("graph-library-changed")
    if not changed_for_heirs.isdisjoint(kinds_of(reader, context.root_permissions)):
        raise StaleCursor("graph-principals-changed")


def _reinterpreted(reader: LibraryReader, changed: set[int], items: Container[str]) -> list[Item]:
    """Items beside `items` whose unique permissions mean something else now: a guest was deleted, a link expired."""
    folders = reader.tree.folders.items()
    asked = [identity for identity, kinds in reader.unique.items() if not changed.isdisjoint(kinds)]
    asked += [identity for identity, folder in folders if not changed.isdisjoint(kinds_of(reader, folder.permissions))]
    asked = [identity for identity in asked if identity not in items]
    if len(asked) > _CHANGES_MOST // 10:
        raise StaleCursor("graph-principals-changed")
    parts = [BatchPart(question=ITEM, ids=(reader.drive, identity), options={"select": FIELDS}) for identity in asked]
    present: list[Item] = []
    for answer in reader.graph.together(Item, parts):
        if isinstance(answer, Item):
            present.append(_as_in_delta(reader, answer))
        elif isinstance(answer, Throttled):
            raise answer
        elif not isinstance(answer, Vanished):
            raise _stale(answer)
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


def _add_contents(reader: LibraryReader, folders: Sequence[str], affected: _Affected) -> None:
    """Add everything below changed folders to `affected`: Microsoft reports no change of it.

    Raises `StaleCursor` where that cannot be listed.
    """
    waiting, seen = list(folders), set[str]()
    while waiting:
        folder = waiting.pop()
        if folder in seen:
            continue
        seen.add(folder)
        items: list[Item] = []
        for item in _listed(reader, folder):
            if item.is_folder:
                waiting.append(item.id)
            if item.id not in affected:
                items.append(_as_in_delta(reader, item))
        unique = unique_permissions(reader, items)
        for item in items:
            if item.id in unique:
                remember(reader, item, unique[item.id])
                affected[item.id] = item, unique[item.id]


def _listed(reader: LibraryReader, folder: str) -> list[Item]:
    items: list[Item] = []
    try:
        for page in children(reader.graph, reader.drive, folder):
            items += _whole(page).value
    except (StaleCursor, QuotaSpent, Throttled):
        raise
    except ProviderError as error:
        raise _stale(error) from error
    return items


def _as_in_delta(reader: LibraryReader, item: Item) -> Item:
    """The item with `shared` only where it has unique permissions: outside delta, inherited ones set it too."""
    folder = reader.tree.folders.get(item.id)
    has_unique = item.id in reader.unique or (folder is not None and folder.permissions is not None)
    return msgspec.structs.replace(item, shared=(item.shared or Shared()) if has_unique else None)
