"""Everything in a library or OneDrive.

Only delta promises a full list (driveItem: delta), and it tells of each item whether it has rights of its own: who has
access is asked for there, and nowhere else. What inherits has what the folder above it has.
"""

from collections.abc import Iterator, Sequence

from cloudscan.errors import StaleCursor, StalePage
from cloudscan.facts import Resource
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.endpoints import CHANGES, EVERYTHING, ROOT
from cloudscan_m365.api.models import Item
from cloudscan_m365.api.wire import Page
from cloudscan_m365.meaning.folder_tree import Tree
from cloudscan_m365.meaning.translate import TenantContext
from cloudscan_m365.scopes.library_context import LibraryContext
from cloudscan_m365.scopes.library_items import (
    Given,
    Library,
    ReadDepth,
    Told,
    cursor,
    given_to,
    remember,
    told,
    told_of_top,
    told_without_folder,
)
from cloudscan_m365.scopes.listing import FIELDS, PAGE, broken, permissions


def facts_of_library(
    graph: Graph, around: TenantContext, library: Resource, drive: str, depth: ReadDepth
) -> Iterator[Told]:
    """Everything there is. Raises as `Graph.ask` does."""
    root = graph.ask(Item, ROOT, drive, select="id").id
    reading = LibraryContext(around, Tree(drive, library.uid, root), library.owner_uid)
    reading.given = permissions(graph, drive, [root])[root] or ()
    inside = Library(graph, reading, depth)
    yield from told_of_top(inside, library)
    link = ""
    waiting: dict[str, list[tuple[Item, Given]]] = {}
    for page in _from_the_start(graph, drive):
        there = [item for item in _last_of_each(page.value) if item.deleted is None and item.id != root]
        given = given_to(inside, there)
        for item in there:
            if item.id in given:
                yield from _placed(inside, item, given[item.id], waiting)
        yield from broken(page, library.uid)
        link = page.delta_link or link
    for items in waiting.values():
        yield from told_without_folder(inside, items)
    if link:
        yield cursor(inside, graph.without_host(link))


def _from_the_start(graph: Graph, drive: str) -> Iterator[Page[Item]]:
    first = graph.page(Item, EVERYTHING, drive, select=FIELDS, top=PAGE)
    try:
        yield from graph.rest_of(first, Item, CHANGES)
    except StaleCursor as error:
        raise StalePage(f"{error}; the list begins again") from error


def _last_of_each(items: Sequence[Item]) -> Sequence[Item]:
    found = {item.id: item for item in items}
    return items if len(found) == len(items) else list(found.values())


def _placed(inside: Library, item: Item, given: Given, waiting: dict[str, list[tuple[Item, Given]]]) -> Iterator[Told]:
    """Tell an item once the folders above it are known, and then what has been waiting for it."""
    ready = [(item, given)]
    while ready:
        item, given = ready.pop()
        if not inside.tree.holds(item.parent):
            waiting.setdefault(item.parent, []).append((item, given))
            continue
        remember(inside, item, given)
        yield from told(inside, item, given)
        if item.id in waiting:
            ready += waiting.pop(item.id)
