"""An invented Microsoft 365: its tenant, and everything in its libraries. Changes are logged as Graph logs them.

Sharing follows SharePoint: an item inherits from its folder until it gets unique permissions; then it becomes a scope
with a copy of all permissions that it had, and changes above no longer reach it. The log of a drive has one entry for
the item whose permissions changed and none for items that inherit from it.

States that Microsoft's administration would refuse (an anonymous link where sharing is off) are possible: a test may
need exactly that.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from datetime import datetime
from urllib.parse import quote

from cloudscan_emulators.kit.item_tree import ItemTree
from cloudscan_emulators.microsoft import ids
from cloudscan_emulators.microsoft.containers import Containers
from cloudscan_emulators.microsoft.people import SPRING
from cloudscan_emulators.microsoft.records import (
    NOBODY,
    Direct,
    Drive,
    Event,
    Extra,
    Grant,
    Invitation,
    Item,
    Kind,
    Link,
)


class TenantState(Containers):
    """One tenant. All methods may be called while the emulator serves it."""

    def __init__(self, domain: str = "kumo.example", *, now: datetime = SPRING, name: str = "Kumo Logistics") -> None:
        super().__init__(domain, now=now, name=name)
        self.generation = 0  # counts changes: values derived from an older generation are stale
        self._links = 0
        self._bin: dict[int, list[Item]] = {}
        self._tree = ItemTree(self.items)
        self._drive_numbers: dict[str, int] = {}
        self._urls: dict[int, str] = {}
        self._urls_of = 0

    # items

    def create(
        self,
        name: str,
        *,
        parent: Item | None = None,
        drive: Drive | None = None,
        kind: Kind = Kind.FILE,
        mime: str = "application/pdf",
        size: int = 0,
        author: str = "",
        created: int | None = None,
        modified: int | None = None,
        extra: Extra | None = None,
    ) -> Item:
        """A new item, in a folder or in the root of a drive."""
        if parent is None and drive is None:
            raise ValueError("an item is in a folder or a drive")
        with self.lock:
            above = parent.number if parent is not None else drive.root if drive is not None else NOBODY
            drive_number = parent.drive if parent is not None else drive.number if drive is not None else NOBODY
            now = self._tick()
            item = self.load(
                name,
                kind,
                mime,
                above,
                drive_number,
                None,
                now if created is None else created,
                now if modified is None else modified,
                size,
                self.named(author).number if author else self.sites[self.drives[drive_number].site].owner,
            )
            item.extra = extra
            self._log(item)
            return item

    def folder(self, name: str, *, parent: Item | None = None, drive: Drive | None = None, author: str = "") -> Item:
        """A new folder."""
        return self.create(name, parent=parent, drive=drive, kind=Kind.FOLDER, mime="", author=author)

    def shortcut(self, target: Item, *, drive: Drive, name: str = "") -> Item:
        """A shortcut, as "add shortcut to OneDrive" creates it."""
        extra = Extra(target=target.number)
        return self.create(name or target.name, drive=drive, kind=Kind.SHORTCUT, mime="", extra=extra)

    def load(
        self,
        name: str,
        kind: Kind,
        mime: str,
        parent: int,
        drive: int,
        grants: tuple[Grant, ...] | None,
        created: int,
        modified: int,
        size: int,
        author: int,
    ) -> Item:
        """An item that has existed all along: quickly added, without an entry in the log."""
        number = len(self.items)
        item = Item(number, drive, parent, kind, name, mime, size, created, modified, author, grants)
        self.items.append(item)
        self.drives[drive].items.append(number)
        self._tree.add(item)
        return item

    def item(self, identity: str) -> Item | None:
        """The item with an id; None where there is none."""
        number = ids.item_number(identity)
        return self.items[number] if number is not None and number < len(self.items) else None

    def binned(self, number: int) -> list[Item]:
        """The items that went into the recycle bin with an item, which is the first."""
        return self._bin.get(number, [])

    def id_of(self, item: Item) -> str:
        """The id of an item in Graph."""
        return ids.item_id(item.number)

    def path_of(self, item: Item) -> str:
        """The item's path in Graph: ``/drives/…/items/…``."""
        return f"/drives/{self.drives[item.drive].id}/items/{self.id_of(item)}"

    def drive_with(self, identity: str) -> Drive | None:
        """The drive with an id; None where there is none."""
        if len(self._drive_numbers) != len(self.drives):
            self._drive_numbers = {drive.id: drive.number for drive in self.drives}
        number = self._drive_numbers.get(identity)
        return None if number is None or self.drives[number].deleted else self.drives[number]

    def root(self, drive: Drive) -> Item:
        """The root folder of a drive."""
        root = self.items[drive.root]
        if root is None:
            raise LookupError(drive.id)
        return root

    def rename(self, item: Item, name: str) -> None:
        """Give an item another name."""
        with self.lock:
            item.name = name
            self._touch(item)

    def edit(self, item: Item, *, size: int | None = None) -> None:
        """Save a new version."""
        with self.lock:
            item.size = item.size if size is None else size
            self._touch(item)

    def move(self, item: Item, parent: Item) -> Item:
        """Move an item to another folder; returns it. In another drive it becomes a new item, with everything below."""
        with self.lock:
            if parent.drive != item.drive:
                return self._carry(item, parent)
            self._tree.remove(item)
            item.parent = parent.number
            self._tree.add(item)
            self._touch(item)
            return item

    def trash(self, item: Item) -> None:
        """Move an item to the recycle bin, with everything below: one entry in the log, for the item itself."""
        with self.lock:
            gone = [item, *self.descendants(item)]
            self._bin[item.number] = gone
            self._tree.remove(item)
            for child in gone:
                self._drop(child)
            self._log(item, gone=True)

    def restore(self, item: Item) -> None:
        """Restore an item from the recycle bin; every restored item is logged."""
        with self.lock:
            for child in self._bin.pop(item.number):
                self.items[child.number] = child
                insort(self.drives[child.drive].items, child.number)
                self._tree.add(child)
                self._log(child)

    def descendants(self, item: Item) -> Iterator[Item]:
        """Everything below a folder, at any depth."""
        return self._tree.descendants(item)

    def children(self, number: int) -> list[int]:
        """The numbers of what is directly in a folder."""
        return self._tree.children(number)

    def ancestors(self, item: Item) -> Iterator[Item]:
        """The folders above an item, the nearest first, the root last."""
        parent = item.parent
        while parent >= 0:
            above = self.items[parent]
            if above is None:
                return
            yield above
            parent = above.parent

    # sharing

    def scope(self, item: Item) -> Item:
        """The item whose permissions apply: itself, or the nearest one above with unique permissions."""
        if item.grants is not None:
            return item
        for above in self.ancestors(item):
            if above.grants is not None:
                return above
        return item

    def grants(self, item: Item) -> tuple[Grant, ...]:
        """The permissions that apply to an item."""
        return self.scope(item).grants or ()

    def share(self, item: Item, to: str, role: str = "read", *, expires: datetime | None = None) -> None:
        """Grant a principal a permission on the item itself."""
        with self.lock:
            given = Direct(self.named(to).number, role, _seconds(expires))
            others = [one for one in self.grants(item) if not _is_to(one, given.principal)]
            self._regrant(item, (*others, given))

    def share_with_site_group(self, item: Item, name: str, role: str = "read") -> None:
        """Grant a permission to a group of the item's site."""
        with self.lock:
            site = self.sites[self.drives[item.drive].site]
            self._regrant(item, (*self.grants(item), Direct(site.groups[name], role)))

    def link(
        self,
        item: Item,
        type: str = "view",
        scope: str = "anonymous",
        *,
        people: Iterable[str] = (),
        expires: datetime | None = None,
        password: bool = False,
        prevents_download: bool = False,
        application: str = "",
    ) -> Link:
        """Create a sharing link."""
        with self.lock:
            link = Link(
                self.next_link(),
                item.number,
                type,
                scope,
                tuple(self.named(one).number for one in people),
                _seconds(expires),
                password,
                prevents_download,
                self.named(application).number if application else NOBODY,
            )
            self._regrant(item, (*self.grants(item), link))
            return link

    def next_link(self) -> int:
        """A new number for a link or an invitation."""
        self._links += 1
        return self._links

    def unlink(self, link: Link) -> None:
        """Remove a link, wherever a scope has copied it."""
        with self.lock:
            home = self.items[link.home]
            for one in [] if home is None else [home, *self.descendants(home)]:
                if one.grants is not None and any(_is_link(grant, link) for grant in one.grants):
                    self._regrant(one, tuple(grant for grant in one.grants if not _is_link(grant, link)))

    def invite(self, item: Item, mail: str, role: str = "read", *, sign_in: bool = True) -> Invitation:
        """Invite a person without an account here, who has not redeemed it yet."""
        with self.lock:
            invitation = Invitation(self.next_link(), mail, role, sign_in)
            self._regrant(item, (*self.grants(item), invitation))
            return invitation

    def unshare(self, item: Item, to: str) -> None:
        """Revoke a principal's permission; the item remains a scope."""
        with self.lock:
            number = self.named(to).number
            self._regrant(item, tuple(one for one in self.grants(item) if not _is_to(one, number)))

    def stop_inheriting(self, item: Item, *, keep: bool = True) -> None:
        """Make an item a scope, with the permissions that it had (`keep`) or none."""
        with self.lock:
            self._regrant(item, self.grants(item) if keep else ())

    def inherit(self, item: Item) -> None:
        """Remove an item's unique permissions; it inherits again."""
        with self.lock:
            if item.kind is Kind.ROOT:
                raise ValueError("the root has nothing to inherit from")
            item.grants = None
            self.generation += 1
            self._log(item, sharing=True)

    def label(self, item: Item, label: str) -> None:
        """Assign a sensitivity label to a file."""
        with self.lock:
            item.extra = item.extra or Extra()
            item.extra.label = label
            self._touch(item)

    # the logs

    def forget_changes(self, drive: Drive) -> None:
        """Make all delta tokens issued so far end in 410."""
        with self.lock:
            self._log(self.root(drive))
            drive.oldest = len(drive.log)

    def url_of(self, item: Item) -> str:
        """An item's web address."""
        if self._urls_of != self.generation:
            self._urls.clear()
            self._urls_of = self.generation
        if item.kind is Kind.ROOT:
            drive = self.drives[item.drive]
            return f"{self.site_url(self.sites[drive.site])}/{quote(drive.path)}"
        above = self._urls.get(item.parent)
        if above is None:
            parent = self.items[item.parent]
            above = self._urls[item.parent] = "" if parent is None else self.url_of(parent)
        return f"{above}/{quote(item.name.encode('utf-8', 'surrogatepass'))}"

    def _regrant(self, item: Item, grants: tuple[Grant, ...]) -> None:
        item.grants = grants
        self.generation += 1
        self._log(item, sharing=True)

    def _touch(self, item: Item) -> None:
        item.version += 1
        item.modified = self._tick()
        self.generation += 1
        self._log(item)

    def _log(self, item: Item, *, sharing: bool = False, gone: bool = False) -> None:
        self._tick()
        if gone:
            self.generation += 1
        self.drives[item.drive].log.append(Event(self.now, item.number, sharing, gone))

    def _carry(self, item: Item, parent: Item) -> Item:
        copies: dict[int, Item] = {}
        for original in [item, *self.descendants(item)]:
            above = parent if original is item else copies[original.parent]
            copy = self.load(
                original.name,
                original.kind,
                original.mime,
                above.number,
                parent.drive,
                None,
                original.created,
                original.modified,
                original.size,
                original.author,
            )
            copy.extra = original.extra
            copies[original.number] = copy
            self._log(copy)
        self.trash(item)
        del self._bin[item.number]
        return copies[item.number]

    def _drop(self, item: Item) -> None:
        numbers = self.drives[item.drive].items
        del numbers[bisect_left(numbers, item.number)]
        self.items[item.number] = None
        self._tree.forget(item)


def _seconds(when: datetime | None) -> int:
    return 0 if when is None else int(when.timestamp())


def _is_to(grant: Grant, principal: int) -> bool:
    return isinstance(grant, Direct) and grant.principal == principal


def _is_link(grant: Grant, link: Link) -> bool:
    return isinstance(grant, Link) and grant.number == link.number
