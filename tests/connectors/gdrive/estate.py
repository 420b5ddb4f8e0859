"""The Drive connector, opened for a company in the emulator."""

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


def connector(server: Server, folder: Path, **options: Any) -> DriveConnector:
    """A connector for the emulator, on the emulator's clock. The service account's key goes into `folder`."""
    key = server.write_key(folder / "key.json")
    all_options = {"endpoint": server.url, "admin": company.ADMIN, "key_file": str(key), **options}
    return DriveConnector.open(
        Options(**all_options), ESTATE, HASTY, lambda: datetime.fromtimestamp(server.state.now, tz=UTC)
    )


def file(identity: str) -> str:
    """The uid of a file."""
    return uids.file(identity)
