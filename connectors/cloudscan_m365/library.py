"""Everything in a library or OneDrive, in full or as far as it changed.

Only delta promises a full list (driveItem: delta), and it tells of each item whether it has rights of its own: who has
access is asked for there, and nowhere else. What inherits has what the folder above it has.
"""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from cloudscan.connector import Cursor, Gap
from cloudscan.errors import StaleCursor, StalePage, Vanished
from cloudscan.facts import AnyFact, Gone, Outcome, Resource
from cloudscan_m365 import uids
from cloudscan_m365.answers import Item, Permission, Shared
from cloudscan_m365.graph import Asked, Graph
from cloudscan_m365.listing import FIELDS, PAGE, UNREAD, broken, children, permissions
from cloudscan_m365.mark import Mark, pack
from cloudscan_m365.questions import CHANGES, EVERYTHING, ITEM
from cloudscan_m365.reading import Reading
from cloudscan_m365.translate import Around
from cloudscan_m365.tree import Folder, Tree
from cloudscan_m365.wire import Page

Told = AnyFact | Gap | Cursor
Given = tuple[Permission, ...] | None
_BEFORE_GOING_ON = 100_000  # changes in one night: more, and reading everything is the shorter way


@dataclass
class Library:
    """A library while it is read."""

    graph: Graph
    reading: Reading
    thorough: bool  # ask for rights also where Microsoft says that nothing is shared
    own: dict[str, tuple[int, ...]] = field(
        default_factory=dict
    )  # items with rights of their own, folders aside: kinds

    @property
    def tree(self) -> Tree:
        return self.reading.tree

    @property
    def drive(self) -> str:
        return self.tree.drive

    @property
    def top(self) -> str:
        return self.tree.top


def facts_of_library(
    graph: Graph, around: Around, library: Resource, drive: str, site_uid: str, *, thorough: bool
) -> Iterator[Told]:
    """Everything there is. Raises as `Graph.ask` does."""
    root = graph.ask(Item, ITEM, drive, "root", select="id").id
    reading = Reading(around, Tree(drive, library.uid, root), site_uid, library.owner_uid)
    reading.given = permissions(graph, drive, [root])[root] or ()
    inside = Library(graph, reading, thorough)
    yield from _top(inside, library)
    link = ""
    waiting: dict[str, list[tuple[Item, Given]]] = {}
    for page in _from_the_start(graph, drive):
        items = [item for item in _last_of_each(page.value) if item.deleted is None and item.id != root]
        given = _given(inside, items)
        for item in items:
            if item.id in given:
                yield from _placed(inside, item, given[item.id], waiting)
        yield from broken(page, library.uid)
        link = page.delta_link or link
    for lost in waiting.values():
        yield from _lost(inside, lost)
    if link:
        yield _cursor(inside, graph.without_host(link))


def changes_of_library(
    graph: Graph, around: Around, library: Resource, drive: str, site_uid: str, mark: Mark, *, thorough: bool
) -> Iterator[Told]:
    """What changed since the mark was set. Raises `StaleCursor` where that cannot be told."""
    if mark.thorough != thorough:
        raise StaleCursor("the options, or what the groups of the site hold, were changed")
    tree = Tree(drive, library.uid, mark.root, folders=dict(mark.folders))
    reading = Reading(around, tree, site_uid, library.owner_uid, given=tuple(mark.given))
    otherwise, passed_on = reading.changed(mark.met)
    inside = Library(graph, reading, thorough, own={identity: tuple(kinds) for identity, kinds in mark.own})
    found, link = _changed(graph, mark.link)
    _check_top(inside, mark.root in found, passed_on)
    yield from _top(inside, library)
    meant = _meant_otherwise(inside, otherwise, found) if otherwise else []
    living = [*(item for item in found.values() if item.deleted is None and item.id != mark.root), *meant]
    moved = [each for each, known in tree.folders.items() if not passed_on.isdisjoint(_kinds(inside, known.given))]
    given = _given(inside, living)
    again: dict[str, tuple[Item, Given]] = {}
    for item in living:
        if item.id in given:
            if _remember(inside, item, given[item.id]):
                moved.append(item.id)
            again[item.id] = item, given[item.id]
    yield from _gone(inside, [identity for identity in found if identity not in again and identity != mark.root])
    yield from _below(inside, [folder for folder in moved if tree.holds(folder)], again)
    reading.forget()
    for item, own in again.values():
        yield from _told(inside, item, own) if tree.holds(item.parent) else _lost(inside, [(item, own)])
    yield _cursor(inside, link)


def _check_top(inside: Library, told: bool, passed_on: set[int]) -> None:
    """Raise `StaleCursor` where the rights that hold for everything are others now."""
    reading = inside.reading
    if told:
        root = reading.tree.root
        now = permissions(inside.graph, inside.drive, [root])[root] or ()
        if set(now) != set(reading.given):
            raise StaleCursor("the rights on the library were changed")
    if not passed_on.isdisjoint(_kinds(inside, reading.given)):
        raise StaleCursor("what is known of those with rights on the whole library was changed")


def _meant_otherwise(inside: Library, otherwise: set[int], found: Container[str]) -> list[Item]:
    """Items whose own rights mean something else today: an account was disabled, a link ended, a guest is gone."""
    folders = inside.tree.folders.items()
    asked = [identity for identity, kinds in inside.own.items() if not otherwise.isdisjoint(kinds)]
    asked += [identity for identity, known in folders if not otherwise.isdisjoint(_kinds(inside, known.given))]
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


def _kinds(inside: Library, given: Given) -> tuple[int, ...]:
    return tuple(sorted({inside.reading.kind(permission) for permission in given or ()}))


def _from_the_start(graph: Graph, drive: str) -> Iterator[Page[Item]]:
    first = graph.page(Item, EVERYTHING, drive, select=FIELDS, top=PAGE)
    try:
        yield from graph.rest_of(first, Item, CHANGES)
    except StaleCursor as error:
        raise StalePage(f"{error}; the list begins again") from error


def _changed(graph: Graph, link: str) -> tuple[dict[str, Item], str]:
    """The last that is told of each item, and the link for next time."""
    found: dict[str, Item] = {}
    for page in graph.rest_of(graph.follow(Item, CHANGES, link), Item, CHANGES):
        if page.broken:
            raise StaleCursor("a change is not told as Microsoft's documentation promises")
        for item in page.value:
            found.pop(item.id, None)
            found[item.id] = item
        if len(found) > _BEFORE_GOING_ON:
            raise StaleCursor(f"more than {_BEFORE_GOING_ON} things changed")
        link = page.delta_link or link
    return found, graph.without_host(link)


def _last_of_each(items: Sequence[Item]) -> Sequence[Item]:
    found = {item.id: item for item in items}
    return items if len(found) == len(items) else list(found.values())


def _given(inside: Library, items: Sequence[Item]) -> dict[str, Given]:
    """The rights that items have of their own; None for those that inherit. Without items that are gone meanwhile."""
    asked = [item.id for item in items if item.shared is not None and (item.shared.scope or inside.thorough)]
    read = permissions(inside.graph, inside.drive, asked) if asked else {}
    found: dict[str, Given] = {}
    for item in items:
        if item.id not in read:
            found[item.id] = None if item.shared is None else ()
        elif (own := read[item.id]) is not None:
            found[item.id] = own
    return found


def _placed(inside: Library, item: Item, given: Given, waiting: dict[str, list[tuple[Item, Given]]]) -> Iterator[Told]:
    """Tell an item once the folders above it are known, and then what has been waiting for it."""
    ready = [(item, given)]
    while ready:
        item, given = ready.pop()
        if not inside.tree.holds(item.parent):
            waiting.setdefault(item.parent, []).append((item, given))
            continue
        _remember(inside, item, given)
        yield from _told(inside, item, given)
        if item.id in waiting:
            ready += waiting.pop(item.id)


def _remember(inside: Library, item: Item, given: Given) -> bool:
    """Take note of where rights were given; tells whether what lies in a folder may be told otherwise now."""
    if item.folder is None:
        if given is None:
            inside.own.pop(item.id, None)
        else:
            inside.own[item.id] = _kinds(inside, given)
        return False
    before = inside.tree.folders.get(item.id)
    now = inside.tree.folders[item.id] = Folder(name=item.name or "", parent=item.parent, given=given)
    return before is not None and before != now


def _told(inside: Library, item: Item, given: Given) -> Iterator[Told]:
    reading = inside.reading
    resource = reading.resource(item, item.parent)
    yield resource
    if item.folder is not None:
        carried = reading.carried(item.id)
    elif given is None:
        carried = reading.carried(item.parent)
    else:
        carried = reading.own(given, reading.carried(item.parent), resource.uid)
    yield from reading.grants(carried, resource.uid)
    if given == UNREAD:
        reason = "Microsoft does not show who may open it"
        yield Gap(table="grants", outcome=Outcome.DENIED, reason=reason, resource_uid=resource.uid)


def _lost(inside: Library, items: Sequence[tuple[Item, Given]]) -> Iterator[Told]:
    """Items whose folder Microsoft does not tell of: what they inherit is not known."""
    for item, given in items:
        yield from _told(inside, msgspec.structs.replace(item, folder=None), UNREAD if given is None else given)


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
        given = _given(inside, found)
        for item in found:
            if item.id in given:
                _remember(inside, item, given[item.id])
                again[item.id] = item, given[item.id]


def _as_delta_tells(inside: Library, item: Item) -> Item:
    """A list of children says of each item how far it is shared, by rights of its own or inherited ones."""
    known = inside.tree.folders.get(item.id)
    own = item.id in inside.own or (known is not None and known.given is not None)
    return msgspec.structs.replace(item, shared=(item.shared or Shared()) if own else None)


def _top(inside: Library, library: Resource) -> Iterator[AnyFact]:
    yield library
    yield from inside.reading.grants(inside.reading.carried(inside.tree.root), library.uid)


def _cursor(inside: Library, link: str) -> Cursor:
    reading, tree = inside.reading, inside.tree
    used = {kind for kinds in inside.own.values() for kind in kinds}
    used.update(kind for known in tree.folders.values() for kind in _kinds(inside, known.given))
    used.update(_kinds(inside, reading.given))
    places = {number: place for place, number in enumerate(sorted(used))}
    mark = Mark(
        link=link,
        thorough=inside.thorough,
        root=tree.root,
        given=reading.given,
        folders=list(tree.folders.items()),
        own=[(identity, [places[kind] for kind in kinds]) for identity, kinds in inside.own.items()],
        met=reading.met(used),
    )
    return Cursor(scope_uid=inside.top, token=pack(mark))
