"""The demo: Kumo Logistics in a local Microsoft 365, with the options to scan it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cloudscan.connector import Demo
from cloudscan_emulators.microsoft import certificates, company, serve

ITEMS = 400
_UNITS = 1_000_000  # per minute: the emulator has no such limit


@contextmanager
def demo() -> Iterator[Demo]:
    """The company in a running emulator. Its certificate exists until the block is left."""
    built, pair = company.build(ITEMS, now=datetime.now(UTC)), certificates.for_application()
    with (
        serve(built.state, certificate=pair) as server,
        tempfile.TemporaryDirectory(prefix="cloudscan-") as folder,
    ):
        file = Path(folder) / "application.pem"
        file.touch(mode=0o600)
        file.write_bytes(pair.pem)
        yield Demo(
            options={
                "tenant": server.tenant,
                "client_id": server.client_id,
                "certificate_file": str(file),
                "endpoint": server.url,
                "authority": server.authority,
                "ca_file": str(server.ca_file),
                "resource_units_per_minute": _UNITS,
                "private_labels": [company.CONFIDENTIAL],
            },
            estate=company.estate(),
        )
