"""A folder that only one process may work in, or that several read."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from cloudscan.errors import ScanRunning

_NAME: Final = ".lock"
_ATTEMPTS: Final = 4
_PAUSE: Final = 0.1  # seconds


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold a folder. The system lets go of it when the process ends, however it ends. Raises `ScanRunning`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / _NAME
    path.touch(mode=0o600)
    with path.open("w") as file:
        # Whoever only looks whether a folder is free (`busy`) has it for a moment.
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if attempt == _ATTEMPTS:
                    words = f"Another scan works in {folder}; wait for it, or choose another folder."
                    raise ScanRunning(words) from error
                time.sleep(_PAUSE)
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
    """Whether somebody works in a folder or reads it."""
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
