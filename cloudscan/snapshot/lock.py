"""Locks on folders: one process writes, or several read. The system releases them when the process ends, however."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from cloudscan.errors import ScanRunning
from cloudscan.sentence import say

_NAME: Final = ".lock"
_ATTEMPTS: Final = 4
_PAUSE: Final = 0.1  # seconds


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Lock a folder for the block; it is made if it does not exist. Raises `ScanRunning` if it is locked."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / _NAME
    path.touch(mode=0o600)
    with path.open("w") as file:
        # `is_locked` takes the lock itself for a moment, so one refusal proves nothing.
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if attempt == _ATTEMPTS:
                    message = say(
                        "Another scan is running in {folder}; wait for it, or choose another folder.", folder=folder
                    )
                    raise ScanRunning(message) from error
                time.sleep(_PAUSE)
        yield


def shared(folder: Path) -> BinaryIO | None:
    """Keep a folder from being removed until the returned file is closed; None if it cannot be locked.

    Raises `ScanRunning` if a scan is writing there.
    """
    try:
        file = (folder / _NAME).open("rb")
    except OSError:  # a copy, or a read-only disk: nothing is removed there
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise ScanRunning(say("A scan is running in {folder}; wait for it.", folder=folder)) from error
    return file


def is_locked(folder: Path) -> bool:
    """Whether a process writes in a folder or reads it."""
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
