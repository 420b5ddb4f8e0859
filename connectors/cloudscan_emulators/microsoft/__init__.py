"""A local Microsoft 365: Entra's token endpoint, Graph v1.0 and a few calls of SharePoint's REST, over http and https.

    with serve(company.build(1000).state) as server:
        ...  # server.graph, server.authority, server.client_id, server.client_secret, server.faults, server.log

The Graph client is pointed at it by its adapter's `base_url`, azure-identity by `authority` (see `server`):

    adapter = GraphRequestAdapter(AzureIdentityAuthenticationProvider(credential, scopes=[...]))
    adapter.base_url = server.graph

It refuses and leaves out the same as Graph does; it pages, and throttles and fails on demand. It is read-only.

SharePoint's own hosts are the first segment of the path (``{server.url}/kumo-admin.sharepoint.com/_api/SPO.Tenant``),
or the Host header. Graph's answers contain their real addresses.
"""

from cloudscan_emulators.microsoft.faults import Fault, outage, refusal, throttle
from cloudscan_emulators.microsoft.quirks import Quirks
from cloudscan_emulators.microsoft.quota import Quota
from cloudscan_emulators.microsoft.server import Server, serve
from cloudscan_emulators.microsoft.tenant_state import TenantState

__all__ = ["Fault", "Quirks", "Quota", "Server", "TenantState", "outage", "refusal", "serve", "throttle"]
