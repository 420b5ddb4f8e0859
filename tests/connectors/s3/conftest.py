from collections.abc import Iterator

import pytest

from cloudscan_emulators.aws import moto_server
from cloudscan_emulators.aws.moto_server import Emulator


@pytest.fixture
def server() -> Iterator[Emulator]:
    """An empty S3 that speaks HTTP."""
    with moto_server.running() as emulator:
        yield emulator
