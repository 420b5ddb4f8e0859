"""The folders of one library: paths, and which permissions apply to their contents.

Inheritance follows SharePoint: an item has the permissions of the nearest folder above it that has unique ones, until
it gets unique permissions itself. Only folders are kept, so memory does not grow with the number of files.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cloudscan_m365.api.models import Permission
from cloudscan_m365.meaning import uids

_DEEPEST = 400  # a path has at most 400 characters: more folders than that are a loop in Microsoft's data


@dataclass(frozen=True, kw_only=True)
class Folder:
    """What must be known of a folder to report its contents. Any change here changes what is reported of them."""

    name: str
    parent: str  # its id
    permissions: tuple[Permission, ...] | None = None  # unique permissions; None: it inherits


@dataclass
class Tree:
    """Folders by their ids. `top` is the uid of the library, `root` the id of its root folder."""

    drive: str
    top: str
    root: str
    folders: dict[str, Folder] = field(default_factory=dict)
    _paths: dict[str, str] = field(default_factory=dict)
    _uids: dict[str, str] = field(default_factory=dict)

    def changed(self) -> None:
        """To be called after `folders` was changed."""
        self._paths.clear()

    def contains(self, folder: str) -> bool:
        """Whether a folder is known, or is the root."""
        return folder == self.root or folder in self.folders

    def uid(self, folder: str) -> str:
        """The uid of a folder; the library's for the root."""
        uid = self._uids.get(folder)
        if uid is None:
            uid = self._uids[folder] = self.top if folder == self.root else uids.item(self.drive, folder)
        return uid

    def path(self, parent: str, name: str) -> str:
        """Names from the root down to an item, joined by slashes."""
        return f"{self._path(parent)}/{name}" if parent in self.folders else name

    def scope(self, folder: str) -> str:
        """The nearest folder, from this one up, that has unique permissions; the root where there is none."""
        for _ in range(_DEEPEST):
            known = self.folders.get(folder)
            if known is None:
                break
            if known.permissions is not None:
                return folder
            folder = known.parent
        return self.root

    def below(self, folder: str) -> Iterator[str]:
        """The ids of all folders below one."""
        children: dict[str, list[str]] = {}
        for identity, known in self.folders.items():
            children.setdefault(known.parent, []).append(identity)
        waiting = list(children.get(folder, ()))
        while waiting:
            child = waiting.pop()
            yield child
            waiting += children.get(child, ())

    def _path(self, folder: str) -> str:
        path = self._paths.get(folder)
        if path is None:
            names: list[str] = []
            current = folder
            while current in self.folders and len(names) < _DEEPEST:
                names.append(self.folders[current].name)
                current = self.folders[current].parent
            path = self._paths[folder] = "/".join(reversed(names))
        return path
