"""The Drive connector, opened for a company in the emulator."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from cloudscan.connector import Estate, Partner
from cloudscan.http import Patience
from cloudscan_emulators import google
from cloudscan_emulators.google import Server, TenantState, company
from cloudscan_emulators.google.signin import new_key
from cloudscan_gdrive.connector import DriveConnector
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.options import Options

ESTATE = Estate(
    name="Kumo Logistics",
    partners=(Partner(name="Tanuki", domains=frozenset({company.PARTNER}), contract_ends=date(2026, 3, 31)),),
)
HASTY = Patience(attempts=4, pause=0.001, longest=0.002, timeout=5.0)


@cache
def key() -> RSAPrivateKey:
    """The service account's key: one for all tests, and a short one, which is checked each time it is loaded."""
    return new_key(1024)


@contextmanager
def serve(state: TenantState, **more: Any) -> Iterator[Server]:
    """An emulator of the company; options as `cloudscan_emulators.google.serve` takes them."""
    with google.serve(state, key=key(), **more) as server:
        yield server


def connector(server: Server, folder: Path, *, patience: Patience = HASTY, **options: Any) -> DriveConnector:
    """A connector for the emulator, on the emulator's clock. The service account's key goes into `folder`."""
    key = server.write_key(folder / "key.json")
    all_options = {"endpoint": server.url, "admin": company.ADMIN, "key_file": str(key), **options}
    return DriveConnector.open(
        Options(**all_options), ESTATE, patience, lambda: datetime.fromtimestamp(server.state.now, tz=UTC)
    )


def file(identity: str) -> str:
    """The uid of a file."""
    return uids.file(identity)
