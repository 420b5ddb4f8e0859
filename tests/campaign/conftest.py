from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.campaign.estate import Estate, Estates


@pytest.fixture(scope="session")
def estates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Estate]]:
    """The three companies by platform, each started when it is first needed."""
    folder: Path = tmp_path_factory.mktemp("companies")
    with ExitStack() as until:
        yield Estates(folder, until)
