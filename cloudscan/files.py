"""Files and folders that only their owner can read; files are written whole or not at all.

A file appears under its name by rename, when it is complete and on the disk: a killed process, a full disk or a power
cut leaves the previous version, or none. While it is written it is called ``.<name>.part``. No link is followed in
writing: what somebody put in the way is removed or refused, never written through. All functions raise `OSError`.

On Windows a mode says little and a folder has no owner to compare: there the user's profile folder is what protects.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_ROOT: Final = 0


def write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600, replacing any previous one."""
    with private_file(path) as file:
        file.write(content)


@contextmanager
def private_file(path: Path, *, mode: int = 0o600) -> Iterator[BinaryIO]:
    """A file to write to, mode 0600 unless told. It appears at the end of the block, or not at all on an exception."""
    part = path.with_name(f".{path.name}.part")
    try:
        with open_private(part) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode != 0o600:
            part.chmod(mode)
        part.replace(path)
        _sync_folder(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def open_private(path: Path) -> BinaryIO:
    """A new file of mode 0600, under its own name from the start. A previous file or link of that name is removed."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _binary(), 0o600), "wb")


def private_folder(folder: Path) -> None:
    """Make a folder of mode 0700 with its parents, or take one that is there: whatever others may do in it ends.

    A folder of root's is taken as it is, if it is not for everybody: volumes of containers are made so, for a group.
    Raises `PermissionError` for a folder in which others could change what is there, and `NotADirectoryError` for a
    link, which could lead anywhere.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "it is a link; name the folder that it leads to", str(folder))
    user: Callable[[], int] | None = getattr(os, "geteuid", None)  # not on Windows
    if user is None:
        return
    is_for_all = status.st_mode & stat.S_ISVTX and status.st_mode & stat.S_IWOTH  # as /tmp is
    if is_for_all or (status.st_uid != user() and (status.st_uid != _ROOT or status.st_mode & stat.S_IWOTH)):
        raise PermissionError(errno.EPERM, "others may change what is in it", str(folder))
    if status.st_uid == user() and status.st_mode & _OTHERS:
        with suppress(OSError):  # a file system without modes
            folder.chmod(stat.S_IMODE(status.st_mode) & ~_OTHERS)


def open_beside(path: Path, *, create: bool) -> BinaryIO:
    """A file opened as it is, to be locked: not emptied, no link followed, no waiting for the other end of a pipe."""
    flags = (os.O_RDWR | os.O_CREAT) if create else os.O_RDONLY
    careful = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    return os.fdopen(os.open(path, flags | careful | _binary(), 0o600), "r+b" if create else "rb", buffering=0)


def _binary() -> int:
    return getattr(os, "O_BINARY", 0)  # on Windows; without it a line end would become two characters


def _sync_folder(folder: Path) -> None:
    """Make a rename in the folder survive a power cut, on systems where a folder can be opened."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
