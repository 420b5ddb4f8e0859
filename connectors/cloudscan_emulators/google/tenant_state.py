"""An invented Google: its company, and everything in Drive. Changing it writes the change logs as Google does.

Nothing is served from here and nothing is refused that Google's own console would refuse (a domain-only drive takes
an external user): a test may need exactly that state.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from cloudscan_emulators.google import ids
from cloudscan_emulators.google.audit import AuditLog
from cloudscan_emulators.google.people import SPRING, People
from cloudscan_emulators.google.records import (
    ANYONE,
    FOLDER,
    MY_DRIVE,
    NOBODY,
    ORPHAN,
    RANKS,
    SHORTCUT,
    TOP,
    Drive,
    Event,
    Extra,
    Grant,
    Item,
    Principal,
    Restrictions,
)
from cloudscan_emulators.kit.item_tree import ItemTree

OPEN = Restrictions()
FIRST_CHANGE = 4000  # the number of the first entry in the change logs


class TenantState(People):
    """One company and the external people it deals with. All methods may be called while it is served."""

    def __init__(self, domain: str = "kumo.example", *, now: datetime = SPRING, name: str = "Kumo Logistics") -> None:
        super().__init__(domain, now=now, name=name)
        self.events: list[Event] = []
        self.audit = AuditLog(self.principals, self.drives, self.access)
        self.opened: dict[int, set[int]] = defaultdict(set)  # user: files reached by a link
        self.owned: dict[int, list[int]] = defaultdict(list)
        self.held_by_drive: dict[int, list[int]] = defaultdict(list)
        self.shared_with: dict[int, set[int]] = defaultdict(set)  # principal: items with a grant of its own
        self.trashed_folders: set[int] = set()
        self._tree = ItemTree(self.items)

    # shared drives

    def add_drive(
        self,
        name: str,
        members: Mapping[str, str],
        *,
        restrictions: Restrictions = OPEN,
        unit: str = "/",
        hidden: bool = False,
        created: int | None = None,
    ) -> Drive:
        """A shared drive; `members` has roles by address."""
        with self.lock:
            drive = Drive(
                number=len(self.drives),
                name=name,
                created=self.now - 31_536_000 if created is None else created,
                members=tuple(Grant(self.named(who).number, role) for who, role in members.items()),
                restrictions=restrictions,
                unit=unit,
                hidden=hidden,
            )
            self.drives.append(drive)
            self._changed()
            return drive

    def drive(self, identity: str) -> Drive | None:
        number = ids.drive_number(identity)
        return self.drives[number] if number is not None and number < len(self.drives) else None

    def add_member(self, drive: Drive, who: str, role: str, *, by: str = "") -> None:
        """Add a member to a shared drive, or change a member's role."""
        with self.lock:
            self._set_member(drive, self.named(who), role, self._number(by))

    def remove_member(self, drive: Drive, who: str, *, by: str = "") -> None:
        with self.lock:
            self._set_member(drive, self.named(who), "", self._number(by))

    def _set_member(self, drive: Drive, who: Principal, role: str, by: int) -> None:
        people = self.access.people(drive.members)
        old = next((member.role for member in drive.members if member.principal == who.number), "")
        others = tuple(member for member in drive.members if member.principal != who.number)
        drive.members = (*others, Grant(who.number, role)) if role else others
        self._log_drive(drive, people)
        self.audit.member(self.now, by, drive, who, old, role)

    def restrict(self, drive: Drive, restrictions: Restrictions) -> None:
        with self.lock:
            drive.restrictions = restrictions
            self._log_drive(drive, set())
            self.audit.drive_changed(self.now, drive)

    def rename_drive(self, drive: Drive, name: str) -> None:
        with self.lock:
            drive.name = name
            self._log_drive(drive, set())
            self.audit.drive_changed(self.now, drive)

    # files

    def create(
        self,
        name: str,
        *,
        owner: str = "",
        drive: Drive | None = None,
        parent: Item | None = None,
        orphan: bool = False,
        mime: str = "application/pdf",
        size: int = 0,
        created: int | None = None,
        modified: int | None = None,
        extra: Extra | None = None,
    ) -> Item:
        """A new file, in a user's My Drive (`owner`) or in a shared drive (`drive`)."""
        if (parent is None and not owner and drive is None) or (owner and drive is not None):
            raise ValueError("a file has an owner or is in a shared drive")
        with self.lock:
            now = self._tick()
            drive_number = MY_DRIVE if drive is None else drive.number
            holder = self.named(owner).number if owner else NOBODY
            if parent is not None:
                drive_number = parent.drive
                holder = NOBODY if drive_number != MY_DRIVE else holder if owner else parent.owner
            item = self.load(
                name,
                mime,
                parent.number if parent is not None else ORPHAN if orphan else TOP,
                holder,
                drive_number,
                (),
                now if created is None else created,
                now if modified is None else modified,
                size,
            )
            item.extra = extra
            self._changed(structure=False)
            self._log(item, set())
            self.audit.changed(self.now, NOBODY, item, "create")
            return item

    def load(
        self,
        name: str,
        mime: str,
        parent: int,
        owner: int,
        drive: int,
        grants: tuple[Grant, ...],
        created: int,
        modified: int,
        size: int,
    ) -> Item:
        """A file that has been there all along: the quick way, without an entry in the change logs."""
        number = len(self.items)
        item = Item(number, name, mime, parent, owner, drive, grants, created, modified, size)
        self.items.append(item)
        if drive == MY_DRIVE:
            self.owned[owner].append(number)
        else:
            self.held_by_drive[drive].append(number)
        for grant in grants:
            self.shared_with[grant.principal].add(number)
        self._tree.add(item)
        return item

    def shortcut(self, target: Item, *, owner: str = "", parent: Item | None = None, name: str = "") -> Item:
        return self.create(
            name or target.name,
            owner=owner,
            parent=parent,
            mime=SHORTCUT,
            extra=Extra(shortcut_to=target.number),
        )

    def item(self, identity: str) -> Item | None:
        number = ids.file_number(identity)
        return self.items[number] if number is not None and number < len(self.items) else None

    def share(
        self,
        item: Item,
        to: str,
        role: str = "reader",
        *,
        discoverable: bool = False,
        expires: datetime | None = None,
        view: str = "",
        pending_owner: bool = False,
        by: str = "",
    ) -> str:
        """Grant access; gives the permission's id. `to` is ``anyone``, a mail address or a domain.

        `by` is who does it: the owner, or a manager of the shared drive, where nobody is named.
        """
        if role not in RANKS:
            raise ValueError(role)
        with self.lock:
            principal = self.named(to)
            if expires is not None and principal.kind not in ("user", "group"):
                raise ValueError("only a person's or group's permission can expire")
            ends = 0 if expires is None else int(expires.timestamp())
            grant = Grant(principal.number, role, discoverable, ends, view, pending_owner)
            people, seen = self._people(item), self.audit.visibility(item)
            old = next((other.role for other in item.grants if _same(other, grant)), "")
            item.grants = (*(other for other in item.grants if not _same(other, grant)), grant)
            self.shared_with[principal.number].add(item.number)
            self._touched(item, people)
            if view:
                self.audit.changed(self.now, self._number(by), item, "change_acl_editors")
            else:
                self.audit.shared(self.now, self._number(by), item, principal, old, role, seen)
            return "anyone" if principal.number == ANYONE and discoverable else principal.permission_id

    def unshare(self, item: Item, to: str, *, by: str = "") -> None:
        """Take all access of that principal on this very item away."""
        with self.lock:
            principal = self.named(to)
            people, seen = self._people(item), self.audit.visibility(item)
            old = next(
                (other.role for other in item.grants if other.principal == principal.number and not other.view), ""
            )
            item.grants = tuple(other for other in item.grants if other.principal != principal.number)
            self.shared_with[principal.number].discard(item.number)
            self._touched(item, people)
            if old:
                self.audit.shared(self.now, self._number(by), item, principal, old, "", seen)
            else:
                self.audit.changed(self.now, self._number(by), item, "change_acl_editors")

    def pass_time(self, time: timedelta) -> None:
        """Advance the clock. Permissions that expire by then are removed, each with an entry in the change log."""
        with self.lock:
            self.now += int(time.total_seconds())
            shared = {number for numbers in self.shared_with.values() for number in numbers}
            for item in filter(None, map(self.items.__getitem__, sorted(shared))):
                if any(0 < grant.expires <= self.now for grant in item.grants):
                    people = self._people(item)
                    ended = [grant for grant in item.grants if 0 < grant.expires <= self.now]
                    item.grants = tuple(grant for grant in item.grants if grant not in ended)
                    for grant in ended:
                        self.shared_with[grant.principal].discard(item.number)
                    self._touched(item, people)

    def limit(self, folder: Item, limited: bool = True) -> None:
        """Switch limited access on: what is above the folder no longer reaches into it. Folders only."""
        if not folder.is_folder:
            raise ValueError("only a folder can have limited access")
        with self.lock:
            people = self._people(folder)
            folder.limited = limited
            self._touched(folder, people)
            self.audit.changed(self.now, NOBODY, folder, "change_user_access_hierarchy_reconciled")

    def rename(self, item: Item, name: str) -> None:
        with self.lock:
            item.name = name
            item.modified = self._tick()
            self._touched(item, set())
            self.audit.changed(self.now, NOBODY, item, "rename")

    def touch(self, item: Item, *, by: str = "") -> None:
        """Edit a file, as its owner or as `by`."""
        with self.lock:
            item.modified = self._tick()
            self._touched(item, set())
            self.audit.used(self.now, self.audit.actor(item, self._number(by)), item, "edit")

    def use(self, item: Item, who: str, verb: str = "view") -> None:
        """View or download a file, which is in the Drive log only. `who` empty: not signed in."""
        with self.lock:
            self.audit.used(self._tick(), self._number(who), item, verb)

    def open(self, item: Item, user: str) -> None:
        """A user follows a link: from then on the file is among theirs."""
        with self.lock:
            self.opened[self.named(user).number].add(item.number)
            self._changed()

    def move(self, item: Item, *, parent: Item | None = None, drive: Drive | None = None, owner: str = "") -> None:
        """Put it elsewhere: into a folder, to the top of a shared drive, or of its owner's My Drive.

        Out of a shared drive it needs an `owner`. Everything below a folder goes with it, one change each where the
        drive changes.
        """
        with self.lock:
            people = self._people(item)
            before, out_of = item.drive, self._folder_id(item)
            target = parent.drive if parent is not None else MY_DRIVE if drive is None else drive.number
            holder = self.named(owner).number if owner else parent.owner if parent is not None else item.owner
            below = list(self.descendants(item)) if target != before else []
            self._tree.remove(item)
            item.parent = TOP if parent is None else parent.number
            self._tree.add(item)
            for moved in [item, *below] if target != before else []:
                was = self._people(moved) if moved is not item else people
                self._unindex(moved)
                moved.drive = target
                moved.owner = NOBODY if target != MY_DRIVE else holder
                self._index(moved)
                if moved is not item:
                    self._touched(moved, was, also=before)
            self._touched(item, people, also=before)
            folders = (("source_folder_id", out_of), ("destination_folder_id", self._folder_id(item)))
            self.audit.changed(self.now, NOBODY, item, "move", tuple(pair for pair in folders if pair[1]))

    def _folder_id(self, item: Item) -> str:
        """The id of what a file is in: a folder, the top of a shared drive, or of its owner's drive; empty: nothing."""
        if item.parent >= 0:
            return ids.file_id(item.parent)
        drive = self.drives[item.drive] if item.drive != MY_DRIVE else None
        if drive is not None:
            return drive.id
        return ids.root_id(item.owner) if item.parent == TOP else ""

    def change_owner(self, item: Item, owner: str) -> None:
        """Hand a file over; the former owner stays as an editor, as Google does."""
        with self.lock:
            people = self._people(item)
            new, former = self.named(owner).number, item.owner
            self._unindex(item)
            item.owner = new
            self._index(item)
            item.grants = (
                *(grant for grant in item.grants if grant.principal not in (new, former)),
                Grant(former, "writer"),
            )
            self.shared_with[former].add(item.number)
            self._touched(item, people)
            self.audit.changed(self.now, former, item, "change_owner", (("new_owner", self.principals[new].email),))

    def trash(self, item: Item, *, by: str = "") -> None:
        """Put it into the trash; what is below it is in the trash too, without changes of its own."""
        with self.lock:
            item.trashed = True
            if item.is_folder:
                self.trashed_folders.add(item.number)
            item.extra = item.extra or Extra()
            item.extra.trashed_on = self._tick()
            item.extra.trashed_by = self.named(by).number if by else item.owner
            self._touched(item, set())
            self.audit.changed(self.now, self._number(by), item, "trash")

    def restore(self, item: Item) -> None:
        with self.lock:
            item.trashed = False
            self.trashed_folders.discard(item.number)
            self._touched(item, set())
            self.audit.changed(self.now, NOBODY, item, "untrash")

    def delete(self, item: Item) -> None:
        """Delete it for good, with everything below."""
        with self.lock:
            for deleted in [*self.descendants(item), item]:
                people = self._people(deleted)
                self.audit.changed(self.now, NOBODY, deleted, "delete")
                self._drop(deleted)
                self._changed()
                self._log(deleted, people, gone=True)

    def _number(self, who: str) -> int:
        return self.named(who).number if who else NOBODY

    def descendants(self, item: Item) -> Iterator[Item]:
        """Everything below a folder, at any depth."""
        return self._tree.descendants(item)

    def children(self, number: int) -> list[int]:
        """The numbers of what is directly in a folder."""
        return self._tree.children(number)

    def in_trash(self, item: Item) -> bool:
        """In the trash, itself or with a folder above it."""
        if item.trashed or not self.trashed_folders:
            return item.trashed
        parent = item.parent
        while parent >= 0:
            if parent in self.trashed_folders:
                return True
            folder = self.items[parent]
            parent = TOP if folder is None else folder.parent
        return False

    # the change logs

    @property
    def newest_change(self) -> int:
        """The number of the next entry, which is what a start page token contains."""
        return FIRST_CHANGE + len(self.events)

    def _log(self, item: Item, people: set[int], *, gone: bool = False, also: int = MY_DRIVE) -> None:
        drives = {item.drive, also} - {MY_DRIVE}
        if not gone:
            people = people | self._people(item)
        self.events.append(Event(self.now, item.number, tuple(sorted(drives)), frozenset(people)))

    def _log_drive(self, drive: Drive, people: set[int]) -> None:
        self._tick()
        self._changed()
        people = people | self.access.people(drive.members)
        self.events.append(Event(self.now, None, (drive.number,), frozenset(people)))

    def _touched(self, item: Item, people: set[int], also: int = MY_DRIVE) -> None:
        item.version += 1
        self._tick()
        self._changed()
        self._log(item, people, also=also)

    def _people(self, item: Item) -> set[int]:
        """The users whose change log has a file; a link or a domain alone adds none."""
        people = self.access.people(effective.grant for effective in self.access.grants_on(item))
        return people | {who for who, opened in self.opened.items() if item.number in opened}

    def _index(self, item: Item) -> None:
        insort(self.owned[item.owner] if item.drive == MY_DRIVE else self.held_by_drive[item.drive], item.number)

    def _unindex(self, item: Item) -> None:
        numbers = self.owned[item.owner] if item.drive == MY_DRIVE else self.held_by_drive[item.drive]
        del numbers[bisect_left(numbers, item.number)]

    def _drop(self, item: Item) -> None:
        self._unindex(item)
        for grant in item.grants:
            self.shared_with[grant.principal].discard(item.number)
        for opened in self.opened.values():
            opened.discard(item.number)
        self.trashed_folders.discard(item.number)
        self._tree.remove(item)
        self.items[item.number] = None


def folder(
    state: TenantState, name: str, *, owner: str = "", drive: Drive | None = None, parent: Item | None = None
) -> Item:
    """A folder."""
    return state.create(name, owner=owner, drive=drive, parent=parent, mime=FOLDER)


def _same(grant: Grant, other: Grant) -> bool:
    return grant.principal == other.principal and grant.view == other.view
