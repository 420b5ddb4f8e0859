"""The folders of one drive: paths, and where a permission was given that a file has inherited.

Only folders are kept, so memory does not grow with the number of files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cloudscan.facts import Outcome
from cloudscan_gdrive.api.models import Permission

_DEEPEST = 200  # Drive allows 100 levels; a loop would be its fault


Unread = tuple[Outcome, str]
"""What became of reading permissions, and why."""


@dataclass(frozen=True, kw_only=True)
class Folder:
    """What has to be known of a folder when something inside it is told. Whatever is in it changes what that is."""

    uid: str
    name: str
    parent: str  # its id; empty at the top
    keys: frozenset[str] = frozenset()  # the permissions it carries (`translate.key_of`), inherited ones too
    limited: bool = False  # nothing is inherited from above
    trashed: bool = False
    given: tuple[Permission, ...] = ()  # in a shared drive: what was given on this folder itself
    unread: Unread | None = None  # why that, or some of it, is not known


@dataclass
class Tree:
    """Folders by their ids; `top` is the uid of what holds them all."""

    top: str
    roots: frozenset[str] = frozenset()  # ids that stand for the top itself
    folders: dict[str, Folder] = field(default_factory=dict)
    _origins: dict[tuple[str, str], str] = field(default_factory=dict)
    _places: dict[str, tuple[str | None, str]] = field(default_factory=dict)

    def forget_places(self) -> None:
        """To be called after folders were changed."""
        self._origins.clear()
        self._places.clear()

    def place(self, parents: Sequence[str]) -> tuple[str | None, str]:
        """The uid of what something lies in, and the names of the folders from the top, each with a slash behind it.

        As far as they can be seen: without a uid it lies in what is not ours to see.
        """
        if not parents:
            return None, ""
        found = self._places.get(parents[0])
        if found is None:
            found = self._place(parents[0])
            if found[0] is not None:  # a folder that is not known yet may still come
                self._places[parents[0]] = found
        return found

    def nearest(self, parents: Sequence[str]) -> str:
        """The folder that something lies in, as far as it is known; else empty."""
        for parent in parents:
            if parent in self.folders:
                return parent
        return ""

    def carrying(self, parents: Sequence[str], key: str) -> str:
        """The folder that something lies in, if it carries the same permission; else empty."""
        for parent in parents:
            folder = self.folders.get(parent)
            if folder and key in folder.keys:
                return parent
        return ""

    def origin(self, parent: str, key: str) -> str:
        """The uid of the highest folder, going up from here, that carries the permission without a gap."""
        found = self._origins.get((parent, key))
        if found is None:
            at = parent
            for _ in range(_DEEPEST):
                above = self.folders.get(self.folders[at].parent)
                if above is None or key not in above.keys or self.folders[at].limited:
                    break
                at = self.folders[at].parent
            found = self._origins[parent, key] = self.folders[at].uid
        return found

    def above(self, parents: Sequence[str]) -> Mapping[str, Folder]:
        """The folders that something lies in, from the nearest up to where inheritance ends."""
        found: dict[str, Folder] = {}
        at = parents[0] if parents else ""
        while at in self.folders and at not in found:
            found[at] = self.folders[at]
            if self.folders[at].limited:
                break
            at = self.folders[at].parent
        return found

    def _place(self, folder: str) -> tuple[str | None, str]:
        known = self.folders.get(folder)
        if known is None:
            return self.top if folder in self.roots else None, ""
        names: list[str] = []
        at = folder
        while at in self.folders and len(names) < _DEEPEST:
            names.append(self.folders[at].name)
            at = self.folders[at].parent
        return known.uid, "".join(f"{name}/" for name in reversed(names))
