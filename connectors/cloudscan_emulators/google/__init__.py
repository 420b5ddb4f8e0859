"""A local Google: Drive v3, Directory v1, the Drive log, Cloud Identity policies and the token endpoint, over HTTP.

    with serve(company.build(1000).state) as server:
        ...  # server.url, server.service_account_info(), server.faults, server.log

It refuses what Google refuses (by the discovery documents that the client library brings along), leaves out what
Google leaves out, pages, throttles and fails on demand. It never writes.
"""

from cloudscan_emulators.google.faults import Fault, outage, refusal, throttle
from cloudscan_emulators.google.quirks import Quirks
from cloudscan_emulators.google.quota import Quota
from cloudscan_emulators.google.server import Server, serve
from cloudscan_emulators.google.tenant_state import TenantState

__all__ = ["Fault", "Quirks", "Quota", "Server", "TenantState", "outage", "refusal", "serve", "throttle"]
