"""What the Google connector tells of a company in the emulator."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from cloudscan.connector import Estate, Partner
from cloudscan.http import Patience
from cloudscan_emulators.google import Server, company
from cloudscan_gdrive.connector import DriveConnector
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.options import Options

ESTATE = Estate(
    name="Kumo Logistics",
    partners=(Partner(name="Tanuki", domains=frozenset({company.PARTNER}), contract_ends=date(2026, 3, 31)),),
)
HASTY = Patience(attempts=4, pause=0.001, longest=0.002, timeout=5.0)


@contextmanager
def connector(server: Server, folder: Path, **options: Any) -> Iterator[DriveConnector]:
    key = server.write_key(folder / "key.json")
    wanted = {"endpoint": server.url, "admin": company.ADMIN, "key_file": str(key), **options}
    yield DriveConnector.open(
        Options(**wanted), ESTATE, HASTY, lambda: datetime.fromtimestamp(server.world.now, tz=UTC)
    )


def file(identity: str) -> str:
    return uids.file(identity)
