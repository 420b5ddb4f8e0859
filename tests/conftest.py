"""How all tests run: how often a property is tried, and how the garbage collector behaves.

`make test` takes the profile `ci`, `make campaign` the profile `campaign`. Neither has a deadline: a slow machine is
not a failure.
"""

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

os.environ.update(LANGUAGE="", LC_ALL="C.UTF-8")  # whatever language the developer's terminal speaks

settings.register_profile(
    "ci",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("campaign", parent=settings.get_profile("ci"), max_examples=10_000)
settings.load_profile("ci")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, lest one worker ends long after the other; the rest stays in random order."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """Collected modules stay to the end; looking through them again and again costs a tenth of the run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_unconfigure() -> None:
    """At the end everything is freed, lest native libraries report leaks."""
    gc.unfreeze()
