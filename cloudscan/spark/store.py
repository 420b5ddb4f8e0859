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
        with self._errors():
            write_private(self._room_for(key), content)

    def create(self, key: str, content: bytes) -> bool:
        """Put content if there is none, whole or not at all."""
        with self._errors():
            path = self._room_for(key)
            draft = path.with_name(f".{uuid.uuid4().hex}.part")
            try:
                write_private(draft, content)
                os.link(draft, path)
            except FileExistsError:
                return False
            finally:
                draft.unlink(missing_ok=True)
            return True

    def upload(self, file: Path, key: str) -> None:
        """Put the content of a file."""
        with self._errors(), file.open("rb") as source, private_file(self._room_for(key)) as target:
            shutil.copyfileobj(source, target)

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

    def _room_for(self, key: str) -> Path:
        private_folder(self.folder)
        path = self._path(key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

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
