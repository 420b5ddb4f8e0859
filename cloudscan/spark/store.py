"""A folder as a store: on a disk that all machines mount, or on the only one."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cloudscan.errors import SnapshotError
from cloudscan.files import open_private, private_file, private_folder, write_private
from cloudscan.sentence import say


@dataclass(frozen=True)
class FolderStore:
    """See `cloudscan.store.Store`."""

    folder: Path

    @property
    def url(self) -> str:
        """The folder."""
        return str(self.folder)

    def read(self, key: str) -> bytes | None:
        """The content; None if there is none."""
        with self._errors():
            try:
                return self._path(key).read_bytes()
            except FileNotFoundError:
                return None

    def write(self, key: str, content: bytes) -> None:
        """Put content in place of what there is."""
        with self._errors(), self._draft(key) as (draft, path):
            write_private(draft, content)
            draft.replace(path)

    def create(self, key: str, content: bytes) -> bool:
        """Put content if there is none, whole or not at all."""
        with self._errors():
            with self._draft(key) as (draft, path):
                write_private(draft, content)
                try:
                    os.link(draft, path)
                except FileExistsError:
                    return False
            return True

    def upload(self, file: Path, key: str) -> None:
        """Put the content of a file."""
        with self._errors(), self._draft(key) as (draft, path):
            with file.open("rb") as source, private_file(draft) as target:
                shutil.copyfileobj(source, target)
            draft.replace(path)

    def download(self, key: str, file: Path) -> bool:
        """Write the content into a new private file; False if there is none."""
        with self._errors():
            try:
                with self._path(key).open("rb") as source, open_private(file) as target:
                    shutil.copyfileobj(source, target)
            except FileNotFoundError:
                return False
            return True

    def keys(self, folder: str) -> Iterator[str]:
        """All keys below a folder, sorted."""
        with self._errors():
            paths = [path for path in self._path(folder).rglob("*") if path.is_file()]
        yield from sorted(path.relative_to(self.folder).as_posix() for path in paths if path.suffix != ".part")

    def _path(self, key: str) -> Path:
        return self.folder / key

    @contextmanager
    def _draft(self, key: str) -> Iterator[tuple[Path, Path]]:
        """A name for what will be at a key, which no other attempt has, and the name that it gets."""
        private_folder(self.folder)
        path = self._path(key)
        for folder in reversed(path.parent.relative_to(self.folder).parents[:-1]):
            (self.folder / folder).mkdir(mode=0o700, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft = path.with_name(f"{uuid.uuid4().hex}.part")
        try:
            yield draft, path
        finally:
            draft.unlink(missing_ok=True)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SnapshotError(
                say(
                    "The store {url} cannot be used ({why}); it has to be a folder that every machine of the scan "
                    "reaches under this name and may write to.",
                    url=self.url,
                    why=error.strerror or type(error).__name__,
                )
            ) from error
