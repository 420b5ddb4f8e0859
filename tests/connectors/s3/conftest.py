from collections.abc import Iterator

import pytest

from cloudscan_s3 import emulator
from cloudscan_s3.emulator import Emulator


@pytest.fixture
def server() -> Iterator[Emulator]:
    """An empty S3 that speaks HTTP."""
    with emulator.running() as found:
        yield found
