"""Reading a library: which permissions its items have, and the facts that follow."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cloudscan.connector import Cursor, Gap, Question
from cloudscan.errors import Malformed, ProviderError
from cloudscan.facts import AnyFact, Audience, Outcome, Resource, Via, unread_grants
from cloudscan.reason import Reason
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.inquiry import Inquiry
from cloudscan_m365.api.models import Item, Permission
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.folder_tree import Folder, Tree
from cloudscan_m365.meaning.translate import UNREAD
from cloudscan_m365.questions import ITEMS, PERMISSIONS
from cloudscan_m365.scopes.cursor_state import CursorState, digest, pack
from cloudscan_m365.scopes.library_context import EffectivePermission, LibraryContext
from cloudscan_m365.scopes.listing import labels, permissions
from cloudscan_m365.scopes.sampling import Sample
from cloudscan_m365.scopes.unresolved import grantees_unresolved

LibraryFact = AnyFact | Gap | Cursor
UniquePermissions = tuple[Permission, ...] | None
"""The permissions that an item does not inherit; None where it inherits all of them."""

_AT_LEAST = {
    "anonymous": Audience.ANYONE_WITH_LINK,
    "organization": Audience.ORGANISATION,
    "users": Audience.NAMED,
}
"""The least audience among the permissions of an item by the scope of its `shared` facet (shared resource)."""


@dataclass(frozen=True, kw_only=True)
class ReadDepth:
    """How much is asked for."""

    all_unique_permissions: bool = False  # of items that Microsoft reports as not shared, too
    labels: Mapping[str, str] | None = None  # names of sensitivity labels by id; None: labels of files are not read
    site_groups_known: bool = True  # an item that Microsoft calls not shared may be open to a group of the site

    @property
    def digest(self) -> str:
        """A hash, which tells whether the last scan asked for the same."""
        return digest([self.all_unique_permissions, self.labels, self.site_groups_known])


@dataclass
class LibraryReader:
    """A library while it is read: how it is asked, and what has been learnt."""

    inquiry: Inquiry
    context: LibraryContext
    depth: ReadDepth
    unique: dict[str, tuple[int, ...]] = field(default_factory=dict)  # files with unique permissions: their kinds
    labels: dict[str, str] = field(default_factory=dict)  # of files that have one
    sample: Sample | None = None  # items to look at though Microsoft calls them not shared; None: none
    sampled: dict[str, tuple[Permission, ...]] = field(default_factory=dict)  # their permissions
    not_shared: int = 0  # items that Microsoft calls not shared
    looked_at: int = 0  # how many of them are in the sample
    unread: list[tuple[Question, str, ProviderError]] = field(default_factory=list)  # whose permissions are not known

    @property
    def graph(self) -> Graph:
        """The connection."""
        return self.inquiry.graph

    @property
    def tree(self) -> Tree:
        """The library's folders."""
        return self.context.tree

    @property
    def drive(self) -> str:
        """The id of the library's drive."""
        return self.tree.drive

    @property
    def top(self) -> str:
        """The library's uid."""
        return self.tree.top


def facts_of_root(reader: LibraryReader, library: Resource) -> Iterator[LibraryFact]:
    """The library itself, with the permissions that apply to all its contents."""
    yield library
    yield from reader.context.grants(reader.context.permissions_in(reader.tree.root), library.uid)


def read_root(reader: LibraryReader) -> tuple[Permission, ...]:
    """The permissions that apply to the whole library."""
    root = reader.tree.root
    unique, failures = permissions(reader.graph, reader.drive, [root])
    if root in failures:
        reader.unread.append((PERMISSIONS, reader.top, failures[root]))
    return unique[root] or (UNREAD,)


def gaps_of(reader: LibraryReader) -> Iterator[Gap]:
    """What could not be read beside the list of items."""
    reader.inquiry.failed(reader.unread, within=reader.top)
    if reader.looked_at:
        yield Gap(
            table="grants",
            outcome=Outcome.SKIPPED,
            reason=Reason(code="graph-sampled-here"),
            hides=(),
            resource_uid=reader.top,
            seen=reader.looked_at,
            total=reader.not_shared,
        )
    if about := _granted_to_whom(reader):
        reader.inquiry.gaps.append(grantees_unresolved(PERMISSIONS, about, reader.top))
    yield from reader.inquiry.gaps


def unique_permissions(reader: LibraryReader, items: Sequence[Item]) -> dict[str, UniquePermissions]:
    """The unique permissions of items by id. Items that were deleted meanwhile are left out."""
    asked = _to_ask_about(reader, items)
    answers, failures = permissions(reader.graph, reader.drive, asked) if asked else ({}, {})
    return _unique(reader, items, answers, failures)


def unique_permissions_and_root(reader: LibraryReader, items: Sequence[Item]) -> dict[str, UniquePermissions]:
    """The same, and the permissions that apply to the whole library are noted: they fit into the same requests."""
    root = reader.tree.root
    answers, failures = permissions(reader.graph, reader.drive, [root, *_to_ask_about(reader, items)])
    reader.context.root_permissions = answers.pop(root) or (UNREAD,)
    if root in failures:
        reader.unread.append((PERMISSIONS, reader.top, failures.pop(root)))
    return _unique(reader, items, answers, failures)


def _to_ask_about(reader: LibraryReader, items: Sequence[Item]) -> list[str]:
    """The ids of items that may have permissions of their own."""
    all_of_them = reader.depth.all_unique_permissions
    return [item.id for item in items if item.shared is not None and (item.shared.scope or all_of_them)]


def _unique(
    reader: LibraryReader,
    items: Sequence[Item],
    answers: Mapping[str, UniquePermissions],
    failures: dict[str, ProviderError],
) -> dict[str, UniquePermissions]:
    """The unique permissions of items, as far as they were answered; what was not is noted."""
    _look_at_sample(reader, [item for item in items if item.id not in answers])
    unique: dict[str, UniquePermissions] = {}
    for item in items:
        if item.id not in answers:
            unique[item.id] = None if item.shared is None else () if reader.depth.site_groups_known else (UNREAD,)
        elif (answer := answers[item.id]) is not None:
            unique[item.id] = answer
            if item.id not in failures and _is_incomplete(reader, item, answer):
                unique[item.id] = (*answer, UNREAD)
                failures[item.id] = Malformed("graph-permissions-not-shown")
    reader.unread += [(PERMISSIONS, uids.item(reader.drive, identity), error) for identity, error in failures.items()]
    if reader.depth.labels is not None:
        shared = [item.id for item in items if item.file is not None and _is_wide(reader, unique.get(item.id))]
        reader.labels |= labels(reader.inquiry, reader.drive, shared, reader.depth.labels, reader.top) if shared else {}
    return unique


def _granted_to_whom(reader: LibraryReader) -> list[str]:
    """The uids of what has a permission for somebody who cannot be identified."""
    kinds = {number for number, one in enumerate(reader.context.translations) if one is not None and one.unresolved}
    if not kinds:
        return []
    tree = reader.tree
    about = [uids.item(reader.drive, one) for one, used in reader.unique.items() if not kinds.isdisjoint(used)]
    for identity, folder in tree.folders.items():
        if not kinds.isdisjoint(kinds_of(reader, folder.permissions)):
            about.append(tree.uid(identity))
    if not kinds.isdisjoint(kinds_of(reader, reader.context.root_permissions)):
        about.append(reader.top)
    return about


def _look_at_sample(reader: LibraryReader, items: Sequence[Item]) -> None:
    """Ask for the permissions of a few items that Microsoft calls not shared, and note those that reach somebody.

    What they have in common with their folder is known when they are reported.
    """
    sample = reader.sample
    asked = sample.of([item.id for item in items]) if sample is not None else []
    reader.not_shared += len(items)
    reader.looked_at += len(asked)
    answers, failures = permissions(reader.graph, reader.drive, asked) if asked else ({}, {})
    for identity, answer in answers.items():
        # Nothing was expected of a question that fails, so nothing is missing.
        reader.sampled[identity] = () if identity in failures else answer or ()


def _is_shared_after_all(reader: LibraryReader, item: Item, effective: Sequence[EffectivePermission]) -> bool:
    """Whether an item of the sample is open to somebody by more than its folder's permissions and the site's groups."""
    if item.id not in reader.sampled:
        return False
    known = {permission.key for permission in effective}
    listed = reader.sampled.pop(item.id)
    more = [reader.context.translated(permission) for permission in listed if permission.id not in known]
    return any(one is not None and one.grant.via in (Via.LINK, Via.DIRECT) for one in more)


def _is_incomplete(reader: LibraryReader, item: Item, unique: Sequence[Permission]) -> bool:
    """Whether Microsoft reports an item as shared and leaves out with whom: a reader is not shown everything."""
    translated = map(reader.context.translated, unique)
    audiences = [permission.grant.audience for permission in translated if permission is not None]
    if None in audiences:
        return False
    widest = max((audience for audience in audiences if audience), default=Audience.NOBODY)
    needed = _AT_LEAST.get(((item.shared and item.shared.scope) or "").lower(), Audience.NOBODY)
    return widest < needed


def _is_wide(reader: LibraryReader, unique: UniquePermissions) -> bool:
    """Whether permissions let in more than named colleagues, or may."""
    translated = [reader.context.translated(permission) for permission in unique or ()]
    audiences = [permission.grant.audience for permission in translated if permission is not None]
    return any(audience is None or audience > Audience.NAMED for audience in audiences)


def remember(reader: LibraryReader, item: Item, unique: UniquePermissions) -> bool:
    """Note where an item is and its unique permissions. Returns whether the contents of a known folder are affected."""
    if not item.is_folder:
        if unique is None:
            reader.unique.pop(item.id, None)
        else:
            reader.unique[item.id] = kinds_of(reader, unique)
        return False
    before = reader.tree.folders.get(item.id)
    now = reader.tree.folders[item.id] = Folder(name=item.name or "", parent=item.parent, permissions=unique)
    return before is not None and before != now


def facts_of_item(reader: LibraryReader, item: Item, unique: UniquePermissions) -> Iterator[LibraryFact]:
    """An item with its grants."""
    context = reader.context
    resource = context.resource(item, item.parent, reader.labels.get(item.id, ""))
    yield resource
    if item.is_folder and reader.tree.contains(item.id):
        effective = context.permissions_in(item.id)
    elif unique is None:
        effective = context.permissions_in(item.parent)
    else:
        effective = context.with_origins(unique, context.permissions_in(item.parent), resource.uid)
    yield from context.grants(effective, resource.uid)
    if _is_shared_after_all(reader, item, effective):
        # Only a sample is looked at, so what it shows is a doubt about this item, and no finding that comes and goes.
        reader.unread.append((PERMISSIONS, resource.uid, Malformed("graph-shared-after-all")))
        yield unread_grants(resource.uid)


def facts_without_folder(
    reader: LibraryReader, items: Sequence[tuple[Item, UniquePermissions]]
) -> Iterator[LibraryFact]:
    """Items whose folder Microsoft does not list: what they inherit is unknown."""
    for item, unique in items:
        if unique is None:
            reader.unread.append((ITEMS, uids.item(reader.drive, item.id), Malformed("graph-folder-not-listed")))
        yield from facts_of_item(reader, item, (UNREAD,) if unique is None else unique)


def kinds_of(reader: LibraryReader, unique: UniquePermissions) -> tuple[int, ...]:
    """The numbers of the kinds among some permissions."""
    return tuple(sorted({reader.context.kind(permission) for permission in unique or ()}))


def cursor(reader: LibraryReader, link: str, *, quiet: bool = False) -> Cursor:
    """What the next scan needs to know. `link` is Microsoft's delta link without the host; see `CursorState.quiet`."""
    context, tree = reader.context, reader.tree
    used = {kind for kinds in reader.unique.values() for kind in kinds}
    used.update(kind for folder in tree.folders.values() for kind in kinds_of(reader, folder.permissions))
    used.update(kinds_of(reader, context.root_permissions))
    indexes = {kind: index for index, kind in enumerate(sorted(used))}
    state = CursorState(
        link=link,
        quiet=quiet,
        depth=reader.depth.digest,
        root=tree.root,
        root_permissions=context.root_permissions,
        folders=list(tree.folders.items()),
        unique=[(identity, [indexes[kind] for kind in kinds]) for identity, kinds in reader.unique.items()],
        seen=context.seen(used),
    )
    return Cursor(scope_uid=reader.top, token=pack(state))
