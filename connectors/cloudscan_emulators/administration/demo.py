"""The demo: the files that Kumo Logistics' administration hands over, and the configuration that names them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from cloudscan.connector import Demo
from cloudscan_emulators.administration import intentions, roster

_EARLIER = 75  # days


@contextmanager
def demo() -> Iterator[Demo]:
    """The company's papers, as of today."""
    today = datetime.now(UTC).date()
    before = today - timedelta(days=_EARLIER)
    earlier = f"roster-{before}.csv"
    yield Demo(
        options={},
        files={
            "roster.csv": roster.today(today),
            earlier: roster.earlier(before, today),
            "templates.yaml": intentions.templates(today),
        },
        rosters={earlier: before},
        tables={
            "roster": {"file": "roster.csv"},
            "ranks": intentions.RANKS,
            "templates": {"files": ["templates.yaml"]},
            "partners": intentions.partners(today),
        },
    )
