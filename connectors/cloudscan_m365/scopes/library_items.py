"""A library while it is read: what is asked about its items, and what is told of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cloudscan.connector import Cursor, Gap
from cloudscan.facts import AnyFact, Audience, Outcome, Resource
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.models import Item, Permission
from cloudscan_m365.meaning.folder_tree import Folder, Tree
from cloudscan_m365.scopes.cursor_state import CursorState, digest, pack
from cloudscan_m365.scopes.library_context import LibraryContext
from cloudscan_m365.scopes.listing import UNREAD, labels, permissions

Told = AnyFact | Gap | Cursor
Given = tuple[Permission, ...] | None
_UNREAD = frozenset(UNREAD)
_AT_LEAST = {
    "anonymous": Audience.ANYONE_WITH_LINK,
    "organization": Audience.ORGANISATION,
    "users": Audience.NAMED,
}
"""What must be among the rights of an item that is shared so far (shared resource)."""


@dataclass(frozen=True, kw_only=True)
class ReadDepth:
    """How much is asked for."""

    all_unique_permissions: bool = False  # rights also where Microsoft says that nothing is shared
    labels: Mapping[str, str] | None = None  # sensitivity labels by id, to be read of shared files; None: not at all

    @property
    def digest(self) -> str:
        return digest([self.all_unique_permissions, self.labels])


@dataclass
class Library:
    """A library while it is read."""

    graph: Graph
    reading: LibraryContext
    depth: ReadDepth
    own: dict[str, tuple[int, ...]] = field(default_factory=dict)  # items with rights of their own: which kinds
    labels: dict[str, str] = field(default_factory=dict)  # of files that have one

    @property
    def tree(self) -> Tree:
        return self.reading.tree

    @property
    def drive(self) -> str:
        return self.tree.drive

    @property
    def top(self) -> str:
        return self.tree.top


def told_of_top(inside: Library, library: Resource) -> Iterator[Told]:
    """The library itself, with the rights that hold for everything in it."""
    yield library
    yield from inside.reading.grants(inside.reading.carried(inside.tree.root), library.uid)
    if not _UNREAD.isdisjoint(inside.reading.given):
        yield _unread(library)


def given_to(inside: Library, items: Sequence[Item]) -> dict[str, Given]:
    """The rights that items have of their own; None for those that inherit. Without items that are gone meanwhile."""
    asked = [
        item.id
        for item in items
        if item.shared is not None and (item.shared.scope or inside.depth.all_unique_permissions)
    ]
    read = permissions(inside.graph, inside.drive, asked) if asked else {}
    found: dict[str, Given] = {}
    for item in items:
        if item.id not in read:
            found[item.id] = None if item.shared is None else ()
        elif (own := read[item.id]) is not None:
            found[item.id] = (*own, *UNREAD) if _is_short(inside, item, own) else own
    if inside.depth.labels is not None:
        shared = [item.id for item in items if item.file is not None and _is_wide(inside, found.get(item.id))]
        inside.labels |= labels(inside.graph, inside.drive, shared, inside.depth.labels) if shared else {}
    return found


def _is_short(inside: Library, item: Item, given: Sequence[Permission]) -> bool:
    """Whether Microsoft says that an item is shared and leaves out with whom: a reader is not shown everything."""
    meant = [each.grant.audience for each in map(inside.reading.meaning, given) if each is not None]
    if None in meant:
        return False
    widest = max((audience for audience in meant if audience), default=Audience.NOBODY)
    needed = _AT_LEAST.get((item.shared and item.shared.scope) or "", Audience.NOBODY)
    return widest < needed


def _is_wide(inside: Library, given: Given) -> bool:
    """Whether rights let in more than named colleagues, or may."""
    meant = (inside.reading.meaning(permission) for permission in given or ())
    return any(each and (each.grant.audience is None or each.grant.audience > Audience.NAMED) for each in meant)


def remember(inside: Library, item: Item, given: Given) -> bool:
    """Take note of where rights were given; tells whether what lies in a folder may be told otherwise now."""
    if item.folder is None:
        if given is None:
            inside.own.pop(item.id, None)
        else:
            inside.own[item.id] = kinds_of(inside, given)
        return False
    before = inside.tree.folders.get(item.id)
    now = inside.tree.folders[item.id] = Folder(name=item.name or "", parent=item.parent, given=given)
    return before is not None and before != now


def told(inside: Library, item: Item, given: Given) -> Iterator[Told]:
    """An item with the rights that hold for it."""
    reading = inside.reading
    resource = reading.resource(item, item.parent, inside.labels.get(item.id, ""))
    yield resource
    if item.folder is not None and inside.tree.holds(item.id):
        carried = reading.carried(item.id)
    elif given is None:
        carried = reading.carried(item.parent)
    else:
        carried = reading.own(given, reading.carried(item.parent), resource.uid)
    yield from reading.grants(carried, resource.uid)
    if given and not _UNREAD.isdisjoint(given):
        yield _unread(resource)


def _unread(resource: Resource) -> Gap:
    reason = "Microsoft does not show who may open it, or not as its documentation promises"
    return Gap(table="grants", outcome=Outcome.DENIED, reason=reason, resource_uid=resource.uid)


def told_without_folder(inside: Library, items: Sequence[tuple[Item, Given]]) -> Iterator[Told]:
    """Items whose folder Microsoft does not tell of: what they inherit is not known."""
    for item, given in items:
        yield from told(inside, item, UNREAD if given is None else given)


def kinds_of(inside: Library, given: Given) -> tuple[int, ...]:
    """Which kinds of permissions there are among some."""
    return tuple(sorted({inside.reading.kind(permission) for permission in given or ()}))


def cursor(inside: Library, link: str) -> Cursor:
    """What the next night needs to know."""
    reading, tree = inside.reading, inside.tree
    used = {kind for kinds in inside.own.values() for kind in kinds}
    used.update(kind for known in tree.folders.values() for kind in kinds_of(inside, known.given))
    used.update(kinds_of(inside, reading.given))
    places = {number: place for place, number in enumerate(sorted(used))}
    mark = CursorState(
        link=link,
        depth=inside.depth.digest,
        root=tree.root,
        given=reading.given,
        folders=list(tree.folders.items()),
        own=[(identity, [places[kind] for kind in kinds]) for identity, kinds in inside.own.items()],
        met=reading.met(used),
    )
    return Cursor(scope_uid=inside.top, token=pack(mark))
