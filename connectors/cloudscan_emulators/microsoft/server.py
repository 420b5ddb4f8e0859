"""The service on one port of the loopback interface, as http and as https: HTTP/1.1, keep-alive, compression.

azure-identity insists on an authority with https (``normalize_authority``), the Graph client accepts http for the
loopback interface. So the first byte of a connection decides which it is, and the certificate is made at the start:

    ClientSecretCredential(
        server.tenant, server.client_id, server.client_secret,
        authority=server.authority, disable_instance_discovery=True, connection_verify=server.ca_file)

`connection_verify` reaches the transport of azure-core; REQUESTS_CA_BUNDLE in the environment does the same.
"""

import ssl
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cloudscan_emulators.kit import local_server
from cloudscan_emulators.kit.faults import Faults
from cloudscan_emulators.kit.request_log import LoggedRequest, over_network
from cloudscan_emulators.microsoft import certificates
from cloudscan_emulators.microsoft.certificates import Pair
from cloudscan_emulators.microsoft.faults import Fault
from cloudscan_emulators.microsoft.quirks import Quirks
from cloudscan_emulators.microsoft.quota import Quota
from cloudscan_emulators.microsoft.records import Application
from cloudscan_emulators.microsoft.service import Service
from cloudscan_emulators.microsoft.signin import SignIn
from cloudscan_emulators.microsoft.tenant_state import TenantState
from cloudscan_emulators.microsoft.text import JSON_TYPE

SCANNER = "cloudscan"
GRAPH_ROLES = frozenset(
    {
        "Application.Read.All",
        "AuditLog.Read.All",
        "Channel.ReadBasic.All",
        "ChannelMember.Read.All",
        "CrossTenantInformation.ReadBasic.All",
        "Directory.Read.All",
        "Files.Read.All",
        "GroupMember.Read.All",
        "Member.Read.Hidden",
        "Organization.Read.All",
        "Policy.Read.All",
        "SensitivityLabels.Read.All",
        "SharePointTenantSettings.Read.All",
        "Sites.Read.All",
        "Team.ReadBasic.All",
        "TeamMember.Read.All",
        "User.Read.All",
        "User-LifeCycleInfo.Read.All",
    }
)
SHAREPOINT_ROLES = frozenset({"Sites.FullControl.All"})


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running emulator."""

    url: str
    authority: str  # the same, with https
    service: Service
    scanner: Application
    client_secret: str
    ca_file: Path  # the certificate to trust

    @property
    def graph(self) -> str:
        """The base address of Graph."""
        return f"{self.url}/v1.0"

    @property
    def tenant(self) -> str:
        """The tenant's id."""
        return self.state.tenant_id

    @property
    def client_id(self) -> str:
        """The id of the scanner's application."""
        return self.scanner.app_id

    @property
    def state(self) -> TenantState:
        """The tenant that is served."""
        return self.service.state

    @property
    def quirks(self) -> Quirks:
        """The variations in effect."""
        return self.service.quirks

    @property
    def faults(self) -> Faults[Fault]:
        """The failures that are planted."""
        return self.service.faults

    @property
    def sign_in(self) -> SignIn:
        """The issuer of tokens."""
        return self.service.sign_in

    @property
    def quota(self) -> Quota:
        """The limits in effect."""
        return self.service.meter.quota

    @property
    def log(self) -> list[LoggedRequest]:
        """Every request so far, including those within batches."""
        return self.service.log

    @property
    def requests(self) -> int:
        """How many requests came over the network, including those for tokens."""
        return over_network(self.service.log)

    @property
    def units(self) -> int:
        """How many resource units were spent."""
        return self.service.meter.spent

    def sharepoint(self, host: str = "") -> str:
        """The address of SharePoint's own REST API for a host of the tenant: the host is the path's first segment."""
        return f"{self.url}/{host or self.state.host}"

    def expire_tokens(self) -> None:
        """Make all tokens expire now."""
        self.sign_in.expire()

    def allow(self, *roles: str, sharepoint: Iterable[str] | None = None) -> None:
        """Grant the scanner's application these permissions of Graph and no others. New tokens have them."""
        self.scanner.graph_roles = frozenset(roles)
        if sharepoint is not None:
            self.scanner.sharepoint_roles = frozenset(sharepoint)

    def managed_identity(self) -> dict[str, str]:
        """The environment that App Service gives a managed identity."""
        return {"IDENTITY_ENDPOINT": f"{self.url}/msi/token", "IDENTITY_HEADER": self.sign_in.identity_header}


@contextmanager
def serve(
    state: TenantState,
    *,
    port: int = 0,
    quirks: Quirks | None = None,
    quota: Quota | None = None,
    token_seconds: float = 3600,
    certificate: Pair | None = None,
    graph_roles: Iterable[str] = GRAPH_ROLES,
    sharepoint_roles: Iterable[str] = SHAREPOINT_ROLES,
) -> Iterator[Server]:
    """Run the emulator of a tenant until the block is left. The scanner may sign in with `certificate`.

    Raises `FaultNeverMet` at the end for a fault that never struck.
    """
    client_secret = "kumo~secret"  # noqa: S105 - of an invented company
    scanner = state.add_application(
        SCANNER,
        graph=graph_roles,
        sharepoint=sharepoint_roles,
        secrets=[client_secret],
        certificates=[] if certificate is None else [certificate.certificate],
        federated=["workload-identity-token"],
        managed=True,
    )
    service = Service(
        state, SignIn(state, seconds=token_seconds), Quirks() if quirks is None else quirks, quota or Quota()
    )
    with tempfile.TemporaryDirectory(prefix="kumo-") as folder:
        ca_file = Path(folder) / "ca.pem"
        listener = local_server.Service(
            answer=service.answer, content_type=JSON_TYPE, headers={"Cache-Control": "no-cache"}, tls=_tls(ca_file)
        )
        try:
            with local_server.listening(listener, port) as at:
                yield Server(
                    url=f"http://127.0.0.1:{at}",
                    authority=f"https://127.0.0.1:{at}",
                    service=service,
                    scanner=scanner,
                    client_secret=client_secret,
                    ca_file=ca_file,
                )
        finally:
            scanner.deleted = True
    service.faults.require_met()


def _tls(ca_file: Path) -> ssl.SSLContext:
    pair = certificates.for_server()
    ca_file.write_text(pair.certificate, encoding="ascii")
    both = ca_file.with_name("server.pem")
    both.touch(mode=0o600)
    both.write_bytes(pair.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context
