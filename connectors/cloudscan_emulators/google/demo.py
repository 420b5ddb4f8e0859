"""The demo: Kumo Logistics in a local Google, with the options to scan it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from cloudscan.connector import Demo, Estate, Partner
from cloudscan_emulators.google import company, serve

FILES = 400


@contextmanager
def demo() -> Iterator[Demo]:
    """The company in a running emulator. Its key lasts as long as the block."""
    built = company.build(FILES, now=datetime.now(UTC))
    with serve(built.state) as server, tempfile.TemporaryDirectory(prefix="cloudscan-") as folder:
        key = server.write_key(Path(folder) / "key.json")
        partner = Partner(
            name="Tanuki Haulage",
            domains=frozenset({company.PARTNER}),
            owner="logistics@kumo.example",
            contract_ends=date(2026, 3, 31),
        )
        yield Demo(
            options={"endpoint": server.url, "admin": built.admin, "key_file": str(key), "external_files": True},
            estate=Estate(name="Kumo Logistics", partners=(partner,)),
        )
