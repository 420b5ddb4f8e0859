"""A folder that only one process may work in."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudscan.errors import ScanRunning


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold a folder. The system lets go of it when the process ends, however it ends. Raises `ScanRunning`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / ".lock"
    path.touch(mode=0o600)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ScanRunning(f"Another scan works in {folder}; wait for it, or choose another folder.") from error
        yield
