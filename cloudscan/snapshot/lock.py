"""Locks on folders: one process writes, or several read. The system releases them when the process ends, however.

Windows has no lock to share. There a reader looks whether somebody writes and keeps the file open, and the system lets
nobody move or remove a folder with an open file in it.
"""

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from filelock import lock_descriptor, unlock_descriptor

from cloudscan.errors import ConfigurationError, ScanRunning
from cloudscan.files import open_beside, private_folder
from cloudscan.sentence import Sentence, say

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_NAME: Final = ".lock"
_ATTEMPTS: Final = 4
_PAUSE: Final = 0.1  # seconds


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Lock a folder for the block. It is made if it does not exist, and becomes private if it was not.

    Raises `ScanRunning` if it is locked, `ConfigurationError` if it cannot be used.
    """
    try:
        private_folder(folder)
        file = open_beside(folder / _NAME, create=True)
    except OSError as error:
        raise ConfigurationError(_unusable(folder, error)) from error
    with file:
        if not _taken(file):
            raise ScanRunning(
                say("Another scan is running in {folder}; wait for it, or choose another folder.", folder=folder)
            )
        yield


def move(folder: Path, target: Path) -> None:
    """Rename a folder in which nobody reads or writes. Raises `ScanRunning` if somebody does, and `OSError`."""
    with exclusive(folder):
        if fcntl:
            folder.rename(target)
    if not fcntl:  # Windows renames no folder with an open file in it, ours included
        try:
            folder.rename(target)
        except PermissionError as error:
            raise ScanRunning(say("{folder} is being read.", folder=folder)) from error


def shared(folder: Path) -> BinaryIO | None:
    """Keep a folder from being removed until the returned file is closed; None if it cannot be locked.

    Raises `ScanRunning` if a scan is writing there.
    """
    try:
        file = open_beside(folder / _NAME, create=False)
    except OSError:  # a copy, or a read-only disk: nothing is removed there
        return None
    if not _shared(file):
        file.close()
        raise ScanRunning(say("A scan is running in {folder}; wait for it.", folder=folder))
    return file


def is_locked(folder: Path) -> bool:
    """Whether a process writes in a folder or, except on Windows, reads it."""
    try:
        file = open_beside(folder / _NAME, create=False)
    except OSError:
        return False
    with file:
        return not lock_descriptor(file.fileno(), blocking=False)


def _taken(file: BinaryIO) -> bool:
    # Whoever asks whether a folder is locked takes the lock itself for a moment, so one refusal proves nothing.
    for attempt in range(_ATTEMPTS):
        if lock_descriptor(file.fileno(), blocking=False):
            return True
        if attempt < _ATTEMPTS - 1:
            time.sleep(_PAUSE)
    return False


def _shared(file: BinaryIO) -> bool:
    if fcntl:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
    if not _taken(file):
        return False
    unlock_descriptor(file.fileno())
    return True


def _unusable(folder: Path, error: OSError) -> Sentence:
    if isinstance(error, NotADirectoryError) and folder.is_symlink():
        return say("The folder {folder} is a link; name the folder that it leads to.", folder=folder)
    if isinstance(error, PermissionError) and error.errno == errno.EPERM:
        return say(
            "In the folder {folder} other users may change what is there; choose one of your own.",
            folder=folder,
        )
    if error.errno == errno.ELOOP:
        return say("{file} is a link, and a lock follows none; remove it.", file=folder / _NAME)
    reason = error.strerror or type(error).__name__
    return say("The folder {folder} cannot be used ({reason}); choose another one.", folder=folder, reason=reason)
