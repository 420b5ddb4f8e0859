"""The folders of one drive: paths, and where a permission was given that a file has inherited.

Only folders are kept, so memory does not grow with the number of files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cloudscan.reason import Reason
from cloudscan_gdrive.api.models import Permission

_MAX_DEPTH = 200  # Drive allows 100 levels; this only ends a loop that Drive should not have


@dataclass(frozen=True, kw_only=True)
class Folder:
    """What the facts of a file depend on in the folder it is in. A folder that differs changes those facts."""

    uid: str
    name: str
    parent: str  # its id; empty at the top
    keys: frozenset[str] = frozenset()  # of its permissions (`translate.key_of`), inherited ones too
    limited: bool = False  # nothing is inherited from above
    trashed: bool | None = False
    given: tuple[Permission, ...] = ()  # in a shared drive: what was given on this folder itself
    unread: Reason | None = None  # why `given` is not all of it


@dataclass
class Tree:
    """Folders by their ids; `top` is the uid of the drive that contains them."""

    top: str
    roots: frozenset[str] = frozenset()  # ids that stand for the drive itself
    folders: dict[str, Folder] = field(default_factory=dict)
    _origins: dict[tuple[str, str], str] = field(default_factory=dict)
    _locations: dict[str, tuple[str | None, str]] = field(default_factory=dict)

    def forget_paths(self) -> None:
        """To be called after folders were changed."""
        self._origins.clear()
        self._locations.clear()

    def location(self, parents: Sequence[str]) -> tuple[str | None, str]:
        """The uid of the parent, and the names of the folders from the top down, each followed by a slash.

        None: the parent is not among the folders that we can see.
        """
        if not parents:
            return None, ""
        location = self._locations.get(parents[0])
        if location is None:
            location = self._find(parents[0])
            if location[0] is not None:  # a folder that is not known yet may still come
                self._locations[parents[0]] = location
        return location

    def knows(self, parents: Sequence[str]) -> bool:
        """Whether all folders above are known, up to the drive itself."""
        at, steps = (parents[0] if parents else ""), 0
        while at in self.folders and steps < _MAX_DEPTH:
            if self.folders[at].limited:
                return True
            at, steps = self.folders[at].parent, steps + 1
        return at in self.roots

    def nearest(self, parents: Sequence[str]) -> str:
        """The id of the first parent that is known; else empty."""
        for parent in parents:
            if parent in self.folders:
                return parent
        return ""

    def carrying(self, parents: Sequence[str], key: str) -> str:
        """The id of the first parent that has the same permission; else empty."""
        for parent in parents:
            folder = self.folders.get(parent)
            if folder and key in folder.keys:
                return parent
        return ""

    def origin(self, parent: str, key: str) -> str:
        """The uid of the highest folder, going up from `parent`, that has the permission without interruption."""
        uid = self._origins.get((parent, key))
        if uid is None:
            at = parent
            for _ in range(_MAX_DEPTH):
                above = self.folders.get(self.folders[at].parent)
                if above is None or key not in above.keys or self.folders[at].limited:
                    break
                at = self.folders[at].parent
            uid = self._origins[parent, key] = self.folders[at].uid
        return uid

    def above(self, parents: Sequence[str]) -> Mapping[str, Folder]:
        """The folders above a file by id, from the nearest up to where inheritance ends."""
        folders: dict[str, Folder] = {}
        at = parents[0] if parents else ""
        while at in self.folders and at not in folders:
            folders[at] = self.folders[at]
            if self.folders[at].limited:
                break
            at = self.folders[at].parent
        return folders

    def _find(self, identity: str) -> tuple[str | None, str]:
        folder = self.folders.get(identity)
        if folder is None:
            return self.top if identity in self.roots else None, ""
        names: list[str] = []
        at = identity
        while at in self.folders and len(names) < _MAX_DEPTH:
            names.append(self.folders[at].name)
            at = self.folders[at].parent
        return folder.uid, "".join(f"{name}/" for name in reversed(names))
