"""Everything in a library or OneDrive.

Only delta promises a full list (driveItem: delta), and it says of each item whether it has unique permissions: these
are asked for there, and nowhere else. An item that inherits has the permissions of the folder above it.
"""

from collections.abc import Generator, Iterator, Sequence
from itertools import chain

from cloudscan.errors import Malformed, ProviderError, StaleCursor, StalePage
from cloudscan.facts import Resource
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.inquiry import Inquiry
from cloudscan_m365.api.models import Item
from cloudscan_m365.api.wire import Page
from cloudscan_m365.meaning.folder_tree import Tree
from cloudscan_m365.meaning.translate import TenantContext
from cloudscan_m365.questions import CHANGES, ITEMS
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
    remember,
    unique_permissions,
    unique_permissions_and_root,
)
from cloudscan_m365.scopes.listing import FIELDS, PAGE
from cloudscan_m365.scopes.sampling import Sample

_Waiting = dict[str, list[tuple[Item, UniquePermissions]]]
"""Items whose folder has not come yet, by the folder's id."""


def facts_of_library(
    inquiry: Inquiry,
    tenant: TenantContext,
    library: Resource,
    drive: str,
    depth: ReadDepth,
    sample: Sample | None = None,
) -> Iterator[LibraryFact]:
    """The library and all its items, with a cursor at the end. `drive` is its id. Raises as `Graph.ask` does."""
    pages = _pages(inquiry.graph, drive)
    try:
        root, beginning = _beginning(pages)
        context = LibraryContext(tenant, Tree(drive, library.uid, root), library.owner_uid)
        reader = LibraryReader(inquiry, context, depth, sample=sample)
        link = yield from _facts_of_items(reader, library, chain(beginning, pages))
    except ProviderError as error:
        yield ITEMS.gap(error, library.uid)  # the scope's own row does not name the question
        raise
    yield from gaps_of(reader)
    if link:  # a list that lacks the root folder was refused: an empty one is a library without items
        yield cursor(reader, inquiry.graph.without_host(link))


def _facts_of_items(
    reader: LibraryReader, library: Resource, pages: Iterator[Page[Item]]
) -> Generator[LibraryFact, None, str]:
    """The facts of the library and all its items; returns Microsoft's link for the next scan."""
    link, broken = "", 0
    waiting: _Waiting = {}
    root, context, contains = reader.tree.root, reader.context, reader.tree.contains
    for page in pages:
        present = [item for item in _last_of_each(page.value) if item.deleted is None and item.id != root]
        if context.root_permissions:
            unique = unique_permissions(reader, present)
        else:
            unique = unique_permissions_and_root(reader, present)
            yield from facts_of_root(reader, library)
        for item in present:
            if item.id not in unique:
                continue
            own, parent = unique[item.id], item.parent
            if own is not None or item.is_folder or item.id in reader.sampled or not contains(parent):
                yield from _in_order(reader, item, own, waiting)
                continue
            # Nearly all items are files that inherit: what follows is the same for them, without asking further.
            reader.unique.pop(item.id, None)
            resource = context.resource(item, parent, reader.labels.get(item.id, ""))
            yield resource
            if inherited := context.permissions_in(parent):
                yield from context.grants(inherited, resource.uid)
        link = page.delta_link or link
        broken += page.broken
    for items in waiting.values():
        yield from facts_without_folder(reader, items)
    if broken:
        reader.inquiry.lacking(ITEMS, "graph-entries-malformed", reader.top, count=broken)
    return link


def _pages(graph: Graph, drive: str) -> Iterator[Page[Item]]:
    """The list of all items."""
    first = graph.page(Item, ITEMS, drive, select=FIELDS, top=PAGE)
    try:
        yield from graph.rest_of(first, Item, CHANGES)
    except StaleCursor as error:
        raise StalePage("graph-page-expired", quote=error.reason.quote) from error


def _beginning(pages: Iterator[Page[Item]]) -> tuple[str, list[Page[Item]]]:
    """The id of the root folder, with which every list begins, and the pages up to the one that contains it.

    Raises `Malformed` where the list begins with something else.
    """
    beginning: list[Page[Item]] = []
    for page in pages:
        beginning.append(page)
        if page.value:
            break
    root = next((item.id for page in beginning for item in page.value if item.root is not None), "")
    if not root:
        raise Malformed("graph-root-not-listed")
    return root, beginning


def _last_of_each(items: Sequence[Item]) -> Sequence[Item]:
    last = {item.id: item for item in items}
    return items if len(last) == len(items) else list(last.values())


def _in_order(reader: LibraryReader, item: Item, unique: UniquePermissions, waiting: _Waiting) -> Iterator[LibraryFact]:
    """The facts of an item once the folders above it are known, and then of items that waited for it."""
    ready = [(item, unique)]
    while ready:
        item, unique = ready.pop()
        if not reader.tree.contains(item.parent):
            waiting.setdefault(item.parent, []).append((item, unique))
            continue
        remember(reader, item, unique)
        yield from facts_of_item(reader, item, unique)
        if item.id in waiting:
            ready += waiting.pop(item.id)
