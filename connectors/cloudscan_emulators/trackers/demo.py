"""The demo's tracker: an empty project in Backlog, which needs no library of its own."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager

from cloudscan.connector import Demo
from cloudscan_emulators.trackers.backlog import Backlog
from cloudscan_emulators.trackers.server import running


@contextmanager
def demo() -> Iterator[Demo]:
    """The tracker in a running emulator, which stops when the block is left."""
    emulated = Backlog()
    with running(emulated.service):
        options = tomllib.loads(emulated.table)["trackers"][emulated.kind]
        yield Demo(options=options, environment=emulated.environment)
