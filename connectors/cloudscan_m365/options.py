"""The keys of ``[connectors.m365]`` in cloudscan.toml."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from cloudscan.errors import ConfigurationError, check_least, check_url
from cloudscan.sentence import say

_LEAST = {"connections": 1, "patience": 0, "longest_pause": 0, "sampled_items": 0, "resource_units_per_minute": 1}


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to reach Microsoft 365, and how much of it to read.

    Secrets stay out of the file: AZURE_CLIENT_SECRET is the application's, AZURE_CLIENT_CERTIFICATE_PASSWORD that of
    its certificate. SharePoint's own API accepts only a certificate, a managed identity or a workload identity.
    """

    tenant: str = ""  # its id or a domain of it; empty: AZURE_TENANT_ID
    client_id: str = ""  # of the app registration; empty: AZURE_CLIENT_ID
    certificate_file: str = ""  # PEM or PKCS12, with the key; empty: AZURE_CLIENT_CERTIFICATE_PATH
    sign_in: Literal["found", "secret", "certificate", "managed_identity", "workload_identity"] = "found"  # how
    cloud: Literal["global", "usgov", "dod", "china"] = "global"  # GCC is global, GCC High usgov
    company: str = ""  # named in the User-Agent, as Microsoft asks
    sites: Sequence[str] = ()  # only these sites, by address: https://kumo.sharepoint.com/sites/office
    skip_sites: Sequence[str] = ()  # not these sites
    onedrives: bool = True  # read OneDrives too
    private_labels: Sequence[str] = ()  # names of sensitivity labels that bar external users from a site
    all_unique_permissions: bool = False  # also read permissions of items that Microsoft calls not shared
    sampled_items: int = 200  # items that Microsoft calls not shared, looked at in a full scan all the same
    file_labels: bool = False  # also read the sensitivity labels of shared files, at two resource units each
    resource_units_per_minute: int = 1_000  # of SharePoint's 1,250 for up to 1,000 licences
    longest_pause: float = 300.0  # seconds; the longest Retry-After to wait for
    patience: float = 600.0  # seconds for which a question that Microsoft throttles is asked again, once in a scan
    connections: int = 32  # kept open to Microsoft
    data_connect: str = ""  # a folder with the SharePoint datasets of Graph Data Connect, in place of sites and items
    data_connect_directory: bool = True  # beside them ask Graph for the directory; false: no request at all
    endpoint: str = ""  # a local server in place of Graph and SharePoint
    authority: str = ""  # a local server in place of Entra
    ca_file: str = ""  # certificates to trust when signing in, for a local server or a proxy

    def __post_init__(self) -> None:
        """Raises `ConfigurationError` for an address that is none, and for a number that is too small."""
        for key, least in _LEAST.items():
            check_least(key, getattr(self, key), least)
        if self.data_connect and not self.data_connect_directory and not self.tenant:
            raise ConfigurationError(
                say(
                    "[connectors.m365] has data_connect_directory = false and no tenant. Write the tenant's default "
                    "domain as tenant: without the directory it is not known."
                ),
                key="tenant",
            )
        check_url("endpoint", self.endpoint, needs_https=True)
        check_url("authority", self.authority, needs_https=True)
