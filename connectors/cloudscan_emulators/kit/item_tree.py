"""Which items of an emulated drive are in which folder, found quickly in a list of a million."""

from bisect import insort
from collections.abc import Iterator, Sequence
from typing import Generic, Protocol, TypeVar


class ItemInFolder(Protocol):
    """What `ItemTree` needs to know of a file or folder."""

    number: int  # its index in the list of all items
    parent: int  # the number of the folder that it is in; negative for none


Item = TypeVar("Item", bound=ItemInFolder)


class ItemTree(Generic[Item]):
    """The children of each folder, in the order of their numbers.

    The list of items belongs to the caller, who reports what was added and removed. A deleted item is None in it. The
    index is built when it is first asked for, because most companies are only ever listed.
    """

    def __init__(self, items: Sequence[Item | None]) -> None:
        self._items = items
        self._children: dict[int, list[int]] | None = None

    def children(self, number: int) -> list[int]:
        """The numbers of what is directly in a folder."""
        if self._children is None:
            self._children = {}
            for item in self._items:
                if item is not None and item.parent >= 0:
                    self._children.setdefault(item.parent, []).append(item.number)
        return self._children.get(number, [])

    def descendants(self, item: Item) -> Iterator[Item]:
        """Everything below a folder, at any depth."""
        waiting = [item.number]
        while waiting:
            for number in self.children(waiting.pop()):
                child = self._items[number]
                if child is not None:
                    waiting.append(number)
                    yield child

    def add(self, item: Item) -> None:
        """An item was put into its parent folder."""
        if self._children is not None and item.parent >= 0:
            insort(self._children.setdefault(item.parent, []), item.number)

    def remove(self, item: Item) -> None:
        """An item is about to leave its parent folder."""
        if self._children is not None and item.parent >= 0:
            self._children[item.parent].remove(item.number)

    def forget(self, folder: Item) -> None:
        """A folder was deleted together with what was in it."""
        if self._children is not None:
            self._children.pop(folder.number, None)
