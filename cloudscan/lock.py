"""A folder that only one process may work in, or that several read."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from cloudscan.errors import ScanRunning

_NAME: Final = ".lock"


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold a folder. The system lets go of it when the process ends, however it ends. Raises `ScanRunning`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / _NAME
    path.touch(mode=0o600)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ScanRunning(f"Another scan works in {folder}; wait for it, or choose another folder.") from error
        yield


def read(folder: Path) -> BinaryIO | None:
    """Keep a folder from being removed until what is returned is closed; None where it cannot be held so.

    Raises `ScanRunning` where somebody works in it.
    """
    try:
        file = (folder / _NAME).open("rb")
    except OSError:  # a copy, or a disk that is only read: nobody removes anything there
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise ScanRunning(f"A scan works in {folder}; wait for it.") from error
    return file


def busy(folder: Path) -> bool:
    """Whether somebody works in a folder or reads it. Nothing is changed."""
    try:
        file = (folder / _NAME).open("rb")
    except OSError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
