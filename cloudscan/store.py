"""The door for shared stores: a place that all machines of a scan reach, where each puts what it has read.

The core has folders (``/mnt/scans``, ``file:///mnt/scans``). Any other scheme comes from a package's entry point in
the group `cloudscan.stores`, named for the scheme: ``s3``. Credentials are never part of the address: every machine
takes them from where the platform's own tools do.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Store(Protocol):
    """Contents by key. A key is a relative path with slashes.

    All methods may be called from any thread and raise `SnapshotError` if the store refuses or does not answer.
    """

    @property
    def url(self) -> str:
        """Its address, for people."""
        ...

    def read(self, key: str) -> bytes | None:
        """The content; None if there is none."""
        ...

    def write(self, key: str, content: bytes) -> None:
        """Put content in place of what there is; readers see the old one or the new one."""
        ...

    def create(self, key: str, content: bytes) -> bool:
        """Put content if there is none, in one step: of several that try, one is told True."""
        ...

    def upload(self, file: Path, key: str) -> None:
        """Put the content of a file, of any size."""
        ...

    def download(self, key: str, file: Path) -> bool:
        """Write the content into a new private file of any size; False if there is none."""
        ...

    def keys(self, folder: str) -> Iterator[str]:
        """All keys that begin with the folder's name and a slash, sorted."""
        ...


@dataclass(frozen=True, kw_only=True)
class StorePlugin:
    """A kind of store."""

    scheme: str  # s3
    packages: Sequence[str]  # that it imports
    open: Callable[[str], Store]  # by its address; asks nothing yet. Raises `ConfigurationError` for an address
