"""The Microsoft 365 connector, connected to a company in the emulator."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cloudscan.http import Patience
from cloudscan_emulators.microsoft import Server, TenantState, certificates, company, serve
from cloudscan_emulators.microsoft.certificates import Pair
from cloudscan_m365.connector import M365Connector
from cloudscan_m365.meaning import uids
from cloudscan_m365.options import Options

ESTATE = company.estate()
HASTY = Patience(attempts=4, pause=0.001, longest=0.002, timeout=5.0)
_PAIR: list[Pair] = []


def pair() -> Pair:
    """The certificate that the scanner signs in with: one for all tests, as making one takes a while."""
    if not _PAIR:
        _PAIR.append(certificates.for_application(key_size=1024))
    return _PAIR[0]


@contextmanager
def tenant(state: TenantState, **more: Any) -> Iterator[Server]:
    with serve(state, certificate=pair(), **more) as server:
        yield server


def connector(server: Server, folder: Path, patience: Patience = HASTY, **options: Any) -> M365Connector:
    """A connector that signs in with a certificate; its clock is the emulated tenant's."""
    file = folder / "application.pem"
    file.write_bytes(pair().pem)
    wanted = {
        "tenant": server.tenant,
        "client_id": server.client_id,
        "certificate_file": str(file),
        "endpoint": server.url,
        "authority": server.authority,
        "ca_file": str(server.ca_file),
        "resource_units_per_minute": 10_000_000,
        **options,
    }
    return M365Connector.open(
        Options(**wanted), ESTATE, patience, lambda: datetime.fromtimestamp(server.state.now, tz=UTC)
    )


def item(server: Server, identity: str) -> str:
    """The uid of an item."""
    existing = server.state.item(identity)
    assert existing is not None
    return uids.item(server.state.drives[existing.drive].id, identity)
