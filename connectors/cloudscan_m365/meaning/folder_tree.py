"""The folders of one library: paths, and which rights hold for what lies in them.

Sharing follows SharePoint: an item has what the nearest folder above it has that carries rights of its own, until it
gets some itself. Only folders are kept, so memory does not grow with the number of files.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cloudscan_m365.api.models import Permission
from cloudscan_m365.meaning import uids

_DEEPEST = 400  # characters of a path; a loop would be Microsoft's fault


@dataclass(frozen=True, kw_only=True)
class Folder:
    """What has to be known of a folder when something inside it is told. Whatever is in it changes what that is."""

    name: str
    parent: str  # its id
    given: tuple[Permission, ...] | None = None  # rights of its own; None: it inherits


@dataclass
class Tree:
    """Folders by their ids. `top` is the uid of the library, `root` the id of its top folder."""

    drive: str
    top: str
    root: str
    folders: dict[str, Folder] = field(default_factory=dict)
    _paths: dict[str, str] = field(default_factory=dict)

    def changed(self) -> None:
        """To be called after folders were changed."""
        self._paths.clear()

    def holds(self, folder: str) -> bool:
        """Whether the way from the top to a folder is known."""
        return folder == self.root or folder in self.folders

    def uid(self, folder: str) -> str:
        return self.top if folder == self.root else uids.item(self.drive, folder)

    def path(self, parent: str, name: str) -> str:
        """Folder names from the top."""
        return f"{self._path(parent)}/{name}" if parent in self.folders else name

    def scope(self, folder: str) -> str:
        """The nearest folder, from this one up, that has rights of its own; the top where there is none."""
        for _ in range(_DEEPEST):
            known = self.folders.get(folder)
            if known is None:
                break
            if known.given is not None:
                return folder
            folder = known.parent
        return self.root

    def below(self, folder: str) -> Iterator[str]:
        """The folders in a folder, and those in them."""
        inside: dict[str, list[str]] = {}
        for identity, known in self.folders.items():
            inside.setdefault(known.parent, []).append(identity)
        waiting = list(inside.get(folder, ()))
        while waiting:
            at = waiting.pop()
            yield at
            waiting += inside.get(at, ())

    def _path(self, folder: str) -> str:
        found = self._paths.get(folder)
        if found is None:
            names: list[str] = []
            at = folder
            while at in self.folders and len(names) < _DEEPEST:
                names.append(self.folders[at].name)
                at = self.folders[at].parent
            found = self._paths[folder] = "/".join(reversed(names))
        return found
